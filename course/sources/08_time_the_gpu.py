# %% [markdown]
# # 08 · Time the GPU honestly
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# `bench`: a stopwatch that is not fooled by a device that works behind your back.
#
# At the end you can
#
# - move Tensors and models to a GPU, and write functions that run wherever their input lives,
# - say when a call on a GPU returns, when its work is done, and what makes the program wait,
# - name three mistakes that make a GPU look far faster or slower than it is, and avoid them.

# %% [markdown]
# ## Before you start
# You know Tensors and memory that is shared with NumPy ([chapter 07](07_shared_memory.ipynb)). You need no GPU.
#
# A *GPU* is a second computer inside yours: a chip with memory of its own that does the same arithmetic on very many numbers at once. The processor that runs
# your program is the *CPU*; its side is called the *host*. A *device* is one of the two.

# %%
import statistics
import numpy as np
import minitensor as mt
from minitensor import timing
from minitensor.timing.record import hardware
from exercises import ch08
from kit import pretend, shows_error
from kit.figures import ch08 as figures

# %% [markdown]
# ## 1. Give the numbers a home
# A NumPy array has one possible home, the memory of the host. A Tensor says where it lives:

# %%
x = mt.ones(2, 3)
x.device

# %% [markdown]
# `.to("cuda")` sends it to a GPU ("cuda" is the name of NVIDIA's system for computing on GPUs). If that does not work here, the message says what is missing:

# %% tags=["nbval-ignore-output"]
try:
    print(x.to("cuda").device, "is", mt.cuda.get_device_name())
except RuntimeError as error:
    print("RuntimeError:", error)

# %% [markdown]
# So that everyone can go on, the course has a *pretend GPU*. Its Tensors are computed by the CPU: their values are real. Its times are a *simulation*. They come from a
# clock of its own, by round numbers that we chose, and leave out what Python takes: see `kit/pretend.py`. It behaves as a GPU does, only more regularly.
#
# <!-- predict -->
# `y = x.to("pretend")`. Where is `x` afterwards?
# <!-- open -->
# Still on the CPU. `to` changes nothing: it returns a new Tensor, a copy on the other side. The name `x` still means the old one.

# %%
gpu = pretend.restart()
y = x.to("pretend")
print("x:", x.device, " y:", y.device)

# %% [markdown]
# To move on for good, give the copy the name: `x = x.to(...)`. Two homes mean that things can be apart. NumPy cannot look over there at all, and an operation does not
# choose for you:

# %%
with shows_error(TypeError):
    np.exp(y)
with shows_error(RuntimeError):
    x + y

# %% [markdown]
# Moving is slow, as you will see. So a program should say where it wants to compute, and never be moved in secret. This function breaks that rule:

# %%
def centred(x):
    return x - mt.ones(3) * x.mean()

with shows_error(RuntimeError):
    centred(y)

# %% [markdown]
# `mt.ones(3)` is made on the CPU, because nobody said otherwise. The cure is to ask the input. Code that runs anywhere without a change is called *device-agnostic*:

# %%
def centred(x):
    return x - mt.ones(3, device=x.device) * x.mean()

print(centred(x).device, centred(y).device)

# %% [markdown]
# Only the top of a program names a device, once. A model moves with all its parameters. (Here `to` *does* change something: a module stays itself, and its parameters move.)
# Vary: put `"pretend"` in the first line.

# %% tags=["nbval-ignore-output"]
device = "cuda" if mt.cuda.is_available() else "cpu"
model = mt.nn.Linear(3, 2).to(device)
print("the model computes on", model(x.to(device)).device)

# %% [markdown]
# ## 2. Ask when the work is done
# Now to the clock. A matrix product on the pretend GPU, timed as one would time anything: read the clock, call, read the clock. `gpu.now()` is its virtual time in seconds.

# %%
gpu = pretend.restart()
x = mt.ones(500, 500).to("pretend")
x @ x
gpu.synchronize()  # section 3 says why these two lines are here

start = gpu.now()
y = x @ x
returned = gpu.now() - start
print(f"simulated: {1e6 * returned:.0f} µs")

# %% [markdown]
# A product of two 500 × 500 matrices is 125 million multiplications, and as many additions. In 5 millionths of a second?
#
# <!-- predict -->
# `gpu.synchronize()` returns when the GPU has nothing left to do. What will the clock say after it: the same, or more?
# <!-- open -->
# More. The call only put the product into a *queue*. The GPU does it later, while the program goes on.

# %%
gpu.synchronize()
finished = gpu.now() - start
print(f"simulated: returned after {1e6 * returned:.0f} µs, finished after {1e6 * finished:.0f} µs")

