# %% [markdown]
# # 02 · Build a scalar engine
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A class `Value`: a number that remembers how it was made. It is the heart of an *autograd engine*, the part of PyTorch that finds slopes by
# itself, in its smallest form.
#
# At the end you can
#
# - record a calculation as a graph, and read its picture,
# - say what the slope along each arrow is,
# - multiply slopes along a chain, with a loop,
# - say why slopes must be *added* where a value is used twice.

# %% [markdown]
# ## Before you start
# You know Python's classes, and that `a * b` calls `a.__mul__(b)`. You have met slopes: nudge the input by a little, see how far
# the output moves, divide. No calculus beyond that is needed.
#
# Every number here is a *scalar*: one plain Python float. Arrays come in chapter 04.

# %%
import math

from exercises import ch02
from kit import shows_error
from kit.figures import ch02 as figures
from minitensor import viz

# %% [markdown]
# ## 1. A float forgets; let it remember
# We want slopes without nudging: from the result, walk back to the inputs. For that, the result must know what it was made of.
#
# <!-- predict -->
# `z` below is made of `x` and `y`. Can you get from `z` back to `x`?
# <!-- open -->
# No. A float holds its value and nothing else. How it was made is gone the moment it is made.

# %%
x, y = 2.0, 3.0
z = x * y + x
with shows_error(AttributeError):
    z.parents

# %% [markdown]
# So we wrap the float in a class with room for more. `parents` are the Values that it was made of. `op` names the operation.
# An input has neither. Two fields wait: `slopes` for section 4, `grad` for section 5.
#
# `__slots__` lists the fields that a Value has room for. A misspelt one, such as `x.gard`, becomes an error instead of a silent new field.
# It also makes each Value smaller.

# %%
class Value:
    __slots__ = ("data", "grad", "name", "op", "parents", "slopes")

    def __init__(self, data, parents=(), op="", slopes=(), name=""):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.op = op
        self.slopes = slopes
        self.name = name

    def __repr__(self):
        return f"Value({self.data:.6g})"

# %% [markdown]
# Now each operation makes a new Value and tells it where it came from. We write operations as plain functions and hang them on the
# class, one by one.

# %%
def add(x, y):
    return Value(x.data + y.data, (x, y), "+")

def mul(x, y):
    return Value(x.data * y.data, (x, y), "*")

Value.__add__, Value.__mul__ = add, mul

# %% [markdown]
# The same calculation again, with Values:

# %%
x, y = Value(2.0, name="x"), Value(3.0, name="y")
z = x * y + x
z, z.op, z.parents

# %% [markdown]
# `z` knows its last operation, `+`, and the two Values that went in. The first of them was made, too. From there we can walk on
# until we stand at the inputs. Vary: where does `z.parents[1]` lead?

# %%
product = z.parents[0]
product.op, product.parents, product.parents[0] is x

# %% [markdown]
# ## 2. Draw what was recorded
# Values and the arrows between them form a *graph*. `viz.draw` follows `parents` and draws it. Time runs along the arrows,
# from the inputs to the result.
# Each box shows the sign of its operation, the name, the number, and its `grad`, which stays 0 until section 5. (Where you gave no `name`, it
# takes the variable's, such as `product`.)
#
# <!-- predict -->
# `z = x * y + x` names `x` twice. How many boxes for `x` will you see: one or two?
# <!-- open -->
# One. There is one object `x`. It is used twice, so two arrows leave it. Remember this picture: section 6 is about those two arrows.

# %%
viz.draw(z)

# %% [markdown]
# The expression that you wrote is a line of text. The graph is what happened. Here Python calculates `x + y` twice, so there are two Values
# with a `+`:

# %%
viz.draw((x + y) * (x + y))

# %% [markdown]
# Give the sum a name, and it is calculated once:

# %%
total = x + y
viz.draw(total * total)

# %% [markdown]
# Vary: type an expression of `x` and `y` into the field and press Enter. Try `x * x`, then `x * x * x`. The field works with the finished
# `Value`, at the end of this chapter. So it knows `-`, plain numbers and `.tanh()`, too, which yours does not know yet.

# %%
figures.expression_box(viz.draw, "(x - y).tanh() * x")

# %% [markdown]
# ## 3. An `if` leaves no mark
# Many expect that plain Python `if`s and loops break such a recording. Look at what is recorded.
#
# <!-- predict -->
# What will the graph of `f(Value(2.0))` hold: both branches, one branch, or an error?
# <!-- open -->
# One branch: the one that ran. Python decides before anything is recorded. The other branch was never calculated, so nobody could record it.

