"""Exercises and quiz of chapter 02."""

import math

from kit.checks import describe, expect, fail, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question
from kit.scalar import Value

# Not `import math`: beside it, in one source, Python compiles `math.tanh(...)` to other bytecode
# than in a notebook's cell, and the stub would no longer be known as the stub.
SETUP = """
math = __import__("math")
from kit.scalar import Value


def add(x, y):
    return Value(x.data + y.data, (x, y), "+", (1.0, 1.0))
"""


def is_value(got, call):
    """Check that `got` looks like a Value."""
    there = all(hasattr(got, field) for field in ("data", "grad", "parents", "op", "slopes"))
    cause = "nothing came back: is there a `return`?" if got is None else ""
    expect(there, call, "a Value", "None" if got is None else type(got).__name__, cause)


mul = Exercise(
    "mul",
    title="The slopes of a product",
    task="""
        Record `x * y`: fill in the pair of slopes, first for the arrow to `x`, then for the arrow
        to `y`. Two floats.
        """,
    stub="""
        def mul(x, y):
            slopes = ...
            return Value(x.data * y.data, (x, y), "*", slopes)
        """,
    solution="""
        def mul(x, y):
            slopes = (y.data, x.data)
            return Value(x.data * y.data, (x, y), "*", slopes)
        """,
    hints=(
        "Hold `y` still and nudge `x`. `nudge(lambda x: x * 5.0, 2.0)` does it for `y = 5`.",
        "Change the 5.0 in that nudge, then change the 2.0. Which of the two changes the slope?",
        "Each arrow's slope is the number at the *other* end of the product, as a float.",
    ),
    wrong=[
        Slip("(y.data, x.data)", "(x.data, y.data)", says="each arrow carries its own number"),
        Slip("(y.data, x.data)", "(1.0, 1.0)", says="those are the slopes of a sum"),
        Slip("(y.data, x.data)", "(y, x)", says="plain numbers"),
        Slip("(y.data, x.data)", "(x.data * y.data, x.data * y.data)", says="the product itself"),
        Slip("(y.data, x.data)", "x.data + y.data", says="one slope for each parent"),
        Slip("(y.data, x.data)", "(2.0 * x.data,)", says="a tuple of 1"),
        Wrong(
            "def mul(x, y):\n    out = x.data * y.data\n"
            "    return Value(out, (x, y), '*', (out / x.data, out / y.data))",
            says="ZeroDivisionError",
        ),
        Wrong(
            "def mul(x, y):\n    return Value(x.data * y.data, (), '*', (y.data, x.data))",
            says="two arrows",
        ),
    ],
    also_right=[
        "def mul(x, y):\n    return Value(x.data * y.data, (x, y), '*', [y.data, x.data])",
        """
        def mul(x, y):
            h = 1e-6
            by_x = ((x.data + h) * y.data - (x.data - h) * y.data) / (2 * h)
            by_y = (x.data * (y.data + h) - x.data * (y.data - h)) / (2 * h)
            return Value(x.data * y.data, (x, y), "*", (by_x, by_y))
        """,
    ],
)


@mul.checker
def check_mul(mul):
    for x, y in ((2.0, 5.0), (-3.0, 0.5), (0.0, 4.0)):
        inputs = Value(x), Value(y)
        call = f"mul(Value({x}), Value({y}))"
        out = mul(*inputs)
        is_value(out, call)
        same(out.data, x * y, f"{call}.data")
        arrows = list(out.parents) if isinstance(out.parents, (tuple, list)) else []
        expect(
            [id(p) for p in arrows] == [id(p) for p in inputs],
            f"{call}.parents",
            "two arrows: to x, then to y",
            f"{len(arrows)} parents, not those two in this order",
        )
        plain_slopes(out.slopes, call)
        same(
            out.slopes,
            (y, x),
            f"{call}.slopes",
            causes=[
                ((x, y), "each arrow carries its own number. Nudge x: what is it multiplied by?"),
                ((1.0, 1.0), "those are the slopes of a sum. Nudge a product."),
                ((x * y, x * y), "that is the product itself, not how fast it moves."),
            ],
            hint="nudge x, then y, and look at how far the product moves.",
        )


