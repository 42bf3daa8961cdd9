"""A device that works behind your back, on a clock that you can trust: for lessons and for tests.

It behaves as a GPU does. ``launch`` returns at once and the work is done later, in order;
``synchronize`` waits for it; the first launch of a kernel compiles it; copies wait for what was
launched before. Its clock is virtual: nothing here takes real time, and the same calls always give
the same times.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """One piece of work: when it was asked for, when that call returned, when the work was done."""

    name: str
    called: float
    returned: float
    started: float
    finished: float


class FakeDevice:
    """A queue and a virtual clock, both in seconds.

    Args:
        overhead: what a launch costs the caller.
        compiling: what the first launch of each kernel costs on top.
        bandwidth: bytes a second of a copy between host and device.
        jitter: each piece of work takes up to this share longer, by chance, and one in twenty
            twice as long; 0 for none.
        seed: of that chance.
    """

    resolution = 1e-9

    def __init__(
        self,
        overhead: float = 5e-6,
        compiling: float = 0.05,
        bandwidth: float = 12e9,
        jitter: float = 0.0,
        seed: int = 0,
    ):
        self.overhead, self.compiling, self.bandwidth = overhead, compiling, bandwidth
        self.jitter, self._chance = jitter, random.Random(seed)
        self._now = self._free = 0.0  # the host's time; when the device has nothing left to do
        self._compiled: set[str] = set()
        self.log: list[Launch] = []

    def __str__(self) -> str:
        return "fake device"

    def now(self) -> float:
        """The time on the host's clock."""
        return self._now

    def launch(self, kernel: str, duration: float) -> None:
        """Ask for work that takes ``duration`` seconds; return before it is done."""
        called = self._now
        self._now += self.overhead + (0.0 if kernel in self._compiled else self.compiling)
        self._compiled.add(kernel)
        self._queue(kernel, called, self._noisy(duration))

    def copy(self, nbytes: int) -> None:
        """Copy between host and device: waits its turn, and until it is done."""
        called, self._now = self._now, self._now + self.overhead
        self._queue("copy", called, self._noisy(nbytes / self.bandwidth))
        self.synchronize()

    def work(self, duration: float) -> None:
        """The host itself is busy for ``duration`` seconds."""
        self._now += duration

    def synchronize(self) -> None:
        """Wait until nothing is left to do."""
        self._now = max(self._now, self._free)

    def _queue(self, name: str, called: float, duration: float) -> None:
        started = max(self._now, self._free)
        self._free = started + duration
        self.log.append(Launch(name, called, self._now, started, self._free))

    def _noisy(self, duration: float) -> float:
        if not self.jitter:
            return duration
        slow = 2.0 if self._chance.random() < 0.05 else 1.0
        return duration * slow * (1 + self.jitter * self._chance.random())
