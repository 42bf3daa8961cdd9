"""The stepper: a computation to play, step and scrub through, and to predict.

Everything that is shown is made here, once: the picture, and for each step its sentence, its
formulas, what it changes, the question before it, and what to say to wrong answers.
``stepper.js`` only puts it on the screen.
"""

from __future__ import annotations

import hashlib
import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import page
from .explain import Explainer, Numbers, brief, entry, short, sum_tex
from .fold import collapse
from .layout import layout, picture
from .mathml import mathml
from .names import add_lines, callers_lines, callers_names
from .render import HOW_TO
from .trace import Step, Trace, trace

MODULE = (Path(__file__).parent / "stepper.js").read_text(encoding="utf-8")
CSS = (Path(__file__).parent / "stepper.css").read_text(encoding="utf-8")
LIMIT = 40  # boxes that can be followed
NEAR = 0.01  # how far a prediction may be from the right number, as a share of it
TITLE = 30  # characters of a box's first line
GRAPH_HEIGHT = 440  # pixels after which a graph is scrolled
AROUND = 360  # pixels of what stands around it
KEY = "(key)"  # in its place stands a digest of the page, the same in every run


@dataclass
class Shot:
    """A step as it is shown: between the boxes that are drawn, with what it changes."""

    step: Step
    box: str
    to: str
    inside: int  # steps inside folded boxes that went before
    field: str  # "value", "grad", or "" where what it changes is folded away
    value: Any


