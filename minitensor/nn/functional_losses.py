"""Losses: one number (or one for each element) that says how far ``input`` is from ``target``.

Each takes ``reduction``: "mean", "sum" or "none". ``size_average`` and ``reduce`` are PyTorch's
older names for it. An unknown reduction raises ValueError.
"""

from __future__ import annotations

import warnings
from typing import Any

from .. import backend, functions, printing
from ..core import Tensor, wrap
from ..functions import cast, clamp, reshape, where
from ..functions_forms import same_dtype
from ..functions_index import index_select
from ..functions_math import clamp_min, norm
from ..functions_shape import broadcast_tensors
from ..ops import elementwise as ew
from ..ops import fused, index
from .functional_activations import constant, floats

# -- what they share -------------------------------------------------------------------------------


def reduced(losses: Any, reduction: str, share: Any = None) -> Any:
    """Losses by element reduced; "mean" divides the sum by ``share``, if given, not the count."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return functions.sum(losses)
    if reduction != "mean":
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return functions.mean(losses) if share is None else ew.div(functions.sum(losses), share)


def chosen(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction, also from the older arguments."""
    if size_average is None and reduce is None:
        return reduction
    name = "none" if reduce is False else "sum" if size_average is False else "mean"
    message = f"size_average and reduce args will be deprecated, please use reduction='{name}'"
    warnings.warn(message + " instead.", stacklevel=4)
    return name


def _pair(input: Tensor, target: Tensor) -> Any:
    """Both in one shape, with PyTorch's warning where they were not."""
    if target.array.shape == input.array.shape:
        return input, target
    sizes = [printing.Size(x.array.shape) for x in (target, input)]
    warnings.warn(
        f"Using a target size ({sizes[0]}) that is different to the input size ({sizes[1]}). "
        "This will likely lead to incorrect results due to broadcasting. Please ensure they have "
        "the same size.",
        stacklevel=4,
    )
    return broadcast_tensors(input, target)


def _same_size(input: Tensor, target: Tensor) -> None:
    if target.array.shape != input.array.shape:
        raise ValueError(
            f"Using a target size ({list(target.array.shape)}) that is different to the input "
            f"size ({list(input.array.shape)}) is not allowed. Please ensure they have the same "
            "size."
        )


# -- of real targets -------------------------------------------------------------------------------


def _weighted(input: Tensor, losses: Any, weight: Tensor | None, reduction: str) -> Any:
    """Losses by element times ``weight``, whose sum then divides a mean."""
    if weight is None:
        return reduced(losses, reduction)
    if weight.array.shape != input.array.shape:
        raise ValueError("Weights and input must have the same size.")
    share = functions.sum(weight) if reduction == "mean" else None
    return reduced(losses * weight, reduction, share)


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Squared differences. Warns where the sizes differ and broadcast."""
    a, b = _pair(input, target)
    how = chosen(size_average, reduce, reduction)
    if how == "mean" and weight is None and a.array.dtype == b.array.dtype and a.array.size:
        return fused.mse(floats("mse_loss", a), b)
    return _weighted(input, ew.square(floats("mse_loss", a - b)), weight, how)


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Absolute differences. Warns where the sizes differ and broadcast."""
    a, b = _pair(input, target)
    return _weighted(input, ew.abs_(a - b), weight, chosen(size_average, reduce, reduction))


def _huber(away: Any, width: float) -> Any:
    """Half the square of ``away`` up to ``width``, then a straight line of slope ``width``."""
    size = ew.abs_(away)
    return where(size < width, 0.5 * ew.square(away), width * (size - 0.5 * width))


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """Absolute differences less ``beta / 2``, rounded off to a parabola below ``beta``.

    Raises RuntimeError for a negative ``beta``.
    """
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    a, b = _pair(input, target)
    away = floats("smooth_l1_loss", a - b)
    losses = _huber(away, beta) / beta if beta else ew.abs_(away)
    return reduced(losses, chosen(size_average, reduce, reduction))


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``smooth_l1_loss`` times ``delta``. Raises RuntimeError unless ``delta`` > 0."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    a, b = _pair(input, target)
    losses = _huber(floats("huber_loss", a - b), delta)
    if weight is None:
        return reduced(losses, reduction)
    return reduced(_weighted(input, losses, weight, "none"), reduction)  # a plain mean, here


# -- of classes ------------------------------------------------------------------------------------


def _classes(name: str, scores: Any, target: Tensor, ignore_index: int) -> tuple[Any, bool, int]:
    """The target classes, 0 where they are ignored; is any? And the dimension of the classes.

    Checked: (N, ...) for scores (N, C, ...), int64, and each the number of a class.
    """
    shape, sizes = scores.array.shape, target.array.shape
    if not 1 <= len(shape):
        raise ValueError(f"{name}: Expected 1 or more dimensions (got {len(shape)})")
    if sizes != (shape[:1] + shape[2:] if len(shape) > 1 else ()):
        first = sizes[:1] != shape[:1] and len(shape) > 1
        raise (ValueError if first else RuntimeError)(
            f"Expected input batch_size ({shape[0]}) to match target batch_size ({sizes[:1]}): "
            f"size mismatch (got input: {list(shape)}, target: {list(sizes)})"
        )
    if target.array.dtype != backend.INT64:
        kind = backend.DTYPES[target.array.dtype].name
        raise RuntimeError(f"expected scalar type Long but found {kind}")
    at = min(len(shape) - 1, 1)
    n = shape[at]
    if _all_below(target.array, n) and not 0 <= ignore_index < n:
        return target, False, at
    classes = where(ew.ne(target, ignore_index), target, 0)
    if not _all_below(classes.array, n):
        known = classes.array
        raise IndexError(f"Target {int(known[(known < 0) | (known >= n)][0])} is out of bounds.")
    return classes, True, at


