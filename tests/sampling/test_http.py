import asyncio
import gzip
import logging
import time
import traceback

import pytest

from citepoll.engines.base import Auth, HttpRequest
from citepoll.sampling import http
from citepoll.sampling.http import HttpTransport, Timeouts
from citepoll.sampling.transport import Unanswered

KEY = "canary-9f8e7d6c5b4a"
HEADER, QUERY = Auth("header", "Authorization", "Bearer {key}"), Auth("query", "api_key")


def send(server, *, auth=None, key=None, path="/x", json=None, times=1, **timeouts):
    async def run():
        async with HttpTransport(auth, key, timeouts=Timeouts(**timeouts)) as transport:
            request = HttpRequest("POST" if json else "GET", server.url + path, {"accept": "application/json"}, json)
            return [await transport.send(request) for _ in range(times)][-1]

    return asyncio.run(run())


def test_a_response_comes_back_byte_for_byte(server, reply):
    server.answer = lambda request: reply(b'{ "a":1 }\n', 429, {"retry-after": "7"})
    found = send(server, json={"q": "é"})
    assert (found.status_code, found.body, found.headers["retry-after"]) == (429, b'{ "a":1 }\n', "7")
    assert found.latency > 0
    assert not found.redacted
    assert server.seen[0].json == {"q": "é"}
    assert server.seen[0].headers["accept"] == "application/json"
    assert server.seen[0].headers["user-agent"].startswith("citepoll/")


def test_the_key_goes_into_the_header_or_the_query_string(server):
    send(server, auth=HEADER, key=KEY)
    send(server, auth=QUERY, key=KEY, path="/x?q=1")
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.seen[1].target == f"/x?q=1&api_key={KEY}"
    assert KEY not in str(server.seen[1].headers)


def test_gzip_is_opened(server, reply):
    server.answer = lambda request: reply(gzip.compress(b'{"a": 1}'), headers={"content-encoding": "gzip"})
    assert send(server).body == b'{"a": 1}'


def test_a_body_is_bounded_after_it_is_opened(server, reply, monkeypatch):
    monkeypatch.setattr(http, "LARGEST_BODY", 2**20)
    packed = gzip.compress(bytes(4 * 2**20))
    assert len(packed) < 2**14
    server.answer = lambda request: reply(packed, headers={"content-encoding": "gzip"})
    with pytest.raises(Unanswered, match="larger than 1 MiB") as caught:
        send(server)
    assert not caught.value.again


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"first": 3.0}, "nothing came for 0.3 s"),
        ({"body": b"x" * 9, "then": 3.0}, "nothing came|no whole answer within 0.8 s"),
        ({"body": b"x" * 9, "cut": True}, "Protocol"),
        ({"reset": True}, "ReadError|Protocol"),
        ({"body": b"no gzip", "headers": {"content-encoding": "gzip"}}, "DecodingError"),
    ],
)
def test_no_whole_response_is_worth_another_attempt_and_may_have_been_paid(server, reply, how, reason):
    server.answer = lambda request: reply(**how)
    began = time.monotonic()
    with pytest.raises(Unanswered, match=reason) as caught:
        send(server, connect=0.2, first_byte=0.3, total=0.8)
    assert time.monotonic() - began < 2
    assert (caught.value.again, caught.value.sent) == (True, True)


def test_a_server_that_is_not_there_was_never_paid(server):
    server.close()
    with pytest.raises(Unanswered, match="Connect") as caught:
        send(server)
    assert (caught.value.again, caught.value.sent) == (True, False)


def test_a_connection_that_is_reset_after_the_whole_body_loses_nothing(server, reply):
    server.answer = lambda request: reply(b"x" * 20_000, broken=True)
    assert send(server, times=20).body == b"x" * 20_000


def test_no_redirect_is_followed_and_no_cookie_kept(server, reply):
    server.answer = lambda request: reply(status=302, headers={"location": "/other", "set-cookie": "a=b"})
    assert send(server, times=2).status_code == 302
    assert [seen.target for seen in server.seen] == ["/x", "/x"]
    assert "cookie" not in server.seen[1].headers


def test_many_calls_share_the_connections_of_several_pools(server, reply):
    async def run():
        async with HttpTransport(None, None, at_once=40) as transport:
            request = HttpRequest("GET", server.url)
            return await asyncio.gather(*(transport.send(request) for _ in range(100)))

    assert len(asyncio.run(run())) == 100


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize("auth", [HEADER, QUERY])
def test_a_key_that_is_echoed_is_taken_out_and_said_to_be(server, reply, auth):
    server.answer = lambda request: reply(
        f'{{"url": "https://a.example{request.target}", "sent": "{request.headers.get("authorization")}"}}'.encode(),
        401,
        {"x-echo": f"{request.target} {request.headers.get('authorization')}"},
    )
    found = send(server, auth=auth, key=KEY)
    assert found.redacted
    assert b"[redacted]" in found.body
    assert KEY not in repr(found)


@pytest.mark.parametrize("auth", [HEADER, QUERY])
def test_no_log_and_no_traceback_holds_the_key(server, reply, auth, caplog):
    for name in ("httpx2", "httpcore2", "httpcore2.http11", "httpcore2.connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(1)
    send(server, auth=auth, key=KEY)
    for how in ({"reset": True}, {"first": 3.0}):
        server.answer = lambda request, how=how: reply(**how)
        with pytest.raises(Unanswered) as caught:
            send(server, auth=auth, key=KEY, first_byte=0.2, connect=0.1)
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        frames = [frame for frame in shown.stack if frame.filename == http.__file__]
        assert frames
        assert KEY not in "".join(repr(frame.locals) for frame in frames) + str(caught.value)
        assert caught.value.__context__ is None
    assert KEY not in caplog.text


def test_a_key_that_no_header_can_hold_is_not_shown(server):
    with pytest.raises(Unanswered) as caught:
        send(server, auth=HEADER, key=KEY + "\nmore")
    assert KEY not in str(caught.value)
    assert not caught.value.again
    assert server.seen == []
