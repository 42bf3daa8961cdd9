"""The interactive pages of chapters, in a real browser, as a learner without a kernel has them.

A new page gets a row in PAGES, and tests of its own if it computes something.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from kit.figures import ch05
from test_browser import browser, screenshot  # noqa: F401  a fixture

import minitensor as mt
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
PAGES = [
    Page("nudge", NUDGE, "input[name=h]", ["ArrowLeft"] * 20, "h = 1e-5: slope 0.54982008, true"),
    Page("nudge", NUDGE, "input[name=h]", ["Home"], "nothing was nudged"),
    Page("nudge", NUDGE, "select[name=method]", ["ArrowUp"], "slope 0.28847187"),
    Page("nudge", NUDGE, "input[name=x]", ["Home"], "slope 0.1"),
]
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


@pytest.fixture
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
    fields = "button:not(:disabled), input, select"
    for _ in range(page.locator(fields).count() + 5):
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
@pytest.mark.parametrize("x", [0.7, -1.9, 0.0])
def test_nudge_computes_what_numpy_computes(call, dtype, method, x):
    sizes = [float(f"{digits}e-{k}") for k in range(18) for digits in (1, 5.6, 3.2, 1.8)]
    given = [{"x": x, "h": h, "method": method, "dtype": dtype} for h in sizes]
    at = np.dtype(dtype).type(x)
    for h, found in zip(sizes, call("nudge", "nudge", given), strict=True):
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
