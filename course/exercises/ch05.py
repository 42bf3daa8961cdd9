"""Exercises and quiz of chapter 05."""

from contextlib import contextmanager

import numpy as np
from kit.checks import array, describe, expect, fail, is_array, same, unchanged
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

SETUP = "import numpy as np"

unbroadcast = Exercise(
    "unbroadcast",
    title="Undo a broadcast",
    task="""
        An input of shape `shape` was broadcast, and `g` has the shape of the result. Return the
        gradient at the input: the shares added up, in the shape `shape`. If nothing was
        broadcast, `g` comes back as it is.
        """,
    stub="""
        def unbroadcast(g, shape):
            return ...
        """,
    solution="""
        def unbroadcast(g, shape):
            while g.ndim > len(shape):
                g = g.sum(axis=0)
            for axis, size in enumerate(shape):
                if size == 1:
                    g = g.sum(axis=axis, keepdims=True)
            return g
        """,
    hints=(
        "Section 3 has two moves: an axis missing in front, and an axis of size 1. What does each "
        "need?",
        "First the missing ones: while `g` has more axes than `shape`, sum over axis 0. Then `g` "
        "and `shape` have equally many axes, and you can compare them one by one.",
        "For each axis where `shape` says 1: `g.sum(axis=axis, keepdims=True)`.",
    ),
    wrong=[
        Slip("g.sum(axis=0)", "g.mean(axis=0)", says="mean"),
        Slip("g.sum(axis=axis, keepdims=True)", "g.mean(axis=axis, keepdims=True)", says="an axis "
             "of size 1: add up"),
        Slip("g = g.sum(axis=0)", "g = g.sum(axis=-1)", says="aligned on the right"),
        Slip("g.sum(axis=axis, keepdims=True)", "g.sum(axis=axis)", says="keep"),
        Wrong(
            """
            def unbroadcast(g, shape):
                while g.ndim > len(shape):
                    g = g.sum(axis=0)
                return g
            """,
            says="only the axes missing in front",
        ),
        Wrong(
            """
            def unbroadcast(g, shape):
                for axis, size in enumerate(shape):
                    if size == 1:
                        g = g.sum(axis=axis, keepdims=True)
                return g
            """,
            says="in front",
        ),
        Wrong("def unbroadcast(g, shape):\n    return g", says="whatever `shape`"),
        Wrong("def unbroadcast(g, shape):\n    return g.sum(axis=0)", says="nothing was broadcast"),
        Wrong("def unbroadcast(g, shape):\n    return g.sum(axis=0, keepdims=True)",
              says="nothing was broadcast"),
        Wrong(
            """
            def unbroadcast(g, shape):
                while g.ndim > len(shape):
                    g = g[0]
                for axis, size in enumerate(shape):
                    if size == 1:
                        g = g.take([0], axis=axis)
                return g
            """,
            says="one of the shares",
        ),
        Wrong("def unbroadcast(g, shape):\n    return np.full(shape, g.sum())",
              says="own shares"),
        Wrong(
            """
            def unbroadcast(g, shape):
                axes = tuple(i for i, size in enumerate(shape) if size != g.shape[i])
                return g.sum(axis=axes).reshape(shape)
            """,
            says="reshape",
        ),
        Wrong("def unbroadcast(g, shape):\n    return np.resize(g, shape)", says="first numbers"),
        Wrong("def unbroadcast(g, shape):\n    return g.reshape(shape)", says="keeps all the"),
        Wrong("def unbroadcast(g, shape):\n    return np.broadcast_to(g, shape)",
              says="that repeats"),
    ],
    also_right=[
        """
        def unbroadcast(g, shape):
            extra = g.ndim - len(shape)
            axes = tuple(range(extra))
            axes += tuple(i + extra for i, size in enumerate(shape) if size == 1)
            return g.sum(axis=axes).reshape(shape)
        """,
        """
        def unbroadcast(g, shape):
            padded = (1,) * (g.ndim - len(shape)) + tuple(shape)
            for axis in range(g.ndim):
                if padded[axis] != g.shape[axis]:
                    g = np.sum(g, axis=axis, keepdims=True)
            return np.reshape(g, shape)
        """,
        """
        def unbroadcast(g, shape):
            out = np.zeros(shape)
            places = np.broadcast_to(np.arange(out.size).reshape(shape), g.shape)
            np.add.at(out.reshape(-1), places.ravel(), g.ravel())
            return out
        """,
    ],
)  # fmt: skip

