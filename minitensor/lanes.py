"""Fast lanes: for each op, a function with its common case written out.

``core.apply`` is general: any number of inputs, promotion, devices, errors. Most calls need none of
that: Tensors of one array type and one floating dtype, or such a Tensor and a Python number. From
an op's definition this file writes the straight-line code for that case; everything else goes
on to ``apply``. Tests hold that both give the same. To read a lane: ``print(lanes.source(op))``.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np

from . import core
from .backend import FLOAT32, FLOAT64
from .core import Op

# -- rules -----------------------------------------------------------------------------------------


def build_pull(op: Op) -> Any:
    """``(g, saved, attrs, edges) -> gradients``: the rules of all inputs whose edge is not None."""
    if op.variadic:  # one rule for every input, which is told which one
        call = _call_rule(op, op.inputs[0])
        parts = f"[{call} if edge is not None else None for i, edge in enumerate(edges)]"
    else:
        calls = [_call_rule(op, name) for name in op.inputs]
        wanted = [f"{c} if edges[{i}] is not None else None" for i, c in enumerate(calls)]
        parts = f"({', '.join(wanted)},)"
    return eval(f"lambda g, saved, attrs, edges: {parts}", dict(op.rules))  # from op's definition


def _call_rule(op: Op, wrt: str) -> str:
    if wrt not in op.rules:
        return "None"
    if op.rules[wrt].__code__.co_code == PASS_ON and not op.needs[wrt]:
        return "g"
    return f"{wrt}({', '.join(['g', *[_fetch(op, name) for name in op.needs[wrt]]])})"


PASS_ON = (lambda g: g).__code__.co_code


def _fetch(op: Op, name: str) -> str:
    if name in op.attrs:
        return f"attrs[{name!r}]"
    return "i" if name == "i" else f"saved[{op.saves.index(name)}]"


# -- lanes -----------------------------------------------------------------------------------------

NUMBERS = (float, int, bool)

ONE = """\
    if not isinstance({x}, Tensor):
        if type({x}) in RUN:  # a raw array, in a rule
            return RUN[type({x})]({x}{keywords})
        return outside(OP, ({x},), {attrs})
    a0 = {array}
    kind = type(a0)
    n0 = {x}.needs_grad
    if {fits}:
        return apply(OP, ({x},), {attrs})
"""
TWO = """\
    if isinstance({x}, Tensor):
        a0 = {x}.array
        n0 = {x}.needs_grad
        if isinstance({y}, Tensor):
            a1 = {y}.array
            n1 = {y}.needs_grad
            kind = type(a0)
            if a0.dtype is not a1.dtype or kind is not type(a1) or {fits}:
                return apply(OP, ({x}, {y}), {attrs})
        elif type({y}) in NUMBERS and (a0.dtype is FLOAT32 or a0.dtype is FLOAT64):
            a1 = {y}
            n1 = False
            kind = type(a0)
        else:
            return apply(OP, ({x}, {y}), {attrs})
    elif isinstance({y}, Tensor):
        a0 = {x}
        n0 = False
        a1 = {y}.array
        n1 = {y}.needs_grad
        kind = type(a1)
        if type({x}) not in NUMBERS or (a1.dtype is not FLOAT32 and a1.dtype is not FLOAT64):
            return apply(OP, ({x}, {y}), {attrs})
    else:
        return outside(OP, ({x}, {y}), {attrs})
"""
MANY = """\
    if not ({all_tensors}):
        if {any_tensor}:
            return apply(OP, ({names},), {attrs})
        if type({x}) in RUN:
            return RUN[type({x})]({names}{keywords})
        return outside(OP, ({names},), {attrs})
{unwrap}
    kind = type(a0)
    if {differ}:
        return apply(OP, ({names},), {attrs})
"""
RUN = """\
    try:
        out = (FORWARD if kind is NDARRAY else RUN[kind])({arrays}{keywords})
    except Exception:
        return apply(OP, ({names},), {attrs})  # which says what is wrong
    if type(out) is not kind:
        out = to_array(out)  # NumPy gives a scalar where the result is 0-d
    t = Tensor()
    t.array = out
    t.view_of = None
"""
RECORD = """\
    if GRAD and ({needs}):
        node = Node()
        node.op = OP
        node.attrs = {node_attrs}
        node.first = {first}
        node.second = {second}
        node.many = {many}
        node.saved = ({saved})
        node.shape = out.shape
        node.hooks = ()
        node.info = None
        node.seq = next_seq()
        t.node = node
        t.needs_grad = True
    else:
        t.node = None
        t.needs_grad = False
"""
PLAIN = """\
    t.node = None
    t.needs_grad = False
"""
VIEW = """\
    mark_view(t, {x}, OP, {attrs})
"""
END = """\
    if OBSERVERS:
        notify(OP, ({names},), {attrs}, t)
    return t
"""


def source(op: Op) -> str:
    """The text of an op's lane."""
    names = op.inputs
    attrs = "{" + ", ".join(f"{a!r}: {a}" for a in op.attrs) + "}" if op.attrs else "NO_ATTRS"
    star = "".join(f", {a}" for a in op.attrs)
    head = f"def {op.name}({', '.join(names)}{', *' + star if star else ''}):\n"
    keywords = "".join(f", {a}={a}" for a in op.attrs)
    body = _guard(op, attrs, keywords)
    arrays = ", ".join(f"a{i}" for i in range(len(names)))
    listed = ", ".join(names)
    body += RUN.format(arrays=arrays, keywords=keywords, names=listed, attrs=attrs)
    body += _record(op, attrs) if op.rules else PLAIN
    if op.view:
        body += VIEW.format(x=names[0], attrs=attrs)
    return head + body + END.format(names=listed, attrs=attrs)


