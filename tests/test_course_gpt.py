"""Chapter 13's model, its novel, and the checkpoint that ships with it."""

import hashlib
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from kit.data import DATA, novel, trained_gpt

import minitensor as mt

SCRIPT = Path(__file__).resolve().parents[1] / "course" / "scripts" / "train_gpt.py"


@pytest.fixture(scope="module")
def script():
    """course/scripts/train_gpt.py as a module."""
    spec = importlib.util.spec_from_file_location("train_gpt", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def names(script):
    """What the chapter's model cells define."""
    return script.chapter_cells()


@pytest.fixture(scope="module")
def kept():
    return trained_gpt()


@pytest.fixture(scope="module")
def model(names, kept):
    model = names["GPT"](**kept["sizes"])
    model.load_state_dict(kept["model"])
    return model


@pytest.fixture(scope="module")
def held_out():
    text = novel()
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])
    return np.split(codes, [len(codes) * 9 // 10])


def test_the_novel_is_the_file_that_its_page_names():
    digest = hashlib.sha256((DATA / "persuasion.txt").read_bytes()).hexdigest()
    assert digest in (DATA / "persuasion.md").read_text(encoding="utf-8")
    assert len(novel()) == 466_854
    assert len(set(novel())) == 75


def test_the_checkpoint_is_small_and_says_how_it_was_made(kept):
    assert (DATA / "gpt.safetensors").stat().st_size < 2_000_000
    about = kept["about"]
    assert about["command"].startswith("python scripts/train_gpt.py")
    assert {"date", "seed", "steps", "loss held out"} <= set(about)
    page = (DATA / "gpt.md").read_text(encoding="utf-8")
    assert all(str(about[name]) in page for name in ("date", "steps", "loss held out"))


def test_the_checkpoint_reaches_its_loss_and_beats_the_bigrams_clearly(
    names, model, held_out, kept
):
    train, rest = held_out
    loss = names["evaluate"](model, rest)
    assert loss == pytest.approx(kept["about"]["loss held out"], abs=0.01)
    pairs = np.ones((75, 75))
    np.add.at(pairs, (train[:-1], train[1:]), 1)
    pairs /= pairs.sum(axis=1, keepdims=True)
    assert loss < -np.log(pairs[rest[:-1], rest[1:]]).mean() - 0.8


def test_it_writes_words_of_the_novel(names, model, kept):
    letters = sorted(set(novel()))
    codes = names["write"](model, [letters.index("\n")], 400, np.random.default_rng(2), calm=0.7)
    written = "".join(letters[code] for code in codes).split()[:-1]
    known = set(novel().split())
    assert sum(word in known for word in written) > 0.75 * len(written)


def test_it_never_looks_ahead(names, model, held_out):
    codes = mt.from_numpy(held_out[1][None, :64].copy())
    with mt.no_grad():
        before = model(codes)
        for at in (1, 20, 63):
            changed = codes.clone()
            changed[0, at] = (int(changed[0, at]) + 1) % 75
            after = model(changed)
            assert mt.equal(after[0, :at], before[0, :at])
            assert not mt.equal(after[0, at], before[0, at])


def test_a_short_training_by_the_script_learns_and_is_kept(script, tmp_path, monkeypatch):
    out = tmp_path / "gpt.safetensors"
    monkeypatch.setattr(script, "SIZES", {"width": 16, "heads": 2, "layers": 1, "context": 16})
    arguments = ["train_gpt.py", "--steps", "30", "--out", str(out)]
    monkeypatch.setattr(script.sys, "argv", arguments)
    script.main()
    kept = mt.load(out)
    assert [row[0] for row in kept["losses"]] == [1, 30]
    assert kept["losses"][-1][2] < kept["losses"][0][2] - 0.5
    assert set(kept["samples"]) == {"1", "30"}
    assert "--steps 30" in kept["about"]["command"]


def test_the_same_cells_give_the_same_scores_in_pytorch(names, model, held_out, kept):
    torch = pytest.importorskip("torch")
    import jupytext

    source = SCRIPT.parents[1] / "sources" / "13_attention_and_a_small_gpt.py"
    other = {"math": math, "np": np, "mt": torch, "nn": torch.nn, "F": torch.nn.functional}
    for cell in jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells:
        if "model" in cell.metadata.get("tags", []):
            exec(cell.source, other)
    twin = other["GPT"](**kept["sizes"])
    twin.load_state_dict({k: torch.tensor(v.numpy()) for k, v in kept["model"].items()})
    codes = held_out[1][: 4 * 64].reshape(4, 64)
    loss = names["loss_of"](model, mt.from_numpy(codes), mt.from_numpy(codes))
    loss.backward()
    same = other["loss_of"](twin, torch.from_numpy(codes), torch.from_numpy(codes))
    same.backward()
    assert loss.item() == pytest.approx(same.item(), rel=1e-4)
    for (name, p), (other_name, q) in zip(
        model.named_parameters(), twin.named_parameters(), strict=True
    ):
        assert name == other_name
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=2e-3, atol=2e-5)
