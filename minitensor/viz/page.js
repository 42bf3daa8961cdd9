// What a module may ask of anywidget's model, over the data in the page; the theme of the notebook
// around it, which a browser's own preference does not know; and a frame that holds what is in it.
const values = JSON.parse(document.getElementById("data").textContent);
const heard = {};
let changed = {};
const change = (name, value) => {
  values[name] = value;
  (heard["change:" + name] || []).forEach((call) => call());
};
const model = {
  get: (name) => values[name],
  set: (name, value) => { changed[name] = value; change(name, value); },
  save_changes: () => {
    if (values.key) window.parent.postMessage({ key: values.key, changed }, "*");
    changed = {};
  },
  on: (event, call) => { (heard[event] = heard[event] || []).push(call); },
  off: () => {},
};
window.addEventListener("message", ({ data }) => {
  if (!values.key || !data || data.key !== values.key || !data.wanted) return;
  for (const [name, value] of Object.entries(data.wanted)) {
    if (JSON.stringify(values[name]) !== JSON.stringify(value)) change(name, value);
  }
});
try {
  const outer = window.parent.document.body.dataset.jpThemeLight;
  if (outer) document.documentElement.style.colorScheme = outer === "true" ? "light" : "dark";
} catch (error) { /* another origin: the browser's own preference decides */ }
const root = document.getElementById("root");
widget.render({ model, el: root });
const grow = () => {
  const frame = window.frameElement, more = document.documentElement.scrollHeight - innerHeight;
  if (frame && more > 0) frame.style.height = innerHeight + more + 2 + "px";
};
try { new ResizeObserver(grow).observe(root); } catch (error) { /* another origin */ }
