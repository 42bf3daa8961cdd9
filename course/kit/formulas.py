"""Formulas of functions, read off from a run: the ops they are made of, played again on letters.

A function that is one op has that op's formula. One that is made of several has the formula that
these give together, and the derivative that their rules give, walked back as the engine does.
"""

import ast
import re

import numpy as np

from minitensor import core
from minitensor.viz import mathml, symbols
from minitensor.viz.symbols import Count, Symbol

LONGEST = 170  # of a formula, in LaTeX; longer ones teach nothing
SPELLED = {r"\,": r"\thinspace ", r"\\": r"\cr ", r"\&": r"\text{and}", "<": r"\lt ",
           ">": r"\gt ", r"\{": r"\lbrace ", r"\}": r"\rbrace ", r"\_": r"\text{-}",
           r"\|": r"\Vert "}  # fmt: skip


class UnreadableError(Exception):
    """What a formula of letters cannot tell."""


class Tape:
    """An observer that keeps every op of a run."""

    def __init__(self):
        self.steps = []

    def on_op(self, op, inputs, attrs, out):
        self.steps.append((op, list(inputs), attrs, out))

    def on_grad(self, *told):
        """Nothing: the way back is walked on letters."""

    def __enter__(self):
        core.OBSERVERS = (*core.OBSERVERS, self)
        return self

    def __exit__(self, *error):
        core.OBSERVERS = tuple(o for o in core.OBSERVERS if o is not self)


def run(code, names):
    """Run an example. Returns its value, the tape, and tensors by letter, parameters too."""
    *before, last = ast.parse(code).body
    letters = {name: t for name, t in names.items() if isinstance(t, core.Tensor)}
    with Tape() as tape:
        exec(compile(ast.Module(before, []), "example", "exec"), names)
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), "example", "exec"), names)
            return None, tape, letters
        call = last.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Call):  # Linear(2, 3)(A)
            module = eval(compile(ast.Expression(call.func), "example", "eval"), names)
            letters |= dict(getattr(module, "named_parameters", dict)())
            names["_module"] = module
            call.func = ast.copy_location(ast.Name("_module", ast.Load()), call.func)
            tape.steps.clear()  # how its weights were drawn is no part of the formula
        value = eval(compile(ast.Expression(call), "example", "eval"), names)
    return value, tape, letters


def formulas(value, tape, letters):
    """Return (formula, {letter: (derivative, whether it is the whole gradient)}), in LaTeX.

    The formula is "" where letters cannot tell it; derivatives may be missing for the same reason.
    """
    steps = needed(tape.steps, value)
    if not isinstance(value, core.Tensor) or not steps or steps[-1][3] is not value:
        return "", {}
    if len(steps) == 1 and steps[0][0].variadic:
        op = steps[0][0]
        return symbols.formula(op), {"x_1": (symbols.derivative(op, op.inputs[0]), True)}
    try:
        known = forward(steps, letters)
    except UnreadableError:
        return "", {}
    used = [name for name, t in letters.items() if any(t is x for s in steps for x in s[1])]
    slopes = backward(steps, letters, known, result_letter(steps, letters))
    return fitting(known[id(value)].tex), {
        name: found for name in used if (found := slopes.get(name)) and fitting(found[0])
    }


def result_letter(steps, letters):
    """The letter of a result: y, or z where an input is called y."""
    y = letters.get("y")
    return "z" if any(x is y for s in steps for x in s[1] if x is not None) else "y"


def made_of(value, tape):
    """The names of the ops that lead to a value, or to the parts of one, each once, in order."""
    parts = value if isinstance(value, tuple | list) else [value]
    names = [op.name for part in parts for op, *_ in needed(tape.steps, part)]
    return list(dict.fromkeys(names))


def needed(steps, value):
    """The steps that lead to a value, in order."""
    wanted, kept = {id(value)}, []
    for step in reversed(steps):
        if id(step[3]) in wanted:
            kept.append(step)
            wanted |= {id(x) for x in step[1]}
    return kept[::-1]


