"""Access tokens: what opens the workspace to programs."""

from typing import Any

from ...directory import Directory
from ...errors import NotFound, RequestError
from ...http.call import Answer
from ...rules.directory import SCOPES, Token
from .. import tables
from ..visit import Page, Visit
from . import common

FIRST_SCOPES = frozenset({"write_events"})  # what is ticked at first: all that who sends events needs

COLUMNS = ("name", "begins", "scopes", "created_at", "last_used_at", "revoked_at")


async def tokens(visit: Visit, **more: Any) -> Answer:
    """GET settings/tokens?revoked=&format=: those that open something; with revoked=yes the others too."""
    everything: list[Token] = await common.ask(visit, lambda directory: directory.tokens.list(visit.workspace.number))
    valid = [token for token in everything if token.revoked_at is None]
    revoked = visit.param("revoked") == "yes"
    if visit.param("format") == "csv":
        return visit.csv("tokens", COLUMNS, [_cells(token) for token in (everything if revoked else valid)])
    shown = {"name": "", "chosen": FIRST_SCOPES, "secret": None, "made": None, **more}
    return common.page(
        visit,
        "tokens",
        tokens=everything[::-1] if revoked else valid[::-1],
        revoked=revoked,
        revoked_count=len(everything) - len(valid),
        scopes=SCOPES,
        **shown,
    )


def _cells(token: Token) -> list[Any]:
    times = (token.created_at, token.last_used_at, token.revoked_at)
    return [token.name, token.hint, " ".join(sorted(token.scopes)), *map(tables.moment, times)]


async def create(visit: Visit) -> Answer:
    """POST settings/tokens: name, scope (any number of them). The answer shows the secret, this once."""
    name, chosen = visit.field("name"), frozenset(visit.fields("scope"))
    try:
        made, secret = await common.ask(
            visit, lambda directory: directory.tokens.create(visit.workspace.number, name, chosen, now=visit.now())
        )
    except RequestError as error:
        return await tokens(visit, error=error, name=name, chosen=chosen)
    return await tokens(visit, secret=secret, made=made)


async def ask_to_revoke(visit: Visit) -> Answer:
    """GET settings/tokens/{id}/revoke: what would happen."""
    return common.page(visit, "tokens", "revoke", token=await common.ask(visit, lambda directory: _found(directory, visit)))


async def revoke(visit: Visit) -> Answer:
    """POST settings/tokens/{id}/revoke."""
    id = common.number(visit, "id")
    token = await common.ask(visit, lambda directory: directory.tokens.revoke(visit.workspace.number, id, now=visit.now()))
    return visit.go(visit.url("settings/tokens"), f"The token {token.name} is revoked")


def _found(directory: Directory, visit: Visit) -> Token:
    """Raises NotFound."""
    id = common.number(visit, "id")
    for token in directory.tokens.list(visit.workspace.number):
        if token.id == id:
            return token
    raise NotFound("this workspace has no such token", field="id")


PAGES = (
    Page("GET", "settings/tokens", tokens),
    Page("POST", "settings/tokens", create, role="admin"),
    Page("GET", "settings/tokens/{id}/revoke", ask_to_revoke, role="admin"),
    Page("POST", "settings/tokens/{id}/revoke", revoke, role="admin"),
)
