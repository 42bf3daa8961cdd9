"""Loading a state dict: which names are missing or unexpected, which shapes do not fit."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

from .. import autograd
from ..core import Tensor
from .parameter import Parameter, UninitializedParameter


class IncompatibleKeys(namedtuple("IncompatibleKeys", "missing_keys unexpected_keys")):
    """What ``load_state_dict`` found: names that only one side has."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_{super().__repr__()}"


def load(module: Any, given: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Put the values of ``given`` into a module; see ``Module.load_state_dict``."""
    if not isinstance(given, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(given)}.")
    own = module.state_dict(keep_vars=True)
    missing = [name for name in own if name not in given]
    unexpected = [name for name in given if name not in own]
    errors = []
    if strict:
        for what, names in (("Missing", missing), ("Unexpected", unexpected)):
            if names:
                listed = ", ".join(f'"{name}"' for name in names)
                errors.append(f"{what} key(s) in state_dict: {listed}. ")
    errors += filter(None, (_put(module, n, own[n], given[n], assign) for n in own if n in given))
    if errors:
        lines = "\n\t".join(errors)
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{lines}"
        )
    return IncompatibleKeys(missing, unexpected)


def _put(module: Any, name: str, old: Any, new: Any, assign: bool) -> str | None:
    """Copy one tensor into the module, or put it there itself. Returns what is wrong."""
    if not isinstance(new, Tensor):
        return (
            f'While copying the parameter named "{name}", expected Tensor or Tensor-like '
            f"object from checkpoint but received {type(new)}"
        )
    value: Any = new
    if isinstance(old, UninitializedParameter):
        old.materialize(value.shape)
    if old.shape != value.shape:
        return (
            f"size mismatch for {name}: copying a param with shape {value.shape} from checkpoint, "
            f"the shape in current model is {old.shape}."
        )
    if assign:
        path, _, leaf = name.rpartition(".")
        if isinstance(old, Parameter) and not isinstance(value, Parameter):
            value = Parameter(value, old.needs_grad)
        setattr(module.get_submodule(path), leaf, value)
    else:
        with autograd.no_grad():
            old.copy_(value)
    return None
