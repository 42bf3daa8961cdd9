"""gradcheck and gradgradcheck: a rule's answer held against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import autograd, backend
from .core import Tensor, wrap


class GradcheckError(RuntimeError):
    """Raised where the analytic gradient and the numeric one differ."""


def numeric_jacobian(
    f: Callable[[], list[np.ndarray]], x: np.ndarray, eps: float
) -> list[np.ndarray]:
    """Central differences of every output of ``f`` by every element of ``x``.

    ``f`` takes no argument: it reads ``x``, which is changed in place and put back. Returns one
    array of shape (outputs' elements, x's elements) for each output.
    """
    columns: list[list[np.ndarray]] = []
    flat = x.reshape(-1)
    for i in range(flat.size):
        before = flat[i]
        flat[i] = before + eps
        up = [y.copy() for y in f()]
        flat[i] = before - eps
        down = [y.copy() for y in f()]
        flat[i] = before
        columns.append([(u - d).reshape(-1) / (2 * eps) for u, d in zip(up, down, strict=True)])
    if not columns:
        return [np.zeros((y.size, 0)) for y in f()]
    return [np.stack(column, axis=1) for column in zip(*columns, strict=True)]


def analytic_jacobian(out: Tensor, x: Tensor) -> np.ndarray:
    """The same by backward passes, one for each element of ``out``; (out elements, x elements)."""
    rows = []
    for i in range(out.array.size):
        seed = np.zeros(out.array.size, out.array.dtype)
        seed[i] = 1
        g = autograd.grad(
            out,
            x,
            wrap(_as(seed.reshape(out.array.shape), out)),
            retain_graph=True,
            allow_unused=True,
        )[0]
        rows.append(np.zeros(x.array.size) if g is None else backend.to_numpy(g.array).reshape(-1))
    return np.stack(rows) if rows else np.zeros((0, x.array.size))


def _as(values: np.ndarray, like: Tensor) -> Any:
    return backend.MODULES[type(like.array)].asarray(values)


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of ``func`` at ``inputs`` (float64 leaves) with central differences.

    Returns True where they agree to ``atol + rtol * |numeric|``. Where they do not, raises
    GradcheckError, or returns False if ``raise_exception`` is False. Raises ValueError if no
    input requires a gradient.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [x for x in inputs if isinstance(x, Tensor) and x.needs_grad]
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them "
            "have requires_grad=True."
        )
    try:
        for x in checked:
            _check_input(func, inputs, x, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    """The tensors that ``func`` gives, but for whole numbers, which have no derivative."""
    answer = func(*inputs)
    answer = [answer] if isinstance(answer, Tensor) else answer
    return [t for t in answer if isinstance(t, Tensor) and t.array.dtype.kind == "f"]


def _check_input(
    func: Callable[..., Any], inputs: Sequence[Any], x: Tensor, eps: float, atol: float, rtol: float
) -> None:
    def values() -> list[np.ndarray]:
        return [backend.to_numpy(t.array) for t in _outputs(func, inputs)]

    host = backend.to_numpy(x.array)
    if host is not x.array or not x.array.flags.c_contiguous:
        raise ValueError("gradcheck needs contiguous inputs on the CPU")
    with autograd.no_grad():
        numeric = numeric_jacobian(values, host, eps)
    for i, (out, want) in enumerate(zip(_outputs(func, inputs), numeric, strict=True)):
        if not out.needs_grad:
            got = np.zeros_like(want)
        else:
            got = analytic_jacobian(out, x)
        if not np.allclose(got, want, rtol=rtol, atol=atol):
            j = next(k for k, other in enumerate(inputs) if other is x)
            raise GradcheckError(
                f"Jacobian mismatch for output {i} with respect to input {j},\n"
                f"numerical:\n{want}\nanalytical:\n{got}"
            )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """``gradcheck`` of the gradients: compares second derivatives with differences of the first.

    The upstream gradients are fixed random arrays. Returns and raises as ``gradcheck``.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    rng = np.random.default_rng(0)
    seeds = [
        wrap(_as(np.asarray(rng.standard_normal(t.array.shape)), t)) if t.needs_grad else None
        for t in _outputs(func, inputs)
    ]

    def first(*args: Any) -> Any:
        with autograd.enable_grad():
            outs = _outputs(func, args)
            pairs = [(o, s) for o, s in zip(outs, seeds, strict=True) if s is not None]
            targets = [a for a in args if isinstance(a, Tensor) and a.needs_grad]
            got = autograd.grad(
                [o for o, _ in pairs], targets, [s for _, s in pairs],
                create_graph=True, materialize_grads=True,
            )  # fmt: skip
        return got

    return gradcheck(first, inputs, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
