# %% [markdown]
# # 01 · Find slopes by nudging
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A picture in the shape of a V. It shows how wrong a slope is, for every size of the nudge that it was found with. It tells you which
# size to choose, and why smaller is not better.
#
# At the end you can
#
# - find the slope of any function, without a formula,
# - choose the size of the nudge, for `float64` and for `float32`,
# - say what nudging costs when there are many inputs,
# - use a nudge as the judge of a slope that somebody worked out by hand.

# %% [markdown]
# ## Before you start
# You know Python, a little NumPy, and what a slope is for: in [chapter 00](00_why_not_just_numpy.ipynb) you stepped downhill along slopes, and you
# checked one by a nudge. Here we look at the nudge itself.

# %%
import numpy as np
import minitensor as mt
from exercises import ch01
from kit.data import penguins
from kit.figures import ch01 as figures

# %% [markdown]
# ## 1. Nudge and divide
# Here is a curve in the shape of an S: flat far to the left, steep at 0, flat again far to the right. It squashes any number to between -1 and 1. School has rules that give its slope, and `true_slope` is what they give. In this
# chapter it is only the judge.

# %%
def f(x):
    return x / np.sqrt(1 + x * x)

def true_slope(x):
    return 1 / (1 + x * x) / np.sqrt(1 + x * x)

print(f"at 0.7: f {f(0.7):.4f}, slope {true_slope(0.7):.4f}")

# %% [markdown]
# Without the rules: move the input by a little, `h`. See how far the result moves. Divide.

# %%
def one_sided(f, x, h):
    return (f(x + h) - f(x)) / h

# %% [markdown]
# <!-- predict -->
# Left of 0 the curve bends up, right of 0 it bends down: it flattens. Start at 0.7 and move right by `h = 1`. Will the quotient be larger than the true slope, or smaller?
# <!-- open -->
# Smaller. On the way the curve gets flatter, so it climbs less than it promised at the start.

# %%
for h in (1.0, 0.1, 0.01, 0.001):
    slope = one_sided(f, 0.7, h)
    print(f"h = {h:<5}: slope {slope:.6f}, error {abs(slope - true_slope(0.7)):.6f}")

# %% [markdown]
# Ten times smaller nudge, ten times smaller error. In the picture, the quotient is the slope of a *chord*, a straight line through two points of the
# curve. The slope we want is that of the *tangent*, which touches it in one. Vary: put -0.7 in place of 0.7, in both places of the cell above. Too large or too small now?
#
# <details>
# <summary>Open when you have tried</summary>
#
# Too large: left of 0 the curve gets steeper on the way.
#
# </details>

# %%
figures.chords(f, true_slope, 0.7, (1.0, 0.5, 0.1))

# %% [markdown]
# ## 2. Nudge both ways
# To the right of 0.7 the chord is too flat. To the left it is too steep, by nearly as much. So take the mean of both. In the sum, `f(x)`
# cancels, and what is left is one chord across `x`. This is the *central* difference.

# %%
def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)

right, left = one_sided(f, 0.7, 0.1), one_sided(f, 0.7, -0.1)
print(f"right {right:.6f}, left {left:.6f}, mean {(right + left) / 2:.6f}")
print(f"central {central(f, 0.7, 0.1):.6f}, true {true_slope(0.7):.6f}")

# %% [markdown]
# <!-- predict -->
# One-sided, the error shrank ten times when `h` did. How many times will the error of `central` shrink?
# <!-- open -->
# A hundred times. What is proportional to `h` has cancelled. The next part is proportional to `h` times `h`.

# %%
for h in (0.1, 0.01, 0.001):
    one, both = (abs(method(f, 0.7, h) - true_slope(0.7)) for method in (one_sided, central))
    print(f"h = {h:<5}: error one-sided {one:.1e}, central {both:.1e}")

# %% [markdown]
# (`1.2e-07` is 1.2 divided by 10 seven times.) Two runs of `f` each, and at `h = 0.001` thousands of times closer. That is why chapter 00 nudged both ways. On a parabola,
# nothing is left at all, as its bend is the same on both sides:

# %%
def parabola(x):
    return x * x

