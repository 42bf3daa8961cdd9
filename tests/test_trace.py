"""A Trace tells what the engine did: the same sums, in the same order, as data that play alone."""

import json
import sys
import types

import numpy as np
import pytest

import minitensor as mt
from minitensor import core, viz
from minitensor.viz import Trace


def leaf(*values, **kinds):
    return mt.tensor(*values, requires_grad=True, **kinds)


def diamond():
    """The test graph of chapter 03: 48 and 28 at (2, 3)."""
    a, b = leaf(2.0), leaf(3.0)
    x = a * b
    y = a + x
    z = x * y
    return z, {"a": a, "b": b, "x": x, "y": y, "z": z}


class Value:
    """What a learner may have written: only what is asked for."""

    def __init__(self, data, parents=(), op="", slopes=None, name=""):
        self.data, self.grad, self.parents, self.op, self.name = data, 0.0, parents, op, name
        if slopes is not None:
            self.slopes = slopes


def back(film):
    return [s for s in film.steps if s.kind == "backward"]


def names_of(film):
    return {b.id: b.name or b.id for b in film.graph.boxes}


# -- what it tells ---------------------------------------------------------------------------------


def test_the_test_graph_step_by_step():
    film = viz.trace(*diamond())
    name = names_of(film)
    told = [(s.kind, name[s.box], name.get(s.to, "")) for s in film.steps[:4]]
    assert told == [("forward", "x", ""), ("forward", "y", ""), ("forward", "z", ""),
                    ("start", "z", "")]  # fmt: skip
    sums = [(name[s.box], name[s.to], s.upstream, s.local, s.share, s.before, s.after)
            for s in back(film)]  # fmt: skip
    assert sums == [
        ("z", "x", 1.0, 8.0, 8.0, None, 8.0),
        ("z", "y", 1.0, 6.0, 6.0, None, 6.0),
        ("y", "a", 6.0, 1.0, 6.0, None, 6.0),
        ("y", "x", 6.0, 1.0, 6.0, 8.0, 14.0),
        ("x", "a", 14.0, 3.0, 42.0, 6.0, 48.0),
        ("x", "b", 14.0, 2.0, 28.0, None, 28.0),
    ]
    assert [film.graph.box(n).grad for n in "abxyz"] == [48.0, 28.0, 14.0, 6.0, 1.0]


def matmul(w, x):
    return (w @ x).tanh().sum()


GRAPHS = {
    "elementwise": lambda w, x: (w * x + w.exp()).sum(),
    "one value twice": lambda w, x: (w * w).sum() * (x * x).sum(),
    "broadcasting": lambda w, x: (w.sum() * x - x[0]).square().mean(),
    "matmul": matmul,
    "views": lambda w, x: (w.t().reshape(-1) * x.reshape(-1)).sum(),
    "pieces": lambda w, x: mt.cat([w, x]).logsumexp(0).sum(),
    "choices": lambda w, x: mt.where(w > x, w * 2, x.relu()).max(),
}


def two(device="cpu"):
    random = np.random.default_rng(5)
    return [mt.tensor(random.normal(size=(3, 3)).astype("float32"), requires_grad=True,
                      device=device) for _ in "wx"]  # fmt: skip


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_its_sums_are_the_engines(graph, device):
    w, x = two(device)
    loss = graph(w, x)
    film = viz.trace(loss, {"w": w, "x": x})
    assert w.grad is None and x.grad is None  # it looked on, and left everything as it was
    loss.backward()
    for name, tensor in (("w", w), ("x", x)):
        np.testing.assert_allclose(
            film.graph.box(name).grad, tensor.grad.cpu().numpy(), rtol=1e-5, atol=1e-7
        )
    for step in back(film):
        np.testing.assert_allclose(
            step.after, np.add(0.0 if step.before is None else step.before, step.share), rtol=1e-6
        )


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_a_share_is_the_gradient_times_the_local_derivative(graph):
    found = 0
    for step in back(viz.trace(graph(*two()))):
        if step.local is not None and np.shape(step.local) == np.shape(step.share):
            product = np.multiply(step.upstream, step.local)
            np.testing.assert_allclose(step.share, product, rtol=1e-5, atol=1e-7)
            found += 1
    assert found or graph is GRAPHS["pieces"]  # there, nothing but moves


