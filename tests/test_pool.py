"""Memory used again: never while anyone can still see what lies in it, and never without end."""

import ctypes
import threading

import numpy as np
import pytest

import minitensor as mt
import minitensor.nn.functional as F
from minitensor import pool

N = 512  # N x N float32 is 1 MB


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    """A pool of this test's own."""
    made = pool.Pool()
    monkeypatch.setattr(pool, "POOL", made)
    return made


@pytest.fixture
def x():
    return mt.randn(N, N, generator=mt.Generator().manual_seed(0))


def memory(array):
    """Where an array's memory starts."""
    return array.__array_interface__["data"][0]


def test_what_nobody_holds_is_used_again(x):
    places = {memory(mt.relu(x).array) for _ in range(5)}
    assert len(places) == 1


HOLD = {
    "the tensor": lambda t: t,
    "its array": lambda t: t.numpy(),
    "a view": lambda t: t[3:],
    "a view of a view of its array": lambda t: t.numpy()[3:][:, 2:].T,
    "a reshaped view": lambda t: t.reshape(-1)[5:],
    "its memory as bytes": lambda t: memoryview(t.numpy()),
    "its memory by DLPack": lambda t: np.from_dlpack(t),
    "detached": lambda t: t.detach(),
    "a step that saved it": lambda t: (t * mt.ones(N, N, requires_grad=True)).grad_fn,
}


@pytest.mark.parametrize("held", HOLD)
def test_what_somebody_holds_is_left_alone(x, held):
    result = mt.relu(x)
    place, values = memory(result.array), result.numpy().copy()
    kept = HOLD[held](result)
    del result
    others = [mt.relu(x + i) for i in range(6)]
    assert place not in [memory(t.array) for t in others]
    floats = ctypes.cast(place, ctypes.POINTER(ctypes.c_float))
    assert np.array_equal(np.ctypeslib.as_array(floats, values.shape), values)
    del kept


def test_gradients_lie_in_memory_of_their_own(x):
    """Those of two parameters, and of the step before, kept by whoever asked for them."""
    w, v = (mt.ones(N, N, requires_grad=True) for _ in range(2))
    kept, sums = [], []
    for _ in range(4):
        w.grad = v.grad = None
        (F.linear(F.relu(F.linear(x, w)), v)).sum().backward()
        kept += [w.grad, v.grad]
        sums += [float(w.grad.sum()), float(v.grad.sum())]
    assert len({memory(g.array) for g in kept}) == len(kept)
    assert [float(g.sum()) for g in kept] == sums


def test_a_gradient_becomes_grad_without_a_copy(x):
    w = mt.ones(N, N, requires_grad=True)
    F.linear(x, w).sum().backward()
    assert type(w.grad.array.base) is pool.Block


def test_training_reaches_the_same_numbers_without_the_pool(x, monkeypatch):
    def losses():
        w = mt.ones(N, N, requires_grad=True)
        image = x.view(4, 4, 128, 128)
        kernel = mt.ones(4, 4, 3, 3, requires_grad=True)
        found = []
        for _ in range(3):
            h = F.max_pool2d(F.relu(F.conv2d(image, kernel, padding=1)), 2).reshape(-1, N)
            h = F.gelu(F.layer_norm(F.linear(h, w), (N,)), approximate="tanh")
            scores = F.scaled_dot_product_attention(*[h.view(1, 2, -1, 128)] * 3, is_causal=True)
            loss = F.cross_entropy(scores.reshape(-1, 128), mt.arange(scores.numel() // 128) % 128)
            loss.backward()
            with mt.no_grad():
                for p in (w, kernel):
                    p -= 0.1 * p.grad
                    p.grad = None
            found.append(float(loss))
        return found

    with_pool = losses()
    monkeypatch.setattr(pool, "SMALLEST", 1 << 60)
    assert losses() == with_pool
    assert len(set(with_pool)) == 3


def test_threads_do_not_meet(x):
    wrong = []

    def work(i):
        for _ in range(60):
            a = mt.relu(x + i)
            b = mt.relu(x - i)
            if not np.array_equal((a.array - b.array), np.maximum(x.array + i, 0)
                                  - np.maximum(x.array - i, 0)):  # fmt: skip
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_what_waits_unused_has_a_limit(blocks):
    blocks.limit = 1 << 20
    held = [blocks.array((size,), np.uint8, size) for size in range(1 << 17, 1 << 18, 1 << 12)]
    assert sum(a.nbytes for a in held) > 4 * blocks.limit
    waiting = [block for kept in blocks.blocks.values() for block in kept]
    assert sum(b.nbytes for b in waiting) == blocks.held <= blocks.limit
    assert waiting[-1] is held[-1].base  # those used last stay


@pytest.mark.parametrize("size", [pool.SMALLEST - 4, pool.LARGEST + 4])
def test_small_and_huge_arrays_are_numpys_own(size, blocks):
    assert mt.relu(mt.zeros(size // 4)).array.base is None
    assert not blocks.held


def test_layout_is_kept():
    """A convolution's result has the batch last in memory, and what follows keeps it so."""
    x = np.moveaxis(np.zeros((4, 64, 64, 8), np.float32), -1, 0)
    assert pool.room(x).strides == x.strides
    assert pool.room(x.swapaxes(1, 2)) is None
    assert pool.room(x[:, ::2]) is None


def test_helpers_do_as_operators(x):
    a, row = x.numpy(), x.numpy()[0]
    assert np.array_equal(pool.times(a, row), a * row)
    assert np.array_equal(pool.times(a[:2, :2], row[:2]), a[:2, :2] * row[:2])
    assert np.array_equal(pool.times(x, x).array, a * a)
    for own in (a.copy(), a[:2].copy(), x):
        want = own * row[0]
        assert np.array_equal(np.asarray(pool.scaled(own, row[0])), np.asarray(want))
    assert np.array_equal(x.numpy(), a)
    assert np.array_equal(pool.zeros(np, (N, N), a.dtype), np.zeros((N, N)))


@pytest.mark.parametrize(
    ("a", "b"),
    [((N, N), (N,)), ((N,), (N, N)), ((2, N, N), (N, N)), ((2, N, N), (2, N, 3)), ((N, 3), (3, N))],
)
def test_products_of_all_kinds(a, b):
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(s).astype(np.float32) for s in (a, b))
    assert np.array_equal((mt.from_numpy(x) @ mt.from_numpy(y)).numpy(), x @ y)
