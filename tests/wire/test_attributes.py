"""Data attributes: listed, declared, changed, archived; and what values they let in. The contract, 4.3, 7 and 12."""

from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

NOW = 1_734_537_756
NOT_FOUND = (404, "field_not_found", "We couldn't find that data attribute to update", "data_attribute_id")
MODEL = "The Data Attribute model field must be either contact or company"
NAME = "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens"
SIZES = [{"value": "1-10"}, {"value": "11-50"}]


def declare(api: Api, **fields: Any) -> Any:
    answer = api.post("/data_attributes", {"model": "contact", "data_type": "string", "name": fresh("attribute "), **fields})
    assert answer.status == 200, answer
    return answer.json


def custom(api: Api, query: str = "?model=contact", *headers: str) -> list[Any]:
    return [each for each in api.get(f"/data_attributes{query}", *headers).json["data"] if each["custom"]]


def invalid(message: str, field: str) -> tuple[Any, ...]:
    return (400, "parameter_invalid", message, field)


def test_an_attribute_is_shown_as_the_reference_shows_it(api: Api, clock: Any):
    clock.freeze(NOW)
    answer = api.post("/data_attributes", {"name": (name := fresh("Mithril Shirt ")), "model": "company", "data_type": "string"})
    assert answer.status == 200
    expected = {
        "id": answer.json["id"],
        "type": "data_attribute",
        "name": name,
        "full_name": f"custom_attributes.{name}",
        "label": name,
        "data_type": "string",
        "api_writable": True,
        "ui_writable": False,
        "messenger_writable": False,
        "custom": True,
        "archived": False,
        "admin_id": "1",
        "created_at": NOW,
        "updated_at": NOW,
        "model": "company",
    }
    assert list(answer.json.items()) == list(expected.items())
    assert expected in custom(api, "?model=company")


def test_standard_attributes_stand_before_the_declared_ones():
    with TrackrecordServer() as server:
        api = Api(server)
        own = {model: declare(api, model=model, name=f"of a {model}") for model in ("contact", "company")}
        for model in ("contact", "company"):
            body = api.get(f"/data_attributes?model={model}").json
            assert (body["type"], body["data"][-1]) == ("list", own[model])
            standard = body["data"][:-1]
            assert {(each["custom"], each["model"], "id" in each) for each in standard} == {(False, model, False)}
            assert {"name", "created_at"} < {each["full_name"] for each in standard}
        both = api.get("/data_attributes").json["data"]
        assert [each for each in both if each["custom"]] == [own["contact"], own["company"]]
        plan = next(each for each in both if each["full_name"] == "plan.name")
        assert plan == {
            "type": "data_attribute",
            "name": "name",
            "full_name": "plan.name",
            "label": "Plan",
            "description": "What the company has signed up for",
            "data_type": "string",
            "api_writable": False,
            "ui_writable": False,
            "messenger_writable": False,
            "custom": False,
            "archived": False,
            "model": "company",
        }


def test_every_key_of_a_contact_that_holds_one_value_is_a_standard_attribute(api: Api):
    contact = api.contact()
    plain = {key for key, value in contact.items() if not isinstance(value, (dict, list))} - {"type", "enabled_push_messaging"}
    listed = {each["full_name"] for each in api.get("/data_attributes?model=contact").json["data"]}
    assert plain - listed == set()


def test_before_2_0_the_list_has_its_older_shape_and_nothing_is_declared(api: Api):
    body = api.get("/data_attributes?model=contact", "Intercom-Version: 1.3").json
    assert list(body) == ["type", "data_attributes"]
    assert body["type"] == "data_attribute.list"
    assert body["data_attributes"] == api.get("/data_attributes?model=contact").json["data"]
    declared = {"name": "a", "model": "contact", "data_type": "string"}
    for answer in (
        api.post("/data_attributes", declared, "Intercom-Version: 1.4"),
        api.put("/data_attributes/1", {}, "Intercom-Version: 1.4"),
    ):
        assert answer.error[:2] == (400, "intercom_version_invalid")


