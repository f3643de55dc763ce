"""How we open SQLite files, and how a write-ahead log is brought back into its file without a stall.

Used by the journal and the SQLite store, which are writers of one file each, and by the directory and the request log.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from .disk import start_writing
from .faults import reach

WAIT_S = 30  # for another process's write
PAGE_BYTES = 4096  # what SQLite makes new files with
SHORT_LOG_PAGES = 256  # of log that a writer may copy itself
EMPTY_WAIT_MS = 20  # that a writer may wait for readers when it cuts its log
EMPTY_GATHER_S = 0.1  # for more to be deleted before a log is cut beside its writers
EMPTY_AGAIN_S = 0.5  # between tries, while a reader needs the log or the disk is full
REWRITE_BYTES = 1 << 20  # of a log at once
LOG_HEADER_BYTES, FRAME_BYTES = 32, 24 + PAGE_BYTES  # of the write-ahead log


def connect(path: Path, *, durable: bool = False, readonly: bool = False, cache_mb: int = 64) -> sqlite3.Connection:
    """Open a file in WAL mode, in autocommit: transactions are begun and ended by name.

    `durable` makes every commit wait for stable storage (synchronous=FULL); without it a power loss may undo the last
    commits, in order, and never leaves half of one. The connection may be used from any one thread at a time.
    """
    if readonly:
        db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=WAIT_S)
        db.execute("PRAGMA query_only=1")
    else:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=WAIT_S)
        _write_ahead(db)
        db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute(f"PRAGMA cache_size=-{cache_mb * 1024}")
    db.execute("PRAGMA temp_store=MEMORY")
    return db


def _write_ahead(db: sqlite3.Connection) -> None:
    """Several processes may find the file new at the same moment; SQLite's own waiting does not cover this one change.

    For it SQLite makes a rollback journal, and removes it. Were a power loss to bring that back, the new file with all that came
    since would be rolled back to nothing: so the removal too is flushed.
    """
    until = time.monotonic() + WAIT_S
    db.execute("PRAGMA synchronous=EXTRA")
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)


def belongs(path: Path, owner: int) -> bool:
    """Mark a file as `owner`'s (31 bits) where nobody has yet; whether it is."""
    with contextlib.closing(connect(path, cache_mb=1)) as db:
        marked: int = db.execute("PRAGMA application_id").fetchone()[0]
        if not marked:
            db.execute(f"PRAGMA application_id={owner}")
        return marked in (0, owner)


def cut_log(db: sqlite3.Connection) -> bool:
    """Copy the log into its file and cut it to nothing, outside a transaction. False where others were in the way: call again later."""
    reach("log.before-cut")
    db.execute(f"PRAGMA busy_timeout={EMPTY_WAIT_MS}")
    try:
        busy: int = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        db.execute(f"PRAGMA busy_timeout={WAIT_S * 1000}")
    reach("log.after-cut")
    return not busy


class LogCutter:
    """Cuts a file's log when asked to, from a thread of its own: what was deleted is in none of its old pages then.

    For a file whose writers keep its log short, so that there is never much to copy. Writers wait EMPTY_WAIT_MS for it at most,
    and as long as the copying takes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = Path(f"{path}-wal")
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Have it cut soon. Never waits and never raises."""
        self._wanted.set()
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"log of {self._path.name}", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Call before the file's other connections are closed: the last of them takes the log along."""
        self._stop.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            if self._stop.wait(EMPTY_GATHER_S):
                return
            self._wanted.clear()  # what is asked for from here on may come too late for this time
            while not self._cut():
                if self._stop.wait(EMPTY_AGAIN_S):
                    return

    def _cut(self) -> bool:
        try:
            if not self._log.stat().st_size:
                return True
            with contextlib.closing(connect(self._path, cache_mb=1)) as db:
                return cut_log(db)
        except FileNotFoundError:
            return True  # no log
        except (sqlite3.Error, OSError):
            return False  # a full disk, no descriptor left: the log stays as it is, and nothing is lost


