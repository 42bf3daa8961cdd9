"""The house style of figures, and the one way to show them: with alt text and in words.

Colours are Okabe and Ito's, told apart by colour-blind readers; each series also has its own
dash and marker. The background is opaque, so that figures read on light and dark pages.
"""

import base64
import html
import io

import matplotlib.pyplot as plt
from IPython.display import display

WIDTH = 7.0  # inches
DPI = 150
SHOWN_DPI = 96  # a notebook shows 96 pixels to the inch; the rest is sharpness
COLORS = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#000000",
}
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "X"]
STYLES = [
    {"color": color, "linestyle": dash, "marker": marker}
    for color, dash, marker in zip(COLORS.values(), DASHES, MARKERS, strict=False)
]
HOUSE = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.prop_cycle": plt.cycler(color=list(COLORS.values())[:6])
    + plt.cycler(linestyle=DASHES)
    + plt.cycler(marker=MARKERS),
}


def subplots(rows=1, columns=1, *, height=3.6, width=WIDTH, **options):
    """Return (figure, axes) in the house style; sizes in inches, other options as plt.subplots."""
    with plt.rc_context(HOUSE):
        options.setdefault("layout", "constrained")
        return plt.subplots(rows, columns, figsize=(width, height), **options)


def figure(fig, *, alt, text=""):
    """Display a figure with its alt text, and alt and `text` below it in words; then close it.

    alt: what is to be seen, in a sentence or two. text: the numbers behind it, in lines. Not every
    viewer of notebooks hands alt text on from an output; the words below the figure reach all.
    """
    if not alt.strip():
        raise ValueError("a figure needs alt text: say what is to be seen")
    width, height = (round(SHOWN_DPI * inches) for inches in fig.get_size_inches())
    buffer = io.BytesIO()
    with plt.rc_context(HOUSE):
        fig.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    plt.close(fig)
    png = base64.b64encode(buffer.getvalue()).decode("ascii")
    about = {"alt": alt, "width": width, "height": height}
    display({"image/png": png, "text/plain": alt}, metadata={"image/png": about}, raw=True)
    display(in_words(alt, text), raw=True)


def in_words(alt, text):
    """Return the folded text below a figure, as a bundle of HTML and plain text."""
    lines = [alt, *text.strip().splitlines()]
    body = "<br>".join(html.escape(line.strip(), quote=False) for line in lines)
    page = f"<details><summary>Figure in words</summary><p>{body}</p></details>"
    return {"text/html": page, "text/plain": "\n".join(line.strip() for line in lines)}
