"""Who did what, how often and when: what segments ask about events."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from .columns import Array, Columns, member
from .records import Records

# Of the events of a name (its number; None: a name that nobody has) within `since` and before `until`: those contacts whose measure,
# "count", "first" or "last", is from `low` up to, but not with, `high`. As rules.segments.Asked says it, with the name before it.
Condition = tuple[int | None, str, int | None, int | None, int | None, int | None]
Window = tuple[int | None, int | None, int | None]  # name, since, until


class Doers(msgspec.Struct, frozen=True):
    """`marks` has a byte for each contact by its number, 1 for those meant; `others`: whether those past its end are meant too."""

    marks: bytes
    others: bool


def who_did(records: Records, conditions: Sequence[Condition]) -> list[Doers]:
    """For each condition, who meets it."""
    return [_counted(records.columns, *each) if each[1] == "count" else _timed(records.columns, *each) for each in conditions]


def _rows(columns: Columns, name: int | None, since: int | None, until: int | None) -> Array:
    return np.empty(0, np.int64) if name is None else columns.within(columns.rows(name), since, until)


def _counted(columns: Columns, name: int | None, _: str, since: int | None, until: int | None, low: int | None, high: int | None) -> Doers:
    counts = np.bincount(columns.contact[_rows(columns, name, since, until)])
    met = np.ones(len(counts), bool)
    if low is not None:
        met &= counts >= low
    if high is not None:
        met &= counts < high
    return Doers(met.tobytes(), (low is None or low <= 0) and (high is None or high > 0))


def _timed(
    columns: Columns, name: int | None, measure: str, since: int | None, until: int | None, low: int | None, high: int | None
) -> Doers:
    """The last is within bounds where one event is, and none is later; of the first none is earlier. So nothing need be sorted."""
    rows = _rows(columns, name, since, until)
    contacts, at = columns.contact[rows], columns.created_at[rows]
    marks = np.zeros(int(contacts.max()) + 1 if len(contacts) else 0, bool)
    above = at >= low if low is not None else np.ones(len(at), bool)
    below = at < high if high is not None else np.ones(len(at), bool)
    marks[contacts[above & below]] = True
    marks[contacts[~below if measure == "last" else ~above]] = False
    return Doers(marks.tobytes(), False)


def what_they_did(records: Records, windows: Sequence[Window], contacts: Sequence[int]) -> list[list[Any]]:
    """For each window, for each of these few contacts: how often, when first, when last (whole Unix seconds; None for never)."""
    columns = records.columns
    wanted = np.array(contacts, np.int64)
    order = np.unique(wanted)
    theirs: dict[int | None, Array] = {}
    answer = []
    for name, since, until in windows:
        if name not in theirs:
            of_name = _rows(columns, name, None, None)
            theirs[name] = of_name[member(columns.contact[of_name], order)]
        rows = columns.within(theirs[name], since, until)
        slots, at = np.searchsorted(order, columns.contact[rows]), columns.created_at[rows]
        counts = np.bincount(slots, minlength=len(order))
        first, last = np.full(len(order), np.iinfo(np.int64).max), np.full(len(order), -1)
        np.minimum.at(first, slots, at)
        np.maximum.at(last, slots, at)
        of_slot = [
            [count, begun, ended] if count else [0, None, None]
            for count, begun, ended in zip(counts.tolist(), first.tolist(), last.tolist(), strict=True)
        ]
        answer.append([of_slot[slot] for slot in np.searchsorted(order, wanted).tolist()])
    return answer
