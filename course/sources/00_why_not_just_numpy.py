# %% [markdown]
# # 00 · Why not just NumPy?
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A map of five reasons why there is a *Tensor* at all, when there is NumPy. You will not take them on trust. You fit the same line
# twice, once in NumPy by hand and once with Tensors, and you meet each reason as a NumPy cell that lets you down: with an error, or, worse, without.
#
# At the end you can
#
# - fit a line by following slopes downhill,
# - check a slope that you derived by hand,
# - train the same line with `backward()`, and name two traps in the training loop,
# - say exactly what NumPy lacks, and what it does not lack.

# %% [markdown]
# ## Before you start
# You know Python and a little NumPy: arrays, `mean`, `x * y`. A *slope* says how far a result moves when you move an input by a little. No
# more calculus than that.
#
# `mt` is minitensor, the small library behind this course. Its names are PyTorch's: apart from the pictures, the code below runs with
# `import torch as mt`, too.

# %%
import numpy as np
import minitensor as mt
from minitensor import viz
from exercises import ch00
from kit import shows_error
from kit.data import penguins
from kit.figures import ch00 as figures

# %% [markdown]
# ## 1. Fit a line by hand
# Can you guess a penguin's mass from the length of its flipper? Here are 342 penguins of Antarctica. Millimetres and grams are
# awkward: we *standardise* both. Subtract the mean, divide by the standard deviation. Now 0 means "average" and 1 means
# "larger than average by one typical difference".

# %%
flipper, mass = penguins()
x = (flipper - flipper.mean()) / flipper.std()
y = (mass - mass.mean()) / mass.std()
figures.scatter(flipper, mass)

# %% [markdown]
# Our model is a line with two *parameters*, `w` and `b`. The *loss* measures how bad they are: the mean of the squared misses. A flat
# line through the average has loss 1, by the way we scaled. A guess of 0.5 for `w` is better.

# %%
def line(x, w, b):
    return w * x + b

def loss(predicted, target):
    return ((predicted - target) ** 2).mean()

print(f"w = 0.0: loss {loss(line(x, 0.0, 0.0), y):.3f}")
print(f"w = 0.5: loss {loss(line(x, 0.5, 0.0), y):.3f}")

# %% [markdown]
# To improve a guess, ask for the slope of the loss at each parameter, then step downhill. With pen and paper, for
# one bird: the square of a miss moves `2 * miss` times as far as the miss. The miss moves `x` times as far as `w`, and as far as `b`.
# Multiply the two. Then take the mean over the birds.

# %%
def slopes(x, y, w, b, model=line):
    miss = model(x, w, b) - y
    return 2 * (miss * x).mean(), 2 * miss.mean()

# %% [markdown]
# Never trust a slope from pen and paper before you have *nudged*: move `w` a little up and a little down, and see how far the loss
# moves. Chapter 01 is about nudging alone.

# %%
def nudge(f, at, h=0.001):
    return (f(at + h) - f(at - h)) / (2 * h)

by_hand, _ = slopes(x, y, 0.0, 0.0)
nudged = nudge(lambda w: loss(line(x, w, 0.0), y), 0.0)
print(f"slope at w: by hand {by_hand:.3f}, by nudging {nudged:.3f}")

# %% [markdown]
# They agree. The slope is negative: a larger `w` means a smaller loss. So step *against* the slope, again and again. The *learning rate*
# says how far.

# %%
def fit(x, y, rate, model=line, steps=30):
    w, b, losses = 0.0, 0.0, []
    for _ in range(steps):
        losses.append(loss(model(x, w, b), y))
        slope_w, slope_b = slopes(x, y, w, b, model)
        w, b = w - rate * slope_w, b - rate * slope_b
    return w, b, losses

w_hand, b_hand, losses = fit(x, y, rate=0.1)
print(f"w {w_hand:.3f}, loss {losses[0]:.3f} at first, {losses[-1]:.3f} at the last step")

# %%
figures.fitted(flipper, mass, w_hand, b_hand)

