"""Event names: each has a number from its first use on, which journal and stores keep in its place."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import Conflict, NotFound, TrackrecordError, Unprocessable
from ..rules.catalogue import Change, Entry
from ..rules.directory import EventName
from .engine import Database, in_chunks
from .tables import event_name_aliases, event_names


class Names:
    def __init__(self, db: Database) -> None:
        self._db = db

    def resolve(self, workspace: int, folded: str, name: str, *, now: int, limit: int) -> EventName:
        """The name that folds so, or did before it was renamed; made at `now` (whole Unix seconds) and written as `name` if it is new.

        Raises Unprocessable for a new name where the workspace has `limit` active ones; 0 is no limit, and archived names do
        not count. Source: the contract, 2.1 `event_name`, "120 active names".
        """
        with self._db.reading() as connection:
            known = _known(connection, workspace, {folded}).get(folded)
        if known is not None:
            return known
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

    def past_limit(self, workspace: int, folded: Sequence[str], *, limit: int) -> dict[str, TrackrecordError]:
        """Those of these folded names, in their order, that resolve_many would not make, with the errors."""
        with self._db.reading() as connection:
            known = _known(connection, workspace, set(folded))
            room = max(0, limit - _count_active(connection, workspace))
        new = [each for each in dict.fromkeys(folded) if each not in known]
        return {each: _past(limit, field="event_name") for each in new[room:]}

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
            return _read(connection, wanted)

    def entries(self, workspace: int) -> list[Entry]:
        """As all, with everything that leads to each."""
        with self._db.reading() as connection:
            wanted = sa.select(event_names).where(event_names.c.workspace == workspace).order_by(event_names.c.number)
            return _with_aliases(connection, workspace, _read(connection, wanted))

    def find(self, workspace: int, folded: Collection[str]) -> dict[str, EventName]:
        """The names that fold so, or did before they were renamed; those that nobody has used are left out."""
        with self._db.reading() as connection:
            return _known(connection, workspace, set(folded))

    def entry(self, workspace: int, folded: str) -> Entry:
        """One name, by what it folds to now or did before. Raises NotFound."""
        with self._db.reading() as connection:
            return _with_aliases(connection, workspace, [_one(connection, workspace, folded)])[0]

    def change(self, workspace: int, folded: str, change: Change, *, now: int, limit: int) -> Entry:
        """Describe, rename, archive or bring back a name at `now` (whole Unix seconds). What is not in `change` stays.

        What a name was called before leads to it still. Raises NotFound; Conflict where another name is called so, or was;
        and Unprocessable where it would be one more active name than `limit` (0 for none). Nothing is changed then.
        """
        with self._db.writing() as connection:
            before = _one(connection, workspace, folded)
            after = change.applied(before, now=now)
            if after.folded != before.folded:
                other = _known(connection, workspace, {after.folded}).get(after.folded)
                if other is not None and other.number != before.number:
                    raise Conflict(_taken(after.name, other, after.folded), field="name")
                mine = event_name_aliases.c.workspace == workspace
                connection.execute(sa.delete(event_name_aliases).where(mine, event_name_aliases.c.folded == after.folded))
                connection.execute(sa.insert(event_name_aliases).values(workspace=workspace, folded=before.folded, name=before.number))
            if limit and before.archived_at is not None and after.archived_at is None and _count_active(connection, workspace) >= limit:
                raise _past(limit, field="archived")
            if after != before:
                values = {name: getattr(after, name) for name in after.__struct_fields__ if name != "number"}
                connection.execute(sa.update(event_names).where(event_names.c.number == before.number).values(values))
            return _with_aliases(connection, workspace, [after])[0]

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


def _read(connection: sa.Connection, wanted: "sa.Select[Any]") -> list[EventName]:
    """The names of whole rows; as many as thousands are read for one answer."""
    return [
        EventName(
            number=number,
            workspace=workspace,
            folded=folded,
            name=name,
            description=description,
            archived_at=archived_at,
            created_at=created_at,
        )
        for number, workspace, folded, name, description, archived_at, created_at in connection.execute(wanted)
    ]


def _resolve(
    connection: sa.Connection, workspace: int, wanted: Sequence[tuple[str, str]], *, now: int, limit: int
) -> dict[str, EventName | TrackrecordError]:
    found: dict[str, EventName | TrackrecordError] = dict(_known(connection, workspace, {folded for folded, _ in wanted}))
    active = _count_active(connection, workspace) if limit else 0
    for folded, name in wanted:
        if folded in found:
            continue
        if limit and active >= limit:
            found[folded] = _past(limit, field="event_name")
            continue
        made = {"workspace": workspace, "folded": folded, "name": name, "created_at": now}
        row = connection.execute(sa.insert(event_names).values(made).returning(event_names)).mappings().one()
        found[folded] = EventName(**row)
        active += 1
    return found


def _past(limit: int, *, field: str) -> Unprocessable:
    return Unprocessable(f"Cannot have more than {limit} active event names", field=field)


def _taken(name: str, other: EventName, folded: str) -> str:
    if other.folded == folded:
        return f"there is an event name {other.name!r} already; names that differ only in case are one"
    return f"{name!r} was the name of {other.name!r}, and events sent under it still go there"


def _known(connection: sa.Connection, workspace: int, folded: set[str]) -> dict[str, EventName]:
    """By what was asked for, the name that folds so; where there is none, the one that did."""
    mine = sa.select(event_names).where(event_names.c.workspace == workspace)
    found = {
        row["folded"]: EventName(**row)
        for some in in_chunks(folded)
        for row in connection.execute(mine.where(event_names.c.folded.in_(some))).mappings()
    }
    formerly = sa.select(event_names, event_name_aliases.c.folded.label("asked")).join(
        event_name_aliases, sa.and_(event_name_aliases.c.name == event_names.c.number, event_name_aliases.c.workspace == workspace)
    )
    for some in in_chunks(folded - found.keys()):
        for row in connection.execute(formerly.where(event_name_aliases.c.folded.in_(some))).mappings():
            fields = dict(row)
            asked = fields.pop("asked")
            found[asked] = EventName(**fields)
    return found


def _one(connection: sa.Connection, workspace: int, folded: str) -> EventName:
    found = _known(connection, workspace, {folded}).get(folded)
    if found is None:
        raise NotFound("Event name not found", field="name")
    return found


def _with_aliases(connection: sa.Connection, workspace: int, names: Sequence[EventName]) -> list[Entry]:
    aliases: dict[int, list[str]] = {}
    mine = sa.select(event_name_aliases.c.name, event_name_aliases.c.folded).where(event_name_aliases.c.workspace == workspace)
    if len(names) == 1:
        mine = mine.where(event_name_aliases.c.name == names[0].number)
    for number, folded in connection.execute(mine.order_by(event_name_aliases.c.folded)):
        aliases.setdefault(number, []).append(folded)
    return [Entry(name, tuple(aliases.get(name.number, ()))) for name in names]


def _count_active(connection: sa.Connection, workspace: int) -> int:
    counted = sa.select(sa.func.count()).where(event_names.c.workspace == workspace, event_names.c.archived_at.is_(None))
    return connection.execute(counted).scalar_one()
