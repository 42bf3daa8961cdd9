"""Pictures of a Graph: DOT text, and the SVG that Graphviz makes of it.

The drawing program comes with ``pip install``: graphviz-pure. A system ``dot`` serves as well.
Where there is neither, the DOT text is shown, with a word on how to get pictures.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import numpy as np

from .data import Arrow, Box, Graph, number

# Okabe and Ito's palette, which colour-blind readers can tell apart, lightened for backgrounds.
FILLS = {"leaf": "#cfe8f7", "constant": "#f2f2f2", "op": "#ffffff", "more": "#e0e0e0"}
RESULT = "#fbe5c0"
INK, MARK = "#222222", "#d55e00"
SIGNS = {
    "add": "+", "sub": "−", "mul": "×", "div": "÷", "neg": "−", "matmul": "@",
    "pow_number": "power", "pow_tensor": "power", "*": "×", "-": "−", "/": "÷",
}  # fmt: skip
FONT = "Helvetica"
USUAL = ("", "float32")  # dtypes that need no mention


def _cell(text: str, **attributes: str) -> str:
    given = "".join(f' {k}="{v}"' for k, v in attributes.items())
    text = html.escape(text).replace("\\", r"\\")  # else \N would become the id
    return f"<TD{given}>{text}</TD>"


def _value_rows(value: Any, label: str = "") -> list[str]:
    """The cells for a number, for a small matrix as a heat-map, or for the mean of a larger one."""
    if value is None:
        return []
    if not isinstance(value, list):
        return [_cell(f"{label}{_brief(value)}")]
    array = np.array(value)
    if array.ndim > 2 or not 0 < array.size <= 16:
        return [_cell(f"{label}{_brief(value)}")] if array.size else []
    rows = np.atleast_2d(array)
    top = max(float(np.abs(rows).max()), 1e-12)
    body = "".join(
        "<TR>" + "".join(_cell(number(v, 3), bgcolor=_shade(v / top)) for v in row) + "</TR>"
        for row in rows.tolist()
    )
    options = 'BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="2"'
    cells = [f"<TD><TABLE {options}>{body}</TABLE></TD>"]
    return [_cell(label.strip()), *cells] if label else cells


def _shade(share: float) -> str:
    """Blue below zero, white at zero, orange above: the larger, the stronger."""
    share = max(-1.0, min(1.0, float(share))) if np.isfinite(share) else 0.0
    full = (0xF5, 0xB0, 0x60) if share > 0 else (0x7F, 0xC0, 0xEB)
    mixed = (round(255 + (c - 255) * abs(share)) for c in full)
    return "#" + "".join(f"{c:02x}" for c in mixed)


def _label(box: Box, result: bool, marked: bool) -> str:
    """A box's table: what made it and what it is called, then value and gradient."""
    parts = [SIGNS.get(box.op, box.op), box.name]
    if box.kind == "more" and box.op.endswith("boxes"):
        parts = [f"{box.name}:", box.op]  # a folded scope, by its name
    title = " ".join(part for part in (("▶" if marked else ""), *parts) if part)
    shape = f"{list(box.shape)}" if box.shape else ""
    dtype = box.dtype if box.shape and box.dtype not in USUAL else ""
    named = title or ("result" if result else "value")
    head = " ".join(part for part in (named, shape, dtype) if part)
    cells = [_cell(head), *_value_rows(box.value), *_value_rows(box.grad, "grad ")]
    if box.changed:
        cells.append(_cell("changed after use"))
    rows = "".join(f"<TR>{cell}</TR>" for cell in cells)
    fill = RESULT if result else FILLS[box.kind]
    style = {"leaf": "ROUNDED", "constant": "DASHED"}.get(box.kind, "SOLID")
    width, color = ("3", MARK) if marked else ("1", INK)
    return (
        f'<<TABLE BORDER="{width}" COLOR="{color}" STYLE="{style}" BGCOLOR="{fill}" CELLBORDER="0" '
        f'CELLSPACING="0" CELLPADDING="3">{rows}</TABLE>>'
    )


def _arrow(arrow: Arrow, marked: bool, slopes: bool) -> str:
    options = []
    if marked:
        options += [f'color="{MARK}"', "penwidth=3"]
    if slopes and isinstance(arrow.slope, int | float):
        options.append(f'label=" {number(arrow.slope)} "')
    return f"  {arrow.source} -> {arrow.target} [{', '.join(options)}];"


