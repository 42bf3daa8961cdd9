"""A check never hangs and never crashes, whatever a learner wrote; and it says where it was."""

import os
import signal
import subprocess
import sys
import threading
import time

import nbformat
import pytest
from kit import build as kit_build
from kit import guard, memory
from kit.exercise import LONGEST, Exercise, Wrong
from kit.guard import SHOWN, TimeLimit, limited
from kit.trial import verdict_on

LINUX = sys.platform.startswith("linux")
signals = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signals here")
linux = pytest.mark.skipif(not LINUX, reason="a cap on memory: Linux only")

ANSWER = Exercise(
    "answer",
    title="One",
    task="Return 1.",
    stub="def answer(x):\n    return ...",
    solution="def answer(x):\n    return 1",
    hints=("one", "two", "three"),
    wrong=[Wrong("def answer(x):\n    return 2", says="2")],
    seconds=0.4,
)


@ANSWER.checker
def check_answer(answer):
    assert answer(1) == 1


RAISED = {
    "exit": ("import sys\nsys.exit('bye')", "SystemExit: bye"),
    "quit": ("quit()", "SystemExit"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "generator": ("raise GeneratorExit", "GeneratorExit"),
    "input": ("return input('how many? ')", "RuntimeError: an answer gets what it needs"),
    "recursion": ("return answer(x)", "RecursionError"),
    "deep": ("import sys\nsys.setrecursionlimit(5000)\nreturn answer(x)", "RecursionError"),
    "long": ("raise ValueError('z' * 10**6)", "ValueError: zzz"),
    "mute": (
        "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\nraise Mute",
        "Mute",
    ),
    "group": ("raise ExceptionGroup('two', [ValueError(), TypeError()])", "ExceptionGroup: two"),
    "import": ("import no_such_module", "ModuleNotFoundError"),
    "module": ("import os\nos.remove('no such file')", "FileNotFoundError"),
}
ENDLESS = {
    "loop": "while True: pass",
    "prints": "while True: print(x)",
    "stderr": "import sys\nwhile True: print(x, file=sys.stderr)",
    "bare except": "while True:\n    try: x + 1\n    except: pass",
    "base": "while True:\n    try: x + 1\n    except BaseException: continue",
    "finally": "while True:\n    try:\n        while True: x + 1\n    finally: continue",
    "generator": "import itertools\nfor i in itertools.count(): pass",
}
WAITS = {
    "sleep": "import time\ntime.sleep(60)",
    "lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "event": "import threading\nthreading.Event().wait()",
    "thread": (
        "import threading, time\n"
        "t = threading.Thread(target=time.sleep, args=(5,), daemon=True)\nt.start()\nt.join()"
    ),
    "big number": "return 7 ** 10 ** 9",
}


def written(body):
    return "def answer(x):\n" + "\n".join(f"    {line}" for line in body.splitlines())


def wrong(body):
    """The Verdict on an answer, which must come in time."""
    start = time.perf_counter()
    verdict = verdict_on(ANSWER, written(body))
    assert time.perf_counter() - start < 10
    assert verdict.state == "wrong" and not verdict.broken
    assert len(repr(verdict)) < LONGEST + 400
    assert verdict._repr_html_().startswith("<div")
    return repr(verdict)


@pytest.mark.parametrize("name", RAISED)
def test_an_error_is_shown_with_the_learners_line(name):
    body, words = RAISED[name]
    text = wrong(body)
    assert words in text
    assert "where: line" in text


@pytest.mark.filterwarnings("ignore:'continue' in a 'finally' block:SyntaxWarning")
@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_loop_is_stopped(name, capsys):
    text = wrong(ENDLESS[name])
    assert "stopped after 0.4 seconds" in text
    assert "where: line" in text
    shown = capsys.readouterr()
    assert max(len(shown.out), len(shown.err)) < SHOWN + 100


@signals
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_without_end_is_stopped(name):
    assert "stopped after 0.4 seconds" in wrong(WAITS[name])


@linux
@pytest.mark.parametrize("body", ["x = [0]\nwhile True: x += x", "return bytearray(10**15)"])
def test_an_answer_cannot_take_all_the_memory(body, monkeypatch):
    monkeypatch.setattr(memory, "LEAST", 2**28)
    monkeypatch.setattr(memory, "container_room", lambda: 0)
    assert "more memory than there is" in wrong(body)


@linux
def test_the_cap_is_lifted_again_and_left_out_where_unknown(monkeypatch):
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with memory.memory_capped():
        assert 0 < resource.getrlimit(resource.RLIMIT_AS)[0] < 2**62
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    monkeypatch.setitem(sys.modules, "cupy", object())
    assert memory.address_space() is None


def test_a_containers_limit_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.container_room() == float("inf")
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert memory.container_room() == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.container_room() == float("inf")


class Shy:
    """Raises at every look."""

    def __getattr__(self, name):
        raise ValueError(name)

    def __eq__(self, other):
        raise ValueError

    __hash__ = None


@pytest.mark.parametrize("make", [Shy, lambda: [[...]], lambda: print, lambda: type, object])
def test_an_odd_value_as_answer_is_wrong(make):
    assert ANSWER.check(make()).state == "wrong"


def test_a_list_that_holds_itself_is_wrong():
    knot = []
    knot.append(knot)
    assert ANSWER.check(knot).state == "wrong"


def test_what_an_answer_changed_is_put_back():
    out, err, depth, ask = sys.stdout, sys.stderr, sys.getrecursionlimit(), input
    wrong("import sys\nsys.stdout = sys.stderr = None\nsys.setrecursionlimit(9999)\n1 / 0")
    assert (sys.stdout, sys.stderr, sys.getrecursionlimit(), input) == (out, err, depth, ask)


@signals
def test_the_alarm_is_put_back_and_a_late_one_kills_nothing():
    before = signal.getsignal(signal.SIGALRM)
    for _ in range(20):
        try:
            limited(lambda: time.sleep(0.005), 0.005)  # strikes about when it is done
        except TimeLimit:
            pass
    assert signal.getsignal(signal.SIGALRM) == before


def test_in_a_thread_a_loop_is_stopped_too():
    caught = []

    def work():
        caught.append(ANSWER.check(lambda x: next(iter(int, 1) and forever())))

    def forever():
        while True:
            pass

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(10)
    assert "stopped after" in repr(caught[0])


AFTER = """\
import sys, threading
from kit.guard import TimeLimit, limited

def work():
    for i in range(40):
        try:
            limited(lambda: sum(range(i * 1000)), 0.0005)  # some strike about when it is done
        except TimeLimit:
            pass

worker = threading.Thread(target=work)
worker.start()
worker.join()
sys.setprofile(lambda *event: None)
(lambda: None)()
"""


def test_after_a_limit_in_a_thread_the_interpreter_is_as_before():
    """Python 3.11 hangs under a profiler if it was told of an exception that was taken back."""
    path = os.pathsep.join([str(kit_build.COURSE.parent), str(kit_build.COURSE)])
    subprocess.run([sys.executable, "-c", AFTER], env=os.environ | {"PYTHONPATH": path}, timeout=60,
                   check=True)  # fmt: skip


def test_in_a_kernel_an_answer_neither_ends_it_nor_asks():
    """exit() of a kernel is not Python's: it would end the kernel after the cell."""
    setup = (
        "import sys\nsys.path.insert(0, 'tests')\nfrom test_kit_guard import ANSWER as exercise\n"
        "import pytest"
    )
    cells = [setup]
    for body in ("exit()", "return input()", "raise KeyboardInterrupt"):
        cells += [written(body), "exercise.check(answer)"]
    cells.append("import time; time.sleep(0.5); print('alive')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    paths = [str(kit_build.COURSE.parent), str(kit_build.COURSE)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        ran = kit_build.executed(notebook, kit_build.COURSE.parent).cells
    said = [cell.outputs[0].data["text/plain"] for cell in ran[2:7:2]]
    for text, words in zip(said, ("SystemExit", guard.NO_INPUT, "KeyboardInterrupt"), strict=True):
        assert words in text
        assert "line 2: `" in text
    assert ran[-1].outputs[0].text == "alive\n"
