"""What may be found after all that a schedule did, by what clients were answered and by nothing else; and the comparing."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from trackrecord import outcomes
from trackrecord.journal.cleansing import OWING
from trackrecord.journal.log import JournalReader
from trackrecord.rules.records import Baseline, Event, Gone, Record
from trackrecord.stores.base import EventReader, Selection
from trackrecord.stores.memory import MemoryStore

from .load import NAMES, WORKSPACE

# Kinds of findings, as they are shown.
KINDS = {
    "missing": "acknowledged but missing",
    "twice": "kept twice",
    "refused": "kept but refused",
    "changed": "not what was sent",
    "store": "the store is not what the journal makes of it",
    "sums": "a sum that is no recount",
    "cursor": "a cursor ahead of its work",
    "trimmed": "trimmed before it was safe",
    "undone": "erased and still there",
    "broke": "broke off",
}
EVERYTHING = 1 << 40


class Finding(NamedTuple):
    kind: str
    text: str


class Wrong(Exception):
    """A promise is broken; the schedule ends here."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.finding = Finding(kind, text)


class Model:
    """The plain model of a store, fed with records as far as it is asked for; begun anew where it must go back."""

    def __init__(self, records: Mapping[int, Record]) -> None:
        self._records = records
        self._store = MemoryStore()

    def changes(self, position: int, record: Record) -> None:
        """What stands at this position is another record from here on."""
        if position <= self._store.cursor() and record != self._records[position]:
            self._store = MemoryStore()

    def up_to(self, cursor: int) -> MemoryStore:
        if cursor < self._store.cursor():
            self._store = MemoryStore()
        first = self._store.cursor() + 1
        self._store.append(first, [self._records[position] for position in range(first, cursor + 1)])
        return self._store


