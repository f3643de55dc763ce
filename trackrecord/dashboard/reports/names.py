"""Event names to choose from: all of them where they are few, else those that have what is typed in them."""

from ...http.call import Answer
from ..visit import Visit

A_PAGE = 150  # names the API gives at once
SUGGESTED_MAX = 20
TEXT_MAX = 255


async def first_names(visit: Visit) -> tuple[list[str], int]:
    """Some names, in the order of the alphabet, and how many there are."""
    reply = await visit.api.get("/-/api/event-names", {"per_page": A_PAGE})
    return [name["name"] for name in reply.data["data"]], reply.data["total_count"]


async def first_seen(visit: Visit) -> int | None:
    """When the first of all events was; None where there are none."""
    query = {"sort": "first_seen_at", "order": "asc", "include_archived": "true", "per_page": A_PAGE}
    after = None
    while True:
        reply = await visit.api.get("/-/api/event-names", {**query, "starting_after": after})
        for name in reply.data["data"]:
            if name["count"]:  # names without events come first
                return int(name["first_seen_at"])
        after = reply.following
        if after is None:
            return None


async def suggest(visit: Visit) -> Answer:
    """GET reports/names: options for the field that is typed into, whatever it is called; the last that is sent is meant."""
    typed = next((value for _, value in reversed(visit.asked.query)), "").strip()[:TEXT_MAX]
    reply = await visit.api.get("/-/api/event-names", {"query": typed or None, "per_page": SUGGESTED_MAX})
    return visit.html("reports/_names.html", names=[name["name"] for name in reply.data["data"]])
