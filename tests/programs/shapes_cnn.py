"""Small images of bars and a box, told apart by convolutions, with BatchNorm and a schedule."""

import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR

torch.manual_seed(0)


def image(kind):
    picture = 0.2 * torch.randn(1, 8, 8)
    place = torch.randint(1, 6, (1,)).item()
    if kind == 0:
        picture[:, place] += 1
    elif kind == 1:
        picture[:, :, place] += 1
    else:
        picture[:, 1:7, [1, 6]] += 1
        picture[:, [1, 6], 2:6] += 1
    return picture


labels = torch.arange(60) % 3
images = torch.stack([image(int(k)) for k in labels])
print(images.shape, images.dtype, labels.bincount())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=3, padding=1)
        self.norm1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 8, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(8 * 3 * 3, 3)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        x = self.pool(nn.functional.relu(self.conv2(x)))
        return self.fc(torch.flatten(x, 1))


net = Net()
print(net)
print(net(images[:2]).shape)
optimizer = SGD(net.parameters(), lr=0.05, momentum=0.9)
scheduler = StepLR(optimizer, step_size=5, gamma=0.5)
criterion = nn.CrossEntropyLoss()
for epoch in range(12):
    running = 0.0
    for start in range(0, 60, 20):
        optimizer.zero_grad()
        loss = criterion(net(images[start : start + 20]), labels[start : start + 20])
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 4 == 3:
        print(f"[{epoch + 1:2d}] loss {running / 3:.3f} lr {scheduler.get_last_lr()[0]:.4f}")
    scheduler.step()

net.eval()
with torch.no_grad():
    guessed = net(images).argmax(dim=1)
print("right:", (guessed == labels).sum().item(), "of", len(labels))
print([f"{v:.3f}" for v in net.norm1.running_mean.tolist()], net.norm1.num_batches_tracked)
confusion = torch.zeros(3, 3, dtype=torch.int64)
for truth, guess in zip(labels, guessed, strict=True):
    confusion[truth, guess] += 1
print(confusion)
