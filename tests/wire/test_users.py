"""Users of API 1.x: saved, found, listed, walked, archived and deleted. The contract, section 5."""

import json
from pathlib import Path
from typing import Any

import pytest

from trackrecord.testing import Clock, TrackrecordServer

from .client import Api, fresh, request
from .test_access import with_token

WHEN = 1_671_028_894
NOW = 1_700_000_000
V1 = "Intercom-Version: 1.4"


def save(api: Api, *headers: str, **fields: Any) -> Any:
    answer = api.post("/users", fields, *headers)
    assert answer.status == 200, answer
    return answer.json


def nobody(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "User Not Found", field)


# --- the user ------------------------------------------------------------------------------------------------------------


def test_a_user_is_shown_with_every_key_in_the_order_of_the_fixture(api: Api, clock: Clock):
    clock.freeze(NOW)
    user_id, email = fresh("user-"), f"{fresh('joe')}@example.com"
    answer = api.post(
        "/users",
        {
            "user_id": user_id,
            "email": email,
            "phone": "+15551234",
            "name": "Joe Schmoe",
            "avatar": {"type": "avatar", "image_url": "https://example.org/128Wash.jpg"},
            "signed_up_at": WHEN,
            "last_request_at": WHEN + 5,
            "owner_id": 7,
            "unsubscribed_from_emails": True,
            "custom_attributes": {"paid_subscriber": True, "monthly_spend": 155.5},
            "last_seen_ip": "1.2.3.4",
            "new_session": True,
        },
    )
    id = answer.json["id"]
    expected = {
        "type": "user",
        "id": id,
        "user_id": user_id,
        "anonymous": False,
        "email": email,
        "phone": "+15551234",
        "name": "Joe Schmoe",
        "pseudonym": None,
        "avatar": {"type": "avatar", "image_url": "https://example.org/128Wash.jpg"},
        "app_id": "trackrecord",
        "companies": {"type": "company.list", "companies": []},
        "location_data": {
            "type": "location_data",
            "city_name": None,
            "continent_code": None,
            "country_code": None,
            "country_name": None,
            "latitude": None,
            "longitude": None,
            "postal_code": None,
            "region_name": None,
            "timezone": None,
        },
        "last_request_at": WHEN + 5,
        "created_at": NOW,
        "remote_created_at": WHEN,
        "signed_up_at": WHEN,
        "updated_at": NOW,
        "session_count": 0,
        "social_profiles": {"type": "social_profile.list", "social_profiles": []},
        "owner_id": 7,
        "unsubscribed_from_emails": True,
        "marked_email_as_spam": False,
        "has_hard_bounced": False,
        "user_agent_data": None,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "custom_attributes": {"paid_subscriber": True, "monthly_spend": 155.5},
        "referrer": None,
        "utm_campaign": None,
        "utm_content": None,
        "utm_medium": None,
        "utm_source": None,
        "utm_term": None,
    }
    assert answer.status == 200
    assert answer.body == json.dumps(expected, separators=(",", ":")).encode()
    for target in (f"/users/{id}", f"/users?user_id={user_id}", f"/users?email={email.upper()}"):
        assert api.get(target).json == expected


def test_what_hangs_on_a_user_is_shown_by_name(api: Api):
    user = save(api, user_id=fresh("user-"), companies=[{"company_id": 6, "name": "Intercom"}])
    tag = api.post("/tags", {"name": fresh("tag ")}).json
    assert api.post(f"/contacts/{user['id']}/tags", {"id": tag["id"]}).status == 200
    directory = api.server.server.directory
    query = {"field": "tag_id", "operator": "=", "value": tag["id"]}
    segment = directory.segments.create(1, name="Active", person_type="user", query=query, now=NOW)
    found = api.get(f"/users/{user['id']}").json
    (company,) = found["companies"]["companies"]
    assert {**company, "id": None} == {"type": "company", "id": None, "company_id": "6", "name": "Intercom"}
    assert found["tags"] == {"type": "tag.list", "tags": [{"type": "tag", "id": tag["id"], "name": tag["name"]}]}
    assert found["segments"] == {"type": "segment.list", "segments": [{"type": "segment", "id": segment.id, "name": "Active"}]}


