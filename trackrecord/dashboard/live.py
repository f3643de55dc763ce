"""What is arriving now: the page that follows it, its stream, and one event with what became of it."""

from typing import Any
from urllib.parse import quote

from ..http.call import Answer
from .visit import Page, Visit


async def show_event(visit: Visit) -> Answer:
    """GET live/{position}: metadata and receipt; for htmx what its row opens to."""
    reply = await visit.api.get(f"/-/api/receipts/{quote(visit.path['position'], safe='')}")
    receipt = reply.data
    first = None
    if "duplicate_of" in receipt:
        first = (await visit.api.get(f"/-/api/receipts/{receipt['duplicate_of']['position']}")).data
    template = "events/_opened.html" if visit.partial else "live/event.html"
    return visit.html(template, receipt=receipt, event=event_of(receipt), first=first, call=reply.call)


def event_of(receipt: dict[str, Any]) -> dict[str, Any] | None:
    """The event that stands; None of an erased one."""
    found: dict[str, Any] | None = receipt.get("event") or receipt.get("duplicate_of", {}).get("event")
    return found


PAGES = (Page("GET", "live/{position}", show_event),)
