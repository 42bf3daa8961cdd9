"""Exercises and quiz of chapter 13."""

import numpy as np
from kit.checks import array, describe, expect, fail, is_tensor, obvious, same, same_grad, unchanged
from kit.data import novel
from kit.exercise import Exercise, Slip, Wrong
from kit.quiz import Choice, Question

import minitensor as mt

SETUP = """
import math
import numpy as np
import minitensor as mt
F = mt.nn.functional
"""

causal_weights = Exercise(
    "causal_weights",
    title="Hide the future",
    task="""
        `scores` has shape (..., T, T): in `[..., i, j]` what place `i`, which asks, gets from place
        `j`. There may be axes in front, for batch and heads. Return the weights: in each row a
        softmax over the places up to `i`, itself included, and 0 for later ones. Leave `scores` as
        it is.
        """,
    stub="""
        def causal_weights(scores):
            return ...
        """,
    solution="""
        def causal_weights(scores):
            T = scores.shape[-1]
            hidden = mt.ones(T, T, dtype=mt.bool).triu(1)
            return F.softmax(scores.masked_fill(hidden, float("-inf")), dim=-1)
        """,
    hints=(
        "Which entries are later ones: i < j, or j < i? Draw a 4 × 4 table and mark them.",
        "Two steps, and their order matters: hide in the scores, then softmax. What does a score "
        "have to be so that e to it is 0?",
        "`triu(1)` of a table of ones, as bool, marks what lies above the diagonal. "
        "`masked_fill` puts −∞ there. The softmax runs over the last axis.",
    ),
    wrong=[
        Slip("triu(1)", "triu(0)", says="diagonal"),
        Wrong(
            """
            def causal_weights(scores):
                T = scores.shape[-1]
                hidden = mt.ones(T, T, dtype=mt.bool).triu(1)
                return F.softmax(scores, dim=-1).masked_fill(hidden, 0.0)
            """,
            says="after the softmax",
        ),
        Wrong(
            """
            def causal_weights(scores):
                T = scores.shape[-1]
                hidden = mt.ones(T, T, dtype=mt.bool).triu(1)
                weights = F.softmax(scores, dim=-1).masked_fill(hidden, 0.0)
                return weights / weights.sum(dim=-1, keepdim=True)
            """,
            says="had a say",
        ),
        Slip("triu(1)", "tril(-1)", says="past"),
        Slip("triu(1)", "triu(2)", says="one place ahead"),
        Slip('float("-inf")', "0.0", says="e to the 0 is 1"),
        Slip("scores.masked_fill(hidden, float(\"-inf\"))", "scores", says="nothing is hidden"),
        Slip("dim=-1", "dim=-2", says="over the wrong axis"),
        Slip("return F.softmax(scores.masked_fill(hidden, float(\"-inf\")), dim=-1)",
             "return scores.masked_fill(hidden, float(\"-inf\"))", says="still scores"),
        Slip("scores.masked_fill(", "scores.masked_fill_(", says="left as it was"),
        Slip("scores.masked_fill(", "scores.detach().masked_fill(", says="gradient"),
        Slip("scores.shape[-1]", "scores.shape[0]", says="in front"),
        Slip("scores.masked_fill(hidden, float(\"-inf\"))",
             "scores + hidden * float(\"-inf\")", says="do not multiply"),
    ],
    also_right=[
        """
        def causal_weights(scores):
            i = mt.arange(scores.shape[-1])
            seen = i[:, None] >= i[None, :]
            return mt.softmax(mt.where(seen, scores, mt.tensor(-1e9)), dim=-1)
        """,
        """
        def causal_weights(scores):
            T = scores.shape[-1]
            return (scores + mt.full((T, T), float("-inf")).triu(1)).softmax(-1)
        """,
        """
        def causal_weights(scores):
            seen = mt.ones(scores.shape[-2:]).tril()
            low = scores.masked_fill(seen == 0, float("-inf"))
            e = (low - low.amax(dim=-1, keepdim=True)).exp() * seen
            return e / e.sum(dim=-1, keepdim=True)
        """,
    ],
)  # fmt: skip


def softmax(x, axis=-1):
    """Softmax of an array; rows that are all −∞ give nan, as the libraries do."""
    with np.errstate(invalid="ignore"):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


