"""Queries: what they want of an event, what a store is asked for them, and what they may not be."""

from typing import Any

import msgspec
import pytest

from trackrecord.errors import TrackrecordError
from trackrecord.rules import queries
from trackrecord.rules.queries import Named, Plan, plan, read
from trackrecord.rules.records import Event

NAMES = [
    Named(1, "Placed order", ("placed order", "ordered")),
    Named(2, "signed-up", ("signed-up",)),
    Named(3, "Signed out", ("signed out",)),
]
CONTACTS = {("id", "c1"): {1}, ("id", "c2"): {2}, ("user_id", "u1"): {1}, ("email", "a@x.io"): {1, 3}}


def planned(query: Any) -> Plan:
    return plan(read(query), names=NAMES, contacts=CONTACTS)


def event(metadata: Any = None, *, name: int = 1, contact: int = 1, created_at: int = 100) -> Event:
    return Event(1, contact, name, created_at, 0, msgspec.json.encode(metadata) if metadata else b"")


def wants(query: Any, one: Event) -> bool:
    """Whether an event is found: within what the store is asked for, and wanted."""
    found = planned(query)
    inside = (
        (found.names is None or one.name in found.names)
        and (found.contacts is None or one.contact in found.contacts)
        and (found.since is None or one.created_at >= found.since)
        and (found.until is None or one.created_at < found.until)
    )
    return inside and not found.nothing and (found.wanted is None or found.wanted(one))


def cond(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def both(*parts: Any) -> dict[str, Any]:
    return {"operator": "AND", "value": list(parts)}


def either(*parts: Any) -> dict[str, Any]:
    return {"operator": "OR", "value": list(parts)}


# key, operator, value asked for, and which of these events it finds
SOME: dict[str, Any] = {
    "number": {"k": 5},
    "half": {"k": 5.5},
    "text": {"k": "5"},
    "word": {"k": "Pro Plan"},
    "true": {"k": True},
    "false": {"k": False},
    "one": {"k": 1},
    "object": {"k": {"url": "https://x.io", "value": 5}},
    "list": {"k": [5, "Pro Plan"]},
    "other": {"z": 5},
    "none": None,
}


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("=", 5, {"number"}),
        ("=", 5.0, {"number"}),
        ("=", "5", {"text"}),
        ("=", "pro plan", {"word"}),
        ("=", True, {"true"}),
        ("=", False, {"false"}),
        ("=", 1, {"one"}),
        ("=", None, {"other", "none"}),
        ("!=", None, set(SOME) - {"other", "none"}),
        ("!=", 5, set(SOME) - {"number"}),
        ("!=", "PRO PLAN", set(SOME) - {"word"}),
        ("IN", [5, "5", True], {"number", "text", "true"}),
        ("IN", [None], {"other", "none"}),
        ("IN", [], set()),
        ("NIN", [5, "5", True], set(SOME) - {"number", "text", "true"}),
        ("NIN", [], set(SOME)),
        (">", 1, {"number", "half"}),
        (">=", 5.5, {"half"}),
        ("<", 5.5, {"number", "one"}),
        ("<=", 1, {"one"}),
        ("~", "PLAN", {"word"}),
        ("~", "5", {"text"}),
        ("!~", "plan", set(SOME) - {"word"}),
        ("^", "pro", {"word"}),
        ("$", "an", {"word"}),
        ("~", "", {"text", "word"}),
    ],
)
def test_a_value_is_compared_with_its_own_kind_alone(operator: str, value: Any, found: set[str]):
    query = cond("metadata.k", operator, value)
    assert {name for name, metadata in SOME.items() if wants(query, event(metadata))} == found


@pytest.mark.parametrize(
    ("path", "metadata"),
    [
        ("Plan", {"plan": 1}),
        ("plan", {"PLAN": 1}),
        ("a.b", {"a-b": 1}),  # as RudderStack sends it, and as it is kept
        ("a$b", {"a-b": 1}),
        ("price.amount", {"price": {"amount": 1, "currency": "eur"}}),
        ("PRICE.amount", {"price": {"amount": 1, "currency": "eur"}}),
        ("order.value", {"order": {"value": 1, "url": "https://x.io"}}),
        ("a.b.c", {"a": {"b": {"c": 1}}}),
        ("items.1.sku", {"items": [{"sku": 0}, {"sku": 1}]}),
    ],
)
def test_a_path_leads_to_a_value(path: str, metadata: Any):
    assert wants(cond(f"metadata.{path}", "=", 1), event(metadata))
    assert not wants(cond(f"metadata.{path}", "=", 2), event(metadata))


