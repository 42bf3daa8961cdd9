# %% [markdown]
# # 12 · Build convolution: strided windows and a matmul
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A *convolution*: the layer that looks at a picture through a small window. You make it of two things that you have, strides and one matrix product, with its gradients. Then
# a small network of such layers reads handwritten digits, and is right for more than 98 of 100 that it has never seen.
#
# At the end you can
#
# - say how large the output is, for any kernel, stride and padding,
# - lay the windows of a picture side by side, and say where that copies and where it does not,
# - pass gradients back through windows that overlap,
# - build and train a network of convolutions, and say what it saves.

# %% [markdown]
# ## Before you start
# You know strides and N × C × H × W ([chapter 04](04_shape_stride_dtype.ipynb)), backward rules on arrays and `gradcheck`
# ([chapter 05](05_tensor_autograd.ipynb)), and you have trained a network of `nn` layers on handwritten digits.

# %%
import numpy as np
import minitensor as mt
from minitensor import nn
from exercises import ch12
from kit.data import digits
from kit.figures import ch12 as figures

F = nn.functional

# %% [markdown]
# ## 1. Slide a window
# A handwritten seven, black and white to keep the numbers whole. Each number is a *pixel*. The *kernel* is a small table of weights, here 3 × 3. Lay it on the top left
# corner of the picture. Multiply each weight with the pixel under it, and sum up: one number of the output. Move on by one pixel, and so on.

# %%
images, labels = digits()
x = (images[7] > 0.4).astype(np.float32)
w = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], np.float32)

def slide(x, w):
    out = np.zeros((x.shape[0] - 2, x.shape[1] - 2), x.dtype)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (x[i : i + 3, j : j + 3] * w).sum()
    return out

# %% [markdown]
# <!-- predict -->
# This kernel has −1 on the left, 1 on the right. Where will the output be large, where negative, and where 0? And why is it 6 × 6, not 8 × 8?
# <!-- open -->
# Large where paper is on the left and ink on the right: at the left edge of a stroke. Negative at a right edge. 0 where left and right are the same. A window of 3 fits
# in 6 places along 8 pixels: the first starts at 0, the last at 5.

# %%
figures.tables({"picture": x, "kernel": w, "output": slide(x, w)})

# %% [markdown]
# Nine weights find the upright edges of a picture, wherever they are. That is the point: the *same* weights look at every place. A fully connected layer needs a weight of its own for
# every pixel and every output. Count them:

# %%
print("fully connected, 8 × 8 to 6 × 6:", 64 * 36, "weights")
print("one kernel:", w.size, "weights")

# %% [markdown]
# And a picture that is moved gives the same output, moved:

# %%
moved = np.roll(x, 1, axis=1)  # one pixel to the right; what falls off comes in on the left
print(np.array_equal(slide(moved, w)[:, 1:], slide(x, w)[:, :-1]))

# %% [markdown]
# Two more settings. *Padding* lays zeros around the picture, so that windows can hang over the edge. *Stride* is how far the window moves. Try them below, then paint: on the
# picture, or in the kernel. Choose a number of the output to see its window.

# %%
figures.paint_a_kernel(x, w)

# %% [markdown]
# minitensor counts as you did. Your first exercise is the formula behind these sizes.

# %%
picture, kernel = mt.from_numpy(x)[None, None], mt.from_numpy(w)[None, None]
for stride, padding in ((1, 0), (1, 1), (2, 0), (2, 1), (3, 1)):
    out = F.conv2d(picture, kernel, stride=stride, padding=padding)
    print(f"stride {stride}, padding {padding}: {tuple(out.shape[2:])}")

# %% [markdown]
# Vary: with padding 1, what happens to a stroke at the very edge? (In mathematics the kernel is turned round first. Deep learning does not turn it, and keeps the name:
# the weights are learned anyway.)

# %% [markdown]
# ## 2. See all windows, copy none
# Two loops in Python are slow. We want all windows at once, as an array `windows[i, j, a, b]`: for each place `i, j` a window of 3 × 3. An array is a line of memory, with a step for each
# axis. So ask for each index: how far is it to the next, in memory? One window further down is one row. One row further down *within* a window is one row, too.

