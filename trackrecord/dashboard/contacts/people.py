"""One contact of the API, as pages speak of it."""

from typing import Any, NamedTuple
from urllib.parse import quote

from ...errors import NotFound
from ..visit import Visit

Contact = dict[str, Any]

SHORT = 60  # characters of a name

# What stands beside a contact's name, in this order: the API's field and the words for it. Fields without a value are left out.
FACTS = (
    ("name", "Name"),
    ("external_id", "External id"),
    ("id", "Id"),
    ("anonymous_id", "Anonymous id"),
    ("email", "E-mail"),
    ("phone", "Phone"),
    ("owner_id", "Owner id"),
    ("language_override", "Language"),
    ("referrer", "Came from"),
    ("utm_source", "Source"),
    ("utm_medium", "Medium"),
    ("utm_campaign", "Campaign"),
    ("utm_term", "Term"),
    ("utm_content", "Content"),
)
TIMES = (
    ("last_seen_at", "Last seen"),
    ("signed_up_at", "Signed up"),
    ("created_at", "Created"),
    ("updated_at", "Updated"),
    ("archived_at", "Archived"),
    ("blocked_at", "Blocked"),
)


class State(NamedTuple):
    """What a contact is besides its role. `words` say what that means for whoever looks at it."""

    key: str
    pill: str
    kind: str  # of a notice
    words: str


STATES = {
    "merged": State(
        "merged", "Merged away", "note", "It lives on in the contact it was merged into, with its events, tags and attributes."
    ),
    "blocked": State(
        "blocked", "Blocked", "warning", "It is hidden for good: it is in no list, and its events are refused. It can only be deleted."
    ),
    "archived": State(
        "archived", "Archived", "warning", "It is in no list, and its events are refused, until it is unarchived. All that it had is kept."
    ),
    "visitor": State("visitor", "Visitor", "note", "It was seen and not yet identified, so it is in no list or segment of contacts."),
}


def state_of(contact: Contact) -> State | None:
    """None for a user or lead that is live."""
    if contact["merged_into"] is not None:
        return STATES["merged"]
    if contact["role"] == "visitor":
        return STATES["visitor"]
    if contact["blocked_at"] is not None:
        return STATES["blocked"]
    return None if contact["archived_at"] is None else STATES["archived"]


async def known(visit: Visit, id: str | None = None) -> Contact:
    """The contact of the page's address, or with an id, in whatever state it is. Raises NotFound, for another workspace's too."""
    id = visit.path["contact_id"] if id is None else id
    try:
        reply = await visit.api.get(f"/-/api/contacts/{quote(id, safe='')}")
    except NotFound as error:
        raise NotFound(f"This workspace has no contact with the id {id[:100]}, or none any more", field="contact_id") from error
    found: Contact = reply.data
    return found


def name_of(contact: Contact) -> str:
    """What to call a contact: the best that is known of it."""
    return str(contact["name"] or contact["email"] or contact["external_id"] or contact.get("anonymous_id") or contact["id"])


def short(text: str) -> str:
    """For a line that tells what was done."""
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"


def summary_query(contact: Contact) -> dict[str, str]:
    """Of GET /events."""
    return {"type": "user", "intercom_user_id": contact["id"], "summary": "true"}


async def summary(visit: Visit, contact: Contact) -> list[dict[str, Any]]:
    """How often a contact did what, as the API says it; of one that is hidden it says nothing."""
    found: list[dict[str, Any]] = (await visit.api.get("/events", summary_query(contact))).data["events"]
    return found


async def events_of(visit: Visit, contact: Contact) -> int:
    """How many events a contact has: what its summary counts. A hidden one has none, so a deletion is run dry, which admins may."""
    state = state_of(contact)
    if state is None or state.key == "visitor":
        return sum(each["count"] for each in await summary(visit, contact))
    query = {"field": "intercom_user_id", "operator": "=", "value": contact["id"]}
    return int((await visit.api.post("/-/api/events/delete", {"query": query, "dry_run": True})).data["count"])


def in_words(events: int) -> str:
    return "1 event" if events == 1 else f"{events:,} events"
