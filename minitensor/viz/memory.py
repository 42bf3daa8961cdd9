"""Measuring what a computation keeps alive: the bytes of results and gradients, step by step."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import backend, core
from ..core import Node, Tensor
from .record import _without


class Moment(NamedTuple):
    """What was alive when a step had just been done. ``held``: name of an array -> its bytes."""

    phase: str  # "forward", "backward" or "mark"
    name: str  # of the array that the step made, or what ``mark`` was given
    bytes: int
    held: Mapping[str, int]


class memory:  # noqa: N801 - used as a statement
    """``with memory() as m:`` measure the bytes that results and gradients keep alive.

    Counted are the buffers that were made inside, each once, however many tensors view it; what
    was there before (data, parameters) is not, nor is what an op uses up while it runs. Names are
    those of the ops, numbered: "exp 1", "gradient of exp 1". Nothing is kept alive by measuring.

    ``m.moments`` has an entry for each op, each gradient that passed, each ``m.mark(name)`` and
    the end; ``m.bytes`` is what is alive now, also afterwards; ``m.peak`` the most there was.
    ``names`` maps names to leaves, such as ``{"w": w}``; others are "leaf 1" and so on.
    """

    def __init__(self, names: Mapping[str, Tensor] | None = None) -> None:
        self.moments: list[Moment] = []
        self._alive: dict[int, tuple[str, int, Any]] = {}  # id of a buffer: name, bytes, reference
        self._names: weakref.WeakKeyDictionary[Node, str] = weakref.WeakKeyDictionary()
        self._leaves = [(name, weakref.ref(leaf)) for name, leaf in (names or {}).items()]
        self._numbers: dict[str, Any] = {}

    def __enter__(self) -> memory:
        core.OBSERVERS = (*core.OBSERVERS, self)
        return self

    def __exit__(self, *error: Any) -> None:
        core.OBSERVERS = _without(self)
        self.mark("end")

    @property
    def bytes(self) -> int:
        """The bytes alive now."""
        return sum(size for _, size, _ in self._alive.values())

    @property
    def peak(self) -> int:
        """The most bytes that were alive at once. They grow in steps only, so no step misses it."""
        return max((moment.bytes for moment in self.moments), default=0)

    def mark(self, name: str) -> None:
        """Add a moment of your own, such as ``m.mark("after backward")``."""
        for of, reference in self._leaves:
            leaf = reference()
            if leaf is not None and leaf._grad is not None:
                self._watch(leaf._grad.array, f"{of}.grad")
        self._note("mark", name)

    def on_op(self, op: Any, inputs: Any, attrs: Any, out: Tensor) -> None:
        """Watch a result, unless it shares the memory of an input that is not watched."""
        name = f"{op.name} {next(self._numbers.setdefault(op.name, itertools.count(1)))}"
        if out.node is not None:
            self._names[out.node] = name
        sources = [backend.owner(x.array) for x in inputs if isinstance(x, Tensor)]
        if not any(backend.owner(out.array) is source for source in sources):
            self._watch(out.array, name)
        self._note("forward", name)

    def on_grad(self, node: Node, g: Any, d: Any, edge: Any) -> None:
        """Watch the gradient that reached a step, and the one that it sends on."""
        self._watch(getattr(g, "array", g), f"gradient of {self._name(node)}")
        name = f"gradient of {self._name(edge)}"
        self._watch(getattr(d, "array", d), name)
        self._note("backward", name)

    def _name(self, edge: Any) -> str:
        if isinstance(edge, Node):
            return self._names.get(edge, edge.op.name)
        found = next((name for name, reference in self._leaves if reference() is edge), None)
        if found is None:
            found = edge.name or f"leaf {len(self._leaves) + 1}"
            self._leaves.append((found, weakref.ref(edge)))
        return found

    def _watch(self, array: Any, name: str) -> None:
        buffer = backend.owner(array)
        key, alive = id(buffer), self._alive
        if key not in alive:
            gone = weakref.ref(buffer, lambda _: alive.pop(key, None))
            alive[key] = (name, buffer.nbytes, gone)

    def _note(self, phase: str, name: str) -> None:
        held: dict[str, int] = {}
        for label, size, _ in self._alive.values():
            held[label] = held.get(label, 0) + size
        self.moments.append(Moment(phase, name, self.bytes, held))

    def __repr__(self) -> str:
        rows = [f"{m.phase:9}{m.name:32}{m.bytes:14,} bytes" for m in self.moments]
        return "\n".join([*rows, f"{'peak':41}{self.peak:14,} bytes"])
