"""Chapters 10 and 11 print under PyTorch, line by line, what they print here."""

import contextlib
import io
import re

import jupytext
import kit.explorers
import kit.figures
import pytest
from kit.chapter import COURSE

TIMED = re.compile(r"^\d+ seconds on the CPU$")


def printed(number, library, monkeypatch):
    """Run a chapter's code with `mt` as the given library, showing nothing; return its lines."""
    monkeypatch.chdir(COURSE)
    for module in (kit.figures, kit.explorers):
        monkeypatch.setattr(module, "display", lambda *args, **options: None)
    (source,) = COURSE.glob(f"sources/{number}_*.py")
    cells = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    code = re.sub(r"^(import|from) minitensor", rf"\1 {library}", code, flags=re.MULTILINE)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(code, {"__name__": "chapter"})
    lines = said.getvalue().replace("torch.", "minitensor.").splitlines()
    return [line for line in lines if not TIMED.match(line)]


@pytest.mark.parametrize("number", ["10", "11"])
def test_a_chapter_says_the_same_under_pytorch(number, monkeypatch):
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small matrices: more threads only wait for each other
    try:
        ours, theirs = (printed(number, name, monkeypatch) for name in ("minitensor", "torch"))
    finally:
        torch.set_num_threads(threads)
    assert len(ours) > 15
    assert ours == theirs
