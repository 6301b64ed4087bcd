import json

import pytest
from tests.notify.servers import MailServer

MAIL = """
[alerts]
watch = ["never asked"]
email = ["anna@example.org"]
[alerts.smtp]
host = "127.0.0.1"
port = {port}
from = "citepoll@example.org"
security = "none"
"""


@pytest.fixture
def mails(project):
    server = MailServer()
    path = project.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8") + MAIL.format(port=server.port), "utf-8")
    yield server
    server.close()


@pytest.fixture
def two(citepoll, row, jsonl):
    """Two cycles; Acme loses every citation in the second."""
    for name, url in (("one", "https://acme.com/a"), ("two", "https://other.com/a")):
        rows = [row(query=f"question {n}", run=run, citations=[{"url": url}]) for n in range(10) for run in (1, 2, 3)]
        assert citepoll("import", jsonl(*rows, name=f"{name}.jsonl"), "--cycle", name).code == 0


def test_without_a_channel_alerts_are_kept_and_the_way_to_one_is_named(citepoll, two):
    said = citepoll("alerts", "send")
    assert said.code == 0
    assert "Acme on atlas: down 100 points" in said.err
    assert "No channel is set up." in said.err
    listed = citepoll("alerts", "list")
    assert "down 100 points" in listed.out
    assert "sent to nobody" in listed.err
    assert "no channel yet" in citepoll("alerts", "test").err


def test_send_sends_once_and_list_says_so(citepoll, two, mails):
    first = json.loads(citepoll("alerts", "send", "--json").out)
    assert first["sent"] == [{"channel": "email", "alerts": len(first["new"]), "arrived": True, "problem": None}]
    assert "Nothing to send." in citepoll("alerts", "send").err
    (raw,) = mails.mails
    assert b"citepoll compare one two" in raw
    listed = citepoll("alerts", "list")
    assert "email 2" in listed.out
    assert "watched: never asked (not asked in the newest measured cycle)" in listed.err
    found = json.loads(citepoll("alerts", "list", "--json").out)
    assert found["alerts"][0]["notice"]["kind"] == "change"


def test_a_test_mail_arrives_and_one_that_does_not_ends_with_its_own_status(citepoll, mails):
    assert "email: a test message is sent." in citepoll("alerts", "test", "--channel", "email").err
    assert b"This is a test message for Acme" in mails.mails[0]
    mails.refuse["mail"] = "550 no"
    said = citepoll("alerts", "test")
    assert said.code == 11
    assert "550 no" in said.err
    assert citepoll("alerts", "test", "--channel", "x").code == 4


def test_a_mail_that_is_refused_waits_and_the_status_says_so(citepoll, two, mails):
    mails.refuse["mail"] = "550 no"
    assert citepoll("alerts", "send").code == 11
    assert "could not be sent to email" in citepoll("health").err
    mails.refuse.clear()
    assert citepoll("alerts", "send").code == 0
    assert len(mails.mails) == 1


def test_an_empty_project_has_nothing_to_tell(citepoll):
    assert citepoll("alerts", "send").code == 0
    assert "No alert yet." in citepoll("alerts", "list").err
