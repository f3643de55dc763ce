"""Routes of users, as API 1.x had them."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