def test_conversations_have_no_attributes_and_from_2_16_on_none_may_be_asked_for(api: Api):
    assert api.get("/data_attributes?model=conversation", "Intercom-Version: 2.15").json == {"type": "list", "data": []}
    error = (422, "parameter_invalid", f"{MODEL}, not conversation", "model")
    assert api.get("/data_attributes?model=conversation", "Intercom-Version: 2.16").error == error
    assert api.get("/data_attributes?model=dragon").error == invalid(f"{MODEL}, got 'dragon'", "model")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"data_type": "integer"}, "integer"),
        ({"data_type": "float"}, "float"),
        ({"data_type": "boolean"}, "boolean"),
        ({"data_type": "date"}, "date"),
        ({"data_type": "datetime"}, "date"),
        ({"data_type": "options", "options": SIZES}, "string"),
        ({"data_type": "string", "options": ["1-10", "11-50"]}, "string"),
    ],
)
def test_an_attribute_has_one_of_these_types(api: Api, sent: Any, shown: str):
    made = declare(api, **sent)
    assert made["data_type"] == shown
    assert made.get("options") == (["1-10", "11-50"] if "options" in sent else None)


def test_a_datetime_is_called_so_by_the_preview_alone(api: Api):
    name = fresh("moment ")
    made = api.post("/data_attributes", {"name": name, "model": "contact", "data_type": "datetime"}, "Intercom-Version: Preview")
    assert made.json["data_type"] == "datetime"
    assert [each["data_type"] for each in custom(api) if each["name"] == name] == ["date"]
    contact = api.contact(role="lead", custom_attributes={name: "2024-12-18T15:42:36Z"})
    assert contact["custom_attributes"] == {name: 1734536556}


@pytest.mark.parametrize("name", ["paid_subscriber", "Größe-2", "Cost in €", "Price $", "年収"])
def test_a_name_has_letters_digits_blanks_hyphens_and_currency_symbols(api: Api, name: str):
    assert declare(api, name=f"{name} {fresh('n')}")["name"].startswith(name)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"name": "!nv@l!d n@me"}, invalid(NAME, "name")),
        ({"name": "a.b"}, invalid(NAME, "name")),
        ({"name": " "}, invalid(NAME, "name")),
        ({"name": None}, (400, "parameter_not_found", "name is required", "name")),
        ({"name": 5}, (400, "type_mismatch", "name must be a string, got a whole number", "name")),
        ({"name": "a" * 256}, invalid("name must have at most 255 characters, got 256", "name")),
        ({"data_type": "mithril"}, invalid("Data Type isn't an option", "data_type")),
        ({"data_type": 5}, (400, "type_mismatch", "data_type must be a string, got a whole number", "data_type")),
        ({"model": "conversation"}, invalid(MODEL, "model")),
        ({"model": None}, invalid(MODEL, "model")),
        ({"data_type": "options"}, (400, "parameter_not_found", "options is required where data_type is options", "options")),
        ({"data_type": "options", "options": {"value": "1-10"}}, invalid("Options isn't an array", "options")),
        ({"data_type": "options", "options": [{"value": "1-10"}]}, invalid("options must have 2 to 1000 values, got 1", "options")),
        ({"data_type": "options", "options": ["a", "a"]}, invalid("each of options must have a value of its own", "options")),
        (
            {"data_type": "options", "options": ["a", {}]},
            (400, "parameter_not_found", "each of options must have a value", "options.value"),
        ),
        (
            {"data_type": "options", "options": ["a", 5]},
            (400, "type_mismatch", "options.value must be a string, got a whole number", "options.value"),
        ),
        ({"data_type": "integer", "options": SIZES}, invalid("options go with the data_type options alone, not with integer", "options")),
        ({"description": "a" * 3000}, invalid("description must have at most 2048 characters, got 3000", "description")),
        (
            {"messenger_writable": "yes"},
            (400, "type_mismatch", "messenger_writable must be true or false, got a string", "messenger_writable"),
        ),
    ],
)
def test_an_attribute_that_cannot_be_is_refused_by_field(api: Api, sent: Any, error: Any):
    before = api.get("/data_attributes").json
    assert api.post("/data_attributes", {"model": "contact", "data_type": "string", "name": fresh("never "), **sent}).error == error
    assert api.get("/data_attributes").json == before


