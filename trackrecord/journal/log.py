"""The journal's file: one row a group commit, holding the whole batch. DESIGN.md beside this file says why.

A record's position is its number in the journal, from 1 on, without end; a row's key is the position of its first record.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import DataDirectoryUnusable, Unavailable
from ..faults import reach
from ..rules.records import Record
from ..sqlite import PAGE_BYTES, Checkpointer, connect
from .cleansing import SCHEMA as OWED_SCHEMA
from .cleansing import Cleansing, Erased
from .codec import Damaged, decode_records, encode_records

FORMAT = 2  # PRAGMA user_version; a higher one was written by a newer Trackrecord. 1 had no table `owed`
ROWS_A_STEP = 64  # deleted by one trim or rewritten by one step of cleansing, so that no commit waits long behind it
READ_BYTES = 16 << 20  # of rows, past which no more are read at once

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    first INTEGER PRIMARY KEY,       -- position of the first record
    count INTEGER NOT NULL,          -- records in the row
    written_at_ms INTEGER NOT NULL,  -- our clock
    crc INTEGER NOT NULL,            -- CRC-32 of records
    records BLOB NOT NULL            -- a MessagePack list of rules/records.py
)
"""


class Batch(NamedTuple):
    first: int
    records: list[Record]

    @property
    def last(self) -> int:
        return self.first + len(self.records) - 1


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _open(path: Path, *, readonly: bool) -> sqlite3.Connection:
    try:
        db = connect(path, durable=True, readonly=readonly, cache_mb=8)
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise DataDirectoryUnusable(f"{path.name} cannot be opened as a journal: {error}") from None
    if version > FORMAT:
        db.close()
        raise DataDirectoryUnusable(f"{path.name} has format {version}; this version reads up to {FORMAT}: use a newer trackrecord")
    return db


class JournalReader:
    """Reads in order, from any process, while the journal is written."""

    def __init__(self, path: Path) -> None:
        self._db = _open(path, readonly=True)

    def read(self, *, after: int, limit: int) -> Batch | None:
        """The records above `after`, about `limit` of them, fewer where they are long (whole rows, at least one); None at the end.

        The first position may lie above after + 1 where older records were trimmed. Raises Unavailable when the file cannot be read.
        """
        try:
            start = self._db.execute("SELECT max(first) FROM batches WHERE first <= ?", (after + 1,)).fetchone()[0]
            rows = self._db.execute("SELECT first, crc, records FROM batches WHERE first >= ? ORDER BY first", (start or 0,))
            first = after + 1
            records: list[Record] = []
            size = 0
            for row_first, crc, blob in rows:
                found = decode_records(row_first, crc, blob)
                if row_first + len(found) <= after + 1:
                    continue
                if records and row_first != first + len(records):
                    break  # positions were skipped here: the next call begins after the gap
                if not records:
                    first = max(row_first, after + 1)
                    found = found[first - row_first :]
                records += found
                size += len(blob)
                if len(records) >= limit or size >= READ_BYTES:
                    break
            rows.close()
        except (sqlite3.Error, Damaged) as error:
            raise Unavailable(f"the journal cannot be read above position {after}: {error}") from None
        return Batch(first, records) if records else None

    def span(self) -> tuple[int, int]:
        """(first, last) positions held; (0, 0) when there are none yet."""
        first = self._db.execute("SELECT first FROM batches ORDER BY first LIMIT 1").fetchone()
        last = self._db.execute("SELECT first + count - 1 FROM batches ORDER BY first DESC LIMIT 1").fetchone()
        return (first[0], last[0]) if first else (0, 0)

    def problems(self) -> Iterator[str]:
        """Verify the file and every row; one plain sentence for each thing that is wrong."""
        for (line,) in self._db.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"journal.db: {line}"
        expected = None
        for first, count, crc, blob in self._db.execute("SELECT first, count, crc, records FROM batches ORDER BY first"):
            if expected is not None and first < expected:
                yield f"journal.db: the row at position {first} begins before the one before it ends"
            try:
                held = len(decode_records(first, crc, blob))
            except Damaged as error:
                yield f"journal.db: {error}"
                held = count
            if held != count:
                yield f"journal.db: the row at position {first} should hold {count} records and holds {held}"
            expected = first + count

    def close(self) -> None:
        self._db.close()


