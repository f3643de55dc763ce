"""Segments on the wire: Intercom's shapes of them, and ours for what only this server has."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid, ParameterNotFound
from ..rules.explaining import Condition, Explanation
from ..rules.segments import PERSON_TYPES, Segment, Size, name_of
from .contacts import ContactBody
from .json import decode


class SegmentBody(msgspec.Struct, frozen=True, kw_only=True):
    """A segment; `count` is there when it was asked for. Times are whole Unix seconds."""

    type: str = "segment"
    id: str
    name: str
    created_at: int
    updated_at: int
    person_type: str
    count: int | UnsetType = UNSET


class QueriedSegment(SegmentBody, frozen=True, kw_only=True):
    """A segment with its query; null where it was made before segments had to have one, and has nobody in it."""

    query: dict[str, Any] | None


class SegmentList(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /segments answers, in every version."""

    type: str = "segment.list"
    segments: list[SegmentBody]


class AttachedSegments(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /contacts/{id}/segments answers."""

    type: str = "list"
    data: list[SegmentBody]


class SentSegment(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /-/api/segments, and of PUT, where what is left out stays as it is.

    `query` is a query of contact search, in which a filter may also ask for events: see docs/api/segments.md. `person_type` is "user",
    which it is without one, or "contact" for leads.
    """

    name: str | UnsetType | None = UNSET
    query: dict[str, Any] | UnsetType | None = UNSET
    person_type: str | UnsetType | None = UNSET


class SentPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /-/api/segments/preview: a segment without a name."""

    query: dict[str, Any] | UnsetType | None = UNSET
    person_type: str | UnsetType | None = UNSET


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """How many contacts a query means now, and the newest few of them."""

    type: str = "segment.preview"
    count: int
    contacts: list[ContactBody]


class DeletedSegment(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "segment"
    id: str
    deleted: bool = True


class SizeBody(msgspec.Struct, frozen=True, kw_only=True):
    """How many were in a segment when they were last counted on a day, in UTC."""

    day: str
    count: int


class SizeList(msgspec.Struct, frozen=True, kw_only=True):
    """By day, oldest first; a day on which nobody counted is left out. The last one is of today."""

    type: str = "list"
    data: list[SizeBody]


class SizesOf(msgspec.Struct, frozen=True, kw_only=True):
    """What was noted of one segment, oldest first."""

    segment_id: str
    sizes: list[SizeBody]


class AllSizes(msgspec.Struct, frozen=True, kw_only=True):
    """What was noted of every segment, the first made first."""

    type: str = "list"
    data: list[SizesOf]


class ExplanationBody(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a contact is in a segment; every condition with the contact's own value; and in `text` the conditions that decide."""

    type: str = "segment.explanation"
    segment_id: str
    contact_id: str
    inside: bool
    text: str
    conditions: list[Condition]


def parse_new(body: bytes) -> tuple[str, dict[str, Any], str]:
    """Name, query and person type. Raises what decode raises, ParameterNotFound and ParameterInvalid by field."""
    sent = decode(body, SentSegment)
    if sent.name is UNSET or sent.name is None:
        raise ParameterNotFound("name is required: what the segment is called", field="name")
    return name_of(sent.name), _query(sent.query), _person_type(sent.person_type)


def parse_changes(body: bytes) -> dict[str, Any]:
    """What is to be changed, by the fields of Segment. Raises as parse_new does."""
    sent = decode(body, SentSegment)
    changes: dict[str, Any] = {}
    if sent.name is not UNSET:
        changes["name"] = name_of(sent.name)
    if sent.query is not UNSET:
        changes["query"] = _query(sent.query)
    if sent.person_type is not UNSET:
        changes["person_type"] = _person_type(sent.person_type)
    return changes


def parse_preview(body: bytes) -> tuple[dict[str, Any], str]:
    """Query and person type. Raises as parse_new does."""
    sent = decode(body, SentPreview)
    return _query(sent.query), _person_type(sent.person_type)


def _query(sent: dict[str, Any] | UnsetType | None) -> dict[str, Any]:
    if sent is UNSET or sent is None:
        raise ParameterNotFound("query is required: a filter with field, operator and value, or a group of filters", field="query")
    return sent


def _person_type(sent: str | UnsetType | None) -> str:
    if sent is UNSET or sent is None:
        return "user"
    if sent not in PERSON_TYPES:
        raise ParameterInvalid(f"person_type must be user, or contact for leads, got {sent[:40]!r}", field="person_type")
    return sent


def item(segment: Segment, *, count: int | UnsetType = UNSET) -> SegmentBody:
    return SegmentBody(**_fields(segment), count=count)


def queried(segment: Segment, *, count: int | UnsetType = UNSET) -> QueriedSegment:
    return QueriedSegment(**_fields(segment), count=count, query=segment.query)


def _fields(segment: Segment) -> dict[str, Any]:
    return {name: getattr(segment, name) for name in ("id", "name", "created_at", "updated_at", "person_type")}


def listing(segments: Iterable[Segment], *, counts: Mapping[int, int] | None) -> SegmentList:
    """`counts` by the segments' numbers, or None where nobody asked for them."""
    shown = [item(each, count=UNSET if counts is None else counts.get(each.number, 0)) for each in segments]
    return SegmentList(segments=shown)


def attached(segments: Iterable[Segment]) -> AttachedSegments:
    return AttachedSegments(data=[item(each) for each in segments])


def sizes(found: Sequence[Size]) -> SizeList:
    return SizeList(data=_sizes(found))


def all_sizes(segments: Iterable[Segment], found: Mapping[int, Sequence[Size]]) -> AllSizes:
    return AllSizes(data=[SizesOf(segment_id=each.id, sizes=_sizes(found.get(each.number, ()))) for each in segments])


def _sizes(found: Sequence[Size]) -> list[SizeBody]:
    first = datetime(1970, 1, 1, tzinfo=UTC).date()
    return [SizeBody(day=(first + timedelta(days=each.day)).isoformat(), count=each.count) for each in found]


def explanation(found: Explanation, *, segment_id: str, contact_id: str) -> ExplanationBody:
    return ExplanationBody(segment_id=segment_id, contact_id=contact_id, inside=found.inside, text=found.text, conditions=found.conditions)
