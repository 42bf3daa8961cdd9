# %% [markdown]
# # 09 · Decide when a GPU pays
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# The picture that decides: time against size, on the CPU, on a GPU with its data in place, and on a GPU that gets its data sent each time.
#
# At the end you can
#
# - find the size from which on a GPU is faster, and say why there is one,
# - count the bytes and the operations of a calculation before you run it,
# - put your own machine under its roofline, and see what limits a calculation,
# - compare results of two devices that do not agree to the last bit.

# %% [markdown]
# ## Before you start
# You can time a device: warm up, synchronize, take the median and the quartiles ([chapter 08](08_time_the_gpu.ipynb)). You know the pretend GPU: real values, and simulated times
# by round numbers that we chose.
#
# Three kinds of numbers stand in this chapter, and each says which it is: *recorded* (measured on the computer that is named, and shipped), *live* (measured on yours, now) and *simulated*.

# %%
import math
import numpy as np
import minitensor as mt
from minitensor import timing
from minitensor.timing.record import hardware
from exercises import ch09
from kit import pretend
from kit.figures import ch09 as figures

# %% [markdown]
# ## 1. Watch the time grow with the size
# What does an addition cost? First on the CPU, as it was recorded.
#
# <!-- predict -->
# `x + y` for 10 numbers each, and for 1000. How many times as long do the 1000 take?
# <!-- open -->
# Hardly longer at all. Finding out what to do, making a Tensor for the result, calling NumPy: that costs the same for 10 numbers and for 1000. It is the *overhead*.

# %%
recording = timing.recorded()[0]
print(recording.label(), "·", recording.about["hardware"]["cores"], "cores")
for m in recording.select(group="elementwise", name="add", device="cpu"):
    print(f"{m.size:10,} numbers: {timing.seconds(m.timing.median)}")

# %% [markdown]
# Plain NumPy has an overhead, too, and so has a Python loop: a loop pays it for every single number. That is why we work on whole arrays. Here are two
# operations; the bars are quartiles (most are too short to be seen).

# %%
rows = {
    name: recording.select(group="elementwise", name=name, device="cpu") for name in ("add", "tanh")
}
figures.sizes(rows, recording.label())

# %% [markdown]
# Left of the bend you pay for the call, right of it for the numbers. The same on the pretend GPU, with the data already there:

# %%
def on_pretend(make, sizes):
    gpu = pretend.restart(compiling=0.0)
    return sizes, [timing.bench(make(n), gpu) for n in sizes]

def add_there(n):
    x = mt.ones(n).to("pretend")
    return lambda: x + x

sizes = [10**k for k in range(1, 8)]
there = on_pretend(add_there, sizes)
for n, t in zip(*there):
    print(f"simulated: {n:10,} numbers: {timing.seconds(t.median)}")

# %% [markdown]
# A launch costs more than a call on the CPU, but the numbers go faster. So a GPU loses with little work, and wins with much; it is not "always faster". Where the two meet
# is the *crossover*. Vary: which size is the first where the simulated GPU beats the recorded CPU?

# %% [markdown]
# ## 2. Count the journey
# Data comes from a file, and results go to a plot: neither is on the GPU. The way between host and GPU, the *bus*, is slower than either memory.
#
# <!-- predict -->
# Now each addition sends both inputs over and brings the sum back. From which size on will the GPU win?
# <!-- open -->
# From none. The journey grows with the numbers as the work does, and takes longer than adding them at home. More numbers do not help.

# %%
def add_moved(n):
    x, y = mt.ones(n), mt.ones(n)
    return lambda: (x.to("pretend") + y.to("pretend")).cpu()

moved = on_pretend(add_moved, sizes)
home = recording.select(group="elementwise", name="add", device="cpu")
for m, t, u in zip(home, there[1], moved[1]):
    print(f"{m.size:10,}: CPU {timing.seconds(m.timing.median):>8},",
          f"pretend GPU {timing.seconds(t.median):>8}, moved {timing.seconds(u.median):>8}")

# %% [markdown]
# A sum does one operation for each number that travels. A matrix product does far more. The same for products of two n × n matrices:

# %%
def product_there(n):
    x = mt.ones(n, n).to("pretend")
    return lambda: x @ x

def product_moved(n):
    x, y = mt.ones(n, n), mt.ones(n, n)
    return lambda: (x.to("pretend") @ y.to("pretend")).cpu()

