"""Figures of chapter 12: tables of pixels, windows as columns, a race, what a layer sees."""

from time import perf_counter

import numpy as np
from matplotlib.patches import Rectangle

from kit.explorers import explorer
from kit.figures import COLORS, figure, subplots

CHOSEN = [(0, "blue", "-"), (4, "vermilion", "--"), (8, "green", ":")]  # windows to outline


def tables(named):
    """Show small tables side by side, numbers in them. named: title -> array of two axes."""
    sizes = [max(3.2, values.shape[1]) for values in named.values()]
    fig, axes = subplots(
        1, len(named), height=min(3.4, 7 * 8 / sum(sizes)), squeeze=False, width_ratios=sizes
    )
    for (title, values), ax in zip(named.items(), axes[0], strict=True):
        size = 10 if values.shape[1] < 9 else 8
        shaded(ax, values, size)
        ax.set_title(f"{title}, {values.shape[0]} × {values.shape[1]}", fontsize=10.5)
    lines = [f"{title}: {in_rows(values)}" for title, values in named.items()]
    figure(
        fig,
        alt="Tables of numbers, side by side. The larger a number, the darker its grey; numbers "
        "below 0 are blue.",
        text="\n".join(lines),
    )


def in_rows(values):
    return " / ".join(" ".join(f"{v:g}" for v in row) for row in np.asarray(values))


def shaded(ax, values, size=10):
    """Draw a table: grey by size, blue if negative, with the numbers."""
    values = np.asarray(values, float)
    most = max(1.0, np.abs(values).max())
    pale = np.where(values[..., None] < 0, [0.45, 0.72, 0.92], [0.55, 0.55, 0.55])
    ax.imshow(1 - (1 - pale) * np.abs(values[..., None]) / most, interpolation="nearest")
    for (r, c), value in np.ndenumerate(values):
        ax.text(c, r, f"{value:g}".replace("-", "−"), ha="center", va="center", fontsize=size)
    outline(ax, values.shape)


def outline(ax, shape):
    """Cell borders, and no ticks."""
    ax.set_xticks(np.arange(shape[1] + 1) - 0.5, labels=[])
    ax.set_yticks(np.arange(shape[0] + 1) - 0.5, labels=[])
    ax.tick_params(length=0)
    ax.grid(color="#BBBBBB", linewidth=0.6)
    ax.spines[:].set_visible(True)


def windows_as_columns(size=5, kernel=3):
    """Draw a picture of cell numbers, and its windows as columns; three of them are outlined."""
    cells = np.arange(size * size).reshape(size, size)
    windows = np.lib.stride_tricks.sliding_window_view(cells, (kernel, kernel))
    count = windows.shape[1]
    columns = windows.reshape(-1, kernel * kernel).T
    fig, (left, right) = subplots(1, 2, height=3.7, width_ratios=(size, columns.shape[1]))
    for ax, values in ((left, cells), (right, columns)):
        shaded(ax, np.zeros_like(values), 1)
        for text in list(ax.texts):
            text.remove()
        for (r, c), value in np.ndenumerate(values):
            bold = "bold" if value == 12 else "normal"
            ax.text(c, r, value, ha="center", va="center", fontsize=10, fontweight=bold)
    for nth, (number, color, dash) in enumerate(CHOSEN):
        row, column = divmod(number, count)
        inset = 0.07 * nth
        frame(
            left, column + inset, row + inset, kernel - 2 * inset, kernel - 2 * inset, color, dash
        )
        frame(right, number, 0, 1, len(columns), color, dash)
    left.set_title("picture: each pixel's own number", fontsize=10.5)
    right.set_title("columns: one for each window", fontsize=10.5)
    right.set_xticks(range(columns.shape[1]), labels=range(columns.shape[1]), minor=True)
    right.tick_params(which="minor", length=0, labelsize=9)
    right.set_xlabel("window")
    lines = [f"window {n}: pixels {' '.join(map(str, columns[:, n]))}" for n, _, _ in CHOSEN]
    times = int((columns == 12).sum())
    figure(
        fig,
        alt="On the left a picture of 5 × 5 pixels, numbered 0 to 24, with three windows of 3 × 3 "
        "outlined: at the top left, in the middle, at the bottom right. On the right a table of 9 "
        "rows and 9 columns. The same three outlines stand around its columns 0, 4 and 8.",
        text="\n".join([*lines, f"pixel 12 stands in {times} columns"]),
    )


