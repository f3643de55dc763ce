"""What a server says of itself: health, the API's description, and the people behind a token."""

import contextlib
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from trackrecord import __version__
from trackrecord.http.routes import ROUTES
from trackrecord.testing import TrackrecordServer

from .client import Api, until

WHEN = 1_671_028_894


# --- health --------------------------------------------------------------------------------------------------------------


def test_a_server_that_is_ready_says_so(api: Api):
    until(lambda: api.get("/-/health").status == 200)
    answer = Api(api.server, None).get("/-/health")
    assert (answer.status, answer.json) == (200, {"status": "ok", "live": True, "ready": True, "reasons": [], "version": __version__})


def test_a_server_whose_store_stands_still_says_so_refuses_and_recovers_by_itself():
    with TrackrecordServer(lag_max_records=2, read_wait_s=0.2) as server:
        api = Api(server)
        until(lambda: api.get("/-/health").status == 200)
        contact = api.contact()
        store_process = until(lambda: server.server.follower.pid)
        os.kill(store_process, signal.SIGSTOP)
        try:
            sent = [{"event_name": "clicked", "created_at": WHEN + number, "id": contact["id"]} for number in range(4)]
            assert [api.post("/events", event).status for event in sent[:3]] == [202] * 3
            refused = api.post("/events", sent[3])
            assert refused.error[:2] == (503, "service_unavailable")
            assert refused.error[2] == "the store is 3 records behind the journal; send this again later"
            listing = f"/events?intercom_user_id={contact['id']}&type=user"
            late = api.get(listing)
            assert late.error == (503, "service_unavailable", "the record is 3 events behind the journal; nothing is lost", None)
            assert [refused.header("retry-after"), late.header("retry-after")] == ["2", "2"]
            ill = api.get("/-/health")
            assert (ill.status, ill.header("retry-after"), ill.json) == (
                503,
                "2",
                {
                    "status": "not ready",
                    "live": True,
                    "ready": False,
                    "reasons": ["the store is 3 records behind the journal, so new events are refused"],
                    "version": __version__,
                },
            )
            alive = api.get("/-/health?check=live")
            assert (alive.status, alive.json) == (200, ill.json)
        finally:
            os.kill(store_process, signal.SIGCONT)
        until(lambda: api.get("/-/health").status == 200)
        assert api.post("/events", sent[3]).status == 202
        until(lambda: api.get(listing).status == 200)  # on a busy machine the store may need longer than read_wait_s
        assert [event["created_at"] - WHEN for event in api.events(contact)] == [3, 2, 1, 0]


def test_a_server_whose_store_process_is_killed_loses_nothing_and_recovers_by_itself():
    with TrackrecordServer() as server:
        api = Api(server)
        contact = api.contact()
        until(lambda: api.get("/-/health").status == 200)
        killed = until(lambda: server.server.follower.pid)
        assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).status == 202
        os.kill(killed, signal.SIGKILL)
        assert api.submit(event_name="clicked", created_at=WHEN + 1, id=contact["id"]).status == 202
        assert [event["created_at"] - WHEN for event in api.events(contact)] == [1, 0]
        until(lambda: api.get("/-/health").status == 200)
        assert server.server.follower.pid != killed


# --- the API's description -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document(server: TrackrecordServer) -> Any:
    return Api(server, None).get("/-/openapi.json").json


def paths_of_routes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for route in ROUTES:
        found.setdefault(re.sub(r":\w+}", "}", route.path), set()).add(route.method.lower())
    return found


def inside(value: Any) -> Iterator[Any]:
    """The value and everything in it, but for examples and defaults."""
    yield value
    if isinstance(value, dict):
        value = [each for name, each in value.items() if name not in ("default", "example", "examples")]
    for each in value if isinstance(value, list) else ():
        yield from inside(each)


def test_the_document_has_every_route_and_no_other(document: Any):
    assert {path: set(operations) for path, operations in document["paths"].items()} == paths_of_routes()


def test_every_reference_in_the_document_leads_somewhere(document: Any):
    references = {each["$ref"] for each in inside(document) if isinstance(each, dict) and "$ref" in each}
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references == schemas  # none leads nowhere, and no schema is there for nothing


def test_the_document_is_openapi_3_1(document: Any):
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= set(document["info"])
    assert set(document) <= {"openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs", "jsonSchemaDialect"}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in document["components"]["schemas"])
    schemes = set(document["components"]["securitySchemes"])
    operations = [(path, method, operation) for path, methods in document["paths"].items() for method, operation in methods.items()]
    assert len({operation["operationId"] for _, _, operation in operations}) == len(operations)
    for path, method, operation in operations:
        where = f"{method} {path}"
        in_path = [param["name"] for param in operation["parameters"] if param["in"] == "path"]
        assert (where, sorted(in_path)) == (where, sorted(re.findall(r"{(\w+)}", path)))
        names = [(param["in"], param["name"]) for param in operation["parameters"]]
        assert (where, len(set(names))) == (where, len(names))
        for param in operation["parameters"]:
            assert (where, param["in"] in ("path", "query", "header"), param["required"] or param["in"] != "path") == (where, True, True)
            one = param["schema"].get("items", param["schema"])  # an array may be repeated
            assert one["type"] in ("string", "integer", "number", "boolean"), where
        assert operation["responses"], where
        for status, response in operation["responses"].items():
            assert (where, re.fullmatch(r"[1-5]\d\d", status) is not None, isinstance(response["description"], str)) == (where, True, True)
            assert all("schema" in media for media in response.get("content", {}).values()), where
        request = next(route.request for route in ROUTES if (route.method.lower(), re.sub(r":\w+}", "}", route.path)) == (method, path))
        assert (where, "requestBody" in operation) == (where, request is not None)
        assert all(set(need) <= schemes for need in operation["security"]), where


