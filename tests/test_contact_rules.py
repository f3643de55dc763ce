import pytest
from msgspec.structs import replace

from trackrecord.errors import Conflict, DataInvalid, NotRestorable, ParameterInvalid, ParameterNotFound, TypeMismatch
from trackrecord.rules.attributes import Attribute, attribute_type, attribute_value, settled_type
from trackrecord.rules.contacts import Changes, Claim, Contact, Cursor, Draft, changed, changes, claim_of, clash, cursor, draft, made
from trackrecord.rules.profiles import PROFILES
from trackrecord.rules.values import moment

LENIENT, STRICT = PROFILES["lenient"], PROFILES["strict"]
ID = "6762f0cd1bb69f9f2193bb7c"
USER = Contact(number=1, id=ID, workspace=1, role="user", external_id="70", email="Joe@Bloggs.com", created_at=100, updated_at=100)
LEAD = Contact(number=2, id=ID, workspace=1, role="lead", anonymous_id="a1", email="Joe@Bloggs.com", created_at=100, updated_at=100)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"email": "joe@bloggs.com"}, Draft(email="joe@bloggs.com")),  # without a role it is a user
        ({"email": " joe@bloggs.com\n"}, Draft(email="joe@bloggs.com")),
        ({"role": "lead"}, Draft(role="lead")),
        ({"role": None, "external_id": "70"}, Draft(external_id="70")),
        ({"external_id": 70, "phone": "", "name": None}, Draft(external_id="70")),
        ({"role": "user", "owner_id": 5}, Draft(owner_id=5)),
        ({"role": "user", "owner_id": "5"}, Draft(owner_id=5)),
        ({"role": "user", "owner_id": ""}, Draft()),
        ({"role": "user", "unsubscribed_from_emails": True}, Draft(unsubscribed_from_emails=True)),
        ({"role": "user", "unsubscribed_from_emails": None}, Draft()),
        ({"role": "user", "signed_up_at": "1671028894", "last_seen_at": 1.5}, Draft(signed_up_at=1671028894, last_seen_at=1)),
        ({"role": "user", "custom_attributes": {"plan": "pro", "seats": None}}, Draft(custom_attributes={"plan": "pro", "seats": None})),
        ({"role": "user", "custom_attributes": []}, Draft()),  # PHP's empty object
        ({"role": "user", "id": ID, "created_at": 5, "colour": "red"}, Draft()),  # names that are no fields are passed over
    ],
)
def test_a_draft_holds_what_was_sent_in_one_form(sent, expected):
    assert draft(sent) == expected


