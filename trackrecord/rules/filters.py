"""What filters compare: the kinds of field, the operators each takes, and how the values sent are read. Pure.

Source: the contract, 4.5.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec

from ..errors import ParameterInvalid, TypeMismatch
from .contacts import ROLES, fold_email
from .values import ATTRIBUTE_TEXT_MAX, WHOLE_MAX, Scalar, moment, said

DATE_MAX = 253_370_764_800  # the year 9999 in UTC; calendars end there
PHONE_MARKS = " -./()"  # what telephone numbers are written with, and do not differ by

EQUALITY = ("=", "!=", "IN", "NIN")
PATTERNS = ("~", "!~", "^", "$")  # contains, does not contain, starts with, ends with
ORDER = ("<", ">", "<=", ">=")
OPERATORS = (*EQUALITY, *PATTERNS, *ORDER)

_DIGITS = re.compile(r"[0-9]{1,18}")
_WHOLE = re.compile(r"-?[0-9]{1,40}")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a search is read by, besides itself."""

    attributes: Mapping[str, str]  # the contacts' custom attributes: name to data type
    zone: tzinfo  # the workspace's; decides days
    exact_dates: bool = False  # dates are compared by the second; else by whole days
    dates_in_order: bool = False  # dates take <= and >= too where they are compared by days
    formatted_phone: bool = False  # whether the version has that field


class Span(NamedTuple):
    """Moments from `since` up to, but not with, `before`, in Unix seconds; None is open."""

    since: int | None
    before: int | None


def _exact(value: object, place: str, known: Known) -> str:
    """Numbers stand for their digits: clients send ids so."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 128:
        value = str(value)
    if not isinstance(value, str):
        raise TypeMismatch(f"{place} must be a string, got {said(value)}", field=place)
    if len(value) > ATTRIBUTE_TEXT_MAX:
        raise ParameterInvalid(f"{place} must have at most {ATTRIBUTE_TEXT_MAX} characters, got {len(value)}", field=place)
    return value


def _text(value: object, place: str, known: Known) -> str:
    return _exact(value, place, known).casefold()


def _email(value: object, place: str, known: Known) -> str:
    return fold_email(_exact(value, place, known))


def _phone(value: object, place: str, known: Known) -> str:
    return _exact(value, place, known).translate(dict.fromkeys(map(ord, PHONE_MARKS)))


def _role(value: object, place: str, known: Known) -> str:
    if value not in ROLES:
        raise ParameterInvalid(f"{place} must be user or lead, got {short(value)}", field=place)
    return str(value)


def _boolean(value: object, place: str, known: Known) -> bool:
    read = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(read, bool):
        raise TypeMismatch(f"{place} must be true or false, got {short(value)}", field=place)
    return read


def _float(value: object, place: str, known: Known) -> int | float:
    read = value
    if isinstance(value, str):
        text = value.strip()
        read = int(text) if _WHOLE.fullmatch(text) else float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(read, bool) or not isinstance(read, (int, float)):
        raise TypeMismatch(f"{place} must be a number, got {short(value)}", field=place)
    if isinstance(read, float) and read.is_integer() and abs(read) < WHOLE_MAX:
        read = int(read)
    if not (-WHOLE_MAX <= read < WHOLE_MAX if isinstance(read, int) else math.isfinite(read)):
        raise ParameterInvalid(f"{place} must be a number of at most 64 bits, got {short(value)}", field=place)
    return read


def _integer(value: object, place: str, known: Known) -> int:
    read = _float(value, place, known)
    if not isinstance(read, int):
        raise TypeMismatch(f"{place} must be a whole number, got {short(value)}", field=place)
    return read


def _tag(value: object, place: str, known: Known) -> int:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DIGITS.fullmatch(text):
        raise ParameterInvalid(f"{place} must be the id of a tag, such as 80, got {short(value)}", field=place)
    return int(text)


def when(value: object, place: str, known: Known) -> int:
    """As rules.values.moment, but ISO 8601 without a zone is the workspace's time, as its days are."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value.strip()):
        try:
            local = datetime.fromisoformat(value.strip())
            value = value if local.tzinfo else math.floor(local.replace(tzinfo=known.zone).timestamp())
        except (ValueError, OverflowError):
            raise TypeMismatch(f"{place} must be a date in Unix seconds, such as 1671028894, got {short(value)}", field=place) from None
    read = moment(value, place)
    if read is None or read >= DATE_MAX:
        raise ParameterInvalid(f"{place} must be a date in Unix seconds before the year 9999, got {short(value)}", field=place)
    return read


