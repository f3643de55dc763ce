"""Every path the server answers: one row each. The router, the OpenAPI document, the docs page and the tests read this table.

To add an endpoint, write its handler in api/<noun>.py and add a row in routes/<noun>.py. Of rows with the same method and path
the first that fits the version asked for is taken.
"""

from . import (
    admins,
    attributes,
    audits,
    belongings,
    catalogue,
    companies,
    contacts,
    events,
    exports,
    imports,
    jobs,
    leads,
    live,
    merging,
    messenger,
    queries,
    rankings,
    reports,
    requests,
    search,
    segments,
    server,
    tags,
    users,
    visitors,
)
from .route import Param, Route

__all__ = ["ROUTES", "Param", "Route"]

ROUTES: tuple[Route, ...] = (
    *events.ROUTES,
    *contacts.ROUTES,
    *search.ROUTES,
    *merging.ROUTES,
    *visitors.ROUTES,
    *tags.ROUTES,
    *attributes.ROUTES,
    *segments.ROUTES,
    *companies.ROUTES,
    *belongings.ROUTES,
    *admins.ROUTES,
    *users.ROUTES,
    *leads.ROUTES,
    *jobs.ROUTES,
    *catalogue.ROUTES,
    *queries.ROUTES,
    *live.ROUTES,
    *audits.ROUTES,
    *reports.ROUTES,
    *rankings.ROUTES,
    *exports.ROUTES,
    *imports.ROUTES,
    *requests.ROUTES,
    *messenger.ROUTES,
    *server.ROUTES,
)
