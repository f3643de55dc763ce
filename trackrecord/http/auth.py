"""From a request's credentials to a token and its workspace. Source: the contract, 1.2 and 1.7."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from ..directory import Directory
from ..errors import RequestError, TokenRevoked, TokenUnauthorized, Unauthorized
from ..rules.directory import Token, Workspace, token_digest
from .later import Later

TRUSTED_FOR_S = 1.0  # how long a token is believed before the directory is asked again: revoking takes hold about as soon
HEADERS_MAX = 10_000  # different Authorization headers remembered
USED_EVERY_S = 3_600  # how exactly it is known when a token was last used


class Access(NamedTuple):
    token: Token
    workspace: Workspace


class _Known(NamedTuple):
    access: Access
    until: float


class Credentials(NamedTuple):
    secret: bytes
    app_id: bytes | None  # set where the caller named the workspace too, as older clients do


def credentials(header: bytes) -> Credentials:
    """What an Authorization header carries: Bearer TOKEN; Basic with TOKEN and an empty password; or Basic with APP_ID and TOKEN,
    the pair that older clients call app id and API key.

    Raises Unauthorized for anything else; the scheme's case does not matter.
    """
    scheme, _, rest = header.strip().partition(b" ")
    rest = rest.strip()
    if scheme.lower() == b"bearer" and rest:
        return Credentials(rest, None)
    if scheme.lower() == b"basic":
        try:
            user, _, password = base64.b64decode(rest, validate=True).partition(b":")
        except binascii.Error:
            raise Unauthorized(cause="the Basic credentials are not Base64") from None
        if user:
            return Credentials(password, user) if password else Credentials(user, None)
        raise Unauthorized(cause="the Basic credentials have no user name: it must be the access token")
    raise Unauthorized(cause="the Authorization header is neither Bearer nor Basic with a token")


class Auth:
    """Remembers what a header led to for TRUSTED_FOR_S, by the header's hash: no secret is kept in memory."""

    def __init__(
        self,
        directory: Directory,
        at_gate: Callable[..., Awaitable[Any]],
        *,
        in_thread: Callable[..., Awaitable[Any]],
        now: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._at_gate = at_gate
        self._now = now
        self._used: Later[int] = Later(directory.tokens.used, in_thread, every_s=USED_EVERY_S)
        self._known: dict[bytes, _Known] = {}

    def cached(self, header: bytes) -> Access | None:
        known = self._known.get(hashlib.sha256(header).digest())
        return known.access if known is not None and known.until > time.monotonic() else None

    def remembered(self, header: bytes | None) -> Access | None:
        """What a header led to when it was last looked up here, for the request log; None for one that opens nothing."""
        known = self._known.get(hashlib.sha256(header).digest()) if header else None
        return known.access if known is not None else None

    async def access(self, header: bytes | None) -> Access:
        """Raises Unauthorized, the same for no credentials and for unknown ones, or TokenRevoked."""
        if not header:
            raise Unauthorized(cause="there is no Authorization header")
        access = self.cached(header)
        if access is not None:
            return access
        key = hashlib.sha256(header).digest()
        known = self._known.pop(key, None)
        if known is not None:
            # One request asks again; those beside it go on meanwhile with what was true a second ago.
            self._known[key] = _Known(known.access, time.monotonic() + TRUSTED_FOR_S)
        try:
            found: Access = await self._at_gate(self._look_up, credentials(header))
        except RequestError:
            self._known.pop(key, None)
            raise
        if len(self._known) >= HEADERS_MAX:
            self._known.clear()
        self._known[key] = _Known(found, time.monotonic() + TRUSTED_FOR_S)
        self._used.note(found.token.id, found.token.last_used_at, now=int(self._now()))
        return found

    def _look_up(self, sent: Credentials) -> Access:
        digest = token_digest(sent.secret)
        token = self._directory.tokens.find(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            raise Unauthorized(cause="no token here has this secret")
        if token.revoked_at is not None:
            raise TokenRevoked(cause=f"token {token.id} ({token.hint}…) was revoked")
        workspace = self._directory.workspaces.by_number(token.workspace)
        if workspace is None or (sent.app_id is not None and sent.app_id != workspace.id.encode()):
            raise Unauthorized(cause=f"token {token.id} ({token.hint}…) is of another workspace than the app id sent with it")
        return Access(token, workspace)


def allow(token: Token, need: str | None) -> None:
    """Raises TokenUnauthorized when the token's scopes do not cover the need."""
    if need is not None and not token.allows(need):
        scopes = ", ".join(sorted(token.scopes))
        raise TokenUnauthorized(f"this access token lacks the scope {need}", cause=f"token {token.id} ({token.hint}…) has {scopes}")
