"""Exercises and quiz of chapter 06.

Misconception 10 of the course's plan has two halves. That `detach` is not `no_grad` is shown here,
in section 5. That `eval()` is neither needs a module, and belongs to chapter 10.
"""

import weakref

import numpy as np
from kit.checks import describe, expect, fail, raises, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt

SETUP = """
import numpy as np
import minitensor as mt
"""

update = Exercise(
    "update",
    title="One step of a whole model",
    task="""
        `model` is a dict from names to parameters. Move each one step downhill, by `rate` times
        its gradient, and forget the gradient. An optimiser elsewhere holds the same Tensors, so it
        must be *these* that move. One of them may have no gradient at all (`None`): it stays.
        """,
    stub="""
        def update(model, rate):
            for name, p in model.items():
                ...
        """,
    solution="""
        def update(model, rate):
            for name, p in model.items():
                if p.grad is None:
                    continue
                with mt.no_grad():
                    p -= rate * p.grad
                p.grad = None
        """,
    hints=(
        "Section 3 tries four ways. Which one changes the numbers of the same Tensor, unrecorded?",
        "First skip those without a gradient. Then step, and only then forget.",
        "`if p.grad is None: continue`, then `-=` under `mt.no_grad()`, then set `p.grad` to None.",
    ),
    wrong=[
        Wrong(
            """
            def update(model, rate):
                for name, p in model.items():
                    if p.grad is not None:
                        model[name] = p - rate * p.grad
                        p.grad = None
            """,
            says="on the tape",
        ),
        Wrong(
            """
            def update(model, rate):
                with mt.no_grad():
                    for name, p in model.items():
                        if p.grad is not None:
                            model[name] = p - rate * p.grad
                            p.grad = None
            """,
            says="no longer asks",
        ),
        Wrong(
            """
            def update(model, rate):
                for name, p in model.items():
                    if p.grad is not None:
                        model[name] = (p - rate * p.grad).detach().requires_grad_()
            """,
            says="still holds the old one",
        ),
        Wrong(
            """
            def update(model, rate):
                for name, p in model.items():
                    p = p - rate * p.grad
                    p.grad = None
            """,
            says="only the name `p`",
        ),
        Wrong(
            """
            def update(model, rate):
                for name, p in model.items():
                    if p.grad is not None:
                        p -= p.grad * rate
            """,
            says="in-place operation",
        ),
        Wrong(
            """
            def update(model, rate):
                for name, p in model.items():
                    if p.grad is not None:
                        p.grad.zero_()
                        with mt.no_grad():
                            p -= p.grad * rate
            """,
            says="before the step",
        ),
        Wrong(
            """
            def update(model, rate):
                for p in model.values():
                    with mt.no_grad():
                        p -= p.grad * rate
                    p.grad = None
            """,
            says="skip it",
        ),
        Wrong(
            """
            def update(model, rate):
                for name, p in model.items():
                    with mt.no_grad():
                        p -= rate * p.grad
                    p.grad = None
                    return model
            """,
            says="does the loop end",
        ),
        Slip("            continue", "            break", says="the ones after it"),
        Slip("p -= rate", "p += rate", says="uphill"),
        Slip("rate * p.grad", "p.grad", says="`rate` is missing"),
        Slip("        p.grad = None", "        pass", says="still there"),
    ],
    also_right=[
        """
        def update(model, rate):
            with mt.no_grad():
                for p in model.values():
                    if p.grad is not None:
                        p.sub_(p.grad, alpha=rate)
                        p.grad.zero_()
        """,
        """
        @mt.no_grad()
        def update(model, rate):
            for name, p in model.items():
                if p.grad is not None:
                    p.copy_(p - rate * p.grad)
                    p.grad = None
        """,
    ],
)  # fmt: skip


@update.checker
def check_update(update):
    check_step(update, ("w", "b"))  # first without a None, whose error would hide other mistakes
    check_step(update, ("w", "frozen", "b"))


