"""Exercises and quiz of chapter 04."""

import numpy as np
from kit.checks import describe, expect, fail, is_tensor, obvious, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt

SETUP = """
import numpy as np
import minitensor as mt
"""

to_nchw = Exercise(
    "to_nchw",
    title="From file to batch",
    task="""
        `files` is a Tensor of `uint8`, N × H × W × C. Return it as N × C × H × W, in `float32`,
        divided by 255, so that all numbers lie between 0 and 1. Each pixel must stay where it was.
        """,
    stub="""
        def to_nchw(files):
            return ...
        """,
    solution="""
        def to_nchw(files):
            return files.permute(0, 3, 1, 2).to(mt.float32) / 255
        """,
    hints=(
        "Which call moves axes, and which only cuts the order of reading into new lengths?",
        "Write down N, C, H, W. Below each, the number of the axis of `files` that it comes from.",
        "N is axis 0 and C is axis 3; H and W follow. Change the kind before you divide.",
    ),
    wrong=[
        Slip("files.permute(0, 3, 1, 2)",
             "files.reshape(files.shape[0], files.shape[3], files.shape[1], files.shape[2])",
             says="order of reading"),
        Slip("files.permute(0, 3, 1, 2)", "files.transpose(1, 3)", says="lie on their side"),
        Slip("permute(0, 3, 1, 2)", "permute(0, 2, 3, 1)", says="the other way"),
        Slip("files.permute(0, 3, 1, 2)", "files.permute(3, 0, 1, 2)", says="C comes before N"),
        Slip("files.permute(0, 3, 1, 2)", "files", says="still in their old order"),
        Slip(" / 255", "", says="from 0 to 255"),
        Slip("to(mt.float32) / 255", "to(mt.float64) / 255", says="twice the memory"),
        Slip("files.permute(0, 3, 1, 2).to(mt.float32) / 255",
             "files.permute(0, 3, 1, 2) // 255", says="whole numbers"),
        Wrong("def to_nchw(files):\n    return files.permute(0, 3, 1, 2).numpy() / np.float32(255)",
              says="a Tensor"),
        Slip("files.permute(0, 3, 1, 2)", "files.reshape(2, 3, 24, 36)", says="from `files.shape`"),
        Slip("files.permute(0, 3, 1, 2)", "mt.stack([files[..., c] for c in range(3)], dim=1)",
             says="4 channels"),
        Slip("files.permute(0, 3, 1, 2).to(mt.float32) / 255",
             "(files // 255).permute(0, 3, 1, 2).to(mt.float32)", says="cuts off"),
        Wrong("files = mt.zeros(2, 24, 36, 3)\n\n\ndef to_nchw(_):\n"
              "    return files.permute(0, 3, 1, 2) / 255", says="the argument"),
    ],
    also_right=[
        """
        def to_nchw(files):
            return files.transpose(1, 3).transpose(2, 3).float().div(255.0)
        """,
        """
        def to_nchw(files):
            a = files.numpy().astype(np.float32) / 255
            return mt.from_numpy(a.transpose(0, 3, 1, 2))
        """,
        """
        def to_nchw(files):
            scaled = files / 255
            return mt.stack([scaled[..., c] for c in range(files.shape[-1])], dim=1)
        """,
        """
        def to_nchw(files):
            return mt.movedim(files, -1, 1) / 255
        """,
    ],
)  # fmt: skip

SHAPES = [(2, 4, 5, 3), (2, 3, 3, 3), (1, 2, 5, 4)]  # N, H, W, C


@to_nchw.checker
def check_to_nchw(to_nchw):
    for shape in SHAPES:
        files = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
        call = f"to_nchw(files), for files of shape {shape}"
        n, h, w, c = shape
        got = run_to_nchw(to_nchw, files, call)
        is_tensor(got, call)
        if tuple(got.shape) != (n, c, h, w):
            fail(call, f"shape {(n, c, h, w)}", f"shape {tuple(got.shape)}", misshaped(got, shape))
        scaled = files.astype(np.float32) / 255
        want = scaled.transpose(0, 3, 1, 2)
        if got.dtype in (mt.uint8, mt.int64):
            fail(call, "float32", str(got.dtype), "whole numbers have nothing between 0 and 1.")
        if got.dtype == mt.float64:
            fail(call, "float32", str(got.dtype), "that is twice the memory. Name the kind.")
        same(got, want, call, causes=misplaced(scaled), rtol=1e-4, hint="print one channel.")


