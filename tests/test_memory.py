"""What a graph keeps alive, counted: nothing more than its rules name, and nothing for longer."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import minitensor as mt
from minitensor import core, versions
from minitensor.autograd import grad


@pytest.fixture(autouse=True)
def no_collector():
    """Reference counts alone must free everything here."""
    gc.disable()
    yield
    gc.enable()


def leaf(values):
    return mt.tensor(values, requires_grad=True)


def nodes_of(tensor):
    found, stack = [], [tensor.grad_fn]
    while stack:
        node = stack.pop()
        if isinstance(node, core.Node) and node not in found:
            found.append(node)
            stack += node.edges
    return found


def saved_by(tensor):
    """How many arrays a graph keeps, each counted once, by the op that saved it."""
    counts, seen = {}, set()
    for node in nodes_of(tensor):
        for value in node.saved or ():
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray) and id(array) not in seen:
                    seen.add(id(array))
                    counts[node.op.name] = counts.get(node.op.name, 0) + 1
    return counts


X, W = leaf(np.ones((4, 3))), leaf(np.ones((3, 5)))
KEPT = {  # an expression and the arrays that its backward needs
    "add": (lambda: X + X, {}),
    "sub": (lambda: 1 - X, {}),
    "times a number": (lambda: X * 3, {}),
    "times itself": (lambda: X * X, {"mul": 1}),
    "times a constant": (lambda: X * mt.ones(4, 3), {"mul": 1}),
    "sum": (lambda: X.sum(), {}),
    "mean": (lambda: X.mean(0), {}),
    "shapes": (lambda: X.T.reshape(2, 6)[0, 1:].unsqueeze(0).expand(3, 5), {}),
    "exp": (lambda: X.exp(), {"exp": 1}),
    "relu": (lambda: X.relu(), {"relu": 1}),
    "matmul": (lambda: X @ W, {"matmul": 2}),
    "matmul by a constant": (lambda: X @ W.detach(), {"matmul": 1}),
    "a layer": (lambda: (X @ W + 1).tanh().mean(), {"matmul": 2, "tanh": 1}),
    "cat": (lambda: mt.cat([X, X]), {}),
    "where": (lambda: mt.where(X > 0, X, X * 2), {"where": 1}),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_graph_keeps_what_its_rules_name(name):
    make, want = KEPT[name]
    assert saved_by(make()) == want


def test_a_chain_of_additions_keeps_no_array_between():
    x = leaf(np.ones(1000))
    y, between = x, []
    for _ in range(100):
        y = y + 1
        between.append(weakref.ref(y.array))
    assert [i for i, ref in enumerate(between) if ref() is not None] == [99]
    y.sum().backward()
    assert x.grad.shape == (1000,)


def test_backward_frees_each_array_when_it_has_passed():
    x = leaf(np.ones(5))
    first = x.exp()
    second = first.exp()
    arrays = weakref.ref(first.array), weakref.ref(second.array)
    alive = []
    first.register_hook(lambda g: alive.append([a() is not None for a in arrays]))
    total = second.sum()
    del first, second
    total.backward()
    assert alive == [[True, False]]  # the walk came by second, and is about to use first
    assert [a() for a in arrays] == [None, None]


def test_retain_graph_keeps_what_backward_frees():
    y = X.exp().sum()
    y.backward(retain_graph=True)
    assert saved_by(y) == {"exp": 1}
    y.backward()
    assert saved_by(y) == {}


def test_a_tensor_dies_with_its_last_name():
    x = leaf([1.0, 2.0])
    y = x * 2
    view = y[0]
    base, node = weakref.ref(y), weakref.ref(y.grad_fn)
    del y
    assert base() is not None  # its view may be changed in place, and then it changes too
    del view
    assert base() is None and node() is None


def test_first_and_second_gradients_leave_nothing_behind():
    x = leaf([1.0, 2.0])
    (first,) = grad((x**3).sum(), x, create_graph=True)
    nodes = [weakref.ref(n) for n in nodes_of(first)]
    assert len(nodes) == 3
    first.sum().backward()
    del first
    assert [n() for n in nodes] == [None] * len(nodes)


def test_an_error_in_backward_leaves_nothing_behind():
    x = leaf([1.0])
    y = x * 1
    y.register_hook(lambda g: 1 / 0)
    node = weakref.ref(y.grad_fn)
    total = y.sum()
    del y
    with pytest.raises(ZeroDivisionError):
        total.backward()
    del total
    assert node() is None


def test_a_function_leaves_nothing_behind():
    class Double(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x * 2
            ctx.save_for_backward(x, out)
            return out

        @staticmethod
        def backward(ctx, g):
            if ctx.saved_tensors[0].shape[0] == 1:
                raise ValueError("on purpose")
            return g * 2

    for n in (1, 2):
        out = Double.apply(mt.ones(n, requires_grad=True))
        node, total = weakref.ref(out.grad_fn), out.sum()
        del out
        if n == 1:
            with pytest.raises(ValueError, match="on purpose"):
                total.backward()
        else:
            total.backward()
        del total
        assert node() is None


def test_changes_in_place_are_forgotten_with_their_arrays():
    before = sum(entry.owner() is not None for entry in versions.LEDGER.values())
    for _ in range(200):
        t = mt.zeros(3)
        t.add_(1)
        assert t._version == 1
    del t
    alive = sum(entry.owner() is not None for entry in versions.LEDGER.values())
    assert alive <= before + 1


def test_a_long_chain_is_walked_and_freed_in_both_ways():
    x = leaf([0.5])
    y = x
    for _ in range(20_000):
        y = y * 1.0
    (first,) = grad((y * y).sum(), x, create_graph=True)
    assert first.tolist() == [1]
    first.sum().backward()
    assert x.grad.tolist() == [2]
    del first, y


def test_a_tensor_with_many_views():
    x = leaf(np.arange(10_000.0))
    base = x * 1
    parts = [base[i] for i in range(10_000)]
    total = mt.stack(parts).sum()
    total.backward()
    assert x.grad.tolist() == [1] * 10_000
    parts[0].mul_(3)
    assert base._version == 1


def test_many_parts_of_one_leaf():
    x = leaf(np.ones(5000))
    total = x.sum() * 0
    for i in range(5000):
        total = total + x[i]
    total.backward()
    assert x.grad.tolist() == [1] * 5000


def test_a_gradient_that_nobody_shares_is_not_copied():
    """tanh(a * b + c): three gradients are made, and beyond them nothing of their size at the end.

    c's gradient is the very array that also went on to the product: when that is done with it, it
    is c's alone.
    """
    size = 100_000
    a, b, c = (leaf(np.full(size, v, np.float32)) for v in (0.5, 0.9, 0.01))
    (a * b + c).tanh().sum().backward()  # once before, so that nothing else is allocated
    a.grad = b.grad = c.grad = None
    tracemalloc.start()
    (a * b + c).tanh().sum().backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3.1 * 4 * size


@pytest.mark.parametrize("kept", ["leaf", "hook", "seed", "view", "saved"])
def test_a_gradient_that_somebody_shares_is_copied(kept):
    """Each way in which a gradient's array may be held elsewhere: ``.grad`` is another one."""
    a, b = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0, 6.0])
    held, seed = [], mt.tensor([1.0, 1.0, 1.0])
    if kept == "hook":
        (a * 1.0).register_hook(held.append)
        a.register_hook(held.append)
    y = {"view": lambda: a.reshape(3, 1).reshape(3), "saved": lambda: a.dot(b)}.get(kept)
    if kept == "saved":
        y().backward()
        held = [b]
    else:
        (y() if y else a + b).backward(seed)
        held += [b, seed] + ([b.grad] if b.grad is not None else [])
    for other in held:
        assert not np.shares_memory(a.grad.array, other.array)
    a.grad.add_(1.0)
    assert seed.tolist() == [1.0, 1.0, 1.0]
    assert b.tolist() == [4.0, 5.0, 6.0]
