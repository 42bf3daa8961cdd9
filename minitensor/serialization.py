"""Checkpoints: ``save`` and ``load`` of state dicts, in the safetensors format.

The format is a length (8 bytes), a header in JSON that names each tensor's dtype, shape and place,
and the tensors' bytes. PyTorch's users open such a file with ``safetensors.torch.load_file``, and
we open theirs. Nothing in it can be run. PyTorch's own files are pickles, and reading a pickle can
run any code: they are refused.

It is written here, and not left to the `safetensors` package, because the base install has NumPy
and nothing else, and the format is this page. The tests hold the two against each other, in both
directions.

What is no flat dict of tensors (an optimiser's state has numbers as keys, lists, settings) is kept
too: its outline goes into the header's metadata as JSON, with references to the tensors.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import sys
from collections import OrderedDict
from typing import Any

import numpy as np

from . import backend, creation
from .core import Tensor

__all__ = ["load", "save"]

CODES = {
    "F16": "float16", "F32": "float32", "F64": "float64", "U8": "uint8", "I8": "int8",
    "I16": "int16", "I32": "int32", "I64": "int64", "BOOL": "bool",
}  # fmt: skip
CODE_OF = {name: code for code, name in CODES.items()}
OUTLINE = "minitensor"  # the key of the metadata that holds the outline
LONGEST = 100_000_000  # bytes of header: the format's own limit
PLAIN = (str, int, float, bool, type(None))


def save(obj: Any, f: Any) -> None:
    """Write tensors, or dicts, lists and tuples of tensors and plain values, to ``f``.

    ``f`` is a path or a file open for binary writing. A state dict of a module is a plain
    safetensors file. Raises TypeError for values that cannot be kept.
    """
    tensors: dict[str, Tensor] = {}
    outline = outlined(obj, "", tensors)
    header: dict[str, Any] = {}
    if not is_flat(obj):
        header["__metadata__"] = {OUTLINE: json.dumps(outline)}
    # Wide elements first: then all lie at a multiple of their width.
    arrays = {name: backend.to_numpy(t.array) for name, t in tensors.items()}
    names, end = sorted(arrays, key=lambda n: (-arrays[n].itemsize, n)), 0
    for name in names:
        a = arrays[name]
        start, end = end, end + a.nbytes
        code = CODE_OF[backend.DTYPES[a.dtype].name]
        header[name] = {"dtype": code, "shape": list(a.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    parts = (in_file_order(arrays[name]).tobytes() for name in names)
    with opened(f, "wb") as file:
        for part in itertools.chain((len(text).to_bytes(8, "little"), text), parts):
            file.write(part)


def load(f: Any, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what ``save`` wrote, or any safetensors file (as a dict), from a path or a binary file.

    ``map_location`` is the device to put tensors on (the default device); ``weights_only`` changes
    nothing. Raises RuntimeError for a file that is damaged or is no safetensors file.
    """
    with opened(f, "rb") as file:
        data = bytearray(file.read())
    header, body = read_header(data)
    metadata = header.pop("__metadata__", {})
    check_places(header, len(data) - body)
    tensors = {}
    for name, entry in header.items():
        start, shape = body + entry["data_offsets"][0], entry["shape"]
        own = backend.as_dtype(CODES[entry["dtype"]]).numpy
        values = np.empty(shape, own)
        if values.size:  # each by itself, so that no tensor is a view of another
            read = np.frombuffer(data, own, values.size, start).reshape(shape)
            values = in_file_order(read if read.flags.aligned else read.copy())
        if own.kind == "b":
            values = values.view(np.uint8).astype(bool)
        tensors[name] = creation.leaf(values, map_location)
    if OUTLINE not in metadata:
        return tensors
    try:
        return rebuilt(json.loads(metadata[OUTLINE]), tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise RuntimeError(
            f"load: the outline in the file's metadata is damaged: {error}"
        ) from None


def in_file_order(array: np.ndarray) -> np.ndarray:
    """Little-endian, as files are: itself on most machines. The way back is the same."""
    return array if sys.byteorder == "little" else array.byteswap()


def opened(f: Any, mode: str) -> Any:
    """A path, opened; or a file, which its owner closes."""
    return open(f, mode) if isinstance(f, str | os.PathLike) else contextlib.nullcontext(f)


# -- outlines --------------------------------------------------------------------------------------


def is_flat(obj: Any) -> bool:
    """Whether the format needs no outline: a dict from names to tensors."""
    return (
        isinstance(obj, dict)
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in obj.items())
        and not {"__metadata__"} & set(obj)
    )


