"""Data events: the list and summary of a contact, and baselines. POST /events itself is in http/fastlane.py."""

from ...errors import ParameterNotFound
from ...rules.contacts import Contact
from ...rules.events import clean_name
from ...rules.identity import Identifier, event_id, for_submit
from ...stores.base import EventReader, Moment
from ...wire import events as wire
from ...wire.events import EventQuery
from ...wire.json import encode
from ..call import Answer, Call

DAY_S = 86_400


async def list_events(call: Call) -> Answer:
    """GET /events. A page of one contact's events, newest first, or with summary=true how often it did what."""
    query = wire.parse_query(call.query, profile=call.profile)
    tried = [query.identifier]
    if query.identifier.kind == "email" and " " in query.identifier.value:
        # A plus sign that the client forgot to encode arrives as a space.
        tried.append(Identifier("email", query.identifier.value.replace(" ", "+")))

    def ask(store: EventReader) -> bytes:
        contact = call.services.ingest.identities.contact(call.workspace.number, tried)
        return encode((_summary if query.summary else _page)(call, store, contact, query))  # here, as a page can be long

    return Answer(await call.services.reads.ask(ask))


async def create_summaries(call: Call) -> Answer:
    """POST /events/summaries. 200 with an empty body: the counts stand as the contact's baseline."""
    sent = wire.parse_summaries(call.body)
    tried = for_submit(
        id=sent.id,
        intercom_user_id=sent.intercom_user_id if call.profile.submit_by_intercom_user_id else None,
        user_id=sent.user_id,
        email=sent.email,
        first_decides=call.profile.first_identifier_decides,
    )
    if sent.event_summaries is None:
        raise ParameterNotFound("event_summaries is required: an object, or a list of them", field="event_summaries")
    rows = [(row, *clean_name(row.event_name, f"{place}.event_name")) for place, row in wire.summary_places(sent)]
    await call.services.ingest.summaries(call.workspace, tried, rows)
    return Answer()


def _page(call: Call, store: EventReader, contact: Contact, query: EventQuery) -> wire.EventList:
    days = call.profile.listing_days
    before = Moment(*query.before) if query.before is not None else None
    since = Moment(*query.since) if query.since is not None else None
    page = store.page(contact.number, limit=query.per_page, before=before, since=since, oldest=call.now() - days * DAY_S if days else None)
    salt, named = call.services.directory.salt, call.services.ingest.names.by_numbers([stored.event.name for stored in page.events])
    items = [
        wire.item(
            stored.event,
            id=event_id(salt, stored.position),
            name=named[stored.event.name].name,
            contact_id=contact.id,
            user_id=contact.user_id,
            email=contact.email,
        )
        for stored in page.events
    ]
    pages = wire.pages(
        base_url=call.base_url,
        contact_id=contact.id,
        per_page=query.per_page,
        oldest=page.at[-1] if page.more else None,
        newest=page.at[0] if page.at else None,
        since=since,
    )
    return wire.EventList(items, pages)


def _summary(call: Call, store: EventReader, contact: Contact, query: EventQuery) -> wire.EventSummary:
    rows = store.summary(contact.number)
    named = call.services.ingest.names.by_numbers([row.name for row in rows])
    return wire.summary(
        rows,
        name_of=lambda number: (named[number].name, named[number].description),
        contact_id=contact.id,
        user_id=contact.user_id,
        email=contact.email,
        version=call.version,
    )
