"""Training steps by hand in plain NumPy, from the layers of ``hand.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import data, hand
from .tensors import Step

Update = Callable[[list[Any], list[Any], int], None]  # parameters, gradients, number of the step


def sgd(momentum: float = 0.0) -> Update:
    """Gradient descent, with momentum if given."""
    speed: list[Any] = []

    def update(parameters: list[Any], grads: list[Any], number: int) -> None:
        if momentum:
            before = speed or [np.zeros_like(g) for g in grads]
            speed[:] = [momentum * s + g for s, g in zip(before, grads, strict=True)]
        for p, g in zip(parameters, speed or grads, strict=True):
            p -= data.LEARNING_RATE * g

    return update


def adam(rate: float = 1e-3) -> Update:
    """Adam, https://arxiv.org/abs/1412.6980, algorithm 1."""
    state: list[Any] = []

    def update(parameters: list[Any], grads: list[Any], number: int) -> None:
        if not state:
            state.extend((np.zeros_like(p), np.zeros_like(p)) for p in parameters)
        for p, g, (m, v) in zip(parameters, grads, state, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * (g * g)
            right = np.sqrt(v / (1 - 0.999**number)) + 1e-8
            p -= (rate / (1 - 0.9**number)) * m / right

    return update


def training(made: Any, gradients: Any, update: Callable[[], Update], steps: int) -> Step:
    """``steps`` steps of training from the same start; the loss is that of the last one."""
    x, target, start = made

    def step() -> tuple[float, str]:
        parameters, change = [p.copy() for p in start], update()
        for number in range(1, steps + 1):
            loss, grads = gradients(x, target, parameters)
            change(parameters, grads, number)
        return loss, str(parameters[0].dtype)

    return step


def _dense(x: Any, p: list[Any], activation: Any) -> tuple[Any, Callable[[Any], list[Any]]]:
    """A linear layer for each pair in ``p``, the activation between them; and all gradients."""
    backs: list[Any] = []
    for i in range(0, len(p), 2):
        if i:
            x, back = activation(x)
            backs.append(back)
        x, back = hand.linear(x, p[i], p[i + 1], first=not i)
        backs.append(back)

    def back_all(g: Any) -> list[Any]:
        grads: list[Any] = []
        for back in reversed(backs):
            answer = back(g)
            g, *own = answer if isinstance(answer, tuple) else (answer,)
            grads = [*own, *grads]
        return grads

    return x, back_all


def small_mlp() -> Step:
    """2-16-16-1 with tanh, 100 points, mean squared error, SGD: 20 steps."""

    def gradients(x: Any, target: Any, p: list[Any]) -> Any:
        out, back = _dense(x, p, hand.tanh)
        error = out - target
        return float((error * error).mean()), back(2 * error / np.float32(error.size))

    return training(data.mlp((2, 16, 16, 1), 100), gradients, sgd, 20)


def mlp() -> Step:
    """784-256-128-10 with relu, batch 128, cross-entropy, SGD: 5 steps."""

    def gradients(x: Any, target: Any, p: list[Any]) -> Any:
        out, back = _dense(x, p, hand.relu)
        loss, g = hand.cross_entropy(out, target)
        return loss, back(g)

    return training(data.mlp((784, 256, 128, 10), 128), gradients, sgd, 5)


def cnn() -> Step:
    """conv3x3(8)-relu-pool2-conv3x3(16)-relu-pool2-linear, cross-entropy, momentum: 2 steps."""

    def gradients(x: Any, target: Any, p: list[Any]) -> Any:
        layers = (
            lambda h: hand.conv(h, p[0], p[1], first=True), hand.relu, hand.max_pool,
            lambda h: hand.conv(h, p[2], p[3]), hand.relu, hand.max_pool,
        )  # fmt: skip
        backs, h = [], x
        for layer in layers:
            h, back = layer(h)
            backs.append(back)
        shape = h.shape
        out, last = hand.linear(h.reshape(len(x), -1), p[4], p[5])
        loss, g = hand.cross_entropy(out, target)
        g, *grads = last(g)
        g = g.reshape(shape)
        for back in reversed(backs):
            answer = back(g)
            g, *own = answer if isinstance(answer, tuple) else (answer,)
            grads = [*own, *grads]
        return loss, grads

    return training(data.cnn(), gradients, lambda: sgd(0.9), 2)


def transformer() -> Step:
    """One causal block, B 16, T 64, C 128, 4 heads, 65 characters, Adam: 2 steps."""
    return training(data.transformer(), _transformer, adam, 2)


def _transformer(x: Any, target: Any, p: list[Any]) -> Any:
    h = p[0][x]
    a, norm1 = hand.layer_norm(h, p[1], p[2])
    a, qkv = hand.linear(a, p[3], p[4])
    a, attend = hand.attention(a, data.HEADS)
    a, project = hand.linear(a, p[5], p[6])
    h = h + a
    a, norm2 = hand.layer_norm(h, p[7], p[8])
    a, widen = hand.linear(a, p[9], p[10])
    a, gelu = hand.gelu(a)
    a, narrow = hand.linear(a, p[11], p[12])
    h = h + a
    a, norm3 = hand.layer_norm(h, p[13], p[14])
    logits, head = hand.linear(a, p[15])
    loss, g = hand.cross_entropy(logits.reshape(-1, logits.shape[-1]), target.reshape(-1))
    g, g15 = head(g.reshape(logits.shape))
    g, g13, g14 = norm3(g)
    inner, g11, g12 = narrow(g)
    inner, g9, g10 = widen(gelu(inner))
    inner, g7, g8 = norm2(inner)
    g = g + inner
    inner, g5, g6 = project(g)
    inner, g3, g4 = qkv(attend(inner))
    inner, g1, g2 = norm1(inner)
    g = g + inner
    g0 = np.zeros_like(p[0])
    np.add.at(g0, x, g)
    return loss, [g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, g10, g11, g12, g13, g14, g15]
