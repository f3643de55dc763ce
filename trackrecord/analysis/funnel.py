"""Funnels: how many contacts did one thing, and then another after it, and so on, within some time."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from .columns import Array, Columns
from .records import Records
from .timeline import happened, marks_of


class Step(msgspec.Struct, frozen=True):
    contacts: int  # that got here
    median_s: float | None  # seconds since the step before; None for the first step, and where nobody got
    median_total_s: float | None  # seconds since the first step


class _Events(NamedTuple):
    """Events of one step, in order of contact, time and row."""

    contact: Array
    at: Array
    row: Array
    key: Array  # rises with contact and time


class _Reached(NamedTuple):
    """Events with which somebody got to a step, and when the latest chain began that can lead to each."""

    events: _Events
    began: Array

    @property
    def firsts(self) -> Array:
        """Where the first event of each contact stands."""
        contact = self.events.contact
        return np.flatnonzero(np.diff(contact, prepend=-1))


def funnel(records: Records, *, steps: Sequence[int], since: int, until: int, within_s: int, among: bytes | None = None) -> list[Step]:
    """Of each step, a name, how many contacts got there.

    A chain begins with any event of the first step from `since` to before `until` (whole Unix seconds), and goes on with events of
    the following steps, each later than the one before (of one second: later in the journal), and none later than `within_s`
    after its beginning. For every event the latest beginning is kept that a chain to it can have, as that leaves most time.
    `among`: as marks_of says.
    """
    columns, last = records.columns, until + within_s
    here = _events(columns, steps[0], since, until, last, marks_of(columns, among))
    reached = _Reached(here, here.at)
    found = [Step(len(reached.firsts), None, None)]
    for name in steps[1:]:
        marks = np.zeros(columns.contacts, bool)
        marks[reached.events.contact] = True
        here = _events(columns, name, since, last, last, marks)
        before = _last_before(reached.events, here)
        on = np.flatnonzero(
            (before >= 0) & (reached.events.contact[before] == here.contact) & (here.at - reached.began[before] <= within_s)
        )
        before = before[on]
        following = _Reached(_Events(*(column[on] for column in here)), reached.began[before])
        firsts = following.firsts
        at = following.events.at[firsts]
        found.append(Step(len(firsts), _median(at - reached.events.at[before[firsts]]), _median(at - following.began[firsts])))
        reached = following
    return found


def _events(columns: Columns, name: int, since: int, until: int, last: int, marks: Array | None) -> _Events:
    """What happened of a name from `since` to before `until`, of contacts that are marked; all of it happens until `last`."""
    part = happened(columns, [name], since=since, until=until, marks=marks)
    at, row, contact = part.of(_order(part.contact))
    return _Events(contact, at, row, contact.astype(np.int64) * (last - since + 1) + (at - since))


def _order(contact: Array) -> Array:
    """Which sorts by contact and leaves those of one contact as they are: by 16 bits at a time, which numpy does in one pass."""
    order = np.argsort((contact & 0xFFFF).astype(np.uint16), kind="stable")
    if len(contact) and int(contact.max()) > 0xFFFF:
        order = order[np.argsort((contact[order] >> 16).astype(np.uint16), kind="stable")]
    return order


def _last_before(events: _Events, here: _Events) -> Array:
    """For each event of `here`, where the last of `events` stands whose contact and time, or row in one second, is before; else -1."""
    low = np.searchsorted(events.key, here.key)
    if not len(events.key):
        return low - 1
    same = np.flatnonzero(events.key[np.minimum(low, len(events.key) - 1)] == here.key)  # of its contact and second: by rows
    high = low.copy()
    high[same] = np.searchsorted(events.key, here.key[same], "right")
    while len(same):
        middle = (low[same] + high[same]) // 2
        before = events.row[middle] < here.row[same]
        low[same[before]] = middle[before] + 1
        high[same[~before]] = middle[~before]
        same = same[low[same] < high[same]]
    return low - 1


def _median(seconds: Array) -> float | None:
    return float(np.median(seconds)) if len(seconds) else None