# %% [markdown]
# <!-- predict -->
# The rate was 0.1. A larger rate takes longer steps. With a rate of 1.1, will it arrive sooner, later, or never?
# <!-- open -->
# Never. Each step goes downhill, but so far that it lands higher up on the other side. The next step is longer still. The
# loss *grows*.

# %%
figures.rates(lambda rate: fit(x, y, rate), (0.01, 0.1, 0.5, 1.1))

# %% [markdown]
# A rate of 0.5 is at the bottom after a single step. That is the luck of this loss: a bowl that standardising made perfectly round.
# Do not count on it. Vary: move the slider. Where does the loss begin to grow?
#
# <details>
# <summary>Open when you have tried</summary>
#
# Just above 1.0. At 1.0 each step lands exactly as high on the other side, and the loss stays where it was.
#
# </details>

# %%
figures.rate_slider(lambda rate: fit(x, y, rate))

# %% [markdown]
# ## 2. Fit it again with Tensors
# NumPy did this well. Now the same with Tensors. `from_numpy` makes a Tensor of an array. `requires_grad=True` says: of this
# one, I shall want the slope. (A slope is also called a *gradient*.) `line` and `loss` stay as they are.

# %%
x_t, y_t = mt.from_numpy(x), mt.from_numpy(y)
w = mt.tensor(0.0, requires_grad=True)
b = mt.tensor(0.0, requires_grad=True)

error = loss(line(x_t, w, b), y_t)
error

# %% [markdown]
# The value is the one from section 1. New is `grad_fn`: the Tensor knows which operation made it, and from what. The whole calculation is on
# record. Here it is. (You will not find `y_t` in it: to know the slope of a subtraction, nobody needs to remember what was subtracted.)

# %%
viz.draw(error)

# %% [markdown]
# <!-- predict -->
# `error.backward()` walks this record from the end to the start. Nobody tells it our formula. What will be in `w.grad`?
# <!-- open -->
# The very number that `slopes` gave, down to rounding. Every operation knows its own slope, and `backward` multiplies and adds them. You will build
# this yourself in [chapter 02](02_a_scalar_engine.ipynb).

# %%
error.backward()
print(f"by hand {by_hand:.3f}, by backward {w.grad.item():.3f}")

# %% [markdown]
# Now step downhill. What `fit` did in NumPy, `w = w - rate * slope`, looks right here, too. It is the first trap: `w - 0.1 * w.grad` makes a *new* Tensor, a
# result with a `grad_fn`, and the name `w` now points to it. Only the inputs that you marked get a gradient. (`quietly` holds back a
# warning that chapter 06 explains.)

# %%
w = w - 0.1 * w.grad
print("w:", w)
loss(line(x_t, w, b), y_t).backward()
figures.quietly(lambda: print("w.grad:", w.grad))

# %% [markdown]
# So the second step would fail: there is no gradient to follow. The repair: change `w` itself, in place, by `-=`. And do it under
# `no_grad`, since the step is no part of the model and should not go on record.

# %%
def step(parameters, rate):
    with mt.no_grad():
        for p in parameters:
            p -= rate * p.grad
            p.grad = None

# %% [markdown]
# The last line is about the second trap: `backward` *adds* to `grad`. Unless you forget the old gradient, each step follows the sum
# of all slopes so far. Does it matter? Thirty steps down the bowl p², from 5, once with forgetting and once without:

# %%
def descend(forget):
    p, path = mt.tensor(5.0, requires_grad=True), [5.0]
    for _ in range(30):
        (p * p).backward()
        with mt.no_grad():
            p -= 0.1 * p.grad
        p.grad = None if forget else p.grad
        path.append(p.item())
    return path

figures.paths(descend(True), descend(False))

# %% [markdown]
# With both traps behind us, the loop. It trains any model, with any number of parameters, and there is no `slopes` in it.

# %%
def train(model, parameters, target, rate, steps):
    for _ in range(steps):
        error = loss(model(x_t, *parameters), target)
        error.backward()
        step(parameters, rate)
    return error.item()

w, b = mt.tensor(0.0, requires_grad=True), mt.tensor(0.0, requires_grad=True)
last = train(line, [w, b], y_t, rate=0.1, steps=30)
print(f"NumPy by hand: w {w_hand:.3f}, loss {losses[-1]:.3f}")
print(f"Tensors:       w {w.item():.3f}, loss {last:.3f}")

