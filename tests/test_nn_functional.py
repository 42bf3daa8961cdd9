"""nn.functional against PyTorch: values, first and second gradients, refusals.

``SAMPLES`` lists, for each function, arguments with which it is called. Arrays among the
positional ones become tensors that require gradients, if they hold floats; those given by name
become tensors that do not. Each sample runs in float64 and float32, on the CPU and the stand-in.
"""

import math
import warnings

import numpy as np
import pytest
from conftest import GPU, has_gpu

import minitensor as mt
import minitensor.nn.functional

RNG = np.random.default_rng(5)


def N(*shape):
    """Normal values."""
    return RNG.standard_normal(shape)


def cut(*shape):
    """Normal values of a shape that lie scattered in memory."""
    wide = RNG.standard_normal([2 * n for n in reversed(shape)])
    return wide.T[tuple(slice(None, None, 2) for _ in shape)]


def U(*shape):
    """Values between 0.05 and 0.95."""
    return RNG.uniform(0.05, 0.95, shape)


def ints(high, *shape):
    return RNG.integers(0, high, shape)


def signs(*shape):
    return RNG.choice([-1.0, 1.0], shape)


def S(*args, **kwargs):
    """One sample: the arguments of one call."""
    return args, kwargs


def with_options(samples, *options):
    """Every sample with every set of options."""
    return [(args, {**kwargs, **more}) for args, kwargs in samples for more in options]


KINKS = np.asarray([-100.0, -20.5, -6.0, -3.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 21.0, 100.0])
PLAIN = [S(N()), S(N(5)), S(np.zeros((0, 3))), S(cut(2, 3)), S(3 * N(2, 3, 2, 2)), S(KINKS)]


def on_plain(*options):
    return with_options(PLAIN, *(options or ({},)))


ACTIVATIONS = {
    "relu": on_plain(), "relu6": on_plain(), "sigmoid": on_plain(), "tanh": on_plain(),
    "silu": on_plain(), "mish": on_plain(), "selu": on_plain(), "softsign": on_plain(),
    "hardsigmoid": on_plain(), "hardswish": on_plain(), "logsigmoid": on_plain(),
    "tanhshrink": on_plain(),
    "hardtanh": on_plain({}, {"min_val": -0.5, "max_val": 2.0}),
    "leaky_relu": on_plain({}, {"negative_slope": 0.2}, {"negative_slope": -1.5}),
    "elu": on_plain({}, {"alpha": 0.7}), "celu": on_plain({}, {"alpha": 0.7}),
    "gelu": on_plain({}, {"approximate": "tanh"}),
    "softplus": on_plain({}, {"beta": 2, "threshold": 5}, {"beta": 0.5}),
    "threshold": on_plain({"threshold": 0.5, "value": -2}, {"threshold": -1, "value": 7.5}),
    "softshrink": on_plain({}, {"lambd": 1}), "hardshrink": on_plain({}, {"lambd": 1}),
    "prelu": [
        S(N(2, 3), N(3)), S(N(4), N(1)), S(N(2, 3, 2), N(1)), S(cut(2, 3, 2, 2), N(3)),
        S(N(), N(1)), S(N(3), N()), S(np.zeros((0, 3)), N(3)), S(np.zeros(3), N(1)),
    ],
    "glu": [S(N(4)), S(cut(3, 6)), S(N(4, 3), 0), S(N(2, 4, 2), dim=-2), S(np.zeros((0, 2)))],
    "softmax": [S(N(3, 4), 1), S(N(4), dim=0), S(cut(2, 3, 2), -2), S(N(), 0), S(100 * N(2, 3), 1),
                S(np.zeros((0, 3)), 1), S(N(2, 3), 1, dtype="float64")],
    "log_softmax": [S(N(3, 4), 1), S(N(4), dim=0), S(cut(2, 3, 2), -2), S(100 * N(2, 3), 1),
                    S(np.zeros((0, 3)), 1)],
    "softmin": [S(N(3, 4), 1), S(N(4), dim=0), S(cut(2, 3, 2), -2)],
}  # fmt: skip

