"""Figures of chapter 00: penguins, losses and paths, the slider, and the map of five reasons."""

import base64
import html
import io
import warnings

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from kit.figures import COLORS, HOUSE, STYLES, figure, subplots

FLIPPER, MASS = "flipper length in mm", "mass in g"
DOTS = {"s": 14, "color": "#888888", "alpha": 0.6, "linewidths": 0}


def quietly(function):
    """Call a function without PyTorch's warning on `.grad` of a result; chapter 06 explains it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The .grad attribute")
        return function()


def scatter(flipper, mass):
    """Draw mass against flipper length, one dot for each penguin."""
    fig, ax = subplots(height=3.0)
    ax.scatter(flipper, mass, **DOTS)
    ax.set(xlabel=FLIPPER, ylabel=MASS)
    figure(
        fig,
        alt="A cloud of dots that rises to the right: longer flippers go with heavier penguins.",
        text=f"{len(mass)} penguins. Flippers {flipper.min():.0f} to {flipper.max():.0f} mm, mean "
        f"{flipper.mean():.0f}.\nMasses {mass.min():.0f} to {mass.max():.0f} g, mean "
        f"{mass.mean():.0f}.",
    )


def fitted(flipper, mass, w, b):
    """Draw the penguins and the line that w and b, learnt on standardised data, stand for."""
    at = np.array([flipper.min(), flipper.max()])
    guess = mass.mean() + mass.std() * (w * (at - flipper.mean()) / flipper.std() + b)
    steepness = w * mass.std() / flipper.std()
    fig, ax = subplots(height=3.0)
    ax.scatter(flipper, mass, **DOTS)
    ax.plot(at, guess, color=COLORS["blue"], marker="", label=f"{steepness:.0f} g more for each mm")
    ax.set(xlabel=FLIPPER, ylabel=MASS)
    ax.legend()
    figure(
        fig,
        alt="The same cloud with a straight line through its middle.",
        text=f"The line rises by {steepness:.0f} g for each mm of flipper.",
    )


def rates(run, chosen):
    """Draw the losses of runs with different learning rates. run(rate) -> (w, b, losses)."""
    fig, ax = subplots(height=3.4)
    lines = []
    for rate, style in zip(chosen, STYLES, strict=False):
        losses = [float(value) for value in run(rate)[2]]
        ax.plot(losses, label=f"rate {rate}", markevery=3, **style)
        end = f"{float(f'{losses[-1]:.2g}'):,g}"  # two digits: later ones vary with the machine
        lines.append(f"rate {rate}: loss {losses[1]:.2f} after 1 step, {end} at the end")
    ax.set(xlabel="step", ylabel="loss (each line: 10 times more)", yscale="log")
    ax.legend()
    figure(
        fig,
        alt="Loss against step for four learning rates, on a scale of powers of ten. The smallest "
        "rate falls slowly, two fall fast and stay level, the largest climbs without end.",
        text="\n".join(lines),
    )


def paths(forgetting, adding):
    """Draw a parameter's way down a bowl, with and without forgetting the old gradient."""
    fig, ax = subplots(height=3.0)
    ax.plot(adding, label="old gradients stay in the sum", **STYLES[1])
    ax.plot(forgetting, label="old gradient forgotten", **STYLES[0])
    ax.set(xlabel="step", ylabel="p")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    figure(
        fig,
        alt="Two paths from 5. One sinks smoothly to 0. The other swings up and down and comes to "
        "no rest.",
        text=f"Forgotten: {forgetting[-1]:.3f} after {len(forgetting) - 1} steps.\nKept in the "
        f"sum: between {min(adding):.1f} and {max(adding):.1f}.",
    )


def curves(flipper, kg, fits):
    """Draw the penguins and the curve of each fit. fits: name -> predicted kilograms."""
    order = np.argsort(flipper)
    fig, ax = subplots(height=3.2)
    ax.scatter(flipper, kg, **DOTS)
    for (name, predicted), style in zip(fits.items(), STYLES, strict=False):
        ax.plot(flipper[order], predicted[order], label=name, **{**style, "marker": ""})
    ax.set(xlabel=FLIPPER, ylabel="mass in kg")
    ax.legend()
    ends = (order[0], order[-1])
    lines = [f"{name}: from {p[ends[0]]:.1f} kg to {p[ends[1]]:.1f} kg" for name, p in fits.items()]
    figure(
        fig,
        alt="The cloud of penguins with three curves that lie close together: a straight line, one "
        "that bends upward a little, and a third that bends where the cloud does.",
        text="\n".join(lines),
    )


# The slider.


