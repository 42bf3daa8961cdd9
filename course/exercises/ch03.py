"""Exercises and quiz of chapter 03."""

from kit.checks import expect, fail, same
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question
from kit.scalar import Value

SETUP = """
from kit.scalar import Value


def pass_back(out):
    for parent, slope in zip(out.parents, out.slopes):
        parent.grad += slope * out.grad
"""

TOPOLOGICAL = """
def topological(out):
    order = []

    def visit(box):
        if box not in order:
            for parent in box.parents:
                visit(parent)
            order.append(box)

    visit(out)
    return order
"""

BACKWARD = """
def backward(out):
    out.grad = 1.0
    for box in reversed(topological(out)):
        pass_back(box)
"""

DOUBLINGS = 40  # so many that a walk along every route would never end
ROUTES = 10_000  # reads of parents after which a walk over DOUBLINGS + 1 boxes repeats itself
RUNGS = 6  # of the ladder
CALL = "the test graph: x = a * b, y = a + x, z = x * y at a = 2, b = 3"
SWAPPED = "the test graph with its last line swapped: z = y * x"
LADDER = "a ladder: a = -1, b = -2, then six times the sum of the last two boxes"
EMPTY = "was a pass made, is `backward` solved, and did the inputs keep what they got?"
LUCK = " With `z = x * y` it was right by luck: now `y` is the first parent."


def build(a, b, swapped=False):
    """Return x, y, z of the test graph, or of its twin that catches the mirrored walks."""
    x = a * b
    y = a + x
    z = y * x if swapped else x * y
    a.name, b.name, x.name, y.name, z.name = "a", "b", "x", "y", "z"
    return x, y, z


def ladder():
    """Return the boxes of a graph with one right order, against which the values fall.

    It catches walks level by level that move a box when they meet it again, and sorting by data.
    """
    boxes = [Value(-1.0, name="a"), Value(-2.0, name="b")]
    for rung in range(RUNGS):
        boxes.append(boxes[-2] + boxes[-1])
        boxes[-1].name = f"s{rung}"
    return boxes


class Counted(Value):
    """A Value that fails once the parents of all its kind were read too often."""

    __slots__ = ("kept",)
    reads = 0

    @property
    def parents(self):
        Counted.reads += 1
        if Counted.reads > ROUTES:
            cause = "it walks every route anew, and the routes double with each box."
            many = f"more than {ROUTES} looks at parents, and no end"
            fail(f"{DOUBLINGS} doublings", f"an end: {DOUBLINGS + 1} boxes", many, cause)
        return self.kept

    @parents.setter
    def parents(self, parents):
        self.kept = parents


def doubled():
    """Return input and result of DOUBLINGS doublings, each box used twice."""
    Counted.reads = 0
    start = out = Counted(1.0)
    for _ in range(DOUBLINGS):
        out = Counted(out.data + out.data, (out, out), "+", (1.0, 1.0))
    return start, out


