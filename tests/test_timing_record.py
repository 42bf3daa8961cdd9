"""Files of timings: written once, described by a schema, refused when anything was changed."""

import copy
import json
import math
import subprocess
import sys

import numpy as np
import pytest

import minitensor as mt
from minitensor import timing
from minitensor.timing import RecordError, load, peers, record, recorded, save
from minitensor.timing.schema import SCHEMA, validate
from minitensor.timing.tasks import MODELS, tasks, training

recording = sys.modules["minitensor.timing.record"]


@pytest.fixture(scope="module")
def data():
    """A file's content, from a run of a few small tasks."""
    said = []
    made = record(
        ["cpu"], "a test", 0.01, said.append,
        lambda t: t.size <= 100 and t.group in ("elementwise", "matmul"),
    )  # fmt: skip
    assert len(said) == len(made["measurements"])
    return made


def renewed(data, **changes):
    """A copy with changes, and a checksum that fits them: only the schema can object."""
    changed = {**copy.deepcopy(data), **changes}
    return {**changed, "checksum": recording.checksum(changed)}


def test_what_was_recorded_is_read_back(data, tmp_path):
    path = tmp_path / "a.json"
    save(data, path)
    read = load(path)
    assert len(read.measurements) == len(data["measurements"])
    for row, m in zip(data["measurements"], read.measurements, strict=True):
        assert (m.group, m.name, m.size, m.device) == tuple(
            row[f] for f in ("group", "name", "size", "device")
        )
        assert list(m.timing.samples) == row["samples"] and m.timing.calls == row["calls"]
    assert read.about["note"] == "a test" and "measurements" not in read.about
    assert read.label() == f"{data['hardware']['cpu']}, recorded {data['date'][:10]}"
    added = read.select(group="elementwise", name="add")
    assert [m.size for m in added] == [10, 100] and added[0].flops == 10 and added[0].bytes == 120
    (first,) = read.select(group="first calls")
    assert len(first.timing.samples) == 20 and first.timing.what == "first calls"
    overhead = {m.name: m.timing for m in read.select(group="overhead")}
    assert overhead["add returned"].what == "launch" and overhead["add finished"].what == "work"


def test_a_file_is_not_overwritten(data, tmp_path):
    save(data, tmp_path / "a.json")
    with pytest.raises(FileExistsError):
        save(data, tmp_path / "a.json")


