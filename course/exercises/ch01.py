"""Exercises and quiz of chapter 01."""

import numpy as np
from kit.checks import describe, expect, fail, obvious, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

SETUP = "import numpy as np"

central_slopes = Exercise(
    "central_slopes",
    title="Nudge every input, both ways",
    task="""
        `f` takes an array `x` of floats and gives one number. Return an array: the slope of `f` at
        each number of `x`, by *central* nudges of size `h`, one number at a time. When you are
        done, `x` must hold what it held before.
        """,
    stub="""
        def central_slopes(f, x, h):
            slopes = np.zeros(len(x))
            for i in range(len(x)):
                slopes[i] = ...
            return slopes
        """,
    solution="""
        def central_slopes(f, x, h):
            slopes = np.zeros(len(x))
            for i in range(len(x)):
                up, down = x.copy(), x.copy()
                up[i] += h
                down[i] -= h
                slopes[i] = (f(up) - f(down)) / (2 * h)
            return slopes
        """,
    hints=(
        "`one_sided_slopes` in section 5 goes through the inputs. What does it do only once that "
        "you need twice for each input?",
        "In each turn make two fresh copies of `x`. Move number `i` of one of them up, and of the "
        "other down.",
        "Subtract the result for the lower copy from that for the upper one. How far apart do the "
        "two copies lie? Divide by that.",
    ),
    wrong=[
        Slip("(f(up) - f(down)) / (2 * h)", "(f(up) - f(x)) / h", says="to one side only"),
        Slip("(f(up) - f(down)) / (2 * h)", "(f(x) - f(down)) / h", says="on the lower side only"),
        Slip("(2 * h)", "h", says="how far apart"),
        Slip("(2 * h)", "2 * h", says="multiplies by h"),
        Slip("(f(up) - f(down)) / (2 * h)", "f(up) - f(down) / (2 * h)",
             says="the division comes before the subtraction"),
        Slip("(f(up) - f(down)) / (2 * h)", "(f(down) - f(up)) / (2 * h)", says="sign"),
        Slip("(f(up) - f(down))", "(f(x[i] + h) - f(x[i] - h))", says="pass the whole array"),
        Slip("up, down = x.copy(), x.copy()", "up, down = x, x", says="one and the same array"),
        Wrong(
            """
            def central_slopes(f, x, h):
                return np.array([(f(x + h) - f(x - h)) / (2 * h)] * len(x))
            """,
            says="all inputs at once",
        ),
        Wrong(
            """
            def central_slopes(f, x, h):
                up, down, slopes = x.copy(), x.copy(), []
                for i in range(len(x)):
                    up[i] += h
                    down[i] -= h
                    slopes.append((f(up) - f(down)) / (2 * h))
                return np.array(slopes)
            """,
            says="still nudged",
        ),
        Wrong(
            """
            def central_slopes(f, x, h):
                slopes, kept = np.zeros(len(x)), x.copy()
                for i in range(len(x)):
                    x[:] = kept
                    x[i] += h
                    up = f(x)
                    x[i] -= 2 * h
                    slopes[i] = (up - f(x)) / (2 * h)
                return slopes
            """,
            says="x` was changed",
        ),
        Wrong(
            """
            def central_slopes(f, x, h):
                slopes = np.zeros(len(x))
                for i in range(len(x)):
                    x[i] += h
                    up = f(x)
                    x[i] -= 2 * h
                    slopes[i] = (up - f(x)) / (2 * h)
                return slopes
            """,
            says="left nudged down",
        ),
        Wrong(
            """
            def central_slopes(f, x, h):
                for i in range(len(x)):
                    up, down = x.copy(), x.copy()
                    up[i] += h
                    down[i] -= h
                    return (f(up) - f(down)) / (2 * h)
            """,
            says="one slope for each number",
        ),
    ],
    also_right=[
        """
        def central_slopes(f, x, h):
            steps = h * np.eye(len(x))
            return [(f(x + step) - f(x - step)) / 2 / h for step in steps]
        """,
        """
        def central_slopes(f, x, h):
            slopes = np.zeros(len(x))
            for i in range(len(x)):
                kept = x[i]
                x[i] = kept + h
                up = f(x)
                x[i] = kept - h
                slopes[i] = (up - f(x)) / (2 * h)
                x[i] = kept
            return slopes
        """,
        """
        def central_slopes(f, x, h):
            slopes = np.zeros(len(x))
            for i in range(len(x)):
                x[i] += h / 2
                slopes[i] = f(x)
                x[i] -= h
                slopes[i] -= f(x)
                x[i] += h / 2
            return slopes / h
        """,
    ],
)  # fmt: skip


