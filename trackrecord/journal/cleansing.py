"""Takes from the journal's rows what later records have erased, so that it is nowhere. DESIGN.md, "Cleansing".

Which positions those are, the store knows once it has folded the record safely: it is asked, and the journal need not know what
erasing, removing and merging mean.
"""

import logging
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from itertools import islice
from typing import Protocol, cast

import msgspec

from ..faults import reach
from ..rules.records import Baseline, Erasure, Event, Gone, Merge, Record, Removal
from ..sqlite import Checkpointer
from .codec import Damaged, decode_records, encode_records

log = logging.getLogger("trackrecord.journal")

RECORDS_A_STEP = 10_000  # rewritten in one transaction, but for a row that alone holds more
QUESTIONS_A_STEP = 100
POSITIONS_A_QUESTION = 1_000
LATE_MS = 60_000  # for so long events of an erased contact may still come, from requests that had found it before

# Asked with (the position of an erasing record, after, limit): the positions above `after` that it took away, in order, up to
# limit; None while the store has not folded it safely.
Erased = Callable[[int, int, int], Sequence[int] | None]


class Knows(Protocol):
    def erased_by(self, position: int, *, after: int, limit: int) -> Sequence[int]: ...


def asking(store: Knows, safe: Callable[[], int]) -> Erased:
    """Ask a store, `safe` being its cursor as a power loss would leave it.

    Not before that has passed the record: a store that was set back would find the event gone from the journal and a copy of it
    there still, and would keep the copy.
    """

    def erased(record: int, after: int, limit: int) -> Sequence[int] | None:
        return store.erased_by(record, after=after, limit=limit) if safe() >= record else None

    return erased


OWING = frozenset({Erasure, Merge, Removal})  # a merge, as it may be into a contact that is erased

SCHEMA = """
CREATE TABLE IF NOT EXISTS owed (
    record INTEGER PRIMARY KEY,  -- position of a record that erases others
    at_ms INTEGER NOT NULL,      -- when it was appended, by our clock
    done INTEGER NOT NULL        -- what it erased at positions up to this one is gone from batches
)
"""


class Owed(msgspec.Struct):
    """One row of the table, and what need not survive a restart: when all that it had erased by then was last found gone."""

    record: int
    at_ms: int
    done: int = 0
    looked_at_ms: int = 0

    @property
    def late_at_ms(self) -> int:
        """From when on nothing more is expected to come late."""
        return self.at_ms + LATE_MS

    @property
    def settled(self) -> bool:
        return self.looked_at_ms >= self.late_at_ms

    def due(self, now_ms: int) -> bool:
        """Looked for twice: as soon as can be, and when nothing comes late any more."""
        return not self.looked_at_ms or (not self.settled and now_ms >= self.late_at_ms)


