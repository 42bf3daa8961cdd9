"""minitensor.cuda: without a GPU it says what is missing; with one it asks CuPy the right thing.

Most machines that run this have no GPU, so a small CuPy of our own stands in: it holds the names
that are used, as CuPy's documentation gives them. That CuPy has them is checked where it is
installed; that they do what they should, on a GPU.
"""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

import minitensor as mt
from minitensor import backend, cuda

ASK = [
    lambda: mt.ones(1).to("cuda"), lambda: mt.ones(1).cuda(), lambda: mt.zeros(2, device="cuda"),
    lambda: mt.device("cuda") and mt.tensor([1.0], device="cuda:0"), cuda.synchronize, cuda.init,
    cuda.current_device, cuda.memory_allocated, cuda.max_memory_allocated, cuda.empty_cache,
    cuda.get_device_name, cuda.get_device_properties, cuda.Stream, cuda.Event, cuda.current_stream,
    cuda.mem_get_info, cuda.reset_peak_memory_stats, lambda: cuda.set_device(0),
    lambda: mt.ones(2).pin_memory(),
]  # fmt: skip


@pytest.fixture
def no_cupy(monkeypatch):
    """CuPy is not installed."""

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    if cuda.is_initialized():
        pytest.skip("CuPy has joined already")
    monkeypatch.setattr(backend.importlib, "import_module", missing)


@pytest.mark.parametrize("ask", ASK)
def test_without_cupy(ask, no_cupy):
    with pytest.raises(RuntimeError, match=r"needs CuPy, which is not installed.*\[cuda12\].*13\]"):
        ask()


@pytest.mark.parametrize("ask", ASK)
def test_without_a_gpu(ask, no_cupy, monkeypatch):
    found = SimpleNamespace(is_available=lambda: False)
    monkeypatch.setattr(backend.importlib, "import_module", lambda name: found)
    with pytest.raises(RuntimeError, match="CuPy is installed, but finds no CUDA GPU here"):
        ask()


def test_with_a_cupy_that_does_not_fit_the_system(no_cupy, monkeypatch):
    def broken(name):
        raise ImportError("libcublas.so.12: cannot open shared object file")

    monkeypatch.setattr(backend.importlib, "import_module", broken)
    with pytest.raises(RuntimeError, match=r"fails to import \(libcublas.*\[cuda12\]"):
        mt.ones(1).to("cuda")


def test_questions_that_never_fail(no_cupy):
    mt.manual_seed(3)
    before = mt.get_rng_state().tolist()
    assert cuda.is_available() is False and cuda.device_count() == 0
    assert cuda.is_initialized() is False and mt.ones(1).is_pinned() is False
    cuda.manual_seed(0), cuda.manual_seed_all(0)
    assert mt.get_rng_state().tolist() == before  # as in PyTorch: the CPU's stream is left alone


@pytest.mark.parametrize("name", ["is_available", "device_count", "is_initialized"])
def test_pytorch_answers_the_same_without_a_gpu(name, no_cupy):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("PyTorch finds a GPU")
    assert getattr(cuda, name)() == getattr(torch.cuda, name)()


def test_names_are_pytorchs():
    torch = pytest.importorskip("torch")
    public = [n for n in vars(cuda) if not n.startswith("_") and callable(getattr(cuda, n))]
    own = [n for n in public if getattr(cuda, n).__module__ == cuda.__name__]
    on_tensors = {"pin_memory", "is_pinned"}
    assert len(own) >= 25
    assert [n for n in own if n not in on_tensors and not hasattr(torch.cuda, n)] == []
    for kind in ("Stream", "Event"):
        ours = [n for n in vars(getattr(cuda, kind)) if not n.startswith("_")]
        assert [n for n in ours if not hasattr(getattr(torch.cuda, kind), n)] == []


# -- with a small CuPy -----------------------------------------------------------------------------


