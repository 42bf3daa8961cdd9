"""The rules that every built notebook keeps. AUTHORS.md lists them for authors.

Command: `python -m kit.lint [chapter ...]`.
"""

import io
import re
import sys
import tokenize

import nbformat

from kit.chapter import chapters_and_pages

MOST_LINES, LINE_LENGTH, MOST_WORDS = 20, 100, 120
IGNORED = "nbval-ignore-output"
ANATOMY = [
    "What you will make", "Before you start", "Exercises", "Quiz", "Summary", "Cheat-sheet",
    "In PyTorch", "Next",
]  # fmt: skip
BANNED = {
    r"(?<![\w.])id\(": "id() differs from run to run",
    r"\bmatplotlib\b|\bplt\b": "plotting code lives in kit.figures",
    r"\b(urllib|requests|http|socket|urlopen|urlretrieve)\b": "no network",
    r"\bdefault_rng\(\s*\)": "a generator needs a seed",
    r"\bnp\.random\.(?!default_rng|RandomState\(\d|Generator)": "use np.random.default_rng(seed)",
    r"(?<![\w.])random\.(?!Random\(\d)\w+\(": "use random.Random(seed)",
    r"\b(interact|clear_output)\(": "use observe on an output widget",
}
BANNED_IF_COMPARED = {
    r"\btime\.\w|\bperf_counter|\bdatetime\b|\btimeit\b": "timings need the tag nbval-ignore-output"
}
MT_RANDOM = re.compile(r"\bmt\.(rand|randn|randint|randperm|normal|bernoulli)\(")
MT_SEEDED = re.compile(r"\bmt\.(manual_seed|Generator)\(")
HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|<img\b[^>]*>")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`[^`\n]+`")
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
NOT_WORDS = re.compile(r"<!--.*?-->|<[^>]+>|\$\$.*?\$\$|\]\([^)]*\)", re.DOTALL)


def lint(chapter):
    """Return what is wrong with a chapter's built notebook, as a list of sentences."""
    notebook = nbformat.read(chapter.notebook, as_version=4)
    found = [] if chapter.is_page else [*anatomy(notebook)]
    found += [*headings(notebook), *words(notebook), *seeds(notebook)]
    for cell in notebook.cells:
        rules = code_rules if cell.cell_type == "code" else text_rules
        found += [f"{cell.id}: {problem}" for problem in rules(chapter, notebook, cell)]
    return [f"{chapter.stem} {problem}" for problem in found]


# The notebook as a whole.


def prose(cell):
    """A markdown cell's text without its code, so that a comment in code is no heading or link."""
    return SPAN.sub("`code`", FENCE.sub("", cell.source))


def markdown_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def all_headings(notebook):
    return [(len(m[1]), m[2]) for c in markdown_cells(notebook) for m in HEADING.finditer(prose(c))]


def anatomy(notebook):
    """A title with minutes, the required headings in order, a prediction in each section."""
    title = notebook.cells[0].source
    if not title.startswith("# ") or not re.search(r"\b\d+ minutes\b", title):
        yield "the first cell holds a title and the minutes"
    if "GPU: " not in title:
        yield "the first cell says whether a GPU is needed (GPU: not needed)"
    second = [text for level, text in all_headings(notebook) if level == 2]
    if [text for text in second if text in ANATOMY] != ANATOMY:
        yield f"the headings {', '.join(ANATOMY)} are needed, once each, in this order"
    sections = [text for text in second if text not in ANATOMY]
    if not 4 <= len(sections) <= 6:
        yield f"{len(sections)} sections, not 4 to 6"
    for number, text in enumerate(sections, start=1):
        if not text.startswith(f"{number}. "):
            yield f"section {number} is headed {text!r}, not '{number}. ...'"
    yield from unpredicted(notebook)


def unpredicted(notebook):
    section, predicted = None, {}
    for cell in markdown_cells(notebook):
        for line in cell.source.splitlines():
            if line.startswith("## "):
                section = line
            if "**Predict.**" in line:
                predicted[section] = True
            predicted.setdefault(section, False)
    for name, done in predicted.items():
        if name and re.match(r"## \d", name) and not done:
            yield f"no prediction in section {name[3:]!r}"


def headings(notebook):
    """One heading of level 1, first; no level skipped."""
    found = all_headings(notebook)
    levels = [level for level, _ in found]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield "one heading of level 1, at the top"
    for before, (level, text) in zip(levels, found[1:], strict=False):
        if level > before + 1:
            yield f"heading {text!r} skips a level"