@pytest.mark.parametrize(
    ("sent", "error", "field"),
    [
        ({}, ParameterNotFound, "external_id"),
        ({"name": "Joe"}, ParameterNotFound, "external_id"),
        ({"email": "", "external_id": None}, ParameterNotFound, "external_id"),
        ({"role": "admin"}, ParameterInvalid, "role"),
        ({"role": 1}, ParameterInvalid, "role"),
        ({"role": "lead", "external_id": "70"}, DataInvalid, "external_id"),
        ({"email": "joe"}, ParameterInvalid, "email"),
        ({"email": "joe bloggs@example.com"}, ParameterInvalid, "email"),
        ({"email": "@"}, ParameterInvalid, "email"),
        ({"email": "joe\x00@example.com"}, ParameterInvalid, "email"),
        ({"email": "a@" + "b" * 254}, ParameterInvalid, "email"),
        ({"email": 5}, TypeMismatch, "email"),
        ({"external_id": True}, TypeMismatch, "external_id"),
        ({"external_id": 1.5}, TypeMismatch, "external_id"),
        ({"external_id": "a\x00b"}, ParameterInvalid, "external_id"),
        ({"external_id": "x" * 256}, ParameterInvalid, "external_id"),
        ({"role": "user", "name": "Joe\nBloggs"}, ParameterInvalid, "name"),
        ({"role": "user", "phone": 353871234567}, TypeMismatch, "phone"),
        ({"role": "user", "avatar": "https://x/" + "y" * 2048}, ParameterInvalid, "avatar"),
        ({"role": "user", "owner_id": "joe"}, TypeMismatch, "owner_id"),
        ({"role": "user", "owner_id": -1}, ParameterInvalid, "owner_id"),
        ({"role": "user", "owner_id": 1 << 63}, ParameterInvalid, "owner_id"),
        ({"role": "user", "unsubscribed_from_emails": "yes"}, TypeMismatch, "unsubscribed_from_emails"),
        ({"role": "user", "custom_attributes": "x"}, TypeMismatch, "custom_attributes"),
        ({"role": "user", "custom_attributes": {"": 1}}, ParameterInvalid, "custom_attributes"),
        ({"role": "user", "custom_attributes": {"a\x00": 1}}, ParameterInvalid, "custom_attributes"),
        ({"role": "user", "custom_attributes": {"a": {"b": 1}}}, TypeMismatch, "custom_attributes.a"),
        ({"role": "user", "custom_attributes": {"a": ["21"]}}, TypeMismatch, "custom_attributes.a"),
        ({"role": "user", "custom_attributes": {"a": "\x00"}}, ParameterInvalid, "custom_attributes.a"),
        ({"role": "user", "custom_attributes": {"a": 1 << 63}}, ParameterInvalid, "custom_attributes.a"),
        ({"role": "user", "custom_attributes": {"a": float("inf")}}, ParameterInvalid, "custom_attributes.a"),
        ({"role": "user", "custom_attributes": {"a": "x" * 10_001}}, ParameterInvalid, "custom_attributes.a"),
    ],
)
def test_a_draft_is_refused_by_field(sent, error, field):
    with pytest.raises(error) as caught:
        draft(sent)
    assert (type(caught.value), caught.value.field) == (error, field)


def test_an_import_may_say_what_only_the_server_says_otherwise():
    sent = {"role": "lead", "id": ID, "anonymous_id": "a1", "created_at": 5, "updated_at": "6"}
    assert draft(sent, imported=True) == Draft(role="lead", id=ID, anonymous_id="a1", created_at=5, updated_at=6)


@pytest.mark.parametrize("id", ["70", ID.upper(), ID + "0", 5])
def test_an_import_cannot_bring_ids_of_another_form(id):
    with pytest.raises(ParameterInvalid) as caught:
        draft({"role": "user", "id": id}, imported=True)
    assert caught.value.field == "id"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        (0, 0),
        (1671028894, 1671028894),
        (1671028894.9, 1671028894),
        ("1671028894", 1671028894),
        ("2022-12-14T14:41:34Z", 1671028894),
        ("2022-12-14T15:41:34.999+01:00", 1671028894),
        ("2022-12-14T14:41:34", 1671028894),  # without a zone: UTC
        ("2022-12-14", 1670976000),
        ((1 << 40) - 1, (1 << 40) - 1),
    ],
)
def test_a_moment_is_read_in_the_forms_connectors_send(value, seconds):
    assert moment(value, "signed_up_at") == seconds


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1, ParameterInvalid),
        (1671028894123, ParameterInvalid),
        ("1671028894123", ParameterInvalid),
        (1 << 40, ParameterInvalid),
        (float("nan"), ParameterInvalid),
        ("1969-12-31", ParameterInvalid),
        ("yesterday", TypeMismatch),
        ("9" * 30, TypeMismatch),
        (True, TypeMismatch),
        ([], TypeMismatch),
    ],
)
def test_what_is_no_moment_is_refused(value, error):
    with pytest.raises(error) as caught:
        moment(value, "signed_up_at")
    assert (type(caught.value), caught.value.field) == (error, "signed_up_at")


def test_milliseconds_are_named_as_the_likely_mistake():
    with pytest.raises(ParameterInvalid, match=r"whole Unix seconds, such as 1671028894, got 1671028894123 \(milliseconds\?\)"):
        moment(1671028894123, "signed_up_at")


def test_changes_hold_only_what_was_sent():
    assert changes({"name": None, "owner_id": "7", "role": None, "colour": 1}) == Changes(name=None, owner_id=7)


