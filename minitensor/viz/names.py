"""What the learner calls things, and the lines that made them: read from the caller's frame."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Mapping
from typing import Any


def callers_names(depth: int) -> dict[str, Any]:
    """The variables of the function ``depth`` calls up, or of the cell or file."""
    frame = sys._getframe(depth)
    if frame.f_locals is frame.f_globals:
        return dict(frame.f_globals)
    return {**frame.f_globals, **frame.f_locals}


def callers_lines(depth: int) -> dict[str, str]:
    """For each name that the caller's cell or file assigns above this line: the line that does.

    Of several the last one counts. Lines that cannot be read give nothing.
    """
    frame = sys._getframe(depth)
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):  # a cell with a magic, or no source at all
        return {}
    found: dict[str, str] = {}
    assigns = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    for node in sorted(assigns, key=lambda node: node.lineno):
        parts = [part for target in node.targets for part in ast.walk(target)]
        names = [p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)]
        if node.lineno <= frame.f_lineno:
            found |= dict.fromkeys(names, lines[node.lineno - 1].strip())
    return found


def add_lines(boxes: Any, lines: Mapping[str, str]) -> None:
    """Give boxes without a recorded line the line that assigns their name."""
    for box in boxes:
        if box.kind == "op" and not box.line:
            box.line = lines.get(box.name, "")
