"""minitensor.viz: graphs as data, in words, in DOT and SVG; formulas from the ops' own rules."""

import json

import pytest

import minitensor as mt
from minitensor import core, viz
from minitensor.viz import render, symbols


def small():
    """The graph of chapter 03: (48, 28) at (2, 3)."""
    a, b = (mt.tensor(v, requires_grad=True) for v in (2.0, 3.0))
    with viz.record():
        x = a * b
        y = a + x
        z = x * y
        z.backward()
    return z, {"a": a, "b": b, "x": x, "y": y, "z": z}


class Value:
    def __init__(self, data, parents=(), op="", name="", slopes=()):
        self.data, self.grad, self.parents, self.op = data, 0.0, parents, op
        self.name, self.slopes = name, slopes


def test_graph_holds_names_values_and_gradients():
    z, names = small()
    graph = viz.graph(z, names)
    seen = [(b.id, b.name, b.op, b.value, b.grad) for b in graph.boxes]
    assert seen == [
        ("n0", "a", "", 2.0, 48.0),
        ("n1", "b", "", 3.0, 28.0),
        ("n2", "x", "mul", 6.0, 14.0),
        ("n3", "y", "add", 8.0, 6.0),
        ("n4", "z", "mul", 48.0, 1.0),
    ]
    pairs = [(a.source, a.target) for a in graph.arrows]
    assert pairs == [
        ("n0", "n2"),
        ("n1", "n2"),
        ("n0", "n3"),
        ("n2", "n3"),
        ("n2", "n4"),
        ("n3", "n4"),
    ]


def test_graph_survives_json():
    graph = viz.graph(*small())
    assert viz.Graph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph


def test_names_are_those_of_the_callers_variables():
    z, _ = small()
    result = z
    assert viz.draw(result).graph.boxes[-1].name in ("z", "result")


def test_values_that_nobody_recorded_are_recovered_or_left_open():
    w = mt.tensor([1.0, 2.0], requires_grad=True)
    wide = (w + w).exp()  # the sum is saved by nobody, but can be computed again
    graph = viz.graph(wide, {})
    assert graph.boxes[1].value == [2.0, 4.0]
    open_end = (w + 1).exp()  # which constant was added is not kept
    boxes = viz.graph(open_end, {}).boxes
    assert boxes[1].value is None and boxes[1].shape == (2,)


def test_constants_are_drawn_when_recorded():
    w = mt.tensor(2.0, requires_grad=True)
    with viz.record():
        out = w + 1
    kinds = [(b.kind, b.value) for b in viz.graph(out, {}).boxes]
    assert kinds == [("leaf", 2.0), ("constant", 1), ("op", 3.0)]
    assert core.OBSERVERS == ()


def test_any_object_of_the_right_shape_has_a_graph():
    a = Value(2.0, name="a")
    total = Value(4.0, (a, a), "+", slopes=(1.0, 1.0))
    graph = viz.graph(total)
    assert [(a.source, a.target, a.slot, a.slope) for a in graph.arrows] == [
        ("n0", "n1", 0, 1.0),
        ("n0", "n1", 1, 1.0),
    ]
    assert "label" in viz.draw(total, slopes=True).dot.split("->")[1]
    with pytest.raises(TypeError, match=r"wants a Tensor.* not int"):
        viz.graph(3)


def test_long_chains_collapse_and_say_so():
    x = y = mt.tensor(1.0, requires_grad=True)
    for _ in range(5000):
        y = y + x
    drawing = viz.draw(y)
    assert len(drawing.graph.boxes) == 60
    assert drawing.graph.hidden == 5001 - 59
    assert "4942 boxes are folded together" in repr(drawing)
    assert "4942 more" in drawing.dot


def test_scopes_frame_and_then_fold():
    x = mt.tensor(1.0, requires_grad=True)
    with viz.record():
        y = x
        for name in ("first", "second"):
            with viz.scope(name):
                for _ in range(5):
                    y = y.tanh()
    assert 'subgraph cluster_1 { label="second"' in viz.draw(y).dot
    folded = viz.draw(y, limit=5).graph
    assert [(b.kind, b.name) for b in folded.boxes] == [
        ("leaf", "x"),
        ("more", "first"),
        ("more", "second"),
    ]
    assert folded.hidden == 10


