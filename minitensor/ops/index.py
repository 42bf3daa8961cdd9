"""Indexing ops. Reading by index and adding at an index are each other's adjoints.

An index of ``getitem`` arrives as a tuple of ints, slices, None, Ellipsis and raw arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..core import op
from ..pool import zeros
from .reduce import sum_, sum_to
from .sample import given, normal, random, spread
from .shape import reshape

Index = tuple[Any, ...]


def in_steps(index: Index) -> list[Index]:
    """An index as one, or as two to be used one after the other: ints first, then arrays.

    Beside arrays NumPy takes an int for an array too; PyTorch does not.
    """
    ints = any(isinstance(part, int | np.integer) for part in index)
    if not ints or not any(type(part) in backend.MODULES for part in index):
        return [index]
    views: list[Any] = []
    arrays: list[Any] = []
    for part in index:
        if type(part) in backend.MODULES:
            views += [slice(None)] * (part.ndim if part.dtype == bool else 1)
            arrays.append(part)
        else:
            views.append(part)
            if not isinstance(part, int | np.integer):
                arrays.append(Ellipsis if part is Ellipsis else slice(None))
    return [tuple(views), tuple(arrays)]


# A slice shares memory with its source; an index that holds arrays copies.
getitem = op("getitem", lambda xp, x, *, index: x[index],
             x=lambda g, x_shape, index: add_at(g, index=index, shape=x_shape), dtypes="keep",
             view=True, prefix="Index", tex=r"{0}[\,\cdot\,]",
             sample=normal((4, 3), index=(np.array([0, 2, 2]), slice(1, 3))))  # fmt: skip


def _add_at(xp: Any, x: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
    out = xp.zeros(shape, x.dtype)
    if any(type(part) in backend.MODULES for part in index):
        return backend.scatter_add(out, index, x)
    out[index] = x  # slices meet each place once
    return out


add_at = op("add_at", _add_at, x=lambda g, index: getitem(g, index=index), dtypes="keep",
            tex=r"\operatorname{{scatter}} {0}",
            sample=normal((3, 2), index=(np.array([0, 2, 2]), slice(1, 3)),
                          shape=(4, 3)))  # fmt: skip


def _put(xp: Any, x: Any, y: Any, *, index: Any) -> Any:
    out = xp.array(x)  # a copy, and an array: in a rule, NumPy's 0-d values are scalars
    out[index] = y
    return out


def _put_rule(g: Any, index: Any, y_shape: tuple[int, ...]) -> Any:
    read = getitem(g, index=index)
    extra = max(len(y_shape) - read.ndim, 0)  # leading dimensions of size 1
    return reshape(sum_to(read, y_shape[extra:]), shape=y_shape) if extra else sum_to(read, y_shape)


# x with the values of y at an index; an index that names a place twice leaves either value there.
put_at = op("put_at", _put, x=lambda g, index: clear_at(g, index=index),
            y=_put_rule, dtypes="keep",
            prefix="IndexPut", tex=r"\operatorname{{put}}({0}, {1})",
            sample=normal((4, 3), (2, 2), index=(np.array([0, 2]), slice(1, 3))))  # fmt: skip
clear_at = op("clear_at", lambda xp, x, *, index: _put(xp, x, 0, index=index),
              x=lambda g, index: clear_at(g, index=index), dtypes="keep",
              tex=r"\operatorname{{clear}} {0}",
              sample=normal((4, 3), index=(np.array([0, 2]), slice(1, 3))))  # fmt: skip


def grid(xp: Any, shape: tuple[int, ...]) -> list[Any]:
    """For each dimension its positions, so that together they name all places of ``shape``."""
    last = len(shape) - 1
    return [xp.arange(n).reshape((-1,) + (1,) * (last - d)) for d, n in enumerate(shape)]


def along(xp: Any, index: Any, dim: int) -> tuple[Any, ...]:
    """The index that reads ``x[..., index[...], ...]`` along ``dim``."""
    places = grid(xp, index.shape)
    return (*places[:dim], index, *places[dim + 1 :])


def one_along(xp: Any, index: Any, dim: int) -> tuple[Any, ...]:
    """The same where ``index`` has a dimension less, ``dim``: one value for each of its places."""
    places = grid(xp, index.shape)
    return (*places[:dim], index, *places[dim:])


gather = op("gather", lambda xp, x, index, *, dim: x[along(xp, index, dim)],
            x=lambda g, index, x_shape, dim: gather_add(g, index, dim=dim, shape=x_shape),
            fixed=("index",), dtypes="keep", tex=r"\operatorname{{gather}}({0}, {1})",
            sample=given(random((3, 4)), [[0, 1, 1], [3, 3, 2]], dim=1))  # fmt: skip


def _gather_add(xp: Any, x: Any, index: Any, *, dim: int, shape: tuple[int, ...]) -> Any:
    cut = x[tuple(slice(0, n) for n in index.shape)]
    return backend.scatter_add(xp.zeros(shape, x.dtype), along(xp, index, dim), cut)


def _gather_add_rule(g: Any, x_shape: tuple[int, ...], index: Any, dim: int) -> Any:
    read = gather(g, index, dim=dim)
    if tuple(read.shape) == tuple(x_shape):
        return read
    return add_at(read, index=tuple(slice(0, n) for n in read.shape), shape=tuple(x_shape))


gather_add = op("gather_add", _gather_add, x=_gather_add_rule, fixed=("index",), dtypes="keep",
                prefix="ScatterAdd", tex=r"\operatorname{{scatter}}({0}, {1})",
                sample=given(random((2, 3)), [[0, 1, 1], [3, 3, 2]], dim=1,
                             shape=(3, 4)))  # fmt: skip


def _put_along(xp: Any, x: Any, index: Any, *, dim: int, shape: tuple[int, ...]) -> Any:
    out = zeros(xp, shape, x.dtype)
    out[one_along(xp, index, dim)] = x
    return out


# One value along ``dim`` for each place of the others: ``index`` has a dimension less.
take_along = op("take_along", lambda xp, x, index, *, dim: x[one_along(xp, index, dim)],
                x=lambda g, index, x_shape, dim: put_along(g, index, dim=dim, shape=x_shape),
                fixed=("index",), dtypes="keep", prefix="Squeeze",
                tex=r"\operatorname{{take}}({0}, {1})",
                sample=given(random((3, 4)), [1, 0, 2], dim=1))  # fmt: skip
# And back, into zeros; no place is named twice, so nothing is added up.
put_along = op("put_along", _put_along, fixed=("index",), dtypes="keep", prefix="Scatter",
               x=lambda g, index, dim: take_along(g, index, dim=dim),
               tex=r"\operatorname{{put}}({0}, {1})",
               sample=given(random((3,)), [1, 0, 2], dim=1, shape=(3, 4)))  # fmt: skip

repeat_dims = op("repeat", lambda xp, x, *, repeats: xp.tile(x, repeats),
                 x=lambda g, x_shape, repeats: _fold_repeats(g, x_shape, repeats), dtypes="keep",
                 tex=r"\operatorname{{repeat}} {0}",
                 sample=normal((2, 3), repeats=(2, 1, 2)))  # fmt: skip


def _fold_repeats(g: Any, shape: tuple[int, ...], repeats: tuple[int, ...]) -> Any:
    padded = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    split = [n for pair in zip(repeats, padded, strict=True) for n in pair]
    parts = reshape(g, shape=tuple(split))
    summed = sum_(parts, dim=tuple(range(0, len(split), 2)), keepdim=False)
    return reshape(summed, shape=tuple(shape))


def _argsort(xp: Any, x: Any, *, dim: int, descending: bool) -> Any:
    """A stable order. From large to small is the order of the reversed array, read backwards."""
    if not descending:
        return xp.argsort(x, axis=dim, kind="stable")
    order = xp.argsort(xp.flip(x, axis=dim), axis=dim, kind="stable")
    return x.shape[dim] - 1 - xp.flip(order, axis=dim)


argsort = op("argsort", _argsort, dtypes="keep", tex=r"\operatorname{{argsort}} {0}",
             sample=spread((3, 4), dim=1, descending=True))  # fmt: skip
