"""One's own account: the password, and where it is signed in."""

from typing import Any

from ...errors import RequestError
from ...http.call import Answer
from ...rules.accounts import PASSWORD_MIN
from .. import doors, rendering
from ..visit import Page, Visit
from . import common


async def you(visit: Visit, **more: Any) -> Answer:
    """GET settings/you."""
    account = visit.signed_in.account
    sessions = await common.ask(visit, lambda directory: directory.sessions.list(account.number, now=visit.now()))
    return common.page(visit, "you", account=account, sessions=sessions, mine=visit.signed_in.digest, least=PASSWORD_MIN, **more)


async def change_password(visit: Visit) -> Answer:
    """POST settings/you/password: current, password. All other sessions end."""
    # Blanks belong to a password, so the fields are taken as they were sent.
    sent = dict(visit.form)
    try:
        headers = await doors.sessions_of(visit.services).change_password(
            visit.asked, visit.signed_in, sent.get("current", ""), sent.get("password", "")
        )
    except RequestError as error:
        return await you(visit, error=error)
    said = "The password is changed, and you are signed out everywhere else"
    return rendering.redirect(visit.asked, visit.url("settings/you"), said, headers=headers)


async def end_others(visit: Visit) -> Answer:
    """POST settings/you/sessions: end all but this one."""
    signed_in = visit.signed_in
    ended = await common.ask(visit, lambda directory: directory.sessions.end_all(signed_in.account.number, but=signed_in.digest))
    return visit.go(visit.url("settings/you"), f"{ended} other {'session' if ended == 1 else 'sessions'} ended")


PAGES = (
    Page("GET", "settings/you", you),
    Page("POST", "settings/you/password", change_password),
    Page("POST", "settings/you/sessions", end_others),
)
