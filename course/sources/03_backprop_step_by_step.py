# %% [markdown]
# # 03 · Backprop, step by step
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# `backward(out)`: one call that gives every value of a graph its gradient. This is *backpropagation*, backprop for short.
#
# At the end you can
#
# - do backprop by hand on a small graph, and check it by nudging,
# - say which orders of the steps fail, and with which wrong numbers,
# - write the list in which every value comes after those it was made of,
# - say what backprop costs, and what nudging costs,
# - predict what a second `backward` does, here and in minitensor.

# %% [markdown]
# ## Before you start
# You know `Value` from [chapter 02](02_a_scalar_engine.ipynb): it holds `data`, `grad`, `parents`, and a slope for each arrow. Along a
# chain, slopes multiply. Where arrows meet, shares add. In a picture each Value is a box, so here we call them *boxes*. A box *passes on*
# its gradient when it gives its parents their shares.

# %%
import math

import minitensor as mt
from minitensor import viz

from exercises import ch03
from kit import shows_error
from kit.figures import ch03 as figures
from kit.scalar import Value

# %% [markdown]
# Here is one step back, as you wrote it in chapter 02:

# %%
def pass_back(out):
    for parent, slope in zip(out.parents, out.slopes):
        parent.grad += slope * out.grad

# %% [markdown]
# ## 1. Five boxes, and the right answer
# A small graph will be our test for the whole chapter. Its value `x` is used twice: once in `y`, once in `z`.

# %%
def build(a, b):
    x = a * b
    y = a + x
    z = x * y
    x.name, y.name, z.name = "x", "y", "z"
    return x, y, z

# %% [markdown]
# Sketch it first: a box for each value, an arrow from each box to each one that is made of it. Then `viz.draw` from minitensor draws it, with
# the slope at each arrow.
#
# <!-- predict -->
# In your sketch, follow the arrows from `a` to `z`. How many different routes are there?
# <!-- open -->
# Three: a → y → z, a → x → z, and a → x → y → z.

# %%
a, b = Value(2.0, name="a"), Value(3.0, name="b")
x, y, z = build(a, b)
viz.draw(z, slopes=True, caption="The test graph")

# %% [markdown]
# A nudge of `a` reaches `z` along all three routes. Along each route the slopes multiply. The three moves add up:

# %%
a_y, a_x, x_y = 1.0, 3.0, 1.0  # read off the picture
x_z, y_z = 8.0, 6.0
print("slope of z at a:", a_y * y_z + a_x * x_z + a_x * x_y * y_z)

# %% [markdown]
# minitensor can write this out: a line for each route, in letters, then in numbers. Here ∂z/∂x is the slope on *one*
# arrow, from `x` to `z`, with `y` held still: 8. Only the last line, ∂z/∂a, is the sum over all routes.

# %%
viz.chain(z, "a")

# %% [markdown]
# Nudging does not know about routes. It must give the same. Vary: do the sum for `b`, by hand. It has two routes.

# %%
def f(a, b):
    x = a * b
    return x * (a + x)

h = 1e-6
print(f"by nudging: a {(f(2 + h, 3) - f(2 - h, 3)) / (2 * h):.4f}")
print(f"by nudging: b {(f(2, 3 + h) - f(2, 3 - h)) / (2 * h):.4f}")

# %% [markdown]
# So 48 and 28 are right. Now to find them with `pass_back`, one box at a time, and never mind the routes.

# %% [markdown]
# ## 2. Follow every arrow: too much
# The end is easy: `z` at itself has slope 1. From there, the first idea of most people: pass back, then do the same at each parent. A function
# that calls itself. To watch it, each step prints what it passes on.

# %%
def naive(out):
    if out.parents:
        print(f"{out.name} passes on {out.grad}")
    pass_back(out)
    for parent in out.parents:
        naive(parent)

# %% [markdown]
# <!-- predict -->
# `naive` starts at `z`. How often will `x` pass on?
# <!-- open -->
# Twice: `z` calls it, and `y` calls it again. There is one call for each route from `z` back to `x`.

