"""The house style of figures: told apart without colour, readable, described."""

import base64
import struct

import pytest
from kit import figures, shows_error


@pytest.fixture
def shown(monkeypatch):
    """What figure() displays, in order: (bundle, metadata)."""
    calls = []
    monkeypatch.setattr(
        figures, "display", lambda data, metadata=None, raw=False: calls.append((data, metadata))
    )
    monkeypatch.setattr(figures.plt, "show", lambda: pytest.fail("plt.show is not for figures"))
    figures.plt.switch_backend("agg")
    return calls


def test_a_figure_is_a_picture_and_its_words(shown):
    fig, ax = figures.subplots(height=2)
    ax.plot([1, 2])
    figures.figure(fig, alt="It goes up.", text="From 1\nto <2>.")
    (picture, about), (words, _) = shown
    png = base64.b64decode(picture["image/png"])
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (7 * figures.DPI, 2 * figures.DPI)
    assert about["image/png"] == {"alt": "It goes up.", "width": 672, "height": 192}
    assert words["text/plain"] == "It goes up.\nFrom 1\nto <2>."
    assert "It goes up.<br>From 1<br>to &lt;2&gt;." in words["text/html"]
    assert figures.plt.get_fignums() == []


def test_a_figure_without_alt_text_is_refused(shown):
    fig, _ = figures.subplots()
    with pytest.raises(ValueError, match="needs alt text"):
        figures.figure(fig, alt=" ")
    figures.plt.close(fig)


def test_styles_differ_in_dash_and_marker_as_well_as_colour():
    for key in ("color", "linestyle", "marker"):
        assert len({str(style[key]) for style in figures.STYLES}) == len(figures.STYLES)


def test_text_is_large_enough_and_the_background_opaque(shown):
    fig, ax = figures.subplots()
    sizes = [label.get_fontsize() for label in (*ax.get_xticklabels(), ax.xaxis.label, ax.title)]
    assert min(sizes) >= 10
    assert fig.get_facecolor() == (1, 1, 1, 1)
    figures.plt.close(fig)


def test_shows_error(capsys):
    with shows_error(ZeroDivisionError, says="zero"):
        1 / 0
    with shows_error():
        raise RuntimeError("a second time")
    assert capsys.readouterr().out == "ZeroDivisionError: zero\nRuntimeError: a second time\n"


def test_shows_error_complains_when_there_is_none_or_another():
    with pytest.raises(AssertionError, match="did not"), shows_error():
        pass
    with pytest.raises(AssertionError, match="lacks 'one'"), shows_error(says="one"):
        1 / 0
    with pytest.raises(ZeroDivisionError), shows_error(ValueError):
        1 / 0
