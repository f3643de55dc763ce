"""How fast events enter events.db, and how large it grows, for the layout in use and for those that were not chosen.

    python bench/store_layouts.py [--events 1000000] [--batches 2000,20000] [--only chosen,unique-index] [--step 500000]

Contacts come in random order out of a million, events in order of time, with 60 names and 115 bytes of metadata. One
process writes, nothing reads. The journal's part, decoding a record, is left out: events are made beforehand. Figures
are processor time an event in microseconds, that of checkpoints included; bytes an event after a full checkpoint; the
longest append; and rows a second within each step. The table in trackrecord/stores/DESIGN.md comes from here.
"""

import argparse
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trackrecord.rules.records import Event
from trackrecord.sqlite import PAGE_BYTES, Checkpointer, connect
from trackrecord.stores.sqlite_append import Appender
from trackrecord.stores.sqlite_schema import prepare
from trackrecord.stores.sqlite_totals import Placed

CONTACTS, NAMES, EVENTS_A_SECOND = 1_000_000, 60, 20
METADATA = b'{"plan":"team","seats":%d,"path":"/settings/billing","invited_by":"user-%06d","price":{"amount":%d,"currency":"eur"}}'
KINDS = "snssm"
NEVER = 1 << 40  # keys in a table, or events until a shape: so many never come


class LogKeeper(Checkpointer):
    """Looks at the log's size after every commit, so that limits can be compared whatever the batch size."""

    def poke(self, db: sqlite3.Connection) -> bool:
        self._pokes = 63
        return super().poke(db)


