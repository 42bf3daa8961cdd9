"""Write the course's reference from the package: `python -m kit.reference`.

Every public name gets its signature, the first sentence of its docstring, its formula and its
derivative as the ops' own definitions give them, and an example with what it printed. With
`--check` nothing is written; the exit status says whether the pages are up to date.
"""

import argparse
import inspect
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import PurePath

import minitensor as mt
import minitensor.cuda  # gives tensors some methods
from kit import formulas, seeds
from kit.chapter import COURSE
from kit.reference_examples import EXAMPLES, GUESSES, SETUP, WORDS, names_of_setup
from minitensor import core
from minitensor.viz import symbols

HOME = COURSE / "reference"
DIFFERENCES = HOME / "differences.md"
SEEDS = re.compile(r"(<!-- seeds:[^>]*-->)\n.*?(<!-- /seeds -->)", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """One page: its file, title, what is said first, and the parts of the package on it."""

    file: str
    title: str
    about: str
    holders: tuple[str, ...]


PAGES = [
    Page("functions.md", "Functions", "`import minitensor as mt`, then `mt.name(...)`.", ("",)),
    Page(
        "tensor.md", "Methods of a tensor", "`x.name(...)`, for a tensor `x`.", ("Tensor",)
    ),
    Page(
        "functional.md", "nn.functional", "`import minitensor.nn.functional as F`.",
        ("nn.functional",),
    ),
    Page(
        "nn.md", "nn: modules, initialisation, helpers", "`from minitensor import nn`.",
        ("nn", "nn.init", "nn.utils"),
    ),
    Page(
        "training.md", "Optimisers, schedules, data, distributions",
        "`from minitensor import optim, distributions` and `from minitensor.utils import data`.",
        ("optim", "optim.lr_scheduler", "utils.data", "distributions"),
    ),
    Page(
        "autograd.md", "autograd, cuda, viz, timing",
        "`from minitensor import autograd, viz`.",
        ("autograd", "autograd.functional", "cuda", "viz", "timing", "compat"),
    ),
]  # fmt: skip
WITH_FORMULAS = ("", "Tensor", "nn.functional", "nn")
# What a module keeps for itself, though its name has no underscore.
HELPERS = {
    "": "DIFFERENCES FROM_ROOMS ROOMS public_functions",
    "Tensor": "array needs_grad node view_of name",
    "nn.init": "fans fill_ where no_grad GAINS",
    "nn.utils": "refusal",
    "optim.lr_scheduler": "Optimizer DEPRECATED TOO_EARLY fill_ for_each_group has_momentum rates "
    "set_momentum",
    "autograd": "Anomaly Mode Node accumulate add_up as_tensors attach collect fetch fit is_ours "
    "references run run_hooks sum_to sweep tell users_line wrap Grads ABSENT FEWEST SECOND_TIME",
    "autograd.functional": "unbind",
    "cuda": "wrap is_pinned pin_memory",
    "compat": "Alias Finder Missing Size lacking minitensor resolve stand_ins run_script",
}


def holder_named(path):
    """The module or class at a dotted path of the package."""
    found = mt
    for part in path.split(".") if path else ():
        found = getattr(found, part)
    return found


def public_names(path):
    """The public names of a holder, in order."""
    holder = holder_named(path)
    given = [*getattr(holder, "__all__", dir(holder)), *(() if path else mt.FROM_ROOMS)]
    hidden = {"annotations", *HELPERS.get(path, "").split()} | ({"Tensor"} if path else set())
    return sorted(
        {n for n in given if n[0] != "_" and n not in hidden and ours(path, fetched(holder, n))}
    )


def fetched(holder, name):
    """What a holder has under a name, a property as it is."""
    getattr(holder, name)  # some are imported when first asked for
    value = inspect.getattr_static(holder, name)
    return value.__func__ if isinstance(value, staticmethod | classmethod) else value


def ours(path, value):
    """Whether a value is the package's own, and no module."""
    if inspect.ismodule(value):
        return False
    if path == "Tensor" or isinstance(value, mt.dtype | int | float):
        return True
    return (getattr(value, "__module__", None) or "").startswith("minitensor")


# -- one entry -------------------------------------------------------------------------------------


class Plain:
    """A default value that prints as its name."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


def signature(name, value):
    """How a name is called: `name(input, dim=None)`. A property or a number is only its name."""
    error = isinstance(value, type) and issubclass(value, Exception)
    if not callable(value) or error:
        return name
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return f"{name}(...)"
    kept = [
        p.replace(annotation=p.empty, default=named(p.default))
        for p in found.parameters.values()
        if not p.name.startswith("_") and p.name not in ("t", "self")
    ]
    return name + str(found.replace(parameters=kept, return_annotation=found.empty))


def named(default):
    """A default value that prints the same everywhere."""
    if inspect.isfunction(default) or inspect.isbuiltin(default):
        known = default.__name__
        return Plain("..." if known == "<lambda>" else known)
    if isinstance(default, mt.dtype | PurePath):
        return Plain(str(default) if isinstance(default, mt.dtype) else "...")
    return default


def sentence(name, value):
    """The first sentence of a docstring."""
    text = inspect.getdoc(value) or WORDS.get(name, "")
    text = re.sub(r"\s+", " ", text.split("\n\n")[0]).strip()
    text = re.sub(r"^Elementwise \$.*\$\.", "Of each element.", text)
    text = re.sub(r", made by ``.*", ".", text)
    found = re.match(r"(.+?\.)(?= [A-Z`]|$)", text)
    return (found[1] if found else text).replace("``", "`").rstrip(":")


def example(path, name):
    """Run the example of a name. Returns (code, printed, value, tape, letters); None without."""
    given = EXAMPLES.get(path, {}).get(name)
    guesses = [given] if given else [g.format(name=name) for g in GUESSES.get(path, ())]
    for code in guesses:
        names = names_of_setup()
        mt.manual_seed(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value, tape, letters = formulas.run(code, names)
        except Exception:
            if given:
                raise
            continue
        return code, "" if value is None else repr(value), value, tape, letters
    return None


MADE_OF = "Made of [these operations](operations.md), from which its derivative follows: {}."


def mathematics(value, tape, letters):
    """The line with formula and derivatives, and one that says what it is made of.

    The second stands where letters cannot tell all, or where there are several operations.
    """
    formula, slopes = formulas.formulas(value, tape, letters)
    out = formulas.result_letter(formulas.needed(tape.steps, value), letters)
    parts = [f"{out} = {formula}"] if formula else []
    for letter, (tex, whole) in slopes.items():
        letter = letter if len(letter) == 1 or "_" in letter else rf"\mathrm{{{letter}}}"
        left = rf"g_{{{letter}}}" if whole else rf"\frac{{\partial {out}}}{{\partial {letter}}}"
        parts.append(f"{left} = {tex}")
    shown = "$$" + formulas.in_markdown(r" \qquad ".join(parts)) + "$$" if parts else ""
    names = formulas.made_of(value, tape)
    listed = MADE_OF.format(", ".join(f"`{n}`" for n in names))
    complete = bool(formula) and len(names) == 1
    return [line for line in (shown, "" if complete or not names else listed) if line]


def entry(path, name):
    """What a page says about one name."""
    value = fetched(holder_named(path), name)
    lines = [f"### {name}", "", f"`{signature(name, value)}`", "", sentence(name, value), ""]
    shown = example(path, name)
    if shown:
        code, printed, result, tape, letters = shown
        first, *rest = code.splitlines()
        lines += ["```pycon", f">>> {first}", *[f"{more(r)} {r}" for r in rest]]
        lines += [*printed.splitlines(), "```", ""]
        told = mathematics(result, tape, letters) if path in WITH_FORMULAS else []
        lines += [part for line in told for part in (line, "")]
    return lines


def more(line):
    """The prompt of a line after the first."""
    return "..." if line.startswith((" ", ")")) else ">>>"


def same_as(path):
    """For each name that is another name of the same function: that other one."""
    holder, first, known = holder_named(path), {}, {}
    for name in sorted(public_names(path), key=lambda n: (n != canonical(holder, n), n)):
        value = fetched(holder, name)
        if callable(value) and not inspect.isclass(value):
            known[name] = first.setdefault(id(value), name)
    return {name: known[name] for name in known if known[name] != name}


def canonical(holder, name):
    """The name that a function has in its own definition."""
    return getattr(fetched(holder, name), "__name__", name)


# -- pages -----------------------------------------------------------------------------------------

LETTERS = """In the formulas, letters are those of the example, and n is how many values there are.
Where a derivative is a factor, it stands as ∂y/∂x. Where values move or are summed, the whole step
back is given: g is the gradient that arrives at the result, and g with the letter below it what is
passed on. Both are read off from the operations' own definitions, by
[`kit/formulas.py`](../kit/formulas.py). What would be too long, or hide which values meet, is left
out; its derivative follows from those of its parts, which are among
[the operations](operations.md)."""


def page(what):
    """The text of one page."""
    lines = [f"# {what.title}", "", what.about, "", "Written by `python -m kit.reference`.", ""]
    lines += [LETTERS, "", "Before each example, this was run, and `mt.manual_seed(0)`:", ""]
    lines += ["```python", SETUP.strip(), "```", ""]
    for path in what.holders:
        lines += part(path)
    return "\n".join(lines).rstrip() + "\n"


def part(path):
    """The entries of one holder."""
    names, others = public_names(path), same_as(path)
    lines = [f"## minitensor.{path}".rstrip("."), ""]
    groups = [(lambda n: n in others, "Other names", lambda n: f"`{n}` is `{others[n]}`")]
    if path == "Tensor":
        functions = {n for n in public_names("") if inspect.isfunction(getattr(mt, n))}
        shown = "`{}`".format
        groups = [
            (functions.__contains__, "[Functions](functions.md) that are methods, too", shown),
            (lambda n: n.endswith("_") and n[:-1] in functions, "In place", shown),
            *groups,
        ]
    for belongs, title, shown in groups:
        found = [n for n in names if belongs(n)]
        names = [n for n in names if n not in found]
        if found:
            lines += [f"**{title}**: {', '.join(map(shown, found))}.", ""]
    constants = [n for n in names if not is_documented(path, n)]
    if constants:
        lines += [f"**Values**: {', '.join(constant(path, n) for n in constants)}.", ""]
    for name in names:
        if name not in constants:
            lines += entry(path, name)
    return lines


def is_documented(path, name):
    """Whether a name gets an entry of its own: what is callable, and properties."""
    value = fetched(holder_named(path), name)
    return not isinstance(value, mt.dtype | int | float) or isinstance(value, type)


def constant(path, name):
    value = getattr(holder_named(path), name)
    return f"`{name}` ({value})"


def operations():
    """The page of the ops themselves: formula and derivative of each, from its definition."""
    lines = ["# The operations", "", "Written by `python -m kit.reference`.", ""]
    lines += [f"minitensor is made of {len(core.OPS)} operations. Each is defined once, in"]
    lines += ["[`minitensor/ops/`](../../minitensor/ops/), with the rules of its derivatives; the"]
    lines += ["formulas here are made by running those rules on letters. Numbers are those of the"]
    lines += ["operation's own sample. An operation without a derivative passes no gradient.", ""]
    for name, op in sorted(core.OPS.items()):
        out = "z" if "y" in op.inputs else "y"
        parts = [f"{out} = {symbols.formula(op)}"]
        for wrt in op.rules:
            tex = symbols.derivative(op, wrt)
            letter = "x" if op.variadic else symbols.LETTERS.get(wrt, wrt)
            letter = letter if len(letter) == 1 else rf"\mathrm{{{letter}}}"
            left = rf"\frac{{\partial {out}}}{{\partial {letter}}}"
            parts.append(f"{f'g_{{{letter}}}' if symbols.moves(op) else left} = {tex}")
        asks = ", ".join([*op.inputs, *op.attrs])
        saves = ", ".join(f"`{s}`" for s in op.saves) or "nothing"
        lines += [f"## {name}", "", f"`{name}({asks})` keeps {saves} for the way back.", ""]
        lines += ["$$" + formulas.in_markdown(r" \qquad ".join(parts)) + "$$", ""]
    return "\n".join(lines).rstrip() + "\n"


def contents():
    """The page that lists the others."""
    lines = ["# Reference", "", "Written by `python -m kit.reference`.", ""]
    for what in PAGES:
        count = sum(len(public_names(path)) for path in what.holders)
        lines.append(f"- [{what.title}]({what.file}): {count} names")
    lines += [f"- [The operations](operations.md): {len(core.OPS)}, with their derivatives"]
    lines += ["- [What is different from PyTorch](differences.md)"]
    for file, title in (("glossary.md", "Glossary"), ("misconceptions.md", "Misconceptions")):
        lines.append(f"- [{title}]({file})")
    return "\n".join(lines) + "\n"


def with_seeds(text):
    """The page of differences with its table of random streams up to date."""
    return SEEDS.sub(lambda m: f"{m[1]}\n\n{seeds.table()}\n\n{m[2]}", text)


def files():
    """Every generated page: its path and its text."""
    made = {HOME / what.file: page(what) for what in PAGES}
    made[HOME / "operations.md"] = operations()
    made[HOME / "README.md"] = contents()
    made[DIFFERENCES] = with_seeds(DIFFERENCES.read_text(encoding="utf-8"))
    return made


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m kit.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    check = parser.parse_args(arguments).check
    made = files()
    old = [p for p, text in made.items() if not p.exists() or p.read_text("utf-8") != text]
    for path in old:
        print(f"{path.name}: {'out of date' if check else 'written'}")
        if not check:
            path.write_text(made[path], encoding="utf-8")
    return int(check and bool(old))


if __name__ == "__main__":
    sys.exit(main())
