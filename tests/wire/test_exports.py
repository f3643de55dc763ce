"""Exports as a stream: whole, in the forms an import takes back, and no burden on anybody when nobody reads them."""

import contextlib
import csv
import gzip
import json
import os
import socket
import tracemalloc
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from trackrecord import exports
from trackrecord.cli.app import main
from trackrecord.http.api.exports import EXPORTS_MAX
from trackrecord.stores.base import Selection
from trackrecord.testing import TrackrecordServer

from .client import Api, Connection, fresh, request, until

WHEN = 1_671_028_894
MANY, STEP = 4_000, 125
FILLER = 6_000  # bytes of each event, so that an export is far more than what sockets hold


@pytest.fixture
def alone() -> Iterator[Api]:
    """A server of its own, so that its exports are known whole."""
    with TrackrecordServer() as server:
        yield Api(server)


def fill(api: Api) -> None:
    """Very many events, whose n says in which order they came."""
    contacts = [api.contact(external_id=f"u{n}") for n in range(3)]
    for start in range(0, MANY, STEP):
        lines = [
            {
                "event_name": f"event-{n % 7}",
                "created_at": WHEN + n,
                "id": contacts[n % 3]["id"],
                "metadata": {"n": n, "filler": "x" * FILLER},
            }
            for n in range(start, start + STEP)
        ]
        taken = api.post("/-/api/import/events", b"\n".join(json.dumps(each).encode() for each in lines)).json
        assert taken["new"] == STEP, taken


@pytest.fixture(scope="module")
def full() -> Iterator[Api]:
    with TrackrecordServer() as server:
        api = Api(server)
        fill(api)
        yield api


def rows(api: Api, target: str) -> list[Any]:
    answer = api.get(target)
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.body.splitlines()]


def test_an_event_is_exported_with_every_key(alone: Api):
    contact = alone.contact(external_id="70", email="joe@example.com")
    alone.submit(event_name="ordered", created_at=WHEN, id=contact["id"], metadata={"b": 1, "a": [2]})
    answer = alone.get("/-/api/export/events")
    line = (
        f'{{"event_name":"ordered","created_at":{WHEN},"intercom_user_id":"{contact["id"]}","user_id":"70",'
        '"email":"joe@example.com","metadata":{"b":1,"a":[2]}}\n'
    )
    assert (answer.status, answer.body.decode()) == (200, line)
    assert answer.header("content-type") == "application/x-ndjson; charset=utf-8"
    assert answer.header("content-disposition") == 'attachment; filename="trackrecord-events.ndjson"'


def test_csv_has_a_header_and_quotes_what_needs_it(alone: Api):
    contact = alone.contact(external_id="70")
    alone.submit(event_name='a,"b"\nc', created_at=WHEN, id=contact["id"], metadata={"x": "ä;,"})
    alone.submit(event_name="plain", created_at=WHEN, id=contact["id"])
    answer = alone.get("/-/api/export/events?format=csv")
    assert answer.header("content-type") == "text/csv; charset=utf-8"
    assert answer.header("content-disposition") == 'attachment; filename="trackrecord-events.csv"'
    assert list(csv.reader(answer.body.decode().splitlines(keepends=True))) == [
        ["event_name", "created_at", "intercom_user_id", "user_id", "email", "metadata", "distinct"],
        ['a,"b"\nc', str(WHEN), contact["id"], "70", "", '{"x":"ä;,"}', ""],
        ["plain", str(WHEN), contact["id"], "70", "", "", ""],
    ]


