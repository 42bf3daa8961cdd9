# %% [markdown]
# # 04 · Lay out N × C × H × W: shape, stride, dtype
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A batch of pictures, turned from the layout of image files into the layout of deep learning: without mixing up a pixel, and without
# copying one.
#
# At the end you can
#
# - name the axes of a batch, and reorder them,
# - say which cell of memory an index reads,
# - say which operations share memory and which copy, and why `view` sometimes refuses,
# - join and multiply batches,
# - predict the dtype of a result.

# %% [markdown]
# ## Before you start
# You know NumPy's arrays, and Tensors from [chapter 00](00_why_not_just_numpy.ipynb). Up to [chapter 03](03_backprop_step_by_step.ipynb) all was about single numbers. From here on a
# Tensor holds many. This chapter is about how it holds them; gradients come back in the next one.

# %%
import numpy as np
import minitensor as mt
from exercises import ch04
from kit import shows_error
from kit.figures import ch04 as figures

# %% [markdown]
# ## 1. Name the axes
# Here are two small painted pictures, as an image file holds them. Each pixel is three numbers from 0 to 255: red, green, blue.

# %%
files = figures.two_pictures()
print(files.shape, files.dtype)

# %% [markdown]
# Four axes, and each has a name. N: the number of pictures in the *batch*. H and W: height and width. C: the *channels*, here the three colours. So a file is N × H × W × C, in short
# NHWC. PyTorch's layers want N × C × H × W: `batch[0, 0]` is all the red of the first picture, `batch[0, 1]` all its green.
#
# <!-- predict -->
# `reshape(2, 3, 24, 36)` gives just that shape. Does it give the right pictures?
# <!-- open -->
# No, and nobody complains: the count of numbers fits. `reshape` keeps the *order of reading*. So the first 24 × 36 numbers, red, green and blue mixed, become the "red" of picture 0.

# %%
reshaped = files.reshape(2, 3, 24, 36)
batch = mt.from_numpy(files).permute(0, 3, 1, 2)
print(reshaped.shape, tuple(batch.shape))
figures.pictures({"reshape": reshaped, "permute": batch})

# %% [markdown]
# `permute(0, 3, 1, 2)` moves axes. It says where each new axis comes from: N stays, then the old axis 3, C, then H and W. Both results
# have one shape. Only one has the pictures. Neither NumPy nor a Tensor can notice: a shape is four numbers, their names are in your head.
#
# The same in small. `view` is for a Tensor what `reshape` did here; section 4 says how they differ. Many believe that `view(3, 2)` turns a table
# on its side. `t()` does, short for *transpose*:

# %%
t = mt.arange(6).view(2, 3)
print(t)
print("view(3, 2):", t.view(3, 2).tolist())
print("t():       ", t.t().tolist())

# %% [markdown]
# ## 2. Walk along the memory
# Memory is one line of cells, numbered from 0. A table is a way to read that line. The *stride* says, for each axis, how many cells
# to step when the index grows by 1. The numbers in `t` are 0 to 5, in this order, so each number is that of its cell.
#
# <!-- predict -->
# `t` has shape (2, 3). One row down, how many cells further? One column to the right? So what is the stride?
# <!-- open -->
# (3, 1). A row has three cells, so one row down is three cells on. The next column is the next cell.

# %%
def cell(index, stride):
    return sum(i * step for i, step in zip(index, stride))

print("stride:", t.stride())
print("t[1, 2] reads cell", cell((1, 2), t.stride()), "which holds", t[1, 2].item())

# %% [markdown]
# Now `t.t()`. Its rows are the columns of `t`. Nothing has to be moved for that. Swap the two strides:

# %%
print("stride:", t.t().stride())
print("t.t()[2, 1] reads cell", cell((2, 1), t.t().stride()), "which holds", t.t()[2, 1].item())

# %% [markdown]
# In the figure the arrows follow the order of reading: row by row, from left to right. Solid arrows hop forward, dashed ones back.

# %%
figures.memory({
    "t": t,
    "t.t()": t.t(),
    "t[:, 1:]": t[:, 1:],
    "t[0].expand(2, 3)": t[0].expand(2, 3),
})  # fmt: skip

