"""What a search for contacts may ask: from decoded JSON to a tree in which every name and value is checked. Pure.

A query is one filter, or a group of filters and groups joined by AND or OR. The tree knows nothing of the wire or the database;
whatever chooses contacts by their fields can be given as one. Source: the contract, 4.5.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from ..errors import InvalidField, InvalidSortOrder, ParameterInvalid, ParameterNotFound, TypeMismatch
from .filters import ATTRIBUTE_KINDS, EXACT_DATE, KINDS, OPERATORS, PATTERNS, UNSORTABLE, Kind, Known, Span, short, span, when
from .values import Scalar, said

NESTING_MAX = 2  # groups within each other. Source: API reference, "Nesting & Limitations"
FILTERS_MAX = 15  # filters and groups in one group. Source: the same
VALUES_MAX = 1000  # values in all lists of one search. Ours
CUSTOM = "custom_attributes."

JOINS = ("AND", "OR")
ORDERS = ("ascending", "descending")


class Field(msgspec.Struct, frozen=True):
    """Something contacts are compared by. `source` is what of a contact it is: a field of Contact, one of DERIVED, or None for
    what is never known of a contact here; of a custom attribute it is the name.
    """

    name: str  # as the wire spells it
    kind: str  # a row of KINDS
    source: str | None
    custom: bool = False


Value = Scalar | tuple[Scalar, ...] | Span


class Filter(msgspec.Struct, frozen=True):
    """`value` is a tuple for IN and NIN, a Span for dates, else one value; None is the absence of one. Texts are folded as
    the kind of the field folds them. A contact without a value is unequal to every value: `!=`, NIN and `!~` find it.
    """

    field: Field
    operator: str
    value: Value


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a contact has to have done: only segments ask for it. How it is read, and what it comes to: rules/segments.py.

    `value` is a number of times or whole Unix seconds; where `ago`, seconds before the question is asked.
    """

    measure: str  # "count", "first" or "last"
    event_name: str
    folded: str  # what decides which name it is
    operator: str
    value: int
    ago: bool = False
    within_s: int | None = None  # only what was done in so many seconds before the question
    since: int | None = None  # only what was done from then on
    until: int | None = None  # and before then


class Inside(msgspec.Struct, frozen=True):
    """Contacts by their numbers: `marks` has a byte for each, 1 for those meant; `others` says whether those past its end are too."""

    marks: bytes
    others: bool = False


class Not(msgspec.Struct, frozen=True):
    member: "Query"


class Group(msgspec.Struct, frozen=True):
    operator: str  # one of JOINS
    members: "tuple[Query, ...]"


Query = Filter | Done | Inside | Not | Group
NOBODY = Inside(b"")


class Sort(msgspec.Struct, frozen=True):
    """By a field, then by id in the same direction; contacts without a value come last in either."""

    field: Field
    descending: bool


class Search(msgspec.Struct, frozen=True):
    query: Query
    sort: Sort

    @property
    def mark(self) -> str:
        """16 hex digits that another search does not have; a page belongs to it."""
        asked = [_plain(self.query), self.sort.field.name, self.sort.descending]
        return hashlib.blake2b(msgspec.json.encode(asked), digest_size=8).hexdigest()


class Place(NamedTuple):
    """Where a page ends: the value its last contact is sorted by, and that contact's id."""

    value: Scalar
    id: str


def _plain(query: Query) -> list[object]:
    """Without kinds: an attribute that was widened from integer to float is the same in the middle of a walk."""
    if isinstance(query, Group):
        return [query.operator, [_plain(each) for each in query.members]]
    assert isinstance(query, Filter)  # noqa: S101 - what is sent as a search has no others
    return [query.field.name, query.operator, query.value]


# --- Fields --------------------------------------------------------------------------------------------------------------

DERIVED = ("email_domain", "formatted_phone", "false")  # of the email, of the phone, and what is false of everybody

