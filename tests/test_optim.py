"""Optimisers against PyTorch: the same gradients give the same parameters, state and printing."""

import copy
import re

import numpy as np
import pytest

import minitensor as mt
from minitensor import optim
from minitensor.ops import blocks

SHAPES = ((3, 4), (5,), (), (0, 2), (300,))  # the last is worked through in blocks
CASES = {
    "SGD": [
        {}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.05, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01},
        {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    ],
    "Adam": [
        {}, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1},
        {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3, "maximize": True},
        {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "AdamW": [{}, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "maximize": True}],
    "RMSprop": [
        {}, {"momentum": 0.5}, {"centered": True, "alpha": 0.9},
        {"lr": 0.1, "centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True},
    ],
    "Adagrad": [
        {}, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.1},
    ],
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1, "maximize": True}],
}  # fmt: skip
EACH = [(name, kw) for name, settings in CASES.items() for kw in settings]
each_case = pytest.mark.parametrize("name, kw", EACH, ids=lambda v: str(v))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 64)


def start(lib, dtype, shapes=SHAPES):
    rng = np.random.default_rng(0)
    values = [np.array(rng.normal(size=s), dtype=dtype) for s in shapes]
    return [lib.tensor(v).requires_grad_() for v in values]


def steps(lib, optimizer, params, count=20, seed=1):
    """Make steps with gradients that come from a seed; None for one parameter at one step."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        for j, p in enumerate(params):
            g = np.array(rng.normal(size=tuple(p.shape))).astype(str(p.dtype).split(".")[1])
            p.grad = None if (i, j) == (3, 1) else lib.tensor(g)
        optimizer.step()
    return params


def close(ours, theirs, dtype):
    tolerance = {"float32": 1e-6, "float64": 1e-13}[dtype]
    for a, b in zip(ours, theirs, strict=True):
        a, b = a.detach().numpy(), b.detach().numpy()
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        largest = max([1.0, *np.abs(b).ravel()])  # sums of large values round as they do
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * largest)


def as_ours(value):
    """A state dict of PyTorch's with our tensors in it."""
    if isinstance(value, dict):
        return {k: as_ours(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_ours(v) for v in value]
    return mt.tensor(value.numpy()) if hasattr(value, "numpy") else value


@each_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twenty_steps(name, kw, dtype):
    torch = pytest.importorskip("torch")
    ours, theirs = start(mt, dtype), start(torch, dtype)
    mine, other = getattr(optim, name)(ours, **kw), getattr(torch.optim, name)(theirs, **kw)
    close(steps(mt, mine, ours), steps(torch, other, theirs), dtype)
    assert repr(mine) == repr(other)
    assert mine.defaults == other.defaults


@each_case
def test_state_dict_of_torch_is_gone_on_from(name, kw):
    torch = pytest.importorskip("torch")
    theirs = start(torch, "float32")
    other = getattr(torch.optim, name)(theirs, **kw)
    steps(torch, other, theirs, 5)
    ours = [mt.tensor(p.detach().numpy()).requires_grad_() for p in theirs]
    mine = getattr(optim, name)(ours)
    saved = as_ours(other.state_dict())
    mine.load_state_dict(saved)
    steps(mt, mine, ours, 10, seed=2)
    close(ours, steps(torch, other, theirs, 10, seed=2), "float32")
    got, want = mine.state_dict(), other.state_dict()
    assert got["param_groups"] == want["param_groups"]
    assert got["state"].keys() == want["state"].keys()
    for i, entry in want["state"].items():
        assert got["state"][i].keys() == entry.keys()
        close(got["state"][i].values(), entry.values(), "float32")
    if want["state"]:  # what was loaded is a copy
        first = next(iter(saved["state"][0].values()))
        before = first.numpy().copy()
        mine.step()
        np.testing.assert_array_equal(first.numpy(), before)


def test_numbers_of_a_step_suit_each_device(device):
    """Two parameters of one group and dtype, on two devices: the second gets its own numbers."""
    made = [mt.ones(3, device=d).requires_grad_() for d in ("cpu", device)]
    optimiser = mt.optim.SGD(made, lr=0.5)
    for p in made:
        p.grad = mt.ones(3, device=p.device)
    optimiser.step()
    assert [p.tolist() for p in made] == [[0.5] * 3] * 2


@each_case
def test_on_every_device(name, kw, device):
    """One step on the device is one step on the CPU, and state lives where its parameter does."""
    if name == "SGD" and not kw:
        pytest.skip("has no state")
    here = start(mt, "float32", SHAPES[:3])
    there = [p.detach().to(device).requires_grad_() for p in here]
    mine, other = getattr(optim, name)(here, **kw), getattr(optim, name)(there, **kw)
    for a, b in zip(here, there, strict=True):
        a.grad = mt.ones_like(a)
        b.grad = mt.ones_like(b)
    mine.step()
    other.step()
    close([b.cpu() for b in there], here, "float32")
    for key, value in other.state[there[0]].items():
        assert value.device.type == ("cpu" if key == "step" else device)
    again = getattr(optim, name)(there, **kw)
    again.load_state_dict(mine.state_dict())  # from the CPU
    again.step()
    mine.step()
    close([b.cpu() for b in there], here, "float32")


def test_in_blocks_is_the_same_as_at_once(monkeypatch):
    whole, parts = start(mt, "float32"), start(mt, "float32")
    steps(mt, optim.Adam(parts, 0.1), parts, 3)
    monkeypatch.setattr(blocks, "BLOCK", 10**9)
    steps(mt, optim.Adam(whole, 0.1), whole, 3)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_parameters_that_are_not_contiguous():
    wide = mt.arange(2_000.0).reshape(2, 1_000)
    p = wide.t().detach().requires_grad_()
    p.grad = mt.ones(1_000, 2)
    optim.SGD([p], lr=1.0).step()
    np.testing.assert_array_equal(wide.numpy(), np.arange(2_000.0).reshape(2, -1) - 1)


@pytest.mark.parametrize("name", [*CASES, "LBFGS"])
def test_a_step_is_noticed_by_backward(name):
    """A parameter that a later backward needs has changed: an error, not a wrong gradient."""
    w = mt.ones(2, requires_grad=True)
    loss = (w * w).sum()
    w.grad = mt.ones(2)
    getattr(optim, name)([w]).step(lambda: mt.tensor(1.0))
    with pytest.raises(RuntimeError, match=f"modified by an inplace.*{name}.step"):
        loss.backward()
    assert w.requires_grad and w.is_leaf and w.grad_fn is None


def rosenbrock(lib, kw, dtype, calls=4):
    """Minimise a curved valley; returns all losses on the way, the place, the optimiser."""
    d = getattr(lib, dtype)
    x = lib.tensor([-1.5, 2.0], dtype=d, requires_grad=True)
    y = lib.tensor([[0.3]], dtype=d, requires_grad=True)
    unused = lib.zeros(2, dtype=d, requires_grad=True)
    optimizer, losses = getattr(lib, "optim", optim).LBFGS([x, y, unused], **kw), []

    def closure():
        optimizer.zero_grad()
        loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + ((y - x.sum()) ** 4).sum()
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(calls):
        optimizer.step(closure)
    return losses, [x, y], optimizer


@pytest.mark.parametrize("kw", [
    {"line_search_fn": "strong_wolfe"}, {"lr": 0.002},
    {"lr": 0.003, "max_iter": 5, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_eval": 7},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 5.0},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 0.01},
], ids=str)  # fmt: skip
def test_lbfgs(kw):
    torch = pytest.importorskip("torch")
    losses, ours, mine = rosenbrock(mt, kw, "float64")
    wanted, theirs, other = rosenbrock(torch, kw, "float64")
    np.testing.assert_allclose(losses, wanted, rtol=1e-5, atol=1e-9)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-7)
    got, want = mine.state_dict()["state"][0], other.state_dict()["state"][0]
    assert {k: got[k] for k in ("func_evals", "n_iter")} == {
        k: want[k] for k in ("func_evals", "n_iter")
    }
    assert repr(mine) == repr(other)


def test_lbfgs_finds_the_minimum():
    losses, (x, _), _ = rosenbrock(mt, {"line_search_fn": "strong_wolfe"}, "float32", calls=8)
    assert losses[-1] < 1e-6
    np.testing.assert_allclose(x.detach().numpy(), [1, 1], atol=1e-2)


def test_lbfgs_goes_on_from_torchs_state():
    torch = pytest.importorskip("torch")
    kw = {"line_search_fn": "strong_wolfe", "max_iter": 5}
    _, theirs, other = rosenbrock(torch, kw, "float64", calls=2)
    x = mt.tensor(theirs[0].detach().numpy()).requires_grad_()
    y = mt.tensor(theirs[1].detach().numpy()).requires_grad_()
    results = []
    for lib, (a, b), optimizer in (
        (mt, (x, y), optim.LBFGS([x, y, mt.zeros(2, dtype=mt.float64, requires_grad=True)], **kw)),
        (torch, theirs, other),
    ):
        if lib is mt:
            optimizer.load_state_dict(as_ours(other.state_dict()))

        def closure(a=a, b=b, optimizer=optimizer):
            optimizer.zero_grad()
            loss = 100 * (a[1] - a[0] ** 2) ** 2 + (1 - a[0]) ** 2 + ((b - a.sum()) ** 4).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        results.append(a.detach().numpy())
    np.testing.assert_allclose(*results, rtol=1e-9)


# -- groups, closures, hooks -----------------------------------------------------------------------


def grouped(lib, module):
    a, b, c = (lib.ones(n, requires_grad=True) for n in (1, 2, 3))
    second = {"params": [("b", b)], "lr": 0.5, "momentum": 0.9}
    optimizer = module.SGD([{"params": [("a", a)]}, second], lr=0.1)
    optimizer.add_param_group({"params": [("c", c)], "weight_decay": 0.1})
    for _ in range(3):
        for p in (a, b, c):
            p.grad = lib.ones_like(p)
        optimizer.step()
    return optimizer, [a, b, c]


def test_groups_have_settings_of_their_own():
    torch = pytest.importorskip("torch")
    (mine, ours), (other, theirs) = grouped(mt, optim), grouped(torch, torch.optim)
    close(ours, theirs, "float32")
    assert repr(mine) == repr(other)
    assert mine.state_dict()["param_groups"] == other.state_dict()["param_groups"]
    assert mine.param_groups[2]["param_names"] == ["c"]


def test_step_returns_the_closures_loss_and_runs_it_with_gradients():
    w = mt.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with mt.no_grad():
        assert optimizer.step(closure).item() == 2.0
    np.testing.assert_array_equal(w.detach().numpy(), [0, 0])


def test_zero_grad():
    w = mt.ones(2, requires_grad=True)
    (w * w).sum().backward(create_graph=True)
    optimizer = optim.SGD([w])
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0, 0] and not w.grad.requires_grad
    optimizer.zero_grad()
    assert w.grad is None


