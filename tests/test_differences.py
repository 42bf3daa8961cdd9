"""The page of differences: each of its lines is tried in both libraries and is so.

``LINES`` has a check for each line, under the words in bold. A check returns what a library does;
the two must not be the same. A class of errors stands for an error.
"""

import importlib
import io
import re
import time
import warnings

import numpy as np
import pytest
from kit.reference import DIFFERENCES

import minitensor as mt

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
PAGE = DIFFERENCES.read_text(encoding="utf-8")
LINES = {}


def line(words):
    """Register the function below as the check of a line."""

    def add(check):
        assert words not in LINES
        LINES[words] = check
        return check

    return add


def has(*paths):
    """For each dotted name, whether a library has it."""

    def look(lib, path):
        for part in path.split("."):
            if not hasattr(lib, part):
                try:
                    importlib.import_module(f"{lib.__name__}.{part}")
                except (ImportError, AttributeError):
                    return False
            lib = getattr(lib, part)
        return True

    return lambda lib: {path: look(lib, path) for path in paths}


def leaf(lib, values, **options):
    return lib.tensor(values, requires_grad=True, **options)


def slope(lib, f, values, **options):
    x = leaf(lib, values, **options)
    f(x).sum().backward()
    return x.grad.tolist()


def bend(lib, f, values):
    """The second derivative, or the error."""
    x = leaf(lib, values)
    (g,) = lib.autograd.grad(f(x).sum(), x, create_graph=True)
    return lib.autograd.grad(g.sum(), x)[0].tolist()


def F(lib):
    return lib.nn.functional


class Numbers:
    """A dataset of two numbers that are slow to come, or that fail."""

    def __init__(self, seconds=0.0, fails=False):
        self.seconds, self.fails = seconds, fails

    def __len__(self):
        return 2

    def __getitem__(self, i):
        time.sleep(self.seconds)
        if self.fails:
            raise ValueError("mine")
        return i


# -- left out on purpose ---------------------------------------------------------------------------

line("Complex numbers")(has("complex64", "bfloat16", "uint16"))
line("Compilers and graphs")(has("compile", "jit", "fx", "export", "onnx"))
line("Many machines")(has("distributed", "nn.DataParallel"))
line("Mixed precision")(has("autocast", "amp"))
line("Function transforms")(has("vmap", "func", "autograd.forward_ad"))
line("Linear algebra and Fourier")(has("linalg", "fft"))
line("Recomputing instead of keeping")(has("utils.checkpoint"))
line("Memory formats")(has("channels_last", "Tensor.untyped_storage", "as_strided"))
line("Bits as another dtype")(lambda lib: lib.ones(2).view(lib.int32).tolist())


@line("Other devices")
def devices(lib):
    return tuple(lib.ones(1, device="meta").shape)


@line("Sparse and quantized tensors")
def sparse(lib):
    weight = lib.ones(3, 2).requires_grad_()
    F(lib).embedding(lib.tensor([0]), weight, sparse=True).sum().backward()
    return getattr(weight.grad, "is_sparse", False)


# -- safer on purpose ------------------------------------------------------------------------------


@line("Checkpoints hold data, never programs")
def a_module_is_saved(lib):
    lib.save(lib.nn.Linear(1, 1), io.BytesIO())
    return True


@line("`load` refuses pickles")
def a_pickle_is_read(lib):
    file = io.BytesIO()
    torch.save({"w": torch.ones(1)}, file)
    file.seek(0)
    return lib.load(file)["w"].tolist()


@line("Workers are threads")
def workers(lib):
    loader = lib.utils.data.DataLoader
    try:
        next(iter(loader(Numbers(fails=True), num_workers=1)))
    except ValueError as error:
        text = str(error) == "mine"
    try:
        next(iter(loader(Numbers(1.0), num_workers=1, timeout=0.1)))
    except (RuntimeError, TimeoutError) as error:
        return text, type(error)


@line("`label_smoothing` below 0")
def smoothing(lib):
    return F(lib).cross_entropy(lib.ones(1, 2), lib.tensor([0]), label_smoothing=-0.1).item()


line("A wrong `nonlinearity` of `RNNCell`")(
    lambda lib: bool(lib.nn.RNNCell(2, 2, nonlinearity="sin"))
)
line("`ParameterList([1, 2])`")(lambda lib: len(lib.nn.ParameterList([1, 2])))
line("`differentiable=True` of an optimiser")(
    lambda lib: bool(lib.optim.SGD([leaf(lib, [1.0])], lr=0.1, differentiable=True))
)


