"""Distributions against PyTorch: draws, densities, gradients, words of refusals."""

import math
import re

import numpy as np
import pytest

import minitensor as mt
from minitensor import distributions


def libraries():
    torch = pytest.importorskip("torch")
    return (mt, distributions), (torch, torch.distributions)


KINDS = {
    "normal": lambda lib, d: d.Normal(0.5, 2.0),
    "normals": lambda lib, d: d.Normal(lib.tensor([0.0, 1, -2]), lib.tensor([[1.0], [0.5]])),
    "normal ints": lambda lib, d: d.Normal(0, 1),
    "normal float64": lambda lib, d: d.Normal(lib.tensor([0.0, 1], dtype=lib.float64), 2),
    "uniform": lambda lib, d: d.Uniform(-1.0, 2.0),
    "uniforms": lambda lib, d: d.Uniform(lib.tensor([0.0, 1]), lib.tensor([1.0, 4])),
    "exponential": lambda lib, d: d.Exponential(lib.tensor([0.5, 2.0])),
    "bernoulli": lambda lib, d: d.Bernoulli(0.3),
    "bernoullis": lambda lib, d: d.Bernoulli(lib.tensor([0.0, 0.25, 0.5, 1.0])),
    "bernoulli logits": lambda lib, d: d.Bernoulli(logits=lib.tensor([-3.0, 0.0, 2.0, 90.0])),
    "categorical": lambda lib, d: d.Categorical(lib.tensor([1.0, 2.0, 5.0])),
    "categoricals": lambda lib, d: d.Categorical(lib.tensor([[0.0, 0.5, 0.5], [0.2, 0.2, 0.6]])),
    "categorical logits": lambda lib, d: d.Categorical(logits=lib.tensor([[1.0, 2], [0, -1]])),
    "multinomial": lambda lib, d: d.Multinomial(6, lib.tensor([1.0, 2.0, 3.0])),
    "multinomials": lambda lib, d: d.Multinomial(4, logits=lib.tensor([[1.0, 2], [0.0, -1]])),
    "multinomial zero": lambda lib, d: d.Multinomial(3, lib.tensor([0.0, 0.5, 0.5])),
}
RSAMPLE = [k for k in KINDS if k.startswith(("normal", "uniform", "exponential"))]
OTHER_STREAM = ("exponential",)  # PyTorch takes it from Intel's generator on Intel processors
each_kind = pytest.mark.parametrize("name", KINDS)


def both(name):
    return [KINDS[name](lib, d) for lib, d in libraries()]


def same(got, want, tolerance=2e-6):
    got, want = got.detach().numpy(), want.detach().numpy()
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@each_kind
def test_what_it_says_of_itself(name):
    mine, other = both(name)
    for part in ("mean", "variance", "stddev"):
        same(getattr(mine, part), getattr(other, part))
    same(mine.entropy(), other.entropy())
    assert tuple(mine.batch_shape) == tuple(other.batch_shape)
    assert tuple(mine.event_shape) == tuple(other.event_shape)
    assert mine.has_rsample == other.has_rsample
    assert repr(mine).replace("minitensor", "torch") == repr(other)


@each_kind
@pytest.mark.parametrize("shape", [(), (3,), (20, 2)], ids=str)
def test_draws(name, shape):
    """The same seed draws the same, and what is drawn is as likely."""
    mine, other = both(name)
    mt.manual_seed(4)
    pytest.importorskip("torch").manual_seed(4)
    got, want = mine.sample(shape), other.sample(shape)
    assert tuple(got.shape) == tuple(want.shape) == tuple(other._extended_shape(shape))
    assert not got.requires_grad
    # A single draw with weights is a race of exponentials, of that stream too.
    single = math.prod(shape) == 1 and name.startswith("categorical")
    if not name.startswith(OTHER_STREAM) and not single:
        same(got, want)
    values = mt.tensor(want.numpy())
    same(mine.log_prob(values), other.log_prob(want))
    if hasattr(mine, "cdf"):
        same(mine.cdf(values), other.cdf(want))


