"""What is made ahead of its first reader."""

import asyncio
import time

from citepoll.errors import InputError
from citepoll.service.importing import import_file
from citepoll.surfaces import dashboard
from citepoll.surfaces.web.warming import Warming


def test_pages_are_made_when_a_room_changes_and_on_a_new_day(desk, clock):
    made = []
    room = desk.rooms.find("acme")
    warming = Warming(desk, lambda room, desk: [lambda: made.append(room.id)])
    warming.visit(room)
    warming.visit(room)
    assert made == ["acme"]
    room.project.query_file.write_text("[[query]]\n", "utf-8")
    warming.visit(room)
    clock.ahead(days=1)
    warming.visit(room)
    assert made == ["acme"] * 3


def test_a_page_that_cannot_be_made_stops_nothing(desk):
    def fail():
        raise InputError("No.", "Yes.")

    Warming(desk, lambda room, desk: [fail]).visit(desk.rooms.find("acme"))


def test_it_looks_while_the_server_runs_and_ends_with_it(desk):
    made = []
    warming = Warming(desk, lambda room, desk: [lambda: made.append(room.id)], every=0.01)

    async def serve():
        async with warming.running():
            until = time.monotonic() + 10
            while len(made) < 2 and time.monotonic() < until:
                await asyncio.sleep(0.01)

    asyncio.run(serve())
    assert sorted(made) == ["acme", "other"]


def test_the_first_reader_of_the_main_pages_finds_them_made(desk, row, jsonl, at, monkeypatch):
    room = desk.rooms.find("acme")
    for name in ("one", "two"):
        import_file(room.project, room.ledger, jsonl(row()), name, at=at)
        room.ledger.set_status(room.ledger.cycle(name), "closed", at)
    for make in dashboard.ahead(room, desk):
        make()
    monkeypatch.setattr(room._memory, "_fill", None)  # from here on nothing may be made
    for make in dashboard.ahead(room, desk):
        make()
