"""Activations: functions of each element, gates, softmax, and dropout.

``inplace=True`` writes the result into ``input`` and returns it. Integers raise
NotImplementedError where PyTorch refuses them.
"""

from __future__ import annotations

import warnings
from typing import Any

from .. import backend, creation, functions, functions_index, random
from .. import inplace as writes
from ..core import Tensor, refusal, wrap
from ..functions import where
from ..functions_shape import chunk
from ..ops import elementwise as ew
from ..ops import fused
from ..ops import shape as sh

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


# -- what they share -------------------------------------------------------------------------------


def floats(name: str, x: Any, changed: bool = False) -> Any:
    """``x``, checked to hold floats; a copy of it where ``x`` itself is about to be changed."""
    if not isinstance(x, Tensor):
        raise refusal(name, "input", x)
    if x.array.dtype.kind != "f":
        kind = backend.DTYPES[x.array.dtype].name
        raise NotImplementedError(f'"{name}" not implemented for {kind}')
    return sh.clone(x) if changed else x


def done(input: Tensor, result: Tensor, changed: bool, by: str) -> Tensor:
    """``result``, or ``input`` with the result written into it."""
    return writes.assign(input, result, by) if changed else result


def constant(x: Tensor) -> Any:
    """The values of ``x`` without its history."""
    return wrap(x.array)


def bounded(x: Any, low: float, high: float) -> Any:
    """``x`` between two bounds; at the bounds themselves the slope is 0, as in PyTorch."""
    inside = ew.logical_and(x > low, x < high)
    return where(inside, x, constant(functions.clamp(x, low, high)))


# -- pieces of straight lines ----------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The larger of ``input`` and 0."""
    return done(input, ew.relu(input), inplace, "relu_")


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``input`` between 0 and 6."""
    return hardtanh(input, 0, 6, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """``input`` between ``min_val`` and ``max_val``. Raises ValueError where they are reversed."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.array.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for hardtanh")
    return done(input, bounded(input, min_val, max_val), inplace, "hardtanh_")


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``negative_slope * input``."""
    x = floats("leaky_relu", input, inplace)
    return done(input, where(x > 0, x, x * negative_slope), inplace, "leaky_relu_")


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``leaky_relu`` with learned slopes: one, or one for each channel (dimension 1).

    Raises RuntimeError for another number of slopes, or another dtype.
    """
    x, w = floats("prelu", input), weight.array
    if w.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, not {w.ndim}-D")
    channels = x.array.shape[1] if x.array.ndim > 1 else 1
    if w.size not in (1, channels) or (w.size != 1 and not x.array.ndim):
        raise RuntimeError(
            f"Mismatch of parameter numbers and input channel size: {w.size} and {channels}"
        )
    if w.dtype != x.array.dtype:
        raise RuntimeError("prelu: Type promoting not supported: input and weight differ")
    shape = (-1, *[1] * (x.array.ndim - 2)) if x.array.ndim > 1 else (1,) * x.array.ndim
    return where(x > 0, x, x * functions.reshape(weight, shape))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``input`` where it is above ``threshold``, else ``value``."""
    return done(input, where(ew.gt(input, threshold), input, value), inplace, "threshold_")


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input`` moved towards 0 by ``lambd``, at most to 0. RuntimeError for a negative one."""
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    x = floats("softshrink", input)
    return x - functions.clamp(x, -lambd, lambd)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input``, but 0 between -``lambd`` and ``lambd``."""
    x = floats("hardshrink", input)
    return where(ew.abs_(x) <= lambd, 0, x)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """A sigmoid of straight lines: 0 up to -3, 1 from 3 on."""
    x = floats("hardsigmoid", input, inplace)
    return done(input, bounded(x + 3, 0, 6) / 6, inplace, "hardsigmoid_")


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * hardsigmoid(input)``."""
    x = floats("hardswish", input, inplace)
    return done(input, x * bounded(x + 3, 0, 6) / 6, inplace, "hardswish_")


