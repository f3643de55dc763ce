"""Lists of what contacts can have on the wire and never have here: always empty."""

import msgspec

from .pages import LinkPages, Page, links

PER_PAGE = 50  # Source: API reference, "List all notes"


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /contacts/{id}/notes answers."""

    type: str = "list"
    data: tuple[()] = ()
    total_count: int = 0
    pages: LinkPages = links(Page(1, PER_PAGE), 0, address="")


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /contacts/{id}/subscriptions answers."""

    type: str = "list"
    data: tuple[()] = ()
