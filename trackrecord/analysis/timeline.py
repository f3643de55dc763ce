"""The events of some names in order of time: what trends, funnels and retention are counted from."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .columns import Array, Columns, Grown, member

NAMES_KEPT = 256  # names whose timelines are kept once they were asked for


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

    def __init__(self, name: int | None) -> None:
        """Of one name; None for all of them."""
        self._name = name
        self._named: Array = np.zeros(0, bool)  # by their numbers, the names that it has
        self._at, self._row = Grown(np.int64), Grown(np.int32)

    @property
    def at(self) -> Array:
        return self._at.view

    @property
    def row(self) -> Array:
        return self._row.view

    def extend(self, columns: Columns, first: int, end: int) -> None:
        """Rows first..end were added. As events mostly come in order of time, few that were here are moved."""
        names = columns.name[first:end]
        row = np.arange(first, end) if self._name is None else np.flatnonzero(names == self._name) + first
        if not len(row):
            return
        if self._name is None:
            here = np.bincount(names) > 0
            here[: len(self._named)] |= self._named[: len(here)]
            self._named = np.concatenate((here, self._named[len(here) :]))
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

    def part(self, columns: Columns, since: int, until: int, names: Sequence[int], marks: Array | None = None) -> "Part":
        """What happened of these names from `since` to before `until` (whole Unix seconds); of marked contacts, if marks are given."""
        place = slice(*np.searchsorted(self.at, np.array((since, until), np.int64)))
        row = self.row[place]
        part = Part(self.at[place], row, columns.contact[row])
        if self._name is None and not np.isin(np.flatnonzero(self._named), names).all():
            part = part.of(member(columns.name[row], np.array(names, np.int64)))
        return part if marks is None else part.of(marks[part.contact])

    def _cut(self, length: int) -> None:
        self._at.cut(length)
        self._row.cut(length)


def happened(columns: Columns, names: Sequence[int], *, until: int, since: int = 0, marks: Array | None = None) -> Part:
    """What happened of these names: see Timeline.part. Timelines are kept, and brought up to date."""
    name = names[0] if len(names) == 1 else None
    line = columns.derived(("timeline", name) if name is not None else ("timeline of all",), lambda: Timeline(name), most=NAMES_KEPT)
    return line.part(columns, since, until, names, marks)


def marks_of(columns: Columns, among: bytes | None) -> Array | None:
    """Whether each contact is meant, by its number. `among` has a byte each, 1 for those meant; nobody past its end is."""
    if among is None:
        return None
    marks = np.zeros(columns.contacts, bool)
    given = np.frombuffer(among, bool)[: len(marks)]
    marks[: len(given)] = given
    return marks
