"""Alerts as a message: plain text and HTML for mail, blocks for Slack and its like, JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from citepoll.hashing import content_hash
from citepoll.report.alerts import RATES, Kind
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line, printable, web_link

MOST: Final = 20
"""Alerts that one message spells out; Slack takes 50 blocks, two or three for each."""
LONGEST: Final = 3000
"""Characters of a text in a block, by Slack's documentation."""


@dataclass(frozen=True, slots=True)
class Item:
    """One alert in a message. `link` leads to the evidence; where there is none, `command` shows it."""

    id: int
    kind: Kind
    cycle: str
    title: str
    sentences: tuple[str, ...]
    command: str
    raised_at: str
    link: str | None = None
    engine: str | None = None
    brand: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message about a project, before it has a form. `test`: it was only asked for to see whether it arrives."""

    project: str
    brand: str
    at: datetime
    items: tuple[Item, ...]
    home: str | None = None
    test: bool = False
    id: str = field(init=False)

    def __post_init__(self) -> None:
        moment = self.at.isoformat() if self.test else ""
        made = content_hash([self.project, moment, *(item.id for item in self.items)])
        object.__setattr__(self, "id", made.removeprefix("sha256:"))

    @property
    def subject(self) -> str:
        """One line, whatever names and questions hold."""
        if self.test:
            return one_line(f"citepoll: a test message for {self.brand}", 150)
        more = f" and {len(self.items) - 1} more" if len(self.items) > 1 else ""
        return one_line(f"citepoll, {one_line(self.brand, 40)}: {one_line(self.items[0].title, 90)}{more}", 170)

    @property
    def head(self) -> str:
        if self.test:
            return f"This is a test message for {one_line(self.brand)}: alerts will arrive here."
        return f"{noun(len(self.items), 'alert')} for {one_line(self.brand)}"

    @property
    def shown(self) -> tuple[Item, ...]:
        return self.items[:MOST]

    @property
    def rates(self) -> tuple[str, ...]:
        """How often alerts of these kinds are false, each kind once."""
        return tuple(dict.fromkeys(RATES[item.kind] for item in self.shown if item.kind in RATES))

    @property
    def rest(self) -> str:
        """What is not spelt out; empty where all is."""
        left = len(self.items) - MOST
        return f"{noun(left, 'alert')} more: `citepoll alerts list` shows all." if left > 0 else ""


def text(letter: Letter) -> str:
    """Plain text, the evidence of each alert below it."""
    return "\n".join(_lines(letter)) + "\n"


def _lines(letter: Letter) -> Iterator[str]:
    yield letter.head
    for item in letter.shown:
        yield ""
        yield one_line(item.title)
        yield from (f"  {one_line(sentence)}" for sentence in item.sentences)
        yield f"  Evidence: {evidence(item)}"
    for note in (*letter.rates, *([letter.rest] if letter.rest else [])):
        yield from ("", note)
    if letter.home:
        yield from ("", f"All alerts: {letter.home}")


def html(letter: Letter) -> str:
    """The same as a page for a mail program: no picture, no script, nothing loaded."""
    return _environment().get_template("alert.html").render(letter=letter)


def slack(letter: Letter) -> bytes:
    """The JSON that an incoming webhook of Slack takes, and those of others that read `text` alone.

    Titles and sentences are plain text, so that nothing in them becomes a link, a mention or markup.
    """
    return msgspec.json.encode({"text": _unmarked(text(letter)), "blocks": list(_blocks(letter))})


def _blocks(letter: Letter) -> Iterator[dict[str, object]]:
    yield {"type": "section", "text": _plain(letter.head)}
    for item in letter.shown:
        yield {"type": "section", "text": _plain("\n".join((one_line(item.title), *map(one_line, item.sentences))))}
        link = web_link(item.link)
        yield {"type": "context", "elements": [_linked(link) if link else _plain(f"Evidence: {item.command}")]}
    if notes := (*letter.rates, *([letter.rest] if letter.rest else [])):
        yield {"type": "section", "text": _plain("\n".join(notes))}


def _plain(words: str) -> dict[str, object]:
    cut = printable(words)
    cut = cut if len(cut) <= LONGEST else f"{cut[: LONGEST - 1]}…"
    return {"type": "plain_text", "text": cut, "emoji": False}


def _linked(link: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": f"<{_unmarked(link).replace('|', '%7C')}|Evidence>"}


def _unmarked(words: str) -> str:
    """As Slack asks: & < > escaped. A joiner behind each @ keeps others (Mattermost's `@all`) from calling people."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u2060")


def data(letter: Letter) -> bytes:
    """JSON for programs: `id` is the same for every try to send the same alerts."""
    return msgspec.json.encode(
        {
            "version": 1,
            "id": letter.id,
            "project": letter.project,
            "brand": letter.brand,
            "test": letter.test,
            "sent_at": letter.at.isoformat(timespec="seconds"),
            "alerts": letter.items,
            "false_alarms": letter.rates,
        }
    )


def evidence(item: Item) -> str:
    """The link, or the command where there is none."""
    return item.link or item.command


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("citepoll.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(one_line=one_line, web_link=web_link)
    return made
