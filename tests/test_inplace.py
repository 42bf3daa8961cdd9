"""In-place changes: what is refused, and gradients that stay right through views of one buffer."""

import numpy as np
import pytest

import minitensor as mt

pytestmark = pytest.mark.usefixtures("default_device")


def leaf(values):
    return mt.tensor(values, requires_grad=True)


def test_leaves_that_require_a_gradient_are_protected():
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        x[0].mul_(2)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        x[0] = 5
    with mt.no_grad():
        x -= 0.5
    assert x.tolist() == [0.5, 1.5] and x.requires_grad and x.is_leaf


def test_a_view_made_in_no_grad_is_not_changed_in_grad_mode():
    y = leaf([1.0, 2.0]) * 1
    with mt.no_grad():
        view = y[:1]
    with pytest.raises(RuntimeError, match="created in no_grad mode"):
        view.mul_(2)


def test_a_saved_value_that_changed_is_noticed_and_named():
    x = leaf([1.0, 2.0])
    y = x.exp()
    y += 1
    with pytest.raises(
        RuntimeError, match=r"\[float32 \[2\]\].*ExpBackward0.*is at version 1; expected"
    ):
        y.sum().backward()
    z = x * 2
    z += 1  # the product saved nothing of z
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_a_view_shares_the_version_of_its_base():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    squares = y * y
    y[0] = 7.0
    assert y._version == 1 and y[1:]._version == 1
    with pytest.raises(RuntimeError, match="MulBackward0 saved as its input"):
        squares.sum().backward()


def test_an_optimiser_step_between_forward_and_backward_is_noticed():
    w, x = leaf([2.0]), leaf([3.0])
    out = (w * x).sum()
    with mt.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match="__isub__"):
        out.backward()


def test_a_gradient_flows_through_a_changed_view_its_base_and_its_siblings():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    one, sibling = y[1], y[:2]
    one.mul_(10)
    (y * y).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [2, 400, 6]
    x.grad = None
    (sibling * sibling).sum().backward()
    assert x.grad.tolist() == [2, 400, 0]


def test_assignment_by_slice_array_and_mask():
    x, v = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    y = x * 1
    y[1:] = v * 2
    y.sum().backward()
    assert y.tolist() == [1, 10, 10] and x.grad.tolist() == [1, 0, 0] and v.grad.item() == 4
    x.grad = v.grad = None
    y = x * 1
    y[[0, 2]] = v
    y[y > 4.5] = 0.0
    y.sum().backward()
    assert y.tolist() == [0, 2, 0] and x.grad.tolist() == [0, 1, 0] and v.grad.item() == 0