def test_every_schema_in_the_document_says_what_it_is_with_words_of_json_schema(document: Any):
    kinds = {
        each["type"] for each in inside(document["components"]["schemas"]) if isinstance(each, dict) and isinstance(each.get("type"), str)
    }
    assert kinds <= {"string", "integer", "number", "boolean", "object", "array", "null"}


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.open], ids=lambda route: f"{route.method} {route.path}")
def test_the_document_names_the_answers_that_are_given(document: Any, api: Api, route: Any):
    operation = document["paths"][re.sub(r":\w+}", "}", route.path)][route.method.lower()]
    path = route.path.replace("{", "").replace("}", "") + ("?follow=false" if any(param.name == "follow" for param in route.params) else "")
    answers = {api.send(route.method, path, body=b"no JSON").status}
    answers.add(Api(api.server, None).send(route.method, path, body=b"{}").status)
    answers.add(route.status)
    assert {str(status) for status in answers} <= set(operation["responses"])


class Page(HTMLParser):
    """The text of a page, its ids, and whatever it would ask somebody for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.ids: list[str] = []
        self.asks: list[tuple[str, str]] = []
        self.leads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.leads.append(value or "")
            elif name in ("src", "href", "action", "srcset", "data", "poster"):
                self.asks.append((tag, value or ""))
        if tag in ("script", "iframe", "object", "embed", "link"):
            self.asks.append((tag, ""))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_names_every_path_and_asks_nobody_else_for_anything(api: Api):
    answer = Api(api.server, None).get("/-/docs")
    assert (answer.status, answer.header("content-type")) == (200, "text/html; charset=utf-8")
    assert answer.header("content-security-policy") == (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    text = answer.body.decode()
    page = Page(text)
    assert [path for path in paths_of_routes() if path not in page.text] == []
    assert page.asks == []
    assert "@import" not in text
    assert "url(" not in text
    assert len(set(page.ids)) == len(page.ids)
    assert [link for link in page.leads if not link.startswith("#") and link != "/-/openapi.json"] == []
    assert [link for link in page.leads if link.startswith("#") and link[1:] not in page.ids] == []


def test_health_tells_of_a_store_that_cannot_be_read(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        contact = api.contact()
        assert api.get("/-/health").status == 200
        with contextlib.closing(sqlite3.connect(tmp_path / "events.db")) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
                db.execute(f"ALTER TABLE {table} RENAME TO not_{table}")
        unread = api.get(f"/events?type=user&intercom_user_id={contact['id']}")
        assert unread.error[:2] == (503, "service_unavailable")
        assert (api.get("/-/health").status, api.get("/-/health").json["reasons"]) == (503, [unread.error[2]])
        assert api.get("/-/health?check=live").status == 200


def test_the_root_sends_a_browser_to_the_dashboard(api: Api):
    answer = Api(api.server, None).get("/")
    assert (answer.status, answer.header("location"), answer.body) == (302, "/-/ui/", b"")


# --- the people ----------------------------------------------------------------------------------------------------------


def test_me_and_admins_have_their_shapes():
    with TrackrecordServer(app_id="pi3243fa") as server:
        api = Api(server)
        created_at = server.server.default_workspace.created_at
        admin = {
            "type": "admin",
            "id": "1",
            "name": "Administrator",
            "email": "admin@localhost",
            "away_mode_enabled": False,
            "away_mode_reassign": False,
            "has_inbox_seat": True,
            "team_ids": [],
        }
        assert api.get("/me").json == {
            "type": "admin",
            "id": "1",
            "email": "admin@localhost",
            "name": "Administrator",
            "email_verified": True,
            "app": {
                "type": "app",
                "id_code": "pi3243fa",
                "name": "pi3243fa",
                "created_at": created_at,
                "secure": False,
                "identity_verification": False,
                "timezone": "UTC",
                "region": "US",
            },
            "avatar": {"type": "avatar", "image_url": None},
            "has_inbox_seat": True,
        }
        assert api.get("/admins").json == {"type": "admin.list", "admins": [admin]}
        assert api.get("/admins/1").json == {**admin, "away_status_reason_id": None}
        assert api.get("/admins/2").error == (404, "admin_not_found", "Admin not found", "admin_id")