def check_step(update, names):
    """Check one step of a model of these parameters; "frozen" has no gradient."""
    model = {name: mt.tensor([1.0, -2.0], requires_grad=True) for name in names}
    held = dict(model)  # the optimiser's
    (model["w"] ** 2 + 3 * model["b"]).sum().backward()
    call = 'model["frozen"], whose gradient is None, after update(model, 0.1)'
    try:
        update(model, 0.1)
    except (TypeError, AttributeError) as error:
        if "frozen" not in names:
            raise
        said = f"{type(error).__name__}: {error}"
        fail(call, "no change", said, "it has no gradient, so it takes no step: skip it.")
    start = np.array([1.0, -2.0], np.float32)
    for name, slope in (("w", 2 * start), ("b", np.array([3.0, 3.0], np.float32))):
        same_leaf(model.get(name), held[name], f'model["{name}"]')
        cause = "it did not move: only the name `p` points elsewhere now."
        if held[name].grad is not None and not held[name].grad.numpy().any():
            cause = "it did not move: the gradient was set to zero before the step."
        if name == "b":
            cause = "only the first one moved: does the loop end too early?"
        if name == "b" and "frozen" in names:
            cause = "one without a gradient came first: the ones after it must move all the same."
        same(
            held[name].detach().numpy().copy(),
            start - np.float32(0.1) * slope,
            f'model["{name}"], with gradient {slope.tolist()}, after update(model, 0.1)',
            causes=[
                (start, cause),
                (start + 0.1 * slope, "that is uphill: step against the gradient."),
                (start - slope, "`rate` is missing."),
            ],
        )
        left = held[name].grad is not None and bool(held[name].grad.numpy().any())
        cause = "the old gradient is still there: the next `backward` adds to it."
        expect(not left, f'model["{name}"].grad after update', "None", "the old gradient", cause)
    if "frozen" in names:
        hint = "it has no gradient: it stays."
        same(held["frozen"].detach().numpy().copy(), start, call, hint=hint)


def same_leaf(now, before, call):
    """Check that a model's entry is still a leaf that asks for a gradient, and the same Tensor."""
    expect(isinstance(now, mt.Tensor), call, "a Tensor", describe(now))
    cause = "it is the result of a step on the tape: the next `backward` gives it no gradient."
    expect(now.is_leaf, f"{call}.is_leaf", "True", "False", cause)
    cause = "a Tensor made under `no_grad` no longer asks for a gradient."
    expect(now.requires_grad, f"{call}.requires_grad", "True", "False", cause)
    cause = "you put a new Tensor into the dict. The optimiser still holds the old one."
    expect(now is before, call, "the same Tensor, with other numbers", "another Tensor", cause)


clip = Exercise(
    "clip",
    title="Clip a weight, and let the engine know",
    task="""
        Keep a weight's numbers between `-limit` and `limit`: change `w` in place, so that it stays
        the same leaf. A tape that was recorded before must *notice*: its `backward` has to raise,
        not to give a wrong number.
        """,
    stub="""
        def clip(w, limit):
            ...
        """,
    solution="""
        def clip(w, limit):
            with mt.no_grad():
                w.clamp_(-limit, limit)
        """,
    hints=(
        "Look at the truth table. Which line shares memory *and* is watched?",
        "A leaf may be changed in place where nothing is recorded. Which method limits numbers in "
        "place? Its name is that of `clamp`, and an underscore.",
        "Call `w.clamp_(...)` with the two limits, inside `with mt.no_grad():`.",
    ),
    wrong=[
        Wrong("def clip(w, limit):\n    w.data.clamp_(-limit, limit)",
              says="`.data` has a counter of its own"),
        Wrong("def clip(w, limit):\n    values = w.detach().numpy()\n"
              "    np.clip(values, -limit, limit, out=values)",
              says="NumPy writes to the memory, and nobody counts"),
        Wrong("def clip(w, limit):\n    w = w.clamp(-limit, limit)", says="`w` still holds"),
        Wrong("def clip(w, limit):\n    return w.clamp(-limit, limit)", says="return nothing"),
        Wrong("def clip(w, limit):\n    w.clamp_(min=-limit, max=limit)",
              says="in-place operation"),
        Slip("w.clamp_(-limit, limit)", "w.clamp_(max=limit)", says="from above only"),
        Slip("w.clamp_(-limit, limit)", "w.clamp_(0.0, limit)", says="negative ones"),
        Slip("w.clamp_(-limit, limit)", "w.mul_(limit / w.abs().max())", says="scaled"),
        Wrong("def clip(w, limit):\n    w.detach_().requires_grad_(False)\n"
              "    w.clamp_(-limit, limit)",
              says="no longer asks"),
        Wrong("def clip(w, limit):\n    w.data = w.detach().clamp(-limit, limit)",
              says="other memory"),
    ],
    also_right=[
        "def clip(w, limit):\n    w.detach().clamp_(-limit, limit)",
        """
        def clip(w, limit):
            with mt.no_grad():
                w[w > limit] = limit
                w[w < -limit] = -limit
        """,
        """
        @mt.no_grad()
        def clip(w, limit):
            w.copy_(w.clamp(-limit, limit))
        """,
        "def clip(w, limit):\n    w.detach().clamp_(-limit, limit)\n    return w",
    ],
)  # fmt: skip