sides = [16, 64, 256, 512, 1024]
products = on_pretend(product_there, sides), on_pretend(product_moved, sides)

# %% [markdown]
# <!-- predict -->
# Will the product with data moved each time ever beat the CPU?
# <!-- open -->
# Yes. Twice the side means four times the numbers to move, but eight times the operations. With growing size, the journey matters less and less.

# %%
there_label = "pretend GPU, data there (simulated)"
moved_label = "pretend GPU, data moved each time (simulated)"
figures.crossover({
    "x + y": ("numbers", figures.recorded("elementwise", "add")
              | {there_label: there, moved_label: moved}),
    "x @ y": ("rows of a square matrix", figures.recorded("matmul", "matmul")
              | {there_label: products[0], moved_label: products[1]}),
})

# %% [markdown]
# Take the *shapes* home, not the crossings: those of the pretend GPU follow from numbers that we chose. Of a real GPU there is no line, because none was recorded. `python -m minitensor.timing record` on a
# machine with one makes the file, and these cells will draw it. Live, on your own machine:

# %% tags=["nbval-ignore-output"]
print(hardware()["cpu"])
devices = ["cpu", "cuda"] if mt.cuda.is_available() else ["cpu"]
for device in devices:
    for n in (1_000, 1_000_000):
        x = mt.ones(n).to(device)
        print(n, timing.bench(lambda: x + x, device, limit=0.5))
if len(devices) == 1:
    print("no GPU here")

# %% [markdown]
# Vary: what must a program do between the two journeys, so that a GPU pays for `x + y` as well? Change `add_moved`, so that it adds `y` twenty times over there.

# %% [markdown]
# ## 3. Count before you run
# Two counts tell most about a calculation. How many *bytes* have to move between memory and processor, at least: each input once, each result once. And how many *operations* on numbers it does.
# For `x + y` with a million float32 numbers, by hand:

# %%
n = 1_000_000
operations = n
moving = 3 * n * 4  # two inputs, one result, 4 bytes a number
print(operations, moving, f"{operations / moving:.3f} operations a byte")

# %% [markdown]
# `timing.work` counts the same from the shapes. Operations a byte are called the *arithmetic intensity*.
#
# <!-- predict -->
# A product of two n × n matrices takes n multiplications and n additions for each of its n² results. Double n: what happens to the operations a byte?
# <!-- open -->
# They double: eight times the operations, four times the bytes.

# %%
for name, *shapes in [
    ("add", (1_000_000,), (1_000_000,)),
    ("sum", (1_000_000,)),
    ("matmul", (512, 512), (512, 512)),
    ("matmul", (1024, 1024), (1024, 1024)),
]:
    w = timing.work(name, shapes)
    print(f"{name:6} {w.flops:13,} operations, {w.bytes:10,} bytes: {w.intensity:7.2f} a byte")

# %% [markdown]
# `flops` stands for *floating-point operations*. And a warning: memory is counted in bytes, networks often in *bits*, eight to a byte. Vary: what is the intensity of a product of a 1024 × 1024 matrix and a *vector*, of shape `(1024, 1)`?

# %% [markdown]
# ## 4. Put a machine under its roof
# A machine has two speeds: so many bytes a second from memory (its *bandwidth*), and so many operations a second (its *rate*). A calculation needs its bytes and its operations. It cannot be faster than
# the slower of the two allows. (G stands for a billion: 1 GB/s is a billion bytes a second, 1 GFLOP/s a billion operations.)

# %%
top = recording.about["limits"][0]
bandwidth, rate = top["bandwidth"], top["rate"]
print(f"{recording.label()}: {bandwidth / 1e9:.1f} GB/s, {rate / 1e9:.0f} GFLOP/s")
for name, shape in {"add": (10**7,), "matmul": (1024, 1024)}.items():
    w = timing.work(name, [shape, shape])
    print(f"{name}: {1e3 * w.bytes / bandwidth:5.2f} ms for the bytes,",
          f"{1e3 * w.flops / rate:5.2f} ms for the operations")

# %% [markdown]
# <!-- predict -->
# You buy a processor that calculates twice as fast, with the same memory. Which of the two will gain: `add` or `matmul`?
# <!-- open -->
# The product. The sum waits for its bytes, whatever the processor can do.

