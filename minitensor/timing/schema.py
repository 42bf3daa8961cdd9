"""What a file of timings holds is written down in ``schema.json``; here a file is held to it.

``schema.json`` is a JSON Schema, so that other programs can use it. This knows the words in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent / "schema.json").read_text(encoding="utf-8")
)
KINDS: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip


class RecordError(ValueError):
    """A file of timings that cannot be read or trusted."""


def validate(data: Any, schema: dict[str, Any] = SCHEMA, where: str = "file") -> None:
    """Hold ``data`` to the schema. Raises RecordError, which names the place."""
    if "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        _expect(data in allowed and not isinstance(data, bool), where, data, f"one of {allowed}")
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        fits = any(isinstance(data, KINDS[name]) for name in names) and not isinstance(data, bool)
        _expect(fits, where, data, " or ".join(names))
    if "exclusiveMinimum" in schema:
        _expect(data > schema["exclusiveMinimum"], where, data, "above 0")
    if "minimum" in schema:
        _expect(data >= schema["minimum"], where, data, "0 or more")
    least = schema.get("minItems", schema.get("minLength", 0))
    _expect(not least or len(data) >= least, where, data, f"of length {least} or more")
    for i, item in enumerate(data if "items" in schema else ()):
        validate(item, schema["items"], f"{where}[{i}]")
    if "properties" in schema:
        known = set(schema["properties"]) if schema.get("additionalProperties") is False else data
        odd = set(schema["required"]) - set(data) | set(data) - set(known)
        _expect(not odd, where, sorted(odd), "a known field, and none may be missing")
        for name in schema["properties"].keys() & set(data):
            validate(data[name], schema["properties"][name], f"{where}.{name}")


def _expect(fits: bool, where: str, found: Any, wanted: str) -> None:
    if not fits:
        raise RecordError(f"{where} is {str(found)[:60]!r}; it must be {wanted}")
