"""Exercises and quiz of chapter 07."""

import itertools

import numpy as np
from kit.checks import array, describe, expect, fail, is_array, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt
from minitensor import viz

SETUP = """
import numpy as np
import minitensor as mt
"""

SHARED = """
shared = {
    "mt.tensor(a)": False,
    "mt.from_numpy(a)": True,
    "t.view(3, 2)": True,
    "t.detach()": True,
    "t.detach().clone()": False,
    "t[:, 1]": True,
    "t[[0, 1]]": False,
    "t.T.reshape(6)": False,
    "t.float()": True,
    "t.numpy()[::2]": True,
}
"""

shared = Exercise(
    "shared",
    title="Shares or copies?",
    task="""
        `a` is a NumPy array of float32, of shape `(2, 3)`, and `t = mt.from_numpy(a)`. Each
        expression below is worked out, and then a number is written into the result, in place.
        Put `True` where `a` changes, `False` where it does not. Predict first, then try.
        """,
    stub="""
        shared = {
            "mt.tensor(a)": ...,
            "mt.from_numpy(a)": ...,
            "t.view(3, 2)": ...,
            "t.detach()": ...,
            "t.detach().clone()": ...,
            "t[:, 1]": ...,
            "t[[0, 1]]": ...,
            "t.T.reshape(6)": ...,
            "t.float()": ...,
            "t.numpy()[::2]": ...,
        }
        """,
    solution=SHARED,
    hints=(
        "Section 2 has a table, made by `np.shares_memory`. You can ask it about each of these.",
        "Sharing needs a start and strides: a column has them, a list of places has none. Where "
        "there is nothing to do, nothing is copied.",
        "Four of the ten copy.",
    ),
    wrong=[
        Slip('"mt.from_numpy(a)": True', '"mt.from_numpy(a)": False', says="two names"),
        Slip('"mt.tensor(a)": False', '"mt.tensor(a)": True', says="always"),
        Slip('"t.view(3, 2)": True', '"t.view(3, 2)": False', says="another shape"),
        Slip('"t.detach()": True', '"t.detach()": False', says="takes off the tape"),
        Slip('"t.T.reshape(6)": False', '"t.T.reshape(6)": True', says="right order"),
        Slip('"t.float()": True', '"t.float()": False', says="dtype"),
        Slip('"t[[0, 1]]": False', '"t[[0, 1]]": True', says="a list of places"),
        Slip('"t[:, 1]": True', '"t[:, 1]": False', says="a stride"),
        Slip('"t.detach().clone()": False', '"t.detach().clone()": True', says="last call"),
        Slip('"t.numpy()[::2]": True', '"t.numpy()[::2]": False', says="NumPy's own slices"),
        Wrong(SHARED.replace("False", "True"), says="6 of 10"),
        Slip('"t[:, 1]": True', '"t[:, 1]": "yes"', says="True or False"),
        Slip('    "t[:, 1]": True,\n', "", says="no answer for"),
        Slip('"t[:, 1]": True', '"t[:, 1]": ...', says="still there"),
    ],
    also_right=[
        SHARED.replace("True", "1 == 1"),
        """
        a = np.zeros((2, 3), dtype=np.float32)
        t = mt.from_numpy(a)
        results = {
            "mt.tensor(a)": mt.tensor(a), "mt.from_numpy(a)": t, "t.view(3, 2)": t.view(3, 2),
            "t.detach()": t.detach(), "t.detach().clone()": t.detach().clone(),
            "t[:, 1]": t[:, 1], "t[[0, 1]]": t[[0, 1]], "t.T.reshape(6)": t.T.reshape(6),
            "t.float()": t.float(), "t.numpy()[::2]": mt.from_numpy(t.numpy()[::2]),
        }
        shared = {code: np.shares_memory(x.numpy(), a) for code, x in results.items()}
        """,
    ],
)  # fmt: skip