LAYERS = {
    "linear": [
        S(N(4, 3), N(2, 3), N(2)), S(N(4, 3), N(2, 3)), S(N(3), N(2, 3), N(2)),
        S(cut(2, 4, 3), cut(2, 3), N(2)), S(np.zeros((0, 3)), N(2, 3), N(2)), S(N(4, 3), N(3)),
        S(N(2, 2, 2, 3), N(1, 3), N(1)),
    ],
    "bilinear": [
        S(N(4, 2), N(4, 3), N(5, 2, 3), N(5)), S(N(2), N(3), N(1, 2, 3)),
        S(cut(2, 3, 2), N(2, 3, 4), cut(2, 2, 4), N(2)),
    ],
    "embedding": [
        S(ints(4, 3), N(4, 2)), S(ints(4, 2, 3), N(4, 2)), S(np.asarray(2), N(4, 2)),
        S(np.asarray([1, 1, 0]), cut(4, 2)), S(np.zeros((0, 2), dtype=np.int64), N(4, 3)),
        S(np.asarray([1, 3, 1]), N(4, 2), 1), S(np.asarray([1, 3, 1]), N(4, 2), padding_idx=-1),
        S(np.asarray([1, 3, 1], dtype=np.int32), N(4, 2)),
    ],
    "scaled_dot_product_attention": [
        S(N(2, 3, 4), N(2, 5, 4), N(2, 5, 2)), S(cut(2, 2, 3, 4), N(2, 2, 3, 4), N(2, 2, 3, 4)),
        S(N(3, 4), N(5, 4), N(5, 2)), S(N(1, 2), N(3, 2), N(3, 2)),
        S(N(2, 3, 4), N(2, 3, 4), N(2, 3, 4), is_causal=True),
        S(N(2, 3, 4), N(2, 5, 4), N(2, 5, 4), is_causal=True),
        S(N(2, 5, 4), N(2, 3, 4), N(2, 3, 4), is_causal=True, scale=0.3),
        S(N(2, 3, 4), N(2, 5, 4), N(2, 5, 2), attn_mask=N(3, 5)),
        S(N(2, 3, 4), N(2, 5, 4), N(2, 5, 2), attn_mask=N(2, 3, 5) > -1),
        S(N(2, 4, 3, 2), N(2, 2, 5, 2), N(2, 2, 5, 2), enable_gqa=True),
    ],
    "cosine_similarity": [S(N(3, 4), N(3, 4)), S(N(4), N(4), dim=0), S(cut(2, 3, 2), N(3, 1), -2),
                          S(np.zeros((2, 3)), N(2, 3)), S(N(2, 1, 3), N(4, 3), dim=2, eps=0.1)],
    "pairwise_distance": [S(N(3, 4), N(3, 4)), S(N(4), N(4)), S(cut(3, 4), N(1, 4), keepdim=True),
                          S(N(3, 4), N(3, 4), 1), S(N(3, 4), N(3, 4), 3.5, 0.1),
                          S(N(3, 4), N(3, 4), math.inf)],
}  # fmt: skip