# %% [markdown]
# To put work into the queue is called to *launch* it. A launch costs the host the same, whatever the size of the work. That the program need not wait is a good thing:
# here are four products.

# %%
before = len(gpu.log)
start = gpu.now()
for _ in range(4):
    y = x @ x
gpu.synchronize()
print(f"simulated: {1e6 * (gpu.now() - start):.0f} µs for four products")

# %%
figures.timeline(gpu.log[before:])

# %% [markdown]
# The dashed line is what a stopwatch without `synchronize` reads. It would not even change if each piece of work took ten times as long. Such a time says nothing about the GPU.
#
# Now the same on your own GPU, if you have one. There the call is `mt.cuda.synchronize()`, and the clock is the computer's:

# %% tags=["nbval-ignore-output"]
if mt.cuda.is_available():
    from time import perf_counter
    a = mt.ones(4000, 4000).to("cuda")
    (a @ a), mt.cuda.synchronize()
    start = perf_counter()
    b = a @ a
    returned = perf_counter() - start
    mt.cuda.synchronize()
    finished = perf_counter() - start
    print(f"{mt.cuda.get_device_name()}: returned after {timing.seconds(returned)},",
          f"finished after {timing.seconds(finished)}")
else:
    print("no GPU here")

# %% [markdown]
# Vary: in the first cell of this section, put `x + x` in place of *both* `x @ x`, and run the two cells again. Which is longer now, the launch or the work?

# %% [markdown]
# ## 3. Leave the first call out
# So synchronize, and all is well? Twenty calls, each waited for, on a device that was just switched on:
#
# <!-- predict -->
# All twenty calls do the same work. Will they all take the same time?
# <!-- open -->
# No. The first takes thousands of times as long: what the GPU shall do has to be compiled, once.

# %%
gpu = pretend.restart()
small = mt.ones(256, 256).to("pretend")

def make():  # makes what is timed; the making is not
    return lambda: (small @ small).tanh().sum()

first = timing.first_calls(make, gpu)
print(f"simulated: call 1 {timing.seconds(first.samples[0])},",
      f"call 2 {timing.seconds(first.samples[1])}")

# %% [markdown]
# A program for the GPU is called a *kernel*. Many are translated for the GPU at hand when they are first needed. And whatever the device: the first call gets memory from
# the system, loads libraries, fills caches. A CPU does so too. The same 20 calls were *measured* on the computers named in the picture, and *recorded* in files that come with the course:

# %%
figures.first_calls(first.samples, timing.recorded())

# %%
for recording in timing.recorded():
    print("CPU:", recording.label(), "· GPU:", recording.about["hardware"]["gpu"])

# %% [markdown]
# `GPU: None` means just that: nobody has recorded a GPU yet, so no line of a real one is in the picture. With one, `python -m minitensor.timing record` writes the file, in a few minutes. Here is your
# own CPU, now:

# %% tags=["nbval-ignore-output"]
def make():
    a = mt.ones(64, 64)
    return lambda: (a @ a).tanh().sum()

print(hardware()["cpu"])
print(timing.first_calls(make))

# %% [markdown]
# So a call or two before the stopwatch starts: the *warm-up*. It does not make the first call cheap. If your program makes only one call, its cost *is* the cost of the first.
# Say which of the two you report. Vary: run the last cell again. Is its first call as slow as before?

# %% [markdown]
# ## 4. Find what waits
# A program that never waits uses both sides. But it must wait wherever it needs a *number*. Look at this loop: while the GPU works, the host prepares the next batch, for 40 µs.

# %%
def loop(look_at_each):
    gpu = pretend.restart(compiling=0.0)
    for _ in range(20):
        y = x @ x
        if look_at_each:
            y[0, 0].item()  # for a progress report, say
        gpu.work(40e-6)  # the host is busy, not the GPU: the next batch
    gpu.synchronize()
    return 1e3 * gpu.now()

# %% [markdown]
# <!-- predict -->
# A product takes the GPU 50 µs. Twenty turns, with `item()` in each, or without: will it matter?
# <!-- open -->
# Yes. Without `item()` the two work side by side, and the longer of the two decides. With it, they take turns, and the times add up.

# %%
print(f"simulated: {loop(False):.1f} ms without item(), {loop(True):.1f} ms with it")

# %% [markdown]
# `item()` returns a Python number, so it must wait until the number exists. So must `print(y)`, `float(y)`, `if y > 0`, `.tolist()`, `.cpu()`. None of them says
# `synchronize`, and all of them do. That is why a fast training loop adds up its losses as a Tensor, and looks at it once an epoch.
#
# Try it. What will the stopwatch read? Put work into the queue, wait or do not, and predict the number before you press.

