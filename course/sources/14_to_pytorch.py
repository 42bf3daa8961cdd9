# %% [markdown]
# # 14 · Go on to PyTorch
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# An operation with a rule of your own, slopes of slopes, and one program that two libraries run, line for line, with the same numbers.
#
# At the end you can
#
# - ask for a second slope, and put a slope into a loss,
# - write an operation's rule, and say how a wrong one shows,
# - run a PyTorch program on minitensor, and yours on PyTorch,
# - say what is below the names, there and here.

# %% [markdown]
# ## Before you start
# Rules and `gradcheck` are in [chapter 05](05_tensor_autograd.ipynb), leaves and the tape in [chapter 06](06_leaves_and_the_tape.ipynb), `nn` and optimisers in
# [chapter 10](10_layers_starts_losses_steps.ipynb).

# %%
import io
import json

import numpy as np
import minitensor as mt
from minitensor import nn, viz
from exercises import ch14
from kit import shows_error
from kit.figures import ch14 as figures
from kit import ported

# %% [markdown]
# ## 1. Ask for the slope of a slope
# `backward` adds gradients to `.grad`. Its sister `autograd.grad` returns them and touches nothing. For x³ the slope is 3x², and that has a
# slope too: 6x. At 3 that is 27, and 18.
#
# <!-- predict -->
# `slope` is a Tensor. Can we ask for its slope at `x` in the same way?
# <!-- open -->
# Not yet. The walk back worked out `slope` as a number. It was not recorded, so nothing leads from `slope` to `x`.

# %%
x = mt.tensor(3.0, requires_grad=True)
y = x**3
(slope,) = mt.autograd.grad(y, x)
print("slope:", slope.item(), "| recorded:", slope.requires_grad)
with shows_error(RuntimeError):
    mt.autograd.grad(slope, x)

# %% [markdown]
# A walk is made of ordinary steps: multiply, add. They could be recorded like any others. `create_graph=True` asks for that:

# %%
y = x**3
(slope,) = mt.autograd.grad(y, x, create_graph=True)
(bend,) = mt.autograd.grad(slope, x)
slope, bend

# %% [markdown]
# Here is the walk's own graph. Read it from `x` to the right: square, times 3, times the 1 that every walk starts with. (The 3 and the 1 are plain numbers: nothing leads back to them, so they have no box.)

# %%
viz.draw(slope, caption="How the slope of x³ was worked out")

# %% [markdown]
# Nobody wrote a rule for second slopes. Most rules are one line, and the line does not ask what it is given. Here is that of `tanh`, the same line that minitensor
# has: the slope, 1 - y² with `y` the result, times the `g` from upstream. Give it arrays, and it computes. Give it Tensors, and it computes *and is recorded*. Give it letters, and it writes:

# %%
from minitensor.core import OPS

rule = OPS["tanh"].rules["x"]  # lambda g, y: g - g * (y * y)
y = np.tanh(np.float32(0.5))
print("arrays: ", rule(np.ones(1, np.float32), y))
print("Tensors:", rule(mt.ones(1), mt.tensor([y], requires_grad=True)))
print("letters:", rule(viz.Symbol("g"), viz.Symbol("y")).tex)

# %% [markdown]
# ## 2. Use the bend
# The second slope says how a curve bends. `tanh` for many numbers at once: each result depends on its own `x` only. So the slope of their *sum* at
# each `x` is the slope there.
#
# <!-- predict -->
# The slope of `tanh` has its top at 0. Where is the slope of the slope positive, where negative, and where 0?
# <!-- open -->
# Positive on the left, where the slope grows; negative on the right; 0 at the top, and far out, where the slope stays as it is.

# %%
x = mt.linspace(-3, 3, 61).requires_grad_()
y = mt.tanh(x)
(slope,) = mt.autograd.grad(y.sum(), x, create_graph=True)
(bend,) = mt.autograd.grad(slope.sum(), x)
figures.curves(x, ("tanh", y), ("its slope", slope), ("the slope of that", bend))

# %% [markdown]
# What is it good for? Downhill, a fixed rate is too small where the valley is flat, and too large where it is steep. Isaac Newton's step is
# slope over bend: it jumps to where the slope would be 0, if the bend stayed as it is. Let us go to the lowest point of eˣ - 2x, at ln 2 = 0.6931.

# %%
def descend(step_of, x=3.0):
    places = []
    for turn in range(8):
        at = mt.tensor(x, requires_grad=True)
        (slope,) = mt.autograd.grad(at.exp() - 2 * at, at, create_graph=True)
        (bend,) = mt.autograd.grad(slope, at)
        x -= step_of(slope.item(), bend.item())
        places.append(f"{x:.4f}")
    return places

