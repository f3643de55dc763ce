"""Routes of the log of refused requests."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
