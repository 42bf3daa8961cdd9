"""Exercises and quiz of chapter 14."""

import numpy as np
from kit.checks import array, expect, fail, obvious, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt

SETUP = "import minitensor as mt"
UNRECORDED = "does not require grad"  # the engine's words for what has no history
MANY = "only for scalar"  # and for what is not one number


def leaf(values):
    return mt.tensor(values, requires_grad=True)


def tensor(got, call):
    """Check that a Tensor came back; `is_tensor` would look at `.grad`, and warn at a result."""
    kind = "None" if got is None else type(got).__name__
    cause = obvious(got)
    if isinstance(got, tuple):
        cause = cause or "`autograd.grad` returns a tuple, even of one: take the Tensor out."
    elif isinstance(got, float):
        cause = "`.item()` gives a plain number, without a record. Leave it a Tensor."
    expect(isinstance(got, mt.Tensor), call, "a Tensor", kind, cause)


def explained(call, function, causes):
    """Call function(); say the cause where an error's message holds one of these fragments."""
    try:
        return function()
    except (RuntimeError, TypeError, AttributeError) as error:
        for fragment, cause in causes.items():
            if fragment in str(error):
                fail(call, "no error", f"{type(error).__name__}: {error}", cause)
        raise


bend = Exercise(
    "bend",
    title="The slope of the slope",
    task="""
        `f` works on each number by itself, as `exp` does, and `x` requires a gradient. Return a
        Tensor with the second slope of `f` at each number of `x`. Leave `x.grad` alone.
        """,
    stub="""
        def bend(f, x):
            return ...
        """,
    solution="""
        def bend(f, x):
            (slope,) = mt.autograd.grad(f(x).sum(), x, create_graph=True)
            (second,) = mt.autograd.grad(slope.sum(), x)
            return second
        """,
    hints=(
        "Section 1 did it for one number. What has to be on record, so that you can ask again?",
        "`f(x)` has as many numbers as `x`, and a walk back starts from one. Each result depends "
        "on its own `x` only: what does their sum have to do with the single slopes?",
        "Ask `autograd.grad` for the slope of the sum, and have that walk recorded. Then sum, "
        "and ask once more.",
    ),
    wrong=[
        Slip(", create_graph=True", "", says="was not recorded"),
        Slip("return second", "return slope.detach()", says="the first slope"),
        Wrong(
            """
            def bend(f, x):
                (slope,) = mt.autograd.grad(f(x).sum(), x)
                return slope * slope
            """,
            says="the first slope, squared",
        ),
        Slip("f(x).sum()", "f(x)", says="one number"),
        Slip("f(x).sum()", "f(x).mean()", says="too small by the number of values"),
        Slip("(second,)", "second", says="a tuple, even of one"),
        Slip("(slope,)", "slope", says="take the Tensor out"),
        Wrong(
            """
            def bend(f, x):
                f(x).sum().backward(create_graph=True)
                x.grad.sum().backward()
                return x.grad
            """,
            says="adds to what is there",
        ),
        Wrong(
            """
            def bend(f, x):
                f(x).sum().backward(create_graph=True)
                (second,) = mt.autograd.grad(x.grad.sum(), x)
                return second
            """,
            says="without a trace",
        ),
        Wrong(
            """
            def bend(f, x, h=0.01):
                with mt.no_grad():
                    return (f(x + h) - 2 * f(x) + f(x - h)) / (h * h)
            """,
            says="nudging",
        ),
    ],
    also_right=[
        """
        def bend(f, x):
            ones = mt.ones_like(x)
            slope = mt.autograd.grad(f(x), x, grad_outputs=ones, create_graph=True)[0]
            return mt.autograd.grad(slope, x, grad_outputs=ones)[0]
        """,
        """
        def bend(f, x):
            total = lambda t: f(t).sum()
            return mt.autograd.functional.vhp(total, x, mt.ones_like(x))[1]
        """,
    ],
)


class Watched:
    """A function that notes where it was called."""

    def __init__(self, f):
        self.f, self.places = f, []

    def __call__(self, x):
        self.places.append(x)
        return self.f(x)


