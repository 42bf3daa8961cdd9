"""Exercises and quiz of chapter 09."""

import math
import warnings

import numpy as np
from kit import pretend
from kit.checks import expect, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt
from minitensor import timing

SETUP = """
import numpy as np
import minitensor as mt
"""

crossover = Exercise(
    "crossover",
    title="From which size on?",
    task="""
        `sizes` rises. For each size there are three times, in seconds: `cpu` for the work on the
        CPU, `gpu` for the work on the GPU, and `moving` for the way there and back. The data starts
        on the CPU, and the result is wanted there. Return the smallest size from which on the GPU
        is faster: for it and for *all* larger sizes. Return None if there is no such size.
        """,
    stub="""
        def crossover(sizes, cpu, gpu, moving):
            ...
            return ...
        """,
    solution="""
        def crossover(sizes, cpu, gpu, moving):
            best = None
            for i in reversed(range(len(sizes))):
                if gpu[i] + moving[i] >= cpu[i]:
                    break
                best = sizes[i]
            return best
        """,
    hints=(
        "Which times must be added before you compare?",
        "Start at the largest size, and go down. When do you stop?",
        "Go from the last position to the first. Stop where `gpu + moving` is not below `cpu`; "
        "else note the size. What you noted last is the answer.",
    ),
    wrong=[
        Slip("gpu[i] + moving[i] >= cpu[i]", "gpu[i] >= cpu[i]", says="the journey"),
        Wrong(
            """
            def crossover(sizes, cpu, gpu, moving):
                for size, c, g, m in zip(sizes, cpu, gpu, moving):
                    if g + m < c:
                        return size
                return None
            """,
            says="the first size",
        ),
        Wrong(
            """
            def crossover(sizes, cpu, gpu, moving):
                for size, c, g in zip(sizes, cpu, gpu):
                    if g < c:
                        return size
                return None
            """,
            says="and the journey is missing",
        ),
        Slip("best = sizes[i]", "best = i", says="a position"),
        Slip("best = None", "best = sizes[-1]", says="never"),
        Slip("gpu[i] + moving[i] >= cpu[i]", "gpu[i] + moving[i] < cpu[i]", says="other way"),
        Wrong(
            """
            def crossover(sizes, cpu, gpu, moving):
                best = None
                for i in reversed(range(len(sizes))):
                    if gpu[i] >= cpu[i] + moving[i]:
                        break
                    best = sizes[i]
                return best
            """,
            says="added to the CPU",
        ),
        Wrong(
            """
            def crossover(sizes, cpu, gpu, moving):
                last = None
                for size, c, g, m in zip(sizes, cpu, gpu, moving):
                    if g + m >= c:
                        last = size
                return last
            """,
            says="the CPU still wins",
        ),
        Slip(">=", ">", says="not faster"),
        Slip("moving[i] >=", "2 * moving[i] >=", says="counted twice"),
    ],
    also_right=[
        """
        def crossover(sizes, cpu, gpu, moving):
            wins = np.array(gpu) + np.array(moving) < np.array(cpu)
            for i in range(len(sizes)):
                if wins[i:].all():
                    return sizes[i]
            return None
        """,
        """
        def crossover(sizes, cpu, gpu, moving):
            best = None
            for size, c, g, m in zip(sizes, cpu, gpu, moving):
                if g + m < c:
                    best = size if best is None else best
                else:
                    best = None
            return best
        """,
    ],
)

SIZES = [10, 100, 1000, 10_000, 100_000]
CPU = [2.0, 8.0, 30.0, 200.0, 900.0]
GPU = [5.0, 6.0, 6.0, 7.0, 20.0]
MOVING = [1.0, 1.0, 31.0, 50.0, 300.0]  # at 1000 the CPU wins once more


@crossover.checker
def check_crossover(crossover):
    micro = [[1e-6 * t for t in times] for times in (CPU, GPU, MOVING)]
    same(
        crossover(list(SIZES), *micro),
        10_000,
        f"crossover({SIZES}, cpu, gpu, moving), in µs: cpu {CPU}, gpu {GPU}, moving {MOVING}",
        causes=[
            (100, early(crossover, micro)),
            (10, "did you add the way there and back, and to which side?"),
            (3, "that is a position in the lists; the size is wanted."),
            (1000, "at that size the CPU still wins; the next one is the first of the others."),
            (None, "the comparison may be the other way round: the GPU wins at the largest size."),
        ],
        hint="write down for each size whether the GPU wins, then look from the right.",
    )
    slow = [micro[0], micro[1], micro[0]]
    same(
        crossover(list(SIZES), *slow),
        None,
        "crossover(...), where the way takes as long as the whole work on the CPU",
        hint="here the GPU never wins: what is left in your variable then?",
    )
    even = [1, 2, 3], [4.0, 6.0, 9.0], [1.0, 2.0, 3.0], [3.0, 3.0, 3.0]
    same(
        crossover(*even),
        2,
        "crossover({}, {}, {}, {})".format(*even),
        causes=[
            (1, "at size 1 both sides take the same time, and that is not faster."),
            (3, "is the journey counted twice? `moving` is the way there and back."),
            (None, "is the journey counted twice? `moving` is the way there and back."),
        ],
        hint="write down the two times that you compare for each size.",
    )
    sizes, cpu, gpu, moving = product_times()
    same(
        crossover(sizes, cpu, gpu, moving),
        brute(sizes, cpu, gpu, moving),
        f"crossover({sizes}, ...), products: a CPU as recorded, a GPU as simulated",
        hint="try your function on the small lists above.",
    )