def rate_slider(run):
    """Show a slider for the learning rate and the loss that it leads to."""
    view = slider_and_loss(run)._repr_mimebundle_()
    words = "A slider for the learning rate, with the loss below it. It needs a running kernel."
    display({**view, "text/plain": words}, raw=True)


def slider_and_loss(run):
    """Return the two as a widget: the picture follows the slider."""
    import ipywidgets as widgets

    slider = widgets.FloatSlider(
        0.1, min=0.01, max=1.2, step=0.01, description="rate", continuous_update=False
    )
    picture = widgets.HTML(loss_picture(run, slider.value))
    slider.observe(lambda change: setattr(picture, "value", loss_picture(run, change.new)), "value")
    return widgets.VBox([slider, picture])


def loss_picture(run, rate):
    """Return the loss of one run as HTML: a sentence and a picture."""
    losses = [float(value) for value in run(rate)[2]]
    fig, ax = subplots(height=2.6)
    ax.plot(losses, markevery=3, **STYLES[0])
    ax.set(xlabel="step", ylabel="loss", yscale="log", ylim=(0.1, 1e9))
    buffer = io.BytesIO()
    with plt.rc_context(HOUSE):
        fig.savefig(buffer, format="png", dpi=96)
    plt.close(fig)
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    words = f"rate {rate:.2f}: loss {losses[0]:.3f} at first, {losses[-1]:.3f} at the last step"
    return f'<p>{words}</p><img alt="{html.escape(words)}" src="data:image/png;base64,{picture}">'


# The map.

PLACES = (0.0, 3.8, 7.6)  # of the three columns


def said(code, names):
    """Return what a line of NumPy or Tensor code gives, in a word or two."""
    try:
        value = eval(code, names)
    except Exception as error:
        return type(error).__name__
    return getattr(getattr(value, "dtype", value), "name", str(value))


def five_reasons(x, x_t, slope):
    """Draw the map: for each reason, what failed in NumPy, and the Tensor's line.

    x, x_t: the data as array and as Tensor. slope: (by hand, by nudging) of section 3.
    """
    names = {"np": np, "x": x, "x_t": x_t, "parameter": np.zeros(3)}
    scaled = answer("x * np.sqrt(2 / 3)", names), answer("x_t * np.sqrt(2 / 3)", names)
    rows = [
        ("1", "autograd", f"old slope: {slope[0]:.3f}\nnudged: {slope[1]:.3f}", "error.backward()"),
        ("2", "the GPU", answer('np.zeros(3, device="cuda")', names), 'x_t.to("cuda")'),
        ("3", "data of\ndeep learning", *scaled),
        ("4", "parts that\nfit together", answer("parameter.grad", names), "p -= rate * p.grad"),
        ("5", "shared memory,\nneeded work only", "slope_w, thrown_away\n= slopes(...)",
         "from_numpy(x), no_grad,\nrequires_grad=False"),
    ]  # fmt: skip
    fig, ax = subplots(height=4.7)
    for i, (number, reason, failed, line) in enumerate(rows):
        row(ax, -i, f"{number}  {reason}", failed, line)
    titles = "what NumPy said", "a reason", "the Tensor's line"
    for at, title in zip(PLACES, titles, strict=True):
        ax.text(at, 0.65, title, ha="center", weight="bold")
    ax.set(xlim=(-2.1, 9.7), ylim=(-4.4, 0.9))
    ax.axis("off")
    figure(
        fig,
        alt="A map in five rows. In each, an arrow leads from a dashed box, what a NumPy cell "
        "said, through the name of a reason, to a solid box, the line of a Tensor that helps.",
        text="\n".join(" | ".join(part.replace("\n", " ") for part in row) for row in rows),
    )


def answer(code, names):
    return f"{code}\n→ {said(code, names)}"


def row(ax, y, reason, failed, line):
    """Draw one reason as two boxes and an arrow between them."""
    box = {"boxstyle": "round,pad=0.45", "facecolor": "white"}
    dashed = {**box, "edgecolor": COLORS["vermilion"], "linestyle": "--", "linewidth": 1.5}
    solid = {**box, "edgecolor": COLORS["blue"], "linewidth": 1.8}
    code = {"ha": "center", "va": "center", "fontsize": 9.5, "family": "monospace"}
    arrow = {"arrowstyle": "-|>", "color": COLORS["black"], "linewidth": 1.3}
    ax.annotate("", (5.55, y), (2.1, y), arrowprops=arrow)
    ax.text(PLACES[0], y, failed, bbox=dashed, **code)
    ax.text(PLACES[2], y, line, bbox=solid, **code)
    background = {"facecolor": "white", "edgecolor": "none", "pad": 3}
    ax.text(PLACES[1], y, reason, ha="center", va="center", fontsize=10.5, bbox=background)
