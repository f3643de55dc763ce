"""Visitors: found by what they are called, changed, and converted into leads and users."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import sqlalchemy as sa

from ..errors import Conflict, ContactNotFound, RequestError
from ..rules.contacts import Changes, Contact, clash, fold_email
from ..rules.matching import led_by, meant
from ..rules.profiles import Profile
from ..rules.visitors import KINDS, SENT_AS, Called, Conversion, becoming, completing, named, not_found, refuse_role
from . import merging
from .contacts import Contacts
from .engine import Database
from .erasing import erase
from .making import change
from .rows import called, some
from .tables import LIVE, contacts


class Converted(NamedTuple):
    """The contact that a visitor is now; and the visitor as it was where it was merged into one that was there, else None."""

    contact: Contact
    merged: Contact | None


class Visitors:
    def __init__(self, db: Database, contacts: Contacts) -> None:
        self._db = db
        self._contacts = contacts

    def get(self, workspace: int, visitor: Called) -> Contact:
        """The visitor that is called so: by the first of id, user_id and email that is given. Raises NotFound for what is no
        visitor, or none any more; and Conflict for an email of several.
        """
        with self._db.reading() as connection:
            return _get(connection, workspace, visitor)

    def update(self, workspace: int, visitor: Called, changes: Changes, *, now: int, profile: Profile) -> Contact:
        """Change a visitor at `now` (whole Unix seconds). Raises what get does, and what Contacts.update does for attributes."""
        with self._db.writing() as connection:
            before = _get(connection, workspace, visitor)
            after = change(connection, before, changes, now=now, profile=profile)
        if after is not before:
            self._contacts.tell(before, after)
        return after

    def delete(self, workspace: int, visitor: Called, *, now: int) -> list[Contact]:
        """Remove a visitor for good, as Contacts.delete does. Raises what get does."""
        with self._db.writing() as connection:
            before = _get(connection, workspace, visitor)
            gone = erase(connection, before, now=now)
        self._contacts.tell(before, None)
        return gone

    def convert(self, workspace: int, conversion: Conversion, *, now: int, profile: Profile) -> Converted:
        """Make a lead or user of a visitor at `now` (whole Unix seconds), or merge it into the one that is there already.

        Raises what get does for the visitor, what `meant` does for whom it becomes, ContactNotFound where an id alone names
        nobody, InvalidMerge for one of another role, and Conflict and NotRestorable as Contacts.update does.
        Source: the contract, 6.
        """
        with self._db.writing() as connection, _as_sent():
            visitor = _get(connection, workspace, conversion.visitor)
            into = _into(connection, workspace, conversion, visitor)
            if into is None:
                after = change(connection, visitor, becoming(conversion, visitor), now=now, profile=profile)
            else:
                whole = change(connection, into, completing(conversion, into), now=now, profile=profile)
                after = merging.merge_rows(connection, visitor, whole, now=now)
        if into is None:
            self._contacts.tell(visitor, after)
            return Converted(after, None)
        merging.tell(self._contacts, visitor, into, after)
        return Converted(after, visitor)

    def after(self, workspace: int, number: int, *, limit: int, since: int | None = None, until: int | None = None) -> list[Contact]:
        """Up to `limit` visitors with numbers above this one and since <= created_at < until, in their order: what export needs."""
        wanted = [contacts.c.workspace == workspace, contacts.c.role == sa.literal_column("'visitor'"), contacts.c.number > number, LIVE]
        wanted += [] if since is None else [contacts.c.created_at >= since]
        wanted += [] if until is None else [contacts.c.created_at < until]
        with self._db.reading() as connection:
            numbers = sa.select(contacts.c.number).where(*wanted).order_by(contacts.c.number).limit(limit)
            return sorted(some(connection, contacts.c.number.in_(numbers)), key=lambda visitor: visitor.number)


@contextmanager
def _as_sent() -> Iterator[None]:
    """Errors about who a visitor becomes name the parameter of the conversion, in place of the contact's field."""
    try:
        yield
    except RequestError as error:
        error.field = SENT_AS.get(error.field or "", error.field)
        raise


_COLUMNS = {"id": contacts.c.id, "user_id": contacts.c.anonymous_id, "email": contacts.c.email_folded}


def _get(connection: sa.Connection, workspace: int, visitor: Called) -> Contact:
    kind = next(kind for kind in KINDS if getattr(visitor, kind) is not None)
    value = getattr(visitor, kind)
    if kind == "email":
        value = fold_email(value)
    found = some(connection, contacts.c.workspace == workspace, contacts.c.role == "visitor", LIVE, _COLUMNS[kind] == value)
    if len(found) > 1:
        raise Conflict("Several visitors have this email address: name one by id or user_id", field=visitor.field(kind))
    if not found:
        raise not_found(visitor, kind)
    return found[0]


def _into(connection: sa.Connection, workspace: int, conversion: Conversion, visitor: Contact) -> Contact | None:
    """The live lead or user that the visitor is to be merged into; None where it becomes one itself."""
    wanted = named(conversion)
    if conversion.role == "lead":
        wanted = wanted._replace(external_id=None, email=None)  # leads are not told apart by what they are called elsewhere
    if wanted.id == visitor.id:
        wanted = wanted._replace(id=None)
    found = called(connection, workspace, wanted)
    into = meant(wanted, found)
    if into is None and conversion.role == "lead" and conversion.into.user_id not in (None, visitor.anonymous_id):
        leads = some(
            connection,
            contacts.c.workspace == workspace,
            contacts.c.role == "lead",
            LIVE,
            contacts.c.anonymous_id == conversion.into.user_id,
        )
        into = leads[0] if leads else None
    if into is None:
        if wanted.id is not None and conversion.into.user_id is None and conversion.into.email is None:
            raise ContactNotFound(field="id")
        return None
    if (error := None if into.live else clash([into], led_by(wanted, found, into))) is not None:
        raise error
    refuse_role(conversion, into)
    return into
