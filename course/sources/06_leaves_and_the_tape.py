# %% [markdown]
# # 06 · Leave the tape, and come back
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# An update rule that trains, and a table of the five ways off the tape: what each shares, and what each hides.
#
# At the end you can
#
# - say which tensors get a `.grad`, and why the others do not,
# - change a tensor in place where that is safe, and read the error where it is not,
# - keep a log of losses that does not eat your memory.

# %% [markdown]
# ## Before you start
# You know from chapter 03 that backward walks the recorded steps from the result to the inputs, and that gradients add up. All recorded
# steps together are called the *tape*. The inputs at its start are its *leaves*.

# %%
import warnings

import minitensor as mt
from exercises import ch06
from kit import shows_error
from kit.figures import ch06 as figures
from minitensor import viz

warnings.filterwarnings("ignore", message="The .grad attribute")  # section 1 says it at leisure

# %% [markdown]
# ## 1. Leaves get gradients, results do not
# A tensor that you make yourself is a leaf. A tensor that an operation made is a result.
#
# <!-- predict -->
# `y = 2 * x`, then backward from `y`'s sum. Which of `x.grad` and `y.grad` is filled?
# <!-- open -->
# Only `x.grad`. A result's gradient is needed on the way, and dropped when it has been passed on.

# %%
x = mt.tensor([1.0, 2.0], requires_grad=True)
y = 2 * x
y.sum().backward()
print("x: a leaf?", x.is_leaf, " grad:", x.grad)
print("y: a leaf?", y.is_leaf, " grad:", y.grad)

# %% [markdown]
# If you want a result's gradient, ask before you walk:

# %%
y = 2 * x
y.retain_grad()
(y * y).sum().backward()
y.grad

# %% [markdown]
# Here is a trap. This looks like a small random weight that can learn:

# %%
gen = mt.Generator().manual_seed(0)
w = mt.randn(3, requires_grad=True, generator=gen) * 0.01
print("a leaf?", w.is_leaf, " made by:", w.grad_fn.name())

# %% [markdown]
# `w` is the result of a product. The leaf is the tensor before `* 0.01`, and nobody holds its name. Scale first, then ask for gradients:

# %%
w = mt.randn(3, generator=gen) * 0.01
w.requires_grad_()
w.is_leaf

# %% [markdown]
# ## 2. An update must move the leaf
# Training changes a leaf against its gradient. Written as in mathematics, it goes wrong.
#
# <!-- predict -->
# After `w = w - 0.1 * w.grad`, and another backward: what is `w.grad`?
# <!-- open -->
# None. The name `w` now stands for a result. The old leaf still exists, but you lost it.

# %%
w = mt.tensor(3.0, requires_grad=True)
(w * w).backward()
w = w - 0.1 * w.grad
(w * w).backward()
print("a leaf?", w.is_leaf, " grad:", w.grad)
viz.draw(w, caption="w is a result")

# %% [markdown]
# The box without a name is the old leaf. It still collects gradients, but no name leads to it any more.
#
# Changing the leaf itself is the right idea. But while the tape runs, it is refused: what would the gradient of a leaf that was two
# things be?

# %%
w = mt.tensor(3.0, requires_grad=True)
(w * w).backward()
with shows_error(RuntimeError):
    w -= 0.1 * w.grad

# %% [markdown]
# So stop the tape for the one line that is no part of the model:

# %%
with mt.no_grad():
    w -= 0.1 * w.grad
w, w.is_leaf

# %% [markdown]
# One more line is needed in a loop: clear the gradient, or the next backward adds to it. Where you put it matters. This loop clears it too
# early:

# %%
w = mt.tensor(3.0, requires_grad=True)
for _ in range(3):
    (w * w).backward()
    w.grad = mt.zeros_like(w)  # too early
    with mt.no_grad():
        w -= 0.1 * w.grad
w

# %% [markdown]
# `w` has not moved. The order is: backward, step, clear.
#
# ## 3. In place, where it is safe
# `exp` needs its own result for its gradient: the slope of eˣ is eˣ. So it saves it. `2 * x` needs only the 2.
#
# <!-- predict -->
# Two results are changed by `+= 1` before backward: `2 * x` and `x.exp()`. Which one fails?
# <!-- open -->
# Only `exp`. Somebody saved its value, and now it is another.

# %%
x = mt.tensor(1.0, requires_grad=True)
y = 2 * x
y += 1
y.backward()
x.grad

# %%
y = x.exp()
y += 1
with shows_error(RuntimeError, says="modified by an inplace operation"):
    y.backward()

# %% [markdown]
# Every change in place is counted. Backward compares the count with the one at the time of saving:

# %%
y = x.exp()
print("changes so far:", y._version)
y += 1
print("changes so far:", y._version)

# %% [markdown]
# So in-place changes are neither forbidden nor free. Backward refuses exactly those that would give a wrong number.
#
# ## 4. Five ways off the tape
# Sometimes you want the numbers without the history. `detach()` gives a tensor off the tape.
#
# <!-- predict -->
# `d = x.detach()`, then `d[0] = 5`. What happens to `x`?
# <!-- open -->
# It changes too. `detach` cuts the history, not the memory.

