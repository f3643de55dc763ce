"""Retention: of the contacts that did something for the first time in a period, how many came back in that one and in each later."""

from collections.abc import Sequence

import msgspec
import numpy as np

from .records import Records
from .timeline import happened, marks_of


class Cohort(msgspec.Struct, frozen=True):
    contacts: int
    returned: list[int]  # how many of them in its own period, and in each after it


def retention(records: Records, *, first: int, returns: Sequence[int], edges: Sequence[int], among: bytes | None = None) -> list[Cohort]:
    """A cohort for each period between the edges (whole Unix seconds, rising): who did `first`, a name, for the first time ever in it.

    They come back with any of the names `returns`, a second or more after that first time. `among`: as marks_of says.
    """
    columns = records.columns
    marks = marks_of(columns, among)
    begin = happened(columns, [first], until=edges[-1], marks=marks)
    back = happened(columns, returns, since=edges[0], until=edges[-1], marks=marks)
    count = len(edges) - 1
    began = np.full(columns.contacts, edges[-1], np.int64)  # when each contact did it first
    began[begin.contact[::-1]] = begin.at[::-1]  # of several put in one place the last stays: the earliest
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
