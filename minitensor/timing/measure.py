"""``bench``: how long a call takes, and how precisely that is known.

A timing is a sample from a distribution, so a result holds all samples, and shows their median and
quartiles. A GPU call returns before the work is done, so the clock is read after ``synchronize``.
The first calls are not typical (compiling, caches), so they are made and left out. A clock has a
resolution, so a sample holds as many calls as make it far longer than that.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .. import cuda
from ..backend import device as as_device

TICKS = 1000  # a sample lasts at least so many ticks of the clock: an error of 0.1 percent
LEAST = 6  # samples: with fewer there is no interval that holds the median 95 times in 100
MOST = 200
MOST_CALLS = 1_000_000


class TimingError(RuntimeError):
    """A time that cannot be told honestly."""


class Clock:
    """The computer's clock, and how to wait for a device: "cpu", "cuda" or "cuda:1"."""

    def __init__(self, where: Any = "cpu"):
        self.device = as_device(where)
        if self.device.type == "cuda":
            cuda.synchronize(self.device)  # says at once if there is no GPU
        self.now = time.perf_counter
        self.resolution = _resolution()

    def __str__(self) -> str:
        return str(self.device)

    def synchronize(self) -> None:
        """Wait until the device has finished all work; a CPU has when a call returns."""
        if self.device.type == "cuda":
            cuda.synchronize(self.device)


def clock_of(where: Any) -> Any:
    """What tells the time for a device: an object with clock and queue of its own is its own."""
    return where if hasattr(where, "now") and hasattr(where, "synchronize") else Clock(where)


def _resolution() -> float:
    """The smallest step, in seconds, that the computer's clock was seen to make."""
    steps = []
    for _ in range(50):
        start = end = time.perf_counter()
        while end == start:
            end = time.perf_counter()
        steps.append(end - start)
    return min(steps)