def masked(scores, k=1, fill=-np.inf):
    """Fill from the k-th diagonal upwards."""
    return np.where(np.triu(np.ones(scores.shape[-2:], bool), k), fill, scores)


def weight_slips(scores):
    """Return what usual slips give for causal_weights, with what to say."""
    late = masked(softmax(scores), fill=0.0)
    past = np.where(np.tril(np.ones(scores.shape[-2:], bool), -1), -np.inf, scores)
    say = "hidden after the softmax: look at the sums of the rows."
    return [
        (late, say),
        (softmax(masked(scores, 0)), "the diagonal is hidden, too: place i may see letter i."),
        (softmax(past), "the past is hidden, and the future is seen."),
        (softmax(masked(scores, 2)), "each place still sees one place ahead: its target."),
        (softmax(masked(scores, fill=0.0)), "a hidden score of 0 still counts: e to the 0 is 1."),
        (softmax(scores), "nothing is hidden."),
        (softmax(masked(scores), -2), "the softmax runs over the wrong axis: each row sums to 1."),
        (masked(scores), "those are still scores. What makes weights of them?"),
    ]


@causal_weights.checker
def check_causal_weights(causal_weights):
    for shape in ((3, 3), (4, 4), (2, 3, 5, 5)):
        scores = np.random.RandomState(4).randint(-2, 3, shape).astype(np.float32)
        call = f"causal_weights(scores), scores of shape {shape}"
        given = mt.tensor(scores)
        cause = "the scores were changed in place. `masked_fill` has no underscore."
        with unchanged(given, call=call, cause=cause):
            got = weights_of(causal_weights, given, call)
        is_tensor(got, call)
        hint = "write down the first row: place 0 sees itself only."
        if np.isnan(array(got)).all():
            hint = "all are nan. 0 times −∞ is nan, too: fill, and do not multiply."
        same(got, softmax(masked(scores)), call, causes=weight_slips(scores), hint=hint)
    scores = np.zeros((3, 3), np.float32)
    scores[0, 2] = 300.0
    call = "causal_weights(scores), where only scores[0, 2] is 300 and all others are 0"
    same(causal_weights(mt.tensor(scores)), softmax(masked(scores)), call, hint="a hidden score "
         "had a say: a large one in the future left nothing for the past.")  # fmt: skip
    given = mt.zeros(3, 3, requires_grad=True)
    got, call = causal_weights(given), "(causal_weights(scores) * g).sum().backward()"
    cause = "no gradient can pass: was the result taken off the tape?"
    expect(got.requires_grad, call, "a gradient for the scores", "no graph", cause)
    (got * mt.tensor([[1.0, 0, 0], [1, 0, 0], [1, 0, 0]])).sum().backward()
    third = 1 / 9
    want = np.array([[0, 0, 0], [0.25, -0.25, 0], [2 * third, -third, -third]], np.float32)
    same_grad(given, want, call, atol=1e-6)


def weights_of(causal_weights, given, call):
    """Call the answer; explain a size taken from the wrong axis."""
    try:
        return causal_weights(given)
    except RuntimeError as error:
        if "size" not in str(error) and "broadcast" not in str(error):
            raise
        cause = "there may be axes in front: T is the size of the *last* axis."
        fail(call, f"shape {tuple(given.shape)}", f"RuntimeError: {error}", cause)


