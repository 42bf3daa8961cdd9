"""minitensor: tensors and autograd with PyTorch's names, small enough to read.

>>> import minitensor as mt
>>> x = mt.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from __future__ import annotations

import importlib.util
import math as _math
import sys as _sys
from typing import Any

from . import autograd as autograd
from . import backend, creation, function, functions, jacobians, random
from . import tensor as _tensor  # gives Tensor its methods
from .autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from .backend import (
    device,
    dtype,
    get_default_device,
    get_default_dtype,
    set_default_device,
    set_default_dtype,
)
from .core import Tensor
from .creation import *
from .function import Function
from .functions_conv import (
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose2d,
    max_pool1d,
    max_pool2d,
)
from .functions_forms import public as _public
from .functions_forms import with_out as _with_out
from .functions_methods import promote_types, result_type
from .functions_table import IN_PLACE, UNARY, public_functions
from .gradcheck import gradcheck, gradgradcheck
from .printing import set_printoptions
from .random import *
from .tensor import Size

__version__ = "0.1.0"

float16, float32, float64, uint8, int8, int16, int32, int64, bool = backend.DTYPES.values()
half, double, long, int, short = float16, float64, int64, int32, int16
float = float32

pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan

# Where PyTorch keeps these.
for _member in (Function, gradcheck, gradgradcheck):
    setattr(autograd, _member.__name__, _member)
autograd.functional, autograd.function = jacobians, function  # type: ignore[attr-defined]
_sys.modules["minitensor.autograd.functional"] = jacobians  # so that it can be imported
globals().update(public_functions())
# Those that fill a tensor may fill one that is there: rand(2, 2, out=x).
for _make in (zeros, ones, full, empty, eye, arange, linspace, logspace, rand, randn, randperm):
    globals()[_make.__name__] = _with_out(_make)
for _name in ("detach", "is_floating_point", "numel"):
    globals()[_name] = _public(getattr(Tensor, _name))

# Imported when first asked for: a script that needs no modules does not wait for them.
ROOMS = "nn optim utils distributions cuda viz timing serialization compat".split()
FROM_ROOMS = {"save": "serialization", "load": "serialization"}
DIFFERENCES = "course/reference/differences.md"


def is_tensor(obj: Any) -> Any:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def __getattr__(name: str) -> Any:
    """Import a part of the package, or say what is missing in words that help."""
    room = FROM_ROOMS.get(name, name if name in ROOMS else "")
    if room and importlib.util.find_spec(f"{__name__}.{room}"):
        module = importlib.import_module(f".{room}", __name__)
        found = module if name == room else getattr(module, name)
        globals()[name] = found
        return found
    if name[:-1] in UNARY and name[:-1] in IN_PLACE and name.endswith("_"):
        return getattr(Tensor, name)  # relu_(x) is x.relu_()
    raise AttributeError(
        f"module 'minitensor' has no attribute '{name}'. If PyTorch has it, minitensor leaves it "
        f"out: {DIFFERENCES} says what else does what it does.",
        name=name,
    )
