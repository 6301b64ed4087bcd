"""The table [alerts]: what it says, and what is refused with its line."""

import pytest

from citepoll.channels import Hook, Mail, secrets, shown
from citepoll.errors import ProjectError
from citepoll.project import parse_project, secret_of

WHOLE = """
[brand]
name = "Acme"
owns = ["acme.com"]

[alerts]
watch = ["best  garden fork"]
digest = "weekly"
email = ["anna@example.org"]

[alerts.smtp]
host = "smtp.example.org"
from = "citepoll@example.org"
user = "anna"

[[alerts.webhook]]
name = "team"
form = "slack"
url = "env:CITEPOLL_SLACK_URL"

[[alerts.webhook]]
name = "flow"
url = "https://flow.example.org/hooks/a1b2"
secret = "env:CITEPOLL_HOOK_SECRET"
"""


def test_a_whole_table(tmp_path):
    found = parse_project(WHOLE, tmp_path).alerts
    assert (found.watch, found.digest) == (("best garden fork",), "weekly")
    assert found.mail == Mail(("anna@example.org",), "citepoll@example.org", "smtp.example.org", 587, user="anna")
    assert found.hooks == (
        Hook("team", "slack", variable="CITEPOLL_SLACK_URL"),
        Hook("flow", "json", "https://flow.example.org/hooks/a1b2", secret="CITEPOLL_HOOK_SECRET"),
    )


def test_what_is_shown_of_an_address_is_its_host(tmp_path):
    mail, team, flow = parse_project(WHOLE, tmp_path).alerts.channels
    assert [shown(one) for one in (mail, team, flow)] == [
        "anna@example.org by smtp.example.org", "the address in CITEPOLL_SLACK_URL", "https://flow.example.org/…",
    ]  # fmt: skip
    assert [list(secrets(one)) for one in (mail, team, flow)] == [
        ["CITEPOLL_SMTP_PASSWORD"], ["CITEPOLL_SLACK_URL"], ["CITEPOLL_HOOK_SECRET"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "told", "line"),
    [
        ('"anna@example.org"', '"anna@example.org\\r\\nBcc: eve@example.org"', "is not a mail address", 9),
        ('"anna@example.org"', '"Anna <anna@example.org>"', "is not a mail address", 9),
        ('"anna@example.org"', '"änna@example.org"', "is not a mail address", 9),
        ('email = ["anna@example.org"]', "", "Mail needs both", 6),
        ('host = "smtp.example.org"', 'host = "smtp example"', "is not the name of a mail server", 9),
        ("user =", "usr =", "`usr` is not a setting here", 14),
        ('"env:CITEPOLL_SLACK_URL"', '"https://hooks.slack.com/T0/B0/xyz"', "is a secret", 16),
        ('"env:CITEPOLL_SLACK_URL"', '"env:OPENAI_API_KEY"', "is a secret", 16),
        ('"https://flow', '"http://flow', "not one of https", 21),
        ("https://flow.example", "https://a:b@flow.example", "not one of https", 21),
        ('"env:CITEPOLL_HOOK_SECRET"', '"garden fork"', "stands in the file", 21),
        ('name = "flow"', 'name = "team"', "Two webhooks are called team", 21),
        ('name = "flow"', 'name = "email"', "cannot name a webhook", 21),
        ('name = "flow"', 'name = "Flow!"', "cannot name a webhook", 21),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line_and_without_the_secret(tmp_path, right, wrong, told, line):
    assert right in WHOLE
    with pytest.raises(ProjectError, match=told) as found:
        parse_project(WHOLE.replace(right, wrong, 1), tmp_path)
    at = int(str(found.value).partition("line ")[2].partition(":")[0])
    assert abs(at - line) <= 2
    assert not any(secret in str(found.value) for secret in ("xyz", "garden fork", "a1b2"))


def test_a_password_may_hold_spaces_and_letters(monkeypatch):
    monkeypatch.setenv("CITEPOLL_SMTP_PASSWORD", "abcd efgh ü")
    assert secret_of("CITEPOLL_SMTP_PASSWORD") == "abcd efgh ü"
