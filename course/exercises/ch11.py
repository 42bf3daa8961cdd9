"""Exercises and quiz of chapter 11."""

import numpy as np
from kit.checks import array, describe, expect, fail, same, unchanged
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt
from minitensor import nn
from minitensor.nn import functional as F
from minitensor.utils.data import DataLoader, TensorDataset

SETUP = """
import numpy as np
import minitensor as mt
from minitensor import nn
from minitensor.nn import functional as F
from minitensor.utils.data import DataLoader, Dataset
"""

Loader = Exercise(
    "Loader",
    title="A loader of your own",
    task="""
        Two NumPy arrays of the same length belong together, `x` and `y`. Each `for` loop over a
        `Loader` goes once over all pairs, in a new random order from `self.rng`, and yields
        batches `(x, y)` of `size` pairs. The last batch may be smaller, never empty.
        """,
    stub="""
        class Loader:
            def __init__(self, x, y, size, seed=0):
                self.x, self.y, self.size = x, y, size
                self.rng = np.random.default_rng(seed)

            def __iter__(self):
                ...
        """,
    solution="""
        class Loader:
            def __init__(self, x, y, size, seed=0):
                self.x, self.y, self.size = x, y, size
                self.rng = np.random.default_rng(seed)

            def __iter__(self):
                order = self.rng.permutation(len(self.x))
                for start in range(0, len(order), self.size):
                    take = order[start : start + self.size]
                    yield self.x[take], self.y[take]
        """,
    hints=(
        "What must both arrays share, so that a pair stays a pair? Draw it once in each loop.",
        "Draw one order with `self.rng.permutation`. Cut it into pieces of `size`.",
        "Each piece of the order is an index for both arrays. `yield` makes `__iter__` hand out "
        "one batch after the other.",
    ),
    wrong=[
        Slip("range(0, len(order), self.size)",
             "range(0, len(order) - self.size + 1, self.size)", says="last batch was dropped"),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(seed)

                def __iter__(self):
                    x, y = self.rng.permutation(self.x), self.rng.permutation(self.y)
                    for start in range(0, len(x), self.size):
                        yield x[start : start + self.size], y[start : start + self.size]
            """,
            says="shuffled apart",
        ),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(seed)
                    self.order = self.rng.permutation(len(x))

                def __iter__(self):
                    for start in range(0, len(self.order), self.size):
                        take = self.order[start : start + self.size]
                        yield self.x[take], self.y[take]
            """,
            says="a new order for each",
        ),
        Slip("self.rng.permutation(len(self.x))", "np.arange(len(self.x))",
             says="the file's order"),
        Slip("self.rng.permutation(len(self.x))",
             "self.rng.integers(0, len(self.x), len(self.x))", says="more than once"),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(seed)

                def __iter__(self):
                    for start in range(0, len(self.x), self.size):
                        take = self.rng.choice(len(self.x), self.size, replace=False)
                        yield self.x[take], self.y[take]
            """,
            says="a draw for each batch",
        ),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(seed)

                def __iter__(self):
                    order = self.rng.permutation(len(self.x))
                    self.x, self.y = self.x[order], self.y[order]
                    order = np.arange(len(order))
                    for i in range(len(order) // self.size + 1):
                        take = order[i * self.size : (i + 1) * self.size]
                        yield self.x[take], self.y[take]
            """,
            says="an empty batch",
        ),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(seed)

                def __iter__(self):
                    state = self.rng.bit_generator.state
                    self.rng.shuffle(self.x)
                    self.rng.bit_generator.state = state
                    self.rng.shuffle(self.y)
                    for start in range(0, len(self.x), self.size):
                        yield self.x[start : start + self.size], self.y[start : start + self.size]
            """,
            says="the caller's arrays",
        ),
        Slip("yield self.x[take], self.y[take]", "return self.x[take], self.y[take]",
             says="`return` ends"),
        Slip("start + self.size]", "start + self.size - 1]", says="too few"),
        Slip("self.rng.permutation", "np.random.permutation", says="can be repeated"),
        Slip("range(0, len(order), self.size)", "range(len(order))", says="in steps of"),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(seed)

                def __iter__(self):
                    for i in self.rng.permutation(len(self.x)):
                        yield self.x[i], self.y[i]
            """,
            says="one pair at a time",
        ),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(2)

                def __iter__(self):
                    starts = np.arange(0, len(self.x), self.size)
                    for start in self.rng.permutation(starts):
                        yield self.x[start : start + self.size], self.y[start : start + self.size]
            """,
            says="the batches were shuffled",
        ),
        Wrong(
            """
            class Loader:
                def __init__(self, x, y, size, seed=0):
                    self.x, self.y, self.size = x, y, size
                    self.rng = np.random.default_rng(seed)

                def __iter__(self):
                    order = self.rng.permutation(len(self.x))
                    starts = range(0, len(order), self.size)
                    pieces = [order[start : start + self.size] for start in starts]
                    return [(self.x[piece], self.y[piece]) for piece in pieces]
            """,
            says="no iterator",
        ),
        Slip("yield self.x[take], self.y[take]", "yield self.x[take]", says="a pair of arrays"),
    ],
    also_right=[
        """
        class Loader:
            def __init__(self, x, y, size, seed=0):
                self.x, self.y, self.size = x, y, size
                self.rng = np.random.default_rng(seed)

            def __iter__(self):
                order = np.arange(len(self.x))
                self.rng.shuffle(order)
                batches = []
                while len(order):
                    take, order = order[: self.size], order[self.size :]
                    batches.append([self.x[take], self.y[take]])
                return iter(batches)
        """,
        """
        class Loader:
            def __init__(self, x, y, size, seed=0):
                self.x, self.y, self.size = x, y, size
                self.rng = np.random.default_rng(seed)

            def __iter__(self):
                order = self.rng.random(len(self.y)).argsort()
                pieces = -(-len(order) // self.size)
                for i in range(pieces):
                    take = order[i * self.size : (i + 1) * self.size]
                    yield np.take(self.x, take, 0), np.take(self.y, take, 0)
        """,
    ],
)  # fmt: skip


@Loader.checker
def check_loader(Loader):
    for count, size in ((23, 5), (20, 5), (3, 8)):
        x = np.arange(count * 4, dtype=np.float32).reshape(count, 4)
        y = np.arange(count) + 100
        call = f"Loader(x, y, {size}), for {count} pairs,"
        with unchanged(x, y, call=call, cause="the caller's arrays were shuffled: index them."):
            loader = Loader(x, y, size)
            epochs = [one_epoch(loader, call, count, size) for _ in range(3)]
        if count > 3:
            check_orders(epochs, call, count)
    check_seed(Loader)


def one_epoch(loader, call, count, size):
    """Go once over a loader; check that all pairs come, once. Returns the order they came in."""
    call = f"one loop over {call[:-1]}"
    batches = collected(loader, call, count)
    lengths, came = [], []
    for batch in batches:
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            fail(call, "batches, each a pair of arrays (x, y)", describe(batch))
        x, y = (array(part) for part in batch)
        if y.ndim == 0:
            cause = "one pair at a time: index with a piece of the order, not with one number."
            fail(call, "batches of several pairs", "one pair", cause)
        cause = "when do the pieces end, if `size` divides the number of pairs?"
        expect(len(y) > 0, call, "no empty batch", "an empty batch", cause)
        expect(x.shape == (len(y), 4), call, f"x of shape ({len(y)}, 4)", f"shape {x.shape}")
        apart = "images and labels were shuffled apart: one order for both."
        expect(bool((x[:, 0] == 4 * (y - 100)).all()), call, "each x with its y", "mixed", apart)
        lengths.append(len(y))
        came += [int(number) - 100 for number in y]
    check_coverage(came, lengths, call, count, size)
    return came


def collected(loader, call, count):
    """Return the batches as a list. A loader without end is stopped."""
    iterator = iter_or_fail(loader, call)
    batches = []
    for batch in iterator:
        batches.append(batch)
        if len(batches) > 2 * count + 2:
            fail(call, "an end", f"{len(batches)} batches, and no end")
    return batches


def iter_or_fail(loader, call):
    try:
        return iter(loader)
    except TypeError as error:
        cause = "`return` ends the function at the first batch: `yield` hands out one by one."
        if "'list'" in str(error):
            cause = "a list of batches is no iterator: `yield` each batch, or return `iter(...)`."
        fail(call, "batches one by one", f"TypeError: {error}", cause)


def check_coverage(came, lengths, call, count, size):
    """Check that each of the pairs came once, in batches of the right size."""
    want = [size] * (count // size) + [count % size] * bool(count % size)
    missing, twice = count - len(set(came)), len(came) - len(set(came))
    if lengths != want:
        cause = ""
        if lengths == want[:-1]:
            cause = "the last batch was dropped, since it was smaller."
        elif sorted(lengths, reverse=True) == want:
            cause = "the batches were shuffled, not the pairs: inside, the file's order remains."
        elif lengths[1:2] == [size] and len(lengths) == count:
            cause = "a batch starts at each pair: `range` can go in steps of `size`."
        elif sum(lengths) < count:
            cause = "a batch has too few pairs: where does a slice end?"
        elif twice:
            cause = "a draw for each batch knows nothing of the others: one order for all."
        fail(f"the batches' sizes in {call}", str(want), str(lengths), cause)
    if missing or twice:
        cause = "some pairs came more than once, others never: a permutation has each once."
        if count > size and all(
            len(set(came[i : i + size])) == size for i in range(0, count, size)
        ):
            cause = "a draw for each batch knows nothing of the others: one order for all."
        fail(call, "each pair once", f"{missing} missing, {twice} too many", cause)


def check_orders(epochs, call, count):
    """Check that the orders are random and differ from loop to loop."""
    unshuffled = epochs[0] == list(range(count))
    cause = "that is the file's order, where neighbours are alike."
    expect(not unshuffled, f"the first loop over {call[:-1]}", "a random order", "0, 1, 2", cause)
    cause = "the order was drawn once, and stays: draw a new order for each loop."
    again = epochs[0] == epochs[1] or epochs[1] == epochs[2]
    expect(not again, f"two loops over {call[:-1]}", "two orders", "the same order twice", cause)


def check_seed(Loader):
    """Check that the order comes from the loader's own generator: the same seed, the same order."""
    x = np.arange(40, dtype=np.float32)
    first, again = (next(iter(Loader(x, x, 40, seed=7)))[0] for _ in range(2))
    call = "two loaders, each Loader(x, y, 40, seed=7)"
    cause = "the order must come from `self.rng`: then a run can be repeated."
    same_order = bool((array(first) == array(again)).all())
    expect(same_order, call, "the same first order", "two orders", cause)


accuracy = Exercise(
    "accuracy",
    title="The share of right answers",
    task="""
        `net` gives logits, `loader` batches `(x, y)`. Return the share of right answers among *all*
        pairs, a Python float. Nothing is to be recorded, dropout and the like are to rest, and
        afterwards `net` is back in training mode.
        """,
    stub="""
        def accuracy(net, loader):
            ...
        """,
    solution="""
        def accuracy(net, loader):
            net.eval()
            right = count = 0
            with mt.no_grad():
                for x, y in loader:
                    right += (net(x).argmax(1) == y).sum().item()
                    count += len(y)
            net.train()
            return right / count
        """,
    hints=(
        "Section 3 looks at all held-out digits at once. What changes if they come in batches, "
        "the last one smaller?",
        "Count the right answers, and count the pairs, over all batches. Divide at the end.",
        "`net.eval()` before, `net.train()` after, the loop in `with mt.no_grad():`. In each "
        "batch, add `(net(x).argmax(1) == y).sum().item()`.",
    ),
    wrong=[
        Wrong(
            """
            def accuracy(net, loader):
                net.eval()
                shares = []
                with mt.no_grad():
                    for x, y in loader:
                        shares.append((net(x).argmax(1) == y).float().mean().item())
                net.train()
                return sum(shares) / len(shares)
            """,
            says="as much as a full one",
        ),
        Slip("argmax(1)", "argmax(0)", says="along axis 1"),
        Slip("argmax(1)", "argmax()", says="one for the whole batch"),
        Slip("    net.eval()\n", "", says="dropout"),
        Slip("    net.train()\n", "", says="training mode"),
        Slip("with mt.no_grad():", "if True:", says="recorded"),
        Slip("net(x).argmax(1) == y", "net(x).argmax(1, keepdim=True) == y", says="table"),
        Slip("right / count", "right", says="a count"),
        Slip("right / count", "right / len(loader)", says="number of batches"),
        Slip("right / count", "100 * right / count", says="percent"),
        Slip("right / count", "1 - right / count", says="wrong answers"),
        Wrong(
            """
            def accuracy(net, loader):
                net.eval()
                with mt.no_grad():
                    for x, y in loader:
                        share = (net(x).argmax(1) == y).float().mean().item()
                net.train()
                return share
            """,
            says="last batch alone",
        ),
        Slip("right / count", "mt.tensor(right / count)", says="a Python float"),
        Slip("mt.no_grad()", "mt.no_grad", says="brackets"),
        Slip("argmax(1)", "max(1)", says="two things"),
        Slip("    net.train()\n    return", "            return", says="the first batch"),
    ],
    also_right=[
        """
        def accuracy(net, loader):
            net.eval()
            with mt.no_grad():
                answers = [net(x).argmax(1) == y for x, y in loader]
            net.train()
            return mt.cat(answers).float().mean().item()
        """,
        """
        @mt.no_grad()
        def accuracy(net, loader):
            net.train(False)
            right, count = 0, 0
            for x, y in loader:
                for logits, label in zip(net(x).numpy(), y.tolist()):
                    right, count = right + (int(np.argmax(logits)) == label), count + 1
            net.train(True)
            return right / count
        """,
    ],
)  # fmt: skip


class Answers(nn.Module):
    """A network whose logits are its inputs; notes the mode and whether a tape was recorded."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(mt.tensor(1.0))
        self.modes, self.recorded = [], []

    def forward(self, x):
        out = x * self.scale
        self.modes.append(self.training)
        self.recorded.append(out.requires_grad)
        return out


def answered():
    """13 logits for 4 classes and their labels: the first batches all right, the last one not."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, 13)
    logits = rng.normal(size=(13, 4)).astype(np.float32)
    logits[np.arange(13), labels] += 6
    for row in (1, 6, 11):
        logits[row, (labels[row] + 1) % 4] += 20
    return mt.tensor(logits), mt.tensor(labels)


@accuracy.checker
def check_accuracy(accuracy):
    x, y = answered()
    net = Answers()
    call = "accuracy(net, loader), for 13 pairs in batches of 4, 4, 4 and 1,"
    got = called(accuracy, net, DataLoader(TensorDataset(x, y), batch_size=4), call)
    if hasattr(got, "detach"):
        fail(call, "a Python float", "a Tensor", "take the number out: `.item()`.")
    shares = [0.75, 0.75, 0.75, 1.0]
    same(
        got,
        10 / 13,
        call,
        causes=[
            (sum(shares) / 4, "the mean of the batches' shares counts the last, small batch as "
             "much as a full one."),
            *shape_mistakes(x, y),
            (shares[-1], "that is the share of the last batch alone."),
            (shares[0], "that is the share of the first batch: where does the `return` stand?"),
            (10, "that is a count: divide by the number of pairs."),
            (10 / 4, "that is divided by the number of batches."),
            (1000 / 13, "that is in percent."),
            (3 / 13, "that is the share of wrong answers."),
        ],
        hint="compare the largest logit's place in each row with the label.",
        rtol=1e-6,
    )  # fmt: skip
    quiet = not any(net.modes)
    cause = "dropout and the like are still at work: switch them off first."
    expect(quiet, f"the mode of net in {call[:-1]}", "eval", "training", cause)
    cause = "the net's outputs were recorded: memory for a walk back that never comes."
    expect(not any(net.recorded), f"the tape of {call[:-1]}", "nothing", "recorded", cause)
    cause = "afterwards, the net should be in training mode again."
    expect(net.training, "net.training afterwards", "True", "False", cause)
    expect(mt.is_grad_enabled(), "gradients afterwards", "on", "off", "use a with-block.")


def called(accuracy, net, loader, call):
    """Call accuracy; name the cause of two errors whose own words do not."""
    try:
        return accuracy(net, loader)
    except (AttributeError, TypeError) as error:
        causes = {
            "context manager": "`no_grad` is a class: the brackets of `mt.no_grad()` are missing.",
            "'bool' object": "`max(1)` gives two things, numbers and places: for places, `argmax`.",
        }
        for words, cause in causes.items():
            if words in str(error):
                fail(call, "a Python float", f"{type(error).__name__}: {error}", cause)
        raise


def shape_mistakes(x, y):
    """Pairs (value, what to say) for an argmax along the wrong axis, or of the wrong shape."""
    cuts = [(x[i : i + 4], y[i : i + 4]) for i in (0, 4, 8, 12)]
    whole = sum((a.argmax() == b).sum().item() for a, b in cuts)
    columns = sum((a.argmax(0) == b).sum().item() for a, b in cuts)
    table = sum((a.argmax(1, keepdim=True) == b).sum().item() for a, b in cuts)
    return [
        (whole / 13, "`argmax()` without an axis gives one for the whole batch."),
        (columns / 13, "the logits of a pair stand in a row: take the largest along axis 1."),
        (table / 13, "(N, 1) and (N,) make a table: every answer is compared with every label."),
    ]


fit = Exercise(
    "fit",
    title="Repair a loop",
    task="""
        Four bugs are in this loop. It should train `net` for one epoch and return the mean loss
        over all pairs, a Python float. Whatever mode `net` is in before, it trains in training
        mode. Repair it.
        """,
    stub="""
        def fit(net, loader, optimizer):
            total = 0.0
            for x, y in loader:
                loss = F.cross_entropy(net(x).softmax(1), y)
                loss.backward()
                optimizer.zero_grad()
                optimizer.step()
                total += loss
            return total / len(loader)
        """,
    solution="""
        def fit(net, loader, optimizer):
            net.train()
            total = count = 0
            for x, y in loader:
                loss = F.cross_entropy(net(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
                count += len(y)
            return total / count
        """,
    hints=(
        "One bug is about the loss, one about an order, one about the log, one about the mode.",
        "Which two lines of section 5 belong to softmax and to zero_grad? And what does `total` "
        "carry along?",
        "No softmax; `zero_grad` before `backward`; `net.train()` at the start; add "
        "`loss.item() * len(y)`, and divide by the number of pairs.",
    ),
    wrong=[
        Slip("net(x), y)", "net(x).softmax(1), y)", says="twice"),
        Slip("optimizer.zero_grad()\n        loss.backward()",
             "loss.backward()\n        optimizer.zero_grad()", says="did not move"),
        Slip("        optimizer.zero_grad()\n", "", says="never forgotten"),
        Slip("    net.train()\n", "", says="rests"),
        Slip("loss.item() * len(y)", "loss * len(y)", says="whole tape"),
        Slip("loss.item() * len(y)", "loss.detach() * len(y)", says="take the number out"),
        Wrong(
            """
            def fit(net, loader, optimizer):
                net.train()
                total = 0.0
                for x, y in loader:
                    loss = F.cross_entropy(net(x), y)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    total += loss.item()
                return total / len(loader)
            """,
            says="as much as a full one",
        ),
        Slip("        optimizer.step()\n", "", says="no step"),
        Slip("    return total / count", "        return total / count", says="first batch"),
        Slip("return total / count", "return total", says="the sum"),
        Slip("return total / count", "return loss.item()", says="last batch"),
        Wrong(
            """
            def fit(net, loader, optimizer):
                net.train()
                total = count = 0
                for x, y in loader:
                    loss = F.cross_entropy(net(x), y)
                    optimizer.zero_grad()
                    with mt.no_grad():
                        loss.backward()
                    optimizer.step()
                    total += F.cross_entropy(net(x), y).item() * len(y)
                    count += len(y)
                return total / count
            """,
            says="after the step",
        ),
    ],
    also_right=[
        """
        def fit(net, loader, optimizer):
            net.train()
            losses, sizes = [], []
            for x, y in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(net(x), y)
                loss.backward()
                optimizer.step()
                losses.append(float(loss.detach()))
                sizes.append(len(y))
            return float(np.average(losses, weights=sizes))
        """,
        """
        def fit(net, loader, optimizer):
            net.train(True)
            total = 0.0
            for x, y in loader:
                loss = nn.CrossEntropyLoss()(net(x), y)
                loss.backward()
                optimizer.step()
                for p in net.parameters():
                    p.grad = None
                total += len(x) * loss.item()
            return total / len(loader.dataset)
        """,
    ],
)  # fmt: skip


def small():
    """A network, its pairs in batches of 5, 5 and 2, and an optimiser; the same every time."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(12, 3)).astype(np.float32)
    y = rng.integers(0, 4, 12)
    first = rng.normal(size=(4, 3)).astype(np.float32)
    net = nn.Sequential(nn.Linear(3, 4), Rest())
    with mt.no_grad():
        net[0].weight.copy_(mt.tensor(first))
        net[0].bias.zero_()
    loader = DataLoader(TensorDataset(mt.tensor(x), mt.tensor(y)), batch_size=5)
    return net.eval(), loader, mt.optim.SGD(net.parameters(), lr=0.3)


class Rest(nn.Module):
    """Stands for dropout: it does something in training, and nothing in use. Not random."""

    def forward(self, x):
        return x * 2 if self.training else x


def reference(*, train=True, softmax=False, zero=True, step=True, batches=3, after=False):
    """Run the loop, with or without bugs: the first row of weights afterwards, losses, sizes."""
    net, loader, optimizer = small()
    net.train(train)
    losses, sizes = [], []
    for x, y in list(loader)[:batches]:
        out = net(x)
        loss = F.cross_entropy(out.softmax(1) if softmax else out, y)
        if zero:
            optimizer.zero_grad()
        loss.backward()
        if step:
            optimizer.step()
        losses.append(F.cross_entropy(net(x), y).item() if after else loss.item())
        sizes.append(len(y))
    return net[0].weight.detach().numpy()[0].copy(), losses, sizes


@fit.checker
def check_fit(fit):
    net, loader, optimizer = small()
    start = net[0].weight.detach().numpy()[0].copy()
    call = "fit(net, loader, optimizer), for 12 pairs in batches of 5, 5 and 2,"
    got = fit(net, loader, optimizer)
    weight, losses, sizes = reference()
    still = "the weights did not move: is the gradient forgotten before the step?"
    if any(p.grad is not None and p.grad.numpy().any() for p in net.parameters()):
        still = "the weights did not move: there was no step."
    first = reference(batches=1)
    same(
        net[0].weight.detach().numpy()[0].copy(),
        weight,
        f"the first row of net's weights after {call[:-1]}",
        causes=[
            (start, still),
            (reference(softmax=True)[0], "softmax is taken twice: `cross_entropy` does it."),
            (reference(zero=False)[0], "old gradients are never forgotten: each step follows the "
             "sum of all so far."),
            (reference(train=False)[0], "the net came in eval mode, where dropout rests. Training "
             "needs training mode."),
            (first[0], "only the first batch was used: where does the `return` stand?"),
        ],
        hint="forget, compute the loss, walk back, step: for each batch.",
        rtol=1e-4,
        dtype=False,
    )  # fmt: skip
    if hasattr(got, "detach"):
        cause = "take the number out: `.item()`."
        if got.requires_grad:
            cause = "a Tensor in a log carries its whole tape along: add up numbers."
        fail(call, "a Python float", "a Tensor", cause)
    want = float(np.average(losses, weights=sizes))
    late = reference(after=True)
    same(
        got,
        want,
        call,
        causes=[
            (sum(losses) / 3, "the last, small batch counts as much as a full one."),
            (float(np.dot(losses, sizes)), "that is the sum over all pairs, not the mean."),
            (losses[-1], "that is the loss of the last batch alone."),
            (float(np.average(late[1], weights=sizes)), "that is the loss after the step, on "
             "weights that have just seen this batch."),
        ],
        hint="add up each batch's loss times its number of pairs, then divide.",
        rtol=1e-4,
    )  # fmt: skip


QUIZ = [
    Question(
        "A table of all known images and their labels is right on 100% of them. What does that "
        "say about new images?",
        [
            Choice("About 100% will be right", "Not one new image is in the table."),
            Choice("Nothing", "Only images that it has not seen can tell.", right=True),
            Choice(
                "Somewhat less than 100% will be right",
                "That would need some idea of what a digit looks like. The table has none.",
            ),
        ],
    ),
    Question(
        "100 pairs come in batches of 32, shuffled. What does a DataLoader promise for one `for` "
        "loop, by default?",
        [
            Choice(
                "3 batches of 32, the rest is dropped",
                "Only with `drop_last=True`.",
            ),
            Choice(
                "4 batches of 32, drawn at random from all pairs",
                "Then some pairs would come twice, and others never.",
            ),
            Choice("Each pair once, in 4 batches, the last of 4", "3 times 32, and 4.", right=True),
        ],
    ),
    Question(
        "A loss stays at exactly 2.341, epoch after epoch, to the last digit. Which bug is most "
        "likely?",
        [
            Choice(
                "The learning rate is too high",
                "Then the loss would jump, or become `nan`. It would not stand still.",
            ),
            Choice(
                "The gradient is forgotten between `backward` and `step`",
                "No gradient, no step: the weights are the first ones still.",
                right=True,
            ),
            Choice(
                "Images and labels were shuffled apart",
                "Then it moves a little, and settles at log(10), about 2.303.",
            ),
            Choice(
                "The softmax is taken twice",
                "Then it learns slowly; its loss sinks and gets stuck.",
            ),
        ],
    ),
    Question(
        "Why is a network not trained by raising its accuracy?",
        [
            Choice(
                "It is flat: a small move of a weight changes no answer, so there is no slope to "
                "follow",
                "And where an answer flips, it jumps.",
                right=True,
            ),
            Choice(
                "It would work, but more slowly",
                "`backward` has nowhere to go: `argmax` gives whole numbers without a record.",
            ),
            Choice(
                "The cross-entropy is the more honest score",
                "What people want are right answers. The loss is a way to get there.",
            ),
        ],
    ),
    Question(
        "`prediction` has the shape (64, 1), `target` (64,). What is the mean of "
        "`(prediction - target) ** 2`?",
        [
            Choice("An error: shapes differ", "They broadcast, to (64, 64)."),
            Choice(
                "The mean over 64 squared misses",
                "It would be, if both had the same shape.",
            ),
            Choice(
                "The mean over 4096 differences, each prediction with each target",
                "And it is not 0 when all predictions are perfect.",
                right=True,
            ),
        ],
    ),
]
