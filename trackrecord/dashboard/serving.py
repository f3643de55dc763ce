"""From an address under /-/ui/ to its page: who looks, at which workspace, and what they may."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from starlette.routing import compile_path

from ..errors import NotFound, RequestError, TrackrecordError
from ..http.call import Answer, Asked
from ..http.errors import seen
from . import doors, rendering
from .errors import NotYours
from .pages import PAGES
from .sessions import SignedIn
from .visit import Page, Visit

_WORKSPACE = re.compile(r"^w/([^/]+)(?:/(.*))?$", re.DOTALL)


async def serve(method: str, asked: Asked) -> Answer:
    """Answer a request for a page. What goes wrong on purpose becomes a page that says so; the rest is a 500 with its request id."""
    path = asked.path.get("path", "")
    if path.startswith("static/"):
        return rendering.static_file(path.removeprefix("static/"))
    visit = None
    try:
        if (door := doors.DOORS.get((method, path))) is not None:
            return await door(asked)
        sessions = doors.sessions_of(asked.services)
        signed_in = await sessions.who(asked)
        if signed_in is None:
            return await doors.lead_in(asked, method)
        if (found := _WORKSPACE.match(path)) is None:
            return rendering.redirect(asked, _home(asked, signed_in, path))
        membership = signed_in.membership(found[1])
        if membership is None:  # the same for one that is not there and one that is another's
            raise NotFound(f"You are in no workspace called {found[1][:80]}", field="workspace")
        rest = found[2] or ""
        visit = Visit(asked, signed_in, membership, at=rest.partition("/")[0])
        if not rest:
            return visit.go(visit.url("live"))
        page, visit.path = _page(method, rest)
        if method == "POST":
            sessions.check_csrf(asked, signed_in, dict(visit.form))
        if page.role == "admin" and not membership.changes:
            raise NotYours
        return await page.view(visit)
    except Exception as error:
        failure = seen(error, asked.request_id)
        return problem(asked, visit, status=failure.status, message=failure.message, error=failure)


def _home(asked: Asked, signed_in: SignedIn, path: str) -> str:
    """Where somebody goes who names no workspace."""
    if path not in ("", "w"):
        raise NotFound("There is no such page", field="path")
    for membership in signed_in.memberships:
        return f"/-/ui/w/{quote(membership.workspace.id, safe='')}/live"
    raise RequestError("You are in no workspace any more: ask an admin to let you in")


def _page(method: str, rest: str) -> tuple[Page, dict[str, str]]:
    """The page of an address, and its parameters. Raises NotFound for an address that no page has."""
    for pattern, page in _patterns():
        if page.method == method and (found := pattern.match(rest)):
            return page, found.groupdict()
    raise NotFound("There is no such page", field="path")


@cache
def _patterns() -> Sequence[tuple[re.Pattern[str], Page]]:
    """Those without parameters first, so that /contacts/merge is never the contact "merge"."""
    return [(compile_path(page.path)[0], page) for page in sorted(PAGES, key=lambda page: "{" in page.path)]


def problem(asked: Asked, visit: Visit | None, *, status: int, message: str, error: TrackrecordError | None = None) -> Answer:
    """A page, or a piece of one, that says what happened and what to do."""
    context: dict[str, Any] = {"message": message, "error": error}
    if visit is None:
        return rendering.refusing(rendering.page(asked, "problem_outside.html", status=status, **context), error)
    page = visit.html("problem_piece.html" if visit.partial else "problem.html", status=status, **context)
    return rendering.refusing(page, error, visit.workspace)
