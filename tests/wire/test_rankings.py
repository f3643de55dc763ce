"""Who did something most, with which values of its metadata, and how active each name is: over the wire, as JSON and CSV."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"
DAY = 86_400
START = 1_767_225_600  # the first of January 2026, UTC
NOW = START + 3 * DAY + 7_200
EUR = {"amount": 500, "currency": "eur"}


@pytest.fixture(scope="module")
def shop() -> Iterator[Api]:
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        api = Api(server)
        for who in "abc":
            api.contact(external_id=who, email=f"{who}@example.com", name=who.upper())
        add(
            api,
            ("Bought", 10, "a", {"plan": "pro", "price": EUR}),
            ("bought", 20, "b", {"plan": "pro", "price": {**EUR, "currency": "EUR"}}),
        )
        add(api, ("bought", DAY, "a", {"plan": "free", "price": 500}), ("bought", DAY + 1, "b", {"plan": 1}), ("bought", 3 * DAY, "b", {}))
        add(api, ("visited", 2 * DAY, "c", {"plan": "pro"}))
        yield api


def add(api: Api, *events: tuple[str, int, str, dict[str, Any]]) -> None:
    lines = [json.dumps({"event_name": n, "created_at": START + at, "user_id": who, "metadata": data}) for n, at, who, data in events]
    assert api.post("/-/api/import/events", "\n".join(lines).encode()).json["new"] == len(events)


def get(api: Api, path: str, **params: Any) -> Any:
    answer = api.get(f"/-/api/{path}?{urlencode(params)}")
    assert answer.status == 200, answer
    return answer.json


def rows(api: Api, path: str, **params: Any) -> list[list[str]]:
    answer = api.get(f"/-/api/{path}?{urlencode({**params, 'format': 'csv'})}")
    assert answer.header("content-type") == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.body.decode())))


def test_a_key_is_found_in_whatever_case_it_was_sent(shop: Api):
    add(shop, ("moved", 30, "a", {"From": "here"}), ("moved", 40, "a", {"from": "here"}), ("moved", 50, "a", {"FROM": "there"}))
    found = get(shop, "reports/breakdown", event_name="moved", key="fRoM")
    assert [(row["value"], row["events"]) for row in found["data"]] == [("here", 2), ("there", 1)]
    assert found["without_key"] == 0


@pytest.mark.parametrize("path", ["top-contacts?event_name=bought", "breakdown?event_name=bought&key=plan"])
def test_no_ranking_is_of_a_segment(shop: Api, path: str):
    message = "segment_id is for trends, funnels and retention; this report is of everybody"
    assert shop.get(f"/-/api/reports/{path}&segment_id=1").error == (400, "parameter_invalid", message, "segment_id")


def test_top_contacts_stand_with_how_often_they_did_it_most_first(shop: Api):
    ids = {each["external_id"]: each["id"] for each in shop.get("/contacts").json["data"]}
    a = {"id": ids["a"], "external_id": "a", "name": "A", "email": "a@example.com", "role": "user"}
    b = {"id": ids["b"], "external_id": "b", "name": "B", "email": "b@example.com", "role": "user"}
    assert get(shop, "reports/top-contacts", event_name="BOUGHT") == {
        "type": "top_contacts",
        "event_name": "Bought",
        "since": None,
        "until": None,
        "events": 5,
        "contacts": 2,
        "data": [
            {**b, "count": 3, "first": START + 20, "last": START + 3 * DAY},
            {**a, "count": 2, "first": START + 10, "last": START + DAY},
        ],
    }
    found = get(shop, "reports/top-contacts", event_name="bought", since=START + DAY, until=START + 3 * DAY, limit=1)
    assert (found["events"], found["contacts"]) == (2, 2)
    assert found["data"] == [{**a, "count": 1, "first": START + DAY, "last": START + DAY}]
    assert rows(shop, "reports/top-contacts", event_name="visited") == [
        ["id", "external_id", "name", "email", "role", "count", "first", "last"],
        [ids["c"], "c", "C", "c@example.com", "user", "1", str(START + 2 * DAY), str(START + 2 * DAY)],
    ]


def test_a_breakdown_tells_values_of_different_kinds_apart(shop: Api):
    found = get(shop, "reports/breakdown", event_name="bought", key="plan")
    assert found == {
        "type": "breakdown",
        "event_name": "Bought",
        "key": "plan",
        "since": None,
        "until": None,
        "events": 5,
        "contacts": 2,
        "without_key": 1,
        "other_events": 0,
        "other_values": 0,
        "data": [
            {"value": "pro", "kind": "string", "events": 2, "contacts": 2},
            {"value": "free", "kind": "string", "events": 1, "contacts": 1},
            {"value": 1, "kind": "number", "events": 1, "contacts": 1},
        ],
    }
    found = get(shop, "reports/breakdown", event_name="bought", key="price", limit=1, until=START + 2 * DAY)
    assert found["data"] == [{"value": EUR, "kind": "money", "events": 2, "contacts": 2}]
    assert [found[each] for each in ("events", "without_key", "other_events", "other_values")] == [4, 1, 1, 1]
    assert rows(shop, "reports/breakdown", event_name="bought", key="price", limit=1) == [
        ["value", "kind", "events", "contacts"],
        ['{"amount":500,"currency":"eur"}', "money", "2", "2"],
        ["other values", "", "1", ""],
        ["no price", "", "2", ""],
    ]
    assert get(shop, "reports/breakdown", event_name="visited", key="never")["data"] == []


def test_a_number_of_any_length_comes_back_as_it_was_sent(shop: Api):
    long = 123456789012345678901234567890
    add(shop, ("measured", 1, "a", {"n": long}))
    answer = shop.get("/-/api/reports/breakdown?event_name=measured&key=n")
    assert (answer.status, b'"value":123456789012345678901234567890,' in answer.body) == (200, True)


def test_names_come_with_their_contacts_and_the_days_of_the_workspace_when_asked(shop: Api):
    def activity(api: Api, which: str = "bought") -> tuple[int, list[int]]:
        one = get(api, f"event-names/{which}", include_activity="true")
        listed = {each["name"].lower(): each for each in get(api, "event-names", include_activity="true")["data"]}[which]
        assert (one["contacts"], one["days"]) == (listed["contacts"], listed["days"])
        return one["contacts"], one["days"]

    assert activity(shop) == (2, [0] * 26 + [2, 2, 0, 1])
    assert activity(shop, "visited") == (1, [0] * 28 + [1, 0])
    assert not {"contacts", "days"} & get(shop, "event-names/bought").keys()
    workspace = shop.server.server.directory.workspaces.create("far", "Far", now=0, timezone="Asia/Kolkata")
    scopes = ("read_events", "write_events", "write_contacts")
    far = Api(shop.server, shop.server.server.directory.tokens.create(workspace.number, "all", scopes, now=0)[1])
    far.contact(external_id="a")
    add(far, ("bought", 2 * DAY + 19 * 3_600, "a", {}))  # half past midnight of the fourth there, where it is half past seven now
    assert activity(far) == (1, [0] * 29 + [1])
    assert activity(shop) == (2, [0] * 26 + [2, 2, 0, 1])


def test_what_cannot_be_ranked_is_refused_by_field(shop: Api):
    def refused(path: str) -> tuple[int, str, str]:
        status, code, _, field = shop.get(f"/-/api/{path}").error
        return status, code, field

    assert [
        refused("reports/top-contacts"),
        refused("reports/top-contacts?event_name=never"),
        refused("reports/breakdown?event_name=bought"),
        refused("reports/breakdown?event_name=bought&key=plan&limit=many"),
        refused(f"reports/breakdown?event_name=bought&key={'k' * 1_001}"),
        refused("reports/top-contacts?event_name=bought&since=soon"),
        refused("reports/top-contacts?event_name=bought&since=20&until=20"),
        refused("reports/top-contacts?event_name=bought&format=xml"),
        refused("event-names?include_activity=perhaps"),
    ] == [
        (400, "parameter_not_found", "event_name"),
        (400, "parameter_invalid", "event_name"),
        (400, "parameter_not_found", "key"),
        (400, "parameter_invalid", "limit"),
        (400, "parameter_invalid", "key"),
        (400, "type_mismatch", "since"),
        (400, "parameter_invalid", "until"),
        (400, "parameter_invalid", "format"),
        (400, "parameter_invalid", "include_activity"),
    ]


def test_who_may_not_read_contacts_is_told_no_names_of_them(shop: Api):
    def token(*scopes: str) -> Api:
        return Api(shop.server, shop.server.server.directory.tokens.create(1, "some", scopes, now=0)[1])

    path = "/-/api/reports/top-contacts?event_name=bought"
    assert token("read_events").get(path).error[1] == "token_unauthorized"
    assert token("read_events", "read_contacts").get(path).status == 200


@pytest.mark.skipif(not (DATA / "expected.json").exists(), reason="the real event stream is not beside this checkout")
def test_of_a_real_stream_the_busiest_contacts_are_the_known_ones():
    expected = json.loads((DATA / "expected.json").read_text("utf-8"))
    with TrackrecordServer() as server:
        api = Api(server)
        for noun in ("contacts", "events"):
            lines = gzip.decompress((DATA / f"{noun}.ndjson.gz").read_bytes()).splitlines()
            for start in range(0, len(lines), 2_000):
                assert api.post(f"/-/api/import/{noun}", b"\n".join(lines[start : start + 2_000])).status == 200
        counts = {}
        for name, count in expected["per_event_name"].items():
            found = get(api, "reports/top-contacts", event_name=name, limit=150)
            assert found["events"] == count
            counts[name] = {each["external_id"]: {key: each[key] for key in ("count", "first", "last")} for each in found["data"]}
        for user in expected["top_users"]:
            for name, wanted in user["events"].items():
                if user["user_id"] in counts[name]:  # else 150 others did it more often
                    assert counts[name][user["user_id"]] == wanted
        assert sum(user["user_id"] in counts["authored-commit"] for user in expected["top_users"]) == 10
