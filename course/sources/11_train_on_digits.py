# %% [markdown]
# # 11 · Train on real data: handwritten digits
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A network that reads handwritten digits it has never seen, and is right on more than 96 of 100. It trains in seconds.
#
# At the end you can
#
# - keep data back, and say why a score on known data says little,
# - deal data out in shuffled batches, images and labels together,
# - write a training loop, and watch it while it runs,
# - tell from a loss curve which bug is in a loop,
# - say what a score does not promise.

# %% [markdown]
# ## Before you start
# You know the parts from [chapter 10](10_layers_starts_losses_steps.ipynb): layers, cross-entropy, optimisers. Here they meet data.

# %%
import numpy as np
import minitensor as mt
from minitensor import nn
from minitensor.nn import functional as F
from minitensor.utils.data import DataLoader, Dataset
from exercises import ch11
from kit.data import digits
from kit.figures import ch11 as figures
from kit.live import LiveCurve

# %% [markdown]
# ## 1. Look, and keep some back
# 1,797 digits, collected in Istanbul in the 1990s, each scanned and shrunk to 8 × 8 pixels of grey. Always look at data first. Could you read them all?

# %%
images, labels = digits()
print(images.shape, images.dtype, labels.dtype)
figures.grid(images[:30], labels[:30])

# %% [markdown]
# Deal them out at random: 1,437 to learn from, and 360 that nobody looks at during training, the *held-out* ones. Is that a waste?
#
# <!-- predict -->
# A table that remembers the label of every known image, pixel by pixel: what is its share of right answers on the known ones, and what on the held-out ones?
# <!-- open -->
# All, and none. Nobody writes a digit twice in exactly the same way. The table has learnt everything and understood nothing; only the held-out digits show it.

# %%
rng = np.random.default_rng(0)
order = rng.permutation(len(images))
held, known = order[:360], order[360:]

table = {images[i].tobytes(): labels[i] for i in known}
for name, which in (("known", known), ("held-out", held)):
    right = [table.get(images[i].tobytes()) == labels[i] for i in which]
    print(f"{name}: {np.mean(right):.0%}")

# %% [markdown]
# How far does one get without a network? In NumPy: take the average image of each digit, and call a new image what its nearest average is. That is our *baseline*. What
# does not beat it is not worth training.

# %%
averages = np.stack([images[known][labels[known] == digit].mean(0) for digit in range(10)])
misses = images[held][:, None] - averages  # (360, 1, 8, 8) less (10, 8, 8): (360, 10, 8, 8)
distances = (misses**2).sum((2, 3))
guesses = distances.argmin(1)
print(f"nearest average: {np.mean(guesses == labels[held]):.0%} of the held-out digits")
figures.grid(averages, range(10))

# %% [markdown]
# ## 2. Deal out batches
# A step needs a gradient, not the gradient over *all* digits. 32 of them, drawn at random, point roughly the same way, and for the price of one step over all you get 45
# steps. Such a handful is a *batch*; once through all data is an *epoch*. Every epoch should come in a new order, so that the batches are new ones, too.
#
# In NumPy, a line for each array:

# %%
x, y = images[known].copy(), labels[known].copy()
rng.shuffle(x)
rng.shuffle(y)
print("lost:", len(known) - len(x), "images,", len(known) - len(y), "labels")

# %% [markdown]
# <!-- predict -->
# Nothing is lost, all shapes are right. What will the first ten images look like beside their labels?
# <!-- open -->
# The labels are those of other images: each array was shuffled in its own order. No function can notice. A network can be trained on this, and learns nothing.

# %%
figures.grid(x[:10], y[:10])

# %% [markdown]
# Two loose arrays, once more, that belong together and do not know it. A *Dataset* holds pairs. It says how many there are, and hands out number `i`. Image and label cannot
# part.

# %%
class Digits(Dataset):
    def __init__(self, which):
        self.images = mt.from_numpy(images[which]).flatten(1)  # 8 × 8 pixels: 64 in a row
        self.labels = mt.from_numpy(labels[which])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]

train, test = Digits(known), Digits(held)
image, label = train[0]
image.shape, label

# %% [markdown]
# A *DataLoader* draws an order, takes the pairs one by one, and stacks them to batches.
#
# <!-- predict -->
# 1,437 pairs in batches of 32. How many batches, and how large is the last?
# <!-- open -->
# 45, and the last has 29. Nothing is dropped, unless you ask for it by `drop_last=True`.

# %%
mt.manual_seed(0)
loader = DataLoader(train, batch_size=32, shuffle=True)
sizes = [len(y) for x, y in loader]
print(len(loader), "batches, the last of", sizes[-1], "| together:", sum(sizes))

# %% [markdown]
# Each `for` loop is an epoch, in an order of its own. Vary: what do you see with `shuffle=False`?

# %%
for epoch in (1, 2):
    x, y = next(iter(loader))
    print(f"epoch {epoch} begins with {y[:12].tolist()}")
print(tuple(x.shape), x.dtype, tuple(y.shape), y.dtype)