def bumpy(x):
    """Return x0³ x1 + x2². Its slopes at (1, 2, 3) are 6, 1 and 6."""
    return x[0] ** 3 * x[1] + x[2] ** 2


def nudged(x, i, h):
    """Return a copy of x with number i moved by h."""
    x = x.copy()
    x[i] += h
    return x


def mistakes(f, x, h):
    """Return what usual mistakes give for central_slopes, with what to say."""
    all_i = range(len(x))
    up, down = ([f(nudged(x, i, step)) for i in all_i] for step in (h, -h))
    up, down, start = np.array(up), np.array(down), f(x)
    together = (f(x + h) - f(x - h)) / (2 * h)
    piled = [(f(x + h * (np.arange(len(x)) <= i)) - f(x - h * (np.arange(len(x)) <= i))) / (2 * h)
             for i in all_i]  # fmt: skip
    sunk = [(f(nudged(low, i, h)) - f(nudged(low, i, -h))) / (2 * h)
            for i, low in ((i, x - h * (np.arange(len(x)) < i)) for i in all_i)]  # fmt: skip
    return [
        ((up - start) / h, "you nudged to one side only: the run that `f(x)` does is not needed."),
        ((start - down) / h, "you nudged on the lower side only."),
        ((up - down) / h, "how far apart do the two nudged inputs lie? Not `h`."),
        ((up - down) / 2 * h, "`/ 2 * h` multiplies by h. Put the divisor in brackets."),
        (up - down / (2 * h), "the division comes before the subtraction. Brackets."),
        ((down - up) / (2 * h), "the sign: what comes out is the fall, not the rise."),
        (np.zeros(len(x)), "no nudge is seen. Are the two inputs one and the same array?"),
        (np.full(len(x), together), "you nudged all inputs at once."),
        (np.array(piled), "inputs from earlier turns are still nudged. Start from `x` each time."),
        (np.array(sunk), "`x` itself is left nudged down after each turn. Put it back."),
    ]


@central_slopes.checker
def check_central_slopes(central_slopes):
    cases = [
        (bumpy, "bumpy", np.array([1.0, 2.0, 3.0]), np.array([6.02, 1.0, 6.0])),
        (lambda x: x[0] * x[1], "lambda x: x[0] * x[1]", np.array([-4.0, 5.0]),
         np.array([5.0, -4.0])),
    ]  # fmt: skip
    for f, name, x, want in cases:
        before = x.copy()
        known = mistakes(f, x, 0.1)
        call = f"central_slopes({name}, np.{x!r}, h=0.1)"
        if f is bumpy:
            call += ", for bumpy(x) = x[0]**3 * x[1] + x[2]**2"
        got = central_slopes(whole(f, x, call), x, 0.1)
        got = np.array(got) if isinstance(got, (list, tuple)) and numbers(got) else got
        hint = "return one slope for each number of `x`." if np.ndim(got) == 0 else ""
        same(got, want, call, causes=known, hint=hint, atol=0.03, dtype=False)
        if not np.allclose(x, before, rtol=0, atol=1e-9):
            fail(f"x after {call}", before, x, "`x` was changed: nudge a copy, or put it back.")


def whole(f, x, call):
    """Return f, but it says what is amiss when it is not given an array like x."""

    def watched(p):
        if np.shape(p) != x.shape:
            wanted = f"f called with an array of {len(x)}"
            cause = "`f` takes all inputs at once: nudge one of them, and pass the whole array."
            fail(call, wanted, f"f called with {describe(p)}", cause)
        return f(p)

    return watched


def numbers(values):
    return all(isinstance(value, (int, float, np.generic)) for value in values)


