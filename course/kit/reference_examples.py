"""Examples of the reference: what is written, by part of the package. What is printed is computed.

A name without a row is tried with the guesses of its part, in order; the first that runs is shown.
"""

from kit.reference_examples_nn import MODULES, NEURAL, TRAINING

SETUP = """
import io
import numpy as np
import minitensor as mt
import minitensor.nn.functional as F
from minitensor import autograd, distributions, nn, optim, viz
from minitensor.optim import lr_scheduler
from minitensor.utils import data

x = mt.tensor([0.2, 0.5, 0.9])
y = mt.tensor([1.0, 2.0, 3.0])
A = mt.tensor([[1.0, 2.0], [3.0, 4.0]])
B = mt.tensor([[5.0, 6.0], [7.0, 8.0]])
n = mt.tensor([3, 1, 2])
c = mt.tensor([True, False, True])
images = mt.arange(16.0).reshape(1, 1, 4, 4)
signal = mt.arange(6.0).reshape(1, 1, 6)
"""


def names_of_setup():
    """Fresh variables for one example."""
    names = {}
    exec(SETUP, names)
    return names


GUESSES = {
    "": ["mt.{name}(x)", "mt.{name}(x, y)", "mt.{name}(A, B)", "mt.{name}(n, 2)", "mt.{name}(n)",
         "mt.{name}(2, 3)", "mt.{name}()"],
    "Tensor": ["x.{name}()", "x.{name}"],
    "nn.functional": ["F.{name}(x)", "F.{name}(x, y)", "F.{name}(x, 0)", "F.{name}(images, 2)",
                      "F.{name}(signal, 2)"],
    "nn": ["nn.{name}()(x)", "nn.{name}(0)(x)", "nn.{name}()(x, y)", "nn.{name}(2)(images)",
           "nn.{name}(2)(signal)", "nn.{name}(1)(images)", "nn.{name}(1)(signal)"],
    "nn.init": ["nn.init.{name}(mt.zeros(2, 3))", "nn.init.{name}(mt.zeros(2, 3), 0.5)"],
    "optim": ["w = x.clone().requires_grad_()\noptimizer = optim.{name}([w], lr=0.1)\n"
              "(w * w).sum().backward()\noptimizer.step()\nw"],
    "utils.data": ["list(data.{name}(range(4)))"],
}  # fmt: skip

