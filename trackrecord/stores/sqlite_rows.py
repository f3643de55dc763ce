"""An event and its row in events.db, both ways.

Events of one name mostly have the same metadata keys with values of the same kinds: such a shape stands once in the table
`shapes`, and a row carries its number and the values alone. Metadata without a shape lies as it came.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from ..rules.records import Event
from .base import StoredEvent
from .name_keys import Shape

SHAPES_MAX = 4_000  # a file has; senders that put ids into keys would have them without end
SHAPE_BYTES_MAX = 500  # of an object beside its values; a longer one has no shape, so that shapes in memory stay small
SEEN_TIMES = 4  # a shape gets a number when it has come so often
SEEN_MAX = 5_000  # shapes without a number that are remembered

Row = tuple[object, ...]  # as the columns of `events` stand
NONE = 0  # the number of rows that lie as they came

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode  # the values are not looked at
_names = msgspec.json.Decoder(list[str]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def events_at(db: sqlite3.Connection, positions: Sequence[int]) -> dict[int, StoredEvent]:
    """Those of the positions that hold an event."""
    marks = ", ".join("?" * len(positions))
    return {row[0]: event_of(row) for row in db.execute(f"SELECT * FROM standing WHERE position IN ({marks})", positions)}  # noqa: S608


def values_at(db: sqlite3.Connection, key: str, positions: Sequence[int]) -> list[tuple[int, str, bytes]]:
    """Those of the positions that hold an event with this metadata key, in whatever case: with its kind, and its value as JSON.

    Raises sqlite3.DatabaseError where metadata is damaged.
    """
    key = key.casefold()
    shapes: dict[int, tuple[str, int] | None] = {}  # of each shape the kind of the key and its place, None where it has none
    for number, kinds, keys in db.execute("SELECT number, kinds, keys FROM shapes"):
        names = [name.casefold() for name in names_of(keys)]
        shapes[number] = (kinds[names.index(key)], names.index(key)) if key in names else None
    found = []
    for position, metadata, kinds, shape in db.execute(
        """SELECT e.position, e.metadata, e.kinds, e.shape FROM json_each(?) j CROSS JOIN events e ON e.position = j.value
        WHERE e.workspace > 0 AND (e.shape > 0 OR e.kinds != '')""",
        (msgspec.json.encode(list(positions)).decode(),),
    ):
        try:
            if shape == NONE:
                values = _object(metadata)
                names = [name.casefold() for name in values]
                if key in names:
                    at = names.index(key)
                    found.append((position, kinds[at], bytes(list(values.values())[at])))
            elif (place := shapes[shape]) is not None:
                found.append((position, place[0], bytes(_list(b"[%b]" % metadata)[place[1]])))
        except (ValueError, LookupError):  # msgspec's errors are ValueErrors
            raise sqlite3.DatabaseError(f"the metadata at position {position} is damaged") from None
    return found


def event_of(row: tuple[Any, ...]) -> StoredEvent:
    """An event from a row of the view `standing`. Raises sqlite3.DatabaseError where its metadata is damaged."""
    position, *fields, keys = row
    if keys is not None:
        try:
            fields[5] = _whole(keys, fields[5])
        except ValueError:  # msgspec's errors are such
            raise sqlite3.DatabaseError(f"the metadata at position {position} is damaged") from None
    return StoredEvent(position, Event(*fields))


def _whole(keys: str, values: bytes) -> bytes:
    """Metadata from a JSON list of its keys, and its values as they stand between the brackets of another."""
    return b"".join([*chain.from_iterable(zip(_heads(keys), _list(b"[%b]" % values), strict=True)), b"}"])


@lru_cache(SHAPES_MAX)
def _heads(keys: str) -> tuple[bytes, ...]:
    """What stands before each value."""
    return tuple((b"," if place else b"{") + _encode(key) + b":" for place, key in enumerate(names_of(keys)))


def names_of(keys: str) -> list[str]:
    """The keys of a shape. Raises sqlite3.DatabaseError where they are damaged."""
    try:
        return _names(keys)
    except ValueError:  # msgspec's errors are such
        raise sqlite3.DatabaseError("the keys of a shape of metadata are damaged") from None


class Shapes:
    """Makes rows, numbers their shapes and counts these, inside the caller's transaction. Kept up by itself, and by `read`."""

    def __init__(self, db: sqlite3.Connection, *, after: int = SEEN_TIMES) -> None:
        self._db = db
        self._after = after
        self._numbers: dict[Shape, tuple[int, int]] = {}  # with the bytes that an object has more than its values
        self._seen: Counter[Shape] = Counter()

    def read(self) -> None:
        """Call within a transaction, first of all and when another writer has committed."""
        self._numbers = {}
        for number, kinds, keys in self._db.execute("SELECT number, kinds, keys FROM shapes"):
            self._numbers[kinds, tuple(names_of(keys))] = number, _length(keys)

    def rows(self, events: Iterable[tuple[int, Event]]) -> tuple[list[Row], Counter[tuple[int, Shape]]]:
        """The rows of events with their positions, and how often each name had each shape."""
        rows: list[Row] = []
        found: Counter[tuple[int, Shape]] = Counter()
        used: Counter[int] = Counter()
        for position, event in events:
            metadata, kinds, number = event.metadata, event.kinds, NONE
            if kinds:
                values = _object(metadata)
                shape = (kinds, tuple(values))
                found[event.name, shape] += 1
                bare = b",".join(values.values())
                number, length = NONE, 0
                if len(metadata) - len(bare) <= SHAPE_BYTES_MAX:
                    number, length = self._numbers.get(shape) or self._see(shape)
                if len(bare) + length == len(metadata):  # else it is not written as we write, or has no number
                    metadata, kinds = bare, ""
                    used[number] += 1
                else:
                    number = NONE
            rows.append(
                (
                    position,
                    event.workspace,
                    event.contact,
                    event.name,
                    event.created_at,
                    event.received_at_ms,
                    metadata,
                    kinds,
                    event.dropped,
                    event.distinct,
                    number,
                )
            )
        self._db.executemany("UPDATE shapes SET count = count + ? WHERE number = ?", [(times, number) for number, times in used.items()])
        return rows, found

    def take(self, numbers: Iterable[int]) -> None:
        """The events of rows with these numbers are gone. A shape that has none left goes too, and its keys with it."""
        gone = Counter(numbers)
        self._db.executemany("UPDATE shapes SET count = count - ? WHERE number = ?", [(times, number) for number, times in gone.items()])
        if self._db.execute("DELETE FROM shapes WHERE count <= 0").rowcount:
            self.read()

    def _see(self, shape: Shape) -> tuple[int, int]:
        """The shape's new number, if it has been seen often enough; else NONE, with a length that fits no object."""
        self._seen[shape] += 1
        if self._seen[shape] < self._after or len(self._numbers) >= SHAPES_MAX:
            if len(self._seen) > SEEN_MAX:
                self._seen.clear()
            return NONE, 0
        del self._seen[shape]
        kinds, names = shape
        keys = _encode(names).decode()
        number = self._db.execute("INSERT INTO shapes (kinds, keys, count) VALUES (?, ?, 0)", (kinds, keys)).lastrowid or NONE
        self._numbers[shape] = number, _length(keys)
        return self._numbers[shape]


def _length(keys: str) -> int:
    """By how many bytes an object is longer than its values with commas between them."""
    heads = _heads(keys)
    return sum(map(len, heads)) + 1 - (len(heads) - 1)
