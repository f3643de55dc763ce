"""Removing contacts for good, inside one write: their rows, what hangs on them, what was merged into them, and what was
refused of them in bulk."""

import sqlalchemy as sa

from ..rules.contacts import Contact
from . import jobs
from .belongings import drop
from .engine import in_chunks
from .rows import some
from .tables import contacts, erasures, merges


def erase(connection: sa.Connection, contact: Contact, *, now: int) -> list[Contact]:
    """Remove a contact and all that was merged into it, and note at `now` (whole Unix seconds) that they are erased.

    Returns them as they were, the contact first: each may have events of its own on their way, and be named elsewhere.
    """
    merged = some(connection, contacts.c.workspace == contact.workspace, contacts.c.merged_into == contact.number)
    people = [contact, *merged]
    numbers = [each.number for each in people]
    drop(connection, numbers)
    jobs.forget(connection, contact.workspace, people)
    for part in in_chunks(numbers):
        connection.execute(sa.delete(merges).where(merges.c.workspace == contact.workspace, merges.c.source.in_(part)))
        connection.execute(sa.delete(contacts).where(contacts.c.workspace == contact.workspace, contacts.c.number.in_(part)))
    noted = [{"contact": number, "workspace": contact.workspace, "at": now} for number in numbers]
    connection.execute(sa.insert(erasures), noted)
    return people
