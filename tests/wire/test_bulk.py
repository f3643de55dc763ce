"""Bulk and its jobs: many items in one body, each kept or refused by itself. The contract, section 3."""

import contextlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from real_server import TOKEN, RealServer

from trackrecord.testing import Clock, TrackrecordServer

from .client import Answer, Api, fresh, request
from .test_access import with_token

WHEN = 1_671_028_894
DAY = 86_400
NO_JOB = (404, "job_not_found", "Job Not Found", "job_id")


def event(name: str = "ordered-item", created_at: Any = WHEN, **more: Any) -> dict[str, Any]:
    return {"method": "post", "data_type": "event", "data": {"event_name": name, "created_at": created_at, **more}}


def user(method: str = "post", **data: Any) -> dict[str, Any]:
    return {"method": method, "data_type": "user", "data": data}


def bulk(api: Api, items: list[Any], job: str | None = None, noun: str = "events") -> Any:
    body = {"items": items} if job is None else {"items": items, "job": {"id": job}}
    answer = api.post(f"/bulk/{noun}", body)
    assert answer.status == 202, answer
    return answer.json


def outcomes(api: Api, job: Any) -> list[tuple[Any, ...]]:
    """(outcome, code, field) of every item of a job, in order."""
    found: list[tuple[Any, ...]] = []
    query = ""
    while True:
        page = api.get(f"/-/api/jobs/{job['id']}?per_page=2{query}").json
        for item in page["data"]:
            error = item.get("error", {})
            found.append((item["outcome"], error.get("code"), error.get("field")))
        if "next" not in page["pages"]:
            return found
        query = f"&starting_after={page['pages']['next']['starting_after']}"


def failures(api: Api, job: Any) -> list[Any]:
    return list(api.get(f"/jobs/{job['id']}/error").json["items"])


# --- the job -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/bulk/events", "/jobs/events"])
@pytest.mark.parametrize("version", ["", "Intercom-Version: 1.0", "Intercom-Version: 2.14", "Intercom-Version: Preview"])
def test_a_job_is_answered_202_with_this_body_in_every_version(api: Api, clock: Clock, path: str, version: str):
    clock.freeze(1_700_000_000)
    contact = api.contact()
    body = {"items": [event(user_id=contact["external_id"]), event(created_at=WHEN + 1, id=contact["id"])]}
    answer = api.post(path, body, *([version] if version else []))
    job, task = answer.json["id"], answer.json["tasks"][0]["id"]
    assert (answer.status, answer.json) == (
        202,
        {
            "type": "job",
            "id": job,
            "app_id": "trackrecord",
            "name": "api_bulk_job",
            "state": "completed",
            "job_state": "completed",
            "created_at": 1_700_000_000,
            "updated_at": 1_700_000_000,
            "completed_at": 1_700_000_000,
            "closing_at": 1_700_000_900,
            "tasks": [
                {
                    "type": "task",
                    "id": task,
                    "item_count": 2,
                    "state": "completed",
                    "created_at": 1_700_000_000,
                    "started_at": 1_700_000_000,
                    "completed_at": 1_700_000_000,
                }
            ],
            "links": {"error": f"http://wire.test/jobs/{job}/error", "self": f"http://wire.test/jobs/{job}"},
        },
    )
    assert api.get(f"/jobs/{job}").json == answer.json
    assert [each["created_at"] for each in api.events(contact)] == [WHEN + 1, WHEN]


def test_what_was_acknowledged_is_in_lists_summaries_and_receipts_at_once(api: Api):
    contact = api.contact()
    job = bulk(api, [event("clicked", WHEN + number, id=contact["id"], metadata={"n": number}) for number in range(100)])
    assert [each["metadata"]["n"] for each in api.events(contact)] == list(range(99, -1, -1))
    assert [(row["name"], row["count"]) for row in api.summary(contact)] == [("clicked", 100)]
    items = api.get(f"/-/api/jobs/{job['id']}?per_page=150").json["data"]
    first = items[0]["receipt"]
    assert [item["receipt"] for item in items] == list(range(first, first + 100))
    assert api.get(f"/-/api/receipts/{first + 7}").json["event"]["metadata"] == {"n": 7}


def test_one_bulk_is_one_append_and_its_items_stand_next_to_each_other_whatever_is_refused(api: Api):
    contact = api.contact()
    good, bad = event("clicked", id=contact["id"]), event("clicked", user_id="nobody")
    items = [bad, good, bad, bad, event("clicked", WHEN + 1, id=contact["id"]), 5, event("clicked", WHEN + 2, id=contact["id"])]
    found = api.get(f"/-/api/jobs/{bulk(api, items)['id']}").json["data"]
    first = found[1]["receipt"]
    assert [item.get("receipt") for item in found] == [None, first, None, None, first + 1, None, first + 2]
    assert [api.get(f"/-/api/receipts/{first + number}").json["event"]["created_at"] - WHEN for number in range(3)] == [0, 1, 2]


