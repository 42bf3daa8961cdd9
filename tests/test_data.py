"""Data sets, samplers and DataLoader against PyTorch: the same examples in the same order."""

import collections
import re
import threading
import time

import numpy as np
import pytest

import minitensor as mt
from minitensor.utils import data

Pair = collections.namedtuple("Pair", "x y")


def libraries():
    """minitensor and PyTorch with their utils.data."""
    torch = pytest.importorskip("torch")
    return (mt, data), (torch, torch.utils.data)


def plain(batch):
    """What a loader gives, tensors as (dtype, values)."""
    if hasattr(batch, "tolist"):
        return str(batch.dtype).split(".")[-1], batch.tolist()
    if isinstance(batch, dict):
        return type(batch).__name__, {k: plain(v) for k, v in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch).__name__, [plain(v) for v in batch]
    return batch


def outcome(call):
    """What a call gives for each library: values, or the error's class and text."""
    results = []
    for lib, module in libraries():
        try:
            results.append(plain(call(lib, module)))
        except Exception as error:
            results.append((type(error), re.sub(r"torch\.|minitensor\.", "", str(error))))
    return results


class Squares(data.Dataset):
    """Ours; PyTorch's loader takes it too, since it needs only the two methods."""

    def __init__(self, n=10):
        self.n = n

    def __getitem__(self, i):
        return i * i

    def __len__(self):
        return self.n


def stream_class(module):
    class Stream(module.IterableDataset):
        def __init__(self, n=10):
            self.n = n

        def __iter__(self):
            info = module.get_worker_info()
            return iter(range(info.id if info else 0, self.n, info.num_workers if info else 1))

        def __len__(self):
            return self.n

    return Stream


# -- orders ----------------------------------------------------------------------------------------

