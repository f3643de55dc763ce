"""Describing, renaming and archiving an event name."""

from typing import Any
from urllib.parse import quote

from ...errors import Conflict, RequestError
from ...http.call import Answer
from ..visit import Visit
from .name import known


async def show(visit: Visit) -> Answer:
    """GET events/edit?name=."""
    return _page(visit, await known(visit))


async def save(visit: Visit) -> Answer:
    """POST events/edit?name=: `name` and `description`."""
    name = await known(visit)
    change: dict[str, Any] = {"description": visit.field("description") or None}
    if visit.field("name") != name["name"].strip():
        change["name"] = visit.field("name")
    try:
        changed = (await visit.api.put(_path(name), change)).data
    except RequestError as error:
        if not isinstance(error, Conflict) and error.status not in (400, 422):
            raise
        return _page(visit, name, error)
    renamed = changed["name"] != name["name"]
    said = f"It is called {_short(changed['name'])} from now on" if renamed else "Saved"
    return visit.go(visit.url("events/name", name=changed["name"]), said)


async def archive(visit: Visit) -> Answer:
    """POST events/archive?name=: `archived` true or false."""
    name = await known(visit)
    archived = visit.field("archived") == "true"
    try:
        await visit.api.put(_path(name), {"archived": archived})
    except RequestError as error:
        if error.status != 422:
            raise
        return _page(visit, name, error)
    return visit.go(
        visit.url("events/name", name=name["name"]), "Archived: it is out of the catalogue" if archived else "Back in the catalogue"
    )


def _page(visit: Visit, name: dict[str, Any], error: RequestError | None = None) -> Answer:
    return visit.html(
        "events/edit.html",
        status=200 if error is None else error.status,
        name=name,
        error=error,
        typed={
            "name": visit.field("name") or name["name"],
            "description": visit.field("description") if visit.form else name["description"] or "",
        },
    )


def _path(name: dict[str, Any]) -> str:
    return f"/-/api/event-names/{quote(name['name'], safe='')}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
