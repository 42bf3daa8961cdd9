"""Which random streams are PyTorch's: the rows of the table on the page of differences.

Each row draws with a library after ``manual_seed(0)``. `tests/test_seeds.py` holds every row
against PyTorch, and the next number after it, so that the streams stay together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

EXACT = "bit for bit"
DIGITS = "but for the last digits"
FMA = "PyTorch's vector code rounds log, sin and cos in its own way"
MKL = "not on Intel processors, where PyTorch asks MKL's generator"


@dataclass(frozen=True)
class Row:
    """One stream. draw(lib) gives a list of numbers; on_intel: whether it matches there, too."""

    what: str
    draw: Callable[[Any], list]
    match: str = EXACT
    why: str = ""
    on_intel: bool = True


def row(what, match=EXACT, why="", on_intel=True):
    """Register the function below as a row."""

    def add(draw):
        ROWS.append(Row(what, draw, match, why, on_intel))
        return draw

    return add


ROWS: list[Row] = []


def flat(*tensors):
    """All numbers of some tensors."""
    return [x for t in tensors for x in t.detach().reshape(-1).tolist()]


def weights(module):
    """All numbers of a module's parameters."""
    return flat(*module.parameters())


row("`rand`")(lambda lib: flat(lib.rand(2, 40)))
row("`randn`, under 16 numbers", DIGITS, FMA)(lambda lib: flat(lib.randn(3, 5)))
row("`randn`, 16 or more", DIGITS, FMA)(lambda lib: flat(lib.randn(5, 7)))
row("`randint`")(lambda lib: flat(lib.randint(0, 10, (50,)), lib.randint(-(2**40), 2**40, (9,))))
row("`randperm`")(lambda lib: flat(lib.randperm(100)))
row("`uniform_`")(lambda lib: flat(lib.empty(50).uniform_(-3, 7)))
row("`normal_`", DIGITS, FMA)(lambda lib: flat(lib.empty(50).normal_(2, 0.5)))
row("`normal`", DIGITS, FMA)(lambda lib: flat(lib.normal(lib.zeros(4, 9), lib.ones(9))))
row("`bernoulli` of a tensor")(lambda lib: flat(lib.bernoulli(lib.full((60,), 0.3))))
row("`bernoulli_`, `bernoulli` with one number", why=MKL, on_intel=False)(
    lambda lib: flat(lib.empty(60).bernoulli_(0.3))
)
row("`exponential_`", DIGITS, f"{FMA}; {MKL}", on_intel=False)(
    lambda lib: flat(lib.empty(60).exponential_(2.0))
)
row("`multinomial`, with replacement")(
    lambda lib: flat(lib.multinomial(lib.tensor([1.0, 2.0, 3.0]), 40, replacement=True))
)
row("`multinomial`, one draw or without replacement", why=MKL, on_intel=False)(
    lambda lib: flat(lib.multinomial(lib.arange(1.0, 31).view(3, 10), 9))
)
row("first weights of `nn.Linear`")(lambda lib: weights(lib.nn.Linear(5, 7)))
row("first weights of `nn.Conv2d`")(lambda lib: weights(lib.nn.Conv2d(3, 4, 3)))
row("first weights of `nn.Embedding`", DIGITS, FMA)(lambda lib: weights(lib.nn.Embedding(9, 4)))
row("first weights of `nn.LSTM`, `nn.GRU`, `nn.RNN`")(
    lambda lib: [
        x
        for kind in ("LSTM", "GRU", "RNN")
        for x in weights(getattr(lib.nn, kind)(3, 4, num_layers=2, bidirectional=True))
    ]
)
row("first weights of `nn.MultiheadAttention`")(
    lambda lib: weights(lib.nn.MultiheadAttention(8, 2))
)
row("first weights of `nn.TransformerEncoderLayer`")(
    lambda lib: weights(lib.nn.TransformerEncoderLayer(8, 2, 16))
)


@row("`nn.init`: uniform, normal, Xavier, Kaiming, truncated normal", DIGITS, FMA)
def inits(lib):
    names = "uniform_ normal_ xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_"
    names += " trunc_normal_"
    return flat(*[getattr(lib.nn.init, name)(lib.empty(6, 5)) for name in names.split()])


@row("`dropout`", why=MKL, on_intel=False)
def dropout(lib):
    return flat(lib.nn.functional.dropout(lib.ones(8, 9), 0.3), lib.nn.Dropout()(lib.ones(20)))


@row("`DataLoader(shuffle=True)`: the order, in two epochs")
def loader(lib):
    data = lib.utils.data.TensorDataset(lib.arange(23))
    loading = lib.utils.data.DataLoader(data, batch_size=4, shuffle=True)
    return [x for _ in range(2) for (batch,) in loading for x in batch.tolist()]


@row("`DataLoader(shuffle=True, generator=g)`")
def loader_with_generator(lib):
    data = lib.utils.data.TensorDataset(lib.arange(23))
    g = lib.Generator().manual_seed(5)
    loading = lib.utils.data.DataLoader(data, batch_size=4, shuffle=True, generator=g)
    return [x for _ in range(2) for (batch,) in loading for x in batch.tolist()]


@row("`random_split`")
def split(lib):
    parts = lib.utils.data.random_split(range(20), [14, 6])
    return [int(i) for part in parts for i in part.indices]


@row("`RandomSampler(replacement=True)`, `WeightedRandomSampler` with replacement")
def samplers(lib):
    data = lib.utils.data
    again = data.RandomSampler(range(9), replacement=True, num_samples=40)
    weighted = data.WeightedRandomSampler([1.0, 2.0, 3.0], 40)
    return [*again, *weighted]


@row("`WeightedRandomSampler` without replacement", why=MKL, on_intel=False)
def sampler_once(lib):
    return list(lib.utils.data.WeightedRandomSampler([1.0] * 6, 4, replacement=False))


@row("`distributions`: `Normal`, `Uniform`, `Bernoulli`", DIGITS, FMA)
def distributions(lib):
    d = lib.distributions
    kinds = [d.Normal(1.0, 2.0), d.Uniform(0.0, 3.0), d.Bernoulli(lib.tensor(0.4))]
    return flat(*[kind.sample((20,)) for kind in kinds])


@row("`distributions.Exponential`", DIGITS, f"{FMA}; {MKL}", on_intel=False)
def exponential(lib):
    return flat(lib.distributions.Exponential(lib.tensor(2.0)).sample((20,)))


@row("`distributions.Categorical`, many at once")
def categorical(lib):
    return flat(lib.distributions.Categorical(lib.ones(5)).sample((30,)))


@row("`distributions.Categorical`, one at a time", why=MKL, on_intel=False)
def categorical_once(lib):
    return [lib.distributions.Categorical(lib.ones(5)).sample().item() for _ in range(9)]


@row("losses of ten training steps: batches, weights, Adam", DIGITS, "sums round in another order")
def training(lib):
    nn, data = lib.nn, lib.utils.data
    x = lib.rand(40, 3)
    pairs = data.TensorDataset(x, (x * x).sum(1, keepdim=True))
    model = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = lib.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for batch, wanted in data.DataLoader(pairs, batch_size=4, shuffle=True):
        loss = nn.functional.mse_loss(model(batch), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def table():
    """The rows as a table in markdown."""
    lines = ["| what is drawn | equal to PyTorch's | why not more |", "|---|---|---|"]
    return "\n".join(lines + [f"| {r.what} | {r.match} | {r.why} |" for r in ROWS])