SAMPLERS = {
    "sequential": lambda m, g: m.SequentialSampler(range(7)),
    "random": lambda m, g: m.RandomSampler(range(50), generator=g),
    "random of one": lambda m, g: m.RandomSampler(range(1), generator=g),
    "random, more": lambda m, g: m.RandomSampler(range(10), num_samples=25, generator=g),
    "random, fewer": lambda m, g: m.RandomSampler(range(10), num_samples=3, generator=g),
    "again": lambda m, g: m.RandomSampler(range(10), replacement=True, generator=g),
    "again, more": lambda m, g: m.RandomSampler(range(9), True, 100, generator=g),
    "again, 64": lambda m, g: m.RandomSampler(range(9), True, 64, generator=g),
    "subset": lambda m, g: m.SubsetRandomSampler([3, 1, 4, 1, 5, 9], generator=g),
    "weights": lambda m, g: m.WeightedRandomSampler([0.1, 0.7, 0.2], 20, generator=g),
    "weights without": lambda m, g: m.WeightedRandomSampler([1, 2, 3, 4], 4, False, generator=g),
    "batches": lambda m, g: m.BatchSampler(m.RandomSampler(range(10), generator=g), 3, False),
    "full batches": lambda m, g: m.BatchSampler(m.SequentialSampler(range(10)), 3, True),
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("seeded", ["generator", "global"])
def test_samplers(name, seeded):
    """Two epochs and where the stream stands afterwards: as in PyTorch."""
    if name == "weights without":
        pytest.skip("PyTorch draws this from Intel's generator on Intel processors")
    seen = []
    for lib, module in libraries():
        g = lib.Generator().manual_seed(5) if seeded == "generator" else None
        lib.manual_seed(11)
        sampler = SAMPLERS[name](module, g)
        seen.append([list(sampler), list(sampler), len(sampler), lib.rand(1).item()])
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == seen[0][2]


def test_weights_without_replacement_come_once():
    sampler = SAMPLERS["weights without"](data, mt.Generator().manual_seed(1))
    assert sorted(sampler) == [0, 1, 2, 3]


def test_random_sampler_is_lazy_about_its_length():
    grows = [1, 2]
    sampler = data.RandomSampler(grows)
    grows.append(3)
    assert sorted(sampler) == [0, 1, 2] and len(sampler) == 3


@pytest.mark.parametrize(
    "lengths", [[7, 3], [0.7, 0.3], [0.5, 0.25, 0.25], [1 / 3] * 3, [0.95, 0.05]]
)
@pytest.mark.filterwarnings("ignore:Length of split")
def test_random_split(lengths):
    def split(lib, module):
        g = lib.Generator().manual_seed(42)
        return [list(part.indices) for part in module.random_split(range(10), lengths, g)]

    got, want = outcome(split)
    assert got == want


def test_random_split_deals_out_all_and_warns_of_nothing_left():
    first, second = data.random_split(Squares(), [4, 6])
    assert sorted([*first, *second]) == [i * i for i in range(10)]
    with pytest.warns(UserWarning, match="Length of split at index 2 is 0"):
        data.random_split(Squares(2), [0.5, 0.5, 0.0])


# -- data sets -------------------------------------------------------------------------------------

SETS = {
    "tensors": lambda lib, m: [
        *[
            m.TensorDataset(lib.arange(6).reshape(3, 2), lib.tensor([1.0, 2, 3]))[i]
            for i in (0, -1)
        ],
        len(m.TensorDataset(lib.zeros(3, 2))),
    ],
    "rows": lambda lib, m: m.TensorDataset(lib.arange(6), lib.arange(6) * 2)[[1, 4]],
    "after the last": lambda lib, m: type(m.TensorDataset(lib.zeros(3))[3]),
    "mismatch": lambda lib, m: m.TensorDataset(lib.zeros(3), lib.zeros(2)),
    "subset": lambda lib, m: [m.Subset("abcdef", [5, 0, 3])[i] for i in (0, 1, -1)],
    "subset rows": lambda lib, m: m.Subset(np.arange(9) * 10, [5, 0, 3])[[0, 2]],
    "concat": lambda lib, m: [m.ConcatDataset(["ab", "c", "def"])[i] for i in range(-6, 6)],
    "concat end": lambda lib, m: m.ConcatDataset(["ab"])[2],
    "concat before": lambda lib, m: m.ConcatDataset(["ab"])[-3],
    "concat none": lambda lib, m: m.ConcatDataset([]),
    "concat stream": lambda lib, m: m.ConcatDataset([stream_class(m)()]),
    "sum": lambda lib, m: list(m.Subset("abc", [0]) + m.Subset("xyz", [2])),
    "chain": lambda lib, m: list(stream_class(m)(3) + stream_class(m)(2)),
    "chain length": lambda lib, m: len(stream_class(m)(3) + stream_class(m)(2)),
    "no getitem": lambda lib, m: m.Dataset()[0],
    "fractions": lambda lib, m: m.random_split(range(4), [1.5, -0.5]),
    "lengths": lambda lib, m: m.random_split(range(4), [3, 2]),
}


@pytest.mark.parametrize("name", SETS)
def test_datasets(name):
    got, want = outcome(SETS[name])
    if name == "after the last":  # which is how a loop over it ends
        got, want = got[0], want[0]
    assert got == want


def test_rows_share_memory_and_carry_gradients():
    x = mt.zeros(3, 2)
    data.TensorDataset(x)[1][0].add_(1)
    assert x.tolist() == [[0, 0], [1, 1], [0, 0]] and x._version == 1
    x.requires_grad_()
    (x_batch,) = next(iter(data.DataLoader(data.TensorDataset(x), 2)))
    x_batch.sum().backward()
    assert x.grad.tolist() == [[1, 1], [1, 1], [0, 0]]


# -- batches ---------------------------------------------------------------------------------------

BATCHES = {
    "tensors": lambda lib: [lib.tensor([1.0, 2]), lib.tensor([3.0, 4])],
    "scalars": lambda lib: [lib.tensor(1), lib.tensor(2)],
    "arrays": lambda lib: [np.ones(2, np.float32), np.zeros(2, np.float32)],
    "numpy numbers": lambda lib: [np.float32(1), np.float32(2)],
    "numpy doubles": lambda lib: [np.float64(1), np.float64(2)],
    "numpy ints": lambda lib: [np.int16(1), np.int16(2)],
    "floats": lambda lib: [1.0, 2.5],
    "ints": lambda lib: [1, 2, 3],
    "bools": lambda lib: [True, False],
    "texts": lambda lib: ["a", "b"],
    "bytes": lambda lib: [b"a", b"b"],
    "tuples": lambda lib: [(1, "a", 2.0), (3, "b", 4.0)],
    "lists": lambda lib: [[1, 2], [3, 4]],
    "dicts": lambda lib: [{"x": 1, "y": [1.0]}, {"x": 2, "y": [2.0]}],
    "ordered": lambda lib: [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    "named": lambda lib: [Pair(1, "a"), Pair(2, "b")],
    "nested": lambda lib: [{"p": Pair(lib.ones(1), (1, [2.0]))}] * 2,
    "ragged": lambda lib: [[1, 2], [3]],
    "shapes": lambda lib: [lib.zeros(2), lib.zeros(3)],
    "objects": lambda lib: [object(), object()],
    "none": lambda lib: [None],
    "array of texts": lambda lib: [np.array(["a"])],
    "array of objects": lambda lib: [np.array([None])],
}


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("function", ["default_collate", "default_convert"])
def test_collate(name, function):
    got, want = outcome(lambda lib, m: getattr(m, function)(BATCHES[name](lib)))
    if isinstance(want, tuple) and isinstance(want[0], type):
        assert got[0] == want[0]
        if name not in ("shapes", "array of texts", "array of objects"):
            assert got[1] == want[1]
    elif "object" not in name:
        assert got == want


def test_collate_keeps_the_device_and_the_default_of_a_dict(device):
    examples = [{"x": mt.ones(2).to(device)} for _ in range(3)]
    assert data.default_collate(examples)["x"].device.type == device
    counts = [collections.defaultdict(list, a=1), collections.defaultdict(list, a=2)]
    assert data.default_collate(counts)["missing"] == []


# -- loaders ---------------------------------------------------------------------------------------


def tensors(lib, m):
    return m.TensorDataset(lib.arange(20.0).reshape(10, 2), lib.arange(10))


LOADERS = {
    "plain": lambda lib, m, g: m.DataLoader(tensors(lib, m)),
    "batches": lambda lib, m, g: m.DataLoader(tensors(lib, m), batch_size=4),
    "full batches": lambda lib, m, g: m.DataLoader(tensors(lib, m), 4, drop_last=True),
    "shuffled": lambda lib, m, g: m.DataLoader(tensors(lib, m), 3, shuffle=True, generator=g),
    "one by one": lambda lib, m, g: m.DataLoader(tensors(lib, m), None, True, generator=g),
    "sampler": lambda lib, m, g: m.DataLoader(
        Squares(), 3, sampler=m.RandomSampler(Squares(), True, generator=g), generator=g
    ),
    "list of indices": lambda lib, m, g: m.DataLoader(Squares(), 2, sampler=[4, 1, 3]),
    "batch sampler": lambda lib, m, g: m.DataLoader(Squares(), batch_sampler=[[1, 2], [5]]),
    "bulk": lambda lib, m, g: m.DataLoader(
        tensors(lib, m), batch_size=None, generator=g,
        sampler=m.BatchSampler(m.RandomSampler(range(10), generator=g), 4, False),
    ),
    "collate_fn": lambda lib, m, g: m.DataLoader(Squares(), 4, collate_fn=sum),
    "a list": lambda lib, m, g: m.DataLoader([(1.0, "a"), (2.0, "b"), (3.0, "c")], 2),
    "stream": lambda lib, m, g: m.DataLoader(stream_class(m)(), 4),
    "stream, full": lambda lib, m, g: m.DataLoader(stream_class(m)(), 4, drop_last=True),
    "stream, alone": lambda lib, m, g: m.DataLoader(stream_class(m)(5), batch_size=None),
    "arrays, alone": lambda lib, m, g: m.DataLoader(np.arange(4.0), batch_size=None),
}  # fmt: skip


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("seeded", ["generator", "global"])
def test_loaders(name, seeded):
    """Two epochs, the length, and where the streams stand: as in PyTorch."""
    seen = []
    for lib, module in libraries():
        g = lib.Generator().manual_seed(5) if seeded == "generator" else None
        lib.manual_seed(11)
        loader = LOADERS[name](lib, module, g)
        seen.append([plain(list(loader)), plain(list(loader)), len(loader), lib.rand(2).tolist()])
    assert seen[0] == seen[1]
    assert len(seen[0][0][1]) == seen[0][2]


@pytest.mark.parametrize("name", [n for n in LOADERS if "stream" not in n])
@pytest.mark.parametrize("workers", [1, 3])
def test_workers_give_the_same_batches(name, workers, monkeypatch):
    g, h = mt.Generator().manual_seed(5), mt.Generator().manual_seed(5)
    alone, helped = LOADERS[name](mt, data, g), LOADERS[name](mt, data, h)
    monkeypatch.setattr(helped, "num_workers", workers)
    for _ in range(2):
        assert plain(list(helped)) == plain(list(alone))


def test_workers_share_a_stream_as_in_torch():
    """With worker i reading every n-th example, batches come in turn."""
    loader = data.DataLoader(stream_class(data)(11), 2, num_workers=3)
    got = [batch.tolist() for batch in loader]
    assert got == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8]]
    assert data.get_worker_info() is None


