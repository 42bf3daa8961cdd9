"""The interactive pages of chapters, in a real browser, as a learner without a kernel has them.

A new page gets a row in PAGES, and tests of its own if it computes something.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from kit.data import digits
from kit.figures import ch05, ch08, ch10
from test_browser import browser, screenshot  # noqa: F401  a fixture

import minitensor as mt
from minitensor import viz
from minitensor.timing import FakeDevice
from minitensor.viz.page import page as whole_page

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).resolve().parent.parent / "course" / "kit" / "explorers"


class Page(NamedTuple):
    """An explorer, its data, and what its status line says after keys were pressed in a field."""

    name: str
    data: dict
    field: str  # CSS
    keys: list
    says: str


NUDGE = {"x": 0.7, "exponent": 0, "method": "central", "dtype": "float64"}
STRIDES = {"shapes": [[2, 3], [3, 4], [2, 3, 4]]}
PAGES = [
    Page("nudge", NUDGE, "input[name=h]", ["ArrowLeft"] * 20, "h = 1e-5: slope 0.54982008, true"),
    Page("nudge", NUDGE, "input[name=h]", ["Home"], "nothing was nudged"),
    Page("nudge", NUDGE, "select[name=method]", ["ArrowUp"], "slope 0.28847187"),
    Page("nudge", NUDGE, "input[name=x]", ["Home"], "slope 0.1"),
    Page("strides", STRIDES, "input[name=op]", [*"[:, 1:]", "Enter"], "the same memory"),
    Page("strides", STRIDES, "input[name=op]", [*"view(4)", "Enter"], "6 numbers do not fill"),
    Page("strides", STRIDES, "select[name=start]", ["ArrowDown"], "Choose an operation"),
]
KERNEL = {
    "pictures": {"seven": (digits()[0][7] > 0.4).astype(int).tolist()},
    "kernels": {"upright edges": [[-1, 0, 1]] * 3, "sum": [[1] * 3] * 3},
}
BROADCAST = {"shapes": ch05.SHAPES, "x": [4, 3], "y": [3]}
PAGES += [
    Page(
        "broadcast",
        BROADCAST,
        '[data-cell="y 0"]',
        ["ArrowRight"],
        "Its gradient: 1 + 1 + 1 + 1 = 4",
    ),
    Page("broadcast", BROADCAST, '[data-cell="out 0"]', ["Enter"], "x[0, 0] + y[0] = 1 + 10 = 11"),
    Page("broadcast", BROADCAST, "select[data-name=y]", ["Home"], "y = 10 is copied to 12 cells"),
    Page("broadcast", BROADCAST, "select[data-name=y]", ["ArrowDown"], "must match the size"),
    Page(
        "broadcast", BROADCAST, "select[data-name=op]", ["ArrowDown"], "1·1 + 1·4 + 1·7 + 1·10 = 22"
    ),
]


def measured(retain):
    """What viz.memory saw of a small training step, as the explorer gets it."""
    x, w = mt.ones(8, 4), mt.ones(4, 4, requires_grad=True)
    with viz.memory({"w": w}) as m:
        (x @ w).exp().relu().sum().backward(retain_graph=retain)
    return [moment._asdict() for moment in m.moments]


MEMORY = {"runs": [{"name": "train", "moments": measured(False)},
                   {"name": "retain_graph", "moments": measured(True)}]}  # fmt: skip
PEAK = max(moment["bytes"] for moment in MEMORY["runs"][0]["moments"])
PAGES += [
    Page("aliases", {}, "button.write", ["Enter"], "Changed with it: t, n, v, d. They share"),
    Page("aliases", {}, "[data-guess=c]", ["Space", "Shift+Tab"], "Pick a cell"),
    Page(
        "memory",
        MEMORY,
        "input[type=range]",
        ["ArrowRight"],
        "Step 2 of 9: forward, exp 1 was made",
    ),
    Page("memory", MEMORY, "button.on", ["Enter"] * 3, "forward, sum 1 was made. Alive: 260 bytes"),
    Page("memory", MEMORY, "button.peak", ["Enter"], f"Alive: {PEAK} bytes"),
]
RACE = {"start": [-7, 2], "rates": ch10.RATES, "step": 40}
PAGES += [
    Page("race", RACE, "input[name=step]", ["Home"], "SGD (rate 0.9) 6.5, momentum (rate 0.1) 6.5"),
    Page("race", RACE, "input[name='rate SGD']", ["ArrowRight"] * 2, "at the start: SGD."),
    Page("race", RACE, "input[name='run Adam']", ["Space"], "RMSprop (rate 0.2) under 0.000001."),
    Page("race", RACE, "input[name='start x']", ["End"], "SGD (rate 0.9) 0.0017"),
    Page("race", RACE, "button", ["Enter"], "Loss after 40 steps"),
]
ON_PICTURE, ON_OUTPUT = "[data-name=picture] button", "[data-name=output] button"
PAGES += [
    Page("kernel", KERNEL, ON_PICTURE, ["ArrowRight"], "Pixel 0, 1 holds 0. It is in 2 windows"),
    Page("kernel", KERNEL, ON_PICTURE, ["Enter"], "Pixel 0, 0 holds 1. It is in 1 window:"),
    Page("kernel", KERNEL, ON_OUTPUT, ["ArrowDown"], "column 6 times the kernel: 1·1 + 1·1 = 2."),
    Page("kernel", KERNEL, "select[name=padding]", ["ArrowDown"], "column 0 times the kernel"),
    Page("kernel", KERNEL, "[name=w02]", ["ArrowUp", "Tab"], "1·2 + 1·1 = 3."),
]
LAUNCHES = {"device": ch08.DEVICE}
PAGES += [
    Page("launches", LAUNCHES, "[data-ask=matmul]", ["Enter"], "The device works until 4.5 ms"),
    Page(
        "launches", LAUNCHES, "[data-ask=matmul]", ["Enter", *["Tab"] * 4, "Enter"], "reads 4.5 ms"
    ),
    Page("launches", LAUNCHES, "[data-ask=item]", ["Enter"], "and the host waited 0.5 ms"),
    Page("launches", LAUNCHES, "[data-ask=sync]", ["Enter", "Enter"], "Nothing has happened yet"),
]
NAMES = sorted({row.name for row in PAGES})
each_page = pytest.mark.parametrize("row", [next(r for r in PAGES if r.name == n) for n in NAMES],
                                    ids=NAMES)  # fmt: skip

NAMELESS = """() => [...document.querySelectorAll('button, input, select, svg, table, [tabindex]')]
  .filter(e => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
  .map(e => e.outerHTML.slice(0, 80))"""
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
CALL = """async ([text, name, given]) => {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const tool = (await import(url)).default;
  return given.map((one) => tool[name](one));
}"""


def text_of(name):
    return (FOLDER / f"{name}.js").read_text(encoding="utf-8")


@pytest.fixture
def show(browser):  # noqa: F811
    """A function that opens an explorer's page; whatever it complains of or asks for fails."""
    opened, wrong = [], []

    def open_page(row, scheme="light", width=860):
        page = browser.new_page(viewport={"width": width, "height": 600}, color_scheme=scheme)
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: wrong.append(r.url))
        opened.append(page)
        page.set_content(whole_page(text_of(row.name), row.data, title=row.name))
        page.wait_for_selector("[role=status]")
        return page

    yield open_page
    for page in opened:
        page.close()
    assert wrong == []


