"""Backward: the walk over the recorded graph, and the modes that say what is recorded.

``run`` visits the nodes from the youngest to the oldest. Each node's rules turn the gradient of
its output into gradients of its inputs; where branches meet they add up. On raw arrays this is fast
and leaves no graph; on Tensors (``create_graph=True``) the same rules are recorded, and the
gradients can be differentiated again.
"""

from __future__ import annotations

import functools
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from operator import attrgetter, iadd
from sys import getrefcount
from typing import Any, NamedTuple

from . import backend, core, pool, versions
from .core import Node, Tensor, wrap
from .ops.reduce import sum_to

# -- grad mode -------------------------------------------------------------------------------------


class _ByThread(threading.local):
    """Grad mode where it may differ between threads: true in those that record."""

    def __init__(self, main: bool):  # called again in each thread that looks
        self.on = main if threading.get_ident() == _MAIN else True

    def __bool__(self) -> bool:
        return self.on


_MAIN = threading.main_thread().ident


def _record(on: bool) -> None:
    """Set grad mode, for this thread alone.

    Every op reads ``core.GRAD``, so that is a plain bool until a thread beside the main one first
    sets it; from then on each thread has its own.
    """
    if isinstance(core.GRAD, bool):
        if threading.get_ident() == _MAIN:
            core.GRAD = on
            return
        core.GRAD = _ByThread(core.GRAD)
    core.GRAD.on = on


