"""Rows that are added at repeated indices: the quick way gives what adding one by one gives."""

import numpy as np
import pytest

import minitensor as mt
from minitensor import backend


@pytest.mark.parametrize("shape", [(7, 200), (7, 20, 10), (1, 2000), (3000, 1)])
@pytest.mark.parametrize("index_shape", [(50,), (5, 10), (1,), (2, 3, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
def test_rows(shape, index_shape, dtype):
    rng = np.random.default_rng(0)
    rows = rng.integers(-shape[0], shape[0], index_shape)
    values = rng.integers(-9, 9, (*index_shape, *shape[1:])).astype(dtype)
    found, wanted = np.ones(shape, dtype), np.ones(shape, dtype)
    backend.scatter_add(found, (rows,), values)
    for at in np.ndindex(index_shape):
        wanted[rows[at]] += values[at]
    np.testing.assert_array_equal(found, wanted)


def test_an_index_outside_is_refused():
    with pytest.raises(IndexError):
        backend.scatter_add(np.zeros((3, 2000), np.float32), (np.array([3]),), np.ones((1, 2000)))


def test_the_gradient_of_an_embedding():
    weight = mt.randn(5, 600, generator=mt.Generator().manual_seed(0), requires_grad=True)
    index = mt.tensor([[0, 2, 2], [4, 2, 0]])
    mt.nn.functional.embedding(index, weight).sum().backward()
    assert weight.grad[:, 0].tolist() == [2.0, 0.0, 3.0, 0.0, 1.0]