def test_every_item_has_its_outcome_page_by_page(api: Api):
    contact = api.contact()
    items = [
        event("clicked", id=contact["id"]),
        event("Clicked", id=contact["id"]),
        event("clicked", user_id="nobody"),
        event("", id=contact["id"]),
        event("clicked", WHEN + 1, id=contact["id"]),
    ]
    job = bulk(api, items)
    stored, duplicate = ("stored", None, None), ("duplicate", None, None)
    expected = [stored, duplicate, ("refused", "not_found", "user_id"), ("refused", "parameter_not_found", "event_name"), stored]
    assert outcomes(api, job) == expected
    again = bulk(api, items, job["id"])
    assert outcomes(api, again) == [*expected, duplicate, duplicate, *expected[2:4], duplicate]
    shown = api.get(f"/-/api/jobs/{job['id']}").json
    assert (shown["total_count"], shown["refused_count"], shown["job"]) == (10, 4, again)
    assert len(api.events(contact)) == 2


def test_new_names_and_contacts_made_a_moment_ago_are_found(api: Api):
    names, users = [fresh("name ") for _ in range(50)], [fresh("user-") for _ in range(50)]
    assert outcomes(api, bulk(api, [user(user_id=each) for each in users], noun="users")) == [("stored", None, None)] * 50
    job = bulk(api, [event(name, user_id=each) for name, each in zip(names, users, strict=True)])
    assert failures(api, job) == []
    assert api.get(f"/events?type=user&user_id={users[7]}").json["events"][0]["event_name"] == names[7]


def test_names_past_the_limit_are_refused_and_a_refused_item_uses_none_up():
    with TrackrecordServer(event_names_max=2) as server:
        api = Api(server)
        api.contact(external_id="u1")
        names = [("lost", "nobody"), ("a", "u1"), ("b", "u1"), ("c", "u1"), ("A", "u1")]
        job = bulk(api, [event(name, WHEN + number, user_id=user_id) for number, (name, user_id) in enumerate(names)])
        stored = ("stored", None, None)
        past = ("refused", "unprocessable_entity", "event_name")
        assert outcomes(api, job) == [("refused", "not_found", "user_id"), stored, stored, past, stored]


def test_items_make_contacts_where_single_events_do():
    with TrackrecordServer(create_contacts=True) as server:
        api = Api(server)
        job = bulk(api, [event("clicked", WHEN + number, user_id="new") for number in range(3)])
        assert failures(api, job) == []
        assert api.get("/users?user_id=new").json["type"] == "user"
        assert len(api.get("/events?type=user&user_id=new").json["events"]) == 3


# --- joining a job -------------------------------------------------------------------------------------------------------


def test_a_job_takes_more_for_fifteen_minutes_and_lists_its_tasks(api: Api, clock: Clock):
    clock.freeze(1_700_000_000)
    contact = api.contact()
    job = bulk(api, [event(id=contact["id"])])
    clock.advance(899)
    more = bulk(api, [event(created_at=WHEN + 1, id=contact["id"]), event(user_id="nobody")], job["id"])
    assert (more["id"], more["created_at"], more["updated_at"], more["closing_at"]) == (
        job["id"],
        1_700_000_000,
        1_700_000_899,
        1_700_000_900,
    )
    assert [task["item_count"] for task in more["tasks"]] == [1, 2]
    clock.advance(1)
    late = api.post("/bulk/events", {"items": [event(created_at=WHEN + 2, id=contact["id"])], "job": {"id": job["id"]}})
    message = f"job {job['id']} is closed for new items since 1700000900: start a new bulk job"
    assert late.error == (403, "job_closed", message, "job.id")
    assert len(api.events(contact)) == 2  # what came too late was not kept


def test_a_job_of_events_takes_no_users(api: Api):
    job = bulk(api, [event(user_id="nobody")])
    answer = api.post("/bulk/users", {"items": [user(user_id=fresh("user-"))], "job": {"id": job["id"]}})
    assert answer.error == (403, "job_closed", f"job {job['id']} holds event items and takes no user: start a new bulk job", "job.id")


def test_an_unknown_job_is_not_found_and_nothing_is_kept(api: Api):
    contact = api.contact()
    answer = api.post("/bulk/events", {"items": [event(id=contact["id"])], "job": {"id": "job_unknown"}})
    assert answer.error == (*NO_JOB[:3], "job.id")
    assert api.events(contact) == []
    for path in ("/jobs/job_unknown", "/jobs/job_unknown/error", "/jobs/status/job_unknown", "/-/api/jobs/job_unknown"):
        assert api.get(path).error == NO_JOB


