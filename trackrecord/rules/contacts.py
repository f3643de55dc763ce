"""What a contact is, and the rules for making and changing one. Pure: no I/O, no clock, no settings."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import (
    Conflict,
    DataInvalid,
    NotRestorable,
    ParameterInvalid,
    ParameterNotFound,
    TrackrecordError,
    TypeMismatch,
)
from .profiles import Profile
from .values import AVATAR_MAX, CONTROL, WHOLE_MAX, Scalar, flag, long_text, moment, number_or_text, said, sent_attributes, text

ROLES = ("user", "lead")
CAME_BY = ("referrer", "utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term")
IMPORT_ROLES = (*ROLES, "visitor")  # visitors come from the script in the browser, or from another server; nobody else makes one

_EMAIL = re.compile(r"\S+@\S+")
_ID = re.compile(r"[0-9a-f]{24}")
_CURSOR = re.compile(r"([1-9][0-9]{0,8})-([0-9]{1,13})-([0-9a-f]{24})")


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person a workspace knows. Times are whole Unix seconds, UTC.

    `number` is ours alone: the stores' key, never reused, never on the wire. `id` is the wire's: 24 lower-case hex digits.
    """

    number: int
    id: str
    workspace: int
    role: str  # "user", "lead" or "visitor"
    external_id: str | None = None  # the customer's own id; users only. The wire's user_id
    anonymous_id: str | None = None  # a lead's or visitor's user_id, made by us, by the script or by an import
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    avatar: str | None = None  # URL
    owner_id: int | None = None
    signed_up_at: int | None = None
    last_seen_at: int | None = None
    unsubscribed_from_emails: bool = False
    language_override: str | None = None
    custom_attributes: dict[str, Scalar] = msgspec.field(default_factory=dict)
    created_at: int = 0
    updated_at: int = 0
    archived_at: int | None = None
    blocked_at: int | None = None
    merged_into: int | None = None  # the number of the contact that took this one's place
    came_by: dict[str, str] | None = None  # of CAME_BY, what the page it was first seen on said

    @property
    def user_id(self) -> str | None:
        """What the wire of events calls so: the external id; of a lead or visitor the anonymous one. Source: the contract, 2.2.

        A user who was a lead keeps the anonymous id, and is found by it, but it is no user_id of a user.
        """
        return self.external_id if self.external_id is not None or self.role == "user" else self.anonymous_id

    @property
    def led_by(self) -> dict[str, Any]:
        """came_by, as the wire's shapes of a contact take it."""
        return dict(self.came_by or {})

    @property
    def live(self) -> bool:
        """Whether it answers to its identifiers: not archived, blocked or merged away."""
        return self.archived_at is None and self.blocked_at is None and self.merged_into is None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A contact somebody wants made, every value checked. Times are whole Unix seconds, UTC.

    The last five are set by imports and by browsers alone; ids and times are made with the contact where they are not given.
    """

    role: str = "user"
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    avatar: str | None = None
    owner_id: int | None = None
    signed_up_at: int | None = None
    last_seen_at: int | None = None
    unsubscribed_from_emails: bool = False
    language_override: str | None = None
    custom_attributes: dict[str, Scalar] = msgspec.field(default_factory=dict)
    id: str | None = None
    anonymous_id: str | None = None
    created_at: int | None = None
    updated_at: int | None = None
    came_by: dict[str, str] | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants changed in a contact, every value checked. UNSET leaves a field as it is, None empties it."""

    role: str | UnsetType = UNSET
    external_id: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET
    owner_id: int | UnsetType | None = UNSET
    signed_up_at: int | UnsetType | None = UNSET
    last_seen_at: int | UnsetType | None = UNSET
    unsubscribed_from_emails: bool | UnsetType = UNSET
    language_override: str | UnsetType | None = UNSET
    custom_attributes: dict[str, Scalar] | UnsetType = UNSET  # only those to change; None removes one
    came_by: dict[str, str] | UnsetType | None = UNSET


class Claim(NamedTuple):
    """The identifiers that must be nobody else's for a contact to be. None claims nothing; `email` is folded."""

    id: str | None = None
    external_id: str | None = None
    anonymous_id: str | None = None
    email: str | None = None


class Cursor(NamedTuple):
    """A place in the list of contacts, newest first: after the contact created then, with that id."""

    page: int  # the number of the page that begins here; the first page has 1, and no cursor
    created_at: int
    id: str

    @property
    def text(self) -> str:
        """Digits, a to f and dashes: one client puts it into addresses as it is."""
        return f"{self.page}-{self.created_at}-{self.id}"


