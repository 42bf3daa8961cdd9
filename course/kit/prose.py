"""The markdown of the course's pages and of its notebooks, for the tests that read it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<mark>```|~~~).*?^(?P=mark)", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(`+)(?!`)[^`].*?(?<!`)\1(?!`)", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*#*$", re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
ANCHOR = re.compile(r"<a\b[^>]*\bhref=\"([^\"]+)\"[^>]*>(.*?)</a>", re.DOTALL)
BARE_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Page:
    """A markdown file, or a notebook whose markdown cells are its text."""

    path: Path

    @property
    def text(self):
        """All markdown, code in fences left out."""
        text = self.path.read_text(encoding="utf-8")
        if self.path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            parts = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
            text = "\n\n".join(FENCE.sub("", part) for part in parts)
        return COMMENT.sub("", FENCE.sub("", text))

    def headings(self):
        """Return (level, text) of each heading."""
        return [(len(mark), text) for mark, text in HEADING.findall(self.text)]

    def links(self):
        """Return (is a picture, text, target) of each link and picture."""
        text = SPAN.sub(lambda code: "x" * len(code[0]) if "](" in code[0] else code[0], self.text)
        found = [(bool(mark), words, target) for mark, words, target in LINK.findall(text)]
        return found + [(False, words, target) for target, words in ANCHOR.findall(text)]

    def anchors(self):
        """Return what may stand behind # in a link to this page."""
        titles = [text for _, text in self.headings()]
        if self.path.suffix == ".ipynb":
            return {TAG.sub("", t).replace("`", "").replace(" ", "-") for t in titles}
        named = re.findall(r"<a\b[^>]*\b(?:id|name)=\"([^\"]+)\"", self.text)
        return {slug(title) for title in titles} | set(named)

    def words(self):
        """Return the prose alone: no code, formulas, addresses or tags."""
        text = FORMULA.sub(" ", SPAN.sub(" ", self.text))
        text = re.sub(r"\]\([^)]*\)", "] ", text)
        return BARE_URL.sub(" ", TAG.sub(" ", text))


def slug(title):
    """Return the anchor that the common hosts of markdown give to a heading."""
    plain = re.sub(r"[^\w\- ]", "", TAG.sub("", title).replace("`", "").lower())
    return plain.replace(" ", "-")


def pages(root):
    """Return the markdown files and notebooks that readers see, in order."""
    found = [*root.glob("*.md"), *root.glob("course/**/*.md"), *root.glob("course/*.ipynb")]
    hidden = [path for path in found if any(x.startswith(".") for x in path.parts)]
    return [Page(path) for path in sorted(set(found) - set(hidden))]