def test_an_export_of_nothing_is_empty_or_a_header(alone: Api):
    assert [alone.get(f"/-/api/export/{noun}").body for noun in ("events", "contacts")] == [b"", b""]
    assert alone.get("/-/api/export/contacts?format=csv").body.startswith(b"id,role,external_id,")


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_what_is_exported_is_taken_back_by_another_server_with_the_same_result(alone: Api, form: str, tmp_path: Any):
    users = [alone.contact(external_id=fresh("u"), email="shared@example.com") for _ in range(2)]
    lead = alone.contact(role="lead", email="lead@example.com", custom_attributes={"plan": "pro"})
    was_lead = alone.contact(role="lead")  # and is a user that nothing names but its id, and the anonymous id it had
    assert alone.put(f"/contacts/{was_lead['id']}", {"role": "user"}).json["role"] == "user"
    for n, contact in enumerate([*users, lead, was_lead] * 3):
        sent = {"event_name": f"e{n % 2}", "created_at": WHEN + n, "id": contact["id"], "metadata": {"n": n, "t": 'a,"b"\n'}}
        assert alone.submit(**sent).status == 202
    with TrackrecordServer() as server:
        other = Api(server)
        for noun in ("contacts", "events"):
            file = tmp_path / f"{noun}.{form}"
            file.write_bytes(alone.get(f"/-/api/export/{noun}?format={form}").body)
            assert main(["import", noun, str(file), "--url", server.url, "--token", server.token]) == 0
        for target in ("/-/api/export/contacts", "/-/api/export/events"):
            assert rows(other, target) == rows(alone, target)
        for contact in (*users, lead, was_lead):
            assert other.summary(contact) == alone.summary(contact) != []
        assert {each["user_id"] for each in other.events(was_lead)} == {None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", range(10)),
        ("?name=EVEN", range(0, 10, 2)),
        ("?name=even&name=odd", range(10)),
        (f"?since={WHEN + 4}", range(4, 10)),
        (f"?until={WHEN + 4}", range(4)),
        ("?since=2022-12-14T14:41:36Z&until=2022-12-14T14:41:38Z&format=NDJSON", range(2, 4)),
        ("?user_id=ann", range(5)),
        ("?email=BOB@example.com&name=odd", range(5, 10, 2)),
    ],
)
def test_a_part_can_be_exported(alone: Api, query: str, expected: range):
    whose = [alone.contact(external_id="ann"), alone.contact(external_id="bob", email="bob@example.com")]
    for n in range(10):
        alone.submit(event_name="odd" if n % 2 else "even", created_at=WHEN + n, id=whose[n // 5]["id"], metadata={"n": n})
    assert [each["metadata"]["n"] for each in rows(alone, f"/-/api/export/events{query}")] == list(expected)


def test_contacts_are_exported_by_when_they_were_made(alone: Api):
    for n in range(3):
        alone.server.clock.freeze(WHEN + n)
        alone.contact(external_id=f"u{n}")
    found = rows(alone, f"/-/api/export/contacts?since={WHEN + 1}&until={WHEN + 2}")
    assert [each["external_id"] for each in found] == ["u1"]


@pytest.mark.parametrize(
    ("target", "refusal"),
    [
        ("/-/api/export/events?format=xml", (400, "parameter_invalid", "format must be ndjson or csv, got 'xml'", "format")),
        (
            "/-/api/export/events?since=soon",
            (400, "type_mismatch", "since must be whole Unix seconds, such as 1671028894, got 'soon'", "since"),
        ),
        *(
            (f"/-/api/export/events?{name}=", (400, "parameter_invalid", f"{name} must not be empty", name))
            for name in ("user_id", "intercom_user_id", "email", "since", "until")
        ),
        ("/-/api/export/contacts?since=5&until=5", (400, "parameter_invalid", "until must be after since, got 5 and 5", "until")),
        (
            "/-/api/export/events?name=never",
            (400, "parameter_invalid", "no event is called 'never'; /-/api/event-names lists the names there are", "name"),
        ),
        ("/-/api/export/events?user_id=nobody", (404, "not_found", "User Not Found", "user_id")),
    ],
)
def test_a_bad_export_is_refused_before_it_begins(alone: Api, target: str, refusal: tuple[Any, ...]):
    assert alone.get(target).error == refusal


def test_a_workspace_exports_its_own_alone(alone: Api):
    directory = alone.server.server.directory
    there = directory.workspaces.create("theirs", "theirs", now=0)
    theirs = Api(alone.server, directory.tokens.create(there.number, "t", ["read_events", "read_contacts"], now=0)[1])
    contact = alone.contact(external_id="ann")
    alone.submit(event_name="ordered", created_at=WHEN, id=contact["id"])
    assert [theirs.get(f"/-/api/export/{noun}").body for noun in ("events", "contacts")] == [b"", b""]
    assert theirs.get("/-/api/export/events?name=ordered").status == 400
    assert theirs.get("/-/api/export/events?user_id=ann").status == 404
    assert theirs.get("/-/api/export/events").header("content-disposition") == 'attachment; filename="theirs-events.ndjson"'


def test_head_tells_the_headers_and_sends_nothing(full: Api):
    answer = full.send("HEAD", "/-/api/export/events")
    assert (answer.status, answer.body, answer.header("content-type")) == (200, b"", "application/x-ndjson; charset=utf-8")


# --- As a stream ---------------------------------------------------------------------------------------------------------


def test_a_large_export_arrives_whole_and_in_order(full: Api):
    found = rows(full, "/-/api/export/events")
    assert [each["metadata"]["n"] for each in found] == list(range(MANY))


def test_a_large_export_arrives_whole_compressed(full: Api):
    answer = full.get("/-/api/export/events", "Accept-Encoding: gzip")
    assert answer.header("content-encoding") == "gzip"
    plain = gzip.decompress(answer.body)
    assert len(plain.splitlines()) == MANY
    assert len(answer.body) < len(plain) / 5


def test_an_event_that_was_answered_before_the_export_is_in_it(alone: Api):
    contact = alone.contact()
    for n in range(10):
        alone.submit(event_name="now", created_at=WHEN + n, id=contact["id"])
        assert len(rows(alone, "/-/api/export/events")) == n + 1


class Slow:
    """A client that asks for an export, reads a little of it, and then no more."""

    def __init__(self, api: Api, *, receive_bytes: int = 256 << 10) -> None:
        self.connection = Connection(api.url)
        self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.connection.send(request("GET", "/-/api/export/events", token=api.token))
        self.connection.until(b"\r\n\r\n")

    def rest(self) -> bytes:
        return b"".join(self.connection._chunks())


def test_slow_readers_hold_nobody_up_and_nothing_is_made_before_they_take_it(alone: Api):
    fill(alone)
    slow = [Slow(alone) for _ in range(EXPORTS_MAX)]  # more than there are threads for them
    contact = alone.contact()
    for n in range(30):
        assert alone.submit(event_name="meanwhile", created_at=WHEN + n, id=contact["id"]).status == 202
        assert len(alone.events(contact)) == n + 1
    # What is deleted before it was made is not in what a reader gets: so it shows how far ahead of them things are made.
    newest = {"field": "created_at", "operator": ">=", "value": WHEN + MANY // 2}
    assert alone.post("/-/api/events/delete", {"query": newest}).json["count"] == MANY // 2
    for each in slow[:2]:
        assert [json.loads(line)["metadata"]["n"] for line in each.rest().splitlines()] == list(range(MANY // 2))
    for each in slow:
        each.connection.socket.close()


def test_so_many_exports_of_a_workspace_run_at_once_and_one_more_when_one_has_ended(full: Api):
    directory = full.server.server.directory
    there = directory.workspaces.create("theirs", "theirs", now=0)
    theirs = Api(full.server, directory.tokens.create(there.number, "t", ["read_events"], now=0)[1])
    slow = [Slow(full) for _ in range(EXPORTS_MAX)]
    refused = full.get("/-/api/export/contacts")
    text = "8 exports of this workspace are under way; ask again when one of them has ended"
    assert (refused.error, refused.header("retry-after")) == ((503, "service_unavailable", text, None), "10")
    assert full.send("HEAD", "/-/api/export/events").status == 200
    assert theirs.get("/-/api/export/events").status == 200
    slow[0].connection.socket.close()
    until(lambda: full.get("/-/api/export/contacts").status == 200)
    assert len(slow[1].rest().splitlines()) == MANY
    until(lambda: full.get("/-/api/export/contacts").status == 200)
    for each in slow[1:]:
        each.connection.socket.close()


def test_little_is_read_ahead_of_who_takes_an_export(full: Api):
    """So that what a slow reader costs in memory is little; see also how far ahead things are made, above."""
    server = full.server.server
    (workspace,) = server.directory.workspaces.list()[:1]
    tracemalloc.start()
    try:
        found = [exports.events(server.directory, server.reads._reader, Selection(workspace.number)) for _ in range(20)]
        firsts = [next(each) for each in found]
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(firsts) == 20
    assert grown / 20 < 1 << 20  # of 26 MB


def sockets() -> int:
    """How many this process has open. Both ends of a connection to the server are its own."""
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    return found


def test_clients_that_go_in_the_middle_leave_nothing_open_behind(full: Api):
    rows(full, "/-/api/export/events")
    before = sockets()
    for _ in range(3):  # three times as many as may run at once
        gone = [Slow(full) for _ in range(EXPORTS_MAX)]
        assert sockets() >= before + 2 * EXPORTS_MAX
        for each in gone:
            each.connection.socket.close()
        until(lambda: sockets() <= before)
        until(lambda: full.get("/-/api/export/contacts").status == 200)
    assert len(rows(full, "/-/api/export/events")) == MANY


def test_contacts_that_a_search_finds_are_exported_alone(alone: Api):
    for n, plan in enumerate(("pro", "free", "pro")):
        alone.contact(external_id=f"u{n}", name=f"Name {n}", custom_attributes={"plan": plan})
    alone.contact(role="lead")
    alone.post("/-/api/import/contacts", b'{"role":"visitor","user_id":"seen"}')

    def exported(query: Any) -> list[str]:
        return sorted(
            each["external_id"] or each["role"] for each in rows(alone, f"/-/api/export/contacts?query={quote(json.dumps(query))}")
        )

    pro = {"field": "custom_attributes.plan", "operator": "=", "value": "pro"}
    assert exported(pro) == ["u0", "u2"]
    assert exported({"operator": "AND", "value": [pro, {"field": "name", "operator": "$", "value": "2"}]}) == ["u2"]
    assert exported({"field": "id", "operator": "!=", "value": None}) == ["lead", "u0", "u1", "u2"]
    segment = alone.post("/-/api/segments", {"name": "Pros", "query": pro}).json["id"]
    of_it = quote(json.dumps({"field": "external_id", "operator": "IN", "value": ["u0", "u1"]}))
    assert [each["external_id"] for each in rows(alone, f"/-/api/export/contacts?segment_id={segment}&query={of_it}")] == ["u0"]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("", "parameter_invalid", "query"),
        ("{", "parameter_invalid", "query"),
        ("null", "type_mismatch", "query"),
        ('{"field":"no such","operator":"=","value":1}', "invalid_field", "query.field"),
        ('{"field":"name","operator":"=","value":["x"]}', "type_mismatch", "query.value"),
    ],
)
def test_an_export_of_what_is_no_search_is_refused_by_the_place_in_it(api: Api, query: str, code: str, field: str):
    status, said, _, at = api.get(f"/-/api/export/contacts?query={quote(query)}").error
    assert (status, said, at) == (400, code, field)