def test_the_status_of_a_job_is_asked_for_from_2_14_on(api: Api):
    job = bulk(api, [event(user_id="nobody")])["id"]
    url = f"http://wire.test/jobs/status/{job}"
    expected = {"type": "job", "id": job, "url": url, "status": "success"}
    assert api.get(f"/jobs/status/{job}").json == {**expected, "resource_type": "event", "resource_id": None, "resource_url": None}
    assert api.get(f"/jobs/status/{job}", "Intercom-Version: 2.13").error[:2] == (400, "intercom_version_invalid")


def test_jobs_are_dropped_with_their_age():
    with TrackrecordServer(jobs_keep_days=2) as server:
        api = Api(server)
        server.clock.freeze(1_700_000_000)
        old = bulk(api, [event(user_id="nobody")])
        server.clock.advance(2 * DAY)
        young = bulk(api, [event(user_id="nobody")])
        assert [api.get(f"/jobs/{job['id']}").status for job in (old, young)] == [200, 200]
        server.clock.advance(1)
        assert [api.get(f"/jobs/{job['id']}").status for job in (old, young)] == [404, 200]
        server.call(server.server.in_thread, server.server.drop_outdated)
        jobs = server.server.directory.jobs
        assert jobs.get(1, young["id"], since=0).id == young["id"]
        assert api.get(f"/jobs/{old['id']}/error").error == NO_JOB
        with pytest.raises(Exception, match="Job Not Found"):  # not hidden but gone
            jobs.get(1, old["id"], since=0)


def test_tasks_are_numbered_within_their_job_and_so_are_its_items_and_pages(api: Api):
    bulk(api, [5])  # whoever else has tasks counts for nothing
    job = bulk(api, [5, 5])
    bulk(api, [5], noun="users")
    job = bulk(api, [5, 5], job["id"])
    assert [task["id"] for task in job["tasks"]] == ["1", "2"]
    assert [item["id"] for item in failures(api, job)] == ["1-0", "1-1", "2-0", "2-1"]
    shown = api.get(f"/-/api/jobs/{job['id']}?per_page=3").json
    assert [(item["id"], item["task_id"]) for item in shown["data"]] == [("1-0", "1"), ("1-1", "1"), ("2-0", "2")]
    after = shown["pages"]["next"]["starting_after"]
    assert after == "2-2-0"
    assert [item["id"] for item in api.get(f"/-/api/jobs/{job['id']}?starting_after={after}").json["data"]] == ["2-1"]
    assert [item["id"] for item in api.get(f"/jobs/{job['id']}/error?starting_after={after}").json["items"]] == ["2-1"]
    for past, left in (("2-9-0", 0), ("2-0-0", 4)):
        assert len(api.get(f"/jobs/{job['id']}/error?starting_after={past}").json["items"]) == left
        assert len(api.get(f"/-/api/jobs/{job['id']}?starting_after={past}").json["data"]) == left


def test_an_empty_list_in_place_of_a_job_is_none(api: Api):
    contact = api.contact()
    answer = api.post("/bulk/events", {"items": [event(id=contact["id"])], "job": []})
    assert (answer.status, len(api.events(contact))) == (202, 1)


def test_a_refused_item_is_shown_with_the_type_of_its_path_where_it_names_none(api: Api):
    for noun, kind in (("events", "event"), ("users", "user")):
        job = bulk(api, [{"method": "post"}, {"method": "post", "data_type": None}, 5, {"data_type": "x"}], noun=noun)
        assert [item["data_type"] for item in failures(api, job)] == [kind, kind, kind, "x"]


def test_a_blocked_user_is_refused_by_what_names_it(api: Api):
    blocked = api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com")
    assert api.post(f"/contacts/{blocked['id']}/block", {}).status == 200
    items = [user(id=blocked["id"]), user(user_id=blocked["external_id"]), user(email=blocked["email"])]
    expected = [("refused", "not_restorable", field) for field in ("id", "user_id", "email")]
    assert outcomes(api, bulk(api, items, noun="users")) == expected


@pytest.mark.parametrize("version", ["2.0", "2.14", "2.16"])
@pytest.mark.parametrize("path", ["/bulk/events", "/bulk/users", "/jobs/events"])
def test_bulk_is_there_in_2_x_in_strict_too(api: Api, strict: Api, path: str, version: str):
    answers = [chosen.post(path, {"items": [5]}, f"Intercom-Version: {version}") for chosen in (api, strict)]
    assert [answer.status for answer in answers] == [202, 202]


# --- erased people -------------------------------------------------------------------------------------------------------

DROPPED = "What was sent was dropped, as the contact it named was deleted"


def erase(api: Api, contact: Any, how: str) -> None:
    if how == "delete":
        assert api.delete(f"/contacts/{contact['id']}").status == 200
    else:
        assert api.post("/user_delete_requests", {"intercom_user_id": contact["id"]}).status == 200


