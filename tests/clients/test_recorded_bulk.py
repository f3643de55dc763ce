"""Bulk submission of API 1.x as Ruby, Go, Java 2, PHP and .NET send it, and its jobs as they read them."""

import json
from typing import Any

import pytest
from client_shapes import NOW
from recorded import DOTNET, GO, JAVA_2, PHP, RUBY, host, names, request, send

from trackrecord.testing import TrackrecordServer

ORDERED = {"event_name": "ordered-item", "created_at": NOW - 10, "metadata": {"order_date": NOW - 20}}


def item(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"method": "post", "data_type": "event", "data": data, **more}


# How each client writes an item for the user 25: Java adds the keys of its job_item, PHP escapes its slashes, .NET has nulls.
ITEMS = (
    ("ruby", RUBY, item({**ORDERED, "user_id": "25"})),
    ("ruby with a numeric id", RUBY, item({**ORDERED, "user_id": 25})),
    ("go", GO, item({"email": "wash@serenity.io", "event_name": "ordered-item", "created_at": NOW - 10})),
    ("java 2", JAVA_2, item({"type": "event", **ORDERED, "user_id": "25"}, type="job_item", id=None, updated_at=0)),
    ("php with empty metadata as a list", PHP, item({**ORDERED, "user_id": "25", "metadata": []})),
    ("dotnet with nulls", DOTNET, item({"type": None, "id": None, **ORDERED, "user_id": "25", "email": None})),
)  # fmt: skip


@pytest.mark.parametrize(("headers", "sent"), [row[1:] for row in ITEMS], ids=[row[0] for row in ITEMS])
def test_a_bulk_of_events_is_a_job_that_every_client_can_read(server: TrackrecordServer, ada: str, headers: str, sent: Any) -> None:
    nobodys = {**sent, "data": {**sent["data"], "user_id": "nobody", "email": None}}
    answer = send(server, request(server, "POST /bulk/events", headers, json.dumps({"items": [sent, nobodys]})))
    job = answer.json
    address = f"http://{host(server)}/jobs/{job['id']}"
    (task,) = job["tasks"]
    expected = {
        "type": "job",  # Java 2 has the property, Ruby and Go do not mind it
        "id": job["id"],
        "app_id": "trackrecord",
        "name": "api_bulk_job",
        "state": job["state"],
        "job_state": job["state"],  # what Go reads
        "created_at": NOW,
        "updated_at": NOW,
        "completed_at": job["completed_at"],
        "closing_at": NOW + 900,
        "tasks": [{**task, "type": "task", "item_count": 2}],
        "links": {"error": f"{address}/error", "self": address},
    }
    assert (answer.status, job) == (202, expected)
    assert names(send(server, request(server, "GET /events?type=user&user_id=25", RUBY))) == ["ordered-item"]

    found = send(server, request(server, f"GET /jobs/{job['id']}", headers)).json
    assert (found["state"], found["job_state"], found["completed_at"]) == ("completed", "completed", NOW)

    feed = send(server, request(server, f"GET /jobs/{job['id']}/error", headers)).json
    (failed,) = feed.pop("items")
    assert feed == {"app_id": "trackrecord", "job_id": job["id"], "pages": {}}  # Java 2 reads every value of pages as an address
    assert (failed["type"], failed["method"], failed["data_type"], failed["updated_at"]) == ("job_item", "post", "event", NOW)
    assert failed["data"] == nobodys["data"]
    assert (failed["error"]["code"], failed["error"]["message"]) == ("not_found", "User Not Found")


def test_rubys_second_submission_joins_its_open_job(server: TrackrecordServer, ada: str) -> None:
    def submit(job: dict[str, Any], second: int) -> Any:
        items = [item({"event_name": "ordered-item", "created_at": NOW - second, "user_id": "25"})]
        return send(server, request(server, "POST /bulk/events", RUBY, json.dumps({"items": items, **job})))

    first = submit({}, 2).json
    joined = submit({"job": {"id": first["id"]}}, 1).json
    assert (joined["id"], len(joined["tasks"])) == (first["id"], 2)
    server.clock.advance(901)
    closed = submit({"job": {"id": first["id"]}}, 0)
    assert (closed.status, closed.json["errors"][0]["code"]) == (403, "job_closed")
    assert names(send(server, request(server, "GET /events?type=user&user_id=25", RUBY))) == ["ordered-item"] * 2


def test_java_2_pages_of_users_are_a_map_of_addresses(server: TrackrecordServer) -> None:
    for number in range(3):
        assert send(server, request(server, "POST /users", JAVA_2, json.dumps({"type": "user", "user_id": str(number)}))).status == 200
    seen: list[str] = []
    target = "/users?per_page=2"
    while target:
        page = send(server, request(server, f"GET {target}", JAVA_2)).json
        assert page["type"] == "user.list"
        seen += [user["user_id"] for user in page["users"]]
        following = page["pages"]["next"]  # present, and null at the end: Python 3 and Ruby look for the key itself
        assert following is None or following.startswith(f"http://{host(server)}/users?")
        target = following.removeprefix(f"http://{host(server)}") if following else ""
    assert sorted(seen) == ["0", "1", "2"]
