"""Every path the server answers: one row each. The router, the OpenAPI document, the docs page and the tests read this table.

To add an endpoint, write its handler in api/<noun>.py and add a row.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..imports import LINES_MAX, Taken
from ..wire import admins as wire_admins
from ..wire import contacts as wire_contacts
from ..wire import events as wire_events
from ..wire import receipts as wire_receipts
from .api import admins, contacts, docs, events, health, imports, receipts
from .call import Handler

V2 = (2, 0)  # contacts as one noun came with API 2.0


class Param(NamedTuple):
    name: str
    meaning: str
    kind: str = "string"  # the JSON Schema type
    place: str = "query"
    required: bool = False


class Route(NamedTuple):
    method: str
    path: str
    handler: Handler | None  # None for the fast lane's
    summary: str
    tag: str
    need: str | None = None  # the scope a token must have
    request: Any = None  # the type of the body
    response: Any = None  # the type of the answer; None for an empty one
    status: int = 200
    params: tuple[Param, ...] = ()
    errors: Mapping[int, str] = {}
    first: tuple[int, int] | None = None  # the version the resource came with
    open: bool = False  # answers without a token


_IDENTIFIERS = (
    Param("user_id", "the contact's external id; a lead's anonymous id where no user has it"),
    Param("intercom_user_id", "the contact's id; the way to list a lead's events"),
    Param("email", "the address of exactly one user"),
)
_EVENT_ERRORS = {404: "no such contact", 409: "several users share the e-mail address"}
_CONTACT_ID = (Param("contact_id", "the contact's id", place="path", required=True),)
_NO_CONTACT = {404: "no such contact"}
_CLASH = {409: "a contact matching those details exists", 422: "well-formed but not possible"}

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
        "POST",
        "/contacts",
        contacts.create_contact,
        "Create a contact",
        "Contacts",
        need="write_contacts",
        request=wire_contacts.SentContact,
        response=wire_contacts.ContactBody,
        errors={**_CLASH, 403: "the token lacks the scope, or the user was blocked"},
        first=V2,
    ),
    Route(
        "GET",
        "/contacts",
        contacts.list_contacts,
        "List contacts, newest first",
        "Contacts",
        need="read_contacts",
        response=wire_contacts.ContactList,
        params=(
            Param("per_page", "contacts a page, 1 to 150; 10 without it", "integer"),
            Param("starting_after", "the cursor of pages.next.starting_after"),
        ),
        first=V2,
    ),
    Route(
        "GET",
        "/contacts/{contact_id}",
        contacts.get_contact,
        "Get a contact",
        "Contacts",
        need="read_contacts",
        response=wire_contacts.ContactBody,
        params=_CONTACT_ID,
        errors=_NO_CONTACT,
        first=V2,
    ),
    Route(
        "PUT",
        "/contacts/{contact_id}",
        contacts.update_contact,
        "Update a contact: what is sent changes, the rest stays",
        "Contacts",
        need="write_contacts",
        request=wire_contacts.SentContact,
        response=wire_contacts.ContactBody,
        params=_CONTACT_ID,
        errors={**_NO_CONTACT, **_CLASH},
        first=V2,
    ),
    Route(
        "DELETE",
        "/contacts/{contact_id}",
        contacts.delete_contact,
        "Delete a contact and erase its events, for good",
        "Contacts",
        need="write_contacts",
        response=wire_contacts.DeletedContact,
        params=_CONTACT_ID,
        errors=_NO_CONTACT,
        first=V2,
    ),
    Route(
        "GET",
        "/contacts/find_by_external_id/{external_id:path}",
        contacts.find_by_external_id,
        "Get the user with an external id",
        "Contacts",
        need="read_contacts",
        response=wire_contacts.ContactBody,
        params=(Param("external_id", "the customer's own id, URL-encoded", place="path", required=True),),
        errors=_NO_CONTACT,
        first=(2, 13),
    ),
    Route("GET", "/me", admins.get_me, "Who the access token belongs to", "Admins", response=wire_admins.Me),
    Route("GET", "/admins", admins.list_admins, "List the workspace's admins", "Admins", response=wire_admins.AdminList),
    Route(
        "GET",
        "/admins/{admin_id}",
        admins.get_admin,
        "Get an admin",
        "Admins",
        response=wire_admins.AdminDetail,
        params=(Param("admin_id", "a decimal string", place="path", required=True),),
        errors={404: "no such admin"},
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
    Route(
        "GET",
        "/-/health",
        health.get_health,
        "Whether the server lives and is ready, and why not",
        "Server",
        response=health.Health,
        params=(Param("check", "live: answer 200 whenever the server can answer at all"),),
        errors={503: "not ready: reasons say why"},
        open=True,
    ),
    Route("GET", "/-/openapi.json", docs.get_openapi, "This API as an OpenAPI 3.1 document", "Server", response=dict[str, Any], open=True),
    Route("GET", "/-/docs", docs.get_docs, "This API as a page to read", "Server", response=bytes, open=True),
    Route("GET", "/", docs.get_root, "Sends a browser to the docs", "Server", status=302, open=True),
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
