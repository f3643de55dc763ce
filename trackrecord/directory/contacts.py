"""Contacts: made, changed, deleted, and found by what they are called."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import ContactNotFound, TrackrecordError
from ..rules.contacts import Changes, Contact, Cursor, Draft, clash, cursor
from ..rules.matching import led_by, meant
from ..rules.profiles import Profile
from ..rules.search import Query
from ..rules.upserts import Upsert
from . import counts
from .attributes import Settling
from .engine import Database
from .erasing import erase
from .making import change, create_some
from .rows import BY_NUMBER, COLUMNS, LOOKUPS, called, contact_of, followed, from_columns, get, known, one
from .search import condition
from .tables import LISTED, LIVE, contacts, erasures, merges

BATCH = 500  # drafts checked together and written by one statement

Listener = Callable[[Contact | None, Contact | None], None]


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
                outcomes += create_some(connection, workspace, drafts[start : start + BATCH], settling, now=now, profile=profile)
        for outcome in outcomes:
            if isinstance(outcome, Contact):
                self.tell(None, outcome)
        return outcomes

    def update(self, workspace: int, id: str, changes: Changes, *, now: int, profile: Profile) -> Contact:
        """Change a contact at `now` (whole Unix seconds). One that would stay the same is not written, and keeps its updated_at.

        Raises what get does, Conflict and NotRestorable where others have what it would claim, DataInvalid for a role it
        cannot have, and ParameterInvalid or TypeMismatch for a custom attribute that does not fit.
        """
        with self._db.writing() as connection:
            before = get(connection, workspace, id)
            after = change(connection, before, changes, now=now, profile=profile)
        if after is not before:
            self.tell(before, after)
        return after

    def upsert(self, workspace: int, upsert: Upsert, *, now: int, profile: Profile) -> tuple[Contact, bool]:
        """Change the contact that is meant at `now` (whole Unix seconds), or make it; the contact, and whether it was made.

        All in one write, so that of two at once one makes it and the other changes it. An id follows merges. Raises what
        `meant`, create and update do, and ContactNotFound where an id alone names nobody.
        """
        with self._db.writing() as connection:
            roles = ("user",) if upsert.role != "lead" else ("user", "lead")
            found = called(connection, workspace, upsert.named, roles=roles)
            before = meant(upsert.named, found)
            if before is None:
                if upsert.draft is None:
                    raise ContactNotFound(field="id")
                settling = Settling(connection, workspace, profile=profile, now=now)
                made = create_some(connection, workspace, [upsert.draft], settling, now=now, profile=profile)[0]
                if isinstance(made, TrackrecordError):
                    raise made
                after = made
            else:
                if not before.live and (error := clash([before], led_by(upsert.named, found, before))) is not None:
                    raise error
                after = change(connection, before, upsert.changes, now=now, profile=profile)
        if after is not before:
            self.tell(before, after)
        return after, before is None

    def delete(self, workspace: int, id: str, *, now: int) -> list[Contact]:
        """Remove a lead or user for good, archived and blocked ones too, with all that was merged into it; and note at `now`
        (whole Unix seconds) that they are erased. All that are gone, the contact first.

        Their events are not kept here; who deletes has them erased as well (`erasures` tells which). Raises ContactNotFound, or
        ContactMerged.
        """
        with self._db.writing() as connection:
            contact = known(connection, workspace, id)
            gone = erase(connection, contact, now=now)
        self.tell(contact, None)
        return gone

    def erasures(self) -> list[tuple[int, int]]:
        """(contact number, workspace number) of every contact ever deleted, in the order of their numbers."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(erasures.c.contact, erasures.c.workspace).order_by(erasures.c.contact))
            return [(contact, workspace) for contact, workspace in rows]

    def merges(self) -> list[tuple[int, int, int]]:
        """(source, target, workspace) by their numbers of every merge whose target is still there, in the order of sources."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(merges.c.source, merges.c.target, merges.c.workspace).order_by(merges.c.source))
            return [(source, target, workspace) for source, target, workspace in rows]

    def highest(self) -> int:
        """The greatest number that any contact has or had; 0 before the first."""
        numbers = sa.union_all(sa.select(sa.func.max(contacts.c.number).label("n")), sa.select(sa.func.max(erasures.c.contact))).subquery()
        with self._db.reading() as connection:
            return connection.scalar(sa.select(sa.func.max(numbers.c.n))) or 0

    def get(self, workspace: int, id: str) -> Contact:
        """The live lead or user with this id. Raises ContactNotFound, also for one that is archived, blocked, still a visitor or
        of another workspace; and ContactMerged for one merged away, with the path of what took its place.
        """
        with self._db.reading() as connection:
            return get(connection, workspace, id)

    def known(self, workspace: int, id: str) -> tuple[Contact, str | None]:
        """Whoever has this id, visitors and those that are hidden or merged away too; and the id of the contact that took the
        place of one merged away. Raises ContactNotFound, also for one of another workspace.
        """
        with self._db.reading() as connection:
            contact = one(connection, contacts.c.workspace == workspace, contacts.c.id == id)
            if contact is None:
                raise ContactNotFound(field="contact_id")
            place = sa.select(contacts.c.id).where(contacts.c.number == contact.merged_into)
            return contact, None if contact.merged_into is None else connection.scalar(place)

    def by_external_id(self, workspace: int, external_id: str) -> Contact:
        """The live user with this external_id, exactly. Raises ContactNotFound."""
        with self._db.reading() as connection:
            contact = one(connection, contacts.c.workspace == workspace, contacts.c.external_id == external_id, LIVE)
        if contact is None:
            raise ContactNotFound
        return contact

    def by_numbers(self, workspace: int, numbers: Iterable[int]) -> dict[int, Contact]:
        """Contacts of one workspace, whether they are live or not; unknown numbers are left out."""
        rows = self._db.look_up(BY_NUMBER, set(numbers), workspace=workspace)
        return {contact.number: contact for contact in map(from_columns, rows)}

    def find(self, workspace: int, kind: str, value: str) -> list[int]:
        """Numbers of the live contacts an identifier names, in their order; `kind` is one of LOOKUPS.

        `id` finds a contact of any role, and `anonymous_id` whoever has it; both follow merges to the one that took its place,
        MERGE_HOPS_MAX at most. `user_id` finds users by external_id, exactly. `email` finds users, in whatever case it is
        written, and may find several. Source: the contract, 2.1 "Resolution rules".
        """
        return self.find_many(workspace, kind, [value])[value]

    def find_many(self, workspace: int, kind: str, values: Iterable[str]) -> dict[str, list[int]]:
        """As find, for each of the values; one that names nobody has an empty list."""
        fold, _, lookup = LOOKUPS[kind]
        found: dict[str, list[int]] = {value: [] for value in values}
        folded: dict[str, list[list[int]]] = {}
        for value, numbers in found.items():
            folded.setdefault(fold(value), []).append(numbers)
        rows: Iterable[Sequence[Any]] = self._db.look_up(lookup, folded, workspace=workspace)
        if any(merged_into is not None for _, _, merged_into in rows):
            with self._db.reading() as connection:
                rows = list(followed(connection, workspace, rows))
        for value, number, *_ in rows:
            for numbers in folded[value]:
                numbers.append(number)
        return found

    def list(self, workspace: int, *, limit: int, after: str | None = None) -> tuple[Sequence[Contact], int, str | None]:
        """Up to `limit` live leads and users, the newest created_at first and among equals the greatest id; how many there are
        in all; and the cursor that the next page comes `after`, None on the last.

        Contacts made or deleted meanwhile shift no other onto two pages or none. Raises ParameterInvalid for a cursor that
        is not ours. Source: the contract, 4.4; the order is ours.
        """
        with self._db.reading() as connection:
            found, following = _page(connection, workspace, limit=limit, after=after)
            return found, counts.listed(connection, workspace), following

    def counted(self, workspace: int) -> tuple[dict[str, int], dict[str, int]]:
        """By role, how many listed contacts are counted as they come and go, and how many there are: the same in a file in order."""
        by_role = sa.select(contacts.c.role, sa.func.count()).where(*_listed(workspace)).group_by(contacts.c.role)
        with self._db.reading() as connection:
            counted = {role: count for role, count in counts.by_role(connection, workspace).items() if count}
            return counted, dict(tuple(row) for row in connection.execute(by_role))

    def walk(
        self,
        workspace: int,
        *,
        limit: int,
        after: str | None = None,
        since: int | None = None,
        until: int | None = None,
        by_email: bool | None = None,
        among: Query | None = None,
    ) -> tuple[Sequence[Contact], str | None]:
        """As list, without counting them all: for who reads one page after the other.

        Only those with since <= created_at < until; with `by_email` only, or but for, users who have no external id; with `among`
        only those that it means.
        """
        wanted = [] if since is None else [contacts.c.created_at >= since]
        wanted += [] if until is None else [contacts.c.created_at < until]
        if among is not None:
            wanted.append(condition(among))
        if by_email is not None:
            user_by_email = sa.and_(contacts.c.role == "user", contacts.c.external_id.is_(None))
            wanted.append(user_by_email if by_email else sa.not_(user_by_email))
        with self._db.reading() as connection:
            return _page(connection, workspace, *wanted, limit=limit, after=after)

    def tell(self, before: Contact | None, after: Contact | None) -> None:
        """Say that a change was kept. For what writes contacts besides this class."""
        for listener in self.on_change:
            listener(before, after)


def _listed(workspace: int) -> tuple[sa.ColumnElement[bool], ...]:
    return contacts.c.workspace == workspace, LISTED


def _page(
    connection: sa.Connection, workspace: int, *of: sa.ColumnElement[bool], limit: int, after: str | None
) -> tuple[Sequence[Contact], str | None]:
    """What Contacts.list says of a page, and the cursor of the next."""
    place = None if after is None else cursor(after)
    wanted = (
        sa.select(*COLUMNS).where(*_listed(workspace), *of).order_by(contacts.c.created_at.desc(), contacts.c.id.desc()).limit(limit + 1)
    )
    if place is not None:
        wanted = wanted.where(sa.tuple_(contacts.c.created_at, contacts.c.id) < sa.tuple_(place.created_at, place.id))
    found = [contact_of(row) for row in connection.execute(wanted).mappings()]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], Cursor(place.page + 1 if place else 2, last.created_at, last.id).text
