"""Exercises and quiz of chapter 00."""

import numpy as np
from kit.checks import describe, expect, fail, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt

SETUP = """
import numpy as np
import minitensor as mt
"""

bent_slopes = Exercise(
    "bent_slopes",
    title="The slopes of a bent line",
    task="""
        A new model: `predicted = w * x**2 + b`, with the same loss, the mean of the squared
        misses. Return its slope at `w` and its slope at `b`, worked out by hand. Use `nudge` to
        check yourself.
        """,
    stub="""
        def bent_slopes(x, y, w, b):
            miss = w * x**2 + b - y
            return ...
        """,
    solution="""
        def bent_slopes(x, y, w, b):
            miss = w * x**2 + b - y
            return 2 * (miss * x**2).mean(), 2 * miss.mean()
        """,
    hints=(
        "Look at `slopes` in section 1. Which part of it comes from the model, "
        "which from the loss?",
        "Move `w` by 1. How far does `predicted` move for a bird whose `x` is 3?",
        "Take `slopes`, and put what multiplies `w` now, x squared, where `x` stood.",
    ),
    wrong=[
        Slip("miss = w * x**2 + b - y", "miss = y - w * x**2 - b", says="sign"),
        Slip(
            "2 * (miss * x**2).mean(), 2 * miss.mean()",
            "2 * (miss * x**2).sum(), 2 * miss.sum()",
            says="a mean",
        ),
        Slip(
            "2 * (miss * x**2).mean(), 2 * miss.mean()",
            "(miss * x**2).mean(), miss.mean()",
            says="2 of the square",
        ),
        Slip("(miss * x**2).mean()", "(miss * x).mean()", says="of the straight line"),
        Slip("(miss * x**2).mean()", "(miss * 2 * x).mean()", says="slope at `x`"),
        Slip("(miss * x**2).mean()", "(miss * w).mean()", says="multiplies `w`"),
        Slip("2 * (miss * x**2).mean(), 2 * miss.mean()",
             "2 * miss.mean(), 2 * (miss * x**2).mean()", says="other order"),
        Slip("2 * (miss * x**2).mean(), 2 * miss.mean()",
             "2 * miss * x**2, 2 * miss", says="one number for each parameter"),
        Slip(", 2 * miss.mean()", "", says="two slopes"),
        Slip(", 2 * miss.mean()", ", 2 * (miss * x**2).mean()", says="nothing multiplies `b`"),
        Slip("2 * (miss * x**2).mean()", "2 * miss.mean() ", says="`w` is missing"),
        Slip("(miss * x**2).mean()", "miss.mean() * (x**2).mean()", says="bird by bird"),
        Slip("2 * (miss * x**2).mean(), 2 * miss.mean()",
             "(miss**2 * x**2).mean(), (miss**2).mean()", says="the square is in the loss"),
        Slip(", 2 * miss.mean()", ", 0.0", says="moves every prediction"),
    ],
    also_right=[
        """
        def bent_slopes(x, y, w, b):
            miss = w * x**2 + b - y
            n = len(x)
            return [float(np.dot(miss, x * x)) * 2 / n, float(miss.sum()) * 2 / n]
        """,
        """
        def bent_slopes(x, y, w, b):
            miss = y - w * x**2 - b
            return -2 * np.array([np.mean(miss * x**2), np.mean(miss)])
        """,
        """
        def bent_slopes(x, y, w, b):
            def loss(w, b):
                return ((w * x**2 + b - y) ** 2).mean()

            h = 1e-4
            by_w = (loss(w + h, b) - loss(w - h, b)) / (2 * h)
            return by_w, (loss(w, b + h) - loss(w, b - h)) / (2 * h)
        """,
    ],
)  # fmt: skip


@bent_slopes.checker
def check_bent_slopes(bent_slopes):
    x, y = np.array([1.0, 3.0, -2.0]), np.array([2.0, 4.0, -1.0])
    for w, b in ((0.5, 1.0), (-1.0, 0.25)):
        call = f"bent_slopes(np.array([1., 3., -2.]), np.array([2., 4., -1.]), {w}, {b})"
        got = bent_slopes(x.copy(), y.copy(), w, b)
        two_slopes(got, call)
        miss = w * x**2 + b - y
        right = np.array([2 * (miss * x**2).mean(), 2 * miss.mean()])
        causes, hint = slips(x, w, miss, right), "compare each of the two with `nudge`."
        same(tuple(got), tuple(right.tolist()), call, causes=causes, hint=hint, rtol=1e-4)


