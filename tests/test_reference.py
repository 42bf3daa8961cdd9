"""The reference is what the package is: pages written anew, every name, every formula evaluated."""

import inspect
import re

import numpy as np
import pytest
from kit import formulas, reference
from test_names import SURFACE, find
from test_viz_symbols import Reader

import minitensor as mt

FILES = reference.files()
WITHOUT_EXAMPLES = ("cuda", "viz", "timing", "compat")  # these depend on the machine, or draw
ENTRIES = [
    (path, name)
    for what in reference.PAGES
    for path in what.holders
    for name in reference.public_names(path)
]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_shipped_page_is_what_would_be_written(path):
    assert path.read_text(encoding="utf-8") == FILES[path], "run `python -m kit.reference`"


def page_of(path):
    """The text of the page of a part of the package."""
    (what,) = [p for p in reference.PAGES if path in p.holders]
    return FILES[reference.HOME / what.file]


def named_on(path):
    """The names that the page of a part of the package has."""
    text = page_of(path)
    return set(re.findall(r"(?m)^### (\S+)$", text)) | set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("path", [h for h in SURFACE if "." not in h or h[0].islower()])
def test_every_promised_name_is_on_its_page(path):
    promised = {n for n in SURFACE[path].split() if not n.startswith("__")}
    modules = {n for n in promised if inspect.ismodule(getattr(find(mt, path), n))}
    if path.startswith("distributions."):
        return
    assert promised - modules - named_on(path) == set()


OUR_OWN = {"viz", "timing", "compat"}


@pytest.mark.parametrize("path", sorted({path for path, _ in ENTRIES} - OUR_OWN))
def test_no_name_that_both_libraries_have_is_left_out(path):
    torch = pytest.importorskip("torch")
    both = {n for n in dir(find(mt, path)) if hasattr(find(torch, path), n) and n[0] != "_"}
    imported = {n for n in both if not reference.ours(path, reference.fetched(find(mt, path), n))}
    known = {"": {"Function"}, "optim.lr_scheduler": {"Optimizer"}}.get(path, set())
    assert both - imported - {"Tensor", "name"} - known - named_on(path) == set()


def test_the_number_of_names():
    assert len(ENTRIES) > 900


@pytest.mark.parametrize("path", sorted({path for path, _ in ENTRIES} - set(WITHOUT_EXAMPLES)))
def test_every_entry_has_words_and_an_example(path):
    others = reference.same_as(path)
    for name in reference.public_names(path):
        entry = "\n".join(reference.entry(path, name))
        if name in others or not reference.is_documented(path, name):
            continue
        assert re.search(r"`\n\n[A-Z0-9`\-(].*[.)\w]\n", entry), entry
        in_lists = path == "Tensor" and f"### {name}\n" not in FILES[reference.HOME / "tensor.md"]
        assert in_lists or ">>> " in entry, entry


def test_nothing_on_a_page_belongs_to_one_machine():
    for path, text in FILES.items():
        assert not re.search(r" at 0x|PosixPath|<lambda>|/work/|/home/|nan nan", text), path


def test_links_lead_somewhere():
    for path in sorted(reference.HOME.glob("*.md")):
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            there = (path.parent / target).resolve()
            source = reference.COURSE / "sources" / f"{there.stem}.py"
            assert there.exists() or source.exists(), f"{path.name}: {target}"


def test_formulas_survive_markdown():
    """Markdown takes the backslash from before a sign of punctuation, and < begins a tag."""
    assert formulas.in_markdown(r"a \, b \\ c < d") == r"a \thinspace  b \cr  c \lt  d"
    for path, text in FILES.items():
        for tex in re.findall(r"(?m)^\$\$(.*)\$\$$", text):
            assert not re.search(r"\\[^A-Za-z]|[<>]|None", tex), f"{path.name}: {tex}"
            assert tex.count("{") == tex.count("}") and tex.count("$") == 0


# -- formulas mean what they say -------------------------------------------------------------------


def evaluated(tex, letters):
    """The value of a formula, or None where it has more in it than one value at a time."""
    try:
        return Reader(tex, letters).all()
    except (ValueError, KeyError, IndexError, TypeError):
        return None


