"""A short A/A run on the local engine. The long one, 500 pairs, is bench/aa.py."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from citepoll.engines import local
from citepoll.engines.base import draw_seed
from citepoll.sampling.local.transport import LocalTransport
from citepoll.store.corpus import reading

ROOT = Path(__file__).parents[2]
PAIRS = 60


@pytest.fixture(scope="module")
def aa():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "bench")
        yield import_module("aa")
    for name in ("aa", "build", "corpus"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def path(aa, tmp_path_factory):
    return aa.corpus_in(tmp_path_factory.mktemp("aa"))


def test_no_test_rejects_too_often_on_cycles_that_nothing_lies_between(aa, path):
    found = aa.simulated(path, PAIRS, 7, 1, brands=4)
    rates = list(aa.rates(found, "Rich"))
    assert {rate.n for rate in rates} == {PAIRS}
    assert [str(rate) for rate in rates if rate.too_high and "highest" not in rate.label] == []
    broad = found[0]["local-broad", "Rich"]
    assert broad.fixed_set.n_queries == 28
    assert broad.dispersion.differing >= 3


def test_repeated_answers_are_found(aa, path):
    control = aa.simulated(path, 5, 7, 1, repeated=True, brands=4)
    failed = [any(c.independent is False for (e, _), c in one.items() if e == "local-broad") for one in control]
    assert sum(failed) >= 4


def test_a_cycle_of_the_bench_is_the_one_that_a_poll_would_record(aa, path):
    with reading(path) as pages:
        bench = aa.Bench(pages)
    broad = bench.engines[1]
    settings = {"top_k": broad.top_k, "cite": broad.cite, "temperature": broad.temperature}
    observer, transport = bench._observer, LocalTransport(path)
    expected = [0] * 10
    for at, query in enumerate(bench.queries[:10]):
        for run in (1, 2, 3):
            seed = draw_seed("citepoll", "c", query.id, run, broad.name)
            response = transport.answer(local.request(query, {**settings, "seed": seed}))
            hits = observer.observe(local.parse(200, {}, response.body), query.text).hits
            expected[at] += any(hit.brand == "Polars" and hit.slots for hit in hits)
    counts = bench.cycle("c", broad)[bench.brands.index("Polars"), :10]
    assert counts.tolist() == expected
    assert sum(expected) > 0


def test_a_rate_knows_when_it_is_too_high(aa):
    assert aa.Rate("", 5, 60).too_high is False
    assert aa.Rate("", 7, 60).too_high is True
    assert aa.Rate("", 0, 500).bounds == (0.0, pytest.approx(0.00735, abs=5e-5))
