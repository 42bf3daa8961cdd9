"""Exercises and quiz of chapter 10."""

import itertools
import math
from contextlib import contextmanager

import numpy as np
from kit.checks import array, describe, expect, fail, obvious, same, same_grad, unchanged
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt
from minitensor import nn
from minitensor.nn import functional as F

SETUP = """
import math
import numpy as np
import minitensor as mt
from minitensor import nn
from minitensor.nn import functional as F
"""

Stack = Exercise(
    "Stack",
    title="All the parameters",
    task="""
        `Stack([64, 32, 16, 10])` is a network: linear layers from 64 to 32, from 32 to 16, from 16
        to 10 numbers, with `relu` between them, and none after the last. Any number of sizes may
        come. `parameters()` must find them all.
        """,
    stub="""
        class Stack(nn.Module):
            def __init__(self, sizes):
                super().__init__()
                ...

            def forward(self, x):
                ...
        """,
    solution="""
        class Stack(nn.Module):
            def __init__(self, sizes):
                super().__init__()
                pairs = zip(sizes[:-1], sizes[1:])
                self.layers = nn.ModuleList([nn.Linear(i, o) for i, o in pairs])

            def forward(self, x):
                for layer in self.layers[:-1]:
                    x = layer(x).relu()
                return self.layers[-1](x)
        """,
    hints=(
        "Section 1: which containers does a module look into?",
        "Make an `nn.Linear` for each pair of neighbours in `sizes`, in an `nn.ModuleList`.",
        "In `forward`, go through all layers but the last with `relu`; then the last, without.",
    ),
    wrong=[
        Slip("nn.ModuleList([nn.Linear(i, o) for i, o in pairs])",
             "[nn.Linear(i, o) for i, o in pairs]", says="a Python list"),
        Slip("nn.ModuleList([nn.Linear(i, o) for i, o in pairs])",
             "tuple(nn.Linear(i, o) for i, o in pairs)", says="a Python tuple"),
        Slip("nn.ModuleList([nn.Linear(i, o) for i, o in pairs])",
             "{o: nn.Linear(i, o) for i, o in pairs}", says="a Python dict"),
        Slip("        super().__init__()\n", "", says="super().__init__()"),
        Slip("return self.layers[-1](x)", "return self.layers[-1](x).relu()",
             says="no `relu` after the last"),
        Slip("layer(x).relu()", "layer(x)", says="`relu` is missing"),
        Slip("nn.Linear(i, o) for", "nn.Linear(o, i) for", says="wrong way round"),
        Slip("nn.Linear(i, o) for", "nn.Linear(i, o, bias=False) for", says="biases are missing"),
        Slip("return self.layers[-1](x)", "return x", says="the last layer"),
        Slip("layer(x).relu()", "nn.ReLU(layer(x))", says="takes no numbers"),
        Slip("nn.ModuleList([nn.Linear(i, o) for i, o in pairs])",
             "nn.Sequential([nn.Linear(i, o) for i, o in pairs])", says="one by one"),
        Slip("return self.layers[-1](x)", "return self.layers(x)", says="does not call them"),
        Slip("pairs = zip(sizes[:-1], sizes[1:])",
             "pairs = [(sizes[k], sizes[k + 1]) for k in range(3)]", says="go through all"),
        Wrong(
            """
            class Stack(nn.Module):
                def __init__(self, sizes):
                    super().__init__()
                    self.first = nn.Linear(sizes[0], sizes[1])
                    self.last = nn.Linear(sizes[1], sizes[2])

                def forward(self, x):
                    return self.last(self.first(x).relu())
            """,
            says="any number of layers",
        ),
        Wrong(
            """
            class Stack(nn.Module):
                def __init__(self, sizes):
                    super().__init__()
                    for i, o in zip(sizes[:-1], sizes[1:]):
                        self.layer = nn.Linear(i, o)

                def forward(self, x):
                    return self.layer(x)
            """,
            says="only the last one is kept",
        ),
        Wrong(
            """
            class Stack(nn.Module):
                def __init__(self, sizes):
                    super().__init__()
                    self.sizes = sizes

                def forward(self, x):
                    for i, o in zip(self.sizes[:-1], self.sizes[1:]):
                        x = nn.Linear(i, o)(x)
                    return x
            """,
            says="new at every call",
        ),
    ],
    also_right=[
        """
        class Stack(nn.Module):
            def __init__(self, sizes):
                super().__init__()
                parts = []
                for i in range(len(sizes) - 1):
                    parts += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
                self.net = nn.Sequential(*parts[:-1])

            def forward(self, x):
                return self.net(x)
        """,
        """
        class Stack(nn.Module):
            def __init__(self, sizes):
                super().__init__()
                self.count = len(sizes) - 1
                for i in range(self.count):
                    self.add_module(f"layer{i}", nn.Linear(sizes[i], sizes[i + 1]))

            def forward(self, x):
                for i in range(self.count):
                    x = getattr(self, f"layer{i}")(x if i == 0 else F.relu(x))
                return x
        """,
        """
        class Stack(nn.Module):
            def __init__(self, sizes):
                super().__init__()
                weights = [mt.randn(o, i) / math.sqrt(i) for i, o in zip(sizes, sizes[1:])]
                self.w = nn.ParameterList([nn.Parameter(w) for w in weights])
                self.b = nn.ParameterList([nn.Parameter(mt.zeros(o)) for o in sizes[1:]])

            def forward(self, x):
                for i in range(len(self.w)):
                    x = x if i == 0 else x.relu()
                    x = x @ self.w[i].T + self.b[i]
                return x
        """,
    ],
)  # fmt: skip