def test_a_rate_that_is_a_tensor():
    w = mt.ones(1, requires_grad=True)
    w.grad = mt.ones(1)
    optimizer = optim.SGD([w], lr=mt.tensor(0.25))
    optimizer.step()
    assert w.item() == 0.75
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        optim.Adam([w], lr=mt.tensor([0.1, 0.2]))


def test_hooks_may_change_what_step_gets():
    w, told = mt.ones(1, requires_grad=True), []
    optimizer = optim.Adam([w])
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: 7.0,), {}))
    optimizer.register_step_post_hook(lambda o, args, kwargs: told.append((o, len(args))))
    assert optimizer.step() == 7.0
    assert told == [(optimizer, 1)]


def test_hooks_and_an_optimiser_of_ones_own():
    told = []

    class Mine(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            told.append("step")
            with mt.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p -= group["lr"] * p.grad

    w = mt.ones(1, requires_grad=True)
    w.grad = mt.ones(1)
    optimizer = Mine([w], 0.5)
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: told.append("before"))
    after = optimizer.register_step_post_hook(lambda o, args, kwargs: told.append("after"))
    optimizer.step()
    before.remove()
    after.remove()
    optimizer.step()
    assert told == ["before", "step", "after", "step"]
    assert w.item() == 0.0


def test_deepcopy_goes_on_by_itself():
    ours = start(mt, "float32", SHAPES[:2])
    optimizer = optim.Adam(ours)
    steps(mt, optimizer, ours, 2)
    params, other = copy.deepcopy((ours, optimizer))
    steps(mt, optimizer, ours, 2, seed=5)
    steps(mt, other, params, 2, seed=5)
    close(ours, params, "float32")


