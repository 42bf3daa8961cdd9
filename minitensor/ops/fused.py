"""Layers as single ops: linear, softmax, normalisation, GELU, losses.

Each could be a composition of other ops, and tests hold each to one. They are primitives for speed:
one node where there would be ten, and fewer passes over memory, since what a forward makes for
itself it may write over. Their rules are made of ops, so they differentiate again like all others.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend, kernels
from ..core import op
from ..pool import empty_like, room, scaled, times
from . import blocks
from .elementwise import exp, rsqrt, tanh
from .index import one_along, put_along
from .linalg import matmul, product
from .reduce import added, average, count, dot, mean, rounded, sum_
from .sample import given, normal, random
from .shape import mT, reshape

# -- linear ----------------------------------------------------------------------------------------


def rows(x: Any) -> Any:
    """(..., n) as a matrix (rows, n): one large product is quicker than many small ones."""
    return x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def _product(xp: Any, x: Any, weight: Any) -> Any:
    out = product(xp, x if x.ndim == 2 else rows(x), weight.T)
    return out if x.ndim == 2 else out.reshape(*x.shape[:-1], weight.shape[0])


def _linear(xp: Any, x: Any, weight: Any, bias: Any) -> Any:
    if xp is np and x.size >= 4096 and x.ndim == 2 and 2 * len(x) <= len(weight):
        # A small batch, a wide layer: BLAS is quicker where it has to turn the smaller matrix.
        turned, out = weight.dot(x.T).T, np.empty((len(x), len(weight)), x.dtype)
        return np.add(turned, bias, out=out)
    out = _product(xp, x, weight)
    out += bias
    return out


def _input_rule(g: Any, weight: Any, x_shape: Any) -> Any:
    out = matmul(rows(g), weight)
    return out if len(x_shape) == 2 else reshape(out, shape=tuple(x_shape))


# x (..., a) and y (..., b) -> (a, b): x^T y, summed over all that comes before.
product_of_rows = op(
    "product_of_rows", lambda xp, x, y: product(xp, rows(x).T, rows(y)), dtypes="same", prefix="Mm",
    x=lambda g, y: y @ mT(g),
    y=lambda g, x: x @ g,
    tex=r"{0}^T \, {1}", sample=normal((2, 5, 3), (2, 5, 4)),
)  # fmt: skip
# x (..., in), weight (out, in), bias (out)
linear = op("linear", _linear, dtypes="same", prefix="Addmm",
            x=_input_rule,
            weight=lambda g, x: product_of_rows(g, x),
            bias=lambda g: sum_(rows(g), dim=(0,), keepdim=False),
            tex=r"{0} \, {1}^T + {2}", sample=normal((2, 3), (4, 3), (4,)))  # fmt: skip
linear_no_bias = op("linear_no_bias", _product, dtypes="same", prefix="Mm",
                    x=_input_rule,
                    weight=lambda g, x: product_of_rows(g, x),
                    tex=r"{0} \, {1}^T", sample=normal((2, 5, 3), (4, 3)))  # fmt: skip

# -- softmax ---------------------------------------------------------------------------------------


def _largest(xp: Any, x: Any, dim: tuple[int, ...]) -> Any:
    """The largest value along ``dim``, which stays."""
    n = x.shape[-1] if x.ndim else 0
    if xp is np and dim == (x.ndim - 1,) and 0 < n <= 64:
        # NumPy takes one short row after the other; all at once it is up to seven times as quick.
        short, half = x.reshape(-1, n), (n + 1) // 2
        if n > 32:
            short = np.maximum(short[:, :half], short[:, n - half :])
        return short.T.copy().max(axis=0).reshape(*x.shape[:-1], 1)
    return xp.max(x, axis=dim, keepdims=True)


def _shifted(xp: Any, x: Any, dim: tuple[int, ...], out: Any) -> Any:
    """x less its largest value, so that exp cannot overflow, in ``out``."""
    return xp.subtract(x, _largest(xp, x, dim), out=out)


def _shares(xp: Any, x: Any, dim: int, out: Any) -> Any:
    """Exponentials divided by their sum, in ``out``."""
    for (part, into), along in blocks.rows((dim,), x, out):
        xp.exp(_shifted(xp, part, along, into), out=into)
        into /= added(xp, into, dim=along)
    return out


def _softmax_back(xp: Any, x: Any, y: Any, *, dim: int) -> Any:
    out = empty_like(xp, x)
    for (g, share, into), along in blocks.rows((dim,), x, y, out):
        xp.subtract(g, dot(xp, g, share, along), out=into)
        into *= share
    return out


def _softmax_bend(g: Any, x: Any, y: Any, dim: int) -> Any:
    along = {"dim": (dim,), "keepdim": True}
    return g * (x - sum_(x * y, **along)) - x * sum_(g * y, **along)


def _log_softmax(xp: Any, x: Any, *, dim: int) -> Any:
    if kernels.takes_rows(xp, x, dim):
        return kernels.log_softmax(xp, x)
    out = _shifted(xp, x, (dim,), empty_like(xp, x))
    out -= xp.log(added(xp, xp.exp(out, out=room(out)), dim=(dim,)))
    return out


def _log_softmax_back(xp: Any, x: Any, y: Any, *, dim: int) -> Any:
    if kernels.takes_rows(xp, x, dim):
        return kernels.log_softmax_back(xp, x, y)
    out = xp.exp(y, out=room(y))
    out *= added(xp, x, dim=(dim,))
    return xp.subtract(x, out, out=out)


softmax = op("softmax", lambda xp, x, *, dim: _shares(xp, x, dim, empty_like(xp, x)),
             x=lambda g, out, dim: softmax_back(g, out, dim=dim), dtypes="keep",
             tex=r"\operatorname{{softmax}} {0}", sample=normal((3, 4), dim=1))  # fmt: skip
# What comes back through shares y.
softmax_back = op("softmax_back", _softmax_back, dtypes="same", prefix="SoftmaxBackwardData",
                  x=lambda g, y, dim: softmax_back(g, y, dim=dim), y=_softmax_bend,
                  tex=r"{1} \cdot \left({0} - \sum \left({0} \cdot {1}\right)\right)",
                  sample=normal((3, 4), (3, 4), dim=1))  # fmt: skip
log_softmax = op("log_softmax", _log_softmax, dtypes="keep", prefix="LogSoftmax",
                 x=lambda g, out, dim: log_softmax_back(g, out, dim=dim),
                 tex=r"\ln \operatorname{{softmax}} {0}", sample=normal((3, 4), dim=0))  # fmt: skip
# And through logarithms of shares y.
log_softmax_back = op(
    "log_softmax_back", _log_softmax_back, dtypes="same", prefix="LogSoftmaxBackwardData",
    x=lambda g, y, dim: g - sum_(g * exp(y), dim=(dim,), keepdim=True),
    y=lambda g, x, y, dim: -g * exp(y) * sum_(x, dim=(dim,), keepdim=True),
    tex=r"{0} - e^{{{1}}} \cdot \sum {0}", sample=normal((3, 4), (3, 4), dim=0))  # fmt: skip


def _causal_softmax(xp: Any, x: Any, *, scale: float) -> Any:
    hidden = ~xp.tri(*x.shape[-2:], dtype=bool)
    out = xp.multiply(x, x.dtype.type(scale), out=room(x))
    out += xp.where(hidden, x.dtype.type(-math.inf), x.dtype.type(0))
    return _shares(xp, out, x.ndim - 1, out)


# Of scores (..., L, S) times a scale; row i sees columns 0 to i.
causal_softmax = op("causal_softmax", _causal_softmax, dtypes="keep", prefix="Softmax",
                    x=lambda g, out, scale: scaled(softmax_back(g, out, dim=out.ndim - 1), scale),
                    tex=r"\operatorname{{softmax}}(\operatorname{{causal}} {0})",
                    sample=normal((2, 3, 3), scale=0.5))  # fmt: skip

# -- losses ----------------------------------------------------------------------------------------


def _nll(xp: Any, x: Any, target: Any, weight: Any, *, dim: int) -> Any:
    return -(x[one_along(xp, target, dim)] * weight).sum()


# Minus the sum of x at the target classes along dim, each times its weight.
nll = op("nll", _nll, fixed=("target", "weight"), dtypes="keep", prefix="NllLoss",
         x=lambda g, target, weight, x_shape, dim: put_along(-g * weight, target, dim=dim,
                                                             shape=tuple(x_shape)),
         tex=r"-\sum_i w_i \, {0}_{{i, {1}_i}}",
         sample=given(random((3, 4)), [2, 0, 3], [0.5, 0.2, 0.3], dim=1))  # fmt: skip


def _mse(xp: Any, x: Any, y: Any) -> Any:
    away = (x - y).reshape(-1)
    if away.dtype == backend.FLOAT16:
        return rounded(_mse(xp, x.astype("float32"), y.astype("float32")), x)
    return xp.dot(away, away) / away.dtype.type(away.size)


mse = op("mse", _mse, dtypes="same", prefix="MseLoss",
         x=lambda g, x, y: (x - y) * (g * (2 / math.prod(x.shape))),
         y=lambda g, x, y: (y - x) * (g * (2 / math.prod(x.shape))),
         tex=r"\operatorname{{mean}}({0} - {1})^2", sample=normal((2, 3), (2, 3)))  # fmt: skip

# -- normalisation and GELU ------------------------------------------------------------------------


def _standardize(xp: Any, x: Any, *, dim: tuple[int, ...], eps: float) -> Any:
    out = empty_like(xp, x)
    for (part, into), along in blocks.rows(dim, x, out):
        _standardized(xp, part, along, eps, into)
    return out


def _standardized(xp: Any, x: Any, dim: tuple[int, ...], eps: float, out: Any = None) -> Any:
    """x with mean 0 and variance 1, and what its distance from the mean was multiplied by."""
    out = xp.subtract(x, average(xp, x, dim=dim), out=out)
    scale = 1 / xp.sqrt(dot(xp, out, out, dim) / count(x.shape, dim) + eps)
    out *= scale
    return out, scale


def _standardize_back(xp: Any, x: Any, y: Any, *, dim: tuple[int, ...], eps: float) -> Any:
    """Ioffe and Szegedy, 2015, section 3."""
    out = empty_like(xp, x)
    for (g, part, into), along in blocks.rows(dim, x, y, out):
        standard, scale = _standardized(xp, part, along, eps)
        xp.subtract(g, average(xp, g, dim=along), out=into)
        standard *= dot(xp, g, standard, along) / count(g.shape, along)
        into -= standard
        into *= scale
    return out


def _standardize_bend(g: Any, x: Any, y: Any, dim: tuple[int, ...], eps: float) -> Any:
    """The back step is scale (x - mean x - out mean(x out)): all three factors depend on y."""
    how: Any = {"dim": dim, "keepdim": True}
    away = y - mean(y, **how)
    scale = rsqrt(mean(away * away, **how) + eps)
    out = away * scale
    of_g, of_x = mean(g * out, **how), mean(x * out, **how)
    both = mean(g * (x - mean(x, **how)), **how) - of_g * of_x
    back = [standardize_back(v, y, dim=dim, eps=eps) for v in (g, x)]
    return -scale * (scale * out * both + back[0] * of_x + back[1] * of_g)


# Mean 0 and variance 1 over the dimensions dim.
standardize = op("standardize", _standardize, dtypes="keep",
                 x=lambda g, x, dim, eps: standardize_back(g, x, dim=dim, eps=eps),
                 prefix="NativeLayerNorm",
                 tex=r"\frac{{{0} - \mu}}{{\sigma}}",
                 sample=normal((3, 4), dim=(1,), eps=1e-5))  # fmt: skip


# What comes back: of the gradient x, for an input y.
standardize_back = op("standardize_back", _standardize_back, dtypes="same",
                      x=lambda g, y, dim, eps: standardize_back(g, y, dim=dim, eps=eps),
                      y=_standardize_bend, prefix="NativeLayerNormBackward",
                      tex=r"\frac{{{0} - \operatorname{{mean}} {0} - \frac{{{1} - \mu}}{{\sigma}} "
                          r"\cdot \operatorname{{mean}} \left({0} \cdot "
                          r"\frac{{{1} - \mu}}{{\sigma}}\right)}}{{\sigma}}",
                      sample=normal((3, 4), (3, 4), dim=(1,), eps=1e-5))  # fmt: skip


def _scale_shift(xp: Any, x: Any, weight: Any, bias: Any) -> Any:
    out = xp.multiply(x, weight, out=room(x))
    out += bias
    return out


# With weight and bias of fewer dimensions than x, or of size 1 in some.
scale_shift = op("scale_shift", _scale_shift,
                 x=lambda g, weight: times(g, weight),
                 weight=lambda g, x: times(g, x), bias=lambda g: g, broadcasts=True, dtypes="same",
                 prefix="NativeLayerNorm", tex=r"{0} \cdot {1} + {2}",
                 sample=normal((2, 3), (3,), (3,)))  # fmt: skip

ROOT, CUBE = (2 / math.pi) ** 0.5, 0.044715


def _gelu_tanh(xp: Any, x: Any, out: Any) -> None:
    xp.multiply(x, x, out=out)
    out *= ROOT * CUBE
    out += ROOT
    out *= x
    xp.tanh(out, out=out)
    out += 1
    out *= x
    out *= 0.5


def _gelu_tanh_slope(xp: Any, x: Any, out: Any) -> None:
    square = x * x
    t = square * (ROOT * CUBE)
    t += ROOT
    t *= x
    t = xp.tanh(t)
    square *= 3 * ROOT * CUBE
    square += ROOT
    square *= x
    xp.multiply(t, t, out=out)
    xp.subtract(1, out, out=out)
    out *= square
    out += t
    out += 1
    out *= 0.5


def _gelu_tanh_bend(g: Any, x: Any) -> Any:
    """With u = ROOT (x + CUBE x^3) and t = tanh u: (1 - t^2) (u' + x u'' / 2 - x t u'^2)."""
    t = tanh(x * (ROOT + ROOT * CUBE * x * x))
    rise, bend = ROOT + 3 * ROOT * CUBE * x * x, 6 * ROOT * CUBE * x
    return g * (1 - t * t) * (rise + 0.5 * x * bend - x * t * rise * rise)


# Hendrycks and Gimpel, 2016: their approximation, its slope, and the exact one.
gelu_tanh = op("gelu_tanh", blocks.in_blocks(_gelu_tanh), dtypes="keep", prefix="Gelu",
               x=lambda g, x: scaled(gelu_tanh_slope(x), g),
               tex=r"\operatorname{{gelu}} {0}", sample=normal())  # fmt: skip
gelu_tanh_slope = op("gelu_tanh_slope", blocks.in_blocks(_gelu_tanh_slope), x=_gelu_tanh_bend,
                     dtypes="keep", tex=r"\operatorname{{gelu}}' {0}", sample=normal())  # fmt: skip


def _gelu(xp: Any, x: Any, out: Any) -> None:
    out[...] = backend.erf(xp, x * 0.5**0.5)
    out += 1
    out *= x
    out *= 0.5


def _gelu_slope(xp: Any, x: Any, out: Any) -> None:
    density = xp.exp(x * x * -0.5)
    density *= (2 * math.pi) ** -0.5
    density *= x
    out[...] = backend.erf(xp, x * 0.5**0.5)
    out += 1
    out *= 0.5
    out += density


# With the normal distribution's Phi and its density phi = Phi'.
gelu = op("gelu", blocks.in_blocks(_gelu), x=lambda g, x: scaled(gelu_slope(x), g), dtypes="keep",
          tex=r"\operatorname{{gelu}} {0}", sample=normal())  # fmt: skip
gelu_slope = op("gelu_slope", blocks.in_blocks(_gelu_slope), dtypes="keep",
                x=lambda g, x: g * (2 - x * x) * (exp(-0.5 * (x * x)) * (2 * math.pi) ** -0.5),
                tex=r"\left(\Phi({0}) + {0} \, \phi({0})\right)", sample=normal())  # fmt: skip
