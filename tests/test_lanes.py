"""The fast lanes against the general door, on everything that may come in, and out.

``test_ops.py`` holds lane and ``core.apply`` together on each op's sample; here come numbers, mixed
dtypes and devices, scalars of NumPy, formulas, observers and what neither takes.
"""

import itertools

import numpy as np
import pytest

import minitensor as mt
from minitensor import backend, core, lanes
from minitensor.core import OPS, Tensor

DTYPES = ["bool", "uint8", "int64", "float16", "float32", "float64"]


def operands(device):
    """Tensors of every dtype, 0-d and 1-d, with and without gradient, and Python's numbers."""
    made = {}
    for name in DTYPES:
        for shape in ((), (2,)):
            t = mt.ones(shape, dtype=getattr(mt, name), device=device)
            made[f"{name}{list(shape)}"] = t
            if name.startswith("float"):
                made[f"{name}{list(shape)} grad"] = t.clone().requires_grad_()
    return {**made, "True": True, "2": 2, "2.5": 2.5, "np": np.float64(1.5)}


def answer(call):
    """What a call gives, as far as a lane could differ from the door."""
    try:
        out = call()
    except Exception as error:
        return type(error), str(error)
    if not isinstance(out, Tensor):
        return type(out), out
    node = out.node
    recorded = None if node is None else (node.op, node.edges, node.shape, kinds(node.saved))
    return (
        out.array.dtype, out.array.shape, type(out.array), out.needs_grad, out.is_leaf, recorded,
        out.tolist(),
    )  # fmt: skip


def kinds(saved):
    return [getattr(s, "dtype", s) if type(s) in backend.MODULES else s for s in saved]


TWO = [n for n, op in OPS.items() if len(op.inputs) == 2 and not op.attrs and not op.variadic]
ONE = [n for n, op in OPS.items() if len(op.inputs) == 1 and not op.attrs and not op.variadic]


@pytest.mark.parametrize("name", TWO)
def test_two_inputs_of_any_kind(name, device):
    op, all_kinds = OPS[name], operands(device)
    for (a, x), (b, y) in itertools.product(all_kinds.items(), all_kinds.items()):
        if not isinstance(x, Tensor) and not isinstance(y, Tensor):
            continue
        lane = answer(lambda x=x, y=y: op.call(x, y))
        door = answer(lambda x=x, y=y: core.apply(op, (x, y), {}))
        assert without_casts(lane) == without_casts(door), (name, a, b)


def without_casts(found):
    """A cast before the op is a step of its own, made anew each time: compare its kind."""
    if len(found) < 7 or found[5] is None:
        return found
    op, edges, *rest = found[5]
    edges = [e.op.name if isinstance(e, core.Node) else e for e in edges]
    return (*found[:5], [op, edges, *rest], found[6])


@pytest.mark.parametrize("name", ONE)
def test_one_input_of_any_kind(name, device):
    op = OPS[name]
    for kind, x in operands(device).items():
        if isinstance(x, Tensor):
            lane, door = (
                answer(lambda x=x: op.call(x)),
                answer(lambda x=x: core.apply(op, (x,), {})),
            )
            assert without_casts(lane) == without_casts(door), (name, kind)


def test_the_lane_is_taken_in_the_common_case(monkeypatch):
    """Where all is of one float dtype, nobody asks the general door."""

    def closed(*args):
        raise AssertionError("the general door was used")

    x = mt.ones(3, requires_grad=True)
    y = mt.ones(3, dtype=mt.float64)
    monkeypatch.setattr(core, "apply", closed)
    ((x * x + 2.0 - x / 3).tanh().exp() @ mt.ones(3, 2)).sum()
    (y * y).sqrt()
    x.relu().reshape(1, 3).sum(0)
    with pytest.raises(AssertionError, match="general door"):
        x * y


def test_a_lane_can_be_read_and_shown_in_a_traceback():
    text = lanes.source(OPS["mul"])
    assert text.startswith("def mul(x, y):") and "node.saved = (" in text
    assert compile(text, "mul", "exec")
    import linecache

    assert "def mul(x, y):" in "".join(linecache.getlines("<lane of mul>"))


def test_raw_arrays_pass_through(device):
    raw = mt.ones(3, device=device).array
    for name in ("exp", "neg", "tanh"):
        assert type(OPS[name].call(raw)) is type(raw)
    assert type(OPS["add"].call(raw, raw)) is type(raw)
    assert type(OPS["mul"].call(raw, 2.0)) is type(raw)
    assert type(OPS["sum"].call(raw, dim=(0,), keepdim=True)) is type(raw)


def test_numpys_scalars_pass_through_as_rules_meet_them():
    x = np.float32(0.5)
    assert OPS["exp"].call(x) == np.exp(x) and OPS["exp"].call(x).dtype == np.float32


class Symbol:
    """Stands for a formula: an op on it is written down."""

    def __init__(self, text):
        self.text = text

    def __apply_op__(self, op, inputs, attrs):
        return Symbol(f"{op.name}({', '.join(getattr(i, 'text', str(i)) for i in inputs)})")


def test_symbols_are_asked_first():
    s = Symbol("s")
    assert OPS["exp"].call(s).text == "exp(s)"
    assert OPS["add"].call(s, 2).text == "add(s, 2)"
    assert OPS["add"].call(2, s).text == "add(2, s)"
    assert OPS["where"].call(s, s, 1).text == "where(s, s, 1)"
    assert OPS["cat"].call(s, s, dim=0).text == "cat(s, s)"


@pytest.mark.parametrize("bad", ["text", None, [1.0], object(), 1j])
@pytest.mark.parametrize("name", ["add", "exp", "matmul", "where", "cat"])
def test_what_is_no_operand_is_refused_by_name(name, bad):
    op = OPS[name]
    attrs = {"dim": 0} if name == "cat" else {}
    inputs = [bad] if name == "exp" else [mt.ones(2), bad]
    if name == "where":
        inputs = [mt.tensor([True, False]), *inputs]
    with pytest.raises(TypeError, match=type(bad).__name__):
        op.call(*inputs, **attrs)


def test_observers_hear_a_lane_as_they_hear_the_door():
    class Ear:
        heard = ()

        def on_op(self, op, inputs, attrs, out):
            self.heard += ((op.name, len(inputs), attrs, out.tolist()),)

    ear = Ear()
    x = mt.ones(2, requires_grad=True)
    core.OBSERVERS = (ear,)
    try:
        for call in (OPS["sum"].call, lambda t, **a: core.apply(OPS["sum"], (t,), a)):
            call(x, dim=(0,), keepdim=False)
    finally:
        core.OBSERVERS = ()
    assert ear.heard == (("sum", 1, {"dim": (0,), "keepdim": False}, 2.0),) * 2
