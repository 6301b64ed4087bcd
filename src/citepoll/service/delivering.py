"""Alerts on their way: one message for all that waits at a channel, tried again later, never twice at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from filelock import FileLock, Timeout

from citepoll.channels import ALLOWED_HOSTS, SMTP_PASSWORD, Hook, Mail
from citepoll.errors import InputError, SendError
from citepoll.fetch.guard import Guard
from citepoll.notify import hooks, mail
from citepoll.notify.tries import WAITS, tried
from citepoll.project import Project, environment, secret_of, zone
from citepoll.report.alerts import Notice
from citepoll.report.letters import Item, Letter
from citepoll.report.numbers import noun
from citepoll.service.alerting import raise_alerts, raise_states
from citepoll.store import alerts as kept
from citepoll.store.ledger import Cycle, Ledger

Link: TypeAlias = Callable[[Project, Notice | None], str | None]
"""Where a desk shows the evidence of a notice, or with None all alerts of the project; None where there is no desk."""

LATER: Final = timedelta(minutes=2)
"""Until the second try; each further one waits four times as long."""


def no_desk(project: Project, notice: Notice | None) -> None:
    """The `Link` of a command: messages then name the command that shows the evidence."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: how many alerts it held, whether the channel took it, and what went wrong."""

    channel: str
    alerts: int
    arrived: bool
    problem: str | None = None


def after_cycle(
    project: Project, ledger: Ledger, cycle: Cycle, at: datetime, *, link: Link = no_desk
) -> tuple[Sent, ...]:
    """What follows a cycle's end: raise its alerts, and send what may go now. The cycle is closed or stopped."""
    raise_alerts(project, ledger, cycle, at)
    return deliver(project, ledger, at, link=link)


def check_and_send(project: Project, ledger: Ledger, at: datetime, *, link: Link = no_desk) -> str:
    """What a server does every few minutes: engines, budget and age of the newest cycle, digests, further tries.

    Returns what was sent in a sentence, empty for nothing.
    """
    raise_states(project, ledger, at)
    return told(deliver(project, ledger, at, link=link))


def told(sent: Iterable[Sent]) -> str:
    """`2 alerts sent to email; team took nothing: …`, empty for nothing."""
    return "; ".join(
        f"{noun(one.alerts, 'alert')} sent to {one.channel}" + (f" ({one.problem})" if one.problem else "")
        if one.arrived
        else f"{one.channel} took nothing: {one.problem}"
        for one in sent
    )


def deliver(
    project: Project, ledger: Ledger, at: datetime, *, link: Link = no_desk, at_once: bool = False,
    waits: Sequence[float] = WAITS,
) -> tuple[Sent, ...]:  # fmt: skip
    """Send what waits and may go now; with `at_once` all of it, digests and what was given up included.

    Where another process is at it, nothing. A message that is lost between sending and noting it is sent again, with the
    same id.
    """
    if not kept.unsent(ledger):
        return ()
    try:
        with FileLock(project.data / "alerts.lock", timeout=0):
            kept.forget(ledger, [channel.name for channel in project.alerts.channels])
            if at_once:
                kept.revive(ledger, at)
            waiting = [d for d in kept.unsent(ledger) if not d.given_up and d.next_at <= at]
            return tuple(
                sent
                for channel in project.alerts.channels
                if (sent := _sent(project, ledger, channel, waiting, at, link, at_once, waits)) is not None
            )
    except Timeout:
        return ()


def _sent(
    project: Project, ledger: Ledger, channel: Mail | Hook, waiting: Sequence[kept.Delivery], at: datetime, link: Link,
    at_once: bool, waits: Sequence[float],
) -> Sent | None:  # fmt: skip
    mine = {delivery.alert: delivery.tries for delivery in waiting if delivery.channel == channel.name}
    found = [one for one in reversed(kept.alerts(ledger, ids=tuple(mine))) if at_once or _may_go(project, one, at)]
    if not found:
        return None
    ids = [one.id for one in found]
    letter = _letter(project, at, [_item(one, link(project, one.notice)) for one in found], link(project, None))
    try:
        problem = tried(lambda: _send(channel, letter), waits)
    except SendError as wrong:
        later = LATER * 4 ** min(mine[id] for id in ids)
        kept.postpone(ledger, channel.name, ids, at + later, wrong.cause)
        return Sent(channel.name, len(ids), False, wrong.cause)
    kept.settle(ledger, channel.name, ids, at, problem)
    return Sent(channel.name, len(ids), True, problem)


def _may_go(project: Project, alert: kept.Alert, at: datetime) -> bool:
    """At once, or with a digest on a later day or in a later week than that on which it was raised."""
    raised, now = (moment.astimezone(zone(project.time_zone)) for moment in (alert.raised_at, at))
    if project.alerts.digest == "weekly":
        return now.isocalendar()[:2] > raised.isocalendar()[:2]
    return project.alerts.digest is None or now.date() > raised.date()


def send_test(project: Project, name: str, at: datetime, *, link: Link = no_desk) -> str | None:
    """Send a test message to one channel, once. Returns what was left undone, as `notify.mail.send` does.

    Raises `InputError` for an unknown channel, `SendError` where it took nothing.
    """
    found = {channel.name: channel for channel in project.alerts.channels}
    if name not in found:
        known = ", ".join(found) or "none yet; docs/alerts.md shows how to set one up"
        raise InputError(f"There is no channel {name[:40]!r}.", f"Channels here: {known}.")
    return _send(found[name], _letter(project, at, [], link(project, None), test=True))


def _letter(project: Project, at: datetime, items: Sequence[Item], home: str | None, *, test: bool = False) -> Letter:
    return Letter(project.root.resolve().name, project.tracked.name, at, tuple(items), home, test)


def _item(alert: kept.Alert, link: str | None) -> Item:
    notice = alert.notice
    return Item(
        alert.id, notice.kind, notice.cycle, notice.title, notice.sentences, notice.command,
        alert.raised_at.isoformat(timespec="seconds"), link, notice.engine, notice.brand, notice.query,
    )  # fmt: skip


def _send(channel: Mail | Hook, letter: Letter) -> str | None:
    if isinstance(channel, Mail):
        password = _secret(SMTP_PASSWORD) if channel.user else None
        server = mail.Server(channel.host, channel.port, channel.security, channel.user, password)
        return mail.send(server, letter, channel.sender, channel.to)
    url = channel.url or _secret(channel.variable or "")
    secret = _secret(channel.secret) if channel.secret else None
    allowed = [host.strip() for host in (environment(ALLOWED_HOSTS) or "").split(",") if host.strip()]
    hooks.send(Guard(allowed), url.strip(), channel.form, letter, secret)
    return None


def _secret(name: str) -> str:
    found = secret_of(name)
    if found is None:
        raise SendError(
            f"{name} is not set.", "Set it in the environment, or in the keyring under the service citepoll."
        )
    return found