CLUES = {
    "mt.tensor(a)": "`mt.tensor` copies what it is given, always.",
    "mt.from_numpy(a)": "look at the figure of section 1: two names, one buffer.",
    "t.view(3, 2)": "a view is another shape for the same numbers.",
    "t.detach()": "`detach` takes off the tape. What does it do to the buffer?",
    "t.detach().clone()": "what does the last call do, whatever it is called on?",
    "t[:, 1]": "every third number: that can be written as a start and a stride.",
    "t[[0, 1]]": "a list of places has no stride, even where it names all the rows.",
    "t.T.reshape(6)": "do the numbers of `t.T` lie in the right order in memory?",
    "t.float()": "which dtype does `t` have, and is there anything to do?",
    "t.numpy()[::2]": "`.numpy()` shares. And NumPy's own slices?",
}


def truth():
    """Return, for each expression, whether it shares the memory of `a`."""
    a = np.zeros((2, 3), dtype=np.float32)
    t = mt.from_numpy(a)
    results = {code: eval(code, {"mt": mt, "a": a, "t": t}) for code in CLUES}
    return {code: np.shares_memory(array(result), a) for code, result in results.items()}


@shared.checker
def check_shared(shared):
    if not isinstance(shared, dict):
        fail("shared", "a dict from expressions to True or False", describe(shared))
    for code in CLUES:
        call = f"shared[{code!r}]"
        expect(code in shared, "shared", "ten answers", f"no answer for {code}")
        got = shared[code]
        if got is ...:
            fail(call, "True or False", "`...`", "a `...` is still there.")
        if not isinstance(got, (bool, np.bool_)):
            fail(call, "True or False", describe(got), "write `True` or `False`, without quotes.")
    right = truth()
    wrong = [code for code in CLUES if bool(shared[code]) != right[code]]
    if wrong:
        score = f"{len(CLUES) - len(wrong)} of {len(CLUES)} right"
        others = f" Also look at {', '.join(f'`{code}`' for code in wrong[1:])}." * (len(wrong) > 1)
        fail("shared", "10 of 10", score, f"`{wrong[0]}`: {CLUES[wrong[0]]}{others}")


export = Exercise(
    "export",
    title="A safe way out",
    task="""
        Return the numbers of `t` as a NumPy array that is yours: of the same shape and dtype,
        writable, and sharing no memory with `t`. It must work for parameters and for Tensors on a
        GPU, too. `t` itself stays as it was.
        """,
    stub="""
        def export(t):
            return ...
        """,
    solution="""
        def export(t):
            return t.detach().cpu().numpy().copy()
        """,
    hints=(
        "Section 3 has three dangers: two that raise an error, and a silent one. Which calls deal "
        "with them?",
        "First off the tape, then off the GPU, then into NumPy. Then look whether it still shares.",
        "`.detach()`, `.cpu()`, `.numpy()`, in this order, and a copy at the end.",
    ),
    wrong=[
        Wrong("def export(t):\n    return t.numpy()", says="Can't call numpy() on Tensor"),
        Wrong("def export(t):\n    return t.detach().numpy()", says="still shares"),
        Wrong("def export(t):\n    return t.detach().cpu().numpy()", says="copies nothing"),
        Wrong("def export(t):\n    return t.data.cpu().numpy()", says="whatever its name"),
        Wrong("def export(t):\n    return t.detach().numpy().copy()", says="on a GPU"),
        Wrong("def export(t):\n    return t.clone().cpu().numpy()",
              says="Can't call numpy() on Tensor"),
        Wrong("def export(t):\n    return t.requires_grad_(False).cpu().numpy().copy()",
              says="no longer asks"),
        Wrong("def export(t):\n    return np.array(t.tolist())", says="dtype"),
        Wrong("def export(t):\n    return t.detach().cpu().numpy().flatten()", says="shape"),
        Wrong("def export(t):\n    return t.detach().clone()", says="a Tensor"),
        Wrong("def export(t):\n    return t.detach().cpu().tolist()", says="a list"),
        Wrong("def export(t):\n    mine = t.detach().cpu().numpy().copy()\n"
              "    return np.broadcast_to(mine, mine.shape)", says="written to"),
        Wrong("def export(t):\n    if t.requires_grad:\n        t = t.detach().clone()\n"
              "    return t.cpu().numpy()", says="no parameter"),
    ],
    also_right=[
        "def export(t):\n    return np.array(t.detach().cpu().numpy())",
        "def export(t):\n    return t.cpu().detach().clone().numpy()",
        "def export(t):\n    return t.clone().detach().cpu().numpy()",
        "def export(t):\n    return np.array(t.detach().cpu())",
        "def export(t):\n    return t.numpy(force=True).copy()",
        """
        def export(t):
            with mt.no_grad():
                return (t + 0).cpu().numpy()
        """,
    ],
)  # fmt: skip