def two_slopes(got, call):
    """Check that got is a pair of numbers, not of arrays."""
    is_pair = isinstance(got, (tuple, list)) and len(got) == 2
    if not is_pair and not (isinstance(got, np.ndarray) and got.shape == (2,)):
        cause = "two slopes are asked for, with a comma between them."
        fail(call, "two numbers", describe(got), cause)
    if any(isinstance(slope, np.ndarray) and slope.ndim for slope in got):
        cause = "one number for each parameter: a mean over the birds is missing."
        fail(call, "two numbers", "arrays", cause)


def slips(x, w, miss, right):
    """Pairs of (what a known slip gives, what to say)."""
    found = [
        (-right, "the sign: a miss is predicted minus target."),
        (right * len(x), "the loss is a mean, and you took a sum: 1/N is missing."),
        (right / 2, "the 2 of the square is missing."),
        ([2 * (miss * x).mean(), right[1]], "the first is still the slope of the straight line."),
        (
            [2 * (miss * 2 * x).mean(), right[1]],
            "the first is the slope at `x`; `w` is what moves.",
        ),
        ([2 * (miss * w).mean(), right[1]], "what multiplies `w` in the model? Not `w` itself."),
        (right[::-1], "the two slopes come in the other order."),
        ([right[0], right[0]], "the second moves with `b`, and nothing multiplies `b`."),
        ([right[1], right[1]], "in the first, what multiplies `w` is missing."),
        (
            [right[1] * (x**2).mean(), right[1]],
            "multiply first, bird by bird; take the mean afterwards.",
        ),
        (
            [(miss**2 * x**2).mean(), (miss**2).mean()],
            "the square is in the loss; its slope is 2 times the miss.",
        ),
        ([right[0], 0.0], "`b` moves every prediction, so its slope is not 0 in general."),
    ]
    return [(tuple(float(v) for v in value), say) for value, say in found]


update = Exercise(
    "update",
    title="A step that moves",
    task="""
        `w` is a parameter, and `backward` has just filled `w.grad`. Move `w` one step downhill, by
        `rate` times the gradient. Afterwards `w` must be ready for the next `backward`: the same
        Tensor, still a parameter, its old gradient forgotten. Return nothing.
        """,
    stub="""
        def update(w, rate):
            ...
        """,
    solution="""
        def update(w, rate):
            with mt.no_grad():
                w -= rate * w.grad
            w.grad = None
        """,
    hints=(
        "Section 2 fell into two traps. What was the repair of each?",
        "Three things: no record while you step, a change in place, and a gradient set back.",
        "Open `with mt.no_grad():`, use `-=` inside it, and set `w.grad` to None after it.",
    ),
    wrong=[
        Wrong("def update(w, rate):\n    w = w - rate * w.grad\n    w.grad = None",
              says="the name inside the function"),
        Wrong("def update(w, rate):\n    return w - rate * w.grad", says="return nothing"),
        Slip("w -= rate * w.grad", "w += rate * w.grad", says="uphill"),
        Slip("    w.grad = None", "    pass", says="would add to it"),
        Wrong("def update(w, rate):\n    w -= w.grad * rate\n    w.grad = None",
              says="would go on record"),
        Wrong(
            """
            def update(w, rate):
                w.grad.zero_()
                with mt.no_grad():
                    w -= rate * w.grad
            """,
            says="before it was used",
        ),
        Wrong(
            """
            def update(w, rate):
                w.grad = None
                with mt.no_grad():
                    w -= w.grad * rate
            """,
            says="forgotten before it was used",
        ),
        Slip("rate * w.grad", "0.1 * w.grad", says="whatever `rate` was"),
        Slip("rate * w.grad", "w.grad", says="`rate` is missing"),
        Slip("rate * w.grad", "rate", says="the gradient is missing"),
        Slip("rate * w.grad", "rate * w", says="not by its gradient"),
        Wrong(
            """
            def update(w, rate):
                w.requires_grad = False
                w -= rate * w.grad
                w.grad = None
            """,
            says="no longer asks for a gradient",
        ),
    ],
    also_right=[
        """
        def update(w, rate):
            with mt.no_grad():
                w.sub_(rate * w.grad)
                w.grad.zero_()
        """,
        """
        def update(w, rate):
            with mt.no_grad():
                w.copy_(w - w.grad * rate)
            w.grad = None
        """,
        """
        def update(w, rate):
            w.requires_grad = False
            w -= rate * w.grad
            w.requires_grad = True
            w.grad = None
        """,
    ],
)  # fmt: skip


