# %% [markdown]
# # 07 · Share memory, and see what stays alive
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A timeline of the memory of a training step: every array, from the moment it is made to the moment it is freed, on the way there and back.
#
# At the end you can
#
# - say which calls share memory with NumPy and with other Tensors, and which copy,
# - hand numbers out of a training loop so that nobody can spoil them,
# - find out who keeps a large buffer alive,
# - count the memory that a training step needs, before you run it.

# %% [markdown]
# ## Before you start
# You know views and strides of Tensors by sight: `view`, `.T`, `x[0]` show the same numbers in another shape. You know what the tape is, and what `detach` and `no_grad`
# do ([chapter 06](06_leaves_and_the_tape.ipynb)).
#
# A *buffer* here is a stretch of memory that holds numbers, and nothing else. Arrays and Tensors are small objects that point to one.

# %%
import numpy as np
import minitensor as mt
from minitensor import viz
from exercises import ch07
from kit import shows_error
from kit.figures import ch07 as figures

# %% [markdown]
# ## 1. Give one buffer two names
# Plain Python hands numbers on in lists. Through a list, an array is copied twice: into Python numbers, and back. Within NumPy, a part of an array is no
# copy at all:

# %%
a = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32)
through_a_list = np.array(a.tolist(), dtype=np.float32)
part = a[1:3]
a[1] = 20
print("through a list:", through_a_list)
print("part of a:     ", part)

# %% [markdown]
# Where two libraries meet, copying would be clumsy. This is one batch of pictures, 64 of them, in three colours:

# %%
pictures = np.zeros((64, 3, 224, 224), dtype=np.float32)
print(f"{pictures.nbytes / 1e6:.1f} MB")

# %% [markdown]
# Copied at each crossing, they would be there twice, at every step of training.
#
# <!-- predict -->
# Two Tensors are made of the array `a`: by `from_numpy` and by `tensor`. Then `a[0] = 7`, *afterwards*. Which of the two will show the 7?
# <!-- open -->
# The one made by `from_numpy`: it points to the very buffer of `a`. `tensor` copies, always.

# %%
a = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32)
t, c = mt.from_numpy(a), mt.tensor(a)
a[0] = 7
print("from_numpy:", t)
print("tensor:    ", c)

# %% [markdown]
# It works in both directions. What is written through `t` appears in `a`. Nothing was exchanged: there is only one buffer, under two names.

# %%
t[3] = 50
figures.buffers({"a": a, "t": t, "c": c})

# %% [markdown]
# So crossing over is free, whatever the size. The price: a change on one side is a change on the other. If you want a Tensor of your own, say `mt.tensor(a)`. Vary: is
# `mt.from_numpy(a.astype(np.float64))` tied to `a`? And `mt.as_tensor(a)`?

# %% [markdown]
# ## 2. Look through a view
# Tensors share with each other as well.
#
# <!-- predict -->
# `v = x.view(2, 3)`, then `v[0, 0] = 9`. Does `x` change?
# <!-- open -->
# Yes. `view` makes a new *shape* for the same buffer. Writing to the view writes through to `x`.

# %%
x = mt.arange(6.0)
v = x.view(2, 3)
v[0, 0] = 9
x

# %% [markdown]
# Neither does `detach` copy, though the word sounds like it. It takes the tape off, not the memory:

# %%
d = x.detach()
d[1] = 5
x

# %% [markdown]
# Which calls share, then, and which copy? Go through the ten below first, and decide. Then ask the memory: NumPy can tell whether two arrays overlap.

# %%
def shares(one, other):
    return np.shares_memory(one.detach().numpy(), other.detach().numpy())

x = mt.arange(6.0).view(2, 3)
results = {
    "x[0]": x[0], "x.T": x.T, "x.detach()": x.detach(), "x.float()": x.float(),
    "x.reshape(6)": x.reshape(6), "x.T.reshape(6)": x.T.reshape(6),
    "x[[0]]": x[[0]], "x + 0": x + 0, "x.double()": x.double(), "x.clone()": x.clone(),
}
for code, result in results.items():
    print(f"{code:15}", "shares" if shares(x, result) else "copies")

