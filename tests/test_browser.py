"""Chapters in a real browser: JupyterLab in headless Chromium opens them and runs every cell.

Screenshots are kept in the test's temporary folder, or in $SCREENSHOTS where that is set.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import minitensor as mt
from minitensor import viz

pytestmark = pytest.mark.browser
COURSE = Path(__file__).resolve().parent.parent / "course"
CHAPTERS = sorted(COURSE.glob("[0-9][0-9]_*.ipynb"))
TOKEN = "a-test"

RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await app.commands.execute('notebook:clear-all-cell-outputs');
  await app.commands.execute('notebook:run-all-cells');
  const cells = panel.content.widgets.filter(w => w.model.type === 'code');
  const outputs = cells.flatMap(w => w.model.outputs.toJSON());
  return {
    cells: cells.length,
    executed: cells.filter(w => w.model.executionCount !== null).length,
    errors: outputs.filter(o => o.output_type === 'error').map(o => o.ename + ': ' + o.evalue),
    pictures: outputs.filter(o => o.data && o.data['image/svg+xml']).length,
  };
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the course; gives its address."""
    folder = tmp_path_factory.mktemp("lab") / "course"
    shutil.copytree(COURSE, folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_*"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
        "--ServerApp.port_retries=0",
    ]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(COURSE.parent)}
    with (folder.parent / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, (folder.parent / "lab.log").read_text()
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, or another that is on the path, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on the path: nothing to drive")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as p:
        started = p.chromium.launch(executable_path=program, args=options)
        yield started
        started.close()


def screenshot(page, name, tmp_path):
    """Keep what the page looks like."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem[:2])
def test_a_chapter_runs_in_jupyterlab(chapter, lab, browser, tmp_path):
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    outside, complaints = [], []
    page.on("request", lambda r: outside.append(r.url) if is_outside(r.url, lab) else None)
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    try:
        page.goto(f"{lab}/lab/tree/{chapter.name}?token={TOKEN}&reset")
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext")
        result = page.evaluate(RUN_ALL)
        screenshot(page, chapter.stem, tmp_path)
    finally:
        page.close()
    assert result["errors"] == []
    assert result["executed"] == result["cells"] > 10
    assert outside == []
    assert [c for c in complaints if "favicon" not in c] == []


def is_outside(url, lab):
    """Whether a request leaves this machine."""
    return not url.startswith((lab, lab.replace("http", "ws"), "data:", "blob:"))


# -- the stepper -----------------------------------------------------------------------------------

ASK_KERNEL = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = kernel.requestExecute({ code });
  let text = "";
  asked.onIOPub = (message) => {
    if (message.header.msg_type === "stream") text += message.content.text;
  };
  await asked.done;
  return text;
}"""


def watched(browser, own, **options):
    """A page that reaches nothing outside; what it tried, and what it complained about."""
    page = browser.new_page(viewport={"width": 1000, "height": 900}, **options)
    outside, complaints = [], []

    def guard(route):
        if route.request.url.startswith(own):
            return route.continue_()
        outside.append(route.request.url)
        return route.abort()

    page.route(re.compile("^https?:"), guard)
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, outside, complaints


def answer(frame, number):
    """Type a prediction and press Enter; gives what the stepper says to it."""
    field = frame.get_by_role("textbox")
    field.fill(number)
    field.press("Enter")
    return frame.get_by_role("status").inner_text()


def test_the_stepper_asks_scores_and_tells_the_kernel(lab, browser, tmp_path):
    page, outside, complaints = watched(browser, (lab, lab.replace("http", "ws")))
    try:
        page.goto(f"{lab}/lab/tree/03_backprop_step_by_step.ipynb?token={TOKEN}&reset")
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext")
        assert page.evaluate(RUN_ALL)["errors"] == []
        page.evaluate("""() => {
            const { content } = window.jupyterapp.shell.currentWidget;
            const cells = content.widgets;
            const at = cells.findIndex((c) => c.model.sharedModel.source.includes("viz.step("));
            content.activeCellIndex = at;
            return content.scrollToItem(at);
        }""")
        place = page.locator('iframe[title="Predict the next gradient"]')
        place.scroll_into_view_if_needed()
        frame = place.content_frame
        assert "What will r.grad be then?" in frame.locator("form").inner_text()
        assert "You left the slope out" in answer(frame, "1")
        assert answer(frame, "eight") == "Type a number, such as 8, -0.5 or 1/3."
        assert answer(frame, "9,0").startswith("Right. out passes on to r: r.grad = 0 + 9 × 1 = 9.")
        assert "held 9 already: shares add up" in answer(frame, "9")
        screenshot(page, "stepper-wrong", tmp_path)
        assert answer(frame, "18").startswith("Right.")
        assert answer(frame, "36/2").startswith("Right.")  # the sum's slope is 1
        told = {"asked": 3, "right": 1, "mistakes": {"slope": 1, "accumulate": 1}}
        for _ in range(20):  # the page's last message may still be on its way
            score = page.evaluate(ASK_KERNEL, "print(practice.score, practice.position)")
            if score.endswith(" 7\n"):
                break
            page.wait_for_timeout(250)
        assert score == f"{told} 7\n"
        page.evaluate(ASK_KERNEL, "practice.position = 10")
        expect(frame.locator(".count")).to_have_text("10 / 10")
        screenshot(page, "stepper-lab", tmp_path)
    finally:
        page.close()
    assert outside == []
    assert [c for c in complaints if "favicon" not in c] == []


def expect(locator):
    from playwright.sync_api import expect as waits

    return waits(locator)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Chapter 03 as HTML, as ``jupyter nbconvert`` writes it; gives the file."""
    from nbconvert import HTMLExporter

    # What nbconvert's own template would fetch, formulas and diagrams in markdown, is left out.
    nothing = dict.fromkeys(("mathjax_url", "require_js_url", "mermaid_js_url"), "")
    (source,) = COURSE.glob("03_*.ipynb")
    text, _ = HTMLExporter(**nothing).from_filename(str(source))
    path = tmp_path_factory.mktemp("export") / "chapter03.html"
    path.write_text(text, encoding="utf-8")
    size = re.search(r"<iframe.*?</iframe>", text, re.S)[0].encode()
    print(f"\nexport {path.stat().st_size:,} bytes; the stepper in it {len(size):,} bytes")
    return path


def test_the_stepper_in_an_export_without_kernel_and_network(exported, browser, tmp_path):
    page, outside, complaints = watched(browser, ("file:",))
    try:
        page.goto(exported.as_uri())
        place = page.locator('iframe[title="Predict the next gradient"]')
        place.scroll_into_view_if_needed()
        frame = place.content_frame
        said, count = frame.get_by_role("status"), frame.locator(".count")
        graph = frame.get_by_role("region", name="graph")
        for key, shown in (("Home", "0 / 10"), ("ArrowRight", "1 / 10"), ("End", "10 / 10"),
                           ("ArrowLeft", "9 / 10")):  # fmt: skip
            graph.press(key)
            expect(count).to_have_text(shown)
        expect(said).to_have_text("v1 passes on to p: p.grad = 18 + 2 × 18 = 54.")
        assert frame.locator(".box.now").count() == frame.locator(".box.gets").count() == 1
        assert frame.locator(".arrow.now").count() == 1
        frame.get_by_role("slider").fill("4")
        expect(said).to_have_text("out.grad = 1, the slope of the result at itself.")
        graph.press(" ")
        expect(count).to_have_text("5 / 10", timeout=5000)  # it plays by itself
        graph.press(" ")
        rows = frame.locator("tbody tr").all_text_contents()
        assert rows[-1] == "out = r × r811"
        screenshot(page, "stepper-export", tmp_path)
    finally:
        page.close()
    assert (outside, complaints) == ([], [])


def test_with_scripts_off_a_picture_and_words_are_left(exported, browser, tmp_path):
    page, outside, _ = watched(browser, ("file:",), java_script_enabled=False)
    try:
        page.goto(exported.as_uri())
        place = page.locator('iframe[title="Predict the next gradient"]')
        place.scroll_into_view_if_needed()
        still = place.content_frame.get_by_role("img", name="Predict the next gradient")
        expect(still).to_be_visible()
        words = page.locator("details", has_text="Predict the next gradient, in words")
        words.locator("summary").first.click()
        expect(words.get_by_role("img", name="Predict the next gradient")).to_be_visible()
        expect(words.get_by_text("r = v1 + p = 6 + 3 = 9.")).to_be_visible()
        words.get_by_text("out passes its gradient 1 on to r (arrow 1 of 2)").click()
        expect(words.get_by_text("r.grad = 0 + 9 × 1 = 9.")).to_be_visible()
        screenshot(page, "stepper-no-scripts", tmp_path)
    finally:
        page.close()
    assert outside == []


def forty():
    """A graph of forty boxes, as a stepper."""
    a, b = (mt.tensor(v, requires_grad=True) for v in (0.5, -0.8))
    a.name, b.name, h = "a", "b", [a, b]
    with viz.record():
        while len(viz.graph(h[-1]).boxes) < 40:
            h.append((h[-1] + h[-2]).tanh() if len(h) % 2 else h[-1] * b - h[-2])
    return viz.step(h[-1], names={}, title="Forty boxes")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forty_boxes_can_be_read_in_both_themes(theme, browser, tmp_path):
    made = forty()
    assert len(made.film.graph.boxes) == 40
    path = tmp_path / "forty.html"
    light = str(theme == "light").lower()
    path.write_text(f'<body data-jp-theme-light="{light}">{made.html}', encoding="utf-8")
    print(f"\nforty boxes, {len(made.film.shots)} steps: {len(made.html.encode()):,} bytes")
    page, outside, complaints = watched(browser, ("file:",))
    try:
        page.goto(path.as_uri())
        frame = page.locator("iframe").content_frame
        graph = frame.get_by_role("region", name="graph")
        graph.press("End")
        for _ in range(len(made.film.shots) - made.film.first - 12):
            graph.press("ArrowLeft")
        inside, box = graph.bounding_box(), frame.locator(".box.now rect").bounding_box()
        assert (
            inside["y"] <= box["y"] and box["y"] + box["height"] <= inside["y"] + inside["height"]
        )
        small = frame.locator(".box text").first.evaluate("(text) => 12 * text.getScreenCTM().a")
        assert small >= 10.5  # pixels: the size of the type as drawn
        assert contrast(frame, ".box.now rect", ".box.now text") >= 4.5
        screenshot(page, f"stepper-forty-{theme}", tmp_path)
    finally:
        page.close()
    assert (outside, complaints) == ([], [])


def contrast(frame, ground, ink):
    """The contrast of text on its ground, as WCAG reckons it: 1 to 21."""
    colours = [
        frame.locator(selector).first.evaluate("(e) => getComputedStyle(e).fill")
        for selector in (ground, ink)
    ]

    def luminance(colour):
        parts = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted(map(luminance, colours))
    return (light + 0.05) / (dark + 0.05)
