"""How tensors print: texts written down here, and PyTorch's own for many more."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitensor as mt
from minitensor import printing
from minitensor.core import wrap

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


@pytest.fixture(autouse=True)
def default_options():
    yield
    mt.set_printoptions(profile="default")


TEXTS = [
    (1.0, "tensor(1.)"),
    (0.1, "tensor(0.1000)"),
    (3, "tensor(3)"),
    (True, "tensor(True)"),
    ([], "tensor([])"),
    ([[], []], "tensor([], size=(2, 0))"),
    ([1.0, 2.0], "tensor([1., 2.])"),
    ([1, -20], "tensor([  1, -20])"),
    ([True, False], "tensor([ True, False])"),
    ([0.5, -1.25, 100], "tensor([  0.5000,  -1.2500, 100.0000])"),
    ([1e-5, 1.0], "tensor([1.0000e-05, 1.0000e+00])"),
    ([1e9], "tensor([1.0000e+09])"),
    ([NAN, INF, -INF, 1.0], "tensor([nan, inf, -inf, 1.])"),
    ([NAN, 0.5], "tensor([   nan, 0.5000])"),
    ([NAN], "tensor([nan])"),
    ([0.0, -0.0], "tensor([0., -0.])"),
    ([[1.0, 2], [3, 4]], "tensor([[1., 2.],\n        [3., 4.]])"),
    ([[[1]], [[2]]], "tensor([[[1]],\n\n        [[2]]])"),
]


@pytest.mark.parametrize("data, text", TEXTS)
def test_texts(data, text):
    assert repr(mt.tensor(data)) == str(mt.tensor(data)) == text


@pytest.mark.parametrize("data, text", TEXTS)
def test_texts_are_torch_s(torch, data, text):
    assert repr(torch.tensor(data)) == text


def check(torch, array, **options):
    """Our text is PyTorch's. A line may be full by the module's name, so ours is lent theirs."""
    array = np.asarray(array)
    with mock.patch.object(mt.dtype, "__repr__", lambda d: f"torch.{d.name}"):
        assert repr(mt.tensor(array, **options)) == repr(torch.tensor(array, **options))


DTYPES = "float16 float32 float64 uint8 int8 int16 int32 int64 bool".split()
SHAPES = [
    (), (1,), (3,), (0,), (2, 0), (0, 3), (4, 5), (2, 3, 4), (1, 1, 1, 1), (2, 2, 2, 3), (40,),
    (3, 30), (1000,), (1001,), (7, 200), (5, 6, 7, 8), (1001, 1), (2, 600), (1, 1, 2000),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_and_dtypes(torch, shape, dtype):
    values = np.random.default_rng(0).normal(0, 20, shape)
    check(torch, np.abs(values).astype(dtype))
    check(torch, np.where(values > 0, values.round(), 0).astype(dtype))


def test_strided(torch):
    values = np.arange(60.0).reshape(6, 10)
    assert repr(wrap(values.T[::2])) == repr(torch.tensor(values).T[::2]).replace(
        "torch", "minitensor"
    )


EDGES = [
    0.0, -0.0, 1.0, 0.5, 0.1, 1e-4, 9.99e-5, 1e8, 1.1e8, 1000.0, 1001.0, 1e-45, 3e38, NAN, INF,
    -INF, 123456.0, -99999.5, 16777217.0,
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("a", EDGES)
def test_pairs_of_edges(torch, a, dtype):
    """Where the scientific notation begins, and what nan, inf and -0 do to it."""
    with np.errstate(over="ignore"):
        check(torch, np.array(a, dtype=dtype))
        for b in EDGES:
            check(torch, np.array([a, b], dtype=dtype))


number = st.one_of(st.sampled_from(EDGES), st.floats(width=32), st.integers(-2000, 2000).map(float))
shape = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)


@settings(max_examples=150, deadline=None)
@given(array=hnp.arrays(np.float32, shape, elements=number))
def test_any_floats(torch, array):
    check(torch, array)
    check(torch, array.astype(np.float64))


@settings(max_examples=60, deadline=None)
@given(array=hnp.arrays(st.sampled_from([np.int64, np.int8, np.uint8, np.bool_]), shape))
def test_any_integers(torch, array):
    check(torch, array)


OPTIONS = [
    {"precision": 2},
    {"precision": 0},
    {"threshold": 0},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"linewidth": 20},
    {"linewidth": 1},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "full", "precision": 1, "linewidth": 120},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(torch, options):
    values = np.random.default_rng(1).normal(0, 100, 1200)
    mt.set_printoptions(**options)
    torch.set_printoptions(**options)
    try:
        for shape in [(), (4,), (12,), (3, 4), (1200,), (30, 40), (2, 2, 300)]:
            array = values[: int(np.prod(shape))].reshape(shape)
            check(torch, array)
            check(torch, array.round().astype(np.float32), requires_grad=True)
            check(torch, array.astype(np.int32))
    finally:
        torch.set_printoptions(profile="default")


def test_a_call_without_sci_mode_sets_it_back():
    mt.set_printoptions(sci_mode=True)
    assert repr(mt.tensor([1.0])) == "tensor([1.0000e+00])"
    mt.set_printoptions(precision=3)
    assert repr(mt.tensor([1.5])) == "tensor([1.500])"


def test_what_follows_the_values(torch):
    for module, name in ((mt, "minitensor"), (torch, "torch")):
        x = module.tensor([1.0, 2.0], requires_grad=True)
        assert repr(x) == "tensor([1., 2.], requires_grad=True)"
        assert repr(x + 1) == "tensor([2., 3.], grad_fn=<AddBackward0>)"
        assert repr(x * x) == "tensor([1., 4.], grad_fn=<MulBackward0>)"
        assert repr(x.sum()) == "tensor(3., grad_fn=<SumBackward0>)"
        assert repr(x.detach()) == "tensor([1., 2.])"
        d = module.tensor([1.0], dtype=module.float64, requires_grad=True)
        assert repr(d) == f"tensor([1.], dtype={name}.float64, requires_grad=True)"
        assert repr(d * 2) == f"tensor([2.], dtype={name}.float64, grad_fn=<MulBackward0>)"
        empty = module.zeros(0, dtype=module.int64)
        assert repr(empty) == f"tensor([], dtype={name}.int64)"


@pytest.mark.parametrize("n", range(1, 25))
def test_suffixes_move_to_a_line_of_their_own(torch, n):
    """The line is full at the same length."""
    texts = []
    for module in (mt, torch):
        x = module.ones(n, requires_grad=True)
        texts.append([repr(x), repr(x * 1), repr(module.ones(2, n, requires_grad=True))])
    assert texts[0] == texts[1]


def test_device(device):
    t = mt.tensor([[1.0, 2.5]], device=device)
    where = "" if device == "cpu" else f", device='{t.device}'"
    assert repr(t) == f"tensor([[1.0000, 2.5000]]{where})"
    t = mt.zeros(0, dtype=mt.int64, device=device)
    assert repr(t) == f"tensor([]{where}, dtype=minitensor.int64)"


def test_default_dtype():
    mt.set_default_dtype(mt.float64)
    try:
        assert repr(mt.tensor([1.0])) == "tensor([1.])"
        assert repr(mt.ones(1, dtype=mt.float32)) == "tensor([1.], dtype=minitensor.float32)"
        assert repr(mt.zeros(0, dtype=mt.float32)) == "tensor([], dtype=minitensor.float32)"
    finally:
        mt.set_default_dtype(mt.float32)


def test_large_tensors_are_quick():
    """A summary looks at its edges only, not at every element."""
    t = mt.zeros(1000, 1000, 5)
    assert len(repr(t)) < 3000
    assert printing.array_text(np.broadcast_to(np.float32(1), (10**6, 10**6))).count("...") == 7


def test_under_the_name_torch_every_line_breaks_where_pytorch_breaks_it():
    """As ``compat`` sets it: 400 random tensors of every dtype, with and without gradients."""
    torch = pytest.importorskip("torch")
    from minitensor import compat

    rng = np.random.default_rng(5)
    compat._call_it("torch")
    try:
        for i in range(400):
            shape = rng.integers(0, 6, rng.integers(0, 5)) if i % 8 else [40, 40]
            data = rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 9)
            name = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool"][i % 7]
            with np.errstate(all="ignore"):
                data = np.asarray(np.clip(data, -1e9, 1e9)).astype(name)
            texts = []
            for lib in (torch, mt):
                x = lib.tensor(data)
                x = x.requires_grad_() if x.is_floating_point() and i % 3 == 0 else x
                texts.append(repr(x * 2 if i % 9 == 0 and name == "float64" else x))
            assert texts[1] == texts[0]
    finally:
        compat._call_it("minitensor")