class SmallCupy:
    """Notes what it is asked, and answers as CuPy does on a machine with two GPUs."""

    def __init__(self):
        self.asked, self.used, self.now = [], [1000, 2000], 0
        outer = self

        class Device:
            def __init__(self, device=None):
                self.id = outer.now if device is None else device
                self.mem_info = (5, 9)

            def __enter__(self):
                self.before, outer.now = outer.now, self.id

            def __exit__(self, *error):
                outer.now = self.before

            def use(self):
                outer.now = self.id

            def synchronize(self):
                outer.asked.append(("synchronize", self.id))

        class Queue:
            def __init__(self, **options):
                self.options, self.done = options, False

            def __enter__(self):
                outer.asked.append(("use", self))

            def __exit__(self, *error):
                outer.asked.append(("leave", self))

            def synchronize(self):
                self.done = True

            def wait_event(self, event):
                outer.asked.append(("wait", event, self))

            def record(self, stream=None):
                outer.asked.append(("record", self, stream))

        class MemoryHook:
            entered = 0

            def __enter__(self):
                MemoryHook.entered += 1
                outer.hook = self

        Queue.null = Queue()
        self.cuda = SimpleNamespace(
            Device=Device, Stream=Queue, Event=Queue, MemoryHook=MemoryHook,
            get_current_stream=lambda: Queue.null, get_elapsed_time=lambda a, b: 1.5,
            runtime=SimpleNamespace(
                getDeviceCount=lambda: 2, getDeviceProperties=lambda i: {
                    "name": b"Toy %d" % i, "totalGlobalMem": 9, "multiProcessorCount": 4,
                    "major": 8, "minor": 6,
                },
            ),
        )  # fmt: skip
        self.pool = SimpleNamespace(
            used_bytes=lambda: self.used[self.now], total_bytes=lambda: 4096,
            free_all_blocks=lambda: self.asked.append("freed"),
        )  # fmt: skip
        self.is_available = lambda: True
        self.get_default_memory_pool = self.get_default_pinned_memory_pool = lambda: self.pool


@pytest.fixture
def cupy(monkeypatch):
    made = SmallCupy()
    monkeypatch.setattr(backend, "load_cupy", lambda: made)
    monkeypatch.setattr(cuda, "_peaks", {})
    return made


def test_devices(cupy):
    assert cuda.is_available() and cuda.device_count() == 2 and cuda.current_device() == 0
    cuda.synchronize(), cuda.synchronize(1), cuda.synchronize("cuda:1")
    cuda.synchronize(mt.device("cuda", 0))
    assert cupy.asked == [("synchronize", i) for i in (0, 1, 1, 0)]
    assert cuda.get_device_name(1) == "Toy 1" and cuda.get_device_capability("cuda:0") == (8, 6)
    about = cuda.get_device_properties()
    assert (about.name, about.total_memory, about.multi_processor_count) == ("Toy 0", 9, 4)
    cuda.set_device("cuda:1")
    assert cuda.current_device() == 1 and cuda.get_device_name() == "Toy 1"


def test_memory(cupy):
    assert cuda.memory_allocated() == 1000 and cuda.memory_allocated("cuda:1") == 2000
    assert cuda.memory_reserved() == 4096 and cuda.mem_get_info() == (5, 9)
    cuda.empty_cache()
    assert cupy.asked == ["freed", "freed"]


def test_the_peak_is_noted_once_it_was_asked_for(cupy):
    assert cuda.max_memory_allocated() == 1000
    cupy.used[0] = 5000
    cupy.hook.malloc_postprocess(
        device_id=0, size=1, mem_size=512, mem_ptr=1, pmem_id=1
    )  # as CuPy calls it
    cupy.used[0] = 3000
    assert cuda.max_memory_allocated() == 5000 and cuda.memory_allocated() == 3000
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_allocated() == 3000 and cupy.cuda.MemoryHook.entered == 1
    cupy.used[1] = 9000
    cupy.hook.malloc_postprocess(device_id=1, size=1, mem_size=512, mem_ptr=1, pmem_id=1)
    assert cuda.max_memory_allocated() == 3000  # that was on another GPU


