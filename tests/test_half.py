"""float16 is added up in float32, as in PyTorch: long sums are right, and no mean is lost."""

import numpy as np
import pytest

import minitensor as mt

N = 70_000  # more than float16 can count


def values(shape=(2, N)):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float16)


REDUCED = {
    "sum": lambda lib, x: x.abs().mul(0.1).sum(1),
    "mean": lambda lib, x: x.abs().mean(),
    "mean of rows": lambda lib, x: x.abs().mean(1),
    "mean of columns": lambda lib, x: x.t().abs().mean(0),
    "var": lambda lib, x: x.var(),
    "var of large values": lambda lib, x: (x[:, :9] * 60).var(1),
    "std": lambda lib, x: x.std(1, keepdim=True),
    "std, uncorrected": lambda lib, x: x.std(1, unbiased=False),
    "std of large values": lambda lib, x: (x[:, :9] * 600).std(1),
    "norm": lambda lib, x: x.norm(),
    "norm of large values": lambda lib, x: (x[:, :9] * 600).norm(dim=1),
    "norm of order 3": lambda lib, x: x.norm(3),
    "norm of order 1": lambda lib, x: x.norm(1, dim=1),
    "logsumexp": lambda lib, x: x.logsumexp(1),
    "softmax": lambda lib, x: x.softmax(1)[:, :3] * 1000,
    "log_softmax": lambda lib, x: x.log_softmax(1)[:, :3],
    "cumsum": lambda lib, x: x.abs().mul(0.01).cumsum(1)[:, -1],
    "mse_loss": lambda lib, x: lib.nn.functional.mse_loss(x, x * 0.5),
    "l1_loss": lambda lib, x: lib.nn.functional.l1_loss(x, x * 0.5),
    "huber_loss": lambda lib, x: lib.nn.functional.huber_loss(x, x * 0.5),
    "layer_norm": lambda lib, x: lib.nn.functional.layer_norm(x, (N,))[:, :3],
    "batch_norm": lambda lib, x: lib.nn.functional.batch_norm(x.t(), None, None, training=True)[:3],
    "normalize": lambda lib, x: lib.nn.functional.normalize(x, dim=1)[:, :3] * 1000,
    "cosine": lambda lib, x: lib.nn.functional.cosine_similarity(x, x * 2, 1),
    "avg_pool1d": lambda lib, x: lib.nn.functional.avg_pool1d(x.abs()[None], N),
    "cross_entropy": lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor([1, 2])),
}


@pytest.mark.parametrize("name", REDUCED)
def test_as_float64_rounded(name):
    """The same work on float64 is the measure; PyTorch's answers differ from it no less."""
    half = REDUCED[name](mt, mt.from_numpy(values()))
    exact = REDUCED[name](mt, mt.from_numpy(values().astype(np.float64)))
    assert half.dtype == mt.float16
    np.testing.assert_allclose(half.numpy(), exact.numpy(), rtol=4e-3, atol=1e-4)


@pytest.mark.parametrize("name", REDUCED)
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    mine, theirs = (
        REDUCED[name](lib, lib.from_numpy(values())).detach().numpy() for lib in (mt, torch)
    )
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(mine, theirs, rtol=4e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["var", "std", "norm", "mean"])
def test_gradients_come_back_in_float16(name):
    x = mt.from_numpy(values((5, 4))).requires_grad_()
    wide = mt.from_numpy(values((5, 4)).astype(np.float64)).requires_grad_()
    for t in (x, wide):
        getattr(t, name)().backward()
    assert x.grad.dtype == mt.float16
    np.testing.assert_allclose(x.grad.numpy(), wide.grad.numpy(), rtol=4e-3, atol=1e-3)


def test_norm_in_another_dtype():
    x = mt.from_numpy(values())
    assert x.norm(dtype=mt.float32).dtype == mt.float32


def test_a_sum_too_large_is_infinite_without_a_warning(recwarn):
    """What our own lines warn of is silenced (backend.py); what NumPy's own lines do would show."""
    assert mt.ones(N, dtype=mt.float16).sum().item() == float("inf")
    assert all("minitensor" in w.filename for w in recwarn.list)