def test_companies_are_made_joined_and_left_with_the_user(api: Api):
    user_id, company_id = fresh("user-"), fresh("company-")
    save(api, user_id=user_id, companies=[{"company_id": company_id, "name": "Blue Sun", "monthly_spend": 10}])
    assert api.get(f"/companies?company_id={company_id}").json["name"] == "Blue Sun"
    (company,) = save(api, user_id=user_id, companies=[{"company_id": company_id}])["companies"]["companies"]
    assert (company["company_id"], company["name"]) == (company_id, "Blue Sun")
    left = save(api, user_id=user_id, companies=[{"company_id": company_id, "remove": True}])
    assert left["companies"]["companies"] == []


# --- saving --------------------------------------------------------------------------------------------------------------


def test_a_user_is_saved_by_id_by_user_id_or_by_email_and_stays_one(api: Api):
    user_id, email = fresh("user-"), f"{fresh('joe')}@example.com"
    made = save(api, user_id=user_id, email=email, name="Joe")
    for named in ({"id": made["id"]}, {"user_id": user_id}, {"email": email}, {"id": made["id"], "user_id": user_id, "email": email}):
        assert save(api, **named)["id"] == made["id"]
    changed = save(api, user_id=user_id, phone="1")
    assert (changed["name"], changed["phone"]) == ("Joe", "1")
    assert save(api, id=made["id"], user_id=None, email=email)["user_id"] == user_id  # null takes no id away


def test_a_user_id_goes_to_the_user_who_has_the_address_and_none_of_its_own(api: Api):
    email, user_id = f"{fresh('joe')}@example.com", fresh("user-")
    made = save(api, email=email)
    assert save(api, email=email, user_id=user_id)["id"] == made["id"]
    other = save(api, email=email, user_id=fresh("user-"))
    assert other["id"] != made["id"]
    message = "Multiple existing users match this email address - must be more specific using user_id"
    assert api.post("/users", {"email": email}).error == (409, "conflict", message, "email")
    assert api.get(f"/users?email={email}").error == (409, "conflict", message, "email")


def test_numbers_stand_for_their_decimal_form(api: Api):
    number = int(fresh("7000"))
    assert save(api, user_id=number)["user_id"] == str(number)
    assert api.get(f"/users?user_id={number}").json["user_id"] == str(number)


def test_last_request_at_is_sent_or_is_now_when_asked_for(api: Api, clock: Clock):
    clock.freeze(NOW)
    user_id = fresh("user-")
    assert save(api, user_id=user_id, last_request_at=WHEN)["last_request_at"] == WHEN
    assert save(api, user_id=user_id, update_last_request_at=False)["last_request_at"] == WHEN
    assert save(api, user_id=user_id, update_last_request_at=True, last_request_at=WHEN)["last_request_at"] == NOW
    assert save(api, user_id=user_id, remote_created_at=5)["signed_up_at"] == 5


def test_custom_attributes_are_made_by_their_first_use_in_strict_too(strict: Api):
    user, attribute = save(strict, user_id=fresh("user-"), custom_attributes={"legacy_plan": "team"}), "legacy_plan"
    assert user["custom_attributes"] == {attribute: "team"}
    assert strict.put(f"/contacts/{user['id']}", {"custom_attributes": {attribute: "pro"}}).status == 200
    assert save(strict, id=user["id"], custom_attributes={attribute: None})["custom_attributes"] == {}


def test_an_archived_user_comes_back_when_it_is_saved_and_a_blocked_one_does_not(api: Api):
    user_id = fresh("user-")
    user = save(api, user_id=user_id, name="Joe", email=f"{fresh('joe')}@example.com")
    assert api.submit(event_name="clicked", created_at=WHEN, user_id=user_id).status == 202
    archived = api.delete(f"/users/{user['id']}", body={})
    assert (archived.status, archived.json) == (200, user)
    assert api.get(f"/users/{user['id']}").error == nobody("id")
    assert api.get(f"/users?user_id={user_id}").error == nobody("user_id")
    assert api.delete(f"/users/{user['id']}").error == nobody("id")
    assert api.submit(event_name="clicked", created_at=WHEN + 1, user_id=user_id).status == 404
    assert save(api, user_id=user_id)["id"] == user["id"]
    assert api.submit(event_name="clicked", created_at=WHEN + 1, user_id=user_id).status == 202
    assert len(api.events(user)) == 2
    assert api.delete(f"/users?user_id={user_id}").status == 200
    assert save(api, email=user["email"])["name"] == "Joe"
    assert api.post(f"/contacts/{user['id']}/block", {}).status == 200
    blocked = (403, "not_restorable", "The contact was blocked and cannot be recreated")
    for named in ("id", "user_id", "email"):
        assert api.post("/users", {named: user[named], "name": "Ann"}).error == (*blocked, named)


