"""Programs written for PyTorch, unchanged, on minitensor.

From a shell: ``python -m minitensor script.py its arguments``. In a program or notebook, before
anything imports torch::

    from minitensor import compat
    compat.install()
    import torch, torch.nn as nn  # these are minitensor and minitensor.nn

Every module of PyTorch that we have is found under its name; one that we lack raises ImportError,
and a name that we lack AttributeError or ImportError, with the page that lists the differences.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from . import backend, core, printing

# PyTorch's homes for names that we keep one floor up.
HOMES = {
    "torch.nn.parameter": "torch.nn", "torch.nn.modules": "torch.nn",
    "torch.autograd.variable": "torch.autograd",
    "torch.autograd.grad_mode": "torch.autograd", "torch.optim.optimizer": "torch.optim",
    "torch.utils.data.dataset": "torch.utils.data", "torch.utils.data.sampler": "torch.utils.data",
    "torch.utils.data.dataloader": "torch.utils.data",
    "torch.distributions.normal": "torch.distributions",
    "torch.distributions.categorical": "torch.distributions",
}  # fmt: skip
RELATIVES = ("torchvision", "torchaudio", "torchtext")
# What changes how PyTorch computes and not what: taken, and without effect here.
WITHOUT_EFFECT = (
    "set_num_threads", "set_num_interop_threads", "use_deterministic_algorithms",
    "set_float32_matmul_precision",
)  # fmt: skip


def minitensor() -> Any:
    """The front door, which a file of the package cannot import at its own top."""
    return importlib.import_module("minitensor")


def lacking(name: str) -> ImportError:
    """The error for a module, or a name in one, that we do not have."""
    page = minitensor().DIFFERENCES
    return ImportError(f"minitensor has no {name}: see {page}", name=name)


def resolve(name: str) -> ModuleType:
    """Our module for PyTorch's ``name``. Raises ImportError where we have none."""
    module = minitensor()
    for part in HOMES.get(name, name).split(".")[1:]:
        child = f"{module.__name__}.{part}"
        if PathFinder.find_spec(child, getattr(module, "__path__", [])):
            module = importlib.import_module(child)
        else:
            module = getattr(module, part, None)
        if not isinstance(module, ModuleType):
            raise lacking(name)
    return module


class Alias(Loader):
    """Loads a module by putting one that exists in its place."""

    def __init__(self, real: Any):
        self.real = real

    def exec_module(self, module: ModuleType) -> None:
        """Let ``import`` hand out our module instead of the empty one it made."""
        if not hasattr(self.real, "__path__"):
            self.real.__path__ = []  # as of a package: `import` asks us for what is inside
        sys.modules[module.__name__] = self.real


class Finder(MetaPathFinder):
    """Finds torch and its modules; the first finder of all, so that a real torch is not found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """The spec of PyTorch's modules; None for every other."""
        root = fullname.partition(".")[0]
        if root in RELATIVES:
            raise lacking(root)
        if root != "torch":
            return None
        return ModuleSpec(fullname, Alias(resolve(fullname)))


class Missing(MetaPathFinder):
    """The last finder: ``from torch import x`` ends here where there is no x."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> None:
        """Raise ImportError for what nobody found in our package."""
        root, _, rest = fullname.partition(".")
        if root == "minitensor":
            raise lacking(f"torch.{rest}")


FINDERS = (Finder(), Missing())


def install() -> None:
    """From now on, ``import torch`` and its modules find minitensor, and types print as torch's.

    Raises RuntimeError if the real PyTorch has been imported already.
    """
    if sys.modules.get("torch", minitensor()) is not minitensor():
        raise RuntimeError("torch is imported already: call minitensor.compat.install() before it")
    if FINDERS[0] not in sys.meta_path:
        sys.meta_path[:] = [FINDERS[0], *sys.meta_path, FINDERS[1]]
        _call_it("torch")
        for name, member in stand_ins().items():
            setattr(minitensor(), name, member)


def uninstall() -> None:
    """Undo ``install``; modules that have imported torch keep what they got."""
    sys.meta_path[:] = [f for f in sys.meta_path if f not in FINDERS]
    for name in [n for n in sys.modules if n.partition(".")[0] == "torch"]:
        if sys.modules[name].__name__.startswith("minitensor"):
            del sys.modules[name]
    _call_it("minitensor")
    for name in stand_ins():
        vars(minitensor()).pop(name, None)


def _call_it(package: str) -> None:
    """The name under which types and results print."""
    printing.OPTIONS.package = package
    backend.dtype.__repr__ = lambda d: f"{package}.{d.name}"  # type: ignore[method-assign]
    core.Tensor.__module__ = package if package == "torch" else core.__name__
    printing.Size.__module__ = package if package == "torch" else printing.__name__


def stand_ins() -> dict[str, Any]:
    """What programs ask of the machine before they start: an accelerator, threads, backends."""
    mt = minitensor()

    def found() -> Any:
        return backend.device("cuda") if mt.cuda.is_available() else None

    def no(*args: Any) -> bool:
        return False

    backends = ModuleType("minitensor.backends")
    backends.__dict__.update(
        mps=SimpleNamespace(is_available=no, is_built=no),
        cudnn=SimpleNamespace(
            is_available=no, enabled=False, benchmark=False, deterministic=True, version=no
        ),
    )
    accelerator = ModuleType("minitensor.accelerator")
    accelerator.__dict__.update(
        is_available=lambda: found() is not None, current_accelerator=lambda *check: found()
    )
    ignored: dict[str, Callable[..., None]] = {n: lambda *a, **k: None for n in WITHOUT_EFFECT}
    return {"backends": backends, "accelerator": accelerator, **ignored}


def run_script(path: str, arguments: Sequence[str]) -> int:
    """Run a script as ``python path arguments`` does, on minitensor; returns the exit status.

    An error is printed as Python prints it, from the script's own line on.
    """
    install()
    sys.argv = [path, *arguments]
    sys.path[0] = str(Path(path).resolve().parent)
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=__builtins__)
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec")
    except (OSError, SyntaxError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    sys.modules["__main__"] = main
    try:
        exec(code, main.__dict__)
    except Exception as error:
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0
