"""Alerts of a project whose cycles are made by hand: ten questions, three or five runs, Acme cited or not."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from filelock import FileLock
from tests.notify.servers import Hooks, MailServer

from citepoll.errors import InputError, SendError
from citepoll.model import Query, QuerySet, RawAnswer
from citepoll.notify.tries import tried
from citepoll.project import parse_project
from citepoll.service import delivering
from citepoll.service.alerting import raise_alerts, raise_states, rules
from citepoll.service.delivering import after_cycle, check_and_send, deliver, send_test
from citepoll.service.health import health
from citepoll.service.importing import import_file
from citepoll.store.alerts import MOST_TRIES, alerts, unsent

TOML = """
[brand]
name = "Acme"
owns = ["acme.com"]
[[competitor]]
name = "Globex"
owns = ["globex.com"]
[budget]
per_cycle_usd = 10.0
per_engine_usd = { "local:bm25" = 5.0 }
[cadence]
every = "weekly"
[[engine]]
id = "local:bm25"
name = "narrow"
[alerts]
watch = ["question 3"]
"""
OURS, THEIRS = "https://acme.com/a", "https://globex.com/a"


@pytest.fixture
def make(tmp_path):
    root = tmp_path / "project"
    root.mkdir()

    def with_channels(more=""):
        (root / "citepoll.toml").write_text(TOML + more, "utf-8")
        return parse_project(TOML + more, root)

    return with_channels


@pytest.fixture
def project(make):
    return make()


@pytest.fixture
def cycle(project, ledger, at, jsonl):
    """Imports a cycle in which Acme is cited on the questions that `cited` names, Globex on the others."""

    def made(name, cited, runs=3, days=0, engines=("atlas",)):
        rows = [
            {"engine": engine, "query": f"question {n}", "run": run, "answer_text": "There.",
             "citations": [{"url": OURS if n in cited else THEIRS}]}
            for engine in engines for n in range(10) for run in range(1, runs + 1)
        ]  # fmt: skip
        import_file(project, ledger, jsonl(*rows, name=f"{name}.jsonl"), name, at=at + timedelta(days=days))
        return ledger.cycle(name)

    return made


def titles(ledger, ids):
    return [alert.notice.title for alert in reversed(alerts(ledger, ids=ids))]


# ---------------------------------------------------------------- what is raised


def test_a_first_cycle_raises_nothing(project, ledger, at, cycle):
    assert raise_alerts(project, ledger, cycle("one", range(10)), at) == ()


def test_a_real_change_is_told_once_with_its_verdict_and_the_rate_of_false_alarms(project, ledger, at, cycle):
    cycle("one", range(10))
    two = cycle("two", (), days=1)
    ids = raise_alerts(project, ledger, two, at)
    told = titles(ledger, ids)
    assert any(t.startswith("Acme on atlas: down 100 points") and "a real change on these queries" in t for t in told)
    assert any(t.startswith("Globex on atlas: up") for t in told)
    (alert,) = [a for a in alerts(ledger) if a.notice.key == "change Acme atlas"]
    said = " ".join(alert.notice.sentences)
    assert "100 %, at least" in said
    assert "It passed among 2 comparisons of engines × brands" in said
    assert alert.notice.command == "citepoll compare one two"
    assert raise_alerts(project, ledger, two, at) == ()


def test_no_change_is_no_alert(project, ledger, at, cycle):
    cycle("one", range(5))
    assert raise_alerts(project, ledger, cycle("two", range(5), days=1), at) == ()


def test_a_citation_lost_on_a_watched_query_says_the_chance_of_it(project, ledger, at, cycle):
    cycle("one", range(10), runs=5)
    two = cycle("two", {0, 1, 2, 4, 5, 6, 7, 8, 9}, runs=5, days=1)
    lost = [a.notice for a in alerts(ledger, ids=raise_alerts(project, ledger, two, at)) if a.notice.kind == "loss"]
    (notice,) = lost
    assert notice.title == "Citation lost: “question 3” on atlas"
    assert notice.sentences[0] == "Acme was cited in 5 of 5 answers in one, and in none of 5 in two."
    assert "had nothing changed: 0.4 %" in notice.sentences[1]


def test_other_queries_may_lose_theirs_in_silence(project, ledger, at, cycle):
    cycle("one", range(10), runs=5)
    two = cycle("two", set(range(10)) - {7}, runs=5, days=1)
    assert not any(t.startswith("Citation lost") for t in titles(ledger, raise_alerts(project, ledger, two, at)))


def test_a_loss_on_all_engines_is_told_once(project, ledger, at, cycle):
    cycle("one", range(10), engines=("atlas", "beta"))
    two = cycle("two", set(range(10)) - {3}, days=1, engines=("atlas", "beta"))
    lost = [t for t in titles(ledger, raise_alerts(project, ledger, two, at)) if t.startswith("Citation lost")]
    assert lost == ["Citation lost: “question 3” on all engines together"]


@pytest.fixture
def polled(project, ledger, at):
    """Plans a cycle of 20 runs and records so many answers and failures, each at a price."""

    def made(name, answered, failed=0, *, cost=0.0, status="closed", days=0):
        queries = QuerySet(tuple(Query(f"question {n}") for n in range(20)))
        version = ledger.lock(queries, "queries.toml", at)
        begun = at + timedelta(days=days)
        cycle = ledger.create(name, "polled", project.engines, "seed", begun, set_hash=version.hash)
        ledger.plan(cycle, [("narrow", query.id, 1) for query in queries.queries])
        for place, claim in enumerate(ledger.claim(cycle, 1, answered + failed, at)):
            state = "answered" if place < answered else "failed"
            message = None if place < answered else "no answer\r\nfrom <b>it</b>"
            ledger.record(claim, RawAnswer(state, b"{}", cost=cost, message=message))
        ledger.set_status(cycle, status, at)
        return ledger.cycle(name)

    return made


def test_an_engine_down_is_told_again_only_after_it_was_well(project, ledger, at, polled):
    def of_engines():
        return titles(ledger, raise_states(project, ledger, at))

    polled("one", 17, 3)
    assert of_engines() == ["Engine down: narrow"]
    (alert,) = alerts(ledger)
    assert alert.notice.sentences == (
        "In one, 3 of 20 runs failed (15 %).",
        "The last failure: no answer from <b>it</b>.",
    )
    assert alert.lasts
    polled("two", 10, 10)
    assert of_engines() == []
    polled("three", 20)
    assert of_engines() == []
    assert not alerts(ledger)[0].lasts
    polled("four", 10, 10)
    assert of_engines() == ["Engine down: narrow"]


def test_two_failures_of_twenty_are_no_alert_and_a_stop_is_one(project, ledger, at, polled):
    polled("one", 18, 2)
    assert raise_states(project, ledger, at) == ()
    polled("two", 5, 1, status="stopped")
    raise_states(project, ledger, at)
    (alert,) = alerts(ledger)
    assert alert.notice.sentences[0] == "In two, 1 of 20 runs failed (5 %) and 14 runs were not asked any more."


def test_a_cycle_that_is_closed_as_it_is_is_no_engine_down(project, ledger, at, polled):
    polled("one", 5)
    assert raise_states(project, ledger, at) == ()


def test_a_budget_near_its_end_is_told_while_the_cycle_is_open(project, ledger, at, polled):
    polled("one", 20, cost=0.2, status="open")
    assert titles(ledger, raise_states(project, ledger, at)) == ["The budget of narrow is near its end: $4.00 of $5.00"]
    polled("two", 20, cost=0.4, status="open")
    assert titles(ledger, raise_states(project, ledger, at)) == [
        "The budget is near its end: $8.00 of $10.00", "The budget of narrow is near its end: $8.00 of $5.00",
    ]  # fmt: skip
    assert raise_states(project, ledger, at) == ()


def test_a_late_cycle_is_told_once(project, ledger, at, polled):
    polled("one", 20)
    later = at + timedelta(days=9)
    assert titles(ledger, raise_states(project, ledger, later)) == ["No new cycle for 9 days"]
    assert raise_states(project, ledger, later + timedelta(days=1)) == ()
    polled("two", 20, days=10)
    raise_states(project, ledger, later + timedelta(days=2))
    assert not alerts(ledger)[0].lasts


def test_alerts_go_with_their_cycle(project, ledger, at, polled):
    made = polled("one", 10, 10)
    raise_states(project, ledger, at)
    ledger.drop(made, at)
    assert alerts(ledger) == ()


# ---------------------------------------------------------------- what is sent


@pytest.fixture
def hooks(monkeypatch):
    server = Hooks()
    monkeypatch.setenv("CITEPOLL_HOOK_URL", server.url)
    monkeypatch.setenv("CITEPOLL_ALLOW_HOSTS", f"elsewhere.example, {server.place}")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def mails():
    server = MailServer()
    yield server
    server.close()


HOOK = """
[[alerts.webhook]]
name = "team"
url = "env:CITEPOLL_HOOK_URL"
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(delivering, "tried", partial(tried, sleep=lambda seconds: None))


