"""gradcheck and gradgradcheck: they accept what is right, and name what is wrong."""

import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd import Function, gradcheck, gradgradcheck
from minitensor.gradcheck import numeric_jacobian


def leaf(values):
    return mt.tensor(values, requires_grad=True, dtype=mt.float64)


def wrong(forward, backward):
    """An op with a backward of one's own choice: backward(x, g)."""

    class Op(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(ctx.saved_tensors[0], g)

    return Op.apply


ACCEPTED = {
    "one": (lambda x: x.exp(), [leaf([0.1, 0.2])]),
    "two, broadcast": (lambda x, y: x * y, [leaf([[1.0], [2.0]]), leaf([3.0, 4.0])]),
    "several outputs": (lambda x: (x.sin(), x.sum(), x * 2), [leaf([1.0, 2.0])]),
    "an output without gradient": (lambda x: (x * 2, x > 0), [leaf([1.0, 2.0])]),
    "an unused input": (lambda x, y: x * 2, [leaf([1.0]), leaf([2.0])]),
    "a constant beside it": (lambda x, n, t: x * n + t, [leaf([1.0]), 3, mt.ones(1)]),
    "0-d": (lambda x: x**3, [leaf(2.0)]),
    "empty": (lambda x: x * 2, [leaf([])]),
    "empty output": (lambda x: x[:0], [leaf([1.0])]),
    "the same twice": (lambda x, y: x * y, [leaf([2.0])] * 2),
    "in place": (lambda x: (x * 1).mul_(x).add_(1), [leaf([2.0, 3.0])]),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_right_gradients_pass(name):
    function, inputs = ACCEPTED[name]
    before = [t.tolist() for t in inputs if isinstance(t, mt.Tensor)]
    assert gradcheck(function, inputs) is True
    assert gradgradcheck(function, inputs) is True
    assert [t.tolist() for t in inputs if isinstance(t, mt.Tensor)] == before
    assert all(t.grad is None for t in inputs if isinstance(t, mt.Tensor))


WRONG = {
    "a factor": wrong(lambda x: x * x, lambda x, g: g * x),
    "a sign": wrong(lambda x: x.cos(), lambda x, g: g * x.sin()),
    "nothing": wrong(lambda x: x * 2, lambda x, g: None),
    "one element": wrong(lambda x: x * 2, lambda x, g: g * mt.tensor([2.0, 2.0, 2.01])),
    "summed": wrong(lambda x: x * 2, lambda x, g: (g * 2).sum().expand(3)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_are_found(name):
    x = leaf([0.5, 1.0, 2.0])
    assert gradcheck(WRONG[name], x, raise_exception=False) is False
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input"):
        gradcheck(WRONG[name], [x])


def test_it_says_which_output_and_which_input():
    bad = WRONG["a sign"]
    x, y = leaf([0.5]), leaf([0.7])
    with pytest.raises(RuntimeError, match="output 1 with respect to input 1") as caught:
        gradcheck(lambda a, b: (a * b, bad(b)), [x, y])
    assert "numerical" in str(caught.value) and "analytical" in str(caught.value)


def test_a_wrong_second_derivative_is_found():
    """The first is right, but by way of a value that the graph does not know."""
    hidden = wrong(lambda x: x**3, lambda x, g: g * 3 * x.detach() ** 2)
    x = leaf([1.0, 2.0])
    assert gradcheck(hidden, x)
    assert gradgradcheck(hidden, x, raise_exception=False) is False
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        gradgradcheck(hidden, x)


def test_tolerances_count():
    almost = wrong(lambda x: x * 1000, lambda x, g: g * 1001)
    x = leaf([1.0])
    assert gradcheck(almost, x, rtol=1e-2)
    assert not gradcheck(almost, x, rtol=1e-4, raise_exception=False)
    small = wrong(lambda x: x * 0, lambda x, g: g * 1e-3)
    assert gradcheck(small, x, atol=1e-2)
    assert not gradcheck(small, x, raise_exception=False)


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x, [mt.ones(1), 3])
    with pytest.raises(ValueError, match="contiguous inputs on the CPU"):
        gradcheck(lambda x: x * 2, leaf(np.ones((2, 3))).detach().T.requires_grad_())
    with pytest.raises(ValueError, match="contiguous inputs on the CPU"):
        gradcheck(lambda x: x * 2, leaf([1.0]).detach().to("standin").requires_grad_())


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda x: x * (1 / 0), leaf([1.0]), raise_exception=False)


def test_the_numeric_jacobian_by_hand():
    x = np.array([1.0, 2.0, 3.0])
    (got,) = numeric_jacobian(lambda: [np.array([x.sum(), (x * x).sum()])], x, 1e-6)
    np.testing.assert_allclose(got, [[1, 1, 1], [2, 4, 6]], atol=1e-6)
    assert x.tolist() == [1, 2, 3]
