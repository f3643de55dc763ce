"""Who had what deleted, and when: written before it goes, so that also what a crash cut short leaves its trace."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..rules.audits import Audit
from .engine import Database
from .tables import accounts, audits, tokens

_COLUMNS = [
    *(audits.c[name] for name in Audit.__struct_fields__ if name != "token_name"),
    sa.func.coalesce(tokens.c.name, accounts.c.email).label("token_name"),
]
# What an account did in the dashboard it did by a token whose id is the account's number below zero: rules.accounts.token_of.
_WITH_TOKENS = audits.outerjoin(tokens, tokens.c.id == audits.c.token).outerjoin(accounts, accounts.c.number == -audits.c.token)


class Audits:
    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, workspace: int, *, token: int | None, action: str, subject: Mapping[str, Any], count: int, now: int) -> int:
        """Note at `now` (whole Unix seconds) that `count` things are about to be deleted; return the audit's id.

        `action` is one of rules.audits.ACTIONS; `subject` says what they are, as JSON.
        """
        made = {"workspace": workspace, "at": now, "token": token, "action": action, "subject": dict(subject), "count": count}
        with self._db.writing() as connection:
            return int(connection.execute(sa.insert(audits).values(made).returning(audits.c.id)).scalar_one())

    def complete(self, workspace: int, id: int, *, now: int) -> Audit:
        """Note that it was done."""
        with self._db.writing() as connection:
            mine = sa.and_(audits.c.workspace == workspace, audits.c.id == id)
            connection.execute(sa.update(audits).where(mine).values(completed_at=now))
            return Audit(**connection.execute(sa.select(*_COLUMNS).select_from(_WITH_TOKENS).where(mine)).mappings().one())

    def list(self, workspace: int, *, limit: int, before: int | None = None) -> tuple[Sequence[Audit], int, bool]:
        """Up to `limit` audits with ids below `before`, newest first; how many there are in all; and whether more follow."""
        mine = audits.c.workspace == workspace
        wanted = sa.select(*_COLUMNS).select_from(_WITH_TOKENS).where(mine).order_by(audits.c.id.desc()).limit(limit + 1)
        if before is not None:
            wanted = wanted.where(audits.c.id < before)
        with self._db.reading() as connection:
            found = [Audit(**row) for row in connection.execute(wanted).mappings()]
            total = connection.execute(sa.select(sa.func.count()).select_from(audits).where(mine)).scalar_one()
        return found[:limit], total, len(found) > limit
