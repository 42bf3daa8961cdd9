"""Schedules against PyTorch: fifty steps of each, for SGD and Adam, with two groups."""

import re
import warnings

import numpy as np
import pytest

import minitensor as mt
from minitensor import optim
from minitensor.optim import lr_scheduler

SCHEDULES = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda e: 0.9**e),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (e + 1)]),
    "times": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.95 if e % 2 else 0.9),
    "step": lambda s, o: s.StepLR(o, 7, 0.5),
    "milestones": lambda s, o: s.MultiStepLR(o, [3, 3, 20, 31], 0.5),
    "constant": lambda s, o: s.ConstantLR(o),
    "constant long": lambda s, o: s.ConstantLR(o, 0.25, 20),
    "linear": lambda s, o: s.LinearLR(o, 0.1, 0.8, 20),
    "linear short": lambda s, o: s.LinearLR(o),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.93),
    "polynomial": lambda s, o: s.PolynomialLR(o, 30, 2.0),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 20, 0.001),
    "cosine odd": lambda s, o: s.CosineAnnealingLR(o, 17),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.001),
    "restarts alike": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.5, 60),
    "one cycle, three phases": lambda s, o: s.OneCycleLR(
        o, [0.5, 1], epochs=6, steps_per_epoch=10, three_phase=True, anneal_strategy="linear",
        pct_start=0.25, div_factor=10, final_div_factor=100,
    ),
    "one cycle, momentum stays": lambda s, o: s.OneCycleLR(o, 1.0, 51, cycle_momentum=False),
    "warm-up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.ExponentialLR(o, 0.9)], [5]
    ),
    "three": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 5), s.CosineAnnealingLR(o, 20), s.StepLR(o, 3)], [7, 30]
    ),
    "three others": lambda s, o: s.SequentialLR(
        o, [s.LambdaLR(o, lambda e: 0.5**e), s.CosineAnnealingWarmRestarts(o, 6),
            s.PolynomialLR(o, 4)], [3, 30],
    ),
    "three more": lambda s, o: s.SequentialLR(
        o, [s.MultiplicativeLR(o, lambda e: 0.9), s.OneCycleLR(o, 0.3, 30),
            s.MultiStepLR(o, [2])], [3, 30],
    ),
}  # fmt: skip
each_schedule = pytest.mark.parametrize("name", SCHEDULES)


def optimizer_of(lib, module, kind="SGD", lr=0.1):
    params = [lib.zeros(2, requires_grad=True), lib.zeros(1, requires_grad=True)]
    momentum = {"momentum": 0.9} if kind == "SGD" else {}
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.3}]
    return getattr(module, kind)(groups, lr=lr, **momentum)


def settings(scheduler):
    groups = scheduler.optimizer.param_groups
    momenta = [g["momentum"] if "momentum" in g else g["betas"][0] for g in groups]
    return [*scheduler.get_last_lr(), *[g["lr"] for g in groups], *momenta]


def run(scheduler, count=50):
    rows = [settings(scheduler)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(count):
            scheduler.optimizer.step()
            scheduler.step()
            rows.append(settings(scheduler))
    return np.array(rows, dtype=float)


@each_schedule
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_fifty_steps(name, kind):
    torch = pytest.importorskip("torch")
    mine = SCHEDULES[name](lr_scheduler, optimizer_of(mt, optim, kind))
    other = SCHEDULES[name](torch.optim.lr_scheduler, optimizer_of(torch, torch.optim, kind))
    got, want = run(mine), run(other)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)
    assert np.ptp(got, axis=0)[:2].min() > 0, "the rates never changed"


@each_schedule
def test_state_goes_on(name):
    """A schedule and its optimiser, taken out and put into new ones, go on as if never stopped."""
    optimizer = optimizer_of(mt, optim)
    scheduler = SCHEDULES[name](lr_scheduler, optimizer)
    run(scheduler, 10)
    saved = scheduler.state_dict(), optimizer.state_dict()
    assert "optimizer" not in saved[0]
    again = optimizer_of(mt, optim)
    resumed = SCHEDULES[name](lr_scheduler, again)
    resumed.load_state_dict(saved[0])
    again.load_state_dict(saved[1])
    np.testing.assert_array_equal(run(resumed, 30)[1:], run(scheduler, 30)[1:])


def test_state_of_torch():
    torch = pytest.importorskip("torch")
    for name in ("step", "cosine", "exponential", "one cycle", "linear"):
        theirs = SCHEDULES[name](torch.optim.lr_scheduler, optimizer_of(torch, torch.optim))
        mine = SCHEDULES[name](lr_scheduler, optimizer_of(mt, optim))
        run(theirs, 9)
        mine.load_state_dict(theirs.state_dict())
        mine.optimizer.load_state_dict(theirs.optimizer.state_dict())
        np.testing.assert_allclose(run(mine, 20)[1:], run(theirs, 20)[1:], rtol=1e-12)


PLATEAU = [
    {}, {"patience": 2, "cooldown": 3}, {"threshold_mode": "abs", "patience": 1, "threshold": 0.5},
    {"mode": "max", "factor": 0.5, "patience": 1, "threshold_mode": "abs"},
    {"mode": "max", "patience": 0, "min_lr": [0.001, 0.02]}, {"eps": 0.01, "patience": 3},
]  # fmt: skip