def run_to_nchw(to_nchw, files, call):
    """Return to_nchw(files); say what an impossible shape comes from."""
    try:
        return to_nchw(mt.tensor(files))
    except RuntimeError as error:
        if "is invalid for input of size" not in str(error):
            raise
        cause = "the numbers of this call do not fill that shape: take sizes from `files.shape`. "
        cause += "And does a reshape move axes at all?"
        fail(call, "a Tensor", f"RuntimeError: {error}", cause)


def misshaped(got, shape):
    """Say what the shape of `got` tells, for files of `shape`: N, H, W, C."""
    n, h, w, c = shape
    causes = {
        (n, c, w, h): "the pictures lie on their side: H and W are swapped.",
        (n, w, c, h): "you moved the axes the other way: is C where you wanted it?",
        (c, n, h, w): "C comes before N: the batch is the first axis.",
        shape: "the axes are still in their old order.",
        (n, 3, h, w): "this file has 4 channels (the fourth says how opaque a pixel is).",
    }
    unlike = "do you use the argument `files`, and leave each number in its picture?"
    return causes.get(tuple(got.shape), unlike)


def misplaced(x):
    """Return what usual slips give for pictures x, N × H × W × C, with what to say."""
    n, h, w, c = x.shape
    return [
        (np.floor(x).transpose(0, 3, 1, 2), "`//` cuts off what is behind the point: use `/`."),
        (255 * x.transpose(0, 3, 1, 2), "the numbers still go from 0 to 255."),
        (
            x.reshape(n, c, h, w),
            "the shape fits, the pixels do not: the order of reading was kept.",
        ),
        (x.transpose(0, 3, 2, 1), "the pictures lie on their side: H and W are swapped."),
        (x.transpose(0, 2, 3, 1), "you moved the axes the other way: is C where you wanted it?"),
        (x.transpose(3, 0, 1, 2), "C comes before N: the batch is the first axis."),
        (x, "the axes are still in their old order."),
    ]


axis = Exercise(
    "axis",
    title="Which axis?",
    task="""
        Two batches `a` and `b`, both N × C × H × W, are joined by `mt.cat([a, b], dim=...)`. For
        each wish, put in the `dim`.
        """,
    stub="""
        axis = {
            "more pictures": ...,
            "b's pictures to the right of a's": ...,
            "b's pictures below a's": ...,
            "b's channels as further channels": ...,
        }
        """,
    solution="""
        axis = {
            "more pictures": 0,
            "b's pictures to the right of a's": 3,
            "b's pictures below a's": 2,
            "b's channels as further channels": 1,
        }
        """,
    hints=(
        "Which of N, C, H, W gets larger in each case? Axes are counted from 0.",
        "A picture beside a picture: is the result wider or higher?",
        "In order: N is 0, C is 1, H is 2, W is 3. A wider picture has a larger W.",
    ),
    wrong=[
        Wrong('axis = {"more pictures": 1, "b\'s pictures to the right of a\'s": 4, '
              '"b\'s pictures below a\'s": 3, "b\'s channels as further channels": 2}',
              says="counted from 0"),
        Slip('"b\'s pictures to the right of a\'s": 3,\n    "b\'s pictures below a\'s": 2',
             '"b\'s pictures to the right of a\'s": 2,\n    "b\'s pictures below a\'s": 3',
             says="wider or higher"),
        Slip('further channels": 1', 'further channels": 3', says="last axis in a file"),
        Slip('further channels": 1', 'further channels": 0', says="the same pictures"),
        Slip('"more pictures": 0', '"more pictures": 1', says="Only N may grow"),
        Slip("below a's\": 2", "below a's\": 3", says="one above the other"),
        Slip('"more pictures": 0', '"more pictures": "N"', says="a number from 0 to 3"),
        Slip('"more pictures": 0,', "", says="no answer for"),
        Wrong("axis = [0, 3, 2, 1]", says="a list"),
    ],
    also_right=[
        """
        axis = {
            "more pictures": -4,
            "b's pictures to the right of a's": -1,
            "b's pictures below a's": -2,
            "b's channels as further channels": -3,
        }
        """,
    ],
)  # fmt: skip

