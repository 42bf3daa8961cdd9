"""The base of all optimisers: parameter groups, state, checkpoints, and the walk over parameters.

An optimiser is a function that updates one parameter's array from its gradient's, in place, with
the operators of the array itself. So it runs on every device, records nothing and allocates little.
Large arrays on the CPU are worked through in blocks that stay in the processor's cache.
"""

from __future__ import annotations

import copy
import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import autograd, backend, creation, versions
from ..backend import Array
from ..core import Tensor, wrap
from ..ops import blocks
from ..tensor import RemovableHandle, zero_

# Settings that tell PyTorch how to compute, not what. They are taken and change nothing here.
OPTIONS = {"foreach": None, "capturable": False, "differentiable": False, "fused": None}
RANGES = {
    "lr": "learning rate", "eps": "epsilon value", "weight_decay": "weight_decay value",
    "momentum": "momentum value", "alpha": "alpha value", "rho": "rho value",
    "lr_decay": "lr_decay value", "initial_accumulator_value": "initial_accumulator_value value",
}  # fmt: skip


def check_settings(settings: dict[str, Any]) -> None:
    """Raise ValueError for a setting out of range, NotImplementedError for ``differentiable``."""
    if isinstance(settings["lr"], Tensor) and settings["lr"].array.size != 1:
        raise ValueError("Tensor lr must be 1-element")
    for name, words in RANGES.items():
        if not 0 <= settings.get(name, 0):
            raise ValueError(f"Invalid {words}: {settings[name]}")
    for i, beta in enumerate(settings.get("betas", ())):
        if not 0 <= beta < 1:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
    if settings.get("differentiable"):
        raise NotImplementedError("differentiable=True: steps record no graph in minitensor")


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the hooks before and after it, counted for the schedulers."""

    @functools.wraps(step)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        for hook in self._before_step:
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        result = step(self, *args, **kwargs)
        self._opt_called = True
        for hook in self._after_step:
            hook(self, args, kwargs)
        return result

    return call


class Optimizer:
    """What optimisers share. Subclasses define ``update``, or a ``step`` of their own.

    Args:
        params: tensors, pairs (name, tensor), or dicts ``{"params": ..., "lr": ...}``, each of
            which is a group with settings of its own.
        defaults: the settings of groups that do not say otherwise.

    Raises TypeError for what is no tensor, ValueError for an empty list, a tensor that is no leaf,
    or one that is in two groups.
    """

    options: tuple[str, ...] = ()  # which of OPTIONS PyTorch's class has
    counts = True  # does the state of a parameter count its steps?
    _before_step: tuple[Callable[..., Any], ...] = ()
    _after_step: tuple[Callable[..., Any], ...] = ()
    _opt_called = False  # has step() run? The schedulers ask

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = hooked(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Any, defaults: dict[str, Any]):
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or "
                "dicts, but got Tensor"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def _begin(self, params: Any, options: dict[str, Any], **settings: Any) -> None:
        """``__init__`` for the optimisers here: settings are checked, PyTorch's options taken."""
        for name in self.options:
            settings[name] = options.pop(name, OPTIONS[name])
        for name in options:
            kind = type(self).__name__
            raise TypeError(f"{kind}.__init__() got an unexpected keyword argument '{name}'")
        check_settings(settings)
        Optimizer.__init__(self, params, settings)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            keys = [key for key in sorted(group) if key != "params"]
            text += f"\nParameter Group {i}\n" + "".join(f"    {k}: {group[k]}\n" for k in keys)
        return text + ")"

    # -- parameters --------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimise more tensors: ``{"params": tensors, ...settings}``.

        Raises what the constructor raises.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        param_group["params"] = self._listed(param_group["params"])
        named = [p for p in param_group["params"] if isinstance(p, tuple)]
        if named and len(named) != len(param_group["params"]):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        if any(("param_names" in group) != bool(named) for group in self.param_groups):
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'with' if named else 'without'} names to the optimizer"
            )
        if named:
            param_group["param_names"] = [name for name, _ in named]
            param_group["params"] = [p for _, p in named]
        self._check(param_group["params"])
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        self.param_groups.append(param_group)

    @staticmethod
    def _listed(params: Any) -> list[Any]:
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the "
                "ordering of tensors in sets will change between runs. Please use a list instead."
            )
        return [params] if isinstance(params, Tensor) else list(params)

    def _check(self, params: list[Any]) -> None:
        for p in params:
            if not isinstance(p, Tensor):
                kind = type(p).__name__
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {kind}"
                )
            if p.node is not None and not p._retains:
                raise ValueError("can't optimize a non-leaf Tensor")
        if len(set(params)) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error",
                stacklevel=4,
            )
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif p._grad is not None:
                    p._grad.node, p._grad.needs_grad = None, False
                    zero_(p._grad)

    # -- stepping ----------------------------------------------------------------------------------

    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient. Returns what ``closure()`` gave, if given."""
        loss = evaluate(closure) if closure is not None else None
        by = f"{type(self).__name__}.step"
        for group in self.param_groups:
            slots, known = self.slots(group), None
            bare = not self.counts and not slots
            for p in group["params"]:
                g, array = p._grad, p.array
                if g is None:
                    continue
                count, state = (1.0, ()) if bare else self._advance(p, group, slots)
                if (count, array.dtype, type(array)) != known:  # most often, they are alike
                    known = (count, array.dtype, type(array))
                    c = self._constants(group, count, array)
                    update = self.update if c.plain else self._update
                xp = backend.MODULES[type(array)]
                if array.size <= blocks.BLOCK:  # most are: no generator for them
                    update(xp, c, array, g.array, *state)
                else:
                    for parts in blocks.parts(array, g.array, *state):
                        update(xp, c, *parts)
                versions.written(array, by)
        return loss

    def _advance(self, p: Tensor, group: dict[str, Any], slots: Any) -> tuple[float, list[Array]]:
        """Count a step of ``p``: its number, and the arrays of its state."""
        state = self.state[p]
        count = 2.0  # where steps are not counted, all but the first are alike
        if any(name not in state for name in slots):
            xp, count = backend.MODULES[type(p.array)], 1.0
            if self.counts:
                state["step"] = creation.zeros((), device="cpu", dtype="float32")
            for name in slots:
                state[name] = wrap(xp.full(p.array.shape, self.start(group), p.array.dtype))
        if self.counts:
            state["step"].array += 1
            count = state["step"].array.item()
        return count, [state[name].array for name in slots]

    def _constants(self, group: dict[str, Any], count: float, p: Array) -> SimpleNamespace:
        """The numbers of one step: the same for every element, and all parameters like ``p``."""
        lr, decay = float(group["lr"]), group["weight_decay"]
        c = SimpleNamespace(lr=lr, maximize=group["maximize"], decay=decay, shrink=None)
        if decay and group.get("decoupled_weight_decay"):
            c.decay, c.shrink = 0, 1 - lr * decay
        c.plain = not (c.maximize or c.decay or c.shrink is not None)
        self.constants(c, group, count)
        if type(p) is np.ndarray:  # which is quicker with an array of one element than with 0.1
            for name, value in vars(c).items():
                if type(value) is float:
                    setattr(c, name, np.asarray(value, p.dtype))
        return c

    def _update(self, xp: Any, c: Any, p: Array, g: Array, *state: Array) -> None:
        if c.maximize:
            g = -g
        if c.shrink is not None:
            p *= c.shrink
        if c.decay:
            g = g + c.decay * p
        self.update(xp, c, p, g, *state)

    def slots(self, group: dict[str, Any]) -> Iterable[str]:
        """The names of the state that has the parameter's shape."""
        return ()

    def start(self, group: dict[str, Any]) -> float:
        """With what that state is filled at first."""
        return 0.0

    def constants(self, c: SimpleNamespace, group: dict[str, Any], count: float) -> None:
        """Add to ``c`` what ``update`` needs of the settings; ``count`` is the step's number."""

    def update(self, xp: Any, c: Any, p: Array, g: Array, *state: Array) -> None:
        """Change ``p`` and its state in place. Elementwise, since it may be given a part."""
        raise NotImplementedError

    # -- hooks and checkpoints ---------------------------------------------------------------------

    def _register(self, slot: str, hook: Callable[..., Any]) -> RemovableHandle:
        hook = functools.partial(hook)  # an object of its own: the same hook may come twice
        setattr(self, slot, (*getattr(self, slot), hook))
        return RemovableHandle(self, slot, hook)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return others."""
        return self._register("_before_step", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._register("_after_step", hook)

    def state_dict(self) -> dict[str, Any]:
        """State and settings in PyTorch's format, parameters being numbered in order."""
        every = [p for group in self.param_groups for p in group["params"]]
        number = {id(p): i for i, p in reversed(list(enumerate(every)))}
        groups = []
        for group in self.param_groups:
            settings = {k: v for k, v in group.items() if k != "params"}
            groups.append({**settings, "params": [number[id(p)] for p in group["params"]]})
        state = {number.get(id(key), key): value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken; tensors in it are copied.

        Raises ValueError if its groups are not as many or as large as here.
        """
        saved = copy.deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        param_of: dict[Any, Tensor] = {}
        for old, group in zip(saved, self.param_groups, strict=True):
            if len(old["params"]) != len(group["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    "optimizer's group"
                )
            param_of.update(zip(old["params"], group["params"], strict=True))
            names = {"param_names": group["param_names"]} if "param_names" in group else {}
            group_settings = {**names, **old, "params": group["params"]}
            group.clear()
            group.update(group_settings)
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            p = param_of.get(key)
            self.state[key if p is None else p] = value if p is None else _fitted(p, value)


def evaluate(closure: Callable[[], Any]) -> Any:
    """Call ``closure`` with gradients on."""
    with autograd.enable_grad():
        return closure()


def _fitted(p: Tensor, value: Any, key: Any = None) -> Any:
    """A copy of saved state, its tensors in the dtype and on the device of ``p``."""
    if isinstance(value, dict):
        return {k: _fitted(p, v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_fitted(p, v) for v in value)
    if key == "step":  # stays on the CPU; old checkpoints have a number
        return creation.tensor(value, device="cpu", dtype="float32")
    if not isinstance(value, Tensor):
        return value
    moved = backend.move(value.array, backend.device_of(p.array))
    return wrap(moved.astype(p.array.dtype))
