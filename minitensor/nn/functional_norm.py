"""Normalisation: values moved and scaled to mean 0 and variance 1, then scaled and moved again.

They differ in what the mean is taken over: the batch, each sample's features, or groups of these.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import functions, inplace
from ..core import Tensor
from ..functions import reshape
from ..ops import elementwise as ew
from ..ops import reduce
from .functional_activations import constant, floats

Sizes = tuple[int, ...]


def _normal(x: Any, dims: Sizes, eps: float) -> Any:
    """``x`` less its mean over ``dims``, divided by the standard deviation."""
    away = x - reduce.mean(x, dim=dims, keepdim=True)
    return away * ew.rsqrt(reduce.mean(ew.square(away), dim=dims, keepdim=True) + eps)


def _affine(x: Any, weight: Tensor | None, bias: Tensor | None, shape: Sizes) -> Any:
    """``x * weight + bias``, both in ``shape``; each may be missing."""
    out = x if weight is None else x * reshape(weight, shape)
    return out if bias is None else out + reshape(bias, shape)


def _per_channel(x: Tensor) -> Sizes:
    """The shape in which one value for each channel (dimension 1) broadcasts."""
    return (-1, *[1] * (x.array.ndim - 2))


def _check_sizes(channels: int, **vectors: Tensor | None) -> None:
    """Raise RuntimeError for a vector that does not hold one value for each channel."""
    for name, x in vectors.items():
        if x is not None and x.array.shape != (channels,):
            raise RuntimeError(
                f"{name} should contain {channels} elements not {list(x.array.shape)}"
            )


# -- over the batch --------------------------------------------------------------------------------


def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None,
    weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of (N, C, ...) normalised over the batch (Ioffe and Szegedy, 2015).

    With ``training`` mean and variance are the batch's, and the running ones, if given, move
    towards them by the share ``momentum``; without it the running ones are used. Raises ValueError
    for one value a channel in training, RuntimeError for sizes that do not fit.
    """
    x, shape = floats("batch_norm", input), input.array.shape
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm expects at least 2 dimensions, got {list(shape)}")
    running = {"running_mean": running_mean, "running_var": running_var}
    _check_sizes(shape[1], **running, weight=weight, bias=bias)
    if training:
        _check_values("batch_norm", shape[0] * math.prod(shape[2:]), shape)
        dims = (0, *range(2, len(shape)))
        _follow(x, dims, running_mean, running_var, momentum)
        out = _normal(x, dims, eps)
    else:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined")
        wide = _per_channel(x)
        out = (x - reshape(running_mean, wide)) * reshape(ew.rsqrt(ew.add(running_var, eps)), wide)
    return _affine(out, weight, bias, _per_channel(x))


def _check_values(name: str, count: int, shape: Sizes) -> None:
    if count == 1:
        raise ValueError(
            f"{name}: Expected more than 1 value per channel when training, got input size "
            f"{list(shape)}"
        )


def _follow(x: Any, dims: Sizes, mean: Any, var: Any, momentum: float) -> None:
    """Move running mean and (unbiased) variance towards those of ``x``, outside the graph."""
    values = constant(x)
    found: Any = ((mean, functions.mean(values, dims)), (var, functions.var(values, dims)))
    for running, new in found:
        if running is not None:
            moved = (1 - momentum) * constant(running) + momentum * new
            inplace.assign(running, moved, "batch_norm")


# -- over features ---------------------------------------------------------------------------------


def _feature_dims(name: str, x: Tensor, normalized_shape: Any, **vectors: Any) -> Sizes:
    """The last dimensions, as many as ``normalized_shape`` has; checked."""
    sizes, shape = functions.as_sizes((normalized_shape,)), x.array.shape
    if not sizes:
        raise RuntimeError("Expected normalized_shape to be at least 1-dimensional")
    for which, v in vectors.items():
        if v is not None and v.array.shape != sizes:
            raise RuntimeError(
                f"Expected {which} to be of same shape as normalized_shape, but got {which} of "
                f"shape {list(v.array.shape)} and normalized_shape = {list(sizes)}"
            )
    if shape[-len(sizes) :] != sizes:
        raise RuntimeError(
            f"{name}: Given normalized_shape={list(sizes)}, expected input with shape [*, "
            f"{', '.join(map(str, sizes))}], but got input of size{list(shape)}"
        )
    return tuple(range(len(shape) - len(sizes), len(shape)))


def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each sample normalised over its last dimensions (Ba et al., 2016).

    ``normalized_shape`` says how large these are; ``weight`` and ``bias`` have that shape. Raises
    RuntimeError where they do not fit.
    """
    x = floats("layer_norm", input)
    dims = _feature_dims("layer_norm", x, normalized_shape, weight=weight, bias=bias)
    return _layer_norm(x, dims, weight, bias, eps)


def _layer_norm(x: Any, dims: Sizes, weight: Any, bias: Any, eps: float) -> Any:
    return _affine(_normal(x, dims, eps), weight, bias, x.array.shape[dims[0] :])


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Each sample divided by its root mean square over the last dimensions.

    ``eps`` is the dtype's own by default. Raises RuntimeError for shapes that do not fit.
    """
    x = floats("rms_norm", input)
    dims = _feature_dims("rms_norm", x, normalized_shape, weight=weight)
    least = float(np.finfo(x.array.dtype).eps) if eps is None else eps
    size = reduce.mean(ew.square(x), dim=dims, keepdim=True)
    return _affine(x * ew.rsqrt(size + least), weight, None, x.array.shape[dims[0] :])
