"""Modules against PyTorch: repr, first weights, state dict, forward, gradients, refusals.

Each line of a table makes the same module in both libraries, from the same seed.
"""

import copy
import pickle
import warnings

import numpy as np
import pytest

import minitensor as mt
from minitensor import nn

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def indices(high, *shape):
    return RNG.integers(0, high, shape)


IMAGE, WAVE, ROWS = normal(2, 4, 6, 7), normal(2, 4, 9), normal(3, 4)
WHOLE = indices(5, 2, 3)

# The module, what it is made with, and its inputs.
LAYERS = {
    "Linear": ("Linear", (4, 3), {}, [ROWS]),
    "Linear no bias": ("Linear", (4, 3), {"bias": False}, [normal(2, 3, 4)]),
    "Linear one row": ("Linear", (4, 3), {}, [normal(4)]),
    "Bilinear": ("Bilinear", (4, 5, 3), {}, [ROWS, normal(3, 5)]),
    "Bilinear no bias": ("Bilinear", (4, 5, 3, False), {}, [normal(2, 3, 4), normal(2, 3, 5)]),
    "Identity": ("Identity", (1, "what"), {"ever": 2}, [ROWS]),
    "PReLU": ("PReLU", (), {}, [ROWS]),
    "PReLU channels": ("PReLU", (4, 0.1), {}, [IMAGE]),
    "Embedding": ("Embedding", (5, 3), {}, [WHOLE]),
    "Embedding padding": ("Embedding", (5, 3), {"padding_idx": 1}, [WHOLE]),
    "Embedding padding last": ("Embedding", (5, 3, -1), {}, [WHOLE]),
    "Embedding norm": ("Embedding", (5, 3), {"max_norm": 1.0, "norm_type": 1.0}, [WHOLE]),
    "Embedding scaled": ("Embedding", (5, 3), {"scale_grad_by_freq": True}, [WHOLE]),
    "Embedding frozen": ("Embedding", (5, 3), {"_freeze": True}, [WHOLE]),
    "Conv1d": ("Conv1d", (4, 6, 3), {}, [WAVE]),
    "Conv1d options": ("Conv1d", (4, 6, 2, 2, 1, 2, 2, False), {}, [WAVE]),
    "Conv1d same": ("Conv1d", (4, 2, 4), {"padding": "same"}, [WAVE]),
    "Conv1d reflect": ("Conv1d", (4, 2, 3), {"padding": 1, "padding_mode": "reflect"}, [WAVE]),
    "Conv2d": ("Conv2d", (4, 6, 3), {}, [IMAGE]),
    "Conv2d one": ("Conv2d", (4, 6, 3), {}, [normal(4, 5, 5)]),
    "Conv2d pairs": ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0)}, [IMAGE]),
    "Conv2d groups": ("Conv2d", (4, 8, 3), {"groups": 4, "dilation": 2, "bias": False}, [IMAGE]),
    "Conv2d valid": ("Conv2d", (4, 2, 3), {"padding": "valid"}, [IMAGE]),
    "Conv2d same": ("Conv2d", (4, 2, (2, 3)), {"padding": "same", "dilation": (1, 2)}, [IMAGE]),
    "Conv2d circular": ("Conv2d", (4, 2, 3), {"padding": (2, 1), "padding_mode": "circular"},
                        [IMAGE]),
    "Conv2d same replicate": ("Conv2d", (4, 2, (2, 3)),
                              {"padding": "same", "padding_mode": "replicate"}, [IMAGE]),
    "Conv2d valid reflect": ("Conv2d", (4, 2, 3),
                             {"padding": "valid", "padding_mode": "reflect"}, [IMAGE]),
    "ConvTranspose2d": ("ConvTranspose2d", (4, 3, 3), {}, [IMAGE]),
    "ConvTranspose2d options": ("ConvTranspose2d", (4, 6, 3, 2, 1, 1, 2, False, 2), {}, [IMAGE]),
    "ConvTranspose2d pairs": ("ConvTranspose2d", (4, 2, (2, 3)),
                              {"stride": (2, 1), "output_padding": (1, 0)}, [IMAGE]),
    "BatchNorm1d": ("BatchNorm1d", (4,), {}, [ROWS]),
    "BatchNorm1d waves": ("BatchNorm1d", (4, 1e-3, 0.3), {}, [WAVE]),
    "BatchNorm2d": ("BatchNorm2d", (4,), {}, [IMAGE]),
    "BatchNorm2d plain": ("BatchNorm2d", (4,), {"affine": False}, [IMAGE]),
    "BatchNorm2d no bias": ("BatchNorm2d", (4,), {"bias": False}, [IMAGE]),
    "BatchNorm2d mean": ("BatchNorm2d", (4,), {"momentum": None}, [IMAGE]),
    "BatchNorm2d untracked": ("BatchNorm2d", (4,), {"track_running_stats": False}, [IMAGE]),
    "InstanceNorm1d": ("InstanceNorm1d", (4,), {}, [WAVE]),
    "InstanceNorm2d": ("InstanceNorm2d", (4,), {}, [IMAGE]),
    "InstanceNorm2d one": ("InstanceNorm2d", (4,), {"affine": True}, [normal(4, 3, 3)]),
    "InstanceNorm2d tracked": ("InstanceNorm2d", (4,),
                               {"affine": True, "track_running_stats": True}, [IMAGE]),
    "LayerNorm": ("LayerNorm", (4,), {}, [ROWS]),
    "LayerNorm shape": ("LayerNorm", ((6, 7), 1e-3), {}, [IMAGE]),
    "LayerNorm plain": ("LayerNorm", (4,), {"elementwise_affine": False}, [ROWS]),
    "LayerNorm no bias": ("LayerNorm", ([4],), {"bias": False}, [ROWS]),
    "GroupNorm": ("GroupNorm", (2, 4), {}, [IMAGE]),
    "GroupNorm plain": ("GroupNorm", (4, 4, 1e-3, False), {}, [WAVE]),
    "RMSNorm": ("RMSNorm", (4,), {}, [ROWS]),
    "RMSNorm eps": ("RMSNorm", ((6, 7), 0.1), {}, [IMAGE]),
    "RMSNorm plain": ("RMSNorm", (4,), {"elementwise_affine": False}, [ROWS]),
    # without weights
    "CELU": ("CELU", (2.0,), {}, [ROWS]),
    "ELU": ("ELU", (0.5,), {}, [ROWS]),
    "GELU": ("GELU", (), {}, [ROWS]),
    "GELU tanh": ("GELU", (), {"approximate": "tanh"}, [ROWS]),
    "GLU": ("GLU", (), {}, [ROWS]),
    "GLU 0": ("GLU", (0,), {}, [IMAGE]),
    "Hardshrink": ("Hardshrink", (0.3,), {}, [ROWS]),
    "Hardsigmoid": ("Hardsigmoid", (), {}, [ROWS * 3]),
    "Hardswish": ("Hardswish", (), {}, [ROWS * 3]),
    "Hardtanh": ("Hardtanh", (-0.5, 2.0), {}, [ROWS]),
    "LeakyReLU": ("LeakyReLU", (), {}, [ROWS]),
    "LeakyReLU slope": ("LeakyReLU", (0.2,), {}, [ROWS]),
    "LogSigmoid": ("LogSigmoid", (), {}, [ROWS]),
    "LogSoftmax": ("LogSoftmax", (-1,), {}, [ROWS]),
    "Mish": ("Mish", (), {}, [ROWS]),
    "ReLU": ("ReLU", (), {}, [ROWS]),
    "ReLU6": ("ReLU6", (), {}, [ROWS * 9]),
    "SELU": ("SELU", (), {}, [ROWS]),
    "SiLU": ("SiLU", (), {}, [ROWS]),
    "Sigmoid": ("Sigmoid", (), {}, [ROWS]),
    "Softmax": ("Softmax", (), {"dim": 1}, [ROWS]),
    "Softmax None": ("Softmax", (), {}, [ROWS]),
    "Softmin": ("Softmin", (1,), {}, [ROWS]),
    "Softplus": ("Softplus", (2.0, 3.0), {}, [ROWS]),
    "Softshrink": ("Softshrink", (), {}, [ROWS]),
    "Softsign": ("Softsign", (), {}, [ROWS]),
    "Tanh": ("Tanh", (), {}, [ROWS]),
    "Tanhshrink": ("Tanhshrink", (), {}, [ROWS]),
    "Threshold": ("Threshold", (0.1, 20), {}, [ROWS]),
    "AdaptiveAvgPool2d": ("AdaptiveAvgPool2d", (2,), {}, [IMAGE]),
    "AdaptiveAvgPool2d pair": ("AdaptiveAvgPool2d", ((3, None),), {}, [IMAGE]),
    "AvgPool1d": ("AvgPool1d", (2,), {}, [WAVE]),
    "AvgPool1d options": ("AvgPool1d", (3, 2, 1, True, False), {}, [WAVE]),
    "AvgPool2d": ("AvgPool2d", (2,), {}, [IMAGE]),
    "AvgPool2d options": ("AvgPool2d", ((3, 2), (2, 1)), {"padding": 1, "divisor_override": 5},
                          [IMAGE]),
    "MaxPool1d": ("MaxPool1d", (2,), {}, [WAVE]),
    "MaxPool1d options": ("MaxPool1d", (3, 2, 1, 2), {"ceil_mode": True}, [WAVE]),
    "MaxPool2d": ("MaxPool2d", (2,), {}, [IMAGE]),
    "MaxPool2d indices": ("MaxPool2d", ((3, 2), 2, 1), {"return_indices": True}, [IMAGE]),
    "Dropout none": ("Dropout", (0.0,), {}, [ROWS]),
    "Dropout all": ("Dropout", (1.0,), {}, [ROWS]),
    "Dropout2d none": ("Dropout2d", (0.0,), {}, [IMAGE]),
    "Flatten": ("Flatten", (), {}, [IMAGE]),
    "Flatten some": ("Flatten", (0, 2), {}, [IMAGE]),
    "Unflatten": ("Unflatten", (1, (2, 2)), {}, [IMAGE]),
    "Fold": ("Fold", ((4, 5), 2), {}, [normal(2, 8, 12)]),
    "Unfold": ("Unfold", (3,), {"padding": 1, "stride": 2}, [IMAGE]),
    "PixelShuffle": ("PixelShuffle", (2,), {}, [IMAGE]),
    "Upsample": ("Upsample", (), {"scale_factor": 2}, [IMAGE]),
    "Upsample bilinear": ("Upsample", ((5, 9),), {"mode": "bilinear", "align_corners": True},
                          [IMAGE]),
    "CosineSimilarity": ("CosineSimilarity", (), {}, [ROWS, normal(3, 4)]),
    "PairwiseDistance": ("PairwiseDistance", (1.5,), {"keepdim": True}, [ROWS, normal(3, 4)]),
    "ReflectionPad1d": ("ReflectionPad1d", (2,), {}, [WAVE]),
    "ReflectionPad2d": ("ReflectionPad2d", ((1, 2, 3, 0),), {}, [IMAGE]),
    "ReplicationPad2d": ("ReplicationPad2d", (2,), {}, [IMAGE]),
    "CircularPad2d": ("CircularPad2d", (1,), {}, [IMAGE]),
    "ConstantPad1d": ("ConstantPad1d", (1, 3.5), {}, [WAVE]),
    "ConstantPad2d": ("ConstantPad2d", ((1, 0, 2, 0), 1), {}, [IMAGE]),
    "ZeroPad1d": ("ZeroPad1d", (1,), {}, [WAVE]),
    "ZeroPad2d": ("ZeroPad2d", (1,), {}, [IMAGE]),
}  # fmt: skip
P, Q, SIGNS = abs(np.tanh(ROWS)), abs(np.tanh(normal(3, 4))), np.sign(normal(3, 4))
CLASSES, LOGP = indices(4, 3), np.log(Q)
LAYERS |= {
    "BCELoss": ("BCELoss", (), {}, [P, Q]),
    "BCEWithLogitsLoss": ("BCEWithLogitsLoss", (), {"reduction": "sum"}, [ROWS, Q]),
    "CosineEmbeddingLoss": ("CosineEmbeddingLoss", (0.1,), {}, [ROWS, Q, SIGNS[:, 0]]),
    "CrossEntropyLoss": ("CrossEntropyLoss", (), {}, [ROWS, CLASSES]),
    "CrossEntropyLoss options": ("CrossEntropyLoss", (),
                                 {"ignore_index": 1, "label_smoothing": 0.1, "reduction": "none"},
                                 [ROWS, CLASSES]),
    "HingeEmbeddingLoss": ("HingeEmbeddingLoss", (2.0,), {}, [ROWS, SIGNS]),
    "HuberLoss": ("HuberLoss", ("sum", 0.5), {}, [ROWS, Q]),
    "KLDivLoss": ("KLDivLoss", (), {"reduction": "batchmean", "log_target": True}, [ROWS, LOGP]),
    "L1Loss": ("L1Loss", (), {}, [ROWS, Q]),
    "MSELoss": ("MSELoss", (), {"reduction": "none"}, [ROWS, Q]),
    "MSELoss older": ("MSELoss", (), {"size_average": False}, [ROWS, Q]),
    "MarginRankingLoss": ("MarginRankingLoss", (0.5,), {}, [ROWS, Q, SIGNS]),
    "NLLLoss": ("NLLLoss", (), {}, [ROWS, CLASSES]),
    "SmoothL1Loss": ("SmoothL1Loss", (), {"beta": 0.3}, [ROWS, Q]),
    "TripletMarginLoss": ("TripletMarginLoss", (0.7,), {"swap": True}, [ROWS, Q, normal(3, 4)]),
}  # fmt: skip


