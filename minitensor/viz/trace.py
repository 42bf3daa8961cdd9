"""A computation as a film: each op forward, then each gradient on its way back, as plain data.

``trace(loss)`` reads the film from what ``record`` saw, or walks back by itself and leaves every
``.grad`` as it was. A Trace needs no engine to be played, kept as JSON, or drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .. import autograd, backend, core
from ..core import Node, Tensor
from . import values
from .data import Graph
from .graph import FromTensor, from_values
from .names import callers_names
from .record import Sent, record
from .slopes import slope_at


@dataclass
class Step:
    """One step of the film.

    forward: ``box`` is computed. start: ``box``, the result, gets its first gradient. backward:
    ``box`` passes a share on to ``to``, which feeds it as input number ``slot``. Gradients are
    numbers, nested lists, {"min", "mean", "max"} of large arrays, or None where not known.
    """

    kind: str  # "forward", "start" or "backward"
    box: str
    to: str = ""
    slot: int = 0
    upstream: Any = None  # the gradient of ``box``
    local: Any = None  # of ``box`` by ``to``, elementwise; None where the rule moves or sums
    share: Any = None  # what goes along the arrow: upstream times local, in the shape of ``to``
    before: Any = None  # the gradient of ``to`` before the share came
    after: Any = None  # and after it


@dataclass
class Trace:
    """The boxes and arrows of a computation, and its steps in the order in which they happened.

    The boxes' ``grad`` is what they hold at the end of this one walk back.
    """

    graph: Graph = field(default_factory=Graph)
    steps: list[Step] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The trace as JSON-able dicts and lists."""
        return {"graph": self.graph.to_dict(), "steps": [asdict(s) for s in self.steps]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trace:
        """The trace that ``to_dict`` wrote."""
        return cls(Graph.from_dict(data["graph"]), [Step(**s) for s in data["steps"]])

    def replay(self) -> Iterator[tuple[Step, dict[str, Any], dict[str, Any]]]:
        """Play the film: each step, with the values and the gradients, by id, after it."""
        made = {s.box for s in self.steps if s.kind == "forward"}
        seen = {b.id: b.value for b in self.graph.boxes if b.id not in made}
        grads: dict[str, Any] = {}
        for step in self.steps:
            if step.kind == "forward":
                seen[step.box] = self.graph.box(step.box).value
            elif step.kind == "start":
                grads[step.box] = step.after
            else:
                grads[step.to] = step.after
            yield step, dict(seen), dict(grads)


def _finished(
    graph: Graph, forward: Sequence[str], root: str, seed: Any, back: list[Step]
) -> Trace:
    """A Trace from its parts; the boxes get the gradients of the end."""
    start = Step("start", root, after=seed)
    grads = {root: seed} | {s.to: s.after for s in back}
    for box in graph.boxes:
        box.grad = grads.get(box.id)
    return Trace(graph, [*(Step("forward", id_) for id_ in forward), start, *back])


# -- from tensors ----------------------------------------------------------------------------------


def _of_tensor(root: Tensor, names: Mapping[str, Any], own_names: bool) -> Trace:
    if not root.needs_grad:
        raise ValueError("trace() wants a result that requires grad: this one has no way back")
    reader = FromTensor(root, names, own_names)
    graph = reader.graph()
    nodes = sorted((k for k in reader.ids if isinstance(k, Node)), key=lambda n: n.seq)
    sent = _sent(root, nodes)
    forward = [reader.ids[n] for n in nodes]
    seed = _shown(sent[0].upstream) if sent else np.ones(root.array.shape).tolist()
    back = list(_shares([s for s in sent if s.node in reader.ids], reader.ids))
    return _finished(graph, forward, reader.ids[root.node or root], seed, back)


def _sent(root: Tensor, nodes: Sequence[Node]) -> list[Sent]:
    """The gradients of the latest recorded walk from ``root``, or of one made now."""
    node = root.node
    if node is None:
        return []
    sent: list[Sent] = (node.info or {}).get("sent", [])
    if {s.node for s in sent}.issuperset(nodes):
        return sent
    recorder, seen = record(), core.OBSERVERS
    core.OBSERVERS = (recorder,)
    try:
        with autograd.no_grad():
            seed = backend.MODULES[type(root.array)].ones(root.array.shape, root.array.dtype)
            autograd.run([node], [seed], retain=True, taped=False)
    except RuntimeError as error:
        if sent:  # a walk to some of the inputs only
            return sent
        hint = "\nTrace before backward(), or run both inside `with viz.record():`."
        raise RuntimeError(f"{error}{hint}") from error
    finally:
        core.OBSERVERS = seen
    return recorder.sent


def _shares(sent: Sequence[Sent], ids: Mapping[Any, str]) -> Iterator[Step]:
    """The steps back, each with the sum that it makes."""
    held: dict[Any, Any] = {}
    for s in sent:
        edge = s.node.edges[s.slot]
        before, share = held.get(edge), _array(s.share)
        held[edge] = after = share if edge not in held else _sum(before, share)
        yield Step(
            "backward", ids[s.node], ids[edge], s.slot, _shown(s.upstream), _shown(s.local),
            _shown(share), _shown(before), _shown(after),
        )  # fmt: skip


def _array(x: Any) -> Any:
    """A recorded gradient as a NumPy array or a Summary; None for what has no numbers."""
    if isinstance(x, values.Summary):
        return x
    known = values.is_array(x) or isinstance(x, np.generic)
    return backend.to_numpy(backend.to_array(x)) if known else None


def _sum(x: Any, y: Any) -> Any:
    """Two gradients added; of Summaries the sum is not known."""
    both = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
    return np.asarray(x + y) if both else None  # NumPy makes a number of 0-d arrays


def _shown(x: Any) -> Any:
    return values.plain(_array(x), summed=True)


# -- from a learner's own values -------------------------------------------------------------------


def _of_values(root: Any, names: Mapping[str, Any]) -> Trace:
    """The walk back over objects with ``data``, ``parents``, ``op`` and, mostly, ``slopes``."""
    graph = from_values(root, names)
    value = {b.id: b.value for b in graph.boxes}
    inputs = {b.id: [a for a in graph.arrows if a.target == b.id] for b in graph.boxes}
    grads: dict[str, float] = {graph.boxes[-1].id: 1.0}
    back = []
    for box in reversed(graph.boxes):
        given = [value[a.source] for a in inputs[box.id]]
        for arrow in inputs[box.id]:
            slope = arrow.slope
            if slope is None:
                slope = slope_at(box.op, arrow.slot, given, box.value)
            if slope is None:
                raise ValueError(f"trace() needs the slopes of {box.op!r}: give it `slopes`")
            before, share = grads.get(arrow.source), slope * grads[box.id]
            after = grads[arrow.source] = (before or 0.0) + share
            back.append(Step("backward", box.id, arrow.source, arrow.slot, grads[box.id],
                             slope, share, before, after))  # fmt: skip
    forward = [b.id for b in graph.boxes if b.kind == "op"]
    return _finished(graph, forward, graph.boxes[-1].id, 1.0, back)


def trace(x: Any, names: Mapping[str, Any] | None = None, own_names: bool | None = None) -> Trace:
    """The film behind a tensor, or an object with ``data``, ``grad``, ``parents`` and ``op``.

    Inside ``with viz.record():`` it is the walk back that was seen last from ``x``. Else the walk
    is made now, from ones; ``.grad`` stays as it is, hooks run. ``names`` maps names to tensors or
    values, by default the caller's variables; with ``own_names`` (by default then) a tensor's
    own ``name`` comes before that. Raises ValueError for what has no way back, RuntimeError where a
    backward has freed what the rules need, TypeError for anything else.
    """
    own_names = names is None if own_names is None else own_names
    names = callers_names(2) if names is None else names
    named = {n: v for n, v in names.items() if not n.startswith("_")}
    if isinstance(x, Tensor):
        return _of_tensor(x, named, own_names)
    if all(hasattr(x, part) for part in ("data", "grad", "parents", "op")):
        return _of_values(x, named)
    raise TypeError(
        "trace() wants a Tensor, or an object with data, grad, parents and op, not "
        f"{type(x).__name__}"
    )
