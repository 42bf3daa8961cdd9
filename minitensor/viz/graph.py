"""The computation graph as plain data: what was computed from what, with values and gradients.

``graph(x)`` reads it from a tensor's recorded steps, or from any objects that have ``data``,
``grad``, ``parents`` and ``op`` (the ``Value`` of chapter 02). Ids are numbered in the order of the
computation, so the same computation gives the same graph. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .. import backend, core
from ..core import Node, Tensor
from .symbols import derivative, moves

LIMIT = 60  # boxes that a picture can hold and still be read


@dataclass
class Box:
    """One value: a leaf, or the result of an op."""

    id: str
    kind: str  # "leaf", "constant", "op" or "more"
    op: str = ""  # the op that made it, such as "mul" or "+"
    name: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    value: Any = None  # nested lists or a number; None where it is not known
    grad: Any = None
    requires_grad: bool = False
    scope: str = ""
    slopes: tuple[Any, ...] = ()  # of this value by each of its inputs: a number or LaTeX


@dataclass
class Arrow:
    """An input of an op: from the box that feeds it to the box that it makes."""

    source: str
    target: str
    slot: int  # which of the op's inputs
    slope: Any = None


@dataclass
class Graph:
    """Boxes in the order of computation, the arrows between them, and what was left out."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    hidden: int = 0  # boxes that a collapse folded away

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON-able dicts and lists."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Graph:
        """The graph that ``to_dict`` wrote."""
        boxes = [Box(**{**b, "shape": tuple(b["shape"]), "slopes": tuple(b["slopes"])})
                 for b in data["boxes"]]  # fmt: skip
        return cls(boxes, [Arrow(**a) for a in data["arrows"]], data["hidden"])

    def box(self, key: str) -> Box:
        """The box with this id or this name. Raises KeyError if there is none."""
        for box in self.boxes:
            if key in (box.id, box.name):
                return box
        raise KeyError(f"no box {key!r}; there are {[b.name or b.id for b in self.boxes]}")


# -- from tensors ----------------------------------------------------------------------------------


class _FromTensor:
    """Reads the steps behind one tensor."""

    def __init__(self, root: Tensor, names: Mapping[str, Any]):
        self.root = root
        self.names = {_key(t): n for n, t in names.items() if isinstance(t, Tensor)}
        tensors = {n: t for n, t in names.items() if isinstance(t, Tensor)}
        self.constants = {id(t.array): n for n, t in tensors.items() if not t.needs_grad}
        self.keys = list(_in_order(_key(root), _tensor_inputs))
        self.values = self._known_values()

    def _known_values(self) -> dict[Any, Any]:
        """Values at hand: of leaves, the root, whatever was recorded or saved, and what follows."""
        known = {_key(self.root): self.root.array}
        for key in self.keys:
            if isinstance(key, Tensor):
                known[key] = key.array
                continue
            if key.info and "value" in key.info:
                known[key] = key.info["value"]
            for name, value in zip(key.op.saves, key.saved or (), strict=False):
                if type(value) not in backend.MODULES:
                    continue
                if name == "out":
                    known[key] = value
                elif name in key.op.inputs:
                    known.setdefault(key.edges[key.op.inputs.index(name)], value)
        for key in self.keys:
            if key not in known and isinstance(key, Node):
                self._recompute(key, known)
        return known

    def _recompute(self, node: Node, known: dict[Any, Any]) -> None:
        run = getattr(node.op, "run", None)
        inputs = [known.get(edge) for edge in node.edges]
        if run and all(x is not None for x in inputs):
            known[node] = backend.to_array(run[type(inputs[0])](*inputs, **node.attrs))

    def graph(self) -> Graph:
        """The boxes and arrows."""
        made = Graph()
        ids: dict[Any, str] = {}
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
            constant = _constant(node, slot) if edge is None else None
            source = None if edge is None else ids.get(edge)
            if constant is not None:
                source = f"{box.id}_{slot}"
                name = self.constants.get(id(constant), "")
                array = backend.to_array(constant)
                made.boxes.append(Box(source, "constant", name=name, shape=tuple(array.shape),
                                      dtype=str(array.dtype), value=_plain(array)))  # fmt: skip
            if source is not None:
                slope = box.slopes[slot] if slot < len(box.slopes) else None
                made.arrows.append(Arrow(source, box.id, slot, slope))

    def _box(self, key: Any, id: str) -> Box:
        array = self.values.get(key)
        info = (key.info or {}) if isinstance(key, Node) else {}
        leaf = isinstance(key, Tensor)
        grad = _grad_array(key) if leaf else info.get("grad")
        return Box(
            id=id,
            kind="leaf" if leaf else "op",
            op="" if leaf else key.op.name,
            name=self.names.get(key) or (key.name if leaf else info.get("name")) or "",
            shape=tuple(key.array.shape if leaf else key.shape),
            dtype="" if array is None else str(array.dtype),
            value=_plain(array),
            grad=_plain(grad),
            requires_grad=key.needs_grad if leaf else True,
            scope=info.get("scope", ""),
            slopes=() if leaf else _slopes(key),
        )


def _key(t: Tensor) -> Any:
    """What stands for a tensor in the graph: the step that made it, or the leaf itself."""
    return t.node or t


def _tensor_inputs(key: Any) -> list[Any]:
    return [e for e in key.edges if e is not None] if isinstance(key, Node) else []


def _in_order(root: Any, inputs_of: Any) -> Iterator[Any]:
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


