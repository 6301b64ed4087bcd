import re

import pytest
from tests.dashboard.conftest import AT, INLINE

from citepoll.service.experiments import halves, list_experiments, offered
from citepoll.service.importing import import_file

PATH = "/p/project/experiments"
QUERIES = ["how to mend a fork", "how to clean a fork", *(f"best fork for soil {n}" for n in range(6))]


@pytest.fixture
def asked(project, room, row, jsonl):
    """A cycle of eight queries, two of them how-to; in each second one Acme is cited."""

    def poll(cycle, cited=2):
        rows = [
            row(query=query, run=run, citations=[{"url": f"https://{'acme' if n % cited == 0 else 'blog'}.com/{n}"}],)
            for n, query in enumerate(QUERIES) for run in (1, 2, 3)
        ]  # fmt: skip
        import_file(room.project, room.ledger, jsonl(*rows, name=f"{cycle}.jsonl"), cycle, at=AT)

    poll("one")
    return poll


def ticks(text):
    """What the radio buttons of a page send."""
    found = {}
    for tag in re.findall(r'<input type="radio"[^>]*checked', text):
        found[re.search(r'name="([^"]+)"', tag)[1]] = re.search(r'value="([^"]*)"', tag)[1]
    return found


def test_half_of_a_group_is_treated_by_chance(asked, room):
    queries = offered(room.project, room.ledger)
    treat, control = halves(queries, "seed")
    assert {len(treat), len(control)} == {4}
    assert not set(treat) & set(control)
    assert halves(queries, "seed") == (treat, control)
    assert halves(queries[:7], "seed")[0] != halves(queries[:7], "other")[0]


def test_an_experiment_is_designed_stated_started_judged_and_ended(asked, browser, room, desk):
    page = browser.get(f"{PATH}/new?treat=all:&control=half").text
    chosen = ticks(page)
    assert sorted(chosen.values()) == ["control"] * 4 + ["treat"] * 4
    form = {"change": "Rewrote <i>them</i>", **chosen}
    stated = browser.post(f"{PATH}/design", form)
    assert stated.status_code == 200
    assert "What this design can see" in stated.text
    assert list_experiments(room.ledger) == ()
    seen = re.search(r'name="stated" value="(\w+)"', stated.text)[1]
    begun = browser.post(PATH, {**form, "stated": seen})
    assert begun.headers["location"] == f"{PATH}/1"
    assert desk.accounts.audit(1)[0].what == "experiment started"
    first = browser.get(f"{PATH}/1").text
    assert "Rewrote &lt;i&gt;them" in first
    assert "No cycle was measured since the start" in first
    asked("two", cited=1)
    judged = browser.get(f"{PATH}/1").text
    assert "treated against control" in judged
    assert not INLINE.search(judged)
    assert browser.post(f"{PATH}/1/end").status_code == 303
    assert "cycles after two do not count" in browser.get(f"{PATH}/1").text
    assert "goes on" not in browser.get(PATH).text
    assert browser.post(f"{PATH}/1/end").status_code == 422


def test_no_experiment_starts_before_its_power_was_stated(asked, browser, room):
    chosen = ticks(browser.get(f"{PATH}/new?treat=intent:how-to&control=rest").text)
    assert sorted(chosen.values()).count("treat") == 2
    sent = browser.post(PATH, {"change": "x", "stated": "somethingelse", **chosen})
    assert sent.status_code == 200
    assert "What this design can see" in sent.text
    assert list_experiments(room.ledger) == ()


@pytest.mark.parametrize(
    ("change", "arms", "told"),
    [
        ("x", {}, "The treated arm fits no query"),
        ("", {"treat": 2, "control": 2}, "needs a change"),
        ("y" * 2001, {"treat": 2, "control": 2}, "more than 2000"),
        ("x", {"treat": 2}, "The control arm fits no query"),
    ],
)
def test_a_form_that_will_not_do_comes_back_with_the_reason_and_its_ticks(asked, browser, change, arms, told):
    fields = sorted(set(re.findall(r'name="(arm-\w+)"', browser.get(f"{PATH}/new").text)))
    each = [arm for arm, number in arms.items() for _ in range(number)]
    form = {"change": change, **dict(zip(fields, each, strict=False)), "arm-unknown": "treat"}
    sent = browser.post(f"{PATH}/design", form)
    assert sent.status_code == 422
    assert told in sent.text
    assert sorted(arm for arm in ticks(sent.text).values() if arm) == sorted(each)


def test_queries_that_name_a_brand_are_not_offered(asked, browser, room, row, jsonl):
    rows = [row(query=query, run=1) for query in ("is Acme any good", *QUERIES)]
    import_file(room.project, room.ledger, jsonl(*rows), "two", at=AT)
    assert "is Acme any good" not in browser.get(f"{PATH}/new").text


def test_unknown_numbers_and_groups_are_refused(asked, browser):
    assert browser.get(f"{PATH}/7").status_code == 404
    assert browser.post(f"{PATH}/7/end").status_code in (403, 404)
    assert browser.get(f"{PATH}/new?treat=/etc/passwd").status_code == 422
    assert browser.get(f"{PATH}/new?treat=all:&control=x").status_code == 422
