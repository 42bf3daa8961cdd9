"""Attention, and the transformer that is built of it (Vaswani et al., 2017)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from .. import creation, functions, functions_shape
from ..core import Tensor
from . import functional as F
from . import init
from .containers import ModuleList
from .layers import Linear, parameter
from .module import Module
from .norms import LayerNorm
from .simple import MODULES

__all__ = [
    "MultiheadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer",
    "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip
Dropout: Any = MODULES["Dropout"]


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear, under the name that PyTorch prints here."""


def _float_mask(name: str, mask: Any, like: Any) -> Any:
    """A mask to be added: of a bool one, what is True becomes minus infinity."""
    if mask is None or mask.is_floating_point():
        return mask
    if mask.array.dtype.kind != "b":
        raise AssertionError(f"only bool and floating types of {name} are supported")
    none: Any = creation.zeros_like(mask, dtype=like.dtype)
    return none.masked_fill(mask, -math.inf)


class MultiheadAttention(Module):
    """Several attentions side by side, each on a part of the embedding.

    ``query`` is (L, N, embed_dim), ``key`` (S, N, kdim), ``value`` (S, N, vdim), or N first with
    ``batch_first``, or without N. Raises AssertionError if ``num_heads`` does not divide
    ``embed_dim``.
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.head_dim, self.batch_first = embed_dim // num_heads, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.add_zero_attn = add_zero_attn
        self._packed = self.kdim == self.vdim == embed_dim
        shapes: dict[str, tuple[int, ...] | None] = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if self._packed else None,
            "q_proj_weight": None if self._packed else (embed_dim, embed_dim),
            "k_proj_weight": None if self._packed else (embed_dim, self.kdim),
            "v_proj_weight": None if self._packed else (embed_dim, self.vdim),
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            self.register_parameter(name, parameter(*shape, **place) if shape else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, **place)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the weights of the projections anew, in PyTorch's order."""
        weights = (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        for p in weights:
            if p is not None:
                init.xavier_uniform_(p)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for p in (self.bias_k, self.bias_v):
            if p is not None:
                init.xavier_normal_(p)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Any = None,
        need_weights: bool = True, attn_mask: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """What each query attends to, of its shape, and the weights, (N, L, S), or None.

        ``key_padding_mask`` (N, S) hides keys from every query; ``attn_mask``, (L, S) or
        (N * num_heads, L, S), hides keys by query. True hides; a float mask is added.
        ``is_causal`` is a hint that ``attn_mask`` is causal. Weights are the mean over heads, or
        (N, heads, L, S) without ``average_attn_weights``.
        Raises AssertionError or RuntimeError for shapes that do not fit.
        """
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        self._check(query, key, value)
        single = query.array.ndim == 2
        q, k, v = self._project(query, key, value)
        if single:
            q, k, v = (x.unsqueeze(1) for x in (q, k, v))
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            q, k, v = (x.transpose(0, 1) for x in (q, k, v))
        if self.bias_k is not None:
            k, v = (functions.cat([x, b.expand(1, x.shape[1], -1)]) for x, b in (
                (k, self.bias_k), (v, self.bias_v)))  # fmt: skip
        q, k, v = (self._split(x) for x in (q, k, v))
        if self.add_zero_attn:
            k, v = (F.pad(x, (0, 0, 0, 1)) for x in (k, v))
        mask = self._mask(q, k, attn_mask, key_padding_mask)
        out, weights = self._attend(q, k, v, mask, need_weights)
        out = self.out_proj(out.permute(2, 0, 1, 3).flatten(2))
        out = out.squeeze(1) if single else out.transpose(0, 1) if self.batch_first else out
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        return out, weights.squeeze(0) if single and weights is not None else weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        """Raise AssertionError for shapes that do not fit."""
        dims, (q, k, v) = query.array.ndim, (x.array.shape for x in (query, key, value))
        if dims not in (2, 3):
            raise AssertionError(
                f"query should be unbatched 2D or batched 3D tensor but received {dims}-D tensor"
            )
        if len(k) != dims or len(v) != dims:
            raise AssertionError(
                f"expected `key` and `value` to be {dims}-D as `query` is, but found {len(k)}-D "
                f"and {len(v)}-D tensors"
            )
        if q[-1] != self.embed_dim:
            raise AssertionError(
                f"was expecting embedding dimension of {self.embed_dim}, but got {q[-1]}"
            )
        if k[:-1] != v[:-1] or (self._packed and k != v):
            raise AssertionError(f"key shape {k} does not match value shape {v}")

    def _project(self, query: Any, key: Any, value: Any) -> Any:
        """Queries, keys and values in the space where they are compared."""
        bias = self.in_proj_bias
        if self._packed and query is key is value:
            return F.linear(query, self.in_proj_weight, bias).chunk(3, -1)
        weights: Any = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        weights = self.in_proj_weight.chunk(3) if self._packed else weights
        biases = (None,) * 3 if bias is None else bias.chunk(3)
        return map(F.linear, (query, key, value), weights, biases)

    def _split(self, x: Any) -> Any:
        """(L, N, embed_dim) to (N, heads, L, head_dim)."""
        return x.reshape(*x.shape[:2], self.num_heads, self.head_dim).permute(1, 2, 0, 3)

    def _mask(self, q: Any, k: Any, attn_mask: Any, padding: Any) -> Any:
        """Both masks as one to be added to (N, heads, L, S), or None."""
        (n, heads, length), size = q.shape[:3], k.shape[2]
        extra = (self.bias_k is not None) + self.add_zero_attn
        mask = _float_mask("attn_mask", attn_mask, q)
        padding = _float_mask("key_padding_mask", padding, q)
        given = size - extra
        if mask is not None:
            wanted = {2: (length, given), 3: (n * heads, length, given)}.get(mask.ndim)
            if wanted is None:
                raise AssertionError(
                    f"expected attn_mask to be 2-D or 3-D, but found {mask.ndim}-D"
                )
            if tuple(mask.shape) != wanted:
                raise RuntimeError(
                    f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be "
                    f"{wanted}."
                )
            mask = F.pad(mask, (0, extra))
            mask = mask.reshape(n, heads, length, size) if mask.ndim == 3 else mask
        if padding is None:
            return mask
        if tuple(padding.shape) != (n, given):
            raise AssertionError(
                f"expecting key_padding_mask shape of {(n, given)}, but got {padding.shape}"
            )
        padding = F.pad(padding, (0, extra)).reshape(n, 1, 1, size)
        return padding if mask is None else mask + padding

    def _attend(self, q: Any, k: Any, v: Any, mask: Any, need_weights: bool) -> tuple[Any, Any]:
        dropout = self.dropout if self.training else 0.0
        if not need_weights:
            out: Any = F.scaled_dot_product_attention(q, k, v, mask, dropout)
            return out, None
        scores = (q * (1 / math.sqrt(self.head_dim))) @ k.transpose(-2, -1)
        weights: Any = F.softmax(scores if mask is None else scores + mask, dim=-1)
        weights = F.dropout(weights, dropout)
        return weights @ v, weights


# -- transformer -----------------------------------------------------------------------------------


class _Layer(Module):
    """What the layers of encoder and decoder share: attentions, then two linear layers.

    Around each, a residual connection, with a norm after it, or before with ``norm_first``.
    """

    attentions: tuple[str, ...]

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Any = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        place: Any = {"bias": bias, "device": device, "dtype": dtype}
        for name in self.attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, batch_first=batch_first, **place
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **place)
        self.norm_first = norm_first
        count = len(self.attentions) + 1
        for i in range(count):
            setattr(self, f"norm{i + 1}", LayerNorm(d_model, layer_norm_eps, **place))
        for i in range(count):
            setattr(self, f"dropout{i + 1}", Dropout(dropout))
        if isinstance(activation, str):
            if activation not in ("relu", "gelu"):
                raise RuntimeError(f"activation should be relu/gelu, not {activation}")
            activation = getattr(F, activation)
        self.activation = activation

    def _around(self, i: int, x: Any, block: Callable[[Any], Any]) -> Any:
        """``x + block(x)`` with dropout and norm number ``i``."""
        norm, drop = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        if self.norm_first:
            return x + drop(block(norm(x)))
        return norm(x + drop(block(x)))

    def _feed(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and two linear layers: (L, N, d_model) to the same shape."""

    attentions = ("self_attn",)

    def forward(
        self, src: Tensor, src_mask: Any = None, src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The encoded sequence. Masks as for MultiheadAttention."""
        masks = (src_key_padding_mask, False, src_mask, True, is_causal)
        x = self._around(1, src, lambda x: self.self_attn(x, x, x, *masks)[0])
        return self._around(2, x, self._feed)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to ``memory`` and two linear layers."""

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The decoded sequence, of the shape of ``tgt``. Masks as for MultiheadAttention."""
        own = (tgt_key_padding_mask, False, tgt_mask, True, tgt_is_causal)
        other = (memory_key_padding_mask, False, memory_mask, True, memory_is_causal)
        x = self._around(1, tgt, lambda x: self.self_attn(x, x, x, *own)[0])
        x = self._around(2, x, lambda x: self.multihead_attn(x, memory, memory, *other)[0])
        return self._around(3, x, self._feed)


class _Stack(Module):
    """Copies of one layer, one after the other, and a norm at the end if there is one."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def _through(self, x: Any, *rest: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *rest)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """A stack of copies of ``encoder_layer``.

    In evaluation without gradients PyTorch may skip padded places and give zeros there
    (``enable_nested_tensor``); here they hold what the layers compute, as in training.
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ):  # fmt: skip
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self, src: Tensor, mask: Any = None, src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Any:  # fmt: skip
        """The encoded sequence. Masks as for MultiheadAttention."""
        return self._through(src, mask, src_key_padding_mask, bool(is_causal))


