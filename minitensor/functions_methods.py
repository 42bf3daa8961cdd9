"""Methods that are no functions: new tensors like this one, ``type``, shapes changed in place.

``FloatTensor`` and its family are here too, PyTorch's older names for dtypes; and how a tensor
leaves: by DLPack to other libraries, by ``pickle`` and ``copy``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from . import backend, creation, functions, functions_shape, inplace, printing
from .core import Tensor, settled, wrap

LEGACY = {
    "float16": "HalfTensor", "float32": "FloatTensor", "float64": "DoubleTensor",
    "uint8": "ByteTensor", "int8": "CharTensor", "int16": "ShortTensor", "int32": "IntTensor",
    "int64": "LongTensor", "bool": "BoolTensor",
}  # fmt: skip


def type(t: Tensor, dtype: Any = None) -> Any:
    """The older name of its dtype, such as "minitensor.FloatTensor"; or ``t`` cast to ``dtype``.

    ``dtype`` may be such a name. Raises ValueError for an unknown one.
    """
    if dtype is None:
        return f"{printing.OPTIONS.package}.{LEGACY[backend.DTYPES[t.array.dtype].name]}"
    if isinstance(dtype, str):
        names = {old: new for new, old in LEGACY.items()}
        if dtype.rpartition(".")[2] not in names:
            raise ValueError(f"invalid type: {dtype!r}")
        dtype = names[dtype.rpartition(".")[2]]
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


# -- facts -----------------------------------------------------------------------------------------


def numel(input: Tensor) -> int:
    """The number of elements."""
    return int(input.array.size)


def element_size(t: Tensor) -> int:
    """Bytes an element."""
    return int(t.array.itemsize)


def is_contiguous(t: Tensor) -> bool:
    """Whether the elements lie in memory in order, without gaps."""
    return bool(settled(t).flags.c_contiguous)


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floats."""
    return bool(input.array.dtype.kind == "f")


def stride(t: Tensor, dim: int | None = None) -> Any:
    """How many elements lie between neighbours, along each dimension or along ``dim``."""
    steps = tuple(s // t.array.itemsize for s in settled(t).strides)
    return steps if dim is None else steps[functions.one_dim(dim, t.array.ndim)]


def dim(t: Tensor) -> int:
    """The number of dimensions."""
    return int(t.array.ndim)


def storage_offset(t: Tensor) -> int:
    """How many elements lie before the first, in the memory that this tensor is a part of."""
    return (data_ptr(t) - data_ptr(wrap(backend.owner(settled(t))))) // t.array.itemsize


def data_ptr(t: Tensor) -> int:
    """The address of the first element."""
    array = settled(t)
    return int(array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr)


# -- dtypes, other libraries, copies ---------------------------------------------------------------


def promote_types(type1: Any, type2: Any) -> backend.dtype:
    """The dtype in which tensors of these two dtypes are combined."""
    a, b = (backend.as_dtype(d).numpy for d in (type1, type2))
    return backend.DTYPES[backend.promote_dtypes(a, b)]


def result_type(tensor1: Any, tensor2: Any) -> backend.dtype:
    """The dtype in which two tensors or numbers are combined; numbers count less than tensors."""
    values = [x.array if isinstance(x, Tensor) else x for x in (tensor1, tensor2)]
    return backend.DTYPES[backend.result_dtype(values)]


def _to_dlpack(t: Tensor, **options: Any) -> Any:
    """The memory of ``t`` for another library. Raises BufferError if it requires a gradient."""
    if t.needs_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return backend.writable(settled(t).view()).__dlpack__(**options)


def _rebuilt(array: Any, requires_grad: bool) -> Tensor:
    """What ``pickle`` and ``copy`` make a tensor of again."""
    t = creation.as_tensor(array) if isinstance(array, np.ndarray) else wrap(array)
    t.needs_grad = requires_grad
    return t


def _deepcopy(t: Tensor, memo: dict[int, Any]) -> Tensor:
    if t.node is not None:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment: detach() or clone this one instead."
        )
    if id(t) not in memo:
        twin = memo[id(t)] = _rebuilt(t.array.copy(), t.needs_grad)
        twin._grad = copy.deepcopy(t._grad, memo)
    return memo[id(t)]


def where(t: Tensor, condition: Tensor, other: Any) -> Any:
    """This tensor's values where ``condition`` holds, else those of ``other``."""
    return functions.where(condition, t, other)


METHODS: dict[str, Callable[..., Any]] = {
    "__dlpack__": _to_dlpack, "__dlpack_device__": lambda t: t.array.__dlpack_device__(),
    "__deepcopy__": _deepcopy, "numel": numel, "nelement": numel, "element_size": element_size,
    "is_contiguous": is_contiguous, "is_floating_point": is_floating_point, "data_ptr": data_ptr,
    "__reduce_ex__": lambda t, protocol: (_rebuilt, (t.array, t.needs_grad)),
    "stride": stride, "dim": dim, "storage_offset": storage_offset,
    "where": where, "type": type, "repeat": functions_shape.repeat,
    **{f"new_{make.__name__}": _new(make) for make in
       (creation.zeros, creation.ones, creation.empty, creation.full, creation.tensor)},
    **{f"{function.__name__}_": _reshaping(function) for function in
       (functions.t, functions.squeeze, functions.unsqueeze, functions.transpose)},
}  # fmt: skip
LEGACY_FUNCTIONS = {old: _legacy(new) for new, old in LEGACY.items()}
