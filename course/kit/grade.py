"""Grade a folder of notebooks with the checks of the course itself.

`python -m kit.grade FOLDER [--csv out.csv]`. FOLDER holds notebooks, named by student, or a folder
for each student. Every answer is run in a process of its own that is stopped when it takes too
long. That protects from mistakes, not from malice: what is handed in runs with your rights.
"""

import argparse
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit import record
from kit.chapter import COURSE, all_chapters
from kit.exercise import Verdict
from kit.overview import contents
from kit.submission import UnreadableError, as_json, read

MARKS = {"right": "✓", "wrong": "✗", "untried": "○"}
WORDS = {"right": "right", "wrong": "wrong", "untried": "not attempted"}
NONE = "–"
LEGEND = "✓ right   ✗ wrong   ○ not attempted   – no notebook"
START = 20  # seconds for a process to start, and for its answer's cells beside the check
KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG", "LC_ALL")  # of the environment: no secrets
MESSAGES = ("next", "call")  # labels that say nothing in a table


def collect(folder):
    """Return (submissions, sentences about files that could not be read) of a folder."""
    found, problems, seen = [], [], set()
    paths = [p for p in folder.rglob("*.ipynb") if not any(x.startswith(".") for x in p.parts[:-1])]
    for path in sorted(paths):
        label = student(path.relative_to(folder))
        try:
            submission = read(path, label)
        except UnreadableError as error:
            problems.append(f"{label}: {error}")
            continue
        if (label, submission.chapter) in seen:
            submission.label = f"{label} ({path.name})"
        seen.add((label, submission.chapter))
        found.append(submission)
    return found, problems


def student(path):
    """Return who handed a file in: its top folder, or its name without the chapter's."""
    if len(path.parts) > 1:
        return path.parts[0]
    stem = path.stem
    for chapter in all_chapters():
        stem = stem.replace(chapter.stem, "")
    return re.sub(r"^[\W_]+|[\W_]+$", "", stem) or path.stem


def check(answer, seconds):
    """Return the Verdict on an answer, by a fresh process that has `seconds` for its check."""
    limit = START + 2 * seconds
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, started(folder) as one:
        try:
            said, _ = one.communicate(as_json(answer), timeout=limit)
        except subprocess.TimeoutExpired:
            said = None
        finally:
            end(one)
    if said is None:
        return Verdict(answer.name, "wrong", [("got", f"it was stopped after {limit:g} seconds")])
    return understood(answer.name, said, one.returncode)


def started(folder):
    """Start a process that checks one answer, in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "kit.grade_one"],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def understood(name, said, status):
    """Return the Verdict that a process wrote, or one that says that it wrote none."""
    try:
        state, lines = json.loads(said)
        return Verdict(name, state if state in MARKS else "wrong", [tuple(line) for line in lines])
    except (ValueError, TypeError):
        text = f"its process ended before the check did (status {status})"
        return Verdict(name, "wrong", [("got", text)])


def environment(folder):
    """Return the variables that an answer's process sees."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    paths = os.pathsep.join([str(COURSE), str(COURSE.parent)])
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    own = {"HOME": folder, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    return kept | own | one | {record.SWITCH: "off", "PYTHONUTF8": "1", "MPLBACKEND": "Agg"}


def end(process):
    """Kill a process and all that it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):  # all gone
        pass


def grade(submissions, jobs):
    """Return {label: {(chapter, exercise): Verdict}}."""
    limits = {
        (chapter.name, exercise.name): exercise.seconds
        for chapter in all_chapters()
        if chapter.name in {s.chapter for s in submissions}
        for exercise in contents(chapter)[0]
    }
    work = [(s.label, answer) for s in submissions for answer in s.answers]
    with ThreadPoolExecutor(jobs) as pool:
        verdicts = pool.map(lambda job: check(job[1], limits[job[1].chapter, job[1].name]), work)
        table = {}
        for (label, answer), verdict in zip(work, verdicts, strict=True):
            table.setdefault(label, {})[answer.chapter, answer.name] = verdict
    return table


# What is shown.


def columns(table):
    """Return the exercises of all chapters that were handed in, in order of chapter."""
    found = dict.fromkeys(column for row in table.values() for column in row)
    return sorted(found, key=lambda column: column[0])  # by chapter; within it as they stand there


def score(row, wanted):
    return sum(row[c].state == "right" for c in wanted if c in row)


def as_text(table):
    """Return the table of marks, then what was wrong, as lines."""
    wanted = columns(table)
    heads = ["student", *(f"{chapter}.{name}" for chapter, name in wanted), "right"]
    rows = [heads]
    for label, row in table.items():
        marks = [MARKS[row[c].state] if c in row else NONE for c in wanted]
        rows.append([label, *marks, f"{score(row, wanted)} of {len(wanted)}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield from ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    yield LEGEND
    for label, row in table.items():
        for (chapter, name), verdict in row.items():
            if verdict.state == "wrong":
                yield f"\n{label}, {chapter}.{name}"
                yield from (f"  {kind}: {text}" for kind, text in verdict.lines)


def as_rows(table):
    """Return the rows of the CSV file: a student a row, an exercise a column."""
    wanted = columns(table)
    yield ["student", *(f"{chapter}.{name}" for chapter, name in wanted), "right", "of"]
    for label, row in table.items():
        cells = [in_a_cell(row[c]) if c in row else "no notebook" for c in wanted]
        yield [safe(label), *cells, score(row, wanted), len(wanted)]


def in_a_cell(verdict):
    said = "; ".join(f"{kind}: {text}" for kind, text in verdict.lines if kind not in MESSAGES)
    wrong = verdict.state == "wrong"
    return f"wrong: {' '.join(said.split())}" if wrong else WORDS[verdict.state]


def safe(text):
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m kit.grade")
    parser.description = " ".join(__doc__.split("\n\n")[1].split())
    parser.add_argument("folder", type=Path, help="notebooks, or a folder for each student")
    parser.add_argument("--csv", type=Path, help="write the table here as well")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    submissions, problems = collect(options.folder)
    sys.stdout.reconfigure(errors="replace")  # a console that has no tick still gets its table
    if submissions:
        table = grade(submissions, max(1, options.jobs))
        print("\n".join(as_text(table)))
        if options.csv:
            with options.csv.open("w", newline="", encoding="utf-8-sig") as file:
                csv.writer(file).writerows(as_rows(table))
    print("\n".join(problems) if problems or submissions else "no notebooks found", file=sys.stderr)
    return 0 if submissions and not problems else 1


if __name__ == "__main__":
    sys.exit(main())
