"""How often each name happens: events, distinct contacts, and events in each of some periods, for many names at once."""

from collections.abc import Sequence

import msgspec
import numpy as np

from .columns import Array, Columns, member
from .records import Records

RECENT_MIN = 1 << 16  # pairs that are kept beside the many, before they are put among them
PERIODS_KEPT = 4  # rows of edges that counts are kept for: a few time zones, and the day before


class Activity(msgspec.Struct, frozen=True):
    """A number for each name asked for, in that order."""

    counts: Array
    contacts: Array  # distinct
    periods: list[Array]  # events in each period, oldest first


def activity(records: Records, names: Sequence[int], edges: Sequence[int] = ()) -> Activity:
    """`edges` are where periods begin, in order, and where the last one ends: whole Unix seconds. No edges, no periods."""
    columns = records.columns
    wanted = np.array(names, np.int64)
    counts = columns.derived(("totals",), _Totals).of(wanted)
    contacts = columns.derived(("pairs",), _Pairs).of(wanted)
    if len(edges) < 2:
        return Activity(counts, contacts, [np.empty(0, np.int64) for _ in names])
    bounds = tuple(edges)
    return Activity(counts, contacts, list(columns.derived(("periods", bounds), lambda: _Periods(bounds), most=PERIODS_KEPT).of(wanted)))


class _Totals:
    """How many events each name has, by its number."""

    def __init__(self) -> None:
        self._counts: Array = np.zeros(0, np.int64)

    def extend(self, columns: Columns, first: int, end: int) -> None:
        self._counts = _plus(self._counts, np.bincount(columns.name[first:end]))

    def of(self, names: Array) -> Array:
        return _at(self._counts, names)


class _Periods:
    """How many events each name has in each period, by its number."""

    def __init__(self, edges: tuple[int, ...]) -> None:
        self._edges = np.array(edges, np.int64)
        self._periods = len(edges) - 1
        self._counts: Array = np.zeros(0, np.int64)  # name by name, each with all periods

    def extend(self, columns: Columns, first: int, end: int) -> None:
        at = columns.created_at[first:end]
        within = np.flatnonzero((at >= self._edges[0]) & (at < self._edges[-1]))
        period = np.searchsorted(self._edges, at[within], side="right") - 1
        self._counts = _plus(self._counts, np.bincount(columns.name[first:end][within].astype(np.int64) * self._periods + period))

    def of(self, names: Array) -> Array:
        places = names[:, None] * self._periods + np.arange(self._periods)
        return _at(self._counts, places)


class _Pairs:
    """Every pair of a name and a contact that did it, once and in order: as name * 2**32 + contact.

    Most are in one long array, and those that came since in a short one, so that a few new events cost little.
    """

    def __init__(self) -> None:
        self._many: Array = np.empty(0, np.int64)
        self._recent: Array = np.empty(0, np.int64)

    def extend(self, columns: Columns, first: int, end: int) -> None:
        self._add(_pairs(columns.name[first:end], columns.contact[first:end]))

    def changed(self, columns: Columns, contacts: Array, places: Array | None) -> None:
        """The rows of these contacts are not what they were."""
        self._many, self._recent = (pairs[~member(pairs & 0xFFFFFFFF, contacts)] for pairs in (self._many, self._recent))
        rows = np.flatnonzero(member(columns.contact, contacts))
        self._add(_pairs(columns.name[rows], columns.contact[rows]))

    def of(self, names: Array) -> Array:
        """How many contacts did each."""
        low = names << 32
        parts = (np.searchsorted(pairs, low + (1 << 32)) - np.searchsorted(pairs, low) for pairs in (self._many, self._recent))
        total: Array = np.add(*parts)
        return total

    def _add(self, pairs: Array) -> None:
        if not len(self._many) and not len(self._recent):
            self._many = pairs
            return
        new = pairs[~_among(pairs, self._many) & ~_among(pairs, self._recent)]
        self._recent = np.sort(np.concatenate((self._recent, new)), kind="stable")
        if len(self._recent) > max(RECENT_MIN, len(self._many) // 16):
            self._many = np.sort(np.concatenate((self._many, self._recent)), kind="stable")
            self._recent = np.empty(0, np.int64)


def _pairs(names: Array, contacts: Array) -> Array:
    pairs: Array = np.sort((names.astype(np.int64) << 32) | contacts)
    first: Array = np.concatenate((np.ones(min(1, len(pairs)), bool), pairs[1:] != pairs[:-1]))  # of those that are equal
    return pairs[first]


def _among(sought: Array, sorted_values: Array) -> Array:
    """Whether each of those sought is among sorted values."""
    at = np.searchsorted(sorted_values, sought)
    there = at < len(sorted_values)
    there[there] = sorted_values[at[there]] == sought[there]
    return there


def _plus(counts: Array, more: Array) -> Array:
    """The sum of two arrays, as long as the longer one."""
    total = np.zeros(max(len(counts), len(more)), np.int64)
    total[: len(counts)] = counts
    total[: len(more)] += more
    return total


def _at(counts: Array, places: Array) -> Array:
    """What is counted at places; 0 behind the end."""
    found: Array = np.zeros(places.shape, np.int64)
    there = places < len(counts)
    found[there] = counts[places[there]]
    return found


class TopContact(msgspec.Struct, frozen=True):
    contact: int
    count: int
    first: int  # whole Unix seconds; created_at of the oldest and the newest that were counted
    last: int


class TopContacts(msgspec.Struct, frozen=True):
    top: list[TopContact]  # most first, then by number
    events: int  # of all contacts
    contacts: int


def top_contacts(records: Records, name: int, limit: int, since: int | None = None, until: int | None = None) -> TopContacts:
    """Who did it most, within `since` and before `until`."""
    columns = records.columns
    rows = columns.within(columns.rows(name), since, until)
    contacts = columns.contact[rows]
    if not len(rows):
        return TopContacts([], 0, 0)
    counts: Array = np.bincount(contacts)
    there = int(np.count_nonzero(counts))
    chosen = _greatest(counts, min(limit, there))
    theirs = rows[member(contacts, chosen)]
    whose, at = columns.contact[theirs], columns.created_at[theirs]
    order = np.lexsort((at, whose))
    whose, at = whose[order], at[order]
    firsts, lasts = at[np.searchsorted(whose, chosen)], at[np.searchsorted(whose, chosen, side="right") - 1]
    rows_of = zip(chosen.tolist(), counts[chosen].tolist(), firsts.tolist(), lasts.tolist(), strict=True)
    return TopContacts([TopContact(*row) for row in rows_of], len(rows), there)


def _greatest(counts: Array, many: int) -> Array:
    """The places of so many of the greatest counts, the greatest first; of equal ones the first. At least so many must be above 0."""
    having = np.bincount(counts)  # by count, how many places have it
    above = np.cumsum(having[::-1])
    least = len(having) - 1 - int(np.searchsorted(above, many))
    more = np.flatnonzero(counts > least)
    more = more[np.argsort(-counts[more], kind="stable")]
    found: Array = np.concatenate((more, np.flatnonzero(counts == least)[: many - len(more)]))
    return found