@pytest.mark.parametrize("path", ["a.c", "a.b.c", "items.2", "items.x", "items.-1", "items.²", "t.0"])
def test_a_path_that_leads_nowhere_is_no_value(path: str):
    metadata = {"a": {"b": 1}, "items": [1], "t": "text"}
    assert wants(cond(f"metadata.{path}", "=", None), event(metadata))


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("=", "PLACED ORDER", {1}),
        ("=", "ordered", {1}),  # as it was called before
        ("!=", "ordered", {2, 3}),
        ("=", "nobody", set()),
        ("IN", ["signed-up", "Ordered"], {1, 2}),
        ("NIN", ["signed-up"], {1, 3}),
        ("~", "order", {1}),
        ("^", "signed", {2, 3}),
        ("$", "OUT", {3}),
        ("!~", "signed", {1}),
        ("=", "signed.up", {2}),  # as names are kept
    ],
)
def test_a_condition_on_names_is_a_set_of_names_for_the_store(operator: str, value: Any, found: set[int]):
    assert planned(cond("event_name", operator, value)) == Plan(names=frozenset(found))


@pytest.mark.parametrize(
    ("operator", "value", "since", "until"),
    [
        ("=", 100, 100, 101),
        (">", 100, 101, None),
        (">=", "100", 100, None),
        ("<", 100, None, 100),
        ("<=", "1970-01-01T00:01:40Z", None, 101),
    ],
)
def test_a_condition_on_time_is_exact_and_for_the_store(operator: str, value: Any, since: int | None, until: int | None):
    assert planned(cond("created_at", operator, value)) == Plan(since=since, until=until)


def test_times_in_and_not_in_a_list():
    assert [at for at in range(98, 104) if wants(cond("created_at", "IN", [99, 102]), event(created_at=at))] == [99, 102]
    assert [at for at in range(98, 104) if wants(cond("created_at", "NIN", [99, 102]), event(created_at=at))] == [98, 100, 101, 103]
    assert [at for at in range(98, 101) if wants(cond("created_at", "!=", 99), event(created_at=at))] == [98, 100]
    assert planned(cond("created_at", "IN", [])).nothing


@pytest.mark.parametrize(
    ("field", "operator", "value", "found"),
    [
        ("intercom_user_id", "=", "c2", [2]),
        ("user_id", "=", "u1", [1]),
        ("email", "=", "a@x.io", [1, 3]),
        ("intercom_user_id", "IN", ["c1", "c2"], [1, 2]),
        ("intercom_user_id", "=", "nobody", []),
        ("intercom_user_id", "!=", "c1", [2, 3]),
        ("email", "NIN", ["a@x.io"], [2]),
        ("intercom_user_id", "!=", "nobody", [1, 2, 3]),
    ],
)
def test_contacts_are_found_by_what_they_are_called(field: str, operator: str, value: Any, found: list[int]):
    assert [contact for contact in (1, 2, 3) if wants(cond(field, operator, value), event(contact=contact))] == found


def test_what_must_all_hold_narrows_what_the_store_is_asked_for():
    query = both(
        cond("event_name", "IN", ["ordered", "signed-up"]),
        cond("event_name", "!=", "signed-up"),
        cond("created_at", ">", 10),
        cond("created_at", ">=", 50),
        both(cond("created_at", "<", 99), cond("intercom_user_id", "=", "c1")),
    )
    assert planned(query) == Plan(names=frozenset({1}), contacts=frozenset({1}), since=50, until=99)


def test_names_of_which_any_will_do_are_one_set_without_a_test():
    found = planned(either(cond("event_name", "=", "ordered"), cond("event_name", "=", "signed out")))
    assert found == Plan(names=frozenset({1, 3}))


def test_what_any_may_hold_of_widens_what_the_store_is_asked_for_and_is_tested():
    query = either(
        both(cond("event_name", "=", "ordered"), cond("created_at", ">=", 100)),
        both(cond("event_name", "=", "signed-up"), cond("created_at", ">=", 50), cond("metadata.k", "=", 1)),
    )
    found = planned(query)
    assert (found.names, found.since, found.until) == (frozenset({1, 2}), 50, None)
    assert wants(query, event(name=1, created_at=100))
    assert not wants(query, event(name=1, created_at=99))
    assert wants(query, event({"k": 1}, name=2, created_at=50))
    assert not wants(query, event({"k": 2}, name=2, created_at=50))


def test_either_a_name_or_a_contact_is_not_both():
    query = either(cond("event_name", "=", "ordered"), cond("intercom_user_id", "=", "c2"))
    found = [(name, contact) for name in (1, 2) for contact in (1, 2) if wants(query, event(name=name, contact=contact))]
    assert found == [(1, 1), (1, 2), (2, 2)]


def test_what_can_hold_for_nothing_asks_for_nothing():
    assert planned(cond("event_name", "=", "never")).nothing
    assert planned(both(cond("created_at", ">", 5), cond("created_at", "<", 5))).nothing
    assert planned(either(cond("event_name", "=", "never"), cond("user_id", "=", "nobody"))).nothing
    assert planned(both(cond("event_name", "=", "ordered"), cond("event_name", "=", "signed-up"))).nothing


