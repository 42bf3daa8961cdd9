"""Convolutions, and padding, as modules."""

from __future__ import annotations

from typing import Any

from ..core import Tensor
from . import functional as F
from .layers import parameter, start
from .module import Module, options, unusual
from .simple import each

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate"}
MODES["circular"] = "circular"


class _Conv(Module):
    """What convolutions share: their arguments, checked, their weights and their repr."""

    n: int  # dimensions of space
    transposed = False
    output_padding: tuple[int, ...]

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        n, name = self.n, type(self).__name__
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        for word, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{word} must be divisible by groups")
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of 'valid', 'same'"
            )
        if padding == "same" and any(s != 1 for s in each(stride, n)):
            raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in MODES:
            raise ValueError(
                f"padding_mode must be one of {list(MODES)}, but got padding_mode='{padding_mode}'"
            )
        if self.transposed and padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {name}')
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = each(kernel_size, n), each(stride, n)
        self.padding = padding if isinstance(padding, str) else each(padding, n)
        self.dilation, self.padding_mode = each(dilation, n), padding_mode
        self.output_padding = (0,) * n
        place = {"device": device, "dtype": dtype}
        ends = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = parameter(ends[0], ends[1] // groups, *self.kernel_size, **place)
        self.register_parameter("bias", parameter(out_channels, **place) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        start(self.weight, self.bias)

    def _sides(self) -> list[int]:
        """How much to pad on each side, the last dimension first, as ``F.pad`` wants it."""
        sides: list[int] = []
        for i in reversed(range(self.n)):
            if isinstance(self.padding, str):
                same = self.padding == "same"
                total = self.dilation[i] * (self.kernel_size[i] - 1) if same else 0
                sides += [total // 2, total - total // 2]
            else:
                sides += [self.padding[i]] * 2
        return sides

    def forward(self, input: Tensor) -> Tensor:
        """(N, in_channels, *space) to (N, out_channels, *space)."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._sides(), mode=MODES[self.padding_mode]), 0
        convolve = getattr(F, f"conv{self.n}d")
        rest = (self.stride, padding, self.dilation, self.groups)
        return convolve(input, self.weight, self.bias, *rest)

    def extra_repr(self) -> str:
        """The sizes, and the options that are set."""
        none, one = (0,) * self.n, (1,) * self.n
        usual = {"padding": none, "dilation": one, "output_padding": none, "groups": 1}
        text = f"{self.in_channels}, {self.out_channels}, {options(self, 'kernel_size stride')}"
        text += unusual(self, **usual) + ("" if self.bias is not None else ", bias=False")
        return text + unusual(self, padding_mode="zeros")


class Conv1d(_Conv):
    """``functional.conv1d`` with trained weights: (N, C, L) to (N, O, windows).

    Raises ValueError for channels that ``groups`` does not divide, an unknown padding or mode.
    """

    n = 1


class Conv2d(_Conv):
    """``functional.conv2d`` with trained weights: (N, C, H, W) to (N, O, windows, windows).

    ``padding``: numbers, "same" or "valid". ``padding_mode``: "zeros", "reflect", "replicate" or
    "circular". Raises ValueError as Conv1d.
    """

    n = 2


class ConvTranspose2d(_Conv):
    """``functional.conv_transpose2d`` with trained weights, the adjoint of Conv2d."""

    n, transposed = 2, True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, bias: bool = True,
        dilation: Any = 1, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        rest = (dilation, groups, bias, padding_mode, device, dtype)
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, *rest)
        self.output_padding = each(output_padding, 2)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """(N, C, H, W) to (N, O, H', W'); ``output_size`` picks H', W' where several would do."""
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        rest = (self.stride, self.padding, extra, self.groups, self.dilation)
        return F.conv_transpose2d(input, self.weight, self.bias, *rest)

    def _extra(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """The output padding that gives ``output_size``. Raises ValueError where none does."""
        wanted, extra = tuple(output_size)[-2:], []
        shape = input.array.shape[-2:]
        for i, size in enumerate(wanted):
            least = (shape[i] - 1) * self.stride[i] - 2 * self.padding[i]
            least += self.dilation[i] * (self.kernel_size[i] - 1) + 1
            if not least <= size < least + self.stride[i]:
                raise ValueError(
                    f"requested an output size of {wanted}, but along dimension {i} it is at least "
                    f"{least} and below {least + self.stride[i]}"
                )
            extra.append(size - least)
        return tuple(extra)


class _Pad(Module):
    """What padding modules share; ``padding`` is a number, or one for each side, last dim first."""

    n: int
    mode: str
    value = 0

    def __init__(self, padding: Any):
        super().__init__()
        self.padding = each(padding, 2 * self.n)

    def forward(self, input: Tensor) -> Tensor:
        """The padded input."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """How much."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: Any, value: Any):
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """How much of what."""
        return options(self, "padding value")


PADS: dict[str, Any] = {
    f"{name}Pad{n}d": type(f"{name}Pad{n}d", (base,), {
        "n": n, "mode": mode, "__module__": __name__,
        "__doc__": f"``functional.pad`` of the last {n} dim, mode {mode!r}, as a module."})
    for name, base, mode in (
        ("Circular", _Pad, "circular"), ("Constant", _ConstantPad, "constant"),
        ("Reflection", _Pad, "reflect"), ("Replication", _Pad, "replicate"),
        ("Zero", _Pad, "constant"))
    for n in (1, 2)
}  # fmt: skip
globals().update(PADS)
__all__ = ["Conv1d", "Conv2d", "ConvTranspose2d", *PADS]