MAKING = [
    (
        "before Module.__init__",
        "a module must be set up before parts are put in: `super().__init__()` comes first.",
    ),
    ("list index out of range", "any number of sizes may come: go through all of `sizes`."),
    ("cannot assign 'list' object", "`nn.Sequential` wants its parts one by one: `*parts`."),
]
FORWARD = [
    ("ModuleList", "an `nn.ModuleList` keeps layers; it does not call them. Go through it."),
    ("not ReLU", "`nn.ReLU(...)` makes a part, and takes no numbers. For numbers: `x.relu()`."),
]  # fmt: skip


@contextmanager
def telling(call, expected, misfits):
    """Name the likely cause of an error. misfits: pairs (fragment of its text, cause)."""
    try:
        yield
    except (TypeError, IndexError, NotImplementedError, RuntimeError, AttributeError) as error:
        causes = [cause for fragment, cause in misfits if fragment in str(error)]
        if not causes:
            raise
        fail(call, expected, f"{type(error).__name__}: {error}", causes[0])


@Stack.checker
def check_stack(Stack):
    for sizes in ([5, 4, 3], [6, 5, 4, 3, 2], [3, 2]):
        made(Stack, sizes)


def made(Stack, sizes):
    """Check Stack(sizes): parameters, output, gradients."""
    call = f"Stack({sizes})"
    with telling(call, "a module", MAKING):
        net = Stack(sizes)
    expect(isinstance(net, nn.Module), call, "an nn.Module", describe(net))
    shapes = sorted(tuple(p.shape) for p in net.parameters())
    pairs = list(itertools.pairwise(sizes))
    want = sorted([shape for i, o in pairs for shape in ((o, i), (o,))])
    if shapes != want:
        call = f"the shapes of {call}.parameters()"
        fail(call, str(want), str(shapes), unfound(net, shapes, want, pairs))
    check_output(net, sizes)


def unfound(net, shapes, want, pairs):
    """Say why not all parameters were found."""
    if not shapes:
        kinds = {list: "list", tuple: "tuple", dict: "dict"}
        held = [kinds[type(v)] for name, v in vars(net).items()
                if type(v) in kinds and not name.startswith("_") and holds_layers(v)]  # fmt: skip
        if held:
            return f"the layers stand in a Python {held[0]}, and there no module looks for them."
        return "no layer is kept in `self`. Or are the layers made in `forward`, new at every call?"
    if shapes == sorted((o, i) for i, o in pairs):
        return "the biases are missing."
    if len(shapes) == len(want):
        return "is `nn.Linear(inputs, outputs)` filled in the wrong way round?"
    if len(shapes) == 2:
        return "of several layers, only the last one is kept: each needs a place of its own."
    return "any number of layers may be asked for: one for each pair of neighbours in `sizes`."


def holds_layers(value):
    items = value.values() if isinstance(value, dict) else value
    return any(isinstance(item, nn.Module) for item in items)


def check_output(net, sizes):
    """Compare the output with one computed from the weights, and see that gradients arrive."""
    rng = np.random.default_rng(1)
    for p in net.parameters():
        with mt.no_grad():
            p.copy_(mt.tensor(rng.normal(size=p.shape).astype(np.float32)))
    x = rng.normal(size=(7, sizes[0])).astype(np.float32)
    call = f"Stack({sizes})(x), x of shape (7, {sizes[0]}),"
    with telling(call, "a Tensor", FORWARD):
        out = net(mt.tensor(x))
    expect(isinstance(out, mt.Tensor), call, "a Tensor", describe(out), obvious(out))
    last = len(sizes) - 2
    everywhere, nowhere = range(last + 1), ()
    same(
        out,
        by_hand(net, sizes, x, range(last)),
        call,
        causes=[
            (by_hand(net, sizes, x, everywhere), "there is no `relu` after the last layer."),
            (by_hand(net, sizes, x, nowhere), "a `relu` is missing between the layers."),
            (by_hand(net, sizes[:-1], x, range(last)), "the last layer was left out."),
        ],
        hint="the output must come from the layers in their order, with `relu` in between.",
        rtol=1e-4,
        atol=1e-4,
    )
    out.sum().backward()
    for name, p in net.named_parameters():
        expect(p.grad is not None, f"{call} then backward: {name}.grad", "a gradient", "None")


