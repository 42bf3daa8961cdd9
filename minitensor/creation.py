"""Tensors from data and from rules: ``tensor``, ``zeros``, ``arange`` and their kin.

Every function takes ``dtype``, ``device`` ("cpu" by default) and ``requires_grad``, where that
makes sense, and returns a leaf. The numbers of ``arange`` are rounded once; PyTorch's are rounded
twice, in blocks, so that the last digit can differ.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from . import backend, functions
from .backend import Array
from .core import OPS, Tensor, refusal, wrap

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full",
    "full_like", "linspace", "logspace", "ones", "ones_like", "tensor", "tril_indices",
    "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


def leaf(array: Array, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A leaf around ``array``, moved to ``device`` (by default the default device).

    Raises RuntimeError if integers or bools are to require a gradient.
    """
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    t = wrap(backend.move(array, backend.get_default_device() if device is None else device))
    t.needs_grad = bool(requires_grad)
    return t


# -- from data -------------------------------------------------------------------------------------


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A new tensor that copies ``data``: a number, nested sequences, a NumPy array or a tensor.

    Floats become the default dtype, ints int64, bools bool; arrays keep their dtype. Raises
    ValueError for ragged sequences (also ``[[], [1]]``, of which PyTorch drops the 1), TypeError or
    RuntimeError for what is not a number, ValueError or RuntimeError for integers that do not fit.
    """
    target = None if dtype is None else backend.as_dtype(dtype).numpy
    if isinstance(data, Tensor):
        array = data.array.astype(target or data.array.dtype)
        device = backend.device_of(array) if device is None else device
    elif isinstance(data, np.ndarray | np.generic):
        with np.errstate(all="ignore"):
            array = np.array(_checked(np.asarray(data)), dtype=target, order="C")
    else:
        array = _from_sequence(data, target)
    return leaf(array, device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, sharing its memory where dtype and device allow.

    A tensor keeps its history. Raises what ``tensor`` and ``from_numpy`` raise.
    """
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if not isinstance(data, Tensor):
        return tensor(data, dtype=dtype, device=device)
    data = functions.cast(data, dtype)
    here = backend.device_of(data.array)
    target = here if device is None else backend.device(device)
    if target in (here, backend.device(here.type)):
        return data
    return OPS["to"].call(data, dtype=None, device=target)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor on the memory of a NumPy array: a change of one is a change of the other.

    Raises TypeError for what is no array or has no dtype of ours, ValueError for negative strides
    and foreign byte order.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    if not array.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, but tensors are: writing to this tensor will "
            "fail. Copy the array first, or use tensor(), which copies.",
            stacklevel=2,
        )
    return wrap(_checked(array))


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor on the memory of an array of another library, such as PyTorch or CuPy.

    Raises RuntimeError for what does not speak DLPack or lies on a device that we do not have,
    BufferError for what its library does not give away, such as a tensor that requires a gradient.
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        kind = type(ext_tensor).__name__
        raise RuntimeError(f"from_dlpack(): argument 'ext_tensor' has no __dlpack__: {kind}")
    code, _ = ext_tensor.__dlpack_device__()
    if code not in DLPACK_DEVICES:
        raise RuntimeError(f"from_dlpack(): no such device here: DLPack's number {int(code)}")
    array = backend.module_for(DLPACK_DEVICES[code]).from_dlpack(ext_tensor)
    return wrap(_checked(array) if isinstance(array, np.ndarray) else array)


DLPACK_DEVICES = {1: "cpu", 2: "cuda", 3: "cpu", 13: "cuda"}  # also pinned and managed memory


def _checked(array: np.ndarray) -> np.ndarray:
    """``array`` as a plain ndarray, its dtype object the very one that the engine compares with."""
    if not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion "
            "between byte orders is currently not supported."
        )
    if array.dtype not in backend.DTYPES:
        raise TypeError(
            f"can't convert np.ndarray of type {array.dtype.type.__module__}."
            f"{array.dtype.type.__name__}. The only supported types are: "
            f"{', '.join(backend.NAMES)}."
        )
    if any(step < 0 for step in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array with array.copy().)"
        )
    if any(step % array.itemsize for step in array.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy "
            "array to reallocate the memory."
        )
    plain = np.asarray(array)
    own = backend.DTYPES[plain.dtype].numpy
    return plain if plain.dtype is own else plain.view(own)