pick_h = Exercise(
    "pick_h",
    title="Pick the nudge",
    task="""
        `x` is a NumPy number, `np.float64` or `np.float32`, of any size: 0, 0.7, a million, minus a
        million. Return a good `h` for a *central* nudge at `x`: near the bottom of the V. The
        check nudges with it some functions that change slowly at the size of `x`, and looks at the
        error.
        """,
    stub="""
        def pick_h(x):
            return ...
        """,
    solution="""
        def pick_h(x):
            eps = np.finfo(x.dtype).eps
            return float(eps) ** (1 / 3) * max(1.0, abs(x))
        """,
    hints=(
        "`x.dtype` knows how many digits there are. Section 4 prints a good `h` for either kind.",
        "`np.finfo(x.dtype).eps` is where the digits end. A root of it is good for numbers near "
        "1. And for a million?",
        "Multiply the cube root of eps by the size of `x`, but by 1 where `x` is smaller than "
        "that.",
    ),
    wrong=[
        Wrong("def pick_h(x):\n    return float(np.finfo(x.dtype).tiny)", says="the nudge is lost"),
        Wrong("def pick_h(x):\n    return float(np.finfo(x.dtype).eps)", says="rounding"),
        Wrong("def pick_h(x):\n    return 1e-6", says="in `float32`"),
        Wrong("def pick_h(x):\n    return 1e-2", says="the bend"),
        Wrong("def pick_h(x):\n    return 1e-6 if x.dtype == np.float64 else 1e-2",
              says="numbers lie further apart"),
        Slip(" * max(1.0, abs(x))", "", says="numbers lie further apart"),
        Slip("max(1.0, abs(x))", "abs(x)", says="at 0"),
        Slip("max(1.0, abs(x))", "max(1.0, x)", says="minus a million"),
        Slip("(1 / 3)", "(1 / 2)", says="one-sided"),
        Slip("x.dtype", "float", says="in `float32`"),
        Wrong("def pick_h(x):\n    return -1e-5", says="larger than 0"),
    ],
    also_right=[
        """
        def pick_h(x):
            digits = 1e-5 if x.dtype == np.float64 else 1e-2
            return digits * (1 + abs(float(x)))
        """,
        """
        def pick_h(x):
            return np.cbrt(np.finfo(x.dtype).eps) * np.maximum(abs(x), 1)
        """,
    ],
)  # fmt: skip


def squash(x):
    return x / np.sqrt(1 + x * x)


def inverse(x):
    return 1 / x


def squash_slope(x):
    return (1 + x * x) ** -1.5


def inverse_slope(x):
    return -1 / (x * x)


MOST = {"float64": 2e-9, "float32": 5e-4}  # the largest relative error that passes
PLACES = [
    (squash, squash_slope, (0.7, 0.3, 0.55, 0.9, 0.0)),
    (inverse, inverse_slope, (1e6, -1e6)),
]


@pick_h.checker
def check_pick_h(pick_h):
    for f, true_slope, points in PLACES:
        for point in points:
            for kind in (np.float64, np.float32):
                judge_h(pick_h, f, true_slope, kind(point))


def judge_h(pick_h, f, true_slope, x):
    """Nudge f at x with the h that pick_h gives, and fail if the error is far from the best."""
    kind, point = x.dtype.name, float(x)
    call = f"pick_h(np.{kind}({point:g}))"
    h = pick_h(x)
    is_number = isinstance(h, (int, float, np.generic)) and not isinstance(h, (bool, np.bool_))
    expect(is_number and np.ndim(h) == 0, call, "a number", describe(h), obvious(h))
    h = float(h)
    expect(np.isfinite(h) and h > 0, call, "a number larger than 0", f"{h:g}",
           "at 0, too, there must be a nudge." if h == 0 else "")  # fmt: skip
    if x + h == x:
        cause = f"x + h is x again: the nudge is lost. Around {point:g}, {kind} numbers lie "
        cause += "further apart than that."
        if abs(point) > 1:
            cause += " How large is minus a million?" if point < 0 else ""
        fail(call, "a nudge that moves x", f"{h:.1e}", cause)
    slope, truth = (float(f(x + h)) - float(f(x - h))) / (2 * h), true_slope(point)
    error = abs(slope - truth) / abs(truth)
    if error > MOST[kind]:
        fail(call, f"an h whose central nudge is off by at most {MOST[kind]:.0e} of the slope",
             f"h = {h:.1e}, off by {error:.0e}", cause_of(h, x))  # fmt: skip


def cause_of(h, x):
    """Say why this h is bad at x."""
    eps = float(np.finfo(x.dtype).eps)
    best = eps ** (1 / 3) * max(1.0, abs(float(x)))
    if h > best:
        return "too large: the bend of the curve makes the error. Go down the V."
    if abs(float(x)) > 1:
        return "too small for an x of this size: numbers lie further apart there." + (
            " How large is minus a million?" if x < 0 else ""
        )
    if np.isclose(h, eps**0.5):
        return "that is the root for one-sided nudges. It is too small here: rounding."
    if x.dtype == np.float32:
        return "too small: rounding makes the error. There are only about 7 digits in `float32`."
    return "too small: rounding makes the error, on the left side of the V."


