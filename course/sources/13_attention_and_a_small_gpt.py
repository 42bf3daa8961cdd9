# %% [markdown]
# # 13 · Write text with attention: a small GPT
#
# 50 minutes · GPU: not needed
#
# <!-- launch -->

# %% [markdown]
# ## What you will make
# A *GPT*: a model that reads text letter by letter and says what comes next, and so can write. It is the architecture of the large ones, three layers deep, in some fifty lines
# that you can read in ten minutes. It learns from one novel, Jane Austen's *Persuasion*.
#
# At the end you can
#
# - measure how well a model predicts text, and the baseline that it has to beat,
# - write attention: who looks at whom, how much, and never ahead,
# - say what each line of a GPT does, with its shapes,
# - find out whether a model cheats by seeing its target.

# %% [markdown]
# ## Before you start
# You know batches of matrix products (`@`, [chapter 04](04_shape_stride_dtype.ipynb)), layers, cross-entropy and optimisers ([chapter 10](10_layers_starts_losses_steps.ipynb)), and how the step size changes while a model trains ([chapter 12](12_convolution.ipynb)). Nothing about language is assumed.

# %%
import math
import numpy as np
import minitensor as mt
from minitensor import nn
from exercises import ch13
from kit.data import novel, trained_gpt
from kit.figures import ch13 as figures

F = nn.functional

# %% [markdown]
# ## 1. Measure what to beat
# A text is a row of letters; blanks, commas and line ends count as letters, too. Each gets a number, its *code*. The first nine tenths are to learn from. The end of the novel is held out.

# %%
text = novel()
letters = sorted(set(text))
code = {letter: i for i, letter in enumerate(letters)}
data = np.array([code[letter] for letter in text])
train, held_out = np.split(data, [len(data) * 9 // 10])
print(len(letters), "letters;", len(train), "to learn from,", len(held_out), "held out")
print(text[330:480])

# %% [markdown]
# To predict is to give each letter a probability. The *loss* is the mean of −log of the probability that the true next letter got: the cross-entropy. Who knows nothing gives all 75 the same.
# Who counts pairs does better: after `q` comes `u`. That is the *bigram* model, one table, no learning but counting.
#
# <!-- predict -->
# The loss of someone who guesses blindly among 75 is log 75, about 4.3. What may the pair counter get: 4, 2.5 or 1?
# <!-- open -->
# About 2.5. That is as good as guessing blindly among eleven or twelve letters, e to the loss. Much of a text is in the pairs, and much is not.

# %%
V = len(letters)
pairs = np.ones((V, V))  # start at 1: what never came may still come
np.add.at(pairs, (train[:-1], train[1:]), 1)
bigram = pairs / pairs.sum(axis=1, keepdims=True)  # row: this letter; column: the next

baseline = -np.log(bigram[held_out[:-1], held_out[1:]]).mean()
print(f"blind {np.log(V):.2f}, bigram {baseline:.2f}, as blind among {np.exp(baseline):.1f}")

# %% [markdown]
# A model that predicts can write: draw a letter by its probabilities, put it at the end, and again.

# %%
draw, at, written = np.random.default_rng(1), code["A"], "A"
for _ in range(150):
    at = draw.choice(V, p=bigram[at])
    written += letters[at]
print(written)

# %% [markdown]
# Pairs are right, words are not. To do better, a letter must look further back. But where? A table of all triples has 75³ entries, of ten letters in a row 75¹⁰. Nobody has text enough for that. The model must *choose*
# where to look.
#
# Now a warning that saves days. A model that sees the target, by an index that is off by one, looks wonderful. Section 4 has a test for it:

# %%
leaking = np.eye(V)[held_out[1:]]  # "predicts" by looking at the next letter itself
given = leaking[np.arange(len(leaking)), held_out[1:]]  # what the true letter got: always 1
print(f"loss {np.log(1 / given).mean():.2f}")

# %% [markdown]
# Vary: start `pairs` at 0 in the cell of the bigram, and run it. NumPy warns, and the loss is infinite: one pair with probability 0 that does come is enough. How many are there? `(bigram[held_out[:-1], held_out[1:]] == 0).sum()` counts them. Then set the 1 back.

# %% [markdown]
# ## 2. Ask, answer, mix
# *Attention* is a weighted mean, with weights made on the spot. Each place of the text has three vectors: a *query*, what it looks for; a *key*, what it has to offer; and a *value*, what it hands over. Where query and
# key agree, their product is large, and the weight, too. Here by hand: T = 4 places, vectors of D = 2 numbers.

# %%
q = mt.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])  # T × D
k = mt.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])  # T × D
v = mt.tensor([[1.0], [2.0], [3.0], [4.0]])                      # T × 1
scores = q @ k.T  # T × T: place i asks, place j answers
scores

