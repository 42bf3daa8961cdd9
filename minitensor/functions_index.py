"""More of PyTorch's functions that read and write by index, sort, and count.

Each is also a method of Tensor; ``tensor.py`` attaches them. Index tensors are int64 or int32.
"""

from __future__ import annotations

from typing import Any

from . import backend
from .core import Tensor, refusal, wrap
from .functions import cast, expand, narrow, one_dim, reshape, where
from .functions_forms import Value, named
from .functions_shape import broadcast_shapes, broadcast_tensors, fitted, real_dim, shaped
from .ops import elementwise as ew
from .ops import index as ix
from .ops import shape as sh

SORTED, TOP = named("sort"), named("topk")


# -- along a dimension -----------------------------------------------------------------------------


def _check_index(name: str, input: Tensor, dim: int, index: Tensor) -> None:
    """Raise RuntimeError unless ``index`` holds places of ``dim`` and fits beside ``input``."""
    if index.array.dtype.kind != "i" or index.array.itemsize < 4:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    shape, wanted = input.array.shape, index.array.shape
    if len(shape) != len(wanted):
        raise RuntimeError(f"{name}(): index and input need the same number of dimensions")
    if any(n > m for d, (n, m) in enumerate(zip(wanted, shape, strict=True)) if d != dim):
        raise RuntimeError(f"{name}(): index {list(wanted)} is larger than input {list(shape)}")
    _check_bounds(index, dim, shape[dim], RuntimeError)


def _check_bounds(index: Tensor, dim: int, size: int, error: type[Exception]) -> None:
    if index.array.size:
        low, high = int(index.array.min()), int(index.array.max())
        if low < 0 or high >= size:
            wrong = low if low < 0 else high
            raise error(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def _at_least_1d(*tensors: Tensor) -> list[Tensor]:
    return [reshape(x, 1) if x.array.ndim == 0 else x for x in tensors]


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """``input[i][index[i][j]]`` for ``dim`` 1: a value for every place of ``index``."""
    d = one_dim(dim, input.array.ndim)
    x, places = _at_least_1d(input, index)
    _check_index("gather", x, d, places)
    return shaped(ix.gather(x, places, dim=d), index.array.shape)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """``gather`` with broadcasting of all other dimensions; flattened where ``dim`` is None."""
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    if input.array.ndim != indices.array.ndim:
        raise RuntimeError("take_along_dim(): input and indices need the same number of dimensions")
    d = real_dim(input, dim)
    shapes = [list(x.array.shape) for x in (input, indices)]
    ends = [s[d : d + 1] for s in shapes]
    rest = broadcast_shapes(*[s[:d] + s[d + 1 :] for s in shapes])
    sizes = [[*rest[:d], *end, *rest[d:]] for end in ends]
    return gather(expand(input, sizes[0]), d, expand(indices, sizes[1]))


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None
) -> Tensor:
    """A copy of ``input`` with the values of ``src`` (or one number) at the places of ``index``.

    A place named twice gets one of the values, but all of these get its gradient, as in PyTorch.
    Raises RuntimeError for places outside ``input``.
    """
    d = one_dim(dim, input.array.ndim)
    x, places = _at_least_1d(input, index)
    _check_index("scatter", x, d, places)
    if not isinstance(src, Tensor):
        src = src if value is None else value
        if not isinstance(src, bool | int | float):
            raise refusal("scatter", "src", src, "Tensor or Number")
        src = wrap(backend.MODULES[type(x.array)].full(places.array.shape, src, x.array.dtype))
    values = _values_for("scatter", x, places, src)
    target = ix.along(backend.MODULES[type(x.array)], places.array, d)
    return shaped(ix.put_at(x, values, index=target), input.array.shape)


