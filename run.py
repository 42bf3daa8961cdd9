"""Set up minitensor in this folder's own environment, then run the course or the tests.

    python3 run.py course     # set up, open JupyterLab on the first chapter
    python3 run.py test       # set up, lint, type-check, run all tests and notebooks

On Windows say `py run.py ...`. Python 3.11 or newer with pip is all that this needs: it uses the
standard library only, asks for no administrator's rights, and writes to `.venv` and nowhere else.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "minitensor-setup.json"
LOG = VENV / "setup.log"
TRUSTED = VENV / "minitensor-trusted.txt"
# Signatures of trusted notebooks stay in the environment, too, and not in the user's home.
NOTARY = (
    f"--NotebookNotary.db_file={VENV / 'minitensor-signatures.db'}",
    f"--NotebookNotary.secret_file={VENV / 'minitensor-secret'}",
)
FIRST_CHAPTER = "course/00_why_not_just_numpy.ipynb"
OLDEST = (3, 11)

USAGE = """usage: python3 run.py COMMAND [options]        (on Windows: py run.py COMMAND)

  course   open JupyterLab on the course; further options go to JupyterLab
  test     lint, type-check, run all tests and notebooks; further options go to pytest
  build    build the notebooks again from their sources; further options go to course/kit/build.py
  clean    remove the environment (.venv)

options:
  --no-browser       course: do not open a browser; test: leave out the tests that drive one
  --oracle           test: install PyTorch as well (large) and compare with it
  --cuda12, --cuda13 install CuPy for that CUDA version, for a machine with an NVIDIA GPU
"""

# What each command needs, as extras of pyproject.toml.
EXTRAS = {"course": "course", "test": "dev", "build": "test"}
OPTIONAL = {"--oracle": "oracle", "--cuda12": "cuda12", "--cuda13": "cuda13"}
# The question about news would be the first thing that a learner sees.
NEWS = "@jupyterlab/apputils-extension:announcements"


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def version_problem(version):
    """Say why this Python will not do, or give None. `version` is like sys.version_info."""
    if tuple(version[:2]) >= OLDEST:
        return None
    wanted, found = (".".join(map(str, v[:2])) for v in (OLDEST, version))
    hint = "py -3.13 run.py ..." if os.name == "nt" else "python3.13 run.py ..."
    return (
        f"minitensor needs Python {wanted} or newer, and this is {found} ({sys.executable}).\n"
        f"Try: {hint}"
    )


def venv_python():
    """Return the path of the environment's own Python."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint():
    """Hash all that decides what the environment holds: the pins, the Python, the folder."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        # Text, so that a checkout with Windows line ends gives the same hash.
        digest.update((ROOT / name).read_text(encoding="utf-8").encode())
    digest.update(repr((sys.version_info[:3], str(ROOT))).encode())
    return digest.hexdigest()


def read_stamp():
    """Return what the last finished set-up wrote, or an empty record."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def quiet(*command):
    """Run a command, its output kept in the log. Returns whether it went well."""
    VENV.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        log.flush()
        return subprocess.call([str(c) for c in command], stdout=log, stderr=log, cwd=ROOT) == 0


def make_venv():
    """Make `.venv` with a working pip, also where Python came without `ensurepip` (Debian)."""
    if VENV.exists():
        shutil.rmtree(VENV)
    if quiet(sys.executable, "-m", "venv", VENV):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    # Without ensurepip, pip can still be had: the pip outside installs one inside.
    bare = quiet(sys.executable, "-m", "venv", "--without-pip", VENV)
    if bare and quiet(sys.executable, "-m", "pip", "--python", venv_python(), "install", "pip"):
        return
    raise SetupError(
        "This Python can make no environment: its `venv` lacks `ensurepip`, and its own pip could "
        "not help.\nOn Debian or Ubuntu install the package python3-venv, or use a Python from "
        "python.org."
    )


