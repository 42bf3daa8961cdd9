"""Reductions (sum, mean, max, ...), running sums, and the expansion that undoes them.

``dim`` arrives normalised: a tuple of non-negative ints for reductions over several dimensions, one
int for ops along one. ``sum_to`` is the one place where broadcasting is undone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..core import op
from .elementwise import exp, where
from .sample import given, normal, spread
from .shape import expand, flip, reshape, to, unsqueeze_dims


def spread_back(g: Any, shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool) -> Any:
    """Repeat what a reduction gave over what it reduced: the adjoint of a sum."""
    return expand(g if keepdim else unsqueeze_dims(g, dim=dim), shape=shape)


def count(shape: tuple[int, ...], dim: tuple[int, ...]) -> int:
    """How many elements a reduction over ``dim`` folds into one."""
    return math.prod(shape[d] for d in dim)


def wide(x: Any) -> Any:
    """The dtype in which values are added up: float32 for float16, int64 for integers."""
    if x.dtype.kind != "f":
        return backend.INT64
    return backend.FLOAT32 if x.dtype.itemsize == 2 else x.dtype


ONES = {d: np.ones(1024, d) for d in backend.FLOATS}


def ones(n: int, dtype: Any) -> np.ndarray:
    """n ones, not to be written to."""
    return ONES[dtype][:n] if n <= 1024 else np.ones(n, dtype)


def added(xp: Any, x: Any, *, dim: tuple[int, ...], keepdim: bool = True) -> Any:
    """The sum over ``dim``, in the dtype that ``wide`` names."""
    if x.size >= 1024 and xp is np and x.ndim > 1 and x.dtype in backend.FLOATS:
        n = x.shape[-1]
        if dim == (x.ndim - 1,) and n <= 1024 and x.flags.c_contiguous:
            out = x.reshape(-1, n).dot(ones(n, x.dtype))
            return out.reshape(*x.shape[:-1], 1) if keepdim else out.reshape(x.shape[:-1])
        if dim == (0,) and x.ndim == 2 and not keepdim:
            return ones(len(x), x.dtype).dot(x)
    return x.sum(axis=dim, keepdims=keepdim, dtype=wide(x))


def rounded(out: Any, x: Any) -> Any:
    """A sum of float16 back in float16."""
    return out.astype(x.dtype) if x.dtype == backend.FLOAT16 else out


def average(xp: Any, x: Any, *, dim: tuple[int, ...], keepdim: bool = True) -> Any:
    """The forward of ``mean``."""
    return rounded(added(xp, x, dim=dim, keepdim=keepdim) / count(x.shape, dim), x)


def dot(xp: Any, x: Any, y: Any, dim: tuple[int, ...]) -> Any:
    """The sum of ``x * y`` over ``dim``, which stay; NumPy needs no room for the products."""
    if xp is np and dim == (x.ndim - 1,) and x.dtype in backend.FLOATS:
        return np.vecdot(x, y)[..., None]
    return added(xp, x.astype(wide(x), copy=False) * y, dim=dim)


def _sum(xp: Any, x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    out = added(xp, x, dim=dim, keepdim=keepdim)
    return rounded(out, x) if x.dtype == backend.FLOAT16 else out


# On a CPU, sums of rows and of columns are products with ones, a third or less of NumPy's time.
# NumPy sums a long row in pairs, which is more exact: those of more than 1024 stay with it.
sum_ = op("sum", _sum, dtypes="keep",
          x=lambda g, x_shape, dim, keepdim: spread_back(g, x_shape, dim, keepdim),
          tex=r"\sum {0}", sample=normal((2, 3, 4), dim=(0, 2), keepdim=False))  # fmt: skip


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum ``g`` over what was repeated to make it from ``shape``."""
    if tuple(g.shape) == tuple(shape):
        return g
    extra = len(g.shape) - len(shape)
    padded = (1,) * extra + tuple(shape)
    repeated = tuple(d for d, n in enumerate(padded) if n == 1 and (d < extra or g.shape[d] != 1))
    return reshape(sum_(g, dim=repeated, keepdim=True), shape=tuple(shape))