def build(lib, name, args, options):
    lib.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(lib.nn, name)(*args, **options)


def both(key):
    name, args, options, inputs = LAYERS[key]
    return (*(build(lib, name, args, options) for lib in (mt, torch)), inputs)


def numbers(t):
    return t.detach().cpu().numpy()


def leaves(lib, inputs, device="cpu"):
    made = [lib.tensor(x).to(device) for x in inputs]
    return [t.requires_grad_() if t.is_floating_point() else t for t in made]


def parts(result):
    return [p for r in result for p in parts(r)] if isinstance(result, tuple | list) else [result]


def outcome(lib, module, inputs, device="cpu"):
    """Outputs, and gradients of a weighted sum of squares: of inputs and of parameters."""
    given = leaves(lib, inputs, device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = parts(module(*given))
    floats = [t for t in out if t.is_floating_point() and t.requires_grad]
    if floats:
        sum((t * t * (i + 1)).sum() for i, t in enumerate(floats)).backward()
    grads = [t.grad for t in (*given, *module.parameters())]
    return [None if t is None else numbers(t) for t in (*out, *grads)]


def agree(got, want, tolerance=2e-5):
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert (g is None) == (w is None)
        if w is not None:
            assert (g.shape, g.dtype) == (w.shape, w.dtype)
            np.testing.assert_allclose(g, w, rtol=tolerance, atol=tolerance)


def same_state(ours, theirs, tolerance=1e-6):
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    agree([numbers(t) for t in mine.values()], [numbers(t) for t in other.values()], tolerance)


each_layer = pytest.mark.parametrize("key", LAYERS)


@each_layer
def test_repr_and_first_weights(key):
    ours, theirs, _ = both(key)
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs)
    named = [[n for n, _ in m.named_parameters()] for m in (ours, theirs)]
    assert named[0] == named[1]