# %%
a, b = Value(2.0, name="a"), Value(3.0, name="b")
x, y, z = build(a, b)
z.grad = 1.0
naive(z)
print("a.grad", a.grad, " b.grad", b.grad)

# %% [markdown]
# Not 48 and 28, and no error either. Look at the two lines of `x`. First it passes on 8, the share from `z`. Then 6 more arrive from `y`, and
# it passes on all 14. So the 8 went out twice.
#
# That is too much by 3 times 8 at `a`, and by 2 times 8 at `b`:

# %%
print(a.grad - 3 * 8, b.grad - 2 * 8)

# %% [markdown]
# On a chain, this function is right: nobody is reached twice. That is why the mistake survives so many small tests.
#
# Vary: leave out `z.grad = 1.0`. What comes out, and why?
#
# <details>
# <summary>Open when you have tried</summary>
#
# Zeros. `z.grad` is 0, and every share is a slope times 0.
#
# </details>
#
# `naive` has a cousin. Give each call its share as an argument: nothing goes out twice, and the numbers come out right. But both of them walk every
# *route*, and routes multiply. Here each `double` has two arrows to the one before:

# %%
def every_route(out, share):
    global calls
    calls += 1
    out.grad += share
    for parent, slope in zip(out.parents, out.slopes):
        every_route(parent, share * slope)

# %% [markdown]
# Each more doubling adds one box. Vary: how many can you add before it takes longer than you like to wait?

# %%
for doublings in (4, 8, 16):
    double = start = Value(1.0)
    for turn in range(doublings):
        double = double + double
    calls = 0
    every_route(double, 1.0)
    print(f"{doublings + 1:2} boxes: {calls} calls, slope {start.grad}")

# %% [markdown]
# ## 3. Each box once: too little
# The cure looks easy: keep a list of the boxes that are done, and never do one twice. A box goes on the list as we reach it, before its
# parents. This is called *pre-order*.

# %%
def once(out, done):
    if out in done:
        return
    done.append(out)
    pass_back(out)
    for parent in out.parents:
        once(parent, done)

# %% [markdown]
# <!-- predict -->
# `z` comes first. Its parents are `x`, then `y`. When `x` passes on, how much has it received: 8, 6 or 14?
# <!-- open -->
# 8, the share from `z`. The other share must come from `y`, and it is not the turn of `y` yet.

# %%
a, b = Value(2.0, name="a"), Value(3.0, name="b")
x, y, z = build(a, b)
z.grad, done = 1.0, []
once(z, done)
print("order:", [box.name for box in done])
print("a.grad", a.grad, " b.grad", b.grad, " x.grad", x.grad)

# %% [markdown]
# Too little. In the picture `x` holds 14, and that is right. But it passed on 8. The 6 from `y` came along the marked arrow, too late. They never
# reached `a` and `b`.

# %%
viz.draw(z, slopes=True, highlight=["x", ("x", "y")], caption="Each box once, x before y")

# %% [markdown]
# Now the same product, written the other way round:

# %%
a, b = Value(2.0, name="a"), Value(3.0, name="b")
x, y, _ = build(a, b)
z = y * x
z.grad = 1.0
once(z, [])
print("a.grad", a.grad, " b.grad", b.grad)

# %% [markdown]
# 48 and 28, by luck: now `y` is the first parent. A method must not depend on how we write a product.
#
# So beware of easy tests. Here is another graph that pre-order gets right. Vary: try `c = b + a` in place of `c = b + b`. Still right?
# Then find a graph of sums that shows the fault. It needs a box that is reached by a short way first.
#
# <details>
# <summary>Open when you have found one</summary>
#
# `c = b + a` is right, 3: no box that passes on is reached twice. With `b = a + a`, then `d = b + a`, then `c = b + d`, it says 3, and 5 is right. `b` passes
# on before the share from `d` has come.
#
# </details>