FUNCTIONS = {
    **{
        f"{kind}Tensor": f"mt.{kind}Tensor([1, 2])"
        for kind in "Bool Byte Char Double Float Half Int Long Short".split()
    },
    "Function": "class Twice(mt.Function):\n    @staticmethod\n    def forward(ctx, x):\n"
    "        return x * 2\n    @staticmethod\n    def backward(ctx, g):\n"
    "        return g * 2\nTwice.apply(x)",
    "Generator": "mt.rand(2, generator=mt.Generator().manual_seed(5))",
    "Size": "mt.Size([2, 3]).numel()",
    "Tensor": "isinstance(x, mt.Tensor)",
    "addcdiv": "mt.addcdiv(x, x, y, value=2)",
    "addcmul": "mt.addcmul(x, x, y, value=2)",
    "addmm": "mt.addmm(A, A, B)",
    "allclose": "mt.allclose(x, x + 1e-9)",
    "all": "mt.all(c)",
    "any": "mt.any(c)",
    "amax": "mt.amax(A, dim=1)",
    "amin": "mt.amin(A, dim=1)",
    "arange": "mt.arange(2, 10, 3)",
    "argsort": "mt.argsort(n)",
    "as_tensor": "mt.as_tensor(np.ones(2))",
    "avg_pool1d": "mt.avg_pool1d(signal, 2)",
    "avg_pool2d": "mt.avg_pool2d(images, 2)",
    "baddbmm": "mt.baddbmm(A, A[None], B[None])",
    "bernoulli": "mt.bernoulli(x)",
    "bincount": "mt.bincount(n)",
    "bitwise_and": "mt.bitwise_and(n, 1)",
    "bitwise_or": "mt.bitwise_or(n, 4)",
    "bitwise_xor": "mt.bitwise_xor(n, 1)",
    "bitwise_not": "mt.bitwise_not(n)",
    "bmm": "mt.bmm(A[None], B[None])",
    "broadcast_shapes": "mt.broadcast_shapes((3, 1), (4,))",
    "broadcast_tensors": "mt.broadcast_tensors(x, mt.zeros(2, 1))",
    "broadcast_to": "mt.broadcast_to(x, (2, 3))",
    "bucketize": "mt.bucketize(x, mt.tensor([0.0, 1.0]))",
    "cat": "mt.cat([x, y])",
    "chunk": "mt.chunk(y, 2)",
    "clamp": "mt.clamp(y, 1.5, 2.5)",
    "clamp_max": "mt.clamp_max(y, 2)",
    "clamp_min": "mt.clamp_min(y, 2)",
    "concat": "mt.concat([x, y])",
    "concatenate": "mt.concatenate([x, y])",
    "default_generator": "mt.default_generator is mt.manual_seed(0)",
    "conv1d": "mt.conv1d(signal, mt.ones(1, 1, 2))",
    "conv2d": "mt.conv2d(images, mt.ones(1, 1, 2, 2))",
    "conv_transpose2d": "mt.conv_transpose2d(A[None, None], mt.ones(1, 1, 2, 2))",
    "cov": "mt.cov(mt.stack([x, y]))",
    "cumprod": "mt.cumprod(y, 0)",
    "cumsum": "mt.cumsum(y, 0)",
    "detach": "mt.detach(x.requires_grad_())",
    "device": "mt.device('cuda:0')",
    "diag": "mt.diag(y)",
    "diag_embed": "mt.diag_embed(y)",
    "diagonal": "mt.diagonal(A)",
    "dtype": "mt.float64.itemsize",
    "einsum": "mt.einsum('ij,jk->ik', A, B)",
    "empty": "mt.empty(2, 3).shape",
    "empty_like": "mt.empty_like(A).shape",
    "enable_grad": "w = x.requires_grad_()\nwith mt.no_grad(), mt.enable_grad():\n"
    "    z = w * 2\nz.requires_grad",
    "eye": "mt.eye(2)",
    "flatten": "mt.flatten(A)",
    "flip": "mt.flip(y, (0,))",
    "from_dlpack": "mt.from_dlpack(np.arange(3.0))",
    "from_numpy": "mt.from_numpy(np.arange(3.0))",
    "full": "mt.full((2, 3), 7.0)",
    "full_like": "mt.full_like(x, 7)",
    "gather": "mt.gather(A, 1, mt.tensor([[0], [1]]))",
    "get_rng_state": "mt.get_rng_state().shape",
    "gradcheck": "mt.gradcheck(mt.sin, x.double().requires_grad_())",
    "gradgradcheck": "mt.gradgradcheck(mt.sin, x.double().requires_grad_())",
    "histc": "mt.histc(x, bins=2, min=0, max=1)",
    "histogram": "mt.histogram(x, 2).hist",
    "hstack": "mt.hstack([x, y])",
    "index_add": "mt.index_add(x, 0, mt.tensor([0, 0]), mt.ones(2))",
    "index_select": "mt.index_select(y, 0, mt.tensor([2, 0]))",
    "inference_mode": "with mt.inference_mode():\n    z = x.requires_grad_() * 2\nz.requires_grad",
    "initial_seed": "mt.initial_seed()",
    "is_floating_point": "mt.is_floating_point(x)",
    "is_tensor": "mt.is_tensor(x)",
    "isin": "mt.isin(n, mt.tensor([1, 3]))",
    "isclose": "mt.isclose(x, x + 1e-9)",
    "lerp": "mt.lerp(x, y, 0.5)",
    "linspace": "mt.linspace(0, 1, 5)",
    "logspace": "mt.logspace(0, 2, 3)",
    "log_softmax": "mt.log_softmax(x, 0)",
    "logical_and": "mt.logical_and(c, ~c)",
    "logical_or": "mt.logical_or(c, ~c)",
    "logical_xor": "mt.logical_xor(c, c)",
    "logical_not": "mt.logical_not(c)",
    "logsumexp": "mt.logsumexp(x, 0)",
    "manual_seed": "g = mt.manual_seed(42)\nmt.rand(2)",
    "masked_fill": "mt.masked_fill(y, c, 0)",
    "masked_select": "mt.masked_select(y, c)",
    "matmul": "mt.matmul(A, B)",
    "max_pool1d": "mt.max_pool1d(signal, 2)",
    "max_pool2d": "mt.max_pool2d(images, 2)",
    "max": "mt.max(A, dim=1)",
    "min": "mt.min(A, dim=1)",
    "median": "mt.median(A, dim=1)",
    "meshgrid": "mt.meshgrid(x, y, indexing='ij')[0].shape",
    "movedim": "mt.movedim(images, 0, -1).shape",
    "multinomial": "mt.multinomial(x, 2)",
    "mv": "mt.mv(A, y[:2])",
    "narrow": "mt.narrow(y, 0, 1, 2)",
    "no_grad": "with mt.no_grad():\n    z = x.requires_grad_() * 2\nz.requires_grad",
    "nonzero": "mt.nonzero(c)",
    "normal": "mt.normal(0.0, 1.0, (3,))",
    "ones": "mt.ones(2, 3)",
    "permute": "mt.permute(images, (0, 2, 3, 1)).shape",
    "pow": "mt.pow(y, 2)",
    "promote_types": "mt.promote_types(mt.int64, mt.float32)",
    "quantile": "mt.quantile(y, 0.5)",
    "randint": "mt.randint(0, 10, (5,))",
    "randint_like": "mt.randint_like(x, 10)",
    "randperm": "mt.randperm(5)",
    "repeat_interleave": "mt.repeat_interleave(n, 2)",
    "reshape": "mt.reshape(A, (4,))",
    "roll": "mt.roll(y, 1)",
    "round": "mt.round(x)",
    "scatter": "mt.scatter(x, 0, mt.tensor([2, 0]), y[:2])",
    "scatter_add": "mt.scatter_add(x, 0, mt.tensor([2, 2]), y[:2])",
    "searchsorted": "mt.searchsorted(mt.tensor([1.0, 3.0, 5.0]), mt.tensor([3.0, 6.0]))",
    "seed": "type(mt.seed())",
    "select": "mt.select(A, 0, 1)",
    "set_default_device": "mt.set_default_device(None)",
    "set_default_dtype": "mt.set_default_dtype(mt.float64)\nz = mt.tensor(1.0).dtype\n"
    "mt.set_default_dtype(mt.float32)\nz",
    "set_grad_enabled": "with mt.set_grad_enabled(False):\n    z = x.requires_grad_() * 2\n"
    "z.requires_grad",
    "set_printoptions": "mt.set_printoptions(precision=2)\nz = repr(x)\n"
    "mt.set_printoptions(profile='default')\nz",
    "set_rng_state": "state = mt.get_rng_state()\nz = mt.rand(1)\nmt.set_rng_state(state)\n"
    "mt.equal(mt.rand(1), z)",
    "softmax": "mt.softmax(x, 0)",
    "sort": "mt.sort(n)",
    "split": "mt.split(y, 2)",
    "split_with_sizes": "mt.split_with_sizes(y, [1, 2])",
    "squeeze": "mt.squeeze(signal).shape",
    "stack": "mt.stack([x, y])",
    "t": "mt.t(A)",
    "take_along_dim": "mt.take_along_dim(y, n - 1)",
    "tensor": "mt.tensor([[1, 2], [3, 4]])",
    "tensordot": "mt.tensordot(A, B, 1)",
    "tile": "mt.tile(n, (2,))",
    "topk": "mt.topk(y, 2)",
    "trace": "mt.trace(A)",
    "transpose": "mt.transpose(A, 0, 1)",
    "tril": "mt.tril(A)",
    "triu": "mt.triu(A)",
    "unbind": "mt.unbind(A)",
    "unflatten": "mt.unflatten(signal, 2, (2, 3)).shape",
    "unique": "mt.unique(mt.tensor([2, 1, 2]))",
    "unsqueeze": "mt.unsqueeze(x, 0)",
    "vstack": "mt.vstack([x, y])",
    "where": "mt.where(c, x, y)",
    "zeros": "mt.zeros(2, 3)",
    "save": "file = io.BytesIO()\nmt.save({'w': x}, file)\nz = file.seek(0)\nmt.load(file)",
    "load": "file = io.BytesIO()\nmt.save([x, 'text', 3], file)\nz = file.seek(0)\nmt.load(file)",
}

