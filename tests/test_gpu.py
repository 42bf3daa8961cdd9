"""On a real GPU: ``pytest -m gpu``. Everything here is skipped elsewhere, with the reason.

The suites of operations, functions, convolution, creation and random numbers run there as well,
by the ``device`` fixture and the GPU parameter of conftest. Here is what only a GPU can show.
"""

import numpy as np
import pytest

import minitensor as mt
from minitensor import backend, cuda, timing
from minitensor.timing import peers

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("gpu")]

nn, F = mt.nn, mt.nn.functional
RNG = np.random.default_rng(0)


def both(call, *arrays, limit=1e-5):
    """``call`` on the CPU and on the GPU must give the same, and the same gradients."""
    found = []
    for device in ("cpu", "cuda"):
        inputs = [mt.from_numpy(a).to(device) for a in arrays]
        for t in inputs:
            t.requires_grad_(t.is_floating_point())
        out = call(*inputs)
        assert out.device.type == device
        if out.requires_grad:
            (out * out).sum().backward()
        grads = [t.grad.cpu().numpy() for t in inputs if t.grad is not None]
        found.append([out.detach().cpu().numpy(), *grads])
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit)


def test_the_device_and_its_questions():
    x = mt.ones(3).to("cuda")
    assert x.device == mt.device("cuda", cuda.current_device()) and x.is_cuda
    assert cuda.is_available() and cuda.device_count() >= 1 and cuda.is_initialized()
    about = cuda.get_device_properties()
    assert about.name == cuda.get_device_name() and about.total_memory > 0
    assert cuda.get_device_capability() == (about.major, about.minor)
    free, total = cuda.mem_get_info()
    assert 0 < free <= total
    assert "device='cuda:" in repr(x) and x.cpu().tolist() == [1, 1, 1]


def test_memory_grows_and_is_given_back():
    cuda.empty_cache()
    before = cuda.memory_allocated()
    cuda.reset_peak_memory_stats()
    x = mt.zeros(1_000_000, device="cuda")
    held = cuda.memory_allocated() - before
    assert 4_000_000 <= held < 4_100_000
    y = x + 1
    del y
    assert cuda.memory_allocated() - before == held
    assert cuda.max_memory_allocated() - before >= 2 * held
    assert cuda.memory_reserved() >= cuda.memory_allocated()
    del x
    assert cuda.memory_allocated() == before


def test_streams_and_events():
    side = cuda.Stream()
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    x = mt.ones(2000, 2000, device="cuda")
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        start.record(side)
        y = x @ x
        end.record(side)
    end.synchronize()
    assert end.query() and start.elapsed_time(end) > 0
    cuda.current_stream().wait_stream(side)
    assert y[0, 0].item() == 2000
    side.synchronize()
    assert side.query()


def test_pinned_memory_and_copies_that_are_not_waited_for():
    pinned = mt.arange(1000.0).pin_memory()
    assert pinned.is_pinned() and not mt.ones(1).is_pinned()
    far = backend.move(pinned.array, "cuda", non_blocking=True)
    cuda.synchronize()
    assert backend.to_numpy(far).tolist() == pinned.tolist()
    assert pinned.to("cuda", non_blocking=True).cpu().tolist() == pinned.tolist()


def test_mixing_devices_raises():
    far, near = mt.ones(2, device="cuda"), mt.ones(2)
    for mix in (lambda: far + near, lambda: near @ far, lambda: mt.cat([far, near])):
        with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
            mix()
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
        far.numpy()


