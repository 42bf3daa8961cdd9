"""Samples for the ops: small random inputs at which tests check values and derivatives.

Each function returns ``sample(rng) -> (inputs, attrs)``, with float64 arrays, so that numeric
derivatives are exact enough. Ops with corners get inputs that stay away from them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # numpy.random costs as much to import as our engine; tests draw, users do not
    from numpy.random import Generator

Sample = Callable[["Generator"], tuple[list[Any], dict[str, Any]]]
Draw = Callable[["Generator", tuple[int, ...]], np.ndarray]


def _made(draw: Draw, shapes: tuple[tuple[int, ...], ...], attrs: dict[str, Any]) -> Sample:
    return lambda rng: ([draw(rng, s) for s in shapes or ((2, 3),)], dict(attrs))


def normal(*shapes: tuple[int, ...], **attrs: Any) -> Sample:
    """Standard normal values, one array for each shape; one of shape (2, 3) if none is given."""
    return _made(lambda rng, s: rng.standard_normal(s), shapes, attrs)


def positive(*shapes: tuple[int, ...], **attrs: Any) -> Sample:
    """Values between 0.5 and 2."""
    return _made(lambda rng, s: rng.uniform(0.5, 2.0, s), shapes, attrs)


def unit(*shapes: tuple[int, ...], **attrs: Any) -> Sample:
    """Values between -0.9 and 0.9."""
    return _made(lambda rng, s: rng.uniform(-0.9, 0.9, s), shapes, attrs)


def spread(*shapes: tuple[int, ...], **attrs: Any) -> Sample:
    """Distinct values, no two nearer than 0.3 and none within 0.1 of a multiple of 0.5."""

    def draw(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
        size = int(np.prod(shape))
        values = (np.arange(size) - size // 2) * 0.5 + rng.uniform(0.15, 0.35, size)
        return rng.permutation(values).reshape(shape)

    return _made(draw, shapes, attrs)


def random(shape: tuple[int, ...]) -> Callable[[Generator], np.ndarray]:
    """Standard normal values as one of the inputs of ``given``."""
    return lambda rng: rng.standard_normal(shape)


def given(*inputs: Any, **attrs: Any) -> Sample:
    """These very inputs: numbers, nested lists, or ``random(shape)``."""

    def sample(rng: Generator) -> tuple[list[Any], dict[str, Any]]:
        return [x(rng) if callable(x) else np.asarray(x) for x in inputs], dict(attrs)

    return sample