@bend.checker
def check_bend(bend):
    rows = [
        (lambda t: t * t * t, [1.0, -2.0, 0.5], "lambda t: t * t * t"),
        (lambda t: t.exp() * t, [[0.0, 1.0], [-1.0, 0.5]], "lambda t: t.exp() * t"),
        (mt.sin, 0.7, "mt.sin"),
    ]
    for f, values, shown in rows:
        x, watched = leaf(values), Watched(f)
        call = f"bend({shown}, mt.tensor({values}, requires_grad=True))"
        got = explained(call, lambda: bend(watched, x), ERRORS)  # noqa: B023 - called at once
        look(call, got, x, watched.places)
        first, second = slopes(f, values)
        n = max(1, second.size)
        same(
            got,
            second,
            call,
            causes=[
                (first, "that is the first slope. Ask for the slope of that."),
                (first * first, "the first slope, squared: that is not the slope of the slope."),
                (second / n, "too small by the number of values: a mean divides by it."),
                (second / n / n, "a mean divides by the number of values."),
                (
                    first + second,
                    "`.grad` held the first slope, and backward adds to what is there.",
                ),
            ],
            hint="for t³ the first slope is 3t², and its slope is 6t. Print both.",
            rtol=1e-4,
            atol=1e-5,
        )
        expect(x.grad is None, f"x.grad after {call}", "None", "a Tensor", KEPT)


KEPT = "`backward` fills `.grad`. There is a call that returns gradients without a trace."
ERRORS = {
    UNRECORDED: "the first slope was not recorded, so nothing leads from it back to `x`.",
    MANY: "a walk back starts from one number, and this has several.",
    "tuple": "`autograd.grad` returns a tuple, even of one: take the Tensor out.",
}


def look(call, got, x, places):
    """Check that a Tensor came back, from a walk and not from nudges."""
    tensor(got, call)
    strayed = any(not np.array_equal(array(place), array(x)) for place in places)
    cause = "that is nudging. Chapter 01 says how coarse it is, and it is worse for the bend."
    expect(not strayed, call, "`f` to be called at `x` only", "calls at other places", cause)


def slopes(f, values):
    """First and second slope of f at each value, in float64, as float32 arrays."""
    x = mt.tensor(values, dtype=mt.float64, requires_grad=True)
    (first,) = mt.autograd.grad(f(x).sum(), x, create_graph=True)
    (second,) = mt.autograd.grad(first.sum(), x)
    return array(first).astype(np.float32), array(second).astype(np.float32)


slope_loss = Exercise(
    "slope_loss",
    title="Match the slopes",
    task="""
        You know the slopes that a curve must have at the numbers `x`: they are in `wanted`. `x`
        requires a gradient, and `model(x)` gives one number for each of `x`. Return the mean
        squared difference between the model's slopes and the wanted ones, as a loss that can train
        the model.
        """,
    stub="""
        def slope_loss(model, x, wanted):
            return ...
        """,
    solution="""
        def slope_loss(model, x, wanted):
            (slope,) = mt.autograd.grad(model(x).sum(), x, create_graph=True)
            return (slope - wanted).square().mean()
        """,
    hints=(
        "Two steps: the slopes of the model at `x`, and then an ordinary loss of them.",
        "`loss.backward()` will go back through your slopes, to the model's parameters. What must "
        "the first walk do for that?",
        "`autograd.grad` of the model's sum at `x`, with its walk recorded; then subtract, square, "
        "and take the mean.",
    ),
    wrong=[
        Slip(", create_graph=True", "", says="cut off"),
        Slip("model(x).sum()", "model(x).mean()", says="divided by"),
        Slip("model(x).sum()", "model(x)", says="one number"),
        Slip(".square().mean()", ".mean()", says="squared"),
        Slip(".square().mean()", ".square().sum()", says="a sum"),
        Slip(".square().mean()", ".square()", says="one for each number"),
        Slip(".square().mean()", ".mean().square()", says="have cancelled"),
        Slip(".square().mean()", ".square().mean().sqrt()", says="the root"),
        Slip(".square().mean()", ".square().mean().item()", says="`.item()`"),
        Slip("(slope,)", "slope", says="take the Tensor out"),
        Wrong(
            """
            def slope_loss(model, x, wanted):
                return (model(x) - wanted).square().mean()
            """,
            says="its values",
        ),
        Wrong(
            """
            def slope_loss(model, x, wanted):
                model(x).sum().backward(create_graph=True)
                return (x.grad - wanted).square().mean()
            """,
            says="every leaf",
        ),
    ],
    also_right=[
        """
        def slope_loss(model, x, wanted):
            y = model(x)
            slope = mt.autograd.grad(y, x, mt.ones_like(y), create_graph=True)[0]
            return mt.nn.functional.mse_loss(slope, wanted)
        """,
        """
        def slope_loss(model, x, wanted):
            slope = mt.autograd.grad(model(x).sum(), [x], create_graph=True)[0]
            miss = wanted - slope
            return (miss * miss).sum() / len(miss)
        """,
    ],
)


