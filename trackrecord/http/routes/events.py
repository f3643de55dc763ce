"""Routes of events and their receipts."""

from ...wire import events as wire_events
from ...wire import receipts as wire_receipts
from ..api import events, receipts
from .route import Param, Route

_IDENTIFIERS = (
    Param("user_id", "the contact's external id; a lead's anonymous id where no user has it"),
    Param("intercom_user_id", "the contact's id; the way to list a lead's events"),
    Param("email", "the address of exactly one user"),
)
_EVENT_ERRORS = {404: "no such contact", 409: "several users share the e-mail address"}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/events",
        None,
        "Submit an event",
        "Data events",
        need="write_events",
        request=wire_events.SubmittedEvent,
        status=202,
        errors={**_EVENT_ERRORS, 422: "well-formed but not possible"},
    ),
    Route(
        "GET",
        "/events",
        events.list_events,
        "List a contact's events, or with summary=true how often it did what",
        "Data events",
        need="read_events",
        response=wire_events.EventList | wire_events.EventSummary,
        params=(
            Param("type", "user (or lead, with the lead's anonymous id as user_id)"),
            *_IDENTIFIERS,
            Param("summary", "true for counts instead of events", "boolean"),
            Param("per_page", "events a page, 1 to 150; 15 without it", "integer"),
            Param("before", "a cursor of pages.next: events before it", "integer"),
            Param("since", "a cursor of pages.since: events from it on", "integer"),
        ),
        errors=_EVENT_ERRORS,
    ),
    Route(
        "POST",
        "/events/summaries",
        events.create_summaries,
        "Set what a contact had done before its events were kept here",
        "Data events",
        need="write_events",
        request=wire_events.SubmittedSummaries,
        errors={**_EVENT_ERRORS, 422: "well-formed but not possible"},
    ),
    Route(
        "GET",
        "/-/api/receipts/{position}",
        receipts.get_receipt,
        "What became of the event that was answered with this Trackrecord-Receipt",
        "Receipts",
        need="read_events",
        response=wire_receipts.ReceiptBody,
        params=(Param("position", "the number in the Trackrecord-Receipt header", "integer", "path", True),),
        errors={404: "no event has this position in this workspace"},
    ),
)
