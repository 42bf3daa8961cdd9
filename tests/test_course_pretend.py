"""The course's pretend GPU: values as on the CPU, times by its rules, and no mixing."""

import numpy as np
import pytest
from kit import pretend

import minitensor as mt
from minitensor.timing import FakeDevice, bench

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 5), np.float32)
OPS = {
    "add": lambda x: x + x,
    "matmul": lambda x: x @ x.t(),
    "mean": lambda x: x.mean(1),
    "softmax": lambda x: x.softmax(-1),
    "index": lambda x: x[1:, [0, 2]],
    "one number": lambda x: x[1, 2],
    "mask": lambda x: x[x > 0],
    "where": lambda x: mt.where(x > 0, x, mt.zeros_like(x)),
    "cat": lambda x: mt.cat([x, x], dim=1),
    "in place": lambda x: x.clone().mul_(2).add_(1),
    "sort": lambda x: x.sort(dim=1).values,
    "max": lambda x: x.max(dim=0).values,
    "double": lambda x: x.double(),
    "var": lambda x: x.var(),
    "permute": lambda x: x.permute(1, 0).contiguous(),
}


@pytest.fixture
def gpu():
    """A device that was just switched on."""
    with pretend.apart() as device:
        yield device


@pytest.mark.parametrize("op", OPS.values(), ids=OPS.keys())
def test_values_are_those_of_the_cpu(gpu, op):
    want, got = op(mt.tensor(X)), op(mt.tensor(X).to("pretend"))
    assert str(got.device) == "pretend" and got.dtype == want.dtype
    np.testing.assert_array_equal(got.cpu().numpy(), want.numpy())


def trained(where):
    """What a small network has learned after three steps, on a device."""
    mt.manual_seed(0)
    nn = mt.nn
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3)).to(where)
    x, target = mt.randn(6, 1, 5, 5).to(where), mt.tensor([0, 1, 2, 0, 1, 2]).to(where)
    adam = mt.optim.Adam(model.parameters())
    for _ in range(3):
        adam.zero_grad()
        nn.functional.cross_entropy(model(x), target).backward()
        adam.step()
    assert {str(p.device) for p in model.parameters()} == {where}
    return [p.detach().cpu().numpy() for p in model.parameters()]


def test_a_network_learns_the_same_there(gpu):
    for got, want in zip(trained("pretend"), trained("cpu"), strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_product_takes_what_the_rules_say(gpu):
    x = mt.ones(1000, 1000).to("pretend")
    start = gpu.now()
    x @ x
    assert gpu.now() - start == pytest.approx(pretend.COMPILING + pretend.LAUNCH)
    gpu.synchronize()
    assert gpu.log[-1].finished - gpu.log[-1].started == pytest.approx(2e9 / pretend.RATE)
    assert bench(lambda: x + x, gpu).median == pytest.approx(pretend.LAUNCH + 12e6 / 500e9)


def test_views_take_no_launch(gpu):
    x = mt.ones(4, 6).to("pretend")
    before = len(gpu.log)
    x.t(), x.view(2, 12), x[1:], x.permute(1, 0), x.unsqueeze(0), x.detach()
    assert len(gpu.log) == before


@pytest.mark.parametrize(
    "look",
    [lambda t: t.item(), float, bool, lambda t: t.tolist(), lambda t: t.cpu(), repr],
    ids=["item", "float", "bool", "tolist", "cpu", "print"],
)
def test_whoever_needs_a_number_waits(gpu, look):
    total = (mt.ones(1000, 1000).to("pretend") @ mt.ones(1000, 1).to("pretend")).sum()
    finished = gpu.log[-1].finished
    assert gpu.now() < finished
    look(total)
    assert gpu.now() > finished and gpu.log[-1].name == "copy"


def test_moving_takes_its_bytes_over_the_link(gpu):
    x = mt.ones(3_000_000).to("pretend")
    assert gpu.now() == pytest.approx(pretend.LAUNCH + 12e6 / pretend.LINK)
    x.to("pretend")
    assert len(gpu.log) == 1
    np.testing.assert_array_equal(x.cpu().numpy(), 1)
    assert len(gpu.log) == 2


def test_it_does_not_mix_with_the_cpu(gpu):
    x, far = mt.ones(3), mt.ones(3).to("pretend")
    for mixed in (lambda: x + far, lambda: far @ x, lambda: mt.cat([x, far])):
        with pytest.raises(RuntimeError, match="same device"):
            mixed()
    with pytest.raises(TypeError, match=r"Tensor\.cpu\(\)"):
        far.numpy()
    with pytest.raises(TypeError, match="does not mix"):
        np.add(np.ones(3), far.cpu().numpy().view(pretend.PretendArray))


def test_another_device_comes_and_goes():
    first = pretend.restart()
    with pretend.apart(compiling=0.0, jitter=0.5) as inner:
        mt.ones(2).to("pretend")
        assert inner.log and isinstance(inner, FakeDevice)
        assert pretend.log() is inner.log
    assert pretend.log() is first.log and first.log == []


def test_the_same_calls_take_the_same_time():
    ends = []
    for _ in range(2):
        with pretend.apart(jitter=0.3, seed=5) as gpu:
            trained("pretend")
            ends.append(gpu.now())
    assert ends[0] == ends[1] > 0
