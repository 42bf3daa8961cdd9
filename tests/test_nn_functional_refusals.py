"""What nn.functional refuses and warns of, its signatures, its names; changes in place; chance."""

import inspect
import math
import warnings

import numpy as np
import pytest
from test_nn_functional import KINKS, N, S, U, agree, cut, ints, outcome, plain, torch

import minitensor as mt
import minitensor.nn.functional as F

__all__ = ["torch"]  # the fixture

WHOLE = ints(5, 3, 4)
BOOL = np.asarray([True, False])
CLASSES = np.asarray([0, 2, 1, 1])
SHIFTED = np.asarray([0, 3, 1, 1])

WRONG = {
    "linear": [S(N(4, 3), N(2, 4)), S(N(4, 3), N(2, 3), N(3)), S(WHOLE, N(2, 4))],
    "bilinear": [S(N(4, 2), N(4, 3), N(5, 2, 2)), S(N(4, 2), N(3, 3), N(5, 2, 3))],
    "embedding": [S(np.asarray([4]), N(4, 2)), S(np.asarray([-1]), N(4, 2)), S(N(2), N(4, 2)),
                  S(ints(2, 3), N(4, 2), 4), S(ints(2, 3), N(4))],
    "softmax": [S(N(2, 3), 2), S(N(2, 3), -3), S(WHOLE, 0)],
    "log_softmax": [S(N(2, 3), 2), S(WHOLE, 0)],
    "hardtanh": [S(N(3), 1, 0)],
    "gelu": [S(N(3), approximate="sigmoid"), S(N(3), "tanh"), S(WHOLE)],
    "celu": [S(N(3), 0), S(WHOLE)],
    "softshrink": [S(N(3), -1)],
    "prelu": [S(N(2, 3), N(2)), S(N(2, 3), N(1, 1)), S(N(2, 3), np.ones(1, dtype=np.int64))],
    "glu": [S(N(3)), S(N()), S(N(2, 3), 2)],
    "relu": [S(BOOL)], "relu6": [S(BOOL)], "leaky_relu": [S(WHOLE)], "elu": [S(WHOLE)],
    "silu": [S(WHOLE)], "mish": [S(WHOLE)], "softplus": [S(WHOLE)], "logsigmoid": [S(WHOLE)],
    "hardsigmoid": [S(WHOLE)], "hardswish": [S(WHOLE)], "selu": [S(WHOLE)],
    "threshold": [S(WHOLE, 2, 1)], "softsign": [S(WHOLE)], "tanhshrink": [S(WHOLE)],
    "dropout": [S(N(3), -0.1), S(N(3), 1.5)], "alpha_dropout": [S(N(3), 2)],
    "dropout1d": [S(N(3)), S(N(2, 3, 4, 5)), S(N(2, 3), 1.5)], "dropout2d": [S(N(2, 3, 4, 5), -1)],
    "feature_alpha_dropout": [S(N(3), 0.5, True)],
    "scaled_dot_product_attention": [
        S(N(2, 3), N(2, 4), N(2, 4)), S(N(2, 3), N(4, 3), N(5, 3)), S(N(3), N(3), N(3)),
        S(N(2, 3), N(2, 3), N(2, 3), attn_mask=N(2, 2), is_causal=True),
        S(N(2, 3), N(2, 3), N(2, 3), attn_mask=N(3, 3)),
    ],
    "batch_norm": [
        S(N(3), None, None, training=True), S(N(1, 3), None, None, training=True),
        S(N(2, 3), None, None),
        S(N(2, 3), N(2), U(3)), S(N(2, 3), None, None, N(2), None, True),
        S(N(2, 3), None, None, None, N(1), True), S(N(1, 3, 1), None, None, training=True),
    ],
    "instance_norm": [S(N(2, 3)), S(N(2, 3, 1)), S(N(2, 3, 4), weight=N(2))],
    "group_norm": [S(N(2, 3), 2), S(N(2, 4, 2), 2, N(3)), S(N(1, 2), 2), S(N(3), 1)],
    "layer_norm": [S(N(2, 3), (2,)), S(N(2, 3), ()), S(N(2, 3), (3,), N(2)), S(N(2, 3), (1, 2, 3))],
    "rms_norm": [S(N(2, 3), (2,)), S(N(2, 3), (3,), N(2)), S(N(2, 3), ())],
    "mse_loss": [S(N(2), N(3)), S(WHOLE, WHOLE), S(N(2), N(2), reduction="average"),
                 S(N(2), N(2), weight=N(3))],
    "l1_loss": [S(N(2), N(3)), S(N(2), N(2), reduction="average")],
    "smooth_l1_loss": [S(N(2), N(3)), S(N(2), N(2), beta=-1)],
    "huber_loss": [S(N(2), N(3)), S(N(2), N(2), delta=0), S(N(2), N(2), delta=-1)],
    "nll_loss": [
        S(N(4, 3), SHIFTED), S(N(4, 3), CLASSES[:3]), S(N(4, 3), CLASSES.astype(np.float64)),
        S(N(4, 3), CLASSES, weight=N(2)), S(N(), np.asarray(0)), S(N(4, 3), -CLASSES),
        S(N(4, 3, 2), ints(2, 4, 3)), S(N(4, 3), CLASSES, reduction="average"),
        S(N(4, 3, 2), ints(2, 4)),
    ],
    "cross_entropy": [
        S(N(4, 3), SHIFTED), S(N(4, 3), CLASSES[:3]), S(N(4, 3), CLASSES.astype(np.float64)),
        S(N(4, 3), CLASSES, weight=N(2)), S(N(4, 3), CLASSES, label_smoothing=1.1),
        S(N(4, 3), U(4, 3), ignore_index=1),
        S(N(4, 3), U(4, 2)), S(N(4, 3), ints(2, 4, 3)), S(N(4, 3, 2), ints(2, 4, 3)),
        S(N(4, 3), CLASSES, reduction="average"), S(N(4, 3), U(4, 3), weight=N(2)),
        S(N(4, 3), CLASSES, weight=N(2), label_smoothing=0.1),
    ],
    "binary_cross_entropy": [S(U(2), U(3)), S(U(2) + 1, U(2)), S(U(2) - 1, U(2)),
                             S(U(2, 1), U(1, 2)),
                             S(U(2), U(2), reduction="average"), S(U(2), ints(2, 2))],
    "binary_cross_entropy_with_logits": [S(N(2), U(3)), S(N(2, 1), U(1, 2))],
    "kl_div": [S(N(2), N(3)), S(N(2), U(2), reduction="average")],
    "hinge_embedding_loss": [S(N(2), N(3))],
    "margin_ranking_loss": [S(N(2), N(2), N(2, 2)), S(N(2), N(3), N(2))],
    "triplet_margin_loss": [S(N(2, 3), N(2, 3), N(3)), S(N(2), N(2), N(2), margin=0)],
    "cosine_embedding_loss": [S(N(2, 3), N(2, 3), N(2, 1)), S(N(2, 3), N(2, 3), N())],
    "interpolate": [S(N(2, 3, 4)), S(N(2, 3), 4), S(N(2, 3, 4), -1), S(N(1, 1, 2, 2), (2, 2, 2))],
    "adaptive_max_pool2d": [S(N(3, 4), 2)], "adaptive_avg_pool1d": [S(N(4), 2)],
    "pixel_shuffle": [S(N(2, 3), 2), S(N(3, 2, 2), -1)],
    "gumbel_softmax": [S(N(2, 3), dim=2)],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_refuses_what_pytorch_refuses(torch, name):
    for i, sample in enumerate(WRONG[name]):
        want, got = (outcome(lib, name, sample, second=False) for lib in (torch, mt))
        if want is NotImplementedError and isinstance(got, tuple):
            continue
        agree(got, want, f"{name} {i} {sample[1]}")


@pytest.mark.parametrize("name", F.__all__)
@pytest.mark.filterwarnings("ignore:Implicit dimension")
def test_wants_tensors_and_says_which(name):
    with pytest.raises(TypeError, match=r"argument '\w+'.* must be .*Tensor|required"):
        getattr(F, name)([1.0])


def test_warnings_are_pytorchs(torch):
    calls = [
        lambda lib, f: f.mse_loss(lib.ones(3), lib.ones(1, 3)),
        lambda lib, f: f.smooth_l1_loss(lib.ones(2, 1), lib.ones(2)),
        lambda lib, f: f.softmax(lib.ones(2, 3)),
        lambda lib, f: f.kl_div(lib.zeros(2, 2), lib.ones(2, 2)),
        lambda lib, f: f.l1_loss(lib.ones(2), lib.ones(2), size_average=False),
        lambda lib, f: f.mse_loss(lib.ones(2), lib.ones(2), reduce=False),
    ]
    for call in calls:
        said = []
        for lib in (torch, mt):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                call(lib, lib.nn.functional)
            texts = [str(w.message).replace("minitensor.Size", "torch.Size") for w in caught]
            said.append([(w.category, text) for w, text in zip(caught, texts, strict=True)])
        assert said[0] == said[1]


# -- names and signatures --------------------------------------------------------------------------


IN_C = {  # PyTorch's functions whose signatures Python cannot read; from their documentation
    "linear": "input weight bias", "bilinear": "input1 input2 weight bias",
    "conv1d": "input weight bias stride padding dilation groups",
    "conv2d": "input weight bias stride padding dilation groups",
    "conv_transpose2d": "input weight bias stride padding output_padding groups dilation",
    "avg_pool1d": "input kernel_size stride padding ceil_mode count_include_pad",
    "avg_pool2d": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "adaptive_avg_pool1d": "input output_size", "gelu": "input approximate",
    "softplus": "input beta threshold", "logsigmoid": "input", "prelu": "input weight",
    "softshrink": "input lambd", "hardshrink": "input lambd", "one_hot": "tensor num_classes",
    "pixel_shuffle": "input upscale_factor", "pixel_unshuffle": "input downscale_factor",
    "cosine_similarity": "x1 x2 dim eps", "pairwise_distance": "x1 x2 p eps keepdim",
    "scaled_dot_product_attention": (
        "query key value attn_mask dropout_p is_causal scale enable_gqa"
    ),
}  # fmt: skip
SEVERAL = {  # dispatched in PyTorch, by return_indices
    "max_pool1d": "input kernel_size stride padding dilation ceil_mode return_indices",
    "max_pool2d": "input kernel_size stride padding dilation ceil_mode return_indices",
    "adaptive_max_pool1d": "input output_size return_indices",
    "adaptive_max_pool2d": "input output_size return_indices",
}


@pytest.mark.parametrize("name", F.__all__)
def test_name_and_signature_are_pytorchs(torch, name):
    theirs, mine = getattr(torch.nn.functional, name), inspect.signature(getattr(F, name))
    if name in IN_C or name in SEVERAL:
        assert list(mine.parameters) == (IN_C | SEVERAL)[name].split()
    elif not name.endswith("_") and name not in ("sigmoid", "tanh"):  # theirs show *args
        want = inspect.signature(theirs).parameters
        got = {n: p.default for n, p in mine.parameters.items()}
        assert got == {n: p.default for n, p in want.items() if n != "out"}


def test_everything_in_the_list_of_names_is_there():
    listed = """
        linear bilinear relu relu6 leaky_relu elu selu celu gelu silu mish softplus softsign
        hardtanh hardsigmoid hardswish logsigmoid tanhshrink prelu glu threshold softmin conv1d
        conv2d conv_transpose2d max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool2d
        unfold pixel_shuffle batch_norm layer_norm group_norm rms_norm instance_norm normalize
        cosine_similarity embedding scaled_dot_product_attention cross_entropy nll_loss mse_loss
        l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits
        kl_div hinge_embedding_loss margin_ranking_loss triplet_margin_loss interpolate pad one_hot
    """.split()
    assert [name for name in listed if name not in F.__all__] == []
    with pytest.raises(AttributeError, match=r"nn.functional' has no attribute 'relu7'"):
        F.relu7


# -- in place --------------------------------------------------------------------------------------

CHANGING = [
    "relu", "relu6", "hardtanh", "leaky_relu", "elu", "celu", "selu", "silu", "mish", "hardsigmoid",
    "hardswish", "threshold",
]  # fmt: skip


@pytest.mark.parametrize("name", CHANGING)
def test_in_place(torch, name):
    options = {"threshold": 0.5, "value": 2.0} if name == "threshold" else {}

    def run(lib):
        x = lib.tensor(KINKS.tolist(), dtype=lib.float64, requires_grad=True)
        y = x * 1
        part = y[2:9]
        out = getattr(lib.nn.functional, name)(part, **options, inplace=True)
        assert out is part
        (g,) = lib.autograd.grad((y * y).sum(), x)
        return [plain(y), plain(g)], []

    agree(run(mt), run(torch), name, 1e-7)
    leaf = mt.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        getattr(F, name)(leaf, **options, inplace=True)


def test_names_with_an_underscore_change_their_input(torch):
    for lib in (torch, mt):
        f, x = lib.nn.functional, lib.tensor([-1.0, 0.5, 2.0])
        assert f.relu_(x) is x and x.tolist() == [0, 0.5, 2]
        assert f.threshold_(x, 1, -3).tolist() == [-3, -3, 2] and x[0] == -3
        assert f.hardtanh_(x, -2, 1).tolist() == [-2, -2, 1]
        assert f.leaky_relu_(x, 0.5).tolist() == [-1, -1, 1]
        assert f.elu_(x * 0 - 100, 2).tolist() == [-2, -2, -2]
        assert f.celu_(x * 0 - 100, 2).tolist() == [-2, -2, -2]
        assert f.selu_(x)[2].item() == pytest.approx(1.0507009873554805)


# -- state: running statistics, renewed rows -------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape"),
    [("batch_norm", (4, 3)), ("batch_norm", (2, 3, 4)), ("instance_norm", (2, 3, 4, 2))],
)
@pytest.mark.parametrize("momentum", [0.1, 0.7])
def test_running_statistics(torch, name, shape, momentum):
    data, start = N(*shape), [N(3), U(3)]

    def run(lib):
        x = lib.tensor(data, requires_grad=True)
        mean, var = (lib.tensor(a) for a in start)
        flag = {"training": True} if name == "batch_norm" else {}
        for _ in range(2):
            out = getattr(lib.nn.functional, name)(x, mean, var, momentum=momentum, **flag)
        (out * out * out).sum().backward()
        assert not mean.requires_grad
        return [plain(t) for t in (mean, var, out, x.grad)], []

    agree(run(mt), run(torch), name)


