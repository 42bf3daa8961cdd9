"""Exercises and quiz of chapter 08."""

import statistics
import warnings

import numpy as np
from kit import pretend
from kit.checks import expect, fail, is_tensor, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt
from minitensor.timing import FakeDevice

SETUP = """
import statistics

import numpy as np
import minitensor as mt
"""

OVERHEAD, COMPILING, DURATION = 10e-6, 0.05, 2e-3
UNEVEN = (3e-3, 9e-3, 2e-3, 1e-3, 2e-3)  # any five in a row hold all of them: the median is 2 ms


class Watched(FakeDevice):
    """A fake device that notes whether its clock is read, and what it was asked last."""

    reads, last = 0, ""

    def now(self):
        self.reads, self.last = self.reads + 1, "now"
        return super().now()

    def synchronize(self):
        self.last = "synchronize"
        super().synchronize()


bench = Exercise(
    "bench",
    title="A stopwatch for work in a queue",
    task="""
        `fn()` gives `device` some work. Return how long one call takes until its work is *done*:
        the median of `repeats` samples of one call each. Whatever the first call does on top must
        not count, and nothing else may be in the queue when a sample starts. The time is
        `device.now()`, and `device.synchronize()` waits until the queue is empty.
        """,
    stub="""
        def bench(fn, device, repeats=11):
            samples = []
            for _ in range(repeats):
                ...
            return ...
        """,
    solution="""
        def bench(fn, device, repeats=11):
            fn()
            device.synchronize()
            samples = []
            for _ in range(repeats):
                start = device.now()
                fn()
                device.synchronize()
                samples.append(device.now() - start)
            return statistics.median(samples)
        """,
    hints=(
        "Three things went wrong in sections 2, 3 and 5. Which line of code cures each of them?",
        "Before the loop: one call that nobody times, and a wait. In the loop: where must the wait "
        "stand, before or after you read the clock for the second time?",
        "In the loop: read the clock, call `fn`, synchronize, read the clock again and append the "
        "difference. After it: `statistics.median`.",
    ),
    wrong=[
        Wrong(
            """
            def bench(fn, device, repeats=11):
                fn()
                device.synchronize()
                samples = []
                for _ in range(repeats):
                    start = device.now()
                    fn()
                    samples.append(device.now() - start)
                return statistics.median(samples)
            """,
            says="nobody waited",
        ),
        Wrong(
            """
            def bench(fn, device, repeats=11):
                fn()
                samples = []
                for _ in range(repeats):
                    device.synchronize()
                    start = device.now()
                    fn()
                    end = device.now()
                    device.synchronize()
                    samples.append(end - start)
                return statistics.median(samples)
            """,
            says="you waited, but",
        ),
        Slip(
            "    fn()\n    device.synchronize()\n    samples = []",
            "    samples = []",
            says="compiling is in the sample",
        ),
        Wrong(
            """
            def bench(fn, device, repeats=11):
                samples = []
                for _ in range(repeats):
                    start = device.now()
                    fn()
                    samples.append(device.now() - start)
                return statistics.median(samples)
            """,
            says="not waited for, and the first call",
        ),
        Slip(
            "    fn()\n    device.synchronize()\n    samples = []",
            "    fn()\n    samples = []",
            says="was still in the queue",
        ),
        Wrong(
            """
            def bench(fn, device, repeats=11):
                fn()
                device.synchronize()
                start = device.now()
                fn()
                device.synchronize()
                return device.now() - start
            """,
            says="one sample",
        ),
        Slip("statistics.median(samples)", "sum(samples) / len(samples)", says="a mean"),
        Slip("statistics.median(samples)", "min(samples)", says="the smallest"),
        Slip("statistics.median(samples)", "samples[-1]", says="the last sample"),
        Slip(
            "    return statistics.median(samples)",
            "    return statistics.median(samples[1:])",
            says="on top of the `repeats`",
        ),
        Slip("statistics.median(samples)", "sum(samples)", says="added up"),
        Wrong(
            """
            def bench(fn, device, repeats=11):
                fn()
                device.synchronize()
                start = device.now()
                for _ in range(repeats):
                    fn()
                device.synchronize()
                return (device.now() - start) / repeats
            """,
            says="one reading around all calls",
        ),
        Wrong(
            """
            def bench(fn, device, repeats=11):
                import time
                fn()
                samples = []
                for _ in range(repeats):
                    start = time.perf_counter()
                    fn()
                    device.synchronize()
                    samples.append(time.perf_counter() - start)
                return statistics.median(samples)
            """,
            says="never read",
        ),
    ],
    also_right=[
        """
        def bench(fn, device, repeats=11):
            for _ in range(3):
                fn()
            times = []
            while len(times) < repeats:
                device.synchronize()
                begin = device.now()
                fn()
                device.synchronize()
                times.append(device.now() - begin)
            return np.median(times)
        """,
        """
        def bench(fn, device, repeats=11):
            def once():
                start = device.now()
                fn()
                device.synchronize()
                return device.now() - start

            return sorted([once() for _ in range(repeats + 1)][1:])[repeats // 2]
        """,
    ],
)


