"""Pictures of what the engine does: ``draw`` a graph, ``record`` values, read derivatives.

>>> from minitensor import viz
>>> viz.draw(loss)                      # names are those of your variables
>>> viz.draw(loss, highlight=["w"])     # marks the box of w; ("w", "loss") marks an arrow
>>> viz.draw(value, slopes=True)        # local derivatives on the arrows, where they are numbers
>>> with viz.record():                  # keep intermediate values and gradients for the picture
...     loss = model(x); loss.backward()
>>> viz.graph(loss).to_dict()           # the graph as plain data
>>> viz.formula("tanh"), viz.derivative("tanh", "x")
('\\\\tanh x', '1 - y^2')

``draw`` takes a Tensor, or any object with ``data``, ``grad``, ``parents`` and ``op``, and
optionally ``name`` and ``slopes``. Read-only: nothing below imports this package.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .data import Arrow, Box, Graph
from .fold import LIMIT, collapse
from .graph import graph
from .record import record, scope
from .render import Drawing
from .symbols import Symbol, derivative, formula

__all__ = [
    "Arrow", "Box", "Drawing", "Graph", "Symbol", "collapse", "derivative", "draw", "formula",
    "graph", "record", "scope",
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
        names: names of tensors or values; by default those of the caller's variables.
        highlight: boxes, by id or name, and arrows, as pairs of them, to mark.
        slopes: write local derivatives on the arrows.
        caption: a line for screen readers and the text form.
        direction: "LR" (left to right) or "TB" (top to bottom).
        limit: above this many boxes the graph is collapsed.

    Raises TypeError for what has no graph, KeyError for a box to mark that is not there.
    """
    own_names = names is None
    if names is None:
        frame = sys._getframe(1)
        names = (
            {**frame.f_globals, **frame.f_locals}
            if frame.f_locals is not frame.f_globals
            else (frame.f_globals)
        )
    made = graph(x, names, limit, own_names)
    return Drawing(made, caption, highlight=highlight, slopes=slopes, direction=direction)
