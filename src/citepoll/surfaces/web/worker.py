"""The port for background work, so that pages and programs can start polls without knowing who carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Order:
    """A poll to start. `cycle` None: go on with what is open, else a new one named by the date; `over` as in `36h`."""

    cycle: str | None = None
    over: str | None = None
    retry: bool = False
    stop_at: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What background work does for a project now. `reason` says why it does nothing, or what failed, in a sentence."""

    state: Literal["idle", "running", "paused", "stopping", "failed"]
    cycle: str | None = None
    reason: str = ""


class Worker(Protocol):
    """Polls one cycle at a time per project. Methods return at once and may be called from any thread.

    They raise `CitepollError` with cause and fix where the order cannot be taken.
    """

    def start(self, project: str, order: Order) -> Standing: ...

    def pause(self, project: str) -> Standing: ...

    def resume(self, project: str) -> Standing: ...

    def stop(self, project: str) -> Standing: ...

    def standing(self, project: str) -> Standing: ...
