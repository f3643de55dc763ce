"""Who did something most, and with which values of its metadata, on the wire. Ours."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..errors import ParameterInvalid, ParameterNotFound
from ..rules.contacts import Contact
from ..rules.events import clean_name
from ..rules.metadata import KINDS, clean_key
from ..rules.values import moment
from .params import Query, last, refuse_empty, whole, word
from .reports import FORMATS, as_csv

LIMIT, LIMIT_MAX = 20, 150  # rows: without the parameter, and at most
KEY_MAX = 1_000  # characters of a metadata key that is asked for


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Times are whole Unix seconds; None is no bound."""

    name: tuple[str, str]  # what the event name folds to, and how it was asked for
    since: int | None
    until: int | None
    limit: int
    format: str
    key: str = ""


class TopContact(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    external_id: str | None
    name: str | None
    email: str | None
    role: str
    count: int
    first: int  # whole Unix seconds; created_at of the oldest and the newest of those that are counted
    last: int


class TopContactsBody(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "top_contacts"
    event_name: str
    since: int | None
    until: int | None
    events: int  # of all contacts, those that have no row too
    contacts: int
    data: list[TopContact]  # most events first


class BreakdownRow(msgspec.Struct, frozen=True, kw_only=True):
    value: Any  # as it was sent; of a rich link what it shows, of an amount the amount and its currency
    kind: str  # string, number, boolean, date, link, image, rich_link, money, stripe or nested
    events: int
    contacts: int  # different ones


class BreakdownBody(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "breakdown"
    event_name: str
    key: str
    since: int | None
    until: int | None
    events: int  # in all
    contacts: int  # different ones
    without_key: int  # events
    other_events: int  # with values that have no row
    other_values: int | None  # how many these are; null where they are too many to be told apart
    data: list[BreakdownRow]  # most events first


def parse_top(query: Query) -> Asked:
    """Raises ParameterNotFound, ParameterInvalid, TypeMismatch or DataInvalid by field."""
    return _asked(query)


def parse_breakdown(query: Query) -> Asked:
    """As parse_top; a key is needed, and found as it is kept."""
    key = last(query, "key")
    if key is None:
        raise ParameterNotFound("key is required: a metadata key of the event", field="key")
    if len(key) > KEY_MAX:
        raise ParameterInvalid(f"key must have at most {KEY_MAX:,} characters, got {len(key):,}", field="key")
    return _asked(query, key=clean_key(key))


def _asked(query: Query, key: str = "") -> Asked:
    refuse_empty(query, "since", "until")
    if last(query, "segment_id") is not None:
        raise ParameterInvalid("segment_id is for trends, funnels and retention; this report is of everybody", field="segment_id")
    folded = clean_name(last(query, "event_name"))[1]
    since, until = moment(last(query, "since"), "since"), moment(last(query, "until"), "until")
    if since is not None and until is not None and since >= until:
        raise ParameterInvalid(f"until must be after since, got {until} and {since}", field="until")
    return Asked(
        name=(folded, last(query, "event_name") or ""),
        since=since,
        until=until,
        limit=whole(query, "limit", default=LIMIT, most=LIMIT_MAX),
        format=word(query, "format", FORMATS) or FORMATS[0],
        key=key,
    )


def top_contacts(name: str, asked: Asked, found: Mapping[str, Any], contacts: Mapping[int, Contact]) -> TopContactsBody:
    """`found`: what analysis/activity.py answers. Who was deleted just now has no row."""
    rows = [(contacts[each["contact"]], each) for each in found["top"] if each["contact"] in contacts]
    return TopContactsBody(
        event_name=name,
        since=asked.since,
        until=asked.until,
        events=found["events"],
        contacts=found["contacts"],
        data=[
            TopContact(
                id=contact.id,
                external_id=contact.external_id,
                name=contact.name,
                email=contact.email,
                role=contact.role,
                count=each["count"],
                first=each["first"],
                last=each["last"],
            )
            for contact, each in rows
        ],
    )


def breakdown(name: str, asked: Asked, found: Mapping[str, Any]) -> BreakdownBody:
    """`found`: what analysis/breakdown.py answers."""
    return BreakdownBody(
        event_name=name,
        key=asked.key,
        since=asked.since,
        until=asked.until,
        events=found["events"],
        contacts=found["contacts"],
        without_key=found["without"],
        other_events=found["other_events"],
        other_values=found["other_values"],
        data=[
            BreakdownRow(
                value=msgspec.Raw(row["value"]["json"]), kind=KINDS[row["value"]["kind"]], events=row["events"], contacts=row["contacts"]
            )
            for row in found["rows"]
        ],
    )


def top_contacts_csv(body: TopContactsBody) -> bytes:
    return as_csv(TopContact.__struct_fields__, [msgspec.structs.astuple(row) for row in body.data])


def breakdown_csv(body: BreakdownBody) -> bytes:
    """A text stands without its marks, other values as JSON. The last lines, of no kind, are the other values and the events without."""
    rows: list[Sequence[object]] = [(_cell(row.value), row.kind, row.events, row.contacts) for row in body.data]
    if body.other_events:
        rows.append(("other values", None, body.other_events, None))
    if body.without_key:
        rows.append((f"no {body.key}", None, body.without_key, None))
    return as_csv(BreakdownRow.__struct_fields__, rows)


def _cell(value: msgspec.Raw) -> str:
    text = bytes(value)
    return msgspec.json.decode(text, type=str) if text.startswith(b'"') else text.decode()