# %% [markdown]
# ## 3. Change the model
# The same numbers, so nothing gained yet. But a line is a poor idea here: it gives a short enough flipper a mass below
# zero. Let the mass *grow by a percentage* with each step in length: `exp(w * x + b)`, in kilograms.
# (`exp` raises 2.718 to a power: where the power grows by a step, the result is multiplied.)
#
# <!-- predict -->
# We hand the new model to the old `fit`, and forget that `slopes` was derived for a line. What will happen: an error, a loss that grows, or
# a loss that falls?
# <!-- open -->
# The loss falls, and settles. That is worse than an error: it looks like success. Nothing says that the slopes are wrong.

# %%
def growth(x, w, b):
    return np.exp(w * x + b)

kg = mass / 1000
w_old, b_old, losses = fit(x, kg, rate=0.02, model=growth, steps=100)
print(f"loss {losses[0]:.3f} at first, {losses[-1]:.5f} at the last step")

# %% [markdown]
# Nudge before you trust. At the place where it settled, the slope at `w` should be 0, as at the bottom of any bowl. And look at one place more,
# a little off: `w` 0.2 and `b` 1.4.

# %%
def compare(w, b):
    by_hand, _ = slopes(x, kg, w, b, growth)
    nudged = nudge(lambda w: loss(growth(x, w, b), kg), w)
    print(f"at w = {w:.3f}: by hand {by_hand:z.3f}, by nudging {nudged:.3f}")  # z: no -0.000
    return by_hand, nudged

compare(w_old, b_old)
hand_says, truth = compare(0.2, 1.4)

# %% [markdown]
# `fit` stopped where *its* slope is 0. The nudge says that this is not the bottom, and at the second place the two do not even come near each other.
# `slopes` lacks a factor: `exp` now stands between the line and the miss, and its slope is `exp` again. So by hand you derive it anew, for
# this model and for each that follows:

# %%
def slopes_of_growth(x, y, w, b):
    predicted = growth(x, w, b)
    miss = predicted - y
    return 2 * (miss * predicted * x).mean(), 2 * (miss * predicted).mean()

print(f"by hand, again: {slopes_of_growth(x, kg, 0.2, 1.4)[0]:.3f}")

# %% [markdown]
# With Tensors: write the model. That is all. This is the first reason, *autograd*: gradients of whatever you wrote. (`np.exp` becomes
# `.exp()`, so that it goes on record.)

# %%
def growth_t(x, w, b):
    return (w * x + b).exp()

kg_t = mt.from_numpy(kg)
w, b = mt.tensor(0.2, requires_grad=True), mt.tensor(1.4, requires_grad=True)
loss(growth_t(x_t, w, b), kg_t).backward()
print(f"by backward: {w.grad.item():.3f}")

# %% [markdown]
# Train it, and it ends lower than the one with the wrong slopes. Not by much here. Nobody would have noticed. Vary: in `growth_t`, put
# `.tanh() * 3 + 4` in place of `.exp()`, and train again. How much else did you have to change?
#
# <details>
# <summary>Open when you have tried</summary>
#
# Nothing: neither the loop nor any slope. The loss falls with this model, too.
#
# </details>

# %%
w, b = mt.tensor(0.0, requires_grad=True), mt.tensor(0.0, requires_grad=True)
last = train(growth_t, [w, b], kg_t, rate=0.02, steps=100)
print(f"wrong slopes: w {w_old:.3f}, loss {losses[-1]:.5f}")
print(f"backward:     w {w.item():.3f}, loss {last:.5f}")

# %% [markdown]
# ## 4. Ask where numbers live, and what kind they are
# Large models are trained on a *GPU*, a processor with memory of its own. An array lives in the computer's main memory, always. NumPy even
# has a parameter `device`. It accepts one word:

# %%
with shows_error(ValueError, says='Only "cpu" is allowed'):
    np.zeros(3, device="cuda")

