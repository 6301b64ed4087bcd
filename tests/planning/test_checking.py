"""The A/A check as a use case: two polls back to back, and recordings that repeat themselves."""

import json
from dataclasses import replace

import pytest

from citepoll.errors import SliceError
from citepoll.model import Property
from citepoll.service.checking import check_a_a
from citepoll.service.deriving import derive
from citepoll.service.importing import import_file


def recorded(project, ledger, at, tmp_path, name, answers, others=(), **more):
    """A cycle of recorded answers: `answers` has, for each query, whether each run cites Acme, and all cite `others`."""
    lines = [
        json.dumps({
            "engine": "atlas", "query": f"question {query}", "run": run, "answer_text": "An answer.",
            "citations": ["https://acme.com/a" if cites else "https://else.com/a", *others], **more,
        })
        for query, runs in enumerate(answers)
        for run, cites in enumerate(runs, 1)
    ]  # fmt: skip
    path = tmp_path / f"{name}.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    import_file(project, ledger, path, name, at=at)
    derive(project, ledger, ledger.cycle(name), at)


def test_two_polls_look_independent(project, ledger, at, poll):
    poll(project, ledger, name="a")
    poll(project, ledger, name="b")
    found = check_a_a(project, ledger, "a", "b", at)
    sure, torn = found.engines
    assert (sure.independent, torn.independent, found.independent) == (None, True, True)
    assert sure.sentence.startswith("cannot be told: no query with several runs got two different answers")
    assert torn.sentence == "the runs look independent: nothing speaks against it"
    assert (torn.queries, torn.runs) == (12, (96, 96))
    assert [b.brand for b in torn.brands] == ["Acme", "Globex"]
    assert (found.branded_out, found.warnings) == (1, ())


def test_repeated_answers_fail_with_a_sentence(project, ledger, at, tmp_path):
    recorded(project, ledger, at, tmp_path, "a", [[1] * 3, [0] * 3] * 6)
    recorded(project, ledger, at, tmp_path, "b", [[0] * 3, [1] * 3] * 6)
    found = check_a_a(project, ledger, "a", "b", at)
    (atlas,) = found.engines
    assert found.independent is False
    assert atlas.sentence == "the runs do not look independent: Acme"
    acme, globex = atlas.brands
    assert acme.independent is False
    assert acme.sentence.startswith("the runs do not look independent: a query's answers part between the cycles 5.0")
    assert globex.independent is None
    assert found.tests == sum(p is not None for b in atlas.brands for p in b.adjusted) == 3


def test_what_would_count_alone_does_not_count_among_many(project, ledger, at, tmp_path):
    names = [f"brand{n}.com" for n in range(20)]
    brands = (replace(project.brands[1], name=n, owns=(Property(n),)) for n in names)
    many = replace(project, brands=(*project.brands, *brands))
    others = [f"https://{name}/" for name in names]
    recorded(many, ledger, at, tmp_path, "a", [[1, 1, 1]] * 2 + [[0] * 3] * 10, others)
    recorded(many, ledger, at, tmp_path, "b", [[0, 0, 0]] * 2 + [[0] * 3] * 10, others)
    found = check_a_a(many, ledger, "a", "b", at)
    acme, globex = found.engines[0].brands[:2]
    assert (acme.alone.independent, acme.independent) == (False, True)
    assert acme.sentence.startswith("would count alone, not among the 43 tests shown: the runs do not look independent")
    assert found.tests == 43
    assert globex.adjusted == (None, None, None)


def test_other_differences_are_warned_of(project, ledger, at, tmp_path):
    recorded(project, ledger, at, tmp_path, "a", [[1, 0], [0, 1]], model="m-1")
    recorded(project, ledger, at, tmp_path, "b", [[1, 0], [0, 1], [0, 0]], model="m-2")
    found = check_a_a(project, ledger, "a", "b", at).warnings
    assert any("different query sets" in text for text in found)
    assert any("m-1" in text and "m-2" in text for text in found)


def test_cycles_that_cannot_be_checked(project, ledger, at, poll, tmp_path):
    poll(project, ledger, name="a")
    recorded(project, ledger, at, tmp_path, "r", [[1, 0]])
    with pytest.raises(SliceError, match="cannot be compared with itself"):
        check_a_a(project, ledger, "a", "a", at)
    with pytest.raises(SliceError, match="no engine in common"):
        check_a_a(project, ledger, "a", "r", at)
    with pytest.raises(SliceError, match="no cycle 'z'"):
        check_a_a(project, ledger, "a", "z", at)
    ledger.set_status(ledger.cycle("r"), "open", at)
    with pytest.raises(SliceError, match="still open"):
        check_a_a(project, ledger, "a", "r", at)
