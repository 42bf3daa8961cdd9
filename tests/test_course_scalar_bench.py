"""The benchmark of the scalar engine: its engines do the same work, and dot does it in fewer."""

import math
from itertools import pairwise

import pytest
from kit.scalar_bench import ENGINES, SIZES, Network, main, measure, topological


@pytest.fixture(scope="module")
def trained():
    """Name of an engine -> its network after two steps, and the losses."""
    networks = {name: Network(name, points=3) for name in ENGINES}
    return {name: (network, [network.step(), network.step()]) for name, network in networks.items()}


@pytest.mark.parametrize("name", list(ENGINES))
def test_every_engine_takes_the_same_steps(trained, name):
    (network, losses), (first, wanted) = trained[name], trained["closures"]
    assert losses == pytest.approx(wanted, rel=1e-12)
    assert losses[1] < losses[0]
    for mine, other in zip(network.parameters, first.parameters, strict=True):
        assert mine.grad == pytest.approx(other.grad, rel=1e-9, abs=1e-12)
        assert mine.grad != 0.0


def test_the_gradient_is_that_of_nudging():
    network = Network("with dot", points=2)
    network.backward(network.loss())
    for parameter in network.parameters[::40]:
        data, ends = parameter.data, []
        for parameter.data in (data - 1e-6, data + 1e-6):
            ends.append(network.loss().data)
        parameter.data = data
        assert parameter.grad == pytest.approx((ends[1] - ends[0]) / 2e-6, rel=1e-5, abs=1e-8)


def test_dot_needs_a_small_part_of_the_values():
    made = {}
    for name in ENGINES:
        network = Network(name, points=1)
        made[name] = sum(bool(value.parents) for value in topological(network.loss()))
    neurons = sum(SIZES[1:])
    last = 2  # the miss and its square
    products = sum(n * m for n, m in pairwise(SIZES))
    one_at_a_time = 2 * products + neurons + last  # a product and a sum for each weight; a tanh
    assert made == {
        "closures": one_at_a_time, "chapter 02": one_at_a_time, "with dot": 3 * neurons + last,
    }  # fmt: skip


def test_the_table(capsys):
    seconds = measure(points=1, rounds=1)
    assert list(seconds) == list(ENGINES)
    assert all(math.isfinite(one) and one > 0 for one in seconds.values())
    main(1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a step of 2-16-16-1 on 1 points, Python 3.")
    assert [line.split("  ")[0] for line in lines[1:]] == list(ENGINES)
    assert lines[1].endswith("1.0 times")


def test_different_work_is_refused(monkeypatch):
    kind, backward, weigh = ENGINES["with dot"]
    monkeypatch.setitem(ENGINES, "with dot", (kind, backward, lambda xs, ws: weigh(xs, xs)))
    with pytest.raises(ValueError, match="different work"):
        measure(points=1, rounds=1)
