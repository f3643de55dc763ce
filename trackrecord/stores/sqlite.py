"""The event store in one SQLite file, events.db. The choices, their figures, and what grows with what: DESIGN.md.

The tables are in sqlite_schema.py, how a batch enters them in sqlite_append.py, its keys in sqlite_keys.py, an event's row in
sqlite_rows.py, how events leave in sqlite_take.py, how they are searched in sqlite_search.py and checked in sqlite_check.py, and
what became of each in sqlite_receipts.py.
"""

import json
import sqlite3
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from ..errors import DataDirectoryUnusable, Unavailable
from ..faults import reach
from ..rules.records import Event, Record
from ..sqlite import Checkpointer, connect
from .base import (
    PAGE_METADATA_BYTES,
    Changes,
    Copies,
    Found,
    Moment,
    Moved,
    NameKey,
    NameTotal,
    Page,
    Place,
    Receipt,
    Receipts,
    Selection,
    StoredEvent,
    Summary,
)
from .sqlite_append import Appender
from .sqlite_check import problems
from .sqlite_keys import tables
from .sqlite_receipts import copies, receipt, receipts
from .sqlite_rows import event_of, events_at, values_at
from .sqlite_schema import SCHEMA_DAMAGED, prepare
from .sqlite_search import EVENTS_A_QUERY, INT64_MAX, INT64_MIN, search

READER_CACHE_MB = 8  # each; there are as many as reads at one time
READERS_KEPT = 8  # connections kept open between reads
SCAN_POSITIONS = 512  # looked at in one step of a scan; no step holds a snapshot for long, and what it found is held by who scans
SCAN_METADATA_BYTES = 256 << 10  # past which a step ends before
GATHER_MAX = 100_000  # positions a scan of chosen contacts sorts in memory; with more, reading everything is as fast

LOG_BYTES = 64 << 20  # a longer log is copied back into the file; in a long one, many changes of a page are copied as one


