"""``python -m minitensor.bench``: what an op and a training step cost, beside their peers.

The same work is done by hand in plain NumPy, by minitensor and, where it is installed, by PyTorch.
The runs are interleaved, so that a busy moment of the machine hits all of them, on one thread. Each
must reach the same loss and stay in float32, or the comparison is refused. Printed are medians of
the times and the ratios within this one run.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import itertools
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Step = Callable[[], tuple[float, str]]  # does the work once; returns its loss and dtype


def _on_one_thread() -> None:
    """See that NumPy's BLAS uses one thread: if it was not told so, start again, telling it."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    if all(os.environ.get(name) == "1" for name in names):
        return
    settings = {**os.environ, **dict.fromkeys(names, "1")}
    again = [sys.executable, "-m", "minitensor.bench", *sys.argv[1:]]
    sys.exit(subprocess.run(again, env=settings, check=False).returncode)


# -- a chain of small ops: add, mul, tanh on 32 float32 values, 999 in all ------------------------


def chain(peer: str) -> Step:
    """Forward and backward through 333 times ``y = tanh((y + b) * w)``."""
    import numpy as np

    values = [np.full(32, v, np.float32) for v in (0.5, 0.9, 0.01)]
    if peer == "NumPy by hand":
        return lambda: _chain_by_hand(np, *values)
    lib = _library(peer)
    x, w, b = (lib.from_numpy(v.copy()) for v in values)
    x.requires_grad_(), w.requires_grad_()

    def step() -> tuple[float, str]:
        x.grad = w.grad = None
        y = x
        for _ in range(333):
            y = ((y + b) * w).tanh()
        loss = y.sum()
        loss.backward()
        return float(w.grad.sum()), _dtype(w.grad)

    return step


def _chain_by_hand(np: Any, x: Any, w: Any, b: Any) -> tuple[float, str]:
    y, kept = x, []
    for _ in range(333):
        before = y + b
        y = np.tanh(before * w)
        kept.append((before, y))
    g, gw = np.ones_like(y), np.zeros_like(w)
    for before, y in reversed(kept):
        g = g - g * (y * y)
        gw += g * before
        g = g * w
    return float(gw.sum()), str(gw.dtype)


def forward_only(peer: str) -> Step:
    """The same chain forward, with recording off."""
    import numpy as np

    x, w, b = (np.full(32, v, np.float32) for v in (0.5, 0.9, 0.01))
    if peer == "NumPy by hand":
        return lambda: _forward(np.tanh, x, w, b)
    lib = _library(peer)
    tensors = [lib.from_numpy(v.copy()) for v in (x, w, b)]

    def step() -> tuple[float, str]:
        with lib.no_grad():
            return _forward(lib.tanh, *tensors)

    return step


def _forward(tanh: Any, x: Any, w: Any, b: Any) -> tuple[float, str]:
    for _ in range(333):
        x = tanh((x + b) * w)
    return float(x.sum()), _dtype(x)


# -- one training step of an MLP 784-256-128-10, batch 128, cross-entropy, SGD --------------------

SIZES = (784, 256, 128, 10)


