"""Convolution and pooling against PyTorch: values, gradients, second gradients, refusals."""

import numpy as np
import pytest
from conftest import GPU, has_gpu
from test_functions import agree, cut, outcome

import minitensor as mt
from minitensor import functions_conv

RNG = np.random.default_rng(0)

INPUTS = {
    "signal": RNG.uniform(-2, 2, (4, 7)),
    "signals": RNG.uniform(-2, 2, (2, 4, 7)),
    "images": RNG.uniform(-2, 2, (2, 4, 7, 6)),
    "scattered": cut(2, 4, 6, 5),
    "float32": RNG.uniform(-2, 2, (1, 4, 5, 5)).astype(np.float32),
    "int64": RNG.integers(0, 5, (1, 4, 5, 5)),
    "none": np.zeros((0, 4, 5, 5)),
    "tiny": RNG.uniform(-2, 2, (1, 4, 1, 1)),
    "vector": RNG.uniform(-2, 2, 4),
}

CALLS = {  # w(...) draws weights
    "conv2d": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2)),
    "conv2d bias": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 3), w(6), padding=1, stride=2),
    "conv2d same": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2), padding="same"),
    "conv2d same4": lambda F, x, w: F.conv2d(x, w(6, 4, 4, 2), padding="same", dilation=(1, 2)),
    "conv2d same stride": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 3), padding="same", stride=2),
    "conv2d valid": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2), padding="valid"),
    "conv2d nonsense": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2), padding="full"),
    "conv2d groups": lambda F, x, w: F.conv2d(x, w(6, 2, 3, 2), groups=2),
    "conv2d groups bad": lambda F, x, w: F.conv2d(x, w(5, 2, 3, 2), groups=2),
    "conv2d groups 0": lambda F, x, w: F.conv2d(x, w(5, 2, 3, 2), groups=0),
    "conv2d stride 0": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2), stride=0),
    "conv2d neg pad": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2), padding=-1),
    "conv2d dil 0": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2), dilation=0),
    "conv2d bias bad": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2), w(5)),
    "conv2d dtype": lambda F, x, w: F.conv2d(x, w(6, 4, 3, 2).float()),
    "conv2d w3": lambda F, x, w: F.conv2d(x, w(6, 4, 3)),
    "conv1d": lambda F, x, w: F.conv1d(x, w(6, 4, 3), padding=2, dilation=2),
    "conv1d same": lambda F, x, w: F.conv1d(x, w(6, 4, 4), padding="same"),
    "convT": lambda F, x, w: F.conv_transpose2d(
        x, w(4, 3, 3, 2), w(3), stride=2, padding=1, output_padding=1
    ),
    "convT bad op": lambda F, x, w: F.conv_transpose2d(
        x, w(4, 3, 3, 2), stride=1, output_padding=1
    ),
    "convT groups": lambda F, x, w: F.conv_transpose2d(x, w(4, 3, 3, 2), groups=2, dilation=2),
    "convT channels": lambda F, x, w: F.conv_transpose2d(x, w(3, 3, 3, 2)),
    "max1": lambda F, x, w: F.max_pool1d(x, 2),
    "max1 ceil": lambda F, x, w: F.max_pool1d(x, 2, ceil_mode=True),
    "max2": lambda F, x, w: F.max_pool2d(x, 2),
    "max2 ceil": lambda F, x, w: F.max_pool2d(x, (3, 2), 2, 1, ceil_mode=True),
    "max2 dil": lambda F, x, w: F.max_pool2d(x, 2, 1, dilation=2),
    "max2 idx": lambda F, x, w: F.max_pool2d(x, (3, 2), 2, (1, 0), return_indices=True),
    "max2 idxdil": lambda F, x, w: F.max_pool2d(
        x, 2, 2, 1, dilation=(2, 1), return_indices=True, ceil_mode=True
    ),
    "max2 pad": lambda F, x, w: F.max_pool2d(x, 2, 1, 2),
    "max2 big": lambda F, x, w: F.max_pool2d(x, 9),
    "max2 0": lambda F, x, w: F.max_pool2d(x, 0),
    "avg1": lambda F, x, w: F.avg_pool1d(x, 3, 2, 1),
    "avg1 ceil": lambda F, x, w: F.avg_pool1d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
    "avg2": lambda F, x, w: F.avg_pool2d(x, 2),
    "avg2 pad": lambda F, x, w: F.avg_pool2d(x, 3, 2, 1),
    "avg2 ceil": lambda F, x, w: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
    "avg2 ceil nopad": lambda F, x, w: F.avg_pool2d(
        x, (3, 2), 2, (1, 0), ceil_mode=True, count_include_pad=False
    ),
    "avg2 div": lambda F, x, w: F.avg_pool2d(x, 2, divisor_override=3),
    "avg2 div0": lambda F, x, w: F.avg_pool2d(x, 2, divisor_override=0),
    "avg2 padbig": lambda F, x, w: F.avg_pool2d(x, 2, padding=2),
    "adapt": lambda F, x, w: F.adaptive_avg_pool2d(x, (2, 3)),
    "adapt1": lambda F, x, w: F.adaptive_avg_pool2d(x, 1),
    "adaptNone": lambda F, x, w: F.adaptive_avg_pool2d(x, (None, 2)),
    "adaptbig": lambda F, x, w: F.adaptive_avg_pool2d(x, 9),
    "unfold": lambda F, x, w: F.unfold(x, (2, 3), padding=1, stride=2),
    "unfold dil": lambda F, x, w: F.unfold(x, 2, dilation=2),
    "fold": lambda F, x, w: F.fold(F.unfold(x, 2), x.shape[-2:], 2),
    "fold bad": lambda F, x, w: F.fold(F.unfold(x, 2), (3, 3), 2),
}

# PyTorch gives these images of too few dimensions an error by accident (an index out of range, or
# a ValueError), and asks nothing of an empty batch. Here both are a RuntimeError, as for conv2d.
FEW = ("avg2", "adapt", "unfold", "fold")
DIFFERENT = {
    ("conv2d dil 0", "none"), ("conv2d dtype", "none"), ("convT bad op", "none"),
    ("max2 idxdil", "tiny"),  # PyTorch's own second gradient fails there
}  # fmt: skip


def answer(lib, functional, name, data, device="cpu"):
    def call(lib, x):
        x = x.to(device)

        def draw(*shape):
            values = np.random.default_rng(1).uniform(-1, 1, shape)
            return lib.from_numpy(values).to(x.dtype).to(device)

        return CALLS[name](functional, x, draw)

    return outcome(lib, call, data)


@pytest.mark.parametrize("name", CALLS)
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    for kind, data in INPUTS.items():
        if (name, kind) in DIFFERENT:
            continue
        want = answer(torch, torch.nn.functional, name, data)
        if want is NotImplementedError and data.dtype.kind != "f":
            continue  # PyTorch has no kernel for this dtype; minitensor may compute it
        got = answer(mt, functions_conv, name, data)
        if name.startswith(FEW) and kind in ("signal", "vector"):
            assert got is RuntimeError
            continue
        agree(got, want, kind)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("other", ["standin", GPU])
def test_same_on_every_device(name, other):
    if other == "cuda" and not has_gpu():
        pytest.skip("no GPU: CuPy is not installed, or finds none")
    for kind in ("signals", "images", "int64"):
        want, got = (answer(mt, functions_conv, name, INPUTS[kind], d) for d in ("cpu", other))
        agree(got, want, kind)


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