def _mean_rule(g: Any, x_shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool) -> Any:
    return spread_back(g / count(x_shape, dim), x_shape, dim, keepdim)


mean = op("mean", average,
          x=_mean_rule, dtypes="keep", tex=r"\operatorname{{mean}} {0}",
          sample=normal((2, 3, 4), dim=(1,), keepdim=True))  # fmt: skip


def _extreme_rule(g: Any, x: Any, out: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """Equal extremes share the gradient evenly, as in PyTorch's amax and amin."""
    shape = tuple(x.shape)
    chosen = x == spread_back(out, shape, dim, keepdim)
    ties = sum_(to(chosen, dtype=g.dtype, device=None), dim=dim, keepdim=keepdim)
    return where(chosen, spread_back(g / ties, shape, dim, keepdim), 0)


amax = op("amax", lambda xp, x, *, dim, keepdim: xp.max(x, axis=dim, keepdims=keepdim),
          x=_extreme_rule, dtypes="keep", tex=r"\max {0}",
          sample=spread((2, 3, 4), dim=(0, 2), keepdim=False))  # fmt: skip
amin = op("amin", lambda xp, x, *, dim, keepdim: xp.min(x, axis=dim, keepdims=keepdim),
          x=_extreme_rule, dtypes="keep", tex=r"\min {0}",
          sample=spread((2, 3, 4), dim=(0, 2), keepdim=False))  # fmt: skip
argmax = op("argmax", lambda xp, x, *, dim: xp.argmax(x, axis=dim), dtypes="keep",
            tex=r"\operatorname{{argmax}} {0}", sample=spread((3, 4), dim=1))  # fmt: skip
argmin = op("argmin", lambda xp, x, *, dim: xp.argmin(x, axis=dim), dtypes="keep",
            tex=r"\operatorname{{argmin}} {0}", sample=spread((3, 4), dim=1))  # fmt: skip
all_ = op("all", lambda xp, x, *, dim, keepdim: xp.all(x, axis=dim, keepdims=keepdim),
          dtypes="keep", tex=r"\forall {0}",
          sample=given([[True, False], [True, True]], dim=(1,), keepdim=False))  # fmt: skip
any_ = op("any", lambda xp, x, *, dim, keepdim: xp.any(x, axis=dim, keepdims=keepdim),
          dtypes="keep", tex=r"\exists {0}",
          sample=given([[True, False], [False, False]], dim=(1,), keepdim=False))  # fmt: skip


def _logsumexp(xp: Any, x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    """ln(sum(exp(x))) with the maximum taken out first, so that exp cannot overflow."""
    if any(x.shape[d] == 0 for d in dim):
        return xp.sum(x, axis=dim, keepdims=keepdim) - math.inf
    top = xp.max(x, axis=dim, keepdims=True)
    top = xp.where(xp.isfinite(top), top, 0)
    total = xp.log(xp.sum(xp.exp(x - top), axis=dim, keepdims=True)) + top
    return total if keepdim else xp.squeeze(total, axis=dim)


def _logsumexp_rule(g: Any, x: Any, out: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    shape = tuple(x.shape)
    return spread_back(g, shape, dim, keepdim) * exp(x - spread_back(out, shape, dim, keepdim))


logsumexp = op("logsumexp", _logsumexp, x=_logsumexp_rule, dtypes="float",
               tex=r"\ln \sum e^{{{0}}}",
               sample=normal((2, 3, 4), dim=(1,), keepdim=False))  # fmt: skip

cumsum = op("cumsum", lambda xp, x, *, dim: rounded(xp.cumsum(x, axis=dim, dtype=wide(x)), x),
            x=lambda g, dim: flip(cumsum(flip(g, dim=(dim,)), dim=dim), dim=(dim,)), dtypes="keep",
            tex=r"\operatorname{{cumsum}} {0}", sample=normal((2, 4), dim=1))  # fmt: skip
