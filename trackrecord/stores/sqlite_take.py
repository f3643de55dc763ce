"""How events leave events.db, or change hands: erasures, removals, merges. All of it inside the caller's transaction."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from ..rules.records import Erasure, Merge, Removal
from .sqlite_keys import Keys
from .sqlite_people import People
from .sqlite_rows import Shapes, event_of
from .sqlite_totals import Placed, Totals

TOGETHER = 2_000  # events taken in one go, so that a contact with millions is not held in memory


# The least number of each width that SQLite stores whole numbers in; 0 and 1 take no room at all.
WIDTHS = ((2**7, -1), (2**15, -(2**7) - 1), (2**23, -(2**15) - 1), (2**31, -(2**23) - 1), (2**47, -(2**31) - 1), (2**63, -(2**47) - 1))


def blank(value: int | str | bytes) -> object:
    """What is written over one value of an event's row: of exactly the same size, so that SQLite moves no row for it."""
    if isinstance(value, int):
        return 0 if value in (0, 1) else next(blank for past, blank in WIDTHS if -past <= value < past)
    return bytes(len(value)) if isinstance(value, bytes) else "-" * len(value.encode())


class Taker:
    """`took` tells that something was erased or removed since it was last set to false."""

    def __init__(self, db: sqlite3.Connection, people: People, keys: Keys, shapes: Shapes, totals: Totals) -> None:
        self.took = False
        self._db = db
        self._people = people
        self._keys = keys
        self._shapes = shapes
        self._totals = totals

    def erase(self, position: int, erasure: Erasure) -> None:
        people = self._people
        contact = people.final(erasure.contact)
        if contact not in people.erased:
            self._take_all(contact, by=position)
        for each in {erasure.contact, contact} - people.erased.keys():
            self._db.execute("INSERT INTO erased VALUES (?, ?, ?)", (each, erasure.received_at_ms, position))
            people.erased[each] = position

    def remove(self, position: int, removal: Removal) -> None:
        for start in range(0, len(removal.positions), TOGETHER):
            events = self._events_at(removal.positions[start : start + TOGETHER])
            events = [(at, event) for at, event in events if event.workspace == removal.workspace]
            self._take(events, by=position)
            for contact in {event.contact for _, event in events} & self._people.heavy:
                self._people.summarise(contact)

    def merge(self, position: int, merge: Merge) -> None:
        people = self._people
        source, target = merge.source, people.final(merge.target)
        if source in people.merged or source in people.erased or source == target:
            return
        if target in people.erased:
            self._take_all(source, by=position)
        else:
            self._make_duplicates(source, target, by=position)
            self._move(source, target)
        # Last: from here on the source's events are seen as the target's.
        self._db.execute("UPDATE merged SET final = ? WHERE final = ?", (target, source))
        self._db.execute("INSERT INTO merged VALUES (?, ?, ?, ?)", (source, merge.target, target, position))
        people.merged[source] = merge.target

    def late(self, events: Sequence[Placed]) -> None:
        """Leave a trace of events that came for erased contacts."""
        self._trace(
            (position, event.received_at_ms, event.workspace, self._people.erased[self._people.final(event.contact)])
            for position, event in events
        )

    def _make_duplicates(self, source: int, target: int, *, by: int) -> None:
        """What both have done once becomes the target's, and the source's a duplicate of it."""
        clashes = self._keys.clashes(source, target)
        for start in range(0, len(clashes), TOGETHER):
            standing = dict(clashes[start : start + TOGETHER])
            events = self._events_at(standing)
            self._db.executemany("UPDATE duplicates SET of_position = ? WHERE of_position = ?", [(of, at) for at, of in standing.items()])
            self._db.executemany(
                "INSERT INTO duplicates VALUES (?, ?, ?, ?, ?)",
                [(at, standing[at], event.received_at_ms, event.workspace, by) for at, event in events],
            )
            self._drop(events)
            self._totals.take(events, {})
            self._totals.add_copies(Counter(event.name for _, event in events))

    def _move(self, source: int, target: int) -> None:
        """Give everything of one contact to another that has none of the same keys."""
        self._keys.move(source, target)
        for statement in (
            "UPDATE OR IGNORE baselines SET contact = :target WHERE contact = :source",
            "DELETE FROM baselines WHERE contact = :source",  # those of names that the target has one of
            "UPDATE baseline_records SET contact = :target WHERE contact = :source",
            "DELETE FROM summaries WHERE contact = :source",
        ):
            self._db.execute(statement, {"source": source, "target": target})
        if source in self._people.heavy or target in self._people.heavy:
            self._people.summarise(target)
            self._people.heavy.discard(source)

    def _take_all(self, contact: int, *, by: int) -> None:
        """Everything of a contact."""
        while some := self._db.execute("SELECT position FROM event_keys WHERE contact = ? LIMIT ?", (contact, TOGETHER)).fetchall():
            events = self._events_at(position for (position,) in some)
            if not events:
                break  # keys without events, in a damaged file; they go below
            self._take(events, by=by)
        self._db.execute("INSERT INTO erased_by SELECT ?, position FROM baseline_records WHERE contact = ?", (by, contact))
        self._keys.delete_all(contact)
        for table in ("summaries", "baselines", "baseline_records"):
            self._db.execute(f"DELETE FROM {table} WHERE contact = ?", (contact,))  # noqa: S608 - names of ours
        self._people.heavy.discard(contact)
        self.took = True

    def _take(self, events: Sequence[Placed], *, by: int) -> None:
        """Take events away, with their duplicates, and leave a trace of each."""
        names = {position: event.name for position, event in events}
        going = json.dumps(list(names))
        copies = self._db.execute(
            """SELECT position, of_position, received_at_ms, workspace FROM duplicates
            WHERE of_position IN (SELECT value FROM json_each(?))""",
            (going,),
        ).fetchall()
        self._db.execute("DELETE FROM duplicates WHERE of_position IN (SELECT value FROM json_each(?))", (going,))
        self._trace((position, event.received_at_ms, event.workspace, by) for position, event in events)
        self._trace((position, received_at_ms, workspace, by) for position, _, received_at_ms, workspace in copies)
        self._drop(events)
        self._totals.take(events, Counter(names[of_position] for _, of_position, _, _ in copies))
        self.took = True

    def _trace(self, gone: Iterable[tuple[int, int, int, int]]) -> None:
        """Rows are (position, received_at_ms, workspace, the position of the record that took it)."""
        rows = list(gone)
        self._db.executemany("INSERT INTO erased_events VALUES (?, ?, ?)", [row[:3] for row in rows])
        self._db.executemany("INSERT INTO erased_by VALUES (?, ?)", [(by, position) for position, _, _, by in rows])

    def _drop(self, events: Sequence[Placed]) -> None:
        positions = json.dumps([position for position, _ in events])
        rows = self._db.execute("SELECT * FROM events WHERE position IN (SELECT value FROM json_each(?))", (positions,)).fetchall()
        # A blank row is of no workspace, and has no shape: both numbers are below 1.
        self._db.executemany(
            """UPDATE events SET workspace = ?, contact = ?, name = ?, created_at = ?, received_at_ms = ?,
                metadata = ?, kinds = ?, dropped = ?, distinct_part = ?, shape = ? WHERE position = ?""",
            [(*map(blank, row[1:]), row[0]) for row in rows],
        )
        self._shapes.take(row[-1] for row in rows)
        self._keys.delete(event.key for _, event in events)

    def _events_at(self, positions: Iterable[int]) -> list[Placed]:
        rows = self._db.execute(
            "SELECT * FROM standing WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position", (json.dumps(list(positions)),)
        )
        return [event_of(row) for row in rows]
