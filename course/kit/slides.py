"""Slides of a chapter, from the notebook that learners read: `python -m kit.slides 03`.

Which cell stands on which slide follows from what it is, so nothing is written into notebooks.
The file is HTML. Its player (reveal.js) and its formulas (MathJax) come from the web when it is
shown. For a room without a network: `npm install reveal.js@4.0.2 requirejs mathjax@2.7.7`, then
`--offline node_modules`, and keep that folder beside the file.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from kit.chapter import COURSE, chapters

SLIDE, BELOW, SAME, OUT = "slide", "subslide", "-", "skip"
FULL = 20  # lines of text, code and output that one slide holds
PICTURE = 14  # lines that a picture takes
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
HINTS = "<summary>Hint 1"
WIDTH = 90  # characters to a line


def slides(chapter):
    """Return the chapter's shipped notebook as a copy whose cells know their slides."""
    notebook = nbformat.read(chapter.notebook, as_version=4)
    used = 0
    for number, cell in enumerate(notebook.cells):
        height = lines_of(cell)
        kind = kind_of(cell, first=number == 0, room=FULL - used, height=height)
        cell.metadata["slideshow"] = {"slide_type": kind}
        if kind != OUT:
            used = height + (used if kind == SAME else 0)
    return notebook


def kind_of(cell, *, first, room, height):
    """Return a cell's slide type. room: lines that are left on the slide before it."""
    if cell.metadata.get("exercise", {}).get("part") == "check" or is_hints(cell):
        return OUT
    if cell.cell_type == "markdown":
        level = re.match(r"(#{1,3}) ", cell.source)
        if first or (level and len(level[1]) <= 2):
            return SLIDE
        if level:
            return BELOW
    return SAME if height <= room else BELOW


def is_hints(cell):
    return cell.cell_type == "markdown" and HINTS in cell.source


def lines_of(cell):
    """Return about how many lines a cell takes on a slide. Folded text takes its summary's one."""
    count = wrapped(FOLDED.sub("folded", cell.source))
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if {"image/png", "image/svg+xml"} & set(data) or "<svg" in data.get("text/html", ""):
            count += PICTURE
        elif "<iframe" in data.get("text/html", ""):
            count += FULL
        else:
            count += wrapped(output.get("text", "") or data.get("text/plain", ""))
    return count


def wrapped(text):
    return sum(1 + len(line) // WIDTH for line in text.splitlines())


def export(chapter, folder, offline=None):
    """Write the slides as folder/NN_name.slides.html. Returns the path.

    offline: the address of a folder that holds reveal.js, requirejs and mathjax.
    """
    from nbconvert import SlidesExporter  # slow to import, and for this alone

    exporter = SlidesExporter()
    if offline:
        exporter.reveal_url_prefix = f"{offline}/reveal.js"
        exporter.require_js_url = f"{offline}/requirejs/require.js"
        exporter.mathjax_url = f"{offline}/mathjax/MathJax.js?config=TeX-AMS_CHTML-full,Safe"
    exporter.reveal_scroll = True  # a slide that is too tall all the same can be scrolled
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    page, _ = exporter.from_notebook_node(slides(chapter))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chapter.stem}.slides.html"
    path.write_text(page, encoding="utf-8")
    return path


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m kit.slides", description=__doc__.splitlines()[0]
    )
    parser.add_argument("chapter", nargs="+", help='such as "03"')
    parser.add_argument("--to", type=Path, default=COURSE, help="the folder to write to")
    parser.add_argument("--offline", help="a folder that holds reveal.js, requirejs and mathjax")
    options = parser.parse_args(arguments)
    for chapter in chapters(options.chapter):
        print(f"wrote {export(chapter, options.to, options.offline)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
