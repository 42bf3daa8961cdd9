// Memory of a computation, step by step: the bytes alive in several runs, and the life of each
// buffer in one of them. The numbers were measured by minitensor.viz.memory.
const STYLE = `
  .row { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 4px 0; }
  .row label { display: inline-flex; gap: 6px; align-items: center; }
  input[type=range] { width: 260px; }
  svg { width: 100%; height: auto; display: block; }
  svg text { fill: var(--ink); font: 12px system-ui, "DejaVu Sans", sans-serif; }
  .soft { fill: var(--soft) !important; }
  .said { min-height: 4.4em; margin: 6px 0; padding: 6px 10px; border-left: 4px solid var(--blue);
    background: var(--panel); }
`;
const WIDTH = 820, LEFT = 170, RIGHT = 12, TOTALS = 150, LINE = 17;
const LOOKS = [["--blue", ""], ["--vermilion", "7 4"], ["--green", "2 3"], ["--purple", "9 3 2 3"]];
const bytes = (n) => n.toLocaleString("en-US");

// The life of each buffer: its name, bytes, and the first and last moment at which it was alive. A
// name that comes back after a pause, or with another size, is another buffer.
function lifelines({ moments }) {
  const found = [], open = {};
  moments.forEach(({ held }, at) => {
    for (const [name, size] of Object.entries(held)) {
      const last = open[name];
      if (last && last.to === at - 1 && last.bytes === size) last.to = at;
      else found.push((open[name] = { name, bytes: size, from: at, to: at }));
    }
  });
  return found;
}

export default {
  lifelines,
  render({ model, el }) {
    const runs = model.get("runs"), state = { run: 0, at: 0 };
    const most = Math.max(1, ...runs.flatMap((run) => run.moments.map((moment) => moment.bytes)));
    el.innerHTML = `<style>${STYLE}</style>
      <div class="row">
        <label>run <select>${runs.map((run, i) => `<option value="${i}">${run.name}</option>`).join("")}</select></label>
        <button class="back" aria-label="one step back">◀</button>
        <label>step <input type="range" min="0" step="1" value="0"></label>
        <button class="on" aria-label="one step on">▶</button>
        <button class="peak">go to the peak</button>
      </div>
      <div class="said" role="status" aria-live="polite"></div>
      <div class="picture"></div>`;
    const find = (selector) => el.querySelector(selector);
    const range = find("input");
    const current = () => runs[state.run];
    const longest = Math.max(...runs.map((run) => run.moments.length));
    const x = (at) => LEFT + ((WIDTH - LEFT - RIGHT) * at) / longest;
    const y = (n) => TOTALS - ((TOTALS - 24) * n) / most;

    // A line of steps: each moment is as wide as a step.
    const steps = ({ moments }) => moments.map(({ bytes: n }, at) =>
      `${at ? "L" : "M"}${x(at)},${y(n)}L${x(at + 1)},${y(n)}`).join("");

    function totals() {
      const lines = runs.map((run, i) => {
        const [color, dash] = LOOKS[i % LOOKS.length], chosen = i === state.run;
        return `<path d="${steps(run)}" fill="none" stroke="var(${color})" stroke-dasharray="${dash}"
          stroke-width="${chosen ? 3 : 1.5}"/>
          <line x1="6" x2="34" y1="${40 + 20 * i}" y2="${40 + 20 * i}" stroke="var(${color})"
            stroke-dasharray="${dash}" stroke-width="${chosen ? 3 : 1.5}"/>
          <text x="40" y="${44 + 20 * i}" font-weight="${chosen ? "bold" : "normal"}">${run.name}</text>`;
      });
      return `<text class="soft" x="6" y="16">bytes alive</text>
        <text class="soft" x="${LEFT}" y="14">${bytes(most)}</text>
        <line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(most)}" y2="${y(most)}" stroke="var(--line)"
          stroke-dasharray="1 3"/>
        <line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${TOTALS}" y2="${TOTALS}" stroke="var(--line)"/>
        ${lines.join("")}`;
    }

    function lives(all) {
      const { moments } = current();
      return all.map((life, i) => {
        const top = TOTALS + 14 + LINE * i, here = life.from <= state.at && state.at <= life.to;
        const back = moments[life.from].phase !== "forward";
        return `<text x="6" y="${top + 12}" font-weight="${here ? "bold" : "normal"}">${life.name}</text>
          <rect x="${x(life.from)}" y="${top + 2}" width="${x(life.to + 1) - x(life.from)}" height="${LINE - 5}"
            fill="${back ? "var(--panel)" : "var(--blue)"}" fill-opacity="${here || back ? 1 : 0.45}"
            stroke="${back ? "var(--vermilion)" : "var(--blue)"}" stroke-width="${here ? 2.5 : 1}"
            stroke-dasharray="${back ? "4 2" : ""}"/>`;
      }).join("");
    }

    function turn() {
      const { moments } = current(), first = moments.findIndex(({ phase }) => phase === "backward");
      return first < 0 ? "" : `<line x1="${x(first)}" x2="${x(first)}" y1="20" y2="${TOTALS}"
        stroke="var(--soft)" stroke-dasharray="2 4"/>
        <text class="soft" x="${x(first) + 4}" y="${TOTALS - 5}">backward begins</text>`;
    }

    function sentence() {
      const { moments } = current(), moment = moments[state.at];
      const held = Object.entries(moment.held).sort((a, b) => b[1] - a[1]);
      const all = held.map(([name, size]) => `${name} ${bytes(size)}`).join(", ");
      const what = moment.phase === "mark" ? moment.name : `${moment.phase}, ${moment.name} was made`;
      return `Step ${state.at + 1} of ${moments.length}: ${what}. ` +
        `Alive: ${bytes(moment.bytes)} bytes${all && `: ${all}`}.`;
    }

    function show() {
      const all = lifelines(current()), height = TOTALS + 24 + LINE * all.length;
      range.max = current().moments.length - 1;
      range.value = state.at;
      range.setAttribute("aria-valuetext", `step ${state.at + 1} of ${current().moments.length}`);
      find(".back").disabled = state.at === 0;
      find(".on").disabled = state.at === current().moments.length - 1;
      find(".said").textContent = sentence();
      find(".picture").innerHTML = `<svg viewBox="0 0 ${WIDTH} ${height}" role="img"
        aria-label="Bytes alive in each run, and a bar for the life of each buffer of the run chosen">
        <rect x="${x(state.at)}" y="18" width="${x(state.at + 1) - x(state.at)}" height="${height - 20}"
          fill="var(--orange)" fill-opacity="0.25" stroke="var(--orange)"/>
        ${totals()}${turn()}${lives(all)}</svg>`;
    }

    function go(at) {
      state.at = Math.max(0, Math.min(current().moments.length - 1, at));
      show();
    }
    range.addEventListener("input", () => go(Number(range.value)));
    find(".back").addEventListener("click", () => go(state.at - 1));
    find(".on").addEventListener("click", () => go(state.at + 1));
    find(".peak").addEventListener("click", () => {
      const sizes = current().moments.map((moment) => moment.bytes);
      go(sizes.indexOf(Math.max(...sizes)));
    });
    find("select").addEventListener("change", (event) => {
      state.run = Number(event.target.value);
      go(state.at);
    });
    show();
  },
};