METHODS = {
    "T": "A.T",
    "mT": "A.mT",
    "backward": "w = x.requires_grad_()\n(w * w).sum().backward()\nw.grad",
    "bernoulli_": "x.bernoulli_(0.5)",
    "copy_": "x.copy_(y)",
    "cuda": "y.is_cuda",
    "data_ptr": "A.data_ptr() == A[0].data_ptr()",
    "expand": "x.expand(2, 3)",
    "expand_as": "x.expand_as(mt.zeros(2, 3))",
    "exponential_": "x.exponential_()",
    "fill_": "x.fill_(7)",
    "grad": "w = x.requires_grad_()\nw.sum().backward()\nw.grad",
    "grad_fn": "(x.requires_grad_() * 2).grad_fn",
    "is_leaf": "(x.requires_grad_() * 2).is_leaf",
    "item": "y[1].item()",
    "new_empty": "x.new_empty(2).shape",
    "new_full": "x.new_full((2,), 7)",
    "new_ones": "x.new_ones(2)",
    "new_tensor": "x.new_tensor([1, 2])",
    "new_zeros": "x.new_zeros(2)",
    "pin_memory": "x.is_pinned()",
    "random_": "n.random_(10)",
    "register_hook": "w = x.requires_grad_()\nhandle = w.register_hook(lambda g: g * 10)\n"
    "w.sum().backward()\nw.grad",
    "repeat": "n.repeat(2)",
    "requires_grad": "x.requires_grad",
    "reshape_as": "A.reshape_as(mt.zeros(4))",
    "retain_grad": "z = x.requires_grad_() * 2\nz.retain_grad()\nz.sum().backward()\nz.grad",
    "retains_grad": "(x.requires_grad_() * 2).retains_grad",
    "squeeze_": "signal.squeeze_()",
    "t_": "A.t_()",
    "to": "n.to(mt.float64)",
    "transpose_": "A.transpose_(0, 1)",
    "type_as": "n.type_as(x)",
    "unsqueeze_": "x.unsqueeze_(0)",
    "view": "A.view(4)",
    "view_as": "A.view_as(mt.zeros(4))",
}
EXAMPLES = {"": FUNCTIONS, "Tensor": METHODS, "nn.functional": NEURAL, **MODULES, **TRAINING}

# For what has no docstring of its own: the attributes of a tensor.
WORDS = {
    "T": "The transpose of a matrix; a view.",
    "data": "The same memory without the history, as `detach`; writes to it are not noticed.",
    "device": "Where the tensor lives.",
    "dtype": "The type of its elements.",
    "grad": "The gradient that `backward` has added up, or None.",
    "grad_fn": "The recorded step that made it, or None for a leaf.",
    "is_cuda": "Whether it lives on a GPU.",
    "is_leaf": "Whether it was made by you, and not by a recorded step.",
    "itemsize": "Bytes an element.",
    "mT": "The last two dimensions swapped; a view.",
    "nbytes": "Bytes of all elements.",
    "ndim": "The number of dimensions.",
    "requires_grad": "Whether steps with it are recorded.",
    "retains_grad": "Whether `backward` keeps its gradient though it is not a leaf.",
    "shape": "Its sizes.",
}