def _all_below(numbers: Any, n: int) -> bool:
    """Whether all are from 0 to n - 1: read without sign, those below 0 are large."""
    return not numbers.size or int(numbers.view("uint64").max()) < n


def _class_weights(scores: Tensor, classes: Any, counts: Any, weight: Tensor | None) -> Any:
    """The weight of each target: that of its class, 0 where it does not count."""
    if weight is None:
        return cast(counts, scores.array.dtype)
    size = scores.array.shape[min(scores.array.ndim - 1, 1)]
    if weight.array.shape != (size,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {size} classes or no classes but got "
            f"weight tensor of shape: {list(weight.array.shape)}"
        )
    each = index_select(weight, 0, reshape(classes, -1))
    return where(counts, reshape(each, classes.array.shape), 0)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-probability in (N, C, ...) or (C) of each target class in (N, ...) or ().

    ``weight`` (C) weighs the classes; a mean is then one by weight. Targets that are
    ``ignore_index`` count for nothing. Raises ValueError or RuntimeError for sizes that do not
    fit, RuntimeError for targets that are not int64, IndexError for classes that do not exist.
    """
    how = chosen(size_average, reduce, reduction)
    return _nll(floats("nll_loss", input), target, weight, ignore_index, how)


def _nll(scores: Any, target: Any, weight: Any, ignore_index: int, how: str) -> Any:
    classes, ignored, at = _classes("nll_loss", scores, target, ignore_index)
    size = target.array.size
    if weight is None and how in ("mean", "sum") and not ignored and size:
        xp, dtype = backend.MODULES[type(target.array)], scores.array.dtype
        share = xp.full(target.array.shape, 1 / size if how == "mean" else 1, dtype)
        return fused.nll(scores, classes, wrap(share), dim=at)
    counts = ew.ne(target, ignore_index)
    weights = _class_weights(scores, classes, counts, weight)
    found = index.take_along(scores, classes, dim=at)
    return reduced(where(counts, -found, 0) * weights, how, functions.sum(weights))


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """``nll_loss`` of ``log_softmax``: scores (N, C, ...) or (C) against the right classes.

    ``target`` holds classes (int64), or probabilities in the shape of ``input``.
    ``label_smoothing`` spreads that share of each target evenly over all classes. Raises what
    ``nll_loss`` raises, and RuntimeError for a smoothing outside 0 to 1.
    """
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    how = chosen(size_average, reduce, reduction)
    scores = functions.log_softmax(input, min(input.array.ndim - 1, 1))
    shares = target.array.shape == input.array.shape and input.array.ndim > 0
    if not label_smoothing and not shares:
        return _nll(scores, target, weight, ignore_index, how)
    rule = _of_probabilities if shares else _smoothed
    return rule(scores, target, weight, ignore_index, how, label_smoothing)


def _over_classes(scores: Any, weight: Any) -> Any:
    """Each class's log-probability times its weight."""
    if weight is None:
        return scores
    return scores * reshape(weight, (-1, *[1] * max(scores.array.ndim - 2, 0)))


def _smoothed(
    scores: Any, target: Any, weight: Any, ignore_index: int, how: str, smoothing: float
) -> Any:
    classes, _, at = _classes("cross_entropy", scores, target, ignore_index)
    counts = ew.ne(target, ignore_index)
    weights = _class_weights(scores, classes, counts, weight)
    found: Any = index.take_along(scores, classes, dim=at)
    even: Any = functions.mean(_over_classes(scores, weight), at)
    both = (1 - smoothing) * (found * weights) + smoothing * even
    return reduced(where(counts, -both, 0), how, functions.sum(weights))


def _of_probabilities(
    scores: Any, target: Any, weight: Any, ignore_index: int, how: str, smoothing: float
) -> Any:
    if target.array.dtype.kind != "f":
        raise RuntimeError("Expected floating point type for target with class probabilities")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    at = min(scores.array.ndim - 1, 1)
    size = scores.array.shape[at]
    shares = target * (1 - smoothing) + smoothing / size if smoothing else target
    losses = functions.sum(_over_classes(scores, weight) * shares, at)
    return reduced(ew.neg(losses), how, losses.array.size)


# -- of probabilities ------------------------------------------------------------------------------


