"""Cursor pages of our own lists, as GET /contacts has them: `pages.next.starting_after` is sent along for the page after."""

import re
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid, TypeMismatch
from ..rules.values import said
from .contacts import CursorPages, NextPage
from .params import Query, last, whole

PER_PAGE_MAX = 150
PER_PAGE_DEFAULT = 50
_CURSOR = re.compile(r"([1-9][0-9]{0,8})-([0-9a-f-]{1,2100})")


class Asked(NamedTuple):
    """Which page is wanted: the `number`th from the first, which begins behind the place `after`."""

    number: int = 1
    per_page: int = PER_PAGE_DEFAULT
    after: str | None = None


class SentPagination(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a search is wanted, in its body."""

    per_page: int | str | None = None
    starting_after: str | None = None


class OpenPages(msgspec.Struct, frozen=True, kw_only=True):
    """Pages of a list that is not counted. `next` may stand behind a page that is short, or empty: more is to be looked through."""

    type: str = "pages"
    next: NextPage | UnsetType = UNSET
    page: int
    per_page: int


def of_query(query: Query) -> Asked:
    """Read `per_page` and `starting_after` from an address. Raises ParameterInvalid."""
    return _after(last(query, "starting_after"), whole(query, "per_page", default=PER_PAGE_DEFAULT, most=PER_PAGE_MAX), "starting_after")


def of_body(sent: SentPagination | None) -> Asked:
    """Read the pagination of a search. Raises ParameterInvalid or TypeMismatch by field."""
    if sent is None:
        return Asked()
    per_page = PER_PAGE_DEFAULT
    if isinstance(sent.per_page, str):
        per_page = whole([("pagination.per_page", sent.per_page)], "pagination.per_page", default=PER_PAGE_DEFAULT, most=PER_PAGE_MAX)
    elif sent.per_page is not None:
        per_page = max(1, min(PER_PAGE_MAX, sent.per_page))
    return _after(sent.starting_after or None, per_page, "pagination.starting_after")


def _after(text: str | None, per_page: int, field: str) -> Asked:
    if text is None:
        return Asked(1, per_page)
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise bad_cursor(field)
    return Asked(int(found[1]), per_page, found[2])


def bad_cursor(field: str = "starting_after") -> ParameterInvalid:
    return ParameterInvalid(f"{field} must be a cursor from pages.next of an earlier answer", field=field)


def numbers(asked: Asked, count: int, field: str) -> tuple[int, ...] | None:
    """The place as so many whole numbers; None for the first page. Raises ParameterInvalid for a cursor of another list."""
    if asked.after is None:
        return None
    parts = asked.after.split("-")
    if len(parts) != count or not all(part.isdigit() and len(part) < 19 for part in parts):
        raise bad_cursor(field)
    return tuple(map(int, parts))


def next_page(asked: Asked, place: str | None) -> NextPage | UnsetType:
    """The page behind a place, which is made of lower-case hex digits and dashes; UNSET behind the last."""
    if place is None:
        return UNSET
    return NextPage(page=asked.number + 1, per_page=asked.per_page, starting_after=f"{asked.number + 1}-{place}")


def counted(asked: Asked, place: str | None, *, total_count: int) -> CursorPages:
    """The pages of a list whose length is known."""
    return CursorPages(
        next=next_page(asked, place), page=asked.number, per_page=asked.per_page, total_pages=-(-total_count // asked.per_page)
    )


def uncounted(asked: Asked, place: str | None) -> OpenPages:
    return OpenPages(next=next_page(asked, place), page=asked.number, per_page=asked.per_page)


def whole_limit(value: object, field: str, *, default: int, most: int) -> int:
    """A limit in a body: 1 to `most`. Raises TypeMismatch or ParameterInvalid."""
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeMismatch(f"{field} must be a whole number, got {said(value)}", field=field)
    if not 1 <= value <= most:
        raise ParameterInvalid(f"{field} must be from 1 to {most}, got {str(value)[:40]}", field=field)
    return value