def plain_slopes(slopes, call):
    """Check that slopes is a pair, and no Values in it."""
    if slopes is ... or slopes is None:
        fail(f"{call}.slopes", "a pair of numbers", "`...`" if slopes is ... else "None")
    if not isinstance(slopes, (tuple, list)) or len(slopes) != 2:
        cause = "one slope for each parent: write a pair, (..., ...)."
        fail(f"{call}.slopes", "a pair of numbers", describe(slopes), cause)
    if any(hasattr(slope, "parents") for slope in slopes):
        cause = "slopes are plain numbers: take a Value's `.data`."
        fail(f"{call}.slopes", "a pair of numbers", "a pair with a Value in it", cause)


tanh = Exercise(
    "tanh",
    title="The slope of tanh",
    task="""
        `tanh` squashes any number to between −1 and 1. A mathematician hands you its slope at x:
        1 − tanh(x)². Fill it in.
        """,
    stub="""
        def tanh(x):
            out = math.tanh(x.data)
            slope = ...
            return Value(out, (x,), "tanh", (slope,))
        """,
    solution="""
        def tanh(x):
            out = math.tanh(x.data)
            slope = 1.0 - out * out
            return Value(out, (x,), "tanh", (slope,))
        """,
    hints=(
        "The formula asks for tanh of the input `x`. Which name in the function holds it already?",
        "`out` is tanh(x). So how often do you still have to call `math.tanh`?",
        "Not at all: the slope is 1 minus the square of `out`.",
    ),
    wrong=[
        Slip("1.0 - out * out", "1.0 - math.tanh(out) ** 2", says="tanh was taken twice"),
        Slip("1.0 - out * out", "1.0 - x.data ** 2", says="the square of x itself"),
        Slip("1.0 - out * out", "1.0 - out", says="the square is missing"),
        Slip("1.0 - out * out", "out", says="that is the output"),
        Slip("1.0 - out * out", "(1.0 - out) ** 2", says="square first"),
        Slip("1.0 - out * out", "1.0 - x * x", says="a plain number"),
        Slip("1.0 - out * out", "1.0 - tanh(x) ** 2", says="calls itself"),
        Slip("1.0 - out * out", "1.0 - math.tanh(x) ** 2", says="knows floats only"),
        Slip("1.0 - out * out", "(1.0 - out * out,)", says="makes the tuple"),
    ],
    also_right=[
        "def tanh(x):\n    t = math.tanh(x.data)\n"
        "    return Value(t, (x,), 'tanh', [1 - math.tanh(x.data) ** 2])",
        "def tanh(x):\n"
        "    return Value(math.tanh(x.data), (x,), 'tanh', (1 / math.cosh(x.data) ** 2,))",
    ],
)


@tanh.checker
def check_tanh(tanh):
    for x in (0.5, -1.5, 0.0):
        given, call, out = Value(x), f"tanh(Value({x}))", math.tanh(x)
        got = run_tanh(tanh, given, call)
        is_value(got, call)
        same(got.data, out, f"{call}.data", hint="leave the line that makes `out` as it was.")
        arrows = got.parents if isinstance(got.parents, (tuple, list)) else ()
        one = len(arrows) == 1 and arrows[0] is given
        expect(one, f"{call}.parents", "one arrow, to x", f"{len(arrows)} parents")
        slopes = got.slopes if isinstance(got.slopes, (tuple, list)) else (got.slopes,)
        same(len(slopes), 1, f"len({call}.slopes)")
        cause = "the slope is a plain number: take a Value's `.data`."
        expect(not hasattr(slopes[0], "parents"), f"{call}.slopes", "a number", "a Value", cause)
        cause = "one number in `slope`: the last line makes the tuple."
        nested = isinstance(slopes[0], (tuple, list))
        expect(not nested, f"the slope of {call}", "a number", describe(slopes[0]), cause)
        again = math.tanh(out)
        same(
            slopes[0],
            1 - out**2,
            f"the slope of {call}",
            causes=[
                (1 - again**2, "tanh was taken twice: that is the slope at the output."),
                (1 - x**2, "you subtract the square of x itself: tanh is missing."),
                (1 - out, "the square is missing."),
                (out, "that is the output, not how fast it moves."),
                ((1 - out) ** 2, "square first, then subtract."),
            ],
            hint="compare with nudge(math.tanh, ...) at the same place.",
        )


