"""Remembering what the engine does not keep: values of intermediate results, gradients, scopes."""

from __future__ import annotations

import weakref
from typing import Any

from .. import core
from ..core import Node, Tensor
from .values import snapshot

_scopes: list[str] = []


def _note(node: Node, **notes: Any) -> None:
    node.info = {**(node.info or {}), **notes}


def _without(observer: Any) -> tuple[Any, ...]:
    """The observers, less the latest entry of this one."""
    others = list(core.OBSERVERS)
    if observer in others:
        del others[len(others) - 1 - others[::-1].index(observer)]
    return tuple(others)


class record:  # noqa: N801 - used as a statement
    """``with record():`` keep the values of results and the gradients that pass, for pictures.

    Without it a picture shows the values of leaves, of the result, and what the engine saved or
    can compute again. Kept are copies of up to 64 numbers, and min, mean and max of larger arrays;
    so later in-place changes do not show, and little memory is held, for as long as the graph is.
    """

    def __enter__(self) -> record:
        core.OBSERVERS = (*core.OBSERVERS, self)
        return self

    def __exit__(self, *error: Any) -> None:
        core.OBSERVERS = _without(self)

    def on_op(self, op: Any, inputs: Any, attrs: Any, out: Tensor) -> None:
        """Keep a result's value, and those of the inputs that no other box will show."""
        if out.node is not None:
            pairs = zip(inputs, out.node.edges, strict=False)
            kept = tuple(snapshot(x) if edge is None else None for x, edge in pairs)
            tensors = tuple(weakref.ref(x) if isinstance(x, Tensor) else None for x in inputs)
            _note(out.node, value=snapshot(out), inputs=kept, tensors=tensors)

    def on_grad(self, node: Node, g: Any, d: Any, edge: Any) -> None:
        """Keep the gradient that reached a step's output."""
        _note(node, grad=snapshot(g))


class scope:  # noqa: N801 - used as a statement
    """``with scope("layer 1"):`` results computed inside are drawn in one frame.

    Scopes nest: ``"block 1/layer 1"`` is a frame in a frame.
    """

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        _scopes.append(self.name)
        core.OBSERVERS = (*core.OBSERVERS, self)

    def __exit__(self, *error: Any) -> None:
        _scopes.pop()
        core.OBSERVERS = _without(self)

    def on_op(self, op: Any, inputs: Any, attrs: Any, out: Tensor) -> None:
        """Note in which scope a step was recorded."""
        if out.node is not None:
            _note(out.node, scope="/".join(_scopes))

    def on_grad(self, node: Node, g: Any, d: Any, edge: Any) -> None:
        """Gradients have no scope."""
