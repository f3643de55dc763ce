"""What events.db counts over all contacts: names, their days, their metadata keys. All of it inside the caller's transaction."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ..rules.records import Event
from .name_keys import NAME_KEYS_MAX, Pair, Rows, Shape, count, pairs_by_name, pairs_of, take

DAY_S = 86400

Placed = tuple[int, Event]  # with its position


class Totals:
    """Adds events to the tables and takes them away again."""

    def __init__(self, db: sqlite3.Connection, *, name_keys_max: int = NAME_KEYS_MAX) -> None:
        self._db = db
        self._name_keys_max = name_keys_max
        self._extremes_unsure: set[int] = set()  # names that lost an event which may have been their first or last

    def forget(self) -> None:
        """Call when a transaction was rolled back."""
        self._extremes_unsure.clear()

    def add(self, events: Sequence[Placed], shapes: Mapping[tuple[int, Shape], int]) -> None:
        """`shapes`: how often each name has each shape of metadata."""
        times = _times(events)
        workspaces = {event.name: event.workspace for _, event in events}
        dropped = _dropped(events)
        self._db.executemany(
            """INSERT INTO name_totals VALUES (?, ?, ?, ?, ?, 0, ?)
            ON CONFLICT (name) DO UPDATE SET
                count = count + excluded.count,
                first = min(first, excluded.first),
                last = max(last, excluded.last),
                keys_dropped = keys_dropped + excluded.keys_dropped""",
            [(name, workspaces[name], len(of_name), min(of_name), max(of_name), dropped[name]) for name, of_name in sorted(times.items())],
        )
        self._db.executemany(
            "INSERT INTO day_totals VALUES (?, ?, ?) ON CONFLICT (name, day) DO UPDATE SET count = count + excluded.count",
            [(name, day, times) for (name, day), times in sorted(_days(events).items())],
        )
        self.add_keys(pairs_of(shapes))

    def add_copies(self, copies: Mapping[int, int]) -> None:
        """Count duplicates, how many by name; names must have events."""
        self._db.executemany(
            "UPDATE name_totals SET duplicates = duplicates + ? WHERE name = ?", [(times, name) for name, times in copies.items()]
        )

    def take(self, events: Sequence[Placed], copies: Mapping[int, int]) -> None:
        """Take events away, and the duplicates that go with them, how many by name."""
        times, dropped = _times(events), _dropped(events)
        for name, of_name in times.items():
            extremes = self._db.execute("SELECT first, last FROM name_totals WHERE name = ?", (name,)).fetchone()
            if extremes and (min(of_name) <= extremes[0] or max(of_name) >= extremes[1]):
                self._extremes_unsure.add(name)
        self._db.executemany(
            """UPDATE name_totals SET count = count - ?, duplicates = duplicates - ?, keys_dropped = keys_dropped - ?
            WHERE name = ?""",
            [(len(of_name), copies.get(name, 0), dropped[name], name) for name, of_name in times.items()],
        )
        self._db.executemany("DELETE FROM name_totals WHERE name = ? AND count = 0", [(name,) for name in times])
        days = _days(events)
        self._db.executemany(
            "UPDATE day_totals SET count = count - ? WHERE name = ? AND day = ?", [(times, *of_day) for of_day, times in days.items()]
        )
        self._db.executemany("DELETE FROM day_totals WHERE name = ? AND day = ? AND count = 0", days)
        for name, pairs in pairs_by_name(event for _, event in events).items():
            rows = self._keys(name)
            after = dict(rows)
            take(after, pairs)
            self._write_keys(name, rows, after)

    def mend_extremes(self) -> None:
        """Find the first and last of names anew that may have lost them."""
        self._db.executemany(
            """UPDATE name_totals SET
                first = ifnull((SELECT min(created_at) FROM events WHERE name = :name), first),
                last = ifnull((SELECT max(created_at) FROM events WHERE name = :name), last)
            WHERE name = :name""",
            [{"name": name} for name in sorted(self._extremes_unsure)],
        )
        self._extremes_unsure.clear()

    # Metadata keys.

    def add_keys(self, found: Mapping[int, Rows]) -> None:
        rows = [(times, name, *pair) for name, pairs in sorted(found.items()) for pair, times in pairs.items()]
        before = self._db.total_changes
        self._db.executemany("UPDATE name_keys SET count = count + ? WHERE name = ? AND key = ? AND kind = ?", rows)
        if self._db.total_changes - before == len(rows):
            return  # nothing is new, as nearly always
        for name, pairs in found.items():
            known = self._keys(name)
            after = dict(known)
            count(after, {pair: times for pair, times in pairs.items() if pair not in known}, self._name_keys_max)
            self._write_keys(name, known, after)

    def _keys(self, name: int) -> dict[Pair, int]:
        rows = self._db.execute("SELECT key, kind, count FROM name_keys WHERE name = ?", (name,))
        return {(key, kind): times for key, kind, times in rows}

    def _write_keys(self, name: int, before: Mapping[Pair, int], after: Mapping[Pair, int]) -> None:
        self._db.executemany(
            "DELETE FROM name_keys WHERE name = ? AND key = ? AND kind = ?", [(name, *pair) for pair in before if pair not in after]
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO name_keys VALUES (?, ?, ?, ?)",
            [(name, *pair, times) for pair, times in after.items() if before.get(pair) != times],
        )


def fill_name_keys(db: sqlite3.Connection) -> None:
    """For a file that has events and no rows of name_keys yet."""
    totals = Totals(db)
    rows = db.execute("SELECT name, kinds, metadata FROM events WHERE kinds != '' ORDER BY position")
    while some := rows.fetchmany(10_000):
        totals.add_keys(pairs_by_name(Event(0, 0, name, 0, 0, metadata, kinds) for name, kinds, metadata in some))


def keys_in(dropped: bytes) -> int:
    """How many metadata keys Event.dropped tells of."""
    return len(msgspec.json.decode(dropped)) if dropped else 0


def _times(events: Iterable[Placed]) -> dict[int, list[int]]:
    times: dict[int, list[int]] = {}
    for _, event in events:
        times.setdefault(event.name, []).append(event.created_at)
    return times


def _dropped(events: Iterable[Placed]) -> Counter[int]:
    dropped = Counter[int]()
    for _, event in events:
        if event.dropped:
            dropped[event.name] += keys_in(event.dropped)
    return dropped


def _days(events: Iterable[Placed]) -> Counter[tuple[int, int]]:
    return Counter([(event.name, event.created_at // DAY_S) for _, event in events])
