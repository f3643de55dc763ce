"""Folds the journal into the event store."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from ..rules.records import Record

SYNC_EVERY_S = 10.0  # how old the safe cursor may grow while events come in


class Store(Protocol):
    def cursor(self) -> int: ...

    def append(self, first: int, records: Sequence[Record]) -> None: ...

    def sync(self) -> int: ...

    def cleanse(self) -> bool: ...

    def close(self) -> None: ...


class StoreWriter:
    """Its cursor lies in the store, committed with the data, so a batch is never folded twice, whatever crashes when."""

    name = "store-writer"

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock  # seconds, never back
        self._safe = store.sync()
        self._synced_at = clock()

    def cursor(self) -> int:
        return self._store.cursor()

    def handle(self, first: int, records: Sequence[Record]) -> None:
        self._store.append(first, records)
        if self._clock() - self._synced_at > SYNC_EVERY_S:
            self.rest()

    def rest(self) -> bool:
        self._safe = self._store.sync()
        self._synced_at = self._clock()
        return self._store.cleanse()

    def safe(self) -> int:
        return self._safe

    def close(self) -> None:
        self._store.close()
