"""The heart of the engine: Tensor, Node, Op, and ``apply``, the one door through which they meet.

An ``Op`` is defined once: its forward on raw arrays, one vector-Jacobian rule per differentiable
input, its LaTeX and a sample. ``apply`` runs an op on Tensors: it takes the arrays out, calls the
forward, wraps the result and, where gradients are wanted, records a ``Node``. The same op called
with raw arrays is a plain NumPy or CuPy call; called with symbols it gives a formula. So one rule
computes a gradient, differentiates it again, and shows the derivative.

``lanes.py`` beside this file builds a fast lane for the common case from each definition. What
is here is the definition that the lanes must agree with.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import backend
from .backend import MODULES, Array, to_array


class Tensor:
    """An array that can remember how it was computed.

    ``array`` holds the values (NumPy or CuPy). ``node`` is the step that made it, None for a leaf.
    ``view_of`` says which tensor this one is a view of. The methods come from ``tensor.py``.
    """

    __slots__ = ("__dict__", "__weakref__", "array", "needs_grad", "node", "view_of")

    array: Array
    needs_grad: bool
    node: Node | None
    view_of: View | None
    _grad: Tensor | None = None
    _hooks: tuple[Callable[..., Any], ...] = ()  # of a leaf; others keep theirs in the node
    _views: Sequence[Any] = ()  # weak references to recorded views; a list once there is one
    _retains = False  # does retain_grad() keep the gradient of this result?
    _shared = False  # an array in another order than C that others may hold, too; see settled()
    _quiet = False  # of what `.data` gives: changes through it go unnoticed, as in PyTorch
    name: str | None = None  # pictures show it
    __array_priority__ = 1000  # makes `ndarray * tensor` call Tensor.__rmul__
    __hash__ = object.__hash__


class Node:
    """One recorded step: which op, from where, and what its rules need. It holds no output."""

    __slots__ = (
        "__weakref__", "attrs", "first", "hooks", "info", "many", "op", "saved", "second", "seq",
        "shape",
    )  # fmt: skip

    op: Op
    # The edges, see below: of most steps two at most, so that they need no tuple, which Python's
    # garbage collector would have to visit. Of a step with more, or with a list, all are in `many`.
    first: Any
    second: Any
    many: tuple[Any, ...]
    saved: tuple[Any, ...] | None  # the values of op.saves; None once a backward has freed them
    attrs: dict[str, Any]
    shape: tuple[int, ...]  # of the output
    seq: int  # age: the order of creation is a topological order
    hooks: tuple[Callable[..., Any], ...]
    info: dict[str, Any] | None  # notes that observers leave

    @property
    def edges(self) -> tuple[Any, ...]:
        """For each input: the Node that made it, a leaf Tensor, or None if it needs no gradient."""
        return self.many or (self.first, self.second)[: len(self.op.inputs)]

    def name(self) -> str:
        """PyTorch's name for this step, such as ``MulBackward0``."""
        known = (self.info or {}).get("called") or self.op.grad_name
        return known if isinstance(known, str) else known(self)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The steps before this one, as PyTorch gives them; a leaf stands for itself."""
        return tuple((edge, 0) for edge in self.edges)

    def __repr__(self) -> str:
        return f"<{self.name()} object>"


class View:
    """How a tensor views another: the base, the ops that lead from it, grad mode at its birth."""

    __slots__ = ("base", "recorded", "steps")

    def __init__(self, base: Tensor, steps: tuple[tuple[Op, dict[str, Any]], ...], recorded: bool):
        self.base, self.steps, self.recorded = base, steps, recorded


GRAD: Any = True  # are steps being recorded? autograd.no_grad and its kin set it
OBSERVERS: tuple[Any, ...] = ()  # objects that are told of every op and every gradient
OPS: dict[str, Op] = {}
NO_ATTRS: dict[str, Any] = {}
next_seq = itertools.count(1).__next__
shape_of = np.shape


class Op:
    """A primitive operation; ``op()`` makes one and explains its parts."""

    def __init__(self, name: str, forward: Any, rules: dict[str, Any], **parts: Any):
        self.name, self.forward, self.rules = name, forward, rules
        self.tex, self.sample = parts["tex"], parts["sample"]
        self.dtypes: str = parts["dtypes"]
        self.view: bool = parts["view"]
        self.broadcasts: bool = parts["broadcasts"]
        self.bools: bool = parts["bools"]
        self.fixed: tuple[str, ...] = parts["fixed"]
        # A name, or a function of the node that gives one; see functions_names.py.
        self.grad_name: Any = (parts["prefix"] or name.title().replace("_", "")) + "Backward0"
        self.inputs, self.attrs, self.variadic = read_signature(forward, rules, parts["inputs"])
        self.needs = {name: rule_needs(rule) for name, rule in rules.items()}
        self.saves = names_saved(self)
        self.frees = any(name == "out" or name in self.inputs for name in self.saves)
        self.run: dict[type, Callable[..., Any]] = {}  # array type -> forward with its module
        self.call: Callable[..., Any] = lambda *a, **k: None  # the fast lane; see lanes.py

    def add_module(self, array_type: type, xp: Any) -> None:
        """Bind the forward to an array module, so that running it looks up nothing."""
        forward = self.forward
        named = isinstance(forward, str)
        run = getattr(xp, forward) if named else functools.partial(forward, xp)
        self.run[array_type] = run
        if xp is np:  # rules meet NumPy's scalars where a result is 0-d
            for name in backend.NAMES:
                self.run[np.dtype(name).type] = run

    @functools.cached_property
    def pull(self) -> Any:
        """The rules in one: ``(g, saved, attrs, edges) -> gradients``, one for each input."""
        from . import lanes

        return lanes.build_pull(self)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def read_signature(forward: Any, rules: dict[str, Any], given: str | None) -> tuple[Any, Any, bool]:
    """The names of inputs and attributes, and whether the op takes a list of inputs.

    A forward's positional parameters after ``xp`` are inputs, ``*xs`` a list of them, keyword-only
    ones attributes. A forward that is only a ufunc's name takes its inputs from the rules.
    """
    if isinstance(forward, str):
        return tuple(given.split() if given else rules), (), False
    code = forward.__code__
    named = code.co_varnames[1 : code.co_argcount]
    attrs = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    if code.co_flags & VARIADIC:
        return (code.co_varnames[code.co_argcount + code.co_kwonlyargcount],), attrs, True
    return named, attrs, False


VARIADIC = 0x04  # the flag of a function that takes *args; inspect would take ten times as long


def rule_needs(rule: Callable[..., Any]) -> tuple[str, ...]:
    """The names of what a rule asks for, after the upstream gradient ``g``."""
    return rule.__code__.co_varnames[1 : rule.__code__.co_argcount]


def names_saved(op: Op) -> tuple[str, ...]:
    """What a node must keep for the rules of ``op``: inputs, their shapes, ``out``."""
    kept: list[str] = []
    allowed = {"out", *op.inputs, *op.attrs}
    allowed |= {f"{name}_{what}" for name in op.inputs for what in ("shape", "place")}
    for needs in op.needs.values():
        for name in needs:
            if name not in allowed and not (op.variadic and name == "i"):
                raise ValueError(
                    f"op {op.name}: a rule asks for {name!r}; known: {sorted(allowed)}"
                )
            if name not in kept and name not in op.attrs and name != "i":
                kept.append(name)
    return tuple(kept)


def op(
    name: str,
    forward: Any,
    *,
    tex: str | Callable[..., str],
    sample: Callable[[Any], Any],
    dtypes: str = "promote",
    broadcasts: bool = False,
    bools: bool = True,
    view: bool = False,
    fixed: Sequence[str] = (),
    inputs: str | None = None,
    prefix: str | None = None,
    **rules: Callable[..., Any],
) -> Callable[..., Any]:
    """Define a primitive and return the function that applies it.

    Args:
        name: its name in the registry ``OPS``.
        forward: a ufunc's name, or ``lambda xp, x, y, *, attr: ...`` on arrays of module ``xp``.
        rules: for each differentiable input, by name, its vector-Jacobian rule
            ``lambda g, ...: gradient``. Its further parameters say what the forward must save:
            an input, ``out``, ``<input>_shape``, ``<input>_place`` (its dtype and device), or an
            attribute. A rule uses operators, ``.shape``, ``.ndim``, ``.dtype`` and other ops only,
            so that it runs on raw arrays, on Tensors and on symbols alike.
        tex: LaTeX with ``{0}``, ``{1}`` for the inputs and ``{attr}``, or a function of them.
        sample: ``sample(rng)`` returns a list of inputs, or ``(inputs, attrs)``; tests check the
            op there, so an op without one cannot be registered.
        dtypes: "promote" inputs to one dtype; "float", the same and integers become floats; "same"
            dtype or an error; "keep" them as they are.
        broadcasts: inputs broadcast against each other; backward sums what was repeated.
        bools: False refuses bool tensors and True and False, as subtraction does.
        view: the result shares memory with the first input.
        fixed: inputs that take no part in promotion, such as a mask or an index.
        inputs: the input names, where ``forward`` is a ufunc's name and there are no rules.
        prefix: the stem of PyTorch's name for the backward step, where it is not the op's own.
    """
    from . import lanes

    parts: dict[str, Any] = {"tex": tex, "sample": sample, "dtypes": dtypes, "view": view}
    parts |= {"broadcasts": broadcasts, "fixed": tuple(fixed), "inputs": inputs, "prefix": prefix}
    parts["bools"] = bools
    made = Op(name, forward, rules, **parts)
    if name in OPS:
        raise ValueError(f"op {name!r} is defined twice")
    OPS[name] = made
    backend.on_join(made.add_module)
    made.call = lanes.build_lane(made)
    return made.call


# -- the door ----------------------------------------------------------------------------------


def apply(op: Op, inputs: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """Run ``op`` on its inputs: Tensors (recorded), raw arrays (a plain call) or symbols.

    Raises TypeError for an input of another kind, RuntimeError for devices, dtypes or shapes that
    do not fit together.
    """
    for x in inputs:
        if hasattr(x, "__apply_op__"):
            return x.__apply_op__(op, inputs, attrs)
    if not any(isinstance(x, Tensor) for x in inputs):
        return outside(op, inputs, attrs)
    inputs = prepare(op, inputs)
    arrays = [x.array if isinstance(x, Tensor) else x for x in inputs]
    if op.view:
        arrays[0] = settled(inputs[0])
    first = next(type(a) for a in arrays if type(a) in MODULES)
    try:
        out = to_array(op.run[first](*arrays, **attrs))
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError) as error:
        raise explain(op, arrays, error) from error
    result = fresh(out)
    if GRAD and any(differentiable(op, inputs)):
        record(op, inputs, arrays, attrs, result)
    if op.view:
        mark_view(result, inputs[0], op, attrs)
    if OBSERVERS:
        notify(op, inputs, attrs, result)
    return result


def outside(op: Op, inputs: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """Run ``op`` where no input is a Tensor: on raw arrays, as rules do, or on symbols."""
    for x in inputs:
        run = op.run.get(type(x))
        if run is not None:
            return run(*inputs, **attrs)
        if hasattr(x, "__apply_op__"):
            return x.__apply_op__(op, inputs, attrs)
    kinds = ", ".join(type(x).__name__ for x in inputs)
    raise TypeError(f"{op.name}(): argument '{op.inputs[0]}' must be Tensor, not {kinds}")


def fresh(array: Array) -> Tensor:
    """A leaf Tensor around an array that an op has just made."""
    t = Tensor()
    t.array, t.needs_grad, t.node, t.view_of = array, False, None, None
    return t


def wrap(array: Array) -> Tensor:
    """A leaf Tensor around an array, which others may hold as well."""
    t = fresh(array)
    if not array.flags.c_contiguous:
        t._shared = True
    return t


def settled(t: Tensor) -> Array:
    """The array of ``t``, to be shared or looked at: in C order, unless it is a view.

    A convolution lays its result out with the batch last, since it is faster so, and elementwise
    ops keep the layout of their input. PyTorch has C order there. So before anything can share the
    memory of such a result, or ask how it lies, it is copied into C order, once and for all.
    """
    array = t.array
    if array.flags.c_contiguous or t.view_of is not None or t._shared or array.ndim < 3:
        return array
    if backend.MODULES[type(array)].moveaxis(array, 0, -1).flags.c_contiguous:
        t.array = array = array.copy()
    return array


def differentiable(op: Op, inputs: Sequence[Any]) -> Iterator[bool]:
    """For each input, whether a gradient will be asked of it."""
    names: Any = itertools.repeat(op.inputs[0]) if op.variadic else op.inputs
    for name, x in zip(names, inputs, strict=False):
        yield name in op.rules and isinstance(x, Tensor) and x.needs_grad


def record(op: Op, inputs: Any, arrays: Any, attrs: dict[str, Any], result: Tensor) -> None:
    """Hang a Node on ``result``, saving only what the rules that will run have named."""
    needs = tuple(differentiable(op, inputs))
    saved = tuple(save(op, name, needs, arrays, result.array) for name in op.saves)
    result.node = make_node(op, edges_of(inputs, needs), saved, attrs, result.array.shape)
    result.needs_grad = True


def edges_of(inputs: Sequence[Any], needs: Sequence[bool]) -> tuple[Any, ...]:
    """Where each input came from, its Node or itself as a leaf; None if it needs no gradient."""
    return tuple((x.node or x) if n else None for x, n in zip(inputs, needs, strict=True))


def make_node(
    op: Any, edges: tuple[Any, ...], saved: tuple[Any, ...], attrs: dict[str, Any], shape: Any
) -> Node:
    """A Node of this moment."""
    node = Node()
    node.op, node.saved, node.attrs, node.shape = op, saved, attrs, shape
    node.many = edges if op.variadic or len(edges) > 2 else ()
    node.first, node.second = (None, None) if node.many else (*edges, None)[:2]
    node.hooks, node.info, node.seq = (), None, next_seq()
    return node


def save(op: Op, name: str, needs: Sequence[bool], arrays: Sequence[Any], out: Array) -> Any:
    """The value to keep under ``name``, or None where no rule that will run asks for it."""
    if op.variadic:
        if name == op.inputs[0]:
            return tuple(arrays)
        return out if name == "out" else tuple(a.shape for a in arrays)
    wanted = [name in op.needs[i] for i, n in zip(op.inputs, needs, strict=True) if n]
    if not any(wanted):
        return None
    if name == "out":
        return out
    if name in op.inputs:
        return arrays[op.inputs.index(name)]
    source, _, what = name.rpartition("_")
    array = arrays[op.inputs.index(source)]
    return np.shape(array) if what == "shape" else place_of(array)


def place_of(array: Array) -> tuple[np.dtype, backend.device]:
    """The dtype and device of an array."""
    return array.dtype, backend.device_of(array)


def mark_view(result: Tensor, source: Tensor, op: Op, attrs: dict[str, Any]) -> None:
    """Note that ``result`` views ``source``, unless the op had to copy."""
    if backend.owner(result.array) is backend.owner(source.array):
        before = source.view_of
        base, steps = (before.base, before.steps) if before else (source, ())
        recorded = GRAD and (before is None or before.recorded)
        result.view_of = View(base, (*steps, (op, attrs)), recorded)
        if recorded:
            views = base.__dict__.setdefault("_views", [])
            views.append(weakref.ref(result))
            if len(views) >= 32 and len(views).bit_count() == 1:  # now and then, drop the dead
                base._views = [ref for ref in views if ref() is not None]


def notify(op: Op, inputs: Sequence[Any], attrs: dict[str, Any], out: Tensor) -> None:
    """Tell every observer about one op."""
    for observer in OBSERVERS:
        observer.on_op(op, inputs, attrs, out)


# -- fitting inputs together -------------------------------------------------------------------


def prepare(op: Op, inputs: Sequence[Any]) -> list[Any]:
    """Inputs as Tensors or Python numbers of one device and, where the op wants it, one dtype."""
    names = op.inputs * len(inputs) if op.variadic else op.inputs
    ready = [as_operand(op, name, x) for name, x in zip(names, inputs, strict=False)]
    ready = on_one_device(ready)
    free = [i for i, name in enumerate(names[: len(ready)]) if name not in op.fixed]
    if op.dtypes == "same":
        check_same_dtype(op, [ready[i] for i in free])
    elif op.dtypes in ("promote", "float"):
        if not op.bools and any(is_bool(x) for x in ready):
            raise RuntimeError(f"{op.name} is not for bools: use ~, ^ or logical_not() instead")
        target = backend.result_dtype([getattr(ready[i], "array", ready[i]) for i in free])
        if op.dtypes == "float" and target.kind != "f":
            target = backend.default_float()
        for i in free:
            if isinstance(ready[i], Tensor) and ready[i].array.dtype != target:
                ready[i] = OPS["to"].call(ready[i], dtype=target, device=None)
            elif type(ready[i]) is int and target.kind in "iu":  # -1 is 255 in uint8
                ready[i] = np.asarray(ready[i]).astype(target).item()
    return ready


def is_bool(x: Any) -> bool:
    """Whether an input is a bool tensor, or True or False."""
    return isinstance(x, bool) or (isinstance(x, Tensor) and x.array.dtype.kind == "b")


def as_operand(op: Op, name: str, x: Any) -> Any:
    """An input as a Tensor or a Python number; TypeError for anything else."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, np.generic):
        x = x.item()
    if op.dtypes in ("promote", "float") and isinstance(x, bool | int | float):
        return x
    if type(x) in MODULES:
        return wrap(x)
    given = {"x": "input", "y": "other", "xs": "tensors"}.get(name, name)
    raise refusal(op.name, given, x)


