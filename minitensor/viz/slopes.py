"""Local derivatives in letters and in numbers, each from the op's own rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core import OPS, Op
from .symbols import NEGATIVE, SUM, Symbol, derivative, moves, numeral

# What a learner's own engine may call an op, and its name here.
SAME = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow_tensor", "@": "matmul"}


def known_op(name: str, slot: int) -> Op | None:
    """The op of this name, if its derivative by input ``slot`` is a factor; else None."""
    op = OPS.get(SAME.get(name, name))
    if op is None or op.variadic or moves(op) or slot >= len(op.inputs):
        return None
    return op if op.inputs[slot] in op.rules else None


def slope_at(
    name: str, slot: int, inputs: Sequence[Any], out: Any, attrs: Mapping[str, Any] | None = None
) -> float | None:
    """The derivative of an op by one of its inputs, at these numbers; None where it is not known.

    Args:
        name: of the op, its own or a learner's sign for it.
        inputs: a number for each input. out: the result.
    """
    op = known_op(name, slot)
    if op is None or len(inputs) != len(op.inputs) or None in (*inputs, out):
        return None
    given: dict[str, Any] = dict(zip(op.inputs, map(np.float64, inputs), strict=True))
    given |= {"out": np.float64(out), **(attrs or {})}
    wrt = op.inputs[slot]
    if "dim" in op.attrs or not set(op.needs[wrt]) <= set(given):  # no dims in single numbers
        return None
    with np.errstate(all="ignore"):
        found = op.rules[wrt](np.float64(1.0), *(given[n] for n in op.needs[wrt]))
    return float(found)


def slope_at_output(name: str, out: float, attrs: Mapping[str, Any]) -> float | None:
    """The derivative of an op of one input, taken where it should not be: at its output."""
    op = known_op(name, 0)
    if op is None or len(op.inputs) != 1 or not set(op.attrs) <= set(attrs):
        return None
    with np.errstate(all="ignore"):
        beyond = op.run[np.float64](np.float64(out), **{n: attrs[n] for n in op.attrs})
    return slope_at(name, 0, [out], beyond, attrs)


def put_in(value: Any, digits: int = 4) -> Symbol:
    """A number as a part of a formula that stays as it is: 1 times x is not made x, and the minus
    of a negative one stays with it, in brackets."""
    written = numeral(float(f"{float(value):.{digits}g}"))
    return Symbol(written.tex, SUM if written.tightness == NEGATIVE else written.tightness)


def in_letters(name: str, slot: int, names: Sequence[Any], out: Any, attrs: Any = None) -> str:
    """The LaTeX of a local derivative on these names (LaTeX, or Symbols); "" where not known."""
    op = known_op(name, slot)
    if op is None or len(names) != len(op.inputs):
        return ""
    given = {n: (attrs or {}).get(n) for n in op.attrs}
    complete = given if None not in given.values() else None
    return derivative(op, op.inputs[slot], list(names), complete, out)


def in_numbers(name: str, slot: int, inputs: Sequence[Any], out: Any, attrs: Any = None) -> str:
    """The same with the numbers put in; "" where a number or the rule is not known."""
    if any(not isinstance(x, int | float) for x in (*inputs, out)):
        return ""
    return in_letters(name, slot, [put_in(x) for x in inputs], put_in(out), attrs)


def factor(value: float) -> str:
    """A number in LaTeX as a factor: in brackets where it is negative."""
    return put_in(value).within(NEGATIVE)
