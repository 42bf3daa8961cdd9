"""Layers of weights, embeddings, dropout, attention and distances, as plain functions."""

from __future__ import annotations

import math
import warnings
from typing import Any

from .. import autograd, backend, creation, functions, functions_index, functions_math, random
from .. import inplace as writes
from ..core import Tensor, wrap
from ..functions import matmul, reshape, where
from ..functions_math import norm
from ..ops import elementwise as ew
from ..ops import fused
from ..ops import index as ix
from ..ops import shape as sh
from .functional_activations import SELU_ALPHA, SELU_SCALE, constant, done, floats

# -- weights ---------------------------------------------------------------------------------------


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``: (..., in) by (out, in) gives (..., out).

    Raises RuntimeError where sizes or dtypes do not fit.
    """
    matrix = weight.array.ndim == 2 and input.array.ndim > 0
    if matrix and bias is not None and bias.array.shape == weight.array.shape[:1]:
        return fused.linear(input, weight, bias)
    out: Any = fused.linear_no_bias(input, weight) if matrix else matmul(input, weight)
    return out if bias is None else ew.add(out, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[o] @ input2`` for each o: (..., a), (..., b), (out, a, b) to (..., out).

    Raises RuntimeError where the sizes do not fit.
    """
    outs, a, b = weight.array.shape
    if input1.array.shape[:-1] != input2.array.shape[:-1]:
        raise RuntimeError("bilinear(): input batch dimensions do not match")
    if (input1.array.shape[-1], input2.array.shape[-1]) != (a, b):
        raise RuntimeError(f"bilinear(): input sizes do not match weight {[outs, a, b]}")
    by_first = matmul(input1, reshape(sh.permute(weight, dims=(1, 0, 2)), (a, outs * b)))
    rows = reshape(by_first, (*input1.array.shape[:-1], outs, b))
    out = functions.sum(ew.mul(rows, functions.unsqueeze(input2, -2)), -1)
    return out if bias is None else ew.add(out, bias)


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """The rows of ``weight`` (rows, size) that ``input`` names: the shape of ``input``, then size.

    The row ``padding_idx`` gets no gradient. ``max_norm`` first shortens the rows in use, in
    place. ``scale_grad_by_freq`` divides a row's gradient by how often it occurs. Gradients are
    never sparse. Raises IndexError for a row that does not exist, RuntimeError for indices that
    are not int64 or int32.
    """
    rows, index = weight.array.shape[0], input.array
    if weight.array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if index.dtype.kind != "i" or index.itemsize < 4:
        kind = backend.DTYPES[index.dtype].name
        raise RuntimeError(f"Expected tensor 'indices' to be Long or Int; but got {kind}")
    if index.size and not 0 <= int(index.min()) <= int(index.max()) < rows:
        raise IndexError("index out of range in self")
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    found = ix.getitem(weight, index=(index,))
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding = functions.unsqueeze(ew.eq(input, padding_idx % rows), -1)
        found = where(padding, constant(found), found)
    if scale_grad_by_freq:
        counts = functions_math.bincount(reshape(input, -1))
        times = functions.cast(ix.getitem(counts, index=(index,)), weight.array.dtype)
        fixed = constant(found)
        found = fixed + (found - fixed) / functions.unsqueeze(times, -1)
    return found


