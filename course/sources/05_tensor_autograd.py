# %% [markdown]
# # 05 · Send gradients back through tensors
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# The three pieces that turn a scalar engine into a tensor engine: a function that undoes broadcasting, the backward rule of the matrix product,
# and a test that tells a right rule from a wrong one.
#
# At the end you can
#
# - say why a vector has no `backward` of its own, and what to give it,
# - write a *rule* for an operation on arrays, and never build its table of slopes,
# - find the gradient of anything that was broadcast, and notice a broadcast that you did not want,
# - prove a rule by nudging, with a step and a dtype that make the proof worth something.

# %% [markdown]
# ## Before you start
# You can pass gradients back through a graph of single numbers: slopes multiply along an arrow, shares add where arrows meet
# ([chapter 03](03_backprop_step_by_step.ipynb)). You have used `requires_grad`, `backward` and `grad` on Tensors. You know NumPy's broadcasting by sight:
# a `(4, 3)` array plus a `(3,)` array works.
#
# *Gradient* of an array here always means: for each of its numbers, the slope of one final number, the loss.

# %%
import numpy as np
import minitensor as mt
from exercises import ch05
from kit import shows_error
from kit.data import penguins
from kit.figures import ch05 as figures

# %% [markdown]
# ## 1. Say what you care about
# Three numbers in, three squares out. Until now, every walk back began at a single number.
#
# <!-- predict -->
# `y = x * x` for three numbers at once. What will `y.backward()` do: give three slopes, give one, or fail?
# <!-- open -->
# It fails. A slope says how far *one* number moves. `y` has three, and nobody has said which of them matters, or how much.

# %%
x = mt.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x * x
with shows_error(RuntimeError, says="grad can be implicitly created only for scalar outputs"):
    y.backward()

# %% [markdown]
# So make one number of the three. There are many ways, and each gives other gradients. The sum counts every square once, the mean a
# third. Or choose your own weights `v`:

# %%
v = mt.tensor([1.0, 0.0, 10.0])
for name, one_number in (
    ("sum     ", lambda y: y.sum()),
    ("mean    ", lambda y: y.mean()),
    ("weighted", lambda y: (v * y).sum()),
):
    x.grad = None
    one_number(x * x).backward()
    print(name, x.grad)

# %% [markdown]
# The weights can also be handed over directly: `y.backward(v)` starts the walk with `v` as the gradient at `y`. There is no "gradient of a vector" behind the
# error. There is one for each `v`.

# %%
x.grad = None
(x * x).backward(v)
x.grad

# %% [markdown]
# Read `v` the other way round, too. In the middle of a network, `y` is followed by more steps, down to the loss. The walk back arrives at
# `y` with the gradient of the loss *there*: how much the loss cares about each number of `y`. That is a `v`, and nobody had to choose it.
# We call it `g`, the gradient from *upstream*.
#
# Vary: which `v` gives the gradient of `y[1]` alone?

# %% [markdown]
# ## 2. Trade the table for a rule
# In chapter 02 each arrow carried a slope. Between arrays there is an arrow from *every* number to *every* number. Let NumPy find all of those slopes by
# nudging:

# %%
def table_of_slopes(f, x, h=1e-6):
    columns = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = h
        columns.append((f(x + step) - f(x - step)) / (2 * h))
    return np.stack(columns, axis=1)

x = np.array([1.0, 2.0, 3.0])
table_of_slopes(np.square, x).round(3)

# %% [markdown]
# A row for each result, a column for each input. This table is called the *Jacobian*. To pass `g` back, multiply and add along the arrows, as ever: each input
# collects, from every result, the result's `g` times the slope. That is the product `g @ table`, a *vector-Jacobian product*, or *vjp*.

# %%
g = np.array([1.0, 0.0, 10.0])
print("with the table:", (g @ table_of_slopes(np.square, x)).round(3))
print("with a formula:", g * 2 * x)

# %% [markdown]
# The same numbers. The table of a square is nearly all zeros, since each result sees one input only.
#
# <!-- predict -->
# A layer squares 32 rows of 1000 numbers. How much memory would its table take in float32: kilobytes, megabytes, gigabytes?
# <!-- open -->
# About 4 gigabytes, for one step of one layer: 32 000 results times 32 000 inputs, 4 bytes each, nearly all of them zeros. The formula makes the
# gradient alone, and no table.

# %%
for n in (3, 1000, 32 * 1000):
    table, answer = 4 * n * n / 1e6, 4 * n / 1e6
    print(f"{n:5} numbers: table {table:12,.6f} MB, gradient {answer:.6f} MB")

