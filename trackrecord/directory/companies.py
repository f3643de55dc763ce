"""Companies, and the contacts attached to them."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from ..errors import CompanyNotFound, ContactCompanyLimitExceeded, ParameterNotFound
from ..rules.companies import ALL, PER_CONTACT_MAX, TOO_MANY, Company, CompanyChanges, CompanyFilter, changed
from ..rules.contacts import Contact, Cursor, cursor
from ..rules.profiles import Profile
from ..rules.tags import Tag
from .attributes import Settling
from .engine import Database, in_chunks
from .rows import COLUMNS, contact_of, get
from .tables import LISTED, companies, company_contacts, company_tags, contacts
from .tags import tags_of_companies


class Shown(msgspec.Struct, frozen=True):
    """A company with what is counted and looked up to show it."""

    company: Company
    user_count: int
    tags: Sequence[Tag]


class Companies:
    def __init__(self, db: Database) -> None:
        self._db = db

    def upsert(self, workspace: int, changes: CompanyChanges, *, now: int, profile: Profile) -> Shown:
        """Make a company at `now` (whole Unix seconds), or change the one there is with the same company_id; without that, with
        the same name, the first made of several.

        Raises ParameterNotFound where neither is given, and ParameterInvalid or TypeMismatch for a custom attribute that does
        not fit. Source: API reference, "Create or update a company".
        """
        with self._db.writing() as connection:
            return _shown(connection, [_upserted(connection, workspace, changes, now=now, profile=profile)])[0]

    def update(self, workspace: int, id: str, changes: CompanyChanges, *, now: int, profile: Profile) -> Shown:
        """Change a company at `now`; one that would stay the same is not written.

        Raises CompanyNotFound, ParameterInvalid for another company_id, and what custom attributes raise.
        """
        with self._db.writing() as connection:
            company = _changed(connection, _get(connection, workspace, id), changes, now=now, profile=profile)
            return _shown(connection, [company])[0]

    def get(self, workspace: int, id: str) -> Shown:
        """Raises CompanyNotFound, also for another workspace's."""
        with self._db.reading() as connection:
            return _shown(connection, [_get(connection, workspace, id)])[0]

    def find(self, workspace: int, *, company_id: str | None = None, name: str | None = None) -> Shown:
        """The company with this company_id; without one, the first made of those with this name. Raises CompanyNotFound."""
        with self._db.reading() as connection:
            company = _find(connection, workspace, company_id=company_id, name=name)
            if company is None:
                raise CompanyNotFound(field="name" if company_id is None else "company_id")
            return _shown(connection, [company])[0]

    def delete(self, workspace: int, id: str) -> Company:
        """Remove a company for good; its contacts stay, detached. Raises CompanyNotFound."""
        with self._db.writing() as connection:
            company = _get(connection, workspace, id)
            for table in (company_contacts, company_tags):
                connection.execute(sa.delete(table).where(table.c.company == company.number))
            connection.execute(sa.delete(companies).where(companies.c.number == company.number))
            return company

    def list(
        self,
        workspace: int,
        *,
        limit: int,
        offset: int,
        filtered: CompanyFilter = ALL,
        ascending: bool = False,
    ) -> tuple[Sequence[Shown], int]:
        """A piece of the list of companies, the newest created_at first, and how many there are. No company is in a segment."""
        if filtered.segment_id is not None:
            return [], 0
        mine = companies.c.workspace == workspace
        if filtered.tag_id is not None:
            tag = int(filtered.tag_id) if filtered.tag_id.isascii() and filtered.tag_id.isdigit() and len(filtered.tag_id) < 19 else 0
            mine = sa.and_(mine, companies.c.number.in_(sa.select(company_tags.c.company).where(company_tags.c.tag == tag)))
        order = (companies.c.created_at, companies.c.id) if ascending else (companies.c.created_at.desc(), companies.c.id.desc())
        with self._db.reading() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(companies).where(mine)).scalar_one()
            found = _some(connection, sa.select(companies).where(mine).order_by(*order).limit(limit).offset(offset))
            return _shown(connection, found), total

    def after(self, workspace: int, after: str | None, *, limit: int) -> Sequence[Shown]:
        """Up to `limit` companies in the order they were made, after the one with the number `after`; for a scroll."""
        wanted = sa.select(companies).where(companies.c.workspace == workspace, companies.c.number > int(after or 0))
        with self._db.reading() as connection:
            return _shown(connection, _some(connection, wanted.order_by(companies.c.number).limit(limit)))

    def attach(self, workspace: int, contact_id: str, id: str, *, now: int) -> Shown:
        """Attach a contact to a company at `now`; twice is as good as once.

        Raises ContactNotFound, ContactMerged, CompanyNotFound, and ContactCompanyLimitExceeded for one that has too many.
        """
        with self._db.writing() as connection:
            contact = get(connection, workspace, contact_id)
            company = _get(connection, workspace, id, field="id")
            _attach(connection, contact, company, now=now)
            return _shown(connection, [company])[0]

    def detach(self, workspace: int, contact_id: str, id: str) -> Shown:
        """Raises ContactNotFound, ContactMerged, and CompanyNotFound also where the contact is not attached to it."""
        with self._db.writing() as connection:
            contact = get(connection, workspace, contact_id)
            company = _get(connection, workspace, id)
            if connection.execute(sa.delete(company_contacts).where(_link(contact, company))).rowcount == 0:
                raise CompanyNotFound(field="company_id", cause="the contact is not attached to this company")
            return _shown(connection, [company])[0]

    def of_contact(self, workspace: int, contact_id: str, *, limit: int, offset: int) -> tuple[Sequence[Shown], int]:
        """A piece of a contact's companies, the latest attached first, and how many there are. Raises as `get` of contacts does."""
        with self._db.reading() as connection:
            contact = get(connection, workspace, contact_id)
            wanted = sa.select(companies).join(company_contacts, company_contacts.c.company == companies.c.number)
            wanted = wanted.where(company_contacts.c.contact == contact.number)
            total = _count(connection, contact)
            ordered = wanted.order_by(company_contacts.c.attached_at.desc(), companies.c.number.desc()).limit(limit).offset(offset)
            return _shown(connection, _some(connection, ordered)), total

    def contacts(self, workspace: int, id: str, *, limit: int, after: str | None = None) -> tuple[Sequence[Contact], int, str | None]:
        """As `list` of contacts, of those attached to one company. Raises CompanyNotFound, and ParameterInvalid for the cursor."""
        place = None if after is None else cursor(after)
        with self._db.reading() as connection:
            company = _get(connection, workspace, id)
            attached = sa.and_(
                contacts.c.workspace == workspace,
                LISTED,
                contacts.c.number.in_(sa.select(company_contacts.c.contact).where(company_contacts.c.company == company.number)),
            )
            total = connection.execute(sa.select(sa.func.count()).select_from(contacts).where(attached)).scalar_one()
            wanted = sa.select(*COLUMNS).where(attached).order_by(contacts.c.created_at.desc(), contacts.c.id.desc()).limit(limit + 1)
            if place is not None:
                wanted = wanted.where(sa.tuple_(contacts.c.created_at, contacts.c.id) < sa.tuple_(place.created_at, place.id))
            found = [contact_of(row) for row in connection.execute(wanted).mappings()]
        if len(found) <= limit:
            return found, total, None
        last = found[limit - 1]
        return found[:limit], total, Cursor(place.page + 1 if place else 2, last.created_at, last.id).text


