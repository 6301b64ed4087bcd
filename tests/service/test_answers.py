import pytest

from citepoll.errors import SliceError
from citepoll.service import answers
from citepoll.service.answers import Wanted, browse, find, show
from citepoll.service.importing import import_file


@pytest.fixture
def imported(project, ledger, at, row, jsonl):
    rows = (
        row(
            answer_text="Acme and Foxglove.",
            citations=["https://www.acme.com/forks?utm_source=x", "https://other.com/"],
        ),
        row(run=2, engine="beacon", answer_text="Nothing.", citations=["https://third.com/", "javascript:alert(1)"]),
        row(run=3, query="what is a Spade", status="error", answer_text=""),
        row(run=4, answer_text="Foxglove.", citations=[], additional_sources=["https://acme.com/only-retrieved"]),
    )
    import_file(project, ledger, jsonl(*rows), "c", at=at)
    import_file(project, ledger, jsonl(rows[0]), "later", at=at)
    return ledger.cycle("c")


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [
        (Wanted("c"), [1, 2, 3, 4]),
        (Wanted(), [1]),
        (Wanted("c", engine="beacon"), [2]),
        (Wanted("c", query="SPADE"), [3]),
        (Wanted("c", query="a.c"), []),
        (Wanted("c", cites="Acme"), [1]),
        (Wanted("c", names="Foxglove"), [1, 4]),
        (Wanted("c", domain="third.com"), [2]),
        (Wanted("c", domain="acme.com"), [1]),
        (Wanted("c", url="https://www.acme.com/forks"), [1]),
        (Wanted("c", status="failed"), [3]),
        (Wanted("c", engine="atlas", status="answered", names="Acme"), [1]),
        (Wanted("c", engine="nowhere"), []),
    ],
)
def test_answers_are_found_by_what_they_hold(project, ledger, imported, at, wanted, runs):
    assert [a.run for a in find(project, ledger, wanted, at)] == runs


def test_a_list_says_who_is_cited_and_named(project, ledger, imported, at):
    first, second, third, fourth = find(project, ledger, Wanted("c"), at)
    assert (first.citations, set(first.brands), set(first.named)) == (2, {"Acme", "Foxglove"}, {"Acme", "Foxglove"})
    assert (second.citations, second.brands, third.status) == (1, (), "failed")
    assert (fourth.citations, fourth.brands, fourth.named) == (0, (), ("Foxglove",))


def test_an_answer_opens_with_its_reasons(project, ledger, imported, at):
    first, second, _, fourth = (show(project, ledger, a.id) for a in find(project, ledger, Wanted("c"), at))
    ours = first.citations[0]
    assert ours.raw == "https://www.acme.com/forks?utm_source=x"
    assert (ours.url, ours.brand, ours.rule) == ("https://www.acme.com/forks", "Acme", "acme.com")
    assert [m.brand for m in first.mentions] == ["Acme", "Foxglove"]
    assert (second.citations[1].url, bool(second.citations[1].problem)) == (None, True)
    assert [(c.level, c.brand) for c in fourth.citations] == [("retrieved", "Acme")]
    assert first.kept.body.startswith(b'{"engine": "atlas"')


def test_what_is_not_there_is_said(project, ledger, imported, at):
    with pytest.raises(SliceError, match="no recorded answer 99"):
        show(project, ledger, 99)
    with pytest.raises(SliceError, match="no cycle 'x'"):
        find(project, ledger, Wanted("x"), at)


def test_no_cycle_yet(project, ledger, at):
    with pytest.raises(SliceError, match="no measured cycle"):
        find(project, ledger, Wanted(), at)


def test_an_unknown_brand_is_told(project, ledger, imported, at):
    with pytest.raises(SliceError, match="no brand 'Nobody'"):
        find(project, ledger, Wanted("c", cites="Nobody"), at)


def test_a_list_is_browsed_in_pages_that_hold_each_answer_once(project, ledger, imported, at):
    every = [answer.id for answer in find(project, ledger, Wanted("c"), at)]
    seen, after = [], 0
    while after is not None:
        batch = browse(project, ledger, Wanted("c"), at, after=after, limit=3)
        assert (batch.cycle, batch.total, batch.looked) == ("c", 4, 0)
        seen += [answer.id for answer in batch.answers]
        after = batch.next
    assert seen == every


@pytest.mark.parametrize(("text", "runs"), [("FOXGLOVE", [1, 4]), ("acme  and", [1]), ("nowhere", []), ("atlas", [])])
def test_a_text_is_looked_for_in_the_answer_itself(project, ledger, imported, at, monkeypatch, text, runs):
    wanted = Wanted("c", text=text)
    assert [answer.run for answer in find(project, ledger, wanted, at)] == runs
    monkeypatch.setattr(answers, "LOOKED", 3)
    seen, after, looked = [], 0, 0
    while after is not None:
        batch = browse(project, ledger, wanted, at, after=after, limit=1)
        seen += [answer.run for answer in batch.answers]
        looked, after = looked + batch.looked, batch.next
    assert (seen, looked) == (runs, 4)


def test_a_question_is_found_by_its_id_and_answers_by_whether_it_names_a_brand(project, ledger, imported, at):
    spade = next(q for q in ledger.query_set(ledger.cycle("c")).queries if "Spade" in q.text)
    assert [a.run for a in find(project, ledger, Wanted("c", query=spade.id), at)] == [3]
    assert find(project, ledger, Wanted("c", branded=True), at) == ()
    assert [a.run for a in find(project, ledger, Wanted("c", status="valid", run=4), at)] == [4]


def test_the_calls_of_an_answer_are_told(project, ledger, imported, at):
    first = find(project, ledger, Wanted("c"), at)[0]
    assert [(one.number, one.status) for one in answers.attempts(ledger, first.id)] == [(1, "answered")]