topological = Exercise(
    "topological",
    title="A list with every box after its parents",
    task="""
        Return a list of all the boxes that `out` was made of, and `out` itself. Each box stands in
        it once, after its parents. Any order that keeps this rule is right.
        """,
    stub="""
        def topological(out):
            order = []

            def visit(box):
                ...

            visit(out)
            return order
        """,
    solution=TOPOLOGICAL,
    hints=(
        "Look at what `walk` printed in section 4: which of its lines come in the right order?",
        "Put a box on the list on the way *out*: after the loop over its parents, not before it.",
        "`visit` does nothing if `box` is in `order` already. Else it visits every parent, then "
        "appends `box`.",
    ),
    wrong=[
        Wrong(
            """
            def topological(out):
                order = []

                def visit(box):
                    if box not in order:
                        order.append(box)
                        for parent in box.parents:
                            visit(parent)

                visit(out)
                return order
            """,
            says="on the way in",
        ),
        Wrong(
            """
            def topological(out):
                order = []

                def visit(box):
                    for parent in box.parents:
                        visit(parent)
                    order.append(box)

                visit(out)
                return order
            """,
            says="more than once",
        ),
        Wrong(
            """
            def topological(out):
                order = [out]
                for box in order:
                    for parent in box.parents:
                        if parent not in order:
                            order.append(parent)
                return order[::-1]
            """,
            says="turning it round does not help",
        ),
        Wrong(
            """
            def topological(out):
                order, stack = [], [out]
                while stack:
                    box = stack.pop()
                    if box not in order:
                        order.append(box)
                        stack.extend(box.parents)
                return order[::-1]
            """,
            says="right by luck",
        ),
        Wrong(
            """
            def topological(out):
                order = [out]
                for box in order:
                    for parent in box.parents:
                        if parent in order:
                            order.remove(parent)
                        order.append(parent)
                return order[::-1]
            """,
            says="small graphs forgive",
        ),
        Wrong(
            """
            def topological(out):
                found = [out]
                for box in found:
                    for parent in box.parents:
                        if parent not in found:
                            found.append(parent)
                return sorted(found, key=lambda box: box.data)
            """,
            says="turned round",
        ),
        Wrong(
            """
            def topological(out):
                order, seen = [], set()

                def visit(box):
                    if box.data not in seen:
                        seen.add(box.data)
                        for parent in box.parents:
                            visit(parent)
                        order.append(box)

                visit(out)
                return order
            """,
            says="look for the box itself",
        ),
        Wrong(
            """
            def topological(out, order=[]):
                if out not in order:
                    for parent in out.parents:
                        topological(parent)
                    order.append(out)
                return order
            """,
            says="from an earlier call",
        ),
        Wrong(
            """
            def topological(out):
                order = []

                def visit(box):
                    if box.parents and box not in order:
                        for parent in box.parents:
                            visit(parent)
                        order.append(box)

                visit(out)
                return order
            """,
            says="inputs are boxes",
        ),
        Wrong(
            """
            def topological(out):
                order = []

                def visit(box):
                    for parent in box.parents:
                        if parent not in order:
                            visit(parent)
                            order.append(parent)

                visit(out)
                return order
            """,
            says="`out` itself",
        ),
        Wrong(
            """
            def topological(out):
                order = []

                def visit(box):
                    for parent in box.parents:
                        visit(parent)
                    order.append(box)

                visit(out)
                return list(dict.fromkeys(order))
            """,
            says="every route",
        ),
        Wrong(
            """
            def topological(out):
                order = []

                def visit(box):
                    if box not in order:
                        for parent in box.parents:
                            visit(parent)
                        order.append(box.name)

                visit(out)
                return order
            """,
            says="the boxes themselves",
        ),
        Wrong(
            """
            def topological(out):
                order = []

                def visit(box):
                    if box not in order:
                        for parent in box.parents:
                            visit(parent)
                        order.append(box)

                visit(out)
                return order[::-1]
            """,
            says="already turned round",
        ),
    ],
    also_right=[
        """
        def topological(out):
            order, done, stack = [], set(), [(out, False)]
            while stack:
                box, ready = stack.pop()
                if ready:
                    order.append(box)
                elif box not in done:
                    done.add(box)
                    stack.append((box, True))
                    stack.extend((parent, False) for parent in box.parents if parent not in done)
            return order
        """,
        """
        def topological(out):
            waiting, found = {out: 0}, [out]
            for box in found:
                for parent in box.parents:
                    if parent not in waiting:
                        waiting[parent] = 0
                        found.append(parent)
                    waiting[parent] += 1
            ready, order = [out], []
            while ready:
                box = ready.pop()
                order.append(box)
                for parent in box.parents:
                    waiting[parent] -= 1
                    if not waiting[parent]:
                        ready.append(parent)
            return order[::-1]
        """,
        """
        def topological(out):
            seen = {}

            def visit(box):
                for parent in reversed(box.parents):
                    if parent not in seen:
                        visit(parent)
                seen[box] = True

            visit(out)
            return tuple(seen)
        """,
    ],
)


@topological.checker
def check_topological(topological):
    a, b = Value(2.0), Value(3.0)
    z = build(a, b)[2]
    check_order(topological(z), [a, b, *z.parents, z], f"topological(z), for {CALL}")
    a, b = Value(2.0), Value(3.0)
    z = build(a, b, swapped=True)[2]
    check_order(topological(z), [a, b, *z.parents, z], f"topological(z), for {SWAPPED}", LUCK)
    boxes = ladder()
    forgiven = " Here every step must be in its place; small graphs forgive more."
    check_order(topological(boxes[-1]), boxes, f"topological(s{RUNGS - 1}), {LADDER}", forgiven)
    check_twins(topological)
    one = Value(1.0, name="input")
    check_order(topological(one), [one], "topological(input), for one input alone")
    square = one * one
    square.name = "square"
    check_order(topological(square), [one, square], "topological(square), square = input * input")
    start, out = doubled()
    order = topological(out)
    same(len(order), DOUBLINGS + 1, f"len(topological(out)), for {DOUBLINGS} doublings")
    expect(order[0] is start and order[-1] is out, "its ends", "the input, then out", "others")


