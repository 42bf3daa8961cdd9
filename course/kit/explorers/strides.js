// One line of memory, and the shape and strides through which a Tensor reads it.
// Type or press an operation: it makes a new view, or copies, or is refused, and says why.

const MOST = 96; // numbers that a view may show

const product = (sizes) => sizes.reduce((a, b) => a * b, 1);
const list = (values) => `(${values.join(", ")}${values.length === 1 ? "," : ""})`;

function inOrder(shape) {
  return shape.map((_, d) => product(shape.slice(d + 1).map((size) => Math.max(size, 1))));
}

// A layout: memory (values by cell), shape, stride and offset, both counted in cells.
function start(shape) {
  const memory = Array.from({ length: product(shape) }, (_, i) => i);
  return { memory, shape, stride: inOrder(shape), offset: 0 };
}

// Every index, in the order of reading: the last axis runs fastest.
function indices(shape) {
  return shape.reduce(
    (found, size) => found.flatMap((i) => Array.from({ length: size }, (_, k) => [...i, k])), [[]]);
}

const cell = (layout, index) =>
  index.reduce((at, i, d) => at + i * layout.stride[d], layout.offset);

function isContiguous({ shape, stride }) {
  const wanted = inOrder(shape);
  return product(shape) === 0 || shape.every((size, d) => size === 1 || stride[d] === wanted[d]);
}

function copied(layout) {
  const memory = indices(layout.shape).map((index) => layout.memory[cell(layout, index)]);
  return { memory, shape: layout.shape, stride: inOrder(layout.shape), offset: 0 };
}

class Refused extends Error {}

function refuse(why) {
  throw new Refused(why);
}

function axis(d, count) {
  if (!Number.isInteger(d) || d < -count || d >= count) {
    refuse(`There is no axis ${d}: there are ${count}, counted from 0, or from the end by -1.`);
  }
  return d < 0 ? d + count : d;
}

function filledIn(wanted, total) {
  const open = wanted.filter((size) => size === -1).length;
  if (open > 1) refuse("At most one size may be -1.");
  if (wanted.some((size) => !Number.isInteger(size) || size < -1)) refuse("A size is 0 or more.");
  const known = product(wanted.filter((size) => size !== -1));
  const sizes = wanted.map((size) => (size === -1 ? total / known : size));
  if (product(sizes) !== total || sizes.some((size) => !Number.isInteger(size))) {
    refuse(`${total} numbers do not fill the shape ${list(wanted)}.`);
  }
  return sizes;
}

// The rule of view: axes may be merged only where one step of the outer axis is as long as all
// steps of the inner ones together. Walks from the last axis, chunk by chunk.
function view(layout, wanted) {
  const { shape, stride } = layout;
  const sizes = filledIn(wanted, product(shape));
  if (isContiguous(layout)) return { ...layout, shape: sizes, stride: inOrder(sizes) };
  const made = [];
  let [chunk, taken, left, last] = [1, 1, sizes.length, shape.length - 1];
  let step = stride[shape.length - 1];
  for (let d = shape.length - 1; d >= 0; d -= 1) {
    chunk *= shape[d];
    const follows = d > 0 && (shape[d - 1] === 1 || stride[d - 1] === chunk * step);
    if (follows) continue;
    while (left > 0 && (taken < chunk || sizes[left - 1] === 1)) {
      left -= 1;
      made[left] = taken * step;
      taken *= sizes[left];
    }
    if (taken !== chunk) return unmergeable(layout, d, last);
    [chunk, taken, step, last] = [1, 1, stride[d - 1], d - 1];
  }
  return { ...layout, shape: sizes, stride: made };
}

// Axes d to last are one chunk; axis d - 1 does not go on where it ends.
function unmergeable({ shape, stride }, d, last) {
  const inner = product(shape.slice(d, last + 1)) * stride[last];
  const walk = d === last
    ? `axis ${d} takes ${shape[d]} steps of ${stride[d]}, together ${inner}`
    : `axes ${d} to ${last} together span ${inner}`;
  return refuse(
    `It would have to join axis ${d - 1} and axis ${d}. But one step along axis ${d - 1} goes ` +
    `${stride[d - 1]} in memory, and ${walk}. One stride could serve both only if these two ` +
    "were equal. reshape would copy; so does contiguous().");
}

function permute(layout, order) {
  const count = layout.shape.length;
  const axes = order.map((d) => axis(d, count));
  if (axes.length !== count || new Set(axes).size !== count) {
    refuse(`permute names each of the ${count} axes once.`);
  }
  const moved = (values) => axes.map((d) => values[d]);
  return { ...layout, shape: moved(layout.shape), stride: moved(layout.stride) };
}