def by_hand(net, sizes, x, relus):
    """The output of a stack of these sizes with the net's weights, in NumPy."""
    weights = [array(p) for p in net.parameters() if p.ndim == 2]
    biases = [array(p) for p in net.parameters() if p.ndim == 1]
    for i in range(len(sizes) - 1):
        x = x @ weights[i].T + biases[i]
        x = np.maximum(x, 0) if i in relus else x
    return x.astype(np.float32)


start_std = Exercise(
    "start_std",
    title="The size of the first weights",
    task="""
        A layer's weight has the shape `(outputs, inputs)`; `relu` comes after it. Return the
        standard deviation with which to draw it, so that the spread stays as it is from layer to
        layer.
        """,
    stub="""
        def start_std(shape):
            return ...
        """,
    solution="""
        def start_std(shape):
            return math.sqrt(2 / shape[1])
        """,
    hints=(
        "Section 2: of how many products is one output the sum? Which of the two sizes is that?",
        "The mean square grows by the number of inputs times std², and `relu` takes half away.",
        "Inputs · std² / 2 must be 1. Solve for std.",
    ),
    wrong=[
        Slip("shape[1]", "shape[0]", says="how many inputs"),
        Slip("math.sqrt(2 / shape[1])", "2 / shape[1]", says="the variance"),
        Slip("math.sqrt(2 / shape[1])", "math.sqrt(1 / shape[1])", says="throws half"),
        Slip("math.sqrt(2 / shape[1])", "math.sqrt(2 / sum(shape))", says="a compromise"),
        Slip("math.sqrt(2 / shape[1])", "math.sqrt(2 * shape[1])", says="upside down"),
        Slip("math.sqrt(2 / shape[1])", "0.01", says="the same for every shape"),
        Slip("math.sqrt(2 / shape[1])", "math.sqrt(6 / shape[1])", says="evenly spread"),
        Slip("math.sqrt(2 / shape[1])", "math.sqrt(2) / shape[1]", says="root of the inputs"),
        Slip("return math.sqrt(2 / shape[1])",
             "return mt.randn(*shape) * math.sqrt(2 / shape[1])", says="not the weights"),
    ],
    also_right=[
        "def start_std(shape):\n    outputs, inputs = shape\n    return (2 / inputs) ** 0.5",
        "def start_std(shape):\n    return np.sqrt(2.0) / np.sqrt(shape[1])",
        "def start_std(shape):\n"
        "    return nn.init.calculate_gain('relu') * mt.tensor(1 / shape[1]).sqrt()",
    ],
)  # fmt: skip


@start_std.checker
def check_start_std(start_std):
    for outputs, inputs in ((10, 400), (300, 32), (64, 64)):
        call = f"start_std(({outputs}, {inputs}))"
        got = start_std((outputs, inputs))
        if hasattr(got, "shape") and tuple(got.shape) == (outputs, inputs):
            cause = "return the one number, not the weights themselves."
            fail(call, "one number", f"shape {tuple(got.shape)}", cause)
        right = math.sqrt(2 / inputs)
        same(
            got,
            right,
            call,
            causes=[
                (math.sqrt(2 / outputs), "how many outputs there are does not matter for the way "
                 "there: an output is a sum over how many inputs?"),
                (2 / inputs, "that is the variance, the square of the standard deviation."),
                (math.sqrt(1 / inputs), "`relu` throws half of the mean square away: make up for "
                 "it." + after(math.sqrt(1 / inputs), inputs)),
                (math.sqrt(2 / (inputs + outputs)), "that is a compromise for the way there and "
                 "the way back. Here only the way there counts, and a `relu`."),
                (math.sqrt(2 * inputs), "upside down: more inputs, smaller weights."),
                (math.sqrt(6 / inputs), "that is the bound for evenly spread numbers, not their "
                 "standard deviation."),
                (math.sqrt(2) / inputs, "the standard deviation goes with the root of the inputs."),
                (0.01, "it cannot be the same for every shape." + after(0.01, inputs)),
            ],
            hint=hint_for(got, inputs),
            dtype=False,
            rtol=1e-4,
        )  # fmt: skip


