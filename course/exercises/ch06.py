"""Exercises and quiz of chapter 06."""

import weakref

import numpy as np
from kit.checks import expect, fail, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt

SETUP = """
import minitensor as mt
"""

update = Exercise(
    "update",
    title="A correct update",
    task="""
        `w` is a leaf that has a `.grad`. Move `w` itself one step of size `lr` against its
        gradient, and clear the gradient. `w` must stay the same tensor, and a leaf. Return nothing.
        """,
    stub="""
        def update(w, lr):
            ...
        """,
    solution="""
        def update(w, lr):
            with mt.no_grad():
                w -= w.grad * lr
            w.grad = None
        """,
    hints=(
        "`w = w - ...` gives the name `w` to a new tensor. The caller's tensor does not move.",
        "`w -= ...` changes the tensor itself. But a leaf may not be changed while the tape runs.",
        "Stop the tape for that one line, with `mt.no_grad()`. Then set the gradient to None.",
    ),
    wrong=[
        Wrong(
            "def update(w, lr):\n    with mt.no_grad():\n        w = w - lr * w.grad\n"
            "        w.grad = None",
            says="did not move",
        ),
        Wrong("def update(w, lr):\n    w -= lr * w.grad\n    w.grad = None", says="leaf Variable"),
        Slip("w -=", "w +=", says="uphill"),
        Slip("w.grad = None", "pass", says="old gradient is still there"),
        Wrong(
            "def update(w, lr):\n    w.grad = None\n"
            "    with mt.no_grad():\n        w -= lr * w.grad",
            says="your code raised",
        ),
        Slip("w.grad * lr", "w.grad", says="the whole gradient"),
    ],
    also_right=[
        """
        def update(w, lr):
            with mt.no_grad():
                w.sub_(w.grad * lr)
                w.grad.zero_()
        """,
        """
        def update(w, lr):
            w.detach().sub_(lr * w.grad)
            w.grad = None
        """,
    ],
)


@update.checker
def check_update(update):
    w = mt.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    update(w, 0.25)
    call = "w after update(w, 0.25), with w = [1, 2] and w.grad = [2, 4],"
    same(
        w.detach(),
        np.array([0.5, 1.0], np.float32),
        call,
        causes=[
            (np.array([1, 2], np.float32), "the caller's `w` did not move: a new tensor did."),
            (np.array([1.5, 3.0], np.float32), "that step goes uphill."),
            (np.array([-1.0, -2.0], np.float32), "that is the whole gradient, not `lr` of it."),
        ],
    )
    expect(w.is_leaf and w.requires_grad, "w", "still a leaf that requires a gradient", "not so")
    clear = w.grad is None or float(w.grad.abs().sum()) == 0
    expect(
        clear, "w.grad", "None or zeros", "the old gradient is still there", "clear it after use."
    )


halve = Exercise(
    "halve",
    title="A change that backward can trust",
    task="""
        `h` is a result on the tape, and later steps may have saved it. Return the values of `h`
        with every entry above `top` halved. Gradients must stay right, and `h` keep its values.
        """,
    stub="""
        def halve(h, top):
            return ...
        """,
    solution="""
        def halve(h, top):
            return mt.where(h > top, h / 2, h)
        """,
    hints=(
        "`h.data[...] = ...` changes what other steps saved, and nobody is told.",
        "Make a new tensor in place of changing the old one.",
        "`mt.where(condition, a, b)` picks from `a` where the condition holds, else from `b`.",
    ),
    wrong=[
        Wrong(
            "def halve(h, top):\n    h.data[h.data > top] /= 2\n    return h",
            says="`h` itself has changed",
        ),
        Wrong(
            "def halve(h, top):\n    out = h.detach().clone()\n"
            "    out[out > top] /= 2\n    return out",
            says="off the tape",
        ),
        Slip("h > top", "h < top", says="below `top`"),
        Slip("h / 2, h", "h / 2, h / 2", says="every entry"),
        Slip("h / 2, h", "top / 2, h", says="half of `top`"),
    ],
    also_right=[
        "def halve(h, top):\n    return h * mt.where(h > top, 0.5, mt.ones_like(h))",
        """
        def halve(h, top):
            out = h.clone()
            mask = h > top
            out[mask] = h[mask] / 2
            return out
        """,
    ],
)


@halve.checker
def check_halve(halve):
    x = mt.tensor([0.5, 1.0, 2.0], requires_grad=True)
    h = x * 2
    out = halve(h, 1.5)
    call = "halve(h, 1.5), with h = [1, 2, 4],"
    kept = h.detach().numpy().tolist()
    if kept != [1, 2, 4]:
        fail("h after " + call, "its values as they were", str(kept), "`h` itself has changed.")
    same(
        getattr(out, "detach", lambda: out)(),
        np.array([1, 1, 2], np.float32),
        call,
        causes=[
            (np.array([0.5, 2, 4], np.float32), "the entries below `top` were halved."),
            (np.array([0.5, 1, 2], np.float32), "every entry was halved."),
            (np.array([1, 0.75, 0.75], np.float32), "that is half of `top`, not of the entry."),
        ],
    )
    on_tape = getattr(out, "requires_grad", False)
    expect(on_tape, call, "a tensor on the tape", "one that is off the tape", "who cut it?")
    saved = h * h  # this step has saved h
    (saved + halve(h, 1.5)).sum().backward()
    call = "x.grad, with h = x * 2, after (h * h + halve(h, 1.5)).sum().backward()"
    same(x.grad, np.array([6.0, 9.0, 17.0], np.float32), call)


