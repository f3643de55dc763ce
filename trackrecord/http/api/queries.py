"""Queries of events across contacts. Scope: read_events."""

import time
from collections.abc import Callable

from ...exports import standing
from ...rules import queries
from ...rules.identity import event_id
from ...rules.queries import Named, Plan
from ...rules.records import Event
from ...stores.base import EventReader, Found, Place, Selection, StoredEvent
from ...wire import events as wire_events
from ...wire import queries as wire
from ...wire.json import encode
from ...wire.queries import FoundEvent, Search
from ..call import Answer, Call

LOOK_MAX = 10_000  # events looked at in one request, so that no search holds others up for long
TURN_EVENTS = 32  # between which others get a turn


async def search_events(call: Call) -> Answer:
    """POST /-/api/events/search. A page of the workspace's events, newest first; short of `per_page` where much had to be looked at."""
    search = wire.parse_search(call.body)

    def ask(store: EventReader) -> bytes:
        found = look(store, call.workspace.number, planned(call, search), limit=search.asked.per_page, before=search.before)
        return encode(wire.listing(_items(call, found.events), asked=search.asked, next_place=found.next))

    return Answer(await call.services.reads.ask_in_background(call.workspace.number, ask))


def planned(call: Call, search: Search) -> Plan:
    """What a query comes to now. Looks names and contacts up, so it is for a thread."""
    if search.query is None:
        return Plan()
    directory, workspace = call.services.directory, call.workspace.number
    entries = directory.names.entries(workspace) if queries.asks_names(search.query) else []
    names = [Named(entry.name.number, entry.name.name, entry.answers_to) for entry in entries]
    return queries.plan(search.query, names=names, contacts=directory.called(workspace, queries.identifiers(search.query)))


def look(store: EventReader, workspace: int, plan: Plan, *, limit: int, before: tuple[int, int] | None) -> Found:
    """One turn of looking for events that a plan wants."""
    if plan.nothing:
        return Found([], None)
    selection = Selection(workspace, sorted(plan.names or ()), sorted(plan.contacts or ()), plan.since, plan.until)
    place = None if before is None else Place(*before)
    wanted = None if plan.wanted is None else _giving_way(plan.wanted)
    return store.search(selection, limit=limit, look_max=LOOK_MAX, before=place, wanted=wanted)


def _giving_way(wanted: Callable[[Event], bool]) -> Callable[[Event], bool]:
    """The same, letting others have the interpreter now and then: else each event that is sent waits for its turns at it."""
    looked = 0

    def asked(event: Event) -> bool:
        nonlocal looked
        looked += 1
        if not looked % TURN_EVENTS:
            time.sleep(0)
        return wanted(event)

    return asked


def _items(call: Call, events: list[StoredEvent]) -> list[FoundEvent]:
    directory = call.services.directory
    contacts = standing(directory, call.workspace.number, {stored.event.contact for stored in events})
    named = call.services.ingest.names.by_numbers([stored.event.name for stored in events])
    items = []
    for position, event in events:
        contact = contacts.get(event.contact)
        if contact is not None:  # else it was deleted just now, and its events are about to go too
            item = wire_events.item(
                event,
                id=event_id(directory.salt, position),
                name=named[event.name].name,
                contact_id=contact.id,
                user_id=contact.user_id,
                email=contact.email,
            )
            items.append(wire.found_event(item, position))
    return items
