"""Leads of API 1.x, where /contacts means them. The contract, section 5."""

from collections.abc import Iterator
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh, request

WHEN = 1_671_028_894
NOW = 1_700_000_000
V1 = "Intercom-Version: 1.4"
NOT_IN_VERSION = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")


def lead(api: Api, **fields: Any) -> Any:
    answer = api.post("/contacts", fields, V1)
    assert answer.status == 200, answer
    return answer.json


def user(api: Api, **fields: Any) -> Any:
    answer = api.post("/users", fields)
    assert answer.status == 200, answer
    return answer.json


def nobody(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "User Not Found", field)


# --- saving and finding --------------------------------------------------------------------------------------------------


def test_a_lead_is_made_with_a_user_id_of_its_own_and_shown_as_a_contact(api: Api):
    email = f"{fresh('lead')}@example.com"
    made = lead(api, email=email, name="Ada", custom_attributes={"tier": 1})
    assert (made["type"], made["anonymous"], made["email"], made["name"]) == ("contact", True, email, "Ada")
    assert len(made["user_id"]) == 36
    assert list(made) == list(user(api, user_id=fresh("user-")))  # the same keys in the same order as a user's
    for target in (f"/contacts/{made['id']}", f"/contacts?user_id={made['user_id']}"):
        assert api.get(target, V1).json == made
    assert api.get(f"/contacts/{made['id']}").json["role"] == "lead"  # as 2.x shows it


def test_leads_may_share_an_address_and_are_listed_by_it(api: Api):
    email = f"{fresh('lead')}@example.com"
    both = [lead(api, email=email)["id"] for _ in range(2)]
    found = api.get(f"/contacts?email={email.upper()}", V1).json
    assert (found["type"], {each["id"] for each in found["contacts"]}, found["total_count"]) == ("contact.list", set(both), 2)


def test_an_empty_body_makes_a_lead_of_which_nothing_is_known(api: Api):
    assert api.send("POST", "/contacts", V1, body=b"").json["email"] is None


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("name", ["id", "user_id"])
def test_a_lead_is_changed_by_id_or_user_id(api: Api, method: str, name: str):
    made = lead(api, name="Ada")
    changed = api.send(method, "/contacts", V1, body={name: made[name], "phone": "1"}).json
    assert (changed["id"], changed["user_id"], changed["name"], changed["phone"]) == (made["id"], made["user_id"], "Ada", "1")


def test_a_lead_is_changed_by_its_path(api: Api):
    made = lead(api, name="Ada")
    changed = api.put(f"/contacts/{made['id']}", {"user_id": "other", "name": "Eve"}, V1).json
    assert (changed["id"], changed["user_id"], changed["name"]) == (made["id"], made["user_id"], "Eve")


def test_a_user_id_nobody_has_makes_a_lead_that_has_it(api: Api):
    user_id = fresh("visitor-")
    made = lead(api, user_id=user_id)
    assert made["user_id"] == user_id
    assert lead(api, user_id=user_id)["id"] == made["id"]
    assert api.submit(event_name="clicked", created_at=WHEN, user_id=user_id).status == 202
    assert [each["user_id"] for each in api.events(made)] == [user_id]


def test_an_archived_lead_is_hidden_and_a_user_is_no_lead(api: Api):
    made, other = lead(api), user(api, user_id=fresh("user-"))
    archived = api.delete(f"/contacts/{made['id']}", V1, body={})
    assert (archived.status, archived.json) == (200, made)
    assert api.get(f"/contacts/{made['id']}", V1).error == nobody("contact_id")
    assert api.get(f"/contacts/{other['id']}", V1).error == nobody("contact_id")
    assert api.put(f"/contacts/{other['id']}", {"name": "x"}, V1).error == nobody("contact_id")
    assert api.delete(f"/contacts/{other['id']}", V1).error == nobody("contact_id")
    assert api.get(f"/users/{other['id']}").status == 200


