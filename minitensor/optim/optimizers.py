"""The optimisers: each is a table of settings and one update, written as its paper writes it.

In ``update``, ``p`` is a parameter's array, ``g`` its gradient (weight decay included), ``c`` the
numbers of this step. Everything is elementwise and in place.
"""

from __future__ import annotations

import math
from typing import Any

from .. import kernels
from ..backend import Array
from .optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent, with momentum and weight decay where asked for.

    Buffer b = momentum b + (1 - dampening) g, at first b = g; then p -= lr b, and with ``nesterov``
    p -= lr (g + momentum b). Sutskever et al., 2013. Raises ValueError for settings out of range.
    """

    options = ("foreach", "differentiable", "fused")
    counts = False

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False, **options: Any,
    ):  # fmt: skip
        self._begin(
            params, options, lr=lr, momentum=momentum, dampening=dampening,
            weight_decay=weight_decay, nesterov=nesterov, maximize=maximize,
        )  # fmt: skip
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def slots(self, group: dict[str, Any]) -> Any:
        """The running mean of gradients, if there is momentum."""
        return ("momentum_buffer",) if group["momentum"] else ()

    def constants(self, c: Any, group: dict[str, Any], count: float) -> None:
        """At the first step nothing is dampened."""
        c.momentum, c.nesterov = group["momentum"], group["nesterov"]
        c.fresh = 1 if count == 1 else 1 - group["dampening"]

    def update(self, xp: Any, c: Any, p: Array, g: Array, *state: Array) -> None:
        """See the class."""
        for b in state:
            b *= c.momentum
            b += g if c.fresh == 1 else c.fresh * g
            g = g + c.momentum * b if c.nesterov else b
        p -= c.lr * g


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015; ``amsgrad``: Reddi et al., 2018).

    m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g²; p -= lr m' / (sqrt(v') + eps), where
    m' = m / (1 - b1^t) and v' = v / (1 - b2^t). Raises ValueError for settings out of range.
    """

    options = ("foreach", "capturable", "differentiable", "fused")

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
        maximize: bool = False, decoupled_weight_decay: bool = False, **options: Any,
    ):  # fmt: skip
        self._begin(
            params, options, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay,
            amsgrad=amsgrad, maximize=maximize, decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip

    def slots(self, group: dict[str, Any]) -> Any:
        """m, v and, with ``amsgrad``, the largest v so far."""
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 3 if group["amsgrad"] else 2]

    def constants(self, c: Any, group: dict[str, Any], count: float) -> None:
        """The corrections for m and v having started at zero, drawn out of the fraction."""
        beta1, beta2 = map(float, group["betas"])
        root = math.sqrt(1 - beta2**count)
        c.rate, c.eps = c.lr / (1 - beta1**count) * root, group["eps"] * root
        c.beta1, c.beta2, c.rest1, c.rest2 = beta1, beta2, 1 - beta1, 1 - beta2

    def update(self, xp: Any, c: Any, p: Array, g: Array, *state: Array) -> None:
        """See the class."""
        m, v, *largest = state
        if kernels.is_gpu(xp) and not largest:
            return kernels.adam(xp, c, p, g, m, v)  # one launch, where the lines below take ten
        m += c.rest1 * (g - m)
        v *= c.beta2
        v += c.rest2 * (g * g)
        for most in largest:
            xp.maximum(most, v, out=most)
            v = most
        ratio = xp.sqrt(v)
        ratio += c.eps
        ratio = m / ratio
        ratio *= c.rate
        p -= ratio


