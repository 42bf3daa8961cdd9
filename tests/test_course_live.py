"""The live curve: in a notebook, in a terminal, where nobody watches, and in an export."""

import io
import json
import re
import urllib.request

import nbconvert
import nbformat
import pytest
from kit import live
from kit.build import executed
from kit.chapter import COURSE
from test_browser import RUN_ALL, TOKEN, browser, lab, screenshot  # noqa: F401  two are fixtures

import minitensor as mt

LOOP = """
from kit.live import LiveCurve

curve = LiveCurve(ylabel="loss")
for epoch in curve.over(range(40)):
    curve.add(train=1 / (epoch + 1), held_out=2 / (epoch + 1))
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def always(monkeypatch):
    """Redraw at every step."""
    monkeypatch.setattr(live, "EVERY", -1.0)


def run(curve, count=5):
    for step in curve.over(range(count)):
        curve.add(train=float(count - step))


def test_a_terminal_sees_the_line_grow_and_the_end_stay(always):
    stream = Terminal()
    run(live.LiveCurve(stream=stream))
    shown = stream.getvalue().split("\r")
    assert [line.split(":")[0] for line in shown[1:6]] == [f"epoch {i} of 5" for i in range(1, 6)]
    assert "train 3.0  █▅▁" in shown[3]
    assert shown[-1] == "train: 5.0 at first, 1.0 at the end, after 5 points  █▆▅▃▁\n"


def test_where_nobody_watches_only_the_end_is_printed(always):
    stream = io.StringIO()
    run(live.LiveCurve(stream=stream))
    assert stream.getvalue() == "train: 5.0 at first, 1.0 at the end, after 5 points  █▆▅▃▁\n"


def test_a_break_and_an_error_leave_what_there_is(always):
    for stop in (None, ZeroDivisionError):
        stream = io.StringIO()
        curve = live.LiveCurve(stream=stream)
        try:
            for step in curve.over(range(9)):
                curve.add(loss=step)
                if step == 3:
                    if stop:
                        raise stop
                    break
        except ZeroDivisionError:
            pass
        assert stream.getvalue().startswith("loss: 0.0 at first, 3.0 at the end, after 4 points")


def test_a_loop_that_adds_nothing_and_one_without_a_length(always):
    stream = io.StringIO()
    assert list(live.LiveCurve(stream=stream).over(range(3))) == [0, 1, 2]
    assert stream.getvalue() == ""
    curve = live.LiveCurve(stream=Terminal())
    for step in curve.over(iter([1, 2])):
        curve.add(loss=step)
    assert "epoch 2: loss 2.0" in curve.stream.getvalue()


def test_tensors_are_taken_as_numbers_and_leave_no_tape():
    curve = live.LiveCurve(stream=io.StringIO())
    w = mt.tensor(2.0, requires_grad=True)
    curve.add(loss=w * w, other=mt.tensor([3]))
    assert curve.values == {"loss": [4.0], "other": [3.0]}


def test_bars_show_the_newest_and_what_is_no_number():
    assert live.sparks([0.0, 7.0]) == "▁█"
    assert live.sparks([1.0]) == "▁"
    assert live.sparks([0.0, float("nan"), float("inf"), 1.0]) == "▁··█"
    assert live.sparks([float("nan")]) == "·"
    long = live.sparks(list(range(1000)))
    assert (len(long), long[-1]) == (32, "█")


def test_the_widget_draws_every_line_with_words(monkeypatch, always):
    shown, stills = [], []
    monkeypatch.setattr(live, "in_notebook", lambda: True)
    monkeypatch.setattr(live, "display", lambda bundle, raw: shown.append(bundle))
    monkeypatch.setattr(live, "still", stills.append)
    curve = live.LiveCurve()
    for step in curve.over(range(3)):
        curve.add(train=step, held_out=float("inf") if step == 1 else -step)
        if step:
            drawing = curve.view.widget.value
            assert drawing.count("<polyline") == 2
            assert f"<title>epoch {step} of 3:" in drawing
            assert not re.search(r'points="[^"]*(nan|inf)', drawing)
    assert curve.view.widget.value == ""
    assert stills == [curve]
    assert "stays below" in shown[0]["text/plain"]


@pytest.fixture(scope="module")
def notebook():
    """A notebook with a loop, executed by a kernel."""
    cells = [nbformat.v4.new_code_cell(LOOP)]
    return executed(nbformat.v4.new_notebook(cells=cells), COURSE)


def test_in_a_notebook_the_figure_stays_and_is_the_same_every_time(notebook):
    outputs = notebook.cells[0].outputs
    kinds = [output.output_type for output in outputs]
    assert kinds == ["display_data"] * 3  # the widget, the figure, its words
    assert "is drawn here while the loop runs" in outputs[0].data["text/plain"]
    assert outputs[1].metadata["image/png"]["alt"] == "loss against epoch: train, held_out."
    assert outputs[2].data["text/plain"].splitlines()[1:] == [
        "train: 1.0 at first, 0.0 at the end, after 40 points",
        "held_out: 2.0 at first, 0.1 at the end, after 40 points",
    ]


def test_an_export_without_a_kernel_shows_picture_and_words(notebook):
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert re.search(r'<img[^>]*src="data:image/png;base64', page, re.DOTALL)
    assert "loss against epoch: train, held_out." in page
    assert "held_out: 2.0 at first" in page


def test_a_logarithmic_curve_spreads_powers_of_ten_evenly(monkeypatch, always):
    monkeypatch.setattr(live, "in_notebook", lambda: True)
    monkeypatch.setattr(live, "display", lambda bundle, raw: None)
    monkeypatch.setattr(live, "still", lambda curve: None)
    curve = live.LiveCurve(log=True)
    for power in curve.over(range(4)):
        curve.add(loss=10.0**-power, zero=0.0)
    points = re.search(r'points="([^"]+)"', live.growing(curve))[1].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == pytest.approx([10 + i * (heights[-1] - 10) / 3 for i in range(4)], abs=0.1)
    assert ">0.001<" in live.growing(curve)


# In JupyterLab: the curve is seen while the loop runs, and afterwards the figure alone.

SLOW = """
import time
from kit.live import LiveCurve