# Every field: its name, kind and source. What has no source is in Intercom's list and never known here, so it is null.
# Source: API reference, "Accepted Fields"; formatted_phone from 2.16 on; andoid_sdk_version is spelt so there.
FIELDS: dict[str, Field] = {
    name: Field(name, kind, source)
    for name, kind, source in (
        ("id", "exact", "id"),
        ("role", "role", "role"),
        ("name", "text", "name"),
        ("avatar", "text", "avatar"),
        ("owner_id", "integer", "owner_id"),
        ("email", "email", "email"),
        ("email_domain", "email", "email_domain"),
        ("phone", "text", "phone"),
        ("formatted_phone", "phone", "formatted_phone"),
        ("external_id", "exact", "external_id"),
        ("created_at", "date", "created_at"),
        ("signed_up_at", "date", "signed_up_at"),
        ("updated_at", "date", "updated_at"),
        ("last_seen_at", "date", "last_seen_at"),
        ("last_contacted_at", "date", None),
        ("last_replied_at", "date", None),
        ("last_email_opened_at", "date", None),
        ("last_email_clicked_at", "date", None),
        ("language_override", "text", "language_override"),
        ("browser", "text", None),
        ("browser_language", "text", None),
        ("os", "text", None),
        ("location.country", "text", None),
        ("location.region", "text", None),
        ("location.city", "text", None),
        ("unsubscribed_from_emails", "boolean", "unsubscribed_from_emails"),
        ("marked_email_as_spam", "boolean", "false"),
        ("has_hard_bounced", "boolean", "false"),
        ("ios_last_seen_at", "date", None),
        ("ios_app_version", "text", None),
        ("ios_device", "text", None),
        ("ios_app_device", "text", None),
        ("ios_os_version", "text", None),
        ("ios_app_name", "text", None),
        ("ios_sdk_version", "text", None),
        ("android_last_seen_at", "date", None),
        ("android_app_version", "text", None),
        ("android_device", "text", None),
        ("android_app_name", "text", None),
        ("andoid_sdk_version", "text", None),
        ("android_sdk_version", "text", None),
        ("segment_id", "segment", "segment_id"),
        ("tag_id", "tag", "tag_id"),
    )
}


def _field(sent: object, place: str, known: Known) -> Field:
    if not isinstance(sent, str):
        raise TypeMismatch(f"{place} must be a string, got {said(sent)}", field=place)
    name = sent.removeprefix(CUSTOM)
    if name != sent and name in known.attributes:
        return Field(sent, ATTRIBUTE_KINDS[known.attributes[name]], name, custom=True)
    found = FIELDS.get(sent)
    if found is None or (sent == "formatted_phone" and not known.formatted_phone):
        raise InvalidField(f"{sent[:200]} is not a valid search field", field=place)
    return found


# --- Reading what was asked ----------------------------------------------------------------------------------------------


def search(query: object, sort: object, known: Known) -> Search:
    """Read a search: its query, and the sort (None for the newest first), as decoded from JSON.

    Raises by field (such as `query.value[3].operator`) ParameterNotFound for what is missing, TypeMismatch for a value of
    another type than its field's, InvalidField, InvalidSortOrder, and ParameterInvalid for all else.
    """
    read = tree(query, "query", lambda sent, place: read_filter(sent, place, known))
    if _values(read) > VALUES_MAX:
        raise ParameterInvalid(f"query may list {VALUES_MAX} values in all, got {_values(read)}", field="query")
    return Search(read, _sort(sort, known))


def names_attributes(query: object, sort: object) -> bool:
    """Whether a search, as it was sent, may name custom attributes: else nobody need look up which there are."""
    return any(isinstance(each, str) and each.startswith(CUSTOM) for each in _names([query, sort], NESTING_MAX * 2 + 2))


def _names(sent: object, deeper: int) -> Iterator[object]:
    if isinstance(sent, list) and deeper:
        for each in sent:
            yield from _names(each, deeper - 1)
    elif isinstance(sent, Mapping) and deeper:
        yield sent.get("field")
        yield from _names(sent.get("value"), deeper - 1)


def _values(query: Query) -> int:
    return sum(len(each.value) for each in filters(query) if isinstance(each.value, tuple) and not isinstance(each.value, Span))


def leaves(query: Query) -> Iterator[Query]:
    """All of a query but what joins and negates, from left to right."""
    if isinstance(query, Group):
        for each in query.members:
            yield from leaves(each)
    elif isinstance(query, Not):
        yield from leaves(query.member)
    else:
        yield query


def filters(query: Query) -> Iterator[Filter]:
    return (each for each in leaves(query) if isinstance(each, Filter))


def replaced(query: Query, instead: Callable[[Query], Query]) -> Query:
    """The query with something else in the place of each of its leaves."""
    if isinstance(query, Group):
        return Group(query.operator, tuple(replaced(each, instead) for each in query.members))
    return Not(replaced(query.member, instead)) if isinstance(query, Not) else instead(query)


Leaf = Callable[[Mapping[object, object], str], Query]  # (what was sent with a field, where it stands) to what it asks for