AXES = {
    "b's pictures to the right of a's": 3,
    "b's pictures below a's": 2,
    "b's channels as further channels": 1,
    "more pictures": 0,
}
AXIS_CLUES = {
    ("b's pictures to the right of a's", 2): "is the joined picture wider or higher?",
    ("b's pictures below a's", 3): "one above the other: what grows then?",
    ("b's channels as further channels", 3): "C is the last axis in a file. Here it is elsewhere.",
    ("b's channels as further channels", 0): "the same pictures, with more numbers for each pixel.",
    ("more pictures", 1): "each picture stays as it is. Only N may grow.",
}


@axis.checker
def check_axis(axis):
    expect(isinstance(axis, dict), "axis", "a dict from wishes to axes", describe(axis))
    shifted = all(axis.get(wish) == want + 1 for wish, want in AXES.items())
    expect(not shifted, "axis", "axes from 0 to 3", "axes from 1 to 4", "axes are counted from 0.")
    for wish, want in AXES.items():
        call, got = f'axis["{wish}"]', axis.get(wish)
        expect(wish in axis, "axis", "four wishes", f"no answer for {wish!r}")
        if got is ...:
            fail(call, "a number from 0 to 3", "`...`", "a `...` is still there.")
        is_index = isinstance(got, (int, np.integer)) and not isinstance(got, bool)
        cause = "axes are counted from 0." if is_index else ""
        ok = is_index and -4 <= got <= 3
        expect(ok, call, "a number from 0 to 3", repr(got) if got is not None else "None", cause)
        clue = AXIS_CLUES.get((wish, got % 4), "which of N, C, H, W gets larger?")
        expect(got % 4 == want, call, "the axis that gets larger", str(got), clue)


similarities = Exercise(
    "similarities",
    title="Each with each, in every batch",
    task="""
        `q` and `k` are Tensors, N × T × D: in each of N texts there are T words, and each word is D
        numbers. Return N × T × T: in entry `[n, i, j]` the product of word `i` of `q` with word `j`
        of `k`, both from text `n`, number by number and summed up. No loop is needed. (Chapter 13
        calls it attention.)
        """,
    stub="""
        def similarities(q, k):
            return ...
        """,
    solution="""
        def similarities(q, k):
            return q @ k.transpose(1, 2)
        """,
    hints=(
        "Row times column, summed up: that is a matrix product. What do its two shapes have to be?",
        "N × T × D with N × D × T. So `k` must swap two of its axes first, and keep N.",
        "Swap axes 1 and 2 of `k`, then use `bmm` or `@`.",
    ),
    wrong=[
        Slip("q @ k.transpose(1, 2)", "q * k", says="number by number"),
        Slip("q @ k.transpose(1, 2)", "(q * k).sum(dim=-1)", says="word i with word i only"),
        Slip("k.transpose(1, 2)", "k", says="Swap"),
        Slip("k.transpose(1, 2)", "k.view(k.shape[0], k.shape[2], k.shape[1])",
             says="order of reading"),
        Slip("q @ k.transpose(1, 2)", "k @ q.transpose(1, 2)", says="the wrong way round"),
        Slip("q @ k.transpose(1, 2)", "q.transpose(1, 2) @ k", says="the words are gone"),
        Slip("q @ k.transpose(1, 2)", "mt.tensordot(q, k, dims=([2], [2]))",
             says="texts are mixed"),
        Slip("q @ k.transpose(1, 2)", "mt.mm(q[0], k[0].t())", says="first text only"),
        Slip("k.transpose(1, 2)", "k.transpose(0, 2)", says="keep N"),
        Slip("q @ k.transpose(1, 2)", "mt.mm(q, k.transpose(1, 2))", says="fewer axes"),
        Slip("q @ k.transpose(1, 2)", "mt.dot(q, k)", says="fewer axes"),
    ],
    also_right=[
        "def similarities(q, k):\n    return mt.bmm(q, k.mT)",
        'def similarities(q, k):\n    return mt.einsum("nid,njd->nij", q, k)',
        """
        def similarities(q, k):
            return (q[:, :, None, :] * k[:, None, :, :]).sum(dim=-1)
        """,
        """
        def similarities(q, k):
            return mt.stack([one @ other.t() for one, other in zip(q, k)])
        """,
    ],
)  # fmt: skip