# %% [markdown]
# A slice reads fewer cells, and starts further on: `t[:, 1:]` at cell 1. So its `[1, 0]` reads cell 1 + 1·3 + 0·1 = 4. The start is also called
# *offset*. `expand` repeats a row: its stride for going down is 0, so all rows are the same cells. A thousand rows would take no more memory.
#
# A Tensor that reads one cell after the other, without a gap, as `t` does, is called *contiguous*. The pictures are not:
#
# <!-- predict -->
# `batch` is N × C × H × W, but in memory the three colours of a pixel still lie side by side. What is the stride of C?
# <!-- open -->
# 1. From red to green is one cell. One pixel to the right is 3 cells.

# %%
print(batch.stride(), "contiguous:", batch.is_contiguous())
print(mt.from_numpy(files).stride(), "contiguous:", mt.from_numpy(files).is_contiguous())

# %% [markdown]
# (NumPy has strides, too, and counts them in bytes: print `t.numpy().strides`. A number of `t` takes 8 bytes.) Now look around. Point at a number, or
# walk with Tab and the arrow keys: which cell does it read? Press operations, or type your own, one at a time.

# %%
figures.strides()

# %% [markdown]
# ## 3. See who shares
# If nothing is moved, nothing is copied. Then two names read the same cells.
#
# <!-- predict -->
# Many believe that `view` makes a copy. We write 100 at the start of a view. What will `t` and `t.t()` show?
# <!-- open -->
# Both show the 100. There is one line of memory, and three ways to read it.

# %%
t = mt.arange(6).view(2, 3)
turned = t.t()
flat = t.view(6)
flat[0] = 100
print(t)
print(turned)

# %% [markdown]
# That is a gift, when you know it: no time and no memory is spent. It is a trap when you do not. So ask:

# %%
made = {
    "view(3, 2)": t.view(3, 2), "t()": t.t(), "[:, 1:]": t[:, 1:],
    "expand(4, 2, 3)": t.expand(4, 2, 3), "[[1, 0]]": t[[1, 0]], "clone()": t.clone(), "+ 0": t + 0,
}  # fmt: skip
for name, result in made.items():
    print(f"{name:16}", "shares" if np.shares_memory(t.numpy(), result.numpy()) else "is new")

# %% [markdown]
# The rule behind it: one start, one stride for each axis. What can be read so is a view. `t[[1, 0]]` takes rows in an order of your own, and no
# stride could say that in general. So it copies. Vary: add `t[1]`, `t[::1]` and `t[mt.tensor([0, 1])]`.

# %% [markdown]
# ## 4. Let it refuse
# Can *every* reading order be a view? NumPy first. We flatten an array, and we flatten its transpose. Then we write into both.
#
# <!-- predict -->
# 100 goes into `one`, 200 into `two`. Which of them reach `a`?
# <!-- open -->
# Only the 100. `a.reshape(6)` is a view. `a.T.reshape(6)` cannot be one, so NumPy copied, without a word. The 200 went into the copy.

# %%
a = np.arange(6).reshape(2, 3)
one, two = a.reshape(6), a.T.reshape(6)
one[0] = 100
two[1] = 200
print(a)

# %% [markdown]
# The same line of code shares, or does not, depending on how its input was made. A Tensor has two words for it, `view` and `reshape`. `view` *never*
# copies. When it cannot keep that promise, it says so:

# %%
t = mt.arange(6).view(2, 3)
with shows_error(RuntimeError):
    t.t().view(6)

# %% [markdown]
# Why not? `t.t()` reads the cells 0 3 1 4 2 5. As *one* axis that would need one stride: but it goes 3 on, 2 back, 3 on. In general, two axes can be joined only
# if a step of the outer one is as long as all steps of the inner one together. `t.t()` has shape (3, 2), stride (1, 3): 1 against 2 × 3. `t` has shape
# (2, 3), stride (3, 1): 3 against 3 × 1. And being contiguous is not needed:

# %%
even = mt.arange(8).view(2, 4)[:, ::2]
print(even.tolist(), "stride", even.stride(), "contiguous:", even.is_contiguous())
print(even.view(4).tolist(), "stride", even.view(4).stride())

