// Slopes by nudging: one slider for h, the chord beside the tangent, the error on its V-curve.
// Every operation is rounded as NumPy rounds it, so the numbers are those of the chapter's cells.

const ROUND = { float64: (v) => v, float32: Math.fround };
const EPS = { float64: 2 ** -52, float32: 2 ** -23 };
const DIGITS = { float64: 16, float32: 8 };
const STEPS = Array.from({ length: 69 }, (_, i) => -17 + i / 4); // exponents of h
const FLOOR = 1e-16;

function curve(x, r) {
  return r(x / r(Math.sqrt(r(1 + r(x * x)))));
}

function trueSlope(x) {
  const s = 1 + x * x;
  return 1 / s / Math.sqrt(s);
}

// 10 ** exponent, a decimal number of two digits: 1e-5, 5.6e-6, 3.2e-6, 1.8e-6, 1e-6.
function size(exponent) {
  const whole = Math.floor(exponent);
  return Number(`${["1", "1.8", "3.2", "5.6"][Math.round(4 * (exponent - whole))]}e${whole}`);
}

function nudge({ x, h, method, dtype }) {
  const r = ROUND[dtype];
  const both = method === "central";
  const at = r(x);
  const right = r(at + r(h));
  const left = both ? r(at - r(h)) : at;
  const high = curve(right, r);
  const low = curve(left, r);
  const slope = r(r(high - low) / r(both ? 2 * h : h));
  return { at, left, right, low, high, slope, error: Math.abs(slope - trueSlope(at)) };
}

// How much of the error is the bend of the curve, and how much is rounding? Rough sizes of both.
function shares({ x, h, method, dtype }) {
  const s = 1 + x * x;
  const second = Math.abs(3 * x) / s ** 2.5;
  const third = Math.abs(12 * x * x - 3) / s ** 3.5;
  const bend = method === "central" ? (third * h * h) / 6 : (second * h) / 2;
  return { bend, rounding: (EPS[dtype] * Math.max(Math.abs(curve(x, (v) => v)), 0.1)) / h };
}

function agreeing(a, b, digits) {
  const [one, other] = [a.toFixed(digits), b.toFixed(digits)];
  let same = 0;
  while (same < one.length && one[same] === other[same]) same += 1;
  return [one, other, same];
}

function why(state, found) {
  if (found.left === found.right) return "x + h is x itself: nothing was nudged.";
  const { bend, rounding } = shares({ ...state, x: found.at });
  if (bend > 3 * rounding) return "The error is the bend of the curve: a smaller h helps.";
  if (rounding > 3 * bend) {
    return "The error is rounding: too few digits are left after the subtraction. A larger h helps.";
  }
  return "Bend and rounding are of one size here: about the best h there is.";
}

function brief(number) {
  return number === 0 ? "0" : number.toExponential(1).replace(".0e", "e").replace("e+0", "");
}

// Small helpers for HTML and SVG.

