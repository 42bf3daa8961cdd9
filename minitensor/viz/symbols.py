"""Symbols: run an op's own rule on letters, and read off the derivative as a formula.

A ``Symbol`` takes part in operators and op calls as a tensor does, but what it computes is LaTeX.
So the formula that a picture shows is made by the very line that computes the gradient.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import OPS, Op, rule_needs

ATOM, POWER, NEGATIVE, PRODUCT, SUM = 4, 3, 2, 1, 0  # how tightly a formula holds together
_INFIX = {
    "add": SUM, "sub": SUM, "neg": NEGATIVE, "mul": PRODUCT, "matmul": PRODUCT, "div": ATOM,
    "pow_number": POWER, "pow_tensor": POWER, "square": POWER,
}  # fmt: skip
_PREFIX = re.compile(r"\\(operatorname|tanh|sin|cos|tan|ln|log|sum|prod|max|min|exists|forall|arc)")


class Count(int):
    """A size in a shape: a number to the rules, the letter n in a formula."""

    def __mul__(self, other: Any) -> Any:
        return Count(int(self) * int(other))

    __rmul__ = __mul__


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
        text = f"{value:.4g}"
        tightness = NEGATIVE if value < 0 else ATOM
        return Symbol(text, tightness, zero=value == 0, one=value == 1)
    return Symbol(str(value))


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
    """The op's own LaTeX around its operands."""
    tightness = _INFIX.get(op.name, ATOM)
    texts = _texts(op, parts, tightness)
    shown = {name: _attribute(value) for name, value in attrs.items()}
    if callable(op.tex):
        return Symbol(op.tex(*texts, **shown), tightness)
    if op.variadic:
        texts = [", ".join(texts)]
    tex = op.tex.format(*texts, **shown)
    return Symbol(tex, PRODUCT if _PREFIX.match(tex) else tightness)


def _texts(op: Op, parts: list[Symbol], tightness: int) -> list[str]:
    """The operands, in parentheses where the op needs them."""
    if op.name in ("add", "div", "exp", "sqrt"):
        return [p.tex for p in parts]
    if op.name == "sub":
        return [parts[0].tex, parts[1].within(NEGATIVE)]
    if op.name in ("pow_number", "pow_tensor", "square"):
        return [parts[0].within(ATOM), *[p.tex for p in parts[1:]]]
    if isinstance(op.tex, str) and re.search(r"\(\{|\|\{|\{\{\{|, \{|lfloor|lceil|cases", op.tex):
        return [p.tex for p in parts]  # the op brings its own brackets
    if op.name in _INFIX:
        return [p.within(PRODUCT if tightness == PRODUCT else NEGATIVE) for p in parts]
    return [p.within(ATOM) for p in parts]


def _attribute(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("{", "").replace("}", "")


def _simplified(name: str, parts: list[Symbol], attrs: dict[str, Any]) -> Symbol | None:
    """x + 0, x * 1, x * 0, x * x and their kin, written as one writes them."""
    x, y = [*parts, symbol(1)][:2]
    if name == "mul":
        if x.zero or y.zero:
            return symbol(0)
        if x.one or y.one:
            return y if x.one else x
        if x.tex == "-1":
            return apply(OPS["neg"], [y], {})
        if x.tex == y.tex:
            return Symbol(f"{x.within(ATOM)}^2", POWER)
        if x.tightness == NEGATIVE and x.tex.startswith("-"):
            return Symbol("-" + _product(Symbol(x.tex[1:]), y), NEGATIVE)
    if name in ("add", "sub") and (x.zero or y.zero):
        return x if y.zero else y if name == "add" else apply(OPS["neg"], [y], {})
    if name == "div" and y.one:
        return x
    if name == "matmul" and (x.one or y.one):
        return y if x.one else x
    if name == "pow_number":
        return _powered(x, attrs["exponent"])
    if name in ("reshape", "expand", "unsqueeze", "squeeze", "to"):
        return Symbol(
            x.tex, x.tightness, x.zero, x.one
        )  # these move values about: a formula of values does not change
    return None


def _product(x: Symbol, y: Symbol) -> str:
    return f"{x.within(PRODUCT)} \\cdot {y.within(PRODUCT)}"


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
    return _op(op).dtypes in ("keep", "same") and _op(op).name != "clone"


def derivative(
    op: Op | str, wrt: str, names: Sequence[str] | None = None, attrs: Any = None,
    out: str | None = None, upstream: str | None = None,
) -> str:  # fmt: skip
    """The LaTeX of the derivative of an op by its input ``wrt``, from the rule itself.

    Elementwise ops give the factor of the upstream gradient; ops that move or sum it (``moves``)
    give the whole gradient, in which ``upstream`` (by default g) stands for it. ``out`` is the
    letter of the op's own output: y, or z where an input is called y. Raises KeyError where the
    op has no rule for ``wrt``.
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
    values = [_asked(op, name, letters, shapes, attrs) for name in rule_needs(rule)]
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
    made = Symbol(LETTERS.get(letters[name], letters[name]))
    made.shape = shapes[name]
    return made
