"""Remembering what the engine does not keep: values of intermediate results, gradients, scopes."""

from __future__ import annotations

from typing import Any

from .. import core
from ..core import Node, Tensor

_scopes: list[str] = []


class record:  # noqa: N801 - used as a statement
    """``with record():`` keep the values of results and the gradients that pass, for pictures.

    Without it a picture shows the values of leaves, of the result, and what the engine saved or
    can compute again. What is remembered lives as long as the graph does.
    """

    def __enter__(self) -> record:
        core.OBSERVERS = (*core.OBSERVERS, self)
        return self

    def __exit__(self, *error: Any) -> None:
        core.OBSERVERS = tuple(o for o in core.OBSERVERS if o is not self)

    def on_op(self, op: Any, inputs: Any, attrs: Any, out: Tensor) -> None:
        """Keep a result's value, and the scope in which it was computed."""
        if out.node is not None:
            kept = tuple(x.array if isinstance(x, Tensor) else x for x in inputs)
            note: dict[str, Any] = {"value": out.array, "inputs": kept}
            if _scopes:
                note["scope"] = _scopes[-1]
            out.node.info = {**(out.node.info or {}), **note}

    def on_grad(self, node: Node, g: Any, d: Any, edge: Any) -> None:
        """Keep the gradient that reached a step's output."""
        array = g.array if isinstance(g, Tensor) else g
        node.info = {**(node.info or {}), "grad": array}


class scope:  # noqa: N801 - used as a statement
    """``with scope("layer 1"):`` results computed inside while recording are drawn as one group."""

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        _scopes.append(self.name)

    def __exit__(self, *error: Any) -> None:
        _scopes.pop()