BAD: list[tuple[str, str, Any, tuple[Any, ...]]] = [
    ("POST", "/contacts", b"[]", (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
    ("POST", "/contacts", {"id": "unknown"}, nobody("id")),
    ("POST", "/contacts", {"email": "x"}, (400, "parameter_invalid", "email must be an address such as joe@example.com, got 'x'", "email")),
    ("PUT", "/contacts", {"name": "x"}, (400, "parameter_not_found", "say which lead it is: id or user_id", "user_id")),
    ("PUT", "/contacts", {"user_id": "unknown"}, nobody("user_id")),
    ("PUT", "/contacts", {"id": "unknown", "name": "x"}, nobody("id")),
    ("PUT", "/contacts/unknown", {}, nobody("contact_id")),
    ("GET", "/contacts?user_id=", None, (400, "parameter_invalid", "user_id must not be empty", "user_id")),
    ("GET", "/contacts?email=", None, (400, "parameter_invalid", "email must not be empty", "email")),
    ("GET", "/contacts?user_id=unknown", None, nobody("user_id")),
    ("GET", "/contacts?page=x", None, (400, "parameter_invalid", "page must be a whole number from 1 to 10000000, got 'x'", "page")),
    ("POST", "/contacts/convert", {}, (400, "parameter_not_found", "contact is required: the lead, by id or user_id", "contact")),
    ("POST", "/contacts/convert", {"contact": 5}, (400, "type_mismatch", "contact must be an object, got a whole number", "contact")),
    (
        "POST",
        "/contacts/convert",
        {"contact": {"id": "x"}},
        (400, "parameter_not_found", "user is required: the user that the lead becomes, by user_id, email or id", "user"),
    ),
    (
        "POST",
        "/contacts/convert",
        {"contact": {"email": "x@y.z"}, "user": {"user_id": "u"}},
        (400, "parameter_not_found", "contact must be named by id or user_id", "contact.user_id"),
    ),
    ("POST", "/contacts/convert", {"contact": {"id": "x"}, "user": {"user_id": "u"}}, nobody("contact.id")),
    ("POST", "/contacts/convert", {"contact": {"user_id": "x"}, "user": {"user_id": "u"}}, nobody("contact.user_id")),
    (
        "POST",
        "/contacts/convert",
        {"contact": {"user_id": "x"}, "user": {}},
        (400, "parameter_not_found", "a user needs at least one of id, user_id and email", "user.user_id"),
    ),
]


@pytest.mark.parametrize(("method", "target", "body", "error"), BAD, ids=[f"{row[0]} {row[1]} {str(row[2])[:40]}" for row in BAD])
def test_bad_input_has_its_exact_answer(api: Api, method: str, target: str, body: Any, error: tuple[Any, ...]):
    assert api.send(method, target, V1, body=body).error == error


# --- lists and scroll ----------------------------------------------------------------------------------------------------


@pytest.fixture
def few() -> Iterator[Api]:
    """A server with three leads, a second apart, and a user."""
    with TrackrecordServer() as server:
        api = Api(server)
        for second, name in enumerate("abc"):
            server.clock.freeze(NOW + second)
            lead(api, user_id=name)
        user(api, user_id="user")
        yield api


def test_leads_are_listed_by_pages_whose_next_is_null_at_the_end(few: Api):
    found, target = [], "/contacts?per_page=2"
    while target:
        page = few.get(target, V1).json
        assert (page["type"], page["total_count"], page["pages"]["total_pages"]) == ("contact.list", 3, 2)
        found += [each["user_id"] for each in page["contacts"]]
        target = (page["pages"]["next"] or "").removeprefix("http://wire.test")
    assert found == ["c", "b", "a"]


def test_leads_are_walked_over_by_scroll(few: Api):
    page = few.get("/contacts/scroll", V1).json
    assert (page["type"], [each["user_id"] for each in page["contacts"]]) == ("contact.list", ["c", "b", "a"])
    last = few.get(f"/contacts/scroll?scroll_param={page['scroll_param']}", V1).json
    assert (last["contacts"], last["scroll_param"]) == ([], page["scroll_param"])


# --- conversion ----------------------------------------------------------------------------------------------------------


def test_a_lead_becomes_a_user_and_keeps_its_id_and_its_events(api: Api):
    made, user_id = lead(api, name="Ada"), fresh("user-")
    assert api.submit(event_name="clicked", created_at=WHEN, id=made["id"]).status == 202
    converted = api.post("/contacts/convert", {"contact": {"user_id": made["user_id"]}, "user": {"user_id": user_id}}, V1).json
    assert (converted["type"], converted["id"], converted["user_id"], converted["name"]) == ("user", made["id"], user_id, "Ada")
    assert [each["user_id"] for each in api.events(converted)] == [user_id]
    again = api.post("/contacts/convert", {"contact": {"user_id": made["user_id"]}, "user": {"user_id": user_id}}, V1)
    assert again.error == nobody("contact.user_id")  # it is no lead any more


@pytest.mark.parametrize("named", ["user_id", "email", "id"])
def test_a_lead_is_merged_into_the_user_who_is_there_with_its_events(api: Api, named: str):
    made = lead(api, phone="5")
    there = user(api, user_id=fresh("user-"), email=f"{fresh('joe')}@example.com", name="Joe")
    for second, contact in enumerate((made, there)):
        assert api.submit(event_name="clicked", created_at=WHEN + second, id=contact["id"]).status == 202
    merged = api.post("/contacts/convert", {"contact": {"id": made["id"]}, "user": {named: there[named], "signed_up_at": WHEN}}, V1).json
    assert (merged["id"], merged["name"], merged["phone"], merged["signed_up_at"]) == (there["id"], "Joe", "5", WHEN)
    assert [each["created_at"] for each in api.events(there)] == [WHEN + 1, WHEN]
    assert api.get(f"/contacts/{made['id']}", V1).error == nobody("contact_id")
    assert api.submit(event_name="clicked", created_at=WHEN + 2, user_id=made["user_id"]).status == 202  # follows the merge
    assert len(api.events(there)) == 3


def test_a_conversion_to_a_blocked_user_names_what_led_to_it(api: Api):
    there = user(api, user_id=fresh("user-"), email=f"{fresh('joe')}@example.com")
    assert api.post(f"/contacts/{there['id']}/block", {}).status == 200
    for named in ("id", "user_id", "email"):
        answer = api.post("/contacts/convert", {"contact": {"id": lead(api)["id"]}, "user": {named: there[named]}}, V1)
        assert answer.error == (403, "not_restorable", "The contact was blocked and cannot be recreated", f"user.{named}")


def test_a_lead_that_became_a_user_shows_its_anonymous_id_no_more_and_is_still_named_by_it(api: Api):
    made, email = lead(api), f"{fresh('joe')}@example.com"
    assert api.submit(event_name="clicked", created_at=WHEN, id=made["id"]).status == 202
    assert [each["user_id"] for each in api.events(made)] == [made["user_id"]]
    assert api.post("/contacts/convert", {"contact": {"id": made["id"]}, "user": {"email": email}}, V1).json["user_id"] is None
    receipt = api.submit(event_name="clicked", created_at=WHEN + 1, user_id=made["user_id"])
    assert [(each["user_id"], each["email"]) for each in api.events(made)] == [(None, email)] * 2
    assert api.get(f"/events?type=user&intercom_user_id={made['id']}&summary=true").json["user_id"] is None
    assert api.receipt(receipt)["event"]["user_id"] is None
    assert api.put(f"/contacts/{made['id']}", {"external_id": (own := fresh("user-"))}).status == 200
    assert [each["user_id"] for each in api.events(made)] == [own] * 2


# --- versions ------------------------------------------------------------------------------------------------------------


def test_contacts_mean_leads_under_1_x_alone(api: Api):
    api.contact(external_id=fresh("user-"))
    assert [api.get("/contacts", *headers).json["type"] for headers in ((), (V1,), ("Intercom-Version: 2.0",))] == [
        "list",
        "contact.list",
        "list",
    ]
    with TrackrecordServer(default_version="1.3") as server:
        old = Api(server)
        assert [old.get("/contacts", *headers).json["type"] for headers in ((), ("Intercom-Version: 2.14",))] == ["contact.list", "list"]


@pytest.mark.parametrize(("method", "target"), [("GET", "/contacts/scroll"), ("POST", "/contacts/convert"), ("PUT", "/contacts")])
def test_what_only_1_x_has_is_not_in_2_x(api: Api, method: str, target: str):
    for headers in ((), ("Intercom-Version: 2.16",)):
        assert api.send(method, target, *headers, body={}).error == NOT_IN_VERSION


# --- the clients' own requests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"email":"mycontact@example.com","companies":[],"name":"C"}',  # Go
        b'{"email":"mycontact@example.com","custom_attributes":{},"name":"C","last_request_at":0,"signed_up_at":0}',  # Java 2
        b'{"email":"mycontact@example.com","name":"C","custom_attributes":[]}',  # PHP
        b'{"email":"mycontact@example.com","name":"C"}',  # Ruby, Node 2, Python 3
    ],
    ids=["go", "java 2", "php", "ruby"],
)
def test_the_clients_own_bodies_make_a_lead(api: Api, raw: Any, body: bytes):
    answer = raw(api.server, request("POST", "/contacts", V1, "Accept: application/json", body=body, token=api.token))
    assert (answer.status, answer.json["type"], answer.json["name"]) == (200, "contact", "C")
