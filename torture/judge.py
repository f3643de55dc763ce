"""Holds the record against the oracle: through the public API while a server runs, and in the files while none does."""

import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from trackrecord import engines
from trackrecord.check import check
from trackrecord.errors import TrackrecordError
from trackrecord.outcomes import STORED
from trackrecord.rules.records import Event

from .load import recount, seen_in
from .oracle import NOTHING, Key, Oracle, Person
from .server import Client

LISTED_MOST = 30  # people whose lists and summaries are asked for in one judgement, of those that were touched
RECEIPTS = 40  # asked for in one judgement
LAST_RECORDS = 4_000  # of the journal that are looked for in the store
HEALTHY_S = 20.0
OWED_S = 2.5  # after a disk works again, for deletions and merges that the journal could not be told (ingest.py, OWED_AGAIN_S)
FILES = (engines.STORE_FILE, engines.JOURNAL_FILE, engines.DIRECTORY_FILE)


def judge_record(url: str, oracle: Oracle) -> int:
    """Compare everything the API tells with what may be; return how many events were compared. No load may run."""
    with Client(url) as client:
        _healthy(client, oracle)
        if oracle.disk_fails:
            time.sleep(OWED_S)
            oracle.disk_fails = False
        _settle(client, oracle)
        standing: dict[str, list[dict[str, Any]]] = {}
        for event in client.lines("/-/api/export/events"):
            standing.setdefault(event["intercom_user_id"], []).append(event)
        counted: Counter[str] = Counter()
        for person in oracle.people:
            seen = seen_in(standing.pop(person.id or "", []))
            if person.here:
                oracle.compare(person, seen)
                counted += recount(seen)
            elif seen:
                oracle.found("undone", f"{person.who} was deleted or merged away and has {len(seen)} events in the export")
        for id, events in standing.items():
            oracle.found("undone", f"{len(events)} events of a contact {id} that nobody made")
        touched = [person for person in oracle.here() if person.touched]
        for person in sorted(touched, key=lambda each: -len(each.events))[:LISTED_MOST]:
            _one(client, oracle, person)
            person.touched = False
        _catalogue(client, oracle, counted)
        _receipts(client, oracle)
    return counted.total()


def judge_files(data: Path, oracle: Oracle, beside: Path) -> None:
    """The store's cursor is not ahead of the journal, nor of the store's own rows. Looks at a copy `beside`."""
    with tempfile.TemporaryDirectory(prefix="look-", dir=beside) as folder:
        copy = Path(folder)
        for path in data.iterdir():
            if path.name.startswith(FILES) and not path.name.endswith("-shm"):
                shutil.copyfile(path, copy / path.name)
        if not all((copy / name).exists() for name in FILES):
            return
        try:
            _compare_files(copy, oracle)
        except (sqlite3.Error, TrackrecordError) as error:
            oracle.found("cursors", f"the files cannot be read as they lie there: {error}")


def _compare_files(copy: Path, oracle: Oracle) -> None:
    journal = engines.read_journal(copy) if _whole(copy / engines.JOURNAL_FILE) else None
    store = engines.read_store(copy)
    try:
        cursor, (first, head) = store.cursor(), journal.span() if journal else (0, 0)
        if cursor > head:
            oracle.found("cursors", f"the store's cursor is {cursor}, the journal ends at {head}")
        at = max(first - 1, cursor - LAST_RECORDS, 0)
        while journal and at < cursor and (batch := journal.read(after=at, limit=1_000)):
            for position, record in enumerate(batch.records, batch.first):
                if position > cursor or not isinstance(record, Event):
                    continue
                receipt = store.receipt(position)
                if receipt is None:
                    oracle.found("cursors", f"the store's cursor is {cursor}, and the event at {position} is not in it")
                elif receipt.outcome == STORED and receipt.event and receipt.event.event.metadata != record.metadata:
                    oracle.found("cursors", f"store and journal hold different events at {position}")
            at = batch.last
    finally:
        store.close()
        if journal:
            journal.close()


