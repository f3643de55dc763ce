"""Tags: made, renamed, put on contacts and companies, taken off, deleted. The contract, 7."""

from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

NOW = 1_734_537_298
INVALID = (400, "parameter_invalid", "invalid tag parameters", "name")
NO_TAG = (404, "not_found", "Resource Not Found", "tag_id")


def no_user(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "User Not Found", field)


def make(api: Api, name: str | None = None) -> Any:
    answer = api.post("/tags", {"name": name or fresh("tag ")})
    assert answer.status == 200, answer
    return answer.json


def on(api: Api, contact: Any) -> list[str]:
    """The names of a contact's tags."""
    return [tag["name"] for tag in api.get(f"/contacts/{contact['id']}/tags").json["data"]]


def test_a_tag_is_made_once_whatever_the_case_of_its_name(api: Api):
    name = fresh("VIP ")
    first = api.post("/tags", {"name": name})
    again = api.post("/tags", {"name": f"  {name.lower()} "})
    assert (first.status, first.json) == (200, {"type": "tag", "id": first.json["id"], "name": name})
    assert again.json == first.json
    assert api.get(f"/tags/{first.json['id']}").json == first.json


def test_tags_are_listed_in_the_shape_of_the_version():
    with TrackrecordServer() as server:
        api = Api(server)
        tags = [make(api, "first"), make(api, "second")]
        assert api.get("/tags").json == {"type": "list", "data": tags}
        assert api.get("/tags", "Intercom-Version: 1.4").json == {"type": "tag.list", "tags": tags}


def test_a_tag_is_renamed_by_its_id(api: Api):
    tag, new = make(api), fresh("renamed ")
    renamed = {**tag, "name": new}
    assert api.post("/tags", {"id": tag["id"], "name": new}).json == renamed
    assert api.post("/tags", {"id": int(tag["id"]), "name": new.upper()}).json == {**tag, "name": new.upper()}
    assert api.post("/tags", {"name": new}).json["id"] == tag["id"]


def test_a_tag_does_not_take_the_name_of_another(api: Api):
    tag, other = make(api), make(api)
    message = f"invalid tag parameters: the tag {other['id']} has the name {other['name']!r} already"
    assert api.post("/tags", {"id": tag["id"], "name": other["name"].upper()}).error == (400, "parameter_invalid", message, "name")
    assert api.get(f"/tags/{tag['id']}").json == tag


def test_a_contact_is_tagged_with_when_and_by_whom(api: Api, clock: Any):
    clock.freeze(NOW)
    contact, tag = api.contact(), make(api)
    applied = {**tag, "applied_at": NOW, "applied_by": {"type": "admin", "id": "1"}}
    answer = api.post(f"/contacts/{contact['id']}/tags", {"id": tag["id"]})
    assert (answer.status, answer.json) == (200, applied)
    assert list(answer.json) == ["type", "id", "name", "applied_at", "applied_by"]
    clock.freeze(NOW + 60)
    assert api.post(f"/contacts/{contact['id']}/tags", {"id": int(tag["id"])}).json == applied
    assert api.get(f"/contacts/{contact['id']}/tags").json == {"type": "list", "data": [applied]}
    assert api.delete(f"/contacts/{contact['id']}/tags/{tag['id']}").json == applied
    assert api.get(f"/contacts/{contact['id']}/tags").json == {"type": "list", "data": []}


def test_a_contact_shows_its_latest_ten_tags_and_how_many_there_are(api: Api):
    contact = api.contact(role="lead")
    tags = [make(api) for _ in range(11)]
    for tag in tags:
        assert api.post(f"/contacts/{contact['id']}/tags", {"id": tag["id"]}).status == 200
    shown = api.get(f"/contacts/{contact['id']}").json["tags"]
    latest = [{"type": "tag", "id": tag["id"], "url": f"/tags/{tag['id']}"} for tag in reversed(tags[1:])]
    assert shown == {"type": "list", "data": latest, "url": f"/contacts/{contact['id']}/tags", "total_count": 11, "has_more": True}
    assert on(api, contact) == [tag["name"] for tag in reversed(tags)]


def test_users_are_tagged_together_by_any_of_their_names(api: Api):
    contacts = [api.contact(), api.contact(external_id=fresh("user-")), api.contact(email=f"{fresh('Joe')}@example.com")]
    names = [{"id": contacts[0]["id"]}, {"user_id": contacts[1]["external_id"]}, {"email": contacts[2]["email"].upper()}]
    name = fresh("together ")
    answer = api.post("/tags", {"name": name, "users": names})
    assert answer.json == {"type": "tag", "id": answer.json["id"], "name": name}
    assert [on(api, contact) for contact in contacts] == [[name]] * 3


