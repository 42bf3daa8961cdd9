"""The Tensor that users meet: its properties, operators, indexing, in-place forms and methods.

Everything here is attached to ``core.Tensor``: functions by the tables at the end, in-place forms
made from the functions they are named after.
"""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import (
    autograd,
    backend,
    creation,
    functions,
    functions_methods,
    inplace,
    printing,
    random,
    versions,
)
from .core import Tensor, refusal, settled, wrap
from .functions_names import called
from .functions_table import IN_PLACE, public_methods
from .ops import elementwise as ew
from .ops import index as ix
from .ops import shape as sh
from .printing import Size as Size

# -- properties ------------------------------------------------------------------------------------


def _set_requires_grad(t: Tensor, value: bool) -> None:
    if t.node is not None and not value:
        raise RuntimeError(
            "you can only change requires_grad flags of leaf variables. If you want to use a "
            "computed variable in a subgraph that doesn't require differentiation use "
            "var_no_grad = var.detach()."
        )
    if not isinstance(value, bool):
        raise RuntimeError(f"requires_grad must be a bool, not {type(value).__name__}")
    if value and t.array.dtype.kind != "f":
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    t.needs_grad = value


def _get_grad(t: Tensor) -> Tensor | None:
    if t.node is not None and t._grad is None and not t._retains:
        warnings.warn(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
            ".grad attribute won't be populated during autograd.backward(). If you indeed want the "
            ".grad field to be populated for a non-leaf Tensor, use .retain_grad() on it.",
            stacklevel=2,
        )
    return t._grad


def _set_grad(t: Tensor, value: Tensor | None) -> None:
    if value is not None:
        if not isinstance(value, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got {type(value)}")
        if value.array.shape != t.array.shape:
            raise RuntimeError(
                f"assigned grad has data of a different size: {list(value.array.shape)}, expected "
                f"{list(t.array.shape)}"
            )
        if value.array.dtype != t.array.dtype or type(value.array) is not type(t.array):
            raise RuntimeError("assigned grad has data of a different type or device")
    t._grad = value


def _data(t: Tensor) -> Tensor:
    outside = wrap(settled(t))
    outside._quiet = True
    return outside


def _set_data(t: Tensor, value: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    t.array, t._shared = value.array, not value.array.flags.c_contiguous


def size(t: Tensor, dim: int | None = None) -> Any:
    """The shape, or its entry at ``dim``."""
    shape = Size(t.array.shape)
    return shape if dim is None else shape[functions.one_dim(dim, t.array.ndim)]


def cpu(t: Tensor) -> Tensor:
    """This tensor on the CPU; itself if it is there."""
    return to(t, "cpu")


def _matrix_T(t: Tensor) -> Tensor:
    if t.array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices, not on {t.array.ndim}-D tensors"
        )
    return sh.mT(t)


PROPERTIES: dict[str, Any] = {
    "shape": property(lambda t: Size(t.array.shape)),
    "dtype": property(lambda t: backend.DTYPES[t.array.dtype]),
    "device": property(lambda t: backend.device_of(t.array)),
    "ndim": property(lambda t: t.array.ndim),
    "itemsize": property(lambda t: t.array.itemsize),
    "nbytes": property(lambda t: t.array.size * t.array.itemsize),
    "requires_grad": property(lambda t: t.needs_grad, _set_requires_grad),
    "grad": property(_get_grad, _set_grad),
    "grad_fn": property(lambda t: t.node),
    "is_leaf": property(lambda t: t.node is None),
    "retains_grad": property(lambda t: t._retains),
    "data": property(_data, _set_data),
    "T": property(lambda t: sh.permute(t, dims=tuple(range(t.array.ndim))[::-1])),
    "mT": property(_matrix_T),
    "is_cuda": property(lambda t: backend.device_of(t.array).type == "cuda"),
    "_version": property(lambda t: versions.version(t.array)),
    "_base": property(lambda t: t.view_of.base if t.view_of else None),
}

# -- leaving the world of tensors ------------------------------------------------------------------


def item(t: Tensor) -> Any:
    """The one value as a Python number. Raises RuntimeError for more or fewer elements."""
    if t.array.size != 1:
        raise RuntimeError(f"a Tensor with {t.array.size} elements cannot be converted to Scalar")
    return t.array.item()


def tolist(t: Tensor) -> Any:
    """Nested lists of Python numbers."""
    return t.array.tolist()


def numpy(t: Tensor, *, force: bool = False) -> np.ndarray:
    """The values as a NumPy array that shares memory with the tensor.

    Raises RuntimeError for a tensor that requires a gradient, TypeError for one that is not on the
    CPU; ``force=True`` detaches and copies instead.
    """
    if t.needs_grad and not force:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )
    if type(t.array) is not np.ndarray and not force:
        raise TypeError(
            f"can't convert {backend.device_of(t.array)} device type tensor to numpy. "
            "Use Tensor.cpu() to copy the tensor to host memory first."
        )
    return backend.to_numpy(settled(t))


