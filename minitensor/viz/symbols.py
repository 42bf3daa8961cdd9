"""Symbols: run an op's own rule on letters, and read off the derivative as a formula.

A ``Symbol`` takes part in operators and op calls as a tensor does, but what it computes is LaTeX.
So the formula that a picture shows is made by the very line that computes the gradient.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import OPS, Op

# How tightly a formula holds together. It stands bare where no more than that is asked for.
ATOM, POWER, PRODUCT, NEGATIVE, SUM, LOOSE = 5, 4, 3, 2, 1, 0

# For each op whose formula is not closed in itself: how tightly the result holds together, and what
# its operands need. Others: names of functions are PRODUCT and need POWER, all else needs ATOM.
_NEEDS: dict[str, tuple[int, tuple[int, ...]]] = {
    "add": (SUM, (SUM, SUM)), "sub": (SUM, (SUM, PRODUCT)), "neg": (NEGATIVE, (PRODUCT,)),
    "mul": (PRODUCT, (PRODUCT, PRODUCT)), "matmul": (PRODUCT, (POWER, POWER)),
    "pow_number": (POWER, (ATOM,)), "pow_tensor": (POWER, (ATOM, LOOSE)),
    "square": (POWER, (ATOM,)), "transpose": (POWER, (ATOM,)), "hypot": (ATOM, (ATOM, ATOM)),
    "expm1": (SUM, (LOOSE,)), "log1p": (PRODUCT, (PRODUCT,)), "floor_divide": (ATOM, (ATOM, ATOM)),
    "remainder": (LOOSE, (ATOM, ATOM)), "where": (LOOSE, (LOOSE,) * 3),
    "logical_and": (LOOSE, (ATOM, ATOM)), "logical_or": (LOOSE, (ATOM, ATOM)),
    "logical_xor": (LOOSE, (ATOM, ATOM)), "bitwise_and": (LOOSE, (ATOM, ATOM)),
    "bitwise_or": (LOOSE, (ATOM, ATOM)), "bitwise_xor": (LOOSE, (ATOM, ATOM)),
}  # fmt: skip
_PREFIX = re.compile(
    r"\\(operatorname|tanh?|sinh?|cosh?|arc|ln|log|sum|prod|max|min|exists|forall|lnot)|{\\sim}"
)
_CLOSED = re.compile(r"\\(frac|sqrt)|(e|2)\^\{|\(\{|\[\{|\|\{|lfloor|lceil|, \{|lvert|e\^\{")
_BASED = re.compile(r"\\frac|(e|2)\^")  # a power of these needs parentheses
_KNOWN = {
    math.log(2): (r"\ln 2", PRODUCT),
    math.log(10): (r"\ln 10", PRODUCT),
    2 / math.pi**0.5: (r"\frac{2}{\sqrt{\pi}}", POWER),
    math.inf: (r"\infty", ATOM),
    -math.inf: (r"-\infty", NEGATIVE),
}


class Count(int):
    """A size in a shape: a number to the rules, the letter n in a formula."""

    def __mul__(self, other: Any) -> Any:
        return Count(int(self) * int(other))

    __rmul__ = __mul__

    def __rtruediv__(self, other: Any) -> Any:
        return apply(OPS["div"], [other, Symbol("n")], {})


class Symbol:
    """A formula: its LaTeX, and how tightly it holds together."""

    dtype = "symbolic"

    def __init__(self, tex: str, tightness: int = ATOM, zero: bool = False, one: bool = False):
        self.shape: tuple[int, ...] = ()
        self.tex, self.tightness, self.zero, self.one = tex, tightness, zero, one

    def __apply_op__(self, op: Op, inputs: Sequence[Any], attrs: dict[str, Any]) -> Symbol:
        return apply(op, inputs, attrs)

    @property
    def ndim(self) -> int:
        """How many dimensions the value has, as rules ask."""
        return len(self.shape)

    def within(self, tightness: int) -> str:
        """The formula as part of another: in parentheses where it would fall apart."""
        return self.tex if self.tightness >= tightness else rf"\left({self.tex}\right)"

    def __repr__(self) -> str:
        return self.tex


def symbol(value: Any) -> Symbol:
    """A Symbol from a Symbol, a number or a name."""
    if isinstance(value, Symbol):
        return value
    if isinstance(value, Count):
        return Symbol("n")
    if isinstance(value, bool | int | float):
        return numeral(value)
    return Symbol(str(value))


def numeral(value: float) -> Symbol:
    """A number as one writes it: ln 2 for 0.693..., a power of ten where it is very small."""
    if value in _KNOWN:
        return Symbol(*_KNOWN[value])
    if value != value:
        return Symbol(r"\text{nan}")
    text = f"{value:.4g}"
    if "e" in text:
        digits, _, exponent = text.partition("e")
        power = f"10^{{{int(exponent)}}}"
        text = power if digits == "1" else rf"{digits} \cdot {power}"
        return Symbol(text, NEGATIVE if value < 0 else PRODUCT)
    tightness = NEGATIVE if value < 0 else ATOM
    return Symbol(text, tightness, zero=value == 0, one=value == 1)


def apply(op: Op, inputs: Sequence[Any], attrs: dict[str, Any]) -> Symbol:
    """The formula of ``op`` on formulas, lightly simplified."""
    parts = [symbol(x) for x in inputs]
    made = _simplified(op.name, parts, attrs) or _written(op, parts, attrs)
    if made.shape == ():
        made.shape = _shape(op, parts, attrs)
    return made


def _shape(op: Op, parts: list[Symbol], attrs: dict[str, Any]) -> Any:
    """The shape of a result, as far as rules ask for it."""
    shape = tuple(parts[0].shape)
    if op.name == "matmul" and len(shape) > 1:
        return (*shape[:-1], *parts[1].shape[-1:])
    if op.name == "transpose" and len(shape) > 1:
        return (*shape[:-2], shape[-1], shape[-2])
    return attrs.get("shape", shape)


def _written(op: Op, parts: list[Symbol], attrs: dict[str, Any]) -> Symbol:
    """The op's own LaTeX around its operands, in parentheses where they would fall apart."""
    template = op.tex if isinstance(op.tex, str) else ""
    tightness, needs = _NEEDS.get(op.name) or _usual(template, len(parts))
    texts = [p.within(need) for p, need in zip(parts, needs, strict=False)]
    if _PREFIX.match(template) and not _CLOSED.search(template):
        # sin (x + 1)^2 could be read in two ways, sin ((x + 1)^2) in one.
        texts = [p.within(ATOM if p.tex.startswith(r"\left(") else POWER) for p in parts]
    if op.variadic:
        texts = [", ".join(p.tex for p in parts)]
    shown = {name: _attribute(value) for name, value in attrs.items()}
    tex = op.tex(*texts, **shown) if callable(op.tex) else op.tex.format(*texts, **shown)
    return Symbol(tex, tightness)


