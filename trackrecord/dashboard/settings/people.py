"""Who may sign in to the workspace, and as what."""

from typing import Any

from ...directory import Directory
from ...directory.sessions import DAY_S, LINK_S
from ...errors import DataInvalid, NotFound, RequestError
from ...http.call import Answer
from ...rules.accounts import ROLES, Account, manages
from .. import tables
from ..visit import Page, Visit
from . import common

COLUMNS = ("name", "email", "role", "state", "last_seen_at")
LINK_DAYS = LINK_S // DAY_S


async def people(visit: Visit, **more: Any) -> Answer:
    """GET settings/people?format=."""

    def look(directory: Directory) -> list[dict[str, Any]]:
        return [
            {"account": account, "role": role, "seen_at": _seen_at(directory, account, visit.now())}
            for account, role in directory.accounts.members(visit.workspace.number)
        ]

    there = await common.ask(visit, look)
    if visit.param("format") == "csv":
        return visit.csv("people", COLUMNS, [_cells(**each) for each in there])
    shown = {"email": "", "name": "", "role": "viewer", "link": None, "link_for": None, "link_days": LINK_DAYS, **more}
    return common.page(visit, "people", people=there, roles=ROLES, **shown)


def _cells(account: Account, role: str, seen_at: int | None) -> list[Any]:
    state = "disabled" if account.disabled_at is not None else "active" if account.has_password else "invited"
    return [account.name, account.email, role, state, tables.moment(seen_at)]


async def invite(visit: Visit) -> Answer:
    """POST settings/people: email, name, role. Who has an account here already needs no link."""
    email, name, role = visit.field("email"), visit.field("name"), visit.field("role")

    def let_in(directory: Directory) -> tuple[Account, str | None]:
        known = directory.accounts.by_email(email)
        if known is not None:
            if any(account.number == known.number for account, _ in directory.accounts.members(visit.workspace.number)):
                raise DataInvalid(f"{known.email} is in this workspace already", field="email")
            directory.accounts.set_role(known.number, visit.workspace.number, role)
            return known, None
        account = directory.accounts.create(email, name, now=visit.now(), role=role, workspaces=[visit.workspace.number])
        return account, directory.links.create(account.number, now=visit.now())

    try:
        account, key = await common.ask(visit, let_in)
    except RequestError as error:
        return await people(visit, error=error, email=email, name=name, role=role)
    if key is None:
        return visit.go(visit.url("settings/people"), f"{account.email} is {role} here now, and signs in as before")
    return await people(visit, link=_address(visit, key), link_for=account)


async def person(visit: Visit, **more: Any) -> Answer:
    """GET settings/people/{number}."""
    account, role, managed = await common.ask(visit, lambda directory: _member(directory, visit))
    mine = account.number == visit.signed_in.account.number
    seen_at = await common.ask(visit, lambda directory: _seen_at(directory, account, visit.now()))
    known = {"account": account, "role": role, "managed": managed, "mine": mine, "seen_at": seen_at, "roles": ROLES}
    shown = {"link": None, "link_days": LINK_DAYS, **more}
    return common.page(visit, "people", "person", **known, **shown)


async def set_role(visit: Visit) -> Answer:
    """POST settings/people/{number}/role: role."""
    return await _do(
        visit, lambda directory, account: directory.accounts.set_role(account.number, visit.workspace.number, visit.field("role"))
    )


async def remove(visit: Visit) -> Answer:
    """POST settings/people/{number}/remove: out of this workspace."""
    return await _do(
        visit, lambda directory, account: directory.accounts.set_role(account.number, visit.workspace.number, None), to="settings/people"
    )


async def disable(visit: Visit) -> Answer:
    """POST settings/people/{number}/disable: everywhere."""
    return await _do(visit, lambda directory, account: directory.accounts.disable(account.number, now=visit.now()), managed=True)


async def enable(visit: Visit) -> Answer:
    """POST settings/people/{number}/enable."""
    return await _do(visit, lambda directory, account: directory.accounts.enable(account.number), managed=True)


async def link(visit: Visit) -> Answer:
    """POST settings/people/{number}/link: a new one-time link, which is shown once."""

    def make(directory: Directory) -> str:
        account = _member(directory, visit, managed=True)[0]
        return directory.links.create(account.number, now=visit.now())

    try:
        key = await common.ask(visit, make)
    except DataInvalid as error:
        return await person(visit, error=error)
    return await person(visit, link=_address(visit, key))


async def _do(visit: Visit, change: Any, *, managed: bool = False, to: str | None = None) -> Answer:
    """Change something about a member, and lead back."""

    def work(directory: Directory) -> Account:
        account, _, _ = _member(directory, visit, managed=managed)
        change(directory, account)
        return account

    try:
        account = await common.ask(visit, work)
    except NotFound:
        raise
    except RequestError as error:
        return await person(visit, error=error)
    if account.number == visit.signed_in.account.number:
        return visit.go("/-/ui/", "Your account was changed")
    return visit.go(visit.url(to or f"settings/people/{account.number}"), f"{account.email} was changed")


def _member(directory: Directory, visit: Visit, *, managed: bool = False) -> tuple[Account, str, bool]:
    """The account of the address, its role here, and whether the visitor manages it as a whole.

    Raises NotFound for one that is not in the workspace, and with `managed` DataInvalid for one that is elsewhere, too.
    """
    wanted = common.number(visit, "number")
    for account, role in directory.accounts.members(visit.workspace.number):
        if account.number == wanted:
            may = manages(visit.signed_in.memberships, directory.accounts.memberships(wanted))
            if managed and not may:
                raise DataInvalid(
                    "this account is in a workspace where you are no admin; whoever runs the server can do it: trackrecord account --help",
                    field="account",
                )
            return account, role, may
    raise NotFound("nobody in this workspace has this number", field="number")


def _seen_at(directory: Directory, account: Account, now: int) -> int | None:
    return next((session.seen_at for session in directory.sessions.list(account.number, now=now)), None)


def _address(visit: Visit, key: str) -> str:
    return f"{visit.asked.base_url}/-/ui/link?key={key}"


PAGES = (
    Page("GET", "settings/people", people),
    Page("POST", "settings/people", invite, role="admin"),
    Page("GET", "settings/people/{number}", person),
    Page("POST", "settings/people/{number}/role", set_role, role="admin"),
    Page("POST", "settings/people/{number}/remove", remove, role="admin"),
    Page("POST", "settings/people/{number}/link", link, role="admin"),
    Page("POST", "settings/people/{number}/disable", disable, role="admin"),
    Page("POST", "settings/people/{number}/enable", enable, role="admin"),
)
