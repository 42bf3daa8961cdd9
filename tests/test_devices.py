"""Devices: data stays where it is, crossings are asked for, and the stand-in is as strict as CuPy.

The stand-in refuses what CuPy refuses, so an implicit crossing anywhere in the engine fails the
tests that run on it. Crossings on purpose go by ``backend.move`` and ``to_numpy``; here they are
counted.
"""

import numpy as np
import pytest
import standin
from test_ops import sample

import minitensor as mt
from minitensor import autograd, backend
from minitensor.core import OPS, wrap


@pytest.fixture
def crossings(monkeypatch):
    """The list of crossings on purpose, as they happen."""
    seen = []

    def watch(name):
        real = getattr(backend, name)

        def watched(array, *where):
            if name == "to_numpy" and type(array) is np.ndarray:
                return real(array)
            before = type(array)
            after = real(array, *where)
            if type(after) is not before:
                seen.append((name, before.__name__, type(after).__name__))
            return after

        monkeypatch.setattr(backend, name, watched)

    watch("move")
    watch("to_numpy")
    return seen


@pytest.mark.parametrize("name", OPS)
def test_no_op_crosses_in_forward_or_backward(name, crossings):
    op = OPS[name]
    tensors, attrs = sample(op, "standin")
    inputs = [t for t in tensors if t.needs_grad]
    crossings.clear()  # the sample was moved there
    out = op.call(*tensors, **attrs)
    if out.needs_grad:
        seed = wrap(backend.MODULES[type(out.array)].ones(out.array.shape, out.array.dtype))
        first = autograd.grad(out, inputs, seed, create_graph=True)
        if any(g.needs_grad for g in first):
            total = sum(g.sum() for g in first if g.needs_grad)
            autograd.grad(total, inputs, allow_unused=True)
    assert crossings == []


def test_training_stays_on_the_device(crossings):
    mt.manual_seed(0)
    where = "standin"
    x = mt.randn(8, 3, device=where)
    w = mt.randn(3, 4, device=where, requires_grad=True)
    b = mt.zeros(4, device=where, requires_grad=True)
    v = mt.randn(4, 2, device=where, requires_grad=True)
    target = (x[:, 0] > 0).long()
    rows = mt.arange(8, device=where)
    crossings.clear()
    losses = []
    for _ in range(20):
        scores = (x @ w + b).tanh() @ v
        loss = -scores.log_softmax(1)[rows, target].mean()
        for p in (w, b, v):
            p.grad = None
        loss.backward()
        with mt.no_grad():
            for p in (w, b, v):
                p -= 0.5 * p.grad
        losses.append(loss.detach())
    assert crossings == []
    assert losses[-1].item() < 0.5 * losses[0].item()
    assert {t.device.type for t in (w, w.grad, b.grad, losses[0])} == {where}


def test_moves_are_steps_of_the_graph_and_the_only_crossings(crossings):
    x = mt.ones(2, requires_grad=True)
    y = x.to("standin")
    assert y.device.type == "standin" and not y.is_leaf
    (y * y).sum().backward()
    assert x.grad.device.type == "cpu" and x.grad.tolist() == [2, 2]
    assert crossings == [
        ("move", "ndarray", "StandinArray"),
        ("to_numpy", "StandinArray", "ndarray"),
        ("move", "StandinArray", "ndarray"),
    ]
    crossings.clear()
    y.to("standin"), x.to("cpu"), x.cpu()
    assert crossings == []
    assert x.to("cpu") is x and y.to("standin") is y and y.to("standin", copy=True) is not y


def test_a_copy_that_is_not_waited_for(monkeypatch):
    x, waited = mt.arange(3.0), []
    real = backend.move

    def move(array, where, non_blocking=False):
        waited.append(not non_blocking)
        return real(array, where)

    monkeypatch.setattr(backend, "move", move)
    for call in (
        lambda: x.to("standin"),
        lambda: x.to("standin", non_blocking=True),
        lambda: x.to("standin", mt.float64, non_blocking=True),
        lambda: x.clone().requires_grad_().to("standin", non_blocking=True),  # its way back waits
    ):
        y = call()
        assert y.device.type == "standin" and y.tolist() == [0, 1, 2]
    assert waited == [True, False, False, True] and x.to("cpu", non_blocking=True) is x


def test_gradients_of_gradients_cross_back_too():
    x = mt.tensor([2.0], requires_grad=True)
    (first,) = autograd.grad((x.to("standin") ** 3).cpu().sum(), x, create_graph=True)
    (second,) = autograd.grad(first.sum(), x)
    assert (first.item(), second.item(), second.device.type) == (12, 12, "cpu")


