"""A graph as plain data: boxes, arrows, and what was folded. Nothing here computes or draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass
class Box:
    """One value: a leaf, or the result of an op."""

    id: str
    kind: str  # "leaf", "constant", "op" or "more"
    op: str = ""  # the op that made it, such as "mul" or "+"
    name: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""  # where the value is known
    value: Any = None  # a number, nested lists, or {"min", "mean", "max"}; None: not known
    grad: Any = None  # the same
    requires_grad: bool = False
    scope: str = ""  # "block 1/layer 2" is a scope in a scope
    slopes: tuple[Any, ...] = ()  # of this value by each of its inputs: a number or LaTeX
    formula: str = ""  # LaTeX of the op on the letters of its definition
    changed: bool = False  # a leaf that was written to after it was used: others hold older values
    size: int = 1  # how many boxes it stands for, where it is "more"
    members: tuple[str, ...] = ()  # the ids of those boxes
    attrs: dict[str, Any] = field(default_factory=dict)  # numbers the op was given: an exponent
    line: str = ""  # the learner's line that computed it, where recorded or found


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
    hidden: int = 0  # boxes that were folded away

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON-able dicts and lists."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Graph:
        """The graph that ``to_dict`` wrote."""
        tuples = ("shape", "slopes", "members")
        boxes = [Box(**{**b, **{name: tuple(b[name]) for name in tuples}}) for b in data["boxes"]]
        return cls(boxes, [Arrow(**a) for a in data["arrows"]], data["hidden"])

    def box(self, key: str) -> Box:
        """The box with this id or this name. Raises KeyError if there is none."""
        for box in self.boxes:
            if key in (box.id, box.name):
                return box
        raise KeyError(f"no box {key!r}; there are {[b.name or b.id for b in self.boxes]}")


def number(value: Any, digits: int = 4) -> str:
    """A number as the pictures write it, with at most so many significant digits."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int):
        return str(value)
    text = f"{float(value) + 0.0:.{digits}g}"  # + 0.0 turns -0.0 into 0.0
    return text if "." in text or "e" in text or not np.isfinite(float(value)) else f"{text}.0"