def check_twins(topological):
    """Check that boxes are told apart though they hold one number and go by one name."""
    twins = [Value(2.0, name="twin"), Value(2.0, name="twin")]
    product = twins[0] * twins[1]
    product.name = "product"
    order = topological(product)
    call = "topological(product), product = twin * twin: two inputs, both 2, both named twin"
    if isinstance(order, (list, tuple)) and len(order) == 2:
        cause = "two boxes with one number or one name are still two: look for the box itself."
        fail(call, "3 boxes", "2 boxes", cause)
    check_order(order, [*twins, product], call)


def check_order(order, boxes, call, note=""):
    """Check that order holds these boxes, each once and after its parents. note: said if not."""
    a_list = isinstance(order, (list, tuple))
    cause = "nothing came back: is there a `return`?" if order is None else "return a list."
    expect(a_list, call, "a list of boxes", type(order).__name__, cause)
    expect(len(order) > 0, call, f"{len(boxes)} boxes", "an empty list", "nobody is put on it.")
    cause = "put the boxes themselves on the list."
    expect(all(isinstance(box, Value) for box in order), call, "Values", "other things", cause)
    got, wanted = f"the order {names(order)}", f"{sorted(names(boxes))} in an order that works"
    cause = "it holds boxes from an earlier call: make a new list in each call."
    expect(all(box in boxes for box in order), call, wanted, got, cause)
    cause = "a box is on the list more than once: where arrows meet, you come by again."
    expect(len(set(order)) == len(order), call, wanted, got, cause)
    if len(order) < len(boxes):
        fail(call, wanted, got, missing(order, boxes))
    place = {box: i for i, box in enumerate(order)}
    arrows = [(place[parent], place[box]) for box in order for parent in box.parents]
    if any(start > end for start, end in arrows):
        fail(call, wanted, got, backward_cause(arrows, order, boxes[-1]) + note)


def names(boxes):
    return [box.name or "?" for box in boxes]


def missing(order, boxes):
    """Say which kind of box is not on the list."""
    if boxes[-1] not in order:
        return "`out` itself is not on the list."
    left_out = [box for box in boxes if box not in order]
    if all(not box.parents for box in left_out):
        return "an input is missing: inputs are boxes, too, only without parents."
    return "not every box was reached: go to every parent, and from there on."


def backward_cause(arrows, order, out):
    """Say why some box stands before a parent of its own."""
    if all(start > end for start, end in arrows):
        return "this list is already turned round: parents must come first."
    if order[0] is out:
        return "boxes are noted on the way in, when their parents are still to come."
    return (
        "a box stands before its own parent. If you turned a list round: turning it round does "
        "not help when it was noted on the way in, or level by level."
    )


