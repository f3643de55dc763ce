"""What a company is, and how what is sent about one is read. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid, TypeMismatch
from .contacts import Reader
from .values import WHOLE_MAX, Scalar, long_text, moment, number_or_text, said, sent_attributes, text

PER_CONTACT_MAX = 1000  # companies of one contact. Source: API reference, "Attach a contact to a company"
COUNT_MAX = 10**12  # people who work at a company. Ours
TOO_MANY = f"Contact has reached the maximum of {PER_CONTACT_MAX} company associations"
NOT_SPECIFIED = "company not specified"  # Source: API reference, "Attach a contact to a company"


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation whose people are contacts. `id` is the wire's: 24 hex digits. Times are whole Unix seconds, UTC."""

    number: int
    id: str
    workspace: int
    company_id: str | None = None  # the customer's own id; set once
    name: str | None = None
    plan: str | None = None
    size: int | None = None  # people who work there
    website: str | None = None
    industry: str | None = None
    monthly_spend: float | None = None
    remote_created_at: int | None = None  # when the customer first knew it
    custom_attributes: dict[str, Scalar] = msgspec.field(default_factory=dict)
    created_at: int = 0
    updated_at: int = 0


class CompanyChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent about a company, every value checked. UNSET leaves a field as it is, None empties it."""

    company_id: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    plan: str | UnsetType | None = UNSET
    size: int | UnsetType | None = UNSET
    website: str | UnsetType | None = UNSET
    industry: str | UnsetType | None = UNSET
    monthly_spend: float | UnsetType | None = UNSET
    remote_created_at: int | UnsetType | None = UNSET
    custom_attributes: dict[str, Scalar] | UnsetType = UNSET  # only those to change; None removes one


class CompanyFilter(NamedTuple):
    """Which companies a list is of; None for all."""

    tag_id: str | None = None
    segment_id: str | None = None


ALL = CompanyFilter()


def _plan(value: object, field: str) -> str | None:
    """The plan's name, alone or as `name` of an object, as some connectors send it."""
    return text(value.get("name") if isinstance(value, Mapping) else value, field)


def _number(value: object, field: str) -> float | None:
    """A number, or its digits in a string."""
    if value is None or value == "":
        return None
    read: object = value
    if isinstance(value, str):
        try:
            read = float(value)
        except ValueError:
            read = value
    if isinstance(read, bool) or not isinstance(read, (int, float)):
        raise TypeMismatch(f"{field} must be a number, got {said(value)}", field=field)
    if not abs(read) < WHOLE_MAX:  # not a number is not less either
        raise ParameterInvalid(f"{field} must be a number of at most 64 bits, got {str(value)[:40]}", field=field)
    return float(read)


def _whole(value: object, field: str) -> int | None:
    read = _number(value, field)
    if read is not None and not (0 <= read <= COUNT_MAX and read.is_integer()):
        raise ParameterInvalid(f"{field} must be a whole number from 0 to {COUNT_MAX}, got {str(value)[:40]}", field=field)
    return None if read is None else int(read)


# What may be set, and how each value is read. Source: API reference, "Create or update a company".
FIELDS: tuple[tuple[str, Reader], ...] = (
    ("company_id", number_or_text),
    ("name", text),
    ("plan", _plan),
    ("size", _whole),
    ("website", long_text),
    ("industry", text),
    ("monthly_spend", _number),
    ("remote_created_at", moment),
    ("custom_attributes", sent_attributes),
)


def changes(sent: Mapping[str, object]) -> CompanyChanges:
    """Check what is sent about a company; names that are not in FIELDS are passed over. Raises TypeMismatch or ParameterInvalid."""
    read: dict[str, Any] = {name: reader(sent[name], name) for name, reader in FIELDS if sent.get(name, UNSET) is not UNSET}
    return CompanyChanges(**read)


def changed(before: Company, changes: CompanyChanges, *, now: int) -> Company:
    """The company after a change at `now` (whole Unix seconds): `before` itself when nothing differs.

    Raises ParameterInvalid for another company_id than it has. Source: API reference, "Update a company".
    """
    given = {name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}
    own = given.pop("company_id", None)
    if own is not None and own != before.company_id:
        raise ParameterInvalid("company_id is set when a company is made, and stays", field="company_id")
    if "custom_attributes" in given:
        together = before.custom_attributes | given["custom_attributes"]
        given["custom_attributes"] = {name: value for name, value in together.items() if value is not None}
    after = msgspec.structs.replace(before, **given)
    # Compared as they would be written: in Python 1, 1.0 and True are equal, on the wire they are not.
    if msgspec.json.encode(after) == msgspec.json.encode(before):
        return before
    return msgspec.structs.replace(after, updated_at=now)
