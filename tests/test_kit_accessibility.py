"""Pages for everyone: alt text, headings in order, links and tables that say what they hold.

The lint (`kit.lint`) holds the same for pictures in outputs; `test_browser.py` looks at what a
browser shows.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from kit.figures import COLORS
from kit.prose import Page, pages

ROOT = Path(__file__).resolve().parent.parent
PAGES = pages(ROOT)
EMPTY = {
    "here",
    "click here",
    "this",
    "link",
    "this link",
    "more",
    "read more",
    "page",
    "this page",
}
TABLE = re.compile(r"^\|(.+)\|[ \t]*\n\|[ \t:|-]+\|[ \t]*$", re.MULTILINE)
CSS = (ROOT / "minitensor" / "viz" / "page.css").read_text(encoding="utf-8")
PAIR = re.compile(r"--(\w+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
SHADES = {name: {"light": light, "dark": dark} for name, light, dark in PAIR.findall(CSS)}
# What stands on what in page.css and the scripts that use it. 4.5 for text, 3 for lines.
TEXT = [("ink", p) for p in ("paper", "panel", "leaf", "result")] + [
    (name, ground)
    for name in ("soft", "blue", "vermilion", "green", "orange", "purple")
    for ground in ("paper", "panel")
]
LINES = [("line", "paper"), ("line", "panel"), ("blue", "paper"), ("blue", "leaf")]


def faults(page):
    """What of a page's markdown keeps readers out, in sentences."""
    levels = [level for level, _ in page.headings()]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield "one heading of level 1, at the top"
    yield from (
        f"heading {text!r} skips a level"
        for before, (level, text) in zip(levels, page.headings()[1:], strict=False)
        if level > before + 1
    )
    for picture, words, target in page.links():
        said = re.sub(r"<[^>]+>|[`*_]", "", words).strip()
        if picture and not said:
            yield f"the picture {target} has no alt text"
        elif said.lower() in EMPTY or re.match(r"https?://", said) or not (said or "<img" in words):
            yield f"the link to {target} says {said!r}"
    for image in re.findall(r"<img\b[^>]*>", page.text):
        if not re.search(r"\balt=\"[^\"]+\"", image):
            yield f"a picture without alt text: {image}"
    for head in TABLE.findall(page.text):
        # The corner may be empty, and so may all heads of a list of pairs; a column may not.
        cells = [cell.strip() for cell in head.split("|")]
        if any(cells) and not all(cells[1:]):
            yield f"a table with a column without a head: {head}"


class Markup(HTMLParser):
    """Collects what is wrong with the HTML of an output."""

    def __init__(self):
        super().__init__()
        self.found, self.heads, self.frames = [], [], 0

    def handle_starttag(self, tag, attributes):
        seen = dict(attributes)
        if tag == "img" and not seen.get("alt"):
            self.found.append("an <img> without alt text")
        if tag == "iframe" and not seen.get("title"):
            self.found.append("an <iframe> without a title")
        if tag == "table":
            self.heads.append(False)
        if tag == "th" and self.heads:
            self.heads[-1] = True
        if (tag == "button" or tag == "a") and seen.get("tabindex") == "-1":
            self.found.append(f"a <{tag}> that the keyboard does not reach")

    def handle_endtag(self, tag):
        if tag == "table" and self.heads and not self.heads.pop():
            self.found.append("a table without a head")


def faults_of_markup(markup):
    parser = Markup()
    parser.feed(markup)
    return parser.found


def outputs(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            yield from ("".join(output.get("data", {}).get("text/html", "")),)


def contrast(one, other):
    """The contrast of two colours, as WCAG reckons it: 1 to 21."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def name_of(page):
    return str(page.path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_keeps_nobody_out(page):
    assert list(faults(page)) == []


NOTEBOOKS = [page for page in PAGES if page.path.suffix == ".ipynb"]


@pytest.mark.parametrize("page", NOTEBOOKS, ids=name_of)
def test_the_outputs_of_a_notebook_keep_nobody_out(page):
    assert [fault for markup in outputs(page.path) for fault in faults_of_markup(markup)] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read_on_its_ground(ink, ground, theme):
    assert contrast(SHADES[ink][theme], SHADES[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), LINES)
def test_lines_can_be_seen_on_their_ground(ink, ground, theme):
    assert contrast(SHADES[ink][theme], SHADES[ground][theme]) >= 3


def test_every_shade_is_held_to_a_contrast():
    used = {name for pair in TEXT + LINES for name in pair}
    assert used == set(SHADES)


@pytest.mark.parametrize("name", ["blue", "vermilion", "green", "black"])
def test_the_first_lines_of_a_figure_can_be_seen_on_white(name):
    assert contrast(COLORS[name], "#ffffff") >= 3


def test_contrast_is_reckoned_as_by_wcag():
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#0072b2", "#0072b2") == 1


FAULTY = {
    "Text.\n\n# One": "",
    "## Two": "one heading of level 1",
    "# One\n\n# Two": "one heading of level 1",
    "# One\n\n### Three": "'Three' skips a level",
    "# One\n\n![](a.png)": "no alt text",
    "# One\n\n![A cat](a.png)": "",
    "# One\n\nSee [here](a.md).": "says 'here'",
    "# One\n\n[`More`](a.md)": "says 'More'",
    "# One\n\n[https://example.org](https://example.org)": "says 'https",
    '# One\n\n<img src="a.png">': "without alt text",
    "# One\n\n| a | |\n|---|---|\n| 1 | 2 |": "without a head",
    "# One\n\n| | b |\n|---|---|\n| 1 | 2 |": "",
}


@pytest.mark.parametrize("text", FAULTY)
def test_a_fault_is_found(tmp_path, text):
    (tmp_path / "page.md").write_text(text)
    found = list(faults(Page(tmp_path / "page.md")))
    assert len(found) == bool(FAULTY[text])
    assert FAULTY[text] in "".join(found)


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<img src='a.png'>", "alt"),
        ("<iframe srcdoc=''></iframe>", "title"),
        ("<table><tr><td>1</td></tr></table>", "head"),
        ("<table><tr><th scope='row'>1</th></tr></table>", ""),
        ("<button tabindex='-1'>x</button>", "keyboard"),
    ],
)
def test_a_fault_of_markup_is_found(markup, words):
    found = faults_of_markup(markup)
    assert len(found) == bool(words)
    assert words in "".join(found)