class Far:
    """A Tensor as it would be on a GPU: NumPy cannot look into its memory."""

    requires_grad, is_leaf, is_cuda, device, grad = True, True, True, "cuda:0", None

    def __init__(self, here):
        self.here, self.shape, self.dtype = here, here.shape, here.dtype

    def detach(self):
        return self

    data = property(detach)

    def clone(self):
        return Far(self.here.clone())

    def __add__(self, number):
        return Far(self.here + number)

    def cpu(self):
        return mt.tensor(self.here.numpy())  # another memory: always a copy

    def to(self, device="cpu"):
        return self.cpu() if str(device) == "cpu" else self

    def numpy(self, force=False):
        if force:
            return self.cpu().numpy()
        cause = "on a GPU, `.numpy()` is refused: bring the numbers over first."
        said = "TypeError: can't convert cuda:0 device type tensor to numpy"
        fail("export(t), for t on a GPU", "an array", said, cause)

    def __array__(self, *args, **kwargs):
        return self.numpy()


@export.checker
def check_export(export):
    numbers = np.array([[1.5, -2.0], [0.25, 8.0]], dtype=np.float32)
    cases = [
        ("a parameter", mt.tensor(numbers, requires_grad=True)),
        ("a plain Tensor, no parameter", mt.tensor(numbers)),
        ("a transposed Tensor of whole numbers", mt.arange(6).view(2, 3).T),
        ("a Tensor on a GPU", Far(mt.tensor(numbers))),
    ]
    for name, t in cases:
        call = f"export(t), for {name}"
        asked = t.requires_grad
        got = export(t)
        inner = t.here if isinstance(t, Far) else t
        want = inner.detach().numpy()
        cause = "`t` no longer asks for a gradient: training would leave it out from now on."
        expect(t.requires_grad == asked, "t.requires_grad afterwards", "True", "False", cause)
        if isinstance(got, mt.Tensor):
            fail(call, "a NumPy array", "a Tensor", "`.numpy()` is missing.")
        if is_array(got) and not isinstance(got, np.ndarray):
            fail(call, "a NumPy array", describe(got))
        same(got, want, call)
        if np.shares_memory(got, want):
            fail(call, "memory of its own", "it still shares the memory of `t`", why_shared(export))
        cause = "an array of your own is one that you may change."
        expect(got.flags.writeable, call, "an array that can be written to", "a read-only", cause)


def why_shared(export):
    """Return which call was taken for a copy, as far as the function's code tells."""
    names = getattr(getattr(export, "__code__", None), "co_names", ())
    if "data" in names:
        return "`.data` is a view of the same memory, whatever its name says."
    if "clone" in names:
        return "you copy in some cases, but not here."
    if "cpu" in names:
        return "where the numbers are on the CPU already, `.cpu()` copies nothing."
    return "`detach` takes off the tape and leaves the buffer."