G = np.arange(1.0, 13.0).reshape(4, 3)
TARGETS = [(G, (4, 3)), (G, (4, 1)), (G, (3,)), (G, (1, 3)), (G, ()), (G, (1, 1))]
TARGETS += [(np.arange(9.0).reshape(3, 3), (3,))]  # where alignment on the left would fit as well
TARGETS += [(np.arange(24.0).reshape(2, 4, 3), (4, 1)), (np.arange(3.0).reshape(1, 3), (1, 3))]


# What an error of NumPy's says, and what it likely comes from.
MISFITS = {
    "unbroadcast": [
        ("cannot reshape", "a reshape keeps all the numbers. The shares must be added up first."),
        ("remapp", "that repeats, as on the way forward. On the way back, shares add up."),
        ("must match", "the sizes do not fit, axis by axis. Align the shapes on the right."),
    ],
    "matmul_rule": [
        ("matmul", "the inner sizes do not agree. Write the shapes side by side: is one of the two "
         "to be turned round?"),
        ("not aligned", "the inner sizes do not agree. Write the shapes side by side: is one of "
         "the two to be turned round?"),
        ("broadcast together", "`*` goes number by number. Rows with columns: that is `@`."),
    ],
    "gradcheck": [
        ("ambiguous", "`x` may have several axes: go through all its entries, as `nudged` does."),
        ("broadcast together", "two shapes do not fit. `x` may have several axes: go through all "
         "its entries, as `nudged` does, and compare shapes before numbers."),
    ],
}  # fmt: skip


@contextmanager
def telling(call, expected, misfits):
    """Name the likely cause of a ValueError. misfits: pairs (fragment of its text, cause)."""
    try:
        yield
    except ValueError as error:
        causes = [cause for fragment, cause in misfits if fragment in str(error)]
        if not causes:
            raise
        fail(call, expected, f"ValueError: {error}", causes[0])


def summed(g, shape, how):
    """Undo a broadcast, with `how` (np.sum, np.mean) in the place of adding up."""
    extra = g.ndim - len(shape)
    axes = (*range(extra), *(i + extra for i, size in enumerate(shape) if size == 1))
    return np.asarray(how(g, axis=axes)).reshape(shape)


def first_share(g, shape):
    return summed(g, shape, lambda g, axis: g[tuple(0 if i in axis else slice(None)
                                                    for i in range(g.ndim))])  # fmt: skip


@unbroadcast.checker
def check_unbroadcast(unbroadcast):
    for g, shape in TARGETS:
        call = f"unbroadcast(g, {shape}), for g of shape {g.shape}"
        with unchanged(g, call=call, cause="`g` may be needed elsewhere: make a new array."):
            with telling(call, f"shape {shape}", MISFITS["unbroadcast"]):
                got = unbroadcast(g, shape)
                untouched = got is g and all(unbroadcast(G, s) is G for s in ((3,), (4, 1)))
        if is_array(got) or np.isscalar(got):
            check_shape(array(got), g, shape, call, untouched)
        same(
            got,
            summed(g, shape, np.sum),
            call,
            causes=causes_of(g, shape),
            hint="each entry is the sum over those cells of `g` that it was copied to.",
            dtype=False,
        )


