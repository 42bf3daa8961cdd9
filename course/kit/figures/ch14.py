"""Figures of chapter 14: slopes of a curve, a fit to slopes, what lies below the names."""

import numpy as np

from kit.checks import array
from kit.figures import COLORS, STYLES, figure, subplots

PROGRAM = """
x = torch.ones(2, requires_grad=True)
loss = (x * x).sum()
loss.backward()
print(x.grad)""".strip()
# (what a floor is for, in minitensor, in PyTorch)
FLOORS = [
    ("names", "Tensor, nn, optim:\nPython", "Tensor, nn, optim:\nPython"),
    ("which code, on which device", "a dictionary:\ntype of array → module", "a dispatcher:\nC++"),
    (
        "rules of the derivatives",
        "one definition an operation:\nPython",
        "a list of formulas, made into\nC++",
    ),
    ("the walk back", "one loop:\nPython", "an engine with threads:\nC++"),
    (
        "numbers",
        "NumPy, and CuPy\non a GPU",
        "code of its own, and that of\nthe makers of processors",
    ),
]
ABOVE = [
    "a compiler that joins many steps into one",
    "many GPUs, many machines",
    "bfloat16, complex and sparse numbers",
    "phones, browsers, other processors",
]


def curves(x, *rows):
    """Draw a curve and its slopes. rows: (label, values) of the length of x."""
    fig, ax = subplots(height=3.2)
    for style, (label, values) in zip(STYLES, rows, strict=False):
        ax.plot(array(x), array(values), label=label, markevery=10, **style)
    ax.axhline(0, color=COLORS["black"], linewidth=0.8)
    ax.set(xlabel="x")
    ax.legend()
    tops = [f"{label}: from {array(v).min():.2f} to {array(v).max():.2f}" for label, v in rows]
    figure(
        fig,
        alt="The curve of tanh, an S; its slope, a hill with its top at 0; and the slope of that, "
        "which is positive left of 0, where the hill rises, and negative right of it.",
        text="\n".join(tops),
    )


def fitted(x, wanted, found):
    """Draw a curve that was learned from its slopes beside the one they were taken from."""
    x, wanted, found = array(x).ravel(), array(wanted).ravel(), array(found).ravel()
    fig, ax = subplots(height=3.0)
    ax.plot(x, wanted, label="the curve that was never shown", markevery=8, **STYLES[0])
    ax.plot(x, found, label="learned from its slopes", markevery=(4, 8), **STYLES[1])
    ax.set(xlabel="time", ylabel="place")
    ax.legend()
    worst = np.abs(wanted - found).max()
    figure(
        fig,
        alt="Two curves, one on top of the other: a sine, and what was learned from its slopes.",
        text=f"{len(x)} slopes were shown. The largest gap between the curves is {worst:.1f}.",
    )


def below():
    """Draw the same program in both libraries, and what lies below it in each."""
    fig, ax = subplots(height=7.6)
    for left, library in ((0.0, "minitensor"), (5.2, "PyTorch")):
        line = "import minitensor as torch" if left == 0 else "import torch"
        ax.text(left + 2.4, 9.45, library, ha="center", weight="bold", size=12)
        box(ax, left, 7.6, 4.8, 1.65, f"{line}\n\n{PROGRAM}", COLORS["green"], code=True)
    ax.text(5.0, 8.4, "=", ha="center", va="center", size=18, weight="bold")
    for i, (what, here, there) in enumerate(FLOORS):
        bottom = 6.1 - 1.4 * i
        ax.text(5.0, bottom + 1.1, what, ha="center", va="center", size=9, style="italic")
        box(ax, 0.0, bottom, 4.8, 0.85, here, COLORS["blue"])
        box(ax, 5.2, bottom, 4.8, 0.85, there, COLORS["vermilion"], dash="--")
    only = "and only here:\n" + "\n".join(ABOVE)
    box(ax, 5.2, -1.75, 4.8, 1.85, only, COLORS["purple"], dash=":")
    ax.set(xlim=(-0.1, 10.1), ylim=(-1.9, 9.8))
    ax.axis("off")
    lines = [f"{what}: minitensor, {here}; PyTorch, {there}" for what, here, there in FLOORS]
    lines = [line.replace("\n", " ") for line in lines]
    figure(
        fig,
        alt="Two columns. At the top the same program, four lines under an import line; only the "
        "import differs. Below, five floors: in minitensor all of them Python, down to NumPy; in "
        "PyTorch names in Python and the rest C++. At the bottom right, what only PyTorch has.",
        text="\n".join([*lines, f"only in PyTorch: {'; '.join(ABOVE)}"]),
    )


def box(ax, left, bottom, width, height, text, color, dash="-", code=False):
    """A frame with text in it."""
    ax.plot(
        [left, left + width, left + width, left, left],
        [bottom, bottom, bottom + height, bottom + height, bottom],
        color=color, linestyle=dash, linewidth=1.6, marker="",
    )  # fmt: skip
    place = {"ha": "left", "family": "monospace"} if code else {"ha": "center"}
    x = left + 0.15 if code else left + width / 2
    ax.text(x, bottom + height / 2, text, va="center", size=9, **place)
