"""Figures of chapter 02: a chain with its slopes, two arrows into one value, a box to type in."""

import html
from itertools import pairwise

from IPython.display import display

from kit.figures import COLORS, figure, subplots
from kit.scalar import Value

GAP = 3.0  # from the middle of one box to the middle of the next
FORWARD = {"arrowstyle": "-|>", "color": COLORS["black"], "linewidth": 1.5}
BACK = {"arrowstyle": "-|>", "color": COLORS["vermilion"], "linewidth": 1.5, "linestyle": "--"}
BOX = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": COLORS["black"]}
NAMES = {"x": 2.0, "y": 3.0, "z": -1.0}


def chain(out):
    """Draw a chain of one-parent Values that ends in `out`: data, slopes, gradients."""
    values = [out]
    while values[0].parents:
        values.insert(0, values[0].parents[0])
    fig, ax = subplots(height=2.4)
    for i, value in enumerate(values):
        box(ax, GAP * i, 0.0, f"{label(value)}\n{value.data:.6g}")
        ax.text(GAP * i, -1.0, f"grad {value.grad:.6g}", color=COLORS["vermilion"], ha="center")
    for i, after in enumerate(values[1:]):
        arrow(ax, (GAP * i, 0.0), (GAP * (i + 1), 0.0), FORWARD)
        slope = f"{after.op}\nslope {after.slopes[0]:.6g}"
        ax.text(GAP * (i + 0.5), 0.25, slope, ha="center", va="bottom")
        start, end = (GAP * (i + 1) - 0.75, -0.9), (GAP * i + 0.75, -0.9)
        ax.annotate("", end, start, arrowprops=BACK)
        ax.text(GAP * (i + 0.5), -1.45, f"times {after.slopes[0]:.6g}", ha="center")
    empty(ax, (-1.0, GAP * (len(values) - 1) + 1.0), (-1.7, 1.4))
    lines = [f"{label(v)}: data {v.data:.6g}, grad {v.grad:.6g}" for v in values]
    lines += [f"{label(a)} to {label(b)}: slope {b.slopes[0]:.6g}" for a, b in pairwise(values)]
    figure(
        fig,
        alt="Boxes in a row, joined by arrows to the right that carry slopes. Below, dashed "
        "arrows lead back from right to left: each multiplies the gradient by the slope above it.",
        text="\n".join(lines),
    )


def two_arrows(out):
    """Draw `out`, whose two parents are one and the same Value, with what each arrow brings."""
    (parent, twin), shares = out.parents, [slope * out.grad for slope in out.slopes]
    if parent is not twin:
        raise ValueError("two_arrows draws a value that is used twice")
    fig, ax = subplots(height=2.2)
    for height, share in zip((0.75, -0.75), shares, strict=True):
        curved = {**BACK, "connectionstyle": f"arc3,rad={0.35 if height > 0 else -0.35}"}
        arrow(ax, (GAP * 1.6, 0.0), (0.0, 0.0), curved)
        ax.text(GAP * 0.8, 1.35 * height, f"brings {share:.6g}", ha="center", va="center")
    box(ax, 0.0, 0.0, f"{label(parent)}\n{parent.data:.6g}")
    box(ax, GAP * 1.6, 0.0, f"{label(out)}\n{out.data:.6g}")
    ax.text(GAP * 1.6 + 0.8, 0.0, f"grad {out.grad:.6g}", color=COLORS["vermilion"], va="center")
    empty(ax, (-1.2, GAP * 1.6 + 2.6), (-1.4, 1.4))
    one, other = (f"{share:.6g}" for share in shares)
    figure(
        fig,
        alt=f"Two dashed arrows lead from {label(out)} back to the one box {label(parent)}.",
        text=f"One arrow brings {one}, the other {other}: together {sum(shares):.6g}.",
    )


def box(ax, x, y, text):
    ax.text(x, y, text, ha="center", va="center", bbox=BOX, zorder=3)


def label(value):
    return value.name or value.op


def arrow(ax, start, end, style):
    ax.annotate("", end, start, arrowprops={**style, "shrinkA": 26, "shrinkB": 26})


def empty(ax, xlim, ylim):
    ax.set(xlim=xlim, ylim=ylim)
    ax.axis("off")


# The box: type an expression, see its graph.


def graph_of(expression, draw):
    """Return the picture of an expression in x, y and z as SVG, or a sentence on what is amiss."""
    names = {name: Value(data, name=name) for name, data in NAMES.items()}
    try:
        out = eval(expression, {"__builtins__": {}}, names)
    except Exception as error:  # half a typed expression: anything may be wrong with it
        return f"<p>Not an expression yet: {html.escape(str(error))}</p>"
    if not isinstance(out, Value):
        return "<p>This is no Value: use x, y or z.</p>"
    return draw(out)._repr_html_()


def expression_box(draw, expression="x * y + x"):
    """Show a field to type an expression into, and its graph below it. draw: viz.draw."""
    import ipywidgets as widgets

    field = widgets.Text(expression, description="z =", continuous_update=False)
    picture = widgets.HTML(graph_of(expression, draw))
    field.observe(lambda change: setattr(picture, "value", graph_of(change.new, draw)), "value")
    view = widgets.VBox([field, picture])._repr_mimebundle_()
    words = "A field to type an expression into, with its graph below. It needs a running kernel."
    display({**view, "text/plain": words}, raw=True)