# %% [markdown]
# So a tensor engine stores no slopes. It stores a *rule* for each operation: a function from `g`, and from what the forward step knew, to the gradient at each
# input. The line of chapter 02, `parent.grad += slope * out.grad`, becomes `parent.grad += rule(out.grad)`. All else stays: the graph,
# the order, the adding up.
#
# Rules are not always one product. Here is `cumsum`, the running sum: each input is part of its own result and of all later ones. So its gradient
# is the sum of `g` from its own place to the end.

# %%
def square_rule(g, x):
    return g * 2 * x

def cumsum_rule(g, x):
    return g[::-1].cumsum()[::-1]  # a running sum from the end

print("with the table:", (g @ table_of_slopes(np.cumsum, x)).round(3))
print("with a rule:   ", cumsum_rule(g, x))

# %% [markdown]
# Four operations and their tables. Squares give a diagonal, running sums a triangle. Now look at the other two, as a pair:
# a sum is one row of ones, a copy is a column of ones.

# %%
figures.tables(
    {
        "square": table_of_slopes(np.square, x),
        "cumsum": table_of_slopes(np.cumsum, x),
        "sum of three": table_of_slopes(lambda x: x.sum(keepdims=True), x),
        "copy one 4 times": table_of_slopes(lambda x: np.repeat(x, 4), x[:1]),
    }
)

# %% [markdown]
# Going back through a sum, `g` is *copied* to every input. Going back through a copy, the shares are *summed*. Each is the other, run
# backwards. Vary: what is the table of `x[::-1]`, and what is its rule?

# %% [markdown]
# ## 3. Add back what was repeated
# Broadcasting copies. A layer adds one bias `b` of three numbers to each of four rows. Say that the loss is the plain sum, so `g` is 1 everywhere.
# In NumPy, by hand, most people write the step downhill like this:

# %%
b, g = np.zeros(3), np.ones((4, 3))
with shows_error(ValueError, says="non-broadcastable output operand"):
    b -= 0.1 * g
b = b - 0.1 * g
print("the bias is now", b.shape)

# %% [markdown]
# The first form is refused, the second is worse: no error, and the bias of three numbers has become twelve. Each row goes its own way from now on.
#
# <!-- predict -->
# What does a Tensor do? The output has shape `(4, 3)`, the bias `(3,)`. Which shape will `b.grad` have, and which numbers?
# <!-- open -->
# `(3,)`, the shape of the bias: a gradient always has the shape of what it belongs to. Each number was used four times, so four shares add up: 4, 4, 4.

# %%
b = mt.zeros(3, requires_grad=True)
(mt.zeros(4, 3) + b).sum().backward()
b.grad

# %% [markdown]
# The picture to remember. On the left each number of `b` is copied down a column; on the right the same arrows are walked back, and their shares add up.
# Here with a `g` of twelve different numbers:

# %%
g = np.arange(1.0, 13.0).reshape(4, 3)
figures.arrows_that_add_back(g)

# %%
b.grad = None
(mt.zeros(4, 3) + b).backward(mt.tensor(g, dtype=mt.float32))
b.grad

# %% [markdown]
# Broadcasting has two moves, and each has its way back. Write the shapes one above the other, *aligned on the right*:
#
# - an axis that is missing in front was added: sum over it, and it is gone,
# - an axis of size 1 was stretched: sum over it, and *keep* it as a 1.
#
# Try both. Choose shapes, then pick a cell: which cells was it copied to, and what adds up in its gradient?

# %%
figures.broadcasting()

# %% [markdown]
# The engine adds back in one place, after *every* rule. So the rules themselves need not know about broadcasting: the one of `x + y` says `g`, the one of `x * y`
# says `g * y`, and what comes out too large is summed. Here a column and a row were both stretched, to `(4, 3)`:

# %%
column = mt.ones(4, 1, requires_grad=True)
row = mt.tensor([1.0, 10.0, 100.0], requires_grad=True)
(column * row).sum().backward()
print("column:", column.grad.tolist())
print("row:   ", row.grad.tolist())

# %% [markdown]
# Vary: explain each of these numbers. Then make `row` a single number, of shape `()`.

# %% [markdown]
# ## 4. Catch the broadcast you did not want
# The penguins of chapter 00: the mass of 342 birds, standardised. Let us be a perfect model, whose predictions *are* the masses. Many models give a
# column: one row for each bird.
#
# <!-- predict -->
# Predictions of shape `(342, 1)`, targets of shape `(342,)`, all of them right. What is the mean squared error?
# <!-- open -->
# Not 0. A column against a row is broadcast to a square: each bird is compared with *every* bird. The mean of all those squares is twice the variance,
# here 2.