# %% [markdown]
# A Tensor has a device, and moves. With an NVIDIA GPU and CuPy installed, change the word to `"cuda"`. The rest of the code stays: this
# is the second reason, *the GPU*. When it pays is a question of its own: see chapters 08 and 09.

# %%
device = "cpu"
x_t.to(device).device

# %% [markdown]
# Third, the *kind* of number, its dtype. Deep learning runs on `float32` and smaller: half the memory of `float64`, or less. NumPy was made
# for scientists, who want `float64`. Our `x` is `float32`.
#
# <!-- predict -->
# What is the dtype of `x * 0.8`? And of `x * np.sqrt(2 / 3)`, which is the same kind of thing: an array times a number?
# <!-- open -->
# `float32`, and `float64`. A Python number takes on the array's kind. But `np.sqrt` returns a NumPy number, a `np.float64`, and that one widens
# the whole array. Nothing warns you.

# %%
for scaled in (x, x * 0.8, x * np.sqrt(2 / 3)):
    print(scaled.dtype, scaled.nbytes, "bytes")

# %% [markdown]
# Such factors are everywhere in deep learning. One of them, and all that follows takes twice the memory. A Tensor keeps its kind:

# %%
for scaled in (x_t, x_t * 0.8, x_t * np.sqrt(2 / 3)):
    print(scaled.dtype, scaled.nbytes, "bytes")

# %% [markdown]
# (`x * np.float32(0.8)` is the cure in NumPy, if you think of it each time.) It is the same with layouts and labels. A Tensor's operations expect pictures as
# batch × channels × height × width, and class labels as the integers called `long`, and most others they refuse. For NumPy an axis is an axis, a number is a number. So the
# third reason is *data of deep learning*. Chapter 04 shows it at work.

# %% [markdown]
# ## 5. Put parts together
# In NumPy, a parameter and its slope are two loose arrays. An array has no room for a slope:

# %%
parameter = np.zeros(3)
with shows_error(AttributeError, says="has no attribute 'grad'"):
    parameter.grad = np.ones(3)

# %% [markdown]
# So the pairing is up to you, in every loop that you write. (Or in a class of your own: then every part must know your class.)
#
# <!-- predict -->
# Below, two slopes are caught in the wrong order. Both are numbers. What will happen: an error, a slower fit, or a loss that grows?
# <!-- open -->
# The loss grows, without an error. Each parameter follows the slope of the other.

# %%
w = b = 0.0
for _ in range(30):
    slope_b, slope_w = slopes(x, y, w, b)
    w, b = w - 0.1 * slope_w, b - 0.1 * slope_b
first, last = loss(line(x, 0.0, 0.0), y), loss(line(x, w, b), y)
print(f"loss {first:.0f} at first, {last / 1000:.0f} thousand at the end")

# %% [markdown]
# A Tensor carries its own `grad`. That is why our `step` could be five lines: it takes any list of parameters, of any model. Here is a
# small neural network. Each of its 8 *units* bends a line of its own, `tanh(x * a + c)`. Then `v` says how much of each goes into the sum, and `d` shifts it.
# `loss`, `step` and `train` are the old ones.

# %%
mt.manual_seed(0)
sizes = (8,), (8,), (8,), ()  # of a, c, v and d
parameters = [mt.randn(size, requires_grad=True) for size in sizes]

def network(x, a, c, v, d):
    hidden = (x[:, None] * a + c).tanh()
    return hidden @ v + d

print(sum(p.numel() for p in parameters), "numbers to learn")

# %%
def two_zeros():
    return [mt.tensor(0.0, requires_grad=True) for _ in range(2)]

fits = {}
for model, start in ((line, two_zeros()), (growth_t, two_zeros()), (network, parameters)):
    error = train(model, start, kg_t, rate=0.02, steps=500)
    print(f"{model.__name__:8} loss {error:.4f}")
    fits[model.__name__] = model(x_t, *start).detach().numpy()

# %%
figures.curves(flipper, kg, fits)

# %% [markdown]
# The smaller loss of the network is no proof that it is the better model: these are the birds that it has learnt from. Chapter 11 takes this up. Here the
# point is the fourth reason, *parts that fit together*. Parameters, losses and optimisers agree on one thing: `p.grad`. So PyTorch's hundreds of
# parts fit each other, and fit yours.