# -- smooth ones -----------------------------------------------------------------------------------


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input) - 1)``."""
    x = floats("elu", input, inplace)
    return done(input, _elu(x, alpha, 1), inplace, "elu_")


def _elu(x: Any, height: float, width: float) -> Any:
    """The exponential only sees what is not positive, so it cannot overflow."""
    below: Any = functions.clamp(x, max=0)
    return ew.relu(x) + height * ew.expm1(below if width == 1 else below / width)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (exp(input / alpha) - 1)``.

    Raises RuntimeError for an ``alpha`` of 0.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    x = floats("celu", input, inplace)
    return done(input, _elu(x, alpha, alpha), inplace, "celu_")


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``elu`` with the scales that keep mean 0 and variance 1 (Klambauer et al., 2017)."""
    x = floats("selu", input, inplace)
    return done(input, SELU_SCALE * _elu(x, SELU_ALPHA, 1), inplace, "selu_")


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """``input`` times the normal distribution function of ``input`` (Hendrycks and Gimpel, 2016).

    ``approximate="tanh"`` is their approximation. Raises RuntimeError for another name.
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    x = floats("gelu", input)
    return fused.gelu(x) if approximate == "none" else fused.gelu_tanh(x)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``."""
    x = floats("silu", input, inplace)
    return done(input, x * ew.sigmoid(x), inplace, "silu_")


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * tanh(softplus(input))``."""
    x = floats("mish", input, inplace)
    return done(input, x * ew.tanh(ew.logaddexp(x, 0)), inplace, "mish_")


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``; ``input`` itself where beta * input > threshold."""
    x = floats("softplus", input)
    steep = x if beta == 1 else x * beta
    return where(steep > threshold, x, ew.logaddexp(steep, 0) / beta)


def softsign(input: Tensor) -> Tensor:
    """``input / (1 + |input|)``."""
    return ew.div(input, 1 + ew.abs_(input))


def logsigmoid(input: Tensor) -> Tensor:
    """The logarithm of the sigmoid, right for large negative inputs too."""
    return -ew.logaddexp(-floats("logsigmoid", input), 0)


def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``."""
    return ew.sub(input, ew.tanh(input))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along ``dim`` times the sigmoid of the second.

    Raises RuntimeError for a scalar and for an odd size.
    """
    x = floats("glu", input)
    if not x.array.ndim:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    d = functions.one_dim(dim, x.array.ndim)
    size = x.array.shape[d]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {d} is size {size}")
    value, gate = chunk(x, 2, d)
    return ew.mul(value, ew.sigmoid(gate))


# -- over a dimension ------------------------------------------------------------------------------


def _dim(name: str, x: Tensor, dim: int | None) -> int:
    """``dim``, or PyTorch's old choice with its warning."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=4,
    )
    return 0 if x.array.ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """Exponentials divided by their sum along ``dim``; they sum to 1. Safe from overflow."""
    return functions.softmax(input, _dim("softmax", input, dim), dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The logarithm of ``softmax``."""
    return functions.log_softmax(input, _dim("log_softmax", input, dim), dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """``softmax`` of ``-input``."""
    return functions.softmax(ew.neg(input), _dim("softmin", input, dim), dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A random soft choice along ``dim`` (Jang et al., 2017), the nearer to one the lower ``tau``.

    ``hard`` gives the one choice itself, with the gradient of the soft one.
    """
    noise = -ew.log(random.exponential_(creation.empty_like(logits)))
    soft: Any = functions.softmax(ew.add(logits, noise) / tau, dim)
    if not hard:
        return soft
    d = functions.one_dim(dim, soft.array.ndim)
    best = functions.argmax(soft, d, keepdim=True)
    zeros, one = creation.zeros_like(logits), creation.ones_like(constant(best), dtype=soft.dtype)
    return functions_index.scatter(zeros, d, best, one) - constant(soft) + soft
