"""The handwritten digits are the file that their page names, and come in the shape it promises."""

import hashlib

import numpy as np
import pytest
from kit.data import DATA, digits


@pytest.fixture(scope="module")
def loaded():
    return digits()


def test_digits_are_the_file_that_their_page_names():
    digest = hashlib.sha256((DATA / "digits.csv.gz").read_bytes()).hexdigest()
    assert digest in (DATA / "digits.csv.md").read_text(encoding="utf-8")


def test_digits_have_the_shape_and_range_that_the_loader_promises(loaded):
    images, labels = loaded
    assert (images.shape, images.dtype) == ((1797, 8, 8), np.float32)
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)
    assert set(np.unique(images * 16)) == set(range(17))
    counts = np.bincount(labels)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_a_pixel_is_where_it_was_drawn(loaded):
    images, labels = loaded
    assert labels[0] == 0
    assert (images[0, 3:5, 3:5] == 0).all()  # a zero has a hole
    assert (
        images[labels == 1].mean(0)[:, 3:5].mean() > images[labels == 1].mean(0)[:, 0].mean() + 0.5
    )
