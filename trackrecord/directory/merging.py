"""Merging contacts: one takes the other's place, in the directory at once and for good."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ..errors import ContactMerged, ContactNotFound
from ..rules.contacts import Contact, fold_email
from ..rules.merging import HISTORY_SHOWN_MAX, Merge, Place, joined, left_behind, refuse
from .belongings import move
from .contacts import Contacts
from .engine import Database
from .rows import get, keep
from .tables import contacts, merges

NO_CONTACT = "Contact not found"  # how the merge history says it. Source: the contract, 4.1


class Merged(NamedTuple):
    """The contact that both are now, and the one that was merged away as it was."""

    target: Contact
    source: Contact


class Preview(NamedTuple):
    """Two contacts as they are, and the target as it would be."""

    source: Contact
    target: Contact
    merged: Contact


class Merging:
    """What was journalled of a contact moves second, by whoever merges (`Contacts.merges` tells which)."""

    def __init__(self, db: Database, contacts: Contacts) -> None:
        self._db = db
        self._contacts = contacts

    def merge(self, workspace: int, source: str, target: str, *, now: int, duplicates_only: bool) -> Merged:
        """Merge the lead with the id `source` into the user with the id `target`, at `now` (whole Unix seconds).

        Raises ContactNotFound or ContactMerged for an id that names no live contact, and InvalidMerge as `rules.merging.refuse`
        does.
        """
        with self._db.writing() as connection:
            leaving, staying = _named(connection, workspace, source, "from"), _named(connection, workspace, target, "into")
            refuse(leaving, staying, duplicates_only=duplicates_only)
            merged = merge_rows(connection, leaving, staying, now=now)
        return tell(self._contacts, leaving, staying, merged)

    def preview(self, workspace: int, source: str, target: str, *, now: int, duplicates_only: bool) -> Preview:
        """What `merge` would do now, with nothing done. Raises what it raises."""
        with self._db.reading() as connection:
            leaving, staying = _named(connection, workspace, source, "from"), _named(connection, workspace, target, "into")
            refuse(leaving, staying, duplicates_only=duplicates_only)
            taken = _email_taken(connection, leaving, staying)
        return Preview(leaving, staying, joined(leaving, staying, now=now, email_taken=taken))

    def history(
        self, workspace: int, id: str, *, limit: int, after: Place | None, newest_first: bool
    ) -> tuple[Sequence[Merge], Place | None]:
        """Up to `limit` merges into a user, those that were first merged into one of its own included; and the place that the
        next page comes `after`, None on the last. Raises ContactNotFound, also for a lead; and ContactMerged.
        """
        with self._db.reading() as connection:
            contact = _named(connection, workspace, id, "contact_id", message=NO_CONTACT)
            if contact.role != "user":
                raise ContactNotFound(NO_CONTACT, field="contact_id")
            found = _history(connection, contact, limit=limit + 1, after=after, newest_first=newest_first)
        if len(found) <= limit:
            return found, None
        return found[:limit], Place(found[limit - 1].merged_at, found[limit - 1].source_id)

    def newest(self, contact: Contact) -> Sequence[Merge]:
        """The last HISTORY_SHOWN_MAX merges into a contact, newest first."""
        with self._db.reading() as connection:
            return _history(connection, contact, limit=HISTORY_SHOWN_MAX, after=None, newest_first=True)


def merge_rows(connection: sa.Connection, source: Contact, target: Contact, *, now: int) -> Contact:
    """Merge inside one write; the target as it is now. Whoever was merged into the source before is merged into the target."""
    merged = joined(source, target, now=now, email_taken=_email_taken(connection, source, target))
    keep(connection, left_behind(source, target, now=now))
    keep(connection, merged)
    move(connection, source.number, target.number)
    ours, earlier = contacts.c.workspace == source.workspace, merges.c.workspace == source.workspace
    connection.execute(sa.update(contacts).where(ours, contacts.c.merged_into == source.number).values(merged_into=target.number))
    connection.execute(sa.update(merges).where(earlier, merges.c.target == source.number).values(target=target.number))
    noted = {"source": source.number, "workspace": source.workspace, "target": target.number}
    connection.execute(sa.insert(merges).values(**noted, source_id=source.id, source_role=source.role, merged_at=now))
    return merged


def tell(told: Contacts, source: Contact, target: Contact, merged: Contact) -> Merged:
    """Say what merge_rows did, once it is kept."""
    told.tell(source, left_behind(source, merged, now=merged.updated_at))
    told.tell(target, merged)
    return Merged(merged, source)


def _email_taken(connection: sa.Connection, source: Contact, target: Contact) -> bool:
    """Whether a user besides the target has the source's address: hidden ones too, as they may come back. Leads share addresses."""
    if source.email is None or target.role != "user":
        return False
    users = sa.and_(contacts.c.workspace == source.workspace, contacts.c.role == "user", contacts.c.merged_into.is_(None))
    others = contacts.c.number.not_in((source.number, target.number))
    wanted = sa.select(sa.exists().where(users, others, contacts.c.email_folded == fold_email(source.email)))
    return bool(connection.scalar(wanted))


def _named(connection: sa.Connection, workspace: int, id: str, field: str, *, message: str = "User Not Found") -> Contact:
    try:
        return get(connection, workspace, id)
    except ContactMerged as error:
        raise ContactMerged(error.location, field=field) from None
    except ContactNotFound:
        raise ContactNotFound(message, field=field) from None


def _history(connection: sa.Connection, contact: Contact, *, limit: int, after: Place | None, newest_first: bool) -> list[Merge]:
    columns = (merges.c.merged_at, merges.c.source_id)
    wanted = sa.select(*(merges.c[name] for name in Merge._fields)).where(
        merges.c.workspace == contact.workspace, merges.c.target == contact.number
    )
    if after is not None:
        place, here = sa.tuple_(*columns), sa.tuple_(*after)
        wanted = wanted.where(place < here if newest_first else place > here)
    wanted = wanted.order_by(*(column.desc() if newest_first else column for column in columns)).limit(limit)
    return [Merge(*row) for row in connection.execute(wanted)]
