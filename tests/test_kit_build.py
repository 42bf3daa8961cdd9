"""The whole pipeline on a tiny course in a temporary directory: build, check, lint, fill, nbval."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from kit import build as kit_build
from kit import chapter as kit_chapter
from kit.chapter import Chapter, chapters, chapters_and_pages
from kit.folded import inline, predictions
from kit.lint import bare, lint
from kit.quiz import Choice, Question, quiz_cells

ROOT = Path(__file__).resolve().parents[1]

EXERCISES = '''
from kit.checks import same
from kit.exercise import Exercise, Slip
from kit.quiz import Choice, Question

SETUP = "import numpy as np"

total = Exercise(
    "total",
    title="Add them up",
    task="Return the sum of `x`.",
    stub="""
        def total(x):
            return ...
        """,
    solution="""
        def total(x):
            return np.sum(x)
        """,
    hints=("Look at NumPy.", "It has a function.", "Its name begins with s."),
    wrong=[Slip("np.sum", "np.max", says="the largest")],
    also_right=["def total(x):\\n    return x.sum()"],
)


@total.checker
def check_total(total):
    x = np.array([1.0, 2.0])
    same(total(x), 3.0, call="total(x)", causes=[(2.0, "that is the largest.")])


import numpy as np  # noqa: E402

QUIZ = [
    Question(f"What is {n} + 1?", [
        Choice(f"`{n}`", "You added nothing.", right=n == 9),
        Choice(f"{n + 1}", "Yes.", right=n != 9),
        Choice(f"{n}1", "That joins text."),
    ])
    for n in (0, 1, 2, 3, 9)
]
'''
SECTION = """
# %% [markdown]
# ## {n}. Part {n}
#
# <!-- predict -->
# What will part {n} print?
# <!-- open -->
# `{n}`.

# %%
print({n})
"""
SOURCE = (
    """
# %% [markdown]
# # 98 · Try the kit
#
# 5 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A sum.
#
# ## Before you start
# Nothing.

# %%
import numpy as np
from exercises import ch98
from kit import shows_error
from kit.figures import STYLES, figure, subplots
"""
    + "".join(SECTION.format(n=n) for n in (1, 2, 3, 4))
    + """
# %%
with shows_error(ZeroDivisionError):
    1 / 0

# %%
fig, ax = subplots()
ax.plot([0, 1], **STYLES[0])
figure(fig, alt="A line that goes up.", text="From 0 to 1.")

# %% tags=["nbval-ignore-output"]
import time
time.time()

# %%
from ipywidgets import IntSlider
IntSlider(value=3)

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: total -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# Sums add.
#
# ## Cheat-sheet
# `np.sum`
#
# ## In PyTorch
# `torch.sum`

