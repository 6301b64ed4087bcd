"""The same slice gives the same numbers on every surface. A surface joins as a function in `SURFACES`."""

import asyncio
import html
import json
import re
import sys
from datetime import UTC, datetime

import pytest
from litestar.testing import TestClient
from mcp.client.client import Client

import citepoll
from citepoll.main import build_app, main
from citepoll.model import Slice
from citepoll.report.numbers import unit_of, words
from citepoll.report.pairs import is_blended
from citepoll.report.todos import chance
from citepoll.service.importing import import_file
from citepoll.store.ledger import Ledger
from citepoll.surfaces.api import api
from citepoll.surfaces.mcp.calling import Local
from citepoll.surfaces.mcp.server import build
from citepoll.surfaces.web.application import assemble
from citepoll.surfaces.web.desk import Settings, open_desk
from citepoll.surfaces.web.problems import as_json
from citepoll.surfaces.web.rooms import Rooms

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)

SLICES = (
    Slice(),
    Slice(("share_of_citation", "slot_share", "mention_rate"), ("brand", "engine"), target="fixed_set"),
    Slice(("slot_share",), ("engine", "domain"), limit=1, confidence=0.9),
    Slice(by=("query", "engine"), where='brand = Acme and query ~ "fork"', cycles=("october",)),
    Slice(by=("brand", "cycle", "engine"), target="category"),
    Slice(compare="october"),
    Slice(("citation_gap",), cycles=("october",)),
    Slice(("opportunity",)),
    Slice(("movement",)),
    Slice(("effective_sources",)),
)
NUMBERS = ("value", "low", "high", "confidence", "target", "method", "cited", "of", "n", "n_queries", "reason")


@pytest.fixture
def acme(project, row, jsonl):
    """A project of two measured cycles, in its folder."""
    ledger = Ledger(project.data / "ledger.db")
    for cycle, cited in (("october", ("atlas",)), ("november", ("atlas", "beacon"))):
        rows = [
            row(engine=engine, query=query, run=run, citations=[f"https://{host}/{run}", "https://blog.com/x"])
            for engine in ("atlas", "beacon")
            for run in (1, 2, 3)
            for query, host in (
                ("best garden fork", "acme.com" if engine in cited else "other.com"),
                ("how to sharpen a spade", "other.com"),
            )
        ]
        import_file(project, ledger, jsonl(*rows, name=f"{cycle}.jsonl"), cycle, at=AT)
    return project


def by_python(project, slice, monkeypatch, capsys):
    return citepoll.open(project.root).measure(slice).to_dict()["rows"]


def by_command(project, slice, monkeypatch, capsys):
    options = ["--metric", ",".join(slice.metrics), "--by", ",".join(slice.by), "--where", slice.where]
    options += [part for cycle in slice.cycles for part in ("--cycle", cycle)]
    options += ["--compare", slice.compare] if slice.compare else []
    options += ["--limit", str(slice.limit)] if slice.limit else []
    options += ["--target", slice.target, "--confidence", str(slice.confidence), "--project", str(project.root)]
    monkeypatch.setattr(sys, "argv", ["citepoll", "measure", *options, "--json"])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


def by_api(project, slice, monkeypatch, capsys):
    given = {name: value for name in Slice.__slots__ if (value := getattr(slice, name)) not in (None, (), "")}
    return _api(project, lambda client: client.get("/api/v1/measures", params=given))


def by_api_as_json(project, slice, monkeypatch, capsys):
    asked = {name: getattr(slice, name) for name in Slice.__slots__}
    return _api(project, lambda client: client.post("/api/v1/measures", json=asked))


def _api(project, ask):
    desk = open_desk((project.root,), project.root / "home", Settings())
    client = TestClient(
        assemble(desk, [api()], lambda request, problem: as_json(problem)), base_url="http://127.0.0.1:8321"
    )
    client.headers["authorization"] = f"Bearer {desk.token}"
    try:
        found = ask(client)
        assert found.status_code == 200, found.text
        return found.json()["rows"]
    finally:
        desk.close()


