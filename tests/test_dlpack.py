"""Tensors shared with NumPy and PyTorch without a copy, pickled, and copied."""

import copy
import pickle

import numpy as np
import pytest

import minitensor as mt
from minitensor.backend import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_memory_shared_with_numpy_both_ways(name):
    t = mt.tensor([[1, 0, 3], [4, 5, 6]], dtype=getattr(mt, name))
    array = np.from_dlpack(t)
    assert array.dtype.name == name and np.shares_memory(array, t.numpy())
    array[0, 1] = 1
    assert t[0, 1] == 1
    back = mt.from_dlpack(array)
    assert back.dtype == t.dtype and back.data_ptr() == t.data_ptr()
    back[1, 2] = 0
    assert array[1, 2] == 0 and t[1, 2] == 0


@pytest.mark.parametrize("name", NAMES)
def test_memory_shared_with_pytorch_both_ways(name):
    torch = pytest.importorskip("torch")
    t = mt.tensor([[1, 0, 3], [4, 5, 6]], dtype=getattr(mt, name))
    theirs = torch.from_dlpack(t)
    assert theirs.data_ptr() == t.data_ptr() and str(theirs.dtype) == f"torch.{name}"
    theirs[0, 1] = 1
    assert t[0, 1] == 1
    ours = mt.from_dlpack(theirs)
    assert ours.data_ptr() == theirs.data_ptr()
    ours[1, 0] = 0
    assert theirs[1, 0] == 0 and t[1, 0] == 0


def test_views_keep_their_strides():
    x = mt.arange(12.0).reshape(3, 4)
    for view in (x.T, x[:, 1], x[::2], x[1:2].expand(3, 4), x[0, 0]):
        array = np.from_dlpack(view)
        assert array.strides == tuple(4 * s for s in view.stride())
        assert mt.from_dlpack(array).tolist() == view.tolist() == array.tolist()
    assert mt.from_dlpack(mt.zeros(0, 3)).shape == (0, 3)


def test_what_is_not_given_away():
    x = mt.ones(2, requires_grad=True)
    assert x.__dlpack_device__() == (1, 0)
    for held in (x, x * 2):
        with pytest.raises(BufferError, match="require gradient, use tensor"):
            held.__dlpack__()
        with pytest.raises(BufferError):
            mt.from_dlpack(held)
    assert mt.from_dlpack(x.detach()).data_ptr() == x.data_ptr()
    with pytest.raises(RuntimeError, match="'ext_tensor' has no __dlpack__: int"):
        mt.from_dlpack(3)
    with pytest.raises(ValueError, match="stride"):
        mt.from_dlpack(np.ones(3)[::-1])
    with pytest.raises(TypeError, match="uint32"):
        mt.from_dlpack(np.ones(3, np.uint32))

    class Elsewhere:
        def __dlpack__(self, **options):
            raise AssertionError("must not be asked")

        def __dlpack_device__(self):
            return 10, 0

    with pytest.raises(RuntimeError, match="no such device here: DLPack's number 10"):
        mt.from_dlpack(Elsewhere())


def test_numpy_takes_tensors_and_gives_tensors_back():
    x = mt.tensor([0.0, 1.0])
    assert isinstance(np.sin(x), mt.Tensor) and np.sin(x).dtype == mt.float32
    assert np.add(x, 1).tolist() == [1, 2] and isinstance(np.add(x, 1), mt.Tensor)
    array = np.asarray(x)
    array[0] = 5
    assert x[0] == 5
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(x), x.numpy())
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(x.requires_grad_())


@pytest.mark.parametrize("keep", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
@pytest.mark.parametrize("name", NAMES)
def test_leaves_are_copied_with_their_dtype(keep, name):
    t = mt.tensor([[1, 0], [2, 3]], dtype=getattr(mt, name)).T
    twin = keep(t)
    assert type(twin) is mt.Tensor and twin.dtype is t.dtype and twin.is_leaf
    assert twin.tolist() == t.tolist() and twin.data_ptr() != t.data_ptr()
    assert (twin + twin).dtype is (t + t).dtype  # also where a fast lane asks for the very dtype


def test_a_leaf_keeps_its_wish_for_a_gradient():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    twin = copy.deepcopy({"a": x, "b": [x]})
    assert twin["a"] is twin["b"][0] and twin["a"].requires_grad
    assert twin["a"].grad.tolist() == [2, 4] and twin["a"].grad is not x.grad
    assert pickle.loads(pickle.dumps(x)).requires_grad
    assert copy.copy(x).data_ptr() == x.data_ptr()


def test_results_are_not_deep_copied_and_lose_their_history_in_a_pickle():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy([x * 2])
    back = pickle.loads(pickle.dumps(x * 2))
    assert back.is_leaf and back.requires_grad and back.tolist() == [2, 4]


def test_pytorch_agrees():
    torch = pytest.importorskip("torch")
    for lib in (torch, mt):
        x = lib.ones(2, requires_grad=True)
        with pytest.raises(BufferError):
            x.__dlpack__()
        with pytest.raises(RuntimeError):
            copy.deepcopy(x * 2)
        back = pickle.loads(pickle.dumps(x * 2))
        assert back.is_leaf and back.requires_grad
        assert tuple(x.detach().__dlpack_device__()) == (1, 0)