@pytest.mark.parametrize("body", [{"users": [{"id": "?", "untag": True}]}, {"users": [{"id": "?"}], "tag_or_untag": "untag"}])
def test_users_are_untagged_in_the_ways_clients_ask_for_it(api: Api, body: Any):
    contact, name = api.contact(), fresh("off ")
    assert api.post("/tags", {"name": name, "users": [{"id": contact["id"]}], "tag_or_untag": "tag"}).status == 200
    assert on(api, contact) == [name]
    users = [{**user, "id": contact["id"]} for user in body["users"]]
    assert api.post("/tags", {"name": name, **body, "users": users}).status == 200
    assert on(api, contact) == []


def test_companies_are_tagged_and_untagged_by_either_id(api: Api):
    companies = [api.post("/companies", {"company_id": fresh("co-")}).json for _ in range(2)]
    names = [{"id": companies[0]["id"]}, {"company_id": companies[1]["company_id"]}]
    tag = api.post("/tags", {"name": fresh("big "), "companies": names}).json
    for company in companies:
        assert api.get(f"/companies/{company['id']}").json["tags"] == {"type": "tag.list", "tags": [tag]}
    api.post("/tags", {"name": tag["name"], "companies": [{**names[0], "untag": "true"}]})
    found = [company["id"] for company in api.get(f"/companies?tag_id={tag['id']}").json["data"]]
    assert found == [companies[1]["id"]]


@pytest.mark.parametrize(
    ("users", "companies", "error"),
    [
        ([{"id": "nobody"}], [], no_user("users[1]")),
        ([{"user_id": "nobody"}], [], no_user("users[1]")),
        ([{"email": "nobody@example.com"}], [], no_user("users[1]")),
        ([], [{"id": "none"}], (404, "company_not_found", "Company Not Found", "companies[0]")),
        ([], [{"company_id": "none"}], (404, "company_not_found", "Company Not Found", "companies[0]")),
    ],
)
def test_one_unknown_name_keeps_all_from_being_tagged(api: Api, users: Any, companies: Any, error: Any):
    contact, name = api.contact(), fresh("never ")
    known = [{"id": contact["id"]}]
    assert api.post("/tags", {"name": name, "users": [*known, *users], "companies": companies}).error == error
    assert on(api, contact) == []
    assert name not in [tag["name"] for tag in api.get("/tags").json["data"]]


def test_an_address_of_several_users_tags_none_of_them(api: Api):
    email = f"{fresh('shared')}@example.com"
    contacts = [api.contact(external_id=fresh("user-"), email=email) for _ in range(2)]
    status, code, *_ = api.post("/tags", {"name": fresh("who "), "users": [{"email": email}]}).error
    assert (status, code) == (409, "conflict")
    assert [on(api, contact) for contact in contacts] == [[], []]


def test_nothing_is_made_to_be_taken_off(api: Api):
    contact, name = api.contact(), fresh("absent ")
    untag = {"name": name, "users": [{"id": contact["id"], "untag": True}]}
    assert api.post("/tags", untag).error == (404, "not_found", "Resource Not Found", "name")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"test": "invalid"}, INVALID),
        ({"name": ""}, INVALID),
        ({"name": "  "}, INVALID),
        ({"name": None}, INVALID),
        ({"id": "1"}, INVALID),
        ({"users": [{"id": "1"}]}, INVALID),
        ({"name": 5}, (400, "type_mismatch", "name must be a string, got a whole number", "name")),
        ({"name": "a\x00"}, (400, "parameter_invalid", "name must not contain control characters", "name")),
        ({"name": "a" * 256}, (400, "parameter_invalid", "name must have at most 255 characters, got 256", "name")),
        ({"id": "99999999999999999999", "name": "a"}, (404, "not_found", "Resource Not Found", "id")),
        ({"id": "x", "name": "a"}, (404, "not_found", "Resource Not Found", "id")),
        ({"name": "a", "users": {}}, (400, "type_mismatch", "users must be a list, got an object", "users")),
        ({"name": "a", "users": [5]}, (400, "type_mismatch", "users[0] must be an object, got a whole number", "users[0]")),
        (
            {"name": "a", "users": [{}]},
            (400, "parameter_not_found", "users[0] must have one of id, user_id, email", "users[0]"),
        ),
        (
            {"name": "a", "companies": [{"name": "b"}]},
            (400, "parameter_not_found", "companies[0] must have one of id, company_id", "companies[0]"),
        ),
        (
            {"name": "a", "users": [{"id": "1", "untag": "maybe"}]},
            (400, "parameter_invalid", "users[0].untag must be true or false", "users[0].untag"),
        ),
        (
            {"name": "a", "tag_or_untag": "both"},
            (400, "parameter_invalid", "tag_or_untag must be tag or untag, got 'both'", "tag_or_untag"),
        ),
        ([], (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
    ],
)
def test_a_body_that_says_nothing_clear_is_refused_by_field(api: Api, body: Any, error: Any):
    before = api.get("/tags").json
    assert api.post("/tags", body).error == error
    assert api.get("/tags").json == before


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, (400, "parameter_not_found", "id is required: the id of the tag", "id")),
        ({"id": ""}, (400, "parameter_not_found", "id is required: the id of the tag", "id")),
        ({"id": True}, (400, "type_mismatch", "id must be a whole number or a string, got true or false", "id")),
        ({"id": "123456789"}, (404, "not_found", "Resource Not Found", "id")),
        ({"id": -1}, (404, "not_found", "Resource Not Found", "id")),
    ],
)
def test_a_contact_is_not_tagged_with_what_is_no_tag(api: Api, body: Any, error: Any):
    contact = api.contact()
    assert api.post(f"/contacts/{contact['id']}/tags", body).error == error


