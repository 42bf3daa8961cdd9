// Names and buffers: pick a cell, say which names will change, write, and see who shared. The names
// are typed arrays over real shared buffers, so that nothing here decides who changes but memory.
const STYLE = `
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; margin: 6px 0; }
  th, td { text-align: left; padding: 3px 12px 3px 4px; border-bottom: 1px solid var(--line); }
  thead th { color: var(--soft); font-weight: normal; }
  [role=row] { display: flex; gap: 3px; margin: 1px 0; }
  .cell { box-sizing: border-box; width: 46px; padding: 2px 5px; text-align: right; cursor: pointer;
    border: 1px solid var(--line); border-radius: 3px; background: var(--panel);
    font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
  .picked { border: 3px solid var(--blue); padding: 0 3px; font-weight: bold; }
  .changed { border: 3px double var(--vermilion); padding: 0 3px; }
  .changed::before { content: "• "; color: var(--vermilion); }
  .said { min-height: 3em; margin: 6px 0; padding: 6px 10px; border-left: 4px solid var(--blue);
    background: var(--panel); }
  .right { color: var(--green); } .missed { color: var(--vermilion); font-weight: bold; }
`;
const START = [1, 2, 3, 4];
// Each name: how it is made, its shape, and how it comes from the names before it.
const NAMES = [
  ["a", "np.array([1, 2, 3, 4], np.float32)", [4], () => new Float32Array(START)],
  ["t", "mt.from_numpy(a)", [4], ({ a }) => a.subarray(0)],
  ["n", "t.numpy()", [4], ({ t }) => t.subarray(0)],
  ["v", "t.view(2, 2)", [2, 2], ({ t }) => t.subarray(0)],
  ["p", "t[1:3]", [2], ({ t }) => t.subarray(1, 3)],
  ["d", "t.detach()", [4], ({ t }) => t.subarray(0)],
  ["c", "mt.tensor(a)", [4], ({ a }) => a.slice()],
  ["k", "t.clone()", [4], ({ t }) => t.slice()],
  ["f", "t[[1, 2]]", [2], ({ t }) => t.slice(1, 3)],
];

function make() {
  const arrays = {};
  for (const [name, , , from] of NAMES) arrays[name] = from(arrays);
  return arrays;
}

// Write 10 more into one cell; return, for each name, the positions that changed.
function write(arrays, name, at) {
  const before = Object.fromEntries(NAMES.map(([one]) => [one, arrays[one].slice()]));
  arrays[name][at] += 10;
  const changed = {};
  for (const [one] of NAMES)
    changed[one] = [...arrays[one].keys()].filter((i) => arrays[one][i] !== before[one][i]);
  return changed;
}

const place = (name, at, shape) =>
  `${name}[${shape.length === 2 ? `${Math.floor(at / shape[1])}, ${at % shape[1]}` : at}]`;

// What every name holds after a list of writes, [name, position] each: for tests.
function compute(writes) {
  const arrays = make();
  writes.forEach(([name, at]) => write(arrays, name, at));
  return Object.fromEntries(NAMES.map(([name]) => [name, [...arrays[name]]]));
}

export default {
  compute,
  render({ el }) {
    let arrays = make(), picked = { name: "a", at: 0 }, changed = {}, verdict = {};
    const rows = NAMES.map(([name, code, shape]) => `<tr><th scope="row"><code>${name} = ${code}</code></th>
      <td><div role="grid" data-name="${name}" aria-label="${name}, shape (${shape}); arrow keys pick a cell"></div></td>
      <td><label><input type="checkbox" data-guess="${name}"> ${name} will change</label></td>
      <td data-verdict="${name}"></td></tr>`);
    el.innerHTML = `<style>${STYLE}</style>
      <div class="wide"><table aria-label="names and what they hold"><thead><tr><th scope="col">name</th>
        <th scope="col">holds</th><th scope="col">your prediction</th><th scope="col">was it right?</th>
      </tr></thead><tbody>${rows.join("")}</tbody></table></div>
      <button class="write"></button> <button class="again">Start again</button>
      <div class="said" role="status" aria-live="polite">Pick a cell, tick the names that will change,
        then write.</div>`;
    const find = (selector) => el.querySelector(selector);
    const shapeOf = (name) => NAMES.find(([one]) => one === name)[2];

    function cell(name, at) {
      const made = document.createElement("div"), here = picked.name === name && picked.at === at;
      const hit = changed[name]?.includes(at);
      made.className = "cell" + (here ? " picked" : "") + (hit ? " changed" : "");
      made.textContent = arrays[name][at];
      made.dataset.cell = `${name} ${at}`;
      made.tabIndex = here || (picked.name !== name && at === 0) ? 0 : -1;
      made.setAttribute("role", "gridcell");
      made.setAttribute("aria-selected", here);
      made.setAttribute("aria-label",
        `${place(name, at, shapeOf(name))}: ${arrays[name][at]}${hit ? ", changed" : ""}`);
      made.addEventListener("click", () => pick(name, at));
      made.addEventListener("keydown", (event) => {
        const columns = shapeOf(name).at(-1);
        const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Enter: 0, " ": 0 };
        if (!(event.key in step)) return;
        event.preventDefault();
        if (find(`[data-cell="${name} ${at + step[event.key]}"]`)) pick(name, at + step[event.key]);
      });
      return made;
    }

    function show() {
      for (const [name, , shape] of NAMES) {
        const grid = find(`[data-name=${name}]`);
        grid.replaceChildren();
        for (let at = 0; at < arrays[name].length; at++) {
          if (at % shape.at(-1) === 0) {
            const row = document.createElement("div");
            row.setAttribute("role", "row");
            grid.append(row);
          }
          grid.lastElementChild.append(cell(name, at));
        }
        const said = find(`[data-verdict=${name}]`);
        said.textContent = verdict[name] ?? "";
        said.className = (verdict[name] ?? "").startsWith("✓") ? "right" : "missed";
      }
      find(".write").textContent = `Write: ${place(picked.name, picked.at, shapeOf(picked.name))} += 10`;
    }

    function pick(name, at) {
      picked = { name, at };
      changed = verdict = {};
      show();
      find(`[data-cell="${name} ${at}"]`).focus();
    }

    find(".write").addEventListener("click", () => {
      changed = write(arrays, picked.name, picked.at);
      verdict = {};
      let score = 0;
      for (const [name] of NAMES) {
        const did = changed[name].length > 0, guessed = find(`[data-guess=${name}]`).checked;
        score += did === guessed;
        verdict[name] = (did === guessed ? "✓ right: " : "✗ no: ") + (did ? "it changed" : "it did not");
      }
      const others = NAMES.map(([name]) => name)
        .filter((name) => name !== picked.name && changed[name].length);
      find(".said").textContent =
        `${place(picked.name, picked.at, shapeOf(picked.name))} was written. ` +
        (others.length ? `Changed with it: ${others.join(", ")}. They share its buffer, at this place. `
          : "No other name changed: it has a buffer of its own. ") +
        `Your prediction: ${score} of ${NAMES.length} right.`;
      show();
    });
    find(".again").addEventListener("click", () => {
      arrays = make();
      changed = verdict = {};
      el.querySelectorAll("input").forEach((box) => { box.checked = false; });
      find(".said").textContent = "Everything is as at the start.";
      show();
    });
    show();
  },
};
