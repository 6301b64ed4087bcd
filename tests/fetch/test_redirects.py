import asyncio
import time

import pytest
from tests.fetch.conftest import drip

from citepoll.fetch.redirects import MOST_TROUBLES, PAUSE, Follower


@pytest.fixture
def hide(site):
    """Makes `/hide/NAME` answer with a redirect; returns the whole address."""

    def make(name, location, status=302):
        site.redirect(f"/hide/{name}", location, status)
        return f"{site.url}/hide/{name}"

    return make


@pytest.fixture
def follow(site, guard):
    async def one(raw):
        return await Follower(guard, [f"{site.url}/hide/"], pause=0).follow(raw)

    return lambda raw: asyncio.run(one(raw))


@pytest.fixture
def follow_all(site, guard):
    def call(raws, *, pause=0.0, seconds=20.0, **how):
        async def every():
            found = []
            await Follower(guard, [f"{site.url}/hide/"], pause=pause).follow_all(
                raws, found.append, seconds=seconds, **how
            )
            return found

        return asyncio.run(every())

    return call


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_first_address_outside_is_the_page_and_is_not_asked_for(site, hide, follow, status):
    led = follow(hide("a", "https://acme.com/forks?x=1#top", status))
    assert (led.url, led.reason) == ("https://acme.com/forks?x=1#top", None)
    assert site.seen == [("HEAD", "/hide/a")]


@pytest.mark.parametrize("status", [403, 404 + 1, 501])
def test_get_is_tried_where_head_is_refused_and_no_body_is_read(site, hide, follow, status):
    raw = hide("a", "https://acme.com/")

    def answer(request):
        if request.command == "HEAD":
            return status, {}, b""
        return 302, {"location": "https://acme.com/"}, drip(0.05)

    site.routes["/hide/a"] = answer
    began = time.monotonic()
    assert follow(raw).url == "https://acme.com/"
    assert time.monotonic() - began < 2
    assert [method for method, _ in site.seen] == ["HEAD", "GET"]


def test_five_hops_are_followed_and_six_are_not(site, hide, follow):
    for n in range(5):
        hide(f"{n}", f"/hide/{n + 1}")
    hide("5", "https://acme.com/")
    assert follow(f"{site.url}/hide/1").url == "https://acme.com/"
    led = follow(f"{site.url}/hide/0")
    assert (led.url, led.reason, led.again) == (None, "more than 5 redirects", False)


def test_a_loop_ends(site, hide, follow):
    led = follow(hide("a", "/hide/a"))
    assert led.url is None
    assert len(site.seen) == 5


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest", "https://acme.com:22/", "javascript:alert(1)",
        "https://user:word@acme.com/", "http://", "https://acme.com/" + "a" * 9000,
    ],
)  # fmt: skip
def test_a_page_that_could_not_be_opened_is_none(hide, follow, location):
    led = follow(hide("a", location))
    assert led.url is None
    assert led.reason
    assert not led.again


@pytest.mark.parametrize(("status", "again"), [(404, False), (410, False), (200, False), (429, True), (503, True)])
def test_a_failure_says_whether_it_may_pass(site, follow, status, again):
    site.routes["/hide/a"] = (status, {}, b"")
    led = follow(f"{site.url}/hide/a")
    assert (led.url, led.reason, led.again) == (None, f"HTTP {status} and no redirect", again)


def test_nobody_there_may_pass(follow):
    led = follow("http://127.0.0.1:80/hide/a")
    assert led.url is None


def test_all_are_told_with_a_pause_for_the_host(hide, follow_all):
    raws = [hide(f"{n}", f"https://acme.com/{n}") for n in range(6)]
    began = time.monotonic()
    found = follow_all(raws, pause=PAUSE)
    assert {led.raw: led.url for led in found} == {raw: f"https://acme.com/{n}" for n, raw in enumerate(raws)}
    assert time.monotonic() - began >= 5 * PAUSE


def test_the_time_is_bounded_and_what_was_found_stays(site, hide, follow_all):
    quick = hide("quick", "https://acme.com/")

    def slow(request):
        time.sleep(3)
        return 404, {}, b""

    site.routes["/hide/slow"] = slow
    began = time.monotonic()
    found = follow_all([quick, f"{site.url}/hide/slow"], seconds=0.5)
    assert [led.raw for led in found] == [quick]
    assert time.monotonic() - began < 2.5


def test_troubles_in_a_row_leave_the_others_for_later(site, follow_all):
    site.routes["/hide/a"] = (503, {}, b"")
    found = follow_all([f"{site.url}/hide/a?{n}" for n in range(40)])
    assert MOST_TROUBLES <= len(found) < 20
    assert all(led.again for led in found)


def test_a_stop_is_heeded(site, hide, follow_all):
    assert follow_all([hide("a", "https://acme.com/")], stop=lambda: True) == []
    assert not site.seen
