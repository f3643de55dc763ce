"""The catalogue of event names: what may be changed of one, and how. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from .directory import EventName

DESCRIPTION_MAX = 1_000  # characters


class Entry(NamedTuple):
    """An event name, and the folded forms that lead to it besides its own: what it was called before."""

    name: EventName
    aliases: tuple[str, ...] = ()

    @property
    def answers_to(self) -> tuple[str, ...]:
        return (self.name.folded, *self.aliases)

    def has(self, folded: str) -> bool:
        """Whether the text stands in the name, or in what it was called before."""
        return any(folded in each for each in self.answers_to)


# What names can be ordered by, and whether the greatest comes first where nobody says. Of equal ones the alphabet decides.
SORTS = {"name": False, "count": True, "contacts": True, "first_seen_at": True, "last_seen_at": True, "created_at": True}


class Place(NamedTuple):
    """Where a list goes on: behind the name that folds so and had this value of what is sorted by (0 for the alphabet)."""

    value: int
    folded: str


def ranked(
    entries: Iterable[Entry], values: Mapping[int, int], *, descending: bool, after: Place | None = None
) -> list[tuple[Place, Entry]]:
    """Entries in order with their places, from behind `after` on. `values`: by number, what decides; without any the alphabet does."""

    backwards = descending and not values  # the alphabet
    sign = -1 if descending else 1

    def order(place: Place) -> tuple[int, str]:
        return sign * place.value, place.folded

    found = [(Place(values.get(entry.name.number, 0), entry.name.folded), entry) for entry in entries]
    found.sort(key=lambda each: (sign * each[0][0], each[0][1]), reverse=backwards)
    if after is None:
        return found
    return [each for each in found if (order(each[0]) < order(after) if backwards else order(each[0]) > order(after))]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants changed in a name, checked. UNSET leaves it as it is."""

    name: tuple[str, str] | UnsetType = UNSET  # as it is to be shown, and folded
    description: str | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET

    def applied(self, before: EventName, *, now: int) -> EventName:
        """The name after the change at `now` (whole Unix seconds). One that is archived stays so since the first time."""
        name, folded = (before.name, before.folded) if self.name is UNSET else self.name
        archived_at = before.archived_at
        if self.archived is not UNSET:
            archived_at = (before.archived_at or now) if self.archived else None
        return msgspec.structs.replace(
            before,
            name=name,
            folded=folded,
            description=before.description if self.description is UNSET else self.description,
            archived_at=archived_at,
        )
