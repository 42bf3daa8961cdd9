"""Figures of chapter 09: time against size, the roofline, a step of training, rounding."""

import numpy as np

from kit.figures import COLORS, DASHES, MARKERS, STYLES, figure, subplots
from minitensor.timing import recorded as all_recorded
from minitensor.timing import seconds

OPS = ["conv2d", "add", "tanh", "sum", "matmul"]
HOLLOW = {"markerfacecolor": "white", "linestyle": "none"}


def sizes(rows, label):
    """Show recorded times against the size, with quartiles. rows: name -> Measurements."""
    fig, ax = subplots(height=3.6)
    for (name, found), style in zip(rows.items(), STYLES, strict=False):
        line(ax, *measured(found), f"{name}, {label}", style)
    ax.legend()
    finish(ax, "numbers")
    lines = [f"{name}: {listed(*measured(found))}" for name, found in rows.items()]
    figure(
        fig,
        alt="Time against the number of elements, both logarithmic. Each line is flat at first, "
        "then it bends and rises as steeply as the number of elements.",
        text="\n".join([*lines, f"All were measured: {label}."]),
    )


def measured(rows):
    """Sizes of Measurements, and their Timings."""
    return [m.size for m in rows], [m.timing for m in rows]


def recorded(group, name):
    """Lines for `crossover` from every recorded file: label -> (sizes, Timings)."""
    lines = {}
    for recording in all_recorded():
        for device in ("cpu", "cuda"):
            for journey in ("", ", data moved"):
                rows = recording.select(group=group + journey, name=name, device=device)
                if rows:
                    lines[recording.label(device) + journey] = measured(rows)
    return lines


def points(recording, device="cpu"):
    """Points for `roofline`: the smallest and the largest size of each op whose work is known."""
    found = {}
    for m in recording.select(device=device):
        if m.flops and m.group != "training" and "moved" not in m.group:
            point = (m.size, m.flops / m.bytes, m.flops / m.timing.median)
            found.setdefault(m.name, []).append(point)
    return {name: [row[0], row[-1]] for name, row in found.items()}


def line(ax, size, timings, label, style):
    """Draw medians, and the quartiles as bars around them."""
    us = np.array([1e6 * t.median for t in timings])
    low, high = np.array([[1e6 * q for q in t.quartiles] for t in timings]).T
    ax.errorbar(size, us, yerr=[us - low, high - us], label=label, capsize=3, **style)


def listed(size, timings):
    return ", ".join(f"{n} in {seconds(t.median)}" for n, t in zip(size, timings, strict=True))


def finish(ax, what):
    ax.set(xscale="log", yscale="log", xlabel=what, ylabel="microseconds")
    ax.minorticks_off()


def crossover(panels):
    """Show for each op: times on the CPU, and on a GPU with data there, and moved each time.

    panels: title -> (what x counts, lines), and lines: label -> (sizes, Timings).
    """
    fig, axes = subplots(1, len(panels), height=4.4)
    looks, words = {}, []
    for ax, (title, (what, lines)) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for label, (size, timings) in lines.items():
            style = looks.setdefault(label, STYLES[len(looks) % len(STYLES)])
            line(ax, size, timings, label, style)
            words.append(f"{title}, {label}: {listed(size, timings)}")
        ax.set_title(title)
        finish(ax, what)
    handles = {}
    for ax in np.atleast_1d(axes):
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    fig.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=1)
    figure(
        fig,
        alt="Time against size for sums and for matrix products, logarithmic. The CPU is lowest "
        "for small sizes. The GPU with its data in place is flat, then far below the CPU. With "
        "data moved each time it lies higher; for sums it stays above the CPU at every size.",
        text="\n".join(words),
    )


