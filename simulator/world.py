"""A server and its store's process over one simulated disk and clock: the product's own parts, each driven a step at a time."""

import random
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from trackrecord.consumers.runner import Runner
from trackrecord.consumers.store_writer import Store, StoreWriter
from trackrecord.errors import TrackrecordError
from trackrecord.journal.cleansing import asking
from trackrecord.journal.log import JournalReader, JournalWriter
from trackrecord.sqlite import connect
from trackrecord.stores.sqlite import SqliteReader, SqliteStore

from .disk import SERVER, STORE, Disk, Stepped
from .load import Load
from .oracle import Oracle, Wrong

JOURNAL, EVENTS = Path("simulated/journal.db"), Path("simulated/events.db")
BEGAN_MS = 1_700_000_000_000


class Told(NamedTuple):
    """What the store's process has said of itself: how far it is, and how far after a power loss."""

    cursor: int
    safe: int


class Parts(NamedTuple):
    """What a world is made of; broken.py has others, each of which breaks a promise."""

    journal: Callable[..., JournalWriter] = JournalWriter
    store: Callable[[Any], Store] = lambda store: store
    passed: Callable[[Told], int] = lambda told: told.safe  # up to where the journal may be trimmed
    folded: Callable[[Told], int] = lambda told: told.safe  # up to where the store can tell what it erased
    lies: bool = False  # the disk says that it has flushed, and has not


WHOLE = Parts()


class Sizes(NamedTuple):
    """What is large in the product and small here, so that a short schedule meets every edge."""

    log_bytes: int  # of a write-ahead log before it is copied back
    rows_a_step: int  # trimmed or cleansed at once
    batch_records: int  # handed to the store at once
    heavy_keys: int  # events past which a contact has a summary of its own
    keys_a_table: int  # keys of events in one table
    shape_after: int  # events after which metadata of one shape is kept by its shape
    keep_ms: int
    keep_bytes: int


# One of each is drawn for a schedule.
SIZES = (
    *((0, 20_000, 200_000, 1 << 30), (1, 2, 64), (1, 4, 8_000), (1, 3, 1_024), (3, 20, 1 << 20), (1, 3, 50)),
    *((0, 0, 1_000, 3_600_000), (0, 0, 30_000, 1 << 30)),
)


class Given:
    """The journal as the store's process reads it; the oracle sees what is handed over."""

    def __init__(self, reader: JournalReader, oracle: Oracle) -> None:
        self.reader = reader
        self._oracle = oracle

    def read(self, *, after: int, limit: int) -> Any:
        batch = self.reader.read(after=after, limit=limit)
        if batch is not None:
            self._oracle.given(batch.first, batch.records)
        return batch


class Child:
    """The store's process. What it says waits in `says` until the server hears it."""

    def __init__(self, world: "World", owner: int) -> None:
        self.owner = owner
        self.says: deque[Told] = deque()
        self._closing: list[Any] = []
        sizes = world.sizes
        store = world.store()
        self._closing.append(store)
        self.checkpointer = world.made
        journal = JournalReader(JOURNAL)
        self._closing.append(journal)
        consumer = StoreWriter(world.parts.store(store), clock=lambda: world.up_s)
        self.runner = Runner(consumer, Given(journal, world.oracle), self, batch_records=sizes.batch_records)

    def reached(self, cursor: int, safe: int) -> None:
        self.says.append(Told(cursor, safe))

    def idle(self, cursor: int) -> None:
        pass

    def failed(self, error: TrackrecordError) -> None:
        pass

    def wait(self, timeout_s: float | None) -> bool:
        return True

    def close(self) -> None:
        for each in reversed(self._closing):
            each.close()


