"""Build notebooks from sources: put exercises and quiz in, execute, write.

`python -m kit.build [chapter ...]` writes course/NN_name.ipynb. With `--check` it writes nothing,
and compares the shipped cells with the sources.

Nothing in a built notebook depends on when or where it was built, save what its cells print.
"""

import argparse
import copy
import importlib
import os
import re
import sys

import jupytext
import nbformat
from nbclient import NotebookClient

from kit import record
from kit.chapter import COURSE, all_chapters, all_pages, chapters_and_pages
from kit.expand import expand

CELL_SECONDS = 60
LAUNCH_TIMEOUT = 60
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
LIST = re.compile(r"(<!-- chapters:[^>]*-->)\n.*?(<!-- /chapters -->)", re.DOTALL)
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def unexecuted(chapter):
    """Return the chapter's notebook as its sources say: no outputs yet."""
    source = jupytext.reads(chapter.source.read_text(encoding="utf-8").strip(), fmt="py:percent")
    cells = expand(chapter, source.cells, all_chapters(chapter.course))
    notebook = nbformat.v4.new_notebook(cells=cells)
    for number, cell in enumerate(cells, start=1):
        cell.id = f"{chapter.name}-{number:03d}"
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat_minor = 5
    return notebook


def executed(notebook, course=COURSE):
    """Execute a copy in a fresh kernel that runs in the course's directory; return it, stripped."""
    notebook = copy.deepcopy(notebook)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        startup_timeout=LAUNCH_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(course)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # one printed output is one block, however it came
    )
    client.execute(env={**os.environ, record.SWITCH: "off"})
    strip(notebook)
    return notebook


def strip(notebook):
    """Take out what differs from run to run and says nothing."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data.pop(WIDGET_VIEW, None)  # its model is gone with the kernel
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]


def filled(chapter, notebook):
    """Return a copy of a notebook with every stub replaced by its solution."""
    notebook = copy.deepcopy(notebook)
    module = chapter.exercises()
    for cell in notebook.cells:
        part = cell.metadata.get("exercise", {})
        if part.get("part") == "stub":
            cell.source = getattr(module, part["name"]).solution
    return notebook


def build(chapter):
    """Build one chapter and write its notebook. Returns its path."""
    notebook = executed(unexecuted(chapter), chapter.course)
    nbformat.validate(notebook)
    chapter.notebook.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return chapter.notebook


def differences(chapter):
    """Return how the shipped notebook differs from its sources, outputs aside, in sentences."""
    if not chapter.notebook.exists():
        return [f"{chapter.notebook.name} was never built"]
    shipped, fresh = nbformat.read(chapter.notebook, as_version=4), unexecuted(chapter)
    found = [
        f"{chapter.notebook.name}: cell {theirs.id} differs from its source"
        for theirs, ours in zip(shipped.cells, fresh.cells, strict=False)
        if not same_cell(theirs, ours)
    ]
    if len(shipped.cells) != len(fresh.cells):
        found.append(f"{chapter.notebook.name}: {len(shipped.cells)} cells, not {len(fresh.cells)}")
    if shipped.metadata != fresh.metadata:
        found.append(f"{chapter.notebook.name}: its metadata is not the build's")
    return found + never_run(chapter, shipped)


def same_cell(one, other):
    return all(one.get(key) == other.get(key) for key in ("cell_type", "id", "source", "metadata"))


def never_run(chapter, notebook):
    """Return a sentence for each code cell that was not executed in order, once."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [
        f"{chapter.notebook.name}: cell {cell.id} was not run in order ({cell.execution_count})"
        for count, cell in enumerate(code, start=1)
        if cell.execution_count != count
    ]


def orphans(course=COURSE):
    """Return the notebooks that have no source."""
    known = {chapter.notebook for chapter in [*all_chapters(course), *all_pages(course)]}
    return sorted(set(course.glob("*.ipynb")) - known)


def contents(course=COURSE):
    """Return (the text of course/README.md, the same with its list of chapters up to date)."""
    text = (course / "README.md").read_text(encoding="utf-8")
    lines = [listed(chapter) for chapter in all_chapters(course)]
    return text, LIST.sub(lambda match: "\n".join([match[1], *lines, match[2]]), text)


def listed(chapter):
    """Return a chapter's line in the list: its link, its minutes, what the reader will make."""
    minutes = f", {chapter.minutes} minutes" if chapter.minutes else ""
    makes = f": {chapter.makes}" if chapter.makes else ""
    return f"- [{chapter.title}]({chapter.notebook.name}){minutes}{makes}"


def without_figures(chapter):
    """Return a sentence if the chapter's figures module is there and cannot be imported."""
    if not (chapter.course / "kit" / "figures" / f"{chapter.name}.py").exists():
        return []
    try:
        importlib.import_module(f"kit.figures.{chapter.name}")
    except Exception as error:
        return [f"kit/figures/{chapter.name}.py: {type(error).__name__}: {error}"]
    return []


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m kit.build", description=__doc__.split("\n")[0])
    parser.add_argument("chapter", nargs="*", help='such as "02"; all if none is named')
    parser.add_argument("--check", action="store_true", help="compare, do not build")
    options = parser.parse_args(arguments)
    wanted = chapters_and_pages(options.chapter)
    if not options.check:
        for chapter in wanted:
            print(f"built {build(chapter).name}", flush=True)
        (COURSE / "README.md").write_text(contents()[1], encoding="utf-8")
        return 0
    found = [line for chapter in wanted for line in differences(chapter)]
    found += [line for chapter in wanted for line in without_figures(chapter)]
    found += [f"{path.name} has no source" for path in orphans()]
    old, new = contents()
    found += ["README.md: its list of chapters is out of date"] * (old != new)
    print("\n".join(found) or f"{len(wanted)} notebooks equal their sources")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
