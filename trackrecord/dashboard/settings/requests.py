"""The log of refused requests: why a request was refused, by its id or by words."""

from typing import Any

from ...errors import RequestError
from ...http.call import Answer
from ..visit import Page, Visit
from . import common

PER_PAGE = 50
# How the filter is called, and the statuses it stands for.
STATUSES = (
    ("", "Every status"),
    ("4xx", "4xx: the caller's"),
    ("5xx", "5xx: ours"),
    ("401", "401"),
    ("403", "403"),
    ("404", "404"),
    ("429", "429"),
)
COLUMNS = ("at_ms", "request_id", "status", "method", "path", "code", "field", "message", "cause", "client", "user_agent")


async def requests(visit: Visit) -> Answer:
    """GET settings/requests?request_id=&text=&status=&path=&after=: newest first; as rows for htmx, as CSV with format=csv."""
    filters = {name: visit.param(name) or None for name in ("request_id", "text", "status", "path")}
    error, reply, after = None, None, None
    data: dict[str, Any] = {"data": [], "total_count": 0}
    try:
        if visit.param("format") == "csv":
            entries = await visit.api.every("/-/api/requests", filters)
            return visit.csv("requests", COLUMNS, [[entry[name] for name in COLUMNS] for entry in entries])
        reply = await visit.api.get("/-/api/requests", {**filters, "per_page": PER_PAGE, "starting_after": visit.param("after") or None})
        data, after = reply.data, reply.following
    except RequestError as refused:
        if refused.status == 403:
            raise
        error = refused
    shown: dict[str, Any] = {"entries": data["data"], "next_page": visit.here(after=after) if after else None}
    if visit.partial and error is None:
        return visit.html("settings/_requests.html", **shown)
    return common.page(
        visit,
        "requests",
        **shown,
        filters=filters,
        filtered=any(filters.values()),
        statuses=STATUSES if filters["status"] in {None, *(key for key, _ in STATUSES)} else (*STATUSES, (filters["status"],) * 2),
        total=data["total_count"],
        call=reply.call if reply else None,
        kept=visit.services.settings.request_log,
        days=visit.services.settings.request_log_days,
        error=error,
    )


PAGES = (Page("GET", "settings/requests", requests),)
