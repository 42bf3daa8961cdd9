"""How a tensor prints: ``tensor([1., 2.], grad_fn=<AddBackward0>)``, as PyTorch prints it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import backend
from .core import Tensor


@dataclass
class Options:
    """What ``set_printoptions`` sets."""

    precision: int = 4  # digits after the point
    threshold: float = 1000  # more elements than this are summarised
    edgeitems: int = 3  # elements shown at each end of a summarised dimension
    linewidth: int = 80  # characters
    sci_mode: bool | None = None  # scientific notation: always, never, or as the values need
    package: str = "minitensor"  # where types print as coming from; compat says "torch"


OPTIONS = Options()


class Size(tuple[int, ...]):
    """A shape: a tuple of ints, with PyTorch's printing and ``numel()``."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return int(np.prod(self, dtype=np.int64))

    def __getitem__(self, i: Any) -> Any:
        found: Any = tuple.__getitem__(self, i)
        return Size(found) if isinstance(i, slice) else found

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, other))

    def __repr__(self) -> str:
        return f"{OPTIONS.package}.Size({list(self)})"


PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; what is None stays as it is, but ``sci_mode`` goes back to automatic.

    Args:
        precision: digits after the point (4 at start).
        threshold: tensors of more elements are summarised (1000).
        edgeitems: elements shown at each end of a summarised dimension (3).
        linewidth: characters in a line (80).
        profile: "default", "short" or "full", applied before the others.
        sci_mode: scientific notation always (True), never (False) or as the values need (None).
    """
    chosen = dict(PROFILES[profile]) if profile else {}
    given = {"precision": precision, "threshold": threshold}
    given.update(edgeitems=edgeitems, linewidth=linewidth)
    chosen.update({name: value for name, value in given.items() if value is not None})
    for name, value in chosen.items():
        setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


def tensor_repr(t: Tensor) -> str:
    """The text of a tensor: its values, then what is not evident from them."""
    prefix = "tensor("
    text = prefix + array_text(backend.to_numpy(t.array), len(prefix))
    length = len(text) - text.rfind("\n") + 1
    for suffix in _suffixes(t):
        if length + len(suffix) + 2 > OPTIONS.linewidth:
            text += ",\n" + " " * len(prefix) + suffix
            length = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text + ")"


def _suffixes(t: Tensor) -> list[str]:
    """Device, size, dtype and history, each only where the values do not show it."""
    array, found = t.array, []
    where, empty = backend.device_of(array), array.size == 0
    if where.type != "cpu":
        found.append(f"device='{where}'")
    if (empty and array.ndim != 1) or (not empty and not OPTIONS.edgeitems):
        found.append(f"size={tuple(array.shape)}")
    evident = {backend.default_float()} if empty else {backend.default_float(), *_WRITTEN}
    if array.dtype not in evident:
        found.append(f"dtype={backend.DTYPES[array.dtype]!r}")
    if t.node is not None:
        found.append(f"grad_fn=<{t.node.name()}>")
    elif t.needs_grad:
        found.append("requires_grad=True")
    return found


_WRITTEN = {backend.INT64, backend.BOOL}  # 1 and True show what they are


def array_text(array: np.ndarray, indent: int = 0) -> str:
    """The values of an array in brackets, continued lines indented by ``indent``."""
    if array.size == 0:
        return "[]"
    edge = OPTIONS.edgeitems if array.size > OPTIONS.threshold else None
    shown = array if edge is None else array[np.ix_(*(_ends(n, edge) for n in array.shape))]
    numbers, width = choose_format(shown)
    return _nested(array, indent, edge, lambda v: numbers(v).rjust(width), width)


def _ends(n: int, edge: int) -> list[int]:
    """Which of ``n`` positions a summary shows."""
    return [*range(edge), *range(n - edge, n)] if n > 2 * edge else list(range(n))


def choose_format(array: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """How to write each of these numbers, and the width that they share."""
    if array.dtype.kind != "f":
        return str, max([1, *(len(str(v)) for v in array.reshape(-1).tolist())])
    values = array[np.isfinite(array) & (array != 0)].astype(np.float64)
    if values.size == 0:
        return _whole, 1
    smallest, largest = np.abs(values).min(), np.abs(values).max()
    spread = bool(largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4)
    scientific = spread if OPTIONS.sci_mode is None else OPTIONS.sci_mode
    digits = OPTIONS.precision
    if scientific:
        numbers: Callable[[Any], str] = lambda v: f"{v:.{digits}e}"  # noqa: E731
    elif (values == np.ceil(values)).all():
        numbers = _whole
    else:
        numbers = lambda v: f"{v:.{digits}f}"  # noqa: E731
    return numbers, max(len(numbers(v)) for v in values.tolist())


def _whole(v: float) -> str:
    return f"{v:.0f}." if math.isfinite(v) else f"{v:.0f}"


def _nested(array: np.ndarray, indent: int, edge: int | None, text: Any, width: int) -> str:
    """The brackets: one line for a row if it fits, blank lines between matrices."""
    if array.ndim == 0:
        return text(array.item())
    cut = edge is not None and len(array) > 2 * edge
    rows = array[_ends(len(array), edge or 0)] if cut else array
    if array.ndim == 1:
        parts = [text(v) for v in rows.tolist()]
        per_line = max(1, (OPTIONS.linewidth - indent) // (width + 2))
    else:
        parts = [_nested(row, indent + 1, edge, text, width) for row in rows]
        per_line = 1
    if cut:
        parts.insert(edge or 0, " ..." if array.ndim == 1 and edge else "...")
    lines = [", ".join(parts[i : i + per_line]) for i in range(0, len(parts), per_line)]
    gap = "," + "\n" * max(array.ndim - 1, 1) + " " * (indent + 1)
    return "[" + gap.join(lines) + "]"