def _some(connection: sa.Connection, wanted: sa.Select[Any]) -> list[Company]:
    return [Company(**row) for row in connection.execute(wanted).mappings()]


def _get(connection: sa.Connection, workspace: int, id: str, *, field: str = "company_id") -> Company:
    found = _some(connection, sa.select(companies).where(companies.c.workspace == workspace, companies.c.id == id))
    if not found:
        raise CompanyNotFound(field=field, cause=f"there is no company {id[:40]!r}")
    return found[0]


def _find(connection: sa.Connection, workspace: int, **names: str | None) -> Company | None:
    """The company by the first of id, company_id and name that is there; of several with one name the first made."""
    column, value = next((column, value) for column in ("id", "company_id", "name") if (value := names.get(column)) is not None)
    wanted = sa.select(companies).where(companies.c.workspace == workspace, companies.c[column] == value)
    found = _some(connection, wanted.order_by(companies.c.number).limit(1))
    return found[0] if found else None


def _names(changes: CompanyChanges, id: str | None = None) -> dict[str, str | None]:
    """What names a company besides its id here. Raises ParameterNotFound where nothing does."""
    company_id = None if changes.company_id is UNSET else changes.company_id
    name = None if changes.name is UNSET else changes.name
    if id is None and company_id is None and name is None:
        raise ParameterNotFound("a company needs a company_id or a name", field="company_id")
    return {"company_id": company_id, "name": name}


