"""Figures of chapter 04: two pictures, strides over one line of memory, and their explorer."""

from itertools import pairwise

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from kit.explorers import explorer
from kit.figures import COLORS, figure, subplots

HEIGHT, BREADTH = 24, 36  # of the pictures, in pixels


def two_pictures():
    """Return two small colour pictures as a file holds them: N × H × W × C, uint8.

    They are painted by arithmetic: a sun above the sea, and a moon above hills.
    """
    y, x = np.mgrid[0:HEIGHT, 0:BREADTH]
    day, night = (np.zeros((HEIGHT, BREADTH, 3), np.uint8) for _ in range(2))
    day[...] = np.stack([120 + 5 * y, 180 - 3 * y, 240 - 6 * y], axis=-1)
    day[(y - 8) ** 2 + (x - 24) ** 2 <= 20] = (255, 230, 90)
    day[y >= 16] = (20, 90, 150)
    night[...] = (15, 20, 60)
    night[(y - 7) ** 2 + (x - 9) ** 2 <= 16] = (235, 235, 215)
    night[y >= 20 - ((x * 5) % 23) // 4] = (30, 110, 50)
    return np.stack([day, night])


def pictures(batches):
    """Show pictures, one batch a row. batches: title -> array N × C × H × W of uint8."""
    columns = max(len(batch) for batch in batches.values())
    fig, rows = subplots(len(batches), columns, height=1.9 * len(batches), width=6.2, squeeze=False)
    for (title, batch), row in zip(batches.items(), rows, strict=True):
        for i, (ax, picture) in enumerate(zip(row, np.asarray(batch), strict=True)):
            ax.imshow(picture.transpose(1, 2, 0), interpolation="nearest")
            ax.set_title(f"{title}, picture {i}", fontsize=10)
            ax.axis("off")
    figure(
        fig,
        alt="Above: two pictures of stripes and bright lines, nothing to be recognised. Below: "
        "a sun above the sea, and a moon above hills.",
        text="\n".join(f"{title}: shape {tuple(batch.shape)}" for title, batch in batches.items()),
    )


# Strides over one line of memory. The views are of arange(n): a value is its cell's number.


def memory(views):
    """Draw views of one arange: as tables, and as a walk along the line of memory.

    views: name -> Tensor of one or two axes, a view of one and the same arange.
    """
    cells = 1 + max(int(view.max()) for view in views.values())
    fig, axes = subplots(len(views), 1, height=1.4 * len(views), squeeze=False)
    lines = []
    for (name, view), ax in zip(views.items(), axes[:, 0], strict=True):
        values = np.atleast_2d(view.numpy())
        ax.set_title(f"{name}: shape {tuple(view.shape)}, stride {view.stride()}", loc="left",
                     fontsize=10.5, family="monospace")  # fmt: skip
        table(ax, values)
        walk(ax, [int(v) for v in values.ravel()], cells)
        ax.set(xlim=(-0.3, 9.5 + cells), ylim=(-2.7, 1.0), aspect="equal")
        ax.axis("off")
        order = " ".join(str(v) for v in values.ravel())
        lines.append(
            f"{name}: shape {tuple(view.shape)}, stride {view.stride()}; read row by "
            f"row, it visits cells {order}"
        )
    figure(
        fig,
        alt="One row for each view. On the left its table of numbers; on the right the same line "
        "of memory each time, with arrows that hop from cell to cell in the order of reading. "
        "For the first view each hop goes to the next cell; the others leap to and fro, or stay.",
        text="\n".join(lines),
    )


def table(ax, values):
    """Draw a small table of cell numbers, its top at y = 0.5."""
    rows, columns = values.shape
    for r in range(rows):
        for c in range(columns):
            square(ax, c, -r, values[r, c], COLORS["black"])


def square(ax, x, y, text, edge, **kind):
    ax.add_patch(Rectangle((x, y - 0.5), 1, 1, facecolor="white", edgecolor=edge, **kind))
    ax.text(x + 0.5, y, text, ha="center", va="center", fontsize=10)


def walk(ax, order, cells):
    """Draw the line of memory, and an arrow from each cell read to the next one read."""
    left, y = 6.5, -1.0
    for i in range(cells):
        read = {} if i in order else {"linestyle": ":", "alpha": 0.5}
        square(ax, left + i, y, i, COLORS["blue"], linewidth=1.4, **read)
    for a, b in pairwise(order):
        ahead = b > a
        side = y + (0.5 if ahead else -0.5)
        bend = -0.55 if abs(b - a) < 2 else -0.4
        arrow = FancyArrowPatch(
            (left + a + 0.5, side), (left + b + 0.5, side), arrowstyle="-|>", mutation_scale=9,
            connectionstyle=f"arc3,rad={bend}", color=COLORS["vermilion" if ahead else "purple"],
            linestyle="-" if ahead else "--", linewidth=1.2, shrinkA=1, shrinkB=1,
        )  # fmt: skip
        if a != b:
            ax.add_patch(arrow)


def strides():
    """Show the explorer: shape, strides, one line of memory, operations live."""
    explorer(
        "strides",
        {"shapes": [[2, 3], [3, 4], [2, 3, 4]]},
        title="A line of memory to look through",
        height=530,
        words="t = arange(6).view(2, 3) has shape (2, 3) and stride (3, 1): t[i, j] reads cell "
        "3·i + 1·j.\n"
        "transpose(0, 1): shape (3, 2), stride (1, 3). The same memory: t[i, j] reads cell "
        "1·i + 3·j.\n"
        "then view(6) is refused. It would have to join axis 0 and axis 1. But one step along "
        "axis 0 goes 1 in memory, and axis 1 takes 2 steps of 3, together 6.\n"
        "[:, 1:]: shape (2, 2), stride (3, 1), offset 1. Cells 0 and 3 are not read.\n"
        "unsqueeze(0), then expand(2, -1, -1): shape (2, 2, 3), stride (0, 3, 1). Each cell is "
        "read by two indices.\n"
        "contiguous(), after a transpose: copied into new memory, in the order of reading.",
    )
