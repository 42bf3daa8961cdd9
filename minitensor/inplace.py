"""In-place changes: ``add_``, ``x[i] = v`` and their kin, with the graph kept right.

An in-place op is the op itself, its result written into the tensor's own memory. Then the tensor
takes over the new step. If it is a view of another tensor, the base gets a step too ("the
old base with this part replaced"), and every other recorded view of that base is derived anew, so
that nobody goes on with a history that is no longer true.
"""

from __future__ import annotations

from typing import Any

from . import backend, core, versions
from .core import Op, Tensor, View, op, wrap
from .ops import shape as _shape  # noqa: F401 - registers the ops that EXAMPLE names
from .ops.sample import normal

EXAMPLE = ((core.OPS["narrow"], {"dim": 1, "start": 1, "length": 3}),)
REFUSED_LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
REFUSED_VIEW = (
    "a view of a leaf Variable that requires grad is being used in an in-place operation."
)
OVERLAPS = (
    "unsupported operation: more than one element of the written-to tensor refers to a single "
    "memory location. Please clone() the tensor before performing the operation."
)
BORN_QUIET = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. "
    "Create the view outside no_grad, or change it inside."
)


def check_writable(t: Tensor, uniform: bool = False) -> None:
    """Raise RuntimeError if ``t`` may not be changed in place now; ``uniform``: to one value."""
    if 0 in t.array.strides and t.array.size and not uniform:
        layout = zip(t.array.shape, t.array.strides, strict=True)
        if any(n > 1 and step == 0 for n, step in layout):
            raise RuntimeError(OVERLAPS)  # what expand() gives
    if not core.GRAD:
        return
    base = t.view_of.base if t.view_of else None
    if t.needs_grad and t.node is None:
        raise RuntimeError(REFUSED_LEAF)
    if base is not None and base.needs_grad:
        if base.node is None:
            raise RuntimeError(REFUSED_VIEW)
        if t.view_of is not None and not t.view_of.recorded:
            raise RuntimeError(BORN_QUIET)


def assign(t: Tensor, new: Tensor, by: str, uniform: bool = False) -> Tensor:
    """Give ``t`` the values of ``new`` in place, and its history; return ``t``.

    ``uniform`` says that all values are one, so that it does no harm if elements of ``t`` share
    memory. Raises RuntimeError if shape, dtype or device do not fit, or if ``t`` may not change.
    """
    check_writable(t, uniform)
    if new.array.shape != t.array.shape:
        raise RuntimeError(
            f"output with shape {list(t.array.shape)} doesn't match the broadcast shape "
            f"{list(new.array.shape)}"
        )
    if backend.category(new.array.dtype) > backend.category(t.array.dtype):
        here, there = backend.DTYPES[t.array.dtype].name, backend.DTYPES[new.array.dtype].name
        raise RuntimeError(f"result type {there} can't be cast to the desired output type {here}")
    if new.array.dtype != t.array.dtype:
        new = core.OPS["to"].call(new, dtype=t.array.dtype, device=None)
    if new is t:
        return t
    if new.node is None and core.GRAD and t.node is not None and t.view_of is None:
        new = replace(t, new, steps=())  # t stays in the graph; its old values no longer count
    node = new.node
    if node is not None and node.saved:
        node.saved = tuple(_kept(value, t, new) for value in node.saved)
    shared = [n > 1 and step == 0 for n, step in zip(t.array.shape, t.array.strides, strict=True)]
    place = (*[0 if one else slice(None) for one in shared], Ellipsis)  # each element once
    target = t.array[place] if any(shared) else t.array
    if backend.owner(target) is not target:
        backend.writable(target)  # NumPy makes read-only what expand() gives
    try:
        target[...] = new.array[place]
    except ValueError:
        raise RuntimeError("this memory is read-only: clone() the tensor before it") from None
    if not (t.view_of.base if t.view_of else t)._quiet:
        versions.written(t.array, by)
    if node is not None:
        node.seq = core.next_seq()  # it saved what this write left, not what was there before
    if core.GRAD and (node is not None or t.needs_grad):
        adopt(t, new)
    return t


def _kept(value: Any, t: Tensor, new: Tensor) -> Any:
    """What the new step saved: its output lives in ``t`` now; old values of ``t`` are copied."""
    if value is new.array:
        return t.array
    if type(value) in backend.MODULES and backend.owner(value) is backend.owner(t.array):
        return value.copy()
    return value


def adopt(t: Tensor, new: Tensor) -> None:
    """Make the step of ``new`` the history of ``t``, of its base and of the base's other views."""
    if t.view_of is None:
        _take(t, new)
        base = t
    else:
        base = t.view_of.base
        _replace_part(base, new, t.view_of)
    for ref in tuple(base._views):
        other = ref()
        if other is not None and other.view_of is not None and other.view_of.base is base:
            _take(other, follow(base, other.view_of.steps))


def _take(t: Tensor, source: Tensor) -> None:
    """Give ``t`` the step of ``source``; what ``retain_grad`` hung on the old one moves along."""
    if t._retains and t.node is not None and source.node is not None:
        keep = t.node.hooks[-1:]
        t.node.hooks = t.node.hooks[:-1]
        source.node.hooks += keep
    t.node, t.needs_grad = source.node, source.needs_grad


def follow(base: Any, steps: tuple[tuple[Op, dict[str, Any]], ...]) -> Any:
    """Apply the ops that lead from a base to a view."""
    for step, attrs in steps:
        base = step.call(base, **attrs)
    return base


def _replace_part(base: Tensor, new: Tensor, view: View) -> None:
    """Give ``base`` the step "the old base with one part replaced by ``new``"."""
    old = wrap(base.array)
    old.node, old.needs_grad = base.node, base.needs_grad
    part = wrap(new.array)
    part.node, part.needs_grad = new.node, new.needs_grad
    result = wrap(base.array)  # `assign` has written the new values already
    attrs = {"steps": view.steps}
    core.record(replace.op, (old, part), (old.array, part.array), attrs, result)
    _take(base, result)


def _with_part(xp: Any, x: Any, steps: Any, value: Any) -> Any:
    out = xp.array(x)  # a copy, and an array: in a rule, NumPy's 0-d values are scalars
    follow(out, steps)[...] = value
    return out


zero_part = op("zero_part", lambda xp, x, *, steps: _with_part(xp, x, steps, 0),
               x=lambda g, steps: zero_part(g, steps=steps), dtypes="keep",
               tex=r"\operatorname{{clear}} {0}",
               sample=normal((2, 5), steps=EXAMPLE))  # fmt: skip
replace: Any = op("replace", lambda xp, x, y, *, steps: _with_part(xp, x, steps, y),
             x=lambda g, steps: zero_part(g, steps=steps), y=lambda g, steps: follow(g, steps),
             dtypes="keep", prefix="CopySlices", tex=r"\operatorname{{replace}}({0}, {1})",
             sample=normal((2, 5), (2, 3), steps=EXAMPLE))  # fmt: skip
