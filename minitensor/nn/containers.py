"""Modules that hold modules, and lists and dictionaries of parameters."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core import Tensor
from .module import Module, indented
from .parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Numbered(Module):
    """Parts named "0", "1", "2" and so on, with what Python's lists can do."""

    _table = "_modules"

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        if values is not None:
            self.extend(values)

    @property
    def _items(self) -> list[Any]:
        return list(self.__dict__[self._table].values())

    def _fill(self, items: Iterable[Any], names: Iterable[str] | None = None) -> None:
        """Begin anew with these parts."""
        self.__dict__[self._table].clear()
        for i, item in zip(names or map(str, itertools.count()), items, strict=False):
            self._enter(i, item)

    def _enter(self, name: str, item: Any) -> None:
        self.add_module(name, item)

    def _name(self, index: int) -> str:
        names = list(self.__dict__[self._table])
        if not -len(names) <= index < len(names):
            raise IndexError(f"index {index} is out of range")
        return names[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(self._items[index])
        return self.__dict__[self._table][self._name(index)]

    def __setitem__(self, index: int, item: Any) -> None:
        self._enter(self._name(index), item)

    def __delitem__(self, index: Any) -> None:
        left = self._items
        del left[index]
        self._fill(left)

    def append(self, item: Any) -> Any:
        """Add one at the end. Returns the container."""
        self._enter(str(len(self)), item)
        return self

    def extend(self, items: Iterable[Any]) -> Any:
        """Add several at the end. Returns the container. Raises TypeError for no sequence."""
        if not isinstance(items, Iterable) or isinstance(items, Tensor):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got "
                f"{type(items).__name__}"
            )
        for item in list(items):
            self.append(item)
        return self

    def insert(self, index: int, item: Any) -> Any:
        """Put one before the one at ``index``. Returns the container."""
        items = self._items
        items.insert(index, item)
        self._fill(items)
        return self

    def pop(self, key: Any = -1) -> Any:
        """Take one away and return it."""
        item = self[key]
        del self[key]
        return item

    def __add__(self, other: Iterable[Any]) -> Any:
        return type(self)([*self, *other])

    def __iadd__(self, other: Iterable[Any]) -> Any:
        return self.extend(other)


class Sequential(_Numbered):
    """Modules one after the other: ``Sequential(a, b)(x)`` is ``b(a(x))``.

    An OrderedDict gives them names.
    """

    def __init__(self, *args: Any):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            self._fill(args[0].values(), args[0].keys())
        else:
            self._fill(args)

    def forward(self, input: Any) -> Any:
        """Send the input through every module in turn."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return super().__getitem__(index)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other)} is given."
            )
        return type(self)(*self, *other)

    def insert(self, index: int, module: Any) -> Any:
        """Put one before the one at ``index``. Raises AssertionError for what is no module."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        return super().insert(index, module)


class ModuleList(_Numbered):
    """A list whose modules are parts of the model."""

    def __repr__(self) -> str:
        texts = [repr(module) for module in self]
        if not texts:
            return "ModuleList()"
        lines, start = [], 0
        for text, same in itertools.groupby(texts):
            n = len(list(same))
            name = f"({start})" if n == 1 else f"({start}-{start + n - 1}): {n} x"
            lines.append(indented(f"{name}{':' if n == 1 else ''} {text}"))
            start += n
        return "ModuleList(\n  " + "\n  ".join(lines) + "\n)"


class _Named(Module):
    """Parts with names, with what Python's dictionaries can do."""

    _table = "_modules"

    def __init__(self, items: Any = None):
        super().__init__()
        if items is not None:
            self.update(items)

    @property
    def _entries(self) -> dict[str, Any]:
        return self.__dict__[self._table]

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.add_module(key, value)

    def __delitem__(self, key: str) -> None:
        del self._entries[key]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def keys(self) -> Any:
        """The names."""
        return self._entries.keys()

    def values(self) -> Any:
        """The parts."""
        return self._entries.values()

    def items(self) -> Any:
        """Names and parts."""
        return self._entries.items()

    def clear(self) -> None:
        """Take all away."""
        self._entries.clear()

    def pop(self, key: str) -> Any:
        """Take one away and return it."""
        return self._entries.pop(key)

    def update(self, items: Any) -> None:
        """Add all of a mapping, or of (name, part) pairs. Raises TypeError for anything else."""
        if not isinstance(items, Iterable):
            raise TypeError(
                f"{type(self).__name__}.update should be called with an iterable of key/value "
                f"pairs, but got {type(items).__name__}"
            )
        pairs: Any = items.items() if isinstance(items, Mapping | _Named) else items
        for key, value in pairs:
            self[key] = value


class ModuleDict(_Named):
    """A dictionary whose modules are parts of the model."""


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if type(value) is Tensor else value


def _shown(entries: dict[str, Any], kind: Any) -> str:
    """A line for each parameter: its name, its type and its size."""
    lines = []
    for key, p in entries.items():
        where = f" ({p.device})" if p.is_cuda else ""
        size = "x".join(map(str, p.shape))
        lines.append(f"  ({key}): Parameter containing: [{kind(p)} of size {size}{where}]")
    return "\n".join(lines)


class ParameterList(_Numbered):
    """A list whose parameters belong to the model; tensors become parameters."""

    _table = "_parameters"

    def _enter(self, name: str, item: Any) -> None:
        self._register_entry(self._table, name, _as_parameter(item))

    def extra_repr(self) -> str:
        """The parameters, a line each."""
        return _shown(self._parameters, lambda p: p.dtype)


class ParameterDict(_Named):
    """A dictionary whose parameters belong to the model; tensors become parameters."""

    _table = "_parameters"

    def __setitem__(self, key: str, value: Any) -> None:
        self._register_entry(self._table, key, _as_parameter(value))

    def extra_repr(self) -> str:
        """The parameters, a line each."""
        return _shown(self._parameters, lambda p: p.type())