for method in (one_sided, central):
    print(f"{method.__name__:9} {method(parabola, 3.0, 0.5)}")

# %% [markdown]
# The slope of x² at 3 is 6. Vary: try a larger `h`, and then x³ in place of x².
#
# <details>
# <summary>Open when you have tried</summary>
#
# On the parabola the size of `h` does not matter. On x³, whose slope at 3 is 27, `central` is off by exactly `h * h`: 0.25 for 0.5.
#
# </details>

# %% [markdown]
# ## 3. Smaller is not better
# Each time `h` shrank, the slope got better. So why not take the smallest `h` there is?
#
# <!-- predict -->
# We go down to 1e-5, 1e-9, 1e-13, 1e-17. What will the error of `central` do: shrink to 0, level off, or turn round and grow?
# <!-- open -->
# It turns round and *grows*. At the end the slope that comes out is 0.

# %%
for h in (1e-1, 1e-3, 1e-5, 1e-9, 1e-13, 1e-17):
    slope = central(f, 0.7, h)
    print(f"h = {h:.0e}: slope {slope:.6f}, error {abs(slope - true_slope(0.7)):.1e}")

# %% [markdown]
# Nothing is wrong with the formula. The numbers ran out of digits. A `float64` keeps about 16. Look at the two results, before they are subtracted:

# %%
for h in (1e-1, 1e-5, 1e-13, 1e-17):
    print(f"h = {h:.0e}: f(x + h) {f(0.7 + h):.16f}")
    print(f"           f(x - h) {f(0.7 - h):.16f}")

# %% [markdown]
# The smaller the nudge, the more digits agree. Subtraction wipes those out, and only the rest speaks. At 1e-13 only the last four digits differ, and the very last is
# rounded. Then we divide by a tiny number, and that blows the rounding up. At 1e-17 nothing is left: `0.7 + 1e-17` *is* `0.7`.
#
# So two errors pull against each other. The *bend* of the curve wants a small `h`. *Rounding* wants a large one. Together they make a V. From the right,
# both lines fall, the central one twice as steeply.

# %%
figures.v_curve({"one-sided": one_sided, "central": central}, f, true_slope, {"float64": 0.7})

# %% [markdown]
# Go along it yourself: drag the slider, or use the arrow keys. Green digits agree. Watch how few are left when the error climbs again. Then
# vary: change to one-sided; then to `float32`, which the next section is about.

# %%
figures.slider(f, true_slope, 0.7)

# %% [markdown]
# ## 4. Choose h
# Where is the bottom of the V? That depends on how many digits the numbers keep. `eps` is the smallest relative step: the next number after 1 is
# 1 + `eps`.

# %%
for kind in (np.float64, np.float32):
    print(f"{kind.__name__}: eps {np.finfo(kind).eps:.1e}")

# %% [markdown]
# Deep learning computes in `float32`, with about 7 digits. The same function, the same `h`:
#
# <!-- predict -->
# In `float64`, `h = 1e-6` is a fine choice, near the bottom of the V. How large will the error be in `float32`: about the same, ten times, a million times, or still more?
# <!-- open -->
# Still more, by far. At best the first digit of the slope is right.

# %%
for x in (0.7, np.float32(0.7)):
    error = abs(central(f, x, 1e-6) - true_slope(x))
    print(f"{type(x).__name__}: error {error:.1e}")

# %% [markdown]
# Fewer digits lift the left side of the V, and its bottom moves up and to the right. (In plain words: noisy numbers need a big
# nudge.) Where a curve is flat at the top, the nudge is lost altogether: the slope comes out as 0.

# %%
figures.v_curve({"central": central}, f, true_slope, {"float64": 0.7, "float32": np.float32(0.7)})

# %% [markdown]
# The bend costs about `h * h` with `central`, rounding about `eps / h`. At the bottom the two are equal: there `h * h * h` is `eps`. So a good `h` is
# near the *cube root* of `eps`. For `one_sided`, the bend costs `h`, and the square root is right. Only the size matters: with `central`, ten times too small
# costs about ten times the error, ten times too large a hundred times. There is room for both.

