"""Many events at once: judged like single ones, with one look-up for all their contacts and one for all their names.

Imports and bulk jobs both take them this way; what is good goes to the journal in one piece.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from .directory.newcomers import Asked
from .errors import ContactNotFound, TrackrecordError
from .ingest import Services
from .rules.directory import Workspace
from .rules.events import Accepted, accept
from .rules.identity import for_submit, newcomer
from .rules.records import Record
from .wire.events import SubmittedEvent

TURN_ITEMS = 100  # items between which other requests get their turn on the event loop


class Item(NamedTuple):
    """An event somebody sent among others: its place among them, and its `distinct` if it has one."""

    number: int
    sent: SubmittedEvent
    distinct: str | None = None


class Judged(NamedTuple):
    """What became of items before anything is kept: a record for each that is good, and an error for each that is not.

    Both stand in the order of the items; `refused` says by number which ones those are.
    """

    records: list[Record]
    refused: list[tuple[int, TrackrecordError]]


class _Accepted(NamedTuple):
    number: int
    whose: int  # its place in the list of those asked for
    accepted: Accepted
    distinct: str | None


async def judge_events(services: Services, workspace: Workspace, items: Sequence[Item], *, imported: bool = False) -> Judged:
    """Judge each item as POST /events would, and make the records of those that are good. A name that is new is made.

    Contacts are found by one look-up for all, names by another. Imports may name a contact by intercom_user_id in every profile,
    as exports do. Raises Unavailable where neither can be done.
    """
    profile, now = services.profile, services.now()
    second, received_at_ms = int(now), int(now * 1000)
    refused: list[tuple[int, TrackrecordError]] = []
    taken: list[_Accepted] = []
    asked: list[Asked] = []  # each way in which items name a contact, once
    places: dict[object, int] = {}  # where it stands in that list, by what an item says
    for turn, (number, sent, distinct) in enumerate(items, 1):
        if not turn % TURN_ITEMS:
            await asyncio.sleep(0)
        try:
            named = (sent.id, sent.intercom_user_id, sent.user_id, sent.email)
            place = places.get(named)
            whose = asked[place] if place is not None else _asked(services, workspace, sent, imported=imported)
            accepted = accept(sent.event_name, sent.created_at, sent.metadata, now=second, profile=profile)
            if place is None:  # and no sooner, as an event that is refused makes no contact
                asked.append(whose)
                place = places[named] = len(asked) - 1
            taken.append(_Accepted(number, place, accepted, distinct))
        except TrackrecordError as error:
            refused.append((number, error))

    # Nobody is made for events whose names are refused.
    past = await services.ingest.past_limit(workspace, [each.accepted.folded for each in taken])
    good = {each.whose for each in taken if each.accepted.folded not in past}
    wanted = [each if place in good else each._replace(newcomer=None) for place, each in enumerate(asked)]
    contacts: list[int | TrackrecordError] = await services.in_thread(services.ingest.resolve_many, wanted)
    written: dict[str, str] = {}  # by what a name folds to, how the first of them is written
    for each in taken:
        if isinstance(contacts[each.whose], int):
            written.setdefault(each.accepted.folded, each.accepted.name)
    numbers = await name_numbers(services, workspace, written, now=second)
    records: list[Record] = []
    for each in taken:
        if not len(records) % TURN_ITEMS:
            await asyncio.sleep(0)
        contact = contacts[each.whose]
        if isinstance(contact, TrackrecordError):
            unmade = isinstance(contact, ContactNotFound) and asked[each.whose].newcomer is not None
            refused.append((each.number, past.get(each.accepted.folded, contact) if unmade else contact))
            continue
        name = numbers[each.accepted.folded]
        if isinstance(name, TrackrecordError):
            refused.append((each.number, name))
            continue
        event = services.ingest.event(workspace, contact, name, each.accepted, received_at_ms)
        records.append(event if each.distinct is None else msgspec.structs.replace(event, distinct=each.distinct))
    refused.sort(key=lambda row: row[0])
    return Judged(records, refused)


async def name_numbers(
    services: Services, workspace: Workspace, wanted: Mapping[str, str], *, now: int
) -> dict[str, int | TrackrecordError]:
    """The numbers of names by what they fold to; `wanted` holds how each is written where it is new."""
    cached = services.ingest.names.cached
    found: dict[str, int | TrackrecordError] = {
        folded: number for folded in wanted if (number := cached(workspace.number, folded)) is not None
    }
    missing = [(folded, name) for folded, name in wanted.items() if folded not in found]
    if missing:
        made = await services.in_thread(
            services.directory.names.resolve_many, workspace.number, missing, now=now, limit=services.profile.event_names_max
        )
        for folded, entry in made.items():
            found[folded] = entry if isinstance(entry, TrackrecordError) else services.ingest.names.keep(entry, folded).number
    return found


def _asked(services: Services, workspace: Workspace, sent: SubmittedEvent, *, imported: bool) -> Asked:
    profile = services.profile
    tried = for_submit(
        id=sent.id,
        intercom_user_id=sent.intercom_user_id if imported or profile.submit_by_intercom_user_id else None,
        user_id=sent.user_id,
        email=sent.email,
        first_decides=profile.first_identifier_decides,
    )
    made = newcomer(tried, user_id=sent.user_id, email=sent.email) if services.ingest.creates_contacts else None
    return Asked(workspace.number, tried, made)
