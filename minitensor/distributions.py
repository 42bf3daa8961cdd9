"""Probability distributions, under PyTorch's names: draw from them, and ask how likely a value is.

``sample`` draws; ``rsample`` draws so that gradients reach the parameters; ``log_prob`` is the
logarithm of the probability, or density, of a value. Parameters broadcast to ``batch_shape``;
one draw has ``event_shape``; ``sample(shape)`` gives ``shape + batch_shape + event_shape``.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import autograd, backend, creation, functions_shape, random
from .core import Tensor
from .tensor import Size

__all__ = [
    "Bernoulli", "Categorical", "Distribution", "Exponential", "Multinomial", "Normal", "Uniform",
    "kl_divergence",
]  # fmt: skip


broadcast: Any = functions_shape.broadcast_tensors


class Constraint(NamedTuple):
    """What values must be: in PyTorch's words, and as a test that gives a tensor of bools."""

    words: str
    check: Callable[[Any], Any]


REAL = Constraint("Real()", lambda v: v == v)
POSITIVE = Constraint("GreaterThan(lower_bound=0.0)", lambda v: v > 0)
NOT_NEGATIVE = Constraint("GreaterThanEq(lower_bound=0.0)", lambda v: v >= 0)
BOOLEAN = Constraint("Boolean()", lambda v: (v == 0) | (v == 1))
REAL_VECTOR = Constraint("IndependentConstraint(Real(), 1)", lambda v: v == v)
SIMPLEX = Constraint(
    "Simplex()", lambda v: (v >= 0).all(-1) & ((v.sum(-1) - 1).abs() < 1e-6)
)  # fmt: skip


def interval(low: Any, high: Any) -> Constraint:
    """From ``low`` to ``high``, both included."""
    lower, upper = (x.item() if isinstance(x, Tensor) and x.array.size == 1 else x  # type: ignore[attr-defined]
                    for x in (low, high))  # fmt: skip
    words = f"Interval(lower_bound={lower}, upper_bound={upper})"
    return Constraint(words, lambda v: (v >= low) & (v <= high))


def together(*values: Any) -> list[Any]:
    """Numbers and tensors as tensors of one shape."""
    like = next((v for v in values if isinstance(v, Tensor)), None)
    d, where = (None, None) if like is None else (like.array.dtype, backend.device_of(like.array))
    if d is None or d.kind != "f":
        d = backend.default_float()
    made = [
        v if isinstance(v, Tensor) else creation.tensor(v, dtype=d, device=where) for v in values
    ]
    return list(broadcast(*made))


class Distribution:
    """What distributions share.

    Args:
        batch_shape: the shape of the parameters.
        event_shape: the shape of one draw.
        validate_args: check parameters and values (on by default). Raises ValueError.
    """

    has_rsample = False
    arg_constraints: dict[str, Constraint] = {}  # noqa: RUF012 - read only
    support: Constraint = REAL
    _validate_args = True

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: Any = None):
        self.batch_shape, self.event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = bool(validate_args)
        for name, constraint in self.arg_constraints.items():
            value = self.__dict__.get(name)
            if self._validate_args and value is not None and not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} (Tensor of shape {tuple(value.shape)}) of "
                    f"distribution {self!r} to satisfy the constraint {constraint.words}, but "
                    f"found invalid values:\n{value}"
                )

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check, where they are not told."""
        Distribution._validate_args = value

    def __repr__(self) -> str:
        parts = {n: self.__dict__[n] for n in self.arg_constraints if n in self.__dict__}
        shown = {n: t if t.array.size == 1 else t.shape for n, t in parts.items()}
        return f"{type(self).__name__}({', '.join(f'{n}: {v}' for n, v in shown.items())})"

    def expand(self, batch_shape: Any) -> Any:
        """The same distribution with its parameters expanded to ``batch_shape``."""
        new, skip = copy.copy(self), len(self.batch_shape)
        for name in self.arg_constraints:
            if name in self.__dict__:
                t = self.__dict__[name]
                new.__dict__[name] = t.expand((*batch_shape, *t.shape[skip:]))
        new.batch_shape = Size(batch_shape)
        return new

    def _shape(self, sample_shape: Any) -> tuple[int, ...]:
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    def _check(self, value: Any) -> None:
        """Raise ValueError for a value that cannot have been drawn."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape: Any = Size(value.array.shape)
        start = len(shape) - len(self.event_shape)
        if shape[start:] != self.event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {shape} vs "
                f"{self.event_shape}."
            )
        wanted = Size(self._shape(()))
        pairs = zip(reversed(shape), reversed(wanted), strict=False)
        if any(1 not in (a, b) and a != b for a, b in pairs):
            raise ValueError(
                f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {wanted}."
            )
        if not self.support.check(value).all():
            raise ValueError(
                f"Expected value argument (Tensor of shape {tuple(shape)}) to be within the "
                f"support ({self.support.words}) of the distribution {self!r}, but found invalid "
                f"values:\n{value}"
            )

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draw, without gradients."""
        with autograd.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draw, with gradients to the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no rsample")

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the probability or density at ``value``. Raises ValueError."""
        raise NotImplementedError

    @property
    def stddev(self) -> Any:
        """The standard deviation."""
        return self.variance.sqrt()

    variance: Any


