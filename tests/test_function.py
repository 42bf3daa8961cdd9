"""Ops that a learner writes: Function, and the checks of their gradients."""

import gc
import weakref

import numpy as np
import pytest

import minitensor as mt
from minitensor import core
from minitensor.autograd import Function, grad, gradcheck, gradgradcheck

pytestmark = pytest.mark.usefixtures("default_device")


def leaf(values, dtype=None):
    # Differences are taken on the CPU: what is checked with float64 is made there.
    where = "cpu" if dtype is mt.float64 else None
    return mt.tensor(values, requires_grad=True, dtype=dtype, device=where)


class Exp(Function):
    """Saves its own output."""

    @staticmethod
    def forward(ctx, x):
        out = x.exp()
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return g * out


class ProductAndSum(Function):
    """Two inputs, two outputs."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y, x + y

    @staticmethod
    def backward(ctx, g_product, g_sum):
        x, y = ctx.saved_tensors
        return g_product * y + g_sum, g_product * x + g_sum


def test_forward_backward_and_name():
    x = leaf([0.0, 1.0])
    y = Exp.apply(x)
    assert y.grad_fn.name() == "ExpBackward"
    y.sum().backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), np.exp([0, 1]), rtol=1e-6)


def test_checks_accept_the_right_rules():
    x, y = leaf([0.3, -0.2], mt.float64), leaf([1.0, 2.0], mt.float64)
    assert gradcheck(Exp.apply, x) and gradgradcheck(Exp.apply, x)
    assert gradcheck(ProductAndSum.apply, (x, y)) and gradgradcheck(ProductAndSum.apply, (x, y))


def test_checks_reject_a_wrong_rule_and_want_something_to_check():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g  # forgot the factor 2x

    x = leaf([0.3, -0.2], mt.float64)
    with pytest.raises(
        RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"
    ):
        gradcheck(Wrong.apply, x)
    assert gradcheck(Wrong.apply, x, raise_exception=False) is False
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda t: t * 2, mt.ones(2))


def test_one_of_several_outputs_may_go_unused():
    x, y = leaf([2.0]), leaf([3.0])
    product, total = ProductAndSum.apply(x, y)
    total.sum().backward()
    assert x.grad.item() == 1
    product, total = ProductAndSum.apply(x, y)
    (product * 2 + total).sum().backward()
    assert x.grad.item() == 1 + 7


def test_an_output_that_is_not_differentiable():
    class Largest(Function):
        @staticmethod
        def forward(ctx, x):
            where = x.argmax()
            ctx.mark_non_differentiable(where)
            ctx.shape = x.shape
            ctx.where = where.item()
            return x.max(), where

        @staticmethod
        def backward(ctx, g, g_where):
            out = mt.zeros(ctx.shape)
            out[ctx.where] = g
            return out

    x = leaf([1.0, 5.0, 2.0])
    value, where = Largest.apply(x)
    assert value.requires_grad and not where.requires_grad
    value.backward()
    assert x.grad.tolist() == [0, 1, 0]


def test_what_is_refused():
    class TooFew(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match=r"incorrect number of gradients \(expected 2, got 1\)"):
        TooFew.apply(leaf([1.0]), leaf([1.0])).sum().backward()

    class WrongShape(Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return mt.ones(5)

    with pytest.raises(RuntimeError, match=r"got \[5\] but expected shape compatible with \[2\]"):
        WrongShape.apply(leaf([1.0, 2.0])).backward()
    with pytest.raises(NotImplementedError, match="forward"):
        Function.apply(leaf([1.0]))


def test_saved_tensors_are_watched_and_freed():
    x = leaf([1.0])
    out = Exp.apply(x)
    loss = out.sum()
    loss.backward(retain_graph=True)
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    y = Exp.apply(x)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_saved_output_makes_no_cycle():
    gc.disable()
    try:
        out = Exp.apply(leaf([1.0]))
        node = weakref.ref(out.grad_fn)
        del out
        assert node() is None
    finally:
        gc.enable()


def test_no_step_is_recorded_without_need():
    assert Exp.apply(mt.ones(1)).grad_fn is None
    with mt.no_grad():
        assert Exp.apply(leaf([1.0])).grad_fn is None
    assert grad(Exp.apply(leaf(0.0)), leaf(1.0), allow_unused=True) == (None,)


def test_gradients_given_twice_or_held_are_copied():
    """The learner's tensors stay the learner's: no `.grad` shares memory with one."""
    kept = mt.ones(2)

    class Sum(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            twice = g * 2
            return (twice, twice) if ctx.needs_input_grad[1] else (kept, None)

    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    Sum.apply(x, y).sum().backward()
    x.grad += 1
    assert x.grad.tolist() == [3, 3] and y.grad.tolist() == [2, 2]
    x.grad = None
    (Sum.apply(x, mt.ones(2)) + Sum.apply(x, mt.ones(2))).sum().backward()
    x.grad += 1
    assert x.grad.tolist() == [3, 3] and kept.tolist() == [1, 1]


class Parts(Function):
    """Takes and gives things that are no tensors, and an integer tensor."""

    @staticmethod
    def forward(ctx, x, factor, note):
        ctx.factor = factor
        return x * factor, note, None, x.argmax()

    @staticmethod
    def backward(ctx, g, *others):
        assert [o if o is None else o.tolist() for o in others] == [None, None, 0]
        return g * ctx.factor, None, None


def test_inputs_and_outputs_that_are_no_tensors():
    x = leaf([1.0, 2.0])
    y, note, nothing, where = Parts.apply(x, 3, "note")
    assert (note, nothing, where.requires_grad) == ("note", None, False)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda g: (g, g), r"incorrect number of gradients \(expected 1, got 2\)"),
        (lambda g: "no", r"expected Variable or None \(got str\)"),
    ],
)
def test_answers_that_are_refused(answer, words):
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return answer(g)

    with pytest.raises(RuntimeError, match=words):
        Bad.apply(leaf([1.0])).sum().backward()


def test_nones_beyond_the_inputs_are_let_pass():
    class Padded(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2, None

    x = leaf([1.0])
    Padded.apply(x).sum().backward()
    assert x.grad.tolist() == [2]


def test_outputs_have_hooks_changes_and_gradients_of_their_own():
    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h * 3

    x, seen = leaf([3.0]), []
    y, z = Both.apply(x)
    y.register_hook(lambda g: seen.append(g.tolist()))
    assert [g.tolist() for g in grad((y * z).sum(), [y, z, x])] == [[9], [6], [36]]
    y, z = Both.apply(x)
    y.mul_(4)
    (y * z).sum().backward()
    assert x.grad.tolist() == [144] and seen == [[9]]


def test_gradients_of_gradients_through_two_outputs():
    class Powers(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x, x * x * x

        @staticmethod
        def backward(ctx, g, h):
            (x,) = ctx.saved_tensors
            return g * 2 * x + h * 3 * x * x

    x = leaf([2.0])
    square, cube = Powers.apply(x)
    (first,) = grad((square * cube).sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    assert first.tolist() == [5 * 2**4] and second.tolist() == [20 * 2**3]


def test_backward_may_walk_a_graph_of_its_own():
    class Inner(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            with mt.enable_grad():
                inner = ctx.saved_tensors[0].detach().requires_grad_()
                (inner * inner).sum().backward()
            return g * inner.grad

    x = leaf([3.0])
    Inner.apply(x).sum().backward()
    assert x.grad.tolist() == [6]


def test_what_ctx_knows():
    seen = []

    class Curious(Function):
        @staticmethod
        def forward(ctx, x, y):
            assert not mt.is_grad_enabled()
            return x * y

        @staticmethod
        def backward(ctx, g):
            seen.append((ctx.needs_input_grad, g.requires_grad, mt.is_grad_enabled()))
            return g, None

    x = leaf([3.0])
    Curious.apply(x, mt.ones(1)).sum().backward()
    grad(Curious.apply(x, mt.ones(1)).sum(), x, create_graph=True)
    assert seen == [((True, False), False, False), ((True, False), False, True)]


# -- PyTorch's newer style, in-place forwards, and what an observer sees ---------------------------


class Scaled(Function):
    """The context is set up beside the forward."""

    @staticmethod
    def forward(x, factor=3):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.factor = inputs
        ctx.save_for_backward(x, output)

    @staticmethod
    def backward(ctx, g):
        x, out = ctx.saved_tensors
        assert out.tolist() == (x * ctx.factor).tolist()
        return g * ctx.factor, None


@pytest.mark.parametrize("options", [{}, {"factor": 5}])
def test_context_set_up_apart_with_defaults_and_keywords(options):
    x = leaf([1.0, 2.0])
    y = Scaled.apply(x, **options)
    y.sum().backward()
    factor = options.get("factor", 3)
    assert y.tolist() == [factor, 2 * factor] and x.grad.tolist() == [factor, factor]
    assert Scaled.apply(x=x, factor=2).tolist() == [2, 4]
    with pytest.raises(TypeError, match="unexpected keyword argument 'scale'"):
        Scaled.apply(x, scale=2)


class Doubled(Function):
    """Changes its input in place."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return g * 2 + out * 0


