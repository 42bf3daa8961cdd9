"""Convolution and pooling: strided windows and a matrix product, in PyTorch's signatures.

Inputs are (N, C, L) for 1-d functions and (N, C, H, W) for 2-d ones; without N they are taken as
one sample. A number stands for the same number along each dimension of space. What does not fit
raises RuntimeError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from . import backend
from .core import Tensor, wrap
from .functions import cast, reshape, sum, where
from .functions_forms import wide_inside
from .ops import conv
from .ops import elementwise as ew
from .ops import shape as sh
from .ops.linalg import matmul

Sizes = tuple[int, ...]


# -- arguments -------------------------------------------------------------------------------------


def _each(name: str, value: Any, n: int, least: int = 1) -> Sizes:
    """``value`` along each of ``n`` dimensions, checked: so many, none below ``least``."""
    values = (value,) * n if isinstance(value, int) else tuple(value)
    values *= n if len(values) == 1 else 1
    if len(values) != n:
        raise RuntimeError(f"expected {name} to be a single integer or {n} of them, not {value}")
    if min(values) < least:
        raise RuntimeError(f"{name} should be at least {least}, but got {value}")
    return values


def _check_input(name: str, x: Tensor, n: int) -> None:
    """Raise RuntimeError unless ``x`` has ``n`` dimensions of space and one or two before them."""
    if x.array.ndim - n not in (1, 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
            f"of size: {list(x.array.shape)}"
        )


def _check_channels(name: str, x: Tensor, weight: Tensor, n: int, channels: int) -> None:
    if weight.array.ndim != n + 2:
        raise RuntimeError(
            f"{name} expects a weight of {n + 2} dimensions, not {weight.array.ndim}"
        )
    _check_input(name, x, n)
    got = x.array.shape[-n - 1]
    if got != channels:
        raise RuntimeError(
            f"Given weight of size {list(weight.array.shape)}, expected input"
            f"{list(x.array.shape)} to have {channels} channels, but got {got} channels instead"
        )


def _check_groups(groups: int, channels: int) -> None:
    if groups < 1 or channels % groups:
        raise RuntimeError(f"groups={groups} must be at least 1 and divide {channels} channels")


def _check_fit(sizes: Sequence[int], kernel: Sizes, counts: Sizes) -> None:
    if min(counts) < 1:
        raise RuntimeError(
            f"Output size is too small: padded input size {list(sizes)}, kernel size "
            f"{list(kernel)}. Kernel size can't be greater than actual input size"
        )


def _batched(x: Tensor, n: int, work: Callable[[Tensor], Tensor]) -> Tensor:
    """Do ``work`` on a batch; one sample is a batch of one."""
    if x.array.ndim == n + 2:
        return work(x)
    return sh.squeeze_dims(work(sh.unsqueeze_dims(x, dim=(0,))), dim=(0,))


def _padded(x: Tensor, before: Sizes, after: Sizes) -> Tensor:
    if not any(before) and not any(after):
        return x
    return sh.pad_zero(x, before=(0, 0, *before), after=(0, 0, *after))


def _with_bias(out: Tensor, bias: Tensor | None) -> Tensor:
    if bias is None:
        return out
    if bias.array.shape != out.array.shape[1:2]:
        raise RuntimeError(
            f"expected bias to be 1-dimensional with {out.array.shape[1]} elements, but got bias "
            f"of size {list(bias.array.shape)} instead"
        )
    return ew.add(out, reshape(bias, (-1, *[1] * (out.array.ndim - 2))))


# -- convolution -----------------------------------------------------------------------------------


def _ends(padding: Any, kernel: Sizes, steps: Sizes, spread: Sizes) -> tuple[Sizes, Sizes]:
    """How much to pad before and after: numbers, "valid" (nothing) or "same" (size is kept)."""
    if padding == "same":
        if max(steps) > 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for d, k in zip(spread, kernel, strict=True)]
        return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    if isinstance(padding, str) and padding != "valid":
        raise RuntimeError(f"padding must be a number, 'valid' or 'same', but got {padding!r}")
    sides = _each("padding", 0 if padding == "valid" else padding, len(kernel), 0)
    return sides, sides


def _conv(
    n: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    _check_groups(groups, weight.array.shape[0])
    _check_channels(f"conv{n}d", input, weight, n, weight.array.shape[1] * groups)
    kernel = weight.array.shape[2:]
    steps, spread = _each("stride", stride, n), _each("dilation", dilation, n)
    before, after = _ends(padding, kernel, steps, spread)

    how = conv.Geometry(steps, before, after, spread, groups)
    full = conv.padded(input.array.shape[-n:], how)
    _check_fit(full, kernel, conv.count_windows(full, kernel, steps, spread))

    def work(x: Tensor) -> Tensor:
        return _with_bias(conv.conv(x, weight, how=how), bias)

    return _batched(input, n, work)


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Correlate (N, C, L) with (O, C / groups, k): (N, O, windows)."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Correlate (N, C, H, W) with (O, C / groups, kh, kw): (N, O, windows, windows).

    ``padding`` is in numbers, or "same", which keeps the size, or "valid", which is none.
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of ``conv2d``: (N, C, H, W) with a weight (C, O / groups, kh, kw)."""
    channels = weight.array.shape[0]
    _check_groups(groups, channels)
    _check_channels("conv_transpose2d", input, weight, 2, channels)
    kernel, steps = weight.array.shape[2:], _each("stride", stride, 2)
    sides, spread = _each("padding", padding, 2, 0), _each("dilation", dilation, 2)
    extra = _each("output_padding", output_padding, 2, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, steps, spread, strict=True)):
        raise RuntimeError("output padding must be smaller than either stride or dilation")

    def work(x: Tensor) -> Tensor:
        space = x.array.shape[2:]
        dims = zip(space, steps, spread, kernel, extra, strict=True)
        full = tuple((n - 1) * s + d * (k - 1) + 1 + e for n, s, d, k, e in dims)
        size = tuple(n - 2 * p for n, p in zip(full, sides, strict=True))
        _check_fit(space, kernel, size)
        how = conv.Geometry(steps, sides, sides, spread, groups)
        return _with_bias(conv.conv_input(x, weight, size=size, how=how), bias)

    return _batched(input, 2, work)


