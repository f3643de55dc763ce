"""Finds what is wrong with an events.db: everything that is kept twice is recounted and compared."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from .name_keys import REST, pairs_by_name
from .sqlite_keys import tables, view
from .sqlite_rows import event_of
from .sqlite_search import INT64_MAX
from .sqlite_totals import keys_in

# The same of each table of keys, which has those from :since until :until.
KEY_CHECKS = (
    (
        """SELECT k.position FROM {keys} k LEFT JOIN events e USING (position) LEFT JOIN merged m ON m.source = e.contact
        WHERE (ifnull(m.final, e.contact), e.created_at, e.name, e.distinct_part) IS NOT (k.contact, k.created_at, k.name, k.distinct_part)
        OR k.created_at NOT BETWEEN :since AND :until
        ORDER BY k.position""",
        "the key that points at position {} does not find its event there",
    ),
    (  # as many events as keys, and each key finds its own: then no event is without one, and the long search is spared
        """SELECT e.position FROM standing e LEFT JOIN {keys} k
        ON k.contact = e.contact AND k.created_at = e.created_at AND k.name = e.name AND k.distinct_part = e.distinct_part
        WHERE k.position IS NOT e.position AND e.created_at BETWEEN :since AND :until
        ORDER BY e.position""",
        "the event at position {} is not found by its key",
    ),
)
# Each row: a query, and the sentence for each of its rows. A day of a created_at before 1970 rounds down, as in Python.
CHECKS = (
    (
        """SELECT name, sum(kept), sum(counted) FROM (
            SELECT name, count AS kept, 0 AS counted FROM name_totals
            UNION ALL SELECT name, 0, count(*) FROM standing GROUP BY name
        ) GROUP BY name HAVING sum(kept) != sum(counted) ORDER BY name""",
        "name {} has a total of {} events, and {} are kept",
    ),
    (
        """SELECT t.name, t.first, t.last, c.first, c.last FROM name_totals t
        JOIN (SELECT name, min(created_at) AS first, max(created_at) AS last FROM standing GROUP BY name) c USING (name)
        WHERE t.first != c.first OR t.last != c.last ORDER BY t.name""",
        "name {} has totals from {} to {}, and its events are from {} to {}",
    ),
    (
        """SELECT name, sum(kept), sum(counted) FROM (
            SELECT name, duplicates AS kept, 0 AS counted FROM name_totals
            UNION ALL SELECT e.name, 0, count(*) FROM duplicates d JOIN standing e ON e.position = d.of_position GROUP BY e.name
        ) GROUP BY name HAVING sum(kept) != sum(counted) ORDER BY name""",
        "name {} has a total of {} duplicates, and {} are known",
    ),
    (
        """SELECT name, day, sum(kept), sum(counted) FROM (
            SELECT name, day, count AS kept, 0 AS counted FROM day_totals
            UNION ALL SELECT name, (created_at - (created_at % 86400 + 86400) % 86400) / 86400 AS day, 0, count(*)
            FROM standing GROUP BY 1, 2
        ) GROUP BY name, day HAVING sum(kept) != sum(counted) ORDER BY name, day""",
        "name {} on day {} has a total of {} events, and {} are kept",
    ),
    (
        """SELECT contact, name, ifnull(max(kept), 'nothing'), ifnull(max(counted), 'nothing') FROM (
            SELECT contact, name, count || ' from ' || first || ' to ' || last AS kept, NULL AS counted FROM summaries
            UNION ALL SELECT contact, name, NULL, count(*) || ' from ' || min(created_at) || ' to ' || max(created_at)
            FROM event_keys WHERE contact IN (SELECT contact FROM summaries) GROUP BY contact, name
        ) GROUP BY contact, name HAVING max(kept) IS NOT max(counted) ORDER BY contact, name""",
        "the summary of contact {} for name {} says {}, and the events say {}",
    ),
    (
        """SELECT contact, count(*) FROM (
            SELECT contact FROM event_keys UNION ALL SELECT contact FROM standing
            UNION ALL SELECT contact FROM summaries UNION ALL SELECT contact FROM baselines
        ) WHERE contact IN (SELECT contact FROM erased) GROUP BY contact ORDER BY contact""",
        "contact {} was erased, and {} rows of it are left",
    ),
    (
        """SELECT contact, target, count(*) FROM (
            SELECT contact FROM event_keys UNION ALL SELECT contact FROM summaries UNION ALL SELECT contact FROM baselines
        ) JOIN merged ON source = contact GROUP BY contact ORDER BY contact""",
        "contact {} was merged into contact {}, and {} rows of it are left",
    ),
    (
        """SELECT source, final, ifnull(next, target) FROM (
            SELECT m.source, m.final, m.target, (SELECT t.final FROM merged t WHERE t.source = m.target) AS next FROM merged m
        ) WHERE final != ifnull(next, target) ORDER BY source""",
        "contact {} is kept as contact {} after all merges, and those lead to contact {}",
    ),
    (
        """SELECT d.position, d.of_position FROM duplicates d LEFT JOIN events e ON e.position = d.of_position AND e.workspace > 0
        WHERE e.position IS NULL ORDER BY d.position""",
        "position {} is a duplicate of position {}, which holds no event",
    ),
    (
        """SELECT position, count(*) FROM (
            SELECT position FROM standing UNION ALL SELECT position FROM duplicates UNION ALL SELECT position FROM erased_events
        ) GROUP BY position HAVING count(*) > 1 ORDER BY position""",
        "position {} has {} outcomes",
    ),
    (
        """SELECT cursor, position FROM progress, (
            SELECT max(position) AS position FROM (
                SELECT max(position) AS position FROM events
                UNION ALL SELECT max(position) FROM duplicates UNION ALL SELECT max(position) FROM erased_events)
        ) WHERE cursor < position""",
        "the cursor is {}, and position {} is kept already",
    ),
    (
        """SELECT number, sum(kept), sum(counted) FROM (
            SELECT number, count AS kept, 0 AS counted FROM shapes
            UNION ALL SELECT shape, 0, count(*) FROM events WHERE shape > 0 GROUP BY shape
        ) GROUP BY number HAVING sum(kept) != sum(counted) ORDER BY number""",
        "shape {} of metadata is counted {} times, and {} events have it",
    ),
    ("SELECT number FROM shapes WHERE length(kinds) != json_array_length(keys)", "shape {} of metadata has not as many kinds as keys"),
)


def problems(db: sqlite3.Connection) -> Iterator[str]:
    """One plain sentence for each thing that is wrong. `db` is inside a read transaction."""
    damage: set[str] = set()
    recounts = [partial(_recount, query, sentence) for query, sentence in CHECKS]
    checks: list[Callable[[sqlite3.Connection], Iterator[str]]] = [_damage, _wrong_keys, *recounts, _wrong_dropped_keys, _wrong_name_keys]
    for check in checks:
        try:
            yield from check(db)
        except (sqlite3.DatabaseError, msgspec.MsgspecError, ValueError) as error:
            # A page or a value too broken to read on; the other checks may not need it.
            if str(error) not in damage:
                damage.add(str(error))
                yield f"{'SQLite finds the file' if isinstance(error, sqlite3.Error) else 'a value in the file is'} damaged: {error}"


def _damage(db: sqlite3.Connection) -> Iterator[str]:
    for (found,) in db.execute("PRAGMA integrity_check"):
        if found != "ok":
            yield f"SQLite finds the file damaged: {found}"


def _wrong_keys(db: sqlite3.Connection) -> Iterator[str]:
    split = tables(db)
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'event_keys_[0-9]*'")}
    for name in sorted({table.name for table in split} ^ there):
        yield f"{name} is {'not in the list of tables of keys' if name in there else 'in the list of tables of keys, and not there'}"
    (made,) = db.execute("SELECT ifnull((SELECT sql FROM sqlite_schema WHERE name = 'event_keys'), '')").fetchone()
    if sorted(made.split()) != sorted(view(split).split()):
        yield "the view event_keys is not made of the tables of keys"
    (as_many,) = db.execute("SELECT (SELECT count(*) FROM standing) = (SELECT count(*) FROM event_keys)").fetchone()
    for table, until in zip(split, [*(each.since - 1 for each in split[1:]), INT64_MAX], strict=True):
        for query, sentence in KEY_CHECKS[:1] if as_many else KEY_CHECKS:
            for row in db.execute(query.format(keys=table.name), {"since": table.since, "until": until}):
                yield sentence.format(*row)


def _recount(query: str, sentence: str, db: sqlite3.Connection) -> Iterator[str]:
    for row in db.execute(query):
        yield sentence.format(*row)


def _wrong_dropped_keys(db: sqlite3.Connection) -> Iterator[str]:
    counted: Counter[int] = Counter()
    for name, dropped in db.execute("SELECT name, dropped FROM standing WHERE dropped != x''"):
        counted[name] += keys_in(dropped)
    for name, kept in db.execute("SELECT name, keys_dropped FROM name_totals ORDER BY name"):
        if kept != counted[name]:
            yield f"name {name} has a total of {kept} keys dropped, and its events tell of {counted[name]}"


def _wrong_name_keys(db: sqlite3.Connection) -> Iterator[str]:
    counted: Counter[tuple[int, str, str]] = Counter()
    rows = db.execute("SELECT * FROM standing WHERE kinds != ''")
    while some := rows.fetchmany(10_000):
        for name, pairs in pairs_by_name(event_of(row).event for row in some).items():
            counted.update({(name, *pair): times for pair, times in pairs.items()})
    kept = {(name, key, kind): times for name, key, kind, times in db.execute("SELECT name, key, kind, count FROM name_keys")}
    for name, key, kind in [row for row in counted if row not in kept]:
        if (name, *REST) in kept:  # it may be counted there
            kept[name, *REST] -= counted.pop((name, key, kind))
    for row in sorted(kept.keys() | counted.keys()):
        name, key, kind = row
        has, says = counted[row], kept.get(row, 0)
        if row[1:] == REST and says:
            yield f"name {name} has {says} more metadata keys counted together than its events have"
        elif row[1:] != REST and says != has:
            yield f"name {name} has metadata key {key!r} of kind {kind} {says} times, and its events have it {has} times"