def test_workers_prepare_ahead_and_not_too_far():
    fetched, lock = [], threading.Lock()

    class Slow(Squares):
        def __getitem__(self, i):
            time.sleep(0.001 * (i % 3))  # later ones are ready earlier
            with lock:
                fetched.append(i)
            return threading.current_thread().name, i

    loader = data.DataLoader(Slow(40), 1, num_workers=2, prefetch_factor=3)
    batches = iter(loader)
    names, first = next(batches)
    time.sleep(0.1)
    assert first.item() == 0 and 1 < len(fetched) <= 7
    assert names[0] != threading.current_thread().name
    assert [i.item() for _, i in batches] == list(range(1, 40))


def test_an_error_in_a_worker_comes_where_its_batch_would():
    class Bad(Squares):
        def __getitem__(self, i):
            if i == 5:
                raise KeyError("example 5 is broken")
            return i

    for workers in (0, 2):
        got = []
        with pytest.raises(KeyError, match="example 5 is broken"):
            for batch in data.DataLoader(Bad(), 2, num_workers=workers):
                got.append(batch.tolist())
        assert got == [[0, 1], [2, 3]]


def test_workers_are_told_who_they_are():
    told, infos = [], []

    class Asks(Squares):
        def __getitem__(self, i):
            infos.append((data.get_worker_info().id, data.get_worker_info().seed))
            return i

    loader = data.DataLoader(Asks(), 1, num_workers=2, worker_init_fn=told.append)
    list(loader)
    list(loader)
    assert told == [0, 1, 0, 1]
    by_id = collections.defaultdict(set)
    for i, seed in infos:
        by_id[i].add(seed)
    assert {len(seeds) for seeds in by_id.values()} == {2}  # a new seed each epoch
    told.clear()
    loader = data.DataLoader(
        Asks(), 1, num_workers=2, worker_init_fn=told.append, persistent_workers=True
    )
    list(loader)
    list(loader)
    assert told == [0, 1]