def test_what_another_user_has_is_refused_in_the_words_of_1_x(api: Api, strict: Api):
    one, two = save(api, user_id=fresh("user-")), save(api, user_id=fresh("user-"))
    already = (409, "unique_user_constraint", "User already exists.")
    assert api.post("/users", {"id": one["id"], "user_id": two["user_id"]}).error == (*already, "user_id")
    email = f"{fresh('joe')}@example.com"
    save(strict, user_id=fresh("user-"), email=email)
    assert strict.post("/users", {"user_id": fresh("user-"), "email": email}).error == (*already, "email")


BAD: list[tuple[Any, tuple[Any, ...]]] = [
    (b"", (400, "parameter_invalid", "Invalid JSON", "body")),
    (b"[]", (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
    ({}, (400, "parameter_not_found", "a user needs at least one of id, user_id and email", "user_id")),
    ({"user_id": "", "email": None}, (400, "parameter_not_found", "a user needs at least one of id, user_id and email", "user_id")),
    ({"user_id": True}, (400, "type_mismatch", "user_id must be a whole number or a string, got true or false", "user_id")),
    ({"user_id": "x" * 256}, (400, "parameter_invalid", "user_id must have at most 255 characters, got 256", "user_id")),
    ({"user_id": "a\x00b"}, (400, "parameter_invalid", "user_id must not contain control characters", "user_id")),
    ({"id": "unknown"}, nobody("id")),
    ({"id": "0" * 24, "user_id": "u"}, nobody("id")),
    ({"email": "nowhere"}, (400, "parameter_invalid", "email must be an address such as joe@example.com, got 'nowhere'", "email")),
    (
        {"user_id": "u", "last_request_at": "soon"},
        (400, "type_mismatch", "last_request_at must be whole Unix seconds, such as 1671028894, got 'soon'", "last_request_at"),
    ),
    (
        {"user_id": "u", "signed_up_at": -1},
        (400, "parameter_invalid", "signed_up_at must be whole Unix seconds, such as 1671028894, got -1", "signed_up_at"),
    ),
    ({"user_id": "u", "name": 5}, (400, "type_mismatch", "name must be a string, got a whole number", "name")),
    ({"user_id": "u", "avatar": {"image_url": 5}}, (400, "type_mismatch", "avatar must be a string, got a whole number", "avatar")),
    (
        {"user_id": "u", "update_last_request_at": "yes"},
        (400, "type_mismatch", "update_last_request_at must be true or false, got a string", "update_last_request_at"),
    ),
    ({"user_id": "u", "companies": "x"}, (400, "type_mismatch", "companies must be an object or a list, got a string", "companies")),
    (
        {"user_id": "u", "companies": [5]},
        (400, "type_mismatch", "companies must be a list of objects, got a whole number in it", "companies"),
    ),
    (
        {"user_id": "u", "companies": [{"plan": "x"}]},
        (400, "parameter_not_found", "a company needs a company_id or a name", "companies.company_id"),
    ),
    (
        {"user_id": "u", "companies": [{"company_id": 1}] * 101},
        (400, "parameter_invalid", "companies must have at most 100 items, got 101", "companies"),
    ),
    (
        {"user_id": "u", "companies": [{"company_id": "x", "name": 5}]},
        (400, "type_mismatch", "name must be a string, got a whole number", "companies.name"),
    ),
    (
        {"user_id": "u", "custom_attributes": {"a": [1]}},
        (
            400,
            "type_mismatch",
            "custom_attributes.a must be a string, a number, true, false or null, got a list",
            "custom_attributes.a",
        ),
    ),
]


@pytest.mark.parametrize(("body", "error"), BAD, ids=[str(body)[:60] for body, _ in BAD])
def test_a_bad_user_has_its_exact_answer_and_leaves_no_trace(api: Api, body: Any, error: tuple[Any, ...]):
    before = api.get("/users?per_page=1").json["total_count"]
    assert api.send("POST", "/users", body=body).error == error
    assert api.get("/users?per_page=1").json["total_count"] == before


# --- finding -------------------------------------------------------------------------------------------------------------


def test_a_plus_sign_that_was_not_encoded_is_found(api: Api):
    email = f"{fresh('joe')}+x@example.com"
    user = save(api, email=email)
    assert api.get(f"/users?email={email}").json["id"] == user["id"]
    assert api.get(f"/users?email={email.replace('+', '%2B')}").json["id"] == user["id"]
    assert api.delete(f"/users?email={email}").json["id"] == user["id"]


def test_a_lead_and_a_merged_one_are_no_users(api: Api):
    lead, user = api.contact(role="lead", email=f"{fresh('lead')}@example.com"), save(api, user_id=fresh("user-"))
    assert api.get(f"/users/{lead['id']}").error == nobody("id")
    assert api.get(f"/users?email={lead['email']}").error == nobody("email")
    assert api.post("/users", {"id": lead["id"]}).error == nobody("id")
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    assert api.get(f"/users/{lead['id']}", V1).error == nobody("id")


def test_delete_wants_a_name(api: Api):
    assert api.delete("/users").error == (400, "parameter_not_found", "say which user it is: user_id or email", "user_id")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("named", ["user_id", "email"])
def test_an_empty_name_is_nobodys_and_not_everybodys(api: Api, method: str, named: str):
    empty = (400, "parameter_invalid", f"{named} must not be empty", named)
    assert api.send(method, f"/users?{named}=").error == empty
    assert api.send(method, f"/users?{named}=&{'email' if named == 'user_id' else 'user_id'}=x").error == empty


# --- lists ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def five() -> Any:
    """A server with the users a to e, made a second apart, and a lead."""
    with TrackrecordServer() as server:
        api = Api(server)
        for second, name in enumerate("abcde"):
            server.clock.freeze(NOW + second)
            save(api, user_id=name, email=f"{name}@example.com", signed_up_at=WHEN - second, last_request_at=WHEN + second % 2)
        api.contact(role="lead", email="lead@example.com")
        yield api


def walked(api: Api, target: str, *headers: str) -> tuple[list[str], list[Any]]:
    """The user_ids of all pages, following `next`; and the pages."""
    found, pages = [], []
    while target:
        page = api.get(target, *headers).json
        found += [user["user_id"] for user in page["users"]]
        pages.append(page["pages"])
        target = (page["pages"]["next"] or "").removeprefix("http://wire.test")
    return found, pages


def test_users_are_listed_by_pages_whose_next_is_null_at_the_end(five: Api):
    found, pages = walked(five, "/users?per_page=2")
    assert found == ["e", "d", "c", "b", "a"]
    assert pages == [
        {
            "type": "pages",
            "next": f"http://wire.test/users?page={page + 1}&per_page=2" if page < 3 else None,
            "page": page,
            "per_page": 2,
            "total_pages": 3,
        }
        for page in (1, 2, 3)
    ]
    whole = five.get("/users").json
    assert (whole["type"], whole["total_count"], len(whole["users"]), whole["pages"]["per_page"]) == ("user.list", 5, 5, 50)
    assert five.get("/users?page=9").json["users"] == []


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("sort=created_at&order=asc", "abcde"),
        ("sort=created_at", "edcba"),
        ("sort=signed_up_at&order=desc", "abcde"),
        ("sort=updated_at&order=asc", "abcde"),
        ("sort=last_request_at&order=asc", "acebd"),
    ],
)
def test_users_are_sorted_as_asked(five: Api, query: str, order: str):
    assert walked(five, f"/users?per_page=2&{query}")[0] == list(order)


