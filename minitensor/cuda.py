"""``minitensor.cuda``: torch.cuda's names, on CuPy. Without a GPU only the questions work.

``is_available``, ``device_count``, ``is_initialized``, ``manual_seed`` and ``manual_seed_all``
never fail. All else raises RuntimeError without CuPy or without a GPU, and says which is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from . import backend, random
from .core import Tensor, wrap


def is_available() -> bool:
    """Whether CuPy is installed and finds a GPU."""
    try:
        return bool(_cupy())
    except RuntimeError:
        return False


def device_count() -> int:
    """How many GPUs there are."""
    return int(_cupy().cuda.runtime.getDeviceCount()) if is_available() else 0


def is_initialized() -> bool:
    """Whether a tensor has been on a GPU."""
    return "cuda" in backend.device_types()


def init() -> None:
    """Let the GPU in now, rather than when the first tensor goes there."""
    backend.module_for("cuda")


def _cupy() -> Any:
    return backend.load_cupy()


def _on(where: Any = None) -> Any:
    """CuPy's device for an index, "cuda:1", a device or None, the current one."""
    index = where if where is None or isinstance(where, int) else backend.device(where).index
    return _cupy().cuda.Device(index)


def current_device() -> int:
    """The index of the GPU on which "cuda" puts tensors."""
    return int(_on().id)


def set_device(device: Any) -> None:
    """Make "cuda" mean this GPU: an index, "cuda:1" or a device."""
    _on(device).use()


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has finished everything that it was given."""
    _on(device).synchronize()


def get_device_name(device: Any = None) -> str:
    """The name of the GPU, such as "NVIDIA GeForce RTX 3060"."""
    return str(get_device_properties(device).name)


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """``name``, ``total_memory`` (bytes), ``multi_processor_count``, ``major`` and ``minor``."""
    found = _cupy().cuda.runtime.getDeviceProperties(_on(device).id)
    return SimpleNamespace(
        name=found["name"].decode(), total_memory=found["totalGlobalMem"],
        multi_processor_count=found["multiProcessorCount"],
        major=found["major"], minor=found["minor"],
    )  # fmt: skip


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability, such as (8, 6)."""
    found = get_device_properties(device)
    return found.major, found.minor


# -- memory ----------------------------------------------------------------------------------------

_peaks: dict[int, Any] = {}  # for each GPU that is watched, what notes its highest use


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays use, in blocks of 512."""
    with _on(device):
        return int(_cupy().get_default_memory_pool().used_bytes())


def memory_reserved(device: Any = None) -> int:
    """Bytes that CuPy holds: those in use, and those it keeps for the next array."""
    with _on(device):
        return int(_cupy().get_default_memory_pool().total_bytes())


def max_memory_allocated(device: Any = None) -> int:
    """The highest ``memory_allocated`` since ``reset_peak_memory_stats``, or the first such call.

    CuPy keeps no peaks. Noting them costs a little at each new array, so it starts when asked for.
    """
    where = _on(device).id
    if where not in _peaks:
        reset_peak_memory_stats(device)
    return max(_peaks[where].highest, memory_allocated(device))


def reset_peak_memory_stats(device: Any = None) -> None:
    """Start to note the highest use of memory, in this thread, from the present one."""
    where = _on(device).id
    if where not in _peaks:
        _peaks[where] = backend.peak_hook(where, lambda: memory_allocated(where))
        _peaks[where].__enter__()
    _peaks[where].highest = memory_allocated(device)


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Bytes that are free on the GPU, for all programs, and bytes that it has."""
    free, total = _on(device).mem_info
    return int(free), int(total)


def empty_cache() -> None:
    """Give the memory that CuPy keeps for later back to the GPU."""
    _cupy().get_default_memory_pool().free_all_blocks()
    _cupy().get_default_pinned_memory_pool().free_all_blocks()


# -- streams and events ----------------------------------------------------------------------------


class Stream:
    """A queue of work of its own. ``with cuda.stream(s):`` gives it what is launched inside."""

    def __init__(self, device: Any = None, priority: int = 0, *, given: Any = None):
        if given is None:
            with _on(device):
                given = _cupy().cuda.Stream(non_blocking=True, priority=priority)
        self.cupy = given

    def synchronize(self) -> None:
        """Wait until this stream's work is done."""
        self.cupy.synchronize()

    def query(self) -> bool:
        """Whether this stream's work is done."""
        return bool(self.cupy.done)

    def record_event(self, event: Event | None = None) -> Event:
        """Record an event here, a new one unless given; return it."""
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What is launched here from now on starts after ``event``."""
        self.cupy.wait_event(event.cupy)

    def wait_stream(self, stream: Stream) -> None:
        """What is launched here from now on starts after what ``stream`` has now."""
        self.wait_event(stream.record_event())


def current_stream(device: Any = None) -> Stream:
    """The stream that is given work now."""
    with _on(device):
        return Stream(given=_cupy().cuda.get_current_stream())


def default_stream(device: Any = None) -> Stream:
    """The stream that is given work unless told otherwise."""
    return Stream(given=_cupy().cuda.Stream.null)


@contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """Give what is launched inside to ``stream``; None changes nothing."""
    if stream is None:
        yield
    else:
        with stream.cupy:
            yield


class Event:
    """A mark in a stream. Two with ``enable_timing`` tell the time between them on the GPU."""

    def __init__(self, enable_timing: bool = False, blocking: bool = False):
        self.cupy = _cupy().cuda.Event(block=blocking, disable_timing=not enable_timing)

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark behind what ``stream`` (the current one) has now."""
        self.cupy.record(None if stream is None else stream.cupy)

    def wait(self, stream: Stream | None = None) -> None:
        """What ``stream`` (the current one) is given from now on starts after this mark."""
        (stream or current_stream()).wait_event(self)

    def query(self) -> bool:
        """Whether the work before the mark is done."""
        return bool(self.cupy.done)

    def synchronize(self) -> None:
        """Wait until the work before the mark is done."""
        self.cupy.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds on the GPU from this mark to ``end_event``."""
        return float(_cupy().cuda.get_elapsed_time(self.cupy, end_event.cupy))


# -- random numbers, pinned memory -----------------------------------------------------------------


def manual_seed(seed: int) -> None:
    """Seed the random numbers, if there is a GPU: one stream serves every device."""
    if is_available():
        random.manual_seed(seed)


manual_seed_all = manual_seed


def pin_memory(t: Tensor) -> Tensor:
    """A copy in memory that the system does not move; the GPU copies from it without waiting.

    Itself if it is pinned already. Raises RuntimeError for a tensor on a GPU, and without a GPU.
    """
    if backend.device_of(t.array).type != "cpu":
        raise RuntimeError("cannot pin a tensor on a GPU: only dense CPU tensors can be pinned")
    return t if is_pinned(t) else wrap(backend.pin(t.array))


def is_pinned(t: Tensor) -> bool:
    """Whether this tensor's memory is pinned."""
    return backend.is_pinned(t.array)


Tensor.pin_memory = pin_memory  # type: ignore[attr-defined]
Tensor.is_pinned = is_pinned  # type: ignore[attr-defined]
