"""The events of some names in order of time: what trends, funnels and retention are counted from."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .columns import Array, Columns, Grown, member

NAMES_KEPT = 256  # names whose timelines are kept once they were asked for
GROUPS_KEPT = 4  # timelines of several names together


class Part(NamedTuple):
    """Some events: a column each, in the same order."""

    at: Array
    row: Array
    contact: Array

    def of(self, which: Array) -> "Part":
        """Those at these places, or where it is true."""
        return Part(self.at[which], self.row[which], self.contact[which])

    def places(self, edges: Sequence[int]) -> list[slice]:
        """Where the events stand that happened from each edge to before the next: whole Unix seconds, rising as they do."""
        places = np.searchsorted(self.at, np.array(edges, np.int64)).tolist()
        return [slice(*pair) for pair in pairwise(places)]


class Timeline:
    """`at` (whole Unix seconds) and `row` in the columns of each event: the earliest first, and of one second in the journal's order."""

    def __init__(self, names: Sequence[int]) -> None:
        self._names = np.array(names, np.int64)
        self._at, self._row = Grown(np.int64), Grown(np.int32)

    @property
    def at(self) -> Array:
        return self._at.view

    @property
    def row(self) -> Array:
        return self._row.view

    def extend(self, columns: Columns, first: int, end: int) -> None:
        """Rows first..end were added. As events mostly come in order of time, few that were here are moved."""
        row = np.flatnonzero(member(columns.name[first:end], self._names)) + first
        if not len(row):
            return
        at = columns.created_at[row]
        stays = int(np.searchsorted(self.at, at.min(), "right"))
        at, row = np.concatenate((self.at[stays:], at)), np.concatenate((self.row[stays:], row))
        self._cut(stays)
        order = np.argsort(at, kind="stable")
        self._at.add(at[order])
        self._row.add(row[order])

    def changed(self, columns: Columns, contacts: Array, places: Array | None) -> None:
        """Whose an event is does not change its place; of dropped rows the others are numbered anew."""
        if places is not None:
            row = places[self.row]
            here = row >= 0
            at = self.at[here]
            self._cut(0)
            self._at.add(at)
            self._row.add(row[here])

    def part(self, columns: Columns, until: int, since: int = 0, marks: Array | None = None) -> "Part":
        """What happened from `since` to before `until` (whole Unix seconds), of contacts that are marked, if marks are given."""
        place = slice(*np.searchsorted(self.at, np.array((since, until), np.int64)))
        row = self.row[place]
        part = Part(self.at[place], row, columns.contact[row])
        return part if marks is None else part.of(marks[part.contact])

    def _cut(self, length: int) -> None:
        self._at.cut(length)
        self._row.cut(length)


def timeline(columns: Columns, names: Sequence[int]) -> Timeline:
    """The timeline of some names, kept and brought up to date."""
    kind, most = ("timeline", NAMES_KEPT) if len(names) == 1 else ("timeline of several", GROUPS_KEPT)
    return columns.derived((kind, *sorted(names)), lambda: Timeline(names), most=most)


def marks_of(columns: Columns, among: bytes | None) -> Array | None:
    """Whether each contact is meant, by its number. `among` has a byte each, 1 for those meant; nobody past its end is."""
    if among is None:
        return None
    marks = np.zeros(columns.contacts, bool)
    given = np.frombuffer(among, bool)[: len(marks)]
    marks[: len(given)] = given
    return marks