scaled_scores = Exercise(
    "scaled_scores",
    title="Scores that stay in range",
    task="""
        `q` and `k` have shape B × heads × T × D. Return the scores, B × heads × T × T: in
        `[b, h, i, j]` the product of query `i` with key `j`, scaled so that random vectors give a
        spread of about 1, whatever D is.
        """,
    stub="""
        def scaled_scores(q, k):
            return ...
        """,
    solution="""
        def scaled_scores(q, k):
            return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        """,
    hints=(
        "First the product: rows of `q` with rows of `k`. Which two axes of `k` change places?",
        "Section 2 printed the spread of products for three values of D. By what does it grow?",
        "Swap the last two axes of `k`, multiply by `@`, and divide by the root of the last size.",
    ),
    wrong=[
        Slip(" / math.sqrt(q.shape[-1])", "", says="not scaled"),
        Slip("math.sqrt(q.shape[-1])", "q.shape[-1]", says="too small"),
        Slip("/ math.sqrt", "* math.sqrt", says="grow"),
        Slip("q.shape[-1]", "q.shape[-2]", says="the number of places"),
        Slip("q.shape[-1]", "q.shape[1] * q.shape[-1]", says="of one head"),
        Slip("q.shape[-1]", "q.shape[1]", says="the number of heads"),
        Slip("q @ k.transpose(-2, -1)", "k @ q.transpose(-2, -1)", says="wrong way round"),
        Slip("k.transpose(-2, -1)",
             "k.reshape(k.shape[0], k.shape[1], k.shape[3], k.shape[2])", says="order of reading"),
        Slip("q @ k.transpose(-2, -1)", "(q * k)", says="each place with itself"),
        Slip("q @ k.transpose(-2, -1)", "q @ k", says="axes of `k`"),
        Wrong("def scaled_scores(q, k):\n    return F.softmax(q @ k.transpose(-2, -1) / "
              "math.sqrt(q.shape[-1]), dim=-1)", says="weights already"),
    ],
    also_right=[
        'def scaled_scores(q, k):\n    return mt.einsum("bhid,bhjd->bhij", q, k) '
        "* q.shape[-1] ** -0.5",
        "def scaled_scores(q, k):\n    return (q / math.sqrt(q.shape[-1])) @ k.mT",
        """
        def scaled_scores(q, k):
            D = mt.tensor(float(q.shape[-1]))
            return mt.matmul(q, k.permute(0, 1, 3, 2)) / D.sqrt()
        """,
    ],
)  # fmt: skip


def score_slips(q, k):
    """Return what usual slips give for scaled_scores, with what to say."""
    _, heads, places, size = q.shape
    raw = q @ np.swapaxes(k, -2, -1)
    right = raw / np.sqrt(size)
    turned = k.reshape(*k.shape[:2], size, places)
    return [
        (raw, "not scaled: with larger D these numbers grow."),
        (raw / size, "too small: the spread of such products is not D. Look at section 2 again."),
        (raw * np.sqrt(size), "now they grow even faster."),
        (raw / np.sqrt(places), "you took the number of places. The sum runs over D."),
        (raw / np.sqrt(heads * size), "D is the size of one head: the sum runs over that."),
        (raw / np.sqrt(heads), "you took the number of heads. The sum runs over D."),
        (np.swapaxes(right, -2, -1), "the wrong way round: i asks, and is a row of `q`."),
        (q @ turned / np.sqrt(size), "the shape fits, the vectors do not: that keeps the order of "
         "reading. Swap axes instead."),
        (q * k / np.sqrt(size), "that is each place with itself, number by number."),
        (softmax(right), "those are weights already. Scores were wanted."),
    ]  # fmt: skip


@scaled_scores.checker
def check_scaled_scores(scaled_scores):
    for shape in ((1, 2, 3, 4), (2, 3, 5, 6)):
        draw = np.random.RandomState(6)
        q, k = (draw.randint(-4, 5, shape).astype(np.float32) for _ in range(2))
        call = f"scaled_scores(q, k), both of shape {shape}"
        want = q @ np.swapaxes(k, -2, -1) / np.float32(np.sqrt(shape[-1]))
        try:
            got = scaled_scores(mt.tensor(q), mt.tensor(k))
        except RuntimeError as error:
            cause = "the shapes do not fit. Which two axes of `k` must change places?"
            fail(call, f"shape {want.shape}", f"RuntimeError: {error}", cause)
        is_tensor(got, call)
        same(got, want, call, causes=score_slips(q, k), hint="take one entry by hand: "
             "[0, 0, 0, 1].", rtol=1e-4, atol=1e-5)  # fmt: skip
    q, k = mt.ones(1, 1, 2, 4, requires_grad=True), mt.ones(1, 1, 2, 4, requires_grad=True)
    got, call = scaled_scores(q, k), "scaled_scores(q, k).sum().backward()"
    cause = "no gradient can pass: was the result taken off the tape?"
    expect(got.requires_grad, call, "gradients for q and k", "no graph", cause)
    got.sum().backward()
    same_grad(q, np.ones((1, 1, 2, 4), np.float32), call)
    same_grad(k, np.ones((1, 1, 2, 4), np.float32), call)


