"""Where everything stands: Graphviz places the boxes once, and the picture is drawn from that.

The text of the boxes changes from frame to frame, their places do not. Sizes are in pixels.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .data import Graph
from .render import clusters, run_graphviz

CHAR, LINE, PAD = 7.25, 16, 7  # of 12-pixel type of one width, in pixels
ROOM = 860  # pixels that a notebook has beside its prompt


@dataclass
class Layout:
    """Places, with y downward: boxes (x, y, width, height), arrows, labels, frames of scopes."""

    width: float
    height: float
    boxes: dict[str, tuple[float, ...]] = field(default_factory=dict)
    arrows: list[tuple[str, str]] = field(default_factory=list)  # SVG paths: line, head
    slopes: list[tuple[float, float]] = field(default_factory=list)  # where numbers stand on them
    frames: list[tuple[str, tuple[float, ...]]] = field(default_factory=list)


def layout(graph: Graph, texts: Mapping[str, Sequence[str]]) -> Layout | None:
    """Place boxes that hold these lines of text; None where there is no program that can.

    Left to right or top to bottom, whichever fits better into a notebook.
    """
    both = [_placed(graph, texts, direction) for direction in ("LR", "TB")]
    return min((x for x in both if x), key=lambda x: (max(x.width, ROOM), x.height), default=None)


def _placed(graph: Graph, texts: Mapping[str, Sequence[str]], direction: str) -> Layout | None:
    drawn = run_graphviz(_source(graph, texts, direction), "json0")
    if drawn is None:
        return None
    found = json.loads(drawn)
    width, height = (float(v) for v in found["bb"].split(",")[2:])
    made = Layout(round(width + 8), round(height + 8))

    def point(text: str) -> tuple[float, float]:
        x, y = (float(v) for v in text.split(","))
        return round(x + 4, 1), round(height - y + 4, 1)

    for thing in found.get("objects", []):
        if "pos" in thing:
            x, y = point(thing["pos"])
            w, h = (round(float(thing[side]) * 72, 1) for side in ("width", "height"))
            made.boxes[thing["name"]] = (round(x - w / 2, 1), round(y - h / 2, 1), w, h)
        elif "bb" in thing:
            left, bottom, right, top = (float(v) for v in thing["bb"].split(","))
            (x, y), (x1, y1) = point(f"{left},{top}"), point(f"{right},{bottom}")
            made.frames.append(
                (html.unescape(thing["label"]), (x, y, round(x1 - x, 1), round(y1 - y, 1)))
            )
    edges = sorted(found.get("edges", []), key=lambda e: int(e["id"]))
    for edge in edges:
        end, *points = edge["pos"].removeprefix("e,").split(" ")
        made.arrows.append(_arrow([point(p) for p in points], point(end)))
        made.slopes.append(point(edge["lp"]) if "lp" in edge else (0.0, 0.0))
    return made


def _source(graph: Graph, texts: Mapping[str, Sequence[str]], direction: str) -> str:
    """The graph in Graphviz's language: empty boxes of the right size."""
    lines = [
        "digraph {",
        f"  graph [rankdir={direction}, nodesep=0.25, ranksep=0.35];",
        '  node [shape=box, fixedsize=true, label=""]; edge [arrowsize=0.7, fontsize=11];',
    ]
    for box in graph.boxes:
        width = (max(map(len, texts[box.id])) + 1) * CHAR + 2 * PAD
        height = len(texts[box.id]) * LINE + PAD
        lines.append(f"  {box.id} [width={width / 72:.4f}, height={height / 72:.4f}];")
    lines += clusters(graph)
    for i, arrow in enumerate(graph.arrows):
        label = ', label="0.0000"' if isinstance(arrow.slope, int | float) else ""
        lines.append(f"  {arrow.source} -> {arrow.target} [id={i}{label}];")
    return "\n".join([*lines, "}"])


def _arrow(points: Sequence[tuple[float, float]], end: tuple[float, float]) -> tuple[str, str]:
    """The line of an arrow, and its head."""
    (x0, y0), *rest = points
    curve = " ".join(f"{x:g},{y:g}" for x, y in rest)
    (x1, y1), (x, y) = points[-1], end
    length = math.hypot(x - x1, y - y1) or 1.0
    dx, dy = (x - x1) / length, (y - y1) / length
    sides = [(x1 - 3.5 * dy, y1 + 3.5 * dx), (x1 + 3.5 * dy, y1 - 3.5 * dx)]
    head = " L".join(f"{px:.1f},{py:.1f}" for px, py in (sides[0], end, sides[1]))
    return f"M{x0:g},{y0:g} C{curve}", f"M{head} Z"


STYLE = (Path(__file__).parent / "picture.css").read_text(encoding="utf-8")


def picture(graph: Graph, made: Layout, texts: Mapping[str, Sequence[str]], label: str) -> str:
    """The SVG of a layout, with these lines in the boxes and ``label`` for screen readers.

    It stands alone, on white; a page that sets the colours' variables gives it those.
    """
    size = f'viewBox="0 0 {made.width:g} {made.height:g}" width="{made.width:g}"'
    text = html.escape(label, quote=True)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" {size} height="{made.height:g}" '
        f'role="img" aria-label="{text}"><title>{html.escape(label)}</title><style>{STYLE}</style>'
    ]
    for name, (x, y, w, h) in made.frames:
        parts.append(
            f'<g class="frame"><rect x="{x}" y="{y}" width="{w}" height="{h}"/>'
            f'<text x="{x + 6}" y="{y + 14}">{html.escape(name)}</text></g>'
        )
    for (line, head), (x, y) in zip(made.arrows, made.slopes, strict=True):
        parts.append(
            f'<g class="arrow"><path class="line" d="{line}"/><path class="head" d="{head}"/>'
            f'<text class="slope" x="{x}" y="{y + 4}"></text></g>'
        )
    last = graph.boxes[-1].id
    parts += [_box(b.id, b.kind, b.id == last, made.boxes[b.id], texts[b.id]) for b in graph.boxes]
    return "".join([*parts, "</svg>"])


def _box(id_: str, kind: str, result: bool, place: Sequence[float], lines: Sequence[str]) -> str:
    x, y, w, h = place
    rows = zip(("title", "value", "grad"), lines, strict=False)
    texts = "".join(
        f'<text class="{name}" x="{x + PAD:.1f}" y="{y + LINE * (i + 1) - 1:.1f}">'
        f"{html.escape(text)}</text>"
        for i, (name, text) in enumerate(rows)
    )
    kinds = f"box {kind}{' result' * result}"
    return (
        f'<g class="{kinds}" data-id="{id_}"><rect x="{x}" y="{y}" width="{w}" height="{h}"/>'
        f"{texts}</g>"
    )
