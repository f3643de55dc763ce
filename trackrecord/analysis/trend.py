"""Trends: how many events there were in each period, or how many different contacts they are of."""

from collections.abc import Sequence

import msgspec
import numpy as np

from .records import Records
from .timeline import Part, happened, marks_of


class Trend(msgspec.Struct, frozen=True):
    """Of one series."""

    values: list[int]  # of each period, what was measured
    events: int  # in all of them
    contacts: int  # different ones, in all of them


def trend(
    records: Records, *, series: Sequence[Sequence[int]], edges: Sequence[int], measure: str, among: bytes | None = None
) -> list[Trend]:
    """Of each series, a group of names, what happened between the edges: whole Unix seconds, rising. `measure`: events or contacts.

    `among`: as marks_of says.
    """
    columns = records.columns
    marks = marks_of(columns, among)
    return [
        _trend(happened(columns, names, since=edges[0], until=edges[-1], marks=marks), edges, measure, width=columns.contacts)
        for names in series
    ]


def _trend(part: Part, edges: Sequence[int], measure: str, *, width: int) -> Trend:
    """`width` is above the number of every contact."""
    places = part.places(edges)
    ever = np.zeros(width, bool)
    if measure == "events":
        ever[part.contact] = True
        return Trend([place.stop - place.start for place in places], len(part.at), int(np.count_nonzero(ever)))
    contacts = []
    here = np.zeros(width, bool)
    for place in places:
        here[part.contact[place]] = True
        contacts.append(int(np.count_nonzero(here)))
        ever |= here
        here[:] = False
    return Trend(contacts, len(part.at), int(np.count_nonzero(ever)))