@slope_loss.checker
def check_slope_loss(slope_loss):
    w, x = leaf([1.0, 0.5]), leaf([1.0, 2.0, 4.0])
    wanted = mt.tensor([0.0, 2.0, 3.0])
    model = lambda t: w[0] * t + w[1] * t * t  # noqa: E731 - shown to the learner
    call = "slope_loss(lambda t: t + 0.5 * t * t, mt.tensor([1., 2., 4.]), mt.tensor([0., 2., 3.]))"
    loss = explained(call, lambda: slope_loss(model, x, wanted), ERRORS)
    tensor(loss, call)
    at, want = array(x), array(wanted)
    miss = 1.0 + at - want
    value = at + 0.5 * at * at
    same(
        loss,
        np.float32((miss**2).mean()),
        call,
        causes=[
            (((value - want) ** 2).mean(), "this compares the model with `wanted`: its values, "
             "not its slopes."),
            ((((1 + at) / 3 - want) ** 2).mean(), "the slopes are divided by the number of values, "
             "as a mean does it."),
            (miss.mean(), "the differences are not squared: misses up and down would cancel."),
            (miss.mean() ** 2, "the mean is squared, and misses up and down have cancelled: square "
             "each of them first."),
            ((miss**2).mean() ** 0.5, "the root is too much: the mean of squares is asked for."),
            (miss**2, "these are the squares, one for each number. A loss is one number: their "
             "mean."),
            ((miss**2).sum(), "a sum, where the mean is asked for."),
        ],
        hint="the model's slope at t is 1 + t here. Print yours.",
    )  # fmt: skip
    expect(
        w.grad is None, f"the parameters' .grad after {call}", "None", "a Tensor",
        "`backward` fills `.grad` of every leaf, of the parameters too. Training adds to it.",
    )  # fmt: skip
    if not loss.requires_grad:
        cause = "the slopes are cut off from the parameters: the walk to them left no record."
        fail(f"{call}.requires_grad", "True", "False", cause)
    loss.backward()
    reached = w.grad is not None
    expect(reached, "the parameters' .grad after loss.backward()", "a Tensor", "None",
           "the slopes are cut off from the parameters.")  # fmt: skip
    same(
        w.grad,
        np.array([(2 * miss).mean(), (4 * at * miss).mean()], np.float32),
        "the parameters' .grad after loss.backward()",
        hint="the loss is right, and its gradient is not: is a part of it cut off the record?",
    )


