"""Interactive pages of chapters: a JavaScript file here, its data from Python, no kernel needed.

`explorer("strides", data, title=..., height=..., words=...)` shows `strides.js` with `data` in it.
The file is an anywidget module, `export default { render({ model, el }) { ... } }`; see
`minitensor.viz.page`. Everything travels in the output: it works after an export to HTML and
without a network.
"""

from pathlib import Path

from IPython.display import display

from minitensor.viz.page import frame, page

FOLDER = Path(__file__).parent


def explorer(name, data, *, title, height, words):
    """Display `name`.js with `data` in a frame of `height` pixels, and in `words` below it.

    data: a dict fit for JSON. words: lines that say what is to be seen and learned, with numbers:
    they are all that is left where scripts are off, and are compared by nbval. Round the numbers.
    """
    module = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    shown = frame(page(module, data, title=title), title=title, height=height, words=words)
    display({"text/html": shown, "text/plain": f"{title}\n{words.strip()}"}, raw=True)