def run_tanh(tanh, x, call):
    """Return tanh(x); name the causes of the two errors that a slip leads to."""
    try:
        return tanh(x)
    except RecursionError:
        cause = "the function calls itself, without an end: `tanh` is the one that you write here."
        fail(call, "a Value", "RecursionError", cause)
    except TypeError as error:
        if "must be real number" not in str(error):
            raise
        fail(call, "a Value", f"TypeError: {error}", "`math.tanh` knows floats only, not Values.")


pass_back = Exercise(
    "pass_back",
    title="Pass a gradient back through one operation",
    task="""
        `out.grad` is known. Give every parent of `out` its share: the slope of its arrow times
        `out.grad`. It must work when both parents are the same `Value`, and when a parent already
        holds a share from elsewhere.
        """,
    stub="""
        def pass_back(out):
            for parent, slope in zip(out.parents, out.slopes):
                ...
        """,
    solution="""
        def pass_back(out):
            for parent, slope in zip(out.parents, out.slopes):
                parent.grad += slope * out.grad
        """,
    hints=(
        "Look at section 6: which of its two ways gave the slope that the nudge gave?",
        "A share is `slope * out.grad`. It joins what is already there.",
        "Add the share to `parent.grad` with `+=`.",
    ),
    wrong=[
        Slip("parent.grad += slope", "parent.grad = slope", says="overwrote the first"),
        Slip("slope * out.grad", "slope", says="`out.grad` is missing"),
        Slip("slope * out.grad", "out.grad", says="the slope is missing"),
        Slip("slope * out.grad", "slope + out.grad", says="added where you should multiply"),
        Slip("slope * out.grad", "slope * out.data", says="`out.data`, where the gradient"),
        Slip("parent.grad += slope * out.grad", "out.grad += slope * parent.grad",
             says="nothing reached"),
        Wrong(
            """
            def pass_back(out):
                for parent in out.parents:
                    parent.grad = 0.0
                for parent, slope in zip(out.parents, out.slopes):
                    parent.grad += slope * out.grad
            """,
            says="was lost",
        ),
        Wrong(
            """
            def pass_back(out):
                for parent, slope in zip(out.parents, out.slopes):
                    parent.grad = len(out.parents) * slope * out.grad
            """,
            says="two different parents",
        ),
        Wrong(
            """
            def pass_back(out):
                out.grad = 1.0
                for parent, slope in zip(out.parents, out.slopes):
                    parent.grad += slope * out.grad
            """,
            says="`out.grad` was changed",
        ),
        Wrong(
            """
            def pass_back(out):
                for parent, slope in zip(out.parents, out.slopes):
                    parent.grad += slope * out.grad
                    pass_back(parent)
            """,
            says="one operation only",
        ),
    ],
    also_right=[
        """
        def pass_back(out):
            for i in range(len(out.parents)):
                out.parents[i].grad = out.parents[i].grad + out.grad * out.slopes[i]
        """,
    ],
)  # fmt: skip


@pass_back.checker
def check_pass_back(pass_back):
    same(
        used_twice(pass_back),
        2.0,
        "a.grad, after a = Value(3.0), y = a + a, y.grad = 1.0, pass_back(y)",
        causes=[
            (1.0, "the second arrow overwrote the first. Both bring a share."),
            (0.0, "nothing reached `a`."),
            (4.0, "you added where you should multiply."),
            (12.0, "you used `out.data`, where the gradient at `out` is needed."),
        ],
    )
    x, y = Value(2.0), Value(5.0)
    out = x * y
    out.grad, x.grad = 3.0, 10.0
    pass_back(out)
    after = "after x = Value(2.0), y = Value(5.0), out = x * y, out.grad = 3.0, x.grad = 10.0"
    same(out.grad, 3.0, f"out.grad, {after}", hint="`out.grad` was changed: it is given.")
    same(
        y.grad,
        6.0,
        f"y.grad, {after}",
        causes=[
            (2.0, "`out.grad` is missing: the end moves 3 times as far as out."),
            (3.0, "the slope is missing."),
            (12.0, "two different parents get one share each."),
        ],
    )
    lost = [(15.0, "the 10 that x held before was lost.")]
    same(x.grad, 25.0, f"x.grad, {after}", causes=lost)
    x = Value(2.0)
    out = (x + Value(1.0)).square()
    out.grad = 1.0
    pass_back(out)
    call = "x.grad, after out = (x + Value(1.0)).square(), out.grad = 1.0, pass_back(out)"
    same(x.grad, 0.0, call, hint="one operation only: `x` is no parent of `out`, it comes later.")


