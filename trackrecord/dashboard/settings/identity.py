"""What pages may do: which of them may deliver, and what proves who somebody is."""

from typing import Any

from ...directory import Directory
from ...errors import NotFound, RequestError
from ...http.call import Answer
from ...rules.directory import IdentitySecret
from ..visit import Page, Visit
from . import common

DAY_S = 86_400
DAYS_SHOWN = 30
HINT_MAX = 4


async def identity(visit: Visit, **more: Any) -> Answer:
    """GET settings/identity."""

    def look(directory: Directory) -> dict[str, Any]:
        gate = directory.messenger.gate(visit.workspace.id)
        return {
            "origins": sorted(gate.origins) if gate else [],
            "enforced": gate is not None and gate.workspace.identity_enforced,
            "secrets": [
                {"id": each.id, "begins": _hint(each.secret), "created_at": each.created_at}
                for each in directory.messenger.secrets(visit.workspace.number)
            ],
            "given_up": [
                {"at": day * DAY_S, "reason": reason, "count": count}
                for day, reason, count in directory.messenger.dropped(visit.workspace.number)[:DAYS_SHOWN]
            ],
        }

    return common.page(visit, "identity", **await common.ask(visit, look), **{"secret": None, "origin": "", "at": None, **more})


async def make_secret(visit: Visit) -> Answer:
    """POST settings/identity/secrets. The answer shows it, this once."""
    made: IdentitySecret = await common.ask(
        visit, lambda directory: directory.messenger.add_secret(visit.workspace.number, now=visit.now())
    )
    return await identity(visit, secret=made.secret)


async def ask_to_retire(visit: Visit) -> Answer:
    """GET settings/identity/secrets/{id}/retire: what would happen."""
    return common.page(visit, "identity", "retire", **await _secret(visit))


async def retire(visit: Visit) -> Answer:
    """POST settings/identity/secrets/{id}/retire."""
    id = common.number(visit, "id")
    try:
        await common.ask(visit, lambda directory: directory.messenger.retire_secret(visit.workspace.number, id, now=visit.now()))
    except NotFound:
        raise
    except RequestError as error:
        return common.page(visit, "identity", "retire", **await _secret(visit), error=error)
    return visit.go(visit.url("settings/identity"), f"The identity secret {id} proves nothing any more")


async def enforce(visit: Visit) -> Answer:
    """POST settings/identity/enforce: state, on or off."""
    state = visit.field("state") == "on"
    try:
        await common.ask(visit, lambda directory: directory.messenger.enforce(visit.workspace.number, state))
    except RequestError as error:
        return await identity(visit, error=error, at="enforce")
    return visit.go(visit.url("settings/identity"), "Identities must be proved" if state else "Identities are believed as they are said")


async def allow(visit: Visit) -> Answer:
    """POST settings/identity/origins: origin."""
    origin = visit.field("origin")
    try:
        added = await common.ask(visit, lambda directory: directory.messenger.add_origin(visit.workspace.number, origin))
    except RequestError as error:
        return await identity(visit, error=error, at="origin", origin=origin)
    return visit.go(visit.url("settings/identity"), f"Pages of {added} may deliver")


async def forbid(visit: Visit) -> Answer:
    """POST settings/identity/origins/remove: origin."""
    origin = visit.field("origin")
    removed = await common.ask(visit, lambda directory: directory.messenger.remove_origin(visit.workspace.number, origin))
    return visit.go(visit.url("settings/identity"), f"Pages of {removed} may not deliver any more")


async def _secret(visit: Visit) -> dict[str, Any]:
    """The secret of the address, and how many stay beside it. Raises NotFound."""
    id = common.number(visit, "id")
    valid: list[IdentitySecret] = await common.ask(visit, lambda directory: directory.messenger.secrets(visit.workspace.number))
    for each in valid:
        if each.id == id:
            return {"id": id, "begins": _hint(each.secret), "created_at": each.created_at, "others": len(valid) - 1}
    raise NotFound("this workspace has no such identity secret, or it is retired", field="id")


def _hint(secret: str) -> str:
    return secret[: min(HINT_MAX, len(secret) // 4)]


PAGES = (
    Page("GET", "settings/identity", identity),
    Page("POST", "settings/identity/secrets", make_secret, role="admin"),
    Page("GET", "settings/identity/secrets/{id}/retire", ask_to_retire, role="admin"),
    Page("POST", "settings/identity/secrets/{id}/retire", retire, role="admin"),
    Page("POST", "settings/identity/enforce", enforce, role="admin"),
    Page("POST", "settings/identity/origins", allow, role="admin"),
    Page("POST", "settings/identity/origins/remove", forbid, role="admin"),
)