def early(crossover, micro):
    """Say why 100 came out: the way is missing or on the wrong side, or it is the first size."""
    cpu, gpu, _ = micro
    if crossover([1, 2], [1.0, 1.0], [20.0, 20.0], [9.0, 9.0]) is not None:
        return "that is the first size at which the GPU wins; at a later one it loses again."
    if crossover([1, 2], [1.0, 1.0], [2.0, 2.0], [9.0, 9.0]) is not None:
        return "the way was added to the CPU, or the sides are swapped: who has to travel?"
    if crossover(list(SIZES), cpu, gpu, [1.0] * 5) is None:
        return "that is the first size at which the GPU wins; at a later one it loses again."
    if crossover([1, 2, 3], [2.0, 1.0, 2.0], [1.0, 3.0, 1.0], [0.0] * 3) == 1:
        return "the first size at which it wins, not the last change; and the journey is missing."
    return "the journey is missing: the GPU has to wait for its data, and you for the result."


def brute(sizes, cpu, gpu, moving):
    wins = [g + m < c for c, g, m in zip(cpu, gpu, moving, strict=True)]
    return next((size for i, size in enumerate(sizes) if all(wins[i:])), None)


def product_times():
    """Sizes, recorded CPU times, and by the pretend GPU's rules the work and the way."""
    rows = timing.recorded()[0].select(group="matmul", name="matmul", device="cpu")
    gpu = [pretend.LAUNCH + max(m.bytes / pretend.BANDWIDTH, m.flops / pretend.RATE) for m in rows]
    moving = [3 * pretend.LAUNCH + m.bytes / pretend.LINK for m in rows]
    return [m.size for m in rows], [m.timing.median for m in rows], gpu, moving


bytes_moved = Exercise(
    "bytes_moved",
    title="Bytes that must move",
    task="""
        `x` has the shape (n, k) and `w` the shape (k, m); both have one dtype. Return how many
        bytes `x @ w` has to move at least: each input read once, the result written once. Compute
        no product for it.
        """,
    stub="""
        def bytes_moved(x, w):
            return ...
        """,
    solution="""
        def bytes_moved(x, w):
            numbers = x.numel() + w.numel() + x.shape[0] * w.shape[1]
            return numbers * x.element_size()
        """,
    hints=(
        "Three blocks of numbers move. How many numbers are in each?",
        "The result has the shape (n, m). A number has `x.element_size()` bytes.",
        "Add up n × k, k × m and n × m, and multiply the sum by the bytes of one number.",
    ),
    wrong=[
        Slip("x.element_size()", "x.element_size() * 8", says="bits"),
        Slip("* x.element_size()", "* 1", says="numbers, not bytes"),
        Slip("x.element_size()", "4", says="float64"),
        Slip("x.shape[0] * w.shape[1]", "(x @ w).numel()", says="before"),
        Slip(" + x.shape[0] * w.shape[1]", "", says="the result"),
        Slip("x.shape[0] * w.shape[1]", "x.shape[1] * w.shape[1]", says="its shape is (n, m)"),
        Wrong(
            """
            def bytes_moved(x, w):
                n, k, m = x.shape[0], x.shape[1], w.shape[1]
                return (2 * n * k * m + n * m) * x.element_size()
            """,
            says="for each multiplication",
        ),
        Wrong(
            """
            def bytes_moved(x, w):
                return 2 * x.shape[0] * x.shape[1] * w.shape[1]
            """,
            says="operations",
        ),
    ],
    also_right=[
        """
        def bytes_moved(x, w):
            n, k = x.shape
            m = w.shape[1]
            return x.nbytes + w.nbytes + n * m * (x.nbytes // (n * k))
        """,
        """
        def bytes_moved(x, w):
            (n, k), m = x.shape, w.size(1)
            return (n * k + k * m + n * m) * x.dtype.itemsize
        """,
    ],
)


