"""What CuPy has, written down, so that the stand-in device can refuse what a GPU would refuse.

CuPy can be imported without a GPU. ``python tests/cupy_api.py``, with CuPy installed, writes
``cupy_api.json``: which of NumPy's functions, classes and array methods CuPy has too, and which
arguments they take (null where CuPy's compiled code does not tell).
"""

import inspect
import json
import re
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix(".json")


def arguments(call):
    """The names of a callable's arguments; None where they cannot be found, or are any."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return documented(call)
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return sorted(p.name for p in parameters if p.name != "self")


def documented(call):
    """The same from the first line of its help, where compiled code puts its signature."""
    first = (call.__doc__ or "").strip().partition("\n")[0]
    found = re.fullmatch(r"[\w.]+\((.*)\)(?: *->.*)?", first)
    if not found or "**" in found[1]:
        return None
    names = re.findall(r"(?:^|, )(?:[A-Za-z_]+ )?\*?(\w+)(?==|,|$)", found[1])
    return sorted(set(names) - {"self"})


def public(holder, peer):
    """For each public name of NumPy's that CuPy has: its arguments; "ufunc"; "value"."""
    for name in sorted(dir(holder)):
        if name.startswith("_") or not hasattr(peer, name):
            continue
        member = getattr(peer, name)
        if isinstance(getattr(holder, name), np.ufunc):
            yield name, "ufunc"
        elif callable(member) and not isinstance(member, type):
            yield name, arguments(member)
        else:
            yield name, "value"


def main():
    """Write the file."""
    import cupy

    keywords = ("out", "dtype", "casting", "order", "subok", "where")  # of CuPy's documentation
    found = {
        "version": cupy.__version__,
        "module": dict(public(np, cupy)),
        "array": dict(public(np.ndarray, cupy.ndarray)),
        "ufunc": {n: a for n, a in public(np.ufunc, cupy.ufunc) if a != "value"},
        "ufunc call": [
            k for k in keywords if k in (cupy.ufunc.__doc__ + cupy.ufunc.__call__.__doc__)
        ],
    }
    FILE.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    print(FILE, len(found["module"]), "names of the module,", len(found["array"]), "of the array")


if __name__ == "__main__":
    main()
