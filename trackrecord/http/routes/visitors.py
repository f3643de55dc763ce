"""Routes of visitors."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
