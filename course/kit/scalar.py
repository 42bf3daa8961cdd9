"""The scalar engine that chapter 02 builds: a number that remembers how it was made."""

import math


class Value:
    """A float, the operation that made it, and the slope along each arrow back to its parents.

    data: the number. grad: the slope of the last result at this value, filled in on the way back.
    parents: the Values that it was made of. op: the operation's name, "" for an input.
    slopes: one number for each parent: how far data moves for each unit that this parent moves.
    name: a label for pictures.
    """

    __slots__ = ("data", "grad", "name", "op", "parents", "slopes")

    def __init__(self, data, parents=(), op="", slopes=(), name=""):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.op = op
        self.slopes = slopes
        self.name = name

    def __repr__(self):
        return f"Value({self.data:.6g})"

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), "+", (1.0, 1.0))

    def __sub__(self, other):
        other = as_value(other)
        return Value(self.data - other.data, (self, other), "-", (1.0, -1.0))

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, (self, other), "*", (other.data, self.data))

    def square(self):
        return Value(self.data * self.data, (self,), "square", (2.0 * self.data,))

    def log(self):
        return Value(math.log(self.data), (self,), "log", (1.0 / self.data,))

    def tanh(self):
        out = math.tanh(self.data)
        return Value(out, (self,), "tanh", (1.0 - out * out,))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return as_value(other) - self


def dot(xs, ws):
    """Return the sum of x * w over two lists of Values, as one operation.

    It has an arrow to every x and every w, with the slopes of a product. In place of a Value for
    each product and each partial sum there is one: the way back has less to walk through.
    """
    x_data, w_data = [x.data for x in xs], [w.data for w in ws]
    total = sum((x * w for x, w in zip(x_data, w_data, strict=True)), 0.0)
    return Value(total, (*xs, *ws), "dot", (*w_data, *x_data))


def as_value(number):
    """Return a Value as it is; make a Value of a plain number."""
    return number if isinstance(number, Value) else Value(number)