# %% [markdown]
# Scores become weights: positive, with sum 1 in each row. That is *softmax*, e to the score, divided by the row's sum. The obvious line in NumPy:
#
# <!-- predict -->
# `np.exp(s) / np.exp(s).sum()` for the scores 1000 and 0. The right weights are 1 and 0. What comes out?
# <!-- open -->
# `nan` and 0. e to the 1000 is infinite for a computer, and infinity divided by infinity is not a number. Subtract the largest score first: the weights stay the same, and nothing overflows.

# %%
s = np.array([1000.0, 0.0])
with np.errstate(over="ignore", invalid="ignore"):
    print("by its formula:     ", np.exp(s) / np.exp(s).sum())
print("largest subtracted: ", np.exp(s - s.max()) / np.exp(s - s.max()).sum())
print("mt.softmax:         ", mt.softmax(mt.tensor(s), dim=0).numpy())

# %%
weights = F.softmax(scores, dim=-1)  # over j: who is looked at
print(weights.numpy().round(2))
print("mixed:", (weights @ v).squeeze().numpy().round(2))

# %% [markdown]
# Place 0 asks for nothing: it gets the mean of all. Place 1 finds places 0 and 2, and gets the mean of 1 and 3. No distance plays a part, and everything is a product or a softmax. So gradients flow: which queries and keys are
# useful can be *learned*.
#
# One detail keeps it learnable. The product of two vectors of D random numbers, each with spread 1, has a spread of √D. Large scores make softmax choose one place, and its slope there is nearly 0:

# %%
mt.manual_seed(0)
for D in (4, 64, 1024):
    a, b = mt.randn(200, D), mt.randn(200, D)
    raw = a @ b.T
    for name, s in (("as it is ", raw), ("over √D  ", raw / math.sqrt(D))):
        largest = F.softmax(s, dim=-1).amax(dim=-1).mean().item()
        print(f"D {D:4}, {name} spread {s.std().item():5.1f}, largest weight {largest:.2f}")

# %% [markdown]
# So scores are divided by √D: *scaled* attention. Vary: what are the weights in a row of 200 equal scores? Compare them with the largest ones above.

# %% [markdown]
# ## 3. Hide the future
# In training we predict at *all* places at once: after letter 0, after letters 0 and 1, and so on. One pass, T predictions. But then place 3 must not look at place 4, which is its target. Scores of later places are set to −∞, *before* the softmax:

# %%
T = 4
hidden = mt.ones(T, T, dtype=mt.bool).triu(1)  # above the diagonal: j > i
masked = scores.masked_fill(hidden, float("-inf"))
weights = F.softmax(masked, dim=-1)
print(weights.numpy().round(2))

# %% [markdown]
# <!-- predict -->
# Many hide afterwards: softmax first, then set the later weights to 0. What is wrong with these weights?
# <!-- open -->
# Their rows no longer sum to 1: early places get less than a mean. And what was hidden still had a say: it was in the sum that all were divided by. So the past's weights depend on the future.

# %%
after = F.softmax(scores, dim=-1).masked_fill(hidden, 0.0)
print("rows sum to", after.sum(dim=-1).numpy().round(2))
print("and should ", weights.sum(dim=-1).numpy().round(2))

# %% [markdown]
# The picture to remember: who looks at whom. A row is a place that asks. Its weights go to itself and to places before it, never ahead.

# %%
figures.masked_attention("Anne", q, k)

