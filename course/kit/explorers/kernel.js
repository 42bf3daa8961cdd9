// A picture and a kernel to paint; the windows, their columns and the output, worked out at once.

const zeros = (rows, columns) =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0));

// The picture with `padding` rows and columns of zeros on every side.
function padded(picture, padding) {
  const wide = zeros(picture.length + 2 * padding, picture[0].length + 2 * padding);
  picture.forEach((row, r) => row.forEach((v, c) => { wide[r + padding][c + padding] = v; }));
  return wide;
}

// { picture, kernel, stride, padding } -> output (rows), columns (one for each window, row by row)
// and, for each pixel, how many windows it is in.
function compute({ picture, kernel, stride, padding }) {
  const wide = padded(picture, padding);
  const size = kernel.length;
  const weights = kernel.flat();
  const starts = (length) =>
    Array.from({ length: Math.floor((length - size) / stride) + 1 }, (_, i) => i * stride);
  const [down, right] = [starts(wide.length), starts(wide[0].length)];
  const columns = down.flatMap((r) => right.map((c) =>
    wide.slice(r, r + size).flatMap((row) => row.slice(c, c + size))));
  const sums = columns.map((column) => column.reduce((sum, v, k) => sum + v * weights[k], 0));
  const output = down.map((_, i) => sums.slice(i * right.length, (i + 1) * right.length));
  const inside = (start, at) => start - padding <= at && at < start - padding + size;
  const count = (all, at) => all.filter((start) => inside(start, at)).length;
  const used = picture.map((row, r) => row.map((_, c) => count(down, r) * count(right, c)));
  return { output, columns, used };
}

// The page.

function make(tag, attributes = {}, ...children) {
  const space = ["svg", "rect", "title"].includes(tag)
    ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const STYLE = `
.kernel .row, .kernel .tables { display: flex; flex-wrap: wrap; gap: 6px 16px; margin: 6px 0; }
.kernel .row { align-items: center; } .kernel .tables { align-items: flex-start; }
.kernel table { border-collapse: collapse; }
.kernel caption { text-align: left; color: var(--soft); padding-bottom: 3px; }
.kernel td { padding: 0; }
.kernel td button { width: 38px; height: 28px; min-width: 0; padding: 0; border-radius: 0;
  touch-action: none; }
.kernel td.zero { width: 38px; height: 28px; text-align: center; color: var(--soft);
  border: 1px dashed var(--line); }
.kernel input[type=number] { width: 52px; height: 30px; padding: 2px; text-align: right; }
.kernel .ink { background: var(--ink); color: var(--paper); }
.kernel .plus { background: color-mix(in srgb, var(--vermilion) 35%, var(--paper)); }
.kernel .minus { background: color-mix(in srgb, var(--blue) 35%, var(--paper)); }
.kernel .seen { outline: 3px solid var(--vermilion); outline-offset: -3px; }
.kernel .shares { outline: 3px dashed var(--green); outline-offset: -3px; }
.kernel svg { display: block; width: 100%; background: var(--panel); }
.kernel p { margin: 6px 0; }
.kernel [role=status] { min-height: 2.9em; }
`;

const signed = (v) => String(v).replace("-", "−");

// A table of buttons that arrow keys walk over. call(row, column) when one is chosen. Around it
// stand `edge` rows and columns of zeros, which cannot be chosen.
function grid(name, rows, call, about, edge = 0) {
  const body = make("tbody");
  const zero = (r, c) => make("td", { class: "zero", "data-at": `${r} ${c}` }, "0");
  const zerosFrom = (r, from, to) =>
    Array.from({ length: to - from }, (_, i) => zero(r, from + i));
  const wide = rows[0].length + edge;
  const outside = (from, to) => Array.from({ length: to - from }, (_, i) =>
    make("tr", {}, ...zerosFrom(from + i, -edge, wide)));
  rows.forEach((row, r) => {
    const line = make("tr");
    row.forEach((value, c) => {
      const button = make("button", { type: "button", tabindex: r + c ? -1 : 0, "data-at": `${r} ${c}`,
        "aria-label": `${name} ${r}, ${c}: ${value}`, ...about(value, r, c) }, signed(value));
      for (const event of ["focus", "mouseenter"]) {
        button.addEventListener(event, () => call(r, c, event));
      }
      line.append(make("td", {}, button));
    });
    line.prepend(...zerosFrom(r, -edge, 0));
    line.append(...zerosFrom(r, row.length, wide));
    body.append(line);
  });
  body.prepend(...outside(-edge, 0));
  body.append(...outside(rows.length, rows.length + edge));
  const table = make("table", { "data-name": name }, make("caption", {}, name), body);
  table.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const at = event.target.dataset.at;
    if (!move[event.key] || !at) return;
    event.preventDefault();
    const [r, c] = at.split(" ").map((v, d) => Number(v) + move[event.key][d]);
    table.querySelector(`button[data-at="${r} ${c}"]`)?.focus();
  });
  return table;
}