def after(std, inputs):
    """What twenty layers make of a spread with this standard deviation, in words."""
    factor = (inputs * std * std / 2) ** 10
    return f" After 20 layers the spread is about {factor:.0e} times the first."


def hint_for(got, inputs):
    """Say what a number of the learner's would do to the spread."""
    if not isinstance(got, int | float) or not 1e-9 < got < 1e9:
        return "solve inputs · std² / 2 = 1 for std."
    return after(got, inputs).strip()


cross_entropy = Exercise(
    "cross_entropy",
    title="A loss that survives large numbers",
    task="""
        `logits` has the shape (N, C), `target` N whole numbers below C. Return the mean over the
        rows of minus the log of the softmax at the target. Logits of ±1000 must give the true
        loss, and true gradients. Use `exp`, `log`, `sum`, `max`, indexing.
        """,
    stub="""
        def cross_entropy(logits, target):
            return ...
        """,
    solution="""
        def cross_entropy(logits, target):
            z = logits - logits.max(1, keepdim=True).values
            log_p = z - z.exp().sum(1, keepdim=True).log()
            return -log_p[mt.arange(len(target)), target].mean()
        """,
    hints=(
        "Section 4 gives the formula of the log softmax. It never leaves the logarithm.",
        "Take each row's own maximum off; keepdim=True keeps the axis. Then subtract the log of "
        "the sum of `exp`.",
        "To pick one number of each row, index with two Tensors: `mt.arange(N)` and `target`.",
    ),
    wrong=[
        Wrong(
            """
            def cross_entropy(logits, target):
                p = logits.exp() / logits.exp().sum(1, keepdim=True)
                return -p.log()[mt.arange(len(target)), target].mean()
            """,
            says="infinite",
        ),
        Wrong(
            """
            def cross_entropy(logits, target):
                log_p = logits - logits.exp().sum(1, keepdim=True).log()
                return -log_p[mt.arange(len(target)), target].mean()
            """,
            says="no maximum was taken off",
        ),
        Wrong(
            """
            def cross_entropy(logits, target):
                p = logits.softmax(1)
                return -p[mt.arange(len(target)), target].log().mean()
            """,
            says="rounded to 0",
        ),
        Wrong(
            """
            def cross_entropy(logits, target):
                p = logits.softmax(1)
                return -(p[mt.arange(len(target)), target] + 1e-9).log().mean()
            """,
            says="a small number",
        ),
        Wrong("def cross_entropy(logits, target):\n"
              "    return F.cross_entropy(logits.softmax(1), target)", says="twice"),
        Slip("logits.max(1, keepdim=True).values", "logits.max()", says="whole batch"),
        Slip(".mean()", ".sum()", says="the sum"),
        Slip("-log_p", "log_p", says="the sign"),
        Slip("log_p[mt.arange(len(target)), target]", "log_p[:, target]", says="every row"),
        Slip("log_p[mt.arange(len(target)), target]", "log_p", says="all classes"),
        Wrong(
            """
            def cross_entropy(logits, target):
                z = logits.detach()
                z = z - z.max(1, keepdim=True).values
                log_p = z - z.exp().sum(1, keepdim=True).log()
                return -log_p[mt.arange(len(target)), target].mean()
            """,
            says="gradient",
        ),
        Wrong(
            """
            def cross_entropy(logits, target):
                z = logits - logits.max(0, keepdim=True).values
                log_p = z - z.exp().sum(0, keepdim=True).log()
                return -log_p[mt.arange(len(target)), target].mean()
            """,
            says="down the columns",
        ),
        Slip(".mean()", ".mean().item()", says="a number of Python's"),
        Slip(".mean()", "", says="mean over the rows is missing"),
        Slip(".max(1, keepdim=True).values", ".max(1, keepdim=True)", says="`.values`"),
        Slip(".max(1, keepdim=True).values", ".max(1).values", says="does not line up"),
        Slip("logits - logits.max(1, keepdim=True).values", "logits.clamp(-50, 50)",
             says="cut off"),
        Wrong(
            """
            def cross_entropy(logits, target):
                z = logits.detach().numpy()
                z = z - z.max(1, keepdims=True)
                log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
                return -log_p[np.arange(len(target)), target.numpy()].mean()
            """,
            says="of NumPy's",
        ),
    ],
    also_right=[
        "def cross_entropy(logits, target):\n"
        "    log_p = logits.log_softmax(1)\n"
        "    return -log_p.gather(1, target.unsqueeze(1)).mean()",
        "def cross_entropy(logits, target):\n"
        "    picked = logits[mt.arange(logits.shape[0]), target]\n"
        "    return (mt.logsumexp(logits, 1) - picked).mean()",
        """
        def cross_entropy(logits, target):
            top = logits.detach().max(1).values[:, None]
            hot = F.one_hot(target, logits.shape[1]).to(logits.dtype)
            sums = (logits - top).exp().sum(1).log() + top[:, 0]
            return (sums - (logits * hot).sum(1)).sum() / len(target)
        """,
    ],
)  # fmt: skip