# %% [markdown]
# (A step down is 4, and 2 × 2 is 4.) If you need the numbers in a new order, you need a copy. Say so. `contiguous()` copies if it must; `reshape` is `view` where that works, and a
# copy otherwise, as in NumPy. Use `view` when a copy would be a mistake.

# %%
print(t.t().contiguous().view(6).tolist(), t.t().reshape(6).tolist())
print("stride before", batch.stride())
print("stride after ", batch.contiguous().stride())

# %% [markdown]
# Vary: back to the explorer of section 2. Start with (2, 3, 4) and transpose axes 0 and 1. Which of `view(6, 4)`, `view(3, 8)` and
# `view(3, 2, 2, 2)` will work? Decide by the strides, then try. (Only the last: it joins nothing, it cuts the inner axis in two.)

# %% [markdown]
# ## 5. Join and multiply
# `cat` joins Tensors along an axis that they have. `stack` makes a new axis for them.
#
# <!-- predict -->
# `batch` has shape (2, 3, 24, 36). What shape has `cat([batch, batch])` along axis 0? Along axis 3? And `stack`?
# <!-- open -->
# Axis 0: four pictures. Axis 3: two pictures, twice as wide. `stack`: a fifth axis, with one entry for each batch.

# %%
for dim in range(4):
    print(f"cat, dim={dim}: ", tuple(mt.cat([batch, batch], dim=dim).shape))
print("stack, dim=0:", tuple(mt.stack([batch, batch], dim=0).shape))

# %% [markdown]
# The other axes must agree. If not, it is an error, in NumPy as well. Next: multiplying. `*` goes number by number. A *matrix product* joins each row with each column. We have five
# pairs of matrices, and want five products. NumPy's oldest word for the product is `dot`:
#
# <!-- predict -->
# Five matrices of 2 × 3, five of 3 × 4. What shape has `np.dot` of the two?
# <!-- open -->
# Not (5, 2, 4). It multiplies each of the five with *each* of the other five: 25 products, without a word.

# %%
five, others = np.ones((5, 2, 3)), np.ones((5, 3, 4))
print("np.dot:", np.dot(five, others).shape)
print("bmm:   ", tuple(mt.bmm(mt.from_numpy(five), mt.from_numpy(others)).shape))

# %% [markdown]
# `bmm` is the *batched* matrix product: first with first, second with second. `mm` is for exactly two matrices. Each accepts one kind of thing, so a slip is an error and not 25 products:

# %%
p, q = mt.from_numpy(five), mt.from_numpy(others)
with shows_error(RuntimeError):
    mt.bmm(p, q[:4])
with shows_error(RuntimeError):
    mt.mm(p[0], p[0])

# %% [markdown]
# `@` is for both: two matrices or two batches of them. NumPy has `@` as well, and there it does the same. To turn each
# matrix on its side, use `mT`: it swaps the last two axes and leaves N alone. (`.T` of an array reverses *all* axes. For a batch that is rarely meant.)

# %%
print(tuple((p @ q).shape), tuple((p @ p.mT).shape), tuple(p.mT.shape))

# %% [markdown]
# ## 6. Mind the kind of number
# The pictures are `uint8`: one byte each, 0 to 255. Make them brighter:
#
# <!-- predict -->
# The sky at the top left has 240 of blue. What is 240 + 30 in `uint8`?
# <!-- open -->
# 14. After 255 comes 0 again. No error, no warning, and a Tensor does the same.

# %%
sky = batch[0, :, 0, 0]
print(sky.tolist(), "->", (sky + 30).tolist())

# %% [markdown]
# So turn them into `float32` first. Then watch where other kinds come from:

# %%
x = batch.to(mt.float32) / 255
a = x.numpy()
print("array: ", (a * np.sqrt(2 / 3)).dtype, "| Tensor:", (x * np.sqrt(2 / 3)).dtype)

# %% [markdown]
# You met this in chapter 00: in NumPy one number of the wrong kind doubles the memory of the batch. For Tensors the rule has three steps. First the *category*: bool, integer, float. The
# highest wins. Within a category a Tensor with axes outweighs a single number. Among Tensors with axes the wider one wins. (Where a float is
# needed and nobody names one, it is `float32`.)

