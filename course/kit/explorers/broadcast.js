// Broadcasting, forward and back: choose two shapes and an operation, pick a cell, and see which
// cells it is copied to and whose shares add up in its gradient.
const STYLE = `
  .row { display: flex; flex-wrap: wrap; gap: 10px 22px; align-items: flex-start; margin: 8px 0; }
  .controls label { display: inline-flex; gap: 6px; align-items: center; }
  figure { margin: 0; } figcaption { color: var(--soft); margin-bottom: 3px; }
  [role=row] { display: flex; gap: 3px; margin-bottom: 3px; }
  .cell { box-sizing: border-box; width: 60px; white-space: nowrap; cursor: pointer; padding: 3px 4px; text-align: right; border: 1px solid var(--line);
    border-radius: 3px; background: var(--panel);
    font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
  .picked { border: 3px solid var(--blue); padding: 1px 2px; font-weight: bold; }
  .marked { border: 3px double var(--vermilion); padding: 1px 2px; }
  .marked::before { content: "• "; color: var(--vermilion); }
  .aligned { font-family: ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre; margin: 6px 0;
    overflow-x: auto; padding: 6px 10px; background: var(--panel); border-left: 4px solid var(--line); }
  .said { min-height: 4.4em; margin: 6px 0; padding: 6px 10px; border-left: 4px solid var(--blue);
    background: var(--panel); }
  h2 { font-size: 14px; margin: 10px 0 2px; }
`;

const count = (shape) => shape.reduce((a, b) => a * b, 1);
const text = (shape) => "(" + shape.join(", ") + (shape.length === 1 ? ",)" : ")");
const number = (x) => String(Math.round(x * 1e6) / 1e6);

// The broadcast shape of two, or which sizes do not fit, with PyTorch's words.
function broadcast(a, b) {
  const n = Math.max(a.length, b.length), shape = [];
  for (let i = 0; i < n; i++) {
    const p = a[a.length - n + i] ?? 1, q = b[b.length - n + i] ?? 1;
    if (p !== q && p !== 1 && q !== 1)
      return { error: `The size of tensor a (${p}) must match the size of tensor b (${q}) ` +
        `at non-singleton dimension ${i}` };
    shape.push(p === 1 ? q : p);
  }
  return { shape };
}

// The index, along each axis, of the flat position `at` in `shape`.
function indices(at, shape) {
  const found = [];
  for (let i = shape.length - 1; i >= 0; i--) {
    found.unshift(at % shape[i]);
    at = Math.floor(at / shape[i]);
  }
  return found;
}

// For each cell of the result, the flat position that it reads in an input of shape `small`.
function sources(small, large) {
  return Array.from({ length: count(large) }, (_, at) => {
    const full = indices(at, large).slice(large.length - small.length);
    return full.reduce((sum, i, axis) => sum * small[axis] + (small[axis] === 1 ? 0 : i), 0);
  });
}

// Everything that is shown, from the choices: forward, then backward with the shares of each cell.
function compute({ x, y, op, g }) {
  const { shape, error } = broadcast(x, y);
  if (error) return { error };
  const size = count(shape);
  const values = {
    x: Array.from({ length: count(x) }, (_, i) => i + 1),
    y: Array.from({ length: count(y) }, (_, i) => 10 * (i + 1)),
    g: Array.from({ length: size }, (_, i) => (g === "ones" ? 1 : i + 1)),
  };
  const from = { x: sources(x, shape), y: sources(y, shape) };
  const read = (name, at) => values[name][from[name][at]];
  values.out = values.g.map((_, at) =>
    op === "+" ? read("x", at) + read("y", at) : read("x", at) * read("y", at));
  const shares = {};
  for (const [name, other] of [["x", "y"], ["y", "x"]]) {
    shares[name] = values[name].map(() => []);
    from[name].forEach((to, at) => shares[name][to].push(
      { at, words: op === "+" ? number(values.g[at]) : `${number(values.g[at])}·${read(other, at)}`,
        value: values.g[at] * (op === "+" ? 1 : read(other, at)) }));
    values[name + ".grad"] = shares[name].map((all) => all.reduce((s, one) => s + one.value, 0));
  }
  const shapes = { x, y, out: shape, g: shape, "x.grad": x, "y.grad": y };
  return { shapes, values, from, shares };
}

// Why the way back sums: axis by axis, aligned on the right.
function aligned({ x, y }, out) {
  const n = Math.max(x.length, y.length);
  const line = (name, shape) => name.padEnd(4) + Array.from({ length: n }, (_, i) =>
    String(shape[shape.length - n + i] ?? "·").padStart(4)).join("");
  const back = (name, shape) => {
    const moves = Array.from({ length: n }, (_, i) => {
      const size = shape[shape.length - n + i];
      if (size === undefined) return `sum over axis ${i}, which is gone then`;
      return size === 1 && out[i] > 1 ? `sum over axis ${i}, keep the 1` : "";
    }).filter(Boolean);
    return `   back to ${name}: ${moves.join("; ") || "nothing was copied"}`;
  };
  return [line("x", x) + back("x", x), line("y", y) + back("y", y), line("out", out)].join("\n");
}

