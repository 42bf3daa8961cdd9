# %% [markdown]
# # 06 · Leaves and the tape
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A truth table of the ways that people try to take a number off the record: which of them share memory, which cut the gradient, and which let you
# ruin it without a word. Code fills the table in, not a textbook.
#
# At the end you can
#
# - say of any Tensor whether it gets a `grad`, and watch gradients pass where they are not kept,
# - update a parameter without losing it,
# - say when a change in place is safe, and who notices when it is not,
# - leave the record, and not carry it along by accident.

# %% [markdown]
# ## Before you start
# You have built an engine that records and walks back (chapters [02](02_a_scalar_engine.ipynb) and [03](03_backprop_step_by_step.ipynb)), and you have met `backward`, `no_grad` and
# `grad` on Tensors (chapters [00](00_why_not_just_numpy.ipynb) and [05](05_tensor_autograd.ipynb)). The record of a calculation is often called the *tape*. We use both words.

# %%
import minitensor as mt
from minitensor import viz
from exercises import ch06
from kit import shows_error, shows_warning
from kit.figures import ch06 as figures

# %% [markdown]
# ## 1. Find the leaves
# Square a number, and square the result. `y` lies on the way from `x` to `z`.
#
# <!-- predict -->
# After `z.backward()`, what will be in `x.grad`, and what in `y.grad`?
# <!-- open -->
# 108 in `x.grad`: the slope of x⁴ is 4x³. None in `y.grad`, though the walk back came through `y` and knew its gradient. `backward` keeps gradients for *leaves* only.

# %%
x = mt.tensor(3.0, requires_grad=True)
y = x * x
z = y * y
z.backward()

with shows_warning(says="The .grad attribute of a Tensor that is not a leaf Tensor"):
    print("x.grad:", x.grad, "| y.grad:", y.grad)

# %% [markdown]
# A *leaf* is a Tensor that no recorded step has made: you made it. In the picture, leaves are blue and round. Parameters are leaves; what you calculate from
# them is not. Keeping every gradient on the way would cost as much memory as the values do. So the engine does not, and warns when you look.

# %%
viz.draw(z)

# %% [markdown]
# Want one on the way all the same? Say so before the walk:

# %%
def leaf(value):
    return mt.tensor(value, requires_grad=True)

x = leaf(3.0)
y = x * x
y.retain_grad()
(y * y).backward()
x.grad, y.grad

# %% [markdown]
# It is easy to lose a leaf while you make it. Both lines below ask for a gradient, and then take one step more. What they hand you is a
# result:

# %%
mt.manual_seed(0)
small = mt.randn(3, requires_grad=True) * 0.01
double = leaf([1.0, 2.0]).to(mt.float64)
print("leaves?", small.is_leaf, double.is_leaf)

# %% [markdown]
# So calculate first, and ask for the gradient last. Vary: is `leaf([1.0, 2.0]).to(mt.float32)` a leaf? Here `to` has nothing to do, so it
# makes no step.

# %%
small = (mt.randn(3) * 0.01).requires_grad_()
small.is_leaf

# %% [markdown]
# ## 2. Listen to the walk, and walk twice
# A *hook* is a function that is called when a Tensor's gradient is known. It can listen where nothing is kept. Here one hook each for `x`, `y` and
# `z`. Watch the order.

# %%
def listen(name):
    return lambda g: print(f"{name} receives {g.item()}")

x = leaf(3.0)
y = x * x
z = 5 * y
for name, t in (("x", x), ("y", y), ("z", z)):
    t.register_hook(listen(name))
z.backward()

# %% [markdown]
# Back to front. Vary: let `z = 5 * y + x`. Does `x` hear two gradients, or one? (One, 31, and last: its turn comes when all that depends on it is done.)
#
# A hook may also *change* what passes: return another gradient. Here one limits it to 1. Without it, `x.grad` would be 30. To take a hook off again, keep
# what `register_hook` hands you, a *handle*, and call its `remove`.