def check_shape(got, g, shape, call, untouched):
    """Say why a gradient has the wrong shape, as far as the shape tells."""
    if got.shape == shape:
        return
    ones_missing = got.size == np.prod(shape)
    why = [
        (shape == g.shape, "nothing was broadcast here, so there is nothing to sum."),
        (untouched, "`g` comes back as it is, whatever `shape` says."),
        (got.shape == g.shape and len(shape) == g.ndim,
         "an axis of size 1 was stretched: sum over it. You sum only the axes missing in front."),
        (got.shape == g.shape, "an axis is missing in front of `shape`: sum over it, too."),
        (ones_missing and got.ndim < len(shape),
         "the sum is right, but an axis of size 1 is part of the shape: keep it."),
        (ones_missing, "an axis that was missing in front must be gone after the sum."),
        (got.shape == g.shape[:-1], "shapes are aligned on the right: the missing axes are in "
         "front."),
    ]  # fmt: skip
    known = (cause for holds, cause in why if holds)
    cause = next(known, "a gradient has the shape of what it belongs to.")
    fail(call, f"shape {shape}", f"shape {got.shape}", cause)


def causes_of(g, shape):
    """Values that known mistakes give, and what to say about them."""
    mean = "that is the mean: each copy brings a share, and shares add up."
    if len(shape) == g.ndim:
        mean = "that is the mean over an axis of size 1: add up instead."
    return [
        (summed(g, shape, np.mean), mean),
        (first_share(g, shape), "that is one of the shares: the others belong to the sum, too."),
        (np.full(shape, g.sum()), "each entry gets its own shares, not those of the others."),
        (np.resize(g, shape), "these are the first numbers of `g`, not sums."),
        (g.sum(-1), "shapes are aligned on the right: sum over the *first* axis here."),
    ]


matmul_rule = Exercise(
    "matmul_rule",
    title="The rule of the matrix product",
    task="""
        `out = a @ b`, for matrices: `a` is `(n, k)`, `b` is `(k, m)`. `g` is the gradient at
        `out`. Return the gradients at `a` and at `b`, as a pair. No loops.
        """,
    stub="""
        def matmul_rule(g, a, b):
            return ...
        """,
    solution="""
        def matmul_rule(g, a, b):
            return g @ b.T, a.T @ g
        """,
    hints=(
        "Write down the shapes of `g`, `a` and `b`. Section 5 did the case where `b` is one "
        "column.",
        "`a[i, j]` reaches the results `out[i, :]`, with slopes `b[j, :]`. So its gradient is the "
        "sum over `l` of `g[i, l] * b[j, l]`: row `i` of `g` with row `j` of `b`.",
        "Rows with rows is a product with the second matrix turned round. The gradient at `b` "
        "works in the same way, with columns: `a` turned round, and then `g`.",
    ),
    wrong=[
        Slip("g @ b.T, a.T @ g", "a.T @ g, g @ b.T", says="change places"),
        Slip("g @ b.T, a.T @ g", "b @ g.T, g.T @ a", says="turned round"),
        Slip("g @ b.T, a.T @ g", "g @ b, a @ g", says="inner sizes"),
        Slip("g @ b.T, a.T @ g", "b.T, a.T", says="`g` is missing"),
        Slip("g @ b.T, a.T @ g", "np.ones_like(g) @ b.T, a.T @ np.ones_like(g)",
             says="`g` were 1"),
        Slip("g @ b.T, a.T @ g", "g @ b.T", says="two gradients"),
        Slip("g @ b.T, a.T @ g", "g @ b.T, g.T @ a", says="second gradient"),
        Slip("g @ b.T, a.T @ g", "g * b, g * a", says="number by number"),
        Slip("g @ b.T, a.T @ g",
             "g @ b.reshape(b.shape[::-1]), a.reshape(a.shape[::-1]) @ g", says="reshape"),
        Wrong(
            """
            def matmul_rule(g, a, b):
                if a.shape[0] == a.shape[1]:
                    return g @ b, a @ g
                return g @ b.T, a.T @ g
            """,
            says="square",
        ),
    ],
    also_right=[
        "def matmul_rule(g, a, b):\n    return [(b @ g.T).T, (g.T @ a).T]",
        """
        def matmul_rule(g, a, b):
            return np.einsum("nm,km->nk", g, b), np.einsum("nk,nm->km", a, g)
        """,
        """
        def matmul_rule(g, a, b):
            at_a = np.tensordot(g, b, axes=(1, 1))
            return at_a, np.dot(a.transpose(), g)
        """,
        """
        def matmul_rule(g, a, b):
            return (g[:, None, :] * b).sum(-1), (a[:, :, None] * g[:, None, :]).sum(0)
        """,
    ],
)  # fmt: skip