@bench.checker
def check_bench(bench):
    check_one_sample(bench)
    check_many_samples(bench)


def check_one_sample(bench):
    """One sample of quiet work, where every mistake gives a time of its own."""
    device = Watched(OVERHEAD, COMPILING)
    call = (
        "bench(fn, device, 1), where a launch takes 10 µs to return, the work 2 ms, and the first "
        "launch compiles for 50 ms"
    )
    try:
        got = bench(lambda: device.launch("work", DURATION), device, 1)
    except statistics.StatisticsError as error:
        cause = "no sample is left. The warm-up is a call on top of the `repeats`, not one of them."
        fail(call, "no error", f"StatisticsError: {error}", cause)
    if got is not None and got is not ... and not device.reads:
        cause = "seconds of this computer: the device keeps a time of its own."
        fail(call, "seconds by device.now()", "a result, but device.now() was never read", cause)
    done = OVERHEAD + DURATION
    order = (
        "you waited, but the clock was read before that"
        if device.last == "synchronize"
        else ("nobody waited before the clock was read again")
    )
    same(
        got,
        done,
        call,
        causes=[
            (OVERHEAD, f"that is how long the launch took: {order}."),
            (COMPILING + done, "compiling is in the sample: what has to happen before it?"),
            (COMPILING + OVERHEAD, "the work was not waited for, and the first call was counted."),
            (2 * DURATION, "the work of the call before was still in the queue at the start."),
        ],
        hint="in each sample, write down the order: clock, call, wait, clock.",
    )


def check_many_samples(bench):
    """Five uneven samples: the median, and no other summary."""
    device, calls = Watched(OVERHEAD, COMPILING), []

    def fn():
        calls.append(None)
        device.launch("work", UNEVEN[(len(calls) - 1) % 5])

    got = bench(fn, device, 5)
    call = "bench(fn, device, 5), where the work of five calls takes 1, 2, 2, 3 and 9 ms"
    if len(calls) < 6:
        cause = "one sample, or too few, tell nothing about the others."
        fail(call, "5 samples, and a call before them", f"{len(calls)} calls of fn", cause)
    times = sorted(OVERHEAD + t for t in UNEVEN)
    same(
        got,
        times[2],
        call,
        causes=[
            (sum(times) / 5, "that is a mean: one slow call pulls it up."),
            ((OVERHEAD + sum(UNEVEN)) / 5, "one reading around all calls is a mean, too."),
            (times[0], "that is the smallest of the samples: most calls take longer."),
            (times[3], "that is the last sample, not the middle one."),
            (times[4], "that is the first sample, or the largest."),
            (sum(times), "the samples are added up."),
        ],
        hint="sort the samples: the median stands in the middle.",
    )