def test_an_unknown_contact_and_an_unknown_tag_have_texts_of_their_own(api: Api):
    contact, tag = api.contact(), make(api)
    unknown = "/contacts/000000000000000000000000/tags"
    answers = [api.get(unknown), api.post(unknown, {"id": tag["id"]}), api.delete(f"{unknown}/{tag['id']}")]
    assert {answer.error[:3] for answer in answers} == {(404, "not_found", "User Not Found")}
    for id in ("999999", "x", tag["id"]):  # the last is a tag, but not this contact's
        assert api.delete(f"/contacts/{contact['id']}/tags/{id}").error == NO_TAG


def test_a_deleted_tag_is_gone_from_all_that_had_it(api: Api):
    contact, tag, kept = api.contact(), make(api), make(api)
    company = api.post("/companies", {"company_id": fresh("co-")}).json
    for each in (tag, kept):
        api.post("/tags", {"name": each["name"], "users": [{"id": contact["id"]}], "companies": [{"id": company["id"]}]})
    answer = api.delete(f"/tags/{tag['id']}", body={})
    assert (answer.status, answer.body) == (200, b"")
    assert [api.get(f"/tags/{tag['id']}").error, api.delete(f"/tags/{tag['id']}").error] == [NO_TAG, NO_TAG]
    assert on(api, contact) == [kept["name"]]
    assert api.get(f"/companies/{company['id']}").json["tags"]["tags"] == [kept]


def test_a_tag_that_segments_ask_for_stays(api: Api):
    tag, other = make(api), make(api)
    segments = api.server.server.directory.segments
    for name in ("Seg 1", "Seg 2"):
        nobody = {"field": "external_id", "operator": "=", "value": fresh("nobody-")}
        filters = [nobody, {"field": "tag_id", "operator": "=", "value": tag["id"]}]
        nested = {"operator": "AND", "value": [{"operator": "OR", "value": filters}]}
        segments.create(1, name=name, person_type="user", query=nested, now=NOW)
    message = "Unable to delete Tag with dependent objects. Segments: Seg 1, Seg 2."
    assert api.delete(f"/tags/{tag['id']}").error == (400, "tag_has_dependent_objects", message, "tag_id")
    assert api.get(f"/tags/{tag['id']}").json == tag
    assert api.delete(f"/tags/{other['id']}").status == 200


def test_tags_and_companies_follow_a_merge_and_the_targets_own_stay(api: Api, clock: Any):
    lead, user, tags = api.contact(role="lead"), api.contact(), [make(api) for _ in range(2)]
    companies = [api.post("/companies", {"company_id": fresh("co-")}).json for _ in range(2)]

    def hang(contact: Any, tag: Any, company: Any) -> None:
        assert api.post(f"/contacts/{contact['id']}/tags", {"id": tag["id"]}).status == 200
        assert api.post(f"/contacts/{contact['id']}/companies", {"id": company["id"]}).status == 200

    clock.freeze(NOW)
    hang(user, tags[0], companies[0])
    clock.freeze(NOW + 60)
    hang(lead, tags[0], companies[0])
    hang(lead, tags[1], companies[1])
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    found = api.get(f"/contacts/{user['id']}/tags").json["data"]
    assert [(tag["id"], tag["applied_at"]) for tag in found] == [(tags[1]["id"], NOW + 60), (tags[0]["id"], NOW)]
    counts = [api.get(f"/companies/{company['id']}").json["user_count"] for company in companies]
    assert counts == [1, 1]
    assert api.get(f"/contacts/{user['id']}").json["companies"]["total_count"] == 2


def test_an_archived_contact_keeps_its_tags_and_has_no_paths(api: Api):
    contact, tag = api.contact(), make(api)
    api.post(f"/contacts/{contact['id']}/tags", {"id": tag["id"]})
    assert api.post(f"/contacts/{contact['id']}/archive", {}).status == 200
    assert api.get(f"/contacts/{contact['id']}/tags").error[:3] == (404, "not_found", "User Not Found")
    assert api.post("/tags", {"name": tag["name"], "users": [{"id": contact["id"]}]}).error == no_user("users[0]")
    assert api.post(f"/contacts/{contact['id']}/unarchive", {}).status == 200
    assert on(api, contact) == [tag["name"]]


def test_tags_are_there_after_a_restart(tmp_path: Any):
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        contact, tag = api.contact(), make(api)
        applied = api.post(f"/contacts/{contact['id']}/tags", {"id": tag["id"]}).json
        token = server.token
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server, token)
        assert api.get("/tags").json["data"] == [tag]
        assert api.get(f"/contacts/{contact['id']}/tags").json["data"] == [applied]