function make(tag, attributes = {}, ...children) {
  const inSvg = ["svg", "path", "line", "circle", "text", "g", "title", "rect"].includes(tag);
  const space = inSvg ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function path(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

const STYLE = `
.nudge .controls { display: flex; flex-wrap: wrap; gap: 6px 18px; align-items: center; }
.nudge label { display: flex; gap: 6px; align-items: center; }
.nudge input[type=range] { padding: 0; }
.nudge .h { flex: 1 1 320px; } .nudge .h input { flex: 1; }
.nudge output { min-width: 5em; font-weight: 600; }
.nudge .views { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0; }
.nudge svg { flex: 1 1 300px; min-width: 0; max-width: 460px; background: var(--panel);
  border-radius: 6px; }
.nudge svg text { font-size: 12px; fill: var(--ink); }
.nudge path { fill: none; stroke-width: 2; }
.nudge .grid { stroke: var(--line); stroke-width: .5; }
.nudge .same { color: var(--green); text-decoration: underline; }
.nudge .rest { color: var(--vermilion); font-weight: 700; }
.nudge td { padding: 0 12px 0 0; } .nudge p { margin: 4px 0; }
`;

// The curve, its tangent, and the line through the two nudged points.
function chordView(state, found) {
  const [width, height] = [400, 280];
  const sx = (x) => 20 + ((x + 3) / 6) * (width - 40);
  const sy = (y) => height / 2 - y * 95;
  const exact = (x) => curve(x, (v) => v);
  const f0 = exact(found.at);
  const across = Array.from({ length: 61 }, (_, i) => -3 + i / 10);
  const line = (slope, y0) => path([-3, 3].map((x) => [sx(x), sy(y0 + slope * (x - found.at))]));
  const dot = (x, y, fill) =>
    make("circle", { cx: sx(x), cy: sy(y), r: 5, fill, stroke: "var(--ink)" });
  const view = make(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img" },
    make("title", {}, `The chord has slope ${found.slope.toFixed(4)}, the tangent ` +
      `${trueSlope(found.at).toFixed(4)}`),
    make("path", { d: path(across.map((x) => [sx(x), sy(exact(x))])), stroke: "var(--ink)" }),
    make("path", { d: line(trueSlope(found.at), f0), stroke: "var(--green)",
      "stroke-dasharray": "7 5" }),
    make("path", { d: line(found.slope, found.low + found.slope * (found.at - found.left)),
      stroke: "var(--vermilion)" }),
    dot(found.left, found.low, "var(--paper)"),
    dot(found.right, found.high, "var(--vermilion)"),
    make("text", { x: 12, y: 22 }, "solid: the chord, through both dots"),
    make("text", { x: 12, y: 40 }, "dashed: the tangent, the true slope"),
  );
  return view;
}

// The error against h, both axes logarithmic; the slider's h is the large dot.
function errorView(state, found) {
  const [width, height] = [400, 280];
  const sx = (h) => 48 + ((Math.log10(h) + 17) / 17) * (width - 62);
  const sy = (e) => height - 34 - ((Math.log10(Math.max(e, FLOOR)) + 16) / 16.5) * (height - 50);
  const view = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" },
    make("title", {}, `At h ${brief(state.h)} the error is ${brief(found.error)}`));
  for (const e of [-16, -12, -8, -4, 0]) {
    const [x, y] = [sx(10 ** e), sy(10 ** e)];
    view.append(
      make("line", { x1: 48, x2: width - 14, y1: y, y2: y, class: "grid" }),
      make("line", { x1: x, x2: x, y1: 16, y2: height - 34, class: "grid" }),
      make("text", { x: 42, y: y + 4, "text-anchor": "end" }, e ? `1e${e}` : "1"),
      make("text", { x, y: height - 18, "text-anchor": "middle" }, e ? `1e${e}` : "1"),
    );
  }
  for (const [method, dash, color] of [["one-sided", "7 5", "blue"], ["central", "", "vermilion"]]) {
    const points = STEPS.map((step) => [sx(size(step)),
      sy(nudge({ ...state, method, h: size(step) }).error)]);
    view.append(make("path", { d: path(points), stroke: `var(--${color})`,
      "stroke-dasharray": dash }));
  }
  view.append(
    make("circle", { cx: sx(state.h), cy: sy(found.error), r: 7, fill: "var(--ink)" }),
    make("text", { x: width / 2, y: height - 4, "text-anchor": "middle" }, "h"),
    make("text", { x: 56, y: height - 58 }, "the error"),
    make("text", { x: 56, y: height - 42 }, "solid: central, dashed: one-sided"),
  );
  return view;
}

function numbersView(state, found) {
  const digits = DIGITS[state.dtype];
  const [high, low, same] = agreeing(found.high, found.low, digits);
  const row = (name, text) => make("tr", {}, make("td", {}, name), make("td", { class: "code" },
    make("span", { class: "same" }, text.slice(0, same)),
    make("span", { class: "rest" }, text.slice(same))));
  const other = state.method === "central" ? "f(x − h)" : "f(x)";
  return make("table", {}, row("f(x + h)", high), row(other, low));
}

function sentence(state, found) {
  return `h = ${brief(state.h)}: slope ${found.slope.toPrecision(8)}, true slope ` +
    `${trueSlope(found.at).toPrecision(8)}, error ${brief(found.error)}. ${why(state, found)}`;
}

function chosen(name, options, value) {
  const field = make("select", { name });
  for (const option of options) field.append(make("option", { value: option }, option));
  field.value = value;
  return field;
}

function render({ model, el }) {
  const range = (name, min, max, step, value) =>
    make("input", { type: "range", name, min, max, step, value });
  const h = range("h", -17, 0, 0.25, model.get("exponent"));
  const x = range("x", -2, 2, 0.1, model.get("x"));
  const method = chosen("method", ["one-sided", "central"], model.get("method"));
  const dtype = chosen("dtype", ["float64", "float32"], model.get("dtype"));
  const [hSays, xSays] = [make("output"), make("output")];
  const views = make("div", { class: "views" });
  const numbers = make("div");
  const status = make("p", { role: "status" });
  const labelled = (name, kind, ...parts) => make("label", { class: kind }, name, ...parts);

  function show() {
    const state = { x: Number(x.value), h: size(Number(h.value)), method: method.value,
      dtype: dtype.value };
    const found = nudge(state);
    hSays.textContent = brief(state.h);
    xSays.textContent = state.x.toFixed(1);
    h.setAttribute("aria-valuetext", `h is ${brief(state.h)}`);
    views.replaceChildren(chordView(state, found), errorView(state, found));
    numbers.replaceChildren(numbersView(state, found));
    status.textContent = sentence(state, found);
  }

  el.classList.add("nudge");
  el.append(
    make("style", {}, STYLE),
    make("div", { class: "controls" }, labelled("h", "h", h, hSays),
      labelled("way", "", method), labelled("numbers", "", dtype), labelled("x", "", x, xSays)),
    views,
    numbers,
    status,
  );
  for (const field of [h, x, method, dtype]) field.addEventListener("input", show);
  show();
}

export default { render, nudge };
