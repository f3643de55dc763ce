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
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
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
FORGOTTEN_MAX = 20_000  # texts to forget that wait; past it all entries of the workspace go
LOOKED_AT_ONCE = 50  # entries in which such texts are looked for before other threads have their turn
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


_OF_AN_ENTRY = (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError, sqlite3.IntegrityError)
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
_NEXT = f"SELECT number, workspace, {_SAID} FROM requests WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - names of ours
_PIECE = re.compile(r"[^\W_]{1,24}")  # what texts are made of, as far as looking for many at once goes: see Sought


class Sought:
    """Many texts, each of a workspace, looked for in an entry at once.

    A text is made of pieces: runs of letters and digits, cut after 24. Where it stands with none before it, every piece of it that
    is whole, which is all but a short one at its end, is one of the entry's pieces too. So of each text one such piece is known here,
    the one that fewest others have, and only the texts of which an entry has that piece are looked for in it.
    """

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        whole = {
            each: {found[0] for found in _PIECE.finditer(each[1]) if len(found[0]) == 24 or found.end() < len(each[1])} for each in texts
        }
        shared = Counter(piece for pieces in whole.values() for piece in pieces)
        self._by_piece: dict[str, list[tuple[int, str]]] = {}
        self._others: list[tuple[int, str]] = []  # texts of marks alone
        for each, pieces in whole.items():
            if pieces:
                self._by_piece.setdefault(min(pieces, key=lambda piece: (shared[piece], -len(piece), piece)), []).append(each)
            else:
                self._others.append(each)

    def stands_in(self, workspace: int | None, said: str) -> bool:
        """Whether any text of this workspace stands there; of any, where the entry belongs to none."""
        pieces = self._by_piece.keys() & _PIECE.findall(said)
        texts = [*self._others, *(each for piece in pieces for each in self._by_piece[piece])]
        return any(_stands(text, said) for of, text in texts if workspace is None or of == workspace)


def _stands(text: str, said: str) -> bool:
    """Whether a text stands there, and is not the end of a longer word."""
    at = said.find(text)
    while at > 0 and text[0].isalnum() and said[at - 1].isalnum():
        at = said.find(text, at + 1)
    return at >= 0