def _from_sequence(data: Any, target: np.dtype | None) -> np.ndarray:
    shape = _shape(data)
    leaves: list[Any] = []
    _flatten(data, shape, 0, leaves)
    kinds = dict(zip(map(type, leaves), leaves, strict=True))  # one number of each type
    values = leaves
    if not kinds.keys() <= {bool, int, float}:
        values = [
            _item(x) if isinstance(x, Tensor | np.ndarray | np.generic) else x for x in leaves
        ]
    alike = kinds.keys() & {Tensor, np.ndarray}  # their dtypes differ, though the type is one
    found = [_leaf_dtype(x) for x in (leaves if alike else kinds.values())]
    if target is None:
        target = reduce(backend.promote_dtypes, found) if found else backend.default_float()
    return _convert(values, target).reshape(shape)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, list | tuple | range) or (isinstance(x, np.ndarray) and x.ndim > 0)


def _shape(data: Any) -> tuple[int, ...]:
    """The shape that the first elements of nested sequences show."""
    shape = []
    while _is_sequence(data):
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]
    return tuple(shape)


def _flatten(data: Any, shape: tuple[int, ...], dim: int, leaves: list[Any]) -> None:
    """Append every number in ``data`` to ``leaves``; ValueError where it does not fit ``shape``."""
    if dim == len(shape):
        leaves.append(data)
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[dim]:
        raise ValueError(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    if dim + 1 == len(shape):
        leaves.extend(data)
        return
    for part in data:
        _flatten(part, shape, dim + 1, leaves)


def _leaf_dtype(x: Any) -> np.dtype:
    """The dtype of one number. Raises TypeError or RuntimeError for what is none."""
    if isinstance(x, np.generic | np.ndarray):
        return _checked(np.asarray(x)).dtype
    if isinstance(x, Tensor):
        return x.array.dtype
    for kind, d in ((bool, backend.BOOL), (int, backend.INT64), (float, backend.default_float())):
        if isinstance(x, kind):
            return d
    if isinstance(x, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(x).__name__}'")
    if _is_sequence(x):
        raise TypeError(f"'{type(x).__name__}' object cannot be interpreted as an integer")
    raise RuntimeError(f"Could not infer dtype of {type(x).__name__}")


def _item(x: Any) -> Any:
    if isinstance(x, Tensor):
        if x.array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return x.array.item()
    return x.item()


def _convert(values: Sequence[Any], target: np.dtype) -> np.ndarray:
    """Numbers as a 1-d array. Floats too large become inf; integers too large are refused."""
    if target.kind == "b":
        return np.array([bool(v) for v in values], dtype=target)
    if target.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(values, dtype=np.float64).astype(target)
    limits = np.iinfo(target)
    low = limits.min or -limits.max  # PyTorch lets -1 be 255 in uint8
    try:
        whole = [int(v) for v in values]
    except (ValueError, OverflowError):  # nan and inf
        whole = [2**62 if target.itemsize < 8 else 2**64]
    worst = next((n for n in whole if not low <= n <= limits.max), None)
    if worst is None:
        return np.array(whole, dtype=np.int64).astype(target)
    if abs(worst) >= 2**63 and all(isinstance(v, int) for v in values):
        raise ValueError("Overflow when unpacking long long")
    raise RuntimeError(f"value cannot be converted to type {target.name} without overflow")


# -- filled ----------------------------------------------------------------------------------------


def _build(make: Callable[[Any], Array], device: Any) -> Array:
    """``make(module)`` with the array module of ``device``, on that device."""
    where = backend.get_default_device() if device is None else backend.device(device)
    if where.index:
        return backend.move(make(np), where)
    return make(backend.module_for(where))


def check_sizes(name: str, sizes: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """The shape from ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``.

    Raises TypeError where there is none, RuntimeError for a negative one.
    """
    if size is not None:
        sizes = (*sizes, size)
    if not sizes:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    sizes = tuple(check_int(name, "size", n) if isinstance(n, Tensor) else n for n in sizes)
    try:
        shape = functions.as_sizes(sizes)
    except TypeError as error:
        raise TypeError(f"{name}(): argument 'size' must be tuple of ints: {error}") from None
    for n in shape:
        if n < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {n}: {list(shape)}"
            )
    return shape


def _filling(name: str, what: str) -> Callable[..., Tensor]:
    """``zeros``, ``ones`` or ``empty``."""

    def make(
        *sizes: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Tensor:
        shape = check_sizes(name, sizes, size)
        d = backend.default_float() if dtype is None else backend.as_dtype(dtype).numpy
        array = _build(lambda xp: getattr(xp, name)(shape, dtype=d), device)
        return leaf(array, device, requires_grad)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""A tensor of {what}: ``{name}(2, 3)`` and ``{name}((2, 3))`` alike.

    Raises TypeError for sizes that are no ints, RuntimeError for negative ones.
    """
    return make


zeros = _filling("zeros", "zeros")
ones = _filling("ones", "ones")
empty = _filling("empty", "arbitrary values, for you to overwrite")


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the shape ``size`` (a tuple) filled with one number, of that number's dtype.

    Raises TypeError if ``size`` is no tuple, RuntimeError if the number does not fit ``dtype``.
    """
    if not isinstance(size, tuple | list):
        raise TypeError(f"full(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    value = _number("full", "fill_value", fill_value)
    d = _leaf_dtype(value) if dtype is None else backend.as_dtype(dtype).numpy
    filled = _convert([value], d).item()
    shape = check_sizes("full", (size,))
    array = _build(lambda xp: xp.full(shape, filled, dtype=d), device)
    return leaf(array, device, requires_grad)


def check_int(name: str, argument: str, value: Any) -> int:
    """An int, also from a tensor that holds one. Raises TypeError for anything else."""
    if isinstance(value, Tensor) and value.array.size == 1 and value.array.dtype.kind in "iu":
        return int(value.array)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {type(value).__name__}")
    return int(value)


def _number(name: str, argument: str, value: Any) -> Any:
    """A Python number, also from a tensor of one element. Raises TypeError for anything else."""
    if isinstance(value, Tensor | np.generic):
        value = _item(value)
    if not isinstance(value, bool | int | float):
        raise TypeError(
            f"{name}(): argument '{argument}' must be Number, not {type(value).__name__}"
        )
    return value


def _like(
    name: str, input: Any, value: Any, dtype: Any, device: Any, requires_grad: bool
) -> Tensor:
    """``input``'s shape, strides, dtype and device, filled with ``value`` (None: left as it is)."""
    if not isinstance(input, Tensor):
        raise refusal(name, "input", input)
    d = input.array.dtype if dtype is None else backend.as_dtype(dtype).numpy
    steps = [s for s in input.array.strides if s]  # 0 where expand() repeats: in C order, if it can
    order = "C" if 0 in input.array.strides and steps == sorted(steps)[::-1] else "K"
    array = backend.MODULES[type(input.array)].empty_like(input.array, dtype=d, order=order)
    if value is not None:
        array[...] = _convert([_number(name, "fill_value", value)], d).item()
    where = backend.device_of(input.array) if device is None else device
    return leaf(array, where, requires_grad)


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of the shape, dtype and device of ``input``."""
    return _like("zeros_like", input, 0, dtype, device, requires_grad)


def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones of the shape, dtype and device of ``input``."""
    return _like("ones_like", input, 1, dtype, device, requires_grad)


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Arbitrary values in the shape, dtype and device of ``input``."""
    return _like("empty_like", input, None, dtype, device, requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One number in the shape, dtype and device of ``input``."""
    return _like("full_like", input, fill_value, dtype, device, requires_grad)


# -- by rule ---------------------------------------------------------------------------------------


def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The n x n (or n x m) matrix with ones on its diagonal and zeros elsewhere."""
    n = check_int("eye", "n", n)
    m = n if m is None else check_int("eye", "m", m)
    for name, size in (("n", n), ("m", m)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    d = backend.default_float() if dtype is None else backend.as_dtype(dtype).numpy
    return leaf(_build(lambda xp: xp.eye(n, m, dtype=d), device), device, requires_grad)


def arange(
    *args: Any,
    start: Any = None,
    end: Any = None,
    step: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``arange(end)`` or ``arange(start, end, step)``: from ``start`` (0) to before ``end``.

    int64 if all are ints, else the default dtype. Raises RuntimeError for a step of 0 and for a
    step that leads away from ``end``.
    """
    given = _range(args, start, end, step)
    start, end, step = (_number("arange", n, v) for n, v in given.items())
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(v, int) for v in (start, end, step))
    d = backend.as_dtype(dtype).numpy if dtype else None
    d = d or (backend.INT64 if whole else backend.default_float())
    if d.kind == "b":
        raise NotImplementedError('"arange_cpu" not implemented for bool')
    if d.kind in "iu":
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero")
        count = len(range(start, end, step))
    else:
        start, end, step = float(start), float(end), float(step)
        count = math.ceil((end - start) / step)
    array = _build(lambda xp: (start + step * xp.arange(count)).astype(d), device)
    return leaf(array, device, requires_grad)


def _range(args: tuple[Any, ...], start: Any, end: Any, step: Any) -> dict[str, Any]:
    """The start, end and step that ``arange`` was given, by position or by name."""
    names = ("end",) if len(args) == 1 and end is None else ("start", "end", "step")
    if len(args) > 3 or (not args and end is None):
        raise TypeError("arange() takes (end), (start, end) or (start, end, step)")
    found = {"start": start, "end": end, "step": step}
    found.update(zip(names, args, strict=False))
    defaults = {"start": 0, "end": None, "step": 1}
    return {n: defaults[n] if v is None else v for n, v in found.items()}


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``base`` to the power of ``steps`` evenly spaced numbers from ``start`` to ``end``."""
    powers = linspace(start, end, steps, dtype="float64", device="cpu").array
    kind = backend.as_dtype(dtype or backend.default_float()).numpy
    return leaf((float(base) ** powers).astype(kind), device, requires_grad)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included."""
    start, end = _number("linspace", "start", start), _number("linspace", "end", end)
    steps = check_int("linspace", "steps", steps)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    d = backend.default_float() if dtype is None else backend.as_dtype(dtype).numpy
    inner = d if d.kind == "f" else backend.FLOAT64
    low, high = inner.type(start), inner.type(end)
    step = (high - low) / inner.type(max(steps - 1, 1))
    # Counted from both ends, so that the last number is `end` and the middle is symmetric. Each is
    # rounded once, from float64: as PyTorch does where it multiplies and adds in one instruction.
    i = np.arange(steps)
    up, down = float(low) + float(step) * i, float(high) - float(step) * (steps - 1 - i)
    values = np.where(i < steps // 2, up, down) if steps > 1 else up
    return leaf(values.astype(d), device, requires_grad)


def _triangle(name: str, sizes: tuple[Any, Any, Any], dtype: Any, device: Any) -> Tensor:
    names = ("row", "col", "offset")
    row, col, offset = (check_int(name, n, v) for n, v in zip(names, sizes, strict=True))
    for what, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{what} must be non-negative, got {size}")
    d = backend.INT64 if dtype is None else backend.as_dtype(dtype).numpy
    return leaf(np.stack(getattr(np, name)(row, offset, col)).astype(d), device)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Where the lower triangle of a row x col matrix is: a 2 x n tensor of rows and columns."""
    return _triangle("tril_indices", (row, col, offset), dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Where the upper triangle of a row x col matrix is: a 2 x n tensor of rows and columns."""
    return _triangle("triu_indices", (row, col, offset), dtype, device)