def matrices(n, k, m):
    """Return g, a, b of small whole numbers, for a product of (n, k) and (k, m)."""
    a = np.arange(1.0, n * k + 1).reshape(n, k)
    b = np.arange(k * m, 0.0, -1).reshape(k, m) ** 2
    return np.arange(n * m).reshape(n, m) % 5 - 1.0, a, b


@matmul_rule.checker
def check_matmul_rule(matmul_rule):
    for n, k, m in ((2, 3, 4), (4, 2, 1), (3, 3, 3)):
        g, a, b = matrices(n, k, m)
        shapes = f"g ({n}, {m}), a ({n}, {k}), b ({k}, {m})"
        call = f"matmul_rule(g, a, b), for {shapes}"
        expected = f"arrays of shape ({n}, {k}) and ({k}, {m})"
        with unchanged(g, a, b, call=call), telling(call, expected, MISFITS["matmul_rule"]):
            got = matmul_rule(g, a, b)
        if is_array(got):
            fail(call, "a pair", describe(got), "two inputs, so two gradients: `return ..., ...`.")
        if isinstance(got, (tuple, list)) and len(got) == 2 and all(map(is_array, got)):
            check_pair(got, g, a, b, call)
        same(got, (g @ b.T, a.T @ g), call, hint="go through the shapes in section 5 again.")


def check_pair(got, g, a, b, call):
    """Name the known mistakes of a pair of arrays; else do nothing."""
    ones, at_a, at_b = np.ones_like(g), g @ b.T, a.T @ g
    mistakes = [
        ((at_b, at_a), "both are right, but they must change places: first `a`, then `b`."),
        ((at_a.T, at_b.T), "both came out turned round: each needs the shape of its input."),
        ((at_a, at_b.T), "the second gradient came out turned round."),
        ((at_a.T, at_b), "the first gradient came out turned round."),
        ((b.T, a.T), "`g` is missing: these are slopes, not yet gradients."),
        ((ones @ b.T, a.T @ ones), "right if every entry of `g` were 1. It is not."),
        ((g @ b, a @ g) if a.shape == b.shape == g.shape else (),
         "this fits, since the matrices are square, but nothing was turned round."),
        ((g @ b.reshape(b.shape[::-1]), a.reshape(a.shape[::-1]) @ g),
         "`reshape` keeps the order of the numbers; turning round (`.T`) does not."),
    ]  # fmt: skip
    for wrong, cause in mistakes:
        if wrong and all(np.array_equal(array(x), y) for x, y in zip(got, wrong, strict=True)):
            right = np.array_equal(array(got[0]), at_a) and np.array_equal(array(got[1]), at_b)
            expect(right, call, "the gradients at a and b", show_shapes(got), cause)


def show_shapes(pair):
    return "arrays of shape " + " and ".join(str(array(x).shape) for x in pair)


