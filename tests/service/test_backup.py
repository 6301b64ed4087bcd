import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from citepoll.errors import InputError, LedgerError
from citepoll.model import Query, QuerySet, Slice
from citepoll.project import read_project
from citepoll.service import corpus
from citepoll.service.backup import back_up, backup_name, last_backup, restore
from citepoll.service.deriving import derive
from citepoll.service.importing import import_file
from citepoll.service.measuring import measure
from citepoll.store import backup as copies
from citepoll.store.derived import Derived
from citepoll.store.ledger import Ledger


@pytest.fixture
def imported(project, ledger, at, row, jsonl):
    rows = [row(run=n, query=q) for n in (1, 2) for q in ("best fork", "best spade")]
    import_file(project, ledger, jsonl(*rows), "c", at=at)
    derive(project, ledger, ledger.cycle("c"), at)
    (project.root / "queries.toml").write_text('[[query]]\ntext = "best fork"\n')
    return project


@pytest.fixture
def backup(tmp_path):
    return tmp_path / "b.tar.zst"


def test_a_restored_project_gives_the_same_numbers(imported, ledger, at, backup, tmp_path):
    before = measure(imported, ledger, Slice(), at)
    written = back_up(imported, ledger, backup, at)
    assert {i.path for i in written.manifest.items} >= {".citepoll/ledger.db", "citepoll.toml", "queries.toml"}
    shutil.rmtree(imported.root)
    restored = restore(backup, imported.root)
    assert (restored.answers, [c.name for c in restored.cycles]) == (4, ["c"])
    again = Ledger(imported.data / "ledger.db")
    assert measure(read_project(imported.root), again, Slice(), at).rows == before.rows
    assert Derived(imported.data / "derived").versions(again.cycle("c"))
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_the_history_tells_the_last_backup(imported, ledger, at, backup):
    assert last_backup(ledger) is None
    back_up(imported, ledger, backup, at)
    assert last_backup(ledger) == at
    assert backup_name(imported, at) == "project-2026-11-03T090000Z.citepoll-backup.tar.zst"


def test_nothing_is_overwritten(imported, ledger, at, backup, tmp_path):
    back_up(imported, ledger, backup, at)
    with pytest.raises(InputError, match="is there already"):
        back_up(imported, ledger, backup, at)
    with pytest.raises(InputError, match="holds something already"):
        restore(backup, imported.root)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="holds something already"):
        restore(backup, tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert restore(backup, tmp_path / "empty").answers == 4


def test_a_damaged_backup_restores_nothing(imported, ledger, at, backup, tmp_path):
    back_up(imported, ledger, backup, at)
    backup.write_bytes(backup.read_bytes()[:-100])
    with pytest.raises(InputError):
        restore(backup, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_ledger_of_a_later_citepoll_is_not_restored(imported, ledger, at, backup, tmp_path, monkeypatch):
    back_up(imported, ledger, backup, at)
    monkeypatch.setattr("citepoll.store.schema.VERSION", 1)
    with pytest.raises(InputError, match="later citepoll"):
        restore(backup, tmp_path / "new")


def test_a_damaged_ledger_is_not_backed_up(imported, ledger, at, backup):
    data = bytearray(ledger.path.read_bytes())
    ledger.path.with_name("ledger.db-wal").unlink(missing_ok=True)
    data[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    ledger.path.write_bytes(data)
    with pytest.raises(LedgerError, match=r"damaged|failed"):
        back_up(imported, ledger, backup, at)
    assert not backup.exists()


def test_the_corpus_and_the_accounts_come_with_it(imported, ledger, at, backup, tmp_path):
    (imported.root / "fork.md").write_text("# Forks\n\nA fork.")
    corpus.add(imported.data / "corpus.db", imported.root / "fork.md", base_url="https://acme.com")
    home = tmp_path / "home"
    with pytest.raises(InputError, match=r"no desk\.db"):
        back_up(imported, ledger, backup, at, desk=home)
    home.mkdir()
    link = sqlite3.connect(home / "desk.db")
    link.execute("create table users (name)")
    link.close()
    back_up(imported, ledger, backup, at, desk=home)
    restored = restore(backup, tmp_path / "new")
    assert restored.desk == tmp_path / "new" / ".citepoll" / "desk.db"
    assert [d.title for d in corpus.documents(tmp_path / "new" / ".citepoll" / "corpus.db")] == ["Forks"]


def test_queries_outside_of_the_project_are_refused(imported, ledger, at, backup, tmp_path):
    (tmp_path / "elsewhere.toml").write_text("")
    text = (imported.root / "citepoll.toml").read_text() + '[queries]\nfile = "../elsewhere.toml"\n'
    (imported.root / "citepoll.toml").write_text(text)
    with pytest.raises(InputError, match="outside of the project's folder"):
        back_up(read_project(imported.root), ledger, backup, at)


def test_derived_tables_that_vanish_meanwhile_are_left_out(imported, ledger, tmp_path, monkeypatch):
    real = shutil.copytree

    def vanishing(source, target, **options):
        real(source, target, **options)
        shutil.rmtree(source)

    monkeypatch.setattr(copies.shutil, "copytree", vanishing)
    copies.copy_derived(imported.data / "derived", tmp_path / "copy")
    assert list((tmp_path / "copy").rglob("*.json")) == []


def recorded(path):
    link = sqlite3.connect(path, timeout=30)
    found = {row[0] for row in link.execute("select key from runs where status is not null")}
    link.close()
    return found


def polling(root):
    command = [sys.executable, "-m", "citepoll.main", "poll"]
    return subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE)


def wait_for(count, path):
    end = time.monotonic() + 60
    while len(recorded(path)) < count and time.monotonic() < end:
        time.sleep(0.02)


def test_a_backup_while_a_poll_writes(project, ledger, at, backup, tmp_path):
    """Of a poll in a process of its own: what it recorded before is in the backup, and it can be gone on with.

    It has too many runs to come to its end meanwhile.
    """
    text = re.sub(r"runs = \d", "runs = 500", (project.root / "citepoll.toml").read_text())
    (project.root / "citepoll.toml").write_text(text)
    (project.root / "fork.md").write_text("# The fork\n\nWhich fork is best depends on the soil. Acme makes a fork.\n")
    corpus.add(project.data / "corpus.db", project.root / "fork.md", base_url="https://acme.com")
    ledger.lock(QuerySet(tuple(Query(f"which fork is best {n}") for n in range(20))), "queries.toml", at)
    poll = polling(project.root)
    try:
        wait_for(40, ledger.path)
        before = recorded(ledger.path)
        back_up(read_project(project.root), ledger, backup, at)
        wait_for(len(before) + 1, ledger.path)
        assert poll.poll() is None
    finally:
        poll.kill()
        poll.communicate()
    restore(backup, tmp_path / "new")
    again = Ledger(tmp_path / "new" / ".citepoll" / "ledger.db")
    again.check()
    kept = recorded(again.path)
    assert len(before) >= 40
    assert before <= kept
    poll = polling(tmp_path / "new")
    wait_for(len(kept) + 20, again.path)
    poll.send_signal(signal.SIGINT)
    said = poll.communicate(timeout=60)[1].decode()
    assert poll.returncode == 130, said
    assert "going on with" in said
    assert kept < recorded(again.path)
    again.check()