better_than_pairs = Exercise(
    "better_than_pairs",
    title="Beat the bigram baseline",
    seconds=20.0,
    task="""
        Predict the next letter better than pairs do, by counting or by any other means.
        `better_than_pairs(train, V)` gets the codes to learn from and the number of letters. It
        returns a *function*: `predict(codes)` takes T codes of a new text and returns T × V
        probabilities. Row `i` is about the letter that comes *after* `codes[i]`, and may use the
        codes up to `i` only. (Two letters back are enough to win.)
        """,
    stub="""
        def better_than_pairs(train, V):
            def predict(codes):
                return ...

            return predict
        """,
    solution="""
        def better_than_pairs(train, V):
            pairs = np.ones((V, V))
            np.add.at(pairs, (train[:-1], train[1:]), 1)
            pairs /= pairs.sum(axis=1, keepdims=True)
            triples = 5 * np.repeat(pairs[None], V, axis=0)  # [one before, this, next]
            np.add.at(triples, (train[:-2], train[1:-1], train[2:]), 1)
            triples /= triples.sum(axis=2, keepdims=True)

            def predict(codes):
                before = np.concatenate([codes[:1], codes[:-1]])
                return triples[before, codes]

            return predict
        """,
    hints=(
        "Count which letter follows each *pair* of letters: a table V × V × V. Section 1 counts "
        "pairs in one line.",
        "Many pairs are rare, or never came. So do not start at 0, nor at 1, which wins, "
        "but drowns the few counts: start at a little of what pairs alone predict.",
        "In `predict`, the letter before `codes[i]` is `codes[i - 1]`. Make that array by "
        "shifting to the right; for place 0 any letter will do. Then look all rows up at once.",
    ),
    wrong=[
        Slip("return triples[before, codes]", "return np.eye(V)[np.roll(codes, -1)]",
             says="with a 1 at the letter that comes next"),
        Slip("return triples[before, codes]", "return triples[codes, np.roll(codes, -1)]",
             says="sees its target"),
        Slip("np.concatenate([codes[:1], codes[:-1]])", "np.roll(codes, 1)", says="go round"),
        Slip("np.add.at(triples, (train[:-2], train[1:-1], train[2:]), 1)",
             "triples[train[:-2], train[1:-1], train[2:]] += 1", says="counts a triple once"),
        Slip("return triples[before, codes]", "return pairs[codes]", says="just the pairs"),
        Slip("return triples[before, codes]", "return pairs[before]", says="worse than pairs"),
        Slip("return triples[before, codes]", "return np.full((len(codes), V), 1 / V)",
             says="blind"),
        Slip("triples = 5 * np.repeat(pairs[None], V, axis=0)", "triples = np.zeros((V, V, V))",
             says="nan"),
        Slip("triples = 5 * np.repeat(pairs[None], V, axis=0)",
             "triples = np.full((V, V, V), 1e-300)", says="hardly any"),
        Slip("triples /= triples.sum(axis=2, keepdims=True)", "pass", says="sums to 1"),
        Slip("return triples[before, codes]", "return np.log(triples[before, codes])",
             says="logs"),
        Slip("return triples[before, codes]", "return triples[before, codes][-1]",
             says="a row for each"),
        Slip("    return predict", "    return predict(train)", says="itself"),
        Wrong(
            """
            def better_than_pairs(train, V):
                def predict(codes):
                    pairs = np.full((V, V), 0.01)
                    np.add.at(pairs, (codes[:-1], codes[1:]), 1)
                    return (pairs / pairs.sum(axis=1, keepdims=True))[codes]

                return predict
            """,
            says="later letters",
        ),
    ],
    also_right=[
        """
        def better_than_pairs(train, V):
            triples = np.full((V, V, V), 0.02)
            np.add.at(triples, (train[:-2], train[1:-1], train[2:]), 1)
            triples /= triples.sum(axis=2, keepdims=True)

            def predict(codes):
                rows = [np.full(V, 1 / V)]
                for i in range(1, len(codes)):
                    rows.append(triples[codes[i - 1], codes[i]])
                return rows

            return predict
        """,
        """
        def better_than_pairs(train, V):
            from collections import Counter, defaultdict

            after = defaultdict(Counter)
            train = train.tolist()
            for i in range(3, len(train)):
                for n in (1, 2, 3):
                    after[tuple(train[i - n : i])][train[i]] += 1

            def predict(codes):
                codes, rows = list(codes), []
                for i in range(len(codes)):
                    p = np.full(V, 1 / V)
                    for n in (1, 2, 3):
                        seen = after[tuple(codes[max(0, i + 1 - n) : i + 1])]
                        total = seen.total() + 4
                        p = 4 * p / total
                        for letter, times in seen.items():
                            p[letter] += times / total
                    rows.append(p)
                return mt.tensor(np.array(rows))

            return predict
        """,
    ],
)  # fmt: skip