# %% [markdown]
# Look again at three pairs. `x[0]` shares, `x[[0]]` copies: a list of places may jump about, so it cannot always be written as a start and a stride. `float()` finds nothing to do, as `x` is float32;
# `double()` has to copy. And `reshape` does both: it shares where the
# numbers lie in the right order, and copies where they do not, without a word. `view` never copies. Where it cannot share, it refuses:

# %%
with shows_error(RuntimeError, says="view size is not compatible"):
    x.T.view(6)

# %% [markdown]
# Now test yourself. Pick a cell, tick who will change, then write. Everything here began with the array `a`.

# %%
figures.aliases()

# %% [markdown]
# Vary: is there a cell of `a` that `p` does not see? And can you write to `c` so that anyone notices?

# %% [markdown]
# ## 3. Hand numbers out safely
# To plot or to save, you want the numbers in NumPy.
#
# <!-- predict -->
# `w` is a parameter, `w.numpy()` the obvious call. Will it share, copy or fail?
# <!-- open -->
# It fails. A change through NumPy would not be seen by the tape, so a Tensor that asks for a gradient is not handed out just like that.

# %%
w = mt.tensor([1.0, 2.0], requires_grad=True)
with shows_error(RuntimeError):
    w.numpy()

# %% [markdown]
# So `.numpy()` does not always work. The second case is a Tensor on a GPU: its buffer lies in the memory of another device, where NumPy cannot look. This
# cell tries it, if you have one:

# %% tags=["nbval-ignore-output"]
if mt.cuda.is_available():
    with shows_error(TypeError):
        w.detach().to("cuda").numpy()
else:
    print("no GPU here")

# %% [markdown]
# `.cpu()` brings the numbers over, and costs nothing where they are at home already. With `detach` and `cpu`, no error is left. But one trap is. To draw the way that
# a parameter takes, we put its numbers into the list `history` after each step.
#
# <!-- predict -->
# Three steps downhill from 1, each to 0.8 of where it was, with `history.append(w.detach().cpu().numpy())`. What will be in `history`?
# <!-- open -->
# Three times the last number. The list holds three arrays, and they all look at one buffer: that of `w`, which the steps change in place.

# %%
def descend(take):
    w, history = mt.tensor([1.0], requires_grad=True), []
    for _ in range(3):
        (w * w).backward()
        with mt.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
        history.append(take(w))
    return [f"{taken.item():.3f}" for taken in history]

descend(lambda w: w.detach().cpu().numpy())

# %% [markdown]
# The plot would show a point. Whoever hands out numbers from a buffer that goes on changing has to copy:

# %%
descend(lambda w: w.detach().cpu().numpy().copy())

# %% [markdown]
# Vary: take `w.clone()` instead. The numbers are right. Now let `descend` return `history` itself: what do its entries hold beside their numbers? (A `grad_fn`: a log of
# these is a log of tapes.)

# %% [markdown]
# ## 4. Ask who keeps it alive
# A buffer is freed when the last object that points to it is gone. `del` removes a *name*, nothing more. To watch, we need to measure. `viz.memory` counts the
# bytes of all *results* that are made inside its block, and goes on counting until they are gone. What you make from nothing, such as `zeros`, is no result. So we add 1:

# %%
with viz.memory() as m:
    big = mt.zeros(1000, 1000) + 1
    print(f"{m.bytes:9,} bytes alive")
    row = big[0]
    print(f"{m.bytes:9,} bytes alive, with a view of one row")

# %% [markdown]
# <!-- predict -->
# We need only `row`, a thousand numbers, and say `del big`. How many bytes are alive then: 4 million, 4 thousand, or none?
# <!-- open -->
# 4 million. The row is a view: it points to the whole buffer, and a buffer is freed as a whole or not at all.

# %%
del big
print(f"{m.bytes:9,} bytes alive, after del big")
row = row.clone()
print(f"{m.bytes:9,} bytes alive, once row is a copy of its own (made outside, not counted)")

