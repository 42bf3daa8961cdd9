"""Backward as PyTorch does it: what accumulates, what is freed, what is refused, in which words."""

import gc
import threading
import weakref

import numpy as np
import pytest

import minitensor as mt
from minitensor import autograd, backend, core
from minitensor.autograd import grad

pytestmark = pytest.mark.usefixtures("default_device")


def leaf(values, device=None, dtype=None):
    return mt.tensor(values, requires_grad=True, device=device, dtype=dtype)


def test_gradients_accumulate_over_backward_calls(device):
    x = leaf(3.0, device)
    (x * x).backward()
    assert x.grad.item() == 6
    (x * x).backward()
    assert x.grad.item() == 12


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_graph_that_catches_wrong_orders(order):
    a, b = leaf(2.0), leaf(3.0)
    x = a * b
    y = (a + x) if order == (0, 1) else (x + a)
    (x * y).backward()
    assert (a.grad.item(), b.grad.item()) == (48, 28)


def test_a_second_backward_is_refused_where_values_were_freed():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    z = (x + 1).sum()  # an addition saves nothing: nothing was freed
    z.backward()
    z.backward()
    assert x.grad.tolist() == [4, 6]


def test_retain_graph_allows_another_backward():
    x = leaf([1.0, 2.0])
    y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), 2 * np.exp([1, 2]), rtol=1e-6)


def test_what_backward_refuses():
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"only for scalar outputs.*shape \[2\]"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        mt.tensor(1.0).backward()
    with pytest.raises(RuntimeError, match=r"grad_output\[0\] has a shape of \[3\].*\[2\]"):
        (x * 2).backward(mt.ones(3))
    with pytest.raises(TypeError, match="gradients can be either Tensors or None"):
        (x * 2).backward([1.0, 1.0])
    with pytest.raises(RuntimeError, match="floating point"):
        mt.tensor([1, 2], requires_grad=True)
    with pytest.raises(RuntimeError, match="floating point"):
        mt.tensor([1, 2]).requires_grad = True
    with pytest.raises(RuntimeError, match="leaf variables"):
        (x * 2).requires_grad = False


def test_a_given_gradient_is_the_vector_of_the_product(device):
    x = leaf([1.0, 2.0], device)
    (x * x).backward(mt.tensor([1.0, 10.0], device=device))
    assert x.grad.tolist() == [2, 40]


def test_broadcasting_is_undone(device):
    bias, x = leaf([1.0, 2.0, 3.0], device), mt.ones(4, 3, device=device)
    (x + bias).sum().backward()
    assert bias.grad.tolist() == [4, 4, 4]
    column, scalar = leaf([[1.0], [2.0]], device), leaf(2.0, device)
    (column * mt.ones(2, 3, device=device) * scalar).sum().backward()
    assert column.grad.tolist() == [[6], [6]] and scalar.grad.item() == 9


def test_gradients_never_share_memory_and_can_be_written_to(device):
    x, y = leaf([1.0, 2.0], device), leaf([3.0, 4.0], device)
    (x + y).sum().backward()
    x.grad += 1
    assert x.grad.tolist() == [2, 2] and y.grad.tolist() == [1, 1]
    seed = mt.ones(2, device=device)
    z = leaf([1.0, 1.0], device)
    z.backward(seed)
    z.grad += 1
    assert seed.tolist() == [1, 1]


def test_a_gradient_keeps_its_tensors_dtype():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0], dtype=mt.float64)
    (x * y).sum().backward()
    assert x.grad.dtype == mt.float32 and y.grad.dtype == mt.float64


def test_gradients_of_gradients():
    x = leaf([2.0])
    first = grad((x**4).sum(), x, create_graph=True)[0]
    second = grad(first.sum(), x, create_graph=True)[0]
    third = grad(second.sum(), x)[0]
    assert (first.item(), second.item(), third.item()) == (32, 48, 48)


def test_create_graph_leaves_a_grad_that_can_be_differentiated():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    assert grad(x.grad, x)[0].item() == 18


