"""Where a chapter's files are."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Chapter:
    """One chapter: course/sources/NN_name.py and what belongs to it."""

    source: Path

    @property
    def course(self):
        return self.source.parents[1]

    @property
    def stem(self):
        return self.source.stem

    @property
    def number(self):
        return self.stem[:2]

    @property
    def name(self):
        return f"ch{self.number}"

    @property
    def notebook(self):
        return self.course / f"{self.stem}.ipynb"

    @property
    def exercise_file(self):
        return self.course / "exercises" / f"{self.name}.py"

    @property
    def title(self):
        """The text of the first heading of level 1, such as "02 · Build a scalar engine"."""
        for line in self.source.read_text(encoding="utf-8").splitlines():
            if line.startswith("# # "):
                return line[4:].strip()
        raise ValueError(f"{self.source}: no title")

    def exercises(self):
        """Load and return the exercise module."""
        spec = importlib.util.spec_from_file_location(f"exercises.{self.name}", self.exercise_file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def all_chapters(course=COURSE):
    """Return the chapters of a course, in order."""
    return [Chapter(path) for path in sorted(course.glob("sources/[0-9][0-9]_*.py"))]


def chapters(wanted=(), course=COURSE):
    """Return the chapters named "02", "ch02" or "02_name", or all. Raises ValueError."""
    found = all_chapters(course)
    if not wanted:
        return found
    numbers = [text.removeprefix("ch")[:2] for text in wanted]
    unknown = set(numbers) - {chapter.number for chapter in found}
    if unknown:
        raise ValueError(f"no source for chapter {', '.join(sorted(unknown))}")
    return [chapter for chapter in found if chapter.number in numbers]
