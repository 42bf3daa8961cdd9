"""Modules without weights: activations, losses, pooling, dropout and their kin, from one table.

Such a module is a function of ``nn.functional`` that remembers its arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import functions, functions_shape
from . import functional
from .functional_losses import chosen
from .module import Module

OLDER = "size_average=None, reduce=None"  # PyTorch's older names for the reduction
LOSS = f"{OLDER}, reduction='mean'"
WINDOW = "kernel_size, stride=None, padding=0"
# Module: its function, and the arguments that it is made with.
TABLE = {
    "CELU": "celu(alpha=1.0, inplace=False)",
    "ELU": "elu(alpha=1.0, inplace=False)",
    "GELU": "gelu(approximate='none')",
    "GLU": "glu(dim=-1)",
    "Hardshrink": "hardshrink(lambd=0.5)",
    "Hardsigmoid": "hardsigmoid(inplace=False)",
    "Hardswish": "hardswish(inplace=False)",
    "Hardtanh": "hardtanh(min_val=-1.0, max_val=1.0, inplace=False)",
    "LeakyReLU": "leaky_relu(negative_slope=0.01, inplace=False)",
    "LogSigmoid": "logsigmoid()",
    "LogSoftmax": "log_softmax(dim=None)",
    "Mish": "mish(inplace=False)",
    "ReLU": "relu(inplace=False)",
    "ReLU6": "relu6(inplace=False)",
    "SELU": "selu(inplace=False)",
    "SiLU": "silu(inplace=False)",
    "Sigmoid": "sigmoid()",
    "Softmax": "softmax(dim=None)",
    "Softmin": "softmin(dim=None)",
    "Softplus": "softplus(beta=1.0, threshold=20.0)",
    "Softshrink": "softshrink(lambd=0.5)",
    "Softsign": "softsign()",
    "Tanh": "tanh()",
    "Tanhshrink": "tanhshrink()",
    "Threshold": "threshold(threshold, value, inplace=False)",
    # losses
    "BCELoss": f"binary_cross_entropy(weight=None, {LOSS})",
    "BCEWithLogitsLoss": f"binary_cross_entropy_with_logits(weight=None, {LOSS}, pos_weight=None)",
    "CosineEmbeddingLoss": f"cosine_embedding_loss(margin=0.0, {LOSS})",
    "CrossEntropyLoss": "cross_entropy(weight=None, size_average=None, ignore_index=-100, "
                        "reduce=None, reduction='mean', label_smoothing=0.0)",
    "HingeEmbeddingLoss": f"hinge_embedding_loss(margin=1.0, {LOSS})",
    "HuberLoss": "huber_loss(reduction='mean', delta=1.0)",
    "KLDivLoss": f"kl_div({LOSS}, log_target=False)",
    "L1Loss": f"l1_loss({LOSS})",
    "MSELoss": f"mse_loss({LOSS})",
    "MarginRankingLoss": f"margin_ranking_loss(margin=0.0, {LOSS})",
    "NLLLoss": "nll_loss(weight=None, size_average=None, ignore_index=-100, reduce=None, "
               "reduction='mean')",
    "SmoothL1Loss": f"smooth_l1_loss({LOSS}, beta=1.0)",
    "TripletMarginLoss": f"triplet_margin_loss(margin=1.0, p=2.0, eps=1e-06, swap=False, {LOSS})",
    # distances, dropout, pooling, shapes
    "CosineSimilarity": "cosine_similarity(dim=1, eps=1e-08)",
    "PairwiseDistance": "pairwise_distance(p=2.0, eps=1e-06, keepdim=False)",
    "AlphaDropout": "alpha_dropout(p=0.5, inplace=False)",
    "Dropout": "dropout(p=0.5, inplace=False)",
    "Dropout1d": "dropout1d(p=0.5, inplace=False)",
    "Dropout2d": "dropout2d(p=0.5, inplace=False)",
    "AdaptiveAvgPool2d": "adaptive_avg_pool2d(output_size)",
    "AvgPool1d": f"avg_pool1d({WINDOW}, ceil_mode=False, count_include_pad=True)",
    "AvgPool2d": f"avg_pool2d({WINDOW}, ceil_mode=False, count_include_pad=True, "
                 "divisor_override=None)",
    "MaxPool1d": f"max_pool1d({WINDOW}, dilation=1, return_indices=False, ceil_mode=False)",
    "MaxPool2d": f"max_pool2d({WINDOW}, dilation=1, return_indices=False, ceil_mode=False)",
    "Flatten": "flatten(start_dim=1, end_dim=-1)",
    "Fold": "fold(output_size, kernel_size, dilation=1, padding=0, stride=1)",
    "PixelShuffle": "pixel_shuffle(upscale_factor)",
    "Unflatten": "unflatten(dim, unflattened_size)",
    "Unfold": "unfold(kernel_size, dilation=1, padding=0, stride=1)",
    "Upsample": "interpolate(size=None, scale_factor=None, mode='nearest', align_corners=None, "
                "recompute_scale_factor=None)",
}  # fmt: skip
# What `repr` shows, where that is not each argument as name=value (`inplace` only if it is set).
AVG_POOL = "kernel_size={kernel_size}, stride={stride}, padding={padding}"
MAX_POOL = AVG_POOL + ", dilation={dilation}, ceil_mode={ceil_mode}"
DROPOUT = "p={p}, inplace={inplace}"
SHOWN = {
    "Hardshrink": "{lambd}", "Softshrink": "{lambd}", "Hardsigmoid": "", "Hardswish": "",
    "CosineSimilarity": "", "PairwiseDistance": "", "AvgPool1d": AVG_POOL, "AvgPool2d": AVG_POOL,
    "MaxPool1d": MAX_POOL, "MaxPool2d": MAX_POOL, "AlphaDropout": DROPOUT, "Dropout": DROPOUT,
    "Dropout1d": DROPOUT, "Dropout2d": DROPOUT,
}  # fmt: skip
NOT_IN_FUNCTIONAL = {
    "flatten": functions.flatten,
    "unflatten": lambda x, dim, unflattened_size: functions_shape.unflatten(
        x, dim, unflattened_size
    ),
}
BUFFERS = ("weight", "pos_weight")  # arguments of losses that move with the module


# -- arguments that are checked or completed -------------------------------------------------------


def each(value: Any, n: int) -> tuple[Any, ...]:
    """A tuple as it is, or one value ``n`` times."""
    return tuple(value) if isinstance(value, tuple | list) else (value,) * n


def _pool(values: dict[str, Any]) -> None:
    if values["stride"] is None:
        values["stride"] = values["kernel_size"]


def _avg_pool1d(values: dict[str, Any]) -> None:
    _pool(values)
    values.update({n: each(values[n], 1) for n in ("kernel_size", "stride", "padding")})


def _dropout(values: dict[str, Any]) -> None:
    if not 0 <= values["p"] <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {values['p']}")


def _hardtanh(values: dict[str, Any]) -> None:
    low, high = values["min_val"], values["max_val"]
    if not high > low:
        raise AssertionError(f"max_val ({high}) must be greater than min_val ({low})")


def _triplet(values: dict[str, Any]) -> None:
    if values["margin"] <= 0:
        raise ValueError(
            "TripletMarginLoss: expected margin to be greater than 0, got "
            f"{values['margin']} instead"
        )


def _unflatten(values: dict[str, Any]) -> None:
    sizes = values["unflattened_size"]
    if not isinstance(sizes, tuple | list):
        raise TypeError(
            f"unflattened_size must be a tuple of ints, but found type {type(sizes).__name__}"
        )
    for i, size in enumerate(sizes):
        if not isinstance(size, int):
            raise TypeError(
                "unflattened_size must be tuple of ints, but found element of type "
                f"{type(size).__name__} at pos {i}"
            )


def _upsample(values: dict[str, Any]) -> None:
    factor = values["scale_factor"]
    if factor is not None:
        several = isinstance(factor, tuple | list)
        values["scale_factor"] = tuple(map(float, factor)) if several else float(factor)


PREPARE: dict[str, Callable[[dict[str, Any]], None]] = {
    "AvgPool1d": _avg_pool1d, "AvgPool2d": _pool, "MaxPool1d": _pool, "MaxPool2d": _pool,
    "AlphaDropout": _dropout, "Dropout": _dropout, "Dropout1d": _dropout, "Dropout2d": _dropout,
    "Hardtanh": _hardtanh, "TripletMarginLoss": _triplet, "Unflatten": _unflatten,
    "Upsample": _upsample,
}  # fmt: skip


# -- the modules -----------------------------------------------------------------------------------


class Simple(Module):
    """Calls a function with the arguments that the module was made with."""

    _function: str
    _shown: str | None
    _prepare: Callable[[dict[str, Any]], None] | None
    _names: tuple[str, ...]

    def _setup(self, values: dict[str, Any]) -> None:
        """What ``__init__`` does with its arguments."""
        del values["self"]
        Module.__init__(self)
        if self._prepare is not None:
            self._prepare(values)
        if "reduce" in values:
            older = values.pop("size_average"), values.pop("reduce")
            values["reduction"] = chosen(*older, values["reduction"])
        for name, value in values.items():
            if name in BUFFERS:
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)
        self._names = tuple(values)

    def forward(self, *inputs: Any) -> Any:
        """The function of the inputs and of this module's attributes."""
        name = self._function
        function = NOT_IN_FUNCTIONAL.get(name) or getattr(functional, name)
        arguments = {name: getattr(self, name) for name in self._names}
        if "dropout" in name:
            arguments["training"] = self.training
        return function(*inputs, **arguments)

    def extra_repr(self) -> str:
        """The arguments, as PyTorch shows them."""
        values = {name: getattr(self, name) for name in self._names}
        if self._shown is not None:
            return self._shown.format(**values)
        shown = {n: v for n, v in values.items() if n != "inplace" or v}
        return ", ".join(f"{name}={value!r}" for name, value in shown.items())


