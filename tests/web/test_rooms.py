import os
import threading
import time

import pytest

from citepoll.errors import InputError, ProjectError
from citepoll.newproject import Start, write_project
from citepoll.service.importing import import_file
from citepoll.surfaces.web.memory import Memory
from citepoll.surfaces.web.rooms import Rooms, room_id, slug


def test_a_folder_holds_projects_and_new_ones_appear(shelf):
    rooms = Rooms((shelf,))
    assert [room.id for room in rooms.all()] == ["acme", "other"]
    write_project(shelf / "Blue Birds", Start("Blue", ("blue.com",)))
    assert len(rooms.all()) == 3
    assert rooms.find("acme") is rooms.find("acme")
    assert rooms.find("nothing") is None


def test_a_project_is_served_alone(shelf):
    rooms = Rooms((shelf / "acme",))
    assert [room.id for room in rooms.all()] == ["acme"]
    assert rooms.shelf is None
    with pytest.raises(ProjectError, match="no folder for new ones"):
        rooms.make(Start("New", ("new.com",)))


def test_an_id_depends_on_its_own_folder_only(shelf):
    before = {room.id: room.root for room in Rooms((shelf,)).all()}
    write_project(shelf / "ACME", Start("Shout", ("shout.com",)))
    after = {room.id: room.root for room in Rooms((shelf,)).all()}
    assert before.items() <= after.items()
    assert len(set(after)) == 3


def test_two_projects_of_one_name_are_refused(shelf, tmp_path):
    write_project(tmp_path / "attic" / "acme", Start("Old", ("old.com",)))
    with pytest.raises(InputError, match="called 'acme'"):
        Rooms((shelf, tmp_path / "attic"))


@pytest.mark.parametrize("brand", ["../../etc", "/etc", ".", "..", "Äcmé & Söhne", "猫", "a" * 300, "acme"])
def test_a_new_project_stays_in_the_folder_whatever_its_brand(shelf, brand):
    made = Rooms((shelf,)).make(Start(brand, ("new.com",)))
    assert made.root.parent == shelf
    assert made.id == made.root.name == room_id(made.root)
    assert made.project.tracked.name == brand


def test_slugs_are_ascii_and_never_empty():
    assert slug("Äcmé & Söhne") == "acme-sohne"
    assert slug("猫") == slug("..") == "project"


def test_the_project_is_read_again_when_its_file_changes(shelf):
    room = Rooms((shelf,)).find("acme")
    assert room.project is room.project
    before = room.state()
    path = room.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8").replace('name = "Acme"', 'name = "Acme Ltd"'), "utf-8")
    assert room.project.tracked.name == "Acme Ltd"
    assert room.state() != before


def test_the_state_changes_with_what_measured_cycles_show(shelf, row, jsonl, at):
    room = Rooms((shelf,)).find("acme")
    states = [room.state()]
    import_file(room.project, room.ledger, jsonl(row()), "c", at=at)
    states.append(room.state())
    assert room.state() == states[-1]
    room.ledger.set_status(room.ledger.cycle("c"), "stopped", at)
    states.append(room.state())
    room.project.query_file.write_text("[[query]]\n", "utf-8")
    states.append(room.state())
    room.ledger.drop(room.ledger.cycle("c"), at)
    states.append(room.state())
    assert len(set(states)) == len(states)


def test_a_cycle_that_is_being_polled_leaves_the_state_as_it_is(shelf, row, jsonl, at):
    room = Rooms((shelf,)).find("acme")
    import_file(room.project, room.ledger, jsonl(row()), "c", at=at)
    room.ledger.set_status(room.ledger.cycle("c"), "closed", at)
    before, ledger = room.state(), room.ledger
    cycle = ledger.create("live", "polled", ledger.engines(ledger.cycle("c")), "seed", at, noted=[("poll started", {})])
    ledger.plan(
        cycle, [(e.name, q.id, 1) for e in ledger.engines(cycle) for q in ledger.query_set(ledger.cycle("c")).queries]
    )
    assert room.state() == before
    ledger.set_status(cycle, "closed", at)
    assert room.state() != before


def test_what_is_remembered_is_made_again_in_another_state(shelf):
    room = Rooms((shelf,)).find("acme")
    made = []

    def make():
        made.append(1)
        return len(made)

    assert room.remember("a", make) == room.remember("a", make) == 1
    os.utime(room.root / "citepoll.toml", ns=(1, 1))
    assert room.remember("a", make) == 2


def test_many_who_ask_at_once_have_a_value_made_once():
    memory, made, found = Memory(4), [], []

    def make():
        made.append(1)
        time.sleep(0.05)
        return "value"

    threads = [threading.Thread(target=lambda: found.append(memory.get("key", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["value"] * 8
    assert len(made) == 1


def test_a_failure_is_told_and_not_kept_and_old_values_go():
    memory = Memory(2)
    with pytest.raises(ZeroDivisionError):
        memory.get("a", lambda: 1 // 0)
    assert memory.get("a", lambda: 1) == 1
    memory.get("b", lambda: 2)
    memory.get("c", lambda: 3)
    assert memory.get("a", lambda: 4) == 4


def test_a_ledger_is_read_by_many_threads_at_once(shelf, row, jsonl, at):
    room = Rooms((shelf,)).find("acme")
    rows = [row(run=n, answer_text="words " * 5000 + str(n)) for n in range(1, 21)]
    import_file(room.project, room.ledger, jsonl(*rows), "c", at=at)
    cycle = room.ledger.cycle("c")
    bodies = {kept.run_id: kept.body for kept in room.ledger.kept(cycle)}
    wrong = []

    def read():
        for _ in range(20):
            wrong.extend(kept for kept in room.ledger.kept(cycle) if bodies[kept.run_id] != kept.body)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    room.close()
