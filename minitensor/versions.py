"""The ledger of in-place writes: which buffers were written to, when, and by which op.

Backward needs to know whether a saved array still holds the values that it had when it was saved.
Nothing is paid for this while ops run: a write notes the buffer and the time, on the clock that
numbers the nodes, and backward compares that with the age of the node that saved the array.
All views of one buffer have the same owner, so they share one entry.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any

from . import backend, core
from .backend import Array

KEPT = 32  # times remembered for each buffer


class Writes:
    """The writes to one buffer."""

    __slots__ = ("by", "count", "owner", "times")

    def __init__(self, owner: Any):
        self.owner: Any
        try:
            self.owner = weakref.ref(owner)
        except TypeError:  # an array type without weak references: keep it
            self.owner = lambda: owner
        self.count = 0
        self.by = ""  # the op of the last write
        self.times: deque[int] = deque(maxlen=KEPT)  # of the latest writes


# Keyed by id(owner). An id can be used again after its array died; `owner` tells the two apart.
# A node holds what it saved, so no array of another owner can have that id while it matters.
LEDGER: dict[int, Writes] = {}
last_write = 0  # when anything was written last: backward mostly looks no further than this


def written(array: Array, by: str) -> None:
    """Note that the buffer of ``array`` has just been written to, by the op named ``by``."""
    global last_write
    last_write = core.next_seq()
    owner = array if getattr(array, "base", None) is None else backend.owner(array)
    entry = LEDGER.get(id(owner))
    if entry is None or entry.owner() is not owner:
        entry = LEDGER[id(owner)] = Writes(owner)
    entry.count += 1
    entry.by = by
    entry.times.append(last_write)


def writes_to(array: Array) -> Writes | None:
    """What is known of writes to the buffer of ``array``; None if there were none."""
    owner = backend.owner(array)
    entry = LEDGER.get(id(owner))
    return entry if entry is not None and entry.owner() is owner else None


def version(array: Array) -> int:
    """How many in-place writes the buffer of ``array`` has seen (PyTorch's ``_version``)."""
    entry = writes_to(array)
    return entry.count if entry else 0


def written_since(value: Any, seq: int) -> Writes | None:
    """The writes to an array's buffer, if one came after the step numbered ``seq``; else None.

    What is no array has no buffer.
    """
    entry = writes_to(value) if type(value) in backend.MODULES else None
    return entry if entry is not None and entry.times[-1] > seq else None


def check_saved(node: Any) -> None:
    """Raise RuntimeError if an array that ``node`` saved was written to afterwards."""
    for name, value in zip(node.op.saves, node.saved, strict=True):
        for array in value if isinstance(value, tuple) else (value,):
            entry = written_since(array, node.seq)
            if entry is not None:
                raise RuntimeError(_complaint(node, name, array, entry))


def _complaint(node: Any, name: str, array: Array, entry: Writes) -> str:
    since = sum(t > node.seq for t in entry.times)
    what = "its output" if name == "out" else f"its input '{name}'"
    return (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{backend.DTYPES[array.dtype].name} {list(array.shape)}], which "
        f"{node.name()} saved as {what}, is at version {entry.count}; expected version "
        f"{entry.count - since} instead. The last write was by '{entry.by}'. Hint: use the form "
        "of that op that makes a new tensor, or clone() the tensor before changing it."
    )
