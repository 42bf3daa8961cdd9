"""Steps are named as PyTorch names them: what ``grad_fn`` prints, call by call.

``SAME`` must agree. ``OTHER`` does not: there one step of PyTorch is several here, or the other
way round; the page of differences says so. A line holds several calls, with | between them.
"""

import math

import pytest

import minitensor as mt

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
SAME = """
x + 1 | 1 + x | x + y | x - y | x - 1 | 1 - x | -x | x * 2 | x * y | x / 2 | x / y | 1 / x
x ** 2 | x ** y | 2 ** x | x ** 0.5 | x @ w | x @ v | v @ v | v @ w | b @ b | b @ w | x.mm(w)
b.bmm(b) | x.mv(v) | v.dot(v) | x.sum() | x.sum(0) | x.sum(dim=(0, 1)) | x.sum(0, keepdim=True)
x.mean() | x.mean(0) | x.mean(-1, keepdim=True) | x.max() | x.max(0).values | x.min()
x.min(1)[0] | x.amax() | x.amax(0) | x.amin(1) | x.var() | x.var(0) | x.std() | x.std(0)
x.norm() | x.prod() | x.prod(0) | x.median() | x.cumsum(0) | x.cumprod(0) | x.logsumexp(0) | x[0]
x[1:] | x[:, 1] | x[0, 1] | x[0, 1:] | x[:, 1:] | x[::2] | x[:, :] | x[...] | x[None] | x[:, None]
x[..., 0] | x[idx] | x[:, idx] | x[idx, idx] | x[[0, 1]] | x[x > 0] | x[0, None] | x[1:, 1:]
x[-1] | x[0:1, 0] | x.T | x.t() | x.mT | x.transpose(0, 1) | x.permute(1, 0) | x.reshape(-1)
x.reshape(3, 2) | x.view(-1) | x.view(3, 2) | x.flatten() | b.flatten(1) | x.ravel() | x.squeeze()
x.unsqueeze(0) | x.unsqueeze(0).squeeze(0) | x.unsqueeze(0).squeeze() | x.expand(2, 2, 3)
x.repeat(2, 1) | x.narrow(0, 0, 1) | x.select(0, 1) | x.split(1)[0] | x.chunk(2)[1]
x.unbind()[0] | x.clone() | x.contiguous() | x.t().contiguous() | x.double() | x.to(torch.float64)
torch.cat([x, x]) | torch.stack([x, x]) | torch.hstack([x, x]) | torch.vstack([x, x]) | x.flip(0)
x.roll(1, 0) | x.tril() | x.triu() | x.diagonal() | v.diag() | torch.outer(v, v) | x.abs()
x.exp() | x.log() | x.sqrt() | x.rsqrt() | x.square() | x.pow(3) | x.reciprocal() | x.sin()
x.cos() | x.tanh() | x.sigmoid() | x.relu() | x.erf() | x.sign() | x.floor() | x.round()
x.trunc() | x % 2 | x % y | x.clamp(0, 1) | x.clamp(min=0) | x.clamp(min=y) | x.clamp_min(0)
x.clamp_max(0) | x.masked_fill(x > 0, 0) | torch.where(x > 0, x, 0.0) | torch.where(x > 0, x, y)
torch.maximum(x, y) | torch.max(x, y) | x.lerp(y, 0.5) | torch.addmm(v, x, w)
torch.baddbmm(b, b, b) | x.gather(0, zero) | x.scatter(0, zero, y) | x.scatter_add(0, zero, y)
x.index_select(0, idx) | x.index_add(0, idx, y) | x.sort().values | x.topk(1).values | x.atan2(y)
torch.log1p(x) | x.softmax(1) | x.log_softmax(1) | F.relu(x) | F.relu(x, inplace=False)
F.gelu(x) | F.gelu(x, approximate="tanh") | F.silu(x) | F.elu(x) | F.leaky_relu(x) | F.softplus(x)
F.selu(x) | F.logsigmoid(x) | F.hardtanh(x) | F.mish(x) | F.softsign(x) | F.softmax(x, 1)
F.linear(x, w, v) | F.linear(x, w) | F.linear(b, w, v) | F.linear(b, w) | F.linear(v, w, v)
F.mse_loss(x, y) | F.mse_loss(x, y, reduction="sum") | F.mse_loss(x, y, reduction="none")
F.l1_loss(x, y) | F.smooth_l1_loss(x, y) | F.huber_loss(x, y) | F.cross_entropy(x, idx)
F.nll_loss(x, idx) | F.binary_cross_entropy(x.sigmoid(), y.detach().sigmoid())
F.binary_cross_entropy_with_logits(x, y) | F.kl_div(x, y, reduction="sum") | put(x.clone())
F.dropout(x, 0.5) | F.dropout(x, 0.5, training=False)
F.layer_norm(x, (3,)) | F.layer_norm(x, (3,), v, v)
F.batch_norm(x, None, None, training=True) | F.batch_norm(x, v.detach(), v.detach().abs())
F.batch_norm(x, None, None, v, v, training=True) | F.group_norm(im, 1) | F.normalize(x)
F.embedding(idx, x) | F.conv2d(im, ke) | F.conv2d(im, ke, v[:1]) | F.conv1d(b, b)
F.max_pool2d(im, 2) | F.avg_pool2d(im, 2) | F.pad(x, (1, 1))
F.scaled_dot_product_attention(b, b, b) | F.cosine_similarity(x, y) | F.unfold(im, 2)
x.clone().add_(1) | x.clone().mul_(2) | nn.Linear(3, 2)(x) | nn.Flatten()(b) | nn.ReLU()(x)
nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))(x)
nn.BCELoss()(x.sigmoid(), y.detach().sigmoid()) | nn.Dropout(0.5)(x) | nn.LayerNorm(3)(x)
nn.Embedding(3, 2)(idx) | nn.RNN(3, 2)(x)[0] | nn.LSTM(3, 2)(x)[0] | nn.GRU(3, 2)(x)[0]
nn.MultiheadAttention(3, 1)(x, x, x)[0] | x.sum() / 2 | (x - y).pow(2).mean()
((x - y) ** 2).sum() | x.detach().requires_grad_().sum() | x + 0 | +x | abs(x) | x.add(y, alpha=2)
x.sub(y) | x.sum().unsqueeze(0) | x.movedim(0, 1) | x.swapaxes(0, 1) | x.type(torch.float64)
x.sum(dtype=torch.float64) | torch.meshgrid(v, v, indexing="ij")[0] | x.argmax() | x.eq(y)
x.isnan() | b @ v | v @ b | b.sum(0) @ v | b @ b[0] | torch.stack([b,b]) @ b
F.linear(torch.stack([b,b]), w, v) | F.linear(torch.stack([b,b]), w) | x.median(0).values
x.prod(0, keepdim=True) | x.squeeze(0) | x.sum(()) | x.amax(()) | x.max(dim=1, keepdim=True)[0]
x.clamp(y, y) | x.clamp(max=y) | x.masked_select(x > 0) | x.take_along_dim(zero, 0) | x.tile(2)
x.addcmul(x, y) | x.addcdiv(x, y) | x.aminmax()[0] | x.aminmax()[1] | x.unflatten(0, (1, 2))
x.unflatten(1, (1, 3)) | x.diag_embed() | x.expand_as(x) | x.view_as(y) | x.reshape_as(y)
x.hypot(y) | x.positive() | x.norm(1) | x.norm(dim=0) | x.norm(float("inf")) | x.norm(p=3)
x.float() | x.double().float() | x.unbind(1)[1] | x.nonzero().float() | torch.atleast_1d(v[0])
torch.broadcast_tensors(x, v)[1] | torch.logaddexp(x, y) | x.log_softmax(0)
x.softmax(0, dtype=torch.float64) | F.celu(x) | F.relu6(x) | F.hardswish(x) | F.hardsigmoid(x)
F.prelu(x, v[:1]) | F.glu(b[..., :2]) | F.threshold(x, 0.5, 1.0) | F.softshrink(x)
F.hardshrink(x) | F.tanhshrink(x) | F.softmin(x, 1) | F.rms_norm(x, (3,)) | F.rms_norm(x, (3,), v)
F.group_norm(im, 1, v[:1], v[:1]) | F.normalize(x, dim=0) | F.bilinear(x, x, b, v)
F.conv1d(b, b, v) | F.conv_transpose2d(im, ke) | F.conv_transpose2d(im, ke, v[:1])
F.max_pool2d(im[0], 2) | F.adaptive_avg_pool1d(b, 1) | F.adaptive_avg_pool1d(b, 2)
F.adaptive_max_pool2d(im, 2) | F.pad(x, (1, 1), value=2.)
F.pixel_shuffle(im.expand(1, 4, 4, 4), 2) | F.fold(F.unfold(im, 2), 4, 2) | F.dropout2d(im)
F.alpha_dropout(x, training=True) | F.scaled_dot_product_attention(b, b, b, is_causal=True)
F.triplet_margin_loss(x, y, x + 1) | F.hinge_embedding_loss(x, y.detach().sign())
F.margin_ranking_loss(x, y, y.detach().sign())
F.cosine_embedding_loss(x, y, idx.float().sub(0.5).sign())
F.cross_entropy(x, idx, reduction="sum")
F.cross_entropy(b, torch.zeros(3, 3, dtype=torch.int64))
F.nll_loss(b, torch.zeros(3, 3, dtype=torch.int64))
F.binary_cross_entropy(x.sigmoid(), y.detach().sigmoid(), reduction="sum")
F.binary_cross_entropy(x.sigmoid(), y.detach().sigmoid(), reduction="none")
F.binary_cross_entropy_with_logits(x, y.detach(), reduction="none")
F.kl_div(x, y, reduction="batchmean") | F.l1_loss(x, y, reduction="sum")
F.smooth_l1_loss(x, y, reduction="none") | F.gumbel_softmax(x) | F.embedding(zero, x)
F.silu(x, inplace=False) | F.leaky_relu(x, 0.2) | x.clone().relu_() | x.clone().clamp_(0, 1)
x.clone().exp_() | x.clone().sub_(1) | x.clone().div_(2) | x.clone().pow_(2)
x.clone().masked_fill_(x > 0, 0) | nn.BatchNorm1d(3)(x) | nn.BatchNorm2d(1)(im)
nn.Conv2d(1, 2, 2)(im) | nn.Conv1d(3, 2, 2)(b) | nn.MaxPool2d(2)(im) | nn.GELU()(x) | nn.SiLU()(x)
nn.LeakyReLU()(x) | nn.Softmax(1)(x) | nn.CrossEntropyLoss()(x, idx) | nn.MSELoss()(x, y)
nn.L1Loss()(x, y) | nn.BCEWithLogitsLoss()(x, y.detach()) | nn.SmoothL1Loss()(x, y)
nn.GroupNorm(1, 1)(im) | nn.RNNCell(3, 2)(x) | nn.LSTMCell(3, 2)(x)[0] | nn.GRUCell(3, 2)(x)
nn.LSTM(3, 2, batch_first=True)(b)[0] | nn.Identity()(x) | nn.Flatten(0)(x)
nn.Unflatten(1, (1, 3))(x) | x * x.sum() / x.sum() | torch.sum(x) | torch.mean(x, 0)
torch.relu(x) | torch.sigmoid(x) | torch.abs(x) | torch.transpose(x, 0, 1) | torch.squeeze(x)
torch.clamp(x, 0) | torch.std(x) | torch.norm(x) | torch.matmul(x, w) | torch.reshape(x, (3, 2))
v[0] * 2 | v[idx[0]] | v[-1:] | x[0:2] | x[0:2, 0:3] | x[:, 0:3:1] | x[1][2] | x[(0, 1)]
x[..., None] | x[..., 1:] | x[True] | x[x[:, 0] > 0] | x[idx, 1] | x[1, idx] | x[:, idx, None]
x[None, idx] | im[0, 0] | im[:, 0] | im[..., 0, 0] | x.index_select(1, idx) | x.sum().sqrt()
x.var(unbiased=False) | x.std(dim=1, keepdim=True) | x.logsumexp(1, keepdim=True)
x.argsort().float() | x.topk(2, 1)[0] | x.cumsum(1) | x.swapaxes(1, 0) | 2 - v | 2.0 / v | -v
v ** -1 | v * True | x.remainder(y) | torch.sub(x, 1) | torch.stack([v[0], v[1]])
torch.stack([v[0], v[1]]).sum() | torch.where(x > 0, 1.0, x) | torch.hstack([v, v])
torch.vstack([v, v]) | torch.tensor(3.0, requires_grad=True) ** 2 + 1
torch.ones(2, requires_grad=True).log().neg().mean()
"""
OTHER = """
x.t().reshape(-1) | x.diag() | torch.einsum("ij,jk->ik", x, w) | torch.tensordot(x, w, 1)
x.kron(x) | x.inner(x) | x.quantile(0.5) | x.cov() | x.repeat_interleave(2) | torch.atleast_2d(v)
x.squeeze((0,)) | x.sum(None) | x.split([1, 1])[0] | x.scatter(0, zero, 1.0)
x.masked_fill(x > 0, v[0]) | x.clamp_min(y) | x.clone().zero_() | x.clone().fill_(1)
x.clone().copy_(y) | x.clone().t_() | torch.pow(2, v) | x.div(y, rounding_mode="floor") | v // 2
F.linear(v, w) | F.cross_entropy(x, x.detach().softmax(1))
F.cross_entropy(x, idx, reduction="none") | F.interpolate(im, scale_factor=2)
F.adaptive_avg_pool2d(im, 1) | F.avg_pool1d(b, 2) | F.instance_norm(im)
F.pad(im, (1, 1, 1, 1), mode="reflect") | F.pairwise_distance(x, y) | nn.RNN(3, 2)(b)[0]
"""


