"""Contacts: made, changed, deleted, and found by what they are called."""

import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ..errors import ContactNotFound, TrackrecordError
from ..rules.contacts import Changes, Claim, Contact, Cursor, Draft, changed, claim_of, clash, cursor, fold_email, made
from ..rules.profiles import Profile
from .attributes import Settling
from .engine import Database, in_chunks
from .tables import LISTED, LIVE, contacts, erasures

MERGE_HOPS_MAX = 3  # from a contact merged away to the one that took its place. Source: the contract, 2.1 "merged lead id"
BATCH = 500  # drafts checked together and written by one statement

Lookup = sa.Select[Any]
Listener = Callable[[Contact | None, Contact | None], None]

COLUMNS = tuple(contacts.c[name] for name in Contact.__struct_fields__)


class Contacts:
    """`on_change` is called with (before, after) once a change is kept, and before the method that made it returns, in that
    method's thread: None before for a new contact, None after for a deleted one. Who holds contacts or their numbers drops
    them there, and raises nothing.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self.on_change: list[Listener] = []

    def create(self, workspace: int, draft: Draft, *, now: int, profile: Profile) -> Contact:
        """Make a contact at `now` (whole Unix seconds).

        Raises Conflict where there is one already, NotRestorable where that was blocked, and ParameterInvalid or TypeMismatch
        for a custom attribute that does not fit. Source: the contract, 4.3.
        """
        outcome = self.create_many(workspace, [draft], now=now, profile=profile)[0]
        if isinstance(outcome, TrackrecordError):
            raise outcome
        return outcome

    def create_many(self, workspace: int, drafts: Sequence[Draft], *, now: int, profile: Profile) -> list[Contact | TrackrecordError]:
        """Make contacts in one transaction: what import needs. No other write comes in between, so send thousands, not millions.

        The answers stand in the order of the drafts: the contact, or the error that `create` would have raised for it, which
        keeps none of the others from being made. A draft clashes with an earlier one as it would with a contact.
        """
        outcomes: list[Contact | TrackrecordError] = []
        with self._db.writing() as connection:
            settling = Settling(connection, workspace, profile=profile, now=now)
            for start in range(0, len(drafts), BATCH):
                outcomes += _create_some(connection, workspace, drafts[start : start + BATCH], settling, now=now, profile=profile)
        for outcome in outcomes:
            if isinstance(outcome, Contact):
                self._tell(None, outcome)
        return outcomes

    def update(self, workspace: int, id: str, changes: Changes, *, now: int, profile: Profile) -> Contact:
        """Change a contact at `now` (whole Unix seconds). One that would stay the same is not written, and keeps its updated_at.

        Raises ContactNotFound, Conflict and NotRestorable where others have what it would claim, DataInvalid for a role it
        cannot have, and ParameterInvalid or TypeMismatch for a custom attribute that does not fit.
        """
        with self._db.writing() as connection:
            before = _get(connection, workspace, id)
            if changes.custom_attributes:
                settled = Settling(connection, workspace, profile=profile, now=now).settle(changes.custom_attributes)
                changes = msgspec.structs.replace(changes, custom_attributes=settled)
            after = changed(before, changes, now=now)
            if after is before:
                return before
            _refuse_clash(connection, workspace, before, after, profile=profile)
            connection.execute(sa.update(contacts).where(contacts.c.number == before.number).values(_row(after)))
        self._tell(before, after)
        return after

    def delete(self, workspace: int, id: str, *, now: int) -> Contact:
        """Remove a contact for good, archived and blocked ones too, and note at `now` (whole Unix seconds) that it is erased.

        Its events are not kept here; who deletes has them erased as well (`erasures` tells which). Raises ContactNotFound.
        """
        with self._db.writing() as connection:
            contact = _one(connection, sa.and_(contacts.c.workspace == workspace, contacts.c.id == id, contacts.c.merged_into.is_(None)))
            if contact is None:
                raise ContactNotFound
            connection.execute(sa.delete(contacts).where(contacts.c.number == contact.number))
            connection.execute(sa.insert(erasures).values(contact=contact.number, workspace=workspace, at=now))
        self._tell(contact, None)
        return contact

    def erasures(self) -> list[tuple[int, int]]:
        """(contact number, workspace number) of every contact ever deleted, in the order of their numbers."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(erasures.c.contact, erasures.c.workspace).order_by(erasures.c.contact))
            return [(contact, workspace) for contact, workspace in rows]

    def highest(self) -> int:
        """The greatest number that any contact has or had; 0 before the first."""
        numbers = sa.union_all(sa.select(sa.func.max(contacts.c.number).label("n")), sa.select(sa.func.max(erasures.c.contact))).subquery()
        with self._db.reading() as connection:
            return connection.scalar(sa.select(sa.func.max(numbers.c.n))) or 0

    def get(self, workspace: int, id: str) -> Contact:
        """Raises ContactNotFound; also for one that is archived, blocked, merged away or of another workspace."""
        with self._db.reading() as connection:
            return _get(connection, workspace, id)

    def by_external_id(self, workspace: int, external_id: str) -> Contact:
        """The user with this external_id, exactly. Raises ContactNotFound as get does."""
        with self._db.reading() as connection:
            contact = _one(connection, sa.and_(contacts.c.workspace == workspace, contacts.c.external_id == external_id, LIVE))
        if contact is None:
            raise ContactNotFound
        return contact

    def by_numbers(self, workspace: int, numbers: Iterable[int]) -> dict[int, Contact]:
        """Contacts of one workspace, whether they are live or not; unknown numbers are left out."""
        with self._db.reading() as connection:
            return {
                contact.number: contact
                for some in in_chunks(set(numbers))
                for contact in _some(connection, sa.and_(contacts.c.workspace == workspace, contacts.c.number.in_(some)))
            }

    def find(self, workspace: int, kind: str, value: str) -> list[int]:
        """Numbers of the live contacts an identifier names, in their order; `kind` is one of LOOKUPS.

        `id` finds a contact of either role and follows merges to the one that took its place, MERGE_HOPS_MAX at most.
        `user_id` finds users by external_id, exactly. `anonymous_id` finds whoever has it. `email` finds users, in whatever
        case it is written, and may find several. Source: the contract, 2.1 "Resolution rules".
        """
        fold, one, _ = LOOKUPS[kind]
        with self._db.reading() as connection:
            rows = connection.execute(one, {"workspace": workspace, "value": fold(value)}).all()
            return [number for _, number in _followed(connection, workspace, rows)]

    def find_many(self, workspace: int, kind: str, values: Iterable[str]) -> dict[str, list[int]]:
        """As find, for each of the values; one that names nobody has an empty list."""
        fold, _, many = LOOKUPS[kind]
        found: dict[str, list[int]] = {value: [] for value in values}
        folded: dict[str, list[list[int]]] = {}
        for value, numbers in found.items():
            folded.setdefault(fold(value), []).append(numbers)
        with self._db.reading() as connection:
            for some in in_chunks(folded):
                rows = connection.execute(many, {"workspace": workspace, "values": some}).all()
                for value, number in _followed(connection, workspace, rows):
                    for numbers in folded[value]:
                        numbers.append(number)
        return found

    def list(self, workspace: int, *, limit: int, after: str | None = None) -> tuple[Sequence[Contact], int, str | None]:
        """Up to `limit` live contacts, the newest created_at first and among equals the greatest id; how many there are in
        all; and the cursor that the next page comes `after`, None on the last.

        Contacts made or deleted meanwhile shift no other onto two pages or none. Raises ParameterInvalid for a cursor that
        is not ours. Source: the contract, 4.4; the order is ours.
        """
        place = None if after is None else cursor(after)
        listed = sa.and_(contacts.c.workspace == workspace, LISTED)
        wanted = sa.select(*COLUMNS).where(listed).order_by(contacts.c.created_at.desc(), contacts.c.id.desc()).limit(limit + 1)
        if place is not None:
            wanted = wanted.where(sa.tuple_(contacts.c.created_at, contacts.c.id) < sa.tuple_(place.created_at, place.id))
        with self._db.reading() as connection:
            found = [_contact(row) for row in connection.execute(wanted).mappings()]
            total = connection.execute(sa.select(sa.func.count()).select_from(contacts).where(listed)).scalar_one()
        if len(found) <= limit:
            return found, total, None
        last = found[limit - 1]
        return found[:limit], total, Cursor(place.page + 1 if place else 2, last.created_at, last.id).text

    def _tell(self, before: Contact | None, after: Contact | None) -> None:
        for listener in self.on_change:
            listener(before, after)