@pytest.fixture(scope="module")
def call(browser):  # noqa: F811
    """A function that calls what a module exports, by name, on each of a list of arguments."""
    page = browser.new_page()
    yield lambda module, name, given: page.evaluate(CALL, [text_of(module), name, given])
    page.close()


@pytest.mark.parametrize("row", PAGES, ids=lambda row: f"{row.name}-{row.says[:12]}")
def test_a_page_answers_the_keyboard(show, row):
    page = show(row)
    page.focus(row.field)
    for key in row.keys:
        page.keyboard.press(key)
    assert row.says in page.inner_text("[role=status]")


@each_page
def test_every_part_has_a_name_and_every_field_is_reached_by_tab(show, row):
    page = show(row)
    assert page.evaluate(NAMELESS) == []
    fields = "button:not(:disabled, [tabindex='-1']), input, select"
    for _ in range(page.locator(f"{fields}, [tabindex='0']").count() + 5):
        page.keyboard.press("Tab")
        page.evaluate("() => { document.activeElement.dataset.met = '1'; }")
    missed = [field for field in page.locator(fields).all() if not field.get_attribute("data-met")]
    assert [field.evaluate("e => e.outerHTML") for field in missed] == []


@each_page
def test_it_follows_the_theme_and_fits_a_narrow_window(show, row, tmp_path):
    colours = {}
    for scheme in ("light", "dark"):
        page = show(row, scheme, width=420)
        assert page.evaluate(TOO_WIDE) <= 0
        colours[scheme] = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        screenshot(page, f"{row.name}-{scheme}", tmp_path)
    assert colours["light"] != colours["dark"]


