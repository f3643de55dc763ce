"""The catalogue: every event name with how often it happens, by how many, and since when."""

from datetime import datetime, timedelta
from typing import Any

from ...errors import Unavailable
from ...http.call import Answer
from ...rules.catalogue import SORTS
from .. import tables
from ..api import Reply
from ..visit import Visit

PER_PAGE = 50
TEXT_MAX = 255
SORT = "count"  # where nobody chose
COLUMNS = (  # of the table: what it is sorted by, words, class
    ("name", "Event", ""),
    ("days", "Last 30 days", "phone-hidden"),
    ("count", "Events", "number"),
    ("contacts", "Contacts", "number phone-hidden"),
    ("first_seen_at", "First seen", "phone-hidden"),
    ("last_seen_at", "Last seen", ""),
)
CSV = ("name", "description", "count", "contacts", "first_seen_at", "last_seen_at", "duplicates", "keys_dropped", "archived_at")


async def show(visit: Visit) -> Answer:
    """GET events?q=&sort=&order=&archived=&starting_after=&format=."""
    sort = visit.param("sort") if visit.param("sort") in SORTS else SORT
    order = visit.param("order") if visit.param("order") in ("asc", "desc") else "desc" if SORTS[sort] else "asc"
    text, archived = visit.param("q")[:TEXT_MAX], visit.param("archived") == "true"
    asked = {"sort": sort, "order": order, "query": text or None, "include_archived": "true" if archived else None}
    if visit.param("format") == "csv":
        return await _download(visit, asked)
    after = visit.param("starting_after") or None
    reply, waiting = await _listed(visit, {**asked, "per_page": PER_PAGE, "starting_after": after})
    following = reply.following
    shown: dict[str, Any] = {
        "names": reply.data["data"],
        "more": following and visit.here(starting_after=following),
        "columns": COLUMNS,
    }
    if after and visit.partial:
        return visit.html("events/_names.html", **shown)
    found = reply.data["total_count"]
    return visit.html(
        "events/catalogue.html",
        reply=reply,
        waiting=waiting,
        total=found,
        # Whether there is anything that a lifted filter would show.
        others=found or (await visit.api.get("/-/api/event-names", {"per_page": 1, "include_archived": "true"})).data["total_count"],
        text=text,
        archived=archived,
        sort=sort,
        order=order,
        by=lambda key: visit.here(sort=key, order=_other(key, sort, order), starting_after=None),
        **shown,
    )


def _other(key: str, sort: str, order: str) -> str:
    """The order that a column's head leads to: the other way where the table is sorted by it, else its own."""
    descending = order != "desc" if key == sort else SORTS[key]
    return "desc" if descending else "asc"


async def _listed(visit: Visit, query: dict[str, Any]) -> tuple[Reply, str | None]:
    """A page of names with their activity; or without, and why, while that is being counted for the first time."""
    try:
        return await visit.api.get("/-/api/event-names", {**query, "include_activity": "true"}), None
    except Unavailable as error:
        if query["sort"] == "contacts":
            query = {**query, "sort": SORT, "order": "desc", "starting_after": None}
        return await visit.api.get("/-/api/event-names", query), error.message


async def _download(visit: Visit, asked: dict[str, Any]) -> Answer:
    names = await visit.api.every("/-/api/event-names", {**asked, "include_activity": "true"})
    rows = [[tables.moment(name[column]) if column.endswith("_at") else name[column] for column in CSV] + name["days"] for name in names]
    today = datetime.fromtimestamp(visit.now(), visit.timezone).date()
    days = len(names[0]["days"]) if names else 0
    dates = [(today - timedelta(days=ago)).isoformat() for ago in range(days - 1, -1, -1)]
    return visit.csv("event-names", [*CSV, *dates], rows)
