"""Figure of chapter 03: the costs of nudging and backprop."""

from kit.figures import STYLES, figure, subplots


def cost(rows):
    """Show steps against inputs, both logarithmic. rows: (inputs, nudging, backprop)."""
    inputs, nudging, backprop = zip(*rows, strict=True)
    fig, ax = subplots(height=3.2)
    ax.loglog(inputs, nudging, label="nudging", **STYLES[0])
    ax.loglog(inputs, backprop, label="backprop", **STYLES[1])
    ax.set(xlabel="number of inputs", ylabel="box steps, forward and back")
    ax.legend()
    figure(
        fig,
        alt="Two straight lines on logarithmic axes. Nudging rises twice as steeply as backprop.",
        text="\n".join(
            f"{n} inputs: nudging {many} steps, backprop {few} (one forward, one back, "
            "for each box)"
            for n, many, few in rows
        ),
    )