def short(value: object) -> str:
    """A value that was sent, for messages: itself where it is short enough to be shown, else what JSON calls it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value[:40]) if isinstance(value, str) else str(value)[:40] if isinstance(value, (int, float)) else said(value)


def day(moment: int, zone: tzinfo) -> Span:
    """The day in a time zone that a moment belongs to: of 24 hours, and where clocks change of 23 or 25."""
    date = datetime.fromtimestamp(moment, zone).date()
    first, last = (datetime.combine(each, datetime.min.time(), zone) for each in (date, date + timedelta(days=1)))
    return Span(int(first.timestamp()), int(last.timestamp()))


def span(operator: str, at: int, known: Known) -> Span:
    """The moments an operator on a date means. Source: API reference, "Searching for Timestamp Fields"; the exact reading is ours."""
    since, before = Span(at, at + 1) if known.exact_dates else day(at, known.zone)
    spans = {
        "=": Span(since, before),
        ">": Span(before, None),
        "<": Span(None, since),
        ">=": Span(since, None),
        "<=": Span(None, before),
    }
    return spans[operator]


Reader = Callable[[object, str, Known], Scalar]  # (value, where it stands) to what is compared


class Kind(NamedTuple):
    operators: tuple[str, ...]
    read: Reader
    compared: type | tuple[type, ...]  # what contacts have for it, and filters once they are read
    part: Reader | None = None  # reads for PATTERNS, where that differs

    def fits(self, value: object) -> bool:
        """Whether a contact may have this value: what comes back from outside may be anything."""
        if isinstance(value, bool) or self.compared is bool:
            return isinstance(value, bool) and self.compared is bool
        return isinstance(value, self.compared) and not (isinstance(value, int) and not -WHOLE_MAX <= value < WHOLE_MAX)


NUMBER = (int, float)
# Which operators a kind of field takes, and how its values are read. Source: API reference, "Accepted Operators"; that ids and
# roles are told apart by case and all other text is not, and what segment_id takes, is ours.
KINDS: dict[str, Kind] = {
    "exact": Kind((*EQUALITY, *PATTERNS), _exact, str),
    "role": Kind((*EQUALITY, *PATTERNS), _role, str, part=_exact),
    "text": Kind((*EQUALITY, *PATTERNS), _text, str),
    "email": Kind((*EQUALITY, *PATTERNS), _email, str),
    "phone": Kind((*EQUALITY, *PATTERNS), _phone, str),
    "boolean": Kind(EQUALITY, _boolean, bool),
    "integer": Kind((*EQUALITY, *ORDER), _integer, NUMBER),
    "float": Kind((*EQUALITY, *ORDER), _float, NUMBER),
    "date": Kind(("=", "<", ">"), when, NUMBER),
    "tag": Kind(("=", "!="), _tag, int),
    "segment": Kind(EQUALITY, _exact, str),
}
EXACT_DATE = KINDS["date"]._replace(operators=("=", *ORDER))  # where dates are compared by the second, and in segments
UNSORTABLE = frozenset({"tag", "segment"})  # a contact may have several
# The kind of a custom attribute, by its data type.
ATTRIBUTE_KINDS = {"string": "text", "integer": "integer", "float": "float", "boolean": "boolean", "date": "date", "datetime": "date"}
