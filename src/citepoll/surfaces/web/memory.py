"""Values that took work to make, kept while what they stand on stays as it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """The `size` values used last. Safe in threads: a value that several ask for at once is made once.

    A key must hold all that its value depends on. What raises is not kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            found: Future[T] | None = self._held.get(key)
            mine = found is None
            if found is None:
                found = self._held[key] = Future()
                while len(self._held) > self._size:
                    self._held.popitem(last=False)
            else:
                self._held.move_to_end(key)
        if mine:
            self._fill(key, found, make)
        return found.result()

    def _fill(self, key: Hashable, waiting: Future[T], make: Callable[[], T]) -> None:
        try:
            waiting.set_result(make())
        except BaseException as wrong:
            with self._lock:
                if self._held.get(key) is waiting:
                    del self._held[key]
            waiting.set_exception(wrong)
