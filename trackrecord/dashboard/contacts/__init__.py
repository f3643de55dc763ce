"""Pages of contacts: the list with its search, one contact, and what an admin may do with one."""

from ..visit import Page
from . import deeds, listing, merging, profile, tagging

PAGES = (
    Page("GET", "contacts", listing.list_contacts),
    Page("GET", "contacts/archived", listing.list_archived),
    Page("GET", "contacts/{contact_id}", profile.show),
    Page("GET", "contacts/{contact_id}/events", profile.timeline),
    Page("POST", "contacts/{contact_id}/tags", tagging.add, role="admin"),
    Page("POST", "contacts/{contact_id}/tags/remove", tagging.remove, role="admin"),
    Page("GET", "contacts/{contact_id}/merge", merging.prepare, role="admin"),
    Page("POST", "contacts/{contact_id}/merge", merging.merge, role="admin"),
    *(
        row
        for deed in deeds.DEEDS
        for row in (
            Page("GET", f"contacts/{{contact_id}}/{deed.word}", deeds.ask, role="admin"),
            Page("POST", f"contacts/{{contact_id}}/{deed.word}", deeds.do, role="admin"),
        )
    ),
)