@update.checker
def check_update(update):
    for start, rate in ((3.0, 0.1), (-2.0, 0.25)):
        w = mt.tensor([start, 1.0], requires_grad=True)
        (w * w).sum().backward()
        call = f"update(w, {rate}), for w = [{start}, 1.0] with w.grad = [{2 * start}, 2.0],"
        got = stepped(update, w, rate, call[:-1])
        cause = "return nothing: a new Tensor does not move the caller's `w`."
        expect(got is None, call, "nothing returned", describe(got), cause)
        before = np.array([start, 1.0], np.float32)
        cause = "you changed what the name inside the function points to; the Tensor did not move."
        if w.grad is None:
            cause = "the gradient is gone and `w` stands still: is it `w` itself that you changed?"
        if w.grad is not None and not w.grad.numpy().any():
            cause = "the gradient was set to zero before it was used."
        same(
            w.detach().numpy().copy(),
            before - rate * 2 * before,
            f"w, after {call[:-1]}",
            causes=[
                (before, cause),
                (before + rate * 2 * before, "that is uphill: step against the gradient."),
                (before - 2 * before, "`rate` is missing."),
                (before - rate, "the gradient is missing: a step is `rate` times the slope."),
                (before - rate * before, "you stepped by `w`, not by its gradient."),
                (before - 0.1 * 2 * before, "you stepped by 0.1, whatever `rate` was."),
            ],
        )
        ready_again(w, f"after {call[:-1]}")


def stepped(update, w, rate, call):
    """Return what update(w, rate) gives; explain the two errors that are met most often."""
    try:
        return update(w, rate)
    except RuntimeError as error:
        if "in-place" not in str(error):
            raise
        cause = "the step would go on record. How did section 2 keep it off?"
        fail(call, "no error", f"RuntimeError: {error}", cause)
    except TypeError as error:
        if "NoneType" not in str(error):
            raise
        cause = "a gradient is None: was it forgotten before it was used, or is it not `w`'s own?"
        fail(call, "no error", f"TypeError: {error}", cause)


def ready_again(w, after):
    """Check that the next backward finds w as a parameter with no old gradient."""
    cause = "it no longer asks for a gradient, so the next step has none to follow."
    expect(w.requires_grad, f"w.requires_grad, {after}", "True", "False", cause)
    cause = "the old gradient is still there: the next `backward` would add to it."
    left = w.grad is not None and bool(w.grad.numpy().any())
    expect(not left, f"w.grad, {after}", "None", "the old gradient", cause)


match = Exercise(
    "match",
    title="Which reason is it?",
    task="""
        Five NumPy cells by five people. Each is in trouble for another of the five reasons.

        - **A** `for p, g in zip([w, b, v], [slope_w, slope_b]): p -= rate * g`
        - **B** `scores = np.ones((50_000, 20_000), np.float32) / np.sqrt(64)`: 4 GB were planned
        - **C** `return 2 * (miss * x).mean()`, "I had added a `tanh` to the model last week"
        - **D** `new_head, _, _, _ = all_slopes(...)`, three of four layers are frozen
        - **E** `weights = np.zeros((512, 512), device="cuda:0")`

        Put in place of each `...` the number of the reason: 1 autograd, 2 the GPU, 3 data of deep
        learning, 4 parts that fit together, 5 shared memory and only the work that is needed.
        """,
    stub="""
        match = {"A": ..., "B": ..., "C": ..., "D": ..., "E": ...}
        """,
    solution="""
        match = {"A": 4, "B": 3, "C": 1, "D": 5, "E": 2}
        """,
    hints=(
        "Say for each cell in your own words what goes wrong. Then look for the section with that "
        "trouble.",
        "One has a slope that belongs to another model. One works out what nobody needs. One "
        "leaves a parameter out, without a word.",
        "Which Tensor's line from the map would help each of them? `.to(...)`, `.grad`, "
        "`backward()`, a dtype that stays, `requires_grad=False`.",
    ),
    wrong=[
        Wrong('match = {"A": 1, "B": 3, "C": 4, "D": 5, "E": 2}', says="both slopes are right"),
        Wrong('match = {"A": 4, "B": 2, "C": 1, "D": 5, "E": 3}', says="What is `np.sqrt(64)`"),
        Wrong('match = {"A": 4, "B": 5, "C": 1, "D": 3, "E": 2}', says="nothing is left out"),
        Wrong('match = {"A": 4, "B": 3, "C": 5, "D": 1, "E": 2}', says="for last week's model"),
        Wrong('match = {"A": 5, "B": 3, "C": 1, "D": 4, "E": 2}', says="How many parameters"),
        Wrong('match = {"A": 4, "B": 3, "C": 1, "D": 2, "E": 5}', says="What happens to the other"),
        Wrong('match = {"A": 4, "B": 3, "C": 1, "D": 5, "E": 3}', says="where the array"),
        Wrong('match = {"A": 4, "B": 3, "C": 1, "D": 5, "E": ...}', says="`...` is still there"),
        Wrong('match = {"A": 4, "B": 3, "C": 1, "D": 5}', says="no answer for E"),
        Wrong('match = {"A": "4", "B": 3, "C": 1, "D": 5, "E": 2}', says="without quotes"),
        Wrong('match = [4, 3, 1, 5, 2]', says="a list"),
    ],
    also_right=[
        'match = dict(A=4, B=3, C=1, D=5, E=2)',
    ],
)  # fmt: skip

