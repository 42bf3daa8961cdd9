"""Random numbers: PyTorch's own CPU stream, so that the same seed gives the same numbers."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from . import backend, core, creation, inplace
from .core import Tensor, wrap

__all__ = [
    "Generator", "bernoulli", "default_generator", "initial_seed", "manual_seed", "normal", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed",
]  # fmt: skip


class Generator:
    """A stream of random numbers (MT19937) on the CPU, with a seed and a state of its own."""

    def __init__(self, device: Any = "cpu"):
        self.device = backend.device(device)
        self.manual_seed(67280421310721)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to ``seed``; returns the generator."""
        self._seed = int(seed) % 2**64
        self._twister = np.random.RandomState(self._seed % 2**32)
        self._spare: float | None = None
        return self

    def seed(self) -> int:
        """Start a stream that nobody can foretell; returns its seed."""
        return self.manual_seed(secrets.randbits(64))._seed

    def initial_seed(self) -> int:
        """The seed with which the stream was started."""
        return self._seed

    def words(self, n: int) -> np.ndarray:
        """The next ``n`` numbers of the stream: 32 random bits each."""
        return self._twister.randint(0, 2**32, n, dtype=np.uint32)

    def long_words(self, n: int) -> np.ndarray:
        """The next ``n`` numbers of 64 bits, each made of two words, the high one first."""
        high, low = self.words(2 * n).astype(np.uint64).reshape(n, 2).T
        return high << np.uint64(32) | low

    def uniform(self, n: int, d: np.dtype) -> np.ndarray:
        """``n`` numbers in [0, 1), with as many random bits as the dtype has digits."""
        if d == backend.FLOAT64:
            return (self.long_words(n) & np.uint64(2**53 - 1)) * 2.0**-53
        digits = np.finfo(d).nmant + 1
        bits = self.words(n) & np.uint32(2**digits - 1)
        return bits.astype(np.float32) * np.float32(2.0**-digits)

    def gauss(self, n: int) -> np.ndarray:
        """``n`` standard normal numbers in float64, two from each pair of uniform ones."""
        kept = [] if self._spare is None else [self._spare]
        pairs = max(n - len(kept) + 1, 0) // 2
        angle, radius = self.uniform(2 * pairs, backend.FLOAT64).reshape(pairs, 2).T
        radius = np.sqrt(-2 * np.log1p(-radius))
        both = radius * np.cos(2 * np.pi * angle), radius * np.sin(2 * np.pi * angle)
        found = np.concatenate([kept, np.stack(both, 1).reshape(-1)])
        if n:
            self._spare = found[n] if len(found) > n else None
        return found[:n]

    def gauss_blocks(self, n: int, d: np.dtype) -> np.ndarray:
        """``n`` >= 16 standard normal numbers, from blocks of 16 uniform ones: 8 radii, 8 angles."""
        u = self.uniform(n, d)
        whole = n - n % 16
        out = np.empty_like(u)
        out[:whole] = _box_muller(u[:whole])
        if whole < n:  # the last 16 are drawn anew
            out[-16:] = _box_muller(self.uniform(16, d))
        return out


