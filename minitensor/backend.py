"""Arrays and where they live: array modules, devices, dtypes and their promotion.

Everything that differs between NumPy and CuPy lives in this file and nowhere else.
The device of an array is its type: ``MODULES`` maps an array type to the module that
computes with it. NumPy is there at start; CuPy joins when a tensor is first moved to "cuda".
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any  # a numpy.ndarray, a cupy.ndarray, or a test's stand-in for one

# PyTorch computes inf and nan without a word. NumPy warns; our own calls stay quiet, yours do not.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minitensor\b")


class dtype:  # noqa: N801 - PyTorch's name
    """The type of a tensor's elements, such as ``minitensor.float32``.

    ``numpy`` is the NumPy dtype; ``is_floating_point`` and ``itemsize`` (bytes) as in PyTorch.
    """

    def __init__(self, name: str):
        self.name = name
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.is_complex = False
        self.is_signed = self.numpy.kind in "fi"

    def __repr__(self) -> str:
        return f"minitensor.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


NAMES = "float16 float32 float64 uint8 int8 int16 int32 int64 bool".split()
DTYPES = {np.dtype(name): dtype(name) for name in NAMES}
FLOAT16, FLOAT32, FLOAT64 = (np.dtype(f"float{bits}") for bits in (16, 32, 64))
INT64, BOOL = np.dtype("int64"), np.dtype("bool")
FLOATS = frozenset({FLOAT32, FLOAT64})
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}  # bool < integer < float
_BY_NAME = {d.name: d for d in DTYPES.values()}
_BY_NAME.update(half=_BY_NAME["float16"], float=_BY_NAME["float32"], double=_BY_NAME["float64"])
_BY_NAME.update(long=_BY_NAME["int64"], int=_BY_NAME["int32"], short=_BY_NAME["int16"])
_BY_PYTHON = {float: _BY_NAME["float64"], int: _BY_NAME["int64"], bool: _BY_NAME["bool"]}
_default = FLOAT32


def as_dtype(given: Any) -> dtype:
    """Return our dtype for ours, a name, a NumPy dtype or Python's float (float64), int, bool."""
    if isinstance(given, dtype):
        return given
    if isinstance(given, str) and given in _BY_NAME:
        return _BY_NAME[given]
    if given in _BY_PYTHON:
        return _BY_PYTHON[given]
    try:
        return DTYPES[np.dtype(given)]
    except (KeyError, TypeError):
        raise TypeError(f"dtype must be one of {', '.join(NAMES)}, not {given!r}") from None


def get_default_dtype() -> dtype:
    """The dtype of ``tensor([1.0])`` and of float functions of integers (float32 at start)."""
    return DTYPES[_default]


def set_default_dtype(d: Any) -> None:
    """Set the default floating dtype. Raises TypeError if ``d`` is not a floating dtype."""
    global _default
    if not as_dtype(d).is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, not {d}")
    _default = as_dtype(d).numpy


def default_float() -> np.dtype:
    """The default floating dtype, as NumPy's."""
    return _default


# -- promotion ---------------------------------------------------------------------------------


def promote_dtypes(a: np.dtype, b: np.dtype) -> np.dtype:
    """PyTorch's ``promote_types``: a float wins over any integer, whatever their widths."""
    if a.kind == "f" != b.kind:
        return a
    if b.kind == "f" != a.kind:
        return b
    return np.promote_types(a, b)


def category(d: np.dtype) -> int:
    """0 for bool, 1 for integers, 2 for floats: casts go up only."""
    return _CATEGORY[d.kind]


def result_dtype(values: list[Any]) -> np.dtype:
    """The dtype in which PyTorch combines arrays and Python numbers.

    Arrays of one dimension or more decide. 0-d arrays, and after them numbers, matter only when
    they are of a higher category (bool < integer < float).
    """
    ranks: list[np.dtype | None] = [None, None, None]
    for v in values:
        rank, d = _rank(v)
        known = ranks[rank]
        ranks[rank] = d if known is None else promote_dtypes(known, d)
    result = _combine(_combine(ranks[0], ranks[1]), ranks[2])
    assert result is not None, "result_dtype needs at least one value"
    return result


def _rank(v: Any) -> tuple[int, np.dtype]:
    if isinstance(v, bool):
        return 2, BOOL
    if isinstance(v, int):
        return 2, INT64
    if isinstance(v, float):
        return 2, _default
    return (0 if v.ndim else 1), v.dtype


def _combine(higher: np.dtype | None, lower: np.dtype | None) -> np.dtype | None:
    if higher is None or lower is None:
        return higher if lower is None else lower
    if _CATEGORY[lower.kind] > _CATEGORY[higher.kind]:
        return promote_dtypes(higher, lower)
    return higher