# %%
x = leaf(3.0)
handle = x.register_hook(lambda g: g.clamp(-1.0, 1.0))
(5 * x * x).backward()
print("x.grad:", x.grad.item())
handle.remove()

# %% [markdown]
# <!-- predict -->
# Call `backward` twice on the same result. Once for `y = x + 1`, once for `y = x * x`. What happens at the second call?
# <!-- open -->
# For `x + 1` it passes: the gradient is 2, added up from two walks. For `x * x` it is an error. The slope of `*` needs the values that went in; the
# tape kept them, and dropped them during the first walk. The slope of `+` needs nothing.

# %%
x = leaf(3.0)
y = x + 1
y.backward()
y.backward()
print("x + 1, twice:", x.grad)

y = x * x
y.backward()
with shows_error(RuntimeError, says="Trying to backward through the graph a second time"):
    y.backward()

# %% [markdown]
# So "only once" is wrong, and "as often as you like" is wrong. It depends on what the steps have kept. Dropping at once is a kindness: the memory is free
# before the next step of training. If you do need a second walk, ask the first to keep the values, by `retain_graph=True`. And gradients add up: 6, then 12.

# %%
x = leaf(3.0)
y = x * x
y.backward(retain_graph=True)
print("after one:", x.grad)
y.backward()
print("after two:", x.grad)

# %% [markdown]
# ## 3. Update a leaf
# A step downhill must change a parameter's numbers, keep it a leaf, and stay off the tape. Most ways to write it miss one of these. In chapter 00 you saw
# `w = w - 0.1 * w.grad`: the new `w` is no leaf, so the next gradient is None. Some then help themselves with `retain_grad`. It runs, and the numbers are
# right. But look at what `w` drags along after three steps. Each box `−` is one of them:

# %%
w = leaf(1.0)
for turn in range(3):
    w.retain_grad()
    (w * w).backward()
    w = w - 0.1 * w.grad
viz.draw(w)

# %% [markdown]
# Every step hangs on the one before it: the tape grows as long as you train, and every walk goes back to its very start. (So the first `w` has added up the
# gradients of all three walks: 4.88.) In place, then. But a plain `-=` is refused. It would be a step on the tape, and its result would take the leaf's place:

# %%
w = leaf(1.0)
(w * w).backward()
with shows_error(RuntimeError):
    w -= 0.1 * w.grad

# %% [markdown]
# <!-- predict -->
# The error goes away under `no_grad`. So does this repair the first way: `with mt.no_grad(): w = w - 0.1 * w.grad`?
# <!-- open -->
# No. Off the tape, yes. But the right-hand side still makes a new Tensor, and one made under `no_grad` does not ask for a gradient. The next `backward`
# finds nothing to walk.

# %%
with mt.no_grad():
    w = w - 0.1 * w.grad
print("asks for a gradient:", w.requires_grad)
with shows_error(RuntimeError):
    (w * w).backward()

# %% [markdown]
# Both together, then: `no_grad`, *and* in place. After the step, forget the gradient. Not before it: a `zero_` between `backward` and the step looks
# harmless, too, and is a common slip.

# %%
def one_step(zero_first):
    w = leaf(1.0)
    (w * w).backward()
    if zero_first:
        w.grad.zero_()
    with mt.no_grad():
        w -= 0.1 * w.grad
    w.grad.zero_()
    return w

print("zero, then step:", one_step(True))
print("step, then zero:", one_step(False))

# %% [markdown]
# The first did not move: it followed a gradient of 0. The place for zeroing is anywhere between a step and the next `backward`. Vary: write `w.grad = None`
# in place of the first `zero_()`. Which error do you get? None is the better habit: in the wrong place, it cannot pass in silence.

# %% [markdown]
# ## 4. Change a value in place
# Parameters need a change in place. What about results?
#
# <!-- predict -->
# Add 1 in place to `y = 2 * x`, then to `y = x.exp()`, and walk back. Neither slope depends on that 1. Will both pass, both fail, or one of each?
# <!-- open -->
# One of each. `2 * x` passes. `exp` fails: its slope is its own output, so the tape kept that very Tensor, and you have changed it.