def _array(t: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    return np.array(numpy(t), dtype=dtype, copy=copy)


def _array_wrap(t: Tensor, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
    return wrap(np.asarray(array))  # what np.sin(tensor) gives back


def _scalar(t: Tensor) -> Any:
    if t.array.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return t.array.item()


def _bool(t: Tensor) -> bool:
    if t.array.size != 1:
        word = "no values" if t.array.size == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {word} is ambiguous")
    return bool(t.array.item())


def _index(t: Tensor) -> int:
    if t.array.size != 1 or t.array.dtype.kind == "f":
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(t.array.item())


def _length(t: Tensor) -> int:
    if t.array.ndim == 0:
        raise TypeError("len() of a 0-d tensor")
    return len(t.array)


def _iterate(t: Tensor) -> Iterator[Tensor]:
    if t.array.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return (_getitem(t, i) for i in range(len(t.array)))


def _format(t: Tensor, spec: str) -> str:
    number = t.array.ndim == 0 and type(t) is Tensor
    return format(t.array.item(), spec) if number else object.__format__(t, spec)


def _contains(t: Tensor, value: Any) -> bool:
    return bool((t.array == (value.array if isinstance(value, Tensor) else value)).any())


# -- indexing --------------------------------------------------------------------------------------


def as_index(key: Any, xp: Any) -> tuple[Any, ...]:
    """An index as the ops want it: ints, slices, None, Ellipsis and arrays of module ``xp``."""
    parts = tuple(_index_part(p, xp) for p in (key if isinstance(key, tuple) else (key,)))
    # With an ellipsis NumPy answers a full index by a 0-d view; without, by a scalar, a copy.
    return parts if any(p is Ellipsis for p in parts) else (*parts, Ellipsis)


def _index_part(part: Any, xp: Any) -> Any:
    if isinstance(part, Tensor):
        if part.array.dtype.kind == "f":
            raise IndexError(
                "tensors used as indices must be long, int, byte or bool tensors, not "
                f"{backend.DTYPES[part.array.dtype].name}"
            )
        if part.array.dtype == np.uint8:
            warnings.warn("indexing with dtype uint8 is deprecated, use bool instead", stacklevel=4)
            return part.array.astype(bool)
        if part.array.ndim == 0 and part.array.dtype.kind in "iu":
            return int(part.array)
        return part.array
    if isinstance(part, slice):
        if part.step is not None and int(part.step) <= 0:
            raise ValueError("step must be greater than zero")
        return slice(*(None if v is None else int(v) for v in (part.start, part.stop, part.step)))
    if isinstance(part, list | range):
        return xp.asarray(part, dtype=None if len(part) else np.int64)
    if isinstance(part, np.ndarray):
        return xp.asarray(part)
    if isinstance(part, bool | np.bool_):
        return xp.asarray(part)  # a mask without dimensions: NumPy would copy what it reads
    if part is None or part is Ellipsis or isinstance(part, int | np.integer):
        return part
    if isinstance(part, str):
        raise TypeError("new(): invalid data type 'str'")
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {type(part).__name__})"
    )


