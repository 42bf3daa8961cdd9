"""Figures of chapter 08: a queue of launches, first calls, samples of a time."""

import numpy as np
from matplotlib.patches import Rectangle

from kit.explorers import explorer
from kit.figures import COLORS, STYLES, figure, subplots
from minitensor.timing import seconds

SIMULATED = "simulated, not measured"
DEVICE = {"overhead": 0.5, "compiling": 3}  # of the explorer, in milliseconds
WORDS = """
Each launch costs the host 0.5 ms. y = x @ x gives the device 4 ms of work, z = y + y 1 ms.
y = x @ x: the stopwatch on the host reads 0.5 ms; the device works until 4.5 ms.
y = x @ x, then synchronize(): the stopwatch reads 4.5 ms.
y = x @ x, then load the next batch (3 ms on the host): 3.5 ms, and the device works meanwhile.
y = x @ x, y[0].item(), then load the next batch: 8 ms, as the host waits for the number first.
"""


def timeline(launches, waits=True):
    """Draw when launches returned, and when their work was done, on one line of microseconds.

    launches: minitensor.timing.Launch. waits: whether the host waited at the end.
    """
    zero, done = launches[0].called, launches[-1].finished
    us = [[1e6 * (t - zero) for t in row[1:]] for row in map(astuple, launches)]
    fig, ax = subplots(height=2.7)
    for i, ((called, returned, started, finished), color) in enumerate(
        zip(us, colors(len(us)), strict=True), start=1
    ):
        ax.add_patch(box(called, returned, 1.0, color, "//"))
        ax.add_patch(box(started, finished, 0.0, color, ""))
        ax.plot([returned, started], [1.0, 0.6], "-", color="#777777", marker="", linewidth=1)
        ax.text((started + finished) / 2, 0.3, f"work {i}", ha="center", va="center")
    last, end = us[-1][1], 1e6 * (done - zero)
    if waits:
        ax.add_patch(box(last, end, 1.0, "white", ""))
        ax.text((last + end) / 2, 1.3, "synchronize: the host waits", ha="center", va="center")
    ax.axvline(last, color=COLORS["vermilion"], linestyle="--")
    ax.text(last, 1.75, " last call returned", color=COLORS["vermilion"], va="center")
    ax.axvline(end, color="black", linestyle=":")
    ax.text(end, 1.75, "finished ", ha="right", va="center")
    ax.set(xlim=(-0.01 * end, 1.02 * end), ylim=(-0.15, 1.95), yticks=[0.3, 1.3])
    ax.set(yticklabels=["device", "host"], xlabel=f"microseconds ({SIMULATED})")
    ax.grid(False)
    figure(
        fig,
        alt="A time line with two rows. On the host, short launches follow each other at once; "
        "then it waits. On the device, one long piece of work after the other.",
        text="\n".join(
            f"work {i}: the launch returned at {row[1]:.0f} µs, "
            f"the work was done at {row[3]:.0f} µs"
            for i, row in enumerate(us, start=1)
        ),
    )


def astuple(launch):
    return launch.name, launch.called, launch.returned, launch.started, launch.finished


def colors(n):
    names = ["blue", "orange", "green", "purple", "sky"]
    return [COLORS[names[i % len(names)]] for i in range(n)]


def box(left, right, bottom, color, hatch):
    return Rectangle(
        (left, bottom), right - left, 0.6, facecolor=color, edgecolor="black", alpha=0.8,
        hatch=hatch,
    )  # fmt: skip


def launches():
    """Show the explorer of a queue of launches, and what a stopwatch reads."""
    explorer(
        "launches",
        {"device": DEVICE},
        title="What does the stopwatch read? (a simulation)",
        height=420,
        words=WORDS.strip(),
    )


def first_calls(simulated, recordings):
    """Show the first calls one by one: of the pretend GPU, and of every recorded device."""
    fig, ax = subplots(height=3.6)
    shown = [(f"pretend GPU, {SIMULATED}", simulated)]
    for recording in recordings:
        for m in recording.select(group="first calls"):
            shown.append((recording.label(m.device), m.timing.samples))
    for (label, samples), style in zip(shown, STYLES, strict=False):
        ax.semilogy(range(1, len(samples) + 1), np.array(samples) * 1e3, label=label, **style)
    ax.set(xlabel="call", ylabel="milliseconds", xticks=[1, 5, 10, 15, 20])
    ax.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    figure(
        fig,
        alt="Time of each of the first 20 calls, on a logarithmic axis. In every line the first "
        "call stands far above the others.",
        text="\n".join(
            f"{label}: call 1 {seconds(samples[0])}, call 2 {seconds(samples[1])}, "
            f"call 20 {seconds(samples[-1])}"
            for label, samples in shown
        ),
    )


def spread(samples):
    """Show samples in the order in which they came, with their median, quartiles and mean."""
    us = 1e6 * np.array(samples)
    low, middle, high = np.quantile(us, [0.25, 0.5, 0.75])
    fig, ax = subplots(height=3.2)
    ax.axhspan(low, high, color=COLORS["sky"], alpha=0.35, label="between the quartiles")
    ax.axhline(middle, color=COLORS["blue"], linestyle="-", label="median")
    ax.axhline(us.mean(), color=COLORS["vermilion"], linestyle="--", label="mean")
    ax.plot(range(1, len(us) + 1), us, "o", color="black", label="one sample")
    ax.set(xlabel="sample", ylabel="microseconds", ylim=(0, 1.35 * us.max()))
    ax.set_title(SIMULATED, loc="left")
    ax.legend(ncols=2, loc="upper right")
    figure(
        fig,
        alt="Samples of one time. Most lie in a band; a few lie at about twice its height. The "
        "mean lies above the median.",
        text=f"{len(us)} samples: the smallest {us.min():.0f} µs, the largest {us.max():.0f} µs\n"
        f"median {middle:.0f} µs, quartiles {low:.0f} and {high:.0f} µs, mean {us.mean():.0f} µs",
    )