@pytest.mark.parametrize("how", ["delete", "user_delete_request"])
def test_who_is_erased_is_in_no_refused_item_any_more_and_others_are(api: Api, how: str):
    number = int(fresh("77100"))
    person = api.contact(external_id=str(number), email=f"{fresh('straße')}@example.com", name="Ann")
    lead = api.contact(role="lead", email=f"{fresh('lead')}@example.com")
    of_lead = api.get(f"/events?intercom_user_id={lead['id']}&type=user&summary=true").json["user_id"]
    assert api.post("/contacts/merge", {"from": lead["id"], "into": person["id"]}).status == 200
    whose: list[dict[str, Any]] = [
        {"id": person["id"]},
        {"intercom_user_id": person["id"]},
        {"user_id": person["external_id"]},
        {"user_id": number},
        {"email": f" {person['email'].upper()} "},
        {"id": lead["id"]},
        {"user_id": of_lead},
        {"user_id": "another", "email": person["email"]},
    ]
    others: list[Any] = [
        {"user_id": f"{number}0"},
        {"email": "another@example.com"},
        {"email": lead["email"]},
        {"metadata": {"user_id": number}},
    ]
    bad = {"event_name": "", "metadata": {"about": "Ann"}}
    sent = [{"method": "post", "data": {**bad, **each}} for each in [*whose, *others]]
    escaped = b'{"method":"post","data":{"user_id":"\\u0037%b"}}' % person["external_id"][1:].encode()
    beside = {"method": "post", "event_name": "x", "user_id": number}  # written where the method is
    odd = ["Ann", 5, {"method": "post", "data": [number]}]
    job = bulk(api, [*sent, beside, *odd])
    with_escape = api.post("/bulk/events", b'{"items":[%b]}' % escaped).json
    users = bulk(api, [user(name=5, **whose[2]), user(name=5, user_id="another")], noun="users")
    before, users_before = failures(api, job), failures(api, users)
    erase(api, person, how)

    gone, kept = [*range(len(whose)), len(sent)], [*range(len(whose), len(sent)), *range(len(sent) + 1, len(sent) + 4)]
    after = failures(api, job)
    assert len(after) == len(before) == len(gone) + len(kept)
    assert [after[each] for each in kept] == [before[each] for each in kept]
    for each in gone:
        error = {**before[each]["error"], "message": DROPPED}
        assert after[each] == {**before[each], "method": None, "data": None, "error": error}
    assert failures(api, with_escape)[0]["data"] is None
    users_after = failures(api, users)
    assert (users_after[0]["data"], users_after[0]["error"]["code"]) == (None, "type_mismatch")
    assert users_after[1] == users_before[1]
    assert len(api.get(f"/-/api/jobs/{job['id']}?per_page=150").json["data"]) == len(before)


def test_what_was_refused_of_others_in_another_workspace_stays_when_somebody_is_erased(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path)) as server:
        ours = Api(server)
        second = server.server.directory.workspaces.create("second", "Second", now=0)
        theirs = with_token(ours, "write_events", "write_contacts", workspace=second.number)
        person = ours.contact(external_id="u1")
        jobs = [bulk(each, [event("", user_id="u1")]) for each in (ours, theirs)]
        erase(ours, person, "delete")
        assert [failures(*each)[0]["data"] is None for each in zip((ours, theirs), jobs, strict=True)] == [True, False]


def test_of_many_that_were_merged_into_the_erased_each_is_looked_for(api: Api):
    person = api.contact()
    leads = [api.contact(role="lead") for _ in range(60)]
    for lead in leads:
        assert api.post("/contacts/merge", {"from": lead["id"], "into": person["id"]}).status == 200
    job = bulk(api, [event("", id=each["id"]) for each in (leads[0], leads[-1])] + [event("", id="another")])
    erase(api, person, "delete")
    assert [item["data"] is None for item in failures(api, job)] == [True, True, False]


def test_more_refused_items_than_are_read_together_are_all_looked_at(api: Api):
    person = api.contact()
    job = bulk(api, [event("", user_id=person["external_id"])])
    for _ in range(2):
        bulk(api, [5] * 1000)
    last = bulk(api, [event("", user_id=person["external_id"])], job["id"])
    erase(api, person, "delete")
    assert [item["data"] for item in failures(api, last)] == [None, None]


def test_an_item_that_nobody_can_read_is_emptied_with_the_next_who_is_erased(api: Api):
    number = b"7" * 5000
    sent = b'{"items":[{"method":"post","data":{"user_id":%b,"event_name":""}},{"method":"post","data":{"user_id":"u","event_name":""}}]}'
    job = api.post("/bulk/events", sent % number).json
    assert api.get(f"/jobs/{job['id']}/error").body.count(number) == 1
    erase(api, api.contact(), "delete")
    assert [item["data"] and item["data"]["user_id"] for item in failures(api, job)] == [None, "u"]


