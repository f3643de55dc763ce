"""Segments: groups of contacts that a query describes, and how such a query is read. Pure.

A segment's query is one of contact search, in which a filter may also ask what a contact has done: its field is `event.count`,
`event.first` or `event.last`, and it names the event.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ..errors import InvalidField, ParameterInvalid, TypeMismatch
from .events import clean_name
from .filters import Known, short
from .search import (
    CUSTOM,
    FIELDS,
    NOBODY,
    VALUES_MAX,
    Done,
    Filter,
    Group,
    Not,
    Query,
    filters,
    given,
    leaves,
    read_filter,
    replaced,
    tree,
)
from .values import moment, said, text

PERSON_TYPES = {"user": "user", "contact": "lead"}  # whom a segment is of, and their role: the wire calls leads contacts here
SEGMENTS_MAX = 500  # in a workspace
CONDITIONS_MAX = 50  # in a whole query
DAY_S = 86_400
DAYS_MAX = 36_500  # a hundred years
TIMES_MAX = 1_000_000_000  # that anything is asked to have been done


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is the wire's: 24 lower-case hex digits. Times are whole Unix seconds, UTC."""

    number: int
    id: str
    workspace: int
    name: str
    person_type: str  # one of PERSON_TYPES
    query: dict[str, Any] | None = None  # as it was sent; None, from before segments had to have one, is nobody's
    created_at: int = 0
    updated_at: int = 0


class Size(msgspec.Struct, frozen=True):
    """How many contacts were in a segment when it was last counted on a day (days since 1970, UTC)."""

    day: int
    count: int


# --- What a query names, as it was sent ----------------------------------------------------------------------------------


def conditions(query: object) -> Iterator[tuple[str, object]]:
    """(field, value) of every filter in a query, in groups of groups too."""
    if isinstance(query, Mapping):
        value = query.get("value")
        if isinstance(query.get("field"), str):
            yield query["field"], value
        elif isinstance(value, list):
            for each in value:
                yield from conditions(each)


def names_tag(query: object, tag: int) -> bool:
    """Whether a query asks for a tag, by its number."""
    for field, value in conditions(query):
        values = value if isinstance(value, list) else [value]
        if field == "tag_id" and str(tag) in [str(each).lstrip("0") for each in values]:
            return True
    return False


def names_attribute(query: object, name: str) -> bool:
    """Whether a query asks for a custom attribute."""
    return any(field == f"{CUSTOM}{name}" for field, _ in conditions(query))


def asks_events(query: object) -> bool:
    """Whether a query asks what contacts have done."""
    return any(field in MEASURES for field, _ in conditions(query))


# --- Reading a query -----------------------------------------------------------------------------------------------------

MEASURES = {"event.count": "count", "event.first": "first", "event.last": "last"}
TIMES = ("<", "<=", "=", ">=", ">")
OPERATORS = {"count": (*TIMES, "!="), "first": TIMES, "last": TIMES}
_EVENT_KEYS = frozenset({"field", "event_name", "operator", "value", "days_ago", "within_days", "since", "until"})


def read(query: object, known: Known) -> Query:
    """Read a segment's query, as decoded from JSON. Raises as rules.search.search does, by the place in it."""
    found = tree(query, "query", lambda sent, place: _leaf(sent, place, known))
    many = sum(1 for _ in leaves(found))
    if many > CONDITIONS_MAX:
        raise ParameterInvalid(f"a segment's query may have {CONDITIONS_MAX} conditions in all, got {many}", field="query")
    values = sum(len(each.value) for each in filters(found) if each.operator in ("IN", "NIN") and isinstance(each.value, tuple))
    if values > VALUES_MAX:
        raise ParameterInvalid(f"query may list {VALUES_MAX} values in all, got {values}", field="query")
    return found


def _leaf(sent: Mapping[object, object], place: str, known: Known) -> Query:
    field = sent["field"]
    if field == "segment_id":
        raise ParameterInvalid(f"{place}.field cannot be segment_id: repeat that segment's conditions instead", field=f"{place}.field")
    if isinstance(field, str) and field in MEASURES:
        return _done(sent, place, MEASURES[field])
    if isinstance(field, str) and field.startswith("event."):
        raise InvalidField(f"{field[:80]} is not a valid field; of events there are {', '.join(MEASURES)}", field=f"{place}.field")
    return read_filter(sent, place, known)


