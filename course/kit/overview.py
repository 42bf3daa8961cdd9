"""The progress page: what is done, what is next; and a quiz answered by letters."""

import html
from urllib.parse import quote

from kit import record
from kit.chapter import COURSE, all_chapters, chapters
from kit.exercise import EXERCISE, escaped, exercises_of
from kit.folded import inline
from kit.quiz import LETTERS, QUESTIONS

NOT_KEPT = "Progress is not kept here: this page was made by a build. Run this cell to see yours."
ALL_DONE = "Every exercise is done."
HEAD = ("Chapter", "Exercises done", "Quiz", "Still to do")
UNANSWERED = "?"
PLAIN = ":,?'()!;=+/@"  # what may stand in a link's fragment as it is


class Row:
    """One chapter: its exercises, those that are done, and its quiz."""

    def __init__(self, chapter, kept):
        self.chapter = chapter
        self.exercises, self.questions = contents(chapter)
        names = kept["exercises"].get(chapter.name, {})
        numbered = list(enumerate(self.exercises, start=1))
        self.left = [(n, exercise) for n, exercise in numbered if exercise.name not in names]
        right = min(kept["quizzes"].get(chapter.name, 0), self.questions)
        self.done = f"{len(numbered) - len(self.left)} of {len(numbered)}"
        self.quiz = f"{right} of {self.questions}" if right else "not noted"

    def link(self, number=None, exercise=None):
        """Return (address, words) of the chapter or of one of its exercises."""
        page = self.chapter.notebook.name
        if exercise is None:
            return page, self.chapter.title
        heading = f"Exercise {number}: {exercise.title}"
        # JupyterLab looks for the heading as it is written, so only what must be is quoted.
        return f"{page}#{quote(heading.replace(' ', '-'), safe=PLAIN)}", heading


class Progress:
    """All chapters, as a table with links in a notebook, as text elsewhere."""

    def __init__(self, rows, notes):
        self.rows, self.notes = rows, notes
        self.next = next(((row, *row.left[0]) for row in rows if row.left), None)

    def headline(self):
        if self.next is None:
            return ALL_DONE
        row, number, exercise = self.next
        return f"Next: {row.chapter.title}, exercise {number}: {exercise.title}"

    def __repr__(self):
        lines = [self.headline()]
        for row in self.rows:
            left = ", ".join(exercise.name for _, exercise in row.left)
            mark = "○" if row.left else "✓"
            line = f"{mark} {row.chapter.title}: {row.done} exercises done, quiz {row.quiz}"
            lines.append(f"{line}; still to do: {left}" if left else line)
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self):
        head = "".join(f'<th scope="col" style="text-align:left">{text}</th>' for text in HEAD)
        body = "".join(map(row_html, self.rows))
        notes = "".join(f"<p>{escaped(note)}</p>" for note in self.notes)
        caption = "<caption>Your progress through the course</caption>"
        return (
            f'<p role="status"><strong>{self.headline_html()}</strong></p>{notes}'
            f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def headline_html(self):
        if self.next is None:
            return escaped(ALL_DONE)
        row, number, exercise = self.next
        return f"Next: {escaped(row.chapter.title)}, {anchor(*row.link(number, exercise))}"


def row_html(row):
    left = "<br>".join(anchor(*row.link(*todo)) for todo in row.left) or "✓ all done"
    cells = "".join(
        f'<td style="text-align:left">{text}</td>' for text in (row.done, row.quiz, left)
    )
    return f'<tr><th scope="row" style="text-align:left">{anchor(*row.link())}</th>{cells}</tr>'


def anchor(address, words):
    return f'<a href="{html.escape(address)}">{inline(words)}</a>'


def contents(chapter):
    """Return a chapter's exercises, in its own order, and the number of its questions."""
    if not chapter.exercise_file.exists():
        return [], 0
    module = chapter.exercises()
    by_name = {exercise.name: exercise for exercise in exercises_of(module)}
    used = EXERCISE.findall(chapter.source.read_text(encoding="utf-8"))
    return [by_name[name] for name in used], len(getattr(module, "QUIZ", ()))


def progress(course=COURSE):
    """Show what is done and what is next, with links. In a build or a test: that none is kept."""
    if record.place() is None:
        return Words(NOT_KEPT)
    kept = record.done()
    return Progress([Row(chapter, kept) for chapter in all_chapters(course)], list(record.notes))


class Words:
    """Lines of text, each a paragraph in a notebook."""

    def __init__(self, *lines):
        self.lines = lines

    def __repr__(self):
        return "\n".join(self.lines)

    def _repr_html_(self):
        return "".join(f"<p>{inline(line)}</p>" for line in self.lines)


def quiz_answers(chapter, letters, course=COURSE):
    """Reply to a chapter's quiz, answered by letters: `quiz_answers("03", "B A C ? A")`.

    "?" leaves a question out. How many were right is kept for the progress page.
    """
    given = [letter.upper() for letter in letters if not letter.isspace() and letter != ","]
    if len(given) != QUESTIONS:
        return Words(f"A quiz has {QUESTIONS} questions: give {QUESTIONS} letters, or `?`.")
    try:
        (found,) = chapters([str(chapter)], course)
    except ValueError as error:
        return Words(str(error))
    questions = found.exercises().QUIZ
    answers = list(enumerate(zip(questions, given, strict=True), start=1))
    replies = [reply(number, question, letter) for number, (question, letter) in answers]
    right = sum(is_right(question, letter) for _, (question, letter) in answers)
    if any(letter != UNANSWERED for letter in given):
        record.note_quiz(found.name, right)
    return Words(*replies, f"{right} of {QUESTIONS} right.")


def is_right(question, letter):
    return any(
        c.right and name == letter for name, c in zip(LETTERS, question.choices, strict=False)
    )


def reply(number, question, letter):
    """Return the reply to one answer, in a line."""
    choices = dict(zip(LETTERS, question.choices, strict=False))
    if letter == UNANSWERED:
        return f"○ Question {number}: not answered yet."
    if letter not in choices:
        return f"○ Question {number}: `{letter}` is not among {', '.join(choices)}."
    mark = "✓" if choices[letter].right else "✗"
    return f"{mark} Question {number}, {letter}: {' '.join(choices[letter].reply.split())}"
