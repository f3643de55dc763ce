"""Clients that cannot be run here, as the bytes they send. What comes back is read as they read it."""

import base64
import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from client_shapes import NOW
from recorded import DOTNET, GO, JAVA_2, JAVA_4, NODE_2, PHP, RUBY, host, names, request, send

from trackrecord.testing import TrackrecordServer


def submit_seven(server: TrackrecordServer) -> None:
    for name, second in (("one", 0), ("two", 1), ("three", 2), ("four", 3), ("five", 3), ("six", 4), ("seven", 5)):
        body = json.dumps({"event_name": name, "created_at": NOW - 100 + second, "user_id": "25"})
        sent = send(server, request(server, "POST /events", GO, body))
        assert (sent.status, sent.body) == (202, b"")


PAGES = [["seven", "six", "five"], ["four", "three", "two"], ["one"]]


EVENT = f'"event_name":"placed-order","created_at":{NOW}'
SUBMITTED = (
    # sender, headers, body, the metadata kept
    ("ruby with a numeric user_id", RUBY, f'{{{EVENT},"user_id":25,"metadata":{{"load":3.67}}}}', {"load": 3.67}),
    ("ruby without metadata", RUBY, f'{{"user_id":"25",{EVENT}}}', {}),
    ("php with empty metadata as a list", PHP, f'{{"user_id":"25",{EVENT},"metadata":[]}}', {}),
    ("php with escaped slashes and letters", PHP, f'{{"user_id":"25",{EVENT},"metadata":{{"url":"https:\\/\\/e.org\\/\\u00e4"}}}}',
     {"url": "https://e.org/ä"}),
    ("java 2 with its type", JAVA_2, f'{{"type":"event",{EVENT},"user_id":"25","metadata":{{"a":1,"b":true,"c":1.5}}}}',
     {"a": 1, "b": True, "c": 1.5}),
    ("java 2 with an indented body", JAVA_2, f'{{\n  "type" : "event",\n  {EVENT},\n  "user_id" : "25",\n  "metadata" : {{ }}\n}}',
     {}),
    ("java 4 with its charset", JAVA_4, f'{{"user_id":"25",{EVENT},"metadata":{{"a":"1"}}}}', {"a": "1"}),
    ("go with a line feed behind the body", GO, f'{{"email":"wash@serenity.io",{EVENT}}}\n', {}),
    ("dotnet with nulls", DOTNET, f'{{"type":null,"id":null,{EVENT},"user_id":"25","email":null,"metadata":null}}', {}),
    ("node 2", NODE_2, f'{{{EVENT},"user_id":"25","metadata":{{"status":"x"}}}}', {"status": "x"}),
)  # fmt: skip


@pytest.mark.parametrize(("headers", "body", "metadata"), [row[1:] for row in SUBMITTED], ids=[row[0] for row in SUBMITTED])
def test_an_event_is_accepted_as_each_client_sends_it(
    server: TrackrecordServer, ada: str, headers: str, body: str, metadata: dict[str, Any]
) -> None:
    sent = send(server, request(server, "POST /events", headers, body))
    assert (sent.status, sent.body, sent.headers["content-length"]) == (202, b"", "0")
    assert not {"content-type", "content-encoding"} & sent.headers.keys()
    (event,) = send(server, request(server, "GET /events?type=user&user_id=25", GO)).json["events"]
    assert event == {
        "type": "event",
        "id": event["id"],
        "created_at": NOW,
        "event_name": "placed-order",
        "user_id": "25",
        "email": "wash@serenity.io",
        "intercom_user_id": ada,
        "metadata": metadata,
    }


def test_ruby_walks_three_pages_by_absolute_targets_and_undoes_gzip(server: TrackrecordServer, ada: str) -> None:
    submit_seven(server)
    pages, encodings = [], []
    target = "/events?type=user&user_id=25&per_page=3"
    while target:
        answer = send(server, request(server, f"GET {target}", RUBY))
        pages.append(names(answer))
        encodings.append(answer.headers.get("content-encoding"))
        target = answer.json["pages"].get("next")
        assert target is None or target.startswith(f"http://{host(server)}/events?per_page=3&before=")
    assert pages == PAGES
    assert encodings == ["gzip", "gzip", None]  # the last page is too short to gain by it


@pytest.mark.parametrize("authority", ["HOST", "api.intercom.io", "elsewhere.example:8443", "user@HOST"])
def test_an_absolute_target_is_served_whatever_authority_it_names(server: TrackrecordServer, ada: str, authority: str) -> None:
    body = f'{{{EVENT},"user_id":"25"}}'
    for scheme in ("http", "https"):
        sent = send(server, request(server, f"POST {scheme}://{authority}/events", RUBY, body))
        assert (sent.status, sent.body) == (202, b"")
        assert names(send(server, request(server, f"GET {scheme}://{authority}/events?type=user&user_id=25", RUBY))) == ["placed-order"]


def test_rubys_numeric_contact_id_is_read_as_its_digits(server: TrackrecordServer, ada: str) -> None:
    refused = send(server, request(server, "POST /events", RUBY, f'{{"id":123,{EVENT}}}'))
    assert (refused.status, refused.json) == (
        404,
        {
            "type": "error.list",
            "request_id": refused.headers["x-request-id"],
            "errors": [{"code": "not_found", "message": "User Not Found", "field": "id"}],
        },
    )


