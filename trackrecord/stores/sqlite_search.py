"""Finding events by name, contact, time and a condition, newest first, without reading more than what is asked for."""

import heapq
import json
import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice

from ..rules.records import Event
from .base import PAGE_METADATA_BYTES, Found, Place, Selection, StoredEvent
from .sqlite_rows import events_at

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1  # what SQLite can compare with
FIRST_ROWS, MOST_ROWS = 16, 1024  # of one name or contact read at once: few at first, as most of many names give few
EVENTS_A_QUERY = 16  # few enough that a page of very long ones is not read whole
CONTACTS_MAX = 1_000  # with more contacts chosen than this, events are looked for by name

_OF_NAME = """SELECT created_at, position FROM events
    WHERE name = :of AND created_at >= :since AND (created_at, position) < (:created_at, :position)
    ORDER BY created_at DESC, position DESC LIMIT :rows"""
_OF_CONTACT = """SELECT created_at, position FROM event_keys
    WHERE contact = :of AND created_at >= :since AND (created_at, position) < (:created_at, :position)
    AND (:any_name OR name IN (SELECT value FROM json_each(:names)))
    ORDER BY created_at DESC, position DESC LIMIT :rows"""


def search(
    db: sqlite3.Connection,
    selection: Selection,
    *,
    limit: int,
    look_max: int,
    before: Place | None,
    wanted: Callable[[Event], bool] | None,
) -> Found:
    """What EventReader.search promises; `db` is inside a read transaction."""
    contacts = frozenset(selection.contacts)
    by_contact = 0 < len(contacts) <= CONTACTS_MAX
    if by_contact:
        sources = sorted(contacts)
    elif selection.names:
        sources = sorted(set(selection.names))
    else:
        sources = [name for (name,) in db.execute("SELECT name FROM name_totals WHERE workspace = ?", (selection.workspace,))]
    start = before or Place(INT64_MAX, INT64_MAX)
    if selection.until is not None:
        start = min(start, Place(selection.until, INT64_MIN))  # nothing stands at a position so low
    statement = _OF_CONTACT if by_contact else _OF_NAME
    places = heapq.merge(*(_places(db, statement, source, selection, start) for source in sources), reverse=True)
    found: list[StoredEvent] = []
    last = before
    looked = size = 0
    for place in places:
        if len(found) >= limit or looked >= look_max or size > PAGE_METADATA_BYTES:
            return Found(found, last)
        some = [place, *islice(places, min(EVENTS_A_QUERY, look_max - looked) - 1)]
        stored = events_at(db, [place.position for place in some])
        for last in some:
            looked += 1
            each = stored.get(last.position)
            if each is None or each.event.workspace != selection.workspace or (contacts and each.event.contact not in contacts):
                continue
            if wanted is None or wanted(each.event):
                found.append(each)
                size += len(each.event.metadata)
                if (len(found) >= limit or size > PAGE_METADATA_BYTES) and last != some[-1]:
                    return Found(found, last)
    return Found(found, None)


def _places(db: sqlite3.Connection, statement: str, of: int, selection: Selection, start: Place) -> Iterator[Place]:
    """One name's or contact's places below `start`, downwards."""
    rows = FIRST_ROWS
    bounds = {
        "of": of,
        "since": INT64_MIN if selection.since is None else selection.since,
        "any_name": not selection.names,
        "names": json.dumps(list(selection.names)),
    }
    while True:
        read = db.execute(statement, {**bounds, **start._asdict(), "rows": rows}).fetchall()
        yield from map(Place._make, read)
        if len(read) < rows:
            return
        start, rows = Place(*read[-1]), min(rows * 4, MOST_ROWS)
