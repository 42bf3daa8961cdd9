"""How PyTorch's functions may be called: NumPy's argument names, ``out=``, refusals in its words.

``public`` wraps a function for users. Results with names, as ``max(dim)`` gives them, are here too.
"""

from __future__ import annotations

import functools
import inspect
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import backend, core, inplace, printing
from .core import Op, Tensor, refusal
from .functions_names import ONE_STEP, call_results
from .ops import shape as sh

# NumPy's names for arguments, which PyTorch takes as well.
ALIASES = {
    "axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other",
    "size": "sizes",
}  # fmt: skip


def public(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with NumPy's argument names, ``out=``, and a TypeError that names what is wrong.

    ``out`` is written with the result and returned. Raises RuntimeError where a gradient would be
    lost by it.
    """
    stem = ONE_STEP.get(function.__name__)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            known, star = _parameters(function)
            given = kwargs
            kwargs = {k if k in known else ALIASES.get(k, k): v for k, v in given.items()}
            if len(kwargs) < len(given):
                names = ", ".join(given)
                raise TypeError(f"{function.__name__}() got one argument under two names: {names}")
            if star in kwargs:  # flip(input=x, dims=(0, 1))
                args = (*args, *[kwargs.pop(k) for k in ("input", star) if k in kwargs])
        out = kwargs.pop("out", None)
        try:
            result = function(*args, **kwargs)
        except Exception:
            check_kinds(function, args, kwargs)
            raise
        if stem is not None and (result.__class__ is not Tensor or result.node is not None):
            call_results(stem, result, (*args, *kwargs.values()))
        return result if out is None else write_out(function.__name__, result, out)

    return call


@functools.cache  # found when first asked for: for all functions at import it would take 4 ms
def _parameters(function: Callable[..., Any]) -> tuple[Any, str]:
    """The parameters of a function by name, and the name of the one like ``*dims``, if any."""
    known = inspect.signature(function).parameters
    (star,) = [p.name for p in known.values() if p.kind is p.VAR_POSITIONAL] or [""]
    return known, star


def wide_inside(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``function``, which computes with float16 in float32 and rounds at the end, as in PyTorch."""

    @functools.wraps(function)
    def call(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not isinstance(input, Tensor) or input.array.dtype != backend.FLOAT16:
            return function(input, *args, **kwargs)
        wide = sh.to(input, dtype=backend.FLOAT32, device=None)
        return sh.to(function(wide, *args, **kwargs), dtype=backend.FLOAT16, device=None)

    return call


Number = bool | int | float  # an argument that is a number
Value = Tensor | bool | int | float  # a tensor or a number
Dims = int | Sequence[int] | None

# What an annotation of ours asks of an argument. A tensor may stand for a number, as in PyTorch.
_INT = (int, np.integer, Tensor)
KINDS: dict[str, Any] = {
    "Tensor": Tensor, "Value": (*_INT, float, np.generic), "Number": (*_INT, float, np.generic),
    "int": _INT, "Dims": (*_INT, tuple, list), "bool": (bool, np.bool_), "str": str,
}  # fmt: skip
PLACES = ("shape", "sizes", "dims", "size")  # what *arguments are, where they are not tensors


def check_kinds(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> None:
    """Raise TypeError for an argument that is not what the function's annotations ask for.

    It is for a call that failed: the argument is named, and not what it led to.
    """
    parameters, star = _parameters(function)
    before = list(parameters)[: list(parameters).index(star)] if star else parameters
    for size in args[len(before) :] if star in PLACES else ():
        if not isinstance(size, (*_INT, tuple, list)):
            raise refusal(function.__name__, star, size, "tuple of ints")
    for name, value in {**dict(zip(before, args, strict=False)), **kwargs}.items():
        if name not in parameters:
            continue
        wanted, optional, _ = str(parameters[name].annotation).partition(" | None")
        if value is None and (optional or parameters[name].default is None):
            continue
        if wanted == "Sequence[Tensor]":
            listed(function.__name__, value)
        elif wanted in KINDS and not isinstance(value, KINDS[wanted]):
            raise refusal(function.__name__, name, value, wanted)


def listed(name: str, tensors: Any) -> list[Tensor]:
    """The tensors that a function got, one by one or in one list. TypeError for anything else."""
    if isinstance(tensors, tuple) and len(tensors) == 1 and isinstance(tensors[0], tuple | list):
        tensors = tensors[0]
    if not isinstance(tensors, tuple | list):
        raise refusal(name, "tensors", tensors, "tuple of Tensors")
    for x in tensors:
        if not isinstance(x, Tensor):
            raise refusal(name, "tensors", x, "tuple of Tensors")
    return list(tensors)


def write_out(name: str, result: Any, out: Any) -> Any:
    """Write a result, or each of several, into ``out``; return ``out``."""
    if isinstance(out, tuple | list) and isinstance(result, tuple):
        return type(result)(write_out(name, r, o) for r, o in zip(result, out, strict=True))
    if not isinstance(out, Tensor):
        raise refusal(name, "out", out)
    if core.GRAD and (result.needs_grad or out.needs_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if out.array.shape != result.array.shape:
        if out.array.size:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(out.array.shape)}, which does not match the required output shape "
                f"{list(result.array.shape)}.",
                stacklevel=4,
            )
        module = backend.MODULES[type(out.array)]
        out.array = module.empty(result.array.shape, out.array.dtype)
    return inplace.assign(out, result, name)


def with_out(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that makes a tensor, which may also write into ``out``."""

    @functools.wraps(make)
    def call(*args: Any, out: Tensor | None = None, **kwargs: Any) -> Tensor:
        made = make(*args, **kwargs)
        return made if out is None else write_out(make.__name__, made, out)

    return call


def same_dtype(name: str, first: Tensor, *others: Tensor) -> None:
    """Raise RuntimeError unless all have the dtype of ``first``."""
    for x in others:
        if x.array.dtype != first.array.dtype:
            wanted, got = (backend.DTYPES[t.array.dtype].name for t in (first, x))
            raise RuntimeError(f"{name}(): expected dtype {wanted} but got dtype {got}")


# -- primitives under PyTorch's argument names -----------------------------------------------------


def of_one(op: Op) -> Callable[..., Any]:
    """A primitive of one input as a function ``f(input, *, out=None)``."""
    lane = op.call

    def call(input: Tensor, *, out: Tensor | None = None) -> Any:
        if not isinstance(input, Tensor):
            raise refusal(op.name, "input", input)
        return lane(input) if out is None else write_out(op.name, lane(input), out)

    call.lane = lane  # type: ignore[attr-defined]
    return described(call, op)


def described(call: Callable[..., Any], op: Op) -> Callable[..., Any]:
    """``call`` under the op's name, its formula as docstring."""
    call.__name__ = call.__qualname__ = op.name
    call.__doc__ = f"Elementwise ${str(op.tex).format('input', 'other')}$."
    return call


def of_two(op: Op, numbers: bool = True) -> Callable[..., Any]:
    """A primitive of two inputs as ``f(input, other, *, out=None)``; may one be a number?"""
    lane = op.call

    def call(input: Any, other: Any, *, out: Tensor | None = None) -> Any:
        if not isinstance(other, Tensor) and not (numbers and isinstance(input, Tensor)):
            raise refusal(op.name, "other", other)
        if not isinstance(input, Tensor) and not numbers:
            raise refusal(op.name, "input", input)
        result = lane(input, other)
        return result if out is None else write_out(op.name, result, out)

    return described(call, op)


# -- results with names ----------------------------------------------------------------------------


class Named(tuple[Tensor, ...]):
    """Results that have names, such as ``.values`` and ``.indices``."""

    __slots__ = ()
    name = ""
    fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = ",\n".join(f"{f}={x!r}" for f, x in zip(self.fields, self, strict=True))
        return f"{printing.OPTIONS.package}.return_types.{self.name}(\n{parts})"


def named(name: str, fields: str = "values indices") -> type[Named]:
    """The type of a function's results, which have names."""
    listed = tuple(fields.split())
    members = {f: property(operator.itemgetter(i)) for i, f in enumerate(listed)}
    return type(name, (Named,), {"__slots__": (), "name": name, "fields": listed, **members})