export default {
  compute,
  render({ model, el }) {
    const shapes = model.get("shapes");
    const state = { x: model.get("x"), y: model.get("y"), op: "+", g: "ones",
      picked: { name: "y", at: 0 } };
    el.innerHTML = `<style>${STYLE}</style>
      <div class="row controls">
        <label>shape of x <select data-name="x"></select></label>
        <label>operation <select data-name="op"><option>+</option><option>*</option></select></label>
        <label>shape of y <select data-name="y"></select></label>
        <label>g <select data-name="g"><option value="ones">1 everywhere</option>
          <option value="count">1, 2, 3, ...</option></select></label>
      </div>
      <div class="aligned" role="group" aria-label="shapes, aligned on the right"></div>
      <div class="said" role="status" aria-live="polite"></div>
      <h2>Forward: copied</h2><div class="row forward"></div>
      <h2>Backward: added</h2><div class="row backward"></div>`;
    const find = (selector) => el.querySelector(selector);
    for (const name of ["x", "y"]) {
      const select = find(`[data-name=${name}]`);
      shapes.forEach((shape, i) => select.add(new Option(text(shape), i)));
      select.selectedIndex = shapes.findIndex((shape) => text(shape) === text(state[name]));
    }
    el.querySelectorAll("select").forEach((select) => select.addEventListener("change", () => {
      const { name } = select.dataset;
      state[name] = name === "x" || name === "y" ? shapes[select.value] : select.value;
      if (state.picked.at >= count(state[state.picked.name[0]] ?? [])) state.picked = { name: "y", at: 0 };
      show();
    }));

    // Which cells the picked one is tied to: name -> set of positions.
    function marks({ from, shares }) {
      const { name, at } = state.picked, input = name[0];
      if (name === "out" || name === "g") {
        const both = { x: new Set([from.x[at]]), y: new Set([from.y[at]]) };
        return { ...both, out: new Set([at]), g: new Set([at]), "x.grad": both.x, "y.grad": both.y };
      }
      const copies = new Set(shares[input][at].map((share) => share.at));
      return { [input]: new Set([at]), [`${input}.grad`]: new Set([at]), out: copies, g: copies };
    }

    function sentence({ shapes: all, values, from, shares }) {
      const { name, at } = state.picked;
      const place = (which, i) => `${which}[${indices(i, all[which]).join(", ")}]`.replace("[]", "");
      if (name === "out" || name === "g")
        return `${place("out", at)} = ${place("x", from.x[at])} ${state.op} ${place("y", from.y[at])} ` +
          `= ${values.x[from.x[at]]} ${state.op} ${values.y[from.y[at]]} = ${values.out[at]}. ` +
          `It sends back a share of its g = ${values.g[at]} to each of the two.`;
      const input = name[0], own = shares[input][at];
      const times = own.length === 1 ? "1 cell" : `${own.length} cells`;
      return `${place(input, at)} = ${values[input][at]} is copied to ${times}: ` +
        `${own.map((share) => place("out", share.at)).join(", ")}. ` +
        `Its gradient: ${own.map((share) => share.words).join(" + ")}` +
        `${own.length > 1 || state.op === "*" ? " = " + number(values[input + ".grad"][at]) : ""}.`;
    }

    function grid(name, made, tied) {
      const shape = made.shapes[name], columns = shape.length ? shape[shape.length - 1] : 1;
      const holder = document.createElement("figure");
      holder.innerHTML = `<figcaption><code>${name}</code> ${text(shape)}</figcaption>
        <div role="grid" aria-label="${name}, shape ${text(shape)}; arrow keys pick a cell"></div>`;
      made.values[name].forEach((value, at) => {
        if (at % columns === 0) {
          const row = document.createElement("div");
          row.setAttribute("role", "row");
          holder.lastElementChild.append(row);
        }
        const cell = document.createElement("div"), { picked } = state;
        const here = picked.name === name && picked.at === at;
        const marked = !here && tied[name]?.has(at);
        cell.className = "cell" + (here ? " picked" : "") + (marked ? " marked" : "");
        cell.textContent = number(value);
        cell.dataset.cell = `${name} ${at}`;
        cell.tabIndex = here || (picked.name !== name && at === 0) ? 0 : -1;
        cell.setAttribute("role", "gridcell");
        cell.setAttribute("aria-selected", here);
        const where = indices(at, shape).join(", "), mark = marked ? ", marked" : "";
        cell.setAttribute("aria-label", `${name}${where && `[${where}]`}: ${number(value)}${mark}`);
        cell.addEventListener("click", () => pick(name, at));
        cell.addEventListener("keydown", (event) => move(event, name, at, columns));
        holder.lastElementChild.lastElementChild.append(cell);
      });
      return holder;
    }

    function move(event, name, at, columns) {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Enter: 0, " ": 0 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const to = `${name} ${at + steps[event.key]}`;
      if (find(`[data-cell="${to}"]`)) pick(name, at + steps[event.key]);
    }

    function pick(name, at) {
      state.picked = { name, at };
      show();
      find(`[data-cell="${name} ${at}"]`)?.focus();
    }

    function show() {
      const made = compute(state);
      const [forward, backward] = [find(".forward"), find(".backward")];
      forward.replaceChildren();
      backward.replaceChildren();
      find(".aligned").hidden = Boolean(made.error);
      find(".said").textContent = made.error ? `RuntimeError: ${made.error}` : sentence(made);
      if (made.error) return;
      find(".aligned").textContent = aligned(state, made.shapes.out);
      const tied = marks(made);
      for (const name of ["x", "y", "out"]) forward.append(grid(name, made, tied));
      for (const name of ["g", "x.grad", "y.grad"]) backward.append(grid(name, made, tied));
    }
    show();
  },
};
