"""The GPU's kernels give NumPy's results: their text, compiled for the host by the C++ compiler.

``HostModule`` takes an ``ElementwiseKernel`` as CuPy does (the same text, names and order of
arguments), compiles it with g++ and runs it, one element after the other. What only a GPU can
show, that CuPy takes it as well, tests marked ``gpu`` do.
"""

import ctypes
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

import minitensor as mt
from minitensor import kernels
from minitensor.ops import conv, fused
from minitensor.optim import Adam

needs_compiler = pytest.mark.skipif(
    not shutil.which("g++"), reason="no g++ to compile kernels with"
)
CTYPES = {"float32": "float", "float64": "double", "int32": "int", "int64": "long long"}


class HostKernel:
    """A kernel on the CPU: ``kernel(*inputs, *outputs)`` on contiguous arrays of one dtype T."""

    def __init__(self, folder, given, changed, body, name):
        self.folder, self.body, self.name = folder, body, name
        self.given = [p.split() for p in given.split(", ")]
        self.changed = [p.split()[-1] for p in changed.split(", ")]

    def source(self, T):
        kinds = {"T": T, "int32": "int", "float64": "double"}
        parameters, reads = [], []
        for *raw, kind, name in self.given:
            if kind != "T":
                parameters.append(f"{kinds[kind]} {name}")
            elif raw:
                parameters.append(f"const T* {name}")
            else:
                parameters.append(f"const T* {name}_all")
                reads.append(f"const T {name} = {name}_all[i];")
        for name in self.changed:
            parameters.append(f"T* {name}_all")
            reads.append(f"T& {name} = {name}_all[i];")
        return (
            f"#include <cmath>\n#include <cstddef>\nusing namespace std;\ntypedef {T} T;\n"
            f'extern "C" void run(ptrdiff_t size, {", ".join(parameters)}) {{\n'
            f"for (ptrdiff_t i = 0; i < size; ++i) {{ {' '.join(reads)} {self.body} }} }}\n"
        )

    def __call__(self, *arguments):
        assert len(arguments) == len(self.given) + len(self.changed)
        arrays = [a for a in arguments if isinstance(a, np.ndarray)]
        assert all(a.flags.c_contiguous and a.dtype == arrays[0].dtype for a in arrays)
        stem = self.folder / f"{self.name}_{arrays[0].dtype}"
        if not stem.with_suffix(".so").exists():
            stem.with_suffix(".cpp").write_text(self.source(CTYPES[arrays[0].dtype.name]))
            build = ["g++", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-o"]
            subprocess.run([*build, stem.with_suffix(".so"), stem.with_suffix(".cpp")], check=True)
        run = ctypes.CDLL(str(stem.with_suffix(".so"))).run
        kinds = {int: ctypes.c_int, float: ctypes.c_double}
        passed = [
            a.ctypes.data_as(ctypes.c_void_p) if isinstance(a, np.ndarray) else kinds[type(a)](a)
            for a in arguments
        ]
        run(ctypes.c_ssize_t(arguments[-1].size), *passed)


class HostModule:
    """NumPy with kernels."""

    def __init__(self, folder):
        self.folder = folder

    def __getattr__(self, name):
        return getattr(np, name)

    def ElementwiseKernel(self, given, changed, body, name):
        return HostKernel(self.folder, given, changed, body, name)


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    kernels._kernel.cache_clear()
    yield HostModule(tmp_path_factory.mktemp("kernels"))
    kernels._kernel.cache_clear()


WINDOWS = [  # size, kernel, stride, dilation
    ((5, 6), (2, 3), (1, 1), (1, 1)),
    ((5, 6), (2, 3), (2, 1), (1, 2)),
    ((7, 7), (3, 3), (2, 2), (1, 1)),
    ((8, 5), (2, 2), (3, 3), (2, 1)),
    ((4, 4), (4, 4), (1, 1), (1, 1)),
    ((6, 6), (1, 1), (4, 5), (1, 1)),
    ((9,), (3,), (2,), (1,)),
    ((9,), (3,), (1,), (3,)),
]


def places(size, kernel, stride, dilation):
    return {"kernel": kernel, "stride": stride, "dilation": dilation}


def values(shape, dtype):
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "i":
        return rng.integers(-9, 9, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


@needs_compiler
@pytest.mark.parametrize("dtype", CTYPES)
@pytest.mark.parametrize("window", WINDOWS)
def test_fold(window, dtype, host):
    size, kernel, stride, dilation = window
    counts = conv.count_windows(size, kernel, stride, dilation)
    x = values((2, 3, *kernel, *counts), dtype)
    wanted = conv._fold(np, x, size=size, **places(*window))
    found = conv._fold(host, x, size=size, **places(*window))
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)  # the same additions in the same order


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("window", WINDOWS)
def test_unfold(window, scattered):
    size, kernel, stride, dilation = window
    x = values((2, 3, *size), "float32")
    if scattered:
        x = np.moveaxis(values((*size, 3, 2), "float32"), (-1, -2), (0, 1))
    counts = conv.count_windows(size, kernel, stride, dilation)
    found = kernels.unfold(np, x, kernel, counts, stride, dilation)
    np.testing.assert_array_equal(found, conv._unfold(np, x, **places(*window)))
    assert found.flags.c_contiguous and not np.shares_memory(found, x)


@needs_compiler
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("window", WINDOWS)
def test_convolution_by_kernels(window, groups, host):
    """``conv`` and its adjoints take the GPU's way through windows: the same numbers come out."""
    size, kernel, stride, dilation = window
    how = conv.Geometry(stride, (1,) * len(size), (0,) * len(size), dilation, groups)
    counts = conv.count_windows(conv.padded(size, how), kernel, stride, dilation)
    x, weight = values((2, 4, *size), "float64"), values((6, 4 // groups, *kernel), "float64")
    out = values((2, 6, *counts), "float64")
    for forward, inputs, attrs in (
        (conv._conv, (x, weight), {}),
        (conv._conv_input, (out, weight), {"size": size}),
        (conv._conv_weight, (x, out), {"kernel": kernel}),
    ):
        wanted = forward(np, *inputs, how=how, **attrs)
        found = forward(host, *inputs, how=how, **attrs)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


ROWS = [(64, 10), (3, 5, 65), (7, 1), (2, 1024)]


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", ROWS)
def test_log_softmax_and_its_way_back(shape, dtype, host):
    limit = {"float32": 1e-5, "float64": 1e-13}[dtype]
    dim = len(shape) - 1
    x, g = values(shape, dtype) * 50, values((2, *shape), dtype)[1]
    wanted = fused._log_softmax(np, x, dim=dim)
    found = fused._log_softmax(host, x, dim=dim)
    np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit)
    np.testing.assert_allclose(
        fused._log_softmax_back(host, g, wanted, dim=dim),
        fused._log_softmax_back(np, g, wanted, dim=dim),
        rtol=limit,
        atol=limit,
    )
    odd = np.array([[0, np.inf], [-np.inf, 1], [np.nan, 1], [-np.inf, -np.inf]], dtype)
    with np.errstate(invalid="ignore"):
        wanted, found = (fused._log_softmax(xp, odd, dim=1) for xp in (np, host))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_rows_that_the_kernels_leave_to_others(host):
    x = values((4, 8), "float32")
    assert kernels.takes_rows(host, x, 1)
    assert not kernels.takes_rows(np, x, 1) and not kernels.takes_rows(host, x, 0)
    for other in (x.astype("float16"), x[:0], x[:, :0], np.zeros((1, 1025), "float32")):
        assert not kernels.takes_rows(host, other, 1)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam(dtype, host):
    p = mt.from_numpy(values(1000, dtype)).requires_grad_()
    adam = Adam([p], lr=0.01)
    found = [values(1000, dtype), np.zeros(1000, dtype), np.zeros(1000, dtype)]
    for count in range(1, 4):
        g = values(1000, dtype) * dtype_of(dtype)(count)
        p.grad = mt.from_numpy(g)
        adam.step()
        c = SimpleNamespace(lr=0.01)
        adam.constants(c, adam.param_groups[0], count)
        adam.update(host, c, found[0], g, found[1], found[2])
    state = adam.state[p]
    wanted = [p.detach().numpy(), *(state[k].numpy() for k in ("exp_avg", "exp_avg_sq"))]
    limit = {"float32": 2e-6, "float64": 1e-14}[dtype]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit)
    assert np.abs(found[0] - values(1000, dtype)).max() > 0.02  # it moved


def dtype_of(name):
    return np.dtype(name).type


def test_the_stand_in_and_numpy_make_no_kernels():
    far = mt.ones(1, device="standin").array
    assert not kernels.is_gpu(np) and not kernels.is_gpu(mt.backend.MODULES[type(far)])


# -- on a GPU --------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", ["float16", *CTYPES])
@pytest.mark.parametrize("window", WINDOWS)
def test_unfold_and_fold_on_a_gpu(window, dtype):
    size, kernel, stride, dilation = window
    counts = conv.count_windows(size, kernel, stride, dilation)
    for fn, shape, extra in (
        (conv.unfold, size, {}), (conv.fold, (*kernel, *counts), {"size": size}),
    ):  # fmt: skip
        x = mt.from_numpy(values((2, 3, *shape), dtype))
        wanted = fn(x, **extra, **places(*window))
        found = fn(x.to("cuda"), **extra, **places(*window)).cpu()
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", ROWS)
def test_cross_entropy_on_a_gpu(shape, dtype):
    target = mt.arange(int(np.prod(shape[:-1]))) % shape[-1]
    found = {}
    for device in ("cpu", "cuda"):
        x = mt.from_numpy(values(shape, dtype)).to(device).requires_grad_()
        loss = mt.nn.functional.cross_entropy(x.reshape(-1, shape[-1]), target.to(device))
        loss.backward()
        found[device] = loss.item(), x.grad.cpu().numpy()
    limit = {"float32": 1e-5, "float64": 1e-12}[dtype]
    for a, b in zip(found["cuda"], found["cpu"], strict=True):
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_on_a_gpu(dtype):
    found = {}
    for device in ("cpu", "cuda"):
        p = mt.from_numpy(values(1000, dtype)).to(device).requires_grad_()
        adam = Adam([p], lr=0.01)
        for count in range(1, 4):
            p.grad = mt.from_numpy(values(1000, dtype) * dtype_of(dtype)(count)).to(device)
            adam.step()
        found[device] = p.detach().cpu().numpy()
    limit = {"float32": 2e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(found["cuda"], found["cpu"], rtol=limit, atol=limit)
