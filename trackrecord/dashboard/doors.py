"""The pages that stand outside: signing in and out, the first account, and a link to choose a password."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from ..errors import NotFound, RequestError
from ..http.call import Answer, Asked, Services
from ..rules.accounts import PASSWORD_MIN
from . import rendering, start
from .sessions import Headers, Sessions
from .visit import form_of

HOME = "/-/ui/"

_sessions: WeakKeyDictionary[Services, Sessions] = WeakKeyDictionary()


def sessions_of(services: Services) -> Sessions:
    """The one of a server."""
    found = _sessions.get(services)
    if found is None:
        found = _sessions[services] = Sessions(services)
    return found


async def lead_in(asked: Asked, method: str) -> Answer:
    """Where somebody goes who is not signed in: to the first account while there is none, else to sign in and then on."""
    if await sessions_of(asked.services).is_new():
        return rendering.redirect(asked, f"{HOME}welcome")
    path = asked.path.get("path", "")
    query = urlencode(asked.query)
    wanted = f"{HOME}{path}" + (f"?{query}" if query else "")
    return rendering.redirect(asked, _sign_in_address(wanted if method == "GET" and path else None))


def _sign_in_address(wanted: str | None) -> str:
    return f"{HOME}sign-in" + (f"?{urlencode({'next': wanted})}" if wanted else "")


def _inside(address: str) -> str:
    """The address if it leads to a page of ours, else the first page: nobody is led elsewhere by a link that was sent to them."""
    plain = address.startswith(HOME) and "\\" not in address and "//" not in address and address.isprintable()
    return address if plain else HOME


def _page(asked: Asked, template: str, *, status: int = 200, error: RequestError | None = None, **context: Any) -> Answer:
    form = sessions_of(asked.services).form(asked)
    page = rendering.page(
        asked,
        f"doors/{template}.html",
        status=status if error is None else error.status,
        headers=form.headers,
        csrf=form.csrf,
        error=error,
        password_min=PASSWORD_MIN,
        **context,
    )
    return rendering.refusing(page, error)


async def _sent(asked: Asked) -> dict[str, str]:
    """The fields of a form of one of these pages. Raises FormRefused for a form of anybody else's."""
    fields = dict(form_of(asked))
    sessions_of(asked.services).check_form(asked, fields)
    return fields


async def get_sign_in(asked: Asked) -> Answer:
    """GET sign-in?next="""
    sessions = sessions_of(asked.services)
    if await sessions.is_new():
        return rendering.redirect(asked, f"{HOME}welcome")
    wanted = _inside(asked.param("next") or HOME)
    if await sessions.who(asked) is not None:
        return rendering.redirect(asked, wanted)
    return _page(asked, "sign_in", next=wanted, email="")


async def post_sign_in(asked: Asked) -> Answer:
    """POST sign-in: email, password, next."""
    fields = await _sent(asked)
    wanted, email = _inside(fields.get("next", HOME)), fields.get("email", "").strip()
    try:
        headers = await sessions_of(asked.services).sign_in(asked, email, fields.get("password", ""))
    except RequestError as error:
        return _page(asked, "sign_in", error=error, next=wanted, email=email)
    return rendering.redirect(asked, wanted, headers=headers)


async def post_sign_out(asked: Asked) -> Answer:
    """POST sign-out."""
    sessions = sessions_of(asked.services)
    signed_in = await sessions.who(asked)
    if signed_in is not None:
        sessions.check_csrf(asked, signed_in, dict(form_of(asked)))
    return rendering.redirect(asked, _sign_in_address(None), headers=await sessions.sign_out(asked))


async def get_welcome(asked: Asked) -> Answer:
    """GET welcome?key=: the first account. Without the key it is made from this machine alone."""
    sessions = sessions_of(asked.services)
    if not await sessions.is_new():
        return rendering.redirect(asked, HOME)
    key = asked.param("key")
    return _page(asked, "welcome", may=await sessions.may_begin(asked, key), key=key, email="", name="")


async def post_welcome(asked: Asked) -> Answer:
    """POST welcome: key, email, name, password."""
    fields = await _sent(asked)
    sessions = sessions_of(asked.services)
    key, email, name = fields.get("key") or None, fields.get("email", "").strip(), fields.get("name", "").strip()
    try:
        headers = await sessions.begin(asked, key, email, name, fields.get("password", ""))
    except NotFound:
        return rendering.redirect(asked, HOME)
    except RequestError as error:
        return _page(asked, "welcome", error=error, may=True, key=key, email=email, name=name)
    workspace = (await asked.services.in_thread(asked.services.directory.workspaces.list))[0]
    account = (await asked.services.in_thread(asked.services.directory.accounts.by_email, email)).number
    await start.make_token(asked.services, account, workspace.number)
    return rendering.redirect(asked, f"{HOME}w/{workspace.id}/start", headers=headers)


async def get_link(asked: Asked) -> Answer:
    """GET link?key=: choose the password of the account that the link was made for."""
    key = asked.param("key") or ""
    account = await sessions_of(asked.services).account_of(asked, key)
    return _page(asked, "link", key=key, account=account)


async def post_link(asked: Asked) -> Answer:
    """POST link: key, password."""
    fields = await _sent(asked)
    sessions, key = sessions_of(asked.services), fields.get("key", "")
    try:
        headers: Headers = await sessions.redeem(asked, key, fields.get("password", ""))
    except NotFound:
        raise
    except RequestError as error:
        return _page(asked, "link", error=error, key=key, account=await sessions.account_of(asked, key))
    return rendering.redirect(asked, HOME, headers=headers)


Door = Callable[[Asked], Awaitable[Answer]]
DOORS: dict[tuple[str, str], Door] = {
    ("GET", "sign-in"): get_sign_in,
    ("POST", "sign-in"): post_sign_in,
    ("POST", "sign-out"): post_sign_out,
    ("GET", "welcome"): get_welcome,
    ("POST", "welcome"): post_welcome,
    ("GET", "link"): get_link,
    ("POST", "link"): post_link,
}
