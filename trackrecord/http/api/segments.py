"""Segments over HTTP. Scope: read_contacts."""

from ...wire import segments as wire
from ...wire.params import flag
from ..call import Answer, Call


async def list_segments(call: Call) -> Answer:
    """GET /segments. All of the workspace, with how many contacts are in each if include_count asks for it."""
    counting = flag(call.query, "include_count")
    directory = call.services.directory.segments
    segments = await call.services.in_thread(directory.list, call.workspace.number)
    counts = await call.services.in_thread(directory.counts, call.workspace.number) if counting else None
    return Answer(wire.listing(segments, counts=counts))


async def get_segment(call: Call) -> Answer:
    """GET /segments/{segment_id}."""
    segment = await call.services.in_thread(call.services.directory.segments.get, call.workspace.number, call.path["segment_id"])
    return Answer(wire.item(segment))


async def list_contact_segments(call: Call) -> Answer:
    """GET /contacts/{contact_id}/segments."""
    segments = await call.services.in_thread(call.services.directory.segments.of_contact, call.workspace.number, call.path["contact_id"])
    return Answer(wire.attached(segments))
