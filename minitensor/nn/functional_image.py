"""Images and their like: other sizes, pixels into channels and back, pools of given output size.

Inputs are (N, C, L) or (N, C, H, W).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, creation, functions
from .. import functions_conv as conv
from ..core import Tensor
from ..functions import matmul, permute, reshape, where
from ..functions_index import index_select
from ..ops import elementwise as ew
from ..ops import index as ix
from ..ops import reduce
from ..ops import shape as sh
from .functional_activations import floats

Rule = Callable[[float, int], list[tuple[int, float]]]  # where, of how many: places and weights

# -- pixels and channels ---------------------------------------------------------------------------


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels into pixels: (..., C * r * r, H, W) to (..., C, H * r, W * r).

    Raises RuntimeError unless r * r divides the channels.
    """
    *batch, channels, h, w = _image("pixel_shuffle", input)
    r = upscale_factor
    if r < 1 or channels % r**2:
        raise RuntimeError(f"pixel_shuffle: {channels} channels are not divisible by {r} squared")
    x, n = reshape(input, (*batch, channels // r**2, r, r, h, w)), len(batch)
    turned = permute(x, (*range(n + 1), n + 3, n + 1, n + 4, n + 2))
    return reshape(turned, (*batch, channels // r**2, h * r, w * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of ``pixel_shuffle``: (..., C, H * r, W * r) to (..., C * r * r, H, W).

    Raises RuntimeError unless r divides height and width.
    """
    *batch, channels, h, w = _image("pixel_unshuffle", input)
    r = downscale_factor
    if r < 1 or h % r or w % r:
        raise RuntimeError(f"pixel_unshuffle: {h} x {w} is not divisible by {r}")
    x, n = reshape(input, (*batch, channels, h // r, r, w // r, r)), len(batch)
    turned = permute(x, (*range(n + 1), n + 2, n + 4, n + 1, n + 3))
    return reshape(turned, (*batch, channels * r**2, h // r, w // r))


def _image(name: str, x: Tensor) -> tuple[int, ...]:
    if x.array.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, not {x.array.ndim}"
        )
    return x.array.shape


# -- other sizes -----------------------------------------------------------------------------------


def _between(at: float, size: int) -> list[tuple[int, float]]:
    """The two places beside ``at``, each by how near it is."""
    left = min(int(max(at, 0)), size - 1)
    share = max(at, 0) - left
    return [(left, 1 - share), (min(left + 1, size - 1), share)]


def _cubic(at: float, size: int) -> list[tuple[int, float]]:
    """Four places by cubic convolution with a = -3/4 (Keys, 1981); over the end, the last."""
    left, a = math.floor(at), -0.75
    taps = []
    for place in range(left - 1, left + 3):
        d = abs(at - place)
        near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((d - 5) * d + 8) * a * d - 4 * a
        taps.append((min(max(place, 0), size - 1), near if d <= 1 else far))
    return taps


RULES: dict[tuple[str, int], Rule] = {  # by mode and the input's dimensions
    ("linear", 3): _between, ("bilinear", 4): _between, ("bicubic", 4): _cubic,
}  # fmt: skip
NEAREST = {"nearest": 0.0, "nearest-exact": 0.5}  # which point of a pixel is looked up


def interpolate(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:  # fmt: skip
    """(N, C, L) or (N, C, H, W) in another ``size``, or in this one times ``scale_factor``.

    ``mode`` is "nearest", "nearest-exact", "linear" (of L), "bilinear", "bicubic" (of H, W) or
    "area" (means). ``align_corners`` puts the first and last values on the ends; else a value is
    in the middle of its pixel. Raises ValueError, RuntimeError or NotImplementedError for what
    does not fit, and for ``antialias``.
    """
    sizes, ndim = input.array.shape[2:], input.array.ndim
    whole, steps = _sizes(sizes, size, scale_factor, recompute_scale_factor)
    free = mode in ("area", *NEAREST)
    if align_corners is not None and free:
        raise ValueError("align_corners option can only be set with the interpolating modes")
    if antialias or ndim not in (3, 4) or not (free or (mode, ndim) in RULES):
        raise NotImplementedError(f"interpolate: mode {mode} of a {ndim}-D input")
    if min(*whole, *sizes) < 1:
        raise RuntimeError(f"Input and output sizes should be greater than 0: {sizes}, {whole}")
    if mode == "area":
        return (adaptive_avg_pool1d if ndim == 3 else conv.adaptive_avg_pool2d)(input, whole)
    for d, (old, new, step) in enumerate(zip(sizes, whole, steps, strict=True), 2):
        if mode in NEAREST:
            input = index_select(input, d, _array(input, _looked_up(old, new, step, NEAREST[mode])))
        else:
            at = _positions(old, new, step, bool(align_corners))
            input = _mixed(input, d, [RULES[mode, ndim](x, old) for x in at])
    return input


def _sizes(sizes: Any, size: Any, scale: Any, recompute: Any) -> tuple[list[int], list[float]]:
    """The sizes wanted, and how many old pixels each new one takes. Raises ValueError."""
    if (size is None) == (scale is None):
        raise ValueError("interpolate: one of size or scale_factor should be defined, not both")
    given = size if scale is None else scale
    each = list(given) if isinstance(given, tuple | list) else [given] * len(sizes)
    if len(each) != len(sizes):
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(sizes)} and output size or scale_factor of {given}"
        )
    if scale is None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return each, [old / (new or 1) for old, new in zip(sizes, each, strict=True)]
    whole = [int(old * s) for old, s in zip(sizes, each, strict=True)]
    exact = [old / (new or 1) for old, new in zip(sizes, whole, strict=True)]
    return whole, exact if recompute else [1 / s for s in each]


def _looked_up(old: int, new: int, step: float, middle: float) -> list[int]:
    """Which old pixel each new one shows; in float32, since rounding decides, as in PyTorch."""
    wide, shift = np.float32(step), np.float32(middle)
    return [min(int((np.float32(i) + shift) * wide), old - 1) for i in range(new)]


def _positions(old: int, new: int, step: float, align_corners: bool) -> list[float]:
    """Where each new pixel lies among the old ones."""
    if align_corners:
        return [i * (old - 1) / max(new - 1, 1) for i in range(new)]
    return [(i + 0.5) * step - 0.5 for i in range(new)]


def _mixed(x: Tensor, dim: int, taps: Any) -> Tensor:
    """Each new pixel along ``dim``, one of the last two, as a weighted sum of old ones."""
    weights = [[0.0] * x.array.shape[dim] for _ in taps]
    for row, places in zip(weights, taps, strict=True):
        for place, weight in places:
            row[place] += weight
    mix = functions.cast(_array(floats("interpolate", x), weights), x.array.dtype)
    return matmul(mix, x) if dim == x.array.ndim - 2 else matmul(x, sh.mT(mix))


def _array(like: Tensor, values: Any) -> Tensor:
    """Numbers as a tensor on the device of ``like``."""
    return creation.tensor(values, device=backend.device_of(like.array))


# -- pools of given output size --------------------------------------------------------------------


def _as_image(pool: Callable[..., Any], input: Tensor, *args: Any) -> Any:
    """A pool of (H, W) on (C, L) or (N, C, L), which are images of one row."""
    if input.array.ndim not in (2, 3):
        raise RuntimeError(f"Expected 2 to 3 dimensions, but got {input.array.ndim}")
    found = pool(functions.unsqueeze(input, -2), *args)
    parts = found if isinstance(found, tuple) else (found,)
    rows = tuple(functions.squeeze(x, -2) for x in parts)
    return rows if isinstance(found, tuple) else rows[0]


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Means over L of (N, C, L), cut into ``output_size`` parts, as even as can be."""
    (size,) = output_size if isinstance(output_size, tuple | list) else (output_size,)
    return _as_image(conv.adaptive_avg_pool2d, input, (1, size))


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest values over L of (N, C, L), cut into parts; on demand also where they were."""
    (size,) = output_size if isinstance(output_size, tuple | list) else (output_size,)
    return _as_image(adaptive_max_pool2d, input, (1, size), return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest values over (H, W), cut into ``output_size`` parts; None keeps a size.

    ``return_indices`` also gives where each was, counted over H * W.
    """
    if input.array.ndim not in (3, 4):
        raise RuntimeError(f"Expected 3D or 4D tensor, but got {list(input.array.shape)}")
    *batch, height, width = input.array.shape
    pair = output_size if isinstance(output_size, tuple | list) else (output_size,) * 2
    rows, columns = (
        _parts(n, n if want is None else want)
        for n, want in zip((height, width), pair, strict=True)
    )
    # Of every part all places; a part that is smaller names its last place again.
    flat = [[r * width + c for r in part for c in other] for part in rows for other in columns]
    places = _array(input, flat)
    windows = ix.getitem(reshape(input, (*batch, -1)), index=(Ellipsis, places.array))
    best = sh.unsqueeze_dims(reduce.argmax(windows, dim=len(batch) + 1), dim=(len(batch) + 1,))
    shape = (*batch, len(rows), len(columns))
    values = reshape(ix.gather(windows, best, dim=len(batch) + 1), shape)
    if not return_indices:
        return values
    spread = sh.expand(places, shape=windows.array.shape)
    return values, reshape(ix.gather(spread, best, dim=len(batch) + 1), shape)


def _parts(size: int, parts: int) -> list[list[int]]:
    """The places of each part, equally many: the last is repeated."""
    ends = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    most = max((b - a for a, b in ends), default=0)
    return [[min(a + i, b - 1) for i in range(most)] for a, b in ends]


def _lp_pool(n: int, x: Tensor, p: float, kernel: Any, stride: Any, ceil_mode: bool) -> Any:
    average = conv.avg_pool1d if n == 1 else conv.avg_pool2d
    largest = conv.max_pool1d if n == 1 else conv.max_pool2d
    if math.isinf(p):
        sign = 1 if p > 0 else -1
        return sign * largest(ew.mul(ew.abs_(x), sign), kernel, stride, ceil_mode=ceil_mode)
    size = math.prod(kernel) if isinstance(kernel, tuple | list) else kernel**n
    total = ew.mul(average(functions.pow(x, p), kernel, stride, 0, ceil_mode), size)
    zero = ew.eq(total, 0)  # a root has no slope at 0: take it elsewhere
    return where(zero, 0, functions.pow(where(zero, 1, total), 1 / p))


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The root of order ``norm_type`` of the sum of powers of each window of (N, C, L)."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """The root of order ``norm_type`` of the sum of powers of each window of (N, C, H, W)."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)
