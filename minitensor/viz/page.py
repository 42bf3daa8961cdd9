"""One JavaScript module, two hosts: a widget in JupyterLab, a page of its own without a kernel.

A module is written for anywidget: ``export default { render({ model, el }) { ... } }`` and nothing
imported. ``page`` puts the same text into a complete HTML page whose ``model`` holds the data that
travel with it, and ``frame`` puts that page into an ``<iframe>``: it survives a notebook's export
to HTML and asks nothing of the network. Below the frame stands the same content in words: GitHub
and other viewers that take scripts away still show that.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")

# What a module may ask of anywidget's model, over the data in the page; and the theme of the
# notebook around it, which a browser's own preference does not know.
MODEL = """
const values = JSON.parse(document.getElementById("data").textContent);
const heard = {};
const model = {
  get: (name) => values[name],
  set: (name, value) => {
    values[name] = value;
    (heard["change:" + name] || []).forEach((call) => call());
  },
  save_changes: () => {},
  on: (event, call) => { (heard[event] = heard[event] || []).push(call); },
  off: () => {},
};
try {
  const outer = window.parent.document.body.dataset.jpThemeLight;
  if (outer) document.documentElement.style.colorScheme = outer === "true" ? "light" : "dark";
} catch (error) { /* another origin: the browser's own preference decides */ }
widget.render({ model, el: document.getElementById("root") });
"""


def page(module: str, data: Mapping[str, Any], *, title: str, style: str = "") -> str:
    """Return a complete HTML page that runs ``module`` on ``data``, without network or kernel.

    Args:
        module: the text of an anywidget module with one ``export default``.
        data: what ``model.get`` gives, by name; fit for JSON.
        title: of the page, read out by screen readers.
        style: CSS after the house's own.

    Raises ValueError if the module has no ``export default``, or imports something.
    """
    if module.count("export default") != 1 or "\nimport " in "\n" + module:
        raise ValueError("a module has one 'export default' and imports nothing")
    body = module.replace("export default", "const widget =")
    held = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        f'</title><style>{STYLE}{style}</style></head><body><div id="root"></div>'
        f'<script type="application/json" id="data">{held}</script>'
        f'<script type="module">{body}{MODEL}</script></body></html>'
    )


def frame(document: str, *, title: str, height: int, words: str) -> str:
    """Return HTML that shows a page in a frame of ``height`` pixels, and in words below it.

    ``words`` has a line for each thing to be known; it is what is left where scripts are off.
    """
    lines = "<br>".join(html.escape(line.strip()) for line in words.strip().splitlines())
    return (
        f'<iframe srcdoc="{html.escape(document)}" title="{html.escape(title)}" loading="lazy" '
        f'style="width:100%;height:{height}px;border:0"></iframe>'
        f"<details><summary>{html.escape(title)}, in words</summary><p>{lines}</p></details>"
    )
