# %% [markdown]
# # 10 · Assemble a network: layers, starts, losses, steps
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A network of twenty layers that learns, where two others that differ from it in a single number do not.
#
# At the end you can
#
# - build a network whose parameters are all found, and notice when they are not,
# - choose the size of the first weights, and see why 0.01 and 1 both fail,
# - look into the layers, and find units that are dead,
# - write a loss that survives large numbers,
# - say what SGD, momentum and Adam do with a gradient, step by step.

# %% [markdown]
# ## Before you start
# You have trained a small network with loose Tensors ([chapter 00](00_why_not_just_numpy.ipynb)), you know which Tensors are leaves, and what `no_grad` is for
# ([chapter 06](06_leaves_and_the_tape.ipynb)). From here on, data are real: 1,797 handwritten digits, each an image of 8 × 8 pixels. Chapter 11 looks at them. Here
# they are 64 numbers each, and feed the layers.

# %%
import math

import numpy as np
import minitensor as mt
from minitensor import nn
from minitensor.nn import functional as F
from exercises import ch10
from kit import shows_error
from kit.data import digits
from kit.figures import ch10 as figures

images, labels = digits()
x, target = mt.from_numpy(images.reshape(-1, 64)), mt.from_numpy(labels)

# %% [markdown]
# ## 1. Gather the parameters
# In chapter 00 the parameters were a list of loose Tensors, and each layer took its own out of it. With twenty layers nobody wants to keep that list by hand. Let each
# part keep its own, and ask it. That takes one function:

# %%
class Part:
    def parameters(self):
        for value in vars(self).values():
            if isinstance(value, mt.Tensor):
                yield value
            elif isinstance(value, Part):
                yield from value.parameters()

# %% [markdown]
# `vars(self)` holds whatever was stored as `self.name = ...`. A Tensor is taken, a part inside is asked in turn. Here is the part that every network is
# made of, a *linear layer*: each output is a weighted sum of all inputs, plus a bias. One row of `weight` for each output.

# %%
mt.manual_seed(0)

class Linear(Part):
    def __init__(self, inputs, outputs):
        self.weight = (mt.randn(outputs, inputs) * 0.1).requires_grad_()
        self.bias = mt.zeros(outputs, requires_grad=True)

    def __call__(self, x):
        return x @ self.weight.T + self.bias

# %% [markdown]
# Two layers make a network. Between them stands `relu`, which sets negative numbers to 0. Without it, two layers would be no more than one: a sum of sums is a sum.

# %%
class Net(Part):
    def __init__(self):
        self.first, self.last = Linear(64, 32), Linear(32, 10)

    def __call__(self, x):
        return self.last(self.first(x).relu())

net = Net()
print("output:", tuple(net(x).shape), "| parameters:", [tuple(p.shape) for p in net.parameters()])

# %% [markdown]
# PyTorch's name for `Part` is `nn.Module`. It notes each part that is stored, so `super().__init__()` comes first. You write `forward`, and `net(x)` calls it.
# `nn.Linear` is ready made. Now with a list of layers, as one would write it in Python:
#
# <!-- predict -->
# The layers stand in a list, `self.layers = [...]`. How many parameters will be found?
# <!-- open -->
# None. The list is neither a Tensor nor a part, so nobody looks inside. The forward pass works, and no error comes, until an optimiser complains of an empty list. With
# one more layer outside the list, not even that.

# %%
class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(64, 32), nn.Linear(32, 10)]

    def forward(self, x):
        return self.layers[1](self.layers[0](x).relu())

forgetful = Forgetful()
print("output:", tuple(forgetful(x).shape), "| parameters:", len(list(forgetful.parameters())))
with shows_error(ValueError):
    mt.optim.SGD(forgetful.parameters(), lr=0.1)

# %% [markdown]
# Two containers that are looked into: `nn.ModuleList`, a list that is a part itself, and `nn.Sequential`, which also calls its parts one after the other. Vary: put
# `nn.ModuleList([...])` into `Forgetful`, count again, and take the complaint away: there is none now. In a `Sequential`, a part's name is its number, and `net[0]` the first part.

# %%
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
for name, p in net.named_parameters():
    print(f"{name:9} {tuple(p.shape)}")
print(sum(p.numel() for p in net.parameters()), "numbers to learn")  # net[1], the ReLU, has none