class set_grad_enabled:  # noqa: N801 - PyTorch's name
    """Set whether steps are recorded: a function, a context manager or a decorator."""

    def __init__(self, mode: bool):
        if not isinstance(mode, bool):
            kind = type(mode).__name__
            raise TypeError(f"set_grad_enabled(): argument 'enabled' must be bool, not {kind}")
        self.before = is_grad_enabled()
        self.mode = mode
        _record(self.mode)

    def __enter__(self) -> None:
        _record(self.mode)

    def __exit__(self, *error: Any) -> None:
        _record(self.before)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate: set the mode for each call of ``function``."""
        _record(self.before)  # only the calls of `function` are meant
        return (enable_grad if self.mode else no_grad)(function)


def _in_steps(answer: Any, mode: Callable[[], Any]) -> Any:
    """A generator that works under ``mode``, and only while it works; anything else as it is."""
    if not isinstance(answer, Generator):
        return answer

    def steps() -> Any:
        step, given = answer.send, None
        while True:
            try:
                with mode():
                    value = step(given)
            except StopIteration as end:
                return end.value
            try:
                step, given = answer.send, (yield value)
            except BaseException as error:  # thrown in from outside, or the wish to close
                step, given = answer.throw, error

    return steps()


class _Mode:
    """A context manager and decorator that records, or not, while it is open."""

    mode = True

    def __init__(self, function: Callable[..., Any] | None = None):
        self.function = function
        self.before: list[bool] = []
        if function is not None:
            functools.update_wrapper(self, function)

    def __enter__(self) -> None:
        self.before.append(is_grad_enabled())
        _record(self.mode)

    def __exit__(self, *error: Any) -> None:
        _record(self.before.pop())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.function is None:
            return type(self)(args[0])
        with type(self)():
            return _in_steps(self.function(*args, **kwargs), type(self))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


class no_grad(_Mode):  # noqa: N801 - PyTorch's name
    """Record nothing inside: ``with no_grad():`` or ``@no_grad()``."""

    mode = False


class enable_grad(_Mode):  # noqa: N801 - PyTorch's name
    """Record again, inside a ``no_grad``."""


class inference_mode(no_grad):  # noqa: N801 - PyTorch's name
    """As ``no_grad`` here; PyTorch also forbids later use of the results in recorded steps.

    ``inference_mode(False)`` is ``enable_grad``, as in PyTorch.
    """

    def __new__(cls, mode: Any = True) -> Any:
        """What ``mode`` asks for; it may also be the function to decorate."""
        return enable_grad() if mode is False else super().__new__(cls)

    def __init__(self, mode: Any = True):
        super().__init__(mode if callable(mode) else None)


def is_grad_enabled() -> bool:
    """Whether steps are being recorded."""
    return bool(core.GRAD)


# -- the walk --------------------------------------------------------------------------------------

Grads = dict[Any, Any]  # Node or leaf -> its gradient so far, None where there is none yet
_age = attrgetter("seq")


def collect(roots: Sequence[Any]) -> tuple[list[Node], dict[Any, Any]]:
    """Every Node reachable from ``roots``; these and the leaves as keys of a dict of gradients."""
    found: dict[Any, Any] = dict.fromkeys(roots)
    nodes = [r for r in found if r.__class__ is Node]
    for node in nodes:  # it grows on the way
        for edge in node.many or (node.first, node.second):
            if edge not in found:
                found[edge] = None
                if edge.__class__ is Node:
                    nodes.append(edge)
    found.pop(None, None)
    return nodes, found


def run(
    roots: Sequence[Any],
    seeds: Sequence[Any],
    *,
    retain: bool,
    taped: bool,
    targets: Sequence[Any] | None = None,
) -> dict[Any, Any]:
    """Walk back from ``roots`` (Nodes or leaves) with gradients ``seeds``.

    With ``taped`` the gradients are Tensors and the walk is recorded; else they are raw arrays.
    Returns the gradients of the leaves reached or, if given, of ``targets`` (Nodes or leaves; then
    only what leads to them is computed). Two of them may share one buffer.
    Raises RuntimeError where saved values were freed or written over.
    """
    order, grads = collect(roots)
    order.sort(key=_age, reverse=True)
    keep: frozenset[Any] = frozenset()
    if targets is not None:
        keep = frozenset(targets)
        order, grads = _leading_to(keep, order)
    for root, seed in zip(roots, seeds, strict=True):
        if root in grads:
            grads[root] = seed if grads[root] is None else grads[root] + seed
    sweep(order, grads, keep, Mode(retain, taped))
    return {k: v for k, v in grads.items() if v is not None}


def _leading_to(targets: frozenset[Any], order: list[Node]) -> tuple[list[Node], dict[Any, Any]]:
    """The nodes of ``order`` that lead to a target, and room for the gradients on the way."""
    useful: dict[Any, Any] = dict.fromkeys(targets)
    kept = []
    for node in reversed(order):
        leads = any(edge in useful for edge in node.edges if edge is not None)
        if leads:
            useful[node] = None
        if leads or node in targets:
            kept.append(node)
    return kept[::-1], useful


class Mode(NamedTuple):
    """How a walk goes: are saved values kept for another one, are its own steps recorded?"""

    retain: bool
    taped: bool


def sweep(order: list[Node], grads: Grads, keep: Any, mode: Mode) -> None:
    """Visit the nodes of ``order``: each sends the gradient of its output on to its inputs.

    ``grads`` has a place for every Node and leaf that a gradient may reach.
    """
    retain, taped = mode
    observers = core.OBSERVERS
    summed: set[Any] = set()  # where gradients met: their sum is an array of this walk's own
    try:
        for node in order:
            g = grads.pop(node)
            if g is None:
                continue
            if node.hooks:
                g = run_hooks(node.hooks, g)
            op, edges = node.op, node.many or (node.first, node.second)
            if keep:
                if node in keep:
                    grads[node] = g
                edges = tuple(edge if edge in grads else None for edge in edges)
                if edges.count(None) == len(edges):
                    continue
            saved = node.saved
            if saved is None or taped or versions.last_write > node.seq:
                saved = fetch(node, taped)
            for edge, d in zip(edges, op.pull(g, saved, node.attrs, edges)):  # noqa: B905 - slower
                if edge is None or d is None:
                    continue
                if op.broadcasts:  # if it did, the gradient is summed over the copies
                    shape = edge.shape if edge.__class__ is Node else edge.array.shape
                    if shape != node.shape:
                        d = sum_to(d, shape)
                if observers:
                    tell(node, g, d, edge)
                if (old := grads[edge]) is not None:
                    d = iadd(old, d) if edge in summed and not taped else old + d
                    summed.add(edge)
                grads[edge] = d
            if not retain and op.frees:
                node.saved = saved = None
    except Exception as error:
        _say_where(node, error)
        raise


def fetch(node: Node, taped: bool) -> Any:
    """What a node saved: there, unchanged since, and as Tensors where the walk is recorded."""
    if node.saved is None:
        raise RuntimeError(SECOND_TIME)
    versions.check_saved(node)
    return as_tensors(node) if taped else node.saved


def tell(node: Node, g: Any, d: Any, edge: Any) -> None:
    """Tell every observer about one gradient on its way from ``node`` to ``edge``."""
    for observer in core.OBSERVERS:
        observer.on_grad(node, g, d, edge)


SECOND_TIME = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


def as_tensors(node: Node) -> list[Any]:
    """What a node saved, its arrays as Tensors joined to the graph, for a walk that is recorded."""
    pairs = zip(node.op.saves, node.saved or (), strict=True)
    return [_joined(node, name, value) for name, value in pairs]


def _joined(node: Node, name: str, value: Any) -> Any:
    op = node.op
    if name == "out":
        return attach(value, node)
    if name in op.inputs:
        if op.variadic:
            return tuple(attach(a, e) for a, e in zip(value, node.edges, strict=True))
        return attach(value, node.edges[op.inputs.index(name)])
    return value


def attach(value: Any, source: Any) -> Any:
    """A saved value as a Tensor that came from ``source``: a Node, a leaf, or None (a constant)."""
    if type(value) not in backend.MODULES:
        return value
    if isinstance(source, Tensor):
        return source
    t = wrap(value)
    t.node, t.needs_grad = source, source is not None
    return t


def run_hooks(hooks: Sequence[Callable[..., Any]], g: Any) -> Any:
    """Give a gradient to each hook as a Tensor; what a hook returns takes its place."""
    taped = isinstance(g, Tensor)
    for hook in hooks:
        with set_grad_enabled(taped):
            answer = hook(g if taped else wrap(backend.to_array(g)))
        if answer is not None and not isinstance(answer, Tensor):
            raise TypeError(f"expected Variable, but hook returned '{type(answer).__name__}'")
        if answer is not None:
            g = answer if taped else answer.array
    return g


# -- entry points ----------------------------------------------------------------------------------


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add to ``.grad`` of every leaf (or of ``inputs``) the gradient of ``tensors``.

    Raises RuntimeError if a tensor needs no gradient, or is no scalar and comes without a gradient
    of its own shape in ``grad_tensors``.
    """
    tensors, grad_tensors = _as_list(tensors), _as_list(grad_tensors)
    targets = None if inputs is None else _as_list(inputs)
    _check_given(tensors, targets, "backward")
    found = _walk(tensors, grad_tensors, retain_graph, create_graph, targets)
    holders = {t.node or t: t for t in targets or ()}
    for key in tuple(found):
        fresh = is_ours(found, key)
        accumulate(holders.get(key, key), found.pop(key), fresh)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of ``outputs`` with respect to ``inputs``; no ``.grad`` changes.

    Raises RuntimeError if an input needs no gradient, or is not used and ``allow_unused`` is False.
    """
    outputs, inputs = _as_list(outputs), _as_list(inputs)
    _check_given(outputs, inputs, "grad")
    if not all(t.needs_grad for t in inputs):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    found = _walk(outputs, _as_list(grad_outputs), retain_graph, create_graph, inputs)
    results: list[Any] = []
    for t in inputs:
        g = found.get(t.node or t)
        if g is None and not (allow_unused or materialize_grads):
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. "
                "Set allow_unused=True if this is the desired behavior."
            )
        if g is None:
            results.append(wrap(t.array * 0) if materialize_grads else None)
            continue
        if t.node is None and t._hooks:
            g = run_hooks(t._hooks, g)
        results.append(g if isinstance(g, Tensor) else wrap(backend.to_array(g).copy()))
    return tuple(results)


def _check_given(outputs: list[Any], inputs: list[Any] | None, name: str) -> None:
    """Raise what PyTorch raises for outputs and inputs that are no Tensors, or for no inputs."""
    if inputs is not None and not inputs:
        raise RuntimeError(f"`inputs` argument to `{name}()` cannot be empty.")
    for t in inputs or ():
        if not isinstance(t, Tensor):
            raise RuntimeError(f"all inputs have to be Tensors, but got {type(t).__name__}")
    if not all(isinstance(t, Tensor) for t in outputs):
        raise AssertionError("Expected output to be a Tensor")


def _walk(outputs: Any, seeds: Any, retain: bool | None, taped: bool, targets: Any) -> Any:
    seeds = seeds or [None] * len(outputs)
    if len(seeds) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(seeds)} gradients")
    given = [_seed(i, t, s, taped) for i, (t, s) in enumerate(zip(outputs, seeds, strict=True))]
    roots = [t.node or t for t in outputs]
    keys = None if targets is None else [t.node or t for t in targets]
    retain = taped if retain is None else retain
    before = is_grad_enabled()
    _record(taped)
    try:
        return run(roots, given, retain=retain, taped=taped, targets=keys)
    finally:
        _record(before)


def _seed(i: int, t: Tensor, seed: Any, taped: bool) -> Any:
    """The gradient with which the walk starts at one output."""
    if not t.needs_grad:
        raise RuntimeError(
            f"element {i} of tensors does not require grad and does not have a grad_fn"
        )
    if seed is None:
        if t.array.size != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs; this one has shape "
                f"{list(t.array.shape)}: give backward() a gradient of that shape, or sum() first"
            )
        xp = backend.MODULES[type(t.array)]
        ones = xp.ones(t.array.shape, t.array.dtype)
        return wrap(ones) if taped else ones
    if not isinstance(seed, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(seed).__name__}")
    if seed.array.shape != t.array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {list(seed.array.shape)} and "
            f"output[{i}] has a shape of {list(t.array.shape)}."
        )
    if seed.array.dtype != t.array.dtype:
        seed = core.OPS["to"].call(seed, dtype=t.array.dtype, device=None)
    return seed if taped else seed.array


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, Tensor) else list(value)


def references(held: dict[Any, Any], key: Any) -> int:
    """How many references there are to what ``held`` has under ``key``."""
    return getrefcount(held[key])


FEWEST = references({0: object()}, 0)  # where ``held`` is all that refers to it


def is_ours(found: dict[Any, Any], key: Any) -> bool:
    """Whether a gradient is a buffer of its own, and ``found`` all that refers to it.

    Then it can become ``.grad`` as it is. Else someone would see ``.grad`` change: another leaf
    that got the same array, a hook that kept it, the tensor that was given to backward().
    """
    base = getattr(found[key], "base", found)
    return (base is None or type(base) is pool.Block) and references(found, key) <= FEWEST


def accumulate(t: Tensor, g: Any, fresh: bool) -> None:
    """Add ``g`` to ``t.grad``, which ``t`` owns: no other tensor's gradient shares its memory."""
    if t.node is None and t._hooks:
        g = run_hooks(t._hooks, g)
        fresh = False
    taped = isinstance(g, Tensor)
    before = t._grad
    if before is None and taped:
        t._grad = core.OPS["clone"].call(g)
    elif before is None:
        array = backend.to_array(g)
        t._grad = core.fresh(array if fresh else array.copy())
    elif taped or before.needs_grad:
        t._grad = before + (g if taped else wrap(backend.to_array(g)))  # type: ignore[operator]
    else:
        before.array += g
        versions.written(before.array, "backward")


