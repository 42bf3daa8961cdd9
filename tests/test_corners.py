"""Corners of functions, against PyTorch: 0, infinities, nan, ties, equal values, huge values."""

import math
import warnings

import numpy as np
import pytest

import minitensor as mt

INF = math.inf
POINTS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, INF, -INF, 1e-30, 1e30]


def pairs():
    a, b = np.meshgrid(POINTS, POINTS)
    return a.ravel(), b.ravel()


def outcome(lib, function, arrays):
    inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = function(lib, *inputs)
        found = [out]
        if out.requires_grad:
            found += lib.autograd.grad(out.sum(), inputs)
    return [t.detach().numpy() for t in found]


def compare(function, *arrays, rtol=1e-12, atol=1e-15):
    torch = pytest.importorskip("torch")
    with np.errstate(all="ignore"):
        want, got = (outcome(lib, function, arrays) for lib in (torch, mt))
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=rtol, atol=atol, equal_nan=True)


ONE = (
    "neg reciprocal square abs sign floor ceil trunc exp exp2 expm1 log log2 log10 log1p sqrt "
    "rsqrt sin cos tan asin acos atan sinh cosh tanh erf relu sigmoid isnan isinf isfinite "
    "logical_not"
).split()


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one(name):
    compare(lambda lib, x: getattr(lib, name)(x), np.array(POINTS))


# Left out: atan2 at (0, 0), whose gradient PyTorch sets to 0; logaddexp at infinity; remainder
# of infinity. There we give nan.
TWO = "add sub mul div pow maximum minimum hypot eq ne lt le gt ge logical_and logical_xor".split()


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two(name):
    compare(lambda lib, x, y: getattr(lib, name)(x, y), *pairs())


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 2.5, 0.0, 1.0])
def test_powers(exponent):
    compare(lambda lib, x: x**exponent, np.array(POINTS))
    compare(lambda lib, x: exponent**x, np.array(POINTS))


def test_bounds_of_clamp_let_the_gradient_through():
    compare(lambda lib, x: x.clamp(-1, 1), np.array(POINTS))
    compare(lambda lib, x: x.clamp(min=0.0), np.array(POINTS))


REDUCTIONS = {
    "sum": lambda lib, x: x.sum(),
    "mean": lambda lib, x: x.mean(),
    "amax": lambda lib, x: x.amax(),
    "amin": lambda lib, x: x.amin(),
    "max": lambda lib, x: x.max(),
    "max dim": lambda lib, x: x.max(0).values,
    "min dim": lambda lib, x: x.min(0).values,
    "var": lambda lib, x: x.var(),
    "std": lambda lib, x: x.std(),
    "std of all": lambda lib, x: lib.std(x, correction=0),
    "cumsum": lambda lib, x: x.cumsum(0),
    "logsumexp": lambda lib, x: x.logsumexp(0),
    "softmax": lambda lib, x: x.softmax(0),
    "log_softmax": lambda lib, x: x.log_softmax(0),
}
ROWS = {
    "ties": [1.0, 2.0, 2.0], "all equal": [2.0, 2.0, 2.0], "zeros": [0.0, 0.0], "one": [5.0],
    "minus infinity": [-INF, -INF], "huge": [1e300, 1e300],
    "far apart": [-1e3, 0.0, 1e3],
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, row):
    if name in ("var", "std", "std of all") and row == "huge":
        pytest.skip("the squares overflow; PyTorch scales first")
    compare(REDUCTIONS[name], np.array(ROWS[row]))


def test_the_largest_of_empty_is_minus_infinity():
    x = mt.zeros(2, 0, requires_grad=True)
    out = x.logsumexp(1)
    assert out.tolist() == [-INF, -INF]
    out.sum().backward()
    assert x.grad.shape == (2, 0)


def test_log_softmax_of_large_numbers_loses_nothing():
    got = mt.tensor([1e6, 1e6, 1e6]).log_softmax(0)
    np.testing.assert_allclose(got.numpy(), [-math.log(3)] * 3, rtol=1e-6)


def test_the_deviation_of_equal_values_has_gradient_0(device):
    x = mt.full((2, 3), 4.0, requires_grad=True, device=device)
    x.std(1).sum().backward()
    assert x.grad.tolist() == [[0, 0, 0]] * 2


def test_whole_numbers_require_no_gradient(device):
    x = mt.tensor([1.5, 2.5], requires_grad=True, device=device)
    for t in (x.long(), x.to(mt.int32), x.bool(), x.sum(dtype=mt.int64), x > 1, x.argmax()):
        assert not t.requires_grad and t.grad_fn is None
    assert x.half().requires_grad


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "name", ["exp", "log", "sigmoid", "tanh", "erf", "expm1", "log1p", "softmax", "logsumexp"]
)
def test_every_float_keeps_its_precision(name, dtype):
    torch = pytest.importorskip("torch")
    x = np.array([-1e4, -100, -20, -1, -1e-4, 0, 1e-4, 1, 20, 100, 1e4]).astype(dtype)
    dims = (0,) if name in ("softmax", "logsumexp") else ()
    want = getattr(torch, name)(torch.from_numpy(x), *dims).numpy()
    got = getattr(mt, name)(mt.from_numpy(x), *dims).numpy()
    assert got.dtype == want.dtype
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(got, want, rtol=4 * eps, atol=eps, equal_nan=True)
