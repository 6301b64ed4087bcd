"""Every page's form that changes something leaves a line in the audit log, with who, what and where from."""

import re

import pytest

from citepoll.hashing import short
from citepoll.service.importing import import_file
from citepoll.service.opportunities import list_todos
from citepoll.surfaces.web.worker import Standing

from .test_who_may import cases

SILENT = {"/p/{project:str}/experiments/design"}
"""Forms that state something and keep nothing."""


class Willing:
    """A worker that says yes, and does nothing."""

    def start(self, project, order):
        return Standing("running", order.cycle or "next")

    def pause(self, project):
        return Standing("paused", "open")

    resume = stop = pause

    def standing(self, project):
        return Standing("idle")


@pytest.fixture
def asking(people, app, desk, browser, row, jsonl, at):
    desk.worker = Willing()
    room = desk.rooms.find("acme")
    path = room.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8") + '[[competitor]]\nname = "Foxglove"\nowns = ["other.com"]\n', "utf-8")
    for cycle in ("one", "two"):
        rows = [
            row(query=f"which fork {n}", run=run, citations=[{"url": "https://other.com/a"}])
            for n in range(6) for run in (1, 2, 3)
        ]  # fmt: skip
        import_file(room.project, room.ledger, jsonl(*rows), cycle, at=at)
    made = browser("olga")
    made.get("/p/acme/queries/edit")
    return made


def version(asking):
    return re.search(r'name="version" value="([^"]*)"', asking.get("/p/acme/queries/edit").text)[1]


def forms(asking, room, at):
    """Path of a route → where it is sent, its form, its files."""
    todo = short(list_todos(room.project, room.ledger, at).todos[0].id)
    page = asking.get("/p/acme/experiments/new?treat=all:&control=half").text
    arms = dict(re.findall(r'name="(arm-\w+)" value="(\w+)"[^>]*checked', page))
    experiment = {"change": "new page", **arms}
    stated = asking.post("/p/acme/experiments/design", experiment).text
    experiment["stated"] = re.search(r'name="stated" value="([^"]+)"', stated)[1]
    yield "/projects", "/projects", {"brand": "New", "domains": "new.com"}, None
    yield "/p/{project:str}/cycles/new", "/p/acme/cycles/new", {"name": "three"}, None
    yield "/p/{project:str}/cycles/{name:str}", "/p/acme/cycles/two", {"what": "retry"}, None
    yield "/p/{project:str}/engines/check", "/p/acme/engines/check", {"engine": "local:bm25"}, None
    yield "/p/{project:str}/alerts/test", "/p/acme/alerts/test", {"channel": "email"}, None
    yield "/p/{project:str}/experiments", "/p/acme/experiments", experiment, None
    yield "/p/{project:str}/experiments/{number:int}/end", "/p/acme/experiments/1/end", {}, None
    yield "/p/{project:str}/todo/{id:str}", f"/p/acme/todo/{todo}", {"status": "in-work"}, None
    yield "/p/{project:str}/todo/{id:str}/undo", f"/p/acme/todo/{todo}/undo", {}, None
    starter = {"category": "garden forks", "count": "7", "version": version(asking)}
    yield "/p/{project:str}/queries/starter", "/p/acme/queries/starter", starter, None
    more = {"lines": "which hoe is best", "version": version(asking)}
    yield "/p/{project:str}/queries/edit", "/p/acme/queries/edit", more, None
    yield "/p/{project:str}/queries/undo", "/p/acme/queries/undo", {"version": version(asking)}, None
    file = {"file": ("q.csv", b"text\nwhich spade\n")}
    yield "/p/{project:str}/queries/import", "/p/acme/queries/import", {"version": version(asking)}, file
    yield "/p/{project:str}/queries/lock", "/p/acme/queries/lock", {"version": version(asking)}, None
    page = {"files": ("fork.md", b"# The fork\n\nWhich fork is best depends on the soil.\n")}
    yield "/p/{project:str}/corpus", "/p/acme/corpus", {"base": "https://acme.com/"}, page
    document = re.search(r'name="id" value="([^"]+)"', asking.get("/p/acme/corpus").text)
    yield "/p/{project:str}/corpus/remove", "/p/acme/corpus/remove", {"id": document[1] if document else ""}, None


def test_every_form_leaves_a_line(app, desk, asking, at):
    tried = set()
    for route, path, form, files in forms(asking, desk.rooms.find("acme"), at):
        before = len(desk.accounts.audit(1000))
        answer = asking.post(path, form, files=files)
        assert answer.status_code in (200, 303, 422), (path, answer.status_code, answer.text)
        found = desk.accounts.audit(1000)
        assert len(found) == before + 1, (path, answer.status_code)
        assert (found[0].who, found[0].address) == ("olga", "testclient")
        tried.add(route)
    writes = {case.path for case in cases(app) if case.method != "GET" and not case.path.startswith(("/api/", "/mcp"))}
    assert writes - tried <= SILENT
