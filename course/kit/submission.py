"""A notebook that somebody handed in: which chapter, and the code that answers each exercise."""

import ast
import json
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from kit.chapter import chapters
from kit.overview import contents

CHECK = re.compile(r"^[ \t]*(ch\d\d)\.(\w+)\.check\(.*$", re.MULTILINE)
MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
HEADING = re.compile(r"^(#{1,3}) +(.*?)\s*$", re.MULTILINE)
NOT_WANTED = ("exercises", "kit.figures", "IPython", "ipywidgets")  # slow, and for show only


class UnreadableError(Exception):
    """A file is no notebook, or none of a chapter that is known."""


@dataclass
class Answer:
    """One exercise's code as handed in. before: imports and helpers of the other cells."""

    chapter: str
    name: str
    cells: list
    before: list


@dataclass
class Submission:
    """A notebook. label: who handed it in. chapter: such as "ch03"."""

    path: Path
    label: str
    chapter: str
    answers: list = field(default_factory=list)


def read(path, label):
    """Return the Submission in a file. Raises UnreadableError."""
    try:
        notebook = nbformat.read(path, as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type in ("code", "markdown")]
        code = [cell.source for cell in cells if cell.cell_type == "code"]
    except Exception as error:  # a file from outside: whatever is wrong with it
        raise UnreadableError(f"{path.name} is no notebook: {type(error).__name__}") from error
    number = chapter_of(path, code)
    try:
        (chapter,) = chapters([number])
    except ValueError:
        raise UnreadableError(f"{path.name}: which chapter is it?") from None
    exercises = contents(chapter)[0]
    blocks = answer_cells(cells, exercises)
    before = {name: [kept for c in part if (kept := reusable(c))] for name, part in blocks.items()}
    made = Submission(path, label, chapter.name)
    for exercise in exercises:
        others = [source for block in before if block != exercise.name for source in before[block]]
        made.answers.append(
            Answer(chapter.name, exercise.name, answering(exercise, blocks), others)
        )
    return made


def chapter_of(path, code):
    """Return the number of the chapter, by its checks or else by the file's name; "" if neither."""
    checks = [found[0] for source in code for found in CHECK.findall(source)]
    if checks:
        return max(set(checks), key=checks.count)
    named = re.search(r"(?<!\d)(\d\d)_", path.name)
    return named[1] if named else "none"


def answer_cells(cells, exercises):
    """Return {exercise's name, or "" for all else: [source of each code cell in its part]}.

    An exercise's part begins at its heading and ends at the next one. A cell that the build made
    keeps its mark, wherever it was moved to.
    """
    titles = {exercise.title: exercise.name for exercise in exercises}
    blocks = {"": [], **{exercise.name: [] for exercise in exercises}}
    here = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            for _, text in HEADING.findall(cell.source):
                here = titles.get(re.sub(r"^Exercise \d+: ", "", text), "")
            continue
        marked = cell.metadata.get("exercise", {})
        name = marked.get("name") if isinstance(marked, dict) else None
        source = plain(CHECK.sub("", cell.source))
        if source.strip():
            blocks[name if name in blocks else here].append(source)
    return blocks


def answering(exercise, blocks):
    """Return the cells that answer an exercise: those of its part, else the last that define it."""
    own = list(blocks[exercise.name])
    for name in exercise.names:
        if not any(defines(source, name) for source in own):
            elsewhere = [s for part in blocks.values() for s in part if defines(s, name)]
            own += elsewhere[-1:]
    return own


def plain(source):
    """Return a cell's source as Python, without the lines that only IPython knows."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return MAGIC.sub("", source)
    return source


def defines(source, name):
    return bool(re.search(rf"^(def|class) {name}\b|^{name}\b[^=\n]*=(?!=)", source, re.MULTILINE))


def reusable(source):
    """Return the imports and definitions of a cell, as source; "" if there are none."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    kept = [node for node in body if is_reusable(node)]
    return "\n".join(textwrap.dedent(ast.get_source_segment(source, node)) for node in kept)


def is_reusable(node):
    if isinstance(node, ast.ImportFrom):
        return not (node.module or "").startswith(NOT_WANTED)
    if isinstance(node, ast.Import):
        return not any(alias.name.startswith(NOT_WANTED) for alias in node.names)
    return isinstance(node, (ast.FunctionDef, ast.ClassDef))


def as_json(answer):
    return json.dumps(vars(answer))