@similarities.checker
def check_similarities(similarities):
    for shape in ((2, 3, 4), (3, 2, 2)):
        draw = np.random.RandomState(1)
        q, k = (draw.randint(-4, 5, shape).astype(np.float32) for _ in range(2))
        call = f"similarities(q, k), both of shape {shape}"
        try:
            got = similarities(mt.tensor(q), mt.tensor(k))
        except RuntimeError as error:
            cause = (
                "that product is for fewer axes than a batch of matrices has."
                if "D tensor" in str(error)
                else "the shapes do not fit: rows of `q` need columns of `k`. Swap two axes of "
                "`k`, and keep N in front."
            )
            wanted = f"shape {(shape[0], shape[1], shape[1])}"
            fail(call, wanted, f"RuntimeError: {error}", cause)
        is_tensor(got, call)
        causes = [(value, say) for value, say in slips(q, k) if value is not None]
        same(got, np.einsum("nid,njd->nij", q, k), call, causes=causes, hint="take one entry by "
             "hand: [0, 0, 1].")  # fmt: skip


def slips(q, k):
    """Return what usual slips give for similarities, with what to say."""
    n, t, d = q.shape
    by_view = np.matmul(q, k.reshape(n, d, t))
    return [
        (q * k, "you multiplied number by number. Each word with each word, and sum."),
        ((q * k).sum(-1), "that is word i with word i only. Where is each with each?"),
        (by_view, "the shape fits, the words do not: a `view` keeps the order of reading."),
        (np.einsum("nid,njd->nji", q, k), "the wrong way round: i is a word of `q`."),
        (np.einsum("nti,ntj->nij", q, k), "the words are gone: you summed over them, not over D."),
        (np.tensordot(q, k, ([2], [2])), "texts are mixed: each text with itself only."),
        (q[0] @ k[0].T, "that is the first text only."),
        (np.matmul(q, k) if t == d else None, "`k` was not turned: swap two of its axes."),
    ]


