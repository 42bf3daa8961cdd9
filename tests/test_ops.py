"""Every op in the registry, from its own sample: derivatives, lanes, dtypes, the rules' code."""

import ast
import inspect
import itertools
import math

import numpy as np
import pytest

import minitensor as mt
from minitensor import autograd, backend, core
from minitensor.core import OPS, wrap
from minitensor.gradcheck import gradcheck, gradgradcheck
from minitensor.ops.index import take_along
from minitensor.pool import scaled, times

DIFFERENTIABLE = [name for name, op in OPS.items() if op.rules]


def sample(op, device="cpu", dtype=None, seed=0):
    """The op's sample as leaf tensors on a device, and its attributes."""
    inputs, attrs = op.sample(np.random.default_rng(seed))
    names = op.inputs * len(inputs) if op.variadic else op.inputs
    tensors = []
    for name, x in zip(names, inputs, strict=True):
        x = np.ascontiguousarray(x)
        x = x.astype(dtype) if dtype and x.dtype.kind == "f" else x
        t = wrap(backend.move(x, device))
        t.needs_grad = name in op.rules and x.dtype.kind == "f"
        tensors.append(t)
    return tensors, attrs_on(attrs, device)


def attrs_on(attrs, device):
    """Index arrays among the attributes live on the device as well."""

    def moved(value):
        if isinstance(value, np.ndarray):
            return backend.move(value, device)
        return tuple(map(moved, value)) if type(value) is tuple else value

    return {k: device if k == "device" else moved(v) for k, v in attrs.items()}


def host(t):
    return backend.to_numpy(t.array)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_and_second_derivatives_are_the_numeric_ones(name):
    op = OPS[name]
    tensors, attrs = sample(op)
    assert gradcheck(lambda *xs: op.call(*xs, **attrs), tensors)
    assert gradgradcheck(lambda *xs: op.call(*xs, **attrs), tensors)


@pytest.mark.parametrize("name", OPS)
def test_the_lane_and_apply_agree(name, device):
    op = OPS[name]
    tensors, attrs = sample(op, device)
    fast, slow = op.call(*tensors, **attrs), core.apply(op, tensors, attrs)
    assert np.array_equal(host(fast), host(slow))
    assert fast.array.dtype == slow.array.dtype and type(fast.array) is type(slow.array)
    assert fast.needs_grad is slow.needs_grad
    if fast.node is not None:
        assert fast.node.shape == slow.node.shape and fast.node.edges == slow.node.edges
        for a, b in zip(fast.node.saved, slow.node.saved, strict=True):
            kept = type(a) in backend.MODULES
            assert a is b or not kept or np.array_equal(host(wrap(a)), host(wrap(b)))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_raw_and_recorded_walks_agree_on_every_device(name, device):
    op = OPS[name]
    here, attrs = sample(op, device)
    there, plain = sample(op)
    inputs = [t for t in here if t.needs_grad]
    out = op.call(*here, **attrs)
    seed = wrap(backend.move(np.random.default_rng(1).standard_normal(out.array.shape), device))
    raw = autograd.grad(out, inputs, seed, retain_graph=True)
    recorded = autograd.grad(out, inputs, seed, create_graph=True)
    cpu = op.call(*there, **plain)
    wanted = autograd.grad(cpu, [t for t in there if t.needs_grad], wrap(host(seed)))
    for a, b, c in zip(raw, recorded, wanted, strict=True):
        assert type(a.array) is type(out.array)
        np.testing.assert_allclose(host(a), host(b), rtol=1e-12)
        np.testing.assert_allclose(host(a), host(c), rtol=1e-12)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_float32_stays_float32(name, device):
    op = OPS[name]
    if name == "to":
        pytest.skip("changes dtypes on purpose")
    tensors, attrs = sample(op, device, np.float32)
    out = op.call(*tensors, **attrs)
    assert out.array.dtype == np.float32
    inputs = [t for t in tensors if t.needs_grad]
    seed = wrap(backend.move(np.ones(out.array.shape, np.float32), device))
    for g in autograd.grad(out, inputs, seed):
        assert g.array.dtype == np.float32


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_a_rule_gives_no_array_that_the_node_saved(name):
    op = OPS[name]
    tensors, attrs = sample(op)
    node = op.call(*tensors, **attrs).node
    g = np.ones(node.shape)
    for edge, d in zip(node.edges, op.pull(g, node.saved, node.attrs, node.edges), strict=True):
        if edge is None:
            continue
        d = np.asarray(d)
        assert d.shape == (node.shape if op.broadcasts else edge.array.shape)
        for saved in node.saved:
            assert not isinstance(saved, np.ndarray) or not np.shares_memory(d, saved)


