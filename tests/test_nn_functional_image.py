"""Images and pools of nn.functional against PyTorch."""

import math

import numpy as np
import pytest
from test_nn_functional import (
    N,
    S,
    check,
    cut,
    numeric,
    other_device,
    same_on,
    torch,
    with_options,
)  # fmt: skip

__all__ = ["other_device", "torch"]  # fixtures

SIGNAL = [S(N(2, 3, 5)), S(cut(1, 2, 4)), S(N(1, 2, 4))]
IMAGE = [S(N(2, 3, 5, 4)), S(cut(1, 2, 3, 6)), S(N(1, 1, 3, 4))]
ANY_SIZE = [{"size": 7}, {"size": 2}, {"scale_factor": 2}, {"scale_factor": 1.7}, {"size": 1},
            {"scale_factor": 0.6}, {"scale_factor": 1.3, "recompute_scale_factor": True},
            ]  # fmt: skip
PAIRS = [{"size": (2, 9)}, {"scale_factor": (0.5, 3)}]


def modes(*names, corners=False):
    both = [{"align_corners": c} for c in (None, False, True)] if corners else [{}]
    return [{"mode": name, **more} for name in names for more in both]


def crossed(first, second):
    return [{**a, **b} for a in first for b in second]


SAMPLES = {
    "interpolate": with_options(
        SIGNAL,
        *crossed(ANY_SIZE, modes("nearest", "nearest-exact", "area")),
        *crossed(ANY_SIZE, modes("linear", corners=True)),
        {"size": 3, "mode": "bilinear"}, {"size": (3,)}, {"size": (3, 2)},
    ) + with_options(
        IMAGE,
        *crossed(ANY_SIZE + PAIRS, modes("nearest", "nearest-exact", "area")),
        *crossed(ANY_SIZE + PAIRS, modes("bilinear", "bicubic", corners=True)),
        {}, {"size": 3, "scale_factor": 2}, {"size": 0}, {"size": 3, "align_corners": True},
        {"size": 3, "mode": "linear"}, {"size": 3, "recompute_scale_factor": True},
        {"size": 3, "mode": "lanczos7"},
    ),
    "pixel_shuffle": [S(N(2, 8, 2, 3), 2), S(N(9, 1, 2), 3), S(cut(2, 4, 3, 2), 2), S(N(4, 2), 2),
                      S(N(1, 2, 4, 2, 2), 2), S(N(2, 3, 2, 2), 2), S(N(2, 4, 2, 2), 0)],
    "pixel_unshuffle": [S(N(2, 2, 4, 6), 2), S(N(1, 3, 6), 3), S(cut(2, 1, 4, 2), 2),
                        S(N(2, 1, 3, 4), 2), S(N(4, 4), 2)],
    "adaptive_avg_pool1d": [S(N(2, 3, 7), 3), S(N(3, 5), 2), S(cut(1, 2, 3), 5), S(N(2, 3, 4), [2]),
                            S(N(3), 2)],
    "adaptive_avg_pool2d": [S(N(2, 3, 7, 5), 3), S(N(3, 5, 4), (2, None)), S(cut(1, 2, 3, 4), 5)],
    "adaptive_max_pool1d": with_options(
        [S(N(2, 3, 7), 3), S(N(3, 5), 2), S(cut(1, 2, 3), 5), S(N(3), 2)],
        {}, {"return_indices": True},
    ),
    "adaptive_max_pool2d": with_options(
        [S(N(2, 3, 7, 5), 3), S(N(3, 5, 4), (2, None)), S(cut(1, 2, 3, 4), 5), S(N(1, 3, 4), 2)],
        {}, {"return_indices": True},
    ),
    "lp_pool1d": [S(N(2, 3, 7), 2, 3), S(N(3, 8), 4, 2, 3), S(N(2, 3, 8), 2, 3, 2, ceil_mode=True),
                  S(np.abs(N(2, 3, 6)), 3, 2), S(N(2, 3, 6), math.inf, 2)],
    "lp_pool2d": [S(N(2, 3, 5, 7), 2, 3), S(N(3, 8, 4), 4, (2, 1), 3), S(N(1, 4, 3), 4, 2),
                  S(N(2, 3, 6, 6), math.inf, 2),
                  S(cut(2, 1, 5, 5), 2, 2, 2, ceil_mode=True), S(np.zeros((1, 1, 4, 4)), 2, 2)],
    "max_pool2d": [S(N(2, 3, 5, 7), 2), S(N(3, 6, 6), (3, 2), stride=1, padding=1)],
    "avg_pool2d": [S(N(2, 3, 5, 7), 2), S(N(3, 6, 6), (3, 2), padding=1, count_include_pad=False)],
    "max_pool1d": [S(N(2, 3, 5), 2), S(N(3, 6), 3, 1, 1, return_indices=True)],
    "avg_pool1d": [S(N(2, 3, 5), 2), S(N(3, 6), 3, 1, 1)],
    "conv2d": [S(N(2, 3, 5, 5), N(4, 3, 2, 3), N(4)), S(N(2, 5, 5), N(4, 1, 2, 2), groups=2)],
    "conv1d": [S(N(2, 3, 5), N(4, 3, 2), N(4)), S(N(2, 3, 5), N(4, 3, 3), padding="same")],
    "conv_transpose2d": [S(N(2, 3, 4, 4), N(3, 2, 2, 3), N(2), stride=2, output_padding=1)],
    "unfold": [S(N(2, 3, 4, 5), (2, 3)), S(N(3, 4, 5), 2, padding=1, stride=2)],
    "fold": [S(N(2, 12, 6), (3, 4), (2, 2))],
    "pad": [S(N(2, 3), (1, 2)), S(N(2, 3, 4), (1, 1), "reflect"), S(N(2, 3), (1, 0), value=2.5)],
    "one_hot": [S(np.asarray([[0, 2], [1, 1]])), S(np.asarray([1, 0]), 4), S(np.asarray([1.0]))],
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_as_pytorch(torch, name):
    check(torch, name, SAMPLES[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_same_on_every_device(name, other_device):
    same_on(other_device, name, SAMPLES[name])


@pytest.mark.parametrize("name", ["interpolate", "lp_pool2d", "adaptive_max_pool2d"])
def test_derivatives_are_the_numeric_ones(name):
    numeric(name, SAMPLES[name])