def test_grad_changes_no_grad_attribute_and_names_unused_inputs():
    x, y = leaf(2.0), leaf(3.0)
    assert grad(x * x, x)[0].item() == 4 and x.grad is None
    with pytest.raises(RuntimeError, match=r"not have been used in the graph.*allow_unused=True"):
        grad(x * x, [x, y])
    assert grad(x * x, [x, y], allow_unused=True)[1] is None
    assert grad(x * x, [x, y], materialize_grads=True)[1].item() == 0
    with pytest.raises(RuntimeError, match="does not require grad"):
        grad(x * x, mt.tensor(1.0))


def test_grad_of_an_intermediate_computes_only_what_leads_there():
    calls = []

    class Watched(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            calls.append("run")
            return g * 2

    x = leaf(2.0)
    y = Watched.apply(x)
    z = y * y
    assert grad(z, y, retain_graph=True)[0].item() == 8 and calls == []
    assert grad(z, x)[0].item() == 16 and calls == ["run"]


def test_grad_of_an_intermediate_leaves_the_step_that_made_it_alone():
    """That step may have freed what it saved, and if it has not, it keeps it: as in PyTorch."""
    x = leaf(2.0)
    h = x * x
    assert grad(h * 3, h)[0].item() == 3
    assert grad(h, x)[0].item() == 4  # the first call freed nothing of h
    assert grad(h * 5, h)[0].item() == 5  # nor does this one ask for what the second freed


def test_backward_with_inputs_fills_only_these():
    x, y = leaf(2.0), leaf(3.0)
    (x * y).backward(inputs=[x])
    assert x.grad.item() == 3 and y.grad is None


def test_modes_nest_decorate_and_survive_exceptions():
    x = leaf(1.0)
    with mt.no_grad():
        assert not (x * 2).requires_grad
        with mt.enable_grad():
            assert (x * 2).requires_grad
        assert not mt.is_grad_enabled()
    assert mt.is_grad_enabled()

    @mt.no_grad()
    def quiet():
        return x * 2

    @mt.no_grad
    def quiet_too():
        return x * 2

    assert not quiet().requires_grad and not quiet_too().requires_grad and (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), mt.no_grad():
        1 / 0
    assert mt.is_grad_enabled()
    with mt.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    mt.set_grad_enabled(False)
    assert not mt.is_grad_enabled()
    mt.set_grad_enabled(True)


def test_leaves_and_what_is_none():
    x = leaf([1.0, 2.0])
    y = x * 2
    assert x.is_leaf and not y.is_leaf and not (mt.randn(2, requires_grad=True) * 0.01).is_leaf
    y.sum().backward()
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        assert y.grad is None


def test_retain_grad_keeps_an_inner_gradient():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [4, 8] and y.retains_grad


def test_hooks_see_and_replace_gradients_and_can_be_removed(device):
    x = leaf([1.0, 2.0], device)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()))
    y = x * 3
    y.register_hook(lambda g: g * 10)
    (y.sum() + x.sum()).backward()
    assert seen == [[31, 31]] and x.grad.tolist() == [31, 31]  # called once, with the total
    handle.remove()
    x.sum().backward()
    assert len(seen) == 1
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        mt.ones(2).register_hook(print)


def test_detach_shares_memory_and_data_escapes():
    x = leaf([1.0, 2.0])
    d = x.detach()
    d[0] = 5
    assert x.tolist() == [5, 2] and not d.requires_grad
    z = leaf(1.0)
    e = z.exp()
    e.data += 1  # PyTorch's trap: no error, and a gradient that is not that of exp at 1
    e.backward()
    assert e._version == 0 and round(z.grad.item(), 3) == 3.718
    f = (z * 1).exp()
    f.detach().add_(1)  # detach() is noticed
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        f.backward()


