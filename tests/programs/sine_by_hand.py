"""A cubic polynomial is fitted to the sine: by hand, then with autograd, then with nn and optim."""

import math

import torch
from torch import nn, optim

torch.manual_seed(3)
x = torch.linspace(-math.pi, math.pi, 400)
y = torch.sin(x)

# 1. gradients written out
a, b, c, d = (torch.randn(()) * 0.1 for _ in range(4))
rate = 1e-5
for step in range(300):
    guess = a + b * x + c * x**2 + d * x**3
    loss = (guess - y).pow(2).sum().item()
    if step % 100 == 99:
        print(f"by hand {step:4d} {loss:10.4f}")
    g = 2.0 * (guess - y)
    a -= rate * g.sum()
    b -= rate * (g * x).sum()
    c -= rate * (g * x**2).sum()
    d -= rate * (g * x**3).sum()
print(f"y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3")

# 2. gradients by autograd
weights = torch.tensor([0.0, 0.1, 0.0, -0.01], requires_grad=True)
powers = x.unsqueeze(-1).pow(torch.tensor([0, 1, 2, 3]))
print(powers.shape, powers.dtype, weights)
for _ in range(300):
    loss = (powers @ weights - y).square().sum()
    loss.backward()
    with torch.no_grad():
        weights -= rate * weights.grad
        weights.grad.zero_()
print(f"autograd {loss.item():.4f}", loss.grad_fn.name())
print([f"{w:.4f}" for w in weights[1::2].tolist()], weights.requires_grad)

# 3. a module and an optimiser
model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
criterion = nn.MSELoss(reduction="sum")
optimizer = optim.RMSprop(model.parameters(), lr=1e-3)
inputs = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
for step in range(300):
    loss = criterion(model(inputs), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 99:
        print(f"module  {step:4d} {loss.item():.1f}")
print(model)
print({name: tuple(p.shape) for name, p in model.named_parameters()})