def _box_muller(u: np.ndarray) -> np.ndarray:
    """Standard normal numbers from uniform ones, in blocks of 16."""
    blocks = u.reshape(-1, 2, 8)
    radius = np.sqrt(-2 * np.log(1 - blocks[:, 0]))
    angle = u.dtype.type(2 * np.pi) * blocks[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the stream that belongs to ``seed``; returns the default generator."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start a stream that nobody can foretell; returns its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed with which the default generator was started."""
    return default_generator.initial_seed()


def _draw_normal(n: int, d: np.dtype, g: Generator, blocks: bool = True) -> np.ndarray:
    if n >= 16 and blocks:
        return g.gauss_blocks(n, d).astype(d)
    return g.gauss(n).astype(d)


def _floating(name: str, dtype: Any) -> np.dtype:
    d = backend.default_float() if dtype is None else backend.as_dtype(dtype).numpy
    if d.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for {backend.DTYPES[d].name}')
    return d


def rand(
    *sizes: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers spread evenly over [0, 1)."""
    shape = creation.check_sizes("rand", sizes, size)
    d = _floating("rand", dtype)
    drawn = (generator or default_generator).uniform(int(np.prod(shape)), d).astype(d)
    return creation.leaf(drawn.reshape(shape), device, requires_grad)


def randn(
    *sizes: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers of mean 0 and standard deviation 1."""
    shape = creation.check_sizes("randn", sizes, size)
    d = _floating("randn", dtype)
    drawn = _draw_normal(int(np.prod(shape)), d, generator or default_generator)
    return creation.leaf(drawn.reshape(shape), device, requires_grad)


def randint(
    *args: Any, low: int = 0, high: int | None = None, size: Any = None,
    generator: Generator | None = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Integers from ``low`` to ``high`` - 1: ``randint(high, size)``, ``randint(low, high, size)``.

    Raises RuntimeError unless low < high.
    """
    rest = list(args)
    if size is None and rest:
        size = rest.pop()
    if len(rest) == 2:
        low, high = rest
    elif rest:
        high = rest[0]
    if high is None or size is None:
        raise TypeError("randint() takes (high, size) or (low, high, size)")
    shape = creation.check_sizes("randint", (size,))
    drawn = _draw_int(low, high, int(np.prod(shape)), generator or default_generator)
    d = backend.INT64 if dtype is None else backend.as_dtype(dtype).numpy
    return creation.leaf(drawn.reshape(shape).astype(d), device, requires_grad)


def _draw_int(low: int, high: int, n: int, g: Generator) -> np.ndarray:
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    words = g.words(n) if high - low < 2**32 else g.long_words(n)
    return (words % np.uint64(high - low)).astype(np.int64) + low


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None
) -> Tensor:
    """The integers from 0 to ``n`` - 1 in random order."""
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    g = generator or default_generator
    jumps = g.words(max(n - 1, 0)) % np.arange(n, 1, -1).astype(np.uint32)
    order = list(range(n))
    for i, jump in enumerate(jumps.tolist()):
        order[i], order[i + jump] = order[i + jump], order[i]
    d = backend.INT64 if dtype is None else backend.as_dtype(dtype).numpy
    return creation.leaf(np.array(order, dtype=d), device)


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
    dtype: Any = None, device: Any = None,
) -> Tensor:  # fmt: skip
    """Normal numbers; ``mean`` and ``std`` are numbers (with ``size``) or tensors."""
    tensors = [x.array for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        drawn = randn(size, generator=generator, dtype=dtype).array
        return creation.leaf(_scaled(drawn, mean, std), device)
    shape = np.broadcast_shapes(*(a.shape for a in tensors))
    drawn = randn(shape, generator=generator, dtype=backend.result_dtype(tensors)).array
    mean, std = (x.array if isinstance(x, Tensor) else x for x in (mean, std))
    return wrap(_scaled(drawn, mean, std))


def _scaled(drawn: np.ndarray, mean: Any, std: Any) -> np.ndarray:
    return (drawn * std + mean).astype(drawn.dtype)


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that ``input`` gives, else 0, in its shape and dtype."""
    p = input.array
    u = (generator or default_generator).uniform(p.size, p.dtype).reshape(p.shape)
    return wrap((u < p).astype(p.dtype))


def rand_like(input: Tensor, **options: Any) -> Tensor:
    """``rand`` in the shape, dtype and device of ``input``."""
    return rand(input.array.shape, **_options(input, options))


def randn_like(input: Tensor, **options: Any) -> Tensor:
    """``randn`` in the shape, dtype and device of ``input``."""
    return randn(input.array.shape, **_options(input, options))


def randint_like(input: Tensor, *bounds: int, **options: Any) -> Tensor:
    """``randint`` in the shape, dtype and device of ``input``: ``randint_like(x, high)``."""
    return randint(*bounds, size=input.array.shape, **_options(input, options))


def _options(input: Tensor, given: dict[str, Any]) -> dict[str, Any]:
    return {"dtype": input.array.dtype, "device": backend.device_of(input.array)} | given


def _fill(t: Tensor, values: np.ndarray, name: str) -> Tensor:
    moved = backend.move(values.reshape(t.array.shape), backend.device_of(t.array))
    return inplace.assign(t, wrap(moved), name)


def uniform_(t: Tensor, a: float = 0, b: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with numbers spread evenly over [a, b). Returns the tensor."""
    d = _floating("uniform_", t.array.dtype)
    drawn = (generator or default_generator).uniform(t.array.size, d)
    return _fill(t, (drawn * (b - a) + a).astype(d), "uniform_")


def normal_(t: Tensor, mean: float = 0, std: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers. Returns the tensor."""
    d = _floating("normal_", t.array.dtype)
    drawn = _draw_normal(t.array.size, d, generator or default_generator)
    return _fill(t, _scaled(drawn, mean, std), "normal_")


assert core
