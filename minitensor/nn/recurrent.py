"""Recurrent modules: RNN, GRU and LSTM over sequences, and their cells for one step.

A step is a function ``step(x, h, c, w, b)``: ``x`` is what the input adds to the gates, computed
for all times at once; ``h`` and ``c`` are the state; ``w`` and ``b`` belong to the state.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from .. import creation, functions
from ..core import Tensor
from . import functional as F
from . import init
from .layers import parameter
from .module import Module, unusual

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


def _tanh_step(x: Any, h: Any, c: Any, w: Any, b: Any) -> Any:
    return (x + F.linear(h, w, b)).tanh(), c


def _relu_step(x: Any, h: Any, c: Any, w: Any, b: Any) -> Any:
    return (x + F.linear(h, w, b)).relu(), c


def _gru_step(x: Any, h: Any, c: Any, w: Any, b: Any) -> Any:
    """Cho et al., 2014: reset gate r, update gate z, candidate n; h' = n + z (h - n)."""
    hidden: Any = F.linear(h, w, b)
    xr, xz, xn = x.chunk(3, -1)
    hr, hz, hn = hidden.chunk(3, -1)
    r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
    n = (xn + r * hn).tanh()
    return n + z * (h - n), c


def _lstm_step(x: Any, h: Any, c: Any, w: Any, b: Any) -> Any:
    """Hochreiter and Schmidhuber, 1997: gates i, f, o, candidate g; c' = f c + i g."""
    i, f, g, o = (x + F.linear(h, w, b)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


STEPS: dict[str, tuple[int, Callable[..., Any]]] = {  # how many gates, and what they do
    "tanh": (1, _tanh_step), "relu": (1, _relu_step), "GRU": (3, _gru_step),
    "LSTM": (4, _lstm_step),
}  # fmt: skip


class _Recurrent(Module):
    """What sequences and cells share."""

    hidden_size: int

    def reset_parameters(self) -> None:
        """Draw all weights anew: uniform, by the hidden size."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)


def _zeros(like: Any, *shape: int) -> Any:
    return creation.zeros(shape, dtype=like.dtype, device=like.device)


# -- sequences -------------------------------------------------------------------------------------


class _Sequence(_Recurrent):
    """Layers of one kind over a sequence (L, N, input_size), or (N, L, ...) with batch_first."""

    mode = ""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        proj_size: int = 0, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self._check_arguments()
        gates, place = STEPS[self.mode][0] * hidden_size, {"device": device, "dtype": dtype}
        out = proj_size or hidden_size
        self._ends = ("", "_reverse") if bidirectional else ("",)
        for layer in range(num_layers):
            below = input_size if layer == 0 else out * len(self._ends)
            for end in self._ends:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (gates, below), "weight_hh": (gates, out),
                }  # fmt: skip
                if bias:
                    shapes.update(bias_ih=(gates,), bias_hh=(gates,))
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    setattr(self, f"{name}_l{layer}{end}", parameter(*shape, **place))
        self.reset_parameters()

    def _check_arguments(self) -> None:
        for name in ("input_size", "hidden_size", "num_layers"):
            value = getattr(self, name)
            if name != "num_layers" and not isinstance(value, int):
                kind = type(value).__name__
                raise TypeError(f"{name} should be of type int, got: {kind}")
            if name != "input_size" and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if not 0 <= self.dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                "element being zeroed"
            )
        if self.dropout and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={self.dropout} and "
                "num_layers=1",
                stacklevel=4,
            )
        if self.proj_size and self.mode != "LSTM":
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ValueError("proj_size has to be positive or 0, and smaller than hidden_size")

    def _weights(self, name: str) -> list[Any]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [self._parameters.get(f"{part}_{name}") for part in names]

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        names = (f"l{i}{end}" for i in range(self.num_layers) for end in self._ends)
        found = (self._weights(name) for name in names)
        return [[w for w in weights if w is not None] for weights in found]

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Any, Any]:
        """The last layer's states at all times, and all layers' states at the last time.

        ``hx``: the states to begin with, zeros by default: (layers * directions, N, hidden_size),
        for an LSTM a pair of them. Raises RuntimeError or ValueError for other shapes.
        """
        x: Any = input
        if x.ndim not in (2, 3):
            name = type(self).__name__
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {x.ndim}D instead")
        single = x.ndim == 2
        h, c = self._begin(x, hx, single)
        x = x.unsqueeze(1) if single else x.transpose(0, 1) if self.batch_first else x
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{x.shape[-1]}"
            )
        last: list[Any] = []
        for layer in range(self.num_layers):
            x, outs = F.dropout(x, self.dropout, self.training) if layer else x, []
            for end in self._ends:
                i = len(last)
                out, state = self._run(x, h[i], c[i], f"l{layer}{end}")
                outs.append(out)
                last.append(state)
            x = functions.cat(outs, -1)
        x = x.squeeze(1) if single else x.transpose(0, 1) if self.batch_first else x
        states: list[Any] = [functions.stack(part) for part in zip(*last, strict=True)]
        states = [s.squeeze(1) if single else s for s in states]
        return x, tuple(states) if self.mode == "LSTM" else states[0]

    def flatten_parameters(self) -> None:
        """Nothing: in PyTorch this packs the weights for cuDNN."""

    def _run(self, x: Any, h: Any, c: Any, name: str) -> tuple[Any, tuple[Any, Any]]:
        """One layer in one direction: its states at all times, and at the last."""
        w_in, w, b_in, b, w_out = self._weights(name)
        step, outs = STEPS[self.mode][1], []
        times: Any = F.linear(x, w_in, b_in).unbind(0)
        back = name.endswith("_reverse")
        for now in reversed(times) if back else times:
            h, c = step(now, h, c, w, b)
            h = h if w_out is None else F.linear(h, w_out)
            outs.append(h)
        return functions.stack(outs[::-1] if back else outs), (h, c)

    def _begin(self, x: Any, hx: Any, single: bool) -> tuple[Any, Any]:
        """The first states, given or zeros, with a batch dimension."""
        lstm = self.mode == "LSTM"
        batch = 1 if single else x.shape[0 if self.batch_first else 1]
        depth = self.num_layers * len(self._ends)
        widths = (self.proj_size or self.hidden_size, self.hidden_size)
        sizes = [(depth, batch, width) for width in widths]
        if hx is None:
            return _zeros(x, *sizes[0]), _zeros(x, *sizes[1])
        given = list(hx) if lstm else [hx]
        for i, (h, size) in enumerate(zip(given, sizes, strict=False)):
            if h.ndim != x.ndim:
                what = "For unbatched 2-D input" if single else "For batched 3-D input"
                raise RuntimeError(
                    f"{what}, hx should also be {x.ndim}-D but got {h.ndim}-D tensor"
                )
            given[i] = h = h.unsqueeze(1) if single else h
            if tuple(h.shape) != size:
                name = f"hidden[{i}]" if lstm else "hidden"
                raise RuntimeError(f"Expected {name} size {size}, got {list(h.shape)}")
        return given[0], given[-1]

    def extra_repr(self) -> str:
        """The sizes, and the options that are set."""
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False}
        rest = unusual(self, **usual, dropout=0.0, bidirectional=False)
        return f"{self.input_size}, {self.hidden_size}{rest}"


class RNN(_Sequence):
    """``h' = tanh(W x + b + W' h + b')`` over a sequence; ``nonlinearity`` may be "relu"."""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
        *args: Any, **kwargs: Any,
    ):  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        self.__dict__["mode"] = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, *args, **kwargs)
        self.nonlinearity = nonlinearity