def _getitem(t: Tensor, key: Any) -> Tensor:
    if t.array.ndim == 0 and isinstance(key, int | str) and not isinstance(key, bool):
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim "
            "tensor to a number"
        )
    index = as_index(key, backend.MODULES[type(t.array)])
    for step in ix.in_steps(index):
        t = ix.getitem(t, index=step)
    return t


def _setitem(t: Tensor, key: Any, value: Any) -> None:
    *views, index = ix.in_steps(as_index(key, backend.MODULES[type(t.array)]))
    if value is None or isinstance(value, str):
        kind, name = type(value).__name__, functions_methods.type(t)
        raise TypeError(f"can't assign a {kind} to a {name}")
    if not isinstance(value, Tensor):
        value = wrap(backend.MODULES[type(t.array)].asarray(value).astype(t.array.dtype))
    value = functions.cast(value, t.array.dtype)
    for step in views:
        t = ix.getitem(t, index=step)
    if any(type(part) in backend.MODULES for part in index):
        inplace.assign(t, ix.put_at(t, value, index=index), "index_put_")
        return
    part = ix.getitem(t, index=index)
    while value.array.ndim > part.array.ndim and value.array.shape[0] == 1:
        value = sh.squeeze_dims(value, dim=(0,))
    new = functions.expand(value, part.array.shape)
    inplace.assign(part, new, "copy_", uniform=value.array.size == 1)


# -- autograd --------------------------------------------------------------------------------------