add_positions = Exercise(
    "add_positions",
    title="A function for any device",
    task="""
        `x` has the shape (rows, columns). Return `x` with 0 added to its first column, 1 to the
        second, 2 to the third and so on. It must work wherever `x` lives, on a CPU, a GPU or the
        pretend GPU; `x` keeps its values and its device, and the result is where `x` is.
        """,
    stub="""
        def add_positions(x):
            positions = ...
            return x + positions
        """,
    solution="""
        def add_positions(x):
            positions = mt.arange(x.shape[1], device=x.device)
            return x + positions
        """,
    hints=(
        "`mt.arange(n)` makes 0 to n - 1. Where does it make them, if nobody says so?",
        "A Tensor knows where it lives: `x.device`. What makes Tensors can be told: `device=...`.",
        "`mt.arange(...)` of the number of columns, with `device=` set to the device of `x`.",
    ),
    wrong=[
        Slip(", device=x.device", "", says="that is the CPU unless"),
        Slip("x.device", '"cpu"', says='names "cpu"'),
        Slip("x.device", '"cuda"', says="is there a GPU"),
        Slip("x.device", '"cuda" if mt.cuda.is_available() else "cpu"', says="has says nothing"),
        Slip("device=x.device", 'device="pretend"', says="on the CPU, too"),
        Wrong(
            "def add_positions(x):\n    return x.cpu() + mt.arange(x.shape[1])",
            says="came back on",
        ),
        Wrong(
            """
            def add_positions(x):
                return (x.cpu() + mt.arange(x.shape[1])).to(x.device)
            """,
            says="there and back",
        ),
        Slip("x.shape[1]", "x.shape[0]", says="number of rows"),
        Wrong(
            """
            def add_positions(x):
                positions = mt.arange(x.shape[1])
                positions.to(x.device)
                return x + positions
            """,
            says="thrown away",
        ),
        Slip("mt.arange(x.shape[1]", "mt.arange(1, x.shape[1] + 1", says="starts with 0"),
        Slip("return x + positions", "x += positions\n    return x", says="itself was changed"),
    ],
    also_right=[
        """
        def add_positions(x):
            return x + mt.arange(x.size(1)).to(x.device)
        """,
        """
        def add_positions(x):
            return x + (mt.ones_like(x).cumsum(1) - 1)
        """,
    ],
)


@add_positions.checker
def check_add_positions(add_positions):
    values = np.array([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]], dtype=np.float32)
    for where in ("cpu", "pretend"):
        call = f'add_positions(x), for x = [[10, 20, 30], [40, 50, 60]] on "{where}"'
        with pretend.apart() as gpu:
            x = mt.tensor(values).to(where)
            before = len(gpu.log)
            got = placed(add_positions, x, call)
            back = copies(gpu.log[before:])
        expect(str(got.device) == where, call, f"a Tensor on {where}", f"one on {got.device}",
               f"the result came back on {got.device}, and `x` is on {where}.")  # fmt: skip
        same(
            got,
            values + np.arange(3, dtype=np.float32),
            call,
            causes=[(values + np.arange(1, 4, dtype=np.float32), "counting starts with 0.")],
            hint="the number of the column is added, in every row.",
        )
        cause = "`x` went there and back. Make the positions where `x` is; they are new anyway."
        expect(back <= 1, call, "no copy of x", f"{back} copies between the devices", cause)
        cause = "`x` itself was changed, and others may still need it: return a new Tensor."
        same(x, values, f"x after {call}", hint=cause)


def copies(log):
    """How many pieces of work in a log went from one device to the other."""
    return sum(one.name == "copy" for one in log)


def placed(function, x, call):
    """Call function(x); explain what is wrong if it raises for the device or the shape."""
    before = len(pretend.log())
    try:
        got = function(x)
    except RuntimeError as error:
        message = str(error)
        if "device" in message:
            cause = apart_cause(mentioned(function), x, copies(pretend.log()[before:]))
        else:
            size = "that is the number of rows: positions go along the columns."
            cause = size if "size" in message else ""
        fail(call, "no error", f"RuntimeError: {message}", cause)
    is_tensor(got, call)
    return got


def mentioned(function):
    """The names and texts in a function's code."""
    code = getattr(function, "__code__", None)
    return {*code.co_names, *code.co_consts} if code else set()


