"""Glossary and misconceptions lead to chapters that say what they are said to say."""

import re

import pytest
from kit.chapter import COURSE

REFERENCE = COURSE / "reference"
WORD = re.compile(r"(?m)^\| (.+?) \| (.+?) \| \[(\d\d)\]\(\.\./(\S+\.ipynb)\) \|$")
BELIEF = re.compile(
    r"(?m)^\| (\d+) \| (.+?) \| (.+?) \| \[(\d\d)\]\(\.\./(\S+\.ipynb)\) · (\d\. .+?) \|$"
)
WORDS = WORD.findall((REFERENCE / "glossary.md").read_text(encoding="utf-8"))
BELIEFS = BELIEF.findall((REFERENCE / "misconceptions.md").read_text(encoding="utf-8"))


def source(notebook):
    """The text of a chapter, in one line, from its source: the notebook may not be built yet."""
    path = COURSE / "sources" / notebook.replace(".ipynb", ".py")
    return re.sub(r"\n(# ?)?", " ", path.read_text(encoding="utf-8"))


def rows(name):
    """How many rows a page's table has: a row that the pattern misses would go unchecked."""
    text = (REFERENCE / name).read_text(encoding="utf-8")
    return len(re.findall(r"(?m)^\| .* \|$", text)) - 1


def test_every_row_is_read():
    assert len(WORDS) == rows("glossary.md") > 70
    assert len(BELIEFS) == rows("misconceptions.md") == 39


@pytest.mark.parametrize("word, meaning, number, notebook", WORDS, ids=[w[0] for w in WORDS])
def test_a_word_is_in_its_chapter_and_explained_in_no_earlier_one(word, meaning, number, notebook):
    assert notebook.startswith(number)
    stem = re.sub(r" \(.*", "", word)
    assert re.search(rf"\b{re.escape(stem)}", source(notebook), re.IGNORECASE)
    for path in sorted((COURSE / "sources").glob("[01]*.py")):
        if path.stem < notebook.removesuffix(".ipynb"):
            explained = rf"(?<!\*)\*{re.escape(stem)}\*(?!\*)"
            assert not re.search(explained, path.read_text(encoding="utf-8")), path.name
    assert meaning.endswith(".") and ". " not in meaning, "one sentence"


def test_words_are_in_order_and_once():
    names = [row[0].lower() for row in WORDS]
    assert names == sorted(set(names))


def test_beliefs_are_numbered():
    assert [int(row[0]) for row in BELIEFS] == list(range(1, 40))


@pytest.mark.parametrize("row", BELIEFS, ids=[f"{b[0]}" for b in BELIEFS])
def test_a_belief_leads_to_a_section_that_is_there(row):
    _, _, _, number, notebook, section = row
    assert notebook.startswith(number)
    assert f"## {section} " in source(notebook)


# What the section must hold, for each belief: a piece of the demonstration itself.
SHOWN = {
    1: "replaces the old", 2: "descend(True), descend(False)", 3: "zero_first",
    4: "y.retain_grad()",
    5: "small.is_leaf, double.is_leaf", 6: "w = w - 0.1 * w.grad", 7: "shows_error", 8: ".data",
    9: "d[0] = 5", 10: "net.eval()", 11: "y = x + 1", 12: "naive(z)", 13: "one number of the three",
    14: "runs", 15: "It turns round and *grows*", 16: "one bias", 17: "perfect model",
    18: "Many believe that `view` makes a copy", 19: "Many believe that `view(3, 2)`",
    20: "shows_error(RuntimeError)", 21: "mt.from_numpy(a)", 22: "shows_error",
    23: "mt.tensor([3], requires_grad=True)", 24: "np.sqrt(2 / 3)", 25: "1000",
    26: "does the softmax", 27: "accuracy has no slope", 28: "recover",
    29: "`where` sends a gradient of 0", 30: "Every weight starts", 31: "list of layers",
    32: "total += loss", 33: "gpu.synchronize()", 34: "crossover", 35: "The journey grows",
    36: "Twenty calls", 37: "still means the old one", 38: "mt.allclose", 39: "`if`s and loops",
}  # fmt: skip


@pytest.mark.parametrize("row", BELIEFS, ids=[f"{b[0]}" for b in BELIEFS])
def test_the_section_shows_it(row):
    text = source(row[4])
    section = text.split(f"## {row[5]} ", 1)[1].split(" ## ", 1)[0]
    assert SHOWN[int(row[0])] in section
