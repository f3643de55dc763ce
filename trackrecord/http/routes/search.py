"""Routes of contact search."""

from ...wire.contacts import ContactList
from ...wire.search import SentSearch
from ..api import search
from .route import V2, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/contacts/search",
        search.search_contacts,
        "Search contacts",
        "Contacts",
        need="read_contacts",
        request=SentSearch,
        response=ContactList,
        first=V2,
    ),
)
