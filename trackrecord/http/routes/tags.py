"""Routes of tags."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