@each_layer
@pytest.mark.parametrize("training", [True, False])
def test_forward_and_gradients(key, training):
    ours, theirs, inputs = both(key)
    for _ in range(2 if "Norm" in key else 1):  # norms gather averages
        got = outcome(mt, ours.train(training), inputs)
        want = outcome(torch, theirs.train(training), inputs)
        agree(got, want)
    same_state(ours, theirs, 1e-5)


@each_layer
def test_float64(key):
    ours, theirs, inputs = both(key)
    wide = [x.astype(np.float64) if x.dtype == np.float32 else x for x in inputs]
    agree(outcome(mt, ours.double(), wide), outcome(torch, theirs.double(), wide), 1e-6)


@each_layer
def test_on_a_device(key, device):
    ours, _, inputs = both(key)
    expected = outcome(mt, copy.deepcopy(ours), inputs)
    agree(outcome(mt, ours.to(device), inputs, device), expected)


@each_layer
def test_copies_are_equal_and_apart(key):
    ours, _, inputs = both(key)
    want = outcome(mt, copy.deepcopy(ours), inputs)
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert repr(twin) == repr(ours)
        same_state(twin, ours, 0)
        assert not {id(p) for p in twin.parameters()} & {id(p) for p in ours.parameters()}
        agree(outcome(mt, twin, inputs), want, 0)
        for a, b in zip(twin.parameters(), ours.parameters(), strict=True):
            assert type(a) is nn.Parameter and a.requires_grad == b.requires_grad
            assert not np.shares_memory(numbers(a), numbers(b))