def test_zero_dimensional_cpu_tensors_follow_others_do_not():
    far, near = mt.ones(2, device="standin"), mt.ones(2)
    scalar = mt.tensor(3.0, requires_grad=True)
    out = far * scalar + 1
    assert out.device.type == "standin"
    out.sum().backward()
    assert scalar.grad.item() == 2 and scalar.grad.device.type == "cpu"
    for mix in (
        lambda: far + near,
        lambda: near * far,
        lambda: mt.ones(2, 2) @ mt.ones(2, 2, device="standin"),
        lambda: mt.cat([far, near]),
        lambda: mt.where(near > 0, far, far),
        lambda: near + mt.tensor(1.0, device="standin"),
    ):
        with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
            mix()


def test_writing_moves_what_is_written():
    far = mt.zeros(3, device="standin")
    far.copy_(mt.tensor([1.0, 2.0, 3.0]))
    far[0] = 7
    far[[1, 2]] = 5.0
    assert far.tolist() == [7, 5, 5] and far.device.type == "standin"


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "int64", "int32", "int16", "uint8", "bool"]
)
def test_adding_at_an_index_in_every_dtype(dtype, device):
    """A GPU adds safely in a few dtypes only; the others go by way of those."""
    values = np.array([[1, -2], [3, 1], [2, 2], [0, 1]]).astype(dtype)
    index, wanted = np.array([0, 2, 2, 0]), np.zeros((3, 2), dtype)
    np.add.at(wanted, index, values)
    xp = backend.module_for(device)
    target = xp.zeros((3, 2), dtype)
    found = backend.scatter_add(target, (xp.asarray(index),), xp.asarray(values))
    assert found is target
    np.testing.assert_array_equal(backend.to_numpy(found), wanted)


def test_what_leaves_the_device_is_asked_to():
    far = mt.ones(2, device="standin")
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
        far.numpy()
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
        np.asarray(far)
    assert far.cpu().numpy().tolist() == far.tolist() == far.numpy(force=True).tolist() == [1, 1]
    assert float(far.sum()) == 2 and bool(far[0] == 1) and "device='standin'" in repr(far)


def test_a_gradient_of_another_device_is_refused():
    x = mt.ones(2, device="standin", requires_grad=True)
    with pytest.raises(RuntimeError, match="type or device"):
        x.grad = mt.ones(2)


def test_names_of_devices():
    assert mt.device("cuda:1") == mt.device("cuda", 1) != mt.device("cuda")
    assert repr(mt.device("cpu")) == "device(type='cpu')" and str(mt.device("cuda:1")) == "cuda:1"
    assert mt.ones(1).device == mt.device("cpu") and len({mt.device("cpu"), mt.device("cpu")}) == 1
    for wrong in ("gpu", "cuda:x", ""):
        with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
            mt.device(wrong)


def test_without_a_gpu_the_error_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(backend.importlib, "import_module", lambda name: 1 / 0)

    def missing(name):
        raise ImportError(name)

    if "cuda" in backend._DEVICE_OF.values():
        pytest.skip("CuPy has joined already")
    monkeypatch.setattr(backend.importlib, "import_module", missing)
    with pytest.raises(RuntimeError, match=r"pip install 'minitensor\[cuda12\]'"):
        mt.ones(1).to("cuda")

    class NoGpu:
        @staticmethod
        def is_available():
            return False

    monkeypatch.setattr(backend.importlib, "import_module", lambda name: NoGpu)
    with pytest.raises(RuntimeError, match="finds no CUDA GPU here"):
        mt.ones(1).cuda()


# -- the stand-in itself: one that forgives would test nothing -------------------------------------


def test_the_standin_refuses_what_cupy_refuses():
    far, near = mt.ones(2, device="standin").array, np.ones(2)
    assert type(far) is standin.StandinArray
    for crossing in (
        lambda: np.asarray(far), lambda: np.add(far, near), lambda: far + near, lambda: near + far,
        lambda: near * far, lambda: far @ near, lambda: far[np.array([0])],
        lambda: far.__setitem__(0, near), lambda: near.__setitem__(slice(None), far),
        lambda: np.concatenate([far, far]), lambda: backend.MODULES[type(far)].add(far, near),
        lambda: far.flags.writeable, lambda: far.setflags(write=True),
        lambda: backend.MODULES[type(far)].max(far, initial=0),
    ):  # fmt: skip
        with pytest.raises((TypeError, AttributeError, ValueError)):
            crossing()


def test_the_standin_keeps_0d_results_and_views_on_the_device():
    far = mt.arange(6.0, device="standin").array
    assert type(far.sum()) is type(far[0]) is type(far[1:]) is type(far.T) is type(far)
    assert far[1:].base is far and (far + 1).base is None
    far[1:][0] = 9
    assert far.get().tolist() == [0, 9, 2, 3, 4, 5]
