"""A folder of notebooks is graded with the course's own checks, and nothing in it can stop that."""

import csv
import os
import subprocess
import sys

import nbformat
import pytest
from kit import build as kit_build
from kit import grade as kit_grade
from kit import submission
from kit.chapter import COURSE, chapters
from kit.grade import check, collect, environment, main, safe, student
from kit.overview import contents
from kit.submission import Answer, UnreadableError, read

(CHAPTER,) = chapters(["03"])
EXERCISES = contents(CHAPTER)[0]
NAMES = [exercise.name for exercise in EXERCISES]
WRONG = EXERCISES[0].wrong[0]
HANGS = "while True:\n    pass"


def notebook(**answers):
    """Chapter 03 with its solutions, save for the exercises named: those get these sources."""
    made = kit_build.filled(CHAPTER, kit_build.unexecuted(CHAPTER))
    for cell in made.cells:
        part = cell.metadata.get("exercise", {})
        if part.get("part") == "stub" and part["name"] in answers:
            cell.source = answers[part["name"]]
    return made


def write(made, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
    return path


def test_a_folder_of_three(tmp_path, capsys):
    """All right; one wrong and one not tried; one that hangs."""
    first, second, third = NAMES
    write(notebook(), tmp_path / f"anna_{CHAPTER.notebook.name}")
    some = notebook(**{first: WRONG[0], second: EXERCISES[1].stub})
    write(some, tmp_path / "ben" / "work.ipynb")
    write(notebook(**{third: HANGS}), tmp_path / "carla.ipynb")
    (tmp_path / "dora.ipynb").write_text("not a notebook")
    write(notebook(), tmp_path / "anna" / ".ipynb_checkpoints" / "old.ipynb")
    out = tmp_path / "out.csv"
    assert main([str(tmp_path), "--csv", str(out), "--jobs", "2"]) == 1  # dora's is no notebook
    shown = capsys.readouterr()
    assert "dora: dora.ipynb is no notebook" in shown.err
    assert f"ben, ch03.{first}\n" in shown.out
    assert WRONG[1] in shown.out
    assert "its cell 1: it was stopped after 5 seconds (line " in shown.out
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert list(rows["anna"]) == ["student", *(f"ch03.{name}" for name in NAMES), "right", "of"]
    assert [rows["anna"][f"ch03.{name}"] for name in NAMES] == ["right"] * 3
    assert [rows[who]["right"] for who in ("anna", "ben", "carla")] == ["3", "1", "2"]
    assert {row["of"] for row in rows.values()} == {"3"}
    assert rows["ben"][f"ch03.{second}"] == "not attempted"
    assert WRONG[1] in rows["ben"][f"ch03.{first}"]
    assert rows["carla"][f"ch03.{third}"].startswith("wrong: expected: ")


def judged(*cells, before=(), seconds=0.5):
    return check(Answer("ch03", "topological", list(cells), list(before)), seconds)


def test_what_no_check_can_stop_is_killed(monkeypatch, tmp_path):
    """A long call into C, a process that ends itself, one that leaves others behind."""
    monkeypatch.setattr(kit_grade, "START", 4)
    verdict = judged("def topological(out):\n    return sum(iter(int, 1))")
    assert (verdict.state, "stopped after 5 seconds" in repr(verdict)) == ("wrong", True)
    verdict = judged("import os\nos._exit(7)")
    assert "ended before the check did (status 7)" in repr(verdict)
    monkeypatch.setattr(kit_grade, "START", 20)
    solution = EXERCISES[NAMES.index("topological")].solution
    threads = "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()"
    assert judged(f"{threads}\n{solution}").state == "right"
    assert judged(f"print('[]' * 10**6)\n{solution}").state == "right"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes")
def test_no_process_is_left_behind(tmp_path):
    mark = tmp_path / "mark"
    code = f"import time; time.sleep(3); open({str(mark)!r}, 'w')"
    judged(f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {code!r}])")
    subprocess.run([sys.executable, "-c", "import time; time.sleep(4)"], check=True)
    assert not mark.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")
def test_memory_and_files_have_limits(tmp_path):
    big = "def topological(out):\n    return bytearray(2**36)"
    assert "more memory than there is" in repr(judged(big))
    file = "with open('big', 'wb') as file:\n    file.write(bytes(2**25))"
    assert judged(file).state == "wrong"


