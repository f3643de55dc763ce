"""Data directories opened for a look: whether a server runs on them or not, and up to date as of the call."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from .. import engines
from ..consumers.runner import run
from ..consumers.store_writer import StoreWriter
from ..datadir import Owned
from ..directory import Directory
from ..errors import DataDirectoryBusy, DataDirectoryUnusable, TrackrecordError, Unavailable
from ..stores.base import EventReader

STILL_S = 30.0  # how long a running server's store may stand still behind its journal before we give up
LOOK_AGAIN_S = 0.02


class Opened(NamedTuple):
    directory: Directory
    events: EventReader


@contextmanager
def opened(data: Path) -> Iterator[Opened]:
    """The directory and the events of a data directory, with all that was acknowledged before the call.

    Where no server runs, this process owns the directory meanwhile, and folds in what the store lacks of the journal.
    Raises DataDirectoryUnusable, and Unavailable when a running server's store does not follow.
    """
    with ExitStack() as stack:
        try:
            stack.callback(Owned(data, note="reading").release)
        except DataDirectoryBusy:
            _await_store(data)
        else:
            _fold(data)
        directory = Directory.open(data / engines.DIRECTORY_FILE)
        stack.callback(directory.close)
        events = engines.read_store(data)
        stack.callback(events.close)
        yield Opened(directory, events)


def _head(data: Path) -> tuple[int, int]:
    """The first and last position in the journal; (0, 0) without one."""
    if not (data / engines.JOURNAL_FILE).exists():
        return 0, 0
    journal = engines.read_journal(data)
    try:
        return journal.span()
    finally:
        journal.close()


def _await_store(data: Path) -> None:
    """Wait until the running server's store has what its journal has now."""
    _, head = _head(data)
    store = engines.read_store(data)
    try:
        cursor, since = store.cursor(), time.monotonic()
        while cursor < head:
            time.sleep(LOOK_AGAIN_S)
            reached = store.cursor()
            if reached > cursor:
                cursor, since = reached, time.monotonic()
            elif time.monotonic() - since > STILL_S:
                raise Unavailable(f"the store stands still {head - cursor} records behind the journal: see the server's log and /-/health")
    finally:
        store.close()


class _Quiet:
    """Progress of a fold that nobody watches: it ends with the journal, and an error ends it at once."""

    def reached(self, cursor: int, safe: int) -> None:
        pass

    def idle(self, cursor: int) -> None:
        pass

    def failed(self, error: TrackrecordError) -> None:
        raise error

    def wait(self, timeout_s: float | None) -> bool:
        return timeout_s is not None  # None is asked at the journal's end


def _fold(data: Path) -> None:
    first, head = _head(data)
    store = engines.open_store(data)
    try:
        cursor = store.cursor()
        if head <= cursor:
            return
        if first > cursor + 1:
            raise DataDirectoryUnusable(
                f"{engines.STORE_FILE} ends at record {cursor} and {engines.JOURNAL_FILE} begins at {first}: the records between are in "
                "neither. Put back the two files of one backup"
            )
        journal = engines.read_journal(data)
        try:
            done: Callable[[int], bool] = lambda cursor: cursor >= head  # noqa: E731 - an argument with a name
            run(StoreWriter(store), journal, _Quiet(), until=done)
        finally:
            journal.close()
    finally:
        store.close()
