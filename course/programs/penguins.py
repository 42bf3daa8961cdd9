"""A small PyTorch program: from a penguin's flipper to its body mass.

python programs/penguins.py                  runs it on PyTorch
python -m minitensor programs/penguins.py    runs it on minitensor, unchanged
"""

import csv
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def standardised(values):
    column = torch.tensor(values).unsqueeze(1)
    return (column - column.mean()) / column.std()


torch.manual_seed(7)
with open(Path(__file__).parents[1] / "data" / "penguins.csv", encoding="utf-8") as file:
    rows = [r for r in csv.DictReader(file) if r["body_mass_g"] != "NA"]
flipper = standardised([float(r["flipper_length_mm"]) for r in rows])
mass = standardised([float(r["body_mass_g"]) for r in rows])
train, held_out = random_split(TensorDataset(flipper, mass), [280, 62])

model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_of = nn.MSELoss()
print(model)

for epoch in range(1, 6):
    total = 0.0
    for x, y in DataLoader(train, batch_size=20, shuffle=True):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    print(f"epoch {epoch}: loss {total / len(train):.3f}")

x, y = held_out[:]
with torch.no_grad():
    print(f"held out: loss {loss_of(model(x), y).item():.3f}")
print("first weights:", model[0].weight[:3].flatten())
point = torch.tensor([0.5], requires_grad=True)
(slope,) = torch.autograd.grad(model(point), point, create_graph=True)
(bend,) = torch.autograd.grad(slope, point)
print("slope", slope, "bend", bend)