# %%
def f(x):
    if x.data > 0:
        return x * Value(3.0)
    return x + Value(10.0)

viz.draw(f(Value(2.0, name="x")))

# %%
viz.draw(f(Value(-2.0, name="x")))

# %% [markdown]
# Two inputs, two graphs. Each call builds its graph anew, and what we shall read off it holds for inputs that take the same branch. (Exactly
# at the border, 0, this `f` jumps, and has no slope at all.) A loop is no different: it leaves as many
# operations as it made turns. Vary: change the 3 in `range(3)`.

# %%
x = out = Value(2.0, name="x")
for turn in range(3):
    out = out * x
viz.draw(out)

# %% [markdown]
# ## 4. A slope for each arrow
# Now the slopes. Take one operation alone, and nudge one of its inputs. How far does the output move, for each unit that the input
# moves? This is the *local slope*. It belongs to one arrow.
#
# <!-- predict -->
# Nudge `x` at 2. What is the slope of `x + 3`? And of `x * x`?
# <!-- open -->
# 1 and 4. A sum moves exactly as far as its input. The slope of x² is 2x.

# %%
def nudge(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)

print(f"x + 3    at 2: {nudge(lambda x: x + 3.0, 2.0):.4f}")
print(f"square   at 2: {nudge(lambda x: x * x, 2.0):.4f}")
print(f"log      at 2: {nudge(math.log, 2.0):.4f}")

# %% [markdown]
# Each operation has a formula for its slopes, from the rules that you may know from school: 1 for a sum, 2x for the square, 1/x for the
# logarithm. So each operation can note its slopes while it runs, when the inputs are at hand. One number for each parent:

# %%
def add(x, y):
    return Value(x.data + y.data, (x, y), "+", slopes=(1.0, 1.0))

def square(x):
    return Value(x.data * x.data, (x,), "square", slopes=(2.0 * x.data,))

def log(x):
    return Value(math.log(x.data), (x,), "log", slopes=(1.0 / x.data,))

Value.__add__, Value.square, Value.log = add, square, log

# %% [markdown]
# The slopes are plain numbers, taken at this input. Another input, another number. Compare with the nudges above. Vary: change the 2.0, here and there.
# (The product has no slopes yet. That is your first exercise.)

# %%
x = Value(2.0, name="x")
(x + Value(3.0)).slopes, x.square().slopes, x.log().slopes

# %% [markdown]
# ## 5. Along a chain, multiply
# One operation feeds the next: a = x², then b = a². Nudge `x`: `a` moves, and so `b` moves.
#
# <!-- predict -->
# At `x = 2` the local slopes are 4 (from `x` to `a`) and 8 (from `a` to `b`). How fast does `b` move with `x`: 12 or 32?
# <!-- open -->
# 32. `a` moves 4 times as far as `x`. `b` moves 8 times as far as `a`. So `b` moves 8 times 4 as far as `x`.

# %%
x = Value(2.0, name="x")
a = x.square()
b = a.square()
print("local slopes:", a.slopes, b.slopes)
print(f"by nudging: {nudge(lambda x: (x * x) ** 2, 2.0):.4f}")

# %% [markdown]
# We write the slope of the *last* result at a value into that value's `grad`, short for *gradient*. We start at the end. `b` at itself has slope 1.
# Then each step back multiplies by one local slope.

# %%
b.grad = 1.0
a.grad = b.slopes[0] * b.grad
x.grad = a.slopes[0] * a.grad
x.grad, a.grad, b.grad

# %% [markdown]
# Twice the same line, each time one arrow further back. So let a loop do it:

# %%
def back_chain(out):
    out.grad = 1.0
    while out.parents:
        parent, slope = out.parents[0], out.slopes[0]
        parent.grad = slope * out.grad
        out = parent

# %% [markdown]
# A longer chain: square, square, log. Black arrows lead forward and carry the local slopes. Dashed arrows lead back.

# %%
x = Value(2.0, name="x")
y = x.square().square().log()
back_chain(y)
figures.chain(y)

# %% [markdown]
# Nudging agrees, but it takes two runs of the whole chain for this one number. The walk back found the gradient of *every* value on the way, in one pass.
# Vary: start the chain above at 5.0, then run both cells. Do the two still agree?

# %%
print(f"walk back {x.grad:.4f}, nudge {nudge(lambda x: math.log(x**4), x.data):.4f}")