REFUSALS = {
    "Linear shape": lambda lib: lib.nn.Linear(3, 2)(lib.zeros(2, 4)),
    "Linear negative": lambda lib: lib.nn.Linear(-1, 2),
    "Bilinear none": lambda lib: lib.nn.Bilinear(0, 2, 3),
    "Bilinear shape": lambda lib: lib.nn.Bilinear(2, 2, 3)(lib.zeros(2, 2), lib.zeros(3, 2)),
    "Conv groups": lambda lib: lib.nn.Conv2d(3, 4, 3, groups=2),
    "Conv groups out": lambda lib: lib.nn.Conv2d(4, 3, 3, groups=2),
    "Conv no groups": lambda lib: lib.nn.Conv2d(4, 4, 3, groups=0),
    "Conv padding": lambda lib: lib.nn.Conv2d(4, 4, 3, padding="half"),
    "Conv same stride": lambda lib: lib.nn.Conv2d(4, 4, 3, padding="same", stride=2),
    "Conv mode": lambda lib: lib.nn.Conv1d(4, 4, 3, padding_mode="half"),
    "Conv channels": lambda lib: lib.nn.Conv2d(4, 4, 3)(lib.zeros(1, 3, 5, 5)),
    "Conv dims": lambda lib: lib.nn.Conv2d(4, 4, 3)(lib.zeros(5, 5)),
    "ConvTranspose mode": lambda lib: lib.nn.ConvTranspose2d(2, 2, 2, padding_mode="reflect"),
    "ConvTranspose size": lambda lib: lib.nn.ConvTranspose2d(2, 2, 2)(
        lib.zeros(1, 2, 3, 3), output_size=(9, 9)),
    "Embedding padding": lambda lib: lib.nn.Embedding(3, 4, 7),
    "Embedding weight": lambda lib: lib.nn.Embedding(3, 4, _weight=lib.zeros(2, 2)),
    "Embedding table": lambda lib: lib.nn.Embedding.from_pretrained(lib.zeros(2)),
    "Embedding index": lambda lib: lib.nn.Embedding(3, 4)(lib.tensor([3])),
    "Embedding floats": lambda lib: lib.nn.Embedding(3, 4)(lib.tensor([1.0])),
    "BatchNorm dims": lambda lib: lib.nn.BatchNorm2d(3)(lib.zeros(2, 3)),
    "BatchNorm1d dims": lambda lib: lib.nn.BatchNorm1d(3)(lib.zeros(3)),
    "BatchNorm one": lambda lib: lib.nn.BatchNorm1d(3)(lib.zeros(1, 3)),
    "BatchNorm channels": lambda lib: lib.nn.BatchNorm1d(3)(lib.zeros(4, 2)),
    "GroupNorm": lambda lib: lib.nn.GroupNorm(2, 3),
    "InstanceNorm dims": lambda lib: lib.nn.InstanceNorm2d(3)(lib.zeros(3)),
    "InstanceNorm channels": lambda lib: lib.nn.InstanceNorm2d(3, affine=True)(
        lib.zeros(1, 2, 4, 4)),
    "LayerNorm shape": lambda lib: lib.nn.LayerNorm(3)(lib.zeros(2, 4)),
    "PReLU channels": lambda lib: lib.nn.PReLU(3)(lib.zeros(2, 2)),
    "Dropout": lambda lib: lib.nn.Dropout(2),
    "Dropout2d": lambda lib: lib.nn.Dropout2d(-0.1),
    "Hardtanh": lambda lib: lib.nn.Hardtanh(2, 1),
    "Threshold": lambda lib: lib.nn.Threshold(),
    "ReLU many": lambda lib: lib.nn.ReLU(True, 3),
    "ReLU name": lambda lib: lib.nn.ReLU(slope=3),
    "ReLU list": lambda lib: lib.nn.ReLU()([1.0]),
    "Unflatten int": lambda lib: lib.nn.Unflatten(1, 3),
    "Unflatten float": lambda lib: lib.nn.Unflatten(1, (2.0, 3)),
    "TripletMarginLoss": lambda lib: lib.nn.TripletMarginLoss(margin=-1),
    "reduction": lambda lib: lib.nn.MSELoss(reduction="all")(lib.zeros(2), lib.zeros(2)),
    "CrossEntropyLoss class": lambda lib: lib.nn.CrossEntropyLoss()(
        lib.zeros(2, 3), lib.tensor([0, 3])),
    "CrossEntropyLoss batch": lambda lib: lib.nn.CrossEntropyLoss()(
        lib.zeros(2, 3), lib.tensor([0, 1, 2])),
    "Upsample": lambda lib: lib.nn.Upsample()(lib.zeros(1, 1, 2, 2)),
    "PixelShuffle": lambda lib: lib.nn.PixelShuffle(2)(lib.zeros(1, 3, 2, 2)),
}  # fmt: skip


