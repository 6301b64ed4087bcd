"""The report as a PDF: the page of the HTML report, its charts and its words, set by typst."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from xml.etree import ElementTree

import altair as alt
import msgspec
import typst

from citepoll.report.data import ReportData
from citepoll.report.evidence import AnswerList, EvidenceView
from citepoll.report.moved import TrendPanel
from citepoll.report.palette import TOKENS, fixed
from citepoll.report.panels import Picture
from citepoll.report.printable import printable
from citepoll.report.render import svg
from citepoll.report.view import page

Paper = Literal["a4", "letter"]
PAPERS: Mapping[str, str] = {"a4": "a4", "letter": "us-letter"}

SANS = ("Liberation Sans", "Arial", "Helvetica", "Noto Sans", "DejaVu Sans")
"""Wanted in this order: charts are laid out with the widths of the first three. typst carries no sans of its own."""
CARRIED = "Libertinus Serif"
"""The font inside typst, for a machine that has none of `SANS`."""

NO_FONT_HAS = "\U0010fffd"
"""The last private character, which stands for all that have no glyph."""
UNBROKEN = 24
"""Characters in a row without a place to break the line; an address longer than this gets some."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A PDF. `missing` holds each character once that no font of this machine has: it is printed as an empty box."""

    pdf: bytes
    missing: str


def render_pdf(data: ReportData, *, paper: Paper = "a4") -> Printed:
    """The report as PDF, tagged, with its bookmarks; the same data and fonts give the same bytes.

    Texts enter as JSON strings, which typst never reads as markup. Fonts are those of this machine; none is fetched.
    Characters without a glyph are named in the report's warnings too. Answers are not printed.
    """
    plain = _plain(page(data))
    missing = without_glyph("".join(sorted(set("".join(_texts(plain))))))
    if missing:
        plain["warnings"].append(missing_sentence(missing))
    made = _set(plain, paper, format="pdf", timestamp=int(data.written_at.timestamp()))
    return Printed(made[0], missing)


def render_pages(data: ReportData, *, paper: Paper = "a4", ppi: float = 100) -> list[bytes]:
    """The same pages as PNG pictures, one each."""
    return _set(_plain(page(data)), paper, format="png", ppi=ppi)


def missing_sentence(missing: str) -> str:
    """`3 characters had no glyph in the PDF: 中文字`; empty where each has one."""
    if not missing:
        return ""
    noun = "character" if len(missing) == 1 else "characters"
    shown = ", ".join(f"U+{ord(c):04X}" for c in missing[:12])
    rest = f" and {len(missing) - 12} more" if len(missing) > 12 else ""
    return f"{len(missing)} {noun} had no glyph in the PDF: {shown}{rest}."


def without_glyph(characters: str) -> str:
    """Those of the `characters` that no font of this machine has, in their order.

    Each is drawn and compared with the box that typst draws for a character that no font has.
    """
    asked = [c for c in characters if c > "~" and (c.isprintable() or unicodedata.category(c) in ("Co", "Cn"))]
    asked = [c for c in asked if not c.isspace()]
    if not asked:
        return ""
    source = (
        "#set page(width: auto, height: auto)\n#set text(font: json(bytes(sys.inputs.fonts)))\n"
        "#for c in json(bytes(sys.inputs.characters)) { block(c) }"
    )
    inputs = {"fonts": _json(_families()), "characters": _json([NO_FONT_HAS, *asked])}
    drawn = typst.compile(source.encode(), format="svg", font_paths=_fonts(), sys_inputs=inputs)
    box, *glyphs = (_glyph(group) for group in ElementTree.fromstring(drawn) if group.tag.endswith("}g"))
    return "".join(c for c, glyph in zip(asked, glyphs, strict=True) if glyph == box)


def _set(plain: Mapping[str, Any], paper: Paper, **output: Any) -> list[bytes]:
    source = (files("citepoll.report") / "templates" / "report.typ").read_bytes()
    inputs = {
        "page": _json(plain),
        "colours": _json({token.name: token.light for token in TOKENS}),
        "fonts": _json(_families()),
        "paper": PAPERS[paper],
    }
    made = typst.compile(source, font_paths=_fonts(), sys_inputs=inputs, **output)
    return list(made) if isinstance(made, list) else [made]


def _plain(value: Any) -> Any:
    """Dataclasses as mappings, pictures drawn, every text printable. The answers stay out."""
    if isinstance(value, Picture):
        return _drawn(value, value.wide)
    if isinstance(value, TrendPanel):
        return {**_members(value), "picture": _drawn(value.picture, value.picture.narrow)}
    if is_dataclass(value):
        return _members(value)
    if isinstance(value, str):
        return _printed(value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value


def _members(value: Any) -> dict[str, Any]:
    kept = ((field.name, getattr(value, field.name)) for field in fields(value))
    return {name: _plain(item) for name, item in kept if not isinstance(item, EvidenceView | AnswerList)}


def _drawn(picture: Picture, chart: alt.LayerChart) -> dict[str, str]:
    """In fixed colours: `var(--name)` is no colour to typst, which then draws no line and says nothing."""
    drawn = svg(chart, label=picture.label, palette=fixed(), doors=False)
    return {"label": printable(picture.label), "svg": drawn.replace("sans-serif", _families()[0])}


def _printed(text: str) -> str:
    """`text` with numbers and intervals that stay on one line, and places where a long address may break."""
    whole = re.sub(r"(?<=\d)–(?=\d)", "–\N{WORD JOINER}", printable(text).replace(" %", "\N{NO-BREAK SPACE}%"))
    if whole.startswith(("http://", "https://")):
        return whole
    return re.sub(rf"\S{{{UNBROKEN},}}", _broken, whole)


def _broken(found: re.Match[str]) -> str:
    pieces = re.findall(rf"[^/?&=._\-]{{1,{UNBROKEN}}}[/?&=._\-]*|[/?&=._\-]+", found[0])
    return "\N{ZERO WIDTH SPACE}".join(pieces)


def _texts(plain: Any) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, Mapping):
        for item in plain.values():
            yield from _texts(item)
    elif isinstance(plain, list):
        for item in plain:
            yield from _texts(item)


def _glyph(group: ElementTree.Element) -> str:
    used = (element for element in group.iter() if element.tag.endswith("}use"))
    return next((str(element.get("{http://www.w3.org/1999/xlink}href")) for element in used), "")


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts()


@cache
def _families() -> tuple[str, ...]:
    here = {name.casefold() for name in _fonts().families()}
    return (*(name for name in SANS if name.casefold() in here), CARRIED)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