# %%
for kind in (np.float64, np.float32):
    eps = float(np.finfo(kind).eps)
    print(f"{kind.__name__}: central {eps ** (1 / 3):.0e}, one-sided {eps ** (1 / 2):.0e}")

# %% [markdown]
# One thing is missing. `eps` is a *relative* step. Large numbers lie further apart:

# %%
for x in (1.0, 1000.0, 1e6):
    print(f"after {x:9}: next float32 {np.spacing(np.float32(x)):.0e} further, "
          f"next float64 {np.spacing(x):.0e}")

# %% [markdown]
# At a million, a `float32` cannot even be moved by 0.005: the next number is further away. So `h` must grow with the size of `x`. It must
# not shrink with it, or near 0 it would become 0. (All this for a function that changes slowly at that size, as `x * x` does. A wave such as `sin` goes up and
# down hundreds of times within 5000: there such a nudge tells nothing.) Before you run it: which of these nudges survives?

# %%
x = np.float32(1e6)
for h in (0.005, 0.5, 5000.0):
    print(f"moved by {x + h - x}, wanted {h}")

# %% [markdown]
# ## 5. Count the runs
# One input, two runs. And a model with many? Here is the small network of chapter 00, with its 25 numbers in one array `p`. `runs` counts
# how often the loss is worked out. (`tanh` is another curve that squashes.)

# %%
flipper, mass = (column.astype(np.float64) for column in penguins())
x = (flipper - flipper.mean()) / flipper.std()
y = (mass - mass.mean()) / mass.std()
runs = 0

def loss(p, x=x, y=y, tanh=np.tanh):
    global runs
    runs += 1
    a, c, v, d = p[:8], p[8:16], p[16:24], p[24]
    predicted = tanh(x[:, None] * a + c) @ v + d
    return ((predicted - y) ** 2).mean()

# %% [markdown]
# To learn, we need the slope at *each* number, while the others stay put. So nudge one after the other:

# %%
def one_sided_slopes(f, p, h):
    start, slopes = f(p), []
    for i in range(len(p)):
        nudged = p.copy()
        nudged[i] += h
        slopes.append((f(nudged) - start) / h)
    return np.array(slopes)

# %% [markdown]
# <!-- predict -->
# How many runs of `loss` will that take for the 25 numbers? And how many would central nudging take?
# <!-- open -->
# 26: one for each number, and one for the start, which all share. Central: 50, two for each number.

# %%
p = np.random.default_rng(0).normal(size=25)
runs = 0
nudged = one_sided_slopes(loss, p, h=1e-8)
print(runs, "runs for", len(nudged), "slopes")

# %% [markdown]
# That is for *one* step downhill. Now a Tensor. `loss` stays as it is: it gets Tensors in place of arrays, and the `tanh` that goes on record.
#
# Many believe that `backward` does the same nudging inside, only faster. Count:

# %%
p_t = mt.tensor(p, requires_grad=True)
runs = 0
error = loss(p_t, mt.from_numpy(x), mt.from_numpy(y), mt.tanh)
error.backward()
print(runs, "run for", len(p_t.grad), "slopes")
print("equal to 1e-5:", np.allclose(nudged, p_t.grad.numpy(), rtol=1e-5, atol=1e-5))

# %% [markdown]
# One run, and one walk back that costs about as much as a few more ([chapter 03](03_backprop_step_by_step.ipynb) counts it). There is no `h` anywhere, so no V: each slope is as exact as the
# numbers allow. That is *autograd*, the first reason of chapter 00, and now you know what it saves:

# %%
for n in (25, 10_000, 1_000_000):
    seconds = 2 * n / 1000
    print(f"{n:9,} inputs: {2 * n:9,} runs a step; at 1000 runs a second {seconds:8,.2f} s")

# %% [markdown]
# A million inputs is a *small* model. Vary: how many days for a thousand steps?
#
# <details>
# <summary>Open when you have tried</summary>
#
# 2000 seconds a step, so two million seconds: 23 days.
#
# </details>

