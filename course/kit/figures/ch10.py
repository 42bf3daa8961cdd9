"""Figures of chapter 10: the spread through twenty layers, the race and its page, three starts."""

import numpy as np

from kit.explorers import explorer
from kit.figures import COLORS, STYLES, figure, subplots

RATES = {"SGD": 0.9, "momentum": 0.1, "RMSprop": 0.2, "Adam": 0.5}
FLOOR, ROOF = 1e-30, 1e20  # of the axes; beyond them a line is cut off


def valley(p):
    """The loss of the race: at p = (x, y), x²/20 + y². A Tensor of shape (2,) goes in."""
    return p[0] ** 2 / 20 + p[1] ** 2


def power(number):
    """A number as a power of ten, for what varies in its later digits: "1e-21", "0"."""
    return f"1e{round(float(np.log10(number)))}" if number > 0 else "0"


def spread(found):
    """Draw the spread of activations and of gradients, layer by layer, for several starts.

    found: name -> (spreads of activations, spreads of gradients), each one number a layer.
    """
    fig, axes = subplots(1, 2, height=3.7, sharey=True)
    lines = []
    for (name, sides), style in zip(found.items(), STYLES, strict=False):
        for ax, spreads in zip(axes, sides, strict=True):
            layers = np.arange(1, len(spreads) + 1)
            seen = [value if value > 0 else np.nan for value in spreads]
            ax.semilogy(layers, seen, label=name, markevery=3, **style)
        ends = [f"{power(s[0])} in layer 1, {power(s[-1])} in layer {len(s)}" for s in sides]
        lines.append(f"{name}: activations {ends[0]}; gradients {ends[1]}")
    axes[0].set(xlabel="layer", ylabel="spread (each line: 10⁵ times)")
    axes[0].set_title("activations (forward)")
    axes[1].set(xlabel="layer", title="gradients of weights (backward)")
    for ax in axes:
        ax.set(ylim=(FLOOR, ROOF), yticks=10.0 ** np.arange(-30, 21, 5), xticks=[1, 5, 10, 15, 20])
        ax.minorticks_off()
    axes[0].legend(loc="lower left", title="std of the weights")
    figure(
        fig,
        alt="Two panels, spread against layer, on a scale of powers of ten. With small weights the "
        "activations sink layer by layer, with large ones they climb, with the right ones they "
        "run level. The gradients on the right lie far below, far above, and level.",
        text="\n".join(lines),
    )


def race(paths):
    """Draw the ways of several optimisers down the valley, from above. paths: name -> places."""
    fig, ax = subplots(height=3.5)
    x, y = np.meshgrid(np.linspace(-8.2, 4, 120), np.linspace(-2.6, 2.6, 80))
    heights = valley(np.stack([x, y]))
    ax.contour(x, y, heights, levels=[0.05, 0.3, 1, 2, 3.5, 6, 9], colors="#999999", linewidths=0.7)
    for (name, path), style in zip(paths.items(), STYLES, strict=False):
        ax.plot(*np.array(path).T, label=name, markersize=4, **{**style, "linewidth": 1.2})
    ax.plot(0, 0, marker="*", markersize=14, color=COLORS["black"], linestyle="")
    ax.set(xlabel="x", ylabel="y")
    ax.grid(False)
    ax.legend(loc="lower right")
    lines = [
        f"{name}: from ({path[0][0]:.1f}, {path[0][1]:.1f}) to ({path[-1][0]:z.1f}, "
        f"{path[-1][1]:z.1f}) in {len(path) - 1} steps"
        for name, path in paths.items()
    ]
    figure(
        fig,
        alt="A long valley from above, a star at its bottom. Plain descent zigzags across and "
        "creeps along it. Momentum swings wide and runs past the star. Adam curves in, and runs "
        "past it too.",
        text="\n".join(lines),
    )


def race_page():
    """Show the explorer: four optimisers, each with its rate, and a start to choose."""
    explorer(
        "race",
        {"start": [-7, 2], "rates": RATES, "step": 40},
        title="A race down the valley",
        height=610,
        words="The loss is x²/20 + y²: a valley, steep across and flat along.\n"
        "From (-7, 2), SGD at rate 0.9 zigzags and creeps: loss 0.0013 after 40 steps. At 1.01 it "
        "climbs out of the valley, and at 0.1 it no longer zigzags and creeps more slowly.\n"
        "Momentum at rate 0.1 runs past the bottom and comes back: 0.1 after 40 steps.\n"
        "RMSprop and Adam divide each direction's slope by its usual size: steep or flat, both "
        "directions move by about the rate at first.",
    )


def starts(curves):
    """Draw the loss of one network from several starts, step by step. curves: name -> losses."""
    fig, ax = subplots(height=3.3)
    lines = []
    for (name, losses), style in zip(curves.items(), STYLES, strict=False):
        ax.semilogy(losses, label=f"std {name}", markevery=6, **style)
        lines.append(f"std {name}: {near(losses[0])} at first, {near(losses[-1])} at the end")
    ax.axhline(np.log(10), color="#777777", linewidth=1, label="a guess at random")
    ax.set(xlabel="step", ylabel="loss (powers of ten)")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure(
        fig,
        alt="Loss against step for three starts. Small weights stay level at the loss of a guess. "
        "Large weights start and stay more than ten powers of ten above. The right ones sink.",
        text="\n".join(lines),
    )


def near(loss):
    """A loss in words: rough where its digits vary with the machine."""
    if loss > 1e6:
        return "over a million"
    return f"{loss:.1f}" if loss > 0.2 else "under 0.2"
