"""From a source's cells to a notebook's: directives become exercises, quiz, links and folds."""

import re

import nbformat

from kit.exercise import EXERCISE, exercises_of
from kit.folded import details, predictions
from kit.quiz import quiz_cells

DIRECTIVE = re.compile(r"<!--.*?-->", re.DOTALL)
LAUNCH = (
    "[Start the course on your machine, or in a browser](../README.md) · [All chapters](README.md)"
)
HINTS = ("Hint 1: where to look", "Hint 2: a step further", "Hint 3: nearly there")
KEPT_METADATA = ("tags",)


def expand(chapter, cells, every_chapter):
    """Return the notebook's cells for a chapter. every_chapter: to find the next one.

    Raises ValueError for a directive that is unknown or out of place, or for an exercise not used.
    """
    exercises = exercises_of(chapter.exercises()) if chapter.exercise_file.exists() else []
    by_name = {exercise.name: exercise for exercise in exercises}
    used, made = [], []
    for cell in cells:
        source = cell.source.strip()
        named = EXERCISE.fullmatch(source)
        if cell.cell_type == "code":
            made.append(code(cell.source, **kept(cell)))
        elif named:
            if named[1] not in by_name:
                raise ValueError(f"{chapter.stem}: no exercise is named {named[1]}")
            used.append(named[1])
            made += exercise_cells(chapter, by_name[named[1]], len(used))
        elif source == "<!-- quiz -->":
            made += [text(part) for part in quiz_cells(chapter.exercises().QUIZ)]
        elif source.startswith("<!-- next -->"):
            made.append(text(next_text(chapter, every_chapter, source)))
        else:
            made.append(text(predictions(source.replace("<!-- launch -->", LAUNCH)), **kept(cell)))
    check_all_expanded(chapter, made)
    if sorted(used) != sorted(by_name):
        raise ValueError(
            f"{chapter.stem}: uses {sorted(used)}, its exercises are {sorted(by_name)}"
        )
    return made


def exercise_cells(chapter, exercise, number):
    """Return task, stub, check, and folded hints with solution."""
    folded = [details(title, hint) for title, hint in zip(HINTS, exercise.hints, strict=True)]
    folded.append(details("Solution", f"```python\n{exercise.solution}\n```"))
    call = f"{chapter.name}.{exercise.name}.check({', '.join(exercise.names)})"
    return [
        text(f"### Exercise {number}: {exercise.title}\n\n{exercise.task}"),
        code(exercise.stub, exercise={"name": exercise.name, "part": "stub"}),
        code(call, exercise={"name": exercise.name, "part": "check"}),
        text("\n\n".join(folded)),
    ]


def next_text(chapter, every_chapter, source):
    """Return the last cell: a link to the next chapter, if there is one, and the author's words."""
    words = source.removeprefix("<!-- next -->").strip()
    later = [other for other in every_chapter if other.stem > chapter.stem]
    link = f"[{later[0].title}]({later[0].notebook.name})" if later else "[All chapters](README.md)"
    return f"## Next\n\n{link}\n\n{words}".strip()


def check_all_expanded(chapter, cells):
    for cell in cells:
        left = DIRECTIVE.search(cell.source) if cell.cell_type == "markdown" else None
        if left:
            raise ValueError(f"{chapter.stem}: {left[0]} is unknown, or not where it belongs")


def kept(cell):
    return {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}


def text(source, **metadata):
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def code(source, **metadata):
    return nbformat.v4.new_code_cell(source, metadata=metadata)
