"""nn.init against PyTorch: the same numbers for the same seed, the same refusals."""

import math
import warnings

import numpy as np
import pytest

import minitensor as mt
import minitensor.nn.init as init

CALLS = {
    "uniform_": lambda i, t: i.uniform_(t),
    "uniform_ range": lambda i, t: i.uniform_(t, -1, 2),
    "normal_": lambda i, t: i.normal_(t),
    "normal_ mean": lambda i, t: i.normal_(t, mean=1, std=2),
    "constant_": lambda i, t: i.constant_(t, 0.3),
    "ones_": lambda i, t: i.ones_(t),
    "zeros_": lambda i, t: i.zeros_(t),
    "eye_": lambda i, t: i.eye_(t),
    "dirac_": lambda i, t: i.dirac_(t),
    "dirac_ groups": lambda i, t: i.dirac_(t, 2),
    "trunc_normal_": lambda i, t: i.trunc_normal_(t),
    "trunc_normal_ narrow": lambda i, t: i.trunc_normal_(t, 0.5, 1.5, -1, 1),
    "trunc_normal_ far": lambda i, t: i.trunc_normal_(t, 0, 1, 1.5, 3),
    "trunc_normal_ farther": lambda i, t: i.trunc_normal_(t, 0, 1, 3, 4),
    "xavier_uniform_": lambda i, t: i.xavier_uniform_(t),
    "xavier_uniform_ gain": lambda i, t: i.xavier_uniform_(t, gain=i.calculate_gain("tanh")),
    "xavier_normal_": lambda i, t: i.xavier_normal_(t, 2.0),
    "kaiming_uniform_": lambda i, t: i.kaiming_uniform_(t),
    "kaiming_uniform_ linear": lambda i, t: i.kaiming_uniform_(t, a=math.sqrt(5)),
    "kaiming_uniform_ relu": lambda i, t: i.kaiming_uniform_(t, nonlinearity="relu"),
    "kaiming_normal_": lambda i, t: i.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
    "kaiming_normal_ mode": lambda i, t: i.kaiming_normal_(t, mode="fan_up"),
    "kaiming_normal_ name": lambda i, t: i.kaiming_normal_(t, nonlinearity="gelu"),
    "orthogonal_": lambda i, t: i.orthogonal_(t),
    "orthogonal_ gain": lambda i, t: i.orthogonal_(t, gain=1.5),
    "sparse_": lambda i, t: i.sparse_(t, 0.3),
    "sparse_ std": lambda i, t: i.sparse_(t, sparsity=0.9, std=1),
    "normal_ negative": lambda i, t: i.normal_(t, std=-1),
    "uniform_ reversed": lambda i, t: i.uniform_(t, 2, 1),
}
SHAPES = [(), (5,), (0,), (0, 3), (3, 5), (7, 4), (20, 30), (4, 2, 3), (4, 3, 2, 3)]
SHAPES += [(2, 2, 3, 3, 3)]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def outcome(lib, call, shape, dtype, device="cpu", turned=False):
    """The numbers after a call, the next number of the stream, or the class of the error."""
    lib.manual_seed(11)
    t = lib.empty(shape[::-1] if turned else shape, dtype=getattr(lib, dtype), device=device)
    t = (t.permute(*range(len(shape))[::-1]) if turned else t).requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            out = call(lib.nn.init, t)
        except Exception as error:
            return type(error)
    assert out is t and t.requires_grad and t.is_leaf
    return t.detach().cpu().numpy(), lib.rand(1).item()


def agree(got, want, where):
    if isinstance(got, type) or isinstance(want, type):
        assert got == want, where
        return
    assert got[0].dtype == want[0].dtype and got[1] == want[1], where
    near = 3e-6 if got[0].dtype == np.float32 else 1e-13
    np.testing.assert_allclose(got[0], want[0], rtol=near, atol=near, err_msg=where)


