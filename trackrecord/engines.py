"""Which engine keeps what, and where its file lies in the data directory. The only file that names engines.

It stands apart from server.py because a consumer's process starts here too, and should not load a web server for it.
"""

import contextlib
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from . import faults
from .consumers.child import serve
from .consumers.runner import Consumer
from .consumers.store_writer import StoreWriter
from .errors import TrackrecordError
from .journal.log import JournalReader, JournalWriter
from .sqlite import belongs
from .stores.base import EventReader, EventStore
from .stores.sqlite import SqliteReader, SqliteStore

JOURNAL_FILE = "journal.db"
DIRECTORY_FILE = "directory.db"
STORE_FILE = "events.db"
COLUMNS_FOLDER = "columns"  # derived from events.db, and made anew where it is missing: no backup has it
REQUESTS_FILE = "requests.db"  # a log: nothing else needs it, and no backup has it


def open_journal(data: Path) -> JournalWriter:
    return JournalWriter(data / JOURNAL_FILE)


def read_journal(data: Path) -> JournalReader:
    return JournalReader(data / JOURNAL_FILE)


def open_store(data: Path) -> EventStore:
    return SqliteStore(data / STORE_FILE)


def read_store(data: Path) -> EventReader:
    return SqliteReader(data / STORE_FILE)


def strangers(data: Path, owner: bytes) -> list[str]:
    """The files that belong to another directory.db than the one with this salt, by name. New files are marked as its own.

    Contacts and names stand in them as the directory's numbers, which mean other people in another directory.
    """
    mark = int.from_bytes(hashlib.blake2b(owner, digest_size=4).digest()) & 0x7FFFFFFF or 1
    return [name for name in (JOURNAL_FILE, STORE_FILE) if not belongs(data / name, mark)]


# Consumers that run in processes of their own. To add one, add a row; its name is its cursor's name for ever.
CONSUMERS: dict[str, Callable[[Path], Consumer]] = {
    StoreWriter.name: lambda data: StoreWriter(open_store(data)),
}


ANALYSIS = "analysis"  # runs in a process of its own too, and is no consumer: it reads the store


def consumer_command(name: str, data: Path) -> list[str]:
    """The command line of a consumer's process."""
    return [sys.executable, "-m", "trackrecord.engines", name, str(data)]


def analysis_command(data: Path) -> list[str]:
    """The command line of the process that answers questions about many events."""
    return [sys.executable, "-m", "trackrecord.engines", ANALYSIS, str(data)]


def _analyse(data: Path) -> None:
    from .analysis.child import serve as answer  # here, as no other process loads numpy

    with contextlib.closing(read_store(data)) as reader:
        answer(reader, data / COLUMNS_FOLDER)


def main(name: str, data: Path) -> int:
    try:
        faults.arm()
        if name == ANALYSIS:
            _analyse(data)
            return 0
        with contextlib.closing(CONSUMERS[name](data)) as consumer, contextlib.closing(read_journal(data)) as journal:
            serve(consumer, journal)
    except TrackrecordError as error:
        print(f"trouble {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))