def test_to_another_gpu():
    if cuda.device_count() < 2:
        pytest.skip("one GPU")
    x = mt.arange(3.0).to("cuda:0").to("cuda:1")
    assert x.device == mt.device("cuda:1") and x.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int64", "int32", "int16", "int8", "uint8"]
)
def test_adding_at_an_index_in_every_dtype(dtype):
    values = RNG.integers(-3, 4, (6, 2)).astype(dtype)
    index = np.asarray([0, 2, 2, 1, 0, 2])
    found = []
    for device in ("cpu", "cuda"):
        zeros = mt.zeros(3, 2, dtype=getattr(mt, dtype), device=device)
        at, x = (mt.from_numpy(a).to(device) for a in (index, values))
        found.append(zeros.index_add(0, at, x).cpu().numpy())
    np.testing.assert_array_equal(*found)


def test_erf_and_the_layers_built_on_it():
    x = RNG.uniform(-4, 4, 100)
    both(mt.erf, x, limit=1e-13)
    both(F.gelu, x.astype(np.float32))


NETWORKS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), (5, 6)),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(36, 3),
        ),
        (5, 2, 6, 6),
    ),
    "transformer": (
        lambda: nn.Sequential(
            nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True),
            nn.Flatten(), nn.Linear(40, 3),
        ),
        (5, 5, 8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("optimiser", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"])
def test_training_gives_the_cpus_losses(name, optimiser):
    make, shape = NETWORKS[name]
    x, y = RNG.standard_normal(shape).astype(np.float32), RNG.integers(0, 3, shape[0])
    losses = {}
    for device in ("cpu", "cuda"):
        mt.manual_seed(0)
        model = make().to(device)
        steps = getattr(mt.optim, optimiser)(model.parameters(), lr=0.01)
        inputs, target = mt.from_numpy(x).to(device), mt.from_numpy(y).to(device)
        losses[device] = []
        for _ in range(5):
            steps.zero_grad()
            loss = F.cross_entropy(model(inputs), target)
            loss.backward()
            steps.step()
            losses[device].append(loss.item())
        assert {p.device.type for p in model.parameters()} == {device}
    np.testing.assert_allclose(losses["cuda"], losses["cpu"], rtol=1e-3, atol=1e-4)


def test_the_same_seed_gives_the_same_numbers():
    found = []
    for device in ("cpu", "cuda"):
        mt.manual_seed(3)
        found.append([mt.randn(20, device=device).cpu().tolist(), mt.rand(3).tolist()])
    assert found[0] == found[1]


def test_a_checkpoint_goes_between_devices(tmp_path):
    model = nn.Linear(4, 3).to("cuda")
    mt.save(model.state_dict(), tmp_path / "a.safetensors")
    other = nn.Linear(4, 3)
    other.load_state_dict(mt.load(tmp_path / "a.safetensors"))
    assert other.weight.device.type == "cpu"
    assert other.weight.tolist() == model.weight.tolist()


def test_timings_wait_for_the_gpu():
    x = mt.ones(4096, 4096, device="cuda")
    done = timing.bench(lambda: x @ x, "cuda", limit=1.0)
    returned = timing.bench(lambda: x @ x, "cuda", limit=1.0, wait=False, calls=20)
    assert returned.median < done.median / 2
    moved = timing.transfer(10_000_000, "cuda", limit=0.5)
    assert set(moved) == {"to", "back", "pinned"}
    top = timing.limits("cuda", limit=0.5)
    assert top.best(timing.work("matmul", [(4096, 4096)] * 2)) < 3 * done.median


def test_recording_both_devices(tmp_path):
    small = lambda t: t.size <= 100 and t.group != "training"  # noqa: E731
    data = timing.record(["cpu", "cuda"], "a test", 0.05, lambda line: None, small)
    timing.save(data, tmp_path / "a.json")
    read = timing.load(tmp_path / "a.json")
    assert {m.device for m in read.measurements} == {"cpu", "cuda"}
    assert read.select(group="transfer") and read.select(group="matmul, data moved")
    assert cuda.get_device_name() in read.label("cuda")


def test_peers_find_the_same():
    for label, runs in peers.works("cuda"):
        assert {"CuPy by hand", "minitensor"} <= set(runs)
        peers.check(label, {peer: run() for peer, run in runs.items()})
