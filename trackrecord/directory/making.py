"""Making contacts, many in one write: who claims what, and who has it already."""

import secrets
import uuid
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from ..errors import TrackrecordError
from ..rules.contacts import Changes, Claim, Contact, Draft, changed, claim_of, clash, fold_email, made
from ..rules.profiles import Profile
from .attributes import Settling
from .engine import in_chunks
from .rows import keep, row, some
from .tables import contacts


def create_some(
    connection: sa.Connection, workspace: int, drafts: Sequence[Draft], settling: Settling, *, now: int, profile: Profile
) -> list[Contact | TrackrecordError]:
    """The contact of each draft, or the error that keeps it from being made. A draft clashes with an earlier one too."""
    claims = [claim_of(draft, profile=profile) for draft in drafts]
    claimants = Claimants(connection, workspace, claims)
    outcomes: list[Contact | TrackrecordError] = []
    for draft, claim in zip(drafts, claims, strict=True):
        outcome: Contact | TrackrecordError | None = clash(claimants.of(claim), claim, workspace=workspace)
        if outcome is None:
            outcome = _fitted(draft, workspace, settling, now=now)
            if isinstance(outcome, Contact):
                claimants.add(outcome)
        outcomes.append(outcome)
    rows = [row(outcome) for outcome in outcomes if isinstance(outcome, Contact)]
    if not rows:
        return outcomes
    written = connection.execute(sa.insert(contacts).returning(contacts.c.id, contacts.c.number), rows)
    numbers: dict[str, int] = {each.id: each.number for each in written}
    return [
        msgspec.structs.replace(outcome, number=numbers[outcome.id]) if isinstance(outcome, Contact) else outcome for outcome in outcomes
    ]


def refuse_clash(connection: sa.Connection, before: Contact, after: Contact, *, profile: Profile) -> None:
    """Raises what `clash` finds for what `after` claims and `before` did not.

    Only what is newly claimed counts: what a contact has, it may share with others from before a stricter profile.
    """
    had, claims = claim_of(before, profile=profile), claim_of(after, profile=profile)
    claim = Claim(
        external_id=claims.external_id if claims.external_id != had.external_id else None,
        email=claims.email if claims.email != had.email else None,
    )
    others = [other for other in Claimants(connection, before.workspace, [claim]).of(claim) if other.number != before.number]
    error = clash(others, claim)
    if error is not None:
        raise error


def change(connection: sa.Connection, before: Contact, changes: Changes, *, now: int, profile: Profile) -> Contact:
    """Change a contact and write it, unless it would stay the same; then `before` is returned. Raises what Contacts.update does."""
    if changes.custom_attributes:
        settled = Settling(connection, before.workspace, profile=profile, now=now).settle(changes.custom_attributes)
        changes = msgspec.structs.replace(changes, custom_attributes=settled)
    after = changed(before, changes, now=now)
    if after is not before:
        refuse_clash(connection, before, after, profile=profile)
        keep(connection, after)
    return after


class Claimants:
    """Who has what some contacts claim: those in the directory, and those being made with them."""

    def __init__(self, connection: sa.Connection, workspace: int, claims: Sequence[Claim]) -> None:
        self._found: dict[tuple[str, str], dict[str, Contact]] = {}
        ours = contacts.c.workspace == workspace
        unmerged = contacts.c.merged_into.is_(None)
        for field, (column, whose) in {
            "id": (contacts.c.id, sa.true()),  # once in all workspaces
            "external_id": (contacts.c.external_id, sa.and_(ours, unmerged)),
            "anonymous_id": (contacts.c.anonymous_id, ours),  # whoever was merged away still answers to it
            "email": (contacts.c.email_folded, sa.and_(ours, unmerged, contacts.c.role == "user")),
        }.items():
            for values in in_chunks({value for claim in claims if (value := getattr(claim, field)) is not None}):
                for contact in some(connection, column.in_(values), whose):
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


def _fitted(draft: Draft, workspace: int, settling: Settling, *, now: int) -> Contact | TrackrecordError:
    """The contact a draft makes, before it has a number; or what is wrong with its custom attributes."""
    try:
        settled = settling.settle(draft.custom_attributes)
    except TrackrecordError as error:
        return error
    fitting = msgspec.structs.replace(draft, custom_attributes=settled)
    return made(fitting, number=0, workspace=workspace, id=_new_id(now), anonymous_id=str(uuid.uuid4()), now=now)


def _new_id(now: int) -> str:
    """24 hex digits: eight of the time, sixteen of chance. Source: the contract, 1.9."""
    return f"{now & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"
