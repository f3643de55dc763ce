"""The log of refused requests: what is kept of each, how it is searched, and what is never in it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trackrecord.rules.directory import SCOPES
from trackrecord.rules.requests import Wanted
from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, Connection, fresh, request, until

WHEN = 1_671_028_894
NOW = 1_700_000_000


def about(api: Api, answer: Answer) -> Any:
    """What the log has of a request, or None."""
    found = api.get(f"/-/api/requests?request_id={answer.header('x-request-id')}").json
    return found["data"][0] if found["data"] else None


def everything(server: TrackrecordServer) -> list[Any]:
    """What the log has, whoever it belongs to, newest first."""
    return [entry for _, entry in server.server.requests.search(Wanted(), limit=1000).entries]


@pytest.fixture
def fresh_server() -> Iterator[TrackrecordServer]:
    with TrackrecordServer() as server:
        yield server


# --- what is kept --------------------------------------------------------------------------------------------------------


def test_a_refused_request_is_found_by_its_id_with_the_exact_cause(api: Api):
    user_id = fresh("nobody-")
    refused = api.post("/events?a=b", {"event_name": "clicked", "user_id": user_id, "email": "no@example.com"}, "User-Agent: probe/1")
    entry = about(api, refused)
    tokens = api.server.server.directory.tokens.list(1)
    assert entry.pop("duration_us") > 0
    assert entry.pop("at_ms") // 1000 == pytest.approx(api.server.clock(), abs=60)
    assert entry == {
        "type": "request",
        "request_id": refused.json["request_id"],
        "method": "POST",
        "path": "/events",
        "status": 404,
        "code": "not_found",
        "message": "User Not Found",
        "field": "user_id",
        "cause": f"no contact of this workspace has user_id '{user_id}' or email 'no@example.com'",
        "version": "2.14",
        "token": {"id": str(tokens[0].id), "begins": tokens[0].hint},
        "client": "127.0.0.1",
        "user_agent": "probe/1",
    }


def test_the_cause_says_what_the_answer_must_not(api: Api):
    contact = api.contact()
    assert api.post(f"/contacts/{contact['id']}/archive", {}).status == 200
    shared = f"{fresh('joe')}@example.com"
    for _ in range(2):
        api.contact(external_id=fresh("user-"), email=shared)
    reader = Api(api.server, api.server.server.directory.tokens.create(1, "reader", ["read_tags"], now=0)[1])
    causes = [
        about(api, answer)["cause"]
        for answer in (
            api.get(f"/contacts/{contact['id']}"),
            api.get("/contacts/nobody"),
            api.submit(event_name="clicked", email=shared),
            reader.get("/contacts"),
            api.send("PATCH", "/me"),
            api.get("/contacts/x/block", "Intercom-Version: 2.0"),
            api.get("/me", "Intercom-Version: latest"),
        )
    ]
    token = api.server.server.directory.tokens.list(1)[-1]
    assert causes == [
        f"contact {contact['id']} is archived",
        "this workspace has no contact with id 'nobody'",
        "2 users share this email address",
        f"token {token.id} ({token.hint}…) has read_tags",
        "this path has GET, HEAD and not PATCH",
        "this path has POST and not GET",
        "'latest' is none of 2.16 and below, Preview and Unstable",
    ]


def test_the_cause_of_broken_json_is_where_it_breaks(api: Api):
    sent = {
        b'{"event_name" 5}': "JSON is malformed: expected ':' (byte 14)",
        b'{"items": [': "Input data was truncated",
        b'{"event_name":"\xff","name":"\xff"}': "'utf-8' codec can't decode byte 0xff in position",
    }
    for path in ("/events", "/bulk/events", "/bulk/users", "/contacts"):
        for body, cause in sent.items():
            answer = api.post(path, body)
            assert answer.error == (400, "parameter_invalid", "Invalid JSON", "body")
            assert cause in about(api, answer)["cause"]


def test_the_cause_says_what_was_looked_for(api: Api):
    lead, v1 = api.contact(role="lead"), "Intercom-Version: 1.4"
    asked = (
        (api.get("/users?user_id=zz1"), "this workspace has no live user with user_id 'zz1'"),
        (api.get("/users?email=zz1@example.com"), "this workspace has no live user with email 'zz1@example.com'"),
        (api.get("/contacts?user_id=zz1", v1), "this workspace has no live lead with user_id 'zz1'"),
        (api.post("/users", {"id": "zz1"}), "this workspace has no contact with id 'zz1'"),
        (api.post("/users", {"id": lead["id"]}), f"contact {lead['id']} is a lead, not a user"),
        (api.put("/contacts", {"id": "zz1"}, v1), "this workspace has no contact with id 'zz1'"),
        (api.post("/user_delete_requests", {"intercom_user_id": "zz1"}), "this workspace has no contact with id 'zz1'"),
        (api.post("/bulk/events", {"items": [5], "job": {"id": "zz1"}}), "this workspace has no job 'zz1', or no longer"),
        (api.get("/visitors?user_id=zz1"), "this workspace has no visitor with user_id 'zz1'"),
        (
            api.post("/contacts/convert", {"contact": {"user_id": "zz1"}, "user": {"user_id": "u"}}, v1),
            "this workspace has no live lead with user_id 'zz1'",
        ),
    )
    assert [about(api, answer)["cause"] for answer, _ in asked] == [cause for _, cause in asked]


def test_of_a_fault_of_ours_the_traceback_is_kept(fresh_server: TrackrecordServer):
    import sqlite3

    with sqlite3.connect(fresh_server.server.directory._db.path) as directory:
        directory.execute("DROP TABLE admins")
    api = Api(fresh_server)
    entry = about(api, api.get("/admins"))
    assert (entry["status"], entry["code"], entry["field"]) == (500, "server_error", None)
    assert entry["cause"].startswith("Traceback")
    assert "no such table: admins" in entry["cause"]


def test_what_went_well_is_not_kept_unless_all_is():
    for kept, statuses in (("off", []), ("refused", [404]), ("all", [202, 404, 200])):
        with TrackrecordServer(request_log=kept, create_contacts=True) as server:
            api = Api(server)
            answers = [api.get("/me"), api.get("/contacts/nobody"), api.submit(event_name="clicked", created_at=WHEN, user_id="u1")]
            assert [answer.status for answer in answers] == [200, 404, 202]
            found = [entry.status for entry in everything(server) if not entry.path.startswith("/-/")]
            assert (kept, found) == (kept, statuses)


def test_a_request_below_the_application_is_kept_as_far_as_it_could_be_read(fresh_server: TrackrecordServer):
    with Connection(fresh_server.url) as connection:
        connection.send(b"garbage\r\n\r\n")
        garbage = connection.answer()
    with Connection(fresh_server.url) as connection:
        connection.send(request("GET", "/me?secret=1", f"X-Long: {'x' * 70_000}"))
        long = connection.answer()
    found = {entry.request_id: entry for entry in everything(fresh_server)}
    first, second = found[garbage.json["request_id"]], found[long.json["request_id"]]
    assert (first.status, first.method, first.path, first.workspace, first.client) == (400, "", "", None, "127.0.0.1")
    assert (second.status, second.method, second.path, second.code) == (431, "GET", "/me", "client_error")


def test_no_secret_no_body_and_no_query_is_kept(fresh_server: TrackrecordServer):
    api = Api(fresh_server)
    secret = fresh_server.server.directory.tokens.create(1, "x", SCOPES, now=0)[1]
    holder = Api(fresh_server, secret)
    basic = base64.b64encode(f"{secret}:".encode()).decode()
    holder.get(f"/contacts/nobody?token={secret}&email=private@example.com")
    holder.post("/events", {"event_name": "clicked", "user_id": "nobody", "metadata": {"iban": "DE02120300000000202051"}})
    Api(fresh_server, "tr_notatoken-notatoken").get("/me")
    Api(fresh_server, None).get("/me", f"Authorization: Basic {basic}x")
    Api(fresh_server, None).get("/me", f"Cookie: session={secret}")
    holder.get(f"/tags/{secret}")  # a slip: in the path, too
    entries = str(everything(fresh_server))
    assert len(everything(fresh_server)) == 6
    for private in (secret, basic, "private@example.com", "DE02120300000000202051", "tr_notatoken", api.token or ""):
        assert private not in entries


def test_the_address_of_a_client_behind_a_trusted_proxy_is_the_one_it_names():
    for proxies, address in (("127.0.0.1", "10.1.2.3"), ("10.0.0.9", "127.0.0.1")):
        with TrackrecordServer(trusted_proxies=proxies) as server:
            Api(server).get("/nothing", "X-Forwarded-For: 6.6.6.6, 10.1.2.3")
            assert [entry.client for entry in everything(server)] == [address]


# --- searching -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled() -> Iterator[Api]:
    """Four refused requests, a minute between each."""
    with TrackrecordServer() as server:
        api = Api(server)
        for number, ask in enumerate(
            (
                lambda: api.get("/contacts/a"),
                lambda: api.post("/events", b"no JSON"),
                lambda: api.get("/events?type=user&user_id=b"),
                lambda: api.get("/nothing"),
            )
        ):
            server.clock.freeze(NOW + 60 * number)
            assert ask().status >= 400
        yield api


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("", ["/nothing", "/events", "/events", "/contacts/a"]),
        ("?status=404", ["/nothing", "/events", "/contacts/a"]),
        ("?status=4xx", ["/nothing", "/events", "/events", "/contacts/a"]),
        ("?status=5XX", []),
        ("?code=parameter_invalid", ["/events"]),
        ("?path=/events", ["/events", "/events"]),
        ("?path=/cont", ["/contacts/a"]),
        ("?path=%25", []),
        ("?text=CONTACT%20WITH%20ID", ["/contacts/a"]),
        ("?text=vents&status=404", ["/events"]),
        ("?text=%25", []),
        (f"?since={NOW + 60}", ["/nothing", "/events", "/events"]),
        (f"?until={NOW + 60}", ["/events", "/contacts/a"]),
        (f"?since={NOW + 60}&until={NOW + 120}&status=404", ["/events"]),
        (f"?since={NOW + 61}&until={NOW + 60}", []),
        ("?request_id=none", []),
        ("?code=", ["/nothing", "/events", "/events", "/contacts/a"]),
        ("?code='%20OR%201=1%20--", []),
    ],
)
def test_requests_are_found_by(filled: Api, query: str, paths: list[str]):
    found = filled.get(f"/-/api/requests{query}").json
    assert ([entry["path"] for entry in found["data"]], found["total_count"]) == (paths, len(paths))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?status=fine", "status"),
        ("?status=600", "status"),
        ("?status=40", "status"),
        ("?status=4x", "status"),
        ("?since=yesterday", "since"),
        ("?until=1.5", "until"),
        ("?per_page=many", "per_page"),
        ("?starting_after=none", "starting_after"),
        ("?starting_after=2-1-1", "starting_after"),
    ],
)
def test_a_search_that_cannot_be_read_is_told_by_its_parameter(api: Api, query: str, field: str):
    answer = api.get(f"/-/api/requests{query}")
    assert (answer.error[0], answer.error[1], answer.error[3]) == (400, "parameter_invalid", field)


def test_a_moment_begins_at_0(api: Api):
    assert api.get("/-/api/requests?since=x").error[2] == "since must be a whole number from 0 to 1099511627776, got 'x'"
    assert api.get("/nothing").status == 404
    assert api.get("/-/api/requests?since=0").json["total_count"] > 0
    assert api.get("/-/api/requests?until=0").json["total_count"] == 0


def test_pages_go_on_where_the_last_one_ended_whatever_came_meanwhile():
    with TrackrecordServer() as server:
        api = Api(server)
        for number in range(5):
            assert api.get(f"/contacts/{number}").status == 404
        found, after = [], ""
        while True:
            page = api.get(f"/-/api/requests?per_page=2{after}").json
            found += [entry["path"] for entry in page["data"]]
            assert page["pages"]["page"] == (len(found) + 1) // 2
            api.get("/contacts/meanwhile")
            if "next" not in page["pages"]:
                break
            after = f"&starting_after={page['pages']['next']['starting_after']}"
        assert found == [f"/contacts/{number}" for number in (4, 3, 2, 1, 0)]


def test_a_workspace_is_shown_its_own_requests_alone():
    with TrackrecordServer() as server:
        ours = Api(server)
        second = server.server.directory.workspaces.create("second", "Second", now=0)
        theirs = Api(server, server.server.directory.tokens.create(second.number, "x", SCOPES, now=0)[1])
        mine, other = ours.get("/contacts/mine"), theirs.get("/contacts/theirs")
        nobody = Api(server, "unknown").get("/me")
        seen = [[entry["path"] for entry in api.get("/-/api/requests").json["data"]] for api in (ours, theirs)]
        assert seen == [["/contacts/mine"], ["/contacts/theirs"]]
        assert (about(ours, other), about(theirs, mine), about(ours, nobody)) == (None, None, None)
        assert [entry.workspace for entry in everything(server)] == [None, second.number, 1]


def test_what_was_refused_before_a_restart_is_found_after_it(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), token="the-token-of-this-test") as server:
        refused = Api(server).get("/contacts/before")
    with TrackrecordServer(data=str(tmp_path), token="the-token-of-this-test") as server:
        assert about(Api(server), refused)["path"] == "/contacts/before"
    assert sorted(path.name for path in tmp_path.glob("requests.db*")) == ["requests.db"]


def test_a_log_that_cannot_be_written_delays_and_fails_no_answer(tmp_path: Path):
    (tmp_path / "requests.db").write_bytes(b"this is no database" * 100)
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        contact = api.contact()
        assert [api.get("/contacts/nobody").status for _ in range(20)] == [404] * 20
        assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).status == 202
        answer = api.get("/-/api/requests")
        assert (answer.error[0], answer.error[1], answer.header("retry-after")) == (503, "service_unavailable", "1")
        for path in tmp_path.glob("requests.db*"):
            path.unlink()
        # Once it can be written, what waited is in it.
        assert until(lambda: api.get("/-/api/requests?path=/contacts/nobody").json.get("total_count")) == 20
