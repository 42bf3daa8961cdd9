"""Parameters by name, state kept and put back, frozen layers, hooks and gradients that add up."""

import copy

import torch
from torch import nn

torch.manual_seed(5)
model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1))
for name, tensor in model.state_dict().items():
    print(name, tuple(tensor.shape), tensor.dtype)

x, y = torch.randn(8, 2), torch.randn(8, 1)
twin = copy.deepcopy(model)
before = copy.deepcopy(model.state_dict())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
for _ in range(5):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
print(f"{loss.item():.4f}", torch.equal(model[0].weight, twin[0].weight))
kept = optimizer.state_dict()
print(sorted(kept), kept["param_groups"][0]["lr"], len(kept["state"]))

print(model.load_state_dict(before))
print(torch.equal(model[0].weight, twin[0].weight), torch.allclose(model(x), twin(x)))
try:
    model.load_state_dict({"0.weight": torch.zeros(3, 2)})
except RuntimeError as error:
    print(str(error).splitlines()[0], len(str(error).splitlines()))

for parameter in model[0].parameters():
    parameter.requires_grad_(False)
loss = model(x).pow(2).mean()
loss.backward()
print([p.grad is None for p in model.parameters()])
loss = model(x).pow(2).mean()
loss.backward()
first = copy.deepcopy(model[2].bias.grad)
model.zero_grad()
model(x).pow(2).mean().backward()
print(torch.allclose(first, 2 * model[2].bias.grad), model[2].bias.grad.shape)

sizes = []
handle = model[1].register_forward_hook(lambda module, args, out: sizes.append(tuple(out.shape)))
model(x)
handle.remove()
model(x)
print(sizes, type(model[0]).__name__, isinstance(model[0].weight, nn.Parameter))
print(nn.Parameter(torch.tensor([1.0, 2.0])))
print(model[2].weight.data.shape, model[2].bias)
model.double()
print(model(x.double()).dtype, next(model.parameters()).dtype)