class Unsorted(Appender):
    """Keys in order of arrival."""

    def _keep(self, events: list[Placed]) -> None:
        self._keys.insert([(event.contact, event.created_at, event.name, event.distinct, position) for position, event in events])
        self._keep_rows(events, "INSERT INTO")

    def _keep_rows(self, events: list[Placed], insert: str) -> None:
        rows, shapes = self._shapes.rows(events)
        self._db.executemany(f"{insert} events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._totals.add(events, shapes)


class UniqueIndex(Unsorted):
    """No event_keys; the heap has a unique index on the same columns, which is filled in the heap's order."""

    extra = ("CREATE UNIQUE INDEX events_key ON events (contact, created_at, name, distinct_part)",)

    def _keep(self, events: list[Placed]) -> None:
        self._keep_rows(events, "INSERT OR IGNORE INTO")


class Clustered(Appender):
    """No heap: whole events stand in order of their key, with an index by position for receipts and scans."""

    extra = (
        """CREATE TABLE clustered (position, workspace, contact, name, created_at, received_at_ms, metadata, kinds, dropped,
        distinct_part, shape, PRIMARY KEY (contact, created_at, name, distinct_part)) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX clustered_position ON clustered (position)",
    )

    def _keep(self, events: list[Placed]) -> None:
        events = sorted(events, key=lambda placed: placed[1].key)
        rows, shapes = self._shapes.rows(events)
        self._db.executemany("INSERT OR IGNORE INTO clustered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._totals.add(events, shapes)


class AllSummaries(Appender):
    """As chosen, with a row a contact and name kept for everybody."""

    def _add_to_summaries(self, events: list[Placed]) -> None:
        self._db.executemany(
            """INSERT INTO summaries VALUES (?, ?, 1, ?, ?) ON CONFLICT (contact, name) DO UPDATE SET
            count = count + 1, first = min(first, excluded.first), last = max(last, excluded.last)""",
            sorted([(event.contact, event.name, event.created_at, event.created_at) for _, event in events]),
        )


class Layout(NamedTuple):
    appender: type[Appender] = Appender
    page_bytes: int = PAGE_BYTES
    log_mb: int = 128
    cache_mb: int = 64
    sizes: dict[str, int] = {}  # noqa: RUF012 - never written to


LAYOUTS = {
    "chosen": Layout(),
    "keys-250k": Layout(sizes={"keys_a_table": 250_000}),
    "keys-1m": Layout(sizes={"keys_a_table": 1_000_000}),
    "keys-2m": Layout(sizes={"keys_a_table": 2_000_000}),
    "keys-one": Layout(sizes={"keys_a_table": NEVER}),
    "no-shapes": Layout(sizes={"shape_after": NEVER}),
    "page-1024": Layout(page_bytes=1024),
    "page-2048": Layout(page_bytes=2048),
    "page-8192": Layout(page_bytes=8192),
    "page-16384": Layout(page_bytes=16384),
    "log-32mb": Layout(log_mb=32),
    "log-512mb": Layout(log_mb=512),
    "cache-256mb": Layout(cache_mb=256),
    "unsorted": Layout(Unsorted),
    "unique-index": Layout(UniqueIndex),
    "clustered": Layout(Clustered),
    "all-summaries": Layout(AllSummaries),
}


def batches(count: int, size: int) -> Iterator[tuple[int, list[Event]]]:
    rng = random.Random(7)
    for first in range(1, count + 1, size):
        yield (
            first,
            [
                Event(
                    workspace=1,
                    contact=rng.randrange(CONTACTS) + 1,
                    name=rng.randrange(NAMES) + 1,
                    created_at=1_700_000_000 + position // EVENTS_A_SECOND,
                    received_at_ms=1_700_000_000_000 + position * 1000 // EVENTS_A_SECOND,
                    metadata=METADATA % (position % 50, position % 1_000_000, position % 9_000),
                    kinds=KINDS,
                )
                for position in range(first, min(first + size, count + 1))
            ],
        )


class Figures(NamedTuple):
    rates: list[int]  # rows a second in each step
    longest_s: float
    processor_s: float
    file_bytes: int


def measure(layout: Layout, path: Path, *, events: int, batch: int, step: int) -> Figures:
    made = sqlite3.connect(path)
    made.execute(f"PRAGMA page_size={layout.page_bytes}")
    made.execute("PRAGMA journal_mode=WAL")
    made.close()
    prepare(path)
    db = connect(path, cache_mb=layout.cache_mb)
    db.execute("PRAGMA secure_delete=ON")
    for statement in getattr(layout.appender, "extra", ()):
        db.execute(statement)
    appender = layout.appender(db, **layout.sizes)
    checkpointer = LogKeeper(path, limit_bytes=(layout.log_mb << 20) * PAGE_BYTES // layout.page_bytes)
    rates, longest, spent, rows_done = [], 0.0, 0.0, 0
    processor = 0.0
    for first, records in batches(events, batch):
        began, processor_began = time.perf_counter(), time.process_time()
        db.execute("BEGIN IMMEDIATE")
        appender.append(first, records)
        db.execute("COMMIT")
        checkpointer.poke(db)
        took = time.perf_counter() - began
        processor += time.process_time() - processor_began
        longest, spent, rows_done = max(longest, took), spent + took, rows_done + len(records)
        if rows_done >= step or first + len(records) > events:
            rates.append(round(rows_done / spent))
            spent, rows_done = 0.0, 0
    checkpointer.close()
    db.close()
    return Figures(rates, longest, processor, path.stat().st_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batches", default="2000,20000")
    parser.add_argument("--only", default=",".join(LAYOUTS))
    parser.add_argument("--step", type=int, default=500_000)
    asked = parser.parse_args()
    print(f"{'layout':14} {'batch':>6} {'cpu us':>7} {'B/event':>8} {'longest s':>10}  rows/s in each {asked.step:,}")
    for name in asked.only.split(","):
        for batch in map(int, asked.batches.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                found = measure(LAYOUTS[name], Path(folder) / "events.db", events=asked.events, batch=batch, step=asked.step)
            print(
                f"{name:14} {batch:6} {found.processor_s / asked.events * 1e6:7.1f} {found.file_bytes / asked.events:8.0f} "
                f"{found.longest_s:10.2f}  {' '.join(f'{rate:,}' for rate in found.rates)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
