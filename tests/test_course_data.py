"""The data that ships with the course is what its page says it is."""

import hashlib

import numpy as np
from kit.data import DATA, penguins


def test_penguins_are_the_file_that_their_page_names():
    digest = hashlib.sha256((DATA / "penguins.csv").read_bytes()).hexdigest()
    assert digest in (DATA / "penguins.md").read_text(encoding="utf-8")


def test_penguins_are_complete_and_in_their_units():
    flipper, mass = penguins()
    assert flipper.shape == mass.shape == (342,)
    assert flipper.dtype == mass.dtype == np.float32
    assert (flipper[0], mass[0]) == (181, 3750)
    assert (flipper.min(), flipper.max()) == (172, 231)  # mm
    assert (mass.min(), mass.max()) == (2700, 6300)  # g


def test_every_data_file_has_its_page_with_a_licence():
    for path in DATA.iterdir():
        page = path.with_suffix(".md")
        assert "Licence" in page.read_text(encoding="utf-8"), path.name
