"""Windows over space: convolution, pooling, and their adjoints. Arrays are (N, C, *space).

``unfold`` copies every window of its input side by side (im2col); ``fold`` adds windows back to
where they came from (col2im). Each is the other's derivative. A convolution is such windows and one
matrix product; here it is one op, ``conv``, with one adjoint for each of its inputs. The three are
each other's derivatives, so all can be differentiated any number of times.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..core import op
from ..pool import empty, zeros
from .sample import given, normal, random, spread

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
    out = empty(xp, (*x.shape[:2], *kernel, *counts), x.dtype)
    for place, seen in _offsets(counts, kernel, stride, dilation):
        out[(slice(None), slice(None), *place)] = x[(slice(None), slice(None), *seen)]
    return out


def _fold(xp: Any, x: Any, *, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    if kernels.is_gpu(xp) and len(size) <= 2:
        return kernels.fold(xp, x, size, kernel, stride, dilation)
    out = zeros(xp, (*x.shape[:2], *size), x.dtype)
    _add_windows(out, x, kernel, stride, dilation)
    return out


def _add_windows(out: Any, x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> None:
    """Add windows x (N, C, *kernel, *windows) to ``out`` (N, C, *space) where they came from."""
    for place, seen in _offsets(x.shape[2 + len(kernel) :], kernel, stride, dilation):
        out[(slice(None), slice(None), *seen)] += x[(slice(None), slice(None), *place)]


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

# -- convolution -----------------------------------------------------------------------------------


class Geometry(NamedTuple):
    """How the windows of a convolution lie; one number for each dimension of space."""

    stride: Sizes
    before: Sizes  # zeros in front
    after: Sizes  # and behind
    dilation: Sizes
    groups: int


# Inside, the batch comes last, (C, *space, N): then a window's neighbours lie side by side, so that
# copying windows is copying long runs, and the whole batch is one matrix product. That is several
# times as fast as (N, C, *space) for the images of a course, small and in batches. The result is
# (N, C, *space) over such memory; `core.settled` sees to it that nobody can tell.


def batch_last(xp: Any, x: Any) -> Any:
    """(N, C, *space) as (C, *space, N), in one piece: as it is, if it came from a convolution."""
    return xp.ascontiguousarray(xp.moveaxis(x, 0, -1))


def batch_first(xp: Any, x: Any) -> Any:
    """(C, *space, N) as (N, C, *space), over the same memory."""
    return xp.moveaxis(x, -1, 0)


def padded(size: Sizes, how: Geometry) -> Sizes:
    """The size of space with the zeros around it."""
    return tuple(b + n + a for n, b, a in zip(size, how.before, how.after, strict=True))


def _inside(size: Sizes, how: Geometry) -> tuple[slice, ...]:
    return tuple(slice(b, b + n) for n, b in zip(size, how.before, strict=True))


def _grown(xp: Any, x: Any, how: Geometry) -> Any:
    """(C, *space, N) with zeros around."""
    if not any(how.before) and not any(how.after):
        return x
    size = x.shape[1:-1]
    out = zeros(xp, (x.shape[0], *padded(size, how), x.shape[-1]), x.dtype)
    out[(slice(None), *_inside(size, how))] = x
    return out


def _over_batch(kernel: Sizes, how: Geometry) -> dict[str, Sizes]:
    """Windows over (1, C, *space, N): the batch is one more dimension, in which they are 1 wide."""
    return {"kernel": (*kernel, 1), "stride": (*how.stride, 1), "dilation": (*how.dilation, 1)}


def _columns(xp: Any, grown: Any, kernel: Sizes, how: Geometry) -> Any:
    """The windows of (C, *space, N): (groups, C / groups * places in the kernel, windows * N)."""
    windows = _unfold(xp, grown[None], **_over_batch(kernel, how))
    depth = grown.shape[0] // how.groups * math.prod(kernel)
    return windows.reshape(how.groups, depth, math.prod(windows.shape[3 + len(kernel) :]))


SLAB = 1 << 19  # elements of columns at a time
SMALL = 10**6  # OpenBLAS does not first pack matrices of fewer products; narrow ones gain by that


def _slabs(
    xp: Any, channels: int, kernel: Sizes, counts: Sizes, samples: int, how: Geometry, rows: int = 0
) -> Iterator[Any]:
    """Cut the windows into slabs whose columns fit into a processor's cache.

    A slab is some of the windows along the first dimension of space: ``rows`` of them or, if that
    is 0, as many as SLAB allows. Yields their counts, where their outputs stand among windows * N,
    and the slice of the padded input that they look at.
    """
    each = math.prod(counts[1:]) * samples
    rows = rows or max(1, SLAB // max(1, channels * math.prod(kernel) * each))
    if kernels.is_gpu(xp):
        rows = counts[0]
    step, reach = how.stride[0], how.dilation[0] * (kernel[0] - 1) + 1
    for start in range(0, counts[0], rows):
        stop = min(start + rows, counts[0])
        seen = slice(start * step, (stop - 1) * step + reach)
        yield (stop - start, *counts[1:]), slice(start * each, stop * each), (slice(None), seen)


def _outputs(xp: Any, g: Any, groups: int) -> Any:
    """(N, O, *windows) as (groups, O / groups, windows * N)."""
    size = math.prod(g.shape[2:]) * g.shape[0]
    return batch_last(xp, g).reshape(groups, g.shape[1] // groups, size)


def _rows(weight: Any, groups: int) -> Any:
    """(O, C / groups, *kernel) as (groups, O / groups, C / groups * places in the kernel)."""
    return weight.reshape(groups, weight.shape[0] // groups, math.prod(weight.shape[1:]))


def _conv(xp: Any, x: Any, weight: Any, *, how: Geometry) -> Any:
    kernel, samples = weight.shape[2:], x.shape[0]
    grown, rows = _grown(xp, batch_last(xp, x), how), _rows(weight, how.groups)
    counts = count_windows(grown.shape[1:-1], kernel, how.stride, how.dilation)
    out = empty(xp, (*rows.shape[:2], math.prod(counts) * samples), x.dtype)
    for _, at, seen in _slabs(xp, x.shape[1], kernel, counts, samples, how):
        xp.matmul(rows, _columns(xp, grown[seen], kernel, how), out=out[..., at])
    return batch_first(xp, out.reshape(weight.shape[0], *counts, samples))


def _conv_input(xp: Any, x: Any, weight: Any, *, size: Sizes, how: Geometry) -> Any:
    samples, counts, kernel = x.shape[0], x.shape[2:], weight.shape[2:]
    channels, g = weight.shape[1] * how.groups, _outputs(xp, x, how.groups)
    turned = xp.swapaxes(_rows(weight, how.groups), 1, 2)
    if kernels.is_gpu(xp) and len(size) <= 2:
        parts = xp.matmul(turned, g).reshape(channels, *kernel, *counts, samples)
        windows = xp.ascontiguousarray(batch_first(xp, parts))
        out = kernels.fold(xp, windows, padded(size, how), kernel, how.stride, how.dilation)
        return out[(slice(None), slice(None), *_inside(size, how))]
    out = zeros(xp, (channels, *padded(size, how), samples), x.dtype)
    for part, at, seen in _slabs(xp, channels, kernel, counts, samples, how):
        parts = xp.matmul(turned, g[..., at]).reshape(1, channels, *kernel, 1, *part, samples)
        _add_windows(out[seen][None], parts, **_over_batch(kernel, how))
    return batch_first(xp, out[(slice(None), *_inside(size, how))])


def _conv_weight(xp: Any, x: Any, y: Any, *, kernel: Sizes, how: Geometry) -> Any:
    grown, g = _grown(xp, batch_last(xp, x), how), _outputs(xp, y, how.groups)
    lines, step, apart = (1, *kernel[1:]), how.stride[0], how.dilation[0]
    flat = how._replace(stride=(1, *how.stride[1:]), dilation=(1, *how.dilation[1:]))
    each = math.prod(y.shape[3:]) * x.shape[0]
    depth = x.shape[1] // how.groups * math.prod(lines)
    out = zeros(xp, (kernel[0], *g.shape[:2], depth), x.dtype)
    few = SMALL // max(1, g.shape[1] * depth * each)
    for part, at, seen in _slabs(xp, x.shape[1], kernel, y.shape[2:], x.shape[0], how, few):
        # Windows of one line each; those of the kernel's other lines start further on.
        columns = _columns(xp, grown[seen], lines, flat)
        columns = columns.reshape(how.groups, depth, -1, each)
        for i in range(kernel[0]):
            start = i * apart
            line = columns[:, :, start : start + (part[0] - 1) * step + 1 : step]
            line = line.reshape(how.groups, depth, part[0] * each)
            out[i] += xp.matmul(g[..., at], xp.swapaxes(line, 1, 2))
    out = out.reshape(kernel[0], y.shape[1], x.shape[1] // how.groups, *kernel[1:])
    return xp.ascontiguousarray(xp.moveaxis(out, 0, 2))


_HOW = Geometry((2, 1), (1, 0), (0, 1), (1, 2), 2)
_X, _WEIGHT, _OUT = (2, 4, 5, 6), (6, 2, 2, 3), (2, 6, 3, 3)

# (N, C, *space) and (O, C / groups, *kernel) -> (N, O, *windows)
conv = op(
    "conv", _conv, dtypes="same", prefix="Convolution", tex=r"{0} \star {1}",
    x=lambda g, weight, x_shape, how: conv_input(g, weight, size=tuple(x_shape[2:]), how=how),
    weight=lambda g, x, weight_shape, how: conv_weight(x, g, kernel=tuple(weight_shape[2:]),
                                                       how=how),
    sample=normal(_X, _WEIGHT, how=_HOW),
)  # fmt: skip
# The adjoint in the input, which is also what conv_transpose is.
conv_input = op(
    "conv_input", _conv_input, dtypes="same", prefix="Convolution", tex=r"{0} \star^T {1}",
    x=lambda g, weight, how: conv(g, weight, how=how),
    weight=lambda g, x, weight_shape, how: conv_weight(g, x, kernel=tuple(weight_shape[2:]),
                                                       how=how),
    sample=normal(_OUT, _WEIGHT, size=_X[2:], how=_HOW),
)  # fmt: skip
# The adjoint in the weight: of the input and the gradient of the output.
conv_weight = op(
    "conv_weight", _conv_weight, dtypes="same", prefix="Convolution",
    tex=r"{0} \star {1}",
    x=lambda g, y, x_shape, how: conv_input(y, g, size=tuple(x_shape[2:]), how=how),
    y=lambda g, x, how: conv(x, g, how=how),
    sample=normal(_X, _OUT, kernel=_WEIGHT[2:], how=_HOW),
)  # fmt: skip

# -- the largest of each window --------------------------------------------------------------------


def _seen(x: Any, counts: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Iterator[Any]:
    """For each place in the kernel: its number, and what (C, *space, N) has there, by window."""
    for i, (_, at) in enumerate(_offsets(counts, kernel, stride, dilation)):
        yield i, x[(slice(None), *at)]


def _small(xp: Any, kernel: Sizes) -> Any:
    """A type that can number the places of a kernel."""
    return xp.dtype("uint8" if math.prod(kernel) <= 256 else "int32").type


def _best(xp: Any, x: Any, *, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    counts = count_windows(x.shape[2:], kernel, stride, dilation)
    small, best, top = _small(xp, kernel), None, None
    for i, value in _seen(batch_last(xp, x), counts, kernel, stride, dilation):
        if top is None:
            top, best = value, zeros(xp, value.shape, small)
            continue
        better = (value > top) | (value != value)  # nan counts as largest, as in PyTorch
        top, best = xp.where(better, value, top), xp.where(better, small(i), best)
    return batch_first(xp, best)


def _max(xp: Any, x: Any, *, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    counts, out = count_windows(x.shape[2:], kernel, stride, dilation), None
    for _, value in _seen(batch_last(xp, x), counts, kernel, stride, dilation):
        out = xp.array(value) if out is None else xp.maximum(out, value, out=out)
    return batch_first(xp, out)


def _place_of(xp: Any, x: Any, y: Any, *, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """As ``_best``, where the largest values ``y`` are known; of nan it does not know the place.

    From the last place to the first: 0 where the value is the largest, else one more than behind.
    """
    y = batch_last(xp, y)
    seen = [*_seen(batch_last(xp, x), y.shape[1:-1], kernel, stride, dilation)]
    best = zeros(xp, y.shape, _small(xp, kernel))
    for _, value in reversed(seen[:-1]):
        best += 1
        best *= value != y
    return batch_first(xp, best)


def _max_rule(g: Any, x: Any, out: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    window = {"kernel": kernel, "stride": stride, "dilation": dilation}
    return put_in_window(g, place_in_window(x, out, **window), size=tuple(x.shape[2:]), **window)


def _pick(xp: Any, x: Any, best: Any, *, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    best, out = batch_last(xp, best), None
    for i, value in _seen(batch_last(xp, x), best.shape[1:-1], kernel, stride, dilation):
        out = xp.array(value) if out is None else xp.where(best == i, value, out)
    return batch_first(xp, out)


def _put(
    xp: Any, x: Any, best: Any, *, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> Any:
    x, best = batch_last(xp, x), batch_last(xp, best)
    wide = (d * (k - 1) < s for k, s, d in zip(kernel, stride, dilation, strict=True))
    apart = all(wide)  # no two windows meet: nothing to add to
    tiled = kernel == stride and size == tuple(map(operator.mul, best.shape[1:-1], stride))
    make = empty if apart and tiled else zeros
    out = make(xp, (x.shape[0], *size, x.shape[-1]), x.dtype)
    # On a CPU a product is quicker than a choice, which is guessed wrong; but inf times 0 is nan.
    finite = xp is np and bool(np.isfinite(x.sum()))
    for i, place in _seen(out, best.shape[1:-1], kernel, stride, dilation):
        if finite and apart:
            xp.multiply(x, best == i, out=place)
        else:
            part = x * (best == i) if finite else xp.where(best == i, x, x.dtype.type(0))
            place[...] = part if apart else place + part
    return batch_first(xp, out)


_POOL: dict[str, Sizes] = {"kernel": (2, 3), "stride": (2, 1), "dilation": (1, 2)}
_BEST = [[[[0, 5], [3, 1]]]]

# Where in its window the largest value stands, counted over the kernel; of equal ones the first.
best_in_window = op(
    "best_in_window", _best, dtypes="keep", tex=r"\operatorname{{argmax}} {0}",
    sample=normal((2, 2, 5, 6), **_POOL),
)  # fmt: skip
place_in_window = op(
    "place_in_window", _place_of, dtypes="keep", tex=r"\operatorname{{argmax}} {0}",
    sample=lambda rng: ([x := rng.permutation(np.arange(120.0)).reshape(2, 2, 5, 6),
                         _max(np, x, **_POOL)], dict(_POOL)),
)  # fmt: skip
max_in_window = op(
    "max_in_window", _max, x=_max_rule, dtypes="keep", prefix="MaxPool2DWithIndices",
    tex=r"\operatorname{{maxpool}} {0}", sample=spread((2, 2, 5, 6), **_POOL),
)  # fmt: skip
# The value at a place of each window, and its adjoint.
pick_in_window = op(
    "pick_in_window", _pick, fixed=("best",), dtypes="keep",
    tex=r"\operatorname{{pick}} {0}",
    x=lambda g, best, x_shape, kernel, stride, dilation: put_in_window(
        g, best, size=tuple(x_shape[2:]), kernel=kernel, stride=stride, dilation=dilation
    ),
    sample=given(random((1, 1, 5, 6)), _BEST, **_POOL),
)  # fmt: skip
put_in_window = op(
    "put_in_window", _put, fixed=("best",), dtypes="keep", tex=r"\operatorname{{unpool}} {0}",
    x=lambda g, best, kernel, stride, dilation: pick_in_window(
        g, best, kernel=kernel, stride=stride, dilation=dilation
    ),
    sample=given(random((1, 1, 2, 2)), _BEST, size=(5, 6), **_POOL),
)  # fmt: skip
