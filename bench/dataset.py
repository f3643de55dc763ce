"""Data directories with contacts and events in them, made straight through the engines; the same ones in every run.

Contacts are user-000000, user-000001, …; names are event-00, event-01, … Events lie in order of time over one year, one in
ten of them is the first contact's, the others are anybody's, and each carries about 120 bytes of metadata.
"""

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trackrecord import engines
from trackrecord.directory import Directory
from trackrecord.rules.contacts import Contact, Draft
from trackrecord.rules.profiles import PROFILES
from trackrecord.rules.records import Event, Record

NAMES = 60
HEAVY_ONE_IN = 10
SINCE, YEAR_S = 1_700_000_000, 365 * 86_400  # Unix seconds of the first event, and how long the events last
LATER = 1_740_000_000  # Unix seconds where load begins: after all events that are there
DIRECTORY_CHUNK = 5_000  # contacts made in one transaction
STORE_BATCH = 8_000  # records appended to a store at once, as the store's consumer hands them over
COMMIT_RECORDS = 64  # records in one row of the journal, as 64 connections would fill it

KINDS = "snssm"  # of METADATA's keys, by rules.metadata.KINDS
METADATA = b'{"plan":"%s","seats":%d,"path":"/settings/billing","invited_by":"user-%06d","price":{"amount":%d,"currency":"eur"}}'
PLANS = (b"free", b"team", b"business", b"enterprise")


def external_id(contact: int) -> str:
    return f"user-{contact:06d}"


def event_name(name: int) -> str:
    return f"event-{name:02d}"


class People(NamedTuple):
    """The directory's numbers for our contacts and names, in their order."""

    workspace: int
    contacts: list[int]
    names: list[int]


def make_directory(data: Path, contacts: int) -> People:
    """A data directory that knows a workspace, contacts and names, and no event."""
    data.mkdir(parents=True)
    directory = Directory.open(data / engines.DIRECTORY_FILE)
    try:
        workspace = directory.workspaces.create("bench", "Bench", now=SINCE).number
        numbers: list[int] = []
        for start in range(0, contacts, DIRECTORY_CHUNK):
            drafts = [Draft(external_id=external_id(each)) for each in range(start, min(start + DIRECTORY_CHUNK, contacts))]
            for made in directory.contacts.create_many(workspace, drafts, now=SINCE, profile=PROFILES["lenient"]):
                assert isinstance(made, Contact), made
                numbers.append(made.number)
        wanted = [(event_name(each), event_name(each)) for each in range(NAMES)]
        named = directory.names.resolve_many(workspace, wanted, now=SINCE, limit=0)
        names = [getattr(named[folded], "number") for folded, _ in wanted]  # noqa: B009 - or an error, which has none
    finally:
        directory.close()
    return People(workspace, numbers, names)


def copy_directory(source: Path, target: Path) -> Path:
    """A data directory with the same contacts and no events."""
    target.mkdir()
    shutil.copyfile(source / engines.DIRECTORY_FILE, target / engines.DIRECTORY_FILE)
    return target


def metadata(rng: random.Random) -> bytes:
    return METADATA % (rng.choice(PLANS), rng.randrange(500), rng.randrange(1_000_000), rng.randrange(100_000))


def events(people: People, count: int) -> Iterator[list[Record]]:
    """Batches of STORE_BATCH events."""
    rng = random.Random(7)
    for first in range(0, count, STORE_BATCH):
        batch: list[Record] = []
        for number in range(first, min(first + STORE_BATCH, count)):
            at = SINCE + number * YEAR_S // count
            batch.append(
                Event(
                    people.workspace,
                    people.contacts[0] if number % HEAVY_ONE_IN == 0 else people.contacts[rng.randrange(1, len(people.contacts))],
                    people.names[rng.randrange(NAMES)],
                    at,
                    at * 1000,
                    metadata(rng),
                    KINDS,
                )
            )
        yield batch


class Filled(NamedTuple):
    """A data directory with events, and what filling it took."""

    path: Path
    people: People
    events: int
    step: int  # events a step of `append_rates`
    append_rates: list[float]  # store.append, rows a second, by step
    journal_rate: float  # journal append and sync, records a second
    store_bytes: int
    journal_bytes: int
    sent_bytes: int  # the same events as lines of JSON, as they would be sent


def fill(data: Path, people: People, count: int, step: int) -> Filled:
    """Append events to the journal and then to the store of a directory, in the batches that load would make.

    First all to the one and then all to the other: a sync of the journal's file also waits for much of what was written to the
    store's just before, which belongs to neither figure.
    """
    spent, sent = 0.0, 0
    journal = engines.open_journal(data)
    for batch in events(people, count):
        began = time.perf_counter()
        for start in range(0, len(batch), COMMIT_RECORDS):
            journal.append(batch[start : start + COMMIT_RECORDS])
            journal.tidy()
        spent += time.perf_counter() - began
        sent += sum(len(event.metadata) + LINE_BYTES for event in batch if isinstance(event, Event))
    journal.close()
    journal_rate = count / spent

    rates: list[float] = []
    spent, rows, first = 0.0, 0, 1
    store = engines.open_store(data)
    for batch in events(people, count):
        began = time.perf_counter()
        store.append(first, batch)
        spent += time.perf_counter() - began
        first += len(batch)
        rows += len(batch)
        if rows >= step or first > count:
            rates.append(rows / spent)
            spent, rows = 0.0, 0
    store.sync()
    store.close()
    return Filled(
        data,
        people,
        count,
        step,
        rates,
        journal_rate,
        size(data / engines.STORE_FILE),
        size(data / engines.JOURNAL_FILE),
        sent,
    )


def line(contact: int, name: int, created_at: int, metadata: bytes) -> bytes:
    """An event as a line of an import file: what POST /events takes."""
    return b'{"user_id":"%s","event_name":"%s","created_at":%d,"metadata":%s}\n' % (
        external_id(contact).encode(),
        event_name(name).encode(),
        created_at,
        metadata,
    )


LINE_BYTES = len(line(0, 0, SINCE, b""))  # of a line, without its metadata


def size(path: Path) -> int:
    """Bytes of an SQLite file with the log beside it."""
    return sum(each.stat().st_size for each in (path, Path(f"{path}-wal")) if each.exists())
