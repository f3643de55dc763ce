"""Routes of queries of events across contacts."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