def test_an_answer_sees_no_secret_and_writes_no_record(monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TOKEN", "secret")
    seen = environment(str(tmp_path))
    assert "secret" not in seen.values()
    assert seen["MINITENSOR_PROGRESS"] == "off"


def test_messages_of_a_process_are_not_trusted():
    assert kit_grade.understood("x", '["right", []]', 0).state == "right"
    assert kit_grade.understood("x", '["perfect", []]', 0).state == "wrong"
    for said in ("", "12", '{"a": 1}', '["right"]', '["right", 3]'):
        assert kit_grade.understood("x", said, 1).state == "wrong"


@pytest.mark.parametrize(
    ("path", "who"),
    [
        (f"anna_{CHAPTER.notebook.name}", "anna"),
        (f"{CHAPTER.stem} (Ben Li).ipynb", "Ben Li"),
        (f"carla/{CHAPTER.notebook.name}", "carla"),
        ("dora/deep/er.ipynb", "dora"),
        (CHAPTER.notebook.name, CHAPTER.stem),
        ("x.ipynb", "x"),
    ],
)
def test_who_handed_it_in(path, who):
    from pathlib import Path

    assert student(Path(path)) == who


def test_two_of_one_chapter_are_told_apart(tmp_path):
    for name in ("a.ipynb", "b.ipynb"):
        write(notebook(), tmp_path / "anna" / name)
    assert [s.label for s in collect(tmp_path)[0]] == ["anna", "anna (b.ipynb)"]


def source_of(made, tmp_path, name):
    found = read(write(made, tmp_path / "x.ipynb"), "x")
    assert found.chapter == "ch03"
    return next(answer for answer in found.answers if answer.name == name)


def without_marks(made):
    for cell in made.cells:
        cell.metadata.pop("exercise", None)
    return made


def test_answers_are_found_without_the_builds_marks(tmp_path):
    """Another program may have written the notebook: headings and names are enough."""
    for name, exercise in zip(NAMES, EXERCISES, strict=True):
        answer = source_of(without_marks(notebook()), tmp_path, name)
        assert answer.cells == [exercise.solution]


def test_an_answer_in_a_cell_of_its_own_after_the_check(tmp_path):
    made = notebook(topological="# see below")
    at = next(i for i, c in enumerate(made.cells) if "ch03.topological.check" in c.source)
    made.cells.insert(at + 1, nbformat.v4.new_code_cell("def topological(out):\n    return 1"))
    assert "def topological(out):\n    return 1" in source_of(made, tmp_path, "topological").cells


def test_an_answer_far_away_is_found_by_its_name(tmp_path):
    made = without_marks(notebook(topological="..."))
    made.cells.append(nbformat.v4.new_markdown_cell("## My notes"))
    made.cells.append(nbformat.v4.new_code_cell("topological = lambda out: 5"))
    assert source_of(made, tmp_path, "topological").cells[-1] == "topological = lambda out: 5"


def test_helpers_and_imports_of_other_cells_are_at_hand(tmp_path):
    made = notebook(topological="def topological(out):\n    return helper(out, heapq)")
    helper = "import heapq\nprint('never run')\ndef helper(out, h):\n    return 1"
    made.cells.insert(0, nbformat.v4.new_code_cell(helper))
    answer = source_of(made, tmp_path, "topological")
    assert "never run" not in "".join(answer.before)
    verdict = check(answer, 5)
    assert "NameError" not in repr(verdict)
    assert "got: int" in repr(verdict)


def test_magics_and_checks_are_left_out(tmp_path):
    text = "%%time\n!pip list\ndef topological(out):\n    return 2 % 3\n"
    text += "ch03.topological.check(topological)"
    answer = source_of(notebook(topological=text), tmp_path, "topological")
    assert answer.cells == ["\n\ndef topological(out):\n    return 2 % 3\n"]


def test_a_cell_that_raises_is_said_and_the_rest_still_counts():
    solution = EXERCISES[NAMES.index("topological")].solution
    assert judged("1 / 0", solution).state == "right"
    verdict = judged("1 / 0")
    assert "ZeroDivisionError: division by zero (line 1: `1 / 0`)" in repr(verdict)
    assert judged().state == "untried"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cells": 3, "nbformat": 4}', "\0"])
def test_what_is_no_notebook_is_said(tmp_path, text):
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(UnreadableError):
        read(path, "x")


def test_a_notebook_of_no_chapter_is_said(tmp_path):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    for name in ("own.ipynb", "77_own.ipynb"):
        with pytest.raises(UnreadableError, match="which chapter"):
            read(write(made, tmp_path / name), "x")


def test_the_command_refuses_what_is_no_folder(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path / "gone")])
    assert main([str(tmp_path)]) == 1
    assert "no notebooks found" in capsys.readouterr().err


def test_a_spreadsheet_sees_no_formula():
    assert safe("=1+1") == "'=1+1"
    assert safe("anna") == "anna"


def test_odd_sources_do_not_stop_the_reading():
    for source in ("def (", "\0", "(" * 5000):
        assert submission.reusable(source) == ""
        submission.plain(source)


def test_the_course_is_graded_from_its_own_folder():
    """As TEACHING.md says it: in course/."""
    ran = subprocess.run(
        [sys.executable, "-m", "kit.grade", "--help"], cwd=COURSE, capture_output=True, text=True
    )
    assert "--csv" in ran.stdout
