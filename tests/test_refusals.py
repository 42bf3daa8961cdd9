"""What PyTorch refuses, minitensor refuses: by the same class, and in words that name the trouble.

Each line: a call, the class of its error, a word that the message must hold ("-": any message).
Where PyTorch is installed, the classes are held against it.
"""

import contextlib
import copy
import io
import warnings

import numpy as np
import pytest

import minitensor as mt

REFUSED = """
L.tensor([[1], [2, 3]]) | ValueError | length
L.tensor("abc") | TypeError | str
L.tensor([None]) | RuntimeError | NoneType
L.tensor({}) | RuntimeError | dict
L.tensor([1, "a"]) | TypeError | str
L.tensor(2**70) | ValueError | -
L.tensor([300], dtype=L.uint8) | RuntimeError | overflow
L.tensor([1], requires_grad=True) | RuntimeError | floating
L.tensor([1.0], dtype=3) | TypeError | dtype
L.tensor([1.0], device="gpu") | RuntimeError | device
L.tensor([1.0], device=[]) | TypeError | device
L.tensor() | TypeError | data
L.tensor([1.0], foo=1) | TypeError | foo
L.as_tensor("a") | TypeError | str
L.from_numpy([1.0]) | TypeError | ndarray
L.from_numpy(np.ones(2)[::-1]) | ValueError | stride
L.from_numpy(np.array(["a"])) | TypeError | type
L.from_numpy(np.ones(2, complex)[:0].astype("U1")) | TypeError | type
L.zeros(-1) | RuntimeError | -1
L.zeros("a") | TypeError | size
L.zeros(2.0) | TypeError | size
L.zeros() | TypeError | size
L.zeros(2, dtype=5) | TypeError | dtype
L.zeros(2, device="nowhere") | RuntimeError | nowhere
L.ones((2, "a")) | TypeError | size
L.full((2,), "a") | TypeError | fill_value
L.full((2,)) | TypeError | fill_value
L.full((2,), [1]) | TypeError | fill_value
L.eye(-1) | RuntimeError | n
L.eye("a") | TypeError | n
L.eye(2.5) | TypeError | n
L.arange(1, 0) | RuntimeError | step
L.arange(0, 1, 0) | RuntimeError | step
L.arange("a") | TypeError | end
L.arange() | TypeError | end
L.arange(float("inf")) | RuntimeError | range
L.linspace(0, 1, -1) | RuntimeError | steps
L.linspace(0, 1, 2.5) | TypeError | steps
L.linspace(0, 1) | TypeError | steps
L.linspace("a", 1, 3) | TypeError | start
L.zeros_like(2) | TypeError | input
L.ones_like([1.0]) | TypeError | input
L.full_like(x, "a") | TypeError | fill_value
L.empty_like(None) | TypeError | input
L.tril_indices(-1, 2) | RuntimeError | row
L.tril_indices(2, "a") | TypeError | col
L.rand(-1) | RuntimeError | -1
L.rand("a") | TypeError | size
L.randn(2, dtype=L.int64) | NotImplementedError | -
L.randint(5, 2, (2,)) | RuntimeError | -
L.randint("a", (2,)) | TypeError | high
L.randint(0, 5) | TypeError | size
L.randperm(-1) | RuntimeError | n
L.randperm("a") | TypeError | n
L.randperm(2.5) | TypeError | n
L.normal(0.0, -1.0, (2,)) | RuntimeError | std
L.normal("a", 1.0) | TypeError | mean
L.bernoulli(x + 1) | RuntimeError | -
L.bernoulli(i) | NotImplementedError | -
L.bernoulli(2) | TypeError | input
L.multinomial(-v, 1) | RuntimeError | -
L.multinomial(v, 0) | RuntimeError | n_sample
L.multinomial(v, 10) | RuntimeError | -
L.multinomial(x[None], 1) | RuntimeError | -
L.multinomial(i, 1) | RuntimeError | -
L.manual_seed("a") | ValueError | -
L.manual_seed(2**80) | ValueError | -
L.rand(2, generator=3) | TypeError | generator
L.add(x) | TypeError | other
L.add("a", x) | TypeError | input
L.add(x, "a") | TypeError | other
L.add(x, None) | TypeError | other
L.add(x, [1.0]) | TypeError | other
L.add(x, L.ones(4)) | RuntimeError | size
L.add(x, 1, alpha="a") | TypeError | alpha
L.add(i, 1, alpha=0.5) | RuntimeError | alpha
L.sub(b, b) | RuntimeError | bool
L.sub(x, "a") | TypeError | other
L.mul(x, "a") | TypeError | other
L.mul(x, L.ones(2, 2)) | RuntimeError | size
L.div(x, "a") | TypeError | other
L.div(x, 2, rounding_mode="up") | RuntimeError | rounding_mode
L.floor_divide(x, "a") | TypeError | other
L.remainder(x, None) | TypeError | other
L.remainder(i, 0) | RuntimeError | -
L.floor_divide(i, 0) | RuntimeError | -
i // 0 | RuntimeError | -
i % 0 | RuntimeError | -
i // L.tensor(0) | RuntimeError | -
i % L.tensor([0, 1, 2]) | RuntimeError | -
L.pow(x, "a") | TypeError | exponent
L.pow(2, 3) | TypeError | input
L.pow(i, -1) | RuntimeError | negative
L.pow("a", x) | TypeError | -
x ** "a" | TypeError | -
x + "a" | TypeError | -
"a" + x | TypeError | -
x - None | TypeError | -
x * [1.0] | TypeError | -
x @ 2 | TypeError | -
2 @ x | TypeError | -
x < "a" | TypeError | -
x >= None | TypeError | -
x & 1 | NotImplementedError | -
x | x | NotImplementedError | -
~x | TypeError | -
b - b | RuntimeError | bool
1.5 - b | RuntimeError | bool
b - 1 | RuntimeError | bool
b - True | RuntimeError | bool
-b | RuntimeError | bool
L.neg(b) | RuntimeError | bool
L.neg("a") | TypeError | input
L.abs("a") | TypeError | input
L.sign("a") | TypeError | input
L.exp("a") | TypeError | input
L.exp(2.0) | TypeError | input
L.exp() | TypeError | input
L.exp(x, x) | TypeError | -
L.sqrt([4.0]) | TypeError | input
L.log(None) | TypeError | input
L.sin(3) | TypeError | input
L.sigmoid("a") | TypeError | input
L.tanh({}) | TypeError | input
L.relu(b) | RuntimeError | bool
L.relu(2.0) | TypeError | input
L.round(x, decimals="a") | TypeError | decimals
L.round("a") | TypeError | input
L.clamp(x) | RuntimeError | min
L.clamp("a") | TypeError | input
L.clamp(x, min="a") | TypeError | min
L.clamp(x, max=[1]) | TypeError | max
L.clamp_min(x, "a") | TypeError | min
L.clamp(x, min=L.ones(4)) | RuntimeError | size
x.clamp("a") | TypeError | min
L.maximum(x, 2) | TypeError | other
L.maximum(2, x) | TypeError | input
L.minimum(x, L.ones(4)) | RuntimeError | size
L.max(x, 5) | IndexError | range
L.max("a") | TypeError | input
L.max(x, "a") | TypeError | dim
L.max(L.zeros(0)) | RuntimeError | dim
L.min(L.zeros(0)) | RuntimeError | dim
L.min(x, dim=0.5) | TypeError | dim
L.where(x, x, x) | RuntimeError | condition
L.where(1, x, x) | TypeError | condition
L.where(x > 0, "a", x) | TypeError | -
L.where(x > 0, x, L.ones(7)) | RuntimeError | size
L.atan2(x, 1) | TypeError | other
L.lerp(x, x, "a") | TypeError | weight
L.lerp(x, 2, 0.5) | TypeError | end
L.lerp(x, x.double(), 0.5) | RuntimeError | dtype
L.addcmul(x, 2, x) | TypeError | tensor1
L.addcmul(x, x, x, value="a") | TypeError | value
L.addcdiv(i, i, i) | RuntimeError | nteger
L.eq("a", x) | TypeError | input
L.eq(x, "a") | TypeError | other
L.isnan(2.0) | TypeError | input
L.isclose(x, 2.0) | TypeError | other
L.isclose(x, x.double()) | RuntimeError | dtype
L.isclose(x, x, rtol=-1) | RuntimeError | rtol
L.allclose(x, [1.0]) | TypeError | other
L.allclose(x, x.double()) | RuntimeError | dtype
L.equal(x, 1) | TypeError | other
L.logical_and(x, True) | TypeError | other
L.logical_not(True) | TypeError | input
L.sum() | TypeError | input
L.sum(None) | TypeError | input
L.sum("a") | TypeError | input
L.sum([1.0]) | TypeError | input
L.sum(x, 5) | IndexError | range
L.sum(x, "a") | TypeError | dim
L.sum(x, 0.5) | TypeError | dim
L.sum(x, (0, 0)) | RuntimeError | 0
L.sum(x, dim=0, keepdim="a") | TypeError | keepdim
L.sum(x, 0, dtype="a") | TypeError | dtype
L.mean(i) | RuntimeError | dtype
L.mean(x, 7) | IndexError | range
L.mean("a") | TypeError | input
L.mean(b) | RuntimeError | dtype
L.prod(x, (0, 1)) | TypeError | dim
L.prod("a") | TypeError | input
L.var(i) | RuntimeError | dtype
L.var(x, 9) | IndexError | range
L.std("a") | TypeError | input
L.norm(i) | RuntimeError | floating
L.norm(x, p="nuclear") | RuntimeError | -
L.amax(x, 4) | IndexError | range
L.amax(L.zeros(0)) | RuntimeError | dim
L.amin(x, "a") | TypeError | dim
L.argmax(L.zeros(0)) | IndexError | dim
L.argmax(x, 3) | IndexError | range
L.argmax(b) | RuntimeError | -
L.argmin("a") | TypeError | input
L.all(x, 4) | IndexError | range
L.any("a") | TypeError | input
L.logsumexp(x) | TypeError | dim
L.logsumexp(x, 3) | IndexError | range
L.softmax(x) | TypeError | dim
L.softmax(x, 3) | IndexError | range
L.softmax(i, 0) | NotImplementedError | -
L.softmax("a", 0) | TypeError | input
L.softmax(x, "a") | TypeError | dim
L.log_softmax(i, 0) | NotImplementedError | -
L.cumsum(x) | TypeError | dim
L.cumsum(x, 3) | IndexError | range
L.cumsum("a", 0) | TypeError | input
L.cumprod(x, 4) | IndexError | range
L.median(x, 4) | IndexError | range
L.median("a") | TypeError | input
L.count_nonzero("a") | TypeError | input
L.quantile(x, 2.0) | RuntimeError | range
L.quantile(i, 0.5) | RuntimeError | -
L.quantile(x, "a") | TypeError | q
L.quantile(x, 0.5, interpolation="a") | RuntimeError | interpolation
L.cov(L.ones(2, 2, 2)) | RuntimeError | dim
L.bincount(x) | NotImplementedError | -
L.bincount(-i) | RuntimeError | -
L.bincount(L.tensor([-1])) | RuntimeError | negative
L.histc(x, bins=0) | RuntimeError | bins
L.histc(x, min=2, max=1) | RuntimeError | max
L.histogram(x, "a") | TypeError | -
x.reshape(4) | RuntimeError | size
x.reshape(-1, -1) | RuntimeError | inferred
x.reshape("a") | TypeError | shape
x.reshape() | TypeError | shape
x.view(4) | RuntimeError | size
x.view(2.0) | TypeError | -
x.T.view(6) | RuntimeError | view
L.reshape("a", (1,)) | TypeError | input
L.flatten(x, 5) | IndexError | range
L.flatten(x, 1, 0) | RuntimeError | start_dim
L.flatten("a") | TypeError | input
L.permute(x, (0,)) | RuntimeError | dim
L.permute(x, (0, 0)) | RuntimeError | -
L.permute(x, (0, 5)) | IndexError | range
L.permute(x, "a") | TypeError | dims
L.transpose(x, 0, 5) | IndexError | range
L.transpose(x, 0) | TypeError | dim1
L.transpose(x, "a", 0) | TypeError | dim0
L.t(L.ones(1, 1, 1)) | RuntimeError | -
L.unsqueeze(x, 7) | IndexError | range
L.unsqueeze(x) | TypeError | dim
L.unsqueeze(x, "a") | TypeError | dim
L.squeeze(x, 7) | IndexError | range
L.squeeze("a") | TypeError | input
x.expand(4, 3) | RuntimeError | size
x.expand(3) | RuntimeError | -
x.expand("a") | TypeError | size
L.broadcast_to(x, (4, 3)) | RuntimeError | size
L.movedim(x, 0, 7) | IndexError | range
L.movedim(x, (0, 1), 0) | TypeError | -
L.unflatten(x, 0, (3, 3)) | RuntimeError | -
L.cat([]) | ValueError | non-empty
L.cat([1.0]) | TypeError | tensors
L.cat(x) | TypeError | tensors
L.cat(5) | TypeError | tensors
L.cat([x, L.ones(4)]) | RuntimeError | dim
L.cat([x, L.ones(2, 4)]) | RuntimeError | Sizes
L.cat([x, x], 5) | IndexError | range
L.cat([x, x], "a") | TypeError | dim
L.cat([x, None]) | TypeError | tensors
L.stack([]) | RuntimeError | non-empty
L.stack([x, L.ones(3)]) | RuntimeError | size
L.stack([x, x], 9) | IndexError | range
L.stack(3) | TypeError | tensors
L.stack([x, 1]) | TypeError | tensors
L.hstack([x, 1]) | TypeError | tensors
L.vstack(3) | TypeError | tensors
L.split(x, -1) | RuntimeError | split_size
L.split(x, "a") | TypeError | size
L.split(x, [1, 5]) | RuntimeError | -
L.split(x, 1, 7) | IndexError | range
L.chunk(x, 0) | RuntimeError | chunks
L.chunk(x, "a") | TypeError | chunks
L.chunk("a", 2) | TypeError | input
L.unbind(x, 8) | IndexError | range
L.unbind(L.tensor(1.0)) | IndexError | dim
L.narrow(x, 0, 5, 1) | IndexError | start
L.narrow(x, 0, 0, 9) | RuntimeError | length
L.narrow(x, 9, 0, 1) | IndexError | range
L.select(x, 0, 9) | IndexError | index
L.select(x, 9, 0) | IndexError | range
L.select(x, 0, "a") | TypeError | index
L.flip(x, "a") | TypeError | dims
L.roll(x, "a") | TypeError | ints
L.roll(x, 1, 9) | IndexError | range
L.roll(x, (1, 2), 0) | RuntimeError | -
L.tril(v) | RuntimeError | -
L.triu("a") | TypeError | input
L.tril(x, "a") | TypeError | diagonal
L.diag(L.ones(1, 1, 1)) | RuntimeError | -
L.diagonal(x, 0, 1, 1) | RuntimeError | dim
L.diagonal(v) | IndexError | -
L.diag_embed(v, dim1=0, dim2=0) | RuntimeError | dim
x.repeat("a") | TypeError | -
x.repeat(2) | RuntimeError | -
x.repeat(-1, 1) | RuntimeError | -
L.tile(x, "a") | TypeError | dims
L.meshgrid(x, x) | RuntimeError | -
L.meshgrid(v, v, indexing="zz") | RuntimeError | indexing
L.atleast_1d("a") | TypeError | -
L.gather(x, 0, v) | RuntimeError | index
L.gather(x, 0, L.tensor([[9]])) | RuntimeError | index
L.gather(x, 5, L.tensor([[0]])) | IndexError | range
L.gather(x, 0, L.tensor([0])) | RuntimeError | index
L.gather(x, 0, [[0]]) | TypeError | index
L.gather(x, "a", L.tensor([[0]])) | TypeError | dim
L.scatter(x, 0, L.tensor([[9]]), 1.0) | RuntimeError | index
L.scatter(x, 0, L.tensor([[0]]), "a") | TypeError | -
L.scatter(x, 0, L.tensor([[0]])) | TypeError | -
L.scatter_add(x, 0, L.tensor([[0]]), L.tensor([[1]])) | RuntimeError | dtype
L.scatter_add(x, 0, L.tensor([[5]]), x) | RuntimeError | index
L.index_select(x, 0, L.tensor([5])) | IndexError | index
L.index_select(x, 0, L.tensor([[0]])) | IndexError | ndex
L.index_select(x, 0, v) | RuntimeError | index
L.index_select(x, 9, L.tensor([0])) | IndexError | range
L.index_select(x, 0, [0]) | TypeError | index
L.index_add(x, 0, L.tensor([0]), x) | RuntimeError | source
L.index_add(x, 0, L.tensor([7]), x[:1]) | RuntimeError | index
L.masked_fill(x, x, 1.0) | RuntimeError | mask
L.masked_fill(x, b, "a") | TypeError | value
L.masked_fill(x, x > 0, L.ones(2)) | RuntimeError | value
L.masked_fill(x, [True], 1.0) | TypeError | mask
L.masked_select(x, v) | RuntimeError | mask
L.masked_select(x, L.ones(9) > 0) | RuntimeError | hape
L.take_along_dim(x, v, 0) | RuntimeError | -
L.nonzero("a") | TypeError | input
L.sort(x, 5) | IndexError | range
L.sort("a") | TypeError | input
L.argsort(x, 5) | IndexError | range
L.topk(x, 9) | RuntimeError | k
L.topk(x, 1, 9) | IndexError | range
L.topk(x, "a") | TypeError | k
L.topk(x, -1) | RuntimeError | k
L.unique("a") | TypeError | -
L.repeat_interleave(x, -1) | RuntimeError | epeats
L.repeat_interleave(x, "a") | TypeError | repeats
L.matmul(x, x) | RuntimeError | shapes
L.matmul(x, 2) | TypeError | other
L.matmul(2, x) | TypeError | input
L.matmul(x, L.tensor(1.0)) | RuntimeError | 1D
L.matmul(x, x.double().T) | RuntimeError | dtype
L.matmul(i, v) | RuntimeError | dtype
L.mm(x, v) | RuntimeError | -
L.mm(x, x) | RuntimeError | shapes
L.mm(x, "a") | TypeError | mat2
L.bmm(x, x) | RuntimeError | -
L.bmm(L.ones(2, 2, 2), L.ones(3, 2, 2)) | RuntimeError | batch
L.mv(x, x) | RuntimeError | -
L.mv(x, L.ones(7)) | RuntimeError | -
L.dot(x, x) | RuntimeError | -
L.dot(v, L.ones(7)) | RuntimeError | -
L.dot(v, i) | RuntimeError | dtype
L.dot(v, 2) | TypeError | tensor
L.outer(x, v) | RuntimeError | -
L.outer(v, "a") | TypeError | vec2
L.inner(x, L.ones(7)) | RuntimeError | -
L.einsum("ij,jk->ik", x) | RuntimeError | operands
L.einsum("ij->ik", x) | RuntimeError | k
L.einsum("ijk->i", x) | RuntimeError | dim
L.einsum("ij,jk", x, L.ones(7, 7)) | RuntimeError | -
L.einsum(x) | ValueError | -
L.tensordot(x, x, 1) | RuntimeError | -
L.tensordot(x, v, 5) | RuntimeError | dims
L.trace(v) | RuntimeError | -
L.trace("a") | TypeError | input
L.kron(x, 2) | TypeError | other
L.addmm(x, x, x) | RuntimeError | shapes
L.addmm(v, x, L.ones(3, 3), beta="a") | TypeError | beta
L.addmm(v, x, v) | RuntimeError | -
x[5] | IndexError | -
x[0, 0, 0] | IndexError | -
x["a"] | TypeError | -
x[1.5] | IndexError | -
x[v] | IndexError | -
x[::-1] | ValueError | step
x[L.tensor([5])] | IndexError | -
x[L.ones(7) > 0] | IndexError | -
x[[5]] | IndexError | -
L.tensor(1.0)[0] | IndexError | -
x[0, "a"] | TypeError | -
x[{}] | IndexError | -
x[:, :, 0] | IndexError | -
x[object()] | IndexError | -
x.__setitem__(0, "a") | TypeError | -
x.__setitem__(9, 1.0) | IndexError | -
x.__setitem__(0, L.ones(7)) | RuntimeError | -
x.__setitem__(x > 0, L.ones(99)) | RuntimeError | -
x.__setitem__((0, 0, 0), 1) | IndexError | -
x.__setitem__(L.tensor([9]), 1.0) | IndexError | -
x.__setitem__(slice(None, None, -1), 1) | ValueError | step
x.__setitem__("a", 1) | TypeError | -
x.__setitem__(0, None) | TypeError | -
x.item() | RuntimeError | -
L.zeros(0).item() | RuntimeError | -
float(x) | ValueError | -
int(x) | ValueError | -
bool(x) | RuntimeError | ambiguous
bool(L.zeros(0)) | RuntimeError | -
float(L.zeros(0)) | ValueError | -
int(L.zeros(0)) | ValueError | -
range(3)[L.tensor(1.5)] | TypeError | -
range(3)[x] | TypeError | -
len(L.tensor(1.0)) | TypeError | -
list(L.tensor(1.0)) | TypeError | -
iter(L.tensor(1.0)) | TypeError | -
r.numpy() | RuntimeError | grad
np.asarray(r) | RuntimeError | grad
x.numpy(1) | TypeError | -
x.size(7) | IndexError | range
x.size("a") | TypeError | dim
x.stride(7) | IndexError | range
x.to("nowhere") | RuntimeError | -
x.to(dtype="a") | TypeError | dtype
x.to(foo=1) | TypeError | foo
x.type("a") | ValueError | -
x.type(5.5) | TypeError | -
x.view_as(2) | TypeError | other
x.copy_("a") | TypeError | src
x.copy_(L.ones(7)) | RuntimeError | size
x.fill_("a") | TypeError | value
x.fill_(L.ones(2)) | RuntimeError | value
x.fill_() | TypeError | value
x.add_(L.ones(4, 2, 3)) | RuntimeError | shape
x.add_("a") | TypeError | other
x.mul_(L.ones(7)) | RuntimeError | size
i.add_(0.5) | RuntimeError | cast
i.div_(2) | RuntimeError | cast
i.mul_(1.5) | RuntimeError | cast
b.add_(1) | RuntimeError | cast
i.exp_() | RuntimeError | cast
x.expand(2, 2, 3).add_(1) | RuntimeError | -
x[:1].expand(2, 3).add_(1) | RuntimeError | memory
x[:1].expand(2, 3).copy_(x) | RuntimeError | memory
x[:1].expand(2, 3).uniform_() | RuntimeError | memory
x[:1].expand(2, 3).normal_() | RuntimeError | memory
r.add_(1) | RuntimeError | leaf
r.zero_() | RuntimeError | leaf
r.fill_(1) | RuntimeError | leaf
r.copy_(x) | RuntimeError | leaf
r.uniform_() | RuntimeError | leaf
r[0].add_(1) | RuntimeError | leaf
r.__setitem__(0, 1.0) | RuntimeError | leaf
r.__iadd__(1) | RuntimeError | leaf
r.squeeze_() | RuntimeError | leaf
r.requires_grad_("a") | TypeError | -
i.requires_grad_() | RuntimeError | -
b.requires_grad_() | RuntimeError | -
(r * 2).requires_grad_(False) | RuntimeError | leaf
setattr(i, "requires_grad", True) | RuntimeError | -
setattr(r * 2, "requires_grad", False) | RuntimeError | leaf
setattr(r, "requires_grad", 2) | RuntimeError | -
setattr(r, "grad", 2) | TypeError | grad
setattr(r, "grad", L.ones(7)) | RuntimeError | size
setattr(r, "grad", x.double()) | RuntimeError | type
setattr(r, "data", 2) | TypeError | data
setattr(x, "shape", (1,)) | AttributeError | -
setattr(x, "dtype", L.float64) | AttributeError | -
setattr(x, "grad_fn", None) | AttributeError | -
setattr(x, "is_leaf", True) | AttributeError | -
x.backward() | RuntimeError | grad
r.backward() | RuntimeError | scalar
r.sum().backward(2.0) | TypeError | -
r.sum().backward("a") | TypeError | -
(r * 2).backward(L.ones(7)) | RuntimeError | shape
(r * 2).backward(gradient=[1.0]) | TypeError | -
r.sum().backward(inputs=[]) | RuntimeError | inputs
r.sum().backward(inputs=[3]) | RuntimeError | -
L.autograd.grad(r.sum(), [3]) | RuntimeError | -
L.autograd.grad(r.sum(), 3) | TypeError | -
L.autograd.grad([], []) | RuntimeError | -
L.autograd.grad(r.sum(), []) | RuntimeError | -
L.autograd.grad([], [r]) | RuntimeError | -
L.autograd.grad(3, r) | TypeError | -
L.autograd.grad([3], r) | AssertionError | -
L.autograd.grad(r.sum(), x) | RuntimeError | grad
L.autograd.grad(x.sum(), r) | RuntimeError | grad
L.autograd.grad(r.sum(), [L.ones(1, requires_grad=True)]) | RuntimeError | unused
L.autograd.grad(r, r) | RuntimeError | scalar
L.autograd.grad(r.sum(), r, grad_outputs=[1.0]) | TypeError | -
L.autograd.grad(r.sum(), r, grad_outputs=L.ones(3)) | RuntimeError | shape
L.autograd.grad([r.sum(), r.sum()], r, grad_outputs=[None]) | RuntimeError | -
L.autograd.grad(r.sum(), r, foo=1) | TypeError | foo
L.autograd.backward([3]) | AssertionError | -
L.autograd.backward(r.sum(), [1.0]) | TypeError | -
L.autograd.gradcheck(lambda t: t, [x]) | ValueError | -
x.register_hook(print) | RuntimeError | grad
x.retain_grad() | RuntimeError | grad
r.register_hook() | TypeError | hook
(lambda y: (y.sum().backward(), y.sum().backward()))(r.exp()) | RuntimeError | -
(lambda y: y.add_(1) is y and y.sum().backward())(r.exp()) | RuntimeError | -
(r * 1)[:1].detach_() | RuntimeError | -
copy.deepcopy(r * 2) | RuntimeError | leaves
L.set_grad_enabled("a") | TypeError | -
L.set_default_dtype(L.int64) | TypeError | -
L.set_default_dtype("a") | TypeError | -
L.set_default_dtype(3) | TypeError | -
L.device("gpu") | RuntimeError | gpu
L.device("cpu:x") | RuntimeError | -
L.device([]) | TypeError | -
L.device() | TypeError | -
L.Generator("gpu") | RuntimeError | -
L.Generator().manual_seed("a") | RuntimeError | seed
L.Generator().set_state(3) | TypeError | ByteTensor
L.Generator().set_state(x) | TypeError | ByteTensor
L.exp(x, out=2) | TypeError | out
L.exp(x, out=i) | RuntimeError | cast
L.exp(r, out=x) | RuntimeError | grad
L.add(x, x, out="a") | TypeError | out
L.sum(x, foo=1) | TypeError | foo
L.exp(x, foo=1) | TypeError | foo
L.exp(x, input=x) | TypeError | input
L.sum(x, dim=0, axis=0) | TypeError | -
x.sum(dim=0, foo=1) | TypeError | foo
x.exp(1) | TypeError | -
x.uniform_(1, 0) | RuntimeError | from
x.normal_(0, -1) | RuntimeError | std
x.bernoulli_(2.0) | RuntimeError | p
x.bernoulli_("a") | TypeError | p
x.random_(5, 2) | RuntimeError | -
x.exponential_(-1) | RuntimeError | lambd
i.uniform_() | NotImplementedError | -
i.normal_() | NotImplementedError | -
x.new_zeros(-1) | RuntimeError | -1
x.new_zeros("a") | TypeError | size
x.new_full((2,), "a") | TypeError | fill_value
x.new_tensor() | TypeError | data
L.FloatTensor("a") | TypeError | -
L.cumsum(b, 0, dtype="a") | TypeError | dtype
L.squeeze(x, "a") | TypeError | dim
x.unsqueeze_(7) | IndexError | range
x.t_(1) | TypeError | -
x.masked_fill_(b, L.ones(2)) | RuntimeError | value
x.index_add_(0, L.tensor([0]), L.ones(7)) | RuntimeError | source
x.scatter_(0, L.tensor([[0]]), "a") | TypeError | -
x.clamp_() | RuntimeError | min
x.pow_("a") | TypeError | exponent
L.is_tensor() | TypeError | obj
L.numel(3) | TypeError | input
L.detach(3) | TypeError | input
L.clone(3) | TypeError | input
L.is_floating_point(3) | TypeError | input
L.promote_types(3, 4) | TypeError | -
"""
ROWS = [
    tuple(part.strip() for part in row.rsplit(" | ", 2)) for row in REFUSED.strip().splitlines()
]