LEARN, SCORED = 150_000, 4_000  # letters: enough to win clearly, and quick
WORTH = 0.1  # by how much the pairs are to be beaten


def codes_of_novel():
    """Return the codes to learn from, those to be scored on, and the number of letters."""
    text = novel()
    letters = sorted(set(text))
    code = {letter: i for i, letter in enumerate(letters)}
    codes = np.array([code[letter] for letter in text[:LEARN] + text[-SCORED:]])
    return codes[:LEARN], codes[LEARN:], len(letters)


def bigram_loss(train, codes, V):
    """Return the loss of counted pairs on a text."""
    pairs = np.ones((V, V))
    np.add.at(pairs, (train[:-1], train[1:]), 1)
    pairs /= pairs.sum(axis=1, keepdims=True)
    return -np.log(pairs[codes[:-1], codes[1:]]).mean()


def rows_of(predict, codes, V, call):
    """Return predict(codes) as an array of T rows of probabilities, or say what they lack."""
    got = predict(codes.copy())
    if isinstance(got, (list, tuple)) and got and all(np.ndim(row) == 1 for row in got):
        got = np.array([row if isinstance(row, (list, tuple)) else array(row) for row in got])
    if got is None or got is ... or isinstance(got, (str, list, tuple, dict)):
        fail(call, f"an array of shape {(len(codes), V)}", describe(got), obvious(got))
    rows = array(got).astype(float)
    cause = "a row for each of the T places, and in it a number for each letter."
    shape = f"shape {(len(codes), V)}"
    expect(rows.shape == (len(codes), V), call, shape, f"shape {rows.shape}", cause)
    cause = "some rows are nan: 0 divided by 0? What never came in `train` has no counts."
    expect(not np.isnan(rows).any(), call, "probabilities", "nan in some rows", cause)
    cause = "are those logs, or scores? A probability is 0 or more."
    expect(rows.min() >= 0, call, "no negative number", f"{rows.min():.3g}", cause)
    worst = rows.sum(axis=1)[np.abs(rows.sum(axis=1) - 1).argmax()]
    cause = "each row sums to 1: divide counts by the sum of their row."
    expect(abs(worst - 1) < 1e-3, call, "rows that sum to 1", f"a row with {worst:.3g}", cause)
    return rows


def check_no_leak(predict, codes, V):
    """Change letters from place `at` on: rows before it must stay."""
    codes, at = codes[:40], 20
    call = "predict(codes) for 40 letters, and again with the letters from place 20 on changed"
    before = rows_of(predict, codes, V, call)
    changed = codes.copy()
    changed[at:] = (changed[at:] + 1) % V
    moved = np.abs(rows_of(predict, changed, V, call) - before)[:at].max(axis=1) > 1e-9
    if not moved.any():
        return
    got = f"row {int(np.argmax(moved))} is another one"
    if moved[0] and not moved[1:].any():
        cause = (
            "place 0 has no letter before it, and got the *last* one: did `np.roll` or "
            "`codes[-1]` go round? Take any letter that is not in the future."
        )
    elif moved[: at - 1].any():
        cause = "rows depend on later letters: `predict` may learn from `train` only."
    elif np.allclose(before[:-1].max(axis=1), 1) and (before.argmax(1)[:-1] == codes[1:]).all():
        cause = (
            "it copies: a row with a 1 at the letter that comes next. That is the answer itself."
        )
    else:
        cause = "row 19 sees its target, letter 20. An index is off by one."
    fail(call, "rows 0 to 19 as before", got, cause)


@better_than_pairs.checker
def check_better_than_pairs(better_than_pairs):
    train, codes, V = codes_of_novel()
    with np.errstate(divide="ignore", invalid="ignore"):  # rows of no counts: said below
        predict = better_than_pairs(train.copy(), V)
    call = "better_than_pairs(train, V)"
    cause = obvious(predict) or "give back the function `predict` itself, not its result."
    expect(callable(predict), call, "a function", describe(predict), cause)
    check_no_leak(predict, codes, V)
    call = f"predict(codes) for {SCORED} letters of the novel's end"
    rows = rows_of(predict, codes, V, call)
    with np.errstate(divide="ignore"):
        loss = -np.log(rows[np.arange(SCORED - 1), codes[1:]]).mean()
    pairs = bigram_loss(train, codes, V)
    want = f"a loss under {pairs - WORTH:.2f} (pairs get {pairs:.2f})"
    expect(loss < pairs - WORTH, call, want, f"{loss:.2f}", no_gain(loss, pairs, V))


