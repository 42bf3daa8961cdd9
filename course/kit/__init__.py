"""The course's own support: exercises and their checks, quizzes, figures, data, build and lint.

Chapters and their exercise modules import `kit.checks`, `kit.exercise`, `kit.quiz`, `kit.figures`
and `kit.data` when they run; those need nothing beyond NumPy, Matplotlib and IPython. `kit.build`,
`kit.trial` and `kit.lint` are for authors.
"""

from kit.show import shows_error

__all__ = ["shows_error"]