# %%
def all_windows(x, size=3):
    down, right = x.strides  # in bytes
    count = (x.shape[0] - size + 1, x.shape[1] - size + 1)
    return np.lib.stride_tricks.as_strided(x, (*count, size, size), (down, right, down, right))

windows = all_windows(x)
print(windows.shape, windows.strides, windows.size, "numbers")
print("shares memory with the picture:", np.shares_memory(windows, x))

# %% [markdown]
# 324 numbers to look at, in the memory of 64. Nothing was copied.
#
# <!-- predict -->
# We write 5 into the *centre* of one window: `windows[2, 2, 1, 1] = 5`. How many numbers of `windows` are 5 afterwards?
# <!-- open -->
# 9. It is one pixel of the picture, `x[3, 3]`, and nine windows look at it, each with another of its nine places. A view is no copy: you wrote through it.

# %%
y = x.copy()
windows = all_windows(y)
windows[2, 2, 1, 1] = 5
print("fives in the windows:", int((windows == 5).sum()), " in the picture:", int((y == 5).sum()))

# %% [markdown]
# So look, and do not write. (`as_strided` believes any strides that you give it, and would read beyond the end of memory. NumPy's `sliding_window_view` makes the same view, checked and
# read-only.) The convolution is now one line: multiply each window with the kernel, sum over the window's two axes.

# %%
by_windows = (all_windows(x) * w).sum(axis=(2, 3))
print(np.array_equal(by_windows, slide(x, w)))

# %% [markdown]
# ## 3. One matmul
# "Multiply and sum" is what a matrix product does, and nothing on a computer is better tuned. So make it one. Each window becomes a *column* of 9 numbers, the kernel a row of 9.
# Row times columns: all outputs at once. The table of columns is called *im2col*, image to columns.

# %%
columns = all_windows(x).reshape(36, 9).T
out = w.reshape(1, 9) @ columns
print(columns.shape, out.shape, np.array_equal(out.reshape(6, 6), slide(x, w)))

# %% [markdown]
# The picture to remember, for a smaller example. Each pixel holds its own number here, 0 to 24. Compare a window's frame in the picture with its column. Then follow pixel 12, in
# bold: it is in all nine windows.

# %%
figures.windows_as_columns()

# %% [markdown]
# <!-- predict -->
# In this figure, read the top row of the table: from window 0 to window 1 it is one step in memory. And from window 2 to window 3? So can `columns`, of the seven, be a view of its memory?
# <!-- open -->
# From 2 to 5 it is three steps: on to the next row. The table of the seven has the same jump, after every sixth window. An axis has one stride, so no view can do this, and `reshape` copied,
# silently. (A Tensor's `view` would have refused.) im2col pays for its speed with memory: five times the picture here, and nearly nine times for a large one.

# %%
print("shares memory:", np.shares_memory(columns, x), f" {columns.nbytes} bytes from {x.nbytes}")

# %% [markdown]
# A layer has many kernels: lay their rows one below the other, and the product has a row for each. A picture may have C *channels*, such as red, green and blue. Then a window has C · 9 numbers,
# channel after channel, and so has each kernel. And a batch of N pictures makes N tables; `@` goes through them by itself. Here are 16 kernels over 3 channels; minitensor's im2col is called `F.unfold`:

# %%
mt.manual_seed(0)
batch, kernels = mt.randn(10, 3, 8, 8), mt.randn(16, 3, 3, 3)
columns = F.unfold(batch, 3)               # N × (C·9) × windows
out = kernels.view(16, 27) @ columns       # N × 16 × windows
out = out.view(10, 16, 6, 6)
print(tuple(columns.shape), tuple(out.shape), mt.allclose(out, F.conv2d(batch, kernels), atol=1e-4))

# %% [markdown]
# And was it worth it? 100 pictures through 16 kernels, by loops over pictures, kernels and places, and as a product. (Your numbers will differ.)

# %% tags=["nbval-ignore-output"]
figures.race(mt.randn(100, 3, 8, 8), kernels)

# %% [markdown]
# ## 4. The way back: overlaps add
# Going there, each pixel was *copied* into up to nine columns. Chapter 05 said what that means for the way back: the shares are summed. Try it in NumPy, in the way that comes to mind first.
# `where` says for each entry of the table which pixel it came from. So back with them, with `+=`:

