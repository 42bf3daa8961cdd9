// Optimisers racing down one valley: choose who runs, each one's rate, and where all start.
// Every step is the one of minitensor.optim on float64 Tensors; tests compare the two.

const VALLEY = {
  loss: ([x, y]) => (x * x) / 20 + y * y,
  slopes: ([x, y]) => [x / 10, 2 * y],
};
const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 1.01, 1.2, 2];
const STEPS = 80;
const SIZE = { width: 760, height: 330, x: 8.5, y: 3.7 }; // x and y: how far the map reaches

// Each rule takes the parameter p, its gradient g, the state s kept from step to step, the rate,
// and the number of the step, from 1. It returns the new p. All of them work on one number.
const RULES = {
  SGD: (p, g, s, rate) => p - rate * g,
  momentum: (p, g, s, rate) => {
    s.buffer = 0.9 * (s.buffer ?? 0) + g;
    return p - rate * s.buffer;
  },
  RMSprop: (p, g, s, rate) => {
    s.square = 0.99 * (s.square ?? 0) + (1 - 0.99) * g * g;
    return p - (rate * g) / (Math.sqrt(s.square) + 1e-8);
  },
  Adam: (p, g, s, rate, step) => {
    s.mean = 0.9 * (s.mean ?? 0) + (1 - 0.9) * g;
    s.square = 0.999 * (s.square ?? 0) + (1 - 0.999) * g * g;
    const mean = s.mean / (1 - 0.9 ** step);
    const square = s.square / (1 - 0.999 ** step);
    return p - (rate * mean) / (Math.sqrt(square) + 1e-8);
  },
};
const LOOKS = {
  SGD: ["blue", "", "●"],
  momentum: ["vermilion", "8 4", "■"],
  RMSprop: ["green", "2 4", "▲"],
  Adam: ["purple", "10 3 2 3", "◆"],
};

// The places an optimiser visits: steps + 1 pairs [x, y], the first being the start.
function run({ optimiser, rate, start, steps }) {
  const rule = RULES[optimiser];
  const state = start.map(() => ({}));
  const path = [start];
  for (let step = 1; step <= steps; step += 1) {
    const at = path[step - 1];
    const slopes = VALLEY.slopes(at);
    path.push(at.map((p, i) => rule(p, slopes[i], state[i], rate, step)));
  }
  return path;
}

function brief(number) {
  if (!(number < 1e6)) return "over a million";
  if (number < 1e-6) return "under 0.000001";
  return number >= 100 ? number.toFixed(0) : String(Number(number.toPrecision(2)));
}

function make(tag, attributes = {}, ...children) {
  const inSvg = ["svg", "path", "ellipse", "text", "title"].includes(tag);
  const space = inSvg ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const across = (x) => ((x + SIZE.x) / (2 * SIZE.x)) * SIZE.width;
const down = (y) => ((SIZE.y - y) / (2 * SIZE.y)) * SIZE.height;
const far = (value, most) => Math.max(-most, Math.min(most, value)); // also tames Infinity

const STYLE = `
.race .row { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; margin: 3px 0; }
.race label { display: inline-flex; gap: 6px; align-items: center; }
.race input[type=range] { padding: 0; width: 150px; min-width: 0; }
.race .name { min-width: 9.5em; } .race output { min-width: 3.2em; font-weight: 600; }
.race svg { width: 100%; height: auto; background: var(--panel); border-radius: 6px;
  cursor: crosshair; display: block; }
.race ellipse { fill: none; stroke: var(--line); stroke-width: .8; }
.race svg text { font-size: 15px; fill: var(--ink); }
.race path { fill: none; stroke-width: 2.2; }
.race p { margin: 6px 0; padding: 6px 10px; background: var(--panel); min-height: 3em;
  border-left: 4px solid var(--blue); }
`;

function map(racers, start, step) {
  const words = racers.map(({ name, path }) => `${name} at loss ${brief(VALLEY.loss(path[step]))}`);
  const view = make("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img" },
    make("title", {}, `The valley from above, after ${step} steps: ${words.join(", ")}`));
  for (const level of [0.05, 0.3, 1, 2, 3.5, 6, 9, 13]) {
    const [rx, ry] = [Math.sqrt(20 * level), Math.sqrt(level)];
    view.append(make("ellipse", { cx: across(0), cy: down(0), rx: across(rx) - across(0),
      ry: down(0) - down(ry) }));
  }
  for (const { name, path } of racers) {
    const [color, dash, mark] = LOOKS[name];
    const points = path.slice(0, step + 1).map(([x, y]) =>
      [across(far(x, 99)), down(far(y, 99))]);
    const line = points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
    const [x, y] = points[step];
    view.append(
      make("path", { d: line.join(""), stroke: `var(--${color})`, "stroke-dasharray": dash }),
      make("text", { x, y: y + 5, "text-anchor": "middle", style: `fill: var(--${color})` }, mark),
    );
  }
  view.append(make("text", { x: across(start[0]), y: down(start[1]) + 5,
    "text-anchor": "middle" }, "✕"));
  return view;
}

