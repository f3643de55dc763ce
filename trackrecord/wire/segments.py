"""Segments on the wire."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import UNSET, UnsetType

from ..rules.segments import Segment


class SegmentBody(msgspec.Struct, frozen=True, kw_only=True):
    """A segment; `count` is there when it was asked for. Times are whole Unix seconds."""

    type: str = "segment"
    id: str
    name: str
    created_at: int
    updated_at: int
    person_type: str
    count: int | UnsetType = UNSET


class SegmentList(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /segments answers, in every version."""

    type: str = "segment.list"
    segments: list[SegmentBody]


class AttachedSegments(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /contacts/{id}/segments answers."""

    type: str = "list"
    data: list[SegmentBody]


def item(segment: Segment, *, count: int | UnsetType = UNSET) -> SegmentBody:
    return SegmentBody(
        id=segment.id,
        name=segment.name,
        created_at=segment.created_at,
        updated_at=segment.updated_at,
        person_type=segment.person_type,
        count=count,
    )


def listing(segments: Iterable[Segment], *, counts: Mapping[int, int] | None) -> SegmentList:
    """`counts` by the segments' numbers, or None where nobody asked for them."""
    shown = [item(each, count=UNSET if counts is None else counts.get(each.number, 0)) for each in segments]
    return SegmentList(segments=shown)


def attached(segments: Iterable[Segment]) -> AttachedSegments:
    return AttachedSegments(data=[item(each) for each in segments])
