"""Words and formulas for the steps of a Trace: what happens, with which numbers, what goes wrong.

Everything here reads plain data. A gradient of many numbers is explained by one of its entries, the
one with the largest share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import OPS
from .data import Box, Graph
from .mathml import name_tex
from .render import SIGNS
from .slopes import SAME, factor, in_letters, in_numbers, put_in, slope_at, slope_at_output
from .symbols import derivative
from .trace import Step, Trace

INFIX = ("+", "−", "×", "÷", "@")


def brief(value: Any, most: int = 26) -> str:
    """A number, a list of up to ``most`` characters, or mean and range."""
    if value is None:
        return "…"
    if isinstance(value, dict):
        least, greatest = short(value["min"]), short(value["max"])
        if least == greatest:
            return f"all {least}"
        return f"mean {short(value['mean'])}, {least} to {greatest}"
    if not isinstance(value, list):
        return short(value)
    array = np.array(value, dtype=float)
    text = np.array2string(
        array, separator=", ", threshold=10**6, formatter={"float": short}, max_line_width=10**6
    ).replace("\n", "")
    if len(text) <= most or not array.size:
        return text
    return brief({"min": array.min(), "mean": array.mean(), "max": array.max()})


def short(value: Any) -> str:
    """A number of at most four digits."""
    return f"{float(value) + 0.0:.4g}"


def labels(graph: Graph) -> dict[str, str]:
    """What to call each box: its name, its number if it is a constant, or v1, v2 and so on."""
    taken = {b.name for b in graph.boxes}
    free = (f"v{i}" for i in range(1, len(graph.boxes) + len(taken) + 1))
    free = (name for name in free if name not in taken)
    found = {}
    for box in graph.boxes:
        constant = box.kind == "constant" and isinstance(box.value, int | float)
        found[box.id] = box.name or (short(box.value) if constant else next(free))
    return found


def made_by(box: Box, inputs: Mapping[int, str]) -> str:
    """What a box is computed by, such as ``a × b``; "" for a leaf."""
    if box.kind != "op":
        return box.op
    sign = SIGNS.get(box.op, box.op)
    names = [inputs.get(slot, "·") for slot in range(max(inputs, default=-1) + 1)]
    tight = [f"({name})" if name.startswith("-") else name for name in names]
    if sign in INFIX and box.op != "neg":
        return f" {sign} ".join([*names[:1], *tight[1:], "·"][: max(2, len(names))])
    if "exponent" in box.attrs and box.op == "pow_number":
        return f"{tight[0]}^{short(box.attrs['exponent'])}"
    return f"−{tight[0]}" if box.op == "neg" else f"{box.op}({', '.join(names)})"


@dataclass
class Numbers:
    """What a step back does to one entry of a gradient."""

    at: tuple[int, ...]  # which entry; () for a single number
    upstream: float | None
    local: float | None
    share: float
    before: float
    after: float

    @property
    def place(self) -> str:
        """The entry's index as it is written, such as ``[0, 1]``; "" for a single number."""
        return str(list(self.at)) if self.at else ""


def number_at(value: Any, at: tuple[int, ...]) -> float | None:
    """An entry of a value; a single number as it is; None where it is not known."""
    if isinstance(value, int | float):
        return value
    array = np.array(value if isinstance(value, list) else [], dtype=float)
    inside = array.ndim == len(at) and all(i < n for i, n in zip(at, array.shape, strict=True))
    return float(array[at]) if inside else None


def entry(step: Step) -> Numbers | None:
    """The numbers of the entry with the largest share; None where they are not known."""
    if not isinstance(step.after, list | int | float) or step.share is None:
        return None
    share = np.array(step.share, dtype=float)
    if not share.size:
        return None
    at = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(share)), share.shape))

    def number(x: Any) -> float | None:
        array = None if x is None or isinstance(x, dict) else np.array(x, dtype=float)
        return None if array is None or array.shape != share.shape else float(array[at])

    factors = number(step.upstream), number(step.local)
    if None in factors:
        factors = None, None
    return Numbers(
        at, *factors, float(share[at]), number(step.before) or 0.0, number(step.after) or 0.0
    )  # fmt: skip