# %% [markdown]
# The images are `float32`. The labels are whole numbers, `int64`, called *long*: `cross_entropy` uses them as an index, to pick the right digit's logit.

# %% [markdown]
# ## 3. Train, and watch
# An epoch of training, in full. Four lines of it you know by heart; their order matters. The loss is logged as a number, without its tape ([chapter 06](06_leaves_and_the_tape.ipynb)),
# and weighted: the last batch is smaller.

# %%
def one_epoch(net, loader, optimizer):
    net.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)

# %% [markdown]
# And a look at the held-out digits: nothing recorded, no weight changed. (`eval()` stays on; the next `one_epoch` begins with `train()`.)

# %%
def look(net, data):
    net.eval()
    with mt.no_grad():
        logits = net(data.images)
    loss = F.cross_entropy(logits, data.labels)
    right = logits.argmax(1) == data.labels
    return loss.item(), right.float().mean().item()

# %% [markdown]
# `LiveCurve` belongs to this course. In JupyterLab it draws while the loop runs, in a terminal it writes a line, and the figure stays.
#
# <!-- predict -->
# Two lines will be drawn: the loss on the known digits, and on the held-out ones. Which will be lower at the end? Will both sink all the time?
# <!-- open -->
# The known ones: the network has learnt from these very digits. Their loss sinks on, while the held-out loss levels out. The gap is what was learnt by heart. Where the
# held-out loss rises again, one speaks of *overfitting*. (At first the held-out line is the lower one: it is measured after an epoch, the other one during it.)

# %%
mt.manual_seed(1)
net = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
optimizer = mt.optim.Adam(net.parameters(), lr=1e-3)
curve = LiveCurve(ylabel="loss", log=True)
for epoch in curve.over(range(40)):
    loss = one_epoch(net, loader, optimizer)
    curve.add(known=loss, held_out=look(net, test)[0])

# %%
reached = look(net, test)[1]
print(f"right on the held-out digits: {reached:.0%}; over 96%: {reached > 0.96}")

# %% [markdown]
# How long did it take? This depends on your machine, so this cell is not compared when the course is tested:

# %% tags=["nbval-ignore-output"]
print(f"{curve.seconds:.0f} seconds on the CPU")

# %% [markdown]
# Two layers, well over the baseline. Vary, one at a time: 10 hidden units in place of 100, a rate of 0.1, a batch size of 512. Which costs most? (With 512, an epoch has 3
# steps in place of 45. With 0.1, look at the gap between the lines.)

# %% [markdown]
# ## 4. Choose what to lower
# Chapter 10 said that accuracy has no slope. Here you see it. Move one single weight of the trained network to and fro, and measure both.
#
# <!-- predict -->
# The loss will be a smooth curve. What will the accuracy be: smooth too, a straight line, or something else?
# <!-- open -->
# A staircase. An answer stays what it is while the logits move a little, then jumps. On the steps the slope is 0, at the edges there is none. Nothing to go down by.

# %%
def moved(move):
    with mt.no_grad():
        net[2].weight[3, 0] += move
        found = look(net, test)
        net[2].weight[3, 0] -= move
    return found

moves = np.linspace(-3, 3, 121).tolist()
losses, shares = zip(*[moved(move) for move in moves])
figures.two_measures(moves, losses, shares)

# %% [markdown]
# Train on the loss; report the accuracy.
#
# A loss can mislead, too. Someone trains a network to *estimate* the digit, one number for each image, by the mean square of the misses. The targets are standardised: shifted and scaled to
# mean 0 and spread 1. So to guess the average for all has a loss of 1. Say the network is perfect. Its output has the shape (N, 1), the targets have (N,).
#
# <!-- predict -->
# Perfect predictions. What is the loss?
# <!-- open -->
# 2.0, twice as bad as knowing nothing. (N, 1) minus (N,) broadcasts to a table of N × N: every prediction is compared with *every* target. Training lowers this loss by
# predicting the average for all.

# %%
y = test.labels.float()
y = (y - y.mean()) / y.std()
perfect = y.reshape(-1, 1)
for predicted in (perfect, perfect.squeeze(1)):
    misses = predicted - y
    print(f"misses: {tuple(misses.shape)}, loss {(misses**2).mean().item():.1f}")

# %% [markdown]
# Print shapes at the start of every project. One line, and this one is found.

# %% [markdown]
# ## 5. Find the bug by its curve
# Four loops, each with one bug. None of them raises an error. Read each, and find it.

