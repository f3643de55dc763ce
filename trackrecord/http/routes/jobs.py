"""Routes of bulk submission and its jobs."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