# %%
flipper, mass = penguins()
x = mt.from_numpy((flipper - flipper.mean()) / flipper.std())
target = mt.from_numpy((mass - mass.mean()) / mass.std())

predicted = target.reshape(-1, 1)  # perfect
miss = predicted - target
print(f"loss {(miss**2).mean().item():.3f}, from misses of shape {tuple(miss.shape)}")

# %% [markdown]
# NumPy does the same. No error, no warning. Is it more than a wrong number on the screen? Train the line of chapter 00 on it, once with each shape of the
# target. One weight, and one column of inputs: `x[:, None]` turns the 342 numbers into a column.

# %%
def train(target):
    w = mt.zeros(1, 1, requires_grad=True)
    for _ in range(30):
        loss = ((x[:, None] @ w - target) ** 2).mean()
        loss.backward()
        with mt.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
    return w.item(), loss.item()

slopes = {}
for one in (target.reshape(-1, 1), target):
    shape = str(tuple(one.shape))
    slopes[shape], loss = train(one)
    print(f"target {shape:8} w {slopes[shape]:z.3f}, loss {loss:.3f}")  # z: -0 is 0

# %%
figures.two_lines(x.numpy(), target.numpy(), slopes)

# %% [markdown]
# With the wrong shape nothing is learnt. And you know why: on the way back, the shares of all 342 targets add up at each prediction. Each is pulled to the
# *mean* of all birds, whichever bird it is. The loss settles at the variance of the targets, 1 here, as if this were the best that the data allow.
#
# So look at shapes where two tensors meet. It costs two lines. Vary: in the last line, repair `target` and leave `predicted` as it is.

# %%
def mean_squared(predicted, target):
    if predicted.shape != target.shape:
        raise ValueError(f"predicted {tuple(predicted.shape)}, target {tuple(target.shape)}")
    return ((predicted - target) ** 2).mean()

with shows_error(ValueError):
    mean_squared(predicted, target)
print("repaired:", mean_squared(predicted.reshape(-1), target).item())

# %% [markdown]
# ## 5. Turn a matrix round
# The step that networks spend their time on: `y = W @ x`. Result `i` is the sum over `j` of `W[i, j] * x[j]`. Take the arrows one by one:
#
# - `W[i, j]` reaches one result, `y[i]`, with slope `x[j]`. So its gradient is `g[i] * x[j]`.
# - `x[j]` reaches *every* result, `y[i]` with slope `W[i, j]`. So its gradient is the sum over `i` of `g[i] * W[i, j]`.
#
# <!-- predict -->
# `W` is `(2, 3)`. Both sentences can be written without loops. Which product of `g` and `x` has the shape of `W`? And is the second `W @ g`?
# <!-- open -->
# `np.outer(g, x)`, of shape `(2, 3)`. And no: the sum runs over the *first* index of `W`, so it is `W.T @ g`. `W @ g` does not even fit.

# %%
def matvec_rule(g, W, x):
    return np.outer(g, x), W.T @ g

W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
x, g = np.array([1.0, 0.0, -1.0]), np.array([1.0, 10.0])
for gradient in matvec_rule(g, W, x):
    print(gradient.tolist())

# %% [markdown]
# The Tensor agrees:

# %%
W_t, x_t = mt.tensor(W, requires_grad=True), mt.tensor(x, requires_grad=True)
(W_t @ x_t).backward(mt.tensor(g))
print(W_t.grad.tolist())
print(x_t.grad.tolist())

# %% [markdown]
# Forward, `W` leads from three numbers to two. Back, the same weights lead from two to three: `W` turned round, its transpose.
#
# Shapes are a good guide: often only one product fits. But they are no proof. With a *square* matrix, the wrong one fits as well:

# %%
square = W[:, :2]
print("W.T @ g:", square.T @ g)
print("W @ g:  ", square @ g)

# %% [markdown]
# Both have two numbers, one is wrong. So test rules on arrays that are not square, and test them by something that does not know the formula. Vary: for which
# square matrices is the wrong rule right?

# %% [markdown]
# ## 6. Nudge to be sure
# Choose a `g`. Then `(g * f(x)).sum()` is one number, and you can nudge each entry of `x`. The result must be what the rule says, for this `g`.

# %%
def nudged(f, x, g, h=1e-6):
    slopes = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        slopes[i] = (g * (f(x + step) - f(x - step))).sum() / (2 * h)
    return slopes

x, g = np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 10.0])
print("by nudging:     ", nudged(np.cumsum, x, g).round(3))
print("cumsum_rule:    ", cumsum_rule(g, x))
print("g.cumsum():     ", g.cumsum())

