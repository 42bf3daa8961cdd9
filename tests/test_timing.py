"""Timings that can be trusted: on the fake device, where every time is known, and on the CPU."""

import gc
import math
import random

import numpy as np
import pytest

import minitensor as mt
from minitensor import timing
from minitensor.timing import FakeDevice, Timing, TimingError, bench, measure, work

# -- the fake device -------------------------------------------------------------------------------


def test_a_launch_returns_before_the_work_is_done():
    gpu = FakeDevice(overhead=1e-6, compiling=0.0)
    for _ in range(3):
        gpu.launch("k", 1e-3)
    assert gpu.now() == pytest.approx(3e-6)
    gpu.synchronize()
    assert gpu.now() == pytest.approx(1e-6 + 3e-3)  # the first starts when its launch returns
    for before, after in zip(gpu.log, gpu.log[1:], strict=False):
        assert after.started == before.finished > after.returned > after.called
    gpu.synchronize()
    assert gpu.now() == pytest.approx(1e-6 + 3e-3)  # nothing was left


def test_each_kernel_is_compiled_once():
    gpu = FakeDevice(overhead=0.0, compiling=0.5)
    for kernel in ("a", "a", "b", "a"):
        gpu.launch(kernel, 0.0)
    assert [e.returned - e.called for e in gpu.log] == [0.5, 0.0, 0.5, 0.0]


def test_a_copy_waits_its_turn_and_the_host_waits_for_it():
    gpu = FakeDevice(overhead=0.0, compiling=0.0, bandwidth=1e9)
    gpu.launch("k", 1.0)
    gpu.work(0.25)
    gpu.copy(500_000_000)
    assert gpu.now() == 1.5 and gpu.log[-1].started == 1.0


def test_the_same_seed_gives_the_same_times():
    def times(seed):
        gpu = FakeDevice(jitter=0.3, seed=seed)
        return bench(lambda: gpu.launch("k", 1e-3), gpu).samples

    assert times(1) == times(1) != times(2)
    assert min(times(1)) >= 1e-3


# -- bench -----------------------------------------------------------------------------------------


def test_bench_finds_the_time_that_the_device_needs():
    gpu = FakeDevice(overhead=10e-6, compiling=0.5)
    found = bench(lambda: gpu.launch("k", 2e-3), gpu)
    assert found.median == pytest.approx(2e-3 + 10e-6) and found.reached and found.precision == 0
    assert found.what == "work" and found.device == "fake device"
    assert found.samples == pytest.approx([found.median] * len(found.samples))  # compiled before


def test_bench_without_waiting_finds_what_a_launch_costs():
    gpu = FakeDevice(overhead=10e-6)
    found = bench(lambda: gpu.launch("k", 2e-3), gpu, wait=False)
    assert found.median == pytest.approx(10e-6) and found.what == "launch"


def test_bench_goes_on_until_it_is_precise_enough():
    def samples(precision):
        gpu = FakeDevice(jitter=0.5, seed=3)
        found = bench(lambda: gpu.launch("k", 1e-3), gpu, precision=precision, limit=10)
        assert found.reached and found.precision <= precision and found.wanted == precision
        return len(found.samples)

    assert 6 <= samples(0.5) < samples(0.1) < samples(0.05)


def test_bench_says_when_time_ran_out():
    gpu = FakeDevice(jitter=0.9, seed=3)
    found = bench(lambda: gpu.launch("k", 1e-3), gpu, precision=0.001, limit=0.02)
    assert not found.reached and found.precision > 0.001
    assert "NOT the 0.1% wanted" in str(found)
    assert gpu.now() < 0.2


def test_never_a_mean_of_one_however_slow_the_work_is():
    gpu = FakeDevice()
    assert len(bench(lambda: gpu.launch("k", 100.0), gpu, limit=1e-3).samples) == 6


