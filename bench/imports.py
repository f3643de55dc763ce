"""`trackrecord import`: how long it takes to bring a history in, once, from a file.

Straight into a directory that no server holds, and over HTTP into one that serves; contacts, and then their events. Times
are those of the whole command, as a person waits for it: start, reading, checks, journal, store, the count at the end. The
yardstick is what one would write by hand: decode each line and insert it into one SQLite table with one unique index.
"""

import itertools
import random
import sqlite3
import sys
import time
from pathlib import Path

import msgspec

from trackrecord import engines

from . import processes
from .context import Bench
from .dataset import LATER, NAMES, external_id, line, metadata
from .figures import Figure, Result, over
from .processes import HOST, TOKEN, Trouble

COMMAND_S = 240.0
BY_HAND_LINES = 2_000  # in one transaction


def measure(bench: Bench) -> Result:
    contacts, events = bench.sizes.contacts, bench.sizes.imported
    contacts_file, events_file, by_hand_file = (bench.folder / name for name in ("contacts.ndjson", "events.ndjson", "by-hand.db"))
    write_contacts(contacts_file, contacts)
    write_events(events_file, events, contacts)
    contacts_by_hand = by_hand(contacts_file, by_hand_file, ("external_id",))
    events_by_hand = by_hand(events_file, by_hand_file, ("user_id", "event_name", "created_at"))

    direct = bench.folder / "import-direct"
    bench.say(f"{contacts:,} contacts into a directory")
    contacts_direct = _import("contacts", contacts_file, contacts, "--data", str(direct))
    bench.say(f"{events:,} events into a directory")
    events_direct = _import("events", events_file, events, "--data", str(direct))
    _check(direct, events)
    bench.drop(direct)

    over_http = bench.fresh("import-http")
    with processes.serving(over_http) as server:
        bench.say(f"{events:,} events over HTTP")
        events_http = _import("events", events_file, events, "--url", f"http://{HOST}:{server.port}", "--token", TOKEN)
    _check(over_http, events)
    bench.drop(over_http)

    return Result(
        measure="import",
        figures=[
            _figure("contacts, into a directory", contacts_direct, contacts_by_hand),
            _figure("events, into a directory", events_direct, events_by_hand),
            _figure("events, over HTTP", events_http, events_by_hand),
            _figure("contacts, plain SQLite by hand", contacts_by_hand),
            _figure("events, plain SQLite by hand", events_by_hand),
        ],
        notes=[f"{contacts:,} contacts and {events:,} events; afterwards each event was there once."],
    )


def _figure(name: str, rate: float, yardstick: float | None = None) -> Figure:
    return Figure(name=name, unit="lines/s", values=[rate], ratios={"by hand": over([rate], [yardstick])} if yardstick else {})


def write_contacts(path: Path, count: int) -> None:
    with path.open("wb") as file:
        for contact in range(count):
            address = f"{external_id(contact)}@example.com"
            row = {"external_id": external_id(contact), "email": address, "created_at": LATER, "custom_attributes": {"plan": "team"}}
            file.write(msgspec.json.encode(row) + b"\n")


def write_events(path: Path, count: int, contacts: int) -> None:
    """Distinct events in order of time, of contacts in random order."""
    rng = random.Random(11)
    with path.open("wb") as file:
        for number in range(count):
            file.write(line(rng.randrange(contacts), rng.randrange(NAMES), LATER + number, metadata(rng)))


def by_hand(source: Path, target: Path, key: tuple[str, ...]) -> float:
    """Lines a second into a table with a unique index on `key`, durable after each BY_HAND_LINES."""
    began = time.perf_counter()
    db = sqlite3.connect(target, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        columns = ", ".join(key)
        db.execute(f"CREATE TABLE {source.stem} ({columns}, line, UNIQUE ({columns}))")
        insert = f"INSERT OR IGNORE INTO {source.stem} VALUES ({', '.join('?' * (len(key) + 1))})"
        total = 0
        with source.open("rb") as file:
            while lines := list(itertools.islice(file, BY_HAND_LINES)):
                rows = [(row := msgspec.json.decode(text)) and (*(row[name] for name in key), text) for text in lines]
                db.execute("BEGIN")
                db.executemany(insert, rows)
                db.execute("COMMIT")
                total += len(lines)
    finally:
        db.close()
    return total / (time.perf_counter() - began)


def _import(noun: str, file: Path, lines: int, *where: str) -> float:
    """Lines a second, of the whole command."""
    took, _ = processes.run([sys.executable, "-m", "trackrecord", "import", noun, str(file), *where], timeout_s=COMMAND_S, cwd=file.parent)
    return lines / took


def _check(data: Path, events: int) -> None:
    reader = engines.read_store(data)
    try:
        kept = sum(total.count for total in reader.name_totals(1))
    finally:
        reader.close()
    if kept != events:
        raise Trouble(f"{events:,} events were imported and {kept:,} are kept")
