"""Archiving, unarchiving and blocking: contacts that are hidden from everything but what claims their identifiers."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from ..errors import BadRequest, ContactNotFound, NotRestorable
from ..rules.contacts import Contact, Cursor, cursor
from .contacts import Contacts
from .engine import Database
from .rows import COLUMNS, contact_of, keep, known, one
from .tables import contacts


class Archiving:
    """Leads and users only. What is done leaves updated_at as it was, and doing it again changes nothing."""

    def __init__(self, db: Database, contacts: Contacts) -> None:
        self._db = db
        self._contacts = contacts

    def archive(self, workspace: int, id: str, *, now: int) -> Contact:
        """Hide a contact since `now` (whole Unix seconds). Raises ContactMerged, and ContactNotFound also for one that is blocked."""
        with self._db.writing() as connection:
            before = known(connection, workspace, id)
            if before.blocked_at is not None:
                raise ContactNotFound
            after = _kept(connection, before, archived_at=before.archived_at or now)
        return self._told(before, after)

    def unarchive(self, workspace: int, id: str) -> Contact:
        """Show a contact again, with all that it had; a live one stays as it is.

        Raises ContactNotFound, NotRestorable for one that is blocked, and BadRequest for one that was merged away.
        Source: the contract, 4.6 "unarchiving a merged one".
        """
        with self._db.writing() as connection:
            merged = one(connection, contacts.c.workspace == workspace, contacts.c.id == id, contacts.c.merged_into.is_not(None))
            if merged is not None:
                raise BadRequest("User has been merged and is not restorable.", field="contact_id")
            before = known(connection, workspace, id)
            if before.blocked_at is not None:
                raise NotRestorable("The contact was blocked and is not restorable", field="contact_id")
            after = _kept(connection, before, archived_at=None)
        return self._told(before, after)

    def block(self, workspace: int, id: str, *, now: int) -> Contact:
        """Hide a live or archived contact for good since `now` (whole Unix seconds). Raises ContactNotFound, or ContactMerged."""
        with self._db.writing() as connection:
            before = known(connection, workspace, id)
            after = _kept(connection, before, archived_at=before.archived_at or now, blocked_at=before.blocked_at or now)
        return self._told(before, after)

    def list(self, workspace: int, *, limit: int, after: str | None = None) -> tuple[Sequence[Contact], int, str | None]:
        """Those that are archived or blocked, the last archived first; with cursors as Contacts.list has them."""
        place = None if after is None else cursor(after)
        hidden = sa.and_(contacts.c.workspace == workspace, contacts.c.archived_at.is_not(None))
        wanted = sa.select(*COLUMNS).where(hidden).order_by(contacts.c.archived_at.desc(), contacts.c.id.desc()).limit(limit + 1)
        if place is not None:
            wanted = wanted.where(sa.tuple_(contacts.c.archived_at, contacts.c.id) < sa.tuple_(place.created_at, place.id))
        with self._db.reading() as connection:
            found = [contact_of(row) for row in connection.execute(wanted).mappings()]
            total = connection.execute(sa.select(sa.func.count()).select_from(contacts).where(hidden)).scalar_one()
        if len(found) <= limit:
            return found, total, None
        last = found[limit - 1]
        return found[:limit], total, Cursor(place.page + 1 if place else 2, last.archived_at or 0, last.id).text

    def _told(self, before: Contact, after: Contact) -> Contact:
        if after is not before:
            self._contacts.tell(before, after)
        return after


def _kept(connection: sa.Connection, before: Contact, **moments: int | None) -> Contact:
    after = msgspec.structs.replace(before, **moments)
    if after == before:
        return before
    keep(connection, after)
    return after