@pytest.mark.parametrize("name", CALLS)
def test_same_seed_same_numbers(torch, name):
    for shape in SHAPES:
        for dtype in ("float32", "float64"):
            got, want = (outcome(lib, CALLS[name], shape, dtype) for lib in (mt, torch))
            agree(got, want, f"{name} {shape} {dtype}")


# Of a tensor that is not contiguous PyTorch refuses to take an orthogonal matrix; we do it.
@pytest.mark.parametrize("name", [name for name in CALLS if "orthogonal" not in name])
def test_same_on_a_transposed_tensor(torch, name):
    for shape in ((3, 5), (4, 2, 3)):
        got, want = (
            outcome(lib, CALLS[name], shape, "float64", turned=True) for lib in (mt, torch)
        )
        agree(got, want, f"{name} {shape}")


@pytest.mark.parametrize("name", CALLS)
def test_same_on_every_device(name, device):
    for shape in SHAPES:
        got, want = (outcome(mt, CALLS[name], shape, "float64", d) for d in (device, "cpu"))
        agree(got, want, f"{name} {shape} {device}")


@pytest.mark.parametrize(
    "name",
    "uniform_ normal_ trunc_normal_ xavier_uniform_ xavier_normal_ kaiming_uniform_ "
    "kaiming_normal_ orthogonal_".split(),
)
def test_a_generator_of_ones_own(name):
    g = mt.Generator().manual_seed(5)
    mt.manual_seed(1)
    first = getattr(init, name)(mt.empty(4, 4), generator=g)
    untouched = mt.rand(1)
    mt.manual_seed(1)
    assert mt.equal(untouched, mt.rand(1))
    mt.manual_seed(5)
    assert mt.equal(first, getattr(init, name)(mt.empty(4, 4)))


def test_gains(torch):
    names = [
        "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
        "conv_transpose3d", "sigmoid", "tanh", "relu", "selu", "leaky_relu",
    ]  # fmt: skip
    for name in names:
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    for slope in (0, 0.2, 1, -3.5, None):
        want = torch.nn.init.calculate_gain("leaky_relu", slope)
        assert init.calculate_gain("leaky_relu", slope) == want
    for wrong in (("leaky_relu", True), ("leaky_relu", "a"), ("gelu", None)):
        with pytest.raises(ValueError, match=r"not a valid number|Unsupported nonlinearity"):
            init.calculate_gain(*wrong)


def test_orthogonal_is_orthogonal():
    tall, wide = init.orthogonal_(mt.empty(6, 3)), init.orthogonal_(mt.empty(3, 2, 4), gain=2)
    np.testing.assert_allclose((tall.T @ tall).numpy(), np.eye(3), atol=1e-6)
    rows = wide.reshape(3, 8)
    np.testing.assert_allclose((rows @ rows.T).numpy(), 4 * np.eye(3), atol=1e-5)


def test_variances_are_those_of_the_formulas():
    mt.manual_seed(0)
    tensor = mt.empty(300, 200)
    wanted = {
        "xavier_uniform_": 2 / 500, "xavier_normal_": 2 / 500, "kaiming_uniform_": 2 / 200,
        "kaiming_normal_": 2 / 200,
    }  # fmt: skip
    for name, variance in wanted.items():
        assert getattr(init, name)(tensor).var().item() == pytest.approx(variance, rel=0.03)


def test_warnings_are_pytorchs(torch):
    for call in (
        lambda lib: lib.nn.init.trunc_normal_(lib.empty(3), 9.0),
        lambda lib: lib.nn.init.kaiming_uniform_(lib.empty(0, 3)),
        lambda lib: lib.nn.init.kaiming_normal_(lib.empty(0, 3)),
    ):
        said = []
        for lib in (torch, mt):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                call(lib)
            said.append([(w.category, str(w.message)) for w in caught])
        assert said[0] == said[1] and said[0]


def test_a_parameter_of_a_graph_is_filled_outside_it():
    w = mt.ones(2, 2, requires_grad=True)
    y = (w * w).sum()
    init.zeros_(w)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