# %% [markdown]
# So a small view can hold a large buffer. A list of such rows is a common leak: keep `x[i].clone()`, not `x[i]`. The same holds for NumPy's slices. And it has a good
# side: a Tensor on an array's buffer keeps that buffer alive, whoever else lets go.

# %%
def borrow():
    local = np.array([1.0, 2.0])
    return mt.from_numpy(local)

borrow()  # the name `local` is gone, the buffer is not

# %% [markdown]
# ## 5. See what the tape keeps
# The tape is the largest holder of all. On the walk back, each step has a rule, and many rules need values from the way there. In NumPy, by hand, you decide yourself
# what to keep, in each function, with a switch for those who only want the result:

# %%
def by_hand(x, steps, keep):
    kept = []
    for _ in range(steps):
        x = np.exp(-x)
        if keep:
            kept.append(x)  # the way back will need it
    return x, kept

result, kept = by_hand(np.zeros(1000), steps=10, keep=True)
print(len(kept), "arrays kept for the way back")

# %% [markdown]
# On a Tensor the tape decides, step by step. The results that wait for the walk back are called *activations*.
#
# <!-- predict -->
# Ten steps, each on a million numbers. How many of the ten results are alive at the end, if each step is `x + 1`? And if it is `x.exp()`?
# <!-- open -->
# One, and ten. The slope of a sum is 1, whatever went in: nothing is kept but the last result. The slope of `exp` is its own result, so each is kept.

# %%
def buffers_alive(step):
    y = mt.zeros(1000, 1000, requires_grad=True)
    with viz.memory() as m:
        for _ in range(10):
            y = step(y)
    return m.bytes // 4_000_000

matrix = mt.eye(1000)
for name, step in {
    "x + 1": lambda x: x + 1,
    "x.exp()": lambda x: x.exp(),
    "x.T": lambda x: x.T,
    "x @ matrix": lambda x: x @ matrix,
}.items():
    print(f"{name:10}", buffers_alive(step))

# %% [markdown]
# A view such as `x.T` has no buffer of its own. The last line may surprise: of ten matrix products, one result is alive. The matrix asks for no gradient here, so only the rule for `x` will run, and that needs the
# matrix alone. The tape keeps what the rules *that will run* need. Under `no_grad`, none will:

# %%
with mt.no_grad():
    print("x.exp(), no_grad:", buffers_alive(lambda x: x.exp()))

# %% [markdown]
# Now a network: three layers of 64 units, for a batch of 512 rows. `names` tells `viz.memory` later what to call the parameters.

# %%
mt.manual_seed(0)
names, layers = {}, []
for i in range(1, 4):
    W, b = mt.randn(64, 64) * 0.1, mt.zeros(64)
    layers.append((W.requires_grad_(), b.requires_grad_()))
    names |= {f"W{i}": W, f"b{i}": b}

def network(x):
    for W, b in layers:
        x = (x @ W + b).relu()
    return x

print(f"{network(mt.zeros(512, 64)).nbytes:,} bytes between two layers")

# %% [markdown]
# `measure` goes there and back once, and watches. We do it in three ways: as in training, with `retain_graph`, and without a tape.

# %%
def measure(walk, record=True):
    for p in names.values():
        p.grad = None
    with viz.memory(names) as m, mt.set_grad_enabled(record):  # False: as no_grad
        loss = network(mt.zeros(512, 64)).mean()
        walk(loss)
    return m

runs = {
    "train": measure(lambda loss: loss.backward()),
    "retain_graph": measure(lambda loss: loss.backward(retain_graph=True)),
    "no_grad": measure(lambda loss: None, record=False),
}

# %% [markdown]
# <!-- predict -->
# On the way there, training takes more memory with every layer. And on the way back: does it grow, shrink, or both?
# <!-- open -->
# Both. Each gradient on the way takes room for a moment, and those of the parameters stay. But the activations are freed as the walk passes them, so at the end only
# the gradients of the parameters are left: 50 kilobytes. With `retain_graph` nothing of the tape is freed.