def outlined(obj: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """``obj`` as JSON, its tensors put into ``tensors`` under names made of their place."""
    if isinstance(obj, Tensor):
        name = path or "tensor"
        while name in tensors or name == "__metadata__":
            name += "_"
        tensors[name] = obj
        return {"tensor": name}
    if isinstance(obj, dict):
        for key in obj:
            check_plain(key, f"a key at '{path}'")
        start = f"{path}." if path else ""
        items = [[k, outlined(v, f"{start}{k}", tensors)] for k, v in obj.items()]
        return {"ordered" if isinstance(obj, OrderedDict) else "dict": items}
    if isinstance(obj, list | tuple):
        start = f"{path}." if path else ""
        parts = [outlined(v, f"{start}{i}", tensors) for i, v in enumerate(obj)]
        return {"tuple": parts} if isinstance(obj, tuple) else parts
    check_plain(obj, f"'{path}'")
    return obj


def check_plain(value: Any, where: str) -> None:
    """Raise TypeError for what JSON cannot keep."""
    if type(value) not in PLAIN:
        raise TypeError(
            f"save: {where} is of type {type(value).__name__}; only tensors, dicts, lists, tuples, "
            "texts, numbers, bools and None are kept. Save a module's or an optimiser's "
            "state_dict(), not the object."
        )


def rebuilt(outline: Any, tensors: dict[str, Tensor]) -> Any:
    """The object of an outline."""
    if isinstance(outline, list):
        return [rebuilt(part, tensors) for part in outline]
    if not isinstance(outline, dict):
        return outline
    ((kind, parts),) = outline.items()
    if kind == "tensor":
        return tensors[parts]
    if kind == "tuple":
        return tuple(rebuilt(part, tensors) for part in parts)
    made = {"dict": dict, "ordered": OrderedDict}[kind]
    return made((key, rebuilt(value, tensors)) for key, value in parts)


# -- reading what may be damaged -------------------------------------------------------------------


def read_header(data: bytearray) -> tuple[dict[str, Any], int]:
    """The header of a file, and where the tensors' bytes begin. RuntimeError if there is none."""
    for start, kind in ((b"PK\x03\x04", "a zip file, as torch.save writes"), (b"\x80", "a pickle")):
        if data.startswith(start) and not data[8:9] == b"{":
            raise RuntimeError(
                f"load: this is {kind}; reading it could run any code, so it is refused. In "
                "PyTorch, load it and write it again with safetensors.torch.save_file(state_dict, "
                "path); that file can be read here."
            )
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > LONGEST or 8 + size > len(data):
        raise refused(f"its header should be {size} bytes long, and the file is {len(data)}")
    try:
        header = json.loads(data[8 : 8 + size].decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise refused(f"its header is not in JSON: {error}") from None
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        raise refused("its header is not a dict")
    return header, 8 + size


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dict of pairs. Raises ValueError for a name that comes twice."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name comes twice")
    return made


def refused(why: str) -> RuntimeError:
    """The error for what cannot be read."""
    return RuntimeError(f"load: this is no safetensors file, or it is damaged: {why}")


def check_places(header: dict[str, Any], size: int) -> None:
    """Raise RuntimeError unless the tensors fill ``size`` bytes, without gaps or overlaps."""
    places = []
    for name, entry in header.items():
        places.append((*check_entry(name, entry), name))
    end = 0
    for start, stop, name in sorted(places):
        if start != end:
            raise refused(f"'{name}' begins at byte {start}, and the one before ends at {end}")
        end = stop
    if end != size:
        raise refused(f"its tensors take {end} bytes, and there are {size}: was it cut off?")


def check_entry(name: str, entry: Any) -> tuple[int, int]:
    """Where a tensor begins and ends. Raises RuntimeError unless its entry makes sense."""
    try:
        code, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (KeyError, TypeError, ValueError):
        raise refused(f"the entry of '{name}' is not dtype, shape and data_offsets") from None
    if not isinstance(code, str) or code not in CODES:
        raise RuntimeError(
            f"load: '{name}' has dtype {code}; there are {', '.join(CODES)}. Convert it first"
        )
    numbers = [*shape, start, stop] if isinstance(shape, list) else [-1]
    if not all(type(n) is int and n >= 0 for n in numbers):
        raise refused(f"the shape and data_offsets of '{name}' must be numbers from 0 on")
    if stop - start != math.prod(shape) * np.dtype(CODES[code]).itemsize:
        raise refused(f"'{name}' takes {stop - start} bytes, which is not its shape {shape}")
    return start, stop