class RequestLog:
    """Takes entries from any thread, and keeps them `keep_days`, at most `keep_rows` of them. `now` gives Unix seconds."""

    def __init__(self, path: Path, *, keep_days: float, keep_rows: int, now: Callable[[], float]) -> None:
        self._path = path
        self._keep_ms = int(keep_days * DAY_MS)
        self._keep_rows = keep_rows
        self._now = now
        self._queue: deque[Entry] = deque()
        self._noted = self._written = 0  # entries ever taken in; of those, in the file or dropped after all
        self._dropped = self._dropped_told = 0  # entries ever dropped; of those, counted in the file
        self._spoilt = 0  # entries dropped as they could not be written, and not yet counted in the file
        self._alone = 0  # entries to be written each by itself, as one of them cannot be
        self._forgotten: list[tuple[int, int, str]] = []  # entries noted before, a workspace, and a text to forget in those
        self._forget_at = 0.0  # when the next pass for them may begin, by the monotonic clock
        self._cleared: dict[int, int] = {}  # workspaces of which more was to be forgotten than may wait, and entries noted before
        self._log_holds = True  # the file's write-ahead log may hold entries that were removed; a start does not know
        self._trouble: Exception | None = None
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
        message or cause, not as the end of a longer word. Texts are in lower case; a path counts as if it ended in a slash.

        Where more than FORGOTTEN_MAX texts wait, all entries of the workspace go, and those of none. Never blocks and never raises.
        """
        with self._counting:
            if len(self._forgotten) + len(texts) > FORGOTTEN_MAX:
                self._cleared[workspace] = self._noted
                self._forgotten = [each for each in self._forgotten if each[1] != workspace]
            else:
                self._forgotten += [(self._noted, workspace, text) for text in texts]
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
            until = AGAIN_S if self._log_holds else PRUNE_EVERY_S
            self._wake.wait(min(until, max(0.0, self._forget_at - time.monotonic())) if self._owes() else until)
            self._stop.wait(GATHER_S)
            self._wake.clear()
            try:
                if db is None:
                    db = _open(self._path)
                while self._queue or (self._owes() and (self._stop.is_set() or time.monotonic() >= self._forget_at)):
                    self._write_some(db)
                    self._clear(db)
                    self._forget(db)
                self._prune(db)
                if self._log_holds:
                    self._log_holds = not cut_log(db)
                self._tell(None)
            except Exception as error:
                # A full disk, a file that is not ours, or what nobody foresaw: the queue holds what it can meanwhile, and we try again.
                self._tell(error)
                if db is not None:
                    with contextlib.suppress(sqlite3.Error):
                        db.close()
                    db = None
                if not self._stop.wait(AGAIN_S):
                    self._wake.set()
            if self._stop.is_set() and (self._trouble is not None or not (self._queue or self._owes())):
                break
        if self._owes():
            log.warning("entries of the request log that name deleted contacts could not be removed before the server stopped")
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def _owes(self) -> bool:
        """Whether something is to be forgotten."""
        return bool(self._forgotten or self._cleared)

    def _write_some(self, db: sqlite3.Connection) -> None:
        if self._queue:
            self._write(db)
            self._prune(db)

    def _write(self, db: sqlite3.Connection) -> None:
        batch = [self._queue[at] for at in range(min(1 if self._alone else BATCH_MAX, len(self._queue)))]
        fast = self._dropped - self._dropped_told
        try:
            with _transaction(db):
                db.executemany(_INSERT, [_cut(entry) for entry in batch])
                if fast or self._spoilt:
                    db.execute("UPDATE dropped SET count = count + ?", (fast + self._spoilt,))
        except Exception as error:
            if _may_pass(error):
                raise
            if len(batch) > 1:
                self._alone = len(batch)  # to find which of them it is
                return
            log.exception("an entry of the request log cannot be written and is dropped")
            self._spoilt += 1
        else:
            self._dropped_told += fast
            self._spoilt = 0
            if fast:
                log.warning("%s entries of the request log were dropped: they came faster than they could be written", fast)
        for _ in batch:
            self._queue.popleft()
        self._alone = max(0, self._alone - len(batch))
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
        """Remove what names somebody, for all the texts that wait and before which everything noted is written: in one pass."""
        with self._counting:
            waiting = [each for each in self._forgotten if each[0] <= self._written]
        if not waiting or not (self._stop.is_set() or time.monotonic() >= self._forget_at):
            return
        began = time.monotonic()
        sought = Sought((workspace, text) for _, workspace, text in waiting)
        at, last = 0, db.execute("SELECT ifnull(max(number), 0) FROM requests").fetchone()[0]
        while at < last:
            rows = db.execute(_NEXT, (at, LOOKED_AT_ONCE)).fetchall()
            self._remove(db, [number for number, workspace, said in rows if sought.stands_in(workspace, said)])
            at = rows[-1][0] if rows else last
            if len(self._queue) >= BATCH_MAX:
                self._write_some(db)
        done = set(waiting)
        with self._counting:
            self._forgotten = [each for each in self._forgotten if each not in done]
        # As long a rest as it took: however many are deleted one after the other, looking for them has half a core at most.
        self._forget_at = 2 * time.monotonic() - began

    def _clear(self, db: sqlite3.Connection) -> None:
        """Remove all entries of the workspaces of which more was to be forgotten than could wait."""
        with self._counting:
            cleared = {workspace: noted for workspace, noted in self._cleared.items() if noted <= self._written}
        for workspace in cleared:
            log.warning("more contacts were deleted than the request log could look for: all its entries of workspace %s go", workspace)
            wanted = "SELECT number FROM requests WHERE workspace = ? OR workspace IS NULL LIMIT ?"
            while rows := db.execute(wanted, (workspace, PRUNE_MAX)).fetchall():
                self._remove(db, [number for (number,) in rows])
        with self._counting:
            self._cleared = {each: noted for each, noted in self._cleared.items() if cleared.get(each) != noted}

    def _remove(self, db: sqlite3.Connection, numbers: Sequence[int]) -> None:
        if numbers:
            with _transaction(db):
                db.executemany("DELETE FROM requests WHERE number = ?", [(number,) for number in numbers])
            self._log_holds = True

    def _tell(self, trouble: Exception | None) -> None:
        """Say once that the file cannot be written, and once that it can be again."""
        if trouble is not None and self._trouble is None:
            unforeseen = None if _may_pass(trouble) else trouble
            said = "the request log cannot be written: %s. Requests are answered as before; up to %s of them wait"
            log.warning(said, trouble, QUEUE_MAX, exc_info=unforeseen)
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


def _may_pass(error: Exception) -> bool:
    """Whether it is the file's, so that it may be written later; not what makes an entry one that cannot be written at all."""
    return isinstance(error, (sqlite3.Error, OSError)) and not isinstance(error, _OF_AN_ENTRY)


def _cut(entry: Entry) -> Entry:
    """Without secrets, also where somebody wrote one into a path by a slip, in letters that can be written, and not longer than is kept."""
    texts: dict[str, Any] = {name: _writable(without_secrets(value)[:TEXT_MAX]) for name in _TEXTS if (value := getattr(entry, name))}
    return entry._replace(cause=None if entry.cause is None else _writable(without_secrets(entry.cause)[-CAUSE_MAX:]), **texts)


def _writable(text: str) -> str:
    """Halves of a pair of surrogates, which are no letters, are written as escapes."""
    return text.encode(errors="backslashreplace").decode()


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
        f"instr({_SAID}, lower(?)) > 0": None if wanted.text is None else (wanted.text,),
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