def refused_alike(call):
    """``call(lib)`` raises in both libraries, and errors of one class."""
    raised = []
    for lib in (mt, torch):
        with pytest.raises(Exception) as error:
            call(lib)
        raised.append(error.type)
    assert raised[0] is raised[1]


@pytest.mark.parametrize("key", REFUSALS)
def test_refusals(key):
    refused_alike(REFUSALS[key])


def test_a_layer_without_inputs_gives_zeros():
    outputs = []
    for lib in (mt, torch):
        with pytest.warns(UserWarning, match="zero-element"):
            layer = lib.nn.Linear(0, 3)
        outputs.append([numbers(layer.bias), numbers(layer(lib.ones(2, 0)))])
    agree(*outputs)
    assert not outputs[0][0].any()


def test_inplace_changes_the_input():
    for name in ("ReLU", "LeakyReLU", "ELU", "SiLU", "Hardtanh", "ReLU6", "Mish", "SELU", "CELU"):
        made = [getattr(lib.nn, name)(inplace=True) for lib in (mt, torch)]
        assert repr(made[0]) == repr(made[1])
        x, y = (lib.tensor(ROWS) for lib in (mt, torch))
        assert made[0](x) is x
        agree([numbers(x)], [numbers(made[1](y))], 1e-6)


def test_weights_of_losses_are_buffers():
    weight, target = mt.tensor([1.0, 2.0, 3.0, 4.0]), mt.tensor(CLASSES)
    loss = nn.CrossEntropyLoss(weight=weight)
    assert list(loss.state_dict()) == ["weight"] and not list(loss.parameters())
    theirs = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0, 4.0]))
    want = theirs(torch.tensor(ROWS), torch.tensor(CLASSES))
    agree([numbers(loss(mt.tensor(ROWS), target))], [numbers(want)])
    assert loss.double().weight.dtype is mt.float64
    assert list(nn.BCEWithLogitsLoss(pos_weight=weight).state_dict()) == ["pos_weight"]