def used_twice(pass_back):
    """Return a.grad after one pass back through a + a."""
    a = Value(3.0)
    out = a + a
    out.grad = 1.0
    pass_back(out)
    return a.grad


neuron = Exercise(
    "neuron",
    title="A neuron, by hand",
    task="""
        `y = tanh(x * w + b)` is recorded for you, with your own `mul` and `tanh`: solve those
        exercises first. Set the one gradient that you know without any work. Then call
        `pass_back`, as often as needed and in an order that works, so that `x`, `w` and `b` get
        their gradients.
        """,
    stub="""
        def neuron(x, w, b):
            product = mul(x, w)
            total = add(product, b)
            y = tanh(total)
            ...
            return y
        """,
    solution="""
        def neuron(x, w, b):
            product = mul(x, w)
            total = add(product, b)
            y = tanh(total)
            y.grad = 1.0
            pass_back(y)
            pass_back(total)
            pass_back(product)
            return y
        """,
    hints=(
        "Which value's gradient do you know before you start? Its own slope at itself.",
        "A value can pass on only what it has received. So who must go first?",
        "Set `y.grad = 1.0`, then pass back from the last made to the first made: three calls.",
    ),
    setup=f"{mul.solution}\n\n\n{tanh.solution}\n\n\n{pass_back.solution}\n",
    wrong=[
        Slip("    y.grad = 1.0\n", "", says="no gradient was set"),
        Slip("    pass_back(total)\n    pass_back(product)\n",
             "    pass_back(product)\n    pass_back(total)\n", says="had received nothing yet"),
        Slip("    pass_back(product)\n", "", says="one call is missing"),
        Slip(
            "    pass_back(y)\n    pass_back(total)\n    pass_back(product)\n",
            "    pass_back(product)\n    pass_back(total)\n    pass_back(y)\n",
            says="the first call",
        ),
        Slip("y.grad = 1.0", "y.grad = y.data", says="slope of `y` at itself"),
        Slip("    pass_back(total)\n    pass_back(product)\n", "", says="only `y` has passed on"),
        Slip("    pass_back(y)\n    pass_back(total)\n    pass_back(product)\n", "",
             says="Is `pass_back` solved"),
        Wrong(
            """
            def neuron(x, w, b):
                y = tanh(add(mul(x, w), b))
                y.grad, out = 1.0, y
                while out.parents:
                    out.parents[0].grad = out.slopes[0] * out.grad
                    out = out.parents[0]
                return y
            """,
            says="only one parent",
        ),
        Wrong(
            """
            def neuron(x, w, b):
                product = Value(x.data * w.data, (x, w), "*", ...)
                y = tanh(add(product, b))
                y.grad = 1.0
                for value in (y, y.parents[0], product):
                    pass_back(value)
                return y
            """,
            says="solve the exercises",
        ),
        Wrong(
            """
            def neuron(x, w, b):
                product = mul(x, w)
                total = add(product, b)
                y = tanh(total)
                y.grad = 1.0
                pass_back(y)
                pass_back(total)
                pass_back(total)
                pass_back(product)
                return y
            """,
            says="passed back twice",
        ),
    ],
    also_right=[
        """
        def neuron(x, w, b):
            product = mul(x, w)
            total = add(product, b)
            y = tanh(total)
            y.grad = 1.0
            for value in (y, total, product):
                pass_back(value)
            return y
        """,
        """
        def neuron(x, w, b):
            product = mul(x, w)
            total = add(product, b)
            y = tanh(total)
            total.grad = y.slopes[0]
            product.grad = b.grad = total.grad
            x.grad = w.data * product.grad
            w.grad = x.data * product.grad
            y.grad = 1
            return y
        """,
    ],
)  # fmt: skip


class Watched(Value):
    """A Value that counts how often its gradient is written."""

    __slots__ = ("kept", "writes")

    def __init__(self, data):
        self.writes = -1  # the first one is Value's own
        super().__init__(data)

    @property
    def grad(self):
        return self.kept

    @grad.setter
    def grad(self, number):
        self.kept, self.writes = number, self.writes + 1


