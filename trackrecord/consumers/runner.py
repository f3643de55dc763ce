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


class Runner:
    """One consumer's loop, a step at a time: who calls it decides when the next step comes.

    A batch that fails with Unavailable is tried again, after a pause that grows to 2 s; it is never passed over.
    """

    def __init__(self, consumer: Consumer, source: Source, progress: Progress, *, batch_records: int = BATCH_RECORDS) -> None:
        self.cursor = consumer.cursor()
        self._consumer = consumer
        self._source = source
        self._progress = progress
        self._batch_records = batch_records
        self._pause_s, self._idle, self._rested = 0.05, False, False
        progress.reached(self.cursor, consumer.safe())

    def step(self) -> float | None:
        """Handle what comes next, or rest; return for how many seconds to wait before the next step, None for until there is more."""
        try:
            batch = self._source.read(after=self.cursor, limit=self._batch_records)
            if batch is not None:
                self._consumer.handle(batch.first, batch.records)
            elif self._idle and not self._rested:
                self._rested = self._consumer.rest()
                self._progress.reached(self.cursor, self._consumer.safe())
        except TrackrecordError as error:
            self._progress.failed(error)
            pause_s, self._pause_s = self._pause_s, min(2.0, self._pause_s * 2)
            return pause_s
        self._pause_s = 0.05
        if batch is not None:
            self.cursor, self._idle, self._rested = batch.last, False, False
            self._progress.reached(self.cursor, self._consumer.safe())
            return GATHER_S
        self._progress.idle(self.cursor)
        self._idle = True
        return None if self._rested else REST_AFTER_S


def run(consumer: Consumer, source: Source, progress: Progress, *, until: Callable[[int], bool] = lambda cursor: False) -> None:
    """Follow the journal until progress.wait says to end, or `until` is true of the cursor."""
    runner = Runner(consumer, source, progress)
    while not until(runner.cursor):
        if not progress.wait(runner.step()):
            return