def words(notebook):
    """At most MOST_WORDS words between two code cells; folded text, code and formulas are free."""
    count, seen_code = 0, False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = NOT_WORDS.sub(" ", FOLDED.sub(" ", FENCE.sub(" ", cell.source)))
            count += len([word for word in text.split() if re.search(r"\w", word)])
            continue
        if seen_code and count > MOST_WORDS:
            yield f"{count} words before cell {cell.id}, more than {MOST_WORDS}"
        count, seen_code = 0, True


def seeds(notebook):
    """minitensor's random numbers come after a seed."""
    seeded = False
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        code = bare(cell.source)
        seeded = seeded or bool(MT_SEEDED.search(code))
        if MT_RANDOM.search(code) and not seeded:
            yield f"{cell.id}: random numbers before mt.manual_seed(...)"


# One cell.


def code_rules(chapter, notebook, cell):
    lines = cell.source.splitlines()
    if len(lines) > MOST_LINES:
        yield f"{len(lines)} lines of code, more than {MOST_LINES}"
    if any(len(line) > LINE_LENGTH for line in lines):
        yield f"a line longer than {LINE_LENGTH}"
    if cell.execution_count is None:
        yield "never executed"
    code = bare(cell.source)
    banned = BANNED if IGNORED in cell.metadata.get("tags", []) else BANNED | BANNED_IF_COMPARED
    yield from (why for pattern, why in banned.items() if re.search(pattern, code))
    yield from (problem for output in cell.outputs for problem in output_rules(cell, output))


def output_rules(cell, output):
    if output.output_type == "stream" and output.name == "stderr":
        yield "something was written to stderr"
    if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
        yield "an error that is not on purpose"
    data = output.get("data", {})
    for kind in ("image/png", "image/jpeg"):
        if kind in data and not output.metadata.get(kind, {}).get("alt", "").strip():
            yield "a picture without alt text: show it by kit.figures.figure(fig, alt=...)"
    for kind in ("image/svg+xml", "text/html"):
        yield from markup_rules(data.get(kind, ""))
    texts = [value for kind, value in data.items() if kind.startswith("text/")]
    compared = IGNORED not in cell.metadata.get("tags", [])
    if compared and re.search(r" at 0x[0-9a-f]{6,}", " ".join([*texts, output.get("text", "")])):
        yield "an address in the output"


def markup_rules(markup):
    for svg in re.findall(r"<svg\b.*?</svg>", markup, re.DOTALL):
        labelled = re.search(r"<svg\b[^>]*\baria-label(ledby)?=\"[^\"]+\"", svg)
        if not labelled and not re.search(r"<title\b[^>]*>\s*[^<\s%]", svg):
            yield "an SVG without <title> or aria-label"
    for image in re.findall(r"<img\b[^>]*>", markup):
        if not re.search(r"\balt=\"[^\"]+\"", image):
            yield "an <img> without alt"


def text_rules(chapter, notebook, cell):
    text = prose(cell)
    for image in IMAGE.finditer(text):
        if not (image[1] or re.search(r"\balt=\"[^\"]+\"", image[0])):
            yield f"a picture without alt text: {image[0]}"
    for target in LINK.findall(text):
        if not resolves(chapter, notebook, target):
            yield f"the link {target} leads nowhere"


def resolves(chapter, notebook, target):
    """Whether a link's file is there. Notebooks that have a source count; the web is not asked."""
    if re.match(r"https://", target):
        return True
    path, _, anchor = target.partition("#")
    if path:
        there = (chapter.course / path).resolve()
        source = chapter.course / "sources" / f"{there.stem}.py"
        return there.exists() or (there.suffix == ".ipynb" and source.exists())
    return anchor in {text.replace(" ", "-") for _, text in all_headings(notebook)}


def bare(code):
    """Return code without comments, and with its strings emptied."""
    kept, at = [], (1, 0)
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.start[0] > at[0] or token.start[1] > at[1]:
            kept.append("\n" if token.start[0] > at[0] else " ")
        if token.type == tokenize.STRING:
            kept.append('""')
        elif token.type != tokenize.COMMENT:
            kept.append(token.string)
        at = token.end
    return "".join(kept)


def main(arguments):
    found = [problem for chapter in chapters_and_pages(arguments) for problem in lint(chapter)]
    print("\n".join(found) or "no findings")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