fixed = " ".join(descend(lambda slope, bend: 0.1 * slope))
newton = " ".join(descend(lambda slope, bend: slope / bend))
print(f"rate 0.1: {fixed}\nNewton:   {newton}")

# %% [markdown]
# Newton is there, to four digits, and the other is not. Then why are networks not trained so? For one number the bend is one number. For a million
# parameters it is a table of a million by a million. Vary: give `descend` an `x=-3.0` as well. Newton's first step flies far away. Why? Look at the bend there.

# %% [markdown]
# ## 3. Put a slope into a loss
# Suppose you know slopes and not the curve: speeds at many times, and you want to know the place. A network from time to place shall *have* those slopes. So
# the loss compares slopes, and `loss.backward()` must go back *through* a walk back, to the weights.

# %%
times = mt.linspace(-3, 3, 49).unsqueeze(1).requires_grad_()
speeds = mt.cos(times).detach()  # the slopes of a sine; the sine itself is not shown

mt.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
optimizer = mt.optim.Adam(model.parameters(), lr=0.02)

# %% [markdown]
# <!-- predict -->
# What happens if we forget `create_graph=True` here: an error, or a model that learns something else?
# <!-- open -->
# An error, luckily. The slopes come without a record, so the loss has none, and `backward` says so.

# %%
(slope,) = mt.autograd.grad(model(times).sum(), times)
loss = (slope - speeds).square().mean()
with shows_error(RuntimeError):
    loss.backward()

# %%
for turn in range(181):
    (slope,) = mt.autograd.grad(model(times).sum(), times, create_graph=True)
    loss = (slope - speeds).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if turn in (0, 10, 20, 60, 180):
        print(f"turn {turn:3}: loss {loss.item():.3f}")

# %% [markdown]
# A slope does not know how high its curve lies. So we let both curves start at 0 in the middle, and compare:

# %%
with mt.no_grad():
    learned = model(times) - model(mt.zeros(1, 1))
figures.fitted(times, mt.sin(times), learned)

# %% [markdown]
# ## 4. Write a rule of your own
# Some slopes are true and useless. `round` is flat nearly everywhere: slope 0. A weight that is rounded, to fit into few bits, never learns.
#
# A `Function` is an operation with a rule that you write: `forward` works out the result, `backward` gets `g`, the gradient from upstream, and returns that of the input.
# `ctx` carries what the second needs from the first. This one lies, on purpose: as if `round` were not there.

