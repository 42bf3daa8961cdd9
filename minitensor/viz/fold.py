"""Large graphs made small enough to read: boxes are folded together, and the picture says so.

First whole scopes are folded, the innermost first; then the middles of long chains; then, if that
is not enough, whatever is farthest from the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .data import Arrow, Box, Graph

LIMIT = 60  # boxes that a picture can hold and still be read
ENDS = 2  # boxes left at each end of a folded chain, to show what goes on inside


def collapse(graph: Graph, limit: int = LIMIT) -> Graph:
    """The graph with at most ``limit`` boxes, if it has more.

    A folded box says how many boxes it stands for; ``hidden`` counts them all.
    """
    depth = max((_depth(b.scope) for b in graph.boxes), default=0)
    while len(graph.boxes) > limit and depth:
        graph = _merge(graph, {b.id: _cut(b.scope, depth) for b in graph.boxes
                               if _depth(b.scope) >= depth})  # fmt: skip
        depth -= 1
    if len(graph.boxes) > limit:
        graph = _fold_chains(graph)
    if len(graph.boxes) > limit:
        kept = _nearest(graph, limit - 1)
        graph = _merge(graph, {b.id: "earlier" for b in graph.boxes if b.id not in kept})
    return graph


def _depth(scope: str) -> int:
    return scope.count("/") + 1 if scope else 0


def _cut(scope: str, depth: int) -> str:
    return "/".join(scope.split("/")[:depth])


def _fold_chains(graph: Graph) -> Graph:
    """Fold the middle of each long chain."""
    groups: dict[str, str] = {}
    labels: dict[str, str] = {}
    for chain in _chains(graph):
        middle = chain[ENDS:-ENDS]
        ops = list(dict.fromkeys(box.op for group in middle for box in group if box.op))
        first = middle[0][-1].id
        labels[first] = ", ".join(ops[:3]) + (", …" if len(ops) > 3 else "")
        groups |= {box.id: first for group in middle for box in group}
    return _merge(graph, groups, labels)


def _chains(graph: Graph) -> Iterator[list[list[Box]]]:
    """Runs in which each box feeds the next and nothing else: each box after its constants."""
    boxes = {b.id: b for b in graph.boxes}
    into: dict[str, list[str]] = {}
    out: dict[str, set[str]] = {}
    for arrow in graph.arrows:
        into.setdefault(arrow.target, []).append(arrow.source)
        out.setdefault(arrow.source, set()).add(arrow.target)
    run: list[list[Box]] = []
    for box in graph.boxes:
        if box.kind != "op":
            continue
        sources = [boxes[s] for s in into.get(box.id, [])]
        own = [b for b in sources if b.kind == "constant" and len(out[b.id]) == 1]
        rest = {b.id for b in sources if b not in own}
        last = run[-1][-1].id if run else ""
        if rest != {last} or len(out[last]) > 1:
            if len(run) > 2 * ENDS + 1:
                yield run
            run = []
        run.append([*own, box] if len(rest) == 1 else [box])
    if len(run) > 2 * ENDS + 1:
        yield run


def _nearest(graph: Graph, limit: int) -> set[str]:
    """The ids of the boxes nearest to the result."""
    before: dict[str, list[str]] = {}
    for arrow in graph.arrows:
        before.setdefault(arrow.target, []).append(arrow.source)
    queue = [graph.boxes[-1].id]
    kept = set(queue)
    for box in queue:
        for source in before.get(box, []):
            if len(kept) < limit and source not in kept:
                kept.add(source)
                queue.append(source)
    return kept


def _merge(
    graph: Graph, groups: Mapping[str, str], labels: Mapping[str, str] | None = None
) -> Graph:
    """Fold all boxes of one group into one box, named after the group or its label."""
    members: dict[str, list[Box]] = {}
    for box in graph.boxes:
        if box.id in groups:
            members.setdefault(groups[box.id], []).append(box)
    folded: dict[str, Box] = {}
    made = Graph()
    for box in graph.boxes:
        group = groups.get(box.id, "")
        if len(members.get(group, [])) < 2:
            made.boxes.append(box)
        elif group not in folded:
            folded[group] = _more(group, members[group], (labels or {}).get(group, group))
            made.boxes.append(folded[group])
    place: dict[str, str] = {}
    for i, box in enumerate(b for b in made.boxes if b.kind == "more"):
        place[box.id] = box.id = f"more_{i + 1}"  # those of an earlier round move, too
    place |= {old: folded[group].id for old, group in groups.items() if group in folded}
    made.hidden = sum(b.size for b in made.boxes if b.kind == "more")
    made.arrows = list(_joined(graph.arrows, place))
    return made


def _more(group: str, members: list[Box], label: str) -> Box:
    """The box that stands for a group.

    That of a scope lies in the scope around it and shows the last result computed inside.
    """
    size = sum(b.size for b in members)
    ids = tuple(id_ for b in members for id_ in (b.members or (b.id,)))
    scopes = {b.scope for b in members}
    if not all(s == group or s.startswith(f"{group}/") for s in scopes):
        scope = members[0].scope if len(scopes) == 1 else ""
        return Box("", "more", f"{size} more", label, scope=scope, size=size, members=ids)
    outer, _, name = group.rpartition("/")
    last = replace(members[-1], id="", kind="more", op=f"{size} boxes", name=name, scope=outer)
    return replace(last, size=size, members=ids, slopes=(), formula="", attrs={}, line="")


def _joined(arrows: list[Arrow], place: Mapping[str, str]) -> Iterator[Arrow]:
    """The arrows between what is left; several into or out of a folded box become one."""
    done: set[tuple[str, str]] = set()
    for arrow in arrows:
        ends = place.get(arrow.source, arrow.source), place.get(arrow.target, arrow.target)
        moved = ends != (arrow.source, arrow.target)
        if ends[0] == ends[1] or (moved and ends in done):
            continue
        done.add(ends)
        yield Arrow(*ends, arrow.slot, arrow.slope)