class World:
    def __init__(self, disk: Disk, rng: random.Random, parts: Parts) -> None:
        self.disk = disk
        self.parts = parts
        self.oracle = Oracle()
        self.load = Load(rng)
        self.sizes = Sizes(*(rng.choice(each) for each in SIZES))
        self.now_ms = BEGAN_MS
        self.up_s = 0.0
        self.told = Told(0, 0)
        self.writer: JournalWriter | None = None
        self.reader: SqliteReader | None = None
        self.child: Child | None = None
        self.orphan: Child | None = None
        self._made: Stepped | None = None
        self.copying: Stepped | None = None  # the journal's
        self.snapshots: list[sqlite3.Connection] = []
        disk.settings.lies = parts.lies

    def checkpointer(self, path: Path, **_: int) -> Stepped:
        self._made = self.disk.checkpointer(path, self.sizes.log_bytes)
        return self._made

    @property
    def made(self) -> Stepped:
        """The checkpointer made last."""
        assert self._made is not None
        return self._made

    def store(self) -> SqliteStore:
        sizes = self.sizes
        return SqliteStore(
            EVENTS,
            checkpointer=self.checkpointer,
            heavy_keys=sizes.heavy_keys,
            probe_one_in=1,
            keys_a_table=sizes.keys_a_table,
            shape_after=sizes.shape_after,
        )

    # Starting and ending, as server.py and engines.py do it.

    def start(self) -> None:
        """The server: its files opened, and compared with what was promised."""
        with self.disk.process(SERVER):
            store = self.store()
            stored = store.cursor()
            store.close()
            self.writer = self.parts.journal(
                JOURNAL, now_ms=lambda: self.now_ms, rows_a_step=self.sizes.rows_a_step, checkpointer=self.checkpointer
            )
            self.copying = self.made
            self.reader = SqliteReader(EVENTS)
            self.oracle.journal(JOURNAL, stored=stored)
            if self.writer.head != self.oracle.head:
                raise Wrong("missing", f"the journal goes on behind {self.writer.head}, and ends at {self.oracle.head}")
            self.oracle.store(self.reader)
        self.told = Told(stored, 0)

    def start_child(self, owner: int = STORE) -> None:
        with self.disk.process(owner):
            self.child = Child(self, owner)

    def stop_child(self) -> None:
        """It ends after the batch it is at."""
        if self.child is not None:
            child, self.child = self.child, None
            child.close()

    def stop(self) -> None:
        """As SIGTERM has it: the store's process first."""
        self.stop_child()
        for each in self._opened_by_server():
            each.close()

    def drop(self, mask: int) -> None:
        """Let go of everything that killed processes had open; none of it reaches the disk, nor moves the clock of the others."""
        self.disk.kill(mask)
        opened: list[Any] = []
        for child in (self.child, self.orphan):
            if child is not None and mask >> child.owner & 1:
                opened.append(child)
        self.child = None if self.child in opened else self.child
        self.orphan = None if self.orphan in opened else self.orphan
        if mask >> SERVER & 1:
            opened += self._opened_by_server()
        for each in opened:
            with suppress(Exception):  # nothing works for who is dead
                each.close()
        self.disk.revive(mask)

    def _opened_by_server(self) -> list[Any]:
        """Hand them over, to be closed."""
        opened = [*self.snapshots, self.reader, self.writer]
        self.snapshots, self.reader, self.writer = [], None, None
        return [each for each in opened if each is not None]

    # What the server asks of its parts.

    def keep_house(self) -> bool:
        """Between batches: tidy, trim, cleanse. Whether there is more to do at once."""
        assert self.writer is not None
        assert self.reader is not None
        sizes = self.sizes
        self.writer.tidy()
        trimmed = self.writer.trim(
            passed=self.parts.passed(self.told), now_ms=self.now_ms, keep_ms=sizes.keep_ms, keep_bytes=sizes.keep_bytes
        )
        erased = asking(self.reader, lambda: self.parts.folded(self.told))
        return self.writer.cleanse(erased, now_ms=self.now_ms) or bool(trimmed)

    def hold(self, path: Path) -> None:
        """A reader that takes its time: what it began to read must stay as it is."""
        snapshot = connect(path, readonly=True, cache_mb=1)
        self.snapshots.append(snapshot)
        snapshot.execute("BEGIN")
        snapshot.execute("SELECT count(*) FROM sqlite_master").fetchone()
