"""The catalogue of event names: what it counts, and what describing, renaming and archiving a name changes everywhere."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, fresh

WHEN = 1_671_028_894
NO_NAME = (404, "not_found", "Event name not found", "name")


@pytest.fixture
def alone() -> Iterator[Api]:
    """A server of its own, so that its catalogue is known whole."""
    with TrackrecordServer() as server:
        yield Api(server)


def address(name: str) -> str:
    return f"/-/api/event-names/{quote(name, safe='')}"


def names(api: Api, query: str = "") -> list[str]:
    return [each["name"] for each in api.get(f"/-/api/event-names{query}").json["data"]]


def change(api: Api, which: str, **fields: Any) -> Answer:
    return api.put(address(which), fields)


def one(api: Api, name: str) -> Any:
    answer = api.get(address(name))
    assert answer.status == 200, answer
    return answer.json


def test_an_empty_catalogue_is_an_empty_list(alone: Api):
    pages = {"type": "pages", "page": 1, "per_page": 50, "total_pages": 0}
    assert alone.get("/-/api/event-names").json == {"type": "list", "data": [], "total_count": 0, "pages": pages}


def test_a_name_is_shown_with_what_was_counted_of_it(alone: Api):
    alone.server.clock.freeze(1_700_000_000)
    contact = alone.contact()
    sent = [
        {"created_at": WHEN, "metadata": {"price": {"amount": 1, "currency": "eur"}, "plan": "pro"}},
        {"created_at": WHEN + 5, "metadata": {"price": 12, "gone": None}},
        {"created_at": WHEN + 5},
        {"created_at": WHEN - 5, "metadata": {"price": 13.5, "plan": "pro", "paid_date": WHEN}},
    ]
    for each in sent:
        assert alone.submit(event_name="Placed Order", id=contact["id"], **each).status == 202
    assert one(alone, "placed order") == {
        "type": "event_name",
        "name": "Placed Order",
        "aliases": [],
        "description": None,
        "created_at": 1_700_000_000,
        "archived_at": None,
        "first_seen_at": WHEN - 5,
        "last_seen_at": WHEN + 5,
        "count": 3,
        "duplicates": 1,
        "keys_dropped": 1,
        "metadata": [
            {"key": "price", "count": 3, "kinds": [{"kind": "number", "count": 2}, {"kind": "money", "count": 1}]},
            {"key": "plan", "count": 2, "kinds": [{"kind": "string", "count": 2}]},
            {"key": "paid_date", "count": 1, "kinds": [{"kind": "date", "count": 1}]},
        ],
    }
    assert alone.get("/-/api/event-names").json["data"] == [one(alone, "placed order")]


def test_a_name_that_only_summaries_were_sent_of_is_there_without_events(alone: Api):
    contact = alone.contact()
    summaries = {"event_name": "imported", "count": 7, "first": WHEN, "last": WHEN}
    assert alone.post("/events/summaries", {"id": contact["id"], "event_summaries": summaries}).status == 200
    found = one(alone, "imported")
    assert (found["count"], found["first_seen_at"], found["last_seen_at"], found["metadata"]) == (0, None, None, [])


def test_names_are_paged_in_the_order_of_the_alphabet(alone: Api):
    contact = alone.contact()
    for name in ("b", "ä", "C", "a", "d/e f"):
        alone.submit(event_name=name, id=contact["id"])
    first = alone.get("/-/api/event-names?per_page=2").json
    assert [each["name"] for each in first["data"]] == ["a", "b"]
    assert (first["total_count"], first["pages"]["total_pages"], first["pages"]["next"]["page"]) == (5, 3, 2)
    second = alone.get(f"/-/api/event-names?per_page=2&starting_after={first['pages']['next']['starting_after']}").json
    assert [each["name"] for each in second["data"]] == ["C", "d/e f"]
    third = alone.get(f"/-/api/event-names?per_page=2&starting_after={second['pages']['next']['starting_after']}").json
    assert ([each["name"] for each in third["data"]], "next" in third["pages"], third["pages"]["page"]) == (["ä"], False, 3)


@pytest.mark.parametrize("cursor", ["x", "1", "0-61", "2-zz", "2-f", "2-ff", "2-61-1", "2-6161" * 3000])
def test_a_cursor_that_is_not_ours_is_refused(api: Api, cursor: str):
    text = "starting_after must be a cursor from pages.next of an earlier answer"
    assert api.get(f"/-/api/event-names?starting_after={cursor}").error == (400, "parameter_invalid", text, "starting_after")


@pytest.mark.parametrize("name", ["a/b", "a%b", "a b", "ä€", "a?b#c", "/", "..", "a//b", "a+b", "a&b=c"])
def test_every_awkward_name_is_found_url_encoded(alone: Api, name: str):
    alone.submit(event_name=name, id=alone.contact()["id"])
    shown = name.replace(".", "-")
    assert one(alone, name)["name"] == shown
    assert change(alone, name, description="d").json["description"] == "d"


def test_a_name_nobody_sent_is_not_found(api: Api):
    assert api.get(address("never")).error == NO_NAME
    assert change(api, "never", description="x").error == NO_NAME


# --- Changing ------------------------------------------------------------------------------------------------------------


def test_what_is_not_sent_stays(api: Api):
    name = fresh("name-")
    api.submit(event_name=name, id=api.contact()["id"])
    assert change(api, name, description="what it means").json["description"] == "what it means"
    before = one(api, name)
    assert change(api, name).json == before
    assert api.put(address(name), b"").json == before
    assert change(api, name, unknown=1).json == before
    assert change(api, name, description=None).json["description"] is None
    assert change(api, name, description="").json["description"] is None


def test_a_description_stands_in_summaries(api: Api):
    contact, name = api.contact(), fresh("name-")
    api.submit(event_name=name, id=contact["id"])
    assert api.summary(contact)[0]["description"] is None
    change(api, name, description="what it means")
    assert api.summary(contact)[0]["description"] == "what it means"


def test_a_renamed_event_is_shown_so_everywhere_and_both_names_lead_to_it(alone: Api):
    contact = alone.contact()
    answer = alone.submit(event_name="Signed-Up", created_at=WHEN, id=contact["id"])
    assert [each["event_name"] for each in alone.events(contact)] == ["Signed-Up"]
    renamed = change(alone, "signed-up", name="Joined").json
    assert (renamed["name"], renamed["aliases"], renamed["count"]) == ("Joined", ["signed-up"], 1)
    for n, name in enumerate(("signed-up", "SIGNED-UP", "joined"), 1):
        assert alone.submit(event_name=name, created_at=WHEN + n, id=contact["id"]).status == 202
    lines = b"\n".join(
        json.dumps({"event_name": name, "created_at": WHEN + 3 + n, "id": contact["id"]}).encode() for n, name in enumerate("ab")
    )
    assert alone.post("/-/api/import/events", lines.replace(b'"a"', b'"Signed-up"').replace(b'"b"', b'"joined"')).json["new"] == 1
    assert [each["event_name"] for each in alone.events(contact)] == ["Joined"] * 5
    assert [(row["name"], row["count"]) for row in alone.summary(contact)] == [("Joined", 5)]
    assert alone.receipt(answer)["event"]["event_name"] == "Joined"
    assert {json.loads(line)["event_name"] for line in exported(alone)} == {"Joined"}
    assert names(alone) == ["Joined"]
    assert one(alone, "Signed-Up") == one(alone, "joined")


def exported(api: Api) -> list[str]:
    request = Request(f"{api.url}/-/api/export/events", headers={"Authorization": f"Bearer {api.token}"})
    with urlopen(request, timeout=10) as answer:
        return answer.read().decode().splitlines()


def test_the_same_event_under_the_old_and_the_new_name_is_one(alone: Api):
    contact = alone.contact()
    alone.submit(event_name="old", created_at=WHEN, id=contact["id"])
    change(alone, "old", name="new")
    assert alone.receipt(alone.submit(event_name="new", created_at=WHEN, id=contact["id"]))["outcome"] == "duplicate"
    assert alone.receipt(alone.submit(event_name="old", created_at=WHEN, id=contact["id"]))["outcome"] == "duplicate"


def test_a_name_may_be_written_otherwise_and_renamed_back_and_forth(alone: Api):
    alone.submit(event_name="one", id=alone.contact()["id"])
    assert change(alone, "one", name="ONE").json["aliases"] == []
    assert change(alone, "one", name="two").json["aliases"] == ["one"]
    assert change(alone, "one", name="three").json["aliases"] == ["one", "two"]
    back = change(alone, "two", name="One").json
    assert (back["name"], back["aliases"]) == ("One", ["three", "two"])
    assert names(alone) == ["One"]


def test_a_name_that_another_has_or_had_is_a_conflict_that_names_it(alone: Api):
    contact = alone.contact()
    for name in ("First", "Second"):
        alone.submit(event_name=name, id=contact["id"])
    text = "there is an event name 'First' already; names that differ only in case are one"
    assert change(alone, "second", name="FIRST", description="lost").error == (409, "conflict", text, "name")
    assert one(alone, "second")["description"] is None
    change(alone, "first", name="Third")
    text = "'first' was the name of 'Third', and events sent under it still go there"
    assert change(alone, "second", name="first").error == (409, "conflict", text, "name")
    assert names(alone) == ["Second", "Third"]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"name": ""}, (400, "parameter_not_found", "name must not be empty; leave it out to keep the name as it is", "name")),
        ({"name": "x" * 256}, (422, "data_invalid", "name must have at most 255 characters, got 256", "name")),
        ({"name": "a\u0000"}, (400, "parameter_invalid", "name must not contain NUL characters", "name")),
        ({"name": 5}, (400, "type_mismatch", "name must be a string, got a whole number", "name")),
        ({"name": None}, (400, "type_mismatch", "name must be a string, got null", "name")),
        ({"description": 5}, (400, "type_mismatch", "description must be a string, got a whole number", "description")),
        (
            {"description": "x" * 1001},
            (400, "parameter_invalid", "description must have at most 1000 characters, got 1001", "description"),
        ),
        ({"archived": "yes"}, (400, "type_mismatch", "archived must be true or false, got a string", "archived")),
    ],
)
def test_a_bad_change_is_refused_by_field_and_changes_nothing(api: Api, body: Any, refusal: tuple[Any, ...]):
    name = fresh("name-")
    api.submit(event_name=name, id=api.contact()["id"])
    before = one(api, name)
    assert change(api, name, **{"description": "lost", **body}).error == refusal
    assert one(api, name) == before


# --- Archiving -----------------------------------------------------------------------------------------------------------


def test_an_archived_name_is_listed_only_when_asked_for_and_still_takes_events(alone: Api):
    contact = alone.contact()
    alone.server.clock.freeze(1_700_000_000)
    for name in ("kept", "old"):
        alone.submit(event_name=name, created_at=WHEN, id=contact["id"])
    assert change(alone, "old", archived=True).json["archived_at"] == 1_700_000_000
    alone.server.clock.freeze(1_700_000_500)
    assert change(alone, "old", archived=True).json["archived_at"] == 1_700_000_000
    assert (names(alone), names(alone, "?include_archived=true")) == (["kept"], ["kept", "old"])
    assert alone.get("/-/api/event-names").json["total_count"] == 1
    assert alone.submit(event_name="old", created_at=WHEN + 1, id=contact["id"]).status == 202
    assert (one(alone, "old")["archived_at"], one(alone, "old")["count"]) == (1_700_000_000, 2)
    assert [each["event_name"] for each in alone.events(contact)] == ["old", "old", "kept"]
    assert change(alone, "old", archived=False).json["archived_at"] is None
    assert names(alone) == ["kept", "old"]


def test_archiving_frees_room_for_a_name_and_bringing_it_back_needs_room():
    with TrackrecordServer(event_names_max=2) as server:
        api = Api(server)
        contact = api.contact()
        submit = lambda name: api.submit(event_name=name, id=contact["id"])  # noqa: E731
        text = "Cannot have more than 2 active event names"
        assert [submit(name).status for name in ("a", "b", "c")] == [202, 202, 422]
        change(api, "a", archived=True)
        assert [submit(name).status for name in ("c", "d", "a")] == [202, 422, 202]
        assert change(api, "a", archived=False).error == (422, "unprocessable_entity", text, "archived")
        assert (names(api), one(api, "a")["archived_at"] is None) == (["b", "c"], False)


def test_an_archived_name_that_is_sent_while_its_limit_is_full_still_takes_events_after_a_restart(tmp_path: Any):
    data, token = str(tmp_path / "data"), fresh("token-")
    with TrackrecordServer(data=data, token=token) as server:
        api = Api(server)
        contact = api.contact()
        api.submit(event_name="old", created_at=WHEN, id=contact["id"])
        change(api, "old", name="new", description="d", archived=True)
    with TrackrecordServer(data=data, token=token, event_names_max=1) as server:
        api = Api(server)
        found = one(api, "old")
        assert (found["name"], found["description"], found["aliases"], found["count"]) == ("new", "d", ["old"], 1)
        assert [api.submit(event_name=name, created_at=WHEN + 1, id=contact["id"]).status for name in ("other", "old")] == [202, 202]
        assert names(api) == ["other"]


# --- Workspaces ----------------------------------------------------------------------------------------------------------


def test_a_workspace_has_a_catalogue_of_its_own(alone: Api):
    directory = alone.server.server.directory
    there = directory.workspaces.create("theirs", "theirs", now=0)
    scopes = ["write_events", "read_contacts", "write_contacts"]
    theirs = Api(alone.server, directory.tokens.create(there.number, "t", scopes, now=0)[1])
    ours, other = alone.contact(), theirs.contact()
    alone.submit(event_name="same", created_at=WHEN, id=ours["id"])
    assert theirs.get(address("same")).error == NO_NAME
    assert change(theirs, "same", name="stolen").error == NO_NAME
    theirs.submit(event_name="Same", created_at=WHEN, id=other["id"])
    assert change(theirs, "same", name="changed", description="theirs", archived=True).status == 200
    assert [each["event_name"] for each in alone.events(ours)] == ["same"]
    assert [each["event_name"] for each in theirs.events(other)] == ["changed"]
    assert (one(alone, "same")["description"], one(alone, "same")["archived_at"]) == (None, None)
    assert (names(alone), names(theirs)) == (["same"], [])