# %%
figures.timeline(runs)

# %% [markdown]
# Each bar below is one buffer, from birth to death. Move through the steps; switch between the runs.

# %%
figures.lifelines(runs)

# %% [markdown]
# Find them: the results of `matmul` and `add` die soon, as nobody's rule asks for them. The results of `relu` wait for the walk back: one
# activation a layer. Under `no_grad` they die, too: never more than three buffers at a time.
#
# Vary, and run again from the network on: six layers, `range(1, 7)`. Which of the three peaks stays? Then `.exp().tanh()` for `.relu()`: how many activations a
# layer? (`print(runs["train"])` lists them.)

# %% [markdown]
# ## 6. Count it before you run it
# When training stops with "out of memory", look at the activations first. We measure them after the way there, for four batches.
#
# <!-- predict -->
# Four times as many rows in a batch. Which of these grow four times: parameters, their gradients, activations?
# <!-- open -->
# Only the activations. There is one set of them for each row; parameters and gradients are there once, whatever the batch.

# %%
def activation_bytes(batch):
    with viz.memory() as m:
        out = network(mt.zeros(batch, 64))
    return m.bytes

batches = [16, 64, 256, 1024]
measured = [activation_bytes(batch) for batch in batches]
parameters = sum(p.nbytes for p in names.values())
for batch, found in zip(batches, measured):
    print(f"batch {batch:4}: activations {found:9,} bytes, parameters {parameters:9,}")

# %% [markdown]
# Three layers, each with a result of `batch × 64` numbers of 4 bytes: that is all the measured number is. The formula is your last exercise.

# %%
figures.batches(batches, measured, parameters)

# %% [markdown]
# So there are ways out, cheapest first: `no_grad` wherever there is no walk back; a smaller batch; 2 bytes a number in place of 4. Or keep only some activations, and
# calculate the others again on the way back: time for memory. Vary: at which batch do the activations overtake parameters *and* gradients?

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: shared -->

# %% [markdown]
# <!-- exercise: export -->

# %% [markdown]
# <!-- exercise: activations -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - `from_numpy` and `.numpy()` share one buffer; `mt.tensor` copies. Crossing over is free, and changes cross over, too.
# - `view`, `.T`, slices and `detach` share. A list of places, arithmetic, another dtype and `clone` copy. `reshape` does either.
# - `.numpy()` refuses Tensors that ask for a gradient, and those on a GPU. What leaves a training loop has to be copied.
# - A buffer lives until the last view of it is gone, and as a whole.
# - The tape keeps what the rules that will run need: nothing for a sum, a result for `exp` and `relu`. `backward` frees it, `no_grad` never keeps it.
# - Activations grow with the batch. Parameters and their gradients do not.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | take an array in, sharing | `mt.from_numpy(a)` |
# | take an array in, as a copy | `mt.tensor(a)` |
# | look at a parameter from NumPy | `w.detach().cpu().numpy()` |
# | keep what it is now | `w.detach().cpu().numpy().copy()` |
# | ask whether two share | `np.shares_memory(x.detach().numpy(), y.detach().numpy())` |
# | another shape, never a copy | `x.view(...)` |
# | keep a small part of a big Tensor | `x[i].clone()` |
# | measure | `with viz.memory() as m: ...`, then `m.bytes`, `m.peak`, `m` |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | all of the cheat-sheet but its last line | the same |
# | `viz.memory()` | `torch.profiler`; on a GPU `torch.cuda.max_memory_allocated()` |
# | calculate activations again on the way back | `torch.utils.checkpoint.checkpoint(block, x)` |
# | 2 bytes a number | `torch.autocast` |
#
# `from_numpy` takes no array with negative strides, such as `a[::-1]`, and warns about one that is read-only: both as in PyTorch.

# %% [markdown]
# <!-- next -->
# So far one processor did all the work, in one memory. A GPU is another processor, with a memory of its own. How much faster is it? That is easy to measure wrongly.
