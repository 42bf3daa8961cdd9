"""What is known of the values behind a graph: kept, saved, named, or computed again.

The engine keeps few results. A picture shows a value only where it is certain: an array that was
written to in place after a step used it no longer tells what that step saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend, core
from ..core import Node, Tensor
from ..versions import written_since

SMALL = 64  # numbers that a picture or a dict still holds one by one
RECOMPUTED = 4096  # numbers in a result that is still worth computing again for a picture


class Summary(dict[str, float]):
    """Least, mean and greatest of an array that is too large to show; mean is over all values."""

    shape: tuple[int, ...]
    dtype: Any


def is_array(x: Any) -> bool:
    """Whether ``x`` is a raw array of a kind that the engine knows."""
    return type(x) in backend.MODULES


def snapshot(x: Any, most: int = SMALL) -> Any:
    """What to keep of a value: a copy of up to ``most`` numbers, else its Summary."""
    x = x.array if isinstance(x, Tensor) else x
    if not is_array(x):
        return x
    return x.copy() if x.size <= most else summary(x)


def summary(array: Any) -> Summary:
    """The Summary of an array."""
    found = {"min": array.min(), "mean": array.mean(), "max": array.max()}
    made = Summary({name: float(value) for name, value in found.items()})
    made.shape, made.dtype = tuple(array.shape), array.dtype
    return made


def plain(x: Any, summed: bool = False) -> Any:
    """A value as numbers, lists or a dict: what JSON can hold; None where it is too large.

    With ``summed`` a large array gives its min, mean and max.
    """
    if x is None:
        return None
    if isinstance(x, Summary):
        return dict(x)
    if isinstance(x, bool | int | float | str) and not isinstance(x, np.generic):
        return x
    array = backend.to_numpy(backend.to_array(x))
    if array.size <= SMALL:
        return array.tolist()
    return dict(summary(array)) if summed else None


def constant(node: Node, slot: int) -> Any:
    """An input that wants no gradient, where it was recorded or saved: a number or an array."""
    if node.info and "inputs" in node.info:
        return node.info["inputs"][slot]
    op = node.op
    if not isinstance(op, core.Op) or op.variadic or not node.saved:
        return None
    if op.inputs[slot] not in op.saves:
        return None
    kept = node.saved[op.saves.index(op.inputs[slot])]
    return None if written_since(kept, node.seq) else kept


def known_values(root: Tensor, keys: Sequence[Any], named: Iterable[Tensor]) -> dict[Any, Any]:
    """For each Node and leaf of a graph, in order, its value where that is certain."""
    known: dict[Any, Any] = {key: key.array for key in keys if isinstance(key, Tensor)}
    places = set(keys)
    for t in named:
        node = t.node
        if node is not None and node in places and not written_since(t.array, node.seq):
            known[node] = t.array
    nodes = [key for key in keys if isinstance(key, Node)]
    for node in nodes:
        _kept(node, known)
    known[root.node or root] = root.array
    for node in nodes:
        if node not in known:
            _computed_again(node, known)
    return known


def _kept(node: Node, known: dict[Any, Any]) -> None:
    """What a step recorded or saved: its own result, and the results that it used."""
    if node.info and "value" in node.info:
        known[node] = node.info["value"]
    for name, value in zip(node.op.saves, node.saved or (), strict=False):
        if not is_array(value) or written_since(value, node.seq):
            continue
        if name == "out":
            known.setdefault(node, value)
        elif name in node.op.inputs:
            edge = node.edges[node.op.inputs.index(name)]
            if edge is not None:
                known.setdefault(edge, value)


def _computed_again(node: Node, known: dict[Any, Any]) -> None:
    """Run a step's forward again, if all that went in is known as it was, and it is small."""
    op = node.op
    if not isinstance(op, core.Op) or np.prod(node.shape) > RECOMPUTED:
        return
    inputs = [
        constant(node, slot) if edge is None else known.get(edge)
        for slot, edge in enumerate(node.edges)
    ]
    if any(x is None or isinstance(x, Summary) or written_since(x, node.seq) for x in inputs):
        return
    kind = next((type(x) for x in inputs if is_array(x)), None)
    if kind is not None:
        known[node] = backend.to_array(op.run[kind](*inputs, **node.attrs))


def used_before_change(keys: Sequence[Any]) -> set[int]:
    """The ids of leaves that were written to after a step had used them."""
    changed: set[int] = set()
    for node in keys:
        if not isinstance(node, Node):
            continue
        for edge in node.edges:
            if isinstance(edge, Tensor) and written_since(edge.array, node.seq):
                changed.add(id(edge))
    return changed


def gradients(keys: Sequence[Any], named: Mapping[Any, Tensor]) -> dict[Any, Any]:
    """For each Node and leaf, the gradient that it holds, kept by retain_grad, or recorded."""
    found: dict[Any, Any] = {}
    for key in keys:
        holder = key if isinstance(key, Tensor) else named.get(key)
        if holder is not None and holder._grad is not None:
            found[key] = holder._grad.array
        elif isinstance(key, Node) and key.info and "grad" in key.info:
            found[key] = key.info["grad"]
    return found
