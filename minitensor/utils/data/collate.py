"""From a list of examples to a batch: tensors are stacked, containers gone into."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ... import creation, functions
from ...core import Tensor

REFUSED = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def default_collate(batch: Any) -> Any:
    """A batch of examples that are alike: tensors, arrays, numbers, texts, or containers of them.

    Tensors and arrays are stacked along a new first dimension; Python floats become float64, ints
    int64; texts stay a list. Containers keep their kind; of tuples come lists. Raises TypeError for
    anything else, RuntimeError for sizes that differ.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return functions.stack(list(batch))
    if isinstance(first, np.ndarray) and first.dtype.kind not in "SUO":
        return functions.stack([creation.as_tensor(x) for x in batch])
    if isinstance(first, float) and not isinstance(first, np.generic):
        return creation.tensor(list(batch), dtype="float64")
    if isinstance(first, int | np.number | np.bool_):
        return creation.tensor(list(batch))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Sequence) and any(len(x) != len(first) for x in batch):
        raise RuntimeError("each element in list of batch should be of equal size")
    if isinstance(first, Mapping):
        return rebuilt(first, [[x[key] for x in batch] for key in first], default_collate)
    if isinstance(first, Sequence):
        return rebuilt(first, zip(*batch, strict=True), default_collate)
    raise TypeError(REFUSED.format(first.dtype if isinstance(first, np.ndarray) else type(first)))


def default_convert(data: Any) -> Any:
    """``data`` with every array and NumPy number in it as a tensor, for batches ready made."""
    if isinstance(data, np.ndarray | np.number | np.bool_):
        return data if data.dtype.kind in "SUO" else creation.as_tensor(data)
    if isinstance(data, Mapping):
        return rebuilt(data, data.values(), default_convert)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return rebuilt(data, data, default_convert)
    return data


def rebuilt(like: Any, parts: Any, made: Callable[[Any], Any]) -> Any:
    """A container like ``like``, of ``made(part)`` for each part."""
    values = [made(part) for part in parts]
    if isinstance(like, Mapping):
        filled = dict(zip(like, values, strict=True))
        if type(like) is dict or not hasattr(like, "update"):
            return filled
        clone = copy.copy(like)  # keeps a defaultdict's default
        clone.update(filled)
        return clone
    if hasattr(like, "_fields"):  # a named tuple
        return type(like)(*values)
    return values
