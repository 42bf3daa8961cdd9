"""Crossings between host and device, counted: training makes none that nobody asked for.

The stand-in device notes every value that leaves or reaches it, whoever asks. Three kinds are known
and allowed where the table says so, and nowhere else:

- a number or two go to the host where values decide: is each index in range, is this a
  probability? CuPy takes a wrong index for another one without a word, so it is worth the wait;
- random numbers go to the device: they are drawn on the host, the same for a seed everywhere;
- small constants go to the device: weights of means over uneven parts, places to copy from.
"""

import numpy as np
import pytest
import standin

import minitensor as mt

nn, F = mt.nn, mt.nn.functional
WHERE = "standin"

VALUES = {"to host: bool", "to host: int"}
RANDOM = {"to device: ndarray"}
CONSTANT = {"to device: list", "to device: ndarray", "to device: float"}


@pytest.fixture
def crossings():
    """The crossings, as they happen."""
    standin.CROSSINGS.clear()
    yield standin.CROSSINGS
    standin.CROSSINGS.clear()


def far(*shape, low=-1.0, high=1.0, grad=True):
    """A tensor on the device."""
    values = np.random.default_rng(0).uniform(low, high, shape).astype(np.float32)
    return mt.from_numpy(values).to(WHERE).requires_grad_(grad)


LAYERS = {  # what makes a layer, the shape of its input, what it may move
    "Linear": (lambda: nn.Linear(4, 3), (5, 4), set()),
    "Bilinear": (lambda: Twice(nn.Bilinear(4, 4, 3)), (5, 4), set()),
    "Conv1d": (lambda: nn.Conv1d(2, 3, 3), (2, 2, 7), set()),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1), (2, 2, 7, 6), set()),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, 3), (2, 2, 5, 6), set()),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), (2, 2, 6, 6), set()),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), (2, 2, 6, 6), set()),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d(2), (2, 2, 5, 6), CONSTANT),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), (5, 4), set()),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(2), (2, 2, 4, 4), set()),
    "LayerNorm": (lambda: nn.LayerNorm(4), (5, 4), set()),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (2, 4, 3, 3), set()),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(2), (2, 2, 4, 4), set()),
    "RMSNorm": (lambda: nn.RMSNorm(4), (5, 4), set()),
    "Dropout": (lambda: nn.Dropout(0.5), (5, 4), RANDOM),
    "Dropout, eval": (lambda: nn.Dropout(0.5).eval(), (5, 4), set()),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), (1, 2, 3, 3), VALUES | CONSTANT),
    "RNN": (lambda: nn.RNN(4, 3), (5, 2, 4), set()),
    "GRU": (lambda: nn.GRU(4, 3), (5, 2, 4), set()),
    "LSTM": (lambda: nn.LSTM(4, 3), (5, 2, 4), set()),
    "MultiheadAttention": (lambda: Thrice(nn.MultiheadAttention(4, 2)), (5, 2, 4), set()),
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), (5, 2, 4), set(),
    ),
    "PReLU": (lambda: nn.PReLU(), (5, 4), set()),
    "GELU": (lambda: nn.GELU(), (5, 4), set()),
    "Softmax": (lambda: nn.Softmax(1), (5, 4), set()),
    "a network": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3)),
        (2, 1, 5, 5), set(),
    ),
}  # fmt: skip