@dataclass(frozen=True)
class Timing:
    """What ``bench`` found. Times are in seconds for one call.

    ``samples`` are in the order in which they were taken; each is the mean over ``calls`` calls in
    a row. ``wanted`` is the relative precision that was asked for. ``what`` says whether the work
    was waited for ("work") or only its start ("launch").
    """

    samples: tuple[float, ...]
    calls: int
    wanted: float
    device: str
    what: str = "work"
    label: str = ""

    @property
    def median(self) -> float:
        """Half of the samples are below."""
        return statistics.median(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """A quarter of the samples are below the first, a quarter above the second."""
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return low, high

    @property
    def interval(self) -> tuple[float, float]:
        """Two samples between which the true median lies, 95 times in 100.

        It takes no bell curve: the number of samples below the median is that of heads in as many
        tosses of a coin. (``bench`` stops when the interval is narrow, so a little less than 95.)
        """
        ordered, n = sorted(self.samples), len(self.samples)
        outside, k = 0.0, 0
        while outside + math.comb(n, k) / 2**n <= 0.025:
            outside += math.comb(n, k) / 2**n
            k += 1
        return ordered[max(k - 1, 0)], ordered[min(n - k, n - 1)]

    @property
    def precision(self) -> float:
        """Half the width of ``interval``, as a share of the median."""
        low, high = self.interval
        return (high - low) / 2 / self.median

    @property
    def reached(self) -> bool:
        """Whether the precision is the one that was wanted."""
        return self.precision <= self.wanted

    def __str__(self) -> str:
        low, high = self.quartiles
        label, verb = self.label and self.label + ": ", "" if self.reached else "NOT "
        if self.what == "first calls":
            first, n = seconds(self.samples[0]), len(self.samples)
            return f"{label}call 1 took {first}, the median of {n} is {seconds(self.median)}"
        return (
            f"{label}{seconds(self.median)} (quartiles {seconds(low)} to {seconds(high)}), "
            f"{len(self.samples)} samples of {self.calls} calls, {self.what} on {self.device}, "
            f"precision {self.precision:.1%}: {verb}the {self.wanted:.1%} wanted"
        )


def seconds(t: float) -> str:
    """A time in words: ``seconds(2.5e-6)`` is "2.5 µs"."""
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(t) >= unit:
            return f"{t / unit:.3g} {name}"
    return f"{t / 1e-9:.3g} ns"


def bench(
    fn: Callable[[], Any],
    device: Any = "cpu",
    *,
    precision: float = 0.05,
    limit: float = 2.0,
    warmup: int = 3,
    calls: int | None = None,
    wait: bool = True,
    label: str = "",
) -> Timing:
    """Time ``fn()`` until its median is known to a relative ``precision``, or time is up.

    Args:
        fn: what to time; what it returns is dropped.
        device: "cpu", "cuda", "cuda:1", or an object with ``now()``, ``synchronize()`` and
            ``resolution`` (see FakeDevice).
        precision: half the width of the 95 % interval of the median, as a share of the median.
        limit: seconds. At least 6 samples are taken in any case; ``reached`` says if they do.
        warmup: calls that are made first and not counted, at least 1.
        calls: how many calls make a sample; without it, enough for 1,000 ticks of the clock.
        wait: whether a sample ends when the device has finished, or when the calls have returned.

    Raises ValueError for arguments that make no timing, TimingError where a sample is too short
    for the clock to tell, and RuntimeError without the device.
    """
    if not 0 < precision < 1 or limit <= 0 or warmup < 1 or (calls is not None and calls < 1):
        raise ValueError("bench needs 0 < precision < 1, limit > 0, warmup >= 1 and calls >= 1")
    clock, what = clock_of(device), "work" if wait else "launch"
    for _ in range(warmup):
        fn()
    clock.synchronize()
    with no_gc():
        start = clock.now()
        count = enough_calls(fn, clock, wait) if calls is None else calls
        samples: list[float] = []
        while len(samples) < MOST:
            samples.append(sample(fn, clock, count, wait) / count)
            timing = Timing(tuple(samples), count, precision, str(clock), what, label)
            done = len(samples) % LEAST == 0 and timing.reached
            if len(samples) >= LEAST and (done or clock.now() - start >= limit):
                break
    return timing


def sample(fn: Callable[[], Any], clock: Any, calls: int, wait: bool = True) -> float:
    """Seconds that ``calls`` calls take. Raises TimingError if that is too short to be told."""
    taken = _elapsed(fn, clock, calls, wait)
    if taken < TICKS / 10 * clock.resolution:
        raise TimingError(
            f"{calls} call(s) took {seconds(taken)}, and the clock of {clock} moves in steps of "
            f"{seconds(clock.resolution)}: too short to be told. Put more calls into a sample "
            "(leave out `calls`), or more work into a call."
        )
    return taken


def _elapsed(fn: Callable[[], Any], clock: Any, calls: int, wait: bool) -> float:
    clock.synchronize()
    start = clock.now()
    for _ in range(calls):
        fn()
    if wait:
        clock.synchronize()
    taken = clock.now() - start
    clock.synchronize()
    return float(taken)


def enough_calls(fn: Callable[[], Any], clock: Any, wait: bool = True, least: float = 0.0) -> int:
    """How many calls last for 1,000 ticks of the clock and ``least`` seconds.

    Raises TimingError if a million calls do not.
    """
    calls, wanted = 1, max(TICKS * clock.resolution, least)
    while calls <= MOST_CALLS:
        taken = _elapsed(fn, clock, calls, wait)
        # Once more: the machine may have paused in the middle of the first reading.
        if taken >= wanted and _elapsed(fn, clock, calls, wait) >= wanted / 2:
            return calls
        calls *= 2 if taken >= wanted / 4 else 4
    raise TimingError(
        f"{calls} calls took no time that the clock of {clock} can tell: its steps are "
        f"{seconds(clock.resolution)}"
    )


@contextmanager
def no_gc() -> Iterator[None]:
    """Python collects no garbage inside: it would land in whichever sample is being taken."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def first_calls(make: Callable[[], Callable[[], Any]], device: Any = "cpu", n: int = 20) -> Timing:
    """The first ``n`` calls of a new function, one by one and in order: the first are not typical.

    ``make()`` returns it. Raises TimingError if a call is too short for the clock.
    """
    clock, fn = clock_of(device), make()
    with no_gc():
        samples = tuple(sample(fn, clock, 1) for _ in range(n))
    return Timing(samples, 1, 1.0, str(clock), "first calls")
