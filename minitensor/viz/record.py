"""Remembering what the engine does not keep: values, gradients, scopes, and the learner's lines."""

from __future__ import annotations

import linecache
import os
import sys
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import backend, core
from ..core import Node, Tensor
from .symbols import moves
from .values import RECOMPUTED, SMALL, snapshot

_scopes: list[str] = []
HOME = os.path.dirname(os.path.dirname(__file__)) + os.sep


def _note(node: Node, **notes: Any) -> None:
    node.info = {**(node.info or {}), **notes}


def _without(observer: Any) -> tuple[Any, ...]:
    """The observers, less the latest entry of this one."""
    others = list(core.OBSERVERS)
    if observer in others:
        del others[len(others) - 1 - others[::-1].index(observer)]
    return tuple(others)


def learners_line() -> str:
    """The source of the innermost line on the stack that is not this package's own."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((HOME, "<lane")):
            return linecache.getline(file, frame.f_lineno, frame.f_globals).strip()
        frame = frame.f_back
    return ""


class Sent(NamedTuple):
    """One gradient on its way back: arrays, or Summaries of large ones."""

    node: Node  # the step whose rule was at work
    slot: int  # which of its inputs received
    upstream: Any  # the gradient of the step's output
    local: Any  # of the output by that input, elementwise; None where the rule moves or sums
    share: Any  # what the input received


def _local(node: Node, slot: int, g: Any) -> Any:
    """The rule at work on a gradient of ones: the local derivative, where there is one."""
    op = node.op
    if not isinstance(op, core.Op) or op.variadic or moves(op) or node.saved is None:
        return None
    g = backend.to_array(g.array if isinstance(g, Tensor) else g)
    if g.size > SMALL:
        return None
    ones = backend.MODULES[type(g)].ones(g.shape, g.dtype)
    wanted = [edge if i == slot else None for i, edge in enumerate(node.edges)]
    return op.pull(ones, node.saved, node.attrs, wanted)[slot]


def _scoped(model: Any) -> Iterator[Any]:
    """Hang hooks on the modules inside a model; yields what takes them away again."""
    kind = {path: type(module).__name__ for path, module in model.named_modules()}
    for path, module in model.named_modules():
        parts = path.split(".")
        places = [".".join(parts[: i + 1]) for i in range(len(parts))]
        names = [
            f"{p} {kind[at]}" if at in kind else p for p, at in zip(parts, places, strict=True)
        ]
        if path:
            before, after = _in_and_out(names)
            yield module.register_forward_pre_hook(before)
            yield module.register_forward_hook(after, always_call=True)


def _in_and_out(names: list[str]) -> tuple[Any, Any]:
    """Hooks that set the scope on the way into a module, and put back the one before."""
    outer: list[list[str]] = []

    def before(*_: Any) -> None:
        outer.append(_scopes.copy())
        _scopes[:] = names

    def after(*_: Any) -> None:
        _scopes[:] = outer.pop()

    return before, after


class record:  # noqa: N801 - used as a statement
    """``with record():`` keep values of results, gradients that pass, and source lines.

    Without it a picture shows the values of leaves, of the result, and what the engine saved or
    can compute again. Kept are copies of small arrays, and min, mean and max of larger ones;
    so later in-place changes do not show, and little memory is held, for as long as the graph is.

    ``with record(model):`` what each module inside ``model`` computes is a scope of its own.
    """

    def __init__(self, *models: Any) -> None:
        self.models = models
        self.handles: list[Any] = []
        self.sent: list[Sent] = []  # of the latest walk back
        self.ahead: set[Any] = set()  # what that walk may come to

    def __enter__(self) -> record:
        core.OBSERVERS = (*core.OBSERVERS, self)
        self.handles += [handle for model in self.models for handle in _scoped(model)]
        return self

    def __exit__(self, *error: Any) -> None:
        core.OBSERVERS = _without(self)
        while self.handles:
            self.handles.pop().remove()

    def on_op(self, op: Any, inputs: Any, attrs: Any, out: Tensor) -> None:
        """Keep a result's value, and those of the inputs that no other box will show."""
        if out.node is not None:
            pairs = zip(inputs, out.node.edges, strict=False)
            kept = tuple(snapshot(x) if edge is None else None for x, edge in pairs)
            tensors = tuple(weakref.ref(x) if isinstance(x, Tensor) else None for x in inputs)
            value, line = snapshot(out), learners_line()
            _note(out.node, value=value, inputs=kept, tensors=tensors, line=line)
            if _scopes:
                _note(out.node, scope="/".join(_scopes))

    def on_grad(self, node: Node, g: Any, d: Any, edge: Any) -> None:
        """Keep the gradient that reached a step's output, and what it sent on to one input."""
        slot = self._slot(node, edge)
        if slot is None:  # a walk begins: its first step holds what the walk sends
            self.sent, self.ahead = [], {node}
            _note(node, sent=self.sent)
            slot = next(i for i, e in enumerate(node.edges) if e is edge)
        self.ahead.update(e for e in node.edges if e.__class__ is Node)
        upstream, share = (snapshot(x, RECOMPUTED) for x in (g, d))
        self.sent.append(Sent(node, slot, upstream, snapshot(_local(node, slot, g)), share))
        _note(node, grad=snapshot(g))

    def _slot(self, node: Node, edge: Any) -> int | None:
        """Which input ``edge`` is; None where the walk so far could not come here."""
        last = self.sent[-1] if self.sent else None
        if last is None or node not in self.ahead or node.seq > last.node.seq:
            return None
        first = last.slot + 1 if last.node is node else 0
        return next((i for i, e in enumerate(node.edges) if e is edge and i >= first), None)


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
