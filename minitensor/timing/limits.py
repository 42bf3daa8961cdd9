"""``limits``: what this machine can do at best, measured. ``transfer``: what moving data costs.

The roofline: no op can be quicker than its bytes at full bandwidth, nor than its operations at the
full rate of a matrix product. Put a measured time beside that bound, and see what holds it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import backend, cuda
from .measure import Timing, bench
from .work import Work, work


@dataclass(frozen=True)
class Limits:
    """A machine's best: ``bandwidth`` in bytes a second, ``rate`` in operations a second.

    ``launch`` is what the smallest op costs, in seconds. ``timings`` are the measurements.
    """

    device: str
    dtype: str
    bandwidth: float
    rate: float
    launch: float
    timings: dict[str, Timing]

    @property
    def balance(self) -> float:
        """Operations a byte where bandwidth and arithmetic take equally long."""
        return self.rate / self.bandwidth

    def best(self, needed: Work) -> float:
        """Seconds that ``needed`` takes at least, on these limits."""
        return max(needed.bytes / self.bandwidth, needed.flops / self.rate)

    def attainable(self, intensity: float) -> float:
        """The roofline: operations a second at ``intensity`` operations a byte."""
        return min(self.rate, intensity * self.bandwidth)


def limits(
    device: Any = "cpu", dtype: Any = "float32", megabytes: int = 256, size: int = 1024,
    limit: float = 2.0,
) -> Limits:  # fmt: skip
    """Measure a device: a copy of ``megabytes``, and a matrix product of ``size`` by ``size``.

    Take ``megabytes`` far above the caches (they are faster than memory), and a larger ``size``
    for a large GPU. ``limit`` is the time for each of three measurements, in seconds. The rate is
    that of the product that the array module gives, on as many threads as it uses.

    Raises RuntimeError without the device.
    """
    xp, d = backend.module_for(device), backend.as_dtype(dtype)
    big = xp.ones(megabytes * 2**20 // 2 // d.itemsize, d.numpy)
    target, square, one = xp.empty_like(big), xp.ones((size, size), d.numpy), xp.ones(1, d.numpy)
    product = xp.empty_like(square)
    runs = {
        "copy": lambda: xp.copyto(target, big),
        "matmul": lambda: xp.matmul(square, square, out=product),
        "launch": lambda: xp.add(one, one, out=one),
    }
    timings = {name: bench(run, device, limit=limit, label=name) for name, run in runs.items()}
    moved = work("copy", [big.shape], d).bytes
    made = work("matmul", [square.shape, square.shape], d).flops
    return Limits(
        str(device), d.name, moved / timings["copy"].median, made / timings["matmul"].median,
        timings["launch"].median, timings,
    )  # fmt: skip


def transfer(nbytes: int, device: Any = "cuda", limit: float = 1.0) -> dict[str, Timing]:
    """Time moving ``nbytes`` from host to device ("to"), and back ("back"); and "pinned" on a GPU.

    ``device`` may be a FakeDevice. Raises ValueError for the CPU, where nothing moves, and
    RuntimeError without the device.
    """
    if hasattr(device, "copy"):
        runs = {"to": lambda: device.copy(nbytes), "back": lambda: device.copy(nbytes)}
    else:
        if backend.device(device).type == "cpu":
            raise ValueError("transfer: nothing moves to the CPU; name another device")
        host = np.zeros(nbytes, np.uint8)
        far = backend.move(host, device)
        runs = {
            "to": lambda: backend.move(host, device),
            "back": lambda: backend.to_numpy(far),
        }
        if cuda.is_available() and backend.device(device).type == "cuda":
            pinned = backend.pin(host)
            runs["pinned"] = lambda: backend.move(pinned, device)
    return {name: bench(run, device, limit=limit, label=name) for name, run in runs.items()}
