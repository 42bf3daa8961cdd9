"""What a learner types, line by line: it must print what PyTorch prints.

A snippet ends at an empty line. Each of its lines is run as at Python's prompt, under both
libraries, from the same seed; what they print, warn of and refuse must be the same. The snippets
are in ``snippets.txt``; the first of them are of faults that were once ours.
"""

import ast
import contextlib
import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import minitensor as mt
from minitensor import compat

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
SNIPPETS = (Path(__file__).parent / "snippets.txt").read_text(encoding="utf-8")


def session(lib, text):
    """What a snippet prints, its warnings' beginnings and the class of the error that ends it."""
    printed, scope = io.StringIO(), {"torch": lib, "nn": lib.nn, "F": lib.nn.functional, "np": np}
    scope.update(optim=lib.optim, data=lib.utils.data, Dataset=lib.utils.data.Dataset)
    scope.update(DataLoader=lib.utils.data.DataLoader, TensorDataset=lib.utils.data.TensorDataset)
    lib.manual_seed(0)
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's; users do not see them either
        try:
            for node in ast.parse(text).body:
                exec(compile(ast.Interactive([node]), "<snippet>", "single"), scope)
        except Exception as error:
            print(type(error).__name__)
    lib.set_printoptions(profile="default")
    return printed.getvalue(), [str(w.message)[:30] for w in warned]


@pytest.fixture
def as_torch():
    """Types print as torch's, as they do for a program that runs on minitensor."""
    compat._call_it("torch")
    yield
    compat._call_it("minitensor")


@pytest.mark.parametrize("text", re.split(r"\n\n+", SNIPPETS.strip()))
def test_a_snippet_prints_the_same(text, as_torch):
    assert session(mt, text) == session(torch, text)


def test_refusals_of_a_snippet_are_seen():
    assert session(mt, "1 / 0")[0] == "ZeroDivisionError\n"
    assert session(mt, "mt")[0] == "NameError\n"