def _done(sent: Mapping[object, object], place: str, measure: str) -> Done:
    for key in sent:
        if key not in _EVENT_KEYS:
            known = ", ".join(sorted(_EVENT_KEYS - {"field"}))
            raise ParameterInvalid(f"{place} has a key {short(key)} that means nothing here; there are {known}", field=place)
    name = sent.get("event_name")
    if name is not None and not isinstance(name, str):
        raise TypeMismatch(f"{place}.event_name must be a string, got {said(name)}", field=f"{place}.event_name")
    clean, folded = clean_name(name, f"{place}.event_name")
    operator = sent.get("operator")
    if operator not in OPERATORS[measure]:
        raise ParameterInvalid(
            f"{place}.operator must be one of {', '.join(OPERATORS[measure])} for event.{measure}, got {short(operator)}",
            field=f"{place}.operator",
        )
    ago = measure != "count" and sent.get("days_ago") is not None
    if ago:
        if sent.get("value") is not None:
            raise ParameterInvalid(f"{place} may have value or days_ago, not both", field=f"{place}.days_ago")
        value = _whole(sent["days_ago"], f"{place}.days_ago", most=DAYS_MAX) * DAY_S
    elif sent.get("days_ago") is not None:
        raise ParameterInvalid(f"{place}.days_ago is for event.first and event.last; use within_days here", field=f"{place}.days_ago")
    elif measure == "count":
        value = _whole(given(sent, place), f"{place}.value", most=TIMES_MAX)
    else:
        value = _moment(given(sent, place), f"{place}.value")
    within, since, until = sent.get("within_days"), sent.get("since"), sent.get("until")
    if within is not None and (since is not None or until is not None):
        raise ParameterInvalid(f"{place} may have within_days, or since and until, not both", field=f"{place}.within_days")
    done = Done(
        measure=measure,
        event_name=clean,
        folded=folded,
        operator=str(operator),
        value=value,
        ago=ago,
        within_s=None if within is None else _whole(within, f"{place}.within_days", least=1, most=DAYS_MAX) * DAY_S,
        since=None if since is None else _moment(since, f"{place}.since"),
        until=None if until is None else _moment(until, f"{place}.until"),
    )
    if done.since is not None and done.until is not None and done.since >= done.until:
        raise ParameterInvalid(f"{place}.until must be after since, got {done.until} and {done.since}", field=f"{place}.until")
    return done


def _whole(value: object, place: str, *, most: int, least: int = 0) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeMismatch(f"{place} must be a whole number, got {short(value)}", field=place)
    if not least <= value <= most:
        raise ParameterInvalid(f"{place} must be from {least} to {most}, got {short(value)}", field=place)
    return value


def _moment(value: object, place: str) -> int:
    read = moment(value, place)
    if read is None:
        raise TypeMismatch(f"{place} must be whole Unix seconds, such as 1671028894, got {short(value)}", field=place)
    return read


def name_of(value: object) -> str:
    """A segment's name as it is kept. Raises ParameterInvalid or TypeMismatch."""
    read = text(value, "name")
    if read is None or not read.strip():
        raise ParameterInvalid("name must have at least one character: what the segment is called", field="name")
    return read.strip()


def of_persons(query: Query, person_type: str) -> Query:
    """Those of a query that are of a type: users, or leads. The first member says so."""
    return Group("AND", (Filter(FIELDS["role"], "=", PERSON_TYPES[person_type]), query))


# --- What a query comes to -----------------------------------------------------------------------------------------------


def expanded(query: Query, segments: Mapping[str, Query]) -> Query:
    """With the queries of segments, by their ids, where it asks for segments. An id that no segment has is nobody's."""

    def members(leaf: Query) -> Query:
        if not isinstance(leaf, Filter) or leaf.field.kind != "segment":
            return leaf
        wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        found = [segments[id] for id in wanted if isinstance(id, str) and id in segments]
        if None in wanted:
            found.append(Not(_any(tuple(segments.values()))))
        return _any(tuple(found)) if leaf.operator in ("=", "IN") else Not(_any(tuple(found)))

    return replaced(query, members)


def _any(queries: Sequence[Query]) -> Query:
    return Group("OR", tuple(queries)) if queries else NOBODY


class Asked(NamedTuple):
    """What of the events is asked for: those of a name from `since` on and before `until`; of a contact their number, or when
    the first or last was, is from `low` up to, but not with, `high`. None is no bound.
    """

    measure: str
    since: int | None
    until: int | None
    low: int | None
    high: int | None

    def holds(self, facts: "Facts") -> bool:
        value = facts.of(self.measure)
        return value is not None and (self.low is None or value >= self.low) and (self.high is None or value < self.high)


class Facts(NamedTuple):
    """How often one contact did one thing within some time, and when. Whole Unix seconds; None for what it never did."""

    times: int
    first: int | None
    last: int | None

    def of(self, measure: str) -> int | None:
        return {"count": self.times, "first": self.first, "last": self.last}[measure]


NEVER = Facts(0, None, None)


def asked(done: Done, now: int) -> Asked:
    """What a condition comes to at `now` (whole Unix seconds). Of `!=` it is the contrary: see `negated`."""
    value = now - done.value if done.ago else done.value
    low, high = {
        "=": (value, value + 1),
        "!=": (value, value + 1),
        ">": (value + 1, None),
        ">=": (value, None),
        "<": (None, value),
        "<=": (None, value + 1),
    }[done.operator]
    since = done.since if done.within_s is None else now - done.within_s
    return Asked(done.measure, since, done.until, low, high)


def negated(done: Done) -> bool:
    return done.operator == "!="


def holds(done: Done, facts: Facts, now: int) -> bool:
    """Whether one contact, who did so much of it within its time, meets a condition."""
    return asked(done, now).holds(facts) != negated(done)


def decided(query: Query, truth: Mapping[int, bool], start: int = 0) -> tuple[bool, list[int]]:
    """Whether a contact is in it, and the conditions that decide so, by their places among the leaves.

    `truth` says of each leaf, by its place, whether it holds. Were all deciding ones otherwise, the contact would be out where it is
    in, and in where it is out: where all must hold these are the ones that do not, or all if none fails.
    """
    if isinstance(query, Not):
        inside, deciding = decided(query.member, truth, start)
        return not inside, deciding
    if not isinstance(query, Group):
        return truth[start], [start]
    answers = []
    for member in query.members:
        answers.append(decided(member, truth, start))
        start += sum(1 for _ in leaves(member))
    every = query.operator == "AND"
    inside = (all if every else any)(answer for answer, _ in answers)
    return inside, [place for answer, deciding in answers if answer == inside for place in deciding]
