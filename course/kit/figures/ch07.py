"""Figures of chapter 07: names and buffers, the memory of a training step, batches."""

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from kit.checks import array
from kit.explorers import explorer
from kit.figures import COLORS, STYLES, figure, subplots

WORDS = [  # of the aliases explorer
    "a is a NumPy array of 4 numbers. t = mt.from_numpy(a), t.numpy(), t.view(2, 2) and t.detach() "
    "share its buffer; t[1:3] shares two places of it.",
    "mt.tensor(a), t.clone() and t[[1, 2]] have buffers of their own.",
    "Writing to a[0] changes a, t, t.numpy(), the view and the detached one, and none of the rest.",
    "Writing to mt.tensor(a) changes nothing else.",
]


def buffers(named):
    """Draw names on the left, and on the right the buffers that they point to.

    named: name -> one-dimensional array or Tensor. Who shares is asked of the memory.
    """
    groups = []
    for name, value in named.items():
        numbers = array(value)
        home = next((g for g in groups if np.shares_memory(g[0], numbers)), None)
        if home is None:
            groups.append((numbers, [name]))
        else:
            home[1].append(name)
    fig, ax = subplots(height=0.75 * len(named) + 0.5)
    order = list(named)
    for row, (numbers, names) in enumerate(groups):
        spots = [-order.index(name) for name in names]
        middle = sum(spots) / len(spots)
        for i, number in enumerate(numbers):
            ax.add_patch(Rectangle((4 + i, middle - 0.3), 1, 0.6, facecolor="white",
                                   edgecolor=COLORS["blue"], linewidth=1.8))  # fmt: skip
            ax.text(4.5 + i, middle, f"{number:g}", ha="center", va="center")
        ax.text(4.15 + len(numbers), middle, f"buffer {row + 1}", va="center", size=10)
        for name, spot in zip(names, spots, strict=True):
            kind = type(named[name]).__name__
            ax.text(1.05, spot, name, ha="right", va="center", family="monospace", weight="bold")
            label = "a Tensor" if kind == "Tensor" else "a NumPy array"
            ax.text(1.2, spot, label, va="center", size=10)
            ax.add_patch(FancyArrowPatch((2.75, spot), (3.95, middle), arrowstyle="-|>",
                                         mutation_scale=13, color="black"))  # fmt: skip
    ax.set(xlim=(0.6, 9.6), ylim=(-len(named) + 0.4, 0.5))
    ax.axis("off")
    lines = [
        f"buffer {i}: {', '.join(f'{x:g}' for x in numbers)}; its names: {', '.join(names)}"
        for i, (numbers, names) in enumerate(groups, start=1)
    ]
    figure(
        fig,
        alt="Names on the left, buffers on the right. An arrow leads from each name to the buffer "
        "that holds its numbers; the array and the Tensor made by from_numpy point to one buffer.",
        text="\n".join(lines),
    )


def aliases():
    """Show the explorer of names that share buffers."""
    title = "Who changes along?"
    explorer("aliases", {}, title=title, height=500, words="\n".join(WORDS))


def said(runs):
    """The numbers of measured runs, in lines, rounded. runs: name -> viz.memory."""
    return "\n".join(
        f"{name}: at most {m.peak / 1e3:.0f} kilobytes alive, {left(m) / 1e3:.0f} at the end"
        for name, m in runs.items()
    )


def left(m):
    """The bytes alive when a measurement ended."""
    return m.moments[-1].bytes


def timeline(runs):
    """Show the bytes alive after each step. runs: name -> viz.memory."""
    fig, ax = subplots(height=3.4)
    for (name, m), style in zip(runs.items(), STYLES, strict=False):
        kilobytes = [moment.bytes / 1000 for moment in m.moments]
        ax.plot(range(1, len(kilobytes) + 1), kilobytes, label=name, **{**style, "markersize": 4})
    longest = max(runs.values(), key=lambda m: len(m.moments))
    phases = [moment.phase for moment in longest.moments]
    if "backward" in phases:
        turn = phases.index("backward") + 0.5
        ax.axvline(turn, color="#777777", linewidth=1)
        ax.text(turn + 0.2, ax.get_ylim()[1], "backward begins", va="top", size=10)
    ax.set(xlabel="step", ylabel="kilobytes alive")
    ax.legend(loc="upper left")
    figure(
        fig,
        alt="Bytes alive, step by step. On the way there the recorded runs climb layer by layer; "
        "no_grad climbs to three buffers and no further. On the way back, train jumps up for each "
        "gradient and down for each activation that is freed, lower each time; retain_graph ends "
        "about where the way back began.",
        text=said(runs),
    )


def lifelines(runs):
    """Show the life of each buffer, step by step, in an explorer. runs: name -> viz.memory."""
    data = [
        {"name": name, "moments": [moment._asdict() for moment in m.moments]}
        for name, m in runs.items()
    ]
    explorer(
        "memory",
        {"runs": data},
        title="Memory, step by step",
        height=800,
        words=said(runs),
    )


def batches(sizes, measured, parameters):
    """Show bytes against the size of the batch, both logarithmic."""
    fig, ax = subplots(height=3.2)
    ax.loglog(sizes, np.array(measured) / 1e3, label="activations", **STYLES[1])
    for count, label, style in (
        (1, "parameters", STYLES[0]),
        (2, "parameters and gradients", STYLES[2]),
    ):
        ax.loglog(sizes, [count * parameters / 1e3] * len(sizes), label=label, **style)
    ax.set(xlabel="rows in a batch", ylabel="kilobytes")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_yticks([10, 100, 1000], ["10", "100", "1000"])
    ax.minorticks_off()
    ax.legend()
    figure(
        fig,
        alt="Kilobytes against the size of the batch, on logarithmic axes. Activations rise in a "
        "straight line. They cross two flat lines: the parameters alone, and the parameters with "
        "their gradients.",
        text="\n".join(
            f"batch {size}: activations {found:,} bytes"
            for size, found in zip(sizes, measured, strict=True)
        )
        + f"\nparameters: {parameters:,} bytes, and as many again for their gradients",
    )