@line("`load_state_dict` of an optimiser copies")
def copies(lib):
    w = leaf(lib, [1.0])
    first, second = (lib.optim.SGD([w], lr=0.1, momentum=0.9) for _ in range(2))
    w.sum().backward()
    first.step()
    state = first.state_dict()
    second.load_state_dict(state)
    return second.state[w]["momentum_buffer"] is state["state"][0]["momentum_buffer"]


@line("`t_()` of a tensor that has views")
def turned(lib):
    x = lib.ones(2, 3)
    first = x[0]
    x.t_()
    return len(first), tuple(x.shape)


@line("`masked_fill_` of an expanded tensor")
def expanded(lib):
    mask = lib.tensor([True, False])
    return lib.ones(1).expand(2).masked_fill_(mask, 0).tolist()


# -- says more, or less ----------------------------------------------------------------------------

line("Printed names of steps")(lambda lib: leaf(lib, [1.0, 2.0]).roll(1).grad_fn.name())
line("Types of nodes")(lambda lib: type(leaf(lib, [1.0]).exp().grad_fn).__name__)
line("Types of dtypes and sizes")(lambda lib: (str(lib.float32), repr(lib.ones(2).shape)))
line("`is_inference()`, `is_sparse`")(has("Tensor.is_inference", "Tensor.is_sparse"))


@line("Messages")
def message(lib):
    with pytest.raises(RuntimeError, match="The size of tensor a") as caught:
        lib.ones(2, 3) + lib.ones(2, 4)
    return str(caught.value)


@line("`meshgrid` without `indexing=`")
def warns(lib):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lib.meshgrid(lib.ones(2), lib.ones(2))
        return len(caught)


@line("`std` and `var` of too few values")
def too_few(lib):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert np.isnan(lib.ones(1).std().item())
        return [w.category for w in caught if w.category is UserWarning]


@line("`tensor(t)` of a tensor")
def copy_warns(lib):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lib.tensor(lib.ones(2))
        return len(caught)


# -- other numbers, or other gradients -------------------------------------------------------------


@line("`cosine_similarity` of vectors shorter than `eps`")
def short(lib):
    one = lib.tensor([1.0, 0.0])
    return slope(lib, lambda x: F(lib).cosine_similarity(x, one, dim=0, eps=0.5), [0.1, 0.2])


@line("`binary_cross_entropy` of a probability below 1e-12")
def improbable(lib):
    return slope(lib, lambda p: F(lib).binary_cross_entropy(p, lib.zeros(1)), [1e-13])


@line("`kl_div` where the target is 0")
def impossible(lib):
    log_p = lib.tensor([-1.0, -1.0])
    found = slope(lib, lambda t: F(lib).kl_div(log_p, t, reduction="sum"), [0.0, 1.0])
    return [x == x for x in found]


@line("An infinite gradient where `relu`, `clamp` or `maximum` cut off")
def cut_off(lib):
    x = leaf(lib, [-1.0])
    y = lib.relu(x) + x.clamp(min=0) + lib.maximum(x, lib.zeros(1))
    with np.errstate(invalid="ignore"):
        y.backward(lib.tensor([np.inf]))
    return str(x.grad.item())


@line("Second derivatives that PyTorch lacks")
def twice(lib):
    rows = [[[[1.0, 2.0], [0.5, 1.0]]]]
    return bend(lib, lambda x: F(lib).scaled_dot_product_attention(x, x, x * x), rows)


@line("`interpolate` of float64")
def weights(lib):
    x = lib.arange(4.0, dtype=lib.float64).reshape(1, 1, 4)
    return F(lib).interpolate(x, size=7, mode="linear").tolist()


@line("`LBFGS`")
def after_forty_steps(lib, dtype="float32"):
    w = leaf(lib, [-1.5, 2.0], dtype=getattr(lib, dtype))
    optimizer = lib.optim.LBFGS([w], max_iter=5)

    def closure():
        optimizer.zero_grad()
        loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
        loss.backward()
        return loss

    for _ in range(8):
        optimizer.step(closure)
    return [round(x, 4) for x in w.tolist()]


@line("`TransformerEncoder` in `eval()` with padding")
def at_padding(lib):
    layer = lib.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    padded = lib.tensor([[False, False, True]])
    x = lib.ones(1, 3, 4) * lib.tensor([1.0, 2.0, 3.0, 5.0])
    with lib.no_grad():
        out = lib.nn.TransformerEncoder(layer, 1).eval()(x, src_key_padding_mask=padded)
    return [v == 0 for v in out[0, 2].tolist()]