# --- Reading what was sent -----------------------------------------------------------------------------------------------


def _role(value: object, field: str, roles: Sequence[str] = ROLES) -> str | UnsetType:
    if value is None:
        return UNSET
    if value not in roles:
        got = repr(value[:40]) if isinstance(value, str) else said(value)
        raise ParameterInvalid(f"{field} must be {', '.join(roles[:-1])} or {roles[-1]}, got {got}", field=field)
    return str(value)


def _import_role(value: object, field: str) -> str | UnsetType:
    return _role(value, field, IMPORT_ROLES)


def address(value: object, field: str) -> str | None:
    """Read an e-mail address, without blanks around it. Of its shape only an @ inside is asked, so that none in use is refused. Ours."""
    email = text(value.strip() if isinstance(value, str) else value, field)
    if email is not None and not _EMAIL.fullmatch(email):
        raise ParameterInvalid(f"{field} must be an address such as joe@example.com, got {email[:80]!r}", field=field)
    return email


def _owner(value: object, field: str) -> int | None:
    """An admin's id: a number up to version 2.15, digits in a string from 2.16 on; each is taken in every version."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeMismatch(f"{field} must be an admin's id, a whole number, got {said(value)}", field=field)
    if not 0 <= value < WHOLE_MAX:
        raise ParameterInvalid(f"{field} must be an admin's id, a whole number from 0, got {str(value)[:40]}", field=field)
    return value


def _id(value: object, field: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ParameterInvalid(f"{field} must have 24 hex digits in lower case, got {str(value)[:40]!r}", field=field)
    return value


def came_by(value: object, field: str = "came_by") -> dict[str, str] | None:
    """What led a contact here: of CAME_BY those that are texts, cut to what an address may have. Nobody typed them."""
    if not isinstance(value, Mapping):
        return None
    found = {name: one[:AVATAR_MAX] for name in CAME_BY if isinstance(one := value.get(name), str) and one and not CONTROL.search(one)}
    return found or None


Reader = Callable[[object, str], object]  # (value, field) to what is kept; UNSET is as if it was not sent

# What may be set, and how each value is read. A new field is a row here, one in Contact, Draft and Changes, and a column.
# Source: API reference, "Create a contact"; language_override is of the Preview, and taken in every version.
FIELDS: tuple[tuple[str, Reader], ...] = (
    ("role", _role),
    ("external_id", number_or_text),
    ("email", address),
    ("phone", text),
    ("name", text),
    ("avatar", long_text),
    ("owner_id", _owner),
    ("signed_up_at", moment),
    ("last_seen_at", moment),
    ("unsubscribed_from_emails", flag),
    ("language_override", text),
    ("custom_attributes", sent_attributes),
)
# What an import may set besides or otherwise, so that an export taken elsewhere gives the same contact here. Ours.
IMPORT_FIELDS: tuple[tuple[str, Reader], ...] = (
    ("role", _import_role),
    ("id", _id),
    ("anonymous_id", number_or_text),
    ("created_at", moment),
    ("updated_at", moment),
    ("came_by", came_by),
)


def _read(sent: Mapping[str, object], fields: Iterable[tuple[str, Reader]]) -> dict[str, Any]:
    """Of two readers of one field the later one counts."""
    read = {name: reader(sent[name], name) for name, reader in dict(fields).items() if sent.get(name, UNSET) is not UNSET}
    return {name: value for name, value in read.items() if value is not UNSET}


def draft(sent: Mapping[str, object], *, imported: bool = False) -> Draft:
    """Check a contact somebody wants made; names that are not in FIELDS (or IMPORT_FIELDS, if imported) are passed over.

    Raises ParameterNotFound unless one of email, external_id and role is given, DataInvalid for a lead with an external_id,
    and TypeMismatch or ParameterInvalid by field. Source: API reference, "Create a contact"; the contract, 4.3.
    """
    read = _read(sent, FIELDS + IMPORT_FIELDS if imported else FIELDS)
    if not (read.get("email") or read.get("external_id") or "role" in read):
        raise ParameterNotFound("a contact needs at least one of email, external_id and role", field="external_id")
    made = Draft(**read)
    _refuse_lead_with_external_id(made.role, made.external_id)
    return made


def changes(sent: Mapping[str, object]) -> Changes:
    """Check what somebody wants changed. Raises TypeMismatch or ParameterInvalid by field."""
    return Changes(**_read(sent, FIELDS))


def _refuse_lead_with_external_id(role: str, external_id: str | None) -> None:
    if role != "user" and external_id is not None:
        raise DataInvalid(f"a {role} cannot have an external_id; send role user to make a user of it", field="external_id")


# --- Making and changing -------------------------------------------------------------------------------------------------


def made(draft: Draft, *, number: int, workspace: int, id: str, anonymous_id: str, now: int) -> Contact:
    """The contact a draft becomes at `now` (whole Unix seconds); `id` and `anonymous_id` stand where it has none.

    A lead or visitor always has an anonymous_id, a user only one that it was a lead or visitor by.
    """
    given = {name: getattr(draft, name) for name in draft.__struct_fields__}
    given |= {
        "id": draft.id or id,
        "anonymous_id": draft.anonymous_id or (anonymous_id if draft.role != "user" else None),
        "custom_attributes": {name: value for name, value in draft.custom_attributes.items() if value is not None},
        "created_at": now if draft.created_at is None else draft.created_at,
        "updated_at": now if draft.updated_at is None else draft.updated_at,
    }
    return Contact(number=number, workspace=workspace, **given)


def changed(before: Contact, changes: Changes, *, now: int) -> Contact:
    """The contact after a change at `now` (whole Unix seconds): `before` itself when nothing differs, updated_at included.

    A lead or visitor given the role user becomes one and keeps its id, its anonymous_id and so its events. Raises DataInvalid
    for the reverse, and for an external_id on who is no user. Source: the contract, 4.3, our choices.
    """
    given = {name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}
    if before.role == "user" and given.get("role", "user") != "user":
        raise DataInvalid("a user cannot become a lead", field="role")
    if "custom_attributes" in given:
        together = before.custom_attributes | given["custom_attributes"]
        given["custom_attributes"] = {name: value for name, value in together.items() if value is not None}
    after = msgspec.structs.replace(before, **given)
    _refuse_lead_with_external_id(after.role, after.external_id)
    # Compared as they would be written: in Python 1, 1.0 and True are equal, on the wire they are not.
    if msgspec.json.encode(after) == msgspec.json.encode(before):
        return before
    return msgspec.structs.replace(after, updated_at=now)


# --- Who is who ----------------------------------------------------------------------------------------------------------


def fold_email(email: str) -> str:
    """What decides whether two addresses are the same: neither case nor blanks around them. Ours."""
    return email.strip().casefold()


def claim_of(contact: Contact | Draft, *, profile: Profile) -> Claim:
    """What a contact claims for itself, once in a workspace (its id: once anywhere).

    Users are unique by external_id; by email when they have no external_id, or always where `email_unique_always` (strict).
    Leads and visitors are never unique by email. Source: the contract, 4.3 "Uniqueness".
    """
    compare_email = contact.role == "user" and contact.email and (contact.external_id is None or profile.email_unique_always)
    return Claim(contact.id, contact.external_id, contact.anonymous_id, fold_email(contact.email or "") if compare_email else None)


def clash(
    found: Iterable[Contact],
    claim: Claim = Claim(),  # noqa: B008 - it cannot change
    *,
    workspace: int | None = None,
) -> TrackrecordError | None:
    """What to answer when these have what another contact claims: the live before the archived before the blocked.

    Connectors parse the id out of the text, so it stays as it is. Source: the contract, 4.3 "Conflict". With `workspace`, of one
    that belongs to another workspace nothing is told.
    """
    ranked = sorted(found, key=lambda contact: (contact.blocked_at is not None, contact.archived_at is not None, contact.number))
    if not ranked:
        return None
    if workspace is not None:
        ranked = [contact for contact in ranked if contact.workspace == workspace]
        if not ranked:
            return Conflict("this id cannot be used here; leave it out to get a new one", field="id")
    first = ranked[0]
    claimed = (name for name in ("id", "external_id", "anonymous_id") if getattr(claim, name) == getattr(first, name) is not None)
    shared = next(claimed, "email")
    if first.blocked_at is not None:
        return NotRestorable("The contact was blocked and cannot be recreated", field=shared)
    if first.archived_at is not None:
        return Conflict(f"An archived contact matching those details already exists with id={first.id}", field=shared)
    return Conflict(f"A contact matching those details already exists with id={first.id}", field=shared)


def cursor(text: str) -> Cursor:
    """Read a cursor of ours. Raises ParameterInvalid with the field starting_after."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise ParameterInvalid("starting_after must be a cursor from pages.next of an earlier answer", field="starting_after")
    return Cursor(int(found[1]), int(found[2]), found[3])