def test_every_explorer_is_tested():
    assert {path.stem for path in FOLDER.glob("*.js")} == set(NAMES)


# nudge: the very numbers of NumPy.


def squash(x):
    return x / np.sqrt(1 + x * x)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", ["one-sided", "central"])
def test_nudge_computes_what_numpy_computes(call, dtype, method):
    sizes = [float(f"{digits}e-{k}") for k in range(18) for digits in (1, 5.6, 3.2, 1.8)]
    cases = [(x, h) for x in (0.7, -1.9, 0.0) for h in sizes]
    given = [{"x": x, "h": h, "method": method, "dtype": dtype} for x, h in cases]
    for (x, h), found in zip(cases, call("nudge", "nudge", given), strict=True):
        at = np.dtype(dtype).type(x)
        left, width = (at - h, 2 * h) if method == "central" else (at, h)
        slope = (squash(at + h) - squash(left)) / width
        assert (found["high"], found["low"]) == (squash(at + h), squash(left))
        assert found["slope"] == slope
        assert abs(found["error"] - abs(float(slope) - (1 + float(at) ** 2) ** -1.5)) < 1e-15


# broadcast: values and gradients of the engine, for every pair of shapes.


@pytest.mark.parametrize("op", ["+", "*"])
@pytest.mark.parametrize("upstream", ["ones", "count"])
def test_broadcast_computes_what_the_engine_computes(call, op, upstream):
    pairs = [(x, y) for x in ch05.SHAPES for y in ch05.SHAPES]
    given = [{"x": x, "y": y, "op": op, "g": upstream} for x, y in pairs]
    fitted = 0
    for (one, two), found in zip(pairs, call("broadcast", "compute", given), strict=True):
        x = (mt.arange(float(np.prod(one))) + 1).reshape(one).requires_grad_()
        y = (mt.arange(float(np.prod(two))) * 10 + 10).reshape(two).requires_grad_()
        if "error" in found:
            with pytest.raises(RuntimeError) as refused:
                x + y
            assert str(refused.value).startswith(found["error"])
            continue
        out = x + y if op == "+" else x * y
        g = (
            mt.ones(out.shape)
            if upstream == "ones"
            else mt.arange(out.numel()).reshape(out.shape) + 1
        )
        out.backward(g.to(mt.float32))
        fitted += 1
        assert found["shapes"]["out"] == list(out.shape)
        for name, t in (("out", out), ("x.grad", x.grad), ("y.grad", y.grad)):
            assert found["values"][name] == t.flatten().tolist()
    assert fitted > len(pairs) / 2


# strides: the very layouts of minitensor, and refusals where it refuses.

OPS = ["view(-1)", "view(2, 3)", "view(3, 2)", "view(4, 3)", "view(2, -1)", "view(2, 6, 2)",
       "reshape(-1)", "reshape(3, -1)", "transpose(0, 1)", "transpose(-1, -2)", "t()",
       "permute(1, 0)", "permute(2, 0, 1)", "unsqueeze(0)", "unsqueeze(-1)", "squeeze()",
       "squeeze(0)", "expand(2, 2, 3)", "expand(4, 3)", "contiguous()", "flatten()", "[1]",
       "[:, 1:]", "[:, ::2]", "[-1, :2]", "[:, :1]", "[0:2]"]  # fmt: skip


def by_minitensor(shape, texts):
    """Return what `after` in strides.js returns, worked out by minitensor."""
    t = mt.arange(int(np.prod(shape))).view(*shape)
    for text in texts:
        try:
            t = eval(f"t{text if text.startswith('[') else '.' + text}", {"t": t})
        except (RuntimeError, IndexError):
            return "refused"
    steps = [s for s, size in zip(t.stride(), t.shape, strict=True) if size > 1]
    return list(t.shape), steps, t.flatten().tolist(), t.is_contiguous()


def by_page(found):
    if "refused" in found:
        return "refused"
    steps = [s for s, n in zip(found["stride"], found["shape"], strict=True) if n > 1]
    return found["shape"], steps, found["values"], found["contiguous"]