backward = Exercise(
    "backward",
    title="Backward, for any graph",
    setup=TOPOLOGICAL,
    task="""
        Give every box behind `out` its gradient. Each box passes on once, when all its shares have
        come. Use your `topological`, or any other way. `grad` is 0 in every box when you start.
        """,
    stub="""
        def backward(out):
            order = topological(out)
            ...
        """,
    solution=BACKWARD,
    hints=(
        "Which gradient is known without any work? Section 2 sets it before it starts.",
        "`topological` puts parents first. Who has to pass on first? Turn the list round.",
        "Set `out.grad` to 1. Then call `pass_back` for each box of the list, from its end.",
    ),
    wrong=[
        Wrong(
            """
            def backward(out):
                out.grad = 1.0

                def visit(box):
                    pass_back(box)
                    for parent in box.parents:
                        visit(parent)

                visit(out)
            """,
            says="passed on twice",
        ),
        Wrong(
            """
            def backward(out):
                out.grad = 1.0
                done = []

                def visit(box):
                    if box not in done:
                        done.append(box)
                        pass_back(box)
                        for parent in box.parents:
                            visit(parent)

                visit(out)
            """,
            says="too early",
        ),
        Wrong(
            """
            def backward(out):
                out.grad = 1.0
                done, stack = [], [out]
                while stack:
                    box = stack.pop()
                    if box not in done:
                        done.append(box)
                        pass_back(box)
                        stack.extend(box.parents)
            """,
            says="right by luck",
        ),
        Wrong(
            """
            def backward(out):
                out.grad = 1.0
                order = [out]
                for box in order:
                    for parent in box.parents:
                        if parent in order:
                            order.remove(parent)
                        order.append(parent)
                for box in order:
                    pass_back(box)
            """,
            says="small graphs forgive",
        ),
        Slip("out.grad = 1.0", "topological(out)[0].grad = 1.0", says="went to an input"),
        Slip("reversed(topological(out))", "topological(out).reverse()", says="gives None"),
        Slip("        pass_back(box)", "        pass_back(out)", says="`out` passed on"),
        Wrong(
            """
            def backward(out):
                for box in reversed(topological(out)):
                    pass_back(box)
                out.grad = 1.0
            """,
            says="before anybody passes on",
        ),
        Wrong(
            """
            def backward(out):
                out.grad = 1.0
                for box in reversed(topological(out)):
                    for parent, slope in zip(box.parents, box.slopes):
                        parent.grad += slope
            """,
            says="times the gradient",
        ),
        Slip("out.grad = 1.0", "pass", says="never set"),
        Slip("reversed(topological(out))", "topological(out)", says="from the inputs to `out`"),
        Slip("out.grad = 1.0", "out.grad = out.data", says="at itself"),
        Wrong(
            """
            def backward(out):
                out.grad = 1.0
                for box in reversed(topological(out)):
                    for parent, slope in zip(box.parents, box.slopes):
                        parent.grad = slope * box.grad
            """,
            says="overwrites",
        ),
        Wrong(
            """
            def backward(out):
                for box in reversed(topological(out)):
                    box.grad = 1.0
                    pass_back(box)
            """,
            says="only at the end",
        ),
        Wrong(
            """
            def backward(out, share=1.0):
                out.grad += share
                for parent, slope in zip(out.parents, out.slopes):
                    backward(parent, share * slope)
            """,
            says="every route",
        ),
    ],
    also_right=[
        """
        def backward(out):
            order = topological(out)
            order[-1].grad = 1
            while order:
                box = order.pop()
                for i in range(len(box.parents)):
                    box.parents[i].grad += box.grad * box.slopes[i]
        """,
        """
        def backward(out):
            waiting, found = {out: 0}, [out]
            for box in found:
                for parent in box.parents:
                    if parent not in waiting:
                        waiting[parent] = 0
                        found.append(parent)
                    waiting[parent] += 1
            out.grad = 1.0
            ready = [out]
            while ready:
                box = ready.pop()
                pass_back(box)
                for parent in box.parents:
                    waiting[parent] -= 1
                    if waiting[parent] == 0:
                        ready.append(parent)
        """,
    ],
)


@backward.checker
def check_backward(backward):
    for swapped in (False, True):
        check_test_graph(backward, swapped)
    one = Value(5.0)
    run(backward, one)
    same(one.grad, 1.0, "input.grad after backward(input), for one input alone")
    boxes = ladder()
    run(backward, boxes[-1])
    same(
        [box.grad for box in boxes],
        [8.0, 13.0, 8.0, 5.0, 3.0, 2.0, 1.0, 1.0],
        f"the gradients of all boxes after backward(s{RUNGS - 1}), {LADDER}",
        hint="some box passed on before its last share. Here every step must be in its place; "
        "small graphs forgive more.",
    )
    start, out = doubled()
    run(backward, out)
    want = 2.0**DOUBLINGS
    same(start.grad, want, f"the input's grad after {DOUBLINGS} doublings, each x = x + x")


def check_test_graph(backward, swapped):
    """Check all gradients of the test graph, or of its swapped twin."""
    a, b = Value(2.0), Value(3.0)
    x, y, z = build(a, b, swapped)
    run(backward, z)
    call = f"(a.grad, b.grad) after backward(z), for {SWAPPED if swapped else CALL}"
    if (a.grad, b.grad) == (0.0, 0.0):
        fail(call, "(48.0, 28.0)", "(0.0, 0.0)", nothing_arrived(x, y, z))
    luck = LUCK if swapped else ""
    early = "`x` passed on too early: the share from `y` came afterwards." + luck
    same(
        (a.grad, b.grad),
        (48.0, 28.0),
        call,
        causes=[
            ((72.0, 44.0), "`x` passed on twice: its first share was sent again with the second."),
            ((66.0, 40.0), "`x` passed on twice, once from each of its two arrows."),
            ((30.0, 16.0), early),
            ((18.0, 12.0), "where two arrows meet, the second overwrites the first."),
            ((2304.0, 1344.0), "`out.grad` is the slope of `out` at itself, not its value."),
            ((1.0, 1.0), "1 is right only at the end; all others collect their shares."),
            ((1.0, 0.0), "the 1 went to an input: at which end of the list does `out` stand?"),
            ((4.0, 2.0), "a share is the slope times the gradient of the box that passes on."),
            ((3.0, 2.0), "a share is the gradient times the slope of its arrow."),
        ],
        hint="print each box's name and gradient when it passes on, and compare with section 4.",
    )
    same((x.grad, y.grad, z.grad), (14.0, 6.0, 1.0), "(x.grad, y.grad, z.grad) after backward(z)")


