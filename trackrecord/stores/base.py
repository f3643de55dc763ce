"""What every event store promises. `memory.py` says it most plainly; `tests/stores/` holds every engine to it.

Reading and writing may happen in different processes: one writer, any number of readers, none waits for another.
Everything here is ordinary blocking code; who must not block calls it from a thread.

* append is all or nothing, and the cursor moves in the same step: after a crash the store stands at a batch's edge.
* Appending records again changes nothing.
* An event whose key is kept already is a duplicate: the first copy stands, and the second leaves only its receipt.
* An erased contact has no events, summaries or totals, and gets none later.
* A merged contact's events and baselines are its target's, those that come later too. Of equal keys the target's event stands,
  and the other is a duplicate of it; of two baselines of one name the target's stands. Merges may follow each other. Erasing
  either erases both. A contact is merged once: a second merge of it, one of an erased contact, and one that would make a
  circle change nothing.
* A removed event leaves only its receipt. Its key is free again: the same event sent once more is stored.
* Duplicates of an erased or removed event are erased with it.
* A Gone event leaves what an erased one leaves, a Gone baseline nothing: a store made anew from a journal that was cleansed of
  erased and removed events answers every question as the one that saw them does, but for `erased_by` and, of names with more
  metadata keys than have rows of their own, which keys those are.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from ..rules.records import Event, Record

PAGE_METADATA_BYTES = 4 << 20  # a page ends with the event that passes this much metadata, however few events it has then


class StoredEvent(NamedTuple):
    position: int  # in the journal; unique, and later events have higher ones
    event: Event


class Moment(NamedTuple):
    """A place in one contact's timeline: the second, and the event's rank within it (0 came first)."""

    second: int
    rank: int


class Page(NamedTuple):
    """Events newest first, ordered by (created_at, position); `at` gives each event's Moment."""

    events: list[StoredEvent]
    at: list[Moment]
    more: bool  # older events follow within the bounds asked for


class Summary(msgspec.Struct, frozen=True):
    """How often a contact did one thing, baselines included. Whole Unix seconds; None where only a baseline without times is known."""

    name: int
    count: int
    first: int | None
    last: int | None


class NameTotal(msgspec.Struct, frozen=True):
    """One event name over all contacts; baselines are not counted."""

    name: int
    count: int
    first: int  # whole Unix seconds; created_at of the oldest and the newest
    last: int
    duplicates: int  # copies that changed nothing
    keys_dropped: int  # metadata keys not kept, summed over stored events


class Receipt(NamedTuple):
    """What became of the record at a position."""

    position: int
    outcome: str  # outcomes.STORED, DUPLICATE or ERASED
    received_at_ms: int
    workspace: int
    event: StoredEvent | None  # the event that stands: itself, or the first copy; None when that is erased


class Copies(NamedTuple):
    """The duplicates of an event that stands: how many, and of the first of them (position, received_at_ms), in order of position."""

    total: int
    first: list[tuple[int, int]]


class Receipts(NamedTuple):
    """What became of the records in a span of positions."""

    found: list[Receipt]
    more: bool  # there are others in the span, behind the last of these


class Selection(msgspec.Struct, frozen=True):
    """Which events an export or a scan wants. Empty lists and None mean no limit."""

    workspace: int
    names: Sequence[int] = ()
    contacts: Sequence[int] = ()
    since: int | None = None  # created_at >= since
    until: int | None = None  # created_at < until


class Place(NamedTuple):
    """Where a search stands: everything at or after it was looked at."""

    created_at: int
    position: int


class Found(NamedTuple):
    """Events newest first, ordered by (created_at, position)."""

    events: list[StoredEvent]
    next: Place | None  # where to go on; None when everything was looked at. It may stand with few events, or none


class NameKey(NamedTuple):
    """How often one kind of value stood under one metadata key of one event name."""

    name: int
    key: str
    kind: str  # a letter of rules/metadata.py, KINDS; empty where keys without a row of their own are counted together
    times: int


class Moved(NamedTuple):
    """The merge at a position: whose events are whose by now, later merges included."""

    position: int
    source: int
    final: int


class Changes(NamedTuple):
    """What a copy of the columns lacks, as of one moment. A copy that has taken it and stands at `head` is exact."""

    cursor: int  # up to where it has rows then: less than `head` where there are more
    head: int  # the store's cursor
    rows: "array[int]"  # of standing events: position, contact, name, created_at, and again; in order of position
    gone: list[int]  # positions that the copy may hold, whose events stand no more: erased, removed, or duplicates by a merge
    moved: list[Moved]  # merges, in order: what the copy holds of these contacts is another's now
    standing: int  # events that stand at `head`, over all workspaces
    merges: int  # there are