def _usual(template: str, count: int) -> tuple[int, tuple[int, ...]]:
    """What an op's LaTeX shows of itself: a function's name in front, or brackets of its own."""
    prefix = _PREFIX.match(template)
    closed = _CLOSED.search(template)
    tightness = PRODUCT if prefix else POWER if _BASED.match(template) else ATOM
    return tightness, (LOOSE if closed else POWER if prefix else ATOM,) * count


def _attribute(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("{", "").replace("}", "")


def _simplified(name: str, parts: list[Symbol], attrs: dict[str, Any]) -> Symbol | None:
    """x + 0, x * 1, x * 0, x * x and their kin, written as one writes them."""
    x, y = [*parts, symbol(1)][:2]
    if name == "mul":
        return _simple_product(x, y)
    if name in ("add", "sub"):
        return _simple_sum(name, x, y)
    if name == "neg" and (x.zero or x.tightness == NEGATIVE):
        return x if x.zero else _opposite(x)
    if name == "div" and y.one:
        return x
    if name == "matmul" and (x.one or y.one):
        return y if x.one else x
    if name == "pow_number":
        return _powered(x, attrs["exponent"])
    if name in ("reshape", "expand", "unsqueeze", "squeeze", "to"):
        # These move values about: a formula of values does not change.
        return Symbol(x.tex, x.tightness, x.zero, x.one)
    return None


def _simple_product(x: Symbol, y: Symbol) -> Symbol | None:
    if x.zero or y.zero:
        return symbol(0)
    if x.one or y.one:
        return y if x.one else x
    for a, b in ((x, y), (y, x)):
        if a.tightness == NEGATIVE:  # signs go in front
            positive = _opposite(a)
            pair = [positive, b] if a is x else [b, positive]
            return apply(OPS["neg"], [apply(OPS["mul"], pair, {})], {})
    if x.tex == y.tex:
        return Symbol(f"{x.within(ATOM)}^2", POWER)
    if _DIGITS.fullmatch(y.tex) and not _DIGITS.match(x.tex):
        return apply(OPS["mul"], [y, x], {})  # numbers go in front
    return None


_DIGITS = re.compile(r"(?:[\d.]+ \\cdot )?10\^\{-?\d+\}|[\d.]+")


def _simple_sum(name: str, x: Symbol, y: Symbol) -> Symbol | None:
    if y.zero:
        return x
    if x.zero:
        return y if name == "add" else apply(OPS["neg"], [y], {})
    if y.tightness == NEGATIVE:
        return apply(OPS["sub" if name == "add" else "add"], [x, _opposite(y)], {})
    if name == "add" and y.tex.startswith("-"):
        return Symbol(f"{x.within(SUM)} + {y.within(PRODUCT)}", SUM)
    return None


def _opposite(x: Symbol) -> Symbol:
    """A formula with a minus in front, without it."""
    tex = x.tex.removeprefix("-")
    return Symbol(tex, PRODUCT, one=tex == "1")


def _powered(x: Symbol, exponent: Any) -> Symbol | None:
    if exponent == 1 or x.one:
        return x
    return symbol(1) if exponent == 0 else None


def _operator(name: str, reflected: bool = False) -> Any:
    def method(self: Symbol, other: Any = None) -> Symbol:
        if name == "pow" and isinstance(other, int | float):
            return apply(OPS["pow_number"], [self], {"exponent": other})
        op = OPS[{"pow": "pow_tensor", "truediv": "div"}.get(name, name)]
        inputs = [self] if other is None else [other, self] if reflected else [self, other]
        return apply(op, inputs, {})

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    setattr(Symbol, f"__{_name}__", _operator(_name))
    setattr(Symbol, f"__r{_name}__", _operator(_name, reflected=True))
for _name in ("neg", "eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Symbol, f"__{_name}__", _operator(_name))
setattr(Symbol, "__and__", _operator("logical_and"))  # noqa: B010 - as the others
setattr(Symbol, "__hash__", object.__hash__)  # noqa: B010 - __eq__ took it away


# -- what pictures and pages ask for ---------------------------------------------------------------


LETTERS = {"condition": "c", "index": "i"}


def _op(op: Op | str) -> Op:
    return OPS[op] if isinstance(op, str) else op


def _example(op: Op) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attributes and shapes from the op's own sample: a formula of sizes needs some."""
    inputs, attrs = op.sample(np.random.default_rng(0))
    shapes = [tuple(Count(n) for n in x.shape) for x in inputs]
    named = (
        {op.inputs[0]: tuple(shapes)} if op.variadic else dict(zip(op.inputs, shapes, strict=True))
    )
    arrays = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in inputs]
    out = op.run[np.ndarray](*arrays, **attrs)
    return dict(attrs), {**named, "out": tuple(Count(n) for n in np.shape(out))}


def formula(op: Op | str, names: Sequence[str] | None = None, attrs: Any = None) -> str:
    """The LaTeX of an op's forward, such as ``x \\cdot y`` for "mul".

    ``names`` are the inputs' letters, by default those of the definition.
    """
    op = _op(op)
    letters = list(names or (("x_1", "x_2") if op.variadic else op.inputs))
    inputs = [Symbol(LETTERS.get(n, n)) for n in letters]
    return apply(op, inputs, _example(op)[0] if attrs is None else attrs).tex


def moves(op: Op | str) -> bool:
    """Whether the rules move or sum gradients, so that a factor alone would not tell the rule."""
    op = _op(op)
    return op.variadic or (op.dtypes in ("keep", "same") and op.name != "clone")


def derivative(
    op: Op | str, wrt: str, names: Sequence[str | Symbol] | None = None, attrs: Any = None,
    out: str | Symbol | None = None, upstream: str | None = None,
) -> str:  # fmt: skip
    """The LaTeX of the derivative of an op by its input ``wrt``, from the rule itself.

    Elementwise ops give the factor of the upstream gradient; ops that move or sum it (``moves``)
    give the whole gradient, in which ``upstream`` (by default g) stands for it. ``out`` is the
    letter of the op's own output: y, or z where an input is called y. ``names`` and ``out`` may be
    Symbols, such as numbers to put in. Raises KeyError where the op has no rule for ``wrt``.
    """
    op = _op(op)
    rule = op.rules[wrt]
    sample_attrs, shapes = _example(op)
    attrs = sample_attrs if attrs is None else attrs
    letters = dict(zip(op.inputs, names or op.inputs, strict=False))
    letters["out"] = out or ("z" if "y" in letters.values() else "y")
    upstream = "g" if upstream is None and moves(op) else upstream
    g = symbol(1) if upstream is None else Symbol(upstream)
    g.shape = shapes["out"]
    values = [_asked(op, name, letters, shapes, attrs) for name in op.needs[wrt]]
    return symbol(rule(g, *values)).tex


def _asked(op: Op, name: str, letters: Any, shapes: Any, attrs: dict[str, Any]) -> Any:
    """What a rule asks for, as a symbol."""
    if name in op.attrs:
        return attrs[name]
    if name == "i":
        return 0
    if name.endswith("_shape"):
        return shapes[name.removesuffix("_shape")]
    if name.endswith("_place"):
        return ("float32", "cpu")
    given = letters[name]
    if isinstance(given, Symbol):
        made = Symbol(given.tex, given.tightness)
    else:
        made = Symbol(LETTERS.get(given, given))
    made.shape = shapes[name]
    return made
