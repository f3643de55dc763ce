"""The values of one metadata key of one event name, as a number for each event: read once, then kept up with the columns."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from .columns import Array, Columns, Grown

READ_EVENTS = 20_000  # whose values are read at once
DISTINCT_MAX = 100_000  # values told apart; events with others are counted together
DISTINCT_BYTES_MAX = 16 << 20  # of these, as JSON
WRITTEN_MAX = 200_000  # ways to write them that are remembered
KEPT_ROWS = 8_000_000  # of all keys together; the one used longest ago goes first, and one alone may have more
NONE, OTHER = 0, 1  # of events without the key, and of those with a value that is not told apart

COMPOUND = "rm"  # kinds of which a part is shown

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


class Value(msgspec.Struct, frozen=True):
    kind: str  # a letter of rules/metadata.py, KINDS
    json: bytes  # as it was first written; of a rich link what is shown, of an amount the amount and its currency


class Reader(Protocol):
    def values(self, key: str, positions: Sequence[int]) -> list[tuple[int, str, bytes]]: ...


class Values:
    """`codes` says for each row of the name which of `told` its value is."""

    def __init__(self) -> None:
        self.told: list[Value | None] = [None, None]  # NONE and OTHER
        self._positions = Grown(np.int64)
        self._codes = Grown(np.int32)
        self._same: dict[tuple[str, Any], int] = {}
        self._written: dict[tuple[str, bytes], int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def codes(self) -> Array:
        return self._codes.view

    def catch_up(self, reader: Reader, key: str, positions: Array, told: Callable[[int, int], None]) -> None:
        """Bring it to where the positions of the name's rows are; `told` hears how many there are of how many."""
        self._drop(positions)
        for start in range(len(self), len(positions), READ_EVENTS):
            some = positions[start : start + READ_EVENTS]
            codes = np.zeros(len(some), np.int32)
            found = reader.values(key, some.tolist())
            if found:
                at = np.searchsorted(some, np.array([position for position, _, _ in found], np.int64))
                codes[at] = [self._code(kind, raw) for _, kind, raw in found]
            self._positions.add(some)
            self._codes.add(codes)
            told(start + len(some), len(positions))

    def _drop(self, positions: Array) -> None:
        """Forget events that are gone, and values that only they had."""
        mine = self._positions.view
        if np.array_equal(mine, positions[: len(mine)]):
            return
        at = np.minimum(np.searchsorted(positions, mine), max(0, len(positions) - 1))
        there = positions[at] == mine if len(positions) else np.zeros(len(mine), bool)
        for grown in (self._positions, self._codes):
            grown.keep(there)
        used = np.bincount(self.codes, minlength=len(self.told)) > 0
        used[[NONE, OTHER]] = True
        numbers = np.cumsum(used) - 1
        self._codes.replace(numbers[self.codes])
        self.told = [value for value, one in zip(self.told, used.tolist(), strict=True) if one]
        self._same = {same: int(numbers[code]) for same, code in self._same.items() if used[code]}
        self._written = {}
        self._bytes = sum(len(value.json) for value in self.told if value is not None)

    def _code(self, kind: str, raw: bytes) -> int:
        code = self._written.get((kind, raw))
        if code is None:
            code = self._code_of(kind, raw)
            if code != OTHER and len(self._written) < WRITTEN_MAX:
                self._written[kind, raw] = code
        return code

    def _code_of(self, kind: str, raw: bytes) -> int:
        value = _decode(raw)
        if kind == "r":
            value = value["value"]
        elif kind == "m":
            value = {"amount": value["amount"], "currency": value["currency"].lower()}
        same = (kind, _one(value))
        code = self._same.get(same)
        if code is None:
            size = len(raw)
            if len(self.told) - 2 >= DISTINCT_MAX or self._bytes + size > DISTINCT_BYTES_MAX:
                return OTHER
            code = self._same[same] = len(self.told)
            self.told.append(Value(kind, _encode(value) if kind in COMPOUND else raw))
            self._bytes += size
        return code


class KeptValues:
    """The values of the keys last asked for."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: dict[tuple[int, str], Values] = {}

    def of(self, columns: Columns, name: int, key: str, told: Callable[[int, int], None]) -> Values:
        """The values of a key, as many as `columns.rows(name)` and in their order. Raises Unavailable when they cannot be read."""
        positions = columns.position[columns.rows(name)]
        values = self._kept.pop((name, key), None) or Values()
        self._kept[name, key] = values
        values.catch_up(self._reader, key, positions, told)
        while sum(map(len, self._kept.values())) > KEPT_ROWS and len(self._kept) > 1:
            del self._kept[next(iter(self._kept))]
        return values


def _one(value: Any) -> Any:
    """What is equal for equal values alone: in Python True is 1."""
    return _encode(value) if isinstance(value, (dict, list, bool)) else value