def test_dropout_follows_the_mode():
    x, drop = mt.ones(1000), nn.Dropout(0.25)
    kept = drop(x)
    assert set(kept.unique().tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))}
    assert 650 < int((kept > 0).sum()) < 850
    assert drop.eval()(x).tolist() == x.tolist()
    whole = nn.Dropout2d(0.5)(mt.ones(8, 8, 3, 3)).sum((2, 3))
    assert set(whole.unique().tolist()) == {0.0, 18.0}


def test_lazy_linear_learns_its_size():
    mt.manual_seed(3)
    torch.manual_seed(3)
    ours, theirs = mt.nn.LazyLinear(2), torch.nn.LazyLinear(2)
    assert repr(ours) == repr(theirs) and repr(ours.weight) == repr(theirs.weight)
    twin, weight = copy.deepcopy(ours), ours.weight
    agree(outcome(mt, ours, [ROWS]), outcome(torch, theirs, [ROWS]))
    assert type(ours) is nn.Linear and repr(ours) == repr(theirs)
    assert ours.weight is weight and type(weight) is nn.Parameter  # an optimiser may hold it
    twin.load_state_dict(ours.state_dict())
    agree(outcome(mt, twin, [ROWS])[:1], outcome(mt, ours, [ROWS])[:1])
    assert type(twin) is nn.Linear


