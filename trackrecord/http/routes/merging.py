"""Routes of merging, archiving, unarchiving and blocking contacts."""

from ...wire import contacts as wire_contacts
from ...wire import merging as wire
from ..api import merging
from .route import CONTACT_ID, NO_CONTACT, V2, Param, Route

GONE = {**NO_CONTACT, 410: "the contact was merged away, from 2.16 on; Link has the one that took its place"}
HISTORY = Param("include_merge_history", "true to be shown the last merges into a user, from 2.16 on", "boolean")

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/contacts/merge",
        merging.merge_contacts,
        "Merge a lead into a user, which has its events from then on",
        "Contacts",
        need="write_contacts",
        request=wire.SentMerge,
        response=wire_contacts.ContactBody,
        params=(HISTORY,),
        errors={**GONE, 409: "an email that the user would take over is another user's"},
        first=V2,
    ),
    Route(
        "POST",
        "/-/api/contacts/merge/preview",
        merging.preview_merge,
        "See what merging a lead into a user would do",
        "Contacts",
        need="read_contacts",
        request=wire.SentMerge,
        response=wire.MergePreview,
        errors=NO_CONTACT,
    ),
    Route(
        "GET",
        "/contacts/{contact_id}/merge_history",
        merging.list_merge_history,
        "List the contacts that were merged into a user",
        "Contacts",
        need="read_contacts",
        response=wire.MergeHistory,
        params=(
            *CONTACT_ID,
            Param("per_page", "merges a page, 1 to 150; 50 without it", "integer"),
            Param("cursor", "next_cursor of the page before"),
            Param("order", "desc, or asc for the first merge first"),
        ),
        errors=GONE,
        first=(2, 16),
    ),
    Route(
        "POST",
        "/contacts/{contact_id}/archive",
        merging.archive_contact,
        "Archive a contact: hide it until it is unarchived",
        "Contacts",
        need="write_contacts",
        response=wire.ArchivedContact,
        params=CONTACT_ID,
        errors=GONE,
        first=V2,
    ),
    Route(
        "POST",
        "/contacts/{contact_id}/unarchive",
        merging.unarchive_contact,
        "Unarchive a contact, with all that it had",
        "Contacts",
        need="write_contacts",
        response=wire.ArchivedContact,
        params=CONTACT_ID,
        errors={**NO_CONTACT, 403: "the token lacks the scope, or the contact is blocked"},
        first=V2,
    ),
    Route(
        "POST",
        "/contacts/{contact_id}/block",
        merging.block_contact,
        "Block a contact: hide it for good",
        "Contacts",
        need="write_contacts",
        response=wire.BlockedContact,
        params=CONTACT_ID,
        errors=GONE,
        first=(2, 13),
    ),
)