def test_anomaly_mode_names_the_forward_line_and_finds_nan():
    x = leaf([-1.0])
    with mt.autograd.detect_anomaly():
        y = x.sqrt()  # the line to be named
        with pytest.raises(RuntimeError, match="SqrtBackward0' returned nan") as caught:
            y.sum().backward()
        assert "y = x.sqrt()  # the line to be named" in str(caught.value)
        z = x.exp()
        out = z * 2
        z.add_(1)
        with pytest.raises(
            RuntimeError, match=r"(?s)modified by an inplace.*recorded here.*x\.exp\(\)"
        ):
            out.sum().backward()
    assert core.OBSERVERS == ()


def test_shape_dtype_and_operand_errors():
    with pytest.raises(
        RuntimeError, match=r"size of tensor a \(2\) must match the size of tensor b \(3\)"
    ):
        mt.ones(2) + mt.ones(3)
    with pytest.raises(RuntimeError, match=r"cannot be multiplied \(1x2 and 1x2\)"):
        mt.ones(1, 2) @ mt.ones(1, 2)
    with pytest.raises(TypeError, match="'other' must be Tensor, not str"):
        mt.ones(2) + "a"
    with pytest.raises(RuntimeError, match="same dtype"):
        mt.ones(2, 2) @ mt.ones(2, 2, dtype=mt.float64)


def test_devices_do_not_mix():
    a, b = mt.ones(2, device="cpu"), mt.ones(2, device="standin")
    with pytest.raises(RuntimeError, match=r"same device.*standin and cpu.*\.to\('standin'\)"):
        b + a
    zero_d = mt.tensor(2.0, device="cpu")
    assert (b * zero_d).device.type == "standin"  # a 0-d tensor follows, as in PyTorch
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu"):
        b.numpy()
    x = leaf([1.0, 2.0], "cpu")
    (x.to("standin") * b).sum().backward()
    assert x.grad.device.type == "cpu" and x.grad.tolist() == [1, 1]


def test_no_crossing_between_devices_goes_unseen(monkeypatch):
    x = leaf([[1.0, 2.0], [3.0, 4.0]], "standin")
    crossings = []
    for name in ("move", "to_numpy"):
        real = getattr(backend, name)
        monkeypatch.setattr(
            backend, name, lambda *a, _r=real, _n=name: crossings.append(_n) or _r(*a)
        )
    y = ((x @ x).tanh() + x[0]).relu().sum()
    y.backward()
    assert crossings == [] and x.grad.device.type == "standin"


# -- memory ----------------------------------------------------------------------------------------


def test_reference_counts_alone_free_a_graph():
    gc.disable()
    try:
        x = leaf([1.0, 2.0])
        y = (x * x).exp().sum()
        y.register_hook(lambda g: None)
        nodes = [weakref.ref(y.grad_fn), weakref.ref(y.grad_fn.edges[0])]
        array = weakref.ref(y.grad_fn.edges[0].saved[0])
        del y
        assert [n() for n in nodes] == [None, None] and array() is None
        z = x.exp()
        output = weakref.ref(z.array)
        w = z.sum()
        del z
        assert output() is not None  # exp saved it
        w.backward()
        assert output() is None
    finally:
        gc.enable()


def test_only_what_a_rule_names_is_kept():
    x, c = leaf(np.ones(10)), mt.ones(10, dtype=mt.float64)
    y = ((x + c) * 3.0 - x).tanh().sum()
    kept, stack = [], [y.grad_fn]
    while stack:
        node = stack.pop()
        kept += [(node.op.name, s.size) for s in node.saved if type(s) in backend.MODULES]
        stack += [e for e in node.edges if isinstance(e, core.Node)]
    assert kept == [("tanh", 10)]


def test_deep_and_wide_graphs():
    x = leaf([1.0])
    y = x
    for _ in range(100_000):
        y = y + x
    y.sum().backward()
    assert x.grad.item() == 100_001
    x = leaf([1.0], dtype=mt.float64)
    total = x * 0
    for part in [x * float(i) for i in range(10_000)]:
        total = total + part
    total.sum().backward()
    assert x.grad.item() == 49_995_000
    del y, total  # freed without a recursion error


