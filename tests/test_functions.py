"""The functions of floor 5 against PyTorch: every call on every kind of input.

What must agree: values, dtypes, shapes, first and second gradients, or the class of the error.
"""

import math
import warnings

import numpy as np
import pytest
from conftest import GPU, has_gpu

import minitensor as mt
from minitensor import functions_table

RNG = np.random.default_rng(3)


def cut(*shape):
    """Values of a shape that lie scattered in memory: every other one of a transposed array."""
    wide = RNG.uniform(-2, 2, [2 * n for n in reversed(shape)])
    return wide.T[tuple(slice(None, None, 2) for _ in shape)]


INPUTS = {
    "0-d": np.asarray(1.5),
    "empty": np.zeros(0),
    "vector": RNG.uniform(-2, 2, 5),
    "one": np.asarray([0.7]),
    "matrix": RNG.uniform(-2, 2, (3, 4)),
    "square": cut(3, 3),
    "no rows": np.zeros((0, 3)),
    "3-d": cut(2, 3, 4),
    "4-d": RNG.uniform(-2, 2, (2, 1, 3, 2)),
    "zeros": np.asarray([[0.0, 2.0, 0.0], [1.5, -0.5, 3.0]]),
    "ties": np.asarray([[1.0, 1.0, 0.0], [2.0, 0.0, 2.0]]),
    "nan": np.asarray([[1.0, np.nan, 0.5], [np.inf, 2.0, -1.0]]),
    "float32": RNG.uniform(-2, 2, (2, 3)).astype(np.float32),
    "float32 0-d": np.asarray(0.3, dtype=np.float32),
    "one by one": np.asarray([[1.0]]),
    "uint8": np.asarray([[3, 0, 2], [1, 5, 4]], dtype=np.uint8),
    "int32": np.asarray([[3, 0, 2], [1, 5, 4]], dtype=np.int32),
    "int64": np.asarray([[3, 0, 2], [1, 5, 4]]),
    "int vector": np.asarray([2, 0, 1, 2]),
    "bool": np.asarray([[True, False, True], [False, False, True]]),
}


def parts(result):
    """A result as a flat list of tensors and numbers."""
    if isinstance(result, tuple | list):
        return [p for r in result for p in parts(r)]
    return [result]


def derivatives(lib, out, inputs):
    """First and second gradients of a weighted sum of squares of all floating results."""
    floats = [t for t in out if getattr(t, "requires_grad", False)]
    if not floats:
        return []
    total = sum((t * t * (i + 1)).sum() for i, t in enumerate(floats))
    options = {"allow_unused": True, "materialize_grads": True}
    (first,) = lib.autograd.grad(total, inputs, create_graph=True, **options)
    if not first.requires_grad:  # a slope that is constant
        return [first, lib.zeros_like(inputs[0])]
    return [first, *lib.autograd.grad((first * first).sum(), inputs, **options)]


def outcome(lib, call, data):
    """What came out: the class of the error, or values, gradients and second gradients."""
    x = lib.from_numpy(data.copy() if data.ndim == 0 else data)
    if data.dtype.kind == "f" and not np.isnan(data).any():  # NaN times 0 may be either
        x.requires_grad_()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = parts(call(lib, x))
    except Exception as error:
        return type(error)
    return [plain(t) for t in out + derivatives(lib, out, [x])]


def plain(t):
    return t.detach().cpu().numpy() if hasattr(t, "detach") else t


def agree(got, want, where=""):
    if isinstance(want, type) or isinstance(got, type):
        assert got == want, where
        return
    assert len(got) == len(want), where
    for g, w in zip(got, want, strict=True):
        if not isinstance(w, np.ndarray):
            assert g == w, where
            continue
        assert (g.shape, g.dtype) == (w.shape, w.dtype), where
        close = {"rtol": 1e-4, "atol": 1e-5} if w.dtype == np.float32 else {"rtol": 1e-9}
        np.testing.assert_allclose(g, w, err_msg=where, **{"atol": 1e-9, **close})


def index(lib, *values):
    return lib.tensor(values)


def grid(lib, x, last=None):
    """An index of the shape of ``x``: 0, 1, 0, 1, ..."""
    return (lib.arange(x.numel()) % 2).reshape(x.shape)


