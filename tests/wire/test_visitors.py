"""Visitors: people who were seen and not yet identified. The contract, 6."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

WHEN = 1_671_028_894
V1, V2 = "Intercom-Version: 1.4", "Intercom-Version: 2.14"


def none(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "Visitor Not Found", field)


def nobody(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "User Not Found", field)


def visitor(api: Api, **fields: Any) -> Any:
    """A visitor as the import makes one, as the server shows it."""
    user_id = str(uuid.uuid4())
    line = json.dumps({"role": "visitor", "user_id": user_id, **fields}).encode()
    assert api.post("/-/api/import/contacts", line).json == {"type": "import", "new": 1, "duplicate": 0, "refused": [], "ignored": []}
    return api.get(f"/visitors?user_id={user_id}").json


def convert(api: Api, into: str, who: Any, user: Any = None) -> Any:
    """POST /visitors/convert; the contact. Without `user` the key is left out, as one client does."""
    body = {"type": into, "visitor": {"id": who["id"]}, **({} if user is None else {"user": user})}
    answer = api.post("/visitors/convert", body)
    assert answer.status == 200, answer
    return answer.json


def done(api: Api, contact: Any) -> list[str]:
    return [event["event_name"] for event in api.events(contact)]


def test_a_visitor_is_shown_by_its_id_among_contacts_of_any_state(api: Api):
    shown = visitor(api, name="Gareth")
    answer = api.get(f"/-/api/contacts/{shown['id']}")
    assert answer.status == 200
    named = {"id": shown["id"], "role": "visitor", "name": "Gareth", "anonymous_id": shown["user_id"]}
    assert {name: answer.json[name] for name in named} == named


def test_a_visitor_is_shown_with_every_key_in_order(api: Api):
    shown = visitor(api, name="Gareth", custom_attributes={"visits": 3}, created_at=WHEN, updated_at=WHEN + 1, last_seen_at=WHEN + 2)
    # The example of "Retrieve a visitor with User ID" in the API reference.
    expected = {
        "type": "visitor",
        "id": shown["id"],
        "user_id": shown["user_id"],
        "anonymous": True,
        "email": "",
        "phone": None,
        "name": "Gareth",
        "pseudonym": None,
        "avatar": {"type": "avatar", "image_url": None},
        "app_id": "trackrecord",
        "companies": {"type": "company.list", "companies": []},
        "location_data": {},
        "last_request_at": WHEN + 2,
        "created_at": WHEN,
        "remote_created_at": WHEN,
        "signed_up_at": WHEN,
        "updated_at": WHEN + 1,
        "session_count": 0,
        "social_profiles": {"type": "social_profile.list", "social_profiles": []},
        "owner_id": None,
        "unsubscribed_from_emails": False,
        "marked_email_as_spam": False,
        "has_hard_bounced": False,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "custom_attributes": {"visits": 3},
        "referrer": None,
        "utm_campaign": None,
        "utm_content": None,
        "utm_medium": None,
        "utm_source": None,
        "utm_term": None,
        "do_not_track": None,
    }
    assert (shown, list(shown)) == (expected, list(expected))
    assert api.get(f"/visitors?id={shown['id']}").json == shown
    assert len(shown["id"]) == 24


def test_a_visitor_is_no_contact_until_it_is_a_lead(api: Api):
    seen = visitor(api)
    path = f"/contacts/{seen['id']}"
    for method, target, body in (
        ("GET", path, None),
        ("PUT", path, {"name": "x"}),
        ("DELETE", path, None),
        ("POST", f"{path}/archive", None),
        ("POST", f"{path}/block", None),
        ("POST", f"{path}/unarchive", None),
    ):
        assert api.send(method, target, body=body).error == nobody("contact_id"), (method, target)
    assert api.post("/contacts/merge", {"from": seen["id"], "into": api.contact()["id"]}).error == nobody("from")
    assert seen["id"] not in [contact["id"] for contact in api.get("/contacts?per_page=150").json["data"]]
    refused = (400, "parameter_invalid", "role must be user or lead, got 'visitor'", "role")
    assert api.post("/contacts", {"role": "visitor"}).error == refused
    assert api.put(f"/contacts/{api.contact()['id']}", {"role": "visitor"}).error == refused


def test_a_visitor_has_events_by_its_id_and_its_user_id(api: Api):
    seen = visitor(api)
    assert api.submit(event_name="by id", created_at=WHEN, id=seen["id"]).status == 202
    assert api.submit(event_name="by user_id", created_at=WHEN + 1, user_id=seen["user_id"]).status == 202
    assert done(api, seen) == ["by user_id", "by id"]
    assert {(event["user_id"], event["intercom_user_id"]) for event in api.events(seen)} == {(seen["user_id"], seen["id"])}


def test_an_update_changes_name_and_attributes_and_nothing_else(api: Api):
    seen = visitor(api, custom_attributes={"visits": 3, "page": "/"})
    sent = {"name": "Gareth", "custom_attributes": {"visits": 4, "page": None}, "email": "x@example.org", "role": "user"}
    for named in ({"id": seen["id"]}, {"user_id": seen["user_id"]}, {"id": seen["id"], "user_id": seen["user_id"]}):
        changed = api.put("/visitors", {**named, **sent}).json
        assert changed == {**seen, "name": "Gareth", "custom_attributes": {"visits": 4}, "updated_at": changed["updated_at"]}
    assert api.get(f"/visitors?user_id={seen['user_id']}").json == changed


@pytest.mark.parametrize("version", [V1, None])
def test_the_paths_of_1_x_get_change_and_delete_one_by_id(api: Api, version: str | None):
    headers = [version] if version else []
    seen = visitor(api)
    api.submit(event_name="done", created_at=WHEN, id=seen["id"])
    path = f"/visitors/{seen['id']}"
    assert api.get(path, *headers).json == seen
    assert api.put(path, {"name": "Gareth"}, *headers).json["name"] == "Gareth"
    assert api.put(path, b"", *headers).json["name"] == "Gareth"
    assert api.delete(path, *headers).json == {"type": "visitor", "id": seen["id"], "user_id": seen["user_id"], "deleted": True}
    assert [api.send(method, path, *headers, body={}).error for method in ("GET", "PUT", "DELETE")] == [none("visitor_id")] * 3
    assert api.submit(event_name="done", created_at=WHEN, user_id=seen["user_id"]).error == nobody("user_id")
    absent = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")
    assert api.get(path, V2).error == absent


def test_a_visitor_becomes_a_lead_and_keeps_its_id_and_events(api: Api):
    seen = visitor(api, name="Gareth")
    api.submit(event_name="before", created_at=WHEN, id=seen["id"])
    lead = convert(api, "lead", seen)
    assert (lead["type"], lead["id"], lead["role"], lead["name"]) == ("contact", seen["id"], "lead", "Gareth")
    assert api.get(f"/contacts/{seen['id']}").json == lead
    assert api.submit(event_name="after", created_at=WHEN + 1, user_id=seen["user_id"]).status == 202
    assert done(api, lead) == ["after", "before"]
    assert api.get(f"/visitors?user_id={seen['user_id']}").error == none("user_id")
    again = {"type": "lead", "visitor": {"id": seen["id"]}}
    assert api.post("/visitors/convert", again).error == none("visitor.id")


@pytest.mark.parametrize("user", [{}, {"email": "gareth@example.org"}, {"id": "{id}"}, {"user_id": "{user_id}"}])
def test_who_the_lead_is_may_be_said_or_left_out(api: Api, user: dict[str, str]):
    seen = visitor(api)
    lead = convert(api, "lead", seen, {name: value.format(**seen) for name, value in user.items()})
    assert (lead["id"], lead["email"]) == (seen["id"], user.get("email"))


def test_a_visitor_becomes_the_user_it_says_it_is(api: Api):
    seen = visitor(api, name="Gareth")
    api.submit(event_name="before", created_at=WHEN, id=seen["id"])
    external_id, email = fresh("user-"), f"{fresh('joe')}@example.org"
    user = convert(api, "user", seen, {"user_id": external_id, "email": email})
    assert (user["id"], user["role"], user["external_id"], user["email"]) == (seen["id"], "user", external_id, email)
    assert api.submit(event_name="after", created_at=WHEN + 1, user_id=external_id).status == 202
    assert api.submit(event_name="late", created_at=WHEN + 2, user_id=seen["user_id"]).status == 202  # still of the browser's id
    assert done(api, user) == ["late", "after", "before"]
    only = convert(api, "user", visitor(api), {"email": f"{fresh('ann')}@example.org"})
    assert (only["role"], only["external_id"]) == ("user", None)


@pytest.mark.parametrize("named", ["id", "user_id", "email"])
def test_a_visitor_is_merged_into_the_user_that_is_there(api: Api, named: str):
    user = api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.org", name="Joe")
    seen = visitor(api, name="Gareth", phone="1", custom_attributes={"visits": 3})
    for contact in (seen, user):
        api.submit(event_name="both", created_at=WHEN, id=contact["id"])
    api.submit(event_name="visited", created_at=WHEN + 1, id=seen["id"])
    value = {"id": user["id"], "user_id": user["external_id"], "email": user["email"].upper()}[named]
    merged = convert(api, "user", seen, {named: value})
    assert (merged["id"], merged["name"], merged["phone"], merged["custom_attributes"]) == (user["id"], "Joe", "1", {"visits": 3})
    assert api.get(f"/visitors?id={seen['id']}").error == none("id")
    for number, name in enumerate(("id", "user_id")):
        assert api.submit(event_name=f"late by {name}", created_at=WHEN + 2 + number, **{name: seen[name]}).status == 202
    assert done(api, user) == ["late by user_id", "late by id", "visited", "both"]
    gone = api.get(f"/contacts/{seen['id']}", "Intercom-Version: 2.16")
    assert gone.error == nobody("contact_id")  # it was never to be seen there
    history = api.get(f"/contacts/{user['id']}/merge_history", "Intercom-Version: 2.16").json["data"]
    assert [(row["source_contact_id"], row["source_contact_role"]) for row in history] == [(seen["id"], "visitor")]


def test_a_user_found_by_one_identifier_is_given_the_other_that_it_lacks(api: Api):
    external_id, email = fresh("user-"), f"{fresh('joe')}@example.org"
    user = api.contact(email=email)
    merged = convert(api, "user", visitor(api), {"user_id": external_id, "email": email})
    assert (merged["id"], merged["external_id"], merged["email"]) == (user["id"], external_id, email)


def test_a_visitor_that_became_a_lead_is_merged_on_into_a_user_with_all_its_events(api: Api):
    lead, user = api.contact(role="lead"), api.contact()
    seen = visitor(api)
    api.submit(event_name="visited", created_at=WHEN, id=seen["id"])
    assert convert(api, "lead", seen, {"id": lead["id"]})["id"] == lead["id"]
    assert done(api, lead) == ["visited"]
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    for number, (name, value) in enumerate((("id", seen["id"]), ("user_id", seen["user_id"]), ("id", lead["id"]))):
        assert api.submit(event_name="later", created_at=WHEN + 1 + number, **{name: value}).status == 202
    assert done(api, user) == ["later", "later", "later", "visited"]
    history = api.get(f"/contacts/{user['id']}/merge_history", "Intercom-Version: 2.16").json["data"]
    assert {row["source_contact_id"] for row in history} == {seen["id"], lead["id"]}
    assert api.delete(f"/contacts/{user['id']}").status == 200
    for named in ({"id": seen["id"]}, {"user_id": seen["user_id"]}, {"id": lead["id"]}):
        assert api.submit(event_name="later", created_at=WHEN, **named).error == nobody(next(iter(named)))


def test_a_lead_may_be_named_by_its_own_user_id(api: Api):
    first = convert(api, "lead", visitor(api))
    user_id = api.get(f"/events?intercom_user_id={first['id']}&type=user&summary=true").json["user_id"]
    assert convert(api, "lead", visitor(api), {"user_id": user_id})["id"] == first["id"]


def test_a_visitor_may_be_named_by_email_where_one_alone_has_it(api: Api):
    email = f"{fresh('joe')}@example.org"
    seen = visitor(api, email=email)
    assert seen["email"] == email
    other = visitor(api, email=email)
    body = {"type": "lead", "visitor": {"email": email.upper()}}
    several = "Several visitors have this email address: name one by id or user_id"
    assert api.post("/visitors/convert", body).error == (409, "conflict", several, "visitor.email")
    convert(api, "lead", other)
    assert api.post("/visitors/convert", body).json["id"] == seen["id"]


def test_a_conversion_is_refused_by_field_and_leaves_the_visitor_as_it_was(api: Api):
    seen, lead, user, archived = visitor(api), api.contact(role="lead"), api.contact(), api.contact()
    assert api.post(f"/contacts/{archived['id']}/archive", None).status == 200
    both = api.contact(email=f"{fresh('joe')}@example.org")
    who = {"id": seen["id"]}
    wrong_type = "type is required: what the visitor becomes, lead or user"
    refusals: list[tuple[Any, tuple[Any, ...]]] = [
        ({"visitor": who, "user": {}}, (400, "parameter_not_found", wrong_type, "type")),
        ({"type": "visitor", "visitor": who}, (400, "parameter_invalid", "type must be lead or user, got 'visitor'", "type")),
        ({"type": 7, "visitor": who}, (400, "type_mismatch", "type must be a string, got a whole number", "type")),
        (
            {"type": "user", "user": {"email": "x@example.org"}},
            (400, "parameter_not_found", "visitor must be named by id or user_id or email", "visitor.id"),
        ),
        ({"type": "lead", "visitor": {}}, (400, "parameter_not_found", "visitor must be named by id or user_id or email", "visitor.id")),
        ({"type": "user", "visitor": who}, (400, "parameter_not_found", "user must be named by id or user_id or email", "user.id")),
        (
            {"type": "user", "visitor": who, "user": {}},
            (400, "parameter_not_found", "user must be named by id or user_id or email", "user.id"),
        ),
        ({"type": "user", "visitor": "x", "user": {}}, (400, "type_mismatch", "visitor must be an object, got a string", "visitor")),
        ({"type": "user", "visitor": [who], "user": {}}, (400, "type_mismatch", "visitor must be an object, got a list", "visitor")),
        (
            {"type": "user", "visitor": who, "user": {"email": "x"}},
            (400, "parameter_invalid", "user.email must be an address such as joe@example.com, got 'x'", "user.email"),
        ),
        (
            {"type": "user", "visitor": who, "user": {"user_id": "a\u0000"}},
            (400, "parameter_invalid", "user.user_id must not contain control characters", "user.user_id"),
        ),
        ({"type": "lead", "visitor": {"id": "0" * 24}}, none("visitor.id")),
        ({"type": "lead", "visitor": {"user_id": "nobody"}}, none("visitor.user_id")),
        ({"type": "lead", "visitor": {"email": "nobody@example.org"}}, none("visitor.email")),
        ({"type": "lead", "visitor": {"id": lead["id"]}}, none("visitor.id")),
        ({"type": "user", "visitor": who, "user": {"id": "0" * 24}}, nobody("user.id")),
        (
            {"type": "user", "visitor": who, "user": {"id": lead["id"]}},
            (400, "invalid_merge", f"the contact {lead['id']} is a lead: send type lead to merge the visitor into it", "type"),
        ),
        (
            {"type": "lead", "visitor": who, "user": {"id": user["id"]}},
            (400, "invalid_merge", f"the contact {user['id']} is a user: send type user to merge the visitor into it", "type"),
        ),
        (
            {"type": "lead", "visitor": who, "user": {"user_id": fresh("user-")}},
            (422, "data_invalid", "a lead cannot have a user_id of yours; send type user to make a user of the visitor", "user.user_id"),
        ),
        (
            {"type": "user", "visitor": who, "user": {"user_id": archived["external_id"]}},
            (409, "conflict", f"An archived contact matching those details already exists with id={archived['id']}", "user.user_id"),
        ),
        (
            {"type": "user", "visitor": who, "user": {"user_id": user["external_id"], "email": both["email"]}},
            (
                409,
                "conflict",
                f"external_id leads to the contact {user['id']} and email to the contact {both['id']}: send one of them, or merge the two",
                "user.email",
            ),
        ),
        ([], (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
        (b"", (400, "parameter_invalid", "Invalid JSON", "body")),
    ]
    for body, error in refusals:
        assert api.post("/visitors/convert", body).error == error, body
    assert api.get(f"/visitors?id={seen['id']}").json == seen


@pytest.mark.parametrize(
    ("method", "target", "body", "error"),
    [
        ("GET", "/visitors", None, (400, "parameter_not_found", "a visitor must be named by user_id or id", "user_id")),
        ("GET", "/visitors?user_id=", None, (400, "parameter_not_found", "a visitor must be named by user_id or id", "user_id")),
        ("GET", "/visitors?user_id=nobody", None, none("user_id")),
        ("GET", "/visitors?id=%00", None, (400, "parameter_invalid", "id must not contain control characters", "id")),
        ("GET", "/visitors?user_id=a%27%3B--", None, none("user_id")),
        ("PUT", "/visitors", {"name": "x"}, (400, "parameter_not_found", "a visitor must be named by id or user_id", "id")),
        ("PUT", "/visitors", {"user_id": "nobody", "name": "x"}, none("user_id")),
        ("PUT", "/visitors", {"id": "x", "name": 7}, (400, "type_mismatch", "name must be a string, got a whole number", "name")),
        ("PUT", "/visitors", [], (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
        (
            "PUT",
            "/visitors",
            {"id": "x", "custom_attributes": {"a": []}},
            (
                400,
                "type_mismatch",
                "custom_attributes.a must be a string, a number, true, false or null, got a list",
                "custom_attributes.a",
            ),
        ),
        ("GET", "/visitors/%00", None, none("visitor_id")),
    ],
)
def test_what_is_wrong_with_a_visitor_is_refused_by_field(api: Api, method: str, target: str, body: Any, error: tuple[Any, ...]):
    assert api.send(method, target, body=body).error == error


def test_strict_wants_a_visitor_by_its_user_id_and_says_who_it_becomes(strict: Api):
    seen = visitor(strict)
    assert strict.get(f"/visitors?user_id={seen['user_id']}").json == seen
    assert strict.get(f"/visitors?id={seen['id']}").error == (400, "parameter_not_found", "a visitor must be named by user_id", "user_id")
    unnamed = (400, "parameter_not_found", "user must be named by id or user_id or email", "user.id")
    for body in ({}, {"user": {}}, {"user": None}):
        for role in ("lead", "user"):
            sent = {"type": role, "visitor": {"id": seen["id"]}, **body}
            assert strict.post("/visitors/convert", sent).error == unnamed
    sent = {"type": "lead", "visitor": {"id": seen["id"]}, "user": {"user_id": seen["user_id"]}}
    assert strict.post("/visitors/convert", sent).json["role"] == "lead"


def test_leads_and_users_are_no_visitors(api: Api):
    lead, user = api.contact(role="lead"), api.contact()
    for contact in (lead, user):
        assert api.get(f"/visitors?id={contact['id']}").error == none("id")
        assert api.put("/visitors", {"id": contact["id"], "name": "x"}).error == none("id")
        assert api.delete(f"/visitors/{contact['id']}", V1).error == none("visitor_id")
    assert [api.get(f"/contacts/{contact['id']}").json for contact in (lead, user)] == [lead, user]


def test_visitors_and_conversions_are_kept_over_a_restart(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        seen, converted, user = visitor(api), visitor(api), api.contact()
        for each in (seen, converted):
            api.submit(event_name="visited", created_at=WHEN, id=each["id"])
        convert(api, "user", converted, {"id": user["id"]})
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        assert api.get(f"/visitors?user_id={seen['user_id']}").json == seen
        assert api.submit(event_name="later", created_at=WHEN + 1, user_id=converted["user_id"]).status == 202
        assert (done(api, seen), done(api, user)) == (["visited"], ["later", "visited"])


def test_a_conversion_that_a_crash_kept_from_the_journal_is_finished_at_the_next_start(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        seen, user = visitor(api), api.contact()
        api.submit(event_name="visited", created_at=WHEN, id=seen["id"])
        from trackrecord.rules.visitors import Called, Conversion

        inside = server.server
        wanted = Conversion(Called(id=seen["id"]), "user", Called(id=user["id"]))
        assert inside.directory.visitors.convert(1, wanted, now=WHEN, profile=inside.profile).merged is not None
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        assert done(Api(server), user) == ["visited"]


def test_an_imported_visitor_is_a_duplicate_the_second_time_also_once_it_has_become_somebody(api: Api):
    seen = visitor(api)
    line = json.dumps({"role": "visitor", "user_id": seen["user_id"]}).encode()
    assert api.post("/-/api/import/contacts", line).json["duplicate"] == 1
    convert(api, "user", seen, {"id": api.contact()["id"]})
    assert api.post("/-/api/import/contacts", line).json["duplicate"] == 1
    refused = api.post("/-/api/import/contacts", json.dumps({"role": "visitor", "external_id": "x"}).encode()).json["refused"]
    text = "a visitor cannot have an external_id; send role user to make a user of it"
    assert refused == [{"line": 1, "code": "data_invalid", "message": text, "field": "external_id"}]


def test_the_id_of_a_lead_merged_into_somebody_archived_is_what_a_conversion_is_refused_for(api: Api):
    lead, user = api.contact(role="lead"), api.contact(external_id=fresh("user-"))
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    assert api.post(f"/contacts/{user['id']}/archive", None).status == 200
    answer = api.post("/visitors/convert", {"type": "user", "visitor": {"id": visitor(api)["id"]}, "user": {"id": lead["id"]}})
    message = f"An archived contact matching those details already exists with id={user['id']}"
    assert answer.error == (409, "conflict", message, "user.id")
