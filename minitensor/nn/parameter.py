"""``Parameter``: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

from .. import backend, core, creation
from ..core import Tensor

__all__ = ["Parameter", "UninitializedParameter"]


class Parameter(Tensor):
    """A leaf tensor that registers itself when it is assigned to an attribute of a ``Module``.

    It shares memory with ``data`` (an empty tensor by default) and requires a gradient unless told
    otherwise. What is computed from it is a plain Tensor. Raises AttributeError if ``data`` is no
    tensor, RuntimeError if integers are to require a gradient.
    """

    __slots__ = ()

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        """A parameter around the memory of ``data``."""
        p = super().__new__(cls)
        p.array = creation.empty(0).array if data is None else data.detach().array
        p.node = p.view_of = None
        p.needs_grad = False
        if requires_grad:
            if p.array.dtype.kind != "f":
                raise RuntimeError("Only Tensors of floating point dtype can require gradients")
            p.needs_grad = True
        return p

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(core.wrap(self.array.copy()), self.needs_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (core.wrap(self.array), self.needs_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class UninitializedParameter(Parameter):
    """A parameter whose shape is not known yet: a lazy module finds it in its first input."""

    __slots__ = ()

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """A parameter of no shape yet; ``device`` and ``dtype`` are those it will have."""
        return super().__new__(cls, creation.empty(0, device=device, dtype=dtype), requires_grad)

    def materialize(self, shape: Any) -> None:
        """Take on ``shape``; the values are arbitrary. From now on it is a plain Parameter."""
        where = backend.device_of(self.array)
        self.array = creation.empty(tuple(shape), device=where, dtype=self.array.dtype).array
        self.__class__ = Parameter  # type: ignore[assignment]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            where = backend.device_of(self.array)
            memo[id(self)] = type(self)(self.needs_grad, where, self.array.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.needs_grad, backend.device_of(self.array), self.array.dtype)

    def __repr__(self) -> str:
        return "<UninitializedParameter>"