def pip_install(extras):
    """Install minitensor, editable, with its extras at the pinned versions. Shows progress."""
    command = [venv_python(), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["-c", "constraints.txt", "-e", f".[{','.join(sorted(extras))}]"]
    # A user's pip.conf may say `user = true`, which no environment can obey.
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, "PIP_USER": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    count = 0
    with LOG.open("a", encoding="utf-8") as log:
        for line in process.stdout:
            log.write(line)
            count += line.startswith("Collecting ")
            if sys.stdout.isatty():
                doing = "installing" if line.startswith("Installing collected") else "fetching"
                print(f"\r  {doing}: {count} packages", end="", flush=True)
    if sys.stdout.isatty():
        print()
    return process.wait() == 0


def set_up(wanted):
    """Make `.venv` hold minitensor with the `wanted` extras; quick when it does already."""
    stamp, key = read_stamp(), fingerprint()
    have = set(stamp.get("extras", ()))
    if stamp.get("key") == key and wanted <= have and venv_python().exists():
        return
    print("Setting up .venv: the first time this takes a minute or more, by your network.")
    if stamp.get("python") != list(sys.version_info[:3]) or not venv_python().exists():
        make_venv()
    STAMP.unlink(missing_ok=True)
    extras = wanted | have
    if not pip_install(extras):
        tail = LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-25:]
        raise SetupError("\n".join([*tail, f"pip could not install; all of it is in {LOG}"]))
    quiet(venv_python(), "-m", "jupyter", "labextension", "disable", NEWS)
    record = {"key": key, "extras": sorted(extras), "python": list(sys.version_info[:3])}
    STAMP.write_text(json.dumps(record), encoding="utf-8")


def trust_chapters():
    """Sign the chapters as they came, so that JupyterLab shows their interactive pages at once.

    Once for each version of the course: what is put into the folder later is not trusted unasked.
    """
    sources = sorted(ROOT.glob("course/sources/*.py"))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_text(encoding="utf-8").encode())
    if TRUSTED.exists() and TRUSTED.read_text(encoding="utf-8") == digest.hexdigest():
        return
    built = [ROOT / "course" / f"{source.stem}.ipynb" for source in sources]
    shipped = [path for path in built if path.exists()]
    if quiet(venv_python(), "-m", "jupyter", "trust", *NOTARY, *shipped):
        TRUSTED.write_text(digest.hexdigest(), encoding="utf-8")


def call(*args, cwd=ROOT):
    """Run the environment's Python with `args`. Returns its exit status."""
    env = {**os.environ, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
    process = subprocess.Popen([str(venv_python()), *args], cwd=cwd, env=env)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reached the child as well: let it finish in its own way.
            continue


def course(browser, rest):
    """Open JupyterLab on the first chapter."""
    print("Opening JupyterLab on the course. Press Ctrl-C twice here to stop it.")
    # The whole folder is served, so that a chapter's links to other pages work.
    where = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST_CHAPTER}"]
    shown = [] if browser else ["--no-browser"]
    trust_chapters()
    return call("-m", "jupyterlab", *where, *NOTARY, *shown, *rest)


def test(browser, rest):
    """Run every check, also when one fails, and name those that failed."""
    marks = [] if browser else ["-m", "not browser"]
    steps = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy"],
        "pytest": ["-m", "pytest", "--nbval", "-rs", *marks, *rest],
    }
    failed = []
    for name, args in steps.items():
        print(f"\n== {name}", flush=True)
        if call(*args) != 0:
            failed.append(name)
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def build(browser, rest):
    """Build the notebooks from course/sources."""
    return call("-m", "kit.build", *rest, cwd=ROOT / "course")


def clean(browser, rest):
    """Remove the environment."""
    shutil.rmtree(VENV, ignore_errors=True)
    return 0


COMMANDS = {"course": course, "test": test, "build": build, "clean": clean}


def main(argv):
    """Carry out one command; returns the exit status."""
    problem = version_problem(sys.version_info)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    if not argv or argv[0] not in COMMANDS:
        asked = bool(argv) and argv[0] in ("-h", "--help", "help")
        print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    name, args = argv[0], argv[1:]
    wanted = {OPTIONAL[a] for a in args if a in OPTIONAL}
    rest = [a for a in args if a not in OPTIONAL and a != "--no-browser"]
    try:
        if name in EXTRAS:
            set_up(wanted | {EXTRAS[name]})
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    return COMMANDS[name]("--no-browser" not in args, rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