def judge_check(data: Path, oracle: Oracle) -> None:
    """`trackrecord check` recounts every total and finds nothing."""
    for problem in check(data).problems:
        oracle.found("sums", f"{problem.file}: {problem.message}")


def judge_stopped(data: Path, oracle: Oracle) -> None:
    """A server that was asked to stop left no logs beside its files."""
    left = [path.name for path in data.iterdir() if path.name.endswith(("-wal", "-shm"))]
    if left:
        oracle.found("answers", f"a stopped server left {left}")


def _whole(path: Path) -> bool:
    """Whether a file holds a journal at all; a server that died at its first start may have left an empty one."""
    return path.stat().st_size > 0


def _healthy(client: Client, oracle: Oracle) -> None:
    deadline = time.monotonic() + HEALTHY_S
    while (answer := client.ask("GET", "/-/health"))[0] != 200:
        if time.monotonic() > deadline:
            oracle.found("answers", f"not healthy {HEALTHY_S:.0f} s after everything was put right: {answer[2]}")
            return
        time.sleep(0.05)


def _settle(client: Client, oracle: Oracle) -> None:
    """Ask what became of contacts that nobody is sure of. Whatever it was, it must have happened whole."""
    for person in oracle.people:
        if person.unsure == "made":
            status, _, contact = client.ask("GET", f"/contacts/find_by_external_id/{person.external_id}")
            if status == 200:
                person.id = contact["id"]
        elif person.unsure is not None:
            status, _, _ = client.ask("GET", f"/contacts/{person.id}")
        else:
            continue
        if status not in (200, 404):
            oracle.found("answers", f"a contact that was {person.unsure} is answered {status}")
        if status == 200:
            person.here, person.unsure = True, None
        elif person.unsure == "merged" and person.into is not None and person.into.here:
            person.into.take(person)
        else:
            person.end()


def _one(client: Client, oracle: Oracle, person: Person) -> None:
    """A contact's pages and summary are what the export has of it."""
    seen = seen_in(client.pages(person.who))
    expected = {key: [copy for copy in may if copy != NOTHING] for key, may in person.events.items()}
    expected = {key: copies for key, copies in expected.items() if copies}
    if seen != expected:
        oracle.found("sums", f"{person.who}: the list has {_apart(seen, expected)}, unlike the export")
    if client.summary(person.who) != recount(expected):
        oracle.found("sums", f"{person.who}: the summary says {client.summary(person.who)}, a recount {dict(recount(expected))}")


def _apart(seen: dict[Key, list[int]], expected: dict[Key, list[int]]) -> list[tuple[Key, list[int], list[int]]]:
    keys = sorted(key for key in seen.keys() | expected.keys() if seen.get(key) != expected.get(key))
    return [(key, seen.get(key, []), expected.get(key, [])) for key in keys[:5]]


def _catalogue(client: Client, oracle: Oracle, counted: Counter[str]) -> None:
    told: dict[str, int] = {}
    after = ""
    while True:
        _, _, page = client.ask("GET", f"/-/api/event-names?per_page=150{after}")
        told |= {entry["name"]: entry["count"] for entry in page["data"]}
        if "next" not in page["pages"]:
            break
        after = f"&starting_after={page['pages']['next']['starting_after']}"
    for name in sorted(told.keys() | counted.keys()):
        if told.get(name, 0) != counted[name]:
            oracle.found("sums", f"the catalogue counts {told.get(name, 0)} of {name}, a recount {counted[name]}")


def _receipts(client: Client, oracle: Oracle) -> None:
    """The last positions that were told: each has a receipt, and where it is `stored`, it is the copy it was told for."""
    for copy, position in list(oracle.position.items())[-RECEIPTS:]:
        status, _, receipt = client.ask("GET", f"/-/api/receipts/{position}")
        if status != 200:
            oracle.found("missing", f"the receipt {position} of copy {copy} is answered {status}")
        elif receipt["outcome"] == "stored" and receipt["event"]["metadata"]["n"] != copy:
            oracle.found("changed", f"the receipt {position} of copy {copy} tells of copy {receipt['event']['metadata']['n']}")