def test_in_place_forms_keep_their_own_old_values_for_the_gradient():
    x, a = leaf([1.0, 2.0, 3.0]), leaf([2.0, 3.0, 4.0])
    y = x * 1
    y.mul_(a)
    y.tanh_()
    y.sum().backward()
    product = np.array([2.0, 6.0, 12.0])
    slope = 1 - np.tanh(product) ** 2
    np.testing.assert_allclose(x.grad.cpu().numpy(), slope * [2, 3, 4], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(a.grad.cpu().numpy(), slope * [1, 2, 3], rtol=1e-4, atol=1e-7)


def test_shape_and_dtype_must_fit():
    with pytest.raises(
        RuntimeError, match=r"output with shape \[1\] doesn't match the broadcast shape"
    ):
        mt.ones(1).add_(mt.ones(3))
    with pytest.raises(
        RuntimeError, match="float32 can't be cast to the desired output type int64"
    ):
        mt.tensor([1, 2]).add_(0.5)
    t = mt.ones(2)
    t += mt.tensor([1, 2], dtype=mt.float64)  # the dtype stays
    assert t.dtype == mt.float32 and t.tolist() == [2, 3]


def test_shared_memory_with_numpy():
    a = np.zeros(3, np.float32)
    t = mt.from_numpy(a)
    a[0] = 7
    t[1] = 8
    assert t.tolist() == [7, 8, 0] and a.tolist() == [7, 8, 0]
    t.cpu().numpy()[2] = 9
    assert t.view(3, 1)[2, 0].item() == 9
    assert mt.tensor(a)[0].item() == 7
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        mt.ones(1, requires_grad=True).cpu().numpy()


def test_fills_and_copies():
    t = mt.ones(2, 3)
    t.zero_()
    assert t.sum().item() == 0
    t.fill_(2)
    t[0].copy_(mt.tensor([1, 2, 3]))
    assert t.tolist() == [[1, 2, 3], [2, 2, 2]]
    with pytest.raises(RuntimeError, match="expanded size"):
        t.copy_(mt.ones(4))


# -- random programs, held against PyTorch ---------------------------------------------------------


def program(lib, seed):
    """A few random steps on three tensors, with views and in-place changes; values, gradients."""
    rng = np.random.default_rng(seed)
    leaves = [lib.tensor(rng.standard_normal((3, 4)), requires_grad=True) for _ in range(2)]
    pool = [t * 1.5 for t in leaves]
    for _ in range(8):
        i, j, k, n = (int(rng.integers(top)) for top in (len(pool), 2, 8, 3))
        t, other = pool[i], leaves[j]
        other = other[: t.shape[0]] if t.ndim == 2 else other[0]
        fits = other.shape == t.shape
        if k == 0 and t.ndim == 2 and t.shape[0] > n:
            pool.append(t[n])
        elif k == 1 and t.ndim == 2:
            pool.append(t[:, 1:3])
        elif k == 2:
            t.mul_(1.0 + n)
        elif k == 3 and fits:
            t += other
        elif k == 4 and t.ndim == 2:
            t[0] = 2.0 * n
        elif k == 5:
            t.tanh_()
        elif k == 6 and fits:
            pool.append(t * other)
        else:
            pool.append(t.sin())
    loss = sum((t * t).sum() for t in pool)
    loss.backward()
    return [loss.item(), *(t.grad.cpu().numpy() for t in leaves)]


@pytest.mark.parametrize("seed", range(150))
def test_random_programs_give_pytorchs_gradients(seed):
    torch = pytest.importorskip("torch")
    try:
        wanted = program(torch, seed)
    except RuntimeError as error:  # what PyTorch refuses is refused here too, in the same words
        with pytest.raises(RuntimeError, match=str(error).split(":")[0].split(".")[0][:40]):
            program(mt, seed)
        return
    for got, want in zip(program(mt, seed), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_memory_that_several_elements_share_is_not_written_to():
    x = mt.ones(1, 3).expand(2, 3)
    for change in (lambda: x.add_(1), lambda: x.copy_(mt.ones(3)), lambda: x.uniform_()):
        with pytest.raises(RuntimeError, match=r"single memory location. Please clone\(\)"):
            change()
    assert x.clone().add_(1).tolist() == [[2, 2, 2]] * 2
    base = mt.zeros(2, 1)
    base.expand(2, 3).fill_(7)  # one value for all does no harm
    assert base.tolist() == [[7], [7]]
    base.expand(2, 3)[1] = 5
    base.expand(2, 3)[:, 0].mul_(2)  # one column shares nothing with itself
    assert base.tolist() == [[14], [10]]


def test_a_result_filled_with_constants_stays_in_the_graph():
    """As in PyTorch, its gradient to what was there before is zero."""
    changes = [
        lambda y: y.zero_(), lambda y: y.fill_(3), lambda y: y.copy_(mt.ones(3)),
        lambda y: y.__setitem__(slice(None), 2.0), lambda y: y.uniform_(), lambda y: y.normal_(),
    ]  # fmt: skip
    for change in changes:
        x = mt.ones(3, requires_grad=True)
        y = x * 2
        change(y)
        assert y.requires_grad and y.grad_fn is not None
        (y * y).sum().backward()
        assert x.grad.tolist() == [0, 0, 0]
    x = mt.ones(3, requires_grad=True)
    y = x * 2
    y[1:].fill_(3)
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 0]


def test_read_only_memory_is_refused_in_our_words():
    array = np.ones(2)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        x = mt.from_numpy(array)
    with pytest.raises(RuntimeError, match="memory is read-only"):
        x.add_(1)
