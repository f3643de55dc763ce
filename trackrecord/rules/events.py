"""What an event is, and which ones we take. Pure: no I/O, no clock, no settings."""

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import DataInvalid, ParameterInvalid, ParameterNotFound, TypeMismatch
from .metadata import Kept, keep
from .profiles import Profile

NAME_LENGTH_MAX = 255  # characters. Ours: the wire states no limit
MOMENT_MAX = 253_402_300_799  # the last second of the year 9999: past it a time has no ISO 8601 form
MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138, so it must be milliseconds


class Accepted(NamedTuple):
    """An event that we will keep, before its contact and the number of its name are known."""

    name: str  # as sent, but for the characters a name cannot have
    folded: str  # what decides whether two names are the same
    created_at: int  # whole Unix seconds, UTC
    metadata: Kept | None  # None when none was sent


@lru_cache(10_000)
def clean_name(name: str | None, field: str = "event_name") -> tuple[str, str]:
    """Return (name, folded) of an event name. Source: API reference 1.4, "Event model".

    `.` and `$` become `-`; case does not tell names apart. Raises ParameterNotFound without a name, ParameterInvalid for NUL,
    and DataInvalid past NAME_LENGTH_MAX.
    """
    if not name:
        raise ParameterNotFound(f"{field} is required: what the contact did, such as invited-friend", field=field)
    if len(name) > NAME_LENGTH_MAX:
        raise DataInvalid(f"{field} must have at most {NAME_LENGTH_MAX} characters, got {len(name)}", field=field)
    if "\x00" in name:
        raise ParameterInvalid(f"{field} must not contain NUL characters", field=field)
    name = clean_text(name)
    return name, name.casefold()


def clean_text(name: str) -> str:
    """A name, or a piece of one, with what names cannot have as dashes."""
    return name.replace(".", "-").replace("$", "-")


def _iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def when(value: int | float | str | None, *, now: int, profile: Profile, field: str = "created_at") -> int:
    """Read the moment an event happened: whole Unix seconds. `now` is ours, in the same unit.

    Digit strings and fractions are taken in every profile; milliseconds and ISO 8601 (without a zone: UTC) where
    `created_at_loose`; without a value it is `now`, or ParameterNotFound where `created_at_required`.
    Raises TypeMismatch for other strings, DataInvalid for moments before 1970 or more than the profile's created_at_ahead_s ahead of `now`.
    """
    if type(value) is int and 0 <= value < MILLISECONDS_FROM and (not profile.created_at_ahead_s or value <= now):
        return value  # as nearly always
    if value is None or value == "":
        if profile.created_at_required:
            raise ParameterNotFound(f"{field} is required: whole Unix seconds, such as {now}", field=field)
        return now
    if isinstance(value, str):
        digits = value.strip()
        is_number = digits.isascii() and digits.removeprefix("-").isdigit() and len(digits) < 20
        read = int(digits) if is_number else _iso(digits) if profile.created_at_loose else None
        if read is None:
            raise TypeMismatch(f"{field} must be whole Unix seconds, such as {now}, got {value[:40]!r}", field=field)
        value = read
    else:
        is_number = True
    seconds = math.floor(value)
    if is_number and seconds >= MILLISECONDS_FROM:
        if not profile.created_at_loose:
            raise DataInvalid(f"{field} must be whole Unix seconds, got {seconds} (milliseconds?)"[:200], field=field)
        seconds //= 1000
    if seconds < 0:
        raise DataInvalid(f"{field} can't be before 1970", field=field)
    if seconds > MOMENT_MAX or (profile.created_at_ahead_s and seconds > now + profile.created_at_ahead_s):
        raise DataInvalid(f"{field} can't be in the future", field=field)
    return seconds


def accept(name: str | None, created_at: int | float | str | None, metadata: Any, *, now: int, profile: Profile) -> Accepted:
    """Check everything an event says of itself; `now` in whole Unix seconds.

    Raises what clean_name, when and metadata.keep raise, and TypeMismatch for metadata that is no object (an empty list,
    an empty string and null count as none: some senders write an empty object so).
    """
    cleaned, folded = clean_name(name)
    seconds = when(created_at, now=now, profile=profile)
    if not metadata and metadata not in (0, False):
        return Accepted(cleaned, folded, seconds, None)
    if not isinstance(metadata, dict):
        raise TypeMismatch("metadata must be an object", field="metadata")
    return Accepted(cleaned, folded, seconds, keep(metadata, limit=profile.metadata_keys_max, nested=profile.nested_metadata))


def whole_count(value: int, field: str) -> int:
    """A count of events: 0 to 2**53. Raises DataInvalid."""
    if not 0 <= value <= 1 << 53:
        raise DataInvalid(f"{field} must be a whole number from 0 to {1 << 53}, got {str(value)[:40]}", field=field)
    return value