class Film:
    """The data of a stepper, made from a Trace; a graph of more than ``limit`` boxes is folded."""

    def __init__(self, trace: Trace, limit: int = LIMIT):
        self.words = Explainer(trace)
        self.graph = collapse(trace.graph, limit)
        self.place = {id_: box.id for box in self.graph.boxes for id_ in box.members}
        self.last = {box.members[-1] for box in self.graph.boxes if box.members}
        self.shots = list(self._shots(trace.steps))
        self.first = next(i for i, s in enumerate(self.shots) if s.step.kind == "start") + 1
        self.titles = self._titles()

    def _shots(self, steps: Sequence[Step]) -> Iterator[Shot]:
        """Steps inside a folded box are left out; those into and out of it stay.

        Of several shares in a row from a folded box to the same one, the last is shown.
        """
        inside, held = 0, None
        for step in steps:
            box, to = self.place.get(step.box, step.box), self.place.get(step.to, step.to)
            forward = step.kind == "forward"
            if box == to or (forward and step.box in self.place and step.box not in self.last):
                inside += 1
                continue
            changed = step.to or step.box
            known = changed not in self.place or changed in self.last
            value = self.words.box[step.box].value if forward else step.after
            made = Shot(step, box, to, inside, "value" * forward or "grad" * known, value)
            inside = 0
            if held and held.to and (held.box, held.to) == (box, to) and step.box in self.place:
                made.inside += held.inside + 1
            elif held:
                yield held
            held = made
        if held:
            yield held

    def _titles(self) -> dict[str, str]:
        """The first line of each box: its name and what it is computed by."""
        drawn = Explainer(Trace(self.graph))
        for id_, inputs in drawn.inputs.items():  # folding joins arrows: ask the whole graph
            inputs |= {i: self.place.get(s, s) for i, s in self.words.inputs.get(id_, {}).items()}
        for box in self.graph.boxes:
            drawn.name[box.id] = self.words.name.get(box.id, box.name or "earlier steps")
        self.drawn = drawn.name
        full = {box.id: drawn.title(box.id) for box in self.graph.boxes}
        return {i: t if len(t) <= TITLE else t[: TITLE - 1] + "…" for i, t in full.items()}

    def data(self) -> list[dict[str, Any]]:
        """All steps, fit for JSON."""
        return [self._step(shot) for shot in self.shots]

    def _step(self, shot: Shot) -> dict[str, Any]:
        step, line = shot.step, self.words.box[shot.step.box].line
        made: dict[str, Any] = {"kind": step.kind, "box": shot.box, "say": self.say(shot)}
        if line:
            made["line"] = line
        if shot.field:
            text = {shot.field: brief(shot.value), "all": whole(shot.value)}
            made["set"] = {"id": shot.to or shot.box, **text}
        return made | self._back(shot) if step.kind == "backward" else made

    def say(self, shot: Shot) -> str:
        """The sentence of a step, and which of its boxes are folded into others."""
        said = self.words.say(shot.step)
        ends = dict.fromkeys(i for i in (shot.step.box, shot.step.to) if i in self.place)
        where = [f"{self.words.name[i]} is in {self.drawn[self.place[i]]}" for i in ends]
        if shot.inside:
            where.insert(0, f"after {shot.inside} step{'s' * (shot.inside > 1)} inside")
        return f"{said} ({', '.join(where)})" if where else said

    def _back(self, shot: Shot) -> dict[str, Any]:
        """What only a step back has: where it goes, its formulas, the question before it."""
        step, numbers = shot.step, entry(shot.step)
        rule, put = self.words.rule(step), self.words.numbers(step)
        tex = {"rule": rule, "numbers": "" if rule.endswith(f"= {put}") else put}
        if numbers is not None:
            tex["sum"] = sum_tex(self.words.name[step.to], numbers)
        made: dict[str, Any] = {name: mathml(text) for name, text in tex.items() if text}
        made |= {"to": shot.to, "arrow": self._arrow(shot)}
        if isinstance(step.local, int | float):
            made["slope"] = short(step.local)
        if numbers is not None and not {step.box, step.to} & set(self.place):
            made |= self._question(step, numbers)
        return made

    def _arrow(self, shot: Shot) -> int:
        """The number of the arrow that a share goes along."""
        ends = [i for i, a in enumerate(self.graph.arrows)
                if (a.source, a.target) == (shot.to, shot.box)]  # fmt: skip
        same = [i for i in ends if self.graph.arrows[i].slot == shot.step.slot]
        return (same or ends)[0]

    def _question(self, step: Step, n: Numbers) -> dict[str, Any]:
        """The question before a step, its answer, and the typical wrong ones."""
        wrong: list[tuple[str, float, str]] = []
        for kind, value, text in self.words.mistakes(step):
            known = [n.after, *(v for _, v, _ in wrong)]
            if math.isfinite(value) and not any(close(value, other) for other in known):
                wrong.append((kind, rounded(value), text))
        asked = {"ask": self.words.ask(step), "want": rounded(n.after), "wrong": wrong}
        return asked if math.isfinite(n.after) else {}

    def texts(self, at: int) -> dict[str, list[str]]:
        """The lines in each box after so many steps."""
        made = {s.box for s in self.shots if s.step.kind == "forward"}
        found = {b.id: [self.titles[b.id], "" if b.id in made else brief(b.value), ""]
                 for b in self.graph.boxes}  # fmt: skip
        for shot in self.shots[:at]:
            if shot.field == "value":
                found[shot.box][1] = brief(shot.value)
            elif shot.field:
                found[shot.to or shot.box][2] = f"grad {brief(shot.value)}"
        return found

    def widest(self) -> dict[str, list[str]]:
        """For each box the longest that each of its lines gets, with room for a mark."""
        found = {id_: [f"▶ {lines[0]}", *lines[1:]] for id_, lines in self.texts(0).items()}
        for shot in self.shots:
            lines = found[shot.to or shot.box]
            text = brief(shot.value)
            if shot.field == "value":
                lines[1] = text
            elif shot.field:
                lines[2] = max(lines[2], f"grad {text}", key=len)
        return found


def whole(value: Any) -> str:
    """All numbers of a small value; a large one in brief."""
    return brief(value, most=160)


def rounded(value: float) -> float:
    """A number that is the same on all machines: their last digits may differ."""
    return float(f"{value:.6g}")


def close(value: float, other: float) -> bool:
    """Whether a reader who predicts one of two numbers may as well have meant the other."""
    return abs(value - other) <= NEAR * abs(other) + 1e-9


