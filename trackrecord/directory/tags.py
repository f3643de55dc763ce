"""Tags, and what they are on."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from ..errors import CompanyNotFound, ContactNotFound, NotFound, ParameterInvalid, TagHasDependents
from ..rules.identity import only
from ..rules.segments import names_tag
from ..rules.tags import INVALID, Applied, Marked, Tag, Tagging, dependents, fold
from .admins import first_admin
from .engine import Database, in_chunks
from .rows import LOOKUPS, followed, get
from .tables import LISTED, companies, company_tags, contact_tags, contacts, segments, tags

NUMBER_DIGITS_MAX = 18  # of an id; longer ones were never given


class Tags:
    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self, workspace: int) -> Sequence[Tag]:
        """All of a workspace, the first made first."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(tags).where(tags.c.workspace == workspace).order_by(tags.c.id)).mappings()
            return [Tag(**row) for row in rows]

    def get(self, workspace: int, id: str) -> Tag:
        """Raises NotFound, also for another workspace's."""
        with self._db.reading() as connection:
            return _get(connection, workspace, id)

    def save(self, workspace: int, tagging: Tagging, *, now: int) -> Tag:
        """Do what POST /tags asks for at `now` (whole Unix seconds), all of it or nothing; return the tag.

        Raises NotFound for an id that is no tag's and a name that is to be taken off and is no tag's, ContactNotFound,
        CompanyNotFound, Conflict for an address that several users share, and ParameterInvalid for a new name that another has.
        """
        with self._db.writing() as connection:
            tag = _named(connection, workspace, tagging, now=now)
            by = first_admin(connection, workspace)
            _mark(connection, contact_tags, "contact", tag, _contacts(connection, workspace, tagging.contacts), now=now, by=by)
            _mark(connection, company_tags, "company", tag, _companies(connection, workspace, tagging.companies), now=now, by=by)
            return tag

    def delete(self, workspace: int, id: str) -> None:
        """Remove a tag from all that has it, and then itself. Raises NotFound, or TagHasDependents while a segment names it."""
        with self._db.writing() as connection:
            tag = _get(connection, workspace, id)
            rows = connection.execute(sa.select(segments.c.name, segments.c.query).where(segments.c.workspace == workspace))
            naming = [row.name for row in rows if names_tag(row.query, tag.id)]
            if naming:
                raise TagHasDependents(dependents(naming), field="tag_id")
            for table in (contact_tags, company_tags):
                connection.execute(sa.delete(table).where(table.c.tag == tag.id))
            connection.execute(sa.delete(tags).where(tags.c.id == tag.id))

    def of_contact(self, workspace: int, contact_id: str) -> Sequence[Applied]:
        """The latest applied first. Raises ContactNotFound, or ContactMerged."""
        with self._db.reading() as connection:
            contact = get(connection, workspace, contact_id)
            wanted = _applied(contact.number).order_by(contact_tags.c.applied_at.desc(), contact_tags.c.tag.desc())
            return [_read(row) for row in connection.execute(wanted).mappings()]

    def apply(self, workspace: int, contact_id: str, id: str, *, now: int) -> Applied:
        """Tag a contact at `now`. One that has the tag keeps it, with the moment it got it.

        Raises ContactNotFound, ContactMerged, or NotFound for a tag there is not.
        """
        with self._db.writing() as connection:
            contact = get(connection, workspace, contact_id)
            tag = _get(connection, workspace, id, field="id")
            by = first_admin(connection, workspace)
            _mark(connection, contact_tags, "contact", tag, [(contact.number, False)], now=now, by=by)
            return _read(connection.execute(_applied(contact.number).where(tags.c.id == tag.id)).mappings().one())

    def remove(self, workspace: int, contact_id: str, id: str) -> Applied:
        """Take a tag off a contact; return what it was. Raises as `apply` does, and NotFound where the contact has it not."""
        with self._db.writing() as connection:
            contact = get(connection, workspace, contact_id)
            tag = _get(connection, workspace, id)
            row = connection.execute(_applied(contact.number).where(tags.c.id == tag.id)).mappings().one_or_none()
            if row is None:
                raise NotFound(field="tag_id", cause="the contact does not have this tag")
            _mark(connection, contact_tags, "contact", tag, [(contact.number, True)], now=0, by=None)
            return _read(row)


def tags_of_companies(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, list[Tag]]:
    """By company number, for those that have any; the first applied first."""
    found: dict[int, list[Tag]] = {}
    for some in in_chunks(numbers):
        wanted = sa.select(company_tags.c.company.label("company_number"), tags).join(tags, tags.c.id == company_tags.c.tag)
        wanted = wanted.where(company_tags.c.company.in_(some)).order_by(company_tags.c.applied_at, tags.c.id)
        for row in connection.execute(wanted).mappings():
            fields = dict(row)
            found.setdefault(fields.pop("company_number"), []).append(Tag(**fields))
    return found


