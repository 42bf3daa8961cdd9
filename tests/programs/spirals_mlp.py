"""Three spirals told apart by a small network: Dataset, DataLoader, Module, Adam, accuracy."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

device = "cuda" if torch.cuda.is_available() else "cpu"
print(f"Using {device} device")
torch.manual_seed(42)


class Spirals(Dataset):
    def __init__(self, arms=3, points=60):
        radius = torch.linspace(0.1, 1, points)
        features, labels = [], []
        for arm in range(arms):
            angle = 4 * radius + arm * 2 * math.pi / arms + 0.1 * torch.randn(points)
            features.append(torch.stack([radius * angle.sin(), radius * angle.cos()], dim=1))
            labels.append(torch.full((points,), arm))
        self.features, self.labels = torch.cat(features), torch.cat(labels)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.features[index], self.labels[index]


class Network(nn.Module):
    def __init__(self, hidden=24, classes=3):
        super().__init__()
        self.stack = nn.Sequential(
            nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Dropout(0.0)
        )
        self.head = nn.Linear(hidden, classes)

    def forward(self, x):
        return self.head(self.stack(x))


data = Spirals()
train, test = random_split(data, [150, 30], generator=torch.Generator().manual_seed(1))
train_loader = DataLoader(train, batch_size=32, shuffle=True)
test_loader = DataLoader(test, batch_size=30)
for X, y in test_loader:
    print(f"Shape of X: {X.shape}")
    print(f"Shape of y: {y.shape} {y.dtype}")

model = Network().to(device)
print(model)
print("parameters:", sum(p.numel() for p in model.parameters()))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
loss_fn = nn.CrossEntropyLoss()


def accuracy(loader):
    model.eval()
    right = 0
    with torch.no_grad():
        for X, y in loader:
            right += (model(X).argmax(1) == y).type(torch.float).sum().item()
    return right / len(loader.dataset)


for epoch in range(30):
    model.train()
    total = 0.0
    for X, y in train_loader:
        X, y = X.to(device), y.to(device)
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total += loss.item() * len(X)
    if epoch % 10 == 9:
        print(
            f"epoch {epoch + 1:2d}  loss {total / len(train):.3f}  test {accuracy(test_loader):.2f}"
        )

probabilities = F.softmax(model(torch.tensor([[0.0, 0.5], [0.5, 0.0]])), dim=-1)
print([[round(p, 2) for p in row] for row in probabilities.tolist()], probabilities.requires_grad)
pairs = TensorDataset(torch.arange(4), torch.arange(4) ** 2)
print(list(DataLoader(pairs, batch_size=3)))
