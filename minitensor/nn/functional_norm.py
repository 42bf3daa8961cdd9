"""Normalisation: values moved and scaled to mean 0 and variance 1, then scaled and moved again.

They differ in what the mean is taken over: the batch, each sample's features, or groups of these.
Sizes that do not fit raise RuntimeError.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import functions, inplace
from ..core import Tensor
from ..functions import reshape
from ..functions_math import clamp_min, norm
from ..ops import elementwise as ew
from ..ops import fused, reduce
from .functional_activations import constant, floats

Sizes = tuple[int, ...]


def _normal(x: Any, dims: Sizes, eps: float) -> Any:
    """``x`` less its mean over ``dims``, divided by the standard deviation."""
    return fused.standardize(x, dim=dims, eps=eps)


def _affine(x: Any, weight: Tensor | None, bias: Tensor | None, shape: Sizes) -> Any:
    """``x * weight + bias``, both of one value for each place of ``shape``; each may be missing."""
    if weight is not None and bias is not None:
        return fused.scale_shift(x, reshape(weight, shape), reshape(bias, shape))
    out = x if weight is None else x * reshape(weight, shape)
    return out if bias is None else out + reshape(bias, shape)


def _per_channel(shape: Sizes) -> Sizes:
    """The shape in which one value for each channel (dimension 1) broadcasts."""
    return (shape[1], *[1] * (len(shape) - 2))


def _check_channels(name: str, x: Any, count: int) -> None:
    """Raise for an input without channels, or with a single value where many are needed."""
    if x.array.ndim < 2:
        raise RuntimeError(f"{name}: expected at least 2 dimensions, got {x.array.ndim}")
    if count == 1:
        raise ValueError(
            f"{name}: Expected more than 1 value per channel when training, got input size "
            f"{list(x.array.shape)}"
        )


# -- over the batch --------------------------------------------------------------------------------


def batch_norm(
    input: Tensor, running_mean: Any, running_var: Any,
    weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of (N, C, ...) normalised over the batch (Ioffe and Szegedy, 2015).

    With ``training`` mean and variance are the batch's, and the running ones, if given, move
    towards them by the share ``momentum``; without it the running ones are used. Raises ValueError
    for one value a channel in training.
    """
    x, shape = floats("batch_norm", input), input.array.shape
    count = math.prod(shape) // (shape[functions.one_dim(1, len(shape))] or 1)
    _check_channels("batch_norm", x, count if training else 0)
    wide = _per_channel(shape)
    if training:
        dims = (0, *range(2, len(shape)))
        _follow(x, dims, running_mean, running_var, momentum)
        return _affine(_normal(x, dims, eps), weight, bias, wide)
    if running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined")
    slope = reshape(ew.rsqrt(ew.add(running_var, eps)), wide)
    return _affine((x - reshape(running_mean, wide)) * slope, weight, bias, wide)


def _follow(x: Any, dims: Sizes, mean: Any, var: Any, momentum: float) -> None:
    """Move running mean and (unbiased) variance towards those of ``x``, outside the graph."""
    values = constant(x)
    found: Any = ((mean, functions.mean(values, dims)), (var, functions.var(values, dims)))
    for running, new in found:
        if running is not None:
            moved = (1 - momentum) * constant(running) + momentum * new
            inplace.assign(running, moved, "batch_norm")


def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of each sample of (N, C, ...) normalised by itself (Ulyanov et al., 2016).

    Without ``use_input_stats`` the running mean and variance are used. Raises ValueError for one
    value a channel.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    x, shape = floats("instance_norm", input), input.array.shape
    _check_channels("instance_norm", x, math.prod(shape[2:]))
    dims = tuple(range(2, len(shape)))
    for running, stat in ((running_mean, functions.mean), (running_var, functions.var)):
        if running is not None:  # the mean over the batch of what each sample has
            new: Any = functions.mean(stat(constant(x), dims), 0)
            moved = (1 - momentum) * constant(running) + momentum * new
            inplace.assign(running, moved, "instance_norm")
    return _affine(_normal(x, dims, eps), weight, bias, _per_channel(shape))


# -- over features ---------------------------------------------------------------------------------


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Groups of channels of (N, C, ...), normalised for each sample (Wu and He, 2018).

    Raises RuntimeError unless ``num_groups`` divides C.
    """
    x, shape = floats("group_norm", input), input.array.shape
    _check_channels("group_norm", x, 0)
    if num_groups < 1 or shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(shape)} and num_groups={num_groups}"
        )
    groups = reshape(x, (shape[0], num_groups, math.prod(shape[1:]) // num_groups))
    _check_channels("group_norm", x, groups.array.shape[-1] * shape[0])
    out = reshape(_normal(groups, (2,), eps), shape)
    return _affine(out, weight, bias, _per_channel(shape))


def _feature_dims(name: str, x: Tensor, normalized_shape: Any) -> tuple[Sizes, Sizes]:
    """The last dimensions, as many as ``normalized_shape`` has, and their sizes; checked."""
    sizes, shape = functions.as_sizes((normalized_shape,)), x.array.shape
    if not sizes or shape[-len(sizes) :] != sizes:
        raise RuntimeError(
            f"{name}: Given normalized_shape={list(sizes)}, expected input with shape "
            f"{['*', *sizes]}, but got input of size{list(shape)}"
        )
    return tuple(range(len(shape) - len(sizes), len(shape))), sizes


def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each sample normalised over its last dimensions (Ba et al., 2016).

    ``normalized_shape`` says how large these are; ``weight`` and ``bias`` have that shape.
    """
    x = floats("layer_norm", input)
    dims, sizes = _feature_dims("layer_norm", x, normalized_shape)
    return _affine(_normal(x, dims, eps), weight, bias, sizes)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Each sample divided by its root mean square over the last dimensions.

    ``eps`` is the dtype's own by default (Zhang and Sennrich, 2019).
    """
    x = floats("rms_norm", input)
    dims, sizes = _feature_dims("rms_norm", x, normalized_shape)
    least = float(np.finfo(x.array.dtype).eps) if eps is None else eps
    size = reduce.mean(ew.square(x), dim=dims, keepdim=True)
    return _affine(x * ew.rsqrt(size + least), weight, None, sizes)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Vectors along ``dim`` divided by their p-norm, which counts as at least ``eps``."""
    return ew.div(input, clamp_min(norm(input, p, dim, True), eps))
