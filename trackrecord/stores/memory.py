"""The promises of base.py in dicts: for tests, and for a server that may forget. Every read looks at everything."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from .. import outcomes
from ..rules.records import Baseline, Erasure, Event, Record
from .base import Moment, NameTotal, Page, Receipt, Selection, StoredEvent, Summary


class MemoryStore:
    """Keeps everything until the process ends; its sync() alone is empty words."""

    def __init__(self) -> None:
        self._cursor = 0
        self._events: dict[int, Event] = {}
        self._positions: dict[tuple[int, int, int, str], int] = {}  # by key
        self._duplicates: dict[int, tuple[int, Event]] = {}  # position: (of which, the copy)
        self._baselines: dict[tuple[int, int], Baseline] = {}  # by contact and name
        self._erased: set[int] = set()
        self._erased_events: dict[int, tuple[int, int]] = {}  # position: (received_at_ms, workspace)

    # Writing.

    def append(self, first: int, records: Sequence[Record]) -> None:
        for position, record in enumerate(records, first):
            if position <= self._cursor:
                continue
            if isinstance(record, Erasure):
                self._erase(record.contact)
            elif record.contact in self._erased:
                if isinstance(record, Event):
                    self._erased_events[position] = (record.received_at_ms, record.workspace)
            elif isinstance(record, Baseline):
                self._baselines[record.contact, record.name] = record
            elif record.key in self._positions:
                self._duplicates[position] = (self._positions[record.key], record)
            else:
                self._positions[record.key] = position
                self._events[position] = record
            self._cursor = position

    def _erase(self, contact: int) -> None:
        self._erased.add(contact)
        for stored in self._of(contact):
            del self._events[stored.position], self._positions[stored.event.key]
            self._erased_events[stored.position] = (stored.event.received_at_ms, stored.event.workspace)
        for key in [key for key in self._baselines if key[0] == contact]:
            del self._baselines[key]

    def sync(self) -> int:
        return self._cursor

    # Reading.

    def cursor(self) -> int:
        return self._cursor

    def page(
        self, contact: int, *, limit: int, before: Moment | None = None, since: Moment | None = None, oldest: int | None = None
    ) -> Page:
        of_second: Counter[int] = Counter()
        placed = []
        for stored in self._of(contact):  # by position, so that ranks come out right
            second = stored.event.created_at
            placed.append((Moment(second, of_second[second]), stored))
            of_second[second] += 1
        asked = [
            (at, stored)
            for at, stored in sorted(placed, reverse=True)
            if (before is None or at < before) and (since is None or at >= since) and (oldest is None or at.second >= oldest)
        ]
        return Page(
            events=[stored for _, stored in asked[:limit]],
            at=[at for at, _ in asked[:limit]],
            more=len(asked) > limit,
        )

    def summary(self, contact: int) -> list[Summary]:
        parts: list[tuple[int, int, int | None, int | None]]  # name, count, first, last
        parts = [(stored.event.name, 1, stored.event.created_at, stored.event.created_at) for stored in self._of(contact)]
        parts += [
            (name, baseline.count, baseline.first, baseline.last)
            for (whose, name), baseline in list(self._baselines.items())
            if whose == contact
        ]
        rows = [
            Summary(
                name=name,
                count=sum(part[1] for part in parts if part[0] == name),
                first=min((part[2] for part in parts if part[0] == name and part[2] is not None), default=None),
                last=max((part[3] for part in parts if part[0] == name and part[3] is not None), default=None),
            )
            for name in {part[0] for part in parts}
        ]
        return sorted(rows, key=lambda row: (row.last is None, -(row.last or 0), row.name))

    def receipt(self, position: int) -> Receipt | None:
        if position in self._events:
            event = self._events[position]
            return Receipt(position, outcomes.STORED, event.received_at_ms, event.workspace, StoredEvent(position, event))
        if position in self._duplicates:
            of_position, copy = self._duplicates[position]
            standing = self._events.get(of_position)
            return Receipt(
                position,
                outcomes.DUPLICATE,
                copy.received_at_ms,
                copy.workspace,
                StoredEvent(of_position, standing) if standing else None,
            )
        if position in self._erased_events:
            received_at_ms, workspace = self._erased_events[position]
            return Receipt(position, outcomes.ERASED, received_at_ms, workspace, None)
        return None

    def duplicates(self, first: int, last: int) -> list[int]:
        return sorted(position for position in list(self._duplicates) if first <= position <= last)

    def name_totals(self, workspace: int) -> list[NameTotal]:
        kept: dict[int, list[Event]] = {}
        for event in list(self._events.values()):
            if event.workspace == workspace:
                kept.setdefault(event.name, []).append(event)
        copies = Counter(copy.name for of_position, copy in list(self._duplicates.values()) if of_position in self._events)
        rows = [
            NameTotal(
                name=name,
                count=len(events),
                first=min(event.created_at for event in events),
                last=max(event.created_at for event in events),
                duplicates=copies[name],
                keys_dropped=sum(len(msgspec.json.decode(event.dropped)) for event in events if event.dropped),
            )
            for name, events in kept.items()
        ]
        return sorted(rows, key=lambda row: (-row.count, row.name))

    def day_totals(self, name: int, *, first: int, last: int) -> list[tuple[int, int]]:
        days = Counter(event.created_at // 86400 for event in list(self._events.values()) if event.name == name)
        return sorted((day, count) for day, count in days.items() if first <= day <= last)

    def scan(self, selection: Selection, *, after: int = 0) -> Iterator[StoredEvent]:
        names, contacts = frozenset(selection.names), frozenset(selection.contacts)
        return iter(
            [
                StoredEvent(position, event)
                for position, event in list(self._events.items())
                if position > after
                and event.workspace == selection.workspace
                and (not names or event.name in names)
                and (not contacts or event.contact in contacts)
                and (selection.since is None or event.created_at >= selection.since)
                and (selection.until is None or event.created_at < selection.until)
            ]
        )

    def highest(self) -> tuple[int, int]:
        events = self._events.values()
        return max((event.contact for event in events), default=0), max((event.name for event in events), default=0)

    def erased(self) -> frozenset[int]:
        return frozenset(self._erased)

    def problems(self) -> Iterator[str]:
        return iter(())  # nothing is kept twice here

    def close(self) -> None:
        pass

    def _of(self, contact: int) -> list[StoredEvent]:
        """A contact's events in order of position."""
        return [StoredEvent(position, event) for position, event in list(self._events.items()) if event.contact == contact]
