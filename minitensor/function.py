"""``Function``: ops that a learner writes, with a forward and a backward of their own."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from . import autograd, backend, core, inplace
from .core import Tensor, wrap
from .ops.reduce import sum_to


class FunctionCtx:
    """What forward leaves for backward: ``save_for_backward`` and attributes of your own."""

    needs_input_grad: tuple[bool, ...] = ()
    _fetch: Callable[[], tuple[Any, ...]]

    def __init__(self) -> None:
        self._to_save: tuple[Any, ...] = ()
        self._no_gradient: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (inputs, outputs or others) for backward; changing them later is noticed."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but got {type(t).__name__}"
                )
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` kept. Raises RuntimeError once a backward has freed it."""
        return self._fetch()

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which outputs have no gradient, such as indices."""
        _only_tensors("mark_non_differentiable", outputs)
        self._no_gradient = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Say which inputs forward has changed in place. Each must be among the outputs."""
        _only_tensors("mark_dirty", inputs)
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for an output that nobody used."""
        self._materialize = value


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a backward that works outside of recording, with NumPy for one.

    Whoever differentiates its gradients again gets a RuntimeError, not a wrong answer.
    """

    @functools.wraps(backward)
    def call(ctx: FunctionCtx, *grads: Any) -> Any:
        with autograd.no_grad():
            found = backward(ctx, *grads)
        if not core.GRAD or not any(isinstance(g, Tensor) and g.needs_grad for g in grads):
            return found
        parts = found if isinstance(found, tuple) else (found,)
        return tuple(_Last.apply(x, *grads) if isinstance(x, Tensor) else x for x in parts)

    return call


def _only_tensors(name: str, given: tuple[Any, ...]) -> None:
    for i, t in enumerate(given):
        if not isinstance(t, Tensor):
            kind = type(t).__name__
            raise RuntimeError(f"{name} accepts only tensors, but argument {i} is of type {kind}")


class _FunctionOp:
    """What a Node needs to know of one call of a Function: the walk sees an op like any other."""

    broadcasts, variadic, view, attrs = False, False, False, ()

    def __init__(self, owner: type, ctx: FunctionCtx, inputs: Any, outputs: Any, answers: Any):
        self.name = owner.__name__
        self.grad_name = f"{owner.__name__}Backward"
        self.tex = rf"\operatorname{{{{{owner.__name__}}}}}(" + "{0})"
        self.inputs = tuple(f"x{i}" for i in range(len(inputs)))
        self.rules: dict[str, Any] = {}
        self.owner, self.ctx = owner, ctx
        self.shapes = [_place(o) for o in outputs]
        kept = [a if any(a is t for t in ctx._dirty) else o
                for o, a in zip(outputs, answers, strict=True)]  # fmt: skip
        self.sources = [_source(t, kept) for t in ctx._to_save]
        self.frees = bool(ctx._to_save)
        self.saves = tuple(f"saved{i}" for i in range(len(ctx._to_save)))

    def pull(self, g: Any, saved: Any, attrs: Any, edges: Any) -> list[Any]:
        """What the learner's backward gives for each input, summed to its shape where it was
        broadcast. Raises RuntimeError for a gradient of another shape."""
        pairs = zip(self.backward(g, saved), edges, strict=False)
        return [None if d is None or edge is None else self._fit(d, edge) for d, edge in pairs]

    def _fit(self, d: Any, edge: Any) -> Any:
        got, wanted = tuple(d.shape), tuple(edge.shape)
        ends = zip(reversed(wanted), reversed(got), strict=False)
        if len(wanted) > len(got) or not all(small in (1, large) for small, large in ends):
            raise RuntimeError(
                f"Function {self.grad_name} returned an invalid gradient - got {list(got)} but "
                f"expected shape compatible with {list(wanted)}"
            )
        return sum_to(d, wanted)

    output_nodes: list[Any]  # weak references: a node must not keep itself alive

    def backward(self, g: Any, saved: Any) -> list[Any]:
        """Call the learner's backward on Tensors; give back what the walk works on."""
        taped = bool(core.GRAD)
        parts = g.parts if isinstance(g, Parts) else {0: g}
        grads = [self._part(parts.get(i), i) for i in range(len(self.shapes))]
        self.ctx._fetch = lambda: tuple(self._saved(saved, taped))
        try:
            answer = self.owner.backward(self.ctx, *grads)  # type: ignore[attr-defined]
        finally:
            self.ctx._fetch = _gone  # no longer a cycle
        answer = list(answer) if isinstance(answer, tuple) else [answer]
        wanted = len(self.inputs)
        if len(answer) < wanted or any(a is not None for a in answer[wanted:]):
            raise RuntimeError(
                f"function {self.grad_name} returned an incorrect number of gradients (expected "
                f"{wanted}, got {len(answer)})"
            )
        for a in answer:
            if not isinstance(a, Tensor | None):
                raise RuntimeError(f"expected Variable or None (got {type(a).__name__})")
        # A view each: the learner may hold the tensor, or have given it twice, so the walk may
        # not take it for a buffer of its own.
        return [a if taped or a is None else a.array.view() for a in answer]

    def _part(self, g: Any, i: int) -> Any:
        if g is not None:
            return g if isinstance(g, Tensor) else wrap(backend.to_array(g))
        place = self.shapes[i]
        if place is None or not self.ctx._materialize:
            return None
        shape, dtype, kind = place
        return wrap(backend.MODULES[kind].zeros(shape, dtype))

    def _saved(self, saved: Any, taped: bool) -> Iterator[Any]:
        for array, (source, index) in zip(saved, self.sources, strict=True):
            if array is None:
                yield None
            elif not taped:
                yield wrap(array)
            else:
                yield autograd.attach(array, self.output_nodes[index]() if index >= 0 else source)


