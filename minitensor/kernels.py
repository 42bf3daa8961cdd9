"""The few kernels that a GPU gets from us, where array by array would take many launches.

Each is CUDA C++ for one element (``i`` is its number, ``T`` its dtype), and gives what the NumPy
code beside its caller gives. ``tests/test_kernels.py`` compiles the same text for the host and
compares; tests marked ``gpu`` run it on CuPy. ``xp`` is CuPy's module throughout.
"""

from __future__ import annotations

import functools
from typing import Any

from .backend import FLOATS, Array

Sizes = tuple[int, ...]

# For each element of an image: the sum of all windows' elements that lie on it. In the order in
# which NumPy's loop over the kernel adds them.
FOLD = """
ptrdiff_t plane = i / (H * W);
int row = (i / W) % H, column = i % W;
T sum = 0;
for (int a = 0; a < kh; ++a) {
  int top = row - a * dh;
  if (top < 0 || top % sh != 0 || top / sh >= oh) continue;
  for (int b = 0; b < kw; ++b) {
    int left = column - b * dw;
    if (left < 0 || left % sw != 0 || left / sw >= ow) continue;
    sum = sum + x[(((plane * kh + a) * kw + b) * oh + top / sh) * ow + left / sw];
  }
}
y = sum;
"""
FOLD_SIZES = "H W kh kw oh ow sh sw dh dw".split()

# A step of Adam; see Adam.update.
ADAM = """
m = m + (T)(1 - beta1) * (g - m);
v = v * (T)beta2 + (T)(1 - beta2) * (g * g);
p = p - m / (T)(sqrt(v) + (T)eps) * (T)rate;
"""

# For each row of x: the logarithm of the sum of exponentials, safe from overflow.
LOG_SUM = """
T top = x[i * width], sum = 0;
for (int j = 1; j < width; ++j) top = x[i * width + j] > top ? x[i * width + j] : top;
for (int j = 0; j < width; ++j) sum = sum + exp(x[i * width + j] - top);
y = top + log(sum);
"""
# What comes back through log_softmax: s is the sum of g over each row.
LOG_SOFTMAX_BACK = "y = g - exp(out) * s[i / width];"
WIDEST = 1024  # one thread goes along a row: too slow for longer ones


def is_gpu(xp: Any) -> bool:
    """Whether a module can make kernels, as CuPy can."""
    return hasattr(xp, "ElementwiseKernel")


@functools.cache
def _kernel(xp: Any, given: str, changed: str, body: str, name: str) -> Any:
    return xp.ElementwiseKernel(given, changed, body, f"minitensor_{name}")


def unfold(
    xp: Any, x: Array, kernel: Sizes, counts: Sizes, stride: Sizes, dilation: Sizes
) -> Array:
    """All windows of x (N, C, *space) as (N, C, *kernel, *counts): one copy of one strided view."""
    steps = x.strides[2:]
    inside = tuple(n * d for n, d in zip(steps, dilation, strict=True))
    between = tuple(n * s for n, s in zip(steps, stride, strict=True))
    view = xp.lib.stride_tricks.as_strided(
        x, (*x.shape[:2], *kernel, *counts), (*x.strides[:2], *inside, *between)
    )
    copy: Array = view.copy(order="C")
    return copy


def fold(xp: Any, x: Array, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """Windows x (N, C, *kernel, *counts) added up where they lie in (N, C, *size), 1-d or 2-d."""
    y = xp.empty((*x.shape[:2], *size), x.dtype)
    given = "raw T x, " + ", ".join(f"int32 {name}" for name in FOLD_SIZES)
    _kernel(xp, given, "T y", FOLD, "fold")(x, *fold_sizes(x, size, kernel, stride, dilation), y)
    return y


def fold_sizes(x: Array, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """The kernel's numbers, in the order of FOLD_SIZES; a signal is an image of one row."""
    counts = tuple(x.shape[2 + len(kernel) :])
    parts = (size, kernel, counts, stride, dilation)
    return tuple(n for part in parts for n in ((1,) * (2 - len(size)) + tuple(part)))


def takes_rows(xp: Any, x: Array, dim: int) -> bool:
    """Whether the next two work along ``dim`` of x."""
    fits = dim == x.ndim - 1 and 0 < x.shape[dim] <= WIDEST and x.size
    return is_gpu(xp) and bool(fits) and x.dtype in FLOATS


def log_softmax(xp: Any, x: Array) -> Array:
    """Along the last dimension, in two launches."""
    x, width = xp.ascontiguousarray(x), x.shape[-1]
    sums = xp.empty((*x.shape[:-1], 1), x.dtype)
    _kernel(xp, "raw T x, int32 width", "T y", LOG_SUM, "log_sum")(x, width, sums)
    return x - sums


def log_softmax_back(xp: Any, g: Array, out: Array) -> Array:
    """What comes back through ``log_softmax`` along the last dimension, in two launches."""
    g, out = xp.ascontiguousarray(g), xp.ascontiguousarray(out)
    y, sums = xp.empty_like(g), g.sum(axis=-1)
    given = "T g, T out, raw T s, int32 width"
    back = _kernel(xp, given, "T y", LOG_SOFTMAX_BACK, "log_softmax_back")
    back(g, out, sums, g.shape[-1], y)
    return y


def adam(xp: Any, c: Any, p: Array, g: Array, m: Array, v: Array) -> None:
    """Change p, m and v by a step of Adam, with the numbers in ``c``."""
    given = "T g, float64 beta1, float64 beta2, float64 rate, float64 eps"
    step = _kernel(xp, given, "T p, T m, T v", ADAM, "adam")
    step(g, c.beta1, c.beta2, c.rate, c.eps, p, m, v)
