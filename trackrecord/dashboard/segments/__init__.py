"""Pages of segments: the list, the builder, one segment with its members and sizes, and why somebody is in it."""

from ..visit import Page
from . import building, listing, one

PAGES = (
    Page("GET", "segments", listing.list_segments),
    Page("GET", "segments/new", building.new),
    Page("POST", "segments/new", building.post, role="admin"),
    Page("GET", "segments/{segment_id}", one.show),
    Page("GET", "segments/{segment_id}/size", listing.size, piece=True),
    Page("GET", "segments/{segment_id}/why", one.why),
    Page("GET", "segments/{segment_id}/edit", building.edit, role="admin"),
    Page("POST", "segments/{segment_id}/edit", building.post, role="admin"),
    Page("GET", "segments/{segment_id}/delete", one.ask_delete, role="admin"),
    Page("POST", "segments/{segment_id}/delete", one.delete, role="admin"),
)