# %%
x = leaf(1.0)
y = 2 * x
y += 1
y.backward()
print("2 * x, then += 1:", x.grad)

y = x.exp()
y += 1
with shows_error(RuntimeError, says="modified by an inplace operation"):
    y.backward()

# %% [markdown]
# So a change in place is neither always fine nor always forbidden. For a result, it fails if a step has kept the old value. How does the engine know? Each
# Tensor counts the changes to its memory. The tape compares.

# %%
y = x.exp()
print("changes when recorded:", y._version)
y += 1
print("changes now:", y._version)

# %% [markdown]
# The error is a friend. On the web you will find advice to silence it: change `y.data`, they say. `.data` is the same memory with a counter of its own, so
# nobody notices. The true slope of `exp` at 1 is 2.718.

# %%
x = leaf(1.0)
y = x.exp()
y.data += 1
y.backward()
print(f"with .data: {x.grad.item():.3f}")

# %% [markdown]
# No error, and wrong. The safe repair costs one small Tensor: make a new one. Vary: try `y.clone()` and change the clone.

# %%
x = leaf(1.0)
y = x.exp()
y = y + 1
y.backward()
print(f"with a new Tensor: {x.grad.item():.3f}")

# %% [markdown]
# ## 5. Find a way off the tape
# Sometimes you want the numbers without the tape: to print them, to draw them, to treat them as constants. Begin with the commonest way, `detach`.
#
# <!-- predict -->
# `d = x.detach()`, then `d[0] = 5`. What does `x` hold in its first place: 1 or 5?
# <!-- open -->
# 5. `detach` copies nothing. `d` is another view of the same memory, without the tape.

# %%
x = leaf([1.0, 2.0])
d = x.detach()
d[0] = 5.0
x

# %% [markdown]
# `detach` and `no_grad` are often taken for one thing. `detach` cuts *one Tensor* off a tape that has been recorded. `no_grad` is about *a stretch of
# code*: nothing in it gets recorded at all. Neither changes what `x` itself is.

# %%
x = leaf(3.0)
y = x * x
d = y.detach()
with mt.no_grad():
    z = x * x
for name, t in (("x", x), ("y", y), ("d", d), ("z", z)):
    print(f"{name}: asks for a gradient {t.requires_grad!s:5}, made by {t.grad_fn}")

# %% [markdown]
# Behind `d`, the tape of `y` is still there, and its memory with it, as long as `y` lives. Behind `z` there never was one. So: `no_grad` for a
# calculation, `detach` for one value out of it.
#
# Now six lines that people write to get off the tape. One of them does not leave it. Which? For each we ask four questions, and let code answer.

# %%
def under_no_grad(y):
    with mt.no_grad():
        return y * 1

escapes = {
    "y.detach()": lambda y: y.detach(),
    "no_grad: y * 1": under_no_grad,
    "y.data": lambda y: y.data,
    "y.clone()": lambda y: y.clone(),
    "y.item()": lambda y: y.item(),
    "y.detach().numpy()": lambda y: y.detach().numpy(),
}

# %% [markdown]
# Each question is a small experiment with `y = x.exp()`: what comes back, does it share memory with `y`, does a gradient flow through it, and what if you
# write to it? For the last, we add 1 to what came back, in place, and walk back from `y`. The true gradient is the one without that change. In short:

# %%
def after_writing(escape):
    x = leaf([1.0])
    y = x.exp()
    got = escape(y)
    got += 1
    y.backward()
    return x.grad.item()

for code in ("y.clone()", "y.data"):
    print(f"{code}: {after_writing(escapes[code]):.3f}")
with shows_error(RuntimeError, says="modified by an inplace operation"):
    after_writing(escapes["y.detach()"])

# %%
figures.truth_table(escapes)

# %% [markdown]
# `detach` shares, and the engine watches. `.data` and a NumPy array share, and nobody watches: two doors to a wrong number. `clone` does not leave the
# tape: gradients flow through it. `no_grad` copies nothing; the `* 1` did. Vary: add `y.detach().clone()` to `escapes`, and draw again.