def apart_cause(words, x, moved):
    """Why the positions are not where x is. words: in the code. moved: copies that were made."""
    if "is_available" in words:
        return "what the computer has says nothing about where this `x` is: ask `x`."
    if "cuda" in words:
        return "is there a GPU here, and is `x` on it? Do not name a device: ask `x` for its own."
    if str(x.device) == "cpu":
        return "`x` is sometimes on the CPU, too: ask it where it is, and name no device."
    if moved:
        return "a copy was made and thrown away: `.to` returns it, and what it came from stays."
    if "cpu" in words:
        return 'your code names "cpu", and `x` is elsewhere. Name no device: ask `x`.'
    return "nobody said where to make the positions: that is the CPU unless you say `device=`."


W = np.array([[1.0], [-2.0]], dtype=np.float32)
X = np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]], dtype=np.float32)
Y = np.array([[1.0], [0.0], [2.0]], dtype=np.float32)
LR = 0.125
STAYED = {  # by how many copies were made
    1: "only one of the two was sent over: `x` and `y` both have to move.",
    2: "both were sent over, and the result was thrown away: give it the names `x` and `y`.",
}

train_step = Exercise(
    "train_step",
    title="A batch from the other side",
    task="""
        The parameters `w` live on some device. The batch `x`, `y` comes from a file, so it is on
        the CPU. The step fails if the two are apart. Repair it: one line, where the dots are. `w`
        must stay where it is, and be changed there.
        """,
    stub="""
        def train_step(w, x, y, lr):
            x, y = ...
            loss = (x @ w - y).square().mean()
            loss.backward()
            with mt.no_grad():
                w -= lr * w.grad
            w.grad = None
            return loss.item()
        """,
    solution="""
        def train_step(w, x, y, lr):
            x, y = x.to(w.device), y.to(w.device)
            loss = (x @ w - y).square().mean()
            loss.backward()
            with mt.no_grad():
                w -= lr * w.grad
            w.grad = None
            return loss.item()
        """,
    hints=(
        "Which of the three has to move: the parameters, or the batch? Who else knows `w`?",
        "`.to` returns a new Tensor. Where does the name `x` have to point afterwards?",
        "Send both to `w.device`, and give the results the names `x` and `y`.",
    ),
    wrong=[
        Slip(
            "x, y = x.to(w.device), y.to(w.device)",
            "x.to(w.device), y.to(w.device)",
            says="was thrown away",
        ),
        Slip("y.to(w.device)", "y", says="only one of the two"),
        Slip(
            "x.to(w.device), y.to(w.device)",
            'x.to("pretend"), y.to("pretend")',
            says="name no device",
        ),
        Slip(
            "x.to(w.device), y.to(w.device)",
            "y.to(w.device), x.to(w.device)",
            says="change places",
        ),
        Slip("x.to(w.device), y", "x, y", says="only one of the two"),
        Slip('x.to(w.device), y.to(w.device)', 'x.to("cuda"), y.to("cuda")', says="its own"),
        Slip(
            "x, y = x.to(w.device), y.to(w.device)",
            "w = w.detach().to(x.device).requires_grad_()",
            says="`w` of the caller",
        ),
        Slip(
            "x, y = x.to(w.device), y.to(w.device)",
            "w = w.to(x.device)",
            says="no leaf",
        ),
        Slip(
            "x, y = x.to(w.device), y.to(w.device)",
            "w.data = w.data.to(x.device)",
            says="has moved",
        ),
    ],
    also_right=[
        """
        def train_step(w, x, y, lr):
            x, y = (part.to(w.device) for part in (x, y))
            loss = ((x @ w - y) ** 2).mean()
            loss.backward()
            with mt.no_grad():
                w -= lr * w.grad
            w.grad.zero_()
            return float(loss)
        """,
        """
        def train_step(w, x, y, lr):
            x = x.to(w)
            y = y.to(w)
            loss = mt.nn.functional.mse_loss(x @ w, y)
            loss.backward()
            w.data -= lr * w.grad
            w.grad = None
            return loss.item()
        """,
    ],
)  # fmt: skip


