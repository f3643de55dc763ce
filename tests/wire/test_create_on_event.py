"""Contacts that events make, where the setting create_contacts says so; and that none is made where it does not."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

WHEN = 1_671_028_894
NO_USER = (404, "not_found", "User Not Found")


@pytest.fixture(scope="module", params=["lenient", "strict"])
def making(request: Any) -> Iterator[Api]:
    """A server that makes contacts of events, in each profile."""
    with TrackrecordServer(create_contacts=True, profile=request.param, rate_limit_per_minute=0, listing_days=0) as server:
        yield Api(server)


@pytest.fixture(scope="module")
def lenient() -> Iterator[Api]:
    with TrackrecordServer(create_contacts=True) as server:
        yield Api(server)


def event(**more: Any) -> dict[str, Any]:
    return {"event_name": "clicked", "created_at": WHEN, **more}


def found(api: Api, external_id: str) -> Any:
    return api.get(f"/contacts/find_by_external_id/{external_id}").json


def everybody(api: Api) -> list[tuple[Any, Any]]:
    """(external_id, email) of every contact."""
    listed = api.get("/contacts?per_page=150").json
    assert listed["total_count"] <= 150
    return [(each["external_id"], each["email"]) for each in listed["data"]]


def lines(api: Api, *events: dict[str, Any]) -> Any:
    return api.post("/-/api/import/events", b"\n".join(json.dumps(each).encode() for each in events)).json


def test_without_the_setting_an_event_of_nobody_is_refused_and_makes_nobody(api: Api):
    who = fresh("nobody-")
    assert api.submit(**event(user_id=who)).error[:3] == NO_USER
    assert lines(api, event(user_id=who))["refused"][0]["message"] == "User Not Found"
    assert api.get(f"/contacts/find_by_external_id/{who}").error[:3] == NO_USER


def test_an_event_makes_a_user_of_its_user_id_and_email(making: Api):
    who = fresh("new-")
    assert making.submit(**event(user_id=who, email=f"{who}@example.com")).status == 202
    contact = found(making, who)
    assert (contact["role"], contact["external_id"], contact["email"]) == ("user", who, f"{who}@example.com")
    assert [each["user_id"] for each in making.events(contact)] == [who]


def test_an_event_makes_a_user_of_an_email_alone(making: Api):
    who = f"{fresh('new-')}@Example.com"
    assert [making.submit(**event(email=who, created_at=WHEN + n)).status for n in range(2)] == [202, 202]
    assert [each for each in everybody(making) if each[1] == who] == [(None, who)]


def test_a_number_as_user_id_makes_a_user_with_its_digits(making: Api):
    number = 77_000_000 + int(fresh(""))
    assert making.submit(**event(user_id=number)).status == 202
    assert found(making, str(number))["external_id"] == str(number)


def test_the_second_event_goes_to_the_contact_that_the_first_made(making: Api):
    who = fresh("new-")
    assert [making.submit(**event(user_id=who, created_at=WHEN + n)).status for n in range(3)] == [202] * 3
    assert len(making.events(found(making, who))) == 3


def test_an_id_of_ours_that_names_nobody_makes_nobody(making: Api):
    before = everybody(making)
    assert making.submit(**event(id="6762f0cd1bb69f9f2193bb7c")).error[:3] == NO_USER
    strict = making.server.server.profile.name == "strict"  # where intercom_user_id is passed over
    refused = making.submit(**event(intercom_user_id="6762f0cd1bb69f9f2193bb7c")).error
    assert refused[:2] == ((400, "parameter_not_found") if strict else (404, "not_found"))
    assert everybody(making) == before


def test_in_strict_an_id_that_names_nobody_decides_and_in_lenient_the_user_id_beside_it_is_made():
    sent = event(id="6762f0cd1bb69f9f2193bb7c", user_id="u1")
    for profile, status, there in (("strict", 404, []), ("lenient", 202, [("u1", None)])):
        with TrackrecordServer(create_contacts=True, profile=profile) as server:
            api = Api(server)
            assert (api.submit(**sent).status, everybody(api)) == (status, there)


@pytest.mark.parametrize(
    ("bad", "status", "field"),
    [
        ({"user_id": "a\u0007b"}, 400, "user_id"),
        ({"user_id": "x" * 256}, 400, "user_id"),
        ({"email": "no address"}, 400, "email"),
        ({"user_id": "fine", "email": "no address"}, 400, "email"),
        ({"user_id": "refused", "created_at": -1}, 422, "created_at"),
        ({"user_id": "refused", "event_name": ""}, 400, "event_name"),
    ],
)
def test_what_is_refused_makes_nobody(making: Api, bad: dict[str, Any], status: int, field: str):
    before = everybody(making)
    answer = making.submit(**event(**bad))
    assert (answer.status, answer.error[3]) == (status, field)
    assert [row["field"] for row in lines(making, event(**bad))["refused"]] == [field]
    assert everybody(making) == before


def test_an_event_refused_for_the_limit_of_names_makes_nobody():
    limit = (422, "unprocessable_entity", "Cannot have more than 2 active event names", "event_name")
    with TrackrecordServer(create_contacts=True, event_names_max=2) as server:
        api = Api(server)
        assert [api.submit(**event(user_id="u1", event_name=name)).status for name in ("one", "two")] == [202, 202]
        assert api.submit(**event(user_id="g1", event_name="three")).error == limit
        assert api.submit(**event(user_id="u1", event_name="three")).error == limit
        job = api.post(
            "/bulk/events",
            {"items": [{"method": "post", "data": event(user_id="g2", event_name=name)} for name in ("three",)]} | {"job": {}},
        ).json
        assert api.get(f"/jobs/{job['id']}/error").json["items"][0]["error"]["code"] == limit[1]
        refused = lines(api, event(user_id="g3", event_name="three"), event(user_id="g4", event_name="three"), event(user_id="g4"))[
            "refused"
        ]
        assert [(row["line"], row["field"]) for row in refused] == [(1, "event_name"), (2, "event_name"), (3, "event_name")]
        assert api.submit(**event(user_id="g5", event_name="ONE")).status == 202  # a name that is there
        assert sorted(everybody(api)) == [("g5", None), ("u1", None)]


def test_summaries_make_nobody(making: Api):
    sent = {"user_id": fresh("new-"), "event_summaries": {"event_name": "clicked", "count": 1}}
    assert making.post("/events/summaries", sent).error[:3] == NO_USER


def test_events_that_race_make_one_contact(making: Api):
    who = fresh("new-")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: making.submit(**event(user_id=who, created_at=WHEN + n)), range(60)))
    assert {answer.status for answer in answers} == {202}
    assert [each for each in everybody(making) if each[0] == who] == [(who, None)]
    assert len(making.events(found(making, who))) == 60


def test_an_import_makes_each_contact_once_and_takes_all_its_events(making: Api):
    one, two = fresh("new-"), fresh("new-")
    sent = [event(user_id=who, created_at=WHEN + n) for n in range(20) for who in (one, two)]
    sent += [event(email=f"{two}@example.com"), event(email=f"{two.upper()}@example.com", created_at=WHEN + 1)]
    answer = lines(making, *sent)
    assert (answer["new"], answer["duplicate"], answer["refused"]) == (42, 0, [])
    assert [len(making.events(found(making, who))) for who in (one, two)] == [20, 20]
    assert [each for each in everybody(making) if each[1]] == [each for each in everybody(making) if each[1]]
    assert sum(each == (None, f"{two}@example.com") for each in everybody(making)) == 1
    assert lines(making, *sent)["duplicate"] == 42


def test_a_bulk_makes_contacts_too(lenient: Api):
    who = fresh("new-")
    items = [{"method": "post", "data_type": "event", "data": event(user_id=who, created_at=WHEN + n)} for n in range(3)]
    assert lenient.post("/bulk/events", {"items": items}).status in (200, 202)
    assert len(lenient.events(found(lenient, who))) == 3
    assert [each for each in everybody(lenient) if each[0] == who] == [(who, None)]


def test_lines_are_given_their_contacts_as_single_events_in_their_order_would_be(lenient: Api):
    who = fresh("new-")
    address = f"{who}@example.com"
    answer = lines(lenient, event(email=address), event(user_id=who, email=address, created_at=WHEN + 1))
    assert (answer["new"], answer["refused"]) == (2, [])
    assert [each for each in everybody(lenient) if each[1] == address] == [(None, address)]


def test_who_was_archived_is_not_made_again(making: Api):
    who = fresh("gone-")
    made = making.contact(external_id=who)
    assert making.post(f"/contacts/{made['id']}/archive", {}).status == 200
    assert making.submit(**event(user_id=who)).error[:3] == NO_USER
    assert lines(making, event(user_id=who))["refused"][0]["message"] == "User Not Found"


def test_who_was_blocked_is_not_made_again(making: Api):
    address = f"{fresh('gone-')}@example.com"
    made = making.contact(role="user", email=address)
    assert making.post(f"/contacts/{made['id']}/block", {}).status == 200
    assert making.submit(**event(email=address)).error[:3] == NO_USER


def test_in_strict_a_new_user_id_with_the_address_of_another_user_is_a_conflict():
    with TrackrecordServer(create_contacts=True, profile="strict") as server:
        api = Api(server)
        other = api.contact(external_id="other", email="joe@example.com")
        text = f"A contact matching those details already exists with id={other['id']}"
        assert api.submit(**event(user_id="new", email="joe@example.com")).error[:3] == (409, "conflict", text)
        assert everybody(api) == [("other", "joe@example.com")]


def test_a_contact_deleted_meanwhile_is_made_anew_without_its_old_events(making: Api):
    who = fresh("new-")
    assert making.submit(**event(user_id=who)).status == 202
    first = found(making, who)
    assert making.delete(f"/contacts/{first['id']}").status == 200
    assert making.submit(**event(user_id=who, created_at=WHEN + 5)).status == 202
    second = found(making, who)
    assert second["id"] != first["id"]
    assert [each["created_at"] for each in making.events(second)] == [WHEN + 5]


def test_contacts_are_made_in_the_workspace_of_the_token_alone(making: Api):
    directory = making.server.server.directory
    there = directory.workspaces.create(fresh("ws"), "theirs", now=0)
    theirs = Api(making.server, directory.tokens.create(there.number, "t", ["write_events", "read_contacts"], now=0)[1])
    who = fresh("new-")
    assert theirs.submit(**event(user_id=who)).status == 202
    assert making.get(f"/contacts/find_by_external_id/{who}").error[:3] == NO_USER
    assert everybody(theirs) == [(who, None)]
