"""What an op costs, counted, not timed: the calls that Python makes for it.

A time depends on the machine and on the hour; the number of calls does not. Each limit is the count
when this was written: a change that raises one makes every step of every program slower, and has
to say why it may. ``python -m minitensor.bench`` measures.
"""

import sys

import numpy as np
import pytest

import minitensor as mt
import minitensor.nn.functional as F


def calls(work):
    """How many Python and C functions ``work()`` calls, after it has been done twice."""
    work(), work()
    count = 0

    def hear(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(hear)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count - 2  # work itself, and the call that ends the counting


def tensors(*shapes, requires_grad=False):
    rng = np.random.default_rng(0)
    made = [mt.from_numpy(rng.standard_normal(s).astype(np.float32)) for s in shapes]
    return [t.requires_grad_(requires_grad) for t in made]


A, B = tensors((4, 4), (4, 4))
W, V = tensors((4, 4), (4,), requires_grad=True)

FORWARD = {
    "add": (lambda: A + B, 3),
    "add, recorded": (lambda: W + A, 3),
    "multiply by a number": (lambda: A * 2.0, 3),
    "tanh": (lambda: A.tanh(), 2),
    "matmul": (lambda: A @ B, 11),  # dot, a method, is counted; a ufunc as matmul is not
    "sum": (lambda: A.sum(), 15),
    "view": (lambda: A.view(16), 25),
    "linear": (lambda: F.linear(A, W, V), 11),
    "relu": (lambda: F.relu(A), 8),
    "mse_loss": (lambda: F.mse_loss(A, B), 15),
}


@pytest.mark.parametrize("name", FORWARD)
def test_forward(name):
    work, limit = FORWARD[name]
    assert calls(work) <= limit


def test_backward_of_a_chain():
    """Each further step of a chain costs so many calls on the way back."""

    def cost(length):
        def work():
            y = W
            for _ in range(length):
                y = ((y + A) * B).tanh()
            seed = mt.ones(4, 4)
            forward.append(y)
            y.backward(seed)

        forward = []
        return calls(work)

    per_step = (cost(20) - cost(10)) / 10
    assert per_step <= 19  # three steps forward and back, and what they call


def test_a_step_of_sgd():
    parameters = tensors(*[(3, 3)] * 4, requires_grad=True)
    optimiser = mt.optim.SGD(parameters, lr=0.1)
    for p in parameters:
        p.grad = mt.ones(3, 3)
    assert calls(optimiser.step) / len(parameters) <= 8


def test_importing_compiles_no_lane():
    """Lanes are compiled when they are first called: that is half of the time of an import."""
    import subprocess

    code = "import linecache, minitensor; print(sum('<lane of' in f for f in linecache.cache))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0