# %% [markdown]
# <!-- next -->
# More of it.
"""
)


def make_course(folder):
    (folder / "course" / "sources").mkdir(parents=True)
    (folder / "course" / "exercises").mkdir()
    (folder / "README.md").write_text("Start here.\n")
    (folder / "course" / "README.md").write_text("<!-- chapters: -->\n<!-- /chapters -->\n")
    (folder / "course" / "exercises" / "ch98.py").write_text(EXERCISES)
    (folder / "course" / "sources" / "98_try.py").write_text(SOURCE)
    later = folder / "course" / "sources" / "99_next.py"
    later.write_text("# %% [markdown]\n# # 99 · Go on\n")
    return Chapter(folder / "course" / "sources" / "98_try.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A tiny chapter, built once for all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT / "course"))
        chapter = make_course(tmp_path_factory.mktemp("tiny"))
        kit_build.build(chapter)
        yield chapter


@pytest.fixture
def fresh(tmp_path):
    """A tiny chapter that a test may spoil."""
    return make_course(tmp_path)


def cells(chapter):
    return nbformat.read(chapter.notebook, as_version=4).cells


def cell_with(chapter, words):
    return next(cell for cell in cells(chapter) if words in cell.source)


def rewrite(chapter, old, new):
    text = chapter.source.read_text()
    assert old in text
    chapter.source.write_text(text.replace(old, new))


def rewrite_exercises(chapter, old, new):
    text = chapter.exercise_file.read_text()
    assert old in text
    chapter.exercise_file.write_text(text.replace(old, new))


def test_the_built_chapter_equals_its_source_and_breaks_no_rule(built):
    assert kit_build.differences(built) == []
    assert lint(built) == []


def test_building_again_gives_the_same_cells_ids_and_text(built):
    first = built.notebook.read_text()
    kit_build.build(built)
    second = built.notebook.read_text()
    timed = cell_with(built, "time.time()").outputs[0]["data"]["text/plain"]
    first_timed = next(
        c for c in nbformat.reads(first, as_version=4).cells if "time.time()" in c.source
    ).outputs[0]["data"]["text/plain"]
    assert first.replace(first_timed, "") == second.replace(timed, "")


def test_ids_and_metadata_are_fixed(built):
    assert [c.id for c in cells(built)][:2] == ["ch98-001", "ch98-002"]
    notebook = nbformat.read(built.notebook, as_version=4)
    assert notebook.metadata == kit_build.METADATA
    assert all("execution" not in c.metadata for c in notebook.cells)


def test_as_shipped_the_check_says_not_attempted_yet(built):
    check = cell_with(built, "ch98.total.check(total)")
    data = check.outputs[0]["data"]
    assert data["text/plain"].startswith("○ total: not attempted yet.")
    assert "not attempted yet" in data["text/html"]


def test_exercise_quiz_links_and_predictions_are_put_in(built):
    texts = "\n".join(c.source for c in cells(built))
    assert "### Exercise 1: Add them up\n\nReturn the sum of `x`." in texts
    assert "<summary>Solution</summary>\n\n```python\ndef total(x):" in texts
    assert "<summary><b>A.</b> <code>0</code></summary>\n\n**Not this one.** You added" in texts
    assert "**Predict.** What will part 1 print?\n\n<details>" in texts
    assert "[99 · Go on](99_next.ipynb)\n\nMore of it." in texts
    assert "(../README.md)" in texts
    assert "<!--" not in texts


def test_a_widget_leaves_only_its_text(built):
    (output,) = cell_with(built, "IntSlider").outputs
    assert output.data == {"text/plain": "IntSlider(value=3)"}


def test_the_list_of_chapters_is_kept(fresh):
    _, new = kit_build.contents(fresh.course)
    first = "- [98 · Try the kit](98_try.ipynb), 5 minutes: A sum.\n"
    assert first + "- [99 · Go on](99_next.ipynb)\n" in new
    (fresh.course / "README.md").write_text(new)
    assert kit_build.contents(fresh.course) == (new, new)


@pytest.mark.parametrize(
    ("text", "makes"),
    [
        ("A sum: of 1.5 and `x.y`. More.", "A sum: of 1.5 and `x.y`."),
        ("A sum\n# of two lines. And\n# more.", "A sum of two lines."),
        ("Why? Because.", "Why?"),
    ],
)
def test_the_list_holds_the_first_sentence(fresh, text, makes):
    rewrite(fresh, "# A sum.", f"# {text}")
    assert fresh.makes == makes


def test_a_figures_module_that_is_broken_is_seen(fresh, monkeypatch):
    assert kit_build.without_figures(fresh) == []
    folder = fresh.course / "kit" / "figures"
    folder.mkdir(parents=True)
    (folder / "ch98.py").write_text("1 / 0\n")
    monkeypatch.setattr("kit.figures.__path__", [str(folder)])
    found = kit_build.without_figures(fresh)
    assert found == ["kit/figures/ch98.py: ZeroDivisionError: division by zero"]


def test_a_page_is_no_chapter_and_is_built_like_one(fresh):
    page = fresh.course / "sources" / "marks.py"
    page.write_text("# %% [markdown]\n# # Marks\n\n# %%\n2 + 3\n")
    assert [p.name for p in chapters([], fresh.course)] == ["ch98", "ch99"]
    (found,) = chapters_and_pages(["marks"], fresh.course)
    assert found.is_page
    assert chapters_and_pages([], fresh.course)[-1] == found
    assert [p.name for p in chapters_and_pages(["98", "marks"], fresh.course)] == ["ch98", "marks"]
    built = kit_build.build(found)
    assert nbformat.read(built, as_version=4).cells[1].id == "marks-002"
    assert kit_build.differences(found) == lint(found) == kit_build.orphans(fresh.course) == []


def test_an_error_on_purpose_is_shown_in_words(built):
    (output,) = cell_with(built, "shows_error(Zero").outputs
    assert output.text == "ZeroDivisionError: division by zero\n"


def test_a_figure_has_alt_text_and_words(built):
    picture, words = cell_with(built, "figure(fig").outputs
    assert picture.metadata["image/png"]["alt"] == "A line that goes up."
    assert picture.data["text/plain"] == "A line that goes up."
    assert "<summary>Figure in words</summary>" in words.data["text/html"]
    assert words.data["text/plain"] == "A line that goes up.\nFrom 0 to 1."


def test_nbval_passes_on_the_built_notebook_and_sees_a_changed_output(built, tmp_path):
    assert nbval(built.notebook).returncode == 0
    changed = built.course / "98_changed.ipynb"
    changed.write_text(built.notebook.read_text().replace("not attempted yet", "all right"))
    try:
        report = nbval(changed)
    finally:
        changed.unlink()
    assert report.returncode == 1
    assert "not attempted yet" in report.stdout


def nbval(notebook):
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-c"]
    command += [os.devnull, "-p", "no:cacheprovider", notebook.name]
    return subprocess.run(command, cwd=notebook.parent, capture_output=True, text=True)


def test_filled_with_its_solutions_every_check_says_right(built):
    notebook = kit_build.executed(
        kit_build.filled(built, kit_build.unexecuted(built)), built.course
    )
    check = next(c for c in notebook.cells if c.source == "ch98.total.check(total)")
    assert check.outputs[0].data["text/plain"] == "✓ total: right."


def test_a_wrong_answer_in_a_kernel_shows_the_learners_line_and_loops_end(built):
    notebook = kit_build.unexecuted(built)
    stub = next(c for c in notebook.cells if c.metadata.get("exercise", {}).get("part") == "stub")
    check = next(c for c in notebook.cells if c.source == "ch98.total.check(total)")
    answers = ["def total(x):\n    return x / 'a'", "def total(x):\n    while True:\n        pass"]
    wanted = [stub, check, stub.copy(), check.copy()]
    wanted[0].source, wanted[2].source = answers
    quick = nbformat.v4.new_code_cell("ch98.total.seconds = 0.5")
    notebook.cells = [c for c in notebook.cells if "import numpy" in c.source] + [quick] + wanted
    ran = kit_build.executed(notebook, built.course).cells
    first, second = (ran[i].outputs[0].data["text/plain"] for i in (-3, -1))
    assert "line 2: `return x / 'a'`" in first
    assert "stopped after 0.5 seconds" in second
    assert "where: line" in second


def test_a_cell_that_raises_stops_the_build(fresh):
    rewrite(fresh, "print(1)", "1 / 0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT / "course"))
        with pytest.raises(Exception, match="division by zero"):
            kit_build.build(fresh)
    assert not fresh.notebook.exists()


def test_check_sees_drift(built, fresh):
    fresh.notebook.write_text(built.notebook.read_text())
    assert kit_build.differences(fresh) == []
    rewrite(fresh, "print(2)", "print(22)")
    assert len(kit_build.differences(fresh)) == 1
    rewrite(fresh, "print(22)", "print(2)")
    rewrite_exercises(fresh, "Look at NumPy.", "Look.")
    assert len(kit_build.differences(fresh)) == 1
    rewrite(fresh, "# ## Exercises", "# ## Exercises\n\n# %%\n1")
    assert any("cells, not" in text for text in kit_build.differences(fresh))
    fresh.notebook.unlink()
    assert kit_build.differences(fresh) == ["98_try.ipynb was never built"]


def test_check_sees_cleared_outputs_and_other_metadata(built, fresh):
    notebook = nbformat.read(built.notebook, as_version=4)
    notebook.metadata.language_info.version = "3.11.7"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[2].execution_count = None
    nbformat.write(notebook, fresh.notebook)
    found = " ".join(kit_build.differences(fresh))
    assert "was not run in order (None)" in found
    assert "its metadata is not the build's" in found


def test_a_notebook_without_a_source_is_seen(built, fresh):
    assert kit_build.orphans(fresh.course) == []
    extra = fresh.course / "97_lost.ipynb"
    extra.write_text("{}")
    assert kit_build.orphans(fresh.course) == [extra]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<!-- exercise: total -->", "<!-- exercise: sum -->", "no exercise is named sum"),
        ("# <!-- exercise: total -->", "# Some. <!-- exercise: total -->", "not where it belongs"),
        ("# <!-- launch -->", "# <!-- start -->", "<!-- start --> is unknown"),
        ("# <!-- open -->\n# `1`.", "# `1`.", "without its partner"),
        ("# <!-- exercise: total -->", "# Nothing.", "its exercises are ['total']"),
    ],
)
def test_a_directive_out_of_place_is_refused(fresh, old, new, words):
    rewrite(fresh, old, new)
    with pytest.raises(ValueError) as caught:
        kit_build.unexecuted(fresh)
    assert words in str(caught.value)


LINTED = {
    "minutes": ("5 minutes", "short", "a title and the minutes"),
    "gpu": ("GPU: not needed", "", "whether a GPU"),
    "anatomy": ("# ## Cheat-sheet", "# ### Cheat-sheet", "Cheat-sheet"),
    "levels": ("# ## Summary", "# ## Summary\n#\n# #### Deep", "skips a level"),
    "sections": ("# ## 2. Part 2", "# ## 3. Part 2", "section 2 is headed"),
    "predict": ("# <!-- predict -->\n# What will part 3", "# What will part 3", "no prediction"),
    "words": ("# ## 2. Part 2", "# ## 2. Part 2\n# " + "word " * 130, "words before cell"),
    "lines": ("print(2)", "print(2)\n" * 21, "lines of code"),
    "long": ("print(2)", "print(2)  # " + "x" * 100, "longer than 100"),
    "id": ("print(2)", "print(id(2))", "id()"),
    "time": ("print(2)", "time.time()", "nbval-ignore-output"),
    "plot": ("print(2)", "import matplotlib.pyplot as plt", "kit.figures"),
    "seed": ("print(2)", "np.random.default_rng()", "needs a seed"),
    "global": ("print(2)", "np.random.randn(3)", "default_rng(seed)"),
    "mt": ("print(2)", "mt.randn(3)", "manual_seed"),
    "net": ("print(2)", "import urllib.request", "no network"),
    "link": ("# Nothing.", "# See [it](98_gone.ipynb).", "leads nowhere"),
    "anchor": ("# Nothing.", "# See [it](#nowhere).", "leads nowhere"),
    "image": ("# Nothing.", "# ![](a.png)", "without alt text"),
}


@pytest.mark.parametrize("name", LINTED)
def test_the_lint_finds(built, fresh, name):
    old, new, words = LINTED[name]
    rewrite(fresh, old, new)
    if name == "predict":
        rewrite(fresh, "# <!-- open -->\n# `3`.", "# `3`.")
    notebook = kit_build.unexecuted(fresh)
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
    nbformat.write(notebook, fresh.notebook)
    found = lint(fresh)
    assert len(found) == 1
    assert words in found[0]


OUTPUTS = {
    "picture": (("display_data", {"image/png": "aaaa"}), "a picture without alt"),
    "svg": (("display_data", {"image/svg+xml": "<svg><g/></svg>"}), "an SVG without"),
    "html svg": (("display_data", {"text/html": "<p><svg></svg></p>"}), "an SVG without"),
    "img": (("display_data", {"text/html": '<img src="a.png">'}), "an <img> without"),
    "address": (("display_data", {"text/plain": "<f at 0x7f00aa11>"}), "an address"),
    "stderr": (("stream", "stderr"), "stderr"),
    "error": (("error", "ValueError"), "not on purpose"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_lint_finds_in_outputs(built, fresh, name):
    (kind, what), words = OUTPUTS[name]
    notebook = nbformat.read(built.notebook, as_version=4)
    cell = next(c for c in notebook.cells if c.source == "print(2)")
    extra = {
        "display_data": {"data": what},
        "stream": {"name": what, "text": "hm"},
        "error": {"ename": what, "evalue": "", "traceback": []},
    }
    cell.outputs = [nbformat.v4.new_output(kind, **extra[kind])]
    nbformat.write(notebook, fresh.notebook)
    found = lint(fresh)
    assert len(found) == 1
    assert words in found[0]


def test_a_labelled_svg_and_a_cell_never_run(built, fresh):
    notebook = nbformat.read(built.notebook, as_version=4)
    one, two = (c for c in notebook.cells if c.source in ("print(2)", "print(3)"))
    svg = '<svg viewBox="0 0 1 1"><title>A graph</title></svg>'
    one.outputs = [nbformat.v4.new_output("display_data", data={"image/svg+xml": svg})]
    two.execution_count = None
    nbformat.write(notebook, fresh.notebook)
    assert [text.split(": ")[1] for text in lint(fresh)] == ["never executed"]


def test_code_is_bared_of_comments_and_strings():
    code = 'x = "id(1)"  # id(2)\nprint(id(x), f"{x}")\n'
    assert bare(code).count("id(") == 1


def test_inline_marks():
    assert inline("`a*b*c` and *so* **on** <x> $a*b*c$") == (
        "<code>a*b*c</code> and <em>so</em> <b>on</b> &lt;x&gt; $a*b*c$"
    )


def test_two_predictions_in_one_cell():
    text = "<!-- predict -->\nA?\n<!-- open -->\nB.\n<!-- end -->\nMore."
    folded = predictions(text + "\n" + text)
    assert folded.count("<details>") == 2
    assert folded.endswith("More.")


def test_a_quiz_is_held_to_its_rules():
    good = [Choice("a", "no"), Choice("b", "yes", right=True), Choice("c", "not so")]
    for bad in (Choice("c", ""), Choice("c", "no"), Choice("a", "not so")):
        with pytest.raises(ValueError, match="of its own"):
            Question("?", [*good[:2], bad])
    with pytest.raises(ValueError, match="one of them right"):
        Question("?", good[:1] * 3)
    with pytest.raises(ValueError, match="five questions"):
        quiz_cells([Question("?", good)])
    with pytest.raises(ValueError, match="the same place"):
        quiz_cells([Question("?", good)] * 5)


def test_chapters_are_found_by_number(fresh, monkeypatch, capsys):
    assert [c.name for c in chapters([], fresh.course)] == ["ch98", "ch99"]
    assert [c.stem for c in chapters(["ch98"], fresh.course)] == ["98_try"]
    with pytest.raises(ValueError, match="no source for chapter 42"):
        chapters(["42"], fresh.course)
    assert kit_chapter.COURSE == ROOT / "course"