class Checkpointer:
    """Copies the log back into the file from a thread of its own, so that a commit never waits for the bulk of it.

    The writer calls `poke()` after commits; past `limit_bytes` of log a passive checkpoint starts beside it. When that has
    ended the writer's own `finish()` copies what little came since, and the next commit starts the log anew.
    """

    def __init__(self, path: Path, *, limit_bytes: int = 32 << 20, look_every: int = 64) -> None:
        self.wanted = threading.Event()  # that the thread copies, which clears it when it has tried
        self._path = path
        self._log = Path(f"{path}-wal")
        self._limit_pages = limit_bytes // PAGE_BYTES
        self._copied = threading.Event()
        self._stopping = False
        self._copied_to = (b"", 0)  # the salt of a round of the log, and how many of its pages the thread has copied
        self._begun = (b"", 0)  # the same of the pages that the system was asked to begin to write
        self._look_every = look_every  # commits between looks at the log's length
        self._pokes = 0
        self._doubtful = True  # as whoever wrote before us may have left it
        self._thread: threading.Thread | None = None
        self.begin()

    def begin(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name=f"checkpoint {self._path.name}", daemon=True)
        self._thread.start()

    def open_log(self) -> BinaryIO:
        """Raises OSError where there is no log yet, or no descriptor to look at it with."""
        return open(self._log, "rb", buffering=0)

    def rewrite_log(self) -> None:
        """Write the log over itself, and flush it. Nobody else may write it meanwhile. Raises OSError."""
        with open(self._log, "r+b", buffering=0) as log:
            while some := log.read(REWRITE_BYTES):
                log.seek(-len(some), os.SEEK_CUR)
                log.write(some)
            os.fsync(log.fileno())

    def failed(self, error: BaseException) -> None:
        """Call when a commit or a checkpoint has failed: where the disk is to blame, the flush may have been it."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR:
            self._doubtful = True

    def make_sure(self, db: sqlite3.Connection) -> None:
        """Call before a flush of the log is relied on, outside a transaction. Raises sqlite3.Error.

        What a failed flush did not bring to the disk is forgotten by the system: the next flush says yes without it, while it can
        still be read. So after one that failed, and for what a process that was killed has left, the log is written once more.
        """
        if not self._doubtful:
            return
        db.execute("BEGIN IMMEDIATE")  # so that nobody writes it meanwhile
        try:
            self.rewrite_log()
        except FileNotFoundError:
            pass  # no log
        except OSError as error:
            raise sqlite3.OperationalError(f"the log cannot be flushed: {error}") from error
        finally:
            db.execute("ROLLBACK")
        self._doubtful = False

    def poke(self, db: sqlite3.Connection) -> bool:
        """Call after a commit, outside a transaction. True when the log has just been copied whole."""
        if self._copied.is_set():
            self._copied.clear()
            return self.finish(db)
        self._pokes += 1
        if self._pokes % self._look_every == 0 and self._look() > self._limit_pages:
            self.wanted.set()
        return False

    def finish(self, db: sqlite3.Connection) -> bool:
        """Copy the rest of the log now, waiting for it. True when nothing is left in it."""
        with self._copying(db):
            busy, log, copied = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and log == copied

    def empty(self, db: sqlite3.Connection) -> bool:
        """Copy the log whole and cut its file to nothing, so that what was overwritten in pages is nowhere else either.

        Call outside a transaction. False while a long log is being copied beside, or a reader needs it: call again later.
        """
        salt, pages = self._log_round()
        of_salt, copied = self._copied_to
        if pages - (copied if of_salt == salt else 0) > SHORT_LOG_PAGES:
            self.wanted.set()
            return False
        with self._copying(db):
            return cut_log(db)

    @contextlib.contextmanager
    def _copying(self, db: sqlite3.Connection) -> Iterator[None]:
        self.make_sure(db)
        try:
            yield
        except sqlite3.Error as error:
            self.failed(error)
            raise

    def copy(self) -> None:
        """What the thread does when it is wanted: copy the log beside its writer. Never raises."""
        try:
            with contextlib.closing(connect(self._path, cache_mb=1)) as db:
                salt = self._log_round()[0]  # before: if another round begins meanwhile, nothing of that counts as copied
                with self._copying(db):
                    _, _, copied = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                self._copied_to = (salt, copied)
                reach("log.half-copied")
            self._copied.set()
        except (sqlite3.Error, OSError):
            # A full disk, or no descriptor left: the log stays as it is, nothing is lost, and a later poke tries again.
            pass
        self.wanted.clear()

    def close(self) -> None:
        self._stopping = True
        self.wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> int:
        """How many pages the log has. Those that came since the last look are on their way to the disk then."""
        salt, pages = self._log_round()
        of_salt, begun = self._begun
        start = begun if of_salt == salt else 0
        if pages > start:
            with contextlib.suppress(OSError), self.open_log() as log:
                start_writing(log.fileno(), start * FRAME_BYTES, (pages - start) * FRAME_BYTES + LOG_HEADER_BYTES)
        self._begun = (salt, pages)
        return pages

    def _log_round(self) -> tuple[bytes, int]:
        """The salt of the log's present round, and how many pages it has.

        Its file keeps its size when it starts anew, so what counts are the frames of the present round.
        Those stand first and carry the salt of the log's header (SQLite, "WAL-mode File Format"). The log itself is looked at and
        not its index beside it: closing that file would drop the locks that SQLite holds on it for this whole process.
        """
        try:
            with self.open_log() as log:
                salt = log.read(24)[16:24]
                low, high = 0, max(0, log.seek(0, os.SEEK_END) - LOG_HEADER_BYTES) // FRAME_BYTES
                while low < high:
                    middle = (low + high) // 2
                    log.seek(LOG_HEADER_BYTES + middle * FRAME_BYTES + 8)
                    if log.read(8) == salt:
                        low = middle + 1
                    else:
                        high = middle
                return salt, low
        except OSError:  # no log yet, or no descriptor to look at it with
            return b"", 0

    def _run(self) -> None:
        while True:
            self.wanted.wait()
            if self._stopping:
                return
            self.copy()
            if self._stopping:
                return  # close() asked while we copied, and would wait for ever for what was just cleared
