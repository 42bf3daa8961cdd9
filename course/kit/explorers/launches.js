// A queue of work for a device: give it work, wait or not, and see what a stopwatch on the host
// reads. The clock is virtual and counts milliseconds; the rules are those of
// minitensor.timing.FakeDevice, and so are the numbers.
const STYLE = `
  .row { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin: 4px 0; }
  .row label { display: inline-flex; gap: 6px; align-items: center; }
  .wide { overflow-x: auto; }
  svg { width: 100%; min-width: 640px; height: auto; display: block; }
  svg text { fill: var(--ink); font: 12px system-ui, "DejaVu Sans", sans-serif; }
  .said { min-height: 4.4em; margin: 6px 0; padding: 6px 10px; border-left: 4px solid var(--blue);
    background: var(--panel); }
  code { white-space: pre-wrap; }
`;
// What can be asked for: the line of code, and what it does to a device.
const ASKS = {
  matmul: ["y = x @ x", (device) => launch(device, "matmul", 4)],
  add: ["z = y + y", (device) => launch(device, "add", 1)],
  item: ["y[0].item()", (device) => copy(device, 0.5)],
  host: ["load the next batch", (device) => { busy(device, "load", 3); }],
  sync: ["synchronize()", (device) => wait(device)],
};

function busy(device, name, duration) {
  device.host.push({ name, from: device.now, to: device.now + duration });
  device.now += duration;
}

function wait(device) {
  if (device.free > device.now) {
    device.host.push({ name: "wait", from: device.now, to: device.free });
    device.now = device.free;
  }
}

function queue(device, name, called, duration) {
  const started = Math.max(device.now, device.free);
  device.free = started + duration;
  device.log.push({ name, called, returned: device.now, started, finished: device.free });
}

function launch(device, kernel, duration) {
  const called = device.now, compiles = !device.compiled.includes(kernel);
  if (compiles) device.compiled.push(kernel);
  busy(device, "launch", device.overhead + (compiles ? device.compiling : 0));
  queue(device, kernel, called, duration);
}

function copy(device, duration) {
  const called = device.now;
  busy(device, "launch", device.overhead);
  queue(device, "copy", called, duration);
  wait(device);
}

// Everything that happens after a list of asks: for the picture, and for tests.
function run({ asks, overhead, compiling }) {
  const device = { overhead, compiling, now: 0, free: 0, compiled: [], log: [], host: [] };
  for (const ask of asks) ASKS[ask][1](device);
  return device;
}

const WIDTH = 820, LEFT = 74, TOP = 26, HIGH = 34, GAP = 26;
const ms = (t) => `${Number(t.toFixed(2))} ms`;
const MOST = 24; // asks