# %%
where = all_windows(np.arange(64).reshape(8, 8)).reshape(36, 9).T
g = np.ones((9, 36))  # as if the loss cared about every entry of the table by 1
grad = np.zeros(64)
grad[where] += g

# %% [markdown]
# <!-- predict -->
# The corner pixel is in one window, a pixel in the middle in nine. So which numbers *should* `grad` hold at these two? And which does it hold?
# <!-- open -->
# 1 and 9. It holds 1 everywhere: `grad[where] += g` reads all, adds 1 to each, then writes all. Of nine writes to the same place the last one stays. No error, no warning.

# %%
right = np.zeros(64)
np.add.at(right, where, g)  # adds one after the other
figures.tables({"grad[where] += g": grad.reshape(8, 8), "added up": right.reshape(8, 8)})

# %% [markdown]
# So `+=` at repeated places loses shares. `np.add.at` keeps them. A faster way goes by the places of the kernel: within one place, say the top left of all windows, no pixel comes twice.
# Nine plain additions of whole slices do it. The sum of windows back into a picture is called *fold*, or col2im: it is the way back of `unfold`.

# %%
by_slices = np.zeros((8, 8))
for place, (a, b) in enumerate(np.ndindex(3, 3)):
    by_slices[a : a + 6, b : b + 6] += g[place].reshape(6, 6)

back = F.fold(mt.ones(1, 9, 36), output_size=8, kernel_size=3)[0, 0]
print(np.array_equal(by_slices, right.reshape(8, 8)), np.array_equal(back.numpy(), by_slices))

# %% [markdown]
# (So unfold and then fold is not where you started: each pixel comes back as often as it was seen.) One input is left, the *bias*: one number for each kernel, added to all its outputs.
#
# <!-- predict -->
# 10 pictures, 16 kernels, outputs of 6 × 6. The loss is the plain sum. Which shape has the gradient of the bias, and which numbers are in it?
# <!-- open -->
# (16,), its own shape, and not that of the output. Each bias was copied to 10 pictures × 36 places, so 360 shares of 1 come back.

# %%
bias = mt.zeros(16, requires_grad=True)
F.conv2d(batch, kernels, bias).sum().backward()
print(tuple(bias.grad.shape), bias.grad[:4].tolist())

# %% [markdown]
# Your last exercise is the rule for picture and kernel. `gradcheck` is the judge, as in chapter 05: in float64, by nudging. Here it judges the unfold, matmul, view from above:

# %%
def by_columns(x, w):
    kh, kw = w.shape[2:]
    out = w.flatten(1) @ F.unfold(x, (kh, kw))
    return out.view(len(x), len(w), x.shape[2] - kh + 1, x.shape[3] - kw + 1)

inputs = [mt.randn(*s, dtype=mt.float64, requires_grad=True) for s in ((2, 2, 4, 5), (3, 2, 2, 3))]
print(mt.autograd.gradcheck(by_columns, inputs))

# %% [markdown]
# Vary: print `F.fold(mt.ones(1, 9, 9), 8, 3, stride=2)`. Which pixels does no window see? What is their gradient?

# %% [markdown]
# ## 5. Read digits
# Now build with it: two convolutions, then all numbers of a picture in one row, then a linear layer to 10 scores. Three helpers: `BatchNorm2d` shifts and scales each channel to mean 0 and spread 1, over the
# batch. `MaxPool2d(2)` keeps the largest of each 2 × 2, and so halves height and width. `Dropout(0.3)` sets each number to 0 with a chance of 3 in 10, in training only, so that none is relied on too much.

# %%
def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),   # 1 × 8 × 8 -> 16 × 8 × 8
        nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),  # -> 32 × 8 × 8
        nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(),    # -> 32 × 4 × 4 -> 512
        nn.Dropout(0.3),
        nn.Linear(512, 10),               # -> 10
    )

# %% [markdown]
# <!-- predict -->
# The second convolution makes 32 channels from 16. How many weights and biases does it have?
# <!-- open -->
# 32 kernels, each with 16 × 3 × 3 weights: 4608, and 32 biases. The size of the picture does not matter.

# %%
for name, p in network().named_parameters():
    print(f"{name:8} {p.numel():5}  {tuple(p.shape)}")