def test_users_of_a_tag_or_a_segment_are_listed_alone(five: Api):
    tag = five.post("/tags", {"name": "Big", "users": [{"user_id": "b"}, {"user_id": "d"}]}).json
    directory = five.server.server.directory
    query = {"field": "external_id", "operator": "=", "value": "c"}
    segment = directory.segments.create(1, name="Active", person_type="user", query=query, now=NOW)
    assert walked(five, f"/users?per_page=1&tag_id={tag['id']}")[0] == ["d", "b"]
    assert walked(five, f"/users?segment_id={segment.id}")[0] == ["c"]
    assert walked(five, "/users?tag_id=99")[0] == walked(five, "/users?tag_id=x")[0] == walked(five, "/users?segment_id=x")[0] == []
    assert five.get(f"/users?tag_id={tag['id']}").json["total_count"] == 2


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("page=x", (400, "parameter_invalid", "page must be a whole number from 1 to 10000000, got 'x'", "page")),
        ("per_page=1.5", (400, "parameter_invalid", "per_page must be a whole number from 1 to 150, got '1.5'", "per_page")),
        (
            "sort=name",
            (400, "parameter_invalid", "sort must be one of created_at, updated_at, signed_up_at, last_request_at, got 'name'", "sort"),
        ),
        ("order=up", (400, "invalid_sort_order", "Invalid sort order 'up'. Must be one of: asc, desc", "order")),
    ],
)
def test_a_bad_query_has_its_exact_answer(api: Api, query: str, error: tuple[Any, ...]):
    assert api.get(f"/users?{query}").error == error


