"""How often each metadata key stands under an event name, by kind of value, in bounded room. Pure; every engine counts so.

A name has rows for NAME_KEYS_MAX pairs of key and kind; what finds no room is counted together, under REST. A pair gets a
row of its own only while nothing is counted under REST, and keeps it until none of it is left. So each pair is counted in
one place at any time, and what is taken away is taken from where it was counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from ..rules.records import Event

NAME_KEYS_MAX = 1000  # pairs of a name with a row of their own; clients that put ids into keys would have them without end

Pair = tuple[str, str]  # a key, and a letter of rules/metadata.py, KINDS
Shape = tuple[str, tuple[str, ...]]  # the kinds of an event's metadata, and its keys in the same order
Rows = dict[Pair, int]
REST: Pair = ("", "")  # no kind is the empty string, so no pair is this one

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode  # the values are not looked at


def pairs_by_name(events: Iterable[Event]) -> dict[int, Rows]:
    """How often each pair stands in some events, by their names; in the order in which pairs come first."""
    return pairs_of(Counter([(event.name, (event.kinds, tuple(_object(event.metadata)))) for event in events if event.kinds]))


def pairs_of(shapes: Mapping[tuple[int, Shape], int]) -> dict[int, Rows]:
    """The same from how often each name has each shape: events of one name mostly have the same, so there are few."""
    found: dict[int, Rows] = {}
    for (name, (kinds, keys)), times in shapes.items():
        rows = found.setdefault(name, {})
        for pair in zip(keys, kinds, strict=False):
            rows[pair] = rows.get(pair, 0) + times
    return found


def count(rows: Rows, more: Mapping[Pair, int], most: int = NAME_KEYS_MAX) -> None:
    """Add to a name's rows."""
    for pair, times in more.items():
        place = pair if pair in rows or (REST not in rows and len(rows) < most) else REST
        rows[place] = rows.get(place, 0) + times


def take(rows: Rows, less: Mapping[Pair, int]) -> None:
    """Take away from a name's rows what was added before."""
    for pair, times in less.items():
        place = pair if pair in rows else REST
        rows[place] = rows.get(place, 0) - times
        if rows[place] <= 0:
            del rows[place]