softsign = Exercise(
    "softsign",
    names=("Softsign",),
    title="An operation of your own",
    task=r"""
        Write *softsign* with a rule of its own: $y = \frac{x}{1 + |x|}$. Its slope is
        $\frac{1}{(1 + |x|)^2}$. It is used as `Softsign.apply(x)`.
        """,
    stub="""
        class Softsign(mt.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return ...

            @staticmethod
            def backward(ctx, g):
                return ...
        """,
    solution="""
        class Softsign(mt.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x / (1 + x.abs())

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g / (1 + x.abs()) ** 2
        """,
    hints=(
        "`forward` works out the result. What will `backward` need to know, and who keeps it?",
        "`ctx.save_for_backward(...)` keeps Tensors, and `ctx.saved_tensors` gives them back, in a "
        "tuple. And what is `g`?",
        "`g` is the gradient that comes from upstream. The chain rule: your slope, times `g`. "
        "Write it with Tensors, so that it can be recorded.",
    ),
    wrong=[
        Slip("return g /", "return 1 /", says="upstream"),
        Slip("** 2", "** 1", says="the square"),
        Wrong(
            """
            class Softsign(mt.autograd.Function):
                @staticmethod
                def forward(ctx, x):
                    y = x / (1 + x.abs())
                    ctx.save_for_backward(y)
                    return y

                @staticmethod
                def backward(ctx, g):
                    (y,) = ctx.saved_tensors
                    return g / (1 + y.abs()) ** 2
            """,
            says="at the output",
        ),
        Slip("return g / (1 + x.abs()) ** 2", "return g", says="passes `g` on"),
        Slip("ctx.save_for_backward(x)", "pass", says="kept nothing"),
        Slip("return g / (1 + x.abs()) ** 2", "return mt.tensor(g.numpy() / "
             "(1 + abs(x.numpy())) ** 2)", says="outside the record"),
        Slip("return g / (1 + x.abs()) ** 2", "return g * (x / (1 + x.abs()))",
             says="the value, not the slope"),
        Slip("return x / (1 + x.abs())", "return x / (1 + x)", says="without its sign"),
        Slip("return g / (1 + x.abs()) ** 2", "return ...", says="still returns"),
        Slip("return g / (1 + x.abs()) ** 2", "return g / (1 + x) ** 2", says="without its sign"),
        Wrong(
            """
            class Softsign(mt.autograd.Function):
                @staticmethod
                def forward(ctx, x):
                    below = 1 + x.abs()
                    ctx.save_for_backward(below)
                    return x / below

                @staticmethod
                def backward(ctx, g):
                    (below,) = ctx.saved_tensors
                    return g / below.square()
            """,
            says="made on the way",
        ),
        Slip("(x,) = ctx.saved_tensors", "x = ctx.saved_tensors", says="is a tuple"),
    ],
    also_right=[
        """
        class Softsign(mt.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x / (1 + x.abs())
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, g):
                (y,) = ctx.saved_tensors
                return g * (1 - y.abs()).square()
        """,
        """
        class Softsign(mt.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                below = 1 + x.abs()
                ctx.save_for_backward(x)
                return x / below

            @staticmethod
            def backward(ctx, upstream):
                x = ctx.saved_tensors[0]
                return upstream * (1 + abs(x)) ** -2
        """,
        """
        class Softsign(mt.autograd.Function):
            @staticmethod
            def forward(x):
                return x / (1 + x.abs())

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * (1 / (1 + x.abs())) ** 2
        """,
    ],
)  # fmt: skip


@softsign.checker
def check_softsign(Softsign):
    if not issubclass(Softsign, mt.autograd.Function):
        fail("Softsign", "a kind of `mt.autograd.Function`", "another class",
             "the stub's first line has changed: put it back.")  # fmt: skip
    values = np.array([1.0, -0.5, 3.0], np.float32)
    below = 1 + abs(values)
    value, slope = values / below, 1 / below**2
    x = leaf(values)
    call = "Softsign.apply(mt.tensor([1.0, -0.5, 3.0], requires_grad=True))"
    y = Softsign.apply(x)
    tensor(y, call)
    same(y, value, call, hint="x over 1 + |x|.",
         causes=[(values / (1 + values), "|x| is x without its sign.")])  # fmt: skip
    got = walked(x, y.sum())
    same(
        got,
        slope,
        "the gradient of the sum of Softsign.apply(x)",
        causes=[
            (1 / below, "the slope is 1 over the square of 1 + |x|."),
            (1 / (1 + values) ** 2, "|x| is x without its sign, in `backward` as well."),
            (
                1 / (1 + abs(value)) ** 2,
                "the slope is taken at the output, and wanted at the input.",
            ),
            (np.ones(3, np.float32), "`backward` passes `g` on as it is: your slope is missing."),
            (value, "that is `g` times the value, not the slope."),
        ],
        hint="`g` is 1 for each number here: what comes out is your slope.",
    )
    weights = np.array([1.0, 10.0, -2.0], np.float32)
    got = walked(x, (Softsign.apply(x) * mt.tensor(weights)).sum())
    same(
        got,
        slope * weights,
        "the gradient of (Softsign.apply(x) * mt.tensor([1., 10., -2.])).sum()",
        causes=[(slope, "`g` is not used. It is what comes from upstream: here 1, 10 and -2.")],
        hint="the chain rule: your slope, times what comes from upstream.",
    )
    check_second(Softsign, x, -2 * np.sign(values) / below**3)


