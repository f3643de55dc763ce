"""Routes of segments."""

from ...wire import segments as wire
from ..api import segments
from .merging import GONE
from .route import CONTACT_ID, V2, Param, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/segments",
        segments.list_segments,
        "List segments",
        "Segments",
        need="read_contacts",
        response=wire.SegmentList,
        params=(Param("include_count", "true to be told how many contacts are in each", "boolean"),),
    ),
    Route(
        "GET",
        "/segments/{segment_id}",
        segments.get_segment,
        "Get a segment",
        "Segments",
        need="read_contacts",
        response=wire.SegmentBody,
        params=(Param("segment_id", "the segment's id", place="path", required=True),),
        errors={404: "no such segment"},
    ),
    Route(
        "GET",
        "/contacts/{contact_id}/segments",
        segments.list_contact_segments,
        "List the segments a contact is in",
        "Segments",
        need="read_contacts",
        response=wire.AttachedSegments,
        params=CONTACT_ID,
        errors=GONE,
        first=V2,
    ),
)