def _log(p: Any) -> Any:
    """The logarithm of probabilities, at least -100, its slope at most 1e12: 0 has both, too."""
    flat = ew.le(p, 1e-12)
    fixed = constant(p)
    low = ew.add(clamp(ew.log(fixed), min=-100), (p - fixed) * 1e12)
    return where(flat, low, ew.log(where(flat, 1, p)))


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-likelihood of ``target`` (0, 1 or between) under probabilities ``input``.

    Logarithms count as at least -100. Raises ValueError for other sizes, RuntimeError for an
    input outside 0 to 1.
    """
    how = chosen(size_average, reduce, reduction)
    _same_size(input, target)
    p = floats("binary_cross_entropy", input)
    same_dtype("binary_cross_entropy", input, target)
    if not bool(((p.array >= 0) & (p.array <= 1)).all()):
        raise RuntimeError("all elements of input should be between 0 and 1")
    losses = -(target * _log(p) + ew.sub(1, target) * _log(1 - p))
    return reduced(losses if weight is None else losses * weight, how)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``binary_cross_entropy`` of the sigmoid of ``input``, right for large scores too.

    ``pos_weight`` weighs the share of ``target`` that is 1. Raises ValueError for other sizes.
    """
    how = chosen(size_average, reduce, reduction)
    if target.array.shape != input.array.shape:
        sizes = [list(x.array.shape) for x in (target, input)]
        raise ValueError(f"Target size ({sizes[0]}) must be the same as input size ({sizes[1]})")
    x: Any = input
    y: Any = target
    rest = ew.logaddexp(-x, 0)  # minus the logarithm of the sigmoid
    if pos_weight is not None:
        rest = (1 + ew.sub(pos_weight, 1) * y) * rest
    losses = (1 - y) * x + rest
    return reduced(losses if weight is None else losses * weight, how)


def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """Kullback-Leibler divergence: ``target * (log(target) - input)``, ``input`` a logarithm.

    ``log_target`` says that ``target`` is one as well. "batchmean" divides the sum by the size of
    dimension 0, as the definition wants; "mean" divides by the number of elements, and warns.
    """
    how = chosen(size_average, reduce, reduction)
    if how == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release.",
            stacklevel=3,
        )
    x: Any = input
    y: Any = target
    if log_target:
        losses = ew.exp(y) * (y - x)
    else:
        losses = y * ew.log(where(y == 0, 1, y)) - y * x
    if how == "batchmean":
        rows = input.array.shape[0] if input.array.ndim else 1
        return reduced(losses, "sum") / rows if rows else reduced(losses, "sum")
    return reduced(losses, how)


# -- margins ---------------------------------------------------------------------------------------


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Distances where ``target`` is 1; where it is -1, what they lack of ``margin``."""
    far = where(ew.ne(target, 1), ew.relu(ew.sub(margin, input)), 0)
    near: Any = where(ew.ne(target, -1), input, 0)
    return reduced(near + far, chosen(size_average, reduce, reduction))


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """How much the first lacks of being ``margin`` above the second; ``target`` -1 swaps them.

    Raises RuntimeError for tensors of different dimensions.
    """
    how = chosen(size_average, reduce, reduction)
    if len({x.array.ndim for x in (input1, input2, target)}) > 1:
        raise RuntimeError("margin_ranking_loss : All input tensors should have same dimension")
    return reduced(ew.relu(ew.neg(target) * ew.sub(input1, input2) + margin), how)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """By how much the negative is not ``margin`` farther from the anchor than the positive.

    ``swap`` takes its distance to the positive, where that is shorter. Raises ValueError unless
    ``margin`` > 0, RuntimeError for tensors of different dimensions.
    """
    how = chosen(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if len({x.array.ndim for x in (anchor, positive, negative)}) > 1:
        raise RuntimeError("The anchor, positive, and negative tensors need the same dimensions")
    far: Any = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = ew.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(ew.relu(pairwise_distance(anchor, positive, p, eps) - far + margin), how)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 less the cosine of pairs whose ``target`` is 1; the cosine above ``margin`` where it is -1.

    Inputs are (N, D) with targets (N), or (D) with one target. Raises RuntimeError for others.
    """
    how = chosen(size_average, reduce, reduction)
    ndim = target.array.ndim
    if ndim > 1 or any(x.array.ndim != ndim + 1 for x in (input1, input2)):
        raise RuntimeError("cosine_embedding_loss: inputs (N, D) and target (N), or (D) and ()")
    a, b = broadcast_tensors(input1, input2)
    sizes = [ew.add(functions.sum(ew.square(x), -1), 1e-12) for x in (a, b)]
    cosine: Any = ew.mul(functions.sum(ew.mul(a, b), -1), ew.rsqrt(ew.mul(*sizes)))
    near, far = where(ew.eq(target, 1), 1 - cosine, 0), ew.relu(cosine - margin)
    return reduced(ew.add(near, where(ew.eq(target, -1), far, 0)), how)


# -- distances -------------------------------------------------------------------------------------


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension."""
    return norm(ew.sub(x1, x2) + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along ``dim``; norms count as at least ``eps``."""
    a, b = broadcast_tensors(x1, x2)
    sizes = [clamp_min(norm(x, 2, dim, True), eps) for x in (a, b)]
    return functions.sum(ew.div(a, sizes[0]) * ew.div(b, sizes[1]), dim)