activations = Exercise(
    "activations",
    title="Bytes of activations",
    task="""
        A network of layers: `sizes` lists how many numbers a row has, first the input, then the
        result of each layer, such as `[784, 100, 10]`. Each layer is `(x @ W + b).relu()`, the last
        one only `x @ W + b`. How many bytes of *results* are alive once `out = network(x)` is done,
        for `batch` rows of numbers of `bytes_each`? The input and the parameters do not count;
        `out` does. With `record=False`, it runs under `no_grad`.
        """,
    stub="""
        def activations(batch, sizes, record=True, bytes_each=4):
            return ...
        """,
    solution="""
        def activations(batch, sizes, record=True, bytes_each=4):
            kept = sizes[1:] if record else sizes[-1:]
            return batch * sum(kept) * bytes_each
        """,
    hints=(
        "Look at the bars of section 5: which results wait for the walk back, and which die soon?",
        "One result a layer is alive: that of `relu`, and `out` for the last. Each has `batch` "
        "rows. Under `no_grad`, only `out` is left.",
        "Add up the sizes after the first. Multiply by the rows and by the bytes of a number.",
    ),
    wrong=[
        Slip("sizes[1:] if", "sizes if", says="the input does not count"),
        Slip("return batch * sum(kept) * bytes_each", "return 2 * batch * sum(kept) * bytes_each",
             says="matmul"),
        Slip("return batch * sum(kept) * bytes_each", "return 3 * batch * sum(kept) * bytes_each",
             says="all three"),
        Slip(" * bytes_each", "", says="numbers, not bytes"),
        Slip(" * bytes_each", " * bytes_each * 8", says="bits"),
        Slip("batch * sum", "sum", says="one row"),
        Slip("sizes[1:] if record else sizes[-1:]", "sizes[1:]", says="no walk back"),
        Slip("batch * sum(kept) * bytes_each",
             "batch * sum(kept) * bytes_each if record else 0", says="`out` itself"),
        Slip("sizes[1:] if", "sizes[1:-1] if", says="`out` counts"),
        Slip("sum(kept)", "max(kept)", says="largest"),
        Slip("sum(kept) * bytes_each", "sum(kept) * 4", says="`bytes_each`"),
        Wrong(
            """
            def activations(batch, sizes, record=True, bytes_each=4):
                return sum(a * b + b for a, b in zip(sizes, sizes[1:])) * bytes_each
            """,
            says="parameters",
        ),
    ],
    also_right=[
        """
        def activations(batch, sizes, record=True, bytes_each=4):
            total = 0
            for width in sizes[1:]:
                layer = batch * width * bytes_each
                total = total + layer if record else layer
            return total
        """,
        """
        def activations(batch, sizes, record=True, bytes_each=4):
            return int(np.sum(sizes[1:] if record else sizes[-1])) * bytes_each * batch
        """,
    ],
)  # fmt: skip

NETWORKS = [
    (8, [5, 4, 3, 2], True, 4),
    (64, [784, 100, 10], True, 4),
    (64, [784, 100, 10], False, 4),
    (16, [30, 20, 10, 20], True, 8),
    (1, [3, 7], True, 4),
]


def measured(batch, sizes, record, bytes_each):
    """Return the bytes of results that are alive after the way there, by measuring."""
    dtype = {4: mt.float32, 8: mt.float64}[bytes_each]
    pairs = list(itertools.pairwise(sizes))
    layers = [(leaf((a, b), dtype), leaf((b,), dtype)) for a, b in pairs]
    x = mt.zeros(batch, sizes[0], dtype=dtype)
    with mt.set_grad_enabled(record), viz.memory() as m:
        for i, (w, b) in enumerate(layers):
            x = x @ w + b
            if i < len(layers) - 1:
                x = x.relu()
    return m.bytes


def leaf(shape, dtype):
    return mt.zeros(shape, dtype=dtype, requires_grad=True)


