// The kernel's end of a page: it hears what the page saved, and tells it what the kernel changed.
// What came from the page is not told back: it may be older than what the page shows by then.
export default {
  initialize({ model }) {
    const key = model.get("key");
    let known = model.get("values");
    const hear = ({ data }) => {
      if (!data || data.key !== key || !data.changed) return;
      known = { ...model.get("values"), ...data.changed };
      model.set("values", known);
      model.save_changes();
    };
    const tell = () => {
      const now = model.get("values");
      const names = Object.keys(now).filter((n) => JSON.stringify(now[n]) !== JSON.stringify(known[n]));
      const wanted = Object.fromEntries(names.map((name) => [name, now[name]]));
      known = now;
      if (!names.length) return;
      for (const frame of document.querySelectorAll("iframe")) {
        frame.contentWindow.postMessage({ key, wanted }, "*");
      }
    };
    window.addEventListener("message", hear);
    model.on("change:values", tell);
    return () => window.removeEventListener("message", hear);
  },
};