def names(lib):
    """What the calls are made of: floats x and v, whole numbers i, bools b, a leaf r."""
    x = lib.arange(6.0).reshape(2, 3) * 1
    b = lib.tensor([[True, False, True]]).expand(2, 3).clone()
    r = lib.ones(2, 3, requires_grad=True)
    return {"L": lib, "np": np, "copy": copy, "x": x, "v": lib.arange(3.0),
            "i": lib.tensor([1, 2, 3]), "b": b, "r": r}  # fmt: skip


def error_of(lib, call):
    """The error that a call raises; None if it is carried out."""
    found = names(lib)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            eval(call, found)
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize("call, kind, word", ROWS, ids=[row[0] for row in ROWS])
def test_refused(call, kind, word):
    error = error_of(mt, call)
    assert type(error).__name__ == kind, error
    assert str(error) and (word == "-" or word in str(error))


@pytest.mark.parametrize("call, kind, word", ROWS, ids=[row[0] for row in ROWS])
def test_pytorch_refuses_it_too(call, kind, word):
    torch = pytest.importorskip("torch")
    assert type(error_of(torch, call)).__name__ == kind


def test_there_are_many_and_most_name_something():
    assert len(ROWS) >= 500 and sum(word != "-" for _, _, word in ROWS) >= 300
