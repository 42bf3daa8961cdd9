"""Every shipped chapter: its exercises, its notebook, its rules, and a run with all solutions."""

import pytest
from kit import build as kit_build
from kit.chapter import all_chapters
from kit.exercise import exercises_of
from kit.lint import lint
from kit.trial import problems

CHAPTERS = all_chapters()
EXERCISES = [
    pytest.param(exercise, id=f"{chapter.name}-{exercise.name}")
    for chapter in CHAPTERS
    if chapter.exercise_file.exists()
    for exercise in exercises_of(chapter.exercises())
]

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[c.name for c in CHAPTERS])


@pytest.mark.parametrize("exercise", EXERCISES)
def test_exercise_tells_right_from_wrong(exercise):
    assert problems(exercise) == []


@each_chapter
def test_notebook_equals_its_source_and_was_run(chapter):
    assert kit_build.differences(chapter) == []


@each_chapter
def test_notebook_breaks_no_rule(chapter):
    assert lint(chapter) == []


@each_chapter
def test_filled_with_its_solutions_a_notebook_is_all_green(chapter):
    filled = kit_build.filled(chapter, kit_build.unexecuted(chapter))
    notebook = kit_build.executed(filled, chapter.course)
    said = {
        cell.metadata["exercise"]["name"]: cell.outputs[0].data["text/plain"]
        for cell in notebook.cells
        if cell.metadata.get("exercise", {}).get("part") == "check"
    }
    assert said == {name: f"✓ {name}: right." for name in said}
    assert len(said) == len(exercises_of(chapter.exercises()))


def test_the_list_of_chapters_is_up_to_date():
    old, new = kit_build.contents()
    assert old == new


def test_every_notebook_has_a_source():
    assert kit_build.orphans() == []
