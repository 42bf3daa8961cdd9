"""Checkpoints: what is saved comes back, PyTorch's users can read it, and damage is refused."""

import io
import json
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitensor as mt
from minitensor import optim, serialization
from minitensor.serialization import load, save

DTYPES = "float16 float32 float64 uint8 int8 int16 int32 int64 bool".split()
STATE = {
    "layer.weight": mt.arange(6.0).reshape(2, 3),
    "layer.bias": mt.tensor([1.5, -2.0], dtype=mt.float64),
    "flags": mt.tensor([True, False, True]),
    "count": mt.tensor(7),
    "empty": mt.zeros(0, 3),
    "half": mt.tensor([0.5], dtype=mt.float16),
    "bytes": mt.tensor([1, 2, 255], dtype=mt.uint8),
    "view": mt.arange(12).reshape(3, 4).t()[1:, ::2],
}


def saved(obj):
    file = io.BytesIO()
    save(obj, file)
    return file.getvalue()


def back(data):
    return load(io.BytesIO(data))


def same(got, want):
    """Equal to the type: tensors in dtype, shape and values."""
    if isinstance(want, mt.Tensor):
        assert (got.dtype, tuple(got.shape)) == (want.dtype, tuple(want.shape))
        np.testing.assert_array_equal(got.numpy(), want.detach().numpy())
        return
    if type(want) in (float,) and want != want:
        assert got != got
        return
    assert type(got) is type(want)
    if isinstance(want, dict):
        assert list(got) == list(want)
        for key, value in want.items():
            same(got[key], value)
    elif isinstance(want, list | tuple):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            same(g, w)
    else:
        assert got == want


def test_a_state_dict_comes_back(tmp_path):
    save(STATE, tmp_path / "model.safetensors")
    got = load(str(tmp_path / "model.safetensors"))
    assert got.keys() == STATE.keys()
    for name, want in STATE.items():
        same(got[name], want)


def test_what_is_loaded_can_be_changed_and_trained():
    got = back(saved(STATE))
    weight = got["layer.weight"].requires_grad_()
    (weight * weight).sum().backward()
    got["count"].add_(1)  # one tensor's change is no change of another
    with mt.no_grad():
        weight.sub_(1)
    assert weight._version == 1 and got["count"].item() == 8 and got["layer.bias"]._version == 0
    assert STATE["count"].item() == 7


def test_torch_reads_ours(tmp_path):
    torch = pytest.importorskip("torch")
    reader = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    save(STATE, path)
    for name, tensor in reader.load_file(path).items():
        assert str(tensor.dtype) == str(STATE[name].dtype).replace("minitensor", "torch")
        assert torch.equal(tensor, torch.tensor(STATE[name].numpy()))
    nested = {"model": STATE, "epoch": 3}
    save(nested, path)
    assert len(reader.load_file(path)) == len(STATE)


@pytest.mark.parametrize("name", DTYPES)
def test_we_read_theirs(name, tmp_path):
    torch = pytest.importorskip("torch")
    writer = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    values = {
        "a": torch.arange(6).reshape(2, 3).to(getattr(torch, name)),
        "one": torch.ones(1, dtype=torch.uint8),  # makes what follows lie at odd places
        "none": torch.zeros(0, dtype=getattr(torch, name)),
        "number": torch.tensor(1, dtype=getattr(torch, name)),
    }
    writer.save_file(values, path, metadata={"format": "pt"})
    got = load(path)
    assert got.keys() == values.keys()
    for key, want in values.items():
        same(got[key], mt.tensor(want.numpy()))
        got[key].zero_()


def test_numpys_reader_and_ours_agree(tmp_path):
    numpy_side = pytest.importorskip("safetensors.numpy")
    data = saved(STATE)
    got = numpy_side.load(data)
    for name, want in STATE.items():
        np.testing.assert_array_equal(got[name], want.numpy())
    again = back(numpy_side.save({k: np.array(v, order="C") for k, v in got.items()}))
    for name, want in STATE.items():
        same(again[name], want)


