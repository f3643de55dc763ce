"""Reading single values as they were sent: each takes (value, field) and returns what is kept, or raises by field."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid, TypeMismatch

Scalar = str | int | float | bool | None

TEXT_MAX = 255  # characters of an id, address, name or number. Ours: the wire states no limit
AVATAR_MAX = 2048  # characters of a URL. Ours
ATTRIBUTE_TEXT_MAX = 10_000  # characters of a custom attribute's value. Ours
MOMENT_MAX = 1 << 40  # seconds; the year 36812. Milliseconds of our days lie beyond it, and are refused by it
WHOLE_MAX = 1 << 63  # what a database keeps as an integer lies below it, and not below minus it
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def said(value: object) -> str:
    """What JSON calls a value, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):  # in Python, True is an int
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    return "a string" if isinstance(value, str) else "an object" if isinstance(value, Mapping) else "a list"


def text(value: object, field: str, *, longest: int = TEXT_MAX) -> str | None:
    """Empty strings are as good as null: forms and connectors send them so. Ours."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise TypeMismatch(f"{field} must be a string, got {said(value)}", field=field)
    if len(value) > longest:
        raise ParameterInvalid(f"{field} must have at most {longest} characters, got {len(value)}", field=field)
    if CONTROL.search(value):
        raise ParameterInvalid(f"{field} must not contain control characters", field=field)
    return value


def long_text(value: object, field: str) -> str | None:
    return text(value, field, longest=AVATAR_MAX)


def number_or_text(value: object, field: str) -> str | None:
    """Numbers stand for their decimal form: clients send ids so. Source: the contract, 2.1 and 4.3."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 128:
        value = str(value)
    return text(value, field)


def flag(value: object, field: str) -> bool:
    if value is not None and not isinstance(value, bool):
        raise TypeMismatch(f"{field} must be true or false, got {said(value)}", field=field)
    return bool(value)


def moment(value: object, field: str) -> int | None:
    """Read whole Unix seconds, from 0 to MOMENT_MAX: a number, digits in a string, or ISO 8601 (without a zone: UTC).

    Fractions are dropped; null and "" give None. Source: the contract, 4.3 "Timestamps".
    Raises TypeMismatch for what is no moment at all, ParameterInvalid for one out of range.
    """
    if value is None or value == "":
        return None
    read: object = value
    if isinstance(value, str):
        digits = value.strip()
        read = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else _iso(digits)
    if isinstance(read, bool) or not isinstance(read, (int, float)):
        got = repr(value[:40]) if isinstance(value, str) else said(value)
        raise TypeMismatch(f"{field} must be whole Unix seconds, such as 1671028894, got {got}", field=field)
    if not 0 <= read < MOMENT_MAX:
        hint = " (milliseconds?)" if read >= MOMENT_MAX else ""
        raise ParameterInvalid(f"{field} must be whole Unix seconds, such as 1671028894, got {str(read)[:40]}{hint}", field=field)
    return math.floor(read)


def _iso(text: str) -> float | None:
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def sent_attributes(value: object, field: str) -> dict[str, Scalar] | UnsetType:
    """Custom attributes as sent; what type each must have is not known here. An empty list is PHP's empty object."""
    if value is None or value == []:
        return UNSET
    if not isinstance(value, Mapping):
        raise TypeMismatch(f"{field} must be an object, got {said(value)}", field=field)
    return {_attribute_name(str(name), field): _attribute_value(one, f"{field}.{name}"[: TEXT_MAX * 2]) for name, one in value.items()}


def _attribute_name(name: str, field: str) -> str:
    if not name or len(name) > TEXT_MAX or CONTROL.search(name):
        raise ParameterInvalid(
            f"{field}: a name must have 1 to {TEXT_MAX} characters and no control characters, got {name[:40]!r}", field=field
        )
    return name


def _attribute_value(value: object, field: str) -> Scalar:
    if isinstance(value, str):
        if len(value) > ATTRIBUTE_TEXT_MAX:
            raise ParameterInvalid(f"{field} must have at most {ATTRIBUTE_TEXT_MAX} characters, got {len(value)}", field=field)
        if "\x00" in value:
            raise ParameterInvalid(f"{field} must not contain NUL characters", field=field)
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -WHOLE_MAX <= value < WHOLE_MAX:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (int, float)):
        raise ParameterInvalid(f"{field} must be a number of at most 64 bits, got {str(value)[:40]}", field=field)
    raise TypeMismatch(f"{field} must be a string, a number, true, false or null, got {said(value)}", field=field)