# %%
class Straight(mt.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g

# %% [markdown]
# <!-- predict -->
# `w` starts at 0.2. The loss sees it rounded to eighths: 0, 1/8, 2/8, ... and wants 0.6, which is none of them. Which eighth is it after 30 turns, with `round` and with `Straight`?
# <!-- open -->
# With `round` every gradient is 0, so `w` stays at 0.2, and the loss sees 2/8. With `Straight` it comes to an eighth beside 0.6, 5/8 or 4/8.

# %%
def learn(rounded, turns=30):
    w = mt.tensor(0.2, requires_grad=True)
    for turn in range(turns):
        loss = (rounded(w * 8) / 8 - 0.6) ** 2
        loss.backward()
        with mt.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
    return (rounded(w * 8) / 8).item()

print(f"round: {learn(mt.round)} | straight through: {learn(Straight.apply)}")

# %% [markdown]
# Vary: 33 turns. 0.6 lies between two eighths, and it hops from one to the other.
#
# Mostly a rule should be true. For x³ it needs `x` again. `save_for_backward` keeps it on the tape, where changes in place are noticed. Who checks
# the rule? `gradcheck` nudges, in float64.

# %%
class Cube(mt.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x

x = mt.tensor([1.0, -2.0, 0.5], dtype=mt.float64, requires_grad=True)
mt.autograd.gradcheck(Cube.apply, x)

# %% [markdown]
# The commonest mistake is to leave `g` out. It hides well: where the loss is the plain sum, each `g` is 1.

# %%
class Forgetful(Cube):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x

for f in (Cube.apply, Forgetful.apply):
    (sum_only,) = mt.autograd.grad(f(x).sum(), x)
    (five_times,) = mt.autograd.grad((5 * f(x)).sum(), x)
    print(f"sum: {sum_only.tolist()}  five times the sum: {five_times.tolist()}")

# %% [markdown]
# The second line, `Forgetful`, is right for the sum and wrong for five times it. `gradcheck` asks for one result at a time: `g` is 1 there, and 0 elsewhere. So it finds it:

# %%
with shows_error(RuntimeError, says="Jacobian mismatch"):
    mt.autograd.gradcheck(Forgetful.apply, x)

# %% [markdown]
# ## 5. Run one file under both
# Here is a part of a program that was written for PyTorch: [`programs/penguins.py`](programs/penguins.py). Nothing in it knows of minitensor.

# %%
print(ported.excerpt())

# %% [markdown]
# `python -m minitensor program.py` runs it. Whatever it imports from `torch`, it gets from here. What it printed under PyTorch was written down
# once, with the version and the day, since you need not have PyTorch. (If you have it: `python programs/penguins.py`.)
#
# <!-- predict -->
# Weights are drawn at random, birds are dealt out and shuffled. Of all the printed lines, how many are equal to PyTorch's?
# <!-- open -->
# All, to the digits printed. The seed starts the same stream of numbers, and everything draws from it in the same order. (Further digits may differ: sums are
# rounded in another order.)

# %%
here = ported.on_minitensor()
there, about = ported.on_pytorch()
print("\n".join(here))
equal = sum(mine == theirs for mine, theirs in zip(here, there))
print(f"\n{about}\nequal lines: {equal} of {len(there)}")

# %% [markdown]
# In a notebook, one line does: `import minitensor as torch`. Your own programs go the other way. Write PyTorch's names, and change the import. What
# if a name is missing here? Then you are told, with a page that lists [what is different](reference/differences.md):

# %%
import minitensor as torch

print(torch.tensor([1.0, 2.0]).softmax(0))
with shows_error(AttributeError):
    torch.vmap

# %% [markdown]
# ## 6. Take your weights along, and look below
# What a model has learned is its numbers. `state_dict` gives them by name, `save` writes them to a file of the kind *safetensors*, which PyTorch's users
# open with `safetensors.torch.load_file`. Such a file begins with the length of a list, in 8 bytes, and the list: name, dtype, shape. Then come the numbers.
#
# <!-- predict -->
# The model of section 3 is saved. Is its class in the file? Its code? How many numbers?
# <!-- open -->
# No class and no code. Two tables and two rows: 24 + 24 + 24 + 1 numbers.

# %%
file = io.BytesIO()
mt.save(model.state_dict(), file)
length = int.from_bytes(file.getvalue()[:8], "little")
for name, about in json.loads(file.getvalue()[8 : 8 + length]).items():
    print(name, about.get("dtype", ""), about.get("shape", ""))

# %% [markdown]
# So whoever reads it must make the model first, by the same code, and then fill it:

# %%
twin = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
file.seek(0)
twin.load_state_dict(mt.load(file))
mt.equal(twin(times), model(times))

# %% [markdown]
# The names are the same, the numbers are the same. What is the difference, then? It lies below the names. You know every floor on the left: you have built
# most of them.

# %%
figures.below()

# %% [markdown]
# C++ makes small steps cheap. A large matrix product costs much the same in both, since both hand it to a library. And the box at the bottom is why large models are trained
# there: they need many machines, short numbers and joined steps. What they compute, you can now say line by line.

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: bend -->

# %% [markdown]
# <!-- exercise: slope_loss -->

# %% [markdown]
# <!-- exercise: softsign -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - `autograd.grad` returns gradients. With `create_graph=True` the walk is recorded, and can be walked back.
# - One rule serves three readers: arrays compute, Tensors are recorded, letters give the formula.
# - A slope may be part of a loss. Then `backward` goes through the walk that found it.
# - A `Function` has a rule of your own: your slope times `g`. `gradcheck` finds a wrong one.
# - The same program runs under both imports, on the CPU with the same random numbers. Weights travel as names and numbers.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | gradients without `.grad` | `(g,) = autograd.grad(loss, x)` |
# | the slope of a slope | `autograd.grad(loss, x, create_graph=True)`, then `autograd.grad(g.sum(), x)` |
# | an operation of your own | `class F(autograd.Function)` with static `forward(ctx, ...)`, `backward(ctx, g)` |
# | keep a Tensor for the way back | `ctx.save_for_backward(x)`, then `ctx.saved_tensors` |
# | check a rule | `autograd.gradcheck(F.apply, x64)` |
# | run a PyTorch program here | `python -m minitensor program.py` |
# | the same in a notebook | `import minitensor as torch` |
# | save, load | `save(model.state_dict(), file)`, `model.load_state_dict(load(file))` |
#
# ## In PyTorch
# Everything here is PyTorch's, but for these:
#
# | here | PyTorch |
# |---|---|
# | `save` writes safetensors | `torch.save` writes a pickle, which can run code when it is opened; use `safetensors.torch` |
# | every rule can be walked through again | a few fused ones cannot, such as the fast attention |
# | `python -m minitensor program.py` | `python program.py` |
#
# All differences are on [one page](reference/differences.md). Every name, with its formula and its derivative, is in [the reference](reference/README.md).

# %% [markdown]
# <!-- next -->
# You have built what you use. Take a PyTorch tutorial that you like, and run it under both imports.