def test_a_name_without_a_type_is_told_the_types(api: Api):
    types = "string, integer, float, boolean, date, datetime, options"
    status, code, message, field = api.post("/data_attributes", {"model": "contact", "name": "a"}).error
    assert (status, code, field) == (400, "parameter_not_found", "data_type")
    assert set(types.split(", ")) <= set(message.replace(",", "").split())


def test_a_name_is_taken_for_contacts_and_companies_alike_also_once_archived(api: Api):
    made = declare(api, model="company", name=fresh("The One Ring "))
    name = made["name"]

    def taken(new: str) -> tuple[Any, ...]:
        return invalid(f"You already have '{name}' in your company data. To save this as new {new} data, use a different name.", "name")

    def again(model: str) -> Any:
        return api.post("/data_attributes", {"name": name, "model": model, "data_type": "integer"}).error

    assert [again("contact"), again("company")] == [taken("people"), taken("company")]
    assert api.put(f"/data_attributes/{made['id']}", {"archived": True}).status == 200
    assert again("company") == taken("company")


def test_a_change_changes_what_is_sent_and_nothing_else(api: Api, clock: Any):
    clock.freeze(NOW)
    made = declare(api, data_type="options", options=SIZES)
    clock.freeze(NOW + 60)
    changes = {"description": "How many people", "options": [{"value": "few"}, {"value": "many"}], "messenger_writable": True}
    answer = api.put(f"/data_attributes/{made['id']}", {**changes, "name": "passed over", "data_type": "integer"})
    expected = {
        **made,
        "description": "How many people",
        "options": ["few", "many"],
        "messenger_writable": True,
        "updated_at": NOW + 60,
    }
    assert (answer.status, answer.json) == (200, expected)
    clock.freeze(NOW + 120)
    for nothing in ({}, b"", {"archived": None}, {"description": "How many people"}):
        assert api.put(f"/data_attributes/{made['id']}", nothing).json == expected
    without = {key: value for key, value in expected.items() if key != "description"}
    assert api.put(f"/data_attributes/{made['id']}", {"description": None}).json == {**without, "updated_at": NOW + 120}


@pytest.mark.parametrize("id", ["999999", "0", "-1", "x", "99999999999999999999999"])
def test_an_unknown_attribute_is_not_found(api: Api, id: str):
    assert api.put(f"/data_attributes/{id}", {"description": "a"}).error == NOT_FOUND


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"options": {"value": "1-10"}}, invalid("Options isn't an array", "options")),
        ({"options": []}, invalid("options must have 2 to 1000 values, got 0", "options")),
        ({"options": SIZES}, invalid("only attributes of type string can have options, this is integer", "options")),
        ({"archived": "yes"}, (400, "type_mismatch", "archived must be true or false, got a string", "archived")),
    ],
)
def test_a_change_that_cannot_be_is_refused_by_field(api: Api, sent: Any, error: Any):
    made = declare(api, data_type="integer")
    assert api.put(f"/data_attributes/{made['id']}", sent).error == error
    assert made in custom(api)


def test_the_references_examples_of_too_few_options_are_answered_as_there(api: Api):
    """Word for word, though neither says what it is called after: one has no model, the other no list."""
    sent: dict[str, Any] = {"description": "Just a plain old ring", "options": [{"value": "1-10"}], "archived": False}
    assert api.post("/data_attributes", sent).error[:3] == invalid(MODEL, "model")[:3]
    sent = {"description": "Too few options", "options": {"value": "1-10"}, "archived": False}
    assert api.put(f"/data_attributes/{declare(api)['id']}", sent).error[:3] == invalid("Options isn't an array", "options")[:3]


