"""Finds what is wrong with a data directory. It only reads, so it may run while a server serves."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from . import engines
from .directory import Directory
from .errors import TrackrecordError
from .rules.directory import Workspace
from .sqlite import connect
from .stores.base import EventReader, Selection

TOGETHER = 10_000  # contacts looked up at once


class Problem(NamedTuple):
    file: str
    message: str  # one plain sentence


class Checked(NamedTuple):
    """`counts` tells what was looked at, in the words of the field."""

    problems: list[Problem]
    counts: dict[str, int]


def check(data: Path, *, step: Callable[[str], None] = lambda what: None) -> Checked:
    """Look at everything; `step` hears what comes next. What cannot be read is a problem too, and ends only its own part."""
    found: list[Problem] = []
    counts: dict[str, int] = {}
    for name in (engines.DIRECTORY_FILE, engines.JOURNAL_FILE, engines.STORE_FILE):
        if not (data / name).is_file():
            found.append(Problem(name, "the file is missing"))
    if found:
        return Checked(found, counts)
    parts = (
        ("the directory's file", engines.DIRECTORY_FILE, _directory_file),
        ("the journal", engines.JOURNAL_FILE, _journal),
        ("the store: recounting every total", engines.STORE_FILE, _store),
        ("the store against the journal", engines.STORE_FILE, _positions),
        ("every event's contact and name", engines.DIRECTORY_FILE, _references),
    )
    for what, file, part in parts:
        step(what)
        try:
            found += [Problem(file, message) for message in part(data, counts)]
        except (TrackrecordError, sqlite3.Error, UnicodeDecodeError) as error:  # the last of a schema that is no text any more
            found.append(Problem(file, f"{what} cannot be checked: {error}"))
    return Checked(found, counts)


def _directory_file(data: Path, counts: dict[str, int]) -> Iterator[str]:
    db = connect(data / engines.DIRECTORY_FILE, readonly=True, cache_mb=8)
    try:
        for (line,) in db.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"SQLite finds the file damaged: {line}"
        for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
            yield f"row {row} of {table} points at a row of {parent} that is not there"
    finally:
        db.close()


def _journal(data: Path, counts: dict[str, int]) -> Iterator[str]:
    journal = engines.read_journal(data)
    try:
        yield from (line.removeprefix(f"{engines.JOURNAL_FILE}: ") for line in journal.problems())
    finally:
        journal.close()


def _store(data: Path, counts: dict[str, int]) -> Iterator[str]:
    store = engines.read_store(data)
    try:
        yield from store.problems()
    finally:
        store.close()


def _positions(data: Path, counts: dict[str, int]) -> Iterator[str]:
    store = engines.read_store(data)
    journal = engines.read_journal(data)
    try:
        cursor = store.cursor()  # before the journal's span: while a server runs, only the journal may be ahead
        first, head = journal.span()
        after = store.cursor()
    finally:
        store.close()
        journal.close()
    counts["records not folded yet"] = max(0, head - cursor)
    if cursor > head:
        yield f"the store has folded up to record {cursor}, and the journal ends at {head}: one of the two files was replaced"
    elif head > cursor and first > after + 1:
        yield f"the store ends at record {after} and the journal begins at {first}: the records between are in neither"


def _references(data: Path, counts: dict[str, int]) -> Iterator[str]:
    store = engines.read_store(data)
    directory = Directory.open(data / engines.DIRECTORY_FILE)
    try:
        workspaces = directory.workspaces.list()
        counts |= {"workspaces": len(workspaces), "contacts": 0, "event names": 0, "events": 0}
        for workspace in workspaces:
            yield from _references_of(workspace, store, directory, counts)
    finally:
        directory.close()
        store.close()


def _references_of(workspace: Workspace, store: EventReader, directory: Directory, counts: dict[str, int]) -> Iterator[str]:
    by_contact: dict[int, int] = {}
    by_name: dict[int, int] = {}
    # The store first: whatever it speaks of was in the directory before, but for what is being deleted.
    for _, event in store.scan(Selection(workspace.number)):
        by_contact[event.contact] = by_contact.get(event.contact, 0) + 1
        by_name[event.name] = by_name.get(event.name, 0) + 1
    counted, listed = directory.contacts.counted(workspace.number)
    for role in sorted(counted.keys() | listed.keys()):
        if counted.get(role, 0) != listed.get(role, 0):
            said = f"the directory counts {counted.get(role, 0)} contacts with the role {role} in workspace {workspace.id}"
            yield f"{said}, and lists {listed.get(role, 0)}"
    total = sum(listed.values())
    names = {entry.number for entry in directory.names.all(workspace.number)}
    counts["contacts"] += total
    counts["event names"] += len(names)
    counts["events"] += sum(by_name.values())
    deleted = {contact for contact, _ in directory.contacts.erasures()}
    numbers = sorted(by_contact)
    for start in range(0, len(numbers), TOGETHER):
        some = numbers[start : start + TOGETHER]
        there = directory.contacts.by_numbers(workspace.number, some)
        for number in some:
            if number not in there and number not in deleted:
                yield f"contact {number} is not in the directory, and {by_contact[number]} events of workspace {workspace.id} are its"
    for name in sorted(by_name.keys() - names):
        yield f"name {name} is not in the directory, and {by_name[name]} events of workspace {workspace.id} have it"