# -- anomaly mode ----------------------------------------------------------------------------------


class Anomaly:
    """The observer of anomaly mode: it remembers where steps were recorded and looks for nan."""

    def on_op(self, op: Any, inputs: Any, attrs: Any, out: Tensor) -> None:
        """Note the user's line that recorded this step."""
        if out.node is not None:
            out.node.info = {**(out.node.info or {}), "where": users_line()}

    def on_grad(self, node: Node, g: Any, d: Any, edge: Any) -> None:
        """Raise RuntimeError if a rule gave nan."""
        array = d.array if isinstance(d, Tensor) else d
        if bool((array != array).any()):
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its output.")


def users_line() -> str:
    """The innermost line on the stack that is not this package's own."""
    home = __file__.rsplit("autograd", 1)[0]
    for frame in reversed(traceback.extract_stack()):
        if not frame.filename.startswith((home, "<lane")):
            return (
                f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {frame.line}'
            )
    return "  unknown"


def _say_where(node: Node, error: Exception) -> None:
    """Add to a backward error the forward line that made the step, if anomaly mode noted it."""
    where = (node.info or {}).get("where")
    if where and error.args and "recorded here" not in str(error):
        error.args = (f"{error.args[0]}\nThe step {node.name()} was recorded here:\n{where}",)


_ANOMALY = Anomaly()


class set_detect_anomaly:  # noqa: N801 - PyTorch's name
    """Anomaly mode on or off: a function or a context manager.

    While it is on, an error in backward names the forward line that recorded the step, and a
    gradient that is nan raises RuntimeError.
    """

    def __init__(self, mode: bool = True):
        self.before = core.OBSERVERS
        others = tuple(o for o in core.OBSERVERS if o is not _ANOMALY)
        core.OBSERVERS = (*others, _ANOMALY) if mode else others

    def __enter__(self) -> None:
        """Anomaly mode is on already."""

    def __exit__(self, *error: Any) -> None:
        core.OBSERVERS = self.before


detect_anomaly = set_detect_anomaly
