"""Routes of imports."""

from ...imports import LINES_MAX, Taken
from ..api import imports
from .route import Route

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/-/api/import/contacts",
        imports.import_contacts,
        f"Make up to {LINES_MAX} contacts, one JSON object a line; those that are there already stay as they are",
        "Import",
        need="write_contacts",
        response=Taken,
        errors={413: "the body is too large", 503: "nothing was kept; send it again later"},
    ),
    Route(
        "POST",
        "/-/api/import/events",
        imports.import_events,
        f"Submit up to {LINES_MAX} events, one JSON object a line",
        "Import",
        need="write_events",
        response=Taken,
        errors={413: "the body is too large", 503: "send it again later"},
    ),
)
