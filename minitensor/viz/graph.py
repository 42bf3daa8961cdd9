"""The computation graph as plain data: what was computed from what, with values and gradients.

``graph(x)`` reads it from a tensor's recorded steps, or from any objects that have ``data``,
``grad``, ``parents`` and ``op`` (the ``Value`` of chapter 02). Ids are numbered in the order of the
computation, so the same computation gives the same graph. Nothing here draws.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from .. import backend, core
from ..core import Node, Tensor
from . import values
from .data import Arrow, Box, Graph
from .fold import LIMIT, collapse
from .symbols import derivative, formula, moves

# -- from tensors ----------------------------------------------------------------------------------


class FromTensor:
    """Reads the steps behind one tensor."""

    def __init__(self, root: Tensor, names: Mapping[str, Any], own_names: bool):
        parts = [p for n, x in names.items() for p in _parameters(x)]
        tensors = [*parts, *((n, t) for n, t in names.items() if isinstance(t, Tensor))]
        self.names: dict[Any, str] = {}
        for n, t in [("", root), *tensors]:
            name = (t.name or n) if own_names else (n or t.name)
            if name:
                self.names[_key(t)] = name
        self.constants = {id(t.array): n for n, t in tensors if not t.needs_grad}
        self.keys = list(in_order(_key(root), _tensor_inputs))
        holders = {_key(t): t for _, t in [*tensors, ("", root)]}
        results = [t for key, t in holders.items() if isinstance(key, Node)]
        self.values = values.known_values(root, self.keys, results)
        self.grads = values.gradients(self.keys, holders)
        self.changed = values.used_before_change(self.keys)
        self.recorded = any(isinstance(k, Node) and k.info and "value" in k.info for k in self.keys)
        self.slopes: dict[Any, tuple[str, ...]] = {}
        self.ids: dict[Any, str] = {}

    def graph(self) -> Graph:
        """The boxes and arrows."""
        made = Graph()
        ids = self.ids
        for key in self.keys:
            ids[key] = f"n{len(ids)}"
            box = self._box(key, ids[key])
            if isinstance(key, Node):
                self._inputs(key, box, ids, made)
            made.boxes.append(box)
        return made

    def _inputs(self, node: Node, box: Box, ids: dict[Any, str], made: Graph) -> None:
        """The arrows into a box, and boxes for the constants among its inputs, where known."""
        for slot, edge in enumerate(node.edges):
            constant = values.constant(node, slot) if edge is None else None
            source = None if edge is None else ids.get(edge)
            if constant is not None:
                source = f"{box.id}_{slot}"
                shape, dtype = _kind(constant)
                made.boxes.append(Box(source, "constant", name=self._constant_name(node, slot),
                                      shape=shape, dtype=dtype, value=self._plain(constant),
                                      scope=box.scope))  # fmt: skip
            if source is not None:
                slope = box.slopes[slot] if slot < len(box.slopes) else None
                made.arrows.append(Arrow(source, box.id, slot, slope))

    def _constant_name(self, node: Node, slot: int) -> str:
        """What the learner calls a constant input."""
        refs = (node.info or {}).get("tensors")
        tensor = refs[slot]() if refs and refs[slot] else None
        if tensor is not None:
            return self.constants.get(id(tensor.array)) or tensor.name or ""
        return self.constants.get(id(values.constant(node, slot)), "")

    def _box(self, key: Any, id_: str) -> Box:
        leaf = isinstance(key, Tensor)
        value = self.values.get(key)
        return Box(
            id=id_,
            kind="leaf" if leaf else "op",
            op="" if leaf else key.op.name,
            name=self.names.get(key) or (key.name if leaf else "") or "",
            shape=tuple(key.array.shape if leaf else key.shape),
            dtype="" if value is None else _kind(value)[1],
            value=self._plain(value),
            grad=self._plain(self.grads.get(key)),
            requires_grad=key.needs_grad if leaf else True,
            scope="" if leaf else (key.info or {}).get("scope", ""),
            slopes=() if leaf else self._slopes(key),
            formula="" if leaf else _formula(key.op),
            changed=id(key) in self.changed,
            attrs={} if leaf else _numbers(key.attrs),
            line="" if leaf else (key.info or {}).get("line", ""),
        )

    def _plain(self, value: Any) -> Any:
        return values.plain(value, summed=self.recorded)

    def _slopes(self, node: Node) -> tuple[str, ...]:
        """The derivative by each input, as LaTeX from the rule; empty for a learner's Function."""
        op = node.op
        if not isinstance(op, core.Op) or op.variadic or moves(op):
            return ()
        key = (op.name, repr(node.attrs))
        if key not in self.slopes:
            self.slopes[key] = tuple(
                derivative(op, n, attrs=node.attrs) if n in op.rules else "" for n in op.inputs
            )
        return self.slopes[key]