def test_a_sample_holds_enough_calls_for_the_clock():
    gpu = FakeDevice(overhead=3e-9, compiling=0.0)
    found = bench(lambda: gpu.launch("k", 3e-9), gpu)
    assert found.calls * 3e-9 >= measure.TICKS * gpu.resolution
    assert found.median == pytest.approx(3e-9, rel=0.02)


def test_what_the_clock_cannot_tell_is_refused():
    gpu = FakeDevice(overhead=3e-9, compiling=0.0)
    with pytest.raises(TimingError, match=r"1 call\(s\) took 6 ns.*moves in steps of 1 ns"):
        bench(lambda: gpu.launch("k", 3e-9), gpu, calls=1)
    with pytest.raises(TimingError, match="calls took no time"):
        bench(lambda: None, gpu)
    with pytest.raises(TimingError, match="too short to be told"):
        bench(lambda: None, calls=1)


@pytest.mark.parametrize(
    "wrong", [{"precision": 0}, {"precision": 1}, {"limit": 0}, {"warmup": 0}, {"calls": 0}]
)
def test_arguments_that_make_no_timing(wrong):
    with pytest.raises(ValueError, match="warmup >= 1"):
        bench(lambda: None, **wrong)


def test_bench_on_the_cpu_agrees_with_sleep_and_leaves_the_collector_alone():
    import time

    seen = []
    found = bench(lambda: (time.sleep(0.002), seen.append(gc.isenabled())), limit=0.05)
    assert 0.002 <= found.median < 1 and found.device == "cpu" and found.calls == 1
    assert seen[0] is True and seen[-1] is False and gc.isenabled()


def test_a_failing_function_turns_the_collector_on_again():
    calls = []

    def breaks():
        calls.append(1)
        if len(calls) > 3:
            raise KeyError("here")

    with pytest.raises(KeyError):
        bench(breaks)
    assert gc.isenabled()


def test_no_timing_on_a_device_that_is_not_there():
    if mt.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match="device 'cuda' needs"):
        bench(lambda: None, "cuda")


def test_the_first_calls_in_order():
    gpu = FakeDevice(overhead=0.0, compiling=0.5)
    found = timing.first_calls(lambda: lambda: gpu.launch("k", 0.25), gpu, 5)
    assert found.samples == (0.75, 0.25, 0.25, 0.25, 0.25) and found.what == "first calls"
    assert str(found) == "call 1 took 750 ms, the median of 5 is 250 ms"


# -- what a Timing says ----------------------------------------------------------------------------


def test_the_interval_holds_the_median_19_times_in_20():
    rng, n, rounds = random.Random(0), 21, 4000
    inside = 0
    for _ in range(rounds):
        draws = tuple(rng.lognormvariate(0, 1) for _ in range(n))
        low, high = Timing(draws, 1, 0.05, "cpu").interval
        inside += low <= 1 <= high  # the median of this distribution is 1
    exact = 1 - 2 * sum(math.comb(n, k) for k in range(6)) / 2**n  # between the 6th and the 16th
    assert exact >= 0.95 > 1 - 2 * sum(math.comb(n, k) for k in range(7)) / 2**n
    assert abs(inside / rounds - exact) < 0.015


def test_median_quartiles_and_precision():
    t = Timing((5.0, 1.0, 2.0, 4.0, 3.0, 9.0), 1, 0.05, "cpu", label="x")
    assert t.median == 3.5 and t.quartiles == tuple(np.quantile(t.samples, [0.25, 0.75]))
    assert t.interval == (1.0, 9.0)  # of six samples nothing less will do
    assert t.precision == pytest.approx(8 / 2 / 3.5) and not t.reached
    assert str(t).startswith("x: 3.5 s (quartiles 2.25 s to 4.75 s), 6 samples of 1 calls")


@pytest.mark.parametrize(
    "t, text", [(0, "0 ns"), (2.5e-8, "25 ns"), (1e-6, "1 µs"), (0.0123, "12.3 ms"), (75, "75 s")]
)
def test_times_in_words(t, text):
    assert timing.seconds(t) == text