class SqliteReader:
    """An EventReader of events.db; any thread of any process may use it while another process writes.

    Raises DataDirectoryUnusable when the file cannot be opened or is of a newer version, and Unavailable from every read
    that SQLite cannot answer.
    """

    def __init__(self, path: Path) -> None:
        prepare(path)
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    def cursor(self) -> int:
        with self._reading() as db:
            position: int = db.execute("SELECT cursor FROM progress").fetchone()[0]
            return position

    def page(
        self, contact: int, *, limit: int, before: Moment | None = None, since: Moment | None = None, oldest: int | None = None
    ) -> Page:
        since = max(since or Moment(INT64_MIN, 0), Moment(INT64_MIN if oldest is None else oldest, 0))
        with self._reading() as db:
            found = _moments(db, contact, limit + 1, before, since)
            events, at, size = [], [], 0
            for start in range(0, min(limit, len(found)), EVENTS_A_QUERY):
                some = found[start : min(limit, start + EVENTS_A_QUERY)]
                stored = events_at(db, [position for _, position in some])
                for moment, position in some:
                    if position in stored and size <= PAGE_METADATA_BYTES:
                        events.append(stored[position])
                        at.append(moment)
                        size += len(stored[position].event.metadata)
                if size > PAGE_METADATA_BYTES:
                    break
        return Page(events=events, at=at, more=len(events) < len(found))

    def summary(self, contact: int) -> list[Summary]:
        with self._reading() as db:
            recorded = db.execute("SELECT name, count, first, last FROM summaries WHERE contact = ?", (contact,)).fetchall()
            if not recorded:
                recorded = db.execute(
                    "SELECT name, count(*), min(created_at), max(created_at) FROM event_keys WHERE contact = ? GROUP BY name", (contact,)
                ).fetchall()
            baselines = db.execute("SELECT name, count, first, last FROM baselines WHERE contact = ?", (contact,)).fetchall()
        rows = {name: Summary(name, count, first, last) for name, count, first, last in recorded}
        for name, count, first, last in baselines:
            known = rows.get(name, Summary(name=name, count=0, first=None, last=None))
            rows[name] = Summary(
                name=name,
                count=known.count + count,
                first=min((time for time in (known.first, first) if time is not None), default=None),
                last=max((time for time in (known.last, last) if time is not None), default=None),
            )
        return sorted(rows.values(), key=lambda row: (row.last is None, -(row.last or 0), row.name))

    def receipt(self, position: int) -> Receipt | None:
        with self._reading() as db:
            return receipt(db, position)

    def copies(self, position: int, *, limit: int) -> Copies:
        with self._reading() as db:
            return copies(db, position, limit=limit)

    def receipts(
        self,
        workspaces: Collection[int],
        *,
        after: int,
        upto: int,
        limit: int,
        newest: bool = False,
        names: Collection[int] = (),
        contacts: Collection[int] = (),
        outcome: str | None = None,
    ) -> Receipts:
        with self._reading() as db:
            return receipts(
                db,
                workspaces,
                after=after,
                upto=upto,
                limit=limit,
                newest=newest,
                names=names,
                contacts=contacts,
                outcome=outcome,
            )

    def duplicates(self, first: int, last: int) -> list[int]:
        with self._reading() as db:
            rows = db.execute("SELECT position FROM duplicates WHERE position BETWEEN ? AND ? ORDER BY position", (first, last))
            return [position for (position,) in rows]

    def name_totals(self, workspace: int) -> list[NameTotal]:
        with self._reading() as db:
            rows = db.execute(
                """SELECT name, count, first, last, duplicates, keys_dropped FROM name_totals
                WHERE workspace = ? ORDER BY count DESC, name""",
                (workspace,),
            )
            return [NameTotal(*row) for row in rows]

    def day_totals(self, name: int, *, first: int, last: int) -> list[tuple[int, int]]:
        with self._reading() as db:
            return db.execute(
                "SELECT day, count FROM day_totals WHERE name = ? AND day BETWEEN ? AND ? ORDER BY day", (name, first, last)
            ).fetchall()

    def scan(self, selection: Selection, *, after: int = 0) -> Iterator[StoredEvent]:
        end = self.cursor()
        positions = self._gather(selection, after, end) if selection.contacts else None
        if positions is None:
            return self._scan_all(selection, after, end)
        return self._scan_positions(selection.workspace, positions)

    def search(
        self,
        selection: Selection,
        *,
        limit: int,
        look_max: int,
        before: Place | None = None,
        wanted: Callable[[Event], bool] | None = None,
    ) -> Found:
        with self._reading() as db:
            return search(db, selection, limit=limit, look_max=look_max, before=before, wanted=wanted)

    def name_keys(self, workspace: int, names: Collection[int] | None = None) -> list[NameKey]:
        with self._reading() as db:
            rows = db.execute(
                """SELECT k.name, k.key, k.kind, k.count FROM name_totals t JOIN name_keys k USING (name)
                WHERE t.workspace = :workspace AND (:all OR t.name IN (SELECT value FROM json_each(:names)))
                ORDER BY k.name, k.count DESC, k.key, k.kind""",
                {"workspace": workspace, "all": names is None, "names": json.dumps(list(names or ()))},
            )
            return [NameKey(*row) for row in rows]

    def highest(self) -> tuple[int, int]:
        with self._reading() as db:
            contact = max(db.execute(f"SELECT coalesce(max(contact), 0) FROM {table.name}").fetchone()[0] for table in tables(db))  # noqa: S608
            name: int = db.execute("SELECT coalesce(max(name), 0) FROM name_totals").fetchone()[0]
        return contact, name

    def merged(self) -> dict[int, int]:
        with self._reading() as db:
            return dict(db.execute("SELECT source, target FROM merged").fetchall())

    def erased(self) -> frozenset[int]:
        with self._reading() as db:
            return frozenset(contact for (contact,) in db.execute("SELECT contact FROM erased"))

    def erased_by(self, position: int, *, after: int, limit: int) -> list[int]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT position FROM erased_by WHERE record = ? AND position > ? ORDER BY position LIMIT ?", (position, after, limit)
            )
            return [erased for (erased,) in rows]

    def changes(self, after: int, seen: int, *, limit: int) -> Changes:
        with self._reading() as db:
            (head,) = db.execute("SELECT cursor FROM progress").fetchone()
            rows = db.execute(
                """SELECT e.position, ifnull(m.final, e.contact), e.name, e.created_at
                FROM events e LEFT JOIN merged m ON m.source = e.contact
                WHERE e.position > ? AND e.workspace > 0 ORDER BY e.position LIMIT ?""",
                (after, limit),
            ).fetchall()
            gone = db.execute(
                """SELECT position FROM erased_by WHERE record > :seen AND position <= :after
                UNION ALL SELECT position FROM duplicates WHERE by_merge > :seen AND by_merge > 0 AND position <= :after""",
                {"after": after, "seen": seen},
            )
            moved = db.execute(
                "SELECT position, source, final FROM merged WHERE position > ? OR ? = 0 ORDER BY position, source", (seen, seen)
            )
            standing, merges = db.execute(
                "SELECT (SELECT ifnull(sum(count), 0) FROM name_totals), (SELECT count(*) FROM merged)"
            ).fetchone()
            return Changes(
                cursor=rows[-1][0] if len(rows) == limit else head,
                head=head,
                rows=array("q", chain.from_iterable(rows)),
                gone=[position for (position,) in gone],
                moved=[Moved(*row) for row in moved],
                standing=standing,
                merges=merges,
            )

    def values(self, key: str, positions: Sequence[int]) -> list[tuple[int, str, bytes]]:
        with self._reading() as db:
            return values_at(db, key, positions)

    def problems(self) -> Iterator[str]:
        with self._reading() as db:
            yield from problems(db)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    # Scans. Each step is a read of its own, so that the log never has to wait for a slow caller.

    def _gather(self, selection: Selection, after: int, end: int) -> list[int] | None:
        """The positions of the chosen contacts' events, in order; None when they are too many to hold."""
        positions: list[int] = []
        for contact in sorted(set(selection.contacts)):
            with self._reading() as db:
                rows = db.execute(
                    """SELECT position FROM event_keys
                    WHERE contact = :contact AND created_at >= :since AND created_at < :until
                    AND position > :after AND position <= :end
                    AND (:any_name OR name IN (SELECT value FROM json_each(:names)))
                    LIMIT :most""",
                    {**_bounds(selection), "contact": contact, "after": after, "end": end, "most": GATHER_MAX - len(positions) + 1},
                )
                positions += [position for (position,) in rows]
            if len(positions) > GATHER_MAX:
                return None
        return sorted(positions)

    def _scan_positions(self, workspace: int, positions: list[int]) -> Iterator[StoredEvent]:
        looked = 0
        while looked < len(positions):
            found, size = [], 0
            with self._reading() as db:
                for position in positions[looked : looked + SCAN_POSITIONS]:
                    looked += 1
                    stored = _event_at(db, position)
                    if stored and stored.event.workspace == workspace:
                        found.append(stored)
                        size += len(stored.event.metadata)
                        if size > SCAN_METADATA_BYTES:
                            break
            yield from found

    def _scan_all(self, selection: Selection, after: int, end: int) -> Iterator[StoredEvent]:
        contacts = frozenset(selection.contacts)
        bounds = _bounds(selection)
        while True:
            with self._reading() as db:
                (start,) = db.execute("SELECT min(position) FROM events WHERE position > ?", (after,)).fetchone()
                if start is None or start > end:
                    return
                after = min(start + SCAN_POSITIONS - 1, end)
                found, size = [], 0
                for row in db.execute(
                    """SELECT * FROM standing WHERE position BETWEEN :start AND :stop
                    AND workspace = :workspace AND created_at >= :since AND created_at < :until
                    AND (:any_name OR name IN (SELECT value FROM json_each(:names)))
                    ORDER BY position""",
                    {**bounds, "start": start, "stop": after},
                ):
                    stored = event_of(row)
                    found.append(stored)
                    size += len(stored.event.metadata)
                    if size > SCAN_METADATA_BYTES:
                        after = stored.position
                        break
            yield from (stored for stored in found if not contacts or stored.event.contact in contacts)

    # Connections.

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one read, which sees the file as of one moment."""
        try:
            db = self._take()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                self._give_back(db)
        except sqlite3.Error as error:
            raise Unavailable(f"The events cannot be read just now: {error}") from error
        except UnicodeDecodeError:  # of SQLite's own words about a schema that is no text any more
            raise Unavailable(f"The events cannot be read just now: {SCHEMA_DAMAGED}") from None

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise Unavailable("The events cannot be read any more: the store is closed")
            if self._idle:
                return self._idle.pop()
        return connect(self._path, readonly=True, cache_mb=READER_CACHE_MB)

    def _give_back(self, db: sqlite3.Connection) -> None:
        if db.in_transaction:
            db.execute("ROLLBACK")
        with self._lock:
            if not self._closed and len(self._idle) < READERS_KEPT:
                self._idle.append(db)
                return
        db.close()


class SqliteStore(SqliteReader):
    """The EventStore in events.db. One at a time should write; a second one for a moment does no harm."""

    def __init__(self, path: Path, *, checkpointer: Callable[..., Checkpointer] = Checkpointer, **sizes: int) -> None:
        """`sizes`: as Appender's, which are what they should be but for tests."""
        super().__init__(path)
        self._db = connect(path)
        self._db.execute("PRAGMA secure_delete=ON")  # erased means overwritten, not only unreachable
        self._appender = Appender(self._db, **sizes)
        self._appender.taker.took = True  # by who wrote before us, as far as we know
        self._writes = threading.RLock()
        self._checkpointer = checkpointer(path, limit_bytes=LOG_BYTES, look_every=1)

    def append(self, first: int, records: Sequence[Record]) -> None:
        with self._writing():
            self._appender.append(first, records)
        reach("store.after-commit")
        with self._writes, suppress(sqlite3.Error):  # the batch is kept; a log that cannot be copied now waits for a later poke
            self._checkpointer.poke(self._db)

    def sync(self) -> int:
        # In NORMAL a commit is written and not flushed. One commit in FULL flushes the log with all that went before it,
        # and costs one flush where a checkpoint costs a copy of the log. It has to change something: no change, no flush.
        with self._writes:
            self._make_sure()
            self._db.execute("PRAGMA synchronous=FULL")
            try:
                with self._writing():
                    self._db.execute("UPDATE progress SET syncs = syncs + 1")
                    cursor: int = self._db.execute("SELECT cursor FROM progress").fetchone()[0]
            finally:
                self._db.execute("PRAGMA synchronous=NORMAL")
        return cursor

    def cleanse(self) -> bool:
        # What is deleted is overwritten in its pages, but the log still holds these as they were before.
        taker = self._appender.taker
        with self._writes, suppress(sqlite3.Error):  # a full disk: a later call tries again
            if taker.took and self._checkpointer.empty(self._db):
                taker.took = False
        return not taker.took

    def close(self) -> None:
        self._checkpointer.close()
        super().close()
        with self._writes:
            with suppress(sqlite3.Error):
                self._checkpointer.make_sure(self._db)
            self._db.close()  # the last connection copies the log and removes it

    def _make_sure(self) -> None:
        try:
            self._checkpointer.make_sure(self._db)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The events cannot be kept just now: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, kept whole or not at all. Raises Unavailable where a later try may work."""
        with self._writes:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                self._appender.forget()
                self._checkpointer.failed(error)
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise Unavailable(f"The events cannot be kept just now: {error}") from error
                if isinstance(error, UnicodeDecodeError):
                    raise DataDirectoryUnusable(f"{self._path.name} is damaged: {SCHEMA_DAMAGED}") from error
                if type(error) is sqlite3.DatabaseError:
                    raise DataDirectoryUnusable(f"{self._path.name} is damaged: {error}") from error
                raise


def _moments(db: sqlite3.Connection, contact: int, limit: int, before: Moment | None, since: Moment) -> list[tuple[Moment, int]]:
    """Up to limit moments of a contact with their positions, newest first, from before `before` down to `since`."""
    found: list[tuple[Moment, int]] = []
    newest = INT64_MAX
    split = tables(db)
    if before is not None:
        newest = before.second - 1
        table = next(each for each in reversed(split) if each.since <= before.second)
        rows = db.execute(  # what stands below `before` in its own second
            f"SELECT position FROM {table.name} WHERE contact = ? AND created_at = ? ORDER BY position LIMIT ?",  # noqa: S608
            (contact, before.second, max(before.rank, 0)),
        ).fetchall()
        found = [(Moment(before.second, rank), position) for rank, (position,) in enumerate(rows)][: -limit - 1 : -1]
    for table in reversed(split):
        if table.since > newest:
            continue
        rows = db.execute(
            f"""SELECT created_at, position FROM {table.name} WHERE contact = ? AND created_at BETWEEN ? AND ?
            ORDER BY created_at DESC, position DESC LIMIT ?""",  # noqa: S608 - a name of ours
            (contact, since.second, newest, limit - len(found)),
        ).fetchall()
        if rows:
            ranks = Counter(second for second, _ in rows)  # of the last one seen of each second
            if len(found) + len(rows) == limit:  # the last second may not be here whole
                oldest = rows[-1][0]
                (ranks[oldest],) = db.execute(
                    f"SELECT count(*) FROM {table.name} WHERE contact = ? AND created_at = ?",  # noqa: S608
                    (contact, oldest),
                ).fetchone()
            for second, position in rows:
                ranks[second] -= 1
                found.append((Moment(second, ranks[second]), position))
        if len(found) == limit or table.since <= since.second:
            break
    return [(at, position) for at, position in found if at >= since]


def _event_at(db: sqlite3.Connection, position: int) -> StoredEvent | None:
    return events_at(db, [position]).get(position)


def _bounds(selection: Selection) -> dict[str, object]:
    return {
        "workspace": selection.workspace,
        "since": INT64_MIN if selection.since is None else selection.since,
        "until": INT64_MAX if selection.until is None else selection.until,
        "any_name": not selection.names,
        "names": json.dumps(list(selection.names)),
    }
