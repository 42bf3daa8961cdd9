"""The chain rule, route by route: the slopes along each way through a graph, with their numbers."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .explain import Explainer
from .mathml import mathml, name_tex, plain_text
from .names import callers_names
from .slopes import factor, put_in
from .trace import Step, Trace, trace

MOST = 16  # routes that a page can still show


class Chain:
    """The chain rule written out: one line of LaTeX for each route, and the sum where several."""

    def __init__(self, lines: Sequence[str], value: float):
        self.lines, self.value = list(lines), value

    def _repr_html_(self) -> str:
        text = html.escape(repr(self), quote=True)
        rows = "".join(f"<p>{mathml(line)}</p>" for line in self.lines)
        return f'<div role="group" aria-label="{text}">{rows}</div>'

    def __repr__(self) -> str:
        return "\n".join(map(plain_text, self.lines))


def chain(x: Any, path: str | Sequence[str], names: Mapping[str, Any] | None = None) -> Chain:
    """The chain rule along the routes through a graph, with the numbers put in.

    Args:
        x: a Trace, or what ``trace`` takes.
        path: the names of all boxes on the way, the first an input and the last the result; or
            one name, for all routes from there and their sum.
        names: names of tensors or values; by default those of the caller's variables.

    Raises KeyError for a name that no box has, ValueError where there is no such route, where there
    are more than 16, or where a value on the way is not a single number.
    """
    own_names = names is None
    known = callers_names(2) if names is None else names
    film = x if isinstance(x, Trace) else trace(x, known, own_names)
    words = Explainer(film)
    id_of = {name: id_ for id_, name in words.name.items()}
    wanted = [path] if isinstance(path, str) else list(path)
    for name in wanted:
        if name not in id_of:
            raise KeyError(f"no box {name!r}; there are {list(id_of)}")
    ids = [id_of[name] for name in wanted]
    routes = [r for r in _routes(film, ids[0]) if len(ids) == 1 or _boxes(r) == ids]
    if not routes:
        raise ValueError(f"no route {' → '.join(wanted)} leads to the result")
    return _written(words, routes)


def _routes(film: Trace, start: str) -> Iterator[list[Step]]:
    """Every route from a box to the result: steps, the first one at that box."""
    leaving: dict[str, list[Step]] = {}
    for step in film.steps:
        if step.kind == "backward":
            leaving.setdefault(step.to, []).append(step)
    waiting: list[list[Step]] = [[s] for s in leaving.get(start, [])]
    found = 0
    while waiting:
        route = waiting.pop(0)
        further = leaving.get(route[-1].box, [])
        if not further:
            found += 1
            if found > MOST:
                raise ValueError(f"there are more than {MOST} routes: name the boxes of one")
            yield route
        waiting.extend([*route, step] for step in further)


def _boxes(route: Sequence[Step]) -> list[str]:
    return [route[0].to, *(step.box for step in route)]


def _written(words: Explainer, routes: Sequence[Sequence[Step]]) -> Chain:
    """A line for each route, and one for their sum."""
    lines, shares = [], []
    for route in routes:
        share = 1.0
        for step in route:
            if not isinstance(step.local, int | float):
                what = words.name[step.box]
                raise ValueError(f"{what} is not a single number: its slope is not one either")
            share *= step.local
        shares.append(share)
        lines.append(_line(words, route, share))
    total = sum(shares)
    if len(routes) > 1:
        out, to = _ends(words, routes[0])
        parts = " + ".join(factor(s) for s in shares)
        lines.append(rf"\frac{{\partial {out}}}{{\partial {to}}} = {parts} = {put_in(total).tex}")
    return Chain(lines, total)


def _ends(words: Explainer, route: Sequence[Step]) -> tuple[str, str]:
    return name_tex(words.name[route[-1].box]), name_tex(words.name[route[0].to])


def _line(words: Explainer, route: Sequence[Step], share: float) -> str:
    """One route: the slopes by name, then by their rules, then in numbers, then their product."""
    symbols, letters = [], []
    for step in reversed(route):
        out, to = name_tex(words.name[step.box]), name_tex(words.name[step.to])
        symbols.append(rf"\frac{{\partial {out}}}{{\partial {to}}}")
        rule = words.rule(step).partition(" = ")[2] or put_in(step.local).tex
        bare = len(rule) == 1 or rule.replace(".", "").isdigit()
        letters.append(rule if bare or len(route) == 1 else rf"\left({rule}\right)")
    numbers = [factor(step.local) for step in reversed(route)]
    parts = [symbols, letters, numbers]
    texts = [r" \cdot ".join(p) for p in parts] + [put_in(share).tex]
    kept = [t for i, t in enumerate(texts) if i == 0 or t != texts[i - 1]]
    return " = ".join(kept)
