"""The course's own support: exercises and their checks, quizzes, figures, data, build and lint.

Chapters and their exercise modules import `kit.checks`, `kit.exercise`, `kit.quiz`, `kit.figures`
and `kit.data` when they run; those need nothing beyond NumPy, Matplotlib and IPython. `kit.build`,
`kit.trial` and `kit.lint` are for authors; `kit.grade` and `kit.slides` for teachers.
"""

from kit.overview import progress, quiz_answers
from kit.record import forget
from kit.show import shows_error, shows_warning

__all__ = ["forget", "progress", "quiz_answers", "shows_error", "shows_warning"]
