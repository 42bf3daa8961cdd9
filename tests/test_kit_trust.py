"""`run.py course` trusts the chapters as they came: JupyterLab shows their frames at once."""

import importlib.util
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def run(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    course = tmp_path / "course"
    (course / "sources").mkdir(parents=True)
    for name in ("00_first", "own"):
        page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[
            nbformat.v4.new_output("display_data", data={"text/html": f"<b>{name}</b>"})
        ])])  # fmt: skip
        nbformat.write(page, course / f"{name}.ipynb")
    (course / "sources" / "00_first.py").write_text("# %%\n1\n")
    (course / "sources" / "01_not_built.py").write_text("# %%\n1\n")
    venv = tmp_path / ".venv"
    flags = {"db_file": str(venv / "s.db"), "secret_file": str(venv / "secret")}
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", venv)
    monkeypatch.setattr(module, "LOG", venv / "log")
    monkeypatch.setattr(module, "TRUSTED", venv / "trusted.txt")
    notary = tuple(f"--NotebookNotary.{flag}={value}" for flag, value in flags.items())
    monkeypatch.setattr(module, "NOTARY", notary)
    monkeypatch.setattr(module, "venv_python", lambda: Path(sys.executable))
    module.trusted = lambda name: is_trusted(course / f"{name}.ipynb", flags)
    return module


def is_trusted(path, flags):
    notary = NotebookNotary(**flags)
    try:
        return notary.check_signature(nbformat.read(path, as_version=4))
    finally:
        notary.store.close()  # or its database is found open later, in some other test


def test_the_chapters_are_trusted_once_and_nothing_else(run, monkeypatch):
    run.trust_chapters()
    assert run.trusted("00_first") and not run.trusted("own"), run.LOG.read_text()
    asked = []
    monkeypatch.setattr(run, "quiet", lambda *command: asked.append(command))
    run.trust_chapters()
    assert asked == []
    (run.ROOT / "course" / "sources" / "00_first.py").write_text("# %%\n2\n")  # a new version
    run.trust_chapters()
    assert len(asked) == 1
    run.trust_chapters()  # it failed: it is tried again
    assert len(asked) == 2


def test_the_server_is_told_where_the_signatures_are(run, monkeypatch):
    asked = []
    monkeypatch.setattr(run, "trust_chapters", lambda: None)
    monkeypatch.setattr(run, "call", lambda *args: asked.extend(args))
    run.course(False, ["--port=1"])
    assert set(run.NOTARY) < set(asked)
