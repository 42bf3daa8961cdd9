"""Figures of chapter 02: a chain with its slopes, two arrows into one value, a box to type in."""

import html
from itertools import pairwise

from IPython.display import display

from kit.figures import COLORS, figure, subplots
from kit.scalar import Value

GAP = 3.4  # from the middle of one box to the middle of the next
FORWARD = {"arrowstyle": "-|>", "color": COLORS["black"], "linewidth": 1.5}
BACK = {"arrowstyle": "-|>", "color": COLORS["vermilion"], "linewidth": 1.5, "linestyle": "--"}
BOX = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": COLORS["black"]}
NAMES = {"x": 2.0, "y": 3.0}


def chain(out):
    """Draw a chain of one-parent Values that ends in `out`: data, slopes, gradients."""
    values = [out]
    while values[0].parents:
        values.insert(0, values[0].parents[0])
    fig, ax = subplots(height=2.3)
    for i, value in enumerate(values):
        box(ax, GAP * i, 0.0, words(value))
        ax.text(GAP * i, -1.1, f"grad {value.grad:.6g}", color=COLORS["vermilion"], ha="center")
    for i, after in enumerate(values[1:]):
        middle, slope = GAP * (i + 0.5), f"{after.slopes[0]:.6g}"
        arrow(ax, (middle - 0.9, 0.0), (middle + 0.9, 0.0), FORWARD)
        ax.text(middle, 0.15, f"{after.op}\nslope {slope}", ha="center", va="bottom")
        arrow(ax, (middle + 0.55, -1.0), (middle - 0.55, -1.0), BACK)
        ax.text(middle, -1.25, f"times {slope}", ha="center", va="top")
    empty(ax, (-0.9, GAP * (len(values) - 1) + 0.9), (-1.8, 1.2))
    lines = [f"{words(v)}: grad {v.grad:.6g}" for v in values]
    lines += [f"{b.op}, from {words(a)}: slope {b.slopes[0]:.6g}" for a, b in pairwise(values)]
    figure(
        fig,
        alt="Numbers in a row, joined by arrows to the right that carry an operation and its "
        "slope. Below, dashed arrows lead from right to left: each multiplies the gradient at its "
        "tail by the slope above it.",
        text="\n".join(lines),
    )


def two_arrows(out):
    """Draw `out`, whose two parents are one and the same Value, with what each arrow brings."""
    (parent, twin), shares = out.parents, [slope * out.grad for slope in out.slopes]
    if parent is not twin:
        raise ValueError("two_arrows draws a Value that is used twice")
    fig, ax = subplots(height=1.9)
    for side, share in zip((1, -1), shares, strict=True):
        curved = {**BACK, "connectionstyle": f"arc3,rad={0.3 * side}"}
        arrow(ax, (GAP * 1.5 - 0.5, 0.2 * side), (0.5, 0.2 * side), curved)
        ax.text(GAP * 0.75, 0.65 * side, f"brings {share:.6g}", ha="center", va="center")
    box(ax, 0.0, 0.0, words(parent))
    box(ax, GAP * 1.5, 0.0, f"{out.op}\n{out.data:.6g}")
    ax.text(GAP * 1.5 + 0.6, 0.0, f"grad {out.grad:.6g}", color=COLORS["vermilion"], va="center")
    one, other = (f"{share:.6g}" for share in shares)
    total = f"{one} + {other}"
    ax.text(-0.6, 0.0, total, color=COLORS["vermilion"], va="center", ha="right")
    empty(ax, (-2.2, GAP * 1.5 + 2.2), (-1.4, 1.4))
    figure(
        fig,
        alt=f"Two dashed arrows lead from the box {out.op} back to the one box "
        f"{words(parent)}: each brings a share.",
        text=f"One arrow brings {one}, the other {other}: {total} = {sum(shares):.6g}.",
    )


def box(ax, x, y, text):
    ax.text(x, y, text, ha="center", va="center", bbox=BOX, zorder=3)


def words(value):
    return f"{value.name} = {value.data:.6g}" if value.name else f"{value.data:.6g}"


def arrow(ax, start, end, style):
    ax.annotate("", end, start, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})


def empty(ax, xlim, ylim):
    ax.set(xlim=xlim, ylim=ylim)
    ax.axis("off")


# The box: type an expression, see its graph.


def graph_of(expression, draw):
    """Return the picture of an expression in x and y as SVG, or a sentence on what is amiss."""
    names = {name: Value(data, name=name) for name, data in NAMES.items()}
    try:
        out = eval(expression, {"__builtins__": {}}, names)
    except Exception as error:  # half a typed expression: anything may be wrong with it
        return f"<p>Not an expression yet: {html.escape(str(error))}</p>"
    if not isinstance(out, Value):
        return "<p>This is no Value: use x or y.</p>"
    return draw(out)._repr_html_()


def expression_box(draw, expression="x * y + x"):
    """Show a field to type an expression into, and its graph below it. draw: Value to picture."""
    view = field_and_graph(draw, expression)._repr_mimebundle_()
    words = "A field to type an expression into, with its graph below. It needs a running kernel."
    display({**view, "text/plain": words}, raw=True)


def field_and_graph(draw, expression):
    """Return the two as a widget: the graph follows the field."""
    import ipywidgets as widgets

    field = widgets.Text(expression, description="draw", continuous_update=False)
    graph = widgets.HTML(graph_of(expression, draw))
    field.observe(lambda change: setattr(graph, "value", graph_of(change.new, draw)), "value")
    return widgets.VBox([field, graph])
