"""Figures of chapter 05: tables of slopes, arrows that add back, lines, V-curves, the explorer."""

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from kit.explorers import explorer
from kit.figures import COLORS, STYLES, figure, subplots

WORDS = [  # of the explorer
    "x of shape (4, 3) + y of shape (3,): y lacks the first axis, so each of its numbers is copied "
    "to 4 cells.",
    "With g = 1 everywhere, each number of y.grad is 1 + 1 + 1 + 1 = 4; x.grad is 1 everywhere.",
    "With y of shape (4, 1), each number is copied to the 3 cells of its row: its gradient is 3.",
    "With y of shape (), its one number is copied to 12 cells, and its gradient is 12.",
    "Shapes (4, 3) and (4,) do not fit: on the right, 3 meets 4, and neither is 1.",
]
SHAPES = [[], [3], [4], [1, 3], [4, 1], [1, 1], [4, 3], [2, 3]]


def tables(named):
    """Draw tables of slopes side by side. named: title -> array (results, inputs)."""
    fig, axes = subplots(1, len(named), height=2.6)
    lines = []
    for ax, (title, table) in zip(axes, named.items(), strict=True):
        rows, columns = table.shape
        for i, j in np.ndindex(rows, columns):
            slope = round(float(table[i, j]), 3) + 0.0
            full = "#CFE3F1" if slope else "white"
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor=full, edgecolor="#888888"))
            ax.text(j + 0.5, i + 0.5, f"{slope:g}", ha="center", va="center", size=11)
        ax.set(xlim=(-0.1, 4), ylim=(4.1, -0.1), aspect="equal")
        ax.set_title(title, loc="left", size=11)
        ax.axis("off")
        rounded = [[f"{x + 0.0:g}" for x in row] for row in table.round(3)]
        lines.append(f"{title}: " + "; ".join(" ".join(row) for row in rounded))
    figure(
        fig,
        alt="Four tables of slopes, a row for each result and a column for each input. Squares: "
        "only the diagonal is filled. cumsum: the lower triangle. A sum: one row of ones. A copy: "
        "one column of ones.",
        text="\n".join(lines),
    )


def arrows_that_add_back(g):
    """Draw a bias copied down to the rows, and the way back. g: upstream gradient (rows, n)."""
    rows, n = g.shape
    fig, (left, right) = subplots(1, 2, height=3.9)
    sums = g.sum(0)
    for ax, top, names in ((left, [f"b[{j}]" for j in range(n)], None), (right, sums, g)):
        for j in range(n):
            label = top[j] if names is None else f"{top[j]:g}"
            cell(ax, j, rows + 0.7, label, COLORS["blue"], bold=True)
            for i in range(rows):
                y = rows - 1 - i
                inside = f"b[{j}]" if names is None else f"{g[i, j]:g}"
                cell(ax, j, y, inside, "#888888")
                arrow(ax, j, y, rows + 0.7, back=names is not None)
        ax.set(xlim=(-0.75, n - 0.1), ylim=(-0.7, rows + 1.4), aspect="equal")
        ax.axis("off")
    left.set_title("forward: b is copied to each row")
    right.set_title("backward: the shares of g add up")
    for ax, words in ((left, ("b", "b in\nx + b")), (right, ("b.grad", "g"))):
        ax.text(-0.62, rows + 0.7, words[0], ha="right", va="center", family="monospace")
        ax.text(-0.62, (rows - 1) / 2, words[1], ha="right", va="center", family="monospace")
    columns = [" + ".join(f"{x:g}" for x in g[:, j]) + f" = {sums[j]:g}" for j in range(n)]
    figure(
        fig,
        alt=f"Left: each of the {n} numbers of b, with solid arrows down to its copy in each of "
        f"{rows} rows. Right: the same arrows, dashed and pointing up, from the {rows * n} numbers "
        "of g to b.grad; those of one column meet in one sum.",
        text="\n".join(columns),
    )


def cell(ax, x, y, label, edge, bold=False):
    """Draw one box of a grid, at its centre."""
    size = (0.62, 0.5)
    corner = (x - size[0] / 2, y - size[1] / 2)
    ax.add_patch(Rectangle(corner, *size, facecolor="white", edgecolor=edge, linewidth=1.8))
    weight = "bold" if bold else "normal"
    ax.text(x, y, label, ha="center", va="center", size=10, weight=weight)


def arrow(ax, x, y, top, back):
    """Draw an arrow between the box at the top and a copy of it, bent past those between."""
    high, low = (x + 0.2, top - 0.27), (x + 0.33, y + 0.08)
    ends = (low, high) if back else (high, low)
    style = "--" if back else "-"
    color = COLORS["vermilion"] if back else COLORS["blue"]
    bend = 0.16 if back else -0.16
    ax.add_patch(
        FancyArrowPatch(
            *ends,
            arrowstyle="-|>",
            mutation_scale=11,
            linestyle=style,
            color=color,
            connectionstyle=f"arc3,rad={bend}",
            linewidth=1.3,
        )
    )


def two_lines(x, y, slopes):
    """Show the penguins and the line that each shape of the target led to. slopes: shape -> w."""
    fig, ax = subplots(height=3.4)
    ax.plot(x, y, linestyle="", marker=".", color="#AAAAAA", label="penguins")
    ends = np.array([x.min(), x.max()])
    for (shape, w), style in zip(slopes.items(), STYLES, strict=False):
        ax.plot(ends, w * ends, label=f"target of shape {shape}", linewidth=2.4, **style)
    ax.set(xlabel="flipper, standardised", ylabel="mass, standardised")
    ax.legend()
    figure(
        fig,
        alt="A cloud of penguins, rising to the right. The line learnt from a column of targets "
        "rises through it; the line learnt from a row of targets is flat.",
        text="\n".join(f"target {shape}: slope {w:z.3f}" for shape, w in slopes.items()),
    )


def v_curves(single, double):
    """Show errors of a nudged slope, at steps of 1e-1 to 1e-8, in float32 and in float64."""
    fig, ax = subplots(height=3.4)
    steps = [10.0**-power for power in range(1, 1 + len(single))]
    ax.loglog(steps, single, label="float32", **STYLES[1])
    ax.loglog(steps, double, label="float64", **STYLES[0])
    ax.set(xlabel="step h", ylabel="error of the slope")
    ax.invert_xaxis()
    ax.legend()
    best = [steps[int(np.argmin(errors))] for errors in (single, double)]
    figure(
        fig,
        alt="Two V-shaped curves of error against a step that shrinks to the right. float32 turns "
        "early and climbs to errors near 1; float64 falls much further before it turns.",
        text=f"Smallest error: float32 at h = {best[0]:.0e}, float64 at h = {best[1]:.0e}.",
    )


def broadcasting():
    """Show the broadcasting explorer, at (4, 3) and (3,)."""
    explorer(
        "broadcast",
        {"shapes": SHAPES, "x": [4, 3], "y": [3]},
        title="Broadcasting, forward and back",
        height=600,
        words="\n".join(WORDS),
    )
