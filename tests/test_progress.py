"""What is done is kept, shown and forgotten; what goes wrong with that hurts no learner."""

import json
import os
import stat
import subprocess
import sys

import nbformat
import pytest
from kit import build as kit_build
from kit import forget, overview, progress, quiz_answers, record
from kit.chapter import COURSE, all_chapters, all_pages
from kit.exercise import Exercise, Wrong

ROOT = COURSE.parent


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv(record.SWITCH, str(path))
    record.memory.clear()
    record.notes.clear()
    yield path
    record.memory.clear()
    record.notes.clear()


def exercise_of(module):
    made = Exercise(
        "one", title="One", task="One.", stub="one = ...", solution="one = 1",
        hints=("a", "b", "c"), wrong=[Wrong("one = 2", says="2")],
    )  # fmt: skip

    def check(one):
        assert one == 1

    check.__module__ = module
    made.checker(check)
    return made


def test_a_right_answer_is_noted_once_and_quietly(file, capsys):
    one = exercise_of("exercises.ch03")
    assert one.check(...).state == "untried"
    assert one.check(2).state == "wrong"
    assert not file.exists()
    assert repr(one.check(1)) == "✓ one: right."
    kept = json.loads(file.read_text())
    assert list(kept["exercises"]["ch03"]) == ["one"]
    file.write_text(file.read_text().replace(kept["exercises"]["ch03"]["one"], "2026-01-01"))
    one.check(1)  # the first day stays
    one.check(2)  # and so does what was right once
    assert record.done()["exercises"] == {"ch03": {"one": "2026-01-01"}}
    assert capsys.readouterr() == ("", "")


def test_only_the_courses_own_exercises_are_noted(file):
    exercise_of("my_exercises").check(1)
    assert not file.exists()


def test_trying_an_exercises_own_answers_notes_nothing(file):
    from kit.trial import problems

    problems(exercise_of("exercises.ch03"))
    assert not file.exists()


def test_builds_and_tests_keep_no_record(monkeypatch):
    monkeypatch.delenv(record.SWITCH, raising=False)
    assert "PYTEST_VERSION" in os.environ
    assert record.place() is None
    assert repr(progress()) == overview.NOT_KEPT
    monkeypatch.delenv("PYTEST_VERSION")
    assert record.place() == COURSE / ".progress.json"
    monkeypatch.setenv(record.SWITCH, "off")
    assert record.place() is None
    record.note_right("exercises.ch03", "backward")
    assert record.done() == record.empty()


def test_a_build_hands_the_switch_to_its_kernel():
    cell = nbformat.v4.new_code_cell("from kit import record; print(record.place())")
    notebook = kit_build.executed(nbformat.v4.new_notebook(cells=[cell]))
    assert notebook.cells[0].outputs[0].text == "None\n"


def test_git_does_not_see_the_file():
    done = subprocess.run(["git", "check-ignore", "-q", "course/.progress.json.before"], cwd=ROOT)
    assert done.returncode in (0, 128)  # 128: this copy is no git repository


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"exercises": 3}', '{"exercises": {"ch03": 1}, "quizzes": {}}',
     '{"exercises": {}, "quizzes": {"ch03": "five"}}', "[" * 100_000, "\0"],
    ids=range(9),
)  # fmt: skip
def test_a_broken_file_is_put_aside_and_said(file, text):
    file.write_text(text)
    assert record.done() == record.empty()
    assert file.with_name(file.name + ".broken").read_text() == text
    exercise_of("exercises.ch03").check(1)
    assert "one" in record.done()["exercises"]["ch03"]
    assert "could not be read" in repr(progress())


def test_bytes_that_are_no_text_are_put_aside(file):
    file.write_bytes(b"\xff\xfe\x80")
    assert record.done() == record.empty()


@pytest.mark.parametrize("how", ["read-only", "no folder", "full"])
def test_where_nothing_can_be_saved_it_is_kept_in_memory_and_said(file, how, monkeypatch):
    if how == "read-only":
        if os.name == "nt" or os.geteuid() == 0:
            pytest.skip("this user may write everywhere")
        file.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if how == "no folder":
        monkeypatch.setenv(record.SWITCH, str(file.parent / "gone" / "p.json"))
    if how == "full":
        monkeypatch.setattr(record.os, "replace", full)
    try:
        assert exercise_of("exercises.ch03").check(1).state == "right"
        record.note_quiz("ch03", 4)
        assert list(record.done()["exercises"]["ch03"]) == ["one"]
        assert record.done()["quizzes"] == {"ch03": 4}
        assert "could not be saved" in repr(progress())
        assert os.listdir(file.parent) == []
    finally:
        file.parent.chmod(0o700)


