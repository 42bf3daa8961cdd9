"""Installing: the two commands, the pins, and that `import minitensor` stays light."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import minitensor

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
# 3.11.2 is Debian 12's: the oldest Python that people have.
PLACES = [
    {
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": system,
        "platform_machine": machine,
    }
    for python in ("3.11.2", "3.11.9", "3.12.1", "3.13.0", "3.14.0")
    for system, machine in [("linux", "x86_64"), ("darwin", "arm64"), ("win32", "AMD64")]
]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def load_run():
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run.py as a module whose environment would be made in a temporary folder."""
    module = load_run()
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "stamp.json")
    monkeypatch.setattr(module, "LOG", tmp_path / ".venv" / "setup.log")
    return module


def pins_for(place):
    """Map each package to its pin at one place; two pins for one package are an error."""
    found = {}
    for pin in PINS:
        if pin.marker is None or pin.marker.evaluate(place):
            assert canonicalize_name(pin.name) not in found, f"{pin.name} is pinned twice"
            found[canonicalize_name(pin.name)] = pin
    return found


# -- what is imported, what is needed ----------------------------------------------------------


def test_import_is_light():
    """`import minitensor` needs NumPy and loads neither pictures nor notebooks nor a GPU."""
    code = (
        "import sys, minitensor\n"
        "heavy = {'matplotlib', 'graphviz', 'graphviz_pure', 'IPython', 'ipywidgets', 'anywidget',"
        " 'cupy', 'torch', 'jupyterlab', 'minitensor.viz', 'kit'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_numpy_is_the_one_dependency():
    assert [Requirement(d).name for d in PROJECT["dependencies"]] == ["numpy"]


def test_versions_agree():
    version = PROJECT["version"]
    assert minitensor.__version__ == version
    assert f"## [{version}]" in text("CHANGELOG.md")


# -- pins --------------------------------------------------------------------------------------


def test_pins_name_versions_only():
    """No index, no address, no local path: where packages come from is the user's pip's affair."""
    for pin in PINS:
        assert pin.url is None
        assert [s.operator for s in pin.specifier] == ["=="]
    for name in ("constraints.txt", "binder/requirements.txt", "pyproject.toml"):
        assert not re.search(r"https?:|--(extra-)?index|--find-links|^-[if] ", text(name), re.M), (
            name
        )


@pytest.mark.parametrize(
    "place", PLACES, ids=lambda p: f"{p['sys_platform']}-{p['python_full_version']}"
)
def test_what_the_extras_ask_for_is_pinned(place):
    pins = pins_for(place)
    for extra in ("course", "test", "dev", "oracle"):
        for line in [*EXTRAS[extra], *PROJECT["dependencies"]]:
            wanted = Requirement(line)
            if wanted.name == "minitensor" or (wanted.marker and not wanted.marker.evaluate(place)):
                continue
            pin = pins.get(canonicalize_name(wanted.name))
            assert pin is not None, f"{wanted.name} is not pinned"
            version = next(iter(pin.specifier)).version
            assert wanted.specifier.contains(version), f"{pin} is outside {wanted}"


# -- run.py ------------------------------------------------------------------------------------


def test_run_needs_the_standard_library_only():
    tree = ast.parse(text("run.py"))
    names = {
        name.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    }
    names |= {n.module.partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


def test_run_can_be_read_by_an_old_python():
    """Else it could not say that Python is too old; a SyntaxError would greet the learner."""
    ast.parse(text("run.py"), feature_version=(3, 7))


def test_run_says_which_python_it_wants(run):
    assert run.version_problem((3, 11)) is None
    assert run.version_problem((3, 14, 0)) is None
    message = run.version_problem((3, 10, 13))
    assert "3.11 or newer" in message and "3.10" in message and sys.executable in message


def test_run_refuses_an_old_python_before_it_does_anything(run, monkeypatch, capsys):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 1))
    assert run.main(["test"]) == 2
    assert "3.11 or newer" in capsys.readouterr().err
    assert not run.VENV.exists()


@pytest.mark.parametrize("argv, status", [([], 2), (["tests"], 2), (["--help"], 0)])
def test_run_explains_itself(run, argv, status, capsys):
    assert run.main(argv) == status
    shown = capsys.readouterr()
    for command in run.COMMANDS:
        assert f"  {command} " in (shown.err if status else shown.out)