# -- refusals --------------------------------------------------------------------------------------

BAD = {
    "rate": lambda o, lib, w: o.SGD([w], lr=-1),
    "momentum": lambda o, lib, w: o.SGD([w], momentum=-1),
    "decay": lambda o, lib, w: o.Adam([w], weight_decay=-1),
    "eps": lambda o, lib, w: o.Adam([w], eps=-1),
    "beta 0": lambda o, lib, w: o.Adam([w], betas=(1.0, 0.9)),
    "beta 1": lambda o, lib, w: o.AdamW([w], betas=(0.9, -1)),
    "alpha": lambda o, lib, w: o.RMSprop([w], alpha=-1),
    "rho": lambda o, lib, w: o.Adadelta([w], rho=2),
    "lr_decay": lambda o, lib, w: o.Adagrad([w], lr_decay=-1),
    "start": lambda o, lib, w: o.Adagrad([w], initial_accumulator_value=-1),
    "nesterov": lambda o, lib, w: o.SGD([w], nesterov=True),
    "empty": lambda o, lib, w: o.SGD([]),
    "a tensor": lambda o, lib, w: o.SGD(w),
    "a set": lambda o, lib, w: o.SGD([{"params": {w}}]),
    "no tensor": lambda o, lib, w: o.SGD([1.0]),
    "no leaf": lambda o, lib, w: o.SGD([w * 2]),
    "twice": lambda o, lib, w: o.SGD([{"params": [w]}, {"params": [w]}]),
    "some names": lambda o, lib, w: o.SGD([("w", w), lib.zeros(1)]),
    "some groups named": lambda o, lib, w: o.SGD([("w", w)]).add_param_group(
        {"params": lib.zeros(1)}
    ),
    "no dict": lambda o, lib, w: o.SGD([w]).add_param_group([w]),
    "fewer groups": lambda o, lib, w: o.SGD([w]).load_state_dict({"state": {}, "param_groups": []}),
    "fewer parameters": lambda o, lib, w: o.SGD([w]).load_state_dict(
        {"state": {}, "param_groups": [{"params": []}]}
    ),
    "two groups": lambda o, lib, w: o.LBFGS([{"params": [w]}, {"params": [lib.zeros(1)]}]),
    "line search": lambda o, lib, w: o.LBFGS([w], line_search_fn="armijo").step(
        lambda: backwards(w)
    ),
    "unknown": lambda o, lib, w: o.SGD([w], decay=1),
}


