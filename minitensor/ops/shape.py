"""Ops that change shape, order, device or dtype, but no value. Each rule undoes the move.

``dim`` and shapes arrive normalised: non-negative ints, no -1. Views share memory with their input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..core import op
from ..pool import SMALLEST, empty, zeros
from .sample import normal


def _reshape(xp: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
    """A view where strides allow; else a copy, a large one in memory that was used before."""
    if x.nbytes < SMALLEST or xp is not np or x.flags.c_contiguous:
        return x.reshape(shape)
    try:
        return x.reshape(shape, copy=False)
    except TypeError:  # NumPy 2.0 cannot be asked for that
        return x.reshape(shape)
    except ValueError:
        out = empty(xp, x.shape, x.dtype)
        out[...] = x
        return out.reshape(shape)


reshape = op("reshape", _reshape,
             x=lambda g, x_shape: reshape(g, shape=x_shape), dtypes="keep", view=True,
             prefix="View", tex=r"\operatorname{{reshape}} {0}",
             sample=normal((2, 6), shape=(3, 4)))  # fmt: skip

permute = op("permute", lambda xp, x, *, dims: x.transpose(dims),
             x=lambda g, dims: permute(g, dims=inverse(dims)), dtypes="keep", view=True,
             tex=r"\operatorname{{permute}} {0}",
             sample=normal((2, 3, 4), dims=(2, 0, 1)))  # fmt: skip


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``dims``."""
    back = [0] * len(dims)
    for new_place, old_place in enumerate(dims):
        back[old_place] = new_place
    return tuple(back)


def _swapped(ndim: int, dim0: int, dim1: int) -> tuple[int, ...]:
    dims = list(range(ndim))
    dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    return tuple(dims)


transpose = op("transpose", lambda xp, x, *, dim0, dim1: x.swapaxes(dim0, dim1),
               x=lambda g, dim0, dim1: transpose(g, dim0=dim0, dim1=dim1), dtypes="keep", view=True,
               tex="{0}^T", sample=normal((2, 3, 4), dim0=0, dim1=2))  # fmt: skip


def mT(x: Any) -> Any:
    """Swap the last two dimensions."""
    return transpose(x, dim0=-2, dim1=-1)


expand = op("expand", lambda xp, x, *, shape: xp.broadcast_to(x, shape),
            x=lambda g, x_shape: sum_to_shape(g, x_shape), dtypes="keep", view=True,
            tex=r"\operatorname{{expand}} {0}", sample=normal((3, 1), shape=(2, 3, 4)))  # fmt: skip


def sum_to_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """``reduce.sum_to``, found when called: reductions are built on this file."""
    from .reduce import sum_to

    return sum_to(g, shape)


unsqueeze_dims = op("unsqueeze", lambda xp, x, *, dim: xp.expand_dims(x, tuple(dim)),
                    x=lambda g, dim: squeeze_dims(g, dim=dim), dtypes="keep", view=True,
                    tex=r"\operatorname{{unsqueeze}} {0}",
                    sample=normal((2, 3), dim=(0, 2)))  # fmt: skip
squeeze_dims = op("squeeze", lambda xp, x, *, dim: xp.squeeze(x, axis=dim),
                  x=lambda g, dim: unsqueeze_dims(g, dim=dim), dtypes="keep", view=True,
                  tex=r"\operatorname{{squeeze}} {0}",
                  sample=normal((1, 3, 1), dim=(0, 2)))  # fmt: skip

flip = op("flip", lambda xp, x, *, dim: xp.ascontiguousarray(xp.flip(x, axis=dim)),
          x=lambda g, dim: flip(g, dim=dim), dtypes="keep",
          tex=r"\operatorname{{flip}} {0}", sample=normal((2, 3), dim=(0, 1)))  # fmt: skip
roll = op("roll", lambda xp, x, *, shifts, dim: xp.roll(x, shifts, axis=dim),
          x=lambda g, shifts, dim: roll(g, shifts=tuple(-s for s in shifts), dim=dim),
          dtypes="keep", tex=r"\operatorname{{roll}} {0}",
          sample=normal((3, 4), shifts=(1, 2), dim=(0, 1)))  # fmt: skip

# -- copies and moves ------------------------------------------------------------------------------

clone = op("clone", lambda xp, x: x.copy(), x=lambda g: g, dtypes="keep",
           tex=r"\operatorname{{clone}} {0}", sample=normal())  # fmt: skip


def _to(xp: Any, x: Any, *, dtype: Any, device: Any) -> Any:
    x = backend.to_array(x)  # in a rule, NumPy's scalars stand for 0-d arrays
    moved = x if device is None else backend.move(x, device)
    return moved if dtype is None else moved.astype(backend.as_dtype(dtype).numpy, copy=False)


def _back(g: Any, x_place: tuple[Any, Any]) -> Any:
    return to(g, dtype=x_place[0], device=x_place[1])


to = op("to", _to, x=_back, dtypes="keep", prefix="ToCopy", tex=r"\operatorname{{to}} {0}",
        sample=normal(dtype=np.dtype("float64"), device="cpu"))  # fmt: skip

# -- joining ---------------------------------------------------------------------------------------


