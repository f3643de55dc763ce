"""The promises of base.py in dicts: for tests, and for a server that may forget. Every read looks at everything."""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from .. import outcomes
from ..rules.records import Baseline, Erasure, Event, Gone, Merge, Record, Removal
from . import name_keys
from .base import (
    PAGE_METADATA_BYTES,
    Changes,
    Copies,
    Found,
    Moment,
    Moved,
    NameKey,
    NameTotal,
    Page,
    Place,
    Receipt,
    Receipts,
    Selection,
    StoredEvent,
    Summary,
)


class MemoryStore:
    """Keeps everything until the process ends; its sync() alone is empty words."""

    def __init__(self, *, name_keys_max: int = name_keys.NAME_KEYS_MAX) -> None:
        self._cursor = 0
        self._events: dict[int, Event] = {}
        self._positions: dict[tuple[int, int, int, str], int] = {}  # by key
        self._duplicates: dict[int, tuple[int, Event]] = {}  # position: (of which, the copy)
        self._baselines: dict[tuple[int, int], Baseline] = {}  # by contact and name
        self._baseline_positions: dict[int, list[int]] = {}  # by contact
        self._merged: dict[int, int] = {}  # source: target
        self._merged_at: dict[int, int] = {}  # source: position of the merge
        self._left: list[tuple[int, int]] = []  # (the position of a record, that of an event that stood until then)
        self._erased: dict[int, int] = {}  # contact: position of the erasure
        self._erased_events: dict[int, tuple[int, int]] = {}  # position: (received_at_ms, workspace)
        self._erased_by: dict[int, set[int]] = {}  # the position of a record: the positions it took
        self._keys: dict[int, name_keys.Rows] = {}  # by name
        self._name_keys_max = name_keys_max
        self._fold: dict[type[Record], Callable[[int, Any], None]] = {
            Event: self._event,
            Baseline: self._baseline,
            Erasure: self._erase,
            Merge: self._merge,
            Removal: self._remove,
            Gone: self._gone,
        }

    # Writing.

    def append(self, first: int, records: Sequence[Record]) -> None:
        for position, record in enumerate(records, first):
            if position > self._cursor:
                self._fold[type(record)](position, record)
                self._cursor = position

    def _final(self, contact: int) -> int:
        """Who a contact is, after all merges."""
        while contact in self._merged:
            contact = self._merged[contact]
        return contact

    def _event(self, position: int, sent: Event) -> None:
        event = msgspec.structs.replace(sent, contact=self._final(sent.contact))
        if event.contact in self._erased:
            self._trace(position, event, by=self._erased[event.contact])
        elif event.key in self._positions:
            self._duplicates[position] = (self._positions[event.key], event)
        else:
            self._positions[event.key] = position
            self._events[position] = event
            self._count(event, name_keys.count, self._name_keys_max)

    def _baseline(self, position: int, baseline: Baseline) -> None:
        contact = self._final(baseline.contact)
        if contact in self._erased:
            self._took(position, by=self._erased[contact])
        else:
            self._baselines[contact, baseline.name] = baseline
            self._baseline_positions.setdefault(contact, []).append(position)

    def _erase(self, position: int, erasure: Erasure) -> None:
        contact = self._final(erasure.contact)
        if contact not in self._erased:
            self._take_all(contact, by=position)
        for each in (erasure.contact, contact):
            self._erased.setdefault(each, position)

    def _merge(self, position: int, merge: Merge) -> None:
        source, target = merge.source, self._final(merge.target)
        if source in self._merged or source in self._erased or source == target:
            return
        self._merged[source] = merge.target
        self._merged_at[source] = position
        if target in self._erased:
            self._take_all(source, by=position)
            return
        for stored in self._of(source):
            moved = msgspec.structs.replace(stored.event, contact=target)
            del self._positions[stored.event.key]
            if moved.key not in self._positions:
                self._events[stored.position] = moved
                self._positions[moved.key] = stored.position
                continue
            standing = self._positions[moved.key]
            del self._events[stored.position]
            self._left.append((position, stored.position))
            self._count(moved, name_keys.take)
            for copy in self._copies(stored.position):
                self._duplicates[copy] = (standing, self._duplicates[copy][1])
            self._duplicates[stored.position] = (standing, moved)
        for (contact, name), baseline in list(self._baselines.items()):
            if contact == source:
                del self._baselines[contact, name]
                self._baselines.setdefault((target, name), baseline)
        self._baseline_positions.setdefault(target, []).extend(self._baseline_positions.pop(source, []))

    def _remove(self, position: int, removal: Removal) -> None:
        for each in removal.positions:
            if each in self._events and self._events[each].workspace == removal.workspace:
                self._take(each, by=position)

    def _gone(self, position: int, gone: Gone) -> None:
        if gone.event:
            self._erased_events[position] = (gone.received_at_ms, gone.workspace)

    def _take_all(self, contact: int, *, by: int) -> None:
        for stored in self._of(contact):
            self._take(stored.position, by=by)
        for key in [key for key in self._baselines if key[0] == contact]:
            del self._baselines[key]
        for position in self._baseline_positions.pop(contact, []):
            self._took(position, by=by)

    def _take(self, position: int, *, by: int) -> None:
        event = self._events.pop(position)
        self._left.append((by, position))
        del self._positions[event.key]
        self._count(event, name_keys.take)
        self._trace(position, event, by=by)
        for copy in self._copies(position):
            self._trace(copy, self._duplicates.pop(copy)[1], by=by)

    def _copies(self, position: int) -> list[int]:
        return [copy for copy, (standing, _) in self._duplicates.items() if standing == position]

    def _count(self, event: Event, how: Callable[..., None], *most: int) -> None:
        for name, pairs in name_keys.pairs_by_name([event]).items():
            how(self._keys.setdefault(name, {}), pairs, *most)

    def _trace(self, position: int, event: Event, *, by: int) -> None:
        self._erased_events[position] = (event.received_at_ms, event.workspace)
        self._took(position, by=by)

    def _took(self, position: int, *, by: int) -> None:
        self._erased_by.setdefault(by, set()).add(position)

    def sync(self) -> int:
        return self._cursor

    def cleanse(self) -> bool:
        return True

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
            standing = self._events[of_position]
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

    def copies(self, position: int, *, limit: int) -> Copies:
        copies = sorted((at, copy.received_at_ms) for at, (of, copy) in list(self._duplicates.items()) if of == position)
        return Copies(len(copies), copies[:limit])

    def receipts(
        self,
        workspaces: Collection[int],
        *,
        after: int,
        upto: int,
        limit: int,
        newest: bool = False,
        names: Collection[int] = (),
        contacts: Collection[int] = (),
        outcome: str | None = None,
    ) -> Receipts:
        span = range(upto, after, -1) if newest else range(after + 1, upto + 1)
        found: list[Receipt] = []
        size = 0
        for position in span:
            receipt = self.receipt(position)
            if receipt is None or receipt.workspace not in workspaces or outcome not in (None, receipt.outcome):
                continue
            event = receipt.event.event if receipt.event is not None else None
            if (not names or (event is not None and event.name in names)) and (
                not contacts or (event is not None and event.contact in contacts)
            ):
                if len(found) == limit or size > PAGE_METADATA_BYTES:
                    return Receipts(found, more=True)
                found.append(receipt)
                size += len(receipt.event.event.metadata) if receipt.event is not None else 0
        return Receipts(found, more=False)

    def duplicates(self, first: int, last: int) -> list[int]:
        return sorted(position for position in list(self._duplicates) if first <= position <= last)

    def name_totals(self, workspace: int) -> list[NameTotal]:
        kept: dict[int, list[Event]] = {}
        for event in list(self._events.values()):
            if event.workspace == workspace:
                kept.setdefault(event.name, []).append(event)
        copies = Counter(copy.name for _, copy in list(self._duplicates.values()))
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

    def search(
        self,
        selection: Selection,
        *,
        limit: int,
        look_max: int,
        before: Place | None = None,
        wanted: Callable[[Event], bool] | None = None,
    ) -> Found:
        places = {Place(stored.event.created_at, stored.position): stored for stored in self.scan(selection)}
        below = [place for place in sorted(places, reverse=True) if before is None or place < before]
        found: list[StoredEvent] = []
        size = 0
        for looked, place in enumerate(below):
            if len(found) >= limit or looked >= look_max or size > PAGE_METADATA_BYTES:
                return Found(found, below[looked - 1] if looked else before)
            if wanted is None or wanted(places[place].event):
                found.append(places[place])
                size += len(places[place].event.metadata)
        return Found(found, None)

    def name_keys(self, workspace: int, names: Collection[int] | None = None) -> list[NameKey]:
        return [
            NameKey(total.name, key, kind, times)
            for total in sorted(self.name_totals(workspace), key=lambda total: total.name)
            if names is None or total.name in names
            for (key, kind), times in sorted(self._keys.get(total.name, {}).items(), key=lambda row: (-row[1], row[0]))
        ]

    def merged(self) -> dict[int, int]:
        return dict(self._merged)

    def highest(self) -> tuple[int, int]:
        events = self._events.values()
        return max((event.contact for event in events), default=0), max((event.name for event in events), default=0)

    def erased(self) -> frozenset[int]:
        return frozenset(self._erased)

    def erased_by(self, position: int, *, after: int, limit: int) -> list[int]:
        return sorted(each for each in self._erased_by.get(position, ()) if each > after)[:limit]

    def changes(self, after: int, seen: int, *, limit: int) -> Changes:
        new = [(position, event) for position, event in list(self._events.items()) if position > after]
        rows = [each for position, event in new[:limit] for each in (position, event.contact, event.name, event.created_at)]
        return Changes(
            cursor=new[limit - 1][0] if len(new) >= limit else self._cursor,
            head=self._cursor,
            rows=array("q", rows),
            gone=[position for record, position in self._left if record > seen and position <= after],
            moved=[Moved(at, source, self._final(source)) for source, at in self._merged_at.items() if at > seen],
            standing=len(self._events),
            merges=len(self._merged),
        )

    def values(self, key: str, positions: Sequence[int]) -> list[tuple[int, str, bytes]]:
        found: list[tuple[int, str, bytes]] = []
        for position in positions:
            event = self._events.get(position)
            if event is not None and event.kinds:
                values = msgspec.json.decode(event.metadata, type=dict[str, msgspec.Raw])
                fits = (
                    (position, kind, bytes(value))
                    for kind, (each, value) in zip(event.kinds, values.items(), strict=True)
                    if each.casefold() == key.casefold()
                )
                found += islice(fits, 1)
        return found

    def problems(self) -> Iterator[str]:
        return iter(())  # nothing is kept twice here

    def close(self) -> None:
        pass

    def _of(self, contact: int) -> list[StoredEvent]:
        """A contact's events in order of position."""
        return [StoredEvent(position, event) for position, event in list(self._events.items()) if event.contact == contact]
