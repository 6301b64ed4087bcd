"""How a reply arrives: in other forms, late, in part, twice, not at all."""

import gzip
import http.client
import json
import socket
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from tests.emulator import (
    HARMLESS,
    Emulator,
)
from tests.emulator.client import IDS, QUICK, answered, asked, cases, counted, keyed, sent

from citepoll import engines


@pytest.mark.parametrize("engine_id", IDS)
def test_whatever_form_a_body_has_it_is_the_same_answer(engine_id):
    with Emulator(QUICK) as running:
        for fault in HARMLESS:
            running.desk.script(engine_id, fault)
            status, headers, body = sent(
                running, keyed(engine_id, asked(engine_id)), headers={"Accept-Encoding": "gzip"}
            )
            if fault == "gzip":
                assert headers["content-encoding"] == "gzip"
                body = gzip.decompress(body)
            assert (fault == "chunked") == ("transfer-encoding" in headers)
            assert (fault == "huge") == (len(body) > QUICK.huge)
            assert (fault == "echoed_key") == (b"canary-4f1b" in body or b"bG9naW46Y2FuYXJ5LTRmMWI=" in body)
            assert engines.load(engine_id).parse(status, headers, body).status == "answered"
        assert counted(running, engine_id)["lost"] == 0


def test_a_reply_can_come_twice(emulator):
    """What is left on the connection would be read as the answer to the next question."""
    emulator.desk.script("openai:responses", "duplicate")
    made = keyed("openai:responses", asked("openai:responses"))
    body = json.dumps(made.json).encode()
    lines = [f"{name}: {value}" for name, value in {**made.headers, "Content-Length": len(body)}.items()]
    head = "\r\n".join(["POST /api.openai.com/v1/responses HTTP/1.1", "Connection: close", *lines, "", ""])
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port), timeout=5) as raw:
        raw.sendall(head.encode() + body)
        received = b"".join(iter(lambda: raw.recv(65_536), b""))
    one, other = received[: len(received) // 2], received[len(received) // 2 :]
    assert one == other
    assert one.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", ConnectionError),
        ("cut_off", http.client.IncompleteRead),
        ("stalled", TimeoutError),
        ("endless", http.client.IncompleteRead),
    ],
)
def test_a_connection_that_breaks_loses_an_answer_that_is_charged(fault, error):
    with Emulator(QUICK) as running:
        running.desk.script("openai:responses", fault)
        with pytest.raises(error):
            sent(
                running, keyed("openai:responses", asked("openai:responses")), timeout=0.15 if fault == "stalled" else 5
            )
        state = counted(running, "openai:responses")
        assert (state["finished"], state["lost"]) == (1, 1)
        assert 0 < state["lost_usd"] == state["charged_usd"]


@pytest.mark.parametrize("engine_id", IDS)
def test_json_that_ends_early_is_asked_again(emulator, engine_id):
    emulator.desk.script(engine_id, "truncated")
    answer = answered(emulator, engine_id, asked(engine_id))
    assert (answer.status, answer.retry) == ("failed", "later")


def test_a_client_that_does_not_wait_for_a_slow_reply_has_lost_it():
    with Emulator(replace(QUICK, slow=0.4)) as running:
        running.desk.script("xai:grok", "slow")
        with pytest.raises(TimeoutError):
            sent(running, keyed("xai:grok", asked("xai:grok")), timeout=0.1)
        threading.Event().wait(0.6)
        assert counted(running, "xai:grok")["lost"] == 1


@pytest.mark.parametrize(("engine_id", "fault"), cases(["proxy_page", "echoed_error"]))
def test_error_pages_can_echo_a_key(emulator, engine_id, fault):
    emulator.desk.script(engine_id, fault)
    _, headers, body = sent(emulator, keyed(engine_id, asked(engine_id)))
    assert any(form in body for form in (b"canary-4f1b", b"bG9naW46Y2FuYXJ5LTRmMWI="))
    assert ("text/html" in headers["content-type"]) == (fault == "proxy_page")
