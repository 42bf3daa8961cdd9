"""Creation: what each form of data and each rule becomes, and PyTorch's answer to the same call."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitensor as mt

NAN, INF = float("nan"), float("inf")
STRANGE = np.dtype("float32", metadata={"unit": "m"})  # equal to float32, but another object


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


def outcome(call, module):
    """What a call gives: values, dtype, shape, strides and flag; or the kind of its error.

    Strides matter only where there is more than one element to reach; NumPy sets the others to 0.
    """
    try:
        with warnings.catch_warnings():  # PyTorch warns of slow conversions
            warnings.simplefilter("ignore")
            t = call(module)
    except Exception as error:
        return type(error)
    name = str(t.dtype).partition(".")[2]
    strides = [step for n, step in zip(t.shape, t.stride(), strict=True) if n > 1 and t.numel()]
    return (repr(t.tolist()), name, tuple(t.shape), strides, t.requires_grad)


# Each call: (what to call with a module, the values as text and the dtype, or the error).
CALLS = [
    # numbers and sequences
    (lambda m: m.tensor(1.5), "1.5", "float32"),
    (lambda m: m.tensor(3), "3", "int64"),
    (lambda m: m.tensor(True), "True", "bool"),
    (lambda m: m.tensor([]), "[]", "float32"),
    (lambda m: m.tensor([[], []]), "[[], []]", "float32"),
    (lambda m: m.tensor(()), "[]", "float32"),
    (lambda m: m.tensor([[1, 2], (3, 4)]), "[[1, 2], [3, 4]]", "int64"),
    (lambda m: m.tensor([1, 2.5, True]), "[1.0, 2.5, 1.0]", "float32"),
    (lambda m: m.tensor([True, 2]), "[1, 2]", "int64"),
    (lambda m: m.tensor(range(3)), "[0, 1, 2]", "int64"),
    (lambda m: m.tensor([range(2), [5, 6]]), "[[0, 1], [5, 6]]", "int64"),
    (lambda m: m.tensor([1.7, -1.7], dtype=m.int64), "[1, -1]", "int64"),
    (lambda m: m.tensor([0.5, 0], dtype=m.bool), "[True, False]", "bool"),
    (lambda m: m.tensor([-1], dtype=m.uint8), "[255]", "uint8"),
    (lambda m: m.tensor([1.0], dtype=int), "[1]", "int64"),
    (lambda m: m.tensor([1e39, -1e39]), "[inf, -inf]", "float32"),
    (lambda m: m.tensor([1e10], dtype=m.float16), "[inf]", "float16"),
    (lambda m: m.tensor([2**53 + 1, -(2**63)]), f"[{2**53 + 1}, {-(2**63)}]", "int64"),
    (lambda m: m.tensor([1.0], requires_grad=True), "[1.0]", "float32"),
    # NumPy's numbers and arrays, tensors
    (lambda m: m.tensor(np.float64(3)), "3.0", "float64"),
    (lambda m: m.tensor([np.float64(3), 1.0]), "[3.0, 1.0]", "float64"),
    (lambda m: m.tensor([np.int32(3)]), "[3]", "int32"),
    (lambda m: m.tensor(np.bool_(True)), "True", "bool"),
    (lambda m: m.tensor(np.array(2.0)), "2.0", "float64"),
    (lambda m: m.tensor(np.arange(3.0)), "[0.0, 1.0, 2.0]", "float64"),
    (lambda m: m.tensor(np.arange(3.0), dtype=m.float32), "[0.0, 1.0, 2.0]", "float32"),
    (lambda m: m.tensor(np.array([1], "int8")), "[1]", "int8"),
    (lambda m: m.tensor(np.array([1, 2], np.longlong)), "[1, 2]", "int64"),
    (lambda m: m.tensor([m.tensor(1), m.tensor(2)]), "[1, 2]", "int64"),
    (lambda m: m.tensor([m.tensor(1.0), 2]), "[1.0, 2.0]", "float32"),
    (lambda m: m.tensor([m.tensor([1.5])]), "[1.5]", "float32"),
    (lambda m: m.tensor([np.zeros(2), np.ones(2)]), "[[0.0, 0.0], [1.0, 1.0]]", "float64"),
    # refusals
    (lambda m: m.tensor([[1, 2], [3]]), ValueError, ""),
    (lambda m: m.tensor([[[1]], [[2, 3]]]), ValueError, ""),
    (lambda m: m.tensor([[1, 2], []]), ValueError, ""),
    (lambda m: m.tensor([[1, 2], 3]), TypeError, ""),
    (lambda m: m.tensor([3, [1, 2]]), TypeError, ""),
    (lambda m: m.tensor("a"), TypeError, ""),
    (lambda m: m.tensor([[1], ["a"]]), TypeError, ""),
    (lambda m: m.tensor(None), RuntimeError, ""),
    (lambda m: m.tensor([1, None]), RuntimeError, ""),
    (lambda m: m.tensor({1: 2}), RuntimeError, ""),
    (lambda m: m.tensor(2**63), ValueError, ""),
    (lambda m: m.tensor([2**70]), ValueError, ""),
    (lambda m: m.tensor([300], dtype=m.uint8), RuntimeError, ""),
    (lambda m: m.tensor([-256], dtype=m.uint8), RuntimeError, ""),
    (lambda m: m.tensor([2**40], dtype=m.int32), RuntimeError, ""),
    (lambda m: m.tensor([NAN], dtype=m.int64), RuntimeError, ""),
    (lambda m: m.tensor([INF], dtype=m.int32), RuntimeError, ""),
    (lambda m: m.tensor([1, 2], requires_grad=True), RuntimeError, ""),
    (lambda m: m.tensor([m.tensor([1.0, 2.0])]), ValueError, ""),
    (lambda m: m.tensor(np.arange(3)[::-1]), ValueError, ""),
    (lambda m: m.tensor(np.arange(3, dtype=">i4")), ValueError, ""),
    (lambda m: m.tensor(np.array(["a"])), TypeError, ""),
    (lambda m: m.tensor(1, 2), TypeError, ""),
    (lambda m: m.tensor(), TypeError, ""),
    # from_numpy, as_tensor
    (lambda m: m.from_numpy(np.arange(4).reshape(2, 2).T), "[[0, 2], [1, 3]]", "int64"),
    (lambda m: m.from_numpy(np.zeros(2, STRANGE)), "[0.0, 0.0]", "float32"),
    (lambda m: m.from_numpy([1]), TypeError, ""),
    (lambda m: m.from_numpy(np.arange(3)[::-1]), ValueError, ""),
    (lambda m: m.from_numpy(np.arange(3, dtype=">i4")), ValueError, ""),
    (lambda m: m.from_numpy(np.array([None])), TypeError, ""),
    (lambda m: m.from_numpy(np.zeros(3, "f4,i1")["f0"]), ValueError, ""),
    (lambda m: m.as_tensor([1, 2]), "[1, 2]", "int64"),
    (lambda m: m.as_tensor([1, 2], dtype=m.float32), "[1.0, 2.0]", "float32"),
    (lambda m: m.as_tensor(np.arange(2), dtype=m.float64), "[0.0, 1.0]", "float64"),
    (lambda m: m.as_tensor(np.float64(2)), "2.0", "float64"),
    # filled
    (lambda m: m.zeros(2), "[0.0, 0.0]", "float32"),
    (lambda m: m.zeros(2, 1), "[[0.0], [0.0]]", "float32"),
    (lambda m: m.zeros([2, 1], dtype=m.int8), "[[0], [0]]", "int8"),
    (lambda m: m.zeros(size=(2,)), "[0.0, 0.0]", "float32"),
    (lambda m: m.zeros(()), "0.0", "float32"),
    (lambda m: m.zeros(np.int64(2)), "[0.0, 0.0]", "float32"),
    (lambda m: m.zeros(2, 0), "[[], []]", "float32"),
    (lambda m: m.ones(1, requires_grad=True), "[1.0]", "float32"),
    (lambda m: m.ones((2,), dtype=bool), "[True, True]", "bool"),
    (lambda m: m.empty(0), "[]", "float32"),
    (lambda m: m.full((2,), 1), "[1, 1]", "int64"),
    (lambda m: m.full((2,), 1.5), "[1.5, 1.5]", "float32"),
    (lambda m: m.full((2,), True), "[True, True]", "bool"),
    (lambda m: m.full((2,), 1.5, dtype=m.int64), "[1, 1]", "int64"),
    (lambda m: m.full((), NAN), "nan", "float32"),
    (lambda m: m.full([1], m.tensor(3.0)), "[3.0]", "float32"),
    (lambda m: m.zeros(), TypeError, ""),
    (lambda m: m.zeros(2.5), TypeError, ""),
    (lambda m: m.zeros(2, (3,)), TypeError, ""),
    (lambda m: m.zeros("a"), TypeError, ""),
    (lambda m: m.zeros(True), TypeError, ""),
    (lambda m: m.zeros(-1), RuntimeError, ""),
    (lambda m: m.empty(2, -3), RuntimeError, ""),
    (lambda m: m.zeros(2, device="foo"), RuntimeError, ""),
    (lambda m: m.zeros(2, dtype=m.int64, requires_grad=True), RuntimeError, ""),
    (lambda m: m.full(2, 1), TypeError, ""),
    (lambda m: m.full((2,), "a"), TypeError, ""),
    (lambda m: m.full((2,), 300, dtype=m.uint8), RuntimeError, ""),
    # like another
    (lambda m: m.zeros_like(m.ones(2, dtype=m.int8)), "[0, 0]", "int8"),
    (lambda m: m.ones_like(m.zeros(2), dtype=m.int64), "[1, 1]", "int64"),
    (lambda m: m.ones_like(m.zeros(2), requires_grad=True), "[1.0, 1.0]", "float32"),
    (lambda m: m.zeros_like(m.ones(2, requires_grad=True)), "[0.0, 0.0]", "float32"),
    (lambda m: m.full_like(m.ones(1, dtype=m.int64), 1.5), "[1]", "int64"),
    (lambda m: m.full_like(m.ones(1), True), "[1.0]", "float32"),
    (lambda m: m.zeros_like(m.ones(1, 2).T), "[[0.0], [0.0]]", "float32"),
    (lambda m: m.ones_like(m.zeros(1, 4)[:, ::2]), "[[1.0, 1.0]]", "float32"),
    (lambda m: m.zeros_like([1]), TypeError, ""),
    (lambda m: m.ones_like(m.zeros(1), dtype=m.int8, requires_grad=True), RuntimeError, ""),
    # by rule
    (lambda m: m.eye(2), "[[1.0, 0.0], [0.0, 1.0]]", "float32"),
    (lambda m: m.eye(1, 2, dtype=m.int64), "[[1, 0]]", "int64"),
    (lambda m: m.eye(0), "[]", "float32"),
    (lambda m: m.eye(-1), RuntimeError, ""),
    (lambda m: m.eye(2, -1), RuntimeError, ""),
    (lambda m: m.eye(2.0), TypeError, ""),
    (lambda m: m.arange(3), "[0, 1, 2]", "int64"),
    (lambda m: m.arange(3.0), "[0.0, 1.0, 2.0]", "float32"),
    (lambda m: m.arange(1, 3), "[1, 2]", "int64"),
    (lambda m: m.arange(1, 2, 0.5), "[1.0, 1.5]", "float32"),
    (lambda m: m.arange(5, 0, -2), "[5, 3, 1]", "int64"),
    (lambda m: m.arange(end=2), "[0, 1]", "int64"),
    (lambda m: m.arange(1, end=3), "[1, 2]", "int64"),
    (lambda m: m.arange(start=1, end=3), "[1, 2]", "int64"),
    (lambda m: m.arange(1, 6, step=2), "[1, 3, 5]", "int64"),
    (lambda m: m.arange(0), "[]", "int64"),
    (lambda m: m.arange(True), "[0]", "int64"),
    (lambda m: m.arange(m.tensor(2)), "[0, 1]", "int64"),
    (lambda m: m.arange(0.5, 3.7, dtype=m.int64), "[0, 1, 2]", "int64"),
    (lambda m: m.arange(2, dtype=m.float16), "[0.0, 1.0]", "float16"),
    (lambda m: m.arange(2, dtype=m.float64), "[0.0, 1.0]", "float64"),
    (lambda m: m.arange(2.0, requires_grad=True), "[0.0, 1.0]", "float32"),
    (lambda m: m.arange(2**62, 2**62 + 2), f"[{2**62}, {2**62 + 1}]", "int64"),
    (lambda m: m.arange(0, 5, 0.7, dtype=m.int64), ValueError, ""),
    (lambda m: m.arange(0, 1, 0), RuntimeError, ""),
    (lambda m: m.arange(5, 0), RuntimeError, ""),
    (lambda m: m.arange(-1), RuntimeError, ""),
    (lambda m: m.arange(NAN), RuntimeError, ""),
    (lambda m: m.arange(0, INF), RuntimeError, ""),
    (lambda m: m.arange(), TypeError, ""),
    (lambda m: m.arange("a"), TypeError, ""),
    (lambda m: m.arange(3, dtype=m.bool), NotImplementedError, ""),
    (lambda m: m.arange(3, requires_grad=True), RuntimeError, ""),
    (lambda m: m.linspace(0, 1, 5), "[0.0, 0.25, 0.5, 0.75, 1.0]", "float32"),
    (lambda m: m.linspace(3, 7, 1), "[3.0]", "float32"),
    (lambda m: m.linspace(0, 1, 0), "[]", "float32"),
    (lambda m: m.linspace(0, 1, steps=2), "[0.0, 1.0]", "float32"),
    (lambda m: m.linspace(m.tensor(0.0), 1, 2), "[0.0, 1.0]", "float32"),
    (lambda m: m.linspace(0, 10, 4, dtype=m.int64), "[0, 3, 6, 10]", "int64"),
    (lambda m: m.linspace(5, -5, 4, dtype=m.int64), "[5, 1, -1, -5]", "int64"),
    (lambda m: m.linspace(0, 1, -1), RuntimeError, ""),
    (lambda m: m.linspace(0, 1), TypeError, ""),
    (lambda m: m.linspace(0, 1, 2.5), TypeError, ""),
    (lambda m: m.linspace(0, 1, m.tensor(2)), "[0.0, 1.0]", "float32"),
    (lambda m: m.eye(m.tensor(1)), "[[1.0]]", "float32"),
    (lambda m: m.zeros(m.tensor(1)), "[0.0]", "float32"),
    (lambda m: m.zeros(m.tensor(1.5)), TypeError, ""),
    (lambda m: m.tril_indices(-1, 2), RuntimeError, ""),
    (lambda m: m.triu_indices(1.5, 2), TypeError, ""),
    (lambda m: m.tril_indices(2, 2), "[[0, 1, 1], [0, 0, 1]]", "int64"),
    (lambda m: m.tril_indices(2, 3, -1), "[[1], [0]]", "int64"),
    (lambda m: m.triu_indices(2, 3, 1), "[[0, 0, 1], [1, 2, 2]]", "int64"),
]
each_call = pytest.mark.parametrize("call, wanted, dtype", CALLS, ids=range(len(CALLS)))


@each_call
def test_call(call, wanted, dtype):
    found = outcome(call, mt)
    assert (found[:2] if isinstance(found, tuple) else found) == (
        (wanted, dtype) if dtype else wanted
    )


@each_call
def test_torch_does_the_same(torch, call, wanted, dtype):
    assert outcome(call, mt) == outcome(call, torch)


WORDS = [
    (lambda m: m.tensor([[1, 2], [3]]), "expected sequence of length 2 at dim 1 (got 1)"),
    (lambda m: m.tensor([[1, 2], 3]), "not a sequence"),
    (lambda m: m.tensor("a"), "new(): invalid data type 'str'"),
    (lambda m: m.tensor(None), "Could not infer dtype of NoneType"),
    (lambda m: m.tensor(2**63), "Overflow when unpacking long long"),
    (lambda m: m.tensor([300], dtype=m.uint8), "value cannot be converted to type uint8 without"),
    (lambda m: m.tensor([1], requires_grad=True),
     "Only Tensors of floating point and complex dtype can require gradients"),
    (lambda m: m.from_numpy([1]), "expected np.ndarray (got list)"),
    (lambda m: m.from_numpy(np.arange(3)[::-1]), "At least one stride in the given numpy array"),
    (lambda m: m.from_numpy(np.arange(3, dtype=">i4")), "byte order different from the native"),
    (lambda m: m.from_numpy(np.array([None])), "can't convert np.ndarray of type numpy.object_"),
    (lambda m: m.zeros(), 'zeros() missing 1 required positional arguments: "size"'),
    (lambda m: m.zeros(2.5), "zeros(): argument 'size'"),
    (lambda m: m.eye(-1), "n must be greater or equal to 0, got -1"),
    (lambda m: m.arange(0, 1, 0), "step must be nonzero"),
    (lambda m: m.arange(5, 0), "upper bound and lower bound inconsistent with step sign"),
    (lambda m: m.arange(NAN), "unsupported range: 0 -> nan"),
    (lambda m: m.linspace(0, 1, -1), "number of steps must be non-negative"),
    (lambda m: m.zeros_like([1]), "zeros_like(): argument 'input'"),
]  # fmt: skip


@pytest.mark.parametrize("call, words", WORDS)
def test_words(call, words):
    with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
        call(mt)
    assert words in str(caught.value)


@pytest.mark.parametrize("call, words", WORDS)
def test_words_are_torch_s(torch, call, words):
    with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
        call(torch)
    assert words in str(caught.value)


# -- memory ----------------------------------------------------------------------------------------


def test_tensor_copies():
    a, t = np.zeros(2), mt.zeros(2)
    of_array, of_tensor = mt.tensor(a), mt.tensor(t)
    a[0] = t.array[0] = 5
    assert of_array.tolist() == of_tensor.tolist() == [0, 0]


def test_from_numpy_shares():
    a = np.zeros((2, 2), np.float32)
    t = mt.from_numpy(a)
    a[0, 1] = 5
    t.array[1, 0] = 7
    assert t.tolist() == a.tolist() == [[0, 5], [7, 0]]
    assert mt.as_tensor(a).array is a


def test_as_tensor_keeps_a_tensor_and_its_history():
    x = mt.ones(2, requires_grad=True)
    assert mt.as_tensor(x) is x and mt.as_tensor(x, dtype=mt.float32, device="cpu") is x
    mt.as_tensor(x, dtype=mt.float64).sum().backward()
    assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize(
    "array",
    [np.zeros(2, STRANGE), np.array([1, 2], np.longlong), pickle.loads(pickle.dumps(np.ones(2))),
     np.zeros((2, 2)).view(np.matrix), np.ma.array([1.0, 2.0])],
)  # fmt: skip
def test_dtypes_are_the_engine_s_own_objects(array):
    """The engine may compare dtypes by ``is``, and it looks arrays up by their exact type."""
    for made in (mt.from_numpy(array), mt.tensor(array), mt.as_tensor(array)):
        assert made.array.dtype is np.dtype(made.array.dtype.name)
        assert type(made.array) is np.ndarray
    assert np.shares_memory(mt.from_numpy(array).array, array)


def test_read_only_arrays_warn():
    with pytest.warns(UserWarning, match="not writable"):
        mt.from_numpy(np.broadcast_to(1.0, (2,)))
    assert mt.tensor(np.broadcast_to(1.0, (2,))).add_(1).tolist() == [2, 2]


def test_every_made_tensor_is_a_leaf():
    for t in (mt.zeros(2), mt.tensor(mt.ones(2, requires_grad=True) * 2), mt.arange(2.0)):
        assert t.is_leaf and not t.requires_grad


MADE = [
    lambda **on: mt.tensor([[1, 2], [3, 4]], **on),
    lambda **on: mt.tensor(np.ones(2), **on),
    lambda **on: mt.tensor(mt.ones(2), **on),
    lambda **on: mt.as_tensor(np.ones(2), dtype=mt.float32, **on),
    lambda **on: mt.zeros(2, 3, **on),
    lambda **on: mt.ones(2, **on, requires_grad=True),
    lambda **on: mt.full((2,), 1.5, **on),
    lambda **on: mt.ones_like(mt.zeros(2), **on),
    lambda **on: mt.eye(2, 3, **on),
    lambda **on: mt.arange(5, **on),
    lambda **on: mt.arange(0, 1, 0.25, **on),
    lambda **on: mt.linspace(0, 1, 5, **on),
    lambda **on: mt.tril_indices(3, 3, **on),
]


@pytest.mark.parametrize("make", MADE)
def test_device(make, device):
    """On every device the same values, and there from the start."""
    here, there = make(), make(device=device)
    assert there.device.type == device
    assert there.tolist() == here.tolist()
    assert there.dtype is here.dtype and there.requires_grad == here.requires_grad


def test_like_stays_on_its_device(device):
    t = mt.ones(2, 3, device=device)
    for made in (mt.zeros_like(t), mt.full_like(t, 2), mt.tensor(t), mt.as_tensor(t)):
        assert made.device == t.device and made.shape == (2, 3)
    assert mt.zeros_like(t, device="cpu").device.type == "cpu"


def test_default_dtype():
    mt.set_default_dtype(mt.float64)
    try:
        for t in (mt.tensor([1.0]), mt.zeros(1), mt.eye(1), mt.arange(1.0), mt.full((1,), 1.0)):
            assert t.dtype is mt.float64
    finally:
        mt.set_default_dtype(mt.float32)


# -- any numbers, against PyTorch ------------------------------------------------------------------

leaf = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(width=32))
nested = st.recursive(leaf, lambda inner: st.lists(inner, max_size=3), max_leaves=8)


@settings(max_examples=300, deadline=None)
@given(data=nested)
def test_nested_data(torch, data):
    ours, theirs = (outcome(lambda m: m.tensor(data), module) for module in (mt, torch))
    if isinstance(theirs, tuple) and 0 in theirs[2]:  # after an empty list PyTorch stops looking
        assert ours in (theirs, TypeError, ValueError)
    elif isinstance(theirs, type):  # of two mistakes, either may be named
        assert ours in (TypeError, ValueError, RuntimeError)
    else:
        assert ours == theirs


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("data", [["1"], [None], [[1, [2]], [3, 4]], ["1", 2], b"1", [1j]])
def test_a_dtype_makes_nothing_a_number(data, dtype):
    """NumPy would read texts, and None as nan."""
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        mt.tensor(data, dtype=getattr(mt, dtype))


def test_nothing_is_dropped(torch):
    """Our one difference: where the first list is empty, PyTorch leaves the others unread."""
    assert torch.tensor([[], [1.0]]).shape == (2, 0)
    with pytest.raises(ValueError, match=r"expected sequence of length 0 at dim 1 \(got 1\)"):
        mt.tensor([[], [1.0]])


bound = st.integers(-50, 50)
part = st.one_of(bound, st.floats(-50, 50).map(lambda v: round(v, 2)))


@settings(max_examples=300, deadline=None)
@given(start=part, end=part, step=part)
def test_arange(torch, start, end, step):
    """Same length; same values but for the last digit, where PyTorch's vector code rounds twice."""
    if step != 0 and abs((end - start) / step) > 5000:
        return
    found = [outcome(lambda m: m.arange(start, end, step), m) for m in (mt, torch)]
    if isinstance(found[1], tuple):
        assert found[0][1:] == found[1][1:]
        ours, theirs = (m.arange(start, end, step).numpy() for m in (mt, torch))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=4e-6)
    else:
        assert found[0] == found[1]


@settings(max_examples=200, deadline=None)
@given(start=part, end=part, steps=st.integers(0, 70), name=st.sampled_from(["float32", "float64"]))
def test_linspace(torch, start, end, steps, name):
    """Equal, or to the last digit where the machine cannot multiply and add in one instruction."""
    ours, theirs = (
        m.linspace(start, end, steps, dtype=getattr(m, name)).numpy() for m in (mt, torch)
    )
    fused = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    if name == "float32" and fused:
        assert ours.tolist() == theirs.tolist()
    limit = 100 * np.finfo(name).eps
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=limit)
    assert steps < 2 or ours[-1] == theirs[-1]


@settings(max_examples=100, deadline=None)
@given(row=st.integers(0, 6), col=st.integers(0, 6), offset=st.integers(-7, 7))
def test_triangles(torch, row, col, offset):
    for name in ("tril_indices", "triu_indices"):
        call = lambda m: getattr(m, name)(row, col, offset)  # noqa: B023, E731
        assert outcome(call, mt) == outcome(call, torch)