# %% [markdown]
# ## 2. Start at the right size
# Training changes the weights step by step. But where do they begin? All alike would be tidy. (`F.cross_entropy` is the loss, a number for how wrong the ten outputs
# are. Section 4 opens it.)
#
# <!-- predict -->
# Every weight starts at 0.1. After five steps, how many *different* rows will the first layer's weights have, of 32? (A row holds the weights of one output, called a *unit*.)
# <!-- open -->
# One. Units with the same weights give the same outputs, receive the same gradients, and make the same step. They stay alike for ever: 32 units, and the network is as
# good as one with a single unit. Chance must tell them apart.

# %%
nn.init.constant_(net[0].weight, 0.1)
nn.init.zeros_(net[0].bias)
nn.init.constant_(net[2].weight, 0.1)
for turn in range(5):
    net.zero_grad()
    F.cross_entropy(net(x), target).backward()
    with mt.no_grad():
        for p in net.parameters():
            p -= 0.1 * p.grad
rows = net[0].weight.detach().numpy()
print("moved:", bool((rows != np.float32(0.1)).any()))
print("different rows:", len(np.unique(rows, axis=0)))

# %% [markdown]
# So, at random. How large? In NumPy this is quickly tried: send the digits through twenty layers of `x @ w`, then `relu`. The *spread* is the standard deviation of
# all numbers that come out of a layer.
#
# <!-- predict -->
# Weights with a standard deviation of 0.01: the spread of the digits is about 0.4. What is it after twenty layers: somewhat less, about 1e-5, or still far less?
# <!-- open -->
# About 1e-26. Each layer multiplies the spread by some factor, so the factor comes in to the power of twenty. Below 1 that is next to nothing, above 1 it is huge.

# %%
rng = np.random.default_rng(0)
for std in (0.01, 1.0):
    h = images.reshape(-1, 64)
    before = h.std()
    for layer in range(20):
        w = rng.normal(0.0, std, (64, 64)).astype(np.float32)
        h = np.maximum(h @ w, 0)
    after = figures.power(h.std(dtype=np.float64))  # float32 would lose so small a square
    print(f"weights of {std}: spread {before:.2f} at first, {after} after 20 layers")

# %% [markdown]
# Which factor is it? An output is a sum of 64 products. The weights are independent, around 0: so the mean square of the sum is 64 · std² times that of the inputs.
# `relu` throws about half of it away. For the mean square to stay, 64 · std² / 2 must be 1. The spread follows the root of it. The number of inputs is called *fan-in*. This start is named after Kaiming He:

# %%
fan_in = 64
kaiming = math.sqrt(2 / fan_in)
for std in (0.01, 1.0, kaiming):
    print(f"weights of {std:.3f}: each layer times {math.sqrt(fan_in * std**2 / 2):.3f}")

w = mt.empty(64, 64)
mt.manual_seed(0)
nn.init.kaiming_normal_(w, nonlinearity="relu")
print(f"the formula: {kaiming:.3f} | measured in kaiming_normal_: {w.std().item():.2f}")

# %% [markdown]
# ## 3. Look into the layers
# The forward pass is half the story. Gradients go back through the same weights, and to learn, every layer needs some. Here NumPy stops: there is no gradient
# of these twenty layers, unless you derive it. With Tensors it is there already. `deep` makes the network of this chapter. Three of them will differ in `std` only:

# %%
def deep(std, depth=20):
    mt.manual_seed(0)
    net = nn.Sequential()
    for _ in range(depth):
        layer = nn.Linear(64, 64)
        nn.init.normal_(layer.weight, std=std)
        nn.init.zeros_(layer.bias)
        net.append(layer).append(nn.ReLU())
    return net.append(nn.Linear(64, 10))

# %% [markdown]
# A *forward hook* is a function that a module calls with its output. With one on each `ReLU` we see all the layers, and need not touch the network. It notes two things: the spread of the outputs, and how many units rest, that is give 0, for *all* images.

# %%
def look(net):
    spreads, resting = [], []
    def hook(module, inputs, output):
        spreads.append(output.double().std().item())  # double: squares of 1e-26 are too small
        resting.append((output == 0).all(0).sum().item())
    handles = [part.register_forward_hook(hook) for part in net if isinstance(part, nn.ReLU)]
    F.cross_entropy(net(x), target).backward()
    for handle in handles:
        handle.remove()
    layers = [part for part in net if isinstance(part, nn.Linear)][:-1]
    grads = [layer.weight.grad.double().std().item() for layer in layers]
    return spreads, grads, resting