def _get(connection: sa.Connection, workspace: int, id: str, *, field: str = "tag_id") -> Tag:
    if id.isascii() and id.isdigit() and len(id) <= NUMBER_DIGITS_MAX:
        row = connection.execute(sa.select(tags).where(tags.c.workspace == workspace, tags.c.id == int(id))).mappings().one_or_none()
        if row is not None:
            return Tag(**row)
    raise NotFound(field=field, cause=f"there is no tag {id[:40]!r}")


def _by_name(connection: sa.Connection, workspace: int, name: str) -> Tag | None:
    wanted = sa.select(tags).where(tags.c.workspace == workspace, tags.c.folded == fold(name))
    row = connection.execute(wanted).mappings().one_or_none()
    return None if row is None else Tag(**row)


def _named(connection: sa.Connection, workspace: int, tagging: Tagging, *, now: int) -> Tag:
    """The tag meant: found, renamed or made."""
    if tagging.id is not None:
        tag = _get(connection, workspace, tagging.id, field="id")
        if tagging.name is None or tagging.name == tag.name:
            return tag
        other = _by_name(connection, workspace, tagging.name)
        if other is not None and other.id != tag.id:
            raise ParameterInvalid(f"{INVALID}: the tag {other.id} has the name {other.name!r} already", field="name")
        renamed = sa.update(tags).where(tags.c.id == tag.id).values(name=tagging.name, folded=fold(tagging.name))
        return Tag(**connection.execute(renamed.returning(tags)).mappings().one())
    name = tagging.name or ""
    found = _by_name(connection, workspace, name)
    if found is not None:
        return found
    if tagging.only_untags:
        raise NotFound(field="name", cause=f"there is no tag {name[:40]!r} to take off")
    made = sa.insert(tags).values(workspace=workspace, name=name, folded=fold(name), created_at=now).returning(tags)
    return Tag(**connection.execute(made).mappings().one())


def _contacts(connection: sa.Connection, workspace: int, marked: Sequence[Marked]) -> list[tuple[int, bool]]:
    """(number, whether to untag) of each. Live leads and users only: an id that was merged away is nobody's any more."""
    found: dict[tuple[str, str], list[int]] = {}
    for kind in ("id", "user_id", "email"):
        fold_value, many, _ = LOOKUPS[kind]
        for some in in_chunks({fold_value(each.value) for each in marked if each.kind == kind}):
            if kind == "id":
                wanted = sa.select(contacts.c.id, contacts.c.number).where(
                    contacts.c.workspace == workspace, contacts.c.id.in_(some), LISTED
                )
                rows = [(id, number) for id, number in connection.execute(wanted)]
            else:
                rows = list(followed(connection, workspace, connection.execute(many, {"workspace": workspace, "values": some}).all()))
            for value, number in rows:
                found.setdefault((kind, value), []).append(number)
    numbers: list[tuple[int, bool]] = []
    for each in marked:
        number = only(found.get((each.kind, LOOKUPS[each.kind][0](each.value)), []))
        if number is None:
            raise ContactNotFound(field=each.field, cause=f"nobody has the {each.kind} {each.value[:80]!r}")
        numbers.append((number, each.untag))
    return numbers


def _companies(connection: sa.Connection, workspace: int, marked: Sequence[Marked]) -> list[tuple[int, bool]]:
    found: dict[tuple[str, str], int] = {}
    for kind, column in (("id", companies.c.id), ("company_id", companies.c.company_id)):
        for some in in_chunks({each.value for each in marked if each.kind == kind}):
            wanted = sa.select(column, companies.c.number).where(companies.c.workspace == workspace, column.in_(some))
            found |= {(kind, value): number for value, number in connection.execute(wanted)}
    for each in marked:
        if (each.kind, each.value) not in found:
            raise CompanyNotFound(field=each.field, cause=f"no company has the {each.kind} {each.value[:80]!r}")
    return [(found[each.kind, each.value], each.untag) for each in marked]


def _mark(
    connection: sa.Connection, table: sa.Table, end: str, tag: Tag, marked: Iterable[tuple[int, bool]], *, now: int, by: int | None
) -> None:
    """Put the tag on these, or take it off; of two words about one the last counts. What has it already stays as it is."""
    wanted = dict(marked)
    for some in in_chunks(wanted):
        with_tag = sa.and_(table.c.tag == tag.id, table.c[end].in_(some))
        having = set(connection.scalars(sa.select(table.c[end]).where(with_tag)))
        leaving = [number for number in some if wanted[number] and number in having]
        coming = [number for number in some if not wanted[number] and number not in having]
        if leaving:
            connection.execute(sa.delete(table).where(table.c.tag == tag.id, table.c[end].in_(leaving)))
        if coming:
            rows = [{end: number, "tag": tag.id, "applied_at": now, "applied_by": by} for number in coming]
            connection.execute(sa.insert(table), rows)


def _applied(contact: int) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(tags, contact_tags.c.applied_at, contact_tags.c.applied_by)
        .join(contact_tags, contact_tags.c.tag == tags.c.id)
        .where(contact_tags.c.contact == contact)
    )


def _read(row: sa.RowMapping) -> Applied:
    fields = dict(row)
    at, by = fields.pop("applied_at"), fields.pop("applied_by")
    return Applied(Tag(**fields), at, by)
