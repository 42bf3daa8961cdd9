"""Chapters in a real browser: JupyterLab in headless Chromium opens them and runs every cell.

Screenshots are kept in the test's temporary folder, or in $SCREENSHOTS where that is set.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

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