def run(function, out):
    """Call function(out); explain the two common ways to meet a None."""
    try:
        function(out)
    except TypeError as error:
        cause = none_cause(str(error))
        if not cause:
            raise
        fail(f"{function.__name__}(out)", "no error", f"TypeError: {error}", cause)


def none_cause(message):
    """Return what is likely wrong, given a TypeError's message; "" if it is not about None."""
    if "'NoneType'" not in message:
        return ""
    if "'float'" in message:
        return "a gradient is None, and None adds to nothing: zero is written 0.0 here."
    return (
        "a list was wanted, and there is None. A list's own `reverse()` turns it round in place "
        "and gives None. Or does your `topological` lack its `return`?"
    )


def nothing_arrived(x, y, z):
    """Say why the inputs got nothing."""
    if not z.grad:
        return "the gradient at the end was never set: zero times any slope is zero."
    if not x.grad:
        return (
            "only `out` has a gradient. Is it set before anybody passes on? Is `topological` "
            "solved, and does each box of its list pass on?"
        )
    if y.grad > 6.0:
        return "`out` passed on again and again, and no other box did."
    return (
        "gradients came to `x` and `y`, and no further. Did the boxes pass on in the order "
        "from the inputs to `out`? Then `x` and `y` had their turn when nothing had come yet."
    )


fresh_backward = Exercise(
    "fresh_backward",
    title="Backward, a second time",
    setup=f"{TOPOLOGICAL}\n\n{BACKWARD}",
    task="""
        `backward` is your own. Make it safe to call again: boxes that were made start each pass
        from zero, so nothing stale is left. Inputs, the boxes without parents, keep what they hold
        and add up.
        """,
    stub="""
        def fresh_backward(out):
            ...
            backward(out)
        """,
    solution="""
        def fresh_backward(out):
            for box in topological(out):
                if box.parents:
                    box.grad = 0.0
            backward(out)
        """,
    hints=(
        "Look at what section 6 printed for pass 2: which boxes should not have remembered?",
        "Go through all boxes before the pass. How do you tell an input from a box that was made?",
        "In every box of `topological(out)` that has parents, set `grad` to zero. Leave the rest.",
    ),
    wrong=[
        Wrong("def fresh_backward(out):\n    pass\n    backward(out)\n    return out",
              says="stale"),
        Slip("if box.parents:", "if True:", says="inputs forgot"),
        Slip("box.grad = 0.0", "box.grad = None", says="None adds to nothing"),
        Slip("if box.parents:", "if not box.parents:", says="the wrong way round"),
        Slip("    backward(out)", "    pass", says="was a pass made"),
        Wrong(
            """
            def fresh_backward(out):
                if out.grad == 0.0:
                    backward(out)
            """,
            says="second pass added nothing",
        ),
        Wrong(
            """
            def fresh_backward(out):
                for parent in out.parents:
                    parent.grad = 0.0
                backward(out)
            """,
            says="further back",
        ),
    ],
    also_right=[
        """
        def fresh_backward(out):
            backward(out)
            for box in topological(out):
                if len(box.parents) > 0:
                    box.grad = 0.0
        """,
        """
        def fresh_backward(out):
            grads = {out: 1.0}
            for box in reversed(topological(out)):
                share = grads.pop(box)
                if not box.parents:
                    box.grad += share
                for parent, slope in zip(box.parents, box.slopes):
                    grads[parent] = grads.get(parent, 0.0) + slope * share
        """,
    ],
)  # fmt: skip


