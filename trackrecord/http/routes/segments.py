"""Routes of segments."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
