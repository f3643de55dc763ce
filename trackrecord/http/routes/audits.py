"""Routes of deleting events, and the record of who did."""

from ...wire import audits as wire_audits
from ...wire import queries as wire_queries
from ..api import audits
from .route import Param, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "DELETE",
        "/-/api/events/{position}",
        audits.delete_event,
        "Delete one event",
        "Deleting events",
        need="delete_events",
        response=wire_queries.Deletion,
        params=(Param("position", "the event's Trackrecord-Receipt; a query shows it too", "integer", "path", True),),
        errors={404: "no event has this position in this workspace"},
    ),
    Route(
        "POST",
        "/-/api/events/delete",
        audits.delete_events,
        "Delete the events that a query finds, or count them",
        "Deleting events",
        need="delete_events",
        request=wire_queries.SentDeletion,
        response=wire_queries.Deletion,
    ),
    Route(
        "GET",
        "/-/api/audits",
        audits.list_audits,
        "List what was deleted, by whom and when, newest first",
        "Deleting events",
        need="delete_events",
        response=wire_audits.AuditList,
        params=(
            Param("per_page", "audits a page, 1 to 150; 50 without it", "integer"),
            Param("starting_after", "the cursor of pages.next.starting_after"),
        ),
    ),
)
