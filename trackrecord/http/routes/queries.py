"""Routes of queries of events across contacts."""

from ...wire import queries as wire_queries
from ..api import queries
from .route import Route

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/-/api/events/search",
        queries.search_events,
        "Find events of all contacts by name, time, contact and metadata, newest first",
        "Event queries",
        need="read_events",
        request=wire_queries.SentQuery,
        response=wire_queries.FoundEvents,
    ),
)
