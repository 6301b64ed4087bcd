"""Charts to SVG with vl-convert: drawn once per definition, links rewritten, colours put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

import altair as alt
import msgspec
import vl_convert

from citepoll.hashing import bytes_hash, canonical_json, short
from citepoll.report.palette import css_variables
from citepoll.report.printable import printable

DOOR = "https://door.invalid/"
"""vl-convert turns a relative `href` into an address of another host: marks link here, rewritten after rendering."""


def svg(chart: alt.TopLevelMixin, *, label: str, palette: Mapping[str, str] | None = None, doors: bool = True) -> str:
    """The chart as an SVG element for a page.

    `label` is its accessible name. `palette` maps colour placeholders to colours (default: the page's CSS variables).
    Without `doors` no mark is a link (PDF, notebook). Control characters are stripped from every text. Renderings are
    cached by the definition.
    """
    definition = _clean(chart.to_dict(validate=False), doors=doors)  # Altair has checked every part as it was made
    drawn = coloured(_draw(canonical_json(definition)), css_variables() if palette is None else palette)
    name = escape(printable(label), quote=True)
    return drawn.replace("<svg ", f'<svg role="graphics-document document" aria-label="{name}" ', 1)


def coloured(text: str, palette: Mapping[str, str]) -> str:
    """A definition or a drawing with the colours of `palette` in place of its placeholders."""
    for placeholder, colour in palette.items():
        text = text.replace(placeholder, colour)
    return text


@lru_cache(maxsize=256)
def _draw(definition: bytes) -> str:
    drawn = str(vl_convert.vegalite_to_svg(msgspec.json.decode(definition)))
    drawn = re.sub(rf'xlink:href="{re.escape(DOOR)}', 'href="', drawn)
    prefix = "c" + short(bytes_hash(definition))
    return re.sub(r'(id="|url\(#)(clip|gradient)', rf"\g<1>{prefix}\2", drawn)


def _clean(value: Any, *, doors: bool) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        kept = ((key, item) for key, item in value.items() if doors or key != "href")
        return {key: _clean(item, doors=doors) for key, item in kept}
    if isinstance(value, list | tuple):
        return [_clean(item, doors=doors) for item in value]
    return value
