"""Methods that are no functions: new tensors like this one, ``type``, shapes changed in place.

``FloatTensor`` and its family are here too, PyTorch's older names for dtypes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import backend, creation, functions, functions_shape, inplace, printing
from .core import Tensor

LEGACY = {
    "float16": "HalfTensor", "float32": "FloatTensor", "float64": "DoubleTensor",
    "uint8": "ByteTensor", "int8": "CharTensor", "int16": "ShortTensor", "int32": "IntTensor",
    "int64": "LongTensor", "bool": "BoolTensor",
}  # fmt: skip


def type(t: Tensor, dtype: Any = None) -> Any:
    """The older name of its dtype, such as "minitensor.FloatTensor"; or ``t`` cast to ``dtype``.

    ``dtype`` may be such a name. Raises TypeError for an unknown one.
    """
    if dtype is None:
        return f"{printing.OPTIONS.package}.{LEGACY[backend.DTYPES[t.array.dtype].name]}"
    if isinstance(dtype, str):
        names = {old: new for new, old in LEGACY.items()}
        dtype = names.get(dtype.rpartition(".")[2], dtype)
    return functions.cast(t, dtype)


def _new(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A creation function as a method: dtype and device are this tensor's, unless given."""

    def method(t: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        kwargs.setdefault("dtype", t.array.dtype)
        kwargs.setdefault("device", backend.device_of(t.array))
        return make(*args, **kwargs)

    method.__name__ = f"new_{make.__name__}"
    method.__doc__ = f"``{make.__name__}`` with the dtype and device of this tensor."
    return method


def _reshaping(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A change of shape that this tensor itself undergoes; its memory stays.

    Raises RuntimeError for a tensor of which there are views: they would lose their way back.
    """

    def method(t: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        inplace.check_writable(t)
        if any(ref() is not None for ref in t._views):
            raise RuntimeError(f"{method.__name__}(): not on a tensor that has views; copy it")
        new = function(t, *args, **kwargs)
        t.array, t.node, t.needs_grad = new.array, new.node, new.needs_grad
        t.view_of = new.view_of if t.view_of else None
        return t

    method.__name__ = f"{function.__name__}_"
    method.__doc__ = f"``{function.__name__}`` of this tensor itself. Returns it."
    return method


def _legacy(name: str) -> Callable[..., Tensor]:
    """``FloatTensor(2, 3)``, of arbitrary values, or ``FloatTensor([1, 2])``."""

    def make(*data: Any) -> Tensor:
        if data and all(isinstance(n, int) for n in data):
            return creation.empty(*data, dtype=name)
        return creation.tensor(*data or ([],), dtype=name)

    make.__name__ = LEGACY[name]
    make.__doc__ = f"A tensor of {name}: of these sizes, its values arbitrary, or of these values."
    return make


METHODS: dict[str, Callable[..., Any]] = {
    "type": type, "repeat": functions_shape.repeat,
    **{f"new_{make.__name__}": _new(make) for make in
       (creation.zeros, creation.ones, creation.empty, creation.full, creation.tensor)},
    **{f"{function.__name__}_": _reshaping(function) for function in
       (functions.t, functions.squeeze, functions.unsqueeze, functions.transpose)},
}  # fmt: skip
LEGACY_FUNCTIONS = {old: _legacy(new) for new, old in LEGACY.items()}