runs_needed = Exercise(
    "runs_needed",
    title="Count before you start",
    task="""
        A model has `n` numbers to learn. You train it for `steps` steps downhill, and find all
        slopes by central nudges, as `central_slopes` does. How often does the loss run, in all?
        """,
    stub="""
        def runs_needed(n, steps):
            return ...
        """,
    solution="""
        def runs_needed(n, steps):
            return 2 * n * steps
        """,
    hints=(
        "Begin with one number to learn and one step. How many runs? Then two numbers.",
        "Can two of the `n` numbers share a run, as they shared the start in `one_sided_slopes`?",
        "After each step the model stands elsewhere: every slope must be found anew.",
    ),
    wrong=[
        Wrong("def runs_needed(n, steps):\n    return 2", says="even for many"),
        Slip("2 * n * steps", "2 * steps", says="nudges of its own"),
        Slip("2 * n * steps", "n * steps", says="both ways"),
        Slip("2 * n * steps", "(n + 1) * steps", says="one-sided"),
        Slip("2 * n * steps", "2 * n", says="each step"),
        Slip("2 * n * steps", "(2 * n + 1) * steps", says="in the middle"),
        Slip("2 * n * steps", "2 * n + steps", says="added"),
        Slip("2 * n * steps", "2**n * steps", says="all combinations"),
    ],
    also_right=[
        "def runs_needed(n, steps):\n    return sum(2 for _ in range(n * steps))",
        "def runs_needed(n, steps):\n    return float(n) * (steps + steps)",
    ],
)


@runs_needed.checker
def check_runs_needed(runs_needed):
    for n, steps in ((25, 30), (1, 1), (7, 4)):
        same(
            runs_needed(n, steps),
            2 * n * steps,
            f"runs_needed({n}, {steps})",
            causes=[
                (2, "that is enough for one number to learn, and you say the same even for many."),
                (2 * steps, "each of the `n` numbers needs nudges of its own."),
                (n * steps, "a central nudge goes both ways."),
                ((n + 1) * steps, "that is the count for one-sided nudges."),
                (2 * n, "after each step, all slopes must be found anew."),
                ((2 * n + 1) * steps, "a central nudge does not use the run in the middle."),
                (2 * n + steps, "you added where each step repeats everything."),
                (2**n * steps, "one number moves at a time: there are not all combinations."),
            ],
        )


agree = Exercise(
    "agree",
    title="Be the judge",
    task="""
        Two slopes, one by hand and one by nudging. Do they agree? Return `True` if they differ by
        less than a millionth (1e-6) *of their size*, else `False`. Slopes may be huge, tiny, or
        negative. Two zeros agree.
        """,
    stub="""
        def agree(one, other):
            return ...
        """,
    solution="""
        def agree(one, other):
            size = max(abs(one), abs(other))
            return abs(one - other) <= 1e-6 * size
        """,
    hints=(
        "How far apart may two slopes near a million lie? And two near a millionth?",
        "Take the distance of the two, always positive. Compare it to a share of the larger one.",
        "Multiply, do not divide: `distance <= share * size` has no trouble with zeros.",
    ),
    wrong=[
        Wrong("def agree(one, other):\n    return one == other", says="never exact"),
        Wrong("def agree(one, other):\n    return abs(one - other) < 1e-6", says="half in a mill"),
        Wrong("def agree(one, other):\n    return one - other <= 1e-6 * max(abs(one), abs(other))",
              says="which of the two is larger"),
        Wrong("def agree(one, other):\n    return abs(one - other) <= 1e-6 * one",
              says="negative"),
        Wrong("def agree(one, other):\n    return abs(one - other) / abs(other) < 1e-6",
              says="divide by a zero"),
        Wrong("def agree(one, other):\n    return f'{one:.6g}' == f'{other:.6g}'",
              says="rounding to digits"),
        Wrong("def agree(one, other):\n    return abs(one - other) / (abs(other) + 1e-12) < 1e-6",
              says="no floor is low enough"),
        Wrong("def agree(one, other):\n    return bool(np.isclose(one, other, rtol=1e-6))",
              says="tiny slopes"),
        Wrong("def agree(one, other):\n"
              "    return abs(abs(one) - abs(other)) <= 1e-6 * max(abs(one), abs(other))",
              says="one climbs, the other falls"),
        Wrong("def agree(one, other):\n    return bool(np.isclose(one, other, atol=0))",
              says="five millionths"),
        Wrong("def agree(one, other):\n    return abs(one - other)", says="True or False"),
        Wrong("def agree(one, other):\n    return abs(one - other) < 1e-6 * max(abs(one), "
              "abs(other))", says="two zeros"),
    ],
    also_right=[
        """
        def agree(one, other):
            return one == other or abs(one - other) / max(abs(one), abs(other)) < 1e-6
        """,
        """
        def agree(one, other):
            return np.isclose(one, other, rtol=1e-6, atol=0)
        """,
        """
        def agree(one, other):
            if one == 0 and other == 0:
                return True
            return abs(one - other) / (abs(one) + abs(other)) < 5e-7
        """,
    ],
)  # fmt: skip