@pytest.mark.parametrize("norm_type", [2.0, 1.0])
def test_embedding_with_max_norm_changes_the_rows_in_use(torch, norm_type):
    rows, places = 3 * N(5, 3), [[0, 2], [2, 4]]

    def run(lib):
        weight = lib.tensor(rows, requires_grad=True)
        out = lib.nn.functional.embedding(lib.tensor(places), weight, None, 1.0, norm_type)
        (out * out).sum().backward()
        return [plain(t) for t in (weight, out, weight.grad)], []

    agree(run(mt), run(torch), "embedding")


def test_embedding_can_divide_gradients_by_frequency(torch):
    rows, places = N(5, 3), [[0, 2], [2, 2]]

    def run(lib):
        weight = lib.tensor(rows, requires_grad=True)
        options = {"scale_grad_by_freq": True, "padding_idx": 0}
        out = lib.nn.functional.embedding(lib.tensor(places), weight, **options)
        (out * out).sum().backward()
        return [plain(t) for t in (out, weight.grad)], []

    agree(run(mt), run(torch), "embedding")


# -- chance ----------------------------------------------------------------------------------------


def intel():
    """Whether this machine has an Intel processor, where PyTorch draws from another generator."""
    try:
        with open("/proc/cpuinfo") as file:
            return "GenuineIntel" in file.read()
    except OSError:
        return True