def test_spacing_and_order_may_change_values_may_not(data, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(dict(reversed(data.items())), indent=3))
    load(path)
    changed = copy.deepcopy(data)
    changed["measurements"][0]["samples"][0] *= 0.5
    path.write_text(json.dumps(changed))
    with pytest.raises(RecordError, match=r"a\.json is refused: its checksum .* was changed after"):
        load(path)
    changed = {**data, "date": "2020-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(changed))
    with pytest.raises(RecordError, match="checksum"):
        load(path)
    with pytest.raises(RecordError, match="checksum"):
        save(changed, tmp_path / "b.json")


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "is not JSON"), ("{", "is not JSON"), ("[]", "must be object"),
        ("{}", "must be a known field"), ('{"format": NaN}', "NaN is no number"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_timings(text, message, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(RecordError, match=message):
        load(path)


def test_a_file_cut_short_is_refused(data, tmp_path):
    path = tmp_path / "a.json"
    save(data, path)
    path.write_text(path.read_text()[:-200])
    with pytest.raises(RecordError, match="is not JSON"):
        load(path)


def edits():
    """Changes that no recording can hold: the place, and the value to put there."""
    yield "format", "other timings"
    yield "version", 2
    yield "date", 20261124
    yield "note", None
    yield "hardware", {}
    yield "hardware.cores", 0
    yield "hardware.cores", "2"
    yield "hardware.gpu", 3
    yield "limits.0.rate", 0
    yield "measurements", []
    yield "measurements.0.what", "guess"
    yield "measurements.0.calls", True
    yield "measurements.0.calls", 0
    yield "measurements.0.size", 1.5
    yield "measurements.0.samples", [1.0] * 5
    yield "measurements.0.samples.0", -1.0
    yield "measurements.0.samples.0", 0
    yield "measurements.0.samples.0", "fast"
    yield "measurements.0.extra", 1


@pytest.mark.parametrize("place, value", list(edits()))
def test_the_schema_refuses(place, value, data):
    changed = copy.deepcopy(data)
    *path, last = (int(p) if p.isdigit() else p for p in place.split("."))
    target = changed
    for part in path:
        target = target[part]
    target[last] = value
    changed = renewed(changed)
    with pytest.raises(RecordError, match=str(last) if place != "hardware" else "cpu"):
        validate(changed)


@pytest.mark.parametrize("field", SCHEMA["required"])
def test_every_field_is_needed(field, data):
    changed = {k: v for k, v in data.items() if k != field}
    with pytest.raises(RecordError, match=field):
        validate(changed)


def test_the_schema_is_one_for_other_programs_too(data):
    """Where the package jsonschema is installed, as JupyterLab does, it must agree with ours."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(data, SCHEMA)
    for place, value in edits():
        changed = copy.deepcopy(data)
        *path, last = (int(p) if p.isdigit() else p for p in place.split("."))
        target = changed
        for part in path:
            target = target[part]
        target[last] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(changed, SCHEMA)


def test_every_field_says_what_it_is():
    def bare(schema, where=""):
        for name, inner in schema.get("properties", {}).items():
            if not {"description", "properties", "items", "const"} & set(inner) and name != "dtype":
                yield f"{where}.{name}"
            yield from bare(inner, f"{where}.{name}")
            yield from bare(inner.get("items", {}), f"{where}.{name}[]")

    assert list(bare(SCHEMA)) == []


def test_the_files_that_ship_can_be_trusted_and_say_where_they_come_from():
    for one in recorded():
        assert one.about["note"] and one.about["hardware"]["cpu"]
        groups = {m.group for m in one.measurements}
        assert {"elementwise", "reduction", "matmul", "conv", "training"} <= groups
        for m in one.measurements:
            assert m.timing.median > 0
    assert sum(p.stat().st_size for p in recording.SHIPPED.glob("*.json")) < 400_000


def test_a_folder_with_a_file_that_cannot_be_trusted_is_refused(data, tmp_path):
    assert recorded(tmp_path) == []
    later = renewed(data, date="2999-01-01T00:00:00+00:00")
    save(later, tmp_path / "a.json")
    save(data, tmp_path / "b.json")
    assert [r.about["date"] for r in recorded(tmp_path)] == [data["date"], later["date"]]
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(RecordError, match=r"c\.json is refused"):
        recorded(tmp_path)


# -- the measurement set ---------------------------------------------------------------------------


def test_the_set_has_all_that_the_course_shows():
    here, there = list(tasks("cpu")), list(tasks("cuda"))
    for found in (here, there):
        assert {"elementwise", "reduction", "matmul", "conv", "training"} <= {
            t.group for t in found
        }
        assert {t.name for t in found if t.group == "training"} == set(MODELS)
        keys = [(t.group, t.name, t.size) for t in found]
        assert len(set(keys)) == len(keys)
    assert {t.group for t in there} - {t.group for t in here} == {
        "elementwise, data moved", "matmul, data moved",
    }  # fmt: skip
    assert max(t.size for t in there) > max(t.size for t in here)


@pytest.mark.parametrize("name", ["add", "tanh", "sum", "matmul", "conv2d"])
@pytest.mark.parametrize("lib_name", ["minitensor", "torch"])
def test_a_task_does_its_op(name, lib_name):
    lib = pytest.importorskip(lib_name)
    task = next(t for t in tasks("cpu") if t.name == name)
    out = task.make(lib, "cpu")()
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(s, np.float32) for s in shapes_of(name, task.size)]
    wanted = getattr(mt, name)(*map(mt.from_numpy, values))
    np.testing.assert_allclose(out.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-5)
    assert not out.requires_grad


def shapes_of(name, n):
    if name == "conv2d":
        return [(n, 16, 28, 28), (32, 16, 3, 3)]
    if name == "matmul":
        return [(n, n)] * 2
    return [(n,)] * (2 if name == "add" else 1)


def test_moved_data_comes_home():
    task = next(t for t in tasks("cuda") if t.group == "matmul, data moved")
    out = task.make(mt, "standin")()
    assert out.device.type == "cpu"
    assert next(t for t in tasks("cuda") if t.group == "matmul").make(
        mt, "standin"
    )().device.type == ("standin")


@pytest.mark.parametrize("name", MODELS)
def test_a_training_step_learns_and_gives_pytorchs_losses(name):
    torch = pytest.importorskip("torch")
    losses = {}
    for lib in (mt, torch):
        step = training(name, 4).make(lib, "cpu")
        losses[lib] = [float(step()) for _ in range(4)]
    np.testing.assert_allclose(losses[mt], losses[torch], rtol=2e-3, atol=1e-4)
    assert losses[mt][-1] < losses[mt][0]


# -- peers -----------------------------------------------------------------------------------------


def test_peers_do_the_same_work_on_the_cpu():
    for label, runs in peers.works("cpu"):
        assert {"NumPy by hand", "minitensor"} <= set(runs), label
        peers.check(label, {peer: run() for peer, run in runs.items()})


def test_work_by_hand_runs_on_a_device_and_gives_the_same():
    here = dict(peers.works("cpu"))
    there = dict(peers.works("standin"))
    assert here.keys() == there.keys()
    for label, runs in there.items():
        if "CNN" in label or "transformer" in label:
            continue  # NumPy's sliding windows do not take the stand-in; CuPy has its own
        answers = {"there": runs["CuPy by hand"](), "here": here[label]["NumPy by hand"]()}
        peers.check(label, answers)
    assert peers.hand.np is np


def test_different_results_are_not_compared():
    with pytest.raises(RuntimeError, match=r"x: b found 2\.0, not 1\.0: no fair comparison"):
        peers.check("x", {"a": (1.0, "float32"), "b": (2.0, "float32")})
    with pytest.raises(RuntimeError):
        peers.check("x", {"a": (1.0, "float32"), "b": (math.nan, "float32")})


def test_peers_take_turns():
    gpu = timing.FakeDevice(compiling=0.0)
    runs = {name: lambda name=name, t=t: gpu.launch(name, t) for name, t in (("a", 1), ("b", 2))}
    found = peers.interleaved(runs, gpu, rounds=6)
    assert found["a"].median == pytest.approx(1, rel=1e-3)
    assert found["b"].median == pytest.approx(2, rel=1e-3)
    order = [e.name for e in gpu.log]
    assert order[-12:] == ["a", "b"] * 6


def test_the_table(monkeypatch):
    gpu = timing.FakeDevice(compiling=0.0)
    answer = (1.0, "float32")
    runs = {
        "NumPy by hand": lambda: (gpu.launch("n", 2.0), answer)[1],
        "minitensor": lambda: (gpu.launch("m", 3.0), answer)[1],
    }
    monkeypatch.setattr(peers, "works", lambda device: [("a work", runs)])
    monkeypatch.setattr(peers, "clock_of", lambda device: gpu)
    assert list(peers.table("cpu", 6)) == [
        "| work | NumPy by hand | minitensor | times NumPy by hand | precision |\n"
        "|---|---|---|---|---|",
        "| a work | 2 s | 3 s | 1.50 | 0% |",
    ]


# -- the command line ------------------------------------------------------------------------------


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "minitensor.timing", *arguments],
        capture_output=True, text=True, encoding="utf-8", **options,
    )  # fmt: skip


def test_check_on_the_command_line(data, tmp_path):
    path = tmp_path / "a.json"
    save(data, path)
    done = command("check", str(path))
    assert done.returncode == 0 and "is as it was recorded" in done.stdout, done.stderr
    path.write_text(path.read_text().replace('"a test"', '"another"'))
    done = command("check", str(path))
    assert done.returncode == 1 and "was changed after it was recorded" in done.stderr


def test_record_refuses_to_overwrite_before_it_measures(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("mine")
    done = command("record", "--out", str(path))
    assert done.returncode == 1 and "is there already" in done.stderr
    assert path.read_text() == "mine"