MISFITS = [
    ("must be Tensor, not max", "`max` along an axis gives two things: the numbers are `.values`."),
    ("must match the size", "one number a row, (N,), does not line up with (N, C): keepdim=True "
     "makes it (N, 1)."),
]  # fmt: skip
MILD = [[1.0, 2.0, 0.0], [0.5, -1.0, 3.0], [0.0, 0.0, 0.0], [-2.0, 1.0, 1.0]]
MILD_TARGET = [1, 0, 2, 1]
INF = float("inf")
# Each case shows one mistake with large logits: rows, target, pairs (value, what to say).
WILD = [
    (
        [[1000.0, 999.0, 0.0]],
        [1],
        [
            (float("nan"), "`exp(1000)` is infinite, and infinite by infinite is `nan`."),
            (math.log(2), "the logits were cut off: take the largest off, and keep the gap."),
            (INF, "`exp(1000)` is infinite: no maximum was taken off."),
        ],
    ),
    (
        [[1000.0, 999.0, 0.0], [-1000.0, -1000.0, -1003.0]],
        [1, 0],
        [(-INF, "one maximum for the whole batch: a row far below it becomes all zeros.")],
    ),
    (
        [[0.0, 1000.0, 0.0], [-1000.0, 1000.0, 0.0]],
        [2, 0],
        [
            (INF, "a probability was rounded to 0, and its logarithm is infinite."),
            (20.723266, "a small number under the logarithm hides how wrong the answer is."),
        ],
    ),
]


@cross_entropy.checker
def check_cross_entropy(cross_entropy):
    compare(cross_entropy, MILD, MILD_TARGET, mild_mistakes())
    for rows, target, mistakes in WILD:
        compare(cross_entropy, rows, target, mistakes)


def compare(cross_entropy, rows, target, mistakes):
    """Check the value and the gradient of one batch, and that its logits stay as they are."""
    call = f"cross_entropy({rows}, {target})"
    logits = mt.tensor(rows, requires_grad=True)
    with unchanged(logits, call=call, cause="leave the caller's logits as they are."):
        with np.errstate(all="ignore"):  # a learner's nan is for the message, not a warning
            with telling(call, "a Tensor", MISFITS):
                got = cross_entropy(logits, mt.tensor(target))
    if isinstance(got, float | np.floating):
        cause = "a number of Python's has no gradient: return the Tensor."
        if isinstance(got, np.floating):
            cause = "a number of NumPy's has no gradient: compute with Tensors all the way."
        fail(call, "a Tensor", describe(got), cause)
    expect(isinstance(got, mt.Tensor), call, "a Tensor", describe(got), obvious(got))
    want, slopes = truth(rows, target)
    hint = "try it on this batch, step by step, beside `F.cross_entropy(logits, target)`."
    if got.ndim:
        fail(call, "one number", f"shape {tuple(got.shape)}", "the mean over the rows is missing.")
    same(got, want, call, causes=mistakes, hint=hint, dtype=False, rtol=1e-4)
    cause = "no gradient will come: was the tape left on the way?"
    expect(got.requires_grad, f"{call}.requires_grad", "True", "False", cause)
    got.backward()
    same_grad(logits, slopes, call, atol=1e-4, hint="the value is right, its gradient is not.")


