"""The form above the list of contacts: addresses, searches of the API, and the way back."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackrecord.dashboard.contacts import form
from trackrecord.dashboard.contacts.fields import CHOICES, OFFERED, kind_of
from trackrecord.dashboard.contacts.form import EVERYBODY, Form, Row
from trackrecord.errors import ParameterInvalid
from trackrecord.rules.filters import KINDS, Known
from trackrecord.rules.search import FIELDS
from trackrecord.rules.search import search as ask

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
ATTRIBUTES = {"plan": "string", "seats": "integer", "score": "float", "paid": "boolean", "renews": "date"}
KNOWN = Known(attributes=ATTRIBUTES, zone=ZoneInfo("UTC"))


def sought(*rows: Row, **more: Any) -> Any:
    return form.search(Form(rows=rows, **more), ATTRIBUTES).query


def test_every_field_on_offer_is_one_of_the_search_and_every_operator_one_of_its_kind():
    assert OFFERED.keys() <= FIELDS.keys()
    assert CHOICES.keys() == KINDS.keys()
    for kind, choices in CHOICES.items():
        assert {each.operator for each in choices} <= set(KINDS[kind].operators)
        assert len({each.word for each in choices}) == len(choices)


@pytest.mark.parametrize(
    ("row", "filter"),
    [
        (Row("name", "contains", " Ann "), {"field": "name", "operator": "~", "value": "Ann"}),
        (Row("email", "starts", "joe@"), {"field": "email", "operator": "^", "value": "joe@"}),
        (Row("role", "is", "lead"), {"field": "role", "operator": "=", "value": "lead"}),
        (Row("phone", "unknown"), {"field": "phone", "operator": "=", "value": None}),
        (Row("phone", "known", "left over"), {"field": "phone", "operator": "!=", "value": None}),
        (Row("last_seen_at", "after", "2026-11-28"), {"field": "last_seen_at", "operator": ">", "value": "2026-11-28"}),
        (Row("tag_id", "not", "80"), {"field": "tag_id", "operator": "!=", "value": "80"}),
        (Row("custom_attributes.seats", "over", "5"), {"field": "custom_attributes.seats", "operator": ">", "value": 5}),
        (Row("custom_attributes.score", "to", "-0.5"), {"field": "custom_attributes.score", "operator": "<=", "value": -0.5}),
        (Row("custom_attributes.seats", "over", "many"), {"field": "custom_attributes.seats", "operator": ">", "value": "many"}),
        (Row("custom_attributes.paid", "no"), {"field": "custom_attributes.paid", "operator": "=", "value": False}),
        (
            Row("custom_attributes.plan", "in", 'pro, "a, b",'),
            {"field": "custom_attributes.plan", "operator": "IN", "value": ["pro", "a, b"]},
        ),
        (Row("custom_attributes.seats", "not-in", "1, 2"), {"field": "custom_attributes.seats", "operator": "NIN", "value": [1, 2]}),
    ],
)
def test_a_row_is_one_filter(row: Row, filter: Any):
    assert sought(row) == filter


@pytest.mark.parametrize("row", [Row("name", "contains", "  "), Row("name", "in", " , "), Row("tag_id", "is")])
def test_a_row_whose_value_is_still_to_come_asks_nothing(row: Row):
    assert sought(row) == EVERYBODY


def test_rows_are_joined_and_what_is_in_the_box_must_hold_as_well():
    rows = (Row("name", "is", "Ann"), Row("name", "is"), Row("role", "is", "lead"))
    ann, lead = ({"field": field, "operator": "=", "value": value} for field, value in (("name", "Ann"), ("role", "lead")))
    typed = sought(box="ann")
    assert [each["field"] for each in typed["value"]] == ["email", "name"]
    assert sought(*rows) == {"operator": "AND", "value": [ann, lead]}
    assert sought(*rows, any=True) == {"operator": "OR", "value": [ann, lead]}
    assert sought(*rows, box="ann") == {"operator": "AND", "value": [typed, ann, lead]}
    assert sought(*rows, box="ann", any=True) == {"operator": "AND", "value": [typed, {"operator": "OR", "value": [ann, lead]}]}


def test_what_is_in_the_box_is_looked_up_and_else_searched_for():
    asked = [form.search(Form(box="ann"), {}, exactly=exactly).query["value"] for exactly in (True, False)]
    assert [[(each["field"], each["operator"]) for each in one] for one in asked] == [
        [("id", "="), ("external_id", "="), ("email", "=")],
        [("email", "~"), ("name", "~")],
    ]


@pytest.mark.parametrize("any", [False, True])
@pytest.mark.parametrize("box", ["", "ann"])
@pytest.mark.parametrize("before", [(), (Row("name", "is", "Ann"),), (Row("name", "is", ""), Row("name", "is", "Ann"))])
def test_an_error_of_the_api_leads_to_the_row_at_fault(before: tuple[Row, ...], box: str, any: bool):
    wrong = Row("custom_attributes.seats", "over", "many")
    sent = form.search(Form(box=box, any=any, rows=(*before, wrong)), ATTRIBUTES)
    with pytest.raises(Exception, match="must be a number") as caught:
        ask(sent.query, sent.sort, KNOWN)
    assert sent.row_of(caught.value.field) == len(before)
    assert sent.row_of("sort.field") is None


def test_the_sort_goes_along():
    assert form.search(Form(sort="-last_seen_at"), {}).sort == {"field": "last_seen_at", "order": "descending"}
    assert form.search(Form(sort="name"), {}).sort == {"field": "name", "order": "ascending"}


# --- Addresses and back --------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip).filter(bool)
FIELD_NAMES = st.sampled_from([*OFFERED, *(f"custom_attributes.{name}" for name in ATTRIBUTES)])


@st.composite
def rows(draw: Any) -> Row:
    field = draw(FIELD_NAMES)
    how = draw(st.sampled_from(CHOICES[kind_of(field, ATTRIBUTES)]))
    if how.takes == "nothing":
        return Row(field, how.word)
    values = draw(st.lists(TEXTS, min_size=1, max_size=3))
    return Row(field, how.word, values[0] if how.takes == "one" else form._in_a_list(values))


FORMS = st.builds(
    Form,
    box=st.just("") | TEXTS,
    any=st.booleans(),
    rows=st.lists(rows(), max_size=form.ROWS_MAX).map(tuple),
    query=st.just(""),
    wide=st.booleans(),
    sort=st.sampled_from(["-created_at", "name", "-last_seen_at"]),
)


@UNHURRIED
@given(FORMS)
def test_an_address_holds_the_whole_form(sent: Form):
    wanted = sent._replace(any=sent.any and len(sent.rows) > 1, wide=sent.wide and sent.box != "")
    assert form.read(form.address(sent), ATTRIBUTES) == wanted


@UNHURRIED
@given(st.lists(rows(), min_size=1, max_size=form.ROWS_MAX).map(tuple), st.booleans())
def test_what_rows_ask_is_said_in_rows_again(asked: tuple[Row, ...], any: bool):
    sent = sought(*asked, any=any)
    said = form.said_in_rows(sent, ATTRIBUTES)
    assert said is not None
    assert sought(*said[1], any=said[0]) == sent
    held = form.read([("query", msgspec.json.encode(sent).decode())], ATTRIBUTES)
    assert (held.query, form.search(held, ATTRIBUTES).query) == ("", sent)


NAME = {"field": "name", "operator": "=", "value": "Ann"}


@pytest.mark.parametrize(
    "query",
    [
        {"operator": "AND", "value": [{"operator": "OR", "value": [NAME, NAME]}, NAME]},
        {"field": "name", "operator": "IN", "value": ["Ann", None]},
        {"field": "created_at", "operator": ">=", "value": 5},
        {"field": "name", "operator": "~", "value": " Ann"},
        {"field": "no such", "operator": "=", "value": "x"},
        {"operator": "AND", "value": [NAME] * (form.ROWS_MAX + 1)},
        {**NAME, "more": 1},
        [],
        5,
        None,
        {"operator": "AND", "value": []},
        {"operator": "AND", "value": {}},
        {"field": ["x"], "operator": "=", "value": "x"},
    ],
)
def test_what_rows_cannot_say_stays_as_it_was_written(query: Any):
    text = msgspec.json.encode(query).decode()
    held = form.read([("query", text), ("field", "name"), ("op", "is"), ("value", "Ann")], ATTRIBUTES)
    assert held == Form(query=text)
    assert form.search(held, ATTRIBUTES).query == query
    assert form.read(form.address(held), ATTRIBUTES) == held


@pytest.mark.parametrize("text", ["{", "[" * 5000, "x"])
def test_what_is_no_json_is_for_the_api_to_refuse(text: str):
    held = form.read([("query", text)], ATTRIBUTES)
    assert form.search(held, ATTRIBUTES).query == text
    with pytest.raises(Exception, match="query must be an object") as caught:
        ask(text, None, KNOWN)
    assert not isinstance(caught.value, ParameterInvalid)


@pytest.mark.parametrize(
    "query",
    [
        [("field", "name")],
        [("field", "name"), ("op", "no such")],
        [("field", "name"), ("op", "after"), ("value", "")],
        [("field", "name"), ("op", "contains"), ("value", ""), ("value", "more"), ("op", "is")],
    ],
)
def test_an_address_that_lacks_parts_is_read_as_far_as_it_goes(query: Any):
    assert form.read(query, ATTRIBUTES) == Form(rows=(Row("name", "contains"),))


def test_an_address_with_too_many_rows_is_read_up_to_what_a_group_may_have():
    query = [pair for _ in range(99) for pair in (("field", "name"), ("op", "is"), ("value", "Ann"))]
    held = form.read(query, ATTRIBUTES)
    sent = form.search(held._replace(box="ann"), ATTRIBUTES)
    assert len(held.rows) == form.ROWS_MAX
    ask(sent.query, sent.sort, KNOWN)  # is not refused


def test_a_row_is_said_in_words():
    names = {"80": "VIP", "5": "Paying"}
    said = [form.in_words(row, ATTRIBUTES, names) for row in (
        Row("name", "contains", "Ann"), Row("phone", "unknown"), Row("tag_id", "not", "80"), Row("segment_id", "is", "5"),
        Row("custom_attributes.plan", "is", "pro"), Row("last_seen_at", "before", "2026-11-28"),
    )]  # fmt: skip
    assert said == [
        "Name contains Ann", "Phone is not known", "Tag VIP is not applied", "Segment Paying has the contact",
        "plan is pro", "Last seen is before 2026-11-28",
    ]  # fmt: skip
