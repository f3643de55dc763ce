"""The columns of all events that stand, as arrays in memory.

Only events that stand have a row: no duplicates, none erased or removed; a merged contact's are its target's. A name is of one
workspace, so who asks by name asks within it. Everything here is derived from the store and may be made anew at any time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # of whole numbers
COLUMNS = (("position", np.int64), ("contact", np.int32), ("name", np.int32), ("created_at", np.int64))
SPARE_ROWS = 1 << 16  # the least room for more that a growing array has
ROWS_KEPT = 256  # names whose rows are kept once they were asked for
CONTACTS_MARKED_MAX = 1 << 28  # past which contacts are told by a search and not by a table of marks


class Grown:
    """An array that grows at its end, with room to spare."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._room: Array = np.empty(SPARE_ROWS, dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def view(self) -> Array:
        """What it holds now, to be read only; what is added later is not in it."""
        view = self._room[: self._length]
        view.flags.writeable = False
        return view

    def add(self, values: Array) -> None:
        """Raises OverflowError where a value does not fit."""
        if len(values) and self._room.dtype != np.int64 and int(values.max()) > np.iinfo(self._room.dtype).max:
            raise OverflowError(f"{values.max()} does not fit into {self._room.dtype}")
        end = self._length + len(values)
        if end > len(self._room):
            self._room = np.concatenate((self.view, np.empty(max(end, SPARE_ROWS), self._room.dtype)))
        self._room[self._length : end] = values
        self._length = end

    def put(self, places: Array, values: Array) -> None:
        """Put values in the places of others."""
        self._room[places] = values

    def replace(self, values: Array) -> None:
        """Put as many values in the place of all."""
        self._room[: self._length] = values

    def cut(self, length: int) -> None:
        """Keep the first `length`."""
        self._length = length

    def keep(self, wanted: Array) -> None:
        """Keep those where `wanted` is true."""
        kept = self.view[wanted]
        self._room[: len(kept)] = kept
        self._length = len(kept)


class Derived(Protocol):
    """Something made of the rows, which is cheap to bring up to date when rows are added."""

    def extend(self, columns: "Columns", first: int, end: int) -> None:
        """Rows from `first` to before `end` were added. The first time they are all there are.

        One that also has `changed(columns, contacts, places)` is told of whom rows were dropped or given to others, and where each row
        that was here stands now (-1: nowhere; without `places` all stand where they stood); any other is made anew then.
        """


D = TypeVar("D", bound=Derived)


