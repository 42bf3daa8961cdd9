"""Elementwise ops: arithmetic, powers, exponentials, comparisons, selection.

Sources of the derivatives: any table of elementary derivatives, unless a comment says otherwise.
The rules multiply by comparisons (1 where true, 0 where false) to select.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..core import op
from ..pool import empty_like, times
from . import blocks
from .sample import given, normal, positive, random, spread, unit

PAIR = ((2, 3), (3,))  # shapes that broadcast

# -- arithmetic ------------------------------------------------------------------------------------

add = op("add", "add", x=lambda g: g, y=lambda g: g, broadcasts=True,
         tex="{0} + {1}", sample=normal(*PAIR))  # fmt: skip
sub = op("sub", "subtract", x=lambda g: g, y=lambda g: -g, broadcasts=True,
         bools=False, tex="{0} - {1}", sample=normal(*PAIR))  # fmt: skip
mul = op("mul", "multiply", x=lambda g, y: g * y, y=lambda g, x: g * x, broadcasts=True,
         tex=r"{0} \cdot {1}", sample=normal(*PAIR))  # fmt: skip
div = op("div", "true_divide", x=lambda g, y: g / y, y=lambda g, x, y: -g * x / (y * y),
         broadcasts=True, dtypes="float", tex=r"\frac{{{0}}}{{{1}}}",
         sample=positive(*PAIR))  # fmt: skip
neg = op("neg", "negative", x=lambda g: -g, tex="-{0}", sample=normal())
reciprocal = op("reciprocal", "reciprocal", x=lambda g, out: -g * (out * out), dtypes="float",
                tex=r"\frac{{1}}{{{0}}}", sample=positive())  # fmt: skip
square = op("square", "square", x=lambda g, x: g * (2 * x), prefix="Pow",
            tex="{0}^2", sample=normal())  # fmt: skip


def _power_rule(g: Any, x: Any, exponent: float) -> Any:
    return g * 0 if exponent == 0 else g * (exponent * x ** (exponent - 1))


pow_number = op("pow_number", lambda xp, x, *, exponent: _power(xp, x, exponent),
                x=_power_rule, prefix="Pow", tex="{0}^{{{exponent}}}",
                sample=positive(exponent=3.5))  # fmt: skip


def _power(xp: Any, x: Any, exponent: float) -> Any:
    """x**exponent in the dtype of x, squares and roots by the exact and quicker functions."""
    if exponent == 2:
        return x * x
    if exponent == 0.5 and x.dtype.kind == "f":
        return xp.sqrt(x)
    return x**exponent


pow_tensor = op(
    "pow_tensor",
    "power",
    x=lambda g, x, y: where(y == 0, g * 0, g * y * x ** (y - 1)),
    # Where x is 0 and y > 0 the limit is 0; log(1) takes the place of log(0) there.
    y=lambda g, x, y, out: g * out * log(where((x == 0) & (y >= 0), x * 0 + 1, x)),
    broadcasts=True,
    prefix="Pow",
    tex="{0}^{{{1}}}",
    sample=positive(*PAIR),
)

abs_ = op("abs", "absolute", x=lambda g, x: g * sign(x), tex=r"\left|{0}\right|", sample=spread())
# By comparisons, not NumPy's sign: of nan it is 0, as in PyTorch.
sign = op("sign", lambda xp, x: xp.subtract(x > 0, x < 0, dtype=x.dtype), x=lambda g: g * 0,
          tex=r"\operatorname{{sign}} {0}", sample=spread())  # fmt: skip
floor = op("floor", "floor", x=lambda g: g * 0, tex=r"\lfloor {0} \rfloor", sample=spread())
ceil = op("ceil", "ceil", x=lambda g: g * 0, tex=r"\lceil {0} \rceil", sample=spread())
round_ = op("round", lambda xp, x, *, decimals: xp.round(x, decimals), x=lambda g: g * 0,
            tex=r"\operatorname{{round}} {0}", sample=spread(decimals=0))  # fmt: skip
trunc = op("trunc", "trunc", x=lambda g: g * 0, tex=r"\operatorname{{trunc}} {0}", sample=spread())


def _whole(ufunc: str) -> Any:
    """A division without fractions. Whole numbers have no infinity to answer a 0 with."""

    def forward(xp: Any, x: Any, y: Any) -> Any:
        kind = (y if hasattr(y, "dtype") else x).dtype.kind
        if kind == "b":
            raise NotImplementedError(f"{ufunc} is not implemented for bools")
        if kind in "iu" and not (y.all() if hasattr(y, "dtype") else y):
            raise RuntimeError("ZeroDivisionError")
        return getattr(xp, ufunc)(x, y)

    return forward


floor_divide = op("floor_divide", _whole("floor_divide"), broadcasts=True,
                  tex=r"\left\lfloor {0} / {1} \right\rfloor", sample=spread(*PAIR))  # fmt: skip
remainder = op("remainder", _whole("remainder"), x=lambda g: g, y=lambda g, x, y: -g * floor(x / y),
               broadcasts=True, tex=r"{0} \bmod {1}",
               sample=given([[0.7, -0.9, 2.2], [5.3, -4.1, 0.4]], [0.6, 1.3, -0.9]))  # fmt: skip

# -- exponentials, logarithms, roots ---------------------------------------------------------------

exp = op("exp", "exp", x=lambda g, out: g * out, dtypes="float",
         tex="e^{{{0}}}", sample=normal())  # fmt: skip
exp2 = op("exp2", "exp2", x=lambda g, out: g * (out * math.log(2)), dtypes="float",
          tex="2^{{{0}}}", sample=normal())  # fmt: skip
expm1 = op("expm1", "expm1", x=lambda g, out: g * (out + 1), dtypes="float",
           tex="e^{{{0}}} - 1", sample=normal())  # fmt: skip
log = op("log", "log", x=lambda g, x: g / x, dtypes="float",
         tex=r"\ln {0}", sample=positive())  # fmt: skip
log2 = op("log2", "log2", x=lambda g, x: g / (x * math.log(2)), dtypes="float",
          tex=r"\log_2 {0}", sample=positive())  # fmt: skip
log10 = op("log10", "log10", x=lambda g, x: g / (x * math.log(10)), dtypes="float",
           tex=r"\log_{{10}} {0}", sample=positive())  # fmt: skip
log1p = op("log1p", "log1p", x=lambda g, x: g / (1 + x), dtypes="float",
           tex=r"\ln(1 + {0})", sample=positive())  # fmt: skip
sqrt = op("sqrt", "sqrt", x=lambda g, out: g / (2 * out), dtypes="float",
          tex=r"\sqrt{{{0}}}", sample=positive())  # fmt: skip
rsqrt = op("rsqrt", lambda xp, x: 1 / xp.sqrt(x), x=lambda g, out: g * (-0.5 * out**3),
           dtypes="float", tex=r"\frac{{1}}{{\sqrt{{{0}}}}}", sample=positive())  # fmt: skip
logaddexp = op("logaddexp", "logaddexp", x=lambda g, x, y: g * sigmoid(x - y),
               y=lambda g, x, y: g * sigmoid(y - x), broadcasts=True, dtypes="float",
               tex=r"\ln\left(e^{{{0}}} + e^{{{1}}}\right)", sample=normal(*PAIR))  # fmt: skip

# -- trigonometric and hyperbolic ------------------------------------------------------------------

sin = op("sin", "sin", x=lambda g, x: g * cos(x), dtypes="float",
         tex=r"\sin {0}", sample=normal())  # fmt: skip
cos = op("cos", "cos", x=lambda g, x: -g * sin(x), dtypes="float",
         tex=r"\cos {0}", sample=normal())  # fmt: skip
tan = op("tan", "tan", x=lambda g, out: g * (1 + out * out), dtypes="float",
         tex=r"\tan {0}", sample=unit())  # fmt: skip
asin = op("asin", "arcsin", x=lambda g, x: g * rsqrt(1 - x * x), dtypes="float",
          tex=r"\arcsin {0}", sample=unit())  # fmt: skip
acos = op("acos", "arccos", x=lambda g, x: -g * rsqrt(1 - x * x), dtypes="float",
          tex=r"\arccos {0}", sample=unit())  # fmt: skip
atan = op("atan", "arctan", x=lambda g, x: g / (1 + x * x), dtypes="float",
          tex=r"\arctan {0}", sample=normal())  # fmt: skip
sinh = op("sinh", "sinh", x=lambda g, x: g * cosh(x), dtypes="float",
          tex=r"\sinh {0}", sample=normal())  # fmt: skip
cosh = op("cosh", "cosh", x=lambda g, x: g * sinh(x), dtypes="float",
          tex=r"\cosh {0}", sample=normal())  # fmt: skip
tanh = op("tanh", "tanh", x=lambda g, out: g - g * (out * out), dtypes="float",
          tex=r"\tanh {0}", sample=normal())  # fmt: skip


def _radius_squared(x: Any, y: Any) -> Any:
    """x² + y², and 1 at the origin, where PyTorch gives atan2 the gradient 0."""
    square_ = x * x + y * y
    return square_ + (square_ == 0)


atan2 = op("atan2", "arctan2", x=lambda g, x, y: g * y / _radius_squared(x, y),
           y=lambda g, x, y: -g * x / _radius_squared(x, y), broadcasts=True, dtypes="float",
           tex=r"\operatorname{{atan2}}({0}, {1})", sample=positive(*PAIR))  # fmt: skip
hypot = op("hypot", "hypot", x=lambda g, x, out: g * (x / out), y=lambda g, y, out: g * (y / out),
           broadcasts=True, dtypes="float", tex=r"\sqrt{{{0}^2 + {1}^2}}",
           sample=positive(*PAIR))  # fmt: skip
erf = op("erf", backend.erf, x=lambda g, x: g * (2 / math.pi**0.5 * exp(-(x * x))),
         dtypes="float", tex=r"\operatorname{{erf}} {0}", sample=normal())  # fmt: skip

# -- activations that are primitives for speed and precision ---------------------------------------


def _relu(xp: Any, x: Any) -> Any:
    if x.dtype is backend.BOOL:
        raise TypeError("Boolean inputs not supported for relu")
    if xp is not np or x.size < 2048 or x.dtype not in backend.FLOATS:
        return xp.maximum(x, 0)
    out = empty_like(xp, x)
    for part, into in blocks.parts(x, out):
        np.maximum(part, blocks.zeros_like(part), out=into)  # a third of the time that 0 takes
    return out


relu = op("relu", _relu, x=lambda g, out: times(g, out > 0),
          tex=r"\operatorname{{relu}} {0}", sample=spread())  # fmt: skip
sigmoid = op("sigmoid", lambda xp, x: 1 / (1 + xp.exp(-x)), x=lambda g, out: g * (out * (1 - out)),
             dtypes="float", tex=r"\sigma({0})", sample=normal())  # fmt: skip

# -- selection -------------------------------------------------------------------------------------

where = op("where", lambda xp, condition, x, y: xp.where(condition, x, y),
           x=lambda g, condition: where(condition, g, 0),
           y=lambda g, condition: where(condition, 0, g),
           fixed=("condition",), broadcasts=True,
           tex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
           sample=given([[True, False, True]], random((2, 3)), random((2, 1))))  # fmt: skip
# Where both are equal, each gets half of the gradient, as in PyTorch.
maximum = op("maximum", "maximum", x=lambda g, x, y: where(x == y, g / 2, g * (x > y)),
             y=lambda g, x, y: where(x == y, g / 2, g * (y > x)), broadcasts=True,
             tex=r"\max({0}, {1})", sample=spread((2, 4), (2, 4)))  # fmt: skip
minimum = op("minimum", "minimum", x=lambda g, x, y: where(x == y, g / 2, g * (x < y)),
             y=lambda g, x, y: where(x == y, g / 2, g * (y < x)), broadcasts=True,
             tex=r"\min({0}, {1})", sample=spread((2, 4), (2, 4)))  # fmt: skip
clamp_number = op(
    "clamp_number",
    lambda xp, x, *, low, high: xp.clip(x, low, high),
    x=lambda g, x, out: g * (x == out),
    prefix="Clamp",
    tex=r"\min(\max({0}, {low}), {high})",
    sample=spread((3, 4), low=-1.0, high=2.0),
)

# -- comparisons and logic: no gradients -----------------------------------------------------------


def _no_gradient(name: str, ufunc: str, tex: str, inputs: str = "x y") -> Any:
    shapes = PAIR[: len(inputs.split())]
    return op(name, ufunc, inputs=inputs, broadcasts=True, tex=tex, sample=spread(*shapes))


eq = _no_gradient("eq", "equal", "[{0} = {1}]")
ne = _no_gradient("ne", "not_equal", r"[{0} \neq {1}]")
lt = _no_gradient("lt", "less", "[{0} < {1}]")
le = _no_gradient("le", "less_equal", r"[{0} \leq {1}]")
gt = _no_gradient("gt", "greater", "[{0} > {1}]")
ge = _no_gradient("ge", "greater_equal", r"[{0} \geq {1}]")
isnan = _no_gradient("isnan", "isnan", r"[{0} = \text{{nan}}]", "x")
isinf = _no_gradient("isinf", "isinf", r"[{0} = \pm\infty]", "x")
isfinite = _no_gradient("isfinite", "isfinite", r"[\lvert {0} \rvert < \infty]", "x")
logical_and = _no_gradient("logical_and", "logical_and", r"{0} \land {1}")
logical_or = _no_gradient("logical_or", "logical_or", r"{0} \lor {1}")
logical_xor = _no_gradient("logical_xor", "logical_xor", r"{0} \oplus {1}")
logical_not = _no_gradient("logical_not", "logical_not", r"\lnot {0}", "x")


def _bitwise(name: str, ufunc: str, tex: str, inputs: str = "x y") -> Any:
    bits = [[True, False, True], [True, True, False]]
    sample = given(bits, bits[0]) if " " in inputs else given(bits)
    return op(name, ufunc, inputs=inputs, broadcasts=True, tex=tex, sample=sample)


bitwise_and = _bitwise("bitwise_and", "bitwise_and", r"{0} \mathbin{{\&}} {1}")
bitwise_or = _bitwise("bitwise_or", "bitwise_or", r"{0} \mid {1}")
bitwise_xor = _bitwise("bitwise_xor", "bitwise_xor", r"{0} \oplus {1}")
bitwise_not = _bitwise("bitwise_not", "bitwise_not", r"{{\sim}}{0}", "x")
