"""Clipping gradients, and parameters as one vector, against PyTorch."""

import math

import numpy as np
import pytest
from test_nn_layers import agree, build, numbers

import minitensor as mt
from minitensor.nn import utils

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(4)
ROWS = RNG.normal(size=(5, 4)).astype(np.float32)


def trained(lib, device="cpu"):
    """A module with gradients, and one parameter without."""
    module = build(lib, "Bilinear", (4, 4, 3), {}).to(device)
    x = lib.tensor(ROWS).to(device)
    (module(x, x) ** 2).sum().backward()
    module.spare = lib.nn.Parameter(lib.ones(2).to(device))
    return module


def gradients(module):
    return [None if p.grad is None else numbers(p.grad) for p in module.parameters()]


@pytest.mark.parametrize("norm_type", [2.0, 1, 3, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clip_grad_norm(norm_type, max_norm):
    found = []
    for lib in (mt, torch):
        module = trained(lib)
        total = lib.nn.utils.clip_grad_norm_(module.parameters(), max_norm, norm_type)
        found.append([numbers(total), *gradients(module)])
    agree(*found)


def test_clip_grad_norm_of_one_and_of_none():
    for lib in (mt, torch):
        p = lib.ones(3, requires_grad=True)
        assert float(lib.nn.utils.clip_grad_norm_(p, 1.0)) == 0.0
        p.grad = lib.tensor([3.0, 0.0, 4.0])
        assert float(lib.nn.utils.clip_grad_norm_(p, 1.0)) == 5.0
        np.testing.assert_allclose(p.grad.tolist(), [0.6, 0.0, 0.8], rtol=1e-5)


def test_clip_grad_norm_that_is_not_finite():
    for lib in (mt, torch):
        p = lib.ones(2, requires_grad=True)
        p.grad = lib.tensor([math.inf, 1.0])
        with pytest.raises(RuntimeError, match="non-finite"):
            lib.nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
        assert float(lib.nn.utils.clip_grad_norm_([p], 1.0)) == math.inf


def test_clip_grad_value():
    found = []
    for lib in (mt, torch):
        module = trained(lib)
        lib.nn.utils.clip_grad_value_(module.parameters(), 0.25)
        found.append(gradients(module))
    agree(*found)
    assert max(abs(g).max() for g in found[0] if g is not None) == 0.25


def test_parameters_as_a_vector():
    found = []
    for lib in (mt, torch):
        module = trained(lib)
        vector = lib.nn.utils.parameters_to_vector(module.parameters())
        assert vector.requires_grad
        new = vector.detach() * 2
        lib.nn.utils.vector_to_parameters(new, module.parameters())
        new[0] = 7  # they share memory
        found.append([numbers(vector), *(numbers(p) for p in module.parameters())])
    agree(*found)
    assert found[0][1].reshape(-1)[0] == 7
    with pytest.raises(TypeError):
        utils.vector_to_parameters([1.0], trained(mt).parameters())


def test_on_a_device(device):
    module, plain = trained(mt, device), trained(mt)
    total = utils.clip_grad_norm_(module.parameters(), 0.5)
    assert total.device.type == mt.device(device).type
    utils.clip_grad_norm_(plain.parameters(), 0.5)
    utils.clip_grad_value_(module.parameters(), 0.1)
    utils.clip_grad_value_(plain.parameters(), 0.1)
    agree(gradients(module), gradients(plain))
    vector = utils.parameters_to_vector(module.parameters())
    utils.vector_to_parameters(vector * 2, module.parameters())
    agree([numbers(utils.parameters_to_vector(module.parameters()))], [2 * numbers(vector)])