line("Second derivatives at a kink")(
    lambda lib: [bend(lib, getattr(F(lib), name), [0.0]) for name in ("elu", "selu", "celu")]
)
line("`bool` matrices multiply")(
    lambda lib: (lib.ones(2, 2, dtype=lib.bool) @ lib.ones(2, 2, dtype=lib.bool)).tolist()
)
line("Results of an operation on a tensor whose first dimension lies innermost")(
    lambda lib: lib.ones(2, 3, 4).permute(2, 0, 1).exp().is_contiguous()
)


@line("`hardsigmoid`, twice")
def flat(lib):
    with pytest.raises(RuntimeError) as caught:
        bend(lib, F(lib).hardsigmoid, [1.0])
    return str(caught.value)


@line("`inference_mode` is `no_grad`")
def later(lib):
    with lib.inference_mode():
        factor = lib.ones(1) * 2
    return slope(lib, lambda x: x * factor, [1.0])


line("`Tensor([1, 2])`")(lambda lib: lib.Tensor([1, 2]).tolist())


@line("An array before a tensor")
def added(lib):
    one = np.ones(2, dtype=np.float32)
    assert (lib.ones(2) + one).tolist() == [2.0, 2.0]
    return (one + lib.ones(2)).tolist()


# -- not there (yet) -------------------------------------------------------------------------------

MISSING = "conv3d max_pool3d conv_transpose1d grid_sample embedding_bag local_response_norm rrelu "
MISSING += "multi_head_attention_forward ctc_loss poisson_nll_loss gaussian_nll_loss "
MISSING += "soft_margin_loss multi_margin_loss"
line("Functions")(has(*[f"nn.functional.{name}" for name in MISSING.split()]))
line("Modules")(
    has(*[f"nn.{n}" for n in "ConvTranspose1d AdaptiveMaxPool2d Softmax2d RReLU Buffer".split()])
)
line("Hooks and extras of modules")(
    has(*[f"nn.Module.{name}" for name in
          "get_extra_state register_state_dict_pre_hook register_backward_hook".split()])
)  # fmt: skip
line("`nn.utils.rnn`")(has("nn.utils.rnn"))
line("Optimisers")(has(*[f"optim.{name}" for name in "NAdam Adamax RAdam Rprop".split()]))
line("Schedulers")(has("optim.lr_scheduler.CyclicLR", "optim.lr_scheduler.ChainedScheduler"))
line("Distributions")(
    has(*[f"distributions.{name}" for name in
          "Normal.icdf LogNormal Gamma Beta MultivariateNormal Transform".split()])
)  # fmt: skip
line("Tables of limits")(has("finfo", "iinfo"))
line("`newaxis`")(has("newaxis"))
line("`interpolate(antialias=True)`")(
    lambda lib: tuple(
        F(lib).interpolate(lib.ones(1, 1, 4, 4), size=2, mode="bilinear", antialias=True).shape
    )
)


# -- the tests -------------------------------------------------------------------------------------


def does(lib, check):
    """What a library does: a value, or the class of its error."""
    lib.manual_seed(0)
    try:
        with warnings.catch_warnings():
            if check not in (warns, too_few, copy_warns):
                warnings.simplefilter("ignore")
            return check(lib)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("words", LINES)
def test_a_line_is_so(words):
    ours, theirs = does(mt, LINES[words]), does(torch, LINES[words])
    assert ours != theirs, "no longer different: take the line off the page"
    if isinstance(ours, dict):
        assert not any(ours.values()) and all(theirs.values()), (ours, theirs)


def test_every_line_has_a_check_and_every_check_a_line():
    assert re.findall(r"(?m)^- \*\*(.+?)\*\*", PAGE) == sorted(LINES, key=PAGE.index)


def test_claims_of_sameness():
    for lib in (mt, torch):
        lib.optim.SGD([leaf(lib, [1.0])], lr=0.1, foreach=True)
        lib.optim.Adam([leaf(lib, [1.0])], capturable=False, fused=False)
    np.testing.assert_allclose(*[after_forty_steps(lib, "float64") for lib in (mt, torch)])
    assert leaf(mt, [1.0]).exp().grad_fn.name() == leaf(torch, [1.0]).exp().grad_fn.name()


def test_the_pages_links_and_words():
    assert mt.DIFFERENCES == "course/reference/differences.md"
    with pytest.raises(AttributeError, match=re.escape(mt.DIFFERENCES)):
        mt.vmap