# %% [markdown]
# The diagonal stays open. Place i may see letter i: it has to predict letter i + 1. Hide the diagonal, and place 0 sees nothing at all:

# %%
too_much = scores.masked_fill(mt.ones(T, T, dtype=mt.bool).triu(0), float("-inf"))
F.softmax(too_much, dim=-1)[0]

# %% [markdown]
# Vary: let `masked` come from `mt.zeros(T, T)` in place of `scores`. What are the weights? Each place then gets the plain mean of all so far, itself included.

# %% [markdown]
# ## 4. Build the model
# Three classes. First attention, with `heads`: several small attentions side by side, each with its own queries and keys, so that a place can look for several things at once. B texts in a batch, T places, C numbers for each place.
#
# One `Linear` makes queries, keys and values at once, 3C numbers for each place. `view` cuts them into 3 × heads × D, with D = C / heads. `permute` brings the 3 to the front, to get three tensors, and the places next to D, for `@`.

# %% tags=["model"]
class Attention(nn.Module):
    """Each place mixes in what it finds useful at earlier ones (Vaswani et al., 2017)."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        B, T, C = x.shape
        qkv = self.qkv(x).view(B, T, 3, self.heads, C // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)                # each B × heads × T × D
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # B × heads × T × T
        hidden = mt.ones(T, T, dtype=mt.bool, device=x.device).triu(1)
        weights = F.softmax(scores.masked_fill(hidden, float("-inf")), dim=-1)
        self.weights = weights.detach()                     # kept to be looked at
        y = (weights @ v).transpose(1, 2).reshape(B, T, C)  # heads side by side
        return self.out(y)

# %% [markdown]
# A *block*: attention lets places talk to each other, then a small network of two layers works on each place alone. Both only *add* to what is there. So the way back has a path straight through, over all blocks: the gradient of a sum is copied.
# `LayerNorm` keeps the numbers of each place at mean 0 and spread 1.

# %% tags=["model"]
class Block(nn.Module):
    """Attention, then a network for each place alone (GPT-2's order: norms first)."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):                    # B × T × C
        x = x + self.attention(self.norm1(x))
        return x + self.think(self.norm2(x))

# %% [markdown]
# The model: each letter and each place has a vector, learned like all else. `nn.Embedding` is the table of them: a number picks a row. Their sum goes through the blocks. Attention itself does not know distances, so without the place's vector the order of the letters would be lost. The last
# layer gives a score for each possible next letter.

# %% tags=["model"]
class GPT(nn.Module):
    """Scores for the next letter, at each place of each text."""

    def __init__(self, letters, width, heads, layers, context):
        super().__init__()
        self.context = context  # the longest text that it can look at
        self.letter = nn.Embedding(letters, width)
        self.place = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.scores = nn.Linear(width, letters)

    def forward(self, codes):                                  # B × T, whole numbers
        places = mt.arange(codes.shape[1], device=codes.device)
        x = self.letter(codes) + self.place(places)            # B × T × C
        return self.scores(self.norm(self.blocks(x)))          # B × T × letters

# %%
SIZES = {"letters": V, "width": 96, "heads": 6, "layers": 3, "context": 64}
mt.manual_seed(0)
model = GPT(**SIZES)
print(sum(p.numel() for p in model.parameters()), "parameters")

# %% [markdown]
# That is the whole model. Does it cheat? A test that finds any leak: change the *last* letter of a text. The scores at all places before it must stay.
#
# <!-- predict -->
# At how many of 8 places will the scores differ, if only letter 7 is changed?
# <!-- open -->
# At one: place 7 itself, which has just read the new letter. If place 6 differed, the model would see its own target.

# %%
codes = mt.from_numpy(data[None, 400:408])
changed = codes.clone()
changed[0, 7] = code["z"]
with mt.no_grad():
    differ = (model(codes) != model(changed)).any(dim=-1)[0]
differ.tolist()

# %% [markdown]
# ## 5. Let it learn
# A batch: pieces of 65 letters from random places. The first 64 go in, and the same shifted by one are the targets.

# %% tags=["model"]
def batch(data, context, size, draw):
    starts = draw.integers(0, len(data) - context, size)
    pieces = mt.from_numpy(data[starts[:, None] + np.arange(context + 1)])
    return pieces[:, :-1], pieces[:, 1:]  # both size × context

def loss_of(model, x, y):
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())