gradcheck = Exercise(
    "gradcheck",
    title="A test for rules",
    task="""
        `f` takes an array and gives an array; `rule(g, x)` claims to be its rule. Return True if
        the claim holds at `x` and `g`: the claimed gradient has the shape of `x`, and each of its
        entries agrees, to 1e-5, with a nudge of `(g * f(x)).sum()`. Else return False. `x` is
        float64, of any shape, and must be as before when you are done.
        """,
    stub="""
        def gradcheck(f, rule, x, g):
            return ...
        """,
    solution="""
        def gradcheck(f, rule, x, g, h=1e-6):
            slopes = np.zeros_like(x)
            for i in np.ndindex(x.shape):
                step = np.zeros_like(x)
                step[i] = h
                slopes[i] = (g * (f(x + step) - f(x - step))).sum() / (2 * h)
            claimed = rule(g, x)
            return claimed.shape == x.shape and np.allclose(claimed, slopes, atol=1e-5)
        """,
    hints=(
        "The function `nudged` of section 6 gives the slopes; what is left is to compare.",
        "`np.allclose` compares all entries. But it broadcasts: what does it say to a claim of "
        "shape `(4, 3)`, next to slopes of shape `(3,)`?",
        "Compare `rule(g, x).shape` with `x.shape` first, then all entries by "
        "`np.allclose(..., atol=1e-5)`.",
    ),
    wrong=[
        Wrong("def gradcheck(f, rule, x, g):\n    return True", says="the test said yes"),
        Wrong("def gradcheck(f, rule, x, g):\n    return False", says="said no"),
        Slip("claimed.shape == x.shape and ", "", says="broadcasts"),
        Slip("(g * (f(x + step) - f(x - step))).sum()", "(f(x + step) - f(x - step)).sum()",
             says="weigh"),
        Slip("np.allclose(claimed, slopes, atol=1e-5)", "np.array_equal(claimed, slopes)",
             says="rounding"),
        Slip("np.allclose(claimed, slopes, atol=1e-5)",
             "(claimed - slopes < 1e-5).all()", says="too small"),
        Slip("np.allclose(claimed, slopes, atol=1e-5)",
             "np.isclose(claimed, slopes, atol=1e-5).any()", says="in *some* entries"),
        Slip("np.allclose(claimed, slopes, atol=1e-5)",
             "np.isclose(claimed.sum(), slopes.sum(), atol=1e-5)", says="their sum"),
        Slip("step[i] = h", "step[:] = h", says="all entries at once"),
        Slip("/ (2 * h)", "/ h", says="twice"),
        Slip("np.allclose(claimed, slopes, atol=1e-5)",
             "np.allclose(claimed, slopes, atol=0.1)", says="too lenient"),
        Wrong(
            """
            def gradcheck(f, rule, x, g, h=1e-6):
                slopes = np.zeros_like(x)
                for i in np.ndindex(x.shape):
                    x[i] += h
                    up = f(x)
                    x[i] -= h
                    slopes[i] = (g * (up - f(x))).sum() / h
                    x[i] += h
                claimed = rule(g, x)
                return claimed.shape == x.shape and np.allclose(claimed, slopes, atol=1e-5)
            """,
            says="nudge a copy",
        ),
        Wrong(
            """
            def gradcheck(f, rule, x, g, h=1e-6):
                slopes = np.zeros_like(x)
                for i in range(len(x)):
                    step = np.zeros_like(x)
                    step[i] = h
                    slopes[i] = (g * (f(x + step) - f(x - step))).sum() / (2 * h)
                claimed = rule(g, x)
                return claimed.shape == x.shape and np.allclose(claimed, slopes, atol=1e-5)
            """,
            says="np.ndindex",
        ),
        Wrong(
            """
            def gradcheck(f, rule, x, g, h=1e-6):
                claimed = rule(g, x)
                if claimed.shape != x.shape:
                    return False
                for i in range(len(x)):
                    step = np.zeros_like(x)
                    step[i] = h
                    slope = (g * (f(x + step) - f(x - step))).sum() / (2 * h)
                    if abs(slope - claimed[i]) > 1e-5:
                        return False
                return True
            """,
            says="as `nudged` does",
        ),
    ],
    also_right=[
        """
        def gradcheck(f, rule, x, g):
            claimed, h = np.asarray(rule(g, x)), 1e-5
            if claimed.shape != x.shape:
                return False
            for i in range(x.size):
                up, down = x.copy(), x.copy()
                up.flat[i] += h
                down.flat[i] -= h
                slope = np.sum(g * f(up) - g * f(down)) / (2 * h)
                if abs(slope - claimed.flat[i]) > 1e-5:
                    return False
            return True
        """,
        """
        def gradcheck(f, rule, x, g):
            def loss(x):
                return (g * f(x)).sum()

            slopes = np.zeros(x.shape)
            for i in np.ndindex(*x.shape):
                step = np.zeros(x.shape)
                step[i] = 1e-6
                slopes[i] = (loss(x + step) - loss(x)) / 1e-6
            claimed = rule(g, x)
            return claimed.shape == slopes.shape and bool((abs(claimed - slopes) < 1e-5).all())
        """,
    ],
)  # fmt: skip


