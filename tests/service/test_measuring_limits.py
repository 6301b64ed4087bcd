"""Measuring says what limits its numbers, as planning does."""

import citepoll
from citepoll.service.importing import import_file


def test_one_engine_and_few_runs_are_told_beside_the_numbers(project, ledger, at, row, jsonl):
    import_file(project, ledger, jsonl(row(engine="atlas", run=1)), "c", at=at)
    told = " ".join(citepoll.open(project.root).measure().warnings)
    assert "one engine only" in told
    assert "None of ChatGPT, Perplexity, Google AI Mode" in told
    assert "Fewer than 3 runs a query (atlas 1)" in told


def test_nothing_is_told_where_nothing_is_missing(project, ledger, at, row, jsonl):
    rows = [row(engine=name, run=run) for name in ("chatgpt", "perplexity") for run in (1, 2, 3)]
    import_file(project, ledger, jsonl(*rows), "c", at=at)
    assert citepoll.open(project.root).measure().warnings == ()
