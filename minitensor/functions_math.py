"""More of PyTorch's arithmetic, comparisons, reductions and statistics.

Each is also a method of Tensor; ``tensor.py`` attaches them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import backend
from .core import Tensor, wrap
from .functions import (
    amax,
    amin,
    cast,
    cat,
    clamp,
    many_dims,
    narrow,
    one_dim,
    reshape,
    sum,
    where,
)
from .functions_forms import Dims, Number, Value, named, same_dtype, wide_inside
from .functions_index import gather, index_select, sort
from .functions_names import called
from .ops import elementwise as ew
from .ops import reduce
from .ops import shape as sh
from .ops.linalg import matmul

EXTREMES, MEDIAN = named("aminmax", "min max"), named("median")
HISTOGRAM = named("histogram", "hist bin_edges")

# -- arithmetic and comparison ---------------------------------------------------------------------


def positive(input: Tensor) -> Tensor:
    """``input`` itself. Raises RuntimeError for bools."""
    if input.array.dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def clamp_min(input: Tensor, min: Value) -> Tensor:
    """Values below ``min`` become ``min``."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Value) -> Tensor:
    """Values above ``max`` become ``max``."""
    return clamp(input, max=max)


def lerp(input: Tensor, end: Tensor, weight: Value) -> Tensor:
    """From ``input`` (at weight 0) to ``end`` (at weight 1) on a straight line; both are exact."""
    same_dtype("lerp", input, end, *([weight] if isinstance(weight, Tensor) else []))
    way = ew.sub(end, input)
    near_start = ew.add(input, ew.mul(weight, way))
    near_end = ew.sub(end, ew.mul(way, ew.sub(1, weight) if isinstance(weight, Tensor)
                                  else 1 - weight))  # fmt: skip
    if isinstance(weight, Tensor):
        return where(ew.lt(ew.abs_(weight), 0.5), near_start, near_end)
    return near_start if abs(weight) < 0.5 else near_end


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
    if not isinstance(tensor1, Tensor) or not isinstance(tensor2, Tensor):
        raise TypeError("addcmul(): tensor1 and tensor2 must be Tensors")
    product = ew.mul(tensor1, tensor2)
    return ew.add(input, product if value == 1 else ew.mul(product, value))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``. Raises RuntimeError for two integer tensors."""
    if tensor1.array.dtype.kind != "f" and tensor2.array.dtype.kind != "f":
        raise RuntimeError("Integer division with addcdiv is no longer supported")
    ratio = ew.div(tensor1, tensor2)
    return ew.add(input, ratio if value == 1 else ew.mul(ratio, value))


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Where ``|input - other| <= atol + rtol * |other|``."""
    same_dtype("isclose", input, other)
    for name, size in (("rtol", rtol), ("atol", atol)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {size}")
    xp = backend.MODULES[type(input.array)]
    near = xp.isclose(input.array, other.array, rtol=rtol, atol=atol, equal_nan=equal_nan)
    return wrap(backend.to_array(near))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether ``isclose`` holds everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


# -- products --------------------------------------------------------------------------------------


def _along(input: Tensor, dim: int | None, keepdim: bool, work: Callable[..., Tensor]) -> Tensor:
    """``work(x, d)``, which leaves size 1 at ``d``; over all dimensions where ``dim`` is None."""
    if dim is None:
        return reshape(work(reshape(input, -1), 0), ())
    d = one_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return reshape(work(reshape(input, 1), 0), ())
    out = work(input, d)
    return out if keepdim else sh.squeeze_dims(out, dim=(d,))


def _whole(input: Tensor, dtype: Any) -> Tensor:
    """``input`` in ``dtype``; without one, bools and integers as int64."""
    kind = input.array.dtype.kind
    return cast(input, dtype or (None if kind == "f" else backend.INT64))


def _product(x: Tensor, d: int) -> Tensor:
    """Halves multiplied with halves: right at zeros, for gradients of every order."""
    size = x.array.shape[d]
    if size == 0:
        return ew.add(reduce.sum_(x, dim=(d,), keepdim=True), 1)
    while size > 1:
        half = size // 2
        pairs = ew.mul(narrow(x, d, 0, half), narrow(x, d, half, half))
        x = cat([pairs, narrow(x, d, size - 1, 1)], d) if size % 2 else pairs
        size -= half
    return x


def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The product along ``dim``, or of all. Products of bools and integers are int64."""
    out = _along(_whole(input, dtype), dim, keepdim, _product)
    return called(out, f"Prod{int(dim is not None)}")


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running products along ``dim``, by doubling: windows of 1, 2, 4, ... factors."""
    x, d, width = _whole(input, dtype), one_dim(dim, input.array.ndim), 1
    if input.array.ndim == 0:
        return sh.clone(x)
    size = x.array.shape[d]
    while width < size:
        later = ew.mul(narrow(x, d, width, size - width), narrow(x, d, 0, size - width))
        x = cat([narrow(x, d, 0, width), later], d)
        width *= 2
    return x if x is not input else sh.clone(x)


# -- reductions ------------------------------------------------------------------------------------


def norm(
    input: Tensor, p: Any = "fro", dim: Dims = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    """The p-norm over ``dim`` (all by default): the root of order p of the sum of ``|x|**p``.

    "fro" is 2; ``inf`` and ``-inf`` take the largest and smallest, 0 counts what is not 0. The
    gradient at 0 is 0. Raises RuntimeError for integers without ``dtype``.
    """
    return _norm(cast(input, dtype), p, dim, keepdim)


@wide_inside
def _norm(x: Tensor, p: Any, dim: Dims, keepdim: bool) -> Tensor:
    if x.array.dtype.kind != "f":
        raise RuntimeError("linalg.vector_norm: Expected a floating point or complex tensor")
    if not isinstance(p, int | float) and p != "fro":
        raise RuntimeError(f"norm of order {p!r} is not supported")
    order = 2 if p in ("fro", None) else p
    size, dims = ew.abs_(x), many_dims(dim, x.array.ndim)
    if order in (math.inf, -math.inf):
        _some_values("norm", x, dims)
        return (amax if order > 0 else amin)(size, dims, keepdim)
    if order == 0:
        return sum(cast(ew.ne(x, 0), x.array.dtype), dims, keepdim)
    if order == 1:
        return sum(size, dims, keepdim)
    powers = ew.square(x) if order == 2 else ew.pow_number(size, exponent=order)
    total = sum(powers, dims, keepdim)
    zero = ew.eq(total, 0)  # a root has no slope at 0: take it elsewhere
    root = ew.pow_number(where(zero, 1, total), exponent=1 / order)
    return where(zero, 0, root)


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are not 0."""
    return sum(ew.ne(input, 0), dim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest, along ``dim`` or of all."""
    dims = many_dims(dim, input.array.ndim)
    if dim is None:
        _some_values("aminmax", input, dims)
    return EXTREMES((amin(input, dims, keepdim), amax(input, dims, keepdim)))


def _some_values(name: str, input: Tensor, dims: tuple[int, ...]) -> None:
    if not reduce.count(input.array.shape, dims):
        raise RuntimeError(f"{name}(): an empty dimension has no largest and no smallest value")


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle value, of two the lower; with ``dim`` also its index. NaN wins.

    Of all, equal medians share the gradient.
    """
    if dim is None:
        return _median_of_all(input)
    d = one_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return MEDIAN(sort(input, 0))
    size = input.array.shape[d]
    if not size:
        raise IndexError("median(): Expected reduction dim to have non-zero size.")
    _, order = sort(input, d)
    bad = reduce.any_(ew.isnan(input), dim=(d,), keepdim=True)
    place = where(bad, size - 1, wrap(bad.array * 0 + (size - 1) // 2))
    chosen = gather(order, d, place)
    parts = (gather(input, d, chosen), chosen)
    return MEDIAN(parts if keepdim else [sh.squeeze_dims(x, dim=(d,)) for x in parts])


def _median_of_all(input: Tensor) -> Tensor:
    if not input.array.size:
        if input.array.dtype.kind == "f":
            return ew.mul(sum(input), math.nan)
        raise RuntimeError("median(): input must be non-empty")
    flat = reshape(input, -1)
    middle = median(flat, 0).values
    if flat.array.dtype.kind != "f":
        return middle
    is_it = ew.logical_or(ew.eq(flat, wrap(middle.array)), ew.isnan(flat))
    return amax(where(is_it, flat, -math.inf))


# -- statistics ------------------------------------------------------------------------------------


def quantile(
    input: Tensor, q: Value, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """The values below which a share ``q`` (a number, or a vector: more of them) lies.

    ``interpolation`` between neighbours: linear, lower, higher, midpoint or nearest. NaN wins.
    Raises RuntimeError for integers, for no values, and for ``q`` outside 0 to 1.
    """
    if input.array.dtype not in backend.FLOATS:
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if not input.array.size:
        raise RuntimeError("quantile() input tensor must be non-empty")
    ranks = _ranks(input, q)
    single, shape = ranks.ndim == 0, list(input.array.shape)
    d = 0 if dim is None else one_dim(dim, len(shape))
    rows = reshape(input, -1) if dim is None or not shape else input
    ranks = ranks.reshape(-1) * (rows.array.shape[d] - 1)
    ordered = sort(rows, d).values
    bad = reduce.any_(ew.isnan(rows), dim=(d,), keepdim=True)
    found = where(bad, math.nan, _between(ordered, d, ranks, interpolation))
    found = sh.permute(found, dims=(d, *[i for i in range(rows.array.ndim) if i != d]))
    kept = [1] * len(shape) if dim is None else [*shape[:d], *[1] * bool(shape), *shape[d + 1 :]]
    left = [] if dim is None else [*shape[:d], *shape[d + 1 :]]
    return reshape(found, ([] if single else [ranks.size]) + (kept if keepdim else left))


def _ranks(input: Tensor, q: Any) -> Any:
    """``q`` as a checked array in the dtype of ``input``."""
    xp = backend.MODULES[type(input.array)]
    if not isinstance(q, Tensor):
        q = wrap(xp.asarray(float(q), dtype=input.array.dtype))
    same_dtype("quantile", input, q)
    if q.array.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if not ((q.array >= 0) & (q.array <= 1)).all():
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q.array.tolist()}")
    return q.array


def _between(ordered: Tensor, d: int, ranks: Any, interpolation: str) -> Tensor:
    """The values at ``ranks``, which lie between the places of ``ordered``."""
    xp = backend.MODULES[type(ranks)]
    low, high = xp.floor(ranks), xp.ceil(ranks)
    places = {
        "lower": (low, low), "higher": (high, high), "nearest": (xp.round(ranks),) * 2,
        "linear": (low, high), "midpoint": (low, high),
    }  # fmt: skip
    if interpolation not in places:
        raise RuntimeError(f"quantile() interpolation must be one of {', '.join(places)}")
    start, end = (wrap(p.astype("int64")) for p in places[interpolation])
    share = ranks - low if interpolation == "linear" else ranks * 0 + 0.5
    share = wrap(share.reshape([-1 if i == d else 1 for i in range(ordered.array.ndim)]))
    return lerp(index_select(ordered, d, start), index_select(ordered, d, end), share)


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Covariances of the rows of a matrix (variables) over its columns (observations).

    ``fweights`` (integers) count each column so many times, ``aweights`` weigh it.
    """
    if input.array.ndim > 2:
        raise RuntimeError(f"cov(): expected at most 2 dimensions, got {input.array.ndim}")
    x = reshape(input, (1, -1)) if input.array.ndim < 2 else input
    if x.array.dtype == bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = cast(x, None if x.array.dtype.kind == "f" else backend.default_float())
    given = [w for w in (fweights, aweights) if w is not None]
    if any(w.array.shape != x.array.shape[1:] for w in given):
        raise RuntimeError("cov(): expected weights to have one value for each observation")
    weights: Any = math.prod(given) if given else None
    total: Any = sum(weights) if given else x.array.shape[1]
    if given and not total.item():
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    lost: Any = correction
    if aweights is not None:
        lost = ew.div(sum(ew.mul(weights, aweights)), total) * correction
    weighted = ew.mul(x, weights) if given else x
    away = ew.sub(x, ew.div(sum(weighted, 1, keepdim=True), total))
    left = ew.mul(away, weights) if given else away
    free: Any = ew.relu(total - lost) if given else max(total - lost, 0)
    out = ew.div(matmul(left, sh.mT(away)), free)
    return reshape(out, ()) if x.array.shape[0] == 1 else out


# -- counting --------------------------------------------------------------------------------------


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... occurs in a vector of integers, or the weights of each."""
    x = input.array
    if x.dtype.kind in "fb":
        raise NotImplementedError("bincount() is not implemented for floats and bools")
    if x.ndim != 1 or (x.size and int(x.min()) < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if weights is None:
        return wrap(_binned(x, None, minlength).astype(backend.INT64))
    if weights.array.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    kind = "float32" if weights.array.dtype == backend.FLOAT32 else "float64"
    return wrap(_binned(x, weights.array, minlength).astype(kind))


def _floats(name: str, input: Tensor) -> Any:
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f"{name}() is not implemented for integers and bools")
    return input.array.reshape(-1)


def _counts(values: Any, edges: Any, weights: Any) -> Any:
    """How much of ``values`` lies between neighbouring ``edges``; the last bin is closed."""
    xp = backend.MODULES[type(values)]
    bins = edges.size - 1
    place = xp.searchsorted(edges, values, side="right") - 1
    place = xp.where(values == edges[-1], bins - 1, place)
    inside = (values >= edges[0]) & (values <= edges[-1])
    some = weights if weights is None else weights[inside]
    return _binned(place[inside], some, bins).astype(values.dtype)


def _binned(places: Any, weights: Any, length: int) -> Any:
    """``bincount`` of the array module; CuPy's wants at least one place."""
    xp = backend.MODULES[type(places)]
    return xp.bincount(places, weights, length) if places.size else xp.zeros(length)


def _edges(values: Any, bins: int, low: Any, high: Any, spread: float) -> Any:
    """``bins + 1`` edges from ``low`` to ``high``; equal ones stand for the range of the values."""
    if bins <= 0:
        raise RuntimeError("bins must be > 0")
    if low == high and values.size:
        low, high = values.min().item(), values.max().item()
    if low == high:
        low, high = low - spread, high + spread
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("max must be larger than min")
    return backend.MODULES[type(values)].linspace(low, high, bins + 1, dtype=values.dtype)


def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0) -> Tensor:
    """Counts in ``bins`` of equal width from ``min`` to ``max``; of all values if both are 0."""
    values = _floats("histc", input)
    return wrap(_counts(values, _edges(values, bins, min, max, 1), None))


def histogram(
    input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None,
    density: bool = False,
) -> Any:  # fmt: skip
    """Counts (or weights, or densities) in bins, and the edges of these; ``bins`` may be edges."""
    values = _floats("histogram", input)
    if isinstance(bins, Tensor):
        edges = bins.array
    else:
        low, high = range or (0, 0 if values.size else 1)
        edges = _edges(values, bins, low, high, 0.5)
    counts = _counts(values, edges, None if weight is None else weight.array.reshape(-1))
    if density:
        counts = counts / counts.sum() / (edges[1:] - edges[:-1])
    return HISTOGRAM((wrap(counts), wrap(edges)))


METHODS = (
    "positive clamp_min clamp_max lerp addcmul addcdiv isclose allclose prod cumprod norm "
    "count_nonzero aminmax median quantile cov bincount histc histogram"
).split()
ONLY_FUNCTIONS: list[str] = []
