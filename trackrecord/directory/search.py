"""Contacts found by what is known of them: a checked search becomes one statement."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..errors import BadRequest
from ..rules.contacts import Contact
from ..rules.filters import PHONE_MARKS, Span
from ..rules.search import Field, Filter, Group, Inside, Not, Place, Query, Search, Sort
from . import counts
from .engine import Database, TookTooLong, folded, in_chunks, marked, marked_numbers, member, position, unindexed
from .rows import COLUMNS
from .tables import LISTED, contact_tags, contacts

INDEXED = frozenset({"id", "external_id", "email"})  # fields whose values lead to few contacts each, at once
CALLED = frozenset({"email", "name"})  # fields in which a text is found without a look at the whole of every contact
EVERYBODY = ("id", "!=", None)  # a filter that all meet
FEW = 10_000  # contacts that are looked up one by one rather than looked for among all
TOGETHER = 200  # conditions that one statement asks of few contacts

Expression = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


class Found(NamedTuple):
    contacts: Sequence[Contact]
    total_count: int
    next: Place | None  # where the next page begins; None on the last


class Searches:
    def __init__(self, db: Database) -> None:
        self._db = db

    def page(self, workspace: int, search: Search, *, limit: int, after: Place | None = None, within_s: float | None = None) -> Found:
        """Up to `limit` of the listed contacts that a search finds, and how many it finds in all.

        Contacts made or deleted meanwhile shift no other onto two pages or none. Raises BadRequest where the search is not done
        within `within_s` seconds.
        """
        with self._in_time(within_s) as connection:
            search = Search(_known(connection, workspace, search.query), search.sort)
            rows = connection.execute(_page(workspace, search, limit=limit + 1, after=after)).all()
            more = len(rows) > limit
            counted = after is None and not more
            total = len(rows) if counted else _count(connection, workspace, search.query)
        rows = rows[:limit]
        people = [Contact(**{name: getattr(row, name) for name in Contact.__struct_fields__}) for row in rows]
        return Found(people, total, Place(rows[-1].placed, rows[-1].id) if more else None)

    def count(self, workspace: int, query: Query, *, within_s: float | None = None) -> int:
        """How many of the listed contacts a query means. Raises BadRequest as page does."""
        with self._in_time(within_s) as connection:
            return _count(connection, workspace, _known(connection, workspace, query))

    def marks(self, workspace: int, query: Query, *, within_s: float | None = None) -> bytes:
        """A byte for each contact by its number, 1 for those listed contacts that a query means. Raises BadRequest as page does."""
        with self._in_time(within_s) as connection:
            numbers = connection.execute(sa.select(contacts.c.number).where(*_wanted(workspace, query))).scalars().all()
        marks = bytearray(max(numbers, default=-1) + 1)
        for number in numbers:
            marks[number] = 1
        return bytes(marks)

    def holding(self, workspace: int, numbers: Iterable[int], filters: Sequence[Filter]) -> dict[int, list[bool]]:
        """For each of some contacts, by their numbers, whether each of the filters holds; those that are not listed are left out."""
        found: dict[int, list[bool]] = {}
        with self._db.reading() as connection:
            for some in in_chunks(set(numbers)):
                for start in range(0, max(1, len(filters)), TOGETHER):
                    asked = [condition(each).label(f"f{place}") for place, each in enumerate(filters[start : start + TOGETHER])]
                    wanted = sa.select(contacts.c.number, *asked).where(
                        contacts.c.workspace == workspace, LISTED, contacts.c.number.in_(some)
                    )
                    for number, *holds in connection.execute(wanted):
                        found.setdefault(number, []).extend(map(bool, holds))
        return found

    @contextmanager
    def _in_time(self, within_s: float | None) -> Iterator[sa.Connection]:
        try:
            with self._db.reading(within_s=within_s) as connection:
                yield connection
        except TookTooLong:
            text = f"this search took longer than {within_s:g} s; ask for an id, external_id or email as well, or use fewer filters"
            raise BadRequest(text, field="query") from None


def _known(connection: sa.Connection, workspace: int, query: Query) -> Query:
    """The same query, in which those who are called so are looked up already, if they are few."""
    if isinstance(query, Group) and query.operator == "AND" and not _narrow(query):
        first = next((each for each in query.members if _called(each)), None)
        if first is not None:
            members = tuple(_known(connection, workspace, each) if each is first else each for each in query.members)
            return Group("AND", members)
    if _narrow(query) or not _called(query):
        return query
    wanted = sa.select(contacts.c.number).where(*_wanted(workspace, query)).limit(FEW + 1)
    numbers = connection.execute(wanted.with_hint(contacts, "INDEXED BY contacts_called", "sqlite")).scalars().all()
    if len(numbers) > FEW:
        return query
    marks = bytearray(max(numbers, default=-1) + 1)
    for number in numbers:
        marks[number] = 1
    return Inside(bytes(marks))


def _called(query: Query) -> bool:
    """Whether a query asks for nothing but texts in what a contact is called."""
    if isinstance(query, Group):
        return all(map(_called, query.members))
    if isinstance(query, Not):
        return _called(query.member)
    return isinstance(query, Filter) and query.field.name in CALLED


def _page(workspace: int, search: Search, *, limit: int, after: Place | None) -> sa.Select[Any]:
    sort, value = search.sort, _expression(search.sort.field)
    if _narrow(search.query):
        value = unindexed(value)
    wanted = sa.select(*COLUMNS, value.label("placed")).where(*_wanted(workspace, search.query))
    if after is not None:
        wanted = wanted.where(_beyond(value, sort, after))
    order: list[Expression] = [value.desc(), contacts.c.id.desc()] if sort.descending else [value.asc(), contacts.c.id.asc()]
    if _may_be_null(value):
        order.insert(0, value.is_(None))
    return wanted.order_by(*order).limit(limit)


def _count(connection: sa.Connection, workspace: int, query: Query) -> int:
    if isinstance(query, Filter) and (query.field.name, query.operator, query.value) == EVERYBODY:
        return counts.listed(connection, workspace)
    if isinstance(query, Filter) and (query.field.name, query.operator) == ("role", "=") and isinstance(query.value, str):
        return counts.listed(connection, workspace, query.value)
    counted: int = connection.execute(_counted(workspace, query)).scalar_one()
    return counted


def _counted(workspace: int, query: Query) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(contacts).where(*_wanted(workspace, query))


def _wanted(workspace: int, query: Query) -> tuple[Condition, ...]:
    """Who is listed and meets a query. Where few can be meant they are looked up first: left to itself SQLite takes an OR of
    several identifiers for more work than going through everybody.
    """
    if not _narrow(query):
        return contacts.c.workspace == workspace, LISTED, condition(query)
    leading = sa.union(*(_led_to(workspace, each) for each in _leading(query)))
    return contacts.c.number.in_(leading), unindexed(contacts.c.workspace) == workspace, LISTED, condition(query)


def _leading(query: Query) -> Iterator[Filter | Inside]:
    """Parts of a narrow query of which each contact that it means meets one, and each leads to few."""
    if isinstance(query, (Filter, Inside)):
        yield query
        return
    assert isinstance(query, Group)  # noqa: S101 - nothing else is narrow
    members = query.members if query.operator == "OR" else [next(filter(_narrow, query.members))]
    for each in members:
        yield from _leading(each)


def _led_to(workspace: int, part: Filter | Inside) -> sa.Select[Any]:
    """The numbers of contacts that an identifier leads to, or that are marked."""
    if isinstance(part, Inside):
        return marked_numbers(part.marks)
    mine = contacts.c.workspace == workspace, _compare(_expression(part.field), part.operator, part.value)
    return sa.select(contacts.c.number).where(*mine).correlate(None)


def _narrow(query: Query) -> bool:
    """Whether few contacts can be meant, and an index leads to them."""
    if isinstance(query, Group):
        return (any if query.operator == "AND" else all)(_narrow(each) for each in query.members)
    if isinstance(query, Inside):
        return not query.others and query.marks.count(1) <= FEW
    if not isinstance(query, Filter):
        return False
    wanted = query.value if isinstance(query.value, tuple) else (query.value,)
    return query.field.name in INDEXED and query.operator in ("=", "IN") and None not in wanted


def _may_be_null(value: Expression) -> bool:
    return not isinstance(value, sa.Column) or bool(value.nullable)


def _beyond(value: Expression, sort: Sort, after: Place) -> Condition:
    """What comes after a place: further on by value, or by id where the value is the same; at the end what has no value."""
    by_id = contacts.c.id < after.id if sort.descending else contacts.c.id > after.id
    if after.value is None:
        return sa.and_(value.is_(None), by_id)
    there = sa.literal(after.value)
    if not _may_be_null(value):  # in one comparison, which an index can begin at
        mine, theirs = sa.tuple_(value, contacts.c.id), sa.tuple_(there, after.id)
        return mine < theirs if sort.descending else mine > theirs
    further = value < there if sort.descending else value > there
    return sa.or_(further, sa.and_(value == there, by_id), value.is_(None))


def condition(query: Query) -> Condition:
    """Whether a row of `contacts` is what a query asks for; that it is of the workspace, and listed, is for the statement to say."""
    if isinstance(query, Group):
        join = sa.and_ if query.operator == "AND" else sa.or_
        return join(*(condition(each) for each in query.members))
    if isinstance(query, Not):
        return condition(query.member).is_not(sa.true())
    if isinstance(query, Inside):
        return marked(contacts.c.number, query.marks, others=query.others)
    assert isinstance(query, Filter)  # noqa: S101 - what was done is looked up before
    if query.field.kind == "tag":
        return _tagged(query.operator, query.value)
    return _compare(_expression(query.field), query.operator, query.value)


# --- Fields --------------------------------------------------------------------------------------------------------------


def _domain(email: Expression) -> Expression:
    """What follows the last @: all else of the address, as single letters, is taken from its end to find where that is."""
    before = sa.func.rtrim(email, sa.func.replace(email, "@", ""))
    return sa.func.substr(email, sa.func.length(before) + 1)


def _digits(phone: Expression) -> Expression:
    for mark in PHONE_MARKS:
        phone = sa.func.replace(phone, mark, "")
    return phone


_DERIVED: dict[str | None, Expression] = {
    None: sa.null(),
    "false": sa.literal(False),
    "email": contacts.c.email_folded,
    "email_domain": _domain(contacts.c.email_folded),
    "formatted_phone": _digits(contacts.c.phone),
}
_TYPES: dict[str, "sa.types.TypeEngine[Any]"] = {"text": sa.Text(), "boolean": sa.Boolean()}  # the rest are numbers


def _expression(field: Field) -> Expression:
    """What a contact has for a field, folded as values of its kind are."""
    text = field.kind == "text"
    if field.custom:
        return member(contacts.c.custom_attributes, str(field.source), _TYPES.get(field.kind, sa.Float()), fold=text)
    if field.source in _DERIVED:
        return _DERIVED[field.source]
    column = contacts.c[str(field.source)]
    return folded(column) if text else column


# --- Operators -----------------------------------------------------------------------------------------------------------


# Those that nobody without a value meets, and those that everybody without one does.
_MET: dict[str, Callable[[Expression, Any], Condition]] = {
    "=": lambda value, wanted: value == wanted,
    "IN": lambda value, wanted: value.in_(wanted),
    "~": lambda value, wanted: position(wanted, value) > 0,
    "^": lambda value, wanted: sa.func.substr(value, 1, len(wanted)) == wanted,
    "$": lambda value, wanted: sa.func.substr(value, sa.func.length(value) - len(wanted) + 1) == wanted,
    "<": lambda value, wanted: value < wanted,
    ">": lambda value, wanted: value > wanted,
    "<=": lambda value, wanted: value <= wanted,
    ">=": lambda value, wanted: value >= wanted,
}
_UNMET: dict[str, Callable[[Expression, Any], Condition]] = {
    "!=": lambda value, wanted: value != wanted,
    "NIN": lambda value, wanted: value.not_in(wanted),
    "!~": lambda value, wanted: position(wanted, value) == 0,
}


def _compare(value: Expression, operator: str, wanted: object) -> Condition:
    absent = value.is_(None)
    if isinstance(wanted, Span):
        since = [] if wanted.since is None else [value >= wanted.since]
        return sa.and_(*since, *([] if wanted.before is None else [value < wanted.before]))
    if wanted is None or wanted == (None,):
        return absent if operator in ("=", "IN") else value.is_not(None)
    among_null = isinstance(wanted, tuple) and None in wanted
    if isinstance(wanted, tuple):
        wanted = [each for each in wanted if each is not None]
    if operator in _MET:
        met = _MET[operator](value, wanted)
        return sa.or_(met, absent) if among_null else met
    unmet = _UNMET[operator](value, wanted)
    return sa.and_(unmet, value.is_not(None)) if among_null else sa.or_(unmet, absent)


def _tagged(operator: str, wanted: object) -> Condition:
    among_these = wanted if isinstance(wanted, tuple) else (wanted,)
    ids = [each for each in among_these if each is not None]
    has: Condition = contacts.c.number.in_(sa.select(contact_tags.c.contact).where(contact_tags.c.tag.in_(ids)))
    if None in among_these:
        none = sa.not_(sa.exists().where(contact_tags.c.contact == contacts.c.number))
        has = sa.or_(has, none) if ids else none
    return has if operator in ("=", "IN") else sa.not_(has)
