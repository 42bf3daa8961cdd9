"""A convolution lays its result out in its own way; nobody who asks can tell."""

import copy

import numpy as np
import pytest

import minitensor as mt
import minitensor.nn.functional as F


def convolved(requires_grad=False):
    """A result whose memory has the batch last."""
    rng = np.random.default_rng(0)
    x = mt.from_numpy(rng.standard_normal((4, 2, 6, 5)).astype(np.float32))
    w = mt.from_numpy(rng.standard_normal((3, 2, 3, 3)).astype(np.float32))
    out = F.relu(F.conv2d(x, w.requires_grad_(requires_grad)) + 0.1)
    assert out.shape == (4, 3, 4, 3) and not out.array.flags.c_contiguous
    return out


@pytest.mark.parametrize(
    "ask",
    [
        lambda t: t.is_contiguous(),
        lambda t: t.stride() == (36, 12, 3, 1),
        lambda t: t.view(4, -1).shape == (4, 36),
        lambda t: t.view(-1).is_contiguous(),
        lambda t: t.contiguous() is t,
        lambda t: t.numpy().flags.c_contiguous,
        lambda t: np.asarray(t).flags.c_contiguous,
        lambda t: t[0].is_contiguous(),
        lambda t: t[1:].view(3, -1).shape == (3, 36),
        lambda t: t.detach().is_contiguous(),
        lambda t: t.data.is_contiguous(),
        lambda t: t.transpose(0, 1).stride() == (12, 36, 3, 1),
        lambda t: copy.deepcopy(t).is_contiguous(),
        lambda t: t.clone().is_contiguous(),
        lambda t: (t + 1).is_contiguous(),
        lambda t: (t + t.clone()).stride() == (36, 12, 3, 1),
    ],
)
def test_it_looks_as_pytorchs(ask):
    assert ask(convolved())


@pytest.mark.parametrize(
    "share",
    [
        lambda t: t.view(-1), lambda t: t.detach().view(-1), lambda t: t.data.reshape(-1),
        lambda t: t[:], lambda t: t.transpose(0, 3), lambda t: mt.from_numpy(t.numpy()),
        lambda t: t.unsqueeze(0), lambda t: t.flatten(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("again", [True, False])
def test_what_shares_its_memory_goes_on_sharing_it(share, again):
    out = convolved()
    other = share(out)
    if again:
        out.stride(), out.view(-1), out.numpy()
    out.fill_(7.0)
    assert (other == 7).all()
    other.fill_(8.0)
    assert (out == 8).all()


@pytest.mark.parametrize("order", [(3, 0, 1, 2), (1, 2, 3, 0)])
def test_memory_of_somebody_else_is_never_laid_out_anew(order):
    """The same strides, but the array came from outside, or is a view: PyTorch refuses, we too."""
    array = np.zeros((3, 4, 3, 4), np.float32).transpose(order)
    for t in (mt.from_numpy(array), mt.zeros(3, 4, 3, 4).permute(order),
              mt.zeros(3, 4, 3, 4).permute(order).detach()):  # fmt: skip
        assert not t.is_contiguous()
        with pytest.raises(RuntimeError, match="view size is not compatible"):
            t.view(-1)
    t = mt.from_numpy(array)
    t.stride(), t.numpy()
    t.fill_(3.0)
    assert (array == 3).all()


def test_backward_through_a_view_of_it():
    """The gradient is the same, whether somebody looked before or not."""
    grads = []
    for look in (False, True):
        rng = np.random.default_rng(1)
        x, w = (mt.from_numpy(rng.standard_normal(s)) for s in ((4, 2, 6, 5), (3, 2, 3, 3)))
        w.requires_grad_()
        h = F.conv2d(x, w)
        if look:
            h.view(-1)
        y = h.exp()
        if look:
            y.stride()
        (y.view(4, -1) * h.reshape(4, -1)).sum().backward()
        grads.append(w.grad.numpy())
    np.testing.assert_array_equal(*grads)


def test_a_write_through_a_view_of_it_changes_no_gradient_but_its_own():
    """exp saved its result; a later write to a view of it does not reach what it saved.

    (PyTorch refuses this backward. Here the view made the result move, and the saved one stayed.)
    """
    x = mt.from_numpy(np.random.default_rng(2).standard_normal((4, 1, 4, 4)))
    w = mt.ones(1, 1, 3, 3, dtype=mt.float64, requires_grad=True)
    y = F.conv2d(x, w).exp()
    wanted = mt.autograd.grad(y.reshape(-1)[1:].sum(), w, retain_graph=True)[0]
    y.view(-1)[0] = 0.0
    y.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), wanted.numpy(), rtol=1e-12)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
def test_pooling_and_unbatched_images(pool):
    t = convolved()
    assert pool(t, 2).is_contiguous()
    assert pool(t, 2).view(4, -1).shape == (4, 6)
    for a, b in zip(pool(t, 2), t, strict=True):
        np.testing.assert_array_equal(a.numpy(), pool(b, 2).numpy())