def _constant(node: Node, slot: int) -> Any:
    """An input that wants no gradient, where it was recorded or saved: a number or an array."""
    if node.info and "inputs" in node.info:
        return node.info["inputs"][slot]
    op = node.op
    if isinstance(op, core.Op) and not op.variadic and op.inputs[slot] in op.saves and node.saved:
        return node.saved[op.saves.index(op.inputs[slot])]
    return None


def _grad_array(leaf: Tensor) -> Any:
    return None if leaf._grad is None else leaf._grad.array


def _plain(array: Any) -> Any:
    """An array's values as numbers and lists, if there are few enough to show."""
    if array is None:
        return None
    array = backend.to_numpy(backend.to_array(array))
    return array.tolist() if array.size <= 64 else None


def _slopes(node: Node) -> tuple[str, ...]:
    """The derivative by each input, as LaTeX from the rule; empty for a learner's own Function."""
    op = node.op
    if not isinstance(op, core.Op) or op.variadic or moves(op):
        return ()
    return tuple(derivative(op, n, attrs=node.attrs) if n in op.rules else "" for n in op.inputs)


# -- from a learner's own values -------------------------------------------------------------------


def _from_values(root: Any, names: Mapping[str, Any]) -> Graph:
    """The graph behind any object with ``data``, ``grad``, ``parents`` and ``op``."""
    known = {id(v): n for n, v in names.items() if hasattr(v, "parents")}
    made = Graph()
    ids: dict[int, str] = {}
    for value in _in_order(root, lambda v: list(v.parents)):
        ids[id(value)] = f"n{len(ids)}"
        name = getattr(value, "name", "") or known.get(id(value), "")
        kind = "op" if value.parents else "leaf"
        slopes = tuple(getattr(value, "slopes", None) or ())
        box = Box(ids[id(value)], kind, op=value.op or "", name=name, value=value.data,
                  grad=value.grad, requires_grad=True, slopes=slopes)  # fmt: skip
        made.boxes.append(box)
        for slot, parent in enumerate(value.parents):
            slope = slopes[slot] if slot < len(slopes) else None
            made.arrows.append(Arrow(ids[id(parent)], box.id, slot, slope))
    return made


# -- large graphs ----------------------------------------------------------------------------------


def collapse(graph: Graph, limit: int = LIMIT) -> Graph:
    """The graph with at most ``limit`` boxes: scopes folded first, then what is farthest back.

    A folded box says how many steps it stands for; ``hidden`` counts them all.
    """
    if len(graph.boxes) > limit and any(b.scope for b in graph.boxes):
        graph = _merge(graph, {b.id: b.scope for b in graph.boxes if b.scope})
    if len(graph.boxes) > limit:
        kept = _nearest(graph, limit - 1)
        graph = _merge(graph, {b.id: "earlier" for b in graph.boxes if b.id not in kept})
    return graph


def _nearest(graph: Graph, limit: int) -> set[str]:
    """The ids of the boxes nearest to the result."""
    before: dict[str, list[str]] = {}
    for arrow in graph.arrows:
        before.setdefault(arrow.target, []).append(arrow.source)
    queue = [graph.boxes[-1].id]
    kept = set(queue)
    for id in queue:
        for source in before.get(id, []):
            if len(kept) < limit and source not in kept:
                kept.add(source)
                queue.append(source)
    return kept


def _merge(graph: Graph, groups: Mapping[str, str]) -> Graph:
    """Fold all boxes of one group into one box."""
    sizes: dict[str, int] = {}
    for group in groups.values():
        sizes[group] = sizes.get(group, 0) + 1
    made, seen = Graph(hidden=graph.hidden), set()
    for box in graph.boxes:
        name = groups.get(box.id)
        if name is None or sizes[name] == 1:
            made.boxes.append(box)
        elif name not in seen:
            seen.add(name)
            made.hidden += sizes[name]
            made.boxes.append(Box(f"more_{len(seen)}", "more", op=f"{sizes[name]} more", name=name))
    folded = {b.name: b.id for b in made.boxes if b.kind == "more"}
    place = {id: folded[name] for id, name in groups.items() if name in folded}
    done: set[tuple[str, str]] = set()
    for arrow in graph.arrows:
        ends = place.get(arrow.source, arrow.source), place.get(arrow.target, arrow.target)
        inside = ends[0] == ends[1]
        repeated = ends in done and ends != (arrow.source, arrow.target)
        if not inside and not repeated:
            done.add(ends)
            made.arrows.append(Arrow(*ends, arrow.slot, arrow.slope))
    return made


def graph(x: Any, names: Mapping[str, Any] | None = None, limit: int = LIMIT) -> Graph:
    """The graph behind a tensor, or an object with ``data``, ``grad``, ``parents`` and ``op``.

    ``names`` maps names to the tensors or values that bear them, ``locals()`` for one. Above
    ``limit`` boxes it is collapsed. Raises TypeError for anything else.
    """
    named = {n: v for n, v in (names or {}).items() if not n.startswith("_")}
    if isinstance(x, Tensor):
        return collapse(_FromTensor(x, named).graph(), limit)
    if all(hasattr(x, part) for part in ("data", "grad", "parents", "op")):
        return collapse(_from_values(x, named), limit)
    raise TypeError(
        "graph() wants a Tensor, or an object with data, grad, parents and op, not "
        f"{type(x).__name__}"
    )


def number(value: Any, digits: int = 4) -> str:
    """A number as the pictures write it, with at most so many significant digits."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int):
        return str(value)
    text = f"{float(value):.{digits}g}"
    return text if "." in text or "e" in text or not np.isfinite(float(value)) else f"{text}.0"
