"""Contacts as rows: how they are read and written, and the statements that find them by what they are called."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import ContactMerged, ContactNotFound
from ..rules.contacts import Contact, fold_email
from ..rules.matching import Found, Named
from .engine import Lookup
from .tables import LIVE, contacts

MERGE_HOPS_MAX = 3  # from a contact merged away to the one that took its place. Source: the contract, 2.1 "merged lead id"

COLUMNS = tuple(contacts.c[name] for name in Contact.__struct_fields__)


def row(contact: Contact) -> dict[str, Any]:
    values = {name: getattr(contact, name) for name in contact.__struct_fields__ if name != "number"}
    return {**values, "email_folded": None if contact.email is None else fold_email(contact.email)}


def contact_of(found: sa.RowMapping) -> Contact:
    return Contact(**found)


def from_columns(found: Sequence[Any]) -> Contact:
    """A contact from its COLUMNS in their order."""
    return Contact(**dict(zip(Contact.__struct_fields__, found, strict=True)))


def some(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Contact]:
    return [contact_of(found) for found in connection.execute(sa.select(*COLUMNS).where(*conditions)).mappings()]


def one(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Contact | None:
    """The contact that meets conditions only one can meet."""
    found = some(connection, *conditions)
    return found[0] if found else None


def known(connection: sa.Connection, workspace: int, id: str) -> Contact:
    """The lead or user with this id, archived and blocked ones too. Raises ContactNotFound, or ContactMerged with the path of
    the live contact that took its place.
    """
    contact = one(connection, contacts.c.workspace == workspace, contacts.c.id == id)
    if contact is None or contact.role == "visitor":
        raise ContactNotFound(cause=f"this workspace has no {'contact' if contact is None else 'lead or user'} with id {id[:100]!r}")
    if contact.merged_into is not None:
        for _, number in followed(connection, workspace, [(id, contact.number, contact.merged_into)]):
            place = connection.execute(sa.select(contacts.c.id).where(contacts.c.number == number)).scalar_one()
            raise ContactMerged(f"/contacts/{place}")
        raise ContactNotFound(cause=f"contact {id} was merged away, and nothing live took its place")
    return contact


def get(connection: sa.Connection, workspace: int, id: str) -> Contact:
    """The live lead or user with this id. Raises as `known` does, and ContactNotFound for one that is archived or blocked."""
    contact = known(connection, workspace, id)
    if not contact.live:
        raise ContactNotFound(cause=f"contact {id} is {'archived' if contact.blocked_at is None else 'blocked'}")
    return contact


def keep(connection: sa.Connection, contact: Contact) -> None:
    """Write a contact that has a row already."""
    connection.execute(sa.update(contacts).where(contacts.c.number == contact.number).values(row(contact)))


def _exactly(value: str) -> str:
    return value


def _lookup(column: sa.ColumnElement[str], *conditions: sa.ColumnElement[bool]) -> tuple["sa.Select[Any]", Lookup]:
    """How values are found, in a transaction and by itself: (the value found, the number, merged into which), in order of numbers."""
    wanted = sa.select(column, contacts.c.number, contacts.c.merged_into).where(
        contacts.c.workspace == sa.bindparam("workspace"), contacts.c.archived_at.is_(None), contacts.c.blocked_at.is_(None), *conditions
    )
    ordered = wanted.order_by(contacts.c.number)
    return ordered.where(column.in_(sa.bindparam("values", expanding=True))), Lookup(ordered, column)


_UNMERGED = contacts.c.merged_into.is_(None)
_USER = contacts.c.role == "user"

BY_NUMBER = Lookup(sa.select(*COLUMNS).where(contacts.c.workspace == sa.bindparam("workspace")), contacts.c.number)  # rows for Contact

# How contacts are found: the kind of identifier, how a value is folded, and how it is looked for.
LOOKUPS: dict[str, tuple[Callable[[str], str], "sa.Select[Any]", Lookup]] = {
    "id": (_exactly, *_lookup(contacts.c.id)),
    "user_id": (_exactly, *_lookup(contacts.c.external_id, _UNMERGED, _USER)),
    "anonymous_id": (_exactly, *_lookup(contacts.c.anonymous_id)),
    "email": (fold_email, *_lookup(contacts.c.email_folded, _UNMERGED, _USER)),
}
_PLACE = sa.select(contacts.c.merged_into, contacts.c.archived_at, contacts.c.blocked_at).where(
    contacts.c.workspace == sa.bindparam("workspace"), contacts.c.number == sa.bindparam("number")
)


def followed(connection: sa.Connection, workspace: int, rows: Iterable[Sequence[Any]]) -> Iterable[tuple[str, int]]:
    """(value, number) of each row, merged contacts replaced by what took their place, or left out where nothing live did."""
    for value, number, merged_into in rows:
        hops = 0
        while merged_into is not None and hops < MERGE_HOPS_MAX:
            number, hops = merged_into, hops + 1
            place = connection.execute(_PLACE, {"workspace": workspace, "number": number}).one_or_none()
            if place is None or place.archived_at is not None or place.blocked_at is not None:
                break
            merged_into = place.merged_into
        else:
            if merged_into is None:
                yield value, number


def called(connection: sa.Connection, workspace: int, named: Named, *, roles: Sequence[str] = ("user",)) -> Found:
    """The leads and users each identifier leads to: the id through merges, archived and blocked contacts too; the external_id
    likewise; the email to live contacts of the first of these roles that any has.
    """
    ours = contacts.c.workspace == workspace
    found: dict[str, list[Contact]] = {"id": [], "external_id": [], "email": []}
    if named.id is not None:
        there = one(connection, ours, contacts.c.id == named.id)
        if there is not None and there.merged_into is not None:
            there = one(connection, ours, contacts.c.number == there.merged_into)
        if there is not None and there.role != "visitor":
            found["id"] = [there]
    if named.external_id is not None:
        found["external_id"] = some(connection, ours, contacts.c.external_id == named.external_id)
    if named.email is not None:
        sharing = some(connection, ours, LIVE, contacts.c.email_folded == fold_email(named.email))
        for role in roles:
            found["email"] = found["email"] or [contact for contact in sharing if contact.role == role]
    return found
