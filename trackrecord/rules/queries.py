"""Queries of events across contacts: read once, and made into what a store looks for and what is asked of each event. Pure.

The form is that of contact search (the contract, 4.5): a condition, or conditions under AND and OR. The fields are those an event
is shown with, and times are exact: the rule of whole days is for contacts alone.

A value is compared with its own kind and no other: the number 5 is never the string "5", nor true. `!=`, `!~` and `NIN` are the
opposites of `=`, `~` and `IN`, so they hold for events that have no such key at all.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ..errors import InvalidField, ParameterInvalid, ParameterNotFound, TypeMismatch
from .comparing import matcher
from .events import clean_text
from .metadata import clean_key
from .records import Event
from .values import moment, number_or_text, said

DEPTH_MAX = 5  # groups within each other. Ours; contact search has 2
CONDITIONS_MAX = 50  # in a whole query. Ours; contact search has 15 a group
VALUES_MAX = 1_000  # in one IN or NIN

EQUAL = ("=", "!=", "IN", "NIN")
ORDER = ("<", ">", "<=", ">=")
TEXT = ("~", "!~", "^", "$")

# What can be asked for besides metadata.<key>: the field, and its operators.
FIELDS: dict[str, tuple[str, ...]] = {
    "event_name": EQUAL + TEXT,
    "created_at": EQUAL + ORDER,
    "intercom_user_id": EQUAL,
    "user_id": EQUAL,
    "email": EQUAL,
}
IDENTIFIERS = {"intercom_user_id": "id", "user_id": "user_id", "email": "email"}  # the fields that name contacts, and by what kind
METADATA = "metadata."


class Condition(NamedTuple):
    field: str
    operator: str
    value: Any  # checked: whole seconds for created_at, texts for names and identifiers, and a list of them for IN and NIN


class Group(NamedTuple):
    operator: str  # AND or OR
    parts: tuple["Node", ...]


Node = Condition | Group


class Named(NamedTuple):
    """An event name as queries see it: how it is shown, and everything it answers to, folded."""

    number: int
    name: str
    answers_to: Collection[str]


class Plan(NamedTuple):
    """What a query comes to. An event is wanted when all of it holds; None is no condition, and an empty set holds for none."""

    names: frozenset[int] | None = None
    contacts: frozenset[int] | None = None
    since: int | None = None  # created_at >= since
    until: int | None = None  # created_at < until
    tests: tuple[Callable[["_Seen"], bool], ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether no event can be wanted."""
        empty = self.since is not None and self.until is not None and self.since >= self.until
        return empty or self.names == frozenset() or self.contacts == frozenset()

    @property
    def wanted(self) -> Callable[[Event], bool] | None:
        """What is to be asked of each event that has one of the names and contacts and lies within the times; None for nothing."""
        tests = self.tests
        return (lambda event: _all(tests, _Seen(event))) if tests else None


class _Seen:
    """An event under a query's eyes. Its metadata is read at most once."""

    __slots__ = ("_metadata", "event")

    def __init__(self, event: Event) -> None:
        self.event = event
        self._metadata: dict[str, Any] | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        if self._metadata is None:
            self._metadata = msgspec.json.decode(self.event.metadata) if self.event.metadata else {}
        return self._metadata


def _all(tests: Sequence[Callable[[_Seen], bool]], seen: _Seen) -> bool:
    return all(test(seen) for test in tests)


# --- Reading what was sent -----------------------------------------------------------------------------------------------


def read(sent: object) -> Node:
    """Check a query somebody sent. Raises ParameterNotFound, ParameterInvalid, InvalidField or TypeMismatch, with the place in it."""
    conditions = 0

    def node(sent: object, at: str, depth: int) -> Node:
        nonlocal conditions
        if not isinstance(sent, Mapping):
            raise TypeMismatch(f"{at} must be an object with field, operator and value, got {said(sent)}", field=at)
        operator = sent.get("operator")
        if operator in ("AND", "OR"):
            return group(str(operator), sent.get("value"), at, depth)
        if isinstance(sent.get("value"), list) and "field" not in sent and isinstance(operator, str):
            raise ParameterInvalid(
                f"{at}.operator of a list of conditions must be AND or OR, got {operator[:20]!r}", field=f"{at}.operator"
            )
        conditions += 1
        if conditions > CONDITIONS_MAX:
            raise ParameterInvalid(f"a query may have at most {CONDITIONS_MAX} conditions", field="query")
        return _condition(sent, at)

    def group(operator: str, parts: object, at: str, depth: int) -> Node:
        at = f"{at}.value"
        if parts is None:
            raise ParameterNotFound(f"{at} is required: a list of conditions, as the operator is {operator}", field=at)
        if not isinstance(parts, list) or not parts:
            raise TypeMismatch(f"{at} must be a list of conditions, as the operator is {operator}", field=at)
        if depth == DEPTH_MAX:
            raise ParameterInvalid(f"groups may stand within each other {DEPTH_MAX} deep at most", field=at)
        return Group(operator, tuple(node(part, f"{at}[{number}]", depth + 1) for number, part in enumerate(parts)))

    return node(sent, "query", 0)


