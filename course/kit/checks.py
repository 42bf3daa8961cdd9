"""What a check of an exercise calls: compare, and say what differs and the likely cause.

Order: attempted, type, shape, dtype, values. Arrays may be NumPy's, or Tensors of any library:
whatever has `.detach()` and `.numpy()`.
"""

from contextlib import contextmanager
from numbers import Number

import numpy as np

LONGEST = 240  # characters of a value shown in a message


class NotRightError(Exception):
    """An answer is not right. lines: (label, text) for call, expected, got, likely cause."""

    def __init__(self, **lines):
        self.lines = [(label.replace("_", " "), text) for label, text in lines.items() if text]
        super().__init__("; ".join(f"{label}: {text}" for label, text in self.lines))


def fail(call, expected, got, cause=""):
    """Say that `call` was expected to give one thing (text or a value) and gave another."""
    words = [x if isinstance(x, str) else show(x) for x in (expected, got)]
    raise NotRightError(call=call, expected=words[0], got=words[1], likely_cause=cause)


def expect(condition, call, expected, got, cause=""):
    """Fail with these words unless the condition holds."""
    if not condition:
        fail(call, expected, got, cause)


def same(got, want, call, *, causes=(), hint="", rtol=1e-5, atol=1e-8, dtype=True):
    """Check that `got` equals `want`.

    want: a number, text, bool, None, an array, or a tuple, list or dict of these.
    causes: pairs (value that a known mistake gives, what to say). hint: said when none matches.
    dtype: False accepts any dtype. Raises NotRightError.
    """
    differs = difference(got, want, rtol, atol, dtype)
    if not differs:
        return
    known = (say for value, say in causes if not difference(got, value, rtol, atol, False))
    cause = next(known, "") or obvious(got) or hint
    raise NotRightError(
        call=call, expected=show(want), got=show(got), differs=differs, likely_cause=cause
    )


def is_tensor(got, call):
    """Check that `got` is a Tensor, whatever library's: it has .detach() and .backward()."""
    if not all(hasattr(got, name) for name in ("detach", "backward")):
        raise NotRightError(
            call=call, expected="a Tensor", got=describe(got), likely_cause=obvious(got)
        )


def same_grad(t, want, call, *, causes=(), hint="", rtol=1e-5, atol=1e-8):
    """Check that t.grad is there and equals `want`."""
    is_tensor(t, call)
    if t.grad is None:
        cause = hint or "no gradient reached it: is it a leaf that requires grad, on the path back?"
        fail(f"the .grad after {call}", show(want), "None", cause)
    same(
        t.grad, want, f"the .grad after {call}", causes=causes, hint=hint, rtol=rtol, atol=atol,
        dtype=False,
    )  # fmt: skip


def raises(function, error, call, says="", cause=""):
    """Check that function() raises `error` and that its message holds `says`."""
    wanted = error.__name__ + (f" that says {says!r}" if says else "")
    try:
        result = function()
    except error as caught:
        if says not in str(caught):
            fail(call, wanted, f"{type(caught).__name__}: {caught}", cause)
        return
    fail(call, wanted, f"no error, but {show(result)}", cause)


@contextmanager
def unchanged(*arrays, call, cause=""):
    """Check that the with-block changes none of these arrays or Tensors."""
    before = [array(x).copy() for x in arrays]
    yield
    for old, now in zip(before, arrays, strict=True):
        if difference(array(now), old, 0.0, 0.0, True):
            fail(call, f"its input left as it was, {show(old)}", show(now), cause)


def slope(f, x, h=1e-6):
    """Central difference of f, a function of one float, at x."""
    return (float(f(x + h)) - float(f(x - h))) / (2 * h)


def array(value):
    """Return an array, Tensor or number as a NumPy array. NotRightError for anything else."""
    if is_array(value) or isinstance(value, Number):
        return plain(value)
    raise NotRightError(
        expected="an array or a Tensor", got=describe(value), likely_cause=obvious(value)
    )


# How two values differ, in words. Each returns "" when they do not.


def difference(got, want, rtol, atol, dtype):
    want = plain(want) if is_array(want) else want
    if isinstance(want, np.ndarray) and want.ndim > 0:
        return array_difference(got, want, rtol, atol, dtype)
    if isinstance(want, (tuple, list)):
        return sequence_difference(got, want, rtol, atol, dtype)
    if isinstance(want, dict):
        return dict_difference(got, want, rtol, atol, dtype)
    if isinstance(want, (Number, np.ndarray)) and not isinstance(want, (bool, np.bool_)):
        return number_difference(got, want, rtol, atol, dtype)
    return plain_difference(got, want)