def test_archiving_hides_an_attribute_and_values_stay_on_contacts(api: Api):
    made = declare(api)
    contact = api.contact(role="lead", custom_attributes={made["name"]: "kept"})
    archived = api.put(f"/data_attributes/{made['id']}", {"archived": True}).json
    assert archived["archived"] is True
    assert made["id"] not in [each["id"] for each in custom(api)]
    assert archived in custom(api, "?model=contact&include_archived=true")
    assert api.get(f"/contacts/{contact['id']}").json["custom_attributes"] == {made["name"]: "kept"}
    restored = api.put(f"/data_attributes/{made['id']}", {"archived": False}).json
    assert restored in custom(api)


def test_in_strict_an_archived_attribute_takes_no_new_values(strict: Api):
    made = declare(strict)
    contact = strict.contact(role="lead", custom_attributes={made["name"]: "kept"})
    strict.put(f"/data_attributes/{made['id']}", {"archived": True})
    name = made["name"]
    answer = strict.put(f"/contacts/{contact['id']}", {"custom_attributes": {name: "new"}})
    assert answer.error == invalid(f"Custom attribute '{name}' does not exist", f"custom_attributes.{name}")
    assert strict.get(f"/contacts/{contact['id']}").json["custom_attributes"] == {name: "kept"}


def test_an_attribute_that_a_segment_asks_for_is_not_archived(api: Api):
    made = declare(api)
    query = {"field": f"custom_attributes.{made['name']}", "operator": "=", "value": "a"}
    api.server.server.directory.segments.create(1, name="Seg", person_type="user", query=query, now=NOW)
    error = (422, "data_invalid", "The Data Attribute you are trying to archive has a dependant object", "archived")
    assert api.put(f"/data_attributes/{made['id']}", {"archived": True}).error == error
    assert made in custom(api)


def test_a_value_is_one_of_the_options(api: Api):
    made = declare(api, data_type="options", options=SIZES)
    field = f"custom_attributes.{made['name']}"
    contact = api.contact(role="lead", custom_attributes={made["name"]: "1-10"})
    refused = api.put(f"/contacts/{contact['id']}", {"custom_attributes": {made["name"]: "12"}})
    assert refused.error == invalid(f"{field} must be one of its options, '1-10', '11-50'; got '12'", field)
    mismatch = (400, "type_mismatch", f"{field} must be a string, got a whole number", field)
    assert api.put(f"/contacts/{contact['id']}", {"custom_attributes": {made["name"]: 12}}).error == mismatch
    assert api.get(f"/contacts/{contact['id']}").json["custom_attributes"] == {made["name"]: "1-10"}
    assert api.put(f"/contacts/{contact['id']}", {"custom_attributes": {made["name"]: None}}).json["custom_attributes"] == {}


def test_in_strict_attributes_are_declared_first_but_for_versions_before_2_0(strict: Api):
    name, company = fresh("undeclared "), {"company_id": fresh("co-"), "custom_attributes": {}}
    company["custom_attributes"][name] = 1
    error = invalid(f"Custom attribute '{name}' does not exist", f"custom_attributes.{name}")
    assert strict.post("/companies", company).error == error
    assert strict.post("/companies", company, "Intercom-Version: 1.4").json["custom_attributes"] == {name: 1}
    assert [each["name"] for each in custom(strict, "?model=company") if each["name"] == name] == [name]


def test_attributes_are_there_after_a_restart(tmp_path: Any):
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        made, token = declare(api, data_type="options", options=SIZES, description="a"), server.token
    with TrackrecordServer(data=str(tmp_path)) as server:
        assert custom(Api(server, token)) == [made]
