"""Formulas mean what they say: their LaTeX, read back and evaluated, gives the op's own numbers.

A formula with balanced braces can still be wrong. So this file reads LaTeX as a reader would: signs
only where one writes them, powers before products, products before sums.
"""

import random
import re

import numpy as np
import pytest

from minitensor import core, viz
from minitensor.viz.symbols import apply, moves, symbol

TOKEN = re.compile(
    r"\\(?:operatorname|text)\{[^}]*\}|\\(?:begin|end)\{cases\}|\\(?:left|right)\s*\\?[a-z]*[()|]?"
    r"|\\log_2|\\log_\{10\}|\\\\|\\[A-Za-z]+|\\,|\d+\.?\d*(?:e[-+]\d+)?|[A-Za-z](?:_\d)?|\S"
)
FUNCTIONS = {
    r"\sin": np.sin, r"\cos": np.cos, r"\tan": np.tan, r"\tanh": np.tanh, r"\sinh": np.sinh,
    r"\cosh": np.cosh, r"\arcsin": np.arcsin, r"\arccos": np.arccos, r"\arctan": np.arctan,
    r"\ln": np.log, r"\log_2": np.log2, r"\log_{10}": np.log10, r"\max": np.maximum,
    r"\min": np.minimum, r"\operatorname{atan2}": np.arctan2, r"\operatorname{sign}": np.sign,
    r"\operatorname{trunc}": np.trunc, r"\operatorname{round}": np.round,
    r"\operatorname{relu}": lambda x: np.maximum(x, 0), r"\sigma": lambda x: 1 / (1 + np.exp(-x)),
    r"\operatorname{clone}": np.array, r"\operatorname{erf}": lambda x: ERF(x),
    r"\exp": np.exp,
}  # fmt: skip
ERF = core.OPS["erf"].run[np.ndarray]
RELATIONS = {"=": np.equal, r"\neq": np.not_equal, "<": np.less, ">": np.greater,
             r"\leq": np.less_equal, r"\geq": np.greater_equal}  # fmt: skip
BRACKETS = {
    r"\left(": r"\right)", "(": ")", "{": "}", r"\left|": r"\right|", r"\lfloor": r"\rfloor",
    r"\lceil": r"\rceil", r"\left\lfloor": r"\right\rfloor", "[": "]", r"\lvert": r"\rvert",
}  # fmt: skip
AFTER = {r"\left|": np.abs, r"\lfloor": np.floor, r"\lceil": np.ceil, r"\left\lfloor": np.floor,
         r"\lvert": np.abs}  # fmt: skip


class Reader:
    """Evaluates LaTeX. Raises ValueError for what nobody would write, such as ``x \\cdot -y``."""

    def __init__(self, tex, letters):
        self.tokens = [t.replace(" ", "") for t in TOKEN.findall(tex)]
        self.letters, self.at = letters, 0

    def next(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted):
        token = self.next()
        if wanted and token not in wanted:
            raise ValueError(f"wanted {wanted}, not {token!r}, in {self.tokens}")
        self.at += 1
        return token

    def all(self):
        value = self.relation()
        if self.next():
            raise ValueError(f"left over: {self.tokens[self.at :]}")
        return value

    def relation(self):
        value = self.sum()
        while self.next() in RELATIONS or self.next() == r"\land":
            sign = self.take()
            value = (RELATIONS.get(sign) or np.logical_and)(value, self.sum())
        return value

    def sum(self):
        value = self.signed()
        while self.next() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def signed(self):
        if self.next() == "-":
            self.take()
            return -self.product()
        return self.product()

    def product(self):
        value = self.power()
        while self.next() in (r"\cdot", "/", r"\bmod"):
            sign, right = self.take(), self.power()
            if sign == r"\bmod":
                value = np.remainder(value, right)
            else:
                value = value * right if sign == r"\cdot" else value / right
        return value

    def power(self):
        value = self.atom()
        if self.next() == "^":
            self.take()
            value = np.power(value, self.inside() if self.next() == "{" else self.atom())
            if self.next() == "^":
                raise ValueError("x^y^z")
        return value

    def inside(self):
        opening = self.take()
        value = self.relation()
        self.take(BRACKETS[opening])
        return AFTER.get(opening, lambda x: x)(value)

    def atom(self):
        token = self.next()
        if token in BRACKETS:
            return self.inside()
        self.take()
        if token == r"\begin{cases}":
            return self.cases()
        if token == r"\frac":
            return self.inside() / self.inside()
        if token == r"\sqrt":
            return np.sqrt(self.inside())
        if token in FUNCTIONS:
            return self.call(FUNCTIONS[token])
        if token[0].isdigit():
            return np.float64(token)
        if token in self.letters:
            return self.letters[token]
        raise ValueError(f"{token!r} in {self.tokens}")

    def call(self, function):
        if self.next() not in ("(", r"\left("):
            return function(self.power())
        opening = self.take()
        values = [self.sum()]
        while self.next() == ",":
            self.take()
            values.append(self.sum())
        self.take(BRACKETS[opening])
        return function(*values)

    def cases(self):
        yes = self.relation()
        self.take("&")
        condition = self.relation()
        self.take("\\\\")
        no = self.relation()
        self.take("&")
        self.take(r"\text{otherwise}")
        self.take(r"\end{cases}")
        return np.where(condition, yes, no)


