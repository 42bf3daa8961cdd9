"""Fixtures that all tests share: every test that asks for ``device`` runs on each of them."""

import sys

import pytest
import standin

from minitensor import backend, core

standin.register()


def has_gpu():
    """Whether CuPy is installed and finds a GPU."""
    try:
        backend.load_cupy()
    except RuntimeError:
        return False
    return True


GPU = pytest.param("cuda", marks=pytest.mark.gpu)


@pytest.fixture(params=["cpu", "standin", GPU])
def device(request):
    """The CPU, the strict stand-in, and CuPy's GPU where there is one."""
    if request.param == "cuda" and not has_gpu():
        pytest.skip("no GPU: CuPy is not installed, or finds none")
    return request.param


@pytest.fixture
def gpu():
    """A test that needs CuPy and a GPU: it is skipped where one of them is missing."""
    if not has_gpu():
        pytest.skip("no GPU: CuPy is not installed, or finds none")


@pytest.fixture
def default_device(device):
    """Tensors are made on ``device`` unless told otherwise: the whole test runs there."""
    backend.set_default_device(device)
    yield device
    backend.set_default_device(None)


@pytest.fixture(autouse=True)
def modes_restored():
    """A test that leaves a mode or an observer behind is told so, and does not harm the next."""
    yield
    left, core.OBSERVERS = core.OBSERVERS, ()
    on, core.GRAD = core.GRAD, True
    assert left == () and on is True


def pytest_collection_finish():
    """PyTorch, where it is an oracle, works on one thread: its sums do not depend on how many."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
