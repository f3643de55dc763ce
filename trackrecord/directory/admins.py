"""The people who run a workspace."""

import sqlalchemy as sa

from ..errors import AdminNotFound
from ..rules.directory import Admin
from .engine import Database
from .tables import admins


class Admins:
    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self, workspace: int) -> list[Admin]:
        """Those of one workspace, the first made first. There is always one."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(admins).where(admins.c.workspace == workspace).order_by(admins.c.id)).mappings()
            return [_admin(row) for row in rows]

    def get(self, workspace: int, id: str) -> Admin:
        """Raises AdminNotFound, also for another workspace's."""
        if not (id.isascii() and id.isdigit() and len(id) < 19):
            raise AdminNotFound
        wanted = sa.select(admins).where(admins.c.workspace == workspace, admins.c.id == int(id))
        with self._db.reading() as connection:
            row = connection.execute(wanted).mappings().one_or_none()
        if row is None:
            raise AdminNotFound
        return _admin(row)


def first_admin(connection: sa.Connection, workspace: int) -> int | None:
    """Who stands for whatever a token does: the first admin of its workspace, as tokens belong to no person."""
    found: int | None = connection.scalar(sa.select(sa.func.min(admins.c.id)).where(admins.c.workspace == workspace))
    return found


def _admin(row: sa.RowMapping) -> Admin:
    return Admin(**{**row, "id": str(row["id"])})