def test_strides_makes_what_minitensor_makes(call):
    draw = np.random.default_rng(0)
    shapes = [(2, 3), (3, 4), (2, 3, 4), (6,), (1, 3), (2, 1, 3)]
    given = [
        {"shape": shape, "texts": list(draw.choice(OPS, draw.integers(1, 5)))}
        for shape in shapes
        for _ in range(150)
    ]
    found = [by_page(one) for one in call("strides", "after", given)]
    wanted = [by_minitensor(**one) for one in given]
    differing = [x for x in zip(given, found, wanted, strict=True) if x[1] != x[2]]
    assert differing == []
    assert 100 < wanted.count("refused") < 700


REFUSALS = {
    ((2, 3), ("t()", "view(6)")): "one step along axis 0 goes 1 in memory, and axis 1 takes 2 "
    "steps of 3, together 6",
    ((2, 3, 4), ("transpose(0, 1)", "view(6, 4)")): "one step along axis 0 goes 4 in memory, and "
    "axis 1 takes 2 steps of 12, together 24",
    ((2, 3, 4), ("[:, :2]", "view(-1)")): "one step along axis 0 goes 12 in memory, and axes 1 to "
    "2 together span 8",
    ((2, 3), ("view(4)",)): "6 numbers do not fill the shape (4,)",
    ((2, 3), ("view(-1, -1)",)): "At most one size",
    ((2, 3), ("transpose(0, 2)",)): "There is no axis 2",
    ((2, 3), ("permute(0, 0)",)): "each of the 2 axes once",
    ((2, 3), ("expand(4, 3)",)): "Only an axis of size 1",
    ((2, 3), ("expand(-1, 2, 3)",)): "A new axis needs a size",
    ((2, 3), ("expand(99, 2, 3)",)): "too many to draw",
    ((2, 3), ("[5]",)): "Index 5 is outside axis 0",
    ((2, 3), ("[0, 0, 0]",)): "More indices than axes",
    ((2, 3), ("[x]",)): "neither a number nor a slice",
    ((2, 3), ("view(a)",)): "whole numbers",
    ((2, 3), ("sort()",)): "does not know sort",
    ((2, 3), ("hello",)): "Write an operation",
}


def test_strides_says_why_it_refuses(call):
    given = [{"shape": shape, "texts": texts} for shape, texts in REFUSALS]
    for found, says in zip(call("strides", "after", given), REFUSALS.values(), strict=True):
        assert says in found["refused"]


def test_an_index_is_walked_by_the_arrow_keys(show):
    page = show(Page("strides", STRIDES, "", [], ""))
    page.focus("[aria-label^='index 0, 0']")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert "t[1, 2] reads cell 0 + 1·3 + 2·1 = 5, which holds 5." in page.inner_text("#root")
    page.click("text=unsqueeze(0)")
    page.click("text=expand(2, -1, -1)")
    page.focus("[aria-label^='index 1, 0, 1']")
    assert "1·0 + 0·3 + 1·1 = 1, which holds 1. It is also read by t[0, 0, 1]." in page.inner_text(
        "#root"
    )
    page.focus("[aria-label='cell 1 holds 1']")
    page.keyboard.press("ArrowRight")
    assert "t[0, 0, 2] reads cell 0 + 0·0 + 0·3 + 2·1 = 2" in page.inner_text("#root")
    assert page.locator(".also").count() == 1
    page.fill("input[name=op]", "[:, :, 1:]")
    page.press("input[name=op]", "Enter")
    page.hover("[aria-label='cell 3 holds 3']")
    assert "No index reads cell 3." in page.inner_text("#root")
    page.click("text=Undo")
    page.click("text=Undo")
    assert page.inner_text("code") == "t = arange(6).view(2, 3).unsqueeze(0)"


# aliases: the values that NumPy and the engine have after the same writes.

ALIASES = {
    "n": lambda t: t.numpy(), "v": lambda t: t.view(2, 2), "p": lambda t: t[1:3],
    "d": lambda t: t.detach(), "k": lambda t: t.clone(), "f": lambda t: t[[1, 2]],
}  # fmt: skip


def test_aliases_change_as_in_memory(call):
    rng = np.random.default_rng(0)
    names = ["a", "t", "c", *ALIASES]
    sizes = [2 if name in "pf" else 4 for name in names]
    picks = [rng.integers(0, len(names), 6) for _ in range(30)]
    writes = [[(names[i], int(rng.integers(sizes[i]))) for i in row] for row in picks]
    for written, found in zip(writes, call("aliases", "compute", writes), strict=True):
        a = np.array([1, 2, 3, 4], np.float32)
        t = mt.from_numpy(a)
        held = {"a": a, "t": t, "c": mt.tensor(a), **{n: make(t) for n, make in ALIASES.items()}}
        flat = {name: x.reshape(-1) for name, x in held.items()}
        for name, at in written:
            flat[name][at] += 10
        assert found == {name: x.tolist() for name, x in flat.items()}