kinds = Exercise(
    "kinds",
    title="Predict the dtypes",
    task="""
        Which dtype does each of these have? Put in its name: `"float32"`, `"float64"`, `"int64"`,
        `"bool"`, ... Predict all six before you run anything.
        """,
    stub="""
        kinds = {
            "mt.tensor([1, 2, 3])": ...,
            "mt.tensor([1, 2, 3]) * 0.5": ...,
            "mt.tensor([1.0, 2.0]) * np.sqrt(2 / 3)": ...,
            "mt.tensor([1.0, 2.0]) * mt.from_numpy(np.ones(2))": ...,
            "mt.tensor([1.0, 2.0]) > 1.5": ...,
            "(mt.tensor([1.0, 2.0]) > 1.5).sum()": ...,
        }
        """,
    solution="""
        kinds = {
            "mt.tensor([1, 2, 3])": "int64",
            "mt.tensor([1, 2, 3]) * 0.5": "float32",
            "mt.tensor([1.0, 2.0]) * np.sqrt(2 / 3)": "float32",
            "mt.tensor([1.0, 2.0]) * mt.from_numpy(np.ones(2))": "float64",
            "mt.tensor([1.0, 2.0]) > 1.5": "bool",
            "(mt.tensor([1.0, 2.0]) > 1.5).sum()": "int64",
        }
        """,
    hints=(
        "Section 6: three steps, category first. Which category is each of the two?",
        "A single number never widens a Tensor. Two Tensors with axes: the wider one wins. A "
        "count is a whole number.",
        "Floats typed by you are `float32` here, NumPy's own are `float64`, and whole numbers, "
        "counts too, are `long`.",
    ),
    wrong=[
        Slip('"mt.tensor([1, 2, 3])": "int64"', '"mt.tensor([1, 2, 3])": "float32"',
             says="no point in it"),
        Slip('"mt.tensor([1, 2, 3])": "int64"', '"mt.tensor([1, 2, 3])": "int32"',
             says="64 bits"),
        Slip('* 0.5": "float32"', '* 0.5": "int64"', says="half of 1"),
        Slip('* 0.5": "float32"', '* 0.5": "float64"', says="NumPy would say"),
        Slip('* np.sqrt(2 / 3)": "float32"', '* np.sqrt(2 / 3)": "float64"',
             says="single number"),
        Slip('np.ones(2))": "float64"', 'np.ones(2))": "float32"', says="both have axes"),
        Slip('> 1.5": "bool"', '> 1.5": "float32"', says="a comparison answers"),
        Slip('.sum()": "int64"', '.sum()": "bool"', says="how many"),
        Slip('.sum()": "int64"', '.sum()": "float32"', says="whole number"),
        Slip('> 1.5": "bool"', '> 1.5": "truth"', says="name of a dtype"),
        Slip('    "mt.tensor([1, 2, 3])": "int64",\n', "", says="no answer for"),
        Wrong('kinds = ["int64", "float32", "float32", "float64", "bool", "int64"]',
              says="a list"),
    ],
    also_right=[
        """
        kinds = {
            "mt.tensor([1, 2, 3])": mt.long,
            "mt.tensor([1, 2, 3]) * 0.5": mt.float32,
            "mt.tensor([1.0, 2.0]) * np.sqrt(2 / 3)": np.float32,
            "mt.tensor([1.0, 2.0]) * mt.from_numpy(np.ones(2))": np.dtype("float64"),
            "mt.tensor([1.0, 2.0]) > 1.5": bool,
            "(mt.tensor([1.0, 2.0]) > 1.5).sum()": "long",
        }
        """,
        """
        kinds = {
            "mt.tensor([1, 2, 3])": "mt.int64",
            "mt.tensor([1, 2, 3]) * 0.5": "float",
            "mt.tensor([1.0, 2.0]) * np.sqrt(2 / 3)": "float",
            "mt.tensor([1.0, 2.0]) * mt.from_numpy(np.ones(2))": "double",
            "mt.tensor([1.0, 2.0]) > 1.5": "bool",
            "(mt.tensor([1.0, 2.0]) > 1.5).sum()": "long",
        }
        """,
    ],
)  # fmt: skip

KINDS = {
    "mt.tensor([1, 2, 3])": ("int64", {
        "int32": "whole numbers get 64 bits here, on every machine.",
        "float32": "whole numbers, no point in it."}),
    "mt.tensor([1, 2, 3]) * 0.5": ("float32", {
        "int64": "half of 1 is no whole number: float is the higher category.",
        "float64": "that is what NumPy would say. Which float do Tensors start from?"}),
    "mt.tensor([1.0, 2.0]) * np.sqrt(2 / 3)": ("float32", {
        "float64": "so it is in NumPy. Here a single number does not widen a Tensor."}),
    "mt.tensor([1.0, 2.0]) * mt.from_numpy(np.ones(2))": ("float64", {
        "float32": "both have axes, so neither bends. And NumPy's ones are doubles."}),
    "mt.tensor([1.0, 2.0]) > 1.5": ("bool", {
        "float32": "a comparison answers yes or no, for each number."}),
    "(mt.tensor([1.0, 2.0]) > 1.5).sum()": ("int64", {
        "bool": "it says how many, and that may be more than one.",
        "float32": "how many is a whole number."}),
}  # fmt: skip
ALIASES = {"long": "int64", "float": "float32", "double": "float64", "int": "int32",
           "half": "float16"}  # fmt: skip
DTYPES = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"}


