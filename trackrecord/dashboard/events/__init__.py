"""Pages of events: the catalogue of all names, and what there is to know of one."""

from ..visit import Page
from . import breakdown, catalogue, editing, name

PAGES = (
    Page("GET", "events", catalogue.show),
    Page("GET", "events/name", name.show),
    Page("GET", "events/name/breakdown", breakdown.piece, piece=True),
    Page("GET", "events/name/latest", name.latest, piece=True),
    Page("GET", "events/edit", editing.show, role="admin"),
    Page("POST", "events/edit", editing.save, role="admin"),
    Page("POST", "events/archive", editing.archive, role="admin"),
)