class JournalWriter:
    """Appends and trims; one per data directory, used from one thread."""

    def __init__(
        self,
        path: Path,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
        rows_a_step: int = ROWS_A_STEP,
        checkpointer: Callable[[Path], Checkpointer] = Checkpointer,
    ) -> None:
        self._now_ms = now_ms
        self._rows_a_step = rows_a_step
        self._db = _open(path, readonly=False)
        self._checkpointer = checkpointer(path)
        try:
            self._checkpointer.make_sure(self._db)
            self._db.execute("PRAGMA secure_delete=ON")  # erased means overwritten, not only unreachable
            self._db.execute(_SCHEMA)
            self._db.execute(OWED_SCHEMA)
            self._cleansing = Cleansing(self._db, self._checkpointer, rows_a_step=rows_a_step)
            if self._db.execute("PRAGMA user_version").fetchone()[0] == 1:
                self._upgrade()
            self._db.execute(f"PRAGMA user_version={FORMAT}")
            row = self._db.execute("SELECT first + count - 1 FROM batches ORDER BY first DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            self._checkpointer.close()
            self._db.close()
            raise DataDirectoryUnusable(f"{path.name} cannot be opened as a journal: {error}") from None
        self.head: int = row[0] if row else 0  # the position of the last record

    def _upgrade(self) -> None:
        """From format 1, which took nothing that was erased from its rows, nor overwrote what it trimmed."""
        self._cleansing.take_over(self._now_ms())
        with contextlib.suppress(sqlite3.OperationalError):  # no room for a second copy: what is free is overwritten as it is used
            self._db.execute("VACUUM")
        reach("journal.mid-migration")

    def skip_to(self, position: int) -> None:
        """Never give out positions up to this one: a store has passed them, with a journal that is gone."""
        self.head = max(self.head, position)

    def append(self, records: Sequence[Record]) -> int:
        """Keep records on stable storage; return the position of the first. Raises Unavailable with none of them kept."""
        crc, blob = encode_records(records)
        first, now_ms = self.head + 1, self._now_ms()
        owed = self._cleansing.owing(first, records, now_ms)
        reach("journal.before-commit")
        try:
            if owed:
                self._db.execute("BEGIN IMMEDIATE")
                self._cleansing.insert(owed)
            # One statement is one transaction; in autocommit its end is the commit, and the commit waits for the disk.
            self._db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", (first, len(records), now_ms, crc, blob))
            if owed:
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.rollback()
            # Where only the flush failed, the log holds the batch whole, and a start after a crash would keep it: write over it.
            with contextlib.suppress(Unavailable):
                self.probe()
            raise Unavailable(f"the journal cannot be written: {error}", retry_after_s=2) from None
        reach("journal.after-commit")
        self.head += len(records)
        self._cleansing.inserted(owed)
        return first

    def probe(self) -> None:
        """Write and sync one page, and nothing new. Raises Unavailable when that cannot be done now."""
        try:
            self._db.execute(f"PRAGMA user_version={FORMAT}")
        except sqlite3.Error as error:
            raise Unavailable(f"the journal cannot be written: {error}", retry_after_s=2) from None

    def tidy(self) -> None:
        """Call after commits: keeps the write-ahead log short."""
        try:
            self._checkpointer.poke(self._db)
        except sqlite3.Error:
            return  # a full disk: nothing is lost, and a later call tries again

    def trim(self, *, passed: int, now_ms: int, keep_ms: int, keep_bytes: int) -> int:
        """Drop the oldest rows that every consumer has safely `passed`; return how many records went.

        A row goes when it is older than `keep_ms`, or while the file holds more than `keep_bytes`. The last row always
        stays: it carries the head. At most ROWS_A_STEP rows go in one call.
        """
        records = size = 0
        last = None
        held = self._held_bytes()
        oldest = "SELECT first, count, written_at_ms, length(records) FROM batches ORDER BY first LIMIT ?"
        try:
            for first, count, written_at_ms, length in self._db.execute(oldest, (self._rows_a_step,)).fetchall():
                old = written_at_ms < now_ms - keep_ms
                if first + count - 1 > min(passed, self.head - 1) or not (old or held - size > keep_bytes):
                    break
                last, records, size = first, records + count, size + length
            if last is not None:
                self._db.execute("DELETE FROM batches WHERE first <= ?", (last,))
                reach("journal.after-trim")
        except sqlite3.Error:
            return 0  # a full disk can make even this fail; a later call tries again
        return records

    def cleanse(self, erased: Erased, *, now_ms: int) -> bool:
        """Take what was erased since out of rows that were written before: a step of it. True when there is more to do at once."""
        try:
            return self._cleansing.step(erased, now_ms=now_ms)
        except sqlite3.Error:
            return False  # a full disk: a later call tries again

    def _held_bytes(self) -> int:
        """What the file holds, without the pages that are free for use again."""
        try:
            pages, free = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        except sqlite3.Error:
            return 0
        return int((pages - free) * PAGE_BYTES)

    def close(self) -> None:
        self._checkpointer.close()
        try:
            self._checkpointer.finish(self._db)
        except sqlite3.Error:
            pass  # the log stays beside the file and is read at the next start
        finally:
            self._db.close()
