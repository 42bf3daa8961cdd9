"""Figures of chapter 01: chords beside the tangent, the V-curve, and its explorer."""

import numpy as np

from kit.explorers import explorer
from kit.figures import COLORS, STYLES, figure, subplots

STEPS = [float(f"1e-{k}") for k in range(18)]  # 1, 0.1, ... down to 1e-17


def chords(f, true_slope, x, sizes):
    """Draw f, its tangent at x, and one chord from x to x + h for each h in sizes."""
    across = np.linspace(-1.0, 3.0, 100)
    ends = np.array([-0.6, 2.6])
    fig, ax = subplots(height=3.4)
    ax.plot(across, f(across), color=COLORS["black"], marker="")
    tangent = {"color": COLORS["green"], "linestyle": "-", "marker": "", "linewidth": 2.6}
    ax.plot(ends, f(x) + true_slope(x) * (ends - x), label="tangent", **tangent)
    lines = [f"true slope {true_slope(x):.4f}"]
    looks = (STYLES[1], {**STYLES[0], "linestyle": "-."}, STYLES[3])
    for h, style in zip(sizes, looks, strict=True):
        slope = (f(x + h) - f(x)) / h
        points = np.array([ends[0], x, x + h, ends[1]])
        label = f"chord, h = {h}"
        ax.plot(points, f(x) + slope * (points - x), markevery=[1, 2], label=label, **style)
        lines.append(f"chord with h = {h}: slope {slope:.4f}")
    ax.set(xlabel="input", ylabel="f", ylim=(-0.75, 1.3))
    ax.legend(loc="lower right")
    figure(
        fig,
        alt="A curve that rises and flattens, with its tangent and straight lines through the "
        "start and a second point on it. The nearer the second point, the closer the line lies to "
        "the tangent; all of them are flatter.",
        text="\n".join(lines),
    )


def errors(method, f, true_slope, x):
    """Return |slope by method - true slope| for each size of the nudge in STEPS."""
    truth = float(true_slope(float(x)))
    return [abs(float(method(f, x, h)) - truth) for h in STEPS]


def v_curve(methods, f, true_slope, points):
    """Draw the error against h, both logarithmic.

    methods: name -> method(f, x, h). points: dtype name -> x in that dtype; a curve for each pair.
    """
    fig, ax = subplots(height=3.6)
    lines, styles = [], iter(STYLES)
    for dtype, x in points.items():
        for name, method in methods.items():
            found = errors(method, f, true_slope, x)
            label = f"{name}, {dtype}" if len(points) > 1 else name
            ax.loglog(STEPS, np.maximum(found, 1e-16), label=label, **next(styles))
            best = int(np.argmin(found))
            lines.append(f"{label}: smallest error {found[best]:.0e}, at h = {STEPS[best]:.0e}")
    ax.set(xlabel="h: small on the left", ylabel="error")
    ax.legend(loc="lower left")
    figure(
        fig,
        alt=f"Error against the size of the nudge, {len(lines)} curves in the shape of a V. From "
        "the right they fall in a straight line, then turn and climb again, ragged, to the left.",
        text="\n".join(lines),
    )


def slider(f, true_slope, x):
    """Show the explorer: a slider for h, with the chord, the error and the digits beside it."""
    rows = []
    for h in (1e-1, 1e-5, 1e-12, 1e-17):
        slope = (f(x + h) - f(x - h)) / (2 * h)
        rows.append(
            f"h = {h:.0e}: f(x + h) = {f(x + h):.16f}, f(x - h) = {f(x - h):.16f}, "
            f"error {abs(slope - true_slope(x)):.1e}"
        )
    explorer(
        "nudge",
        {"x": x, "exponent": 0, "method": "central", "dtype": "float64"},
        title="A slider for the size of the nudge",
        height=480,
        words="Move h down: the chord turns into the tangent, and the error falls. Below the best "
        "h, the two results share so many digits that their difference is mostly rounding.\n"
        f"Central nudges of f at x = {x:g}, in float64:\n" + "\n".join(rows),
    )
