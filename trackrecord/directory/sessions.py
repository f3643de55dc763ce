"""Sessions and one-time links. Of either only the SHA-256 is kept; what opens them is with whoever was given it."""

import hashlib
import secrets
from typing import NamedTuple

import sqlalchemy as sa

from ..errors import NotFound
from ..rules.accounts import Account, Membership, check_password, read_email, read_name
from . import passwords
from .accounts import account_of, insert_first, keep_password, memberships_of
from .engine import Database
from .tables import accounts, sessions, sign_in_links

DAY_S = 86_400
IDLE_S = 14 * DAY_S  # a session ends so long after its last use
AGE_MAX_S = 90 * DAY_S  # and so long after it began
SEEN_EVERY_S = 60  # how exactly its last use is known
LINK_S = 3 * DAY_S  # how long a link to choose a password opens
FIRST_LINK_S = DAY_S  # and the one that makes the first account
SECRET_BYTES = 32
CLIENT_MAX, AGENT_MAX = 64, 255  # characters kept of where a session came from

NO_LINK = "this link opens nothing: it was used, is too old, or a newer one took its place. Ask for another"


class Opened(NamedTuple):
    """A session that is valid, and whose."""

    account: Account
    memberships: list[Membership]
    created_at: int
    seen_at: int


class Session(NamedTuple):
    """One of an account's, for a list of them. Times are whole Unix seconds."""

    digest: bytes
    created_at: int
    seen_at: int
    client: str | None
    user_agent: str | None


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """They are long and random, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


class Sessions:
    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self, account: int, *, now: int, client: str | None = None, user_agent: str | None = None, kept: str | None = None
    ) -> str | None:
        """Begin one at `now` (whole Unix seconds); return its secret, which cannot be had again. None for an account that was disabled,
        and where its password is not the one of the hash `kept` any more.
        """
        secret = new_secret()
        made = {"digest": digest_of(secret), "account": account, "created_at": now, "seen_at": now}
        shown = {"client": (client or "")[:CLIENT_MAX] or None, "user_agent": (user_agent or "")[:AGENT_MAX] or None}
        able = sa.and_(accounts.c.number == account, accounts.c.disabled_at.is_(None))
        if kept is not None:
            able = sa.and_(able, accounts.c.password == kept)
        with self._db.writing() as connection:
            if connection.scalar(sa.select(accounts.c.number).where(able)) is None:
                return None
            connection.execute(sa.insert(sessions).values(**made, **shown))
        return secret

    def find(self, digest: bytes, *, now: int) -> Opened | None:
        """The valid session with this digest, as of `now`: neither unused for long nor very old, and of an account that may sign in."""
        columns = (accounts, sessions.c.created_at.label("began"), sessions.c.seen_at)
        joined = sessions.join(accounts, accounts.c.number == sessions.c.account)
        mine = sa.and_(sessions.c.digest == digest, accounts.c.disabled_at.is_(None), _valid(now))
        with self._db.reading() as connection:
            row = connection.execute(sa.select(*columns).select_from(joined).where(mine)).mappings().one_or_none()
            if row is None:
                return None
            return Opened(account_of(row), memberships_of(connection, row["number"]), row["began"], row["seen_at"])

    def touch(self, digest: bytes, *, now: int) -> None:
        """Note that it was used at `now`."""
        with self._db.writing() as connection:
            connection.execute(sa.update(sessions).where(sessions.c.digest == digest).values(seen_at=now))

    def list(self, account: int, *, now: int) -> list[Session]:
        """The valid ones of an account, the last used first."""
        wanted = sa.select(*(sessions.c[name] for name in Session._fields)).where(sessions.c.account == account, _valid(now))
        with self._db.reading() as connection:
            return [Session(*row) for row in connection.execute(wanted.order_by(sessions.c.seen_at.desc(), sessions.c.digest))]

    def end(self, digest: bytes) -> None:
        with self._db.writing() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.digest == digest))

    def end_all(self, account: int, *, but: bytes | None = None) -> int:
        """End an account's sessions, all but one; return how many that were."""
        mine = sa.and_(sessions.c.account == account, sessions.c.digest != (but or b""))
        with self._db.writing() as connection:
            return connection.execute(sa.delete(sessions).where(mine)).rowcount

    def drop_expired(self, *, now: int) -> None:
        """Forget the sessions and links whose time is over."""
        with self._db.writing() as connection:
            connection.execute(sa.delete(sessions).where(sa.not_(_valid(now))))
            connection.execute(sa.delete(sign_in_links).where(sign_in_links.c.expires_at <= now))


