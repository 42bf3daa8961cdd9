"""autograd.functional: whole Jacobians and Hessians, and their products with vectors.

PyTorch is the oracle where it is installed; a derivative worked out by hand where it is not.
"""

import numpy as np
import pytest

import minitensor as mt

F = mt.autograd.functional


def pair(lib, x, y):
    return x.sin() * y.sum(), (x * x).sum() * y


FUNCTIONS = {  # name: the function, and the shapes of its inputs (one shape: no tuple)
    "square": (lambda lib, x: x * x, (3,)),
    "matrix": (lambda lib, x: (x @ x.T).exp(), (2, 3)),
    "several": (pair, [(3,), (2, 2)]),
    "a constant beside": (lambda lib, x: (x * 2, lib.ones(2, dtype=lib.float64)), (2,)),
    "one input unused": (lambda lib, x, y: x**3, [(2,), (3,)]),
    "0-d": (lambda lib, x: x.exp(), ()),
    "a tuple of one": (lambda lib, x: (x.cos(),), [(2,)]),
}
NUMBERS = {
    "cubes": (lambda lib, x: (x**3).sum(), (3,)),
    "products": (lambda lib, x, y: (x.sin() * y).sum() ** 2, [(2,), (2,)]),
    "one element": (lambda lib, x: (x**4).sum().reshape(1, 1), (2, 2)),
    "linear": (lambda lib, x: x.sum(), (3,)),
}


def inputs(lib, shapes):
    rng = np.random.default_rng(1)
    several = [lib.from_numpy(np.asarray(rng.uniform(0.5, 1.5, s)))
               for s in (shapes if isinstance(shapes, list) else [shapes])]  # fmt: skip
    return tuple(several) if isinstance(shapes, list) else several[0]


def nested(x):
    """Nested tuples of arrays, the nesting kept."""
    return tuple(map(nested, x)) if isinstance(x, tuple) else x.detach().numpy()


def same(got, want):
    if isinstance(want, tuple):
        assert isinstance(got, tuple) and len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            same(g, w)
        return
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("graph", [False, True])
def test_jacobian_vjp_and_jvp(name, graph):
    torch = pytest.importorskip("torch")
    f, shapes = FUNCTIONS[name]
    results = []
    for lib in (torch, mt):
        F, x = lib.autograd.functional, inputs(lib, shapes)
        call = lambda *xs, lib=lib: f(lib, *xs)  # noqa: E731
        value = call(*(x if isinstance(x, tuple) else (x,)))
        found = [F.jacobian(call, x, create_graph=graph)]
        found.append(F.vjp(call, x, value, create_graph=graph))
        found.append(F.jvp(call, x, x, create_graph=graph))
        results.append(nested(tuple(found)))
    same(results[1], results[0])


@pytest.mark.parametrize("name", NUMBERS)
def test_hessian_vhp_and_hvp(name):
    torch = pytest.importorskip("torch")
    f, shapes = NUMBERS[name]
    results = []
    for lib in (torch, mt):
        F, x = lib.autograd.functional, inputs(lib, shapes)
        call = lambda *xs, lib=lib: f(lib, *xs)  # noqa: E731
        found = (F.hessian(call, x), F.vhp(call, x, x), F.hvp(call, x, x))
        results.append(nested(found))
    same(results[1], results[0])


def test_by_hand():
    x = mt.tensor([1.0, 2.0])
    assert F.jacobian(lambda x: x**2, x).tolist() == [[2, 0], [0, 4]]
    assert F.hessian(lambda x: (x**3).sum(), x).tolist() == [[6, 0], [0, 12]]
    value, product = F.hvp(lambda x: (x**3).sum(), x, mt.ones(2))
    assert value.item() == 9 and product.tolist() == [6, 12]
    assert F.jvp(lambda x: x[0] * x[1], x, mt.tensor([1.0, 0.0]))[1].item() == 2
    assert not product.requires_grad


def test_differentiated_again_with_create_graph():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    F.jacobian(lambda x: x**3, x, create_graph=True).sum().backward()
    assert x.grad.tolist() == [6, 12]
    x.grad = None
    F.vhp(lambda x: (x**4).sum(), x, mt.ones(2), create_graph=True)[1].sum().backward()
    assert x.grad.tolist() == [24, 48]


BAD = {
    "list": lambda lib, F, x: F.jacobian(lambda x: x, [x]),
    "output": lambda lib, F, x: F.jacobian(lambda x: 2.0, x),
    "no elements": lambda lib, F, x: F.jacobian(lambda x: x[:0], x),
    "two numbers": lambda lib, F, x: F.hessian(lambda x: x * x, x),
    "no v": lambda lib, F, x: F.vjp(lambda x: x, x),
    "no v jvp": lambda lib, F, x: F.jvp(lambda x: x, x),
    "v shape": lambda lib, F, x: F.vjp(lambda x: x, x, x[:1]),
    "v count": lambda lib, F, x: F.vjp(lambda x: x, x, (x, x)),
    "v list": lambda lib, F, x: F.vjp(lambda x: x, x, [x]),
    "vhp of two": lambda lib, F, x: F.vhp(lambda x: x, x, x),
    "strict unused": lambda lib, F, x: F.jacobian(lambda x, y: x * 2, (x, x), strict=True),
    "strict constant": lambda lib, F, x: F.vjp(lambda x: lib.ones(2), x, x, strict=True),
    "strict linear": lambda lib, F, x: F.hessian(lambda x: x.sum(), x, strict=True),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_as_pytorch(name):
    torch = pytest.importorskip("torch")
    errors = []
    for lib in (torch, mt):
        with pytest.raises(Exception) as caught:
            BAD[name](lib, lib.autograd.functional, lib.tensor([1.0, 2.0]))
        errors.append(caught.type)
    assert errors[1] is errors[0]


def test_it_can_be_imported_as_a_module():
    from minitensor.autograd.functional import vjp

    assert vjp is F.vjp