# -- devices -----------------------------------------------------------------------------------

MODULES: dict[type, Any] = {np.ndarray: np}
_DEVICE_OF: dict[type, str] = {np.ndarray: "cpu"}
_joined: list[Callable[[type, Any], None]] = []  # who wants to know when an array type joins


def on_join(listener: Callable[[type, Any], None]) -> None:
    """Call ``listener(array_type, module)`` for every array type, now and when one joins later."""
    _joined.append(listener)
    for array_type, module in MODULES.items():
        listener(array_type, module)


def join(array_type: type, module: Any, device_type: str) -> None:
    """Let a kind of array in: ``module`` computes with ``array_type`` on ``device_type``."""
    if array_type not in MODULES:
        MODULES[array_type] = module
        _DEVICE_OF[array_type] = device_type
        for listener in _joined:
            listener(array_type, module)


class device:  # noqa: N801 - PyTorch's name
    """Where a tensor lives: ``device("cpu")``, ``device("cuda")`` or ``device("cuda:0")``."""

    def __init__(self, type: Any, index: int | None = None):
        if not isinstance(type, str | device):
            kind = type.__class__.__name__
            raise TypeError(f"device(): argument 'type' must be a string or a device, not {kind}")
        name, _, number = str(type).partition(":")
        known = {"cpu", "cuda", *_DEVICE_OF.values()}
        if name not in known or (number and not number.isdigit()):
            wanted = ", ".join(sorted(known))
            raise RuntimeError(
                f"Expected one of {wanted} device type at start of device string: {type}"
            )
        self.type = name
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        extra = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{extra})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


_default_device: device | None = None


def get_default_device() -> device:
    """The device on which tensors are made when none is named ("cpu" at start)."""
    return _default_device or device("cpu")


def set_default_device(where: Any) -> None:
    """Make tensors on ``where`` when no device is named; None goes back to the CPU.

    As in PyTorch, ``from_numpy`` still shares memory on the CPU. Raises RuntimeError if the device
    is not there.
    """
    global _default_device
    if where is not None:
        module_for(where)
    _default_device = None if where is None else device(where)


def device_of(array: Array) -> device:
    """The device on which an array lives."""
    name = _DEVICE_OF[type(array)]
    return device(name, array.device.id) if name == "cuda" else device(name)


def module_for(where: Any) -> Any:
    """The array module of a device; imports CuPy for "cuda". Raises RuntimeError without a GPU."""
    kind = device(where).type
    if kind == "cuda" and "cuda" not in _DEVICE_OF.values():
        cupy = load_cupy()
        join(cupy.ndarray, cupy, "cuda")
    return next(MODULES[t] for t, name in _DEVICE_OF.items() if name == kind)


def device_types() -> set[str]:
    """The kinds of device that have been let in so far."""
    return set(_DEVICE_OF.values())


def load_cupy() -> Any:
    """Import CuPy and check that a GPU answers; RuntimeError says which of the two is missing."""
    extra = (
        "pip install 'minitensor[cuda12]' (or [cuda13], to match the CUDA version that "
        "nvidia-smi shows)"
    )
    try:
        cupy = importlib.import_module("cupy")
    except ModuleNotFoundError:
        raise RuntimeError(f"device 'cuda' needs CuPy, which is not installed: {extra}") from None
    except ImportError as error:
        raise RuntimeError(
            f"device 'cuda' needs CuPy, which is installed but fails to import ({error}): {extra}"
        ) from error
    if not cupy.is_available():
        raise RuntimeError(
            "device 'cuda' needs a GPU: CuPy is installed, but finds no CUDA GPU here. "
            "Without one, use device='cpu'."
        )
    return cupy


def move(array: Array, where: Any, non_blocking: bool = False) -> Array:
    """Copy an array to another device; the array itself if it is there already.

    The copy is done on return, unless it goes to a GPU and is told not to be waited for.
    """
    target = device(where)
    here = device_of(array)
    if here.type == target.type and target.index in (None, here.index):
        return array
    module = module_for(target)
    if target.type != "cuda":
        return to_numpy(array) if target.type == "cpu" else module.asarray(to_numpy(array))
    with module.cuda.Device(target.index):  # None is the current one
        if here.type == "cuda":
            return array.copy()  # from GPU to GPU
        return module.asarray(to_numpy(array), blocking=not non_blocking)


