"""The events of a name by the values of one metadata key."""

import msgspec
import numpy as np

from .columns import Array, distinct
from .records import Records
from .values import NONE, OTHER, Value

MARKS_BYTES = 32 << 20  # of values by contacts that are marked at once


class ValueRow(msgspec.Struct, frozen=True):
    value: Value
    events: int
    contacts: int  # distinct


class Breakdown(msgspec.Struct, frozen=True):
    rows: list[ValueRow]  # most events first, then the value that came first
    events: int  # in all
    contacts: int
    without: int  # events that have no such key
    other_events: int  # with values that have no row
    other_values: int | None  # how many these are; None where they are too many to be told apart


def breakdown(records: Records, name: int, key: str, limit: int, since: int | None = None, until: int | None = None) -> Breakdown:
    """The `limit` values that most events have, of those within `since` and before `until`."""
    columns = records.columns
    values, rows = records.values(name, key), columns.rows(name)
    wanted = columns.during(rows, since, until)
    rows, codes = rows[wanted], values.codes[wanted]
    counts = np.bincount(codes, minlength=len(values.told))
    without, lumped = int(counts[NONE]), int(counts[OTHER])
    counts[[NONE, OTHER]] = 0
    there = int(np.count_nonzero(counts))
    shown = np.argsort(-counts, kind="stable")[: min(limit, there)]
    contacts = columns.contact[rows]
    whose = _distinct(codes, contacts, shown)
    listed = int(counts[shown].sum())
    return Breakdown(
        rows=[
            ValueRow(value, events, people)
            for value, events, people in zip(
                [values.told[code] for code in shown.tolist()], counts[shown].tolist(), whose.tolist(), strict=True
            )
            if value is not None
        ],
        events=len(rows),
        contacts=distinct(contacts),
        without=without,
        other_events=len(rows) - without - listed,
        other_values=None if lumped else there - len(shown),
    )


def _distinct(codes: Array, contacts: Array, chosen: Array) -> Array:
    """How many different contacts each of the chosen codes has."""
    found = np.zeros(len(chosen), np.int64)
    if not len(contacts):
        return found
    people = int(contacts.max()) + 1
    together = max(1, MARKS_BYTES // people)
    for start in range(0, len(chosen), together):
        some = chosen[start : start + together]
        place = np.full(int(codes.max()) + 1, -1, np.int64)
        place[some] = np.arange(len(some))
        at = place[codes]
        there = at >= 0
        marks = np.zeros(len(some) * people, bool)
        marks[at[there] * people + contacts[there]] = True
        found[start : start + len(some)] = np.count_nonzero(marks.reshape(len(some), people), axis=1)
    return found