function transpose(layout, dims) {
  const count = layout.shape.length;
  if (dims.length !== 2) refuse("transpose names two axes.");
  const order = layout.shape.map((_, d) => d);
  const [a, b] = dims.map((d) => axis(d, count));
  [order[a], order[b]] = [b, a];
  return permute(layout, order);
}

function expand(layout, wanted) {
  const extra = wanted.length - layout.shape.length;
  if (extra < 0) refuse("expand names at least as many sizes as there are axes.");
  const stride = wanted.map((size, d) => {
    const old = layout.shape[d - extra];
    if (d < extra) return size < 0 ? refuse("A new axis needs a size.") : 0;
    if (size === -1 || size === old) return layout.stride[d - extra];
    return old === 1 ? 0 : refuse(`Only an axis of size 1 can be repeated; axis ${d} has ${old}.`);
  });
  const shape = wanted.map((size, d) => (size === -1 ? layout.shape[d - extra] : size));
  return { ...layout, shape, stride };
}

function withAxis(layout, at) {
  const d = axis(at, layout.shape.length + 1);
  const put = (values, value) => [...values.slice(0, d), value, ...values.slice(d)];
  const step = d < layout.shape.length ? layout.shape[d] * layout.stride[d] : 1;
  return { ...layout, shape: put(layout.shape, 1), stride: put(layout.stride, step) };
}

function squeeze(layout, dims) {
  const gone = dims.map((d) => axis(d, layout.shape.length));
  const stays = layout.shape.map((size, d) => size !== 1 || (dims.length > 0 && !gone.includes(d)));
  const kept = (values) => values.filter((_, d) => stays[d]);
  return { ...layout, shape: kept(layout.shape), stride: kept(layout.stride) };
}

function bound(text, size, otherwise) {
  if (text === undefined || text.trim() === "") return otherwise;
  const i = Number(text);
  if (!Number.isInteger(i)) refuse(`'${text.trim()}' is no whole number.`);
  return Math.min(Math.max(i < 0 ? i + size : i, 0), size);
}

// One part of [..., ...]: a number takes the axis away, a slice keeps it.
function taken(part, size, d) {
  if (!part.includes(":")) {
    const i = Number(part);
    if (part === "" || !Number.isInteger(i)) refuse(`'${part}' is neither a number nor a slice.`);
    if (i < -size || i >= size) refuse(`Index ${i} is outside axis ${d}, which has ${size}.`);
    return { from: i < 0 ? i + size : i };
  }
  const [low, high, by] = part.split(":");
  const step = by === undefined || by.trim() === "" ? 1 : Number(by);
  if (!Number.isInteger(step) || step < 1) refuse("The step of a slice is 1 or more.");
  const from = bound(low, size, 0);
  return { from, step, size: Math.max(0, Math.ceil((bound(high, size, size) - from) / step)) };
}

function sliced(layout, parts) {
  if (parts.length > layout.shape.length) refuse("More indices than axes.");
  const [shape, stride] = [[], []];
  let { offset } = layout;
  layout.shape.forEach((size, d) => {
    const { from, step, size: count } = taken((parts[d] ?? ":").trim(), size, d);
    offset += from * layout.stride[d];
    if (step === undefined) return;
    shape.push(count);
    stride.push(step * layout.stride[d]);
  });
  return { ...layout, shape, stride, offset: product(shape) ? offset : layout.offset };
}

function reshape(layout, wanted) {
  filledIn(wanted, product(layout.shape));
  try {
    return view(layout, wanted);
  } catch (error) {
    return view(copied(layout), wanted);
  }
}

const OPERATIONS = {
  view, reshape, permute, transpose, expand, squeeze,
  t: (layout) => (layout.shape.length > 2 ? refuse("t() is for 2 axes.") : permute(layout,
    layout.shape.map((_, d) => d).reverse())),
  unsqueeze: (layout, [d]) => withAxis(layout, d),
  flatten: (layout) => reshape(layout, [-1]),
  contiguous: (layout) => (isContiguous(layout) ? layout : copied(layout)),
};

