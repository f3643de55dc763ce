"""Data directories with contacts, and the events that are put into them; the same ones in every run.

Contacts are user-000000, user-000001, …; names are event-00, event-01, … Events lie in order of time, evenly, and no two share
a second. One in fifty is of one of a hundred busy contacts, the others are anybody's, in random order. Each has 115 bytes of
metadata, whose keys are those of its name.
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trackrecord import engines
from trackrecord.directory import Directory
from trackrecord.rules.contacts import Contact, Draft
from trackrecord.rules.profiles import PROFILES
from trackrecord.rules.records import Event, Record

NAMES = 60
BUSY, BUSY_ONE_IN = 100, 50
SINCE, YEAR_S = 1_600_000_000, 365 * 86_400  # Unix seconds of the first event, and in how long half of a growth happens
LATER = 1_740_000_000  # Unix seconds where the load of single events begins: after all of these
DIRECTORY_CHUNK = 5_000  # contacts made in one transaction

KINDS = "snssm"  # of METADATA's keys, by rules.metadata.KINDS
METADATA = b'{"plan":"%s","count_%02d":%d,"path":"/setup","invited_by":"user-%06d","price":{"amount":%d,"currency":"eur"}}'
PLANS = (b"free", b"solo", b"team", b"plus")


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


class Sent(NamedTuple):
    """An event as its sender means it; contact and name count from 0."""

    contact: int
    name: int
    created_at: int  # whole Unix seconds
    metadata: bytes

    @property
    def line(self) -> bytes:
        """What POST /events takes, which is a line of an import and the data of a bulk item as well."""
        return b'{"user_id":"%s","event_name":"%s","created_at":%d,"metadata":%s}' % (
            external_id(self.contact).encode(),
            event_name(self.name).encode(),
            self.created_at,
            self.metadata,
        )


class Stream:
    """Events in order of time, `a_year` of them in one, taken from the front. `taken` says how many are gone."""

    def __init__(self, people: People, a_year: int) -> None:
        self.taken = 0
        self._people = people
        self._a_year = a_year
        self._random = random.Random(7)

    def fork(self) -> "Stream":
        """Another one that goes on from here by itself."""
        other = Stream(self._people, self._a_year)
        other.taken = self.taken
        other._random.setstate(self._random.getstate())
        return other

    def take(self, count: int, contacts: int | None = None) -> Iterator[Sent]:
        """The next events; with `contacts`, of that many only."""
        contacts = min(contacts or len(self._people.contacts), len(self._people.contacts))
        chance, bits = self._random.random, self._random.getrandbits
        busy = min(BUSY, contacts)
        for number in range(self.taken, self.taken + count):
            some = bits(32)
            yield Sent(
                int(chance() * (contacts if number % BUSY_ONE_IN else busy)),
                some % NAMES,
                SINCE + number * YEAR_S // self._a_year,
                METADATA % (PLANS[some & 3], some % NAMES, 100 + (some >> 2) % 900, (some >> 12) % 1_000_000, 10_000 + some % 90_000),
            )
        self.taken += count

    def records(self, count: int) -> list[Record]:
        """The next events as the store gets them."""
        workspace, contacts, names = self._people
        return [
            Event(workspace, contacts[each.contact], names[each.name], each.created_at, each.created_at * 1000, each.metadata, KINDS)
            for each in self.take(count)
        ]


def size(path: Path) -> int:
    """Bytes of an SQLite file with the log beside it."""
    return sum(each.stat().st_size for each in (path, Path(f"{path}-wal")) if each.exists())