def test_transposed_convolution_of_a_wanted_size():
    for size in ((13, 14), (14, 15)):
        outputs = []
        for lib in (mt, torch):
            up = build(lib, "ConvTranspose2d", (4, 2, 3, 2), {"padding": 0})
            outputs.append(numbers(up(lib.tensor(IMAGE), output_size=(size[0], size[1] + 1))))
        agree(outputs[:1], outputs[1:])


def test_embedding_around_a_table():
    table = mt.tensor(ROWS)
    made = nn.Embedding.from_pretrained(table, padding_idx=1)
    assert repr(made) == repr(torch.nn.Embedding.from_pretrained(torch.tensor(ROWS), padding_idx=1))
    assert not made.weight.requires_grad and np.shares_memory(numbers(made.weight), table.numpy())


@pytest.mark.parametrize("key", ["Linear", "Conv2d", "BatchNorm2d", "Embedding", "LayerNorm"])
def test_dtype_and_device_when_made(key, device):
    name, args, options, _ = LAYERS[key]
    made = getattr(nn, name)(*args, **options, device=device, dtype=mt.float64)
    floats = [t for t in made.state_dict().values() if t.is_floating_point()]
    assert {t.dtype for t in floats} == {mt.float64}
    assert {t.device.type for t in made.state_dict().values()} == {mt.device(device).type}


def test_helps_with_their_arguments():
    import inspect

    assert str(inspect.signature(nn.LeakyReLU)) == "(negative_slope=0.01, inplace=False)"
    assert "leaky_relu" in nn.LeakyReLU.__doc__
