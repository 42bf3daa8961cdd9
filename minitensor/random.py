"""Random numbers: PyTorch's own CPU stream, so that the same seed gives the same numbers.

The stream is the Mersenne twister MT19937, seeded as ``numpy.random.RandomState`` seeds it. What
is taken from it, and in which order, is PyTorch's: the tests hold ``rand``, ``randint``,
``randperm``, ``bernoulli`` and ``multinomial`` to it bit by bit. Three things can differ:

- Normal numbers, and ``uniform_(a, b)``, in the last digits. PyTorch approximates log, sin and cos,
  and fuses a multiplication with an addition or does not, as the machine it runs on allows. We
  round each step from float64, much the same on every machine.
- ``bernoulli_(p)`` with a number and ``exponential_``, and so dropout and ``multinomial`` without
  replacement, on Intel processors: there PyTorch asks Intel's library for another generator, which
  takes its seed from this stream. We do what PyTorch does on every other processor.
- Tensors on a GPU: theirs come from this stream too, PyTorch's from one of CUDA's own.
"""

from __future__ import annotations

import functools
import math
import os
from typing import Any

import numpy as np

from . import backend, creation, inplace
from .backend import FLOAT64
from .core import Tensor, refusal, wrap

__all__ = [
    "Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed",
    "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm", "seed", "set_rng_state",
]  # fmt: skip

# A generator's state in PyTorch's own layout (5,056 bytes), so that states can be exchanged.
STATE = np.dtype([
    ("seed", "u8"), ("left", "i4"), ("seeded", "i4"), ("next", "u8"), ("words", "u8", 624),
    ("x", "f8"), ("spare", "f8"), ("rho", "f8"), ("has_spare", "i4"), ("unused", "u4", 3),
])  # fmt: skip


