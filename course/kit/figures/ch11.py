"""Figures of chapter 11: digits and their labels, two measures of a miss, loops with a bug."""

import numpy as np

from kit.figures import STYLES, figure, subplots

CHANCE = np.log(10)  # the loss of a guess at random among ten


def grid(images, labels, guesses=None, columns=10):
    """Draw small images with their labels above; with guesses, "label → guess".

    images: (n, 8, 8), from 0 to 1. labels, guesses: n whole numbers.
    """
    rows = -(-len(images) // columns)
    fig, axes = subplots(rows, columns, height=0.95 * rows, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    names = [str(label) for label in labels]
    if guesses is not None:
        names = [f"{label}→{guess}" for label, guess in zip(labels, guesses, strict=True)]
    for ax, image, name in zip(axes.flat, images, names, strict=False):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(name, pad=2)
    what = "its label" if guesses is None else "its label and what the network took it for"
    figure(
        fig,
        alt=f"{len(images)} small grey images of handwritten digits, each with {what} above it.",
        text="Above the images: " + ", ".join(names),
    )


def two_measures(moves, losses, shares):
    """Draw loss and accuracy against the move of one weight, one panel each."""
    fig, axes = subplots(1, 2, height=3.0)
    axes[0].plot(moves, losses, **{**STYLES[0], "marker": ""})
    axes[0].set(xlabel="move of one weight", ylabel="cross-entropy", title="the loss")
    axes[1].step(moves, 100 * np.array(shares), where="mid", **{**STYLES[1], "marker": "",
                                                               "linestyle": "-"})  # fmt: skip
    axes[1].set(xlabel="move of one weight", ylabel="right answers in %", title="the accuracy")
    figure(
        fig,
        alt="Two panels. On the left a smooth curve with one lowest point. On the right a "
        "staircase: level stretches with sudden jumps between them.",
        text=f"{len(moves)} places of the weight, from {moves[0]:.0f} to {moves[-1]:.0f}. "
        "The loss is another one at each; the accuracy stays, then jumps.",
    )


def suspects(runs, right):
    """Draw the loss of loops with a bug, a panel each, and in each panel the right loop's.

    runs: name -> losses, epoch by epoch. right: the losses without a bug.
    """
    fig, axes = subplots(1, len(runs), height=2.9, sharey=True)
    at = np.arange(1, len(right) + 1)
    for ax, (name, losses), style in zip(axes, runs.items(), STYLES, strict=False):
        ax.axhline(CHANCE, color="#777777", linewidth=1, linestyle=":")
        ax.plot(at, right, color="#777777", linestyle="-", marker="", linewidth=1.4)
        ax.plot(at, losses, **style)
        ax.set(title=name, xlabel="epoch", ylim=(0, 3), xticks=[1, 6, 12])
    axes[0].set_ylabel("loss")
    lines = [f"{name}: " + said(losses) for name, losses in {**runs, "right": right}.items()]
    figure(
        fig,
        alt="Four panels, loss against epoch. A thin grey line, the right loop, sinks in each. "
        "The dotted line is a guess at random. A falls, then jumps up and down. B is exactly "
        "level, a little above the dotted line. C sinks slowly and stays far above the grey line. "
        "D sinks from there to the dotted line, and stays at it.",
        text="\n".join(lines),
    )


def said(losses):
    """The losses of the first epochs, in words. Later ones vary with the machine."""
    return ", ".join(f"{losses[at - 1]:.1f}" for at in (1, 3, 5)) + " in epochs 1, 3 and 5"