# --- scroll --------------------------------------------------------------------------------------------------------------


def test_a_scroll_walks_over_all_users_once_and_ends_with_an_empty_page():
    with TrackrecordServer() as server:
        api = Api(server)
        names = {f"user-{number}" for number in range(230)}
        items = [{"method": "post", "data_type": "user", "data": {"user_id": name}} for name in names]
        assert api.post("/bulk/users", {"items": items}).status == 202
        sizes: list[int] = []
        found: set[str] = set()
        target = "/users/scroll"
        while not sizes or sizes[-1]:
            page = api.get(target).json
            assert (page["type"], list(page)) == ("user.list", ["type", "users", "scroll_param"])
            found |= {user["user_id"] for user in page["users"]}
            sizes.append(len(page["users"]))
            target = f"/users/scroll?scroll_param={page['scroll_param']}"
        assert (sizes, found) == ([100, 100, 30, 0], names)
        assert api.get(target).error == (404, "not_found", "scroll parameter not found: begin a new scroll without one", "scroll_param")
        assert api.get("/users/scroll").status == 200


def test_one_scroll_at_a_time_and_for_a_minute_after_its_last_page(five: Api):
    clock = five.server.clock
    clock.freeze(NOW)
    first = five.get("/users/scroll").json["scroll_param"]
    message = "scroll already exists for this workspace: go on with its scroll_param, or wait 60 s"
    assert five.get("/users/scroll").error == (400, "scroll_exists", message, "scroll_param")
    assert five.get("/contacts/scroll", V1).status == 200  # leads are walked over beside
    clock.advance(59)
    assert five.get("/users/scroll").status == 400
    clock.advance(1)
    assert five.get(f"/users/scroll?scroll_param={first}").status == 404
    assert five.get("/users/scroll").status == 200
    assert five.get(f"/users/scroll?scroll_param={first}").status == 404  # another scroll took its place


def test_a_scroll_goes_on_after_a_restart(tmp_path: Path):
    def serving(at: int) -> TrackrecordServer:
        server = TrackrecordServer(data=str(tmp_path / "data"))
        server.clock.freeze(at)
        return server

    with serving(NOW) as server:
        api = Api(server)
        items = [{"method": "post", "data_type": "user", "data": {"user_id": f"u{number}"}} for number in range(130)]
        assert api.post("/bulk/users", {"items": items}).status == 202
        page = api.get("/users/scroll").json
    with serving(NOW + 30) as server:
        api = Api(server)
        assert api.get("/users/scroll").error[1] == "scroll_exists"
        rest = api.get(f"/users/scroll?scroll_param={page['scroll_param']}").json["users"]
    assert {user["user_id"] for user in page["users"] + rest} == {f"u{number}" for number in range(130)}


# --- deletion ------------------------------------------------------------------------------------------------------------


def test_a_user_delete_request_erases_the_user_and_its_events_and_is_noted(api: Api):
    user = save(api, user_id=fresh("user-"), name="Joe")
    assert api.submit(event_name="clicked", created_at=WHEN, id=user["id"]).status == 202
    answer = api.post("/user_delete_requests", {"intercom_user_id": user["id"]}, V1)
    assert (answer.status, list(answer.json), type(answer.json["id"])) == (200, ["id"], int)
    assert api.get(f"/users/{user['id']}").error == nobody("id")
    assert api.get(f"/events?type=user&intercom_user_id={user['id']}").status == 404
    assert api.post("/user_delete_requests", {"intercom_user_id": user["id"]}).error == nobody("intercom_user_id")
    audits, _, _ = api.server.server.directory.audits.list(1, limit=5)
    (audit,) = [each for each in audits if each.id == answer.json["id"]]
    assert (audit.action, audit.subject, audit.count, audit.completed_at is None) == ("delete_user", {"id": user["id"]}, 1, False)
    made_again = save(api, user_id=user["user_id"])
    assert (made_again["name"], api.events(made_again)) == (None, [])


