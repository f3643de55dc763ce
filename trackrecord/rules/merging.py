"""Merging one contact into another: who may be merged, and what becomes of both. Pure.

Where the contract is silent the target wins: what it knows of itself stands, and the source fills what it lacks.
"""

import re
from typing import NamedTuple

import msgspec

from ..errors import InvalidMerge, ParameterInvalid
from .contacts import Contact, fold_email
from .values import Scalar

NO_DUPLICATES = (
    "Contacts can only be merged when they are duplicates (matching email or phone). "
    "Pass skip_duplicate_validation=true to override this check."
)
WRONG_ROLES = "Merging can only be performed on a lead into a user"

# What a target takes over where it has none of its own. Its external_id is nobody else's, and a source's anonymous_id stays
# with the source, which goes on answering to it.
FILLED = ("email", "phone", "name", "avatar", "owner_id", "signed_up_at", "last_seen_at", "language_override", "came_by")

HISTORY_SHOWN_MAX = 50  # merges that a contact object shows, the newest; the path beside it lists all. Ours

_PHONE_MARKS = re.compile(r"[^0-9+]")
_PLACE = re.compile(r"([0-9]{1,13})-([0-9a-f]{24})")


class Merge(NamedTuple):
    """One that was done. Times are whole Unix seconds."""

    source: int  # numbers of contacts
    target: int
    source_id: str
    source_role: str
    merged_at: int


class Place(NamedTuple):
    """A place in the list of merges into one contact: after the merge done then, of that source."""

    merged_at: int
    source_id: str

    @property
    def text(self) -> str:
        return f"{self.merged_at}-{self.source_id}"


def place(text: str) -> Place:
    """Read a place as `text` wrote it. Raises ParameterInvalid with the field cursor."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ParameterInvalid("cursor must be the next_cursor of an earlier answer", field="cursor")
    return Place(int(found[1]), found[2])


def refuse(source: Contact, target: Contact, *, duplicates_only: bool) -> None:
    """Raises InvalidMerge unless a lead is merged into a user; and with `duplicates_only`, unless both have one email or phone.

    Source: the contract, 4.6; API reference 2.4, "Merge two contacts", has the text about roles.
    """
    if source.number == target.number:
        raise InvalidMerge("A contact cannot be merged into itself", field="into")
    if source.role != "lead":
        raise InvalidMerge(WRONG_ROLES, field="from")
    if target.role != "user":
        raise InvalidMerge(WRONG_ROLES, field="into")
    if duplicates_only and not _duplicates(source, target):
        raise InvalidMerge(NO_DUPLICATES, field="skip_duplicate_validation")


def _duplicates(one: Contact, other: Contact) -> bool:
    emails = [fold_email(contact.email or "") for contact in (one, other)]
    phones = [_PHONE_MARKS.sub("", contact.phone or "") for contact in (one, other)]
    return any(first == second != "" for first, second in (emails, phones))


def joined(source: Contact, target: Contact, *, now: int, email_taken: bool) -> Contact:
    """The target after the merge at `now` (whole Unix seconds). Custom attributes are united; on a clash the target's stays.

    With `email_taken` another user has the source's address, so the target does not take it over: events that name somebody
    by it would reach neither. Who did not want e-mail as one of the two does not want it as both.
    """
    taken = {name: getattr(source, name) for name in FILLED if getattr(target, name) is None}
    if email_taken:
        taken.pop("email", None)
    return msgspec.structs.replace(
        target,
        **taken,
        unsubscribed_from_emails=source.unsubscribed_from_emails or target.unsubscribed_from_emails,
        custom_attributes={**source.custom_attributes, **target.custom_attributes},
        updated_at=now,
    )


class MergedField(NamedTuple):
    """What a field of the source comes to: its value there, the target's before, and the target's after the merge."""

    field: str  # as the wire spells it; custom_attributes.{name} for an attribute
    source: Scalar
    target: Scalar
    after: Scalar


def compared(source: Contact, target: Contact, merged: Contact) -> list[MergedField]:
    """Every field that the source has a value of, in the order of FILLED; `merged` is the target as `joined` has it."""
    before, after = _facts(target), _facts(merged)
    return [MergedField(name, value, before.get(name), after.get(name)) for name, value in _facts(source).items()]


def _facts(contact: Contact) -> dict[str, Scalar]:
    """What is known of a contact, by the wire's names; an opt-out is a fact, and that there is none is not."""
    fields = {name: getattr(contact, name) for name in FILLED if name != "came_by"}
    facts: dict[str, Scalar] = {**fields, **contact.led_by, "unsubscribed_from_emails": contact.unsubscribed_from_emails or None}
    facts |= {f"custom_attributes.{name}": value for name, value in contact.custom_attributes.items()}
    return {name: value for name, value in facts.items() if value is not None}


def left_behind(source: Contact, target: Contact, *, now: int) -> Contact:
    """What stays of the source: what it was called by, so that it still leads to the target, and nothing else of a person."""
    return Contact(
        number=source.number,
        id=source.id,
        workspace=source.workspace,
        role=source.role,
        anonymous_id=source.anonymous_id,
        created_at=source.created_at,
        updated_at=now,
        merged_into=target.number,
    )