RANDOM = {
    "dropout": [S(N(40)), S(cut(5, 4), 0.2), S(N(3, 3), 0.0), S(N(3), 1.0), S(N(3), 0.5, False),
                S(np.zeros((0, 3)), 0.5)],
    "dropout1d": [S(N(6, 5, 4)), S(N(8, 3), 0.3)],
    "dropout2d": [S(N(4, 6, 3, 2)), S(N(8, 3, 2), 0.3), S(N(6, 4), 0.3), S(N(2, 3, 4, 5), 1.0)],
    "dropout3d": [S(N(2, 6, 3, 2, 2)), S(N(8, 3, 2, 2), 0.3)],
    "alpha_dropout": [S(N(40), training=True), S(N(5, 4), 0.2, True), S(N(3)), S(N(3), 1.0, True)],
    "feature_alpha_dropout": [S(N(4, 6, 3, 2), training=True), S(N(8, 3), 0.3, True), S(N(3, 2))],
    "gumbel_softmax": [S(N(3, 4)), S(N(3, 4), 0.3), S(N(5), hard=True), S(N(3, 4), 1, True, dim=0)],
}  # fmt: skip


@pytest.mark.skipif(intel(), reason="on Intel processors PyTorch asks MKL for another generator")
@pytest.mark.parametrize("name", RANDOM)
def test_same_seed_same_numbers(torch, name):
    for i, sample in enumerate(RANDOM[name]):
        for dtype in (np.float64, np.float32):
            results = []
            for lib in (mt, torch):
                lib.manual_seed(7 + i)
                results.append(outcome(lib, name, sample, dtype, second=False))
            agree(*results, f"{name} {i} {dtype.__name__}")