def _upserted(connection: sa.Connection, workspace: int, changes: CompanyChanges, *, now: int, profile: Profile) -> Company:
    names = _names(changes)
    found = _find(connection, workspace, **names)
    if found is not None:
        return _changed(connection, found, changes, now=now, profile=profile)
    new = Company(
        number=0,
        id=f"{now & 0xFFFFFFFF:08x}{secrets.token_hex(8)}",
        workspace=workspace,
        company_id=names["company_id"],
        created_at=now,
        updated_at=now,
    )
    made = changed(new, _settled(connection, workspace, changes, now=now, profile=profile), now=now)
    return Company(**connection.execute(sa.insert(companies).values(_row(made)).returning(companies)).mappings().one())


def _changed(connection: sa.Connection, before: Company, changes: CompanyChanges, *, now: int, profile: Profile) -> Company:
    after = changed(before, _settled(connection, before.workspace, changes, now=now, profile=profile), now=now)
    if after is not before:
        connection.execute(sa.update(companies).where(companies.c.number == before.number).values(_row(after)))
    return after


def _settled(connection: sa.Connection, workspace: int, changes: CompanyChanges, *, now: int, profile: Profile) -> CompanyChanges:
    if not changes.custom_attributes:
        return changes
    settled = Settling(connection, workspace, profile=profile, now=now, model="company").settle(changes.custom_attributes)
    return msgspec.structs.replace(changes, custom_attributes=settled)


def _row(company: Company) -> Mapping[str, Any]:
    return {name: getattr(company, name) for name in company.__struct_fields__ if name != "number"}


def _link(contact: Contact, company: Company) -> sa.ColumnElement[bool]:
    return sa.and_(company_contacts.c.company == company.number, company_contacts.c.contact == contact.number)


def _count(connection: sa.Connection, contact: Contact) -> int:
    counting = sa.select(sa.func.count()).select_from(company_contacts).where(company_contacts.c.contact == contact.number)
    return connection.execute(counting).scalar_one()


def _attach(connection: sa.Connection, contact: Contact, company: Company, *, now: int) -> None:
    if connection.execute(sa.select(company_contacts.c.company).where(_link(contact, company))).first() is not None:
        return
    if _count(connection, contact) >= PER_CONTACT_MAX:
        raise ContactCompanyLimitExceeded(TOO_MANY, field="id")
    connection.execute(sa.insert(company_contacts).values(company=company.number, contact=contact.number, attached_at=now))


def attach_sent(
    connection: sa.Connection, contact: Contact, sent: Iterable[tuple[str | None, CompanyChanges, bool]], *, now: int, profile: Profile
) -> None:
    """Make or change companies and attach a contact to them; for use inside a write.

    Each comes as (its id here or None, what is said of it, whether the contact leaves it instead). One that is left and is not
    there is passed over. Raises CompanyNotFound for an unknown id, and what `Companies.upsert` and `attach` raise.
    """
    for id, changes, leaves in sent:
        if leaves:
            found = _find(connection, contact.workspace, id=id, **_names(changes, id))
            if found is not None:
                connection.execute(sa.delete(company_contacts).where(_link(contact, found)))
            continue
        if id is None:
            company = _upserted(connection, contact.workspace, changes, now=now, profile=profile)
        else:
            company = _changed(connection, _get(connection, contact.workspace, id, field="id"), changes, now=now, profile=profile)
        _attach(connection, contact, company, now=now)


def _shown(connection: sa.Connection, found: Sequence[Company]) -> Sequence[Shown]:
    numbers = [company.number for company in found]
    counts: dict[int, int] = {}
    for some in in_chunks(numbers):
        counting = (
            sa.select(company_contacts.c.company, sa.func.count())
            .join(contacts, contacts.c.number == company_contacts.c.contact)
            .where(company_contacts.c.company.in_(some), LISTED)
            .group_by(company_contacts.c.company)
        )
        counts |= {row[0]: row[1] for row in connection.execute(counting)}
    tags = tags_of_companies(connection, numbers)
    return [Shown(company, counts.get(company.number, 0), tags.get(company.number, ())) for company in found]