def test_it_survives_json_and_plays_without_the_engine(monkeypatch):
    film = viz.trace(matmul(*two()))
    again = Trace.from_dict(json.loads(json.dumps(film.to_dict())))
    assert again == film
    monkeypatch.setattr(core, "apply", None)
    monkeypatch.setattr(core, "OPS", {})
    *_, (_, values, grads) = again.replay()
    assert len(values) == len(again.graph.boxes)
    assert grads == {b.id: b.grad for b in again.graph.boxes if b.grad is not None}


def test_a_replay_shows_no_number_before_its_step():
    film = viz.trace(*diamond())
    name = names_of(film)
    frames = [
        ({name[i] for i in values}, {name[i]: g for i, g in grads.items()})
        for _, values, grads in film.replay()
    ]
    assert frames[0] == ({"a", "b", "x"}, {})
    assert frames[3] == ({"a", "b", "x", "y", "z"}, {"z": 1.0})
    assert frames[6][1] == {"z": 1.0, "x": 8.0, "y": 6.0, "a": 6.0}


# -- what was recorded -----------------------------------------------------------------------------


def test_a_recorded_walk_is_told_after_its_values_were_freed():
    with viz.record():
        z, names = diamond()
        z.backward()
    assert viz.trace(z, names).steps == viz.trace(*diamond()).steps
    z, names = diamond()
    z.backward()
    with pytest.raises(RuntimeError, match=r"a second time[\s\S]*viz\.record\(\)"):
        viz.trace(z, names)


def test_the_gradient_that_was_given_is_the_start():
    with viz.record():
        y = leaf([1.0, 2.0]) * 3
        y.backward(mt.tensor([10.0, 20.0]))
    film = viz.trace(y, {})
    assert film.steps[1].after == [10.0, 20.0] and film.steps[2].after == [30.0, 60.0]


def test_the_latest_walk_counts_and_an_older_graph_begins_its_own():
    w = leaf(3.0)
    with viz.record():
        old, new = w * w, w * 2
        new.backward()
        old.backward(retain_graph=True)
        old.backward(mt.tensor(10.0))
    assert [s.after for s in back(viz.trace(old, {}))] == [30.0, 60.0]
    assert [s.after for s in back(viz.trace(new, {}))] == [2.0]


def test_hooks_are_seen():
    w = leaf(3.0)
    h = w * 2
    h.register_hook(lambda g: g * 100)
    with viz.record():
        loss = h * h
        loss.backward()  # 6 + 6 arrive at h, and a hundred times that goes on
    assert back(viz.trace(loss, {}))[-1].upstream == 1200.0


def test_a_walk_to_some_of_the_inputs_is_told_in_full_where_that_is_possible():
    a, b = leaf(2.0), leaf(3.0)
    with viz.record():
        z = (a * 2) * (b * 2)
        mt.autograd.grad(z, [a], retain_graph=True)
    assert viz.trace(z, {"b": b}).graph.box("b").grad == 8.0


def test_gradients_of_gradients_have_their_own_film():
    x = leaf(2.0)
    with viz.record():
        (slope,) = mt.autograd.grad(x**3, x, create_graph=True)
        slope.backward()
    film = viz.trace(slope, {"x": x, "slope": slope})
    assert film.graph.box("slope").value == 12.0
    assert film.graph.box("x").grad == x.grad.item() == 12.0  # 6 x