def refusal(function: str, argument: str, given: Any, wanted: str = "Tensor") -> TypeError:
    """The error that says: this argument must be a Tensor."""
    kind = type(given).__name__
    return TypeError(f"{function}(): argument '{argument}' must be {wanted}, not {kind}")


def on_one_device(inputs: list[Any]) -> list[Any]:
    """Check that tensors share a device; a 0-d tensor on the CPU follows the others."""
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    kinds = {type(t.array): t for t in tensors}
    if len(kinds) == 1:
        return inputs
    main = next((t for t in tensors if t.array.ndim), tensors[0])
    where = backend.device_of(main.array)
    for i, x in enumerate(inputs):
        if isinstance(x, Tensor) and type(x.array) is not type(main.array):
            here = backend.device_of(x.array)
            if x.array.ndim or here.type != "cpu":
                raise RuntimeError(
                    "Expected all tensors to be on the same device, but found at least two "
                    f"devices, {where} and {here}! Move one with .to('{where}')."
                )
            inputs[i] = OPS["to"].call(x, dtype=None, device=where)
    return inputs


def check_same_dtype(op: Op, tensors: list[Tensor]) -> None:
    """Raise RuntimeError unless all tensors have one dtype."""
    found = {backend.DTYPES[t.array.dtype].name for t in tensors}
    if len(found) > 1:
        raise RuntimeError(
            f"{op.name}: expected all tensors to have the same dtype, but got "
            f"{', '.join(sorted(found))}"
        )


def explain(op: Op, arrays: Sequence[Any], error: Exception) -> Exception:
    """Turn what NumPy or CuPy raised in a forward into PyTorch's error and words."""
    shapes = [np.shape(a) for a in arrays]
    if op.broadcasts:
        for a, b in itertools.combinations(shapes, 2):
            for dim in range(1, min(len(a), len(b)) + 1):
                if a[-dim] != b[-dim] and 1 not in (a[-dim], b[-dim]):
                    return RuntimeError(
                        f"The size of tensor a ({a[-dim]}) must match the size of tensor b "
                        f"({b[-dim]}) at non-singleton dimension {max(len(a), len(b)) - dim} "
                        f"(in {op.name}, shapes {list(a)} and {list(b)})"
                    )
    if isinstance(error, IndexError | NotImplementedError):
        return error
    kinds = ", ".join(str(getattr(a, "dtype", type(a).__name__)) for a in arrays)
    return RuntimeError(f"{op.name} does not work on shapes {shapes} of {kinds}: {error}")