@clip.checker
def check_clip(clip):
    w = mt.tensor([0.5, 3.0, -4.0], requires_grad=True)
    waiting = (w * w).sum()
    call = "clip(w, 1.0), for w = [0.5, 3.0, -4.0],"
    got = clip(w, 1.0)
    cause = "return nothing: a new Tensor does not change the caller's `w`."
    expect(got is None or got is w, call, "nothing returned", describe(got), cause)
    unmoved = np.array([0.5, 3.0, -4.0], np.float32)
    want = np.array([0.5, 1.0, -1.0], np.float32)
    same(
        w.detach().numpy().copy(),
        want,
        f"w, after {call[:-1]}",
        causes=[
            (unmoved, "the caller's `w` still holds its old numbers."),
            (np.array([0.5, 1.0, -4.0]), "that limits from above only."),
            (np.array([0.5, 1.0, 0.0]), "negative ones are allowed, down to -limit."),
            (np.array([0.125, 0.75, -1.0]), "that is scaled: 0.5 was within the limits."),
        ],
    )
    cause = "it no longer asks for a gradient: training would leave it out."
    expect(w.requires_grad and w.is_leaf, "w, afterwards", "a leaf that asks", "not one", cause)

    def walk():
        waiting.backward()
        return w.grad  # a wrong one, for the message

    raises(
        walk,
        RuntimeError,
        f"w.grad, by a tape of (w * w).sum() that was recorded before {call[:-1]}",
        says="inplace",
        cause=unnoticed(clip),
    )


def unnoticed(clip):
    """Return why nobody noticed, as far as the function's code tells."""
    names = getattr(getattr(clip, "__code__", None), "co_names", ())
    if "numpy" in names or "from_numpy" in names:
        return "NumPy writes to the memory, and nobody counts that."
    if "data" in names and "detach" in names:
        return "`w` was given other memory; the tape still holds the old, and cannot tell."
    if "data" in names:
        return "`.data` has a counter of its own, so the tape's stays as it was."
    return "the change passed by the engine: do it by a method of the Tensor, off the tape."


mean_loss = Exercise(
    "mean_loss",
    title="A log that does not grow",
    task="""
        `losses` yields one loss after the other, each with a tape of its own. Return their mean.
        When you ask for the next loss, at most the latest tape may still be there. The result must
        not hang on a tape either.
        """,
    stub="""
        def mean_loss(losses):
            total, count = 0.0, 0
            for loss in losses:
                ...
            return total / count
        """,
    solution="""
        def mean_loss(losses):
            total, count = 0.0, 0
            for loss in losses:
                total += loss.item()
                count += 1
            return total / count
        """,
    hints=(
        "What does `total` hold after `total += loss`? Section 6 has counted it.",
        "You need the number in `loss`, not the Tensor. Which line of the truth table gives that?",
        "Add `loss.item()` to `total`, and 1 to `count`.",
    ),
    wrong=[
        Slip("total += loss.item()", "total += loss", says="hangs on a tape"),
        Wrong(
            """
            def mean_loss(losses):
                total, count = 0.0, 0
                for loss in losses:
                    total += loss
                    count += 1
                return total.item() / count
            """,
            says="held all their tapes until the end",
        ),
        Wrong(
            """
            def mean_loss(losses):
                kept = list(losses)
                return sum(loss.item() for loss in kept) / len(kept)
            """,
            says="keeps the losses themselves",
        ),
        Wrong(
            """
            def mean_loss(losses):
                kept = [loss.clone() for loss in losses]
                return sum(kept).detach() / len(kept)
            """,
            says="a `clone` stays on the tape",
        ),
        Slip("return total / count", "return total", says="the sum"),
        Slip("total += loss.item()", "total = loss.item()", says="the last"),
    ],
    also_right=[
        """
        def mean_loss(losses):
            total, count = mt.tensor(0.0), 0
            for loss in losses:
                total += loss.detach()
                count += 1
            return total / count
        """,
        """
        def mean_loss(losses):
            numbers = [loss.item() for loss in losses]
            return np.mean(numbers)
        """,
        """
        def mean_loss(losses):
            total, count = 0.0, 0
            with mt.no_grad():
                for loss in losses:
                    total, count = total + loss, count + 1
            return total / count
        """,
    ],
)  # fmt: skip


class Stream:
    """Losses 1, 2, 3 and so on, each with a tape; counts what is alive when the next is asked."""

    def __init__(self, count):
        self.count, self.leaves, self.losses = count, [], []
        self.most_tapes = self.most_losses = 0

    def __iter__(self):
        for number in range(1, self.count + 1):
            self.most_tapes = max(self.most_tapes, alive(self.leaves))
            self.most_losses = max(self.most_losses, alive(self.losses))
            yield self.fresh(number)  # no local name may keep it

    def fresh(self, number):
        with mt.enable_grad():  # the learner's loop may run under no_grad
            leaf = mt.tensor(float(number), requires_grad=True)
            loss = leaf * leaf / number
        self.leaves.append(weakref.ref(leaf))
        self.losses.append(weakref.ref(loss))
        return loss


