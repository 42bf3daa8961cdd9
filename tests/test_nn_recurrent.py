"""RNN, GRU, LSTM and their cells against PyTorch: weights, outputs, states, gradients."""

import itertools

import numpy as np
import pytest
from test_nn_layers import agree, build, numbers, parts, refused_alike, same_state

import minitensor as mt

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
RNG = np.random.default_rng(8)
INPUT, HIDDEN = 3, 4

OPTIONS = {
    "plain": {},
    "two layers": {"num_layers": 2},
    "both ways": {"bidirectional": True},
    "three both ways": {"num_layers": 3, "bidirectional": True, "batch_first": True},
    "no bias": {"bias": False, "num_layers": 2},
    "batch first": {"batch_first": True},
    "all dropped": {"num_layers": 2, "dropout": 1.0},
}
KINDS = {
    "RNN": ("RNN", {}),
    "RNN relu": ("RNN", {"nonlinearity": "relu"}),
    "GRU": ("GRU", {}),
    "LSTM": ("LSTM", {}),
    "LSTM projected": ("LSTM", {"proj_size": 2}),
}
CASES = list(itertools.product(KINDS, OPTIONS))


def state_sizes(module):
    """Features of each part of the state."""
    if not isinstance(module, mt.nn.LSTM | torch.nn.LSTM):
        return [HIDDEN]
    return [module.proj_size or HIDDEN, HIDDEN]


def outcome(lib, module, x, states, device="cpu"):
    """Outputs and states; gradients of the input, of the first states and of all weights."""
    given = [lib.tensor(a).to(device).requires_grad_() for a in (x, *states)]
    hx = (tuple(given[1:]) if len(given) > 2 else given[1]) if states else None
    out = parts(module(given[0], hx))
    sum((t * t * (i + 1)).sum() for i, t in enumerate(out)).backward()
    return [numbers(t) for t in out] + [
        None if t.grad is None else numbers(t.grad) for t in (*given, *module.parameters())
    ]


def samples(module, batched=True):
    """An input, and states to begin with."""
    depth = module.num_layers * (2 if module.bidirectional else 1)
    batch = (2,) if batched else ()
    x = RNG.normal(size=(*((2, 5) if module.batch_first and batched else (5, *batch)), INPUT))
    states = [RNG.normal(size=(depth, *batch, n)) for n in state_sizes(module)]
    return [a.astype(np.float32) for a in (x, *states)]


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_sequences(kind, options):
    name, extra = KINDS[kind]
    settings = {**extra, **OPTIONS[options]}
    ours, theirs = (build(lib, name, (INPUT, HIDDEN), settings) for lib in (mt, torch))
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs)
    assert [len(w) for w in ours.all_weights] == [len(w) for w in theirs.all_weights]
    for batched, given in itertools.product((True, False), repeat=2):
        x, *states = samples(ours, batched)
        states = states if given else []
        for module in (ours, theirs):
            module.zero_grad()
        agree(outcome(mt, ours, x, states), outcome(torch, theirs, x, states))
    x, *states = samples(ours)
    agree(*(outcome(lib, m.eval(), x, states) for lib, m in ((mt, ours), (torch, theirs))))


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_device(kind, device):
    name, extra = KINDS[kind]
    ours = build(mt, name, (INPUT, HIDDEN), {**extra, "bidirectional": True})
    x, *states = samples(ours)
    want = outcome(mt, ours, x, states)
    ours.zero_grad()
    agree(outcome(mt, ours.to(device), x, states, device), want)
    assert {t.device.type for t in parts(ours(mt.tensor(x).to(device)))} == {device}


def test_dropout_between_layers():
    module = build(mt, "GRU", (INPUT, HIDDEN), {"num_layers": 2, "dropout": 0.5})
    x = mt.tensor(samples(module)[0])
    assert numbers(module(x)[0]).tolist() != numbers(module(x)[0]).tolist()
    module.eval()
    assert numbers(module(x)[0]).tolist() == numbers(module(x)[0]).tolist()


CELLS = {
    "RNNCell": ("RNNCell", {}),
    "RNNCell relu": ("RNNCell", {"nonlinearity": "relu"}),
    "RNNCell no bias": ("RNNCell", {"bias": False}),
    "GRUCell": ("GRUCell", {}),
    "GRUCell no bias": ("GRUCell", {"bias": False}),
    "LSTMCell": ("LSTMCell", {}),
    "LSTMCell no bias": ("LSTMCell", {"bias": False}),
}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("batch", [(), (2,)])
def test_cells(kind, batch):
    name, options = CELLS[kind]
    ours, theirs = (build(lib, name, (INPUT, HIDDEN), options) for lib in (mt, torch))
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs)
    x = RNG.normal(size=(*batch, INPUT)).astype(np.float32)
    count = 2 if name == "LSTMCell" else 1
    states = [RNG.normal(size=(*batch, HIDDEN)).astype(np.float32) for _ in range(count)]
    agree(outcome(mt, ours, x, states), outcome(torch, theirs, x, states))
    agree(outcome(mt, ours, x, []), outcome(torch, theirs, x, []))


REFUSALS = {
    "layers": lambda lib: lib.nn.LSTM(3, 4, 0),
    "hidden": lambda lib: lib.nn.LSTM(3, 0),
    "dropout": lambda lib: lib.nn.LSTM(3, 4, dropout=2),
    "input type": lambda lib: lib.nn.LSTM("a", 4),
    "hidden type": lambda lib: lib.nn.LSTM(3, 4.0),
    "nonlinearity": lambda lib: lib.nn.RNN(3, 4, nonlinearity="sin"),
    "projection of an RNN": lambda lib: lib.nn.RNN(3, 4, proj_size=2),
    "projection": lambda lib: lib.nn.LSTM(3, 4, proj_size=5),
    "projection below 0": lambda lib: lib.nn.LSTM(3, 4, proj_size=-1),
    "features": lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(2, 5)),
    "dims": lambda lib: lib.nn.GRU(3, 4)(lib.zeros(2)),
    "state size": lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(2, 2, 3), (lib.zeros(1, 3, 4),) * 2),
    "state dims": lambda lib: lib.nn.GRU(3, 4)(lib.zeros(2, 2, 3), lib.zeros(1, 4)),
    "state dims alone": lambda lib: lib.nn.GRU(3, 4)(lib.zeros(2, 3), lib.zeros(1, 2, 4)),
    "cell dims": lambda lib: lib.nn.GRUCell(3, 4)(lib.zeros(2, 2, 3)),
    "cell features": lambda lib: lib.nn.GRUCell(3, 4)(lib.zeros(2, 2)),
    "cell state": lambda lib: lib.nn.GRUCell(3, 4)(lib.zeros(2, 3), lib.zeros(2, 3)),
    "cell batch": lambda lib: lib.nn.GRUCell(3, 4)(lib.zeros(2, 3), lib.zeros(3, 4)),
    "cell nonlinearity": lambda lib: lib.nn.RNNCell(3, 4, nonlinearity="sin")(lib.zeros(1, 3)),
}


@pytest.mark.parametrize("key", REFUSALS)
def test_refusals(key):
    refused_alike(REFUSALS[key])


def test_dropout_in_one_layer_warns():
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        mt.nn.LSTM(3, 4, dropout=0.5)