def test_one_way_that_leads_nowhere_does_not_close_the_others():
    query = either(cond("event_name", "=", "never"), cond("created_at", ">", 5))
    assert planned(query) == Plan(since=6)


def test_the_identifiers_to_look_up_are_told_by_kind():
    query = either(
        cond("email", "IN", ["a", "b"]), both(cond("user_id", "!=", 5), cond("intercom_user_id", "=", "c"), cond("email", "=", "a"))
    )
    assert queries.identifiers(read(query)) == {"email": {"a", "b"}, "user_id": {"5"}, "id": {"c"}}


def nested(depth: int) -> Any:
    return cond("created_at", ">", 1) if depth == 0 else both(nested(depth - 1))


@pytest.mark.parametrize(
    ("query", "code", "message", "field"),
    [
        ([], "type_mismatch", "query must be an object with field, operator and value, got a list", "query"),
        ({}, "parameter_not_found", "query.field is required", "query.field"),
        ({"field": "created_at"}, "parameter_not_found", "query.operator is required", "query.operator"),
        ({"field": "created_at", "operator": "="}, "parameter_not_found", "query.value is required", "query.value"),
        (
            cond("name", "=", "x"),
            "invalid_field",
            "name is not a valid search field; there are event_name, created_at, intercom_user_id, user_id, email and metadata.<key>",
            "query.field",
        ),
        (
            cond("metadata.", "=", "x"),
            "invalid_field",
            "metadata. is not a valid search field; there are event_name, created_at, intercom_user_id, user_id, email and metadata.<key>",
            "query.field",
        ),
        (
            cond("event_name", "<", "x"),
            "parameter_invalid",
            "query.operator of event_name must be one of = != IN NIN ~ !~ ^ $, got '<'",
            "query.operator",
        ),
        (
            cond("metadata.k", "LIKE", "x"),
            "parameter_invalid",
            "query.operator of metadata.k must be one of = != IN NIN < > <= >= ~ !~ ^ $, got 'LIKE'",
            "query.operator",
        ),
        (
            both(cond("created_at", ">", 1), cond("metadata.k", "<", "5")),
            "type_mismatch",
            "query.value[1].value must be a number, as it is compared with <; got a string",
            "query.value[1].value",
        ),
        (
            cond("metadata.k", ">", True),
            "type_mismatch",
            "query.value must be a number, as it is compared with >; got true or false",
            "query.value",
        ),
        (
            cond("metadata.k", "~", 5),
            "type_mismatch",
            "query.value must be a string, as it is compared with ~; got a whole number",
            "query.value",
        ),
        (
            cond("metadata.k", "=", {}),
            "type_mismatch",
            "query.value must be a string, a number, true, false or null, got an object",
            "query.value",
        ),
        (
            cond("metadata.k", "IN", "x"),
            "type_mismatch",
            "query.value must be a list, as the operator is IN; got a string",
            "query.value",
        ),
        (
            cond("metadata.k", "IN", [1, [2]]),
            "type_mismatch",
            "query.value[1] must be a string, a number, true, false or null, got a list",
            "query.value[1]",
        ),
        (cond("metadata.k", "IN", [1] * 1001), "parameter_invalid", "query.value may have at most 1000 values, got 1001", "query.value"),
        (
            cond("created_at", ">", "soon"),
            "type_mismatch",
            "query.value must be whole Unix seconds, such as 1671028894, got 'soon'",
            "query.value",
        ),
        (
            cond("created_at", ">", 1671028894000),
            "parameter_invalid",
            "query.value must be whole Unix seconds, such as 1671028894, got 1671028894000 (milliseconds?)",
            "query.value",
        ),
        (
            cond("created_at", "=", None),
            "type_mismatch",
            "query.value must be whole Unix seconds, such as 1671028894; got null",
            "query.value",
        ),
        (cond("email", "=", None), "type_mismatch", "query.value must be a string, got null: every event has a contact", "query.value"),
        (both(), "type_mismatch", "query.value must be a list of conditions, as the operator is AND", "query.value"),
        (
            {"operator": "OR", "value": cond("created_at", ">", 1)},
            "type_mismatch",
            "query.value must be a list of conditions, as the operator is OR",
            "query.value",
        ),
        (
            nested(6),
            "parameter_invalid",
            "groups may stand within each other 5 deep at most",
            "query.value[0].value[0].value[0].value[0].value[0].value",
        ),
        (both(*[cond("created_at", ">", 1)] * 51), "parameter_invalid", "a query may have at most 50 conditions", "query"),
    ],
)
def test_a_query_that_cannot_be_read_is_told_by_its_place(query: Any, code: str, message: str, field: str):
    with pytest.raises(TrackrecordError) as caught:
        read(query)
    assert (caught.value.code, caught.value.message, caught.value.field) == (code, message, field)


def test_the_most_there_may_be_is_read():
    assert planned(nested(5)) == Plan(since=2)
    assert planned(both(*[cond("created_at", ">", 1)] * 50)) == Plan(since=2)