NORMS = {
    "batch_norm": [
        S(N(4, 3), None, None, training=True), S(N(4, 3), None, None, N(3), N(3), True),
        S(cut(2, 3, 4), None, None, N(3), None, training=True, eps=0.1),
        S(N(2, 3, 2, 2), running_mean=np.zeros(3), running_var=np.ones(3), weight=N(3), bias=N(3)),
        S(N(2, 3, 2), running_mean=N(3), running_var=U(3), bias=N(3), momentum=0.3, eps=0.01),
        S(N(1, 3), running_mean=N(3), running_var=U(3)),
    ],
    "instance_norm": [
        S(N(2, 3, 4)), S(cut(2, 3, 4, 2), None, None, N(3), N(3)), S(N(1, 2, 3), eps=0.5),
        S(N(2, 3, 4), running_mean=N(3), running_var=U(3), weight=N(3), use_input_stats=False),
    ],
    "group_norm": [
        S(N(2, 4), 2), S(N(2, 4, 3), 4, N(4), N(4)), S(cut(1, 6, 2, 2), 3, N(6), None, 0.1),
        S(N(2, 4, 3), 1, bias=N(4)), S(np.zeros((0, 4)), 2),
    ],
    "layer_norm": [
        S(N(4, 3), (3,)), S(N(4, 3), [3], N(3), N(3)), S(cut(2, 3, 4), (3, 4), N(3, 4), N(3, 4)),
        S(N(2, 3, 4), (4,), N(4), None, 0.1), S(N(3), (3,)), S(np.zeros((0, 3)), (3,)),
        S(20 + N(2, 8), (8,)), S(np.ones((2, 3)), (3,)),
    ],
    "rms_norm": [
        S(N(4, 3), (3,)), S(cut(2, 3, 4), [3, 4], N(3, 4)), S(N(4, 3), (3,), N(3), 0.1),
        S(np.zeros((2, 3)), (3,)),
    ],
    "normalize": [S(N(3, 4)), S(N(4), dim=0), S(cut(2, 3, 2), 1, -1), S(N(3, 4), 3, 0, 0.1),
                  S(np.zeros((2, 3))), S(N(2, 3), math.inf)],
}  # fmt: skip

SAMPLES = {**ACTIVATIONS, **LAYERS, **NORMS}
# Where PyTorch has no second derivative. Ours are held against numeric ones.
FIRST_ONLY = {"hardsigmoid", "hardswish", "scaled_dot_product_attention"}
# In float64 PyTorch computes some of their constants, and places of pixels, in float32.
LOOSE = {"hardsigmoid": 1e-7, "hardswish": 1e-7, "celu": 1e-7, "interpolate": 1e-5}


# -- running one call under both -------------------------------------------------------------------


def parts(result):
    """A result as a flat list."""
    if isinstance(result, tuple | list):
        return [p for r in result for p in parts(r)]
    return [result]


def tensors(lib, values, dtype, grads, device="cpu"):
    """Arrays as tensors, floats in ``dtype``; copies, but for arrays that are scattered."""
    made = []
    for v in values:
        if isinstance(v, np.ndarray):
            target = dtype if v.dtype.kind == "f" else v.dtype
            a = v.astype(target, order="K", copy=v.flags.c_contiguous)
            v = lib.from_numpy(a) if device == "cpu" else lib.from_numpy(a).to(device)
            if grads and target == dtype:
                v.requires_grad_()
        made.append(getattr(lib, v) if isinstance(v, str) and v.startswith("float") else v)
    return made