def test_nothing_is_kept_of_whom_an_emptied_item_named(tmp_path: Path):
    def kept() -> list[tuple[bytes]]:
        with contextlib.closing(sqlite3.connect(tmp_path / "directory.db")) as db:
            return db.execute("SELECT named FROM job_people ORDER BY task").fetchall()

    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        person = api.contact(external_id="u1", email="u1@example.com")
        bulk(api, [event("", user_id="another")])
        (others,) = kept()
        bulk(api, [event("", user_id="u1"), event("", user_id="u1", email="another@example.com")])
        bulk(api, [5])  # names nobody
        assert len(kept()) == 2
        erase(api, person, "delete")
        assert kept() == [others]


def test_to_erase_somebody_no_more_is_read_than_the_items_that_name_them():
    with TrackrecordServer() as server:
        api, directory = Api(server), server.server.directory
        asked: list[tuple[str, Any]] = []
        for items in ([event("", user_id="another")] * 3, [event("", user_id="u1")]):
            bulk(api, items)
        person = api.contact(external_id="u1")

        def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if "job_failures" in statement:
                asked.append((statement, values))

        sqlalchemy.event.listen(directory._db._writer, "before_cursor_execute", note)
        erase(api, person, "delete")
        with directory._db.reading() as connection:
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).one() for statement, values in asked]
        by_place = "SEARCH job_failures USING INDEX sqlite_autoindex_job_failures_1 (task=? AND item=?)"
        assert [plan[-1] for plan in plans] == [by_place, by_place]  # the item is read, and emptied


# --- the error feed ------------------------------------------------------------------------------------------------------


def test_the_error_feed_has_this_shape(api: Api, clock: Clock):
    clock.freeze(1_446_033_709)
    sent = event("clicked", 1_438_944_980, user_id="nobody", metadata={"a": 1e3, "b": "é"})
    job = bulk(api, [sent])
    task = job["tasks"][0]["id"]
    assert api.get(f"/jobs/{job['id']}/error").json == {
        "app_id": "trackrecord",
        "job_id": job["id"],
        "pages": {},
        "items": [
            {
                "type": "job_item",
                "id": f"{task}-0",
                "method": "post",
                "data_type": "event",
                "updated_at": 1_446_033_709,
                "error": {"code": "not_found", "message": "User Not Found", "field": "user_id"},
                "data": sent["data"],
            }
        ],
    }


def test_many_errors_are_paged_by_addresses_and_none_is_lost_or_repeated(api: Api):
    job = bulk(api, [event(f"e{number}", user_id="nobody") for number in range(5)])
    bulk(api, [event(f"e{number}", user_id="nobody") for number in range(5, 8)], job["id"])
    target, names, pages = f"/jobs/{job['id']}/error?per_page=3", [], 0
    while target:
        page = api.get(target).json
        names += [item["data"]["event_name"] for item in page["items"]]
        pages += 1
        assert list(page["pages"]) in ([], ["next"])
        target = page["pages"].get("next", "").removeprefix("http://wire.test")
    assert (names, pages) == ([f"e{number}" for number in range(8)], 3)


ITEMS: list[tuple[Any, tuple[str, str, str]]] = [
    (5, ("type_mismatch", "the item must be a JSON object, got a whole number", "items")),
    ({}, ("parameter_not_found", "method is required: post", "method")),
    ({"method": "put", "data": {}}, ("parameter_invalid", "method must be post, got 'put'", "method")),
    ({"method": 5, "data": {}}, ("type_mismatch", "method must be a string, got a whole number", "method")),
    ({"method": "delete", "data": {}}, ("parameter_invalid", "method must be post, got 'delete'", "method")),
    ({"method": "post", "data_type": "user", "data": {}}, ("parameter_invalid", "data_type must be event here, got 'user'", "data_type")),
    ({"method": "post"}, ("parameter_not_found", "data is required: the event", "data")),
    ({"method": "post", "data": None}, ("parameter_not_found", "data is required: the event", "data")),
    ({"method": "post", "data": []}, ("type_mismatch", "data must be a JSON object, got a list", "data")),
    (
        {"method": "post", "data": {"event_name": 5}},
        ("type_mismatch", "event_name must be a string, got a whole number", "event_name"),
    ),
    (
        {"method": "post", "data": {"event_name": "x", "id": "y" * (1 << 20)}},
        ("client_error", "data must be at most 1048576 bytes", "data"),
    ),
]


@pytest.mark.parametrize(("item", "error"), ITEMS, ids=[json.dumps(item)[:60] for item, _ in ITEMS])
def test_a_bad_item_has_its_error_and_keeps_no_other_out(api: Api, item: Any, error: tuple[str, str, str]):
    contact = api.contact()
    job = bulk(api, [item, event(id=contact["id"])])
    (failed,) = failures(api, job)
    assert tuple(failed["error"][key] for key in ("code", "message", "field")) == error
    assert failed["data"] == (item.get("data") if isinstance(item, dict) else item)
    assert len(api.events(contact)) == 1