def desk(project, notice):
    return f"https://desk.example/p/acme/{notice.kind if notice else 'alerts'}"


def test_what_is_new_is_sent_once_in_one_message(make, ledger, at, cycle, hooks):
    project = make(HOOK)
    cycle("one", range(10))
    two = cycle("two", (), days=1)
    (sent,) = after_cycle(project, ledger, two, at, link=desk)
    assert (sent.channel, sent.arrived) == ("team", True)
    ((_, _, body),) = hooks.seen
    found = json.loads(body)
    assert len(found["alerts"]) == sent.alerts > 1
    assert {"https://desk.example/p/acme/change", "https://desk.example/p/acme/loss"} >= {
        alert["link"] for alert in found["alerts"]
    }
    assert after_cycle(project, ledger, two, at) == ()
    assert check_and_send(project, ledger, at) == ""
    assert len(hooks.seen) == 1


def test_a_mail_names_the_command_where_there_is_no_desk(make, ledger, at, polled, mails):
    project = make(f"""email = ["anna@example.org"]
[alerts.smtp]
host = "127.0.0.1"
port = {mails.port}
from = "citepoll@example.org"
security = "none"
""")
    polled("one", 10, 10)
    assert check_and_send(project, ledger, at) == "1 alert sent to email"
    (raw,) = mails.mails
    assert b"Subject: citepoll, Acme: Engine down: narrow" in raw
    assert b"citepoll answers --cycle one" in raw


