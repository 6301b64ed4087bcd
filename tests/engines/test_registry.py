from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from citepoll import engines
from citepoll.engines.base import draw_seed
from citepoll.errors import EngineError


@pytest.fixture
def others(monkeypatch):
    def register(*points):
        monkeypatch.setattr(engines, "entry_points", lambda group: points if group == "citepoll.engines" else ())

    return register


def point(name, value="module"):
    return EntryPoint(name, value, engines.GROUP)


def module(**names):
    return SimpleNamespace(**names)


def test_the_local_engine_is_loaded_by_its_id():
    engine = engines.load("local:bm25")
    assert engine.FACTS.id == "local:bm25"
    assert engine.FACTS.surface == "simulated"
    assert engine.FACTS.key_variable is None


def test_an_unknown_engine_is_answered_with_the_known_ones():
    with pytest.raises(EngineError, match="no engine 'acme:chat'") as caught:
        engines.load("acme:chat")
    assert "local:bm25" in caught.value.fix


def test_an_engine_of_another_distribution_comes_through_the_same_door(others, monkeypatch):
    acme = module(FACTS=module(id="acme:chat"), request=None, parse=None)
    monkeypatch.setattr(EntryPoint, "load", lambda self: acme)
    others(point("acme:chat"))
    assert engines.load("acme:chat") is acme
    assert engines.known()[-1] == "acme:chat"


def test_a_built_in_id_cannot_be_taken_over(others):
    others(point("local:bm25", "thief"))
    assert engines.load("local:bm25").__name__ == "citepoll.engines.local"
    assert engines.known().count("local:bm25") == 1


@pytest.mark.parametrize(
    ("loaded", "cause"),
    [
        (module(FACTS=None), "lacks request, parse"),
        (module(FACTS=module(id="acme:other"), request=None, parse=None), "calls itself 'acme:other'"),
    ],
)
def test_a_module_that_is_no_engine_is_refused(others, monkeypatch, loaded, cause):
    monkeypatch.setattr(EntryPoint, "load", lambda self: loaded)
    others(point("acme:chat"))
    with pytest.raises(EngineError, match=cause):
        engines.load("acme:chat")


def test_an_engine_that_cannot_be_imported_is_named(others):
    others(point("acme:chat", "no_such_module_here"))
    with pytest.raises(EngineError, match=r"acme:chat.*no_such_module_here"):
        engines.load("acme:chat")


def test_each_part_of_a_run_changes_its_seed():
    base = ("project", "cycle", "sha256:q", 1, "engine")
    variants = {draw_seed(*base)}
    for at, other in enumerate(("p2", "c2", "sha256:q2", 2, "e2")):
        variants.add(draw_seed(*base[:at], other, *base[at + 1 :]))
    assert len(variants) == 6
    assert draw_seed(*base) == draw_seed(*base)
