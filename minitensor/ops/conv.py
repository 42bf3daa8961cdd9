"""Windows over space, and their adjoint. Convolution and pooling are built on these two ops.

``unfold`` copies every window of its input side by side (im2col); ``fold`` adds windows back to
where they came from (col2im). Each is the other's derivative, so both can be differentiated any
number of times. Arrays are (N, C, *space); padding is an op of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from .. import kernels
from ..core import op
from .sample import normal

Sizes = tuple[int, ...]


def count_windows(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """How many windows fit along each dimension of space."""
    fits = zip(size, kernel, stride, dilation, strict=True)
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in fits)


def _offsets(counts: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Iterator[Any]:
    """For each place in the kernel: that place, and the slices of space that it looks at."""
    for place in itertools.product(*map(range, kernel)):
        ends = zip(place, counts, stride, dilation, strict=True)
        yield place, tuple(slice(p * d, p * d + s * (n - 1) + 1, s) for p, n, s, d in ends)


def _unfold(xp: Any, x: Any, *, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    counts = count_windows(x.shape[2:], kernel, stride, dilation)
    if kernels.is_gpu(xp):  # one launch, where the loop takes one for each place in the kernel
        return kernels.unfold(xp, x, kernel, counts, stride, dilation)
    out = xp.empty((*x.shape[:2], *kernel, *counts), x.dtype)
    for place, seen in _offsets(counts, kernel, stride, dilation):
        out[(slice(None), slice(None), *place)] = x[(slice(None), slice(None), *seen)]
    return out


def _fold(xp: Any, x: Any, *, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    if kernels.is_gpu(xp) and len(size) <= 2:
        return kernels.fold(xp, x, size, kernel, stride, dilation)
    out = xp.zeros((*x.shape[:2], *size), x.dtype)
    counts = x.shape[2 + len(kernel) :]
    for place, seen in _offsets(counts, kernel, stride, dilation):
        out[(slice(None), slice(None), *seen)] += x[(slice(None), slice(None), *place)]
    return out


def _unfold_rule(g: Any, x_shape: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    return fold(g, size=tuple(x_shape[2:]), kernel=kernel, stride=stride, dilation=dilation)


# (N, C, *space) -> (N, C, *kernel, *windows)
unfold = op(
    "unfold",
    _unfold,
    x=_unfold_rule,
    dtypes="keep",
    prefix="Im2Col",
    tex=r"\operatorname{{unfold}} {0}",
    sample=normal((2, 2, 5, 6), kernel=(2, 3), stride=(2, 1), dilation=(1, 2)),
)
# (N, C, *kernel, *windows) -> (N, C, *size)
fold = op(
    "fold",
    _fold,
    x=lambda g, kernel, stride, dilation: unfold(
        g, kernel=kernel, stride=stride, dilation=dilation
    ),
    dtypes="keep",
    prefix="Col2Im",
    tex=r"\operatorname{{fold}} {0}",
    sample=normal((2, 2, 2, 3, 2, 2), size=(5, 6), kernel=(2, 3), stride=(2, 1), dilation=(1, 2)),
)