class Columns:
    """`position`, `contact`, `name` and `created_at` (whole Unix seconds) of all events, in order of position."""

    def __init__(self) -> None:
        self._grown = {column: Grown(dtype) for column, dtype in COLUMNS}
        self._derived: dict[Any, tuple[Derived, int]] = {}  # with how many rows it has seen; the last used stand last

    def __len__(self) -> int:
        return len(self._grown["position"])

    @property
    def contacts(self) -> int:
        """Above the number of every contact."""
        return int(self.contact.max()) + 1 if len(self) else 0

    @property
    def position(self) -> Array:
        return self._grown["position"].view

    @property
    def contact(self) -> Array:
        return self._grown["contact"].view

    @property
    def name(self) -> Array:
        return self._grown["name"].view

    @property
    def created_at(self) -> Array:
        return self._grown["created_at"].view

    def column(self, column: str) -> Array:
        return self._grown[column].view

    def rows(self, *names: int) -> Array:
        """The indexes of the rows of these names, in order: `columns.contact[columns.rows(name)]` are its contacts."""
        if len(names) != 1:
            return np.flatnonzero(member(self.name, np.array(names, np.int64)))
        return self.derived(("rows", names[0]), lambda: _Rows(names[0]), most=ROWS_KEPT).view

    def within(self, rows: Array, since: int | None, until: int | None) -> Array:
        """Those of the rows that happened at `since` or later and before `until` (whole Unix seconds; None: no bound)."""
        return rows if since is None and until is None else rows[self.during(rows, since, until)]

    def during(self, rows: Array, since: int | None, until: int | None) -> Array:
        """As within, for each of the rows whether it is among them."""
        at = self.created_at[rows]
        wanted = np.ones(len(rows), bool)
        if since is not None:
            wanted &= at >= since
        if until is not None:
            wanted &= at < until
        return wanted

    def derived(self, key: Any, make: Callable[[], D], *, most: int | None = None) -> D:
        """What was made under a key, brought up to date. Kept until rows change; of a kind (the key's first part) `most` are kept."""
        made, seen = self._derived.pop(key, (None, 0))
        if made is None:
            made = make()
            if most is not None:
                of_kind = [each for each in self._derived if each[0] == key[0]]
                for oldest in of_kind[: max(0, len(of_kind) - most + 1)]:
                    del self._derived[oldest]
        if seen < len(self) or not seen:
            made.extend(self, seen, len(self))
        self._derived[key] = made, len(self)
        return made  # type: ignore[return-value]  # what a key leads to is what its maker makes

    # Changes.

    def add(self, values: Mapping[str, Array]) -> None:
        """Add rows, a column each. Positions are above all that are here."""
        for column, grown in self._grown.items():
            grown.add(values[column])

    def drop(self, positions: Sequence[int]) -> int:
        """Drop the rows at these positions, where there are any; return how many were."""
        at = self._at(positions)
        if len(at):
            self._follow()
            contacts = np.unique(self.contact[at])
            wanted = np.ones(len(self), bool)
            wanted[at] = False
            for grown in self._grown.values():
                grown.keep(wanted)
            self._changed(contacts, np.where(wanted, np.cumsum(wanted, dtype=np.int32) - np.int32(1), np.int32(-1)))
        return len(at)

    def move(self, finals: Mapping[int, int]) -> int:
        """Give all rows of each contact to another; return how many changed hands."""
        sources = np.array(sorted(finals), np.int64)
        at = np.flatnonzero(member(self.contact, sources))
        if len(at):
            self._follow()
            targets = np.array([finals[source] for source in sources.tolist()], np.int64)
            self._grown["contact"].put(at, targets[np.searchsorted(sources, self.contact[at])])
            self._changed(np.union1d(sources, targets), None)
        return len(at)

    def _follow(self) -> None:
        """Bring up to date what can follow the change that comes; forget the rest."""
        self._derived = {key: each for key, each in self._derived.items() if hasattr(each[0], "changed")}
        for key, (made, seen) in self._derived.items():
            if seen < len(self):
                made.extend(self, seen, len(self))
                self._derived[key] = made, len(self)

    def _changed(self, contacts: Array, places: Array | None) -> None:
        """Rows of these contacts are not what they were; see Derived.extend."""
        for key, (made, _) in self._derived.items():
            made.changed(self, contacts, places)  # type: ignore[attr-defined]  # what has none is forgotten by now
            self._derived[key] = made, len(self)

    def _at(self, positions: Sequence[int]) -> Array:
        wanted = np.unique(np.array(positions, np.int64))
        at = np.searchsorted(self.position, wanted)
        there = at < len(self)
        there[there] = self.position[at[there]] == wanted[there]
        return at[there]


class _Rows:
    """The rows of one name."""

    def __init__(self, name: int) -> None:
        self._name = name
        self._rows = Grown(np.int64)

    @property
    def view(self) -> Array:
        return self._rows.view

    def extend(self, columns: Columns, first: int, end: int) -> None:
        found = np.flatnonzero(columns.name[first:end] == self._name)
        self._rows.add(found + first)

    def changed(self, columns: Columns, contacts: Array, places: Array | None) -> None:
        if places is not None:
            rows = places[self.view]
            self._rows.cut(0)
            self._rows.add(rows[rows >= 0])


def member(values: Array, sought: Array) -> Array:
    """Whether each value (0 or more) is among those sought."""
    if not len(sought):
        return np.zeros(len(values), bool)
    most = max(int(sought.max()), int(values.max()) if len(values) else 0)
    if most >= CONTACTS_MARKED_MAX:
        return np.isin(values, sought)
    marks = np.zeros(most + 1, bool)
    marks[sought] = True
    return marks[values]


def distinct(values: Array) -> int:
    """How many different values (0 or more) there are."""
    if not len(values):
        return 0
    most = int(values.max())
    if most >= CONTACTS_MARKED_MAX:
        return len(np.unique(values))
    marks = np.zeros(most + 1, bool)
    marks[values] = True
    return int(np.count_nonzero(marks))