def _place(out: Any) -> tuple[Any, Any, type] | None:
    """Shape, dtype and array type of an output; None for one that is no tensor."""
    if not isinstance(out, Tensor):
        return None
    return out.array.shape, out.array.dtype, type(out.array)


def _source(t: Any, outputs: list[Any]) -> tuple[Any, int]:
    """Where a saved tensor came from: (Node, leaf or None, -1), or (None, which output)."""
    for i, out in enumerate(outputs):
        if out is t:
            return None, i
    return ((t.node or t) if t is not None and t.needs_grad else None), -1


class Parts:
    """The gradients of several outputs on their way to the one step that made them."""

    shape = ("parts",)

    def __init__(self, parts: dict[int, Any]):
        self.parts = parts

    def __add__(self, other: Parts) -> Parts:
        merged = dict(self.parts)
        for i, g in other.parts.items():
            merged[i] = merged[i] + g if i in merged else g
        return Parts(merged)


class _Select:
    """The step from a Function with several outputs to one of them."""

    broadcasts, variadic, view, frees = False, False, False, False
    saves, attrs, inputs = (), (), ("x",)
    tex = "{0}"

    def __init__(self, grad_name: str, i: int):
        self.name, self.grad_name = f"output {i}", grad_name
        self.pull = lambda g, saved, attrs, edges: (Parts({i: g}),)
        self.rules: dict[str, Any] = {}


def _gone() -> tuple[Any, ...]:
    raise RuntimeError(autograd.SECOND_TIME)


class Function:
    """Base of custom ops: write static ``forward(ctx, ...)`` and ``backward(ctx, *grads)``.

    Call the op by ``apply``.

    ``backward`` gets one gradient for each output and returns one for each input of ``forward``
    (None where there is none). It runs on Tensors, so ``create_graph`` works if it uses ops.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the outputs. To be written by the subclass."""
        raise NotImplementedError("a Function needs a static method forward(ctx, ...)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Compute the inputs' gradients. To be written by the subclass."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *grads)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Say what backward needs. A subclass that writes this has a ``forward`` without ctx."""
        raise NotImplementedError("setup_context is not written")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward, and record one step that will call backward."""
        ctx = FunctionCtx()
        apart = cls.setup_context is not Function.setup_context
        if apart or kwargs:
            first = () if apart else (ctx,)
            bound = inspect.signature(cls.forward).bind(*first, *args, **kwargs)
            bound.apply_defaults()
            args = bound.args[len(first) :]
        needs = tuple(isinstance(a, Tensor) and a.needs_grad for a in args)
        ctx.needs_input_grad = needs
        with autograd.no_grad():
            answer = cls.forward(*args) if apart else cls.forward(ctx, *args)
            if apart:
                cls.setup_context(ctx, args, answer)
        several = isinstance(answer, tuple)
        outputs = list(answer) if several else [answer]
        if any(all(t is not o for o in outputs) for t in ctx._dirty):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )
        outputs = _join(cls, ctx, args, outputs)
        return tuple(outputs) if several else outputs[0]


def _join(cls: type, ctx: FunctionCtx, args: tuple[Any, ...], answers: list[Any]) -> list[Any]:
    """The outputs, with their step in the graph; an input that was given back becomes a new one.

    An input that forward changed in place stays itself, and takes over the step.
    """
    given = [a for a in args if isinstance(a, Tensor)]
    outputs = [wrap(o.array) if any(o is a for a in given) else o for o in answers]
    recorded = core.GRAD and any(ctx.needs_input_grad)
    if recorded and any(isinstance(o, Tensor) for o in outputs):
        for t in ctx._dirty:
            inplace.check_writable(t)
        _record(cls, ctx, args, outputs, answers)
    for i, (out, answer) in enumerate(zip(outputs, answers, strict=True)):
        if any(answer is t for t in ctx._dirty):
            outputs[i] = answer
            if recorded:
                inplace.adopt(answer, out)
        elif recorded and out is not answer:  # it shares memory: a view that may not be changed
            base = answer.view_of.base if answer.view_of else answer
            out.view_of = core.View(base, (), recorded=False)
    ctx._dirty = ()
    return outputs


def _record(
    cls: type, ctx: FunctionCtx, args: tuple[Any, ...], outputs: list[Any], answers: list[Any]
) -> None:
    op = _FunctionOp(cls, ctx, args, outputs, answers)
    edges = core.edges_of(args, ctx.needs_input_grad)
    saved = tuple(None if t is None else t.array for t in ctx._to_save)
    ctx._to_save = ()
    single = len(outputs) == 1
    shape = outputs[0].array.shape if single else Parts.shape
    node = core.make_node(op, edges, saved, core.NO_ATTRS, shape)
    op.output_nodes = []
    for i, out in enumerate(outputs):
        marked = any(out is t for t in ctx._no_gradient)
        if marked or not isinstance(out, Tensor) or out.array.dtype.kind != "f":
            op.output_nodes.append(lambda: None)
            continue
        out.node = node
        if not single:
            select = _Select(op.grad_name, i)
            out.node = core.make_node(select, (node,), (), core.NO_ATTRS, out.array.shape)
        out.needs_grad = True
        op.output_nodes.append(weakref.ref(out.node))
        if core.OBSERVERS:
            core.notify(out.node.op, args if single else (), core.NO_ATTRS, out)
    ctx._no_gradient = ()


class _Last(Function):
    """Passes on a gradient that is not to be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Any, *grads: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function marked @once_differentiable")
