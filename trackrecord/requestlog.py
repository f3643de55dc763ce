"""The log of refused and failed requests: what was asked, what was answered, and the exact cause, for whoever looks for a request id.

One SQLite file of its own, written by a thread of its own from a bounded queue, so that no answer waits for it and none fails by it.
What cannot be kept is dropped, counted and told. Nothing here is needed for anything else: the file may be deleted while no server runs.

Kept of a request are its path without the query, who asked from where, the error as it was answered, and its cause; never a header
that carries a secret, a body or the query. Messages and causes may repeat the one value they are about, such as an identifier.
"""

import contextlib
import logging
import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from .errors import DataDirectoryUnusable, Unavailable
from .rules.requests import Entry, Wanted
from .sqlite import connect, cut_log

log = logging.getLogger("trackrecord.requests")

QUEUE_MAX = 5_000  # entries that wait for the disk; past it they are dropped
BATCH_MAX = 1_000  # entries of one transaction
GATHER_S = 0.05  # for more to come before a batch is written
AGAIN_S = 1.0  # between tries while the file cannot be written
FORGET_MAX = 20  # texts looked for in one transaction, so that none takes long
PRUNE_EVERY_S = 60.0
PRUNE_AFTER = 10_000  # entries written, where they come faster than that
PRUNE_MAX = 5_000  # entries removed in one transaction, so that none takes long
LOOK_S = 5.0  # how long a search waits for what was noted before it
CAUSE_MAX, TEXT_MAX = 8_000, 500  # characters kept of a cause (its end: there a traceback says what happened), and of other texts
DAY_MS = 86_400_000

_SECRETS = re.compile(r"\btr_[\w-]{8,}|(?i:(bearer|basic) )[\w+/=.~-]{8,}")


def without_secrets(text: str) -> str:
    """The text with what looks like an access token or credentials taken out."""
    return _SECRETS.sub(lambda found: f"{found[1]} …" if found[1] else "tr_…", text)


class Found(NamedTuple):
    entries: list[tuple[int, Entry]]  # each with its number, newest first
    total: int


