"""Which functions there are: as functions of the package, as methods of Tensor, or as both.

Every name is PyTorch's. A function goes through ``functions_forms`` on its way to users.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import (
    backend,
    core,
    functions,
    functions_index,
    functions_linalg,
    functions_math,
    functions_methods,
    functions_shape,
)
from . import functions_forms as forms

UNARY = (
    "neg reciprocal square abs sign floor ceil trunc exp exp2 expm1 log log2 log10 log1p sqrt "
    "rsqrt sin cos tan asin acos atan sinh cosh tanh erf relu sigmoid isnan isinf isfinite "
    "logical_not bitwise_not clone"
).split()
BINARY = (
    "mul floor_divide remainder maximum minimum atan2 hypot logaddexp eq ne lt le gt ge "
    "logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor"
).split()
FUNCTIONS = (
    "add sub div pow clamp round where sum mean var std amax amin max min argmax argmin all any "
    "logsumexp softmax log_softmax cumsum equal reshape view flatten permute transpose t "
    "unsqueeze squeeze expand narrow matmul mm bmm"
).split()
# Those that also come as x.name_(), which writes the result into x.
IN_PLACE = (
    "abs absolute acos add addcdiv addcmul addmm arccos arcsin arctan arctan2 asin atan atan2 "
    "baddbmm bitwise_and bitwise_not bitwise_or bitwise_xor ceil clamp clamp_max clamp_min clip "
    "cos cosh cumprod cumsum div divide eq erf exp exp2 expm1 fix floor floor_divide ge greater "
    "greater_equal gt hypot index_add le lerp less less_equal log log10 log1p log2 logical_and "
    "logical_not logical_or logical_xor lt masked_fill mul multiply ne neg negative not_equal pow "
    "reciprocal relu remainder round rsqrt scatter scatter_add sigmoid sign sin sinh sqrt square "
    "sub subtract tan tanh tril triu true_divide trunc"
).split()
FAMILIES: tuple[Any, ...] = (functions_shape, functions_index, functions_math, functions_linalg)
ONLY_METHODS = "view expand view_as reshape_as expand_as".split()
TUPLES = "broadcast_to flip permute reshape tile".split()
TENSORS_ONLY = "maximum minimum atan2 hypot logaddexp logical_and logical_or logical_xor".split()
ALIASES = {
    "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "absolute": "abs",
    "negative": "neg", "clip": "clamp", "greater": "gt", "greater_equal": "ge", "less": "lt",
    "less_equal": "le", "not_equal": "ne", "swapaxes": "transpose", "swapdims": "transpose",
    "moveaxis": "movedim", "ger": "outer", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arctan2": "atan2", "fix": "trunc",
}  # fmt: skip


@functools.cache  # for Tensor's methods and for the package's functions: wrapped once
def public_methods() -> dict[str, Callable[..., Any]]:
    """The functions that are both ``minitensor.f(x)`` and ``x.f()``, by name."""
    found = {name: forms.of_one(core.OPS[name]) for name in UNARY}
    found["square"] = _of_bools(found["square"], backend.INT64)
    found["sign"] = _of_bools(found["sign"], backend.BOOL)
    for name in BINARY:
        found[name] = forms.of_two(core.OPS[name], name not in TENSORS_ONLY)
    plain = {name: getattr(functions, name) for name in FUNCTIONS}
    for family in FAMILIES:
        plain.update({name: getattr(family, name) for name in family.METHODS})
    found.update({name: forms.public(function) for name, function in plain.items()})
    found.update({name: found[known] for name, known in ALIASES.items()})
    return found


def _of_bools(call: Callable[..., Any], result: Any) -> Callable[..., Any]:
    """A function that NumPy does not have for bools: computed in int64, answered in ``result``."""

    @functools.wraps(call)
    def work(input: core.Tensor, *, out: core.Tensor | None = None) -> Any:
        if isinstance(input, core.Tensor) and input.array.dtype is backend.BOOL:
            return functions.cast(call(functions.cast(input, backend.INT64), out=out), result)
        return call(input, out=out)

    return work


def _with_tuple(call: Callable[..., Any]) -> Callable[..., Any]:
    """As a function, ``flip(x, (0, 1))`` and not ``flip(x, 0, 1)``; as a method, both."""

    @functools.wraps(call)
    def function(input: Any, *sizes: Any, **options: Any) -> Any:
        if sizes and isinstance(input, core.Tensor) and not isinstance(sizes[0], tuple | list):
            raise core.refusal(call.__name__, "dims", sizes[0], "tuple of ints")
        return call(input, *sizes, **options)

    return function


def public_functions() -> dict[str, Callable[..., Any]]:
    """The functions of the package, by name."""
    found = {name: getattr(functions, name) for name in ("cat", "stack")}
    for family in FAMILIES:
        found.update({name: getattr(family, name) for name in family.ONLY_FUNCTIONS})
    found.update(concat=functions.cat, concatenate=functions.cat)
    found = {name: forms.public(function) for name, function in found.items()}
    both = {n: f for n, f in public_methods().items() if n not in ONLY_METHODS}
    both.update({name: _with_tuple(both[name]) for name in TUPLES})
    return {**both, **found, **functions_methods.LEGACY_FUNCTIONS}