# -- the rules' code -------------------------------------------------------------------------------

# All that arrays, Tensors and symbols share besides operators: `transpose`, `repeat` and `std`
# mean one thing on an array and another on a Tensor. And `call`, which only ops have.
SHARED = {"shape", "ndim", "dtype", "call"}
PLAIN = {"tuple", "list", "len", "range", "zip", "enumerate", "max", "min", "sum", "slice"}
TREES = {}


def code_of(function):
    """The syntax tree of a function, found by its place: a lambda's may not be its line's first."""
    module = inspect.getmodule(function)
    if module not in TREES:
        TREES[module] = ast.parse(inspect.getsource(module))
    line, names = function.__code__.co_firstlineno, list(inspect.signature(function).parameters)
    found = [
        node
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Lambda | ast.FunctionDef) and node.lineno == line
        if [a.arg for a in (*node.args.args, *node.args.kwonlyargs)] == names
    ]
    assert found, f"no code for {function}"
    return found[-1]


def misuses(function, done):
    """What a rule, or a helper that it calls, does that not all three kinds of value can."""
    if function in done:
        return
    done.add(function)
    known = function.__globals__
    names = [n for n in ast.walk(code_of(function)) if isinstance(n, ast.Name)]
    local = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    local |= set(inspect.signature(function).parameters)
    for node in ast.walk(code_of(function)):
        if isinstance(node, ast.Attribute):
            base = node.value.id if isinstance(node.value, ast.Name) else None
            of_module = base not in local and inspect.ismodule(known.get(base))
            if node.attr not in SHARED and not of_module:
                yield f".{node.attr}"
        if not isinstance(node, ast.Call) or isinstance(node.func, ast.Attribute):
            continue
        name = getattr(node.func, "id", "?")
        called = known.get(name)
        if hasattr(called, "op") or (called is None and name in PLAIN | local):
            continue  # an op, or a function that never meets a value
        if called in (times, scaled):
            continue  # as the operators; see test_pool.py
        if not inspect.isfunction(called):
            yield f"{name}()"
        elif name == "sum_to_shape":
            assert "sum_to(g, shape)" in inspect.getsource(called)  # it imports what it calls
        else:
            yield from misuses(called, done)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_rules_use_only_what_arrays_tensors_and_symbols_share(name):
    for rule in OPS[name].rules.values():
        assert list(misuses(rule, set())) == []


def _helper(g, shape):
    return g.reshape(shape)


@pytest.mark.parametrize(
    ("rule", "want"),
    [
        (lambda g, x: g * x.std(), [".std"]),
        (lambda g, x: (g * x).transpose(0, 1), [".transpose"]),
        (lambda g, x: np.exp(x).repeat(2), [".repeat"]),
        (lambda g, x_shape: _helper(g, x_shape), [".reshape"]),
        (lambda g, x: host(x) * g, [".array"]),
        (lambda g, x: float(g) * x, ["float()"]),
        (lambda g, x: g * x.shape[0] / max(x.ndim, 1), []),
    ],
)
def test_the_lint_sees_misuses(rule, want):
    assert [m for m in misuses(rule, set()) if m in want] == want


def test_the_lint_reads_the_rule_and_not_the_forward_beside_it():
    rule = OPS["rsqrt"].rules["x"]
    assert [a.arg for a in code_of(rule).args.args] == ["g", "out"]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_no_gradient_shares_memory_with_another_or_with_an_input(name, device):
    """What `.grad` holds may be written to: nothing else changes."""
    tensors, attrs = sample(OPS[name], device)
    inputs = [t for t in tensors if t.needs_grad]
    out = OPS[name].call(*tensors, **attrs)
    seed = wrap(backend.MODULES[type(out.array)].ones(out.array.shape, out.array.dtype))
    autograd.backward([out], [seed], retain_graph=True)
    others = [t.array for t in tensors] + [out.array, seed.array]
    others += [s for s in out.node.saved if type(s) in backend.MODULES]
    before = [wrap(a).tolist() for a in others]
    for i, t in enumerate(inputs):
        assert t.grad.array.dtype == t.array.dtype and t.grad.array.shape == t.array.shape
        rest = [x.grad.tolist() for x in inputs[i + 1 :]]
        t.grad.array[...] = 7
        assert [x.grad.tolist() for x in inputs[i + 1 :]] == rest
    assert [wrap(a).tolist() for a in others] == before