# %% [markdown]
# `cross_entropy` takes *scores*: it does the softmax itself. Many models in the wild apply one before.
#
# <!-- predict -->
# Three letters with the scores 10, 0, 0, and the first is right. The loss is nearly 0. And with a softmax in front?
# <!-- open -->
# More than half. The probabilities, about 1, 0, 0, are taken for scores, and such close scores say little. However sure the model is, the loss cannot fall below that.

# %%
right, target = mt.tensor([[10.0, 0.0, 0.0]]), mt.tensor([0])
print(f"scores:        {F.cross_entropy(right, target).item():.5f}")
print(f"softmax first: {F.cross_entropy(F.softmax(right, dim=-1), target).item():.5f}")

# %% [markdown]
# The loop is that of every network. `AdamW` is Adam, and draws all weights a little towards 0 at each step. `OneCycleLR` makes the steps small at first, large, and small again.
# `clip_grad_norm_` shortens a gradient that is longer than 1, so that one odd batch cannot throw the model off.

# %% tags=["model"]
def train_gpt(model, data, steps, lr=4e-3, size=32, seed=0, watch=None):
    optimizer = mt.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.1)
    schedule = mt.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=steps, pct_start=0.1
    )
    draw = np.random.default_rng(seed)
    for step in range(1, steps + 1):
        loss = loss_of(model, *batch(data, model.context, size, draw))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # no step too far
        optimizer.step()
        schedule.step()
        if watch:
            watch(step, loss.item())

# %% [markdown]
# To measure: the mean loss over pieces that are the same each time. To write: score what comes next, draw a letter, put it at the end, and look again at the last `context` letters.

# %% tags=["model"]
def evaluate(model, data, batches=8):
    draw = np.random.default_rng(1)  # the same pieces each time
    with mt.no_grad():
        losses = [loss_of(model, *batch(data, model.context, 64, draw)) for _ in range(batches)]
    return sum(losses).item() / batches

def write(model, start, length, draw, calm=1.0):
    codes = list(start)
    with mt.no_grad():
        for _ in range(length):
            seen = mt.tensor([codes[-model.context :]])
            p = F.softmax(model(seen)[0, -1] / calm, dim=-1).double().numpy()
            codes.append(int(draw.choice(len(p), p=p / p.sum())))
    return codes

# %% [markdown]
# Twenty steps, to see that it moves. It starts near the blind guesser's 4.3:

# %%
losses = []
train_gpt(model, train, steps=20, watch=lambda step, loss: losses.append(loss))
print(f"step 1: {losses[0]:.1f}, step 20: {losses[-1]:.1f}")

# %% [markdown]
# A few thousand steps take some minutes. So the next cell loads what `scripts/train_gpt.py` trained, with just these cells. Say `LONG = True` to train it yourself, for about
# three minutes: a quarter of the way, and already far beyond pairs.

# %%
LONG = False
kept = trained_gpt()
model = GPT(**kept["sizes"])
if LONG:
    train_gpt(model, train, steps=1000)
else:
    model.load_state_dict(kept["model"])
    print("from", kept["about"]["command"], "·", kept["about"]["steps"], "steps")

# %% [markdown]
# <!-- predict -->
# The bigram model paid about 2.5 for a letter. What will the GPT pay, on the end of the novel that it has never seen?
# <!-- open -->
# About 1.3. That is as good as guessing blindly among fewer than four letters, where the pair counter had eleven or twelve.

# %%
loss = evaluate(model, held_out)
print(f"bigram {baseline:.2f}, GPT {loss:.2f}, as blind among {np.exp(loss):.1f}")

# %% [markdown]
# How the kept one got there. First which letters are frequent, then short words, then names, then nearly all words. What a sentence is about gets lost on the way, even at the end. And the two curves part: it gains more on the text that it trains on than on text that it has not seen.

# %%
figures.learning(kept["losses"], baseline)
for step, sample in kept["samples"].items():
    print(f"--- after {step} steps\n{sample.strip()}")

