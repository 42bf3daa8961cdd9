"""Modules with weights: linear layers, convolutions, embeddings; and padding.

Weights start as PyTorch's do: same seed, same numbers. So they are drawn in its order.
"""

from __future__ import annotations

import math
from typing import Any

from .. import autograd, creation
from ..core import Tensor
from . import functional as F
from . import init
from .module import Module, options, unusual
from .parameter import Parameter, UninitializedParameter

__all__ = ["Bilinear", "Embedding", "Identity", "LazyLinear", "Linear", "PReLU"]


def parameter(*shape: int, device: Any = None, dtype: Any = None) -> Parameter:
    """A parameter of arbitrary values."""
    return Parameter(creation.empty(shape, device=device, dtype=dtype))


def start(weight: Parameter, bias: Parameter | None) -> None:
    """Fill a weight and then a bias with PyTorch's first values: uniform, by the fan-in."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    fan_in = math.prod(weight.array.shape[1:])
    bound = 1 / math.sqrt(fan_in) if fan_in else 0
    if bias is not None:
        init.uniform_(bias, -bound, bound)


class Identity(Module):
    """Gives back its input; any arguments are accepted."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input."""
        return input


class Linear(Module):
    """``x @ weight.T + bias``: (..., in_features) to (..., out_features)."""

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self.in_features, self.out_features = in_features, out_features
        self.weight = parameter(out_features, in_features, **place)
        self.register_parameter("bias", parameter(out_features, **place) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        start(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """The image of the input."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{options(self, 'in_features out_features')}, bias={self.bias is not None}"


class LazyLinear(Linear):
    """A Linear that learns ``in_features`` from its first input, and then becomes a Linear."""

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        Module.__init__(self)
        self.in_features, self.out_features = 0, out_features
        self.weight: Any = UninitializedParameter(device=device, dtype=dtype)
        bias_ = UninitializedParameter(device=device, dtype=dtype) if bias else None
        self.register_parameter("bias", bias_)

    def forward(self, input: Tensor) -> Tensor:
        """The image of the input."""
        fresh = isinstance(self.weight, UninitializedParameter)
        self.in_features = input.array.shape[-1] if fresh else self.weight.shape[1]
        self.__class__ = Linear  # type: ignore[assignment]
        if fresh:
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()
        return self.forward(input)


class Bilinear(Module):
    """``x1 @ weight[k] @ x2 + bias[k]`` for each of ``out_features``."""

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        place = {"device": device, "dtype": dtype}
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        self.weight = parameter(out_features, in1_features, in2_features, **place)
        self.register_parameter("bias", parameter(out_features, **place) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """(..., in1_features) and (..., in2_features) to (..., out_features)."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        sizes = options(self, "in1_features in2_features out_features")
        return f"{sizes}, bias={self.bias is not None}"


class PReLU(Module):
    """``max(0, x) + weight * min(0, x)`` with a trained weight, one or one for each channel."""

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(
            creation.full((num_parameters,), float(init), device=device, dtype=dtype)
        )

    def forward(self, input: Tensor) -> Tensor:
        """The rectified input."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """How many weights."""
        return options(self, "num_parameters")


class Embedding(Module):
    """A table of vectors: indices of any shape to vectors, (...) to (..., embedding_dim).

    ``padding_idx``: the row that is zero and gets no gradient. ``max_norm``: rows that are looked
    up are shortened to it, in place. Raises AssertionError for a ``padding_idx`` out of range.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Tensor | None = None, _freeze: bool = False,
        device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx, self.max_norm, self.norm_type = padding_idx, max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        shape = (num_embeddings, embedding_dim)
        if _weight is not None and _weight.array.shape != shape:
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
        values = creation.empty(shape, device=device, dtype=dtype) if _weight is None else _weight
        self.weight = Parameter(values, not _freeze)
        if _weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with autograd.no_grad():
                row: Any = self.weight
                row[self.padding_idx] = 0

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Any:  # fmt: skip
        """An Embedding around a table that exists, (num_embeddings, embedding_dim)."""
        if embeddings.array.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rest = (padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, freeze)
        make: Any = cls
        return make(*embeddings.array.shape, *rest)

    def forward(self, input: Tensor) -> Tensor:
        """The rows at the indices."""
        rest = (self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse)
        return F.embedding(input, self.weight, self.padding_idx, *rest)

    def extra_repr(self) -> str:
        """The sizes, and the options that are set."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2}
        rest = unusual(self, **usual, scale_grad_by_freq=False, sparse=False)
        return f"{self.num_embeddings}, {self.embedding_dim}{rest}"
