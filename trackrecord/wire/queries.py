"""Queries of events across contacts on the wire, and deleting what one finds. Ours: the original has neither."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import InvalidSortOrder, ParameterNotFound
from ..rules import queries
from ..rules.queries import Node
from . import cursors
from .audits import AuditBody
from .cursors import Asked, OpenPages, SentPagination
from .events import EventItem
from .json import decode

DELETE_MAX = 10_000  # events deleted by one request; more take more requests
COUNT_MAX = 1 << 30  # that is, all

SORT = {"field": "created_at", "order": "descending"}  # the only one there is; what is left out of it is taken from here


class SentCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition, or conditions under AND or OR: then `value` is a list of them and there is no `field`.

    Fields: event_name, created_at (whole Unix seconds), intercom_user_id, user_id, email, and metadata.<key>.
    Operators: = != IN NIN < > <= >= ~ !~ ^ $.
    """

    field: str | UnsetType = UNSET
    operator: str
    value: Any


class SentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /-/api/events/search. Without a query all events are found."""

    query: SentCondition | UnsetType = UNSET
    pagination: SentPagination | UnsetType = UNSET


class SentDeletion(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /-/api/events/delete. With dry_run the events are counted and stay, and there is no limit unless one is sent."""

    query: SentCondition
    limit: int | UnsetType = UNSET  # events at most, the newest first; 10,000 without it
    dry_run: bool | UnsetType = UNSET
    pagination: SentPagination | UnsetType = UNSET  # only its starting_after: where an earlier answer says that it goes on


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """What both bodies are read as: the query is told by the place in it, which no decoder could."""

    query: Any = None
    pagination: SentPagination | None = None
    sort: Any = None
    limit: Any = None
    dry_run: bool | None = None


class FoundEvent(EventItem):
    """An event as GET /events shows it, and its position: by that it has its receipt, and is deleted."""

    position: int


class FoundEvents(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "list"
    data: list[FoundEvent]
    pages: OpenPages


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted, or with dry_run what would be. `audit` is the record of it; null where there was nothing to delete."""

    type: str = "event.deletion"
    dry_run: bool
    count: int
    audit: AuditBody | None
    pages: OpenPages


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a body asks for. `sent` is the query as it came, for the audit; a cursor's place is (created_at, position)."""

    query: Node | None
    sent: Any
    asked: Asked
    before: tuple[int, int] | None
    dry_run: bool = False


def parse_search(body: bytes) -> Search:
    """Raises what rules.queries.read raises, and TypeMismatch or ParameterInvalid by field; InvalidSortOrder for another order."""
    sent = decode(body or b"{}", _Body)
    if sent.sort is not None and (not isinstance(sent.sort, Mapping) or SORT | dict(sent.sort) != SORT):
        raise InvalidSortOrder("events are found newest first: leave sort out, or send created_at and descending", field="sort")
    return _search(sent, cursors.of_body(sent.pagination))


def parse_deletion(body: bytes) -> Search:
    """As parse_search; a query is needed, so that nobody deletes everything by sending nothing. `asked.per_page` is the limit."""
    sent = decode(body or b"{}", _Body)
    if sent.query is None:
        raise ParameterNotFound("query is required: which events are to be deleted", field="query")
    limit = cursors.whole_limit(sent.limit, "limit", default=COUNT_MAX if sent.dry_run else DELETE_MAX, most=DELETE_MAX)
    return _search(sent, cursors.of_body(sent.pagination)._replace(per_page=limit))


def _search(sent: _Body, asked: Asked) -> Search:
    place = cursors.numbers(asked, 2, "pagination.starting_after")
    return Search(
        query=None if sent.query is None else queries.read(sent.query),
        sent=sent.query,
        asked=asked,
        before=None if place is None else (place[0], place[1]),
        dry_run=bool(sent.dry_run),
    )


def place(created_at: int, position: int) -> str:
    """A place as cursors carry it."""
    return f"{created_at}-{position}"


def found_event(item: EventItem, position: int) -> FoundEvent:
    return FoundEvent(**{name: getattr(item, name) for name in item.__struct_fields__}, position=position)


def listing(events: Sequence[FoundEvent], *, asked: Asked, next_place: tuple[int, int] | None) -> FoundEvents:
    return FoundEvents(data=list(events), pages=cursors.uncounted(asked, None if next_place is None else place(*next_place)))


def deletion(*, dry_run: bool, count: int, audit: AuditBody | None, asked: Asked, next_place: tuple[int, int] | None) -> Deletion:
    asked = asked._replace(per_page=min(asked.per_page, DELETE_MAX))  # what deleting the same would take at once
    pages = cursors.uncounted(asked, None if next_place is None else place(*next_place))
    return Deletion(dry_run=dry_run, count=count, audit=audit, pages=pages)
