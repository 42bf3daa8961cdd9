"""An exercise in one place: task, stub, solution, hints, wrong and right answers, check."""

import html
import inspect
import re
import types
from dataclasses import dataclass, field
from textwrap import dedent

from kit import record
from kit.checks import NotRightError, obvious
from kit.folded import inline
from kit.guard import TimeLimit, learner_line, limited, pressed, raised_by_learner, run_source

EXERCISE = re.compile(r"<!-- exercise: (\w+) -->")  # where a chapter's source puts one
HEADLINES = {
    "untried": "○ {}: not attempted yet.",
    "wrong": "✗ {}: not yet.",
    "right": "✓ {}: right.",
}
LONGEST = 300  # characters of a learner's own error that are shown
MEMORY = "more memory than there is: does something grow without end, or is a size wrong?"
NEXT_STEP = "Fill in the cell above, run it, then run this cell again."


@dataclass
class Verdict:
    """What a check found. state: "untried", "wrong" or "right". lines: (label, text).

    broken: the check itself stumbled, on something that its author did not foresee.
    """

    name: str
    state: str
    lines: list = field(default_factory=list)
    broken: bool = False

    def __repr__(self):
        return "\n".join([self.headline(), *(f"  {label}: {text}" for label, text in self.lines)])

    def _repr_html_(self):
        items = [f"<li>{label}: {line_html(label, text)}</li>" for label, text in self.lines]
        body = f"<ul>{''.join(items)}</ul>" if items else ""
        return f'<div role="status"><strong>{escaped(self.headline())}</strong>{body}</div>'

    def headline(self):
        return HEADLINES[self.state].format(self.name)


@dataclass
class Wrong:
    """A wrong answer: its source, and a fragment that the check's message must hold."""

    code: str
    says: str

    def source(self, solution):
        return tidy(self.code)


@dataclass
class Slip:
    """A wrong answer that is the solution with `old`, found exactly once, replaced by `new`."""

    old: str
    new: str
    says: str

    def source(self, solution):
        if solution.count(self.old) != 1:
            raise ValueError(f"{self.old!r} must occur once in the solution")
        return solution.replace(self.old, self.new)


class Exercise:
    """See AUTHORS.md for the meaning of each argument."""

    def __init__(
        self, name, *, title, task, stub, solution, hints, wrong,
        also_right=(), setup="", names=None, seconds=5.0,
    ):  # fmt: skip
        if len(hints) != 3 or not wrong:
            raise ValueError(f"{name}: three hints and at least one wrong answer are needed")
        self.name, self.title, self.task = name, title, tidy(task)
        self.stub, self.solution = tidy(stub), tidy(solution)
        self.hints = [tidy(hint) for hint in hints]
        self.wrong = [(answer.source(self.solution), answer.says) for answer in wrong]
        self.also_right = [tidy(code) for code in also_right]
        self.own_setup, self.names, self.seconds = tidy(setup), names or (name,), seconds
        self.run_check = None

    def checker(self, function):
        """Decorator: the function that checks the answers, and returns nothing if right."""
        self.run_check = function
        return function

    @property
    def setup(self):
        """Source that runs before every answer: the module's SETUP, then the exercise's own."""
        shared = tidy(self.run_check.__globals__.get("SETUP", ""))
        return f"{shared}\n{self.own_setup}\n"

    def check(self, *answers):
        """Judge the learner's answers, in the order of `names`. Returns a Verdict; never raises.

        A right answer is noted for the progress page.
        """
        verdict = self.verdict(*answers)
        if verdict.state == "right":
            record.note_right(self.run_check.__module__, self.name)
        return verdict

    def verdict(self, *answers):
        if len(answers) != len(self.names):
            return self.wrong_verdict(NotRightError(expected=f"check({', '.join(self.names)})"))
        stubs = self.stub_values()
        files = set()
        try:
            return limited(lambda: self.judge(answers, stubs, files), self.seconds)
        except NotRightError as error:
            return self.wrong_verdict(error)
        except NotImplementedError as error:
            return self.untried() if raised_by_learner(error, files) else self.stumble(error, files)
        except KeyboardInterrupt as error:
            if pressed(error, files):
                raise
            return self.stumble(error, files)
        except BaseException as error:  # SystemExit too: a learner's exit() must not end the check
            return self.stumble(error, files)

    def judge(self, answers, stubs, files):
        """Return the Verdict "untried" or "right", or raise. Adds the answers' files to `files`."""
        if all(map(alike, answers, stubs)):
            return self.untried()
        files.update(*map(files_of, answers))
        for name, answer, stub in zip(self.names, answers, stubs, strict=True):
            same_kind(name, answer, stub)
        self.run_check(*answers)
        return Verdict(self.name, "right")

    def untried(self):
        return Verdict(self.name, "untried", [("next", NEXT_STEP)])

    def stub_values(self):
        # Compiled apart from the setup, as the learner's cell is: an import in the same source
        # would change the stub's bytecode, and an untouched stub would look attempted.
        namespace = run_source(self.setup, f"setup of {self.name}", answer_namespace())
        run_source(self.stub, f"stub of {self.name}", namespace)
        return [namespace[name] for name in self.names]

    def wrong_verdict(self, error):
        return Verdict(self.name, "wrong", error.lines)

    def stumble(self, error, files):
        """Return the Verdict for an exception or a loop without end."""
        line = learner_line(error, files)
        if isinstance(error, TimeLimit):
            what = f"it was stopped after {self.seconds:g} seconds"
            lines = [("got", what), ("where", line), ("likely cause", "a loop that never ends.")]
        else:
            lines = [("your code raised" if line else "got", in_words(error)), ("where", line)]
        if isinstance(error, MemoryError):
            lines += [("likely cause", MEMORY)]
        if line is None:
            lines += [("likely cause", "the check could not go on with what your code gave.")]
        kept = [(label, text) for label, text in lines if text]
        return Verdict(self.name, "wrong", kept, broken=line is None)


