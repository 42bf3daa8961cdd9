"""Gradients kept small, and parameters as one vector: PyTorch's ``torch.nn.utils``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import autograd, creation, functions, functions_math
from ..core import Tensor, refusal

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
    "parameters_to_vector", "vector_to_parameters",
]  # fmt: skip


def _gradients(parameters: Any) -> list[Any]:
    """The gradients of a parameter or of several, where there are any."""
    given: list[Any] = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad for p in given if p.grad is not None]


@autograd.no_grad()
def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:  # fmt: skip
    """The norm of several tensors as if they were one vector: a 0-d tensor.

    Raises RuntimeError for a norm that is not finite, if ``error_if_nonfinite``.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not tensors:
        return creation.tensor(0.0)
    norms = [functions_math.norm(t, float(norm_type)) for t in tensors]
    first: Any = norms[0]
    moved: list[Any] = [n.to(first.device) for n in norms]  # type: ignore[attr-defined]
    total: Any = functions_math.norm(functions.stack(moved), float(norm_type))
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@autograd.no_grad()
def clip_grads_with_norm_(
    parameters: Any, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale the gradients so that their norm, now ``total_norm``, is at most ``max_norm``."""
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for g in _gradients(parameters):
        g.mul_(factor.to(g.device))


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:  # fmt: skip
    """Scale the gradients of all parameters so that their joint norm is at most ``max_norm``.

    Returns the norm that they had. Raises as ``get_total_norm``.
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


@autograd.no_grad()
def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Cut every number in the gradients to the range from -clip_value to clip_value."""
    for g in _gradients(parameters):
        g.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters in one vector, one after the other."""
    return functions.cat([functions.reshape(p, (-1,)) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let the parameters be the parts of a vector, in order; they share its memory.

    Raises TypeError if ``vec`` is no Tensor.
    """
    if not isinstance(vec, Tensor):
        raise refusal("vector_to_parameters", "vec", vec)
    start, p = 0, None
    for p in parameters:
        part: Any = vec
        part = part[start : start + p.array.size].view(p.array.shape)
        p.data = part.detach()  # type: ignore[attr-defined]
        start += p.array.size