@pytest.mark.parametrize(
    ("role", "anonymous_id", "expected"),
    [("user", None, None), ("user", "a1", "a1"), ("lead", None, "fresh"), ("lead", "a1", "a1")],
)
def test_a_lead_always_has_an_anonymous_id(role, anonymous_id, expected):
    contact = made(Draft(role=role, anonymous_id=anonymous_id), number=3, workspace=1, id=ID, anonymous_id="fresh", now=9)
    assert contact == Contact(number=3, id=ID, workspace=1, role=role, anonymous_id=expected, created_at=9, updated_at=9)


def test_a_change_touches_what_it_names_and_moves_updated_at():
    before = replace(USER, custom_attributes={"plan": "pro", "seats": 3})
    asked = Changes(name="Joe", email=None, custom_attributes={"plan": None, "paid": True})
    after = changed(before, asked, now=200)
    assert after == replace(before, name="Joe", email=None, custom_attributes={"seats": 3, "paid": True}, updated_at=200)


def test_a_change_to_the_same_values_changes_nothing():
    assert changed(USER, Changes(external_id="70", custom_attributes={"plan": None}), now=200) is USER


@pytest.mark.parametrize(("value", "other"), [(1, 1.0), (1, True), (0.0, False)])
def test_values_that_python_calls_equal_are_still_told_apart(value, other):
    after = changed(replace(USER, custom_attributes={"a": value}), Changes(custom_attributes={"a": other}), now=200)
    assert (type(after.custom_attributes["a"]), after.updated_at) == (type(other), 200)


def test_a_lead_becomes_a_user_and_keeps_who_it_was():
    after = changed(LEAD, Changes(role="user", external_id="70"), now=200)
    assert after == replace(LEAD, role="user", external_id="70", updated_at=200)
    assert (after.id, after.number, after.anonymous_id) == (LEAD.id, LEAD.number, "a1")


@pytest.mark.parametrize(
    ("before", "asked", "field"),
    [(USER, Changes(role="lead"), "role"), (LEAD, Changes(external_id="70"), "external_id")],
)
def test_a_change_a_role_forbids_is_refused(before, asked, field):
    with pytest.raises(DataInvalid) as caught:
        changed(before, asked, now=200)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("contact", "profile", "expected"),
    [
        (Draft(external_id="70", email="Joe@Bloggs.com"), LENIENT, Claim(external_id="70")),
        (Draft(external_id="70", email="Joe@Bloggs.com"), STRICT, Claim(external_id="70", email="joe@bloggs.com")),
        (Draft(email="Joe@Bloggs.com"), LENIENT, Claim(email="joe@bloggs.com")),
        (Draft(role="lead", email="Joe@Bloggs.com"), STRICT, Claim()),
        (Draft(role="lead", id=ID, anonymous_id="a1"), LENIENT, Claim(id=ID, anonymous_id="a1")),
    ],
)
def test_what_must_be_unique(contact, profile, expected):
    assert claim_of(contact, profile=profile) == expected


ARCHIVED = replace(USER, id="a" * 24, number=0, archived_at=5)
BLOCKED = replace(USER, id="b" * 24, number=0, blocked_at=5)


@pytest.mark.parametrize(
    ("found", "error", "text"),
    [
        ([USER], Conflict, f"A contact matching those details already exists with id={ID}"),
        ([ARCHIVED], Conflict, f"An archived contact matching those details already exists with id={ARCHIVED.id}"),
        ([BLOCKED], NotRestorable, "The contact was blocked and cannot be recreated"),
        ([BLOCKED, ARCHIVED, USER], Conflict, f"A contact matching those details already exists with id={ID}"),
        ([BLOCKED, ARCHIVED], Conflict, f"An archived contact matching those details already exists with id={ARCHIVED.id}"),
    ],
)
def test_a_clash_names_the_contact_in_the_wording_connectors_parse(found, error, text):
    answer = clash(found)
    assert (type(answer), answer.message) == (error, text)


