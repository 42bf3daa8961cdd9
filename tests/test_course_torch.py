"""Chapters 00 and 06: their code prints the same under PyTorch; the slider and the map are live."""

import contextlib
import io

import jupytext
import numpy as np
import pytest
from kit.chapter import COURSE
from kit.figures import ch00 as figures

PICTURES = ("figures.", "viz.draw", "from minitensor import viz")
ONLY_HERE = {"minitensor.float32": "torch.float32"}


def printed(name, monkeypatch, library):
    """Run a chapter's code, pictures left out, with `mt` as the given library; return its lines."""
    monkeypatch.chdir(COURSE)
    source = (COURSE / "sources" / name).read_text(encoding="utf-8")
    code = [
        c.source for c in jupytext.reads(source, fmt="py:percent").cells if c.cell_type == "code"
    ]
    lines = (
        "\n".join(code).replace("import minitensor as mt", f"import {library} as mt").split("\n")
    )
    kept = [x for x in lines if not x.startswith(PICTURES) or "quietly" in x]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec("\n".join(kept), {"__name__": "chapter"})
    return said.getvalue().splitlines()


@pytest.mark.parametrize("name", ["00_why_not_just_numpy.py", "06_leaves_and_the_tape.py"])
def test_a_chapter_says_the_same_under_pytorch(name, monkeypatch):
    pytest.importorskip("torch")
    ours, theirs = (printed(name, monkeypatch, library) for library in ("minitensor", "torch"))
    assert len(ours) == len(theirs) > 20
    for line, other in zip(ours, theirs, strict=True):
        for here, there in ONLY_HERE.items():
            line = line.replace(here, there)
        if (
            "recorded steps" not in line and " object" not in line
        ):  # the chapter says how they differ
            assert line == other


def test_moving_the_slider_runs_the_fit_again():
    asked = []

    def run(rate):
        asked.append(rate)
        return 0.0, 0.0, [1.0, rate]

    slider, picture = figures.slider_and_loss(run).children
    before = picture.value
    slider.value = 1.1
    assert asked == [0.1, 1.1]
    assert picture.value != before
    assert "rate 1.10: loss 1.000 at first, 1.100 at the last step" in picture.value


def test_the_map_says_what_its_code_gives():
    names = {"np": np, "x": np.ones(3, np.float32)}
    assert figures.answer('np.zeros(3, device="cuda")', names).endswith("ValueError")
    assert figures.answer("x * np.sqrt(2 / 3)", names).endswith("float64")
    assert figures.answer("x.grad", names).endswith("AttributeError")