def dot_source(
    graph: Graph, *, highlight: Sequence[Any] = (), slopes: bool = False, direction: str = "LR"
) -> str:
    """The graph in Graphviz's language, the same text for the same graph.

    ``highlight`` names boxes (by id or name) and arrows (as pairs) to mark by a thick border, an
    arrow head in the title and colour. ``slopes`` writes the local derivative on each arrow.
    """
    marked = {graph.box(key).id for key in highlight if isinstance(key, str)}
    pairs = {
        (graph.box(key[0]).id, graph.box(key[1]).id)
        for key in highlight
        if not isinstance(key, str)
    }
    lines = [
        "digraph computation {",
        f'  graph [rankdir={direction}, bgcolor="#ffffff", nodesep=0.25, ranksep=0.35, pad=0.1];',
        f'  node [shape=plain, fontname="{FONT}", fontsize=13, fontcolor="{INK}"];',
        f'  edge [fontname="{FONT}", fontsize=12, color="{INK}", arrowsize=0.7];',
    ]
    last = graph.boxes[-1].id if graph.boxes else ""
    lines += [f"  {b.id} [label={_label(b, b.id == last, b.id in marked)}];" for b in graph.boxes]
    lines += clusters(graph)
    lines += [_arrow(a, (a.source, a.target) in pairs, slopes) for a in graph.arrows]
    return "\n".join([*lines, "}"])


def clusters(graph: Graph) -> list[str]:
    """A frame around the boxes of each scope; a scope in a scope is a frame in a frame.

    A parameter that only one scope uses is drawn inside it.
    """
    users: dict[str, set[str]] = {}
    scope_of = {b.id: b.scope for b in graph.boxes}
    for arrow in graph.arrows:
        users.setdefault(arrow.source, set()).add(scope_of[arrow.target])
    inside: dict[str, list[str]] = {}
    for box in graph.boxes:
        own = users.get(box.id, set()) if box.kind == "leaf" and box.requires_grad else set()
        scope = box.scope or (min(own) if len(own) == 1 else "")
        parts = scope.split("/") if scope else []
        for depth in range(len(parts)):
            inside.setdefault("/".join(parts[: depth + 1]), [])
        if scope:
            inside[scope].append(box.id)
    numbers = {scope: i for i, scope in enumerate(inside)}
    return [_frame(scope, inside, numbers) for scope in inside if "/" not in scope]


def _frame(scope: str, inside: dict[str, list[str]], numbers: dict[str, int]) -> str:
    """One frame, with the frames inside it. Scopes nest as deep as code does: recursion is safe."""
    inner = [s for s in inside if s.rpartition("/")[0] == scope]
    parts = [*inside[scope], *(_frame(s, inside, numbers) for s in inner)]
    label = html.escape(scope.rpartition("/")[2]).replace("\\", r"\\")
    return (
        f'  subgraph cluster_{numbers[scope]} {{ label="{label}"; fontname="{FONT}"; '
        f"style=dashed; {'; '.join(parts)}; }}"
    )


def words(graph: Graph, slopes: bool = False) -> str:
    """The graph in words: one line for each box, in the order of computation."""
    names = {b.id: b.name or b.id for b in graph.boxes}
    names |= {b.id: f"[{b.op} {b.name}]" for b in graph.boxes if b.op.endswith(" more")}
    inputs: dict[str, list[str]] = {}
    for arrow in graph.arrows:
        known = slopes and isinstance(arrow.slope, int | float)
        slope = f" with slope {number(arrow.slope)}" if known else ""
        inputs.setdefault(arrow.target, []).append(names[arrow.source] + slope)
    lines = [_sentence(b, names[b.id], inputs.get(b.id, [])) for b in graph.boxes]
    if graph.hidden:
        lines.append(f"({graph.hidden} boxes are folded together)")
    return "\n".join(lines)