def _guard(op: Op, attrs: str, keywords: str) -> str:
    names = op.inputs
    fits = (
        "a0.dtype is not FLOAT32 and a0.dtype is not FLOAT64" if op.dtypes == "float" else "False"
    )
    if len(names) == 1:
        x = names[0]
        array = f"{x}.array if {x}.array.flags.c_contiguous else settled({x})"
        array = array if op.view else f"{x}.array"
        text = ONE.format(x=x, attrs=attrs, fits=fits, array=array, keywords=keywords)
        return text if fits != "False" else text[: text.index("    if False")]
    if len(names) == 2 and op.dtypes in ("promote", "float"):
        return TWO.format(x=names[0], y=names[1], attrs=attrs, fits=fits).replace(" or False", "")
    unwrap = "\n".join(
        f"    a{i} = {x}.array\n    n{i} = {x}.needs_grad" for i, x in enumerate(names)
    )
    free = [i for i, x in enumerate(names) if x not in op.fixed]
    differ = [f"kind is not type(a{i})" for i in range(1, len(names))]
    if op.dtypes != "keep":
        differ += [f"a{free[0]}.dtype is not a{i}.dtype" for i in free[1:]]
    if op.dtypes == "float":
        differ += [fits]
    tensors = [f"isinstance({x}, Tensor)" for x in names]
    text = MANY.format(
        x=names[0], all_tensors=" and ".join(tensors), any_tensor=" or ".join(tensors),
        keywords=keywords, names=", ".join(names), attrs=attrs, unwrap=unwrap,
        differ=" or ".join(differ) or "False",
    )  # fmt: skip
    return text


def _record(op: Op, attrs: str) -> str:
    flags = {x: f"n{i}" for i, x in enumerate(op.inputs) if x in op.rules}
    edges = [
        f"({x}.node or {x}) if {flags[x]} else None" if x in flags else "None" for x in op.inputs
    ]
    saved = "".join(f"{_saved(op, name, flags)}, " for name in op.saves)
    few = len(edges) <= 2
    first, second = (*edges, "None")[:2] if few else ("None", "None")
    return RECORD.format(
        needs=" or ".join(flags.values()),
        node_attrs=attrs,
        first=first,
        second=second,
        many="()" if few else f"({', '.join(edges)})",
        saved=saved,
    )


def _saved(op: Op, name: str, flags: dict[str, str]) -> str:
    askers = [x for x in flags if name in op.needs[x]]
    if name == "out":
        value = "out"
    elif name in op.inputs:
        value = f"a{op.inputs.index(name)}"
    else:
        source, _, what = name.rpartition("_")
        value = f"{what}_of(a{op.inputs.index(source)})"
    if len(askers) == len(flags):
        return value
    return f"{value} if {' or '.join(flags[x] for x in askers)} else None"


# What a lane uses besides core's globals, which it reads live.
OUTSIDE = "OP, RUN, FORWARD, NDARRAY, NUMBERS, FLOAT32, FLOAT64, WRITE"
# Most ops are never used by one program, and compiling takes time. So a lane starts as this, and
# becomes what `source` says when it is first called: its code is exchanged. Python allows that for
# code that names as many variables from outside, so both name all of them where it costs nothing.
FIRST = f"""\
def make({OUTSIDE}):
    def first(*inputs, **attrs):
        if 0: ({OUTSIDE})
        WRITE(OP)
        return OP.call(*inputs, **attrs)
    return first
"""


def build_lane(op: Op) -> Callable[..., Any]:
    """The function that callers of ``op`` get: its lane, or ``apply`` for ops that take a list."""
    if op.variadic:
        return lambda *xs, **attrs: core.apply(op, xs, attrs)
    numbers = frozenset(NUMBERS if op.bools else NUMBERS[:2])
    on_numpy = op.run[np.ndarray], np.ndarray
    lane = _make_first(op, op.run, *on_numpy, numbers, FLOAT32, FLOAT64, write_lane)
    lane.__name__ = lane.__qualname__ = op.name
    lane.__doc__ = f"The primitive ``{op.name}``, on Tensors, raw arrays or symbols."
    lane.op = op
    return lane


def write_lane(op: Op) -> None:
    """Compile the lane of ``op``: from now on its callers run that."""
    head, *body = source(op).splitlines()
    inner = [head, f"    if 0: ({OUTSIDE})", *body, f"return {op.name}"]
    text = "".join([f"def make({OUTSIDE}):\n", *(f"    {line}\n" for line in inner)])
    filename = f"<lane of {op.name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)  # for tracebacks
    op.call.__code__ = _maker(text, filename)(*[None] * len(OUTSIDE.split(", "))).__code__


def _maker(text: str, filename: str) -> Callable[..., Any]:
    made: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), core.__dict__, made)
    return made["make"]


_make_first = _maker(FIRST, "<lane before its first call>")
