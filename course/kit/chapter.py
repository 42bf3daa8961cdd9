"""Where a chapter's files are."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
MAKES = re.compile(r"^# ## What you will make\n# (.*?[.?!])(?=\s)(?!\s*[a-z])", re.M | re.S)


@dataclass(frozen=True)
class Chapter:
    """One chapter: course/sources/NN_name.py and what belongs to it.

    A page of the course that is no chapter, course/sources/name.py, is one without a number.
    """

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
        return self.stem if self.is_page else f"ch{self.number}"

    @property
    def is_page(self):
        return not self.number.isdigit()

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

    @property
    def minutes(self):
        """The minutes that its first cell states, as text; "" if it states none."""
        found = re.search(r"^# .*?(\d+) minutes", self.source.read_text(encoding="utf-8"), re.M)
        return found[1] if found else ""

    @property
    def makes(self):
        """The first sentence of "What you will make", or ""."""
        text = self.source.read_text(encoding="utf-8")
        found = MAKES.search(text)
        return " ".join(found[1].replace("\n# ", " ").split()) if found else ""

    def exercises(self):
        """Load and return the exercise module."""
        spec = importlib.util.spec_from_file_location(f"exercises.{self.name}", self.exercise_file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def all_chapters(course=COURSE):
    """Return the chapters of a course, in order."""
    return [Chapter(path) for path in sorted(course.glob("sources/[0-9][0-9]_*.py"))]


def all_pages(course=COURSE):
    """Return the pages that are built as chapters are, and are none."""
    return [Chapter(path) for path in sorted(course.glob("sources/[a-z]*.py"))]


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


def chapters_and_pages(wanted=(), course=COURSE):
    """Return the chapters and pages that are named, or all. Raises ValueError."""
    pages = [page for page in all_pages(course) if not wanted or page.stem in wanted]
    numbered = [text for text in wanted if text not in {page.stem for page in pages}]
    return [*(chapters(numbered, course) if numbered or not wanted else []), *pages]
