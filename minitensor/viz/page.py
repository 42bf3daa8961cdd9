"""Pages that need no kernel and no network, and tell a kernel what happens where there is one.

A JavaScript module is written as for anywidget, ``export default { render({ model, el }) { } }``,
and imports nothing. ``page`` puts it into a complete HTML page whose ``model`` holds the data that
travel with it, and ``frame`` puts that page into an ``<iframe>``: it survives a notebook's export
to HTML and asks nothing of the network. Below the frame stands the same content in words: GitHub
and other viewers that take scripts away still show that.

``link`` is the kernel's end: an anywidget that is never displayed. What the page's module saves by
``model.set`` and ``model.save_changes`` arrives in its ``values``, and the other way round.
"""

from __future__ import annotations

import base64
import functools
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STYLE = (HERE / "page.css").read_text(encoding="utf-8")
MODEL = (HERE / "page.js").read_text(encoding="utf-8")
LINK = (HERE / "link.js").read_text(encoding="utf-8")


def page(
    module: str, data: Mapping[str, Any], *, title: str, style: str = "", still: str = ""
) -> str:
    """Return a complete HTML page that runs ``module`` on ``data``, without network or kernel.

    Args:
        module: the text of an anywidget module with one ``export default``.
        data: what ``model.get`` gives, by name; fit for JSON. What is saved goes to the ``link``
            of the same ``key``, if data has one.
        title: of the page, read out by screen readers.
        style: CSS after the house's own.
        still: HTML that stands there until the module puts something in its place.

    Raises ValueError if the module has no ``export default``, or imports something.
    """
    if module.count("export default") != 1 or "\nimport " in "\n" + module:
        raise ValueError("a module has one 'export default' and imports nothing")
    body = module.replace("export default", "const widget =")
    held = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    held = held.replace("</", "<\\/").replace("<!--", "\\u003c!--")  # nothing ends the script
    return (
        '<!DOCTYPE html><html lang="en" style="color-scheme:light dark"><head>'
        f'<meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<style>{STYLE}{style}</style></head><body class="page"><div id="root">{still}</div>'
        f'<script type="application/json" id="data">{held}</script>'
        f'<script type="module">{body}{MODEL}</script></body></html>'
    )


def frame(
    document: str, *, title: str, height: int, words: str, picture: str = "", below: str = ""
) -> str:
    """Return HTML that shows a page in a frame of ``height`` pixels, and in words below it.

    ``words`` has a line for each thing to be known; with ``picture``, an SVG, and ``below``, more
    HTML, it is what is left where scripts are off.
    """
    lines = "<br>".join(html.escape(line.strip()) for line in words.strip().splitlines())
    title = html.escape(title)
    held = document.replace("&", "&amp;").replace("'", "&#39;")  # all that an attribute needs
    shown = ""
    if picture:
        data = base64.b64encode(picture.encode()).decode()
        shown = f'<img alt="{title}" src="data:image/svg+xml;base64,{data}">'
    return (
        f'<iframe srcdoc=\'{held}\' title="{title}" loading="lazy" '
        f'style="width:100%;height:{height}px;border:0"></iframe>'
        f"<details><summary>{title}, in words</summary>{shown}<p>{lines}</p>{below}</details>"
    )


@functools.cache
def _link_class() -> Any:
    import anywidget
    import traitlets

    class Link(anywidget.AnyWidget):
        """The kernel's end of a page: ``values`` is what the page saved last."""

        _esm = LINK
        key = traitlets.Unicode().tag(sync=True)
        values = traitlets.Dict().tag(sync=True)

    return Link


def link(key: str, values: Mapping[str, Any]) -> Any:
    """The kernel's end of the page with this ``key``; None where anywidget is not installed."""
    try:
        return _link_class()(key=key, values=dict(values))
    except ImportError:
        return None