export default {
  run,
  render({ model, el }) {
    const { overhead, compiling } = model.get("device"), state = { asks: [], compile: false };
    const buttons = Object.entries(ASKS).map(([name, [code]]) =>
      `<button data-ask="${name}"><code>${code}</code></button>`);
    el.innerHTML = `<style>${STYLE}</style>
      <div class="row">the program runs: ${buttons.join(" ")}</div>
      <div class="row"><button class="undo">Undo</button> <button class="again">Start again</button>
        <label><input type="checkbox" name="compile"> the first launch of each kernel compiles
        (${ms(compiling)})</label></div>
      <div class="said" role="status" aria-live="polite"></div>
      <div class="wide picture" tabindex="0" role="group" aria-label="time line, scrolls sideways"></div>`;
    const find = (selector) => el.querySelector(selector);

    function bar(x, y, from, to, text, [fill, stroke, dash]) {
      const wide = x(to) - x(from);
      return `<rect x="${x(from)}" y="${y}" width="${Math.max(wide, 1)}" height="${HIGH}" fill="${fill}"
          fill-opacity="0.3" stroke="${stroke}" stroke-dasharray="${dash}"><title>${text}, ${ms(to - from)}</title></rect>` +
        (wide > 8 * text.length ? `<text x="${x(from) + 4}" y="${y + HIGH / 2 + 4}">${text}</text>` : "");
    }

    function picture(device) {
      const end = Math.max(10, device.now, device.free) * 1.03;
      const x = (t) => LEFT + ((WIDTH - LEFT - 10) * t) / end;
      const late = x(device.now) > WIDTH - 90;
      const low = TOP + HIGH + GAP, bottom = low + HIGH + 8;
      const looks = { wait: ["none", "var(--soft)", "3 3"], load: ["var(--green)", "var(--green)", ""],
        launch: ["var(--orange)", "var(--orange)", ""] };
      const host = device.host.map(({ name, from, to }) =>
        bar(x, TOP, from, to, name === "wait" ? "waits" : name, looks[name]));
      const work = device.log.map(({ name, started, finished }) =>
        bar(x, low, started, finished, name, ["var(--blue)", "var(--blue)", name === "copy" ? "6 3" : ""]));
      const arrows = device.log.map(({ returned, started }) =>
        `<line x1="${x(returned)}" y1="${TOP + HIGH}" x2="${x(started)}" y2="${low}" stroke="var(--soft)"/>`);
      const step = [1, 2, 5, 10, 20, 50].find((size) => end / size < 14) ?? 100;
      const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i) =>
        `<line x1="${x(i * step)}" x2="${x(i * step)}" y1="${bottom}" y2="${bottom + 5}" stroke="var(--ink)"/>
        <text x="${x(i * step)}" y="${bottom + 18}" text-anchor="middle">${i * step}</text>`);
      return `<svg viewBox="0 0 ${WIDTH} ${bottom + 26}" role="img"
          aria-label="Time line in milliseconds: above the host, below the device; ${said(device)}">
        <text x="4" y="${TOP + HIGH / 2 + 4}">host</text><text x="4" y="${low + HIGH / 2 + 4}">device</text>
        <text x="4" y="${bottom + 18}">ms</text>
        <line x1="${LEFT}" x2="${WIDTH - 10}" y1="${bottom}" y2="${bottom}" stroke="var(--line)"/>
        ${arrows.join("")}${host.join("")}${work.join("")}${ticks.join("")}
        <line x1="${x(device.now)}" x2="${x(device.now)}" y1="12" y2="${bottom}" stroke="var(--vermilion)"
          stroke-width="2" stroke-dasharray="5 2"/>
        <text x="${x(device.now) + (late ? -4 : 4)}" y="16" text-anchor="${late ? "end" : "start"}">stopwatch</text></svg>`;
    }

    function said(device) {
      if (!device.log.length && !device.now) return "Nothing has happened yet. Choose what the program does.";
      const waited = device.host.filter(({ name }) => name === "wait").reduce((sum, w) => sum + w.to - w.from, 0);
      const worked = device.log.reduce((sum, one) => sum + one.finished - one.started, 0);
      const open = device.free > device.now
        ? `The device works until ${ms(device.free)}: what the stopwatch reads is not the time of the work. `
        : "The device has finished everything. ";
      return `The stopwatch on the host reads ${ms(device.now)}. ${open}` +
        `So far the device has ${ms(worked)} of work, and the host waited ${ms(waited)}.`;
    }

    function show() {
      const device = run({ asks: state.asks, overhead, compiling: state.compile ? compiling : 0 });
      find(".said").textContent = said(device) +
        (state.asks.length >= MOST ? " That is enough for one picture: start again." : "");
      find(".picture").innerHTML = picture(device);
      find(".undo").disabled = state.asks.length === 0;
      el.querySelectorAll("[data-ask]").forEach((one) => { one.disabled = state.asks.length >= MOST; });
    }

    el.querySelectorAll("[data-ask]").forEach((button) =>
      button.addEventListener("click", () => { state.asks.push(button.dataset.ask); show(); }));
    find(".undo").addEventListener("click", () => { state.asks.pop(); show(); });
    find(".again").addEventListener("click", () => { state.asks = []; show(); });
    find("input").addEventListener("change", (event) => { state.compile = event.target.checked; show(); });
    show();
  },
};
