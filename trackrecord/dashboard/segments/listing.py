"""The list of segments, with how large they are and were."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from ...http.call import Answer
from ..visit import Visit

DAYS = 30  # of the small chart of each


async def list_segments(visit: Visit) -> Answer:
    """GET segments. Sizes are as they were last noted; each is counted anew when it comes into sight. `format` csv: as a file."""
    listed = await visit.api.get("/segments")
    sizes = await visit.api.get("/-/api/segments/sizes", {"days": DAYS})
    noted = {each["segment_id"]: each["sizes"] for each in sizes.data["data"]}
    segments = [{**each, "noted": noted.get(each["id"], [])} for each in listed.data["segments"]]
    if visit.param("format") == "csv":
        counted = await visit.api.get("/segments", {"include_count": "true"})
        header = ("id", "name", "person_type", "count", "created_at", "updated_at")
        return visit.csv("segments", header, [[each[key] for key in header] for each in counted.data["segments"]])
    today = datetime.fromtimestamp(visit.now(), UTC).date()
    return visit.html(
        "segments/list.html",
        segments=segments,
        today=today.isoformat(),
        bars={each["id"]: bars(each["noted"], today) for each in segments},
        call=listed.call._replace(target="/segments?include_count=true"),
    )


async def size(visit: Visit) -> Answer:
    """GET segments/{segment_id}/size: the piece of the list that says how many are in it now."""
    reply = await visit.api.get(f"/-/api/segments/{quote(visit.path['segment_id'], safe='')}", {"include_count": "true"})
    return visit.html("segments/_size.html", segment=reply.data)


def bars(noted: list[dict[str, Any]], today: date) -> list[int]:
    """The last DAYS days; on one when nobody counted it is what it was before, and before the first nothing."""
    of_day = {each["day"]: each["count"] for each in noted}
    found, last = [], 0
    for ago in range(DAYS - 1, -1, -1):
        last = of_day.get((today - timedelta(days=ago)).isoformat(), last)
        found.append(last)
    return found if of_day else []
