"""What a search may ask, and how it is read. The contract, 4.5."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from trackrecord.errors import InvalidField, InvalidSortOrder, ParameterInvalid, ParameterNotFound, TrackrecordError, TypeMismatch
from trackrecord.rules.attributes import DATA_TYPES
from trackrecord.rules.filters import ATTRIBUTE_KINDS, KINDS, Known, Span, day
from trackrecord.rules.search import FIELDS, FILTERS_MAX, VALUES_MAX, Filter, Group, Search, Sort, names_attributes, search

TYPES = {"plan": "string", "seats": "integer", "spend": "float", "paid": "boolean", "renews": "date", "a.b": "string"}
KNOWN = Known(attributes=TYPES, zone=UTC)
NOON = 1_577_880_000  # 2020-01-01 12:00 UTC
TODAY, TOMORROW = 1_577_836_800, 1_577_923_200


def of(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def names(text):
    return set(text.split())


def group(operator, *members):
    return {"operator": operator, "value": list(members)}


def read(query, known=KNOWN):
    return search(query, None, known).query


def raised(query, sort=None, known=KNOWN):
    with pytest.raises(TrackrecordError) as caught:
        search(query, sort, known)
    return type(caught.value), caught.value.field, caught.value.message


# --- Trees ---


def test_a_bare_filter_and_nested_groups_become_a_tree():
    email = Filter(FIELDS["email"], "=", "joe@example.com")
    seats = Filter(read(of("custom_attributes.seats", ">", 1)).field, "IN", (3, 4, None))
    assert read(of("email", "=", " Joe@Example.COM ")) == email
    asked = group("AND", of("email", "=", "joe@example.com"), group("OR", of("custom_attributes.seats", "IN", ["3", 4.0, None])))
    assert search(asked, {"field": "name", "order": "ascending"}, KNOWN) == Search(
        Group("AND", (email, Group("OR", (seats,)))), Sort(FIELDS["name"], descending=False)
    )


@pytest.mark.parametrize("sort", [None, {}, {"order": "descending"}, {"field": "created_at"}, {"field": None, "order": None}])
def test_the_newest_come_first_unless_another_sort_is_asked_for(sort):
    assert search(of("id", "=", "x"), sort, KNOWN).sort == Sort(FIELDS["created_at"], descending=True)


@pytest.mark.parametrize("field", [name for name, field in FIELDS.items() if field.kind not in ("tag", "segment")])
def test_contacts_are_sorted_by_any_field_that_has_one_value(field):
    known = Known(attributes={}, zone=UTC, formatted_phone=True)
    assert search(of("id", "=", "x"), {"field": field}, known).sort.field.name == field


def test_the_fields_are_those_of_the_reference_with_their_kinds():
    by_kind: dict[str, set[str]] = {}
    for name, field in FIELDS.items():
        by_kind.setdefault(field.kind, set()).add(name)
    assert by_kind == {
        "exact": {"id", "external_id"},
        "role": {"role"},
        "email": {"email", "email_domain"},
        "phone": {"formatted_phone"},
        "integer": {"owner_id"},
        "boolean": {"unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"},
        "tag": {"tag_id"},
        "segment": {"segment_id"},
        "date": names(
            "created_at signed_up_at updated_at last_seen_at last_contacted_at last_replied_at last_email_opened_at "
            "last_email_clicked_at ios_last_seen_at android_last_seen_at"
        ),
        "text": names(
            "name avatar phone language_override browser browser_language os location.country location.region location.city "
            "ios_app_version ios_device ios_app_device ios_os_version ios_app_name ios_sdk_version android_app_version "
            "android_device android_app_name andoid_sdk_version android_sdk_version"
        ),
    }


def test_every_type_of_attribute_has_a_kind():
    assert {row[0] for row in DATA_TYPES} <= ATTRIBUTE_KINDS.keys()
    assert set(ATTRIBUTE_KINDS.values()) <= KINDS.keys()


def test_whether_a_search_names_custom_attributes_is_seen_before_it_is_read():
    attribute, other = of("custom_attributes.plan", "=", "pro"), of("email", "=", "custom_attributes.plan")
    assert names_attributes(attribute, None)
    assert names_attributes(other, {"field": "custom_attributes.plan"})
    assert names_attributes(group("AND", other, group("OR", other, attribute)), None)
    assert not names_attributes(group("AND", other, group("OR", other)), {"field": "name"})
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert not names_attributes({"value": deep}, deep)


# --- Values ---


@pytest.mark.parametrize(
    ("field", "sent", "value"),
    [
        ("id", "6762F0cd", "6762F0cd"),
        ("external_id", 70, "70"),
        ("external_id", "Team/70 ", "Team/70 "),
        ("role", "lead", "lead"),
        ("name", "STRASSE Straße ÄÖ", "strasse strasse äö"),
        ("name", 5, "5"),
        ("name", "", ""),
        ("email", "", ""),
        ("formatted_phone", "+353 (87) 123-45.67", "+353871234567"),
        ("owner_id", "-5", -5),
        ("owner_id", 5.0, 5),
        ("owner_id", "5.0", 5),
        ("custom_attributes.spend", "1.5e2", 150),
        ("custom_attributes.spend", -0.25, -0.25),
        ("custom_attributes.seats", (1 << 63) - 1, (1 << 63) - 1),
        ("custom_attributes.a.b", "X", "x"),
        ("custom_attributes.paid", "true", True),
        ("unsubscribed_from_emails", "false", False),
        ("has_hard_bounced", True, True),
        ("tag_id", 80, 80),
        ("tag_id", "80", 80),
        ("segment_id", "Abc", "Abc"),
        *((field, None, None) for field in ("name", "created_at", "owner_id", "tag_id", "segment_id", "custom_attributes.paid")),
    ],
)
def test_a_value_is_read_as_its_field_is_compared(field, sent, value):
    known = Known(attributes=TYPES, zone=UTC, formatted_phone=True)
    found = read(of(field, "=", sent), known).value
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("operator", "value"),
    [("=", Span(TODAY, TOMORROW)), (">", Span(TOMORROW, None)), ("<", Span(None, TODAY))],
)
@pytest.mark.parametrize("sent", [NOON, str(NOON), NOON + 0.9, "2020-01-01", "2020-01-01T23:59:59", "2020-01-01T12:00:00Z"])
@pytest.mark.parametrize("field", ["created_at", "last_replied_at", "custom_attributes.renews"])
def test_dates_are_compared_by_whole_days(field, sent, operator, value):
    assert read(of(field, operator, sent)).value == value


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("=", Span(NOON, NOON + 1)),
        (">", Span(NOON + 1, None)),
        ("<", Span(None, NOON)),
        (">=", Span(NOON, None)),
        ("<=", Span(None, NOON + 1)),
    ],
)
def test_dates_are_compared_by_the_second_where_that_is_set(operator, value):
    exact = Known(attributes={}, zone=ZoneInfo("America/New_York"), exact_dates=True)
    assert read(of("created_at", operator, str(NOON)), exact).value == value


def test_a_date_without_a_zone_is_the_workspaces():
    exact = Known(attributes={}, zone=ZoneInfo("America/New_York"), exact_dates=True)
    assert read(of("created_at", ">=", "2020-01-01T07:00:00"), exact).value == Span(NOON, None)
    assert read(of("created_at", ">=", "2020-01-01T12:00:00+00:00"), exact).value == Span(NOON, None)


@pytest.mark.parametrize(
    ("zone", "at", "begins", "hours"),
    [
        ("UTC", "2020-01-01T12:00+00:00", "2020-01-01T00:00+00:00", 24),
        ("America/New_York", "2020-01-01T04:59+00:00", "2019-12-31T05:00+00:00", 24),
        ("America/New_York", "2020-03-08T12:00+00:00", "2020-03-08T05:00+00:00", 23),
        ("America/New_York", "2020-11-01T12:00+00:00", "2020-11-01T04:00+00:00", 25),
        ("Australia/Lord_Howe", "2020-04-05T00:00+00:00", "2020-04-04T13:00+00:00", 24.5),
        ("America/Sao_Paulo", "2018-11-04T12:00+00:00", "2018-11-04T03:00+00:00", 23),  # midnight is left out
        ("America/Havana", "2020-11-01T12:00+00:00", "2020-11-01T04:00+00:00", 25),  # midnight comes twice
        ("Pacific/Apia", "2011-12-30T09:00+00:00", "2011-12-29T10:00+00:00", 24),  # the day after this one is left out
        ("Asia/Kathmandu", "1970-01-01T00:00+00:00", "1969-12-31T18:30+00:00", 24),
    ],
)
def test_a_day_is_that_of_the_zone_and_has_23_to_25_hours(zone, at, begins, hours):
    start = int(datetime.fromisoformat(begins).timestamp())
    assert day(int(datetime.fromisoformat(at).timestamp()), ZoneInfo(zone)) == Span(start, start + int(hours * 3600))


# --- Operators ---

STRING = ("=", "!=", "IN", "NIN", "~", "!~", "^", "$")
TAKES = {
    "name": STRING,
    "id": STRING,
    "role": STRING,
    "email": STRING,
    "custom_attributes.plan": STRING,
    "unsubscribed_from_emails": ("=", "!=", "IN", "NIN"),
    "custom_attributes.paid": ("=", "!=", "IN", "NIN"),
    "owner_id": ("=", "!=", "IN", "NIN", "<", ">", "<=", ">="),
    "custom_attributes.seats": ("=", "!=", "IN", "NIN", "<", ">", "<=", ">="),
    "custom_attributes.spend": ("=", "!=", "IN", "NIN", "<", ">", "<=", ">="),
    "created_at": ("=", "<", ">"),
    "last_email_opened_at": ("=", "<", ">"),
    "custom_attributes.renews": ("=", "<", ">"),
    "tag_id": ("=", "!="),
    "segment_id": ("=", "!=", "IN", "NIN"),
}
A_VALUE = {"role": "user", "unsubscribed_from_emails": True, "custom_attributes.paid": True}


@pytest.mark.parametrize("operator", [*STRING, "<", ">", "<=", ">=", "==", "in", "AND", "", 5, ["="]])
@pytest.mark.parametrize("field", TAKES)
def test_a_field_takes_the_operators_of_its_type_and_names_them(field, operator):
    value = A_VALUE.get(field, 5)
    sent = of(field, operator, [value] if operator in ("IN", "NIN") else value)
    if operator in TAKES[field]:
        assert read(sent).operator == operator
    else:
        got = repr(operator) if isinstance(operator, str) else "5" if operator == 5 else "a list"
        said = f"query.operator must be one of {', '.join(TAKES[field])} for {field}, got {got}"
        assert raised(sent) == (ParameterInvalid, "query.operator", said)


def test_exact_dates_take_the_operators_of_numbers_but_for_equality():
    exact = Known(attributes={}, zone=UTC, exact_dates=True)
    for operator in ("!=", "IN", "NIN", "~"):
        said = f"query.operator must be one of =, <, >, <=, >= for created_at, got '{operator}'"
        assert raised(of("created_at", operator, 5), known=exact) == (ParameterInvalid, "query.operator", said)


# --- What is refused ---

FIVE = of("id", "=", "5")
SECONDS = "must be whole Unix seconds, such as 1671028894"
BAD = [
    # Shapes
    ({}, ParameterNotFound, "query", "query must be a filter with field, operator and value, or a group with operator and value"),
    ([], TypeMismatch, "query", "query must be an object, a filter or a group of filters, got a list"),
    ("x", TypeMismatch, "query", "query must be an object, a filter or a group of filters, got a string"),
    ({"operator": "XOR", "value": []}, ParameterInvalid, "query.operator", "query.operator of a group must be AND or OR, got 'XOR'"),
    ({"operator": "and", "value": []}, ParameterInvalid, "query.operator", "query.operator of a group must be AND or OR, got 'and'"),
    ({"operator": 5, "value": []}, ParameterInvalid, "query.operator", "query.operator of a group must be AND or OR, got 5"),
    ({"operator": "=", "value": "x"}, ParameterNotFound, "query.field", "query.field is required beside the operator ="),
    ({"operator": "AND"}, ParameterNotFound, "query.value", "query.value is required"),
    ({"field": "id", "value": "x"}, ParameterNotFound, "query.operator", "query.operator is required"),
    ({"field": "id", "operator": "="}, ParameterNotFound, "query.value", "query.value is required"),
    ({"operator": "AND", "value": {}}, TypeMismatch, "query.value", "query.value must be a list of filters, got an object"),
    ({"operator": "AND", "value": None}, TypeMismatch, "query.value", "query.value must be a list of filters, got null"),
    (group("OR"), ParameterInvalid, "query.value", "query.value must have 1 to 15 filters, got 0"),
    (group("OR", *[FIVE] * 16), ParameterInvalid, "query.value", "query.value must have 1 to 15 filters, got 16"),
    (
        group("OR", FIVE, group("AND", *[FIVE] * 16)),
        ParameterInvalid,
        "query.value[1].value",
        "query.value[1].value must have 1 to 15 filters, got 16",
    ),
    (
        group("OR", FIVE, group("AND", FIVE, group("OR", FIVE))),
        ParameterInvalid,
        "query.value[1].value[1]",
        "query.value[1].value[1] is a group too deep: groups may be nested 2 deep",
    ),
    (
        group("OR", FIVE, 5),
        TypeMismatch,
        "query.value[1]",
        "query.value[1] must be an object, a filter or a group of filters, got a whole number",
    ),
    (
        group("OR", FIVE, FIVE, FIVE, of("id", ">", 5)),
        ParameterInvalid,
        "query.value[3].operator",
        "query.value[3].operator must be one of =, !=, IN, NIN, ~, !~, ^, $ for id, got '>'",
    ),
    # Fields
    (of("nope", "=", 1), InvalidField, "query.field", "nope is not a valid search field"),
    (of("Email", "=", 1), InvalidField, "query.field", "Email is not a valid search field"),
    (of("", "=", 1), InvalidField, "query.field", " is not a valid search field"),
    (of("custom_attributes.nope", "=", 1), InvalidField, "query.field", "custom_attributes.nope is not a valid search field"),
    (of("custom_attributes.", "=", 1), InvalidField, "query.field", "custom_attributes. is not a valid search field"),
    (of("custom_attributes.Plan", "=", 1), InvalidField, "query.field", "custom_attributes.Plan is not a valid search field"),
    (of("plan", "=", 1), InvalidField, "query.field", "plan is not a valid search field"),
    (of("browser_version", "=", 1), InvalidField, "query.field", "browser_version is not a valid search field"),
    (of("formatted_phone", "=", "1"), InvalidField, "query.field", "formatted_phone is not a valid search field"),
    (group("AND", of("x" * 300, "=", 1)), InvalidField, "query.value[0].field", f"{'x' * 200} is not a valid search field"),
    (of(5, "=", 1), TypeMismatch, "query.field", "query.field must be a string, got a whole number"),
    (of(["id"], "=", 1), TypeMismatch, "query.field", "query.field must be a string, got a list"),
    # Values
    (of("name", "=", True), TypeMismatch, "query.value", "query.value must be a string, got true or false"),
    (of("name", "=", 1.5), TypeMismatch, "query.value", "query.value must be a string, got a number"),
    (of("name", "=", {}), TypeMismatch, "query.value", "query.value must be a string, got an object"),
    (of("name", "=", 1 << 200), TypeMismatch, "query.value", "query.value must be a string, got a whole number"),
    (of("name", "=", "x" * 10_001), ParameterInvalid, "query.value", "query.value must have at most 10000 characters, got 10001"),
    (of("name", "=", ["x"]), TypeMismatch, "query.value", "query.value must be one value for =, got a list; use IN for several"),
    (of("tag_id", "=", ["1"]), TypeMismatch, "query.value", "query.value must be one value for =, got a list"),
    (of("name", "IN", "x"), TypeMismatch, "query.value", "query.value must be a list for IN, got a string"),
    (of("name", "NIN", None), TypeMismatch, "query.value", "query.value must be a list for NIN, got null"),
    (of("name", "IN", []), ParameterInvalid, "query.value", "query.value must have at least one value"),
    (of("name", "IN", ["x", ["y"]]), TypeMismatch, "query.value[1]", "query.value[1] must be a string, got a list"),
    (of("name", "~", ""), ParameterInvalid, "query.value", "query.value must have at least one character for ~"),
    (of("email", "^", " "), ParameterInvalid, "query.value", "query.value must have at least one character for ^"),
    (
        of("name", "~", None),
        ParameterInvalid,
        "query.value",
        "query.value must not be null for ~; = null finds contacts without a value",
    ),
    (
        of("owner_id", ">", None),
        ParameterInvalid,
        "query.value",
        "query.value must not be null for >; = null finds contacts without a value",
    ),
    (of("role", "=", "admin"), ParameterInvalid, "query.value", "query.value must be user or lead, got 'admin'"),
    (of("role", "IN", ["user", "User"]), ParameterInvalid, "query.value[1]", "query.value[1] must be user or lead, got 'User'"),
    (of("owner_id", "=", "x"), TypeMismatch, "query.value", "query.value must be a number, got 'x'"),
    (of("owner_id", "=", ""), TypeMismatch, "query.value", "query.value must be a number, got ''"),
    (of("owner_id", "=", "1_000"), TypeMismatch, "query.value", "query.value must be a number, got '1_000'"),
    (of("owner_id", "=", "nan"), TypeMismatch, "query.value", "query.value must be a number, got 'nan'"),
    (of("owner_id", "=", True), TypeMismatch, "query.value", "query.value must be a number, got true"),
    (of("owner_id", "=", 1.5), TypeMismatch, "query.value", "query.value must be a whole number, got 1.5"),
    (of("owner_id", "=", 1 << 63), ParameterInvalid, "query.value", f"query.value must be a number of at most 64 bits, got {1 << 63}"),
    (
        of("custom_attributes.spend", "=", "1e999"),
        ParameterInvalid,
        "query.value",
        "query.value must be a number of at most 64 bits, got '1e999'",
    ),
    (of("has_hard_bounced", "=", 1), TypeMismatch, "query.value", "query.value must be true or false, got 1"),
    (of("has_hard_bounced", "=", "yes"), TypeMismatch, "query.value", "query.value must be true or false, got 'yes'"),
    (of("tag_id", "=", "vip"), ParameterInvalid, "query.value", "query.value must be the id of a tag, such as 80, got 'vip'"),
    (of("tag_id", "=", True), ParameterInvalid, "query.value", "query.value must be the id of a tag, such as 80, got true"),
    (
        of("created_at", "=", "foorbar"),
        TypeMismatch,
        "query.value",
        "query.value must be a date in Unix seconds, such as 1671028894, got 'foorbar'",
    ),
    (of("created_at", "=", ""), TypeMismatch, "query.value", "query.value must be a date in Unix seconds, such as 1671028894, got ''"),
    (of("created_at", "=", True), TypeMismatch, "query.value", f"query.value {SECONDS}, got true or false"),
    (of("created_at", "=", {}), TypeMismatch, "query.value", f"query.value {SECONDS}, got an object"),
    (of("created_at", "=", -1), ParameterInvalid, "query.value", f"query.value {SECONDS}, got -1"),
    (of("created_at", "=", 1671028894123), ParameterInvalid, "query.value", f"query.value {SECONDS}, got 1671028894123 (milliseconds?)"),
    (
        of("created_at", "=", 400_000_000_000),
        ParameterInvalid,
        "query.value",
        "query.value must be a date in Unix seconds before the year 9999, got 400000000000",
    ),
    (of("custom_attributes.paid", "=", "pro"), TypeMismatch, "query.value", "query.value must be true or false, got 'pro'"),
    (of("custom_attributes.plan", "=", False), TypeMismatch, "query.value", "query.value must be a string, got true or false"),
]


@pytest.mark.parametrize(("query", "kind", "field", "message"), BAD, ids=[f"{row[2]}: {row[3][:60]}" for row in BAD])
def test_what_cannot_be_asked_is_refused_by_field(query, kind, field, message):
    assert raised(query) == (kind, field, message)


def test_a_search_may_list_a_thousand_values_in_all():
    most = of("id", "IN", ["x"] * (VALUES_MAX // 2))
    assert search(group("OR", most, most), None, KNOWN)
    said = "query may list 1000 values in all, got 1001"
    assert raised(group("OR", most, group("AND", most, of("id", "NIN", [5])))) == (ParameterInvalid, "query", said)


def test_the_largest_search_is_fifteen_groups_of_fifteen():
    largest = group("OR", *[group("AND", *[FIVE] * FILTERS_MAX)] * FILTERS_MAX)
    assert len(read(largest).members) == FILTERS_MAX


@pytest.mark.parametrize(
    ("sort", "kind", "field", "message"),
    [
        ({"order": "desc"}, InvalidSortOrder, "sort.order", "Invalid sort order 'desc'. Must be one of: ascending, descending"),
        ({"order": ""}, InvalidSortOrder, "sort.order", "Invalid sort order ''. Must be one of: ascending, descending"),
        ({"order": 5}, InvalidSortOrder, "sort.order", "Invalid sort order '5'. Must be one of: ascending, descending"),
        ({"field": "nope"}, InvalidField, "sort.field", "nope is not a valid search field"),
        ({"field": 5}, TypeMismatch, "sort.field", "sort.field must be a string, got a whole number"),
        ({"field": "tag_id"}, ParameterInvalid, "sort.field", "sort.field cannot be tag_id, of which a contact may have several"),
        ({"field": "segment_id"}, ParameterInvalid, "sort.field", "sort.field cannot be segment_id, of which a contact may have several"),
        ("name", TypeMismatch, "sort", "sort must be an object with field and order, got a string"),
    ],
)
def test_a_sort_that_cannot_be_is_refused_by_field(sort, kind, field, message):
    assert raised(FIVE, sort) == (kind, field, message)


def test_a_search_has_the_mark_of_what_it_asks_and_of_nothing_else():
    asked = [
        (of("custom_attributes.seats", "=", 5), None),
        (of("custom_attributes.seats", "=", 6), None),
        (of("custom_attributes.seats", "!=", 5), None),
        (of("custom_attributes.spend", "=", 5), None),
        (of("custom_attributes.seats", "=", 5), {"order": "ascending"}),
        (of("custom_attributes.seats", "=", 5), {"field": "updated_at"}),
        (group("AND", of("custom_attributes.seats", "=", 5)), None),
        (group("OR", of("custom_attributes.seats", "=", 5)), None),
    ]
    marks = [search(query, sort, KNOWN).mark for query, sort in asked]
    assert len(set(marks)) == len(asked)
    widened = Known(attributes={**TYPES, "seats": "float"}, zone=UTC)
    assert search(of("custom_attributes.seats", "=", "5"), {"order": None}, widened).mark == marks[0]
