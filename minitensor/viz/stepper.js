// The stepper: one picture whose boxes fill up, step by step, and a question before each step back.
// An anywidget module. Everything that is said comes with the data; this puts it on the screen.

const NEAR = 0.01; // how far a prediction may be from the right number, as a share of it
const PACE = 1400; // milliseconds between steps while it plays
const KINDS = { forward: "forward", start: "start of the way back", backward: "way back" };

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(text, says, act) {
  const made = make("button", { type: "button", title: says, "aria-label": says }, text);
  made.addEventListener("click", act);
  return made;
}

// A number as people type it: 0.5, 0,5, −2, 1e-3 or 1/3. NaN for anything else.
function typed(text) {
  const tidy = text.trim().replaceAll("−", "-").replaceAll(",", ".");
  const one = "[-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?";
  const found = tidy.match(new RegExp(`^(${one})(?:\\s*/\\s*(${one}))?$`));
  return found ? Number(found[1]) / (found[2] === undefined ? 1 : Number(found[2])) : NaN;
}

function near(value, wanted) {
  return Math.abs(value - wanted) <= NEAR * Math.abs(wanted) + 1e-9;
}

class Stepper {
  constructor(model, el) {
    this.model = model;
    for (const name of ["steps", "start", "boxes", "first", "title"]) this[name] = model.get(name);
    this.at = model.get("position");
    this.seen = this.at; // steps up to here were shown: they are not asked again
    this.tried = new Set(); // questions that were answered once
    this.build(el);
    this.show();
    model.on("change:position", () => {
      if (model.get("position") !== this.at) this.go(model.get("position"));
    });
  }

  build(el) {
    this.root = make("section", { class: "stepper", "aria-label": this.title });
    this.play = button("Play", "Play or pause (space)", () => this.toggle());
    this.back = button("Back", "One step back (left arrow)", () => this.go(this.at - 1));
    this.next = button("Next", "One step on (right arrow)", () => this.go(this.at + 1));
    this.slider = make("input", {
      type: "range", min: 0, max: this.steps.length, "aria-label": "step",
    });
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.count = make("span", { class: "count" });
    this.box = make("input", { type: "checkbox" });
    this.box.checked = this.model.get("predict");
    this.box.addEventListener("change", () => {
      this.seen = this.at;
      this.save({ predict: this.box.checked });
      this.show();
    });
    const bar = make(
      "div", { class: "bar", role: "toolbar", "aria-label": "steps" },
      button("Start", "To the start (Home)", () => this.go(0)), this.back, this.play, this.next,
      button("End", "To the end (End)", () => this.go(this.steps.length)),
      this.slider, this.count, make("label", {}, this.box, " predict first"),
    );
    this.say = make("p", { class: "say", role: "status", "aria-live": "polite" });
    this.scroll = make("div", {
      class: "scroll", tabindex: 0, role: "region", "aria-label": "graph; left and right step",
    });
    this.picture = el.querySelector("svg"); // the still picture that stood here
    this.scroll.append(this.picture);
    this.panel = make("dl", { class: "panel" });
    this.table = make("tbody");
    const key = make("p", { class: "key" },
      "▶ at work · ● receives · ? asked for · thick arrow: the gradient goes against it");
    this.root.append(bar, this.say, this.question(), this.scroll, key, this.panel, this.values());
    el.replaceChildren(this.root);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.fit();
  }