def names(lib):
    """What the calls use: leaves x, y, w, v, b, an image, a kernel, and places in them."""

    def leaf(*shape):
        count = math.prod(shape)
        return lib.arange(1.0, 1 + count).reshape(shape).div(7).detach().requires_grad_()

    def first_row_put(t):
        t[0] = 1.0
        return t

    places = {"idx": lib.tensor([0, 1]), "zero": lib.zeros(2, 3, dtype=lib.int64)}
    leaves = {"x": leaf(2, 3), "y": leaf(2, 3), "w": leaf(3, 3), "v": leaf(3), "b": leaf(3, 3, 3)}
    leaves |= {"im": leaf(1, 1, 4, 4), "ke": leaf(1, 1, 2, 2)}
    modules = {"torch": lib, "F": lib.nn.functional, "nn": lib.nn, "put": first_row_put}
    return {**modules, **leaves, **places}


def step(lib, call):
    lib.manual_seed(0)
    result = eval(call, names(lib))
    return result.grad_fn.name().rpartition("::")[2] if result.grad_fn is not None else None


def calls(text):
    return [call.strip() for line in text.strip().splitlines() for call in line.split("|")]


@pytest.mark.parametrize("call", calls(SAME))
def test_a_step_has_pytorchs_name(call):
    assert step(mt, call) == step(torch, call)


@pytest.mark.parametrize("call", calls(OTHER))
def test_a_name_that_is_known_to_differ(call):
    ours, theirs = step(mt, call), step(torch, call)
    assert ours != theirs, "the same by now: move the call to SAME"


def test_a_name_outlives_the_graph():
    x = mt.ones(2, requires_grad=True)
    y = x[0] * x.var()
    found = [node.name() for node, _ in y.grad_fn.next_functions]
    y.backward()
    assert found == ["SelectBackward0", "VarBackward0"]
    assert [node.name() for node, _ in y.grad_fn.next_functions] == found


def test_a_result_that_is_the_input_keeps_its_step():
    x = mt.ones(2, requires_grad=True) * 2
    assert mt.nn.functional.dropout(x, training=False) is x
    assert mt.positive(x).grad_fn.name() == "MulBackward0"
    assert x.prod().grad_fn.name() == "ProdBackward0" and x.grad_fn.name() == "MulBackward0"