def test_set_up_is_done_once_and_again_when_the_pins_change(run, monkeypatch):
    asked = []
    python = run.venv_python()

    def make():
        python.parent.mkdir(parents=True)
        python.touch()

    monkeypatch.setattr(run, "make_venv", lambda: (asked.append("venv"), make()))
    monkeypatch.setattr(run, "pip_install", lambda extras: not asked.append(sorted(extras)))
    monkeypatch.setattr(run, "quiet", lambda *command: True)
    run.set_up({"course"})
    run.set_up({"course"})
    assert asked == ["venv", ["course"]]
    run.set_up({"dev"})  # more is wanted: added to what there is
    assert asked == ["venv", ["course"], ["course", "dev"]]
    run.set_up({"course"})
    assert len(asked) == 3
    monkeypatch.setattr(run, "fingerprint", lambda: "other pins")
    run.set_up({"course"})
    assert asked[3:] == [["course", "dev"]]
    assert json.loads(run.STAMP.read_text())["key"] == "other pins"


def test_a_failed_set_up_is_not_taken_for_done(run, monkeypatch, capsys):
    def make():
        run.venv_python().parent.mkdir(parents=True, exist_ok=True)
        run.venv_python().touch()
        run.LOG.write_text("first line\nERROR: no such version\n")

    monkeypatch.setattr(run, "make_venv", make)
    monkeypatch.setattr(run, "pip_install", lambda extras: False)
    assert run.main(["test"]) == 2
    assert "ERROR: no such version" in capsys.readouterr().err
    assert run.read_stamp() == {}


def test_without_ensurepip_the_outer_pip_helps(run, monkeypatch):
    """Debian's Python without python3-venv: `venv` fails and leaves a broken folder behind."""
    asked = []

    def quiet(*command):
        asked.append(list(map(str, command[1:])))
        return asked[-1] != ["-m", "venv", str(run.VENV)]

    monkeypatch.setattr(run, "quiet", quiet)
    run.make_venv()
    assert asked[1] == ["-m", "venv", "--without-pip", str(run.VENV)]
    assert asked[2] == ["-m", "pip", "--python", str(run.venv_python()), "install", "pip"]
    monkeypatch.setattr(run, "quiet", lambda *command: False)
    with pytest.raises(run.SetupError, match="python3-venv"):
        run.make_venv()


def test_every_check_runs_and_one_failure_fails_all(run, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(run, "call", lambda *args, **kw: ran.append(args) or int("ruff" in args))
    assert run.test(True, ["-k", "add"]) == 1
    assert [args[1] for args in ran] == ["ruff", "ruff", "mypy", "pytest"]
    assert ran[-1][-2:] == ("-k", "add")
    assert "Failed: ruff check, ruff format" in capsys.readouterr().out
    monkeypatch.setattr(run, "call", lambda *args, **kw: 0)
    assert run.test(True, []) == 0


# -- the pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_commands_in_the_pages_exist(page):
    commands = re.findall(r"(?:python3|py) run\.py (\w+)", text(page))
    assert {"course", "test"} <= set(commands) or page != "README.md"
    assert set(commands) <= set(load_run().COMMANDS)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_in_the_pages_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", text(page))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_first_chapter_is_there():
    assert (ROOT / load_run().FIRST_CHAPTER).is_file()


def test_readme_promises_no_chapter_that_is_not_there():
    row = next(
        line for line in text("README.md").splitlines() if line.startswith("| Course: chapters")
    )
    first, last = re.search(r"chapters (\d\d) to (\d\d)", row).groups()
    promised = {f"{number:02}" for number in range(int(first), int(last) + 1)}
    there = {notebook.name[:2] for notebook in (ROOT / "course").glob("[0-9][0-9]_*.ipynb")}
    assert promised <= there


def test_readme_promises_no_pictures_that_are_not_there():
    works = "| Pictures of graphs in notebooks | works |" in text("README.md")
    assert works == (ROOT / "minitensor" / "viz").is_dir()


def test_readme_example_gives_what_it_says():
    code = re.search(r"```python\n(.*?)```", text("README.md"), re.S)[1]
    promised = re.search(r"print\(.*\)  # (.*)", code)[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == promised, done.stderr
