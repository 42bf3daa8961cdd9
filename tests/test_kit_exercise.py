"""The kit's exercises: a check tells right from wrong, and survives whatever a learner writes."""

import threading
import time

import numpy as np
import pytest
from kit.checks import fail, same
from kit.exercise import Exercise, Slip, Wrong, exercises_of
from kit.guard import SHOWN, TimeLimit, limited, run_source
from kit.trial import problems, verdict_on

STUB = """
    def double(x):
        # Your code: return twice x.
        return ...
    """
SOLUTION = """
    def double(x):
        return x + x
    """


def check_double(double):
    causes = [(9.0, "that is the square.")]
    same(double(3.0), 6.0, call="double(3.0)", causes=causes)


def make(check=check_double, name="double", **changes):
    parts = {
        "title": "Twice",
        "task": "Return twice x.",
        "stub": STUB,
        "solution": SOLUTION,
        "hints": ("one", "two", "three"),
        "wrong": [Slip("x + x", "x * x", says="the square")],
        "also_right": ["double = lambda x: 2 * x"],
        "seconds": 0.3,
    }
    exercise = Exercise(name, **(parts | changes))
    exercise.checker(check)
    return exercise


def test_a_sound_exercise_has_no_problems():
    assert problems(make()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"also_right": ["def double(x):\n    return 3 * x"]}, "should be right"),
        ({"solution": "def double(x):\n    return x * x", "wrong": []}, "hints"),
        ({"wrong": [Slip("x + x", "2.0 * x", says="the square")]}, "should be wrong"),
        ({"wrong": [Slip("x + x", "x * x", says="the cube")]}, "lacks 'the cube'"),
        (
            {
                "wrong": [
                    Slip("x + x", "x * x", says="square"),
                    Slip("x + x", "x ** 2", says="square"),
                ]
            },
            "one message",
        ),
        ({"stub": SOLUTION}, "should be right"),
    ],
)
def test_problems_are_found(changes, problem):
    if problem == "hints":
        with pytest.raises(ValueError, match=problem):
            make(**changes)
        return
    assert any(problem in text for text in problems(make(**changes)))


def test_a_message_that_gives_the_answer_away_is_found():
    def leaky(double):
        if double(3.0) != 6.0:
            fail("double(3.0)", 6.0, double(3.0), "write: return x + x")

    wrong = [Wrong("def double(x):\n    return 1.0", says="return x + x")]
    assert any("gives the answer away" in text for text in problems(make(leaky, wrong=wrong)))


def test_a_check_that_stumbles_on_junk_is_found():
    def fragile(double):
        if double(3.0).real != 6.0:  # None has no .real
            fail("double(3.0)", 6.0, double(3.0))

    wrong = [Slip("x + x", "x * x", says="9")]
    assert any("NoneType" in text for text in problems(make(fragile, wrong=wrong)))


def test_a_slip_must_be_found_once():
    with pytest.raises(ValueError, match="once"):
        make(wrong=[Slip("x", "y", says="z")])


def test_an_untouched_stub_is_not_attempted_and_says_what_to_do():
    verdict = verdict_on(make(), STUB.replace("    def", "def").replace("        ", "    "))
    assert verdict.state == "untried"
    assert repr(verdict) == (
        "○ double: not attempted yet.\n"
        "  next: Fill in the cell above, run it, then run this cell again."
    )
    assert "not attempted yet" in verdict._repr_html_()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def double(x):\n    return None", "is there a `return`?"),
        ("def double(x):\n    y = 1\n    return ...", "a `...` is still there"),
        ("def double(x):\n    return x / 0", "line 2: `return x / 0`"),
        ("def double(x):\n    return y", "NameError"),
        ("def double():\n    return 6.0", "double(x)"),
        ("double = 6.0", "without brackets"),
        ("double = ...", "a `...` is still there"),
        ("def double(x):\n    return double(x)", "RecursionError"),
        ("def double(x):\n    return double", "not its result"),
        ("def double(x):\n    raise SystemExit", "SystemExit"),
        ("def double(x):\n    exit()", "line 2"),
        ("def double(x):\n    while True:\n        pass", "stopped after 0.3 seconds"),
        ("def double(x):\n    while True:\n        pass", "where: line"),
        ("def double(x):\n    while True:\n        print(x)", "never ends"),
        (
            "def double(x):\n    while True:\n        try:\n            x + 1\n"
            "        except:\n            pass",
            "never ends",
        ),
        ("class double:\n    def __init__(self, x):\n        self.x = x", "wanted a number"),
    ],
)
def test_a_wrong_answer_gets_words_that_help(code, words, capsys):
    verdict = verdict_on(make(), code)
    assert verdict.state == "wrong"
    assert not verdict.broken
    assert words in repr(verdict)
    assert len(capsys.readouterr().out) < SHOWN + 100


