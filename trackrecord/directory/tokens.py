"""Access tokens. The secret itself is shown once, when it is made, and kept nowhere."""

import re
import secrets
from collections.abc import Iterable

import sqlalchemy as sa

from ..errors import DataInvalid, NotFound
from ..rules.directory import SCOPES, Token, token_digest
from .engine import Database
from .tables import tokens

HINT_CHARACTERS = 6
NAME_MAX = 255  # characters. Ours

_SECRET = re.compile(r"[\x21-\x7e]{1,255}")  # what fits an Authorization header


class Tokens:
    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, workspace: int, name: str, scopes: Iterable[str], *, now: int, secret: str | None = None) -> tuple[Token, str]:
        """Make a token at `now` (whole Unix seconds); return it with its secret, which cannot be had again.

        A secret that is given is used as it is. If the workspace has it already, that token gets these scopes and is valid
        again, so a server may be started with the same secret any number of times.
        Raises DataInvalid for unknown scopes or none, for a secret no header can carry, and for one another workspace has.
        """
        kept = " ".join(sorted(set(scopes)))
        _check(name, kept, secret)
        secret = secret or f"tr_{secrets.token_urlsafe(30)}"  # 30 bytes are 40 characters
        digest = token_digest(secret)
        with self._db.writing() as connection:
            known = connection.execute(sa.select(tokens).where(tokens.c.digest == digest)).mappings().one_or_none()
            if known is None:
                made = {
                    "workspace": workspace,
                    "name": name,
                    "digest": digest,
                    "hint": _hint(secret),
                    "scopes": kept,
                    "created_at": now,
                    "revoked_at": None,
                }
                id = connection.execute(sa.insert(tokens).values(made).returning(tokens.c.id)).scalar_one()
                return _token({"id": id, **made}), secret
            if known["workspace"] != workspace:
                raise DataInvalid("this secret opens another workspace already", field="secret")
            valid = {"scopes": kept, "revoked_at": None}
            if any(known[column] != value for column, value in valid.items()):
                connection.execute(sa.update(tokens).where(tokens.c.id == known["id"]).values(valid))
            return _token({**known, **valid}), secret

    def find(self, digest: bytes) -> Token | None:
        """The token whose secret has this digest, revoked or not."""
        with self._db.reading() as connection:
            row = connection.execute(_BY_DIGEST, {"digest": digest}).mappings().one_or_none()
        return None if row is None else _token(row)

    def list(self, workspace: int) -> list[Token]:
        """Those of one workspace, revoked ones too, oldest first."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(tokens).where(tokens.c.workspace == workspace).order_by(tokens.c.id)).mappings()
            return [_token(row) for row in rows]

    def used(self, id: int, *, now: int) -> None:
        """Note that it opened something at `now` (whole Unix seconds)."""
        with self._db.writing() as connection:
            connection.execute(sa.update(tokens).where(tokens.c.id == id).values(last_used_at=now))

    def revoke(self, workspace: int, id: int, *, now: int) -> Token:
        """From now on (whole Unix seconds) the token opens nothing; revoked before, it stays so since then. Raises NotFound."""
        mine = sa.and_(tokens.c.workspace == workspace, tokens.c.id == id)
        with self._db.writing() as connection:
            connection.execute(sa.update(tokens).where(mine, tokens.c.revoked_at.is_(None)).values(revoked_at=now))
            row = connection.execute(sa.select(tokens).where(mine)).mappings().one_or_none()
        if row is None:
            raise NotFound
        return _token(row)


_BY_DIGEST = sa.select(tokens).where(tokens.c.digest == sa.bindparam("digest"))


def _token(row: "sa.RowMapping | dict[str, object]") -> Token:
    return Token(**{**row, "scopes": frozenset(str(row["scopes"]).split())})


def _hint(secret: str) -> str:
    """The first characters; of a short secret fewer, so that most of it stays secret."""
    return secret[: min(HINT_CHARACTERS, len(secret) // 4)]


def _check(name: str, scopes: str, secret: str | None) -> None:
    if not 1 <= len(name) <= NAME_MAX:
        raise DataInvalid(f"a token's name has 1 to {NAME_MAX} characters, got {len(name)}", field="name")
    unknown = [scope for scope in scopes.split() if scope not in SCOPES]
    if unknown or not scopes:
        raise DataInvalid(f"scopes must be of {', '.join(SCOPES)}, got {', '.join(unknown) or 'none'}", field="scopes")
    if secret is not None and not _SECRET.fullmatch(secret):
        raise DataInvalid("a secret has 1 to 255 visible ASCII characters and no blanks", field="secret")
