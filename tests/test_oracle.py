"""Functions held against PyTorch: values, dtypes, first and second gradients, refusals."""

import itertools
import warnings

import numpy as np
import pytest

import minitensor as mt
from minitensor.functions_table import BINARY, UNARY

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")

SHAPES = [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 1, 3, 2)]
LAYOUTS = ["plain", "cut"]


def values(shape, layout="plain", seed=0, low=-0.9, high=0.9):
    """Random float64 values; "cut" makes them every other one of a larger, transposed array."""
    rng = np.random.default_rng(seed)
    if layout == "plain" or not shape:
        return np.asarray(rng.uniform(low, high, shape))
    wide = rng.uniform(low, high, [2 * n for n in reversed(shape)])
    return wide.T[tuple(slice(None, None, 2) for _ in shape)]


def answers(lib, function, arrays):
    """The value, and where it can be differentiated, gradients and second gradients."""
    inputs = [lib.from_numpy(np.array(a) if a.ndim == 0 else a).requires_grad_() for a in arrays]
    out = function(lib, *inputs)
    if not out.requires_grad:
        return [out.numpy()]
    weights = lib.from_numpy(np.asarray(values(tuple(out.shape), seed=5)))
    first = lib.autograd.grad((out * out * weights).sum(), inputs, create_graph=True)
    results = [out, *first]
    if any(g.requires_grad for g in first):
        total = sum((g * g).sum() for g in first if g.requires_grad)
        results += lib.autograd.grad(total, inputs, allow_unused=True, materialize_grads=True)
    return [t.detach().numpy() for t in results]