CALLS = {
    # arithmetic and comparison
    "positive": lambda lib, x: x.positive(),
    "true_divide": lambda lib, x: lib.true_divide(x, 2),
    "clamp_min": lambda lib, x: x.clamp_min(0.25),
    "clamp_max": lambda lib, x: lib.clamp_max(x, 0.25),
    "clamp tensor": lambda lib, x: x.clamp(min=lib.ones_like(x)),
    "clamp tensors": lambda lib, x: lib.clamp(x, lib.zeros_like(x), lib.ones_like(x)),
    "clamp to itself": lambda lib, x: x.clamp(min=x * 1),
    "clamp crossed": lambda lib, x: x.clamp(lib.full_like(x, 2), lib.ones_like(x)),
    "clamp mixed": lambda lib, x: x.clamp(min=lib.ones_like(x), max=2),
    "square": lambda lib, x: x.square(),
    "sign": lambda lib, x: lib.sign(x),
    "power": lambda lib, x: x**2,
    "less a bool": lambda lib, x: x - (x > 1),
    "bool less": lambda lib, x: (x > 1) - x,
    "less True": lambda lib, x: x - True,
    "floor_divide": lambda lib, x: x.detach() // 2,
    "floor_divide 0": lambda lib, x: x.detach() // 0,
    "remainder 0": lambda lib, x: x.detach() % 0,
    "remainder of 5": lambda lib, x: 5 % (x.detach() + 1),
    "negative number": lambda lib, x: (x + (-1), x * -3, x == -1),
    "filled with -1": lambda lib, x: (x * 1).fill_(-1),
    "filled with 300": lambda lib, x: (x * 1).fill_(300),
    "zeroed": lambda lib, x: (x * 1).zero_(),
    "add alpha": lambda lib, x: (x.add(x, alpha=2), lib.sub(x, 1, alpha=3)),
    "add alpha half": lambda lib, x: x.add(x, alpha=0.5),
    "numel": lambda lib, x: (lib.numel(x), lib.detach(x), lib.is_floating_point(x)),
    "types": lambda lib, x: str(lib.result_type(x, 1.5)).rpartition(".")[2],
    "lerp": lambda lib, x: x.lerp(x * 2 + 1, 0.3),
    "lerp far": lambda lib, x: lib.lerp(x, x * x, 0.75),
    "lerp tensor": lambda lib, x: lib.lerp(x, x * x, lib.full_like(x, 0.6)),
    "lerp dtype": lambda lib, x: lib.lerp(x, x.float(), 0.5),
    "addcmul": lambda lib, x: x.addcmul(x, x + 1),
    "addcmul value": lambda lib, x: lib.addcmul(x, x, x, value=2),
    "addcdiv": lambda lib, x: x.addcdiv(x, x * x + 1),
    "addcdiv value": lambda lib, x: lib.addcdiv(x, x, x * 0 + 2, value=3),
    "isclose": lambda lib, x: x.isclose(x * (1 + 1e-6)),
    "isclose nan": lambda lib, x: lib.isclose(x, x, equal_nan=True),
    "isclose dtypes": lambda lib, x: lib.isclose(x, x.half()),
    "allclose": lambda lib, x: lib.allclose(x, x + 1e-9, equal_nan=True),
    "allclose not": lambda lib, x: x.allclose(x + 1),
    "equal": lambda lib, x: lib.equal(x, x),
    # reductions
    "prod": lambda lib, x: x.prod(),
    "prod dim": lambda lib, x: x.prod(-1),
    "prod keepdim": lambda lib, x: lib.prod(x, 0, keepdim=True),
    "prod dtype": lambda lib, x: lib.prod(x, dtype=lib.float64),
    "cumprod": lambda lib, x: x.cumprod(-1),
    "cumprod 0": lambda lib, x: lib.cumprod(x, 0, dtype=lib.float64),
    "cumsum": lambda lib, x: x.cumsum(-1),
    "norm": lambda lib, x: x.norm(),
    "norm dim": lambda lib, x: lib.norm(x, dim=-1, keepdim=True),
    "norm dims": lambda lib, x: x.norm(dim=(0, 1)),
    "norm 1": lambda lib, x: x.norm(1),
    "norm 3": lambda lib, x: x.norm(3, dim=0),
    "norm 0": lambda lib, x: x.detach().norm(0),
    "norm inf": lambda lib, x: x.norm(math.inf),
    "norm -inf": lambda lib, x: x.norm(-math.inf, dim=-1),
    "count_nonzero": lambda lib, x: x.count_nonzero(),
    "count_nonzero dim": lambda lib, x: lib.count_nonzero(x, dim=-1),
    "aminmax": lambda lib, x: x.aminmax(),
    "aminmax dim": lambda lib, x: lib.aminmax(x, dim=-1, keepdim=True),
    "median": lambda lib, x: x.median(),
    "median dim": lambda lib, x: x.median(-1).values,
    "median keepdim": lambda lib, x: lib.median(x, 0, keepdim=True)[0],
    "var unbiased": lambda lib, x: x.var(unbiased=False),
    "var dim unbiased": lambda lib, x: x.var(0, unbiased=True, keepdim=True),
    "std positional": lambda lib, x: lib.std(x, -1, False),
    "axis": lambda lib, x: (x.sum(axis=0, keepdims=True), x.amax(axis=-1), lib.argmax(x, axis=0)),
    # shape
    "view_as": lambda lib, x: x.view_as(lib.zeros(x.numel())),
    "reshape_as": lambda lib, x: x.reshape_as(lib.zeros(1, x.numel())),
    "expand_as": lambda lib, x: x.expand_as(lib.zeros(2, *x.shape)),
    "broadcast_to": lambda lib, x: lib.broadcast_to(x, (2, *x.shape)),
    "broadcast_to wrong": lambda lib, x: lib.broadcast_to(x, (7, 7)),
    "broadcast_tensors": lambda lib, x: lib.broadcast_tensors(x, lib.zeros(2, 1)),
    "broadcast_tensors wrong": lambda lib, x: lib.broadcast_tensors(x, lib.zeros(7)),
    "ravel": lambda lib, x: x.ravel(),
    "unflatten": lambda lib, x: x.unflatten(-1, (2, -1)),
    "unflatten 1": lambda lib, x: x.unflatten(0, (1, -1, 1)),
    "unflatten wrong": lambda lib, x: x.unflatten(0, (7, 2)),
    "movedim": lambda lib, x: x.movedim(0, -1),
    "movedim many": lambda lib, x: lib.movedim(x, (0, 1), (-1, 0)),
    "movedim wrong": lambda lib, x: x.movedim((0, 1), (0,)),
    "moveaxis": lambda lib, x: lib.moveaxis(x, 0, 1),
    "swapaxes": lambda lib, x: x.swapaxes(0, -1),
    "repeat": lambda lib, x: x.repeat(2, 1, 1, 3),
    "repeat 0": lambda lib, x: x.repeat([2] + [1] * x.ndim),
    "repeat few": lambda lib, x: x.repeat(2),
    "repeat negative": lambda lib, x: x.repeat(*[-1] * max(x.ndim, 1)),
    "tile": lambda lib, x: x.tile(2),
    "tile many": lambda lib, x: lib.tile(x, (2, 1, 2)),
    "hstack": lambda lib, x: lib.hstack([x, x * 2]),
    "vstack": lambda lib, x: lib.vstack((x, x)),
    "split": lambda lib, x: x.split(2),
    "split dim": lambda lib, x: lib.split(x, 2, dim=-1),
    "split zero": lambda lib, x: x.split(0),
    "split sizes": lambda lib, x: x.split([1, 1]),
    "split_with_sizes": lambda lib, x: x.split_with_sizes([1, 2], -1),
    "chunk": lambda lib, x: x.chunk(2),
    "chunk many": lambda lib, x: lib.chunk(x, 9, -1),
    "chunk none": lambda lib, x: x.chunk(0),
    "unbind": lambda lib, x: x.unbind(),
    "unbind last": lambda lib, x: lib.unbind(x, -1),
    "select": lambda lib, x: x.select(0, -1),
    "select last": lambda lib, x: lib.select(x, -1, 1),
    "select far": lambda lib, x: x.select(0, 9),
    "narrow": lambda lib, x: x.narrow(-1, 1, 2),
    "flip": lambda lib, x: x.flip(0),
    "flip many": lambda lib, x: lib.flip(x, (0, -1)),
    "flip twice": lambda lib, x: x.flip(0, 0),
    "roll": lambda lib, x: x.roll(2),
    "roll dim": lambda lib, x: lib.roll(x, -1, 0),
    "roll dims": lambda lib, x: x.roll((1, 2), (0, 1)),
    "roll wrong": lambda lib, x: x.roll((1, 2), (0,)),
    "tril": lambda lib, x: x.tril(),
    "triu": lambda lib, x: lib.triu(x, diagonal=1),
    "diag": lambda lib, x: x.diag(),
    "diag 1": lambda lib, x: lib.diag(x, -1),
    "diagonal": lambda lib, x: x.diagonal(),
    "diagonal dims": lambda lib, x: lib.diagonal(x, 1, -1, 0),
    "diagonal same": lambda lib, x: x.diagonal(0, 1, 1),
    "diag_embed": lambda lib, x: x.diag_embed(),
    "diag_embed dims": lambda lib, x: lib.diag_embed(x, -1, 0, 1),
    "atleast_1d": lambda lib, x: lib.atleast_1d(x),
    "atleast_2d": lambda lib, x: lib.atleast_2d(x, lib.tensor(2.0)),
    "meshgrid": lambda lib, x: lib.meshgrid(x, lib.tensor([1, 2]).to(x.dtype), indexing="xy"),
    "meshgrid ij": lambda lib, x: lib.meshgrid([x, x, x], indexing="ij"),
    "meshgrid dtypes": lambda lib, x: lib.meshgrid(x, x.half(), indexing="xy"),
    "meshgrid wrong": lambda lib, x: lib.meshgrid(x, indexing="yx"),
    "clone": lambda lib, x: lib.clone(x) * x.contiguous(),
    "size arguments": lambda lib, x: (x.flatten(), x.view(-1), x.size(-1), x.dim()),
    # indexing
    "gather": lambda lib, x: x.gather(0, grid(lib, x)),
    "gather last": lambda lib, x: lib.gather(x, -1, grid(lib, x)),
    "gather part": lambda lib, x: x.gather(1, lib.tensor([[0, 1, 1, 0, 1]])),
    "gather far": lambda lib, x: x.gather(0, grid(lib, x) + 9),
    "gather negative": lambda lib, x: x.gather(0, grid(lib, x) - 1),
    "gather float": lambda lib, x: x.gather(0, grid(lib, x).float()),
    "scatter": lambda lib, x: x.scatter(-1, grid(lib, x), x * 2),
    "scatter part": lambda lib, x: x.scatter(-1, grid(lib, x)[..., :1], x.detach()),
    "scatter number": lambda lib, x: lib.scatter(x, 0, grid(lib, x), 7),
    "scatter far": lambda lib, x: x.scatter(0, grid(lib, x) + 9, 1),
    "scatter dtype": lambda lib, x: x.scatter(0, grid(lib, x), x.half()),
    "scatter_add": lambda lib, x: x.scatter_add(0, grid(lib, x), x * x),
    "scatter_add last": lambda lib, x: lib.scatter_add(x, -1, grid(lib, x), x + x),
    "scatter_add small": lambda lib, x: x.scatter_add(0, grid(lib, x), x[:1]),
    "index_select": lambda lib, x: x.index_select(0, index(lib, 0, 0)),
    "index_select last": lambda lib, x: lib.index_select(x, -1, index(lib, 1, 0, 1)),
    "index_select far": lambda lib, x: x.index_select(0, index(lib, 9)),
    "index_select float": lambda lib, x: x.index_select(0, index(lib, 1.0)),
    "index_select matrix": lambda lib, x: x.index_select(0, lib.tensor([[0]])),
    "index_add": lambda lib, x: x.index_add(0, lib.arange(x.numel()) % 1, x.flatten()),
    "index_add all": lambda lib, x: lib.index_add(
        x, -1, lib.zeros(x.shape[-1]).long(), x * x, alpha=2
    ),
    "index_add far": lambda lib, x: x.index_add(0, index(lib, 9), x[:1]),
    "masked_fill": lambda lib, x: x.masked_fill(x > 0.5, -1),
    "masked_fill tensor": lambda lib, x: lib.masked_fill(x, x < 1, lib.tensor(3)),
    "masked_fill vector": lambda lib, x: x.masked_fill(x > 0, lib.tensor([1.0])),
    "masked_fill numbers": lambda lib, x: x.masked_fill(x * 1, 1),
    "masked_select": lambda lib, x: x.masked_select(x > 0.5),
    "masked_select wide": lambda lib, x: x.masked_select(lib.tensor([[True], [False]])),
    "masked_select wrong": lambda lib, x: x.masked_select(x * 1),
    "take_along_dim": lambda lib, x: x.take_along_dim(x.argsort(-1), -1),
    "take_along_dim flat": lambda lib, x: lib.take_along_dim(x.contiguous(), index(lib, 0)),
    "take_along_dim wide": lambda lib, x: x.take_along_dim(lib.tensor([[1], [0]]), 1),
    "nonzero": lambda lib, x: x.nonzero(),
    "nonzero tuple": lambda lib, x: lib.nonzero(x, as_tuple=True),
    "sort": lambda lib, x: x.sort(stable=True),
    "sort down": lambda lib, x: lib.sort(x, 0, descending=True).values,
    "argsort": lambda lib, x: x.argsort(stable=True),
    "argsort down": lambda lib, x: lib.argsort(x, -1, True).sort(),
    "topk": lambda lib, x: x.topk(1)[0],
    "topk small": lambda lib, x: lib.topk(x, 2, 0, largest=False).values,
    "topk many": lambda lib, x: x.topk(9),
    "unique": lambda lib, x: x.detach().unique(),
    "unique all": lambda lib, x: lib.unique(x.detach(), return_inverse=True, return_counts=True),
    "unique dim": lambda lib, x: x.detach().unique(dim=-1, return_counts=True),
    "repeat_interleave": lambda lib, x: x.repeat_interleave(2),
    "repeat_interleave dim": lambda lib, x: lib.repeat_interleave(x, 3, dim=-1),
    "repeat_interleave list": lambda lib, x: x.repeat_interleave(index(lib, 1, 2, 0), dim=-1),
    "repeat_interleave one": lambda lib, x: lib.repeat_interleave(x),
    "repeat_interleave negative": lambda lib, x: x.repeat_interleave(-1),
    # products
    "outer": lambda lib, x: x.outer(x * 2),
    "inner": lambda lib, x: x.inner(x),
    "inner number": lambda lib, x: lib.inner(x, lib.ones_like(x)[..., :1].sum()),
    "inner wrong": lambda lib, x: x.inner(lib.ones(7, dtype=x.dtype)),
    "trace": lambda lib, x: x.trace(),
    "kron": lambda lib, x: x.contiguous().kron(lib.tensor([[1, 2], [3, 4]]).to(x.dtype)),
    "tensordot": lambda lib, x: lib.tensordot(x, x, 1),
    "tensordot all": lambda lib, x: lib.tensordot(x, x, x.ndim),
    "tensordot lists": lambda lib, x: lib.tensordot(x, x, ([0], [0])),
    "tensordot crossed": lambda lib, x: lib.tensordot(x, x, ([0, 1], [0, -1])),
    "addmm": lambda lib, x: lib.addmm(x.sum(), x, x.T),
    "addmm numbers": lambda lib, x: x.addmm(x, x, beta=2, alpha=3),
    "baddbmm": lambda lib, x: lib.baddbmm(
        x.sum(), x.reshape(-1, 1, 1), x.reshape(-1, 1, 1), beta=2, alpha=3
    ),
    "baddbmm beta 0": lambda lib, x: lib.baddbmm(x.sum(), x, x.transpose(1, 2), beta=0),
    "einsum trace": lambda lib, x: lib.einsum("ii", x),
    "einsum diagonal": lambda lib, x: lib.einsum("ii->i", x),
    "einsum sum": lambda lib, x: lib.einsum("...i->...", x),
    "einsum transpose": lambda lib, x: lib.einsum("ba", x),
    "einsum outer": lambda lib, x: lib.einsum("i,j", x, x),
    "einsum product": lambda lib, x: lib.einsum("ij,kj->ik", x, x),
    "einsum hadamard": lambda lib, x: lib.einsum("ij,ij->ij", x, x),
    "einsum batch": lambda lib, x: lib.einsum("bij,bkj->bik", x, x),
    "einsum dots": lambda lib, x: lib.einsum("...ij,...kj->...ki", x, x),
    "einsum three": lambda lib, x: lib.einsum("ij,kj,kl->il", [x, x, x]),
    "einsum sums": lambda lib, x: lib.einsum("ij,kl->jl", x, x),
    "einsum wrong letters": lambda lib, x: lib.einsum("ij,jk->iz", x, x),
    "einsum few": lambda lib, x: lib.einsum("ij,jk", x),
    "einsum twice": lambda lib, x: lib.einsum("ij->ii", x),
    "einsum digits": lambda lib, x: lib.einsum("i1->i", x),
    # statistics
    "quantile": lambda lib, x: x.quantile(0.4),
    "quantile dim": lambda lib, x: lib.quantile(x, 0.3, dim=-1, keepdim=True),
    "quantile many": lambda lib, x: x.quantile(lib.tensor([0.0, 0.35, 1.0], dtype=x.dtype), 0),
    "quantile all": lambda lib, x: x.quantile(lib.tensor([0.2], dtype=x.dtype), keepdim=True),
    "quantile lower": lambda lib, x: x.quantile(0.4, interpolation="lower"),
    "quantile nearest": lambda lib, x: x.quantile(0.4, -1, interpolation="nearest"),
    "quantile midpoint": lambda lib, x: x.quantile(0.4, interpolation="midpoint"),
    "quantile far": lambda lib, x: x.quantile(1.4),
    "quantile dtype": lambda lib, x: x.quantile(lib.tensor([0.5], dtype=lib.float16)),
    "cov": lambda lib, x: x.cov(),
    "cov weights": lambda lib, x: lib.cov(
        x * 1, fweights=lib.arange(x.shape[-1]) + 1, correction=0
    ),
    "cov both": lambda lib, x: x.cov(
        fweights=lib.arange(x.shape[-1]) + 1, aweights=(lib.arange(x.shape[-1]) + 0.5).double()
    ),
    "bincount": lambda lib, x: x.bincount(),
    "bincount weights": lambda lib, x: lib.bincount(x, weights=x + 0.5, minlength=7),
    "histc": lambda lib, x: x.detach().histc(4),
    "histc range": lambda lib, x: lib.histc(x.detach(), bins=3, min=-1, max=1),
    "histogram": lambda lib, x: x.detach().histogram(3),
    "histogram edges": lambda lib, x: lib.histogram(
        x.detach(), lib.tensor([-1.0, 0.0, 0.5, 2.0], dtype=x.dtype), density=True
    ),
    "histogram range": lambda lib, x: lib.histogram(
        x.detach(), 3, range=(-2.0, 2.0), weight=x.detach() * 2
    ),
}

