"""Convolution and pooling: strided windows and a matrix product, in PyTorch's signatures.

Inputs are (N, C, L) for 1-d functions and (N, C, H, W) for 2-d ones; without N they are taken as
one sample. A number stands for the same number along each dimension of space.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import backend
from .core import Tensor, wrap
from .functions import reshape, where
from .ops import conv, reduce
from .ops import elementwise as ew
from .ops import index as ix
from .ops import shape as sh
from .ops.linalg import matmul


def _each(name: str, value: Any, n: int) -> tuple[int, ...]:
    """``value`` along each of ``n`` dimensions. Raises RuntimeError for another number of them."""
    values = (value,) * n if isinstance(value, int) else tuple(value)
    if len(values) == 1:
        values *= n
    if len(values) != n:
        raise RuntimeError(
            f"expected {name} to be a single integer or {n} of them, but got {value}"
        )
    return values


def _padded(x: Tensor, padding: tuple[int, ...]) -> Tensor:
    before = (0, 0, *padding)
    return sh.pad_zero(x, before=before, after=before) if any(padding) else x


def _check(name: str, x: Tensor, weight: Tensor, channels: int) -> None:
    wanted = weight.array.ndim
    if x.array.ndim not in (wanted, wanted - 1):
        raise RuntimeError(
            f"Expected {wanted - 1}D (unbatched) or {wanted}D (batched) input to {name}, but got "
            f"input of size: {list(x.array.shape)}"
        )
    got = x.array.shape[1 - wanted]
    if got != channels:
        raise RuntimeError(
            f"Given weight of size {list(weight.array.shape)}, expected input"
            f"{list(x.array.shape)} to have {channels} channels, but got {got} channels instead"
        )


def _batched(x: Tensor, ndim: int, work: Callable[[Tensor], Tensor]) -> Tensor:
    """Do ``work`` on a batch; one sample is a batch of one."""
    if x.array.ndim == ndim:
        return work(x)
    return sh.squeeze_dims(work(sh.unsqueeze_dims(x, dim=(0,))), dim=(0,))


def _bias(out: Tensor, bias: Tensor | None) -> Tensor:
    if bias is None:
        return out
    return ew.add(out, reshape(bias, (-1, *[1] * (out.array.ndim - 2))))


def _conv(
    name: str, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    n = weight.array.ndim - 2
    _check(name, input, weight, weight.array.shape[1] * groups)
    kernel = weight.array.shape[2:]
    steps, spread = _each("stride", stride, n), _each("dilation", dilation, n)
    if padding == "same":
        padding = [d * (k - 1) // 2 for k, d in zip(kernel, spread, strict=True)]
    sides = _each("padding", 0 if padding == "valid" else padding, n)

    def work(x: Tensor) -> Tensor:
        x = _padded(x, sides)
        counts = conv.count_windows(x.array.shape[2:], kernel, steps, spread)
        if min(counts) < 1:
            raise RuntimeError(
                f"Calculated padded input size per channel: {x.array.shape[2:]}. Kernel size: "
                f"{kernel}. Kernel size can't be greater than actual input size"
            )
        windows = conv.unfold(x, kernel=kernel, stride=steps, dilation=spread)
        samples, out_channels = x.array.shape[0], weight.array.shape[0]
        depth = math.prod(weight.array.shape[1:])
        columns = reshape(windows, (samples, groups, depth, math.prod(counts)))
        rows = reshape(weight, (groups, out_channels // groups, depth))
        return _bias(reshape(matmul(rows, columns), (samples, out_channels, *counts)), bias)

    return _batched(input, n + 2, work)


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Correlate (N, C, L) with (O, C / groups, k): (N, O, windows)."""
    return _conv("conv1d", input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Correlate (N, C, H, W) with (O, C / groups, kh, kw): (N, O, windows, windows).

    Raises RuntimeError for channels that do not fit, or a kernel larger than the padded input.
    """
    return _conv("conv2d", input, weight, bias, stride, padding, dilation, groups)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of ``conv2d``: (N, C, H, W) with a weight (C, O / groups, kh, kw)."""
    _check("conv_transpose2d", input, weight, weight.array.shape[0])
    kernel, steps = weight.array.shape[2:], _each("stride", stride, 2)
    sides, spread = _each("padding", padding, 2), _each("dilation", dilation, 2)
    extra = _each("output_padding", output_padding, 2)

    def work(x: Tensor) -> Tensor:
        samples, channels, *space = x.array.shape
        full = tuple(
            (n - 1) * s + d * (k - 1) + 1 + e
            for n, s, d, k, e in zip(space, steps, spread, kernel, extra, strict=True)
        )
        out_channels = weight.array.shape[1] * groups
        rows = reshape(weight, (groups, channels // groups, -1))
        values = reshape(x, (samples, groups, channels // groups, -1))
        windows = reshape(matmul(sh.mT(rows), values), (samples, out_channels, *kernel, *space))
        grown = conv.fold(windows, size=full, kernel=kernel, stride=steps, dilation=spread)
        size = tuple(n - 2 * p for n, p in zip(full, sides, strict=True))
        cut = sh.crop(grown, before=(0, 0, *sides), shape=(samples, out_channels, *size))
        return _bias(cut, bias)

    return _batched(input, 4, work)


def _pooled(input: Tensor, n: int, kernel: Any, stride: Any, dilation: Any, fold: Any) -> Tensor:
    """Fold the windows of each channel into one value each, by ``fold`` over dimension 2."""
    sizes = _each("kernel_size", kernel, n)
    steps = sizes if stride is None else _each("stride", stride, n)
    spread = _each("dilation", dilation, n)
    windows = conv.unfold(input, kernel=sizes, stride=steps, dilation=spread)
    shape = windows.array.shape
    counts = shape[2 + n :]
    return fold(reshape(windows, (*shape[:2], math.prod(sizes), *counts)))


def _max(windows: Tensor) -> Tensor:
    """The largest of each window; of equal ones the first takes the gradient."""
    best = sh.unsqueeze_dims(reduce.argmax(windows, dim=2), dim=(2,))
    return sh.squeeze_dims(ix.gather(windows, best, dim=2), dim=(2,))


def _max_pool(n: int, input: Tensor, kernel: Any, stride: Any, padding: Any, spread: Any) -> Tensor:
    sides = _each("padding", padding, n)

    def work(x: Tensor) -> Tensor:
        if any(sides):
            xp = backend.MODULES[type(x.array)]
            inside = _padded(wrap(xp.ones(x.array.shape, bool)), sides)
            x = where(inside, _padded(x, sides), -math.inf)
        return _pooled(x, n, kernel, stride, spread, _max)

    return _batched(input, n + 2, work)


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> Tensor:
    """The largest value of each window of (N, C, L)."""
    return _max_pool(1, input, kernel_size, stride, padding, dilation)


def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> Tensor:
    """The largest value of each window of (N, C, H, W)."""
    return _max_pool(2, input, kernel_size, stride, padding, dilation)


def _avg_pool(n: int, input: Tensor, kernel: Any, stride: Any, padding: Any) -> Tensor:
    def fold(windows: Tensor) -> Tensor:
        return reduce.mean(windows, dim=(2,), keepdim=False)

    def work(x: Tensor) -> Tensor:
        return _pooled(_padded(x, _each("padding", padding, n)), n, kernel, stride, 1, fold)

    return _batched(input, n + 2, work)


def avg_pool1d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """The mean of each window of (N, C, L), zeros of the padding counted in."""
    return _avg_pool(1, input, kernel_size, stride, padding)


def avg_pool2d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """The mean of each window of (N, C, H, W), zeros of the padding counted in."""
    return _avg_pool(2, input, kernel_size, stride, padding)
