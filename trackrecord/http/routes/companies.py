"""Routes of companies."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