# %% [markdown]
# <!-- predict -->
# The left panel will show the outputs, called *activations*: sinking and climbing, as computed, and level, if the formula holds. The right panel shows the gradients, with layer 20 next to the loss. With small weights, in
# which layer will the gradient be smallest: 1, 20, or about the same everywhere?
# <!-- open -->
# About the same, and hopeless, everywhere. A weight's gradient is the product of what came in from the left and what comes back from the right. Early layers have large
# inputs and a faint signal from the loss; late layers the other way round. Each is more than twenty powers of ten too small.

# %%
names = {"0.01": 0.01, "1": 1.0, "Kaiming": kaiming}
seen = {name: look(deep(std)) for name, std in names.items()}
figures.spread({name: (spreads, grads) for name, (spreads, grads, _) in seen.items()})

# %% [markdown]
# This is the picture to remember. (Level, but for chance: a layer has only 64 units.) And the units that rest? Most rest for some images and work for others. But not all:

# %%
resting = seen["Kaiming"][2]
print(f"rest for all images: {resting[0]} of 64 in layer 1, {resting[-1]} in layer 20")

# %% [markdown]
# Some believe that such a unit will recover. If the layers before it move, it may. On its own? Here is one, pushed down by a bias of -10. It should learn to output 1. (An
# *optimiser* steps for you, here as you did by hand; `lr` is the learning rate. Section 5 opens it.)

# %%
unit = nn.Linear(64, 1)
nn.init.constant_(unit.bias, -10.0)
optimizer = mt.optim.SGD(unit.parameters(), lr=0.1)
for step in range(100):
    loss = ((unit(x).relu() - 1) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item()}, bias {unit.bias.item()}, gradient {unit.bias.grad.item()}")

# %% [markdown]
# Dead: left of 0, the slope of `relu` is 0. No gradient, no step. One step too large can do this. Vary: put `F.leaky_relu(unit(x))` in
# its place, and take 1000 steps. It has a slope of 0.01 on the left: enough to climb back, slowly.

# %% [markdown]
# ## 4. Measure the miss
# The network gives ten numbers for each image, the *logits*, one for each digit. Any numbers. *Softmax* turns them into probabilities: take `exp`, which makes them
# positive, then divide by their sum. The loss is minus the logarithm of the probability that the right digit got: the *cross-entropy*.
#
# <!-- predict -->
# The formula, as it stands, for the logits 1000 and 0. Will it give 1 and 0?
# <!-- open -->
# `nan`, "not a number", and 0. `exp(1000)` is too large for any float: it is infinite. Infinite divided by infinite is `nan`. NumPy does the same.

# %%
def formula(z):
    return z.exp() / z.exp().sum()

large = mt.tensor([1000.0, 0.0])
print("formula:  ", formula(large).tolist())
print("less max: ", formula(large - large.max()).tolist())

# %% [markdown]
# Softmax does not change when all logits move together: `exp` turns the shift into a factor, and the factor cancels. So move the largest to 0 first. But the *loss* is not
# saved yet. If the right answer was the second, the loss takes the logarithm of a probability that has been rounded to 0. Better to never leave the logarithm: log softmax is
# `z - max - log(sum(exp(z - max)))`. The functions of the library do that:

# %%
wrong_one = mt.tensor([1])
print("log of softmax:", -formula(large - large.max())[1].log().item())
print("cross_entropy: ", F.cross_entropy(large.reshape(1, 2), wrong_one).item())

# %% [markdown]
# Mind what goes in. `cross_entropy` wants logits, and does the softmax itself.
#
# <!-- predict -->
# The network is sure and right: logits 10, 0, 0. The loss is 0.00009. Now someone applies `softmax` first, "to get probabilities". Same loss, or not?
# <!-- open -->
# 0.55. The second softmax sees the numbers 1, 0, 0, and takes them for rather undecided logits. Training works, badly, and no error tells you.

# %%
sure, right = mt.tensor([[10.0, 0.0, 0.0]]), mt.tensor([0])
print(f"logits:        {F.cross_entropy(sure, right).item():.5f}")
print(f"probabilities: {F.cross_entropy(sure.softmax(1), right).item():.5f}")