  question() {
    this.form = make("form", { class: "ask" });
    this.asked = make("span");
    this.field = make("input", { type: "text", inputmode: "decimal", autocomplete: "off" });
    const hint = button("Show the rule", "Show the rule, without numbers", () => this.hint());
    this.form.append(
      make("label", {}, this.asked, " ", this.field), make("button", {}, "Check (Enter)"), hint,
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.answer();
    });
    this.score = make("p", { class: "score" });
    return make("div", {}, this.form, this.score);
  }

  values() {
    const head = make("tr", {}, ...["box", "value", "gradient"].map((t) => make("th", { scope: "col" }, t)));
    return make("details", {}, make("summary", {}, "All values now"),
      make("table", {}, make("thead", {}, head), this.table));
  }

  // Wide pictures are made a little smaller, and then scrolled: text stays readable.
  fit() {
    const width = Number(this.picture.getAttribute("width"));
    const height = Number(this.picture.getAttribute("height"));
    const scale = Math.max(0.9, Math.min(1, (this.scroll.clientWidth - 4) / width));
    this.picture.style.width = width * scale + "px";
    this.picture.style.height = height * scale + "px";
  }

  get pending() {
    const step = this.steps[this.at];
    return this.box.checked && this.at >= this.seen && step && step.ask ? step : null;
  }

  go(at, said) {
    this.at = Math.max(0, Math.min(this.steps.length, at));
    this.seen = Math.max(this.seen, this.at);
    if (this.at === this.steps.length) this.pause();
    this.show(said);
    if (this.model.get("position") !== this.at) this.save({ position: this.at });
  }

  save(changes) {
    for (const [name, value] of Object.entries(changes)) this.model.set(name, value);
    this.model.save_changes();
  }

  toggle() {
    if (this.timer) return this.pause();
    if (this.at === this.steps.length) this.go(0);
    this.timer = setInterval(() => (this.pending ? this.pause() : this.go(this.at + 1)), PACE);
    this.play.textContent = "Pause";
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
  }

  key(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (target === this.field) return; // its keys are for typing
    const step = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: this.steps.length };
    if (key in step && target !== this.slider) this.go(step[key]);
    else if (key === " " && !target.matches("button, input[type=checkbox], summary")) this.toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  answer() {
    const step = this.pending;
    const value = typed(this.field.value);
    if (!step) return;
    if (Number.isNaN(value)) return this.tell("Type a number, such as 8, -0.5 or 1/3.", "");
    const right = near(value, step.want);
    const slip = right ? null : step.wrong.find(([, number]) => near(value, number));
    this.mark(right, slip);
    if (right) {
      this.field.value = "";
      this.go(this.at + 1, ["Right. " + step.say, "right"]);
      this.field.focus();
      return;
    }
    const hint = slip ? slip[2] : "What is the slope of this arrow, and what is there already?";
    this.tell("Not yet. " + hint + " Try again, or press Next to see it.", "wrong");
    this.field.select();
  }

  mark(right, slip) {
    const score = structuredClone(this.model.get("score"));
    if (!this.tried.has(this.at)) {
      score.asked += 1;
      score.right += right ? 1 : 0;
    }
    this.tried.add(this.at);
    if (!right) {
      const kind = slip ? slip[0] : "other";
      score.mistakes[kind] = (score.mistakes[kind] || 0) + 1;
    }
    this.save({ score });
    this.tally();
  }

  tally() {
    const { asked, right } = this.model.get("score");
    this.score.textContent = asked ? `Right at the first try: ${right} of ${asked}` : "";
  }

  hint() {
    const rule = this.pending && this.pending.rule;
    this.rows([["asked: rule", rule ? { math: rule } : "no formula is known for this one"]]);
    this.tell("The rule stands in the list below the graph.", "");
  }

  tell(text, kind) {
    this.say.className = "say " + kind;
    this.say.textContent = text;
  }

  // What the boxes hold after `at` steps.
  held(at) {
    const held = {};
    for (const [id, [title, value]] of Object.entries(this.start)) {
      held[id] = { title, value, grad: "", all: value && this.boxes[id].all, back: "" };
    }
    for (const { set } of this.steps.slice(0, at)) {
      if (!set) continue;
      if ("value" in set) Object.assign(held[set.id], { value: set.value, all: set.all });
      else Object.assign(held[set.id], { grad: "grad " + set.grad, back: set.all });
    }
    return held;
  }

  show(said) {
    const asked = this.pending;
    const step = this.at ? this.steps[this.at - 1] : null;
    const held = this.held(this.at);
    const [text, kind] = said || [step ? step.say : "Nothing is computed yet.", ""];
    this.tell(text, kind);
    this.draw(held, asked || step, asked);
    this.detail(step, asked);
    this.table.replaceChildren(...Object.values(held).map(({ title, all, back }) =>
      make("tr", {}, make("th", { scope: "row" }, title), make("td", {}, all), make("td", {}, back))));
    this.form.hidden = !this.box.checked;
    this.form.classList.toggle("idle", !asked); // keeps its room, so that nothing jumps
    this.asked.textContent = asked ? asked.ask : "";
    this.tally();
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", `${this.at} of ${this.steps.length}: ${text}`);
    this.count.textContent = `${this.at} / ${this.steps.length}`;
    this.back.disabled = this.at === 0;
    this.next.disabled = this.at === this.steps.length;
  }

  draw(held, step, asked) {
    const slopes = {};
    for (const { arrow, slope } of this.steps.slice(0, this.at)) if (slope) slopes[arrow] = slope;
    this.picture.querySelectorAll(".arrow").forEach((arrow, i) => {
      arrow.classList.toggle("now", Boolean(step) && step.arrow === i);
      arrow.querySelector(".slope").textContent = slopes[i] || "";
    });
    for (const box of this.picture.querySelectorAll(".box")) {
      const { id } = box.dataset;
      const now = Boolean(step) && step.box === id;
      const gets = Boolean(step) && step.to === id;
      box.classList.toggle("now", now);
      box.classList.toggle("gets", gets);
      const sign = now ? "▶ " : gets ? (asked ? "? " : "● ") : "";
      const texts = [sign + held[id].title, held[id].value, held[id].grad];
      box.querySelectorAll("text").forEach((text, i) => { text.textContent = texts[i]; });
    }
    for (const box of this.picture.querySelectorAll(".gets, .now")) this.follow(box);
    const done = Object.values(held).map(({ title, value, grad }) => [title, value, grad].filter(Boolean).join(", "));
    this.picture.setAttribute("aria-label", `${this.title}. ${done.join("; ")}`);
  }

  // Scroll the picture, and nothing else, until a box is in sight.
  follow(box) {
    const [inner, outer] = [box.getBoundingClientRect(), this.scroll.getBoundingClientRect()];
    const out = (low, high, from, to) => (low < from ? low - from - 20 : high > to ? high - to + 20 : 0);
    this.scroll.scrollBy(
      out(inner.left, inner.right, outer.left, outer.right),
      out(inner.top, inner.bottom, outer.top, outer.bottom),
    );
  }

  detail(step, asked) {
    const { kind, rule, numbers, sum, set, line } = step || {};
    const rows = step ? [[asked ? "just now" : "step", KINDS[kind]]] : [];
    if (rule) rows.push(["rule", { math: rule }]);
    if (numbers) rows.push(["with numbers", { math: numbers }]);
    if (sum) rows.push(["sum", { math: sum }]);
    if (set && !sum) rows.push(["in full", set.all]);
    if (asked && asked.line) rows.push(["asked: your line", make("code", {}, asked.line)]);
    else if (line && !asked) rows.push(["your line", make("code", {}, line)]);
    this.panel.replaceChildren();
    this.rows(rows);
  }

  rows(rows) {
    for (const [name, content] of rows) {
      const cell = make("dd");
      if (content.math) cell.innerHTML = content.math;
      else cell.append(content);
      const known = [...this.panel.children].find((c) => c.textContent === name);
      if (!known) this.panel.append(make("dt", {}, name), cell);
    }
  }
}

export default {
  render({ model, el }) {
    new Stepper(model, el);
  },
};
