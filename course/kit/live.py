"""A curve that grows while a loop runs: in JupyterLab, in a terminal, under nbval, in an export.

In a notebook the curve grows in a widget, and when the loop ends, its picture and words stay in
the output: they need no kernel. What is stored does not depend on the speed of the machine, so
nbval can compare it. In a terminal a line of text grows; where nobody watches, only the end is
printed. Chapter 11 uses it.
"""

import html
import sys
import time
from math import isfinite, log10, nan

from IPython import get_ipython
from IPython.display import display

from kit.figures import STYLES, figure, subplots

EVERY = 0.15  # seconds between two redrawings: a short epoch must not wait for its picture
WIDTH, HEIGHT, LEFT, BELOW = 560, 230, 50, 30  # of the growing picture, in pixels
SVG_DASHES = ["", "7 4", "9 3 2 3", "2 3", "10 2 2 2", "1 2"]
BARS = "▁▂▃▄▅▆▇█"


class LiveCurve:
    """The values of a loop, drawn while it runs.

    >>> curve = LiveCurve(xlabel="epoch", ylabel="loss")
    >>> for epoch in curve.over(range(10)):
    ...     curve.add(train=..., held_out=...)

    Every name given to `add` becomes a line. `curve.values` maps names to lists of floats.
    `curve.seconds` is how long the loop took.
    log: a scale of powers of ten, for positive values.
    digits: after the point, in the words that stay; few, since later ones vary with the machine.
    """

    def __init__(self, *, xlabel="epoch", ylabel="loss", digits=1, log=False, stream=None):
        self.xlabel, self.ylabel, self.digits = xlabel, ylabel, digits
        self.log = log
        self.values, self.done, self.total = {}, 0, None
        self.stream = sys.stdout if stream is None else stream
        self.view = None
        self.drawn = self.seconds = 0.0

    def over(self, items):
        """Go through `items`. At the end, by a break or by an error too, the curve stays."""
        self.total = len(items) if hasattr(items, "__len__") else None
        self.view = NotebookView(self) if in_notebook() else TerminalView(self)
        start = time.perf_counter()
        try:
            for item in items:
                yield item
                self.done += 1
                self.refresh()
        finally:
            self.seconds = time.perf_counter() - start
            self.view.finish()

    def add(self, **values):
        """Add a point to each line named. Numbers, or Tensors of one element, recorded or not."""
        for name, value in values.items():
            number = value.item() if hasattr(value, "item") else value
            self.values.setdefault(name, []).append(float(number))

    def refresh(self):
        """Draw what there is, unless that was done a moment ago."""
        now = time.perf_counter()
        if self.values and now - self.drawn > EVERY:
            self.drawn = now
            self.view.draw()

    def progress(self):
        """How far the loop is and the newest values, in a line of words."""
        of = "" if self.total is None else f" of {self.total}"
        newest = ", ".join(f"{name} {v[-1]:.{self.digits}f}" for name, v in self.values.items())
        return f"{self.xlabel} {self.done}{of}: {newest}"

    def in_words(self):
        """The first and the last value of each line, in lines of words."""
        d = self.digits
        return "\n".join(
            f"{name}: {v[0]:.{d}f} at first, {v[-1]:.{d}f} at the end, after {len(v)} points"
            for name, v in self.values.items()
        )


def in_notebook():
    """Whether a kernel runs this, and a front end may show its widgets."""
    return getattr(get_ipython(), "kernel", None) is not None


# In a notebook.


class NotebookView:
    """A widget that grows, then a figure that stays."""

    def __init__(self, curve):
        self.curve = curve
        self.widget = shown_widget(curve)

    def draw(self):
        if self.widget is not None:
            self.widget.value = growing(self.curve)

    def finish(self):
        if self.widget is not None:
            self.widget.value = ""  # the figure takes its place
        if self.curve.values:
            still(self.curve)


