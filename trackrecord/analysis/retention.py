"""Retention: of the contacts that did something for the first time in a period, how many came back in that one and in each later."""

from collections.abc import Sequence

import msgspec
import numpy as np

from .columns import Array, Columns
from .records import Records
from .timeline import happened, marks_of

FIRSTS_KEPT = 16  # names for which it is kept when each contact did it first
NEVER = np.iinfo(np.int64).max


class Cohort(msgspec.Struct, frozen=True):
    contacts: int
    returned: list[int]  # how many of them in its own period, and in each after it


def retention(records: Records, *, first: int, returns: Sequence[int], edges: Sequence[int], among: bytes | None = None) -> list[Cohort]:
    """A cohort for each period between the edges (whole Unix seconds, rising): who did `first`, a name, for the first time ever in it.

    They come back with any of the names `returns`, a second or more after that first time. `among`: as marks_of says.
    """
    columns = records.columns
    marks = marks_of(columns, among)
    back = happened(columns, returns, since=edges[0], until=edges[-1], marks=marks)
    count = len(edges) - 1
    began = columns.derived(("firsts", first), lambda: _Firsts(first), most=FIRSTS_KEPT).at
    if marks is not None:
        began = np.where(marks, began, NEVER)
    cohort = np.searchsorted(np.array(edges, np.int64), began, "right") - 1  # of each contact; -1 or `count` for none
    sizes = np.bincount(cohort + 1, minlength=count + 2)[1 : count + 1].tolist()
    returned: list[list[int]] = [[] for _ in sizes]
    came = np.zeros(columns.contacts, bool)
    for number, place in enumerate(back.places(edges)):
        contact = back.contact[place]
        came[contact] = back.at[place] > began[contact]  # in order of time: if any of a contact's is later, its last one is
        here = np.bincount(cohort[came] + 1, minlength=count + 2)[1:].tolist()
        came[:] = False
        for earlier in range(number + 1):
            returned[earlier].append(here[earlier])
    return [Cohort(size, each) for size, each in zip(sizes, returned, strict=True)]


class _Firsts:
    """`at`: when each contact, by its number, did something first; NEVER for who did not."""

    def __init__(self, name: int) -> None:
        self._name = name
        self.at: Array = np.zeros(0, np.int64)

    def extend(self, columns: Columns, first: int, end: int) -> None:
        row = np.flatnonzero(columns.name[first:end] == self._name) + first
        at = np.full(columns.contacts, NEVER)
        at[: len(self.at)] = self.at
        np.minimum.at(at, columns.contact[row], columns.created_at[row])
        self.at = at
