"""Scrolls: walks over a whole noun, page by page, of which a workspace has one at a time for each noun."""

import secrets

import sqlalchemy as sa

from ..errors import NotFound, ScrollExists
from .engine import Database
from .tables import scrolls

SCROLL_S = 60  # a scroll ends so long after its last page was asked for. Source: API reference 1.4, "Scroll over all users"


class Scrolls:
    """`noun` is any word; `after` is whatever its pages are continued by, None before the first."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, workspace: int, noun: str, *, now: int) -> str:
        """Open a scroll at `now` (whole Unix seconds); return what names it. Raises ScrollExists while another one is open."""
        param = secrets.token_hex(16)
        with self._db.writing() as connection:
            expires_at = connection.scalar(sa.select(scrolls.c.expires_at).where(_mine(workspace, noun)))
            if expires_at is not None and now < expires_at <= now + SCROLL_S:  # later ones are of a clock that ran ahead
                message = f"scroll already exists for this workspace: go on with its scroll_param, or wait {expires_at - now} s"
                raise ScrollExists(message, field="scroll_param")
            connection.execute(sa.delete(scrolls).where(_mine(workspace, noun)))
            row = {"workspace": workspace, "noun": noun, "param": param, "after": None, "expires_at": now + SCROLL_S}
            connection.execute(sa.insert(scrolls).values(row))
        return param

    def after(self, workspace: int, noun: str, param: str, *, now: int) -> str | None:
        """Where the scroll stands. Raises NotFound for one that is unknown, has ended or has expired."""
        with self._db.reading() as connection:
            row = connection.execute(sa.select(scrolls).where(_mine(workspace, noun), scrolls.c.param == param)).one_or_none()
        if row is None or row.expires_at <= now:
            raise NotFound("scroll parameter not found: begin a new scroll without one", field="scroll_param")
        return None if row.after is None else str(row.after)

    def advance(self, workspace: int, noun: str, param: str, after: str, *, now: int) -> None:
        """The next page begins `after`; the scroll has its time anew."""
        moved = sa.update(scrolls).where(_mine(workspace, noun), scrolls.c.param == param)
        with self._db.writing() as connection:
            connection.execute(moved.values(after=after, expires_at=now + SCROLL_S))

    def drop_expired(self, *, now: int) -> None:
        """Drop those of any workspace that nobody has gone on with."""
        with self._db.writing() as connection:
            connection.execute(sa.delete(scrolls).where(scrolls.c.expires_at <= now))

    def end(self, workspace: int, noun: str, param: str) -> None:
        """A page was empty, so the walk is over: another one may begin at once."""
        with self._db.writing() as connection:
            connection.execute(sa.delete(scrolls).where(_mine(workspace, noun), scrolls.c.param == param))


def _mine(workspace: int, noun: str) -> sa.ColumnElement[bool]:
    return sa.and_(scrolls.c.workspace == workspace, scrolls.c.noun == noun)
