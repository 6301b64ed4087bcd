from concurrent.futures import ThreadPoolExecutor

from citepoll.service.deriving import derive
from citepoll.service.importing import import_file
from citepoll.store.derived import Derived


def test_many_who_ask_at_once_have_the_tables_made_once(project, ledger, row, jsonl, at, monkeypatch):
    import_file(project, ledger, jsonl(*(row(run=n) for n in range(1, 6))), "c", at=at)
    cycle, written, write = ledger.cycle("c"), [], Derived.write
    monkeypatch.setattr(Derived, "write", lambda self, *given: written.append(1) or write(self, *given))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: derive(project, ledger, cycle, at).table("answers").collect().height, range(6)))
    assert found == [5] * 6
    assert written == [1]