# %%
a = Value(1.0, name="a")
b = a + a
c = b + b
c.grad = 1.0
once(c, [])
print("a.grad", a.grad)

# %% [markdown]
# ## 4. Wait for every share
# Both failures have one cause: `x` passed on before it held its whole gradient. So here is the rule:
#
# *A box passes on once, when every arrow that leaves it has brought its share.*
#
# Two arrows leave `x`: to `y` and to `z`. So `x` must wait for both. Only one order does that: `z`, `y`, `x`. We go box by box. The box
# with the triangle has just passed on, along the thick arrows, against their direction. Run each of the next cells once. To start over, go back
# to the first of them.

# %%
a, b = Value(2.0, name="a"), Value(3.0, name="b")
x, y, z = build(a, b)
z.grad = 1.0
viz.draw(z, slopes=True, highlight=["z"], caption="Start: z at itself has slope 1")

# %% [markdown]
# <!-- predict -->
# `z` passes on its 1. What will `x.grad` and `y.grad` be then?
# <!-- open -->
# `x` gets 8 times 1, and `y` gets 6 times 1. `x` is not ready: one of its two shares is missing.

# %%
pass_back(z)
viz.draw(
    z, slopes=True, highlight=["z", ("x", "z"), ("y", "z")], caption="z has passed on"
)

# %% [markdown]
# <!-- predict -->
# Now `y`: one arrow leaves it, and that one has delivered. It passes on its 6. What will `a.grad` and `x.grad` be?
# <!-- open -->
# `a.grad` is 6. `x.grad` was 8 and gets 6 more: 14.

# %%
pass_back(y)
viz.draw(
    z, slopes=True, highlight=["y", ("a", "y"), ("x", "y")], caption="y has passed on"
)

# %% [markdown]
# <!-- predict -->
# Now `x` holds 14, both shares. What will `a.grad` and `b.grad` be at the end?
# <!-- open -->
# `a` had 6 and gets 3 times 14, which is 42: together 48. `b` gets 2 times 14: 28.

# %%
pass_back(x)
viz.draw(
    z, slopes=True, highlight=["x", ("a", "x"), ("b", "x")], caption="x has passed on"
)

# %% [markdown]
# 48 and 28. Now you, on another graph: predict each gradient before you see it. `v1` is `p * q`, which got no name from us. Two arrows leave `r`, both to
# the same box: each is a step of its own. Type a number, then Enter. After a wrong one you read what may have gone wrong, and try again; Next shows
# the step. At the end, press Start and Play, and watch it all. Vary: change the numbers, or the expression.

# %%
p, q = Value(3.0, name="p"), Value(2.0, name="q")
r = p * q + p
out = r * r
practice = viz.step(out, predict=True, title="Predict the next gradient")
practice

# %% [markdown]
# Why does the order work? Take the boxes in this order. Every arrow that leaves a box leads to a box that was done before it. Each of
# those held its whole gradient when it passed on. So this box holds its whole gradient, too. Nothing is sent twice, nothing comes late.
#
# Now a program must find such an order. Turn it round: a list in which *every box stands after its parents* (a *topological* order). Read from the
# end, each box comes after all that was made of it. That is our rule.
#
# A recursive walk has two moments at each visit: on the way in, before the parents, and on the way out.

# %%
def walk(out, depth=0):
    print("    " * depth + f"in  {out.name}")
    for parent in out.parents:
        walk(parent, depth + 1)
    print("    " * depth + f"out {out.name}")

# %% [markdown]
# <!-- predict -->
# Which line will come last?
# <!-- open -->
# `out z`. It can go out only after everything that it called.

# %%
walk(z)

# %% [markdown]
# Read only the lines with `in`, and strike out every name that you have read before. What is left is the order of section 3, and of its failure.
# Now the same with the lines with `out`. Is each box behind its parents? Making this list is your first exercise.

# %% [markdown]
# ## 5. What does it cost?
# Nudging needs no graph and no rules. Why not stay with it? Let us count. The function is a product of many numbers, the first one twice. `runs` counts how
# often it is calculated.

