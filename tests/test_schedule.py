from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.schedule import WORDS, Schedule, check_cron, check_over, cron_of, span

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia")
crons = st.one_of(
    st.builds(cron_of, st.sampled_from(sorted(WORDS)), st.sampled_from(["00:00", "02:30", "06:00", "23:59"])),
    st.sampled_from(["30 2 * * *", "0 */6 * * *", "15 1 29 2 *", "0 6 * * mon,thu", "0 2 1-7 * *"]),
)
schedules = st.builds(
    Schedule, crons, st.sampled_from(ZONES).map(ZoneInfo), every=st.sampled_from([None, "fortnightly"])
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(schedules, moments)
def test_a_moment_lies_between_the_time_before_it_and_the_one_after(schedule, at):
    before, after = schedule.before(at), schedule.after(at)
    assert before <= at < after
    assert schedule.before(before) == before
    assert schedule.before(after) == after
    assert schedule.after(before) == after


@given(schedules, moments)
def test_times_rise(schedule, at):
    assert all(earlier < later for earlier, later in pairwise(islice(schedule.times(at), 5)))


def times(schedule, at, number):
    return [f"{time:%Y-%m-%dT%H:%M%z}" for time in islice(schedule.times(at), number)]


def test_a_week_keeps_its_hour_when_the_clocks_change():
    schedule = Schedule(cron_of("weekly", "06:00"), ZoneInfo("Europe/Berlin"), "weekly")
    assert times(schedule, datetime(2026, 10, 20, tzinfo=UTC), 2) == ["2026-10-26T06:00+0100", "2026-11-02T06:00+0100"]
    assert schedule.words == "weekly, Mondays at 06:00 (Europe/Berlin)"


def test_an_hour_left_out_comes_later_and_one_repeated_counts_once():
    schedule = Schedule("30 2 * * *", ZoneInfo("Europe/Berlin"))
    assert times(schedule, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "2026-03-29T03:30+0200",
        "2026-03-30T02:30+0200",
    ]
    assert times(schedule, datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "2026-10-25T02:30+0200",
        "2026-10-26T02:30+0100",
    ]


def test_fortnights_go_on_over_the_turn_of_a_year_with_53_weeks():
    schedule = Schedule(cron_of("fortnightly", "06:00"), UTC, "fortnightly")
    found = list(islice(schedule.times(datetime(2026, 11, 22, tzinfo=UTC)), 6))
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(weeks=2)}


@pytest.mark.parametrize(
    ("cron", "cause"),
    [("* * *", "not a cron"), ("61 * * * *", "not a cron"), ("R 6 * * 1", "not a cron"), ("@weekly", "not a cron"),
     ("0 0 6 * * 1", "not a cron"), ("0 0 31 2 *", "no day"), ("*/10 * * * *", "every 0:10:00")],
)  # fmt: skip
def test_a_cron_expression_that_will_not_do(cron, cause):
    with pytest.raises(InputError, match=cause) as caught:
        check_cron(cron)
    assert caught.value.fix


def test_a_cycle_must_be_done_before_the_next_one():
    check_over(Schedule("0 6 * * 1", UTC, over="1w"))
    with pytest.raises(InputError, match="8d is not done"):
        check_over(Schedule("0 6 * * 1", UTC, over="8d"))
    with pytest.raises(InputError, match="not a span"):
        check_over(Schedule("0 6 * * 1", UTC, over="soon"))


def test_spans():
    assert [span(text) for text in (None, "90m", " 1.5h ", "3d", "1w")] == [None, 5400, 5400, 259200, 604800]
