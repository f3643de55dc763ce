"""Workspaces, and what identifies them."""

import re
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ..errors import DataInvalid, NotFound
from ..rules.directory import Workspace
from .engine import Database
from .tables import admins, workspaces

REGIONS = ("US", "EU", "AU")  # what GET /me may answer. Source: the contract, 7, `app.region`
NAME_MAX = 255  # characters. Ours

_APP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Workspaces:
    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self,
        app_id: str,
        name: str,
        *,
        now: int,
        timezone: str = "UTC",
        region: str = "US",
        admin_name: str = "Administrator",
        admin_email: str = "admin@localhost",
    ) -> Workspace:
        """Make a workspace, with one admin; `now` in whole Unix seconds, `timezone` an IANA name.

        Raises DataInvalid for an app id that is taken or has other characters than letters, digits, _ and -, for a time zone
        or region we do not know, and for an empty name.
        """
        _check(app_id, name, timezone, region)
        with self._db.writing() as connection:
            if connection.scalar(sa.select(workspaces.c.number).where(workspaces.c.id == app_id)) is not None:
                raise DataInvalid(f"there is a workspace {app_id} already", field="app_id")
            made = {"id": app_id, "name": name, "created_at": now, "timezone": timezone, "region": region}
            row = connection.execute(sa.insert(workspaces).values(made).returning(workspaces)).mappings().one()
            admin = {"workspace": row["number"], "name": admin_name, "email": admin_email, "created_at": now}
            connection.execute(sa.insert(admins).values(admin))
        return Workspace(**row)

    def change(self, number: int, *, name: str | None = None, timezone: str | None = None) -> Workspace:
        """Call a workspace otherwise, or have another time zone decide its days. Raises DataInvalid as `create` does, and NotFound."""
        with self._db.writing() as connection:
            row = connection.execute(sa.select(workspaces).where(workspaces.c.number == number)).mappings().one_or_none()
            if row is None:
                raise NotFound("there is no such workspace", field="workspace")
            changed = {"name": row["name"] if name is None else name, "timezone": row["timezone"] if timezone is None else timezone}
            _check(row["id"], region=row["region"], **changed)
            connection.execute(sa.update(workspaces).where(workspaces.c.number == number).values(changed))
        return Workspace(**{**row, **changed})

    def list(self) -> list[Workspace]:
        """All of them, oldest first."""
        with self._db.reading() as connection:
            return [Workspace(**row) for row in connection.execute(sa.select(workspaces).order_by(workspaces.c.number)).mappings()]

    def by_id(self, app_id: str) -> Workspace | None:
        return self._one(workspaces.c.id == app_id)

    def by_number(self, number: int) -> Workspace | None:
        return self._one(workspaces.c.number == number)

    def _one(self, condition: sa.ColumnElement[bool]) -> Workspace | None:
        with self._db.reading() as connection:
            row = connection.execute(sa.select(workspaces).where(condition)).mappings().one_or_none()
        return None if row is None else Workspace(**row)


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of an IANA name; None for what is none, and for what else stands in the folder of zones of a machine."""
    if name in ("localtime", "posixrules", "Factory") or name.startswith(("right/", "posix/")):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a name; the name of a folder
        return None


def _check(app_id: str, name: str, timezone: str, region: str) -> None:
    if not _APP_ID.fullmatch(app_id):
        raise DataInvalid(f"an app id has 1 to 64 letters, digits, _ and -, got {app_id[:80]!r}", field="app_id")
    if not 1 <= len(name) <= NAME_MAX:
        raise DataInvalid(f"a workspace's name has 1 to {NAME_MAX} characters, got {len(name)}", field="name")
    if region not in REGIONS:
        raise DataInvalid(f"region must be one of {', '.join(REGIONS)}, got {region[:40]!r}", field="region")
    if zone_of(timezone) is None:
        raise DataInvalid(f"timezone must be an IANA name such as Europe/Dublin, got {timezone[:80]!r}", field="timezone")
