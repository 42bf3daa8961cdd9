"""``python -m minitensor script.py arguments``: run a PyTorch script on minitensor."""

from __future__ import annotations

import importlib
import sys

USAGE = """\
usage: python -m minitensor script.py [arguments]

Runs a script that was written for PyTorch, unchanged, on minitensor: `import torch` and
`import torch.nn` find our modules. What we lack raises an error that says so."""


def main() -> int:
    """Run the script that the command line names; returns the exit status."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(USAGE)
        return 0 if len(sys.argv) > 1 else 2
    compat = importlib.import_module("minitensor.compat")
    return compat.run_script(sys.argv[1], sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