REASONS = {"A": 4, "B": 3, "C": 1, "D": 5, "E": 2}
CLUES = {
    "A": "How many parameters are there, how many slopes? And who notices?",
    "B": "What is `np.sqrt(64)` for NumPy, and what becomes of the array?",
    "C": "The slope was right for last week's model.",
    "D": "What happens to the other three slopes, which took time to work out?",
    "E": "It is about where the array should live.",
}
NEAR = {
    ("A", 1): "both slopes are right. Look at what they are paired with.",
    ("B", 5): "nothing is left out or shared here. What is the dtype of the result?",
}


@match.checker
def check_match(match):
    if not isinstance(match, dict):
        fail("match", "a dict from letters to numbers", describe(match))
    for letter, reason in REASONS.items():
        call = f'match["{letter}"]'
        got = match.get(letter)
        expect(letter in match, "match", "five letters", f"no answer for {letter}")
        if got is ...:
            fail(call, "a number from 1 to 5", "`...`", "a `...` is still there.")
        if isinstance(got, bool) or not isinstance(got, int) or not 1 <= got <= 5:
            cause = "write the number without quotes." if isinstance(got, str) else ""
            fail(call, "a number from 1 to 5", repr(got) if got is not None else "None", cause)
        cause = NEAR.get((letter, got), CLUES[letter])
        expect(got == reason, call, f"the reason that cell {letter} is about", str(got), cause)


QUIZ = [
    Question(
        "You leave the line `p.grad = None` out of a training loop. What happens?",
        [
            Choice(
                "Nothing: `backward` overwrites the old gradient",
                "It adds to it. Look at the two paths in section 2.",
            ),
            Choice(
                "An error at the second `backward`",
                "No error at all. The numbers are just no slopes any more.",
            ),
            Choice(
                "Each step follows the sum of all gradients so far",
                "So the parameter overshoots and swings, instead of coming to rest.",
                right=True,
            ),
            Choice(
                "It learns the same, only slower",
                "The sum grows while the slopes point one way: the steps get longer, not shorter.",
            ),
        ],
    ),
    Question(
        "A loop says `w = w - rate * w.grad`. Why does its second step fail?",
        [
            Choice(
                "`w` is now a new Tensor: a result, not the parameter that you marked",
                "Results get no `grad` of their own. Change the old one in place.",
                right=True,
            ),
            Choice(
                "The sign is wrong",
                "The sign is right: against the slope.",
            ),
            Choice(
                "Tensors can never be changed",
                "They can: `w -= ...` under `no_grad` changes the numbers of the same Tensor.",
            ),
        ],
    ),
    Question(
        "`x` is a `float32` array. Which of these comes out as `float64` in NumPy?",
        [
            Choice("`x * 0.5`", "A Python number takes on the kind of the array."),
            Choice(
                "`x / np.sqrt(64)`",
                "`np.sqrt` gives a `np.float64`, and that widens the array. A Tensor keeps its "
                "kind.",
                right=True,
            ),
            Choice(
                "`x.mean() * 2`",
                "The mean of a `float32` array is `np.float32`, and 2 takes on its kind.",
            ),
            Choice(
                "Any of them, if the numbers need it",
                "The dtype follows from the kinds alone, never from the values.",
            ),
        ],
    ),
    Question(
        "You change your model, and not the slopes that you derived for the old one. "
        "What do you see?",
        [
            Choice(
                "An error about shapes",
                "Only if the number of parameters changed. In section 3 every shape still fits.",
            ),
            Choice(
                "A loss that grows at once",
                "It may. In section 3 it fell and settled. Nothing looked wrong.",
            ),
            Choice(
                "Perhaps nothing at all",
                "That is what makes it bad. Only a nudge finds it out, or autograd prevents it.",
                right=True,
            ),
        ],
    ),
    Question(
        "Which sentence about NumPy is true?",
        [
            Choice(
                "It cannot train a model; for that you need Tensors",
                "Section 1 trained one. What NumPy lacks is help with the slopes.",
            ),
            Choice(
                "It computes more slowly than a Tensor on the CPU",
                "minitensor computes with NumPy: its Tensors cannot be faster on the CPU.",
            ),
            Choice(
                "It must be left behind once you use Tensors",
                "`from_numpy` and `.numpy()` share memory. Both worlds work on the same numbers.",
            ),
            Choice(
                "It computes well, but keeps no record and stays on the CPU",
                "An array has values. A Tensor has values and a history.",
                right=True,
            ),
        ],
    ),
]
