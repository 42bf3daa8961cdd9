"""Programs written for PyTorch run unchanged: the same text under both prints the same."""

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import minitensor as mt
from minitensor import compat

HERE = Path(__file__).resolve().parent
PROGRAMS = sorted((HERE / "programs").glob("*.py"))


def start(*words, cwd=HERE):
    """A Python process at work, as soon as it is started."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *map(str, words)], cwd=cwd, **pipes)


def end(process):
    """What the process printed, its errors, and its exit status."""
    out, trouble = process.communicate(timeout=120)
    return out, trouble, process.returncode


def run(*words, cwd=HERE):
    return end(start(*words, cwd=cwd))


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_prints_what_pytorch_prints(program, tmp_path):
    """Without PyTorch it is only seen to run to its end."""
    folders = [tmp_path / "ours", tmp_path / "theirs"]
    for folder in folders:
        folder.mkdir()
    ours = start("-m", "minitensor", program, cwd=folders[0])
    theirs = find_spec("torch") and start(program, cwd=folders[1])
    got, trouble, status = end(ours)
    assert (status, trouble) == (0, "") and len(got.splitlines()) >= 8
    if theirs:
        assert (got, trouble, status) == end(theirs)


def test_main_arguments_and_neighbours(script):
    path = script(
        "import sys\nfrom neighbour import seven\nimport torch\n"
        "if __name__ == '__main__':\n    print(sys.argv[1:], seven, __file__)\n"
        "    print(torch.ones(1).double(), torch.Size([1]), torch.float16, type(torch.ones(1)))\n"
        "    sys.exit(3)\n"
    )
    path.with_name("neighbour.py").write_text("import torch\nseven = torch.tensor(7).item()\n")
    out, trouble, status = run("-m", "minitensor", path, "--lr", "0.1")
    assert (trouble, status) == ("", 3)
    assert out.splitlines() == [
        f"['--lr', '0.1'] 7 {path}",
        "tensor([1.], dtype=torch.float64) torch.Size([1]) torch.float16 <class 'torch.Tensor'>",
    ]


def test_an_error_shows_the_script_and_nothing_of_ours_before_it(script):
    path = script("import torch\n\ndef f():\n    return 1 / 0\n\nf()\n")
    out, trouble, status = run("-m", "minitensor", path)
    assert status == 1 and out == ""
    lines = trouble.splitlines()
    assert lines[0].startswith("Traceback") and lines[1] == f'  File "{path}", line 6, in <module>'
    assert "compat.py" not in trouble and lines[-1] == "ZeroDivisionError: division by zero"


LACKING = {
    "import torch.jit": ("ImportError", "torch.jit"),
    "import torch.nn.quantized": ("ImportError", "torch.nn.quantized"),
    "from torch import fft": ("ImportError", "torch.fft"),
    "from torch.nn import AdaptiveLogSoftmaxWithLoss":
        ("ImportError", "torch.nn.AdaptiveLogSoftmaxWithLoss"),
    "from torch.autograd import forward_ad": ("ImportError", "torch.autograd.forward_ad"),
    "import torchvision": ("ImportError", "torchvision"),
    "import torch; torch.svd_lowrank": ("AttributeError", "'svd_lowrank'"),
    "import torch; torch.linalg.svd": ("AttributeError", "'linalg'"),
}  # fmt: skip
TRY = """
for text in {}:
    try:
        exec(text)
        print("nothing")
    except Exception as error:
        print(f"{{type(error).__name__}}: {{error}}")
"""


def test_what_we_lack_says_so(script):
    out, trouble, _ = run("-m", "minitensor", script(TRY.format(list(LACKING))))
    assert trouble == ""
    for text, said in zip(LACKING, out.splitlines(), strict=True):
        kind, name = LACKING[text]
        assert said.startswith(f"{kind}: ") and name in said, text
        assert "course/reference/differences.md" in said, text


IMPORTS = """
import torch
import torch.nn as nn, torch.nn.functional as F, torch.optim as optim
import torch.autograd
import torch.optim.lr_scheduler
from torch import Tensor, tensor
from torch.autograd import Function, grad
from torch.autograd.functional import jacobian
from torch.distributions import Normal
from torch.nn import init, Parameter
from torch.nn.parameter import Parameter
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.data.dataset import Subset
import minitensor
assert torch is minitensor and nn is minitensor.nn and F is nn.functional
assert torch.autograd is minitensor.autograd and Tensor is minitensor.Tensor
assert torch.nn.Parameter is Parameter and torch.optim is optim
assert not torch.backends.mps.is_available()
assert torch.accelerator.is_available() == torch.cuda.is_available()
torch.set_num_threads(1)
print("found")
"""


def test_every_module_is_found(script):
    out, trouble, _ = run("-m", "minitensor", script(IMPORTS))
    assert (out, trouble) == ("found\n", "")


def test_install_and_uninstall_in_one_process(script):
    path = script(
        "from minitensor import compat\ncompat.install()\ncompat.install()\nimport torch\n"
        "print(repr(torch.float32), torch.__name__)\ncompat.uninstall()\n"
        "import minitensor, sys\nprint(repr(minitensor.float32), 'torch' in sys.modules)\n"
    )
    out, trouble, status = run(path)
    assert (out, trouble, status) == (
        "torch.float32 minitensor\nminitensor.float32 False\n", "", 0,
    )  # fmt: skip


def test_install_comes_too_late_after_the_real_one():
    pytest.importorskip("torch")
    with pytest.raises(RuntimeError, match="torch is imported already"):
        compat.install()
    assert repr(mt.float32) == "minitensor.float32"


def test_usage_and_a_script_that_is_not_there(script):
    out, _, status = run("-m", "minitensor")
    assert out.startswith("usage: python -m minitensor script.py") and status == 2
    assert run("-m", "minitensor", "--help")[2] == 0
    assert run("-m", "minitensor", "nowhere.py")[1:] == (
        "FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.py'\n", 2,
    )  # fmt: skip
    _, trouble, status = run("-m", "minitensor", script("x = = 1\n"))
    assert status == 2 and trouble.startswith("SyntaxError: invalid syntax")


def test_the_front_door_in_ordinary_use():
    import minitensor.nn.functional as F
    import minitensor.optim as optim
    from minitensor.nn import functional

    assert functional is F is mt.nn.functional and mt.optim is optim
    assert importlib.import_module("minitensor.utils.data").DataLoader is mt.utils.data.DataLoader
    assert callable(mt.save) and callable(mt.load) and mt.cuda.is_available() in (True, False)
    assert mt.distributions.Normal(0.0, 1.0).sample().shape == ()
    with pytest.raises(AttributeError, match=r"no attribute 'vmap'.*differences\.md"):
        mt.vmap


def test_importing_the_package_brings_no_more_than_is_needed():
    text = "import sys, minitensor; print([m for m in sys.modules if m.startswith('minitensor.')])"
    loaded = run("-c", text)[0]
    late = ("nn", "optim", "utils", "distributions", "serialization", "cuda", "compat", "viz")
    assert "minitensor.core" in loaded
    assert [m for m in late if f"'minitensor.{m}'" in loaded] == []