# -- pooling ---------------------------------------------------------------------------------------


class _Windows:
    """The windows of a pooling function: where they lie, and how much padding they need."""

    def __init__(
        self, name: str, x: Tensor, n: int, kernel: Any, stride: Any, padding: Any,
        dilation: Any, ceil_mode: bool,
    ):  # fmt: skip
        _check_input(name, x, n)
        self.n, self.kernel = n, _each("kernel_size", kernel, n)
        given = stride is not None and stride != ()
        self.stride = _each("stride", stride, n) if given else self.kernel
        self.dilation = _each("dilation", dilation, n)
        self.sides = _each("padding", padding, n, 0)
        wide = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        if any(2 * p > w for p, w in zip(self.sides, wide, strict=True)):
            raise RuntimeError(f"pad should be at most half of effective kernel size: {padding}")
        self.sizes = x.array.shape[-n:]
        lost = []  # what the last window lacks beyond the padding, where sizes are rounded up
        for size, p, w, s in zip(self.sizes, self.sides, wide, self.stride, strict=True):
            left = (size + 2 * p - w) % s
            starts_inside = size + 2 * p - w - left + s < size + p
            lost.append(s - left if ceil_mode and left and starts_inside else 0)
        self.after = tuple(p + e for p, e in zip(self.sides, lost, strict=True))
        full = tuple(map(int.__add__, map(int.__add__, self.sizes, self.sides), self.after))
        self.counts = conv.count_windows(full, self.kernel, self.stride, self.dilation)
        _check_fit(full, self.kernel, self.counts)

    def of(self, x: Tensor, fill: Any = 0) -> Tensor:
        """(N, C, *space) as (N, C, places in the kernel, *windows), ``fill`` where padded."""
        return self.cut(self.grown(x, fill))

    def grown(self, x: Tensor, fill: Any) -> Tensor:
        """``x`` with its padding, which holds ``fill``."""
        grown = _padded(x, self.sides, self.after)
        if fill and grown is not x:
            xp = backend.MODULES[type(x.array)]
            inside = _padded(wrap(xp.ones((1, 1, *self.sizes), bool)), self.sides, self.after)
            grown = where(inside, grown, fill)
        return grown

    def cut(self, grown: Tensor) -> Tensor:
        """The windows of what is padded already."""
        windows = conv.unfold(grown, kernel=self.kernel, stride=self.stride, dilation=self.dilation)
        return reshape(windows, (*grown.array.shape[:2], math.prod(self.kernel), *self.counts))


