"""Contacts and events as they leave: in a form that another server's import takes with the same result.

Contacts keep their id, so an event finds its contact by that first. Where contacts came to the other server by another way,
it goes by user_id and then by email; the email is given for users alone, as an address never names a lead. Nor is it given for
those that are archived or blocked: they are not exported, and elsewhere the address may be another's alone.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from .directory import Directory
from .rules.contacts import Contact
from .rules.search import Query
from .rules.values import Scalar
from .stores.base import EventReader, Selection, StoredEvent
from .wire.json import encode

# What is read ahead is held for as long as whoever takes the export takes to read it, so it is little.
TOGETHER = 500  # events whose contacts are looked up at once
TOGETHER_BYTES = 256 << 10  # and fewer when they have more metadata than this
CONTACTS_KNOWN_MAX = 10_000  # contacts remembered, in some 400 bytes each, while events are written
PAGE = 250  # contacts read at once


class ExportedContact(msgspec.Struct, frozen=True, kw_only=True):
    """A live contact. Every key always, null where nothing is known; times are whole Unix seconds."""

    id: str
    role: str
    external_id: str | None
    anonymous_id: str | None
    email: str | None
    name: str | None
    phone: str | None
    avatar: str | None
    owner_id: int | None
    signed_up_at: int | None
    last_seen_at: int | None
    unsubscribed_from_emails: bool
    language_override: str | None
    created_at: int
    updated_at: int
    custom_attributes: dict[str, Scalar]
    came_by: dict[str, str] | None


class ExportedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One stored event. `metadata` goes out as the bytes that were kept; `distinct` only where it is part of the key."""

    event_name: str
    created_at: int  # whole Unix seconds
    intercom_user_id: str
    user_id: str | None
    email: str | None
    metadata: Any
    distinct: str | UnsetType = UNSET


def contacts(
    directory: Directory, workspace: int, *, since: int | None = None, until: int | None = None, among: Query | None = None
) -> Iterator[Contact]:
    """The live contacts of a workspace with since <= created_at < until, visitors too, in the order an import should read them.

    First the users without an external id, then the other users and the leads, each part newest first; the visitors last. A
    user without an external id needs its email for itself when it is made; one that has an external id may share the address,
    so it must come after. `among`: only those that a query means, and no visitors, as none is in a segment.
    """
    for by_email in (True, False):
        after = None
        while True:
            page, after = directory.contacts.walk(
                workspace, limit=PAGE, after=after, since=since, until=until, by_email=by_email, among=among
            )
            yield from page
            if after is None:
                break
    if among is not None:
        return
    number = 0
    while visitors := directory.visitors.after(workspace, number, limit=PAGE, since=since, until=until):
        yield from visitors
        number = visitors[-1].number


def exported_contact(contact: Contact) -> ExportedContact:
    return ExportedContact(**{name: getattr(contact, name) for name in ExportedContact.__struct_fields__})


def events(directory: Directory, reader: EventReader, selection: Selection) -> Iterator[ExportedEvent]:
    """Every selected event as of the call, in the order it was kept, so that an import elsewhere keeps them in the same.

    Holds no more than some hundred events and contacts between two of them, and no connection: whoever takes them may take as
    long as they like.
    """
    return _exported(directory, selection.workspace, reader.scan(selection))


class _Who(NamedTuple):
    """What an event says of its contact."""

    id: str
    user_id: str | None
    email: str | None


def _exported(directory: Directory, workspace: int, found: Iterable[StoredEvent]) -> Iterator[ExportedEvent]:
    known: dict[int, _Who] = {}
    names: dict[int, str] = {}
    for some in _together(found):
        numbers = {stored.event.contact for stored in some}
        whose = {number: known[number] for number in numbers & known.keys()}
        strangers = standing(directory, workspace, numbers - whose.keys()) if len(whose) < len(numbers) else {}
        whose |= {number: _Who(each.id, each.user_id, _address(each)) for number, each in strangers.items()}
        known |= whose
        for number in [*islice(known, max(0, len(known) - CONTACTS_KNOWN_MAX))]:
            del known[number]
        unnamed = {stored.event.name for stored in some} - names.keys()
        if unnamed:
            names |= {number: entry.name for number, entry in directory.names.by_numbers(unnamed).items()}
        for _, event in some:
            contact = whose.get(event.contact)
            if contact is None:
                continue  # deleted meanwhile; its events are about to go too
            yield ExportedEvent(
                event_name=names[event.name],
                created_at=event.created_at,
                intercom_user_id=contact.id,
                user_id=contact.user_id,
                email=contact.email,
                metadata=msgspec.Raw(event.metadata or b"{}"),
                distinct=event.distinct or UNSET,
            )


def _address(contact: Contact) -> str | None:
    return contact.email if contact.role == "user" and contact.live else None


def standing(directory: Directory, workspace: int, numbers: Iterable[int]) -> dict[int, Contact]:
    """Contacts by number; one that was merged away while its events are still on their way is the one that took its place."""
    found = directory.contacts.by_numbers(workspace, numbers)
    merged = {number: contact.merged_into for number, contact in found.items() if contact.merged_into is not None}
    places = directory.contacts.by_numbers(workspace, merged.values()) if merged else {}
    return found | {number: places[place] for number, place in merged.items() if place in places}


def _together(found: Iterable[StoredEvent]) -> Iterator[list[StoredEvent]]:
    some: list[StoredEvent] = []
    size = 0
    for stored in found:
        some.append(stored)
        size += len(stored.event.metadata)
        if len(some) == TOGETHER or size > TOGETHER_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


# --- Forms ---------------------------------------------------------------------------------------------------------------

Row = ExportedContact | ExportedEvent


def ndjson(rows: Iterable[Row], kind: type[Row]) -> Iterator[bytes]:
    """One JSON object a line."""
    for row in rows:
        yield encode(row) + b"\n"


def as_csv(rows: Iterable[Row], kind: type[Row]) -> Iterator[bytes]:
    """A header, then a line a row. Empty for null; metadata and custom attributes are JSON in one cell, empty for none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns: Sequence[str] = kind.__struct_fields__
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(getattr(row, column)) for column in columns])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return encode(value).decode() if value else ""
    if isinstance(value, msgspec.Raw):
        return "" if bytes(value) == b"{}" else bytes(value).decode()
    return "" if value is None or value is UNSET else value


MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv"}  # both in UTF-8
FORMATS: dict[str, Callable[[Iterable[Row], type[Row]], Iterator[bytes]]] = {"ndjson": ndjson, "csv": as_csv}
