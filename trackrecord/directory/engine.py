"""How the directory is kept: one SQLite file, one writer at a time, any number of readers beside it.

The only file here that knows which database it is.
"""

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql import operators

from ..errors import DataDirectoryUnusable, Unavailable
from ..sqlite import LogCutter, connect

WRITER_WAIT_S = 30  # for the write that is before ours, in this process or another
READERS_KEPT = 8  # connections that stay open
READERS_MORE = 76  # and that may be opened besides, so that full thread pools never wait for one
LOOKUP_MAX = 512  # values in one statement; databases take some thousands
CHECKPOINT_PAGES = 1000  # pages of log after which the commit that reaches it copies them back
STEPS_BETWEEN_LOOKS = 200_000  # of the database's machine, between two looks at the clock: a few milliseconds

# Errors of SQLite that may go away by themselves, or when somebody makes room.
_PASSING = {
    sqlite3.SQLITE_BUSY: "it is locked by another process",
    sqlite3.SQLITE_LOCKED: "it is locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_NOMEM: "memory is used up",
}
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)

_DIALECT = sqlite.dialect(json_deserializer=msgspec.json.decode)

T = TypeVar("T")
_MARK = re.compile(b"\x01")


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut values into lists that one statement can look up."""
    waiting = list(values)
    for start in range(0, len(waiting), LOOKUP_MAX):
        yield waiting[start : start + LOOKUP_MAX]


class TookTooLong(Exception):
    """A read was ended because its time was over."""


class Lookup:
    """Finds rows by many values of one column, for what every event and every page needs: compiled once and not for each use, which
    takes a tenth of the time for one value.

    There is a statement for each power of two of values, in which the last value is repeated; rows come once all the same.
    """

    def __init__(self, wanted: "sa.Select[Any]", by: "sa.ColumnElement[Any]") -> None:
        self._wanted = wanted
        self._by = by
        self._texts: dict[int, tuple[str, list[str], dict[str, Any]]] = {}
        self.processors = [
            (place, process)
            for place, column in enumerate(wanted.selected_columns)
            if (process := column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)) is not None
        ]

    def bound(self, values: list[Any], others: dict[str, Any]) -> tuple[str, list[Any]]:
        """The statement and its parameters in their order, for up to LOOKUP_MAX values and the other parameters by name."""
        size = 1 << (len(values) - 1).bit_length()
        if size not in self._texts:
            marks = [sa.bindparam(f"v{place}", type_=self._by.type) for place in range(size)]
            compiled = self._wanted.where(self._by.in_(marks)).compile(dialect=_DIALECT)
            self._texts[size] = str(compiled), compiled.positiontup or [], dict(compiled.params)
        text, order, constants = self._texts[size]
        start = order.index("v0")
        known = constants | others
        padding = values[-1:] * (size - len(values))
        return text, [*(known[name] for name in order[:start]), *values, *padding, *(known[name] for name in order[start + size :])]


class Database:
    """Connections to the file. A read sees one state of it throughout; a write is whole or has not happened.

    When `writing` is left without an error, what was written is on stable storage.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = threading.Lock()
        self._cutter = LogCutter(path)
        self._writer = self._engine(self._open_writer, begin="BEGIN IMMEDIATE", kept=1, more=0)
        self._readers = self._engine(self._open_reader, begin="BEGIN", kept=READERS_KEPT, more=READERS_MORE)

    def make(self) -> None:
        """See that there is a file, empty if it is new: readers cannot make one."""
        with self._translating(), self._writer.connect():
            pass

    @contextmanager
    def reading(self, *, within_s: float | None = None) -> Iterator[sa.Connection]:
        """Raises Unavailable where the file cannot be read now, and TookTooLong once statements took longer than `within_s`."""
        with self._translating(), self._readers.connect() as connection:
            if within_s is None:
                yield connection
                return
            ends, driver = time.monotonic() + within_s, connection.connection.driver_connection
            driver.set_progress_handler(lambda: time.monotonic() > ends, STEPS_BETWEEN_LOOKS)  # type: ignore[union-attr]
            try:
                yield connection
            finally:
                driver.set_progress_handler(None, 0)  # type: ignore[union-attr]

    def look_up(self, lookup: Lookup, values: Collection[Any], **others: Any) -> list[tuple[Any, ...]]:
        """The rows that a Lookup finds; of more than LOOKUP_MAX values those of each so many as of one moment. Raises Unavailable where
        the file cannot be read now.
        """
        rows: list[tuple[Any, ...]] = []
        with self._translating():
            held = self._readers.raw_connection()
            try:
                db: Any = held.driver_connection
                for some in in_chunks(values):
                    rows += db.execute(*lookup.bound(some, others)).fetchall()
            finally:
                held.close()
        for place, process in lookup.processors:
            rows = [(*row[:place], process(row[place]), *row[place + 1 :]) for row in rows]
        return rows

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One writer at a time; any error inside undoes all of it. Raises Unavailable where nothing could be written now."""
        if not self._turn.acquire(timeout=WRITER_WAIT_S):
            raise Unavailable(f"nothing could be written to {self.path.name} in {WRITER_WAIT_S} s")
        try:
            with self._translating(), self._writer.connect() as connection, connection.begin():
                yield connection
        finally:
            self._turn.release()

    def cut_log(self) -> None:
        """Have the log cut soon: it holds pages as they were before something was deleted. Never waits and never raises."""
        self._cutter.ask()

    def close(self) -> None:
        self._cutter.close()
        self._readers.dispose()
        self._writer.dispose()

    def _engine(self, creator: Callable[[], sqlite3.Connection], *, begin: str, kept: int, more: int) -> sa.Engine:
        engine = sa.create_engine(
            "sqlite://",
            creator=creator,
            poolclass=QueuePool,
            pool_size=kept,
            max_overflow=more,
            pool_timeout=WRITER_WAIT_S,
            pool_use_lifo=True,
            hide_parameters=True,  # names and addresses of people: what goes wrong is logged with its text
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )
        # The driver would begin by itself, and only before the first write: too late for a read that decides one.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    def _open_writer(self) -> sqlite3.Connection:
        db = connect(self.path, durable=True, cache_mb=16)
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        db.execute("PRAGMA foreign_keys=1")
        db.execute("PRAGMA secure_delete=ON")  # deleted means overwritten, not only unreachable
        return db

    def _open_reader(self) -> sqlite3.Connection:
        db = connect(self.path, readonly=True, cache_mb=4)
        db.create_function("fold", 1, _fold, deterministic=True)
        return db

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Raise what an error of the database means to a caller; one that means nothing but a fault of ours goes on as it is."""
        try:
            yield
        except exc.TimeoutError as error:
            raise Unavailable(f"{self.path.name} has more readers than it can serve") from error
        except (exc.DBAPIError, sqlite3.Error) as error:
            orig = error.orig if isinstance(error, exc.DBAPIError) else error
            code = getattr(orig, "sqlite_errorcode", 0) & 0xFF  # the low byte; the rest tells variants apart
            if code == sqlite3.SQLITE_INTERRUPT:
                raise TookTooLong from error
            if code in _PASSING:
                raise Unavailable(f"{self.path.name}: {_PASSING[code]}") from error
            if code in _DAMAGED:
                raise DataDirectoryUnusable(f"{self.path} is damaged, or no SQLite file: {orig}") from error
            raise


