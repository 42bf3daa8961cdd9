"""How fast is chapter 02's scalar engine? A training step of a small network, timed.

    python -m kit.scalar_bench [points]

The engine beside it keeps the same graph as many small scalar engines do: a closure for each way
back, a set of parents. All sort in the same way. Times are medians of interleaved rounds.

What to expect: operation for operation, a tuple of slopes costs somewhat less than a closure. With
many points the lead grows, since a value and its closure point at each other: they wait for the
garbage collector, which walks through all of them again and again. `dot` makes fewer values.
"""

import functools
import gc
import math
import platform
import random
import statistics
import sys
import time
from itertools import pairwise

from kit.scalar import Value, dot

SIZES = (2, 16, 16, 1)
RATE = 0.01


class Closure:
    """A float that carries its own way back as a function."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.back = data, 0.0, set(parents), None

    def __add__(self, other):
        out = Closure(self.data + other.data, (self, other))

        def back():
            self.grad += out.grad
            other.grad += out.grad

        out.back = back
        return out

    def __mul__(self, other):
        out = Closure(self.data * other.data, (self, other))

        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.back = back
        return out

    def tanh(self):
        out = Closure(math.tanh(self.data), (self,))

        def back():
            self.grad += (1.0 - out.data**2) * out.grad

        out.back = back
        return out


def topological(out):
    """List the values below `out`, each after its parents: chapter 03's, with a set beside it."""
    order, seen = [], set()

    def walk(value):
        if value not in seen:
            seen.add(value)
            for parent in value.parents:
                walk(parent)
            order.append(value)

    walk(out)
    return order


def backward_by_closures(out):
    out.grad = 1.0
    for value in reversed(topological(out)):
        if value.back:
            value.back()


def backward_by_slopes(out):
    out.grad = 1.0
    for value in reversed(topological(out)):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad


def added(inputs, weights):
    """Return the sum of products, one product and one sum at a time."""
    products = [x * w for x, w in zip(inputs, weights, strict=True)]
    return functools.reduce(lambda total, product: total + product, products)


# name -> the class, its way back, its sum of products
ENGINES = {
    "closures": (Closure, backward_by_closures, added),
    "chapter 02": (Value, backward_by_slopes, added),
    "with dot": (Value, backward_by_slopes, dot),
}


class Network:
    """A network of tanh neurons, layers as in SIZES, on `points` points; same numbers each time."""

    def __init__(self, engine, points):
        self.kind, self.backward, self.weigh = ENGINES[engine]
        draw = random.Random(0)
        self.layers = [
            [[self.kind(draw.uniform(-1, 1) / n) for _ in range(n + 1)] for _ in range(m)]
            for n, m in pairwise(SIZES)
        ]
        self.points = [(draw.uniform(-1, 1), draw.uniform(-1, 1)) for _ in range(points)]
        self.parameters = [w for layer in self.layers for neuron in layer for w in neuron]

    def loss(self):
        """Record and return the sum of squared misses; the target of a point is x times y."""
        squares = []
        for x, y in self.points:
            values = [self.kind(x), self.kind(y)]
            for layer in self.layers:
                values = [(self.weigh(values, ws[1:]) + ws[0]).tanh() for ws in layer]
            miss = values[0] + self.kind(-x * y)
            squares.append(miss * miss)
        return functools.reduce(lambda total, square: total + square, squares)

    def step(self):
        """Record, pass back, move the parameters. Return the loss before the step."""
        for parameter in self.parameters:
            parameter.grad = 0.0
        loss = self.loss()
        self.backward(loss)
        for parameter in self.parameters:
            parameter.data -= RATE / len(self.points) * parameter.grad
        return loss.data


def measure(points, rounds=9):
    """Return the median seconds of a step for each engine; raise if their losses differ."""
    networks = {name: Network(name, points) for name in ENGINES}
    seconds = {name: [] for name in ENGINES}
    for _ in range(rounds):
        losses = []
        for name, network in networks.items():
            gc.collect()
            start = time.perf_counter()
            losses.append(network.step())
            seconds[name].append(time.perf_counter() - start)
        if not all(math.isclose(loss, losses[0], rel_tol=1e-9) for loss in losses):
            raise ValueError(f"the engines do different work: losses {losses}")
    return {name: statistics.median(times) for name, times in seconds.items()}


def main(points=100):
    result = measure(points)
    shape = "-".join(map(str, SIZES))
    print(f"a step of {shape} on {points} points, Python {platform.python_version()}")
    for name, seconds in result.items():
        print(f"{name:12}{1e3 * seconds:9.1f} ms {result['closures'] / seconds:6.1f} times")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