# Where PyTorch answers by accident: an index of the wrong dtype passes where it is empty, sizes
# are inferred for an empty gradient, an index out of range is read; columns that hold NaN have no
# order, and PyTorch's sign of NaN is 0; where two things are wrong, either may be named.
DIFFERENT = {
    ("gather float", "empty"), ("gather float", "no rows"), ("repeat negative", "empty"),
    ("unique dim", "nan"), ("take_along_dim wide", "one by one"),
    ("index_select last", "one by one"), ("histc range", "uint8"), ("histogram edges", "uint8"),
    ("histogram range", "uint8"), ("sign", "nan"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    for kind, data in INPUTS.items():
        if (name, kind) in DIFFERENT:
            continue
        want, got = (outcome(lib, CALLS[name], data) for lib in (torch, mt))
        if want is NotImplementedError and data.dtype.kind != "f":
            continue  # PyTorch has no kernel for this dtype; minitensor may compute it
        agree(got, want, kind)


@pytest.fixture(params=["standin", GPU])
def other_device(request):
    """Every device but the CPU."""
    if request.param == "cuda" and not has_gpu():
        pytest.skip("no GPU: CuPy is not installed, or finds none")
    return request.param


ON_DEVICES = ["vector", "square", "3-d", "int64", "int vector", "bool"]


@pytest.mark.parametrize("name", CALLS)
def test_same_on_every_device(name, other_device):
    """Nothing crosses to the host by itself: the stand-in refuses that as CuPy does."""
    call = CALLS[name]
    for kind in ON_DEVICES:
        want = outcome(mt, call, INPUTS[kind])
        before = mt.get_default_device()
        mt.set_default_device(other_device)
        try:
            got = outcome(mt, lambda lib, x: call(lib, x.to(other_device)), INPUTS[kind])
        finally:
            mt.set_default_device(before)
        agree(got, want, kind)


# -- without PyTorch: numeric derivatives, and NumPy as the oracle of einsum -----------------------

SMOOTH = np.asarray([[0.9, -0.35, 1.7], [-1.2, 0.45, 0.15], [2.1, -0.8, -1.6]])


def smooth(name):
    """The floating results of a call at a point without kinks, as a function to differentiate."""

    def function(x):
        out = parts(CALLS[name](mt, x))
        return tuple(t for t in out if isinstance(t, mt.Tensor) and t.is_floating_point())

    return function


def has_gradient(name):
    x = mt.tensor(SMOOTH, requires_grad=True)
    try:
        out = smooth(name)(x)
    except Exception:
        return False  # a call that refuses this input; test_as_pytorch has them
    if name in ("scatter", "scatter part"):  # places named twice; a part that is detached
        return False
    return any(t.requires_grad for t in out)


@pytest.mark.parametrize("name", [n for n in CALLS if has_gradient(n)])
def test_derivatives_are_the_numeric_ones(name):
    x = mt.tensor(SMOOTH, dtype=mt.float64, requires_grad=True)
    assert mt.gradcheck(smooth(name), [x]) and mt.gradgradcheck(smooth(name), [x])


@pytest.mark.parametrize("seed", range(40))
def test_einsum_of_random_equations(seed):
    rng = np.random.default_rng(seed)
    sizes = dict(zip("abcd", rng.integers(1, 4, 4), strict=True))
    terms = ["".join(rng.choice(list("abcd"), rng.integers(0, 4))) for _ in range(seed % 3 + 1)]
    used = sorted(set("".join(terms)))
    output = "".join(rng.permutation(used)[: rng.integers(0, len(used) + 1)])
    arrays = [rng.standard_normal([sizes[c] for c in term]) for term in terms]
    equation = f"{','.join(terms)}->{output}"
    got = mt.einsum(equation, *[mt.from_numpy(np.asarray(a)) for a in arrays])
    np.testing.assert_allclose(got.numpy(), np.einsum(equation, *arrays), atol=1e-12)


# -- calling forms ---------------------------------------------------------------------------------


def test_out_is_written_and_returned():
    x, out = mt.tensor([1.0, 4.0]), mt.zeros(2)
    assert mt.sqrt(x, out=out) is out and out.tolist() == [1, 2]
    assert mt.add(x, x, out=out).tolist() == [2, 8]
    assert mt.maximum(x, mt.tensor([2.0, 2.0]), out=out).tolist() == [2, 4]
    assert mt.sum(x, 0, out=mt.empty(0)).tolist() == 5
    values, places = mt.zeros(2), mt.zeros(2).long()
    assert mt.sort(x, descending=True, out=(values, places)).values is values
    assert values.tolist() == [4, 1] and places.tolist() == [1, 0]
    with pytest.warns(UserWarning, match="was resized since it had shape"):
        assert mt.exp(x, out=mt.zeros(3)).shape == (2,)
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        mt.mul(x.requires_grad_(), 2, out=out)
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
        mt.exp(x.detach(), out=mt.zeros(2).long())


def test_a_function_wants_tensors_and_says_which():
    x = mt.ones(2, 2)
    wanted = {
        "exp": lambda: mt.exp([1.0]), "sum": lambda: mt.sum(np.ones(2)),
        "flip": lambda: mt.flip([1], 0), "norm": lambda: mt.norm(2.0),
        "index_select": lambda: mt.index_select(x, 0, [0]), "cat": lambda: mt.cat([x, 1]),
        "sort": lambda: mt.sort("abc"), "einsum": lambda: mt.einsum("ij->i", 1.0),
    }  # fmt: skip
    for name, call in wanted.items():
        with pytest.raises(TypeError, match=rf"{name}\(\): argument '\w+'.* must be "):
            call()
    for name in ("maximum", "atan2", "logical_and"):
        with pytest.raises(TypeError, match="argument 'other' must be Tensor, not int"):
            getattr(mt, name)(x, 2)


def test_arguments_by_pytorch_names_and_numpy_names():
    torch = pytest.importorskip("torch")
    for lib in (torch, mt):
        x = lib.arange(6.0).reshape(2, 3)
        results = [
            lib.mul(input=x, other=2), lib.exp(input=x), lib.flip(input=x, dims=(0,)),
            lib.gather(input=x, dim=1, index=lib.tensor([[0], [2]])), x.maximum(other=x),
            lib.sum(input=x, axis=1, keepdims=True), lib.roll(input=x, shifts=1, dims=0),
            lib.topk(input=x, k=1, dim=-1, largest=True).values, lib.softmax(x, axis=0),
            lib.quantile(input=x, q=0.5, axis=1), lib.cat(tensors=(x, x), axis=1),
            lib.addcmul(input=x, tensor1=x, tensor2=x, value=2), x.amax(axis=(0, 1)),
            lib.scatter(input=x, dim=0, index=lib.tensor([[0]]), value=3), lib.tile(x, dims=(2,)),
            lib.repeat_interleave(input=x, repeats=2, dim=0), lib.outer(input=x[0], vec2=x[1]),
        ]  # fmt: skip
        if lib is torch:
            wanted = [t.numpy() for t in results]
    for got, want in zip(results, wanted, strict=True):
        np.testing.assert_allclose(got.numpy(), want)


def test_gradients_at_corners_are_pytorchs():
    torch = pytest.importorskip("torch")
    inf, found = math.inf, []
    for lib in (torch, mt):
        corners = {
            lib.atan2: ([0.0, 1.0, 0.0], [0.0, 0.0, -1.0]),
            lib.logaddexp: ([inf, 0.0, inf, 900.0], [0.0, -inf, -inf, -900.0]),
            lib.hypot: ([1.0, 0.0], [0.0, 2.0]),
        }
        for function, values in corners.items():
            given = [lib.tensor(v, requires_grad=True) for v in values]
            function(*given).sum().backward()
            found.append([t.grad.tolist() for t in given])
    assert found[:3] == found[3:]


def test_results_have_names():
    x = mt.tensor([[3.0, 1.0], [0.0, 2.0]])
    assert repr(x.sort()).startswith("minitensor.return_types.sort(\nvalues=tensor([[1., 3.],")
    assert repr(x.max(0)).startswith("minitensor.return_types.max(\nvalues=tensor([3., 2.]),\nind")
    assert x.aminmax().min == 0 and x.aminmax().max == 3
    values, indices = x.topk(1)
    assert values.tolist() == [[3], [2]] and indices.tolist() == [[0], [1]]
    assert x.detach().histogram(2).hist.tolist() == [2, 2]


def test_views_share_memory():
    x = mt.zeros(3, 3)
    x.diagonal().fill_(1)
    x.select(1, 2)[0] = 5
    x.unbind()[1].mul_(2)
    x.chunk(3, 1)[0][2] = 7
    assert x.tolist() == [[1, 0, 5], [0, 2, 0], [7, 0, 1]]
    assert x.diag().data_ptr() != x.data_ptr()  # a copy, as in PyTorch


def test_a_change_of_a_diagonal_is_seen_by_autograd():
    x = mt.ones(2, 2, requires_grad=True)
    y = x * 2
    y.diagonal().mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [[6, 2], [2, 6]]


# -- padding and classes, which PyTorch keeps in nn.functional -------------------------------------

PADS = [
    ((1, 2), {}), ((1, 0, 2, 1), {"value": 1.5}), ((-1, 2), {}), ((0, -1, 1, 0), {"value": -2}),
    ((1, 1), {"mode": "reflect"}), ((2, 1, 1, 0), {"mode": "reflect"}),
    ((1, 2), {"mode": "replicate"}), ((1, 2, 3, 0), {"mode": "replicate"}),
    ((1, 2), {"mode": "circular"}), ((1, 2, 1, 0), {"mode": "circular"}),
    ((9, 9), {"mode": "reflect"}), ((9, 9), {"mode": "circular"}), ((1,), {}), ((-9, 0), {}),
    ((1, 1), {"mode": "mirror"}), ((1, 1, 1, 1, 1, 1), {"mode": "reflect"}),
]  # fmt: skip


@pytest.mark.parametrize(("ends", "options"), PADS)
def test_pad(ends, options):
    torch = pytest.importorskip("torch")
    from minitensor.functions_shape import pad

    for kind in ("vector", "matrix", "3-d", "4-d", "int64", "0-d"):
        want = outcome(
            torch, lambda lib, x: lib.nn.functional.pad(x, ends, **options), INPUTS[kind]
        )
        got = outcome(mt, lambda lib, x: pad(x, ends, **options), INPUTS[kind])
        agree(got, want, kind)


@pytest.mark.parametrize("data", [[[0, 2], [1, 1]], [], 3, [-1], [4]])
@pytest.mark.parametrize("classes", [-1, 4])
def test_one_hot(data, classes):
    torch = pytest.importorskip("torch")
    from minitensor.functions_index import one_hot

    data = np.array(data, dtype=np.int64)
    want = outcome(torch, lambda lib, x: lib.nn.functional.one_hot(x, classes), data)
    agree(outcome(mt, lambda lib, x: one_hot(x, classes), data), want)


def test_every_name_is_pytorchs():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    functions, methods = functions_table.public_functions(), functions_table.public_methods()
    assert [n for n in functions if not hasattr(torch, n) and not hasattr(F, n)] == []
    assert [n for n in methods if not hasattr(torch.Tensor, n)] == []
    changing = [f"{n}_" for n in functions_table.IN_PLACE]
    assert [n for n in changing if not hasattr(torch.Tensor, n) or not hasattr(mt.Tensor, n)] == []
    kept = {n[:-1] for n in dir(torch.Tensor) if n.endswith("_") and n[:-1] in methods}
    of_another_shape = set("t squeeze unsqueeze transpose swapaxes swapdims".split())
    assert kept - of_another_shape - set(functions_table.IN_PLACE) == set()


# -- in place --------------------------------------------------------------------------------------

IN_PLACE = {  # y is changed, x is not
    "masked_fill_": lambda lib, y, x: y.masked_fill_(x > 0, 7),
    "lerp_": lambda lib, y, x: y.lerp_(x * 2, 0.5),
    "addcmul_": lambda lib, y, x: y.addcmul_(x, x, value=2),
    "clamp_min_": lambda lib, y, x: y.clamp_min_(0.5),
    "scatter_": lambda lib, y, x: y.scatter_(0, grid(lib, x), 3),
    "index_add_": lambda lib, y, x: y.index_add_(0, index(lib, 1), x[:1]),
    "tril_": lambda lib, y, x: y.tril_(),
    "cumsum_": lambda lib, y, x: y.cumsum_(0),
    "gt_": lambda lib, y, x: y.detach().gt_(0.5),
    "atan2_": lambda lib, y, x: y.atan2_(x + 1),
    "addmm_": lambda lib, y, x: y.addmm_(x, x.T),
    "log1p_": lambda lib, y, x: y.abs_().log1p_().multiply_(3),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name):
    torch = pytest.importorskip("torch")
    change = IN_PLACE[name]
    for kind in ("vector", "square", "matrix", "0-d"):
        libs = (torch, mt)
        want, got = (outcome(lib, lambda n, x: change(n, x * 1, x), INPUTS[kind]) for lib in libs)
        agree(got, want, kind)


# -- methods that are no functions -----------------------------------------------------------------

OWN = {
    "new_zeros": lambda lib, x: x.new_zeros(2, 3),
    "new_zeros size": lambda lib, x: x.new_zeros((2,), dtype=lib.int32),
    "new_ones": lambda lib, x: x.new_ones([2, 1]),
    "new_full": lambda lib, x: x.new_full((2, 2), 1),
    "new_tensor": lambda lib, x: x.new_tensor([1, 0]),
    "new_empty": lambda lib, x: x.new_empty(0, 3),
    "type": lambda lib, x: x.type(lib.float32),
    "type name": lambda lib, x: x.type(f"{lib.__name__}.DoubleTensor"),
    "type of": lambda lib, x: x.type().rpartition(".")[2],
    "type wrong": lambda lib, x: x.type(5) if lib is mt else x.type({}),
    "t_": lambda lib, x: ((x * 1).t_(), x),
    "squeeze_": lambda lib, x: (x * 1)[None].squeeze_(),
    "unsqueeze_": lambda lib, x: (x * 1).unsqueeze_(-1).sin_(),
    "transpose_": lambda lib, x: (x * 1).transpose_(0, -1) * 2,
    "transpose_ of a leaf": lambda lib, x: x.transpose_(0, -1),
    "of a view": lambda lib, x: write_in_turned_view(x * 1),
    "legacy sizes": lambda lib, x: lib.DoubleTensor(2, 3) * 0,
    "legacy values": lambda lib, x: lib.LongTensor([1, 2]),
}


def write_in_turned_view(y):
    part = y[:1]
    part.unsqueeze_(0).mul_(3)
    return y


@pytest.mark.parametrize("name", OWN)
def test_methods_that_are_no_functions(name):
    torch = pytest.importorskip("torch")
    for kind in ("vector", "square", "matrix", "3-d", "float32", "int64"):
        want, got = (outcome(lib, OWN[name], INPUTS[kind].copy()) for lib in (torch, mt))
        agree(got, want, kind)


def test_a_tensor_with_views_keeps_its_shape():
    x = mt.ones(2, 3)
    row = x[0]
    with pytest.raises(RuntimeError, match=r"t_\(\): not on a tensor that has views"):
        x.t_()
    del row
    assert x.t_() is x and x.shape == (3, 2)