@train_step.checker
def check_train_step(train_step):
    error = X @ W - Y
    loss, moved = float((error**2).mean()), W - LR * 2 * X.T @ error / 3
    for where in ("cpu", "pretend"):
        call = f'train_step(w, x, y, lr), for w on "{where}", x and y on the CPU'
        with pretend.apart():
            w = mt.tensor(W).to(where).requires_grad_()
            got = stepped(train_step, w, call)
        same(got, loss, f"the loss that came back from {call}")
        cause = "`w` has moved: others who hold it will now fail as this step did."
        expect(str(w.device) == where, call, f"w on {where}", f"w on {w.device}", cause)
        same(
            w,
            moved,
            f"w after {call}",
            causes=[(W, "the `w` of the caller was not changed: a copy of it was.")],
            hint="leave the other lines as they are.",
        )


def stepped(train_step, w, call):
    """Take a step with w; explain errors of Tensors on two devices, and of a lost gradient."""
    before = len(pretend.log())
    try:
        with warnings.catch_warnings():  # of the .grad of no leaf: the cause below says it better
            warnings.simplefilter("ignore")
            return train_step(w, mt.tensor(X), mt.tensor(Y), LR)
    except RuntimeError as error:
        cause, message = "", str(error)
        if "device" in message and "cuda" in mentioned(train_step):
            cause = "is there a GPU here? `w` knows where it is: ask it for its own device."
        elif "shapes" in message:
            cause = "did `x` and `y` change places? Each keeps its own name."
        elif "same device" in message and str(w.device) == "cpu":
            cause = "here `w` is on the CPU: name no device, ask `w` for its own."
        elif "same device" in message:
            sent = copies(pretend.log()[before:])
            cause = STAYED.get(sent, "one side is on the CPU, the other is where `w` is.")
        fail(call, "no error", f"RuntimeError: {message}", cause)
    except TypeError as error:
        if "NoneType" not in str(error):
            raise
        cause = "`w.grad` is None: what `w` names now is no leaf. Leave `w` alone."
        fail(call, "no error", f"TypeError: {error}", cause)


QUIZ = [
    Question(
        "On a GPU you time `y = x @ x` with two readings of the clock, and nothing between. What "
        "do you get?",
        [
            Choice("The time of the product", "The call returned long before that."),
            Choice(
                "The time to put the product into the queue",
                "To time the work, synchronize before the second reading.",
                right=True,
            ),
            Choice("Zero: the product was never computed", "It is, later, and `y` will be right."),
        ],
    ),
    Question(
        "The first of 20 equal calls took a hundred times as long as the others. What is likely?",
        [
            Choice(
                "Something was prepared that the later calls found ready",
                "Compiling a kernel, getting memory, filling a cache: paid once.",
                right=True,
            ),
            Choice("The later calls did nothing: their result was remembered",
                   "Neither NumPy nor a GPU remembers results. Each call computes anew."),
            Choice("A chance outlier: run it again, and it goes away",
                   "It is slow again in every new process, and always the first."),
        ],
    ),
    Question(
        '`t` is on the CPU. You run `t.to("cuda")`, and then `t.device`. What does it say?',
        [
            Choice('"cuda": `to` has moved it', "Nothing that bears a name was changed."),
            Choice('"cpu"', "`to` returned a new Tensor; `t = t.to(...)` gives it the name.",
                   right=True),
            Choice("An error: `t` is gone from the CPU", "It is still there, with its memory."),
        ],
    ),
    Question(
        "Which line makes the CPU wait for the GPU?",
        [
            Choice("`z = (x @ y).relu()`", "Two launches; both return at once."),
            Choice("`total = total + loss`", "Another launch, if both are on the GPU."),
            Choice("`total += loss.item()`",
                   "A Python number has to be known before it can be added.", right=True),
            Choice("`z = z.view(-1)`", "A view computes nothing at all."),
        ],
    ),
    Question(
        "Ten samples: nine of about 2 ms, one of 22 ms. Which sentence is honest?",
        [
            Choice("A call takes 4 ms: that is the mean", "No call took 4 ms."),
            Choice("A call takes 2 ms: the other sample was an error, so I left it out",
                   "It happened. Whoever leaves samples out by taste can show anything."),
            Choice("The median is 2 ms, the slowest of ten took 22 ms",
                   "The median says what is usual, and the spread is not hidden.", right=True),
            Choice("One more run will tell", "One sample more changes nothing about the ten."),
        ],
    ),
]  # fmt: skip