SURFACES = {"command line": by_command, "API": by_api, "API, a slice as JSON": by_api_as_json}
"""Each takes (project, slice, monkeypatch, capsys) and gives rows as JSON, to be compared with Python's."""


def numbers(rows):
    """What must be the same: each row's place and estimate, and its change where there is one."""
    plain = json.loads(json.dumps(rows))
    places = [{k: v for k, v in row.items() if isinstance(v, str | int | bool) and k not in NUMBERS} for row in plain]
    return [
        (sorted(map(str, place.items())), [row[name] for name in NUMBERS], row.get("change"))
        for place, row in zip(places, plain, strict=True)
    ]


@pytest.mark.parametrize("slice", SLICES, ids=lambda slice: " ".join((*slice.metrics, *slice.by)))
def test_the_same_slice_gives_the_same_numbers(acme, slice, monkeypatch, capsys):
    ours = numbers(by_python(acme, slice, monkeypatch, capsys))
    assert ours
    for name, ask in SURFACES.items():
        assert numbers(ask(acme, slice, monkeypatch, capsys)) == ours, name


# ---------------------------------------------------------------- surfaces that say less of a row

SAID = ("value", "low", "high", "n", "method", "target", "reason")
"""What an agent gets of a number."""


def by_mcp(project, slice):
    """The rows of every page of the tool `measure`."""
    rooms = Rooms((project.root,))
    asked = {name: getattr(slice, name) for name in Slice.__slots__ if name != "private_suffixes"}

    async def pages():
        async with Client(build(lambda _: Local(rooms, False, None), writes=False)) as client:
            rows, cursor = [], None
            while True:
                found = await client.call_tool("measure", {**asked, "cursor": cursor})
                assert not found.is_error, found.content[0].text
                rows += found.structured_content["rows"]
                cursor = found.structured_content["next"]
                if not cursor:
                    return rows

    try:
        return asyncio.run(pages())
    finally:
        rooms.close()


@pytest.mark.parametrize("slice", SLICES, ids=lambda slice: " ".join((*slice.metrics, *slice.by)))
def test_an_agent_is_told_the_same_numbers(acme, slice):
    ours = citepoll.open(acme.root).measure(slice).to_dict()["rows"]
    found = by_mcp(acme, slice)
    assert [[row["number"].get(name) for name in SAID] for row in found] == [
        [row[name] for name in SAID] for row in ours
    ]
    changes = [(row["change"] or {}).get("value") if "change" in row else None for row in found]
    assert changes == [(row.get("change") or {}).get("value") for row in ours]


def page(project, path):
    """The words of a page of the dashboard, on one line."""
    desk = open_desk((project.root,), project.root / "home", Settings())
    try:
        browser = TestClient(build_app(desk), base_url="http://127.0.0.1:8321")
        browser.get(f"/enter/{desk.token}", follow_redirects=False)
        found = browser.get(path)
        assert found.status_code == 200
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found.text)).split())
    finally:
        desk.close()


@pytest.mark.parametrize("metric", ["share_of_citation", "mention_rate", "presence_rate"])
def test_the_dashboard_shows_the_same_numbers(acme, metric):
    rows = citepoll.open(acme.root).measure(Slice((metric,))).rows
    shown = page(acme, f"/p/{acme.root.name}/?metric={metric}")
    ours = [row for row in rows if row.dimensions["brand"] == "Acme" or is_blended(row.dimensions["engine"])]
    assert len(ours) > 6
    for row in ours:
        assert words(row.estimate, unit_of(metric)) in shown, row


def test_the_gaps_of_the_dashboard_are_the_same(acme):
    rows = citepoll.open(acme.root).measure(Slice(("citation_gap",))).rows
    shown = page(acme, f"/p/{acme.root.name}/gaps")
    found = [row.evidence for row in rows if row.estimate.value is not None]
    assert found
    for evidence in found:
        assert chance(evidence["probability"]) in shown, evidence