def roofline(limits, points, label):
    """Show what a machine can do at most, and where measured ops are under it.

    limits: a minitensor.timing.Limits, or a recording's dict with bandwidth and rate.
    points: name -> list of (size, operations a byte, operations a second), smallest and largest.
    """
    bandwidth, rate = (
        limits[k] if isinstance(limits, dict) else getattr(limits, k) for k in ("bandwidth", "rate")
    )
    x = np.array([0.03, rate / bandwidth, 300])
    fig, ax = subplots(height=4.2)
    ax.loglog(x, np.minimum(rate, x * bandwidth) / 1e9, "-", color="black", marker="", label="roof")
    said = [
        f"roof: {bandwidth / 1e9:.1f} GB/s, {rate / 1e9:.0f} billion operations a second; they "
        f"meet at {rate / bandwidth:.1f} operations a byte"
    ]
    for name, found in points.items():
        color, marker = look(name)
        across, up = [p[1] for p in found], [p[2] / 1e9 for p in found]
        ax.plot(across, up, ":", color=color, marker="", linewidth=1)
        ax.plot(across[0], up[0], color=color, marker=marker, markersize=8, **HOLLOW)
        ax.plot(across[-1], up[-1], color=color, marker=marker, ls="none", markersize=9, label=name)
        said += [
            f"{name}, size {size}: {at:.3g} operations a byte, {r / 1e9:.3g} billion a second"
            for size, at, r in found
        ]
    ax.set(xlabel="operations a byte", ylabel="billion operations a second")
    ax.set_title(f"{label} (hollow: smallest size, filled: largest)", loc="left", fontsize=10)
    ax.minorticks_off()
    ax.legend(loc="lower right")
    figure(
        fig,
        alt="A roof on logarithmic axes: a slope that rises to the right, then a flat part. Sums "
        "lie at the left under the slope, matrix products at the right under the flat part. The "
        "smallest sizes lie far below the roof.",
        text="\n".join(said),
    )


def look(name):
    """The colour and the marker of an op, the same in every roofline."""
    looks = list(zip(COLORS.values(), MARKERS, strict=False))
    return looks[OPS.index(name) if name in OPS else len(OPS)]


def training(lines):
    """Show how a training step grows with its batch. lines: label -> (batches, seconds)."""
    fig, ax = subplots(height=3.6)
    for (label, (batches, times)), style in zip(lines.items(), STYLES, strict=False):
        ax.loglog(batches, [t / times[0] for t in times], label=label, **style)
    ax.set(xlabel="examples in a batch", ylabel="time of a step,\nwith one example: 1")
    everywhere = sorted({n for batches, _ in lines.values() for n in batches})
    ax.set_xticks(everywhere, [str(n) for n in everywhere])
    ax.set_yticks([1, 2, 3, 5], ["1", "2", "3", "5"])
    ax.set_ylim(0.9, 5)
    ax.minorticks_off()
    ax.legend(loc="upper left")
    figure(
        fig,
        alt="How many times as long a step takes as with one example, against the size of the "
        "batch. The CPU's line rises at the end; that of the pretend GPU stays nearly flat.",
        text="\n".join(
            f"{label}: batch {n}: {t / times[0]:.2f} times as long as batch {batches[0]}"
            for label, (batches, times) in lines.items()
            for n, t in zip(batches, times, strict=True)
        ),
    )


def rounding(numbers, errors):
    """Show the worst error of sums against how many numbers they add. errors: name -> list."""
    fig, ax = subplots(height=3.6)
    for (name, found), style in zip(errors.items(), STYLES, strict=False):
        ax.loglog(numbers, found, label=name, **style)
    eps = np.finfo(np.float32).eps
    ax.axhline(eps, color="#777777", linestyle=DASHES[3], marker="")
    ax.text(numbers[-1], eps * 1.3, "one step of float32", size=9, ha="right", va="bottom")
    ax.set(xlabel="numbers added", ylabel="error / sum")
    ax.minorticks_off()
    ax.legend(loc="upper left")
    figure(
        fig,
        alt="Relative error of float32 sums against how many numbers are added, logarithmic. One "
        "after the other, the error grows with the number. In pairs it stays about as small as one "
        "step of float32.",
        text="\n".join(
            f"{name}: " + ", ".join(f"{e:.0e} at {n}" for n, e in zip(numbers, found, strict=True))
            for name, found in errors.items()
        ),
    )