class Generator:
    """A stream of random numbers (MT19937) with a seed and a state of its own."""

    def __init__(self, device: Any = "cpu"):
        self.device = backend.device(device)
        self.manual_seed(67280421310721)  # PyTorch's

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to ``seed``; returns the generator.

        Raises ValueError for a seed of more than 64 bits, RuntimeError for what is no int.
        """
        if not isinstance(seed, int | np.integer):
            raise RuntimeError(f"manual_seed: seed must be an int, not {type(seed).__name__}")
        if not -(2**63) <= int(seed) < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._seed = int(seed) % 2**64
        self.__dict__.pop("_twister", None)
        self._spare: float | None = None
        return self

    @functools.cached_property
    def _twister(self) -> np.random.RandomState:
        """Made when a number is first wanted: importing numpy.random takes its time."""
        return np.random.RandomState(self._seed % 2**32)

    def seed(self) -> int:
        """Start a stream that nobody can foretell; returns its seed."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "little"))._seed

    def initial_seed(self) -> int:
        """The seed with which the stream was started."""
        return self._seed

    def get_state(self) -> Tensor:
        """Where the stream stands, as 5,056 bytes; PyTorch understands them too."""
        twister: Any = self._twister.get_state()
        _, words, position, *_ = twister
        state = np.zeros((), STATE)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, words
        state["left"], state["next"] = 625 - position, position
        state["has_spare"], state["spare"] = self._spare is not None, self._spare or 0
        return wrap(np.frombuffer(state.tobytes(), np.uint8).copy())

    def set_state(self, new_state: Tensor) -> Generator:
        """Go on from where ``get_state`` was called. Raises TypeError for what is no state."""
        array = backend.to_numpy(new_state.array) if isinstance(new_state, Tensor) else None
        if array is None or array.dtype != np.uint8 or array.shape != (STATE.itemsize,):
            raise TypeError(f"expected a torch.ByteTensor of {STATE.itemsize} bytes")
        state = np.frombuffer(array.tobytes(), STATE)[0]
        position = 624 if state["left"] == 1 else int(state["next"])
        self._seed = int(state["seed"])
        twister: Any = ("MT19937", state["words"].astype(np.uint32), position)
        self._twister.set_state(twister)
        self._spare = float(state["spare"]) if state["has_spare"] else None
        return self

    def words(self, n: int) -> np.ndarray:
        """The next ``n`` numbers of the stream, 32 random bits each."""
        return self._twister.randint(0, 2**32, n, dtype=np.uint32)

    def long_words(self, n: int) -> np.ndarray:
        """The next ``n`` numbers of 64 random bits, each made of two words, the high one first."""
        high, low = self.words(2 * n).astype(np.uint64).reshape(n, 2).T
        return high << np.uint64(32) | low

    def uniform(self, n: int, d: np.dtype) -> np.ndarray:
        """``n`` numbers in [0, 1): of 53 random bits for float64, else of 24 bits, in float32."""
        if d == FLOAT64:
            return (self.long_words(n) & np.uint64(2**53 - 1)) * 2.0**-53
        return (self.words(n) & np.uint32(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)

    def gauss(self, n: int) -> np.ndarray:
        """``n`` standard normal numbers in float64, two from each pair of uniform ones.

        The second of a pair may be left over; the next call begins with it.
        """
        kept = [] if self._spare is None or n == 0 else [self._spare]
        pairs = (n - len(kept) + 1) // 2
        u = self.uniform(2 * pairs, FLOAT64).reshape(pairs, 2)
        radius, angle = np.sqrt(-2 * np.log1p(-u[:, 1])), 2 * np.pi * u[:, 0]
        both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
        found = np.concatenate([kept, both.reshape(-1)])
        if n:
            self._spare = float(found[n]) if len(found) > n else None
        return found[:n]

    def gauss_blocks(self, n: int, d: np.dtype) -> np.ndarray:
        """``n`` >= 16 standard normal numbers from blocks of 16 uniform ones."""
        whole = n - n % 16
        # PyTorch draws for the incomplete block and overwrites it, but not in half precision.
        drawn = n if d in backend.FLOATS else whole
        u = self.uniform(drawn, d)
        out = np.empty(n, u.dtype)
        out[:whole] = _box_muller(u[:whole])
        if whole < n:  # the last 16 are drawn anew
            out[-16:] = _box_muller(self.uniform(16, d))
        return out


def _box_muller(u: np.ndarray) -> np.ndarray:
    """Normal numbers from uniform ones: in every 16, the first 8 give radii, the others angles."""
    blocks, d = u.reshape(-1, 2, 8), u.dtype
    log = np.log((1 - blocks[:, 0]).astype(np.float64))
    radius = np.sqrt((-2 * log).astype(d))
    angle = (d.type(2 * np.pi) * blocks[:, 1]).astype(np.float64)
    sides = [radius * f(angle).astype(d) for f in (np.cos, np.sin)]
    return np.stack(sides, 1).reshape(-1)


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the stream that belongs to ``seed``; returns the default generator.

    Raises ValueError for a seed of more than 64 bits.
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start a stream that nobody can foretell; returns its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed with which the default generator was started."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Where the default generator stands, as a tensor of bytes."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator back to where it stood."""
    default_generator.set_state(new_state)


# -- drawing arrays --------------------------------------------------------------------------------


def _generator(given: Any) -> Generator:
    if given is not None and not isinstance(given, Generator):
        raise TypeError(f"argument 'generator' must be Generator, not {type(given).__name__}")
    return default_generator if given is None else given


def _floating(name: str, dtype: Any) -> np.dtype:
    """The dtype to draw in. Raises NotImplementedError for one of integers."""
    d = backend.default_float() if dtype is None else backend.as_dtype(dtype).numpy
    if d.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for {backend.DTYPES[d].name}')
    return d


def _uniform(n: int, low: float, high: float, d: np.dtype, generator: Any) -> np.ndarray:
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}"
        )
    u = _generator(generator).uniform(n, d)
    if (low, high) != (0, 1):
        a, b = u.dtype.type(low), u.dtype.type(high)
        u = (u.astype(np.float64) * float(b - a) + float(a)).astype(u.dtype)
    drawn = u.astype(d)
    drawn[drawn == d.type(high)] = d.type(low)  # rounding may reach the end, which is left out
    return drawn


def _normal(
    n: int, mean: float, std: float, d: np.dtype, generator: Any, blocks: bool = True
) -> np.ndarray:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    g = _generator(generator)
    if n < 16 or not blocks:
        return (g.gauss(n) * std + mean).astype(d)
    drawn = g.gauss_blocks(n, d)
    mean, std = float(drawn.dtype.type(mean)), float(drawn.dtype.type(std))
    return (drawn.astype(np.float64) * std + mean).astype(d)


def _integers(
    n: int, low: int, high: int, d: np.dtype, generator: Any, short: bool = False
) -> np.ndarray:
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    if d.kind in "iu":
        limits = np.iinfo(d)
        for name, value in (("from", low), ("to - 1", high - 1)):
            if not limits.min <= value <= limits.max:
                raise RuntimeError(f"{name} is out of bounds for {d.name}")
    g = _generator(generator)
    words = g.words(n) if short or high - low < 2**28 else g.long_words(n)
    return ((words % np.uint64(high - low)).astype(np.int64) + low).astype(d)


# -- new tensors -----------------------------------------------------------------------------------


def rand(
    *sizes: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers spread evenly over [0, 1). Raises what ``zeros`` raises."""
    shape = creation.check_sizes("rand", sizes, size)
    drawn = _uniform(math.prod(shape), 0, 1, _floating("rand", dtype), generator)
    return creation.leaf(drawn.reshape(shape), device, requires_grad)


def randn(
    *sizes: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers of mean 0 and standard deviation 1. Raises what ``zeros`` raises."""
    shape = creation.check_sizes("randn", sizes, size)
    drawn = _normal(math.prod(shape), 0, 1, _floating("randn", dtype), generator)
    return creation.leaf(drawn.reshape(shape), device, requires_grad)


def randint(
    *args: Any, low: int = 0, high: int | None = None, size: Any = None,
    generator: Generator | None = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Integers from ``low`` to ``high`` - 1: ``randint(high, size)``, ``randint(low, high, size)``.

    int64 without ``dtype``. Raises RuntimeError unless low < high and both fit the dtype.
    """
    rest = list(args)
    if size is None and rest:
        size = rest.pop()
    low, high = _bounds(rest, low, high)
    if high is None or not isinstance(size, tuple | list):
        raise TypeError("randint() takes (high, size) or (low, high, size), size being a tuple")
    shape = creation.check_sizes("randint", (size,))
    low = creation.check_int("randint", "low", low)
    high = creation.check_int("randint", "high", high)
    d = backend.INT64 if dtype is None else backend.as_dtype(dtype).numpy
    drawn = _integers(math.prod(shape), low, high, d, generator)
    return creation.leaf(drawn.reshape(shape), device, requires_grad)


def _bounds(given: Any, low: int, high: int | None) -> tuple[int, int | None]:
    """``(high)`` or ``(low, high)``, where not given by name."""
    if len(given) == 2:
        return given[0], given[1]
    if given and high is None:
        return low, given[0]
    return (given[0] if given else low), high


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None
) -> Tensor:
    """The integers from 0 to ``n`` - 1 in random order. Raises RuntimeError for a negative n."""
    n = creation.check_int("randperm", "n", n)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    jumps = _generator(generator).words(max(n - 1, 0)) % np.arange(n, 1, -1).astype(np.uint32)
    order = list(range(n))
    for i, jump in enumerate(jumps.tolist()):
        order[i], order[i + jump] = order[i + jump], order[i]
    d = backend.INT64 if dtype is None else backend.as_dtype(dtype).numpy
    return creation.leaf(np.array(order, dtype=d), device)


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
    dtype: Any = None, device: Any = None,
) -> Tensor:  # fmt: skip
    """Normal numbers; ``mean`` and ``std`` are two numbers, with ``size``, or tensors.

    Raises RuntimeError for a negative ``std``.
    """
    arrays = [x.array for x in (mean, std) if isinstance(x, Tensor)]
    if not arrays:
        if size is None:
            raise TypeError("normal() needs size where mean and std are numbers")
        shape, d = creation.check_sizes("normal", (size,)), _floating("normal", dtype)
        drawn = _normal(math.prod(shape), mean, std, d, generator)
        return creation.leaf(drawn.reshape(shape), device)
    if isinstance(std, Tensor) and bool((std.array < 0).any()):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    where = backend.device_of(arrays[0]) if device is None else device
    mean, std = (backend.to_numpy(x.array) if isinstance(x, Tensor) else x for x in (mean, std))
    shape = np.broadcast_shapes(np.shape(mean), np.shape(std))
    d = _floating("normal", backend.result_dtype(arrays))
    drawn = _normal(math.prod(shape), 0, 1, d, generator).reshape(shape)
    return creation.leaf(np.asarray(drawn * std + mean, d), where)


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """1 with the probability that ``input`` holds (or with ``p``), else 0, in its shape and dtype.

    Raises RuntimeError for a probability outside [0, 1].
    """
    return bernoulli_(creation.empty_like(input), input if p is None else p, generator=generator)


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Positions drawn with the weights in ``input`` (n, or rows x n): num_samples, or rows x them.

    Raises RuntimeError for negative or non-finite weights, for a row of zeros, and for more
    samples than there are weights without ``replacement``.
    """
    p = backend.to_numpy(input.array)
    _check_weights(p, num_samples, replacement)
    g, rows = _generator(generator), p.reshape(-1, p.shape[-1])
    if replacement and num_samples > 1:
        total = np.cumsum(rows, axis=1, dtype=p.dtype)
        total /= total[:, -1:]
        u = g.uniform(len(rows) * num_samples, FLOAT64).reshape(len(rows), num_samples)
        found = [np.searchsorted(row, x) for row, x in zip(total, u, strict=True)]
        chosen = np.array(found, dtype=np.int64).reshape(len(rows), num_samples)
    else:  # a race: the weights are speeds, and the first to arrive are chosen
        times = -np.log1p(-g.uniform(p.size, FLOAT64)).astype(p.dtype).reshape(rows.shape)
        chosen = np.argsort(-(rows / times), axis=1, kind="stable")[:, :num_samples]
    chosen = np.ascontiguousarray(chosen).reshape(*p.shape[:-1], num_samples)
    return creation.leaf(chosen, backend.device_of(input.array))


def _check_weights(p: np.ndarray, n: int, replacement: bool) -> None:
    if p.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if p.dtype.kind != "f":
        raise RuntimeError(
            "multinomial only supports floating-point dtypes for input, got: "
            f"{backend.DTYPES[p.dtype].name}"
        )
    if n <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if n > p.shape[-1] and not replacement:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    if not (np.isfinite(p) & (p >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (p.sum(axis=-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


def rand_like(input: Tensor, *, generator: Any = None, **options: Any) -> Tensor:
    """``rand`` in the shape, dtype and device of ``input``; options as for ``zeros_like``."""
    return _then(input, options, lambda t: uniform_(t, generator=generator))


def randn_like(input: Tensor, *, generator: Any = None, **options: Any) -> Tensor:
    """``randn`` in the shape, dtype and device of ``input``; options as for ``zeros_like``."""
    return _then(input, options, lambda t: normal_(t, generator=generator))


def randint_like(
    input: Tensor, *bounds: int, low: int = 0, high: int | None = None, generator: Any = None,
    **options: Any,
) -> Tensor:  # fmt: skip
    """``randint_like(x, high)`` or ``(x, low, high)``, in the shape, dtype and device of ``x``."""
    low, high = _bounds(bounds, low, high)
    return _then(input, options, lambda t: random_(t, low, high, generator=generator))


def _then(input: Tensor, options: dict[str, Any], fill: Any) -> Tensor:
    requires_grad = options.pop("requires_grad", False)
    array = fill(creation.empty_like(input, **options)).array
    return creation.leaf(array, backend.device_of(array), requires_grad)


# -- filling tensors -------------------------------------------------------------------------------


def _fill(t: Tensor, drawn: np.ndarray, name: str) -> Tensor:
    """Write ``drawn`` into ``t`` in the order in which its elements lie in memory, as PyTorch."""
    shape, order = t.array.shape, np.argsort([-s for s in t.array.strides], kind="stable")
    values = drawn.reshape([shape[i] for i in order]).transpose(np.argsort(order))
    return inplace.assign(t, wrap(backend.move(values, backend.device_of(t.array))), name)


def uniform_(t: Tensor, a: float = 0, b: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with numbers spread evenly over [a, b). Returns the tensor.

    Raises RuntimeError if a > b or the tensor may not be changed in place.
    """
    inplace.check_writable(t)
    d = _floating("uniform_", t.array.dtype)
    return _fill(t, _uniform(t.array.size, a, b, d, generator), "uniform_")


