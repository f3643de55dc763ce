"""The record as questions see it: the columns, kept exact with the store that they are made of."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import Unavailable
from ..stores.base import Changes, EventReader
from .columns import COLUMNS, Columns
from .files import ColumnFiles, Header
from .values import KeptValues, Values

log = logging.getLogger("trackrecord.analysis")

CHUNK_ROWS = 50_000  # read at once: no reading holds the store's log for longer than these take
SAVE_ROWS = 500_000  # new ones, after which the files are brought up to date
ANEW_MAX = 2  # times in one go that the columns are made anew because they do not fit the store

Told = Callable[[str], None]  # hears between readings how far it is, and may raise to end it


class Records:
    """All events that stand, exact as of `cursor` of the store once `catch_up` has returned."""

    def __init__(self, reader: EventReader, folder: Path | None, *, told: Told = lambda text: None) -> None:
        """`folder` keeps the columns over restarts; None keeps them nowhere."""
        self.reader = reader
        self._told = told
        self._values = KeptValues(reader)
        self.columns = Columns()
        self.cursor = 0  # of the rows that are here
        self._seen = 0  # records up to here did what they did to these rows
        self._merges: list[tuple[int, int]] = []  # position and source of those
        self._files = ColumnFiles(folder) if folder is not None else None
        self._saved = 0  # the cursor in the files
        self._unsaved = 0  # rows that came or changed since
        if self._files is not None and (found := self._files.read()) is not None:
            self._take_saved(*found)

    def catch_up(self, position: int) -> None:
        """Bring the columns to where the store is, if they lack what it had at `position`. Raises Unavailable."""
        if self._seen == self.cursor >= position:
            return
        for _ in range(ANEW_MAX + 1):
            while True:
                changes = self.reader.changes(self.cursor, self._seen, limit=CHUNK_ROWS)
                if changes.head < self._seen:
                    break  # another store than before
                self._take(changes)
                self._told(f"the columns of the events are being made: {len(self.columns):,} of {changes.standing:,} events")
                if self.cursor == changes.head:
                    if (len(self.columns), len(self._merges)) != (changes.standing, changes.merges):
                        break
                    if self._unsaved >= SAVE_ROWS:
                        self.save()
                    return
            log.warning("the columns of the events do not fit the store, and are made anew")
            self._forget()
        raise Unavailable(
            "the columns of the events do not fit the store, whatever is tried: trackrecord check tells what is wrong with it"
        )

    def values(self, name: int, key: str) -> Values:
        """The values of one metadata key of a name's events, one for each of `columns.rows(name)`. Raises Unavailable."""

        def told(read: int, of: int) -> None:
            self._told(f"the values of {key!r} are being read: {read:,} of {of:,} events")

        return self._values.of(self.columns, name, key, told)

    def save(self) -> None:
        """Bring the files up to date, after catch_up. That they cannot be written harms nobody."""
        if self._files is None or self._saved == self.cursor or not len(self.columns):
            return
        last = int(self.columns.position[-1])
        receipt = self.reader.receipt(last)
        if receipt is None or receipt.event is None:
            return  # it was taken away just now
        if self._files.save(self.columns, cursor=self.cursor, last=(last, receipt.received_at_ms), merges=self._merges):
            self._saved, self._unsaved = self.cursor, 0

    def _take(self, changes: Changes) -> None:
        changed = self.columns.drop(changes.gone) if changes.gone else 0
        if changes.moved:
            changed += self.columns.move({moved.source: moved.final for moved in changes.moved})
            self._merges += [(moved.position, moved.source) for moved in changes.moved]
        if changed:
            self._unsaved += changed
            if self._files is not None:
                self._files.changed()
        rows = np.frombuffer(changes.rows, np.int64).reshape(-1, len(COLUMNS))
        if len(rows):
            self.columns.add({column: rows[:, place] for place, (column, _) in enumerate(COLUMNS)})
            self._unsaved += len(rows)
        self.cursor, self._seen = changes.cursor, changes.head

    def _take_saved(self, columns: Columns, header: Header) -> None:
        """Take what was saved if it is of this store: the last event is the same, and so are the merges until then."""
        changes = self.reader.changes(0, 0, limit=1)
        receipt = self.reader.receipt(header.last[0])
        merges = [(moved.position, moved.source) for moved in changes.moved if moved.position <= header.cursor]
        if (
            changes.head >= header.cursor
            and receipt is not None
            and receipt.received_at_ms == header.last[1]
            and merges == [tuple(merge) for merge in header.merges]
        ):
            self.columns, self._merges = columns, merges
            self.cursor = self._seen = self._saved = header.cursor
        elif self._files is not None:
            self._files.changed()

    def _forget(self) -> None:
        self.columns, self._merges, self._values = Columns(), [], KeptValues(self.reader)
        self.cursor = self._seen = self._saved = self._unsaved = 0
        if self._files is not None:
            self._files.changed()
