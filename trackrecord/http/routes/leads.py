"""Routes of leads, as API 1.x had them under /contacts."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
