"""Archiving, unarchiving and blocking contacts. The contract, 4.1, 4.3 and 4.7."""

from pathlib import Path
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, fresh

WHEN = 1_671_028_894


def nobody(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "User Not Found", field)


def do(api: Api, verb: str, contact: Any, body: Any = None) -> Answer:
    """POST /contacts/{id}/<verb>; clients send no body, or an empty object."""
    return api.post(f"/contacts/{contact['id']}/{verb}", body)


def known(api: Api, **more: Any) -> Any:
    """A user with an external_id and an email of its own."""
    return api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.org", **more)


@pytest.mark.parametrize("body", [None, {}, b"", b"no JSON"])
def test_each_answers_with_the_contact_by_name(api: Api, body: Any):
    contact = known(api)
    named = {"type": "contact", "id": contact["id"], "external_id": contact["external_id"]}
    for verb, said in (("archive", {"archived": True}), ("unarchive", {"archived": False}), ("block", {"blocked": True})):
        for _ in range(2):  # again, it changes nothing
            answer = do(api, verb, contact, body)
            assert (answer.status, answer.json, list(answer.json)[-1]) == (200, {**named, **said}, next(iter(said)))
    lead = api.contact(role="lead")
    assert do(api, "archive", lead).json == {"type": "contact", "id": lead["id"], "external_id": None, "archived": True}


@pytest.mark.parametrize("verb", ["archive", "block"])
def test_who_is_hidden_answers_to_nothing_not_even_from_a_cache(api: Api, verb: str):
    contact = known(api)
    names = {"id": contact["id"], "user_id": contact["external_id"], "email": contact["email"]}
    for number, (name, value) in enumerate(names.items()):  # so that each is remembered
        assert api.submit(event_name="before", created_at=WHEN + number, **{name: value}).status == 202
    assert len(api.events(contact)) == 3
    assert do(api, verb, contact).status == 200
    for name, value in names.items():
        assert api.submit(event_name="after", created_at=WHEN, **{name: value}).error == nobody(name)
        listed = "intercom_user_id" if name == "id" else name
        assert api.get(f"/events?type=user&{listed}={value}").error == nobody(listed)
    summaries = {"id": contact["id"], "event_summaries": {"event_name": "after", "count": 1}}
    assert api.post("/events/summaries", summaries).error == nobody("id")
    assert api.get(f"/contacts/{contact['id']}").error == nobody("contact_id")
    assert api.put(f"/contacts/{contact['id']}", {"name": "x"}).error == nobody("contact_id")
    assert api.get(f"/contacts/find_by_external_id/{contact['external_id']}").error == nobody("external_id")
    assert contact["id"] not in [each["id"] for each in api.get("/contacts?per_page=150").json["data"]]


def test_a_contact_is_shown_in_whatever_state_it_is(api: Api, clock: Any):
    clock.freeze(WHEN)
    user, lead, other = known(api, name="Joe"), api.contact(role="lead"), known(api)
    state = {"anonymous_id": None, "archived_at": None, "blocked_at": None, "merged_into": None}

    def shown(contact: Any) -> Any:
        answer = api.get(f"/-/api/contacts/{contact['id']}")
        assert answer.status == 200
        return answer.json

    assert shown(user) == {**user, **state}
    named = api.get(f"/events?intercom_user_id={lead['id']}&type=user&summary=true").json["user_id"]
    assert shown(lead) == {**lead, **state, "anonymous_id": named}
    assert do(api, "archive", user).status == 200
    assert shown(user) == {**user, **state, "archived_at": WHEN}
    clock.freeze(WHEN + 60)
    assert do(api, "block", user).status == 200
    assert shown(user) == {**user, **state, "archived_at": WHEN, "blocked_at": WHEN + 60}
    assert api.post("/contacts/merge", {"from": lead["id"], "into": other["id"]}).status == 200
    assert (shown(lead)["merged_into"], shown(lead)["email"]) == (other["id"], None)
    assert do(api, "archive", other).status == 200
    assert shown(lead)["merged_into"] == other["id"]
    assert api.delete(f"/contacts/{other['id']}").status == 200
    for contact in (lead, other):
        assert api.get(f"/-/api/contacts/{contact['id']}").error == nobody("contact_id")


def test_unarchiving_brings_everything_back(api: Api):
    contact = known(api, name="Joe", custom_attributes={"archived_plan": "pro"})
    api.submit(event_name="done", created_at=WHEN, id=contact["id"])
    baseline = {"event_name": "imported", "count": 5, "first": WHEN, "last": WHEN}
    assert api.post("/events/summaries", {"id": contact["id"], "event_summaries": baseline}).status == 200
    before = (api.get(f"/contacts/{contact['id']}").json, api.events(contact), api.summary(contact))
    assert do(api, "archive", contact).status == 200
    assert do(api, "unarchive", contact).status == 200
    assert (api.get(f"/contacts/{contact['id']}").json, api.events(contact), api.summary(contact)) == before
    for name, value in (("id", contact["id"]), ("user_id", contact["external_id"]), ("email", contact["email"])):
        assert api.submit(event_name=f"again by {name}", created_at=WHEN + 1, **{name: value}).status == 202
    assert len(api.events(contact)) == 4


