"""Attention and transformers against PyTorch: weights, outputs, masks, gradients, refusals."""

import warnings

import numpy as np
import pytest
from test_nn_layers import agree, build, numbers, parts, refused_alike, same_state

import minitensor as mt

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(11)
L, S, N, E, HEADS = 4, 5, 3, 6, 2


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


CAUSAL = np.triu(np.ones((L, L), bool), 1)
SOME = RNG.random((L, S)) < 0.3
SOME[:, 0] = False
BY_HEAD = RNG.normal(size=(N * HEADS, L, S)).astype(np.float32)
PADDED = np.zeros((N, S), bool)
PADDED[1, 3:] = True
FLOAT_PADDED = np.where(PADDED, -np.inf, 0).astype(np.float32)

# What the module is made with, what it is called with, and whether it attends to itself.
ATTENTION = {
    "plain": ({}, {}, False),
    "itself": ({}, {}, True),
    "no bias": ({"bias": False}, {}, False),
    "other sizes": ({"kdim": 3, "vdim": 7}, {}, False),
    "other values": ({"vdim": 7, "bias": False}, {}, False),
    "bias_kv": ({"add_bias_kv": True}, {"attn_mask": SOME}, False),
    "zero": ({"add_zero_attn": True}, {"key_padding_mask": PADDED}, False),
    "both more": ({"add_zero_attn": True, "add_bias_kv": True}, {"attn_mask": BY_HEAD}, False),
    "mask": ({}, {"attn_mask": SOME}, False),
    "float mask": ({}, {"attn_mask": BY_HEAD[0]}, False),
    "mask by head": ({}, {"attn_mask": BY_HEAD}, False),
    "causal": ({}, {"attn_mask": CAUSAL, "is_causal": True}, True),
    "padding": ({}, {"key_padding_mask": PADDED}, False),
    "float padding": ({}, {"key_padding_mask": FLOAT_PADDED, "attn_mask": BY_HEAD}, False),
    "both masks": ({}, {"key_padding_mask": PADDED, "attn_mask": SOME}, False),
    "by head": ({}, {"average_attn_weights": False}, False),
    "no weights": ({}, {"need_weights": False}, False),
    "no weights, mask": ({}, {"need_weights": False, "attn_mask": SOME}, False),
    "no weights, padding": ({}, {"need_weights": False, "key_padding_mask": PADDED}, False),
    "no weights, causal": (
        {},
        {"need_weights": False, "attn_mask": CAUSAL, "is_causal": True},
        True,
    ),
    "all dropped": ({"dropout": 1.0}, {}, False),
}


def tensors(lib, options, device):
    """Arguments with arrays made tensors."""
    return {
        k: lib.tensor(v).to(device) if isinstance(v, np.ndarray) else v for k, v in options.items()
    }


def outcome(lib, module, arrays, options, device="cpu"):
    """Outputs, gradients of inputs and of weights."""
    given = [lib.tensor(a).to(device).requires_grad_() for a in arrays]
    inputs = given * 3 if len(given) == 1 and hasattr(module, "num_heads") else given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = [t for t in parts(module(*inputs, **tensors(lib, options, device))) if t is not None]
    sum((t * t * (i + 1)).sum() for i, t in enumerate(out) if t.requires_grad).backward()
    grads = [t.grad for t in (*given, *module.parameters())]
    return [numbers(t) for t in out] + [None if g is None else numbers(g) for g in grads]


def inputs_for(module, itself, layout):
    """Query, key and value: (L, N, E), batch first, or without a batch."""
    widths = (E,) if itself else (E, module.kdim, module.vdim)
    lengths = (L,) if itself else (L, S, S)
    sizes = {"length first": "{0} 3", "batch first": "3 {0}", "single": "{0}"}[layout]
    shapes = [tuple(map(int, sizes.format(n).split())) for n in lengths]
    return [normal(*shape, width) for shape, width in zip(shapes, widths, strict=True)]


def fitting(options, layout):
    """The options of a call without a batch: masks of the first sample."""
    if layout != "single":
        return options
    cut = {"key_padding_mask": lambda m: m[1], "attn_mask": lambda m: m[:HEADS]}
    deep = {"key_padding_mask": 2, "attn_mask": 3}
    return {k: cut[k](v) if getattr(v, "ndim", 0) == deep.get(k) else v for k, v in options.items()}


@pytest.mark.parametrize("layout", ["length first", "batch first", "single"])
@pytest.mark.parametrize("key", ATTENTION)
def test_attention(key, layout):
    made, called, itself = ATTENTION[key]
    made = {**made, "batch_first": layout == "batch first"}
    ours, theirs = (build(lib, "MultiheadAttention", (E, HEADS), made) for lib in (mt, torch))
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs)
    arrays, called = inputs_for(ours, itself, layout), fitting(called, layout)
    agree(outcome(mt, ours, arrays, called), outcome(torch, theirs, arrays, called))
    for module in (ours, theirs):
        module.zero_grad()
        module.eval()
    agree(outcome(mt, ours, arrays, called), outcome(torch, theirs, arrays, called))


@pytest.mark.parametrize("key", ["both masks", "bias_kv", "zero", "no weights, causal"])
def test_attention_on_a_device(key, device):
    made, called, itself = ATTENTION[key]
    ours = build(mt, "MultiheadAttention", (E, HEADS), made)
    arrays = inputs_for(ours, itself, "length first")
    want = outcome(mt, ours, arrays, called)
    ours.zero_grad()
    agree(outcome(mt, ours.to(device), arrays, called, device), want)


