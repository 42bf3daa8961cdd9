"""viz.memory: its bytes against a count by hand and against Python's own record of allocations."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import minitensor as mt
from minitensor import core, pool
from minitensor.viz.memory import memory

N = 1000
SIZE = 4 * N


@pytest.fixture(autouse=True)
def no_collector():
    """What is measured is freed by reference counts alone."""
    gc.disable()
    yield
    gc.enable()


def leaf(n=N):
    return mt.ones(n, requires_grad=True)


def bytes_of(m, phase="forward"):
    return [moment.bytes for moment in m.moments if moment.phase == phase]


CHAINS = {  # four steps of a chain, and the buffers alive after each, its input not counted
    "adds": (lambda x: x + 1, [1, 2, 2, 2]),  # a step's input dies after the step
    "times a number": (lambda x: x * 3, [1, 2, 2, 2]),
    "exps": (lambda x: x.exp(), [1, 2, 3, 4]),
    "relus": (lambda x: x.relu(), [1, 2, 3, 4]),
    "squares": (lambda x: x * x, [1, 2, 3, 4]),
    "views": (lambda x: x.view(10, -1), [0, 0, 0, 0]),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_keeps_what_its_rules_need(name):
    step, want = CHAINS[name]
    with memory() as m:
        y = leaf()
        for _ in want:
            y = step(y)
    assert bytes_of(m) == [SIZE * count for count in want]
    del y
    assert m.bytes == 0


def test_under_no_grad_two_steps_are_alive_at_most():
    x = leaf()
    with memory() as m, mt.no_grad():
        y = x
        for _ in range(5):
            y = y.exp()
    assert bytes_of(m) == [SIZE] + [2 * SIZE] * 4
    assert (m.bytes, m.peak) == (SIZE, 2 * SIZE)


@pytest.mark.parametrize("retain", [False, True])
def test_backward_frees_unless_it_is_told_to_retain(retain):
    x = leaf()
    with memory(names={"x": x}) as m:
        loss = x.exp().exp().sum()
        m.mark("forward done")
        loss.backward(retain_graph=retain)
    at = {moment.name: moment for moment in m.moments if moment.phase == "mark"}
    assert at["forward done"].held == {"exp 1": SIZE, "exp 2": SIZE, "sum 1": 4}
    activations = {"exp 1": SIZE, "exp 2": SIZE} if retain else {}
    assert at["end"].held == {**activations, "sum 1": 4, "gradient of x": SIZE}
    assert m.peak == max(moment.bytes for moment in m.moments) > 3 * SIZE
    del loss
    assert m.bytes == SIZE  # x.grad
    x.grad = None
    assert m.bytes == 0


def test_names_of_gradients_say_what_they_belong_to():
    w = mt.ones(2, 3, requires_grad=True)
    with memory(names={"w": w}) as m:
        (mt.ones(4, 2) @ w + leaf(3)).relu().sum().backward()
    names = [moment.name for moment in m.moments if moment.phase == "backward"]
    want = ["relu 1", "add 1", "matmul 1", "leaf 2", "w"]
    assert names == [f"gradient of {name}" for name in want]
    assert set(m.moments[-1].held) <= {"gradient of w", "leaf 2.grad", "w.grad"}


def test_what_was_there_before_is_not_counted():
    x, old = mt.zeros(N), np.zeros(N, np.float32)
    with memory() as m:
        x[:5].unsqueeze(0)
        mt.from_numpy(old).detach()
        x.T.view(10, -1)
        assert m.peak == 0
        x.add_(1)  # works out the sum first, then writes it
        x.zero_()
    assert (m.bytes, m.peak) == (0, SIZE)
    assert len(m.moments) > 5


def test_a_view_keeps_its_whole_buffer():
    with memory() as m:
        big = leaf() + 1
        part = big[:3]
        del big
        m.mark("big is gone")
        part = part.clone()
        m.mark("a copy")
    marks = bytes_of(m, "mark")
    assert marks[0] == SIZE
    assert marks[1] == 12
    assert part.shape == (3,)


def test_measuring_keeps_nothing_alive_and_ends_with_an_error():
    before = core.OBSERVERS
    with pytest.raises(ZeroDivisionError), memory() as m:
        y = leaf() + 1
        died = weakref.ref(y.array), weakref.ref(y.grad_fn)
        del y
        assert [reference() for reference in died] == [None, None]
        1 / 0
    assert before == core.OBSERVERS
    assert m.moments[-1].bytes == 0
    assert "peak" in repr(m)
    assert f"{SIZE:,} bytes" in repr(m)


def test_two_at_once():
    with memory() as outer:
        x = mt.ones(N) + 1
        with memory() as inner:
            y = x + 1
        z = y + 1
    assert (inner.bytes, outer.bytes) == (SIZE, 3 * SIZE)
    del z
    assert outer.bytes == 2 * SIZE


@pytest.mark.parametrize("mode", ["train", "retain", "no_grad"])
def test_bytes_are_those_that_python_counts(mode, monkeypatch):
    """NumPy tells tracemalloc of its arrays: an oracle that knows nothing of tensors."""
    monkeypatch.setattr(pool, "SMALLEST", 1 << 60)  # memory that waits unused is no tensor's
    rng = np.random.default_rng(0)
    sizes = [(300, 200), (200, 100), (100, 1)]
    layers = [mt.tensor(rng.normal(size=s), dtype=mt.float32).requires_grad_() for s in sizes]
    x = mt.tensor(rng.normal(size=(1000, 300)), dtype=mt.float32)
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        with memory() as m, mt.set_grad_enabled(mode != "no_grad"):
            h = x
            for w in layers:
                h = (h @ w).tanh()
            loss = h.mean()
            del h
            if mode != "no_grad":
                loss.backward(retain_graph=mode == "retain")
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert abs(grown - m.bytes) < 50_000  # the objects around the arrays
    kept = sum(4 * 1000 * width for _, width in sizes)
    gradients = sum(4 * a * b for a, b in sizes)
    want = {"train": gradients, "retain": gradients + kept, "no_grad": 0}
    assert m.bytes == want[mode] + loss.nbytes


def test_on_a_device(device):
    x = mt.ones(N, device=device).requires_grad_()
    with memory(names={"x": x}) as m:
        y = x.exp()
        y.sum().backward()
    assert m.moments[0].held == {"exp 1": SIZE}
    assert m.bytes == 2 * SIZE
    del y
    assert m.bytes == SIZE