def test_a_forward_that_changes_its_input():
    x = leaf([1.0, 3.0])
    y = x * 1
    part = y[:1]
    z = Doubled.apply(y)
    assert z is y and z.grad_fn.name() == "DoubledBackward" and part.tolist() == [2]
    (slope,) = grad((z * z).sum(), x, create_graph=True)
    assert slope.tolist() == [8, 24]
    assert grad(slope.sum(), x)[0].tolist() == [8, 8]
    part = (x * 1)[1:]
    base = part._base
    Doubled.apply(part)
    assert grad(base.sum(), x)[0].tolist() == [1, 2]
    plain = mt.ones(2)
    assert Doubled.apply(plain) is plain and plain.tolist() == [2, 2]


def test_what_an_in_place_forward_may_not_do():
    class Forgets(Doubled):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

    x = leaf([1.0])
    with pytest.raises(RuntimeError, match="must all be outputs of the Function"):
        Forgets.apply(x * 1)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        Doubled.apply(x)

    class Marks(Function):
        @staticmethod
        def forward(ctx, x, how):
            getattr(ctx, how)(3)

    for how in ("mark_dirty", "mark_non_differentiable"):
        with pytest.raises(RuntimeError, match=f"{how} accepts only tensors, but argument 0"):
            Marks.apply(x, how)


def test_an_input_given_back_may_not_be_changed():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 3

    x = leaf([1.0])
    y = x * 1
    z = Same.apply(y)
    assert z is not y and z._base is y and grad(z.sum(), x)[0].tolist() == [3]
    with pytest.raises(RuntimeError, match="view was created"):
        z.add_(1)


def test_observers_are_told_of_each_output():
    seen = []

    class Watch:
        def on_op(self, op, inputs, attrs, out):
            if out.node is not None:
                seen.append((op.grad_name, len(inputs), out.tolist()))

    watch, x, y = Watch(), leaf([2.0]), leaf([3.0])
    core.OBSERVERS = (watch,)
    try:
        Exp.apply(x * 0)
        ProductAndSum.apply(x, y)
    finally:
        core.OBSERVERS = ()
    assert seen[1:] == [
        ("ExpBackward", 1, [1.0]), ("ProductAndSumBackward", 0, [6.0]),
        ("ProductAndSumBackward", 0, [5.0]),
    ]  # fmt: skip