def test_streams_and_events(cupy):
    first, second = cuda.Stream(), cuda.Stream(priority=-1)
    assert first.cupy.options == {"non_blocking": True, "priority": 0}
    assert second.cupy.options["priority"] == -1 and not first.query()
    first.synchronize()
    assert first.query() and not second.query()
    with cuda.stream(second), cuda.stream(None):
        assert cupy.asked == [("use", second.cupy)]
    assert cupy.asked.pop() == ("leave", second.cupy)
    cupy.asked.clear()
    second.wait_stream(first)
    (what, event, queue), (then, same, waiting) = cupy.asked
    assert (what, queue, then, waiting) == ("record", first.cupy, "wait", second.cupy)
    assert event is same and event.options == {"block": False, "disable_timing": True}
    start = cuda.Event(enable_timing=True)
    assert start.cupy.options["disable_timing"] is False
    start.record()
    assert cupy.asked[-1] == ("record", start.cupy, None)
    start.wait(first)
    assert cupy.asked[-1] == ("wait", start.cupy, first.cupy)
    start.wait()
    assert cupy.asked[-1] == ("wait", start.cupy, cuda.default_stream().cupy)
    assert start.elapsed_time(cuda.Event(enable_timing=True)) == 1.5
    start.synchronize()
    assert start.query()


def test_a_failure_in_a_stream_leaves_it(cupy):
    s = cuda.Stream()
    with contextlib.suppress(KeyError), cuda.stream(s):
        raise KeyError
    assert cupy.asked == [("use", s.cupy), ("leave", s.cupy)]


def test_seeding_a_gpu_seeds_the_one_stream(cupy):
    cuda.manual_seed_all(5)
    found = mt.rand(3).tolist()
    mt.manual_seed(5)
    assert found == mt.rand(3).tolist()


def test_pinned_memory(monkeypatch):
    class PinnedMemoryPointer(bytearray):
        """What CuPy's pinned arrays view."""

    def empty_pinned(shape, dtype):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.ndarray(shape, dtype, buffer=PinnedMemoryPointer(size))

    monkeypatch.setattr(backend, "load_cupy", lambda: None)
    module = SimpleNamespace(empty_pinned=empty_pinned)
    monkeypatch.setattr(backend.importlib, "import_module", {"cupyx": module}.get)
    x = mt.arange(6.0).reshape(2, 3)
    pinned = x.pin_memory()
    assert pinned.tolist() == x.tolist() and pinned.dtype == x.dtype and not x.is_pinned()
    assert pinned.is_pinned() and pinned[0].is_pinned() and pinned.pin_memory() is pinned
    pinned[0, 0] = 9.0
    assert x[0, 0] == 0
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        x.to("standin").pin_memory()


# -- with CuPy installed, GPU or not ---------------------------------------------------------------


def test_cupy_has_the_names_that_are_used():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    for path in (
        "cuda.Device.use", "cuda.Device.synchronize", "cuda.Device.mem_info", "cuda.Stream.null",
        "cuda.Stream.synchronize", "cuda.Stream.wait_event", "cuda.Event.record", "cuda.Event.done",
        "cuda.Event.synchronize", "cuda.get_current_stream", "cuda.get_elapsed_time",
        "cuda.MemoryHook.malloc_postprocess", "cuda.runtime.getDeviceCount",
        "cuda.runtime.getDeviceProperties", "cuda.runtime.runtimeGetVersion", "is_available",
        "get_default_memory_pool", "get_default_pinned_memory_pool", "ElementwiseKernel",
        "lib.stride_tricks.as_strided", "add.at", "copyto", "empty_like", "ndarray.get",
    ):  # fmt: skip
        holder = cupy
        for name in path.split("."):
            holder = getattr(holder, name)
    assert cupy.cuda.PinnedMemoryPointer.__name__ == "PinnedMemoryPointer"