# %%
figures.launches()

# %% [markdown]
# Vary: find two orders of the same five buttons, one of which takes longer. And what does a second `synchronize()` cost?

# %% [markdown]
# ## 5. Do not trust one sample
# Real devices are not regular. Other programs run, clocks go up and down with the heat. The pretend GPU can do that, too: with `jitter=0.3`, work takes up to 30 % longer by chance, and one piece in twenty
# takes twice as long.

# %%
gpu = pretend.restart(compiling=0.0, jitter=0.3, seed=4)

def sample():
    start = gpu.now()
    x @ x
    gpu.synchronize()
    return gpu.now() - start

print("simulated:", [f"{1e6 * sample():.0f} µs" for _ in range(3)])

# %% [markdown]
# <!-- predict -->
# Forty samples. Which will be higher, their mean or their *median*, the one in the middle when they are sorted?
# <!-- open -->
# The mean. Nothing is ever faster than the device, but now and then something is much slower. A few slow samples pull up the mean. The median does not move.

# %%
samples = [sample() for _ in range(40)]
figures.spread(samples)

# %% [markdown]
# A single sample can land anywhere in the picture. Two numbers tell what a single one hides: the *quartiles*. A quarter of the samples lies below the first, a quarter above
# the second. `timing.bench` warms up, synchronizes, and takes samples until the median is known well enough. Its *precision* says how well: by what share the median may still be off.

# %%
print("simulated:", timing.bench(lambda: x @ x, gpu))

# %% [markdown]
# The same for your own machine. Run it twice:

# %% tags=["nbval-ignore-output"]
a = mt.ones(64, 64)
print(timing.bench(lambda: a @ a, limit=1.0))
if mt.cuda.is_available():
    b = a.to("cuda")
    print(timing.bench(lambda: b @ b, "cuda", limit=1.0))

# %% [markdown]
# One trap is left. A clock moves in steps. A sample that is hardly longer than a step is a rounding error. So `bench` puts many calls into one sample, and refuses if that is forbidden:

# %%
quick = timing.FakeDevice(overhead=3e-9, compiling=0.0)  # a launch takes 3 billionths of a second
with shows_error(timing.TimingError):
    timing.bench(lambda: quick.launch("tiny", 0.0), quick, calls=1)

# %% [markdown]
# Vary: leave out `calls=1`, in a cell of your own: `print(timing.bench(lambda: quick.launch("tiny", 0.0), quick))`. How many calls does it put into a sample?

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: bench -->

# %% [markdown]
# <!-- exercise: add_positions -->

# %% [markdown]
# <!-- exercise: train_step -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A Tensor has a home. `t.to(device)` returns a copy elsewhere, and `t` stays. All inputs of an operation must be on one device; only a single number (shape `()`) may come from the CPU.
# - Functions ask their input for its device. Only the top of a program names one.
# - A call on a GPU returns when the work is in the queue. To time the work, synchronize before the clock is read.
# - The first call compiles, loads and allocates. Warm up, or say that you report the first call.
# - `item()`, `print`, `if` and `.cpu()` wait for the GPU. Use them seldom.
# - One sample is no time. Report the median and the quartiles, and the device.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | choose a device, once | `device = "cuda" if mt.cuda.is_available() else "cpu"` |
# | move a Tensor | `x = x.to(device)` |
# | move a model | `model.to(device)` |
# | make a Tensor where another one is | `mt.zeros(3, device=x.device)`, `mt.zeros_like(x)` |
# | bring it back for NumPy | `x.detach().cpu().numpy()` |
# | wait for the GPU | `mt.cuda.synchronize()` |
# | time something | `timing.bench(fn, device)` |
#
# | mistake | effect |
# |---|---|
# | no `synchronize` | you time the launch; any work looks equally fast |
# | no warm-up | you time the compiler |
# | a mean of one, or of few | you time chance |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `x.to(device)`, `x.device`, `model.to(device)` | the same |
# | `mt.cuda.synchronize()`, `mt.cuda.is_available()` | `torch.cuda.synchronize()`, `torch.cuda.is_available()` |
# | `timing.bench(fn, device)` | `torch.utils.benchmark.Timer(...).blocked_autorange()`, which also warms up and synchronizes |
# | two devices in one operation | the same error: "Expected all tensors to be on the same device" |
# | CuPy computes on the GPU | PyTorch's own kernels do, and the queue is called a *stream* |

# %% [markdown]
# <!-- next -->
# Now that you can time a GPU, ask when it pays.
