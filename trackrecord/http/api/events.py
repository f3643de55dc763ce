"""Data events: the list and summary of a contact, and baselines. POST /events itself is in http/fastlane.py."""

from ...errors import ParameterNotFound
from ...rules.contacts import Contact
from ...rules.events import clean_name
from ...rules.identity import Identifier, event_id, for_submit, someone
from ...stores.base import EventReader, Moment
from ...wire import events as wire
from ...wire.events import EventItem, EventQuery
from ..call import Answer, Call

DAY_S = 86_400


async def list_events(call: Call) -> Answer:
    """GET /events. A page of one contact's events, newest first, or with summary=true how often it did what."""
    query = wire.parse_query(call.query, profile=call.profile)
    contact = await _whose(call, query.identifier)
    return Answer(await (_summary if query.summary else _page)(call, contact, query))


async def create_summaries(call: Call) -> Answer:
    """POST /events/summaries. 200 with an empty body: the counts stand as the contact's baseline."""
    sent, rows = wire.parse_summaries(call.body)
    tried = for_submit(
        id=sent.id,
        intercom_user_id=sent.intercom_user_id,
        user_id=sent.user_id,
        email=sent.email,
        first_decides=call.profile.first_identifier_decides,
    )
    if sent.event_summaries is None:
        raise ParameterNotFound("event_summaries is required: an object, or a list of them", field="event_summaries")
    await call.services.ingest.summaries(call.workspace, tried, [(row, *clean_name(row.event_name)) for row in rows])
    return Answer()


async def _whose(call: Call, identifier: Identifier) -> Contact:
    tried = [identifier]
    if identifier.kind == "email" and " " in identifier.value:
        # A plus sign that the client forgot to encode arrives as a space.
        tried.append(Identifier("email", identifier.value.replace(" ", "+")))
    number = await call.services.ingest.resolve(call.workspace, tried)
    found = await call.services.in_thread(call.services.directory.contacts.by_numbers, call.workspace.number, [number])
    contact: Contact | None = found.get(number)
    someone(contact.number if contact is not None and contact.live else None)
    assert contact is not None  # noqa: S101 - someone() has raised
    return contact


def _user_id(contact: Contact) -> str | None:
    return contact.external_id if contact.external_id is not None else contact.anonymous_id


async def _page(call: Call, contact: Contact, query: EventQuery) -> wire.EventList:
    names, salt = call.services.ingest.names, call.services.directory.salt
    days = call.profile.listing_days
    oldest = call.now() - days * DAY_S if days else None
    before = Moment(*query.before) if query.before is not None else None
    since = Moment(*query.since) if query.since is not None else None

    def ask(store: EventReader) -> wire.EventList:
        page = store.page(contact.number, limit=query.per_page, before=before, since=since, oldest=oldest)
        named = names.by_numbers([stored.event.name for stored in page.events])
        items: list[EventItem] = [
            wire.item(
                stored.event,
                id=event_id(salt, stored.position),
                name=named[stored.event.name].name,
                contact_id=contact.id,
                user_id=_user_id(contact),
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

    return await call.services.reads.ask(ask)


async def _summary(call: Call, contact: Contact, query: EventQuery) -> wire.EventSummary:
    names = call.services.ingest.names

    def ask(store: EventReader) -> wire.EventSummary:
        rows = store.summary(contact.number)
        named = names.by_numbers([row.name for row in rows])
        return wire.summary(
            rows,
            name_of=lambda number: (named[number].name, named[number].description),
            contact_id=contact.id,
            user_id=_user_id(contact),
            email=contact.email,
            version=call.version.text,
        )

    return await call.services.reads.ask(ask)
