"""The work that is measured: sizes, and the same starting values for every peer.

Each function returns float32 arrays (and int64 targets), new ones at every call.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Arrays = list[Any]
LEARNING_RATE = 0.05


def rng() -> np.random.Generator:
    """The source of the starting values."""
    return np.random.default_rng(0)


def normal(*shape: int, scale: float = 1.0, source: Any = None) -> Any:
    """Float32 values of a normal distribution."""
    return (scale * (source or rng()).standard_normal(shape)).astype(np.float32)


def chain(size: int = 32) -> Arrays:
    """x, w and b of the chain ``y = tanh((y + b) * w)``."""
    return [np.full(size, v, np.float32) for v in (0.5, 0.9, 0.01)]


def mlp(sizes: tuple[int, ...], batch: int) -> tuple[Any, Any, Arrays]:
    """A batch, its targets (classes, or one value each), weights (out, in) and biases in turn."""
    source = rng()
    x = normal(batch, sizes[0], source=source)
    classes = source.integers(0, sizes[-1], batch)
    target = classes if sizes[-1] > 1 else normal(batch, 1, source=source)
    parameters: Arrays = []
    for n, m in itertools.pairwise(sizes):
        parameters += [normal(m, n, scale=n**-0.5, source=source), np.zeros(m, np.float32)]
    return x, target, parameters


def cnn() -> tuple[Any, Any, Arrays]:
    """64 images of 1 x 28 x 28, their classes; two convolutions of 3 x 3 and a linear layer."""
    source = rng()
    x, target = normal(64, 1, 28, 28, source=source), source.integers(0, 10, 64)
    shapes = ((8, 1, 3, 3), (8,), (16, 8, 3, 3), (16,), (10, 400), (10,))
    return x, target, [normal(*s, scale=0.1, source=source) for s in shapes]


WIDTH, HEADS, LENGTH, VOCABULARY = 128, 4, 64, 65


def transformer() -> tuple[Any, Any, Arrays]:
    """Tokens (16, 64) and those that follow; the parameters of one block of 128 channels.

    In turn: embedding, scale and shift of the first norm, weight and bias of query-key-value, of
    the projection, the second norm, the two layers of the MLP, the last norm, the head's weight.
    """
    source, c = rng(), WIDTH
    text = source.integers(0, VOCABULARY, (16, LENGTH + 1))
    norm = ((c,), (c,))
    shapes = (
        (VOCABULARY, c), *norm, (3 * c, c), (3 * c,), (c, c), (c,), *norm, (4 * c, c), (4 * c,),
        (c, 4 * c), (c,), *norm, (VOCABULARY, c),
    )  # fmt: skip
    made = [normal(*s, scale=0.1, source=source) for s in shapes]
    for i in (1, 7, 13):
        made[i] += 1
    return text[:, :-1], text[:, 1:], made