def tree(sent: object, place: str, leaf: Leaf, *, depth: int = 1) -> Query:
    """Read filters that groups join; `leaf` reads each filter. Raises as `search` does."""
    if not isinstance(sent, Mapping):
        raise TypeMismatch(f"{place} must be an object, a filter or a group of filters, got {said(sent)}", field=place)
    if sent.get("field") is not None:
        return leaf(sent, place)
    operator = sent.get("operator")
    if operator is None:
        raise ParameterNotFound(f"{place} must be a filter with field, operator and value, or a group with operator and value", field=place)
    if operator in OPERATORS:
        raise ParameterNotFound(f"{place}.field is required beside the operator {operator}", field=f"{place}.field")
    if operator not in JOINS:
        raise ParameterInvalid(f"{place}.operator of a group must be AND or OR, got {short(operator)}", field=f"{place}.operator")
    if depth > NESTING_MAX:
        raise ParameterInvalid(f"{place} is a group too deep: groups may be nested {NESTING_MAX} deep", field=place)
    members = given(sent, place)
    place = f"{place}.value"
    if not isinstance(members, list):
        raise TypeMismatch(f"{place} must be a list of filters, got {said(members)}", field=place)
    if not 1 <= len(members) <= FILTERS_MAX:
        raise ParameterInvalid(f"{place} must have 1 to {FILTERS_MAX} filters, got {len(members)}", field=place)
    read = tuple(tree(each, f"{place}[{index}]", leaf, depth=depth + 1) for index, each in enumerate(members))
    return Group(str(operator), read)


def given(sent: Mapping[object, object], place: str) -> object:
    if "value" not in sent:
        raise ParameterNotFound(f"{place}.value is required", field=f"{place}.value")
    return sent["value"]


def read_filter(sent: Mapping[object, object], place: str, known: Known) -> Filter:
    field = _field(sent["field"], f"{place}.field", known)
    kind = EXACT_DATE if field.kind == "date" and (known.exact_dates or known.dates_in_order) else KINDS[field.kind]
    operator = sent.get("operator")
    if operator is None:
        raise ParameterNotFound(f"{place}.operator is required", field=f"{place}.operator")
    if operator not in kind.operators:
        raise ParameterInvalid(
            f"{place}.operator must be one of {', '.join(kind.operators)} for {field.name[:200]}, got {short(operator)}",
            field=f"{place}.operator",
        )
    return Filter(field, str(operator), _value(given(sent, place), f"{place}.value", str(operator), kind, known))


def _value(sent: object, place: str, operator: str, kind: Kind, known: Known) -> Value:
    if operator in ("IN", "NIN"):
        if not isinstance(sent, list):
            raise TypeMismatch(f"{place} must be a list for {operator}, got {said(sent)}", field=place)
        if not sent:
            raise ParameterInvalid(f"{place} must have at least one value", field=place)
        return tuple(None if each is None else kind.read(each, f"{place}[{index}]", known) for index, each in enumerate(sent))
    if isinstance(sent, list):
        use = "; use IN for several" if "IN" in kind.operators else ""
        raise TypeMismatch(f"{place} must be one value for {operator}, got a list{use}", field=place)
    if sent is None:
        if operator not in ("=", "!="):
            raise ParameterInvalid(f"{place} must not be null for {operator}; = null finds contacts without a value", field=place)
        return None
    if operator in PATTERNS:
        part = (kind.part or kind.read)(sent, place, known)
        if part == "":
            raise ParameterInvalid(f"{place} must have at least one character for {operator}", field=place)
        return part
    if kind.read is when:
        return span(operator, when(sent, place, known), known)
    return kind.read(sent, place, known)


def _sort(sent: object, known: Known) -> Sort:
    if sent is None:
        return Sort(FIELDS["created_at"], descending=True)
    if not isinstance(sent, Mapping):
        raise TypeMismatch(f"sort must be an object with field and order, got {said(sent)}", field="sort")
    asked, order = sent.get("field"), sent.get("order")
    field = FIELDS["created_at"] if asked is None else _field(asked, "sort.field", known)
    if field.kind in UNSORTABLE:
        raise ParameterInvalid(f"sort.field cannot be {field.name}, of which a contact may have several", field="sort.field")
    if order is not None and order not in ORDERS:
        said_order = order[:40] if isinstance(order, str) else short(order)
        raise InvalidSortOrder(f"Invalid sort order '{said_order}'. Must be one of: {', '.join(ORDERS)}", field="sort.order")
    return Sort(field, descending=order != "ascending")
