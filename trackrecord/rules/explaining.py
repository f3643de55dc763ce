"""Why a contact is in a segment or out of it: every condition, whether it holds, and what is so of the contact instead. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

import msgspec

from .contacts import Contact
from .filters import PHONE_MARKS, Span
from .search import Done, Filter, Group, Query, leaves
from .segments import DAY_S, PERSON_TYPES, Facts, Segment, decided, holds, of_persons
from .values import Scalar

Actual = Scalar | list[str]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """`place` is where it stands, such as `query.value[1]`, or `person_type`."""

    place: str
    field: str
    event_name: str | None
    holds: bool
    actual: Actual  # the contact's value: a number of times, Unix seconds, an attribute; None for none
    decides: bool
    text: str


class Explanation(NamedTuple):
    inside: bool
    conditions: list[Condition]
    text: str


def explained(
    segment: Segment,
    query: Query,
    contact: Contact,
    *,
    filters: Sequence[bool],
    facts: Sequence[Facts],
    tags: Mapping[str, str],
    now: int,
    zone: tzinfo,
) -> Explanation:
    """`query` is the segment's, without its type. `filters` says of each filter of `of_persons(query)` whether it holds, `facts` what the
    contact did of each thing that is asked for, in the order in which they stand; `tags` are the contact's, ids to names.
    """
    whole = of_persons(query, segment.person_type)
    of_filters, of_events = iter(filters), iter(facts)
    found: list[tuple[bool, Actual, str]] = []
    for leaf in leaves(whole):
        if isinstance(leaf, Done):
            did = next(of_events)
            found.append((holds(leaf, did, now), did.of(leaf.measure), _done(leaf, did, now, zone)))
        elif isinstance(leaf, Filter):
            actual = _actual(leaf, contact, tags)
            found.append((next(of_filters), actual, f"{leaf.field.name} is {_shown(leaf, actual, zone)}; {_needed(leaf, zone)}"))
    found[0] = (found[0][0], contact.role, f"the contact is a {contact.role}; the segment is of {PERSON_TYPES[segment.person_type]}s")
    inside, deciding = decided(whole, {place: each[0] for place, each in enumerate(found)})
    places = ["person_type", *_places(query, "query")]
    conditions = [
        Condition(
            place=place,
            field=_field(leaf),
            event_name=leaf.event_name if isinstance(leaf, Done) else None,
            holds=so,
            actual=actual,
            decides=number in deciding,
            text=text,
        )
        for number, (place, leaf, (so, actual, text)) in enumerate(zip(places, leaves(whole), found, strict=True))
    ]
    said = "; and ".join(each.text for each in conditions if each.decides)
    return Explanation(inside, conditions, f"{'In' if inside else 'Out'}, because {said}.")


def _places(query: Query, place: str) -> Iterator[str]:
    if isinstance(query, Group):
        for number, member in enumerate(query.members):
            yield from _places(member, f"{place}.value[{number}]")
    else:
        yield place


def _field(leaf: Query) -> str:
    return f"event.{leaf.measure}" if isinstance(leaf, Done) else leaf.field.name if isinstance(leaf, Filter) else ""


# --- What was done -------------------------------------------------------------------------------------------------------

_TIMES = {"=": "exactly {} {} needed", "!=": "any number but {} will do", ">": "more than {} {} needed", "<": "fewer than {} {} needed"}
_TIMES |= {">=": "at least {} {} needed", "<=": "at most {} {} allowed"}
_WHEN = {"=": "at {}", ">": "after {}", ">=": "at {} or later", "<": "before {}", "<=": "at {} or earlier"}


def _done(done: Done, did: Facts, now: int, zone: tzinfo) -> str:
    window = _window(done, zone)
    if done.measure == "count":
        times = "once" if did.times == 1 else f"{did.times} times" if did.times else ""
        was = f"was done {times}" if times else "was not done"
        needed = _TIMES[done.operator].format(done.value, "is" if done.value == 1 else "are")
        return f"{done.event_name} {was}{window}; {needed}"
    value = did.of(done.measure)
    moment = now - done.value if done.ago else done.value
    was = "was not done" if value is None else f"was {done.measure} done at {_moment(value, zone)}"
    days = f" ({done.value // DAY_S} days ago)" if done.ago else ""
    return f"{done.event_name} {was}{window}; it must be {_WHEN[done.operator].format(_moment(moment, zone))}{days}"


def _window(done: Done, zone: tzinfo) -> str:
    if done.within_s is not None:
        days = done.within_s // DAY_S
        return " in the last day" if days == 1 else f" in the last {days} days"
    since = "" if done.since is None else f" since {_moment(done.since, zone)}"
    return since + ("" if done.until is None else f" before {_moment(done.until, zone)}")


def _moment(at: int, zone: tzinfo) -> str:
    try:
        return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return str(at)  # beyond calendars


# --- What a contact is ---------------------------------------------------------------------------------------------------

_NEEDED = {
    "=": "it must be {}",
    "!=": "it must not be {}",
    "IN": "it must be one of {}",
    "NIN": "it must be none of {}",
    "~": "it must contain {}",
    "!~": "it must not contain {}",
    "^": "it must start with {}",
    "$": "it must end with {}",
    "<": "it must be less than {}",
    ">": "it must be more than {}",
    "<=": "it must be at most {}",
    ">=": "it must be at least {}",
}


def _actual(leaf: Filter, contact: Contact, tags: Mapping[str, str]) -> Actual:
    field = leaf.field
    if field.kind == "tag":
        return list(tags)
    if field.custom:
        return contact.custom_attributes.get(str(field.source))
    if field.source == "false":
        return False
    if field.source == "email_domain":
        return None if contact.email is None else contact.email.rpartition("@")[2].strip()
    if field.source == "formatted_phone":
        return None if contact.phone is None else contact.phone.translate(dict.fromkeys(map(ord, PHONE_MARKS)))
    value: Scalar = None if field.source is None else getattr(contact, field.source)
    return value


def _shown(leaf: Filter, value: object, zone: tzinfo) -> str:
    if value is None:
        return "not known"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if leaf.field.kind == "date" and isinstance(value, int):
        return _moment(value, zone)
    return msgspec.json.encode(value).decode()


def _needed(leaf: Filter, zone: tzinfo) -> str:
    value = leaf.value
    if isinstance(value, Span):
        since = "" if value.since is None else f" at {_moment(value.since, zone)} or later"
        before = "" if value.before is None else f" before {_moment(value.before, zone)}"
        return f"it must be{since}{' and' if since and before else ''}{before}"
    if isinstance(value, tuple):
        return _NEEDED[leaf.operator].format(", ".join("not known" if each is None else _shown(leaf, each, zone) for each in value))
    return _NEEDED[leaf.operator].format(_shown(leaf, value, zone))
