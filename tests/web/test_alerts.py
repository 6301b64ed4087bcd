"""The page of alerts, and the links to evidence that messages carry."""

from urllib.parse import parse_qs, urlsplit

import pytest
from tests.notify.servers import Hooks

from citepoll.jobs.rounds import Rounds
from citepoll.report.alerts import Notice
from citepoll.service.alerting import raise_alerts
from citepoll.service.delivering import check_and_send
from citepoll.service.importing import import_file
from citepoll.surfaces.dashboard.doors import alert_link, alert_path

CHANNEL = """
[alerts]
watch = ["what is a <b>hoe</b>"]
[[alerts.webhook]]
name = "team"
form = "slack"
url = "env:CITEPOLL_HOOK_URL"
"""


@pytest.fixture
def hooks(monkeypatch):
    server = Hooks()
    monkeypatch.setenv("CITEPOLL_HOOK_URL", server.url)
    monkeypatch.setenv("CITEPOLL_ALLOW_HOSTS", server.place)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def room(desk):
    return desk.rooms.find("acme")


@pytest.fixture
def told(room):
    """Puts a channel into the project's file."""
    path = room.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8") + CHANNEL, "utf-8")


@pytest.fixture
def raised(room, told, row, jsonl, at):
    """Two cycles between which Acme lost every citation, on an engine with a hostile name."""
    for name, url in (("one", "https://acme.com/a"), ("two", "https://b.example/a")):
        rows = [row(engine="<script>x", query=f"question {n}", run=run, citations=[{"url": url}])
                for n in range(10) for run in (1, 2, 3)]  # fmt: skip
        import_file(room.project, room.ledger, jsonl(*rows, name=f"{name}.jsonl"), name, at=at)
    return raise_alerts(room.project, room.ledger, room.ledger.cycle("two"), at)


def test_an_empty_page_says_what_will_stand_there(people, browser):
    page = browser("viktor").get("/p/acme/alerts").text
    assert "There is no alert yet" in page
    assert "Nobody: alerts are kept on this page" in page
    assert "at most 5 of 100 cycles" in page


def test_an_alert_stands_with_its_verdict_evidence_and_way_escaped(people, browser, raised):
    assert raised
    page = browser("anna").get("/p/acme/alerts").text
    assert "down 100 points" in page
    assert "/p/acme/?cycle=two&amp;compare=one" in page
    assert "waits for team" in page
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    assert "what is a &lt;b&gt;hoe&lt;/b&gt;" in page


def test_a_viewer_sees_neither_where_a_channel_leads_nor_a_button(people, browser, raised):
    page = browser("viktor").get("/p/acme/alerts").text
    assert "CITEPOLL_HOOK_URL" not in page.replace("Not set:</strong> CITEPOLL_HOOK_URL", "")
    assert "Send a test" not in page


def test_a_test_message_is_sent_and_audited(people, browser, desk, told, hooks):
    anna = browser("anna")
    assert "Send a test" in anna.get("/p/acme/alerts").text
    sent = anna.post("/p/acme/alerts/test", {"channel": "team"})
    assert sent.headers["location"] == "/p/acme/alerts"
    assert "A test message is sent to team." in anna.get("/p/acme/alerts").text
    assert len(hooks.seen) == 1
    assert desk.accounts.audit(1)[0].what == "alert tested"


def test_a_test_that_fails_says_why_and_no_secret(people, browser, told, hooks):
    hooks.answers = [403]
    anna = browser("anna")
    anna.get("/p/acme/alerts")
    page = anna.post("/p/acme/alerts/test", {"channel": "team"})
    assert page.status_code == 422
    assert "answered 403" in page.text
    assert "secret-path" not in page.text


@pytest.mark.parametrize(
    ("kind", "path", "asked"),
    [
        ("change", "/p/acme/", {"cycle": ["two"], "compare": ["one"]}),
        ("loss", "/p/acme/queries/cell", {"cycle": ["two"], "engine": ["a b"], "query": ["sha256:1"]}),
        ("engine", "/p/acme/answers", {"cycle": ["two"], "engine": ["a b"], "status": ["failed"]}),
        ("budget", "/p/acme/cycles/two", {}),
        ("late", "/p/acme/cycles/two", {}),
    ],
)
def test_each_kind_leads_to_its_evidence(kind, path, asked, room):
    notice = Notice(kind=kind, key="k", cycle="two", title="t", sentences=(), command="c", earlier="one",
                    engine="a b", brand="Acme", query="sha256:1")  # fmt: skip
    found = urlsplit(alert_path("acme", notice))
    assert (found.path, parse_qs(found.query)) == (path, asked)
    link = alert_link("https://polls.example.org")
    assert link(room.project, notice) == f"https://polls.example.org{alert_path('acme', notice)}"
    assert link(room.project, None) == "https://polls.example.org/p/acme/alerts"
    assert alert_link(None)(room.project, notice) is None


def test_every_page_that_an_alert_leads_to_is_there(people, browser, room, raised):
    notice = Notice(kind="change", key="k", cycle="two", title="t", sentences=(), command="c", earlier="one")
    viktor = browser("viktor")
    assert viktor.get(alert_path("acme", notice)).status_code == 200
    query = room.ledger.query_set(room.ledger.cycle("two")).queries[0].id
    for kind in ("loss", "engine", "late"):
        other = Notice(
            kind=kind, key="k", cycle="two", title="t", sentences=(), command="c", engine="<script>x", query=query
        )
        assert viktor.get(alert_path("acme", other)).status_code == 200, kind
    pooled = Notice(kind="loss", key="k", cycle="two", title="t", sentences=(), command="c", query=query)
    assert viktor.get(alert_path("acme", pooled)).status_code == 200


def test_a_round_sends_what_waits_audits_it_and_survives_what_goes_wrong(desk, room, raised, hooks):
    rounds = Rounds("alerts", check_and_send, desk.rooms, desk.accounts, desk.clock)
    rounds.visit(room)
    assert len(hooks.seen) == 1
    assert "sent to team" in desk.accounts.audit(1)[0].object
    before = len(desk.accounts.audit(100))
    rounds.visit(room)
    (room.root / "citepoll.toml").write_text("[brand", "utf-8")
    rounds.visit(room)
    assert len(desk.accounts.audit(100)) == before
