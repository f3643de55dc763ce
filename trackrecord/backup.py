"""A consistent copy of a data directory, also while a server writes to it.

Order makes it consistent. First the store, then the journal, then the directory: the journal's copy holds all that the store's
has not folded yet, and the directory's every contact and name that either speaks of. What was deleted in between is noted in
the directory, and the server that starts on the copy finishes it.
"""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import NamedTuple

from . import engines
from .errors import DataDirectoryUnusable, Unavailable
from .faults import reach
from .settings import FILE_NAME
from .sqlite import connect

# The order matters: see above.
FILES = (engines.STORE_FILE, engines.JOURNAL_FILE, engines.DIRECTORY_FILE)
TRIES = 2  # the journal may be trimmed between two copies; twice in a row it is not by chance


class Copied(NamedTuple):
    name: str
    size_bytes: int


def copy(data: Path, into: Path) -> list[Copied]:
    """Copy the files of a data directory into a new or empty one, which appears whole or not at all.

    Raises DataDirectoryUnusable when there is nothing to copy, when `into` holds something already, or when a file cannot be
    copied; Unavailable when the copies do not fit together.
    """
    missing = [name for name in FILES if not (data / name).is_file()]
    if missing:
        raise DataDirectoryUnusable(f"{data} holds no {' and no '.join(missing)}: name the data directory of a server with --data")
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise DataDirectoryUnusable(f"{into} is not empty: name a new directory for the backup")
    into.parent.mkdir(parents=True, exist_ok=True)
    for last_try in (False, True):
        beside = Path(tempfile.mkdtemp(prefix=f".{into.name}.", suffix=".partial", dir=into.parent))
        try:
            copied = _copy_files(data, beside)
            trouble = _misfit(beside)
            if trouble is None:
                reach("backup.before-rename")
                beside.rename(into)  # takes the place of an empty directory
                _sync(into.parent)
                return copied
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        if last_try:
            raise Unavailable(f"the copies do not fit together: {trouble}. Nothing was left behind; try again")
    raise AssertionError("the last try returns or raises")


def _copy_files(data: Path, into: Path) -> list[Copied]:
    for name in FILES:
        _copy_database(data / name, into / name)
        reach("backup.between-files")
    if (data / FILE_NAME).is_file():
        shutil.copy2(data / FILE_NAME, into / FILE_NAME)
        _sync(into / FILE_NAME)
    _sync(into)
    return [Copied(path.name, path.stat().st_size) for path in sorted(into.iterdir())]


def _copy_database(source: Path, target: Path) -> None:
    """One step of SQLite's backup: a snapshot of the file as of one moment, while others write on."""
    try:
        reader = connect(source, readonly=True, cache_mb=4)
        try:
            writer = sqlite3.connect(target, isolation_level=None)
            try:
                reader.backup(writer, pages=-1)
            finally:
                writer.close()
        finally:
            reader.close()
    except sqlite3.Error as error:
        raise DataDirectoryUnusable(f"{source} cannot be copied: {error}") from None
    _sync(target)


def _misfit(copied: Path) -> str | None:
    """Why the copies do not belong together; None when they do."""
    store = engines.read_store(copied)
    journal = engines.read_journal(copied)
    try:
        cursor, (first, last) = store.cursor(), journal.span()
    finally:
        store.close()
        journal.close()
        for name in FILES:
            _tidy(copied / name)
    if last > cursor and first > cursor + 1:
        return f"the store ends at record {cursor}, and the journal begins at {first}"
    return None


def _tidy(path: Path) -> None:
    """Remove the empty log that reading left beside a file: the last writer to close takes it away."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