// All windows as the columns of a table, drawn small; the chosen one is outlined.
function columnTable(columns, chosen, shares) {
  const [width, height] = [10, 12];
  const tall = columns[0].length;
  const view = make("svg", { role: "img", viewBox: `0 0 ${Math.max(columns.length, 64) * width} ${
    tall * height}` }, make("title", {}, `The table of columns, ${tall} × ${columns.length}`));
  columns.forEach((column, n) => column.forEach((value, k) => {
    const fill = value ? "var(--ink)" : "var(--paper)";
    view.append(make("rect", { x: n * width + 0.5, y: k * height + 0.5, width: width - 1,
      height: height - 1, fill, stroke: "var(--line)", "stroke-width": 0.5 }));
  }));
  const around = (n, colour, dash) => view.append(make("rect", { x: n * width + 1, y: 1, fill: "none",
    width: width - 2, height: tall * height - 2, stroke: `var(--${colour})`, "stroke-width": 2,
    "stroke-dasharray": dash }));
  shares.forEach((n) => around(n, "green", "6 4"));
  if (chosen !== null) around(chosen, "vermilion", "");
  return view;
}

const kind = (value) => (value > 0 ? "plus" : value < 0 ? "minus" : "");

function sumOf(column, weights) {
  const terms = column.map((v, k) => [v, weights[k]]).filter(([v, w]) => v && w);
  const written = terms.map(([v, w]) => `${v}·${w < 0 ? `(${signed(w)})` : w}`).join(" + ");
  return written || "only products with 0";
}

function chooser(name, options, value) {
  const field = make("select", { name });
  for (const option of options) field.append(make("option", { value: option }, String(option)));
  field.value = value;
  return make("label", {}, `${name} `, field);
}