class Stepper:
    """A computation to step through, in a notebook or a page; ``step`` makes one.

    ``score``: {"asked", "right" (at the first try), "mistakes" (how often, by kind)}, and
    ``position``, the number of steps shown, follow the reader where the notebook runs in
    JupyterLab.
    """

    def __init__(self, trace: Trace, *, predict: bool, title: str, limit: int = LIMIT):
        self.trace, self.title, self.predict = trace, title, predict
        self.film = Film(trace, limit)
        start = self.film.first if predict else 0
        self._values = {"score": {"asked": 0, "right": 0, "mistakes": {}}, "position": start,
                        "predict": predict}  # fmt: skip
        self.html = self._html()
        key = hashlib.sha256(self.html.encode()).hexdigest()[:16]
        self.html = self.html.replace(KEY, key)
        self.link = page.link(key, self._values)

    @property
    def score(self) -> dict[str, Any]:
        """How the reader's predictions went."""
        return self._now("score")

    @property
    def position(self) -> int:
        """How many steps are shown; set it to show others."""
        return self._now("position")

    @position.setter
    def position(self, at: int) -> None:
        if not 0 <= at <= len(self.film.shots):
            raise ValueError(f"position is 0 to {len(self.film.shots)}, not {at}")
        if self.link is None:
            raise RuntimeError("position can be set where anywidget is installed")
        self.link.values = {**self.link.values, "position": at}

    def _now(self, name: str) -> Any:
        return (self.link.values if self.link else self._values)[name]

    def _html(self) -> str:
        film = self.film
        texts = film.widest()
        made = layout(film.graph, texts)
        words = "\n".join(film.say(shot) for shot in film.shots[: film.first])
        if made is None:
            lines = html.escape(f"{words}\n{HOW_TO.partition(' The graph')[0]})")
            return f"<pre>{lines}</pre>{self._folded()}"
        at = film.first if self.predict else len(film.shots)
        drawn = picture(film.graph, made, film.texts(at), self.title)
        data = {"key": KEY, "title": self.title, "steps": film.data(),
                "start": film.texts(0), "boxes": self._boxes(), "first": film.first,
                **self._values}  # fmt: skip
        document = page.page(MODULE, data, title=self.title, style=CSS, still=drawn)
        height = round(min(made.height, GRAPH_HEIGHT)) + AROUND
        return page.frame(document, title=self.title, height=height, words=words,
                          picture=drawn, below=self._folded())  # fmt: skip

    def _boxes(self) -> dict[str, dict[str, str]]:
        """What the table of all values says of each box."""
        return {b.id: {"title": self.film.titles[b.id], "all": whole(b.value), "scope": b.scope}
                for b in self.film.graph.boxes}  # fmt: skip

    def _folded(self) -> str:
        """The steps back without scripts: each answer folded away, if they are to be predicted."""
        film, inner = self.film, "<p>Done.</p>"
        back = film.shots[film.first :]
        if not self.predict:
            return "".join(f"<p>{html.escape(film.say(s))}</p>" for s in back)
        for shot in reversed(back):
            asked, said = html.escape(film.words.ask(shot.step)), html.escape(film.say(shot))
            inner = f"<details><summary>{asked}</summary><p>{said}</p>{inner}</details>"
        return inner

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": repr(self)}

    def __repr__(self) -> str:
        film = self.film
        shown = film.shots[: film.first] if self.predict else film.shots
        lines = [film.say(shot) for shot in shown]
        left = len(film.shots) - len(shown)
        return "\n".join([self.title, *lines, *([f"{left} steps to predict"] * bool(left))])


def step(
    x: Any, *, names: Mapping[str, Any] | None = None, predict: bool = False,
    title: str = "Backpropagation, step by step", limit: int = LIMIT,
) -> Stepper:  # fmt: skip
    """A computation to step through: forward, and each gradient on its way back.

    Play, pause, step and scrub with the buttons, or with the keys: arrows, space, Home and End.
    It works in JupyterLab, in a notebook's HTML export, and without a network.

    Args:
        x: a Trace, or what ``trace`` takes: a tensor, or a learner's own value.
        names: names of tensors or values; by default those of the caller's variables.
        predict: start at the way back, and ask for each gradient before it is shown.
        title: what screen readers and the text form call it.
        limit: above this many boxes the graph is folded, scope by scope.

    Raises what ``trace`` raises.
    """
    if isinstance(x, Trace):
        film = x
    else:
        own_names = names is None
        film = trace(x, callers_names(2) if names is None else names, own_names)
        add_lines(film.graph.boxes, callers_lines(2))
    return Stepper(film, predict=predict, title=title, limit=limit)