def _create_some(
    connection: sa.Connection, workspace: int, drafts: Sequence[Draft], settling: Settling, *, now: int, profile: Profile
) -> list[Contact | TrackrecordError]:
    claims = [claim_of(draft, profile=profile) for draft in drafts]
    claimants = _Claimants(connection, workspace, claims)
    outcomes: list[Contact | TrackrecordError] = []
    for draft, claim in zip(drafts, claims, strict=True):
        outcome: Contact | TrackrecordError | None = clash(claimants.of(claim))
        if outcome is None:
            outcome = _fitted(draft, workspace, settling, now=now)
            if isinstance(outcome, Contact):
                claimants.add(outcome)
        outcomes.append(outcome)
    rows = [_row(outcome) for outcome in outcomes if isinstance(outcome, Contact)]
    if not rows:
        return outcomes
    written = connection.execute(sa.insert(contacts).returning(contacts.c.id, contacts.c.number), rows)
    numbers: dict[str, int] = {row.id: row.number for row in written}
    return [
        msgspec.structs.replace(outcome, number=numbers[outcome.id]) if isinstance(outcome, Contact) else outcome for outcome in outcomes
    ]


def _fitted(draft: Draft, workspace: int, settling: Settling, *, now: int) -> Contact | TrackrecordError:
    """The contact a draft makes, before it has a number; or what is wrong with its custom attributes."""
    try:
        settled = settling.settle(draft.custom_attributes)
    except TrackrecordError as error:
        return error
    fitting = msgspec.structs.replace(draft, custom_attributes=settled)
    return made(fitting, number=0, workspace=workspace, id=_new_id(now), anonymous_id=str(uuid.uuid4()), now=now)