# %% [markdown]
# Why not train on what we want, the share of right answers? Because it has no slope. Nudge a weight, and no answer changes; at most one jumps.

# %%
net = deep(kaiming)
logits = net(x)
accuracy = (logits.argmax(1) == target).float().mean()
print(f"accuracy {accuracy.item():.2f}, asks for a gradient: {accuracy.requires_grad}")
with shows_error(RuntimeError, says="does not require grad"):
    accuracy.backward()

# %% [markdown]
# One more trap where losses are written by hand. Here the root is wanted for positive numbers only, and `where` picks 0 for the others. The value is right. The gradient?

# %%
v = mt.tensor([0.0, 4.0], requires_grad=True)
mt.where(v > 0, v.sqrt(), 0.0).sum().backward()
print("picked after: ", v.grad.tolist())

v = mt.tensor([0.0, 4.0], requires_grad=True)
mt.where(v > 0, v, 1.0).sqrt().sum().backward()
print("picked before:", v.grad.tolist())

# %% [markdown]
# `where` sends a gradient of 0 to the side it did not pick. But that side goes on: 0 times the slope of the root at 0, which is infinite, is `nan`. So make the *input* safe.
# (The value where nothing was wanted is now 1. A second `where`, outside, makes it 0.)

# %% [markdown]
# ## 5. Race downhill
# Gradients in hand, how to step? To see it, two parameters only, and a loss that is a long valley: steep across, flat along. `figures.valley` is `x²/20 + y²`. We start high
# on the left. *SGD* steps against the gradient, and that is all. (`memory`, `step`: for the other rules.) (The S, *stochastic*, is for the random samples of data in chapter 11.)

# %%
def sgd(p, memory, step, rate=0.9):
    p -= rate * p.grad

def descend(rule, steps=40):
    p = mt.tensor([-7.0, 2.0], dtype=mt.float64, requires_grad=True)
    memory, path = {"mean": mt.zeros(2), "square": mt.zeros(2)}, [p.tolist()]
    for step in range(1, steps + 1):
        p.grad = None
        figures.valley(p).backward()
        with mt.no_grad():
            rule(p, memory, step)
        path.append(p.tolist())
    return path

# %% [markdown]
# *Momentum* keeps a memory: nine tenths of the last step's direction, plus the new gradient. What alternates cancels; what persists adds up, to ten times itself.

# %%
def momentum(p, memory, step, rate=0.1):
    memory["mean"] = 0.9 * memory["mean"] + p.grad
    p -= rate * memory["mean"]

# %% [markdown]
# *Adam* keeps two: a running mean of the gradient, and one of its square. The step is the one divided by the root of the other. So each parameter gets a step of about the size
# `rate`, whether its own slope is steep or flat. Both means start at 0 and are too small at first; dividing by `1 - 0.9**step`, or `1 - 0.999**step`, corrects that. The 1e-8 is for a gradient of 0: 0 / 0 would be `nan`.

# %%
def adam(p, memory, step, rate=0.5):
    memory["mean"] = 0.9 * memory["mean"] + 0.1 * p.grad
    memory["square"] = 0.999 * memory["square"] + 0.001 * p.grad**2
    mean = memory["mean"] / (1 - 0.9**step)
    square = memory["square"] / (1 - 0.999**step)
    p -= rate * mean / (square.sqrt() + 1e-8)

# %% [markdown]
# <!-- predict -->
# At the start the slopes are -0.7 along the valley, and 4 across. Where does Adam's first step lead, with its rate of 0.5?
# <!-- open -->
# 0.5 to the right and 0.5 down: to (-6.5, 1.5). The corrected mean is the gradient, the root of the corrected square is its size, so only the signs are left. On all
# parameters, the first step has the same length.

# %%
rules = {"SGD": sgd, "momentum": momentum, "Adam": adam}
paths = {name: descend(rule) for name, rule in rules.items()}
for name, path in paths.items():
    print(f"{name:8} after 1 step: ({path[1][0]:.2f}, {path[1][1]:.2f})")
figures.race(paths)

# %% [markdown]
# SGD comes closest here, since its rate was chosen with care. Ours are the steps of `mt.optim`. `zero_grad`, `backward`, `step`: every optimiser is used in this way.

# %%
p = mt.tensor([-7.0, 2.0], dtype=mt.float64, requires_grad=True)
optimizer = mt.optim.Adam([p], lr=0.5)
for step in range(40):
    optimizer.zero_grad()
    figures.valley(p).backward()
    optimizer.step()
