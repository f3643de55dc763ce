"""Whom the identifiers of a query lead to: unlike an event that is sent, a query may ask for those who were archived or blocked."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from ..rules.contacts import fold_email
from .engine import Database, in_chunks
from .tables import contacts

MERGES_MAX = 10  # merges followed from one contact

_UNMERGED = contacts.c.merged_into.is_(None)
# Where a kind of identifier stands, and in which rows. Those that are followed lead on to whoever took a merged contact's place.
_STANDS: dict[str, tuple[tuple[sa.ColumnElement[str], sa.ColumnElement[bool]], ...]] = {
    "id": ((contacts.c.id, sa.true()),),
    "user_id": ((contacts.c.external_id, _UNMERGED), (contacts.c.anonymous_id, sa.true())),
    "email": ((contacts.c.email_folded, _UNMERGED),),
}


def called(db: Database, workspace: int, wanted: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], frozenset[int]]:
    """The numbers of all contacts of a workspace that have these identifiers, by (kind, value); kinds are those of rules.queries.

    A user_id is an external id or an anonymous one, as events are shown with either; an address is the same in every case.
    """
    found: dict[tuple[str, str], set[int]] = {}
    merged: dict[int, int] = {}
    with db.reading() as connection:
        for kind, values in wanted.items():
            written: dict[str, list[str]] = {}  # by what a value is compared as
            for value in values:
                written.setdefault(fold_email(value) if kind == "email" else value, []).append(value)
            for column, rows in _STANDS[kind]:
                for some in in_chunks(written):
                    here = sa.select(column, contacts.c.number, contacts.c.merged_into).where(
                        contacts.c.workspace == workspace, column.in_(some), rows
                    )
                    for folded, number, merged_into in connection.execute(here):
                        if merged_into is not None:
                            merged[number] = merged_into
                        for value in written[folded]:
                            found.setdefault((kind, value), set()).add(number)
        _follow(connection, workspace, merged)
    return {key: frozenset(_end(number, merged) for number in numbers) for key, numbers in found.items()}


def _follow(connection: sa.Connection, workspace: int, merged: dict[int, int]) -> None:
    """Add where those lead that others were merged into."""
    for _ in range(MERGES_MAX):
        unknown = set(merged.values()) - merged.keys()
        onward: dict[int, int] = {}
        for some in in_chunks(unknown):
            wanted = sa.select(contacts.c.number, contacts.c.merged_into).where(
                contacts.c.workspace == workspace, contacts.c.number.in_(some), contacts.c.merged_into.is_not(None)
            )
            for number, place in connection.execute(wanted):
                onward[number] = place
        if not onward:
            return
        merged |= onward


def _end(number: int, merged: Mapping[int, int]) -> int:
    for _ in range(MERGES_MAX):
        if number not in merged:
            break
        number = merged[number]
    return number