# %% [markdown]
# In a picture: operations a byte to the right, operations a second upwards. At the left, memory decides: twice as many operations a byte, twice as fast. At the right, arithmetic decides. This is called a
# *roofline*.

# %%
figures.roofline(top, figures.points(recording), recording.label())

# %% [markdown]
# Hollow marks lie far below the roof: their time is overhead. Filled marks lie nearer. On the roof, only another machine would help; `conv2d` (a convolution, chapter 12) is some way below, as it also has to arrange its data. Two caveats. `tanh` counts as one operation, and takes as long as many. And a
# *middle* size may lie above the roof: it fits into a *cache*, a small memory that is faster than the one we measured.
#
# Now your own machine, live. It takes a few seconds. (A filled mark above the roof? Then something else ran while the roof was measured: run it again.)

# %% tags=["nbval-ignore-output"]
def point(name, call, *shape):
    x, w = mt.ones(*shape), timing.work(name, [shape, shape])
    return shape[0], w.intensity, w.flops / timing.bench(lambda: call(x), limit=0.3).median

own = {
    "add": [point("add", lambda x: x + x, n) for n in (10, 10**7)],
    "matmul": [point("matmul", lambda x: x @ x, n, n) for n in (16, 1024)],
}
figures.roofline(timing.limits(limit=0.4), own, f"{hardware()['cpu']}, live")

# %% [markdown]
# A GPU has a roof of the same form, only higher, and with its corner elsewhere. Vary: divide two of the numbers below. Where is the corner of the pretend GPU?

# %%
print(f"chosen: {pretend.BANDWIDTH / 1e9:.0f} GB/s, {pretend.RATE / 1e9:.0f} GFLOP/s,",
      f"{pretend.LINK / 1e9:.0f} GB/s over the bus, {1e6 * pretend.LAUNCH:.0f} µs a launch")

# %% [markdown]
# ## 5. Keep the model there
# A step of training is many launches, one for each operation forwards and backwards and for each update. The parameters live on the GPU all the time, so only the batch travels.

# %%
def step_on(device, batch):
    mt.manual_seed(0)
    nn = mt.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(),
                          nn.Linear(128, 10)).to(device)
    adam = mt.optim.Adam(model.parameters())
    x, target = mt.randn(batch, 784), mt.randint(0, 10, (batch,))

    def step():
        loss = nn.functional.cross_entropy(model(x.to(device)), target.to(device))
        adam.zero_grad()
        loss.backward()
        adam.step()
    return step

# %% [markdown]
# <!-- predict -->
# On the pretend GPU, a batch of 64 examples in place of 1. How much longer does a step take: 64 times, 8 times, or hardly at all?
# <!-- open -->
# Hardly at all. The launches are the same, and the GPU finishes each piece of work before the next one is launched. It was idle most of the time; now it is less idle.

# %% tags=["nbval-ignore-output"]
batches = [1, 8, 64, 512]
gpu = pretend.restart(compiling=0.0)
step = step_on("pretend", 64)
before = len(gpu.log)
step()
print(len(gpu.log) - before, "launches and copies in a step")
steps = [timing.bench(step_on("pretend", n), gpu).median for n in batches]
for n, t in zip(batches, steps):
    print(f"simulated: a batch of {n:3}: {timing.seconds(t)}")

# %% tags=["nbval-ignore-output"]
network = recording.select(group="training", name="MLP 784-256-128-10")
figures.training({
    recording.label(): ([m.size for m in network], [m.timing.median for m in network]),
    "pretend GPU (simulated)": (batches, steps),
})

# %% [markdown]
# On the CPU a few examples are nearly free, too: Adam moves all 235,000 weights, whatever the batch. With 512 the examples' own work shows. The GPU still has room: larger
# batches are nearly free there. (Compare the forms only: the pretend GPU's clock leaves out Python's time.)
#
# Three rules follow. Move the model once. Move each batch once, and nothing back but a number now and then. Give each launch much to do. Vary: put `x` and `target` on the device *outside* of `step`. What does that save?

# %% [markdown]
# ## 6. Do not ask for equal bits
# Last, the results. A GPU adds in another order than a CPU, as its many units add at once. Does order matter?

# %%
print((0.1 + 0.2) + 0.3 == 0.1 + (0.2 + 0.3))

