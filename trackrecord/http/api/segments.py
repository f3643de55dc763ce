"""Segments over HTTP. Scopes: read_contacts, write_contacts; and read_events for who asks about events."""

from ...errors import NotFound, ParameterNotFound
from ...rules.search import FIELDS, Search, Sort
from ...rules.segments import DAY_S, asks_events, of_persons
from ...wire import segments as wire
from ...wire.params import flag, last, whole
from ..auth import allow
from ..call import Answer, Call
from . import shown

PREVIEWED = 5  # contacts that a preview shows
SIZES_DAYS_DEFAULT = 90
SIZES_DAYS_MAX = 1_100
NEWEST = Sort(FIELDS["created_at"], descending=True)


async def list_segments(call: Call) -> Answer:
    """GET /segments. All of the workspace, with how many contacts are in each if include_count asks for it."""
    counting = flag(call.query, "include_count")
    segments = await call.services.in_thread(call.services.directory.segments.list, call.workspace.number)
    counts = await call.services.segments.counts(call.workspace, segments) if counting else None
    return Answer(wire.listing(segments, counts=counts))


async def get_segment(call: Call) -> Answer:
    """GET /segments/{segment_id}."""
    segment = await call.services.in_thread(call.services.directory.segments.get, call.workspace.number, call.path["segment_id"])
    return Answer(wire.item(segment))


async def list_contact_segments(call: Call) -> Answer:
    """GET /contacts/{contact_id}/segments."""
    contact = await call.services.in_thread(call.services.directory.contacts.get, call.workspace.number, call.path["contact_id"])
    found = await call.services.segments.of(call.workspace, [contact.number])
    return Answer(wire.attached(found.get(contact.number, [])))


# --- Ours ----------------------------------------------------------------------------------------------------------------


async def create_segment(call: Call) -> Answer:
    """POST /-/api/segments. 200 with the segment."""
    name, query, person_type = wire.parse_new(call.body)
    await _check(call, query)
    directory = call.services.directory.segments
    segment = await call.services.in_thread(
        directory.create, call.workspace.number, name=name, person_type=person_type, query=query, now=call.now()
    )
    return Answer(wire.queried(segment))


async def get_queried_segment(call: Call) -> Answer:
    """GET /-/api/segments/{segment_id}. With its query, and how many are in it if include_count asks for it."""
    counting = flag(call.query, "include_count")
    segment = await call.services.in_thread(call.services.directory.segments.get, call.workspace.number, call.path["segment_id"])
    if not counting:
        return Answer(wire.queried(segment))
    counts = await call.services.segments.counts(call.workspace, [segment])
    return Answer(wire.queried(segment, count=counts[segment.number]))


async def update_segment(call: Call) -> Answer:
    """PUT /-/api/segments/{segment_id}."""
    changes = wire.parse_changes(call.body)
    before = await call.services.in_thread(call.services.directory.segments.get, call.workspace.number, call.path["segment_id"])
    allow(call.token, "read_events" if asks_events(before.query) else None)
    if "query" in changes:
        await _check(call, changes["query"])
    directory = call.services.directory.segments
    segment = await call.services.in_thread(directory.update, call.workspace.number, call.path["segment_id"], **changes, now=call.now())
    return Answer(wire.queried(segment))


async def delete_segment(call: Call) -> Answer:
    """DELETE /-/api/segments/{segment_id}. The contacts in it stay as they are."""
    segment = await call.services.in_thread(call.services.directory.segments.delete, call.workspace.number, call.path["segment_id"])
    return Answer(wire.DeletedSegment(id=segment.id))


async def preview_segment(call: Call) -> Answer:
    """POST /-/api/segments/preview. What a query comes to now; nothing is kept."""
    sent, person_type = wire.parse_preview(call.body)
    allow(call.token, "read_events" if asks_events(sent) else None)
    query = of_persons(await call.services.segments.read(call.workspace, sent), person_type)
    found = await call.services.in_background(
        call.workspace.number,
        call.services.directory.searches.page,
        call.workspace.number,
        Search(await call.services.segments.resolved(call.workspace, query), NEWEST),
        limit=PREVIEWED,
        within_s=call.services.settings.search_max_s,
        long=True,
    )
    return Answer(wire.Preview(count=found.total_count, contacts=await shown.some(call, found.contacts)))


async def list_segment_sizes(call: Call) -> Answer:
    """GET /-/api/segments/{segment_id}/sizes. Where nobody has counted it today it is counted, so that the last one is of today."""
    days = whole(call.query, "days", default=SIZES_DAYS_DEFAULT, most=SIZES_DAYS_MAX)
    directory = call.services.directory.segments
    segment = await call.services.in_thread(directory.get, call.workspace.number, call.path["segment_id"])
    today = call.now() // DAY_S
    sizes = await call.services.in_thread(directory.sizes, [segment], since=today - days + 1)
    if not sizes or sizes[segment.number][-1].day < today:
        await call.services.segments.counts(call.workspace, [segment])
        sizes = await call.services.in_thread(directory.sizes, [segment], since=today - days + 1)
    return Answer(wire.sizes(sizes[segment.number]))


async def list_all_sizes(call: Call) -> Answer:
    """GET /-/api/segments/sizes. What was noted of every segment; nothing is counted for it."""
    days = whole(call.query, "days", default=SIZES_DAYS_DEFAULT, most=SIZES_DAYS_MAX)
    directory = call.services.directory.segments
    segments = await call.services.in_thread(directory.list, call.workspace.number)
    sizes = await call.services.in_thread(directory.sizes, segments, since=call.now() // DAY_S - days + 1)
    return Answer(wire.all_sizes(segments, sizes))


async def explain_segment(call: Call) -> Answer:
    """GET /-/api/segments/{segment_id}/explain. Why a contact is in it, or out."""
    contact_id = last(call.query, "contact_id")
    if contact_id is None:
        raise ParameterNotFound("contact_id is required: the id of the contact whose place is to be explained", field="contact_id")
    segment = await call.services.in_thread(call.services.directory.segments.get, call.workspace.number, call.path["segment_id"])
    allow(call.token, "read_events" if asks_events(segment.query) else None)
    try:
        contact = await call.services.in_thread(call.services.directory.contacts.get, call.workspace.number, contact_id)
    except NotFound as error:
        raise NotFound(error.message, field="contact_id") from None
    found = await call.services.segments.explain(call.workspace, segment, contact)
    return Answer(wire.explanation(found, segment_id=segment.id, contact_id=contact.id))


async def _check(call: Call, query: object) -> None:
    """Refuse a query that cannot be read, and one of what the token may not see: the size of a segment tells it."""
    allow(call.token, "read_events" if asks_events(query) else None)
    await call.services.segments.read(call.workspace, query)