def test_not_implemented_of_the_learners_own_is_not_attempted():
    code = "def double(x):\n    raise NotImplementedError"
    assert verdict_on(make(), code).state == "untried"


def test_an_interrupt_by_the_learner_goes_through():
    def interrupted(double):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verdict_on(make(interrupted), SOLUTION.replace("    def", "def"))


def test_messages_are_safe_as_html():
    def check(double):
        fail("double(<b>)", "`a<b`", "<script>", "see `x<y`")

    page = verdict_on(make(check), "def double(x):\n    return 1")._repr_html_()
    assert "<script>" not in page
    assert "<code>x&lt;y</code>" in page


def test_several_names_and_values():
    def check(a, b):
        same(a, 1, call="a")
        same(b, "two", call="b")

    exercise = make(
        check, name="pair", names=("a", "b"), stub="a = ...\nb = ...",
        solution='a = 1\nb = "two"', also_right=(), wrong=[Slip("1", "2", says="got 2")],
    )  # fmt: skip
    assert problems(exercise) == []
    verdict = verdict_on(exercise, "a = 1\nb = ...")
    assert "a value for `b`" in repr(verdict)
    assert exercise.check(1).state == "wrong"


def test_a_class_as_answer_and_names_from_setup():
    def check(counter):
        box = counter()
        box.add()
        same(box.n, 1, call="counter().add()")

    exercise = make(
        check, name="counter", setup="START = 0",
        stub="class counter:\n    def __init__(self):\n        self.n = START\n"
        "    def add(self):\n        ...",
        solution="class counter:\n    def __init__(self):\n        self.n = START\n"
        "    def add(self):\n        self.n += 1",
        also_right=(), wrong=[Slip("+= 1", "+= 2", says="got 2")],
    )  # fmt: skip
    assert problems(exercise) == []
    assert "to be a class" in repr(verdict_on(exercise, "counter = 3"))


CLASS = """class box:
    @property
    def a(self):
        return {a}

    @staticmethod
    def b(x={x}):
        return {b}
"""


@pytest.mark.parametrize("change", [{"a": 1}, {"b": 1}, {"x": 1}])
def test_a_change_within_a_class_counts_as_an_attempt(change):
    def check(box):
        same(box().a, 2, call="box().a")

    blank = {"a": "...", "b": "...", "x": "..."}
    exercise = make(check, name="box", stub=CLASS.format(**blank))
    assert verdict_on(exercise, CLASS.format(**blank) + "\n# a note").state == "untried"
    assert verdict_on(exercise, CLASS.format(**(blank | change))).state == "wrong"


def test_exercises_of_keeps_the_order_of_writing():
    one, two = make(name="one"), make(name="two")
    module = type("Module", (), {})()
    module.two, module.one = two, one
    assert exercises_of(module) == [two, one]


def test_the_time_limit_works_in_other_threads_and_leaves_nothing_behind():
    caught = []

    def work():
        try:
            limited(lambda: run_source("while True: pass", "loop", {}), 0.2)
        except TimeLimit:
            caught.append(True)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(10)
    assert caught == [True]


def test_code_that_is_in_time_is_never_struck_later():
    for _ in range(30):
        try:
            limited(lambda: time.sleep(0.01), 0.01)  # the limit strikes about when it is done
        except TimeLimit:
            pass
        sum(range(1000))  # a late one would strike here
    assert limited(lambda: np.float64(2.0), 1.0) == 2.0