# %% [markdown]
# Each addition rounds to the nearest number that the format can hold. Another order rounds elsewhere. Neither is wrong. Here are two orders in float32: one after the other, as a simple loop
# does, and in pairs, then pairs of pairs, as a GPU does.
#
# <!-- predict -->
# A million numbers between 0 and 1. Both orders do the same number of additions. Which has the larger error?
# <!-- open -->
# One by one. Its running total soon is large, and each small number is rounded to the steps of a large one. In pairs, numbers of like size are added, and each takes part in few additions.

# %%
def one_by_one(x):
    return x.cumsum(0)[-1].item()

def in_pairs(x):  # len(x): a power of two
    while len(x) > 1:
        x = x[::2] + x[1::2]
    return x.item()

x = mt.from_numpy(np.random.default_rng(0).random(2**20, dtype=np.float32))
print("one by one:", one_by_one(x))
print("in pairs:  ", in_pairs(x))
print("exact:     ", f"{math.fsum(x.tolist()):.4f}")

# %% [markdown]
# <!-- predict -->
# Now with more and more numbers. Does the error, as a share of the sum, grow with them: in both orders, in one, or in none?
# <!-- open -->
# One by one it grows: each new number meets a larger total. In pairs it hardly does: a thousand times as many numbers take only ten more rounds.

# %%
def error(total, x):
    exact = math.fsum(x.tolist())
    return abs(total(x) - exact) / exact

rng, numbers = np.random.default_rng(1), [2**k for k in range(4, 21, 2)]
draws = [[mt.from_numpy(rng.random(n, dtype=np.float32)) for _ in range(4)] for n in numbers]
errors = {
    "one by one, float32": [max(error(one_by_one, x) for x in xs) for xs in draws],
    "in pairs, float32": [max(error(in_pairs, x) for x in xs) for xs in draws],
}
print("one by one, float64:", max(error(one_by_one, x.double()) for xs in draws for x in xs))

# %%
figures.rounding(numbers, errors)

# %% [markdown]
# In float64, with twice the bytes, even the loop has room for every digit of these numbers. So two devices that both calculate correctly differ in the last digits. To compare them, say how many digits you want: a *tolerance*. It is a share of something, because float32
# keeps about seven *significant* digits. A share of what, is the last exercise.

# %%
one, two = mt.tensor(one_by_one(x)), mt.tensor(in_pairs(x))
print("equal:", (one == two).item(), "· close:", mt.allclose(one, two, rtol=1e-4))

# %% [markdown]
# Vary: find the smallest `rtol`, as a power of ten, that still says close. Which digit is that?

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: crossover -->

# %% [markdown]
# <!-- exercise: bytes_moved -->

# %% [markdown]
# <!-- exercise: agree -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A call costs the same for small and large data. A GPU's call costs more, its numbers less: so it loses with little work and wins with much.
# - The journey counts. What does one operation a number does not pay for its way. What does many, or stays there, does.
# - Count bytes and operations first. Few operations a byte: memory is the limit. Many: arithmetic. Far below the roof: overhead.
# - Move the model once, each batch once, and give each launch much to do.
# - Another order of additions rounds elsewhere. Compare with a tolerance, never for equal bits.
#
# ## Cheat-sheet
# | question | answer |
# |---|---|
# | from which size on does a GPU pay? | where work and journey there are shorter, from there on |
# | bytes of `x + y`, float32 | `3 * n * 4` |
# | operations of `x @ w` | `2 * n * k * m` |
# | the least time | the larger of bytes / bandwidth and operations / rate |
# | what is my machine's roof? | `timing.limits()` |
# | the work of an op | `timing.work("matmul", [(n, k), (k, m)])` |
# | record this machine | `python -m minitensor.timing record` |
# | compare results | `mt.allclose(a, b, rtol=..., atol=...)` |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `timing.bench` for each size | `torch.utils.benchmark.Timer`, and `Compare` for a table |
# | many launches a step | `torch.compile` and CUDA graphs put many operations into one launch |
# | `x.to(device)` waits | `x.pin_memory().to(device, non_blocking=True)` travels while the GPU works |
# | `mt.allclose(a, b)` | `torch.allclose(a, b)`, `torch.testing.assert_close(a, b)` |
# | always the same order here | `torch.use_deterministic_algorithms(True)` asks for it |

# %% [markdown]
# <!-- next -->
# You know what a step of training costs. Next, what is in it.
