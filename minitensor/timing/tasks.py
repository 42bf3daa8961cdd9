"""The course's measurement set: what ``record`` and ``compare`` time, over sizes.

Each Task makes a function of no arguments that does the work once. It is written in PyTorch's
names, so ``lib`` may be minitensor or PyTorch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .work import Work, work

Run = Callable[[], Any]
ELEMENTS = (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
SIDES = (16, 64, 256, 512, 1024)
BATCHES = (1, 8, 64, 512)
# On a GPU also sizes that a CPU takes too long for.
LARGER = {ELEMENTS: (100_000_000,), SIDES: (2048, 4096)}


class Task(NamedTuple):
    """One thing to time: ``make(lib, device)`` returns the function; ``size`` is the plot's x."""

    group: str
    name: str
    size: int
    make: Callable[[Any, Any], Run]
    work: Work | None = None


def minitensor() -> Any:
    """The library itself, under the names that its users see."""
    return importlib.import_module(__name__.partition(".")[0])


def tasks(device: str = "cpu") -> Iterator[Task]:
    """The set for a device."""
    gpu = device.startswith("cuda")

    def sizes(small: tuple[int, ...]) -> tuple[int, ...]:
        return (*small, *LARGER.get(small, ())) if gpu else small

    for n in sizes(ELEMENTS):
        yield from _op("elementwise", "add", n, (n,), (n,), moved=gpu)
        yield from _op("elementwise", "tanh", n, (n,))
        yield from _op("reduction", "sum", n, (n,))
    for n in sizes(SIDES):
        yield from _op("matmul", "matmul", n, (n, n), (n, n), moved=gpu)
    for n in sizes(BATCHES):
        yield from _op("conv", "conv2d", n, (n, 16, 28, 28), (32, 16, 3, 3))
    for name in MODELS:
        for n in sizes(BATCHES):
            yield training(name, n)


def _op(group: str, name: str, size: int, *shapes: Any, moved: bool = False) -> Iterator[Task]:
    """An op with its data where it computes, and, if ``moved``, with data on the host."""

    def make(lib: Any, device: Any, home: Any = None) -> Run:
        fn, values = getattr(lib, name), np.random.default_rng(0)
        inputs = [
            lib.from_numpy(values.standard_normal(s, np.float32)).to(home or device) for s in shapes
        ]

        def run() -> Any:
            with lib.no_grad():
                if home is None:
                    return fn(*inputs)
                return fn(*[x.to(device) for x in inputs]).to(home)

        return run

    yield Task(group, name, size, make, work(name, shapes))
    if moved:
        there_and_back = lambda lib, device: make(lib, device, "cpu")  # noqa: E731
        yield Task(f"{group}, data moved", name, size, there_and_back, work(name, shapes))


MODELS: dict[str, tuple[tuple[int, ...], Callable[[Any], tuple[Any, ...]]]] = {
    "MLP 784-256-128-10": (
        (784,),
        lambda nn: (
            nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10),
        ),
    ),
    "CNN 8-16 channels, 28 x 28": (
        (1, 28, 28),
        lambda nn: (
            nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 10),
        ),
    ),
    "transformer block, 64 x 128": (
        (64, 128),
        lambda nn: (
            nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True),
            nn.Flatten(), nn.Linear(64 * 128, 10),
        ),
    ),
}  # fmt: skip


def training(name: str, batch: int) -> Task:
    """A training step: forward, cross-entropy, backward, Adam. It returns the loss, unread."""
    shape, layers = MODELS[name]

    def make(lib: Any, device: Any) -> Run:
        lib.manual_seed(0)
        model = lib.nn.Sequential(*layers(lib.nn)).to(device)
        x = lib.randn(batch, *shape).to(device)
        target = lib.randint(0, 10, (batch,)).to(device)
        adam = lib.optim.Adam(model.parameters())

        def step() -> Any:
            adam.zero_grad()
            loss = lib.nn.functional.cross_entropy(model(x), target)
            loss.backward()
            adam.step()
            return loss.detach()

        return step

    return Task("training", name, batch, make)


def first(lib: Any, device: Any) -> Run:
    """Work whose first calls are timed one by one: a product, tanh and a sum."""
    x = lib.ones(256, 256).to(device)
    return lambda: (x @ x).tanh().sum()


def small(lib: Any, device: Any) -> Run:
    """The smallest op: what it takes is overhead."""
    x = lib.ones(1).to(device)
    return lambda: lib.add(x, x)
