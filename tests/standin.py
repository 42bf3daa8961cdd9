"""A stand-in for the GPU: arrays that hold NumPy data but refuse every implicit crossing.

As with CuPy, ``np.asarray`` of such an array raises, and so does mixing it with a NumPy array. Code
that works here keeps its data on the device. What CuPy lacks, by ``cupy_api.json``, is lacking here
too: functions, methods and arguments. It does not replace CuPy: tests marked ``gpu`` do.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from minitensor import backend

CUPY = json.loads(Path(__file__).with_name("cupy_api.json").read_text(encoding="utf-8"))
# A GPU adds without losing what other threads add in these; CuPy's documentation of scatter_add.
ATOMIC = {"int32", "uint32", "uint64", "float16", "float32", "float64"}

CROSSINGS = []  # every value that went between host and device, on purpose or not: where it went


class StandinArray:
    """Wraps a NumPy array; hands out only wrapped results."""

    __array_ufunc__ = None  # `ndarray * standin` is refused by NumPy

    def __init__(self, data, base=None):
        self._data = data
        self.base = base

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Use `.get()`.")

    def get(self):
        """Copy the data to the host, on purpose."""
        return self._to_host("get").copy()

    def _to_host(self, how):
        """The data, for something that happens on the host: the device has to be waited for."""
        CROSSINGS.append(f"to host: {how}")
        return self._data

    def __getattr__(self, name):
        if name not in CUPY["array"]:  # nor __array_interface__, which is a back door
            raise AttributeError(f"a GPU array has no attribute {name!r}")
        if name in ("item", "tolist"):
            CROSSINGS.append(f"to host: {name}")
        value, known = getattr(self._data, name), CUPY["array"][name]
        return function(value, self, known) if callable(value) else outward(value, self)

    @property
    def flags(self):
        """What CuPy's flags tell: nothing of `writeable`, for one."""
        ours = self._data.flags
        names = ("c_contiguous", "f_contiguous", "fnc", "forc", "owndata")
        return SimpleNamespace(**{name: getattr(ours, name) for name in names})

    def __getitem__(self, index):
        return outward(self._data[inward(index)], self)

    def __setitem__(self, index, value):
        self._data[inward(index)] = inward(value)

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        return bool(self._to_host("bool"))

    def __int__(self):
        return int(self._to_host("int"))

    def __index__(self):
        return self._to_host("index").__index__()

    def __float__(self):
        return float(self._to_host("float"))

    def __repr__(self):
        return f"StandinArray({self._data!r})"


def inward(value):
    """Unwrap our arrays, in tuples too; refuse NumPy's."""
    if isinstance(value, StandinArray):
        return value._data
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, tuple | list):
        return type(value)(inward(v) for v in value)
    return value


def outward(value, source=None):
    """Wrap arrays and NumPy's scalars: on a device, a 0-d result is an array."""
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        shares = source is not None and np.shares_memory(value, source._data)
        if not shares:
            return StandinArray(value)
        if 0 not in value.strides:
            value.flags.writeable = True  # CuPy knows no read-only views, such as NumPy's diagonal
        return StandinArray(value, source if source.base is None else source.base)
    if isinstance(value, tuple) and any(isinstance(v, np.ndarray) for v in value):
        return tuple(outward(v) for v in value)
    return value


def function(call, owner=None, known=None):
    """A function of NumPy, on wrapped arrays; ``known`` are the arguments that CuPy's takes."""

    def wrapped(*args, **kwargs):
        for a in (owner, *args):
            if isinstance(a, StandinArray):
                source = a
                break
        else:
            source = None
        if known is not None and not set(kwargs) <= set(known):
            raise TypeError(f"CuPy's {call} takes {known}, not all of {sorted(kwargs)}")
        with np.errstate(all="ignore"):  # a device computes nan and inf in silence
            out = call(*(inward(a) for a in args), **{k: inward(v) for k, v in kwargs.items()})
        return out if type(out) in (list, int, float, bool) else outward(out, source)

    return wrapped


def atomic(at):
    """``ufunc.at`` where an array of indices needs a GPU to add without losing anything."""

    def wrapped(target, index, values):
        arrays = [i for i in index if isinstance(i, np.ndarray) and i.dtype != bool]
        if arrays and target.dtype.name not in ATOMIC:
            raise TypeError(f"scatter_add only supports {sorted(ATOMIC)} as data type")
        at(target, index, values)

    return wrapped


class StandinModule:
    """What the engine takes for the array module of the device."""

    def __getattr__(self, name):
        if name not in CUPY["module"]:
            raise AttributeError(f"CuPy has no {name!r}")
        value, known = getattr(np, name), CUPY["module"][name]
        if known == "ufunc":
            made = function(value, known=CUPY["ufunc call"])
            made.at = function(atomic(value.at), known=CUPY["ufunc"]["at"])
            return made
        return value if known == "value" else function(value, known=known)

    @staticmethod
    def asarray(data, dtype=None, blocking=False):
        """Move host data to the device, on purpose."""
        if not isinstance(data, StandinArray):
            CROSSINGS.append(f"to device: {type(data).__name__}")
        inner = data._data if isinstance(data, StandinArray) else data
        return StandinArray(np.array(inner, dtype=dtype))


def _operator(name, inplace=False):
    def method(self, *others):
        if any(isinstance(o, np.ndarray) for o in others):
            raise TypeError("Unsupported type <class 'numpy.ndarray'>")
        out = getattr(self._data, name)(*(inward(o) for o in others))
        return self if inplace else NotImplemented if out is NotImplemented else outward(out)

    return method


for _name in "add sub mul truediv floordiv mod pow matmul and or xor".split():
    setattr(StandinArray, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(StandinArray, f"__r{_name}__", _operator(f"__r{_name}__"))
    setattr(StandinArray, f"__i{_name}__", _operator(f"__i{_name}__", inplace=True))
for _name in "neg pos abs invert eq ne lt le gt ge".split():
    setattr(StandinArray, f"__{_name}__", _operator(f"__{_name}__"))
StandinArray.__hash__ = object.__hash__


def register():
    """Let the stand-in device in, once."""
    backend.join(StandinArray, StandinModule(), "standin")
