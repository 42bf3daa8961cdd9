"""PyTorch's functions on tensors: arguments brought into form, then a primitive or a few.

Each function is also a method of Tensor; ``tensor.py`` attaches them by the tables at the end.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import backend
from .core import Tensor, refusal, wrap
from .functions_forms import Dims, Number, Value, listed, named, wide_inside
from .functions_names import EVERY, Every, called
from .ops import elementwise as ew
from .ops import fused, linalg, reduce
from .ops import index as ix
from .ops import shape as sh

# -- dimensions ------------------------------------------------------------------------------------


def one_dim(dim: int, ndim: int) -> int:
    """``dim`` as a non-negative int. Raises IndexError where the tensor has no such dimension."""
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}")
    room = builtins.max(ndim, 1)
    if not -room <= dim < room:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-room}, {room - 1}], "
            f"but got {dim})"
        )
    return int(dim) % room


def many_dims(dim: Dims, ndim: int) -> tuple[int, ...]:
    """``dim`` as a tuple of non-negative ints: all of them for None or an empty tuple."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return EVERY[ndim] if dim is None else tuple(range(ndim))
    dims = tuple(one_dim(d, ndim) for d in (dim if isinstance(dim, tuple | list) else (dim,)))
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return dims if ndim else ()


def as_sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` alike, as a tuple of ints."""
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        sizes = tuple(sizes[0])
    if not [n for n in sizes if type(n) is not int]:
        return sizes
    for n in sizes:
        if isinstance(n, bool) or not isinstance(n, int | np.integer):
            raise TypeError(f"size must be a tuple of ints, but got {type(n).__name__} in {sizes}")
    return tuple(int(n) for n in sizes)


def _floating(name: str, t: Tensor) -> Tensor:
    if t.array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point "
            f"or complex dtype. Got: {backend.as_dtype(t.array.dtype).name.capitalize()}"
        )
    return t


def cast(t: Tensor, dtype: Any) -> Tensor:
    """``t`` in another dtype; ``t`` itself if it has it already or ``dtype`` is None."""
    wanted = None if dtype is None else backend.as_dtype(dtype).numpy
    return t if wanted is None or wanted == t.array.dtype else convert(t, wanted, None)


def convert(t: Tensor, dtype: np.dtype, device: Any) -> Tensor:
    """``t`` in another dtype or on another device. Whole numbers have no gradient."""
    return sh.to(t if dtype.kind == "f" else wrap(t.array), dtype=dtype, device=device)


# -- arithmetic ------------------------------------------------------------------------------------


def add(input: Any, other: Value, *, alpha: Number = 1) -> Any:
    """``input + alpha * other``."""
    return ew.add(input, other if alpha == 1 else _times(input, other, alpha))


def _times(input: Any, other: Any, alpha: Number) -> Any:
    """``other * alpha``. Raises RuntimeError for a fraction of whole numbers."""
    kinds = [x.array.dtype.kind if isinstance(x, Tensor) else "f" * isinstance(x, float)
             for x in (input, other)]  # fmt: skip
    if isinstance(alpha, float) and "f" not in kinds:
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    return ew.mul(other, alpha) if isinstance(other, Tensor) else other * alpha


def sub(input: Any, other: Value, *, alpha: Number = 1) -> Any:
    """``input - alpha * other``. Raises RuntimeError for bools."""
    return ew.sub(input, other if alpha == 1 else _times(input, other, alpha))


def div(input: Any, other: Value, *, rounding_mode: str | None = None) -> Any:
    """``input / other``; ``rounding_mode`` "floor" or "trunc" rounds the quotient."""
    if rounding_mode is None:
        return ew.div(input, other)
    if rounding_mode == "floor":
        return ew.floor_divide(input, other)
    if rounding_mode == "trunc":
        kind = backend.result_dtype([getattr(x, "array", x) for x in (input, other)])
        x = input if kind.kind == "f" else cast(input, backend.FLOAT64)
        return cast(ew.trunc(ew.div(x, other)), kind)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


def pow(input: Value, exponent: Value) -> Any:
    """``input ** exponent``, each a tensor or a number."""
    if not isinstance(exponent, bool | int | float):
        return ew.pow_tensor(input, exponent)
    if not isinstance(input, Tensor):
        raise refusal("pow", "input", input)
    if isinstance(input, Tensor) and input.array.dtype == bool:
        input = cast(input, backend.result_dtype([input.array, exponent]))
    whole = getattr(getattr(input, "array", input), "dtype", backend.FLOAT32).kind in "iub"
    if whole and isinstance(exponent, float):
        input = cast(input, backend.default_float()) if isinstance(input, Tensor) else input
    elif whole and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return ew.pow_number(input, exponent=exponent)


def clamp(input: Tensor, min: Value | None = None, max: Value | None = None) -> Tensor:
    """Values below ``min`` become ``min``, above ``max`` become ``max``; numbers or tensors."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        # Not maximum and minimum: where a value is equal to a bound, all of the gradient is its.
        for name, bound in (("min", min), ("max", max)):
            other = max if bound is min else min
            if isinstance(bound, int | float) and getattr(other, "array", np.zeros(())).ndim:
                raise refusal("clamp", name, bound, "Tensor, as the other bound is")
        low = input
        if min is not None:
            low = ew.where(ew.ge(low, min), low, ew.maximum(low, min))
        if max is not None:
            low = ew.where(ew.le(low, max), low, ew.minimum(low, max))
        return called(low, "Clamp0")
    bounds = [backend.result_dtype([input.array, b]) for b in (min, max) if b is not None]
    return ew.clamp_number(cast(input, bounds[-1]), low=min, high=max)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Round to the nearest, halves to even."""
    return ew.round_(input, decimals=decimals)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``. RuntimeError if it is not bool.

    Of ``condition`` alone: the places where it is not 0, one tensor for each dimension.
    """
    if not isinstance(condition, Tensor):
        raise refusal("where", "condition", condition)
    if input is None and other is None:
        found = condition.array.reshape(condition.array.shape or 1)
        return tuple(wrap(i) for i in backend.MODULES[type(found)].nonzero(found))
    if condition.array.dtype != bool:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{backend.DTYPES[condition.array.dtype].name}"
        )
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        xp = backend.MODULES[type(condition.array)]
        input = wrap(xp.asarray(input, dtype=backend.result_dtype([input, other])))
    return ew.where(condition, input, other)


# -- reductions ------------------------------------------------------------------------------------


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Sum over ``dim`` (all by default). Sums of bools and integers are int64."""
    input = cast(input, dtype)
    return reduce.sum_(input, dim=many_dims(dim, input.array.ndim), keepdim=keepdim)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Mean over ``dim`` (all by default). Raises RuntimeError for integers without ``dtype``."""
    input = _floating("mean", cast(input, dtype))
    return reduce.mean(input, dim=many_dims(dim, input.array.ndim), keepdim=keepdim)


@wide_inside
def var(
    input: Tensor, dim: Dims = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float = 1,
) -> Tensor:  # fmt: skip
    """Variance over ``dim``: squared deviations summed, divided by count - ``correction``.

    ``unbiased`` is the older way to ask for a correction of 1 (True) or 0 (False).
    """
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = correction if unbiased is None else int(unbiased)
    dims = many_dims(dim, _floating("var", input).array.ndim)
    away = ew.square(ew.sub(input, reduce.mean(input, dim=dims, keepdim=True)))
    left = builtins.max(reduce.count(input.array.shape, dims) - correction, 0)
    return reduce.sum_(away, dim=dims, keepdim=keepdim) / left


@wide_inside
def std(
    input: Tensor, dim: Dims = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float = 1,
) -> Tensor:  # fmt: skip
    """Standard deviation: the root of ``var``."""
    spread = var(input, dim, unbiased, keepdim, correction=correction)
    # Where all values are equal, the root's slope is infinite; as in PyTorch the gradient is 0.
    flat = ew.eq(spread, 0)
    return ew.where(flat, 0.0, ew.sqrt(ew.where(flat, 1.0, spread)))


def _nonempty(name: str, t: Tensor, dims: tuple[int, ...], every: bool = False) -> None:
    if every and not t.array.size:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim with the 'dim' argument."
        )
    if builtins.any(t.array.shape[d] == 0 for d in dims):
        raise IndexError(f"{name}(): Expected reduction dim to have non-zero size.")


def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """Maximum over ``dim``; equal maxima share the gradient."""
    dims = many_dims(dim, input.array.ndim)
    _nonempty("amax", input, dims, not dim and dim != 0)
    return reduce.amax(input, dim=dims, keepdim=keepdim)


def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """Minimum over ``dim``; equal minima share the gradient."""
    dims = many_dims(dim, input.array.ndim)
    _nonempty("amin", input, dims, not dim and dim != 0)
    return reduce.amin(input, dim=dims, keepdim=keepdim)


RESULTS = {name: named(name) for name in ("max", "min")}


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    best, pick, every = {
        "max": (ew.maximum, reduce.argmax, reduce.amax),
        "min": (ew.minimum, reduce.argmin, reduce.amin),
    }[name]
    if isinstance(dim, Tensor):
        return best(input, dim)
    if dim is None:
        _nonempty(name, input, (), every=True)
        return every(input, dim=EVERY[input.array.ndim], keepdim=False)
    d = one_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return RESULTS[name]((input, wrap(backend.MODULES[type(input.array)].zeros((), np.int64))))
    _nonempty(name, input, (d,))
    chosen = sh.unsqueeze_dims(pick(input, dim=d), dim=(d,))
    values = ix.gather(input, chosen, dim=d)
    if not keepdim:
        values, chosen = (sh.squeeze_dims(t, dim=(d,)) for t in (values, chosen))
    return RESULTS[name]((values, chosen))


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The maximum of all, of pairs (``dim`` a tensor), or values and indices along ``dim``."""
    return _extreme("max", input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The minimum of all, of pairs (``dim`` a tensor), or values and indices along ``dim``."""
    return _extreme("min", input, dim, keepdim)


def _arg(pick: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    if input.array.dtype == bool:
        raise RuntimeError("\"argmax\" not implemented for 'Bool'")
    if dim is None:
        if input.array.size == 0:
            raise IndexError(
                "argmax(): Expected reduction dim to be specified for input.numel() == 0."
            )
        chosen = pick(reshape(input, -1), dim=0)
        return reshape(chosen, (1,) * input.array.ndim) if keepdim else chosen
    d = one_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return pick(reshape(input, 1), dim=0)
    _nonempty("argmax", input, (d,))
    chosen = pick(input, dim=d)
    return sh.unsqueeze_dims(chosen, dim=(d,)) if keepdim else chosen


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the maximum is: the index along ``dim``, or into the flattened tensor."""
    return _arg(reduce.argmax, input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the minimum is: the index along ``dim``, or into the flattened tensor."""
    return _arg(reduce.argmin, input, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element is true (non-zero)."""
    return reduce.all_(input, dim=many_dims(dim, input.array.ndim), keepdim=keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether some element is true (non-zero)."""
    return reduce.any_(input, dim=many_dims(dim, input.array.ndim), keepdim=keepdim)


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """The logarithm of the sum of exponentials, safe from overflow."""
    return reduce.logsumexp(input, dim=many_dims(dim, input.array.ndim), keepdim=keepdim)


def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Exponentials divided by their sum along ``dim``, safe from overflow."""
    return _over_classes(fused.softmax, input, dim, dtype)


def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """The logarithm of ``softmax``."""
    return _over_classes(fused.log_softmax, input, dim, dtype)


def _over_classes(op: Any, input: Tensor, dim: int, dtype: Any) -> Any:
    """A softmax of ``input``, which must hold floats."""
    x = cast(input, dtype)
    if x.array.dtype.kind != "f":
        name = backend.DTYPES[x.array.dtype].name
        raise NotImplementedError(f'"softmax" not implemented for {name}: pass dtype=float32')
    d = one_dim(dim, x.array.ndim)
    if x.array.size == 0:
        return sh.clone(x)
    return op(x, dim=d) if x.array.ndim else reshape(op(reshape(x, (1,)), dim=0), ())


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along ``dim``."""
    input = cast(input, dtype)
    d = one_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return reshape(reduce.cumsum(reshape(input, 1), dim=0), ())
    return reduce.cumsum(input, dim=d)


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and the same values."""
    return bool(input.array.shape == other.array.shape and (input.array == other.array).all())


# -- shape -----------------------------------------------------------------------------------------


def _full_shape(t: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    """``shape`` with its -1 filled in. Raises RuntimeError where the sizes cannot agree."""
    if math.prod(shape) == t.array.size and not [n for n in shape if n < 0]:
        return shape
    size, known = t.array.size, math.prod(n for n in shape if n != -1)
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if -1 in shape and known and size % known == 0:
        return tuple(size // known if n == -1 else n for n in shape)
    if -1 in shape or known != size or builtins.any(n < -1 for n in shape):
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
    return shape


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same values in another shape: a view where strides allow, else a copy. -1 is inferred."""
    if not shape:
        raise TypeError('reshape() missing 1 required positional arguments: "shape"')
    return sh.reshape(input, shape=_full_shape(input, as_sizes(shape)))


def view(input: Tensor, *shape: Any) -> Tensor:
    """The same memory in another shape. Raises RuntimeError where that would need a copy."""
    if len(shape) == 1 and isinstance(shape[0], backend.dtype):
        raise RuntimeError("view(dtype) is not supported: use .to(dtype), which copies")
    full = _full_shape(input, as_sizes(shape))
    out = sh.reshape(input, shape=full)
    if out.view_of is None:
        steps = tuple(s // input.array.itemsize for s in input.array.strides)
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces): size "
            f"{list(input.array.shape)}, stride {steps} to {list(full)}. Use .reshape(...) instead."
        )
    return out


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Fold the dimensions from ``start_dim`` to ``end_dim`` into one."""
    shape, ndim = input.array.shape, input.array.ndim
    start, end = one_dim(start_dim, ndim), one_dim(end_dim, ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if ndim == 0:
        return reshape(input, 1)
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Reorder the dimensions; a view."""
    order = as_sizes(dims)
    ndim = input.array.ndim
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(order)}"
        )
    return sh.permute(input, dims=many_dims(order, ndim) if order else ())


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two dimensions; a view."""
    ndim = input.array.ndim
    dim0, dim1 = one_dim(dim0, ndim), one_dim(dim1, ndim)
    return sh.transpose(input, dim0=dim0, dim1=dim1) if ndim else sh.permute(input, dims=())


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; fewer dimensions pass. Raises RuntimeError above 2 dimensions."""
    if input.array.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input.array.ndim}D"
        )
    if input.array.ndim < 2:
        return sh.permute(input, dims=tuple(range(input.array.ndim)))
    return sh.transpose(input, dim0=-1, dim1=-2)  # counted so, it is known as "T"


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new dimension of size 1 at ``dim``; a view."""
    return sh.unsqueeze_dims(input, dim=(one_dim(dim, input.array.ndim + 1),))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Drop dimensions of size 1 (those in ``dim``, or all); a view."""
    dims = many_dims(dim, input.array.ndim)
    gone = (d for d in dims if input.array.shape[d] == 1)
    return sh.squeeze_dims(input, dim=(Every if dim is None else tuple)(gone))


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Repeat dimensions of size 1 without copying; -1 keeps a size."""
    wanted, shape = as_sizes(sizes), input.array.shape
    if len(wanted) < len(shape):
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(wanted)}) must be greater or equal to the "
            f"number of dimensions in the tensor ({len(shape)})"
        )
    padded = (1,) * (len(wanted) - len(shape)) + shape
    if -1 in wanted[: len(wanted) - len(shape)]:
        raise RuntimeError(
            f"expand: -1 isn't allowed in a leading, non-existing dimension: {wanted}"
        )
    full = tuple(p if n == -1 else n for p, n in zip(padded, wanted, strict=True))
    for d, (p, n) in enumerate(zip(padded, full, strict=True)):
        if p not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({p}) at "
                f"non-singleton dimension {d}.  Target sizes: {list(full)}.  "
                f"Tensor sizes: {list(shape)}"
            )
    return sh.expand(input, shape=full)


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along an existing dimension."""
    tensors = listed("cat", tensors)
    if not len(tensors):
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    # As in PyTorch, an empty vector fits anywhere.
    tensors = [x for x in tensors if x.array.shape != (0,)] or tensors[:1]
    d, first = one_dim(dim, tensors[0].array.ndim), tensors[0].array.shape
    for other in tensors:
        shape = other.array.shape
        if len(shape) != len(first) or not first:
            raise RuntimeError(
                "Tensors must have same number of dimensions, at least one: got "
                f"{len(first)} and {len(shape)}"
            )
        if (*first[:d], *first[d + 1 :]) != (*shape[:d], *shape[d + 1 :]):
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {d}. "
                f"Got {list(first)} and {list(shape)}"
            )
    return sh.cat(*tensors, dim=d)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dimension."""
    tensors = listed("stack", tensors)
    if not len(tensors):
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0].array.shape
    for i, other in enumerate(tensors):
        if other.array.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(other.array.shape)} at entry {i}"
            )
    return sh.stack(*tensors, dim=one_dim(dim, len(first) + 1))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """The part of ``input`` from ``start``, ``length`` long along ``dim``; a view."""
    if input.array.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = one_dim(dim, input.array.ndim)
    size = input.array.shape[d]
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected [-{size}, {size}], but got {start})")
    start += size if start < 0 else 0
    if length < 0 or start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return sh.narrow(input, dim=d, start=start, length=length)


# -- products --------------------------------------------------------------------------------------


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product; vectors count as one row or column, batch dimensions broadcast."""
    for x in (input, other):
        if not isinstance(x, Tensor):
            raise refusal("matmul", "other", x)
    a, b = input.array.ndim, other.array.ndim
    if not a or not b:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D"
        )
    left = sh.unsqueeze_dims(input, dim=(0,)) if a == 1 else input
    right = sh.unsqueeze_dims(other, dim=(1,)) if b == 1 else other
    if left.array.shape[-1] != right.array.shape[-2]:
        sizes = "{}x{} and {}x{}".format(*left.array.shape[-2:], *right.array.shape[-2:])
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({sizes})")
    out = linalg.matmul(left, right)
    gone = ((out.array.ndim - 2,) if a == 1 else ()) + ((out.array.ndim - 1,) if b == 1 else ())
    stem = {(1, 1): "Dot0", (2, 1): "Mv0", (1, 2): "Squeeze4"}.get((a, b), "UnsafeView0")
    return called(sh.squeeze_dims(out, dim=gone), stem) if gone else out


def of_dims(name: str, first: tuple[Tensor, int], second: tuple[Tensor, int]) -> None:
    """Raise RuntimeError unless each of two tensors has as many dimensions as it should."""
    for which, (x, n) in (("self", first), ("other", second)):
        if x.array.ndim != n:
            raise RuntimeError(f"{name}: {which} must be a {n}D tensor, but it is {x.array.ndim}D")


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    of_dims("mm", (input, 2), (mat2, 2))
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two stacks of matrices, (B, n, m) and (B, m, p)."""
    of_dims("bmm", (input, 3), (mat2, 3))
    if input.array.shape[0] != mat2.array.shape[0]:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {input.array.shape[0]} and "
            f"{mat2.array.shape[0]}"
        )
    return matmul(input, mat2)
