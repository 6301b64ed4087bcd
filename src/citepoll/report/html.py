"""The report: one self-contained HTML file, without scripts and without a request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from citepoll.report import numbers
from citepoll.report.data import ReportData
from citepoll.report.palette import style_rules
from citepoll.report.panels import Picture
from citepoll.report.printable import href, one_line, printable
from citepoll.report.render import svg
from citepoll.report.view import page


def render(data: ReportData) -> str:
    """The whole file as text, UTF-8 without lone surrogates.

    Every text of `data` is escaped; a URL becomes a link only if it is http or https. The page's policy forbids
    scripts, styles other than its own, and every load from outside. Works without evidence, sources or comparison:
    a section that has nothing says so in a sentence.
    """
    style = Markup(_style())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment().get_template("report.html")
    return template.render(page=page(data), style=style, style_hash=f"sha256-{digest}")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("citepoll.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) or not isinstance(value, str) else printable(value),
    )
    environment.globals["picture"] = drawn
    environment.filters.update(firm=firm, count=numbers.count, noun=numbers.noun, one_line=one_line, href=href)
    return environment


def firm(sentence: str) -> Markup:
    """A number and its percent sign stay on one line, and so does an interval: `34 % of answers (29–40)`."""
    safe = str(escape(printable(sentence))).replace(" %", "\N{NO-BREAK SPACE}%")
    return Markup(re.sub(r"\([\d.]+–[\d.]+\)[.,:;]?", r'<span class="num">\g<0></span>', safe))


@cache
def _style() -> str:
    sheet = (files("citepoll.report") / "templates" / "report.css").read_text(encoding="utf-8")
    return re.sub(r"\n\s*", "\n", style_rules() + "\n" + sheet)


def drawn(picture: Picture) -> Markup:
    """Both variants of a picture; the style sheet shows the one that fits the window."""
    wide, narrow = (svg(chart, label=picture.label) for chart in (picture.wide, picture.narrow))
    return Markup(f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>')
