"""``work``: the bytes and floating-point operations of an op, from its shapes alone.

Bytes are the least that must move: every input read once, the output written once. An addition, a
multiplication, a comparison and a call such as ``exp`` count as one operation each, though they
take a processor very different times: compare like with like, and with ``limits``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import as_dtype
from ..core import OPS

Shape = Sequence[int]
ALONE = {"relu", "sigmoid", "rsqrt", "erf", "round", "pow_number"}  # elementwise, no ufuncs


@dataclass(frozen=True)
class Work:
    """What an op must do: ``flops`` operations on ``bytes`` bytes of memory."""

    flops: int
    bytes: int

    @property
    def intensity(self) -> float:
        """Operations for each byte: above a machine's balance, arithmetic is the limit."""
        return self.flops / self.bytes

    def __add__(self, other: Work) -> Work:
        return Work(self.flops + other.flops, self.bytes + other.bytes)


def work(op: str, shapes: Sequence[Shape], dtype: Any = "float32", **attrs: Any) -> Work:
    """The work of ``op`` on inputs of ``shapes``.

    Args:
        op: "matmul", "conv2d" (with ``stride`` and ``padding``, numbers), "sum", "mean", "max",
            "softmax", "copy", or an elementwise op such as "add" or "tanh".
        shapes: one for each input; conv2d takes (N, C, H, W) and (out channels, C, kh, kw).
        dtype: of the inputs and of the output.

    Raises ValueError for an op that it cannot count, and for shapes that do not fit together.
    """
    count: Any = COUNTS.get(op) or (_elementwise if _is_elementwise(op, len(shapes)) else None)
    if count is None:
        raise ValueError(
            f"work: cannot count {op!r} of {len(shapes)} inputs; it can count "
            f"{', '.join(COUNTS)}, and elementwise ops"
        )
    flops, out = count(*[tuple(s) for s in shapes], **attrs)
    elements = sum(math.prod(s) for s in shapes) + math.prod(out)
    return Work(flops, elements * as_dtype(dtype).itemsize)


def _is_elementwise(op: str, inputs: int) -> bool:
    """Whether the registry has it with so many inputs, as a ufunc or as one that broadcasts."""
    found = OPS.get(op)
    if found is None or len(found.inputs) != inputs:
        return False
    return found.broadcasts or isinstance(found.forward, str) or op in ALONE


def _elementwise(*shapes: Shape) -> tuple[int, Shape]:
    out = np.broadcast_shapes(*map(tuple, shapes))
    return math.prod(out), out


def _copy(shape: Shape) -> tuple[int, Shape]:
    return 0, shape


def _reduction(shape: Shape) -> tuple[int, Shape]:
    return math.prod(shape), ()


def _softmax(shape: Shape) -> tuple[int, Shape]:
    """Largest, difference, exp, sum, quotient: five operations an element."""
    return 5 * math.prod(shape), shape


def _matmul(x: Shape, y: Shape) -> tuple[int, Shape]:
    if len(x) < 2 or len(y) < 2 or x[-1] != y[-2]:
        raise ValueError(f"work: matmul does not fit {tuple(x)} and {tuple(y)}")
    out = (*np.broadcast_shapes(tuple(x[:-2]), tuple(y[:-2])), x[-2], y[-1])
    return 2 * math.prod(out) * x[-1], out


def _conv2d(x: Shape, w: Shape, stride: int = 1, padding: int = 0) -> tuple[int, Shape]:
    if len(x) != 4 or len(w) != 4 or x[1] != w[1]:
        raise ValueError(f"work: conv2d does not fit {tuple(x)} and {tuple(w)}")
    space = [(n + 2 * padding - k) // stride + 1 for n, k in zip(x[2:], w[2:], strict=True)]
    out = (x[0], w[0], *space)
    return 2 * math.prod(out) * math.prod(w[1:]), out


COUNTS = {"matmul": _matmul, "conv2d": _conv2d, "softmax": _softmax, "copy": _copy}
COUNTS |= dict.fromkeys(("sum", "mean", "max"), _reduction)
