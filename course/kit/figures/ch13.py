"""Figures of chapter 13: masked attention, the way of the loss, what heads look at."""

import numpy as np

from kit.figures import COLORS, STYLES, figure, subplots


def softmax(scores):
    rows = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return rows / rows.sum(axis=-1, keepdims=True)


def masked_attention(word, q, k):
    """Show scores, masked scores and weights of a short word, as three tables with numbers."""
    scores = (q @ k.T).numpy()
    later = np.triu(np.ones_like(scores, bool), 1)
    masked = np.where(later, -np.inf, scores)
    steps = {"scores: q @ k.T": scores, "later ones: −∞": masked, "weights": softmax(masked)}
    fig, axes = subplots(1, 3, height=2.9)
    for (title, values), ax in zip(steps.items(), axes, strict=True):
        draw_map(ax, values, word, later if title != "scores: q @ k.T" else None)
        for (i, j), value in np.ndenumerate(values):
            shown = "−∞" if np.isinf(value) else f"{value:.2g}"
            ax.text(j, i, shown, ha="center", va="center", fontsize=10)
        ax.set_title(title, fontsize=10.5)
    axes[0].set_ylabel("asks")
    rows = " / ".join(" ".join(f"{v:.2f}" for v in row) for row in softmax(masked))
    figure(
        fig,
        alt="Three tables of 4 × 4, rows for the places that ask, columns for those that answer. "
        "First all scores; then the same with −∞ above the diagonal, hatched; then the weights, "
        "zero above the diagonal, and each row sums to 1.",
        text=f"weights, row by row: {rows}",
    )


def draw_map(ax, values, word, hidden=None):
    """Draw a table of attention, blue by weight, hatched where hidden; letters at its sides."""
    values = np.where(np.isinf(values), 0.0, values)
    ax.imshow(values, cmap="Blues", vmin=0, vmax=1.6 * max(values.max(), 1e-9))
    if hidden is not None:
        for i, j in np.argwhere(hidden):
            ax.fill([j - 0.5, j + 0.5, j + 0.5, j - 0.5], [i - 0.5, i - 0.5, i + 0.5, i + 0.5],
                    facecolor="white", edgecolor="#AAAAAA", hatch="///", linewidth=0)  # fmt: skip
    labels = ["␣" if letter == " " else letter for letter in word]
    ax.set_xticks(range(len(word)), labels=labels)
    ax.set_yticks(range(len(word)), labels=labels)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.set_xlabel("answers")


def learning(losses, baseline):
    """Show train and held-out loss by step. losses: rows (step, train, held out)."""
    steps, learned, held_out = np.array(losses).T
    fig, ax = subplots(height=3.2)
    every = max(1, len(steps) // 10)
    ax.plot(steps, learned, label="in training", markevery=every, **STYLES[0])
    ax.plot(steps, held_out, label="held out", markevery=every, **STYLES[1])
    ax.axhline(baseline, color=COLORS["black"], linestyle=":", label="bigram")
    ax.set(xlabel="step", ylabel="loss", ylim=(1, 4.6))
    ax.legend()
    below = next(int(step) for step, loss in zip(steps, held_out, strict=True) if loss < baseline)
    figure(
        fig,
        alt="The loss falls steeply at first, passes the line of the bigram model, and flattens "
        "out. In training it ends a little lower than held out.",
        text=f"held out: {held_out[0]:.1f} after step 1, under the bigram's {baseline:.1f} by step "
        f"{below}, {held_out[-1]:.2f} at step {int(steps[-1])}; in training {learned[-1]:.2f}",
    )


def attention_maps(line, maps, heads=(0, 1)):
    """Show two heads of the first layer and two of the last. maps: heads × T × T for each layer."""
    back = "; ".join(
        f"layer {layer + 1}, head {head + 1}: {weights_back(maps[layer][head].numpy())}"
        for layer in (0, len(maps) - 1)
        for head in heads
    )
    chosen = [(layer, head) for layer in (0, len(maps) - 1) for head in heads]
    fig, axes = subplots(2, 2, height=7.2)
    for (layer, head), ax in zip(chosen, axes.flat, strict=True):
        weights = maps[layer][head].numpy()
        draw_map(ax, weights, line)
        ax.tick_params(labelsize=7)
        ax.set(xlabel="answers" if layer else "", ylabel="asks" if head == heads[0] else "")
        ax.set_title(f"layer {layer + 1}, head {head + 1}", fontsize=10.5)
    figure(
        fig,
        alt="Four maps of weights, two heads of the first layer and two of the last; letters of "
        "the line at both sides. All are empty above the diagonal. Below it each head has a "
        "pattern of its own: dots along a line below the diagonal, or columns at some letters.",
        text=f"mean weight on a letter, by how far back it is: {back}",
    )


def weights_back(weights):
    """Return the mean weight on 0, 1, 2 and 3 letters back, as text."""
    means = [np.diagonal(weights, -back).mean() for back in range(4)]
    return ", ".join(f"{back} back {mean:.2f}" for back, mean in enumerate(means))