def test_a_channel_that_fails_is_tried_later_then_given_up_and_health_says_so(make, ledger, at, polled, hooks):
    project = make(HOOK)
    hooks.answers = [500]
    polled("one", 10, 10)
    (sent,) = after_cycle(project, ledger, ledger.cycle("one"), at)
    assert (sent.arrived, sent.problem) == (False, f"http://{hooks.place} answered 500.")
    assert len(hooks.seen) == 3
    assert deliver(project, ledger, at + timedelta(minutes=1)) == ()
    later = at
    for _ in range(MOST_TRIES + 3):
        later += timedelta(hours=12)
        deliver(project, ledger, later)
    assert len(hooks.seen) == 3 * MOST_TRIES
    (told,) = [text for text in health(project, ledger, at).warnings if "could not be sent" in text]
    assert "1 alert could not be sent to team, and are given up" in told
    assert "secret-path" not in told
    hooks.answers = [200]
    assert [one.arrived for one in deliver(project, ledger, later, at_once=True)] == [True]
    assert unsent(ledger) == ()
    assert not any("could not be sent" in text for text in health(project, ledger, at).warnings)


def test_a_missing_secret_is_named(make, ledger, at, polled, monkeypatch):
    monkeypatch.delenv("CITEPOLL_HOOK_URL", raising=False)
    project = make(HOOK)
    polled("one", 10, 10)
    assert check_and_send(project, ledger, at) == "team took nothing: CITEPOLL_HOOK_URL is not set."
    (state,) = rules(project, ledger).channels
    assert (state.where, state.missing, state.waiting) == (
        "the address in CITEPOLL_HOOK_URL",
        ("CITEPOLL_HOOK_URL",),
        1,
    )


@pytest.mark.parametrize(("digest", "days"), [("daily", 1), ("weekly", 6)])
def test_a_digest_waits_for_the_next_day_or_week(make, ledger, at, polled, hooks, digest, days):
    project = make(f'digest = "{digest}"\n{HOOK}')
    polled("one", 10, 10, cost=0.5)  # a Tuesday
    assert check_and_send(project, ledger, at) == ""
    assert check_and_send(project, ledger, at + timedelta(days=days, hours=-10)) == ""
    assert check_and_send(project, ledger, at + timedelta(days=days)) == "3 alerts sent to team"
    assert len(hooks.seen) == 1


def test_nothing_is_sent_twice_at_once(make, ledger, at, polled, hooks):
    project = make(HOOK)
    polled("one", 10, 10)
    with FileLock(project.data / "alerts.lock"):
        assert check_and_send(project, ledger, at) == ""
    assert hooks.seen == []
    assert check_and_send(project, ledger, at) == "1 alert sent to team"


def test_a_channel_that_is_gone_keeps_nothing_waiting(make, ledger, at, polled, hooks):
    polled("one", 10, 10)
    raise_states(make(HOOK), ledger, at)
    assert len(unsent(ledger)) == 1
    deliver(make(HOOK.replace("team", "others")), ledger, at)
    assert unsent(ledger) == ()


def test_a_test_message_arrives_and_enters_no_history(make, ledger, at, hooks):
    project = make(HOOK + 'secret = "env:CITEPOLL_HOOK_URL"\n')
    send_test(project, "team", at)
    ((_, headers, body),) = hooks.seen
    assert json.loads(body)["test"] is True
    assert "Citepoll-Signature" in headers
    assert alerts(ledger) == ()
    hooks.answers = [404]
    with pytest.raises(SendError):
        send_test(project, "team", at)
    with pytest.raises(InputError, match="no channel 'nobody'"):
        send_test(project, "nobody", at)


def test_rules_say_which_watched_queries_are_asked(project, ledger, at, cycle):
    assert rules(project, ledger).watch == (("question 3", False),)
    cycle("one", ())
    watching = replace(project, alerts=replace(project.alerts, watch=("question 3", "question 99")))
    assert rules(watching, ledger).watch == (("question 3", True), ("question 99", False))


def test_without_a_desk_there_is_no_link(project):
    assert delivering.no_desk(project, None) is None
