"""Losses of nn.functional against PyTorch: values, gradients, extreme scores, refusals."""

import numpy as np
import pytest
from test_nn_functional import (
    N,
    S,
    U,
    check,
    cut,
    ints,
    numeric,
    other_device,
    same_on,
    signs,
    torch,
    with_options,
)  # fmt: skip

__all__ = ["other_device", "torch"]  # fixtures

REDUCTIONS = [{}, {"reduction": "sum"}, {"reduction": "none"}, {"size_average": False},
              {"reduce": False}]  # fmt: skip
PAIRS = [S(N(3, 4), N(3, 4)), S(N(), N()), S(np.zeros((0, 2)), np.zeros((0, 2))),
         S(cut(2, 3), N(2, 3)), S(N(3, 1), N(1, 4)), S(N(2, 3), 0 * N(2, 3))]  # fmt: skip


def simplex(*shape, dim=1):
    weights = np.exp(N(*shape))
    return weights / weights.sum(axis=dim, keepdims=True)


CLASSES = [
    S(N(4, 3), ints(3, 4)), S(N(3), np.asarray(1)), S(cut(2, 4, 3), ints(4, 2, 3)),
    S(N(2, 3, 2, 2), ints(3, 2, 2, 2)), S(N(4, 3), np.asarray([0, -100, 2, -100])),
    S(N(2, 3), np.asarray([-100, -100])), S(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)),
    S(N(3), np.asarray(-100)), S(N(5, 1), ints(1, 5)),
]  # fmt: skip
BY_CLASS = [*REDUCTIONS[:3], {"ignore_index": 1}, {"ignore_index": 1, "reduction": "sum"}]


def weighted(samples, names=("weight",)):
    """The samples with weights for each class."""
    size = lambda x: x.shape[1] if x.ndim > 1 else x.shape[0]  # noqa: E731
    return [(a, {**k, **{n: U(size(a[0])) for n in names}}) for a, k in samples]


SMOOTH = [{"label_smoothing": 0.1}, {"label_smoothing": 1.0, "reduction": "sum"},
          {"label_smoothing": 0.3, "ignore_index": 2}]  # fmt: skip
SHARES = [S(N(4, 3), simplex(4, 3)), S(N(3), simplex(3, dim=0)), S(N(2, 3, 2), simplex(2, 3, 2)),
          S(cut(2, 3, 2, 2), N(2, 3, 2, 2))]  # fmt: skip

WEIGHED = [S(N(2, 3), N(2, 3), weight=U(2, 3), reduction=r) for r in ("mean", "sum", "none")]
BINARY = [S(U(3, 4), U(3, 4)), S(U(), U()), S(U(3), np.asarray([0.0, 1.0, 1.0])), S(U(0), U(0))]
LOGITS = [S(N(3, 4), U(3, 4)), S(N(), U()), S(30 * N(5), np.asarray([0.0, 1.0, 1.0, 0.0, 1.0]))]

LOSSES = {
    "mse_loss": with_options(PAIRS, *REDUCTIONS)
    + WEIGHED,
    "l1_loss": with_options(PAIRS, *REDUCTIONS)
    + WEIGHED,
    "smooth_l1_loss": with_options(PAIRS, *REDUCTIONS, {"beta": 0.3}, {"beta": 0}, {"beta": 2.5}),
    "huber_loss": with_options(PAIRS, *REDUCTIONS[:3], {"delta": 0.3}, {"delta": 2.5})
    + WEIGHED,
    "nll_loss": with_options(CLASSES, *BY_CLASS) + weighted(with_options(CLASSES, *BY_CLASS)),
    "cross_entropy": with_options(CLASSES, *BY_CLASS, *SMOOTH)
    + weighted(with_options(CLASSES[1:5], *BY_CLASS[:4], *SMOOTH))
    + with_options(SHARES, *REDUCTIONS[:3], *SMOOTH[:2])
    + weighted(with_options(SHARES[1:], REDUCTIONS[0], *SMOOTH[:2])),
    "binary_cross_entropy": [
        *with_options(BINARY, *REDUCTIONS), S(U(2, 3), U(2, 3), weight=U(3)),
        S(U(2, 3), U(2, 3), weight=U(2, 1), reduction="sum"),
    ],
    "binary_cross_entropy_with_logits": [
        *with_options(LOGITS, *REDUCTIONS), S(N(2, 3), U(2, 3), weight=U(3), pos_weight=U(3)),
        S(N(0, 3), U(0, 3), reduction="sum"),
    ],
    "kl_div": with_options(
        [S(N(3, 4), simplex(3, 4)), S(N(4), simplex(4, dim=0)), S(N(), U())],
        *REDUCTIONS, {"reduction": "batchmean"},
    )
    + with_options(
        [S(N(3, 4), N(3, 4)), S(cut(2, 3), N(2, 3))],
        *[{"log_target": True, "reduction": r} for r in ("mean", "sum", "none", "batchmean")],
    ),
    "hinge_embedding_loss": with_options(
        [S(N(3, 4), target=signs(3, 4)), S(N(3), target=np.asarray([1.0, -1.0, 0.5]))],
        *REDUCTIONS, {"margin": 0.3},
    ),
    "margin_ranking_loss": with_options(
        [S(N(5), N(5), target=signs(5)), S(N(3, 1), N(1, 4), target=signs(3, 4))],
        *REDUCTIONS, {"margin": 0.5},
    ),
    "triplet_margin_loss": with_options(
        [S(N(4, 3), N(4, 3), N(4, 3)), S(N(3), N(3), N(3)), S(cut(2, 3), N(1, 3), N(2, 3))],
        *REDUCTIONS, {"margin": 2.5}, {"p": 3}, {"swap": True, "eps": 0.1},
    ),
    "cosine_embedding_loss": with_options(
        [S(N(4, 3), N(4, 3), target=signs(4)), S(N(3), N(3), target=np.asarray(-1.0))],
        *REDUCTIONS, {"margin": 0.4},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_as_pytorch(torch, name):
    check(torch, name, LOSSES[name])


@pytest.mark.parametrize("name", LOSSES)
def test_same_on_every_device(name, other_device):
    same_on(other_device, name, LOSSES[name])


@pytest.mark.parametrize("name", LOSSES)
def test_derivatives_are_the_numeric_ones(name):
    numeric(name, LOSSES[name])