def truth(rows, target):
    """The loss and its gradient, in float64."""
    z = np.array(rows)
    z = z - z.max(1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
    hot = np.eye(3)[target]
    slopes = ((np.exp(log_p) - hot) / len(rows)).astype(np.float32)
    return float(-(log_p * hot).sum(1).mean()), slopes


def mild_mistakes():
    """Pairs (value, what to say) for mistakes that show with ordinary logits."""
    z = mt.tensor(MILD)
    target, rows = mt.tensor(MILD_TARGET), mt.arange(4)
    right = F.cross_entropy(z, target).item()
    log_p, columns = z.log_softmax(1), z.log_softmax(0)
    return [
        (F.cross_entropy(z.softmax(1), target).item(), "a softmax was taken twice."),
        (4 * right, "that is the sum over the rows, not their mean."),
        (-right, "the sign: a logarithm of a probability is negative, a loss positive."),
        (-log_p[:, target].mean().item(), "`[:, target]` takes four columns of every row: pick "
         "one number of each row."),
        (-log_p.mean().item(), "that is the mean over all classes: pick the target's."),
        (-columns[rows, target].mean().item(), "the sums run down the columns: each row is one "
         "example, so go along axis 1."),
    ]  # fmt: skip


adam_step = Exercise(
    "adam_step",
    title="Adam's step",
    task="""
        Parameter `p`, its gradient `g`, the running means `m` (of `g`) and `v` (of `g²`), and the
        number `t` of this step, counted from 1: all are NumPy arrays or numbers. Return the new
        `p`, `m` and `v`. The means are returned as they are, uncorrected; the step uses the
        corrected ones.
        """,
    stub="""
        def adam_step(p, g, m, v, t, rate=0.001, b1=0.9, b2=0.999, eps=1e-8):
            ...
        """,
    solution="""
        def adam_step(p, g, m, v, t, rate=0.001, b1=0.9, b2=0.999, eps=1e-8):
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            m_hat = m / (1 - b1**t)
            v_hat = v / (1 - b2**t)
            return p - rate * m_hat / (np.sqrt(v_hat) + eps), m, v
        """,
    hints=(
        "Section 5 has it for Tensors. Which numbers stand for `b1` and `b2` there?",
        "First the new `m` and `v`. Then divide them, under other names, by `1 - b1**t` and "
        "`1 - b2**t`.",
        "The new p is `p` less `rate` times corrected m, over the root of corrected v plus `eps`.",
    ),
    wrong=[
        Wrong(
            """
            def adam_step(p, g, m, v, t, rate=0.001, b1=0.9, b2=0.999, eps=1e-8):
                m = b1 * m + (1 - b1) * g
                v = b2 * v + (1 - b2) * g**2
                return p - rate * m / (np.sqrt(v) + eps), m, v
            """,
            says="neither mean is corrected",
        ),
        Slip("v / (1 - b2**t)", "v", says="only `m` is corrected"),
        Slip("m / (1 - b1**t)", "m", says="only `v` is corrected"),
        Wrong(
            """
            def adam_step(p, g, m, v, t, rate=0.001, b1=0.9, b2=0.999, eps=1e-8):
                m = (b1 * m + (1 - b1) * g) / (1 - b1**t)
                v = (b2 * v + (1 - b2) * g**2) / (1 - b2**t)
                return p - rate * m / (np.sqrt(v) + eps), m, v
            """,
            says="corrected again",
        ),
        Slip("m / (1 - b1**t)", "m / (1 - b1)", says="first step only"),
        Slip("(1 - b1) * g", "g", says="share of the new gradient"),
        Slip("g**2", "g", says="not squared"),
        Slip("return p - rate", "return p + rate", says="uphill"),
        Slip("(np.sqrt(v_hat) + eps)", "(v_hat + eps)", says="root is missing"),
        Slip("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat)", says="eps"),
        Slip("b1 * m + (1 - b1) * g", "b1 * g + (1 - b1) * m", says="the shares are swapped"),
        Slip("eps), m, v", "eps)", says="three values"),
        Slip("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat + eps)", says="under the root"),
        Slip("b1 * m + (1 - b1) * g", "0.9 * m + 0.1 * g", says="the caller's own"),
        Slip("m / (1 - b1**t)", "m / (1 - b1 * t)", says="to the power"),
        Slip("np.sqrt(v_hat)", "math.sqrt(v_hat)", says="np.sqrt"),
        Slip("np.sqrt(v_hat)", "v_hat.sqrt()", says="np.sqrt"),
        Slip("return p - rate * m_hat / (np.sqrt(v_hat) + eps), m, v",
             "return m, v, p - rate * m_hat / (np.sqrt(v_hat) + eps)", says="in this order"),
        Wrong(
            """
            def adam_step(p, g, m, v, t, rate=0.001, b1=0.9, b2=0.999, eps=1e-8):
                m *= b1
                m += (1 - b1) * g
                v = b2 * v + (1 - b2) * g**2
                step = rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
                return p - step, m, v
            """,
            says="in place",
        ),
    ],
    also_right=[
        """
        def adam_step(p, g, m, v, t, rate=0.001, b1=0.9, b2=0.999, eps=1e-8):
            m = m + (g - m) * (1 - b1)
            v = v + (g * g - v) * (1 - b2)
            root = (1 - b2**t) ** 0.5
            p = p - rate * root / (1 - b1**t) * m / (v**0.5 + eps * root)
            return [p, m, v]
        """,
        """
        def adam_step(p, g, m, v, t, rate=0.001, b1=0.9, b2=0.999, eps=1e-8):
            q = mt.tensor(p, requires_grad=True)
            q.grad = mt.tensor(g)
            opt = mt.optim.Adam([q], rate, (b1, b2), eps)
            opt.state[q] = {"step": mt.tensor(t - 1.0), "exp_avg": mt.tensor(m),
                            "exp_avg_sq": mt.tensor(v)}
            opt.step()
            state = opt.state[q]
            return q.detach().numpy(), state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()
        """,
    ],
)  # fmt: skip


ARRAYS = [
    ("converted to Python scalars", "`math.sqrt` takes one number; for arrays: `np.sqrt`."),
    ("no attribute 'sqrt'", "an array has no `.sqrt()`, as a Tensor has: `np.sqrt`."),
]


def adam(p, g, m, v, t, rate=0.1, b1=0.9, b2=0.999, eps=1e-8, fix_m=True, fix_v=True):
    """The right step; fix_m and fix_v: are the means corrected?"""
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
    m_hat = m / (1 - b1**t) if fix_m else m
    v_hat = v / (1 - b2**t) if fix_v else v
    return p - rate * m_hat / (np.sqrt(v_hat) + eps), m, v


@adam_step.checker
def check_adam_step(adam_step):
    p, g = np.array([1.0, 1.0, 1.0]), np.array([4.0, -0.25, 0.0])
    zero = np.zeros(3)
    second = adam(p, g, zero, zero, 1)
    both = [(p, g, zero, zero, 1), (second[0], np.array([1.0, 3.0, 0.5]), *second[1:], 2)]
    check_means(adam_step, *both[1])  # at step 1, some mistakes look alike
    for values in both:
        check_means(adam_step, *values)
        check_step(adam_step, *values)
    check_settings(adam_step)


def check_settings(adam_step):
    """Check that b1, b2 and eps are the caller's: an eps as large as this one is seen."""
    values, own = (np.array([1.0]), np.array([0.5]), np.array([0.2]), np.array([0.1]), 3), {
        "rate": 0.1, "b1": 0.8, "b2": 0.9, "eps": 0.01}  # fmt: skip
    got = adam_step(*values, **own)
    call = "adam_step([1.0], [0.5], [0.2], [0.1], t=3, rate=0.1, b1=0.8, b2=0.9, eps=0.01)"
    p, m, v = adam(*values, **own)
    v_hat = v / (1 - 0.9**3)
    inside = values[0] - 0.1 * m / (1 - 0.8**3) / np.sqrt(v_hat + 0.01)
    hint = "`b1`, `b2` and `eps` are the caller's own: use the names, not 0.9 or 1e-8."
    same(got[1], m, f"the new m of {call}", hint=hint, dtype=False)
    same(got[2], v, f"the new v of {call}", hint=hint, dtype=False)
    causes = [(inside, "`eps` stands under the root: it is added after the root is taken.")]
    same(got[0], p, f"the new p of {call}", causes=causes, hint=hint, dtype=False)


def stepped(adam_step, *values):
    """Return what was called, in words, and the three values that came back."""
    shown = ", ".join(str(list(map(float, a.round(4)))) for a in values[:4])
    call = f"adam_step({shown}, t={values[4]}, rate=0.1)"
    cause = "the arrays were changed in place: make new ones."
    with unchanged(*values[:4], call=call, cause=cause):
        with np.errstate(all="ignore"):
            with telling(call, "three values, p, m and v", ARRAYS):
                got = adam_step(*values, rate=0.1)
    if not isinstance(got, (tuple, list)) or len(got) != 3:
        fail(call, "three values, p, m and v", describe(got))
    return call, got


def check_means(adam_step, p, g, m, v, t):
    """Check the new m and v of step number t from these values."""
    call, got = stepped(adam_step, p, g, m, v, t)
    _, new_m, new_v = adam(p, g, m, v, t)
    of_m = [
        (new_m / (1 - 0.9**t), "return `m` as it is: it would be corrected again next time."),
        (new_v, "the three values are p, m and v, in this order."),
        (0.9 * m + g, "the share of the new gradient is `1 - b1`."),
        (0.9 * g + 0.1 * m, "the shares are swapped: most of the old mean stays."),
    ]
    of_v = [
        (0.999 * v + 0.001 * g, "the gradient is not squared."),
        (new_v / (1 - 0.999**t), "return `v` as it is, uncorrected."),
    ]
    for name, value, want, causes in (("m", got[1], new_m, of_m), ("v", got[2], new_v, of_v)):
        same(value, want, f"the new {name} of {call}", causes=causes, dtype=False)


def check_step(adam_step, p, g, m, v, t):
    """Check the new p of step number t from these values."""
    call, got = stepped(adam_step, p, g, m, v, t)
    hint = "corrected m, divided by the root of corrected v plus `eps`, times `rate`."
    if t == 1:
        hint = "with `t=1`, every parameter whose gradient is not 0 moves by `rate`."
    causes = step_mistakes(p, g, m, v, t)
    want = adam(p, g, m, v, t)[0]
    same(got[0], want, f"the new p of {call}", causes=causes, hint=hint, dtype=False)


def step_mistakes(p, g, m, v, t):
    """Pairs (new p, what to say)."""
    right, new_m, new_v = adam(p, g, m, v, t)
    times = p - 0.1 * new_m / (1 - 0.9 * t) / (np.sqrt(new_v / (1 - 0.999**t)) + 1e-8)
    m_hat, v_hat = new_m / (1 - 0.9**t), new_v / (1 - 0.999**t)
    with np.errstate(all="ignore"):
        bare = p - 0.1 * m_hat / np.sqrt(v_hat)
    return [
        (adam(p, g, m, v, t, fix_m=False, fix_v=False)[0], "neither mean is corrected: they start "
         "at 0, and the first steps are too long by up to three times."),
        (adam(p, g, m, v, t, fix_v=False)[0], "only `m` is corrected: `v` starts at 0, too."),
        (adam(p, g, m, v, t, fix_m=False)[0], "only `v` is corrected: `m` starts at 0, too."),
        (p - 0.1 * new_m / 0.1 / (np.sqrt(v_hat) + 1e-8), "that corrects the first step only: "
         "`b1` to the power of `t`."),
        (times, "`b1` times `t` is not `b1` to the power of `t`."),
        (np.full(3, np.nan), "is a root taken of less than 0? `b2` to the power of `t`: `b2**t`."),
        (2 * p - right, "that is uphill: step against the gradient."),
        (p - 0.1 * m_hat / (v_hat + 1e-8), "the root is missing: `v` is a mean of squares."),
        (bare, "without eps, a gradient of 0 gives 0 divided by 0."),
    ]  # fmt: skip


QUIZ = [
    Question(
        "A module keeps its layers in `self.layers = [...]`, and one more in `self.head`. What "
        "will training do?",
        [
            Choice(
                "Stop with an error: a list cannot be stored in a module",
                "It can, and stays an ordinary list.",
            ),
            Choice(
                "Train the head only, and say nothing",
                "`parameters()` finds the head, so the optimiser is content. The layers in the "
                "list keep their first weights.",
                right=True,
            ),
            Choice(
                "Train everything: gradients reach the layers",
                "Gradients do reach them. But the optimiser steps only with what `parameters()` "
                "gave it.",
            ),
        ],
    ),
    Question(
        "All weights of a hidden layer start at 0.1. Its outputs go on to a loss. After long "
        "training its units are",
        [
            Choice(
                "different: their gradients differ",
                "Equal units that feed the next layer equally get equal gradients.",
            ),
            Choice(
                "all at 0.1 still: the gradients are 0",
                "They moved, as the cell showed. Together.",
            ),
            Choice("moved, and alike", "The same gradient, the same step, for ever.", right=True),
        ],
    ),
    Question(
        "A network of 20 `relu` layers is 64 wide. With which start does its first layer learn?",
        [
            Choice(
                "a standard deviation of about 0.18",
                "√(2 / 64): the spread stays, there and back.",
                right=True,
            ),
            Choice(
                "0.01: small weights are careful weights",
                "Each layer would shrink the spread to less than a tenth, on the way there and "
                "on the way back.",
            ),
            Choice(
                "1, the standard normal",
                "Each layer multiplies the spread by more than 5. After 20 it is beyond use.",
            ),
            Choice(
                "It does not matter: training corrects it",
                "Section 6: sixty steps helped neither the small start nor the large one.",
            ),
        ],
    ),
    Question(
        "Someone writes `F.cross_entropy(net(x).softmax(1), target)`. What happens?",
        [
            Choice(
                "An error: it wants logits",
                "It takes any numbers. It cannot know what you meant.",
            ),
            Choice(
                "The softmax is taken twice: the loss stays high, and learning is slow",
                "Sure and right still cost 0.55 in the chapter's cell.",
                right=True,
            ),
            Choice(
                "Nothing: the softmax of a softmax is itself",
                "It is flatter: probabilities lie between 0 and 1, close together for logits.",
            ),
        ],
    ),
    Question(
        "Two parameters have gradients of 4 and 0.001. Where does Adam's first step, at rate 0.1, "
        "move them?",
        [
            Choice(
                "by 0.4 and by 0.0001, against the gradient",
                "That is SGD. Adam divides by the size of the gradient.",
            ),
            Choice(
                "by about 0.3 each, against the gradient",
                "That is what comes out without the corrections.",
            ),
            Choice("by 0.1 each, against the gradient", "Only the signs are left.", right=True),
        ],
    ),
]