NESTED = [
    mt.tensor([1.0, 2.0]),
    [mt.tensor(1), (mt.tensor(2.0), None), []],
    {"model": STATE, "epoch": 3, "best": 0.25, "done": False, "name": "é", "none": None},
    {1: mt.tensor(1.0), "1": mt.tensor(2.0), 2.5: 3, None: 4, False: 5},
    {"a.b": mt.tensor(1.0), "a": {"b": mt.tensor(2.0)}},
    {"__metadata__": mt.tensor(1.0)},
    {"x": {"": mt.tensor(1.0)}, "": mt.tensor(2.0)},
    OrderedDict(b=mt.tensor(1.0), a=[1, 2]),
    {"tensor": "not one", "dict": {"tuple": ()}},
    {"inf": float("inf"), "nan": float("nan"), "large": 2**80},
    {}, [], 3, "text", None,
]  # fmt: skip


@pytest.mark.parametrize("obj", NESTED, ids=range(len(NESTED)))
def test_nested_objects_come_back(obj):
    same(back(saved(obj)), obj)


keys = st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none())
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.floats(width=32), max_size=4).map(lambda v: mt.tensor(v, dtype=mt.float32)),
)  # fmt: skip
objects = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(keys, inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(objects)
def test_any_object_comes_back(obj):
    same(back(saved(obj)), obj)


def test_training_goes_on_from_a_checkpoint(tmp_path):
    def start():
        w = mt.tensor([1.0, -2.0, 3.0], requires_grad=True)
        optimizer = optim.AdamW([w], lr=0.1)
        return w, optimizer, optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)

    def train(w, optimizer, schedule, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (w**4).sum().backward()
            optimizer.step()
            schedule.step()

    w, optimizer, schedule = start()
    train(w, optimizer, schedule, 5)
    checkpoint = {"w": w, "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    save(checkpoint, tmp_path / "run")
    train(w, optimizer, schedule, 5)
    v, other, resumed = start()
    checkpoint = load(tmp_path / "run")
    with mt.no_grad():
        v.copy_(checkpoint["w"])
    other.load_state_dict(checkpoint["optimizer"])
    resumed.load_state_dict(checkpoint["schedule"])
    train(v, other, resumed, 5)
    np.testing.assert_array_equal(v.detach().numpy(), w.detach().numpy())
    assert other.param_groups[0]["betas"] == (0.9, 0.999)


def test_devices(device):
    t = mt.arange(4.0).to(device)
    got = load(io.BytesIO(saved({"t": t})), map_location=device)["t"]
    assert got.device.type == device
    same(got.cpu(), mt.arange(4.0))
    assert back(saved({"t": t}))["t"].device.type == "cpu"


def test_tensors_lie_at_multiples_of_their_width():
    data = saved(
        {"b": mt.ones(3, dtype=mt.uint8), "d": mt.ones(1, dtype=mt.float64), "f": mt.ones(1)}
    )
    size = int.from_bytes(data[:8], "little")
    assert size % 8 == 0
    entries = json.loads(data[8 : 8 + size])
    assert list(entries) == ["d", "f", "b"]


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("obj, what", [
    ({"f": abs}, "'f' is of type builtin_function_or_method"),
    ({"a": [np.ones(2)]}, "'a.0' is of type ndarray"),
    ({(1, 2): 3}, "a key at '' is of type tuple"),
    ({"o": {"s": {1, 2}}}, "'o.s' is of type set"),
])  # fmt: skip
def test_what_cannot_be_kept(obj, what):
    with pytest.raises(TypeError, match=f"save: {what}.*state_dict"):
        saved(obj)


def test_pickles_are_refused_and_not_run(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.ones(2)}, tmp_path / "new.pt")
    torch.save({"w": torch.ones(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name, kind in (("new.pt", "a zip file, as torch.save"), ("old.pt", "a pickle")):
        with pytest.raises(RuntimeError, match=f"{kind}.*safetensors.torch.save_file"):
            load(tmp_path / name)

    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("the pickle was run",)

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(RuntimeError, match="load: this is"):
            load(io.BytesIO(pickle.dumps(Bomb(), protocol)))


def file_of(header, body=b"", size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text + body


def entry(dtype="F32", shape=(1,), start=0, stop=4):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


DAMAGED = {
    "nothing": (b"", "header should be 0 bytes long, and the file is 0"),
    "short": (b"\x01\x00", "and the file is 2"),
    "text": (b"hello, this is no checkpoint at all", "its header should be"),
    "header too long": (file_of({}, size=10**12), "header should be 1000000000000 bytes"),
    "no JSON": (file_of(b"{nope"), "not in JSON"),
    "no UTF-8": (file_of(b"\xff\xfe{}"), "not in JSON"),
    "a list": (file_of([]), "not a dict"),
    "metadata": (file_of({"__metadata__": 3}), "not a dict"),
    "twice": (file_of(b'{"a": 1, "a": 2}'), "a name comes twice"),
    "entry": (file_of({"a": 3}), "the entry of 'a'"),
    "no shape": (file_of({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, b"1234"), "entry of 'a'"),
    "three offsets": (file_of({"a": {**entry(), "data_offsets": [0, 2, 4]}}, b"1234"), "entry of"),
    "dtype": (file_of({"a": entry("BF16", stop=2)}, b"12"), "'a' has dtype BF16"),
    "no dtype": (file_of({"a": entry(None)}, b"1234"), "'a' has dtype None"),
    "list as dtype": (file_of({"a": entry([1])}, b"1234"), "'a' has dtype"),
    "negative": (file_of({"a": entry(shape=(-1,), start=4, stop=0)}, b"1234"), "from 0 on"),
    "fraction": (file_of({"a": entry(shape=(1.0,))}, b"1234"), "from 0 on"),
    "shape": (file_of({"a": {**entry(), "shape": 4}}, b"1234"), "from 0 on"),
    "too few bytes": (file_of({"a": entry(stop=3)}, b"123"), "which is not its shape"),
    "huge": (file_of({"a": entry(shape=(2**62, 8))}, b"1234"), "which is not its shape"),
    "cut off": (file_of({"a": entry()}, b"12"), "take 4 bytes, and there are 2: was it cut off"),
    "left over": (file_of({"a": entry()}, b"12345"), "take 4 bytes, and there are 5"),
    "gap": (file_of({"a": entry(start=4, stop=8)}, b"12345678"), "begins at byte 4"),
    "overlap": (file_of({"a": entry(), "b": entry(start=2, stop=6)}, b"123456"), "at byte 2"),
    "same place": (file_of({"a": entry(), "b": entry()}, b"1234"), "begins at byte 0"),
    "backwards": (file_of({"a": entry(start=4, stop=0)}, b"1234"), "which is not its shape"),
    "outline": (file_of({"__metadata__": {"minitensor": "{"}}), "outline .* is damaged"),
    "reference": (file_of({"__metadata__": {"minitensor": '{"tensor": "x"}'}}), "is damaged"),
    "kind": (file_of({"__metadata__": {"minitensor": '{"call": ["x"]}'}}), "is damaged"),
    "two kinds": (file_of({"__metadata__": {"minitensor": '{"a": 1, "b": 2}'}}), "is damaged"),
    "outline of numbers": (file_of({"__metadata__": {"minitensor": 3}}), "is damaged"),
    "deep": (file_of(b"[" * 100_000), "not in JSON"),
    "deep outline": (
        file_of({"__metadata__": {"minitensor": "[" * 100_000 + "]" * 100_000}}), "is damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_files_are_refused(what):
    data, words = DAMAGED[what]
    with pytest.raises(RuntimeError, match=f"load: .*{words}"):
        back(data)


def test_no_byte_cut_off_goes_unnoticed():
    data = saved({"a": mt.arange(3.0), "n": [1, mt.tensor([True])]})
    for length in range(len(data)):
        with pytest.raises(RuntimeError, match="load: "):
            back(data[:length])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_is_refused_or_harmless(data):
    """Whatever bytes change: the answer is a RuntimeError of ours, or an object."""
    good = bytearray(saved({"a": mt.arange(3.0), "n": [1, mt.tensor([True])]}))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        back(bytes(good))
    except RuntimeError as error:
        assert str(error).startswith("load: ")


def test_a_bool_is_0_or_1():
    assert back(file_of({"a": entry("BOOL", (3,), 0, 3)}, b"\x00\x01\x02"))["a"].tolist() == [
        False, True, True,
    ]  # fmt: skip
    assert serialization.CODES["BOOL"] == "bool"


def test_a_missing_file_is_pythons_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")
