"""Routes of merging, archiving, unarchiving and blocking contacts."""

from .route import Route

ROUTES: tuple[Route, ...] = ()