class GRU(_Sequence):
    """Gated recurrent units over a sequence (Cho et al., 2014); gates in the order r, z, n."""

    mode = "GRU"


class LSTM(_Sequence):
    """Long short-term memory over a sequence; gates in the order i, f, g, o.

    The state is a pair (h, c). ``proj_size`` projects h to that many numbers.
    """

    mode = "LSTM"


# -- cells -----------------------------------------------------------------------------------------


class _Cell(_Recurrent):
    """One step of one layer."""

    mode = ""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates, place = STEPS[self.mode][0] * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih = parameter(gates, input_size, **place)
        self.weight_hh = parameter(gates, hidden_size, **place)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, parameter(gates, **place) if bias else None)
        self.reset_parameters()

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """The next state, (N, hidden_size), from (N, input_size) and the state before (or zeros).

        The state of an LSTMCell is a pair (h, c). Raises RuntimeError or ValueError for shapes that
        do not fit.
        """
        x, lstm = input, self.mode == "LSTM"
        given: Any = hx if lstm else (hx, hx)
        self._check("input", x)
        if hx is None:
            given = (_zeros(x, *x.array.shape[:-1], self.hidden_size),) * 2
        for i, h in enumerate(given):
            self._check("hidden", h)
            if x.array.ndim == 2 and h.array.shape[0] != x.array.shape[0]:
                raise RuntimeError(
                    f"Input batch size {x.array.shape[0]} doesn't match hidden{i} batch size "
                    f"{h.array.shape[0]}"
                )
        gates = F.linear(x, self.weight_ih, self.bias_ih)
        h, c = STEPS[self.mode][1](gates, *given, self.weight_hh, self.bias_hh)
        return (h, c) if lstm else h

    def _check(self, what: str, x: Any) -> None:
        name, size = type(self).__name__, getattr(self, f"{what}_size")
        if x.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {x.ndim}D instead")
        if x.shape[-1] != size:
            raise RuntimeError(
                f"{what} has inconsistent {what}_size: got {x.shape[-1]} expected {size}"
            )

    def extra_repr(self) -> str:
        """The sizes, and the options that are set."""
        rest = unusual(self, bias=True) + (", nonlinearity=relu" if self.mode == "relu" else "")
        return f"{self.input_size}, {self.hidden_size}{rest}"


class RNNCell(_Cell):
    """``tanh(W x + b + W' h + b')``; ``nonlinearity`` may be "relu"."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {nonlinearity}")
        self.__dict__["mode"] = nonlinearity
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity


class GRUCell(_Cell):
    """One step of a GRU."""

    mode = "GRU"


class LSTMCell(_Cell):
    """One step of an LSTM."""

    mode = "LSTM"