def full(source, target):
    raise OSError(28, "No space left on device")


def test_forget_all_a_chapter_or_an_exercise(file):
    for chapter in ("ch03", "ch04"):
        record.note_right(f"exercises.{chapter}", "one")
        record.note_right(f"exercises.{chapter}", "two")
        record.note_quiz(chapter, 3)
    forget("ch03.one")
    assert list(record.done()["exercises"]["ch03"]) == ["two"]
    forget("ch04")
    forget("ch09.none")
    assert set(record.done()["exercises"]) == set(record.done()["quizzes"]) == {"ch03"}
    forget()
    assert record.done() == record.empty()
    before = json.loads(file.with_name(file.name + ".before").read_text())
    assert list(before["exercises"]["ch03"]) == ["two"]


def test_the_page_names_every_chapter_and_what_is_next(file):
    chapters = all_chapters()
    first = overview.Row(chapters[0], record.empty()).exercises
    shown = progress()
    assert shown.headline().startswith(f"Next: {chapters[0].title}, exercise 1: {first[0].title}")
    page = shown._repr_html_()
    for chapter in chapters:
        assert f'<a href="{chapter.notebook.name}">' in page
    assert page.count('<th scope="row"') == len(chapters)
    record.note_right("exercises.ch00", first[0].name)
    assert "exercise 2" in progress().headline()
    assert f"1 of {len(first)}" in progress()._repr_html_()


def test_its_links_lead_to_headings_that_are_there(file):
    from urllib.parse import unquote

    for row in progress().rows:
        if not row.chapter.notebook.exists():
            continue
        text = row.chapter.notebook.read_text(encoding="utf-8")
        for todo in row.left:
            page, _, heading = row.link(*todo)[0].partition("#")
            assert page == row.chapter.notebook.name
            title = json.dumps(f"### {unquote(heading).replace('-', ' ')}", ensure_ascii=False)
            assert title.strip('"').replace(" ", "") in text.replace("-", " ").replace(" ", "")


def test_all_done(file):
    for chapter in all_chapters():
        for exercise in overview.contents(chapter)[0]:
            record.note_right(f"exercises.{chapter.name}", exercise.name)
    assert progress().headline() == overview.ALL_DONE
    assert overview.ALL_DONE in progress()._repr_html_()
    assert "○" not in repr(progress())


def test_a_quiz_by_letters_replies_to_each_and_keeps_the_best(file):
    questions = all_chapters()[0].exercises().QUIZ
    right = [next(x for x, c in zip("ABCDE", q.choices) if c.right) for q in questions]  # noqa: B905
    wrong = ["B" if letter == "A" else "A" for letter in right]
    said = quiz_answers("00", " ".join(right))
    assert said.lines[-1] == "5 of 5 right."
    said = quiz_answers("ch00", ", ".join([right[0].lower(), wrong[1], "?", "Z", right[4]]))
    assert [line[0] for line in said.lines] == ["✓", "✗", "○", "○", "✓", "2"]
    choice = questions[1].choices["AB".index(wrong[1])]
    assert " ".join(choice.reply.split()) in said.lines[1]
    assert record.done()["quizzes"] == {"ch00": 5}
    assert "5 of 5" in repr(progress())
    assert "five letters" not in said._repr_html_()


@pytest.mark.parametrize(("chapter", "letters"), [("00", "ABC"), ("77", "ABCDA"), ("00", "")])
def test_a_quiz_answered_in_a_wrong_form_says_so(file, chapter, letters):
    assert len(quiz_answers(chapter, letters).lines) == 1
    assert not file.exists()


def test_the_page_is_built_from_its_source():
    (page,) = [page for page in all_pages() if page.stem == "progress"]
    assert kit_build.differences(page) == []


def test_in_a_learners_kernel_progress_is_kept(tmp_path):
    """End to end: a chapter's exercise solved in a kernel, then the page in another."""
    file = tmp_path / "progress.json"
    code = (
        "from exercises import ch03\nfrom kit import progress\n"
        "from kit.exercise import answer_namespace\nfrom kit.guard import run_source\n"
        "e = ch03.topological\nspace = run_source(e.setup + e.solution, 'answer', {})\n"
        "print(e.check(space['topological']))"
    )
    env = {k: v for k, v in os.environ.items() if k != "PYTEST_VERSION"}
    env |= {record.SWITCH: str(file), "PYTHONPATH": f"{COURSE}{os.pathsep}{ROOT}"}
    for command, words in [(code, "✓"), ("from kit import progress; print(progress())", "1 of 3")]:
        ran = subprocess.run(
            [sys.executable, "-c", command], env=env, capture_output=True, encoding="utf-8"
        )
        assert words in ran.stdout, ran.stderr
