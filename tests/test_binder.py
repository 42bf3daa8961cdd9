"""Binder: its files are right, install exactly this, and open the first chapter.

Docker is not needed. The quick tests read the files. Those that install, in a fresh environment,
take a minute and a package index, so they run where CI is set (`CI=1 python3 run.py test`).
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BINDER = ROOT / "binder"
PAGE = "/lab/tree/course/00_why_not_just_numpy.ipynb"
installs = pytest.mark.skipif(
    not os.environ.get("CI") or os.name == "nt",
    reason="installs what Binder's Linux image does, from a package index: set CI=1 to run",
)


def test_only_files_that_repo2docker_reads():
    """A misspelt name would be ignored in silence."""
    known = {"requirements.txt", "runtime.txt", "postBuild"}
    assert {f.name for f in BINDER.iterdir()} == known | {"jupyter_config.json"}


def test_runtime_is_a_python_that_we_support():
    version = re.fullmatch(r"python-3\.(\d+)\n", (BINDER / "runtime.txt").read_text())
    assert version and 11 <= int(version[1]) <= 14


def test_requirements_install_this_at_the_pins():
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "-c ../constraints.txt",
        "-e .[course]",
        "notebook",
    ]


def test_post_build_is_a_program():
    script = BINDER / "postBuild"
    assert script.read_bytes().startswith(b"#!/bin/bash\n")
    assert b"\r" not in script.read_bytes()
    tree = subprocess.run(
        ["git", "ls-files", "-s", "binder/postBuild"], cwd=ROOT, capture_output=True, text=True
    )
    assert tree.returncode != 0 or tree.stdout.startswith("100755"), "not executable in git"
    assert subprocess.run(["bash", "-n", script]).returncode == 0


def test_it_opens_a_chapter_that_exists():
    config = json.loads((BINDER / "jupyter_config.json").read_text())
    assert {part["default_url"] for part in config.values()} == {PAGE}
    assert (ROOT / PAGE.removeprefix("/lab/tree/")).is_file()
    assert f"urlpath={PAGE[1:]}" in (ROOT / "README.md").read_text(encoding="utf-8")


# -- in a fresh environment --------------------------------------------------------------------


def sh(command, **options):
    """Run a command; its output is shown when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        **options,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def fresh_copy(folder):
    """The files that git knows, as a clone has them, with what is changed here."""
    names = sh(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT).splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def outside_env(environment):
    """Environment variables as in an image whose own Python is `environment`."""
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "JUPYTER", "VIRTUAL_"))
    }
    return {**env, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What Binder would build, without Docker: the same steps in the same order."""
    folder = tmp_path_factory.mktemp("binder")
    repo, environment = fresh_copy(folder / "repo"), folder / "env"
    venv.create(environment, with_pip=True)
    env = outside_env(environment)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "-q", "--no-cache-dir"]
    sh([*pip, "-r", "binder/requirements.txt"], cwd=repo, env=env)
    sh(["binder/postBuild"], cwd=repo, env=env)
    return repo, environment, env


@installs
def test_it_installs_the_pins(image):
    _, environment, _ = image
    python = environment / "bin" / "python"
    freeze = [python, "-m", "pip", "freeze", "--exclude", "minitensor"]
    installed = dict(line.split("==") for line in sh(freeze).splitlines() if "==" in line)
    assert {"jupyterlab", "numpy", "graphviz-pure"} <= set(installed)
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert [f"{k}=={v}" for k, v in installed.items() if f"\n{k}=={v}" not in pins] == []
    sh([python, "-m", "pip", "check"])


@installs
def test_it_opens_the_first_chapter(image):
    repo, environment, env = image
    port = free_port()
    # What the image starts by default. No path is named: the configuration must lead there.
    command = [environment / "bin" / "jupyter", "notebook", "--no-browser", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--allow-root", "--ip=127.0.0.1"]
    server = subprocess.Popen(
        [str(part) for part in command],
        cwd=repo,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            try:
                with urllib.request.urlopen(address + "/", timeout=5) as answer:
                    landed = answer.url
                break
            except OSError:
                assert server.poll() is None, "JupyterLab stopped"
                time.sleep(0.5)
        assert landed == address + PAGE
        chapter = address + "/api/contents/" + PAGE.removeprefix("/lab/tree/")
        with urllib.request.urlopen(chapter, timeout=10) as answer:
            assert json.load(answer)["content"]["cells"]
    finally:
        server.terminate()
        server.wait(20)


@installs
def test_repo2docker_understands_it(tmp_path):
    """Its own reading of the files: the right Python, our requirements, then postBuild."""
    repo, environment = fresh_copy(tmp_path / "repo"), tmp_path / "env"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    sh([python, "-m", "pip", "install", "-q", "jupyter-repo2docker"])
    command = [python, "-m", "repo2docker", "--no-build", "--debug"]
    command += ["--user-id", "1000", "--user-name", "jovyan", "."]
    dockerfile = sh(command, cwd=repo, env=outside_env(environment))
    version = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"conda environment for python={version}\n" in dockerfile
    install = dockerfile.index('install --no-cache-dir -r "binder/requirements.txt"')
    assert dockerfile.index("COPY --chown=1000:1000 src/ ") < install
    assert install < dockerfile.index("./binder/postBuild")
