"""The kit's comparisons: what is accepted, and what a message says."""

import math

import numpy as np
import pytest
from kit.checks import (
    NotRightError,
    array,
    expect,
    is_tensor,
    raises,
    same,
    same_grad,
    show,
    slope,
    unchanged,
)


class FakeTensor:
    """As much of a Tensor as the checks may use."""

    def __init__(self, values, grad=None):
        self.values, self.grad = np.asarray(values), grad

    def detach(self):
        return self

    def numpy(self):
        return self.values

    def backward(self):
        raise NotImplementedError


ROW = np.array([1.0, 2.0, 3.0], np.float32)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (2, 2.0),
        (np.float32(2), 2.0),
        (np.array(2.0), 2),
        (FakeTensor(2.0), 2.0),
        (2.0 + 1e-9, 2.0),
        (math.nan, math.nan),
        (True, True),
        (np.bool_(True), True),
        ("NCHW", "NCHW"),
        (None, None),
        (ROW, ROW.copy()),
        (FakeTensor(ROW), ROW),
        (ROW, FakeTensor(ROW)),
        ([2, 3], (2, 3)),
        (np.array([2, 3]), (2, 3)),
        ((ROW, 1), (ROW, 1.0)),
        ({"a": 1, "b": ROW}, {"b": ROW, "a": 1.0}),
        (np.array(["a", "b"]), np.array(["a", "b"])),
    ],
)
def test_accepted(got, want):
    same(got, want, call="f()")


@pytest.mark.parametrize(
    ("got", "want", "words"),
    [
        (None, 2.0, "is there a `return`?"),
        (..., 2.0, "is still there"),
        (math.sin, 2.0, "brackets ()"),
        (True, 1, "type: wanted a number, got a bool"),
        (1, True, "type: wanted a bool, got an int"),
        ("2", 2, "type: wanted a number, got a str"),
        (2.5, 2.0, "values: wanted 2.0, got 2.5"),
        (np.ones(1), 1.0, "shape: wanted one number, got shape (1,)"),
        ([1.0, 2.0, 3.0], ROW, "type: wanted an array, got a list of 3"),
        (ROW.reshape(3, 1), ROW, "shape: wanted (3,), got (3, 1)"),
        (ROW.astype(np.float64), ROW, "dtype: wanted float32, got float64"),
        (ROW + np.array([0, 1, 1], np.float32), ROW, "at [1] wanted 2.0, got 3.0 (2 of 3"),
        (np.float64(2), np.float32(2), "dtype: wanted float32, got float64"),
        ((1, 2, 3), (1, 2), "length: wanted 2, got 3"),
        ((1, 3), (1, 2), "item 1: values: wanted 2, got 3"),
        (5, (1, 2), "type: wanted a tuple of 2, got an int"),
        ({"a": 1}, {"b": 1}, "keys: wanted ['b'], got ['a']"),
        ({"a": 1}, {"a": 2}, "at 'a': values: wanted 2, got 1"),
        ("NHWC", "NCHW", "values: wanted 'NCHW', got 'NHWC'"),
        (np.array(["a"]), 1.0, "wanted one number"),
        (np.array("a"), 1.0, "type: wanted a number"),
    ],
)
def test_rejected(got, want, words):
    with pytest.raises(NotRightError) as caught:
        same(got, want, call="f()")
    assert words in str(caught.value)
    assert "call: f()" in str(caught.value)


def test_a_known_mistake_is_named_and_a_hint_said_otherwise():
    causes = [(np.array([3, 2, 1.0]), "it is reversed"), ((1.0, 2.0, 3.0, 4.0), "one too many")]
    for got, cause in [(ROW[::-1], "it is reversed"), (ROW * 5, "look at x")]:
        with pytest.raises(NotRightError, match=f"likely cause: {cause}"):
            same(got, ROW, call="f()", causes=causes, hint="look at x")


def test_any_dtype_if_asked():
    same(ROW.astype(np.float64), ROW, call="f()", dtype=False)


def test_gradients():
    same_grad(FakeTensor(1.0, grad=FakeTensor(3.0)), 3.0, call="y.backward()")
    with pytest.raises(NotRightError, match=r"the \.grad after y\.backward\(\)"):
        same_grad(FakeTensor(1.0, grad=FakeTensor(4.0)), 3.0, call="y.backward()")
    with pytest.raises(NotRightError, match="no gradient reached it"):
        same_grad(FakeTensor(1.0), 3.0, call="y.backward()")
    with pytest.raises(NotRightError, match="expected: a Tensor; got: a list of 1"):
        is_tensor([1.0], call="f()")


def test_an_error_that_must_be_raised():
    raises(lambda: 1 / 0, ZeroDivisionError, call="1 / 0", says="zero")
    with pytest.raises(NotRightError, match="no error, but 3"):
        raises(lambda: 3, ValueError, call="three()")
    with pytest.raises(NotRightError, match="that says 'one'"):
        raises(lambda: 1 / 0, ZeroDivisionError, call="1 / 0", says="one")


def test_inputs_that_must_not_change():
    x = ROW.copy()
    with unchanged(x, call="f(x)"):
        x + 1
    with pytest.raises(NotRightError, match="its input left as it was"):
        with unchanged(x, call="f(x)"):
            x += 1


def test_expect_slope_and_array():
    expect(True, "f()", 1, 2)
    with pytest.raises(NotRightError, match=r"expected: 1; got: 2; likely cause: why"):
        expect(False, "f()", 1, 2, "why")
    assert slope(lambda x: x**3, 2.0) == pytest.approx(12.0)
    assert array(FakeTensor(ROW)) is ROW
    with pytest.raises(NotRightError, match="an array or a Tensor; got: a str"):
        array("text")


def test_what_is_shown_has_no_address_and_an_end():
    assert show(object()) == "an object"
    assert show(lambda: 0) == "a function"
    assert show([object()]) == "[an object]"
    assert len(show(list(range(1000)))) <= 240
    assert show(ROW) == "[1., 2., 3.] (shape (3,), float32)"
    assert show(np.float32(0.1)) == "0.1"
    assert (show(math.inf), show((1,)), show(...)) == ("inf", "(1,)", "`...`")
