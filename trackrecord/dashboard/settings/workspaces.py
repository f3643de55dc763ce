"""The workspace, those beside it, and making another."""

from functools import cache
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

from ...directory import Directory
from ...errors import RequestError
from ...http.call import Answer
from ...rules.directory import Workspace
from ..visit import Page, Visit
from . import common

ODD_ZONES = ("Etc/", "SystemV/", "posix/", "right/")


@cache
def _zones() -> list[str]:
    """The names people look for: by continent, and UTC."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(ODD_ZONES))
    return ["UTC", *sorted(places)]


async def settings(visit: Visit) -> Answer:
    return visit.go(visit.url("settings/workspace"))


async def workspace(visit: Visit, **more: Any) -> Answer:
    """GET settings/workspace."""
    here = visit.workspace
    shown = {"name": here.name, "timezone": here.timezone, "new_id": "", "new_name": "", "new_timezone": here.timezone, "at": None, **more}
    zones = _zones()
    return common.page(visit, "workspace", zones=zones if here.timezone in zones else [here.timezone, *zones], **shown)


async def change(visit: Visit) -> Answer:
    """POST settings/workspace: name, timezone."""
    name, zone = visit.field("name"), visit.field("timezone")
    try:
        await common.ask(visit, lambda directory: directory.workspaces.change(visit.workspace.number, name=name, timezone=zone))
    except RequestError as error:
        return await workspace(visit, error=error, at="change", name=name)
    return visit.go(visit.url("settings/workspace"), "The workspace was changed")


async def create(visit: Visit) -> Answer:
    """POST settings/workspaces: id, name, timezone. Whoever makes one is its admin."""
    id, name, zone = visit.field("id"), visit.field("name"), visit.field("timezone")

    def make(directory: Directory) -> Workspace:
        made = directory.workspaces.create(id, name or id, now=visit.now(), timezone=zone)
        directory.accounts.set_role(visit.signed_in.account.number, made.number, "admin")
        return made

    try:
        made = await common.ask(visit, make)
    except RequestError as error:
        return await workspace(visit, error=error, at="create", new_id=id, new_name=name, new_timezone=zone)
    return visit.go(f"/-/ui/w/{quote(made.id, safe='')}/start", f"The workspace {made.name} was made, and you are its admin")


PAGES = (
    Page("GET", "settings", settings),
    Page("GET", "settings/workspace", workspace),
    Page("POST", "settings/workspace", change, role="admin"),
    Page("POST", "settings/workspaces", create, role="admin"),
)
