"""Routes of the event catalogue."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