def mlp(peer: str) -> Step:
    """Forward, backward and update, 5 steps from the same start."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.standard_normal((128, SIZES[0])).astype(np.float32)
    target = rng.integers(0, SIZES[-1], 128)
    layers = [
        (rng.standard_normal((n, m)) / n**0.5).astype(np.float32)
        for n, m in itertools.pairwise(SIZES)
    ]
    biases = [np.zeros(m, np.float32) for m in SIZES[1:]]
    if peer == "NumPy by hand":
        return lambda: _mlp_by_hand(np, x, target, layers, biases)
    lib = _library(peer)
    return lambda: _mlp_by_tensors(lib, x, target, layers, biases)


def _mlp_by_hand(np: Any, x: Any, target: Any, layers: Any, biases: Any) -> tuple[float, str]:
    ws, bs, rows = [w.copy() for w in layers], [b.copy() for b in biases], np.arange(len(x))
    for _ in range(5):
        hidden = [x]
        for w, b in zip(ws[:-1], bs[:-1], strict=True):
            hidden.append(np.maximum(hidden[-1] @ w + b, 0))
        z = hidden[-1] @ ws[-1] + bs[-1]
        z -= z.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        loss = -log_p[rows, target].mean()
        g = np.exp(log_p)
        g[rows, target] -= 1
        g /= len(x)
        for i in reversed(range(len(ws))):
            gw, gb = hidden[i].T @ g, g.sum(axis=0)
            if i:
                g = (g @ ws[i].T) * (hidden[i] > 0)
            ws[i] -= 0.1 * gw
            bs[i] -= 0.1 * gb
    return float(loss), str(ws[0].dtype)


def _mlp_by_tensors(lib: Any, x: Any, target: Any, layers: Any, biases: Any) -> tuple[float, str]:
    inputs, wanted, rows = lib.from_numpy(x), lib.from_numpy(target), lib.arange(len(x))
    ws = [lib.from_numpy(w.copy()).requires_grad_() for w in layers]
    bs = [lib.from_numpy(b.copy()).requires_grad_() for b in biases]
    for _ in range(5):
        h = inputs
        for w, b in zip(ws[:-1], bs[:-1], strict=True):
            h = (h @ w + b).relu()
        log_p = (h @ ws[-1] + bs[-1]).log_softmax(1)
        loss = -log_p[rows, wanted].mean()
        loss.backward()
        with lib.no_grad():
            for p in (*ws, *bs):
                p -= 0.1 * p.grad
                p.grad = None
    return float(loss.detach()), _dtype(ws[0])


# -- the table ------------------------------------------------------------------------------------

WORK: dict[str, Callable[[str], Step]] = {
    "chain of 999 small ops, forward and backward": chain,
    "the same, forward under no_grad": forward_only,
    "MLP 784-256-128-10, batch 128, 5 steps": mlp,
}
MINE = "minitensor"


def _library(peer: str) -> Any:
    lib = importlib.import_module("torch" if peer == "PyTorch" else MINE)
    if peer == "PyTorch":
        lib.set_num_threads(1)
    return lib


def _dtype(t: Any) -> str:
    return str(t.dtype).rsplit(".", 1)[-1]


def peers() -> list[str]:
    """Who is compared: PyTorch only where it is installed."""
    found = importlib.util.find_spec("torch") is not None
    return ["NumPy by hand", MINE] + (["PyTorch"] if found else [])


def measure(make: Callable[[str], Step], rounds: int) -> dict[str, float]:
    """Median seconds of each peer over interleaved rounds.

    Raises AssertionError if the peers' losses differ by more than 1e-4, or one leaves float32.
    """
    steps = {peer: make(peer) for peer in peers()}
    answers = {peer: step() for peer, step in steps.items()}  # also the warm-up
    wanted = answers["NumPy by hand"][0]
    for peer, (loss, dtype) in answers.items():
        assert abs(loss - wanted) <= 1e-4 * max(1.0, abs(wanted)), f"{peer}: {loss}, not {wanted}"
        assert dtype == "float32", f"{peer} computed in {dtype}"
    times: dict[str, list[float]] = {peer: [] for peer in steps}
    for _ in range(rounds):
        for peer, step in steps.items():
            start = time.perf_counter()
            step()
            times[peer].append(time.perf_counter() - start)
    return {peer: statistics.median(t) for peer, t in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m minitensor.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="interleaved rounds (default 21)")
    rounds = parser.parse_args().rounds
    _on_one_thread()
    import numpy

    names = peers()
    versions = f"Python {platform.python_version()}, NumPy {numpy.__version__}"
    print(f"{platform.machine()}, {platform.system()}, {versions}, one thread, {rounds} rounds")
    print(f"{'work':46}" + "".join(f"{name:>16}" for name in names) + "   ratios")
    for label, make in WORK.items():
        result = measure(make, rounds)
        cells = "".join(f"{result[name] * 1e3:>13.2f} ms" for name in names)
        ratios = [f"{result[MINE] / result[n]:.2f} of {n}" for n in names if n != MINE]
        print(f"{label:46}{cells}   {', '.join(ratios)}")


if __name__ == "__main__":
    main()
