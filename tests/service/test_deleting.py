import pytest
from filelock import FileLock

from citepoll.errors import LedgerError, SliceError
from citepoll.service.deleting import delete_cycle, delete_project, doomed
from citepoll.service.deriving import derive
from citepoll.service.importing import import_file
from citepoll.service.opportunities import list_todos
from citepoll.store import actions
from citepoll.store.actions import Mark
from citepoll.store.derived import Derived
from citepoll.store.ledger import Ledger

SECRET = "a phrase that nobody may read again"
CITED = "https://secret-page.example/one"


@pytest.fixture
def two(project, ledger, at, row, jsonl):
    """The cycles c, with a secret in it, and d."""
    for name, text in (("c", SECRET), ("d", "Acme makes one.")):
        rows = [row(run=n, answer_text=text, citations=[CITED] if name == "c" else []) for n in range(1, 30)]
        import_file(project, ledger, jsonl(*rows, name=f"{name}.jsonl"), name, at=at)
        derive(project, ledger, ledger.cycle(name), at)
    return project


def leftovers(project, *texts):
    """The files of the project's data that hold one of the texts, as it is."""
    files = (path for path in project.data.rglob("*") if path.is_file())
    return [path.name for path in files if any(text.encode() in path.read_bytes() for text in texts)]


def bodies(project):
    """The compressed bodies as they stand in the ledger's files."""
    ledger = Ledger(project.data / "ledger.db")
    with ledger.reading() as link:
        return [row[0] for row in link.exec_driver_sql("select body from attempts")]


def test_what_goes_is_told_before(two, ledger):
    (cycle,) = doomed(ledger, "c").cycles
    assert (cycle.cycle, cycle.runs, cycle.attempts) == ("c", 29, 29)
    assert cycle.bytes > 0
    assert (doomed(ledger).answers, doomed(ledger).emptied) == (58, None)
    with pytest.raises(SliceError, match="no cycle"):
        doomed(ledger, "e")


def test_a_deleted_cycle_leaves_no_byte_of_its_answers(two, ledger, at):
    gone = bodies(two)[:29]
    derived = Derived(two.data / "derived")
    cycle = ledger.cycle("c")
    assert derived.versions(cycle)
    deleted = delete_cycle(two, ledger, "c", at)
    assert (deleted.answers, deleted.emptied) == (29, True)
    assert [c.name for c in ledger.cycles()] == ["d"]
    assert derived.versions(cycle) == ()
    assert derived.versions(ledger.cycle("d"))
    assert leftovers(two, SECRET, "secret-page") == []
    held = b"".join(path.read_bytes() for path in two.data.glob("ledger.db*"))
    assert not any(body in held for body in gone)
    assert ledger.history("c")[-1]["what"] == "dropped"
    ledger.check()


def test_a_project_is_emptied_of_answers_and_decisions(two, ledger, at):
    mark = Mark("sha256:1", "investigate-loss", CITED, f"Lost: {CITED}", (), "done", SECRET, "c", "")
    actions.set_mark(ledger, mark, at)
    actions.start(ledger, SECRET, "c", ("q",), (), {}, at)
    sets = {c.set_hash for c in ledger.cycles()}
    deleted = delete_project(two, ledger, at)
    assert [c.cycle for c in deleted.cycles] == ["c", "d"]
    assert leftovers(two, SECRET, "secret-page") == []
    assert ledger.cycles() == ()
    assert (actions.marks(ledger), actions.experiments(ledger)) == ({}, ())
    assert [event["what"] for event in ledger.history()] == ["deleted"]
    assert ledger.version(sets.pop()).queries.queries
    assert list((two.data / "derived").glob("*")) == []
    assert doomed(ledger).cycles == ()
    with pytest.raises(SliceError):
        list_todos(two, ledger, at)


def test_nothing_is_deleted_under_a_poll(two, ledger, at):
    with FileLock(two.data / "poll.lock"):
        for delete in (lambda: delete_cycle(two, ledger, "c", at), lambda: delete_project(two, ledger, at)):
            with pytest.raises(LedgerError, match="A poll is at work"):
                delete()
    assert len(ledger.cycles()) == 2


def test_a_reader_that_holds_on_is_told(two, ledger, at, monkeypatch):
    monkeypatch.setattr("citepoll.store.backup.BUSY_SECONDS", 0.1)
    with ledger.reading() as link:
        link.exec_driver_sql("select count(*) from attempts").one()
        assert delete_cycle(two, Ledger(ledger.path), "c", at).emptied is False
    assert [c.name for c in ledger.cycles()] == ["d"]
