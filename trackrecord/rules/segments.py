"""Segments: groups of contacts that a query describes. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

PERSON_TYPES = ("user", "contact")  # whom a segment is of: users, or leads, which the wire calls contacts here


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is the wire's: 24 lower-case hex digits. Times are whole Unix seconds, UTC."""

    number: int
    id: str
    workspace: int
    name: str
    person_type: str  # one of PERSON_TYPES
    query: dict[str, Any] | None = None  # as a contact search has it; None where nothing fills the segment by itself
    created_at: int = 0
    updated_at: int = 0


def conditions(query: object) -> Iterator[tuple[str, object]]:
    """(field, value) of every filter in a query, in groups of groups too."""
    if isinstance(query, Mapping):
        value = query.get("value")
        if isinstance(query.get("field"), str):
            yield query["field"], value
        elif isinstance(value, list):
            for each in value:
                yield from conditions(each)


def names_tag(query: object, tag: int) -> bool:
    """Whether a query asks for a tag, by its number."""
    for field, value in conditions(query):
        values = value if isinstance(value, list) else [value]
        if field == "tag_id" and str(tag) in [str(each) for each in values]:
            return True
    return False


def names_attribute(query: object, name: str) -> bool:
    """Whether a query asks for a custom attribute."""
    return any(field == f"custom_attributes.{name}" for field, _ in conditions(query))
