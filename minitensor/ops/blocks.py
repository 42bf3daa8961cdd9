"""Work of many passes over memory, one part after the other that fits the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..pool import empty_like

BLOCK = 1 << 15  # elements: five arrays of float32 take 640 kB, which a core's own cache holds


def parts(*arrays: Any) -> Iterator[Any]:
    """Arrays of one size, cut alike into flat parts of BLOCK elements, in turn.

    They come whole where they are small, on a GPU, or one of them is not in one piece. The parts
    share memory with the arrays, so elementwise work may write to them.
    """
    first = arrays[0]
    small = type(first) is not np.ndarray or first.size <= 2 * BLOCK
    if small or not all(a.flags.c_contiguous for a in arrays):
        yield arrays
        return
    flat = [a.reshape(-1) for a in arrays]
    for start in range(0, first.size, BLOCK):
        yield [a[start : start + BLOCK] for a in flat]


def in_blocks(work: Any) -> Any:
    """``work(xp, x, out)``, elementwise and of many passes, as a forward on one block at a time."""

    def forward(xp: Any, x: Any) -> Any:
        out = empty_like(xp, x)
        for part, into in parts(x, out):
            work(xp, part, into)
        return out

    return forward