# %% [markdown]
# 360 digits are held out: the network is never trained on them. The rest comes in batches of 64, shuffled. `OneCycleLR` changes the step size while it trains: small at first, large, and small again.

# %%
order = np.random.default_rng(0).permutation(len(images))
x_all, y_all = mt.from_numpy(images[order])[:, None], mt.from_numpy(labels[order])
x_train, y_train, x_test, y_test = x_all[360:], y_all[360:], x_all[:360], y_all[:360]
loader = mt.utils.data.DataLoader(
    mt.utils.data.TensorDataset(x_train, y_train), batch_size=64, shuffle=True
)
print(tuple(x_train.shape), tuple(x_test.shape))

# %%
def train(net, epochs=8, lr=5e-3):
    optimizer = mt.optim.Adam(net.parameters(), lr=lr)
    steps = epochs * len(loader)
    schedule = mt.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps)
    net.train()  # dropout is on, and each batch has its own mean and spread
    for epoch in range(epochs):
        for x, y in loader:
            loss = F.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

# %%
def accuracy(net, x, y):
    net.eval()  # no dropout, and a mean and spread remembered from the training batches
    with mt.no_grad():
        return (net(x).argmax(dim=1) == y).float().mean().item()

mt.manual_seed(0)
net = network()
train(net)
print("over 98 % on held-out digits:", accuracy(net, x_test, y_test) > 0.98)

# %% [markdown]
# The exact number may differ in the last digit from one processor to the next, so it stands in a cell of its own:

# %% tags=["nbval-ignore-output"]
print(f"held-out digits: {accuracy(net, x_test, y_test):.1%}")

# %% [markdown]
# What does it look for? Nobody chose the 16 kernels of the first layer; gradients made them. Above, the eight that answer most to our seven: black is negative, grey 0, white positive.
# Below, what each gives: black is 0.

# %%
with mt.no_grad():
    seen = net[:3](mt.from_numpy(images[7])[None, None])[0]
figures.what_it_sees(net[0].weight[:, 0], seen)

# %% [markdown]
# Some find edges, some strokes of one direction. Be fair, though: the *same 13 people* wrote these held-out digits and those in training. Vary: no permutation,
# `order = np.arange(1797)[::-1]`, and run on. The file goes by writers, so the held-out hands are new. How far does it fall? And with moved pictures,
# `mt.roll(x_test, 1, 3)`? Which layer has a weight for each place?

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: output_size -->

# %% [markdown]
# <!-- exercise: im2col -->

# %% [markdown]
# <!-- exercise: conv_rule -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A convolution slides one small kernel over a picture: the same weights at every place.
# - All windows are a view, by strides alone: each step of the window is a step of the picture. Writing to it writes to the picture.
# - Laid out as columns they are a copy, and the convolution is one matrix product: kernels as rows, windows as columns.
# - On the way back, what was copied is summed: overlapping windows add their shares. Plain `+=` at repeated places loses all but one.
# - A bias is one number for each kernel. Its gradient sums over pictures and places.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | a layer: 16 kernels over 3 channels | `nn.Conv2d(3, 16, 3)`, weight 16 × 3 × 3 × 3 |
# | keep height and width, kernel 3 | `padding=1` |
# | halve height and width | `stride=2`, or `nn.MaxPool2d(2)` |
# | windows as columns, N × (C·kh·kw) × L | `F.unfold(x, 3)` |
# | add them back | `F.fold(columns, (H, W), 3)` |
# | windows as a view, in NumPy | `np.lib.stride_tricks.sliding_window_view(x, (3, 3))` |
# | add at repeated places | `np.add.at(grad, where, g)` |
# | judge a rule | `mt.autograd.gradcheck(f, inputs)`, in float64 |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `nn.Conv2d`, `nn.MaxPool2d`, `F.unfold`, `F.fold` | the same names and arguments |
# | `all_windows` | `x.unfold(0, 3, 1).unfold(1, 3, 1)`, a view: not `F.unfold`, which copies |
# | unfold and a matmul | its CPU and GPU libraries choose among several ways, im2col among them |
# | `np.add.at` | `grad.index_put_((where,), g, accumulate=True)` |

# %% [markdown]
# <!-- next -->
# Windows look near by. A text needs to look far back, and to choose where. That is attention.
