"""Imports go strictly downward: the floors of the architecture, held by a test.

A file may import rooms on lower floors, and its own room's files. Imports inside functions count
as well: a late import upward is still one. Only floor 8 draws, only `backend.py` knows CuPy, and
below floor 8 there is nothing but NumPy and the standard library.
"""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "minitensor"
FILES = sorted(PACKAGE.rglob("*.py"))

# Each file or folder of the package: its floor and its room.
TABLE = {
    "backend": (1, "backend"),
    "kernels": (1, "backend"),  # what a GPU gets from us in CUDA
    "pool": (1, "backend"),  # memory that large results take turns in
    "core": (2, "core"),
    "lanes": (2, "core"),  # the fast lanes that core's definitions are compiled to
    "versions": (2, "core"),  # the ledger of in-place writes
    "ops": (3, "ops"),
    "autograd": (4, "autograd"),
    "function": (4, "autograd"),
    "gradcheck": (4, "autograd"),
    "functions": (5, "tensor"),
    "inplace": (4, "autograd"),
    "printing": (5, "tensor"),
    "creation": (5, "tensor"),
    "random": (5, "tensor"),
    "tensor": (5, "tensor"),
    "cuda": (5, "tensor"),
    "jacobians": (5, "tensor"),  # torch.autograd.functional
    "nn": (6, "nn"),
    "optim": (7, "optim"),
    "utils": (7, "utils"),
    "distributions": (7, "distributions"),
    "serialization": (7, "serialization"),
    "viz": (8, "viz"),
    "timing": (8, "timing"),
    "bench": (8, "timing"),
    "compat": (9, "compat"),  # a PyTorch script on minitensor
    "__init__": (9, "front door"),
    "__main__": (9, "front door"),
}
DRAWS = 8
VENDORS = {"cupy", "cupyx"}


def module_of(path):
    """The dotted name of a file inside the package: `ops.reduce`, `core`, `__init__`, `ops`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {module_of(f): f for f in FILES}


def place(module):
    """The floor and the room of a module, or None where the table does not know it."""
    first = module.partition(".")[0]
    return TABLE.get("functions" if first.startswith("functions_") else first)


def imports(path):
    """Yield (node, dotted name) for each import; names of this package start with a dot."""
    own = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node, inside(name.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = own[: len(own) - node.level + 1]
                base = "." + ".".join([*above, *([base] if base else [])])
            base = inside(base)
            for name in node.names:
                full = base + ("" if base.endswith(".") else ".") + name.name
                yield node, full if full[1:] in MODULES else base


def inside(name):
    """Write `minitensor.core` as `.core`."""
    first, _, rest = name.partition(".")
    return "." + rest if first == "minitensor" else name


def is_module_level(tree, node):
    """Whether an import runs when the file is imported."""
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return not any(f.lineno <= node.lineno <= f.end_lineno for f in functions)


def wrong_imports(path):
    """Every import of the package that goes up, or sideways to another room of the same floor."""
    here = place(module_of(path))
    for node, name in imports(path):
        if not name.startswith("."):
            continue
        there = place(name[1:] or "__init__")
        if there is None or (there[1] != here[1] and there[0] >= here[0]):
            yield f"line {node.lineno}: {module_of(path)} imports {name}"


each_file = pytest.mark.parametrize("path", FILES, ids=module_of)


@each_file
def test_table_knows_every_file(path):
    assert place(module_of(path)), f"{path.name} is in no room: put it in TABLE, with its floor"


@each_file
def test_imports_go_down(path):
    assert list(wrong_imports(path)) == []


@each_file
def test_below_floor_8_only_numpy(path):
    """Pictures, notebooks and GPUs are optional, so nothing below may need them to be imported."""
    if place(module_of(path))[0] >= DRAWS and module_of(path) != "__init__":
        pytest.skip("floor 8 draws")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {name for node, name in imports(path) if is_module_level(tree, node)}
    outside = {n.partition(".")[0] for n in names if not n.startswith(".")}
    assert outside - set(sys.stdlib_module_names) <= {"numpy"}


@each_file
def test_only_backend_knows_cupy(path):
    """Vendor names are spelt in one file, also those in a call of import_module."""
    if module_of(path) == "backend":
        pytest.skip("this is the file")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.args[0].value.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if isinstance(node.args[0].value, str) and "import" in ast.unparse(node.func)
    }
    assert not VENDORS & called
    assert not VENDORS & {name.partition(".")[0] for _, name in imports(path)}


def test_no_cycles_when_imported():
    """Files of one room may use each other, but not in a circle while they are being imported."""
    after = {}
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = {name[1:] for node, name in imports(path) if is_module_level(tree, node)}
        after[module] = {name for name in found if name in MODULES and name != module}
    done = set()
    while ready := {m for m in after if m not in done and after[m] <= done}:
        done |= ready
    assert sorted(set(after) - done) == []


def test_the_test_sees_an_import_upward(tmp_path, monkeypatch):
    """Each way to write an import upward is found: at the top, in a function, relative or not."""
    (tmp_path / "ops").mkdir()
    bad = tmp_path / "ops" / "bad.py"
    bad.write_text(
        "from .. import backend, tensor\n"
        "from ..core import op\n"
        "from ..autograd import run\n"
        "import minitensor.nn\n"
        "def f():\n    from minitensor import viz\n"
    )
    names = ("backend", "core", "tensor", "autograd", "nn", "viz")
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    monkeypatch.setattr(sys.modules[__name__], "MODULES", dict.fromkeys(names, bad))
    found = [line.rpartition(" ")[2] for line in wrong_imports(bad)]
    assert sorted(found) == [".autograd", ".nn", ".tensor", ".viz"]
