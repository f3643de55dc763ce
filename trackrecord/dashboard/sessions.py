"""Who asks for a page, signing in and out, and that a form came from a page of ours.

A session is a cookie of 32 random bytes; a form in it carries a token made of the cookie, which no other site can read. A form before
there is a session carries one made of a cookie of its own. Beside that, what browsers say of where a form came from must be here.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..directory.accounts import Verified
from ..directory.sessions import AGE_MAX_S, SEEN_EVERY_S, digest_of, new_secret
from ..errors import DataInvalid, NotFound, Unavailable
from ..http.call import Asked, Services
from ..http.later import Later
from ..rules.accounts import Account, Membership, token_of
from ..rules.contacts import fold_email
from ..rules.directory import Token
from .errors import FormRefused, SignInRefused, TooManyTries
from .throttle import Throttle

SESSION, FORM = "trackrecord_session", "trackrecord_form"
HASHED_AT_ONCE = 2  # passwords; each takes 64 MB and a core
HASHING_MAX = 16  # that wait or are hashed; more are answered 503
COOKIE_MAX = 128  # characters of a cookie of ours
PROXIED = (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip")

Headers = tuple[tuple[bytes, bytes], ...]


class SignedIn(NamedTuple):
    account: Account
    memberships: tuple[Membership, ...]  # oldest workspace first; empty for who was taken out of all
    csrf: str  # what each form must carry
    digest: bytes  # of the session

    def membership(self, app_id: str) -> Membership | None:
        """What the account is in the workspace of this id; None where it is nothing, or there is no such workspace."""
        return next((each for each in self.memberships if each.workspace.id == app_id), None)

    def token(self, membership: Membership) -> Token:
        """What the API is asked with."""
        return token_of(self.account, membership)


class Form(NamedTuple):
    """A form before there is a session: the token it must carry, and the headers its page must be answered with."""

    csrf: str
    headers: Headers


class Sessions:
    """One for the server's life. Methods that return headers return cookies, to be answered with a redirect."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._directory = services.directory
        self._throttle = Throttle()
        self._hashing = asyncio.Semaphore(HASHED_AT_ONCE)
        self._waiting = 0
        self._key = secrets.token_bytes(32)  # of forms before there is a session; those that are open at a restart are refused
        self._seen: Later[bytes] = Later(self._directory.sessions.touch, services.in_thread, every_s=SEEN_EVERY_S)

    # Who asks

    async def who(self, asked: Asked) -> SignedIn | None:
        """Who is signed in; None for nobody, for a session that ended, and for an account that was disabled."""
        secret = _cookie(asked, SESSION)
        if secret is None:
            return None
        digest, now = digest_of(secret), asked.now()
        found = await self._services.at_gate(self._directory.sessions.find, digest, now=now)
        if found is None:
            return None
        self._seen.note(digest, found.seen_at, now=now)
        return SignedIn(found.account, tuple(found.memberships), _signed(secret.encode(), b"csrf"), digest)

    # In and out

    async def sign_in(self, asked: Asked, email: str, password: str) -> Headers:
        """Begin a session. Raises SignInRefused, the same for every reason, and TooManyTries, which says when to try again."""
        folded = fold_email(email)
        wait_s = self._throttle.begin(folded, asked.client, self._services.now())
        if wait_s:
            raise TooManyTries(wait_s)
        verified = await self._verified(asked, email, password)
        if verified is None:
            raise SignInRefused
        self._throttle.succeeded(folded, asked.client)
        return await self._begin(asked, verified.account, kept=verified.kept)

    async def sign_out(self, asked: Asked) -> Headers:
        """End the session, here and in the directory."""
        secret = _cookie(asked, SESSION)
        if secret is not None:
            await self._services.in_thread(self._directory.sessions.end, digest_of(secret))
        return (_set(asked, SESSION, "", age_s=0),)

    async def change_password(self, asked: Asked, signed_in: SignedIn, current: str, password: str) -> Headers:
        """Choose another password, and go on in a new session; all others end.

        Raises DataInvalid where the current one is wrong or the new one will not do, and TooManyTries.
        """
        account = signed_in.account
        folded = fold_email(account.email)
        wait_s = self._throttle.begin(folded, asked.client, self._services.now())
        if wait_s:
            raise TooManyTries(wait_s)
        if await self._verified(asked, account.email, current) is None:
            raise DataInvalid("the current password is wrong", field="current")
        self._throttle.succeeded(folded, asked.client)
        await self._hashed(self._directory.accounts.set_password, account, password)
        return await self._begin(asked, account)

    async def redeem(self, asked: Asked, key: str, password: str) -> Headers:
        """Choose the password of a one-time link's account, and sign in. Raises NotFound and DataInvalid, as Links.redeem has it."""
        account = await self._hashed(self._directory.links.redeem, key, password, now=asked.now())
        return await self._begin(asked, account)

    async def account_of(self, asked: Asked, key: str) -> Account:
        """Whose password a one-time link would choose. Raises NotFound."""
        account: Account = await self._services.in_thread(self._directory.links.account, key, now=asked.now())
        return account

    # The first account

    async def is_new(self) -> bool:
        """Whether the server has no account yet."""
        return not await self._services.in_thread(self._directory.accounts.any)

    async def may_begin(self, asked: Asked, key: str | None) -> bool:
        """Whether this caller may make the server's first account: by the link that the server printed at its start, or from this
        very machine, by an address of the loopback and past no proxy.
        """
        if not await self.is_new():
            return False
        if key is None:
            return self._from_here(asked)
        opens: bool = await self._services.in_thread(self._directory.links.opens_first, key, now=asked.now())
        return opens

    async def begin(self, asked: Asked, key: str | None, email: str, name: str, password: str) -> Headers:
        """Make the server's first account, admin of every workspace, and sign in. Raises NotFound, and what Links.begin raises."""
        if not await self.may_begin(asked, key):  # before anything is hashed for a stranger
            raise NotFound("the first account is made by the link that the server printed at its start", field="key")
        account = await self._hashed(self._directory.links.begin, key, email, name, password, now=asked.now())
        return await self._begin(asked, account)

    # Forms

    def form(self, asked: Asked) -> Form:
        """For a page with a form before there is a session: signing in, the first account, a one-time link."""
        secret = _cookie(asked, FORM)
        if secret is not None:
            return Form(self._form_token(secret), ())
        secret = new_secret()
        return Form(self._form_token(secret), (_set(asked, FORM, secret),))

    def check_form(self, asked: Asked, fields: Mapping[str, str]) -> None:
        """Raises FormRefused unless what was sent came from such a page, opened in this browser since the server's start."""
        _check_origin(asked)
        secret = _cookie(asked, FORM)
        if secret is None:
            raise FormRefused("the cookie of the form is missing")
        _check_token(asked, fields, self._form_token(secret))

    def check_csrf(self, asked: Asked, signed_in: SignedIn, fields: Mapping[str, str]) -> None:
        """Raises FormRefused unless what was sent came from a page of ours in this very session."""
        _check_origin(asked)
        _check_token(asked, fields, signed_in.csrf)

    def _from_here(self, asked: Asked) -> bool:
        settings = self._services.settings
        return not settings.public_url and not settings.trusted_proxies and _from_here(asked)

    def _form_token(self, secret: str) -> str:
        return _signed(self._key, secret.encode())

    async def _verified(self, asked: Asked, email: str, password: str) -> Verified | None:
        """As Accounts.verified has it. A try that was never looked at counts as none."""
        try:
            found: Verified | None = await self._hashed(self._directory.accounts.verified, email, password)
        except Unavailable:
            self._throttle.undone(fold_email(email), asked.client)
            raise
        return found

    async def _begin(self, asked: Asked, account: Account, *, kept: str | None = None) -> Headers:
        """With `kept`, the hash that was verified, nothing begins once it has been changed."""
        agent = asked.headers.get(b"user-agent", b"").decode("latin-1")
        begin = self._directory.sessions.create
        secret = await self._services.in_thread(begin, account.number, now=asked.now(), client=asked.client, user_agent=agent, kept=kept)
        if secret is None:  # it was disabled meanwhile, or its password changed
            raise SignInRefused
        return _set(asked, SESSION, secret, age_s=AGE_MAX_S), _set(asked, FORM, "", age_s=0)

    async def _hashed(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run what hashes a password, few at a time. Raises Unavailable where too many wait."""
        if self._waiting >= HASHING_MAX:
            raise Unavailable("many people sign in at this moment; try again", retry_after_s=2)
        self._waiting += 1
        try:
            async with self._hashing:
                return await self._services.in_thread(function, *args, **kwargs)
        finally:
            self._waiting -= 1


def _signed(key: bytes, text: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).rstrip(b"=").decode()


# Cookies. Over https their names begin with __Host-, so that browsers take them from this very host alone, over https alone, and no
# neighbour below the same domain can plant one; for that they have to be for the whole host. Over http they go to our pages alone.


def _named(asked: Asked, name: str) -> str:
    return f"__Host-{name}" if asked.base_url.startswith("https:") else name


def _cookie(asked: Asked, name: str) -> str | None:
    """The first of this name, as browsers send that of the longest path first. Others may be of any form."""
    for part in asked.headers.get(b"cookie", b"").decode("latin-1").split(";"):
        key, _, value = part.strip().partition("=")
        if key == _named(asked, name):
            return value if value.isascii() and 0 < len(value) <= COOKIE_MAX else None
    return None


def _set(asked: Asked, name: str, value: str, *, age_s: int | None = None) -> tuple[bytes, bytes]:
    """A Set-Cookie. Without an age it goes with the browser's session; at 0 it goes at once."""
    parts = urlsplit(asked.base_url)
    secure = parts.scheme == "https"
    said = [f"{_named(asked, name)}={value}", f"Path={'/' if secure else f'{parts.path}/-/'}", "HttpOnly", "SameSite=Lax"]
    if secure:
        said.append("Secure")
    if age_s is not None:
        said.append(f"Max-Age={age_s}")
    return b"set-cookie", "; ".join(said).encode()


def _check_token(asked: Asked, fields: Mapping[str, str], right: str) -> None:
    given = fields.get("csrf") or asked.headers.get(b"x-csrf-token", b"").decode("latin-1")
    if not given:
        raise FormRefused("there is neither a field csrf nor a header X-CSRF-Token")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), right.encode()):
        raise FormRefused("the token of the form is of another session")


def _check_origin(asked: Asked) -> None:
    """By Sec-Fetch-Site, which says it outright; browsers send it over https and to the loopback. Else by Origin."""
    site = asked.headers.get(b"sec-fetch-site")
    if site is not None:
        if site not in (b"same-origin", b"none"):
            raise FormRefused(f"the browser says it comes from elsewhere: Sec-Fetch-Site: {site[:40].decode('latin-1')}")
        return
    origin = asked.headers.get(b"origin")
    if origin is None:
        return
    here = {asked.base_url, f"{urlsplit(asked.base_url).scheme}://{asked.headers.get(b'host', b'').decode('latin-1')}"}
    if origin.decode("latin-1") not in {_origin(each) for each in here}:
        raise FormRefused(f"the browser says it comes from elsewhere: Origin: {origin[:200].decode('latin-1')}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _from_here(asked: Asked) -> bool:
    """Whether a request came from this machine, to an address of it, and past no proxy: not even a page of another site that has its
    name lead here could have sent it.
    """
    if any(name in asked.headers for name in PROXIED):
        return False
    host = urlsplit(f"//{asked.headers.get(b'host', b'').decode('latin-1')}").hostname or ""
    return _loopback(asked.client or "") and (host == "localhost" or _loopback(host))


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