def test_observers_hear_every_op_and_gradient():
    class Ear:
        def __init__(self):
            self.ops, self.grads = [], []

        def on_op(self, op, inputs, attrs, out):
            self.ops.append(op.name)

        def on_grad(self, node, g, d, edge):
            self.grads.append(node.op.name)

    ear = Ear()
    core.OBSERVERS = (ear,)
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    core.OBSERVERS = ()
    assert ear.ops == ["mul", "sum"] and ear.grads == ["sum", "mul", "mul"]


def test_backward_on_several_tensors():
    x = leaf(2.0)
    autograd.backward([x * 2, x * x])
    assert x.grad.item() == 6
    with pytest.raises(RuntimeError, match="cannot be empty"):
        autograd.backward([x * 2], inputs=[])


# -- hooks, modes and accumulation, where they meet ------------------------------------------------


def test_the_same_hook_may_come_twice():
    x, calls = leaf([1.0]), []
    hook = calls.append
    first = x.register_hook(hook)
    x.register_hook(hook)
    first.remove()
    first.remove()
    x.sum().backward()
    assert len(calls) == 1


def test_hooks_run_in_order_and_retain_grad_sees_their_answer():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    y.sum().backward()
    assert y.grad.tolist() == [11, 11] and x.grad.tolist() == [33, 33]


def test_retain_grad_follows_a_change_in_place():
    x = leaf([1.0, 2.0])
    y = x * 1
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    assert y.grad.tolist() == [6, 12] and x.grad.tolist() == [18, 36]
    base = x * 1
    base.retain_grad()
    base[0] = 0.0
    (base * base).sum().backward()
    assert base.grad.tolist() == [0, 4]


def test_hooks_can_be_differentiated():
    x = leaf([2.0])
    y = x * x
    y.register_hook(lambda g: g * x)
    (first,) = grad((y * y).sum(), x, create_graph=True)  # 2 y times x times 2 x
    assert first.tolist() == [64]
    # 8 y x, and by way of y (where the hook acts again) 4 x^2 times x times 2 x.
    assert grad(first.sum(), x)[0].tolist() == [64 + 128]


def test_a_hook_answers_with_a_tensor():
    x = leaf([1.0])
    x.register_hook(lambda g: 2.0)
    with pytest.raises(TypeError, match="expected Variable, but hook returned 'float'"):
        x.sum().backward()


def test_a_hook_context_ends():
    x, calls = leaf([1.0]), []
    with x.register_hook(calls.append):
        x.sum().backward()
    x.sum().backward()
    assert len(calls) == 1


@pytest.mark.parametrize("decorate", ["no_grad", "no_grad()", "set_grad_enabled(False)"])
def test_a_generator_keeps_its_mode_to_itself(decorate):
    seen = []
    mode = {"no_grad": mt.no_grad, "no_grad()": mt.no_grad()}.get(decorate)

    @mode or mt.set_grad_enabled(False)
    def numbers():
        try:
            for i in range(3):
                seen.append(mt.is_grad_enabled())
                got = yield i
                seen.append(got)
        except KeyError as error:
            seen.append((type(error), mt.is_grad_enabled()))
            yield "caught"
        return "end"

    steps = numbers()
    assert next(steps) == 0 and mt.is_grad_enabled()
    assert steps.send("hello") == 1 and mt.is_grad_enabled()
    assert steps.throw(KeyError("x")) == "caught" and mt.is_grad_enabled()
    with pytest.raises(StopIteration, match="end"):
        next(steps)
    assert seen == [False, "hello", False, (KeyError, False)] and mt.is_grad_enabled()
    closed = numbers()
    next(closed)
    closed.close()
    assert mt.is_grad_enabled()


def test_decorated_methods_and_reused_modes():
    class Model:
        @mt.no_grad()
        def predict(self, x):
            return x * 2

    assert not Model().predict(leaf([1.0])).requires_grad
    mode = mt.no_grad()
    with mode:
        with mode:
            assert not mt.is_grad_enabled()
        assert not mt.is_grad_enabled()
    assert mt.is_grad_enabled()
    with mt.no_grad():
        x = mt.ones(2, requires_grad=True)
        assert x.requires_grad and (x * 2).is_leaf