# %%
x = mt.tensor([1.0, 2.0], requires_grad=True)
d = x.detach()
d[0] = 5
x, d.requires_grad

# %% [markdown]
# `no_grad` is something else: it stops recording for a while. What was on the tape stays on it.

# %%
with mt.no_grad():
    quiet = x * 2
loud = x.detach() * x  # one input off the tape, the other on it
quiet.requires_grad, loud.requires_grad

# %% [markdown]
# `.data` looks like `detach()`. It has one difference, and it is a bad one: changes through it are not counted.

# %%
x = mt.tensor(1.0, requires_grad=True)
y = x.exp()
y.data += 1
y.backward()
print(f"gradient {x.grad.item():.3f}, true slope {x.exp().item():.3f}")

# %% [markdown]
# No error, and a wrong number. Never use `.data` in new code. Here are all five, tried out by the cell. The last column asks: if I change what
# I got in place, does backward notice?

# %%
table = figures.escapes()
figures.truth_table(table)

# %% [markdown]
# A "NO" is a silent wrong gradient. `.data` and NumPy both write to the memory that the tape relies on. A clone is a copy, so nothing can go
# wrong, but it is still on the tape: gradients flow through it. A copy off the tape is `y.detach().clone()`.
#
# ## 5. One tape, one walk
# Backward frees what the steps saved as soon as it has passed them.
#
# <!-- predict -->
# Two backward calls from the same result. Does it work for `x * x`? For `x + 1`?
# <!-- open -->
# `x * x` raises: its saved values are gone. `x + 1` works, because a sum saves nothing.

# %%
x = mt.tensor(3.0, requires_grad=True)
y = x * x
y.backward()
with shows_error(RuntimeError, says="Trying to backward through the graph a second time"):
    y.backward()

# %%
x = mt.tensor(3.0, requires_grad=True)
y = x + 1
y.backward()
y.backward()
x.grad

# %% [markdown]
# If you need a second walk, say so in the first: `retain_graph=True` keeps the saved values. The gradients of both walks add up:

# %%
x = mt.tensor(3.0, requires_grad=True)
y = x * x
y.backward(retain_graph=True)
y.backward()
x.grad

# %% [markdown]
# ## 6. Watch, and let go
# A *hook* is a function that backward calls with a gradient, the moment it is known. It can look, or return another in its place.

# %%
x = mt.tensor([1.0, 2.0], requires_grad=True)
h = x * 3
h.register_hook(lambda g: print("gradient at h:", g.tolist()))
(h * h).sum().backward()

# %% [markdown]
# Now the leak that every beginner writes once. To report the mean loss, you add up losses.
#
# <!-- predict -->
# After 50 iterations of `total += loss`, how many recorded steps hang on `total`: a few, or hundreds?
# <!-- open -->
# Hundreds. Each loss hangs on its own tape, and `total` on every loss.

# %%
w = mt.tensor(1.0, requires_grad=True)

def loss_of(i):
    return ((w * float(i)).tanh() - 0.5).square()

total, number, kept, detached = 0.0, 0.0, [], []
for i in range(50):
    total = total + loss_of(i)
    number = number + loss_of(i).item()
    kept.append(figures.live_nodes(total))
    detached.append(figures.live_nodes(number))
kept[0], kept[-1], detached[-1]

# %%
figures.log_growth(kept, detached)

# %% [markdown]
# `.item()` takes the number out. The tape of that loss can then be freed at once.
#
# ## Exercises
# Three lines that every training script needs.

# %% [markdown]
# <!-- exercise: update -->

# %% [markdown]
# <!-- exercise: halve -->

# %% [markdown]
# <!-- exercise: mean_loss -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - Leaves get a `.grad`. Results do not, unless you call `retain_grad()`.
# - An update moves the leaf itself, in place, with the tape stopped. Then it clears the gradient.
# - A change in place is refused only if some step saved the old value.
# - `detach()` shares memory and is watched. `.data` and NumPy share memory and are not.
# - Backward frees the tape. A tensor that you keep keeps its tape.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | update a leaf | `with mt.no_grad(): w -= lr * w.grad` |
# | clear its gradient | `w.grad = None` |
# | get a number | `loss.item()` |
# | get a copy off the tape | `y.detach().clone()` |
# | keep a result's gradient | `y.retain_grad()` |
# | walk twice | `y.backward(retain_graph=True)` |
# | look at a gradient | `y.register_hook(print)` |
#
# ## In PyTorch
# All names in this chapter are PyTorch's, and so are the errors. Two more things you will meet there: an optimiser does the update and
# clears the gradients for you (`optimizer.step()`, `optimizer.zero_grad()`), and `model.eval()`, which switches layers such as dropout. It stops
# no tape: what you compute under `eval()` still requires a gradient. Chapter 10 shows it.

# %% [markdown]
# <!-- next -->
# Where the numbers live: two names for one piece of memory, and what the activations of a network cost.
