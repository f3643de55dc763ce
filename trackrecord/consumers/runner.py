"""The one loop every consumer runs in: read in order, handle, commit, say how far it is, wait for more."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ..errors import TrackrecordError
from ..rules.records import Record

REST_AFTER_S = 1.0  # without anything to do, before what was done is synced
GATHER_S = 0.025  # between batches, while nobody waits for what came: a large batch costs a fraction of many small ones
BATCH_RECORDS = 8_000  # about what is handed over at once; larger batches touch each page of a store less often


class Source(Protocol):
    """What the loop needs of a journal."""

    def read(self, *, after: int, limit: int) -> "Found | None": ...


class Found(Protocol):
    @property
    def first(self) -> int: ...

    @property
    def records(self) -> list[Record]: ...

    @property
    def last(self) -> int: ...


class Consumer(Protocol):
    """Reads the journal in order, each record at least once. What it does with a record must bear repetition."""

    @property
    def name(self) -> str: ...

    def cursor(self) -> int:
        """How far it has got; kept over restarts."""

    def handle(self, first: int, records: Sequence[Record]) -> None:
        """Do the work for records at positions first, first + 1, … and move the cursor, after the work or with it.

        Raises Unavailable when the same batch may work later.
        """

    def safe(self) -> int:
        """The cursor as a power loss would leave it."""

    def rest(self) -> bool:
        """Nothing has come for a while: bring what was done to stable storage, so that the journal need not keep it.

        False when something is left to do, for which it is called again.
        """

    def close(self) -> None:
        """Nothing more will come; let go of files."""


class Progress(Protocol):
    """Where the loop reports to."""

    def reached(self, cursor: int, safe: int) -> None: ...

    def idle(self, cursor: int) -> None:
        """There is nothing behind the cursor: it looks again when it is asked to."""

    def failed(self, error: TrackrecordError) -> None: ...

    def wait(self, timeout_s: float | None) -> bool:
        """Block until asked to look at once, or for so long; False when it is time to end."""


def run(consumer: Consumer, source: Source, progress: Progress, *, until: Callable[[int], bool] = lambda cursor: False) -> None:
    """Follow the journal until progress.wait says to end, or `until` is true of the cursor.

    A batch that fails with Unavailable is tried again, after a pause that grows to 2 s; it is never passed over.
    """
    cursor = consumer.cursor()
    progress.reached(cursor, consumer.safe())
    pause_s, idle, rested = 0.05, False, False
    while not until(cursor):
        try:
            batch = source.read(after=cursor, limit=BATCH_RECORDS)
            if batch is not None:
                consumer.handle(batch.first, batch.records)
            elif idle and not rested:
                rested = consumer.rest()
                progress.reached(cursor, consumer.safe())
        except TrackrecordError as error:
            progress.failed(error)
            if not progress.wait(pause_s):
                return
            pause_s = min(2.0, pause_s * 2)
            continue
        pause_s = 0.05
        if batch is not None:
            cursor, idle, rested = batch.last, False, False
            progress.reached(cursor, consumer.safe())
            if not progress.wait(GATHER_S):
                return
        else:
            progress.idle(cursor)
            if not progress.wait(None if rested else REST_AFTER_S):
                return
            idle = True