def backwards(w):
    loss = (w * w).sum()
    loss.backward()
    return loss


@pytest.mark.parametrize("what", BAD)
def test_refusals(what):
    torch = pytest.importorskip("torch")
    seen = []
    for lib, module in ((mt, optim), (torch, torch.optim)):
        with pytest.raises((ValueError, TypeError, RuntimeError)) as caught:
            BAD[what](module, lib, lib.ones(2, requires_grad=True))
        seen.append((caught.type, re.sub(r"torch\.|\s|Float", "", str(caught.value))))
    assert seen[0] == seen[1]


def test_duplicates_are_warned_of_and_differentiable_is_refused():
    w = mt.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([w, w])
    with pytest.raises(NotImplementedError, match="differentiable"):
        optim.SGD([w], differentiable=True)


# -- a training run --------------------------------------------------------------------------------


def training(lib, module, name):
    lib.manual_seed(3)
    x, y = lib.randn(32, 4), lib.randn(32, 1)
    w1 = (lib.randn(4, 16) * 0.5).requires_grad_()
    w2 = (lib.randn(16, 1) * 0.25).requires_grad_()
    optimizer, losses = getattr(module, name)([w1, w2], lr=0.05), []
    for _ in range(10):
        loss = ((lib.tanh(x @ w1) @ w2 - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", CASES)
def test_ten_losses(name):
    torch = pytest.importorskip("torch")
    losses = training(mt, optim, name)
    np.testing.assert_allclose(losses, training(torch, torch.optim, name), rtol=1e-5)
    assert losses[-1] < losses[0]
