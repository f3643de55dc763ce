"""Targets that read bodies."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from typing import Any

import msgspec

from trackrecord.errors import RequestError
from trackrecord.journal.codec import decode_records, encode_records
from trackrecord.rules import metadata as rules
from trackrecord.rules.contacts import fold_email
from trackrecord.rules.events import MOMENT_MAX, NAME_LENGTH_MAX, Accepted, accept
from trackrecord.rules.filters import Known
from trackrecord.rules.identity import for_submit
from trackrecord.rules.profiles import PROFILES, Profile
from trackrecord.rules.records import Event
from trackrecord.rules.search import Place, names_attributes
from trackrecord.rules.search import search as read_search
from trackrecord.rules.versions import served
from trackrecord.wire import attributes, catalogue, companies, contacts, jobs, leads, merging, queries, tags, users, visitors
from trackrecord.wire import search as wire_search
from trackrecord.wire.events import parse_event, parse_summaries
from trackrecord.wire.json import decode, encode

NOW = 1_700_000_000
VERSIONS = tuple(served(text, default="2.14", newer=True) for text in ("1.4", "2.14", "2.16", "Preview"))
KNOWN = Known(
    attributes={"text": "string", "count": "integer", "share": "float", "on": "boolean", "day": "date"}, zone=UTC, formatted_phone=True
)


def event(data: bytes) -> None:
    with suppress(RequestError):
        parse_summaries(data)
    with suppress(RequestError):
        sent = parse_event(data)
        for profile in PROFILES.values():
            with suppress(RequestError):
                for_submit(
                    id=sent.id,
                    intercom_user_id=sent.intercom_user_id,
                    user_id=sent.user_id,
                    email=sent.email,
                    first_decides=profile.first_identifier_decides,
                )
            with suppress(RequestError):
                _holds(accept(sent.event_name, sent.created_at, sent.metadata, now=NOW, profile=profile), profile)


def _holds(accepted: Accepted, profile: Profile) -> None:
    """What is accepted is within the limits, and comes back from the journal as it went in."""
    assert 1 <= len(accepted.name) <= NAME_LENGTH_MAX
    assert not set(".$\0") & set(accepted.name)
    assert accepted.folded == accepted.name.casefold()
    assert 0 <= accepted.created_at <= min(MOMENT_MAX, NOW + profile.created_at_ahead_s)
    kept = accepted.metadata
    values = b"" if kept is None else encode(kept.values)
    if kept is not None:
        _keeps(kept, limit=profile.metadata_keys_max, nested=profile.nested_metadata)
    dropped = b"" if kept is None else encode(kept.dropped)
    record = Event(1, 1, 1, accepted.created_at, NOW * 1000, values, "" if kept is None else kept.kinds, dropped)
    assert decode_records(1, *encode_records([record])) == [record]


def _keeps(kept: rules.Kept, *, limit: int, nested: bool) -> None:
    assert len(kept.values) == len(kept.kinds) <= limit
    assert set(kept.kinds) <= rules.KINDS.keys()
    assert len(kept.dropped) <= rules.DROPPED_NAMED_MAX + 3
    read = msgspec.json.decode(encode(kept.values))
    assert read == kept.values
    assert list(read) == list(kept.values)
    again = rules.keep(read, limit=limit, nested=nested)
    assert again == rules.Kept(kept.values, kept.kinds, [])


def metadata(data: bytes) -> None:
    with suppress(RequestError):
        sent = decode(data, dict[str, Any])
        for limit, nested in ((10, True), (10, False), (2, True)):
            with suppress(RequestError):
                _keeps(rules.keep(sent, limit=limit, nested=nested), limit=limit, nested=nested)


def bulk(data: bytes) -> None:
    with suppress(RequestError):
        items, _ = jobs.parse_bulk(data, limit=100)
        for number, raw in enumerate(items):
            for read in (_bulk_event, jobs.read_user):
                try:
                    read(raw, longest=2_000)
                except RequestError as error:
                    encode(jobs.failure(number, raw, error, at=NOW))


def _bulk_event(raw: msgspec.Raw, *, longest: int) -> None:
    sent = jobs.read_event(raw, longest=longest)
    accepted = accept(sent.event_name, sent.created_at, sent.metadata, now=NOW, profile=PROFILES["lenient"])
    _holds(accepted, PROFILES["lenient"])


# Every body that makes or changes something, by the function that reads it.
PARSERS: tuple[Callable[[bytes], Any], ...] = (
    *(lambda body, version=each: contacts.parse_draft(body, version=version) for each in VERSIONS),
    lambda body: contacts.parse_changes(body, version=VERSIONS[1]),
    lambda body: contacts.parse_upsert(body, version=VERSIONS[1]),
    lambda body: users.parse_user(body, now=NOW),
    users.parse_delete_request,
    lambda body: leads.parse_lead(body, now=NOW),
    lambda body: leads.parse_conversion(body, now=NOW),
    visitors.parse_update,
    visitors.parse_changes,
    *(lambda body, profile=each: visitors.parse_conversion(body, profile=profile) for each in PROFILES.values()),
    companies.parse_changes,
    companies.parse_company,
    attributes.parse_declaration,
    attributes.parse_changes,
    tags.parse_tagging,
    tags.parse_tag_id,
    catalogue.parse_change,
    merging.parse_merge,
)


def people(data: bytes) -> None:
    for parse in PARSERS:
        with suppress(RequestError):
            parse(data)


def search(data: bytes) -> None:
    for parse in (queries.parse_search, queries.parse_deletion):
        with suppress(RequestError):
            parse(data)
    with suppress(RequestError):
        asked = wire_search.parse(data)
        names_attributes(asked.query, asked.sort)
        found = read_search(asked.query, asked.sort, KNOWN)
        assert len(found.mark) == 16
        for value in (None, 1, 1.5, True, "a", fold_email(str(asked.query)[:20])):
            place = Place(value, "0" * 24)
            with suppress(RequestError):
                assert wire_search.place(wire_search.cursor(2, place, found), found) == (2, place)
        wire_search.place(asked.starting_after, found)