class Normal(Distribution):
    """The bell curve around ``loc`` with standard deviation ``scale``."""

    has_rsample = True
    arg_constraints = {"loc": REAL, "scale": POSITIVE}  # noqa: RUF012

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = together(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    mean = mode = property(lambda self: self.loc)
    variance = property(lambda self: self.scale**2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """See Distribution."""
        shape, where = self._shape(sample_shape), self.loc.device
        noise = random.normal(0.0, 1.0, shape, dtype=self.loc.dtype, device=where)
        return self.loc + noise * self.scale

    def log_prob(self, value: Any) -> Any:
        """See Distribution."""
        self._check(value)
        far = (value - self.loc) ** 2 / (2 * self.scale**2)
        return -far - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Any) -> Any:
        """The probability of less than ``value``."""
        self._check(value)
        return 0.5 * (1 + ((value - self.loc) / self.scale / math.sqrt(2)).erf())

    def entropy(self) -> Any:
        """1/2 + log(scale sqrt(2 pi))."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


class Uniform(Distribution):
    """All from ``low`` to ``high`` alike."""

    has_rsample = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None):
        self.low, self.high = together(low, high)
        below = Constraint("LessThan(upper_bound=high)", lambda v: v < self.high)
        self.arg_constraints = {"low": below, "high": REAL}
        self.support = interval(self.low, self.high)
        super().__init__(self.low.shape, validate_args=validate_args)

    mean = property(lambda self: (self.high + self.low) / 2)
    variance = property(lambda self: (self.high - self.low) ** 2 / 12)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """See Distribution."""
        shape, where = self._shape(sample_shape), self.low.device
        drawn = random.rand(*shape, size=None if shape else (), dtype=self.low.dtype, device=where)
        return self.low + drawn * (self.high - self.low)

    def log_prob(self, value: Any) -> Any:
        """See Distribution."""
        self._check(value)
        inside = ((self.low <= value) & (self.high > value)).type_as(self.low)
        return inside.log() - (self.high - self.low).log()

    def cdf(self, value: Any) -> Any:
        """The probability of less than ``value``."""
        self._check(value)
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def entropy(self) -> Any:
        """log(high - low)."""
        return (self.high - self.low).log()


class Exponential(Distribution):
    """Waiting times of mean 1 / ``rate``."""

    has_rsample = True
    arg_constraints = {"rate": POSITIVE}  # noqa: RUF012
    support = NOT_NEGATIVE

    def __init__(self, rate: Any, validate_args: bool | None = None):
        (self.rate,) = together(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    mean = stddev = property(lambda self: 1 / self.rate)
    variance = property(lambda self: self.rate**-2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """See Distribution."""
        shape, d = self._shape(sample_shape), self.rate.dtype
        drawn = creation.empty(*shape, dtype=d, device=self.rate.device)
        return random.exponential_(drawn) / self.rate

    def log_prob(self, value: Any) -> Any:
        """See Distribution."""
        self._check(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Any) -> Any:
        """The probability of less than ``value``."""
        self._check(value)
        return 1 - (-self.rate * value).exp()

    def entropy(self) -> Any:
        """1 - log(rate)."""
        return 1 - self.rate.log()


def check_given(probs: Any, logits: Any) -> None:
    """Raise ValueError unless one of the two is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


def inside(probs: Any) -> Any:
    """Probabilities kept off 0 and 1, so that their logarithms are finite."""
    eps = float(np.finfo(probs.array.dtype).eps)
    return probs.clamp(eps, 1 - eps)


class Bernoulli(Distribution):
    """1 with probability ``probs``, else 0; or give ``logits``, log(p / (1 - p))."""

    arg_constraints = {"probs": interval(0.0, 1.0), "logits": REAL}  # noqa: RUF012
    support = BOOLEAN

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        check_given(probs, logits)
        (given,) = together(logits if probs is None else probs)
        self.__dict__["logits" if probs is None else "probs"] = given
        super().__init__(given.shape, validate_args=validate_args)

    @functools.cached_property
    def probs(self) -> Any:
        """The probability of 1."""
        return self.logits.sigmoid()

    @functools.cached_property
    def logits(self) -> Any:
        """log(p / (1 - p))."""
        p = inside(self.probs)
        return p.log() - (-p).log1p()

    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))

    def sample(self, sample_shape: Any = ()) -> Any:
        """See Distribution."""
        return random.bernoulli(self.probs.detach().expand(self._shape(sample_shape)).contiguous())

    def log_prob(self, value: Any) -> Any:
        """See Distribution."""
        self._check(value)
        return self.logits * value - softplus(self.logits)

    def entropy(self) -> Any:
        """-p log p - (1 - p) log(1 - p)."""
        return softplus(self.logits) - self.logits * self.probs


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), with the right gradient at 0 too."""
    return x.logaddexp(creation.zeros_like(x))


class Categorical(Distribution):
    """0 to n - 1, with ``probs`` (..., n), which are made to sum to 1; or with ``logits``."""

    arg_constraints = {"probs": SIMPLEX, "logits": REAL_VECTOR}  # noqa: RUF012

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._give(probs, logits)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)
        last = self._param.shape[-1] - 1
        words = f"IntegerInterval(lower_bound=0, upper_bound={last})"
        self.support = Constraint(words, lambda v: (v % 1 == 0) & (v >= 0) & (v <= last))

    def _give(self, probs: Any, logits: Any) -> None:
        check_given(probs, logits)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        if given.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is None:
            self.logits = given - given.logsumexp(-1, keepdim=True)
        else:
            self.probs = given / given.sum(-1, keepdim=True)

    @functools.cached_property
    def probs(self) -> Any:
        """The probabilities, which sum to 1."""
        return self.logits.softmax(-1)

    @functools.cached_property
    def logits(self) -> Any:
        """The logarithms of the probabilities."""
        return inside(self.probs).log()

    @property
    def _param(self) -> Any:
        return self.__dict__["probs" if "probs" in self.__dict__ else "logits"]

    mean = variance = property(lambda self: self.probs.detach().sum(-1) * math.nan)
    mode = property(lambda self: self.probs.argmax(-1))

    def sample(self, sample_shape: Any = ()) -> Any:
        """See Distribution."""
        rows = self.probs.detach().reshape(-1, self.probs.shape[-1])
        drawn = random.multinomial(rows, math.prod(sample_shape), True)
        return drawn.t().reshape((*sample_shape, *self.batch_shape))  # type: ignore[attr-defined]

    def log_prob(self, value: Any) -> Any:
        """See Distribution."""
        self._check(value)
        index, logits = broadcast(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self) -> Any:
        """The sum of -p log p."""
        least = float(np.finfo(self.logits.array.dtype).min)
        return -(self.logits.clamp(min=least) * self.probs).sum(-1)


class Multinomial(Categorical):
    """How often each of n comes in ``total_count`` draws, with ``probs`` (..., n) or ``logits``."""

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None,
        validate_args: bool | None = None,
    ):  # fmt: skip
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._give(probs, logits)
        shape = self._param.shape
        Distribution.__init__(self, shape[:-1], shape[-1:], validate_args)
        self.support = Constraint(
            "Multinomial()", lambda v: (v >= 0).all(-1) & (v.sum(-1) <= total_count)
        )

    def __repr__(self) -> str:
        return "Multinomial()"

    mean = property(lambda self: self.probs * self.total_count)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape: Any = ()) -> Any:
        """See Distribution."""
        drawn = Categorical.sample(self, (self.total_count, *sample_shape)).movedim(0, -1)
        counts = creation.zeros(*self._shape(sample_shape), dtype="int64", device=drawn.device)
        counts = counts.scatter_add(-1, drawn, creation.ones_like(drawn))  # type: ignore[attr-defined]
        return counts.type_as(self.probs)

    def log_prob(self, value: Any) -> Any:
        """See Distribution."""
        self._check(value)
        logits, value = broadcast(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -math.inf), 0)
        ways = log_factorial(value.sum(-1)) - log_factorial(value).sum(-1)
        return ways + (logits * value).sum(-1)

    def entropy(self) -> Any:
        """Exact, by a sum over the counts that each of n may have."""
        n = self.total_count
        k: Any = creation.arange(1, n + 1, dtype=self.probs.dtype, device=self.probs.device)
        k = k.reshape((n, *[1] * self.probs.dim()))
        logits = Bernoulli(self.probs, validate_args=False).logits
        ways = math.lgamma(n + 1) - log_factorial(k) - log_factorial(n - k)
        chance = (ways + k * logits - n * softplus(logits)).exp()
        own = n * Categorical.entropy(self) - math.lgamma(n + 1)
        return own + (chance * log_factorial(k)).sum(0).sum(-1)


def log_factorial(counts: Any) -> Any:
    """log(n!) of every count; a constant, as counts are."""
    values = [math.lgamma(n + 1) for n in counts.reshape(-1).tolist()]
    made = creation.tensor(values, dtype=counts.dtype, device=counts.device)
    return made.reshape(tuple(counts.shape))


def _kl_normal(p: Normal, q: Normal) -> Any:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


def _kl_bernoulli(p: Bernoulli, q: Bernoulli) -> Any:
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones = ones.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0)
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return ones + zeros.masked_fill(q.probs == 1, math.inf).masked_fill(p.probs == 1, 0)


def _kl_categorical(p: Categorical, q: Categorical) -> Any:
    parts = p.probs * (p.logits - q.logits)
    return parts.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0).sum(-1)


def _kl_uniform(p: Uniform, q: Uniform) -> Any:
    outside = (q.low > p.low) | (q.high < p.high)
    return ((q.high - q.low) / (p.high - p.low)).log().masked_fill(outside, math.inf)


def _kl_exponential(p: Exponential, q: Exponential) -> Any:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


DIVERGENCES: dict[type, Callable[[Any, Any], Any]] = {
    Normal: _kl_normal, Bernoulli: _kl_bernoulli, Categorical: _kl_categorical,
    Uniform: _kl_uniform, Exponential: _kl_exponential,
}  # fmt: skip


def kl_divergence(p: Distribution, q: Distribution) -> Any:
    """The Kullback-Leibler divergence of two distributions of one kind, of their batch shape.

    Raises NotImplementedError for kinds without a formula.
    """
    if type(p) is not type(q) or type(p) not in DIVERGENCES:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}"
        )
    return DIVERGENCES[type(p)](p, q)