def test_leaving_a_loop_early_stops_the_workers():
    before = threading.active_count()
    for _ in data.DataLoader(Squares(1000), 1, num_workers=2):
        break
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_two_loops_at_once():
    loader = data.DataLoader(Squares(4), 1, num_workers=1)
    assert [(a.item(), b.item()) for a, b in zip(loader, loader, strict=True)] == [
        (i * i, i * i) for i in range(4)
    ]


def test_a_worker_that_takes_too_long():
    class Stuck(Squares):
        def __getitem__(self, i):
            time.sleep(0.3)
            return i

    with pytest.raises(TimeoutError):
        list(data.DataLoader(Stuck(2), 1, num_workers=1, timeout=0.05))


BAD = {
    "workers": lambda m: m.DataLoader([1], num_workers=-1),
    "timeout": lambda m: m.DataLoader([1], timeout=-1),
    "prefetch": lambda m: m.DataLoader([1], prefetch_factor=2),
    "persistent": lambda m: m.DataLoader([1], persistent_workers=True),
    "sampler and shuffle": lambda m: m.DataLoader([1], shuffle=True, sampler=[0]),
    "batch sampler": lambda m: m.DataLoader([1], 2, batch_sampler=[[0]]),
    "batch sampler, shuffle": lambda m: m.DataLoader([1], shuffle=True, batch_sampler=[[0]]),
    "batch sampler, last": lambda m: m.DataLoader([1], drop_last=True, batch_sampler=[[0]]),
    "no batch, last": lambda m: m.DataLoader([1], batch_size=None, drop_last=True),
    "batch size": lambda m: m.DataLoader([1], batch_size=0),
    "batch size float": lambda m: m.DataLoader([1], batch_size=2.0),
    "stream shuffled": lambda m: m.DataLoader(stream_class(m)(), shuffle=True),
    "stream sampler": lambda m: m.DataLoader(stream_class(m)(), sampler=[1]),
    "stream batches": lambda m: m.DataLoader(stream_class(m)(), batch_sampler=[[1]]),
    "empty shuffled": lambda m: m.DataLoader([], shuffle=True),
    "samples": lambda m: m.RandomSampler([1], num_samples=0),
    "replacement": lambda m: m.RandomSampler([1], replacement=1),
    "weights": lambda m: m.WeightedRandomSampler([[0.5]], 1),
    "weights count": lambda m: m.WeightedRandomSampler([0.5], True),
    "weights replacement": lambda m: m.WeightedRandomSampler([0.5], 1, 1),
    "batch last": lambda m: m.BatchSampler([1], 2, 1),
}


