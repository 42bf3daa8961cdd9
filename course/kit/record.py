"""What a learner has done, kept in a small file beside the chapters: course/.progress.json.

Nothing here raises: a full or read-only disk, or a file that somebody has broken, costs a learner
the list of what is done, and nothing else. Builds and tests keep no record, so that notebooks
come out the same everywhere: set MINITENSOR_PROGRESS=off, or to the path of another file.
"""

import contextlib
import datetime
import json
import os
import re
import tempfile
from pathlib import Path

from kit.chapter import COURSE

FILE = COURSE / ".progress.json"
SWITCH = "MINITENSOR_PROGRESS"
CHAPTER = re.compile(r"exercises\.(ch\d\d)")
DOUBT = "the file {} could not be read as progress; it is now called {}, and a new one begins."
UNSAVED = "progress could not be saved ({}): it is kept until this kernel stops."

memory = {}  # what could not be saved, in the form of the file
notes = []  # sentences about what went wrong, for the progress page


def place():
    """Return the path of the file, or None where no record is kept."""
    said = os.environ.get(SWITCH, "")
    # pytest sets this, and hands it on to the kernels in which notebooks are tested.
    if said == "off" or (not said and "PYTEST_VERSION" in os.environ):
        return None
    return Path(said) if said else FILE


def note_right(module, name):
    """Keep that the exercise `name` of a module such as "exercises.ch03" was answered right."""
    chapter = CHAPTER.fullmatch(module)
    if chapter:
        today = datetime.date.today().isoformat()
        change(lambda kept: kept["exercises"].setdefault(chapter[1], {}).setdefault(name, today))


def note_quiz(chapter, right):
    """Keep how many questions of a chapter's quiz were answered right, if more than before."""

    def better(kept):
        kept["quizzes"][chapter] = max(right, kept["quizzes"].get(chapter, 0))

    change(better)


def forget(what=""):
    """Forget what is done: all of it, a chapter ("ch03"), or an exercise ("ch03.backward").

    The file as it was stays beside it, as .progress.json.before.
    """
    chapter, _, name = what.partition(".")

    def drop(kept):
        if not what:
            kept.update(empty())
        elif name:
            kept["exercises"].get(chapter, {}).pop(name, None)
        else:
            kept["exercises"].pop(chapter, None)
            kept["quizzes"].pop(chapter, None)

    path = place()
    if path is not None:
        with contextlib.suppress(OSError):
            path.with_name(path.name + ".before").write_bytes(path.read_bytes())
    change(drop)


def done():
    """Return {"exercises": {chapter: {name: date}}, "quizzes": {chapter: number right}}."""
    path = place()
    return empty() if path is None else read(path)


def empty():
    return {"exercises": {}, "quizzes": {}}


def change(edit):
    """Apply edit to what is kept, and save it."""
    path = place()
    if path is None:
        return
    kept = read(path)
    edit(kept)
    memory.clear()
    try:
        save(path, kept)
    except OSError as error:
        memory.update(kept)
        say(UNSAVED.format(error.strerror or type(error).__name__))


def read(path):
    """Return what the file holds, or what was not saved. A broken file is put aside."""
    if memory:
        return json.loads(json.dumps(memory))
    try:
        return sound(json.loads(path.read_text(encoding="utf-8")))
    except OSError:  # not there yet, or not ours to read
        return empty()
    except (ValueError, RecursionError):
        aside = path.with_name(path.name + ".broken")
        with contextlib.suppress(OSError):
            path.replace(aside)
            say(DOUBT.format(path.name, aside.name))
        return empty()


def sound(found):
    """Return the file's content if it has the right form. Raises ValueError."""
    if not isinstance(found, dict):
        raise ValueError("not a record")
    kept = {key: found.get(key) for key in empty()}
    for key, kind in (("exercises", dict), ("quizzes", int)):
        part = kept[key]
        if not isinstance(part, dict) or not all(isinstance(x, kind) for x in part.values()):
            raise ValueError(f"not a record: {key}")
    return kept


def save(path, kept):
    """Write beside the file, then put it in its place: never half a file. Raises OSError."""
    text = json.dumps(kept, indent=1, sort_keys=True) + "\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def say(note):
    if note not in notes:
        notes.append(note)
