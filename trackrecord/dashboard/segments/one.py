"""One segment: its members, how large it was, and why a contact is in it or out."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from ...http.call import Answer
from ..contacts import form as contacts
from ..contacts.people import name_of, state_of
from ..visit import Visit
from . import form
from .building import offered

PER_PAGE = 50
CANDIDATES = 8  # contacts that a search for one shows
SIZE_DAYS = 90


class Day(NamedTuple):
    """One day of the sizes; `size` is None where nobody counted."""

    start: int  # whole Unix seconds, as days are of UTC here
    words: str
    size: int | None


async def show(visit: Visit) -> Answer:
    """GET segments/{segment_id}. `starting_after` is a page of its members."""
    segment = await _segment(visit)
    after = visit.param("starting_after") or None
    query = {"field": "segment_id", "operator": "=", "value": segment["id"]}
    pagination = {"per_page": PER_PAGE} | ({"starting_after": after} if after else {})
    found = await visit.api.post("/contacts/search", {"query": query, "pagination": pagination})
    following = found.following
    shown: dict[str, Any] = {
        "contacts": [{**each, "merged_into": None} for each in found.data["data"]],
        "more": following and visit.url(f"segments/{segment['id']}", starting_after=following),
        "state_of": state_of,
    }
    if after and visit.partial:
        return visit.html("contacts/_rows.html", **shown)
    sizes = await visit.api.get(f"/-/api/segments/{segment['id']}/sizes", {"days": SIZE_DAYS})
    return visit.html(
        "segments/segment.html",
        segment=segment,
        conditions=await _in_words(visit, segment),
        total=found.data["total_count"],
        days=_days(sizes.data["data"], visit.now()),
        members_call=found.call,
        sizes_call=sizes.call,
        **shown,
    )


async def why(visit: Visit) -> Answer:
    """GET segments/{segment_id}/why. `q` looks for a contact, `contact` is the id of one."""
    segment = await _segment(visit)
    sought, contact_id = visit.param("q"), visit.param("contact")
    found: list[dict[str, Any]] = []
    if sought and not contact_id:
        found = await _sought(visit, sought)
        if len(found) == 1:
            contact_id = found[0]["id"]
    contact, reply = None, None
    if contact_id:
        contact = (await visit.api.get(f"/contacts/{quote(contact_id, safe='')}")).data
        reply = await visit.api.get(f"/-/api/segments/{segment['id']}/explain", {"contact_id": contact_id})
    return visit.html("segments/why.html", segment=segment, sought=sought, found=found, contact=contact, name_of=name_of, reply=reply)


async def ask_delete(visit: Visit) -> Answer:
    """GET segments/{segment_id}/delete."""
    return visit.html("segments/delete.html", segment=await _segment(visit))


async def delete(visit: Visit) -> Answer:
    """POST segments/{segment_id}/delete."""
    segment = await _segment(visit)
    await visit.api.delete(f"/-/api/segments/{segment['id']}")
    return visit.go(visit.url("segments"), f"The segment {segment['name']} is deleted; its contacts are as they were")


async def _segment(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = (await visit.api.get(f"/-/api/segments/{quote(visit.path['segment_id'], safe='')}")).data
    return found


async def _sought(visit: Visit, text: str) -> list[dict[str, Any]]:
    """Whoever is called so; else whoever has it in the name or the e-mail address."""
    for exactly in (True, False):
        asked = contacts.search(contacts.Form(box=text), {}, exactly=exactly)
        reply = await visit.api.post("/contacts/search", {"query": asked.query, "pagination": {"per_page": CANDIDATES}})
        if reply.data["data"]:
            break
    return list(reply.data["data"])


async def _in_words(visit: Visit, segment: dict[str, Any]) -> dict[str, Any] | None:
    """The query as a reader says it; None for one that only the API's own words say."""
    offer = await offered(visit)
    said = form.said_in_rows(segment["query"], offer.types, visit.timezone)
    if said is None:
        return None
    return {"any": said[0], "lines": [form.in_words(row, offer.types, offer.tags) for row in said[1]]}


def _days(sizes: list[dict[str, Any]], now: int) -> list[Day]:
    """From the first size on, without a gap in the days."""
    if not sizes:
        return []
    of_day = {each["day"]: each["count"] for each in sizes}
    today = datetime.fromtimestamp(now, UTC).date()
    day, found = date.fromisoformat(sizes[0]["day"]), []
    while day <= today:
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        found.append(Day(start, f"{day.day} {day:%b}", of_day.get(day.isoformat())))
        day += timedelta(days=1)
    return found