def _made(name: str, text: str) -> type[Simple]:
    """The module ``name`` from a line of the table: a class with PyTorch's ``__init__``."""
    function, _, arguments = text.removesuffix(")").partition("(")
    prepare = PREPARE.get(name)
    members = {
        "__module__": __name__,
        "__doc__": f"``functional.{function}`` as a module, made by ``{name}({arguments})``.",
        "__init__": eval(f"lambda self, {arguments}: self._setup(locals())"),  # the text is ours
        "_function": function,
        "_shown": "" if name.endswith("Loss") else SHOWN.get(name),
        "_prepare": prepare and staticmethod(prepare),
    }
    members["__init__"].__qualname__ = f"{name}.__init__"
    return type(name, (Simple,), members)


MODULES: dict[str, Any] = {name: _made(name, text) for name, text in TABLE.items()}
_Upsample: Any = MODULES["Upsample"]


class Upsample(_Upsample):
    """``functional.interpolate`` as a module."""

    def extra_repr(self) -> str:
        """How much larger, or how large."""
        size = f"size={self.size}" if self.scale_factor is None else None
        return f"{size or f'scale_factor={self.scale_factor}'}, mode={self.mode!r}"


MODULES["Upsample"] = Upsample
globals().update(MODULES)
__all__ = [*MODULES]