def test_an_op_needs_a_sample_and_a_name_of_its_own():
    with pytest.raises(TypeError, match="sample"):
        core.op("nameless", "add", tex="{0}")
    with pytest.raises(ValueError, match="'add' is defined twice"):
        core.op("add", "add", tex="{0}", sample=lambda rng: ([], {}), inputs="x y")
    with pytest.raises(ValueError, match="a rule asks for 'z'"):
        core.op("odd", "add", tex="", sample=lambda rng: ([], {}), x=lambda g, z: g)


def filled(shape, place):
    """An array written element by element: ``place`` yields pairs (index, value), which add up."""
    out = np.zeros(shape)
    for index, value in place:
        out[index] += value
    return out


def everywhere(x):
    """Pairs of every index of an array and the value there."""
    return ((i, x[i]) for i in np.ndindex(x.shape))


def at(x, shape, index_of):
    """An array of ``shape`` whose element i is ``x[index_of(*i)]``."""
    return filled(shape, ((i, x[index_of(*i)]) for i in np.ndindex(shape)))


def windows(x, y_shape, put):
    """Both directions of a window walk: kernel (2, 3), stride (2, 1), dilation (1, 2)."""
    n, c, h, w, p, q = (range(k) for k in y_shape)
    pairs = [((i, j, a, b, r, s), (i, j, 2 * r + a, s + 2 * b))
             for i in n for j in c for a in h for b in w for r in p for s in q]  # fmt: skip
    if put is None:
        return filled(y_shape, ((wide, x[flat]) for wide, flat in pairs))
    return filled(put, ((flat, x[wide]) for wide, flat in pairs))