def frame(ax, x, y, width, height, color, dash):
    ax.add_patch(
        Rectangle((x - 0.5, y - 0.5), width, height, facecolor="none", edgecolor=COLORS[color],
                  linestyle=dash, linewidth=3, zorder=5, clip_on=False)
    )  # fmt: skip


def race(batch, kernels):
    """Print how long a batch takes by loops (one run), and as one product (best of five)."""
    by_hand, weights = batch.numpy(), kernels.numpy()
    size = weights.shape[2]
    last = [n - size + 1 for n in by_hand.shape[2:]]

    def loops():
        out = np.zeros((len(by_hand), len(weights), *last), by_hand.dtype)
        for n, picture in enumerate(by_hand):
            for o, kernel in enumerate(weights):
                for i in range(last[0]):
                    for j in range(last[1]):
                        window = picture[:, i : i + size, j : j + size]
                        out[n, o, i, j] = (window * kernel).sum()

    def product():
        windows = np.lib.stride_tricks.sliding_window_view(by_hand, (size, size), axis=(2, 3))
        columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(by_hand), -1, last[0] * last[1])
        return weights.reshape(len(weights), -1) @ columns

    slow, fast = seconds(loops, 1), seconds(product, 5)
    print(f"on this processor: loops {1000 * slow:.0f} ms, im2col and a product "
          f"{1000 * fast:.1f} ms, {slow / fast:.0f} times as fast")  # fmt: skip


def seconds(call, times):
    """The shortest of a few runs."""
    taken = []
    for _ in range(times):
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    return min(taken)


def what_it_sees(kernels, seen):
    """Show the kernels of a layer, O × 3 × 3, above what each gives for one picture, O × H × W."""
    kernels, seen = kernels.detach().numpy(), seen.detach().numpy()
    shown = min(8, len(kernels))
    loudest = np.argsort(-seen.max(axis=(1, 2)), kind="stable")[:shown]
    fig, rows = subplots(2, shown, height=2.3)
    most = np.abs(kernels).max()
    for column, number in enumerate(loudest):
        rows[0, column].imshow(kernels[number], cmap="gray", vmin=-most, vmax=most)
        rows[1, column].imshow(seen[number], cmap="gray", vmin=0, vmax=seen.max())
        rows[0, column].set_title(f"kernel {number}", fontsize=9)
    for ax in rows.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)  # white cells would vanish on a white page
    figure(
        fig,
        alt=f"{shown} of the {len(kernels)} learned kernels, as small grey tables, those that "
        "answer most to this picture. Below each, the seven as that kernel sees it: one and the "
        "same digit, with other parts of its strokes lit up.",
        text=f"kernels: {kernels.shape[0]} of {kernels.shape[1]} × {kernels.shape[2]}; each gives "
        f"{seen.shape[1]} × {seen.shape[2]} numbers, none negative after the ReLU",
    )


def paint_a_kernel(x, w):
    """Show the explorer: a picture and a kernel to paint, their windows, columns and output."""
    plus = np.zeros((8, 8), int)
    plus[3:5, 1:7] = plus[1:7, 3:5] = 1
    pictures = {"seven": x, "plus": plus, "one dot": np.eye(8, dtype=int) * 0, "empty": 0 * plus}
    pictures["one dot"][3, 3] = 1
    kernels = {
        "upright edges": w, "level edges": w.T, "sum": np.ones((3, 3)),
        "middle only": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        "outline": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    }  # fmt: skip
    whole = {
        "pictures": {
            name: np.asarray(value).astype(int).tolist() for name, value in pictures.items()
        },
        "kernels": {
            name: np.asarray(value).astype(int).tolist() for name, value in kernels.items()
        },
    }
    explorer(
        "kernel",
        whole,
        title="Paint a picture, or a kernel",
        height=640,
        words="With the seven and the kernel for upright edges, stride 1 and padding 0, the output "
        "is 6 × 6 and the table of columns 9 × 36.\n"
        "Each number of the output is the kernel times one window, summed; the window is one "
        "column of the table.\n"
        "Padding 1 makes the output 8 × 8, and 9 × 64 columns. Stride 2 makes it 3 × 3; with "
        "padding 1, 4 × 4.\n"
        "A pixel in the middle is in 9 windows, one at the corner in 1: so many shares does its "
        "gradient add up.\n"
        'The picture "one dot" shows the kernel itself in the output, turned round.',
    )