def walked(x, total):
    """The gradient of a sum at x; says so where the rule could not look up what it needs."""
    kept = "`saved_tensors` is empty: `forward` kept nothing. `ctx.save_for_backward` keeps it."
    try:
        (got,) = mt.autograd.grad(total, x)
    except RuntimeError as error:
        if "ellipsis" not in str(error):
            raise
        fail("the walk back through Softsign", "a gradient", "`...`",
             "`forward` is right. `backward` still returns `...`.")  # fmt: skip
    except AttributeError as error:
        if "'tuple'" not in str(error):
            raise
        cause = "`saved_tensors` is a tuple, even where one Tensor was kept: take it out."
        fail("the walk back through Softsign", "no error", str(error), cause)
    except (ValueError, IndexError) as error:
        if "unpack" not in str(error) and not isinstance(error, IndexError):
            raise
        fail("the walk back through Softsign", "no error", str(error), kept)
    return got


def check_second(Softsign, x, want):
    """Check the slope of the slope: the rule must be written with Tensors."""
    call = "the slope of the slope, by create_graph=True"
    cause = (
        "the number is right, and no way leads from it back to `x`. Did `forward` keep a Tensor "
        "that it made on the way, or does `backward` leave the Tensors? Keep `x`, and work with it."
    )
    try:
        (slope,) = mt.autograd.grad(Softsign.apply(x).sum(), x, create_graph=True)
        recorded = slope.requires_grad
    except RuntimeError as error:
        if "numpy" not in str(error):
            raise
        recorded = False
        cause = "`backward` works outside the record, in NumPy: nobody can go back through it."
    expect(recorded, call, "a slope with a record", "numbers without one", cause)
    (second,) = mt.autograd.grad(slope.sum(), x)
    same(second, want, call, hint="is every step of `backward` a step on Tensors?", rtol=1e-4)


QUIZ = [
    Question(
        "`(slope,) = autograd.grad(y, x)`, then `autograd.grad(slope, x)`. The second line raises "
        "an error. Why?",
        [
            Choice(
                "The walk to `slope` left no record",
                "`create_graph=True` has the walk itself recorded.",
                right=True,
            ),
            Choice(
                "`slope` is not a leaf",
                "It need not be: `y` is none either, and the walk starts from it.",
            ),
            Choice(
                "A second walk needs `retain_graph=True`",
                "That keeps the record of `y`. But `slope` has no record at all.",
            ),
            Choice(
                "Autograd knows first slopes only",
                "Its rules are made of operations that have rules. There is no end to it.",
            ),
        ],
    ),
    Question(
        "A `Function` gets a wrong rule: `backward` leaves `g` out. When does the mistake show?",
        [
            Choice("At once: the engine compares", "It trusts your rule. `gradcheck` compares."),
            Choice(
                "When the loss is not just the plain sum of its results",
                "In a sum each `g` is 1, and leaving out a factor 1 changes nothing.",
                right=True,
            ),
            Choice("Only for second slopes", "The first ones are wrong as soon as `g` is not 1."),
        ],
    ),
    Question(
        "`round` has slope 0 nearly everywhere. With a straight-through rule, `backward` returns "
        "`g`. What is that?",
        [
            Choice(
                "The true slope of `round`, seen from afar",
                "No function has two slopes. It is that of another function, `y = x`.",
            ),
            Choice(
                "A mistake that `gradcheck` should forbid",
                "`gradcheck` does object. Here that is the price of learning anything at all.",
            ),
            Choice(
                "A wrong slope, on purpose: it says which way to go",
                "With the true one, 0, the weight would never move.",
                right=True,
            ),
        ],
    ),
    Question(
        "You move a program from minitensor to PyTorch: `import torch` in place of "
        "`import minitensor as torch`. What changes in the loop?",
        [
            Choice(
                "`loss.backward()` becomes a call of C++",
                "What it does inside is C++. The line stays as it is.",
            ),
            Choice(
                "Nothing",
                "Names and arguments are the same, and on the CPU so are the random numbers.",
                right=True,
            ),
            Choice(
                "The seeds: PyTorch draws other numbers",
                "Not on the CPU: the same seed gives the same stream. See the page of differences.",
            ),
            Choice(
                "Gradients must be set to zero by hand",
                "They must in both: `optimizer.zero_grad()`.",
            ),
        ],
    ),
    Question(
        "What is in a file that `save(model.state_dict(), ...)` wrote?",
        [
            Choice(
                "The model: its class and its code",
                "No code at all. That is why the file is safe to open.",
            ),
            Choice(
                "Names and numbers of the parameters",
                "Whoever reads it makes the model first, and then fills it.",
                right=True,
            ),
            Choice(
                "The tape of the last step",
                "A tape lives for one step. Only what was learned is worth keeping.",
            ),
        ],
    ),
]
