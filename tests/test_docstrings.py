"""Everything public says what it is: modules, classes, functions and methods, and each op."""

import ast
import inspect
from pathlib import Path

import pytest

import minitensor

PACKAGE = Path(__file__).resolve().parent.parent / "minitensor"
FILES = sorted(PACKAGE.rglob("*.py"))


def undocumented(scope, prefix=""):
    """Yield the public functions and classes of a module or class that have no docstring."""
    for node in scope.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        overloads = [ast.unparse(d) for d in node.decorator_list]
        setter = any(d.endswith((".setter", ".deleter", "overload")) for d in overloads)
        if not ast.get_docstring(node) and not setter:
            yield f"{prefix}{node.name} (line {node.lineno})"
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node, f"{prefix}{node.name}.")


def public(holder):
    """Yield the name and value of each public callable that belongs to minitensor."""
    for name, value in vars(holder).items():
        if name.startswith("_") or inspect.ismodule(value) or not callable(value):
            continue
        if (getattr(value, "__module__", None) or "").startswith("minitensor"):
            yield name, value


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_source(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    assert list(undocumented(tree)) == []


@pytest.mark.parametrize("name, known", [("", "tensor"), ("Tensor", "backward")])
def test_what_a_user_can_call(name, known):
    """`help(minitensor.tanh)` and `help(Tensor.tanh)` answer, also for ops made at run time."""
    found = dict(public(getattr(minitensor, name) if name else minitensor))
    assert known in found
    assert [name for name, value in found.items() if not (value.__doc__ or "").strip()] == []


def test_the_test_finds_what_is_missing():
    tree = ast.parse(
        'class A:\n    """Doc."""\n    def f(self): ...\n    def _g(self): ...\ndef h(): ...'
    )
    assert list(undocumented(tree)) == ["A.f (line 3)", "h (line 5)"]
