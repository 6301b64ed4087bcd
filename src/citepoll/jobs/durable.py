"""Durable work on DBOS: what is put in is carried out, one at a time per project, also after a kill and a restart."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from citepoll.errors import LedgerError
from citepoll.project import environment
from citepoll.store.schema import ledger_errors

FILE: Final = "jobs.db"
SHAPE: Final = "1"
"""Of what is put in. DBOS takes up only work of its own version: this one changes when older work cannot be read any more."""
MOST_STARTS: Final = 50
"""Of one piece of work, by restarts: work that brings the server down does not do so for ever."""
LOOK_SECONDS: Final = 1.0

Work = Callable[..., str]


class Ended(BaseException):
    """Raised by work that the end of the server broke off. DBOS records exceptions and results, and this is neither: the
    work stays unfinished, and the next server takes it up."""


class Durable:
    """DBOS with its file in the folder `home`. There is one at a time in a process."""

    def __init__(self, home: Path, works: Mapping[str, Work]) -> None:
        self._home, self._works = home, works
        self._lock = FileLock(home / "jobs.lock", timeout=0, thread_local=False)
        self._dbos: Any = None
        self._registered: dict[str, Any] = {}

    def start(self) -> None:
        """Begin to carry out what is waiting or unfinished. Raises `LedgerError` where another server does so already."""
        self._home.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise LedgerError(
                "Another `citepoll serve` carries out the polls of this folder.", "Use that one, or end it."
            ) from None
        path = self._home / FILE
        try:
            with ledger_errors(path):
                self._launch(path)
        except BaseException:
            self.end(0.0)
            raise

    def _launch(self, path: Path) -> None:
        if environment("DBOS__CLOUD"):
            raise LedgerError(
                "DBOS__CLOUD is set, with which background work would go to another host.", "Unset DBOS__CLOUD."
            )
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._dbos = import_module("dbos")  # takes half a second, which only a server should wait for
        self._dbos.DBOS(config={
            "name": "citepoll", "system_database_url": f"sqlite:///{path.resolve()}", "application_version": SHAPE,
            "executor_id": "citepoll", "serializer": self._dbos.DBOSPortableJSONSerializer(),
            "log_level": "ERROR", "enable_otlp": False, "use_listen_notify": False,
            "scheduler_polling_interval_sec": 3600.0,
        })  # fmt: skip
        dbos = self._dbos.DBOS
        self._registered = {
            name: dbos.workflow(name=name, max_recovery_attempts=MOST_STARTS)(_plain(work))
            for name, work in self._works.items()
        }
        dbos.launch()
        for name in self._works:
            dbos.register_queue(name, partition_concurrency=1, polling_interval_sec=LOOK_SECONDS)

    def put(self, name: str, project: str, key: str, *arguments: str) -> None:
        """Have the work of that name carried out for a project, after what it has waiting. The same `key` counts once."""
        with (
            self._dbos.SetWorkflowID(key),
            self._dbos.SetEnqueueOptions(queue_partition_key=project),
        ):
            self._dbos.DBOS.enqueue_workflow(name, self._registered[name], project, *arguments)

    def knows(self, key: str) -> bool:
        """Whether something was put in under that key, however it ended."""
        return self._dbos.DBOS.get_workflow_status(key) is not None

    def end(self, seconds: float) -> None:
        """Let go of DBOS, after waiting so long at most for work that was told to end."""
        if self._dbos is not None:
            closing = threading.Thread(target=self._dbos.DBOS.destroy, kwargs={"destroy_registry": True}, daemon=True)
            closing.start()
            closing.join(seconds)
        self._dbos = None
        self._lock.release()


def _plain(work: Work) -> Work:
    """DBOS marks the functions that it is given, which a bound method does not allow."""

    def carried_out(*arguments: str) -> str:
        return work(*arguments)

    return carried_out