# -- work and limits -------------------------------------------------------------------------------

CASES = [  # op, shapes, dtype, attributes, operations, numbers moved
    ("add", [(10,), (10,)], "float32", {}, 10, 30),
    ("add", [(4, 1), (5,)], "float64", {}, 20, 4 + 5 + 20),
    ("tanh", [(3, 4)], "float16", {}, 12, 24),
    ("relu", [(7,)], "float32", {}, 7, 14),
    ("sum", [(6, 5)], "float32", {}, 30, 31),
    ("softmax", [(2, 5)], "float32", {}, 50, 20),
    ("copy", [(8,)], "uint8", {}, 0, 16),
    ("matmul", [(3, 4), (4, 5)], "float32", {}, 2 * 3 * 4 * 5, 12 + 20 + 15),
    ("matmul", [(2, 3, 4), (4, 5)], "float64", {}, 2 * 2 * 60, 24 + 20 + 30),
]


@pytest.mark.parametrize("op, shapes, dtype, attrs, flops, numbers", CASES)
def test_work(op, shapes, dtype, attrs, flops, numbers):
    found = work(op, shapes, dtype, **attrs)
    assert found == timing.Work(flops, numbers * np.dtype(dtype).itemsize)
    assert found.intensity == flops / found.bytes


@pytest.mark.parametrize("stride, padding", [(1, 0), (2, 1), (3, 2)])
def test_work_of_a_convolution_is_that_of_its_windows(stride, padding):
    x, w = mt.ones(2, 3, 9, 8), mt.ones(5, 3, 3, 2)
    out = mt.conv2d(x, w, stride=stride, padding=padding)
    found = work("conv2d", [x.shape, w.shape], stride=stride, padding=padding)
    assert found.flops == out.numel() * 2 * 3 * 3 * 2
    assert found.bytes == 4 * (x.numel() + w.numel() + out.numel())


@pytest.mark.parametrize(
    "op, shapes", [("matmul", [(2, 3), (4, 5)]), ("cumsum", [(3,)]), ("add", [(3,)]),
                   ("add", [(3,), (4,)]), ("conv2d", [(2, 3, 9, 8), (5, 4, 3, 3)]), ("?", [(3,)])],
)  # fmt: skip
def test_work_that_cannot_be_counted(op, shapes):
    with pytest.raises(ValueError):
        work(op, shapes)


def test_works_add_up():
    a, b = work("add", [(4,), (4,)]), work("tanh", [(4,)])
    assert a + b == timing.Work(8, a.bytes + b.bytes)


def test_limits_are_what_was_measured():
    found = timing.limits("cpu", megabytes=8, size=128, limit=0.05)
    copy, product = found.timings["copy"], found.timings["matmul"]
    assert found.bandwidth == 8 * 2**20 / copy.median and found.rate == 2 * 128**3 / product.median
    assert found.balance == found.rate / found.bandwidth
    assert found.attainable(found.balance / 2) == pytest.approx(found.rate / 2)
    assert found.attainable(found.balance * 9) == found.rate
    assert found.best(work("matmul", [(128, 128)] * 2)) == pytest.approx(product.median)
    assert found.best(work("copy", [(2**20,)])) == pytest.approx(copy.median)
    assert 0 < found.launch < product.median


def test_transfer():
    gpu = FakeDevice(overhead=1e-6, bandwidth=1e9)
    found = timing.transfer(10**6, gpu)
    assert found["to"].median == pytest.approx(1e-3 + 1e-6) == found["back"].median
    with pytest.raises(ValueError, match="nothing moves to the CPU"):
        timing.transfer(10, "cpu")
    moved = timing.transfer(10**6, "standin", limit=0.05)
    assert set(moved) == {"to", "back"} and all(t.median > 0 for t in moved.values())