def test_aliases_tell_a_right_prediction_from_a_wrong_one(show):
    page = show(next(row for row in PAGES if row.name == "aliases"))
    page.focus('[data-cell="c 0"]')
    page.keyboard.press("ArrowRight")
    page.check("[data-guess=c]")
    page.click("button.write")
    assert "No other name changed" in page.inner_text("[role=status]")
    assert "9 of 9 right" in page.inner_text("[role=status]")
    page.click('[data-cell="p 1"]')
    page.click("button.write")
    assert page.inner_text("[data-verdict=v]") == "✗ no: it changed"
    assert page.inner_text("[data-verdict=k]") == "✓ right: it did not"
    assert page.inner_text('[data-cell="v 2"]') == "13"
    page.click("button.again")
    assert page.inner_text('[data-cell="v 2"]') == "3"


# memory: the life of each buffer.


def test_lifelines_cover_exactly_the_moments_at_which_a_buffer_was_alive(call):
    for run, lives in zip(MEMORY["runs"], call("memory", "lifelines", MEMORY["runs"]), strict=True):
        for at, moment in enumerate(run["moments"]):
            alive = {one["name"]: one["bytes"] for one in lives if one["from"] <= at <= one["to"]}
            assert alive == moment["held"]
        assert {one["name"] for one in lives} >= {"exp 1", "gradient of w"}


def test_a_name_that_comes_back_has_two_lives(call):
    held = [{"x": 4}, {}, {"x": 4}, {"x": 8}]
    (lives,) = call("memory", "lifelines", [{"moments": [{"held": one} for one in held]}])
    assert [(one["from"], one["to"], one["bytes"]) for one in lives] == [
        (0, 0, 4), (2, 2, 4), (3, 3, 8),
    ]  # fmt: skip


# race: the places that minitensor.optim visits.

OPTIMISERS = {
    "SGD": lambda p, rate: mt.optim.SGD([p], rate),
    "momentum": lambda p, rate: mt.optim.SGD([p], rate, momentum=0.9),
    "RMSprop": lambda p, rate: mt.optim.RMSprop([p], rate),
    "Adam": lambda p, rate: mt.optim.Adam([p], rate),
}


def visited(optimiser, rate, start, steps):
    p = mt.tensor(start, dtype=mt.float64, requires_grad=True)
    optimizer, path = OPTIMISERS[optimiser](p, rate), [p.tolist()]
    for _ in range(steps):
        optimizer.zero_grad()
        ch10.valley(p).backward()
        optimizer.step()
        path.append(p.tolist())
    return path


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_racers_step_as_the_optimisers_do(call, optimiser):
    rates = [0.001, 0.05, 0.3, 0.9, 1.01]
    given = [
        {"optimiser": optimiser, "rate": rate, "start": start, "steps": 30}
        for rate in rates
        for start in ([-7.0, 2.0], [0.5, -3.0], [8.0, 0.0])
    ]
    for one, path in zip(given, call("race", "run", given), strict=True):
        np.testing.assert_allclose(path, visited(**one), rtol=1e-9, atol=1e-9, err_msg=str(one))


def test_a_click_on_the_map_moves_the_start(show):
    page = show(next(row for row in PAGES if row.name == "race"))
    box = page.locator("svg").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    assert page.input_value("input[name='start x']") == "4.5"  # 4.25, to the slider's next notch
    assert page.input_value("input[name='start y']") == "1.75"  # 1.85
    page.focus("input[name=step]")
    page.keyboard.press("Home")
    assert "SGD (rate 0.9) 4.1," in page.inner_text("[role=status]")


# kernel: output, columns and counts are those of conv2d, unfold and fold.


