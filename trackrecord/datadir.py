"""The data directory: made when it is missing, owned by one process at a time."""

import contextlib
import fcntl
import os
from pathlib import Path

from .errors import DataDirectoryBusy, DataDirectoryUnusable

LOCK_FILE = "lock"


class Owned:
    """A data directory that this process owns until `release`, or until it ends in whatever way.

    Raises DataDirectoryBusy while another process owns it, DataDirectoryUnusable when it cannot be made or written.
    """

    def __init__(self, path: Path, *, note: str = "") -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirectoryUnusable(
                f"the data directory {path} cannot be used: {error.strerror}. Choose another with --data, or mend its permissions"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(self._file, 200).decode("utf-8", "replace").strip()
            os.close(self._file)
            raise DataDirectoryBusy(
                f"the data directory {path} is in use by {owner or 'another process'}. "
                "Stop that one, or choose another directory with --data"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()}{' (' + note + ')' if note else ''}\n".encode())

    def release(self) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)


def remove_unused(path: Path) -> None:
    """Remove a data directory that holds nothing but its lock, as a start that fails early leaves it; else leave all as it is."""
    with contextlib.suppress(OSError, DataDirectoryBusy, DataDirectoryUnusable):
        if [each.name for each in path.iterdir()] != [LOCK_FILE]:
            return
        owned = Owned(path)
        try:  # while it is owned: whoever waits for the lock then finds no directory, and not one that a third may own too
            (path / LOCK_FILE).unlink()
            path.rmdir()
        finally:
            owned.release()
