"""Module against PyTorch: attributes, walking, state dicts, hooks, moving, printing."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from test_nn_layers import agree, numbers, refused_alike

import minitensor as mt
from minitensor import nn

torch = pytest.importorskip("torch")


def net(lib):
    """A module with a parameter, buffers of both kinds, parts that share, and an absent part."""

    class Inner(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = lib.nn.Parameter(lib.ones(3))
            self.register_buffer("seen", lib.zeros(1))
            self.register_buffer("scratch", lib.ones(2), persistent=False)
            self.register_parameter("shift", None)

        def forward(self, x):
            return x * self.scale

    class Net(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = lib.nn.Sequential(lib.nn.Linear(4, 3), Inner(), lib.nn.ReLU())
            self.head = lib.nn.Linear(3, 2, bias=False)
            self.again = self.head
            self.register_buffer("count", lib.tensor(0))
            self.absent = None
            self.register_module("none", None)

        def forward(self, x, *, double=False):
            y = self.head(self.body(x))
            return y * 2 if double else y

    lib.manual_seed(1)
    return Net()


def both():
    return net(mt), net(torch)


def clean(text):
    return text.replace("minitensor", "torch")


# -- walking -------------------------------------------------------------------------------------

WALKS = {
    "parameters": lambda m: [n for n, _ in m.named_parameters()],
    "parameters own": lambda m: [n for n, _ in m.named_parameters("x", recurse=False)],
    "parameters twice": lambda m: [n for n, _ in m.named_parameters(remove_duplicate=False)],
    "parameters prefix": lambda m: [n for n, _ in m.named_parameters(prefix="model")],
    "buffers": lambda m: [n for n, _ in m.named_buffers()],
    "modules": lambda m: [n for n, _ in m.named_modules()],
    "modules prefix": lambda m: [n for n, _ in m.named_modules(prefix="model")],
    "modules twice": lambda m: [n for n, _ in m.named_modules(remove_duplicate=False)],
    "children": lambda m: [n for n, _ in m.named_children()],
    "counts": lambda m: [len(list(f())) for f in (m.parameters, m.buffers, m.modules, m.children)],
    "state": lambda m: list(m.state_dict()),
    "state prefix": lambda m: list(m.state_dict(prefix="model.")),
    "submodule": lambda m: type(m.get_submodule("body.1")).__name__,
    "parameter": lambda m: tuple(m.get_parameter("body.0.bias").shape),
    "buffer": lambda m: tuple(m.get_buffer("body.1.scratch").shape),
    "itself": lambda m: m.get_submodule("") is m,
    "repr": repr,
    "dir": lambda m: [n for n in ("body", "count", "none", "absent") if n in dir(m)],
    "modes": lambda m: [p.training for p in (*m.eval().modules(), *m.body.train().modules())],
    "train": lambda m: m.train(False) is m and m.training,
    "apply": lambda m: (seen := [], m.apply(lambda p: seen.append(type(p).__name__)))[0],
    "frozen": lambda m: (m.requires_grad_(False) is m, [p.requires_grad for p in m.parameters()]),
    "deleted": lambda m: (delattr(m, "head"), delattr(m.body[1], "seen"), list(m.state_dict()))[2],
}


@pytest.mark.parametrize("key", WALKS)
def test_walks(key):
    ours, theirs = both()
    assert WALKS[key](ours) == WALKS[key](theirs)


# -- attributes and refusals -----------------------------------------------------------------------


def early(lib, value):
    class Early(lib.nn.Module):
        def __init__(self):
            self.part = value(lib)

    return Early()


def wrong_answer(lib, register):
    module = lib.nn.Linear(1, 1)
    getattr(module, register)(lambda *a: (1, 2, 3), **(
        {"with_kwargs": True} if register == "register_forward_pre_hook" else {}))  # fmt: skip
    module(lib.ones(1, 1, requires_grad=True)).sum().backward()


def reg(kind, name, value=lambda lib: None):
    return lambda lib: getattr(lib.nn.Linear(2, 2), f"register_{kind}")(name, value(lib))


REFUSALS = {
    "no forward": lambda lib: lib.nn.Module()(1),
    "unknown attribute": lambda lib: lib.nn.Linear(1, 1).what,
    "unknown deleted": lambda lib: delattr(lib.nn.Linear(1, 1), "what"),
    "parameter before init": lambda lib: early(lib, lambda lib: lib.nn.Parameter(lib.ones(1))),
    "module before init": lambda lib: early(lib, lambda lib: lib.nn.ReLU()),
    "tensor as parameter": lambda lib: setattr(lib.nn.Linear(1, 1), "weight", lib.ones(1, 1)),
    "module as parameter": lambda lib: setattr(lib.nn.Linear(1, 1), "bias", lib.nn.ReLU()),
    "number as module": lambda lib: setattr(lib.nn.Sequential(lib.nn.ReLU()), "0", 3),
    "number as buffer": lambda lib: setattr(lib.nn.BatchNorm1d(1), "running_mean", 3),
    "parameter name": reg("parameter", 3),
    "parameter dot": reg("parameter", "a.b"),
    "parameter empty": reg("parameter", ""),
    "parameter taken": reg("parameter", "forward"),
    "parameter kind": reg("parameter", "new", lambda lib: lib.ones(1)),
    "buffer name": reg("buffer", 3),
    "buffer dot": reg("buffer", "a.b"),
    "buffer empty": reg("buffer", ""),
    "buffer taken": reg("buffer", "weight"),
    "buffer kind": reg("buffer", "new", lambda lib: 3),
    "module name": reg("module", 3),
    "module dot": reg("module", "a.b"),
    "module empty": reg("module", ""),
    "module taken": reg("module", "weight"),
    "module kind": reg("module", "new", lambda lib: 3),
    "no submodule": lambda lib: net(lib).get_submodule("body.7"),
    "not a module": lambda lib: net(lib).get_submodule("body.0.weight"),
    "no parameter": lambda lib: net(lib).get_parameter("body.0.what"),
    "not a parameter": lambda lib: net(lib).get_parameter("body.1.seen"),
    "not a buffer": lambda lib: net(lib).get_buffer("body.0.weight"),
    "train mode": lambda lib: net(lib).train("yes"),
    "to integers": lambda lib: net(lib).to(lib.int64),
    "parameter of a list": lambda lib: lib.nn.Parameter([1.0]),
    "parameter of integers": lambda lib: lib.nn.Parameter(lib.tensor([1])),
    "pre hook's answer": lambda lib: wrong_answer(lib, "register_forward_pre_hook"),
    "backward hook's answer": lambda lib: wrong_answer(lib, "register_full_backward_hook"),
    "state dict kind": lambda lib: net(lib).load_state_dict([1]),
    "state dict value": lambda lib: lib.nn.PReLU().load_state_dict({"weight": 3}),
    "Sequential kind": lambda lib: lib.nn.Sequential(3),
    "Sequential dict": lambda lib: lib.nn.Sequential({"a": lib.nn.ReLU()}),
    "Sequential index": lambda lib: lib.nn.Sequential(lib.nn.ReLU())[1],
    "Sequential sum": lambda lib: lib.nn.Sequential().__add__([]),
    "Sequential insert": lambda lib: lib.nn.Sequential().insert(3, lib.nn.ReLU()),
    "Sequential insert kind": lambda lib: lib.nn.Sequential().insert(0, 3),
    "ModuleList kind": lambda lib: lib.nn.ModuleList([3]),
    "ModuleList number": lambda lib: lib.nn.ModuleList(3),
    "ModuleList index": lambda lib: lib.nn.ModuleList([lib.nn.ReLU()])[-2],
    "ModuleList call": lambda lib: lib.nn.ModuleList([lib.nn.ReLU()])(1),
    "ModuleDict kind": lambda lib: lib.nn.ModuleDict({"a": 3}),
    "ModuleDict number": lambda lib: lib.nn.ModuleDict(3),
    "ModuleDict key": lambda lib: lib.nn.ModuleDict()["a"],
    "ParameterList tensor": lambda lib: lib.nn.ParameterList(lib.ones(2)),
}


@pytest.mark.parametrize("key", REFUSALS)
def test_refusals(key):
    refused_alike(REFUSALS[key])


def test_an_attribute_moves_from_table_to_table():
    for lib in (mt, torch):
        m = lib.nn.Module()
        m.x = 1
        m.x = lib.nn.Parameter(lib.ones(2))
        assert list(m.state_dict()) == ["x"] and "x" not in m.__dict__
        m.y = lib.nn.ReLU()
        assert [n for n, _ in m.named_children()] == ["y"]
        m.y = None  # still a part, though absent
        assert m.y is None and "y" in m._modules
        m.y = lib.nn.Parameter(lib.ones(1))
        assert list(m.state_dict()) == ["x", "y"] and "y" not in m._modules
        m.x = m.y = None
        m.register_buffer("b", lib.zeros(1), persistent=False)
        m.b = lib.ones(1)
        assert float(m.b) == 1 and not m.state_dict() and len(list(m.buffers())) == 1
        m.plain = lib.ones(1)
        assert len(list(m.buffers())) == 1
        m.register_parameter("late", None)
        m.late = lib.nn.Parameter(lib.ones(1))
        assert list(m.state_dict()) == ["late"]


def test_a_parameter_is_a_tensor_and_its_results_are_plain():
    x = mt.ones(2)
    p = nn.Parameter(x)
    assert isinstance(p, mt.Tensor) and np.shares_memory(p.detach().numpy(), x.numpy())
    assert p.is_leaf and p.requires_grad and not nn.Parameter(x, requires_grad=False).requires_grad
    assert not nn.Parameter(mt.tensor([1]), False).requires_grad
    for made in (p + 1, p * p, p[0], p.T, p.view(2, 1), p.detach(), p.data, p.double(), p.clone()):
        assert type(made) is mt.Tensor
    (p * p).sum().backward()
    assert type(p.grad) is mt.Tensor
    with mt.no_grad():
        p -= 0.1 * p.grad
    assert type(p) is nn.Parameter and p.requires_grad
    for lib in (mt, torch):
        q = lib.nn.Parameter(lib.tensor([1.0, 2.0]))
        assert repr(q) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
        assert lib.nn.Parameter().shape == (0,)
        q.grad = lib.ones(2)
        assert copy.deepcopy(q).grad is None
        twin = copy.deepcopy({"a": q, "b": q})
        assert twin["a"] is twin["b"] is not q
        back = pickle.loads(pickle.dumps(q))
        assert type(back) is lib.nn.Parameter and back.tolist() == [1.0, 2.0]


# -- state dicts -----------------------------------------------------------------------------------


def from_torch(state):
    return {k: mt.from_numpy(v.numpy().copy()) for k, v in state.items()}


def test_pytorch_state_gives_pytorch_outputs():
    ours, theirs = both()
    torch.manual_seed(5)
    theirs.apply(lambda m: m.reset_parameters() if hasattr(m, "reset_parameters") else None)
    answer = ours.load_state_dict(from_torch(theirs.state_dict()))
    assert repr(answer) == "<All keys matched successfully>"
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    agree([numbers(ours(mt.tensor(x)))], [numbers(theirs(torch.tensor(x)))])


def test_state_shares_memory_and_is_detached():
    ours = net(mt)
    state = ours.state_dict()
    assert not any(t.requires_grad for t in state.values())
    state["head.weight"].fill_(3.0)
    assert ours.head.weight.unique().tolist() == [3.0]
    assert ours.state_dict(keep_vars=True)["head.weight"] is ours.head.weight


def states(lib):
    """State dicts that do not fit."""
    good = net(lib).state_dict()
    less = {k: v for k, v in good.items() if k not in ("head.weight", "body.1.seen")}
    wide = {**good, "head.weight": lib.zeros(2, 2), "body.0.bias": lib.zeros(4)}
    return [less, {**good, "more": lib.zeros(1)}, wide, {**less, "x.y": lib.zeros(1)}]


@pytest.mark.parametrize("case", range(4))
def test_what_does_not_fit_is_said_in_pytorchs_words(case):
    said = []
    for lib in (mt, torch):
        with pytest.raises(RuntimeError) as error:
            net(lib).load_state_dict(states(lib)[case])
        said.append(clean(str(error.value)))
    assert said[0] == said[1]


@pytest.mark.parametrize("case", [0, 1, 3])
def test_loading_what_fits(case):
    answers = [net(lib).load_state_dict(states(lib)[case], strict=False) for lib in (mt, torch)]
    assert repr(answers[0]) == repr(answers[1])
    assert answers[0].missing_keys == answers[1].missing_keys
    assert answers[0].unexpected_keys == answers[1].unexpected_keys


def test_a_shape_that_differs_is_never_loaded():
    ours = net(mt)
    before = ours.head.weight.tolist()
    with pytest.raises(RuntimeError, match=r"size mismatch for head\.weight"):
        ours.load_state_dict(states(mt)[2], strict=False)
    assert ours.head.weight.tolist() == before


def test_loading_copies_casts_and_keeps_the_parameter():
    ours = net(mt)
    kept, other = ours.head.weight, {k: v.double() + 1 for k, v in net(mt).state_dict().items()}
    ours.load_state_dict(other)
    assert ours.head.weight is kept and kept.dtype is mt.float32 and kept.requires_grad
    other["head.weight"].zero_()
    assert kept.abs().sum() > 0


def test_assign_takes_the_tensors_over():
    ours = net(mt)
    other = {k: v.double() + 1 for k, v in net(mt).state_dict().items()}
    ours.load_state_dict(other, assign=True)
    assert type(ours.head.weight) is nn.Parameter and ours.head.weight.dtype is mt.float64
    assert ours.head.weight.requires_grad and ours.count is other["count"]
    assert np.shares_memory(numbers(ours.body[1].scale), other["body.1.scale"].numpy())


# -- moving and casting ----------------------------------------------------------------------------

CASTS = {
    "double": lambda lib, m: m.double(),
    "half": lambda lib, m: m.half(),
    "float": lambda lib, m: m.double().float(),
    "to dtype": lambda lib, m: m.to(lib.float64),
    "to both": lambda lib, m: m.to("cpu", lib.float64),
    "to named": lambda lib, m: m.to(device="cpu", dtype=lib.float16),
    "to tensor": lambda lib, m: m.to(lib.zeros(1, dtype=lib.float64)),
    "to device": lambda lib, m: m.to(lib.device("cpu")),
    "type": lambda lib, m: m.type(lib.float64),
    "cpu": lambda lib, m: m.cpu(),
}


@pytest.mark.parametrize("key", CASTS)
def test_casts(key):
    dtypes = []
    for lib in (mt, torch):
        m = net(lib)
        m(lib.ones(2, 4)).sum().backward()
        kept = m.head.weight
        assert CASTS[key](lib, m) is m and m.head.weight is kept and kept.requires_grad
        tensors = [*m.parameters(), *m.buffers(), *(p.grad for p in m.parameters())]
        dtypes.append([clean(str(t.dtype)) for t in tensors])
    assert dtypes[0] == dtypes[1]


def test_to_a_device_and_back(device):
    m = net(mt)
    want = m(mt.ones(2, 4))
    want.sum().backward()
    grads = [numbers(p.grad) for p in m.parameters()]
    kept = m.head.weight
    m.to(device)
    tensors = [*m.parameters(), *m.buffers(), *(p.grad for p in m.parameters())]
    assert {t.device.type for t in tensors} == {mt.device(device).type}
    assert m.head.weight is kept and kept is m.again.weight
    m.zero_grad()
    got = m(mt.ones(2, 4).to(device))
    got.sum().backward()
    agree([numbers(got), *(numbers(p.grad) for p in m.parameters())], [numbers(want), *grads])
    m.load_state_dict(net(mt).state_dict())  # from the CPU
    assert m.cpu().head.weight.device.type == "cpu"


def test_zero_grad():
    for lib in (mt, torch):
        m = net(lib)
        m(lib.ones(2, 4)).sum().backward()
        m.zero_grad(set_to_none=False)
        assert all(float(p.grad.abs().sum()) == 0 for p in m.parameters())
        m.zero_grad()
        assert all(p.grad is None for p in m.parameters())


# -- hooks -----------------------------------------------------------------------------------------


def plain(value):
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    return value.tolist() if hasattr(value, "tolist") else value


def hooked(lib, *, inputs_need=True, answers=()):
    """What every hook of a Linear was given, and the gradients that came of it."""
    lib.manual_seed(0)
    m, seen = lib.nn.Linear(3, 2), []

    def note(kind, given, answer):
        seen.append((kind, plain(tuple(given))))
        return answer if kind in answers else None

    m.register_forward_pre_hook(lambda mod, args: note("pre", args, (args[0] * 2,)))
    m.register_forward_hook(lambda mod, args, out: note("forward", (*args, out), out + 1))
    m.register_full_backward_pre_hook(lambda mod, go: note("backward pre", go, (go[0] * 3,)))
    m.register_full_backward_hook(
        lambda mod, gi, go: note("backward", (*gi, *go), (gi[0] * 5,) if inputs_need else None)
    )
    x = lib.tensor([[1.0, -2.0, 0.5]]).requires_grad_(inputs_need)
    out = m(x)
    out.sum().backward()
    return seen, plain(tuple(t for t in (x.grad, m.weight.grad, m.bias.grad) if t is not None))


def close(got, want):
    if isinstance(want, tuple | list) and not isinstance(want, str):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            close(g, w)
    elif isinstance(want, float):
        assert got == pytest.approx(want, rel=1e-5)
    else:
        assert got == want


KINDS = ("pre", "forward", "backward pre", "backward")


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("inputs_need", [True, False])
@pytest.mark.parametrize(
    "answers", [c for n in range(5) for c in itertools.combinations(KINDS, n)], ids=str
)
def test_hooks(inputs_need, answers):
    found = [hooked(lib, inputs_need=inputs_need, answers=answers) for lib in (mt, torch)]
    close(*found)
    assert [kind for kind, _ in found[0][0]] == list(KINDS)


def test_hooks_of_modules_with_several_inputs_and_outputs():
    found = []
    for lib in (mt, torch):

        class Two(lib.nn.Module):
            def forward(self, a, n, b):
                return a * b, b * n

        two, seen = Two(), []
        two.register_full_backward_hook(lambda m, gi, go, seen=seen: seen.append(plain((*gi, *go))))
        a, b = lib.tensor([2.0]).requires_grad_(), lib.tensor([3.0]).requires_grad_()
        first, second = two(a, 4, b)
        (first + 2 * second).sum().backward()
        first, _ = two(a, 4, b)
        first.sum().backward()
        found.append([seen, plain(a.grad), plain(b.grad)])
    assert found[0] == found[1]


def test_hooks_with_keywords_order_and_removal():
    found = []
    for lib in (mt, torch):
        m, seen = net(lib), []

        def pre(mod, args, kwargs, seen=seen):
            seen.append(("pre", dict(kwargs)))
            return args, {"double": True}

        def after(mod, args, kwargs, out, seen=seen):
            seen.append(("after", dict(kwargs)))

        x = lib.ones(1, 4)
        once = m(x)
        handles = [
            m.register_forward_pre_hook(pre, with_kwargs=True),
            m.register_forward_hook(after, with_kwargs=True),
            m.register_forward_hook(lambda *a, seen=seen: seen.append("first"), prepend=True),
        ]
        twice = m(x)
        assert plain(twice) == pytest.approx(np.asarray(plain(once)) * 2)
        for handle in handles:
            handle.remove()
        assert plain(m(x)) == plain(once) and len(seen) == 3
        with m.register_forward_hook(lambda mod, args, out: out * 0):
            assert m(x).abs().sum().item() == 0
        assert plain(m(x)) == plain(once)
        found.append(seen)
    assert found[0] == found[1]


def test_a_hook_is_called_even_if_forward_fails():
    for lib in (mt, torch):
        m, seen = lib.nn.Linear(3, 2), []
        m.register_forward_hook(
            lambda mod, args, out, seen=seen: seen.append(out), always_call=True
        )
        m.register_forward_hook(lambda mod, args, out, seen=seen: seen.append("not this one"))
        with pytest.raises(RuntimeError):
            m(lib.ones(1, 4))
        assert seen == [None]


# -- containers ------------------------------------------------------------------------------------


def block(lib, n=3):
    return lib.nn.Linear(n, n)


def edited(lib, make):
    """A container after it was changed in every way that lists know."""
    c = make(lib, [block(lib, n) for n in (1, 2, 3, 4)])
    c.append(lib.nn.ReLU())
    c.extend([block(lib, 5), lib.nn.Tanh()])
    c.insert(1, lib.nn.GELU())
    c[2] = lib.nn.ELU()
    c[-1] = lib.nn.Identity()
    del c[0]
    del c[2:4]
    popped = c.pop(1)
    return [repr(c), repr(popped), repr(c[1:]), repr(c[-1]), len(c), list(c.state_dict())]


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_lists(kind):
    def make(lib, parts):
        made = getattr(lib.nn, kind)
        return made(*parts) if kind == "Sequential" else made(parts)

    assert edited(mt, make) == edited(torch, make)
    for lib in (mt, torch):
        a, b = make(lib, [block(lib)]), make(lib, [block(lib), lib.nn.ReLU()])
        assert len(a + b) == 3 and isinstance(a + b, type(a))
        a += b
        assert len(a) == 3 and a[1] is b[0]


def test_names_in_sequential():
    from collections import OrderedDict

    found = []
    for lib in (mt, torch):
        s = lib.nn.Sequential(OrderedDict(first=block(lib), act=lib.nn.ReLU(), last=block(lib)))
        assert s.act is s[1]
        part = s[1:]
        del s.act
        found.append([repr(s), repr(part), list(s.state_dict()), len(s)])
    assert found[0] == found[1]


@pytest.mark.parametrize("pattern", ["", "a", "aa", "aab", "abbaaa", "abc", "ccccc"])
def test_repr_of_module_lists(pattern):
    makers = {
        "a": block,
        "b": lambda lib: lib.nn.ReLU(),
        "c": lambda lib: lib.nn.Sequential(block(lib)),
    }
    found = [repr(lib.nn.ModuleList(makers[p](lib) for p in pattern)) for lib in (mt, torch)]
    assert found[0] == found[1]


def test_module_dict():
    found = []
    for lib in (mt, torch):
        d = lib.nn.ModuleDict({"a": block(lib), "b": lib.nn.ReLU()})
        d["c"] = lib.nn.Tanh()
        d.update([("d", block(lib, 2)), ("a", lib.nn.ELU())])
        d.update(lib.nn.ModuleDict({"e": lib.nn.ReLU()}))
        assert "a" in d and "z" not in d
        popped = d.pop("b")
        del d["c"]
        found.append([repr(d), repr(popped), list(d), len(d), list(d.keys()), repr(d["d"])])
        found[-1].append([repr(v) for v in d.values()] + [k for k, _ in d.items()])
        d.clear()
        assert len(d) == 0
    assert found[0] == found[1]


def test_parameter_containers():
    found = []
    for lib in (mt, torch):
        p = lib.nn.ParameterList([lib.ones(2, 3), lib.nn.Parameter(lib.ones(()), False)])
        p.append(lib.zeros(4))
        p.extend([lib.nn.Parameter(lib.ones(1))])
        assert all(isinstance(q, lib.nn.Parameter) for q in p)
        d = lib.nn.ParameterDict({"a": lib.ones(2, 3)})
        d["b"] = lib.nn.Parameter(lib.zeros(1))
        one = lib.nn.ParameterList([lib.ones(2)])
        texts = [clean(repr(x)) for x in (p, d, one, p[1:3])]
        found.append([*texts, list(p.state_dict()), list(d.state_dict()), len(p), len(d), "a" in d])
        assert [n for n, _ in d.items()] == ["a", "b"] and p[-1].tolist() == [1.0]
    assert found[0] == found[1]


def test_deep_copies_keep_what_is_shared():
    for lib in (mt, torch):
        m = net(lib)
        for twin in (copy.deepcopy(m),):
            assert twin.again is twin.head is not m.head
            assert repr(twin) == repr(m)
        m.register_forward_hook(lambda mod, args, out: out * 0)
        assert copy.deepcopy(m)(lib.ones(1, 4)).abs().sum().item() == 0  # hooks come along


# -- the same seed, the same training --------------------------------------------------------------


def image_net(lib):
    return lib.nn.Sequential(
        lib.nn.Conv2d(1, 4, 3, padding=1), lib.nn.BatchNorm2d(4), lib.nn.ReLU(),
        lib.nn.MaxPool2d(2), lib.nn.Flatten(), lib.nn.Linear(64, 5),
    )  # fmt: skip


def text_net(lib):
    class Text(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = lib.nn.Embedding(7, 6)
            self.rnn = lib.nn.LSTM(6, 8, batch_first=True)
            self.attend = lib.nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
            self.head = lib.nn.Linear(8, 5)

        def forward(self, x):
            out, _ = self.rnn(self.embed(x))
            return self.head(self.attend(out)[:, -1])

    return Text()


def losses_of(lib, make, x, y):
    """Ten steps of gradient descent, from the seed on."""
    lib.manual_seed(42)
    model, loss_of = make(lib), lib.nn.CrossEntropyLoss()
    x, y, losses = lib.tensor(x), lib.tensor(y), []
    for _ in range(10):
        loss = loss_of(model(x), y)
        model.zero_grad()
        loss.backward()
        lib.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        with lib.no_grad():
            for p in model.parameters():
                p -= 0.2 * p.grad
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("make", [image_net, text_net])
def test_training_gives_pytorchs_losses(make):
    rng = np.random.default_rng(3)
    y = rng.integers(0, 5, 12)
    image = rng.normal(size=(12, 1, 8, 8)).astype(np.float32)
    x = image if make is image_net else rng.integers(0, 7, (12, 6))
    ours, theirs = (losses_of(lib, make, x, y) for lib in (mt, torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert ours[-1] < 0.8 * ours[0]
