"""Run a learner's code so that it can neither hang the notebook nor crash its check."""

import ctypes
import io
import linecache
import sys
import threading
from contextlib import redirect_stdout

FIRE_AGAIN = 0.5  # seconds: a bare `except:` in a loop may swallow the first TimeLimit
SHOWN = 2000  # characters of a learner's own prints; an endless loop prints without end


class TimeLimit(BaseException):
    """Raised in code that ran too long. Not an Exception: `except Exception` lets it through."""


class Watchdog:
    """Raises TimeLimit in the thread that made it, unless stopped within `seconds`.

    A thread with an asynchronous exception works in a kernel's main thread, in any other thread,
    and on Windows, where signals do not. It takes effect between two bytecodes: one long call
    into C is stopped only when it returns.
    """

    def __init__(self, seconds):
        self.seconds = seconds
        self.target = ctypes.c_ulong(threading.get_ident())
        self.lock = threading.Lock()
        self.done = threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        wait = self.seconds
        while not self.done.wait(wait):
            with self.lock:
                if not self.done.is_set():
                    self.inject(ctypes.py_object(TimeLimit))
            wait = FIRE_AGAIN

    def stop(self):
        self.done.set()
        with self.lock:
            self.inject(None)  # take back one that was sent but has not arrived

    def inject(self, error):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self.target, error)


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
    with redirect_stdout(Capped(sys.stdout)):
        watchdog = Watchdog(seconds)
        try:
            try:
                return function()
            finally:
                watchdog.stop()
        except TimeLimit:
            watchdog.stop()  # it may have struck while the first stop was at work
            raise


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


def places(error):
    """Return (file name, line) of each frame that the error passed, the innermost last."""
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    return found


def is_learners(filename, files):
    return filename in files or filename.startswith("<answer") or "ipykernel_" in filename
