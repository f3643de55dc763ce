"""Which API version a request is served under. Source: the contract, 1.3."""

import re
from typing import NamedTuple

from ..errors import VersionInvalid

NAMED = ("Preview", "Unstable")  # one thing under its new and its old name: newer than every number
NEWEST = (2, 16)
KNOWN = frozenset([(1, minor) for minor in range(5)] + [(2, minor) for minor in range(NEWEST[1] + 1)])
_NUMBER = re.compile(r"^\d{1,3}\.\d{1,3}$", re.ASCII)

ABSENT_RESOURCE = "Requested resource is not available in current API version"
UNKNOWN = "The requested version could not be found"


class Version(NamedTuple):
    """`text` is what we answer in Intercom-Version; `number` compares, and is above all others for Preview."""

    text: str
    number: tuple[int, int]


_PREVIEW = (999, 0)


def served(asked: str | None, *, default: str, newer: bool) -> Version:
    """The version for a request's header, or the default without one. Raises VersionInvalid.

    With `newer`, a number above the newest known is served as the newest.
    """
    text = asked.strip() if asked is not None and asked.strip() else default
    if text.capitalize() in NAMED:
        return Version(text.capitalize(), _PREVIEW)
    if _NUMBER.match(text):
        major, minor = text.split(".")
        number = (int(major), int(minor))
        if number in KNOWN:
            return Version(f"{number[0]}.{number[1]}", number)
        if number > NEWEST and newer:
            return Version(f"{NEWEST[0]}.{NEWEST[1]}", NEWEST)
    raise VersionInvalid(UNKNOWN, field="Intercom-Version")


def available(version: Version, *, first: tuple[int, int] | None, last: tuple[int, int] | None = None, unversioned: bool = False) -> None:
    """Raises VersionInvalid for a resource that came after the version served, or was gone by then."""
    if unversioned:
        return
    if (first is not None and version.number < first) or (last is not None and version.number > last):
        raise VersionInvalid(ABSENT_RESOURCE, field="Intercom-Version")


# Where versions differ besides having a path or not (that stands in the rows of http/routes): the difference, the first version
# that has it, and what it is. Source: the contract, section 12.
DELTAS: tuple[tuple[str, tuple[int, int], str], ...] = (
    ("attributes_declared", (2, 0), "custom attributes must be declared, where the profile says so; before, their first use makes them"),
    ("typed_lists", (2, 0), "tags and data attributes come as `list` with `data`; before, as `tag.list` and `data_attribute.list`"),
    ("attribute_options", (2, 14), "the options of a data attribute are objects with a value"),
    ("away_status_reason", (2, 14), "an admin has away_status_reason_id"),
    ("admin_role", (2, 16), "an admin has a role"),
    ("owner_as_text", (2, 16), "owner_id is a string"),
    ("email_verified", (2, 16), "email_verified may be sent beside an email, and only there"),
    ("merged_is_gone", (2, 16), "a contact that was merged away answers 410 with a Link to the one that took its place; before, 404"),
    ("merge_history", (2, 16), "a contact shows its merge history when asked to"),
    ("merge_needs_match", (2, 16), "a merge needs the same email or phone, or skip_duplicate_validation"),
    ("formatted_phone", (2, 16), "formatted_phone can be searched"),
    ("no_conversation_attributes", (2, 16), "data attributes of conversations are refused with 422"),
)
_FROM = {name: first for name, first, _ in DELTAS}


def has(version: Version, delta: str) -> bool:
    """Whether a version has a difference of DELTAS."""
    return version.number >= _FROM[delta]