def test_ruby_finds_the_codes_it_knows_and_never_a_type_in_an_error(server: TrackrecordServer) -> None:
    for line, headers, status, code in (
        ("GET /events?type=user&user_id=25", RUBY, 404, "not_found"),
        ("GET /nowhere", RUBY, 404, "not_found"),
        ("DELETE /events", RUBY, 404, "not_found"),
        ("GET /events?type=user&user_id=25", RUBY.replace("TOKEN", "wrong"), 401, "unauthorized"),
        ("GET /events?type=user", RUBY, 400, "parameter_not_found"),
    ):
        answer = send(server, request(server, line, headers))
        (error,) = answer.json["errors"]
        assert (answer.status, answer.json["type"], error["code"], "type" in error) == (status, "error.list", code, False)


@pytest.mark.parametrize(
    ("headers", "body"), [(RUBY, "{}"), (PHP, "[]"), (JAVA_2, "")], ids=["ruby's empty object", "php's empty list", "java 2 without"]
)
def test_a_contact_is_deleted_whatever_body_comes_along(server: TrackrecordServer, ada: str, headers: str, body: str) -> None:
    deleted = send(server, request(server, f"DELETE /contacts/{ada}", headers, body))
    assert (deleted.status, deleted.json) == (200, {"type": "contact", "id": ada, "external_id": "25", "deleted": True})


def test_php_lists_with_a_content_type_and_walks_next_verbatim(server: TrackrecordServer, ada: str) -> None:
    submit_seven(server)
    pages = []
    target = f"{server.url}/events?user_id=25&per_page=3&type=user"
    while target:
        path = target.removeprefix(server.url)
        answer = send(server, request(server, f"GET {path}", PHP))
        pages.append(names(answer))
        target = answer.json["pages"].get("next", "")
    assert pages == PAGES


def test_php_puts_a_contacts_cursor_into_the_address_unencoded(server: TrackrecordServer) -> None:
    for number in range(3):
        body = json.dumps({"external_id": str(number), "custom_attributes": []})  # how php writes an empty object
        assert send(server, request(server, "POST /contacts", PHP, body)).status == 200
        server.clock.advance(1)
    seen, cursor = [], ""
    while cursor is not None:
        answer = send(server, request(server, f"GET /contacts?per_page=1{cursor and '&starting_after='}{cursor}", PHP))
        seen += [contact["external_id"] for contact in answer.json["data"]]
        cursor = answer.json["pages"].get("next", {}).get("starting_after")
        assert cursor is None or re.fullmatch("[A-Za-z0-9_-]+", cursor)
    assert seen == ["2", "1", "0"]


def test_every_value_in_pages_is_an_address_as_java_2_reads_it(server: TrackrecordServer, ada: str) -> None:
    submit_seven(server)
    pages, target = [], "/events?type=user&user_id=25&per_page=3"
    while target:
        answer = send(server, request(server, f"GET {target}", JAVA_2))
        pages.append(names(answer))
        addresses = {name: urlsplit(value) for name, value in answer.json["pages"].items()}
        assert all((each.scheme, each.netloc, each.path) == ("http", host(server), "/events") for each in addresses.values())
        assert addresses.keys() <= {"next", "since"}
        target = f"/events?{addresses['next'].query}" if "next" in addresses else ""
    assert pages == PAGES


def test_java_2_reads_the_rate_limit_as_three_whole_numbers(server: TrackrecordServer, ada: str) -> None:
    for line, headers in (("GET /events?type=user&user_id=25", JAVA_2), ("GET /contacts", JAVA_2.replace("BASIC", "Bearer TOKEN"))):
        found = send(server, request(server, line, headers)).headers
        limit, remaining, reset = (int(found[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))
        assert 0 < remaining < limit
        assert reset > NOW


def test_go_signs_in_with_the_token_as_user_and_an_empty_password(server: TrackrecordServer) -> None:
    answer = send(server, request(server, "GET /admins", GO))
    assert (answer.status, answer.json["type"]) == (200, "admin.list")
    pair = base64.b64encode(f"app:{server.token}".encode()).decode()
    refused = send(server, request(server, "GET /admins", GO.replace("BASIC", f"Basic {pair}")))
    assert (refused.status, refused.json["errors"]) == (
        401,
        [{"code": "unauthorized", "message": "Access Token Invalid", "field": "Authorization"}],
    )


def test_dotnets_order_of_identifiers_decides_when_several_come(server: TrackrecordServer, ada: str) -> None:
    made = {"25": ada}
    for number in (26, 27):
        body = json.dumps({"external_id": str(number), "email": f"{number}@example.com"})
        made[str(number)] = send(server, request(server, "POST /contacts", DOTNET, body)).json["id"]
    for number in made:
        body = json.dumps({"event_name": f"of-{number}", "created_at": NOW, "user_id": number})
        assert send(server, request(server, "POST /events", DOTNET, body)).status == 202
    by_all = f"type=user&intercom_user_id={made['25']}&user_id=26&email=27%40example.com"
    for query, expected in (
        (by_all, "of-25"),
        ("&".join(reversed(by_all.split("&"))), "of-25"),
        ("type=user&email=27%40example.com&user_id=26", "of-26"),
        ("type=user&email=27%40example.com", "of-27"),
    ):
        assert names(send(server, request(server, f"GET /events?{query}", DOTNET))) == [expected]


def test_node_2_follows_next_pages_verbatim_and_closes(server: TrackrecordServer, ada: str) -> None:
    submit_seven(server)
    pages, target = [], f"{server.url}/events?type=user&user_id=25&per_page=3"
    while target:
        answer = send(server, request(server, f"GET {target.removeprefix(server.url)}", NODE_2))
        assert answer.headers["connection"] == "close"
        pages.append(names(answer))
        target = answer.json["pages"].get("next", "")
    assert pages == PAGES
