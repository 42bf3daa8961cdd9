"""Functions of one's own with forward and backward, hooks, and gradients of gradients."""

import torch
from torch.autograd import Function, grad


class Cubed(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * 3 * x * x


class Scaled(Function):
    """In PyTorch's newer style: the context is set up beside the forward."""

    @staticmethod
    def forward(x, factor):
        return x * factor, x.sign()

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.factor = inputs
        _, sign = output
        ctx.mark_non_differentiable(sign)

    @staticmethod
    def backward(ctx, upstream, upstream_sign):
        return upstream * ctx.factor, None


class Doubled(Function):
    """Works in place."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, upstream):
        return 2 * upstream


x = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
y = Cubed.apply(x)
print(y)
y.sum().backward()
print(x.grad)

scaled, sign = Scaled.apply(x, 4)
print(scaled, sign.requires_grad)
(slope,) = grad(scaled.sum(), x)
print(slope)

z = x * 1
w = Doubled.apply(z)
print(w is z, w.grad_fn.name())
(w * w).sum().backward()
print(x.grad)

(first,) = grad(Cubed.apply(x).sum(), x, create_graph=True)
(second,) = grad(first.sum(), x)
print(first, second)

seen = []
h = x * 3
handle = h.register_hook(lambda g: seen.append(g) or g * 10)
h.retain_grad()
h.sum().backward()
handle.remove()
print(seen, h.grad, x.grad)

x64 = torch.tensor([0.3, -0.7], dtype=torch.float64, requires_grad=True)
print(torch.autograd.gradcheck(Cubed.apply, (x64,)), x64.dtype)
try:
    Cubed.apply(x).backward()
except RuntimeError as error:
    print("refused:", str(error).split(";")[0].split(":")[0][:57])
print(torch.autograd.functional.jacobian(lambda t: t**2, x.detach()))
