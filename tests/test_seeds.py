"""Same seed, same numbers: every row of the table on the page of differences, against PyTorch."""

import numpy as np
import pytest
from kit import reference, seeds
from test_random import fused, intel

import minitensor as mt


def drawn(lib, row, seed=0):
    """What a row draws in one library, and the number that the stream gives next."""
    lib.manual_seed(seed)
    return row.draw(lib), lib.rand(1).item()


@pytest.mark.parametrize("row", seeds.ROWS, ids=lambda r: r.what)
def test_a_row_says_what_is_so(row):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    if intel() and not row.on_intel:
        pytest.skip(row.why)
    for seed in (0, 42):
        (ours, after), (theirs, next_one) = drawn(mt, row, seed), drawn(torch, row, seed)
        if row.match == seeds.EXACT and fused():
            assert ours == theirs
        else:
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-5)
        assert after == next_one, "the streams have gone apart"


@pytest.mark.parametrize("row", seeds.ROWS, ids=lambda r: r.what)
def test_a_row_draws(row):
    """Another seed, other numbers: a row that drew nothing would agree with anything."""
    ours, _ = drawn(mt, row)
    assert ours == drawn(mt, row)[0]
    fixed = row.what.startswith("`DataLoader(shuffle=True, generator=g)")
    assert len(ours) > 3 and (fixed or ours != drawn(mt, row, seed=1)[0])


def test_rows_that_do_not_match_everywhere_say_why():
    for row in seeds.ROWS:
        assert row.why or (row.match == seeds.EXACT and row.on_intel), row.what
        assert row.on_intel or seeds.MKL in row.why, row.what


def test_the_page_has_this_table():
    assert seeds.table() in reference.DIFFERENCES.read_text(encoding="utf-8")
