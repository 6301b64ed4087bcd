"""A write under a key is done once within a day."""

from datetime import UTC, datetime, timedelta

import pytest

from citepoll.errors import InputError
from citepoll.service.repeats import ABANDONED, KEPT, Given, InFlight, Write, once
from citepoll.store.accounts import AccountFile

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
WRITE = Write("anna", "POST", "/x", b"{}")


@pytest.fixture
def accounts(tmp_path):
    return AccountFile(tmp_path)


@pytest.fixture
def make():
    def done():
        done.times += 1
        return Given(201, b"%d" % done.times)

    done.times = 0
    return done


def test_the_second_time_is_answered_as_the_first(accounts, make):
    assert once(accounts, "k", WRITE, AT, make) == Given(201, b"1")
    assert once(accounts, "k", WRITE, AT + KEPT, make) == Given(201, b"1", again=True)


def test_a_key_is_forgotten_after_a_day(accounts, make):
    once(accounts, "k", WRITE, AT, make)
    assert once(accounts, "k", WRITE, AT + KEPT + timedelta(seconds=1), make) == Given(201, b"2")


def test_keys_are_each_readers_own(accounts, make):
    once(accounts, "k", WRITE, AT, make)
    assert once(accounts, "k", Write("olga", "POST", "/x", b"{}"), AT, make) == Given(201, b"2")


@pytest.mark.parametrize("other", [("PATCH", "/x", b"{}"), ("POST", "/y", b"{}"), ("POST", "/x", b"[]")])
def test_a_key_is_for_one_write(accounts, make, other):
    once(accounts, "k", WRITE, AT, make)
    with pytest.raises(InputError, match="another request"):
        once(accounts, "k", Write("anna", *other), AT, make)
    assert make.times == 1


def test_a_write_that_fails_gives_its_key_back(accounts, make):
    def fail():
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        once(accounts, "k", WRITE, AT, fail)
    assert once(accounts, "k", WRITE, AT, make) == Given(201, b"1")


def test_one_in_flight_is_not_begun_again_until_it_counts_as_abandoned(accounts, make):
    def meanwhile():
        with pytest.raises(InFlight):
            once(accounts, "k", WRITE, AT + ABANDONED, make)
        return once(accounts, "k", WRITE, AT + ABANDONED + timedelta(seconds=1), make)

    assert once(accounts, "k", WRITE, AT, meanwhile) == Given(201, b"1")


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 201])
def test_a_key_is_visible_ascii(accounts, make, key):
    with pytest.raises(InputError, match="not usable"):
        once(accounts, key, WRITE, AT, make)