class EventReader(Protocol):
    def cursor(self) -> int:
        """The position of the last record appended; 0 before the first."""

    def page(
        self, contact: int, *, limit: int, before: Moment | None = None, since: Moment | None = None, oldest: int | None = None
    ) -> Page:
        """Up to `limit` events of a contact, newest first; fewer where they carry more than PAGE_METADATA_BYTES.

        `before` is exclusive, `since` inclusive, `oldest` the least created_at to show.
        """

    def summary(self, contact: int) -> list[Summary]:
        """One row a name, newest `last` first (rows without one at the end), then by name number."""

    def receipt(self, position: int) -> Receipt | None:
        """None for a position that holds no event, or none that is known any more."""

    def copies(self, position: int, *, limit: int) -> Copies:
        """The duplicates of the event at a position, the first `limit` of them by position and time."""

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
        """The receipts of these workspaces at after < position <= upto: the first `limit` in order, or with `newest` the last, downwards.

        With `names` or `contacts` only those of events that stand and are of these; with `outcome` only those. Fewer where their
        events carry more than PAGE_METADATA_BYTES. It looks through the span as far as `limit` receipts lie apart.
        """

    def duplicates(self, first: int, last: int) -> list[int]:
        """The positions in first..last whose events were duplicates, in order."""

    def name_totals(self, workspace: int) -> list[NameTotal]:
        """By count, most first, then by name number."""

    def day_totals(self, name: int, *, first: int, last: int) -> list[tuple[int, int]]:
        """(day, count) for days first..last that have events, in order. A day is created_at // 86400, UTC."""

    def scan(self, selection: Selection, *, after: int = 0) -> Iterator[StoredEvent]:
        """Every selected event with a position above `after`, in order of position, as of the moment of the call.

        Takes as long as its caller does without holding anything up; events erased meanwhile are left out.
        """

    def search(
        self,
        selection: Selection,
        *,
        limit: int,
        look_max: int,
        before: Place | None = None,
        wanted: Callable[[Event], bool] | None = None,
    ) -> Found:
        """Up to `limit` selected events that are `wanted`, newest created_at first, from `before` (exclusive) on down.

        At most about `look_max` events are looked at in one call, and about PAGE_METADATA_BYTES of metadata returned.
        """

    def name_keys(self, workspace: int, names: Collection[int] | None = None) -> list[NameKey]:
        """Which metadata keys stored events have, those of some names or of all, by name number, then count, most first, then key and kind.

        A name has at most name_keys.NAME_KEYS_MAX rows, one a key and kind, and what finds no room is counted in one more, whose
        key and kind are empty. Added up, a name's rows are always exact, and so is each row but that one.
        """

    def merged(self) -> dict[int, int]:
        """Every contact ever merged away, and the one that it was merged into then."""

    def highest(self) -> tuple[int, int]:
        """The greatest numbers of a contact and of a name that any event here has; 0 for none."""

    def erased(self) -> frozenset[int]:
        """The numbers of all contacts erased so far."""

    def erased_by(self, position: int, *, after: int, limit: int) -> list[int]:
        """The positions above `after` whose events and baselines the record at `position` took away, in order, up to `limit`.

        Those that came later for a contact it erased are among them. For whoever keeps copies by position: the journal.
        """

    def changes(self, after: int, seen: int, *, limit: int) -> Changes:
        """What a copy lacks that has rows up to `after`: up to `limit` more, and what records above `seen` did to those it has.

        For whoever keeps the columns of all events: ask with 0 and 0, then with each answer's `cursor` and `head`, until they are one.
        """

    def values(self, key: str, positions: Sequence[int]) -> list[tuple[int, str, bytes]]:
        """(position, kind, value as JSON) of the metadata key, in whatever case it is written, for those of the positions whose
        events stand and have it, in order.

        Kinds are letters of rules/metadata.py, KINDS. Positions are ascending; ask for some thousands at once.
        """

    def problems(self) -> Iterator[str]:
        """Recount everything kept twice and verify the files; yield one plain sentence for each thing that is wrong."""

    def close(self) -> None: ...


class EventStore(EventReader, Protocol):
    def append(self, first: int, records: Sequence[Record]) -> None:
        """Keep records, whose positions are first, first + 1, …; records at or below the cursor are passed over.

        Positions begin at 1 and only grow; they may leave gaps. What is kept does not depend on how batches are cut.
        Raises Unavailable if trying again may work (a full disk), with nothing kept of the batch.
        """

    def sync(self) -> int:
        """Bring everything appended so far to stable storage; return the cursor that is safe now."""

    def cleanse(self) -> bool:
        """Leave no trace of what was erased or removed in any file. False when it is to be called again, a little later."""