def _sentence(box: Box, name: str, inputs: list[str]) -> str:
    made = f" = {SIGNS.get(box.op, box.op)}({', '.join(inputs)})" if box.op else ""
    if box.kind == "more":
        whence = f", from {', '.join(inputs)}" if inputs else ""
        made = f": {box.size} boxes folded into one{whence}"
    parts = [f"{name}{made}"]
    if box.shape:
        parts.append(f"shape {list(box.shape)}")
        if box.dtype not in USUAL:
            parts.append(box.dtype)
    for label, value in (("value", box.value), ("grad", box.grad)):
        if value is not None:
            parts.append(f"{label} {_brief(value)}")
    if box.changed:
        parts.append("changed after use")
    if box.scope:
        parts.append(f"in {box.scope}")
    return ", ".join(parts)


def _brief(value: Any) -> str:
    """A value in a few words: a number, up to 8 numbers, or mean and range."""
    if not isinstance(value, list | dict):
        return number(value)
    if isinstance(value, list):
        array = np.array(value)
        if array.size <= 8:
            return str([number(v) for v in array.reshape(-1)]).replace("'", "")
        value = {"min": array.min(), "mean": array.mean(), "max": array.max()}
    least, mean, greatest = (number(float(value[key]), 3) for key in ("min", "mean", "max"))
    return f"mean {mean}, {least} to {greatest}"


def renderer() -> str | None:
    """The program that draws: graphviz-pure from pip, else a system dot, else None."""
    return shutil.which("graphviz-pure", path=_beside_python()) or shutil.which("dot")


def _beside_python() -> str:
    """Where pip puts commands, whether or not the environment is activated."""
    import os
    import sysconfig

    return os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])


HOW_TO = (
    "(No picture: the program that draws graphs is missing. Run: pip install graphviz "
    "graphviz-pure, or install Graphviz. The graph in Graphviz's language follows.)"
)


def run_graphviz(source: str, form: str) -> str | None:
    """What Graphviz makes of DOT text, as "svg" or "json0"; None where nothing can draw it."""
    program = renderer()
    if program is None:
        return None
    try:
        import graphviz
    except ImportError:
        return None
    from pathlib import Path

    graphviz.backend.dot_command.DOT_BINARY = Path(program)
    try:
        return graphviz.Source(source).pipe(format=form, encoding="utf-8", quiet=True)
    except (graphviz.ExecutableNotFound, subprocess.CalledProcessError, OSError):
        return None  # found, but it does not run here


def svg(source: str, label: str) -> str | None:
    """The SVG of DOT text, with ``label`` for screen readers; None where nothing can draw it."""
    drawn = run_graphviz(source, "svg")
    if drawn is None:
        return None
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<!--.*?-->\s*", "", drawn, flags=re.S)
    text = html.escape(label, quote=True)
    title = f"<title>{html.escape(label)}</title>"
    drawn = re.sub(r"<title>%?\w*</title>", lambda _: title, drawn, count=1)
    return drawn.replace("<svg", f'<svg role="img" aria-label="{text}"', 1)


class Drawing:
    """A graph and its picture. Notebooks show the SVG; in text it is the graph in words."""

    def __init__(self, graph: Graph, caption: str = "", **options: Any):
        self.graph, self.caption = graph, caption
        self.dot = dot_source(graph, **options)
        self.words = words(graph, options.get("slopes", False))

    @property
    def label(self) -> str:
        """The sentence for screen readers: the caption, and the graph in words."""
        head = self.caption.lstrip("% ") or "Computation graph"  # % would make it a placeholder
        return f"{head}: " + "; ".join(self.words.splitlines())

    def svg(self) -> str | None:
        """The picture, or None where nothing can draw it."""
        return svg(self.dot, self.label)

    def _repr_svg_(self) -> str | None:
        """The picture, for notebooks that ask for SVG alone."""
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        drawn = self.svg()
        if drawn is None:
            return {"text/plain": f"{self!r}\n\n{HOW_TO}\n\n{self.dot}"}
        return {"image/svg+xml": drawn, "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        """The picture and its words in HTML, for widgets and pages of one's own."""
        drawn = self.svg() or f"<pre>{html.escape(HOW_TO + chr(10) + self.dot)}</pre>"
        text = html.escape(repr(self))
        return f"{drawn}<details><summary>In words</summary><pre>{text}</pre></details>"

    def __repr__(self) -> str:
        head = f"{self.caption}\n" if self.caption else ""
        return head + self.words
