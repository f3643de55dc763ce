"""Event names: each has a number from its first use on, which journal and stores keep in its place."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from ..errors import TrackrecordError, Unprocessable
from ..rules.directory import EventName
from .engine import Database, in_chunks
from .tables import event_names


class Names:
    def __init__(self, db: Database) -> None:
        self._db = db

    def resolve(self, workspace: int, folded: str, name: str, *, now: int, limit: int) -> EventName:
        """The name that folds so, made at `now` (whole Unix seconds) and written as `name` if it is new.

        Raises Unprocessable for a new name where the workspace has `limit` active ones; 0 is no limit, and archived names do
        not count. Source: the contract, 2.1 `event_name`, "120 active names".
        """
        with self._db.reading() as connection:
            row = connection.execute(_BY_FOLDED, {"workspace": workspace, "folded": folded}).mappings().one_or_none()
        if row is not None:
            return EventName(**row)
        found = self.resolve_many(workspace, [(folded, name)], now=now, limit=limit)[folded]
        if isinstance(found, TrackrecordError):
            raise found
        return found

    def resolve_many(
        self, workspace: int, wanted: Sequence[tuple[str, str]], *, now: int, limit: int
    ) -> dict[str, EventName | TrackrecordError]:
        """Resolve (folded, name) pairs at once, in their order, and keep the new ones in one transaction: what import needs.

        Of pairs that fold alike the first gives the writing. A name past the limit stands as the error it would raise.
        """
        with self._db.writing() as connection:
            return _resolve(connection, workspace, wanted, now=now, limit=limit)

    def resolve_all(self, workspace: int, wanted: Sequence[tuple[str, str]], *, now: int, limit: int) -> dict[str, EventName]:
        """As resolve_many, but all or none: raises Unprocessable when one is past the limit, and then none was made."""
        with self._db.writing() as connection:
            found = _resolve(connection, workspace, wanted, now=now, limit=limit)
            for entry in found.values():
                if isinstance(entry, TrackrecordError):
                    raise entry
        return {folded: entry for folded, entry in found.items() if isinstance(entry, EventName)}

    def all(self, workspace: int) -> list[EventName]:
        """Those of one workspace, archived ones too, in the order of their first use."""
        wanted = sa.select(event_names).where(event_names.c.workspace == workspace).order_by(event_names.c.number)
        with self._db.reading() as connection:
            return [EventName(**row) for row in connection.execute(wanted).mappings()]

    def highest(self) -> int:
        """The greatest number that any name has; 0 before the first."""
        with self._db.reading() as connection:
            return connection.scalar(sa.select(sa.func.max(event_names.c.number))) or 0

    def by_numbers(self, numbers: Iterable[int]) -> dict[int, EventName]:
        """The names that have these numbers, of whichever workspace; unknown numbers are left out."""
        with self._db.reading() as connection:
            return {
                row["number"]: EventName(**row)
                for some in in_chunks(set(numbers))
                for row in connection.execute(sa.select(event_names).where(event_names.c.number.in_(some))).mappings()
            }


_BY_FOLDED = sa.select(event_names).where(
    event_names.c.workspace == sa.bindparam("workspace"), event_names.c.folded == sa.bindparam("folded")
)


def _resolve(
    connection: sa.Connection, workspace: int, wanted: Sequence[tuple[str, str]], *, now: int, limit: int
) -> dict[str, EventName | TrackrecordError]:
    found: dict[str, EventName | TrackrecordError] = dict(_known(connection, workspace, {folded for folded, _ in wanted}))
    active = _count_active(connection, workspace) if limit else 0
    for folded, name in wanted:
        if folded in found:
            continue
        if limit and active >= limit:
            found[folded] = Unprocessable(f"Cannot have more than {limit} active event names", field="event_name")
            continue
        made = {"workspace": workspace, "folded": folded, "name": name, "created_at": now}
        row = connection.execute(sa.insert(event_names).values(made).returning(event_names)).mappings().one()
        found[folded] = EventName(**row)
        active += 1
    return found


def _known(connection: sa.Connection, workspace: int, folded: set[str]) -> dict[str, EventName]:
    mine = sa.select(event_names).where(event_names.c.workspace == workspace)
    return {
        row["folded"]: EventName(**row)
        for some in in_chunks(folded)
        for row in connection.execute(mine.where(event_names.c.folded.in_(some))).mappings()
    }


def _count_active(connection: sa.Connection, workspace: int) -> int:
    counted = sa.select(sa.func.count()).where(event_names.c.workspace == workspace, event_names.c.archived_at.is_(None))
    return connection.execute(counted).scalar_one()