def _shorten(weight: Tensor, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows in use down to ``max_norm``, in place and outside the graph."""
    used = functions_index.unique(wrap(index)).array
    rows = ix.getitem(constant(weight), index=(used,))
    size: Any = norm(rows, norm_type, -1, True)
    scale = where(size > max_norm, max_norm / (size + 1e-7), 1)
    with autograd.no_grad():
        new = ix.put_at(constant(weight), rows * scale, index=(used,))
        writes.assign(weight, new, "embedding")


# -- dropout ---------------------------------------------------------------------------------------


def _kept(x: Tensor, p: float, features: bool) -> Any:
    """1 with probability 1 - p, else 0: for each element, or for each feature (N, C)."""
    if not features:
        return random.bernoulli_(creation.empty_like(x), 1 - p)
    if x.array.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = (*x.array.shape[:2], *[1] * (x.array.ndim - 2))
    empty = creation.empty(shape, dtype=x.array.dtype, device=backend.device_of(x.array))
    return random.bernoulli_(empty, 1 - p)


def _drop(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, features: bool = False,
    scale: Any = None,
) -> Tensor:  # fmt: skip
    """Elements or features dropped with probability ``p``, the rest scaled to keep the mean."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not input.array.size or not training or p == 0:
        return input
    x = floats(name, input, inplace)
    if p == 1:
        return done(input, x * 0, inplace, name)
    kept = _kept(x, p, features)
    out = x * (kept / (1 - p)) if scale is None else scale(x, kept, p)
    return done(input, out, inplace, name)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element 0 with probability ``p``, else divided by ``1 - p`` (Srivastava et al., 2014).

    Without ``training`` the input itself. Raises ValueError for a ``p`` outside 0 to 1.
    """
    return _drop("dropout", input, p, training, inplace)


def _drop_channels(n: int, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """``dropout`` of whole channels of (N, C, *space), ``n`` dimensions of space."""
    name, ndim = f"dropout{n}d", input.array.ndim
    if n == 1 and ndim not in (2, 3):
        raise RuntimeError(f"{name}: Expected 2D or 3D input, but received a {ndim}D input.")
    if n > 1 and ndim not in (n + 1, n + 2):
        warnings.warn(f"{name}: Received a {ndim}-D input, which is not recommended", stacklevel=4)
    if ndim != n + 1 or n == 2:  # PyTorch takes three dimensions for N, C, L in dropout2d
        return _drop(name, input, p, training, inplace, True)
    batch = sh.unsqueeze_dims(input, dim=(0,))
    return sh.squeeze_dims(_drop(name, batch, p, training, inplace, True), dim=(0,))


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels of (N, C, L) or (C, L)."""
    return _drop_channels(1, input, p, training, inplace)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels of (N, C, H, W); three dimensions count as (N, C, L)."""
    return _drop_channels(2, input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return _drop_channels(3, input, p, training, inplace)


def _selu_scale(x: Any, kept: Any, p: float) -> Any:
    """What is dropped becomes SELU's lowest value; mean 0 and variance 1 are kept."""
    low = SELU_ALPHA * SELU_SCALE
    a = 1 / math.sqrt((low**2 * p + 1) * (1 - p))
    return x * (kept * a) + ((kept - 1) * (low * a) + low * a * p)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout for SELU: it keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return _drop("alpha_dropout", input, p, training, inplace, False, _selu_scale)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """``alpha_dropout`` of whole channels of (N, C, ...)."""
    return _drop("feature_dropout", input, p, training, inplace, True, _selu_scale)


# -- attention -------------------------------------------------------------------------------------


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Means of ``value`` (..., S, V), by how well each query (..., L, E) fits each key (..., S, E).

    The fit is the softmax of ``query @ key.mT * scale`` (by default 1 over the root of E). A bool
    ``attn_mask`` says which keys a query may see, a float one is added; ``is_causal`` lets it see
    none after its own place. ``enable_gqa`` repeats heads (dimension -3) of key and value. Raises
    RuntimeError for a mask beside ``is_causal``, and for sizes that do not fit.
    """
    if is_causal and attn_mask is not None:
        raise RuntimeError("Explicit attn_mask should not be set when is_causal=True")
    if min(x.array.ndim for x in (query, key, value)) < 2:
        raise RuntimeError("attention: query, key and value need at least 2 dimensions")
    if enable_gqa:
        heads = query.array.shape[-3]
        key, value = (
            functions_index.repeat_interleave(x, heads // x.array.shape[-3], -3)
            for x in (key, value)
        )
    factor = 1 / math.sqrt(query.array.shape[-1]) if scale is None else scale
    weights = _attention(query, key, attn_mask, is_causal, factor)
    return matmul(dropout(weights, dropout_p), value)


def _attention(query: Any, key: Any, mask: Any, is_causal: bool, factor: float) -> Any:
    """How much each query takes from each key: (..., L, S), each row summing to 1."""
    if is_causal:
        return fused.causal_softmax(matmul(query, sh.mT(key)), scale=factor)
    scores = ew.mul(matmul(query, sh.mT(key)), factor)
    if mask is None:
        return functions.softmax(scores, -1)
    if mask.array.dtype != bool:
        return functions.softmax(scores + mask, -1)
    weights = functions.softmax(where(mask, scores, -math.inf), -1)
    # A query that may see nothing takes nothing; its softmax is 0 / 0.
    return where(functions.any(mask, -1, True), weights, 0)
