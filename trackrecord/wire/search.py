"""A search on the wire: its body, and the cursors its pages are walked by."""

import re
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid, ParameterNotFound, TypeMismatch
from ..rules.filters import KINDS, short
from ..rules.search import Place, Search
from ..rules.values import said
from .json import decode

PER_PAGE_DEFAULT = 50  # Source: the contract, 4.4
PER_PAGE_MAX = 150
_CURSOR = re.compile(r"([1-9][0-9]{0,8})-([0-9a-f]{16})-([0-9a-f]{24})-((?:[0-9a-f]{2})+)")
_DIGITS = re.compile(r"-?[0-9]{1,18}")

# An empty list stands for an empty object: so PHP writes one.
Part = dict[str, Any] | list[Any] | UnsetType | None


class SentSearch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /contacts/search.

    `query` is a filter (field, operator, value) or a group (operator AND or OR, value: up to 15 filters and groups), nested two
    deep at most. `pagination` has per_page and starting_after, `sort` has field and order; it may be JSON in a string.
    Source: API reference, "Search contacts".
    """

    query: dict[str, Any] | UnsetType | None = UNSET
    pagination: Part = UNSET
    sort: dict[str, Any] | list[Any] | str | UnsetType | None = UNSET


class Asked(NamedTuple):
    """A search as it was sent, with what concerns the wire alone read."""

    query: dict[str, Any]
    sort: dict[str, Any] | None
    per_page: int
    starting_after: str | None


def parse(body: bytes) -> Asked:
    """Read the body of a search; a per_page out of range is taken as the nearest within it.

    Raises what decode raises, ParameterNotFound without a query, and TypeMismatch or ParameterInvalid by field.
    """
    sent = decode(body, SentSearch)
    if not isinstance(sent.query, dict):
        raise ParameterNotFound("query is required: a filter with field, operator and value, or a group of filters", field="query")
    pagination = _object(sent.pagination, "pagination")
    return Asked(sent.query, _sort(sent.sort), _per_page(pagination.get("per_page")), _starting_after(pagination.get("starting_after")))


def _object(sent: Part, field: str) -> dict[str, Any]:
    if isinstance(sent, list) and sent:
        raise TypeMismatch(f"{field} must be an object, got a list", field=field)
    return sent if isinstance(sent, dict) else {}


def _sort(sent: "Part | str") -> dict[str, Any] | None:
    """A string holds the object as JSON: so one connector sends it."""
    read: object = sent
    if isinstance(sent, str):
        try:
            read = msgspec.json.decode(sent) if sent.strip() else None
        except (msgspec.MsgspecError, RecursionError):
            read = sent
    if isinstance(read, (str, int, float)):
        text = f'sort must be an object such as {{"field":"created_at","order":"ascending"}}, got {short(read)}'
        raise TypeMismatch(text, field="sort")
    return _object(read, "sort") or None  # type: ignore[arg-type]


def _per_page(sent: object) -> int:
    if sent is None:
        return PER_PAGE_DEFAULT
    read = int(sent) if isinstance(sent, str) and _DIGITS.fullmatch(sent) else sent
    if isinstance(read, bool) or not isinstance(read, int):
        message = f"pagination.per_page must be a whole number from 1 to {PER_PAGE_MAX}, got {short(sent)}"
        raise TypeMismatch(message, field="pagination.per_page")
    return max(1, min(PER_PAGE_MAX, read))


def _starting_after(sent: object) -> str | None:
    if sent is not None and not isinstance(sent, str):
        raise TypeMismatch(f"pagination.starting_after must be a string, got {said(sent)}", field="pagination.starting_after")
    return sent or None


def cursor(page: int, place: Place, search: Search) -> str:
    """Where a page of a search begins, by its number: digits, a to f and dashes, as one client puts cursors into addresses."""
    return f"{page}-{search.mark}-{place.id}-{msgspec.json.encode(place.value).hex()}"


def place(text: str | None, search: Search) -> tuple[int, Place | None]:
    """Read a cursor: the number of the page it begins, and the place. Without one it is the first page.

    Raises ParameterInvalid for what is no cursor of ours, and for one of another query or sort.
    """
    if text is None:
        return 1, None
    found = _CURSOR.fullmatch(text)
    if found is not None and found[2] != search.mark:
        raise _refused("belongs to another query or sort: send the ones it came with, or leave it out")
    try:
        value: Any = msgspec.json.decode(bytes.fromhex(found[4])) if found else UNSET
    except (msgspec.MsgspecError, RecursionError):
        value = UNSET
    if found is None or not (value is None or KINDS[search.sort.field.kind].fits(value)):
        raise _refused("must be a cursor from pages.next of an earlier answer")
    return int(found[1]), Place(value, found[3])


def _refused(why: str) -> ParameterInvalid:
    return ParameterInvalid(f"pagination.starting_after {why}", field="pagination.starting_after")
