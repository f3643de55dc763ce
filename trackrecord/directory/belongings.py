"""What hangs on contacts, for whole pages of them at once."""

from collections.abc import Iterable

import sqlalchemy as sa

from ..rules.belongings import SHOWN_MAX, Belongings, Some
from .engine import Database, in_chunks
from .tables import companies, company_contacts, contact_tags


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


def _some(ids: list[str]) -> Some:
    return Some(tuple(ids[:SHOWN_MAX]), len(ids))