class Explainer:
    """Explains the steps of one Trace."""

    def __init__(self, trace: Trace):
        self.graph = trace.graph
        self.box = {b.id: b for b in trace.graph.boxes}
        self.name = labels(trace.graph)
        self.inputs: dict[str, dict[int, str]] = {b.id: {} for b in trace.graph.boxes}
        for arrow in trace.graph.arrows:
            self.inputs[arrow.target][arrow.slot] = arrow.source

    def title(self, id_: str) -> str:
        """A box's name and what it is computed by: ``x = a × b``."""
        box = self.box[id_]
        made = made_by(box, {slot: self.name[s] for slot, s in self.inputs[id_].items()})
        if box.kind == "more":
            return f"{box.name or 'folded'}: {box.size} boxes"
        return f"{self.name[id_]} = {made}" if made else self.name[id_]

    def say(self, step: Step) -> str:
        """The step in a sentence."""
        name = self.name[step.box]
        if step.kind == "forward":
            box, inputs = self.box[step.box], self.inputs[step.box]
            given = {slot: brief(self.box[s].value) for slot, s in inputs.items()}
            middle = f" = {made_by(box, given)}" if _single(box.value) else ""
            return f"{self.title(step.box)}{middle} = {brief(box.value)}."
        if step.kind == "start":
            what = "1, the slope of the result at itself" if step.after == 1 else brief(step.after)
            return f"{name}.grad = {what}."
        return f"{name} passes on to {self.name[step.to]}: {self.sum_of(step)}."

    def sum_of(self, step: Step) -> str:
        """The sum that a step back makes, such as ``x.grad = 8 + 1 × 6 = 14``."""
        to, numbers = self.name[step.to], entry(step)
        if numbers is None:
            return f"{to}.grad gets a share, {brief(step.share)}"
        share = short(numbers.share)
        if numbers.local is not None and numbers.upstream is not None:
            share = f"{_factor(numbers.local)} × {_factor(numbers.upstream)}"
        elif numbers.share < 0:
            share = f"({share})"
        made = f"{short(numbers.before)} + {share} = {short(numbers.after)}"
        return f"{to}.grad{numbers.place} = {made}"

    def ask(self, step: Step) -> str:
        """The question before a step back; it gives nothing away."""
        numbers = entry(step)
        place = numbers.place if numbers else ""
        which = [slot for slot, s in sorted(self.inputs[step.box].items()) if s == step.to]
        arrow = f" (arrow {which.index(step.slot) + 1} of {len(which)})" if len(which) > 1 else ""
        of = f" {brief(step.upstream)}" if step.upstream is not None else ""
        return (
            f"{self.name[step.box]} passes its gradient{of} on to {self.name[step.to]}{arrow}. "
            f"What will {self.name[step.to]}.grad{place} be then?"
        )

    def rule(self, step: Step) -> str:
        """The LaTeX of the rule in the learner's names; "" where there is none."""
        box, sources = self.box[step.box], self._sources(step)
        if None in sources:
            return ""
        names = [name_tex(self.name[s]) for s in sources if s]
        out, to = name_tex(self.name[step.box]), name_tex(self.name[step.to])
        letters = in_letters(box.op, step.slot, names, out, box.attrs)
        if letters:
            return rf"\frac{{\partial {out}}}{{\partial {to}}} = {letters}"
        op = OPS.get(SAME.get(box.op, box.op))
        if op is None or op.variadic or not step.slot < len(op.inputs) == len(names):
            return ""
        if op.inputs[step.slot] not in op.rules:
            return ""
        out_grad, to_grad = (name_tex(f"{self.name[i]}.grad") for i in (step.box, step.to))
        given = derivative(op, op.inputs[step.slot], names, None, out, out_grad)
        return rf"{to_grad} \text{{ += }} {given}"

    def numbers(self, step: Step) -> str:
        """The LaTeX of the rule with the numbers of one entry put in; "" where it has no factor."""
        n, box = entry(step), self.box[step.box]
        if n is None or n.local is None:
            return ""
        given, out = self._values(step, n)
        put = in_numbers(box.op, step.slot, given, out, box.attrs)
        known = slope_at(box.op, step.slot, given, out, box.attrs)
        result = put_in(n.local).tex
        # A learner's own op may bear a name of ours and mean something else: then no formula.
        if not put or known is None or not np.isclose(known, n.local, rtol=1e-3, atol=1e-6):
            return result
        return put if put == result else f"{put} = {result}"

    def _values(self, step: Step, n: Numbers) -> tuple[list[float | None], float | None]:
        """The numbers that went into an entry, and what came out."""
        given = [self.box[s].value if s else None for s in self._sources(step)]
        return [number_at(v, n.at) for v in given], number_at(self.box[step.box].value, n.at)

    def _sources(self, step: Step) -> list[str | None]:
        """The box that feeds each input of a step, None where it is not known."""
        box, inputs = self.box[step.box], self.inputs[step.box]
        op = OPS.get(SAME.get(box.op, box.op))
        count = max(len(op.inputs) if op else 0, max(inputs, default=-1) + 1)
        return [inputs.get(slot) for slot in range(count)]

    def mistakes(self, step: Step) -> Iterator[tuple[str, float, str]]:
        """Typical wrong answers: (kind, the number it gives, what to say)."""
        n = entry(step)
        if n is None:
            return
        to, out = self.name[step.to], self.name[step.box]
        held = f"{to}.grad held {short(n.before)} already"
        if n.before:
            yield "accumulate", n.share, f"That is the new share alone. {held}: shares add up."
        if n.local is not None and n.upstream is not None:
            if n.upstream != 1:
                text = f"That is the slope alone: times the gradient of {out}, {short(n.upstream)}."
                yield "upstream", n.before + n.local, text
                yield "upstream", n.local, text + (f" And {held}." if n.before else "")
            yield from self._other_slopes(step, n)
            text = f"{out} passes on its gradient times a slope. You left the slope out."
            yield "slope", n.before + n.upstream, text
            yield "slope", n.upstream, text + (f" And {held}." if n.before else "")
        text = "The size is right, the sign is not."
        yield "sign", -n.after, text
        yield "sign", n.before - n.share, text
        value = number_at(self.box[step.to].value, n.at)
        if value is not None:
            text = f"That is the value of {to}. Its gradient says how the result moves with it."
            yield "value", float(value), text

    def _other_slopes(self, step: Step, n: Numbers) -> Iterator[tuple[str, float, str]]:
        """What comes out with the slope of another input, or with the slope at the output."""
        box, (given, out) = self.box[step.box], self._values(step, n)
        if n.upstream is None or out is None:
            return
        slopes = [slope_at(box.op, i, given, out, box.attrs) for i in range(len(given))]
        for slot, other in enumerate(slopes):
            if slot != step.slot and other is not None:
                text = f"That is the slope of the other input: nudge {self.name[step.to]} alone."
                yield "swapped", n.before + n.upstream * other, text
        beyond = slope_at_output(box.op, out, box.attrs)
        if beyond is not None:
            at, not_at = self.name[step.to], self.name[step.box]
            text = f"You took the slope at the output, {not_at}. It is wanted at the input, {at}."
            yield "output", n.before + n.upstream * beyond, text


def _single(value: Any) -> bool:
    return isinstance(value, int | float)


def _factor(value: float) -> str:
    return f"({short(value)})" if value < 0 else short(value)


def sum_tex(name: str, n: Numbers) -> str:
    """The LaTeX of the sum that a step back makes."""
    share = factor(n.share)
    if n.local is not None and n.upstream is not None:
        share = rf"{factor(n.local)} \cdot {factor(n.upstream)}"
    before, after = put_in(n.before).tex, put_in(n.after).tex
    to = name_tex(f"{name}.grad{n.place}".replace(" ", ""))
    return rf"{to} = {before} + {share} = {after}"
