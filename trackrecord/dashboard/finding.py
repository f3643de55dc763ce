"""The search that stands on every page: a contact, an event name or a request, by whatever somebody has in hand."""

from typing import Any

from ..errors import RequestError
from ..http.call import Answer
from .contacts.form import Form
from .contacts.listing import seek
from .visit import Page, Visit

CONTACTS_SHOWN = 20
NAMES_SHOWN = 20
TEXT_MAX = 255


async def find(visit: Visit) -> Answer:
    """GET find?q=. Nothing is asked for an empty text."""
    text = visit.param("q")[:TEXT_MAX]
    contacts = await _contacts(visit, text) if text else []
    names = await _names(visit, text) if text else []
    request = await _request(visit, text) if text else None
    return visit.html("finding.html", text=text, contacts=contacts, names=names, request=request)


async def _contacts(visit: Visit, text: str) -> list[dict[str, Any]]:
    """Those called so; where nobody is, those whose e-mail or name has the text in it."""
    try:
        _, reply = await seek(visit, Form(box=text), {}, per_page=CONTACTS_SHOWN)
    except RequestError:  # a text that no such field can have
        return []
    found: list[dict[str, Any]] = reply.data["data"]
    return found


async def _names(visit: Visit, text: str) -> list[dict[str, Any]]:
    """Those that happened most first."""
    query = {"query": text, "sort": "count", "include_archived": "true", "per_page": NAMES_SHOWN}
    found: list[dict[str, Any]] = (await visit.api.get("/-/api/event-names", query)).data["data"]
    return found


async def _request(visit: Visit, text: str) -> dict[str, Any] | None:
    try:
        reply = await visit.api.get("/-/api/requests", {"request_id": text})
    except RequestError:
        return None
    return next(iter(reply.data["data"]), None)


PAGES = (Page("GET", "find", find),)
