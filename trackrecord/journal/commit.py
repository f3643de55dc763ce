"""Group commit: requests that wait at the same time share one write and one sync.

All bookkeeping happens on the event loop; a single thread writes. While it writes one batch the next one gathers.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from ..errors import TrackrecordError, Unavailable
from ..rules.records import Event, Record
from .cleansing import Erased
from .log import JournalWriter

log = logging.getLogger("trackrecord.journal")

WAITING_RECORDS_MAX = 50_000  # records that may wait for the disk at once; past it, 503
WAITING_BYTES_MAX = 64 << 20  # of their metadata
HOUSE_EVERY_S = 2.0  # between looks at what can be trimmed; also how soon health hears that a full disk has room again
BATCHES_A_TRIM = 8  # batches written between steps of housekeeping while there is more to trim or to cleanse


class _Done(asyncio.Future[int]):
    """One for all that wait on a batch. A waiter that is cancelled must not cancel the others' write."""

    def cancel(self, msg: object = None) -> bool:
        return False


Kept = Callable[[int, TrackrecordError | None], None]  # hears a record's position, or why it was not kept


class _Batch:
    __slots__ = ("done", "records", "size", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.records: list[Record] = []
        self.size = 0  # bytes of their metadata
        self.done = _Done(loop=loop)
        self.waiting: list[tuple[int, Kept]] = []  # those who wait without a future, with their places

    def add(self, records: Sequence[Record], size: int) -> int:
        """The place of the first. The first of all may be as many as they like: who sends them has a bound. Raises Unavailable."""
        index = len(self.records)
        if index and (index + len(records) > WAITING_RECORDS_MAX or self.size + size > WAITING_BYTES_MAX):
            raise Unavailable("too many events are waiting for the disk")
        self.records.extend(records)
        self.size += size
        return index


class Journal:
    """The journal as the event loop sees it.

    `passed` tells how far every consumer has safely got (for trimming); `committed` is called on the loop after each commit;
    `erased` tells what records took away (journal/cleansing.py), and is called in the writing thread.
    """

    def __init__(
        self,
        writer: JournalWriter,
        *,
        passed: Callable[[], int],
        committed: Callable[[int], None],
        erased: Erased,
        keep_ms: int,
        keep_bytes: int,
    ) -> None:
        self.head = writer.head
        self.trouble: str | None = None  # why the last write failed; None once one has succeeded
        self._writer = writer
        self._passed = passed
        self._committed = committed
        self._erased = erased
        self._keep_ms = keep_ms
        self._keep_bytes = keep_bytes
        self._loop = asyncio.get_running_loop()
        self._gathering = _Batch(self._loop)
        self._writing: _Batch | None = None
        self._scheduled = False
        self._batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    async def append(self, record: Record) -> int:
        """Return the record's position once it is on stable storage. Raises Unavailable when it is not kept."""
        return await self.append_many((record,))

    def put(self, record: Event, kept: Kept) -> None:
        """As append, for who has no coroutine: `kept` is called on the loop, later, with the position or with the error."""
        batch = self._gathering
        try:
            index = batch.add((record,), len(record.metadata))
        except Unavailable as error:
            self._loop.call_soon(kept, 0, error)
            return
        batch.waiting.append((index, kept))
        self._schedule()

    async def append_many(self, records: Sequence[Record]) -> int:
        """The position of the first of several records, which stand next to each other. All are kept, or none."""
        batch = self._gathering
        index = batch.add(records, sum(len(each.metadata) for each in records if isinstance(each, Event)))
        self._schedule()
        return await batch.done + index

    async def close(self) -> None:
        """Write what waits, then end the thread. The file is the caller's to close."""
        while self._writing is not None or self._gathering.records:
            self._schedule()
            await asyncio.wait([(self._writing or self._gathering).done])
            await asyncio.sleep(0)
        self._batches.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    def _schedule(self) -> None:
        if self._writing is None and not self._scheduled:
            # Later in this turn of the loop, so that every request read in the same turn joins the batch.
            self._scheduled = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._scheduled = False
        if self._writing is None and self._gathering.records:
            self._writing, self._gathering = self._gathering, _Batch(self._loop)
            self._batches.put(self._writing)

    def _finished(self, batch: _Batch, first: int, error: TrackrecordError | None) -> None:
        self._writing = None
        if error is None:
            self.head = first + len(batch.records) - 1
            self.trouble = None
            batch.done.set_result(first)
            self._committed(self.head)
        else:
            self.trouble = str(error)
            batch.done.set_exception(error)
            batch.done.exception()  # seen, even if every waiter has gone
        self._hand_over()  # first, so that the disk works while answers are written
        for index, kept in batch.waiting:
            try:
                kept(first + index, error)
            except Exception:  # one connection's, such as a transport that closed this very moment: the others must hear
                log.exception("an answer could not be written; what became of its event stands in the journal all the same")

    def _write(self) -> None:
        """The writing thread: everything that touches the file, in turn. Nothing that goes wrong here may end it."""
        keep_house_at = time.monotonic() + HOUSE_EVERY_S
        since_trim, more = 0, False
        while True:
            try:
                batch = self._batches.get(timeout=0 if more else HOUSE_EVERY_S)
            except queue.Empty:
                more = self._keep_house()
                self._probe()
                continue
            if batch is None:
                return
            first, error = 0, None
            try:
                first = self._writer.append(batch.records)
            except TrackrecordError as refused:
                error = refused
            except Exception as fault:
                log.exception("a batch could not be written")
                error = Unavailable(f"the journal cannot be written: {fault}")
            self._loop.call_soon_threadsafe(self._finished, batch, first, error)
            since_trim += 1
            # Each trim costs a sync, so under load one follows several batches; it drops many times what they have added.
            if time.monotonic() > keep_house_at or (more and since_trim >= BATCHES_A_TRIM):
                more = self._keep_house()
                since_trim = 0
                keep_house_at = time.monotonic() + HOUSE_EVERY_S
            else:
                self._tidy()

    def _probe(self) -> None:
        """While the last write has failed and nobody sends: find out whether writing works again, so that health can tell."""
        if self.trouble is None:
            return
        try:
            self._writer.probe()
        except TrackrecordError:
            return
        self._loop.call_soon_threadsafe(setattr, self, "trouble", None)

    def _tidy(self) -> None:
        try:
            self._writer.tidy()
        except Exception:
            log.exception("the journal's log could not be copied back; a later commit tries again")

    def _keep_house(self) -> bool:
        """Tidy, trim and cleanse; whether there is more to do at once."""
        self._tidy()
        now_ms = time.time_ns() // 1_000_000
        try:
            trimmed = self._writer.trim(passed=self._passed(), now_ms=now_ms, keep_ms=self._keep_ms, keep_bytes=self._keep_bytes)
            return self._writer.cleanse(self._erased, now_ms=now_ms) or bool(trimmed)
        except TrackrecordError as error:
            log.warning("housekeeping of the journal waits: %s", error)
        except Exception:
            log.exception("housekeeping of the journal went wrong; a later commit tries again")
        return False