# %% [markdown]
# Now yours. `calm` below 1 makes likely letters likelier: fewer slips, less surprise. Vary it, and the start.

# %%
start = [code[letter] for letter in "\nCaptain Wentworth "]
draw = np.random.default_rng(0)
print("".join(letters[i] for i in write(model, start, 300, draw, calm=0.7)))

# %% [markdown]
# It knows nothing but this novel, 64 letters back. A large model has the same plan, with more layers, wider, on pieces of words in place of letters, and on more text than a person can read.

# %% [markdown]
# ## 6. Look inside
# What do its attentions look for? Here are the weights of two heads of the first layer, and two of the last, for a line in the novel's style.
#
# <!-- predict -->
# What must be true of every such map, whatever was learned?
# <!-- open -->
# Nothing above the diagonal, and every row sums to 1. So the first row has one choice: all its weight on itself.

# %%
line = " Captain Wentworth and his sister"
codes = mt.tensor([[code[letter] for letter in line]])
with mt.no_grad():
    model(codes)
maps = [block.attention.weights[0] for block in model.blocks]  # each heads × T × T
print("rows sum to 1:", all(mt.allclose(m.sum(dim=-1), mt.ones(len(line))) for m in maps))

# %% [markdown]
# A row is a letter that asks; its weights go to the letters in the columns. In the kept model, head 2 of layer 1 looks two letters back, from wherever it stands. Others stay for a while at one letter. Nobody told them where to look.

# %%
figures.attention_maps(line, maps)

# %% [markdown]
# Vary: how do heads find "two back"? By the places' vectors. Set them to 0, `with mt.no_grad(): model.place.weight.zero_()`, and `evaluate` again: it is now far worse than pairs. (The cell with `LONG` brings the model back.)

# %% [markdown]
# ## Exercises

# %% [markdown]
# <!-- exercise: causal_weights -->

# %% [markdown]
# <!-- exercise: scaled_scores -->

# %% [markdown]
# <!-- exercise: better_than_pairs -->

# %% [markdown]
# <!-- quiz -->

# %% [markdown]
# ## Summary
# - A language model gives the next letter's probabilities. Its loss is the cross-entropy on text that it has not seen; a counted baseline says what that is worth.
# - Attention is a weighted mean of values. Weights are the softmax of queries times keys, over √D, with later places at −∞ before the softmax.
# - A GPT: vectors of letters and places, blocks that add attention and a small network, a last layer of scores.
# - Softmax by its formula overflows. And `cross_entropy` wants scores, not probabilities.
# - If a result is too good, change the target and see whether the prediction moves.
#
# ## Cheat-sheet
# | to do | write |
# |---|---|
# | scores, B × heads × T × T | `q @ k.transpose(-2, -1) / math.sqrt(D)` |
# | hide what comes later | `scores.masked_fill(mt.ones(T, T, dtype=mt.bool).triu(1), float("-inf"))` |
# | weights | `F.softmax(scores, dim=-1)` |
# | all of it, ready made | `F.scaled_dot_product_attention(q, k, v, is_causal=True)` |
# | split into heads | `.view(B, T, heads, D).transpose(1, 2)`, back by `.transpose(1, 2).reshape(B, T, C)` |
# | loss over all places | `F.cross_entropy(scores.flatten(0, 1), targets.flatten())` |
# | draw a letter | `F.softmax(scores[0, -1], dim=-1)`, then `draw.choice` or `mt.multinomial` |
# | keep a model | `mt.save(model.state_dict(), path)`, `model.load_state_dict(mt.load(path))` |
#
# ## In PyTorch
# | here | PyTorch |
# |---|---|
# | the three classes | the same code runs, with `import torch as mt`, `from torch import nn` |
# | `F.scaled_dot_product_attention` | the same name; on a GPU it never stores the T × T weights |
# | `mt.save`, a safetensors file | `safetensors.torch.save_file`; `torch.save` writes a pickle |

# %% [markdown]
# <!-- next -->
# Your code runs here. It should run in PyTorch as well, and give the same numbers.
