"""The random stream: PyTorch's numbers for the same seed, held to PyTorch itself where it is there.

Where it is not, a few of its numbers that are written down here stand in for it.
"""

import numpy as np
import pytest

import minitensor as mt
from minitensor import random
from minitensor.core import wrap

SIZES = [0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 100, 1000, 4099]
FLOATS = ["float16", "float32", "float64"]


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


def fused():
    """Whether PyTorch multiplies and adds in one instruction here, as we then do in float32."""
    torch = pytest.importorskip("torch")
    return torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


def near(ours, theirs):
    """Equal but for the last digits: PyTorch's vector code approximates log, sin and cos."""
    tight = {"float16": 0, "float32": 6e-7, "float64": 1e-15}
    loose = {"float16": 2e-3, "float32": 4e-6, "float64": 1e-14}
    limit = (tight if fused() else loose)[theirs.dtype.name]
    np.testing.assert_allclose(ours, theirs, rtol=limit, atol=limit)


def intel():
    """Whether this is an Intel processor, where PyTorch has a fork in its stream."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return "GenuineIntel" in lines.read()
    except OSError:
        return False


def draw_both(torch, draw, seed=7):
    """What ``draw(module)`` gives in both libraries, three times on, and the next number after."""
    found = []
    for module in (mt, torch):
        module.manual_seed(seed)
        found.append([np.asarray(draw(module)) for _ in range(3)] + [module.rand(1).tolist()])
    return found


def same(torch, draw, compare=np.testing.assert_array_equal):
    ours, theirs = draw_both(torch, draw)
    for a, b in zip(ours[:-1], theirs[:-1], strict=True):
        compare(a, b)
        assert a.dtype == b.dtype and a.strides == b.strides
    assert ours[-1] == theirs[-1], "the streams have gone apart"


# -- numbers written down, so that they hold without PyTorch ---------------------------------------


def test_numbers_of_seed_42():
    mt.manual_seed(42)
    assert [round(v, 4) for v in mt.rand(3).tolist()] == [0.8823, 0.9150, 0.3829]
    mt.manual_seed(42)
    assert [round(v, 4) for v in mt.randn(3).tolist()] == [0.3367, 0.1288, 0.2345]
    mt.manual_seed(42)
    assert [round(v, 4) for v in mt.randn(16).tolist()[:2]] == [1.9269, 1.4873]
    mt.manual_seed(42)
    assert mt.randint(0, 10, (5,)).tolist() == [2, 7, 6, 4, 6]
    mt.manual_seed(42)
    assert mt.randperm(5).tolist() == [2, 4, 3, 0, 1]


# -- against PyTorch -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_rand(torch, n, dtype):
    same(torch, lambda m: m.rand(n, dtype=getattr(m, dtype)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_randn(torch, n, dtype):
    same(torch, lambda m: m.randn(n, dtype=getattr(m, dtype)), near)


def test_half_precision_never_rounds_up_to_the_end(torch):
    same(torch, lambda m: m.rand(40_000, dtype=m.float16))
    assert mt.rand(40_000, dtype=mt.float16).numpy().max() < 1


@pytest.mark.parametrize(
    "low, high",
    [(0, 10), (-5, 5), (0, 2**28 - 1), (0, 2**28), (0, 2**32), (-(2**40), 2**40),
     (-(2**63), 2**63 - 1)],
)  # fmt: skip
def test_randint(torch, low, high):
    same(torch, lambda m: m.randint(low, high, (3, 5)))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "bool", "float32", "float64"])
def test_randint_of_each_dtype(torch, dtype):
    same(torch, lambda m: m.randint(2, (20,), dtype=getattr(m, dtype)))


def test_randint_by_name(torch):
    same(torch, lambda m: m.randint(low=2, high=9, size=(4,)))
    same(torch, lambda m: m.randint(2, high=9, size=(4,)))
    same(torch, lambda m: m.randint(9, size=(4,)))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 1000])
def test_randperm(torch, n):
    same(torch, lambda m: m.randperm(n))


def fill(m, name, shape, *args, **options):
    """Call an in-place fill by its name; ours as a function, since it is that that is tested."""
    t = m.zeros(shape, **options)
    return getattr(t, name)(*args) if m is not mt else getattr(random, name)(t, *args)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bounds", [(0, 1), (-3, 7), (0.1, 0.3), (2, 2)])
def test_uniform_(torch, bounds, dtype):
    exact = dtype != "float64" and fused()
    compare = np.testing.assert_array_equal if exact else near
    same(torch, lambda m: fill(m, "uniform_", 1000, *bounds, dtype=getattr(m, dtype)), compare)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [5, 16, 23])
@pytest.mark.parametrize("mean, std", [(0, 1), (0.3, 0.1), (-2, 0)])
def test_normal_(torch, n, mean, std, dtype):
    same(torch, lambda m: fill(m, "normal_", n, mean, std, dtype=getattr(m, dtype)), near)


@pytest.mark.parametrize("p", [0, 0.3, 1])
@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "bool"])
def test_bernoulli_with_a_number(torch, p, dtype):
    if intel():
        pytest.skip("on Intel processors PyTorch asks MKL for another generator")
    same(torch, lambda m: fill(m, "bernoulli_", 100, p, dtype=getattr(m, dtype)))
    same(torch, lambda m: m.bernoulli(m.ones(7), 0.4))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bernoulli_with_a_tensor(torch, dtype):
    p = np.linspace(0, 1, 60, dtype=dtype).reshape(3, 20)
    same(torch, lambda m: m.bernoulli(m.tensor(p)))
    same(torch, lambda m: fill(m, "bernoulli_", (3, 20), m.tensor(p[:1])))


@pytest.mark.parametrize("dtype", FLOATS)
def test_exponential_(torch, dtype):
    if intel():
        pytest.skip("on Intel processors PyTorch asks MKL for another generator")
    draw = lambda m: fill(m, "exponential_", 300, 2.5, dtype=getattr(m, dtype))  # noqa: E731
    same(torch, draw, lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-15))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", *FLOATS])
@pytest.mark.parametrize("bounds", [(), (9,), (2, 9)])
def test_random_(torch, bounds, dtype):
    same(torch, lambda m: fill(m, "random_", 20, *bounds, dtype=getattr(m, dtype)))


@pytest.mark.parametrize("n, replacement", [(1, False), (3, False), (1, True), (40, True)])
@pytest.mark.parametrize("shape", [(5,), (4, 5)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multinomial(torch, shape, n, replacement, dtype):
    if intel() and (n == 1 or not replacement):
        pytest.skip("on Intel processors PyTorch asks MKL for another generator")
    weights = np.random.default_rng(0).random(shape).astype(dtype)
    same(torch, lambda m: m.multinomial(m.tensor(weights), n, replacement))


@pytest.mark.parametrize("kind", ["numbers", "mean", "std", "both"])
@pytest.mark.parametrize("n", [5, 40])
def test_normal(torch, kind, n):
    def draw(m):
        mean, std = m.full((2, n), 0.3), m.full((n,), 0.1)
        if kind == "numbers":
            return m.normal(0.3, 0.1, (2, n))
        return m.normal(0.3 if kind == "std" else mean, 0.1 if kind == "mean" else std)

    same(torch, draw, near)


@pytest.mark.parametrize("name", ["rand_like", "randn_like"])
@pytest.mark.parametrize("shape", [(3, 4), (5, 8)])
def test_like(torch, name, shape):
    """In memory order, and the strides kept; a normal fill of such a tensor goes pair by pair."""
    same(torch, lambda m: getattr(m, name)(m.zeros(shape).t()), near)
    same(torch, lambda m: getattr(m, name)(m.zeros(shape, dtype=m.float64)), near)


def test_randint_like(torch):
    same(torch, lambda m: m.randint_like(m.zeros(3, 4), 10))
    same(torch, lambda m: m.randint_like(m.zeros(3, 4, dtype=m.int32), -4, 10))
    same(torch, lambda m: m.randint_like(m.zeros(3, 4), 10, dtype=m.int64))


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("name", ["uniform_", "normal_", "bernoulli_", "random_"])
def test_fills_go_in_memory_order(torch, name, step):
    """A tensor that lies in memory in another order is filled in that order."""

    def draw(m):
        t = m.zeros(6, 8, 2 * step)[:, :, ::step].permute(2, 0, 1)
        return getattr(t, name)() if m is not mt else getattr(random, name)(t)

    if name == "bernoulli_" and intel():
        pytest.skip("on Intel processors PyTorch asks MKL for another generator")
    same(torch, draw, near if name == "normal_" else np.testing.assert_array_equal)


@pytest.mark.parametrize("drawn", [0, 1, 5, 623, 624, 700])
def test_states_are_exchanged_with_torch(torch, drawn):
    theirs = torch.Generator().manual_seed(3)
    torch.randn(3, generator=theirs)  # leaves one normal number over
    torch.rand(drawn, generator=theirs)
    ours = mt.Generator()
    ours.set_state(wrap(theirs.get_state().numpy()))
    assert ours.initial_seed() == 3
    back = torch.Generator()
    back.set_state(torch.from_numpy(ours.get_state().numpy()))
    wanted = torch.randn(3, generator=theirs).tolist()
    assert mt.randn(3, generator=ours).tolist() == wanted
    assert torch.randn(3, generator=back).tolist() == wanted
    draws = [m.randint(2**27, (800,), generator=g) for m, g in
             ((mt, ours), (torch, theirs), (torch, back))]  # fmt: skip
    assert draws[0].tolist() == draws[1].tolist() == draws[2].tolist()


# -- generators ------------------------------------------------------------------------------------


def test_a_generator_goes_on_by_itself():
    g = mt.Generator().manual_seed(5)
    mt.manual_seed(5)
    a = mt.rand(4, generator=g).tolist()
    assert a == mt.rand(4).tolist()
    mt.rand(10)
    b = mt.rand(4, generator=g).tolist()
    mt.manual_seed(5)
    assert mt.rand(8).tolist() == a + b


def test_states():
    mt.manual_seed(1)
    mt.randn(3)
    state = mt.get_rng_state()
    first = mt.randn(5).tolist(), mt.randperm(9).tolist()
    mt.set_rng_state(state)
    assert first == (mt.randn(5).tolist(), mt.randperm(9).tolist())
    with pytest.raises(TypeError, match="5056 bytes"):
        mt.set_rng_state(mt.zeros(3))


def test_seeds():
    assert mt.manual_seed(-1) is mt.default_generator
    assert mt.initial_seed() == 2**64 - 1
    assert mt.Generator().initial_seed() == 67280421310721
    assert mt.seed() == mt.initial_seed() != mt.seed()
    for wrong in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="Overflow"):
            mt.manual_seed(wrong)


def test_a_new_seed_forgets_the_number_left_over():
    mt.manual_seed(5)
    first = mt.randn(1).tolist()
    mt.manual_seed(5)
    assert mt.randn(1).tolist() == first


# -- refusals, and the graph -----------------------------------------------------------------------

REFUSALS = [
    (lambda m: m.rand(2, dtype=m.int64), NotImplementedError, "not implemented for"),
    (lambda m: m.randn(2, dtype=m.int64), NotImplementedError, "not implemented for"),
    (lambda m: m.randn_like(m.ones(2, dtype=m.int64)), NotImplementedError, "not implemented for"),
    (lambda m: m.rand(), TypeError, None),
    (lambda m: m.rand(-1), RuntimeError, "negative dimension -1"),
    (lambda m: m.rand(2, generator=3), TypeError, "generator"),
    (lambda m: m.randint(5, 5, (2,)), RuntimeError, "from=5 >= to=5"),
    (lambda m: m.randint(3), TypeError, None),
    (lambda m: m.randint(0, 300, (2,), dtype=m.uint8), RuntimeError, "to - 1 is out of bounds"),
    (lambda m: m.randint(-200, 3, (2,), dtype=m.int8), RuntimeError, "from is out of bounds"),
    (lambda m: m.randperm(-1), RuntimeError, "negative dimension -1"),
    (lambda m: m.randperm(2.5), TypeError, "must be int, not float"),
    (lambda m: m.randint(2.5, (2,)), TypeError, "must be int, not float"),
    (lambda m: m.randint(0, 2, 2), TypeError, None),
    (lambda m: m.normal(0.0, 1.0), TypeError, None),
    (lambda m: m.normal(0.0, -1.0, (2,)), RuntimeError, "normal expects std >= 0.0, but found"),
    (lambda m: m.normal(m.zeros(2), m.tensor([1.0, -1])), RuntimeError, "all elements of std"),
    (lambda m: m.bernoulli(m.tensor([2.0])), RuntimeError, "Expected p_in|to be in"),
    (lambda m: m.bernoulli(m.tensor([1])), NotImplementedError, "not implemented for"),
    (lambda m: fill(m, "bernoulli_", 2, 2), RuntimeError, "bernoulli_ expects p to be in"),
    (lambda m: fill(m, "uniform_", 2, 3, 1), RuntimeError, "from=3 > to=1"),
    (lambda m: fill(m, "normal_", 2, 0, -1), RuntimeError, "std >= 0.0, but found std -1"),
    (lambda m: fill(m, "exponential_", 2, 0), RuntimeError, "lambda > 0.0"),
    (lambda m: m.multinomial(m.zeros(3), 1), RuntimeError, "sum of probabilities <= 0"),
    (lambda m: m.multinomial(m.ones(3), 4), RuntimeError, "without replacement"),
    (lambda m: m.multinomial(m.ones(3), 0), RuntimeError, "n_sample <= 0"),
    (lambda m: m.multinomial(m.ones(2, 2, 2), 1), RuntimeError, "must be 1 or 2 dim"),
    (lambda m: m.multinomial(m.tensor([-1.0, 2]), 1), RuntimeError, "element < 0"),
    (lambda m: m.multinomial(m.tensor([1, 2]), 1), RuntimeError, "only supports floating-point"),
    (lambda m: m.ones(2, requires_grad=True).uniform_(), RuntimeError, "leaf Variable"),
    (lambda m: m.ones(2, requires_grad=True)[:1].normal_(), RuntimeError, "view of a leaf"),
]


@pytest.mark.parametrize("call, error, words", REFUSALS)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call(mt)


@pytest.mark.parametrize("call, error, words", REFUSALS)
def test_torch_refuses_the_same(torch, call, error, words):
    with pytest.raises(error, match=words):
        call(torch)


def test_a_fill_keeps_requires_grad_under_no_grad():
    w = mt.ones(3, requires_grad=True)
    with mt.no_grad():
        random.uniform_(w, 5, 6)
    assert w.requires_grad and w.is_leaf and w._version == 1
    assert w.detach().numpy().min() >= 5


def test_requires_grad():
    assert mt.randn(2, requires_grad=True).requires_grad
    assert mt.rand_like(mt.ones(2), requires_grad=True).requires_grad
    assert not mt.rand_like(mt.ones(2, requires_grad=True)).requires_grad


DRAWN = [
    lambda t: mt.rand_like(t),
    lambda t: mt.randn_like(t),
    lambda t: mt.randint_like(t, 9),
    lambda t: mt.bernoulli(t * 0.5),
    lambda t: mt.normal(t, t),
    lambda t: mt.multinomial(t, 2),
    lambda t: random.exponential_(t),
    lambda t: mt.rand(4, device=t.device),
    lambda t: mt.randn(4, device=t.device),
    lambda t: mt.randint(9, (4,), device=t.device),
    lambda t: mt.randperm(4, device=t.device),
    lambda t: mt.normal(0, 1, (4,), device=t.device),
]


@pytest.mark.parametrize("draw", DRAWN)
def test_the_same_numbers_on_every_device(draw, device):
    found = []
    for where in ("cpu", device):
        mt.manual_seed(1)
        found.append(draw(mt.ones(3, 4, device=where)))
    assert found[1].device.type == device
    assert found[0].tolist() == found[1].tolist()


def test_moments():
    """Also without PyTorch: means and spreads of many numbers are where they must be."""
    mt.manual_seed(0)
    for drawn, mean, std in [
        (mt.rand(100_000), 0.5, 12**-0.5),
        (mt.randn(100_000), 0, 1),
        (random.exponential_(mt.zeros(100_000), 2.0), 0.5, 0.5),
        (random.bernoulli_(mt.zeros(100_000), 0.25), 0.25, 0.1875**0.5),
    ]:
        assert abs(drawn.numpy().mean() - mean) < 0.01
        assert abs(drawn.numpy().std() - std) < 0.01
