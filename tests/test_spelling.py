"""The spelling of all prose: known misspellings, British forms, and a dictionary with our words.

Words that are right and unknown go into words.txt, one a line, in order. Code is not read, nor
are words with a capital letter in the dictionary's test: names are many.
"""

import re
from pathlib import Path

import pytest
from kit.prose import Page, pages

import minitensor as mt

codespell = pytest.importorskip("codespell_lib", reason="codespell is not installed")
spellchecker = pytest.importorskip("spellchecker", reason="pyspellchecker is not installed")

ROOT = Path(__file__).resolve().parent.parent
PAGES = pages(ROOT)
LISTS = Path(codespell.__file__).parent / "data"
WORD = re.compile(r"(?<![\w.\\/_@#-])[A-Za-z][a-z]*(?:'[a-z]+)?(?![\w/_(-]|\.\w)")
HEAD = re.compile(r"^#+ \w+$", re.MULTILINE)  # of one word: in a reference, a name
OURS = (ROOT / "tests" / "words.txt").read_text(encoding="utf-8").split()
# American for one meaning, British for another: the list of codespell knows no difference.
BOTH = set(
    "analog artifact artifacts biased catalog catalogs dialog dialogs focused focuses focusing "
    "journaling judgment judgments license licensed licenses math meter meters practice practices "
    "program routing specialty specialties story stories writable".split()
)

# PyTorch's names, used as words beside the call that they name.
CALLS = {"synchronize", "synchronizes", "optimizer"}


def pairs(name):
    """The (wrong, right) words of one of codespell's lists."""
    lines = (LISTS / name).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("->")) for line in lines if "->" in line]


MISSPELT = dict(pairs("dictionary.txt"))
BRITISH = {gb for gb, _ in pairs("dictionary_en-GB_to_en-US.txt")}
AMERICAN = {us: gb for gb, us in pairs("dictionary_en-GB_to_en-US.txt") if us not in BOTH | CALLS}
# Names of the library are words of the trade.
NAMES = {
    n.lower() for room in (mt, mt.Tensor, mt.nn, mt.nn.functional, mt.optim) for n in dir(room)
}
KNOWN = {word.lower() for word in OURS} | BRITISH | NAMES
DICTIONARY = spellchecker.SpellChecker(language="en")


def unknown(text):
    """The words of a text that are misspelt, American, or in no list; each with what is wrong."""
    found = {}
    for word in sorted(set(WORD.findall(HEAD.sub("", text)))):
        plain = re.sub(r"'s?$", "", word)
        low = plain.lower()
        if low in MISSPELT and low not in KNOWN:
            found[word] = f"misspelt: {MISSPELT[low]}"
        elif low in AMERICAN:
            found[word] = f"American: {AMERICAN[low]}"
        elif plain == low and not {low, word} & KNOWN and low not in DICTIONARY:
            found[word] = "unknown: misspelt, or for tests/words.txt"
    return found


each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.path.relative_to(ROOT))
)


@each_page
def test_the_spelling_of_a_page(page):
    assert unknown(page.words()) == {}


def exercises_text():
    """The texts that only exercises and their checks hold: messages, causes, replies."""
    for path in sorted((ROOT / "course" / "exercises").glob("ch*.py")):
        text = path.read_text(encoding="utf-8")
        strings = re.findall(r"\"((?:[^\"\\\n]|\\.)* (?:[^\"\\\n]|\\.)*)\"", text)
        yield path.name, "\n".join(re.sub(r"`[^`]*`|\{[^}]*\}|\\n", " ", line) for line in strings)


@pytest.mark.parametrize(("name", "text"), list(exercises_text()), ids=lambda part: part[:7])
def test_no_message_of_a_check_is_misspelt(name, text):
    assert {w: why for w, why in unknown(text).items() if not why.startswith("unknown")} == {}


def test_code_comments_and_docstrings_are_not_misspelt():
    """By codespell's own list alone: code has many words that no dictionary knows."""
    folders = ("course/kit", "course/exercises", "course/sources", "minitensor", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    paths.remove(Path(__file__))  # it misspells on purpose
    assert len(paths) > 100
    # Part of code on purpose: a mistake that is shown, a function's name, half of a message.
    allowed = "gard,atleast,nteger"
    arguments = ["--builtin", "clear", "--ignore-words-list", allowed, *map(str, paths)]
    assert codespell.main(*arguments) == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The gradiant of teh loss.", {"gradiant", "teh"}),
        ("Initialization in color.", {"Initialization", "color"}),
        ("The optimiser's behaviour: initialised neighbours, a program's centre.", set()),
        ("### normalize\n\nIt normalizes.", {"normalizes"}),
        ("qwertzu and a Qwertzu", {"qwertzu"}),
        ("`colr` and $colr$ and [x](colr.md) and https://colr.org and <colr>", set()),
    ],
)
def test_what_is_found(tmp_path, text, found):
    path = tmp_path / "page.md"
    path.write_text(text)
    assert set(unknown(Page(path).words())) == found


def test_our_words_are_in_order_and_needed():
    assert sorted(set(OURS), key=str.lower) == OURS
    prose = "\n".join(page.words() for page in PAGES)
    used = {re.sub(r"'s?$", "", word).lower() for word in WORD.findall(prose)}
    needless = [w for w in OURS if w.lower() in DICTIONARY and w.lower() not in MISSPELT]
    assert needless == []
    assert len(used & {w.lower() for w in OURS}) > 20
