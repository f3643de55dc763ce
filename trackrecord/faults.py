"""Lets a process kill itself at a named point of the write path, to try what a crash there leaves (docs/reliability.md).

Nothing happens unless `arm` found a point in the environment. To add a point, add a row to POINTS and a `reach` where it is.
"""

import logging
import os
import signal
from collections.abc import Mapping

from .errors import SettingInvalid

log = logging.getLogger("trackrecord")

VARIABLE = "TRACKRECORD_FAULT"  # POINT, or POINT:N for the Nth time it is reached

POINTS = {
    "journal.before-commit": "a batch is about to be written to the journal",
    "journal.after-commit": "a batch is on stable storage, and nobody was answered yet",
    "journal.mid-cleansing": "rows of the journal are rewritten without what was erased, in a transaction that is not committed",
    "journal.after-trim": "old rows of the journal are gone",
    "store.mid-fold": "the keys of a batch are in the store and its events are not, in a transaction that is not committed",
    "store.before-commit": "a batch is in the store and the cursor has moved, in the same transaction, which is not committed",
    "store.after-commit": "that transaction is committed, and the server has not heard of it",
    "log.half-copied": "a long write-ahead log is copied back into its file but for what came meanwhile",
    "log.before-cut": "a write-ahead log is about to be copied back and cut to nothing",
    "log.after-cut": "it was",
    "journal.mid-migration": "a journal of an older format is brought up to date, and does not say so yet",
    "store.mid-migration": "the tables of `events.db` are changed, in a transaction that is not committed",
    "directory.mid-migration": "the directory's tables are changed, in a transaction that is not committed",
    "directory.before-journal": "a contact is deleted or merged in the directory, and the journal does not know it yet",
    "backup.between-files": "a file of a backup is copied",
    "backup.before-rename": "a backup is whole, and not yet where it was asked for",
}

_point: str | None = None
_left = 0


def arm(environ: Mapping[str, str] = os.environ) -> None:
    """Take the point from the environment. Raises SettingInvalid where it names none: a slip must not pass for a trial."""
    global _point, _left
    if (wanted := environ.get(VARIABLE)) is None:
        return
    name, _, times = wanted.partition(":")
    if name not in POINTS or (times and not (times.isascii() and times.isdigit() and int(times))):
        raise SettingInvalid(
            f"{VARIABLE} makes this process kill itself, and must be one of {', '.join(POINTS)}, "
            f"or one of them with :N for the Nth time; got {wanted!r}. Remove it from the environment unless you try crashes"
        )
    _point, _left = name, int(times or 1)
    log.warning("%s is set: this process kills itself at %s", VARIABLE, wanted)


def reach(point: str) -> None:
    """Here is the point of that name."""
    if _point is not None:
        _reached(point)


def _reached(point: str) -> None:
    global _left
    if point == _point:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