# %%
ints, mask = mt.tensor([1, 2, 3]), mt.tensor([True, False, True])
floats, doubles = mt.tensor([1.0, 2.0, 3.0]), mt.from_numpy(np.ones(3))
print("ints:", ints.dtype, "| floats:", floats.dtype, "| doubles:", doubles.dtype)
print("ints * floats:   ", (ints * floats).dtype)
print("floats * doubles:", (floats * doubles).dtype)
print("ints * mask:     ", (ints * mask).dtype)
print("ints / ints:     ", (ints / ints).dtype)
print("floats > 1.5:    ", (floats > 1.5).dtype)

# %% [markdown]
# `int64` is called `long`. Labels, indices and counts are `long`. Some operations want one kind, and say so. There is no place 0.5 to
# look at, and the mean of integers is mostly no integer:

# %%
with shows_error(IndexError, says="tensors used as indices must be long"):
    ints[mt.tensor([0.0, 1.0])]
with shows_error(RuntimeError, says="mean(): could not infer output dtype"):
    ints.mean()

# %% [markdown]
# Last: slopes. Can you nudge an integer? NumPy first.
#
# <!-- predict -->
# The slope of x² at 3 is 6. The array holds integers, and we add a thousandth. What comes out?
# <!-- open -->
# 0. The array cannot hold 3.001. It holds 3 again, without a word, and nothing has moved.

# %%
x = np.array([3])
nudged = x.copy()
nudged[0] = nudged[0] + 0.001
print("slope:", (nudged[0] ** 2 - x[0] ** 2) / 0.001)

# %% [markdown]
# Between two integers there is nothing to move to. A function of integers has no slope, so a Tensor of integers cannot ask for one:

# %%
with shows_error(RuntimeError, says="Only Tensors of floating point"):
    mt.tensor([3], requires_grad=True)
print(mt.tensor([3.0], requires_grad=True))

# %% [markdown]
# So this is the third reason of chapter 00, *data of deep learning*. NumPy can do all of it. It does not look after you: it copies in silence, multiplies 25 times, widens, truncates. A
# Tensor's words are narrower, and its errors come earlier.

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: to_nchw -->

# %% [markdown]
# <!-- exercise: axis -->

# %% [markdown]
# <!-- exercise: similarities -->

# %% [markdown]
# <!-- exercise: kinds -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - Axes have names only in your head. `view` and `reshape` keep the order of reading; `permute` and `transpose` move axes.
# - An index reads cell: start, plus index times stride for each axis. Views differ in these numbers only, and share the cells.
# - `view` never copies. It refuses where one stride would have to be two. `reshape` and `contiguous` copy if they must.
# - `cat` makes an axis longer, `stack` makes a new one. `bmm` multiplies first with first.
# - Float beats integer beats bool. Tensors keep `float32`. Only floats have slopes.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | NHWC to NCHW | `t.permute(0, 3, 1, 2)` |
# | swap two axes | `t.transpose(1, 2)`; the last two: `t.mT` |
# | another shape, never a copy | `t.view(3, -1)` |
# | another shape, a copy if needed | `t.reshape(3, -1)` |
# | copy into the order of reading | `t.contiguous()` |
# | repeat without memory | `t.expand(4, 2, 3)` |
# | join | `mt.cat([a, b], dim=1)`, `mt.stack([a, b])` |
# | multiply batches of matrices | `mt.bmm(a, b)` or `a @ b` |
# | change the kind | `t.to(mt.float32)`, `t.long()` |
# | ask | `t.shape`, `t.stride()`, `t.is_contiguous()`, `t.dtype` |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | all of the lines in the cheat-sheet | the same, with `torch` in place of `mt` |
# | where a slice starts | `t.storage_offset()` |
# | the line of memory | `t.untyped_storage()` |
# | strides of NHWC under an NCHW shape | `memory_format=torch.channels_last` |
#
# The last line is no accident: `batch` is what PyTorch calls *channels last*. Some layers can be faster on it.

# %% [markdown]
# <!-- next -->
# Now gradients again, for Tensors of many numbers: what flows back through a sum, a matrix product, a repeated row?
