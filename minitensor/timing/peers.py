"""``compare``: the same work by hand, by minitensor and by PyTorch, on one device, in one run.

The peers take turns, sample by sample, so that a busy moment of the machine hits all of them. Where
results differ, the comparison is refused: it would compare different work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import backend, bench
from ..bench import data, hand, hand_training
from .measure import Timing, clock_of, enough_calls, no_gc, sample, seconds

Run = Callable[[], Any]
OPS = {"add": 2, "tanh": 1, "sum": 1, "matmul": 2}  # and how many inputs they take
SIDES = (4, 512)  # of matrices: so small that overhead is all, and large
TRAINING = ("small_mlp", "mlp", "cnn", "transformer")  # of bench's works


class OnDevice:
    """A library whose ``from_numpy`` puts the tensor on a device; the rest is as it was."""

    def __init__(self, lib: Any, device: str):
        self.lib, self.device = lib, device

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lib, name)

    def from_numpy(self, array: np.ndarray) -> Any:
        """A tensor with the array's values, on the device."""
        return self.lib.from_numpy(array).to(self.device)


@contextmanager
def by_hand_with(xp: Any) -> Iterator[None]:
    """Bench's work by hand computes with ``xp`` inside: its lines say ``np``, CuPy fits there."""

    def place(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(place(v) for v in value)
        return xp.asarray(value) if isinstance(value, np.ndarray) else value

    moved = {
        name: (lambda *args, made=made: place(made(*args))) if callable(made) else made
        for name, made in vars(data).items()
    }
    modules: tuple[Any, ...] = (hand, hand_training)
    for module in modules:
        module.np, module.data = xp, SimpleNamespace(**moved)
    try:
        yield
    finally:
        for module in modules:
            module.np, module.data = np, data


def by_hand(make: Callable[[], Run], xp: Any) -> Run:
    """A work by hand, made and done with ``xp``."""
    if xp is np:
        return make()
    with by_hand_with(xp):
        step = make()

    def run() -> Any:
        with by_hand_with(xp):
            return step()

    return run


def forward(lib: Any, op: str, side: int, array: Callable[[Any], Any]) -> Run:
    """One op, without gradients; ``array`` makes what the peer computes with."""
    values = np.random.default_rng(0).standard_normal((OPS[op], side, side), np.float32)
    inputs, fn = [array(v) for v in values], getattr(lib, op)
    return lambda: fn(*inputs)


def works(device: str) -> Iterator[tuple[str, dict[str, Run]]]:
    """Each work, in words, and what does it once for each peer."""
    xp = backend.module_for(device)
    name = "NumPy by hand" if xp is np else "CuPy by hand"
    libs = {p: OnDevice(bench.library(p), device) for p in bench.peers() if p != bench.BY_HAND}
    if xp is not np and "PyTorch" in libs and not libs["PyTorch"].cuda.is_available():
        del libs["PyTorch"]  # built without CUDA
    for op in OPS:
        for side in SIDES:
            runs = {name: forward(xp, op, side, xp.asarray)}
            runs |= {p: forward(lib, op, side, lib.from_numpy) for p, lib in libs.items()}
            yield f"{op}, {side} x {side}", runs
    for key in TRAINING:
        work = bench.WORK[key]
        runs = {name: by_hand(work.by_hand, xp)} if work.by_hand else {}
        yield work.label, runs | {p: work.by_tensors(lib) for p, lib in libs.items()}


def check(label: str, answers: dict[str, Any]) -> None:
    """Refuse to compare different work: RuntimeError if results differ by more than 1e-3."""
    found = {p: float(a[0] if isinstance(a, tuple) else a.sum()) for p, a in answers.items()}
    wanted = next(iter(found.values()))
    for peer, value in found.items():
        if not abs(value - wanted) <= 1e-3 * max(1.0, abs(wanted)):
            raise RuntimeError(f"{label}: {peer} found {value}, not {wanted}: no fair comparison")


def interleaved(runs: dict[str, Run], device: Any = "cpu", rounds: int = 31) -> dict[str, Timing]:
    """Time each function over ``rounds`` samples of a millisecond or more, in turns."""
    clock = clock_of(device)
    with no_gc():
        calls = {name: enough_calls(run, clock, least=1e-3) for name, run in runs.items()}
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                taken[name].append(sample(run, clock, calls[name]) / calls[name])
    return {n: Timing(tuple(t), calls[n], 0.05, str(clock), label=n) for n, t in taken.items()}


def compare(device: str = "cpu", rounds: int = 31) -> Iterator[tuple[str, dict[str, Timing]]]:
    """Each work, with a Timing for each peer.

    Raises RuntimeError without the device, and where the peers' results differ.
    """
    for label, runs in works(device):
        check(label, {peer: run() for peer, run in runs.items()})
        yield label, interleaved(runs, device, rounds)


def table(device: str = "cpu", rounds: int = 31) -> Iterator[str]:
    """The comparison in Markdown: medians, then minitensor's as a multiple of each other's."""
    names: list[str] = []
    for label, found in compare(device, rounds):
        if not names:
            names = list(found)
            heads = ["work", *names, *(f"times {n}" for n in names if n != bench.MINE), "precision"]
            yield f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}"
        mine = found[bench.MINE].median
        cells = [seconds(found[n].median) for n in names]
        cells += [f"{mine / found[n].median:.2f}" for n in names if n != bench.MINE]
        yield f"| {label} | {' | '.join(cells)} | {max(t.precision for t in found.values()):.0%} |"