@pytest.mark.parametrize("kw", PLATEAU, ids=str)
def test_plateau(kw):
    torch = pytest.importorskip("torch")
    seen = []
    for lib, module in ((mt, optim), (torch, torch.optim)):
        s = module.lr_scheduler.ReduceLROnPlateau(optimizer_of(lib, module), **kw)
        rng, rows = np.random.default_rng(3), []
        for i in range(80):
            s.step(lib.tensor(rng.normal() + (2 if i < 30 else 0)))
            rows.append([*s.get_last_lr(), s.best, s.num_bad_epochs])
        seen.append(rows)
    np.testing.assert_allclose(*seen, rtol=1e-12)
    assert seen[0][0][0] > seen[0][-1][0]


def test_two_schedules_chained():
    torch = pytest.importorskip("torch")
    seen = []
    for lib, module in ((mt, optim), (torch, torch.optim)):
        optimizer, s = optimizer_of(lib, module), module.lr_scheduler
        first, second = s.ExponentialLR(optimizer, 0.9), s.CosineAnnealingLR(optimizer, 7)
        rows = []
        for _ in range(30):
            optimizer.step()
            first.step()
            second.step()
            rows.append(second.get_last_lr())
        seen.append(rows)
    np.testing.assert_allclose(*seen, rtol=1e-12)


def test_restarts_at_fractions_of_epochs():
    torch = pytest.importorskip("torch")
    seen = []
    for lib, module in ((mt, optim), (torch, torch.optim)):
        s = module.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(lib, module), 4, 2)
        rows = []
        for epoch in [0, 0.25, 3.5, 4, 11.75, 12, 27.5, 30, 2.5]:
            s.step(epoch)
            rows.append(s.get_last_lr())
        seen.append(rows)
    np.testing.assert_allclose(*seen, rtol=1e-12)


@pytest.mark.parametrize("name", ["step", "milestones", "constant", "linear", "exponential",
                                  "polynomial", "cosine", "lambda"])  # fmt: skip
def test_a_jump_to_an_epoch(name):
    torch = pytest.importorskip("torch")
    seen = []
    for lib, module in ((mt, optim), (torch, torch.optim)):
        s = SCHEDULES[name](module.lr_scheduler, optimizer_of(lib, module))
        s.optimizer.step()
        with pytest.warns(UserWarning, match="epoch parameter"):
            s.step(22)
        s.step()
        seen.append(s.get_last_lr())
    np.testing.assert_allclose(*seen, rtol=1e-12)


def test_a_rate_that_is_a_tensor():
    optimizer = optim.SGD([mt.zeros(1, requires_grad=True)], lr=mt.tensor(0.5))
    rate = optimizer.param_groups[0]["lr"]
    run_ = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    run_.step()
    assert optimizer.param_groups[0]["lr"] is rate and rate.item() == 0.25
    assert run_.get_last_lr() == [0.25] and run_.base_lrs == [0.5]


def test_stepping_too_early_is_warned_of():
    scheduler = lr_scheduler.StepLR(optimizer_of(mt, optim), 2)
    with pytest.warns(UserWarning, match=re.escape("`lr_scheduler.step()` before `optimizer")):
        scheduler.step()
    scheduler.step()  # once is enough


def test_resuming():
    optimizer = optimizer_of(mt, optim)
    with pytest.raises(KeyError, match="initial_lr"):
        lr_scheduler.StepLR(optimizer, 2, last_epoch=3)
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    assert lr_scheduler.StepLR(optimizer, 2, 0.5, last_epoch=3).get_last_lr() == [0.05, 0.15]


class Half(lr_scheduler.LRScheduler):
    def get_lr(self):
        return [lr * 0.5**self.last_epoch for lr in self.base_lrs]


def test_a_schedule_of_ones_own():
    np.testing.assert_allclose(
        run(Half(optimizer_of(mt, optim)), 3)[:, 0], 0.1 * 0.5 ** np.arange(4)
    )


BAD = {
    "no optimiser": lambda s, o: s.StepLR(3, 2),
    "no optimiser for a cycle": lambda s, o: s.OneCycleLR(3, 0.1, 5),
    "lambdas": lambda s, o: s.LambdaLR(o, [abs]),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    "restarts times": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 0),
    "restarts step": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
    "constant": lambda s, o: s.ConstantLR(o, 2.0),
    "linear start": lambda s, o: s.LinearLR(o, 0),
    "linear end": lambda s, o: s.LinearLR(o, 0.5, 2.0),
    "cycle length": lambda s, o: s.OneCycleLR(o, 0.1),
    "cycle total": lambda s, o: s.OneCycleLR(o, 0.1, -1),
    "cycle epochs": lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
    "cycle start": lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=2.0),
    "cycle anneal": lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="square"),
    "cycle rates": lambda s, o: s.OneCycleLR(o, [0.1], 10),
    "plateau factor": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda s, o: s.ReduceLROnPlateau(o, mode="least"),
    "plateau threshold": lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="much"),
    "sequence of none": lambda s, o: s.SequentialLR(o, [], []),
    "milestones": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2)], [3]),
    "plateau in sequence": lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
}


@pytest.mark.parametrize("what", BAD)
def test_refusals(what):
    torch = pytest.importorskip("torch")
    kinds = []
    for lib, module in ((mt, optim), (torch, torch.optim)):
        with pytest.raises((ValueError, TypeError)) as caught:
            BAD[what](module.lr_scheduler, optimizer_of(lib, module))
        kinds.append(caught.type)
    assert kinds[0] == kinds[1]


def test_a_cycle_needs_momentum_and_ends():
    optimizer = optim.Adagrad([mt.zeros(1, requires_grad=True)])
    with pytest.raises(ValueError, match="momentum or beta1"):
        lr_scheduler.OneCycleLR(optimizer, 0.1, 5)
    scheduler = lr_scheduler.OneCycleLR(optimizer_of(mt, optim), 0.1, 3)
    run(scheduler, 3)
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        scheduler.step()
