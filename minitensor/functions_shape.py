"""More of PyTorch's functions that change shape and order: splitting, padding, diagonals, repeats.

Each is also a method of Tensor, unless it takes several tensors; ``tensor.py`` attaches them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import backend
from .core import Tensor, wrap
from .functions import (
    as_sizes,
    cat,
    expand,
    many_dims,
    narrow,
    one_dim,
    permute,
    reshape,
    view,
    where,
)
from .functions_forms import listed, same_dtype
from .functions_names import called
from .ops import index as ix
from .ops import shape as sh
from .printing import Size

# -- other shapes ----------------------------------------------------------------------------------


def shaped(input: Tensor, shape: Sequence[int]) -> Tensor:
    """``reshape``, which leaves no step where the shape is right already."""
    return input if input.array.shape == tuple(shape) else reshape(input, shape)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` viewed in the shape of ``other``."""
    return view(input, other.array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` in the shape of ``other``."""
    return reshape(input, other.array.shape)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` repeated without a copy to the shape of ``other``."""
    return expand(input, other.array.shape)


def broadcast_to(input: Tensor, *size: Any) -> Tensor:
    """``input`` repeated without a copy to the shape ``size``."""
    return expand(input, *size)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape to which all shapes broadcast. Raises RuntimeError where there is none."""
    sizes = [as_sizes((s,)) for s in shapes]
    ndim = max(map(len, sizes), default=0)
    padded = [(1,) * (ndim - len(s)) + s for s in sizes]
    result = []
    for column in zip(*padded, strict=True):
        wide = {n for n in column if n != 1}
        if len(wide) > 1:
            raise RuntimeError(f"Shape mismatch: {shapes} cannot be broadcast to a single shape")
        result.append(wide.pop() if wide else 1)
    return Size(result)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Views of all tensors, expanded to one shape."""
    several = listed("broadcast_tensors", tensors)
    shape = broadcast_shapes(*[x.array.shape for x in several])
    return tuple(expand(x, shape) for x in several)


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return reshape(input, -1)


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split dimension ``dim`` into dimensions of ``sizes``; -1 is inferred."""
    d, shape, parts = one_dim(dim, input.array.ndim), input.array.shape, as_sizes((sizes,))
    if not parts or not shape:
        raise RuntimeError("unflatten: sizes must be non-empty, and the tensor have a dimension")
    known = math.prod(n for n in parts if n != -1)
    if parts.count(-1) == 1 and known and shape[d] % known == 0:
        parts = tuple(shape[d] // known if n == -1 else n for n in parts)
    if math.prod(parts) != shape[d] or min(parts) < 0:
        raise RuntimeError(f"unflatten: {list(sizes)} don't multiply up to {shape[d]}")
    return view(input, (*shape[:d], *parts, *shape[d + 1 :]))


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Move the dimensions at ``source`` to ``destination``; the others keep their order."""
    ndim = input.array.ndim
    if isinstance(source, int) != isinstance(destination, int):
        raise TypeError("movedim(): source and destination are two ints, or two tuples of ints")
    pairs = [(d,) if isinstance(d, int) else tuple(d) for d in (source, destination)]
    if len(pairs[0]) != len(pairs[1]):
        raise RuntimeError(f"movedim: as many of source {source} as of destination {destination}")
    old, new = (many_dims(d, ndim) if d else () for d in pairs)
    moved = dict(zip(new, old, strict=True))
    others = iter(d for d in range(ndim) if d not in old)
    return permute(input, [moved[d] if d in moved else next(others) for d in range(ndim)])


def atleast_1d(*tensors: Any) -> Any:
    """Tensors of 0 dimensions become vectors; one tensor for one, a tuple for more."""
    return _at_least(tensors, lambda x: reshape(x, 1) if x.array.ndim == 0 else x)


def atleast_2d(*tensors: Any) -> Any:
    """Tensors of fewer than 2 dimensions become one row; one tensor for one, a tuple for more."""
    return _at_least(tensors, lambda x: reshape(x, (1, -1)) if x.array.ndim < 2 else x)


def _at_least(tensors: tuple[Any, ...], grow: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return grow(tensors[0])
    return tuple(grow(x) for x in listed("atleast", tensors))


# -- joining and splitting -------------------------------------------------------------------------


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join side by side: along dimension 1, vectors along 0."""
    grown = [atleast_1d(x) for x in tensors]
    return cat(grown, 0 if grown and grown[0].array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join on top of each other: along dimension 0, vectors as rows."""
    return cat([atleast_2d(x) for x in tensors])


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of the parts of ``input`` along ``dim``, of the given sizes."""
    sizes, d = as_sizes((tuple(split_sizes),)), real_dim(input, dim, RuntimeError)
    if sum(sizes) != input.array.shape[d] or min(sizes, default=0) < 0:
        raise RuntimeError(f"split: {list(sizes)} does not sum to {input.array.shape[d]}")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(narrow(input, d, at, n) for at, n in zip(starts, sizes, strict=True))


def real_dim(input: Tensor, dim: int, error: type[Exception] = IndexError) -> int:
    """``one_dim`` for functions that need a dimension; a 0-d tensor has none."""
    if input.array.ndim == 0:
        raise error(f"Dimension specified as {dim} but tensor has no dimensions")
    return one_dim(dim, input.array.ndim)


def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of the parts along ``dim``: of one size (the last smaller), or of these sizes."""
    step = split_size_or_sections
    if not isinstance(step, int):
        return split_with_sizes(input, step, dim)
    size = input.array.shape[real_dim(input, dim, RuntimeError)]
    if step < 0 or (step == 0 and size):
        raise RuntimeError(f"split expects split_size be positive, but got split_size={step}")
    full = [min(step, size - start) for start in range(0, size, step or 1)]
    return split_with_sizes(input, full or [0], dim)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` views of equal size along ``dim``; the last may be smaller."""
    size = input.array.shape[real_dim(input, dim, RuntimeError)]
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if size == 0:
        return split_with_sizes(input, [0] * chunks, dim)
    return split(input, -(-size // chunks), dim)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The view of ``input`` at one index along ``dim``, without that dimension."""
    d = real_dim(input, dim)
    size = input.array.shape[d]
    if not -size <= index < size:
        raise IndexError(f"select(): index {index} out of range for size {size}")
    return ix.getitem(input, index=(*[slice(None)] * d, int(index), Ellipsis))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of all parts along ``dim``, without that dimension."""
    d = real_dim(input, dim)
    return tuple(select(input, d, i) for i in range(input.array.shape[d]))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinates of a grid: for each vector a view in the shape of all. "xy" swaps the first two.

    Raises RuntimeError for tensors of more than 1 dimension or another ``indexing``.
    """
    axes = listed("meshgrid", tensors)
    if indexing not in ("ij", "xy"):
        raise RuntimeError('torch.meshgrid: indexing must be one of "xy" or "ij"')
    if not axes or any(x.array.ndim > 1 for x in axes):
        raise RuntimeError("torch.meshgrid: Expected one or more scalar or 1D tensors")
    same_dtype("meshgrid", *axes)
    places = list(range(len(axes)))
    if indexing == "xy":
        places[:2] = places[:2][::-1]
    shapes = [[-1 if d == at else 1 for d in range(len(axes))] for at in places]
    return broadcast_tensors(*[reshape(x, s) for x, s in zip(axes, shapes, strict=True)])


# -- repeats, turns and padding --------------------------------------------------------------------


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Copies of ``input`` beside each other, so many along each dimension."""
    counts = as_sizes(repeats)
    if len(counts) < input.array.ndim:
        raise RuntimeError("repeat(): there must be a count for each dimension of the tensor")
    if any(n < 0 for n in counts):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(counts)}")
    return ix.repeat_dims(input, repeats=counts)


def tile(input: Tensor, *dims: Any) -> Tensor:
    """As ``repeat``; missing counts are 1."""
    counts = as_sizes(dims)
    return repeat(input, (1,) * (input.array.ndim - len(counts)) + counts)


def flip(input: Tensor, *dims: Any) -> Tensor:
    """Reverse the order along ``dims``; a copy."""
    wanted = as_sizes(dims)
    axes = many_dims(wanted, input.array.ndim) if wanted else ()
    return sh.flip(input, dim=axes) if input.array.ndim else sh.clone(input)


def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """Move values by ``shifts`` along ``dims``, around the ends; without ``dims``, flattened."""
    steps, axes = as_sizes((shifts,)), as_sizes((dims,) if dims is not None else ())
    if not axes and len(steps) == 1:
        return reshape(sh.roll(ravel(input), shifts=steps, dim=(0,)), input.array.shape)
    if len(axes) != len(steps):
        raise RuntimeError(f"shifts and dimensions must align: {len(steps)}, {len(axes)}")
    if not input.array.size:
        return sh.clone(input)
    return sh.roll(input, shifts=steps, dim=tuple(real_dim(input, d) for d in axes))


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Tensor:
    """Grow (or, where negative, cut) the ends: ``pad`` is (left, right, top, bottom, ...).

    The first pair is of the last dimension. ``mode`` is "constant" (filled with ``value``, 0 by
    default), "reflect", "replicate" or "circular". Raises RuntimeError for pads that do not fit.
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    ndim, ends = input.array.ndim, as_sizes((tuple(pad),))
    if len(ends) % 2 or len(ends) > 2 * ndim:
        raise RuntimeError("Padding length must be divisible by 2 and at most twice the dimensions")
    pairs = [(0, 0)] * (ndim - len(ends) // 2) + list(zip(ends[::2], ends[1::2], strict=True))[::-1]
    if mode == "constant":
        return _pad_constant(input, pairs, 0 if value is None else value)
    if len(ends) // 2 not in (ndim - 1, ndim - 2):
        raise NotImplementedError(f"{mode} padding takes all but 1 or 2 of {ndim} dimensions")
    for d, (before, after) in enumerate(pairs):
        if before or after:
            index = _source_places(mode, input.array.shape[d], before, after)
            xp = backend.MODULES[type(input.array)]
            input = ix.getitem(input, index=(*[slice(None)] * d, xp.asarray(index)))
    return input


def _pad_constant(input: Tensor, pairs: list[tuple[int, int]], value: Any) -> Tensor:
    shape = input.array.shape
    kept = tuple(n + min(b, 0) + min(a, 0) for n, (b, a) in zip(shape, pairs, strict=True))
    if min(kept, default=0) < 0:
        raise RuntimeError(f"pad {pairs} is more than the input has: {list(shape)}")
    if kept != shape:
        input = sh.crop(input, before=tuple(max(-b, 0) for b, _ in pairs), shape=kept)
    ends = {
        "before": tuple(max(b, 0) for b, _ in pairs), "after": tuple(max(a, 0) for _, a in pairs)
    }  # fmt: skip
    grown = sh.pad_zero(input, **ends)
    if value == 0:
        return grown
    xp = backend.MODULES[type(input.array)]
    inside = sh.pad_zero(wrap(xp.ones(kept, bool)), **ends)
    return called(where(inside, grown, fitted(value, input)), "ConstantPadNd0")


def fitted(value: Any, like: Tensor) -> Any:
    """A number as the dtype of ``like`` holds it: -1 is 255 in uint8, 1.5 is 1 in int64."""
    return np.asarray(value).astype(like.array.dtype).item()


def _source_places(mode: str, size: int, before: int, after: int) -> list[int]:
    """Where each place of the padded dimension takes its value from."""
    limit = {"reflect": size - 1, "circular": size}.get(mode, math.inf)
    if max(before, after) > limit or not size:
        raise RuntimeError(f"Padding ({before}, {after}) is too large for a size of {size}")
    places = range(-before, size + after)
    if mode == "circular":
        return [p % size for p in places]
    if mode == "replicate":
        return [min(max(p, 0), size - 1) for p in places]
    return [size - 1 - abs(size - 1 - abs(p)) for p in places]


# -- triangles and diagonals -----------------------------------------------------------------------


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices, up to a diagonal; 0 above it."""
    return sh.tril(_matrix("tril", input), diagonal=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices, from a diagonal on; 0 below it."""
    return sh.triu(_matrix("triu", input), diagonal=diagonal)


def _matrix(name: str, input: Tensor) -> Tensor:
    if input.array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return input


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of matrices over ``dim1`` and ``dim2``, as the last dimension; a view."""
    ndim = input.array.ndim
    first, second = one_dim(dim1, ndim), one_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return sh.diagonal(input, offset=offset, dim1=first, dim2=second)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices over ``dim1`` and ``dim2`` with the last dimension as their diagonal, else 0."""
    ndim = input.array.ndim + 1
    first, second = one_dim(dim1, ndim), one_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = input.array.shape[-1] + abs(offset)
    shape = list(input.array.shape[:-1])
    for d in sorted((first, second)):
        shape.insert(d, size)
    return sh.put_diagonal(input, shape=tuple(shape), offset=offset, dim1=first, dim2=second)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A matrix with a vector as its diagonal, or a copy of the diagonal of a matrix."""
    if input.array.ndim == 1:
        return diag_embed(input, diagonal)
    if input.array.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.array.ndim}D")
    return sh.clone(sh.diagonal(input, offset=diagonal, dim1=0, dim2=1))


METHODS = (
    "view_as reshape_as expand_as broadcast_to ravel unflatten movedim split split_with_sizes "
    "chunk select unbind tile flip roll tril triu diagonal diag_embed diag"
).split()
ONLY_FUNCTIONS = (
    "broadcast_shapes broadcast_tensors atleast_1d atleast_2d hstack vstack meshgrid"
).split()
