"""Chapter 14's program prints the same on minitensor as it did, and does, on PyTorch."""

import re

import pytest
from exercises import ch14
from kit import ported

import minitensor as mt


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


def answers(lib):
    """What the solutions of chapter 14's exercises give, with one library or the other."""
    names = {"mt": lib}
    for exercise in (ch14.bend, ch14.slope_loss, ch14.softsign):
        exec(exercise.solution, names)
    x = lib.tensor([1.0, -0.5, 3.0], requires_grad=True)
    w = lib.tensor([1.0, 0.5], requires_grad=True)
    loss = names["slope_loss"](lambda t: w[0] * t + w[1] * t * t, x, lib.ones(3))
    loss.backward()
    softsign = names["Softsign"].apply
    return [
        *names["bend"](lib.tanh, x).tolist(),
        loss.item(),
        *w.grad.tolist(),
        *softsign(x).tolist(),
        *names["bend"](softsign, x).tolist(),
    ]


def test_the_solutions_are_right_in_pytorch_too():
    torch = pytest.importorskip("torch")
    assert answers(mt) == pytest.approx(answers(torch), rel=1e-5)
