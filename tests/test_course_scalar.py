"""The scalar engine of chapter 02, and the chapter's box to type an expression into."""

import math

import pytest
from kit.checks import slope
from kit.figures.ch02 import field_and_graph, graph_of
from kit.scalar import Value, dot

from minitensor import viz

OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "square": lambda x, y: x.square(),
    "log": lambda x, y: x.log(),
    "tanh": lambda x, y: x.tanh(),
    "dot": lambda x, y: dot([x], [y]),
}


@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize("at", [(2.0, 5.0), (0.3, -1.5)])
def test_the_slopes_are_those_that_nudging_finds(op, at):
    inputs = [Value(number) for number in at]
    out = OPERATIONS[op](*inputs)
    assert out.op == op
    assert list(out.parents) == inputs[: len(out.parents)]
    for i, local in enumerate(out.slopes):

        def nudged(number, i=i):
            moved = [Value(number if i == j else data) for j, data in enumerate(at)]
            return OPERATIONS[op](*moved).data

        assert local == pytest.approx(slope(nudged, at[i]), rel=1e-6)
    assert len(out.slopes) == len(out.parents)


def test_plain_numbers_join_in_on_either_side():
    x = Value(2.0)
    results = {"x + 3": x + 3, "3 + x": 3 + x, "x * 3": x * 3, "3 * x": 3 * x, "x - 3": x - 3}
    assert {text: out.data for text, out in results.items()} == {
        "x + 3": 5.0, "3 + x": 5.0, "x * 3": 6.0, "3 * x": 6.0, "x - 3": -1.0,
    }  # fmt: skip
    out = 3 - x
    assert (out.data, out.parents[1], out.slopes) == (1.0, x, (1.0, -1.0))


def test_dot_is_one_value_with_the_slopes_of_its_products():
    xs, ws = [Value(2.0), Value(-1.0), Value(0.5)], [Value(3.0), Value(4.0), Value(-6.0)]
    out, (one, two, three) = dot(xs, ws), [x * w for x, w in zip(xs, ws, strict=True)]
    assert out.data == (one + two + three).data == -1.0
    assert list(out.parents) == xs + ws
    at_x, at_w = zip(one.slopes, two.slopes, three.slopes, strict=True)
    assert out.slopes == at_x + at_w
    assert (dot([], []).data, dot([], []).parents) == (0.0, ())
    with pytest.raises(ValueError, match="shorter"):
        dot(xs, ws[:2])


def test_a_misspelt_field_is_an_error():
    with pytest.raises(AttributeError):
        Value(2.0).gard = 1.0


def test_an_input_has_neither_parents_nor_slopes():
    x = Value(2.0, name="x")
    assert (x.parents, x.slopes, x.op, x.grad, x.name) == ((), (), "", 0.0, "x")
    assert repr(Value(math.pi)) == "Value(3.14159)"


class Drawn:
    def __init__(self, out):
        self.out = out

    def _repr_html_(self):
        return f"drawn {self.out.data}"


def test_the_box_draws_an_expression_of_x_and_y():
    assert graph_of("x * y + x", Drawn) == "drawn 8.0"
    assert graph_of("(x - 2 * y).tanh()", Drawn) == f"drawn {math.tanh(-4.0)}"


@pytest.mark.parametrize("text", ["x +", "x + q", "", "x.foo()", "(x - x).log()", "__import__"])
def test_the_box_says_what_is_amiss_with_half_an_expression(text):
    assert graph_of(text, Drawn).startswith("<p>Not an expression yet: ")


@pytest.mark.parametrize("text", ["3", "x.square", "'<b>'"])
def test_the_box_refuses_what_is_no_value(text):
    assert graph_of(text, Drawn) == "<p>This is no Value: use x or y.</p>"


def test_the_box_redraws_when_its_field_changes():
    field, graph = field_and_graph(Drawn, "x * y").children
    assert graph.value == "drawn 6.0"
    field.value = "x + y"
    assert graph.value == "drawn 5.0"


def test_viz_draws_a_value_with_two_arrows_where_it_is_used_twice():
    x = Value(2.0, name="x")
    drawn = viz.draw(x + x, names={})
    assert len(drawn.graph.boxes) == 2
    assert [(a.source, a.target) for a in drawn.graph.arrows] == [("n0", "n1"), ("n0", "n1")]
    assert repr(drawn).splitlines() == [
        "x, value 2.0, grad 0.0",
        "n1 = +(x, x), value 4.0, grad 0.0",
    ]
