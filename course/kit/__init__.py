"""The course's own support: exercises and their checks, quizzes, figures, data, build and lint.

Chapters import from here at run time (`kit.checks`, `kit.exercise`, `kit.quiz`, `kit.figures`, `kit.data`), so those
modules need nothing beyond NumPy, Matplotlib and IPython. `kit.build` and `kit.lint` are for authors.
"""

from kit.show import shows_error

__all__ = ["shows_error"]
