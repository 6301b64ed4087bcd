"""The port for background work, so that pages and programs can start polls without knowing who carries them out."""

from __future__ import annotations

from typing import Protocol

from citepoll.service.background import Order, Standing

__all__ = ["Order", "Standing", "Worker"]


class Worker(Protocol):
    """Polls one cycle at a time per project. Methods return at once and may be called from any thread.

    They raise `CitepollError` with cause and fix where the order cannot be taken; what fails later stands in `standing`,
    in the project's health and in the audit log. `pause` and `stop` let the calls in flight finish; `stop` closes the
    cycle as it is. Progress stands in the ledger.
    """

    def start(self, project: str, order: Order) -> Standing: ...

    def pause(self, project: str) -> Standing: ...

    def resume(self, project: str) -> Standing: ...

    def stop(self, project: str) -> Standing: ...

    def standing(self, project: str) -> Standing: ...
