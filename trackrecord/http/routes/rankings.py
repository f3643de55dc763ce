"""Routes of rankings: who, and with which values."""

from ...wire import rankings as wire
from ..api import rankings
from .reports import FORMATS, TABLES
from .route import Param, Route

_EVENT_NAME = Param("event_name", "in any case, and also what it was called before", required=True)
_REST = (
    Param("since", "only with created_at from then on: Unix seconds or ISO 8601"),
    Param("until", "only with created_at before then"),
    Param("limit", f"rows, 1 to {wire.LIMIT_MAX}; {wire.LIMIT} without it", "integer"),
    Param("format", "csv for a table; json without it", among=FORMATS),
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/-/api/reports/top-contacts",
        rankings.top_contacts,
        "List the contacts that did something most, with how often, since when and until when; the token needs read_contacts too",
        "Reports",
        need="read_events",
        response=wire.TopContactsBody,
        tables=TABLES,
        params=(_EVENT_NAME, *_REST),
    ),
    Route(
        "GET",
        "/-/api/reports/breakdown",
        rankings.breakdown,
        "Count the events of one name, and the contacts they are of, by the values of a metadata key",
        "Reports",
        need="read_events",
        response=wire.BreakdownBody,
        tables=TABLES,
        params=(_EVENT_NAME, Param("key", "a metadata key; one that no event has is no error", required=True), *_REST),
    ),
)
