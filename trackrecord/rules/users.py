"""Users and leads as API 1.x has them: one noun each, saved by one call whether they exist or not. Pure.

A user's user_id is its external_id, a lead's its anonymous_id. Source: the contract, section 5.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from ..errors import Conflict, ParameterInvalid, ParameterNotFound, RequestError, TrackrecordError, TypeMismatch, UniqueUserConstraint
from .companies import CompanyChanges
from .companies import changes as company_changes
from .contacts import FIELDS, Changes, Contact, Draft
from .identity import only
from .values import flag, number_or_text, said

COMPANIES_MAX = 100  # of one call. Ours
ALREADY = "User already exists."  # API 1.x, unique_user_constraint

# What may be sent, and the field of a contact that keeps it; of two for one field the later row counts. What else 1.x had
# (last_seen_ip, last_seen_user_agent, new_session, pseudonym …) is passed over. Source: API reference 1.4, "Create or update a user".
SENT: tuple[tuple[str, str], ...] = (
    ("user_id", "external_id"),
    ("email", "email"),
    ("phone", "phone"),
    ("name", "name"),
    ("avatar", "avatar"),
    ("owner_id", "owner_id"),
    ("remote_created_at", "signed_up_at"),
    ("signed_up_at", "signed_up_at"),
    ("last_request_at", "last_seen_at"),
    ("unsubscribed_from_emails", "unsubscribed_from_emails"),
    ("language_override", "language_override"),
    ("custom_attributes", "custom_attributes"),
)
# A company that a user is said to be of: its id here, or None where its own company_id or name finds or makes it; what is said of
# it; and whether the user leaves it instead.
SentCompany = tuple[str | None, CompanyChanges, bool]

_READERS = dict(FIELDS)
_SENT_AS = {"external_id": "user_id", "anonymous_id": "user_id", "last_seen_at": "last_request_at"}


class Wanted(NamedTuple):
    """What somebody wants a user or a lead to be, every value checked."""

    role: str
    id: str | None
    user_id: str | None
    email: str | None
    changes: Changes
    companies: tuple[SentCompany, ...] = ()

    @property
    def draft(self) -> Draft:
        """The contact to make where none is there."""
        given = {name: value for name in self.changes.__struct_fields__ if (value := getattr(self.changes, name)) not in (UNSET, None)}
        named = {"anonymous_id": self.user_id} if self.role == "lead" else {}
        return Draft(**{**given, **named, "role": self.role})


def wanted(sent: Mapping[str, object], *, role: str, now: int) -> Wanted:
    """Check what was sent of a user or a lead at `now` (whole Unix seconds).

    Raises ParameterNotFound for a user with none of id, user_id and email, and TypeMismatch or ParameterInvalid by field.
    """
    read: dict[str, Any] = {}
    for name, kept in SENT:
        value = sent.get(name, UNSET)
        if name == "avatar" and isinstance(value, Mapping):  # as it is shown
            value = value.get("image_url", UNSET)
        if value is not UNSET and (found := _READERS[kept](value, name)) is not UNSET:
            read[kept] = found
    if flag(sent.get("update_last_request_at") or None, "update_last_request_at"):
        read["last_seen_at"] = now
    id = number_or_text(sent.get("id") or None, "id")
    user_id, email = read.pop("external_id", None), read.get("email")
    if role == "user":
        if not (id or user_id or email):
            raise ParameterNotFound("a user needs at least one of id, user_id and email", field="user_id")
        if user_id is not None:  # null takes no id away: clients send it so for a user they know by another
            read["external_id"] = user_id
    return Wanted(role, id, user_id, email, Changes(**read), _companies(sent.get("companies", UNSET)))


def _companies(value: object) -> tuple[SentCompany, ...]:
    if isinstance(value, Mapping):  # as they are shown
        value = value.get("companies")
    if value is UNSET or not value:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeMismatch(f"companies must be a list, got {said(value)}", field="companies")
    if len(value) > COMPANIES_MAX:
        raise ParameterInvalid(f"companies must have at most {COMPANIES_MAX} items, got {len(value)}", field="companies")
    found = []
    for one in value:
        if not isinstance(one, Mapping):
            raise TypeMismatch(f"companies must be a list of objects, got {said(one)} in it", field="companies")
        try:
            leaves = flag(one.get("remove"), "remove")
            found.append((number_or_text(one.get("id") or None, "id"), company_changes(one), leaves))
        except RequestError as error:
            raise of_company(error) from None
    return tuple(found)


def of_company(error: RequestError) -> RequestError:
    """The same error, with the field where it stands in a user."""
    error.field = f"companies.{error.field}" if error.field else "companies"
    return error


def said_in_1_x(error: TrackrecordError, *, role: str) -> TrackrecordError:
    """The error in the words of API 1.x: its names of parameters, and its answer for what another user has."""
    field = _SENT_AS.get(error.field or "", error.field)
    if role == "user" and isinstance(error, Conflict) and error.message.startswith("A contact matching"):
        return UniqueUserConstraint(ALREADY, field=field, cause=error.message)
    error.field = field
    return error


class Belonging(NamedTuple):
    """Something that hangs on a contact. `own` is the customer's own id of a company."""

    id: str
    name: str | None = None
    own: str | None = None


class Hanging(NamedTuple):
    """What hangs on a contact, as API 1.x shows it: with names."""

    tags: tuple[Belonging, ...] = ()
    companies: tuple[Belonging, ...] = ()
    segments: tuple[Belonging, ...] = ()


NOTHING_HANGS = Hanging()
SHOWN_MAX = 100  # of each, the newest. Ours

# By what a list may be sorted, and the field of a contact that is.
SORTS = {"created_at": "created_at", "updated_at": "updated_at", "signed_up_at": "signed_up_at", "last_request_at": "last_seen_at"}


class Listed(NamedTuple):
    """Which users or leads a list wants. `tag` and `segment` are ids."""

    role: str
    sort: str = "created_at"
    ascending: bool = False
    tag: str | None = None
    segment: str | None = None
    email: str | None = None


def shared_by(found: Sequence[Contact]) -> Contact | None:
    """The one user an address names; None for none. Raises Conflict for several."""
    number = only([contact.number for contact in found])
    return next((contact for contact in found if contact.number == number), None)
