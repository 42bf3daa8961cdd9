"""Folded text in markdown: <details> opens without a script and is known to screen readers."""

import html
import re

MARKS = [(r"`([^`]+)`", "code"), (r"\*\*([^*]+)\*\*", "b"), (r"\*([^*]+)\*", "em")]
PREDICT = re.compile(
    r"<!-- predict -->\n(.*?)\n<!-- open -->\n(.*?)(?:\n<!-- end -->|\Z)", re.DOTALL
)


def details(summary, body):
    """Fold body (markdown) under summary (HTML). Blank lines make the body markdown again."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def inline(text):
    """Return a line of markdown (code, bold, emphasis) as HTML, for where markdown is not read."""
    math = r"\$[^$]+\$"
    code = r"`[^`]+`"
    parts = re.split(f"({math}|{code})", html.escape(text, quote=False))
    return "".join(part if part.startswith("$") else marked(part) for part in parts)


def marked(text):
    for pattern, tag in MARKS[:1] if text.startswith("`") else MARKS[1:]:
        text = re.sub(pattern, rf"<{tag}>\1</{tag}>", text)
    return text


def predictions(text):
    """Replace each predict ... open ... end in a cell's markdown by question and folded answer."""

    def fold(match):
        question, answer = (part.strip() for part in match.groups())
        return f"**Predict.** {question}\n\n{details('Open when you have an answer', answer)}"

    text = PREDICT.sub(fold, text)
    for left_over in ("<!-- predict -->", "<!-- open -->", "<!-- end -->"):
        if left_over in text:
            raise ValueError(f"{left_over} without its partner in:\n{text}")
    return text
