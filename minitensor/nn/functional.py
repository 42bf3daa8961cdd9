"""PyTorch's ``torch.nn.functional``: what layers compute, as plain functions.

The functions are in the files beside this one and, where they need no weights, on floor 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import functions_conv, functions_forms, functions_index, functions_shape, functions_table
from ..core import Tensor
from . import (
    functional_activations,
    functional_image,
    functional_layers,
    functional_losses,
    functional_norm,
)

# Where each function is. On their way to users they learn to say which argument is wrong.
FAMILIES: dict[Any, str] = {
    functional_layers: (
        "alpha_dropout bilinear dropout dropout1d dropout2d dropout3d embedding "
        "feature_alpha_dropout linear scaled_dot_product_attention"
    ),
    functional_activations: (
        "celu elu gelu glu gumbel_softmax hardshrink hardsigmoid hardswish hardtanh leaky_relu "
        "log_softmax logsigmoid mish prelu relu relu6 selu silu softmax softmin softplus "
        "softshrink softsign tanhshrink threshold"
    ),
    functional_losses: (
        "binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss "
        "cosine_similarity cross_entropy hinge_embedding_loss huber_loss kl_div l1_loss "
        "margin_ranking_loss mse_loss nll_loss pairwise_distance smooth_l1_loss "
        "triplet_margin_loss"
    ),
    functional_norm: "batch_norm group_norm instance_norm layer_norm normalize rms_norm",
    functional_image: (
        "adaptive_avg_pool1d adaptive_max_pool1d adaptive_max_pool2d interpolate lp_pool1d "
        "lp_pool2d pixel_shuffle pixel_unshuffle"
    ),
    functions_conv: (
        "adaptive_avg_pool2d avg_pool1d avg_pool2d conv1d conv2d conv_transpose2d fold max_pool1d "
        "max_pool2d unfold"
    ),
    functions_index: "one_hot",
    functions_shape: "pad",
}
CHANGING = "celu elu hardtanh leaky_relu relu selu threshold".split()  # also as f_(x)
sigmoid, tanh = (functions_table.public_methods()[name] for name in ("sigmoid", "tanh"))
__all__ = [name for names in FAMILIES.values() for name in names.split()] + ["sigmoid", "tanh"]
__all__ += [f"{name}_" for name in CHANGING]
globals().update({
    name: functions_forms.public(getattr(family, name))
    for family, names in FAMILIES.items() for name in names.split()
})  # fmt: skip


def _changing(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An activation that writes its result into its input."""

    def call(*args: Any, **kwargs: Any) -> Tensor:
        return function(*args, **kwargs, inplace=True)

    call.__name__ = call.__qualname__ = f"{function.__name__}_"
    call.__doc__ = f"``{function.__name__}``, written into ``input``, which is returned."
    return call


globals().update({f"{name}_": _changing(globals()[name]) for name in CHANGING})


def __getattr__(name: str) -> Any:
    """Say what is missing in words that help."""
    raise AttributeError(
        f"module 'minitensor.nn.functional' has no attribute '{name}'. If PyTorch has it, "
        "course/reference/differences.md says what else does what it does.",
        name=name,
    )
