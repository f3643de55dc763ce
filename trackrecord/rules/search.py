"""What a search for contacts may ask: from decoded JSON to a tree in which every name and value is checked. Pure.

A query is one filter, or a group of filters and groups joined by AND or OR. The tree knows nothing of the wire or the database;
whatever chooses contacts by their fields can be given as one. Source: the contract, 4.5.
"""

import hashlib
from collections.abc import Iterator, Mapping
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


class Group(msgspec.Struct, frozen=True):
    operator: str  # one of JOINS
    members: "tuple[Filter | Group, ...]"


Query = Filter | Group


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
    read = _query(query, "query", known, depth=1)
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
    if isinstance(query, Group):
        return sum(map(_values, query.members))
    return len(query.value) if query.operator in ("IN", "NIN") and isinstance(query.value, tuple) else 0


def _query(sent: object, place: str, known: Known, *, depth: int) -> Query:
    if not isinstance(sent, Mapping):
        raise TypeMismatch(f"{place} must be an object, a filter or a group of filters, got {said(sent)}", field=place)
    if sent.get("field") is not None:
        return _filter(sent, place, known)
    operator = sent.get("operator")
    if operator is None:
        raise ParameterNotFound(f"{place} must be a filter with field, operator and value, or a group with operator and value", field=place)
    if operator in OPERATORS:
        raise ParameterNotFound(f"{place}.field is required beside the operator {operator}", field=f"{place}.field")
    if operator not in JOINS:
        raise ParameterInvalid(f"{place}.operator of a group must be AND or OR, got {short(operator)}", field=f"{place}.operator")
    if depth > NESTING_MAX:
        raise ParameterInvalid(f"{place} is a group too deep: groups may be nested {NESTING_MAX} deep", field=place)
    members = _given(sent, place)
    place = f"{place}.value"
    if not isinstance(members, list):
        raise TypeMismatch(f"{place} must be a list of filters, got {said(members)}", field=place)
    if not 1 <= len(members) <= FILTERS_MAX:
        raise ParameterInvalid(f"{place} must have 1 to {FILTERS_MAX} filters, got {len(members)}", field=place)
    read = tuple(_query(each, f"{place}[{index}]", known, depth=depth + 1) for index, each in enumerate(members))
    return Group(str(operator), read)


def _given(sent: Mapping[object, object], place: str) -> object:
    if "value" not in sent:
        raise ParameterNotFound(f"{place}.value is required", field=f"{place}.value")
    return sent["value"]


def _filter(sent: Mapping[object, object], place: str, known: Known) -> Filter:
    field = _field(sent["field"], f"{place}.field", known)
    kind = EXACT_DATE if field.kind == "date" and known.exact_dates else KINDS[field.kind]
    operator = sent.get("operator")
    if operator is None:
        raise ParameterNotFound(f"{place}.operator is required", field=f"{place}.operator")
    if operator not in kind.operators:
        raise ParameterInvalid(
            f"{place}.operator must be one of {', '.join(kind.operators)} for {field.name[:200]}, got {short(operator)}",
            field=f"{place}.operator",
        )
    return Filter(field, str(operator), _value(_given(sent, place), f"{place}.value", str(operator), kind, known))


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