def no_gain(loss, pairs, V):
    """Say why a loss is not low enough."""
    if loss > 1.5 * np.log(V):
        return (
            "at some places the true letter got hardly any probability: what never came in "
            "`train` may still come. Start the counts higher than that."
        )
    if abs(loss - np.log(V)) < 0.1:
        return "that is blind guessing: every letter alike."
    if abs(loss - pairs) < 0.02:
        return "that is just the pairs. Look further back than one letter."
    if loss > pairs:
        return (
            "that is worse than pairs. Does row i use `codes[i]`, the letter just read? And does "
            "`np.add.at` do the counting? `table[...] += 1` counts a triple once, however often "
            "it comes."
        )
    return "a little better than pairs. Are rare triples drowned by what you start from?"


QUIZ = [
    Question(
        "Why are later places hidden in the *scores*, and not in the weights?",
        [
            Choice(
                "It is faster: fewer numbers go through the softmax",
                "As many go through it. And it would be no matter of right or wrong.",
            ),
            Choice(
                "The softmax then divides by the sum over the past alone",
                "Rows sum to 1, and nothing in the future has a say.",
                right=True,
            ),
            Choice(
                "There is no difference: 0 is 0",
                "The zeros are the same, the others are not: they were divided by a sum with the "
                "future in it.",
            ),
        ],
    ),
    Question(
        "In `scores.masked_fill(hidden, ...)`, must the diagonal be hidden?",
        [
            Choice(
                "Yes: a letter must not see itself, or prediction is trivial",
                "Place i predicts letter i + 1. Letter i is its best clue.",
            ),
            Choice(
                "It makes no difference, the value is added later",
                "It does: place 0 would see nothing, and its row would be nan.",
            ),
            Choice(
                "No: place i predicts letter i + 1, and may read letter i",
                "Targets are the text shifted by one.",
                right=True,
            ),
        ],
    ),
    Question(
        "Queries and keys get 64 numbers in place of 16. What happens to scores that are not "
        "divided by √D?",
        [
            Choice(
                "Their spread doubles, and softmax comes closer to choosing one place",
                "√64 is twice √16. And where softmax has chosen, its slope is nearly 0.",
                right=True,
            ),
            Choice(
                "Their spread grows four times",
                "Squares of spreads add: four times as many terms, twice the spread.",
            ),
            Choice(
                "Nothing: softmax divides them by their sum",
                "It divides e to the score by a sum of such. With the scores 1 and 0 the first "
                "weight is 2.7 times the second; with 2 and 0 it is 7.4 times.",
            ),
            Choice(
                "They overflow to nan",
                "Not with a softmax that subtracts the largest first. They are just too sharp.",
            ),
        ],
    ),
    Question(
        "A network ends with `nn.Softmax`, and trains with `F.cross_entropy`. What will you see?",
        [
            Choice(
                "An error: probabilities are no scores",
                "They are numbers like others. Nothing is noticed.",
            ),
            Choice(
                "The same losses: a softmax of a softmax is itself",
                "It is not: 1, 0, 0 becomes about 0.58, 0.21, 0.21.",
            ),
            Choice(
                "nan, as soon as a probability is 0",
                "The log is taken after the second softmax, and that is never 0.",
            ),
            Choice(
                "Losses that stay high, and slow learning",
                "However sure it is, the second softmax levels it.",
                right=True,
            ),
        ],
    ),
    Question(
        "Your new model has a loss of 0.02 for each letter, on held-out text. What do you do?",
        [
            Choice(
                "Train longer, to get rid of the last errors",
                "Nobody can guess letters that well, so something else is being measured.",
            ),
            Choice(
                "Change a letter, and see whether predictions *before* it change",
                "If they do, it sees its targets: a mask, or a shift, is wrong.",
                right=True,
            ),
            Choice(
                "Make the model smaller: it has learned the text by heart",
                "Text by heart would show in training, not on text that it has never seen.",
            ),
        ],
    ),
]