class Oracle:
    """`truth` is every record that stands in the journal for certain, by its position, as it was sent."""

    def __init__(self) -> None:
        self.truth: dict[int, Record] = {}
        self.acknowledged = 0
        self.compared = 0
        self._answered: set[int] = set()
        self._may: list[
            list[Record]
        ] = []  # batches of which one may stand behind the truth: unanswered, or refused by a disk that failed twice
        self._given: dict[int, Record] = {}  # what the store was given last, by position
        self._whole = Model(self.truth)
        self._folded = Model(self._given)

    @property
    def head(self) -> int:
        return len(self.truth)

    # What clients heard.

    def kept(self, first: int, records: Sequence[Record]) -> None:
        """Answered yes."""
        if first != self.head + 1:
            raise Wrong("changed", f"position {first} was given out where {self.head + 1} comes next")
        self.truth.update(enumerate(records, first))
        self._answered.update(range(first, first + len(records)))
        self.acknowledged += len(records)
        self._may = []

    def unanswered(self, records: list[Record]) -> None:
        self._may.append(records)

    def refused(self, records: list[Record], *, failures: int) -> None:
        """Answered no, as so many calls failed. Where the second failed too, the log may still hold the batch, until the next write."""
        if not failures:
            raise Wrong("broke", "a batch was refused though no call had failed")
        if failures == 1:
            self._may = []
        else:
            self._may.append(records)

    def settled(self) -> None:
        """The journal has written something and synced it: what may have stood behind its end is gone."""
        self._may = []

    def given(self, first: int, records: Iterable[Record]) -> None:
        """What the store is handed."""
        for position, record in enumerate(records, first):
            self._folded.changes(position, record)
            self._given[position] = record

    # What is found.

    def journal(self, path: Path, *, stored: int) -> None:
        """After a start: the journal against the truth, to which what nobody was answered is added where it stands."""
        found = _read(path)
        first, last = min(found, default=1), max(found, default=0)
        if last < self.head:
            raise Wrong("missing", f"the journal ends at {last}, and {self.head} was acknowledged or read before")
        behind = [found[position] for position in sorted(found) if position > self.head]
        if behind:
            if behind not in self._may:
                raise Wrong("refused", f"behind position {self.head} stand {len(behind)} records that no unanswered request sent")
            self.truth.update(enumerate(behind, self.head + 1))
        self._may = []
        if [position for position, following in pairwise(sorted(found)) if following != position + 1]:
            raise Wrong("missing", "positions are missing within the journal")
        for position, record in found.items():
            self._same(position, record, "the journal")
        if first > stored + 1:
            raise Wrong("trimmed", f"the journal begins at {first}, and the store ends at {stored}")
        if stored > self.head:
            raise Wrong("cursor", f"the store's cursor is {stored}, and the journal ends at {self.head}")
        self.compared += len(found)

    def store(self, reader: EventReader, *, whole: bool = False) -> None:
        """The store against the plain model fed with what the store was given; `whole`: with all that was sent, to the last."""
        cursor = reader.cursor()
        if cursor > self.head:
            raise Wrong("cursor", f"the store's cursor is {cursor}, and the journal ends at {self.head}")
        if whole and cursor != self.head:
            raise Wrong("cursor", f"the store rests at {cursor}, and the journal ends at {self.head}")
        for position in range(1, cursor + 1):
            if position not in self._given:
                raise Wrong("cursor", f"the store's cursor is {cursor}, and it was never given position {position}")
            self._same(position, self._given[position], "what the store was given")
        model = (self._whole if whole else self._folded).up_to(cursor)
        self._events(reader, model)
        contacts = range(1, max((event.contact for event in self.truth.values() if isinstance(event, Event)), default=0) + 2)
        for name, question in QUESTIONS.items():
            expected, found = question(model, contacts), question(reader, contacts)
            if found != expected:
                raise Wrong("store", f"{name}: {found!r:.300} where the model has {expected!r:.300}")
        for position in range(1, cursor + 1) if whole else range(max(1, cursor - 5), cursor + 1):
            if (receipt := reader.receipt(position)) != (expected := model.receipt(position)):
                raise Wrong("store", f"the receipt of position {position} is {receipt!r:.300} where the model has {expected!r:.300}")
        for problem in reader.problems() if whole else ():
            raise Wrong("sums", problem)
        self.compared += cursor

    def _events(self, reader: EventReader, model: MemoryStore) -> None:
        """Event by event, so that a finding tells what became of which."""
        everything = Selection(WORKSPACE)
        expected = {stored.position: stored.event for stored in model.scan(everything)}
        found = {stored.position: stored.event for stored in reader.scan(everything)}
        if len({event.key for event in found.values()}) < len(found):
            raise Wrong("twice", "two events of one key are kept")
        for position in expected.keys() - found.keys():
            raise Wrong("missing", f"the event at position {position} is not in the store")
        for position in found.keys() - expected.keys():
            record = self.truth.get(position)
            receipt = model.receipt(position)
            kind = "refused" if record is None else "undone" if receipt and receipt.outcome == outcomes.ERASED else "twice"
            raise Wrong(kind, f"the event at position {position} is in the store, and should not stand")
        for position, event in expected.items():
            if found[position] != event:
                raise Wrong("changed", f"the event at position {position} is {found[position]!r:.300} and should be {event!r:.300}")

    def cleansed(self, path: Path) -> None:
        """At rest: what a record had erased when it came is in the journal no more."""
        owed = {position for position, record in self._taken().items() if position < record}
        for position, record in _read(path).items():
            if position in owed and not isinstance(record, Gone):
                raise Wrong("undone", f"the journal still has what stood at position {position}")

    def _taken(self) -> dict[int, int]:
        """Positions whose event or baseline some record has taken away, and that record's, as the truth goes."""
        model = self._whole.up_to(self.head)
        return {
            each: position
            for position, record in self.truth.items()
            if type(record) in OWING
            for each in model.erased_by(position, after=0, limit=EVERYTHING)
        }

    def _same(self, position: int, record: Record, where: str) -> None:
        sent = self.truth.get(position)
        if sent is None:
            raise Wrong("refused", f"{where} at position {position} is {record!r:.200}, which nobody was told is kept")
        if record is sent or record == sent:
            return
        if not (isinstance(record, Gone) and isinstance(sent, (Event, Baseline)) and position in self._taken()):
            raise Wrong("changed", f"{where} at position {position} is {record!r:.200}, and {sent!r:.200} was sent")


def _read(path: Path) -> dict[int, Record]:
    """All that the journal holds, by position."""
    found: dict[int, Record] = {}
    with contextlib.closing(JournalReader(path)) as reader:
        while batch := reader.read(after=max(found, default=0), limit=1_000):
            found.update(enumerate(batch.records, batch.first))
    return found


Question = Callable[[EventReader, range], object]  # asked of a store, and of a range of contacts

# Asked of the store and of the model, which must answer alike. `erased_by` is not among them: base.py, "A Gone event".
QUESTIONS: dict[str, Question] = {
    "the totals of names": lambda store, contacts: store.name_totals(WORKSPACE),
    "the totals of days": lambda store, contacts: [store.day_totals(name, first=-1_000, last=1_000) for name in NAMES],
    "the metadata keys": lambda store, contacts: store.name_keys(WORKSPACE),
    "the duplicates": lambda store, contacts: store.duplicates(1, EVERYTHING),
    "who was merged": lambda store, contacts: store.merged(),
    "who was erased": lambda store, contacts: store.erased(),
    "the highest numbers": lambda store, contacts: store.highest(),
    "summaries": lambda store, contacts: [store.summary(contact) for contact in contacts],
    "lists": lambda store, contacts: [store.page(contact, limit=1_000) for contact in contacts],
}
