"""A pretend GPU, for lessons where there is none: device "pretend", on a clock of its own.

>>> from kit import pretend
>>> gpu = pretend.restart()
>>> x = mt.ones(1000, 1000).to("pretend")
>>> y = x @ x
>>> gpu.now()  # seconds, on its virtual clock

Its Tensors are computed by NumPy on the CPU, so their values are real. Its times are not: they come
from a minitensor.timing.FakeDevice, by the round numbers below, which were chosen and not measured.
They leave out what Python takes.

As a GPU does, it takes work into a queue and returns at once, compiles a kernel at its first
launch, and refuses to compute with arrays from elsewhere.
"""

from contextlib import contextmanager

import numpy as np

from minitensor import backend
from minitensor.timing import FakeDevice

BANDWIDTH = 500e9  # bytes a second, of its own memory
RATE = 5e12  # operations a second
LINK = 12e9  # bytes a second, to and from the host
LAUNCH = 5e-6  # seconds that a launch costs the caller
COMPILING = 0.05  # seconds, at the first launch of a kernel
NAME = "pretend"

state = {"gpu": FakeDevice(LAUNCH, COMPILING, LINK)}


def restart(compiling=COMPILING, jitter=0.0, seed=0):
    """Switch the device off and on: time 0, an empty queue, nothing compiled. Returns its clock.

    jitter: each piece of work takes up to this share longer, and one in twenty twice as long.
    Tensors that are on the device stay there.
    """
    backend.join(PretendArray, PretendModule(), NAME)
    state["gpu"] = FakeDevice(LAUNCH, compiling, LINK, jitter, seed)
    return state["gpu"]


@contextmanager
def apart(**options):
    """A device of its own for a with-block, as from `restart`; then the one before goes on."""
    before = state["gpu"]
    try:
        yield restart(**options)
    finally:
        state["gpu"] = before


def log():
    """What the device was asked to do since `restart`: Launches of minitensor.timing."""
    return state["gpu"].log


class PretendArray(np.ndarray):
    """An array on the device: whatever is done with it goes into the queue."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
        if any(is_foreign(x) for x in (*inputs, *out)):
            raise TypeError("an array on the pretend device does not mix with one on the CPU")
        if out:
            options["out"] = tuple(inward(x) for x in out)
        result = launch(ufunc.__name__, getattr(ufunc, method), inputs, options)
        return out[0] if len(out) == 1 else result

    def __getitem__(self, index):
        return outward(inward(self)[inward(index)])

    def get(self):
        """Copy to the host: waits for the queue, then for the copy."""
        state["gpu"].copy(self.nbytes)
        return inward(self).copy()

    def item(self, *index):
        """One number, on the host."""
        return self.get().item(*index)

    def tolist(self):
        """The numbers, on the host."""
        return self.get().tolist()

    def __bool__(self):
        return bool(self.get())

    def __int__(self):
        return int(self.get())

    def __float__(self):
        return float(self.get())

    def __index__(self):
        return self.get().__index__()


class PretendModule:
    """NumPy's functions, on the device."""

    def __getattr__(self, name):
        value = getattr(np, name) if not name.startswith("_") else None
        if value is None:
            raise AttributeError(f"the pretend device has no {name!r}")
        if isinstance(value, np.ufunc | type) or not callable(value):
            return value
        return lambda *args, **options: launch(name, value, args, options)

    @staticmethod
    def asarray(data, dtype=None, **options):
        """Copy from the host; what is on the device already stays there."""
        if not isinstance(data, PretendArray):
            data = np.array(data, dtype=dtype)
            state["gpu"].copy(data.nbytes)
        return outward(inward(data).astype(dtype or data.dtype, copy=False))


def launch(name, call, args, options):
    """Compute, and put as long as it would take into the queue; a view takes no launch."""
    result = call(*inward(args), **{k: inward(v) for k, v in options.items()})
    arrays = [x for x in (*flat(args), *flat(options.get("out", ()))) if isinstance(x, np.ndarray)]
    made = [x for x in flat(result) if isinstance(x, np.ndarray | np.generic)]
    is_view = any(np.may_share_memory(x, y) for x in made for y in arrays)
    if made and not (is_view and "out" not in options):
        moved = sum(x.nbytes for x in (*arrays, *made))
        flops = sum(x.size for x in made)
        if name == "matmul":
            flops *= 2 * arrays[0].shape[-1]
        state["gpu"].launch(name, max(moved / BANDWIDTH, flops / RATE))
    return outward(result)


def is_foreign(x):
    """Whether x is an array on the CPU; a single number goes anywhere."""
    return type(x) is np.ndarray and x.ndim > 0


def inward(x):
    """The plain arrays in x, in tuples and lists too."""
    if isinstance(x, PretendArray):
        return x.view(np.ndarray)
    return type(x)(map(inward, x)) if type(x) in (tuple, list) else x


def outward(x):
    """x with its arrays on the device; a single number becomes an array, as on a GPU."""
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x).view(PretendArray)
    return type(x)(map(outward, x)) if type(x) in (tuple, list) else x


def flat(x):
    """The items of x, those in tuples and lists one by one."""
    return [y for item in x for y in flat(item)] if type(x) in (tuple, list) else [x]