def _parameters(x: Any) -> list[tuple[str, Tensor]]:
    """The parameters of a module by name; nothing for anything else."""
    module = not isinstance(x, type) and hasattr(x, "named_parameters")
    return list(x.named_parameters()) if module else []


def _numbers(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that a formula shows."""
    return {n: v for n, v in attrs.items() if isinstance(v, bool | int | float | str)}


@functools.cache
def _formula(op: Any) -> str:
    """The LaTeX of an op on its own letters; empty for a learner's Function."""
    return formula(op) if isinstance(op, core.Op) else ""


def _kind(value: Any) -> tuple[tuple[int, ...], str]:
    """Shape and dtype of a value: an array, its summary, or a number."""
    if not isinstance(value, values.Summary):
        value = backend.to_array(value)
    return tuple(value.shape), str(value.dtype)


def _key(t: Tensor) -> Any:
    """What stands for a tensor in the graph: the step that made it, or the leaf itself."""
    return t.node or t


def _tensor_inputs(key: Any) -> list[Any]:
    return [e for e in key.edges if e is not None] if isinstance(key, Node) else []


def in_order(root: Any, inputs_of: Any) -> Iterator[Any]:
    """Everything that ``root`` was computed from, inputs before what they feed; no recursion."""
    done: set[int] = set()
    stack = [(root, False)]
    while stack:
        key, ready = stack.pop()
        if id(key) in done:
            continue
        if ready:
            done.add(id(key))
            yield key
            continue
        stack.append((key, True))
        stack.extend((x, False) for x in reversed(inputs_of(key)) if id(x) not in done)


# -- from a learner's own values -------------------------------------------------------------------


def from_values(root: Any, names: Mapping[str, Any]) -> Graph:
    """The graph behind any object with ``data``, ``grad``, ``parents`` and ``op``."""
    known = {id(v): n for n, v in names.items()}
    made = Graph()
    ids: dict[int, str] = {}
    for value in in_order(root, lambda v: list(v.parents)):
        ids[id(value)] = f"n{len(ids)}"
        name = getattr(value, "name", "") or known.get(id(value), "")
        kind = "op" if value.parents else "leaf"
        slopes = tuple(values.plain(s) for s in getattr(value, "slopes", None) or ())
        data, grad = values.plain(value.data), values.plain(value.grad)
        box = Box(ids[id(value)], kind, op=value.op or "", name=name, value=data, grad=grad,
                  requires_grad=True, slopes=slopes)  # fmt: skip
        made.boxes.append(box)
        for slot, parent in enumerate(value.parents):
            slope = slopes[slot] if slot < len(slopes) else None
            made.arrows.append(Arrow(ids[id(parent)], box.id, slot, slope))
    return made


def graph(
    x: Any, names: Mapping[str, Any] | None = None, limit: int = LIMIT, own_names: bool = False
) -> Graph:
    """The graph behind a tensor, or an object with ``data``, ``grad``, ``parents`` and ``op``.

    ``names`` maps names to the tensors or values that bear them, ``locals()`` for one; with
    ``own_names`` a tensor's own ``name`` comes before that. Above ``limit`` boxes the graph is
    folded. Raises TypeError for anything else.
    """
    named = {n: v for n, v in (names or {}).items() if not n.startswith("_")}
    if isinstance(x, Tensor):
        return collapse(FromTensor(x, named, own_names).graph(), limit)
    if all(hasattr(x, part) for part in ("data", "grad", "parents", "op")):
        return collapse(from_values(x, named), limit)
    raise TypeError(
        "graph() wants a Tensor, or an object with data, grad, parents and op, not "
        f"{type(x).__name__}"
    )