PAIRS = [
    (2.0, 2.0, True, ""),
    (2.0, 2.0 + 2e-8, True, "a nudged slope is never exact."),
    (3.0, 1.0, False, "they are far apart."),
    (1.0, 3.0, False, "does it matter which of the two is larger?"),
    (1e6, 1e6 + 0.5, True, "half in a million is less than a millionth."),
    (-3.0, -3.0000003, True, "both are negative, and close."),
    (1.0, 1.000005, False, "they differ by five millionths."),
    (1.0, 1.000003, False, "they differ by three millionths: rounding to digits is too coarse."),
    (1e-6, 1.1e-6, False, "one is a tenth larger. To tiny slopes, too, apply a share."),
    (1e-9, 2e-9, False, "one is double the other. To tiny slopes, too, apply a share only."),
    (1e-20, 3e-20, False, "one is three times the other: no floor is low enough for tiny slopes."),
    (2.0, -2.0, False, "one climbs, the other falls."),
    (0.0, 0.0, True, "two zeros agree."),
]


@agree.checker
def check_agree(agree):
    for one, other, want, cause in PAIRS:
        call = f"agree({one!r}, {other!r})"
        try:
            got = agree(one, other)
        except ZeroDivisionError as error:
            fail(call, str(want), f"ZeroDivisionError: {error}", "what if you divide by a zero?")
        if not isinstance(got, (bool, np.bool_)):
            fail(call, "True or False", describe(got), obvious(got))
        expect(bool(got) == want, call, str(want), str(bool(got)), cause)


QUIZ = [
    Question(
        "You found a slope with `h = 1e-5` in `float64`, and want it more exact. You take "
        "`h = 1e-12`. What happens?",
        [
            Choice(
                "It gets more exact: a smaller `h` is closer to the tangent",
                "The chord is closer. But its two ends now agree in nearly all their digits.",
            ),
            Choice(
                "Nothing changes: it is as exact as it gets",
                "Only at the bottom of the V. This is far to the left of it.",
            ),
            Choice(
                "It gets worse: few digits survive the subtraction",
                "And the division by a tiny number makes their rounding large.",
                right=True,
            ),
            Choice(
                "Python raises an error",
                "No error, no warning. At 1e-17 it even gives 0, in silence.",
            ),
        ],
    ),
    Question(
        "`h` shrinks by ten, on the right side of the V. What do the errors do?",
        [
            Choice(
                "One-sided by ten, central by a hundred",
                "Central cancels what is proportional to `h`. The rest goes with its square.",
                right=True,
            ),
            Choice("Both by ten", "For central the part that goes with `h` cancels."),
            Choice(
                "One-sided by ten, central by twenty",
                "Two runs are not just twice as good: a whole part of the error is gone.",
            ),
        ],
    ),
    Question(
        "What does `backward` do to find the slopes at 25 numbers?",
        [
            Choice(
                "It nudges each number, but in fast code",
                "Count the runs: one. With nudging there would be 26 or 50.",
            ),
            Choice(
                "It runs the loss once and walks back over the record",
                "Each operation knows its own slope. Nothing is nudged.",
                right=True,
            ),
            Choice(
                "It nudges all 25 at once",
                "That would give one number: the slope in one slanting direction.",
            ),
            Choice(
                "It looks up a formula for the whole loss",
                "There is none. It has one rule for each operation, and joins them.",
            ),
        ],
    ),
    Question(
        "`f(x)` is `1 / x`, and `x` is `np.float32(1e6)`. Which `h` is best for a central nudge?",
        [
            Choice("6e-6", "That is for `float64` near 1. Here `x + h` is `x`."),
            Choice("0.005", "Right for a `float32` near 1. Near a million it is lost."),
            Choice(
                "5000",
                "0.005 of the size of `x`. Large `x`, large nudge, where `f` changes slowly.",
                right=True,
            ),
            Choice("The smallest that moves `x`", "One step of rounding: one digit at best."),
        ],
    ),
    Question(
        "By hand you get 0.55. A nudge with a good `h` says 0.61. What is likely?",
        [
            Choice(
                "Nudging is only rough: 0.55 may well be right",
                "With a good `h` it is rough in the tenth digit, not in the first.",
            ),
            Choice(
                "The rule by hand is wrong, unless there is a kink nearby",
                "The judge knows no formulas. Its only blind spots are kinks and jumps.",
                right=True,
            ),
            Choice(
                "`h` must be made smaller until they agree",
                "Left of the bottom it will say anything, even 0.55, by chance.",
            ),
        ],
    ),
]
