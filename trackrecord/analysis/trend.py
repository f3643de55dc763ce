"""Trends: how many events there were in each period, or how many different contacts they are of."""

from collections.abc import Sequence

import msgspec
import numpy as np

from .columns import Columns
from .records import Records
from .timeline import Timeline, timeline


class Trend(msgspec.Struct, frozen=True):
    """Of one series."""

    values: list[int]  # of each period, what was measured
    events: int  # in all of them
    contacts: int  # different ones, in all of them


def trend(records: Records, *, series: Sequence[Sequence[int]], edges: Sequence[int], measure: str) -> list[Trend]:
    """Of each series, a group of names, what happened between the edges: whole Unix seconds, rising. `measure`: events or contacts."""
    return [_trend(records.columns, timeline(records.columns, names), edges, measure) for names in series]


def _trend(columns: Columns, line: Timeline, edges: Sequence[int], measure: str) -> Trend:
    places = line.places(edges)
    events = [place.stop - place.start for place in places]
    width = columns.contacts
    ever = np.zeros(width, bool)
    if measure == "events":
        ever[columns.contact[line.row[places[0].start : places[-1].stop]]] = True
        return Trend(events, sum(events), int(np.count_nonzero(ever)))
    contacts = []
    marks = np.zeros(width, bool)
    for place in places:
        marks[columns.contact[line.row[place]]] = True
        contacts.append(int(np.count_nonzero(marks)))
        ever |= marks
        marks[:] = False
    return Trend(contacts, sum(events), int(np.count_nonzero(ever)))