# %%
def loop_1(net, optimizer, x, y):
    loss = F.cross_entropy(net(x).softmax(1), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss

def loop_2(net, optimizer, x, y):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss

# %%
def loop_3(net, optimizer, x, y):
    x, y = x[mt.randperm(len(x))], y[mt.randperm(len(y))]
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss

def loop_4(net, optimizer, x, y):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss

# %% [markdown]
# Each trains the same small network for twelve epochs, and so does the right loop.

# %%
def right_loop(net, optimizer, x, y):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss

def run(loop):
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    for layer in (net[0], net[2]):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    optimizer = mt.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for epoch in range(12):
        total = sum(loop(net, optimizer, x, y).item() * len(y) for x, y in loader)
        losses.append(total / len(train))
    return losses, look(net, test)[1]

# %% [markdown]
# <!-- predict -->
# The panels are not in the order of the loops. Which of the curves A to D belongs to which loop? The grey line is the right loop, the dotted one a guess at random.
# <!-- open -->
# A is loop 2: gradients are never forgotten. The steps follow the sum of all that ever was, and overshoot. B is loop 4: the gradient is forgotten before the step, so nothing
# moves, and the loss stays exactly where it was. C is loop 1: softmax twice. It learns, but its loss cannot come down. D is loop 3: images and labels shuffled apart. It moves, to the
# best guess when images say nothing: one in ten for each.

# %%
clean, share = run(right_loop)
named = {"A": run(loop_2), "B": run(loop_4), "C": run(loop_1), "D": run(loop_3)}
figures.suspects({name: losses for name, (losses, _) in named.items()}, clean)

# %% [markdown]
# A jumps, B is exactly level, C is slow and stuck, D is level at log(10): each bug has its handwriting. Not each one shows in the accuracy:

# %%
print(f"right loop: {share:.0%}")
for name, (_, share) in named.items():
    print(f"{name}: {'learns' if share > 0.7 else 'does not learn'}")
print(f"C, softmax twice: {named['C'][1]:.0%}")

# %% [markdown]
# If you look at the accuracy only, you may live with a bug for years. Vary: put `mt.optim.SGD(net.parameters(), lr=0.1)` into `run`, and run that cell and the two after it
# again. Adam, which divides by the gradient's size, had hidden how bad loop 2 is.

# %% [markdown]
# ## 6. Ask what the score promises
# Look at the mistakes. Would you have read these? (Above each: its label, then what the network took it for.)

# %%
with mt.no_grad():
    guesses = net(test.images).argmax(1).numpy()
missed = held[guesses != labels[held]]
figures.grid(images[missed], labels[missed], guesses[guesses != labels[held]])

# %% [markdown]
# The [page beside the data](data/digits.csv.md) says that 13 people wrote these digits, and that the file goes form by form. We dealt them out at random. So every writer is on both
# sides.
#
# <!-- predict -->
# Now learn from the first 1,437 lines, and hold out the last 360: other hands. Same score, better, or worse?
# <!-- open -->
# Clearly worse. The score promises something about *new digits by the same people*. For new people, hold out people. How you hold data back decides which question your number
# answers.

# %%
lines = np.arange(len(images))
first, last = Digits(lines[:1437]), Digits(lines[1437:])
mt.manual_seed(1)
strangers = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
optimizer = mt.optim.Adam(strangers.parameters(), lr=1e-3)
others = DataLoader(first, batch_size=32, shuffle=True)
for epoch in range(40):  # as in section 3: only the digits are others
    one_epoch(strangers, others, optimizer)
score = look(strangers, last)[1]
print(f"new digits, known writers: {reached:.0%} | new writers: about {round(score, 1):.0%}")

# %% [markdown]
# One more thing about held-out data: each time you look at them to choose something, a rate or a size, they teach you a little. With many choices, keep a third part, and look
# at it once, at the end. The part for choosing is called *validation set*, the part for the end *test set*.

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: Loader -->

# %% [markdown]
# <!-- exercise: accuracy -->

# %% [markdown]
# <!-- exercise: fit -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - Hold data back before anything else. A table that learns by heart is perfect on what it knows.
# - Beat a baseline that needs no training.
# - A Dataset keeps pairs together; a DataLoader covers all of them once each epoch, in a new order.
# - The loop: forget, compute, walk back, step. Log numbers, weight the last batch.
# - Train on the loss, report the accuracy. Look at shapes: (N, 1) and (N,) make a table.
# - A bug in a loop raises no error. Its curve gives it away.
# - A score answers the question that your way of holding back has asked.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | a data set | `class Digits(Dataset)` with `__len__` and `__getitem__`; of tensors: `TensorDataset(x, y)` |
# | deal out at random | `random_split(data, [1437, 360])` |
# | batches | `DataLoader(data, batch_size=32, shuffle=True)` |
# | one step | `optimizer.zero_grad()`, loss, `loss.backward()`, `optimizer.step()` |
# | log | `total += loss.item() * len(y)` |
# | score | `net.eval()`, `with mt.no_grad():`, `(net(x).argmax(1) == y).float().mean().item()` |
# | watch | `for epoch in curve.over(range(40)): curve.add(loss=...)` |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `minitensor.utils.data` | `torch.utils.data`, the same names; the same order of batches for the same seed |
# | `DataLoader(..., num_workers=2)` starts threads | it starts processes |
# | `LiveCurve` of this course | TensorBoard, Weights & Biases, or a progress bar |
# | data from a file that ships | `torchvision.datasets` downloads |

# %% [markdown]
# <!-- next -->
# These layers do not know which pixels are neighbours. Shuffle all pixels in one way for all images, and they would learn as well. A convolution knows.
