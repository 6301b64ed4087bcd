import hashlib
import hmac
import json

import pytest

from citepoll.errors import SendError
from citepoll.fetch.guard import Guard
from citepoll.notify.hooks import send, signed
from citepoll.notify.tries import tried


@pytest.fixture
def guard(hooks):
    return Guard([hooks.place])


def test_a_program_gets_json_with_a_signature_that_it_can_check(hooks, guard, letter, at):
    send(guard, hooks.url, "json", letter(), "garden fork")
    ((path, headers, body),) = hooks.seen
    assert path == "/secret-path"
    moment = headers["Citepoll-Timestamp"]
    assert int(moment) == at.timestamp()
    expected = hmac.new(b"garden fork", moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["Citepoll-Signature"] == f"sha256={expected}"
    found = json.loads(body)
    assert (found["version"], found["project"], found["test"]) == (1, "acme", False)
    assert found["alerts"][0]["title"] == "Acme on atlas: up 6 points"
    assert "at most 5 of 100 cycles" in found["false_alarms"][0]


def test_without_a_secret_there_is_no_signature(hooks, guard, letter):
    send(guard, hooks.url, "json", letter())
    assert "Citepoll-Signature" not in hooks.seen[0][1]


def test_another_body_or_time_has_another_signature(at):
    assert signed(b"a", "s", at) != signed(b"b", "s", at)


def test_slack_gets_blocks_in_which_nothing_hostile_is_markup(hooks, guard, letter):
    hostile = "<!channel> <https://evil.example|click> @all & co"
    send(guard, hooks.url, "slack", letter(hostile, link="https://desk.example/p/acme/x?a=1&b=<2"))
    found = json.loads(hooks.seen[0][2])
    assert "<" not in found["text"]
    assert "@all" not in found["text"]
    sections = [block["text"]["type"] for block in found["blocks"] if block["type"] == "section"]
    assert set(sections) == {"plain_text"}
    assert not any("<https://desk" in json.dumps(block) for block in found["blocks"])  # the link holds a bracket


def test_slack_gets_the_link_to_the_evidence_and_no_more_than_it_takes(hooks, guard, letter):
    send(guard, hooks.url, "slack", letter("x" * 5000, link="https://desk.example/p/acme/x?a=1&b=2", number=60))
    found = json.loads(hooks.seen[0][2])
    assert len(found["blocks"]) <= 50
    assert found["blocks"][2]["elements"][0]["text"] == "<https://desk.example/p/acme/x?a=1&amp;b=2|Evidence>"
    assert all(len(block["text"]["text"]) <= 3000 for block in found["blocks"] if "text" in block)
    assert "40 alerts more" in found["blocks"][-1]["text"]["text"]


@pytest.mark.parametrize(("status", "again"), [(404, False), (410, False), (429, True), (500, True), (302, False)])
def test_a_status_says_whether_to_try_again_and_the_path_stays_unseen(hooks, guard, letter, status, again):
    hooks.answers = [status]
    with pytest.raises(SendError) as wrong:
        send(guard, hooks.url, "json", letter())
    assert wrong.value.again is again
    assert "secret-path" not in str(wrong.value)
    assert len(hooks.seen) == 1


def test_an_inner_address_is_refused_unless_the_operator_allows_it(hooks, letter):
    with pytest.raises(SendError, match="port") as wrong:
        send(Guard(), hooks.url, "json", letter())
    assert not wrong.value.again
    assert hooks.seen == []


def test_a_secret_that_is_no_address_is_not_shown(letter):
    with pytest.raises(SendError) as wrong:
        send(Guard(), "xoxb-very-secret", "slack", letter())
    assert "very-secret" not in str(wrong.value)


def test_a_server_that_is_busy_for_a_moment_is_asked_again(hooks, guard, letter):
    hooks.answers, slept = [503, 503, 200], []
    tried(lambda: send(guard, hooks.url, "json", letter()), waits=(1, 4), sleep=slept.append)
    assert slept == [1, 4]
    assert len({json.loads(body)["id"] for _, _, body in hooks.seen}) == 1


def test_tries_end_and_what_cannot_pass_is_tried_once(hooks, guard, letter):
    slept = []
    for status, calls in ((503, 3), (404, 1)):
        hooks.seen.clear()
        hooks.answers = [status]
        with pytest.raises(SendError):
            tried(lambda: send(guard, hooks.url, "json", letter()), waits=(1, 4), sleep=slept.append)
        assert len(hooks.seen) == calls
