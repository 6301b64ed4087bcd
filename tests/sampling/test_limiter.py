import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from citepoll.sampling.limiter import Limiter, Limits

BEGIN = datetime(2026, 11, 3, 9, tzinfo=UTC)


@dataclass
class Clock:
    at: datetime = BEGIN

    def now(self):
        return self.at

    async def sleep(self, seconds):
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def never():
    return False


def fly(limiter, ended, calls=1, began=BEGIN):
    async def run():
        for _ in range(calls):
            await limiter.enter(never)
            limiter.leave(ended, began)

    asyncio.run(run())


def test_it_starts_slowly_and_grows_to_its_most():
    limiter = Limiter(Limits(at_once=6, start=1), Clock())
    widths = []
    for _ in range(7):
        widths.append(limiter.window)
        fly(limiter, "fine")
    assert widths == [1, 2, 3, 4, 5, 6, 6]


def test_it_halves_once_for_calls_turned_away_together_then_grows_by_one_a_window():
    clock = Clock()
    limiter = Limiter(Limits(at_once=16, start=8), clock)
    clock.at += timedelta(seconds=1)
    fly(limiter, "busy", 5, began=BEGIN)
    assert limiter.window == 4
    fly(limiter, "busy", 1, began=clock.at)
    assert limiter.window == 2
    fly(limiter, "fine", 2)
    assert limiter.window == 2
    fly(limiter, "fine", 1)
    assert limiter.window == 3


def test_it_never_falls_below_one_and_other_ends_leave_it():
    clock = Clock()
    limiter = Limiter(Limits(at_once=4, start=2), clock)
    for _ in range(9):
        clock.at += timedelta(seconds=1)
        fly(limiter, "busy", began=clock.at)
    assert limiter.window == 1
    fly(limiter, "other", 9)
    assert limiter.window == 1


def test_no_more_are_in_flight_than_the_window_and_each_waits_its_turn():
    most, flying = 0, 0

    async def run():
        nonlocal most, flying
        limiter = Limiter(Limits(at_once=3, start=3), Clock())

        async def call():
            nonlocal most, flying
            assert await limiter.enter(never)
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0)
            flying -= 1
            limiter.leave("fine", BEGIN)

        await asyncio.gather(*(call() for _ in range(50)))

    asyncio.run(run())
    assert (most, flying) == (3, 0)


def test_a_vendor_who_asks_to_wait_is_waited_for():
    clock = Clock()
    limiter = Limiter(Limits(), clock)
    limiter.hold(34.4)
    limiter.hold(2.0)
    fly(limiter, "fine")
    assert clock.at == BEGIN + timedelta(seconds=34.4)


def test_calls_are_spaced_by_their_rate():
    clock = Clock()
    fly(Limiter(Limits(per_minute=30), clock), "fine", 4)
    assert clock.at == BEGIN + timedelta(seconds=6)


def test_all_who_wait_give_up_when_the_poll_halts():
    async def run():
        halted = []
        limiter = Limiter(Limits(at_once=1, start=1), Clock())
        assert await limiter.enter(lambda: bool(halted))
        waiting = [asyncio.create_task(limiter.enter(lambda: bool(halted))) for _ in range(5)]
        await asyncio.sleep(0)
        halted.append(True)
        limiter.leave("other", BEGIN)
        return await asyncio.wait_for(asyncio.gather(*waiting), 5)

    assert asyncio.run(run()) == [False] * 5