mean_loss = Exercise(
    "mean_loss",
    title="A loss log of constant memory",
    task="""
        Call `step()` `n` times. Each call returns a loss: a 0-d tensor on the tape. Return their
        mean as a float, and keep no loss's tape alive while you go on.
        """,
    stub="""
        def mean_loss(step, n):
            return ...
        """,
    solution="""
        def mean_loss(step, n):
            total = 0.0
            for _ in range(n):
                total += step().item()
            return total / n
        """,
    hints=(
        "What does `total` hold after `total += loss`: a number, or a tensor with a history?",
        "Count live steps with `figures.live_nodes(total)` as section 6 does.",
        "Take the number out of each loss before you add it.",
    ),
    wrong=[
        Slip("step().item()", "step()", says="is a Tensor"),
        Wrong(
            "def mean_loss(step, n):\n    total = 0.0\n    for _ in range(n):\n"
            "        total += step()\n    return total.item() / n",
            says="were alive at once",
        ),
        Slip("total += step()", "total = step()", says="the last"),
    ],
    also_right=[
        "def mean_loss(step, n):\n    return sum(step().item() for _ in range(n)) / n",
        """
        def mean_loss(step, n):
            losses = [float(step().detach()) for _ in range(n)]
            return sum(losses) / len(losses)
        """,
    ],
)


@mean_loss.checker
def check_mean_loss(mean_loss):
    w = mt.tensor(1.0, requires_grad=True)
    tapes, most = [], [0]

    def step():
        most[0] = max(most[0], sum(t() is not None for t in tapes))
        loss = (w * float(len(tapes) + 1)).exp()
        tapes.append(weakref.ref(loss.grad_fn))
        return loss.log()

    got = mean_loss(step, 4)
    call = "mean_loss(step, 4), with losses 1, 2, 3, 4,"
    expect(not hasattr(got, "grad_fn"), call, "a float", "what came back is a Tensor")
    same(
        got,
        2.5,
        call,
        causes=[(10.0, "that is the sum."), (1.0, "that is the last loss over n.")],
        rtol=1e-4,
    )
    expect(
        most[0] <= 1,
        call,
        "one tape at a time",
        f"{most[0] + 1} tapes were alive at once",
        "something holds on to tensors, not numbers.",
    )


QUIZ = [
    Question(
        "`w = mt.randn(3, requires_grad=True) * 0.01`, then `(w * w).sum().backward()`. "
        "What is `w.grad`?",
        [
            Choice("A gradient: `w` requires one", "It does, but it is a result, not a leaf."),
            Choice(
                "None: `w` is not a leaf", "The leaf is the tensor before `* 0.01`.", right=True
            ),
            Choice("Zeros", "Nothing was written at all."),
        ],
    ),
    Question(
        "A training step calls `backward()`, then clears the gradient, then updates `w`. "
        "What does `w` do?",
        [
            Choice("It stays where it is", "There is nothing left to step along.", right=True),
            Choice("It learns as usual", "The update reads `w.grad` after it was cleared."),
            Choice("It raises an error", "A gradient of zeros is a legal gradient."),
            Choice(
                "It learns twice as fast", "That would need the gradient added up, not cleared."
            ),
        ],
    ),
    Question(
        "Which in-place change does backward refuse?",
        [
            Choice("Any", "`y = 2 * x`, then `y += 1` passes: nobody saved `y`."),
            Choice("None: it is my tensor", "`y = x.exp()`, then `y += 1` is refused."),
            Choice("One of a value that some step saved", "It checks just that.", right=True),
        ],
    ),
    Question(
        "You need the numbers of `y` and may change them. `y` is on the tape. What is safe?",
        [
            Choice("`y.data`", "It shares memory, and nobody is told of the change."),
            Choice("`y.detach()`", "It shares memory. The change is noticed, and backward fails."),
            Choice("`y.detach().clone()`", "A copy off the tape is yours.", right=True),
        ],
    ),
    Question(
        "`total += loss` in a loop of 1000 steps. What does it cost?",
        [
            Choice("One number", "`total` is a tensor, and has a history."),
            Choice(
                "The tapes of all 1000 steps",
                "Each loss hangs on its own tape, and `total` on all of them.",
                right=True,
            ),
            Choice("The tape of the last step", "The earlier ones hang on `total` too."),
        ],
    ),
]
