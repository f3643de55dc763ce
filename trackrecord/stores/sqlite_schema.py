"""The tables of events.db, and how a file is made or brought up to date. Why they look like this: DESIGN.md beside this file."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from ..errors import DataDirectoryUnusable
from ..faults import reach
from ..sqlite import connect
from .sqlite_keys import split
from .sqlite_totals import fill_name_keys

log = logging.getLogger("trackrecord.stores")

SCHEMA_DAMAGED = "the text of its schema is damaged"

# One row a schema version, never changed once released: tests/stores/test_sqlite_store.py has the hashes of those that were. To
# change the tables, add a row: files of older versions run the rows they lack when they are opened. A step is a statement, or a
# function of the connection for what SQL cannot say.
# In events and `standing` the columns of rules.records.Event stand in the order of its fields, between the position and what is of the
# shape: both are read with *. A new field has its column there in `standing`, and its place in sqlite_rows.py, `Shapes.rows`.
MIGRATIONS: tuple[tuple[str | Callable[[sqlite3.Connection], None], ...], ...] = (
    (
        # One row. `syncs` only has to change: see SqliteStore.sync.
        "CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), cursor INTEGER NOT NULL, syncs INTEGER NOT NULL)",
        "INSERT INTO progress VALUES (1, 0, 0)",
        # The events themselves, in journal order, so that new ones are always at the end.
        """CREATE TABLE events (
            position INTEGER PRIMARY KEY,
            workspace INTEGER NOT NULL,
            contact INTEGER NOT NULL,
            name INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            received_at_ms INTEGER NOT NULL,
            metadata BLOB NOT NULL,
            kinds TEXT NOT NULL,
            dropped BLOB NOT NULL,
            distinct_part TEXT NOT NULL
        )""",
        # Event.key, once: refuses the second copy, lists a contact's events by time, and counts them.
        """CREATE TABLE event_keys (
            contact INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            name INTEGER NOT NULL,
            distinct_part TEXT NOT NULL,
            position INTEGER NOT NULL,
            PRIMARY KEY (contact, created_at, name, distinct_part)
        ) WITHOUT ROWID""",
        # Kept for contacts with very many events only (sqlite_append.py, HEAVY_KEYS); for others event_keys is counted.
        """CREATE TABLE summaries (
            contact INTEGER NOT NULL,
            name INTEGER NOT NULL,
            count INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            PRIMARY KEY (contact, name)
        ) WITHOUT ROWID""",
        """CREATE TABLE baselines (
            contact INTEGER NOT NULL,
            name INTEGER NOT NULL,
            count INTEGER NOT NULL,
            first INTEGER,
            last INTEGER,
            PRIMARY KEY (contact, name)
        ) WITHOUT ROWID""",
        """CREATE TABLE name_totals (
            name INTEGER PRIMARY KEY,
            workspace INTEGER NOT NULL,
            count INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            duplicates INTEGER NOT NULL,
            keys_dropped INTEGER NOT NULL
        )""",
        "CREATE INDEX name_totals_by_workspace ON name_totals (workspace)",
        """CREATE TABLE day_totals (
            name INTEGER NOT NULL,
            day INTEGER NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (name, day)
        ) WITHOUT ROWID""",
        """CREATE TABLE duplicates (
            position INTEGER PRIMARY KEY,
            of_position INTEGER NOT NULL,
            received_at_ms INTEGER NOT NULL,
            workspace INTEGER NOT NULL
        )""",
        "CREATE INDEX duplicates_of ON duplicates (of_position)",
        "CREATE TABLE erased (contact INTEGER PRIMARY KEY, received_at_ms INTEGER NOT NULL)",
        # What is left of an erased event: that there was one, for its receipt. Nothing in it leads to a person.
        """CREATE TABLE erased_events (
            position INTEGER PRIMARY KEY,
            received_at_ms INTEGER NOT NULL,
            workspace INTEGER NOT NULL
        )""",
    ),
    (
        # Searches go down it, newest first: position stands behind created_at by itself.
        "CREATE INDEX events_by_name ON events (name, created_at)",
        """CREATE TABLE name_keys (
            name INTEGER NOT NULL,
            key TEXT NOT NULL,
            kind TEXT NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (name, key, kind)
        ) WITHOUT ROWID""",
        fill_name_keys,
        # `final` is who the source is after all merges.
        "CREATE TABLE merged (source INTEGER PRIMARY KEY, target INTEGER NOT NULL, final INTEGER NOT NULL)",
        "CREATE INDEX merged_final ON merged (final)",
        # Rows of `events` never move or leave (DESIGN.md, "Erasure"): what is blank, and whose the others are now, is seen here.
        """CREATE VIEW standing AS
            SELECT e.position, e.workspace, ifnull(m.final, e.contact) AS contact, e.name, e.created_at, e.received_at_ms,
                e.metadata, e.kinds, e.dropped, e.distinct_part
            FROM events e LEFT JOIN merged m ON m.source = e.contact WHERE e.workspace > 0""",
        # Where in the journal a contact's baselines stand, those that were replaced too: for erased_by.
        """CREATE TABLE baseline_records (
            contact INTEGER NOT NULL,
            position INTEGER NOT NULL,
            PRIMARY KEY (contact, position)
        ) WITHOUT ROWID""",
        # Which record took away what stood at a position. Whoever keeps copies by position asks by the record.
        """CREATE TABLE erased_by (
            record INTEGER NOT NULL,
            position INTEGER NOT NULL,
            PRIMARY KEY (record, position)
        ) WITHOUT ROWID""",
        "ALTER TABLE erased ADD COLUMN position INTEGER NOT NULL DEFAULT 0",
        # Copies of erased events are erased with them; earlier versions let them stand.
        """INSERT INTO erased_events SELECT position, received_at_ms, workspace FROM duplicates
        WHERE NOT EXISTS (SELECT 1 FROM events WHERE position = of_position)""",
        "DELETE FROM duplicates WHERE NOT EXISTS (SELECT 1 FROM events WHERE position = of_position)",
    ),
    (
        # event_keys becomes a view of several tables, each with the keys from `since` up to the next one's: sqlite_keys.py.
        "CREATE TABLE key_tables (number INTEGER PRIMARY KEY, since INTEGER NOT NULL UNIQUE, count INTEGER NOT NULL)",
        split,
        # `keys` is a JSON list. A row of events with a shape has the values alone in `metadata`, and no `kinds`: sqlite_rows.py.
        "CREATE TABLE shapes (number INTEGER PRIMARY KEY, kinds TEXT NOT NULL, keys TEXT NOT NULL, count INTEGER NOT NULL)",
        "ALTER TABLE events ADD COLUMN shape INTEGER NOT NULL DEFAULT 0",
        "DROP VIEW standing",
        """CREATE VIEW standing AS
            SELECT e.position, e.workspace, ifnull(m.final, e.contact) AS contact, e.name, e.created_at, e.received_at_ms,
                e.metadata, ifnull(s.kinds, e.kinds) AS kinds, e.dropped, e.distinct_part, s.keys AS shape_keys
            FROM events e LEFT JOIN merged m ON m.source = e.contact LEFT JOIN shapes s ON s.number = e.shape
            WHERE e.workspace > 0""",
    ),
    (
        # Which merge it was, so that what changed after a position can be told (SqliteReader.changes): 0 for those before this column.
        "ALTER TABLE merged ADD COLUMN position INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX merged_by_position ON merged (position)",
        # The merge that made an event a duplicate; 0 where it came as one.
        "ALTER TABLE duplicates ADD COLUMN by_merge INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX duplicates_by_merge ON duplicates (by_merge) WHERE by_merge > 0",
    ),
)


def prepare(path: Path) -> None:
    """Make the file, or bring it to this version's tables. Any process may do so at any time.

    Raises DataDirectoryUnusable for a file of a newer version, one that is no database, or one that cannot be written.
    """
    try:
        db = connect(path, cache_mb=1)
        try:
            if _version(db, path) < len(MIGRATIONS):
                db.execute("BEGIN IMMEDIATE")
                before = _version(db, path)
                for version in range(before, len(MIGRATIONS)):  # read again: another process may have been first
                    for step in MIGRATIONS[version]:
                        if callable(step):
                            step(db)
                        else:
                            db.execute(step)
                    db.execute(f"PRAGMA user_version={version + 1}")
                reach("store.mid-migration")
                db.execute("COMMIT")
                if 0 < before < len(MIGRATIONS):
                    log.info("%s: brought from tables of version %d to %d, which older versions refuse", path.name, before, len(MIGRATIONS))
        finally:
            db.close()
    except sqlite3.Error as error:
        raise DataDirectoryUnusable(f"{path.name} in {path.parent} cannot be opened: {error}") from error
    except UnicodeDecodeError as error:
        raise DataDirectoryUnusable(f"{path.name} in {path.parent} cannot be opened: {SCHEMA_DAMAGED}") from error


def _version(db: sqlite3.Connection, path: Path) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise DataDirectoryUnusable(
            f"{path.name} in {path.parent} was made by a newer version of Trackrecord (its tables are version {version}, "
            f"this one knows up to {len(MIGRATIONS)}): start that version, or restore a backup made before it"
        )
    return version
