"""Removing contacts for good, inside one write: their rows, what hangs on them, and what was merged into them."""

import sqlalchemy as sa

from ..rules.contacts import Contact
from .belongings import drop
from .engine import in_chunks
from .tables import contacts, erasures, merges


def erase(connection: sa.Connection, contact: Contact, *, now: int) -> list[int]:
    """Remove a contact and all that was merged into it, and note at `now` (whole Unix seconds) that they are erased.

    Returns their numbers, the contact's own first: each may have events of its own on their way.
    """
    merged = sa.select(contacts.c.number).where(contacts.c.workspace == contact.workspace, contacts.c.merged_into == contact.number)
    numbers = [contact.number, *connection.execute(merged).scalars()]
    drop(connection, numbers)
    for part in in_chunks(numbers):
        connection.execute(sa.delete(merges).where(merges.c.workspace == contact.workspace, merges.c.source.in_(part)))
        connection.execute(sa.delete(contacts).where(contacts.c.workspace == contact.workspace, contacts.c.number.in_(part)))
    noted = [{"contact": number, "workspace": contact.workspace, "at": now} for number in numbers]
    connection.execute(sa.insert(erasures), noted)
    return numbers
