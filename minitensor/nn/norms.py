"""Normalising modules: by batch, by sample, by layer, by groups of channels."""

from __future__ import annotations

from typing import Any

from .. import creation
from ..core import Tensor
from . import functional as F
from .module import Module, options
from .parameter import Parameter
from .simple import each

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "LayerNorm",
    "RMSNorm",
]  # fmt: skip


class _Affine(Module):
    """What they share: a weight of ones and a bias of zeros, where they are wanted."""

    eps: Any

    def _scales(self, shape: Any, affine: bool, bias: bool, place: dict[str, Any]) -> None:
        weight = Parameter(creation.ones(shape, **place)) if affine else None
        self.register_parameter("weight", weight)
        shift = Parameter(creation.zeros(shape, **place)) if affine and bias else None
        self.register_parameter("bias", shift)

    def reset_parameters(self) -> None:
        """Make the weight ones and the bias zeros again."""
        for p, value in ((self.weight, 1.0), (self.bias, 0.0)):
            if p is not None:
                p.data.fill_(value)


AVERAGES = ("running_mean", "running_var", "num_batches_tracked")


class _ByChannel(_Affine):
    """Batch and instance norms: channels are the second dimension; they can keep averages."""

    dims: tuple[int, ...]  # how many dimensions an input may have
    batch = True

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ):  # fmt: skip
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._scales(num_features, affine, bias, place)
        kept: Any = (None,) * 3
        if track_running_stats:
            kept = (creation.zeros(num_features, **place), creation.ones(num_features, **place))
            kept += (creation.tensor(0, device=device),)
        for name, tensor in zip(AVERAGES, kept, strict=True):
            self.register_buffer(name, tensor)

    def reset_running_stats(self) -> None:
        """Forget the averages."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the averages; make the weight ones and the bias zeros again."""
        self.reset_running_stats()
        super().reset_parameters()

    def _share(self) -> float:
        """How much a new batch counts in the averages; momentum None averages over all batches."""
        if not self.training or not self.track_running_stats:
            return self.momentum or 0.0
        self.num_batches_tracked.add_(1)
        if self.momentum is None:
            return 1.0 / float(self.num_batches_tracked.item())
        return self.momentum

    def _check(self, input: Tensor) -> None:
        if input.array.ndim not in self.dims:
            words = " or ".join(f"{n}D" for n in self.dims)
            raise ValueError(f"expected {words} input (got {input.array.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input, of the same shape. Raises ValueError for other dimensions."""
        self._check(input)
        share = self._share()
        by_input = self.training or self.running_mean is None
        keep = not self.training or self.track_running_stats
        averages = (self.running_mean, self.running_var) if keep else (None, None)
        return F.batch_norm(input, *averages, self.weight, self.bias, by_input, share, self.eps)

    def extra_repr(self) -> str:
        """The size and the options."""
        return (
            f"{self.num_features}, {options(self, 'eps momentum affine')}, "
            f"bias={self.bias is not None}, {options(self, 'track_running_stats')}"
        )


class BatchNorm1d(_ByChannel):
    """Each channel of (N, C) or (N, C, L) to mean 0 and variance 1 over the batch."""

    dims = (2, 3)


class BatchNorm2d(_ByChannel):
    """Each channel of (N, C, H, W) to mean 0 and variance 1 over the batch."""

    dims = (4,)


class _InstanceNorm(_ByChannel):
    """Each channel of each sample by itself; unlike batch norms, plain unless told otherwise."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ):  # fmt: skip
        rest = (affine, track_running_stats, device, dtype)
        super().__init__(num_features, eps, momentum, *rest, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input, of the same shape; one sample may come without its batch."""
        self._check(input)
        x: Any = input
        if x.ndim < max(self.dims):
            return self.forward(x.unsqueeze(0)).squeeze(0)  # type: ignore[attr-defined]
        if x.shape[1] != self.num_features and self.affine:
            raise ValueError(
                f"expected input's size at dim=1 to match num_features ({self.num_features}), "
                f"but got: {x.shape[1]}."
            )
        by_input = self.training or not self.track_running_stats
        rest = (by_input, self.momentum or 0.0, self.eps)
        return F.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, *rest
        )


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (N, C, L) or (C, L) to mean 0 and variance 1."""

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each sample of (N, C, H, W) or (C, H, W) to mean 0 and variance 1."""

    dims = (3, 4)


class _LastDims(_Affine):
    """Layer and RMS norms: over the last dimensions, ``normalized_shape``."""

    def _over(self, shape: Any, eps: Any, affine: bool, bias: bool, place: Any) -> None:
        self.normalized_shape, self.eps = each(shape, 1), eps
        self.elementwise_affine = affine
        self._scales(self.normalized_shape, affine, bias, place)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return f"{self.normalized_shape}, {options(self, 'eps elementwise_affine')}"


class LayerNorm(_LastDims):
    """The last dimensions, ``normalized_shape``, to mean 0 and variance 1."""

    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self._over(normalized_shape, eps, elementwise_affine, bias, place)

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input, of the same shape."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return f"{super().extra_repr()}, bias={self.bias is not None}"


class RMSNorm(_LastDims):
    """The last dimensions, ``normalized_shape``, to a mean square of 1; there is no bias."""

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True,
        device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self._over(normalized_shape, eps, elementwise_affine, False, place)

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input, of the same shape."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)


class GroupNorm(_Affine):
    """Groups of channels of each sample of (N, C, ...) to mean 0 and variance 1.

    Raises ValueError if ``num_groups`` does not divide ``num_channels``.
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ):  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self._scales(num_channels, affine, bias, {"device": device, "dtype": dtype})

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input, of the same shape."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The sizes and the options."""
        sizes = f"{self.num_groups}, {self.num_channels}, {options(self, 'eps affine')}"
        return f"{sizes}, bias={self.bias is not None}"