class _Claimants:
    """Who has what some contacts claim: those in the directory, and those being made with them."""

    def __init__(self, connection: sa.Connection, workspace: int, claims: Sequence[Claim]) -> None:
        self._found: dict[tuple[str, str], dict[str, Contact]] = {}
        unmerged = sa.and_(contacts.c.workspace == workspace, contacts.c.merged_into.is_(None))
        for field, (column, whose) in {
            "id": (contacts.c.id, sa.true()),  # once in all workspaces
            "external_id": (contacts.c.external_id, unmerged),
            "anonymous_id": (contacts.c.anonymous_id, unmerged),
            "email": (contacts.c.email_folded, sa.and_(unmerged, contacts.c.role == "user")),
        }.items():
            for some in in_chunks({value for claim in claims if (value := getattr(claim, field)) is not None}):
                for contact in _some(connection, sa.and_(column.in_(some), whose)):
                    self._note(field, fold_email(contact.email or "") if field == "email" else getattr(contact, field), contact)

    def of(self, claim: Claim) -> Iterable[Contact]:
        """Those that have any of it, each once."""
        found: dict[str, Contact] = {}
        for field, value in claim._asdict().items():
            if value is not None:
                found |= self._found.get((field, value), {})
        return found.values()

    def add(self, contact: Contact) -> None:
        self._note("id", contact.id, contact)
        for field in ("external_id", "anonymous_id"):
            if getattr(contact, field) is not None:
                self._note(field, getattr(contact, field), contact)
        if contact.role == "user" and contact.email is not None:
            self._note("email", fold_email(contact.email), contact)

    def _note(self, field: str, value: str, contact: Contact) -> None:
        self._found.setdefault((field, value), {})[contact.id] = contact


