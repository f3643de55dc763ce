"""Routes of the event catalogue."""

from ...rules.catalogue import SORTS
from ...wire import catalogue as wire_catalogue
from ..api import catalogue
from .route import Param, Route

_NAME = (Param("name", "the event's name, URL-encoded; in any case, and also what it was called before", place="path", required=True),)
_NO_NAME = {404: "nobody has sent an event of this name"}

_ACTIVITY = Param("include_activity", "true for how many contacts did it, and how often it happened on each of the last 30 days", "boolean")

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/-/api/event-names",
        catalogue.list_names,
        "List the names that events were sent under, with how often, since when, and with which metadata",
        "Event catalogue",
        need="read_events",
        response=wire_catalogue.NameList,
        params=(
            Param("include_archived", "true to list archived names too", "boolean"),
            _ACTIVITY,
            Param("query", "only names that have this text in them, or had before they were renamed"),
            Param("sort", f"{', '.join(SORTS)}; name without it", among=tuple(SORTS)),
            Param("order", "asc or desc; without it the alphabet begins with a, and all else with the greatest", among=("asc", "desc")),
            Param("per_page", "names a page, 1 to 150; 50 without it", "integer"),
            Param("starting_after", "the cursor of pages.next.starting_after"),
        ),
    ),
    Route(
        "GET",
        "/-/api/event-names/{name:path}",
        catalogue.get_name,
        "Get one event name",
        "Event catalogue",
        need="read_events",
        response=wire_catalogue.NameBody,
        params=(*_NAME, _ACTIVITY),
        errors=_NO_NAME,
    ),
    Route(
        "PUT",
        "/-/api/event-names/{name:path}",
        catalogue.update_name,
        "Describe, rename or archive an event name: what is sent changes, the rest stays",
        "Event catalogue",
        need="write_events",
        request=wire_catalogue.SentName,
        response=wire_catalogue.NameBody,
        params=_NAME,
        errors={**_NO_NAME, 409: "another event name is called so, or was", 422: "well-formed but not possible"},
    ),
)