def test_who_is_hidden_still_claims_what_it_is_called(api: Api):
    contact = known(api)
    assert do(api, "archive", contact).status == 200
    text = f"An archived contact matching those details already exists with id={contact['id']}"
    for named in ({"external_id": contact["external_id"]}, {"email": contact["email"].upper()}):
        assert api.post("/contacts", named).error == (409, "conflict", text, next(iter(named)))
    other = api.contact()
    assert api.put(f"/contacts/{other['id']}", {"external_id": contact["external_id"]}).error == (409, "conflict", text, "external_id")
    assert do(api, "block", contact).status == 200
    blocked = "The contact was blocked and cannot be recreated"
    for named in ({"external_id": contact["external_id"]}, {"email": contact["email"]}):
        assert api.post("/contacts", named).error == (403, "not_restorable", blocked, next(iter(named)))


def test_who_is_blocked_comes_back_by_no_way(api: Api):
    contact = known(api)
    assert do(api, "block", contact).status == 200
    refused = (403, "not_restorable", "The contact was blocked and is not restorable", "contact_id")
    assert do(api, "unarchive", contact).error == refused
    assert do(api, "archive", contact).error == nobody("contact_id")
    assert do(api, "block", contact).status == 200


@pytest.mark.parametrize("verb", ["archive", "block"])
def test_who_is_hidden_can_be_deleted_by_its_id(api: Api, verb: str):
    contact = known(api)
    api.submit(event_name="done", created_at=WHEN, id=contact["id"])
    assert do(api, verb, contact).status == 200
    gone = {"type": "contact", "id": contact["id"], "external_id": contact["external_id"], "deleted": True}
    assert api.delete(f"/contacts/{contact['id']}").json == gone
    assert do(api, "unarchive", contact).error == nobody("contact_id")
    again = api.contact(external_id=contact["external_id"], email=contact["email"])
    assert api.events(again) == []


@pytest.mark.parametrize("id", ["0" * 24, "x", "%00", "%C3%BC", "a%20b", "..", "%27%3B--", "9" * 500])
@pytest.mark.parametrize("verb", ["archive", "unarchive", "block"])
def test_an_id_that_names_nobody_is_not_found(api: Api, verb: str, id: str):
    assert api.post(f"/contacts/{id}/{verb}", None).error == nobody("contact_id")


def test_blocking_came_with_2_13_and_archiving_with_2_0(api: Api):
    contact = api.contact()
    absent = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")
    answers = [
        api.post(f"/contacts/{contact['id']}/{verb}", None, f"Intercom-Version: {version}")
        for verb, version in (("archive", "1.4"), ("archive", "2.0"), ("unarchive", "2.0"), ("block", "2.12"), ("block", "2.13"))
    ]
    assert [answer.error if answer.status == 400 else answer.status for answer in answers] == [absent, 200, 200, absent, 200]


def test_what_was_hidden_is_hidden_after_a_restart_and_comes_back_whole(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        contact, blocked = api.contact(external_id="1"), api.contact(external_id="2")
        api.submit(event_name="done", created_at=WHEN, id=contact["id"])
        assert [do(api, "archive", contact).status, do(api, "block", blocked).status] == [200, 200]
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        assert api.submit(event_name="done", created_at=WHEN + 1, user_id="1").error == nobody("user_id")
        assert do(api, "unarchive", contact).status == 200
        assert api.get(f"/contacts/{contact['id']}").json == contact
        assert [event["created_at"] for event in api.events(contact)] == [WHEN]
        assert api.submit(event_name="done", created_at=WHEN + 1, user_id="2").error == nobody("user_id")


def test_hidden_contacts_are_listed_the_last_archived_first_with_when():
    with TrackrecordServer() as server:
        api = Api(server)
        made = []
        for number in range(5):
            made.append(api.contact(external_id=f"user-{number}"))
            server.clock.freeze(WHEN + 10 * number)
            assert do(api, "block" if number == 2 else "archive", made[-1]).status == 200
        live = api.contact(external_id="live")
        empty = {"type": "pages", "page": 3, "per_page": 2, "total_pages": 3}
        pages = [api.get("/-/api/contacts/archived?per_page=2").json]
        while "next" in pages[-1]["pages"]:
            pages.append(api.get(f"/-/api/contacts/archived?per_page=2&starting_after={pages[-1]['pages']['next']['starting_after']}").json)
        listed = [contact for page in pages for contact in page["data"]]
        assert listed[0] == {**made[4], "archived_at": WHEN + 40, "blocked_at": None}
        assert [(each["external_id"], each["archived_at"], each["blocked_at"]) for each in listed] == [
            ("user-4", WHEN + 40, None),
            ("user-3", WHEN + 30, None),
            ("user-2", WHEN + 20, WHEN + 20),
            ("user-1", WHEN + 10, None),
            ("user-0", WHEN, None),
        ]
        assert ([len(page["data"]) for page in pages], {page["total_count"] for page in pages}) == ([2, 2, 1], {5})
        assert pages[-1]["pages"] == empty
        for contact in listed:
            assert do(api, "unarchive", contact).status == (403 if contact["blocked_at"] else 200)
        left = api.get("/-/api/contacts/archived").json
        assert [contact["external_id"] for contact in left["data"]] == ["user-2"]
        assert api.get(f"/contacts/{live['id']}").status == 200


def test_a_list_of_hidden_contacts_is_refused_by_field(api: Api):
    cursor = "starting_after must be a cursor from pages.next of an earlier answer"
    assert api.get("/-/api/contacts/archived?starting_after=x").error == (400, "parameter_invalid", cursor, "starting_after")
    number = "per_page must be a whole number from 1 to 150, got 'x'"
    assert api.get("/-/api/contacts/archived?per_page=x").error == (400, "parameter_invalid", number, "per_page")