# %%
def product(numbers):
    global runs
    runs += 1
    return math.prod(numbers) * numbers[0]

# %%
def by_nudging(f, numbers, h=1e-6):
    slopes = []
    for i in range(len(numbers)):
        up, down = list(numbers), list(numbers)
        up[i], down[i] = up[i] + h, down[i] - h
        slopes.append((f(up) - f(down)) / (2 * h))
    return slopes

# %% [markdown]
# With Values we keep a list of the boxes, in the order in which they are made. Every box is made after its parents. So this list, read from the
# end, is an order that works, and costs nothing to find.

# %%
def by_backprop(numbers):
    inputs = [Value(number) for number in numbers]
    made = [inputs[0] * inputs[0]]
    for value in inputs[1:]:
        made.append(made[-1] * value)
    made[-1].grad = 1.0
    for box in reversed(made):
        pass_back(box)
    return [value.grad for value in inputs], len(made)

# %% [markdown]
# <!-- predict -->
# With 1000 inputs, how many runs of the function does central nudging need? And backprop?
# <!-- open -->
# 2000: one up and one down for each input. Backprop runs it once, and passes back once through each box.

# %%
rows = []
for n in (10, 100, 1000):
    runs = 0
    numbers = [1 + i / n / n for i in range(n)]  # near 1, so the product stays small
    nudged = by_nudging(product, numbers)
    passed, boxes = by_backprop(numbers)
    same = max(abs(s - t) for s, t in zip(nudged, passed)) < 1e-6
    print(f"{n:4} inputs: {runs:4} runs, or 1 run and {boxes:4} steps back; same slopes: {same}")
    rows.append((n, runs * boxes, 2 * boxes))

# %% [markdown]
# The two agree, up to the small error of nudging. But each run does as many multiplications as there are boxes. A step back is
# a multiplication and an addition for each arrow: a few times the operation itself, no more. So backprop costs a few runs, however many inputs there are. A model
# with a million inputs would need two million runs by nudging. Vary: add 2000 to the list above, and guess its row first.

# %%
figures.cost(rows)

# %% [markdown]
# The price of backprop is memory: every box is kept until the way back. And nudging keeps its place: it checks a new rule, for a few inputs.

# %% [markdown]
# ## 6. A second time
# After a pass `a` holds 48 and `b` holds 28. `grad` adds up, as you know from chapter 02. So a second pass over the same graph should make them 96 and 56.
#
# <!-- predict -->
# We set `z.grad = 1.0` and pass back once more, in the right order. Work out `y.grad`, then `x.grad`, then `a.grad`. Is it 96?
# <!-- open -->
# No, 162. Look at the last picture of section 4: `y` and `x` still hold 6 and 14. They add the new shares to those, and pass on the sum: 12 and 34. So `a` has
# 48, and gets 12 from `y` and 3 times 34 from `x`.

# %%
a, b = Value(2.0, name="a"), Value(3.0, name="b")
x, y, z = build(a, b)
for run in (1, 2):
    z.grad = 1.0
    for box in (z, y, x):
        pass_back(box)
    print(f"pass {run}: y {y.grad}, x {x.grad}, a {a.grad}, b {b.grad}")

# %% [markdown]
# `y` had 6 and got 6 more. `x` had 14, got 8 from `z` and 12 from `y`, and passed all 34 on. (That `b` shows 96 is chance: 28, and 2 times 34.)
#
# The *inputs* should add up: whoever trains a model wants the sum over many examples. The boxes in between should start from zero. Left-over
# gradients in them are called *stale*. The last exercise clears them away.
#
# Now the same graph in minitensor, with tensors of one number each, as in chapter 00. `viz.record()` keeps the gradients in between, for the
# picture. (It may come out upside down. The arrows are the same.)

# %%
a = mt.tensor(2.0, requires_grad=True)
b = mt.tensor(3.0, requires_grad=True)
x = a * b
y = a + x
z = x * y
with viz.record():
    z.backward()