def _values_for(name: str, x: Tensor, places: Tensor, src: Tensor) -> Tensor:
    """The part of ``src`` that ``places`` take."""
    if src.array.dtype != x.array.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    (values,) = _at_least_1d(src)
    fits = len(values.array.shape) == len(places.array.shape)
    if not fits or any(map(int.__gt__, places.array.shape, values.array.shape)):
        raise RuntimeError(f"{name}(): index {list(places.array.shape)} is larger than src")
    return sh.crop(values, before=(0,) * values.array.ndim, shape=places.array.shape)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``input`` plus the values of ``src`` at the places of ``index``, repeats adding up."""
    d = one_dim(dim, input.array.ndim)
    x, places = _at_least_1d(input, index)
    _check_index("scatter_add", x, d, places)
    values = _values_for("scatter_add", x, places, src)
    added = ix.gather_add(values, places, dim=d, shape=x.array.shape)
    return ew.add(input, shaped(added, input.array.shape))


def _vector_index(name: str, input: Tensor, dim: int, index: Tensor) -> tuple[int, Any]:
    """``dim`` normalised, and the index that reads ``index`` along it."""
    d = one_dim(dim, input.array.ndim)
    if index.array.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector")
    if index.array.dtype.kind != "i" or index.array.itemsize < 4:
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index")
    return d, (*[slice(None)] * d, reshape(index, -1).array)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The parts of ``input`` along ``dim`` that ``index`` names, in its order."""
    d, places = _vector_index("index_select", input, dim, index)
    (x,) = _at_least_1d(input)
    if not input.array.ndim and index.array.size != 1:
        raise RuntimeError("index_select(): of a scalar there is 1 value only")
    size = x.array.shape[d]
    _check_bounds(index, d, size, IndexError if size or x.array.ndim == 1 else RuntimeError)
    out = ix.getitem(x, index=places)
    return reshape(out, ()) if input.array.ndim == 0 else out


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """``input`` with ``alpha * source`` added to the parts along ``dim`` that ``index`` names."""
    d, places = _vector_index("index_add", input, dim, index)
    x, values = _at_least_1d(input, source)
    shape = (*x.array.shape[:d], places[-1].size, *x.array.shape[d + 1 :])
    fits = values.array.shape == shape and input.array.ndim in (source.array.ndim, len(shape))
    if not fits or values.array.dtype != x.array.dtype:
        raise RuntimeError(f"index_add(): source needs shape {list(shape)} and the dtype of self")
    _check_bounds(index, d, x.array.shape[d], RuntimeError if x.array.ndim > 1 else IndexError)
    added = shaped(ix.add_at(values, index=places, shape=x.array.shape), input.array.shape)
    return ew.add(input, added if alpha == 1 else cast(ew.mul(added, alpha), x.array.dtype))


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Every part along ``dim`` (or every element) so many times; ``repeats`` an int or a tensor.

    With one argument, it holds the counts, and the places that they repeat are returned.
    """
    xp = backend.MODULES[type(input.array)]
    if repeats is None:
        repeats, size = input, input.array.size
        if input.array.dtype.kind != "i":
            raise NotImplementedError("repeat_interleave() takes counts that are int32 or int64")
        if input.array.ndim != 1:
            raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    else:
        input = reshape(input, -1) if dim is None else input
        d = one_dim(0 if dim is None else dim, input.array.ndim)
        size = input.array.shape[d]
    if not isinstance(repeats, int | Tensor):
        raise TypeError(f"repeats must be int or Tensor, not {type(repeats).__name__}")
    counts = repeats if isinstance(repeats, int) else reshape(repeats, -1).array.tolist()
    if (counts < 0) if isinstance(counts, int) else any(n < 0 for n in counts):
        raise RuntimeError("Repeats must be non-negative")
    if isinstance(counts, list) and len(counts) not in (1, size):
        raise RuntimeError(f"repeat_interleave(): {len(counts)} repeats for a size of {size}")
    places = wrap(xp.repeat(xp.arange(size), counts))
    return places if repeats is input else index_select(input, d, places)


# -- by masks --------------------------------------------------------------------------------------


def _bool_mask(name: str, mask: Tensor) -> None:
    if mask.array.dtype != bool:
        kind = backend.DTYPES[mask.array.dtype].name
        raise RuntimeError(f"{name} only supports boolean masks, but got mask with dtype {kind}")


def masked_fill(input: Tensor, mask: Tensor, value: Value) -> Tensor:
    """``input`` with ``value`` (a number or a 0-d tensor) where ``mask`` is true."""
    _bool_mask("masked_fill", mask)
    if isinstance(value, Tensor):
        if value.array.ndim:
            raise RuntimeError("masked_fill only supports a 0-dimensional value tensor")
        value = cast(value, input.array.dtype)
    else:
        value = fitted(value, input)
    return where(mask, value, input)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The values of ``input`` where ``mask`` is true, in one dimension."""
    _bool_mask("masked_select", mask)
    x, chosen = broadcast_tensors(input, mask)
    return ix.getitem(*_at_least_1d(x), index=(_at_least_1d(chosen)[0].array,))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where ``input`` is not 0: one row of indices each, or a tuple of one tensor a dimension."""
    xp = backend.MODULES[type(input.array)]
    places = xp.nonzero(_at_least_1d(input)[0].array)
    if as_tuple:
        return tuple(wrap(p) for p in places)
    return wrap(xp.stack(places, axis=1)[:, : input.array.ndim])


# -- order -----------------------------------------------------------------------------------------


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that would sort along ``dim``. Equal values always keep their order."""
    (x,) = _at_least_1d(input)
    order = ix.argsort(x, dim=one_dim(dim, x.array.ndim), descending=bool(descending))
    return shaped(order, input.array.shape)


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Values in order along ``dim``, and their indices. NaN counts as the largest."""
    order = argsort(input, dim, descending)
    return SORTED((gather(input, dim, order), order))


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The ``k`` largest (or smallest) values along ``dim``, in order, and their indices."""
    d = one_dim(dim, input.array.ndim)
    if not 0 <= k <= (input.array.shape[d] if input.array.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.array.dtype == bool:
        raise RuntimeError("topk does not support bool dtypes")
    order = argsort(input, d, largest)
    order = narrow(order, d, 0, k) if input.array.ndim else order
    return TOP((gather(input, d, order), order))


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The values that occur (or parts along ``dim``), in order.

    On demand also where each element's value is among them, and how often each occurs.
    """
    xp, size = backend.MODULES[type(input.array)], input.array.size
    if dim is not None and input.array.shape[real_dim(input, dim)] and not size:
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected")
    found = xp.unique(
        input.array, return_inverse=True, return_counts=True, axis=dim, equal_nan=False
    )
    shape = input.array.shape if dim is None else -1
    wanted = (True, return_inverse, return_counts)
    parts = [found[0], found[1].reshape(shape), found[2]]
    result = tuple(wrap(p) for p, w in zip(parts, wanted, strict=True) if w)
    return result[0] if len(result) == 1 else result


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A last dimension of classes: 1 at the class that ``tensor`` (int64) names, else 0."""
    if tensor.array.dtype != backend.INT64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    size, xp = tensor.array.size, backend.MODULES[type(tensor.array)]
    if not size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    low, high = (int(tensor.array.min()), int(tensor.array.max())) if size else (0, -1)
    if low < 0:
        raise RuntimeError("Class values must be non-negative.")
    classes = high + 1 if num_classes == -1 else num_classes
    if high >= classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return wrap((tensor.array[..., None] == xp.arange(classes)).astype(backend.INT64))


# -- membership and places -------------------------------------------------------------------------


def isin(
    elements: Value, test_elements: Value, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Where ``elements`` are among ``test_elements`` (``invert``: are not); one may be a number."""
    given = [x.array if isinstance(x, Tensor) else x for x in (elements, test_elements)]
    xp = next(backend.MODULES[type(x)] for x in given if type(x) in backend.MODULES)
    return wrap(backend.to_array(xp.isin(*given, invert=invert)))


def searchsorted(
    sorted_sequence: Tensor, input: Value, *, out_int32: bool = False, right: bool = False,
    side: str | None = None,
) -> Tensor:  # fmt: skip
    """Where to put each value of ``input``, so that the sequence stays sorted.

    Before values that are equal; after them if ``right``. A sequence of several rows has one row
    of values for each. Raises RuntimeError where the rows do not fit.
    """
    rows, xp = sorted_sequence.array, backend.MODULES[type(sorted_sequence.array)]
    values = input.array if isinstance(input, Tensor) else xp.asarray(input)
    how = "right" if right else side or "left"
    if rows.ndim == 1:
        found = xp.searchsorted(rows, values, side=how)
    elif rows.shape[:-1] == values.shape[:-1]:
        pairs = [x.reshape(-1, x.shape[-1]) for x in (rows, values)]
        each = [xp.searchsorted(a, v, side=how) for a, v in zip(*pairs, strict=True)]
        found = xp.stack(each).reshape(values.shape)
    else:
        raise RuntimeError(f"searchsorted(): rows {rows.shape} do not fit {values.shape}")
    return wrap(xp.asarray(found, dtype="int32" if out_int32 else "int64"))


def bucketize(
    input: Value, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """The number of the bucket between ``boundaries`` into which each value of ``input`` falls."""
    if boundaries.array.ndim != 1:
        raise RuntimeError("bucketize(): boundaries must be 1-dimensional")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


METHODS = (
    "gather take_along_dim scatter scatter_add index_select index_add repeat_interleave "
    "masked_fill masked_select nonzero argsort sort topk unique"
).split()
ONLY_FUNCTIONS = "isin searchsorted bucketize".split()
