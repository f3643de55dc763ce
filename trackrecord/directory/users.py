"""Users and leads as API 1.x has them: saved whether they exist or not, found by user_id, listed by page and walked by scroll."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ..errors import ContactMerged, ContactNotFound, RequestError, TrackrecordError
from ..rules.contacts import Claim, Contact, Cursor, clash, cursor, fold_email
from ..rules.identity import CAUSE_MAX
from ..rules.profiles import Profile, under
from ..rules.search import Query
from ..rules.users import SHOWN_MAX, SORTS, Belonging, Hanging, Listed, Wanted, of_company, said_in_1_x, shared_by
from ..rules.versions import LAST_1_X
from . import counts, merging
from .attributes import Settling
from .companies import attach_sent
from .contacts import Contacts
from .engine import Database, in_chunks
from .making import change, create_some
from .rows import COLUMNS, contact_of, get, keep, known, some
from .search import condition
from .tables import LISTED, LIVE, companies, company_contacts, contact_tags, contacts, tags


class Op(NamedTuple):
    """One change among many: save what is wanted, or archive who is named by it."""

    method: str  # "post" or "delete"
    wanted: Wanted


class Users:
    """`role` is "user" or "lead" throughout. Errors carry the names of API 1.x (rules.users.said_in_1_x)."""

    def __init__(self, db: Database, contacts: Contacts) -> None:
        self._db = db
        self._contacts = contacts

    def save(self, workspace: int, wanted: Wanted, *, now: int, profile: Profile) -> Contact:
        """Change whoever is named at `now` (whole Unix seconds), or make one.

        Of id, user_id and email the first that is there decides. A user_id that is nobody's goes to the user who has the
        email and none of its own. Who is archived comes back: API 1.x has no other way. Custom attributes are made by their
        first use. Raises ContactNotFound for an unknown id, Conflict for an email of several, UniqueUserConstraint for what
        another user has, NotRestorable for who is blocked, and what Contacts.update raises.
        """
        outcome = self.apply(workspace, [Op("post", wanted)], now=now, profile=profile)[0]
        if isinstance(outcome, TrackrecordError):
            raise outcome
        return outcome

    def apply(self, workspace: int, ops: Sequence[Op], *, now: int, profile: Profile) -> list[Contact | TrackrecordError]:
        """Many changes in one write, each as save, or as archive, would do it after those before it. One that is refused
        stands as its error and keeps none of the others out.
        """
        outcomes: list[Contact | TrackrecordError] = []
        told: list[tuple[Contact | None, Contact]] = []
        with self._db.writing() as connection:
            for op in ops:
                try:
                    with connection.begin_nested():
                        before, after = _applied(connection, workspace, op, now=now, profile=under(profile, LAST_1_X))
                except RequestError as error:
                    outcomes.append(said_in_1_x(error, role=op.wanted.role))
                    continue
                outcomes.append(after)
                if after is not before:
                    told.append((before, after))
        for before, after in told:
            self._contacts.tell(before, after)
        return outcomes

    def archive(self, workspace: int, id: str, *, role: str, now: int) -> Contact:
        """Hide a live contact of this role since `now` (whole Unix seconds). Raises ContactNotFound."""
        with self._db.writing() as connection:
            before = _live(connection, workspace, id, role)
            after = _archived(connection, before, now=now)
        self._contacts.tell(before, after)
        return after

    def find(self, workspace: int, kind: str, value: str, *, role: str) -> Contact:
        """The live contact of this role with an `id`, a `user_id`, or (users alone) an `email`.

        Raises ContactNotFound, and Conflict for an email of several.
        """
        with self._db.reading() as connection:
            if kind == "id":
                return _live(connection, workspace, value, role)
            column = _USER_ID[role] if kind == "user_id" else contacts.c.email_folded
            wanted = fold_email(value) if kind == "email" else value
            found = shared_by(some(connection, *_of(workspace, role), LIVE, column == wanted))
        if found is None:
            raise ContactNotFound(field=kind, cause=_nobody(role, kind, value))
        return found

    def refuse_unknown(self, workspace: int, id: str, *, field: str) -> None:
        """Raises ContactNotFound by field unless a contact has this id, be it archived or blocked."""
        with self._db.reading() as connection:
            try:
                known(connection, workspace, id)
            except (ContactMerged, ContactNotFound) as error:
                raise ContactNotFound(field=field, cause=error.cause) from None

    def list(
        self, workspace: int, listed: Listed, *, offset: int, limit: int, inside: Query | None = None
    ) -> tuple[Sequence[Contact], int]:
        """Up to `limit` live contacts from the `offset`th on, and how many there are in all; of equals the greatest id first.

        `inside` is what the segment of `listed` comes to; None where it names none.
        """
        column = contacts.c[SORTS[listed.sort]]
        everybody = (*_of(workspace, listed.role), LISTED)  # LISTED though it says no more than LIVE here: the index is of those
        conditions = [*everybody]
        if listed.tag is not None:
            tagged = sa.select(contact_tags.c.contact).join(tags, tags.c.id == contact_tags.c.tag)
            tag = int(listed.tag) if listed.tag.isascii() and listed.tag.isdigit() and len(listed.tag) < 19 else 0
            conditions.append(contacts.c.number.in_(tagged.where(tags.c.workspace == workspace, tags.c.id == tag)))
        if inside is not None:
            conditions.append(condition(inside))
        if listed.email is not None:
            conditions.append(contacts.c.email_folded == fold_email(listed.email))
        order = (column.asc(), contacts.c.id.asc()) if listed.ascending else (column.desc(), contacts.c.id.desc())
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(*COLUMNS).where(*conditions).order_by(*order).limit(limit).offset(offset)).mappings()
            found = [contact_of(row) for row in rows]
            if len(conditions) == len(everybody):
                return found, counts.listed(connection, workspace, listed.role)
            return found, connection.execute(sa.select(sa.func.count()).select_from(contacts).where(*conditions)).scalar_one()

    def walk(self, workspace: int, role: str, *, after: str | None, limit: int) -> tuple[Sequence[Contact], str | None]:
        """Up to `limit` live contacts that follow a place, newest first; and the place behind them, None when there are none."""
        place = None if after is None else cursor(after)
        wanted = sa.select(*COLUMNS).where(*_of(workspace, role), LISTED)
        if place is not None:
            wanted = wanted.where(sa.tuple_(contacts.c.created_at, contacts.c.id) < sa.tuple_(place.created_at, place.id))
        with self._db.reading() as connection:
            ordered = wanted.order_by(contacts.c.created_at.desc(), contacts.c.id.desc()).limit(limit)
            found = [contact_of(row) for row in connection.execute(ordered).mappings()]
        return found, Cursor(1, found[-1].created_at, found[-1].id).text if found else None

    def convert(self, workspace: int, lead: Wanted, user: Wanted, *, now: int, profile: Profile) -> tuple[Contact, Contact | None]:
        """Make a lead a user at `now` (whole Unix seconds), or merge it into the user who is there already.

        The user; and the lead as it was where it was merged away, as what was journalled of it has to move. Raises
        ContactNotFound for either, and what save raises. Source: the contract, 5.
        """
        profile = under(profile, LAST_1_X)
        merged: Contact | None = None
        with self._db.writing() as connection:
            leaving = _meant(connection, workspace, lead, within="contact.")
            if leaving is None or not leaving.live:
                kind, value = ("id", lead.id) if lead.id else ("user_id", lead.user_id or "")
                raise ContactNotFound(field=f"contact.{kind}", cause=_nobody("lead", kind, value))
            try:
                staying = _meant(connection, workspace, user, within="user.")
                if staying is None:
                    after = change(connection, leaving, msgspec.structs.replace(user.changes, role="user"), now=now, profile=profile)
                else:
                    if (error := None if staying.live else clash([staying], _claimed(user))) is not None:
                        raise error
                    whole = change(connection, staying, user.changes, now=now, profile=profile)
                    after = merged = merging.merge_rows(connection, leaving, whole, now=now)
            except RequestError as error:
                said = said_in_1_x(error, role="user")
                if said.field is not None and not said.field.startswith("user."):
                    said.field = f"user.{said.field}"
                raise said from None
        if staying is None or merged is None:
            self._contacts.tell(leaving, after)
            return after, None
        merging.tell(self._contacts, leaving, staying, merged)
        return after, leaving

    def hanging(self, of: Iterable[int]) -> dict[int, Hanging]:
        """What hangs on contacts but for segments, by their numbers; those that have nothing are left out. Ask with numbers of your own
        workspace.
        """
        found: dict[int, dict[str, list[Belonging]]] = {}
        with self._db.reading() as connection:
            for part in in_chunks(set(of)):
                for kind, wanted, contact in _HANGING:
                    for row in connection.execute(wanted.where(contact.in_(part))):
                        found.setdefault(row[0], {}).setdefault(kind, []).append(Belonging(str(row[1]), *row[2:]))
        return {number: Hanging(**{kind: tuple(each[:SHOWN_MAX]) for kind, each in kinds.items()}) for number, kinds in found.items()}


_USER_ID = {"user": contacts.c.external_id, "lead": contacts.c.anonymous_id}
_HANGING: tuple[tuple[str, sa.Select[Any], sa.ColumnElement[int]], ...] = (
    (
        "tags",
        sa.select(contact_tags.c.contact, tags.c.id, tags.c.name)
        .join(tags, tags.c.id == contact_tags.c.tag)
        .order_by(contact_tags.c.applied_at.desc(), tags.c.id.desc()),
        contact_tags.c.contact,
    ),
    (
        "companies",
        sa.select(company_contacts.c.contact, companies.c.id, companies.c.name, companies.c.company_id)
        .join(companies, companies.c.number == company_contacts.c.company)
        .order_by(company_contacts.c.attached_at.desc(), companies.c.number.desc()),
        company_contacts.c.contact,
    ),
)


def _of(workspace: int, role: str) -> tuple[sa.ColumnElement[bool], ...]:
    return contacts.c.workspace == workspace, contacts.c.role == role, contacts.c.merged_into.is_(None)


def _live(connection: sa.Connection, workspace: int, id: str, role: str) -> Contact:
    """Raises ContactNotFound; API 1.x knows no other answer for one that was merged away."""
    try:
        contact = get(connection, workspace, id)
    except ContactMerged as error:
        raise ContactNotFound(cause=error.cause) from None
    if contact.role != role:
        raise ContactNotFound(cause=f"contact {contact.id} is a {contact.role}, not a {role}")
    return contact


def _meant(connection: sa.Connection, workspace: int, wanted: Wanted, *, within: str = "") -> Contact | None:
    """Who is named: by the first of id, user_id and email that is there. Archived and blocked contacts too."""
    mine = _of(workspace, wanted.role)
    if wanted.id is not None:
        try:
            contact = known(connection, workspace, wanted.id)
        except (ContactMerged, ContactNotFound) as error:
            raise ContactNotFound(field=f"{within}id", cause=error.cause) from None
        if contact.role != wanted.role:
            raise ContactNotFound(field=f"{within}id", cause=f"contact {contact.id} is a {contact.role}, not a {wanted.role}")
        return contact
    if wanted.user_id is not None:
        found = some(connection, *mine, _USER_ID[wanted.role] == wanted.user_id)
        if found:
            return found[0]
    if wanted.email is None or wanted.role == "lead":  # leads are never told apart by email
        return None
    sharing = some(connection, *mine, contacts.c.email_folded == fold_email(wanted.email))
    if wanted.user_id is not None:
        sharing = [contact for contact in sharing if contact.external_id is None]
    return shared_by([contact for contact in sharing if contact.live] or sharing[:1])


def _applied(connection: sa.Connection, workspace: int, op: Op, *, now: int, profile: Profile) -> tuple[Contact | None, Contact]:
    """Who there was before, and who there is after it."""
    wanted = op.wanted
    before = _meant(connection, workspace, wanted)
    if op.method == "delete":
        if before is None or not before.live:
            raise ContactNotFound(field="id" if wanted.id else "user_id" if wanted.user_id else "email")
        return before, _archived(connection, before, now=now)
    if before is None:
        settling = Settling(connection, workspace, profile=profile, now=now)
        made = create_some(connection, workspace, [wanted.draft], settling, now=now, profile=profile)[0]
        if isinstance(made, TrackrecordError):
            raise made
        _join(connection, made, wanted, now=now, profile=profile)
        return None, made
    if before.blocked_at is not None and (error := clash([before], _claimed(wanted))) is not None:
        raise error
    there = before
    if before.archived_at is not None:
        there = msgspec.structs.replace(before, archived_at=None)
        keep(connection, there)
    _join(connection, there, wanted, now=now, profile=profile)
    return before, change(connection, there, wanted.changes, now=now, profile=profile)


def _claimed(wanted: Wanted) -> Claim:
    """What was sent to name somebody, so that an error can say which of it led to them."""
    own = {"user": "external_id", "lead": "anonymous_id"}[wanted.role]
    return Claim(id=wanted.id)._replace(**{own: wanted.user_id})


def _nobody(role: str, kind: str, value: str) -> str:
    return f"this workspace has no live {role} with {kind} {value[:CAUSE_MAX]!r}"


def _join(connection: sa.Connection, contact: Contact, wanted: Wanted, *, now: int, profile: Profile) -> None:
    try:
        attach_sent(connection, contact, wanted.companies, now=now, profile=profile)
    except RequestError as error:
        raise of_company(error) from None


def _archived(connection: sa.Connection, before: Contact, *, now: int) -> Contact:
    after = msgspec.structs.replace(before, archived_at=now)
    keep(connection, after)
    return after