def read(tex, **letters):
    """Evaluate LaTeX with NumPy."""
    return Reader(tex, {"e": np.e, r"\pi": np.pi, **letters}).all()


def test_the_reader_reads_and_refuses():
    assert read(r"2 \cdot x^2 - \frac{1}{x}", x=2.0) == 7.5
    assert read(r"-x^2", x=3.0) == -9
    assert read(r"\begin{cases} 1 & [x > 2] \\ x & \text{otherwise} \end{cases}", x=1.0) == 1
    for wrong in (r"x \cdot -x", "--x", "x x", "x + -x", "x^x^x"):
        with pytest.raises(ValueError):
            read(wrong, x=1.0)


ELEMENTWISE = [name for name, op in core.OPS.items() if op.rules and not moves(op) and
               name != "logsumexp"]  # fmt: skip


def at_sample(op):
    """The op's sample, its result, and the letters under which formulas know them."""
    inputs, attrs = op.sample(np.random.default_rng(1))
    out = op.run[np.ndarray](*inputs, **attrs)
    letters = {{"condition": "c"}.get(n, n): x for n, x in zip(op.inputs, inputs, strict=True)}
    return inputs, attrs, out, {**letters, "z" if "y" in op.inputs else "y": out}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_formula_of_an_op_computes_what_the_op_computes(name):
    op = core.OPS[name]
    _, attrs, out, letters = at_sample(op)
    found = read(viz.formula(name, attrs=attrs), **letters)
    np.testing.assert_allclose(found, out, rtol=1e-6)


@pytest.mark.parametrize(("name", "wrt"), [(n, w) for n in ELEMENTWISE for w in core.OPS[n].rules])
def test_the_formula_of_a_derivative_computes_what_the_rule_computes(name, wrt):
    op = core.OPS[name]
    inputs, attrs, out, letters = at_sample(op)
    known = {**dict(zip(op.inputs, inputs, strict=True)), "out": out, **attrs}
    needs = core.rule_needs(op.rules[wrt])
    wanted = op.rules[wrt](np.ones_like(out), *(known[n] for n in needs))
    found = read(viz.derivative(name, wrt, attrs=attrs), **letters)
    found = np.broadcast_to(found, np.shape(out))
    np.testing.assert_allclose(found, np.broadcast_to(wanted, np.shape(out)), rtol=1e-3)


# -- parentheses -----------------------------------------------------------------------------------

NESTED = [n for n in ELEMENTWISE if n not in ("where", "clone", "clamp_number")] + ["floor_divide"]