def check(function, *arrays):
    """Both libraries give the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = answers(torch, function, arrays)
    got = answers(mt, function, arrays)
    for g, w in itertools.zip_longest(got, wanted):
        if g is None or w is None:  # one of them knows that the second derivative is 0
            assert not np.any(g if w is None else w)
            continue
        assert g.shape == w.shape and g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [n for n in UNARY if n != "bitwise_not"])
def test_unary(name, layout):
    low = 0.2 if name.startswith(("log", "sqrt", "rsqrt", "recip")) else -0.9
    for shape in SHAPES:
        check(lambda lib, x: getattr(lib, name)(x), values(shape, layout, low=low))


@pytest.mark.parametrize(
    "name", [n for n in BINARY if not n.startswith(("bitwise", "floor_divide"))]
)
def test_binary(name):
    low = 0.3 if name == "remainder" else -0.9
    for a, b in [((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0, 3), (3,))]:
        check(
            lambda lib, x, y: getattr(lib, name)(x, y),
            values(a, "cut", 1, low),
            values(b, "plain", 2, low),
        )


CALLS = {
    "sum": lambda lib, x: x.sum(),
    "sum dim": lambda lib, x: x.sum(-1, keepdim=True),
    "sum dims": lambda lib, x: x.sum((0, -1)),
    "mean": lambda lib, x: x.mean(1),
    "var": lambda lib, x: x.var(0),
    "std": lambda lib, x: x.std(-1, keepdim=True),
    "var correction": lambda lib, x: lib.var(x, (0, 1), correction=0),
    "amax": lambda lib, x: x.amax((0, 2)),
    "amin": lambda lib, x: lib.amin(x, 1, True),
    "max": lambda lib, x: x.max(),
    "max dim": lambda lib, x: x.max(1).values * x.max(-1)[0].sum(),
    "min dim": lambda lib, x: lib.min(x, 0, keepdim=True).values,
    "logsumexp": lambda lib, x: x.logsumexp((0, 1)),
    "softmax": lambda lib, x: x.softmax(-1),
    "log_softmax": lambda lib, x: lib.log_softmax(x, 1),
    "cumsum": lambda lib, x: x.cumsum(1),
    "reshape": lambda lib, x: x.reshape(4, -1),
    "flatten": lambda lib, x: x.flatten(1),
    "permute": lambda lib, x: x.permute(2, 0, 1),
    "transpose": lambda lib, x: x.transpose(0, -1),
    "T": lambda lib, x: x[0].T,
    "mT": lambda lib, x: x.mT,
    "t": lambda lib, x: x[0].t(),
    "squeeze": lambda lib, x: x.unsqueeze(1).squeeze().unsqueeze(-1).squeeze(-1),
    "expand": lambda lib, x: x.unsqueeze(0).expand(3, -1, 3, 4),
    "narrow": lambda lib, x: x.narrow(2, 1, 2),
    "cat": lambda lib, x: lib.cat([x, x * 2], -1),
    "stack": lambda lib, x: lib.stack([x, x.sin()], 1),
    "index": lambda lib, x: x[:, [0, 2, 2]] * x[0, 1, 2],
    "mask": lambda lib, x: x[x > 0],
    "step": lambda lib, x: x[..., ::2],
    "new axis": lambda lib, x: x[:, None, 1],
    "matmul": lambda lib, x: x @ x.mT,
    "matmul vector": lambda lib, x: x @ x[0, 0],
    "vector matmul": lambda lib, x: x[0, :, 0] @ x[1],
    "dot": lambda lib, x: lib.dot(x[0, 0], x[1, 1]),
    "mv": lambda lib, x: lib.mv(x[0], x[1, 1]),
    "mm": lambda lib, x: lib.mm(x[0], x[1].T),
    "bmm": lambda lib, x: lib.bmm(x, x.transpose(1, 2)),
    "pow": lambda lib, x: x**3 + x**2 + (x.abs() + 0.1) ** 0.5 + x**0,
    "pow tensor": lambda lib, x: (x.abs() + 0.1) ** x + 2.0**x,
    "clamp": lambda lib, x: x.clamp(-0.3, 0.5) + x.clamp(min=0.1),
    "clamp tensors": lambda lib, x: lib.clamp(x, min=x * 0.5),
    "where": lambda lib, x: lib.where(x > 0, x * 2, x.exp()),
    "where number": lambda lib, x: lib.where(x > 0, x, 0.0),
    "add alpha": lambda lib, x: lib.add(x, x.sin(), alpha=2) - lib.sub(1.0 * x, x, alpha=0.5),
    "div modes": lambda lib, x: lib.div(x, 0.3, rounding_mode="floor") + 1 / (x + 2),
    "numbers": lambda lib, x: 2 - x * 3 + x / 2 - (1 - x) % 0.7,
    "to float32": lambda lib, x: x.to(lib.float32).double() * x,
    "clone": lambda lib, x: x.clone().contiguous(),
    "erf": lambda lib, x: x.erf() + lib.round(x, decimals=1),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CALLS)
def test_calls(name, layout):
    check(CALLS[name], values((2, 3, 4), layout, seed=7))


DTYPES = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"]
KINDS = [*[(d, n) for d in DTYPES for n in (0, 1)], True, 2, 2.5]


def operand(lib, kind):
    if not isinstance(kind, tuple):
        return kind
    name, ndim = kind
    return lib.ones([2] * ndim, dtype=getattr(lib, name))


OPERATIONS = {
    "add": lambda lib, a, b: a + b,
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / b,
    "less": lambda lib, a, b: a < b,
    "where": lambda lib, a, b: lib.where(lib.tensor([True, False]), a, b),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_promotion(operation):
    for a, b in itertools.product(KINDS, KINDS):
        if not isinstance(a, tuple) and not isinstance(b, tuple):
            continue
        want = OPERATIONS[operation](torch, operand(torch, a), operand(torch, b))
        got = OPERATIONS[operation](mt, operand(mt, a), operand(mt, b))
        assert (str(got.dtype).split(".")[1], tuple(got.shape)) == (
            str(want.dtype).split(".")[1],
            tuple(want.shape),
        ), (a, b)


RESULTS = {  # of integers and bools, and of empty tensors
    "sum": lambda lib, x: x.sum(),
    "exp": lambda lib, x: x.exp(),
    "abs": lambda lib, x: (x * 1).abs(),
    "argmax": lambda lib, x: x.argmax(),
    "argmax dim": lambda lib, x: x.argmax(0, keepdim=True),
    "max": lambda lib, x: x.max(),
    "all": lambda lib, x: x.all(),
    "any": lambda lib, x: x.any(0),
    "cumsum": lambda lib, x: x.cumsum(0),
    "mean": lambda lib, x: x.mean(),
    "float": lambda lib, x: x.float().mean(),
    "neg": lambda lib, x: -x,
    "pow": lambda lib, x: x**2,
    "negative power": lambda lib, x: x**-1,
    "float power": lambda lib, x: x**0.5,
    "softmax": lambda lib, x: x.softmax(0),
    "relu": lambda lib, x: x.relu(),
    "invert": lambda lib, x: ~x,
    "and": lambda lib, x: x & x,
    "floor_divide": lambda lib, x: x // 2,
    "item": lambda lib, x: lib.tensor(x.item()),
    "len": lambda lib, x: lib.tensor(len(x)),
    "bool": lambda lib, x: lib.tensor(bool(x)),
    "bad dim": lambda lib, x: x.sum(5),
    "bad reshape": lambda lib, x: x.reshape(7, -1),
    "bad view": lambda lib, x: x.view(-1, -1),
    "bad index": lambda lib, x: x[9],
    "bad permute": lambda lib, x: x.permute(0, 1),
    "bad expand": lambda lib, x: x.expand(7, 3),
    "bad cat": lambda lib, x: lib.cat([x, x[None]]),
    "bad stack": lambda lib, x: lib.stack([x, x[:1]]),
    "bad broadcast": lambda lib, x: x + lib.ones(7),
    "bad matmul": lambda lib, x: x @ lib.ones(7, 7),
    "needs grad": lambda lib, x: x.requires_grad_(),
    "bad clamp": lambda lib, x: x.clamp(),
    "bad squeeze": lambda lib, x: x.squeeze(3),
    "bad narrow": lambda lib, x: x.narrow(0, 1, 9),
    "negative step": lambda lib, x: x[::-1],
    "float index": lambda lib, x: x[1.5],
    "empty cat": lambda lib, x: lib.cat([]),
    "add text": lambda lib, x: x + "a",
}
DATA = {
    "int": [1, 2, 3], "bool": [True, False, True], "float": [1.5, 2.5, -1.0], "empty": [],
    "0-d": 2.0, "one": [4],
}  # fmt: skip


def outcome(lib, call, data):
    """What came out: kind of error, or dtype, shape and values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = call(lib, lib.tensor(data))
    except Exception as error:
        return type(error)
    return str(out.dtype).split(".")[1], tuple(out.shape), out.detach().tolist()


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", RESULTS)
def test_results_and_refusals(name, data):
    want, got = (outcome(lib, RESULTS[name], DATA[data]) for lib in (torch, mt))
    if isinstance(want, tuple) and isinstance(got, tuple):
        assert got[:2] == want[:2]
        np.testing.assert_allclose(np.array(got[2]), np.array(want[2]), rtol=1e-5, equal_nan=True)
    else:
        assert got == want