def _condition(sent: Mapping[str, Any], at: str) -> Condition:
    for key in ("field", "operator", "value"):
        if key not in sent or (key != "value" and sent[key] in (None, "")):
            raise ParameterNotFound(f"{at}.{key} is required", field=f"{at}.{key}")
    field, operator, value = sent["field"], sent["operator"], sent["value"]
    known = field in FIELDS if isinstance(field, str) else False
    if not known and not (isinstance(field, str) and len(field) > len(METADATA) and field.startswith(METADATA)):
        shown = field[:80] if isinstance(field, str) else said(field)
        raise InvalidField(f"{shown} is not a valid search field; there are {', '.join(FIELDS)} and metadata.<key>", field=f"{at}.field")
    allowed = FIELDS[field] if known else EQUAL + ORDER + TEXT
    if operator not in allowed:
        shown = repr(operator[:20]) if isinstance(operator, str) else said(operator)
        raise ParameterInvalid(f"{at}.operator of {field[:80]} must be one of {' '.join(allowed)}, got {shown}", field=f"{at}.operator")
    if operator in ("IN", "NIN"):
        if not isinstance(value, list):
            raise TypeMismatch(f"{at}.value must be a list, as the operator is {operator}; got {said(value)}", field=f"{at}.value")
        if len(value) > VALUES_MAX:
            raise ParameterInvalid(f"{at}.value may have at most {VALUES_MAX} values, got {len(value)}", field=f"{at}.value")
        return Condition(field, operator, [_value(field, "=", one, f"{at}.value[{number}]") for number, one in enumerate(value)])
    return Condition(field, operator, _value(field, operator, value, f"{at}.value"))


def _value(field: str, operator: str, value: object, at: str) -> object:
    """One value, as it is compared. Raises TypeMismatch for one that the field or the operator cannot be compared with."""
    if field == "created_at":
        seconds = moment(value, at)
        if seconds is None:
            raise TypeMismatch(f"{at} must be whole Unix seconds, such as 1671028894; got {said(value)}", field=at)
        return seconds
    if field in IDENTIFIERS:
        found = number_or_text(value, at)
        if found is None:
            raise TypeMismatch(f"{at} must be a string, got {said(value)}: every event has a contact", field=at)
        return found
    if isinstance(value, (list, dict)):
        raise TypeMismatch(f"{at} must be a string, a number, true, false or null, got {said(value)}", field=at)
    if (field == "event_name" or operator in TEXT) and not isinstance(value, str):
        raise TypeMismatch(f"{at} must be a string, as it is compared with {operator}; got {said(value)}", field=at)
    if operator in ORDER and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise TypeMismatch(f"{at} must be a number, as it is compared with {operator}; got {said(value)}", field=at)
    if not isinstance(value, str):
        return value
    return (clean_text(value) if field == "event_name" else value).casefold()


def identifiers(node: Node) -> dict[str, set[str]]:
    """Every contact a query names, by the kind of identifier: what is to be looked up before it can be planned."""
    found: dict[str, set[str]] = {}
    for condition in _conditions(node):
        if condition.field in IDENTIFIERS:
            values = condition.value if isinstance(condition.value, list) else [condition.value]
            found.setdefault(IDENTIFIERS[condition.field], set()).update(values)
    return found


def asks_names(node: Node) -> bool:
    """Whether it says anything of names, so that they are to be looked up."""
    return any(condition.field == "event_name" for condition in _conditions(node))


def _conditions(node: Node) -> Iterator[Condition]:
    if isinstance(node, Condition):
        yield node
    else:
        for part in node.parts:
            yield from _conditions(part)


# --- Planning ------------------------------------------------------------------------------------------------------------


def plan(node: Node, *, names: Sequence[Named], contacts: Mapping[tuple[str, str], Collection[int]]) -> Plan:
    """What a query comes to where these are the workspace's names, and its identifiers lead to these contacts."""
    if isinstance(node, Condition):
        return _planned(node, names, contacts)
    parts = [plan(part, names=names, contacts=contacts) for part in node.parts]
    return _both(parts) if node.operator == "AND" else _either(parts)