def test_highlight_marks_by_more_than_colour():
    z, names = small()
    dot = viz.draw(z, names=names, highlight=["x", ("x", "z")]).dot
    assert "▶ × x" in dot and "penwidth=3" in dot
    with pytest.raises(KeyError, match="no box 'q'"):
        viz.draw(z, names=names, highlight=["q"])


def test_words_tell_the_whole_graph():
    z, names = small()
    assert repr(viz.draw(z, names=names, caption="z = x * y")).splitlines() == [
        "z = x * y",
        "a, value 2.0, grad 48.0",
        "b, value 3.0, grad 28.0",
        "x = ×(a, b), value 6.0, grad 14.0",
        "y = +(a, x), value 8.0, grad 6.0",
        "z = ×(x, y), value 48.0, grad 1.0",
    ]


def test_svg_is_the_same_each_time_and_has_a_label():
    if render.renderer() is None:
        pytest.skip("neither graphviz-pure nor dot is installed")
    drawn = [viz.draw(z, names=names, caption="48 & 28").svg() for z, names in (small(), small())]
    assert drawn[0] == drawn[1]
    assert drawn[0].startswith('<svg role="img" aria-label="48 &amp; 28: a, value 2.0')
    assert "<title>48 &amp; 28" in drawn[0]


def test_without_a_renderer_the_text_says_what_to_install(monkeypatch):
    monkeypatch.setattr(render, "renderer", lambda: None)
    z, names = small()
    bundle = viz.draw(z, names=names)._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "pip install graphviz graphviz-pure" in bundle["text/plain"]
    assert "digraph computation" in bundle["text/plain"]


def test_small_matrices_are_shown_and_large_ones_summed_up():
    w = mt.ones(2, 2, requires_grad=True)
    large = mt.ones(5, 5, requires_grad=True)
    assert viz.draw(w.exp()).dot.count("<TD bgcolor") == 8
    assert "mean 1.0" in viz.draw(large.exp()).dot


# -- formulas --------------------------------------------------------------------------------------

EXPECTED = {
    ("tanh", "x"): "1 - y^2",
    ("mul", "x"): "y",
    ("mul", "y"): "x",
    ("add", "x"): "1",
    ("sub", "y"): "-1",
    ("div", "y"): r"\frac{-x}{y^2}",
    ("exp", "x"): "y",
    ("log", "x"): r"\frac{1}{x}",
    ("square", "x"): r"2 \cdot x",
    ("sigmoid", "x"): r"y \cdot \left(1 - y\right)",
    ("relu", "x"): "[y > 0]",
    ("matmul", "x"): r"g \, y^T",
    ("matmul", "y"): r"x^T \, g",
    ("mean", "x"): r"\frac{g}{n}",
    ("logsumexp", "x"): "e^{x - y}",
}


@pytest.mark.parametrize(("name", "wrt"), EXPECTED)
def test_derivatives_read_as_in_a_textbook(name, wrt):
    assert viz.derivative(name, wrt) == EXPECTED[name, wrt]


@pytest.mark.parametrize("name", core.OPS)
def test_every_op_has_formulas(name):
    op = core.OPS[name]
    texts = [viz.formula(name), *(viz.derivative(name, wrt) for wrt in op.rules)]
    for text in texts:
        assert text and "Symbol" not in text and "<" not in text.replace(" < ", "")
        assert text.count("{") == text.count("}")
        assert text.count(r"\left") == text.count(r"\right")


def test_letters_can_be_chosen():
    assert viz.formula("mul", ["w", "x"]) == r"w \cdot x"
    assert viz.derivative("tanh", "x", ["h"], out="a") == "1 - a^2"
    assert viz.derivative("mul", "x", ["w", "x"], upstream=r"\bar z") == r"\bar z \cdot x"
    with pytest.raises(KeyError):
        viz.derivative("floor_divide", "x")
    assert symbols.symbol(2.5).tex == "2.5"