class Twice(nn.Module):
    """A layer of two inputs, given the same."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x, x)


class Thrice(Twice):
    """A layer of three inputs, given the same."""

    def forward(self, x):
        return self.layer(x, x, x)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_forward_and_backward(name, crossings):
    make, shape, allowed = LAYERS[name]
    layer, x = make().to(WHERE), far(*shape)
    far(1).erf()  # its table goes there once, and stays
    crossings.clear()
    out = layer(x)
    out = out[0] if isinstance(out, tuple) else out
    (out * out).sum().backward()
    assert set(crossings) <= allowed, crossings
    assert x.grad.device.type == WHERE
    assert {p.grad.device.type for p in layer.parameters()} <= {WHERE}


def written(x):
    x[0] = 2.0
    return x


FUNCTIONS = {  # of x (6, 4) and classes i (6); what they may move
    "cross_entropy": (lambda x, i: F.cross_entropy(x, i), VALUES),
    "nll_loss": (lambda x, i: F.nll_loss(x.log_softmax(1), i), VALUES),
    "mse_loss": (lambda x, i: F.mse_loss(x, x.detach() * 2), set()),
    "l1_loss": (lambda x, i: F.l1_loss(x, x.detach() * 2), set()),
    "smooth_l1_loss": (lambda x, i: F.smooth_l1_loss(x, x.detach() * 2), set()),
    "bce": (lambda x, i: F.binary_cross_entropy(x.sigmoid(), x.detach().sigmoid()), VALUES),
    "bce with logits": (
        lambda x, i: F.binary_cross_entropy_with_logits(x, (x.detach() > 0).float()),
        set(),
    ),
    "kl_div": (
        lambda x, i: F.kl_div(x.log_softmax(1), x.detach().softmax(1), reduction="sum"),
        set(),
    ),
    "embedding": (lambda x, i: F.embedding(i, x), VALUES),
    "attention": (
        lambda x, i: F.scaled_dot_product_attention(*[x.view(1, 2, 3, 4)] * 3, is_causal=True),
        set(),
    ),
    "gather": (lambda x, i: x.gather(1, i.view(6, 1)), VALUES),
    "index": (lambda x, i: x[i], set()),
    "mask": (lambda x, i: x[x > 0].sum() + x.masked_fill(x > 0, 0.0).sum(), set()),
    "where": (lambda x, i: mt.where(x > 0, x, 0.0), set()),
    "shapes": (lambda x, i: mt.cat([x, x.flip(0)]).permute(1, 0).reshape(-1), set()),
    "a number written": (lambda x, i: written(x.clone()), CONSTANT),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_forward_and_backward(name, crossings):
    call, allowed = FUNCTIONS[name]
    x, i = far(6, 4), mt.from_numpy(np.asarray([3, 0, 2, 2, 1, 3])).to(WHERE)
    crossings.clear()
    call(x, i).sum().backward()
    assert set(crossings) <= allowed, crossings
    assert x.grad.device.type == WHERE


OPTIMISERS = {
    "SGD": {"momentum": 0.9, "nesterov": True},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adagrad": {},
    "Adadelta": {},
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimiser_steps(name, crossings):
    mt.manual_seed(0)
    model = nn.Linear(4, 1).to(WHERE)
    optimiser = getattr(mt.optim, name)(model.parameters(), lr=0.05, **OPTIMISERS[name])
    x, y = far(8, 4, grad=False), far(8, 1, grad=False)
    crossings.clear()
    losses = []
    for _ in range(5):
        optimiser.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    assert crossings == []
    assert losses[-1].item() < losses[0].item()
    state = [t for s in optimiser.state.values() for t in s.values() if getattr(t, "ndim", 0)]
    assert {t.device.type for t in state} <= {WHERE}


def test_clipping_gradients(crossings):
    model = nn.Linear(4, 1).to(WHERE)
    model(far(8, 4)).sum().backward()
    crossings.clear()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    nn.utils.clip_grad_value_(model.parameters(), 0.5)
    assert crossings == []


def test_a_loader_moves_each_batch_once_when_told(crossings):
    mt.manual_seed(0)
    data = mt.utils.data.TensorDataset(mt.randn(10, 4), mt.randint(0, 3, (10,)))
    model = nn.Linear(4, 3).to(WHERE)
    optimiser = mt.optim.SGD(model.parameters(), lr=0.1)
    crossings.clear()
    batches = 0
    for x, y in mt.utils.data.DataLoader(data, batch_size=4, shuffle=True):
        assert crossings.count("to device: ndarray") == 2 * batches
        assert x.device.type == y.device.type == "cpu"
        loss = F.cross_entropy(model(x.to(WHERE)), y.to(WHERE))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        batches += 1
    assert batches == 3 and crossings.count("to device: ndarray") == 6
    assert set(crossings) <= {"to device: ndarray"} | VALUES


def test_a_model_moves_once_for_each_tensor_and_its_parameters_stay_the_same_objects(crossings):
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    before = list(model.parameters())
    model.to(WHERE)
    tensors = [*model.parameters(), *model.buffers()]
    assert crossings == ["to device: ndarray"] * len(tensors)
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    assert {t.device.type for t in tensors} == {WHERE}
    crossings.clear()
    model.to(WHERE), model.state_dict()
    assert crossings == []


def test_a_checkpoint_of_the_device_is_read_on_the_host(tmp_path, crossings):
    model = nn.Linear(4, 3).to(WHERE)
    path = tmp_path / "model.safetensors"
    mt.save(model.state_dict(), path)
    assert crossings.count("to host: get") == 2
    other = nn.Linear(4, 3)
    other.load_state_dict(mt.load(path))
    assert {p.device.type for p in other.parameters()} == {"cpu"}
    assert other.weight.tolist() == model.weight.tolist()
    model.load_state_dict(other.state_dict())  # from host to device, as in PyTorch
    assert {p.device.type for p in model.parameters()} == {WHERE}


def test_reading_a_value_is_a_crossing_and_is_seen(crossings):
    x = far(3, grad=False)
    crossings.clear()
    x.sum().item(), x.tolist(), x.cpu(), bool(x[0] > 0), float(x[1])
    kinds = [kind.removeprefix("to host: ") for kind in crossings]
    assert len(kinds) == 5 and kinds[1] == "tolist" and "get" in kinds
