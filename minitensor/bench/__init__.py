"""``python -m minitensor.bench``: what an op and a training step cost, beside their peers.

The same work is done by hand in plain NumPy, by minitensor and, where it is installed, by PyTorch.
The runs are interleaved, so that a busy moment of the machine hits all of them, on one thread. Each
must reach the same loss and stay in float32, or the comparison is refused. Printed are medians of
the times and the ratios within this one run.

``data.py`` holds sizes and starting values, ``hand.py`` and ``hand_training.py`` the work in NumPy,
``tensors.py`` the work with tensors, the same lines for minitensor and PyTorch.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

from . import hand, hand_training, tensors
from .tensors import Step

MINE, BY_HAND = "minitensor", "NumPy by hand"


class Work(NamedTuple):
    """One thing to measure: in words, by hand (None where there is no such thing), on a library."""

    label: str
    by_hand: Callable[[], Step] | None
    by_tensors: Callable[[Any], Step]
    goal: float  # issue 6: at most this multiple of PyTorch's time


WORK: dict[str, Work] = {
    "chain": Work("chain of 999 small ops", hand.chain, tensors.chain, 0.6),
    "no_grad": Work("the same, forward, no_grad", hand.forward_only, tensors.forward_only, 0.6),
    "small_mlp": Work("MLP 2-16-16-1, 20 steps", hand_training.small_mlp, tensors.small_mlp, 0.4),
    "mlp": Work("MLP 784-256-128-10, 5 steps", hand_training.mlp, tensors.mlp, 0.95),
    "cnn": Work("CNN on 64 x 28 x 28, 2 steps", hand_training.cnn, tensors.cnn, 0.75),
    "transformer": Work(
        "transformer block, 2 steps", hand_training.transformer, tensors.transformer, 1.0
    ),
    "elementwise": Work("tanh(a*b+c).sum(), 10 M", hand.elementwise, tensors.elementwise, 0.4),
    "deep": Work("100,000 adds deep", None, tensors.deep, 0.5),
}


def library(peer: str) -> Any:
    """The module of a peer; PyTorch on as many threads as NumPy was told to use."""
    lib = importlib.import_module("torch" if peer == "PyTorch" else MINE)
    if peer == "PyTorch":
        lib.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return lib


def peers() -> list[str]:
    """Who is compared: PyTorch only where it is installed."""
    found = importlib.util.find_spec("torch") is not None
    return [BY_HAND, MINE] + (["PyTorch"] if found else [])


def steps_of(work: Work) -> dict[str, Step]:
    """The work, ready to be done, for each peer that can do it."""
    made: dict[str, Step] = {}
    for peer in peers():
        if peer != BY_HAND:
            made[peer] = work.by_tensors(library(peer))
        elif work.by_hand:
            made[peer] = work.by_hand()
    return made


def check(answers: dict[str, tuple[float, str]]) -> None:
    """Refuse to compare different work.

    Raises AssertionError if the peers' losses differ by more than 1e-4, or one leaves float32.
    """
    wanted = next(iter(answers.values()))[0]
    for peer, (loss, dtype) in answers.items():
        assert abs(loss - wanted) <= 1e-4 * max(1.0, abs(wanted)), f"{peer}: {loss}, not {wanted}"
        assert dtype == "float32", f"{peer} computed in {dtype}"


def measure(work: Work, rounds: int) -> dict[str, float]:
    """Median seconds of each peer over interleaved rounds; refused as ``check`` says.

    What imports left behind (PyTorch alone some 150,000 objects) is put out of the garbage
    collector's sight first: how long it takes to look through that is nobody's work here.
    """
    steps = steps_of(work)
    gc.collect()
    gc.freeze()
    check({peer: step() for peer, step in steps.items()})  # also the warm-up
    times: dict[str, list[float]] = {peer: [] for peer in steps}
    for _ in range(rounds):
        for peer, step in steps.items():
            start = time.perf_counter()
            step()
            times[peer].append(time.perf_counter() - start)
    return {peer: statistics.median(t) for peer, t in times.items()}


def peak_memory(work: Work) -> int:
    """Bytes that minitensor holds at most while it works, beyond what it held before."""
    step = work.by_tensors(library(MINE))
    step()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    step()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return peak
