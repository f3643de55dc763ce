"""What happened, as the contract and docs/api say it: names, events, copies and baselines in dicts, and no look into the program."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .metadata import Kept, kept
from .people import Person

MILLISECONDS_FROM = 100_000_000_000


def second(sent: Any, received_at_ms: int) -> int:
    """The second an event happened in; of one that does not say it, the one it arrived in."""
    if sent is None:
        return received_at_ms // 1000
    if isinstance(sent, str) and not sent.isdigit():
        return int(datetime.fromisoformat(sent).timestamp())
    whole = int(float(sent))
    return whole // 1000 if whole >= MILLISECONDS_FROM else whole


def iso(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def clean(name: str) -> str:
    return name.replace(".", "-").replace("$", "-")


@dataclass(eq=False)
class Name:
    """One name of events; `aliases` is what it was called before, folded."""

    shown: str
    aliases: set[str] = field(default_factory=set)
    description: str | None = None
    archived: bool = False

    @property
    def folded(self) -> str:
        return self.shown.casefold()


@dataclass(eq=False)
class Event:
    position: int
    person: Person
    name: Name
    created_at: int
    metadata: Kept
    received_at_ms: int


@dataclass
class Baseline:
    count: int
    first: int | None
    last: int | None


class Record:
    def __init__(self) -> None:
        self.names: list[Name] = []  # in the order of their first use
        self.events: dict[int, Event] = {}  # by position
        self.copies: dict[int, int] = {}  # the position of a duplicate: of which event
        self.erased: set[int] = set()
        self.received: dict[int, int] = {}  # position: received_at_ms
        self.baselines: dict[tuple[Person, Name], Baseline] = {}

    # Names.

    def known(self, sent: str) -> Name | None:
        folded = clean(sent).casefold()
        called = next((each for each in self.names if each.folded == folded), None)
        return called or next((each for each in self.names if folded in each.aliases), None)

    def name(self, sent: str) -> Name:
        """Made by its first use."""
        found = self.known(sent)
        if found is None:
            found = Name(clean(sent))
            self.names.append(found)
        return found

    def rename(self, name: Name, new: str) -> bool:
        """False, and nothing changed, where another name is called so or was."""
        holder = self.known(new)
        if holder not in (None, name):
            return False
        before, name.shown = name.folded, clean(new)
        name.aliases = (name.aliases | {before}) - {name.folded}
        return True

    # What is done.

    def standing(self, person: Person, name: Name, created_at: int) -> Event | None:
        same = (each for each in self.events.values() if (each.person, each.name, each.created_at) == (person, name, created_at))
        return next(same, None)

    def submit(self, person: Person, sent: dict[str, Any], position: int, received_at_ms: int) -> str:
        """Keep an event; "stored" or "duplicate"."""
        name, created_at = self.name(sent["event_name"]), second(sent.get("created_at"), received_at_ms)
        self.received[position] = received_at_ms
        standing = self.standing(person, name, created_at)
        if standing is not None:
            self.copies[position] = standing.position
            return "duplicate"
        self.events[position] = Event(position, person, name, created_at, kept(sent.get("metadata") or {}), received_at_ms)
        return "stored"

    def summarise(self, person: Person, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            self.baselines[person, self.name(row["event_name"])] = Baseline(row["count"], row.get("first"), row.get("last"))

    def remove(self, position: int) -> None:
        """The event and all copies of it."""
        del self.events[position]
        copies = [copy for copy, standing in self.copies.items() if standing == position]
        for copy in copies:
            del self.copies[copy]
        self.erased |= {position, *copies}

    def erase(self, person: Person) -> None:
        for position in [each.position for each in self.of(person)]:
            self.remove(position)
        self.baselines = {key: value for key, value in self.baselines.items() if key[0] is not person}

    def merge(self, lead: Person, user: Person) -> None:
        """Of two that are one event the user's stands, and the lead's is a copy of it; of two baselines the user's."""
        for event in self.of(lead):
            standing = self.standing(user, event.name, event.created_at)
            if standing is None:
                event.person = user
                continue
            del self.events[event.position]
            self.copies = {copy: standing.position if of == event.position else of for copy, of in self.copies.items()}
            self.copies[event.position] = standing.position
        for (person, name), baseline in list(self.baselines.items()):
            if person is lead:
                del self.baselines[lead, name]
                self.baselines.setdefault((user, name), baseline)

    # What is asked.

    def of(self, person: Person) -> list[Event]:
        return [each for each in self.events.values() if each.person is person]

    def timeline(self, person: Person) -> list[Event]:
        """Newest first, and of one second what came last."""
        return sorted(self.of(person), key=lambda each: (each.created_at, each.position), reverse=True)

    def cursor(self, event: Event) -> int:
        """Its place in the contact's list in milliseconds: its second, and how many of the second came before it."""
        before = [each for each in self.of(event.person) if each.created_at == event.created_at and each.position < event.position]
        return event.created_at * 1000 + len(before)

    def summary(self, person: Person) -> list[dict[str, Any]]:
        """Newest `last` first, those without one at the end, then in the order of names' first use."""
        rows = []
        for number, name in enumerate(self.names):
            seconds = [each.created_at for each in self.of(person) if each.name is name]
            baseline = self.baselines.get((person, name))
            if not seconds and baseline is None:
                continue
            told = baseline or Baseline(0, None, None)
            first = min([*seconds, *(moment for moment in [told.first] if moment is not None)], default=None)
            last = max([*seconds, *(moment for moment in [told.last] if moment is not None)], default=None)
            rows.append((number, name, len(seconds) + told.count, first, last))
        rows.sort(key=lambda row: (row[4] is None, -(row[4] or 0), row[0]))
        return [
            {"name": name.shown, "first": iso(first), "last": iso(last), "count": count, "description": name.description}
            for _, name, count, first, last in rows
        ]

    def catalogue(self) -> list[dict[str, Any]]:
        """Every name in the order of the alphabet, archived ones too."""
        return [self._entry(name) for name in sorted(self.names, key=lambda each: each.folded)]

    def _entry(self, name: Name) -> dict[str, Any]:
        events = [each for each in self.events.values() if each.name is name]
        seconds = [each.created_at for each in events]
        kinds: dict[str, Counter[str]] = {}
        for event in events:
            for key, kind in event.metadata.kinds.items():
                kinds.setdefault(key, Counter())[kind] += 1
        return {
            "name": name.shown,
            "aliases": sorted(name.aliases),
            "description": name.description,
            "archived": name.archived,
            "first_seen_at": min(seconds, default=None),
            "last_seen_at": max(seconds, default=None),
            "count": len(events),
            "duplicates": sum(self.events[standing].name is name for standing in self.copies.values()),
            "keys_dropped": sum(len(each.metadata.dropped) for each in events),
            "metadata": {key: dict(counts) for key, counts in kinds.items()},
        }

    def outcome(self, position: int) -> str:
        return "stored" if position in self.events else "duplicate" if position in self.copies else "erased"