class Links:
    """Each opens once, for its time; a new one takes the place of the account's before it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, account: int, *, now: int, keep_s: int = LINK_S) -> str:
        """Make a link at `now` (whole Unix seconds) by which an account's password is chosen; return its key. Raises NotFound."""
        able = sa.and_(accounts.c.number == account, accounts.c.disabled_at.is_(None))
        with self._db.writing() as connection:
            if connection.scalar(sa.select(accounts.c.number).where(able)) is None:
                raise NotFound("there is no such account, or it is disabled", field="account")
            return _make(connection, account, until=now + keep_s)

    def create_first(self, *, now: int) -> str | None:
        """Make the link that makes the server's first account; return its key. None where there is an account."""
        with self._db.writing() as connection:
            if connection.scalar(sa.select(sa.exists().select_from(accounts))):
                return None
            return _make(connection, None, until=now + FIRST_LINK_S)

    def account(self, key: str, *, now: int) -> Account:
        """Whose password a link would choose. It stays good. Raises NotFound."""
        with self._db.reading() as connection:
            return _account(connection, key, now=now)

    def opens_first(self, key: str, *, now: int) -> bool:
        """Whether a link would make the first account. It stays good."""
        with self._db.reading() as connection:
            return (
                connection.scalar(sa.select(sign_in_links.c.digest).where(_opens(key, now), sign_in_links.c.account.is_(None))) is not None
            )

    def redeem(self, key: str, password: str, *, now: int) -> Account:
        """Choose the password of a link's account, once: its sessions and other links end.

        Raises NotFound, and DataInvalid for a password that will not do, after which the link is still good.
        """
        account = self.account(key, now=now)
        check_password(password, email=account.email, name=account.name)
        kept = passwords.hashed(password)
        with self._db.writing() as connection:
            account = _account(connection, key, now=now)
            return keep_password(connection, account.number, kept)

    def begin(self, key: str | None, email: str, name: str, password: str, *, now: int) -> Account:
        """Make the server's first account by its link, once; without a key where the caller has seen to it that nobody else asks.

        Raises NotFound for a link that opens nothing, Conflict where there is an account, and ParameterInvalid or DataInvalid for an
        address, name or password that will not do, after which the link is still good.
        """
        email = read_email(email)
        name = read_name(name, email=email)
        check_password(password, email=email, name=name)
        kept = passwords.hashed(password)
        first = sign_in_links.c.account.is_(None)
        with self._db.writing() as connection:
            if key is not None and not connection.execute(sa.delete(sign_in_links).where(_opens(key, now), first)).rowcount:
                raise NotFound(NO_LINK, field="key")
            return insert_first(connection, email, name, kept, now=now)


def _valid(now: int) -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.seen_at > now - IDLE_S, sessions.c.created_at > now - AGE_MAX_S)


def _opens(key: str, now: int) -> sa.ColumnElement[bool]:
    return sa.and_(sign_in_links.c.digest == digest_of(key), sign_in_links.c.expires_at > now)


def _make(connection: sa.Connection, account: int | None, *, until: int) -> str:
    key = new_secret()
    whose = sign_in_links.c.account
    connection.execute(sa.delete(sign_in_links).where(whose.is_(None) if account is None else whose == account))
    connection.execute(sa.insert(sign_in_links).values(digest=digest_of(key), account=account, expires_at=until))
    return key


def _account(connection: sa.Connection, key: str, *, now: int) -> Account:
    joined = sign_in_links.join(accounts, accounts.c.number == sign_in_links.c.account)
    mine = sa.and_(_opens(key, now), accounts.c.disabled_at.is_(None))
    row = connection.execute(sa.select(accounts).select_from(joined).where(mine)).mappings().one_or_none()
    if row is None:
        raise NotFound(NO_LINK, field="key")
    return account_of(row)
