"""Recording attempts as they come: all that are ready at one moment go into one durable transaction."""

from __future__ import annotations

import asyncio

from citepoll.errors import LedgerError
from citepoll.store.attempts import Entry, record_all
from citepoll.store.ledger import Ledger


class Recorder:
    """Writes attempts. What `record` has returned from is on the disk."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []

    async def record(self, entry: Entry) -> None:
        """Wait until the attempt is durable. Raises `LedgerError` where it cannot be written."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._write)
        self._waiting.append((entry, done))
        await done

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        problem: LedgerError | None = None
        try:
            record_all(self._ledger, [entry for entry, _ in waiting])
        except LedgerError as wrong:
            problem = wrong
        for _, done in waiting:
            if done.done():
                continue
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)
