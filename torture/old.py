"""A data directory as release 0.1.0 would have left it, and rounds that bring it up to date and are killed on the way.

What a world's server has kept, events alone, is written anew: the journal in format 1, the directory at revision 0001 and events.db in
its first version, whose statements are never changed once released. Nothing of today's tables is used.
"""

import contextlib
import sqlite3
import time
from pathlib import Path

import msgspec
from alembic import command
from alembic.config import Config

from trackrecord import engines
from trackrecord.directory.engine import Database
from trackrecord.faults import VARIABLE
from trackrecord.rules.records import Event
from trackrecord.sqlite import connect
from trackrecord.stores.sqlite_append import HEAVY_KEYS
from trackrecord.stores.sqlite_schema import MIGRATIONS

from .load import EVENTS_ONLY, Load
from .server import NotStarted
from .world import CONNECTIONS, World

EVENTS = (2_000, 3_000)  # before they become old
STARTS_KILLED = 4
START_S = 1.5  # about what a start takes
SIGKILLED = -9
SCOPES_THEN = "read_contacts read_events write_contacts write_events"
READ_AT_ONCE = 10_000

BATCHES = """CREATE TABLE batches (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, written_at_ms INTEGER NOT NULL,
    crc INTEGER NOT NULL, records BLOB NOT NULL)"""
# From `sent`, all that was ever sent with its position, to the tables of the first version.
FOLD = (
    "INSERT OR IGNORE INTO event_keys SELECT contact, created_at, name, distinct_part, position FROM sent ORDER BY position",
    "INSERT INTO events SELECT * FROM sent WHERE position IN (SELECT position FROM event_keys)",
    """INSERT INTO duplicates SELECT s.position, k.position, s.received_at_ms, s.workspace FROM sent s JOIN event_keys k
        ON (k.contact, k.created_at, k.name, k.distinct_part) = (s.contact, s.created_at, s.name, s.distinct_part)
        WHERE k.position <> s.position""",
    """INSERT INTO name_totals SELECT name, workspace, count(*), min(created_at), max(created_at),
        (SELECT count(*) FROM duplicates d JOIN events o ON o.position = d.of_position WHERE o.name = e.name), 0
        FROM events e GROUP BY name""",
    "INSERT INTO day_totals SELECT name, created_at / 86400, count(*) FROM events GROUP BY name, created_at / 86400",
    f"""INSERT INTO summaries SELECT contact, name, count(*), min(created_at), max(created_at) FROM event_keys
        WHERE contact IN (SELECT contact FROM event_keys GROUP BY contact HAVING count(*) > {HEAVY_KEYS}) GROUP BY contact, name""",
    "UPDATE progress SET cursor = (SELECT max(position) FROM sent)",
    "DROP TABLE sent",
    "PRAGMA user_version=1",
)


def make_old(data: Path) -> None:
    """Write the files of a stopped server anew, as 0.1.0 had them. It had no log of requests."""
    before = data.with_name("before")
    data.rename(before)
    data.mkdir(mode=0o700)
    _store(before, data)
    _journal(before / engines.JOURNAL_FILE, data / engines.JOURNAL_FILE)
    _directory(before / engines.DIRECTORY_FILE, data / engines.DIRECTORY_FILE)


def _mark(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Which directory a file belongs to."""
    new.execute(f"PRAGMA application_id={old.execute('PRAGMA application_id').fetchone()[0]}")


def _store(before: Path, data: Path) -> None:
    journal, after = engines.read_journal(before), 0
    with contextlib.closing(connect(data / engines.STORE_FILE, cache_mb=8)) as db:
        for step in MIGRATIONS[0]:
            assert isinstance(step, str)
            db.execute(step)
        db.execute("BEGIN")
        db.execute("CREATE TEMP TABLE sent AS SELECT * FROM events")
        while batch := journal.read(after=after, limit=READ_AT_ONCE):
            events = [record for record in batch.records if isinstance(record, Event)]
            assert len(events) == len(batch.records), "what 0.1.0 is to have had are events alone"
            rows = [(position, *msgspec.structs.astuple(event)) for position, event in enumerate(events, batch.first)]
            db.executemany("INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            after = batch.last
        for statement in FOLD:
            db.execute(statement)
        db.execute("COMMIT")
        with contextlib.closing(sqlite3.connect(before / engines.STORE_FILE)) as old:
            _mark(old, db)
    journal.close()


def _journal(before: Path, path: Path) -> None:
    with contextlib.closing(connect(path, durable=True, cache_mb=8)) as db:
        db.execute(BATCHES)
        with contextlib.closing(sqlite3.connect(before)) as old:
            rows = old.execute("SELECT first, count, written_at_ms, crc, records FROM batches").fetchall()
            _mark(old, db)
        db.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("PRAGMA user_version=1")


def _directory(before: Path, path: Path) -> None:
    made = Database(path)
    made.make()
    with made.writing() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "trackrecord.directory:migrations")
        command.upgrade(config, "0001")
    made.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("ATTACH ? AS before", (str(before),))
        db.execute("BEGIN")
        for (table,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
            if table != "alembic_version":
                columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
                db.execute(f"DELETE FROM main.{table}")
                db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM before.{table}")
        db.execute("UPDATE main.tokens SET scopes = ? WHERE scopes LIKE '%delete_events%'", (SCOPES_THEN,))
        db.execute("COMMIT")


def aged(world: World) -> None:
    """Thousands of events, in the files of 0.1.0. No server runs."""
    world.load = Load(world.oracle, world.rng, connections=CONNECTIONS, does=EVENTS_ONLY)
    world.load.start(world.server.url)
    world.load.for_events(world.rng.randint(*EVENTS), within_s=40)
    world.judge()
    world.stop()
    make_old(world.data)
    for person in world.oracle.here():
        person.touched = True


def upgraded(world: World) -> None:
    """The next start brings the files up to date; nothing is lost, and more is taken, and sent again, as ever."""
    world.start()
    world.judge()
    world.load.start(world.server.url)
    world.load.for_events(200)
    world.judge()


def kill_at_upgrade(world: World) -> None:
    """Several starts over old files are killed, at moments nobody knows before; then one is let be."""
    aged(world)
    for _ in range(STARTS_KILLED):
        with world.launched() as server:
            time.sleep(0.2 + world.rng.random() * START_S)
            server.kill()
        world.fault()
        world.gone()
    upgraded(world)


def at_upgrade(world: World, point: str) -> None:
    """The first start over old files dies at the point."""
    aged(world)
    dies_at_start(world, point)
    upgraded(world)


def dies_at_start(world: World, point: str) -> None:
    try:
        world.start(environ={VARIABLE: point})
        world.oracle.found("answers", f"a start went past {point}, which kills it")
    except NotStarted:
        world.fault()
    world.gone()