# An event as POST /events refuses it. Whatever is wrong with one, an item of a bulk is told the same.
EVENTS: list[dict[str, Any]] = [
    {"created_at": WHEN, "user_id": "u"},
    {"event_name": "x" * 256, "created_at": WHEN, "user_id": "u"},
    {"event_name": "x", "created_at": WHEN},
    {"event_name": "x", "created_at": WHEN, "user_id": "nobody"},
    {"event_name": "x", "created_at": WHEN, "id": 5},
    {"event_name": "x", "created_at": WHEN, "email": "nobody@example.com"},
    {"event_name": "x", "created_at": "yesterday", "user_id": "u"},
    {"event_name": "x", "created_at": -1, "user_id": "u"},
    {"event_name": "x", "created_at": 1 << 50, "user_id": "u"},
    {"event_name": "x", "created_at": WHEN, "user_id": "u", "metadata": 5},
    {"event_name": "x", "user_id": "u", "metadata": {"a": {"b": 1}}},
]


@pytest.mark.parametrize("sent", EVENTS, ids=[json.dumps(sent)[:60] for sent in EVENTS])
@pytest.mark.parametrize("profile", ["lenient", "strict"])
def test_an_item_is_judged_as_the_single_event_is(api: Api, strict: Api, clock: Clock, sent: dict[str, Any], profile: str):
    chosen = api if profile == "lenient" else strict
    single = chosen.submit(**sent)
    job = bulk(chosen, [{"method": "post", "data_type": "event", "data": sent}])
    found = [tuple(item["error"].get(key) for key in ("code", "message", "field")) for item in failures(chosen, job)]
    assert found == ([] if single.status == 202 else [single.error[1:]])


def test_an_item_may_be_of_any_awkward_json_and_comes_back_as_it_was(api: Api):
    body = b'{"items":[{"method":"post","data":{"event_name":1e999,"x":123456789012345678901234567890}}]}'
    job = api.send("POST", "/bulk/events", body=body).json
    answer = api.get(f"/jobs/{job['id']}/error")
    assert b'"data":{"event_name":1e999,"x":123456789012345678901234567890}' in answer.body


# --- whole bodies --------------------------------------------------------------------------------------------------------

BODIES: list[tuple[bytes, tuple[Any, ...]]] = [
    (b"", (400, "parameter_invalid", "Invalid JSON", "body")),
    (b"{", (400, "parameter_invalid", "Invalid JSON", "body")),
    (b'{"items":[{"method":"\xff"}]}', (400, "parameter_invalid", "Invalid JSON", "body")),
    (b'{"items":' + b"[" * 3000 + b"]" * 3000 + b"}", (400, "parameter_invalid", "Invalid JSON", "body")),
    (b"[]", (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
    (b"{}", (400, "parameter_not_found", "items is required: a list of objects with method, data_type and data", "items")),
    (b'{"items":{}}', (400, "type_mismatch", "items must be a list, got an object", "items")),
    (b'{"items":[]}', (400, "parameter_invalid", "items must have at least one item", "items")),
    (b'{"items":[1],"job":5}', (400, "type_mismatch", "job must be an object or a list, got a whole number", "job")),
    (b'{"items":[1],"job":[{"id":"x"}]}', (400, "type_mismatch", "job must be an object, got a list", "job")),
    (b'{"items":[1],"job":{"id":5}}', (400, "type_mismatch", "job.id must be a string, got a whole number", "job.id")),
    (b'{"items":[' + b"1," * 1000 + b"1]}", (422, "parameter_invalid", "maximum number of items per request is 1000", "items")),
    (b" " * (8 << 20) + b"{}", (413, "client_error", "the body must be at most 8388608 bytes", "body")),
]


@pytest.mark.parametrize(("body", "error"), BODIES, ids=[str(body[:24]) for body, _ in BODIES])
@pytest.mark.parametrize("path", ["/bulk/events", "/bulk/users"])
def test_a_bad_bulk_has_its_exact_answer(api: Api, path: str, body: bytes, error: tuple[Any, ...]):
    assert api.send("POST", path, body=body).error == error


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("per_page=x", (400, "parameter_invalid", "per_page must be a whole number from 1 to 150, got 'x'", "per_page")),
        (
            "starting_after=x",
            (400, "parameter_invalid", "starting_after must be a cursor from pages.next of an earlier answer", "starting_after"),
        ),
        ("starting_after=2-99999999999999999999-1", None),
        ("starting_after=2-1", None),
    ],
)
@pytest.mark.parametrize("path", ["/jobs/{}/error", "/-/api/jobs/{}"])
def test_a_bad_page_has_its_exact_answer(api: Api, path: str, query: str, error: tuple[Any, ...] | None):
    answer = api.get(f"{path.format(bulk(api, [5])['id'])}?{query}")
    message = "starting_after must be a cursor from pages.next of an earlier answer"
    assert answer.error == (error or (400, "parameter_invalid", message, "starting_after"))