def test_an_archived_user_can_be_deleted(api: Api):
    user = save(api, user_id=fresh("user-"))
    assert api.delete(f"/users/{user['id']}").status == 200
    assert api.post("/user_delete_requests", {"intercom_user_id": user["id"]}).status == 200
    assert save(api, user_id=user["user_id"])["id"] != user["id"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", (400, "parameter_invalid", "Invalid JSON", "body")),
        ({}, (400, "parameter_not_found", "intercom_user_id is required: the id of the user to delete", "intercom_user_id")),
        (
            {"intercom_user_id": ["x"]},
            (400, "type_mismatch", "intercom_user_id must be a whole number or a string, got a list", "intercom_user_id"),
        ),
        ({"intercom_user_id": "unknown"}, nobody("intercom_user_id")),
    ],
)
def test_a_bad_delete_request_has_its_exact_answer(api: Api, body: Any, error: tuple[Any, ...]):
    assert api.send("POST", "/user_delete_requests", body=body).error == error


# --- versions and workspaces ---------------------------------------------------------------------------------------------

NOT_IN_VERSION = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/users"),
        ("GET", "/users"),
        ("GET", "/users/x"),
        ("GET", "/users/scroll"),
        ("DELETE", "/users/x"),
        ("DELETE", "/users"),
        ("POST", "/user_delete_requests"),
    ],
)
def test_users_are_there_in_1_x_and_for_who_names_no_version(api: Api, method: str, target: str):
    for version in ("2.0", "2.14", "Preview"):
        assert api.send(method, target, f"Intercom-Version: {version}", body={}).error == NOT_IN_VERSION
    for headers in ((), ("Intercom-Version: 1.0",), (V1,)):
        answer = api.send(method, target, *headers, body={})
        assert answer.status == 200 or answer.error != NOT_IN_VERSION


def test_users_of_another_workspace_are_never_seen(api: Api):
    with TrackrecordServer() as server:
        ours = Api(server)
        second = server.server.directory.workspaces.create("second", "Second", now=0)
        theirs = with_token(ours, "write_contacts", "write_tags", workspace=second.number)
        user = save(ours, user_id="u1", email="joe@example.com", companies=[{"company_id": "c1", "name": "Ours"}])
        tag = ours.post("/tags", {"name": "Big", "users": [{"id": user["id"]}]}).json
        for target in (f"/users/{user['id']}", "/users?user_id=u1", "/users?email=joe@example.com"):
            assert theirs.get(target).status == 404
        for target in ("/users", f"/users?tag_id={tag['id']}", "/users/scroll"):
            assert theirs.get(target).json["users"] == []
        assert theirs.post("/users", {"id": user["id"], "name": "theirs"}).error == nobody("id")
        assert theirs.delete(f"/users/{user['id']}").error == nobody("id")
        assert theirs.post("/user_delete_requests", {"intercom_user_id": user["id"]}).error == nobody("intercom_user_id")
        param = ours.get("/users/scroll").json["scroll_param"]
        assert theirs.get(f"/users/scroll?scroll_param={param}").status == 404
        their_own = save(theirs, user_id="u1", companies=[{"company_id": "c1"}])
        assert their_own["companies"]["companies"][0]["name"] is None
        assert ours.get(f"/users/{user['id']}").json["name"] is None


# --- the clients' own requests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"email":"%(email)s","user_id":"%(user_id)s","companies":[],"custom_attributes":{},"signed_up_at":1438944980}',  # Go
        b'{"type":"user","user_id":"%(user_id)s","email":"%(email)s","custom_attributes":{"a":"b"},"last_request_at":0}',  # Java 2
        b'{"user_id":"%(user_id)s","email":"%(email)s","custom_attributes":[],"companies":[]}',  # PHP
        b'{"email":"%(email)s","user_id":"%(user_id)s","custom_attributes":{},"id":null,"created_at":null}',  # Python 3
        b'{"user_id":"%(user_id)s","email":"%(email)s","name":"R","signed_up_at":1438944980,"custom_attributes":'
        b'{"a.b":1},"update_last_request_at":true}',  # RudderStack 1.4
    ],
    ids=["go", "java 2", "php", "python 3", "rudderstack 1.4"],
)
def test_the_clients_own_bodies_are_taken(api: Api, raw: Any, body: bytes):
    user_id, email = fresh("user-"), f"{fresh('joe')}@example.com"
    filled = body.replace(b"%(user_id)s", user_id.encode()).replace(b"%(email)s", email.encode())
    answer = raw(api.server, request("POST", "/users", "Accept: application/json", body=filled, token=api.token))
    assert (answer.status, answer.json["user_id"], answer.json["email"]) == (200, user_id, email)
