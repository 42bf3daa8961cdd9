"""Run a learner's code so that it can neither hang the notebook nor crash its check.

What a check can not stop: one long call into C in a thread that is not the main one, or on
Windows, and code that ends the process on purpose (`os._exit`). `kit.grade` can: it runs each
answer in a process of its own.
"""

import builtins
import ctypes
import dis
import io
import linecache
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from unittest import mock

from kit.memory import memory_capped

FIRE_AGAIN = 0.05  # seconds: a bare `except:` in a loop may swallow the first TimeLimits
SWALLOWED = 3  # so many TimeLimits swallowed: time for a stronger means
SHOWN = 2000  # characters of a learner's own prints; an endless loop prints without end
NO_INPUT = "an answer gets what it needs as arguments: it cannot ask at the keyboard"


class TimeLimit(BaseException):
    """Raised in code that ran too long. Not an Exception: `except Exception` lets it through."""


class Watchdog:
    """Raises TimeLimit in the thread that made it, unless stopped within `seconds`.

    An asynchronous exception takes effect between two bytecodes, in any thread and on any system:
    a wait (sleep, a lock) or one long call into C is stopped only when it returns.
    """

    def __init__(self, seconds):
        self.target = ctypes.c_ulong(threading.get_ident())
        self.running = threading.Lock()
        self.running.acquire()
        self.thread = threading.Thread(target=self.watch, args=(seconds,), daemon=True)
        self.thread.start()

    def watch(self, wait):
        error = ctypes.py_object(TimeLimit)
        while not self.running.acquire(timeout=wait):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(self.target, error)
            wait = FIRE_AGAIN

    def stop(self):
        """No TimeLimit comes after this. One that was sent already is raised in here.

        It is not taken back: Python 3.11 would then look for it at every step for the rest of the
        process, and hang under a profiler.
        """
        if self.running.locked():
            self.running.release()
        self.thread.join()


class AlarmClock:
    """A Watchdog for the main thread, where the system has timers: it ends waits, too.

    The system's timer needs no thread of ours, so it also strikes while a long calculation with
    integers keeps all threads waiting.
    """

    def __init__(self, seconds):
        self.done, self.strikes, self.tracer = False, 0, sys.gettrace()
        self.handler = signal.signal(signal.SIGALRM, self.strike)
        self.timer = signal.setitimer(signal.ITIMER_REAL, seconds, FIRE_AGAIN)

    def strike(self, number, frame):
        if self.done:
            return
        self.strikes += 1
        if self.strikes > SWALLOWED:  # `finally: continue` swallows all that is raised inside it
            frame.f_trace = self.at_each_line
            sys.settrace(self.at_each_line)
        raise TimeLimit

    def at_each_line(self, frame, event, arg):
        """Raise at every line: some line of the loop stands outside what swallows."""
        if event == "line" and not self.done:
            raise TimeLimit
        return self.at_each_line

    def stop(self):
        self.done = True
        if self.strikes > SWALLOWED:
            sys.settrace(self.tracer)
        signal.setitimer(signal.ITIMER_REAL, 0)
        # First to "ignore", which throws away one that is on its way: the default would kill.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, self.handler or signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, *self.timer)


def watchdog(seconds):
    """Return the best watchdog that this thread can have."""
    main = threading.current_thread() is threading.main_thread()
    return (AlarmClock if main and hasattr(signal, "setitimer") else Watchdog)(seconds)


class Capped(io.TextIOBase):
    """Passes text on until SHOWN characters, then swallows it."""

    def __init__(self, out):
        self.out, self.left = out, SHOWN

    def write(self, text):
        if self.left > 0:
            self.out.write(text[: self.left])
            if len(text) >= self.left:
                self.out.write("\n[more was printed; left out]\n")
        self.left -= len(text)
        return len(text)

    def flush(self):
        self.out.flush()


def limited(function, seconds):
    """Return function(), or raise TimeLimit after `seconds`. Prints pass, up to a limit."""
    with house_rules():
        dog = watchdog(seconds)
        try:
            try:
                return function()
            finally:
                dog.stop()
        except TimeLimit:
            dog.stop()  # it may have struck while the first stop was at work
            raise


@contextmanager
def house_rules():
    """While a learner's code runs: few prints, no questions, no exit, and memory left over."""
    depth = sys.getrecursionlimit()
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(Capped(sys.stdout)))
        stack.enter_context(redirect_stderr(Capped(sys.stderr)))
        stack.enter_context(mock.patch.object(builtins, "input", no_input))
        stack.enter_context(memory_capped())
        notebook = getattr(sys.modules.get("__main__"), "__dict__", {})
        # A kernel's own exit() would end the kernel once the cell is done.
        ends = {name: leave for name in ("exit", "quit") if name in notebook}
        stack.enter_context(mock.patch.dict(notebook, ends))
        try:
            yield
        finally:
            sys.setrecursionlimit(depth)


def no_input(prompt=""):
    raise RuntimeError(NO_INPUT)


def leave(code=None):
    raise SystemExit(code)


def run_source(code, name, namespace):
    """Execute source text in a namespace; its lines are known to error messages under <name>."""
    filename = f"<{name}>"
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    exec(compile(code, filename, "exec", dont_inherit=True), namespace)
    return namespace


def learner_line(error, files):
    """Return "line 3: `return x / 0`" for the innermost frame of the learner's own code, or None.

    files: file names that are the learner's, beside notebook cells and sources run by run_source.
    """
    own = [place for place in places(error) if is_learners(place[0], files)]
    if not own:
        return None
    text = linecache.getline(*own[-1]).strip()
    return f"line {own[-1][1]}: `{text}`" if text else f"line {own[-1][1]}"


def raised_by_learner(error, files):
    """Whether the very frame that raised is the learner's."""
    return is_learners(places(error)[-1][0], files)


def pressed(error, files):
    """Whether a KeyboardInterrupt came from the keyboard, and not from the learner's `raise`."""
    last = traces(error)[-1]
    code = last.tb_frame.f_code
    raised = code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    return not (raised and is_learners(code.co_filename, files))


def places(error):
    """Return (file name, line) of each frame that the error passed, the innermost last."""
    return [(trace.tb_frame.f_code.co_filename, trace.tb_lineno) for trace in traces(error)]


def traces(error):
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


def is_learners(filename, files):
    return filename in files or filename.startswith("<answer") or "ipykernel_" in filename
