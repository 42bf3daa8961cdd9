"""One program, two libraries: run it on minitensor here, and read what PyTorch printed.

`python -m kit.ported` runs the program on PyTorch and writes down what it prints, with PyTorch's
version and the date. Learners do not have PyTorch, so the chapter reads the record.
"""

import datetime
import subprocess
import sys

from kit.chapter import COURSE

PROGRAM = COURSE / "programs" / "penguins.py"
RECORD = COURSE / "data" / "pytorch_14.txt"


def run(*command):
    """Run Python with these arguments in the course's directory; return the lines it prints."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=COURSE, capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.splitlines()


def on_minitensor(program=PROGRAM):
    """The lines that a PyTorch program prints on minitensor, unchanged."""
    return run("-m", "minitensor", program)


def on_pytorch():
    """The lines that PyTorch printed when it was recorded, and a line that says when."""
    about, *lines = RECORD.read_text(encoding="utf-8").splitlines()
    return lines, about.removeprefix("# ")


def excerpt():
    """What the program imports, and its model and training loop, as text."""
    lines = PROGRAM.read_text(encoding="utf-8").splitlines()
    imports = [line for line in lines if line.startswith(("import torch", "from torch"))]
    first = next(i for i, line in enumerate(lines) if line.startswith("model ="))
    last = next(i for i, line in enumerate(lines) if line.startswith('    print(f"epoch'))
    return "\n".join([*imports, "...", *lines[first : last + 1], "..."])


def main():
    import torch

    version, today = torch.__version__.partition("+")[0], datetime.date.today()
    about = f"# PyTorch {version} on {today}: python programs/{PROGRAM.name}"
    RECORD.write_text("\n".join([about, *run(PROGRAM)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
