"""The catalogue of event names: what may be changed of one, and how. Pure."""

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