# %% [markdown]
# ## 6. Let the tape go
# A tape lives as long as one of its results.
#
# <!-- predict -->
# A loop adds up its losses with `total += loss`, to print the mean at the end. How many recorded steps hang on `total` after 100 turns: 0, 3, or hundreds?
# <!-- open -->
# Hundreds. Every `loss` brings its own tape, and every `+=` adds a step that ties it to the rest. None of it can be freed.
# <!-- end -->
#
# To count, walk from step to step: `grad_fn` made the result; its `next_functions` come next on the walk back. Leaves and plain numbers, where the
# walk ends, have none.

# %%
def tape_length(t):
    seen, todo = set(), [t.grad_fn]
    while todo:
        step = todo.pop()
        if hasattr(step, "next_functions") and step not in seen:
            seen.add(step)
            todo += [before for before, _ in step.next_functions]
    return len(seen)

# %% [markdown]
# Now the loop, twice: one adds the loss itself, the other only its number.

# %%
def lengths(turns, number_of):
    w, total, found = leaf(1.0), 0.0, []
    for _ in range(turns):
        loss = (3 * w - 1) ** 2
        total += number_of(loss)
        found.append(tape_length(total) if isinstance(total, mt.Tensor) else 0)
    return found

kept, freed = lengths(100, lambda loss: loss), lengths(100, lambda loss: loss.item())
print(f"recorded steps after 1, 10, 100 turns: {kept[0]}, {kept[9]}, {kept[99]}")

# %%
figures.growth(kept, freed)

# %% [markdown]
# Four for each turn: three of `loss`, and the `+=`. A real model's tapes have hundreds of steps each. `backward` drops the values that they kept, not the steps. Memory fills up, and the
# program stops far from the line that is to blame. `.item()` takes the number, and the tape can go. Vary: put `.detach()` in its place, then `.clone()`.

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: update -->

# %% [markdown]
# <!-- exercise: clip -->

# %% [markdown]
# <!-- exercise: mean_loss -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A leaf is a Tensor that no recorded step made. Only leaves that ask for it get a `grad`, unless you call `retain_grad`.
# - A walk back drops what the tape has kept. A second walk works only where nothing was needed, or with `retain_graph=True`.
# - Update a parameter in place and under `no_grad`; forget its gradient after the step, before the next `backward`.
# - A change in place fails if the tape has kept the old value. The engine counts changes and says so.
# - `.data`, and the array behind `.numpy()`, share memory and are not watched: wrong numbers in silence.
# - `detach` cuts one Tensor off, `no_grad` records nothing, `clone` stays on the tape.
# - A Tensor in a log holds its whole tape. Log numbers.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | make a scaled parameter | `w = (mt.randn(3) * 0.01).requires_grad_()` |
# | keep a gradient on the way | `y.retain_grad()`, before `backward` |
# | watch or change a gradient | `handle = y.register_hook(f)`, later `handle.remove()` |
# | walk twice | `y.backward(retain_graph=True)` |
# | step | `with mt.no_grad(): w -= rate * w.grad`, then `w.grad = None` |
# | treat a value as a constant | `y.detach()`; to keep it or to write to it, `y.detach().clone()` |
# | predict | `with mt.no_grad(): ...` |
# | log a loss | `total += loss.item()` |
#
# ## In PyTorch
# Every line of this chapter's cheat-sheet is PyTorch's, with `torch` in place of `mt`. So are the errors. Two things differ behind it:
#
# | here | PyTorch |
# |---|---|
# | `grad_fn.next_functions` ends in the leaf itself | it ends in an `AccumulateGrad` node that holds the leaf |
# | an error about a change in place names the step that kept the value, and the operation that wrote to it | it names the step whose value was changed |
#
# You will also meet `model.eval()`. It switches layers such as dropout, and stops no tape: what you calculate under it still asks for a gradient. Chapter 10 is
# about that.

# %% [markdown]
# <!-- next -->
# `detach` and `.numpy()` share memory. What else does, for how long, and what does a calculation keep?