def test_attention_drops_weights_after_the_softmax():
    q, k, v = (mt.tensor(N(6, 4)) for _ in range(3))
    mt.manual_seed(3)
    got = F.scaled_dot_product_attention(q, k, v, dropout_p=0.4)
    mt.manual_seed(3)
    want = F.dropout(F.softmax(q @ k.T / 2, 1), 0.4) @ v
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)


def test_dropout_keeps_the_mean_and_the_gradient():
    x = mt.ones(100_000, requires_grad=True)
    mt.manual_seed(0)
    out = F.dropout(x, 0.25)
    out.sum().backward()
    assert out.mean().item() == pytest.approx(1, abs=0.01)
    assert mt.equal(x.grad, out.detach())
    assert F.dropout(x, 0.25, training=False) is x


def test_a_hard_choice_is_one_hot_with_the_soft_gradient():
    logits = mt.tensor(N(50, 4), requires_grad=True)
    mt.manual_seed(1)
    hard = F.gumbel_softmax(logits, 0.5, hard=True)
    (g,) = mt.autograd.grad((hard * mt.arange(4)).sum(), logits)
    mt.manual_seed(1)
    soft = F.gumbel_softmax(logits, 0.5)
    (want,) = mt.autograd.grad((soft * mt.arange(4)).sum(), logits)
    assert hard.detach().round().sum(1).tolist() == [1.0] * 50
    assert mt.equal(hard.argmax(1), soft.argmax(1))
    np.testing.assert_allclose(g.numpy(), want.numpy(), rtol=1e-12)


# -- extreme scores --------------------------------------------------------------------------------


def test_losses_of_extreme_scores_are_finite():
    scores = mt.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 3.0]], requires_grad=True)
    loss = F.cross_entropy(scores, mt.tensor([1, 1]))
    assert loss.item() == 1e4
    (g,) = mt.autograd.grad(loss, scores)
    assert g.tolist() == [[0.5, -0.5, 0], [0, 0, 0]]
    x = mt.tensor([1e4, -1e4], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, mt.tensor([0.0, 0.0]), reduction="sum")
    assert loss.item() == 1e4 and mt.autograd.grad(loss, x)[0].tolist() == [1, 0]
    p = mt.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    losses = F.binary_cross_entropy(p, mt.tensor([0.0, 1.0, 1.0, 0.0]), reduction="none")
    assert losses.tolist() == [0, 0, 100, 100]
    (g,) = mt.autograd.grad(losses.sum(), p)
    assert math.isfinite(g.sum().item()) and g[2] == -1e12 and g[3] == 1e12
    assert F.softplus(mt.tensor([1e4, -1e4])).tolist() == [1e4, 0]
    assert F.logsigmoid(mt.tensor([1e4, -1e4])).tolist() == [0, -1e4]