def pin(array: np.ndarray) -> np.ndarray:
    """A copy in memory that the system does not move, from which a GPU can copy by itself."""
    load_cupy()
    out: np.ndarray = importlib.import_module("cupyx").empty_pinned(array.shape, array.dtype)
    out[...] = array
    return out


def is_pinned(array: Array) -> bool:
    """Whether an array's memory is one that ``pin`` got."""
    return type(getattr(owner(array), "base", None)).__name__ == "PinnedMemoryPointer"


def peak_hook(where: int, used: Callable[[], int]) -> Any:
    """A context manager inside which CuPy tells of each new array on GPU number ``where``.

    Its ``highest`` is the highest that ``used()`` was then.
    """

    class Peak(load_cupy().cuda.MemoryHook):  # type: ignore[misc]
        name = "minitensor peak"
        highest = 0

        def malloc_postprocess(self, *, device_id: int, **about: Any) -> None:
            if device_id == where:
                self.highest = max(self.highest, used())

    return Peak()


def to_numpy(array: Array) -> np.ndarray:
    """The array's values in NumPy: itself on the CPU, a copy from any other device."""
    return array if type(array) is np.ndarray else array.get()


# -- arrays ------------------------------------------------------------------------------------


def to_array(value: Any) -> Array:
    """Wrap what NumPy returns as a scalar into a 0-d array; arrays pass unchanged."""
    return value if type(value) in MODULES else np.asarray(value)


def owner(array: Array) -> Array:
    """The array that owns the memory which ``array`` views (itself, if it is no view)."""
    base = getattr(array, "base", None)
    while base is not None and type(base) in MODULES:
        array = base
        base = array.base
    return array


def writable(view: Array) -> Array:
    """``view``, which NumPy may hand out read-only (a diagonal), writable if its owner is."""
    with contextlib.suppress(ValueError, AttributeError):  # a read-only owner; CuPy has no flag
        view.flags.writeable = True
    return view


def scatter_add(target: Array, index: Any, values: Array) -> Array:
    """Add ``values`` into ``target[index]`` in place, repeated positions adding up."""
    add = MODULES[type(target)].add
    if type(target) is np.ndarray and target.dtype.kind == "f" and len(index) == 1:
        rows = index[0]
        if rows.dtype.kind in "iu" and values.ndim > rows.ndim and values.size > 1024:
            return _add_rows(target, rows.reshape(-1), values.reshape(-1, *target.shape[1:]))
    try:
        add.at(target, index, values)
    except TypeError:  # a GPU adds in 32 bits, or in 64 without a sign: the same bits
        wide = target.view("uint64") if target.dtype == INT64 else target.astype("int32")
        add.at(wide, index, values.astype(wide.dtype))
        if target.dtype != INT64:
            target[...] = wide.astype(target.dtype)
    return target


def _add_rows(target: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Add whole rows, sorted by where they go and summed in runs: a seventh of the time of at."""
    rows = np.where(rows < 0, rows + len(target), rows)
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    target[ordered[starts]] += np.add.reduceat(values[order], starts, axis=0)
    return target


ERF_GAP, ERF_END = 1 / 128, 6  # erf is known at every 1/128 up to 6, where it rounds to 1


@functools.cache
def _erf_series(xp: Any) -> Array:
    """Row n: the coefficient of d^n in erf(a + d), for each a = 0, 1/128, ..., 6."""
    a = np.arange(ERF_END / ERF_GAP + 1) * ERF_GAP
    rows = [np.array([math.erf(v) for v in a])]
    before, slope = np.zeros_like(a), 2 / math.pi**0.5 * np.exp(-a * a)
    for n in range(1, 7):
        rows.append(slope / math.factorial(n))
        before, slope = slope, -2 * a * slope - 2 * (n - 1) * before
    return xp.asarray(np.stack(rows))


def erf(xp: Any, x: Array) -> Array:
    """The error function, in the dtype of ``x``, to within its rounding.

    NumPy has none. This is a Taylor series from the nearest place where Python's ``math.erf`` gave
    the value; its derivatives follow from y'' = -2 x y'. All in float64.
    """
    if xp is not np and hasattr(xp, "_core"):
        return importlib.import_module("cupyx.scipy.special").erf(x)
    series = _erf_series(xp)
    size = xp.fmin(xp.abs(x.astype(np.float64)), ERF_END)
    nearest = xp.rint(size / ERF_GAP).astype(np.int64)
    away = size - nearest * ERF_GAP
    terms = 7 if x.dtype == FLOAT64 else 4
    out = series[terms - 1][nearest]
    for n in range(terms - 2, -1, -1):
        out *= away
        out += series[n][nearest]
    return xp.where(x != x, x, xp.copysign(out, x)).astype(x.dtype)
