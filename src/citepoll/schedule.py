"""When cycles begin: a cadence in words or as a cron expression, in a time zone. Pure: the moment is an argument."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from croniter import croniter  # type: ignore[import-untyped]

from citepoll.errors import InputError

WORDS: Final = {
    "weekly": "{minute} {hour} * * 1",
    "fortnightly": "{minute} {hour} * * 1",
    "monthly": "{minute} {hour} 1 * *",
    "quarterly": "{minute} {hour} 1 1,4,7,10 *",
}
"""Mondays, every other Monday, the first of a month, the first of January, April, July and October."""

LEAST: Final = timedelta(hours=1)
"""Between two cycles of a schedule: a slip in a cron expression must not cost a cycle a minute."""

_A_MONDAY: Final = date(2024, 1, 1)
"""Fortnights count from here, so that they do not begin anew with a year."""
_LOOKED_AT: Final = 60
"""Times of a cron expression whose distance is checked."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When cycles begin. `cron` has five fields and is read in `zone`; `every` is the word it came from, if one did.

    `over` is the span over which a cycle spreads its rounds, as in `36h`. With `catch_up`, a cycle whose time passed
    while it could not begin begins late, once, until the next one is due. Not `enabled`: nothing begins by itself.
    """

    cron: str
    zone: tzinfo
    every: str | None = None
    over: str | None = None
    catch_up: bool = True
    enabled: bool = True

    @property
    def words(self) -> str:
        """`weekly, Mondays at 06:00 (Europe/Paris)`; for a cron expression, the expression."""
        if self.every is None:
            return f"cron {self.cron} ({self.zone})"
        minute, hour, *_ = self.cron.split()
        days = {"weekly": "Mondays", "fortnightly": "every other Monday", "monthly": "the first of the month"}
        day = days.get(self.every, "the first of January, April, July and October")
        return f"{self.every}, {day} at {int(hour):02}:{int(minute):02} ({self.zone})"

    def after(self, at: datetime) -> datetime:
        """The first time later than `at`, in the schedule's zone.

        A time that a change of clocks leaves out comes as much later as the clocks move; one that it repeats counts once.
        """
        return next(self.times(at))

    def times(self, at: datetime) -> Iterator[datetime]:
        """Every time later than `at`, one after the other."""
        found = croniter(self.cron, at.astimezone(self.zone).replace(tzinfo=None))
        while True:
            time = self._placed(found.get_next(datetime))
            if time > at and self._fits(time):
                yield time

    def before(self, at: datetime) -> datetime:
        """The last time that is not later than `at`, in the schedule's zone."""
        ahead = at.astimezone(self.zone).replace(tzinfo=None) + timedelta(hours=3)  # past any change of clocks
        found = croniter(self.cron, ahead)
        while True:
            time = self._placed(found.get_prev(datetime))
            if time <= at and self._fits(time):
                return time

    def _placed(self, local: datetime) -> datetime:
        """A time on the wall as a moment; there and back again, since in the hour that is left out it does not exist."""
        return local.replace(tzinfo=self.zone).astimezone(UTC).astimezone(self.zone)

    def _fits(self, time: datetime) -> bool:
        return self.every != "fortnightly" or (time.date() - _A_MONDAY).days // 7 % 2 == 0


LONGEST_SPAN: Final = 366 * 86400
"""Seconds."""


def span(text: str | None) -> float | None:
    """Seconds of a span such as `90m`, `36h`, `3d`, `1w`; None for None.

    Raises `InputError` for other text, and for more than a year.
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text)
    if not found:
        raise InputError(f"{text[:40]!r} is not a span of time.", "Write it like 90m, 36h, 3d or 1w.")
    seconds = float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[found[2]]
    if seconds > LONGEST_SPAN:
        raise InputError(f"{text[:40]!r} is more than a year.", "Take a shorter span.")
    return seconds


def cron_of(every: str, at: str) -> str:
    """The cron expression of a word at a time of day, as `weekly` at `06:00`."""
    hour, minute = at.split(":")
    return WORDS[every].format(minute=int(minute), hour=int(hour))


def check_cron(cron: str) -> None:
    """Raises `InputError` for what is no cron expression of five fields, names no day that comes, or comes too often."""
    fields = cron.split()
    if len(fields) != 5 or re.search(r"\b[rh]\b", cron.lower()) or not croniter.is_valid(cron):
        raise InputError(
            f"{cron!r} is not a cron expression.",
            "Write minute, hour, day of the month, month, day of the week, as in 0 6 * * mon.",
        )
    try:
        least = _least(cron)
    except ValueError:  # croniter's own for an expression without a day, as the 31st of February
        raise InputError(f"{cron!r} names no day that ever comes.", "Mend the day or the month.") from None
    if least < LEAST:
        raise InputError(f"{cron!r} begins a cycle every {least}.", "Leave an hour or more between two cycles.")


def check_over(schedule: Schedule) -> None:
    """Raises `InputError` for a span that is none, or that is longer than the time between two cycles."""
    seconds = span(schedule.over)
    least = _least(schedule.cron)
    if seconds is not None and seconds > least.total_seconds():
        raise InputError(
            f"A cycle over {schedule.over} is not done when the next one begins.",
            "Give a shorter span, or poll less often.",
        )


def _least(cron: str) -> timedelta:
    """The least time between two of the times to come, not counting changes of clocks."""
    found = croniter(cron, datetime(2026, 1, 1))
    times: list[datetime] = [found.get_next(datetime) for _ in range(_LOOKED_AT)]
    return min(later - earlier for earlier, later in pairwise(times))
