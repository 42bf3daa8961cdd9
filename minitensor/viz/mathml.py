"""Formulas without a network: the LaTeX that ``symbols`` writes, as MathML and as plain text.

Browsers draw MathML by themselves; screen readers read it. Only what the ops' formulas use is known
here, and a test holds that this is enough for all of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+\.?\d*(?:e[-+]?\d+)?|[A-Za-z]+|\S|\s+")
SIGNS = {
    r"\cdot": "·", r"\times": "×", r"\infty": "∞", r"\pi": "π", r"\sigma": "σ", r"\neq": "≠",
    r"\leq": "≤", r"\geq": "≥", r"\land": "∧", r"\lor": "∨", r"\lnot": "¬", r"\oplus": "⊕",
    r"\sim": "~", r"\pm": "±", r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉",
    r"\sum": "∑", r"\partial": "∂", r"\exists": "∃", r"\forall": "∀", r"\mid": "|", r"\&": "&",
    r"\mu": "μ", r"\Phi": "Φ", r"\phi": "φ", r"\star": "⋆",
    r"\lvert": "|", r"\rvert": "|", r"\bmod": "mod", "-": "−",
}  # fmt: skip
LETTERS = (r"\pi", r"\mu", r"\sigma", r"\Phi", r"\phi", r"\infty", r"\partial")
WORDS = {"sin", "cos", "tan", "tanh", "sinh", "cosh", "arcsin", "arccos", "arctan", "ln", "log",
         "max", "min"}  # fmt: skip
STYLED = {r"\operatorname": "word", r"\text": "name", r"\mathit": "name"}
# A formula by cases is written in one line: {x if c; y otherwise}.
CASES = (
    (r"\begin{cases}", r"\left{"), (r"\end{cases}", r"\right}"), (r"\\", r"\text{;}\;"),
    (r"& \text{otherwise}", r"\;\text{otherwise}"), ("& ", r"\;\text{if}\;"),
    (r"\,\cdot\,", r"\cdot"), (r"\mathbin{\&}", r"\&"),
)  # fmt: skip
Made = Callable[..., str]


class _Reader:
    """Reads LaTeX from left to right; ``made`` says what its parts become."""

    def __init__(self, tex: str, made: dict[str, Made]):
        for old, new in CASES:
            tex = tex.replace(old, new)
        self.tokens = [t for t in TOKEN.findall(tex) if t.strip() or t == "\\ "]
        self.made, self.at = made, 0

    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def row(self, end: str = "") -> str:
        """Everything up to ``end``."""
        parts: list[str] = []
        while self.next() and self.next() != end:
            part = self.part()
            while self.next() in ("^", "_"):
                part = self.made[self.take()](part, self.part())
            parts.append(part)
        self.at += 1
        return self.made["row"](parts)

    def part(self) -> str:
        """The next thing that can bear an exponent."""
        token = self.take()
        if token == "{":
            return self.row("}")
        if token in STYLED:
            return self.made[STYLED[token]](self.group())
        if token == r"\frac":
            return self.made["frac"](self.part(), self.part())
        if token == r"\sqrt":
            return self.made[token](self.part())
        if token in (r"\left", r"\right"):
            sign = self.take()
            return self.made["sign"]("" if sign == "." else SIGNS.get(sign, sign))
        return self.plain(token)

    def plain(self, token: str) -> str:
        """A letter, a number or a sign."""
        if token[0].isdigit():
            return self.made["number"](token)
        if token[1:] in WORDS:
            return self.made["word"](token[1:])
        if token in LETTERS or token.isalpha():
            return self.made["letter"](SIGNS.get(token, token))
        if token in (r"\,", r"\ ", r"\;"):
            return self.made["space"]()
        if token.startswith("\\") and token not in SIGNS:
            raise ValueError(f"unknown in a formula: {token}")
        return self.made["sign"](SIGNS.get(token, token))

    def group(self) -> str:
        """The text between braces, as it stands."""
        self.take()
        text: list[str] = []
        while self.next() != "}":
            text.append(self.take())
        self.at += 1
        return "".join(text).replace("\\", "")


MINUS = "<mo>−</mo>"
THIN = '<mspace width="0.17em"></mspace>'


def _tag(name: str) -> Made:
    return lambda *parts: f"<{name}>{''.join(parts)}</{name}>"


def _escaped(name: str) -> Made:
    return lambda text: f"<{name}>{html.escape(text, quote=False)}</{name}>"


def _subscript(x: str, y: str) -> str:
    space = THIN if THIN in x else ""
    return f"<mrow><msub>{x.replace(THIN, '')}{y}</msub>{space}</mrow>"


def _name(text: str) -> str:
    tag = "mi" if text[:1].isalnum() else "mo"
    return f"<{tag}>{html.escape(text, quote=False)}</{tag}>"


def _joined(parts: list[str]) -> str:
    for i, part in enumerate(parts):
        sign = parts[i - 1].startswith("<mo>") and parts[i - 1][4] not in ")]|⌋⌉" if i else True
        if part == MINUS and sign:
            parts[i] = part.replace("<mo>", '<mo form="prefix">')
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


MATHML: dict[str, Made] = {
    "row": _joined, "^": _tag("msup"), "_": _subscript, "frac": _tag("mfrac"),
    r"\sqrt": _tag("msqrt"),
    "word": lambda text: f"<mrow><mi>{text}</mi>{THIN}</mrow>",
    "name": _name, "letter": _escaped("mi"), "number": _escaped("mn"),
    "sign": _escaped("mo"), "space": lambda: '<mspace width="0.4em"></mspace>',
}  # fmt: skip


def _bracketed(x: str, breaks: str = " /") -> str:
    """A part of a line that would fall apart, in brackets."""
    whole = x.startswith("(") and x.endswith(")")
    return x if whole or not set(breaks) & set(x) else f"({x})"


def _lowered(x: str, y: str, sign: str = "_") -> str:
    return f"{x.rstrip()}{sign}{y}" + " " * x.endswith(" ")


def _spaced(parts: list[str]) -> str:
    text = re.sub(r" +", " ", "".join(parts)).strip()
    text = re.sub(r"(?<=\w) \(|\( (?=\w)", "(", text)
    text = re.sub(r" ([)}])", r"\1", text)
    # A minus with nothing before it is a sign, not a subtraction.
    return re.sub(r"(^|[(=·×+−,] ?)− ", r"\1−", text)


def _sign(text: str) -> str:
    tight = "()[]|⌊⌋⌈⌉,∂/{¬∑"
    return text + " " * (text == ",") if text in tight else f" {text} "


TEXT: dict[str, Made] = {
    "row": _spaced, "^": lambda x, y: _lowered(x, _bracketed(y, " /−"), "^"), "_": _lowered,
    "frac": lambda x, y: f"{_bracketed(x)}/{_bracketed(y)}", r"\sqrt": lambda x: f"√({x})",
    "word": lambda x: f" {x} ", "space": lambda: " ",
    "name": lambda x: x.replace("+=", " += "), "letter": str, "number": str, "sign": _sign,
}  # fmt: skip


def mathml(tex: str) -> str:
    """LaTeX as a ``<math>`` element. Raises ValueError for a command that no op's formula uses."""
    return f'<math displaystyle="true">{_Reader(tex, MATHML).row()}</math>'


def plain_text(tex: str) -> str:
    """LaTeX in one line of text, such as ``1 − y^2``. Raises ValueError as ``mathml`` does."""
    return _Reader(tex, TEXT).row()


def name_tex(name: Any) -> str:
    """A learner's name in LaTeX: ``w`` as it is, ``loss`` as one word."""
    text = str(name)
    if len(text) == 1 and text.isalpha():
        return text
    return "\\mathit{" + re.sub(r"([_&%$#])", r"\\\1", text) + "}"
