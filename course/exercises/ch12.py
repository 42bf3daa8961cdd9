"""Exercises and quiz of chapter 12."""

from functools import partial
from itertools import product

import numpy as np
from kit.checks import array, describe, expect, fail, obvious, same, unchanged
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

SETUP = "import numpy as np\nimport minitensor as mt"

output_size = Exercise(
    "output_size",
    title="How large is the output?",
    task="""
        `n` pixels in a row, a kernel of `k`, a stride, and `padding` zeros at *both* ends. Return
        how many windows fit: a whole number. A window that would hang over the end does not
        count. Section 1 printed five sizes to try it on.
        """,
    stub="""
        def output_size(n, k, stride=1, padding=0):
            return ...
        """,
    solution="""
        def output_size(n, k, stride=1, padding=0):
            return (n + 2 * padding - k) // stride + 1
        """,
    hints=(
        "How long is the row with its padding? At which places may the *first* pixel of a window "
        "lie?",
        "The last possible start is the padded length minus `k`. Count the starts: they begin at "
        "0, in steps of `stride`.",
        "Whole steps from 0 to the last start, by `//`; and one more, for the start at 0.",
    ),
    wrong=[
        Slip(" + 1", "", says="start at 0"),
        Slip("2 * padding", "padding", says="both ends"),
        Slip("// stride", "/ stride", says="half a window"),
        Slip("+ 2 * padding", "", says="padding changes nothing"),
        Slip(" // stride", "", says="stride changes nothing"),
        Slip("(n + 2 * padding - k) // stride + 1", "n + 2 * padding - k // stride + 1",
             says="brackets"),
        Slip("(n + 2 * padding - k) // stride + 1", "(n + 2 * padding - k + 1) // stride",
             says="the 1 comes after"),
        Slip("(n + 2 * padding - k) // stride + 1", "-(-(n + 2 * padding - k) // stride) + 1",
             says="hang over the end"),
        Slip("(n + 2 * padding - k) // stride + 1", "(n + 2 * padding) // stride",
             says="`k` changes nothing"),
        Slip("(n + 2 * padding - k) // stride + 1", "(n - 2 * padding - k) // stride + 1",
             says="makes the row longer"),
    ],
    also_right=[
        """
        def output_size(n, k, stride=1, padding=0):
            return len(range(0, n + 2 * padding - k + 1, stride))
        """,
        """
        def output_size(n, k, stride=1, padding=0):
            return int((n + 2 * padding - (k - 1) - 1) / stride + 1)
        """,
        """
        def output_size(n, k, stride=1, padding=0):
            count, start = 0, 0
            while start + k <= n + 2 * padding:
                count, start = count + 1, start + stride
            return count
        """,
    ],
)  # fmt: skip

SIZES = [  # n, k, stride, padding: the easy ones first
    (8, 3, 1, 0), (8, 3, 1, 1), (9, 3, 2, 0), (8, 3, 2, 0), (8, 3, 2, 1), (8, 3, 3, 1),
    (28, 5, 1, 2), (11, 4, 3, 2), (5, 5, 1, 0), (7, 1, 2, 0), (32, 7, 2, 3),
]  # fmt: skip


def fitting(n, k, stride, padding):
    """Count the windows that fit, one by one."""
    return len(range(0, n + 2 * padding - k + 1, stride))


