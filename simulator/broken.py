"""Parts that break a promise each, to see that the oracle sees: python -m simulator --broken NAME must end with a finding.

To add one, add a row to BROKEN; tests/test_simulator.py tries every row but those that take too many schedules.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from trackrecord.errors import Unavailable
from trackrecord.journal.log import JournalWriter
from trackrecord.rules.records import Event, Gone, Record

from .world import Parts


class Unflushed(JournalWriter):
    """Answers before the disk has the batch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._db.execute("PRAGMA synchronous=NORMAL")


class Hasty(JournalWriter):
    """Says yes whatever the disk says."""

    def append(self, records: Sequence[Record]) -> int:
        try:
            return super().append(records)
        except Unavailable:
            self.head += len(records)
            return self.head - len(records) + 1


class Unwritten(JournalWriter):
    """Leaves what it has refused in the log."""

    def probe(self) -> None:
        pass


class Wrapped:
    """A store that does as the one within."""

    def __init__(self, within: Any) -> None:
        self.within = within

    def cursor(self) -> int:
        cursor: int = self.within.cursor()
        return cursor

    def append(self, first: int, records: Sequence[Record]) -> None:
        self.within.append(first, records)

    def sync(self) -> int:
        safe: int = self.within.sync()
        return safe

    def cleanse(self) -> bool:
        done: bool = self.within.cleanse()
        return done

    def close(self) -> None:
        self.within.close()


class Unsynced(Wrapped):
    """Calls safe what it has only written."""

    def sync(self) -> int:
        return self.cursor()


class Forgetful(Wrapped):
    """Moves its cursor over the last event of a batch, which it does not keep."""

    def append(self, first: int, records: Sequence[Record]) -> None:
        *others, last = records
        super().append(first, [*others, Gone(last.workspace, 0, False) if isinstance(last, Event) else last])


class Doubling(Wrapped):
    """Tells events apart by what they carry, and so keeps copies."""

    def __init__(self, within: Any) -> None:
        super().__init__(within)
        self._keys: set[object] = set()

    def append(self, first: int, records: Sequence[Record]) -> None:
        super().append(first, [self._apart(position, record) for position, record in enumerate(records, first)])

    def _apart(self, position: int, record: Record) -> Record:
        if not isinstance(record, Event):
            return record
        if record.key in self._keys:
            return msgspec.structs.replace(record, distinct=f"{position}")
        self._keys.add(record.key)
        return record


class Skipping(Wrapped):
    """Passes over a batch that fails."""

    def append(self, first: int, records: Sequence[Record]) -> None:
        try:
            super().append(first, records)
        except Unavailable:
            super().append(first, [Gone(record.workspace, 0, False) for record in records])


BROKEN: dict[str, tuple[str, Parts]] = {
    "lying-disk": ("the disk says that it has flushed, and has not", Parts(lies=True)),
    "hasty-cleansing": ("the journal is cleansed by what the store has folded, safe or not", Parts(folded=lambda told: told.cursor)),
    "unflushed-journal": ("the journal answers before the disk has the batch", Parts(journal=Unflushed)),
    "hasty-journal": ("the journal says yes whatever the disk says", Parts(journal=Hasty)),
    "unwritten-journal": ("the journal leaves what it has refused in its log", Parts(journal=Unwritten)),
    "unsynced-store": ("the store calls safe what it has only written", Parts(store=Unsynced)),
    "trim-ahead": ("the journal is trimmed by what the store has folded, safe or not", Parts(passed=lambda told: told.cursor)),
    "forgetful-store": ("the store's cursor is ahead of its work", Parts(store=Forgetful)),
    "doubling-store": ("the store keeps copies", Parts(store=Doubling)),
    "skipping-store": ("the store passes over a batch that fails", Parts(store=Skipping)),
}
