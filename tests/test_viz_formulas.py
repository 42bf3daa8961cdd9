"""Formulas without a network: MathML, plain text, numbers put in, and the chain rule by routes."""

from xml.etree import ElementTree

import numpy as np
import pytest

import minitensor as mt
from minitensor import core, viz
from minitensor.viz import mathml, slopes


def all_formulas():
    for name, op in core.OPS.items():
        yield viz.formula(name)
        for wrt in op.rules:
            yield viz.derivative(name, wrt)


def test_every_ops_formulas_are_mathml_and_text():
    for tex in all_formulas():
        tree = ElementTree.fromstring(mathml.mathml(tex))
        leaves = [e for e in tree.iter() if e.tag in ("mi", "mn", "mo")]
        assert tree.tag == "math" and leaves and all(e.text or e.tag == "mo" for e in leaves)
        children = {"mfrac": 2, "msup": 2, "msub": 2}
        assert all(len(e) == children.get(e.tag, len(e)) for e in tree.iter())
        text = mathml.plain_text(tex)
        assert text.strip() == text and not set("\\&$") & set(text.replace("x & y", ""))
        assert text.count("(") == text.count(")") and text.count("{") == text.count("}")


TEXTS = {
    "1 - y^2": "1 − y^2",
    r"\frac{-x}{y^2}": "−x/y^2",
    r"\frac{1}{1 + x^2}": "1/(1 + x^2)",
    r"e^{x - y}": "e^(x − y)",
    r"y \cdot \left(1 - y\right)": "y · (1 − y)",
    r"\min(\max({x}, -1), 2)": "min( max(x, −1), 2)",
    r"\log_2 x": "log_2 x",
    r"\begin{cases} 1 & c \\ 0 & \text{otherwise} \end{cases}": "{1 if c; 0 otherwise}",
    r"\mathit{a\_b} \cdot \mathit{x.grad}": "a_b · x.grad",
}


@pytest.mark.parametrize("tex", TEXTS)
def test_text_reads_as_one_writes_it(tex):
    assert mathml.plain_text(tex) == TEXTS[tex]


def test_a_minus_that_is_a_sign_is_marked_as_one():
    made = mathml.mathml(r"2 - x \cdot \left(-3\right) = -1")
    assert made.count('<mo form="prefix">−</mo>') == 2 and made.count("<mo>−</mo>") == 1


def test_what_no_op_writes_is_refused():
    with pytest.raises(ValueError, match=r"unknown in a formula: \\int"):
        mathml.mathml(r"\int x")


def test_names_are_safe_in_formulas():
    for name in ("x", "loss", "my_w", "a&b", "100%", "x.grad[0,1]"):
        tree = ElementTree.fromstring(mathml.mathml(mathml.name_tex(name)))
        assert "".join(tree.itertext()) == name


# -- numbers ---------------------------------------------------------------------------------------


def elementwise():
    for name, op in core.OPS.items():
        for slot, wrt in enumerate(op.inputs):
            needs = op.needs.get(wrt, ())
            if (
                slopes.known_op(name, slot)
                and "dim" not in op.attrs
                and not any(n.endswith(("_place", "_shape")) for n in needs)
            ):
                yield name, slot


@pytest.mark.parametrize(("name", "slot"), list(elementwise()))
def test_a_slope_is_the_engines_gradient(name, slot):
    op = core.OPS[name]
    made = op.sample(np.random.default_rng(1))
    arrays, attrs = made if isinstance(made, tuple) else (made, {})
    points = [a.reshape(-1)[0] for a in np.broadcast_arrays(*arrays)]
    inputs = [mt.tensor(p.astype("float64") if p.dtype.kind == "f" else p) for p in points]
    inputs[slot].requires_grad_(True)
    out = core.apply(op, inputs, attrs)
    (wanted,) = mt.autograd.grad(out, inputs[slot])
    found = slopes.slope_at(name, slot, [p.item() for p in points], out.item(), attrs)
    assert found == pytest.approx(wanted.item(), rel=1e-6, abs=1e-9)


def test_the_slope_at_the_output_is_that_of_a_reader_who_looked_in_the_wrong_place():
    y = np.tanh(0.5)
    assert slopes.slope_at_output("tanh", y, {}) == pytest.approx(1 - np.tanh(y) ** 2)
    assert slopes.slope_at_output("square", 9.0, {}) == 18.0
    assert slopes.slope_at_output("mul", 9.0, {}) is None


def test_numbers_are_put_in_as_they_are():
    assert slopes.in_letters("*", 0, ["a", "b"], "c") == "b"
    assert slopes.in_numbers("tanh", 0, [0.5], 0.46211716) == "1 - 0.4621^2"
    assert slopes.in_numbers("div", 1, [1.0, -2.0], -0.5) == r"\frac{-1}{\left(-2\right)^2}"
    assert slopes.in_numbers("pow_number", 0, [2.0], 8.0, {"exponent": 3}) == r"3 \cdot 2^{2}"
    assert slopes.in_numbers("tanh", 0, [[0.5]], [0.46]) == ""


# -- the chain rule --------------------------------------------------------------------------------


def diamond():
    a, b = (mt.tensor(v, requires_grad=True) for v in (2.0, 3.0))
    x = a * b
    y = a + x
    return x * y, {"a": a, "b": b, "x": x, "y": y}


def test_one_route_with_its_numbers():
    z, names = diamond()
    route = viz.chain(z, ["a", "x", "y", "z"], {**names, "z": z})
    assert repr(route) == "∂z/∂y · ∂y/∂x · ∂x/∂a = x · 1 · b = 6 · 1 · 3 = 18"
    assert route.value == 18.0
    parts = route._repr_html_()
    assert parts.count("<math") == 1 and "∂z/∂y · ∂y/∂x" in parts


def test_all_routes_and_their_sum():
    z, names = diamond()
    film = viz.trace(z, {**names, "z": z})
    routes = viz.chain(film, "a")
    assert routes.value == film.graph.box("a").grad == 48.0
    assert len(routes.lines) == 4
    assert repr(routes).endswith("∂z/∂a = 6 + 24 + 18 = 48")


def test_names_of_the_chain_are_the_callers():
    p = mt.tensor(0.5, requires_grad=True)
    half = p.tanh()
    out = half * half
    assert "∂half/∂p" in repr(viz.chain(out, "p"))
    assert viz.chain(out, ["p", "half", "out"]).value == pytest.approx(
        2 * np.tanh(0.5) * (1 - np.tanh(0.5) ** 2), rel=1e-5
    )


def test_what_cannot_be_written_out_is_refused():
    z, names = diamond()
    with pytest.raises(KeyError, match="no box 'q'"):
        viz.chain(z, "q", names)
    with pytest.raises(ValueError, match="no route b → y"):
        viz.chain(z, ["b", "y"], names)
    w = mt.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="not a single number"):
        viz.chain((w * 2).sum(), "w")
    many = mt.tensor(1.0, requires_grad=True)
    deep = many
    for _ in range(5):
        deep = deep + deep
    with pytest.raises(ValueError, match="more than 16 routes"):
        viz.chain(deep, "many")
