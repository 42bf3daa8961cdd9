"""Indexing against PyTorch: pairs and triples of every kind of index, read and written."""

import itertools
import warnings

import numpy as np
import pytest

import minitensor as mt

PARTS = {
    "0": lambda lib: 0,
    "-1": lambda lib: -1,
    "5": lambda lib: 5,
    ":": lambda lib: slice(None),
    "1:": lambda lib: slice(1, None),
    "::2": lambda lib: slice(None, None, 2),
    "2:1": lambda lib: slice(2, 1),
    "None": lambda lib: None,
    "...": lambda lib: Ellipsis,
    "True": lambda lib: True,
    "list": lambda lib: [0, 0, 1],
    "rows": lambda lib: lib.tensor([1, 0]),
    "grid": lambda lib: lib.tensor([[0, 1], [1, 0]]),
    "0-d": lambda lib: lib.tensor(1),
    "mask of 2": lambda lib: lib.tensor([True, False]),
    "mask of 3": lambda lib: lib.tensor([False, True, True]),
    "none of them": lambda lib: [],
    "float": lambda lib: 1.0,
}
SHAPES = [(), (2,), (3,), (2, 3), (2, 3, 2)]
VALUES = [(), (1,), (1, 1, 2)]  # shapes of what is written; leading ones are allowed


def read(lib, parts, x):
    return x[tuple(PARTS[p](lib) for p in parts)]


def write(lib, parts, x, value):
    changed = x * 1
    changed[tuple(PARTS[p](lib) for p in parts)] = value
    return changed


def outcome(lib, work, parts, *shapes):
    """The value and the gradients of its square sum, or the kind of error."""
    rng = np.random.default_rng(1)
    arrays = [np.asarray(rng.standard_normal(shape)) for shape in shapes]
    inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = work(lib, parts, *inputs)
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        return type(error)
    return [out, *lib.autograd.grad((out * out).sum(), inputs, allow_unused=True)]


def compare(work, parts, *shapes):
    torch = pytest.importorskip("torch")
    want, got = (outcome(lib, work, parts, *shapes) for lib in (torch, mt))
    if isinstance(want, type) or isinstance(got, type):
        assert got == want, (parts, shapes)
        return
    for g, w in zip(got, want, strict=True):
        if w is None or g is None:  # nothing was written: PyTorch says None or zeros
            assert not np.any((w if g is None else g).detach().numpy())
            continue
        assert tuple(g.shape) == tuple(w.shape), (parts, shapes)
        np.testing.assert_allclose(g.detach().numpy(), w.detach().numpy(), atol=1e-12)


def combinations(count):
    """All of them, but for what PyTorch alone allows: several ellipses."""
    chosen = PARTS if count < 3 else ["0", "1:", "None", "...", "rows", "grid", "mask of 2"]
    return [p for p in itertools.product(chosen, repeat=count) if p.count("...") < 2]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("count", [1, 2])
def test_reading(shape, count):
    for parts in combinations(count):
        compare(read, parts, shape)


def test_reading_by_three():
    for parts in combinations(3):
        compare(read, parts, (2, 3, 2))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("count", [1, 2])
def test_writing(shape, count):
    for parts in combinations(count):
        compare(write, parts, shape, ())


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_writing_by_three_and_values_with_leading_ones(value):
    for parts in combinations(3)[::2]:
        compare(write, parts, (2, 3, 2), value)


def test_an_int_comes_before_the_arrays_beside_it():
    x = mt.arange(12).reshape(2, 3, 2)
    assert x[0, :, mt.tensor([0, 1])].shape == (3, 2)  # NumPy gives (2, 3) here
    x[1, :, mt.tensor([1])] = -1
    assert x[1].tolist() == [[6, -1], [8, -1], [10, -1]]


def test_a_bool_is_a_mask_and_writes():
    x = mt.zeros(2)
    x[True] = 5
    x[False] = 7
    assert x.tolist() == [5, 5] and x[True].shape == (1, 2) and x[False].shape == (0, 2)


def test_a_written_0d_tensor_forgets_its_old_value(device):
    x = mt.tensor(3.0, requires_grad=True, device=device)
    for index in (..., None, True):
        y, v = x * 1, mt.tensor(2.0, requires_grad=True, device=device)
        y[index] = v
        (y * y).backward()
        assert x.grad.item() == 0 and v.grad.item() == 4


def test_uint8_is_a_mask_with_a_warning():
    x = mt.tensor([1.0, 2.0, 3.0])
    with pytest.warns(UserWarning, match="use bool instead"):
        assert x[mt.tensor([1, 0, 1], dtype=mt.uint8)].tolist() == [1, 3]


def test_a_condition_is_bool():
    with pytest.raises(RuntimeError, match="where expected condition to be a boolean tensor"):
        mt.where(mt.tensor([1, 0]), mt.ones(2), mt.ones(2))