def size_slips(n, k, s, p):
    """Return what usual slips give for output_size, with what to say."""
    long = n + 2 * p
    return [
        (
            (long - k + 1) // s if s > 1 else None,
            "the 1 comes after the division: it is the start at 0.",
        ),
        (long - k + 1 if s > 1 else None, "the stride changes nothing here: it should."),
        ((n - k) // s + 1 if p else None, "the padding changes nothing here: it should."),
        ((n + p - k) // s + 1 if p else None, "zeros are laid at both ends."),
        ((n - 2 * p - k) // s + 1 if p else None, "padding makes the row longer."),
        ((long - k) // s, "the start at 0 is a window, too."),
        (long - k // s + 1, "`//` binds more tightly than `-`: are brackets missing?"),
        ((long - k + 1) // s, "the 1 comes after the division: it is the start at 0."),
        (-(-(long - k) // s) + 1, "the last window would hang over the end."),
        (long // s, "`k` changes nothing here: it should."),
    ]


@output_size.checker
def check_output_size(output_size):
    for case in SIZES:
        n, k, stride, padding = case
        want = fitting(*case)
        call = f"output_size({n}, {k}, stride={stride}, padding={padding})"
        got = output_size(n, k, stride=stride, padding=padding)
        is_float = isinstance(got, (float, np.floating))
        if is_float and abs(got - want) < 1:
            cause = "a whole number is wanted: half a window is no window. Which division cuts?"
            fail(call, str(want), repr(float(got)), cause)
        hint = "draw the padded row and lay the windows on it."
        causes = [(value, say) for value, say in size_slips(*case) if value not in (None, want)]
        same(got, want, call, causes=causes, hint=hint, dtype=False)
    same(output_size(8, 3), 6, "output_size(8, 3)", hint="stride is 1 and padding 0 by default.")


im2col = Exercise(
    "im2col",
    title="Windows as columns",
    task="""
        `x` is an array C × H × W. Return its table of columns: shape (C · kh · kw, windows), for
        stride 1 and no padding. Column `j` is window `j`, counted row by row. Within a column:
        channel after channel, and each channel's part of the window row by row. Its dtype is
        that of `x`. The kernel need not be square. Loops are fine.
        """,
    stub="""
        def im2col(x, kh, kw):
            return ...
        """,
    solution="""
        def im2col(x, kh, kw):
            C, H, W = x.shape
            windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(1, 2))
            # windows: C × places down × places right × kh × kw
            return windows.transpose(0, 3, 4, 1, 2).reshape(C * kh * kw, -1)
        """,
    hints=(
        "One column first: cut a window out of *all* channels. In which order does `reshape(-1)` "
        "read it?",
        "Either loop over the places, `x[:, i : i + kh, j : j + kw].reshape(-1)`, and stack the "
        "columns. Or take the view of all windows, and bring its axes into order.",
        "For the loop: `i` outside, `j` inside, and `np.stack(columns, axis=1)`. For the view: C "
        "and the two axes of the kernel come first, the two axes of places last; then `reshape`.",
    ),
    wrong=[
        Slip(".transpose(0, 3, 4, 1, 2).reshape(C * kh * kw, -1)",
             ".transpose(1, 2, 0, 3, 4).reshape(-1, C * kh * kw)", says="a row each"),
        Slip(".transpose(0, 3, 4, 1, 2)", "", says="order of reading"),
        Slip("(0, 3, 4, 1, 2)", "(3, 4, 0, 1, 2)", says="channel after channel"),
        Slip("(0, 3, 4, 1, 2)", "(0, 4, 3, 1, 2)", says="column by column"),
        Slip("(0, 3, 4, 1, 2)", "(0, 3, 4, 2, 1)", says="windows are counted"),
        Slip("x, (kh, kw)", "x, (kw, kh)", says="exchanged"),
        Slip("C, H, W = x.shape", "x = x[:1]\n    C, H, W = x.shape", says="first channel"),
        Slip("C, H, W = x.shape", "x = x.sum(axis=0, keepdims=True)\n    C, H, W = x.shape",
             says="were summed"),
        Slip("x, (kh, kw)", "x[:, :-1, :-1], (kh, kw)", says="last windows are missing"),
        Wrong(
            """
            def im2col(x, kh, kw):
                C, H, W = x.shape
                columns = []
                for i in range(0, H - kh + 1, kh):
                    for j in range(0, W - kw + 1, kw):
                        columns.append(x[:, i : i + kh, j : j + kw].reshape(-1))
                return np.stack(columns, axis=1)
            """,
            says="windows overlap",
        ),
        Wrong(
            """
            def im2col(x, kh, kw):
                columns = []
                for i in range(x.shape[1]):
                    for j in range(x.shape[2]):
                        columns.append(x[:, i : i + kh, j : j + kw].reshape(-1))
                return np.stack(columns, axis=1)
            """,
            says="over the edge",
        ),
        Wrong(
            """
            def im2col(x, kh, kw):
                C, H, W = x.shape
                columns = []
                for i in range(H - kh + 1):
                    for j in range(W - kw + 1):
                        columns.append(x[:, i : i + kh, j : j + kw].reshape(-1))
                return columns
            """,
            says="np.stack",
        ),
        Wrong(
            """
            def im2col(x, kh, kw):
                C, H, W = x.shape
                h, w = H - kh + 1, W - kw + 1
                out = np.zeros((C * kh * kw, h * w))
                for row, (c, a, b) in enumerate(np.ndindex(C, kh, kw)):
                    out[row] = x[c, a : a + h, b : b + w].ravel()
                return out
            """,
            says="float64",
        ),
        Wrong(
            """
            def im2col(x, kh, kw):
                C, H, W = x.shape
                columns = []
                for i in range(H - kh + 1):
                    for j in range(W - kh + 1):
                        columns.append(x[:, i : i + kh, j : j + kh].reshape(-1))
                return np.stack(columns, axis=1)
            """,
            says="`kw` is not",
        ),
        Wrong(
            """
            def im2col(x, kh, kw):
                C, H, W = x.shape
                columns = []
                for i in range(H - kh + 1):
                    for j in range(W - kw + 1):
                        columns.append(x[:, i : i + kh, j : j + kw].reshape(-1))
                return np.array(columns).reshape(C * kh * kw, -1)
            """,
            says="order of reading",
        ),
    ],
    also_right=[
        """
        def im2col(x, kh, kw):
            C, H, W = x.shape
            columns = []
            for i in range(H - kh + 1):
                for j in range(W - kw + 1):
                    columns.append(x[:, i : i + kh, j : j + kw].reshape(-1))
            return np.stack(columns, axis=1)
        """,
        """
        def im2col(x, kh, kw):
            C, H, W = x.shape
            h, w = H - kh + 1, W - kw + 1
            rows = [
                x[c, a : a + h, b : b + w].ravel()
                for c in range(C)
                for a in range(kh)
                for b in range(kw)
            ]
            return np.array(rows)
        """,
        """
        def im2col(x, kh, kw):
            (C, H, W), (c, d, r) = x.shape, x.strides
            shape, strides = (C, kh, kw, H - kh + 1, W - kw + 1), (c, d, r, d, r)
            view = np.lib.stride_tricks.as_strided(x, shape, strides)
            return view.reshape(C * kh * kw, -1)
        """,
        """
        def im2col(x, kh, kw):
            return mt.nn.functional.unfold(mt.tensor(x)[None], (kh, kw))[0]
        """,
    ],
)  # fmt: skip


def columns_of(x, kh, kw):
    """Return the table of columns of x, C × H × W, and all windows C × h × w × kh × kw."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(1, 2))
    return windows.transpose(0, 3, 4, 1, 2).reshape(len(x) * kh * kw, -1), windows


def im2col_slips(x, kh, kw):
    """Return what usual slips give for im2col, with what to say."""
    want, windows = columns_of(x, kh, kw)
    size = len(want)

    def order(*axes):
        return windows.transpose(*axes).reshape(size, -1)

    jumble = "the shape fits, the numbers do not: `reshape` keeps the order of reading. Put the "
    jumble += "axes in order first."
    tiles = windows[:, ::kh, ::kw].transpose(0, 3, 4, 1, 2).reshape(size, -1)
    return [
        (want.T, "each window is a row each. Turn the table."),
        (windows.reshape(size, -1), jumble),
        (want.T.reshape(size, -1), jumble),
        (order(3, 4, 0, 1, 2), "within a column, channel after channel: C is the slowest axis."),
        (order(0, 4, 3, 1, 2), "you read the windows column by column. Row by row, please."),
        (order(0, 3, 4, 2, 1), "windows are counted row by row: to the right first, then down."),
        (columns_of(x, kw, kh)[0], "`kh` and `kw` are exchanged somewhere: height comes first."),
        (columns_of(x, kh, kh)[0], "every window is square here. `kw` is not always `kh`."),
        (columns_of(x[:1], kh, kw)[0], "that is the first channel only."),
        (columns_of(x.sum(0, keepdims=True), kh, kw)[0],
         "the channels were summed. The kernel does that later, with its weights."),
        (columns_of(x[:, :-1, :-1], kh, kw)[0], "the last windows are missing, below and right."),
        (tiles, "windows overlap: the next one starts one pixel further on."),
    ]  # fmt: skip


@im2col.checker
def check_im2col(im2col):
    for shape, kh, kw in (((1, 5, 5), 3, 3), ((2, 4, 5), 2, 3), ((3, 4, 6), 3, 1)):
        x = np.arange(float(np.prod(shape)), dtype=np.float32).reshape(shape) + 1
        want = columns_of(x, kh, kw)[0]
        call = f"im2col(x, {kh}, {kw}), x of shape {shape} with the numbers 1, 2, 3, ..."
        try:
            got = im2col(x.copy(), kh, kw)
        except ValueError as error:
            if "same shape" not in str(error) and "inhomogeneous" not in str(error):
                raise
            cause = "some windows hang over the edge, and are smaller. How many starts are there?"
            fail(call, f"shape {want.shape}", f"ValueError: {error}", cause)
        if isinstance(got, (list, tuple)) and not any(part is ... for part in got):
            fail(
                call,
                f"an array of shape {want.shape}",
                describe(got),
                "these are the columns. `np.stack` makes one array of them, with an axis.",
            )
        # This dtype is no cause of its own if the values are wrong, too.
        same(
            got,
            want,
            call,
            causes=im2col_slips(x, kh, kw),
            dtype=False,
            hint=f"column 0 is the window at the top left, {kh} down and {kw} to the right.",
        )
        same(got, want, call, hint="the numbers are right. An array made with `np.zeros` or "
             "`np.empty` is float64: give it `x.dtype`.")  # fmt: skip


conv_rule = Exercise(
    "conv_rule",
    title="The way back of a convolution",
    task="""
        Forward, `out[i, j]` is the sum of `x[i : i + kh, j : j + kw] * w`, for a picture `x` and a
        kernel `w`, both with two axes. `g` is the gradient at `out`, and has its shape. Return the
        two gradients: at `x` and at `w`. The check compares with nudging, like `gradcheck`.
        """,
    stub="""
        def conv_rule(g, x, w):
            dx, dw = np.zeros_like(x), np.zeros_like(w)
            ...
            return dx, dw
        """,
    solution="""
        def conv_rule(g, x, w):
            dx, dw = np.zeros_like(x), np.zeros_like(w)
            kh, kw = w.shape
            for i in range(g.shape[0]):
                for j in range(g.shape[1]):
                    dx[i : i + kh, j : j + kw] += g[i, j] * w
                    dw += g[i, j] * x[i : i + kh, j : j + kw]
            return dx, dw
        """,
    hints=(
        "Take one output alone: `out[i, j]` is a sum of nine products, pixel times weight. What "
        "are the gradients of a product?",
        "Each pixel of the window gets its weight times `g[i, j]`. Each weight gets its pixel "
        "times `g[i, j]`. What if a pixel is in the next window as well?",
        "Loop over `i` and `j`. Add `g[i, j] * w` to the window of `dx`, and `g[i, j]` times the "
        "window of `x` to `dw`. Both with `+=`.",
    ),
    wrong=[
        Slip("+= g[i, j] * w", "= g[i, j] * w", says="overwritten"),
        Slip("dw += g[i, j] * x", "dw = g[i, j] * x", says="only the last window"),
        Slip("+= g[i, j] * w", "+= w", says="`g` is missing"),
        Slip("dw += g[i, j] * x", "dw += x", says="`g` is missing"),
        Slip("return dx, dw", "return dw, dx", says="exchanged"),
        Slip("return dx, dw", "return dx / g.size, dw / g.size", says="mean"),
        Slip("dw += g[i, j] * x[i : i + kh, j : j + kw]", "pass", says="`dw` is still"),
        Slip("dx[i : i + kh, j : j + kw] += g[i, j] * w", "pass", says="`dx` is still"),
        Slip("return dx, dw", "return dx", says="both are wanted"),
        Slip("dx[i : i + kh, j : j + kw] +=", "x[i : i + kh, j : j + kw] +=",
             says="leaves its inputs alone"),
        Slip("kh, kw = w.shape", "kh, kw = 3, 3", says="from `w.shape`"),
        Wrong(
            """
            def conv_rule(g, x, w):
                kh, kw = w.shape
                where = np.arange(x.size).reshape(x.shape)
                where = np.lib.stride_tricks.sliding_window_view(where, (kh, kw))
                where = where.transpose(2, 3, 0, 1).reshape(kh * kw, -1)
                dx = np.zeros(x.size)
                dx[where] += w.reshape(-1, 1) * g.reshape(1, -1)
                dw = x.reshape(-1)[where] @ g.reshape(-1)
                return dx.reshape(x.shape), dw.reshape(kh, kw)
            """,
            says="overwritten",
        ),
        Wrong(
            """
            def conv_rule(g, x, w):
                kh, kw = w.shape
                dw = np.zeros_like(w)
                for i in range(g.shape[0]):
                    for j in range(g.shape[1]):
                        dw += g[i, j] * x[i : i + kh, j : j + kw]
                dx = np.zeros_like(x)
                padded = np.pad(g, ((kh - 1, kh - 1), (kw - 1, kw - 1)))
                for i in range(x.shape[0]):
                    for j in range(x.shape[1]):
                        dx[i, j] = (padded[i : i + kh, j : j + kw] * w).sum()
                return dx, dw
            """,
            says="turned round",
        ),
        Wrong(
            """
            def conv_rule(g, x, w):
                dx, dw = np.ones_like(x) * w.sum(), np.ones_like(w) * x.sum()
                return dx, dw
            """,
            says="one window alone",
        ),
    ],
    also_right=[
        """
        def conv_rule(g, x, w):
            dx, dw = np.zeros_like(x), np.zeros_like(w)
            (kh, kw), (h, v) = w.shape, g.shape
            for a in range(kh):
                for b in range(kw):
                    dx[a : a + h, b : b + v] += g * w[a, b]
                    dw[a, b] = (g * x[a : a + h, b : b + v]).sum()
            return dx, dw
        """,
        """
        def conv_rule(g, x, w):
            windows = np.lib.stride_tricks.sliding_window_view
            kh, kw = w.shape
            padded = np.pad(g, ((kh - 1, kh - 1), (kw - 1, kw - 1)))
            dx = (windows(padded, w.shape) * w[::-1, ::-1]).sum(axis=(2, 3))
            dw = (windows(x, g.shape) * g).sum(axis=(2, 3))
            return dx, dw
        """,
        """
        def conv_rule(g, x, w):
            where = np.arange(x.size).reshape(x.shape)
            where = np.lib.stride_tricks.sliding_window_view(where, w.shape)
            dx = np.zeros(x.size)
            np.add.at(dx, where, g[:, :, None, None] * w)
            dw = np.tensordot(g, x.reshape(-1)[where], 2)
            return dx.reshape(x.shape), dw
        """,
        """
        def conv_rule(g, x, w):
            F = mt.nn.functional
            columns = F.unfold(mt.tensor(x)[None, None], w.shape)[0]
            row = mt.tensor(g).reshape(1, -1)
            back = mt.tensor(w).reshape(-1, 1) @ row
            dx = F.fold(back[None], x.shape, w.shape)[0, 0]
            return dx, (columns @ row.T).view(*w.shape)
        """,
    ],
)  # fmt: skip


def slide(x, w):
    """Return the convolution of x with w, two axes each."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape)
    return (windows * w).sum(axis=(2, 3))


def loss(g, x, w):
    """Return one number with g as its gradient at the convolution of x with w."""
    return (g * slide(x, w)).sum()


def nudged(f, x):
    """Return the gradient of f(x), one number, by central nudging of each number of x."""
    grad, h = np.zeros_like(x), 1e-5
    for place in product(*map(range, x.shape)):
        step = np.zeros_like(x)
        step[place] = h
        grad[place] = (f(x + step) - f(x - step)) / (2 * h)
    return grad


def overwritten(g, x, w):
    """Return gradients at x that keep one share a pixel: of the last window, or weight."""
    kh, kw = w.shape
    by_window, by_place = np.zeros_like(x), np.zeros(x.size)
    for i, j in product(*map(range, g.shape)):
        by_window[i : i + kh, j : j + kw] = g[i, j] * w
    cells = np.arange(x.size).reshape(x.shape)
    where = np.lib.stride_tricks.sliding_window_view(cells, w.shape)
    where = where.transpose(2, 3, 0, 1).reshape(w.size, -1)
    by_place[where] = w.reshape(-1, 1) * g.reshape(1, -1)
    return by_window, by_place.reshape(x.shape)


def dx_slips(g, x, w):
    """Return what usual slips give for the gradient at x, with what to say."""
    (kh, kw), ones = w.shape, np.ones_like(g)
    lost = "shares were overwritten: a pixel in several windows gets one from each, and they add."
    turn = "the kernel is turned round: look at the corner. Only `out[0, 0]` sees `x[0, 0]`, "
    padded = np.pad(g, ((kh - 1, kh - 1), (kw - 1, kw - 1)))
    back = slide(padded, w[::-1, ::-1])
    return [
        *((value, lost) for value in overwritten(g, x, w)),
        (np.zeros_like(x), "`dx` is still all zeros."),
        (slide(padded, w), turn + "by `w[0, 0]`."),
        (slide(np.pad(ones, ((kh - 1, kh - 1), (kw - 1, kw - 1))), w[::-1, ::-1]),
         "`g` is missing in `dx`: a share is the slope times `g[i, j]`."),
        (back / g.size, "that is a mean. Shares add; nobody divides."),
        (np.full_like(x, w.sum()), "think of one window alone: which pixels does it touch?"),
    ]  # fmt: skip


def dw_slips(g, x, w):
    """Return what usual slips give for the gradient at w, with what to say."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape)
    want = slide(x, g)
    return [
        (g[-1, -1] * windows[-1, -1], "that is only the last window's share: they add up."),
        (windows.sum(axis=(0, 1)), "`g` is missing in `dw`: a share is the slope times `g[i, j]`."),
        (np.zeros_like(w), "`dw` is still all zeros."),
        (want[::-1, ::-1], "`dw` is turned round: which pixel does `w[0, 0]` meet in a window?"),
        (want / g.size, "that is a mean. Shares add; nobody divides."),
    ]


def asked(conv_rule, g, x, w, call):
    """Call the learner's rule; say so where it writes to its inputs, or sizes do not fit."""
    alone = "a rule leaves its inputs alone: add to `dx` and `dw`, not to `x` or `w`."
    try:
        with unchanged(g, x, w, call=call, cause=alone):
            return conv_rule(g, x, w)
    except ValueError as error:
        if "broadcast" not in str(error):
            raise
        cause = f"a window and the kernel differ in size. Take `kh, kw` from `w.shape`: {w.shape}."
        fail(call, "no error", f"ValueError: {error}", cause)


@conv_rule.checker
def check_conv_rule(conv_rule):
    for picture, kernel in (((3, 4), (2, 2)), ((5, 4), (3, 2)), ((4, 6), (1, 3))):
        draw = np.random.RandomState(2)
        x, w = (draw.randint(-4, 5, shape).astype(np.float64) for shape in (picture, kernel))
        g = draw.randint(1, 6, slide(x, w).shape).astype(np.float64)
        call = f"conv_rule(g, x, w), x of shape {picture}, w of shape {kernel}"
        got = asked(conv_rule, g.copy(), x.copy(), w.copy(), call)
        if not (isinstance(got, (tuple, list)) and len(got) == 2):
            cause = obvious(got) or "both are wanted: `return dx, dw`."
            fail(call, "two gradients, dx and dw", describe(got), cause)
        swapped = [array(part).shape for part in got] == [w.shape, x.shape] != [x.shape, w.shape]
        expect(not swapped, call, "dx, then dw", "shapes of w and x", "the two are exchanged.")
        dx, dw = nudged(partial(loss, g, w=w), x), nudged(partial(loss, g, x), w)
        check_gradient("dx", call, got[0], dx, dx_slips(g, x, w))
        check_gradient("dw", call, got[1], dw, dw_slips(g, x, w))


def check_gradient(name, call, got, nudges, slips):
    """Compare one gradient with what nudging gives; the numbers are whole, so round the nudges."""
    same(
        got, nudges.round(), f"{name} of {call}", causes=slips, dtype=False, rtol=1e-6,
        hint="take a g that is 1 at one place and 0 elsewhere: which numbers may differ from 0?",
    )  # fmt: skip


QUIZ = [
    Question(
        "A picture of 32 × 32, a kernel of 5 × 5, stride 1. Which padding keeps 32 × 32?",
        [
            Choice("0", "Then 28 windows fit along a side: the first starts at 0, the last at 27."),
            Choice("1", "That keeps the size for a kernel of 3. This one reaches 2 to each side."),
            Choice(
                "2", "32 + 4 pixels, and 32 windows of 5 fit. Half the kernel, cut.", right=True
            ),
            Choice("4", "4 zeros are needed in all. But padding is laid at both ends: 2 and 2."),
        ],
    ),
    Question(
        "`windows` is a strided view of a picture of 100 × 100, for a kernel of 3 × 3. How much "
        "memory do its 86 436 numbers take?",
        [
            Choice(
                "Nine times the picture, about",
                "So it is for the *columns*, which are a copy. The view is a shape and steps.",
            ),
            Choice(
                "None of their own",
                "A shape, four strides, and the memory of the picture.",
                right=True,
            ),
            Choice(
                "As much as the picture: it is copied once",
                "It is not copied at all. Write to a window, and the picture changes.",
            ),
        ],
    ),
    Question(
        "On the way back, `grad[where] += g` gave 1 for a pixel that nine windows had read. Why?",
        [
            Choice(
                "NumPy reads, adds and writes all at once; of nine writes to one place one stays",
                "`np.add.at`, or one slice for each place of the kernel, keeps all.",
                right=True,
            ),
            Choice(
                "Because the gradient of a pixel is the mean of its shares",
                "Shares are summed. Nudge the pixel: nine outputs move, all of them.",
            ),
            Choice(
                "Because the pixel is only in one column of the table",
                "It is in nine columns, once in each. That is why nine shares come back.",
            ),
            Choice(
                "Because a view was written to",
                "`grad[where]` with a table of places is no view. Each share went through a copy.",
            ),
        ],
    ),
    Question(
        "`nn.Conv2d(3, 16, 5)` on a batch of 32 pictures of 28 × 28. Which shape has the gradient "
        "of its bias?",
        [
            Choice(
                "(32, 16, 24, 24), as the output",
                "Each bias was broadcast to all pictures and places. The way back sums over them.",
            ),
            Choice("(16, 1, 1), so that it broadcasts", "It is reshaped on the way, and back."),
            Choice(
                "(16, 24, 24): summed over the batch",
                "Over places, too: one bias serves all of them.",
            ),
            Choice("(16,)", "One number for each kernel, and a gradient for each.", right=True),
        ],
    ),
    Question(
        "The pictures grow from 28 × 28 to 56 × 56. What happens to the number of weights of "
        "`nn.Conv2d(1, 16, 3)`?",
        [
            Choice(
                "It stays 16 × 9, and 16 biases",
                "The same window slides further. Only the output, and the time, grow.",
                right=True,
            ),
            Choice(
                "It grows four times",
                "So would a fully connected layer. Here places share weights.",
            ),
            Choice(
                "The layer must be made anew for the new size",
                "It takes any size. Only a linear layer behind it must know how many numbers come.",
            ),
        ],
    ),
]