def _cat_rule(g: Any, xs_shape: tuple[tuple[int, ...], ...], dim: int, i: int) -> Any:
    start = sum(shape[dim] for shape in xs_shape[:i])
    return narrow(g, dim=dim, start=start, length=xs_shape[i][dim])


cat = op("cat", lambda xp, *xs, dim: xp.concatenate(xs, axis=dim), xs=_cat_rule,
         tex=r"\operatorname{{cat}}({0})", sample=normal((2, 1), (2, 3), dim=1))  # fmt: skip
stack = op("stack", lambda xp, *xs, dim: xp.stack(xs, axis=dim),
           xs=lambda g, dim, i: squeeze_dims(narrow(g, dim=dim, start=i, length=1), dim=(dim,)),
           tex=r"\operatorname{{stack}}({0})", sample=normal((2, 3), (2, 3), dim=1))  # fmt: skip


def _narrow(xp: Any, x: Any, *, dim: int, start: int, length: int) -> Any:
    return x[(slice(None),) * dim + (slice(start, start + length),)]


narrow = op("narrow", _narrow,
            x=lambda g, x_shape, dim, start: pad_zero(g, before=_at(x_shape, dim, start),
                                                      after=_rest(g, x_shape, dim, start)),
            dtypes="keep", view=True, prefix="Slice", tex=r"\operatorname{{narrow}} {0}",
            sample=normal((2, 5), dim=1, start=1, length=3))  # fmt: skip


def _at(shape: tuple[int, ...], dim: int, n: int) -> tuple[int, ...]:
    return tuple(n if d == dim else 0 for d in range(len(shape)))


def _rest(g: Any, shape: tuple[int, ...], dim: int, start: int) -> tuple[int, ...]:
    return _at(shape, dim, shape[dim] - start - g.shape[dim])


def _pad_zero(xp: Any, x: Any, *, before: tuple[int, ...], after: tuple[int, ...]) -> Any:
    sizes = tuple(b + n + a for b, n, a in zip(before, x.shape, after, strict=True))
    out = zeros(xp, sizes, x.dtype)
    out[inner(before, x.shape)] = x
    return out


def inner(before: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Where an array of ``shape`` lies inside one padded by ``before``."""
    return tuple(slice(b, b + n) for b, n in zip(before, shape, strict=True))


pad_zero = op("pad_zero", _pad_zero,
x=lambda g, x_shape, before: crop(g, before=before, shape=x_shape),
              dtypes="keep", prefix="ConstantPadNd", tex=r"\operatorname{{pad}} {0}",
              sample=normal((2, 3), before=(0, 1), after=(2, 0)))  # fmt: skip
crop = op("crop", lambda xp, x, *, before, shape: x[inner(before, shape)],
          x=lambda g, x_shape, before: pad_zero(g, before=before, after=_after(g, x_shape, before)),
          dtypes="keep", view=True, prefix="Slice", tex=r"\operatorname{{crop}} {0}",
          sample=normal((4, 5), before=(1, 2), shape=(2, 3)))  # fmt: skip


def _after(g: Any, shape: tuple[int, ...], before: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n - b - m for n, b, m in zip(shape, before, g.shape, strict=True))


# -- triangles and diagonals -----------------------------------------------------------------------

tril = op("tril", lambda xp, x, *, diagonal: xp.tril(x, diagonal),
          x=lambda g, diagonal: tril(g, diagonal=diagonal), dtypes="keep",
          tex=r"\operatorname{{tril}} {0}", sample=normal((3, 4), diagonal=1))  # fmt: skip
triu = op("triu", lambda xp, x, *, diagonal: xp.triu(x, diagonal),
          x=lambda g, diagonal: triu(g, diagonal=diagonal), dtypes="keep",
          tex=r"\operatorname{{triu}} {0}", sample=normal((3, 4), diagonal=-1))  # fmt: skip


def _diagonal(xp: Any, x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    return backend.writable(xp.diagonal(x, offset, dim1, dim2))


def _put_diagonal(
    xp: Any, x: Any, *, shape: tuple[int, ...], offset: int, dim1: int, dim2: int
) -> Any:
    out = xp.zeros(shape, x.dtype)
    _diagonal(xp, out, offset=offset, dim1=dim1, dim2=dim2)[...] = x
    return out


diagonal = op("diagonal", _diagonal,
              x=lambda g, x_shape, offset, dim1, dim2: put_diagonal(
                  g, shape=x_shape, offset=offset, dim1=dim1, dim2=dim2),
              dtypes="keep", view=True, tex=r"\operatorname{{diagonal}} {0}",
              sample=normal((3, 2, 4), offset=1, dim1=2, dim2=0))  # fmt: skip
put_diagonal = op("put_diagonal", _put_diagonal,
                  x=lambda g, offset, dim1, dim2: diagonal(g, offset=offset, dim1=dim1, dim2=dim2),
                  dtypes="keep", prefix="DiagEmbed", tex=r"\operatorname{{diag}} {0}",
                  sample=normal((2, 3), shape=(4, 2, 3), offset=-1,
                                dim1=0, dim2=2))  # fmt: skip