def alive(references):
    return sum(reference() is not None for reference in references)


@mean_loss.checker
def check_mean_loss(mean_loss):
    stream = Stream(12)
    call = "mean_loss(twelve losses: 1.0, 2.0, ..., 12.0)"
    got = mean_loss(iter(stream))
    hanging = "adding a loss is one more step on the tape: take its number first."
    hangs = isinstance(got, mt.Tensor) and got.requires_grad
    expect(not hangs, call, "a number", "a Tensor that hangs on a tape", hanging)
    said = f"{stream.most_tapes} tapes alive when the next loss was asked for"
    if stream.most_losses > 2:
        fail(call, "at most 1 tape alive", said, "your code keeps the losses themselves in a list.")
    if stream.most_tapes > 2:
        cause = "the sum held all their tapes until the end."
        if not isinstance(got, float):
            cause = "each of the Tensors you kept holds its tape: a `clone` stays on the tape."
        fail(call, "at most 1 tape alive", said, cause)
    same(
        got,
        6.5,
        call,
        causes=[
            (78.0, "that is the sum: divide by the `count` of losses."),
            (1.0, "you kept only the last loss: each has to be added."),
        ],
        dtype=False,
    )


QUIZ = [
    Question(
        "Which of these makes a leaf that asks for a gradient?",
        [
            Choice(
                "`mt.randn(3, requires_grad=True) * 0.01`",
                "The leaf is inside; what you hold is the result of a product.",
            ),
            Choice(
                "`(mt.randn(3) * 0.01).requires_grad_()`",
                "Nothing was recorded before the last call, so no recorded step has made it.",
                right=True,
            ),
            Choice(
                "`mt.zeros(3, requires_grad=True).to(mt.float64)`",
                "The conversion is a step on the tape, and you hold its result.",
            ),
        ],
    ),
    Question(
        "`y = x * x`. You call `y.backward()` twice. What happens?",
        [
            Choice(
                "The second call writes the same `x.grad` again",
                "Gradients add, they do not replace. And here the second walk does not come so "
                "far.",
            ),
            Choice(
                "The second call fails, as it does for every calculation",
                "For `x + 1` it passes: that step had kept nothing, so nothing was missing.",
            ),
            Choice(
                "The second call fails: the walk has dropped what `*` had kept",
                "`retain_graph=True` in the first call would have kept it.",
                right=True,
            ),
        ],
    ),
    Question(
        "You want to score a model on test data, with as little memory as possible. How?",
        [
            Choice(
                "`model(x).detach()`",
                "By then everything has been recorded. It is cut off, not avoided.",
            ),
            Choice(
                "`with mt.no_grad(): model(x)`",
                "Nothing is recorded, so nothing is kept for a walk that never comes.",
                right=True,
            ),
            Choice(
                "`model(x).clone()`",
                "A copy more, and still on the tape.",
            ),
            Choice(
                "Set `x.requires_grad = False`",
                "The parameters ask for gradients, too, so the tape is recorded for them.",
            ),
        ],
    ),
    Question(
        "`y += 1` gave an error about an in-place operation. The web says: use `y.data`. Well?",
        [
            Choice(
                "Good advice: `.data` is the official way around the check",
                "It goes around the check. What the check was about, a changed value that the "
                "tape needs, remains.",
            ),
            Choice(
                "Good advice, since adding 1 changes no slope",
                "It changes the value that `exp` kept in order to give its slope: 3.718, not "
                "2.718.",
            ),
            Choice(
                "It would fail with the same error",
                "It does not: `.data` has a counter of its own. That is what makes it dangerous.",
            ),
            Choice(
                "Bad advice: the error goes, the gradient may be wrong. `y = y + 1` is safe",
                "A new Tensor leaves alone what the tape has kept.",
                right=True,
            ),
        ],
    ),
    Question(
        "Memory grows from batch to batch, though the model stays the same. Your first suspect?",
        [
            Choice(
                "A line such as `history.append(loss)`",
                "Each loss holds its whole tape. `history.append(loss.item())` does not.",
                right=True,
            ),
            Choice(
                "`backward` keeps its values until the program ends",
                "It drops them while it walks, unless you ask for `retain_graph=True`.",
            ),
            Choice(
                "Gradients that were not set to zero",
                "They add up in place: wrong numbers, but the same memory.",
            ),
        ],
    ),
]