def test_seeds_are_differentiated_and_cast():
    x, seed = leaf([1.0, 2.0]), leaf([1.0, 10.0])
    (first,) = grad(x * x, x, seed, create_graph=True)
    assert grad(first.sum(), seed)[0].tolist() == [2, 4]
    (x * x).backward(mt.ones(2, dtype=mt.float64))
    assert x.grad.dtype == mt.float32
    with pytest.raises(RuntimeError, match="2 tensors and 1 gradients"):
        autograd.backward([x * 1, x * 1], [mt.ones(2)])


def test_a_leaf_is_a_graph_too():
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1 and grad(x, x)[0].item() == 1
    one = leaf([[3.0]])
    (one * one).backward()  # one element counts as a scalar
    assert one.grad.tolist() == [[6]]
    nothing = mt.zeros(0, requires_grad=True)
    nothing.sum().backward()
    assert nothing.grad.shape == (0,)
    with pytest.raises(RuntimeError, match="scalar outputs"):
        (nothing * 1).backward()


def test_inputs_asked_twice_have_gradients_of_their_own():
    x = leaf(3.0)
    a, b = grad(x * x, [x, x])
    a += 1
    assert (a.item(), b.item()) == (7, 6)


def test_gradients_with_a_graph_accumulate():
    x = leaf([2.0])
    for _ in range(2):
        (x**3).sum().backward(create_graph=True)
    assert x.grad.tolist() == [24] and grad(x.grad.sum(), x)[0].tolist() == [24]


def test_a_grad_that_was_set_is_added_to():
    x = leaf([1.0, 2.0])
    x.grad = mt.tensor([10.0, 10.0])
    (x * x).sum().backward()
    assert x.grad.tolist() == [12, 14]
    for wrong, error in [(mt.ones(3), RuntimeError), (mt.ones(2, dtype=mt.int64), RuntimeError),
                         (1.0, TypeError)]:  # fmt: skip
        with pytest.raises(error):
            x.grad = wrong
    x.grad = None
    assert x.grad is None


def test_half_of_a_shared_graph_may_be_freed():
    x = leaf([1.0, 2.0])
    y = x.exp()
    left, right = y.sum(), (y * y).sum()
    left.backward()
    with pytest.raises(RuntimeError, match="second time"):
        right.backward()


def test_a_tensor_without_gradient_joins_the_graph_when_written_to():
    x, w = mt.zeros(3), leaf(2.0)
    x[0] = w * 3
    x[1:].add_(w)
    (x * x).sum().backward()
    assert x.requires_grad and not x.is_leaf and w.grad.item() == 2 * 6 * 3 + 2 * 2 * 2


def test_each_thread_has_its_own_grad_mode(monkeypatch):
    """A worker under no_grad does not stop the main thread from recording, nor start it."""
    monkeypatch.setattr(core, "GRAD", True)
    inside, leave, seen = threading.Event(), threading.Event(), []

    def worker():
        x = mt.tensor(1.0, requires_grad=True)
        seen.append((x * 2).requires_grad)
        with mt.no_grad():
            seen.append((x * 2).requires_grad)
            inside.set()
            leave.wait(10)
        seen.append((x * 2).requires_grad)

    x = mt.tensor(1.0, requires_grad=True)
    for mode, expected in ((mt.enable_grad, True), (mt.no_grad, False)):
        inside.clear(), leave.clear(), seen.clear()
        with mode():
            thread = threading.Thread(target=worker)
            thread.start()
            inside.wait(10)
            assert (x * 2).requires_grad is mt.is_grad_enabled() is expected
            with mt.no_grad():
                assert not (x * 2).requires_grad
            leave.set()
            thread.join()
            assert (x * 2).requires_grad is expected
        assert seen == [True, False, True]
