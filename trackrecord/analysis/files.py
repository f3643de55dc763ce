"""The columns in files, so that a start with millions of events need not read the store anew.

One raw file a column, and a header that says how much of them is good. The header is removed before anything that was written is
changed and written last, and names the sum of every file: whatever happens in between, files that cannot be trusted are made anew.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from .columns import COLUMNS, Array, Columns

VERSION = 1  # of the files; those of another are made anew
HEADER = "header"
PIECE_BYTES = 1 << 22  # read and written at once


class Header(msgspec.Struct, frozen=True, array_like=True):
    version: int
    rows: int
    cursor: int  # the store's, that the columns are exact of
    sums: dict[str, int]  # CRC-32 of each column
    last: tuple[int, int]  # the position of the last row, and when it was received (ms): in another store that is another event
    merges: list[tuple[int, int]]  # positions and sources of those that are in it


class ColumnFiles:
    """The files in one folder. Nothing here raises for what is wrong with them: they are only a faster way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sums: dict[str, int] = {}
        self._rows = 0  # of those in the files, how many are as they are in memory

    def read(self) -> tuple[Columns, Header] | None:
        """What was saved; None where there is nothing, or nothing to trust."""
        try:
            header = msgspec.msgpack.decode((self._folder / HEADER).read_bytes(), type=Header)
            if header.version != VERSION:
                return None
            found = {column: np.fromfile(self._folder / column, dtype, header.rows) for column, dtype in COLUMNS}
        except (OSError, msgspec.MsgspecError, ValueError):
            return None
        if any(len(found[column]) != header.rows or _sum(found[column]) != header.sums.get(column) for column, _ in COLUMNS):
            return None
        columns = Columns()
        columns.add(found)
        self._sums, self._rows = dict(header.sums), header.rows
        return columns, header

    def changed(self) -> None:
        """Rows that were saved are not any more what they were: all are written the next time."""
        self._sums, self._rows = {}, 0

    def save(self, columns: Columns, *, cursor: int, last: tuple[int, int], merges: list[tuple[int, int]]) -> bool:
        """Write what is not written yet; whether that worked (a full disk, a folder that cannot be written)."""
        sums = dict(self._sums)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if not self._rows:
                (self._folder / HEADER).unlink(missing_ok=True)
            for column, dtype in COLUMNS:
                new = columns.column(column)[self._rows :]
                sums[column] = _sum(new, sums.get(column, 0))
                start = self._rows * np.dtype(dtype).itemsize
                file = os.open(self._folder / column, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    os.ftruncate(file, start)
                    os.lseek(file, start, os.SEEK_SET)
                    for piece in _pieces(new):
                        while piece:
                            piece = piece[os.write(file, piece) :]
                    os.fsync(file)
                finally:
                    os.close(file)
            self._write_header(Header(VERSION, len(columns), cursor, sums, last, merges))
        except OSError:
            self.changed()
            return False
        self._sums, self._rows = sums, len(columns)
        return True

    def _write_header(self, header: Header) -> None:
        beside = self._folder / f"{HEADER}.new"
        with open(beside, "wb") as file:
            file.write(msgspec.msgpack.encode(header))
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self._folder / HEADER)


def _pieces(values: Array) -> Iterator[memoryview]:
    whole = np.ascontiguousarray(values).data.cast("B") if len(values) else memoryview(b"")
    for start in range(0, len(whole), PIECE_BYTES):
        yield whole[start : start + PIECE_BYTES]


def _sum(values: Array, before: int = 0) -> int:
    for piece in _pieces(values):
        before = zlib.crc32(piece, before)
    return before