@neuron.checker
def check_neuron(neuron):
    x, w, b = Watched(0.5), Watched(-2.0), Watched(1.25)
    call = "neuron(Value(0.5), Value(-2.0), Value(1.25))"
    try:
        y = neuron(x, w, b)
    except TypeError as error:
        if "ellipsis" not in str(error):
            raise
        cause = "solve the exercises mul, tanh and pass_back first, then run the stub's cell again."
        fail(call, "numbers as slopes", "a `...` among the slopes", cause)
    is_value(y, call)
    out = math.tanh(0.25)
    g = 1 - out**2
    same(y.data, out, f"{call}.data", hint="leave the lines that record `y` as they were.")
    early = "`product` passed its gradient on when it had received nothing yet."
    missing = "`x` and `w` received nothing: one call is missing."
    nothing_arrived = "no gradient was set at the end."
    if y.grad and y.parents and y.parents[0].grad:
        nothing_arrived = "only `y` has passed on. `total` now holds its gradient: and then?"
        if b.writes:
            nothing_arrived = "the first call must be for the value whose gradient you set."
    elif y.grad:
        nothing_arrived = "`y` holds its gradient, but passed nothing on. Is `pass_back` solved?"
    same(
        (x.grad, w.grad, b.grad),
        (-2.0 * g, 0.5 * g, g),
        f"(x.grad, w.grad, b.grad) after {call}",
        causes=[
            ((0.0, 0.0, 0.0), nothing_arrived),
            ((0.0, 0.0, g), early if x.writes else missing),
            ((-2.0 * g * out, 0.5 * g * out, g * out), "`y.grad` is the slope of `y` at itself."),
            ((-4.0 * g, g, 2 * g), "a value was passed back twice."),
            ((-2.0 * g, 0.0, 0.0), "only one parent of each value got its share."),
        ],
        hint="send one gradient at a time, and print it.",
    )
    same(y.grad, 1.0, f"{call}.grad", hint="the slope of `y` at itself.")


QUIZ = [
    Question(
        "An engine sends gradients back with `=`. Now `y = a * a` at `a = 3`, and `y.grad` is 1. "
        "What does `a.grad` hold after the pass back?",
        [
            Choice("6", "That is the true slope. This engine keeps only what came last."),
            Choice("3", "Each arrow brings 3. The second overwrites the first.", right=True),
            Choice("9", "That is `y.data`, the value. A gradient is a slope."),
            Choice("0", "Nothing is lost before it arrives: each arrow does bring its share."),
        ],
    ),
    Question(
        "A function has an `if` with two branches. You call it once. What is in the graph?",
        [
            Choice(
                "Both branches, and a node that chooses",
                "Python chose before anything was recorded.",
            ),
            Choice(
                "Nothing: an `if` breaks the recording", "Operations record, wherever they stand."
            ),
            Choice(
                "The operations of the branch that ran", "Only what ran was recorded.", right=True
            ),
        ],
    ),
    Question(
        "Along a chain of two operations the slopes are 4 and 8. "
        "What is the slope of the whole chain?",
        [
            Choice(
                "32", "A move is made 4 times as large, then 8 times as large again.", right=True
            ),
            Choice("12", "Slopes add where arrows meet, not along a chain."),
            Choice("8", "That is the last step alone. The first one scales the move, too."),
        ],
    ),
    Question(
        "`out = tanh(x)`, and `out.data` is 0.6. What is the slope along the arrow?",
        [
            Choice("1 − tanh(0.6)²", "0.6 is tanh of `x` already. Do not take it twice."),
            Choice("1 − 0.6 = 0.4", "The square is missing."),
            Choice(
                "It cannot be known without `x`",
                "The formula needs tanh of `x` only, and `out` is just that.",
            ),
            Choice("1 − 0.6² = 0.64", "The output is all that the slope needs.", right=True),
        ],
    ),
    Question(
        "`x` is 3. After one pass back through `y = x.square()`, `x.grad` is 6. You record `y` "
        "again and pass back once more, with `+=`. What does `x.grad` hold?",
        [
            Choice("6: the new gradient replaces the old", "`+=` adds. Nobody cleared the 6."),
            Choice(
                "12",
                "6 was there, and 6 more arrived. To start afresh, set it to zero.",
                right=True,
            ),
            Choice("36", "Slopes multiply along a chain; here two separate passes meet."),
        ],
    ),
]
