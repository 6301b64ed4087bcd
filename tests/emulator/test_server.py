"""The server and the program: routing, limits, the end."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from tests.emulator import (
    Emulator,
    reroute,
)
from tests.emulator.client import (
    QUICK,
    ROOT,
    answered,
    asked,
    counted,
    keyed,
    sent,
)

from citepoll.engines.base import HttpRequest


def test_a_request_finds_its_way_by_its_host():
    request = HttpRequest("GET", "https://serpapi.com/search.json?q=a%2Bb")
    moved = reroute(request, "http://127.0.0.1:9")
    assert moved.url == "http://127.0.0.1:9/serpapi.com/search.json?q=a%2Bb"
    assert reroute(moved, "http://127.0.0.1:9") == moved


def test_a_compatible_server_can_be_asked_at_its_own_address(emulator):
    made = asked("openai-compatible", base_url=f"{emulator.url}/v1")
    assert made.url == f"{emulator.url}/v1/chat/completions"
    assert answered(emulator, "openai-compatible", made).status == "answered"


@pytest.mark.parametrize(
    "junk", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01" + b"x" * 99 + b"\r\n\r\n", b"a" * 70_000]
)
def test_what_is_no_http_ends_the_connection(emulator, junk):
    port = urlsplit(emulator.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(junk)
        with contextlib.suppress(ConnectionError):  # junk that was left unread makes the kernel reset
            assert raw.recv(10) == b""


def test_nobody_outside_this_machine_can_reach_it(emulator):
    assert urlsplit(emulator.url).hostname == "127.0.0.1"
    with (
        pytest.raises(OSError, match="refused"),
        socket.create_connection(("127.0.0.2", urlsplit(emulator.url).port), 1),
    ):
        pass


def test_many_calls_at_once_are_counted_as_such():
    with Emulator(replace(QUICK, latency=0.2)) as running:
        made = keyed("perplexity:agent", asked("perplexity:agent"))
        threads = [threading.Thread(target=sent, args=(running, made)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        state = counted(running, "perplexity:agent")
    assert (state["finished"], state["lost"]) == (12, 0)
    assert state["most_at_once"] > 6


def test_it_stops_by_itself():
    with Emulator(replace(QUICK, max_seconds=0.1)) as running:
        running._thread.join(5)
        assert not running._thread.is_alive()


def test_the_program_prints_its_address_and_ends_when_told():
    given = ["--port", "0", "--share", "1", "--faults", "unavailable", "--max-seconds", "30"]
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.emulator", *given], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        url = program.stdout.readline().strip()
        made = keyed("openai:responses", asked("openai:responses"))
        assert sent(type("At", (), {"url": url}), made)[0] == 503
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
    finally:
        program.kill()
        program.communicate()
    wrong = [sys.executable, "-m", "tests.emulator", "--faults", "nope"]
    refused = subprocess.run(wrong, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (refused.returncode, "There is no fault nope" in refused.stderr) == (1, True)


def test_an_engine_can_take_a_few_calls_at_once_and_no_more():
    codes = []
    with Emulator(replace(QUICK, latency=0.3, at_once={"xai:grok": 3})) as running:
        made = keyed("xai:grok", asked("xai:grok"))
        threads = [threading.Thread(target=lambda: codes.append(sent(running, made)[0])) for _ in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        state = counted(running, "xai:grok")
    assert set(codes) == {200, 429}
    assert state["finished"] == codes.count(200)
    assert state["faults"] == {"too_many_at_once": codes.count(429)}