def _max_pool(
    n: int, input: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    return_indices: bool,
) -> Any:  # fmt: skip
    at = _Windows(f"max_pool{n}d", input, n, kernel, stride, padding, dilation, ceil_mode)
    single, dtype = input.array.ndim == n + 1, input.array.dtype
    lowest = -math.inf if dtype.kind == "f" else -(2 ** (8 * dtype.itemsize - 1))
    grown = at.grown(sh.unsqueeze_dims(input, dim=(0,)) if single else input, lowest)
    window = {"kernel": at.kernel, "stride": at.stride, "dilation": at.dilation}
    found = [conv.max_in_window(grown, **window)]
    if return_indices:
        best = conv.best_in_window(grown, **window)
        xp = backend.MODULES[type(input.array)]
        places = at.grown(wrap(xp.arange(math.prod(at.sizes)).reshape(1, 1, *at.sizes)), 0)
        everywhere = sh.expand(places, shape=grown.array.shape)
        found.append(conv.pick_in_window(everywhere, best, **window))
    if single:
        found = [sh.squeeze_dims(x, dim=(0,)) for x in found]
    return tuple(found) if return_indices else found[0]


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of each window of (N, C, L); on demand also where it was."""
    options = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return _max_pool(1, input, *options)


def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of each window of (N, C, H, W); of equal ones the first has the gradient.

    ``ceil_mode`` adds windows that reach over the end. ``return_indices`` also gives where each
    value was, counted over H * W.
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return _max_pool(2, input, *options)


def _avg_pool(
    n: int, input: Tensor, kernel: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor: int | None,
) -> Tensor:  # fmt: skip
    at = _Windows(f"avg_pool{n}d", input, n, kernel, stride, padding, 1, ceil_mode)
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    xp = backend.MODULES[type(input.array)]
    if count_include_pad:  # the padding counts, what ceil_mode adds does not
        shape = [s + 2 * p for s, p in zip(at.sizes, at.sides, strict=True)]
        extra = tuple(a - p for a, p in zip(at.after, at.sides, strict=True))
        ones = at.cut(_padded(wrap(xp.ones((1, 1, *shape), int)), (0,) * n, extra))
    else:
        ones = at.of(wrap(xp.ones((1, 1, *at.sizes), int)))
    share: Any = sum(ones, 2) if divisor is None else divisor

    @wide_inside
    def work(x: Tensor) -> Tensor:
        return cast(ew.div(sum(at.of(x), 2), share), x.array.dtype)

    return _batched(input, n, work)


def avg_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, L), zeros of the padding counted in or not."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, H, W), zeros of the padding counted in or not.

    ``ceil_mode`` adds windows that reach over the end. ``divisor_override`` takes the place of the
    number of values.
    """
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _avg_pool(2, input, *options)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means over (H, W) cut into ``output_size`` parts, as even as can be; None keeps a size."""
    _check_input("adaptive_avg_pool2d", input, 2)
    if input.array.dtype.kind != "f":
        raise RuntimeError("adaptive_avg_pool2d(): input dtype must be a floating point dtype")
    xp, sizes = backend.MODULES[type(input.array)], input.array.shape[-2:]
    wanted = (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
    whole = tuple(s if w is None else w for s, w in zip(sizes, wanted, strict=True))
    rows, columns = (
        wrap(xp.asarray(_shares(size, parts), dtype=input.array.dtype))
        for size, parts in zip(sizes, _each("output_size", whole, 2, 0), strict=True)
    )
    return matmul(matmul(rows, input), sh.mT(columns))


def _shares(size: int, parts: int) -> list[list[float]]:
    """For each part, the weight with which each of ``size`` places goes into its mean."""
    ends = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    return [[(a <= p < b) / (b - a) for p in range(size)] for a, b in ends]


# -- windows as columns ----------------------------------------------------------------------------


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The windows of (N, C, H, W) as columns: (N, C * kh * kw, windows)."""
    _check_input("unfold", input, 2)
    kernel, steps = _each("kernel_size", kernel_size, 2), _each("stride", stride, 2)
    sides, spread = _each("padding", padding, 2, 0), _each("dilation", dilation, 2)

    def work(x: Tensor) -> Tensor:
        x = _padded(x, sides, sides)
        samples, channels, *sizes = x.array.shape
        counts = conv.count_windows(tuple(sizes), kernel, steps, spread)
        _check_fit(sizes, kernel, counts)
        windows = conv.unfold(x, kernel=kernel, stride=steps, dilation=spread)
        return reshape(windows, (samples, channels * math.prod(kernel), math.prod(counts)))

    return _batched(input, 2, work)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of ``unfold``: columns (N, C * kh * kw, windows) added up to (N, C, H, W)."""
    _check_input("fold", input, 1)
    size, kernel = _each("output_size", output_size, 2), _each("kernel_size", kernel_size, 2)
    sides, spread = _each("padding", padding, 2, 0), _each("dilation", dilation, 2)
    steps = _each("stride", stride, 2)
    full = tuple(n + 2 * p for n, p in zip(size, sides, strict=True))
    counts = conv.count_windows(full, kernel, steps, spread)
    rows, columns = input.array.shape[-2:]
    if rows % math.prod(kernel) or columns != math.prod(counts) or min(counts) < 1:
        raise RuntimeError(
            f"fold: {list(input.array.shape)} does not hold windows of {list(kernel)}, of which "
            f"{list(size)} has {list(counts)}"
        )

    def work(x: Tensor) -> Tensor:
        channels = rows // math.prod(kernel)
        windows = reshape(x, (x.array.shape[0], channels, *kernel, *counts))
        grown = conv.fold(windows, size=full, kernel=kernel, stride=steps, dilation=spread)
        return sh.crop(grown, before=(0, 0, *sides), shape=(x.array.shape[0], channels, *size))

    return _batched(input, 1, work)