# %% [markdown]
# ## 6. Let the nudge be the judge
# Nudging is too slow to learn by. But it knows no formulas, so it cannot share your mistake. That makes it the judge of every slope
# in this course. Somebody forgot the root in the slope of `f`:
#
# <!-- predict -->
# The judge looks at one point: 0. Will it find the mistake?
# <!-- open -->
# No. At 0 the root is 1, and nobody misses it. One point proves nothing. Take several, and crooked ones.

# %%
def by_hand(x):
    return 1 / (1 + x * x)

for x in (0.0, 0.01, 0.7):
    print(f"at {x:4}: by hand {by_hand(x):.6f}, nudged {central(f, x, 1e-5):.6f}")

# %% [markdown]
# At 0.01 the two differ only in the fifth digit. A small mistake, or rounding? A nudged slope is never exact, so `==` is no test. And an absolute
# limit, such as 0.001, is none either: for slopes of a million it is too strict, for slopes of a millionth it lets anything pass. Look at the
# *relative* difference, the difference as a share of the slopes themselves:

# %%
for x in (0.01, 0.7):
    nudged = central(f, x, 1e-5)
    for name, slope in (("by hand", by_hand(x)), ("true   ", true_slope(x))):
        print(f"at {x:4}: {name} off by {abs(slope - nudged) / abs(nudged):.0e} of the slope")

# %% [markdown]
# A wrong rule is off by far more than what the V allows, even where it is nearly right. In `float64` a limit of a millionth, 1e-6, tells the two apart.
#
# The judge has blind spots. Where a curve has a *kink*, there is no slope, but nudging names one. `abs` falls with slope -1, and rises with slope 1:

# %%
for x in (-0.5, 0.0, 4e-6, 0.5):
    print(f"abs at {x}: central {central(abs, x, 1e-5):.2f}, right {one_sided(abs, x, 1e-5):.2f}")

# %% [markdown]
# At 0, central and one-sided differ. Just beside it, at 4e-6, there *is* a slope, 1. But the nudge reaches across the kink. If a check fails at one odd point,
# ask whether there is a kink within `h`, before you doubt the rule. Vary: put `round` in place of `abs`, and nudge at 0.4. Is the answer right? And at 0.5?
#
# <details>
# <summary>Open when you have tried</summary>
#
# At 0.4 it is: `round` is level there, and 0 comes out. At 0.5 it jumps from 0 to 1. There is no slope, but the nudge says 50000: 1 divided by the
# 2e-5 between its ends.
#
# </details>

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: central_slopes -->

# %% [markdown]
# <!-- exercise: pick_h -->

# %% [markdown]
# <!-- exercise: runs_needed -->

# %% [markdown]
# <!-- exercise: agree -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - Nudge, subtract, divide: the slope of a chord. Both ways round, the error falls with the square of `h`.
# - Two errors make a V: the bend, for large `h`; rounding, for small `h`. The bottom depends on the digits that the numbers keep.
# - Each input needs nudges of its own. `backward` needs one run and one walk back, and has no `h`.
# - A nudge is the best judge of a rule: several points, relative differences, `float64`, away from kinks.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | nudge one way | `(f(x + h) - f(x)) / h` |
# | nudge both ways | `(f(x + h) - f(x - h)) / (2 * h)` |
# | find how many digits there are | `np.finfo(x.dtype).eps` |
# | get `h` for central, near 1 | cube root of `eps`: about 6e-6 in `float64`, 5e-3 in `float32` |
# | get `h` for one-sided, near 1 | square root of `eps`: about 1e-8 and 3e-4 |
# | count runs for n inputs | one-sided n + 1, central 2n |
# | compare | difference as a share of the slopes |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `np.finfo(np.float32).eps` | `torch.finfo(torch.float32).eps` |
# | nudge every input, compare with `backward` | `torch.autograd.gradcheck(f, inputs)`; it wants `float64`, and nudges by 1e-6 |
# | `mt.autograd.gradcheck(f, inputs)` | the same |
# | nudge a whole row of samples | `torch.gradient`, for data without a formula |
#
# You will write a check like `gradcheck` in chapter 05.

# %% [markdown]
# <!-- next -->
# One run and one walk back, no `h`: now build the engine that does it.