@bytes_moved.checker
def check_bytes_moved(bytes_moved):
    n, k, m = 5, 3, 7
    parts = n * k + k * m + n * m
    for dtype, size in ((mt.float32, 4), (mt.float64, 8)):
        x, w = mt.ones(n, k, dtype=dtype), mt.ones(k, m, dtype=dtype)
        same(
            bytes_moved(x, w),
            parts * size,
            f"bytes_moved(x, w), for x of shape (5, 3) and w of shape (3, 7), {dtype}",
            causes=[
                (parts * size * 8, "that is bits: a byte has 8 of them."),
                (parts, "that counts numbers, not bytes."),
                ((n * k + k * m) * size, "the result has to be written, too."),
                ((n * k + k * m + k * m) * size, "look at the result again: its shape is (n, m)."),
                ((2 * n * k * m + n * m) * size, "an input is not read for each multiplication."),
                (2 * n * k * m, "those are the operations. How many numbers move?"),
                (parts * 4, "here the numbers are float64: ask the Tensor for their size."),
            ],
            hint="count the numbers of the three blocks first.",
        )
    with pretend.apart() as gpu:
        x, w = (mt.ones(*shape).to("pretend") for shape in ((n, k), (k, m)))
        before = len(gpu.log)
        bytes_moved(x, w)
        asked = [one.name for one in gpu.log[before:]]
    expect(
        not {"matmul", "dot", "tensordot", "einsum"}.intersection(asked),
        "bytes_moved(x, w), on the pretend GPU",
        "no product in the queue",
        "a product",
        "the shapes tell it all: this is a count to make *before* you run the product.",
    )


agree = Exercise(
    "agree",
    title="The same result, but for rounding",
    task="""
        `cpu` and `gpu` are two arrays of one shape, from the same calculation in another order.
        Return True if they agree: the largest difference between two elements is at most `rtol`
        times the largest absolute value in `cpu`. A NaN, in either, agrees with nothing.
        """,
    stub="""
        def agree(cpu, gpu, rtol=1e-5):
            return ...
        """,
    solution="""
        def agree(cpu, gpu, rtol=1e-5):
            difference = np.abs(cpu - gpu).max()
            return bool(difference <= rtol * np.abs(cpu).max())
        """,
    hints=(
        "Two numbers are near if their difference is small. Small compared to what?",
        "`np.abs(...)` and `.max()`: once for the differences, once for the values.",
        "Compare the largest absolute difference with `rtol` times the largest absolute value "
        "of `cpu`, by `<=`. With a NaN in it, a comparison is False.",
    ),
    wrong=[
        Wrong(
            "def agree(cpu, gpu, rtol=1e-5):\n    return bool((cpu == gpu).all())",
            says="to the last bit",
        ),
        Slip("rtol * np.abs(cpu).max()", "rtol", says="whatever the size"),
        Wrong(
            """
            def agree(cpu, gpu, rtol=1e-5):
                return bool((np.abs(cpu - gpu) <= rtol * np.abs(cpu)).all())
            """,
            says="near zero",
        ),
        Slip("np.abs(cpu - gpu).max()", "(cpu - gpu).max()", says="sign of the"),
        Slip("np.abs(cpu).max()", "cpu.max()", says="negative"),
        Slip("difference <=", "not difference >", says="NaN"),
        Slip("<=", "<", says="at most 0"),
        Slip("np.abs(cpu).max()", "np.abs(gpu).max()", says="not in `gpu`"),
        Wrong(
            """
            def agree(cpu, gpu, rtol=1e-5):
                return bool((np.abs(cpu - gpu) <= rtol * np.abs(cpu).max()).any())
            """,
            says="one good element",
        ),
        Slip("np.abs(cpu - gpu).max()", "np.abs(cpu - gpu).mean()", says="a mean"),
        Slip("np.abs(cpu - gpu).max()", "abs(cpu.sum() - gpu.sum())", says="cancel"),
    ],
    also_right=[
        """
        def agree(cpu, gpu, rtol=1e-5):
            return np.allclose(gpu, cpu, rtol=0, atol=rtol * np.abs(cpu).max())
        """,
        """
        def agree(cpu, gpu, rtol=1e-5):
            if np.isnan(cpu).any() or np.isnan(gpu).any():
                return False
            scale = max(abs(v) for v in cpu.ravel())
            return all(abs(c - g) <= rtol * scale for c, g in zip(cpu.ravel(), gpu.ravel()))
        """,
    ],
)  # fmt: skip