@activations.checker
def check_activations(activations):
    for batch, sizes, record, bytes_each in NETWORKS:
        call = f"activations({batch}, {sizes}, record={record}, bytes_each={bytes_each})"
        want = measured(batch, sizes, record, bytes_each)
        got = activations(batch, list(sizes), record=record, bytes_each=bytes_each)
        rows = batch * bytes_each
        same(
            got,
            want,
            call,
            causes=[
                (rows * sum(sizes), "the input does not count: it was there before."),
                (2 * want, "the results of `matmul` and `+` die soon: no rule asks for them."),
                (3 * want, "you count all three results of each layer; two of them die soon."),
                (want / bytes_each, "that is how many numbers, not bytes."),
                (8 * want, "these are bits: a byte has 8 of them."),
                (want / batch, "that is one row; each row of the batch has its own activations."),
                (rows * sum(sizes[1:]), "under `no_grad` there is no walk back to keep them for."),
                (0, "`out` itself is alive, tape or no tape."),
                (rows * sum(sizes[1:-1]), "`out` counts as well."),
                (rows * max(sizes[1:]), "that is the largest; each layer keeps one."),
                (want * 4 / bytes_each, "a number takes `bytes_each`, which is not always 4."),
                (bytes_each * sum(a * b + b for a, b in itertools.pairwise(sizes)),
                 "these are the parameters. They were there before, whatever the batch."),
            ],
            hint="one result of each layer is alive, of `batch` rows.",
        )  # fmt: skip


QUIZ = [
    Question(
        "`t = mt.from_numpy(a)`. Later, `a` is filled with new data. What does `t` hold?",
        [
            Choice(
                "The old data: `t` was made before",
                "It was made *on the buffer* of `a`. There is no second buffer to hold old data.",
            ),
            Choice(
                "The new data",
                "One buffer, two names. If you need the old data, take `mt.tensor(a)`.",
                right=True,
            ),
            Choice(
                "The old data, until someone reads it",
                "Nothing is exchanged, neither at once nor later.",
            ),
        ],
    ),
    Question(
        "You need `x` as it is now, while training goes on changing it in place. What do you keep?",
        [
            Choice(
                "`x.detach()`",
                "That is off the tape, but it is the same buffer: it changes along.",
            ),
            Choice(
                "`x.view(-1)`",
                "A view shows whatever the buffer holds, today and tomorrow.",
            ),
            Choice(
                "`x.detach().numpy()`",
                "An array on the same buffer. Think of the history of section 3.",
            ),
            Choice(
                "`x.detach().clone()`",
                "Off the tape, and a buffer of its own.",
                right=True,
            ),
        ],
    ),
    Question(
        "`w.numpy()` raises an error for a parameter. Why?",
        [
            Choice(
                "A change through NumPy would not be noticed by the tape",
                "So you have to say, by `detach`, that you know what you do.",
                right=True,
            ),
            Choice(
                "NumPy has no dtype for numbers with a gradient",
                "The numbers are plain float32. The gradient is another array.",
            ),
            Choice(
                "It would take too long for a large parameter",
                "It takes no time at all, whatever the size: nothing is copied.",
            ),
        ],
    ),
    Question(
        "`first = data[0]`, then `del data`. `data` had 4 GB, a row has 4 kB. What is alive?",
        [
            Choice(
                "4 kB: the rest is freed",
                "A buffer cannot be freed in part.",
            ),
            Choice(
                "4 GB",
                "The row is a view of the whole buffer. `data[0].clone()` would let it go.",
                right=True,
            ),
            Choice(
                "Nothing: `first` points to memory that is gone",
                "That happens in C. Here every view keeps its buffer alive.",
            ),
        ],
    ),
    Question(
        'Training stops with "out of memory". Half the batch, and it runs. What was halved?',
        [
            Choice(
                "The activations",
                "Each row has its own, kept for the walk back.",
                right=True,
            ),
            Choice(
                "The parameters",
                "They are there once, for any batch.",
            ),
            Choice(
                "The gradients of the parameters",
                "They have the shape of the parameters: the shares of all rows are added up.",
            ),
            Choice(
                "All of it in equal parts",
                "Only what exists once for each row is halved.",
            ),
        ],
    ),
]