def dtype_name(answer):
    """Return the name of a dtype given as text, as PyTorch's, NumPy's or Python's; "" if none."""
    if isinstance(answer, str):
        text = answer
    elif isinstance(answer, (type, np.dtype, type(mt.float32))):
        text = getattr(answer, "name", None) or getattr(answer, "__name__", None) or str(answer)
    else:
        return ""
    text = text.strip().rpartition(".")[2].rstrip("_")
    text = ALIASES.get(text, text)
    return text if text in DTYPES else ""


@kinds.checker
def check_kinds(kinds):
    expect(isinstance(kinds, dict), "kinds", "a dict from code to dtypes", describe(kinds))
    for code, (want, clues) in KINDS.items():
        expect(code in kinds, "kinds", "six answers", f"no answer for {code}")
        answer = kinds[code]
        if answer is ...:
            fail(code, "a dtype", "`...`", "a `...` is still there.")
        got = dtype_name(answer)
        expect(got, code, "the name of a dtype", describe(answer), obvious(answer))
        clue = clues.get(got, "Category first: bool, integer, float.")
        expect(got == want, code, "the dtype that it has", got, clue)


QUIZ = [
    Question(
        "`t` has shape (2, 3). What is the difference between `t.view(3, 2)` and `t.t()`?",
        [
            Choice(
                "None: both have shape (3, 2)",
                "One shape, but print them: `view` keeps the order of reading, `t()` does not.",
            ),
            Choice(
                "`view` shares memory, `t()` copies",
                "Both share. `t()` just swaps the strides.",
            ),
            Choice(
                "`t()` swaps the axes; `view` cuts the same order of reading into new rows",
                "So `t.t()[2, 1]` is `t[1, 2]`, and `t.view(3, 2)[2, 1]` is the last number.",
                right=True,
            ),
        ],
    ),
    Question(
        "`v = t.view(6)`, then `v[0] = 100`. What is `t[0, 0]`?",
        [
            Choice(
                "100",
                "One line of memory, read in two ways.",
                right=True,
            ),
            Choice("What it was: `view` makes a copy", "It never copies. That is its promise."),
            Choice(
                "What it was, until you call `t.view` again",
                "Nothing needs to be called: there is only one set of cells.",
            ),
        ],
    ),
    Question(
        "`t` has shape (4, 6) and stride (6, 1). What is true of `t.t().view(24)`?",
        [
            Choice(
                "It works: 24 numbers are 24 numbers",
                "The count fits. But no single stride reads them in the order of the transpose.",
            ),
            Choice(
                "It is refused: the order of reading needs more than one stride",
                "A step of the outer axis is 1, all steps of the inner one are 4 × 6.",
                right=True,
            ),
            Choice(
                "It copies the numbers into a new order",
                "`reshape` would. `view` never copies.",
            ),
            Choice(
                "It gives the numbers in the order of `t`",
                "Then it would read something else than `t.t()` does. It refuses instead.",
            ),
        ],
    ),
    Question(
        "You want `requires_grad` for class labels, `mt.tensor([3, 1, 2])`. Why is that an error?",
        [
            Choice(
                "Labels must be `float64` for gradients",
                "`float32` would do. The point is that these are whole numbers.",
            ),
            Choice(
                "Gradients of integers would be rounded to integers",
                "There are none to be rounded. Nudge: between 3 and 4 there is nothing.",
            ),
            Choice(
                "The slope of an integer is always 0, so it is left out",
                "0 is what NumPy's truncation made of it. There is no slope at all.",
            ),
            Choice(
                "Between integers there is nothing to nudge to, so there is no slope",
                "Only floats can move by a little.",
                right=True,
            ),
        ],
    ),
    Question(
        "`x` is a batch in `float32`. Which line makes a `float64` of it?",
        [
            Choice(
                "`x.numpy() * np.sqrt(2 / 3)`",
                "In NumPy the `np.float64` widens the array. As a Tensor, `x` would have kept its "
                "kind.",
                right=True,
            ),
            Choice("`x * np.sqrt(2 / 3)`", "A single number does not widen a Tensor."),
            Choice("`x * 0.5`", "A Python number bends, in NumPy and here."),
            Choice("None: `float32` stays `float32`", "In Tensors, with numbers. Not in arrays."),
        ],
    ),
]