def test_a_function_of_ones_own_is_a_step_like_any_other():
    class Twice(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class Split(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return g + h * 3

    x = leaf([1.0, 2.0])
    with viz.record():
        y = Twice.apply(x)
        loss = y.sum()
    film = viz.trace(loss, {"x": x, "y": y})
    assert film.graph.box("y").op == "Twice" and film.graph.box("y").value == [2.0, 4.0]
    assert back(film)[-1].local is None and back(film)[-1].after == [2.0, 2.0]
    one, three = Split.apply(x)
    film = viz.trace((one * three).sum(), {"x": x})
    assert film.graph.box("x").grad == [6.0, 12.0]  # 3 x^2


def test_large_tensors_are_summed_up_and_added_where_they_can_be():
    w = mt.ones(20, 20, requires_grad=True)
    loss = (w * 2 + w).sum()
    film = viz.trace(loss, {"w": w})
    assert film.graph.box("w").grad == {"min": 3.0, "mean": 3.0, "max": 3.0}
    huge = mt.ones(100, 100, requires_grad=True)
    steps = back(viz.trace((huge * 2 + huge).sum(), {}))
    assert steps[-1].share == {"min": 2.0, "mean": 2.0, "max": 2.0} and steps[-1].after is None
    json.dumps(film.to_dict())


# -- names, lines, scopes --------------------------------------------------------------------------


def test_names_are_the_callers_and_lines_are_kept():
    a, b = leaf(2.0), leaf(3.0)
    with viz.record():
        product = a * b
        total = product + a
    film = viz.trace(total)
    boxes = {b.name: b.line for b in film.graph.boxes}
    assert boxes == {"a": "", "b": "", "product": "product = a * b", "total": "total = product + a"}


class Recorder(mt.nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = mt.nn.ModuleList([mt.nn.Linear(2, 2), mt.nn.Linear(2, 1)])

    def forward(self, x):
        for part in self.parts:
            x = part(x).tanh()
        return x


def test_modules_are_scopes_and_their_parameters_have_names():
    model = Recorder()
    with viz.record(model):
        loss = model(mt.ones(1, 2)).sum()
    film = viz.trace(loss, {"model": model})
    scopes = [b.scope for b in film.graph.boxes if b.kind == "op"]
    # what a module computes lies inside; what its caller does with it lies outside
    assert list(dict.fromkeys(scopes)) == [
        "parts ModuleList/0 Linear", "", "parts ModuleList/1 Linear",
    ]  # fmt: skip
    names = {b.name for b in film.graph.boxes if b.kind == "leaf"}
    assert names == {f"parts.{i}.{p}" for i in (0, 1) for p in ("weight", "bias")}
    with viz.record():  # the hooks are gone
        again = model(mt.ones(1, 2))
    assert {b.scope for b in viz.graph(again).boxes} == {""}


def test_a_module_that_raises_leaves_no_scope_behind():
    class Broken(mt.nn.Module):
        def forward(self, x):
            raise ZeroDivisionError

    model = mt.nn.Sequential(Broken())
    with pytest.raises(ZeroDivisionError), viz.record(model):
        model(leaf(1.0))
    with viz.record():
        y = leaf(1.0) * 2
    assert viz.graph(y).boxes[-1].scope == ""


# -- a learner's own values ------------------------------------------------------------------------


def test_values_with_slopes():
    a, b = Value(2.0, name="a"), Value(3.0, name="b")
    product = Value(6.0, (a, b), "*", (3.0, 2.0))
    film = viz.trace(Value(12.0, (product, product), "+", (1.0, 1.0)), {})
    assert [s.after for s in back(film)] == [1.0, 2.0, 6.0, 4.0]
    assert a.grad == 0.0  # nothing of the learner's was touched


def test_values_without_slopes_get_them_from_the_rules():
    a = Value(0.5)
    film = viz.trace(Value(np.tanh(0.5), (a,), "tanh"), {})
    assert back(film)[0].local == pytest.approx(1 - np.tanh(0.5) ** 2)
    with pytest.raises(ValueError, match="needs the slopes of 'mystery'"):
        viz.trace(Value(1.0, (a,), "mystery"), {})


def test_what_has_no_way_back_is_refused():
    with pytest.raises(ValueError, match="requires grad"):
        viz.trace(mt.ones(2) * 3)
    with pytest.raises(TypeError, match=r"wants a Tensor.* not str"):
        viz.trace("loss")
    assert viz.trace(leaf(3.0)).steps == [viz.Step("start", "n0", after=1.0)]


def test_lines_come_from_files_only_where_there_are_some():
    """Code without source, as from ``exec``, has no lines, and is no error."""
    space = types.SimpleNamespace(viz=viz, leaf=leaf)
    exec("with viz.record():\n    y = leaf(2.0) * 3\nfilm = viz.trace(y)", vars(space))
    assert space.film.graph.boxes[-1].line == "" and "film" not in sys.modules


def test_three_shares_add_up():
    h = leaf(-0.125)
    steps = back(viz.trace((h * h + h) * 4, {"h": h}))
    assert [s.after for s in steps if s.to == "n0"] == [4.0, 3.5, 3.0]
