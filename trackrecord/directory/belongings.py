"""What hangs on contacts: tags and companies. Read for whole pages of them at once, moved and dropped with them."""

from collections.abc import Iterable

import sqlalchemy as sa

from ..rules.belongings import SHOWN_MAX, Belongings, Some
from .engine import Database, in_chunks
from .tables import companies, company_contacts, contact_tags

# Which tables say what hangs on a contact, and the column that names the other end.
_HANGING = ((contact_tags, "tag"), (company_contacts, "company"))


def belongings(db: Database, contacts: Iterable[int]) -> dict[int, Belongings]:
    """By contact number, for those that have any."""
    tagged: dict[int, list[str]] = {}
    employed: dict[int, list[str]] = {}
    with db.reading() as connection:
        for some in in_chunks(set(contacts)):
            of_tags = sa.select(contact_tags.c.contact, contact_tags.c.tag).where(contact_tags.c.contact.in_(some))
            for contact, tag in connection.execute(of_tags.order_by(contact_tags.c.applied_at.desc(), contact_tags.c.tag.desc())):
                tagged.setdefault(contact, []).append(str(tag))
            of_companies = (
                sa.select(company_contacts.c.contact, companies.c.id)
                .join(companies, companies.c.number == company_contacts.c.company)
                .where(company_contacts.c.contact.in_(some))
                .order_by(company_contacts.c.attached_at.desc(), companies.c.number.desc())
            )
            for contact, company in connection.execute(of_companies):
                employed.setdefault(contact, []).append(company)
    return {
        contact: Belongings(tags=_some(tagged.get(contact, [])), companies=_some(employed.get(contact, [])))
        for contact in tagged.keys() | employed.keys()
    }


def move(connection: sa.Connection, source: int, target: int) -> None:
    """Give the contact `target` the tags and companies of the contact `source`; where both have one, the target's stays.

    For use inside the write that merges.
    """
    for table, other in _HANGING:
        had = sa.select(table.c[other]).where(table.c.contact == target)
        connection.execute(sa.delete(table).where(table.c.contact == source, table.c[other].in_(had)))
        connection.execute(sa.update(table).where(table.c.contact == source).values(contact=target))


def drop(connection: sa.Connection, contacts: Iterable[int]) -> None:
    """Remove all that hangs on these contacts. For use inside the write that deletes them."""
    for some in in_chunks(contacts):
        for table in (contact_tags, company_contacts):
            connection.execute(sa.delete(table).where(table.c.contact.in_(some)))


def _some(ids: list[str]) -> Some:
    return Some(tuple(ids[:SHOWN_MAX]), len(ids))