def repeat_rows(b):
    return np.zeros((4, 1)) + b


V = np.array([1.0, -2.0, 0.5])
M = np.array([[0.5, -1.0, 1.5], [2.0, 0.25, -0.75]])
G3, G23, G43 = np.array([1.0, 4.0, -2.0]), np.array([[1.0, 2, -3], [4, -5, 6]]), G - 5


def three(x):
    return 3 * x


def turn(x):
    return x[::-1]


def times(factor):
    """A rule that says: g times a number."""
    return lambda g, x: factor * g


# What is claimed; f, rule, x, g; whether the claim holds; what to say to the other verdict.
CLAIMS = [
    ("3 * x, with 3 * g", three, times(3), V, np.ones(3), True, ""),
    ("3 * x, with 9 * g", three, times(9), V, np.ones(3), False,
     "this claim is three times too large, and the test said yes."),
    ("3 * x, with 1 * g", three, times(1), V, np.ones(3), False,
     "a claim can be too small as well as too large: take the size of the difference."),
    ("x[::-1], with g, of 2 numbers", turn, times(1), V[:2], G3[:2], False,
     "their sum is right, each of the two is wrong: compare entry by entry."),
    ("x[::-1], with g, of 3 numbers", turn, times(1), V, G3, False,
     "it agrees in *some* entries, here in the middle; each has to agree."),
    ("x * x, with 2 * x", np.square, lambda g, x: 2 * x, V, G3, False,
     "the gradient is that of `(g * f(x)).sum()`: weigh each result by its `g`."),
    ("x * x, with g * 2 * x", np.square, lambda g, x: g * 2 * x, V, G3, True,
     "this rule is right. Do you nudge with a central step, and small enough?"),
    ("x * x of two rows, with g * 2 * x", np.square, lambda g, x: g * 2 * x, M, G23, True,
     "`x` may have several axes: `np.ndindex(x.shape)` goes through all its entries."),
    ("b added to 4 rows, with 4 rows of 4", repeat_rows, lambda g, b: np.full((4, 3), 4.0), V,
     np.ones((4, 3)), False,
     "the claim has the shape of the result, not of `x`, and `np.allclose` broadcasts."),
    ("b added to 4 rows, with g.sum(0)", repeat_rows, lambda g, b: g.sum(0), V, G43, True,
     "this rule is right: the shares of the four rows add up."),
    ("exp, off by 0.01", np.exp, lambda g, x: g * np.exp(x) + 0.01, V, G3, False,
     "it is off by 0.01, and your test is too lenient: the task says 1e-5."),
    ("sin, with g * cos(x)", np.sin, lambda g, x: g * np.cos(x), V, G3, True,
     "this rule is right. Do you use numbers of your own in place of `x` or `g`?"),
]  # fmt: skip
# If the very first claim, a right one, is refused: claims that only a known mistake accepts.
PROBES = [
    (times(6), V, "your slopes come out twice too large: from x - h to x + h it is 2 * h."),
    (times(9), V, "you nudge all entries at once; one entry at a time."),
    (times(3), np.zeros(3), "a nudge is never exact, because of rounding: agree to 1e-5."),
]


def why_refused(gradcheck):
    """Return the likely cause why a plain right claim was refused."""
    for rule, x, cause in PROBES:
        if gradcheck(three, rule, x.copy(), np.ones(3)):
            return cause
    return "it said no to a right rule, wherever we tried. What do you compare?"


