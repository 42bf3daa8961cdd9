"""Memory for large results, used again as soon as nobody holds it.

A fresh large array costs more than its size: the system hands memory out page by page, at the first
write to each, and takes it back when the array is gone. That was a quarter of the time of a
transformer's training step. So ops that make large arrays take their memory from here.

A block is used again only when no array lies in it any more, which Python's count of references
tells: who keeps a result, a slice of it, or its memory by DLPack, holds such a reference. At most
LIMIT bytes wait here unused. On a GPU CuPy does all this by itself.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from sys import getrefcount
from typing import Any

import numpy as np

SMALLEST = 1 << 18  # bytes; for less, the system's allocator has memory at hand
LIMIT = 1 << 26  # bytes
LARGEST = LIMIT // 4
TRIES = 32  # blocks of one size that are looked at before a new one is made


class Block(np.ndarray):
    """Bytes that one array at a time lies in: what its ``base`` is."""


def _alone() -> int:
    block = Block(0, np.uint8)
    return getrefcount(block)


ALONE = _alone()  # the count of references to a block that one local variable alone holds


class Pool:
    """Blocks by their size in bytes. Sizes, and the blocks of each, stand in order of use."""

    def __init__(self, limit: int = LIMIT):
        self.limit = limit
        self.held = 0  # bytes, whether in use or not
        self.blocks: dict[int, deque[Block]] = {}
        self.lock = threading.Lock()

    def array(self, shape: tuple[int, ...], dtype: Any, size: int) -> np.ndarray:
        """An array of ``size`` bytes; its values are what was there before."""
        with self.lock:
            blocks = self.blocks.pop(size, None) or deque()
            block = self._free(blocks)
            if block is None:
                block = self._new(size)
            out: np.ndarray = np.ndarray(shape, dtype, block)
            blocks.append(block)
            self.blocks[size] = blocks
        return out

    def _free(self, blocks: deque[Block]) -> Block | None:
        for _ in range(min(len(blocks), TRIES)):
            block = blocks.pop()
            if getrefcount(block) == ALONE:
                return block
            blocks.appendleft(block)  # in use, and perhaps for long
        return None

    def _new(self, size: int) -> Block:
        """A new block; those used longest ago go, and live on only while an array lies in them."""
        self.held += size
        while self.held > self.limit and self.blocks:
            oldest, blocks = next(iter(self.blocks.items()))
            blocks.popleft()
            self.held -= oldest
            if not blocks:
                del self.blocks[oldest]
        return Block(size, np.uint8)


POOL = Pool()


def _place(xp: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return POOL.array(shape, dtype, size) if xp is np and SMALLEST <= size <= LARGEST else None


def empty(xp: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """As ``xp.empty``."""
    out = _place(xp, shape, dtype)
    return xp.empty(shape, dtype) if out is None else out


def zeros(xp: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """As ``xp.zeros``."""
    out = _place(xp, shape, dtype)
    if out is None:
        return xp.zeros(shape, dtype)  # the system's own zeros cost nothing until they are used
    out.fill(0)
    return out


def room(x: Any) -> Any:
    """Where to put a result of the size, dtype and layout of ``x``: for a ufunc's ``out``.

    None where the ufunc should see to it: for a small array, one on a GPU or one with gaps.
    """
    if type(x) is not np.ndarray or not SMALLEST <= x.nbytes <= LARGEST:
        return None
    if x.flags.c_contiguous:
        return POOL.array(x.shape, x.dtype, x.nbytes)
    last = np.moveaxis(x, 0, -1)  # a convolution's layout
    if not last.flags.c_contiguous:
        return None
    return np.moveaxis(POOL.array(last.shape, x.dtype, x.nbytes), -1, 0)


def empty_like(xp: Any, x: Any) -> Any:
    """As ``xp.empty_like``."""
    out = room(x)
    return xp.empty_like(x) if out is None else out


def scaled(fresh: Any, y: Any) -> Any:
    """``y * fresh``, for rules; an array in its own memory, so none that anyone else holds."""
    if type(fresh) is not np.ndarray:
        return y * fresh
    fresh *= y
    return fresh


def times(x: Any, y: Any) -> Any:
    """``x * y`` of the size and dtype of ``x``, for rules: of arrays, Tensors or symbols."""
    out = room(x)
    return x * y if out is None else np.multiply(x, y, out=out)