# %% [markdown]
# The last line is the forward step once more, a running sum from the wrong end. Nudging refuses it.
#
# It takes two runs for each entry of `x`, so it is a test and no way to train. How small should the step be?
#
# <!-- predict -->
# The slope of x³, by nudging with ever smaller steps, in float32 (7 digits) and in float64 (16 digits). Is smaller always better?
# <!-- open -->
# No. At first the error falls with the step. Then it rises again: `f(x + h)` and `f(x - h)` agree in nearly all their digits, and the few that differ are
# mostly rounding.

# %%
def errors(dtype, at=0.7):
    x, found = dtype(at), []
    for power in range(1, 9):
        h = dtype(10.0**-power)
        up, down = x + h, x - h
        slope = (up * up * up - down * down * down) / (2 * h)
        found.append(abs(float(slope) - 3 * at * at))
    return found

single, double = errors(np.float32), errors(np.float64)
print(f"h = 1e-3: float32 {single[2]:.0e}, float64 {double[2]:.0e}")
print(f"h = 1e-6: float32 {single[5]:.0e}, float64 {double[5]:.0e}")

# %%
figures.v_curves(single, double)

# %% [markdown]
# With `h = 1e-6`, float64 gives ten digits and float32 hardly two. A check in float32 must be so lenient that wrong rules pass. So check in float64, and train in
# float32. PyTorch's `gradcheck` does what you saw here, for every number of `x` and of the result:

# %%
x = mt.tensor([0.5, -1.0, 2.0], dtype=mt.float64, requires_grad=True)
row = mt.tensor([[1.0, 2.0, 3.0]], dtype=mt.float64, requires_grad=True)
mt.autograd.gradcheck(lambda x, row: (x * row).cumsum(0).exp(), (x, row))

# %% [markdown]
# A check is worth what it can refuse. `detach` cuts the walk back; the value is right, the gradient is not. Does the check notice?

# %%
def half_cut(x):
    return x * x.detach()

print(mt.autograd.gradcheck(half_cut, x, raise_exception=False))

# %% [markdown]
# Vary: at the start of this section, put `[0.0, 0.0, 0.0]` in the place of `g`. Now the wrong rule passes. Why? Then try `[1.0, -1.0, 1.0]`. So
# give a check a `g` without a pattern.

# %% [markdown]
# ## Exercises
# In NumPy, all three. Together they are what chapter 03's engine lacks for arrays.

# %% [markdown]
# <!-- exercise: unbroadcast -->

# %% [markdown]
# <!-- exercise: matmul_rule -->

# %% [markdown]
# <!-- exercise: gradcheck -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A walk back starts at one number. For a vector, say by `v` how much each entry counts: `y.backward(v)`.
# - The table of all slopes, the Jacobian, is never built. A rule gives `g` times the table directly, at about the cost of the forward step.
# - A gradient has the shape of what it belongs to. Copied forward means summed backward, and the other way round.
# - A column minus a row is a square, without a warning. Compare shapes where tensors meet.
# - Back through a matrix: the same weights, turned round. Shapes guide, nudging proves, in float64.
#
# ## Cheat-sheet
# | operation | rule: gradient at each input |
# |---|---|
# | `x + y` | `g`, and `g` |
# | `x * y` | `g * y`, and `g * x` |
# | `x.exp()`, with result `out` | `g * out` |
# | `x.sum()` | `g`, copied to the shape of `x` |
# | `x.reshape(...)` | `g`, reshaped back |
# | `x.cumsum(0)` | `g`, running sum from the end |
# | `W @ x`, matrix and vector | `outer(g, x)`, and `W.T @ g` |
#
# After each rule, where an input was broadcast:
#
# | axis of the input | to do with `g` |
# |---|---|
# | missing in front | sum over it |
# | of size 1, stretched | sum over it, keep the 1 |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `y.backward(v)` | the same; and `torch.autograd.grad(y, x, grad_outputs=v)` returns it instead |
# | a rule `rule(g, x)` | `backward(ctx, g)` of a `torch.autograd.Function`, or a line in `derivatives.yaml` |
# | `unbroadcast(g, shape)` | `g.sum_to_size(shape)` |
# | `table_of_slopes(f, x)` | `torch.autograd.functional.jacobian(f, x)` |
# | `gradcheck` | `torch.autograd.gradcheck`, which warns if an input is not float64 |
# | `mean_squared` with its test of shapes | `F.mse_loss(predicted, target)` only warns |

# %% [markdown]
# <!-- next -->
# You have the rules. Next: which Tensors get a gradient at all, and how a change in place can spoil what a rule has kept.
