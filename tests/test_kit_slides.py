"""Slides are made from the shipped notebook, which stays as it is."""

import re

import nbformat
import pytest
from kit import slides as kit_slides
from kit.chapter import all_chapters, chapters
from kit.slides import BELOW, OUT, SAME, SLIDE, slides

MADE = [chapter for chapter in all_chapters() if chapter.notebook.exists()]


def kinds(chapter):
    made = slides(chapter)
    return [(cell, cell.metadata["slideshow"]["slide_type"]) for cell in made.cells]


@pytest.mark.parametrize("chapter", MADE, ids=[c.name for c in MADE])
def test_a_slide_for_each_section_and_no_solutions(chapter):
    before = chapter.notebook.read_bytes()
    for cell, kind in kinds(chapter):
        assert kind in (SLIDE, BELOW, SAME, OUT)
        if cell.cell_type == "markdown" and re.match(r"##? ", cell.source):
            assert kind == SLIDE
        if "<summary>Solution</summary>" in cell.source or ".check(" in cell.source:
            assert kind == OUT
        if cell.cell_type == "markdown" and cell.source.startswith("### "):
            assert kind == BELOW
    assert chapter.notebook.read_bytes() == before


@pytest.mark.parametrize("chapter", MADE, ids=[c.name for c in MADE])
def test_no_slide_is_filled_beyond_its_height_by_a_second_cell(chapter):
    used = 0
    for cell, kind in kinds(chapter):
        height = kit_slides.lines_of(cell)
        assert kind != SAME or used + height <= kit_slides.FULL
        if kind != OUT:
            used = height + (used if kind == SAME else 0)


def test_lines_are_counted():
    cell = nbformat.v4.new_markdown_cell("a\n" + "b" * 100 + "\n<details>\nx\ny\n</details>")
    assert kit_slides.lines_of(cell) == 1 + 2 + 1
    drawn = nbformat.v4.new_output("display_data", data={"image/png": "aaaa"})
    assert kit_slides.lines_of(nbformat.v4.new_code_cell("1", outputs=[drawn])) == 15


def test_the_file_is_html_with_its_slides_and_can_do_without_the_web(tmp_path, capsys):
    assert kit_slides.main(["03", "--to", str(tmp_path), "--offline", "node_modules"]) == 0
    (path,) = tmp_path.iterdir()
    assert str(path) in capsys.readouterr().out
    page = path.read_text(encoding="utf-8")
    (chapter,) = chapters(["03"])
    starts = [kind for _, kind in kinds(chapter)]
    wanted = starts.count(SLIDE) + starts.count(BELOW)
    assert page.count("<section>") + page.count("<section ") >= wanted
    assert "node_modules/reveal.js/dist/reveal.js" in page
    assert "unpkg" not in page
    assert "Hint 1" not in page