def array_difference(got, want, rtol, atol, dtype):
    if not is_array(got):
        return f"type: wanted an array, got {describe(got)}"
    got = plain(got)
    if got.shape != want.shape:
        return f"shape: wanted {want.shape}, got {got.shape}"
    if dtype and got.dtype != want.dtype:
        return f"dtype: wanted {want.dtype}, got {got.dtype}"
    if got.dtype.kind not in "biufc" or want.dtype.kind not in "biufc":
        close = got == want
    else:
        close = np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    if np.all(close):
        return ""
    first = tuple(int(i) for i in np.argwhere(~close)[0])
    where = f"values: at [{', '.join(map(str, first))}] wanted {show(want[first])}"
    return f"{where}, got {show(got[first])} ({np.sum(~close)} of {want.size} differ)"


def sequence_difference(got, want, rtol, atol, dtype):
    if is_array(got) and plain(got).ndim > 0:
        got = list(plain(got))
    if not isinstance(got, (tuple, list)):
        return f"type: wanted a {type(want).__name__} of {len(want)}, got {describe(got)}"
    if len(got) != len(want):
        return f"length: wanted {len(want)}, got {len(got)}"
    for i, (one, other) in enumerate(zip(got, want, strict=True)):
        differs = difference(one, other, rtol, atol, dtype)
        if differs:
            return f"item {i}: {differs}"
    return ""


def dict_difference(got, want, rtol, atol, dtype):
    if not isinstance(got, dict):
        return f"type: wanted a dict, got {describe(got)}"
    if set(got) != set(want):
        return f"keys: wanted {sorted(map(str, want))}, got {sorted(map(str, got))}"
    for key, value in want.items():
        differs = difference(got[key], value, rtol, atol, dtype)
        if differs:
            return f"at {key!r}: {differs}"
    return ""


def number_difference(got, want, rtol, atol, dtype):
    typed = dtype and isinstance(want, (np.ndarray, np.generic))
    wanted_dtype = np.asarray(want).dtype
    is_number = isinstance(got, Number) and not isinstance(got, (bool, np.bool_))
    if is_array(got):
        if plain(got).shape != ():
            return f"shape: wanted one number, got shape {plain(got).shape}"
    elif not is_number:
        return f"type: wanted a number, got {describe(got)}"
    got = np.asarray(plain(got))
    if got.dtype.kind not in "iufc":
        return f"type: wanted a number, got {describe(got)}"
    if typed and got.dtype != wanted_dtype:
        return f"dtype: wanted {wanted_dtype}, got {got.dtype}"
    if np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True):
        return ""
    return f"values: wanted {show(want)}, got {show(got)}"


def plain_difference(got, want):
    if is_array(got) and plain(got).shape == ():
        got = plain(got).item()
    got = got.item() if isinstance(got, np.generic) else got
    want = want.item() if isinstance(want, np.generic) else want
    if type(got) is not type(want):
        return f"type: wanted {describe(want)}, got {describe(got)}"
    return "" if got == want else f"values: wanted {show(want)}, got {show(got)}"


# Values as arrays and as words.


def is_array(value):
    return isinstance(value, np.ndarray) or (hasattr(value, "detach") and hasattr(value, "numpy"))


def plain(value):
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        value = value.detach()
        value = value.cpu() if hasattr(value, "cpu") else value
        return np.asarray(value.numpy())
    return np.asarray(value)


def obvious(got):
    """Return the likely cause that the value alone gives away, or ""."""
    if got is None:
        return "nothing came back: is there a `return`?"
    if holds_dots(got):
        return "a `...` is still there: put your own code in its place."
    if callable(got) and not is_array(got):
        return "that is a function, not its result: is a pair of brackets () missing?"
    return ""


def holds_dots(value):
    return value is ... or (isinstance(value, (tuple, list)) and any(x is ... for x in value))


def describe(value):
    """Return the kind of a value in words: "a list of 3", "None", "a float"."""
    if value is None or value is ...:
        return "None" if value is None else "`...`"
    if is_array(value):
        return f"an array of shape {plain(value).shape}"
    if isinstance(value, (tuple, list, dict)):
        return f"a {type(value).__name__} of {len(value)}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def show(value):
    """Return a value as short text, the same on every machine."""
    text = show_whole(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."


def show_whole(value):
    if is_array(value):
        value = plain(value)
    if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0:
        value = value.item()
    if isinstance(value, np.ndarray):
        numbers = np.array2string(value, precision=6, separator=", ", threshold=40)
        return f"{' '.join(numbers.split())} (shape {value.shape}, {value.dtype})"
    if isinstance(value, float):
        return format(value, ".7g") if value != int_or_none(value) else f"{value:.1f}"
    if isinstance(value, (tuple, list)):
        inner = ", ".join(show_whole(x) for x in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, (bool, int, complex, str, dict, set)) or value is None:
        return repr(value)
    return "`...`" if value is ... else describe(value)  # a repr may hold an address


def int_or_none(value):
    return int(value) if abs(value) < 1e15 else None
