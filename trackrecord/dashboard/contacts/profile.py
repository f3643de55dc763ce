"""One contact: who it is, what it did and how often, and everything it did in order."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote

from ...errors import NotFound, TrackrecordError
from ...http.call import Answer
from .. import tables
from ..api import ApiCall, target
from ..visit import Visit
from .deeds import deeds_for
from .people import FACTS, STATES, TIMES, Contact, known, name_of, state_of, summary, summary_query

EVENTS_PER_PAGE = 50
LISTED_MAX = 200  # tags, companies and segments shown
OFFERED_MAX = 500  # tags that are offered as one types; others can be typed whole
SUMMARY_SHOWN = 12  # event names that are seen at once
COLUMNS = 1  # of a row of an event
SUMMARY_COLUMNS = ("name", "count", "first", "last")

Event = dict[str, Any]


async def show(visit: Visit) -> Answer:
    """GET contacts/{contact_id}?name=&format=&table=: `name` is an event name, to see its events alone.

    With `format` csv all of these events as a file; with `table` summary, how often each name happened.
    """
    contact = await known(visit)
    state = state_of(contact)
    name = visit.param("name")
    if visit.param("format") == "csv":
        return await _table(visit, contact, name)
    live = state is None
    counted = await summary(visit, contact) if live or state is STATES["visitor"] else []
    merged = await known(visit, contact["merged_into"]) if contact["merged_into"] else None
    timeline = None if merged else await _timeline(visit, contact, name)
    return visit.html(
        "contacts/contact.html",
        contact=contact,
        called=name_of(contact),
        state=state,
        merged=merged,
        merged_called=name_of(merged) if merged else None,
        facts=[(field, words, contact[field]) for field, words in FACTS if contact[field] not in (None, "")],
        times=[(field, words, contact[field]) for field, words in TIMES if contact[field] is not None],
        attributes=await _attributes(visit, contact),
        tags=await _listed(visit, contact, "tags", "data") if live else [],
        all_tags=(await visit.api.get("/tags")).data["data"][:OFFERED_MAX] if live and visit.may_change else [],
        companies=await _listed(visit, contact, "companies", "data") if live else [],
        segments=await _listed(visit, contact, "segments", "data") if live else [],
        summary=[{**each, "first": _seconds(each["first"]), "last": _seconds(each["last"])} for each in counted],
        summary_shown=SUMMARY_SHOWN,
        deeds=deeds_for(contact),
        summary_call=ApiCall("GET", target("/events", summary_query(contact))),
        contact_call=ApiCall("GET", f"/-/api/contacts/{contact['id']}"),
        name=name,
        columns=COLUMNS,
        **(timeline or {"days": [], "more": None, "timeline_call": None}),
    )


async def _table(visit: Visit, contact: Contact, name: str) -> Answer:
    """Raises NotFound for one whose events the API keeps to itself: it is hidden, or they are another's now."""
    state = state_of(contact)
    if state not in (None, STATES["visitor"]):
        raise NotFound(f"The events of a contact that is {state.pill.lower()} are in no file", field="contact_id")
    if visit.param("table") != "summary":
        query = {"intercom_user_id": contact["id"], "name": name or None}
        return await tables.events(visit, query, name=f"events of {name_of(contact)}")
    counted = await summary(visit, contact)
    rows = [[each["name"], each["count"], *(tables.moment(_seconds(each[time])) for time in ("first", "last"))] for each in counted]
    return visit.csv(f"summary of {name_of(contact)}", SUMMARY_COLUMNS, rows)


async def timeline(visit: Visit) -> Answer:
    """GET contacts/{contact_id}/events?name=&starting_after=&day=: the rows of a page; `day` is the one that the page before ended in."""
    contact = await known(visit)
    if not visit.partial:
        return await show(visit)
    found = await _timeline(visit, contact, visit.param("name"))
    return visit.html("contacts/_timeline.html", contact=contact, columns=COLUMNS, **found)


async def _timeline(visit: Visit, contact: Contact, name: str) -> dict[str, Any]:
    """A page of what a contact did, in days of the workspace's time zone, the newest first; of one event name where there is one."""
    his: dict[str, Any] = {"field": "intercom_user_id", "operator": "=", "value": contact["id"]}
    query = his if not name else {"operator": "AND", "value": [his, {"field": "event_name", "operator": "=", "value": name}]}
    after = visit.param("starting_after") or None
    pagination: dict[str, Any] = {"per_page": EVENTS_PER_PAGE} | ({"starting_after": after} if after else {})
    reply = await visit.api.post("/-/api/events/search", {"query": query, "pagination": pagination})
    events: Sequence[Event] = reply.data["data"]
    days = [(day, list(of_day)) for day, of_day in groupby(events, lambda event: _day(visit, event))]
    before, last = visit.param("day") if visit.partial else "", days[-1][0] if days else visit.param("day")
    following = reply.following
    path = f"contacts/{quote(contact['id'], safe='')}/events"
    return {
        "days": [("" if day == before else day, of_day) for day, of_day in days],
        "more": following and visit.url(path, name=name, starting_after=following, day=last),
        "timeline_call": reply.call,
    }


def _day(visit: Visit, event: Event) -> str:
    """The day of an event in words, by the workspace's time zone; what no calendar has stands for itself."""
    try:
        day = datetime.fromtimestamp(event["created_at"], visit.timezone)
    except (ValueError, OverflowError, OSError):
        return str(event["created_at"])
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _seconds(text: str | None) -> int | None:
    """A time of a summary in Unix seconds."""
    return None if text is None else int(datetime.fromisoformat(text).timestamp())


async def _attributes(visit: Visit, contact: Contact) -> list[tuple[str, str, Any]]:
    """Name, data type and value of each attribute that the contact has, by name."""
    if not contact["custom_attributes"]:
        return []
    listed = (await visit.api.get("/data_attributes", {"model": "contact", "include_archived": "true"})).data["data"]
    types = {each["name"]: each["data_type"] for each in listed if each["custom"]}
    return [(name, types.get(name, "string"), value) for name, value in sorted(contact["custom_attributes"].items())]


async def _listed(visit: Visit, contact: Contact, path: str, key: str) -> list[dict[str, Any]]:
    """What belongs to a contact; nothing where it was hidden at this moment."""
    try:
        reply = await visit.api.get(f"/contacts/{quote(contact['id'], safe='')}/{path}")
    except TrackrecordError as error:
        if error.status == 404:
            return []
        raise
    found: list[dict[str, Any]] = reply.data[key]
    return found[:LISTED_MAX]