@pytest.mark.parametrize("name", RSAMPLE)
def test_gradients_reach_the_parameters(name):
    if name == "normal ints":
        pytest.skip("its parameters are no tensors")
    grads = []
    for lib, d in libraries():
        lib.manual_seed(4)
        like = KINDS[name](lib, d)
        names = [n for n in ("loc", "scale", "low", "high", "rate") if hasattr(like, n)]
        params = [getattr(like, n).detach().clone().requires_grad_() for n in names]
        drawn = type(like)(*params).rsample((4,))
        (drawn * drawn).sum().backward()
        grads.append([p.grad for p in params])
    assert all(g is not None for g in grads[0])
    if not name.startswith(OTHER_STREAM):
        for got, want in zip(*grads, strict=True):
            same(got, want, 1e-5)


def differentiated(lib, d, name, values):
    """The gradients of log_prob, or of entropy, to the parameters that were given."""
    like = KINDS[name](lib, d)
    names = [n for n in ("loc", "scale", "low", "high", "rate") if hasattr(like, n)]
    if not names:
        names = ["logits" if "logits" in name or name == "multinomials" else "probs"]
    params = [getattr(like, n).detach().clone().requires_grad_() for n in names]
    count = (like.total_count,) if "multinomial" in name else ()
    given = type(like)(*count, **dict(zip(names, params, strict=True)))
    out = given.entropy() if values is None else given.log_prob(lib.tensor(values))
    if not out.requires_grad:
        return []
    return lib.autograd.grad(out.sum(), params, allow_unused=True)


@each_kind
@pytest.mark.parametrize("of", ["log_prob", "entropy"])
def test_gradients(name, of):
    libs = libraries()
    values = both(name)[1].sample((5,)).numpy() if of == "log_prob" else None
    got, want = (differentiated(lib, d, name, values) for lib, d in libs)
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        if w is not None:
            same(g, w, 1e-5)


@each_kind
def test_expand(name):
    mine, other = both(name)
    shape = (3, *mine.batch_shape)
    mine, other = mine.expand(shape), other.expand(shape)
    assert tuple(mine.batch_shape) == tuple(other.batch_shape) == shape
    drawn = other.sample((2,))
    same(mine.log_prob(mt.tensor(drawn.numpy())), other.log_prob(drawn))
    assert tuple(mine.sample((2,)).shape) == tuple(drawn.shape)
    if "multinomial" not in name:  # PyTorch's is broken there
        same(mine.entropy(), other.entropy())


def test_draws_are_spread_as_they_should_be():
    """Where PyTorch's stream cannot be had: mean and spread of many draws."""
    mt.manual_seed(0)
    drawn = distributions.Exponential(4.0).sample((20_000,))
    assert abs(drawn.mean().item() - 0.25) < 0.01 and abs(drawn.std().item() - 0.25) < 0.01
    drawn = mt.stack(
        [distributions.Categorical(mt.tensor([0.2, 0.8])).sample() for _ in range(2000)]
    )
    assert abs(drawn.float().mean().item() - 0.8) < 0.03


PAIRS = [
    ("normal", "normals"), ("normals", "normal"), ("bernoullis", "bernoulli"),
    ("bernoulli", "bernoullis"), ("bernoulli logits", "bernoullis"), ("uniform", "uniform"),
    ("uniforms", "uniform"), ("uniform", "uniforms"), ("exponential", "exponential"),
    ("categorical", "categoricals"), ("categoricals", "categorical"),
    ("categoricals", "categoricals"),
]  # fmt: skip


@pytest.mark.parametrize("p, q", PAIRS)
def test_divergence(p, q):
    (mine_p, other_p), (mine_q, other_q) = both(p), both(q)
    torch = pytest.importorskip("torch")
    got = distributions.kl_divergence(mine_p, mine_q)
    same(got, torch.distributions.kl_divergence(other_p, other_q), 1e-5)


def test_divergence_without_a_formula():
    pair = distributions.Bernoulli(0.5), distributions.Categorical(mt.ones(2))
    with pytest.raises(NotImplementedError, match="Bernoulli and q type Categorical"):
        distributions.kl_divergence(*pair)