def in_words(error):
    """Return an error's class and message, cut to a length that can be read; never raises."""
    name = type(error).__name__
    try:
        message = str(error)
    except BaseException:  # a class of the learner's own, with a __str__ of its own
        return name
    text = f"{name}: {message}" if message else name
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."


def exercises_of(module):
    """Return the exercises of a module, in the order in which they are written."""
    return [value for value in vars(module).values() if isinstance(value, Exercise)]


def answer_namespace():
    return {"__name__": "__main__"}


def tidy(text):
    return dedent(text).strip("\n").rstrip()


def line_html(label, text):
    """Code for what was called and came back; text with marks for the rest."""
    if label in ("call", "expected", "got") and "`" not in text:
        return f"<code>{escaped(text)}</code>"
    return inline(text)


def escaped(text):
    return html.escape(text, quote=False)


def same_kind(name, answer, stub):
    """Raise NotRightError unless kind and number of parameters are the stub's."""
    if answer is ...:
        raise NotRightError(
            expected=f"a value for `{name}`", got="`...`", likely_cause=obvious(...)
        )
    if isinstance(stub, type) and not isinstance(answer, type):
        raise NotRightError(expected=f"`{name}` to be a class", got=type(answer).__name__)
    if not isinstance(stub, types.FunctionType):
        return
    if not callable(answer):
        cause = f"give the function itself: `{name}`, without brackets."
        raise NotRightError(
            expected=f"`{name}` to be a function", got=type(answer).__name__, likely_cause=cause
        )
    wanted, got = inspect.signature(stub), inspect.signature(answer)
    keywords = {k: None for k, p in wanted.parameters.items() if p.kind == p.KEYWORD_ONLY}
    simple = [p for p in wanted.parameters.values() if p.kind == p.POSITIONAL_OR_KEYWORD]
    try:
        got.bind(*[None] * len(simple), **keywords)
    except TypeError:
        cause = "the stub's first line has changed: put its parameters back."
        raise NotRightError(
            expected=f"{name}{wanted}", got=f"{name}{got}", likely_cause=cause
        ) from None


def alike(answer, stub):
    """Whether an answer is still the stub: same code, or the same `...`."""
    return answer is stub or fingerprint(answer) == fingerprint(stub)


def fingerprint(value):
    """What two compilations of one source share. Comments, spaces and line numbers do not count."""
    if isinstance(value, type):
        bases = tuple(base.__name__ for base in value.__bases__)
        return value.__name__, bases, value.__doc__, fingerprint(functions_of(value))
    if hasattr(value, "__code__"):
        return code_print(value.__code__), repr(value.__defaults__)
    if isinstance(value, (tuple, list)):
        return type(value).__name__, tuple(map(fingerprint, value))
    if isinstance(value, dict):
        return tuple((str(k), fingerprint(v)) for k, v in value.items())
    if isinstance(value, (str, int, float, types.EllipsisType, types.NoneType)):
        return type(value).__name__, value
    return type(value).__name__, id(value)


def functions_of(cls):
    """The functions of a class by name, those inside property, staticmethod and so on too."""
    inner = {k: getattr(v, "fget", None) or getattr(v, "__func__", v) for k, v in vars(cls).items()}
    return {name: value for name, value in inner.items() if hasattr(value, "__code__")}


def code_print(code):
    constants = tuple(
        code_print(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts
    )
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars


def files_of(answer):
    """The names of the files that hold an answer's code."""
    members = functions_of(answer).values() if isinstance(answer, type) else [answer]
    return {m.__code__.co_filename for m in members if hasattr(m, "__code__")}
