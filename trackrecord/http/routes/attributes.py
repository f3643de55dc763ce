"""Routes of data attributes."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