@fresh_backward.checker
def check_fresh_backward(fresh_backward):
    a, b = Value(2.0), Value(3.0)
    z = build(a, b)[2]
    run(fresh_backward, z)
    same(
        (a.grad, b.grad),
        (48.0, 28.0),
        f"(a.grad, b.grad) after one fresh_backward(z), for {CALL}",
        causes=[((0.0, 0.0), EMPTY)],
        hint="without anything stale it must do what `backward` does.",
    )
    run(fresh_backward, z)
    same(
        (a.grad, b.grad),
        (96.0, 56.0),
        "(a.grad, b.grad) after a second fresh_backward(z)",
        causes=[
            ((162.0, 96.0), "stale gradients: `x` and `y` still held those of the first pass."),
            ((210.0, 124.0), "stale gradients in `x`, `y` and `z`, from the first pass."),
            ((114.0, 68.0), "the wrong way round: inputs were cleared, made boxes were not."),
            ((48.0, 28.0), unmoved(fresh_backward)),
        ],
        hint="print the gradient of every box before the second pass.",
    )
    a, b = Value(2.0), Value(3.0)
    x = a * b
    end, other = x.square().square(), x + a
    run(fresh_backward, end)
    run(fresh_backward, end)
    call = "x = a * b, end = x.square().square(), and fresh_backward(end) twice"
    deep = "a box further back is still stale: go through all of `topological(out)`."
    same((a.grad, b.grad), (5184.0, 3456.0), f"(a.grad, b.grad), {call}", hint=deep)
    run(fresh_backward, other)
    shared = "`x` belongs to both graphs: is it cleared, and is the input `a` left alone?"
    call = "the same, then other = x + a, and fresh_backward(other)"
    same((a.grad, b.grad), (5188.0, 3458.0), f"(a.grad, b.grad), {call}", hint=shared)


def unmoved(fresh_backward):
    """Say why a second pass left the inputs as the first did."""
    a, b = Value(2.0), Value(3.0)
    z = build(a, b)[2]
    a.grad = b.grad = 100.0
    run(fresh_backward, z)
    if a.grad < 100.0:
        return (
            "the inputs forgot the first pass: only made boxes start from zero, in `backward` too."
        )
    return "the second pass added nothing: it must run as the first one did."


QUIZ = [
    Question(
        "Plain recursion, which passes on at every arrow it follows, gave 72 where 48 is right. "
        "What went wrong?",
        [
            Choice(
                "The second share overwrote the first",
                "Then the result would be too small. The shares did add up.",
            ),
            Choice(
                "`x` passed its first share on twice",
                "At the second visit it sent all it held, with the first share in it.",
                right=True,
            ),
            Choice(
                "Recursion cannot walk back through a graph",
                "It can: on a chain it is right, and it can make the list of the right order.",
            ),
        ],
    ),
    Question(
        "`p = a * b`, then `q = p + a`, then `r = q * p`. Which order of passing back is right?",
        [
            Choice("`r`, `p`, `q`", "`p` would pass on before the share from `q` has come."),
            Choice(
                "`p`, `q`, `r`", "That is the order of making. At the start only `r` holds any."
            ),
            Choice("`r`, `q`, `p`", "`p` goes last: both its arrows have delivered.", right=True),
            Choice("Any order, if each goes once", "That is how 30 came out where 48 is right."),
        ],
    ),
    Question(
        "A function has 500 inputs and one result. What do all 500 slopes cost by central "
        "nudging, and by backprop?",
        [
            Choice(
                "1000 runs; one run and one pass back",
                "Two runs for each input, against one way there and one way back.",
                right=True,
            ),
            Choice(
                "1000 runs; 500 passes back",
                "One pass back fills in every input's `grad`: they share the way.",
            ),
            Choice(
                "2 runs; one run and one pass back",
                "Two runs give the slope at one input. The others need their own.",
            ),
            Choice(
                "The same: backprop nudges inside", "It never nudges. It multiplies known slopes."
            ),
        ],
    ),
    Question(
        "In minitensor `x` is 3 and `y = x * x`. You run both lines, `y = x * x` and "
        "`y.backward()`, twice. What is `x.grad`?",
        [
            Choice("6: the second replaces the first", "`backward` adds to what is there."),
            Choice(
                "There is an error: backward runs only once",
                "Only for one and the same graph. The second line made a new one.",
            ),
            Choice("12", "Two graphs, two passes, 6 from each.", right=True),
        ],
    ),
    Question(
        "Why does the second `y.backward()` raise an error for `y = x * x`, but not for "
        "`y = x + 1`?",
        [
            Choice(
                "A product's slopes need saved values, and those were freed",
                "A sum's slopes are 1: it saves nothing, so it misses nothing.",
                right=True,
            ),
            Choice(
                "`x` is used twice in the product",
                "`x.square()` uses it once, and would raise, too.",
            ),
            Choice(
                "The gradient was computed already, and `backward` refuses to add",
                "For the sum it does add: 1 + 1.",
            ),
        ],
    ),
]