_COLUMNS = ", ".join(Entry._fields)
_TEXTS = ("method", "path", "message", "field", "client", "user_agent")
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    {_COLUMNS}
);
CREATE INDEX IF NOT EXISTS requests_by_id ON requests (request_id);
CREATE INDEX IF NOT EXISTS requests_by_workspace ON requests (workspace, number);
CREATE TABLE IF NOT EXISTS dropped (count INTEGER NOT NULL);
"""
_INSERT = f"INSERT INTO requests ({_COLUMNS}) VALUES ({', '.join('?' * len(Entry._fields))})"  # noqa: S608 - names of ours
_SAID = "lower(path || '/ ' || ifnull(message, '') || ' ' || ifnull(cause, ''))"  # where a text to forget may stand


class RequestLog:
    """Takes entries from any thread, and keeps them `keep_days`, at most `keep_rows` of them. `now` gives Unix seconds."""

    def __init__(self, path: Path, *, keep_days: float, keep_rows: int, now: Callable[[], float]) -> None:
        self._path = path
        self._keep_ms = int(keep_days * DAY_MS)
        self._keep_rows = keep_rows
        self._now = now
        self._queue: deque[Entry] = deque()
        self._noted = self._written = 0  # entries ever taken in; of those, in the file
        self._dropped = self._dropped_told = 0  # entries ever dropped; of those, counted in the file
        self._forgotten: deque[tuple[int, int, str]] = deque()  # entries noted before, a workspace, and a text to forget in those
        self._log_holds = True  # the file's write-ahead log may hold entries that were removed; a start does not know
        self._trouble: str | None = None
        self._prune_at = (0.0, 0)  # the next time by the monotonic clock, and the next count of entries written
        self._counting = threading.Lock()  # held for a moment: how many were noted, and in which order
        self._wake = threading.Event()
        self._wake.set()
        self._stop = threading.Event()
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="request log", daemon=True)
        self._thread.start()

    def note(self, entry: Entry) -> None:
        """Keep an entry, some time soon. Never blocks and never raises."""
        with self._counting:
            if len(self._queue) >= QUEUE_MAX:
                self._dropped += 1
                return
            self._noted += 1
            self._queue.append(entry)
        self._wake.set()

    def forget(self, workspace: int, texts: Sequence[str]) -> None:
        """Remove, some time soon, the entries noted so far of a workspace, or of none, that have one of these texts in their path,
        message or cause. Texts are in lower case; a path counts as if it ended in a slash. Never blocks and never raises.
        """
        with self._counting:
            self._forgotten.extend((self._noted, workspace, text) for text in texts)
        self._wake.set()

    def search(self, wanted: Wanted, *, limit: int, workspace: int | None = None, before: int | None = None) -> Found:
        """As `search` below, after all that was noted before the call, if that takes no longer than LOOK_S. Raises Unavailable."""
        until = self._noted
        with self._progress:
            self._progress.wait_for(lambda: self._written >= until, LOOK_S)
        return search(self._path, wanted, limit=limit, workspace=workspace, before=before)

    def close(self) -> None:
        """Write what waits, if that can be done at once."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        while True:
            self._wake.wait(AGAIN_S if self._log_holds else PRUNE_EVERY_S)
            self._stop.wait(GATHER_S)
            self._wake.clear()
            try:
                if db is None:
                    db = _open(self._path)
                while self._queue or self._forgotten:
                    if self._queue:
                        self._write(db)
                        self._prune(db)
                    if self._forgotten and self._forgotten[0][0] <= self._written:
                        self._forget(db)
                self._prune(db)
                if self._log_holds:
                    self._log_holds = not cut_log(db)
                self._tell(None)
            except (sqlite3.Error, OSError) as error:
                # A full disk, a file that is not ours: the queue holds what it can meanwhile, and we try again.
                self._tell(str(error))
                if db is not None:
                    with contextlib.suppress(sqlite3.Error):
                        db.close()
                    db = None
                if not self._stop.wait(AGAIN_S):
                    self._wake.set()
            if self._stop.is_set() and (not self._queue or self._trouble is not None):
                break
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def _write(self, db: sqlite3.Connection) -> None:
        batch = [self._queue[at] for at in range(min(BATCH_MAX, len(self._queue)))]
        dropped = self._dropped - self._dropped_told
        with _transaction(db):
            db.executemany(_INSERT, [_cut(entry) for entry in batch])
            if dropped:
                db.execute("UPDATE dropped SET count = count + ?", (dropped,))
        for _ in batch:
            self._queue.popleft()
        if dropped:
            self._dropped_told += dropped
            log.warning("%s entries of the request log were dropped: they came faster than they could be written", dropped)
        with self._progress:
            self._written += len(batch)
            self._progress.notify_all()

    def _prune(self, db: sqlite3.Connection) -> None:
        """Remove what is too old or too much, when it is time."""
        at, count = self._prune_at
        if time.monotonic() < at and self._written < count:
            return
        self._prune_at = (time.monotonic() + PRUNE_EVERY_S, self._written + PRUNE_AFTER)
        oldest_ms = int(self._now() * 1000) - self._keep_ms
        while True:
            with _transaction(db):
                removed = db.execute(
                    "DELETE FROM requests WHERE number IN (SELECT number FROM requests WHERE at_ms < ? OR number <= "
                    "(SELECT max(number) FROM requests) - ? ORDER BY number LIMIT ?)",
                    (oldest_ms, self._keep_rows, PRUNE_MAX),
                ).rowcount
            self._log_holds |= removed > 0
            if removed < PRUNE_MAX or self._stop.is_set():
                return

    def _forget(self, db: sqlite3.Connection) -> None:
        """Remove what names somebody, for some of the texts that wait: of those before which all that was noted is written."""
        with self._counting:
            waiting = [each for each in islice(self._forgotten, FORGET_MAX) if each[0] <= self._written]
        with _transaction(db):
            for workspace in {workspace for _, workspace, _ in waiting}:
                texts = [text for _, of, text in waiting if of == workspace]
                names = " OR ".join([f"instr({_SAID}, ?)"] * len(texts))
                db.execute(f"DELETE FROM requests WHERE (workspace = ? OR workspace IS NULL) AND ({names})", (workspace, *texts))  # noqa: S608
        for _ in waiting:
            self._forgotten.popleft()
        self._log_holds = True

    def _tell(self, trouble: str | None) -> None:
        """Say once that the file cannot be written, and once that it can be again."""
        if trouble is not None and self._trouble is None:
            log.warning("the request log cannot be written: %s. Requests are answered as before; up to %s of them wait", trouble, QUEUE_MAX)
        elif trouble is None and self._trouble is not None:
            log.info("the request log can be written again")
        self._trouble = trouble