def _refuse_clash(connection: sa.Connection, workspace: int, before: Contact, after: Contact, *, profile: Profile) -> None:
    """Only what is newly claimed counts: what a contact has, it may share with others from before a stricter profile."""
    had, claims = claim_of(before, profile=profile), claim_of(after, profile=profile)
    claim = Claim(
        external_id=claims.external_id if claims.external_id != had.external_id else None,
        email=claims.email if claims.email != had.email else None,
    )
    others = [other for other in _Claimants(connection, workspace, [claim]).of(claim) if other.number != before.number]
    error = clash(others)
    if error is not None:
        raise error


def _new_id(now: int) -> str:
    """24 hex digits: eight of the time, sixteen of chance. Source: the contract, 1.9."""
    return f"{now & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"


def _row(contact: Contact) -> dict[str, Any]:
    row = {name: getattr(contact, name) for name in contact.__struct_fields__ if name != "number"}
    return {**row, "email_folded": None if contact.email is None else fold_email(contact.email)}


def _contact(row: sa.RowMapping) -> Contact:
    return Contact(**row)


def _some(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Contact]:
    return [_contact(row) for row in connection.execute(sa.select(*COLUMNS).where(condition)).mappings()]


def _one(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Contact | None:
    found = _some(connection, condition)
    return found[0] if found else None


def _get(connection: sa.Connection, workspace: int, id: str) -> Contact:
    contact = _one(connection, sa.and_(contacts.c.workspace == workspace, contacts.c.id == id))
    if contact is None or not contact.live:
        raise ContactNotFound
    return contact


def _exactly(value: str) -> str:
    return value


def _lookup(column: sa.ColumnElement[str], *conditions: sa.ColumnElement[bool]) -> tuple[Lookup, Lookup]:
    """The statements for one value and for many: (the value found, the number, merged into which), in order of numbers."""
    wanted = sa.select(column, contacts.c.number, contacts.c.merged_into).where(
        contacts.c.workspace == sa.bindparam("workspace"), contacts.c.archived_at.is_(None), contacts.c.blocked_at.is_(None), *conditions
    )
    ordered = wanted.order_by(contacts.c.number)
    return ordered.where(column == sa.bindparam("value")), ordered.where(column.in_(sa.bindparam("values", expanding=True)))


_UNMERGED = contacts.c.merged_into.is_(None)
_USER = contacts.c.role == "user"

# How contacts are found: the kind of identifier, how a value is folded, and its two statements.
LOOKUPS: dict[str, tuple[Callable[[str], str], Lookup, Lookup]] = {
    "id": (_exactly, *_lookup(contacts.c.id)),
    "user_id": (_exactly, *_lookup(contacts.c.external_id, _UNMERGED, _USER)),
    "anonymous_id": (_exactly, *_lookup(contacts.c.anonymous_id, _UNMERGED)),
    "email": (fold_email, *_lookup(contacts.c.email_folded, _UNMERGED, _USER)),
}
_PLACE = sa.select(contacts.c.merged_into, contacts.c.archived_at, contacts.c.blocked_at).where(
    contacts.c.workspace == sa.bindparam("workspace"), contacts.c.number == sa.bindparam("number")
)


def _followed(connection: sa.Connection, workspace: int, rows: Iterable[Sequence[Any]]) -> Iterable[tuple[str, int]]:
    """(value, number) of each row, merged contacts replaced by what took their place, or left out where nothing live did."""
    for value, number, merged_into in rows:
        hops = 0
        while merged_into is not None and hops < MERGE_HOPS_MAX:
            number, hops = merged_into, hops + 1
            place = connection.execute(_PLACE, {"workspace": workspace, "number": number}).one_or_none()
            if place is None or place.archived_at is not None or place.blocked_at is not None:
                break
            merged_into = place.merged_into
        else:
            if merged_into is None:
                yield value, number
