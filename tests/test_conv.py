"""Convolution and pooling against PyTorch: values, gradients, second gradients, refusals."""

import itertools

import numpy as np
import pytest

import minitensor as mt

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape)


CONV2D = [
    {"stride": s, "padding": p, "dilation": d, "groups": g}
    for s, p, d, g in itertools.product((1, (2, 1)), (0, (1, 2)), (1, 2), (1, 2))
]
CASES = [
    *[("conv2d", (draw(2, 4, 7, 6), draw(6, 4 // c["groups"], 3, 2), draw(6)), c) for c in CONV2D],
    ("conv2d", (draw(3, 5, 5), draw(2, 3, 2, 2)), {}),
    ("conv2d", (draw(1, 2, 5, 5), draw(3, 2, 3, 3)), {"padding": "same"}),
    ("conv1d", (draw(2, 3, 8), draw(4, 3, 3), draw(4)), {"stride": 2, "padding": 1}),
    (
        "conv_transpose2d",
        (draw(2, 4, 3, 4), draw(4, 3, 3, 2), draw(3)),
        {"stride": 2, "padding": 1},
    ),
    (
        "conv_transpose2d",
        (draw(2, 4, 3, 3), draw(4, 2, 2, 2)),
        {"stride": 2, "groups": 2, "output_padding": 1},
    ),
    ("max_pool1d", (draw(2, 3, 9),), {"kernel_size": 2}),
    ("max_pool2d", (draw(2, 3, 7, 8),), {"kernel_size": (2, 3), "stride": 2}),
    ("max_pool2d", (draw(2, 3, 6, 6) - 3,), {"kernel_size": 3, "stride": 1, "padding": 1}),
    ("avg_pool1d", (draw(2, 3, 9),), {"kernel_size": 2}),
    ("avg_pool2d", (draw(2, 3, 7, 8),), {"kernel_size": 2, "padding": 1}),
    ("avg_pool2d", (draw(3, 6, 6),), {"kernel_size": 3, "stride": 2}),
]


def answers(lib, function, arrays, options):
    """Value, gradients, and gradients of the gradients' square sum."""
    inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
    out = function(*inputs, **options)
    first = lib.autograd.grad((out * out).sum(), inputs, create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), inputs)
    return [t.detach().numpy() for t in (out, *first, *second)]


@pytest.mark.parametrize(("name", "arrays", "options"), CASES)
def test_against_pytorch(name, arrays, options):
    torch = pytest.importorskip("torch")
    wanted = answers(torch, getattr(torch.nn.functional, name), arrays, options)
    for got, want in zip(answers(mt, getattr(mt, name), arrays, options), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_the_first_of_equal_maxima_takes_the_gradient(device):
    x = mt.ones(1, 1, 2, 2, requires_grad=True, device=device)
    mt.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1, 0], [0, 0]]]]


def test_a_convolution_by_hand(device):
    x = mt.arange(9.0, device=device).reshape(1, 1, 3, 3)
    kernel = mt.tensor([[[[1.0, 0.0], [0.0, -1.0]]]], device=device)
    assert mt.conv2d(x, kernel).tolist() == [[[[-4, -4], [-4, -4]]]]


def test_refusals():
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 2 channels"):
        mt.conv2d(mt.ones(1, 2, 5, 5), mt.ones(4, 3, 2, 2))
    with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input"):
        mt.conv2d(mt.ones(5, 5), mt.ones(4, 3, 2, 2))
    with pytest.raises(RuntimeError, match="can't be greater than actual input size"):
        mt.conv2d(mt.ones(1, 3, 2, 2), mt.ones(4, 3, 3, 3))
    with pytest.raises(RuntimeError, match="expected stride to be a single integer or 2"):
        mt.conv2d(mt.ones(1, 3, 4, 4), mt.ones(4, 3, 3, 3), stride=(1, 1, 1))