def correlated(shape, left, right, at):
    """Sum of products for each of the three parts of a convolution: stride (2, 1), zeros around
    (1, 0) and (0, 1), dilation (1, 2), two groups. ``at`` says which parts are sum, left, right."""

    def place():
        ranges = map(range, (2, 6, 3, 3, 2, 2, 3))
        for n, o, p, q, c, a, b in itertools.product(*ranges):
            parts = ((n, o, p, q), (n, 2 * (o // 3) + c, 2 * p + a - 1, q + 2 * b), (o, c, a, b))
            if 0 <= parts[1][2] < 5 and parts[1][3] < 6:
                into, first, second = (parts[i] for i in at)
                yield into, left[first] * right[second]

    return filled(shape, place())


def pooled(x, choose):
    """``choose`` of the values of each window: kernel (2, 3), stride (2, 1), dilation (1, 2)."""
    out = np.zeros((*x.shape[:2], 2, 2))
    for n, c, p, q in np.ndindex(out.shape):
        seen = [x[n, c, 2 * p + a, q + 2 * b] for a in range(2) for b in range(3)]
        out[n, c, p, q] = choose(seen, (n, c, p, q))
    return out


def slope_of(f, x, h=1e-2):
    """By differences, five points of each side extrapolated: exact to 1e-13."""
    weights = {1: 5 / 6, 2: -5 / 21, 3: 5 / 84, 4: -5 / 504, 5: 1 / 1260}
    return sum(w * (f(x + k * h) - f(x - k * h)) for k, w in weights.items()) / h


def softmax(x, dim):
    return np.exp(x) / np.exp(x).sum(dim, keepdims=True)


def causal(x):
    return np.array([[[*softmax(x[i, r, : r + 1] / 2, 0), *[0] * (2 - r)] for r in range(3)]
                     for i in range(2)])  # fmt: skip


def changed(x, index, value):
    out = x.tolist()
    for (i, j), v in zip(index, value, strict=True):
        out[i][j] = v
    return np.array(out)


BLOCK = [(i, j) for i in range(2) for j in (1, 2, 3)]  # narrow: dimension 1, from 1 on, 3 long
CELLS = [(i, j) for i in (0, 2) for j in (1, 2)]
REFERENCE = {  # values, computed another way: by other functions, or element by element
    "square": lambda x: x * x, "reciprocal": lambda x: 1 / x, "pow_number": lambda x: x**3 * x**0.5,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "round": lambda x: np.floor(x + 0.5),
    "rsqrt": lambda x: x**-0.5, "exp2": lambda x: 2.0**x, "relu": lambda x: np.where(x > 0, x, 0),
    "sign": lambda x: x / np.abs(x),
    "tanh": lambda x: np.sinh(x) / np.cosh(x), "log1p": lambda x: np.log(1 + x),
    "expm1": lambda x: np.exp(x) - 1, "logaddexp": lambda x, y: np.log(np.exp(x) + np.exp(y)),
    "hypot": lambda x, y: (x * x + y * y) ** 0.5, "matmul": lambda x, y: np.einsum("ij,jk", x, y),
    "maximum": lambda x, y: np.where(x > y, x, y), "atan2": lambda x, y: np.arctan(x / y),
    "where": lambda c, x, y: c * x + ~c * y, "erf": lambda x: np.vectorize(math.erf)(x),
    "clamp_number": lambda x: np.array([[min(max(v, -1), 2) for v in row] for row in x]),
    "floor_divide": lambda x, y: np.floor(x / y), "remainder": lambda x, y: x - y * np.floor(x / y),
    # shape
    "reshape": lambda x: np.array([*x.flat]).reshape(3, 4),
    "clone": lambda x: +x, "to": lambda x: x,
    "permute": lambda x: np.einsum("abc->cab", x), "transpose": lambda x: np.einsum("abc->cba", x),
    "expand": lambda x: x + np.zeros((2, 3, 4)), "unsqueeze": lambda x: x[None, :, None],
    "squeeze": lambda x: x[0, :, 0], "flip": lambda x: x[::-1, ::-1],
    "roll": lambda x: at(x, (3, 4), lambda i, j: (i - 1, j - 2)),
    "cat": lambda x, y: np.array([[*a, *b] for a, b in zip(x, y, strict=True)]),
    "stack": lambda x, y: np.array([[a, b] for a, b in zip(x, y, strict=True)]),
    "narrow": lambda x: x[:, 1:4], "crop": lambda x: x[1:3, 2:5],
    "pad_zero": lambda x: filled((4, 4), (((i, j + 1), v) for (i, j), v in everywhere(x))),
    "tril": lambda x: filled(x.shape, ((i, v) for i, v in everywhere(x) if i[1] <= i[0] + 1)),
    "triu": lambda x: filled(x.shape, ((i, v) for i, v in everywhere(x) if i[1] >= i[0] - 1)),
    "diagonal": lambda x: at(x, (2, 2), lambda i, k: (k + 1, i, k)),
    "put_diagonal": lambda x: filled((4, 2, 3),
                                     (((k + 1, i, k), v) for (i, k), v in everywhere(x))),
    "repeat": lambda x: at(x, (2, 2, 6), lambda a, i, j: (i, j % 3)),
    # reductions
    "sum": lambda x: np.einsum("abc->b", x), "mean": lambda x: x.sum(1, keepdims=True) / 3,
    "amax": lambda x: np.array([x[:, i].max() for i in range(3)]),
    "amin": lambda x: np.array([x[:, i].min() for i in range(3)]),
    "argmax": lambda x: [[*row].index(max(row)) for row in x],
    "argmin": lambda x: [[*row].index(min(row)) for row in x],
    "argsort": lambda x: [sorted(range(4), key=lambda i, row=row: -row[i]) for row in x],
    "all": lambda x: [row[0] and row[1] for row in x],
    "any": lambda x: [row[0] or row[1] for row in x],
    "cumsum": lambda x: np.array([[row[: i + 1].sum() for i in range(4)] for row in x]),
    "logsumexp": lambda x: np.log(np.exp(x).sum(1)),
    # indexing
    "zero_part": lambda x: changed(x, BLOCK, [0] * 6),
    "replace": lambda x, y: changed(x, BLOCK, y.flat),
    "getitem": lambda x: at(x, (3, 2), lambda i, j: ((0, 2, 2)[i], j + 1)),
    "add_at": lambda x: filled((4, 3), (((2 * (i > 0), j + 1), v) for (i, j), v in everywhere(x))),
    "put_at": lambda x, y: changed(x, CELLS, y.flat),
    "clear_at": lambda x: changed(x, CELLS, [0] * 4),
    "gather": lambda x, k: at(x, (2, 3), lambda i, j: (i, k[i, j])),
    "gather_add": lambda x, k: filled((3, 4), (((i, k[i, j]), v) for (i, j), v in everywhere(x))),
    "take_along": lambda x, k: at(x, (3,), lambda i: (i, k[i])),
    "put_along": lambda x, k: filled((3, 4), (((i, k[i]), v) for (i,), v in everywhere(x))),
    # layers
    "linear": lambda x, w, b: np.einsum("ni,oi->no", x, w) + b,
    "linear_no_bias": lambda x, w: np.einsum("abi,oi->abo", x, w),
    "product_of_rows": lambda x, y: np.einsum("nmi,nmj->ij", x, y),
    "softmax": lambda x: softmax(x, 1), "log_softmax": lambda x: np.log(softmax(x, 0)),
    "causal_softmax": causal,
    "nll": lambda x, k, w: -sum(w[i] * x[i, k[i]] for i in range(3)),
    "mse": lambda x, y: np.square(x - y).mean(),
    "standardize": lambda x: np.array([(r - r.mean()) / (r.var() + 1e-5) ** 0.5 for r in x]),
    "softmax_back": lambda g, y: np.array([y[i] * (g[i] - g[i] @ y[i]) for i in range(3)]),
    "log_softmax_back": lambda g, y: np.array([g[i] - np.exp(y[i]) * g.sum(0) for i in range(3)]),
    "standardize_back": lambda g, x: slope_of(lambda h: REFERENCE["standardize"](x + h * g), 0.0),
    "scale_shift": lambda x, w, b: np.array([[v * s + t for v, s, t in zip(r, w, b, strict=True)]
                                             for r in x]),
    "gelu": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / 2**0.5)),
    "gelu_slope": lambda x: slope_of(REFERENCE["gelu"], x),
    "gelu_tanh_slope": lambda x: slope_of(REFERENCE["gelu_tanh"], x),
    "gelu_tanh": lambda x: x / (1 + np.exp(-2 * (2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))),
    # windows
    "conv": lambda x, w: correlated((2, 6, 3, 3), x, w, (0, 1, 2)),
    "conv_input": lambda x, w: correlated((2, 4, 5, 6), x, w, (1, 0, 2)),
    "conv_weight": lambda x, y: correlated((6, 2, 2, 3), x, y, (2, 1, 0)),
    "best_in_window": lambda x: pooled(x, lambda seen, at: seen.index(max(seen))),
    "place_in_window": lambda x, y: pooled(x, lambda seen, at: seen.index(max(seen))),
    "max_in_window": lambda x: pooled(x, lambda seen, at: max(seen)),
    "pick_in_window": lambda x, k: pooled(x, lambda seen, at: seen[k[at]]),
    "put_in_window": lambda x, k: filled(
        (1, 1, 5, 6),
        (((0, 0, 2 * p + k[0, 0, p, q] // 3, q + 2 * (k[0, 0, p, q] % 3)), x[0, 0, p, q])
         for p in range(2) for q in range(2))),
    "unfold": lambda x: windows(x, (2, 2, 2, 3, 2, 2), None),
    "fold": lambda x: windows(x, x.shape, (2, 2, 5, 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", OPS)
def test_values(name, device):
    """Against another way to compute them; an op that is a ufunc by name, against the ufunc."""
    tensors, attrs = sample(OPS[name], device)
    got = OPS[name].call(*tensors, **attrs)
    inputs = [host(t) for t in tensors]
    reference, forward = REFERENCE.get(name), OPS[name].forward
    assert reference or isinstance(forward, str), f"{name} has no reference here"
    want = (reference or getattr(np, forward))(*inputs)
    assert got.array.shape == np.shape(want)
    np.testing.assert_allclose(host(got), want, rtol=1e-12)


def test_take_along_reads_one_value_for_each_place():
    x, k = np.arange(12.0).reshape(3, 4), np.array([1, 0, 3])
    found = take_along(wrap(x), wrap(k), dim=1)
    np.testing.assert_array_equal(host(found), at(x, (3,), lambda i: (i, k[i])))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_erf_against_the_library(dtype):
    x = np.concatenate([np.linspace(-7, 7, 1401), 10.0 ** np.linspace(-30, 1, 311)]).astype(dtype)
    want = np.vectorize(math.erf)(x.astype(np.float64))
    got = mt.from_numpy(x).erf().numpy()
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want.astype(dtype), rtol=2 * np.finfo(dtype).eps)
    odd = mt.tensor([math.nan, math.inf, -math.inf, -0.0]).erf()
    assert str(odd) == "tensor([nan,  1., -1., -0.])"
