"""Hooks of modules: functions that are called before and after ``forward``, and in backward."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..core import Tensor
from ..function import Function
from ..tensor import RemovableHandle


class Hook:
    """A function that is called, when, and with what."""

    def __init__(self, kind: str, function: Any, with_kwargs: bool = False, always: bool = False):
        self.kind, self.function, self.with_kwargs, self.always = (
            kind,
            function,
            with_kwargs,
            always,
        )

    def __call__(self, *args: Any) -> Any:
        """Call the function."""
        return self.function(*args)


def register(
    module: Any, kind: str, hook: Callable[..., Any], prepend: bool = False,
    with_kwargs: bool = False, always: bool = False,
) -> RemovableHandle:  # fmt: skip
    """Hang a hook on a module, before the others if ``prepend``."""
    made = Hook(kind, hook, with_kwargs, always)
    module._module_hooks = (
        (made, *module._module_hooks) if prepend else (*module._module_hooks, made)
    )
    return RemovableHandle(module, "_module_hooks", made)


def call(module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run a module's ``forward`` between its hooks."""
    for hook in _of(module, "forward_pre"):
        args, kwargs = _before(module, hook, args, kwargs)
    taps = Taps(module) if _of(module, "backward") or _of(module, "backward_pre") else None
    args = taps.inputs(args) if taps else args
    try:
        result = module.forward(*args, **kwargs)
    except Exception:
        for hook in _of(module, "forward"):
            if hook.always:
                _after(module, hook, args, kwargs, None)
        raise
    for hook in _of(module, "forward"):
        result = _after(module, hook, args, kwargs, result)
    return taps.outputs(result) if taps else result


def _of(module: Any, kind: str) -> list[Hook]:
    return [hook for hook in module._module_hooks if hook.kind == kind]


def _before(module: Any, hook: Hook, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    if not hook.with_kwargs:
        answer = hook(module, args)
        return (args if answer is None else _as_tuple(answer)), kwargs
    answer = hook(module, args, kwargs)
    if answer is not None and (not isinstance(answer, tuple) or len(answer) != 2):
        raise RuntimeError(
            "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got "
            f"{answer}."
        )
    return (args, kwargs) if answer is None else answer


def _after(module: Any, hook: Hook, args: Any, kwargs: dict[str, Any], result: Any) -> Any:
    given = (args, kwargs) if hook.with_kwargs else (args,)
    answer = hook(module, *given, result)
    return result if answer is None else answer


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class BackwardHookFunction(Function):
    """Passes tensors on; in backward, shows their gradients to ``see``, which may change them."""

    @staticmethod
    def forward(ctx: Any, see: Callable[..., Any], *tensors: Any) -> Any:
        """The tensors as they are."""
        ctx.see = see
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """What ``see`` makes of the gradients."""
        return None, *ctx.see(grads)


class Taps:
    """Watches the gradients of one call: first of its outputs, then of its inputs."""

    def __init__(self, module: Any):
        self.module = module
        self.grad_output: tuple[Any, ...] = ()
        self.count, self.tapped = 0, False  # of the inputs; does one of them get a gradient?

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that get a gradient tapped."""
        self.count = len(args)
        args, self.tapped = _tap(self.on_inputs, args)
        return args

    def outputs(self, result: Any) -> Any:
        """The result, tapped."""
        tapped, _ = _tap(self.on_outputs, _as_tuple(result))
        return tapped if isinstance(result, tuple) else tapped[0]

    def on_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Call the hooks that want the gradients of the outputs."""
        for hook in _of(self.module, "backward_pre"):
            grads = _changed(hook(self.module, grads), grads)
        self.grad_output = grads
        if not self.tapped:  # no input will tell
            if _of(self.module, "backward"):
                warnings.warn(
                    "Full backward hook is firing when gradients are computed with respect to "
                    "module outputs since no inputs require gradients.",
                    stacklevel=2,
                )
            self.on_inputs((None,) * self.count)
        return grads

    def on_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Call the hooks that want the gradients of the inputs."""
        for hook in _of(self.module, "backward"):
            grads = _changed(hook(self.module, grads, self.grad_output), grads)
        return grads


def _tap(see: Callable[..., Any], values: tuple[Any, ...]) -> tuple[tuple[Any, ...], bool]:
    """Tap the tensors in ``values`` that need a gradient; ``see`` has None for the others."""
    at = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.needs_grad]
    if not at:
        return values, False

    def spread(grads: tuple[Any, ...]) -> Any:
        full = dict(zip(at, grads, strict=True))
        seen = see(tuple(full.get(i) for i in range(len(values))))
        return (seen[i] for i in at)

    passed = dict(
        zip(at, BackwardHookFunction.apply(spread, *(values[i] for i in at)), strict=True)
    )
    return tuple(passed.get(i, v) for i, v in enumerate(values)), True


def _changed(answer: Any, grads: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a hook returned in place of ``grads``. Raises RuntimeError for another number."""
    if answer is None:
        return grads
    answer = _as_tuple(answer)
    if len(answer) != len(grads):
        raise RuntimeError(
            f"Backward hook returned an invalid number of grad_input, got {len(answer)}, but "
            f"expected {len(grads)}"
        )
    return answer