def tree(rng, depth):
    """A random nest of ops: ("op", attrs, inputs) or a letter or a number."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(["x", "y", 2.5, -1.5, 1, 0])
    op = core.OPS[rng.choice([*["add", "sub", "mul", "div", "neg", "square"] * 5, *NESTED])]
    attrs = {"pow_number": {"exponent": rng.choice([3, 0.5, -2])}, "round": {"decimals": 0}}
    return op, attrs.get(op.name, {}), [tree(rng, depth - 1) for _ in op.inputs]


def fold_tree(node, leaf, join):
    if not isinstance(node, tuple):
        return leaf(node)
    op, attrs, inputs = node
    return join(op, [fold_tree(i, leaf, join) for i in inputs], attrs)


@pytest.mark.parametrize("seed", range(0, 400, 50))
def test_nested_formulas_keep_their_meaning(seed):
    letters = {"x": np.array([0.7, 1.3, -0.4]), "y": np.array([0.23, -2.1, 1.9])}
    for each in range(seed, seed + 50):
        node = tree(random.Random(each), 4)
        tex = fold_tree(node, symbol, apply).tex
        with np.errstate(all="ignore"):
            wanted, fine = values_of(node, letters)
            found = np.broadcast_to(read(tex, **letters), (3,))
        np.testing.assert_allclose(found[fine], wanted[fine], 2e-3, 1e-6, err_msg=f"{each}: {tex}")


def values_of(node, letters):
    """The values of a nest of ops, and where all on the way is finite and not huge."""
    fine = np.ones(3, bool)

    def leaf(value):
        return letters[value] if isinstance(value, str) else np.full(3, float(value))

    def join(op, inputs, attrs):
        nonlocal fine
        out = op.run[np.ndarray](*inputs, **attrs)
        fine = fine & np.isfinite(out) & (np.abs(out) < 1e6)
        return out

    return fold_tree(node, leaf, join), fine


def test_letters_numbers_and_signs_are_written_as_one_writes_them():
    x, y = symbol("x"), symbol("y")
    neg_x, neg_y = -x, -y
    written = {
        r"2 \cdot x": x * 2, r"-x \cdot y": x * -y, "x": -neg_x, "x - y": x + -y,
        "x + y": x - neg_y,
        r"-\sin x": apply(core.OPS["neg"], [apply(core.OPS["sin"], [x], {})], {}), "0": x * 0,
        r"\left(-x\right)^2": apply(core.OPS["square"], [-x], {}), r"10^{-8} \cdot x": x * 1e-8,
        r"\left(e^{x}\right)^2": apply(core.OPS["square"], [apply(core.OPS["exp"], [x], {})], {}),
        r"x \cdot \left(x + y\right)": x * (x + y), r"\frac{x + y}{x}": (x + y) / x,
    }  # fmt: skip
    assert {tex: made.tex for tex, made in written.items()} == {tex: tex for tex in written}


@pytest.mark.parametrize(
    ("name", "wrt", "tex"),
    [
        ("cos", "x", r"-\sin x"),
        ("exp2", "x", r"y \cdot \ln 2"),
        ("log10", "x", r"\frac{1}{x \cdot \ln 10}"),
        ("erf", "x", r"\frac{2}{\sqrt{\pi}} \cdot e^{-x^2}"),
        ("rsqrt", "x", r"-0.5 \cdot y^{3}"),
        ("cat", "xs", r"\operatorname{narrow} g"),
        ("sum", "x", "g"),
        ("pow_number", "x", r"3.5 \cdot x^{2.5}"),
    ],
)
def test_derivatives_by_hand(name, wrt, tex):
    assert viz.derivative(name, wrt) == tex


# Matplotlib's parser lacks these commands, which MathJax has: each as one that both know.
ALIKE = {
    r"\operatorname{": r"\mathrm{", r"\text{": r"\mathrm{", r"\bmod": r"\%", r"\land": r"\wedge",
    r"\lor": r"\vee", r"\lnot": r"\neg", r"\lvert": "|", r"\rvert": "|", r"\mathbin{\&}": r"\wedge",
}  # fmt: skip


@pytest.mark.parametrize("name", core.OPS)
def test_formulas_parse_as_mathtext(name):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    for tex in (viz.formula(name), *(viz.derivative(name, w) for w in core.OPS[name].rules)):
        for command, alike in ALIKE.items():
            tex = tex.replace(command, alike)
        if r"\begin{cases}" not in tex:  # has no likeness there
            mathtext.MathTextParser("path").parse(f"${tex}$")


def test_a_number_over_a_size_stays_a_formula():
    assert viz.derivative("mse", "x") == r"\left(x - y\right) \cdot g \cdot \frac{2}{n}"