def shown_widget(curve):
    """Display an empty widget and return it; None where ipywidgets is not installed."""
    try:
        import ipywidgets
    except ImportError:
        return None
    widget = ipywidgets.HTML()
    words = f"The {curve.ylabel} is drawn here while the loop runs, and stays below as a figure."
    display({**widget._repr_mimebundle_(), "text/plain": words}, raw=True)
    return widget


def growing(curve):
    """The curve so far as SVG, quick to make, in HTML."""
    longest = max(curve.total or 0, *map(len, curve.values.values()), 2)
    lines = {name: [scaled(n, curve.log) for n in v] for name, v in curve.values.items()}
    finite = [n for line in lines.values() for n in line if isfinite(n)] or [0.0]
    low, high = min(finite), max(finite)
    ends = (10**low, 10**high) if curve.log else (low, high)
    room = (high - low) or 1.0
    parts = []
    for i, (name, numbers) in enumerate(lines.items()):
        points = " ".join(
            f"{LEFT + (WIDTH - LEFT - 10) * at / (longest - 1):.1f},"
            f"{10 + (HEIGHT - BELOW - 20) * (high - number) / room:.1f}"
            for at, number in enumerate(numbers)
            if isfinite(number)
        )
        color, dash = STYLES[i % 6]["color"], SVG_DASHES[i % 6]
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2" '
            f'stroke-dasharray="{dash}"/>'
            f'<text x="{WIDTH - 10}" y="{24 + 18 * i}" text-anchor="end" fill="{color}">'
            f"{html.escape(name)}</text>"
        )
    words = html.escape(curve.progress())
    return (
        f'<svg role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="background:white;font:13px sans-serif"><title>{words}</title>'
        f'<text x="4" y="18">{ends[1]:.3g}</text>'
        f'<text x="4" y="{HEIGHT - BELOW}">{ends[0]:.3g}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{words}</text>{"".join(parts)}</svg>'
    )


def scaled(number, log):
    """A value, or its logarithm; NaN where it has none."""
    if not log:
        return number
    return log10(number) if number > 0 else nan


def still(curve):
    """Display the whole curve as a figure of the course, with its words."""
    fig, ax = subplots(height=3.0)
    for (name, numbers), style in zip(curve.values.items(), STYLES, strict=False):
        every = max(1, len(numbers) // 12)
        at = range(1, len(numbers) + 1)
        ax.plot(at, numbers, label=name, markevery=every, **style)
    ax.set(xlabel=curve.xlabel, ylabel=curve.ylabel, yscale="log" if curve.log else "linear")
    ax.legend()
    names = ", ".join(curve.values)
    figure(fig, alt=f"{curve.ylabel} against {curve.xlabel}: {names}.", text=curve.in_words())


# In a terminal.


class TerminalView:
    """A line that is written over again and again; where the output is no terminal, the end."""

    def __init__(self, curve):
        self.curve = curve
        self.watched = getattr(curve.stream, "isatty", lambda: False)()
        self.width = 0

    def draw(self):
        if self.watched:
            line = f"{self.curve.progress()}  {sparks(next(iter(self.curve.values.values())))}"
            self.curve.stream.write("\r" + line.ljust(self.width))
            self.curve.stream.flush()
            self.width = len(line)

    def finish(self):
        if self.watched and self.width:
            self.curve.stream.write("\r" + " " * self.width + "\r")
        for line, numbers in zip(
            self.curve.in_words().splitlines(), self.curve.values.values(), strict=True
        ):
            self.curve.stream.write(f"{line}  {sparks(numbers)}\n")


def sparks(numbers, most=32):
    """Numbers as a row of little bars, at most `most` of them. NaN and infinity are a dot."""
    stride = -(-len(numbers) // most)
    chosen = numbers[::-stride][::-1]  # the newest is always among them
    finite = [n for n in chosen if isfinite(n)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(BARS) - 1) / ((high - low) or 1.0)
    return "".join(BARS[round((n - low) * scale)] if isfinite(n) else "·" for n in chosen)
