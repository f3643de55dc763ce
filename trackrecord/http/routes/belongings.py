"""Routes of what contacts never have here."""

from ...wire import belongings as wire
from ..api import belongings
from .merging import GONE
from .route import CONTACT_ID, V2, Route

ROUTES: tuple[Route, ...] = tuple(
    Route(
        "GET",
        f"/contacts/{{contact_id}}/{path}",
        handler,
        f"List a contact's {path}: there are none",
        "Contacts",
        need="read_contacts",
        response=response,
        params=CONTACT_ID,
        errors=GONE,
        first=V2,
    )
    for path, handler, response in (
        ("notes", belongings.list_notes, wire.Notes),
        ("subscriptions", belongings.list_subscriptions, wire.Subscriptions),
    )
)