curve = LiveCurve(ylabel="loss")
for epoch in curve.over(range(12)):
    time.sleep(0.2)
    curve.add(train=1 / (epoch + 1))
"""
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const line = document.querySelector('.jp-OutputArea polyline');
    if (line) window.seen.push(line.getAttribute('points').split(' ').length);
  }).observe(document.body, { childList: true, subtree: true });
}"""


@pytest.mark.browser
def test_in_jupyterlab_the_curve_grows_and_the_figure_stays(lab, browser, tmp_path):  # noqa: F811
    cells = [nbformat.v4.new_code_cell(SLOW)]
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3",
                                    "display_name": "Python 3"}})  # fmt: skip
    body = json.dumps({"type": "notebook", "content": book}).encode()
    address = f"{lab}/api/contents/live.ipynb?token={TOKEN}"
    urllib.request.urlopen(urllib.request.Request(address, body, method="PUT"), timeout=20).close()
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    try:
        page.goto(f"{lab}/lab/tree/live.ipynb?token={TOKEN}&reset")
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext")
        page.evaluate(WATCH)
        assert page.evaluate(RUN_ALL)["errors"] == []
        page.wait_for_selector(".jp-OutputArea img")
        screenshot(page, "live-curve", tmp_path)
        seen = page.evaluate("() => window.seen")
        assert seen == sorted(seen)
        assert len(set(seen)) > 4  # it grew, point by point
        assert page.locator(".jp-OutputArea polyline").count() == 0
        assert "train: 1.0 at first, 0.1 at the end" in page.locator("details").text_content()
    finally:
        page.close()