def backward(
    t: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradient of this tensor to ``.grad`` of the leaves it was computed from."""
    seeds = None if gradient is None else [gradient]
    autograd.backward([t], seeds, retain_graph, create_graph, inputs)


def detach(input: Tensor) -> Tensor:
    """The same memory without the history."""
    return wrap(settled(input))


def detach_(t: Tensor) -> Tensor:
    """Forget the history, in place. Raises RuntimeError on a view."""
    if t.view_of is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    t.node, t.needs_grad = None, False
    return t


def requires_grad_(t: Tensor, requires_grad: bool = True) -> Tensor:
    """Set ``requires_grad``; return the tensor."""
    if not isinstance(requires_grad, bool):
        raise refusal("requires_grad_", "requires_grad", requires_grad, "bool")
    t.requires_grad = requires_grad  # type: ignore[attr-defined]
    return t


class RemovableHandle:
    """What ``register_hook`` returns: ``remove()`` takes the hook away; a context manager too."""

    def __init__(self, holder: Any, slot: str, hook: Callable[..., Any]):
        self.holder, self.slot, self.hook = holder, slot, hook

    def remove(self) -> None:
        """Take the hook away."""
        left = tuple(h for h in getattr(self.holder, self.slot) if h is not self.hook)
        setattr(self.holder, self.slot, left)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


def register_hook(t: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call ``hook(gradient)`` when the gradient of this tensor is known; it may return another.

    Raises RuntimeError for a tensor that requires no gradient.
    """
    if not t.needs_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    holder, slot = (t, "_hooks") if t.node is None else (t.node, "hooks")
    hook = functools.partial(hook)  # an object of its own: the same hook may come twice
    before = getattr(holder, slot)
    last = before[-1:] if t.node is not None and t._retains else ()
    setattr(holder, slot, (*before[: len(before) - len(last)], hook, *last))
    return RemovableHandle(holder, slot, hook)


def retain_grad(t: Tensor) -> None:
    """Keep ``.grad`` of this non-leaf too. Raises RuntimeError if it requires no gradient."""
    if not t.needs_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if t.node is None or t._retains:
        return
    t._retains = True
    keeper = weakref.ref(t)

    def keep(g: Tensor) -> None:
        target = keeper()
        if target is not None:
            kept = g if g.needs_grad else wrap(g.array.copy())
            target._grad = kept if target._grad is None else ew.add(target._grad, kept)

    t.node.hooks = (*t.node.hooks, keep)


# -- conversions -----------------------------------------------------------------------------------


def to(t: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``; itself if no change."""
    wanted = {"dtype": kwargs.pop("dtype", None), "device": kwargs.pop("device", None)}
    copy = kwargs.pop("copy", False)
    non_blocking = kwargs.pop("non_blocking", False)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    for arg in args:
        if isinstance(arg, Tensor):
            wanted.update(dtype=arg.dtype, device=arg.device)  # type: ignore[attr-defined]
        elif isinstance(arg, str | backend.device):
            wanted["device"] = arg
        elif not isinstance(arg, bool):
            wanted["dtype"] = arg
    dtype = t.array.dtype if wanted["dtype"] is None else backend.as_dtype(wanted["dtype"]).numpy
    here = backend.device_of(t.array)
    target = here if wanted["device"] is None else backend.device(wanted["device"])
    stays = target.type == here.type and target.index in (None, here.index)
    if stays and dtype == t.array.dtype:
        return sh.clone(t) if copy else t
    if non_blocking and not stays and not t.needs_grad:  # a gradient's way back is waited for
        t, stays = wrap(backend.move(t.array, target, non_blocking=True)), True
        if t.array.dtype == dtype:
            return t
    return functions.convert(t, dtype, None if stays else target)


def type_as(t: Tensor, other: Tensor) -> Tensor:
    """This tensor in the dtype and on the device of ``other``."""
    return to(t, other)


def _casting(name: str) -> Callable[[Tensor], Tensor]:
    def cast(t: Tensor) -> Tensor:
        return functions.cast(t, name)

    cast.__doc__ = f"This tensor as {name}; itself if it is so already."
    return cast


def contiguous(t: Tensor) -> Tensor:
    """Itself if its elements lie in memory in order, else a copy that does."""
    return t if settled(t).flags.c_contiguous else sh.clone(t)


def cuda(t: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """A copy on the GPU."""
    return to(t, "cuda" if device is None else device, non_blocking=non_blocking)


# -- in-place forms --------------------------------------------------------------------------------


def _inplace(function: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    """The in-place form of a function whose result has its first argument's shape."""

    def method(t: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        inplace.check_writable(t)
        return inplace.assign(t, function(t, *args, **kwargs), name)

    method.__name__ = name
    method.__doc__ = f"``{name[:-1]}``, written into this tensor. Returns the tensor."
    return method


def copy_(t: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Overwrite this tensor with ``src``, a tensor or a number, cast and broadcast to fit."""
    if isinstance(src, bool | int | float):
        return fill_(t, src)
    if not isinstance(src, Tensor):
        raise refusal("copy_", "src", src)
    moved = to(src, device=backend.device_of(t.array), dtype=t.array.dtype)
    new = functions.expand(moved, t.array.shape)
    return inplace.assign(t, sh.clone(new) if new is src or new.view_of else new, "copy_")


def fill_(t: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``, a number or a tensor of 0 dimensions."""
    where = backend.device_of(t.array)
    if isinstance(value, Tensor):
        if value.array.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value.array.ndim} dimensions."
            )
        value = to(value, where, t.array.dtype)
    elif isinstance(value, bool | int | float | np.generic):
        value = creation.full((), value, dtype=t.array.dtype, device=where)
    else:
        raise refusal("fill_", "value", value, "Tensor or Number")
    return inplace.assign(t, functions.expand(value, t.array.shape), "fill_", uniform=True)


def zero_(t: Tensor) -> Tensor:
    """Set every element to 0."""
    return fill_(t, 0)


# -- operators -------------------------------------------------------------------------------------


def _of_bits(lane: Callable[..., Any]) -> Callable[..., Any]:
    """``&``, ``|`` and ``^`` are for bools and integers."""

    def method(t: Tensor, other: Any) -> Any:
        for x in (t, other):
            if isinstance(x, float) or (isinstance(x, Tensor) and x.array.dtype.kind == "f"):
                raise NotImplementedError(f"{lane.__name__} is not implemented for floats")
        return lane(t, other)

    return method


def _invert(t: Tensor) -> Tensor:
    if t.array.dtype.kind == "f":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return ew.bitwise_not(t)


def _reflected(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    stem = {"sub": "Rsub1", "truediv": "Mul0", "pow": "Pow2"}.get(name)  # as PyTorch computes it
    if stem is None:
        return lambda t, other: function(other, t)
    return lambda t, other: called(function(other, t), stem)


def _power(t: Any, exponent: Any) -> Any:
    return functions.pow(t, exponent)


def _matmul(t: Any, other: Any) -> Any:
    return functions.matmul(t, other) if isinstance(other, Tensor) else NotImplemented


OPERATORS: dict[str, Any] = {
    "add": ew.add, "sub": ew.sub, "mul": ew.mul, "truediv": ew.div, "floordiv": ew.floor_divide,
    "mod": ew.remainder, "pow": _power, "and": _of_bits(ew.bitwise_and),
    "or": _of_bits(ew.bitwise_or), "xor": _of_bits(ew.bitwise_xor),
}  # fmt: skip
COMPARISONS = {"eq": ew.eq, "ne": ew.ne, "lt": ew.lt, "le": ew.le, "gt": ew.gt, "ge": ew.ge}


def _compare(name: str, lane: Callable[..., Any]) -> Callable[..., Any]:
    """``==`` and ``!=`` with what is no number answer as Python does, not by an error."""

    def method(t: Tensor, other: Any) -> Any:
        if isinstance(other, Tensor | bool | int | float | np.generic | np.ndarray):
            return lane(t, other)
        return NotImplemented

    method.__name__ = f"__{name}__"
    return method


# -- tables: what becomes a method -----------------------------------------------------------------

METHODS: dict[str, Callable[..., Any]] = {
    "item": item, "tolist": tolist, "numpy": numpy, "backward": backward, "detach": detach,
    "detach_": detach_, "requires_grad_": requires_grad_, "register_hook": register_hook,
    "retain_grad": retain_grad, "to": to, "type_as": type_as, "contiguous": contiguous,
    "cuda": cuda, "copy_": copy_, "fill_": fill_, "zero_": zero_,
    "uniform_": random.uniform_, "normal_": random.normal_,
    "__getitem__": _getitem, "__setitem__": _setitem, "__bool__": _bool, "__index__": _index,
    "__len__": _length, "__iter__": _iterate, "__array__": _array, "__repr__": printing.tensor_repr,
    "__format__": _format, "__contains__": _contains, "__neg__": ew.neg, "__pos__": lambda t: t,
    "__abs__": ew.abs_, "__invert__": _invert, "__matmul__": _matmul,
    "__rmatmul__": _reflected("matmul", _matmul), "__float__": lambda t: float(_scalar(t)),
    "__int__": lambda t: int(_scalar(t)), "__array_wrap__": _array_wrap,
    "size": size, "cpu": cpu, "random_": random.random_,
    "bernoulli_": random.bernoulli_, "exponential_": random.exponential_,
    "bernoulli": random.bernoulli, "multinomial": random.multinomial,
}  # fmt: skip


def attach() -> None:
    """Give ``core.Tensor`` its methods, operators and properties."""
    named = public_methods()
    methods = {**named, **METHODS, **functions_methods.METHODS}
    # A method takes no out=, so where a function is a primitive the method is its lane.
    plain = {n: f for n, f in named.items() if hasattr(f, "lane") and not hasattr(f, "__wrapped__")}
    methods.update({name: function.lane for name, function in plain.items()})
    for name in IN_PLACE:
        methods[f"{name}_"] = _inplace(named[name], f"{name}_")
    for name in "float double half long int short bool".split():
        methods[name] = _casting(name)
    for name, lane in OPERATORS.items():
        methods[f"__{name}__"] = lane
        methods[f"__r{name}__"] = _reflected(name, lane)
        methods[f"__i{name}__"] = _inplace(lane, f"__i{name}__")
    for name, lane in COMPARISONS.items():
        methods[f"__{name}__"] = _compare(name, lane)
    for name, member in {**methods, **PROPERTIES}.items():
        setattr(Tensor, name, member)


attach()