# cpu, gpu, whether they agree, what it shows, and the likely cause of another answer.
PAIRS = [
    ([2.0, 4.0], [2.0, 4.00001], True, "a difference in the last digits",
     "equal to the last bit is too much to ask."),
    ([1e-9, 2e-9], [3e-9, 1e-9], False, "tiny values, far apart for their size",
     "the bound must shrink with the values: a fixed one passes this whatever the size."),
    ([1e6, 2e6], [1e6, 2e6 + 4], True, "large values",
     "the bound must grow with the values: 4 in 2 million is rounding, whatever the size."),
    ([1e-7, 3.0], [2e-7, 3.0], True, "a sum whose parts cancelled, beside a large one",
     "near zero no element can be held to a share of itself: take the largest value."),
    ([1.0, 2.0], [3.0, 5.0], False, "gpu is far too large everywhere",
     "is the sign of the difference lost? Too large is as wrong as too small."),
    ([1.0, 2.0], [1.0, 3.0], False, "one element far too large",
     "one good element decided for all of them."),
    ([1.0, 3.0], [1.0, 2.0], False, "one element far too small",
     "one good element is not enough, nor one sum: every difference counts."),
    ([-1.0, -2.0], [-1.0, -2.00001], True, "negative values",
     "the scale is negative: take absolute values before the largest."),
    ([1.0, 2.0], [1.0, math.nan], False, "a NaN in gpu", "a NaN passed: not greater is not less."),
    ([math.nan, 2.0], [1.0, 2.0], False, "a NaN in cpu", "a NaN passed."),
    ([1.0, 2.0], [2.0, 1.0], False, "two elements swapped",
     "errors of opposite sign cancel in a sum."),
    ([0.0, 0.0], [0.0, 0.0], True, "all zero",
     "a difference of 0 is at most 0: compare by `<=`, and do not divide by the largest value."),
    ([1.0] * 50 + [2.0], [1.0] * 50 + [2.0005], False, "one bad element among 51",
     "a mean hides a single bad element."),
]  # fmt: skip


@agree.checker
def check_agree(agree):
    for cpu, gpu, want, what, cause in PAIRS:
        shown = f"agree({cpu}, {gpu})" if len(cpu) < 5 else "agree(cpu, gpu)"
        with warnings.catch_warnings():  # NumPy's, of a bound that is a NaN: the answer says it
            warnings.simplefilter("ignore")
            got = agree(np.array(cpu), np.array(gpu))
        same(got, want, f"{shown}: {what}", hint=cause)
    got = agree(np.ones(3), np.full(3, 1.01), 0.1)
    same(got, True, "agree of ones and 1.01, with rtol=0.1", hint="is `rtol` used?")
    got = agree(np.array([1.0]), np.array([1.8]), 0.5)
    cause = "the share is one of the largest value in `cpu`, not in `gpu`."
    same(got, False, "agree([1.0], [1.8], rtol=0.5)", hint=cause)


QUIZ = [
    Question(
        "A function adds two vectors of 100 numbers. You move it to a GPU. What happens?",
        [
            Choice("It gets faster: a GPU has thousands of cores",
                   "A hundred additions keep none of them busy. The launch alone takes longer."),
            Choice("It gets slower: a launch costs more than the work",
                   "The price of a launch does not depend on the size.", right=True),
            Choice("It takes the same time", "The fixed costs of the two differ a lot."),
        ],
    ),
    Question(
        "The data is on the CPU, and the sum of its numbers is wanted there. When does a GPU pay?",
        [
            Choice("Always, if there are enough numbers",
                   "Time to move grows with them, too, and as fast as the time of the sum."),
            Choice("Seldom: moving the numbers takes longer than adding them up here",
                   "Each number travels, for one addition. It pays if much is done on the way.",
                   right=True),
            Choice("Moving is free, as it runs in the background",
                   "It can run beside other work. This sum must wait for it."),
        ],
    ),
    Question(
        "An n × n product does about n/6 operations a byte in float32. What follows?",
        [
            Choice("Large products are limited by arithmetic, small ones by memory or overhead",
                   "They climb along the slope of the roof until they reach its flat part.",
                   right=True),
            Choice("All products are limited by memory", "Only those on the left of the corner."),
            Choice("A faster memory makes every product faster",
                   "Not one that is on the flat part: it waits for arithmetic."),
        ],
    ),
    Question(
        "You sum a million float32 numbers on the CPU and on a GPU. The results differ in the "
        "seventh digit. Why?",
        [
            Choice("The GPU is broken, or works with less precision",
                   "Both follow the same rules, operation by operation."),
            Choice("They add in different orders, and each addition rounds",
                   "Change the order, and you change the roundings.", right=True),
            Choice("The copy over the bus lost a few bits", "Copies are exact."),
        ],
    ),
    Question(
        "Which test of a function on a GPU is right?",
        [
            Choice("`(gpu == cpu).all()`", "It fails as soon as an order of addition changes."),
            Choice("`abs(gpu - cpu).max() < 1e-5`, always",
                   "Too strict for results in the millions, and blind for those near 1e-6."),
            Choice("The largest difference against a share of the largest value",
                   "The share says how many digits you ask for.", right=True),
            Choice("`round(gpu, 5) == round(cpu, 5)`",
                   "Two neighbours can be rounded to different sides."),
        ],
    ),
]  # fmt: skip