def readable(path, name):
    """What an example gave, its formula and its derivatives, and the values of its letters."""
    shown = reference.example(path, name)
    if shown is None or not isinstance(shown[2], mt.Tensor):
        return None
    _, _, value, tape, letters = shown
    formula, slopes = formulas.formulas(value, tape, letters)
    values = {k: t.detach().numpy() for k, t in letters.items() if len(k) == 1}
    return value, formula, slopes, values, letters


def test_formulas_give_the_examples_values():
    right = 0
    for path, name in ENTRIES:
        made = readable(path, name) if path in reference.WITH_FORMULAS else None
        if made and made[1]:
            found = evaluated(made[1], made[3])
            if found is not None:
                right += 1
                want = made[0].detach().numpy()
                found = np.asarray(found, dtype=np.float64)
                found = (
                    found.reshape(want.shape)
                    if found.size == want.size
                    else np.broadcast_to(found, want.shape)
                )
                np.testing.assert_allclose(found, want, rtol=1e-3, atol=1e-6, err_msg=name)
    assert right > 100


def test_derivatives_give_the_engines_gradients():
    right = 0
    for path, name in ENTRIES:
        made = readable(path, name) if path in ("", "nn.functional") else None
        for letter, (tex, whole) in (made[2] if made else {}).items():
            values = dict(made[3])
            values["z" if "y" in made[2] else "y"] = made[0].detach().numpy()
            found = None if whole or len(letter) > 1 else evaluated(tex, values)
            if found is None:
                continue
            want = engines(path, name, letter)
            if want is not None:
                np.testing.assert_allclose(
                    np.broadcast_to(found, want.shape), want, 1e-3, 1e-5, err_msg=name
                )
                right += 1
    assert right > 60


def engines(path, name, letter):
    """The engine's gradient of the sum of an example's result, by one of its letters."""
    code = reference.example(path, name)[0]
    names = reference.names_of_setup()
    leaf = names[letter]
    if not leaf.is_floating_point():
        return None
    leaf.requires_grad_()
    mt.manual_seed(0)
    value, _, _ = formulas.run(code, names)
    return mt.autograd.grad(value.sum(), leaf)[0].numpy() if value.requires_grad else None


def test_a_sum_of_two_ways_and_what_was_repeated():
    x, b = mt.tensor([[1.0, 2.0], [3.0, 4.0]]), mt.tensor([1.0, 2.0])
    value, tape, letters = formulas.run("x * x + b", {"x": x, "b": b})
    formula, slopes = formulas.formulas(value, tape, letters)
    assert formula == "x^2 + b"
    assert slopes == {"x": ("x + x", False), "b": (r"\sum 1", False)}


def test_what_letters_would_hide_is_left_out():
    x = mt.tensor([1.0, 2.0])
    value, tape, letters = formulas.run("x[0] * x[1]", {"x": x})
    assert formulas.formulas(value, tape, letters) == ("", {})


# -- in PyTorch ------------------------------------------------------------------------------------

HERE_ONLY = {
    # In another place there, or about a file.
    "": "Function gradcheck gradgradcheck avg_pool2d load save",
    "Tensor": "grad_fn",  # prints its address there
    "autograd": "Function is_grad_enabled",
}


def in_pytorch(torch, code):
    """What an example prints in PyTorch, under PyTorch's own names."""
    names = {}
    setup = reference.SETUP.replace("import minitensor as mt", "import torch as mt")
    setup = setup.replace("minitensor", "torch").replace(", viz", "")
    exec(setup, names)
    torch.manual_seed(0)
    value, _, _ = formulas.run(code, names)
    return "" if value is None else repr(value).replace("torch.", "minitensor.")


@pytest.mark.parametrize("path", sorted({path for path, _ in ENTRIES} - OUR_OWN - {"cuda"}))
@pytest.mark.filterwarnings("ignore")
def test_an_example_prints_the_same_in_pytorch(path):
    torch = pytest.importorskip("torch")
    differing, text = [], page_of(path)
    for name in reference.public_names(path):
        shown = reference.example(path, name) if f"### {name}\n" in text else None
        if shown is None or name in HERE_ONLY.get(path, "").split():
            continue
        try:
            theirs = in_pytorch(torch, shown[0])
        except Exception as error:
            theirs = f"{type(error).__name__}: {error}"
        if theirs != shown[1]:
            differing.append((name, shown[1], theirs))
    assert differing == []
