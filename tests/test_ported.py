"""Chapter 14's program prints the same on minitensor as it did, and does, on PyTorch."""

import re

import pytest
from kit import ported


def test_minitensor_prints_what_pytorch_printed():
    lines, about = ported.on_pytorch()
    assert re.fullmatch(r"PyTorch \d+\.\d+\.\d+ on \d{4}-\d\d-\d\d: python programs/.*", about)
    assert ported.on_minitensor() == lines and len(lines) > 10


def test_the_record_is_what_pytorch_prints():
    pytest.importorskip("torch")
    assert ported.run(ported.PROGRAM) == ported.on_pytorch()[0]


def test_the_program_knows_only_pytorch():
    code = ported.PROGRAM.read_text(encoding="utf-8").partition('"""\n\n')[2]
    assert "import torch" in code and "minitensor" not in code


def test_a_program_that_fails_is_not_taken_for_one_that_prints_nothing(tmp_path):
    program = tmp_path / "fails.py"
    program.write_text("import torch\ntorch.no_such_name")
    with pytest.raises(RuntimeError, match="no_such_name"):
        ported.on_minitensor(program)