@gradcheck.checker
def check_gradcheck(gradcheck):
    for name, f, rule, x, g, holds, cause in CLAIMS:
        call, mine = f"gradcheck for {name}", x.copy()
        with telling(call, str(holds), MISFITS["gradcheck"] if x.ndim > 1 else []):
            got = gradcheck(f, rule, mine, g)
        same(mine, x, f"x after {call}", hint="you nudge `x` itself: nudge a copy.", rtol=0,
             atol=1e-12)  # fmt: skip
        is_bool = isinstance(got, (bool, np.bool_))
        missing = "nothing came back: is there a `return`?" if got is None else ""
        expect(is_bool, call, "True or False", describe(got), missing)
        if bool(got) != holds:
            fail(call, str(holds), str(bool(got)), cause or why_refused(gradcheck))


QUIZ = [
    Question(
        "`y` is a vector. What does `y.backward(v)` compute?",
        [
            Choice(
                "The gradient of the vector, scaled by the length of `v`",
                "A vector has no single gradient to scale: each of its numbers has its own.",
            ),
            Choice(
                "The gradient of the one number `(v * y).sum()`",
                "`v` says how much each entry counts. In the middle of a network, the steps after "
                "`y` say it.",
                right=True,
            ),
            Choice(
                "The slopes of `y` after `y` has moved in the direction `v`",
                "Nothing moves. `v` weighs results; a direction of the *inputs* is another thing.",
            ),
        ],
    ),
    Question(
        "`(32, 10)` results are `x @ W + b`, with `b` of shape `(10,)`. `b.grad` has the shape",
        [
            Choice(
                "`(32, 10)`, since each result has its own slope",
                "Each result brings a *share*. A gradient has the shape of what it belongs to.",
            ),
            Choice(
                "`(10,)`, the mean over the 32 rows",
                "The shares are added. A mean comes in only if the loss takes one: then it is in "
                "`g` already.",
            ),
            Choice(
                "`(10,)`, the sum over the 32 rows",
                "One number of `b` was used 32 times: 32 shares add up.",
                right=True,
            ),
            Choice(
                "`()`, one slope for the whole bias",
                "Ten numbers can move independently, so there are ten slopes.",
            ),
        ],
    ),
    Question(
        "The loss has stopped falling at the variance of the targets. Where do you look first?",
        [
            Choice(
                "At the shapes of predictions and targets",
                "A column minus a row compares all with all, and pulls each prediction to the "
                "mean.",
                right=True,
            ),
            Choice(
                "At the learning rate: it must be too small",
                "It would still fall, slowly. Here every prediction has *arrived* at the mean.",
            ),
            Choice(
                "Nowhere: broadcasting raises an error where shapes do not fit",
                "`(N, 1)` and `(N,)` do fit: they make `(N, N)`. No error, no warning.",
            ),
        ],
    ),
    Question(
        "Why does a tensor engine keep rules, and not the tables of slopes?",
        [
            Choice(
                "The tables are less exact",
                "They hold the same slopes, exactly. It is their size that forbids them.",
            ),
            Choice(
                "A table has a number for every pair of input and result",
                "Gigabytes for one layer, nearly all zeros. A rule costs about what the forward "
                "step costs.",
                right=True,
            ),
            Choice(
                "A table exists only for operations that are matrix products",
                "Each smooth operation has one, at each input: square, `cumsum` and the rest.",
            ),
        ],
    ),
    Question(
        "Your rule fails a check by nudging, in float32 with `h = 1e-8`. What now?",
        [
            Choice(
                "Look for the mistake in the rule",
                "Perhaps there is none: at 1e-8 float32 may not move at all, and the slope is 0.",
            ),
            Choice(
                "Take a still smaller step: the error falls with it",
                "Only at first. Below some step, rounding takes over, and it grows.",
            ),
            Choice(
                "Raise the tolerance until it passes",
                "Then wrong rules pass as well. A check is worth what it refuses.",
            ),
            Choice(
                "Check in float64, with `h` about 1e-6",
                "Ten digits are left to compare. The rule itself may then run in float32.",
                right=True,
            ),
        ],
    ),
]