def test_a_policy_gradient_is_torchs():
    """What REINFORCE needs: draw, log_prob, backward."""
    grads = []
    for lib, d in libraries():
        lib.manual_seed(2)
        logits = lib.tensor([[0.1, 0.2, -0.3]] * 4, requires_grad=True)
        policy = d.Categorical(logits=logits)
        action = policy.sample((2,))
        loss = -(policy.log_prob(action) * lib.arange(4.0)).mean() - 0.1 * policy.entropy().mean()
        loss.backward()
        grads.append(logits.grad)
    same(*grads)


def test_on_every_device(device):
    there_too = 0
    for make in KINDS.values():
        like, moved = make(mt, distributions), make(OnDevice(device), distributions)
        mt.manual_seed(1)
        here = like.sample((3,))
        mt.manual_seed(1)
        there = moved.sample((3,))
        if there.device.type == device:  # those made of numbers are on the default device
            same(there.cpu(), here)
            same(moved.log_prob(there).cpu(), like.log_prob(here))
            same(moved.entropy().cpu(), like.entropy())
            there_too += 1
    assert there_too >= 11


class OnDevice:
    """minitensor, whose tensors are made on a device."""

    float64 = mt.float64

    def __init__(self, device):
        self.device = device

    def tensor(self, *args, **kwargs):
        return mt.tensor(*args, device=self.device, **kwargs)


BAD = {
    "scale": lambda lib, d: d.Normal(0.0, -1.0),
    "nan": lambda lib, d: d.Normal(math.nan, 1.0),
    "rate": lambda lib, d: d.Exponential(lib.tensor([1.0, 0.0])),
    "probability": lambda lib, d: d.Bernoulli(2.0),
    "simplex": lambda lib, d: d.Categorical(lib.tensor([-1.0, 2])),
    "no number": lambda lib, d: d.Normal(0.0, 1.0).log_prob(3.0),
    "half": lambda lib, d: d.Bernoulli(0.5).log_prob(lib.tensor(0.5)),
    "outside": lambda lib, d: d.Uniform(0.0, 1.0).log_prob(lib.tensor(3.0)),
    "too large": lambda lib, d: d.Categorical(lib.ones(3)).log_prob(lib.tensor(3)),
    "negative": lambda lib, d: d.Exponential(1.0).log_prob(lib.tensor(-1.0)),
    "shapes": lambda lib, d: d.Normal(lib.zeros(3), 1.0).log_prob(lib.ones(2)),
    "event": lambda lib, d: d.Multinomial(3, lib.ones(2)).log_prob(lib.ones(3)),
    "neither": lambda lib, d: d.Bernoulli(),
    "both": lambda lib, d: d.Categorical(lib.ones(2), lib.ones(2)),
    "0-d": lambda lib, d: d.Categorical(lib.tensor(1.0)),
    "count": lambda lib, d: d.Multinomial(2.0, lib.ones(2)),
    "no rsample": lambda lib, d: d.Categorical(lib.ones(2)).rsample(),
}


@pytest.mark.parametrize("name", BAD)
def test_refusals(name):
    errors = []
    for lib, d in libraries():
        with pytest.raises((ValueError, NotImplementedError)) as caught:
            BAD[name](lib, d)
        words = str(caught.value).partition("found invalid values:")[0]
        errors.append((caught.type, re.sub(r"minitensor\.|torch\.", "", words)))
    assert errors[0][0] == errors[1][0]
    if name != "no rsample":
        assert errors[0][1] == errors[1][1]


def test_checks_can_be_turned_off():
    assert distributions.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
    with pytest.raises(ValueError, match=r"Uniform.low: 1\.0, high: 0\.0. to satisfy"):
        distributions.Uniform(1.0, 0.0)
    distributions.Distribution.set_default_validate_args(False)
    try:
        distributions.Uniform(1.0, 0.0)
    finally:
        distributions.Distribution.set_default_validate_args(True)