def _planned(condition: Condition, names: Sequence[Named], contacts: Mapping[tuple[str, str], Collection[int]]) -> Plan:
    field, operator, value = condition
    if field == "event_name":
        matches = matcher(operator, value)
        # Equal to a name is whoever answers to it; what stands in a name is asked of how it is shown.
        return Plan(names=frozenset(each.number for each in names if matches(each.answers_to if operator in EQUAL else [each.name])))
    if field == "created_at":
        return _when(operator, value)
    if field in IDENTIFIERS:
        values = value if isinstance(value, list) else [value]
        numbers = frozenset(number for one in values for number in contacts.get((IDENTIFIERS[field], one), ()))
        if operator in ("=", "IN"):
            return Plan(contacts=numbers)
        return Plan(tests=(lambda seen: seen.event.contact not in numbers,))
    return Plan(tests=(_of_metadata(field.removeprefix(METADATA), operator, value),))


def _when(operator: str, value: Any) -> Plan:
    if operator in ("!=", "NIN"):
        others = frozenset(value) if operator == "NIN" else {value}
        return Plan(tests=(lambda seen: seen.event.created_at not in others,))
    if operator == "IN":
        some = frozenset(value)
        if not some:
            return Plan(names=frozenset())
        return Plan(since=min(some), until=max(some) + 1, tests=(lambda seen: seen.event.created_at in some,))
    since = {"=": value, ">": value + 1, ">=": value}.get(operator)
    until = {"=": value + 1, "<": value, "<=": value + 1}.get(operator)
    return Plan(since=since, until=until)


def _both(parts: Sequence[Plan]) -> Plan:
    """What all of these hold for."""
    names = [part.names for part in parts if part.names is not None]
    contacts = [part.contacts for part in parts if part.contacts is not None]
    return Plan(
        names=frozenset.intersection(*names) if names else None,
        contacts=frozenset.intersection(*contacts) if contacts else None,
        since=max((part.since for part in parts if part.since is not None), default=None),
        until=min((part.until for part in parts if part.until is not None), default=None),
        tests=tuple(test for part in parts for test in part.tests),
    )


def _either(parts: Sequence[Plan]) -> Plan:
    """What any of these holds for: bounds that hold for all of them, and a test where the bounds alone say too little."""
    parts = [part for part in parts if not part.nothing]
    if not parts:
        return Plan(names=frozenset())
    names = [part.names for part in parts if part.names is not None]
    contacts = [part.contacts for part in parts if part.contacts is not None]
    since = [part.since for part in parts if part.since is not None]
    until = [part.until for part in parts if part.until is not None]
    every = len(parts)
    together = Plan(
        names=frozenset.union(*names) if len(names) == every else None,
        contacts=frozenset.union(*contacts) if len(contacts) == every else None,
        since=min(since) if len(since) == every else None,
        until=max(until) if len(until) == every else None,
    )
    if every == 1:
        return parts[0]
    one_kind = (together.names is not None) + (together.contacts is not None) == 1
    if one_kind and not since and not until and not any(part.tests for part in parts) and not (names and contacts):
        return together
    return together._replace(tests=(lambda seen: any(_holds(part, seen) for part in parts),))


def _holds(plan: Plan, seen: _Seen) -> bool:
    event = seen.event
    return (
        (plan.names is None or event.name in plan.names)
        and (plan.contacts is None or event.contact in plan.contacts)
        and (plan.since is None or event.created_at >= plan.since)
        and (plan.until is None or event.created_at < plan.until)
        and _all(plan.tests, seen)
    )


# --- Metadata -----------------------------------------------------------------------------------------------------------


def _of_metadata(path: str, operator: str, wanted: object) -> Callable[[_Seen], bool]:
    whole, parts = clean_key(path), path.split(".")
    first = clean_key(parts[0])
    matches = matcher(operator, wanted)

    def test(seen: _Seen) -> bool:
        value = _under(seen.metadata, whole)
        if value is None and len(parts) > 1:
            value = _within(_under(seen.metadata, first), parts[1:])
        return matches((value,))

    return test


def _under(metadata: Mapping[str, Any], key: str) -> Any:
    """The value of a key, in whatever case either is written; None without one."""
    if key in metadata:
        return metadata[key]
    folded = key.casefold()
    return next((value for name, value in metadata.items() if name.casefold() == folded), None)


def _within(value: Any, path: Sequence[str]) -> Any:
    """What stands in an object, or in a list by its place from 0; None for nothing."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and len(part) < 6 and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