def test_kernel_computes_what_the_engine_computes(call):
    draw, functional = np.random.default_rng(0), mt.nn.functional
    given = [
        {"picture": draw.integers(0, 2, shape).tolist(), "stride": stride, "padding": padding,
         "kernel": draw.integers(-9, 10, (3, 3)).tolist()}
        for shape in ((8, 8), (5, 7), (3, 3)) for stride in (1, 2, 3) for padding in (0, 1, 2)
    ]  # fmt: skip
    for one, found in zip(given, call("kernel", "compute", given), strict=True):
        x, w = (mt.tensor(one[k], dtype=mt.float32)[None, None] for k in ("picture", "kernel"))
        how = {"stride": one["stride"], "padding": one["padding"]}
        columns = functional.unfold(x, 3, **how)
        used = functional.fold(mt.ones_like(columns), x.shape[2:], 3, **how)
        assert found["output"] == functional.conv2d(x, w, **how)[0, 0].tolist()
        assert found["columns"] == columns[0].T.tolist()
        assert found["used"] == used[0, 0].tolist()


def test_kernel_is_painted_and_shows_the_window_of_an_output(show):
    page = show(next(row for row in PAGES if row.name == "kernel"))
    page.focus("[data-name=output] button")
    assert page.locator("[data-name=picture] .seen").count() == 9
    page.focus("[data-name=picture] [aria-label^='picture 3, 3']")
    assert page.locator("[data-name=output] .shares").count() == 9
    before = page.inner_text("[data-name=picture]")
    page.keyboard.press("Space")
    assert page.inner_text("[data-name=picture]") != before
    page.mouse.move(0, 0)
    page.hover("[data-name=picture] [aria-label^='picture 7, 0']")
    page.mouse.down()
    page.hover("[data-name=picture] [aria-label^='picture 7, 1']")
    page.mouse.up()
    assert page.inner_text("[data-name=picture] tr:last-child").split()[:2] == ["1", "1"]
    page.fill("[name=w11]", "5")
    page.focus("[data-name=output] button")
    page.select_option("select[name=padding]", "1")
    assert "Output: 8 × 8. Columns: 9 × 64" in page.inner_text("#root")
    assert page.locator("[data-name=picture] .zero").count() == 10 * 10 - 8 * 8


# launches: the times of FakeDevice.

MATMUL, ADD, COPY, LOAD = 4.0, 1.0, 0.5, 3.0  # milliseconds, as in launches.js
ASKED = {
    "matmul": lambda gpu: gpu.launch("matmul", MATMUL),
    "add": lambda gpu: gpu.launch("add", ADD),
    "item": lambda gpu: gpu.copy(COPY),
    "host": lambda gpu: gpu.work(LOAD),
    "sync": lambda gpu: gpu.synchronize(),
}


def test_launches_take_the_times_of_the_fake_device(call):
    rng = np.random.default_rng(0)
    asks = [list(rng.choice(list(ASKED), rng.integers(0, 12))) for _ in range(100)]
    device = {"overhead": 0.5, "compiling": 3.0}
    given = [{"asks": row, **device} for row in asks]
    for row, found in zip(asks, call("launches", "run", given), strict=True):
        gpu = FakeDevice(**device, bandwidth=1.0)
        for ask in row:
            ASKED[ask](gpu)
        assert found["now"] == gpu.now()
        assert [list(one.values()) for one in found["log"]] == [
            [one.name, one.called, one.returned, one.started, one.finished] for one in gpu.log
        ]
        if found["host"]:
            assert [one["from"] for one in found["host"][1:]] == [
                one["to"] for one in found["host"][:-1]
            ]
            assert found["host"][-1]["to"] == gpu.now()


def test_compiling_is_paid_once_for_each_kernel(show):
    page = show(Page("launches", LAUNCHES, "", [], ""))
    page.check("[name=compile]")
    for ask in ("matmul", "matmul", "add"):
        page.click(f"[data-ask={ask}]")
    assert "reads 7.5 ms" in page.inner_text("[role=status]")
    page.click("button.undo")
    assert "reads 4 ms. The device works until 11.5 ms" in page.inner_text("[role=status]")
    page.click("button.again")
    assert "Nothing has happened yet" in page.inner_text("[role=status]")


def test_the_words_of_launches_are_what_the_page_says(call):
    given = [["matmul"], ["matmul", "sync"], ["matmul", "host"], ["matmul", "item", "host"]]
    found = call(
        "launches", "run", [{"asks": one, "overhead": 0.5, "compiling": 0} for one in given]
    )
    assert [one["now"] for one in found] == [0.5, 4.5, 3.5, 8.0]
    assert found[0]["free"] == 4.5
    for number in ("0.5 ms", "4.5 ms", "3.5 ms", "8 ms"):
        assert number in ch08.WORDS
