"""Pictures of what the engine does: ``draw`` a graph, ``record`` values, read derivatives.

>>> from minitensor import viz
>>> viz.draw(loss)                      # names are those of your variables
>>> viz.draw(loss, names={"w": w})      # or these
>>> viz.draw(loss, highlight=["w"])     # marks the box of w; ("w", "loss") marks an arrow
>>> viz.draw(value, slopes=True)        # local derivatives on the arrows, where they are numbers
>>> viz.draw(loss, caption="After one step")
>>> viz.draw(loss, direction="TB", limit=30)  # top to bottom; fold above 30 boxes

In a notebook this is an SVG; ``repr`` gives the same graph in words, one line a box. Both are the
same in every run. Without a program that draws, the text says what to install.

>>> with viz.record():                  # keep values of results, and gradients that pass
...     loss = model(x)
...     loss.backward()
>>> with viz.scope("layer 1"):          # a frame around what is computed inside; scopes nest
...     h = (x @ w + b).relu()

>>> with viz.memory() as m:             # bytes alive after each step, there and back
...     model(x).sum().backward()
>>> m.peak, m.bytes, m.moments

Without ``record`` a picture shows the values of leaves, of the result, of results in your
variables, and what the engine saved or can compute again for certain; else the shape alone.
Tensors of up to 16 numbers are shown as a heat-map, larger ones by mean and range (above 64
numbers only if recorded). A dtype is named where it is not float32. A leaf that was written to
after it was used says so. Above 60 boxes scopes are folded, then long chains, then what is
farthest from the result; picture and text say how many boxes were folded.

>>> viz.graph(loss).to_dict()           # the graph as plain data, fit for JSON
>>> viz.graph(loss).box("w").grad
>>> viz.formula("tanh"), viz.derivative("tanh", "x")
('\\\\tanh x', '1 - y^2')
>>> viz.derivative("matmul", "x")       # ops that move or sum give the whole gradient, from g
'g \\\\, y^T'

>>> viz.step(loss)                      # play the way there and back, on the graph
>>> viz.step(loss, predict=True)        # and ask for each gradient before it is shown
>>> viz.trace(loss).steps[-1].share     # the same steps as plain data, fit for JSON
>>> viz.chain(loss, "w")                # the chain rule along every route, numbers put in
>>> viz.chain(loss, ["w", "h", "loss"]) # along this one

``draw``, ``graph``, ``trace``, ``step`` and ``chain`` take a Tensor, or any object with ``data``,
``grad``, ``parents`` and ``op``, and optionally ``name`` and ``slopes``. Read-only: nothing below
imports this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .chain import Chain, chain
from .data import Arrow, Box, Graph
from .fold import LIMIT, collapse
from .graph import graph
from .memory import memory
from .names import callers_names
from .player import Stepper, step
from .record import record, scope
from .render import Drawing
from .symbols import Symbol, derivative, formula
from .trace import Step, Trace, trace

__all__ = [
    "Arrow", "Box", "Chain", "Drawing", "Graph", "Step", "Stepper", "Symbol", "Trace", "chain",
    "collapse", "derivative", "draw", "formula", "graph", "memory", "record", "scope", "step",
    "trace",
]  # fmt: skip


def draw(
    x: Any,
    *,
    names: Mapping[str, Any] | None = None,
    highlight: Sequence[Any] = (),
    slopes: bool = False,
    caption: str = "",
    direction: str = "LR",
    limit: int = LIMIT,
) -> Drawing:
    """The picture of the graph behind ``x``, for a notebook to show.

    Args:
        names: names of tensors or values, such as ``locals()``. By default a tensor's own
            ``name``, else that of the caller's variable.
        highlight: boxes, by id or name, and arrows, as pairs of them, to mark.
        slopes: write local derivatives on the arrows.
        caption: a line for screen readers and the text form; it is not drawn.
        direction: "LR" (left to right) or "TB" (top to bottom).
        limit: above this many boxes the graph is folded.

    Raises TypeError for what has no graph, KeyError for a box to mark that is not there.
    """
    own_names = names is None
    names = callers_names(2) if names is None else names
    made = graph(x, names, limit, own_names)
    return Drawing(made, caption, highlight=highlight, slopes=slopes, direction=direction)
