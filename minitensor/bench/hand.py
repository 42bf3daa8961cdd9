"""The work by hand in plain NumPy, as one would write it without a library: the floor.

Forward, backward and update are spelt out, with no trick beyond what a reader of a textbook writes.
Layers are functions that return their output and a function from its gradient to those of inputs.
Where a layer is the ``first``, nobody wants the gradient of its input, and it is not computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import data
from .tensors import Step

Back = Callable[[Any], Any]


def chain() -> Step:
    """333 times add, multiply, tanh on 32 values, forward and backward."""
    x, w, b = data.chain()

    def step() -> tuple[float, str]:
        y, kept = x, []
        for _ in range(333):
            before = y + b
            y = np.tanh(before * w)
            kept.append((before, y))
        g, gw = np.ones_like(y), np.zeros_like(w)
        for before, y in reversed(kept):
            g = g - g * (y * y)
            gw += g * before
            g = g * w
        return float(gw.sum()), str(gw.dtype)

    return step


def forward_only() -> Step:
    """The same chain, forward."""
    x, w, b = data.chain()

    def step() -> tuple[float, str]:
        y = x
        for _ in range(333):
            y = np.tanh((y + b) * w)
        return float(y.sum()), str(y.dtype)

    return step


def elementwise() -> Step:
    """tanh(a*b+c).sum() on 10 million values, forward and backward."""
    a, b, c = data.chain(10_000_000)

    def step() -> tuple[float, str]:
        y = np.tanh(a * b + c)
        float(y.sum())
        g = 1 - y * y
        ga, gb = g * b, g * a  # c's gradient is g
        return float(ga[-1]), str(gb.dtype)

    return step


# -- layers ----------------------------------------------------------------------------------------


def linear(x: Any, w: Any, b: Any = None, first: bool = False) -> tuple[Any, Back]:
    """x w^T + b."""
    out = x @ w.T if b is None else x @ w.T + b

    def back(g: Any) -> Any:
        flat, rows = g.reshape(-1, g.shape[-1]), x.reshape(-1, x.shape[-1])
        grads = (flat.T @ rows,) if b is None else (flat.T @ rows, flat.sum(axis=0))
        return None if first else g @ w, *grads

    return out, back


def tanh(x: Any) -> tuple[Any, Back]:
    """Tanh."""
    out = np.tanh(x)
    return out, lambda g: g * (1 - out * out)


def relu(x: Any) -> tuple[Any, Back]:
    """The larger of x and 0."""
    out = np.maximum(x, 0)
    return out, lambda g: g * (x > 0)


def gelu(x: Any) -> tuple[Any, Back]:
    """x times the normal distribution function, in its approximation by tanh."""
    k = np.float32((2 / np.pi) ** 0.5)
    t = np.tanh(k * (x + 0.044715 * x * x * x))
    out = 0.5 * x * (1 + t)

    def back(g: Any) -> Any:
        inner = k * (1 + 3 * 0.044715 * x * x)
        return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)

    return out, back


def layer_norm(x: Any, w: Any, b: Any) -> tuple[Any, Back]:
    """Mean 0 and variance 1 along the last dimension, then scaled and shifted."""
    centred = x - x.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5)
    normed = centred * r

    def back(g: Any) -> Any:
        rows = tuple(range(x.ndim - 1))
        n = g * w
        even = n.mean(axis=-1, keepdims=True)
        along = (n * normed).mean(axis=-1, keepdims=True)
        return r * (n - even - normed * along), (g * normed).sum(axis=rows), g.sum(axis=rows)

    return normed * w + b, back


def conv(x: Any, w: Any, b: Any, first: bool = False) -> tuple[Any, Back]:
    """A convolution of 3 x 3: windows side by side, then one matrix product."""
    N, C, H, W = x.shape
    O, _, k, _ = w.shape  # noqa: E741 - out channels
    h, v = H - k + 1, W - k + 1
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * h * v, C * k * k)
    out = columns @ w.reshape(O, -1).T + b

    def back(g: Any) -> Any:
        flat = g.transpose(0, 2, 3, 1).reshape(-1, O)
        gw, gb = (flat.T @ columns).reshape(w.shape), flat.sum(axis=0)
        if first:
            return None, gw, gb
        spread = (flat @ w.reshape(O, -1)).reshape(N, h, v, C, k, k)
        gx = np.zeros_like(x)
        for i in range(k):
            for j in range(k):
                gx[:, :, i : i + h, j : j + v] += spread[..., i, j].transpose(0, 3, 1, 2)
        return gx, gw, gb

    return out.reshape(N, h, v, O).transpose(0, 3, 1, 2), back


def max_pool(x: Any) -> tuple[Any, Back]:
    """The largest of each 2 x 2 window."""
    N, C, H, W = x.shape
    h, v = H // 2, W // 2
    blocks = x[:, :, : 2 * h, : 2 * v].reshape(N, C, h, 2, v, 2)
    windows = blocks.transpose(0, 1, 2, 4, 3, 5).reshape(N, C, h, v, 4)
    best = windows.argmax(axis=-1)[..., None]

    def back(g: Any) -> Any:
        spread = np.zeros_like(windows)
        np.put_along_axis(spread, best, g[..., None], axis=-1)
        gx = np.zeros_like(x)
        blocks = spread.reshape(N, C, h, v, 2, 2).transpose(0, 1, 2, 4, 3, 5)
        gx[:, :, : 2 * h, : 2 * v] = blocks.reshape(N, C, 2 * h, 2 * v)
        return gx

    return np.take_along_axis(windows, best, axis=-1)[..., 0], back


def attention(parts: Any, heads: int) -> tuple[Any, Back]:
    """Causal attention; ``parts`` holds queries, keys and values, (B, T, 3 C)."""
    B, T, C = parts.shape[0], parts.shape[1], parts.shape[2] // 3
    size = C // heads
    q, k, v = parts.reshape(B, T, 3, heads, size).transpose(2, 0, 3, 1, 4)
    scale = np.float32(size**-0.5)
    scores = (q @ k.swapaxes(-1, -2)) * scale
    scores[..., np.triu(np.ones((T, T), bool), 1)] = -np.inf
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    out = (weights @ v).transpose(0, 2, 1, 3).reshape(B, T, C)

    def back(g: Any) -> Any:
        g = g.reshape(B, T, heads, size).transpose(0, 2, 1, 3)
        gv, gw = weights.swapaxes(-1, -2) @ g, g @ v.swapaxes(-1, -2)
        gs = weights * (gw - (gw * weights).sum(axis=-1, keepdims=True)) * scale
        three = np.stack([gs @ k, gs.swapaxes(-1, -2) @ q, gv])
        return three.transpose(1, 3, 0, 2, 4).reshape(B, T, 3 * C)

    return out, back


def cross_entropy(z: Any, target: Any) -> tuple[float, Any]:
    """The mean loss, and its gradient."""
    rows = np.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    g = np.exp(log_p)
    g[rows, target] -= 1
    return float(-log_p[rows, target].mean()), g / np.float32(len(z))
