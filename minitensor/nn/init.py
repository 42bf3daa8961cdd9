"""Where parameters start: PyTorch's ``nn.init``, with its numbers for the same seed.

Every function changes its tensor in place, outside the graph, and returns it. Those that draw take
a ``generator``; by default it is the package's own.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .. import backend, creation, inplace, random
from ..autograd import no_grad
from ..core import Tensor
from ..functions import where
from ..ops import elementwise as ew

GAINS = {
    **dict.fromkeys("linear conv1d conv2d conv3d sigmoid".split(), 1.0),
    **dict.fromkeys("conv_transpose1d conv_transpose2d conv_transpose3d".split(), 1.0),
    "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
}  # fmt: skip


# -- sizes -----------------------------------------------------------------------------------------


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much to scale weights before this nonlinearity, so that values keep their size.

    ``param`` is the slope of "leaky_relu". Raises ValueError for a name that is not known.
    """
    if nonlinearity == "leaky_relu":
        if isinstance(param, bool) or not isinstance(param, int | float | None):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return GAINS[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many values go into each output, and how many outputs each input goes into.

    Raises ValueError for fewer than 2 dimensions.
    """
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _check_ndim(tensor: Tensor, *allowed: int) -> None:
    if tensor.array.ndim not in allowed:
        listed = " or ".join(map(str, allowed))
        raise ValueError(f"Only tensors with {listed} dimensions are supported")


# -- given values ----------------------------------------------------------------------------------


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with ``val``."""
    return inplace.assign(tensor, creation.full_like(tensor, val), "fill_")


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix. Raises ValueError unless the tensor is a matrix."""
    _check_ndim(tensor, 2)
    place = {"dtype": tensor.array.dtype, "device": backend.device_of(tensor.array)}
    return inplace.assign(tensor, creation.eye(*tensor.array.shape, **place), "eye_")


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's weight (O, C / groups, ...) that hands its input on, in each group.

    Raises ValueError unless there are 1 to 3 dimensions of space and ``groups`` divides O.
    """
    _check_ndim(tensor, 3, 4, 5)
    rows, channels, *space = tensor.array.shape
    if rows % groups:
        raise ValueError("dim 0 must be divisible by groups")
    zeros_(tensor)
    weight: Any = tensor
    for row in range(rows):
        channel = row % (rows // groups)
        if channel < channels:
            weight[(row, channel, *[n // 2 for n in space])] = 1
    return tensor


# -- random values ---------------------------------------------------------------------------------


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers spread evenly over [a, b)."""
    return random.uniform_(tensor, a, b, generator=generator)


@no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None
) -> Tensor:  # fmt: skip
    """Fill with normal numbers. Raises RuntimeError for a negative ``std``."""
    return random.normal_(tensor, mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Any = None,
) -> Tensor:  # fmt: skip
    """Fill with normal numbers of which those outside [a, b] are drawn anew."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect.",
            stacklevel=3,
        )
    below_b, below_a = (math.erf((x - mean) / std / math.sqrt(2)) for x in (b, a))
    draw = _redrawn if (below_b - below_a) / 2 > 0.3 else _accepted
    return inplace.assign(tensor, draw(tensor, mean, std, a, b, generator), "trunc_normal_")


def _redrawn(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> Any:
    """Normal numbers, until all lie within the bounds: most do."""
    low, high = (float(tensor.array.dtype.type(x)) for x in (a, b))
    result = creation.empty_like(tensor)
    pending = creation.ones_like(tensor, dtype=bool)
    while bool(pending.array.any()):
        fresh = random.normal_(creation.empty_like(tensor), mean, std, generator=generator)
        result = where(pending, fresh, result)
        pending = ew.logical_or(ew.lt(result, low), ew.gt(result, high))
    return result


def _accepted(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> Any:
    """Even numbers, each accepted as often as the density there is high: bounds far out."""
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    result = creation.empty_like(tensor)
    pending = creation.ones_like(tensor, dtype=bool)
    while bool(pending.array.any()):
        fresh: Any = random.uniform_(creation.empty_like(tensor), a, b, generator=generator)
        result = where(pending, fresh, result)
        density = ew.square((fresh - mean) / std) * -0.5 - peak
        dice = ew.log(random.uniform_(creation.empty_like(tensor), generator=generator))
        pending = ew.logical_and(pending, ew.gt(dice, density))
    return result


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Even numbers of variance ``gain**2 * 2 / (fan in + fan out)`` (Glorot and Bengio, 2010)."""
    bound = math.sqrt(3) * gain * math.sqrt(2 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal numbers of variance ``gain**2 * 2 / (fan in + fan out)`` (Glorot and Bengio, 2010)."""
    return normal_(tensor, 0, gain * math.sqrt(2 / sum(fans(tensor))), generator)


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """The standard deviation that keeps the size of values, or of gradients, from layer to layer.

    None, with a warning, for a tensor of no elements.
    """
    if 0 in tensor.array.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fans(tensor)[mode.lower() == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:  # fmt: skip
    """Even numbers of variance ``gain**2 / fan`` (He et al., 2015); ``a`` is leaky_relu's slope."""
    std = _kaiming(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    return uniform_(tensor, -math.sqrt(3) * std, math.sqrt(3) * std, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:  # fmt: skip
    """Normal numbers of variance ``gain**2 / fan`` (He et al., 2015)."""
    std = _kaiming(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0, std, generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A random orthogonal matrix times ``gain`` (Saxe et al., 2013); dimensions after 1 are folded.

    Raises ValueError for fewer than 2 dimensions.
    """
    if tensor.array.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.array.size:
        return tensor
    rows = tensor.array.shape[0]
    drawn = creation.empty(rows, tensor.array.size // rows, dtype=tensor.array.dtype, device="cpu")
    random.normal_(drawn, generator=generator)
    wide = rows < drawn.array.shape[1]
    q, r = np.linalg.qr(drawn.array.T if wide else drawn.array)  # on the host, as all that is drawn
    q = q * np.sign(np.diagonal(r))  # else Q would not be spread evenly (Mezzadri, 2007)
    values = (q.T if wide else q).reshape(tensor.array.shape) * gain
    new = creation.tensor(values, device=backend.device_of(tensor.array), dtype=values.dtype)
    return inplace.assign(tensor, new, "orthogonal_")


@no_grad()
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None
) -> Tensor:  # fmt: skip
    """Normal numbers, the share ``sparsity`` of each column set to 0 (Martens, 2010).

    Raises ValueError unless the tensor is a matrix. As in PyTorch, ``generator`` draws the numbers
    and the default one the places.
    """
    _check_ndim(tensor, 2)
    rows, columns = tensor.array.shape
    zeros = math.ceil(sparsity * rows)
    random.normal_(tensor, 0, std, generator=generator)
    weight: Any = tensor
    for column in range(columns):
        order: Any = random.randperm(rows, device=backend.device_of(tensor.array))
        weight[order[:zeros], column] = 0
    return tensor