class AdamW(Adam):
    """Adam whose weight decay shrinks p itself: p *= 1 - lr weight_decay (Loshchilov and Hutter).

    Raises ValueError for settings out of range.
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, **options: Any,
    ):  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, decoupled_weight_decay=True, **options
        )


class RMSprop(Optimizer):
    """Divide the gradient by the root of a running mean of its square (Hinton's lecture 6).

    v = alpha v + (1 - alpha) g²; ``centered`` takes the square of the mean off; p -= lr g /
    (sqrt(v) + eps), or that goes through a momentum buffer. Raises ValueError as SGD does.
    """

    options = ("foreach", "capturable", "differentiable")

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False, *,
        maximize: bool = False, **options: Any,
    ):  # fmt: skip
        self._begin(
            params, options, lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered,
            weight_decay=weight_decay, maximize=maximize,
        )  # fmt: skip

    def slots(self, group: dict[str, Any]) -> Any:
        """v, and where asked for the momentum buffer and the mean."""
        wanted = {"square_avg": True, "momentum_buffer": group["momentum"] > 0}
        return [name for name, on in {**wanted, "grad_avg": group["centered"]}.items() if on]

    def constants(self, c: Any, group: dict[str, Any], count: float) -> None:
        """The settings as they are."""
        c.alpha, c.rest, c.eps = group["alpha"], 1 - group["alpha"], group["eps"]
        c.momentum, c.centered = group["momentum"], group["centered"]

    def update(self, xp: Any, c: Any, p: Array, g: Array, *state: Array) -> None:
        """See the class."""
        v, *more = state
        v *= c.alpha
        v += c.rest * (g * g)
        spread = v
        if c.centered:
            mean = more[-1]
            mean += c.rest * (g - mean)
            spread = v - mean * mean
        ratio = xp.sqrt(spread)
        ratio += c.eps
        ratio = g / ratio
        if c.momentum > 0:
            b = more[0]
            b *= c.momentum
            b += ratio
            ratio = b
        p -= c.lr * ratio


class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares (Duchi et al., 2011).

    s += g²; p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps). Raises ValueError as SGD does.
    """

    options = ("foreach", "differentiable", "fused")

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False,
        **options: Any,
    ):  # fmt: skip
        self._begin(
            params, options, lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, maximize=maximize,
        )  # fmt: skip

    def slots(self, group: dict[str, Any]) -> Any:
        """The sum of squares."""
        return ("sum",)

    def start(self, group: dict[str, Any]) -> float:
        """``initial_accumulator_value``."""
        return float(group["initial_accumulator_value"])

    def constants(self, c: Any, group: dict[str, Any], count: float) -> None:
        """The learning rate as it has decayed."""
        c.rate, c.eps = c.lr / (1 + (count - 1) * group["lr_decay"]), group["eps"]

    def update(self, xp: Any, c: Any, p: Array, g: Array, *state: Array) -> None:
        """See the class."""
        (total,) = state
        total += g * g
        p -= c.rate * (g / (xp.sqrt(total) + c.eps))


class Adadelta(Optimizer):
    """Steps in the unit of the parameter itself (Zeiler, 2012).

    v = rho v + (1 - rho) g²; d = g sqrt(u + eps) / sqrt(v + eps); u = rho u + (1 - rho) d²;
    p -= lr d. Raises ValueError as SGD does, and for rho > 1.
    """

    options = ("foreach", "capturable", "differentiable")

    def __init__(
        self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0, *, maximize: bool = False, **options: Any,
    ):  # fmt: skip
        if rho > 1:
            raise ValueError(f"Invalid rho value: {rho}")
        self._begin(
            params, options, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def slots(self, group: dict[str, Any]) -> Any:
        """v and u."""
        return ("square_avg", "acc_delta")

    def constants(self, c: Any, group: dict[str, Any], count: float) -> None:
        """The settings as they are."""
        c.rho, c.rest, c.eps = group["rho"], 1 - group["rho"], group["eps"]

    def update(self, xp: Any, c: Any, p: Array, g: Array, *state: Array) -> None:
        """See the class."""
        v, u = state
        v *= c.rho
        v += c.rest * (g * g)
        d = g * (xp.sqrt(u + c.eps) / xp.sqrt(v + c.eps))
        u *= c.rho
        u += c.rest * (d * d)
        p -= c.lr * d
