"""Tags: words that contacts and companies are marked with. Pure."""

from typing import NamedTuple

import msgspec

from ..errors import ParameterInvalid
from .values import text

INVALID = "invalid tag parameters"  # Source: API reference, "Create or update a tag"


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """`folded` is its identity: names are the same in every case. `name` is how it was first written."""

    id: int
    workspace: int
    name: str
    folded: str
    created_at: int = 0  # whole Unix seconds


class Applied(NamedTuple):
    """A tag on something."""

    tag: Tag
    at: int  # whole Unix seconds
    by: int | None  # the admin


class Marked(NamedTuple):
    """Something that is to be tagged, or untagged: how it is named, and by what. `kind` is "id", "user_id", "email", "company_id"."""

    kind: str
    value: str
    untag: bool
    field: str  # where in the body it stands, such as users[0]


class Tagging(NamedTuple):
    """What a body of POST /tags asks for. One of `id` and `name` is there; both rename."""

    id: str | None
    name: str | None
    contacts: tuple[Marked, ...] = ()
    companies: tuple[Marked, ...] = ()

    @property
    def only_untags(self) -> bool:
        marked = (*self.contacts, *self.companies)
        return bool(marked) and all(each.untag for each in marked)


def fold(name: str) -> str:
    """What decides whether two names are one tag: neither case nor blanks around them. Source: the contract, 7."""
    return name.strip().casefold()


def tag_name(value: object) -> str | None:
    """A name as it is kept, without blanks around it; None where there is none. Raises TypeMismatch, or ParameterInvalid."""
    name = text(value.strip() if isinstance(value, str) else value, "name")
    if name is None and value is not None:
        raise ParameterInvalid(INVALID, field="name")
    return name


def dependents(names: list[str]) -> str:
    """Why a tag stays that these segments name. Source: API reference, "Delete tag"."""
    return f"Unable to delete Tag with dependent objects. Segments: {', '.join(names)}."