class Cleansing:
    """What is owed, and the doing of it. For use by the journal's one writer, whose connection it shares."""

    def __init__(self, db: sqlite3.Connection, checkpointer: Checkpointer, *, rows_a_step: int) -> None:
        self._db = db
        self._checkpointer = checkpointer
        self._rows_a_step = rows_a_step
        self._owed = [Owed(*row) for row in db.execute("SELECT record, at_ms, done FROM owed ORDER BY record")]
        self._log_holds = bool(self._owed)  # the log may hold rows as they were

    def owing(self, first: int, records: Sequence[Record], at_ms: int) -> list[Owed]:
        """What is owed once records stand at first, first + 1, …"""
        return [Owed(position, at_ms) for position, record in enumerate(records, first) if type(record) in OWING]

    def insert(self, owed: Sequence[Owed]) -> None:
        """Part of the transaction that appends the records."""
        self._db.executemany("INSERT INTO owed VALUES (?, ?, ?)", [(each.record, each.at_ms, each.done) for each in owed])

    def inserted(self, owed: Sequence[Owed]) -> None:
        """That transaction is committed."""
        self._owed += owed

    def take_over(self, now_ms: int) -> None:
        """Do, and note, what a journal of format 1 owes: it noted nothing. May be repeated. Raises sqlite3.Error.

        The store cannot tell what was erased before it kept that. But format 1 knew erasures alone, and what these take can be
        read off the records: everything of the contact.
        """
        owed: list[Owed] = []
        erased: set[int] = set()
        for first, records in self._rows():
            owed += self.owing(first, records, now_ms)
            erased |= {record.contact for record in records if isinstance(record, Erasure)}
        known = {each.record for each in self._owed}
        self._owed += (new := [each for each in owed if each.record not in known])
        with self._writing():
            self.insert(new)
        self._log_holds = True
        rows = self._rows() if erased else iter(())
        while some := list(islice(rows, self._rows_a_step)):
            with self._writing():
                for first, records in some:
                    if theirs := [position for position, record in enumerate(records, first) if _of(record, erased)]:
                        self._rewrite_row(theirs)

    def _rows(self) -> Iterator[tuple[int, list[Record]]]:
        """The first position and the records of each row that can be read. Rows may be rewritten on the way."""
        after = -1
        while row := self._db.execute(
            "SELECT first, crc, records FROM batches WHERE first > ? ORDER BY first LIMIT 1", (after,)
        ).fetchone():
            after = row[0]
            try:
                yield after, decode_records(*row)
            except Damaged as damaged:
                log.error("what was erased cannot be taken from the journal: %s", damaged)

    def step(self, erased: Erased, *, now_ms: int) -> bool:
        """Do some of what is owed. True when there is more to do at once; else call again in a while. Raises sqlite3.Error."""
        asked = [each for each in self._owed if each.due(now_ms)][:QUESTIONS_A_STEP]
        taken: list[tuple[Owed, Sequence[int]]] = []
        for owed in asked:
            positions = erased(owed.record, owed.done, POSITIONS_A_QUESTION)
            if positions is None:
                break  # nor has the store folded those behind it
            if positions:
                taken.append((owed, positions))
            else:
                owed.looked_at_ms = now_ms
        if taken:
            self._rewrite(taken)
        if taken or len([each for each in asked if each.looked_at_ms == now_ms]) == QUESTIONS_A_STEP:
            return True
        if self._log_holds:
            self._log_holds = not self._checkpointer.empty(self._db)
        if not self._log_holds:
            self._settle()
        return False

    def _rewrite(self, taken: Sequence[tuple[Owed, Sequence[int]]]) -> None:
        """Put Gone in the place of records at some positions, a step's worth of them; note how far that went."""
        # All together, so that a row that holds something of many contacts is rewritten once.
        left: Sequence[int] = sorted(position for _, positions in taken for position in positions)
        rows = records = done = 0
        with self._writing():
            while left and rows < self._rows_a_step and records < RECORDS_A_STEP:
                count, covered = self._rewrite_row(left)
                rows, records = rows + 1, records + count
                done, left = left[covered - 1], left[covered:]
            got_to = [(positions[index - 1], owed) for owed, positions in taken if (index := bisect_right(positions, done))]
            self._db.executemany("UPDATE owed SET done = ? WHERE record = ?", [(position, owed.record) for position, owed in got_to])
            reach("journal.mid-cleansing")
        for position, owed in got_to:
            owed.done = position
        self._log_holds = True

    def _rewrite_row(self, positions: Sequence[int]) -> tuple[int, int]:
        """Rewrite the row that holds the first of these; return how many records it has, and how many of the positions are done."""
        row = self._db.execute(
            "SELECT first, count, crc, records FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1", (positions[0],)
        )
        first, count, crc, blob = row.fetchone() or (0, 0, 0, b"")
        if positions[0] >= first + count:  # trimmed, as are all before the first row
            kept = self._db.execute("SELECT first FROM batches WHERE first > ? ORDER BY first LIMIT 1", (positions[0],)).fetchone()
            return 0, bisect_left(positions, kept[0]) if kept else len(positions)
        covered = bisect_left(positions, first + count)
        try:
            records = decode_records(first, crc, blob)
        except Damaged as damaged:
            log.error("what was erased cannot be taken from the journal: %s", damaged)
            return count, covered
        gone = None
        for place in (position - first for position in positions[:covered]):
            record = records[place]
            if isinstance(record, (Event, Baseline)):
                records[place] = Gone(record.workspace, record.received_at_ms, isinstance(record, Event))
                gone = place
        if gone is not None:
            self._db.execute("UPDATE batches SET crc = ?, records = ? WHERE first = ?", (*_padded(records, gone, crc, blob), first))
        return count, covered

    def _settle(self) -> None:
        settled = [(each.record,) for each in self._owed if each.settled]
        if settled:
            with self._writing():
                self._db.executemany("DELETE FROM owed WHERE record = ?", settled)
            self._owed = [each for each in self._owed if not each.settled]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.rollback()
            raise


def _of(record: Record, contacts: Set[int]) -> bool:
    return isinstance(record, (Event, Baseline)) and record.contact in contacts


def _padded(records: list[Record], gone: int, crc: int, blob: bytes) -> tuple[int, bytes]:
    """The checksum and bytes of a row whose record number `gone` is a Gone, made as long as the row was, or a few bytes shorter.

    When rows of a page change their length SQLite moves others about, and does not overwrite where they stood.
    """
    room = len(blob) + _width(crc)
    padding = room
    while True:
        records[gone] = msgspec.structs.replace(cast(Gone, records[gone]), padding=bytes(padding))
        encoded = encode_records(records)
        surplus = len(encoded[1]) + _width(encoded[0]) - room
        if surplus <= 0 or not padding:
            return encoded
        padding = max(0, padding - surplus)


def _width(number: int) -> int:
    """Bytes that SQLite keeps a checksum in."""
    return next(width for past, width in ((2, 0), (2**7, 1), (2**15, 2), (2**23, 3), (2**31, 4), (2**32, 6)) if number < past)
