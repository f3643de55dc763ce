"""What became of the record at a position, and of those in a span of positions."""

import json
import sqlite3
from collections.abc import Collection
from functools import cache

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
# Whether an event is one of those asked for; a contact's are also those of whoever was merged into it.
_WANTED = """(:any_name OR name IN (SELECT value FROM json_each(:names))) AND (:any_contact
    OR contact IN (SELECT value FROM json_each(:contacts))
    OR contact IN (SELECT source FROM merged WHERE final IN (SELECT value FROM json_each(:contacts))))"""
_CHOSEN = {
    outcomes.STORED: f" AND {_WANTED}",
    outcomes.DUPLICATE: f" AND EXISTS (SELECT 1 FROM events WHERE events.position = duplicates.of_position AND {_WANTED})",  # noqa: S608
    outcomes.ERASED: " AND FALSE",  # nothing says what it was
}


@cache
def _statement(outcome: str | None, *, newest: bool, chosen: bool) -> str:
    arms = [
        f"SELECT position, '{each}', received_at_ms, workspace, {standing} AS standing FROM {table} "  # noqa: S608
        f"WHERE position > :after AND position <= :upto AND workspace IN (SELECT value FROM json_each(:workspaces))"
        f"{_CHOSEN[each] if chosen else ''}"
        for each, (table, standing) in _STAND.items()
        if outcome in (None, each)
    ]
    return f"{' UNION ALL '.join(arms)} ORDER BY position {'DESC' if newest else 'ASC'} LIMIT :limit"


def receipts(
    db: sqlite3.Connection,
    workspaces: Collection[int],
    *,
    after: int,
    upto: int,
    limit: int,
    newest: bool,
    names: Collection[int],
    contacts: Collection[int],
    outcome: str | None,
) -> Receipts:
    """What EventReader.receipts promises; `db` is inside a read transaction."""
    lists = {"workspaces": workspaces, "names": names, "contacts": contacts}
    asked = {name: json.dumps(sorted(numbers)) for name, numbers in lists.items()}
    bounds = {"after": after, "upto": upto, "limit": limit + 1, "any_name": not names, "any_contact": not contacts}
    rows = db.execute(_statement(outcome, newest=newest, chosen=bool(names or contacts)), asked | bounds).fetchall()
    found: list[Receipt] = []
    size = 0
    for at in range(0, min(len(rows), limit), EVENTS_A_QUERY):
        some = rows[at : min(at + EVENTS_A_QUERY, limit)]
        events = events_at(db, list({standing for *_, standing in some}))
        for position, became, received_at_ms, workspace, standing in some:
            stored = events.get(standing)
            found.append(Receipt(position, became, received_at_ms, workspace, stored))
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