LAYER = {"dim_feedforward": 8, "dropout": 0.0}
SRC_PADDED = PADDED[:, :L]
STACKS = {
    "encoder layer": ("TransformerEncoderLayer", {}, [(L, N, E)], {}),
    "norm first": ("TransformerEncoderLayer", {"norm_first": True}, [(L, N, E)], {}),
    "batch first": ("TransformerEncoderLayer", {"batch_first": True}, [(N, L, E)], {}),
    "gelu": ("TransformerEncoderLayer", {"activation": "gelu", "bias": False}, [(L, N, E)], {}),
    "single": ("TransformerEncoderLayer", {}, [(L, E)], {"src_mask": CAUSAL}),
    "masks": (
        "TransformerEncoderLayer",
        {},
        [(L, N, E)],
        {"src_mask": CAUSAL, "src_key_padding_mask": SRC_PADDED, "is_causal": True},
    ),
    "decoder layer": ("TransformerDecoderLayer", {}, [(L, N, E), (S, N, E)], {}),
    "decoder norm first": (
        "TransformerDecoderLayer",
        {"norm_first": True, "batch_first": True},
        [(N, L, E), (N, S, E)],
        {
            "tgt_mask": CAUSAL,
            "tgt_is_causal": True,
            "memory_mask": SOME,
            "memory_key_padding_mask": PADDED,
            "tgt_key_padding_mask": SRC_PADDED,
        },
    ),
    "transformer": (
        "Transformer",
        {"num_encoder_layers": 2, "num_decoder_layers": 1},
        [(S, N, E), (L, N, E)],
        {"tgt_mask": CAUSAL, "src_key_padding_mask": PADDED, "memory_key_padding_mask": PADDED},
    ),
    "transformer norm first": (
        "Transformer",
        {"num_encoder_layers": 1, "num_decoder_layers": 2, "norm_first": True, "bias": False},
        [(S, N, E), (L, N, E)],
        {"tgt_mask": CAUSAL, "tgt_is_causal": True, "memory_mask": SOME},
    ),
}


@pytest.mark.parametrize("key", STACKS)
def test_transformer_parts(key):
    name, made, shapes, called = STACKS[key]
    ours, theirs = (build(lib, name, (E, HEADS), {**LAYER, **made}) for lib in (mt, torch))
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs)
    arrays = [normal(*shape) for shape in shapes]
    agree(outcome(mt, ours, arrays, called), outcome(torch, theirs, arrays, called), 5e-5)
    for module in (ours, theirs):
        module.zero_grad()
        module.eval()
    agree(outcome(mt, ours, arrays, called), outcome(torch, theirs, arrays, called), 5e-5)


@pytest.mark.parametrize("norm", [False, True])
def test_stacks(norm):
    modules = []
    for lib in (mt, torch):
        layer = build(lib, "TransformerEncoderLayer", (E, HEADS), LAYER)
        last = lib.nn.LayerNorm(E) if norm else None
        modules.append(lib.nn.TransformerEncoder(layer, 2, last, enable_nested_tensor=False))
    assert repr(modules[0]) == repr(modules[1])
    same_state(*modules)
    x, called = normal(L, N, E), {"mask": CAUSAL, "is_causal": True}
    agree(*(outcome(lib, m, [x], called) for lib, m in zip((mt, torch), modules, strict=True)))


def test_activation_may_be_a_module():
    made = [
        build(lib, "TransformerEncoderLayer", (E, HEADS), {**LAYER, "activation": lib.nn.ELU()})
        for lib in (mt, torch)
    ]
    assert repr(made[0]) == repr(made[1])
    x = normal(L, N, E)
    agree(outcome(mt, made[0], [x], {}), outcome(torch, made[1], [x], {}), 5e-5)


def test_causal_mask():
    got = mt.nn.Transformer.generate_square_subsequent_mask(3)
    want = torch.nn.Transformer.generate_square_subsequent_mask(3)
    agree([numbers(got)], [numbers(want)])


def attend(lib, *shapes, made=(E, HEADS), **options):
    arguments = {k: lib.zeros(v) if isinstance(v, tuple) else v for k, v in options.items()}
    return lib.nn.MultiheadAttention(*made)(*(lib.zeros(s) for s in shapes), **arguments)


Q, K = (L, N, E), (S, N, E)
REFUSALS = {
    "heads": lambda lib: lib.nn.MultiheadAttention(5, 2),
    "no features": lambda lib: lib.nn.MultiheadAttention(0, 2),
    "causal without mask": lambda lib: attend(lib, Q, K, K, is_causal=True),
    "mask shape": lambda lib: attend(lib, Q, K, K, attn_mask=(S, L)),
    "mask by head": lambda lib: attend(lib, Q, K, K, attn_mask=(N, L, S)),
    "mask dims": lambda lib: attend(lib, Q, K, K, attn_mask=(1, N, L, S)),
    "integer mask": lambda lib: attend(lib, Q, K, K, attn_mask=lib.ones(L, S).long()),
    "padding shape": lambda lib: attend(lib, Q, K, K, key_padding_mask=(N, L)),
    "embedding": lambda lib: attend(lib, (L, N, 4), K, K),
    "dims": lambda lib: attend(lib, (L,), K, K),
    "key dims": lambda lib: attend(lib, Q, (S, E), (S, E)),
    "values": lambda lib: attend(lib, Q, K, (L, N, E)),
    "activation": lambda lib: lib.nn.TransformerEncoderLayer(E, HEADS, activation="tanh"),
    "batch": lambda lib: lib.nn.Transformer(E, HEADS, 1, 1, 4)(lib.zeros(Q), lib.zeros(L, 2, E)),
    "features": lambda lib: lib.nn.Transformer(E, HEADS, 1, 1, 4)(lib.zeros(Q), lib.zeros(L, N, 4)),
}


@pytest.mark.parametrize("key", REFUSALS)
def test_refusals(key):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused_alike(REFUSALS[key])
