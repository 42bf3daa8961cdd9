"""Figures of chapter 06: the truth table of ways off the tape, and a tape that grows."""

import math

import numpy as np

import minitensor as mt
from kit.figures import COLORS, STYLES, figure, subplots

QUESTIONS = (
    "what it\ngives",
    "same\nmemory?",
    "gradient flows\nthrough it?",
    "after += 1,\nbackward is",
)
WIDTHS = (2.1, 1.5, 1.4, 1.6, 2.2)


def recorded():
    """Return a leaf x = [1] and y = x.exp(), whose own output the tape keeps."""
    x = mt.tensor([1.0], requires_grad=True)
    return x, x.exp()


def kind(escape):
    """What an escape gives: a Tensor, an array, a number."""
    got = escape(recorded()[1])
    kinds = {mt.Tensor: "Tensor", np.ndarray: "NumPy array"}
    return kinds.get(type(got), f"Python {type(got).__name__}")


def shares(escape):
    """Whether writing to what an escape gives writes to y."""
    _, y = recorded()
    got = escape(y)
    if not isinstance(got, (mt.Tensor, np.ndarray)):
        return "no"
    array = got.detach().numpy() if isinstance(got, mt.Tensor) else got
    return "yes" if np.shares_memory(array, y.detach().numpy()) else "no"


def flows(escape):
    """Whether a gradient finds its way back to x through what an escape gives."""
    x, y = recorded()
    got = escape(y)
    if not isinstance(got, mt.Tensor) or not got.requires_grad:
        return "no"
    got.backward()
    return "yes" if x.grad is not None else "no"


def written(escape):
    """What becomes of the gradient of y when 1 is added in place to what an escape gives."""
    x, y = recorded()
    got = escape(y)
    got += 1
    try:
        y.backward()
    except RuntimeError:
        return "an error"
    slope = x.grad.item()
    return (
        "right" if math.isclose(slope, math.e, rel_tol=1e-5) else f"wrong, silently:\n{slope:.3f}"
    )


def truth_table(escapes):
    """Draw the table of ways off the tape. escapes: code as text -> function of y."""
    tests = (kind, shares, flows, written)
    rows = [(code, *(test(escape) for test in tests)) for code, escape in escapes.items()]
    starts = np.cumsum([0.0, *WIDTHS])
    fig, ax = subplots(height=0.55 * (len(rows) + 2))
    for start, width, title in zip(starts[1:], WIDTHS[1:], QUESTIONS, strict=False):
        ax.text(start + width / 2, 0.55, title, ha="center", va="center", weight="bold", size=10)
    for i, answers in enumerate(rows):
        ax.axhline(-i + 0.0, color="#DDDDDD", linewidth=1)
        for start, width, text in zip(starts, WIDTHS, answers, strict=False):
            cell(ax, start, -i - 0.5, width, text)
    ax.set(xlim=(0, starts[-1]), ylim=(-len(rows), 1.1))
    ax.axis("off")
    lines = [
        " | ".join(part.replace("\n", " ") for part in row) for row in [("way", *QUESTIONS), *rows]
    ]
    figure(
        fig,
        alt="A table. Each row is a line that people write to get off the tape; the columns say "
        "what it gives, whether it shares memory, whether gradients flow through it, and what "
        "happens to backward after a change in place. Silent wrong numbers are framed.",
        text="\n".join(lines),
    )


def cell(ax, start, y, width, text):
    """Write one cell. The first column is code; a silent wrong number gets a frame."""
    style = {"ha": "center", "va": "center", "size": 10}
    if start == 0:
        style = {**style, "family": "monospace", "size": 9}
    if text.startswith("wrong"):
        frame = {"boxstyle": "round,pad=0.25", "facecolor": "white"}
        style["bbox"] = {**frame, "edgecolor": COLORS["vermilion"], "linewidth": 1.8}
    ax.text(start + width / 2, y, text, **style)


def growth(kept, freed):
    """Draw how many recorded steps hang on the running total, turn by turn."""
    fig, ax = subplots(height=2.8)
    turns = np.arange(1, len(kept) + 1)
    ax.plot(turns, kept, label="total += loss", markevery=10, **STYLES[1])
    ax.plot(turns, freed, label="total += loss.item()", markevery=10, **STYLES[0])
    ax.set(xlabel="turn of the loop", ylabel="recorded steps")
    ax.legend()
    figure(
        fig,
        alt="Recorded steps that hang on the total, against the turn of the loop. With += loss a "
        "straight line climbs; with .item() it stays at 0.",
        text=f"After {len(kept)} turns: {kept[-1]} steps with += loss, {freed[-1]} with .item().",
    )