print("as by hand:", np.allclose(p.tolist(), paths["Adam"][-1], rtol=1e-4))

# %% [markdown]
# Now you: choose who runs, each one's rate, and the start, by the sliders or by a click on the map. At which rate does SGD leave the valley? Which of the
# four stand a rate of 2? *RMSprop* is Adam without the mean and the correction.

# %%
figures.race_page()

# %% [markdown]
# (On the way across, the slope is 2y: with a rate above 1, a step lands farther off on the other side. The steepest direction limits the rate, and along the flat one you wait.
# At 2, SGD and momentum fly out. RMSprop and Adam, whose steps have about the size of the rate, do not.)

# %% [markdown]
# ## 6. Put the parts together
# Layers, a start, a loss, an optimiser. Do the powers of ten of section 3 matter, or will training repair a bad start? Twenty layers, 200 digits, sixty steps, all the same but for the
# first weights.
#
# <!-- predict -->
# A guess at random has a loss of log(10), about 2.3. Where will the three be after sixty steps?
# <!-- open -->
# The small weights: still at 2.3, no signal came through. The large ones: sixty small steps take the loss down a hundred times, and leave it beyond any use. Kaiming's: far below 1.

# %%
def trained(net, steps=60):
    optimizer, losses = mt.optim.Adam(net.parameters(), lr=5e-4), []
    for _ in range(steps):
        loss = F.cross_entropy(net(x[:200]), target[:200])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses

figures.starts({name: trained(deep(std)) for name, std in names.items()})

# %% [markdown]
# That is all there is to it, for any network. Some parts behave differently in training and in use. *Dropout* silences a random share of the units, so that no unit relies on
# one other; the rest are scaled up in return. In use, it should do nothing. `train()` and `eval()` tell all parts at once.

# %%
mt.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 100), nn.Dropout(0.5))
kept = (net(mt.ones(1, 64)) != 0).sum().item()
net.eval()
out = net(mt.ones(1, 64))
print(f"training: {kept} of 100 pass | eval(): {(out != 0).sum().item()} of 100 pass")
print("after eval(), does the output ask for a gradient?", out.requires_grad)

# %% [markdown]
# `eval()` is no `no_grad`: it changes what layers compute, not what is recorded. To predict you want both.

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: Stack -->

# %% [markdown]
# <!-- exercise: start_std -->

# %% [markdown]
# <!-- exercise: cross_entropy -->

# %% [markdown]
# <!-- exercise: adam_step -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A module finds the parameters that stand in its attributes, and in parts there. In a Python list nobody looks.
# - Equal weights stay equal. Draw them at random, with a size that keeps the spread: for `relu`, a standard deviation of √(2 / fan-in).
# - A factor per layer becomes its twentieth power in twenty layers, on the way there and on the way back.
# - A unit that rests for every input has no gradient: on its own, it stays as it is. Count such units.
# - Compute a softmax after taking the largest logit off, and its logarithm without leaving the logarithm. `cross_entropy` takes logits.
# - Accuracy has no slope; `where` does not stop a `nan` on the way back.
# - SGD follows the gradient, momentum remembers directions, Adam gives each parameter steps of one size.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | a network | `net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))` |
# | a part of your own | `class Net(nn.Module)`, `super().__init__()` first, then `forward` |
# | a list of parts | `nn.ModuleList([...])` |
# | count the parameters | `sum(p.numel() for p in net.parameters())` |
# | start | `nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")` |
# | watch a layer | `handle = layer.register_forward_hook(f)` |
# | loss of logits | `F.cross_entropy(logits, target)`, target of whole numbers |
# | step | `optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()` |
# | predict | `net.eval()`, and `with mt.no_grad(): ...` |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `nn`, `nn.functional`, `nn.init`, `mt.optim` | the same names in `torch` |
# | `nn.Linear(64, 32)` after `manual_seed(0)` | the same first weights |
# | what `nn.Linear` starts with | evenly spread numbers of variance 1 / (3 · fan-in): smaller than Kaiming's for `relu`, by an old habit. For deep networks, call `nn.init` |
# | `Part` of section 1 | `nn.Module`, which registers attributes as they are set |

# %% [markdown]
# <!-- next -->
# The parts are ready. Next: all the digits, in batches; and what can go wrong in ten lines of training.
