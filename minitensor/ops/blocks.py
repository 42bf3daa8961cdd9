"""Work of many passes over memory, one part after the other that fits the processor's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend
from ..pool import empty_like

BLOCK = 1 << 15  # elements: five arrays of float32 take 640 kB, which a core's own cache holds


def parts(*arrays: Any) -> Iterator[Any]:
    """Arrays of one size, cut alike into flat parts of BLOCK elements, in turn.

    They come whole where they are small, on a GPU, or one of them is not in one piece. The parts
    share memory with the arrays, so elementwise work may write to them.
    """
    first = arrays[0]
    if type(first) is not np.ndarray or first.size <= 2 * BLOCK:
        yield arrays
        return
    if not first.flags.c_contiguous:  # perhaps a convolution's layout
        arrays = tuple(np.moveaxis(a, 0, -1) for a in arrays)
    if not all(a.flags.c_contiguous for a in arrays):
        yield arrays
        return
    flat = [a.reshape(-1) for a in arrays]
    for start in range(0, first.size, BLOCK):
        yield [a[start : start + BLOCK] for a in flat]


# The system gives zeros no memory until they are written to, which nobody does.
ZEROS = {d: np.zeros(2 * BLOCK, d) for d in backend.FLOATS}


def zeros_like(part: Any) -> Any:
    """As many zeros, not to be written to; 0 for a larger part, or one that has gaps."""
    if part.size > 2 * BLOCK or not part.flags.c_contiguous:
        return 0
    return ZEROS[part.dtype][: part.size].reshape(part.shape)


def rows(dim: tuple[int, ...], *arrays: Any) -> Iterator[Any]:
    """Arrays of one shape for work along ``dim``: some rows at a time, and the dim of the row.

    They come whole, with ``dim`` as it is, on a GPU or where the rows do not lie in one piece.
    """
    first = arrays[0]
    last = dim == tuple(range(first.ndim - len(dim), first.ndim))
    whole = type(first) is not np.ndarray or not last or not first.size
    if whole or not all(a.flags.c_contiguous for a in arrays):
        yield arrays, dim
        return
    n = math.prod(first.shape[-len(dim) :])
    flat = [a.reshape(-1, n) for a in arrays]
    step = max(1, 4 * BLOCK // n)  # each NumPy call loops over rows: fewer calls pay here
    for start in range(0, len(flat[0]), step):
        yield [a[start : start + step] for a in flat], (1,)


def in_blocks(work: Any) -> Any:
    """``work(xp, x, out)``, elementwise and of many passes, as a forward on one block at a time."""

    def forward(xp: Any, x: Any) -> Any:
        out = empty_like(xp, x)
        for part, into in parts(x, out):
            work(xp, part, into)
        return out

    return forward
