"""Routes of contact search."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
