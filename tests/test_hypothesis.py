"""Properties that hold for any shape, stride, broadcast and index, against NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import arrays, broadcasting, indexed

import minitensor as mt
from minitensor.autograd import grad

settings.register_profile("here", deadline=None, max_examples=80, derandomize=True)
settings.load_profile("here")

BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum,
          "hypot": np.hypot, "lt": np.less}  # fmt: skip


def leaf(array):
    """A leaf on the very memory of an array: its strides are kept."""
    return mt.from_numpy(array).requires_grad_()


@given(broadcasting(), st.sampled_from(sorted(BINARY)))
def test_binary_ops_broadcast_as_numpy_does(pair, name):
    a, b = pair
    got = getattr(mt, name)(mt.from_numpy(a), mt.from_numpy(b))
    want = BINARY[name](a, b)
    assert tuple(got.shape) == want.shape
    np.testing.assert_array_equal(got.numpy(), want)


@given(broadcasting(3))
def test_broadcasting_is_undone_by_sums(triple):
    leaves = [leaf(a) for a in triple]
    out = leaves[0] * leaves[1] + leaves[2]
    seed = np.random.default_rng(0).standard_normal(out.shape)
    got = grad(out, leaves, mt.from_numpy(np.asarray(seed)), materialize_grads=True)
    a, b, c = (np.broadcast_to(x, seed.shape) for x in triple)
    for g, full, x in zip(got, (seed * b, seed * a, seed * (c * 0 + 1)), triple, strict=True):
        axes = tuple(range(full.ndim - x.ndim))
        summed = full.sum(axes)
        ones = tuple(d for d in range(x.ndim) if x.shape[d] == 1)
        np.testing.assert_allclose(g.numpy(), summed.sum(ones, keepdims=True), atol=1e-12)


@given(arrays(), st.data())
def test_reductions_over_any_dimensions(x, data):
    dims = data.draw(st.sets(st.integers(-x.ndim, x.ndim - 1)) if x.ndim else st.just(set()))
    dims = tuple({d % x.ndim for d in dims}) if x.ndim else ()
    keep = data.draw(st.booleans())
    t = leaf(x)
    got = t.sum(dims, keepdim=keep)
    axes = dims or tuple(range(x.ndim))
    want = x.sum(axes, keepdims=keep)
    assert tuple(got.shape) == np.shape(want)
    np.testing.assert_allclose(got.detach().numpy(), want, atol=1e-12)
    got.sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), np.ones(x.shape))


@given(indexed())
def test_an_index_reads_and_its_gradient_adds_up(case):
    x, index = case
    t = leaf(x)
    out = t[index]
    np.testing.assert_array_equal(out.detach().numpy(), x[index])
    seed = np.random.default_rng(1).standard_normal(np.shape(x[index]))
    want = np.zeros(x.shape)
    np.add.at(want, index, seed)
    (g,) = grad(out, t, mt.from_numpy(np.asarray(seed)))
    np.testing.assert_allclose(g.numpy(), want, atol=1e-12)


@given(indexed(), st.floats(-3, 3))
def test_an_index_writes(case, value):
    x, index = case
    t = mt.tensor(x)
    t[index] = value
    want = x.copy()
    want[index] = value
    np.testing.assert_array_equal(t.numpy(), want)


@given(arrays(min_dims=1), st.data())
def test_views_share_memory_and_gradients_find_their_way(x, data):
    order = data.draw(st.permutations(range(x.ndim)))
    t = leaf(x)
    out = t.permute(order)
    assert np.shares_memory(out.detach().numpy(), x) or x.size == 0
    flat = out.reshape(-1)
    np.testing.assert_array_equal(flat.detach().numpy(), x.transpose(order).reshape(-1))
    weights = np.arange(float(x.size))
    (flat * mt.from_numpy(weights)).sum().backward()
    want = np.empty(x.shape)
    want.transpose(order)[...] = weights.reshape([x.shape[d] for d in order])
    np.testing.assert_array_equal(t.grad.numpy(), want)


@given(arrays(min_dims=2, max_dims=3, min_side=1), st.integers(1, 3))
def test_matmul_with_any_strides(x, width):
    y = np.random.default_rng(2).standard_normal((x.shape[-1], width))
    a, b = leaf(x), leaf(y)
    out = a @ b
    np.testing.assert_allclose(out.detach().numpy(), x @ y, atol=1e-12)
    out.sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), np.ones(out.shape) @ y.T, atol=1e-12)
    rows = x.reshape(-1, x.shape[-1])
    np.testing.assert_allclose(b.grad.numpy(), rows.T @ np.ones((len(rows), width)), atol=1e-12)


@given(st.lists(arrays(shape=(2, 3)), min_size=1, max_size=3), st.integers(-2, 1))
def test_cat_and_its_gradient(parts, dim):
    leaves = [leaf(p) for p in parts]
    out = mt.cat(leaves, dim)
    np.testing.assert_array_equal(out.detach().numpy(), np.concatenate(parts, dim))
    seed = np.random.default_rng(3).standard_normal(out.shape)
    pieces = np.split(seed, len(parts), dim)
    for g, piece in zip(grad(out, leaves, mt.from_numpy(seed)), pieces, strict=True):
        np.testing.assert_array_equal(g.numpy(), piece)
