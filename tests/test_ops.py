"""Every op in the registry, from its own sample: derivatives, lanes, dtypes, the rules' code."""

import ast
import inspect
import textwrap

import numpy as np
import pytest

import minitensor as mt
from minitensor import autograd, backend, core
from minitensor.core import OPS, wrap
from minitensor.gradcheck import gradcheck, gradgradcheck

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
    for edge, pull in zip(node.edges, op.pulls, strict=False):
        if edge is None:
            continue
        d = np.asarray(pull(g, node.saved, node.attrs))
        for saved in node.saved:
            assert not isinstance(saved, np.ndarray) or not np.shares_memory(d, saved)


# What NumPy and Tensor both have, but with another meaning, or one of them only.
ALLOWED_ATTRIBUTES = {"shape", "ndim", "dtype"}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_rules_use_only_what_arrays_tensors_and_symbols_share(name):
    """A rule reads no other attribute of a value, and calls no method on one."""
    for rule in OPS[name].rules.values():
        names = set(inspect.signature(rule).parameters)
        tree = ast.parse(ast_source(rule))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id in names:
                    assert node.attr in ALLOWED_ATTRIBUTES, f"{name}: .{node.attr} in a rule"


def ast_source(rule):
    """The text of a rule; a lambda's text is cut out of the definition that it stands in."""
    text = textwrap.dedent(inspect.getsource(rule))
    if rule.__name__ != "<lambda>":
        return text
    start = text.index("lambda")
    for end in range(len(text), start, -1):
        try:
            ast.parse(text[start:end])
        except SyntaxError:
            continue
        return text[start:end]
    raise AssertionError(f"no lambda in {text}")


def test_an_op_needs_a_sample_and_a_name_of_its_own():
    with pytest.raises(TypeError, match="sample"):
        core.op("nameless", "add", tex="{0}")
    with pytest.raises(ValueError, match="'add' is defined twice"):
        core.op("add", "add", tex="{0}", sample=lambda rng: ([], {}), inputs="x y")
    with pytest.raises(ValueError, match="a rule asks for 'z'"):
        core.op("odd", "add", tex="", sample=lambda rng: ([], {}), x=lambda g, z: g)


REFERENCE = {  # values against another way to compute them
    "square": lambda x: x * x, "reciprocal": lambda x: 1 / x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "rsqrt": lambda x: x**-0.5, "exp2": lambda x: 2.0**x, "relu": lambda x: np.where(x > 0, x, 0),
    "logsumexp": lambda x: np.log(np.exp(x).sum(1)), "mean": lambda x: x.sum(1, keepdims=True) / 3,
    "tanh": lambda x: np.sinh(x) / np.cosh(x), "log1p": lambda x: np.log(1 + x),
    "expm1": lambda x: np.exp(x) - 1, "logaddexp": lambda x, y: np.log(np.exp(x) + np.exp(y)),
    "hypot": lambda x, y: (x * x + y * y) ** 0.5, "matmul": lambda x, y: np.einsum("ij,jk", x, y),
    "maximum": lambda x, y: np.where(x > y, x, y), "atan2": lambda x, y: np.arctan(x / y),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCE)
def test_values(name, device):
    tensors, attrs = sample(OPS[name], device)
    got = OPS[name].call(*tensors, **attrs)
    np.testing.assert_allclose(host(got), REFERENCE[name](*map(host, tensors)), rtol=1e-12)


def test_erf_against_the_library():
    import math

    x = np.linspace(-6, 6, 1201)
    want = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(mt.from_numpy(x).erf().numpy(), want, rtol=0, atol=2e-15)
