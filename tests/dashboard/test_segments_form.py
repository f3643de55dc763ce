"""The builder's form: rows to a query and back, and whatever an address holds."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.dashboard.contacts.form import EVERYBODY
from trackrecord.dashboard.segments import form
from trackrecord.dashboard.segments.form import Form, Row, build, said_in_rows
from trackrecord.rules.filters import Known
from trackrecord.rules.segments import read

ZONE = ZoneInfo("America/New_York")
TYPES = {"plan": "string", "seats": "integer"}
KNOWN = Known(attributes=TYPES, zone=ZONE, dates_in_order=True, formatted_phone=True)
MIDNIGHT = 1_698_811_200  # 2023-11-01 in New York
DID = {"event_name": "ordered"}

ROWS: list[tuple[Row, Any]] = [
    (Row("event.count", "from", "3", "ordered"), {"field": "event.count", **DID, "operator": ">=", "value": 3}),
    (Row("event.count", "never", "", "ordered"), {"field": "event.count", **DID, "operator": "=", "value": 0}),
    (
        Row("event.count", "under", "3", "ordered", "days", "30"),
        {"field": "event.count", **DID, "operator": "<", "value": 3, "within_days": 30},
    ),
    (
        Row("event.count", "is", "1", "ordered", "dates", since="2023-11-01"),
        {"field": "event.count", **DID, "operator": "=", "value": 1, "since": MIDNIGHT},
    ),
    (Row("event.last", "within", "7", "ordered"), {"field": "event.last", **DID, "operator": ">", "days_ago": 7}),
    (Row("event.first", "longer", "7", "ordered"), {"field": "event.first", **DID, "operator": "<", "days_ago": 7}),
    (Row("event.first", "since", "2023-11-01", "ordered"), {"field": "event.first", **DID, "operator": ">=", "value": MIDNIGHT}),
    (Row("custom_attributes.seats", "over", "3"), {"field": "custom_attributes.seats", "operator": ">", "value": 3}),
    (Row("email", "ends", "@example.com"), {"field": "email", "operator": "$", "value": "@example.com"}),
]


@pytest.mark.parametrize(("row", "condition"), ROWS, ids=[f"{row.field} {row.word}" for row, _ in ROWS])
def test_a_row_is_a_condition_and_a_condition_a_row(row: Row, condition: Any):
    assert build(Form(rows=(row,)), TYPES, ZONE).query == condition
    assert said_in_rows(condition, TYPES, ZONE) == (False, (row,))
    read(condition, KNOWN)  # raises nothing


@pytest.mark.parametrize("any_of_them", [False, True])
def test_rows_are_joined_and_told_apart_again(any_of_them: bool):
    rows = tuple(row for row, _ in ROWS)
    built = build(Form(any=any_of_them, rows=rows), TYPES, ZONE)
    assert built.query == {"operator": "OR" if any_of_them else "AND", "value": [condition for _, condition in ROWS]}
    assert said_in_rows(built.query, TYPES, ZONE) == (any_of_them, rows)
    assert built.row_of("query.value[2].within_days") == 2
    held = Form("A name", "contact", any_of_them, rows)
    assert form.read(form.address(held)) == held


@pytest.mark.parametrize(
    "query",
    [
        {"operator": "AND", "value": [{"operator": "OR", "value": [ROWS[0][1], ROWS[1][1]]}, ROWS[2][1]]},
        {**ROWS[0][1], "operator": "!="},
        {**ROWS[0][1], "since": MIDNIGHT + 1},
        {"field": "event.last", **DID, "operator": ">", "value": MIDNIGHT},
        {"operator": "AND", "value": []},
        None,
        [],
        {"field": ["x"]},
    ],
)
def test_what_rows_cannot_say_is_left_to_the_apis_own_words(query: Any):
    assert said_in_rows(query, TYPES, ZONE) is None


@pytest.mark.parametrize(
    "row",
    [
        Row("event.count", "from", "", "ordered"),
        Row("event.count", "from", "3", ""),
        Row("event.count", "from", "3", "ordered", "days"),
        Row("event.count", "from", "3", "ordered", "dates"),
        Row("email", "contains", ""),
    ],
)
def test_a_row_that_lacks_something_is_told_and_passed_over(row: Row):
    built = build(Form(rows=(ROWS[0][0], row)), TYPES, ZONE)
    assert (built.query, built.unfinished) == (ROWS[0][1], (1,))
    assert build(Form(rows=(row,)), TYPES, ZONE).query == EVERYBODY


NAMES = st.sampled_from([*form.PARTS.values(), "name", "match", "person_type", "query", "add", "drop", "x"])
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["event.count", "event.last", "email", "days", "dates", "from", "never", "3", "{}"]))


@given(st.lists(st.tuples(NAMES, TEXTS), max_size=40))
def test_whatever_an_address_holds_is_a_form_and_stays_one(sent: list[tuple[str, str]]):
    held = form.read(sent)
    build(held, TYPES, ZONE)  # raises nothing
    assert form.read(form.address(held)) == held
