"""``Module``: a piece of a model that knows its parameters, buffers and parts.

What is assigned to an attribute is kept where it belongs: a ``Parameter`` in ``_parameters``, a
``Module`` in ``_modules``; buffers, which are tensors that are saved but not trained, are
registered by name. Everything else here walks over these three tables.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from .. import autograd, backend
from ..core import Tensor
from . import hooks, state
from .parameter import Parameter


def typename(value: Any) -> str:
    """The type of a value, as error messages name it."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def indented(text: str) -> str:
    """A text whose lines after the first are indented by two spaces."""
    return text.replace("\n", "\n  ")


class Module:
    """Base of all modules: call ``super().__init__()``, assign the parts, write ``forward``."""

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _module_hooks: tuple[hooks.Hook, ...] = ()

    def __init__(self) -> None:
        tables: Any = {"_parameters": {}, "_buffers": {}, "_modules": {}}
        self.__dict__.update(tables, training=True, _non_persistent_buffers_set=set())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output. To be written by the subclass."""
        name = type(self).__name__
        raise NotImplementedError(f'Module [{name}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` between the hooks."""
        if self._module_hooks:
            return hooks.call(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # -- attributes ----------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        for table, (kind, word) in KINDS.items():
            entries = self.__dict__.get(table)
            claimed = isinstance(value, kind) and kind is not Tensor
            if claimed and entries is None:
                raise AttributeError(f"cannot assign {word}s before Module.__init__() call")
            if claimed or (entries and name in entries):
                if value is not None and not isinstance(value, kind):
                    raise TypeError(
                        f"cannot assign '{typename(value)}' as {word} '{name}' "
                        f"(nn.{kind.__name__} or None expected)"
                    )
                self._put_entry(table, name, value)
                return
        object.__setattr__(self, name, value)

    def _put_entry(self, table: str, name: str, value: Any) -> None:
        """Enter ``value`` into one table; no other attribute of that name stays."""
        for other in KINDS:
            if other != table:
                self.__dict__[other].pop(name, None)
        self.__dict__.pop(name, None)
        self.__dict__[table][name] = value

    def __getattr__(self, name: str) -> Any:
        for table in KINDS:
            entries = self.__dict__.get(table)
            if entries and name in entries:
                return entries[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for table in KINDS:
            if name in self.__dict__[table]:
                del self.__dict__[table][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _register_entry(self, table: str, name: str, value: Any) -> None:
        kind, word = KINDS[table]
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {word} before Module.__init__() call")
        if value is not None and not isinstance(value, kind):
            raise TypeError(
                f"cannot assign '{typename(value)}' object to {word} '{name}' "
                f"(nn.{kind.__name__} or None required)"
            )
        if not isinstance(name, str):
            raise TypeError(f"{word} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{word} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{word} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[table]:
            raise KeyError(f"attribute '{name}' already exists")
        self.__dict__[table][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or with None say that there could be one.

        Raises KeyError for a name that is taken, empty or has a dot, TypeError for no Parameter.
        """
        self._register_entry("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained; errors as for parameters.

        One that is not ``persistent`` is left out of ``state_dict``.
        """
        self._register_entry("_buffers", name, tensor)
        change = self._non_persistent_buffers_set
        (change.discard if persistent else change.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a part; errors as for parameters."""
        self._register_entry("_modules", name, module)

    register_module = add_module

    # -- walking over the parts ------------------------------------------------------------------

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all parts of parts, each with its path; each once."""
        memo = set() if memo is None else memo
        if self not in memo:
            if remove_duplicate:
                memo.add(self)
            yield prefix, self
            for name, child in self._modules.items():
                if child is not None:
                    path = f"{prefix}.{name}" if prefix else name
                    yield from child.named_modules(memo, path, remove_duplicate)

    def _named_entries(self, table: str, prefix: str, recurse: bool, once: bool) -> Iterator[Any]:
        seen: set[int] = set()
        for path, part in self.named_modules(None, prefix, once) if recurse else [(prefix, self)]:
            for name, value in part.__dict__[table].items():
                if value is None or id(value) in seen:
                    continue
                if once:
                    seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its path; those of the parts too if ``recurse``."""
        return self._named_entries("_parameters", prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its path; those of the parts too if ``recurse``."""
        return self._named_entries("_buffers", prefix, recurse, remove_duplicate)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct parts with their names, each once."""
        return self._named_entries("_modules", "", recurse=False, once=True)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, for an optimiser."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def children(self) -> Iterator[Module]:
        """The direct parts."""
        return (m for _, m in self.named_children())

    def modules(self) -> Iterator[Module]:
        """This module and all parts of parts."""
        return (m for _, m in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The part at a path such as "encoder.0". Raises AttributeError if there is none."""
        part: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(part, name):
                raise AttributeError(f"{type(part).__name__} has no attribute `{name}`")
            part = getattr(part, name)
            if not isinstance(part, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return part

    def _get_entry(self, table: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        part, word = self.get_submodule(path), KINDS[table][1]
        if not hasattr(part, name):
            raise AttributeError(f"{type(part).__name__} has no attribute `{name}`")
        if name not in part.__dict__[table]:
            raise AttributeError(f"`{name}` is not a {word}")
        return part.__dict__[table][name]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as "0.weight". Raises AttributeError if there is none."""
        return self._get_entry("_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path. Raises AttributeError if there is none."""
        return self._get_entry("_buffers", target)

    # -- changing all of it ----------------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Any:
        """Call ``fn`` on every part and then on this module. Returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Any:
        """Set the mode of this module and all parts; dropout and batch norms look at it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for part in self.modules():
            part.training = mode
        return self

    def eval(self) -> Any:
        """Set evaluation mode: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Let every parameter require a gradient, or none. Returns the module."""
        p: Any
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient of every parameter, or make it zeros."""
        p: Any
        for p in self.parameters():
            if p.grad is not None:
                p.grad = None if set_to_none else p.grad.detach().zero_()

    def _apply(self, fn: Callable[[Any], Any]) -> Any:
        """Put ``fn`` of it in the place of each tensor; a parameter stays the same object."""
        with autograd.no_grad():
            p: Any
            for p in self.parameters():
                p.data = fn(p.detach())
                if p.grad is not None:
                    p.grad.data = fn(p.grad.detach())
            for part in self.modules():
                for name, tensor in part._buffers.items():
                    if tensor is not None:
                        part._buffers[name] = fn(tensor)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """``to(device)``, ``to(dtype)``, ``to(device, dtype)``, ``to(tensor)``, in place.

        A dtype is for tensors of floats only. Raises TypeError for a dtype of integers. Returns the
        module.
        """
        device, dtype = kwargs.get("device"), kwargs.get("dtype")
        for arg in args:
            if isinstance(arg, Tensor):
                where: Any = arg
                device, dtype = where.device, where.dtype
            elif isinstance(arg, backend.dtype):
                dtype = arg
            elif not isinstance(arg, bool):  # non_blocking
                device = arg
        if dtype is not None and backend.as_dtype(dtype).numpy.kind != "f":
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )
        return self._apply(lambda t: t.to(device, dtype if t.is_floating_point() else None))

    def cpu(self) -> Any:
        """Move all parameters and buffers to the CPU. Returns the module."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Any:
        """Move all parameters and buffers to the GPU. Returns the module."""
        return self.to("cuda" if device is None else device)

    def type(self, dst_type: Any) -> Any:
        """Cast all parameters and buffers, also integers. Returns the module."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Any:
        """Cast all floating parameters and buffers to float32. Returns the module."""
        return self.to(dtype=backend.as_dtype("float32"))

    def double(self) -> Any:
        """Cast all floating parameters and buffers to float64. Returns the module."""
        return self.to(dtype=backend.as_dtype("float64"))

    def half(self) -> Any:
        """Cast all floating parameters and buffers to float16. Returns the module."""
        return self.to(dtype=backend.as_dtype("float16"))

    # -- saving and loading ----------------------------------------------------------------------

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers by path, sharing memory with the module.

        They are detached, unless ``keep_vars``.
        """
        found = OrderedDict() if destination is None else destination
        for name, tensor in {**self._parameters, **self._buffers}.items():
            if tensor is not None and name not in self._non_persistent_buffers_set:
                found[prefix + name] = tensor if keep_vars else tensor.detach()
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return found

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        """Copy values by path into parameters and buffers, or with ``assign`` take them over.

        Returns the names that are missing and those that are unexpected. Raises RuntimeError for
        a tensor of another shape and, if ``strict``, for missing and unexpected names; TypeError
        if ``state_dict`` is no mapping.
        """
        return state.load(self, state_dict, strict, assign)

    # -- hooks -----------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Any:
        """Call ``hook(module, args)`` before ``forward``; what it returns takes their place.

        ``with_kwargs``: ``hook(module, args, kwargs)``, which may return both. Returns a handle
        whose ``remove()`` takes the hook away.
        """
        return hooks.register(self, "forward_pre", hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Any:  # fmt: skip
        """Call ``hook(module, args, output)`` after ``forward``; it may return another output.

        ``with_kwargs``: ``hook(module, args, kwargs, output)``. ``always_call``: also where
        ``forward`` raised, with None as output. Returns a handle.
        """
        return hooks.register(self, "forward", hook, prepend, with_kwargs, always_call)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Any:
        """Call ``hook(module, grad_output)`` once the gradients of the outputs are known.

        It may return others. Returns a handle.
        """
        return hooks.register(self, "backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Any:
        """Call ``hook(module, grad_input, grad_output)`` once the inputs' gradients are known.

        It may return other ones for the inputs. Returns a handle.
        """
        return hooks.register(self, "backward", hook, prepend)

    # -- printing --------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``, before the parts. For subclasses."""
        return ""

    def __repr__(self) -> str:
        return show(self._get_name(), self.extra_repr(), self._modules)


def show(name: str, extra: str, parts: dict[str, Any]) -> str:
    """The text of a module: its name, then its arguments and its parts, a line each."""
    lines = [f"({key}): {indented(repr(part))}" for key, part in parts.items()]
    if not lines and "\n" not in extra:
        return f"{name}({extra})"
    return "\n  ".join([f"{name}(", *extra.splitlines(), *lines]) + "\n)"


def options(module: Any, names: str) -> str:
    """Attributes of a module as "name=value", for ``extra_repr``."""
    return ", ".join(f"{name}={getattr(module, name)}" for name in names.split())


def unusual(module: Any, **usual: Any) -> str:
    """Those attributes that differ from the usual ones, each as ", name=value"."""
    found = {name: getattr(module, name) for name in usual}
    return "".join(f", {name}={value}" for name, value in found.items() if value != usual[name])


# Where an attribute is kept: what belongs there, and how messages call it.
KINDS: dict[str, tuple[Any, str]] = {
    "_parameters": (Parameter, "parameter"),
    "_modules": (Module, "module"),
    "_buffers": (Tensor, "buffer"),
}