def test_the_most_items_of_a_bulk_can_be_set_and_a_full_one_is_taken():
    with TrackrecordServer(bulk_items_max=3) as server:
        api = Api(server)
        contact = api.contact()
        items = [event(created_at=WHEN + number, id=contact["id"]) for number in range(4)]
        assert api.post("/bulk/events", {"items": items}).error[:3] == (
            422,
            "parameter_invalid",
            "maximum number of items per request is 3",
        )
        assert failures(api, bulk(api, items[:3])) == []
        assert len(api.events(contact)) == 3


# --- users ---------------------------------------------------------------------------------------------------------------


def test_users_are_made_changed_and_archived_in_the_order_sent(api: Api):
    one, two = fresh("user-"), fresh("user-")
    items = [
        user(user_id=one, name="Ann", custom_attributes={"plan": "team"}),
        user(user_id=one, name="Anna"),
        user(user_id=two),
        user("delete", user_id=two),
        user("delete", user_id=two),
        user(name="nobody"),
        user(user_id=one, email="no address"),
        {"method": "post", "data_type": "event", "data": {}},
    ]
    job = bulk(api, items, noun="users")
    stored = ("stored", None, None)
    assert outcomes(api, job) == [
        stored,
        stored,
        stored,
        stored,
        ("refused", "not_found", "user_id"),
        ("refused", "parameter_not_found", "user_id"),
        ("refused", "parameter_invalid", "email"),
        ("refused", "parameter_invalid", "data_type"),
    ]
    found = api.get(f"/users?user_id={one}").json
    assert (found["name"], found["email"], found["custom_attributes"]) == ("Anna", None, {"plan": "team"})
    assert api.get(f"/users?user_id={two}").status == 404
    assert api.get(f"/jobs/status/{job['id']}").json["resource_type"] == "user"


def test_a_refused_user_leaves_nothing_behind_of_what_it_would_have_declared(api: Api):
    taken, other = fresh("user-"), api.contact()
    api.contact(external_id=taken)
    attribute = fresh("attribute_")
    items = [
        user(id=other["id"], user_id=taken, custom_attributes={attribute: 1}),
        user(id=other["id"], custom_attributes={attribute: "a text"}),
    ]
    job = bulk(api, items, noun="users")
    assert outcomes(api, job) == [("refused", "unique_user_constraint", "user_id"), ("stored", None, None)]
    assert api.get(f"/contacts/{other['id']}").json["custom_attributes"] == {attribute: "a text"}


# --- who may ------------------------------------------------------------------------------------------------------------


def test_a_job_is_shown_to_those_who_may_read_what_it_holds(api: Api):
    jobs = [bulk(api, [5]), bulk(api, [5], noun="users")]
    found = {}
    for scope in ("read_events", "write_events", "read_contacts", "write_contacts"):
        holder = with_token(api, scope)
        found[scope] = [
            holder.get(path.format(job["id"])).status for job in jobs for path in ("/jobs/{}", "/jobs/{}/error", "/-/api/jobs/{}")
        ]
    events, users = [200] * 3 + [403] * 3, [403] * 3 + [200] * 3
    assert found == {"read_events": events, "write_events": events, "read_contacts": users, "write_contacts": users}


def test_a_job_of_another_workspace_is_not_found_and_takes_nothing():
    with TrackrecordServer() as server:
        ours = Api(server)
        second = server.server.directory.workspaces.create("second", "Second", now=0)
        theirs = with_token(ours, "write_events", "write_contacts", workspace=second.number)
        job = bulk(ours, [5])
        paths = (f"/jobs/{job['id']}", f"/jobs/{job['id']}/error", f"/jobs/status/{job['id']}", f"/-/api/jobs/{job['id']}")
        assert [theirs.get(path).error for path in paths] == [NO_JOB] * 4
        answer = theirs.post("/bulk/events", {"items": [5], "job": {"id": job["id"]}})
        assert answer.error == (*NO_JOB[:3], "job.id")
        assert ours.get(f"/jobs/{job['id']}").json == job


# --- the clients' own requests -------------------------------------------------------------------------------------------

