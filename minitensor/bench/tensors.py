"""The work with tensors: the same lines run on minitensor and on PyTorch, given as ``lib``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import data

Step = Callable[[], tuple[float, str]]  # does the work once; returns its loss and dtype


def dtype_of(t: Any) -> str:
    """The dtype's name, such as "float32"."""
    return str(t.dtype).rsplit(".", 1)[-1]


def chain(lib: Any) -> Step:
    """333 times add, multiply, tanh on 32 values, forward and backward."""
    x, w, b = (lib.from_numpy(v) for v in data.chain())
    x.requires_grad_(), w.requires_grad_()

    def step() -> tuple[float, str]:
        x.grad = w.grad = None
        y = x
        for _ in range(333):
            y = ((y + b) * w).tanh()
        loss = y.sum()
        loss.backward()
        return float(w.grad.sum()), dtype_of(w.grad)

    return step


def forward_only(lib: Any) -> Step:
    """The same chain forward, with recording off."""
    x, w, b = (lib.from_numpy(v) for v in data.chain())

    def step() -> tuple[float, str]:
        y = x
        with lib.no_grad():
            for _ in range(333):
                y = ((y + b) * w).tanh()
            return float(y.sum()), dtype_of(y)

    return step


def deep(lib: Any) -> Step:
    """100,000 adds, one on top of the other, then backward through all of them."""
    x = lib.from_numpy(data.chain(1)[0]).requires_grad_()
    one = lib.from_numpy(data.chain(1)[2])

    def step() -> tuple[float, str]:
        x.grad = None
        y = x
        for _ in range(100_000):
            y = y + one
        y.backward()
        return float(x.grad.sum()), dtype_of(x.grad)

    return step


def elementwise(lib: Any) -> Step:
    """tanh(a*b+c).sum() on 10 million values, forward and backward."""
    a, b, c = (lib.from_numpy(v).requires_grad_() for v in data.chain(10_000_000))

    def step() -> tuple[float, str]:
        a.grad = b.grad = c.grad = None
        (a * b + c).tanh().sum().backward()
        return float(a.grad[-1]), dtype_of(a.grad)

    return step


def training(lib: Any, made: Any, loss_of: Callable[..., Any], optimiser: Any, steps: int) -> Step:
    """``steps`` steps of training from the same start; the loss is that of the last one."""
    x, target, start = made
    x, target = lib.from_numpy(x), lib.from_numpy(target)

    def step() -> tuple[float, str]:
        parameters = [lib.from_numpy(p.copy()).requires_grad_() for p in start]
        chosen = optimiser(parameters)
        for _ in range(steps):
            chosen.zero_grad()
            loss = loss_of(lib, x, target, parameters)
            loss.backward()
            chosen.step()
        return float(loss.detach()), dtype_of(parameters[0])

    return step


def sgd(lib: Any, momentum: float = 0.0) -> Callable[..., Any]:
    """Gradient descent on a list of parameters."""
    rate = data.LEARNING_RATE
    return lambda parameters: lib.optim.SGD(parameters, lr=rate, momentum=momentum)


def small_mlp(lib: Any) -> Step:
    """2-16-16-1 with tanh, 100 points, mean squared error, SGD: 20 steps."""

    def loss_of(lib: Any, x: Any, target: Any, p: Any) -> Any:
        F = lib.nn.functional
        h = F.linear(x, p[0], p[1]).tanh()
        h = F.linear(h, p[2], p[3]).tanh()
        return F.mse_loss(F.linear(h, p[4], p[5]), target)

    return training(lib, data.mlp((2, 16, 16, 1), 100), loss_of, sgd(lib), 20)


def mlp(lib: Any) -> Step:
    """784-256-128-10 with relu, batch 128, cross-entropy, SGD: 5 steps."""

    def loss_of(lib: Any, x: Any, target: Any, p: Any) -> Any:
        F = lib.nn.functional
        h = F.relu(F.linear(x, p[0], p[1]))
        h = F.relu(F.linear(h, p[2], p[3]))
        return F.cross_entropy(F.linear(h, p[4], p[5]), target)

    return training(lib, data.mlp((784, 256, 128, 10), 128), loss_of, sgd(lib), 5)


def cnn(lib: Any) -> Step:
    """conv3x3(8)-relu-pool2-conv3x3(16)-relu-pool2-linear, cross-entropy, momentum: 2 steps."""

    def loss_of(lib: Any, x: Any, target: Any, p: Any) -> Any:
        F = lib.nn.functional
        h = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1])), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3])), 2)
        return F.cross_entropy(F.linear(h.flatten(1), p[4], p[5]), target)

    return training(lib, data.cnn(), loss_of, sgd(lib, 0.9), 2)


def transformer(lib: Any) -> Step:
    """One causal block, B 16, T 64, C 128, 4 heads, 65 characters, Adam: 2 steps."""
    width, heads = data.WIDTH, data.HEADS

    def loss_of(lib: Any, x: Any, target: Any, p: Any) -> Any:
        F = lib.nn.functional
        h = F.embedding(x, p[0])
        B, T, C = h.shape
        normed = F.layer_norm(h, (width,), p[1], p[2])
        parts = F.linear(normed, p[3], p[4]).view(B, T, 3 * heads, C // heads)
        q, k, v = parts.transpose(1, 2).chunk(3, dim=1)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + F.linear(seen.transpose(1, 2).reshape(B, T, C), p[5], p[6])
        normed = F.layer_norm(h, (width,), p[7], p[8])
        inner = F.gelu(F.linear(normed, p[9], p[10]), approximate="tanh")
        h = h + F.linear(inner, p[11], p[12])
        logits = F.linear(F.layer_norm(h, (width,), p[13], p[14]), p[15])
        return F.cross_entropy(logits.flatten(0, 1), target.flatten())

    def adam(parameters: Any) -> Any:
        return lib.optim.Adam(parameters, lr=1e-3)

    return training(lib, data.transformer(), loss_of, adam, 2)