# %% [markdown]
# ## 6. Pay only for what you use
# Say `b` is known, and only `w` is to be learnt. `slopes` works out both all the same. You could write a second function. With more
# parameters, how many functions would it take, one for each choice of what to train?

# %%
slope_w, thrown_away = slopes(x, y, 0.0, 0.0)
for count in (2, 4, 25):
    print(f"{count:2} parameters: {2**count - 1:,} choices of what to train")

# %% [markdown]
# (Or one function full of `if`s.) With Tensors you say it once, at the parameter.
#
# <!-- predict -->
# Below, `b` is made without `requires_grad`. What is in `b.grad` after `backward`: 0, None, or the slope?
# <!-- open -->
# None. The record notes what needs a gradient, and the walk back never sets out for `b`. Nothing is worked out and thrown away.

# %%
w, b = mt.tensor(0.0, requires_grad=True), mt.tensor(0.0)
loss(line(x_t, w, b), y_t).backward()
print(f"w.grad {w.grad.item():.3f}, b.grad {b.grad}")

# %% [markdown]
# Recording has a price: it keeps values for the walk back. To predict, you need no walk back, and here plain NumPy would be the cheaper one. So switch
# the record off. You have used `no_grad` already, for the step.

# %%
with mt.no_grad():
    predicted = line(x_t, w, b)
print("on record:", predicted.grad_fn)

# %% [markdown]
# Nor do you leave NumPy behind. `from_numpy` copies nothing, nor does `.numpy()`: two names for one piece of memory. So every tool that
# speaks NumPy stays usable at no cost. *Shared memory, and only the work that is needed*: the fifth reason.

# %%
np.shares_memory(x_t.numpy(), x)

# %% [markdown]
# Here are all five. On the left, what the NumPy cells said. On the right, the Tensor's line.
#
# Go back to a cell: [1 in section 3](#3.-Change-the-model), [2 and 3 in section 4](#4.-Ask-where-numbers-live,-and-what-kind-they-are),
# [4 in section 5](#5.-Put-parts-together), [5 in section 6](#6.-Pay-only-for-what-you-use).

# %%
figures.five_reasons(x, x_t, slope=(hand_says, truth))

# %% [markdown]
# None of the five says that NumPy computes badly. minitensor itself computes with NumPy, in every operation. A Tensor is an array *and* a record, a device, a
# set of rules, and an agreement.

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: bent_slopes -->

# %% [markdown]
# <!-- exercise: update -->

# %% [markdown]
# <!-- exercise: match -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - Fitting means: work out the loss, get its slope at each parameter, step against it, repeat.
# - Slopes by hand belong to one model. Change the model, and they are wrong without a word.
# - `backward()` works out the slope of whatever you wrote. It adds to `grad`: forget the old one before the next.
# - Change a parameter in place, under `no_grad`. Rebinding its name makes a new Tensor that gets no gradient.
# - The five reasons: autograd; the GPU; data of deep learning; parts that fit together; shared memory and only the work that is needed.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | make a parameter | `w = mt.tensor(0.0, requires_grad=True)` |
# | take in an array, without a copy | `x_t = mt.from_numpy(x)` |
# | get all slopes | `error.backward()`, then `w.grad` |
# | step | `with mt.no_grad(): w -= rate * w.grad` |
# | forget the old slope | `w.grad = None` |
# | predict, without a record | `with mt.no_grad(): ...` |
# | get a plain number | `w.item()` |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `import minitensor as mt` | `import torch` |
# | all of the lines in the cheat-sheet | the same, with `torch` in place of `mt` |
# | `loss(predicted, target)` | `torch.nn.functional.mse_loss(predicted, target)` |
# | `step(parameters, rate)` | `optimizer.step()`, then `optimizer.zero_grad()`, for `torch.optim.SGD(parameters, rate)` |
# | `"cuda"` needs CuPy | `"cuda"` needs a build of PyTorch for CUDA |

# %% [markdown]
# <!-- next -->
# `backward` is no magic. You will find slopes by nudging, then build an engine that finds them by itself.
