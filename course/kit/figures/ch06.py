"""Figures of chapter 06: what each way out of the tape shares, records and gives away."""

import numpy as np

import minitensor as mt
from kit.figures import COLORS, figure, subplots

QUESTIONS = ("shares memory", "is recorded", "a change is noticed")


def _step():
    """A leaf, and a result that its own backward rule needs: exp saves its output."""
    x = mt.tensor([0.0, 1.0], requires_grad=True)
    return x, x.exp()


def _under_no_grad(y):
    with mt.no_grad():
        return y.view(2)


ESCAPES = {
    "y.detach()": lambda y: y.detach(),
    "under no_grad(): y.view(2)": _under_no_grad,
    "y.data": lambda y: y.data,
    "y.clone()": lambda y: y.clone(),
    "y.detach().numpy()": lambda y: y.detach().numpy(),
}


def _noticed(escape):
    """Change what the escape gives, in place; does backward complain?"""
    _, y = _step()
    out = escape(y)
    with mt.no_grad():
        out += 1.0
    try:
        y.sum().backward()
    except RuntimeError:
        return "yes"
    changed = not np.allclose(y.detach().numpy(), np.exp([0.0, 1.0]))
    return "NO" if changed else "no need: a copy"


def escapes():
    """Try every way out; return a dict from its name to the answers to the three questions."""
    table = {}
    for name, escape in ESCAPES.items():
        _, y = _step()
        out = escape(y)
        shares = np.shares_memory(mt.as_tensor(out).detach().numpy(), y.detach().numpy())
        recorded = bool(getattr(out, "requires_grad", False))
        answers = ("yes" if shares else "no", "yes" if recorded else "no", _noticed(escape))
        table[name] = dict(zip(QUESTIONS, answers, strict=True))
    return table


def truth_table(table):
    """Show the answers as a table; a change that goes unnoticed stands out."""
    fig, ax = subplots(height=2.6)
    ax.set_axis_off()
    rows = [list(answers.values()) for answers in table.values()]
    drawn = ax.table(
        rows, rowLabels=list(table), colLabels=QUESTIONS, loc="center", cellLoc="center"
    )
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(10)
    for (row, column), cell in drawn.get_celld().items():
        if row and column == 2 and rows[row - 1][2] == "NO":
            cell.set_facecolor(COLORS["orange"])
            cell.set_text_props(weight="bold")
    said = {name: ", ".join(map(": ".join, row.items())) for name, row in table.items()}
    figure(
        fig,
        alt="A table: five ways out of the tape, and for each whether it shares memory, is "
        "recorded, and whether backward notices a change.",
        text="\n".join(f"{name}: {answers}" for name, answers in said.items()),
    )


def live_nodes(t):
    """How many recorded steps a tensor keeps alive: walk from its step to those before it."""
    if not hasattr(t, "grad_fn") or t.grad_fn is None:
        return 0
    seen, stack = {t.grad_fn}, [t.grad_fn]
    while stack:
        for before, _ in stack.pop().next_functions:
            if hasattr(before, "next_functions") and before not in seen:
                seen.add(before)
                stack.append(before)
    return len(seen)


def log_growth(kept, detached):
    """Plot live steps against iterations for a log that adds tensors and one that adds numbers."""
    from kit.figures import STYLES

    fig, ax = subplots()
    runs = range(1, len(kept) + 1)
    ax.plot(runs, kept, label="total += loss", **STYLES[0])
    ax.plot(runs, detached, label="total += loss.item()", **STYLES[1])
    ax.set(xlabel="iteration", ylabel="recorded steps kept alive")
    ax.legend()
    figure(
        fig,
        alt="Two lines of live steps against iterations: adding tensors climbs without end, "
        "adding numbers stays at zero.",
        text=f"After {len(kept)} iterations: {kept[-1]} steps against {detached[-1]}.",
    )