def _open(path: Path) -> sqlite3.Connection:
    db = connect(path, cache_mb=2)
    try:
        db.execute("PRAGMA wal_autocheckpoint=1000")
        db.execute("PRAGMA secure_delete=ON")  # dropped means overwritten: causes may name people
        db.executescript(_SCHEMA)
        if db.execute("SELECT count(*) FROM dropped").fetchone()[0] == 0:
            db.execute("INSERT INTO dropped VALUES (0)")
    except BaseException:
        db.close()
        raise
    return db


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _cut(entry: Entry) -> Entry:
    """Without secrets, also where somebody wrote one into a path by a slip, and not longer than is kept."""
    texts: dict[str, Any] = {name: without_secrets(value)[:TEXT_MAX] for name in _TEXTS if (value := getattr(entry, name))}
    return entry._replace(cause=None if entry.cause is None else without_secrets(entry.cause)[-CAUSE_MAX:], **texts)


def search(path: Path, wanted: Wanted, *, limit: int, workspace: int | None = None, before: int | None = None) -> Found:
    """Up to `limit` entries that are wanted, newest first, and how many are in all.

    `workspace` is its number, None for all and for what belongs to none; `before` is an entry's number, to go on behind it.
    Raises Unavailable when the file cannot be read.
    """
    clauses: dict[str, Sequence[Any] | None] = {
        "workspace = ?": None if workspace is None else (workspace,),
        "request_id = ?": None if wanted.request_id is None else (wanted.request_id,),
        "status BETWEEN ? AND ?": wanted.status,
        "code = ?": None if wanted.code is None else (wanted.code,),
        "substr(path, 1, ?) = ?": None if wanted.path is None else (len(wanted.path), wanted.path),
        "at_ms >= ?": None if wanted.since is None else (wanted.since * 1000,),
        "at_ms < ?": None if wanted.until is None else ((wanted.until + 1) * 1000,),
    }
    chosen = {clause: values for clause, values in clauses.items() if values is not None}
    where = " AND ".join(chosen) or "1"
    values = [value for some in chosen.values() for value in some]
    if not path.exists():
        return Found([], 0)
    try:
        with contextlib.closing(connect(path, readonly=True, cache_mb=2)) as db:
            db.execute("BEGIN")
            total = db.execute(f"SELECT count(*) FROM requests WHERE {where}", values).fetchone()[0]  # noqa: S608 - clauses of ours
            rows = db.execute(
                f"SELECT number, {_COLUMNS} FROM requests WHERE {where} AND number < ? ORDER BY number DESC LIMIT ?",  # noqa: S608
                [*values, before if before is not None else 1 << 62, limit],
            ).fetchall()
    except sqlite3.Error as error:
        raise Unavailable(f"the request log cannot be read now: {error}") from None
    return Found([(row[0], Entry(*row[1:])) for row in rows], total)


def dropped(path: Path) -> int:
    """How many entries could not be kept since the file was made. Raises DataDirectoryUnusable."""
    if not path.exists():
        return 0
    try:
        with contextlib.closing(connect(path, readonly=True, cache_mb=1)) as db:
            return int(db.execute("SELECT count FROM dropped").fetchone()[0])
    except sqlite3.Error as error:
        raise DataDirectoryUnusable(f"{path} cannot be read: {error}") from None