viz.draw(z, caption="The test graph in minitensor, after z.backward()")

# %% [markdown]
# The same 48, 28, 14 and 6. minitensor keeps the gradients in between in a table that lives for one pass only, so they cannot go stale. And it finds the
# order by age, as in section 5: every operation gets a number when it runs.
#
# Many believe that each `backward` replaces the old gradient:

# %%
x = mt.tensor(3.0, requires_grad=True)
for run in (1, 2):
    y = x * x
    y.backward()
    print(f"after backward {run}: x.grad = {x.grad.item()}")

# %% [markdown]
# It adds. Here each turn built a *new* graph. Now twice over one and the same graph:
#
# <!-- predict -->
# `y = x + 1`, and `y.backward()` twice. Then the same with `y = x * x`. Which of them works?
# <!-- open -->
# The sum works and gives 1 + 1. The product raises an error: its slopes need the value of `x`, and that was dropped after the first pass.

# %%
x = mt.tensor(3.0, requires_grad=True)
y = x + 1
y.backward()
y.backward()
x.grad

# %%
x = mt.tensor(3.0, requires_grad=True)
y = x * x
y.backward()
with shows_error(RuntimeError):
    y.backward()

# %% [markdown]
# The first pass frees the values that were kept for the slopes. That gives the memory back early. A sum keeps none, so nothing is missing.
# The message names the cure: `retain_graph=True` keeps them for another pass. So back to the test graph, passed over twice. 96 and 56 this time?

# %%
a = mt.tensor(2.0, requires_grad=True)
b = mt.tensor(3.0, requires_grad=True)
x = a * b
z = x * (a + x)
z.backward(retain_graph=True)
z.backward()
a.grad, b.grad

# %% [markdown]
# Yes: the inputs added up, and nothing in between was stale. Vary: ask for a third pass. What must change for it?
#
# <details>
# <summary>Open when you have tried</summary>
#
# The second pass must keep the values, too: `z.backward(retain_graph=True)`. Only the last one may let them go. The third gives 144 and 84.
#
# </details>

# %% [markdown]
# ## Exercises
# Three steps to a `backward` for any graph. They work with `Value` and `pass_back` from the top of this chapter. Do them in order: each uses the one before.

# %% [markdown]
# <!-- exercise: topological -->

# %% [markdown]
# <!-- exercise: backward -->

# %% [markdown]
# <!-- exercise: fresh_backward -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A box passes on once, when every arrow that leaves it has brought its share.
# - Plain recursion sends early shares twice; pre-order never sends the late ones. Neither raises an error, and both are right on easy graphs.
# - List each box after its parents, then go through the list from the end.
# - One run and one pass back give all slopes. Nudging needs two runs for each input.
# - The inputs' gradients add up from pass to pass; those in between must start from zero.
#
# For big graphs two things change. A walk by recursion goes as deep as the graph, and Python stops at about a thousand calls: a loop with its own
# stack, or the order of age, has no such limit. And `box in order` looks at every entry of a list: a set beside it answers at once.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | start at the end | `out.grad = 1.0` |
# | find the order | each box after its parents, each once |
# | pass back | `for box in reversed(order): pass_back(box)` |
# | before a second pass | set `grad` to zero in every box that has parents |
#
# | wrong way on the test graph | gives |
# |---|---|
# | recursion at every arrow | too much: early shares are sent again |
# | each box once, parents after it as they come | too little: late shares are not sent |
# | no gradient at the end | zeros |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | `backward(z)` | `z.backward()` |
# | the list of boxes | the graph behind `z.grad_fn`; ready nodes are taken youngest first |
# | gradients in `x`, `y`, `z` | not kept; ask with `x.retain_grad()` |
# | a second pass over one graph | `z.backward(retain_graph=True)` the first time |
# | `a.grad` adds up | the same; `optimizer.zero_grad()` clears it |

# %% [markdown]
# <!-- next -->
# From here on, tensors: what else stands behind the calls that you used at the end of this chapter.