def _fold(text: Any) -> Any:
    return text.casefold() if isinstance(text, str) else text


def folded(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A text without case, as str.casefold has it: the database's own lower() knows the letters of ASCII alone.

    Ours is called for other letters only. Each call waits for the interpreter, which in a busy server is most of its cost.
    """
    other_letters = sa.func.length(text) < sa.func.length(sa.cast(text, sa.LargeBinary))
    return sa.case((other_letters, sa.func.fold(text)), else_=sa.func.lower(text))


def member(document: sa.Column[Any], name: str, kind: "sa.types.TypeEngine[Any]", *, fold: bool = False) -> sa.ColumnElement[Any]:
    """The value of one key of a JSON column, null where it has none. Not by a path, in which not every name can be written."""
    each = sa.func.json_each(document).table_valued("key", sa.column("value", kind))
    value = folded(each.c.value) if fold else each.c.value
    return sa.select(value).where(each.c.key == name).correlate(document.table).scalar_subquery()


def position(part: str | bytes, text: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Where a text, or bytes, have this part first, letter for letter; 0 where they have not."""
    return sa.func.instr(text, part)


def unindexed(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The same value, but no order can be read off an index by it: what the statement asks for is then found first, and sorted.

    Else SQLite goes through all rows in that order, however few are wanted, to be spared the sorting.
    """
    return sa.UnaryExpression(value, operator=operators.custom_op("+"), type_=value.type)


def marked(number: sa.ColumnElement[int], marks: bytes, *, others: bool) -> sa.ColumnElement[bool]:
    """Whether the byte at a number is 1; past the end it is as `others` says. Of each row one byte is read, and no more.

    Of a text or bytes of no length substr makes null, so there is one at least: that of 0, which no number is.
    """
    byte = sa.func.substr(sa.literal(marks or b"\x00"), number + 1, 1)
    return byte != b"\x00" if others else byte == b"\x01"


def marked_numbers(marks: bytes) -> "sa.Select[Any]":
    """The numbers at which bytes are 1, of which there are few, as rows."""
    numbers = [found.start() for found in _MARK.finditer(marks)]
    each = sa.func.json_each(msgspec.json.encode(numbers).decode()).table_valued(sa.column("value", sa.BigInteger()))
    return sa.select(each.c.value)