function render({ model, el }) {
  const [pictures, kernels] = [model.get("pictures"), model.get("kernels")];
  const copy = (table) => table.map((row) => [...row]);
  const state = { picture: copy(Object.values(pictures)[0]),
    kernel: copy(Object.values(kernels)[0]), stride: 1, padding: 0 };
  const lists = { picture: pictures, kernel: kernels };
  let found = compute(state);
  let painting = null; // the value that a drag with the pointer paints
  const tables = make("div", { class: "tables" });
  const strip = make("div");
  const status = make("p", { role: "status" });
  const count = make("p");

  // Mark one window (number n), or all the windows of one pixel.
  function mark(n, pixel) {
    const { stride, padding, kernel, output } = state.shown;
    const wide = output[0].length;
    const shares = pixel ? windowsOf(...pixel) : [];
    for (const cell of tables.querySelectorAll("[data-at]")) {
      const [r, c] = cell.dataset.at.split(" ").map(Number);
      const { name } = cell.closest("table").dataset;
      const [top, left] = [Math.floor(n / wide) * stride - padding, (n % wide) * stride - padding];
      const within = r >= top && r < top + kernel.length && c >= left && c < left + kernel.length;
      const here = name === "output" ? r * wide + c : -1;
      cell.classList.toggle("seen", n !== null && (name === "output" ? here === n : within));
      cell.classList.toggle("shares", shares.includes(here)
        || (name === "picture" && pixel?.join() === `${r},${c}`));
    }
    strip.replaceChildren(columnTable(found.columns, n, shares));
  }

  function windowsOf(r, c) {
    const { stride, padding, kernel, output } = state.shown;
    const meets = (i, at) => i * stride - padding <= at && at < i * stride - padding + kernel.length;
    return output.flatMap((row, i) => row.map((_, j) => [i, j]))
      .filter(([i, j]) => meets(i, r) && meets(j, c)).map(([i, j]) => i * output[0].length + j);
  }

  function chooseOutput(i, j) {
    const n = i * found.output[0].length + j;
    mark(n, null);
    status.textContent = `output[${i}, ${j}] is column ${n} times the kernel: ` +
      `${sumOf(found.columns[n], state.kernel.flat())} = ${signed(found.output[i][j])}.`;
  }

  function choosePixel(r, c) {
    mark(null, [r, c]);
    const times = found.used[r][c];
    status.textContent = `Pixel ${r}, ${c} holds ${state.picture[r][c]}. It is in ${times} ` +
      `window${times === 1 ? "" : "s"}: its gradient adds up ${times} ` +
      `share${times === 1 ? "" : "s"}. Enter or click paints it.`;
  }

  function paint(r, c, value) {
    state.picture[r][c] = value;
    show();
    tables.querySelector(`[data-name=picture] button[data-at="${r} ${c}"]`).focus();
  }

  function pictureTable() {
    const about = (value) => ({ class: value ? "ink" : "" });
    const table = grid("picture", state.picture, (r, c, event) => {
      const drags = painting !== null && event === "mouseenter";
      if (drags && state.picture[r][c] !== painting) paint(r, c, painting);
      else choosePixel(r, c);
    }, about, state.padding);
    const place = (event) => event.target.dataset?.at?.split(" ").map(Number);
    table.addEventListener("pointerdown", (event) => {
      if (!place(event)) return;
      event.preventDefault();
      const [r, c] = place(event);
      event.target.releasePointerCapture?.(event.pointerId);
      painting = 1 - state.picture[r][c];
      paint(r, c, painting);
    });
    table.addEventListener("keydown", (event) => {
      if (![" ", "Enter"].includes(event.key) || !place(event)) return;
      event.preventDefault();
      const [r, c] = place(event);
      paint(r, c, 1 - state.picture[r][c]);
    });
    return table;
  }

  function kernelTable() {
    const body = make("tbody");
    state.kernel.forEach((row, r) => {
      const line = make("tr");
      row.forEach((value, c) => {
        const field = make("input", { type: "number", name: `w${r}${c}`, value, min: -9, max: 9,
          step: 1, "aria-label": `kernel ${r}, ${c}` });
        field.addEventListener("input", () => {
          if (field.value === "" || !Number.isFinite(Number(field.value))) return;
          state.kernel[r][c] = Number(field.value);
          showOutput();
        });
        line.append(make("td", {}, field));
      });
      body.append(line);
    });
    return make("table", {}, make("caption", {}, "kernel"), body);
  }

  const outputTable = () =>
    grid("output", found.output, chooseOutput, (value) => ({ class: kind(value) }));

  function recompute() {
    found = compute(state);
    state.shown = { ...state, output: found.output };
    const [rows, width] = [found.output.length, found.output[0].length];
    count.textContent = `Output: ${rows} × ${width}. Columns: ${found.columns[0].length} × ` +
      `${found.columns.length}, one for each window. Filled is 1, empty 0.`;
  }

  function showOutput() {
    recompute();
    tables.querySelector("[data-name=output]").replaceWith(outputTable());
    chooseOutput(0, 0);
  }

  function show() {
    recompute();
    tables.replaceChildren(pictureTable(), kernelTable(), outputTable());
    chooseOutput(0, 0);
  }

  const bar = make("div", { class: "row" },
    chooser("picture", Object.keys(pictures), Object.keys(pictures)[0]),
    chooser("kernel", Object.keys(kernels), Object.keys(kernels)[0]),
    chooser("stride", [1, 2, 3], 1), chooser("padding", [0, 1, 2], 0));
  bar.addEventListener("input", ({ target: { name, value } }) => {
    state[name] = lists[name] ? copy(lists[name][value]) : Number(value);
    show();
  });
  document.addEventListener("pointerup", () => { painting = null; });
  el.classList.add("kernel");
  el.append(make("style", {}, STYLE), bar, tables, status, count, strip);
  show();
}

export default { render, compute };
