"""What became of the record at a position, and of those in a span of positions."""

import json
import sqlite3
from collections.abc import Iterable

from .. import outcomes
from .base import PAGE_METADATA_BYTES, Copies, Receipt, Receipts
from .sqlite_rows import events_at

EVENTS_A_QUERY = 32  # few enough that an answer with very long ones is not read whole

# Where the receipts of each outcome stand: the table, and the column with the position of the event that stands.
_STAND = {
    outcomes.STORED: ("events", "position"),
    outcomes.DUPLICATE: ("duplicates", "of_position"),
    outcomes.ERASED: ("erased_events", "0"),
}
_SPAN = " UNION ALL ".join(
    f"SELECT position, '{outcome}', received_at_ms, workspace, {standing} AS standing FROM {table} "  # noqa: S608
    "WHERE position > :after AND position <= :upto AND workspace IN (SELECT value FROM json_each(:workspaces))"
    for outcome, (table, standing) in _STAND.items()
)
_ORDERED = {newest: f"{_SPAN} ORDER BY position {'DESC' if newest else 'ASC'} LIMIT :limit" for newest in (False, True)}


def receipts(db: sqlite3.Connection, workspaces: Iterable[int], *, after: int, upto: int, limit: int, newest: bool) -> Receipts:
    """What EventReader.receipts promises; `db` is inside a read transaction."""
    asked = {"after": after, "upto": upto, "workspaces": json.dumps(sorted(workspaces)), "limit": limit + 1}
    rows = db.execute(_ORDERED[newest], asked).fetchall()
    found: list[Receipt] = []
    size = 0
    for at in range(0, min(len(rows), limit), EVENTS_A_QUERY):
        some = rows[at : min(at + EVENTS_A_QUERY, limit)]
        events = events_at(db, list({standing for *_, standing in some}))
        for position, outcome, received_at_ms, workspace, standing in some:
            stored = events.get(standing)
            found.append(Receipt(position, outcome, received_at_ms, workspace, stored))
            size += len(stored.event.metadata) if stored is not None else 0
            if size > PAGE_METADATA_BYTES:
                return Receipts(found, more=len(found) < len(rows))
    return Receipts(found, more=len(rows) > limit)


def receipt(db: sqlite3.Connection, position: int) -> Receipt | None:
    """What EventReader.receipt promises."""
    for outcome, (table, standing) in _STAND.items():
        row = db.execute(f"SELECT received_at_ms, workspace, {standing} FROM {table} WHERE position = ?", (position,)).fetchone()  # noqa: S608
        if row is not None and row[1] > 0:
            return Receipt(position, outcome, row[0], row[1], events_at(db, [row[2]]).get(row[2]))
    return None


def copies(db: sqlite3.Connection, position: int, *, limit: int) -> Copies:
    """What EventReader.copies promises; `db` is inside a read transaction."""
    (count,) = db.execute("SELECT count(*) FROM duplicates WHERE of_position = ?", (position,)).fetchone()
    rows = db.execute("SELECT position, received_at_ms FROM duplicates WHERE of_position = ? ORDER BY position LIMIT ?", (position, limit))
    return Copies(count, rows.fetchall())