// Apply the text of one operation, such as "view(3, 2)" or "[:, 1:]". Throws Refused.
function apply(layout, text) {
  const bare = text.trim().replace(/^t(?=\.|\[)/, "").replace(/^\./, "");
  if (/^\[.*\]$/.test(bare)) return sliced(layout, bare.slice(1, -1).split(","));
  const [, name, inside] = bare.match(/^(\w+)\((.*)\)$/) ?? refuse(
    "Write an operation such as view(3, 2), transpose(0, 1) or [:, 1:].");
  if (!Object.hasOwn(OPERATIONS, name)) refuse(`This page does not know ${name}.`);
  const numbers = inside.replace(/[()[\]]/g, "").split(",").filter((part) => part.trim() !== "");
  const given = numbers.map((part) => Number(part.replace(/^\s*\w+\s*=/, "")));
  if (given.some((number) => !Number.isInteger(number))) refuse("Give whole numbers.");
  const made = OPERATIONS[name](layout, given);
  if (product(made.shape) > MOST) refuse(`That is more than ${MOST} numbers: too many to draw.`);
  return made;
}

// For tests: the layout after a row of operations, or why the last of them was refused.
function after({ shape, texts }) {
  let layout = start(shape);
  for (const text of texts) {
    try {
      layout = apply(layout, text);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { refused: error.message };
    }
  }
  const values = indices(layout.shape).map((index) => layout.memory[cell(layout, index)]);
  const { shape: now, stride, offset } = layout;
  return { shape: now, stride, offset, values, contiguous: isContiguous(layout) };
}

// The page.

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const STYLE = `
.strides .row { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 5px 0; }
.strides p { margin: 6px 0; }
.strides .facts { display: flex; flex-wrap: wrap; gap: 4px 22px; background: var(--panel);
  border-radius: 6px; padding: 6px 10px; }
.strides .facts b { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.strides .tables { display: flex; flex-wrap: wrap; gap: 4px 20px; min-height: 92px;
  align-items: flex-start; }
.strides .tables table { border-collapse: collapse; }
.strides caption { text-align: left; color: var(--soft); font-size: 12px; }
.strides .tables button { min-width: 36px; padding: 3px 4px; border-radius: 0; }
.strides .memory { display: flex; flex-wrap: wrap; gap: 8px 0; margin: 4px 0; }
.strides .memory button { min-width: 36px; padding: 0; border-radius: 0; }
.strides .memory small { display: block; color: var(--soft); border-bottom: 1px solid var(--line); }
.strides .unread { opacity: .45; border-style: dashed !important; }
.strides .chosen { outline: 3px solid var(--vermilion); outline-offset: -3px; font-weight: 700; }
.strides .also { outline: 3px dashed var(--vermilion); outline-offset: -3px; }
.strides .refused { border-left: 5px solid var(--vermilion); padding-left: 8px; }
.strides .done { border-left: 5px solid var(--green); padding-left: 8px; }
`;

const OFFERED = ["transpose(0, 1)", "view(3, 2)", "view(6)", "[:, 1:]", "[:, ::2]",
  "unsqueeze(0)", "expand(2, -1, -1)", "contiguous()", "reshape(6)"];

function said(text, before, now) {
  if (now.memory !== before.memory) return `${text}: copied into new memory, in the order of reading.`;
  if (now === before) return `${text}: nothing to do, it was in order already.`;
  const fresh = now.offset === before.offset ? "shape and stride" : "shape, stride and offset";
  return `${text}: the same memory; only ${fresh} are new.`;
}

const named = (index) => `t[${index.join(", ")}]`;

// The indices that read a cell.
const readers = (layout, at) => indices(layout.shape).filter((index) => cell(layout, index) === at);

function reads(layout, index) {
  const at = cell(layout, index);
  const sum = index.map((i, d) => `${i}·${layout.stride[d]}`).join(" + ");
  const others = readers(layout, at).filter((other) => String(other) !== String(index));
  const shown = others.slice(0, 4).map(named).join(" and ") + (others.length > 4 ? " and more" : "");
  return `${named(index)} reads cell ${layout.offset}${sum && ` + ${sum}`} = ${at}, which holds ` +
    `${layout.memory[at]}.${shown && ` It is also read by ${shown}.`}`;
}

// Tables of the numbers as they are indexed: the last two axes as rows and columns.
function tables(layout, choose) {
  const { shape } = layout;
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return indices(shape.slice(0, -2)).map((lead) => {
    const body = make("tbody");
    for (let r = 0; r < rows; r += 1) {
      const line = make("tr");
      for (let c = 0; c < columns; c += 1) {
        const index = [...lead, r, c].slice(-shape.length || Infinity);
        const at = cell(layout, index);
        line.append(make("td", {}, pointed(layout.memory[at], `index ${index.join(", ")}: ` +
          `${layout.memory[at]}`, { "data-index": index, "data-cell": at }, () => choose(at, index))));
      }
      body.append(line);
    }
    return make("table", {}, make("caption", {}, lead.length ? named(lead) : "t"), body);
  });
}

// A number that answers to the pointer and to the keyboard.
function pointed(content, label, about, call) {
  const button = make("button", { type: "button", tabindex: -1, "aria-label": label, ...about });
  button.append(...[content].flat());
  for (const event of ["mouseenter", "focus", "click"]) button.addEventListener(event, call);
  return button;
}

function memoryLine(layout, choose) {
  const read = new Set(indices(layout.shape).map((index) => cell(layout, index)));
  return layout.memory.map((value, at) => pointed([make("small", {}, at), String(value)],
    `cell ${at} holds ${value}`, { "data-cell": at, class: read.has(at) ? "" : "unread" },
    () => choose(at, readers(layout, at)[0])));
}

// Arrow keys walk over the numbers of a group; `width` to a row.
function walkable(group, width) {
  group.addEventListener("keydown", (event) => {
    const row = width();
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[event.key];
    if (!move) return;
    event.preventDefault();
    const all = [...group.querySelectorAll("button")];
    all[all.indexOf(document.activeElement) + move]?.focus();
  });
}

function render({ model, el }) {
  let past = [];
  const now = () => past.at(-1).layout;
  const shapes = model.get("shapes");
  const first = make("select", { name: "start" });
  shapes.forEach((shape, i) => first.append(make("option", { value: i }, list(shape))));
  const field = make("input", { name: "op", size: 22, placeholder: "view(3, 2)", autocomplete: "off",
    spellcheck: "false" });
  const [code, facts, boxes, line] = ["code", "div", "div", "div"].map((tag) => make(tag));
  facts.className = "facts";
  boxes.className = "tables";
  line.className = "memory";
  const status = make("p", { role: "status" });
  const which = make("p", { "aria-live": "polite" });

  // Mark a cell, the index that reads it, and any others that do.
  function choose(at, index) {
    for (const button of [...boxes.querySelectorAll("button"), ...line.children]) {
      const here = Number(button.dataset.cell) === at;
      const first = here && (button.dataset.index ?? String(index)) === String(index);
      button.classList.toggle("chosen", first);
      button.classList.toggle("also", here && !first);
      button.tabIndex = first || (here && !button.dataset.index) ? 0 : -1;
    }
    which.textContent = index ? reads(now(), index) : `No index reads cell ${at}.`;
  }

  function show(text, kind) {
    const layout = now();
    code.textContent = past.map((step) => step.text).join("");
    const fact = (name, value) => make("span", {}, `${name} `, make("b", {}, value));
    facts.replaceChildren(fact("shape", list(layout.shape)), fact("stride", list(layout.stride)),
      fact("offset", String(layout.offset)),
      fact("contiguous", isContiguous(layout) ? "yes" : "no"));
    boxes.replaceChildren(...tables(layout, choose));
    line.replaceChildren(...memoryLine(layout, choose));
    choose(layout.offset, indices(layout.shape)[0]);
    tell(text, kind);
    back.disabled = past.length === 1;
  }

  function tell(text, kind) {
    status.textContent = text;
    status.className = kind;
  }

  function run(text) {
    const before = now();
    try {
      const layout = apply(before, text);
      const bare = text.trim().replace(/^t(?=\.|\[)/, "");
      past.push({ layout, text: /^[.[]/.test(bare) ? bare : `.${bare}` });
      show(said(text.trim(), before, layout), "done");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(`${text.trim()} is refused. ${error.message}`, "refused");
    }
  }

  function reset() {
    const shape = shapes[Number(first.value)];
    const text = `t = arange(${product(shape)}).view${list(shape).replace(",)", ")")}`;
    past = [{ layout: start(shape), text }];
    show("Choose an operation, or type one and press Enter.", "done");
  }

  function undo() {
    past.pop();
    show("One step back.", "done");
  }

  const pressed = (text, call) => {
    const button = make("button", { type: "button" }, text);
    button.addEventListener("click", call);
    return button;
  };
  const back = pressed("Undo", undo);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && field.value.trim()) run(field.value);
  });
  walkable(boxes, () => now().shape.at(-1) ?? 1);
  walkable(line, () => 1);
  first.addEventListener("input", reset);

  el.classList.add("strides");
  el.append(
    make("style", {}, STYLE),
    make("div", { class: "row" }, make("label", {}, "start with ", first),
      make("label", {}, "then ", field), pressed("Apply", () => run(field.value)), back,
      pressed("Start over", reset)),
    make("div", { class: "row", role: "group", "aria-label": "operations to press" },
      ...OFFERED.map((text) => pressed(text, () => run(text)))),
    make("p", {}, code), facts, status, boxes, which,
    make("div", {}, "memory: cell numbers above, values below; dashed cells are not read"), line,
  );
  reset();
}

export default { render, after };