function sentence(racers, step) {
  if (!racers.length) return "Nobody runs. Tick an optimiser.";
  const found = racers.map(({ name, rate, path }) => ({ name, rate, now: VALLEY.loss(path[step]),
    before: VALLEY.loss(path[0]) }));
  const said = found.map(({ name, rate, now }) => `${name} (rate ${rate}) ${brief(now)}`);
  const best = found.reduce((a, b) => (b.now < a.now ? b : a));
  const lost = found.filter(({ now, before }) => !(now <= before)).map(({ name }) => name);
  return `Loss after ${step} steps: ${said.join(", ")}.` +
    (step && found.length > 1 ? ` Ahead: ${best.name}.` : "") +
    (lost.length ? ` Higher than at the start: ${lost.join(", ")}.` : "");
}

function range(name, min, max, step, value) {
  return make("input", { type: "range", name, min, max, step, value });
}

function lane(name, rate) {
  const on = make("input", { type: "checkbox", name: `run ${name}` });
  on.checked = true;
  const field = range(`rate ${name}`, 0, RATES.length - 1, 1, RATES.indexOf(rate));
  const says = make("output");
  const [color, , mark] = LOOKS[name];
  const sign = make("span", { style: `color: var(--${color})`, "aria-hidden": "true" }, mark);
  const row = make("div", { class: "row" }, make("label", { class: "name" }, on, sign, name),
    make("label", {}, "rate", field, says));
  return { name, on, row, field, says, rate: () => RATES[Number(field.value)] };
}

function render({ model, el }) {
  const lanes = Object.entries(model.get("rates")).map(([name, rate]) => lane(name, rate));
  const [x, y] = model.get("start");
  const startX = range("start x", -8, 8, 0.5, x);
  const startY = range("start y", -3, 3, 0.25, y);
  const steps = range("step", 0, STEPS, 1, model.get("step"));
  const play = make("button", { type: "button", name: "play" }, "Play");
  const picture = make("div");
  const status = make("p", { role: "status" });
  let timer = null;

  function show() {
    const start = [Number(startX.value), Number(startY.value)];
    const step = Number(steps.value);
    for (const one of lanes) {
      one.says.textContent = one.rate();
      one.field.setAttribute("aria-valuetext", `rate ${one.rate()}`);
    }
    const racers = lanes.filter(({ on }) => on.checked).map(({ name, rate }) => ({ name,
      rate: rate(), path: run({ optimiser: name, rate: rate(), start, steps: STEPS }) }));
    picture.replaceChildren(map(racers, start, step));
    status.textContent = sentence(racers, step);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (Number(steps.value) === STEPS) steps.value = 0;
    play.textContent = "Stop";
    timer = setInterval(() => {
      steps.value = Number(steps.value) + 1;
      show();
      if (Number(steps.value) === STEPS) stop();
    }, 120);
    show();
  });
  picture.addEventListener("click", (event) => {
    const box = picture.firstChild.getBoundingClientRect();
    startX.value = ((event.clientX - box.left) / box.width) * 2 * SIZE.x - SIZE.x;
    startY.value = SIZE.y - ((event.clientY - box.top) / box.height) * 2 * SIZE.y;
    show();
  });
  el.classList.add("race");
  el.append(
    make("style", {}, STYLE),
    ...lanes.map(({ row }) => row),
    make("div", { class: "row" }, make("label", {}, "start x", startX),
      make("label", {}, "start y", startY)),
    make("div", { class: "row" }, play, make("label", {}, "step", steps)),
    picture,
    status,
  );
  for (const field of el.querySelectorAll("input")) field.addEventListener("input", show);
  show();
}

export default { render, run };
