"""Routes of exports."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
