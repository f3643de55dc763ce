"""The yardstick of bulk.py: what one would write by hand."""

import contextlib
import itertools
import sqlite3
import time
from pathlib import Path

import msgspec

LINES = 2_000  # in one transaction


def rate(source: Path, target: Path) -> float:
    """Lines of events a second, durable after each LINES."""
    began, total = time.perf_counter(), 0
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as db, source.open("rb") as file:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE events (user_id, created_at, event_name, line, UNIQUE (user_id, created_at, event_name))")
        while lines := list(itertools.islice(file, LINES)):
            rows = [((row := msgspec.json.decode(text))["user_id"], row["created_at"], row["event_name"], text) for text in lines]
            db.execute("BEGIN")
            db.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?)", rows)
            db.execute("COMMIT")
            total += len(lines)
    return total / (time.perf_counter() - began)
