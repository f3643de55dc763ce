"""Every page of a workspace: one row each, by noun. Addresses lie below /-/ui/w/{workspace}/.

To add a page, write its view and its row in <noun>.py (or a folder of that name), its template in templates/<noun>/, and its test in
tests/dashboard/.
"""

from . import contacts, events, finding, live, reports, segments, settings, start
from .visit import Page

PAGES: tuple[Page, ...] = (
    *start.PAGES,
    *live.PAGES,
    *events.PAGES,
    *contacts.PAGES,
    *segments.PAGES,
    *reports.PAGES,
    *settings.PAGES,
    *finding.PAGES,
)
