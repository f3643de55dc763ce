"""What a workspace lets browsers do: which pages may deliver, what proves who somebody is; and what their scripts told."""

import secrets
from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from ..errors import DataInvalid, NotFound
from ..rules.directory import IDENTITY_SECRET, IdentitySecret, Workspace, is_identity_secret
from ..rules.messenger import origin_of
from .engine import Database, Lookup
from .tables import identity_secrets, messenger_dropped, messenger_moments, messenger_origins, workspaces

VALID_SECRETS = 2  # at one time, so that one can take the other's place without anybody being refused
DAY_S = 86_400
DROPPED_TOGETHER = 2_000  # moments, in one write


class Gate(NamedTuple):
    """What decides whether a browser may deliver to a workspace, and as whom."""

    workspace: Workspace
    origins: frozenset[str]  # empty where every page may
    secrets: tuple[str, ...]  # the valid ones, the newest first


class MessengerAccess:
    def __init__(self, db: Database) -> None:
        self._db = db

    def gate(self, app_id: str) -> Gate | None:
        """None where there is no such workspace."""
        with self._db.reading() as connection:
            row = connection.execute(sa.select(workspaces).where(workspaces.c.id == app_id)).mappings().one_or_none()
            if row is None:
                return None
            workspace = Workspace(**row)
            origins = connection.scalars(sa.select(messenger_origins.c.origin).where(messenger_origins.c.workspace == workspace.number))
            return Gate(workspace, frozenset(origins), tuple(each.secret for each in _valid(connection, workspace.number)))

    def enforce(self, workspace: int, enforced: bool) -> None:
        """Whether who is named must be proved. Raises DataInvalid where there is no secret to prove it with."""
        with self._db.writing() as connection:
            if enforced and not _valid(connection, workspace):
                raise DataInvalid("make an identity secret first: nobody could prove who they are without one", field="secret")
            connection.execute(sa.update(workspaces).where(workspaces.c.number == workspace).values(identity_enforced=enforced))

    def add_secret(self, workspace: int, *, now: int, secret: str | None = None) -> IdentitySecret:
        """Make a secret at `now` (whole Unix seconds), or take the one given; of those before it the newest stays valid.

        A secret that is valid already is returned as it is. Raises DataInvalid for one that is too short or has other characters
        than visible ASCII.
        """
        if secret is not None and not is_identity_secret(secret):
            least, most = IDENTITY_SECRET
            raise DataInvalid(f"an identity secret has {least} to {most} visible ASCII characters", field="secret")
        with self._db.writing() as connection:
            valid = _valid(connection, workspace)
            for each in valid:
                if each.secret == secret:
                    return each
            for each in valid[VALID_SECRETS - 1 :]:
                connection.execute(sa.update(identity_secrets).where(identity_secrets.c.id == each.id).values(retired_at=now))
            made = {"workspace": workspace, "secret": secret or secrets.token_urlsafe(32), "created_at": now}
            row = connection.execute(sa.insert(identity_secrets).values(made).returning(identity_secrets)).mappings().one()
        return IdentitySecret(**row)

    def knows_secret(self, workspace: int, secret: str) -> bool:
        """Whether the workspace has it, or had it before it was retired."""
        mine = sa.and_(identity_secrets.c.workspace == workspace, identity_secrets.c.secret == secret)
        with self._db.reading() as connection:
            return connection.scalar(sa.select(sa.exists().where(mine))) is True

    def retire_secret(self, workspace: int, id: int, *, now: int) -> IdentitySecret:
        """From `now` on it proves nothing. Raises NotFound, and DataInvalid for the last one while identities must be proved."""
        with self._db.writing() as connection:
            valid = _valid(connection, workspace)
            found = next((each for each in valid if each.id == id), None)
            if found is None:
                raise NotFound(f"there is no valid identity secret {id}")
            enforced = connection.scalar(sa.select(workspaces.c.identity_enforced).where(workspaces.c.number == workspace))
            if enforced and len(valid) == 1:
                raise DataInvalid("this is the last identity secret, and identities must be proved: add another first", field="secret")
            connection.execute(sa.update(identity_secrets).where(identity_secrets.c.id == id).values(retired_at=now))
        return found

    def secrets(self, workspace: int) -> list[IdentitySecret]:
        """The valid ones, the newest first."""
        with self._db.reading() as connection:
            return _valid(connection, workspace)

    def add_origin(self, workspace: int, origin: str) -> str:
        """Let pages of an origin deliver, and from the first on no others. Raises DataInvalid for what is no origin."""
        origin = origin_of(origin)
        mine = sa.and_(messenger_origins.c.workspace == workspace, messenger_origins.c.origin == origin)
        with self._db.writing() as connection:
            if connection.scalar(sa.select(sa.exists().where(mine))) is not True:
                connection.execute(sa.insert(messenger_origins).values(workspace=workspace, origin=origin))
        return origin

    def remove_origin(self, workspace: int, origin: str) -> str:
        """Raises NotFound. Without the last one every page may deliver again."""
        origin = origin_of(origin)
        mine = sa.and_(messenger_origins.c.workspace == workspace, messenger_origins.c.origin == origin)
        with self._db.writing() as connection:
            if not connection.execute(sa.delete(messenger_origins).where(mine)).rowcount:
                raise NotFound(f"{origin} is not among the origins of this workspace")
        return origin

    def moments(self, workspace: int, wanted: Mapping[str, int], *, now: int) -> dict[str, int]:
        """For each id of an event the second it happened: the one noted first, however often it is asked for.

        `wanted` has the second (Unix) that is noted where there is none yet, at `now`.
        """
        known = dict(self._db.look_up(_MOMENTS, wanted, workspace=workspace))
        if len(known) == len(wanted):
            return known
        with self._db.writing() as connection:
            ids = messenger_moments.c.id.in_([id for id in wanted if id not in known])
            rows = connection.execute(sa.select(messenger_moments.c.id, messenger_moments.c.second).where(_of(workspace), ids))
            known |= {row.id: row.second for row in rows}
            fresh = [
                {"workspace": workspace, "id": id, "second": second, "noted_at": now} for id, second in wanted.items() if id not in known
            ]
            if fresh:
                connection.execute(sa.insert(messenger_moments), fresh)
        return {**wanted, **known}

    def drop_moments(self, *, until: int) -> bool:
        """Forget some that were noted before `until` (Unix seconds): nobody sends their events any more. False once there are none."""
        columns = (messenger_moments.c.workspace, messenger_moments.c.id)
        some = sa.select(*columns).where(messenger_moments.c.noted_at < until).limit(DROPPED_TOGETHER)
        with self._db.writing() as connection:
            return connection.execute(sa.delete(messenger_moments).where(sa.tuple_(*columns).in_(some))).rowcount > 0

    def note_dropped(self, workspace: int, counts: Mapping[str, int], *, now: int) -> None:
        """Add what a script says it gave up, by reason, to the counts of the day."""
        with self._db.writing() as connection:
            for reason, count in counts.items():
                mine = {"workspace": workspace, "day": now // DAY_S, "reason": reason}
                there = sa.and_(*(messenger_dropped.c[name] == value for name, value in mine.items()))
                raised = sa.update(messenger_dropped).where(there).values(count=messenger_dropped.c.count + count)
                if not connection.execute(raised).rowcount:
                    connection.execute(sa.insert(messenger_dropped).values(**mine, count=count))

    def dropped(self, workspace: int) -> list[tuple[int, str, int]]:
        """(day since 1970, reason, count), the latest first."""
        columns = (messenger_dropped.c.day, messenger_dropped.c.reason, messenger_dropped.c.count)
        wanted = sa.select(*columns).where(messenger_dropped.c.workspace == workspace).order_by(columns[0].desc(), columns[1])
        with self._db.reading() as connection:
            return [(day, reason, count) for day, reason, count in connection.execute(wanted)]


_MOMENTS = Lookup(
    sa.select(messenger_moments.c.id, messenger_moments.c.second).where(messenger_moments.c.workspace == sa.bindparam("workspace")),
    messenger_moments.c.id,
)


def _of(workspace: int) -> sa.ColumnElement[bool]:
    return messenger_moments.c.workspace == workspace


def _valid(connection: sa.Connection, workspace: int) -> list[IdentitySecret]:
    mine = sa.and_(identity_secrets.c.workspace == workspace, identity_secrets.c.retired_at.is_(None))
    rows = connection.execute(sa.select(identity_secrets).where(mine).order_by(identity_secrets.c.id.desc())).mappings()
    return [IdentitySecret(**row) for row in rows]
