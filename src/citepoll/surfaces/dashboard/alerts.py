"""Alerts of a project: those that were raised, with their evidence, what raises them, and whom they are sent to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from citepoll.errors import CitepollError
from citepoll.project import zone
from citepoll.report.alerts import KINDS
from citepoll.report.numbers import noun
from citepoll.report.printable import one_line
from citepoll.service.alerting import rules
from citepoll.service.delivering import send_test
from citepoll.store.alerts import Alert, Delivery, alerts, by_moment
from citepoll.surfaces.dashboard.doors import alert_link, alert_path
from citepoll.surfaces.dashboard.page import Page, PageNow
from citepoll.surfaces.web.asking import DeskNow, RoomNow
from citepoll.surfaces.web.rooms import Room

SHOWN = 50
"""Of the newest alerts; `citepoll alerts list` shows all."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert in the list."""

    title: str
    sentences: tuple[str, ...]
    href: str
    raised: str
    kind: str
    state: str
    sent: str


@dataclass(frozen=True, slots=True)
class Tested:
    """Which channel a test message goes to."""

    channel: str = ""


@get("/p/{project:str}/alerts", needs="read", nav="Alerts", sync_to_thread=True)
def alerts_page(page: PageNow, room: RoomNow) -> Response[str]:
    """The newest alerts, and the rules behind them."""
    return _shown(page, room)


@post("/p/{project:str}/alerts/test", needs="write", sync_to_thread=True)
def test_channel(
    page: PageNow, room: RoomNow, desk: DeskNow,
    data: Annotated[Tested, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[str]:  # fmt: skip
    """Send a test message to one channel; the page again, with the reason, where it took none."""
    desk.note(page.reader, "alert tested", f"{room.id}: {one_line(data.channel, 60)}", page.address)
    try:
        left = send_test(room.project, data.channel, desk.clock(), link=alert_link(desk.settings.public_url))
    except CitepollError as wrong:
        return _shown(page, room, wrong)
    but = f" But {left}." if left else ""
    return page.go(f"/p/{room.id}/alerts", f"A test message is sent to {data.channel}.{but}")


def _shown(page: Page, room: Room, error: CitepollError | None = None) -> Response[str]:
    here = zone(room.project.time_zone)
    return page.show(
        "alerts.html", "Alerts", status=422 if error else 200, error=error, room=room.id, kinds=KINDS.values(),
        rules=rules(room.project, room.ledger), told=[_told(one, room, here) for one in by_moment(alerts(room.ledger, SHOWN))],
    )  # fmt: skip


def _told(alert: Alert, room: Room, here: tzinfo) -> Told:
    notice = alert.notice
    return Told(
        title=notice.title,
        sentences=notice.sentences,
        href=alert_path(room.id, notice),
        raised=_day(alert.raised_at, here),
        kind=KINDS[notice.kind][0],
        state="goes on" if alert.lasts else f"over since {_day(alert.ended_at, here)}" if alert.ended_at else "",
        sent=", ".join(_way(one, here) for one in alert.deliveries) or "sent to nobody",
    )


def _way(one: Delivery, here: tzinfo) -> str:
    if one.sent_at is not None:
        return f"sent to {one.channel} {_day(one.sent_at, here)}"
    if one.given_up:
        return f"not taken by {one.channel} in {noun(one.tries, 'try', 'tries')}"
    return f"waits for {one.channel}"


def _day(moment: datetime, here: tzinfo) -> str:
    return f"{moment.astimezone(here):%Y-%m-%d %H:%M}"


ROUTES = [alerts_page, test_channel]