class TransformerDecoder(_Stack):
    """A stack of copies of ``decoder_layer``."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None):
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The decoded sequence. Masks as for MultiheadAttention."""
        padding = (tgt_key_padding_mask, memory_key_padding_mask)
        hints = (bool(tgt_is_causal), memory_is_causal)
        return self._through(tgt, memory, tgt_mask, memory_mask, *padding, *hints)


class Transformer(Module):
    """An encoder and a decoder."""

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6,
        num_decoder_layers: int = 6, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Any = F.relu, custom_encoder: Any = None, custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        place: Any = {"bias": bias, "device": device, "dtype": dtype}
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps)
        parts = (
            ("encoder", custom_encoder, num_encoder_layers, TransformerEncoderLayer),
            ("decoder", custom_decoder, num_decoder_layers, TransformerDecoderLayer),
        )
        stacks = {"encoder": TransformerEncoder, "decoder": TransformerDecoder}
        for name, custom, count, kind in parts:
            if custom is None:
                layer = kind(*options, batch_first, norm_first, **place)
                norm = LayerNorm(d_model, layer_norm_eps, **place)
                custom = stacks[name](layer, count, norm)
            setattr(self, name, custom)
        for p in self.parameters():
            if p.array.ndim > 1:
                init.xavier_uniform_(p)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None,
        memory_mask: Any = None, src_key_padding_mask: Any = None, tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None, src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The decoded ``tgt``, which attends to the encoded ``src``.

        Raises RuntimeError for other batches or features than each other's and ``d_model``.
        """
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        padding = (tgt_key_padding_mask, memory_key_padding_mask)
        hints = (tgt_is_causal, memory_is_causal)
        return self.decoder(tgt, memory, tgt_mask, memory_mask, *padding, *hints)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """The causal mask (sz, sz): minus infinity where a key is later than the query, else 0."""
        full = creation.full((sz, sz), -math.inf, device=device, dtype=dtype)
        return functions_shape.triu(full, 1)