def test_without_others_there_is_no_clash():
    assert clash([]) is None


def test_a_cursor_can_be_put_into_an_address_as_it_is_and_read_again():
    place = Cursor(2, 1671028894, ID)
    assert place.text == f"2-1671028894-{ID}"
    assert cursor(place.text) == place


@pytest.mark.parametrize(
    "text", ["x", "WzE2NzEwMjg4OTQ=", f"0-5-{ID}", f"1-5-{ID}0", f"1--5-{ID}", f"1-5-{ID.upper()}", f"1-{'9' * 14}-{ID}", f"١-5-{ID}"]
)
def test_another_cursor_is_refused(text):
    with pytest.raises(ParameterInvalid) as caught:
        cursor(text)
    assert caught.value.field == "starting_after"


@pytest.mark.parametrize(("value", "data_type"), [(True, "boolean"), (1, "integer"), (1.0, "float"), ("2024-01-01", "string")])
def test_the_first_value_of_an_attribute_gives_its_type(value, data_type):
    assert attribute_type(value) == data_type


@pytest.mark.parametrize(
    ("value", "data_type", "kept"),
    [
        (None, "integer", None),
        (5, "integer", 5),
        (5.0, "integer", 5),
        (5, "float", 5),
        (5.5, "float", 5.5),
        (False, "boolean", False),
        ("x", "string", "x"),
        (1671028894, "date", 1671028894),
        ("2022-12-14T14:41:34Z", "date", 1671028894),
    ],
)
def test_a_value_that_fits_is_kept_as_its_type_has_it(value, data_type, kept):
    found = attribute_value("a", value, data_type)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("value", "data_type", "message"),
    [
        ("5", "integer", "custom_attributes.a must be a whole number, got a string"),
        (5.5, "integer", "custom_attributes.a must be a whole number, got a number"),
        (True, "integer", "custom_attributes.a must be a whole number, got true or false"),
        (True, "float", "custom_attributes.a must be a number, got true or false"),
        (1, "boolean", "custom_attributes.a must be true or false, got a whole number"),
        (1, "string", "custom_attributes.a must be a string, got a whole number"),
        ("soon", "date", "custom_attributes.a must be whole Unix seconds, such as 1671028894, got 'soon'"),
        (True, "date", "custom_attributes.a must be whole Unix seconds, such as 1671028894, got true or false"),
    ],
)
def test_a_value_of_another_type_is_refused_by_what_was_declared_and_what_came(value, data_type, message):
    with pytest.raises(TypeMismatch) as caught:
        attribute_value("a", value, data_type)
    assert (caught.value.message, caught.value.field) == (message, "custom_attributes.a")


def _attribute(data_type, **other):
    return Attribute(id=1, workspace=1, model="contact", name="a", data_type=data_type, **other)


@pytest.mark.parametrize(
    ("value", "known", "profile", "expected"),
    [
        (5, None, LENIENT, "integer"),
        (None, None, LENIENT, None),  # clearing what nobody declared declares nothing
        (5, _attribute("string"), STRICT, "string"),
        (5.5, _attribute("integer", declared=False), LENIENT, "float"),  # its type was a guess, and the guess was wrong
        (5.0, _attribute("integer", declared=False), LENIENT, "integer"),
        (5.5, _attribute("integer"), LENIENT, "integer"),  # somebody meant it
        (5.5, _attribute("integer", declared=False), STRICT, "integer"),
        (5, _attribute("integer", archived=True), LENIENT, "integer"),
    ],
)
def test_which_type_an_attribute_has_from_a_value_on(value, known, profile, expected):
    assert settled_type("a", value, known, profile=profile) == expected


@pytest.mark.parametrize("known", [None, _attribute("integer", archived=True)])
def test_strict_refuses_an_attribute_that_is_not_there(known):
    with pytest.raises(ParameterInvalid) as caught:
        settled_type("a", None, known, profile=STRICT)
    assert (caught.value.message, caught.value.field) == ("Custom attribute 'a' does not exist", "custom_attributes.a")