_GO = b'{"items":[{"data_type":"event","method":"post","data":{"event_name":"bought","user_id":"%b","created_at":1438944980}}]}'
_JAVA = (
    b'{"items":[{"type":"job_item","method":"post","data_type":"event","data":'
    b'{"type":"event","event_name":"bought","created_at":1438944980,"user_id":"%b","metadata":{}}}]}'
)
_PHP = (
    b'{"items":[{"data_type":"event","method":"post","data":{"event_name":"bought","created_at":1438944980,"user_id":"%b","metadata":[]}}]}'
)
_RUBY = (
    b'{"items":[{"method":"post","data_type":"event","data":{"event_name":"bought","created_at":1438944980,"user_id":"%b","metadata":{}}}]}'
)
_NODE = b'{"items":[{"method":"post","data_type":"event","data":{"event_name":"bought","created_at":1438944980,"user_id":"%b"}}]}'


@pytest.mark.parametrize("body", [_GO, _JAVA, _PHP, _RUBY, _NODE], ids=["go", "java 2", "php", "ruby", "node 2"])
def test_the_clients_own_bulk_bodies_are_taken(api: Api, raw: Any, body: bytes):
    contact = api.contact()
    sent = request("POST", "/bulk/events", "Accept: application/json", body=body % contact["external_id"].encode(), token=api.token)
    answer: Answer = raw(api.server, sent)
    assert (answer.status, answer.json["state"], answer.json["job_state"]) == (202, "completed", "completed")
    assert [each["event_name"] for each in api.events(contact)] == ["bought"]


# --- what a job is worth ------------------------------------------------------------------------------------------------


def test_the_same_items_at_the_same_moment_are_kept_once(api: Api):
    contact = api.contact()
    items = [event(f"e{number % 7}", WHEN + number, id=contact["id"]) for number in range(100)]
    users = [user(user_id=fresh("user-")) for _ in range(10)]
    before = api.get("/users?per_page=1").json["total_count"]

    def send(_: int) -> tuple[Any, Any]:
        return bulk(api, items), bulk(api, users, noun="users")

    with ThreadPoolExecutor(8) as threads:
        jobs = list(threads.map(send, range(8)))
    kept = [outcome for job, _ in jobs for outcome, _, _ in outcomes(api, job)]
    assert (kept.count("stored"), kept.count("duplicate")) == (100, 700)
    assert sum(row["count"] for row in api.summary(contact)) == 100
    assert api.get("/users?per_page=1").json["total_count"] == before + 10


def test_a_job_and_its_open_time_survive_a_restart(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path / "data")) as server:
        api = Api(server)
        api.contact(external_id="u1")
        job = bulk(api, [event(user_id="u1"), event(user_id="nobody")])
        before = [api.get(path).json for path in (f"/jobs/{job['id']}/error", f"/-/api/jobs/{job['id']}")]
    with TrackrecordServer(data=str(tmp_path / "data")) as server:
        api = Api(server)
        assert [api.get(path).json for path in (f"/jobs/{job['id']}/error", f"/-/api/jobs/{job['id']}")] == before
        assert len(bulk(api, [event(user_id="u1")], job["id"])["tasks"]) == 2
        assert outcomes(api, job) == [("stored", None, None), ("refused", "not_found", "user_id"), ("duplicate", None, None)]


def test_kill_9_after_the_answer_loses_no_item_and_no_job(tmp_path: Path):
    with RealServer(tmp_path / "data") as real:
        api = Api(real, TOKEN)  # type: ignore[arg-type]
        contact = api.contact()
        jobs = [bulk(api, [event(f"e{job}", WHEN + number, id=contact["id"]) for number in range(200)]) for job in range(3)]
        real.kill()
    with RealServer(tmp_path / "data") as real:
        api = Api(real, TOKEN)  # type: ignore[arg-type]
        assert [(row["name"], row["count"]) for row in sorted(api.summary(contact), key=lambda row: row["name"])] == [
            ("e0", 200),
            ("e1", 200),
            ("e2", 200),
        ]
        assert [api.get(f"/jobs/{job['id']}").json["tasks"] for job in jobs] == [job["tasks"] for job in jobs]


def test_of_too_many_refused_items_the_oldest_jobs_go_and_others_keep_theirs(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), jobs_refused_max_mb=1) as server:
        ours = Api(server)
        second = server.server.directory.workspaces.create("second", "Second", now=0)
        theirs = with_token(ours, "write_events", workspace=second.number)
        there = bulk(theirs, [event("", metadata={"text": "x" * 100_000})])
        made = [bulk(ours, [event("", metadata={"text": "x" * 100_000})] * 2) for _ in range(8)]
        found = [ours.get(f"/jobs/{job['id']}/error").status for job in made]
        assert found == [404] * 3 + [200] * 5
        assert len(failures(ours, made[-1])) == 2
        assert len(failures(theirs, there)) == 1
        full = bulk(ours, [event("", metadata={"text": "x" * 100_000})] * 3)
        closed = ours.post("/bulk/events", {"items": [5], "job": {"id": full["id"]}})
        text = f"job {full['id']} has too many refused items to take more: start a new bulk job"
        assert closed.error == (403, "job_closed", text, "job.id")