def outcome(lib, name, sample, dtype=np.float64, device="cpu", second=True):
    """Values and gradients, then second gradients, of a call; or the class of the error."""
    args, kwargs = sample
    inputs = tensors(lib, args, dtype, True, device)
    named = dict(zip(kwargs, tensors(lib, kwargs.values(), dtype, False, device), strict=True))
    leaves = [t for t in inputs if getattr(t, "requires_grad", False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            out = parts(getattr(lib.nn.functional, name)(*inputs, **named))
        except Exception as error:
            return type(error)
        first, more = derivatives(lib, out, leaves, second)
    return [plain(t) for t in [*out, *first]], [plain(t) for t in more]


def derivatives(lib, out, leaves, second):
    """The gradients of a weighted sum of squares of all floating results, and their gradients."""
    floats = [t for t in out if getattr(t, "requires_grad", False)]
    if not floats:
        return [], []
    total = 0
    for t in floats:
        ramp = lib.arange(t.numel()).to(t.device).reshape(t.shape).to(t.dtype) * 0.3 + 1
        total = total + (t * t * ramp).sum() + (t * ramp).sum()
    options = {"allow_unused": True, "materialize_grads": True}
    first = lib.autograd.grad(total, leaves, create_graph=True, **options)
    smooth = [(g * g).sum() for g in first if g.requires_grad]
    if not second or not smooth or not total.item():
        return first, []
    return first, lib.autograd.grad(sum(smooth), leaves, **options)


def plain(t):
    return t.detach().cpu().numpy() if hasattr(t, "detach") else t


def agree(got, want, where="", exact=1e-10):
    if isinstance(want, type) or isinstance(got, type):
        assert got == want, where
        return
    for which, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        assert len(mine) == len(theirs), where
        for i, (g, w) in enumerate(zip(mine, theirs, strict=True)):
            close(g, w, f"{where} {('first', 'second')[which]} {i}", which == 1, exact)


def close(g, w, where, second, exact):
    if not isinstance(w, np.ndarray):
        assert g == w, where
        return
    assert (g.shape, g.dtype) == (w.shape, w.dtype), where
    if second:  # PyTorch has NaN where two infinities meet
        w = np.where(np.isnan(w), g, w)
    near = 5e-4 if w.dtype == np.float32 else max(exact, 1e-7 * second)
    size = min(np.abs(w[np.isfinite(w)]).max(initial=1), math.inf if second else 100)
    np.testing.assert_allclose(g, w, err_msg=where, rtol=near, atol=near * size)


@pytest.fixture(scope="module")
def torch():
    """PyTorch on one thread: on small tensors its threads cost fifty times what they save."""
    module = pytest.importorskip("torch")
    threads = module.get_num_threads()
    module.set_num_threads(1)
    yield module
    module.set_num_threads(threads)


def check(torch, name, samples, device="cpu"):
    """All samples; in float32 no second derivatives, which lose all digits to differences."""
    for i, sample in enumerate(samples):
        for dtype in (np.float64, np.float32):
            plain = name not in FIRST_ONLY and not any(a is KINKS for a in sample[0])
            second = dtype == np.float64 and plain
            want = outcome(torch, name, sample, dtype, second=second)
            got = outcome(mt, name, sample, dtype, device, second)
            where = f"{name} {i} {dtype.__name__} {sample[1]}"
            agree(got, want, where, LOOSE.get(name, 1e-10))


@pytest.mark.parametrize("name", SAMPLES)
def test_as_pytorch(torch, name):
    check(torch, name, SAMPLES[name])


# -- without PyTorch: every device, numeric derivatives --------------------------------------------


def same_on(device, name, samples):
    """Nothing crosses to the host by itself: the stand-in refuses that as CuPy does."""
    for i, sample in enumerate(samples):
        want, got = (outcome(mt, name, sample, np.float64, where) for where in ("cpu", device))
        agree(got, want, f"{name} {i} on {device} {sample[1]}")


@pytest.fixture(params=["standin", GPU])
def other_device(request):
    """Every device but the CPU."""
    if request.param == "cuda" and not has_gpu():
        pytest.skip("no GPU: CuPy is not installed, or finds none")
    return request.param


@pytest.mark.parametrize("name", SAMPLES)
def test_same_on_every_device(name, other_device):
    same_on(other_device, name, SAMPLES[name])


def easy(a):
    """Whether an array is in order, small, and off the points where slopes jump."""
    return a.flags.c_contiguous and 0 < a.size <= 24 and a is not KINKS and a.any()


def numeric(name, samples):
    """The first two easy samples of which something has a gradient, against differences."""
    done = 0
    for args, kwargs in samples:
        if done == 2 or not all(easy(a) for a in args if isinstance(a, np.ndarray)):
            continue
        inputs = tensors(mt, args, np.float64, True)
        named = dict(zip(kwargs, tensors(mt, kwargs.values(), np.float64, False), strict=True))

        def call(*values, named=named):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out = parts(getattr(mt.nn.functional, name)(*values, **named))
            return tuple(t for t in out if t.is_floating_point())

        if any(t.requires_grad for t in call(*inputs)):
            assert mt.gradcheck(call, inputs) and mt.gradgradcheck(call, inputs), name
            done += 1
    assert done, f"no sample of {name} is easy enough"


@pytest.mark.parametrize("name", SAMPLES)
def test_derivatives_are_the_numeric_ones(name):
    numeric(name, SAMPLES[name])
