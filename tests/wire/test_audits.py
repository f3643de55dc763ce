"""Deleting events: they are gone from everything that is read, and it stays written who had them go."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from trackrecord.background import WAITING_MAX
from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

WHEN = 1_671_028_894
NO_EVENT = (404, "not_found", "Event not found", "position")


@pytest.fixture
def alone() -> Iterator[Api]:
    """A server of its own, so that its audits are known whole."""
    with TrackrecordServer() as server:
        yield Api(server)


def named(name: str) -> dict[str, Any]:
    return {"field": "event_name", "operator": "=", "value": name}


def submit(api: Api, contact: Any, name: str, n: int) -> int:
    answer = api.submit(event_name=name, created_at=WHEN + n, id=contact["id"], metadata={"n": n})
    assert answer.status == 202, answer
    return int(answer.header("trackrecord-receipt") or 0)


def delete(api: Api, query: Any, **more: Any) -> Any:
    answer = api.post("/-/api/events/delete", {"query": query, **more})
    assert answer.status == 200, answer
    return answer.json


def listed(api: Api, contact: Any) -> list[int]:
    return [each["metadata"]["n"] for each in api.events(contact)]


def audits(api: Api) -> list[Any]:
    return list(api.get("/-/api/audits").json["data"])


def test_one_event_is_deleted_by_its_position(alone: Api):
    alone.server.clock.freeze(1_700_000_000)
    contact = alone.contact()
    positions = [submit(alone, contact, "clicked", n) for n in range(3)]
    answer = alone.delete(f"/-/api/events/{positions[1]}")
    audit = {
        "type": "audit",
        "id": "1",
        "action": "delete_events",
        "at": 1_700_000_000,
        "completed_at": 1_700_000_000,
        "token": {"id": "1", "name": "from --token"},
        "subject": {"position": positions[1]},
        "count": 1,
    }
    pages = {"type": "pages", "page": 1, "per_page": 50}
    assert (answer.status, answer.json) == (
        200,
        {"type": "event.deletion", "dry_run": False, "count": 1, "audit": audit, "pages": pages},
    )
    assert listed(alone, contact) == [2, 0]
    assert audits(alone) == [audit]
    assert alone.delete(f"/-/api/events/{positions[1]}").error == NO_EVENT
    assert len(audits(alone)) == 1


@pytest.mark.parametrize("position", ["0", "999999", "x", "-1", "1.5", "²", "9" * 19, "9" * 40])
def test_a_position_that_holds_no_event_is_not_found(api: Api, position: str):
    assert api.delete(f"/-/api/events/{quote(position)}").error == NO_EVENT


def test_a_duplicates_position_holds_no_event(alone: Api):
    contact = alone.contact()
    first, copy = submit(alone, contact, "clicked", 1), submit(alone, contact, "clicked", 1)
    assert alone.delete(f"/-/api/events/{copy}").error == NO_EVENT
    assert alone.delete(f"/-/api/events/{first}").status == 200


def test_what_is_deleted_is_gone_from_everything_that_is_read(alone: Api):
    contact = alone.contact()
    position = submit(alone, contact, "ordered", 1)
    submit(alone, contact, "ordered", 2)
    submit(alone, contact, "ordered", 2)
    submit(alone, contact, "clicked", 3)
    assert delete(alone, named("Ordered"))["count"] == 2
    assert listed(alone, contact) == [3]
    assert [(row["name"], row["count"]) for row in alone.summary(contact)] == [("clicked", 1)]
    assert alone.get(f"/-/api/receipts/{position}").json["outcome"] == "erased"
    catalogue = alone.get("/-/api/event-names").json["data"]
    assert [(each["name"], each["count"], each["duplicates"], each["metadata"] != []) for each in catalogue] == [
        ("clicked", 1, 0, True),
        ("ordered", 0, 0, False),
    ]
    assert [each["metadata"]["n"] for each in alone.post("/-/api/events/search", {}).json["data"]] == [3]


def test_a_deleted_event_that_is_sent_again_is_stored_again(alone: Api):
    contact = alone.contact()
    first = submit(alone, contact, "ordered", 1)
    alone.delete(f"/-/api/events/{first}")
    again = submit(alone, contact, "ordered", 1)
    assert alone.get(f"/-/api/receipts/{again}").json["outcome"] == "stored"
    assert listed(alone, contact) == [1]


def test_of_many_deletions_of_the_same_events_at_once_one_deletes_each_and_tells_of_it(alone: Api):
    contact = alone.contact()
    positions = [submit(alone, contact, "clicked", n) for n in range(7)]

    def one(_: int) -> int:
        answer = alone.delete(f"/-/api/events/{positions[0]}")
        assert answer.status == 200 or answer.error == NO_EVENT
        return answer.status

    def several(_: int) -> tuple[int, bool]:
        found = delete(alone, named("clicked"))
        return found["count"], found["audit"] is None

    with ThreadPoolExecutor(WAITING_MAX) as clients:
        assert sorted(clients.map(one, range(20))) == [200, *[404] * 19]
        assert sorted(clients.map(several, range(12))) == [*[(0, True)] * 11, (6, False)]
    assert [each["count"] for each in audits(alone)] == [6, 1]
    assert listed(alone, contact) == []


def test_a_dry_run_counts_and_deletes_nothing(alone: Api):
    contact = alone.contact()
    for n in range(5):
        submit(alone, contact, "ordered", n)
    query = {"operator": "AND", "value": [named("ordered"), {"field": "metadata.n", "operator": ">=", "value": 2}]}
    counted = delete(alone, query, dry_run=True)
    assert (counted["dry_run"], counted["count"], counted["audit"]) == (True, 3, None)
    assert (len(listed(alone, contact)), audits(alone)) == (5, [])
    done = delete(alone, query)
    assert (done["dry_run"], done["count"], done["audit"]["count"]) == (False, 3, 3)
    assert done["audit"]["subject"] == {"query": query, "limit": 10_000}
    assert listed(alone, contact) == [1, 0]


def test_a_query_that_finds_nothing_deletes_nothing_and_leaves_no_audit(alone: Api):
    answer = delete(alone, named("never"))
    assert (answer["count"], answer["audit"], audits(alone)) == (0, None, [])


def test_a_limit_deletes_the_newest_and_says_where_it_goes_on(alone: Api):
    contact = alone.contact()
    for n in range(5):
        submit(alone, contact, "ordered", n)
    first = delete(alone, named("ordered"), limit=2)
    assert (first["count"], listed(alone, contact)) == (2, [2, 1, 0])
    following = first["pages"]["next"]["starting_after"]
    second = delete(alone, named("ordered"), limit=2, pagination={"starting_after": following})
    assert (second["count"], listed(alone, contact)) == (2, [0])
    assert [each["count"] for each in audits(alone)] == [2, 2]


def test_many_events_are_deleted_by_one_request(alone: Api):
    contact = alone.contact()
    for start in range(0, 12_000, 2_000):
        lines = [{"event_name": "many", "created_at": WHEN + n, "id": contact["id"]} for n in range(start, start + 2_000)]
        assert alone.post("/-/api/import/events", b"\n".join(json.dumps(each).encode() for each in lines)).json["new"] == 2_000
    counted = delete(alone, named("many"), dry_run=True)
    assert (counted["count"], counted["pages"]) == (12_000, {"type": "pages", "page": 1, "per_page": 10_000})
    assert delete(alone, named("many"))["count"] == 10_000
    assert alone.get("/-/api/event-names/many").json["count"] == 2_000
    assert delete(alone, named("many"))["count"] == 2_000
    assert alone.get("/-/api/event-names/many").json["count"] == 0


def test_deletions_and_their_audits_are_there_after_a_restart(tmp_path: Any):
    data, token = str(tmp_path / "data"), fresh("token-")
    with TrackrecordServer(data=data, token=token) as server:
        api = Api(server)
        contact = api.contact()
        submit(api, contact, "ordered", 1)
        submit(api, contact, "clicked", 2)
        before = delete(api, named("ordered"))["audit"]
    with TrackrecordServer(data=data, token=token) as server:
        api = Api(server)
        assert listed(api, contact) == [2]
        assert audits(api) == [before]


def test_audits_are_paged_newest_first(alone: Api):
    contact = alone.contact()
    for n in range(5):
        alone.delete(f"/-/api/events/{submit(alone, contact, 'clicked', n)}")
    first = alone.get("/-/api/audits?per_page=2").json
    assert ([each["id"] for each in first["data"]], first["total_count"], first["pages"]["total_pages"]) == (["5", "4"], 5, 3)
    second = alone.get(f"/-/api/audits?per_page=2&starting_after={first['pages']['next']['starting_after']}").json
    third = alone.get(f"/-/api/audits?per_page=2&starting_after={second['pages']['next']['starting_after']}").json
    assert ([each["id"] for each in second["data"]], [each["id"] for each in third["data"]]) == (["3", "2"], ["1"])
    assert "next" not in third["pages"]


def test_an_audit_says_whose_token_it_was(alone: Api):
    tokens = alone.server.server.directory.tokens
    token, secret = tokens.create(1, "cleaner", ["delete_events"], now=0)
    contact = alone.contact()
    position = submit(alone, contact, "clicked", 1)
    assert Api(alone.server, secret).delete(f"/-/api/events/{position}").status == 200
    assert audits(alone)[0]["token"] == {"id": str(token.id), "name": "cleaner"}


def test_nothing_is_deleted_that_no_audit_could_be_written_of(tmp_path: Any):
    with TrackrecordServer(data=str(tmp_path)) as server:
        alone = Api(server)
        contact = alone.contact()
        position = submit(alone, contact, "clicked", 1)
        with contextlib.closing(sqlite3.connect(tmp_path / "directory.db", isolation_level=None)) as db:
            db.execute("CREATE TRIGGER full BEFORE INSERT ON audits BEGIN SELECT RAISE(ABORT, 'no room'); END")
            for answer in (alone.delete(f"/-/api/events/{position}"), alone.post("/-/api/events/delete", {"query": named("clicked")})):
                assert answer.status >= 500
            assert listed(alone, contact) == [1]
            db.execute("DROP TRIGGER full")
        assert alone.delete(f"/-/api/events/{position}").status == 200


def test_what_a_crash_cut_short_stays_written_as_begun(alone: Api):
    directory = alone.server.server.directory
    directory.audits.begin(1, token=None, action="delete_events", subject={"position": 7}, count=1, now=WHEN)
    (audit,) = audits(alone)
    assert (audit["at"], audit["completed_at"], audit["token"], audit["subject"]) == (WHEN, None, None, {"position": 7})


def test_a_workspace_deletes_its_own_events_alone_and_sees_its_own_audits(alone: Api):
    directory = alone.server.server.directory
    there = directory.workspaces.create("theirs", "theirs", now=0)
    theirs = Api(alone.server, directory.tokens.create(there.number, "t", ["delete_events"], now=0)[1])
    contact = alone.contact()
    position = submit(alone, contact, "clicked", 1)
    assert theirs.delete(f"/-/api/events/{position}").error == NO_EVENT
    everything = {"field": "created_at", "operator": ">", "value": 0}
    assert delete(theirs, everything, dry_run=True)["count"] == delete(theirs, everything)["count"] == 0
    assert listed(alone, contact) == [1]
    alone.delete(f"/-/api/events/{position}")
    assert (len(audits(alone)), audits(theirs)) == (1, [])


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "parameter_not_found", "query is required: which events are to be deleted", "query")),
        ({"query": None}, (400, "parameter_not_found", "query is required: which events are to be deleted", "query")),
        ({"query": named("x"), "limit": 0}, (400, "parameter_invalid", "limit must be from 1 to 10000, got 0", "limit")),
        ({"query": named("x"), "limit": 10_001}, (400, "parameter_invalid", "limit must be from 1 to 10000, got 10001", "limit")),
        ({"query": named("x"), "limit": "5"}, (400, "type_mismatch", "limit must be a whole number, got a string", "limit")),
        ({"query": named("x"), "dry_run": "yes"}, (400, "type_mismatch", "dry_run must be true or false, got a string", "dry_run")),
        (
            {"query": {"field": "metadata.n", "operator": ">", "value": "5"}},
            (400, "type_mismatch", "query.value must be a number, as it is compared with >; got a string", "query.value"),
        ),
    ],
)
def test_a_bad_deletion_is_refused_by_field_and_deletes_nothing(alone: Api, body: Any, refusal: tuple[Any, ...]):
    contact = alone.contact()
    submit(alone, contact, "x", 1)
    assert alone.post("/-/api/events/delete", body).error == refusal
    assert (listed(alone, contact), audits(alone)) == ([1], [])
