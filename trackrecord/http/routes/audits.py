"""Routes of deleting events, and the record of who did."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