def forward(steps, letters):
    """The symbol of every tensor of a run, by id."""
    known = {id(t): lettered(name, t) for name, t in letters.items()}
    for op, inputs, attrs, out in steps:
        if len(steps) > 1:
            must_show(op, inputs, out)
        made = symbols.apply(op, [look(known, x) for x in inputs], attrs)
        known[id(out)] = Symbol(made.tex, made.tightness, made.zero, made.one)
        known[id(out)].shape = sizes(out)
    return known


PICKING = ("narrow", "getitem", "gather", "diagonal", "replace", "put_at", "permute")


def must_show(op, inputs, out):
    """Raise UnreadableError where letters would hide which values meet, as in x[0] * x[1]."""
    shapes = [x.shape for x in inputs if isinstance(x, core.Tensor)]
    spread = op.broadcasts and out.shape not in shapes
    if op.variadic or op.name in PICKING or spread:
        raise UnreadableError


def lettered(name, t):
    """A letter, with the shape of its tensor."""
    made = Symbol(mathml.name_tex(name) if len(name) > 1 else name)
    made.shape = sizes(t)
    return made


def sizes(x):
    return tuple(Count(n) for n in np.shape(getattr(x, "array", x)))


def look(known, x):
    """The symbol of an input of a step."""
    if id(x) in known:
        return known[id(x)]
    if isinstance(x, core.Tensor):
        if x.dim():
            raise UnreadableError
        x = x.item()
    if not isinstance(x, bool | int | float):
        raise UnreadableError
    return symbols.symbol(x)


def backward(steps, letters, known, out):
    """The derivative by each letter: (LaTeX, whether it is the whole gradient)."""
    whole = any(symbols.moves(op) for op, *_ in steps)
    result = steps[-1][3]
    g = Symbol("g") if whole else symbols.symbol(1)
    g.shape = sizes(result)
    grads = {id(result): g}
    letter = {id(result): lettered(out, result)}
    try:
        for op, inputs, attrs, made in reversed(steps):
            if id(made) in grads:
                g = grads.pop(id(made))
                share(op, inputs, attrs, made, g, {**known, **letter}, grads)
    except UnreadableError:
        return {}
    return {name: (grads[id(t)].tex, whole) for name, t in letters.items() if id(t) in grads}


def share(op, inputs, attrs, made, g, known, grads):
    """Add to the gradients of the inputs of one step what its rules give."""
    if op.variadic:
        raise UnreadableError
    named = dict(zip(op.inputs, inputs, strict=False))
    for name, x in named.items():
        if name not in op.rules or not isinstance(x, core.Tensor) or not x.is_floating_point():
            continue
        values = [asked(op, what, named, attrs, made, known) for what in op.needs[name]]
        d = symbols.symbol(op.rules[name](g, *values))
        if op.broadcasts and x.shape != made.shape:  # what was repeated is summed
            d = symbols.apply(core.OPS["sum"], [d], {"dim": None, "keepdim": False})
        if id(x) in grads:
            d = grads[id(x)] + d
        d.shape = sizes(x)
        grads[id(x)] = d


def asked(op, what, named, attrs, made, known):
    """What a rule asks for, as a symbol or as it is."""
    if what in op.attrs:
        return attrs[what]
    if what == "out":
        return look(known, made)
    name, _, kind = what.rpartition("_")
    if kind in ("shape", "place") and what not in named:
        return sizes(named[name]) if kind == "shape" else ("float32", "cpu")
    return look(known, named[what])


def fitting(tex):
    """The formula, or "" if it is too long, or says what no reader of formulas knows."""
    try:
        mathml.mathml(tex)
    except ValueError:
        return ""
    return tex if len(tex) <= LONGEST and "None" not in tex else ""


def in_markdown(tex):
    """LaTeX that survives markdown: there a backslash before a sign of punctuation is lost."""
    pattern = "|".join(map(re.escape, SPELLED))
    return re.sub(pattern, lambda match: SPELLED[match[0]], tex)