@pytest.mark.parametrize("name", BAD)
def test_refusals(name):
    got, want = outcome(lambda lib, m: BAD[name](m))
    assert got[0] == want[0] and isinstance(want[0], type)
    if name not in ("workers", "prefetch"):
        assert got[1] == want[1]


def test_what_has_no_length_says_so():
    class Endless(data.IterableDataset):
        def __iter__(self):
            return iter(int, 1)

    with pytest.raises(TypeError, match="has no len"):
        len(data.DataLoader(Endless()))
    with pytest.raises(NotImplementedError):
        iter(data.IterableDataset())


def test_a_training_run_prints_pytorchs_losses():
    """Seed, initial weights, order of the data, losses, optimiser, schedule: three epochs."""
    runs = []
    for lib, module in libraries():
        lib.manual_seed(0)
        layers = [lib.nn.Linear(8, 32), lib.nn.ReLU(), lib.nn.Linear(32, 3)]
        model = lib.nn.Sequential(*layers)
        pairs = module.TensorDataset(lib.randn(100, 8), lib.randint(0, 3, (100,)))
        optimizer = lib.optim.AdamW(model.parameters(), lr=1e-2)
        schedule = lib.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=21)
        losses = []
        for _ in range(3):
            for x, y in module.DataLoader(pairs, batch_size=16, shuffle=True):
                loss = lib.nn.functional.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
        runs.append(losses)
    np.testing.assert_allclose(*runs, rtol=1e-5)
    assert runs[0][-1] < runs[0][0]