def normal_(t: Tensor, mean: float = 0, std: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers. Returns the tensor.

    Raises RuntimeError for a negative ``std`` or if the tensor may not be changed in place.
    """
    inplace.check_writable(t)
    d, in_order = _floating("normal_", t.array.dtype), t.array.flags.c_contiguous
    return _fill(t, _normal(t.array.size, mean, std, d, generator, in_order), "normal_")


def random_(t: Tensor, low: int = 0, high: int | None = None, *, generator: Any = None) -> Tensor:
    """Fill with integers: ``random_()``, ``random_(high)``, ``random_(low, high)``; high left out.

    Without bounds: all from 0 on that the dtype can hold exactly. Returns the tensor.
    """
    inplace.check_writable(t)
    d = t.array.dtype
    if high is None and low:
        low, high = 0, low
    short = high is None and d.itemsize <= 4
    if high is None:
        exact = 2 ** (np.finfo(d).nmant + 1) if d.kind == "f" else 1
        high = (np.iinfo(d).max if d.kind in "iu" else exact) + 1
    return _fill(t, _integers(t.array.size, low, high, d, generator, short), "random_")


def bernoulli_(t: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with 1, with probability ``p`` (a number or a tensor that broadcasts), and 0 else.

    Raises RuntimeError for a probability outside [0, 1]. Returns the tensor.
    """
    inplace.check_writable(t)
    if not isinstance(p, Tensor | bool | int | float):
        raise refusal("bernoulli_", "p", p, "Tensor or Number")
    if isinstance(p, Tensor):
        _floating("bernoulli", p.array.dtype)
    limit = backend.to_numpy(p.array) if isinstance(p, Tensor) else np.float64(p)
    if not ((limit >= 0) & (limit <= 1)).all():
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    if isinstance(p, Tensor):
        d = limit.dtype
        limit = np.broadcast_to(limit, t.array.shape).reshape(-1)
    else:
        d = FLOAT64
    drawn = _generator(generator).uniform(t.array.size, d) < limit
    return _fill(t, drawn.astype(t.array.dtype), "bernoulli_")


def exponential_(t: Tensor, lambd: float = 1, *, generator: Any = None) -> Tensor:
    """Fill with waiting times of mean 1 / ``lambd``. Returns the tensor.

    Raises RuntimeError unless ``lambd`` > 0.
    """
    inplace.check_writable(t)
    d = _floating("exponential_", t.array.dtype)
    if lambd <= 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    u = _generator(generator).uniform(t.array.size, FLOAT64)
    return _fill(t, (-np.log1p(-u) / lambd).astype(d), "exponential_")
