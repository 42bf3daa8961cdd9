"""Links of all pages: files and headings are there; addresses of the web have the right form."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from kit.prose import Page, pages, slug

ROOT = Path(__file__).resolve().parent.parent
PAGES = pages(ROOT)
WEB = re.compile(r"https://([a-z0-9-]+\.)+[a-z]{2,}(:\d+)?(/[^\s<>\"`]*)?")


def broken(page, target):
    """Return what is wrong with a link's target, or ""."""
    if re.match(r"[a-z]+:", target):
        return (
            "" if WEB.fullmatch(target) or target.startswith("mailto:") else "not a https address"
        )
    path, _, anchor = unquote(target).partition("#")
    if path.startswith("/"):
        return "not relative: it breaks where the folder has another place"
    there = (page.path.parent / path).resolve() if path else page.path
    if not there.exists():
        # Other tests hold that every source was built.
        source = there.parent / "sources" / f"{there.stem}.py"
        return "" if there.suffix == ".ipynb" and source.exists() else "no such file"
    if anchor and there.suffix in (".md", ".ipynb"):
        return "" if anchor in Page(there).anchors() else "no such heading"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    found = {target: broken(page, target) for _, _, target in page.links()}
    assert {target: what for target, what in found.items() if what} == {}


def test_there_are_pages_and_links():
    assert len(PAGES) > 15
    assert sum(len(page.links()) for page in PAGES) > 100


@pytest.mark.parametrize(
    ("link", "what"),
    [
        ("gone.md", "no such file"),
        ("there.md", ""),
        ("there.md#a-heading-with-code", ""),
        ("there.md#A-heading", "no such heading"),
        ("#own", ""),
        ("#other", "no such heading"),
        ("/etc/hosts", "not relative: it breaks where the folder has another place"),
        ("http://example.org", "not a https address"),
        ("https://example", "not a https address"),
        ("https://example.org/a_(b)?c=d#e", ""),
    ],
)
def test_a_broken_link_is_found(tmp_path, link, what):
    (tmp_path / "there.md").write_text("# A heading, with `code`!\n")
    (tmp_path / "here.md").write_text("# Own\n")
    assert broken(Page(tmp_path / "here.md"), link) == what


def test_links_are_read_from_all_forms(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        '[a](b.md) ![c](d.png) [![e](f.png)](g.md) <a href="h.md">i</a> `[j](k.md)`\n'
        "```\n[l](m.md)\n```\n<!-- [n](o.md) --> [`p`](q.md)\n"
    )
    targets = [target for _, _, target in Page(page).links()]
    assert set(targets) == {"b.md", "d.png", "g.md", "h.md", "q.md"}


def test_the_slug_of_a_heading():
    assert slug("In-place: `x += 1`, & more") == "in-place-x--1--more"