# %% [markdown]
# ## 6. Where arrows meet, add
# The chain's loop looks at one parent only. For operations with two parents, do the same for each arrow:

# %%
def pass_back_wrongly(out):
    for parent, slope in zip(out.parents, out.slopes):
        parent.grad = slope * out.grad

# %% [markdown]
# <!-- predict -->
# `y = a + a`. By nudging, its slope is 2. What will `pass_back_wrongly` leave in `a.grad`?
# <!-- open -->
# 1. The first arrow writes 1. The second arrow leads to the same `a`, and writes 1 over it.

# %%
a = Value(3.0, name="a")
y = a + a
y.grad = 1.0
pass_back_wrongly(y)
print(f"passed back {a.grad}, by nudging {nudge(lambda a: a + a, 3.0):.4f}")

# %% [markdown]
# No error, just a wrong number. Each arrow brings a *share*: its slope times the gradient at its tail. A nudge of `a` reaches `y` along
# both arrows, and the two moves add up. So the two shares must add up as well.

# %%
figures.two_arrows(y)

# %% [markdown]
# The fix is one character: `+=` in place of `=`. By hand, arrow by arrow, from zero:

# %%
a.grad = 0.0
for slope in y.slopes:
    a.grad += slope * y.grad
    print("a.grad =", a.grad)

# %% [markdown]
# Adding has a price: `grad` never forgets by itself. Pass back twice, and both passes are in the sum. Many believe that the second replaces the first.

# %%
x = Value(3.0, name="x")
for run in (1, 2):
    y = x.square()
    y.grad = 1.0
    x.grad += y.slopes[0] * y.grad
    print(f"after run {run}: x.grad = {x.grad}")

# %% [markdown]
# The slope of x² at 3 is 6, both times. To start afresh, set `x.grad = 0.0` yourself. Vary: put that line into the loop, in the right
# place.

# %% [markdown]
# ## Exercises
# Four steps, and the engine is yours. Use `nudge` whenever you doubt a slope.

# %% [markdown]
# <!-- exercise: mul -->

# %% [markdown]
# <!-- exercise: tanh -->

# %% [markdown]
# <!-- exercise: pass_back -->

# %% [markdown]
# <!-- exercise: neuron -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A Value knows its parents, the operation that made it, and a local slope for each arrow.
# - The graph is what ran: values and arrows. It is built anew by each call, so an `if` or a loop needs nothing special.
# - Along a chain, slopes multiply. Where arrows meet, shares add.
# - `grad` adds until you set it to zero.
#
# To use your own `mul` and `tanh` in any expression, hang them on the class: `Value.__mul__, Value.tanh = mul, tanh`.
#
# You chose the order of the calls in the last exercise by looking. For a big graph a program must find it. That is chapter 03.
#
# ## Cheat-sheet
# | operation | slopes |
# |---|---|
# | `x + y` | 1 and 1 |
# | `x * y` | `y.data` and `x.data` |
# | `x.square()` | `2 * x.data` |
# | `x.log()` | `1 / x.data` |
# | `x.tanh()` | `1 - out.data ** 2` |
#
# | to do | write |
# |---|---|
# | start at the end | `out.grad = 1.0` |
# | pass one share back | `parent.grad += slope * out.grad` |
# | start afresh | `x.grad = 0.0` |
#
# The finished class is in [kit/scalar.py](kit/scalar.py). It also subtracts, and takes plain numbers: `x * 3`. And an operation may have as many
# arrows as you like: `dot` there makes a neuron's whole sum of products *one* Value. The slopes are those of `mul`. Fewer Values, less to walk
# through: a step towards chapter 05. `python -m kit.scalar_bench` shows what that saves.
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `Value(2.0)` | `torch.tensor(2.0, requires_grad=True)` |
# | `x.data`, `x.grad` | `x.item()`, `x.grad` |
# | `out.op` and `out.parents` | `out.grad_fn` and `out.grad_fn.next_functions` |
# | `out.slopes` | values saved for each operation's backward rule |
# | `out.grad = 1.0`, then pass back in order | `out.backward()` |
# | `x.grad = 0.0` | `optimizer.zero_grad()`, or `x.grad = None` |
#
# Two differences. Here every Value keeps its `grad`; in PyTorch only the inputs do, unless you ask. And for tensors, a stored slope would be a huge
# table. So PyTorch keeps a *rule* in its place: a function from the output's gradient to the inputs' gradients. Chapter 05 builds those.

# %% [markdown]
# <!-- next -->
# One call that finds the order by itself, for any graph; and what goes wrong in each order that looks right but is not.
